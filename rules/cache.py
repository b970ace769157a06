"""Rules about the build cache: what an edit rebuilds although it need not."""

from __future__ import annotations

import re
from collections.abc import Iterator

from dfopt.edit import Edit
from dfopt.finding import Finding, Fix, Severity
from dfopt.graph.model import Stage, Step
from dfopt.graph.queries import Install, installs_of, is_broad_copy
from dfopt.lint.rule import Bad, Build, Good, Rule
from dfopt.source import Span
from dfopt.syntax.tree import Add, Arg, Copy, Env, FileInstruction, Run
from dfopt.tools import Invocation
from dfopt.tools.paths import covers

LOCKS = (
    "package-lock.json",
    "yarn.lock",
    "pnpm-lock.yaml",
    "Gemfile.lock",
    "composer.lock",
    "go.sum",
    "poetry.lock",
    "uv.lock",
    "Pipfile.lock",
    "Cargo.lock",
    "mix.lock",
)
INSTALLS = ("install", "fetch", "sync")
WORTH_CACHING_SECONDS = 2
"""An install that takes less is not worth a line more in the file."""


def long_installs(step: Step) -> list[Invocation]:
    """Give the package installs of a RUN that are worth caching."""
    return [
        call
        for call in step.invocations
        if call.action in INSTALLS
        and call.tool.kind == "package-manager"
        and call.subcommand.seconds >= WORTH_CACHING_SECONDS
    ]


def _called(call: Invocation) -> str:
    """Name a call as people do: program and verb, without options (``go mod download``, ``pip install``)."""
    words = [word.raw for word in call.command.words]
    program = words[2] if words[1:2] == ["-m"] and len(words) > 2 else words[0]
    if call.verb is None:
        return f"{program} {call.operands[0].raw}" if call.operands else program
    rest = words[words.index(call.verb.raw) :]
    names = [name.split() for name in call.subcommand.names]
    verb = max((name for name in names if rest[: len(name)] == name), key=len, default=rest[:1])
    return " ".join((program, *verb))


def broad_copies(stage: Stage) -> Iterator[tuple[Step, list[Step]]]:
    """Give every copy of the whole context with the RUNs below it in the stage."""
    for position, step in enumerate(stage.steps):
        if is_broad_copy(step):
            yield step, [later for later in stage.steps[position + 1 :] if isinstance(later.instruction, Run)]


