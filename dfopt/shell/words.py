"""What a shell makes of a word: quotes removed, known variables put in, fields split."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

from dfopt.shell.forms import NestedForm

_PLAIN = re.compile(r"[^\\'\"`$*?\[~<>\r\n]+")
_PLAIN_DOUBLE = re.compile(r'[^"\\`$]+')
_NAME = re.compile(r"[A-Za-z_]\w*", re.ASCII)
_SPECIAL = re.compile(r"[0-9@*#?$!-]")
_TILDE = re.compile(r"~([A-Za-z_][\w.-]*)?(?=/|\Z)", re.ASCII)
_OPERATOR = re.compile(r":[-=?+]|[-=?+]|##?|%%?|//?|\^\^?|,,?|:|@|\[")
_ANSI_ESCAPE = r"\\(?:([abeEfnrtv\\'\"?])|([0-7]{1,3})|x([0-9A-Fa-f]{1,2})|u([0-9A-Fa-f]{1,4})|c(.)|(.))"
_ANSI = {
    "a": "\a", "b": "\b", "e": "\x1b", "E": "\x1b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v",
    "\\": "\\", "'": "'", '"': '"', "?": "?",
}  # fmt: skip
_MAX_DEPTH = 20
_MAX_SIZE = 10_000
_SUBSTRING = re.compile(r"\s*(-?\d+)\s*(?::\s*(-?\d+)\s*)?\Z")

Lookup = Callable[[str], "str | None"]


class Field(NamedTuple):
    """One field that came out of a word."""

    value: str | None
    pattern: str
    glob: bool
    quoted: bool
    variables: tuple[str, ...]


class Expander:
    """Evaluates one word; ``lookup`` gives a variable's value, None where it is unknown, "" where it is unset.

    ``is_unset`` tells an unset variable from an empty one. ``substitute`` gives what a command substitution prints,
    where that can be told (``$(pwd)``).
    """

    __slots__ = (
        "_depth", "_glob", "_known", "_nested", "_pattern", "_quoted", "_raw", "_size", "_split", "_started", "_value",
        "_variables", "fields", "is_unset", "lookup", "substitute",
    )  # fmt: skip

    def __init__(
        self,
        lookup: Lookup,
        is_unset: Callable[[str], bool] = lambda name: False,
        substitute: Callable[[str], str | None] = lambda code: None,
        depth: int = 0,
    ) -> None:
        self._depth = depth
        self.lookup = lookup
        self.is_unset = is_unset
        self.substitute = substitute
        self.fields: list[Field] = []

    def expand(self, raw: str, nested: Sequence[tuple[int, int]] = (), *, split: bool = True) -> list[Field]:
        """Give the fields of a word; ``nested`` are the ranges of its command substitutions.

        Without ``split`` the result is one field, as in an assignment or behind a redirection.
        """
        self.fields = []
        self._size = 0
        self._begin()
        self._variables: list[str] = []
        self._raw, self._nested, self._split = raw, dict(nested), split
        self._unquoted(0, len(raw))
        if self._started or not split:
            self._finish()
        variables = tuple(dict.fromkeys(self._variables))
        return [field._replace(variables=variables) for field in self.fields] if variables else self.fields

    def _begin(self) -> None:
        self._value: list[str] = []
        self._pattern: list[str] = []
        self._known = True
        self._glob = False
        self._quoted = False
        self._started = False

    def _finish(self) -> None:
        pattern = "".join(self._pattern)
        self.fields.append(Field("".join(self._value) if self._known else None, pattern, self._glob, self._quoted, ()))
        self._begin()

    def _literal(self, text: str) -> None:
        self._value.append(text)
        self._pattern.append(text)
        self._started = True

    def _unknown(self) -> None:
        if not self._pattern or self._pattern[-1] != "*":
            self._pattern.append("*")
        self._known = False
        self._glob = True
        self._started = True

    def _put(self, value: str | None, quoted: bool) -> None:
        """Add the value of an expansion; one that is out of all proportion counts as unknown."""
        self._size += len(value) if value else 0
        if value is None or self._size > _MAX_SIZE:
            self._unknown()
        elif quoted or not self._split:
            self._literal(value)
        else:
            if any(char in value for char in "*?["):
                self._glob = True
            parts = value.split()
            if not parts:
                if value and self._started:
                    self._finish()
                return
            if value[0].isspace() and self._started:
                self._finish()
            for index, part in enumerate(parts):
                if index:
                    self._finish()
                self._literal(part)
            if value[-1].isspace():
                self._finish()

    def _unquoted(self, pos: int, end: int) -> None:
        raw = self._raw
        while pos < end:
            match = _PLAIN.match(raw, pos, end)
            if match:
                self._literal(match.group())
                pos = match.end()
                if pos >= end:
                    return
            char = raw[pos]
            if pos in self._nested:
                stop = self._nested[pos]
                self._put(self._substituted(pos, stop), False)
                pos = stop
            elif char == "\\":
                if raw.startswith("\\\r\n", pos):
                    pos += 3
                    continue
                following = raw[pos + 1 : pos + 2] if pos + 1 < end else "\\"
                if following != "\n":
                    self._literal(following)
                    self._quoted = True
                pos += 2
            elif char == "'":
                stop = raw.find("'", pos + 1, end)
                stop = end if stop < 0 else stop
                self._literal(raw[pos + 1 : stop])
                self._quoted = True
                pos = stop + 1
            elif char == '"':
                pos = self._double(pos + 1, end)
            elif char == "$":
                pos = self._dollar(pos, end, False)
            elif char in "*?[":
                self._literal(char)
                self._glob = self._glob or char != "[" or "]" in raw[pos + 1 : end]
                pos += 1
            elif char == "~" and pos == 0 and (match := _TILDE.match(raw)):
                user = match.group(1)
                self._put(self._home(user), True)
                pos = match.end()
            else:
                self._literal(char)
                pos += 1

    def _home(self, user: str | None) -> str | None:
        """Give the home of a user, of the current one for None."""
        return self.lookup("HOME") if user is None else "/root" if user == "root" else None

    def _substituted(self, pos: int, stop: int) -> str | None:
        code = self._raw[pos + 1 : stop - 1] if self._raw[pos] == "`" else self._raw[pos + 2 : stop - 1]
        return self.substitute(code.strip()) if self._raw[pos] in "$`" else None

    def _double(self, pos: int, end: int) -> int:
        """Evaluate the inside of double quotes; give the place behind the closing one."""
        raw = self._raw
        self._quoted = self._started = True
        while pos < end:
            match = _PLAIN_DOUBLE.match(raw, pos, end)
            if match:
                self._literal(match.group())
                pos = match.end()
                if pos >= end:
                    return end
            char = raw[pos]
            if pos in self._nested:
                stop = self._nested[pos]
                self._put(self._substituted(pos, stop), True)
                pos = stop
            elif char == '"':
                return pos + 1
            elif char == "\\":
                following = raw[pos + 1 : pos + 2]
                if following in ("$", "`", '"', "\\"):
                    self._literal(following)
                elif following != "\n":
                    self._literal("\\" + following)
                pos += 2
            elif char == "$":
                pos = self._dollar(pos, end, True)
            else:
                self._literal(char)
                pos += 1
        return end

    def _dollar(self, pos: int, end: int, quoted: bool) -> int:
        """Evaluate what begins with ``$``; give the place behind it."""
        raw = self._raw
        match = _NAME.match(raw, pos + 1, end)
        if match:
            name = match.group()
            self._variables.append(name)
            self._put(self.lookup(name), quoted)
            return match.end()
        char = raw[pos + 1] if pos + 1 < end else ""
        if char == "{":
            stop = self._closing_brace(pos + 2, end, quoted)
            self._put(self._parameter(raw[pos + 2 : stop], pos + 2, quoted), quoted)
            return stop + 1
        if char == "(":
            self._unknown()
            return self._closing_parentheses(pos + 1, end)
        if char == "[":
            self._unknown()
            stop = raw.find("]", pos, end)
            return end if stop < 0 else stop + 1
        if char == "'" and not quoted:
            return self._ansi(pos + 2, end)
        if char == '"' and not quoted:
            return self._double(pos + 2, end)
        match = _SPECIAL.match(raw, pos + 1, end)
        if match:
            self._variables.append(char)
            self._unknown()
            return pos + 2
        self._literal("$")
        return pos + 1

    def _ansi(self, pos: int, end: int) -> int:
        """Evaluate ``$'...'``; give the place behind it."""
        raw, start = self._raw, pos
        while pos < end and raw[pos] != "'":
            pos += 2 if raw[pos] == "\\" else 1

        def decode(match: re.Match[str]) -> str:
            letter, octal, hexadecimal, code, control, other = match.groups()
            if letter:
                return _ANSI[letter]
            if octal:
                return chr(int(octal, 8) & 0xFF)
            if hexadecimal or code:
                return chr(int(hexadecimal or code, 16))
            return chr(ord(control) & 0x1F) if control else "\\" + other

        self._literal(re.sub(_ANSI_ESCAPE, decode, raw[start : min(pos, end)], flags=re.DOTALL))
        self._quoted = True
        return min(pos + 1, end)

    def _closing_brace(self, pos: int, end: int, quoted: bool) -> int:
        """Find the end of ``${``."""
        raw, level = self._raw, 1
        while pos < end:
            if pos in self._nested:
                pos = self._nested[pos]
                continue
            char = raw[pos]
            if char == "\\":
                pos += 1
            elif char == "'" and not quoted:
                stop = raw.find("'", pos + 1, end)
                pos = end if stop < 0 else stop
            elif char == "$" and raw.startswith("{", pos + 1):
                level += 1
                pos += 1
            elif char == "}":
                level -= 1
                if not level:
                    return pos
            pos += 1
        return end

    def _closing_parentheses(self, pos: int, end: int) -> int:
        """Find the end of an arithmetic expansion."""
        raw, level = self._raw, 0
        while pos < end:
            if pos in self._nested:
                pos = self._nested[pos]
                continue
            char = raw[pos]
            if char == "(":
                level += 1
            elif char == ")":
                level -= 1
                if not level:
                    return pos + 1
            pos += 1
        return end

    def _parameter(self, code: str, offset: int, quoted: bool) -> str | None:
        """Give the value of ``${code}``."""
        match = _NAME.match(code)
        if match is None:
            inner = _NAME.search(code)
            if inner:
                self._variables.append(inner.group())
            if inner and code[0] == "#" and inner.end() == len(code):
                value = self.lookup(inner.group())
                return None if value is None else str(len(value))
            return None
        name, rest = match.group(), code[match.end() :]
        self._variables.append(name)
        value = self.lookup(name)
        if not rest:
            return value
        found = _OPERATOR.match(rest)
        if found is None:
            return None
        operator, word = found.group(), rest[found.end() :]
        start = offset + match.end() + found.end()
        unset = value is not None and self.is_unset(name)
        if operator in (":-", "-", ":=", "="):
            missing = unset or (operator[0] == ":" and value == "")
            other = self._inner(word, start, quoted)
            return other if missing else value
        if operator in (":+", "+"):
            other = self._inner(word, start, quoted)
            if value is None:
                return None
            return "" if unset or (operator[0] == ":" and value == "") else other
        if operator in (":?", "?"):
            return value
        if operator in ("/", "//"):
            old, slash, new = _at_slash(word)
            argument = self._inner(old, start, quoted)
            other = self._inner(new, start + len(old) + len(slash), quoted)
            if value is None or argument is None or other is None:
                return None
            return _replaced(value, argument, other, everywhere=operator == "//")
        argument = self._inner(word, start, quoted)
        if value is None or argument is None or operator in ("@", "["):
            return None
        return _modify(value, operator, argument)

    def _inner(self, word: str, start: int, quoted: bool) -> str | None:
        """Give the value of the word behind a parameter's operator."""
        if not any(char in word for char in "\\'\"`$~"):
            return word
        if self._depth >= _MAX_DEPTH:
            return None
        inner = Expander(self.lookup, self.is_unset, self.substitute, self._depth + 1)
        nested = [(at - start, stop - start) for at, stop in self._nested.items() if start <= at < start + len(word)]
        if quoted and '"' not in word:
            word = f'"{word}"'
            nested = [(at + 1, stop + 1) for at, stop in nested]
        fields = inner.expand(word, nested, split=False)
        self._variables.extend(fields[0].variables)
        return fields[0].value


def _modify(value: str, operator: str, argument: str) -> str | None:
    """Apply ``#``, ``%``, ``^``, ``,`` and ``:`` to a value."""
    if operator in ("^^", ",,"):
        return (value.upper() if operator == "^^" else value.lower()) if not argument else None
    if operator in ("^", ","):
        head = value[:1].upper() if operator == "^" else value[:1].lower()
        return head + value[1:] if not argument else None
    if operator == ":":
        match = _SUBSTRING.match(argument)
        if match is None:
            return None
        start = int(match.group(1))
        start = max(len(value) + start, 0) if start < 0 else start
        if match.group(2) is None:
            return value[start:]
        length = int(match.group(2))
        return value[start : start + length] if length >= 0 else value[start:length]
    greedy = len(operator) == 2
    expression = _glob_to_regex(argument, greedy=greedy)
    try:
        if operator[0] == "#":
            match = re.match(expression, value, re.DOTALL)
            return value[match.end() :] if match else value
        compiled = re.compile(expression + r"\Z", re.DOTALL)
    except re.error:
        return None
    places = range(len(value) + 1) if greedy else range(len(value), -1, -1)
    for place in places:
        if compiled.match(value, place):
            return value[:place]
    return value


def _at_slash(word: str) -> tuple[str, str, str]:
    """Split ``pattern/text`` at the first slash that is neither quoted nor escaped."""
    match = re.match(r"""(?:[^\\/'"]|\\.|'[^']*'|"(?:[^"\\]|\\.)*")*""", word, re.DOTALL)
    at = match.end() if match else 0
    return (word[:at], "/", word[at + 1 :]) if word[at : at + 1] == "/" else (word, "", "")


def _replaced(value: str, old: str, new: str, *, everywhere: bool) -> str | None:
    """Apply ``${name/old/new}``; anchored patterns are not followed."""
    if old[:1] in ("#", "%"):
        return None
    if not old:
        return value
    try:
        return re.sub(_glob_to_regex(old, greedy=True), lambda match: new, value, count=not everywhere, flags=re.DOTALL)
    except re.error:
        return None


def _glob_to_regex(pattern: str, *, greedy: bool) -> str:
    """Translate a shell pattern into a regular expression."""
    out = []
    pos = 0
    while pos < len(pattern):
        char = pattern[pos]
        if char == "*":
            out.append(".*" if greedy else ".*?")
        elif char == "?":
            out.append(".")
        elif char == "[" and (stop := pattern.find("]", pos + 2)) > 0:
            body = pattern[pos + 1 : stop].replace("\\", "\\\\")
            out.append(f"[{'^' + body[1:] if body[0] in '!^' else body}]")
            pos = stop
        else:
            out.append(re.escape(char))
        pos += 1
    return "".join(out)


def nested_ranges(nested: Sequence[NestedForm], base: int) -> list[tuple[int, int]]:
    """Give the outermost substitutions' ranges relative to the beginning of their word."""
    return [(form.start - base, form.end - base) for form in nested]
