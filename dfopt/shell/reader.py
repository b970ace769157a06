"""A reader of shell code that never fails: it says what is wrong, steps over it and goes on.

It is used where tree-sitter-bash gives up or goes wrong. The grammar is bash's, a superset of what sh, dash, ash and
ksh read; where those differ (``[[`` is a command of dash) the difference does not show in the commands found.
"""

from __future__ import annotations

import re

from dfopt.shell.forms import BlockForm, Form, ItemForm, NestedForm, PipeForm, ScriptForm, SimpleForm, WordForm
from dfopt.shell.lexer import ASSIGNMENT, MAX_DEPTH, MAX_PROBLEMS, Lexer

_REDIRECT = re.compile(r"(\d+|\{[A-Za-z_]\w*\})?(<<<|<<-|<<|<>|<&|<|>\||>>|>&|>)|(&>>|&>)")
_OPERATOR = re.compile(r"&&|\|\||;;&|;;|;&|;|&|\n|\|&|\||\)|\(")
_NAME = re.compile(r"[A-Za-z_]\w*", re.ASCII)
_PARENTHESES = re.compile(r"\([ \t]*\)")

_CLOSERS = frozenset({"then", "elif", "else", "fi", "do", "done", "esac", "}", "in", "]]"})
_OPENED_BY = {
    "fi": "if", "then": "if", "elif": "if", "else": "if", "done": "do", "do": "for, while or until", "esac": "case",
    "in": "for or case", "}": "{", "]]": "[[",
}  # fmt: skip
_DECLARE = frozenset({"declare", "typeset", "local", "export", "readonly", "alias", "eval"})


def read(text: str) -> ScriptForm:
    """Read a whole script."""
    reader = _Reader(text, 0, len(text))
    items = reader.items(frozenset(), "")
    reader.close_heredocs()
    return ScriptForm(items, reader.comments, reader.problems)


def read_command(text: str, start: int, end: int) -> tuple[Form, list[tuple[str, int, int]], list[tuple[int, int]]]:
    """Read one command in a range of a text; give it with the problems and comments."""
    reader = _Reader(text, start, end)
    form = reader.command()
    return form, reader.problems, reader.comments


