"""The frontend and the checks that a file asks for: directives as BuildKit looks them up in the raw text.

This look-up is wider than the parser's own: it also takes ``// syntax=`` and a whole file of JSON, and skips a shebang
line; but it takes no white space in front of the comment sign.
"""

from __future__ import annotations

import json
import re
from functools import cache
from typing import NamedTuple

from dfopt.source import BOM

_KNOWN = ("syntax", "escape", "check")


class Declaration(NamedTuple):
    """A directive found in the raw text: its whole value and its line, counted from 1 (0 for a file of JSON)."""

    value: str
    line: int

    @property
    def word(self) -> str:
        """The first blank-separated word of the value; the only one that BuildKit uses."""
        return self.value.split(" ", 1)[0]


@cache
def _pattern(sign: str) -> re.Pattern[str]:
    return re.compile(sign + r"[\t\n\f\r ]*([a-zA-Z][a-zA-Z0-9]*)[\t\n\f\r ]*=[\t\n\f\r ]*([^\n]+?)[\t\n\f\r ]*\Z")


def declaration(text: str, name: str) -> Declaration | None:
    """Look up ``syntax`` or ``check`` in a file; None where the file does not declare it."""
    rest = text.removeprefix(BOM)
    skipped = 0
    if rest.startswith("#!"):
        rest = rest.partition("\n")[2]
        skipped = 1
    for sign in ("#", "//"):
        found = _scan(rest, name, sign)
        if found:
            return Declaration(found.value, found.line + skipped)
    if rest.lstrip()[:1] == "{":
        try:
            values = json.loads(rest)
        except (ValueError, RecursionError):
            return None
        value = values.get(name) if isinstance(values, dict) else None
        if isinstance(value, str):
            return Declaration(value, skipped)
    return None


def _scan(text: str, name: str, sign: str) -> Declaration | None:
    found, seen, line, at = None, set(), 0, 0
    while at <= len(text):
        end = text.find("\n", at)
        end = len(text) if end < 0 else end
        line += 1
        match = _pattern(sign).match(text[at:end].removesuffix("\r"))
        at = end + 1
        if match is None or match[1].lower() not in _KNOWN:
            break
        if match[1].lower() in seen:
            return None
        seen.add(match[1].lower())
        if match[1].lower() == name:
            found = Declaration(match[2], line)
    return found
