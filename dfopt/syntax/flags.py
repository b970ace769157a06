"""Flags in front of the arguments, read byte by byte as BuildKit does."""

from __future__ import annotations

from typing import NamedTuple

from dfopt.syntax import whitespace

_SPACES = frozenset(whitespace.LATIN1)


class RawFlag(NamedTuple):
    """A flag as read, quotes and escapes removed, with its offsets in the text."""

    name: str
    value: str | None
    start: int
    end: int
    value_start: int | None


def read_flags(text: str, at: int, end: int, escape: str) -> tuple[list[RawFlag], int]:
    """Read the flags at the head of ``text[at:end]``; gives them and the offset where the arguments begin.

    Where bytes beyond ASCII stand in or between flags, BuildKit takes each for a Latin-1 character: 0x85 and 0xA0 end a
    flag, others come out as two characters. The offsets are those of the text all the same.
    """
    if not text.startswith("--", at):
        return [], at
    if text.isascii():
        return _read(text, at, end, escape)
    head = text[at:end]
    data = head.encode("utf-8", "surrogateescape")
    flags, rest = _read(data.decode("latin-1"), 0, len(data), escape)
    offsets = {0, rest}
    for flag in flags:
        offsets |= {flag.start, flag.end, flag.value_start or 0}
    places = _places(head, offsets)
    moved = [
        flag._replace(
            start=at + places[flag.start],
            end=at + places[flag.end],
            value_start=None if flag.value_start is None else at + places[flag.value_start],
        )
        for flag in flags
    ]
    return moved, at + places[rest]


def _places(text: str, byte_offsets: set[int]) -> dict[int, int]:
    """Map byte offsets to character offsets."""
    places: dict[int, int] = {}
    size = 0
    for index, char in enumerate(text):
        width = 1 if char < "\x80" or "\udc80" <= char <= "\udcff" else len(char.encode("utf-8", "surrogatepass"))
        for offset in range(size, size + width):
            if offset in byte_offsets:
                places[offset] = index
        size += width
    places[size] = len(text)
    return places


def _read(text: str, at: int, end: int, escape: str) -> tuple[list[RawFlag], int]:
    flags: list[RawFlag] = []
    while True:
        while at < end and text[at] in _SPACES:
            at += 1
        if not text.startswith("--", at) or at + 2 > end:
            return flags, at
        start, value_start, word, quote = at, None, [], ""
        while at < end:
            char = text[at]
            if not quote and char in _SPACES:
                break
            if not quote and char in "'\"":
                quote = char
            elif quote and char == quote:
                quote = ""
            elif char == escape:
                at += 1
                if at < end:
                    word.append(text[at])
            else:
                if char == "=" and value_start is None:
                    value_start = at + 1
                word.append(char)
            at += 1
        at = min(at, end)
        flag = "".join(word)
        if flag == "--":
            return flags, at
        name, equals, value = flag[2:].partition("=")
        flags.append(RawFlag(name, value if equals else None, start, at, value_start if equals else None))
