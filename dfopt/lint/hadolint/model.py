"""A file as hadolint sees it: lines with the commands, mounts and images in them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from typing import NamedTuple

from msgspec import Struct, structs

from dfopt.lint.hadolint.calls import Call
from dfopt.shell import parse_script
from dfopt.shell.model import Command, Pipeline, Script, walk
from dfopt.source import Span
from dfopt.syntax.tree import (
    Arg,
    CommandInstruction,
    Dockerfile,
    Env,
    FileInstruction,
    From,
    Healthcheck,
    Instruction,
    Joined,
    Label,
    Mount,
    Onbuild,
    Run,
)
from dfopt.syntax.words import WordError, expand

_LIST = re.compile(r'\[\s*(?:"(?:[^"\\]|\\.)*"\s*(?:,\s*"(?:[^"\\]|\\.)*"\s*)*)?\]\s*', re.DOTALL)
_STRING = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_BRACED = re.compile(r"\$\{[^}]*\}")
_NAME_END = re.compile(r"(?:\$\{[^}]*\}|[^:@$]|\$(?!\{))*")
_BLANKS = " \t"
_QUOTES = "\"'"
_CALL_WITH_ARGUMENT = 2
_STRAY = re.compile(r"[);}(]|&(?!&)|(?:fi|done|then|esac|elif|else|do)(?![\w-])")
"""What ends ShellCheck's reading where it does not belong."""

_RUN_FLAGS = ("mount", "network", "security")
_SWITCHES = ("link", "parents", "keep-git-dir", "unpack")


class Settings(NamedTuple):
    """What can be set: registries that are trusted, the schema of labels (name to type), codes with a level."""

    trusted_registries: tuple[str, ...] = ()
    labels: Mapping[str, str] = {}
    strict_labels: bool = False
    wanted: frozenset[str] = frozenset()
    """Codes that are asked for by name; it switches on what is off otherwise."""


class Image(NamedTuple):
    """The image of a FROM in its parts; ``name`` has no registry."""

    registry: str
    name: str
    tag: str | None
    digest: str | None

    @property
    def full_name(self) -> str:
        """The name with its registry, without tag and digest."""
        return f"{self.registry}/{self.name}" if self.registry else self.name

    @classmethod
    def parse(cls, text: str) -> Image:
        """Cut an image apart. Only what has a dot in front of the first slash is a registry; ``${...}`` is opaque."""
        registry, slash, rest = text.partition("/")
        if not slash or "." not in _BRACED.sub("", registry):
            registry, rest = "", text
        match = _NAME_END.match(rest)
        assert match is not None
        name, rest = match.group(), rest[match.end() :]
        reference, at, digest = rest.partition("@")
        return cls(registry, name, reference[1:] if reference.startswith(":") else None, digest if at else None)


