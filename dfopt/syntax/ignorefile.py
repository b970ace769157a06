"""Ignore files: which paths of a build context are left out, as ``.dockerignore`` says.

Follows moby/patternmatcher: the pattern is translated character by character into a regular expression, oddities
included (``[!a]`` is no negation, ``^`` outside brackets is an anchor, ``\\d`` is a digit).
"""

from __future__ import annotations

import posixpath
import re
import warnings
from collections.abc import Iterable
from functools import lru_cache
from itertools import groupby
from typing import NamedTuple

from dfopt.source import BOM
from dfopt.syntax import whitespace

_ESCAPED = frozenset(".+()|{}$")
_GO_ESCAPES = frozenset("AbBdDsSwWafnrtv")
_CACHED_GROUPS = 4096


class IgnoreError(ValueError):
    """A pattern that BuildKit refuses; ``line`` counts from 1, 0 where the pattern comes from no file."""

    def __init__(self, message: str, line: int = 0) -> None:
        super().__init__(message)
        self.line = line


class _Group(NamedTuple):
    """Patterns of one sign that follow each other, as one expression."""

    negated: bool
    expression: re.Pattern[str]


class IgnoreFile:
    """The rules of one ignore file. The last rule that fits a path, or a folder above it, decides.

    ``patterns`` are the cleaned patterns in order, negated ones with their exclamation mark.
    """

    def __init__(self, patterns: Iterable[str], lines: Iterable[int] = ()) -> None:
        """Take patterns as an ignore file holds them, cleaned already. Raises IgnoreError."""
        self.patterns = tuple(patterns)
        numbers = [*lines, *[0] * len(self.patterns)]
        rules = []
        for pattern, line in zip(self.patterns, numbers, strict=False):
            try:
                rules.append(_rule(pattern))
            except IgnoreError as error:
                raise IgnoreError(str(error), line) from None
        self._rules = [rule for rule in rules if rule is not None]
        self.has_exclusions = any(negated for negated, _ in self._rules)
        self._groups = [
            _Group(negated, _compile("|".join(expression for _, expression in group)))
            for negated, group in groupby(self._rules, key=lambda rule: rule[0])
        ]

    @classmethod
    def parse(cls, text: str) -> IgnoreFile:
        """Read the text of an ignore file. Raises IgnoreError for a malformed pattern or a lone exclamation mark."""
        entries = read_patterns(text)
        return cls((pattern for pattern, _ in entries), (line for _, line in entries))

    def ignores(self, path: str) -> bool:
        """Tell whether a path is left out; it is relative to the context's root and has slashes."""
        ignored = False
        for negated, expression in self._groups:
            if negated is ignored and expression.match(path):
                ignored = not ignored
        return ignored


def read_patterns(text: str) -> list[tuple[str, int]]:
    """List the patterns of an ignore file, cleaned, with their lines counted from 1; they may still be malformed."""
    entries: list[tuple[str, int]] = []
    for number, line in enumerate(text.removeprefix(BOM).split("\n"), 1):
        pattern = line.strip(whitespace.UNICODE)
        if line.startswith("#") or not pattern:
            continue
        negated = pattern.startswith("!")
        if negated:
            pattern = pattern[1:].strip(whitespace.UNICODE)
        if pattern:
            pattern = _clean(pattern)
            if len(pattern) > 1:
                pattern = pattern.removeprefix("/")
        entries.append(("!" + pattern if negated else pattern, number))
    return entries


def _clean(path: str) -> str:
    """Shorten a path as Go's filepath.Clean does."""
    return posixpath.normpath("/" + path.lstrip("/") if path.startswith("//") else path)


def _rule(pattern: str) -> tuple[bool, str] | None:
    """Give a pattern's sign and its regular expression, which fits a path or a folder above it."""
    pattern = pattern.strip(whitespace.UNICODE)
    if not pattern:
        return None
    pattern = _clean(pattern)
    negated = pattern.startswith("!")
    if negated:
        pattern = pattern[1:]
        if not pattern:
            raise IgnoreError("an exclamation mark needs a pattern behind it")
    _check_syntax(pattern)
    return negated, f"(?:{_translate(pattern)})(?:/|\\Z)"


@lru_cache(maxsize=_CACHED_GROUPS)
def _compile(expression: str) -> re.Pattern[str]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        try:
            return re.compile(expression, re.ASCII)
        except re.error as error:
            raise IgnoreError(f"the pattern cannot be read: {error}") from None


def _check_syntax(pattern: str) -> None:
    """Check brackets and escapes as Go's filepath.Match does. Raises IgnoreError."""
    at, end = 0, len(pattern)

    def member(at: int) -> int:
        """Step over one character of a set."""
        if at >= end or pattern[at] in "-]":
            raise IgnoreError(f"the set of characters in {pattern!r} is malformed")
        if pattern[at] == "\\":
            at += 1
        if at + 1 >= end:
            raise IgnoreError(f"the set of characters in {pattern!r} is never closed")
        return at + 1

    while at < end:
        char = pattern[at]
        at += 1
        if char == "\\":
            if at >= end:
                raise IgnoreError(f"{pattern!r} ends with a backslash")
            at += 1
        elif char == "[":
            if at < end and pattern[at] == "^":
                at += 1
            members = 0
            while not (at < end and pattern[at] == "]" and members):
                at = member(at)
                if pattern[at] == "-":
                    at = member(at + 1)
                members += 1
            at += 1


def _translate(pattern: str) -> str:
    """Give the regular expression of a pattern."""
    if pattern.endswith("**") and "**" not in pattern[:-2] and not _has_magic(pattern[:-2]):
        # A literal followed by ** fits everything that begins like it.
        return re.escape(pattern[:-2]) + ".*" if len(pattern) > 2 else ".*"
    if pattern.startswith("**") and not _has_magic(pattern[2:]) and len(pattern) > 2:
        suffix = pattern[2:]
        start = "(?:.*/)?" if suffix.startswith("/") else ".*"
        return start + re.escape(suffix.removeprefix("/"))
    if not _has_magic(pattern):
        return re.escape(pattern)
    out, at, end = [], 0, len(pattern)
    while at < end:
        char = pattern[at]
        at += 1
        if char == "*":
            if not pattern.startswith("*", at):
                out.append("[^/]*")
                continue
            at += 1
            if pattern.startswith("/", at):
                at += 1
            out.append(".*" if at >= end else "(?:.*/)?")
        elif char == "?":
            out.append("[^/]")
        elif char in _ESCAPED:
            out.append("\\" + char)
        elif char == "\\":
            if at >= end:
                out.append("\\\\")
                continue
            following = pattern[at]
            at += 1
            if following.isalnum() and following.isascii():
                if following == "z":
                    following = "Z"
                elif following not in _GO_ESCAPES:
                    raise IgnoreError(f"the pattern {pattern!r} has a backslash in front of {following!r}")
                out.append("\\" + following)
            else:
                out.append(re.escape(following))
        else:
            out.append(char)
    return "".join(out)


def _has_magic(pattern: str) -> bool:
    return any(char in "*?[]\\" for char in pattern)
