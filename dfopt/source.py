"""Text and positions: spans, lines, columns, newline kind and byte order mark of one file."""

from __future__ import annotations

from bisect import bisect_right
from functools import cached_property
from typing import NamedTuple

BOM = "\ufeff"


class Span(NamedTuple):
    """A half-open range of offsets, counted in code points of the source text."""

    start: int
    end: int

    def __contains__(self, offset: object) -> bool:
        """Tell whether an offset lies inside; the end does not."""
        return isinstance(offset, int) and self.start <= offset < self.end

    def overlaps(self, other: Span) -> bool:
        """Tell whether both ranges share at least one character."""
        return self.start < other.end and other.start < self.end


class Position(NamedTuple):
    """A place for people: line and column, both counted from 1, columns in code points."""

    line: int
    column: int


class Source:
    """One file's text with the maps from offsets to lines and columns.

    The text is what the file holds, byte order mark and carriage returns included; bytes that are not UTF-8 stand in it
    as lone surrogates (``surrogateescape``). Only LF ends a line, as BuildKit reads it.
    """

    def __init__(self, text: str, name: str = "Dockerfile") -> None:
        self.text = text
        self.name = name

    @classmethod
    def from_bytes(cls, data: bytes, name: str = "Dockerfile") -> Source:
        """Decode a file's bytes; what is not UTF-8 survives the way back through ``to_bytes``."""
        return cls(data.decode("utf-8", "surrogateescape"), name)

    def to_bytes(self) -> bytes:
        """Give the bytes the text was made from."""
        return self.text.encode("utf-8", "surrogateescape")

    def __repr__(self) -> str:
        return f"Source({self.name!r}, {len(self.text)} characters)"

    @cached_property
    def line_starts(self) -> list[int]:
        """Offsets at which the lines begin; the first is 0."""
        starts = [0]
        find = self.text.find
        at = find("\n")
        while at >= 0:
            starts.append(at + 1)
            at = find("\n", at + 1)
        return starts

    @property
    def has_bom(self) -> bool:
        """Tell whether the text begins with a byte order mark."""
        return self.text.startswith(BOM)

    @cached_property
    def newline(self) -> str:
        """The newline kind of the first line, ``"\\n"`` where there is none."""
        end = self.text.find("\n")
        return "\r\n" if end > 0 and self.text[end - 1] == "\r" else "\n"

    def line_of(self, offset: int) -> int:
        """Give the line, counted from 1, that holds an offset."""
        return bisect_right(self.line_starts, offset)

    def position(self, offset: int) -> Position:
        """Give line and column of an offset; the byte order mark takes no column."""
        line = self.line_of(offset)
        start = self.line_starts[line - 1]
        if line == 1 and self.has_bom and offset > 0:
            start = 1
        return Position(line, offset - start + 1)

    def utf16_column(self, offset: int) -> int:
        """Give the column of an offset in UTF-16 units, counted from 0, as editors' protocols do."""
        start = self.line_starts[self.line_of(offset) - 1]
        return offset - start + sum(ch > "\uffff" for ch in self.text[start:offset])

    def offset(self, line: int, column: int = 1) -> int:
        """Give the offset of a line and column, both from 1, clipped to the text."""
        if line > len(self.line_starts):
            return len(self.text)
        start = self.line_starts[max(line, 1) - 1]
        if line == 1 and self.has_bom:
            start = 1
        return min(start + column - 1, self.line_end(line))

    def line_end(self, line: int) -> int:
        """Give the offset after the last character of a line, its CR and LF left out."""
        starts = self.line_starts
        end = starts[line] - 1 if line < len(starts) else len(self.text)
        start = starts[line - 1]
        while end > start and self.text[end - 1] == "\r":
            end -= 1
        return end

    def line_text(self, line: int) -> str:
        """Give the text of a line, counted from 1, without its newline."""
        return self.text[self.line_starts[line - 1] : self.line_end(line)]

    def slice(self, span: Span) -> str:
        """Give the text of a span."""
        return self.text[span.start : span.end]