class _Reader(Lexer):
    """The grammar: lists, pipelines and commands."""

    def __init__(self, text: str, pos: int, end: int, depth: int = 0) -> None:
        super().__init__(text, pos, end, depth)
        self.stops: list[frozenset[str]] = []
        self.outer_parenthesis = 0

    def is_closer(self, word: str) -> bool:
        """Tell whether a word closes one of the constructs that are open."""
        return any(word in stops for stops in self.stops)

    # -- lists -------------------------------------------------------------------------------------------------

    def items(self, stop_words: frozenset[str], stop_char: str) -> list[ItemForm]:
        """Read a list up to a closing word or character, which is not consumed; ``;`` stands for the ``;;`` of case."""
        found: list[ItemForm] = []
        operator, start, end = "", self.pos, self.pos
        first = 0  # where the current and-or list begins in ``found``
        self.stops.append(stop_words)
        self.depth += 1
        if self.depth > MAX_DEPTH:
            self.give_up()
        while True:
            self.newlines()
            char = self.peek()
            word = self.reserved()
            if not char or char == stop_char == ")" or word in stop_words:
                break
            if word in _CLOSERS and self.is_closer(word):
                break
            if stop_char == ";" and char == ";" and self.text[self.pos + 1 : self.pos + 2] in (";", "&"):
                break
            if word in _CLOSERS:
                self.stray(word)
                operator, start, end, first = ";", self.pos, self.pos, len(found)
                continue
            match = _OPERATOR.match(self.text, self.pos, self.end)
            if match and match.group() not in ("(",) and not self.redirect_here():
                self.problem(
                    f"A command is expected in front of `{match.group()}`; remove the operator or add the command.",
                    *match.span(),
                )
                self.pos = match.end()
                continue
            form = self.pipeline()
            found.append(ItemForm(operator, start, end, form) if found else ItemForm("", 0, 0, form))
            self.skip()
            match = _OPERATOR.match(self.text, self.pos, self.end)
            if match is None:
                if self.pos >= self.end:
                    operator = ""
                    break
                word = self.reserved()
                if word not in _CLOSERS:
                    self.problem(
                        "An operator such as `;` or `&&` is missing in front of this word.",
                        self.pos, self.pos + max(len(word), 1),
                    )  # fmt: skip
                operator, start, end, first = ";", self.pos, self.pos, len(found)
                continue
            operator, (start, end) = match.group(), match.span()
            if operator in ("&&", "||"):
                self.pos = end
            elif operator in (";", "&"):
                if operator == "&":
                    for item in found[first:]:
                        item.background = True
                first = len(found)
                self.pos = end
            elif operator == "\n":
                first = len(found)
                self.newline()
            elif (operator == ")" and stop_char == ")") or (operator[:2] in (";;", ";&") and stop_char == ";"):
                break
            elif operator == "(":
                self.unexpected("(", start)
                operator, first = ";", len(found)
            elif operator == ")" and self.outer_parenthesis:
                break
            else:
                self.unexpected(operator, start)
                self.pos = end
                operator, first = ";", len(found)
        if operator in ("&&", "||") and found:
            self.problem(f"Nothing follows `{operator}`.", start, end)
        self.depth -= 1
        self.stops.pop()
        return found

    def stray(self, word: str) -> None:
        """Step over a reserved word that closes nothing."""
        message = f"`{word}` stands here without `{_OPENED_BY[word]}`."
        glued = r"(?<![^\s;&|(])\{[^\s{}]"
        if word == "}" and len(self.problems) < MAX_PROBLEMS and re.search(glued, self.text[: self.pos]):
            message += " A group is opened by `{` with a blank behind it."
        self.problem(message, self.pos, self.pos + len(word))
        self.pos += len(word)
        self.skip()
        if self.peek() in (";", "&") and self.text[self.pos : self.pos + 2] not in (";;", ";&"):
            self.pos += 2 if self.text.startswith("&&", self.pos) else 1

    def unexpected(self, token: str, start: int) -> None:
        """Note an operator that cannot stand where it stands."""
        message = f"`{token}` is not expected here; quote it if it belongs to a word."
        self.problem(message, start, start + len(token))

    def redirect_here(self) -> bool:
        """Tell whether what begins here is a redirection."""
        return _REDIRECT.match(self.text, self.pos, self.end) is not None

    def pipeline(self) -> Form:
        """Read ``[!] command | command ...``."""
        start = here = self.pos
        negated = False
        while (word := self.reserved()) in ("!", "time"):
            here = self.pos
            self.pos += len(word)
            self.skip()
            if word == "!":
                negated = not negated
            elif self.peek() != "(" and self.reserved() not in ("{", "if", "for", "while", "until", "case", "[[", "!"):
                self.pos = here
                break
        if negated and (self.peek() in ("", ";", "\n") or self.reserved() in _CLOSERS):
            if self.reserved() in _CLOSERS and not self.is_closer(self.reserved()):
                self.stray(self.reserved())
            return PipeForm(start, here + 1, [SimpleForm(here + 1, here + 1)], [], True)
        elements = [self.command()]
        operators: list[str] = []
        while True:
            self.skip()
            if self.peek() != "|" or self.text[self.pos : self.pos + 2] == "||":
                break
            operator = "|&" if self.text[self.pos : self.pos + 2] == "|&" else "|"
            at = self.pos
            self.pos += len(operator)
            self.newlines()
            char = self.peek()
            if not char or (char in "|&;)" and not self.redirect_here()) or self.reserved() in _CLOSERS:
                self.problem(f"Nothing follows `{operator}`.", at, at + len(operator))
                break
            operators.append(operator)
            while self.reserved() == "!":
                self.problem("`!` can only stand in front of a whole pipeline.", self.pos, self.pos + 1)
                self.pos += 1
                self.skip()
            elements.append(self.command())
        if len(elements) == 1 and not negated:
            return elements[0]
        return PipeForm(start, elements[-1].end, elements, operators, negated)

    # -- commands ----------------------------------------------------------------------------------------------

    def command(self) -> Form:
        """Read a compound or simple command."""
        if self.peek() == "(":
            block = self.arithmetic_command() if self.text.startswith("((", self.pos) else None
            if block is None:
                block = self.subshell()
            self.redirects_after(block)
            return block
        word = self.reserved()
        method = _COMPOUNDS.get(word)
        if method is None:
            return self.simple()
        start = self.pos
        self.pos += len(word)
        compound = method(self, start)
        if isinstance(compound, BlockForm):
            self.redirects_after(compound)
        return compound

    def redirects_after(self, block: BlockForm) -> None:
        """Read the redirections behind a compound command."""
        while True:
            self.skip()
            match = _REDIRECT.match(self.text, self.pos, self.end)
            if match is None or (self.text[match.end() : match.end() + 1] == "(" and match.group() in "<>"):
                return
            redirect = self.redirect(match)
            block.redirects.append(redirect)
            block.end = redirect.end

    def subshell(self) -> BlockForm:
        """Read ``( list )``."""
        start = self.pos
        self.pos += 1
        body = self.parenthesized(start)
        return BlockForm("(", start, self.pos, [("body", body)])

    def parenthesized(self, start: int) -> list[ItemForm]:
        """Read a list up to its closing parenthesis and go over it."""
        self.outer_parenthesis += 1
        stops, self.stops = self.stops, []
        body = self.items(frozenset(), ")")
        self.stops = stops
        self.outer_parenthesis -= 1
        if self.peek() == ")":
            self.pos += 1
        else:
            self.problem("`(` is never closed by `)`.", start, start + 1)
        return body

    def arithmetic_command(self) -> BlockForm | None:
        """Read ``(( expression ))``; None if it is a subshell in a subshell."""
        start = self.pos
        nested: list[NestedForm] = []
        if not self.arithmetic(start + 2, nested):
            return None
        return BlockForm("((", start, self.pos, [], words=[WordForm(start, self.pos, tuple(nested))])

    def expect(self, word: str, opener: str, start: int) -> bool:
        """Go over a closing word; note the problem if it is not there."""
        self.newlines()
        if self.reserved() == word:
            self.pos += len(word)
            return True
        self.problem(f"`{opener}` needs a `{word}`, which is missing.", start, start + len(opener))
        return False

    def close(self, word: str) -> None:
        """Go over a closing word where it stands; after a problem its absence is none of its own."""
        if self.reserved() == word:
            self.pos += len(word)

    def group(self, start: int) -> BlockForm:
        """Read ``{ list }``."""
        body = self.items(frozenset({"}"}), "")
        self.expect("}", "{", start)
        return BlockForm("{", start, self.pos, [("body", body)])

    def if_(self, start: int) -> BlockForm:
        """Read ``if list then list [elif ...] [else list] fi``."""
        sections = [("condition", self.items(frozenset({"then", "elif", "else", "fi"}), ""))]
        if not self.expect("then", "if", start):
            self.close("fi")
            return BlockForm("if", start, self.pos, sections)
        while True:
            sections.append(("then", self.items(frozenset({"elif", "else", "fi"}), "")))
            word = self.reserved()
            at = self.pos
            if word == "elif":
                self.pos += 4
                sections.append(("elif", self.items(frozenset({"then", "else", "fi"}), "")))
                if self.expect("then", "elif", at):
                    continue
                self.close("fi")
                break
            if word == "else":
                self.pos += 4
                sections.append(("else", self.items(frozenset({"fi"}), "")))
            self.expect("fi", "if", start)
            break
        return BlockForm("if", start, self.pos, sections)

    def while_(self, start: int) -> BlockForm:
        """Read ``while list do list done``."""
        kind = self.text[start : self.pos]
        sections = [("condition", self.items(frozenset({"do", "done"}), ""))]
        self.do_group(kind, start, sections)
        return BlockForm(kind, start, self.pos, sections)

    def do_group(self, kind: str, start: int, sections: list[tuple[str, list[ItemForm]]]) -> None:
        """Read ``do list done``; without ``do`` the list is read all the same."""
        if self.expect("do", kind, start):
            sections.append(("do", self.items(frozenset({"done"}), "")))
            self.expect("done", kind, start)
        elif self.peek():
            sections.append(("do", self.items(frozenset({"done"}), "")))
            self.close("done")

    def for_(self, start: int) -> BlockForm:
        """Read ``for name [in words]; do list done`` and ``for ((...; ...; ...)); do list done``."""
        kind = self.text[start : self.pos]
        self.skip()
        words: list[WordForm] = []
        name = None
        if self.text.startswith("((", self.pos):
            nested: list[NestedForm] = []
            at = self.pos
            if not self.arithmetic(at + 2, nested):
                self.problem("`((` is never closed by `))`.", at, at + 2)
                self.pos = self.end
            words.append(WordForm(at, self.pos, tuple(nested)))
            self.skip()
        else:
            match = _NAME.match(self.text, self.pos, self.end)
            if match is None:
                self.problem(f"`{kind}` needs a variable name.", start, self.pos)
            else:
                name = match.group()
                self.pos = match.end()
            self.newlines()
            if self.reserved() == "in":
                self.pos += 2
                while True:
                    self.skip()
                    word = self.word()
                    if word is None:
                        break
                    words.append(word)
        if self.peek() == ";":
            self.pos += 1
        self.newlines()
        sections: list[tuple[str, list[ItemForm]]] = []
        if self.reserved() == "{":
            at = self.pos
            self.pos += 1
            sections.append(("do", self.items(frozenset({"}"}), "")))
            self.expect("}", "{", at)
        else:
            if self.peek() in (";", "&", "|", ")", "("):
                char = self.peek()
                self.unexpected(char, self.pos)
                if char != ")":
                    self.pos += 1
            self.do_group(kind, start, sections)
        return BlockForm(kind, start, self.pos, sections, words=words, name=name)

    def case(self, start: int) -> BlockForm:
        """Read ``case word in pattern) list;; ... esac``."""
        self.skip()
        subject = self.word()
        words = [subject] if subject else []
        sections: list[tuple[str, list[ItemForm]]] = []
        if not self.expect("in", "case", start):
            return BlockForm("case", start, self.pos, sections, words=words)
        while True:
            self.newlines()
            if not self.peek() or self.reserved() == "esac":
                break
            at = self.pos
            if self.peek() == "(":
                self.pos += 1
                self.skip()
            while (pattern := self.word()) is not None:
                words.append(pattern)
                self.skip()
                if self.peek() != "|":
                    break
                self.pos += 1
                self.skip()
            if self.peek() != ")":
                self.problem("A pattern of `case` ends with `)`, which is missing.", at, max(self.pos, at + 1))
                if self.pos == at:
                    self.pos += 1
            else:
                self.pos += 1
            sections.append(("pattern", self.items(frozenset({"esac"}), ";")))
            if self.peek() == ";":
                self.pos += 3 if self.text.startswith(";;&", self.pos) else 2
            elif self.peek() and self.reserved() != "esac":
                break
        self.expect("esac", "case", start)
        return BlockForm("case", start, self.pos, sections, words=words)

    def function(self, start: int) -> Form:
        """Read ``function name [()] compound``."""
        self.skip()
        word = self.word()
        name = self.text[word.start : word.end] if word else None
        if name is None:
            self.problem("`function` needs a name.", start, start + 8)
        self.skip()
        match = _PARENTHESES.match(self.text, self.pos, self.end)
        if match:
            self.pos = match.end()
        return self.function_body(start, name)

    def function_body(self, start: int, name: str | None) -> Form:
        """Read the body of a function definition."""
        self.newlines()
        char = self.peek()
        if char and (char not in "|&;)"):
            body = self.command()
            return BlockForm("function", start, body.end, [("body", [ItemForm("", 0, 0, body)])], name=name)
        self.problem("The function has no body.", start, self.pos)
        return BlockForm("function", start, self.pos, [], name=name)

    def test(self, start: int) -> BlockForm:
        """Read ``[[ expression ]]``."""
        words: list[WordForm] = []
        regex = False
        while True:
            self.newlines()
            char = self.peek()
            if not char:
                self.problem("`[[` is never closed by `]]`.", start, start + 2)
                break
            word = self.word(regex=regex)
            regex = False
            if word is None:
                self.pos += 1
                continue
            text = self.text[word.start : word.end]
            if text == "]]":
                break
            regex = text == "=~"
            words.append(word)
        return BlockForm("[[", start, self.pos, [], words=words)

    def coproc(self, start: int) -> Form:
        """Read ``coproc command``."""
        self.skip()
        if not self.peek() or self.peek() in "|&;)\n":
            self.problem("`coproc` needs a command.", start, start + 6)
            return SimpleForm(start, start + 6)
        body = self.command()
        return BlockForm("coproc", start, body.end, [("body", [ItemForm("", 0, 0, body)])])

    def simple(self) -> Form:
        """Read a simple command or the head of a function definition."""
        start = end = self.pos
        form = SimpleForm(start, end)
        text = self.text
        while True:
            self.skip()
            if self.pos >= self.end:
                break
            char = text[self.pos]
            if char in "<>&0123456789{":
                match = _REDIRECT.match(text, self.pos, self.end)
                if match and not (match.group() in ("<", ">") and text[match.end() : match.end() + 1] == "("):
                    redirect = self.redirect(match)
                    form.redirects.append(redirect)
                    end = self.pos
                    continue
            if not form.words:
                match = ASSIGNMENT.match(text, self.pos, self.end)
                if match:
                    form.assignments.append(self.assignment(match))
                    end = self.pos
                    continue
            arrays = bool(form.words) and text[form.words[0].start : form.words[0].end] in _DECLARE
            word = self.word(arrays=arrays)
            if word is None:
                if char == "(" and len(form.words) == 1 and not form.assignments and not form.redirects:
                    match = _PARENTHESES.match(text, self.pos, self.end)
                    if match:
                        self.pos = match.end()
                        name = form.words[0]
                        return self.function_body(start, text[name.start : name.end])
                break
            form.words.append(word)
            end = self.pos
        if end == start:  # nothing read: the caller met a character that begins nothing
            char = self.peek()
            if char:
                self.unexpected(char, self.pos)
            else:
                self.problem("A command is missing here.", self.pos, self.pos)
            self.pos = min(self.pos + 1, self.end)
            end = self.pos
        form.end = end
        return form


_COMPOUNDS = {
    "{": _Reader.group,
    "if": _Reader.if_,
    "while": _Reader.while_,
    "until": _Reader.while_,
    "for": _Reader.for_,
    "select": _Reader.for_,
    "case": _Reader.case,
    "function": _Reader.function,
    "[[": _Reader.test,
    "coproc": _Reader.coproc,
}
