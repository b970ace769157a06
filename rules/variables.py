"""Rules about ARG and ENV: variables that nobody sets, nobody uses, or that are set twice."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

from dfopt.edit import Edit
from dfopt.finding import Finding, Fix, Severity
from dfopt.graph.model import Stage, Step
from dfopt.graph.queries import users_of, variables_used
from dfopt.lint.rule import Bad, Build, Good, Rule
from dfopt.source import Span
from dfopt.syntax.edits import delete, insert_after
from dfopt.syntax.tree import Add, Arg, Copy, Env, Instruction, Label, Run, Shell, Stopsignal, User, Workdir
from dfopt.syntax.words import variables


def is_global(build: Build, name: str) -> bool:
    """Tell whether an ARG in front of the first FROM, or the builder itself, gives a variable to FROM alone."""
    variable = build.graph.globals.get(name)
    return variable is not None and variable.kind in ("global", "arg", "platform")


_BARE_SYSTEMS = frozenset(
    ("debian", "ubuntu", "alpine", "centos", "fedora", "busybox", "amazonlinux", "rockylinux", "almalinux", "archlinux",
     "opensuse/leap", "opensuse/tumbleweed", "oraclelinux", "buildpack-deps", "registry.access.redhat.com/ubi8/ubi",
     "registry.access.redhat.com/ubi9/ubi", "quay.io/centos/centos", "photon", "clearlinux", "mageia")
)  # fmt: skip


def environment_known(build: Build, step: Step) -> bool:
    """Tell whether all variables of a step's base image are known.

    Systems without programs set PATH alone; of other images it is known where it was recorded from the image itself.
    """
    root = build.graph.chain(step.stage)[0]
    if root.image == "scratch":
        return True
    if root.facts is None or not step.after.base_known or not root.image:
        return False
    name = re.sub(r"[:@].*", "", root.image.removeprefix("docker.io/").removeprefix("library/"))
    return name in _BARE_SYSTEMS or (
        root.facts.confidence in ("measured", "alias") and "repo-info" in root.facts.source
    )


class UndefinedVariable(Rule):
    """A variable is used that nothing sets.

    It expands to nothing, without a word: a path becomes another one, a version is missing. Variables of the base image
    are known for official images; on top of an image of which nothing is known the rule is silent.

    Fix safety: unsafe; the nearest name that exists is taken.
    """

    code = "D112"
    name = "undefined-variable"
    aliases = ("UndefinedVar",)
    examples = (
        Bad("FROM debian:12\nENV HOME_DIR=/srv\nWORKDIR $HOME_DIRR\n", at="$HOME_DIRR",
            fixed="FROM debian:12\nENV HOME_DIR=/srv\nWORKDIR $HOME_DIR\n", unsafe=True),
        Bad("FROM debian:12\nCOPY app ${PREFIX}/app\n", at="${PREFIX}"),
        Bad("FROM debian:12\nENV A=$NOTHING\n", at="$NOTHING"),
        Good("FROM debian:12\nARG PREFIX\nCOPY app ${PREFIX}/app\n", why="declared, and given by the build"),
        Good("FROM debian:12\nENV PATH=/opt/bin:$PATH\n", why="every image has a PATH"),
        Good("FROM golang:1.24\nENV BIN=$GOPATH/bin\n", why="the base image sets it"),
        Good("FROM example.com/base:1\nENV A=$FROM_THERE\n", why="nothing is known of the base image"),
        Good("FROM debian:12\nENV A=${NOTHING:-default}\n"),
        Good("FROM debian:12\nRUN echo $NOTHING\n", why="the shell's own business"),
        Good("FROM debian:12\nENV A=1 B=$A\n", why="env-self-reference tells"),
        Good("ARG V=1\nFROM debian:12\nENV A=$V\n", why="arg-not-redeclared tells"),
    )  # fmt: skip

    def check(self, build: Build) -> Iterator[Finding]:
        """Report uses in expanded places."""
        for stage in build.graph.stages:
            for step in stage.steps[1:]:
                if not step.missing or not environment_known(build, step):
                    continue
                for missing in step.missing:
                    written = build.tree.source.slice(missing.span)
                    if self._set_beside(step, missing.name, missing.span):
                        continue
                    if is_global(build, missing.name) or re.match(r"\$\{\w+:?[-+?=]", written):
                        continue
                    yield self._told(build, step, missing.name, missing.span)

    @staticmethod
    def _set_beside(step: Step, name: str, span: Span) -> bool:
        """Tell whether another pair of the same ENV sets the name, which env-self-reference tells."""
        pairs = step.instruction.pairs if isinstance(step.instruction, Env) else ()
        return any(pair.key == name and not pair.span.overlaps(span) for pair in pairs)

    def _told(self, build: Build, step: Step, name: str, span: Span) -> Finding:
        from dfopt.syntax.spelling import closest

        near = closest(name, [one for one in step.before.variables if len(one) > 3]) if len(name) > 3 else None
        fix = None
        written = build.tree.source.slice(span)
        if near is not None and written.count(name) == 1:
            at = span.start + written.index(name)
            fix = self.unsafe(f"Write {near}", Edit(Span(at, at + len(name)), near))
        hint = f": is {near} meant?" if near else ": declare it with ARG or ENV above, or give it a default"
        if isinstance(step.instruction, Env) and any(name == pair.key for pair in step.instruction.pairs):
            fix, hint = None, ": there is nothing to extend yet, leave it out"
        return self.finding(span, f"nothing sets {name}, so it expands to nothing{hint}", fix=fix)


PLATFORM = frozenset(
    ("TARGETPLATFORM", "TARGETOS", "TARGETARCH", "TARGETVARIANT", "BUILDPLATFORM", "BUILDOS", "BUILDARCH",
     "BUILDVARIANT", "TARGETSTAGE")
)  # fmt: skip
"""What the builder gives to FROM, and to a stage that asks with ARG."""


class ArgNotRedeclared(Rule):
    """A stage uses an ARG that is declared in front of the first FROM, and does not declare it again.

    Such an ARG is known to the FROM lines alone; inside a stage it is empty until ``ARG NAME`` stands there. The same
    holds for what the builder gives, such as ``TARGETARCH``.

    Fix safety: unsafe; the stage then has the value it lacked.
    """

    code = "D113"
    name = "arg-not-redeclared"
    aliases = ("S6579",)
    examples = (
        Bad(
            "ARG VERSION=1\nFROM debian:12\nENV APP_VERSION=$VERSION\n",
            at="$VERSION",
            fixed="ARG VERSION=1\nFROM debian:12\nARG VERSION\nENV APP_VERSION=$VERSION\n",
            unsafe=True,
        ),
        Bad(
            "ARG VERSION=1\nFROM debian:12\nRUN ./get.py --version ${VERSION}\n",
            at="${VERSION}",
            fixed="ARG VERSION=1\nFROM debian:12\nARG VERSION\nRUN ./get.py --version ${VERSION}\n",
            unsafe=True,
        ),
        Bad(
            "FROM debian:12\nRUN ./get.py $TARGETARCH\n",
            at="$TARGETARCH",
            fixed="FROM debian:12\nARG TARGETARCH\nRUN ./get.py $TARGETARCH\n",
            unsafe=True,
        ),
        Good("ARG VERSION=1\nFROM debian:12\nARG VERSION\nENV APP_VERSION=$VERSION\n"),
        Good("ARG VERSION=1\nFROM debian:$VERSION\n"),
        Good("ARG VERSION=1\nFROM debian:12 AS a\nARG VERSION\nFROM a\nRUN echo $VERSION\n", why="inherited"),
        Good("ARG VERSION=1\nFROM debian:12\nRUN VERSION=2 && echo $VERSION\n", why="the script's own variable"),
        Good("ARG VERSION=1\nFROM debian:12\nRUN . /etc/os-release && echo $VERSION\n", why="may come from the file"),
        Good("ARG VERSION=1\nFROM debian:12\nRUN echo ${VERSION:-2}\n", why="meant to be empty at times"),
        Good("ARG VERSION=1\nFROM debian:12\nRUN echo '$VERSION'\n", why="quoted"),
        Good("ARG VERSION=1\nFROM example.com/base:$VERSION\nRUN echo $VERSION\n", why="the base image may set it"),
    )

    def check(self, build: Build) -> Iterator[Finding]:
        """Report the first use of each name in a stage."""
        source = build.tree.source
        names = {name for name in build.graph.globals if is_global(build, name)} | PLATFORM
        if len(names) == len(PLATFORM) and not any(name in source.text for name in PLATFORM):
            return
        for stage in build.graph.stages:
            told: set[str] = set()
            known = environment_known(build, stage.steps[0])
            for step in stage.steps[1:]:
                for name, span in self._uses(step, names if known else names & PLATFORM):
                    if name in told:
                        continue
                    told.add(name)
                    given = f"the builder gives {name} to" if name in PLATFORM else f"{name} is known to"
                    yield self.finding(
                        span,
                        f"{given} FROM alone, and empty here: add ARG {name} to the stage",
                        fix=self.unsafe(f"Add ARG {name}", insert_after(source, stage.from_, f"ARG {name}")),
                    )

    @staticmethod
    def _uses(step: Step, names: set[str]) -> Iterator[tuple[str, Span]]:
        for missing in step.missing:
            if missing.name in names:
                yield missing.name, missing.span
        if not isinstance(step.instruction, Run) or step.script is None or "$" not in step.script.text:
            return
        in_force, text = step.before.variables, step.script.text
        for command in step.commands:
            if command.name in (".", "source", "eval"):
                return
            for word in command.words:
                for name in word.variables:
                    if name not in names or name in in_force:
                        continue
                    # Where the name stands without a dollar sign, the script sets it itself.
                    if re.search(rf"(?<![\w${{]){name}\b", text) or re.search(rf"\$\{{{name}[^}}\w]", text):
                        continue
                    found = re.search(rf"\$(?:{name}\b|\{{{name}\}})", word.raw)
                    if found is not None:
                        at = word.span.start + found.start()
                        whole = word.span.end - word.span.start == len(word.raw)
                        yield name, Span(at, at + len(found[0])) if whole else word.span


class SpaceBeforeEquals(Rule):
    """A blank stands in front of the equals sign, so that the equals sign becomes part of the value.

    ``ENV NAME =value`` sets NAME to ``=value``.

    Fix safety: unsafe; the value changes to what was meant.
    """

    code = "D132"
    name = "space-before-equals"
    aliases = ("S6574",)
    severity = Severity.ERROR
    examples = (
        Bad(
            "FROM debian:12\nENV NAME =value\n",
            at="NAME =value",
            fixed="FROM debian:12\nENV NAME=value\n",
            unsafe=True,
        ),
        Bad(
            "FROM debian:12\nLABEL title = The app\n",
            at="title = The app",
            fixed='FROM debian:12\nLABEL title="The app"\n',
            unsafe=True,
        ),
        Good("FROM debian:12\nENV NAME=value\n"),
        Good('FROM debian:12\nENV OPTIONS="a =b"\n'),
        Good("FROM debian:12\nENV OPTIONS -a =b\n", why="the equals sign stands in the value"),
    )

    def check(self, build: Build) -> Iterator[Finding]:
        """Report pairs of the old form whose value begins with an equals sign."""
        for step in build.steps:
            instruction = step.instruction
            for pair in instruction.pairs if isinstance(instruction, Env | Label) else ():
                if not pair.legacy or not (pair.value or "").startswith("="):
                    continue
                yield self.finding(
                    pair.span,
                    f"the value of {pair.key} begins with the equals sign: remove the blank in front of it",
                    fix=self._fix(pair.value or "", pair.key_span, pair.value_span, build.tree.escape),
                )

    def _fix(self, value: str, key: Span, place: Span | None, escape: str) -> Fix | None:
        meant = value[1:].strip()
        if place is None or place.end - place.start != len(value) or not meant or escape in meant:
            return None
        if re.search(r"\s", meant) and not re.fullmatch(r"\"[^\"]*\"|'[^']*'", meant):
            if "'" in meant or '"' in meant:
                return None
            meant = f'"{meant}"'
        return self.unsafe("Remove the blank", Edit(Span(key.end, place.end), f"={meant}"))


# What an instruction is for: a later one of its kind makes it void unless one of these stands between.
_USED_BY: dict[type[Instruction], tuple[str, ...]] = {
    User: ("RUN", "WORKDIR", "COPY", "ADD", "ONBUILD"),
    Shell: ("RUN", "CMD", "ENTRYPOINT", "HEALTHCHECK", "ONBUILD"),
    Stopsignal: (),
}


class OverwrittenInstruction(Rule):
    """A later instruction of the stage replaces what this one sets, before anything used it.

    Fix safety: safe; what is deleted never had an effect.
    """

    code = "D133"
    name = "overwritten-instruction"
    default = False
    severity = Severity.INFO
    examples = (
        Bad(
            "FROM debian:12\nUSER a\nEXPOSE 80\nUSER b\n",
            at="USER a",
            fixed="FROM debian:12\nEXPOSE 80\nUSER b\n",
        ),
        Bad(
            "FROM debian:12\nENV A=1\nENV A=2\n",
            at="ENV A=1",
            fixed="FROM debian:12\nENV A=2\n",
        ),
        Good("FROM debian:12\nUSER a\nRUN make\nUSER b\n"),
        Good("FROM debian:12\nWORKDIR /a\nWORKDIR /b\n", why="the first folder is made"),
        Good("FROM debian:12\nENV A=1\nENV B=$A\nENV A=2\n"),
        Good("FROM debian:12 AS base\nUSER a\nFROM base\nUSER b\n"),
    )

    def check(self, build: Build) -> Iterator[Finding]:
        """Report the earlier of two."""
        for stage in build.graph.stages:
            for kind, users in _USED_BY.items():
                steps = [step for step in stage.steps if isinstance(step.instruction, kind)]
                for first, second in pairwise(steps):
                    if not any(step.keyword in users for step in _between(stage, first, second)):
                        yield self._told(build, first, second, first.keyword)
            yield from self._variables(build, stage)

    def _variables(self, build: Build, stage: Stage) -> Iterator[Finding]:
        steps = [step for step in stage.steps if isinstance(step.instruction, Env) and len(step.instruction.pairs) == 1]
        for first, second in pairwise(steps):
            one, two = first.instruction, second.instruction
            assert isinstance(one, Env)
            assert isinstance(two, Env)
            name = one.pairs[0].key
            if name != two.pairs[0].key or "$" in name or name in variables_used(second):
                continue
            quiet = ("LABEL", "EXPOSE", "USER", "ENV", "ARG", "STOPSIGNAL", "VOLUME")
            if all(step.keyword in quiet and name not in step.used for step in _between(stage, first, second)):
                yield self._told(build, first, second, name)

    def _told(self, build: Build, first: Step, second: Step, what: str) -> Finding:
        return self.finding(
            first,
            f"{what} is set again before anything uses it: remove this one",
            related=[(second, "replaces it")],
            fix=self.safe("Remove it", delete(build.tree.source, first.instruction)),
        )


def _between(stage: Stage, first: Step, second: Step) -> list[Step]:
    return [step for step in stage.steps if first.index < step.index < second.index]


_PROXIES = frozenset(
    f"{letters}{rest}" for letters, rest in (
        ("http", "_proxy"), ("https", "_proxy"), ("ftp", "_proxy"), ("no", "_proxy"), ("all", "_proxy"),
        ("HTTP", "_PROXY"), ("HTTPS", "_PROXY"), ("FTP", "_PROXY"), ("NO", "_PROXY"), ("ALL", "_PROXY"),
    )
) | {"SOURCE_DATE_EPOCH", "BUILDKIT_SYNTAX", "BUILDKIT_INLINE_CACHE", "CACHEBUST", "CACHE_BUST"}  # fmt: skip


class UnusedArg(Rule):
    """An ARG is declared and nothing uses it.

    Whoever builds gives a value that has no effect, and every RUN below is repeated when it changes.

    Silent where a program that is not known runs below, since it may read the variable from its environment.

    Fix safety: unsafe; the builder warns of a ``--build-arg`` that no ARG declares.
    """

    code = "D137"
    name = "unused-arg"
    default = False
    severity = Severity.INFO
    examples = (
        Bad(
            "FROM debian:12\nARG VERSION\nRUN apt-get update\n",
            at="VERSION",
            fixed="FROM debian:12\nRUN apt-get update\n",
            unsafe=True,
        ),
        Bad("ARG TAG=12\nFROM debian:12\n", at="TAG=12", fixed="FROM debian:12\n", unsafe=True),
        Good("FROM debian:12\nARG VERSION\nRUN echo $VERSION\n"),
        Good("ARG TAG=12\nFROM debian:$TAG\n"),
        Good("ARG TAG=12\nARG IMAGE=debian:$TAG\nFROM $IMAGE\n"),
        Good("ARG TAG=12\nFROM debian:12\nARG TAG\nRUN echo $TAG\n"),
        Good("FROM debian:12\nARG VERSION\nRUN ./build.sh\n", why="the script may use it"),
        Good("FROM debian:12\nARG DEBIAN_FRONTEND=noninteractive\nRUN apt-get install -y curl\n", why="apt uses it"),
        Good("FROM debian:12\nARG http_proxy\nRUN true\n", why="known to every builder"),
    )

    def check(self, build: Build) -> Iterator[Finding]:
        """Report ARGs without a user in their stage, or in any FROM and stage for those of the whole file."""
        graph = build.graph
        for step in graph.steps:
            instruction = step.instruction
            if not isinstance(instruction, Arg):
                continue
            for pair in instruction.pairs:
                if pair.key in _PROXIES:
                    continue
                used = (
                    self._used_globally(build, pair.key)
                    if step.stage < 0
                    else self._used_in_stage(build, step, pair.key)
                )
                if not used:
                    fix = None
                    if len(instruction.pairs) == 1:
                        fix = self.unsafe("Remove it", delete(build.tree.source, instruction))
                    yield self.finding(pair.span, f"nothing uses {pair.key}: remove it", fix=fix)

    @staticmethod
    def _used_globally(build: Build, name: str) -> bool:
        escape = build.tree.escape
        for step in build.graph.steps:
            instruction = step.instruction
            asked = name in step.used and step.keyword == "FROM"
            if step.stage < 0 and isinstance(instruction, Arg):
                values = (pair.value or "" for pair in instruction.pairs)
                asked = any(use.name == name for value in values for use in variables(value, escape))
            declared = (
                step.stage >= 0 and isinstance(instruction, Arg) and any(p.key == name for p in instruction.pairs)
            )
            # Whoever asks for it in a stage means it, though it is empty there: arg-not-redeclared tells.
            meant = any(missing.name == name for missing in step.missing)
            if isinstance(instruction, Run):
                meant = meant or f"${name}" in instruction.body.text.replace("{", "")
            if asked or declared or meant:
                return True
        return False

    @staticmethod
    def _used_in_stage(build: Build, step: Step, name: str) -> bool:
        if users_of(build.graph, step, name):
            return True
        for stage in build.graph.stages:
            for each in stage.all_steps:
                variable = each.before.variables.get(name)
                if variable is None or variable.step != step.index:
                    continue
                if isinstance(each.instruction, Run) and (each.effects.wall or each.effects.runs_project_code):
                    return True
                if isinstance(each.instruction, Run) and (each.script is None or name in each.script.text):
                    return True
                if isinstance(each.instruction, Copy | Add | Workdir) and name in each.used:
                    return True
        return False
