"""Go's ``filepath.Match`` patterns, as COPY, ADD and ``--parents`` use them."""

from __future__ import annotations

import re
from functools import lru_cache


def is_pattern(text: str) -> bool:
    """Tell whether a source holds wildcards, escaped ones included."""
    return any(character in text for character in "*?[\\")


@lru_cache(maxsize=512)
def translate(pattern: str, *, deep: bool = False) -> re.Pattern[str] | None:
    """Make a regular expression of a pattern; None where a bracket is malformed.

    ``*`` and ``?`` do not cross a slash, ``[^...]`` negates and ``\\x`` is a literal x. With ``deep``, ``**`` stands
    for any number of folders, as in ``--parents``.
    """
    pieces: list[str] = []
    index = 0
    while index < len(pattern):
        character = pattern[index]
        index += 1
        if character == "*":
            if deep and pattern.startswith("*", index):
                index += 1
                if pattern.startswith("/", index):
                    index += 1
                    pieces.append("(?:.*/)?")
                else:
                    pieces.append(".*")
            else:
                pieces.append("[^/]*")
        elif character == "?":
            pieces.append("[^/]")
        elif character == "[":
            end = _bracket_end(pattern, index)
            if end is None:
                return None
            pieces.append(_bracket(pattern[index:end]))
            index = end + 1
        elif character == "\\":
            if index == len(pattern):
                return None
            pieces.append(re.escape(pattern[index]))
            index += 1
        else:
            pieces.append(re.escape(character))
    return re.compile("".join(pieces) + r"\Z", re.DOTALL)


def _bracket_end(pattern: str, start: int) -> int | None:
    """Give the offset of the bracket that closes a set."""
    index = start + 1 if pattern.startswith("^", start) else start
    first = index
    while index < len(pattern):
        if pattern[index] == "\\":
            index += 2
            continue
        if pattern[index] == "]" and index > first:
            return index
        index += 1
    return None


def _bracket(inside: str) -> str:
    """Make the inside of a Go set one of Python's."""
    negated = inside.startswith("^")
    body = inside[1:] if negated else inside
    out: list[str] = []
    index = 0
    while index < len(body):
        character = body[index]
        if character == "\\" and index + 1 < len(body):
            index += 1
            out.append(re.escape(body[index]))
        elif character == "-" and 0 < index < len(body) - 1:
            out.append("-")
        else:
            out.append(re.escape(character))
        index += 1
    content = "".join(out)
    return f"(?:(?!/)[{'^' if negated else ''}{content}])"
