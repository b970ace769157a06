"""Rules about instructions that configure the image and move files: WORKDIR, ENV, LABEL, EXPOSE, COPY, ADD."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

from dfopt.edit import Edit
from dfopt.finding import Finding, Fix, Severity
from dfopt.graph.model import Step
from dfopt.lint.rule import Bad, Build, Good, Rule
from dfopt.source import Span
from dfopt.syntax.edits import delete
from dfopt.syntax.tree import (
    Add,
    Cmd,
    Copy,
    Entrypoint,
    Env,
    Expose,
    FileInstruction,
    Healthcheck,
    Instruction,
    Label,
    Maintainer,
    Pair,
    Workdir,
)
from dfopt.syntax.words import variables

_WINDOWS_PATH = re.compile(r"[A-Za-z]:")


def steps_of(build: Build, *kinds: type[Instruction]) -> Iterator[Step]:
    """Give the steps of some kinds of instruction, in file order."""
    for step in build.steps:
        if isinstance(step.instruction, kinds):
            yield step


def is_absolute(path: str) -> bool:
    """Tell whether a path is absolute, or begins with a variable that may make it so."""
    path = path.strip("\"'")
    return path.startswith(("/", "$")) or bool(_WINDOWS_PATH.match(path))


class RelativeWorkdir(Rule):
    """WORKDIR is relative although nothing above it in the stage says to what.

    The directory then depends on the base image, and moves when that changes.

    Fix safety: safe; the directory that the builder works out is written out. Offered only where that of the base image
    is known.
    """

    code = "D101"
    name = "relative-workdir"
    aliases = ("DL3000", "WorkdirRelativePath", "DS-0009", "CKV_DOCKER_10")
    severity = Severity.WARNING
    examples = (
        Bad("FROM scratch\nWORKDIR app\n", at="WORKDIR app", fixed="FROM scratch\nWORKDIR /app\n"),
        Good("FROM debian:12\nWORKDIR /app\nWORKDIR src\n", why="the second is relative to the first"),
        Good("FROM debian:12 AS base\nWORKDIR /app\nFROM base\nWORKDIR src\n", why="the stage inherits a directory"),
        Good("FROM debian:12\nENV HOME=/home/app\nWORKDIR $HOME\n"),
        Good('FROM debian:12\nWORKDIR "/app"\n'),
    )

    def check(self, build: Build) -> Iterator[Finding]:
        """Report relative paths where no WORKDIR came before in the chain of stages."""
        for step in steps_of(build, Workdir):
            instruction = step.instruction
            assert isinstance(instruction, Workdir)
            path = instruction.text.text
            if step.before.workdir_set or step.stage < 0 or is_absolute(path):
                continue
            root = build.graph.chain(step.stage)[0]
            known = root.image == "scratch" or root.facts is not None
            fix = None
            if known and not variables(path, build.tree.escape) and step.after.workdir.startswith("/"):
                fix = self.safe(f"Write {step.after.workdir}", Edit(instruction.text.span, step.after.workdir))
            yield self.finding(
                step, f"{path} is relative to whatever directory the base image has: write the whole path", fix=fix
            )


class CopyRelativeWithoutWorkdir(Rule):
    """COPY has a relative destination, and no WORKDIR says to what.

    The files land in whatever directory the base image has.
    """

    code = "D102"
    name = "copy-relative-without-workdir"
    aliases = ("DL3045",)
    examples = (
        Bad("FROM debian:12\nCOPY app app\n", at="COPY app app"),
        Good("FROM debian:12\nWORKDIR /srv\nCOPY app app\n"),
        Good("FROM debian:12\nCOPY app /app\n"),
        Good("FROM debian:12 AS base\nWORKDIR /srv\nFROM base\nCOPY app .\n", why="the directory is inherited"),
        Good("FROM debian:12\nCOPY app $HOME/app\n"),
        Good("FROM scratch\nCOPY app app\n", why="an empty image has the root as its directory"),
    )

    def check(self, build: Build) -> Iterator[Finding]:
        """Report relative destinations where the chain of stages has no WORKDIR."""
        for step in steps_of(build, Copy):
            instruction = step.instruction
            assert isinstance(instruction, Copy)
            if step.stage < 0 or step.before.workdir_set or is_absolute(instruction.destination.text):
                continue
            root = build.graph.chain(step.stage)[0]
            if root.image == "scratch" or (root.facts is not None and root.facts.workdir not in ("", "/")):
                continue
            yield self.finding(
                step,
                f"{instruction.destination.text} is relative to whatever directory the base image has: "
                "set WORKDIR above, or write the whole path",
            )


class CopyManyNeedsSlash(Rule):
    """Several sources are copied to a destination that is not marked as a directory.

    Builders disagree: some refuse, others write one file after the other to the same place.

    Fix safety: safe; several sources only make sense in a directory.
    """

    code = "D103"
    name = "copy-many-needs-slash"
    aliases = ("DL3021", "DS-0011")
    severity = Severity.ERROR
    examples = (
        Bad(
            "FROM debian:12\nCOPY a b /srv\n",
            at="/srv",
            fixed="FROM debian:12\nCOPY a b /srv/\n",
        ),
        Bad(
            'FROM debian:12\nCOPY ["a", "b", "/srv"]\n', at='"/srv"', fixed='FROM debian:12\nCOPY ["a", "b", "/srv/"]\n'
        ),
        Good("FROM debian:12\nCOPY a b /srv/\n"),
        Good("FROM debian:12\nWORKDIR /srv\nCOPY a b .\n", why="a dot is the working directory"),
        Good("FROM debian:12\nCOPY a b $DIR\n", why="the variable may end in a slash"),
        Good("FROM debian:12\nCOPY a /srv\n"),
    )

    def check(self, build: Build) -> Iterator[Finding]:
        """Report COPY and ADD with two sources or more and a destination without slash."""
        for step in steps_of(build, Copy, Add):
            instruction = step.instruction
            assert isinstance(instruction, FileInstruction)
            target = instruction.destination.text.strip("\"'")
            if len(instruction.sources) < 2 or target.endswith(("/", "/.", "/..")) or target in (".", "..", ""):
                continue
            if "$" in target.rsplit("/", 1)[-1]:
                continue
            span = instruction.destination.span
            end = span.end - 1 if build.tree.source.text[span.end - 1] in "\"'" else span.end
            yield self.finding(
                span,
                f"{target} takes several files: end it with a slash to say that it is a directory",
                fix=self.safe("Add a slash", Edit(Span(end, end), "/")),
            )


ARCHIVES = (
    ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz", ".tbz2", ".tb2", ".tar.xz", ".txz", ".tar.lz", ".tlz", ".tar.lzma",
    ".tar.zst", ".tzst", ".tar.z", ".tz", ".gz", ".bz2", ".xz", ".lzma", ".lz", ".zst", ".z", ".tpz",
)  # fmt: skip


def is_remote(source: str) -> bool:
    """Tell whether ADD fetches a source instead of taking it from the context."""
    source = source.strip("\"'")
    return source.startswith(("http://", "https://", "git://", "ssh://", "git@")) or bool(
        re.match(r"[\w.-]+@[\w.-]+:", source)
    )


class AddInsteadOfCopy(Rule):
    """ADD takes plain files where COPY says the same without surprises.

    ADD also unpacks archives and fetches URLs; a reader has to know which of the three happens.

    Fix safety: safe where every source is certainly no archive, by its suffix or by its content in the context; unsafe
    for names without a suffix, since ADD looks at the content.
    """

    code = "D104"
    name = "add-instead-of-copy"
    aliases = ("DL3020", "CKV_DOCKER_4", "DS-0005")
    severity = Severity.WARNING
    examples = (
        Bad("FROM debian:12\nADD app.py /srv/\n", at="ADD", fixed="FROM debian:12\nCOPY app.py /srv/\n"),
        Bad("FROM debian:12\nADD --chown=app . /srv\n", at="ADD", fixed="FROM debian:12\nCOPY --chown=app . /srv\n"),
        Bad("FROM debian:12\nADD data /srv/\n", at="ADD", fixed="FROM debian:12\nCOPY data /srv/\n", unsafe=True),
        Good("FROM debian:12\nADD app.tar.gz /srv/\n", why="the archive is unpacked"),
        Good("FROM debian:12\nADD https://example.com/app /srv/app\n"),
        Good("FROM debian:12\nADD git@example.com:team/app.git /srv\n"),
        Good("FROM debian:12\nADD *.t* /srv/\n", why="the pattern may name archives"),
        Good("FROM debian:12\nADD $SOURCE /srv/\n", why="the variable may hold anything"),
        Good("FROM debian:12\nADD --unpack=false app.tar /srv/\n"),
    )

    def check(self, build: Build) -> Iterator[Finding]:
        """Report ADD whose sources are all plain names of the context."""
        for step in steps_of(build, Add):
            instruction = step.instruction
            assert isinstance(instruction, Add)
            names = [source.text.strip("\"'") for source in instruction.sources]
            if any(flag.name not in ("chown", "chmod", "link", "exclude") for flag in instruction.flags):
                continue
            if instruction.heredocs or not all(self._is_plain(name) for name in names):
                continue
            yield self.finding(
                instruction.keyword_span,
                "COPY does the same for plain files and never unpacks or fetches: use COPY",
                fix=self._fix(build, step),
            )

    def _fix(self, build: Build, step: Step) -> Fix:
        from dfopt.rewrite.archives import may_be_archive

        instruction = step.instruction
        edit = Edit(instruction.keyword_span, _cased(build, instruction, "COPY"))
        unsure = any(may_be_archive(source, build.context) for source in step.sources)
        return self.unsafe("Use COPY", edit) if unsure else self.safe("Use COPY", edit)

    @staticmethod
    def _is_plain(name: str) -> bool:
        last = name.rstrip("/").rsplit("/", 1)[-1]
        return not (is_remote(name) or "$" in name or name.lower().endswith(ARCHIVES) or set("*?[") & set(last))


def quote(value: str, escape: str) -> str:
    """Put a value in double quotes so that the builder reads exactly it."""
    return '"' + "".join(escape + char if char in ('"', "$", escape) else char for char in value) + '"'


def _cased(build: Build, instruction: Instruction, keyword: str) -> str:
    """Write a keyword in the case of an instruction's own."""
    return keyword.lower() if build.tree.source.slice(instruction.keyword_span).islower() else keyword


