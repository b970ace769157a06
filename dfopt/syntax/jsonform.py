"""The exec form: arguments written as a JSON array of strings."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from dfopt.edit import Edit
from dfopt.syntax.grammar import Branch, NoMatch, Token, parse

if TYPE_CHECKING:
    from dfopt.syntax.grammar import Node
    from dfopt.syntax.tree import Joined

_SURROGATES = re.compile("[\ud800-\udfff]")
_STRING = r'"[^"\\]*(?:\\.[^"\\]*)*"?'
_MAX_DEPTH = 10000
"""Deeper arrays are an error of Go's JSON reader, so the text is no JSON."""

_LONGEST_REPAIR = 5000
"""Texts longer than this are not searched for what they were meant to be."""


class NotStrings(ValueError):
    """The array holds something else than strings; ``element`` is the first of these, with its offsets."""

    def __init__(self, element: str, start: int, end: int, is_scalar: bool) -> None:
        super().__init__(f"{element} is no string")
        self.element = element
        self.start = start
        self.end = end
        self.is_scalar = is_scalar

    def edits(self, body: Joined) -> tuple[Edit, ...]:
        """Give the edits that put the element in quotes, where it is a number or a word."""
        if not self.is_scalar:
            return ()
        return (Edit(body.span(self.start, self.end), f'"{self.element}"'),)


def json_strings(text: str) -> list[tuple[str, int, int]] | None:
    """Read a JSON array of strings: each with its offsets, quotes included. None where the text is no JSON array.

    Raises NotStrings. As in Go, lone surrogates become U+FFFD, and a number beyond a float's range is no JSON.
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
    for element in elements:
        if isinstance(element, Branch):
            if _has_infinite_number(text):
                return None
            raise _not_strings(text, element, strings[-1][2] if strings else 0)
        strings.append((_decode(element.text), element.start, element.end))
    return strings


def _not_strings(text: str, element: Node, after: int) -> NotStrings:
    """Describe an element that is no string; the element before it ends at ``after``."""
    if isinstance(element, Branch) and element.rule == "scalar":
        token = element.children[0]
        assert isinstance(token, Token)
        return NotStrings(token.text, token.start, token.end, is_scalar=True)
    opened = re.compile(r"[\[{]").search(text, after or 1)
    start = opened.start() if opened else after
    depth, end = 0, len(text)
    for part in re.compile(_STRING + r"|[\[\]{}]").finditer(text, start):
        if part.group() in ("[", "{"):
            depth += 1
        elif part.group() in ("]", "}"):
            depth -= 1
            if depth == 0:
                end = part.end()
                break
    return NotStrings(text[start:end], start, end, is_scalar=False)


def _decode(token: str) -> str:
    """Give the string that a JSON token stands for."""
    if "\\" in token:
        from json import loads

        return _SURROGATES.sub("\ufffd", loads(token))
    value = token[1:-1]
    return value if value.isascii() else _SURROGATES.sub("\ufffd", value)


def _depth(text: str) -> int:
    """Give how deep brackets nest, those in strings left out."""
    depth = deepest = 0
    for char in re.sub(_STRING, "", text):
        if char in "[{":
            depth += 1
            deepest = max(deepest, depth)
        elif char in "]}":
            depth -= 1
    return deepest


def _has_infinite_number(text: str) -> bool:
    numbers = re.findall(r"-?[0-9][0-9.eE+-]*", re.sub(_STRING, '""', text))
    return any(float(number) in (float("inf"), float("-inf")) for number in numbers)


def repaired(text: str) -> tuple[str, str] | None:
    """Guess the JSON array that a text was meant to be; gives it with what was wrong, None where there is no guess.

    Only a text that looks like an array of quoted strings is taken for one: ``[ "$a" = b ]`` is a test of the shell.
    """
    if not text.startswith("[") or len(text) > _LONGEST_REPAIR:
        return None
    for what, repair in _REPAIRS:
        changed = repair(text)
        if changed != text:
            try:
                strings = json_strings(changed)
            except NotStrings:
                continue
            if strings:
                return changed, what
    return None


_TYPOGRAPHIC = str.maketrans({"“": '"', "”": '"', "„": '"', "‘": "'", "’": "'"})
_ITEM = r"""(?:"[^"\\]*(?:\\.[^"\\]*)*"|'[^']*')"""


def _single_quotes(text: str) -> str:
    """Turn quotes of other kinds into double ones."""

    def double(part: re.Match[str]) -> str:
        token = part.group()
        if token[0] == '"':
            return token
        return '"' + token[1:-1].replace("\\", "\\\\").replace('"', '\\"') + '"'

    return re.sub(_ITEM, double, text.translate(_TYPOGRAPHIC))


def _commas(text: str) -> str:
    """Drop a comma before the end and add those that are missing between strings."""
    text = re.sub(r",\s*\]$", "]", text)
    text = re.sub(r",\s*,", ",", text)
    return re.sub(rf"({_ITEM})[ \t]+(?={_ITEM})", r"\1, ", text)


def _backslashes(text: str) -> str:
    """Double backslashes that protect nothing."""
    return re.sub(r'\\(?!["\\/bfnrt]|u[0-9a-fA-F]{4})', r"\\\\", text)


def _end(text: str) -> str:
    """Close an array that is left open, and drop a semicolon behind it."""
    text = text.rstrip("; \t")
    return text if text.endswith("]") else text + "]"


_REPAIRS = (
    ("its strings need double quotes", _single_quotes),
    ("its strings are not parted by single commas", _commas),
    ("a backslash in it must be doubled", _backslashes),
    ("it does not end with ]", _end),
    ("its quotes and commas are not those of JSON", lambda text: _end(_commas(_single_quotes(text)))),
    (
        "its quotes and backslashes are not those of JSON",
        lambda text: _backslashes(_end(_commas(_single_quotes(text)))),
    ),
)
