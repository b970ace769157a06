"""Words of shell code: quotes, expansions, redirections, assignments and here-documents, by position.

Nothing here raises: what is never closed is noted as a problem and ends with the text.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod

from dfopt.shell.forms import AssignmentForm, ItemForm, NestedForm, RedirectForm, WordForm

BLANK = re.compile(r"(?:[ \t]+|\\\r?\n|\r(?=\n|\Z))*")
JOINED = re.compile(r"(?:\\\r?\n)+")
COMMENT = re.compile(r"#[^\n]*")
PLAIN = re.compile(r"[^ \t\n\r|&;()<>\\'\"`$]+")
IN_DOUBLE = re.compile(r'[^"\\`$]+')
TOKEN = re.compile(r"[^ \t\n\r|&;()<>\\'\"`$#]+")
VARIABLE = re.compile(r"[A-Za-z_]\w*|[0-9@*#?$!-]", re.ASCII)
ANSI = re.compile(r"\$'(?:[^'\\]|\\.)*'", re.DOTALL)
_UNQUOTE = r"""'([^']*)'|"((?:[^"\\]|\\.)*)"|\\(.)"""
_DOUBLE_ESCAPE = r'\\([\\"$`])|\\\n'
ASSIGNMENT = re.compile(r"([A-Za-z_]\w*)(\[[^\]\n]*\])?(\+?=)", re.ASCII)
DELIMITERS = frozenset(" \t\n\r|&;()<>")
MAX_DEPTH = 50
MAX_PROBLEMS = 20


