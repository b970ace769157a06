"""The shell code of an instruction: which language it is, where it stands in the file, and its commands."""

from __future__ import annotations

import re
from collections.abc import Mapping

from msgspec import structs

from dfopt.shell.evaluate import Evaluator
from dfopt.shell.model import POSIX, Command, Compound, Dialect, ListItem, Script, ShellWord
from dfopt.shell.texts import heredoc_text, json_text, with_heredocs
from dfopt.shell.treesitter import read
from dfopt.shell.wrappers import change_options, inline_script
from dfopt.source import Span
from dfopt.syntax.tree import Cmd, Entrypoint, Healthcheck, Joined, Run, Word

_NO_VARIABLES: Mapping[str, str | None] = {}
_PRAGMA = re.compile(r"#?\s*hadolint\s+shell\s*=\s*([^\s#]+)\s*(?:#.*)?\Z")
_SHEBANG = re.compile(r"#![ \t]*(\S+)[ \t]*([^\r\n]*)")
_DIALECTS: dict[str, Dialect] = {
    "sh": "sh", "bash": "bash", "dash": "dash", "ksh": "ksh", "mksh": "ksh", "zsh": "zsh", "ash": "ash",
    "powershell": "powershell", "pwsh": "powershell", "cmd": "cmd",
}  # fmt: skip


def dialect_of(program: str) -> Dialect:
    """Give the language that a program such as ``/bin/bash`` or ``pwsh.exe`` reads."""
    name = program.replace("\\", "/").rsplit("/", 1)[-1].lower()
    name = name[:-4] if name.endswith(".exe") else name
    return _DIALECTS.get(name) or ("python" if re.fullmatch(r"python[\d.]*", name) else "other")


def shell_pragma(comment: str) -> Dialect | None:
    """Give the language that a ``# hadolint shell=...`` comment names."""
    if "hadolint" not in comment:
        return None
    match = _PRAGMA.match(comment.strip())
    return dialect_of(match.group(1)) if match else None


def parse_script(
    joined: Joined,
    *,
    dialect: Dialect = "sh",
    variables: Mapping[str, str | None] = _NO_VARIABLES,
    directory: str | None = "/",
    options: frozenset[str] = frozenset(),
    narrow: bool = False,
    wrappers: tuple[str, ...] = (),
) -> Script:
    """Parse shell code; its spans are places in the file. Code of other languages than a shell's has no commands.

    ``variables`` are those the shell starts with (None for a value that is not known), ``directory`` where it starts.
    With ``narrow`` the script is given as hadolint sees it: every word as text (``${X}`` for a variable; the first
    word has no value unless it is a literal), strings of ``sh -c`` and wrappers other than ``exec``, ``command``,
    ``builtin`` and ``busybox`` not entered, tests and assignments no commands, and nothing where the syntax is wrong.
    ``wrappers`` are the programs around the code.
    """
    text = joined.text
    span = joined.span(0, len(text))
    if dialect not in POSIX:
        return Script(text, dialect, (), span, options=options)
    evaluator = Evaluator(joined, read, dialect=dialect, variables=variables, narrow=narrow)
    evaluator.state.directory = directory
    evaluator.state.options = options
    items, comments = evaluator.run(wrappers=wrappers)
    flat = tuple(command for command in evaluator.flat if command is not None)
    if narrow:
        flat = tuple(map(_narrow_command, filter(_counts, flat))) if not evaluator.problems else ()
        items = () if evaluator.problems else items
    return Script(text, dialect, items, span, tuple(evaluator.problems), options, False, comments, flat)


