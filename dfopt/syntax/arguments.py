"""The arguments of one instruction, cut as the low level of BuildKit does."""

from __future__ import annotations

import re
from functools import cache

from dfopt.edit import Edit
from dfopt.source import Span
from dfopt.syntax import whitespace
from dfopt.syntax.grammar import Branch, Token, parse_tokens
from dfopt.syntax.grammar import parse as parse_grammar
from dfopt.syntax.jsonform import NotStrings, json_strings, repaired
from dfopt.syntax.keywords import Shape
from dfopt.syntax.problems import problem
from dfopt.syntax.repairs import quoted_value
from dfopt.syntax.tree import Joined, Pair, Problem, Word


class Arguments:
    """The arguments of an instruction.

    ``words`` are the arguments in order, and ``pairs`` those of ENV, LABEL and ARG; ``json`` is set for the exec form.
    ``command`` is what follows the first word of HEALTHCHECK. ``problems`` are those that stop BuildKit's low level,
    ``warnings`` those that it does not see.
    """

    __slots__ = (
        "_backtick",
        "_escape",
        "_keyword",
        "body",
        "command",
        "json",
        "pairs",
        "problems",
        "warnings",
        "words",
    )

    def __init__(self, keyword: str, shape: Shape, body: Joined, escape: str) -> None:
        self.body = body
        self.words: tuple[Word, ...] = ()
        self.pairs: tuple[Pair, ...] = ()
        self.json = False
        self.command: Joined | None = None
        self.problems: list[Problem] = []
        self.warnings: list[Problem] = []
        self._keyword = keyword
        self._escape = escape
        self._backtick = "" if escape == "\\" else "_backtick"
        text = body.text
        if not text:
            return
        if shape is Shape.COMMAND:
            if not (text[0] == "[" and self._read_json(body)):
                self._read_text(body)
        elif shape is Shape.PATHS:
            if not (text[0] == "[" and self._read_json(body)):
                self._read_words(body)
        elif shape is Shape.PAIRS:
            self._read_pairs(body)
        elif shape is Shape.WORDS:
            self._read_words(body)
        elif shape is Shape.ITEMS:
            self._read_items(body)
        elif shape is Shape.TEXT:
            self._read_text(body)
        elif shape is Shape.CHECK:
            self._read_check(body)

    def _read_text(self, body: Joined) -> None:
        # The rule "text" has one terminal that takes everything; there is nothing to parse.
        self.words = (Word(body.text, body.span(0, len(body.text))),)

    def _read_words(self, body: Joined) -> None:
        span = body.span
        self.words = tuple([Word(text, span(start, end)) for _, text, start, end in parse_tokens("words", body.text)])

    def _read_json(self, body: Joined) -> bool:
        """Read a JSON array; tell whether the text is one."""
        try:
            strings = json_strings(body.text)
        except NotStrings as error:
            self.problems.append(
                problem("E010", body.span(error.start, error.end), error.edits(body), element=error.element)
            )
            return True
        if strings is None:
            self._guess_json(body)
            return False
        self.json = True
        self.words = tuple(Word(text, body.span(start, end)) for text, start, end in strings)
        return True

    def _guess_json(self, body: Joined) -> None:
        """Warn of a text that was probably meant to be a JSON array."""
        text = body.text
        is_test = text[1:2] in whitespace.ASCII and "," not in text
        guess = None if is_test or self._keyword == "SHELL" else repaired(text)
        if guess:
            span = body.span(0, len(text))
            edits = (Edit(span, guess[0]),) if len(body.segments) == 1 else ()
            self.warnings.append(problem("E050", span, edits, reason=guess[1]))

    def _read_check(self, body: Joined) -> None:
        """Read HEALTHCHECK's word, which ends byte by byte, and the command behind it."""
        text = body.text
        view = text if text.isascii() else text.encode("utf-8", "surrogateescape").decode("latin-1")
        if view[0] in whitespace.LATIN1:
            return
        tokens = parse_tokens("check", view)
        kind = tokens[0]
        if view is text:
            word, end, rest = kind.text, kind.end, tokens[1].start if len(tokens) > 1 else None
        else:
            # Offsets are those of bytes. Where the cut goes through a character, its first bytes belong to the word.
            data = text.encode("utf-8", "surrogateescape")
            word = data[: kind.end].decode("utf-8", "surrogateescape")
            end = len(data[: kind.end].decode("utf-8", "surrogateescape"))
            rest = len(data[: tokens[1].start].decode("utf-8", "surrogateescape")) if len(tokens) > 1 else None
        first = Word(word, body.span(0, min(end, len(text))))
        if rest is not None:
            self.command = body.part(rest, len(text))
            if not (self.command.text.startswith("[") and self._read_json(self.command)):
                self._read_text(self.command)
        self.words = (first, *self.words)

    def _read_items(self, body: Joined) -> None:
        pairs = []
        for token in parse_tokens("items" + self._backtick, body.text):
            text = self._without_last_escape(token, body)
            if text:
                pairs.append(_pair(body, text, token.start))
        self.pairs = tuple(pairs)

    def _read_pairs(self, body: Joined) -> None:
        nodes = parse_grammar("pairs" + self._backtick, body.text)
        if isinstance(nodes[0], Branch):
            self._read_legacy(body, nodes[0].children)
            return
        pairs = []
        for token in nodes:
            assert isinstance(token, Token)
            text = self._without_last_escape(token, body)
            if "=" in text:
                pairs.append(_pair(body, text, token.start))
            elif text:
                self.problems.append(
                    problem("E012", body.span(token.start, token.end), _joining_edits(body, pairs, token), word=text)
                )
        self.pairs = tuple(pairs)

    def _read_legacy(self, body: Joined, tokens: list[Token]) -> None:
        """Read the form without equals signs: a name, and the rest of the line as its value."""
        name = tokens[0]
        if len(tokens) > 1:
            value = tokens[1]
            value_span = body.span(value.start, value.end)
            name_span = body.span(name.start, name.end)
            span = body.span(name.start, value.end)
            self.pairs = (Pair(name.text, value.text, span, name_span, value_span, legacy=True),)
        elif self._without_last_escape(name, body):
            span = body.span(name.start, name.end)
            self.problems.append(problem("E011", span, keyword=self._keyword, name=name.text))

    def _without_last_escape(self, token: Token, body: Joined) -> str:
        """Give a word's text, without an escape character at the very end of the line that protects nothing."""
        text = token.text
        if token.end < len(body.text) or not text.endswith(self._escape):
            return text
        last = ""
        for part in _parts(self._escape).finditer(text):
            last = part.group()
        lone = last == self._escape or (last[0] == '"' and _ends_open(last[1:], self._escape))
        return text[:-1] if lone else text


