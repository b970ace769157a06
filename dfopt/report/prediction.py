"""A prediction for people (a table with bars) and for programs (JSON)."""

from __future__ import annotations

import json
from typing import IO, TYPE_CHECKING, Any

from dfopt.predict.model import Estimate, LayerPrediction, Part, Prediction, StagePrediction

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

_COLOURS = {"exact": "green", "high": "green", "medium": "yellow", "low": "dark_orange", "unknown": "red"}
_BAR_CELLS = 16
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
) -> None:
    """Print the image's layers as a table, and the other stages as one line each.

    ``all_rows`` shows instructions that make no layer, ``parts`` what each layer is made of, ``stages`` a table for
    every stage.
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
        _stage_table(console, prediction, stage, title, all_rows, parts)
    others = [stage for stage in prediction.stages if stage not in shown]
    if others:
        _others(console, others)
    notes = list(prediction.notes)
    for stage in shown:
        notes += [layer.note for layer in stage.layers if layer.note and layer.kind != "base"]
    for note in dict.fromkeys(notes):
        console.print(f"  note: {note}", style="dim", overflow="fold")


def _stage_table(
    console: Console, prediction: Prediction, stage: StagePrediction, title: str, all_rows: bool, parts: bool
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
            _bar(layer.size, largest, colour),
            Text(reason_text(layer)),
        )
        if parts and len(layer.parts) > 1:
            for part in layer.parts:
                table.add_row(*_part_cells(part, largest))
    total = Text(size_text(stage.total.value), style="bold")
    table.add_section()
    table.add_row(Text("image" if stage is prediction.image else "stage", style="bold"), total,
                  Text(interval_text(stage.total), style="bold"), Text(""), Text(""))  # fmt: skip
    table.add_row("to pull, gzip", size_text(stage.compressed.value), interval_text(stage.compressed), "", "")
    wasted = sum(layer.wasted.value for layer in stage.layers)
    if wasted >= _WORTH_A_ROW:
        hidden = ", ".join(
            f"{size_text(layer.wasted.value)} of {layer.instruction[:28].rstrip()}"
            for layer in stage.layers
            if layer.wasted.value >= _WORTH_A_ROW
        )
        table.add_row(
            Text("hidden by later layers", style="magenta"), Text(size_text(wasted), style="magenta"), "", "", hidden
        )
    console.print(table)


def _part_cells(part: Part, largest: float) -> tuple[Text, Text, Text, Text, Text]:
    from rich.text import Text

    return (
        Text(f"    {part.label}", style="dim"), Text(size_text(part.estimate.value), style="dim"),
        Text(interval_text(part.estimate), style="dim"), _bar(part.estimate, largest, "dim"),
        Text(part.source, style="dim"),
    )  # fmt: skip


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


# ---------------------------------------------------------------------- JSON


def as_object(prediction: Prediction, name: str = "") -> dict[str, Any]:
    """Give the prediction as plain values for JSON; sizes are bytes."""
    return {
        "file": name,
        "target": prediction.target,
        "image": _stage_object(prediction.image) if prediction.image is not None else None,
        "stages": [_stage_object(stage) for stage in prediction.stages],
        "notes": list(prediction.notes),
    }


def write_json(prediction: Prediction, stream: IO[str], name: str = "") -> None:
    """Print the prediction as JSON."""
    json.dump(as_object(prediction, name), stream, indent=2, ensure_ascii=False)
    stream.write("\n")


def _estimate(size: Estimate) -> dict[str, int]:
    return {"bytes": round(size.value), "low": round(size.low), "high": round(size.high)}


def _stage_object(stage: StagePrediction) -> dict[str, Any]:
    return {
        "stage": stage.stage,
        "name": stage.name,
        "total": _estimate(stage.total),
        "compressed": _estimate(stage.compressed),
        "layers": [_layer_object(layer) for layer in stage.layers],
    }


def _layer_object(layer: LayerPrediction) -> dict[str, Any]:
    return {
        "instruction": layer.instruction,
        "step": layer.step,
        "empty": layer.empty,
        **_estimate(layer.size),
        "compressed": _estimate(layer.compressed),
        "wasted": round(layer.wasted.value),
        "confidence": layer.confidence,
        "kind": layer.kind,
        "note": layer.note,
        "parts": [
            {
                "label": part.label,
                "kind": part.kind,
                **_estimate(part.estimate),
                "source": part.source,
                "path": part.path,
            }
            for part in layer.parts
        ],
    }
