"""Rules about build stages: what ships although it only builds, and references between stages."""

from __future__ import annotations

from collections.abc import Iterator

from dfopt.edit import Edit
from dfopt.finding import Finding, Fix, Severity
from dfopt.graph.model import Stage, Step
from dfopt.graph.queries import is_broad_copy
from dfopt.lint.rule import Bad, Build, Good, Rule
from dfopt.shell.model import ShellWord
from dfopt.source import Span
from dfopt.syntax.tree import Cmd, Copy, Entrypoint, Run
from dfopt.tools import Invocation, package_names
from dfopt.tools.catalogue import build_purpose, programs_of

BUILD_PURPOSES = ("compiler", "build", "headers")
LEAST_BYTES = 5_000_000
"""What weighs less is not worth another stage."""


def shown_bytes(count: float) -> str:
    """Write a number of bytes for people."""
    return f"{count / 1e9:.2g} GB" if count >= 1e9 else f"{count / 1e6:.0f} MB"


def target_chain(build: Build) -> tuple[Stage, ...]:
    """Give the stages whose layers ship, lowest first."""
    return () if build.graph.target is None else build.graph.chain(build.graph.target)


class BuildToolsShipped(Rule):
    """Compilers, build systems or headers stay in the image that ships.

    They are needed while the image is built, not while it runs, and weigh more than most applications. A stage of its
    own can build, and the image that ships copies the result.

    Fix safety: unsafe; the split is proven for what the file shows, and a program may use a compiler when it runs.
    """

    code = "M101"
    name = "build-tools-shipped"
    aliases = ("tally/prefer-multi-stage-build",)
    severity = Severity.INFO
    examples = (
        Bad(
            "FROM debian:12-slim\nRUN apt-get update && apt-get install -y gcc make\nCOPY . /src\n"
            'RUN make -C /src install\nCMD ["/usr/local/bin/app"]\n',
            at="apt-get install -y gcc make",
        ),
        Bad(
            "FROM python:3.13-slim\nRUN apt-get update && apt-get install -y gcc libpq-dev\n"
            'COPY requirements.txt .\nRUN pip install -r requirements.txt\nCMD ["python", "app.py"]\n',
            at="apt-get install -y gcc libpq-dev",
        ),
        Good(
            "FROM debian:12 AS build\nRUN apt-get update && apt-get install -y gcc make\nCOPY . /src\n"
            "RUN make -C /src\nFROM debian:12-slim\nCOPY --from=build /src/app /usr/local/bin/app\n",
        ),
        Good("FROM debian:12\nRUN apt-get update && apt-get install -y gcc make\n", why="an image for building"),
        Good(
            "FROM debian:12\nCOPY . /src\nRUN apt-get update && apt-get install -y gcc make && make -C /src install "
            "&& apt-get purge -y gcc make\n",
            why="removed by the RUN that installs them",
        ),
        Good(
            "FROM alpine:3.22\nCOPY . /src\nRUN apk add --virtual .build gcc make && make -C /src install "
            "&& apk del .build\n",
        ),
        Good(
            "FROM debian:12\nRUN apt-get update && apt-get install -y make gcc\nCOPY . /src\nRUN make -C /src\n"
            'CMD ["make", "-C", "/src", "run"]\n',
            why="the container runs them",
        ),
    )

    def check(self, build: Build) -> Iterator[Finding]:
        """Report installs of build packages in shipping stages below which something is built."""
        steps = [step for stage in target_chain(build) for step in stage.all_steps]
        started = _started_programs(steps)
        for position, step in enumerate(steps):
            for number, call in enumerate(step.invocations):
                installed = _installed(call)
                if any((programs_of(name) or set()) & started for _, name in installed):
                    continue
                words = [word for word, name in installed if build_purpose(call.family, name) in BUILD_PURPOSES]
                if not words or call.command.conditional:
                    continue
                if _is_removed(step, number, call) or not _builds(
                    step.invocations[number + 1 :], steps[position + 1 :]
                ):
                    continue
                saved = _saving(build, step, call, words)
                if saved is not None and saved < LEAST_BYTES:
                    continue
                names = ", ".join(word.value or word.raw for word in words[:4]) + (
                    " and more" if len(words) > 4 else ""
                )
                weight = f" (about {shown_bytes(saved)})" if saved else ""
                yield self.finding(
                    call.command.span,
                    f"only needed to build, and still in the image: {names}{weight}; build in a stage of its own "
                    "and copy the result, or remove them in the RUN that uses them",
                    saved_bytes=None if saved is None else round(saved),
                )