class MaintainerInstruction(Rule):
    """MAINTAINER is deprecated; a label says the same and tools can read it.

    Fix safety: safe for the files; the author field of the image becomes the label of the OCI image specification.
    """

    code = "D105"
    name = "maintainer"
    aliases = ("DL4000", "MaintainerDeprecated", "CKV_DOCKER_6", "DS-0022")
    severity = Severity.INFO
    examples = (
        Bad(
            "FROM debian:12\nMAINTAINER Ada <ada@example.com>\n",
            at="MAINTAINER Ada <ada@example.com>",
            fixed='FROM debian:12\nLABEL org.opencontainers.image.authors="Ada <ada@example.com>"\n',
            unsafe=True,
        ),
        Bad(
            'FROM debian:12\nMAINTAINER "Ada"\n',
            at='MAINTAINER "Ada"',
            fixed='FROM debian:12\nLABEL org.opencontainers.image.authors="Ada"\n',
            unsafe=True,
        ),
        Good('FROM debian:12\nLABEL org.opencontainers.image.authors="Ada"\n'),
        Good('FROM debian:12\nLABEL maintainer="Ada"\n'),
    )

    def check(self, build: Build) -> Iterator[Finding]:
        """Report every MAINTAINER."""
        for step in steps_of(build, Maintainer):
            instruction = step.instruction
            assert isinstance(instruction, Maintainer)
            value = instruction.text.text.strip()
            if len(value) > 1 and value[0] == value[-1] and value[0] in "\"'":
                value = value[1:-1]
            fix = None
            if not instruction.inner_comments:
                quoted = quote(value, build.tree.escape)
                label = f"{_cased(build, instruction, 'LABEL')} org.opencontainers.image.authors={quoted}"
                fix = self.unsafe("Use a label", Edit(instruction.span, label))
            yield self.finding(
                step, "MAINTAINER is deprecated: use LABEL org.opencontainers.image.authors instead", fix=fix
            )


