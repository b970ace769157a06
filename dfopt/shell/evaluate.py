"""From syntax to commands: words expanded, directories, variables and options followed, wrappers seen through."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Mapping

from dfopt.shell.braces import expand_braces
from dfopt.shell.builtins import carry_out
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
from dfopt.shell.lexer import unquote
from dfopt.shell.model import (
    POSIX,
    Assignment,
    Command,
    Compound,
    Dialect,
    ListItem,
    Node,
    Operator,
    Pipeline,
    Redirect,
    ShellProblem,
    ShellWord,
)
from dfopt.shell.narrow import word_text
from dfopt.shell.state import State
from dfopt.shell.texts import Unescaped, heredoc_code, unescape, unquoted
from dfopt.shell.words import Expander, nested_ranges
from dfopt.shell.wrappers import inline_script, unwrap
from dfopt.source import Span
from dfopt.syntax.tree import Joined

_SAFE = re.compile(r"[A-Za-z0-9_@%+=:,./-]+")
_LEAVES = frozenset({"exit", "return", "exec", "break", "continue"})
_EXPANDS_BRACES = frozenset({"bash", "zsh", "ksh"})
_MAX_NESTING = 12
_new = tuple.__new__  # what Span(...) does, without the call in between

Read = Callable[[str], ScriptForm]


class Evaluator:
    """Evaluates one script; scripts inside it (``sh -c``, backticks) get evaluators that share its results."""

    def __init__(
        self,
        joined: Joined,
        read: Read,
        *,
        dialect: Dialect,
        variables: Mapping[str, str | None],
        narrow: bool = False,
        parent: Evaluator | None = None,
    ) -> None:
        self.joined = joined
        self.text = joined.text
        self.read = read
        self.dialect = dialect
        self.variables = variables
        self.narrow = narrow
        self.flat: list[Command | None] = parent.flat if parent else []
        self.problems: list[ShellProblem] = parent.problems if parent else []
        self.nesting: int = parent.nesting + 1 if parent else 0
        straight = len(joined.segments) == 1 and not isinstance(joined, Unescaped)
        self.shift = joined.segments[0][1] - joined.segments[0][0] if straight else None
        self.state = State(None, frozenset())
        self.expander = Expander(self.lookup, self.is_unset, self.printed)

    # -- places and variables ----------------------------------------------------------------------------------

    def span(self, start: int, end: int) -> Span:
        """Give the file span of a range of the text."""
        shift = self.shift
        return _new(Span, (start + shift, end + shift)) if shift is not None else self.joined.span(start, end)

    def lookup(self, name: str) -> str | None:
        """Give a variable's value here; None where it is not known."""
        state = self.state
        if name in state.values:
            return state.values[name]
        if name == "PWD":
            return state.directory
        if name == "OLDPWD":
            return state.previous
        return self.variables.get(name)

    def is_unset(self, name: str) -> bool:
        """Tell whether a variable is known to be unset."""
        return name in self.state.unset

    def printed(self, code: str) -> str | None:
        """Give what a command substitution prints, where that is plain."""
        return self.state.directory if code in ("pwd", "pwd -P") else None

    def words(self, form: WordForm, *, split: bool = True) -> list[ShellWord]:
        """Expand a word into the words that the command gets."""
        start, end = form.start, form.end
        raw = self.text[start:end]
        span = self.span(start, end)
        if _SAFE.fullmatch(raw):
            return [ShellWord(raw, raw, raw, span)]
        if self.narrow:
            text, pure = word_text(raw, nested_ranges(form.nested, start))
            return [ShellWord(raw, text, text, span, not pure)]
        raws = [raw]
        braces = False
        if split and not form.nested and "{" in raw and ("," in raw or ".." in raw):
            raws = expand_braces(raw)
            braces = len(raws) > 1
            if braces and self.dialect not in _EXPANDS_BRACES:
                raws = [raw]
        nested = nested_ranges(form.nested, start) if form.nested else ()
        found = []
        for one in raws:
            for value, pattern, glob, quoted, names in self.expander.expand(one, nested, split=split):
                if braces and len(raws) == 1:
                    pattern, glob = re.sub(r"\{[^{}]*\}", "*", pattern), True
                found.append(ShellWord(raw, value, pattern, span, glob, quoted, names))
        return found

    def word(self, form: WordForm) -> ShellWord:
        """Expand a word where no splitting takes place."""
        return self.words(form, split=False)[0]

    # -- lists -------------------------------------------------------------------------------------------------

    def items(
        self, forms: list[ItemForm], depth: int, conditional: bool, subshell: bool, wrappers: tuple[str, ...]
    ) -> tuple[ListItem, ...]:
        """Evaluate a list in order."""
        found: list[ListItem] = []
        for form in forms:
            operator: Operator = form.operator  # type: ignore[assignment]  # the readers only give operators
            alternative = operator == "||"
            branch: State | None = None
            if alternative or form.background:
                branch = self.state
                self.state = branch.copy()
            node = self.node(
                form.form, depth, conditional or alternative, subshell or form.background, wrappers, operator,
                form.background,
            )  # fmt: skip
            if branch is not None:
                after, self.state = self.state, branch
                if alternative and not form.background and not _leaves(form.form, self.text):
                    branch.merge(after)
            operator_span = self.span(form.start, form.end) if operator and form.end > form.start else None
            found.append(ListItem(operator, node, self.span(form.form.start, form.form.end), operator_span))
        return tuple(found)

    def node(
        self,
        form: Form,
        depth: int,
        conditional: bool,
        subshell: bool,
        wrappers: tuple[str, ...],
        operator: Operator = "",
        background: bool = False,
        piped: bool = False,
        pipes: bool = False,
        negated: bool = False,
    ) -> Node:
        """Evaluate a command, pipeline or compound."""
        if isinstance(form, SimpleForm):
            return self.simple(
                form, depth, conditional, subshell, wrappers, operator, background, piped, pipes, negated
            )
        if isinstance(form, BlockForm):
            return self.block(form, depth, conditional, subshell, wrappers)
        elements = []
        last = len(form.elements) - 1
        for index, element in enumerate(form.elements):
            keep = None
            if last:
                keep = self.state
                self.state = keep.copy()
            inner: Operator = form.operators[index - 1] if index else operator  # type: ignore[assignment]
            elements.append(
                self.node(
                    element, depth, conditional, subshell or last > 0, wrappers, inner, background,
                    piped or index > 0, pipes or index < last, form.negated and index == last,
                )
            )  # fmt: skip
            if keep is not None:
                self.state = keep
        return Pipeline(tuple(elements), self.span(form.start, form.end), form.negated)

    def block(
        self, form: BlockForm, depth: int, conditional: bool, subshell: bool, wrappers: tuple[str, ...]
    ) -> Compound:
        """Evaluate a compound command."""
        kind = form.kind
        for word in form.words:
            self.nested(word.nested, depth, conditional, wrappers)
        words = tuple(self.word(word) for word in form.words) if kind not in ("((",) else ()
        sections: list[tuple[str, tuple[ListItem, ...]]] = []
        before = self.state
        if kind in ("(", "coproc"):
            self.state = before.copy()
            sections = [
                (role, self.items(items, depth + 1, conditional, True, wrappers)) for role, items in form.sections
            ]
            self.state = before
        elif kind == "{":
            sections = [
                (role, self.items(items, depth + 1, conditional, subshell, wrappers)) for role, items in form.sections
            ]
        elif kind == "function":
            self.state = before.copy()
            self.forget(form)
            if self.changes_directory(form):
                self.state.directory = None
            sections = [(role, self.items(items, depth + 1, True, subshell, wrappers)) for role, items in form.sections]
            self.state = before
            if form.name and (self.changes_directory(form) or _assigned(form)):
                before.moving = before.moving | {form.name}
        elif kind in ("if", "case"):
            sections = self.branches(form, depth, conditional, subshell, wrappers)
        else:
            sections = self.loop(form, words, depth, conditional, subshell, wrappers)
        redirects = tuple(self.redirect(redirect, depth, conditional, wrappers) for redirect in form.redirects)
        body = tuple(item for _, items in sections for item in items)
        return Compound(kind, body, self.span(form.start, form.end), redirects, form.name, words, tuple(sections))

    def branches(
        self, form: BlockForm, depth: int, conditional: bool, subshell: bool, wrappers: tuple[str, ...]
    ) -> list[tuple[str, tuple[ListItem, ...]]]:
        """Evaluate ``if`` and ``case``: all branches start from the same state; what they change is merged."""
        sections = []
        ends: list[State] = []
        complete = False
        for role, items in form.sections:
            if role in ("condition", "elif"):
                run = conditional or role == "elif"
                sections.append((role, self.items(items, depth + 1, run, subshell, wrappers)))
                continue
            start = self.state
            self.state = start.copy()
            sections.append((role, self.items(items, depth + 1, True, subshell, wrappers)))
            if not (items and _leaves(items[-1].form, self.text)):
                ends.append(self.state)
            self.state = start
            complete = complete or role == "else"
        if complete and ends:
            self.state = ends.pop()
        for end in ends:
            self.state.merge(end)
        return sections

    def loop(
        self,
        form: BlockForm,
        words: tuple[ShellWord, ...],
        depth: int,
        conditional: bool,
        subshell: bool,
        wrappers: tuple[str, ...],
    ) -> list[tuple[str, tuple[ListItem, ...]]]:
        """Evaluate a loop: what its body changes is unknown at its beginning, unless the body changes it back."""
        start = self.state
        once = form.kind in ("for", "select") and len(words) == 1 and not words[0].glob
        if not once:
            self.forget(form)
        if form.name:
            start.assign(form.name, words[0].value if once else None)
        mark, problems = len(self.flat), len(self.problems)
        moves = not once and self.changes_directory(form)

        def run() -> list[tuple[str, tuple[ListItem, ...]]]:
            return [
                (role, self.items(items, depth + 1, conditional or role != "condition", subshell, wrappers))
                for role, items in form.sections
            ]

        self.state = start.copy()
        sections = run()
        if moves and self.state.directory != start.directory and start.directory is not None:
            del self.flat[mark:]
            del self.problems[problems:]
            self.state = start.copy()
            self.state.directory = self.state.previous = None
            sections = run() if depth < 6 else sections
        end, self.state = self.state, start
        start.merge(end)
        return sections

    def forget(self, form: BlockForm) -> None:
        """Make the variables that a body assigns unknown."""
        for name in _assigned(form):
            self.state.assign(name, None)

    def changes_directory(self, form: BlockForm) -> bool:
        """Tell whether a body holds a ``cd`` outside of subshells."""
        return any(
            simple.words and self.text[simple.words[0].start : simple.words[0].end] in ("cd", "pushd", "popd")
            for simple in _simple_forms(form)
        )

    # -- simple commands ---------------------------------------------------------------------------------------

    def nested(self, forms: tuple[NestedForm, ...], depth: int, conditional: bool, wrappers: tuple[str, ...]) -> None:
        """Evaluate the commands of substitutions."""
        for form in forms:
            keep = self.state
            self.state = keep.copy()
            if form.items is not None:
                self.items(form.items, depth + 1, conditional, True, wrappers)
            else:
                joined = unescape(self.joined, form.start + 1, max(form.end - 1, form.start + 1))
                self.script(joined, self.dialect, keep.copy(), depth + 1, conditional, wrappers)
            self.state = keep

    def script(
        self, joined: Joined, dialect: Dialect, state: State, depth: int, conditional: bool, wrappers: tuple[str, ...]
    ) -> tuple[ListItem, ...]:
        """Read and evaluate a script of its own inside this one."""
        if self.nesting >= _MAX_NESTING:
            return ()
        inner = Evaluator(joined, self.read, dialect=dialect, variables=self.variables, narrow=self.narrow, parent=self)
        inner.state = state
        return inner.run(depth, conditional, True, wrappers)[0]

    def run(
        self, depth: int = 0, conditional: bool = False, subshell: bool = False, wrappers: tuple[str, ...] = ()
    ) -> tuple[tuple[ListItem, ...], tuple[Span, ...]]:
        """Read and evaluate the text; give its list and its comments."""
        form = self.read(self.text)
        for message, start, end in form.problems:
            self.problems.append(ShellProblem(message, self.span(start, end)))
        items = self.items(form.items, depth, conditional, subshell, wrappers)
        return items, tuple(self.span(start, end) for start, end in form.comments)

    def redirect(self, form: RedirectForm, depth: int, conditional: bool, wrappers: tuple[str, ...]) -> Redirect:
        """Evaluate a redirection."""
        target = None
        body = None
        if form.operator in ("<<", "<<-"):
            if form.target is not None:
                raw = self.text[form.target.start : form.target.end]
                value = unquote(raw)
                span = self.span(form.target.start, form.target.end)
                target = ShellWord(raw, value, value, span, quoted=value != raw)
            if form.body_start >= 0:
                body = self.text[form.body_start : form.body_end]
                if form.operator == "<<-":
                    body = "".join(line.lstrip("\t") for line in body.splitlines(keepends=True))
            self.nested(form.nested, depth, conditional, wrappers)
        elif form.target is not None:
            self.nested(form.target.nested, depth, conditional, wrappers)
            target = self.word(form.target)
        return Redirect(form.operator, form.fd, target, self.span(form.start, form.end), body)

    def simple(
        self,
        form: SimpleForm,
        depth: int,
        conditional: bool,
        subshell: bool,
        wrappers: tuple[str, ...],
        operator: Operator,
        background: bool,
        piped: bool,
        pipes: bool,
        negated: bool,
    ) -> Node:
        """Evaluate a simple command; the result is a compound where it is a shell that is given its code."""
        state = self.state
        place = len(self.flat)
        self.flat.append(None)
        assignments = tuple(self.assignment(one, depth, conditional, wrappers) for one in form.assignments)
        words: list[ShellWord] = []
        for word in form.words:
            words += self.words(word)
        redirects = tuple(self.redirect(one, depth, conditional, wrappers) for one in form.redirects)
        extra: list[tuple[str, str | None]] = []
        if form.words:
            extra = [(one.name, one.value.value if one.value else "") for one in assignments]
        else:
            for one in assignments:
                self.set(one)
        directory = state.directory
        inner = words
        code: Compound | None = None
        while inner:
            if not self.narrow:
                code = self.inline(form, inner, depth, conditional, wrappers, redirects, extra, directory)
                if code is not None:
                    break
            found = unwrap(inner, self.narrow)
            if found is None:
                break
            inner = found.words
            wrappers = (*wrappers, found.name)
            extra += found.assignments
            if found.directory is not None:
                directory = posixpath.normpath(posixpath.join(directory, found.directory)) if directory else None
            if found.login:
                directory = None
        for word in form.words if any(word.nested for word in form.words) else ():
            if word.nested and not (code is not None and self.is_code(code, word)):
                self.nested(word.nested, depth, conditional, wrappers)
        if form.redirects and len(self.flat) > place + 2:  # in the order in which they stand, redirections included
            self.flat[place + 1 :] = sorted(self.flat[place + 1 :], key=lambda one: one.span.start if one else 0)
        if code is not None:
            del self.flat[place]
            return code
        command = Command(
            tuple(inner), self.span(form.start, form.end), redirects, assignments, wrappers, operator, piped, pipes,
            negated, background, conditional, subshell, depth, directory, self.environment(extra), state.options,
        )  # fmt: skip
        self.flat[place] = command
        if words and (inner is words or wrappers[-1] in ("command", "builtin")):
            carry_out(inner, state, self.lookup)
        return command

    def exec_form(self, words: tuple[ShellWord, ...], span: Span, directory: str | None) -> Command:
        """Give the command of a JSON array: its strings are the words, nothing is expanded."""
        inner = list(words)
        wrappers: tuple[str, ...] = ()
        extra: list[tuple[str, str | None]] = []
        while inner and (found := unwrap(inner, self.narrow)) is not None:
            inner = found.words
            wrappers = (*wrappers, found.name)
            extra += found.assignments
            if found.directory is not None:
                directory = posixpath.normpath(posixpath.join(directory, found.directory)) if directory else None
        return Command(
            tuple(inner), span, wrappers=wrappers, directory=directory, environment=tuple(dict(extra).items())
        )

    def is_code(self, code: Compound, word: WordForm) -> bool:
        """Tell whether a word is the one that holds the script of a compound."""
        span = self.span(word.start, word.end)
        return code.body[0].span.start in span if code.body else code.words[-1].span == span

    def inline(
        self,
        form: SimpleForm,
        words: list[ShellWord],
        depth: int,
        conditional: bool,
        wrappers: tuple[str, ...],
        redirects: tuple[Redirect, ...],
        extra: list[tuple[str, str | None]],
        directory: str | None,
    ) -> Compound | None:
        """See through ``sh -c 'code'`` and ``sh <<EOF``."""
        fed = next((one for one in form.redirects if one.operator in ("<<", "<<-") and not one.fd), None)
        found = inline_script(words, fed is not None and fed.body_start >= 0)
        if found is None or self.nesting >= _MAX_NESTING:
            return None
        code = self.given_code(form, words, found.place) if found.place >= 0 else self.fed_code(fed)
        if code is None:
            return None
        joined, expands = code
        state = self.state.copy()
        state.options = found.options
        state.directory = None if found.login else directory
        for name, value in extra:
            state.assign(name, value)
            state.export(name)
        if not expands:
            for name in list(state.values):
                if name not in state.exported and name not in self.variables:
                    state.remove(name)
        shell: Dialect = found.shell if found.shell in POSIX else "sh"
        items = self.script(joined, shell, state, depth + 1, conditional, (*wrappers, found.shell))
        return Compound(
            "script", items, self.span(form.start, form.end), redirects, found.shell,
            tuple(words[: found.place + 1] if found.place >= 0 else words), (("body", items),),
        )  # fmt: skip

    def given_code(self, form: SimpleForm, words: list[ShellWord], place: int) -> tuple[Joined, bool] | None:
        """Give the code in a word and whether the outer shell expands it."""
        span = words[place].span
        word = next((one for one in form.words if self.span(one.start, one.end) == span), None)
        raw = self.text[word.start : word.end] if word else ""
        if word is None or not raw or (raw[0] not in "'\"" and words[place].value is None):
            return None
        return unquoted(self.joined, word.start, word.end), "$" in raw and raw[0] != "'"

    def fed_code(self, form: RedirectForm | None) -> tuple[Joined, bool] | None:
        """Give the code in a here-document and whether the outer shell expands it."""
        if form is None or form.target is None:
            return None
        raw = self.text[form.target.start : form.target.end]
        expands = unquote(raw) == raw
        tabs = form.operator == "<<-"
        body = self.span(form.body_start, form.body_end)
        own = len(self.flat)  # what this command has added: the substitutions of the body are found again in the code
        while self.flat[own - 1] is not None:
            own -= 1
        self.flat[own:] = [one for one in self.flat[own:] if one and one.span.start not in body]
        return heredoc_code(self.joined, form.body_start, form.body_end, tabs=tabs, expand=expands), expands

    def assignment(self, form: AssignmentForm, depth: int, conditional: bool, wrappers: tuple[str, ...]) -> Assignment:
        """Evaluate an assignment without carrying it out."""
        self.nested(form.value.nested, depth, conditional, wrappers)
        start, end = form.value.start, form.value.end
        raw = self.text[start:end]
        if raw.startswith("(") or form.indexed:
            value = ShellWord(raw, None, "*", self.span(start, end), True)
        elif raw:
            value = self.word(form.value)
        else:
            value = ShellWord("", "", "", self.span(start, end))
        return Assignment(form.name, value, self.span(form.start, form.end), form.append)

    def set(self, one: Assignment) -> None:
        """Carry out an assignment."""
        value = one.value.value if one.value else ""
        if one.append:
            before = self.lookup(one.name)
            value = None if before is None or value is None else before + value
        self.state.assign(one.name, value)

    def environment(self, extra: list[tuple[str, str | None]]) -> tuple[tuple[str, str | None], ...]:
        """Give the exported and prefixed variables beyond those from outside."""
        visible = self.state.visible(self.variables)
        return tuple({**dict(visible), **dict(extra)}.items()) if extra else visible


def _leaves(form: Form, text: str) -> bool:
    """Tell whether nothing of this script runs after a command, as after ``exit 1``."""
    while True:
        if isinstance(form, SimpleForm):
            return bool(form.words) and text[form.words[0].start : form.words[0].end] in _LEAVES
        if isinstance(form, PipeForm) or form.kind != "{" or not form.sections or not form.sections[-1][1]:
            return False
        form = form.sections[-1][1][-1].form


def _simple_forms(form: Form) -> list[SimpleForm]:
    """Give the simple commands of a form that run in the same shell."""
    found: list[SimpleForm] = []
    stack: list[Form] = [form]
    while stack:
        one = stack.pop()
        if isinstance(one, SimpleForm):
            found.append(one)
        elif isinstance(one, PipeForm):
            stack += one.elements if len(one.elements) == 1 else []
        elif one.kind != "(":
            stack += [item.form for _, items in one.sections for item in items]
    return found


def _assigned(form: BlockForm) -> set[str]:
    """Give the names of the variables that a body may set."""
    return {one.name for simple in _simple_forms(form) for one in simple.assignments if not simple.words}