def _saving(build: Build, step: Step, call: Invocation, words: list[ShellWord]) -> float | None:
    # Most files have nothing to weigh, and should not wait for the models.
    from dfopt.predict.saving import saving

    return saving(build.graph, step, call, words)


def _installed(call: Invocation) -> list[tuple[ShellWord, str]]:
    """Give the packages that a system package manager's install names, with their words."""
    if call.action != "install" or call.family not in ("apt", "apk", "dnf", "zypper"):
        return []
    return [(package.word, package.name) for package in package_names(call) if not package.excluded]


def _started_programs(steps: list[Step]) -> set[str]:
    """Give the names of programs that the container starts."""
    names: set[str] = set()
    for step in steps:
        if isinstance(step.instruction, Cmd | Entrypoint) and step.script is not None:
            names |= {command.name for command in step.commands if command.name}
    return names


def _is_removed(step: Step, number: int, install: Invocation) -> bool:
    """Tell whether the same RUN removes packages of the same manager again."""
    return any(
        call.family == install.family and call.action in ("remove", "autoremove")
        for call in step.invocations[number + 1 :]
    )


def _builds(rest: tuple[Invocation, ...], later: list[Step]) -> bool:
    """Tell whether something is built after an install: by the rest of its RUN or by a later step."""
    calls = [*rest, *(call for step in later if isinstance(step.instruction, Run) for call in step.invocations)]
    return any(
        call.action == "build"
        or (call.action == "install" and call.family in ("pip", "gem", "bundler", "npm", "yarn", "cargo", "uv", "pecl"))
        for call in calls
    )


TOOLCHAIN_IMAGES = (
    "golang",
    "rust",
    "maven",
    "gradle",
    "gcc",
    "haskell",
    "swift",
    "hseeberger/scala-sbt",
    "sbtscala/scala-sbt",
)
"""Official images that hold a compiler and little else."""


class ToolchainShipped(Rule):
    """The image that ships is built on an image whose content is a compiler, and runs what was compiled in it.

    The compiled program needs none of it: a second stage on a small base can ship the program alone.
    """

    code = "M106"
    name = "toolchain-shipped"
    severity = Severity.INFO
    examples = (
        Bad(
            'FROM golang:1.24\nWORKDIR /src\nCOPY . .\nRUN go build -o /app .\nCMD ["/app"]\n',
            at="golang:1.24",
        ),
        Good(
            "FROM golang:1.24 AS build\nWORKDIR /src\nCOPY . .\nRUN go build -o /app .\nFROM debian:12-slim\n"
            'COPY --from=build /app /app\nCMD ["/app"]\n',
        ),
        Good('FROM golang:1.24\nWORKDIR /src\nCOPY . .\nCMD ["go", "test", "./..."]\n', why="runs the compiler"),
        Good("FROM golang:1.24\nRUN go install example.com/tool@v1.2.0\n", why="nothing is started: a tool box"),
    )

    def check(self, build: Build) -> Iterator[Finding]:
        """Report toolchain images under a build whose container does not start the toolchain."""
        chain = target_chain(build)
        if not chain or not chain[0].image:
            return
        if chain[0].image.partition(":")[0] not in TOOLCHAIN_IMAGES:
            return
        steps = [step for stage in chain for step in stage.all_steps]
        starts = [step for step in steps if isinstance(step.instruction, Cmd | Entrypoint)]
        tools = {"go", "cargo", "rustc", "mvn", "gradle", "gcc", "make", "sbt", "stack", "cabal", "sh", "bash"}
        if not starts or _started_programs(steps) & tools or any(step.script is None for step in starts):
            return
        if not any(call.action == "build" for step in steps for call in step.invocations):
            return
        facts = chain[0].facts
        size = facts.size_bytes if facts else None
        weight = f" ({shown_bytes(size)})" if size else ""
        yield self.finding(
            chain[0].from_.image.span,
            f"{chain[0].image} ships with its compiler{weight}: build here, and copy the program into a stage on a "
            "small base",
            saved_bytes=size,
        )


