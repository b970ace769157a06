"""A predicted image against the one before it and against its budget: sentences, and Markdown for a pull request."""

from __future__ import annotations

from typing import IO

from dfopt.predict.growth import Growth, LayerChange, Overrun
from dfopt.predict.model import Estimate, LayerPrediction, Prediction, StagePrediction
from dfopt.predict.shares import shared_with_base, zstd_total
from dfopt.report.prediction import interval_text, reason_text, size_text

_MARKER = "<!-- dfopt predict -->"
"""Lets a bot find its own comment and replace it."""
_LONGEST = 90


def signed_size(size_bytes: float) -> str:
    """Write a difference with its sign: ``+1.20 MB``, ``−300 kB``, ``±0``."""
    if abs(size_bytes) < 1:
        return "±0"
    return ("+" if size_bytes > 0 else "−") + size_text(abs(size_bytes))


def growth_text(growth: Growth) -> str:
    """Say in one line how the image grows or shrinks."""
    old, new = growth.before.total.value, growth.after.total.value
    share = f", {growth.share.value:+.1%}".replace("-", "−").replace("%", " %") if old else ""
    unsure = growth.size.high - growth.size.low
    between = f"; between {signed_size(growth.size.low)} and {signed_size(growth.size.high)}" if unsure >= 1 else ""
    return f"{size_text(old)} → {size_text(new)} ({signed_size(growth.size.value)}{share}{between})"


def overrun_text(overrun: Overrun) -> str:
    """Say which budget is broken, by what, and how surely."""
    subject = {
        "image": "the image", "pull": "the compressed image", "growth": "the growth",
        "layer": f"the layer of '{_short(overrun.what, 60)}'",
    }[overrun.kind]  # fmt: skip
    verb = "is" if overrun.sure else "may be"
    between = f"{size_text(max(overrun.size.low, 0))} to {size_text(max(overrun.size.high, 0))}"
    size = between if overrun.size.high - overrun.size.low >= 1 else size_text(overrun.size.value)
    return f"{subject} {verb} above {size_text(max(overrun.limit, 0))}: {size}"


def write_markdown(
    prediction: Prediction,
    stream: IO[str],
    name: str,
    *,
    growth: Growth | None = None,
    overruns: tuple[Overrun, ...] = (),
    against: str = "",
) -> None:
    """Write a comment for a pull request: the totals, broken budgets, and a row per layer, before and after."""
    stream.write(f"{_MARKER}\n## Predicted image size: {_cell(name)}\n\n")
    image = prediction.image
    if image is None:
        stream.write("The file makes no image.\n")
        return
    for overrun in overruns:
        stream.write(f"{':x:' if overrun.sure else ':warning:'} {_cell(_sentence(overrun_text(overrun)))}\n\n")
    if growth is not None:
        stream.write(f"**{_cell(growth_text(growth))}**{' against ' + _code(against) if against else ''}\n\n")
        _totals(stream, image, growth.before)
        changed = [row for row in growth.rows if abs(row.difference.value) >= 1 or row.difference.high >= 1]
        if changed:
            stream.write("\n| | layer | before | after | change |\n|---|---|---:|---:|---:|\n")
            for row in changed:
                stream.write(_change_row(row))
        equal = len(growth.rows) - len(changed)
        if equal:
            stream.write("\nOne layer stays as it is.\n" if equal == 1 else f"\n{equal} layers stay as they are.\n")
        stream.write("\n<details><summary>All layers</summary>\n\n")
    else:
        stream.write(f"**{size_text(image.total.value)}** ({_cell(interval_text(image.total))})\n\n")
        _totals(stream, image, None)
        stream.write("\n")
    stream.write("| layer | size | interval | from |\n|---|---:|---:|---|\n")
    for layer in image.layers:
        if not layer.empty:
            cells = (size_text(layer.size.value), _cell(interval_text(layer.size)), _cell(reason_text(layer)))
            stream.write(f"| {_code(layer.instruction)} | {' | '.join(cells)} |\n")
    if growth is not None:
        stream.write("\n</details>\n")
    notes = list(dict.fromkeys([*prediction.notes, *(layer.note for layer in image.layers if layer.note)]))
    if notes:
        stream.write("\n" + "".join(f"- {_cell(note)}\n" for note in notes))


def _totals(stream: IO[str], image: StagePrediction, before: StagePrediction | None) -> None:
    """Write the table of totals: on disk, to pull, and what a host with the base image needs besides."""
    rows = []
    for stage in (before, image) if before is not None else (image,):
        base, base_packed = shared_with_base(stage)
        rows.append(
            (stage.total.value, stage.compressed.value, zstd_total(stage).value, stage.total.value - base.value,
             stage.compressed.value - base_packed.value)
        )  # fmt: skip
    names = ("on disk", "to pull (gzip)", "to pull (zstd)", "on disk, above the base", "to pull (gzip), above the base")
    head = "| | before | after | change |\n|---|---:|---:|---:|\n" if before is not None else "| | size |\n|---|---:|\n"
    stream.write(head)
    for index, name in enumerate(names):
        cells = [size_text(row[index]) for row in rows]
        if before is not None:
            cells.append(signed_size(rows[1][index] - rows[0][index]))
        stream.write(f"| {name} | {' | '.join(cells)} |\n")


def _change_row(row: LayerChange) -> str:
    layer = row.after or row.before
    assert layer is not None
    mark = "new" if row.before is None else "gone" if row.after is None else ""
    cells = (_size(row.before), _size(row.after), _difference(row.difference))
    return f"| {mark} | {_code(layer.instruction)} | {' | '.join(cells)} |\n"


def _size(layer: LayerPrediction | None) -> str:
    return size_text(layer.size.value) if layer is not None else ""


def _difference(size: Estimate) -> str:
    return signed_size(size.value)


def _short(text: str, longest: int = _LONGEST) -> str:
    return text if len(text) <= longest else text[: longest - 1].rstrip() + "…"


def _code(text: str) -> str:
    """Write code in a table cell: nothing in it may end the cell or the code."""
    return (
        "`` " + _short(text).replace("`", "'").replace("|", "\\|") + " ``"
        if "`" in text
        else ("`" + _short(text).replace("|", "\\|") + "`")
    )


def _cell(text: str) -> str:
    text = text.replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;").replace("\n", " ")
    return text.replace("*", "\\*").replace("_", "\\_").replace("`", "\\`")


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]
