"""The tree of a Dockerfile: frozen nodes that know their place in the file and give its text back byte for byte."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from functools import cached_property
from operator import itemgetter
from typing import TYPE_CHECKING, ClassVar

from msgspec import Struct

from dfopt.source import Source, Span

if TYPE_CHECKING:
    from dfopt.edit import Edit

_first = itemgetter(0)
_LEADING_TABS = re.compile(r"^\t+", re.MULTILINE)


class Word(Struct, frozen=True):
    """One argument as BuildKit's low-level parser sees it.

    ``text`` is the argument after continuations are joined, quotes and variables still in it; for an element of a JSON
    array it is the decoded string. ``span`` covers its characters in the file (with the quotes of a JSON string).
    """

    text: str
    span: Span


class Flag(Struct, frozen=True):
    """An option in front of the arguments, quotes removed: ``--name``, where the value is None, or ``--name=value``."""

    name: str
    value: str | None
    span: Span
    value_span: Span | None = None


class Heredoc(Struct, frozen=True):
    """A here-document: its word in the logical line and its body.

    ``name`` is the word that ends it, ``fd`` the file descriptor, ``chomp`` is set by ``<<-`` (leading tabs go),
    ``expand`` tells whether variables in the body are substituted. ``content`` is the body as it stands in the file.
    ``terminator_span`` is None where the end is missing.
    """

    name: str
    fd: int
    chomp: bool
    expand: bool
    content: str
    word_span: Span
    body_span: Span
    terminator_span: Span | None

    @property
    def text(self) -> str:
        """The body as it is used: without leading tabs where ``<<-`` asks for that."""
        if not self.chomp:
            return self.content
        return _LEADING_TABS.sub("", self.content)


class Joined(Struct, frozen=True):
    """A piece of text glued from several lines, with the way back to the file.

    ``segments`` are pairs (offset in ``text``, offset in the file): from there on, both run side by side up to the next
    pair. Comment lines, blank lines and continuation characters between the pieces are not in ``text``.
    """

    text: str
    segments: tuple[tuple[int, int], ...]

    def to_file(self, offset: int) -> int:
        """Give the file offset of a character of the text; the end of the text maps behind its last character."""
        segments = self.segments
        if len(segments) == 1:
            return segments[0][1] + offset - segments[0][0]
        if offset >= len(self.text) and offset > 0:
            return self.to_file(offset - 1) + 1
        at, place = segments[max(bisect_right(segments, offset, key=_first) - 1, 0)]
        return place + offset - at

    def span(self, start: int, end: int) -> Span:
        """Give the file span of a range of the text."""
        if len(self.segments) == 1:
            at, place = self.segments[0]
            return Span(place + start - at, place + max(start, end) - at)
        first = self.to_file(start)
        return Span(first, first if end <= start else self.to_file(end - 1) + 1)

    def part(self, start: int, end: int) -> Joined:
        """Give a range of the text as a text of its own."""
        segments = self.segments
        if len(segments) == 1:
            at, place = segments[0]
            return Joined(self.text[start:end], ((0, place + start - at),))
        first = max(bisect_right(segments, start, key=_first) - 1, 0)
        last = bisect_left(segments, end, key=_first)
        at, place = segments[first]
        rest = [(offset - start, place) for offset, place in segments[first + 1 : last]]
        return Joined(self.text[start:end], ((0, place + start - at), *rest))


class Comment(Struct, frozen=True):
    """A comment line: ``text`` is what stands after the ``#``, trimmed."""

    text: str
    span: Span


class Directive(Struct, frozen=True):
    """A parser directive at the top of the file: syntax, escape or check. ``name`` is in lower case."""

    name: str
    value: str
    span: Span
    value_span: Span


class Problem(Struct, frozen=True):
    """Something that BuildKit refuses, or that no build can mean.

    ``code`` is the rule code of letter E (``problems.py`` has the table). ``stage`` tells where BuildKit meets it:
    "parse" or "instructions", "build" when stages are put together, "trigger" when an ONBUILD trigger fires, or "none"
    where it does not stop. ``edits`` repair it where that is possible.
    """

    code: str
    message: str
    span: Span
    stage: str = "parse"
    edits: tuple[Edit, ...] = ()

    @property
    def stops_build(self) -> bool:
        """Tell whether the builder refuses the file for it."""
        return self.stage != "none"