class UnreachableStage(Rule):
    """Nothing uses a stage, and it is not the one that ships.

    It is never built unless somebody asks for it by name. Give it a user, or remove it.
    """

    code = "M102"
    name = "unreachable-stage"
    aliases = ("tally/no-unreachable-stages",)
    severity = Severity.INFO
    default = False
    examples = (
        Bad("FROM debian:12 AS old\nRUN make\nFROM debian:12\nRUN true\n", at="old"),
        Good("FROM debian:12 AS build\nRUN make\nFROM scratch\nCOPY --from=build /app /\n"),
        Good("FROM debian:12 AS base\nFROM base\nRUN true\n"),
        Good("FROM debian:12 AS build\nRUN make\nFROM debian:12\nRUN --mount=from=build,target=/b cp /b/app /\n"),
    )

    def check(self, build: Build) -> Iterator[Finding]:
        """Report stages that the target does not need."""
        for stage in build.graph.stages:
            if not stage.reachable:
                yield self.finding(
                    stage.from_.name_span or stage.from_.image.span,
                    "nothing uses this stage: it is only built when asked for by name",
                )


class CopyFromUnknown(Rule):
    """``COPY --from`` names neither a stage of the file nor, as it seems, an image.

    The builder then looks for an image of that name in the registry, which is rarely meant.
    """

    code = "M103"
    name = "copy-from-unknown"
    aliases = ("DL3022",)
    examples = (
        Bad("FROM debian:12 AS build\nFROM scratch\nCOPY --from=biuld /app /\n", at="--from=biuld"),
        Good("FROM debian:12 AS build\nFROM scratch\nCOPY --from=build /app /\n"),
        Good("FROM debian:12 AS build\nFROM scratch\nCOPY --from=BUILD /app /\n", why="stage names ignore case"),
        Good("FROM scratch\nCOPY --from=nginx:1.29 /etc/nginx /\n"),
        Good("FROM scratch\nCOPY --from=example.com/team/app /app /\n"),
        Good("FROM scratch\nCOPY --from=busybox /bin/busybox /\n", why="a known image"),
        Good("FROM debian:12\nFROM scratch\nCOPY --from=0 /app /\n"),
    )

    def check(self, build: Build) -> Iterator[Finding]:
        """Report plain words that are no stage and no image known by that name."""
        from dfopt.images import facts

        for step in build.steps:
            instruction = step.instruction
            if not isinstance(instruction, Copy) or not instruction.from_ or step.stage < 0:
                continue
            name = instruction.from_
            if step.source_stage is not None or name.isdigit() or set(name) & set(":/@$.") or name == "scratch":
                continue
            if name in build.build_options.contexts or facts(name) is not None:
                continue
            flag = instruction.flag("from")
            assert flag is not None
            stages = [stage.name for stage in build.graph.stages if stage.name]
            hint = f"the stages are {', '.join(stages)}" if stages else "no stage has a name"
            yield self.finding(flag.span, f"{name} is no stage of this file and no known image: {hint}")


class CopyFromIndex(Rule):
    """A stage is referred to by its number.

    A stage put in front of it silently shifts the number to another one.

    Fix safety: safe; the stage has a name already, which means the same.
    """

    code = "M105"
    name = "copy-from-index"
    severity = Severity.STYLE
    default = False
    examples = (
        Bad(
            "FROM debian:12 AS build\nFROM scratch\nCOPY --from=0 /app /\n",
            at="--from=0",
            fixed="FROM debian:12 AS build\nFROM scratch\nCOPY --from=build /app /\n",
        ),
        Bad(
            "FROM debian:12\nRUN make\nFROM scratch\nCOPY --from=0 /app /\n",
            at="--from=0",
            fixed="FROM debian:12 AS stage-0\nRUN make\nFROM scratch\nCOPY --from=stage-0 /app /\n",
        ),
        Good("FROM debian:12 AS build\nFROM scratch\nCOPY --from=build /app /\n"),
    )

    def check(self, build: Build) -> Iterator[Finding]:
        """Report numbers, with the name to use instead."""
        names = {stage.name for stage in build.graph.stages}
        for step in build.steps:
            instruction = step.instruction
            if not isinstance(instruction, Copy) or step.source_stage is None or step.stage < 0:
                continue
            flag = instruction.flag("from")
            if flag is None or flag.value_span is None or not (flag.value or "").isdigit():
                continue
            stage = build.graph.stages[step.source_stage]
            name = stage.name or f"stage-{stage.index}"
            edits = [Edit(flag.value_span, name)]
            if stage.name is None:
                end = stage.from_.image.span.end
                edits.append(Edit(Span(end, end), f" AS {name}" if stage.from_.keyword == "FROM" else f" as {name}"))
            fix: Fix | None = self.safe(f"Call the stage {name}", *edits)
            if stage.name is None and name in names:
                fix = None
            yield self.finding(flag.span, f"the number changes when stages are added: call the stage {name}", fix=fix)


