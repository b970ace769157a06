"""The exec form: arguments written as a JSON array of strings."""

from __future__ import annotations

import json
import re

from dfopt.syntax.grammar import NoMatch, parse

_SURROGATES = re.compile("[\ud800-\udfff]")
_MAX_DEPTH = 10000
"""Deeper arrays are an error of Go's JSON reader, so the text is no JSON."""


class NotStrings(ValueError):
    """The array holds something else than strings; ``start`` and ``end`` are the place of the first such element."""

    def __init__(self, start: int, end: int) -> None:
        super().__init__("not only strings")
        self.start = start
        self.end = end


def json_strings(text: str) -> list[tuple[str, int, int]] | None:
    """Read a JSON array of strings: each with its offsets, quotes included. None where the text is no JSON array.

    Raises NotStrings. As in Go, lone surrogates become U+FFFD and a number beyond a float's range is no JSON.
    """
    if not text.startswith("["):
        return None
    if text.count("[") + text.count("{") > _MAX_DEPTH and _depth(text) > _MAX_DEPTH:
        return None
    try:
        elements = parse("json", text)
    except NoMatch:
        return None
    strings: list[tuple[str, int, int]] = []
    other = None
    for element in elements:
        if hasattr(element, "children"):
            if other is None:
                other = element
        else:
            strings.append((_decode(element.value), element.start_pos, element.end_pos))
    if other is not None:
        if _has_infinite_number(text):
            return None
        start = strings[-1][2] if strings else 1
        raise NotStrings(start, len(text))
    return strings


def _decode(token: str) -> str:
    """Give the string that a JSON token stands for."""
    if "\\" not in token:
        value = token[1:-1]
        if value.isascii():
            return value
    else:
        value = json.loads(token)
    return _SURROGATES.sub("\ufffd", value)


def _depth(text: str) -> int:
    """Give how deep brackets nest, those in strings left out."""
    depth = deepest = 0
    for char in re.sub(r'"(?:[^"\\]|\\.)*"', "", text):
        if char in "[{":
            depth += 1
            deepest = max(deepest, depth)
        elif char in "]}":
            depth -= 1
    return deepest


def _has_infinite_number(text: str) -> bool:
    numbers = re.findall(r"-?[0-9][0-9.eE+-]*", re.sub(r'"(?:[^"\\]|\\.)*"', '""', text))
    return any(float(number) in (float("inf"), float("-inf")) for number in numbers)