class Line(Struct, frozen=True, eq=False, dict=True):
    """One instruction, or the trigger of an ONBUILD, with the number of its first line in the file."""

    instruction: Instruction
    number: int
    file: Dockerfile

    @cached_property
    def image(self) -> Image:
        """The image of a FROM."""
        assert isinstance(self.instruction, From)
        return Image.parse(self.instruction.image.text)

    @cached_property
    def alias(self) -> str | None:
        """The name that a FROM gives its stage, in its own case."""
        assert isinstance(self.instruction, From)
        span = self.instruction.name_span
        return self.file.source.slice(span) if span is not None else None

    @cached_property
    def strings(self) -> tuple[str, ...] | None:
        """The strings of an exec form; None in shell form. Any escape is good enough here."""
        instruction = self.instruction
        assert isinstance(instruction, CommandInstruction)
        if instruction.exec_form is not None:
            return tuple(word.text for word in instruction.exec_form)
        body = instruction.command if isinstance(instruction, Healthcheck) else instruction.body
        if body is None or not body.text.startswith("[") or instruction.heredocs or not _LIST.fullmatch(body.text):
            return None
        return tuple(_ESCAPED.sub(r"\1", one) for one in _STRING.findall(body.text))

    @cached_property
    def text(self) -> str:
        """The shell code of a RUN, or the command line of another instruction, as one line where it is no heredoc."""
        instruction = self.instruction
        if isinstance(instruction, CommandInstruction) and self.strings is not None:
            return " ".join(self.strings)
        if isinstance(instruction, Run) and instruction.script_heredoc is not None:
            return instruction.script_heredoc.text
        text = self.joined(instruction.body)
        text = text.partition("<<")[0] if instruction.heredocs else text
        return " ".join((*self._unknown_flags, text))

    @property
    def _unknown_flags(self) -> list[str]:
        """The flags of a RUN that hadolint does not know, and all behind them: it takes them for shell code."""
        flags = self.instruction.flags if isinstance(self.instruction, Run) else ()
        first = next((at for at, flag in enumerate(flags) if flag.name not in _RUN_FLAGS), len(flags))
        return [self.file.source.slice(flag.span) for flag in flags[first:]]

    @cached_property
    def sources(self) -> tuple[str, ...]:
        """The sources of a COPY or ADD without quotes; a flag that is not written as it must be is one of them."""
        instruction = self.instruction
        assert isinstance(instruction, FileInstruction)
        odd = (
            flag
            for flag in instruction.flags
            if (flag.value not in (None, "true", "false") if flag.name in _SWITCHES else flag.value is None)
        )
        words = [*(self.file.source.slice(flag.span) for flag in odd), *(word.text for word in instruction.sources)]
        return tuple(word.strip(_QUOTES) for word in words)

    @cached_property
    def target(self) -> str:
        """The destination of a COPY or ADD without quotes."""
        assert isinstance(self.instruction, FileInstruction)
        return self.instruction.destination.text.strip(_QUOTES)

    @cached_property
    def pairs(self) -> tuple[tuple[str, str], ...]:
        """The names and values of ENV, LABEL or ARG, quotes of the values still in them.

        Of ARG only the first counts. A pair without a blank in front of the continuation goes on in the next line:
        the pair there is part of its value.
        """
        instruction = self.instruction
        assert isinstance(instruction, (Arg, Env, Label))
        found: list[tuple[str, str]] = []
        end = -1
        for pair in instruction.pairs[:1] if isinstance(instruction, Arg) else instruction.pairs:
            if self.file.source.text[end : end + 1] == self.file.escape:
                key, value = found.pop()
                found.append((key, f"{value} {self.file.source.slice(pair.span)}"))
            else:
                found.append((plain(pair.key), pair.value or ""))
            end = pair.span.end
        return tuple(found)

    def joined(self, body: Joined) -> str:
        """Join the continued lines of a text: the indentation of a line is one blank."""
        if len(body.segments) == 1:
            return body.text
        ends = [at for at, _ in body.segments[1:]] + [len(body.text)]
        pieces: list[str] = []
        for (at, _), end in zip(body.segments, ends, strict=True):
            piece = body.text[at:end]
            bare = piece.lstrip(_BLANKS)
            pieces.append(" " + bare if pieces and len(bare) < len(piece) else piece)
        return "".join(pieces)

    @cached_property
    def script(self) -> Script:
        """The shell code, read as bash whatever SHELL says."""
        return read_code(self.text)

    @cached_property
    def calls(self) -> tuple[Call, ...]:
        """The commands that have a name, in their order."""
        return tuple(call for command in self.script.commands for call in Call.all_of(command))

    @cached_property
    def has_pipe(self) -> bool:
        """Tell whether a pipe stands anywhere in the shell code."""
        return any(command.piped or command.pipes for command in self.script.commands) or any(
            isinstance(node, Pipeline) and len(node.elements) > 1 for node in walk(self.script.items)
        )

    def mounts(self, *types: str) -> Iterator[Mount]:
        """Give the mounts of a RUN that are of one of the types."""
        assert isinstance(self.instruction, Run)
        return (mount for mount in self.instruction.mounts if mount.type in types)

    def keeps(self, folder: str) -> bool:
        """Tell whether a folder is a cache or in memory, so that it is not in the layer."""
        return any(folder in (mount.target or "") for mount in self.mounts("cache", "tmpfs"))