class CopyBeforeInstall(Rule):
    """The whole context is copied above a dependency install.

    Any edited file then repeats the install. Copying only the files that decide what is installed, then installing,
    then copying the rest keeps the install cached until those files change.

    Fix safety: safe where the context shows that the install reads nothing else; the broad copy stays below, so the
    final files are the same. Without the context nothing is changed.
    """

    code = "C101"
    name = "copy-before-install"
    examples = (
        Bad("FROM python:3.13\nWORKDIR /app\nCOPY . .\nRUN pip install -r requirements.txt\n", at="COPY . ."),
        Bad(
            "FROM python:3.13\nWORKDIR /app\nCOPY . .\nRUN pip install -r requirements.txt\n",
            at="COPY . .",
            context={"requirements.txt": "flask==3.0.3\n", "app.py": "pass\n"},
            fixed="FROM python:3.13\nWORKDIR /app\nCOPY requirements.txt .\nRUN pip install -r requirements.txt\n"
            "COPY . .\n",
        ),
        Bad("FROM node:22\nADD . /app\nWORKDIR /app\nRUN npm ci && npm run build\n", at="ADD . /app"),
        Bad("FROM golang:1.24\nWORKDIR /src\nCOPY . .\nRUN go mod download\nRUN go build\n", at="COPY . ."),
        Good(
            "FROM python:3.13\nWORKDIR /app\nCOPY requirements.txt .\nRUN pip install -r requirements.txt\nCOPY . .\n"
        ),
        Good("FROM python:3.13\nWORKDIR /app\nCOPY . .\nRUN pip install .\n", why="the install needs the sources"),
        Good("FROM node:22\nWORKDIR /app\nCOPY package*.json ./\nRUN npm ci\nCOPY . .\nRUN npm run build\n"),
        Bad("FROM composer:2\nWORKDIR /app\nCOPY . .\nRUN composer install --no-dev\n", at="COPY . ."),
        Bad("FROM gradle:8-jdk21\nWORKDIR /app\nCOPY . .\nRUN gradle dependencies\nRUN gradle build\n", at="COPY . ."),
        Good("FROM golang:1.24\nWORKDIR /src\nCOPY . .\nRUN go build\n", why="nothing but the build itself"),
        Good("FROM node:22 AS build\nRUN make\nFROM node:22\nCOPY --from=build / /app\nRUN cd /app && npm ci\n"),
        Good(
            "FROM python:3.13\nWORKDIR /app\nCOPY . .\nRUN pip install -r requirements.txt\n",
            context={"requirements.txt": "flask==3.0.3\n", "Dockerfile": ""},
            why="there is nothing else in the context",
        ),
    )

    def check(self, build: Build) -> Iterator[Finding]:
        """Report the copy once, at the first install that depends on some of its files only."""
        for stage in build.graph.stages:
            for copy, runs in broad_copies(stage):
                found = self._first_install(copy, runs)
                if found is None:
                    continue
                install, files = found
                if build.context is not None and not self._others(build, files, copy):
                    continue
                unique = dict.fromkeys(path.rsplit("/", 1)[-1] for path in files)
                names = ", ".join(unique) if len(unique) <= 3 else ""
                program = _called(install.invocation)
                yield self.finding(
                    copy,
                    f"every edited file repeats {program}: copy {names or 'the files that decide it'} first, install, "
                    "and copy the rest below",
                    related=[(install.step, "this install is repeated")],
                    fix=self._fix(build, copy),
                )

    @staticmethod
    def _first_install(copy: Step, runs: list[Step]) -> tuple[Install, list[str]] | None:
        folder = copy.destination.rstrip("/.") + "/"
        for run in runs:
            for install in installs_of(run):
                files = [path for path in install.manifests if path.startswith(folder)]
                if files and install.invocation.subcommand.seconds >= WORTH_CACHING_SECONDS:
                    return install, [*files, *(path for path in install.optional if path.endswith(LOCKS))]
        return None

    @staticmethod
    def _others(build: Build, reads: list[str], copy: Step) -> bool:
        """Tell whether the context holds files that the install does not read."""
        assert build.context is not None
        folder = copy.destination.rstrip("./") or ""
        own = {"Dockerfile", ".dockerignore", build.tree.source.name.rsplit("/", 1)[-1]}
        return any(
            entry.type == "file" and path not in own and f"{folder}/{path}" not in reads
            for path, entry in build.context.files.items()
        )

    @staticmethod
    def _fix(build: Build, copy: Step) -> Fix | None:
        if build.context is None:
            return None
        from dfopt.lint.proposals import proposed_fix
        from dfopt.rewrite.passes.copy_manifests_first import copy_manifests_first

        return proposed_fix(build, copy_manifests_first, copy.span)


class InstallBelowCopy(Rule):
    """An install that needs nothing of the build context stands below a copy of all of it.

    Any edited file then repeats the install. What changes least belongs on top.
    """

    code = "C112"
    name = "install-below-copy"
    examples = (
        Bad(
            "FROM debian:12\nCOPY . /app\nRUN apt-get update && apt-get install -y curl\n",
            at="RUN apt-get update && apt-get install -y curl",
        ),
        Bad("FROM python:3.13\nCOPY . /app\nRUN pip install flask==3.0.3\n", at="RUN pip install flask==3.0.3"),
        Good("FROM debian:12\nRUN apt-get update && apt-get install -y curl\nCOPY . /app\n"),
        Good("FROM debian:12\nCOPY . /app\nRUN apt-get install -y /app/tool.deb\n"),
        Good("FROM debian:12\nCOPY sources.list /etc/apt/\nRUN apt-get update && apt-get install -y curl\n"),
        Good(
            "FROM debian:12\nCOPY . /\nRUN apt-get update && apt-get install -y curl\n", why="may bring sources of apt"
        ),
        Good(
            "FROM debian:12\nCOPY . /app\nRUN /app/setup.sh && apt-get install -y curl\n",
            why="the script may prepare it",
        ),
    )

    def check(self, build: Build) -> Iterator[Finding]:
        """Report RUNs that only install, below a broad copy, before any step that uses the copied files."""
        for stage in build.graph.stages:
            for copy, runs in broad_copies(stage):
                folder = copy.destination.rstrip(".") or "/"
                if folder.strip("/") in ("", "etc", "usr", "root", "home"):
                    continue
                for run in runs:
                    if self._uses(run, folder):
                        break
                    if long_installs(run):
                        yield self.finding(
                            run,
                            "this needs nothing of the copied files, and every edit repeats it: "
                            f"move it above line {build.tree.source.line_of(copy.span.start)}",
                            related=[(copy, "any change here repeats the install")],
                        )

    @staticmethod
    def _uses(run: Step, folder: str) -> bool:
        """Tell whether a RUN may use what lies in a folder; what is unknown may."""
        effects = run.effects
        place = folder.rstrip("/")
        if effects.wall or effects.runs_project_code or len(run.commands) != len(run.invocations):
            return True
        return any(
            path.startswith(place) or covers(path, place) for path in effects.reads | effects.writes | effects.removes
        )


