"""Predicted against real: a table per layer, and JSON."""

from __future__ import annotations

from typing import IO, Any

from dfopt.predict.calibration import Compared, ComparedLayer
from dfopt.report.prediction import interval_text, size_text

_PIPE_COLUMNS = 120


def write_comparison(compared: Compared, stream: IO[str], *, color: bool | None = None) -> None:
    """Print the layers of an image, predicted and real, and how far off each is."""
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(
        file=stream, width=None if stream.isatty() else _PIPE_COLUMNS, highlight=False, no_color=color is False,
        force_terminal=True if color else None, soft_wrap=False, emoji=False, markup=False,
    )  # fmt: skip
    console.print(Text(f"predicted against {compared.image}", style="bold"))
    table = Table(box=box.SIMPLE_HEAD, expand=True, pad_edge=False, padding=(0, 1), collapse_padding=True)
    table.add_column("instruction", ratio=5, no_wrap=True, overflow="ellipsis", min_width=20)
    for name in ("predicted", "interval", "real", "error"):
        table.add_column(name, justify="right", no_wrap=True)
    for pair in compared.layers:
        size = pair.layer.size
        style = "green" if abs(pair.error) <= 0.02 else "yellow" if pair.inside else "red"
        table.add_row(
            pair.layer.instruction, size_text(size.value), interval_text(size), size_text(pair.real_bytes),
            Text(error_text(pair), style=style),
        )  # fmt: skip
    if compared.complete:
        table.add_section()
        whole = compared.real_bytes
        error = f"{100 * (compared.predicted.value - whole) / whole:+.1f} %".replace("-", "−") if whole else ""
        table.add_row("image", size_text(compared.predicted.value), interval_text(compared.predicted), size_text(whole),
                      error)  # fmt: skip
    console.print(table)
    if not compared.complete:
        console.print("  the image was built from another file below these layers", style="dim")


def error_text(pair: ComparedLayer) -> str:
    """Say how far a layer is off: ``exact``, a share with its sign; a mark where it leaves the interval."""
    difference = pair.layer.size.value - pair.real_bytes
    if abs(difference) < 1:
        return "exact"
    text = f"{100 * pair.error:+.1f} %".replace("-", "−") if pair.real_bytes else size_text(abs(difference))
    return text if pair.inside else f"{text} outside"


def as_object(compared: Compared) -> dict[str, Any]:
    """Give the comparison as plain values for JSON; sizes are bytes."""
    return {
        "image": compared.image,
        "complete": compared.complete,
        "predicted": round(compared.predicted.value),
        "real": compared.real_bytes,
        "layers": [
            {
                "instruction": pair.layer.instruction,
                "step": pair.layer.step,
                "predicted": round(pair.layer.size.value),
                "low": round(pair.layer.size.low),
                "high": round(pair.layer.size.high),
                "real": pair.real_bytes,
                "error": round(pair.error, 4),
                "inside": pair.inside,
            }
            for pair in compared.layers
        ],
    }