def _joining_edits(body: Joined, pairs: list[Pair], token: Token) -> tuple[Edit, ...]:
    """Guess how a word without equals sign belongs to the pair in front of it."""
    before = pairs[-1] if pairs else None
    span = body.span(token.start, token.end)
    if before is not None and before.value == "" and before.span.end < span.start:
        return (Edit(Span(before.span.end, span.start), ""),)
    return quoted_value(before, span.end)


@cache
def _parts(escape: str) -> re.Pattern[str]:
    """Give the expression that cuts a word into escaped characters, quoted parts and runs of others."""
    e = re.escape(escape)
    return re.compile(rf"(?s){e}.?|'[^']*'?|\"[^\"{e}]*(?:{e}.[^\"{e}]*)*(?:\"|{e}?\Z)|[^'\"{e}]+")


def _ends_open(text: str, escape: str) -> bool:
    """Tell whether a text ends with an escape character that protects nothing."""
    count = len(text) - len(text.rstrip(escape))
    return count % 2 == 1


def _pair(body: Joined, text: str, at: int) -> Pair:
    key, equals, value = text.partition("=")
    end, middle = at + len(text), at + len(key)
    span = body.span
    if not equals:
        whole = span(at, end)
        return Pair(key, None, whole, whole, None)
    return Pair(key, value, span(at, end), span(at, middle), span(middle + 1, end))
