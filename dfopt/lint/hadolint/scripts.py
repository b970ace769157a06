"""The scripts that hadolint hands to ShellCheck, and the one comment on each that it keeps."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain

from dfopt.finding import Finding, Severity
from dfopt.graph.model import InstructionGraph
from dfopt.lint.hadolint.model import File, Line, Settings, span_of
from dfopt.lint.hadolint.pragmas import lone_comments, named_shell
from dfopt.lint.shellcheck import PROXIES, Body, Comment
from dfopt.syntax.tree import Arg, Dockerfile, Env, From, Joined, Onbuild, Run, Shell

_DEFAULT = "/bin/sh -c"
_UNREADABLE = ("pwsh", "powershell", "cmd")
_SHEBANGS = ("#!/bin/sh", "#!/bin/bash", "#!/bin/ksh", "#!/usr/bin/env sh", "#!/usr/bin/env bash", "#!/usr/bin/env ksh")


class LastComment(Body):
    """A script of which only the last comment is reported, at the first line of its instruction.

    hadolint keeps findings in a set that is ordered by their lines alone; so comments on one RUN replace each other.
    """

    __slots__ = ("line",)

    def __init__(self, source_index: int, line: Line, shell: str, names: Iterable[str]) -> None:
        first = shell.split()[0] if shell.split() else ""
        head = [f"#!{first}", *(f"export {name}=1" for name in sorted({*names, *PROXIES}))]
        super().__init__(source_index, head, Joined(line.text, ((0, line.instruction.span.start),)))
        self.line = line

    def findings(self, comments: list[Comment]) -> Iterator[Finding]:
        """Give the finding of the last comment."""
        if comments:
            last = comments[-1]
            message = last.message.strip().rstrip(".").replace("\n", " ")
            yield Finding(f"SC{last.code}", "shellcheck", Severity.parse(last.level), message, span_of(self.line))


class _Options:
    """The shell and the names of variables that hold at a place."""

    def __init__(self, shell: str = _DEFAULT, names: frozenset[str] = frozenset()) -> None:
        self.shell = shell
        self.names = names

    def after(self, line: Line) -> _Options:
        """Give the options behind a line. ARG and ENV lose the shell, as they do in hadolint 2.15.1."""
        instruction = line.instruction
        if isinstance(instruction, Shell):
            return _Options(line.text, self.names)
        if isinstance(instruction, (Arg, Env)):
            return _Options(_DEFAULT, self.names | {key for key, _ in line.pairs})
        return self


def bodies(graph: InstructionGraph, source_index: int = 0) -> list[Body]:
    """Give the scripts of a file's RUN instructions in shell form and of those behind ONBUILD."""
    tree = graph.tree
    file = File.of(tree, Settings())
    found: list[Body] = []
    onbuild = _Options()
    triggers = {line.number: line for line in file.triggers().lines}
    for line, options in _with_options(tree, file):
        if isinstance(line.instruction, Onbuild):
            trigger = triggers[line.number]
            found += _body(source_index, trigger, onbuild)
            onbuild = onbuild.after(trigger)
        else:
            found += _body(source_index, line, options)
    return found


def _body(source_index: int, line: Line, options: _Options) -> Iterator[Body]:
    if not isinstance(line.instruction, Run) or line.strings is not None or not line.text.strip():
        return
    if any(word in options.shell for word in _UNREADABLE):
        return
    text = line.text
    if text.startswith("#!") and not text.startswith(_SHEBANGS):
        return
    yield LastComment(source_index, line, options.shell, options.names)


def _with_options(tree: Dockerfile, file: File) -> Iterator[tuple[Line, _Options]]:
    """Give each line with the options in force.

    A comment that names a shell above FROM, ARG, ENV and SHELL is the default of all stages. A stage that is built on
    another one starts with the options that are in force at the end of that one.
    """
    default = current = _Options()
    opened = False
    alias: str | None = None
    stages: dict[str, _Options] = {}
    shells = ((one.span.start, named_shell(text)) for one, text in lone_comments(tree))
    lines = ((line.instruction.span.start, line) for line in file.lines)
    events: list[tuple[int, Line | str | None]] = sorted(chain(shells, lines), key=lambda one: one[0])
    for _, event in events:
        if isinstance(event, str):
            current = _Options(event, current.names)
            if not opened:
                default = _Options(event)
        elif event is not None:
            yield event, current
            opened = opened or isinstance(event.instruction, (From, Arg, Env, Shell))
            if isinstance(event.instruction, From):
                current = stages.get(event.image.full_name, default)
                alias = event.alias
            else:
                current = current.after(event)
        if alias is not None:
            stages[alias] = current
