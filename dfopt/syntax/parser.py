"""From logical lines to the tree: keyword, flags and arguments of each instruction, and recovery after an error."""

from __future__ import annotations

import re
from msgspec.structs import replace
from typing import Any

from dfopt.source import Source, Span
from dfopt.syntax import tree, whitespace
from dfopt.syntax.checks import check
from dfopt.syntax.flags import read_flags
from dfopt.syntax.grammar import parse as parse_arguments
from dfopt.syntax.heredocs import heredoc_word, heredoc_words
from dfopt.syntax.jsonform import NotStrings, json_strings
from dfopt.syntax.keywords import KEYWORDS, Keyword, Shape
from dfopt.syntax.mounts import read_mount
from dfopt.syntax.problems import problem
from dfopt.syntax.reader import LogicalLine, Reader
from dfopt.syntax.tree import Dockerfile, Flag, Heredoc, Instruction, Joined, Pair, Problem, Unknown, Word
from dfopt.syntax.words import WordError

_WORD = re.compile(rf"[^{whitespace.ASCII}]*")
_BLANKS = re.compile(rf"[{whitespace.ASCII}]*")
_MAX_TRIGGERS = 20
"""How deep ONBUILD may stand in ONBUILD; the second one is refused anyway."""

_BY_LOWER_CASE = {name.lower(): name for name in KEYWORDS}


def parse(source: str | bytes | Source, name: str = "Dockerfile") -> Dockerfile:
    """Parse a Dockerfile. It never fails: what cannot be understood is an Unknown node with a problem.

    The source is the text itself, never a path; bytes that are not UTF-8 survive as lone surrogates.
    """
    if isinstance(source, bytes):
        source = Source.from_bytes(source, name)
    elif isinstance(source, str):
        source = Source(source, name)
    return _Parser(source).run()


def cut(joined: Joined, start: int, end: int) -> Joined:
    """Give a part of a joined text."""
    segments = joined.segments
    if len(segments) == 1:
        offset, place = segments[0]
        return Joined(joined.text[start:end], ((0, place + start - offset),))
    kept: list[tuple[int, int]] = []
    for offset, place in segments:
        if offset <= start:
            kept = [(0, place + start - offset)]
        elif offset < end:
            kept.append((offset - start, place))
    return Joined(joined.text[start:end], tuple(kept))


class _Parser:
    def __init__(self, source: Source) -> None:
        self.source = source
        self.reader = Reader(source.text)

    def run(self) -> Dockerfile:
        reader = self.reader
        instructions = []
        for line in reader.lines():
            instructions.append(_Statement(reader, line).instruction())
        problems = list(reader.problems)
        seen_from = False
        for index, node in enumerate(instructions):
            if node.keyword == "FROM":
                seen_from = True
            if not seen_from and node.keyword in KEYWORDS and node.keyword != "ARG":
                early = problem("E021", node.keyword_span, keyword=node.keyword)
                instructions[index] = node = replace(node, problems=(*node.problems, early))
            problems += node.problems
        text = self.source.text
        if not instructions:
            end = len(text.rstrip("\r\n"))
            problems.append(problem("E004", Span(end, end)))
        return Dockerfile(
            self.source,
            tuple(instructions),
            tuple(reader.directives),
            tuple(sorted(reader.comments, key=lambda comment: comment.span)),
            tuple(sorted(problems, key=lambda found: found.span)),
            reader.escape,
            self._pieces(instructions),
        )

    def _pieces(self, instructions: list[Instruction]) -> tuple[Span, ...]:
        spans = [node.span for node in instructions]
        spans += [directive.span for directive in self.reader.directives]
        spans += [comment.span for comment in self.reader.comments]
        pieces, at = [], 0
        for span in sorted(spans):
            if span.start < at:
                continue
            if span.start > at:
                pieces.append(Span(at, span.start))
            if span.end > span.start:
                pieces.append(span)
            at = span.end
        if at < len(self.source.text):
            pieces.append(Span(at, len(self.source.text)))
        return tuple(pieces)


