"""The patterns of ``${name#pattern}``, ``${name%pattern}`` and ``${name/pattern/text}``.

``*`` stands for any run and ``?`` for any one character, neither for a newline; brackets are ordinary characters. All
positions of a pattern are followed at once, as bits of one integer, so no pattern makes the search explode.
"""

from __future__ import annotations

import re
from functools import lru_cache

_ANY = "?"
_RUN = "*"
_GROUP = re.compile(r"\$(?:\$|\{([^\W]+)\}|(\w+))")


class PatternError(ValueError):
    """A pattern with a backslash that protects nothing."""


class _Pattern:
    """A pattern made ready: bits of the positions where each character, any character or a run may stand."""

    __slots__ = ("any", "final", "literals", "runs", "start")

    def __init__(self, tokens: list[tuple[bool, str]]) -> None:
        self.literals: dict[str, int] = {}
        self.any = self.runs = 0
        at = 0
        previous_run = False
        for special, char in tokens:
            if special and char == _RUN:
                if previous_run:
                    continue
                self.runs |= 1 << at
            elif special:
                self.any |= 1 << at
            else:
                self.literals[char] = self.literals.get(char, 0) | 1 << at
            previous_run = special and char == _RUN
            at += 1
        self.final = 1 << at
        self.start = self._close(1)

    def _close(self, states: int) -> int:
        """Add the positions behind runs, which may be empty."""
        return states | (states & self.runs) << 1

    def end(self, text: str, at: int, longest: bool) -> int | None:
        """Give where a match that begins at an offset ends, the longest or the shortest one."""
        states, found = self.start, None
        for position in range(at, len(text) + 1):
            if states & self.final:
                found = position
                if not longest:
                    break
            if not states or position == len(text):
                break
            char = text[position]
            if char == "\n":
                states = (states & self.literals.get(char, 0)) << 1
            else:
                here = states & (self.literals.get(char, 0) | self.any)
                states = here << 1 | states & self.runs
            states = self._close(states)
        return found


def _tokens(pattern: str) -> list[tuple[bool, str]]:
    """Cut a pattern into pairs (is it a wildcard, character). Raises PatternError."""
    tokens: list[tuple[bool, str]] = []
    at = 0
    while at < len(pattern):
        char = pattern[at]
        at += 1
        if char == "\\":
            following = pattern[at : at + 1]
            if following and following in "}/":
                continue
            if not following or following not in "*?\\":
                raise PatternError(f"the pattern {pattern!r} has a backslash in front of {following or 'its end'!r}")
            tokens.append((False, following))
            at += 1
        else:
            tokens.append((char in (_ANY, _RUN), char))
    return tokens


@lru_cache(maxsize=256)
def _compiled(pattern: str) -> _Pattern:
    return _Pattern(_tokens(pattern))


@lru_cache(maxsize=256)
def _reversed(pattern: str) -> _Pattern:
    return _Pattern(_tokens(pattern)[::-1])


def remove_prefix(value: str, pattern: str, *, longest: bool) -> str:
    """Cut the shortest or longest beginning that matches. Raises PatternError."""
    end = _compiled(pattern).end(value, 0, longest)
    return value if end is None else value[end:]


def remove_suffix(value: str, pattern: str, *, longest: bool) -> str:
    """Cut the shortest or longest ending that matches. Raises PatternError."""
    end = _reversed(pattern).end(value[::-1], 0, longest)
    return value if end is None else value[: len(value) - end]


def replace(value: str, pattern: str, text: str, *, everywhere: bool) -> str:
    """Replace the first match, or all of them. Raises PatternError.

    With ``everywhere`` a ``$name`` in the text stands for a group of a regular expression there, as upstream: ``$0`` is
    the match, all other names are empty.
    """
    compiled = _compiled(pattern)
    out: list[str] = []
    done = at = 0
    while at <= len(value):
        end = compiled.end(value, at, longest=True)
        if end is None:
            at += 1
            continue
        if not everywhere:
            return value[:at] + text + value[end:]
        out.append(value[done:at])
        if end > done or at == 0:
            out.append(_groups(text, value[at:end]))
        done = end
        at = max(end, at + 1)
    out.append(value[done:])
    return "".join(out)


def _groups(text: str, match: str) -> str:
    if "$" not in text:
        return text

    def group(found: re.Match[str]) -> str:
        if found.group() == "$$":
            return "$"
        return match if (found[1] or found[2]) == "0" else ""

    return _GROUP.sub(group, text)