class LegacyKeyValue(Rule):
    """ENV or LABEL is written as ``KEY value``, without the equals sign.

    The form takes the rest of the line as one value, so a second pair on the line silently becomes part of the first.

    Fix safety: safe; the value is quoted so that it stays what it was.
    """

    code = "D106"
    name = "legacy-key-value"
    aliases = ("LegacyKeyValueFormat",)
    severity = Severity.INFO
    examples = (
        Bad("FROM debian:12\nENV LANG C.UTF-8\n", at="LANG C.UTF-8", fixed="FROM debian:12\nENV LANG=C.UTF-8\n"),
        Bad(
            "FROM debian:12\nENV TITLE two words\n",
            at="TITLE two words",
            fixed='FROM debian:12\nENV TITLE="two words"\n',
        ),
        Bad("FROM debian:12\nENV DIR $HOME/a b\n", at="DIR $HOME/a b", fixed='FROM debian:12\nENV DIR="$HOME/a b"\n'),
        Bad('FROM debian:12\nENV A it\'s "b" c\n', at='A it\'s "b" c', fixed=None),
        Good("FROM debian:12\nENV LANG=C.UTF-8 TZ=UTC\n"),
        Good("FROM debian:12\nARG VERSION\n"),
    )

    def check(self, build: Build) -> Iterator[Finding]:
        """Report pairs of the old form."""
        for step in steps_of(build, Env, Label):
            instruction = step.instruction
            assert isinstance(instruction, Env | Label)
            for pair in instruction.pairs:
                # A value that begins with an equals sign is another mistake, told by space-before-equals.
                if pair.legacy and not (pair.value or "").startswith("="):
                    yield self.finding(
                        pair.span,
                        f"without = the rest of the line is the value of {pair.key}: put = behind {pair.key}",
                        fix=self._fix(build, instruction, pair),
                    )

    def _fix(self, build: Build, instruction: Instruction, pair: Pair) -> Fix | None:
        value = pair.value or ""
        if instruction.inner_comments or pair.value_span is None or set(value) & {"'", '"', build.tree.escape, "\n"}:
            return None  # what the quotes mean differs between the two forms
        written = build.tree.source.slice(pair.value_span)
        if written != value or not value:
            return None
        text = value if re.fullmatch(r"[^\s=]*", value) or re.fullmatch(r"\S*", value) else f'"{value}"'
        return self.safe("Write an equals sign", Edit(Span(pair.key_span.end, pair.value_span.end), f"={text}"))


