"""Shell syntax by tree-sitter-bash.

Its tree is put into the forms of ``dfopt.shell.forms``. Where the tree holds an error, or a construct that the grammar
is known to read otherwise than a shell (here-documents, a backslash before a blank, ...), our own reader does the work.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

from dfopt.shell import reader
from dfopt.shell.forms import (
    AssignmentForm,
    BlockForm,
    Form,
    ItemForm,
    NestedForm,
    PipeForm,
    RedirectForm,
    ScriptForm,
    SimpleForm,
    WordForm,
)
from dfopt.shell.lexer import ASSIGNMENT

if TYPE_CHECKING:
    from collections.abc import Callable

    from tree_sitter import Node, Parser

_ODD_BLANK = re.compile(r"[\0\r\v\f]")
_ODD_DOLLAR = re.compile(r"\$[ \t\n]")
_JOINED_LINES = re.compile(r"[^ \t\n]\\\n(?=[^ \t\n])|\n[ \t]*\\")
_EXTENDED_PATTERN = re.compile(r"[?*+@!]\(")
_TEST_END = re.compile(r"[\[{}][ \t]+\]\]")
_DIGITS_REDIRECTED = re.compile(r"[^\s\d;&|()]\d+[<>]")
_NOT_ASCII = re.compile(r"[^\0-\x7f]")
_SUBSTITUTION = re.compile(r"\$\(|`|[<>]\(")
_SUBSTITUTIONS = frozenset({"command_substitution", "process_substitution"})
_SEPARATORS = frozenset({";", "&", "\n"})
_RESERVED = frozenset(
    {"if", "then", "elif", "else", "fi", "for", "select", "while", "until", "do", "done", "case", "esac", "in",
     "function", "coproc", "{", "}", "!", "[[", "]]"}
)  # fmt: skip
_MAX_DEPTH = 40


class _Unsure(Exception):
    """The tree holds something that our own reader has to look at."""


@cache
def _parser() -> Parser:
    import tree_sitter
    import tree_sitter_bash

    return tree_sitter.Parser(tree_sitter.Language(tree_sitter_bash.language()))


def read(text: str) -> ScriptForm:
    """Read a whole script with tree-sitter-bash, or with our own reader where that one is not to be trusted."""
    return read_tree(text) or reader.read(text)


def _is_trusted(text: str) -> bool:
    """Tell whether a text is free of what the grammar is known to read otherwise than a shell."""
    return not (
        "<<" in text  # here-documents and here-strings
        or "\\ " in text  # an escaped blank is taken for white space
        or "\\\t" in text
        or "``" in text
        or "$`" in text
        or _ODD_BLANK.search(text)  # no white space for a shell
        or _ODD_DOLLAR.search(text)  # a dollar sign alone is glued to what follows
        or ("\n" in text and _JOINED_LINES.search(text))
        or ("(" in text and _EXTENDED_PATTERN.search(text))
        or ("]]" in text and _TEST_END.search(text))  # two words are taken for one
        or ((">" in text or "<" in text) and _DIGITS_REDIRECTED.search(text))  # they are no descriptor
    )


def read_tree(text: str) -> ScriptForm | None:
    """Read a whole script with tree-sitter-bash; None where its tree is broken or not to be trusted."""
    if not _is_trusted(text):
        return None
    data = text if text.isascii() else _NOT_ASCII.sub(".", text)
    root = _parser().parse(data.encode()).root_node
    if root.has_error:
        return None
    try:
        conversion = _Conversion(text)
        return ScriptForm(conversion.items(root.children), conversion.comments)
    except _Unsure:
        return None


class _Conversion:
    """Puts one tree into forms."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.comments: list[tuple[int, int]] = []
        self.substitutes = _SUBSTITUTION.search(text) is not None
        self.depth = 0

    def items(self, nodes: list[Node]) -> list[ItemForm]:
        """Convert statements and the separators between them."""
        self.depth += 1
        if self.depth > _MAX_DEPTH:
            raise _Unsure
        items: list[ItemForm] = []
        operator, start, end = "", 0, 0
        first = 0
        for node in nodes:
            kind = node.type
            if kind in _SEPARATORS:
                if kind == "&":
                    for item in items[first:]:
                        item.background = True
                if operator in ("", "\n") or kind != "\n":
                    operator, start, end = kind, node.start_byte, node.end_byte
                first = len(items)
            elif kind == "comment":
                self.comments.append((node.start_byte, node.end_byte))
            else:
                if items and not operator:
                    between = self.text.find("\n", items[-1].form.end, node.start_byte)
                    if between < 0:
                        raise _Unsure
                    operator, start, end, first = "\n", between, between + 1, len(items)
                if items:
                    self.statement(node, operator, start, end, items)
                else:
                    self.statement(node, "", 0, 0, items)
                operator = ""
        self.depth -= 1
        return items

    def statement(self, node: Node, operator: str, start: int, end: int, items: list[ItemForm]) -> None:
        """Convert a statement; a list of ``&&`` and ``||`` adds all its elements."""
        spine: list[tuple[Node, list[Node]]] = []
        while True:
            kind = node.type
            if kind == "list":
                children = node.children
            elif kind == "redirected_statement":
                children = node.children
                if children[0].type != "list":
                    break
            else:
                break
            spine.append((node, children))
            node = children[0]
        items.append(ItemForm(operator, start, end, self.form(node)))
        for node, children in reversed(spine):
            if node.type == "redirected_statement":
                self.redirect_last(items[-1].form, children[1:])
                continue
            operator = ""
            for child in children[1:]:
                kind = child.type
                if kind in ("&&", "||"):
                    operator, start, end = kind, child.start_byte, child.end_byte
                elif kind == "comment":
                    self.comments.append((child.start_byte, child.end_byte))
                elif operator:
                    self.statement(child, operator, start, end, items)
                    operator = ""
                else:
                    raise _Unsure

    def redirect_last(self, form: Form, nodes: list[Node]) -> None:
        """Add redirections that the tree hangs on a list or pipeline to its last command."""
        parents = []
        while isinstance(form, PipeForm):
            parents.append(form)
            form = form.elements[-1]
        for node in nodes:
            if node.type == "comment":
                self.comments.append((node.start_byte, node.end_byte))
            elif node.type == "file_redirect":
                self.redirect(node, form)
            else:
                raise _Unsure
        for parent in parents:
            parent.end = form.end

    def redirect(self, node: Node, form: SimpleForm | BlockForm) -> None:
        """Convert ``> file`` and add it; the tree counts further words to it, which are arguments."""
        fd = None
        operator = ""
        target: WordForm | None = None
        start = node.start_byte
        end = start
        for child in node.children:
            kind = child.type
            if kind == "file_descriptor":
                digits = self.text[child.start_byte : child.end_byte]
                fd = int(digits) if digits.isdigit() else None
                if start and self.text[start - 1] not in " \t\n;&|()":
                    raise _Unsure
            elif not operator:
                operator = kind
                end = child.end_byte
            elif target is None:
                if "\n" in self.text[end : child.start_byte]:
                    raise _Unsure
                target = self.word(child)
                end = target.end
            elif target.end == child.start_byte:
                word = self.word(child)
                target = WordForm(target.start, word.end, target.nested + word.nested)
                end = word.end
            elif isinstance(form, SimpleForm):
                self.add_word(form, child)
            else:
                raise _Unsure
        if target is None:
            raise _Unsure
        form.redirects.append(RedirectForm(operator, fd, target, start, end))
        form.end = max(form.end, node.end_byte)
        form.start = min(form.start, start)

    def add_word(self, form: SimpleForm, node: Node) -> None:
        """Add an argument; pieces that touch are one word."""
        word = self.word(node)
        words = form.words
        if form.redirects:
            between = self.text[form.redirects[-1].end : word.start]
            if not between or (not words and "\n" in between):
                raise _Unsure
        if not words or words[-1].end != word.start:
            words.append(word)
        elif len(words[-1].nested) > _MAX_DEPTH:  # gluing on and on would take quadratic time
            raise _Unsure
        else:
            words[-1] = WordForm(words[-1].start, word.end, words[-1].nested + word.nested)

    def word(self, node: Node) -> WordForm:
        """Convert a word."""
        if not self.substitutes or not node.child_count:
            return WordForm(node.start_byte, node.end_byte)
        nested: list[NestedForm] = []
        self.nested(node, nested)
        return WordForm(node.start_byte, node.end_byte, tuple(nested))

    def nested(self, node: Node, found: list[NestedForm]) -> None:
        """Collect the substitutions inside a node."""
        if node.type in _SUBSTITUTIONS:
            children = node.children
            opener = children[0].type
            items = None
            if opener != "`":
                inner = children[1:-1]
                if inner and inner[0].type == "file_redirect":
                    form = SimpleForm(inner[0].start_byte, inner[0].end_byte)
                    for one in inner:
                        self.redirect(one, form)
                    items = [ItemForm("", 0, 0, form)]
                else:
                    items = self.items(inner)
            start = node.start_byte
            start += len(self.text[start : node.end_byte]) - len(self.text[start : node.end_byte].lstrip())
            found.append(NestedForm(opener, start, node.end_byte, items))
            return
        self.depth += 1
        if self.depth > _MAX_DEPTH:
            raise _Unsure
        for child in node.children:
            if child.child_count:
                self.nested(child, found)
        self.depth -= 1

    def form(self, node: Node) -> Form:
        """Convert one statement that is not a list."""
        method = _FORMS.get(node.type)
        if method is None:
            raise _Unsure
        return method(self, node)

    def command(self, node: Node) -> SimpleForm:
        """Convert a simple command."""
        form = SimpleForm(node.start_byte, node.end_byte)
        words = form.words
        for child in node.children:
            kind = child.type
            if kind == "variable_assignment" and not words:
                form.assignments.append(self.assignment(child))
            elif kind == "file_redirect":
                self.redirect(child, form)
            elif kind == "comment":
                self.comments.append((child.start_byte, child.end_byte))
            elif kind in ("subshell", "herestring_redirect") or (
                form.assignments and not words and form.assignments[-1].end == child.start_byte
            ):
                raise _Unsure
            else:
                self.add_word(form, child)
        if words:
            first = self.text[words[0].start : words[0].end]
            if first in _RESERVED or (first == "time" and len(words) > 1):
                second = self.text[words[1].start : words[1].end] if first == "time" else first
                if second in _RESERVED and not form.assignments:
                    raise _Unsure
            form.end = max(form.end, words[-1].end)
        return form

    def assignments(self, node: Node) -> SimpleForm:
        """Convert assignments without a command."""
        form = SimpleForm(node.start_byte, node.end_byte)
        nodes = [node] if node.type == "variable_assignment" else node.children
        form.assignments = [self.assignment(child) for child in nodes]
        return form

    def assignment(self, node: Node) -> AssignmentForm:
        """Convert ``name=value``."""
        start, end = node.start_byte, node.end_byte
        match = ASSIGNMENT.match(self.text, start, end)
        if match is None:
            raise _Unsure
        value_text = self.text[match.end() : end]
        if (value_text[:1] == "(" and "#" in value_text) or (  # comments in an array, several words taken for one
            node.children[-1].type == "word" and any(blank in value_text for blank in " \t\n")
        ):
            raise _Unsure
        nested: list[NestedForm] = []
        if self.substitutes:
            self.nested(node, nested)
        value = WordForm(match.end(), end, tuple(nested))
        return AssignmentForm(match.group(1), match.group(3) == "+=", value, start, end, match.group(2) is not None)

    def redirected(self, node: Node) -> Form:
        """Convert a statement with redirections."""
        children = node.children
        if children[0].type == "file_redirect":
            form: Form = SimpleForm(node.start_byte, node.end_byte)
            self.redirect_last(form, children)
            return form
        form = self.form(children[0])
        self.redirect_last(form, children[1:])
        return form

    def pipeline(self, node: Node) -> PipeForm:
        """Convert ``a | b``."""
        elements: list[Form] = []
        operators: list[str] = []
        negated = False
        for child in node.children:
            kind = child.type
            if kind in ("|", "|&"):
                operators.append(kind)
            elif kind == "comment":
                self.comments.append((child.start_byte, child.end_byte))
            else:
                form = self.form(child)
                if isinstance(form, PipeForm):
                    if form.negated and elements:
                        raise _Unsure
                    negated = negated or form.negated
                    operators += form.operators
                    elements += form.elements
                else:
                    elements.append(form)
        return PipeForm(node.start_byte, max(node.end_byte, elements[-1].end), elements, operators, negated)

    def negation(self, node: Node) -> PipeForm:
        """Convert ``! a``."""
        form = self.form(node.children[1])
        if self.text[node.start_byte + 1] not in " \t" or "\n" in self.text[node.start_byte : form.start]:
            raise _Unsure
        if isinstance(form, PipeForm):
            return PipeForm(node.start_byte, form.end, form.elements, form.operators, not form.negated)
        return PipeForm(node.start_byte, form.end, [form], [], True)

    def test(self, node: Node) -> Form:
        """Convert ``[ ... ]`` and ``[[ ... ]]``, whose words the tree puts into expressions, by our own reader."""
        return self.reread(node)

    def reread(self, node: Node) -> Form:
        """Read a range with our own reader."""
        form, problems, comments = reader.read_command(self.text, node.start_byte, node.end_byte)
        if problems or form.end != node.end_byte:
            raise _Unsure
        self.comments += comments
        return form

    def subshell(self, node: Node) -> BlockForm:
        """Convert ``( list )``."""
        body = self.items(node.children[1:-1])
        return BlockForm("(", node.start_byte, node.end_byte, [("body", body)])

    def group(self, node: Node) -> Form:
        """Convert ``{ list }`` and ``(( expression ))``."""
        children = node.children
        if children[0].type == "((":
            return self.reread(node)
        if len(children) < 3 or self.text[node.start_byte + 1] not in " \t\n":  # ``{}`` and ``{a`` are words
            raise _Unsure
        return BlockForm("{", node.start_byte, node.end_byte, [("body", self.items(children[1:-1]))])

    def if_(self, node: Node) -> BlockForm:
        """Convert ``if``."""
        sections: list[tuple[str, list[ItemForm]]] = []
        role = "condition"
        inner: list[Node] = []
        for child in node.children[1:]:
            kind = child.type
            if kind == "then":
                sections.append((role, self.items(inner)))
                role, inner = "then", []
            elif kind in ("elif_clause", "else_clause"):
                if role == "then":
                    sections.append((role, self.items(inner)))
                role = ""
                self.clause(child, sections)
            elif kind == "fi":
                if role == "then":
                    sections.append((role, self.items(inner)))
            elif kind == "comment" and not role:
                self.comments.append((child.start_byte, child.end_byte))
            elif role:
                inner.append(child)
            elif kind not in _SEPARATORS:
                raise _Unsure
        return BlockForm("if", node.start_byte, node.end_byte, sections)

    def clause(self, node: Node, sections: list[tuple[str, list[ItemForm]]]) -> None:
        """Convert ``elif`` or ``else``."""
        role = "elif" if node.type == "elif_clause" else "else"
        inner: list[Node] = []
        for child in node.children[1:]:
            if child.type == "then" and role == "elif":
                sections.append((role, self.items(inner)))
                role, inner = "then", []
            else:
                inner.append(child)
        sections.append((role, self.items(inner)))

    def while_(self, node: Node) -> BlockForm:
        """Convert ``while`` and ``until``."""
        children = node.children
        if children[-1].type != "do_group":
            raise _Unsure
        sections = [("condition", self.items(children[1:-1])), ("do", self.items(children[-1].children[1:-1]))]
        return BlockForm(children[0].type, node.start_byte, node.end_byte, sections)

    def for_(self, node: Node) -> BlockForm:
        """Convert ``for name in words`` and ``select``."""
        children = node.children
        name = None
        words: list[WordForm] = []
        for child in children[1:-1]:
            kind = child.type
            if name is None and kind == "variable_name":
                name = self.text[child.start_byte : child.end_byte]
            elif kind == "comment":
                self.comments.append((child.start_byte, child.end_byte))
            elif kind == "in":
                if self.text[child.end_byte] not in " \t\n;":
                    raise _Unsure
            elif kind not in (";", "\n"):
                word = self.word(child)
                if words and words[-1].end == word.start:
                    words[-1] = WordForm(words[-1].start, word.end, words[-1].nested + word.nested)
                else:
                    words.append(word)
        body = children[-1]
        if name is None or body.type not in ("do_group", "compound_statement"):
            raise _Unsure
        sections = [("do", self.items(body.children[1:-1]))]
        return BlockForm(children[0].type, node.start_byte, node.end_byte, sections, words=words, name=name)

    def case(self, node: Node) -> BlockForm:
        """Convert ``case``."""
        words: list[WordForm] = []
        sections: list[tuple[str, list[ItemForm]]] = []
        for child in node.children[1:-1]:
            kind = child.type
            if kind == "case_item":
                self.case_item(child, words, sections)
            elif kind == "comment":
                self.comments.append((child.start_byte, child.end_byte))
            elif kind not in ("in", ";", "\n"):
                words.append(self.word(child))
        return BlockForm("case", node.start_byte, node.end_byte, sections, words=words)

    def case_item(self, node: Node, words: list[WordForm], sections: list[tuple[str, list[ItemForm]]]) -> None:
        """Convert one pattern of ``case`` and its list."""
        inner: list[Node] = []
        patterns = True
        touching = False
        for child in node.children:
            kind = child.type
            if not patterns:
                if kind not in (";;", ";&", ";;&"):
                    inner.append(child)
            elif kind == ")":
                patterns = False
            elif kind in ("(", "|"):
                touching = False
            elif touching and words[-1].end == child.start_byte:
                word = self.word(child)
                words[-1] = WordForm(words[-1].start, word.end, words[-1].nested + word.nested)
            else:
                words.append(self.word(child))
                touching = True
        sections.append(("pattern", self.items(inner)))

    def function(self, node: Node) -> BlockForm:
        """Convert a function definition."""
        children = node.children
        index = 1 if children[0].type == "function" else 0
        name = self.text[children[index].start_byte : children[index].end_byte]
        bodies = [child for child in children[index + 1 :] if child.type not in ("(", ")", "\n", "comment")]
        if not bodies or len(bodies) > 1:
            raise _Unsure
        body = self.form(bodies[0])
        sections = [("body", [ItemForm("", 0, 0, body)])]
        return BlockForm("function", node.start_byte, node.end_byte, sections, name=name)


_FORMS: dict[str, Callable[[_Conversion, Node], Form]] = {
    "command": _Conversion.command,
    "declaration_command": _Conversion.command,
    "unset_command": _Conversion.command,
    "variable_assignment": _Conversion.assignments,
    "variable_assignments": _Conversion.assignments,
    "redirected_statement": _Conversion.redirected,
    "pipeline": _Conversion.pipeline,
    "negated_command": _Conversion.negation,
    "test_command": _Conversion.test,
    "subshell": _Conversion.subshell,
    "compound_statement": _Conversion.group,
    "if_statement": _Conversion.if_,
    "while_statement": _Conversion.while_,
    "for_statement": _Conversion.for_,
    "c_style_for_statement": _Conversion.reread,
    "case_statement": _Conversion.case,
    "function_definition": _Conversion.function,
}
