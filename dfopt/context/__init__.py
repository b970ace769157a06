"""The build context: its files after the ignore file, and which of them an instruction means."""

from dfopt.context.disk import commits_per_path, context_of, read_context, read_text
from dfopt.context.model import BuildContext, ContextFile
from dfopt.context.selection import Selected, Selection, select

__all__ = [
    "BuildContext", "ContextFile", "Selected", "Selection", "commits_per_path", "context_of", "read_context",
    "read_text", "select",
]  # fmt: skip