class _Statement:
    """One logical line on its way to a node."""

    def __init__(self, reader: Reader, line: LogicalLine) -> None:
        self.reader = reader
        self.line = line
        self.joined = line.joined
        self.escape = reader.escape
        self.problems: list[Problem] = []
        self.heredocs: tuple[Heredoc, ...] = ()

    def instruction(self) -> Instruction:
        text = self.joined.text
        start = len(text) - len(text.lstrip(whitespace.UNICODE))
        end = max(start, len(text.rstrip(whitespace.UNICODE)))
        return self._parse(start, end, 0)

    def _span(self, start: int, end: int) -> Span:
        return self.joined.span(start, end)

    def _parse(self, start: int, end: int, depth: int) -> Instruction:
        """Parse the instruction that stands between two offsets of the logical line."""
        text = self.joined.text
        word_end = _WORD.match(text, start, end).end()  # type: ignore[union-attr] - the pattern matches the empty text
        word = text[start:word_end]
        keyword = _BY_LOWER_CASE.get(word.lower(), "")
        tail = _BLANKS.match(text, word_end, end).end()  # type: ignore[union-attr] - as above
        raw_flags, tail = read_flags(text, tail, end, self.escape)
        body_start = min(end - len(text[tail:end].lstrip(whitespace.UNICODE)), end)
        body = cut(self.joined, body_start, end)
        flags = tuple(
            Flag(
                *_name_and_value(flag.text),
                self._span(flag.start, flag.end),
                None if flag.value_start is None else self._span(flag.value_start, flag.end),
            )
            for flag in raw_flags
        )
        common: dict[str, Any] = {
            "keyword": keyword or word.upper(),
            "keyword_span": self._span(start, word_end),
            "flags": flags,
            "body": body,
        }
        info = KEYWORDS.get(keyword)
        if info is None:
            return self._finish(Unknown, common, {}, depth)
        if info.shape is Shape.TRIGGER:
            return self._trigger(common, body_start, end, depth)
        arguments = Arguments(keyword, info, body, self.escape)
        self.problems += arguments.problems
        if depth <= 1 and info.heredocs and not arguments.json and "<<" in text:
            self._read_heredocs()
        node_type, fields = _node(keyword, arguments, common, self.heredocs)
        return self._finish(node_type, common, fields, depth)

    def _trigger(self, common: dict[str, Any], start: int, end: int, depth: int) -> Instruction:
        if start == end or depth >= _MAX_TRIGGERS:
            return self._finish(Unknown, common, {}, depth)
        trigger = self._parse(start, end, depth + 1)
        return self._finish(tree.Onbuild, common, {"trigger": trigger}, depth)

    def _read_heredocs(self) -> None:
        text = self.joined.text
        try:
            words = heredoc_words(text)
        except WordError as error:
            place = self._span(text.find("<<"), len(text))
            self.problems.append(problem("E006", place, reason=error.message))
            return
        found, at = [], 0
        for word in words:
            index = text.find(word.word, at)
            if index < 0:
                index = max(text.find("<<", at), 0)
            at = index + len(word.word)
            span = self._span(index, min(at, len(text)))
            heredoc = self.reader.heredoc(word.name, word.fd, word.chomp, word.expand, span)
            found.append(heredoc)
            if heredoc.terminator_span is None:
                self.problems.append(problem("E005", span, name=word.name))
                break
        self.heredocs = tuple(found)

    def _finish(
        self, node_type: type[Instruction], common: dict[str, Any], fields: dict[str, Any], depth: int
    ) -> Instruction:
        line = self.line
        if depth:
            span = self._span_of_trigger(common)
            node = node_type(**common, **fields, span=span, heredocs=self.heredocs)
            return node
        end = line.end
        if self.heredocs:
            last = self.heredocs[-1]
            end = last.terminator_span.end if last.terminator_span else max(end, _without_newline(last, self.reader.text))
        node = node_type(
            **common,
            **fields,
            span=Span(line.start, max(end, line.start)),
            heredocs=self.heredocs,
            comments=line.comments,
            inner_comments=line.inner_comments,
            blank_lines=line.blank_lines,
            original=self.joined.text,
        )
        problems = (*self.problems, *check(node, self.problems))
        return replace(node, problems=problems) if problems else node

    def _span_of_trigger(self, common: dict[str, Any]) -> Span:
        end = common["body"].to_file(len(common["body"].text)) if common["body"].text else common["keyword_span"].end
        if self.heredocs:
            last = self.heredocs[-1]
            end = last.terminator_span.end if last.terminator_span else last.body_span.end
        return Span(common["keyword_span"].start, end)


def _without_newline(heredoc: Heredoc, text: str) -> int:
    """Give where a body without terminator ends, its last newline left out."""
    start, end = heredoc.body_span
    return start + len(text[start:end].removesuffix("\n").rstrip("\r"))


