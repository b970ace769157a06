"""What the linter says: findings, severities and fixes, as values."""

from __future__ import annotations

from enum import IntEnum

from msgspec import Struct

from dfopt.edit import Edit
from dfopt.source import Span


class Severity(IntEnum):
    """How much a finding matters; greater is worse."""

    STYLE = 1
    INFO = 2
    WARNING = 3
    ERROR = 4

    def __str__(self) -> str:
        return self.name.lower()

    @classmethod
    def parse(cls, text: str) -> Severity:
        """Read a severity's name in any case. Raises ValueError for another word."""
        try:
            return cls[text.upper()]
        except KeyError:
            names = ", ".join(str(level) for level in reversed(cls))
            raise ValueError(f"unknown severity {text!r}; use one of {names}") from None


class Applicability(IntEnum):
    """How far a fix may be trusted: shown only, applied when asked for, or safe (same files, same configuration)."""

    DISPLAY = 0
    UNSAFE = 1
    SAFE = 2

    def __str__(self) -> str:
        return self.name.lower()


class Fix(Struct, frozen=True):
    """A proposed change: what it does in a few words, the edits, and how far it may be trusted.

    ``removes`` are paths (globs) that the new image lacks on purpose: caches, package lists, archives.
    """

    title: str
    edits: tuple[Edit, ...]
    applicability: Applicability = Applicability.SAFE
    removes: tuple[str, ...] = ()


class Related(Struct, frozen=True):
    """A second place that explains a finding."""

    span: Span
    message: str


class Finding(Struct, frozen=True):
    """One thing that a rule reports at one place of one file."""

    code: str
    name: str
    severity: Severity
    message: str
    span: Span
    related: tuple[Related, ...] = ()
    fix: Fix | None = None
    saved_bytes: int | None = None

    @property
    def topic(self) -> str:
        """The letter of a code of our own; empty for other tools' codes."""
        return self.code[0] if len(self.code) == 4 and self.code[1:].isdigit() else ""