# Tools whose result needs nothing of the sources, by family and the verbs that build.
COMPILING = {"go": ("build", "install"), "cargo": ("build", "install"), "maven": ("package", "install", "verify"),
             "gradle": ("build", "assemble", "bootJar", "shadowJar"), "dotnet": ("publish", "build")}  # fmt: skip


class SourcesShipped(Rule):
    """The sources of a compiled program stay in the image that ships.

    Everybody who has the image can read them, and they weigh. Build in a stage of its own and copy the result.
    """

    code = "M109"
    name = "sources-shipped"
    severity = Severity.INFO
    default = False
    examples = (
        Bad(
            'FROM golang:1.24\nWORKDIR /src\nCOPY . .\nRUN go build -o /app .\nCMD ["/app"]\n',
            at="COPY . .",
        ),
        Good(
            "FROM golang:1.24 AS build\nWORKDIR /src\nCOPY . .\nRUN go build -o /app .\nFROM scratch\n"
            'COPY --from=build /app /app\nCMD ["/app"]\n',
        ),
        Good(
            'FROM node:22\nWORKDIR /app\nCOPY . .\nRUN npm ci\nCMD ["node", "."]\n', why="the sources are the program"
        ),
        Good('FROM golang:1.24\nCOPY . /src\nRUN cd /src && go test ./...\nCMD ["go", "run", "."]\n'),
    )

    def check(self, build: Build) -> Iterator[Finding]:
        """Report broad copies above a compilation in stages that ship."""
        for stage in target_chain(build):
            copy: Step | None = None
            for step in stage.steps:
                if is_broad_copy(step):
                    copy = step
                for call in step.invocations if copy is not None and isinstance(step.instruction, Run) else ():
                    words = [word.value for word in (call.verb, *call.operands) if word is not None]
                    goal = next((word for word in words if word in COMPILING.get(call.family, ())), None)
                    if goal is not None:
                        assert copy is not None
                        program = f"{call.command.name} {goal}"
                        yield self.finding(
                            copy,
                            f"the sources ship with what {program} makes of them: build in a stage of its own",
                            related=[(step, "compiled here")],
                        )
                        return


# Package managers: the option that leaves out what only developers need, and the variables that say the same.
DEVELOPER_PACKAGES = {
    "npm": ("--omit=dev", ("--omit", "--production", "--only", "--prod"), ("NODE_ENV", "NPM_CONFIG_OMIT",
            "NPM_CONFIG_PRODUCTION", "npm_config_production", "NPM_CONFIG_ONLY")),
    "yarn": ("--production", ("--production", "--prod"), ("NODE_ENV", "YARN_PRODUCTION")),
    "pnpm": ("--prod", ("-P", "--prod", "--production"), ("NODE_ENV",)),
}  # fmt: skip


