"""Quoting and variable expansion: what a word becomes with given variables.

One lexer serves everything that BuildKit expands: values, paths, ports, image names and here-document bodies. It keeps
its own stack, so nesting costs neither recursion nor more than linear time.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from msgspec import Struct

from dfopt.source import BOM, Span
from dfopt.syntax import whitespace
from dfopt.syntax.patterns import PatternError, remove_prefix, remove_suffix, replace

Lookup = Callable[[str], "str | None"]

_PLAIN = re.compile(r"[^$'\"<\\`/}\s\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_SPECIAL_NAMES = "@*#?-$!0"
_SURROGATES = re.compile("[\ud800-\udfff]")
_SPACES = frozenset(whitespace.UNICODE)


class Variable(Struct, frozen=True):
    """A reference to a variable inside a word.

    ``span`` are offsets in the word, from the dollar sign to the end of the reference; ``modifier`` is the operator of
    ``${name<operator>...}`` (``:-``, ``#``, ``//`` ...) or empty.
    """

    name: str
    span: Span
    modifier: str = ""


class Expansion(Struct, frozen=True):
    """What a word becomes: its value, the value split into words, and the variables that were asked for.

    ``used`` are references to variables that exist, ``missing`` those to variables that do not.
    """

    value: str
    words: tuple[str, ...]
    used: tuple[Variable, ...] = ()
    missing: tuple[Variable, ...] = ()


class WordError(ValueError):
    """A word that cannot be expanded: an unbalanced quote, a malformed or refused ``${...}``.

    ``offset`` is the place in the word. ``used`` and ``missing`` are the references met up to there.
    """

    def __init__(self, message: str, offset: int) -> None:
        super().__init__(message)
        self.message = message
        self.offset = offset
        self.used: tuple[Variable, ...] = ()
        self.missing: tuple[Variable, ...] = ()


def expand(
    text: str,
    lookup: Lookup,
    escape: str = "\\",
    *,
    keep_quotes: bool = False,
    keep_escapes: bool = False,
    literal_quotes: bool = False,
    keep_unset: bool = False,
) -> Expansion:
    """Expand a word as BuildKit does; ``lookup`` gives a variable's value or None where it does not exist.

    ``keep_quotes`` and ``keep_escapes`` leave quotes and escape characters in the result, ``literal_quotes`` treats
    quotes as ordinary characters (bodies of here-documents), ``keep_unset`` leaves references to missing variables.
    Raises WordError.
    """
    lexer = _Lexer(text, lookup, escape, keep_quotes, keep_escapes, literal_quotes, keep_unset)
    try:
        value, words = lexer.run()
    except WordError as error:
        error.used, error.missing = tuple(lexer.used), tuple(lexer.missing)
        raise
    return Expansion(value, words, tuple(lexer.used), tuple(lexer.missing))


def variables(text: str, escape: str = "\\", *, literal_quotes: bool = False) -> tuple[Variable, ...]:
    """List the variables that a word refers to, nested ones included, up to the first error in it."""
    if "$" not in text:
        return ()
    try:
        found = expand(text, lambda name: None, escape, literal_quotes=literal_quotes, keep_unset=True).missing
    except WordError as error:
        found = error.missing
    return tuple(sorted(found, key=lambda variable: variable.span))


class _Frame(Struct):
    """An open construct: double quotes, or the part of ``${...}`` up to ``stop``."""

    stop: str
    raw: bool
    offset: int
    start: int
    """Where the construct begins in the output."""
    argument: int
    """Where the part that is being read begins in the output."""
    name: str = ""
    operator: str = ""
    pattern: str = ""


class _Lexer:
    def __init__(
        self,
        text: str,
        lookup: Lookup,
        escape: str,
        keep_quotes: bool,
        keep_escapes: bool,
        literal_quotes: bool,
        keep_unset: bool,
    ) -> None:
        self.text = text
        self.lookup = lookup
        self.escape = escape
        self.keep_quotes = keep_quotes
        self.raw = keep_escapes
        self.literal_quotes = literal_quotes
        self.keep_unset = keep_unset
        self.used: list[Variable] = []
        self.missing: list[Variable] = []
        self.out: list[str] = []
        self.words: list[str] = []
        self.word: list[str] = []
        self.stack: list[_Frame] = []
        self.special_start = 0
        self.special_dollar = False

    def run(self) -> tuple[str, tuple[str, ...]]:
        """Process the whole text; gives the value and the words."""
        text, out, stack, plain = self.text, self.out, self.stack, _PLAIN.match
        quotes = "" if self.literal_quotes else "'\"<"
        escape, end = self.escape, len(text)
        at = 1 if text.startswith(BOM) else 0
        while at < end:
            frame = stack[-1] if stack else None
            run = plain(text, at)
            if run:
                piece = run.group()
                out.append(piece)
                at = run.end()
                if frame is None:
                    self.word.append(piece)
                continue
            char = text[at]
            if frame is not None and frame.stop == '"':
                at = self._in_double_quotes(frame, char, at)
                continue
            if frame is not None and char == frame.stop:
                at = self._close(frame, at)
                continue
            if char == "$":
                if frame is None:
                    self.special_start, self.special_dollar = len(out), True
                at = self._dollar(at)
                continue
            if char in quotes and char:
                if frame is None:
                    self.special_start, self.special_dollar = len(out), False
                if char == "'":
                    at = self._single_quotes(at)
                elif char == '"':
                    if self.keep_quotes:
                        out.append(char)
                    stack.append(_Frame('"', self.raw, at, len(out), len(out)))
                    at += 1
                else:
                    at = self._less_than(at)
                self._end_of_special()
                continue
            if char == escape:
                if self.raw:
                    out.append(char)
                    if frame is None:
                        self.word.append(char)
                at += 1
                if at < end:
                    out.append(text[at])
                    if frame is None:
                        self.word.append(text[at])
                    at += 1
                continue
            out.append(char)
            if frame is None:
                self._add(char)
            at += 1
        if stack:
            raise self._unclosed(stack[-1])
        if self.word:
            self.words.append("".join(self.word))
        value = "".join(out)
        words = tuple(self.words)
        if not value.isascii() and _SURROGATES.search(value):
            return _SURROGATES.sub("\ufffd", value), tuple(_SURROGATES.sub("\ufffd", word) for word in words)
        return value, words

    def _unclosed(self, frame: _Frame) -> WordError:
        if frame.stop == '"':
            return WordError("a double quote has no counterpart", frame.offset)
        missing = "/" if frame.stop == "/" else "}"
        return WordError(f"the substitution lacks its {missing}", frame.offset)

    def _add(self, piece: str) -> None:
        """Add characters to the words of the outermost level; white space separates."""
        for char in piece:
            if char not in _SPACES:
                self.word.append(char)
            elif self.word:
                self.words.append("".join(self.word))
                self.word.clear()

    def _end_of_special(self) -> None:
        """Hand what quotes, ``<<`` or a variable gave to the words, once no construct is open any more."""
        if self.stack:
            return
        pieces = self.out[self.special_start :]
        if self.special_dollar:
            for piece in pieces:
                self._add(piece)
        else:
            self.word.extend(piece for piece in pieces if piece)

    def _single_quotes(self, at: int) -> int:
        close = self.text.find("'", at + 1)
        if close < 0:
            raise WordError("a single quote has no counterpart", at)
        self.out.append(self.text[at : close + 1] if self.keep_quotes else self.text[at + 1 : close])
        return close + 1

    def _less_than(self, at: int) -> int:
        end = at + 1
        if self.text.startswith("<", end):
            end += 1
            while end < len(self.text) and self.text[end] in "\t\r ":
                end += 1
        self.out.append(self.text[at:end])
        return end

    def _in_double_quotes(self, frame: _Frame, char: str, at: int) -> int:
        out = self.out
        if char == '"':
            self.stack.pop()
            if self.keep_quotes:
                out.append(char)
            self._end_of_special()
            return at + 1
        if char == "$":
            return self._dollar(at)
        at += 1
        if char == self.escape:
            if self.raw:
                out.append(char)
            if at >= len(self.text):
                return at
            following = self.text[at]
            if following in ('"', "$", self.escape):
                char, at = following, at + 1
        out.append(char)
        return at

    def _name(self, at: int) -> int:
        """Give the end of the variable name that starts at an offset; the same offset where there is none."""
        text, end = self.text, at
        match = _NAME.match(text, at)
        if match:
            end = match.end()
            if end == len(text) or text[end] < "\x80":
                return end
        elif end < len(text):
            if text[end].isdecimal():
                while end < len(text) and text[end].isdecimal():
                    end += 1
                return end
            if text[end] in _SPECIAL_NAMES:
                return end + 1
        while end < len(text) and (text[end] == "_" or text[end].isalpha() or text[end].isdecimal()):
            end += 1
        return end

    def _get(self, name: str, start: int, end: int, modifier: str = "") -> str | None:
        value = self.lookup(name)
        variable = Variable(name, Span(start, end), modifier)
        (self.missing if value is None else self.used).append(variable)
        return value

    def _dollar(self, at: int) -> int:
        text, start = self.text, at
        if not text.startswith("{", at + 1):
            end = self._name(at + 1)
            if end == at + 1:
                self.out.append("$")
            else:
                name = text[at + 1 : end]
                value = self._get(name, start, end)
                self.out.append(value if value is not None else "$" + name if self.keep_unset else "")
            self._end_of_special()
            return end
        at += 2
        if at >= len(text):
            raise WordError("the substitution lacks its }", start)
        if text[at] in "{}:":
            raise WordError("the substitution names no variable", start)
        end = self._name(at)
        name = text[at:end]
        char = text[end : end + 1]
        if char == "}":
            value = self._get(name, start, end + 1)
            self.out.append(value if value is not None else f"${{{name}}}" if self.keep_unset else "")
            self._end_of_special()
            return end + 1
        operator, end = char, end + 1
        if char == ":":
            operator += text[end : end + 1]
            end += 1
        elif char == "/" and text.startswith("/", end):
            operator, end = "//", end + 1
        elif not char or char not in "+-?#%/":
            raise WordError(f"the modifier {char!r} is not supported in a substitution", start)
        first = len(self.out)
        if self.keep_unset:
            self.out.append(f"${{{name}{operator}")
        stop = "/" if char == "/" else "}"
        self.stack.append(_Frame(stop, self.raw, start, first, len(self.out), name, operator))
        self.raw = operator[-1:] in ("#", "%", "/")
        return end

    def _close(self, frame: _Frame, at: int) -> int:
        """End a part of ``${name<operator>...}`` at its stop character."""
        out = self.out
        # BuildKit loses here what the current word had collected so far; its here-documents and ports depend on that.
        self.word.clear()
        if frame.stop == "/":
            frame.stop = "}"
            frame.pattern = "".join(out[frame.argument :])
            if self.keep_unset:
                out.append("/")
            frame.argument = len(out)
            return at + 1
        self.stack.pop()
        self.raw = frame.raw
        value = self._get(frame.name, frame.offset, at + 1, frame.operator)
        if self.keep_unset and value is None:
            out.append("}")
        elif frame.operator in ("-", ":-", "+", ":+") and (
            not value if frame.operator[0] == ":" else value is None
        ) == (frame.operator[-1] == "-"):
            # The argument is the result: it stays where it is, which keeps deep nesting linear.
            out[frame.start : frame.argument] = [""] * (frame.argument - frame.start)
        else:
            argument = "".join(out[frame.argument :])
            del out[frame.start :]
            out.append(_substitute(frame, value, argument))
        self._end_of_special()
        return at + 1


def _substitute(frame: _Frame, value: str | None, argument: str) -> str:
    operator, kind = frame.operator, frame.operator[-1:]
    if operator[0] == ":" and kind not in "-+?":
        raise WordError(f"the modifier {operator!r} is not supported in a substitution", frame.offset)
    if kind == "?" and (value is None or (operator == ":?" and not value)):
        default = "it must be set" if value is None else "it must not be empty"
        raise WordError(f"{frame.name}: {argument or default}", frame.offset)
    value = value or ""
    if kind == "+":
        return ""
    if kind in "-?":
        return value
    try:
        if kind == "/":
            return replace(value, frame.pattern, argument, everywhere=operator == "//")
        longest = argument.startswith(kind)
        remove = remove_prefix if kind == "#" else remove_suffix
        return remove(value, argument[1:] if longest else argument, longest=longest)
    except PatternError as error:
        raise WordError(str(error), frame.offset) from None
