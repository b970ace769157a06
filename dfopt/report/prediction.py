"""A prediction for people: a table with bars, and a waterfall of where the bytes come from."""

from __future__ import annotations

from typing import IO, TYPE_CHECKING

from dfopt.predict.model import Estimate, LayerPrediction, Part, Prediction, StagePrediction
from dfopt.predict.shares import shared_with_base, sources_of, zstd_of, zstd_total

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

    from dfopt.predict.growth import Growth

_COLOURS = {"exact": "green", "high": "green", "medium": "yellow", "low": "dark_orange", "unknown": "red"}
_BAR_CELLS = 16
_WATERFALL_CELLS = 48
_EIGHTHS = " ▏▎▍▌▋▊▉█"
_PIPE_COLUMNS = 120
_WORTH_A_ROW = 10_000
"""Hidden bytes below this are not worth a row."""
_UNITS = (("GB", 1e9), ("MB", 1e6), ("kB", 1e3))


def size_text(size_bytes: float) -> str:
    """Write a number of bytes in decimal units with three digits, as ``docker images`` does."""
    for unit, factor in _UNITS:
        if size_bytes >= factor * 0.9995:
            number = size_bytes / factor
            digits = 0 if number >= 99.95 else 1 if number >= 9.995 else 2
            return f"{number:.{digits}f} {unit}"
    return f"{size_bytes:.0f} B"


def interval_text(size: Estimate) -> str:
    """Write an interval: ``exact``, ``± 2 %``, or from and to where it is wide."""
    if size.high - size.low < 1:
        return "exact"
    if size.value > 0:
        below, above = (size.value - size.low) / size.value, (size.high - size.value) / size.value
        widest = max(below, above)
        if widest < 0.2:
            return f"± {widest:.1%}".replace("%", " %") if widest < 0.0995 else f"± {widest:.0%}".replace("%", " %")
    return f"{size_text(size.low)} – {size_text(size.high)}"


def reason_text(layer: LayerPrediction) -> str:
    """Say in a few words what a layer's figure comes from."""
    if not layer.parts:
        return layer.note
    main = layer.parts[0]
    others = [part for part in layer.parts[1:] if part.estimate.value >= 0.02 * layer.size.value]
    text = main.label
    if layer.kind == "base":
        reason = layer.note or main.source
        prefix = {"high": "measured: ", "medium": "estimated: "}.get(layer.confidence, "")
        return reason if reason.startswith(prefix.rstrip(": ")) else prefix + reason
    if others:
        text += " + " + ", ".join(part.label for part in others[:2]) + (" …" if len(others) > 2 else "")
    return text if not main.source or others else f"{text} ({main.source})"


# ---------------------------------------------------------------------- the table


def write_table(
    prediction: Prediction,
    stream: IO[str],
    *,
    title: str = "",
    color: bool | None = None,
    all_rows: bool = False,
    parts: bool = False,
    stages: bool = False,
    compressed: bool = False,
    waterfall: bool = False,
    growth: Growth | None = None,
) -> None:
    """Print the image's layers as a table, and the other stages as one line each.

    ``all_rows`` shows instructions that make no layer, ``parts`` what each layer is made of, ``stages`` a table for
    every stage, ``compressed`` each layer's bytes as gzip and zstd pack it, ``waterfall`` where the bytes come from.
    """
    from rich.console import Console

    terminal = stream.isatty()
    console = Console(
        file=stream, width=None if terminal else _PIPE_COLUMNS, highlight=False, no_color=color is False,
        force_terminal=True if color else None, soft_wrap=False, emoji=False, markup=False,
    )  # fmt: skip
    image = prediction.image
    shown = list(prediction.stages) if stages else [image] if image is not None else list(prediction.stages)[-1:]
    for stage in shown:
        _stage_table(console, prediction, stage, title, all_rows, parts, compressed)
        if waterfall:
            _waterfall(console, stage)
    if growth is not None:
        from dfopt.report.growth import growth_text

        console.print(f"  against the old file: {growth_text(growth)}", style="bold", overflow="fold")
    others = [stage for stage in prediction.stages if stage not in shown]
    if others:
        _others(console, others)
    notes = list(prediction.notes)
    for stage in shown:
        notes += [layer.note for layer in stage.layers if layer.note and layer.kind != "base"]
    for note in dict.fromkeys(notes):
        console.print(f"  note: {note}", style="dim", overflow="fold")