class Instruction(Struct, frozen=True, kw_only=True):
    """What all instructions have.

    ``keyword`` is in upper case. ``span`` runs from the keyword to the end of the last line that belongs to the
    instruction, here-document bodies and their terminators included, the final newline not. ``body`` is the
    argument text after the flags, trimmed and joined, with its map to the file. ``comments`` are the comment lines
    attached to the instruction: those that stand in front of it. ``inner_comments`` stand between its continued lines.
    """

    keyword: str
    keyword_span: Span
    span: Span
    flags: tuple[Flag, ...] = ()
    body: Joined
    heredocs: tuple[Heredoc, ...] = ()
    comments: tuple[Comment, ...] = ()
    inner_comments: tuple[Comment, ...] = ()
    blank_lines: tuple[Span, ...] = ()
    """Blank lines between continued ones, which BuildKit warns of."""
    problems: tuple[Problem, ...] = ()
    original: str = ""
    """The logical line, continuations joined, as BuildKit keeps it."""

    def flag(self, name: str) -> Flag | None:
        """Give the first flag of a name."""
        return next((flag for flag in self.flags if flag.name == name), None)

    def flag_value(self, name: str) -> str | None:
        """Give the value of the first flag of a name; None where it is missing or has none."""
        flag = self.flag(name)
        return flag.value if flag else None

    def flag_values(self, name: str) -> list[str]:
        """Give the values of a flag that may be repeated."""
        return [flag.value or "" for flag in self.flags if flag.name == name]

    def has_flag(self, name: str) -> bool:
        """Tell whether a boolean flag is given and not ``=false``."""
        flag = self.flag(name)
        return flag is not None and (flag.value or "true").lower() == "true"


class Unknown(Instruction, frozen=True, kw_only=True):
    """An instruction that could not be understood; its problems say why. ``words`` are the arguments found in it."""

    words: tuple[Word, ...] = ()


class From(Instruction, frozen=True, kw_only=True):
    """FROM: the image or stage name as written, and the stage's name in lower case."""

    image: Word
    name: str | None = None
    name_span: Span | None = None
    as_span: Span | None = None

    @property
    def platform(self) -> str | None:
        """The value of ``--platform``."""
        return self.flag_value("platform")


class Pair(Struct, frozen=True):
    """A key and its value in ENV, LABEL or ARG, quotes and variables still in both.

    ``value`` is None for an ARG without default. ``legacy`` marks ``ENV key value``.
    """

    key: str
    value: str | None
    span: Span
    key_span: Span
    value_span: Span | None
    legacy: bool = False


class Arg(Instruction, frozen=True, kw_only=True):
    """ARG: one or more build arguments."""

    pairs: tuple[Pair, ...]


class Env(Instruction, frozen=True, kw_only=True):
    """ENV: environment variables."""

    pairs: tuple[Pair, ...]


class Label(Instruction, frozen=True, kw_only=True):
    """LABEL: metadata of the image."""

    pairs: tuple[Pair, ...]


class CommandInstruction(Instruction, frozen=True, kw_only=True):
    """An instruction with a command line: ``exec_form`` are the strings of a JSON array, None in shell form."""

    exec_form: tuple[Word, ...] | None = None

    @property
    def is_exec(self) -> bool:
        """Tell whether the command is a JSON array."""
        return self.exec_form is not None


class Mount(Struct, frozen=True):
    """One ``--mount`` of a RUN: its fields as written (keys in lower case, a bare key has None) and its flag."""

    fields: tuple[tuple[str, str | None], ...]
    flag: Flag

    def get(self, *names: str) -> str | None:
        """Give the last value given under one of the names."""
        return next((value for key, value in reversed(self.fields) if key in names and value is not None), None)

    @property
    def type(self) -> str:
        """Bind (the default), cache, tmpfs, secret or ssh."""
        return (self.get("type") or "bind").lower()

    @property
    def target(self) -> str | None:
        """The mount point as written."""
        return self.get("target", "dst", "destination")

    @property
    def source(self) -> str | None:
        """The path inside ``from``."""
        return self.get("source", "src")

    @property
    def from_(self) -> str | None:
        """The stage or image mounted from."""
        return self.get("from")


class Run(CommandInstruction, frozen=True, kw_only=True):
    """RUN: a command that makes a layer. ``script_heredoc`` is the single here-document that is the whole command."""

    mounts: tuple[Mount, ...] = ()
    script_heredoc: Heredoc | None = None