class OneOfAKind(Rule):
    """What CMD, ENTRYPOINT and HEALTHCHECK share: only the last of a stage counts."""

    kind: type[Instruction]

    def check(self, build: Build) -> Iterator[Finding]:
        """Report every one that a later one in the same stage replaces."""
        for stage in build.graph.stages:
            steps = [step for step in stage.steps if isinstance(step.instruction, self.kind)]
            for step, later in pairwise(steps):
                keyword = step.instruction.keyword
                yield self.finding(
                    step,
                    f"a later {keyword} of the stage replaces this one: keep the last only",
                    related=[(later, "this one replaces it")],
                    fix=self.safe(f"Delete the {keyword}", delete(build.tree.source, step.instruction)),
                )


class MultipleCmd(OneOfAKind):
    """A stage has several CMD instructions, of which only the last counts.

    Fix safety: safe; what is deleted never had an effect.
    """

    code = "D107"
    name = "multiple-cmd"
    aliases = ("DL4003", "MultipleInstructionsDisallowed", "DS-0016")
    kind = Cmd
    examples = (
        Bad(
            'FROM debian:12\nCMD ["a"]\nCMD ["b"]\n',
            at='CMD ["a"]',
            fixed='FROM debian:12\nCMD ["b"]\n',
        ),
        Good('FROM debian:12\nCMD ["a"]\n'),
        Good('FROM debian:12 AS one\nCMD ["a"]\nFROM one\nCMD ["b"]\n', why="each stage has one"),
    )


class MultipleEntrypoint(OneOfAKind):
    """A stage has several ENTRYPOINT instructions, of which only the last counts.

    Fix safety: safe; what is deleted never had an effect.
    """

    code = "D108"
    name = "multiple-entrypoint"
    aliases = ("DL4004", "MultipleInstructionsDisallowed", "DS-0007")
    severity = Severity.ERROR
    kind = Entrypoint
    examples = (
        Bad(
            'FROM debian:12\nENTRYPOINT ["a"]\nENTRYPOINT ["b"]\n',
            at='ENTRYPOINT ["a"]',
            fixed='FROM debian:12\nENTRYPOINT ["b"]\n',
        ),
        Good('FROM debian:12\nENTRYPOINT ["a"]\nCMD ["b"]\n'),
    )


class MultipleHealthcheck(OneOfAKind):
    """A stage has several HEALTHCHECK instructions, of which only the last counts.

    Fix safety: safe; what is deleted never had an effect.
    """

    code = "D109"
    name = "multiple-healthcheck"
    aliases = ("DL3012", "MultipleInstructionsDisallowed", "DS-0023")
    kind = Healthcheck
    examples = (
        Bad(
            "FROM debian:12\nHEALTHCHECK NONE\nHEALTHCHECK CMD true\n",
            at="HEALTHCHECK NONE",
            fixed="FROM debian:12\nHEALTHCHECK CMD true\n",
        ),
        Good("FROM debian:12\nHEALTHCHECK CMD true\n"),
    )


