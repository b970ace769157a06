"""From logical lines to the tree: keyword, flags and arguments of each instruction, and recovery after an error."""

from __future__ import annotations

import re
from typing import Any

from msgspec.structs import replace

from dfopt.source import Source, Span
from dfopt.syntax import tree, whitespace
from dfopt.syntax.arguments import Arguments
from dfopt.syntax.checks import check
from dfopt.syntax.flags import read_flags
from dfopt.syntax.keywords import KEYWORDS, Shape
from dfopt.syntax.problems import problem
from dfopt.syntax.reader import LogicalLine, Reader
from dfopt.syntax.repairs import heredoc_end, unknown_keyword
from dfopt.syntax.tree import Dockerfile, Flag, Heredoc, Instruction, Problem, Unknown, Word

_WORD = re.compile(rf"[^{whitespace.ASCII}]*")
_BLANKS = re.compile(rf"[{whitespace.ASCII}]*")
_LONE_BYTE = re.compile("[\udc80-\udcff]")
_MAX_TRIGGERS = 20
"""How deep ONBUILD may stand in ONBUILD; the second one is refused anyway."""

_BY_LOWER_CASE = {name.lower(): name for name in KEYWORDS}

_NODES: dict[str, type[Instruction]] = {
    "ADD": tree.Add,
    "ARG": tree.Arg,
    "CMD": tree.Cmd,
    "COPY": tree.Copy,
    "ENTRYPOINT": tree.Entrypoint,
    "ENV": tree.Env,
    "EXPOSE": tree.Expose,
    "FROM": tree.From,
    "HEALTHCHECK": tree.Healthcheck,
    "LABEL": tree.Label,
    "MAINTAINER": tree.Maintainer,
    "RUN": tree.Run,
    "SHELL": tree.Shell,
    "STOPSIGNAL": tree.Stopsignal,
    "USER": tree.User,
    "VOLUME": tree.Volume,
    "WORKDIR": tree.Workdir,
}


def parse(source: str | bytes | Source, name: str = "Dockerfile") -> Dockerfile:
    """Parse a Dockerfile. It never fails: what cannot be understood is an Unknown node with a problem.

    The source is the text itself, never a path; bytes that are not UTF-8 survive as lone surrogates.
    """
    if isinstance(source, bytes):
        source = Source.from_bytes(source, name)
    elif isinstance(source, str):
        source = Source(source, name)
    text = source.text
    reader = Reader(text)
    instructions: list[Instruction] = []
    problems: list[Problem] = []
    stages = 0
    before: Instruction | None = None
    for line in reader.lines():
        statement = _Statement(reader, line, before, in_stage=stages > 0)
        node = before = statement.instruction()
        instructions.append(node)
        problems += node.problems
        stages += node.keyword == "FROM"
    problems += reader.problems
    if not instructions:
        end = len(text.rstrip("\r\n"))
        problems.append(problem("E004", Span(end, end)))
    elif not stages and not problems:
        problems.append(problem("E007", instructions[0].keyword_span))
    if not text.isascii():
        problems += _lone_bytes(text)
    problems.sort(key=lambda found: found.span)
    comments = tuple(reader.comments)
    directives = tuple(reader.directives)
    pieces = _pieces(len(text), [*directives, *comments, *instructions])
    return Dockerfile(source, tuple(instructions), directives, comments, tuple(problems), reader.escape, pieces)


def _skip(characters: re.Pattern[str], text: str, start: int, end: int) -> int:
    """Give the offset behind a run of characters."""
    match = characters.match(text, start, end)
    return match.end() if match else start


def _lone_bytes(text: str) -> list[Problem]:
    """Report the first byte that is not UTF-8."""
    found = _LONE_BYTE.search(text)
    if found is None:
        return []
    return [problem("E051", Span(*found.span()), byte=ord(found.group()) - 0xDC00)]


def _pieces(length: int, items: list[Any]) -> tuple[Span, ...]:
    """Cover a text by the spans of items and by what stands between them; items inside others are left out."""
    pieces, at = [], 0
    for span in sorted(item.span for item in items):
        start, end = span
        if start < at or start == end:
            continue
        if start > at:
            pieces.append(Span(at, start))
        pieces.append(span)
        at = end
    if at < length:
        pieces.append(Span(at, length))
    return tuple(pieces)