class Cmd(CommandInstruction, frozen=True, kw_only=True):
    """CMD: the default command."""


class Entrypoint(CommandInstruction, frozen=True, kw_only=True):
    """ENTRYPOINT: the program that runs the command."""


class Shell(CommandInstruction, frozen=True, kw_only=True):
    """SHELL: the shell of the following shell forms."""


class Healthcheck(CommandInstruction, frozen=True, kw_only=True):
    """HEALTHCHECK: ``is_none`` switches an inherited check off."""

    is_none: bool = False
    command: Joined | None = None
    """The text after the word CMD; None for NONE."""


class FileInstruction(Instruction, frozen=True, kw_only=True):
    """COPY and ADD: sources and destination; ``json`` tells whether they stand in a JSON array."""

    sources: tuple[Word, ...]
    destination: Word
    json: bool = False

    @property
    def chown(self) -> str | None:
        """The value of ``--chown``."""
        return self.flag_value("chown")

    @property
    def chmod(self) -> str | None:
        """The value of ``--chmod``."""
        return self.flag_value("chmod")

    @property
    def excludes(self) -> list[str]:
        """The values of ``--exclude``."""
        return self.flag_values("exclude")

    @property
    def link(self) -> bool:
        """Tell whether ``--link`` is on."""
        return self.has_flag("link")


class Copy(FileInstruction, frozen=True, kw_only=True):
    """COPY."""

    @property
    def from_(self) -> str | None:
        """The value of ``--from``; an empty one counts as none."""
        return self.flag_value("from") or None


class Add(FileInstruction, frozen=True, kw_only=True):
    """ADD."""


class Words(Instruction, frozen=True, kw_only=True):
    """What EXPOSE and VOLUME share: a list of words."""

    words: tuple[Word, ...]
    json: bool = False


class Expose(Words, frozen=True, kw_only=True):
    """EXPOSE: ports."""


class Volume(Words, frozen=True, kw_only=True):
    """VOLUME: paths."""


class Text(Instruction, frozen=True, kw_only=True):
    """What instructions with a single text share."""

    text: Word


class User(Text, frozen=True, kw_only=True):
    """USER: user and group of what follows and of the container."""


class Workdir(Text, frozen=True, kw_only=True):
    """WORKDIR: the current directory."""


class Stopsignal(Text, frozen=True, kw_only=True):
    """STOPSIGNAL."""


class Maintainer(Text, frozen=True, kw_only=True):
    """MAINTAINER, deprecated."""


class Onbuild(Instruction, frozen=True, kw_only=True):
    """ONBUILD: the instruction that a child image runs."""

    trigger: Instruction


class Dockerfile(Struct, frozen=True, eq=False, dict=True):
    """The tree of one file.

    ``pieces`` are the spans of directives, comments, blank stretches and instructions in order; they cover the file
    without a gap, so ``str`` puts the text together from them.
    """

    source: Source
    instructions: tuple[Instruction, ...]
    directives: tuple[Directive, ...] = ()
    comments: tuple[Comment, ...] = ()
    problems: tuple[Problem, ...] = ()
    """All problems of the file in order, those of the instructions included."""
    escape: str = "\\"
    pieces: tuple[Span, ...] = ()

    KEYWORDS: ClassVar[tuple[str, ...]] = (
        "ADD", "ARG", "CMD", "COPY", "ENTRYPOINT", "ENV", "EXPOSE", "FROM", "HEALTHCHECK", "LABEL", "MAINTAINER",
        "ONBUILD", "RUN", "SHELL", "STOPSIGNAL", "USER", "VOLUME", "WORKDIR",
    )  # fmt: skip

    def __str__(self) -> str:
        text = self.source.text
        return "".join(text[start:end] for start, end in self.pieces)

    def __iter__(self) -> Iterator[Instruction]:
        return iter(self.instructions)

    @cached_property
    def stages(self) -> tuple[tuple[Instruction, ...], ...]:
        """The instructions of each stage, its FROM first; what stands in front of the first FROM is left out."""
        stages: list[list[Instruction]] = []
        for instruction in self.instructions:
            if isinstance(instruction, From):
                stages.append([])
            if stages:
                stages[-1].append(instruction)
        return tuple(map(tuple, stages))