def script_of(
    instruction: Run | Cmd | Entrypoint | Healthcheck,
    *,
    shell: tuple[str, ...] = ("/bin/sh", "-c"),
    variables: Mapping[str, str | None] = _NO_VARIABLES,
    directory: str | None = "/",
    dialect_override: Dialect | None = None,
    narrow: bool = False,
) -> Script | None:
    """Give the script of an instruction, None where it has none (``HEALTHCHECK NONE``, ``CMD []``).

    ``shell`` is the vector of SHELL in force. A ``# hadolint shell=`` comment directly above wins over it, and
    ``dialect_override`` (one further above) does as well.
    """
    if instruction.exec_form is not None:
        return _exec_script(instruction, instruction.exec_form, variables, directory, narrow)
    dialect = dialect_of(shell[0]) if shell else "sh"
    options = change_options(list(shell[1:]), frozenset())[0] if dialect in POSIX else frozenset()
    if dialect_override is not None:
        dialect = dialect_override
    for comment in instruction.comments:
        dialect = shell_pragma(comment.text) or dialect
    joined = script_text(instruction)
    if joined is None:
        return None
    if isinstance(instruction, Run) and instruction.script_heredoc is not None:
        match = _SHEBANG.match(joined.text)
        if match:
            dialect, options = _shebang(match)
    return parse_script(
        joined, dialect=dialect, variables=variables, directory=directory, options=options, narrow=narrow
    )


def script_text(instruction: Run | Cmd | Entrypoint | Healthcheck) -> Joined | None:
    """Give the text that a shell form hands to the shell, with its map to the file."""
    if isinstance(instruction, Healthcheck):
        return None if instruction.is_none else instruction.command or instruction.body
    if isinstance(instruction, Run) and instruction.script_heredoc is not None:
        return heredoc_text(instruction.script_heredoc)
    if isinstance(instruction, Run) and instruction.heredocs:
        return with_heredocs(instruction.body, instruction.heredocs)
    return instruction.body


def _shebang(match: re.Match[str]) -> tuple[Dialect, frozenset[str]]:
    """Give language and options of a ``#!`` line."""
    program, arguments = match.group(1), match.group(2).split()
    if program.rsplit("/", 1)[-1] == "env":
        while arguments and (arguments[0].startswith("-") or "=" in arguments[0]):
            del arguments[0]
        program = arguments.pop(0) if arguments else "sh"
    dialect = dialect_of(program)
    return dialect, change_options(arguments, frozenset())[0] if dialect in POSIX else frozenset()


def _counts(command: Command) -> bool:
    """Tell whether hadolint counts a command."""
    return bool(command.words) and command.words[0].value not in ("[", "")


def _narrow_command(command: Command) -> Command:
    """Take the name from a command whose first word is no literal."""
    first = command.words[0]
    if not first.glob:
        return command
    return structs.replace(command, words=(structs.replace(first, value=None), *command.words[1:]))


def _glued(strings: tuple[Word, ...]) -> Joined:
    """Join the strings of a JSON array with blanks."""
    segments = []
    length = 0
    for word in strings:
        segments.append((length, word.span.start + 1))
        length += len(word.text) + 1
    return Joined(" ".join(word.text for word in strings), tuple(segments))


def _exec_script(
    instruction: Run | Cmd | Entrypoint | Healthcheck,
    strings: tuple[Word, ...],
    variables: Mapping[str, str | None],
    directory: str | None,
    narrow: bool,
) -> Script | None:
    """Give the script of an exec form: one command, or the code of ``["sh", "-c", "code"]``."""
    if not strings:
        return None
    words = [ShellWord(word.text, word.text, word.text, word.span, quoted=True) for word in strings]
    span = Span(strings[0].span.start, strings[-1].span.end)
    text = " ".join(word.text for word in strings)
    if narrow:
        script = parse_script(_glued(strings), variables=variables, directory=directory, narrow=True)
        return Script(text, "sh", script.items, span, script.problems, exec_form=True, flat=script.flat)
    found = inline_script(words)
    if found is None:
        wrapped = tuple(words)
        evaluator = Evaluator(Joined("", ((0, span.start),)), read, dialect="sh", variables=variables)
        command: Command = evaluator.exec_form(wrapped, span, directory)
        item = ListItem("", command, span)
        return Script(text, "sh", (item,), span, exec_form=True, flat=(command,))
    joined = json_text(instruction.body, strings, found.place)
    inner = parse_script(
        joined, dialect=dialect_of(found.shell), variables=variables, directory=directory, options=found.options,
        wrappers=(found.shell,),
    )  # fmt: skip
    compound = Compound(
        "script", inner.items, span, (), found.shell, tuple(words[: found.place + 1]), (("body", inner.items),)
    )
    return Script(
        text, inner.dialect, (ListItem("", compound, span),), span, inner.problems, inner.options, True, inner.comments,
        inner.flat,
    )  # fmt: skip
