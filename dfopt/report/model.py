"""What the output formats print: one report per file, and what holds for the whole run."""

from __future__ import annotations

import os
import re
from functools import cached_property
from typing import NamedTuple

from msgspec import Struct

from dfopt.edit import Edit
from dfopt.finding import Finding, Fix
from dfopt.lint.rule import Rule
from dfopt.source import Source, Span


class Region(NamedTuple):
    """A place for people: lines and columns from 1 in code points, the end column behind the last character."""

    line: int
    column: int
    end_line: int
    end_column: int


class FileReport(Struct, dict=True):
    """One linted file: its path as reported, its text and findings; ``error`` instead where it could not be read.

    ``suppressed`` are findings that a comment or the baseline silences, with the reason. ``fixed`` names the rules
    whose fixes were applied. ``notes`` are messages about the run over this file, ``tracebacks`` those of defects.
    ``failed`` tells that a finding reaches the level that fails the run, ``crashed`` that a part of dfopt broke.
    ``diff`` is what fixes would change.
    """

    path: str
    text: str = ""
    findings: list[Finding] = []
    error: str = ""
    suppressed: tuple[tuple[Finding, str], ...] = ()
    fixed: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    tracebacks: tuple[str, ...] = ()
    failed: bool = False
    crashed: bool = False
    diff: str = ""

    @cached_property
    def source(self) -> Source:
        """The text with its line map."""
        return Source(self.text, self.path)

    def region(self, span: Span) -> Region:
        """Give lines and columns of a span; an end behind a newline is drawn back to the end of its line."""
        start = self.source.position(span.start)
        stop = max(span.end, span.start)
        end = self.source.position(stop)
        if end.line > start.line and end.column == 1 and stop > span.start:
            line = end.line - 1
            return Region(start.line, start.column, line, self.source.position(self.source.line_end(line)).column)
        return Region(start.line, start.column, end.line, end.column)

    def fingerprints(self) -> list[str]:
        """Give a fingerprint per finding."""
        from dfopt.lint.fingerprint import fingerprints

        return fingerprints(self.place, self.source, self.findings)

    @cached_property
    def place(self) -> str:
        """The path as servers want it: with slashes, no ``./``, relative where it lies below the current folder."""
        path = os.path.normpath(self.path)
        here = os.path.join(os.getcwd(), "")
        return path.removeprefix(here).replace(os.sep, "/")

    def edits(self, fix: Fix) -> tuple[Edit, ...]:
        """Give the edits of a fix as they would be applied: new lines end as the file's lines do."""
        from dfopt.lint.fix import fitted

        return tuple(fitted(self.source, edit) for edit in fix.edits)

    def screen_column(self, offset: int) -> int:
        """Give the column of an offset on a screen, from 1: tabs stop every 8 columns, wide characters take two."""
        line = self.source.line_of(offset)
        start = self.source.offset(line)
        column = 0
        for piece in re.split("(\t)", self.text[start:offset]):
            column = column // 8 * 8 + 8 if piece == "\t" else column + screen_width(piece)
        return column + 1

    def utf16_column(self, offset: int) -> int:
        """Give the column of an offset in UTF-16 units, from 0; a byte order mark takes none."""
        line = self.source.line_of(offset)
        return self.source.utf16_column(offset) - (line == 1 and self.source.has_bom and offset > 0)

    def column_bytes(self, offset: int) -> int:
        """Give the column of an offset in UTF-8 bytes, from 1."""
        start = self.source.line_starts[self.source.line_of(offset) - 1]
        return len(self.text[start:offset].encode("utf-8", "surrogateescape")) + 1


class RunInfo(Struct, frozen=True):
    """What holds for all files of a run: the version, all rules, and how text is shown."""

    version: str
    rules: tuple[Rule, ...] = ()
    color: bool = False
    show_source: bool = False

    def by_code(self) -> dict[str, Rule]:
        """Give the rules by their codes and, for findings under other tools' codes, by their aliases."""
        found = {alias: rule for rule in reversed(self.rules) for alias in rule.aliases}
        found.update((rule.code, rule) for rule in self.rules)
        return found


def screen_width(text: str) -> int:
    """Count the columns of a terminal that a text takes; wide characters take two, combining ones none."""
    if text.isascii():
        return len(text)
    from unicodedata import combining, east_asian_width

    return sum(0 if combining(ch) else 2 if east_asian_width(ch) in "WF" else 1 for ch in text)


def one_line(text: str) -> str:
    """Give a text on one line, for formats in which a line is a finding."""
    return " ".join(text.splitlines()) if "\n" in text or "\r" in text else text


def clean(text: str) -> str:
    """Replace bytes that are not UTF-8 by the replacement character, so that a report is valid text."""
    if text.isascii():
        return text
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