class HealthcheckMissing(Rule):
    """The image that ships has no HEALTHCHECK.

    Useful where a bare Docker daemon runs the image; orchestrators such as Kubernetes ignore it. Off unless selected.
    """

    code = "D110"
    name = "healthcheck-missing"
    aliases = ("DL3057", "CKV_DOCKER_2", "DS-0026", "CIS-DI-0006")
    severity = Severity.INFO
    default = False
    strict = False
    examples = (
        Bad('FROM debian:12\nCMD ["a"]\n', at="FROM debian:12"),
        Good("FROM debian:12\nHEALTHCHECK CMD true\n"),
        Good("FROM debian:12 AS base\nHEALTHCHECK NONE\nFROM base\n", why="inherited"),
    )

    def check(self, build: Build) -> Iterator[Finding]:
        """Report the target stage where its chain has none."""
        if build.graph.target is None:
            return
        chain = build.graph.chain(build.graph.target)
        if not any(isinstance(step.instruction, Healthcheck) for stage in chain for step in stage.steps):
            yield self.finding(chain[-1].from_, "nothing tells whether the container works: add a HEALTHCHECK")


class EnvSelfReference(Rule):
    """An ENV uses a variable that the same instruction sets.

    Values are put in as they were before the instruction, so the new value is not seen yet.

    Fix safety: unsafe; the value changes from what it was to what was meant.
    """

    code = "D111"
    name = "env-self-reference"
    aliases = ("DL3044",)
    severity = Severity.ERROR
    examples = (
        Bad(
            "FROM debian:12\nENV ROOT=/srv BIN=$ROOT/bin\n",
            at="BIN=$ROOT/bin",
            fixed="FROM debian:12\nENV ROOT=/srv\nENV BIN=$ROOT/bin\n",
            unsafe=True,
        ),
        Bad(
            "FROM debian:12\nENV ROOT=/srv \\\n    BIN=$ROOT/bin \\\n    LANG=C\n",
            at="BIN=$ROOT/bin",
            fixed="FROM debian:12\nENV ROOT=/srv\nENV BIN=$ROOT/bin \\\n    LANG=C\n",
            unsafe=True,
        ),
        Good("FROM debian:12\nENV ROOT=/srv\nENV BIN=$ROOT/bin\n"),
        Good("FROM debian:12\nENV PATH=/srv/bin:$PATH\n", why="extends the value from before"),
        Good("FROM debian:12\nENV ROOT=/a\nENV ROOT=/b BIN=$ROOT/bin\n", why="the old value may be meant"),
    )

    def check(self, build: Build) -> Iterator[Finding]:
        """Report uses of a variable that only another pair of the instruction defines."""
        for step in steps_of(build, Env):
            instruction = step.instruction
            assert isinstance(instruction, Env)
            keys = {pair.key for pair in instruction.pairs}
            for pair in instruction.pairs:
                for use in variables(pair.value or "", build.tree.escape):
                    if use.name in keys - {pair.key} and use.name not in step.before.variables:
                        yield self.finding(
                            pair.span,
                            f"{use.name} is set by the same ENV and still empty here: use a second ENV for {pair.key}",
                            fix=self._fix(build, instruction, pair, use.name),
                        )
                        break

    def _fix(self, build: Build, instruction: Env, pair: Pair, name: str) -> Fix | None:
        """Begin a second ENV in front of the pair, where the variable is set before it."""
        at = instruction.pairs.index(pair)
        if name not in {one.key for one in instruction.pairs[:at]} or pair.legacy:
            return None
        gap = Span(instruction.pairs[at - 1].span.end, pair.span.start)
        if any(gap.overlaps(comment.span) for comment in instruction.inner_comments):
            return None
        joint = f"{build.tree.source.newline}{build.tree.source.slice(instruction.keyword_span)} "
        return self.unsafe("Begin a second ENV", Edit(gap, joint))


class PortOutOfRange(Rule):
    """EXPOSE names a port above 65535."""

    code = "D116"
    name = "port-out-of-range"
    aliases = ("DL3011", "DS-0008")
    severity = Severity.ERROR
    examples = (
        Bad("FROM debian:12\nEXPOSE 80000\n", at="80000"),
        Good("FROM debian:12\nEXPOSE 8080 9000-9100/udp\n"),
        Good("FROM debian:12\nEXPOSE $PORT\n"),
    )

    def check(self, build: Build) -> Iterator[Finding]:
        """Report numbers that no port can have."""
        for step in steps_of(build, Expose):
            instruction = step.instruction
            assert isinstance(instruction, Expose)
            for word in instruction.words:
                if any(int(number) > 65535 for number in re.findall(r"\d{5,}", word.text.partition("/")[0])):
                    yield self.finding(word.span, f"{word.text} is no port: ports end at 65535")