class _Statement:
    """One logical line on its way to a node."""

    __slots__ = ("before", "escape", "heredocs", "in_stage", "joined", "line", "problems", "reader", "warnings")

    def __init__(self, reader: Reader, line: LogicalLine, before: Instruction | None, in_stage: bool) -> None:
        self.reader = reader
        self.line = line
        self.before = before
        self.in_stage = in_stage
        self.joined = line.joined
        self.escape = reader.escape
        self.problems: list[Problem] = []
        self.warnings: list[Problem] = []
        self.heredocs: tuple[Heredoc, ...] = ()

    def instruction(self) -> Instruction:
        """Parse the line; here-documents that it announces are read behind it."""
        line, text = self.line, self.joined.text
        end = len(text.rstrip(whitespace.UNICODE))
        start = min(len(text) - len(text.lstrip(whitespace.UNICODE)), end)
        node_type, fields = self._parse(start, end, 0)
        fields["span"] = Span(line.start, max(line.start, line.end, self._heredocs_end()))
        fields["heredocs"] = self.heredocs
        fields["comments"] = line.comments
        fields["inner_comments"] = line.inner_comments
        fields["blank_lines"] = line.blank_lines
        fields["original"] = text
        node = node_type(**fields)
        problems = self.problems
        keyword = node.keyword
        if keyword in KEYWORDS:
            problems += list(check(node, problems))
            problems += self.warnings
            if not self.in_stage and keyword not in ("FROM", "ARG"):
                problems.append(problem("E021", node.keyword_span, keyword=keyword))
        else:
            word = text[start : _skip(_WORD, text, start, end)]
            hint, edits = unknown_keyword(node, word, self.before, self.reader.text, self.escape)
            shown = word or "a lone escape character"
            problems.append(problem("E020", node.keyword_span, edits, word=shown, hint=hint))
        return replace(node, problems=tuple(problems)) if problems else node

    def _heredocs_end(self) -> int:
        """Give the offset behind the last here-document, a final newline left out."""
        if not self.heredocs:
            return 0
        last = self.heredocs[-1]
        if last.terminator_span:
            return last.terminator_span.end
        start, end = last.body_span
        return start + len(self.reader.text[start:end].removesuffix("\n").rstrip("\r"))

    def _parse(self, start: int, end: int, depth: int) -> tuple[type[Instruction], dict[str, Any]]:
        """Parse the instruction between two offsets of the logical line; gives its node type and fields."""
        text, joined = self.joined.text, self.joined
        span = joined.span
        word_end = _skip(_WORD, text, start, end)
        word = text[start:word_end]
        keyword = _BY_LOWER_CASE.get(word.lower(), "")
        tail = _skip(_BLANKS, text, word_end, end)
        flags: tuple[Flag, ...] = ()
        if text.startswith("--", tail):
            raw_flags, tail = read_flags(text, tail, end, self.escape)
            flags = tuple(
                Flag(
                    flag.name,
                    flag.value,
                    span(flag.start, flag.end),
                    None if flag.value_start is None else span(flag.value_start, flag.end),
                )
                for flag in raw_flags
            )
            tail = end - len(text[tail:end].lstrip(whitespace.UNICODE))
        elif tail < end and text[tail] > "\x7f":
            tail = end - len(text[tail:end].lstrip(whitespace.UNICODE))
        body = joined.part(tail, end)
        fields: dict[str, Any] = {
            "keyword": keyword or word.upper(),
            "keyword_span": span(start, word_end),
            "flags": flags,
            "body": body,
        }
        if not keyword:
            return Unknown, fields
        info = KEYWORDS[keyword]
        if info.shape is Shape.TRIGGER:
            if tail == end or depth >= _MAX_TRIGGERS:
                return Unknown, fields
            fields["trigger"] = self._trigger(tail, end, depth + 1)
            return tree.Onbuild, fields
        arguments = Arguments(keyword, info.shape, body, self.escape)
        self.warnings += arguments.warnings
        if arguments.problems:
            self.problems += arguments.problems
        elif depth <= 1 and info.heredocs and not arguments.json and "<<" in text:
            self._read_heredocs()
        filled = _fields(keyword, arguments, flags, self.heredocs)
        if filled is None:
            fields["words"] = arguments.words
            return Unknown, fields
        fields.update(filled)
        return _NODES[keyword], fields

    def _trigger(self, start: int, end: int, depth: int) -> Instruction:
        node_type, fields = self._parse(start, end, depth)
        first = fields["keyword_span"].start
        fields["span"] = Span(first, max(self.joined.span(start, end).end, self._heredocs_end()))
        fields["heredocs"] = self.heredocs
        fields["original"] = self.joined.text[start:end]
        node = node_type(**fields)
        if depth == 1:
            self.problems += _later(node, tuple(self.problems))
        return node

    def _read_heredocs(self) -> None:
        from dfopt.syntax.heredocs import heredoc_words
        from dfopt.syntax.words import WordError

        text, reader = self.joined.text, self.reader
        try:
            words = heredoc_words(text)
        except WordError as error:
            at = text.rfind("<<")
            place = self.joined.span(at, len(text))
            self.problems.append(problem("E006", place, reason=error.message))
            return
        found: list[Heredoc] = []
        at = 0
        for word in words:
            index = text.find(word.word, at)
            if index < 0:
                index = max(text.find("<<", at), 0)
            at = min(index + len(word.word), len(text))
            heredoc = reader.heredoc(word.name, word.fd, word.chomp, word.expand, self.joined.span(index, at))
            found.append(heredoc)
            if heredoc.terminator_span is None:
                edits = heredoc_end(word.name, word.chomp, heredoc.word_span, heredoc.body_span, reader.text)
                self.problems.append(problem("E005", heredoc.word_span, edits, name=word.name))
                break
        self.heredocs = tuple(found)


