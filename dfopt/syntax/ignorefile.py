"""Ignore files: which paths of a build context are left out, as ``.dockerignore`` says.

Follows moby/patternmatcher: the pattern is translated character by character into a regular expression, oddities
included: ``[!a]`` is no negation, and in a pattern with wildcards ``^`` is an anchor, ``\\d`` a digit, ``|`` an
alternative and ``{2}`` a repetition.
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
from dfopt.syntax.globs import GlobError, check_glob

_ESCAPED = frozenset(".+()$")
_GO_ESCAPES = frozenset("AbBdDsSwWafnrtv")
_REPETITION = re.compile(r"\{([0-9]+)(?:,([0-9]*))?\}")
_MAX_REPETITION = 1000
_UNREADABLE = "(?P<"
"""Stands for what Go's regular expressions refuse; no expression with it in it can be compiled."""
_CACHED_GROUPS = 4096


class IgnoreError(ValueError):
    """A pattern that BuildKit refuses; ``line`` counts from 1, 0 where the pattern comes from no file."""

    def __init__(self, message: str, line: int = 0) -> None:
        super().__init__(message)
        self.line = line


class _Group(NamedTuple):
    """Patterns of one sign that follow each other, as one expression that also fits what is below a matching folder."""

    negated: bool
    expression: re.Pattern[str]


class _Rule(NamedTuple):
    """One pattern: its sign, and the expression of exactly the paths that it fits."""

    negated: bool
    expression: str


class IgnoreFile:
    """The rules of one ignore file.

    ``patterns`` are the cleaned patterns in order, negated ones with their exclamation mark. ``has_exclusions`` tells
    whether there is a negated one.
    """

    def __init__(self, patterns: Iterable[str], lines: Iterable[int] = ()) -> None:
        """Take patterns as an ignore file holds them, cleaned already. Raises IgnoreError."""
        self.patterns = tuple(patterns)
        numbers = [*lines, *[0] * len(self.patterns)]
        self._rules: list[_Rule] = []
        for pattern, line in zip(self.patterns, numbers, strict=False):
            try:
                rule = _rule(pattern)
                # A negated rule in front of all others is never tried, so its expression is not looked at either.
                if rule and (not rule.negated or any(not before.negated for before in self._rules)):
                    _compile(rule.expression)
            except IgnoreError as error:
                raise IgnoreError(str(error), line) from None
            if rule:
                self._rules.append(rule)
        self.has_exclusions = any(rule.negated for rule in self._rules)
        while self._rules and self._rules[0].negated:
            del self._rules[0]
        self._groups = [
            _Group(negated, _compile("|".join(f"(?:{rule.expression})(?:/|\\Z)" for rule in group)))
            for negated, group in groupby(self._rules, key=lambda rule: rule.negated)
        ]
        self._exact = [(rule.negated, _compile(f"(?:{rule.expression})\\Z")) for rule in self._rules]
        self._folders: dict[str, tuple[bool, ...]] = {}

    @classmethod
    def parse(cls, text: str) -> IgnoreFile:
        """Read the text of an ignore file. Raises IgnoreError for a malformed pattern or a lone exclamation mark."""
        entries = read_patterns(text)
        return cls((pattern for pattern, _ in entries), (line for _, line in entries))

    def ignores(self, path: str) -> bool:
        """Tell whether the rules fit a path: the last rule that fits it, or a folder above it, decides.

        Paths are relative to the context's root and have slashes. This is what BuildKit's checks ask; ``leaves_out`` is
        what a build does.
        """
        ignored = False
        for negated, expression in self._groups:
            if negated is ignored and expression.match(path):
                ignored = not ignored
        return ignored

    def leaves_out(self, path: str) -> bool:
        """Tell whether a build leaves a path out when it sends the context.

        It differs from ``ignores`` where a negated rule fits a folder that no rule before it has left out: such a rule
        is not tried on the folder, and so does not bring back what other rules leave out below.
        """
        if not self.has_exclusions:
            return self.ignores(path)
        folder, _, _ = path.rpartition("/")
        return self._judge(path, self._fitting(folder) if folder else ())[0]

    def _fitting(self, folder: str) -> tuple[bool, ...]:
        """Tell which rules fit a folder or those above it, as far as they are tried."""
        known = self._folders
        missing = []
        while folder and folder not in known:
            missing.append(folder)
            folder = folder.rpartition("/")[0]
        fitting = known[folder] if folder else ()
        for each in reversed(missing):
            _, fitting = self._judge(each, fitting)
            known[each] = fitting
        return fitting

    def _judge(self, path: str, above: tuple[bool, ...]) -> tuple[bool, tuple[bool, ...]]:
        out, fitting = False, []
        for index, (negated, expression) in enumerate(self._exact):
            fits = bool(above and above[index]) or (negated is out and expression.match(path) is not None)
            fitting.append(fits)
            if fits:
                out = not negated
        return out, tuple(fitting)


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


