"""Finding the here-documents that a line announces."""

from __future__ import annotations

import re
from typing import NamedTuple

from dfopt.syntax.words import WordError, expand

_WORD = re.compile(r"([0-9]*)<<(-?)[\t\n\f\r ]*([^<]*)\Z")
_MAX_FD = 2**64 - 1


class HeredocWord(NamedTuple):
    """The word that announces a here-document: its parts, and its text in the line."""

    name: str
    fd: int
    chomp: bool
    expand: bool
    word: str


def _nothing(name: str) -> None:
    return None


def heredoc_words(line: str) -> list[HeredocWord]:
    """List the here-documents that a logical line announces. Raises WordError for a name that cannot be read.

    A line that cannot be cut into words, for instance for an odd apostrophe, announces none.
    """
    try:
        words = expand(line, _nothing, keep_quotes=True, keep_escapes=True, keep_unset=True).words
    except WordError:
        return []
    found = (heredoc_word(word) for word in words if "<<" in word)
    return [word for word in found if word is not None]


def heredoc_word(word: str) -> HeredocWord | None:
    """Read one word as the announcement of a here-document; None where it is none. Raises WordError."""
    match = _WORD.match(word)
    if match is None or not match[3]:
        return None
    plain = expand(match[3], _nothing, keep_unset=True).words
    if len(plain) != 1:
        return None
    quoted = expand(match[3], _nothing, keep_quotes=True, keep_escapes=True, keep_unset=True).words
    if len(quoted) != 1:
        return None
    expands = all(plain[0].count(quote) == quoted[0].count(quote) for quote in "'\"")
    return HeredocWord(plain[0], min(int(match[1] or 0), _MAX_FD), match[2] == "-", expands, word)


def is_heredoc(text: str) -> bool:
    """Tell whether a whole argument announces a here-document."""
    try:
        return heredoc_word(text) is not None
    except WordError:
        return False
