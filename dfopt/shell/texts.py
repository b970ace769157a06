"""Texts made of pieces of others, each character with its place in the file."""

from __future__ import annotations

import re

from dfopt.syntax.tree import Heredoc, Joined, Word

_JSON_STRING = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)
_JSON_PIECE = re.compile(r'[^"\\]+|\\u[0-9A-Fa-f]{4}|\\.', re.DOTALL)


def heredoc_text(heredoc: Heredoc) -> Joined:
    """Give the text of a here-document with its map to the file."""
    start = heredoc.body_span.start
    if not heredoc.chomp or "\t" not in heredoc.content:
        return Joined(heredoc.content, ((0, start),))
    text: list[str] = []
    segments: list[tuple[int, int]] = []
    length = 0
    for line in heredoc.content.split("\n"):
        kept = line.lstrip("\t")
        segments.append((length, start + len(line) - len(kept)))
        text.append(kept)
        length += len(kept) + 1
        start += len(line) + 1
    return Joined("\n".join(text), tuple(segments))


def with_heredocs(line: Joined, heredocs: tuple[Heredoc, ...]) -> Joined:
    """Put a line and the bodies of its here-documents together again, as the shell gets them."""
    text = [line.text, "\n"]
    length = len(line.text)
    segments = [*line.segments, (length, line.to_file(length))]
    length += 1
    for heredoc in heredocs:
        segments.append((length, heredoc.body_span.start))
        text.append(heredoc.content)
        length += len(heredoc.content)
        end = heredoc.terminator_span
        if end is not None:
            segments.append((length, end.start))
            tabs = max(end.end - end.start - len(heredoc.name), 0) if heredoc.chomp else 0
            text += ["\t" * tabs, heredoc.name, "\n"]
            length += tabs + len(heredoc.name) + 1
    return Joined("".join(text), tuple(segments))


def json_text(body: Joined, strings: tuple[Word, ...], index: int) -> Joined:
    """Give the text of one string of a JSON array with its map to the file."""
    decoded = strings[index].text
    start = strings[index].span.start
    for match in _JSON_STRING.finditer(body.text):
        if body.to_file(match.start()) != start:
            continue
        ranges: list[tuple[int, int]] = []
        text: list[str] = []
        at = match.start() + 1
        for piece in _JSON_PIECE.finditer(body.text, at, match.end() - 1):
            ranges.append(piece.span())
            text.append(piece.group())
        return _decoded(body, ranges, decoded)
    return Joined(decoded, ((0, start + 1),))


def _decoded(body: Joined, ranges: list[tuple[int, int]], decoded: str) -> Joined:
    """Map a decoded JSON string to its pieces, an escape standing for one character."""
    segments: list[tuple[int, int]] = []
    length = 0
    high = False
    for start, end in ranges:
        if body.text[start] != "\\":
            joined = pieces(body, [(start, end)])
            segments += [(length + offset, place) for offset, place in joined.segments]
            length += end - start
            high = False
            continue
        code = int(body.text[start + 2 : end], 16) if end - start == 6 else 0
        if high and 0xDC00 <= code < 0xE000:  # the second half of a pair: both are one character
            high = False
            continue
        segments.append((length, body.to_file(start)))
        length += 1
        high = 0xD800 <= code < 0xDC00
    if length != len(decoded) or not segments:
        first = body.to_file(ranges[0][0]) if ranges else body.to_file(0)
        return Joined(decoded, ((0, first),))
    return Joined(decoded, tuple(segments))


def pieces(joined: Joined, ranges: list[tuple[int, int]]) -> Joined:
    """Glue ranges of a text to a new one that still knows where it stands in the file."""
    text = []
    segments: list[tuple[int, int]] = []
    length = 0
    for start, end in ranges:
        if end <= start:
            continue
        segments.append((length, joined.to_file(start)))
        segments += [
            (length + offset - start, place) for offset, place in joined.segments if start < offset < end
        ]
        text.append(joined.text[start:end])
        length += end - start
    if not segments:
        segments = [(0, joined.to_file(ranges[0][0]) if ranges else 0)]
    return Joined("".join(text), tuple(segments))


def unescape(joined: Joined, start: int, end: int, escaped: str) -> Joined:
    """Remove backslashes in front of certain characters."""
    text = joined.text
    ranges = []
    begin = pos = start
    while pos < end:
        if text[pos] == "\\" and pos + 1 < end:
            if text[pos + 1] in escaped:
                ranges.append((begin, pos))
                begin = pos + 1
            elif text[pos + 1] == "\n":
                ranges.append((begin, pos))
                begin = pos + 2
            pos += 2
        else:
            pos += 1
    ranges.append((begin, end))
    return pieces(joined, ranges)


def unquoted(joined: Joined, start: int, end: int) -> Joined:
    """Remove the quotes of a word that holds a script; expansions in double quotes stay in it as they are written."""
    text = joined.text
    ranges: list[tuple[int, int]] = []
    pos = begin = start
    double = False
    while pos < end:
        char = text[pos]
        if char == "'" and not double:
            stop = text.find("'", pos + 1, end)
            stop = end if stop < 0 else stop
            ranges += [(begin, pos), (pos + 1, stop)]
            pos = begin = stop + 1
        elif char == '"':
            ranges.append((begin, pos))
            double = not double
            pos = begin = pos + 1
        elif char == "\\" and pos + 1 < end:
            if not double or text[pos + 1] in '$`"\\\n':
                ranges.append((begin, pos))
                begin = pos + 2 if text[pos + 1] == "\n" else pos + 1
            pos += 2
        else:
            pos += 1
    ranges.append((begin, end))
    return pieces(joined, ranges)
