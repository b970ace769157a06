"""Brace expansion: ``{a,b}`` and ``{1..3}``."""

from __future__ import annotations

import re

_BRACES = r"(-?\d+|[A-Za-z])\.\.(-?\d+|[A-Za-z])(?:\.\.(-?\d+))?\Z"
_MAX_BRACES = 64
_MAX_LENGTH = 1000


def expand_braces(raw: str) -> list[str]:
    """Expand ``{a,b}`` and ``{1..3}`` as bash does; the word itself if there is nothing to expand.

    A word that is very long or would give more than 64 words is left as it is.
    """
    if len(raw) > _MAX_LENGTH:
        return [raw]
    done: list[str] = []
    open_ones = [("", raw)]  # what is expanded already, and the rest
    while open_ones:
        head, rest = open_ones.pop()
        found = first_braces(rest)
        if found is None:
            done.append(head + rest)
        else:
            start, end, choices = found
            open_ones += [(head + rest[:start], choice + rest[end:]) for choice in reversed(choices)]
        if len(done) + len(open_ones) > _MAX_BRACES:
            return [raw]
    return done


def first_braces(raw: str) -> tuple[int, int, list[str]] | None:
    """Find the first brace expression: its range and its choices."""
    pos = 0
    while pos < len(raw):
        char = raw[pos]
        if char == "\\":
            pos += 1
        elif char in "'\"":
            stop = raw.find(char, pos + 1)
            pos = len(raw) if stop < 0 else stop
        elif char == "$" and raw.startswith("{", pos + 1):
            stop = raw.find("}", pos)
            pos = len(raw) if stop < 0 else stop
        elif char == "{":
            choices = _choices(raw, pos)
            if choices is not None:
                return pos, choices[0], choices[1]
        pos += 1
    return None


def _choices(raw: str, start: int) -> tuple[int, list[str]] | None:
    """Split the brace expression that begins here at its commas."""
    level, begin, pos = 0, start + 1, start
    parts: list[str] = []
    while pos < len(raw):
        char = raw[pos]
        if char == "\\":
            pos += 1
        elif char in "'\"":
            stop = raw.find(char, pos + 1)
            if stop < 0:
                return None
            pos = stop
        elif char == "{":
            level += 1
        elif char == "}":
            level -= 1
            if not level:
                if parts:
                    return pos + 1, [*parts, raw[begin:pos]]
                match = re.match(_BRACES, raw[start + 1 : pos])
                sequence = _sequence(*match.groups()) if match else None
                return (pos + 1, sequence) if sequence else None
        elif char == "," and level == 1:
            parts.append(raw[begin:pos])
            begin = pos + 1
        pos += 1
    return None


def _sequence(first: str, last: str, step: str | None) -> list[str] | None:
    """Give the elements of ``{first..last..step}``."""
    letters = first.isalpha() and last.isalpha()
    if not letters and (first.isalpha() or last.isalpha()):
        return None
    low, high = (ord(first), ord(last)) if letters else (int(first), int(last))
    by = abs(int(step or 1)) or 1
    if abs(high - low) // by >= _MAX_BRACES:
        return None
    numbers = range(low, high + 1, by) if low <= high else range(low, high - 1, -by)
    if letters:
        return [chr(number) for number in numbers]
    padded = any(re.match(r"-?0\d", number) for number in (first, last))
    width = max(len(first), len(last)) if padded else 0
    return [str(number).zfill(width) for number in numbers]
