"""Texts made of pieces of others, each character with its place in the file."""

from __future__ import annotations

import re

from dfopt.source import Span
from dfopt.syntax.tree import Heredoc, Joined, Word

_JSON_STRING = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)
_BODY_ESCAPE = re.compile(r"\\([\\$`\n])")
_JSON_PIECE = re.compile(
    r'[^"\\]+|\\u[dD][89abAB][0-9A-Fa-f]{2}\\u[dD][c-fC-F][0-9A-Fa-f]{2}|\\u[0-9A-Fa-f]{4}|\\.', re.DOTALL
)


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
    text = [line.text]
    length = len(line.text)
    segments = list(line.segments)

    def add(piece: str, place: int) -> None:
        nonlocal length
        segments.append((length, place))
        text.append(piece)
        length += len(piece)

    behind = line.to_file(length)
    for heredoc in heredocs:
        end = heredoc.terminator_span
        if not heredoc.content and end is None:
            break
        add("\n", behind)
        add(heredoc.content, heredoc.body_span.start)
        if end is not None:
            tabs = max(end.end - end.start - len(heredoc.name), 0) if heredoc.chomp else 0
            add("\t" * tabs + heredoc.name, end.start)
            behind = end.start + tabs + len(heredoc.name)
    return Joined("".join(text), tuple(segments))


class Unescaped(Joined, frozen=True):
    """A text from which escapes were removed: ``wide`` tells how many characters of the file an unescaped one takes."""

    wide: dict[int, int]

    def span(self, start: int, end: int) -> Span:
        """Give the file span of a range of the text, with the escapes of its characters."""
        first = self.to_file(start)
        if end <= start:
            return Span(first, first)
        return Span(first, self.to_file(end - 1) + self.wide.get(end - 1, 1))


class _Glue:
    """Puts a text together from ranges of another one."""

    def __init__(self, joined: Joined) -> None:
        self.joined = joined
        self.text: list[str] = []
        self.segments: list[tuple[int, int]] = []
        self.wide: dict[int, int] = {}
        self.length = 0

    def add(self, start: int, end: int) -> None:
        """Add a range as it is."""
        if end <= start:
            return
        joined, length = self.joined, self.length
        self.segments.append((length, joined.to_file(start)))
        self.segments += [(length + at - start, place) for at, place in joined.segments if start < at < end]
        if isinstance(joined, Unescaped):
            self.wide.update((length + at - start, width) for at, width in joined.wide.items() if start <= at < end)
        self.text.append(joined.text[start:end])
        self.length = length + end - start

    def add_escaped(self, start: int, end: int, character: str) -> None:
        """Add one character that an escape stands for."""
        span = self.joined.span(start, end)
        self.segments.append((self.length, span.start))
        self.wide[self.length] = span.end - span.start
        self.text.append(character)
        self.length += 1

    def result(self, start: int) -> Joined:
        """Give the text; an empty one stands at ``start``."""
        if not self.segments:
            self.segments.append((0, self.joined.to_file(start)))
        return Unescaped("".join(self.text), tuple(self.segments), self.wide)


def json_text(body: Joined, strings: tuple[Word, ...], index: int) -> Joined:
    """Give the text of one string of a JSON array with its map to the file."""
    start = strings[index].span.start
    for match in _JSON_STRING.finditer(body.text):
        if body.to_file(match.start()) == start:
            return _decoded(body, match.start() + 1, match.end() - 1, strings[index].text)
    return Joined(strings[index].text, ((0, start + 1),))


def _decoded(body: Joined, start: int, end: int, decoded: str) -> Joined:
    """Map a decoded JSON string to its source, an escape standing for one character."""
    glue = _Glue(body)
    for piece in _JSON_PIECE.finditer(body.text, start, end):
        if piece.group()[0] != "\\":
            glue.add(*piece.span())
        else:
            glue.add_escaped(*piece.span(), decoded[glue.length : glue.length + 1])
    joined = glue.result(start)
    return joined if joined.text == decoded else Joined(decoded, ((0, body.to_file(start)),))


def unescape(joined: Joined, start: int, end: int) -> Joined:
    """Give the code inside backticks: backslashes in front of ``$``, a backtick and a backslash go."""
    text = joined.text
    glue = _Glue(joined)
    begin = pos = start
    while pos < end:
        if text[pos] == "\\" and pos + 1 < end:
            if text[pos + 1] in "`\\$\n":
                glue.add(begin, pos)
                if text[pos + 1] != "\n":
                    glue.add_escaped(pos, pos + 2, text[pos + 1])
                begin = pos + 2
            pos += 2
        else:
            pos += 1
    glue.add(begin, end)
    return glue.result(start)


def heredoc_code(joined: Joined, start: int, end: int, *, tabs: bool, expand: bool) -> Joined:
    """Give the body of a here-document as a shell that reads it gets it; expansions stay in it as they are written.

    ``tabs`` tells that leading ones go (``<<-``), ``expand`` that backslashes count, as the delimiter is not quoted.
    """
    text = joined.text
    glue = _Glue(joined)
    pos = start
    while pos < end:
        stop = text.find("\n", pos, end) + 1 or end
        while tabs and pos < stop and text[pos] == "\t":
            pos += 1
        for match in _BODY_ESCAPE.finditer(text, pos, stop) if expand else ():
            glue.add(pos, match.start())
            if match.group(1) != "\n":
                glue.add_escaped(*match.span(), match.group(1))
            pos = match.end()
        glue.add(pos, stop)
        pos = stop
    return glue.result(start)


def unquoted(joined: Joined, start: int, end: int) -> Joined:
    """Remove the quotes of a word that holds a script; expansions in double quotes stay in it as they are written."""
    text = joined.text
    glue = _Glue(joined)
    pos = begin = start
    double = False
    while pos < end:
        char = text[pos]
        if char == "'" and not double:
            stop = text.find("'", pos + 1, end)
            stop = end if stop < 0 else stop
            glue.add(begin, pos)
            glue.add(pos + 1, stop)
            pos = begin = stop + 1
        elif char == '"':
            glue.add(begin, pos)
            double = not double
            pos = begin = pos + 1
        elif char == "\\" and pos + 1 < end:
            if not double or text[pos + 1] in '$`"\\\n':
                glue.add(begin, pos)
                if text[pos + 1] != "\n":
                    glue.add_escaped(pos, pos + 2, text[pos + 1])
                begin = pos + 2
            pos += 2
        else:
            pos += 1
    glue.add(begin, end)
    return glue.result(start)