class DeveloperPackagesShipped(Rule):
    """Packages that only developers need are installed in the image that ships.

    Test runners, bundlers and linters often weigh more than the program, and each is one more thing with flaws.

    Silent where something is built afterwards in the same stage, which may need them.

    Fix safety: unsafe; the program may need a package that is listed in the wrong place.
    """

    code = "M110"
    name = "developer-packages-shipped"
    severity = Severity.INFO
    default = False
    examples = (
        Bad(
            'FROM node:22\nCOPY package*.json ./\nRUN npm ci && npm cache clean --force\nCMD ["node", "."]\n',
            at="npm ci",
            fixed="FROM node:22\nCOPY package*.json ./\nRUN npm ci --omit=dev && npm cache clean --force\n"
            'CMD ["node", "."]\n',
            unsafe=True,
        ),
        Good('FROM node:22\nCOPY package*.json ./\nRUN npm ci --omit=dev\nCMD ["node", "."]\n'),
        Good('FROM node:22\nENV NODE_ENV=production\nCOPY package*.json ./\nRUN npm ci\nCMD ["node", "."]\n'),
        Good('FROM node:22\nCOPY . .\nRUN npm ci && npm run build\nCMD ["node", "."]\n', why="the build may need them"),
        Good('FROM node:22\nCOPY package*.json ./\nRUN npm ci && npm prune --production\nCMD ["node", "."]\n'),
        Good('FROM node:22\nRUN npm install -g serve@14\nCMD ["serve"]\n', why="names what it installs"),
        Good('FROM node:22 AS dev\nCOPY package*.json ./\nRUN npm ci\nCMD ["npm", "test"]\n', why="for developers"),
    )

    def check(self, build: Build) -> Iterator[Finding]:
        """Report installs of a project's packages below which nothing is built or pruned."""
        chain = target_chain(build)
        if not chain or _is_for_developers(chain[-1].name or ""):
            return
        steps = [step for stage in chain for step in stage.all_steps]
        starts = [step for step in steps if isinstance(step.instruction, Cmd | Entrypoint)]
        if not starts or any(_builds_when_started(step) for step in starts):
            return
        calls = [(step, call) for step in steps if isinstance(step.instruction, Run) for call in step.invocations]
        for at, (step, call) in enumerate(calls):
            known = DEVELOPER_PACKAGES.get(call.family)
            if known is None or call.action != "install" or call.operands or call.command.conditional:
                continue
            option, options, variables = known
            if call.has(*options, "-g", "--global", "-v", "--version", "--help"):
                continue
            given = dict(call.command.environment) | {one.name: "" for one in call.command.assignments}
            if any(name in step.before.variables or name in given for name in variables):
                continue
            quiet = ("clean", "print", "delete", "configure", "query")
            if any(later.family in _NODE_FAMILIES and later.action not in quiet for _, later in calls[at + 1 :]):
                continue
            last = call.command.words[-1]
            whole = build.tree.source.slice(last.span) == last.raw
            edit = Edit(Span(last.span.end, last.span.end), f" {option}")
            yield self.finding(
                call.command.span,
                f"what only developers need is installed too: add {option}",
                fix=self.unsafe(f"Add {option}", edit) if whole else None,
            )


_NODE_FAMILIES = ("npm", "yarn", "pnpm", "npx", "node", "webpack", "make", "bun")
_BUILDERS = (
    "npx", "nodemon", "jest", "webpack", "vite", "ng", "gulp", "grunt", "tsc", "ts-node", "bash", "sh",
)  # fmt: skip


def _is_for_developers(name: str) -> bool:
    words = ("dev", "development", "test", "ci")
    return any(name == word or name.startswith((f"{word}-", f"{word}_")) for word in words)


def _builds_when_started(step: Step) -> bool:
    """Tell whether a container builds or tests when it starts: it runs a script of package.json that may do so."""
    return any(
        command.name in _BUILDERS or (command.name in ("npm", "yarn", "pnpm") and command.values[:1] != ["start"])
        for command in step.commands
    )


class CopyFromEmptyStage(Rule):
    """Files are copied out of a stage that has none.

    A stage on ``scratch`` without COPY, ADD or RUN is empty, so the build fails here.
    """

    code = "M111"
    name = "copy-from-empty-stage"
    aliases = ("tally/copy-from-empty-scratch-stage",)
    severity = Severity.ERROR
    examples = (
        Bad("FROM scratch AS files\nFROM debian:12\nCOPY --from=files /a /b\n", at="COPY --from=files /a /b"),
        Good("FROM scratch AS files\nCOPY a /a\nFROM debian:12\nCOPY --from=files /a /b\n"),
        Good("FROM debian:12 AS files\nFROM debian:12\nCOPY --from=files /a /b\n", why="the base image has files"),
        Good("FROM scratch AS files\nWORKDIR /a\nFROM debian:12\nCOPY --from=files /a /b\n", why="makes the folder"),
        Good("FROM scratch AS files\nFROM debian:12\nCOPY --from=files / /b\n", why="copies nothing, and that works"),
    )

    def check(self, build: Build) -> Iterator[Finding]:
        """Report copies from such stages."""
        for step in build.steps:
            if not isinstance(step.instruction, Copy) or step.source_stage is None or step.stage < 0:
                continue
            chain = build.graph.chain(step.source_stage)
            filling = ("COPY", "ADD", "RUN", "WORKDIR", "ONBUILD")
            empty = chain[0].image == "scratch" and not any(
                one.keyword in filling for stage in chain for one in stage.all_steps
            )
            wildcard = any(set(source) & set("*?[") or source.strip("/.") == "" for source in step.sources)
            if empty and not wildcard and step.source_stage < step.stage:
                yield self.finding(
                    step,
                    "the stage is empty, so there is nothing to copy",
                    related=[(chain[-1].from_, "the empty stage")],
                )