def _name_and_value(flag: str) -> tuple[str, str | None]:
    name, equals, value = flag[2:].partition("=")
    return name, value if equals else None


class Arguments:
    """The arguments of one instruction as the low level of BuildKit cuts them.

    ``words`` are the arguments in order, ``pairs`` those of ENV, LABEL and ARG; ``json`` is set for the exec form.
    """

    def __init__(self, keyword: str, info: Keyword, body: Joined, escape: str) -> None:
        self.keyword = keyword
        self.body = body
        self.escape = escape
        self.json = False
        self.words: tuple[Word, ...] = ()
        self.pairs: tuple[Pair, ...] = ()
        self.problems: list[Problem] = []
        self.command: Joined | None = None
        if body.text:
            getattr(self, "_" + info.shape.value)(body)

    def _word(self, body: Joined, text: str, start: int, end: int) -> Word:
        return Word(text, body.span(start, end))

    def _words(self, body: Joined) -> None:
        self.words = tuple(
            self._word(body, token.value, token.start_pos, token.end_pos) for token in parse_arguments("words", body.text)
        )

    def _text(self, body: Joined) -> None:
        self.words = (self._word(body, body.text, 0, len(body.text)),) if body.text else ()

    def _json(self, body: Joined) -> bool:
        try:
            strings = json_strings(body.text)
        except NotStrings as error:
            element = body.text[error.start : error.end]
            self.problems.append(problem("E010", body.span(error.start, error.end), element=element))
            return True
        if strings is None:
            return False
        self.json = True
        self.words = tuple(self._word(body, *string) for string in strings)
        return True

    def _command(self, body: Joined) -> None:
        if not (body.text.startswith("[") and self._json(body)):
            self._text(body)

    def _paths(self, body: Joined) -> None:
        if not (body.text.startswith("[") and self._json(body)):
            self._words(body)

    def _check(self, body: Joined) -> None:
        text = body.text
        view = text if text.isascii() else text.encode("utf-8", "surrogateescape").decode("latin-1")
        tokens = parse_arguments("check", view)
        sizes = [token.end_pos for token in tokens]
        starts = [token.start_pos for token in tokens]
        if view is not text:
            # Offsets of bytes; a cut inside a character leaves lone bytes on both sides.
            data = text.encode("utf-8", "surrogateescape")
            pieces = [data[a:b].decode("utf-8", "surrogateescape") for a, b in zip(starts, sizes, strict=True)]
            places = [len(data[:a].decode("utf-8", "replace")) for a in starts]
            ends = [len(data[:b].decode("utf-8", "replace")) for b in sizes]
        else:
            pieces, places, ends = [token.value for token in tokens], starts, sizes
        kind = self._word(body, pieces[0], places[0], min(ends[0], len(text)))
        if len(pieces) > 1:
            self.command = cut(body, min(places[1], len(text)), len(text))
            self._command(self.command)
        self.words = (kind, *self.words)

    def _items(self, body: Joined) -> None:
        start = "items" if self.escape == "\\" else "items_backtick"
        pairs = []
        for token in parse_arguments(start, body.text):
            text = self._unescaped_end(token.value, token.end_pos == len(body.text))
            if text:
                pairs.append(self._pair(body, text, token.start_pos))
        self.pairs = tuple(pairs)

    def _pair(self, body: Joined, text: str, at: int) -> Pair:
        key, equals, value = text.partition("=")
        end = at + len(text)
        return Pair(
            key,
            value if equals else None,
            body.span(at, end),
            body.span(at, at + len(key)),
            body.span(at + len(key) + 1, end) if equals else None,
        )

    def _unescaped_end(self, text: str, last: bool) -> str:
        """Drop an escape character at the very end, as BuildKit does."""
        if not last or not text.endswith(self.escape):
            return text
        trimmed = re.compile(_LAST_ESCAPE[self.escape]).sub(r"\1", text)
        return trimmed

    def _pairs(self, body: Joined) -> None:
        start = "pairs" if self.escape == "\\" else "pairs_backtick"
        children = parse_arguments(start, body.text)
        if hasattr(children[0], "children"):
            self._legacy(body, children[0].children)
            return
        pairs = []
        for token in children:
            text = self._unescaped_end(token.value, token.end_pos == len(body.text))
            if not text:
                continue
            if "=" not in text:
                span = body.span(token.start_pos, token.end_pos)
                self.problems.append(problem("E012", span, word=text))
            else:
                pairs.append(self._pair(body, text, token.start_pos))
        self.pairs = tuple(pairs)

    def _legacy(self, body: Joined, tokens: list[Any]) -> None:
        if len(tokens) < 2:
            name = tokens[0].value
            span = body.span(0, len(name))
            if self._unescaped_end(name, True):
                self.problems.append(problem("E011", span, keyword=self.keyword, name=name))
            return
        name, rest = tokens
        end = rest.start_pos + len(rest.value)
        self.pairs = (
            Pair(
                name.value,
                rest.value,
                body.span(0, end),
                body.span(0, len(name.value)),
                body.span(rest.start_pos, end),
                legacy=True,
            ),
        )