FAMILIES_WITH_LISTS = ("apt", "apk", "zypper", "dnf")


class UpdateWithoutInstall(Rule):
    """Package lists are refreshed in one RUN, and packages installed in another.

    The layer with the lists stays in the cache when the install changes, so an old list is used and the packages of its
    day are gone from the archive. The lists also weigh (about 20 MB on Debian) and a later layer cannot free them.

    Fix safety: safe where the install is the next instruction and both are plain lists of commands; the same commands
    run in the same order.
    """

    code = "C102"
    name = "update-without-install"
    aliases = ("CKV_DOCKER_5", "DS-0017", "CIS-DI-0007")
    examples = (
        Bad(
            "FROM debian:12\nRUN apt-get update\nRUN apt-get install -y curl && rm -rf /var/lib/apt/lists/*\n",
            at="RUN apt-get update",
            fixed="FROM debian:12\nRUN apt-get update \\\n && apt-get install -y curl && rm -rf /var/lib/apt/lists/*\n",
        ),
        Bad("FROM alpine:3.22\nRUN apk update\nWORKDIR /app\nRUN apk add curl\n", at="RUN apk update"),
        Bad("FROM debian:12\nRUN apt-get update\nCOPY . /app\n", at="RUN apt-get update"),
        Good("FROM debian:12\nRUN apt-get update && apt-get install -y curl\n"),
        Good("FROM debian:12\nRUN apt-get update && apt-get upgrade -y\n"),
        Good("FROM debian:12\nRUN apt-get update && ./install-packages.sh\n", why="the script may install"),
        Good(
            "FROM debian:12\nRUN --mount=type=cache,target=/var/lib/apt apt-get update\n",
            why="the lists are kept outside of the image",
        ),
    )

    def check(self, build: Build) -> Iterator[Finding]:
        """Report RUNs that update and neither install nor call something unknown afterwards."""
        for stage in build.graph.stages:
            for position, step in enumerate(stage.steps):
                family = self._updates_only(step)
                if family is None:
                    continue
                later = next((one for one in stage.steps[position + 1 :] if _installs_with(one, family)), None)
                related = [(later, "the install that uses the lists")] if later else []
                action = "join it with the install" if later else "remove it, or install in the same RUN"
                yield self.finding(
                    step,
                    f"the package lists are refreshed apart from any install, so a cached list grows old: {action}",
                    related=related,
                    fix=self._fix(build, stage, position, later),
                )

    @staticmethod
    def _updates_only(step: Step) -> str | None:
        if not isinstance(step.instruction, Run) or len(step.commands) != len(step.invocations):
            return None
        updates = [call for call in step.invocations if call.action == "update"]
        if not updates or updates[0].family not in FAMILIES_WITH_LISTS or step.effects.wall:
            return None
        tool = updates[0].tool
        if tool.lists and all(step.is_mounted(path.rstrip("/*")) for path in tool.lists):
            return None
        quiet = {"update", "clean", "print", "delete", "other", "configure", "test"}
        if any(call.action not in quiet for call in step.invocations):
            return None
        return updates[0].family

    def _fix(self, build: Build, stage: Stage, position: int, later: Step | None) -> Fix | None:
        if later is None or position + 1 >= len(stage.steps) or stage.steps[position + 1] is not later:
            return None
        step, source = stage.steps[position], build.tree.source
        first, second = step.instruction, later.instruction
        assert isinstance(first, Run)
        assert isinstance(second, Run)
        plain = not (first.flags or second.flags or first.heredocs or second.heredocs or second.comments)
        scripts = step.script is not None and later.script is not None
        if not plain or not scripts or first.is_exec or second.is_exec:
            return None
        assert step.script is not None
        assert later.script is not None
        if not (step.script.is_and_list and later.script.is_and_list) or step.before.shell != later.before.shell:
            return None
        if any(call.action not in ("update",) for call in step.invocations):
            return None
        end, start = first.body.span(0, len(first.body.text)).end, second.body.to_file(0)
        joint = f" {build.tree.escape}{source.newline} && "
        return self.safe("Join it with the install", Edit(Span(end, start), joint))