def _later(node: Instruction, known: tuple[Problem, ...]) -> list[Problem]:
    """List what stops a build only when the trigger of an ONBUILD fires."""
    if node.keyword in KEYWORDS:
        return [replace(found, stage="trigger") for found in check(node, known)]
    hint, edits = unknown_keyword(node, node.keyword, None, "", "")
    return [problem("E020", node.keyword_span, edits, stage="trigger", word=node.keyword, hint=hint)]


def _fields(
    keyword: str, arguments: Arguments, flags: tuple[Flag, ...], heredocs: tuple[Heredoc, ...]
) -> dict[str, Any] | None:
    """Give the fields of an instruction's own node; None where the arguments do not suffice."""
    words, body, json = arguments.words, arguments.body, arguments.json
    if keyword in ("RUN", "CMD", "ENTRYPOINT", "SHELL"):
        if arguments.problems:
            return None
        fields: dict[str, Any] = {"exec_form": words} if json else {}
        if flags and keyword == "RUN":
            fields["mounts"] = _mounts(flags)
        if heredocs:
            fields["script_heredoc"] = _script(body.text, heredocs)
        return fields
    if keyword in ("ENV", "LABEL", "ARG"):
        return {"pairs": arguments.pairs} if arguments.pairs else None
    if keyword in ("COPY", "ADD"):
        return {"sources": words[:-1], "destination": words[-1], "json": json} if len(words) > 1 else None
    if keyword == "FROM":
        image = words[0] if words else Word("", body.span(0, 0))
        if len(words) != 3:
            return {"image": image}
        _, middle, name = words
        return {"image": image, "as_span": middle.span, "name": name.text.lower(), "name_span": name.span}
    if keyword == "HEALTHCHECK":
        return _healthcheck_fields(arguments)
    if not words:
        return None
    return {"words": words, "json": json} if keyword in ("EXPOSE", "VOLUME") else {"text": words[0]}


def _healthcheck_fields(arguments: Arguments) -> dict[str, Any] | None:
    words, command = arguments.words, arguments.command
    kind = words[0].text.upper() if words else ""
    if arguments.problems:
        return None
    if kind == "NONE":
        # What follows NONE is an error; it is kept for the message.
        return {"is_none": True, "command": command if len(words) > 1 else None}
    if kind != "CMD" or (len(words) < 2 and not arguments.json):
        return None
    return {"exec_form": words[1:] if arguments.json else None, "command": command}


def _mounts(flags: tuple[Flag, ...]) -> tuple[tree.Mount, ...]:
    from dfopt.syntax.mounts import read_mount

    return tuple(read_mount(flag) for flag in flags if flag.name == "mount")


def _script(command: str, heredocs: tuple[Heredoc, ...]) -> Heredoc | None:
    """Give the here-document that is the whole command of a RUN, if there is one."""
    from dfopt.syntax.heredocs import is_heredoc

    return heredocs[0] if is_heredoc(command) else None