_LAST_ESCAPE = {"\\": r"(?s)\A((?:[^\\]|\\.)*)\\\Z", "`": r"(?s)\A((?:[^`]|`.)*)`\Z"}


def _node(
    keyword: str, arguments: Arguments, common: dict[str, Any], heredocs: tuple[Heredoc, ...]
) -> tuple[type[Instruction], dict[str, Any]]:
    """Choose the node of an instruction and its fields; Unknown where the arguments do not fill them."""
    words = arguments.words
    body: Joined = arguments.body
    unknown: tuple[type[Instruction], dict[str, Any]] = (Unknown, {"words": words})
    broken = any(found.code in ("E010", "E011") for found in arguments.problems)
    if broken:
        return unknown
    if keyword == "FROM":
        return tree.From, _from_fields(words, body)
    if keyword in ("ARG", "ENV", "LABEL"):
        if not arguments.pairs:
            return unknown
        return _PAIRS[keyword], {"pairs": arguments.pairs}
    if keyword in ("CMD", "ENTRYPOINT", "SHELL"):
        return _COMMANDS[keyword], {"exec_form": words if arguments.json else None}
    if keyword == "RUN":
        fields: dict[str, Any] = {"exec_form": words if arguments.json else None}
        fields["mounts"] = tuple(read_mount(flag) for flag in common["flags"] if flag.name == "mount")
        if len(heredocs) >= 1 and not arguments.json and _is_heredoc(body.text):
            fields["script_heredoc"] = heredocs[0]
        return tree.Run, fields
    if keyword == "HEALTHCHECK":
        if not words or words[0].text.upper() not in ("CMD", "NONE"):
            return unknown
        if words[0].text.upper() == "NONE":
            return tree.Healthcheck, {"is_none": True, "command": arguments.command if len(words) > 1 else None}
        if len(words) < 2:
            return unknown
        return tree.Healthcheck, {"exec_form": words[1:] if arguments.json else None, "command": arguments.command}
    if keyword in ("COPY", "ADD"):
        if len(words) < 2:
            return unknown
        return _FILES[keyword], {"sources": words[:-1], "destination": words[-1], "json": arguments.json}
    if not words:
        return unknown
    if keyword in ("EXPOSE", "VOLUME"):
        return (tree.Expose if keyword == "EXPOSE" else tree.Volume), {"words": words, "json": arguments.json}
    return _TEXTS[keyword], {"text": words[0]}


def _is_heredoc(text: str) -> bool:
    try:
        return heredoc_word(text) is not None
    except WordError:
        return False


def _from_fields(words: tuple[Word, ...], body: Joined) -> dict[str, Any]:
    if not words:
        place = body.to_file(0)
        return {"image": Word("", Span(place, place))}
    fields: dict[str, Any] = {"image": words[0]}
    if len(words) == 3:
        fields["as_span"] = words[1].span
        fields["name"] = words[2].text.lower()
        fields["name_span"] = words[2].span
    return fields


_PAIRS: dict[str, type[Instruction]] = {"ARG": tree.Arg, "ENV": tree.Env, "LABEL": tree.Label}
_COMMANDS: dict[str, type[Instruction]] = {"CMD": tree.Cmd, "ENTRYPOINT": tree.Entrypoint, "SHELL": tree.Shell}
_FILES: dict[str, type[Instruction]] = {"COPY": tree.Copy, "ADD": tree.Add}
_TEXTS: dict[str, type[Instruction]] = {
    "USER": tree.User,
    "WORKDIR": tree.Workdir,
    "STOPSIGNAL": tree.Stopsignal,
    "MAINTAINER": tree.Maintainer,
}
