"""The build context: its files after the ignore file, and which of them an instruction means.

The functions are loaded when first asked for, so that the value types cost nothing to those who only name them.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dfopt.context.disk import commits_per_path, context_of, read_context, read_text
    from dfopt.context.model import BuildContext, ContextFile
    from dfopt.context.selection import Selected, Selection, select

_HOMES = {
    "BuildContext": "model", "ContextFile": "model",
    "commits_per_path": "disk", "context_of": "disk", "read_context": "disk", "read_text": "disk",
    "Selected": "selection", "Selection": "selection", "select": "selection",
}  # fmt: skip

__all__ = [
    "BuildContext", "ContextFile", "Selected", "Selection", "commits_per_path", "context_of", "read_context",
    "read_text", "select",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"dfopt.context.{_HOMES[name]}"), name)