def _installs_with(step: Step, family: str) -> bool:
    return isinstance(step.instruction, Run) and any(
        call.family == family and call.action in ("install", "upgrade") for call in step.invocations
    )


_VOLATILE = re.compile(
    r"(?:(?:APP|IMAGE|DOCKER|CONTAINER|PROJECT)_)?"
    r"(?:BUILD_?(?:DATE|TIME|TIMESTAMP|NUMBER|ID|NUM)|(?:GIT|VCS|SOURCE|CI|SCM|BUILD)_?(?:COMMIT|SHA1?|REF|REV|REVISION|HASH)"
    r"|(?:GIT_)?COMMIT(?:_?(?:SHA|HASH|ID|REF))?|REVISION|(?:SOURCE|CREATED)_?(?:DATE|AT))",
    re.IGNORECASE,
)
_FIXED = re.compile(r"[\"']?(?:[0-9a-f]{7,64}|v?\d+(?:\.\d+)+)[\"']?", re.IGNORECASE)


class VolatileValueEarly(Rule):
    """A value that differs in every build is declared above steps that take long and do not use it.

    Every RUN below an ARG with a value, or an ENV, has that value in its cache key, used or not: with a new build date
    or commit nothing below is ever cached.
    """

    code = "C103"
    name = "volatile-value-early"
    examples = (
        Bad(
            "FROM debian:12\nARG BUILD_DATE\nRUN apt-get update && apt-get install -y curl\nLABEL date=$BUILD_DATE\n",
            at="ARG BUILD_DATE",
        ),
        Bad("FROM node:22\nARG GIT_COMMIT\nENV GIT_COMMIT=$GIT_COMMIT\nRUN npm ci\n", at="ARG GIT_COMMIT"),
        Good("FROM debian:12\nRUN apt-get update && apt-get install -y curl\nARG BUILD_DATE\nLABEL date=$BUILD_DATE\n"),
        Good("FROM node:22\nARG GIT_COMMIT\nRUN echo $GIT_COMMIT > /commit\n", why="nothing below takes long"),
        Good(
            'FROM golang:1.24\nARG GIT_COMMIT\nRUN go build -ldflags "-X main.commit=$GIT_COMMIT" .\n',
            why="the build uses it",
        ),
        Good(
            "FROM debian:12\nARG LIBFOO_COMMIT=f7c87b8\nRUN apt-get update && apt-get install -y curl\n",
            why="a pinned dependency",
        ),
        Good("ARG BUILD_DATE\nFROM debian:12\nRUN apt-get update && apt-get install -y curl\n", why="not in the stage"),
        Good("FROM debian:12\nLABEL build_date=2024\nRUN apt-get update && apt-get install -y curl\n"),
    )

    def check(self, build: Build) -> Iterator[Finding]:
        """Report the ARG, or the ENV where no ARG brings the value, above the first long step that does not use it."""
        for stage in build.graph.stages:
            for position, step in enumerate(stage.steps):
                instruction = step.instruction
                if not isinstance(instruction, Arg | Env):
                    continue
                for pair in instruction.pairs:
                    if (
                        not _VOLATILE.fullmatch(pair.key)
                        or _FIXED.fullmatch(pair.value or "")
                        or (isinstance(instruction, Env) and not self._varies(pair.value))
                    ):
                        continue
                    if isinstance(instruction, Env) and _declared_above(stage, position, pair.key):
                        continue
                    slow = self._slow(stage, position, pair.key)
                    if slow is not None:
                        yield self.finding(
                            step,
                            f"{pair.key} differs in every build, so nothing below is cached: declare it below line "
                            f"{build.tree.source.line_of(slow.span.end)}",
                            related=[(slow, "repeated for every new value, though it does not use it")],
                        )
                        break

    @staticmethod
    def _varies(value: str | None) -> bool:
        return bool(value) and "$" in str(value)

    @staticmethod
    def _slow(stage: Stage, position: int, name: str) -> Step | None:
        """Give the first long RUN below, unless the value is used before or in it."""
        for step in stage.steps[position + 1 :]:
            if not isinstance(step.instruction, Run):
                continue
            if re.search(
                rf"\b{re.escape(name)}\b",
                step.instruction.body.text + "".join(heredoc.content for heredoc in step.instruction.heredocs),
            ):
                return None
            if any(call.action in ("build", "run", "test") for call in step.invocations) or _has_unknown(step):
                return None  # the project's own code may use the value
            if sum(call.subcommand.seconds for call in step.invocations) >= 5:
                return step
        return None


