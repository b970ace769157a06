"""Command-line tools as data: their calls, what those do, the packages they name, the caches they leave."""

from __future__ import annotations

from dfopt.tools.caches import CLEANING
from dfopt.tools.cleaning import cleans
from dfopt.tools.effects import effects, effects_as, invocation_effects, left_caches, list_effects, script_effects
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
from dfopt.tools.packages import package_names
from dfopt.tools.paths import Place, any_overlap, covers, overlaps
from dfopt.tools.recognise import recognise

__all__ = [
    "CLEANING",
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
    "cleans",
    "covers",
    "effects",
    "effects_as",
    "invocation_effects",
    "left_caches",
    "list_effects",
    "overlaps",
    "package_names",
    "recognise",
    "script_effects",
]