def _stage_table(
    console: Console,
    prediction: Prediction,
    stage: StagePrediction,
    title: str,
    all_rows: bool,
    parts: bool,
    compressed: bool,
) -> None:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    name = f"stage {stage.name}" if stage.name else f"stage {stage.stage}" if len(prediction.stages) > 1 else ""
    heading = " · ".join(piece for piece in (title, name) if piece)
    if heading:
        console.print(Text(heading, style="bold"), overflow="ellipsis", no_wrap=True)
    table = Table(box=box.SIMPLE_HEAD, expand=True, pad_edge=False, padding=(0, 1), collapse_padding=True)
    table.add_column("instruction", ratio=5, no_wrap=True, overflow="ellipsis", min_width=20)
    table.add_column("size", justify="right", no_wrap=True)
    table.add_column("interval", justify="right", no_wrap=True)
    if compressed:
        table.add_column("gzip", justify="right", no_wrap=True)
        table.add_column("zstd", justify="right", no_wrap=True)
    table.add_column("", width=_BAR_CELLS, no_wrap=True)
    table.add_column("from", ratio=4, no_wrap=True, overflow="ellipsis", min_width=16, style="dim")
    largest = max((layer.size.value for layer in stage.layers), default=0.0)
    for layer in stage.layers:
        if layer.empty and not all_rows:
            continue
        colour = "dim" if layer.empty else _COLOURS.get(layer.confidence, "")
        table.add_row(
            Text(layer.instruction, style="dim" if layer.empty else ""),
            Text("–" if layer.empty else size_text(layer.size.value), style=colour),
            Text("" if layer.empty else interval_text(layer.size), style=colour),
            *(("",) * 2 if layer.empty else map(_packed, (layer.compressed, zstd_of(layer))) if compressed else ()),
            _bar(layer.size, largest, colour),
            Text(reason_text(layer)),
        )
        if parts and len(layer.parts) > 1:
            for part in layer.parts:
                table.add_row(*_part_cells(part, largest, compressed))
    blank = ("", "") if compressed else ()
    total = Text(size_text(stage.total.value), style="bold")
    zstd = zstd_total(stage)
    packed = (size_text(stage.compressed.value), size_text(zstd.value)) if compressed else ()
    table.add_section()
    what = Text("image" if stage is prediction.image else "stage", style="bold")
    table.add_row(what, total, Text(interval_text(stage.total), style="bold"), *packed, "", "")
    table.add_row("to pull, gzip", size_text(stage.compressed.value), interval_text(stage.compressed), *blank, "", "")
    if compressed:
        table.add_row("to pull, zstd", size_text(zstd.value), interval_text(zstd), *blank, "", "")
        for text, size, whole in zip(
            ("shared with the base", "to pull, shared with the base"), shared_with_base(stage),
            (stage.total, stage.compressed), strict=True,
        ):  # fmt: skip
            share = f"{100 * size.value / whole.value:.0f} % of it" if whole.value else ""
            table.add_row(text, size_text(size.value), share, *blank, "", "")
    wasted = sum(layer.wasted.value for layer in stage.layers)
    if wasted >= _WORTH_A_ROW:
        hidden = ", ".join(
            f"{size_text(layer.wasted.value)} of {layer.instruction[:28].rstrip()}"
            for layer in stage.layers
            if layer.wasted.value >= _WORTH_A_ROW
        )
        wasted_text = Text(size_text(wasted), style="magenta")
        table.add_row(Text("hidden by later layers", style="magenta"), wasted_text, "", *blank, "", hidden)
    console.print(table)


def _part_cells(part: Part, largest: float, compressed: bool) -> tuple[Text, ...]:
    from rich.text import Text

    return (
        Text(f"    {part.label}", style="dim"), Text(size_text(part.estimate.value), style="dim"),
        Text(interval_text(part.estimate), style="dim"), *((Text(""),) * 2 if compressed else ()),
        _bar(part.estimate, largest, "dim"), Text(part.source, style="dim"),
    )  # fmt: skip


def _packed(size: Estimate) -> str:
    return size_text(size.value)


def _waterfall(console: Console, stage: StagePrediction) -> None:
    """Draw where the bytes come from: each bar begins where the one above it ends."""
    from rich.table import Table
    from rich.text import Text

    whole = stage.total.value
    sources = sources_of(stage)
    if whole <= 0 or not sources:
        return
    console.print("  where the bytes come from", style="bold")
    table = Table(box=None, expand=False, pad_edge=False, padding=(0, 1), show_header=False)
    table.add_column("", width=1)
    table.add_column("source", no_wrap=True)
    table.add_column("size", justify="right", no_wrap=True)
    table.add_column("share", justify="right", no_wrap=True)
    table.add_column("bar", width=_WATERFALL_CELLS + 1, no_wrap=True)
    start = 0.0
    for source in sources:
        value = source.size.value
        first = round(start / whole * _WATERFALL_CELLS)
        cells = max(round((start + value) / whole * _WATERFALL_CELLS) - first, 0)
        bar = " " * min(first, _WATERFALL_CELLS - 1) + ("█" * cells if cells else "▏")
        style = "dim" if source.kind == "base" else "yellow" if source.kind == "unknown" else "cyan"
        table.add_row("", source.label, size_text(value), f"{100 * value / whole:.1f} %", Text(bar, style=style))
        start += value
    console.print(table)
    console.print()


def _bar(size: Estimate, largest: float, colour: str) -> Text:
    """Draw a size as a bar: solid as far as it is sure, then shaded as far as it may go."""
    from rich.text import Text

    if largest <= 0:
        return Text("")

    def cells(value: float) -> float:
        return min(value / largest, 1.0) * _BAR_CELLS

    sure = cells(size.value)
    full = int(sure)
    bar = "█" * full
    rest = _EIGHTHS[int((sure - full) * 8)] if full < _BAR_CELLS else ""
    bar += rest.strip()
    if size.value > 0 and not bar:
        bar = "▏"
    text = Text(bar, style=colour)
    open_cells = int(cells(size.high) + 0.5) - len(bar)
    if open_cells > 0 and size.high > size.value * 1.05:
        text.append("░" * open_cells, style=colour)
    return text


def _others(console: Console, stages: list[StagePrediction]) -> None:
    for stage in stages:
        name = f"stage {stage.name or stage.stage}"
        console.print(
            f"  {name}: {size_text(stage.total.value)} ({interval_text(stage.total)}), not in the image", style="dim",
            overflow="ellipsis", no_wrap=True,
        )  # fmt: skip