class Lexer(ABC):
    """The state of one reading: position, problems, open here-documents."""

    def __init__(self, text: str, pos: int, end: int, depth: int = 0) -> None:
        self.text = text
        self.pos = pos
        self.end = end
        self.depth = depth
        self.comments: list[tuple[int, int]] = []
        self.problems: list[tuple[str, int, int]] = []
        self.pending: list[tuple[RedirectForm, str, bool, bool]] = []
        self.gave_up = False
        self.not_arithmetic: set[int] = set()

    # -- tokens ------------------------------------------------------------------------------------------------

    def problem(self, message: str, start: int, end: int) -> None:
        """Note a syntax error; only the first ones, as those of broken code never end."""
        if len(self.problems) < MAX_PROBLEMS and not self.gave_up:
            self.problems.append((message, start, max(end, start)))

    def give_up(self) -> None:
        """Leave code alone that is nested out of all proportion."""
        self.problem("The code is nested too deeply to be read.", self.pos, self.end)
        self.gave_up = True
        self.pos = self.end

    def peek(self) -> str:
        """Give the next character, empty at the end."""
        return self.text[self.pos] if self.pos < self.end else ""

    def skip(self) -> None:
        """Go over blanks, joined lines and a comment."""
        match = BLANK.match(self.text, self.pos, self.end)
        assert match
        self.pos = match.end()
        if self.pos < self.end and self.text[self.pos] == "#":
            match = COMMENT.match(self.text, self.pos, self.end)
            assert match
            self.comments.append(match.span())
            self.pos = match.end()

    def newline(self) -> None:
        """Go over a newline and the bodies of the here-documents opened before it."""
        self.pos += 1
        if self.pending:
            self.read_heredocs()

    def newlines(self) -> None:
        """Go over blanks, comments and newlines."""
        while True:
            self.skip()
            if self.peek() != "\n":
                return
            self.newline()

    def reserved(self) -> str:
        """Give the unquoted word that begins here, if it is a whole word; empty otherwise."""
        match = TOKEN.match(self.text, self.pos, self.end)
        if match is None:
            return ""
        end = match.end()
        if end < self.end and self.text[end] not in DELIMITERS and not JOINED.match(self.text, end, self.end):
            return ""
        return match.group()

    # -- here-documents ----------------------------------------------------------------------------------------

    def read_heredocs(self) -> None:
        """Read the bodies of the pending here-documents from the current line on."""
        pending, self.pending = self.pending, []
        for redirect, delimiter, strip, quoted in pending:
            start = end = self.pos
            while self.pos < self.end:
                stop = self.text.find("\n", self.pos, self.end)
                stop = self.end if stop < 0 else stop
                line = self.text[self.pos : stop].rstrip("\r")
                if (line.lstrip("\t") if strip else line) == delimiter:
                    end = self.pos
                    self.pos = min(stop + 1, self.end)
                    break
                self.pos = min(stop + 1, self.end)
                end = self.pos
            redirect.body_start, redirect.body_end = start, end
            if not quoted and ("$(" in (body := self.text[start:end]) or "`" in body or "${" in body):
                inner = type(self)(self.text, start, end, self.depth + 1)
                redirect.nested = tuple(inner.double_quoted("", start))

    def close_heredocs(self) -> None:
        """End the here-documents that have no body because the text is over; shells only warn of them."""
        for redirect, _, _, _ in self.pending:
            redirect.body_start = redirect.body_end = self.end
        self.pending = []

    def assignment(self, match: re.Match[str]) -> AssignmentForm:
        """Read ``name=value`` whose head has matched."""
        start, at = match.span()
        self.pos = at
        nested: list[NestedForm] = []
        if self.peek() == "(":
            self.array(nested)
        else:
            word = self.word()
            nested = list(word.nested) if word else []
        value = WordForm(at, self.pos, tuple(nested))
        name, index, operator = match.groups()
        return AssignmentForm(name, operator == "+=", value, start, self.pos, index is not None)

    def array(self, nested: list[NestedForm]) -> None:
        """Read ``(word ...)`` of an array assignment."""
        start = self.pos
        self.pos += 1
        while True:
            self.newlines()
            char = self.peek()
            if not char:
                self.problem("`(` is never closed by `)`.", start, start + 1)
                return
            if char == ")":
                self.pos += 1
                return
            word = self.word()
            if word is None:
                self.problem(f"`{char}` is not expected inside `(...)` of an array.", self.pos, self.pos + 1)
                self.pos += 1
            else:
                nested.extend(word.nested)

    def redirect(self, match: re.Match[str]) -> RedirectForm:
        """Read a redirection whose operator has matched."""
        number = match.group(1)
        operator = match.group(2) or match.group(3)
        start, self.pos = match.span()
        blank = BLANK.match(self.text, self.pos, self.end)
        assert blank
        self.pos = blank.end()
        target = self.word() if self.peek() != "#" else None
        form = RedirectForm(operator, int(number) if number and number.isdigit() else None, target, start, self.pos)
        if target is None:
            form.end = self.pos = match.end()
            self.problem(f"`{operator}` needs a file or word behind it.", *match.span())
        elif operator in ("<<", "<<-"):
            raw = self.text[target.start : target.end]
            self.pending.append((form, unquote(raw), operator == "<<-", raw != unquote(raw)))
            target.nested = ()
        return form

    @abstractmethod
    def parenthesized(self, start: int) -> list[ItemForm]:
        """Read a list up to its closing parenthesis and go over it."""

    # -- words -------------------------------------------------------------------------------------------------

    def word(self, arrays: bool = False, regex: bool = False) -> WordForm | None:
        """Read a word; None if none begins here."""
        text, end, pos = self.text, self.end, self.pos
        start = pos
        nested: list[NestedForm] = []
        parentheses = 0
        while True:
            match = PLAIN.match(text, pos, end)
            if match:
                pos = match.end()
            if pos >= end:
                break
            char = text[pos]
            if char == "\\":
                match = JOINED.match(text, pos, end)
                if match is None:
                    pos = min(pos + 2, end)
                elif match.end() >= end or text[match.end()] in DELIMITERS:
                    break
                else:
                    pos = match.end()
            elif char == "'":
                close = text.find("'", pos + 1, end)
                if close < 0:
                    self.problem("The single quote is never closed.", pos, pos + 1)
                    pos = end
                else:
                    pos = close + 1
            elif char == '"':
                nested.extend(self.double_quoted('"', pos + 1))
                pos = self.pos
            elif char == "`":
                nested.append(self.backticks(pos))
                pos = self.pos
            elif char == "$":
                self.dollar(pos, nested, False)
                pos = self.pos
            elif char in "<>" and text.startswith("(", pos + 1) and (pos > start or not regex):
                self.pos = pos + 2
                items = self.parenthesized(pos)
                nested.append(NestedForm(char + "(", pos, self.pos, items))
                pos = self.pos
            elif char == "(" and pos > start and text[pos - 1] in "?*+@!":
                parentheses += 1
                pos += 1
            elif char == "(" and arrays and text[pos - 1 : pos] == "=":
                self.pos = pos
                self.array(nested)
                pos = self.pos
            elif char == "(" and regex:
                parentheses += 1
                pos += 1
            elif char == ")" and parentheses:
                parentheses -= 1
                pos += 1
            elif not (
                (char == "\r" and pos + 1 < end and text[pos + 1] != "\n")
                or (parentheses and char not in "\n\r")
                or (regex and char in "|<>")
            ):
                break
            else:
                pos += 1
        self.pos = pos
        return WordForm(start, pos, tuple(nested)) if pos > start else None

    def double_quoted(self, close: str, pos: int) -> list[NestedForm]:
        """Read the inside of double quotes (or of a here-document, without ``close``) and the closing quote."""
        text, end = self.text, self.end
        nested: list[NestedForm] = []
        start = pos
        while True:
            match = IN_DOUBLE.match(text, pos, end)
            if match:
                pos = match.end()
            if pos >= end:
                if close:
                    self.problem("The double quote is never closed.", start - 1, start)
                break
            char = text[pos]
            if char == "\\":
                pos = min(pos + 2, end)
            elif char == '"':
                pos += 1
                if close:
                    break
            elif char == "`":
                nested.append(self.backticks(pos))
                pos = self.pos
            else:
                self.dollar(pos, nested, True)
                pos = self.pos
        self.pos = pos
        return nested

    def backticks(self, pos: int) -> NestedForm:
        """Read `` `...` ``."""
        at = pos + 1
        text, end = self.text, self.end
        while at < end and text[at] != "`":
            at += 2 if text[at] == "\\" else 1
        if at >= end:
            self.problem("The backtick is never closed.", pos, pos + 1)
        self.pos = min(at + 1, end)
        return NestedForm("`", pos, self.pos, None)

    def dollar(self, pos: int, nested: list[NestedForm], quoted: bool) -> None:
        """Read what begins with ``$``."""
        text, end = self.text, self.end
        char = text[pos + 1] if pos + 1 < end else ""
        if char == "(":
            if text.startswith("((", pos + 1) and self.arithmetic(pos + 3, nested):
                return
            self.pos = pos + 2
            items = self.parenthesized(pos)
            nested.append(NestedForm("$(", pos, self.pos, items))
        elif char == "{":
            self.braces(pos, nested, quoted)
        elif char == "'" and not quoted:
            match = ANSI.match(text, pos, end)
            if match is None:
                self.problem("The single quote is never closed.", pos + 1, pos + 2)
            self.pos = match.end() if match else end
        elif char == '"' and not quoted:
            nested.extend(self.double_quoted('"', pos + 2))
        elif char == "[" and (close := text.find("]", pos + 2, end)) > 0:
            self.pos = close + 1
        else:
            match = VARIABLE.match(text, pos + 1, end)
            self.pos = match.end() if match else pos + 1

    def braces(self, pos: int, nested: list[NestedForm], quoted: bool) -> None:
        """Read ``${...}``; quotes and substitutions inside belong to it."""
        text, end = self.text, self.end
        at = pos + 2
        self.depth += 1
        while at < end:
            char = text[at]
            if char == "}":
                self.pos = at + 1
                self.depth -= 1
                return
            if self.depth > MAX_DEPTH:
                self.give_up()
                break
            if char == "\\":
                at = min(at + 2, end)
            elif char == "'" and not quoted:
                close = text.find("'", at + 1, end)
                at = end if close < 0 else close + 1
            elif char == '"':
                nested.extend(self.double_quoted('"', at + 1))
                at = self.pos
            elif char == "`":
                nested.append(self.backticks(at))
                at = self.pos
            elif char == "$" and text[at + 1 : at + 2] != "}":
                self.dollar(at, nested, quoted)
                at = self.pos
            else:
                at += 1
        self.depth -= 1
        self.problem("`${` is never closed by `}`.", pos, pos + 2)
        self.pos = end

    def arithmetic(self, pos: int, nested: list[NestedForm]) -> bool:
        """Read an arithmetic expression up to ``))``; tell whether it is one."""
        if pos in self.not_arithmetic:
            return False
        text, end, origin = self.text, self.end, pos
        keep = len(nested), len(self.problems), self.pos
        level = 0
        self.depth += 1
        while pos < end and self.depth <= MAX_DEPTH:
            char = text[pos]
            if char == "(":
                level += 1
            elif char == ")":
                if level == 0:
                    if text.startswith("))", pos):
                        self.pos = pos + 2
                        self.depth -= 1
                        return True
                    break
                level -= 1
            elif char == "\\":
                pos += 1
            elif char == "'":
                close = text.find("'", pos + 1, end)
                if close < 0:
                    break
                pos = close
            elif char == '"':
                nested.extend(self.double_quoted('"', pos + 1))
                pos = self.pos
                continue
            elif char == "`":
                nested.append(self.backticks(pos))
                pos = self.pos
                continue
            elif char == "$":
                self.dollar(pos, nested, True)
                pos = self.pos
                continue
            pos += 1
        self.depth -= 1
        del nested[keep[0] :]
        del self.problems[keep[1] :]
        self.pos = keep[2]
        self.gave_up = False
        self.not_arithmetic.add(origin)
        return False


def unquote(word: str) -> str:
    """Remove the quotes of a word without expanding anything: how a shell reads a here-document's delimiter."""

    def plain(match: re.Match[str]) -> str:
        if match.group(1) is not None:
            return match.group(1)
        if match.group(2) is not None:
            return re.sub(_DOUBLE_ESCAPE, lambda inner: inner.group(1) or "", match.group(2))
        return "" if match.group(3) == "\n" else match.group(3)

    return re.sub(_UNQUOTE, plain, word, flags=re.DOTALL) if any(char in word for char in "'\"\\") else word
