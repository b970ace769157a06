"""The build context as values: its files with sizes, after ``.dockerignore``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

from msgspec import Struct, field

if TYPE_CHECKING:
    from dfopt.syntax.ignorefile import IgnoreFile

FileType = Literal["file", "directory", "symlink", "other"]


class ContextFile(Struct, frozen=True):
    """One entry of the context: slash-separated path below its root, size in bytes (0 for what is no regular file)."""

    path: str
    size_bytes: int
    mode: int
    type: FileType = "file"
    target: str = ""
    link: str = ""
    """The path of the first entry that is the same file, for hard links."""


class BuildContext(Struct, frozen=True, dict=True):
    """What the builder is sent: the entries that remain after the ignore file, by path, and how large the rest is.

    ``root`` is None for contexts made in memory. ``changes`` is, per path, the number of commits that touched it,
    where git was asked.
    """

    files: Mapping[str, ContextFile]
    ignored: Mapping[str, ContextFile] = field(default_factory=dict)
    root: str | None = None
    ignore_name: str | None = None
    changes: Mapping[str, int] = field(default_factory=dict)
    texts: Mapping[str, str] = field(default_factory=dict)
    """Contents of small files given in memory (editors, tests)."""
    notes: tuple[str, ...] = ()
    """What could not be read, in plain sentences."""
    ignore: IgnoreFile | None = None
    """The ignore file itself, where there is one."""

    @property
    def size_bytes(self) -> int:
        """The bytes of all files that are sent, hard links counted once."""
        return sum(file.size_bytes for file in self.files.values() if not file.link)
