"""The shell code of an instruction: which language it is, where it stands in the file, and its commands."""

from __future__ import annotations

import re
from collections.abc import Mapping

from dfopt.shell.evaluate import Evaluator, pieces
from dfopt.shell.model import POSIX, Command, Compound, Dialect, ListItem, Script, ShellWord
from dfopt.shell.treesitter import read
from dfopt.shell.wrappers import change_options, inline_script
from dfopt.source import Span
from dfopt.syntax.tree import Cmd, Entrypoint, Healthcheck, Heredoc, Joined, Run, Word

_NO_VARIABLES: Mapping[str, str | None] = {}
_PRAGMA = re.compile(r"#?\s*hadolint\s+shell\s*=\s*([^\s#]+)\s*(?:#.*)?\Z")
_JSON_STRING = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)
_JSON_PIECE = re.compile(r'[^"\\]+|\\u[0-9A-Fa-f]{4}|\\.', re.DOTALL)
_SHEBANG = re.compile(r"#![ \t]*(\S+)[ \t]*([^\r\n]*)")
_DIALECTS: dict[str, Dialect] = {
    "sh": "sh", "bash": "bash", "dash": "dash", "ksh": "ksh", "mksh": "ksh", "zsh": "zsh", "ash": "ash",
    "powershell": "powershell", "pwsh": "powershell", "cmd": "cmd", "python": "python", "python2": "python", "python3": "python",
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
    With ``narrow`` only what hadolint looks through is looked through. ``wrappers`` are the programs around the code.
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
        return _heredoc_text(instruction.script_heredoc)
    if isinstance(instruction, Run) and instruction.heredocs:
        return _with_heredocs(instruction.body, instruction.heredocs)
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


def _heredoc_text(heredoc: Heredoc) -> Joined:
    """Give the text of a here-document with its map to the file."""
    start = heredoc.body_span.start
    if not heredoc.chomp or "\t" not in heredoc.content:
        return Joined(heredoc.content, ((0, start),))
    text: list[str] = []
    segments: list[tuple[int, int]] = []
    length = 0
    for line in heredoc.content.split("\n"):
        kept = line.lstrip("\t")
        segments.append((length, start + len(line) - len(kept)))
        text.append(kept)
        length += len(kept) + 1
        start += len(line) + 1
    return Joined("\n".join(text), tuple(segments))


def _with_heredocs(line: Joined, heredocs: tuple[Heredoc, ...]) -> Joined:
    """Put a line and the bodies of its here-documents together again, as the shell gets them."""
    text = [line.text, "\n"]
    length = len(line.text)
    segments = [*line.segments, (length, line.to_file(length))]
    length += 1
    for heredoc in heredocs:
        segments.append((length, heredoc.body_span.start))
        text.append(heredoc.content)
        length += len(heredoc.content)
        end = heredoc.terminator_span
        if end is not None:
            segments.append((length, end.start))
            tabs = max(end.end - end.start - len(heredoc.name), 0) if heredoc.chomp else 0
            text += ["\t" * tabs, heredoc.name, "\n"]
            length += tabs + len(heredoc.name) + 1
    return Joined("".join(text), tuple(segments))


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
    found = None if narrow else inline_script(words)
    if found is None:
        wrapped = tuple(words)
        evaluator = Evaluator(Joined("", ((0, span.start),)), read, dialect="sh", variables=variables, narrow=narrow)
        command: Command = evaluator.exec_form(wrapped, span, directory)
        item = ListItem("", command, span)
        return Script(text, "sh", (item,), span, exec_form=True, flat=(command,))
    joined = _json_text(instruction.body, strings, found.index)
    inner = parse_script(
        joined, dialect=dialect_of(found.shell), variables=variables, directory=directory, options=found.options,
        wrappers=(found.shell,),
    )  # fmt: skip
    compound = Compound(
        "script", inner.items, span, (), found.shell, tuple(words[: found.index + 1]), (("body", inner.items),)
    )
    return Script(
        text, inner.dialect, (ListItem("", compound, span),), span, inner.problems, inner.options, True, inner.comments,
        inner.flat,
    )  # fmt: skip


def _json_text(body: Joined, strings: tuple[Word, ...], index: int) -> Joined:
    """Give the text of one string of a JSON array with its map to the file."""
    decoded = strings[index].text
    start = strings[index].span.start
    for match in _JSON_STRING.finditer(body.text):
        if body.to_file(match.start()) != start:
            continue
        ranges: list[tuple[int, int]] = []
        text: list[str] = []
        at = match.start() + 1
        for piece in _JSON_PIECE.finditer(body.text, at, match.end() - 1):
            ranges.append(piece.span())
            text.append(piece.group())
        return _decoded(body, ranges, decoded)
    return Joined(decoded, ((0, start + 1),))


def _decoded(body: Joined, ranges: list[tuple[int, int]], decoded: str) -> Joined:
    """Map a decoded JSON string to its pieces, an escape standing for one character."""
    segments: list[tuple[int, int]] = []
    length = 0
    high = False
    for start, end in ranges:
        if body.text[start] != "\\":
            joined = pieces(body, [(start, end)])
            segments += [(length + offset, place) for offset, place in joined.segments]
            length += end - start
            high = False
            continue
        code = int(body.text[start + 2 : end], 16) if end - start == 6 else 0
        if high and 0xDC00 <= code < 0xE000:  # the second half of a pair: both are one character
            high = False
            continue
        segments.append((length, body.to_file(start)))
        length += 1
        high = 0xD800 <= code < 0xDC00
    if length != len(decoded) or not segments:
        first = body.to_file(ranges[0][0]) if ranges else body.to_file(0)
        return Joined(decoded, ((0, first),))
    return Joined(decoded, tuple(segments))