def _has_unknown(step: Step) -> bool:
    return len(step.commands) != len(step.invocations)


def _declared_above(stage: Stage, position: int, name: str) -> bool:
    return any(
        isinstance(step.instruction, Arg) and any(pair.key == name for pair in step.instruction.pairs)
        for step in stage.steps[:position]
    )


class CopiedFileIgnored(Rule):
    """A file is copied that the ignore file keeps out of the build.

    The builder never sees it, so the copy fails or copies nothing.
    """

    code = "C107"
    name = "copied-file-ignored"
    aliases = ("CopyIgnoredFile",)
    examples = (
        Bad("FROM scratch\nCOPY app.env /\n", at="app.env", context={"app.env": "A=1\n", ".dockerignore": "*.env\n"}),
        Good("FROM scratch\nCOPY app.env /\n", context={"app.env": "A=1\n", ".dockerignore": "*.log\n"}),
        Good("FROM scratch\nCOPY . /\n", context={"app.env": "A=1\n", ".dockerignore": "*.env\n"}),
    )

    def check(self, build: Build) -> Iterator[Finding]:
        """Report literal sources that exist and are ignored."""
        context = build.context
        if context is None:
            return
        for step, index, path in _literal_sources(build):
            if path in context.ignored and not any(
                file == path or file.startswith(path + "/") for file in context.files
            ):
                instruction = step.instruction
                assert isinstance(instruction, FileInstruction)
                yield self.finding(
                    instruction.sources[index].span,
                    f"{path} is kept out of the build by {context.ignore_name or '.dockerignore'}: "
                    "take it off that list, or do not copy it",
                )


class MissingCopySource(Rule):
    """A file is copied that is not in the build context.

    The build stops there.
    """

    code = "C108"
    name = "missing-copy-source"
    severity = Severity.ERROR
    examples = (
        Bad("FROM scratch\nCOPY ap.py /\n", at="ap.py", context={"app.py": "pass\n"}),
        Good("FROM scratch\nCOPY app.py /\n", context={"app.py": "pass\n"}),
        Good("FROM scratch\nCOPY src /src\n", context={"src/app.py": "pass\n"}),
        Good("FROM scratch\nCOPY *.md /\n", context={"app.py": "pass\n"}, why="a pattern may fit nothing"),
        Good("FROM scratch\nADD https://example.com/ap.py /\n", context={"app.py": "pass\n"}),
    )

    def check(self, build: Build) -> Iterator[Finding]:
        """Report literal sources that neither exist nor are ignored."""
        context = build.context
        if context is None or not context.files:
            return
        for step, index, path in _literal_sources(build):
            if path in context.ignored or path in context.files:
                continue
            if any(file.startswith(path + "/") for file in (*context.files, *context.ignored)):
                continue
            if any(path.startswith(folder + "/") for folder, entry in context.ignored.items() if entry.type != "file"):
                continue
            instruction = step.instruction
            assert isinstance(instruction, FileInstruction)
            yield self.finding(
                instruction.sources[index].span, f"{path} is not in the build context: correct the name or add the file"
            )


def _literal_sources(build: Build) -> Iterator[tuple[Step, int, str]]:
    """Give sources of COPY and ADD that name one path of the context: step, number of the source, clean path."""
    import posixpath

    for step in build.steps:
        instruction = step.instruction
        if not isinstance(instruction, Copy | Add) or step.stage < 0 or step.unknown or instruction.heredocs:
            continue
        if step.source_stage is not None or step.source_image is not None or instruction.flag_value("from"):
            continue
        for index, source in enumerate(step.sources):
            remote = isinstance(instruction, Add) and re.match(r"[\w+.-]+://|[\w.-]+@[\w.-]+:", source)
            path = posixpath.normpath("/" + source).strip("/")
            if path and not remote and not set("*?[\\") & set(source):
                yield step, index, path