def _rule(pattern: str) -> _Rule | None:
    """Give a pattern's sign and its expression; None for an empty one. Raises IgnoreError."""
    pattern = pattern.strip(whitespace.UNICODE)
    if not pattern:
        return None
    pattern = _clean(pattern)
    negated = pattern.startswith("!")
    if negated:
        pattern = pattern[1:]
        if not pattern:
            raise IgnoreError("an exclamation mark needs a pattern behind it")
    try:
        check_glob(pattern)
    except GlobError as error:
        raise IgnoreError(f"the pattern {pattern!r} cannot be read: {error}") from None
    return _Rule(negated, _translate(pattern))


@lru_cache(maxsize=_CACHED_GROUPS)
def _compile(expression: str) -> re.Pattern[str]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        try:
            return re.compile(expression, re.ASCII)
        except re.error as error:
            raise IgnoreError(f"a pattern cannot be read: {error.msg}") from None


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
    out: list[str] = []
    at, end = _behind_anchor(pattern, 0), len(pattern)
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
            # A backslash at the end protects the dollar sign that upstream puts there, so nothing ends the pattern.
            out.append(_escape(pattern[at]) if at < end else "\\$.*")
            at += 1
        elif char == "{":
            out.append(_brace(pattern, at - 1))
        elif char == "^":
            out.append(char)
            at = _behind_anchor(pattern, at)
        else:
            out.append(char)
    return _alternatives("".join(out))


def _escape(char: str) -> str:
    """Give what a backslash and a character stand for in Go's regular expressions."""
    if not (char.isascii() and char.isalnum()):
        return re.escape(char) if char.isascii() else _UNREADABLE
    if char == "z":
        return "\\Z"
    return "\\" + char if char in _GO_ESCAPES else _UNREADABLE


def _behind_anchor(pattern: str, at: int) -> int:
    """Step over a repetition behind an anchor, such as the one in front of a pattern; it changes nothing."""
    match = _REPETITION.match(pattern, at)
    return match.end() if match and _brace(pattern, at) == "{" else at


def _brace(pattern: str, at: int) -> str:
    """Give what a brace stands for: itself, unless it begins a repetition."""
    match = _REPETITION.match(pattern, at)
    if match is None:
        return "\\{"
    return _UNREADABLE if any(int(number) > _MAX_REPETITION for number in match.groups() if number) else "{"


def _alternatives(expression: str) -> str:
    """Give an expression that fits whole paths where the original fits somewhere between ``^`` and ``$``.

    Only the first of several alternatives is bound to the beginning, only the last one to the end.
    """
    if "|" not in expression:
        return expression
    parts = [""]
    for piece in re.findall(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]?|.", expression, re.DOTALL):
        if piece == "|":
            parts.append("")
        else:
            parts[-1] += piece
    last = len(parts) - 1
    return "|".join(
        (".*" if index else "") + f"(?:{part})" + (".*" if index < last else "") for index, part in enumerate(parts)
    )


def _has_magic(pattern: str) -> bool:
    return any(char in "*?[]\\" for char in pattern)
