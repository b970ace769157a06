"""From text to logical lines: directives, comments, continuations and here-document bodies, with their places.

The reader knows nothing of instructions. It is asked for one logical line after the other, and for the bodies of the
here-documents that a line announces.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec import Struct

from dfopt.edit import Edit
from dfopt.source import BOM, Span
from dfopt.syntax import whitespace
from dfopt.syntax.problems import problem
from dfopt.syntax.tree import Comment, Directive, Heredoc, Joined, Problem

MAX_LINE_BYTES = 65535
"""The longest physical line that BuildKit reads (the limit of Go's bufio.Scanner)."""

_CONTINUATIONS = {
    "\\": re.compile(r"(?:\A|(?<=[^\\]))\\[ \t]*\Z"),
    "`": re.compile(r"(?:\A|(?<=[^`]))`[ \t]*\Z"),
}
_DIRECTIVE = re.compile(
    rf"#[{whitespace.UNICODE}]*([A-Za-z][A-Za-z0-9]*)[\t\n\f\r ]*=[\t\n\f\r ]*([^\n]+?)[\t\n\f\r ]*\Z"
)
_DIRECTIVES = ("syntax", "escape", "check")


class LogicalLine(Struct, frozen=True):
    """One instruction's line with its continuations joined, and what was met on the way.

    ``start`` is the offset of its first character, ``end`` the offset behind its last physical line (newline not
    included); ``first_line`` and ``last_line`` count from 1.
    """

    joined: Joined
    start: int
    end: int
    first_line: int
    last_line: int
    comments: tuple[Comment, ...]
    inner_comments: tuple[Comment, ...] = ()
    blank_lines: tuple[Span, ...] = ()


class Reader:
    """Reads a text line by line; ``directives``, ``comments`` and ``problems`` fill while it does."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.escape = "\\"
        self.directives: list[Directive] = []
        self.comments: list[Comment] = []
        self.problems: list[Problem] = []
        self._lines = text.split("\n")
        if not self._lines[-1]:
            self._lines.pop()
        self.line = 0
        """How many physical lines are read."""
        self.offset = 0
        """Where the next physical line begins."""
        if any(len(line) * 4 > MAX_LINE_BYTES for line in self._lines):
            self._check_lengths()

    def _check_lengths(self) -> None:
        offset = 0
        for line in self._lines:
            size = len(line.encode("utf-8", "surrogateescape"))
            if size > MAX_LINE_BYTES:
                self.problems.append(problem("E003", Span(offset, offset + len(line)), size=size, limit=MAX_LINE_BYTES))
            offset += len(line) + 1

    def lines(self) -> Iterator[LogicalLine]:
        """Give the logical lines in order."""
        lines, total = self._lines, len(self._lines)
        attached: list[Comment] = []
        head = True
        blanks = whitespace.UNICODE
        while self.line < total:
            raw = lines[self.line]
            offset = self.offset
            self.line += 1
            self.offset = offset + len(raw) + 1
            if offset == 0 and raw.startswith(BOM):
                raw, offset = raw[1:], 1
            kept = raw.rstrip("\r")
            line = kept.lstrip(blanks)
            start = offset + len(kept) - len(line)
            if head:
                head = self._directive(line, start)
                if head:
                    attached = []
                    continue
            if not line:
                continue
            if line[0] == "#":
                comment = Comment(line[1:].strip(blanks), Span(start, start + len(line)))
                self.comments.append(comment)
                if comment.text or raw[0] != "#":
                    attached.append(comment)
                else:
                    attached = []
                continue
            first = self.line
            comments = tuple(attached)
            attached = []
            if self.escape not in line or not (open_end := _CONTINUATIONS[self.escape].search(line)):
                yield LogicalLine(Joined(line, ((0, start),)), start, start + len(line), first, first, comments)
                continue
            yield self._continued(line[: open_end.start()], start, start + len(line), first, comments)

    def _continued(self, line: str, start: int, end: int, first: int, comments: tuple[Comment, ...]) -> LogicalLine:
        """Join the lines that follow an open end."""
        lines, total, blanks = self._lines, len(self._lines), whitespace.UNICODE
        search = _CONTINUATIONS[self.escape].search
        pieces, segments, length = [line], [(0, start)], len(line)
        inner: list[Comment] = []
        blank: list[Span] = []
        while self.line < total:
            raw, offset = lines[self.line], self.offset
            self.line += 1
            self.offset = offset + len(raw) + 1
            piece = raw.rstrip("\r")
            end = offset + len(piece)
            bare = piece.lstrip(blanks)
            if not bare:
                blank.append(Span(offset, end))
                continue
            if bare[0] == "#":
                place = offset + len(piece) - len(bare)
                inner.append(Comment(bare[1:].strip(blanks), Span(place, end)))
                continue
            open_end = search(piece) if self.escape in piece else None
            if open_end:
                piece = piece[: open_end.start()]
            if piece:
                segments.append((length, offset))
                pieces.append(piece)
                length += len(piece)
            if not open_end:
                break
        self.comments += inner
        joined = Joined("".join(pieces), tuple(segments))
        return LogicalLine(joined, start, end, first, self.line, comments, tuple(inner), tuple(blank))

    def _directive(self, line: str, start: int) -> bool:
        """Take a line for a directive; tell whether the next line may be one."""
        match = _DIRECTIVE.match(line)
        if match is None or match[1].lower() not in _DIRECTIVES:
            return False
        name, value = match[1].lower(), match[2]
        value_span = Span(start + match.start(2), start + match.end(2))
        directive = Directive(name, value, Span(start, start + len(line)), value_span)
        if any(known.name == name for known in self.directives):
            self.problems.append(problem("E001", directive.span, name=name))
        elif name == "escape" and value not in _CONTINUATIONS:
            edits = (Edit(value_span, value[0]),) if value[0] in _CONTINUATIONS else ()
            self.problems.append(problem("E002", value_span, edits, value=value))
        elif name == "escape":
            self.escape = value
        self.directives.append(directive)
        return True

    def heredoc(self, name: str, fd: int, chomp: bool, expand: bool, word: Span) -> Heredoc:
        """Read the body of a here-document; its terminator may be missing."""
        lines, total = self._lines, len(self._lines)
        body, after = self.offset, None
        while self.line < total:
            raw, offset = lines[self.line], self.offset
            self.line += 1
            self.offset = offset + len(raw) + 1
            line = raw.rstrip("\r")
            indent = len(line) - len(line.lstrip("\t")) if chomp else 0
            if line[indent:] == name:
                after = Span(offset + indent, offset + len(line))
                break
        body_span = Span(min(body, len(self.text)), min(after.start - indent if after else self.offset, len(self.text)))
        content = self.text[body_span.start : body_span.end]
        return Heredoc(name, fd, chomp, expand, content, word, body_span, after)