def read_code(text: str) -> Script:
    """Read shell code as bash. Code with a mistake has no commands, but what stands in front of a stray word counts."""
    script = _parsed(text)
    if script.problems:
        at = script.problems[0].span.start
        if _STRAY.match(text, at):
            before = _parsed(text[:at])
            # A parenthesis behind a lone name begins a function, and that is a mistake for good.
            lone = text[at] == "(" and (not before.flat or len(before.flat[-1].words) < _CALL_WITH_ARGUMENT)
            script = script if before.problems or lone else before
    tests = [node for node in walk(script.items) if isinstance(node, Command) and node.words]
    broken = any(_is_open_test(tests[at:]) for at in range(len(tests)))
    return structs.replace(script, items=(), flat=()) if broken else script


def _parsed(text: str) -> Script:
    return parse_script(Joined(text, ((0, 0),)), dialect="bash", narrow=True)


def _is_open_test(commands: list[Command]) -> bool:
    """Tell whether the first command is a test without its closing bracket; lists of && and || may stand in it."""
    first = commands[0].words[0].raw
    if not first.startswith("[") or first.startswith("[["):
        return False
    for at, command in enumerate(commands):
        if at and command.operator not in ("&&", "||"):
            break
        if any(word.raw == "]" for word in command.words):
            return False
    return True


class File(Struct, frozen=True, eq=False, dict=True):
    """What a check reads: the lines of a file, or the triggers of its ONBUILD lines."""

    lines: tuple[Line, ...]
    settings: Settings

    @classmethod
    def of(cls, tree: Dockerfile, settings: Settings) -> File:
        """Give the lines of a tree."""
        line_of = tree.source.line_of
        return cls(tuple(Line(one, line_of(one.span.start), tree) for one in tree.instructions), settings)

    def triggers(self) -> File:
        """Give the instructions behind ONBUILD as a file of their own."""
        found = (
            Line(one.instruction.trigger, one.number, one.file)
            for one in self.lines
            if isinstance(one.instruction, Onbuild)
        )
        return File(tuple(found), self.settings)

    @cached_property
    def froms(self) -> tuple[Line, ...]:
        """The FROM lines."""
        return tuple(line for line in self.lines if isinstance(line.instruction, From))

    def stages(self) -> Iterator[tuple[Line | None, list[Line]]]:
        """Give each stage: its FROM and the lines behind it; what stands above the first FROM has None."""
        stages: list[tuple[Line | None, list[Line]]] = [(None, [])]
        for line in self.lines:
            if isinstance(line.instruction, From):
                stages.append((line, []))
            else:
                stages[-1][1].append(line)
        return iter(stages)


class Hit(NamedTuple):
    """A line where a check applies, and what it is about where that is not plain from the line."""

    line: Line
    subject: str = ""


Places = Callable[[File], Iterator[Hit]]
"""The places of a file where a check applies."""


def runs(test: Callable[[Line], bool]) -> Places:
    """Make a check of every RUN on its own."""

    def places(file: File) -> Iterator[Hit]:
        return (Hit(line) for line in file.lines if isinstance(line.instruction, Run) and test(line))

    return places


def called(test: Callable[[Call], bool]) -> Places:
    """Make a check that applies to a RUN with a command of a kind."""
    return runs(lambda line: any(map(test, line.calls)))


def heirs(file: File, gains: Callable[[Line], bool]) -> Iterator[tuple[Line, bool]]:
    """Tell for each line whether its stage has had something before it.

    A stage inherits from the stage whose name it is built on, or from an unnamed one that is built on an image of the
    same name, whatever the tags.
    """
    known: set[str] = set()
    key = ""
    has = False
    for line in file.lines:
        if isinstance(line.instruction, From):
            has = line.image.full_name in known
            key = line.alias or line.image.full_name
        else:
            yield line, has
            has = has or gains(line)
        if has:
            known.add(key)


def plain(text: str | None) -> str:
    """Remove the quotes of a value; variables stay."""
    try:
        return expand(text or "", lambda name: None, keep_unset=True).value
    except WordError:
        return text or ""


def span_of(line: Line) -> Span:
    """Give the place of a finding: the whole first line of the instruction."""
    source = line.file.source
    return Span(source.offset(line.number), source.line_end(line.number))
