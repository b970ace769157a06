"""Command-line tools as data: recognising their calls, what those do, which packages they name, what they leave behind."""

from __future__ import annotations

from dfopt.tools.effects import effects, invocation_effects, left_caches
from dfopt.tools.model import (
    NOTHING,
    Cleaned,
    Cleaning,
    Effects,
    Invocation,
    Option,
    Package,
    Setting,
    Subcommand,
    Tool,
)
from dfopt.tools.paths import Place, any_overlap, covers, overlaps
from dfopt.tools.recognise import recognise

__all__ = [
    "NOTHING",
    "Cleaned",
    "Cleaning",
    "Effects",
    "Invocation",
    "Option",
    "Package",
    "Place",
    "Setting",
    "Subcommand",
    "Tool",
    "any_overlap",
    "covers",
    "effects",
    "invocation_effects",
    "left_caches",
    "overlaps",
    "recognise",
]
