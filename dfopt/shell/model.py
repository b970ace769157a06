"""Shell code as values: scripts, lists, pipelines and simple commands, each with its span in the file."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, TypeAlias

from msgspec import Struct

from dfopt.source import Span

Dialect = Literal["sh", "bash", "dash", "ksh", "zsh", "ash", "powershell", "cmd", "python", "other"]
POSIX: tuple[Dialect, ...] = ("sh", "bash", "dash", "ksh", "zsh", "ash")
Operator = Literal["", "&&", "||", ";", "&", "\n", "|", "|&"]


class ShellWord(Struct, frozen=True):
    """One word of a command.

    ``raw`` is the text as written after continuations are joined. ``value`` is what the shell makes of it: quotes and
    escapes removed and known variables put in; None where that cannot be known (an unset variable, a command
    substitution). ``pattern`` is the value with every unknown part replaced by ``*``: enough to tell which paths may be
    meant. ``glob`` tells whether unquoted ``* ? [`` or an unknown part stand in it. ``span`` covers it in the file.
    """

    raw: str
    value: str | None
    pattern: str
    span: Span
    glob: bool = False
    quoted: bool = False
    variables: tuple[str, ...] = ()


class Redirect(Struct, frozen=True):
    """A redirection: operator (``>``, ``>>``, ``<``, ``<<``, ``<<<``, ``&>``, ``>&`` ...), descriptor, target word.

    For a here-document ``body`` is its text.
    """

    operator: str
    fd: int | None
    target: ShellWord | None
    span: Span
    body: str | None = None


class Assignment(Struct, frozen=True):
    """``name=value`` in front of a command or alone."""

    name: str
    value: ShellWord | None
    span: Span
    append: bool = False


class Command(Struct, frozen=True):
    """One simple command.

    ``words`` are the name and the arguments; wrappers that only start another command (``sudo``, ``env A=b``, ``exec``,
    ``time``, ``nice``, ``xargs``, ``command``, ``sh -c '...'``) are seen through and listed by name in ``wrappers``.
    ``name`` is the value of the first word without its folder, or None where it cannot be known.
    ``operator`` joins it to what stands before it in its list ("" for the first), ``piped`` tells whether its input
    comes from a pipe, ``pipes`` whether its output goes into one. ``conditional`` is true where it may not run although
    everything before it succeeded (right of ``||``, inside if/case/loops/functions). ``subshell`` is true where
    changes of directory and variables are lost after it (parentheses, pipes, ``$(...)``, background).
    ``directory`` is the absolute directory it runs in as far as ``cd`` before it tells; None where unknown.
    ``environment`` are exported or prefixed variables known at this point beyond those given from outside.
    ``options`` are the shell options in force, by their long names (``errexit``, ``pipefail``, ``xtrace`` ...).
    A command that only assigns variables has no words. A known variable or brace expansion may give several words, or
    none; they share ``raw`` and ``span``.
    """

    words: tuple[ShellWord, ...]
    span: Span
    redirects: tuple[Redirect, ...] = ()
    assignments: tuple[Assignment, ...] = ()
    wrappers: tuple[str, ...] = ()
    operator: Operator = ""
    piped: bool = False
    pipes: bool = False
    negated: bool = False
    background: bool = False
    conditional: bool = False
    subshell: bool = False
    depth: int = 0
    directory: str | None = None
    environment: tuple[tuple[str, str | None], ...] = ()
    options: frozenset[str] = frozenset()

    @property
    def name(self) -> str | None:
        """The program's name without its folder."""
        if not self.words or self.words[0].value is None:
            return None
        return self.words[0].value.rsplit("/", 1)[-1]

    @property
    def arguments(self) -> tuple[ShellWord, ...]:
        """The words after the name."""
        return self.words[1:]

    @property
    def values(self) -> list[str]:
        """The arguments' values; an unknown one as its pattern."""
        return [word.pattern if word.value is None else word.value for word in self.words[1:]]

    def has(self, *options: str) -> bool:
        """Tell whether one of the words stands among the arguments exactly."""
        return any(word.value in options for word in self.words[1:])


class Pipeline(Struct, frozen=True):
    """Commands joined by ``|``; a single command is a pipeline of one. Elements may be compounds."""

    elements: tuple[Node, ...]
    span: Span
    negated: bool = False


class Compound(Struct, frozen=True):
    """``if``, ``for``, ``while``, ``until``, ``case``, ``{ }``, ``( )``, a function or ``[[ ]]`` with the lists inside.

    ``kind`` is the opening word (``if``, ``for``, ``select``, ``while``, ``until``, ``case``, ``{``, ``(``, ``[[``,
    ``((``, ``coproc``), ``function``, or ``script`` for ``sh -c 'code'`` and ``sh <<EOF``, whose shell is the ``name``
    and whose own words are the ``words``. ``name`` is the name of a function or of the variable of ``for``. ``words``
    are those of ``for``, ``case`` (subject first, then patterns) and ``[[``. ``sections`` are the lists of the body
    apart, each with its role: condition, then, elif (its condition), else, do, pattern, body.
    """

    kind: str
    body: tuple[ListItem, ...]
    span: Span
    redirects: tuple[Redirect, ...] = ()
    name: str | None = None
    words: tuple[ShellWord, ...] = ()
    sections: tuple[tuple[str, tuple[ListItem, ...]], ...] = ()


class ListItem(Struct, frozen=True):
    """One element of a list with the operator that stands *before* it ("" for the first) and that operator's span."""

    operator: Operator
    node: Node
    span: Span
    operator_span: Span | None = None


Node: TypeAlias = "Command | Pipeline | Compound"


class ShellProblem(Struct, frozen=True):
    """A syntax error of the shell code, with what to do about it."""

    message: str
    span: Span


class Script(Struct, frozen=True):
    """The shell code of one instruction.

    ``items`` is its top-level list. ``text`` is the code as the shell gets it. ``dialect`` comes from SHELL, a
    ``# hadolint shell=`` comment or a shebang; scripts of other languages have no items. ``options`` are the options in
    force at the start, by their long names (``errexit``, ``pipefail`` from SHELL or a shebang).
    """

    text: str
    dialect: Dialect
    items: tuple[ListItem, ...]
    span: Span
    problems: tuple[ShellProblem, ...] = ()
    options: frozenset[str] = frozenset()
    exec_form: bool = False
    comments: tuple[Span, ...] = ()
    flat: tuple[Command, ...] = ()

    @property
    def commands(self) -> tuple[Command, ...]:
        """All simple commands in the order in which they stand, those in compounds and substitutions included."""
        return self.flat

    @property
    def is_and_list(self) -> bool:
        """Tell whether the top level is joined by ``&&`` only: the shape that can be merged and split freely."""
        return all(item.operator in ("", "&&") for item in self.items)


def walk(items: tuple[ListItem, ...]) -> Iterator[Command | Pipeline | Compound]:
    """Give every node of a list, depth first."""
    for item in items:
        stack: list[Node] = [item.node]
        while stack:
            node = stack.pop()
            yield node
            if isinstance(node, Pipeline):
                stack.extend(reversed(node.elements))
            elif isinstance(node, Compound):
                yield from walk(node.body)
