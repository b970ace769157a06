"""Rules about what a step's cache key holds without need, and what it lacks; and about caches beside the layers."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterator

from dfopt.finding import Finding, Fix, Severity
from dfopt.graph.model import Stage, Step
from dfopt.graph.queries import calls_of, earlier, is_broad_copy, variables_used
from dfopt.lint.rule import Bad, Build, Good, Rule
from dfopt.syntax.tree import Add, Arg, Env, Run
from dfopt.tools import Invocation, package_names
from dfopt.tools.paths import covers

from .kept_caches import caches_of

LONG_SECONDS = 5
"""A step that takes less is not worth moving anything."""


def is_long(step: Step) -> bool:
    """Tell whether a RUN only calls known tools, and takes long."""
    if not isinstance(step.instruction, Run) or len(step.commands) != len(step.invocations) or step.effects.wall:
        return False
    return sum(call.subcommand.seconds for call in step.invocations) >= LONG_SECONDS


class InstallWithoutUpdate(Rule):
    """Debian packages are installed, and no package lists were fetched before.

    Official images come without lists, so nothing can be found. Where an image has some, they are old, and so are the
    packages, as far as the archive still holds them.
    """

    code = "C104"
    name = "install-without-update"
    default = False
    examples = (
        Bad("FROM debian:12\nRUN apt-get install -y curl\n", at="apt-get install -y curl"),
        Bad(
            "FROM debian:12\nRUN apt-get update && apt-get install -y a && rm -rf /var/lib/apt/lists/*\n"
            "RUN apt-get install -y curl\n",
            at="apt-get install -y curl",
        ),
        Good("FROM debian:12\nRUN apt-get update && apt-get install -y curl\n"),
        Good("FROM debian:12\nRUN apt-get update\nRUN apt-get install -y curl\n", why="update-without-install tells"),
        Good("FROM debian:12\nCOPY a.deb /\nRUN apt-get install -y /a.deb\n", why="a local file"),
        Good("FROM debian:12\nRUN apt-get install --update -y curl\n"),
        Good("FROM example.com/base:1\nRUN apt-get install -y curl\n", why="that image may have lists"),
        Good("FROM debian:12\nRUN install_packages curl\n", why="that script updates"),
        Good("FROM debian:12\nRUN ./prepare.sh && apt-get install -y curl\n", why="the script may update"),
        Good("FROM debian:12\nRUN --mount=type=cache,target=/var/lib/apt apt-get install -y curl\n"),
        Good("FROM debian:12\nRUN curl -fsSL https://example.com/setup | bash - && apt-get install -y nodejs\n"),
    )

    def check(self, build: Build) -> Iterator[Finding]:
        """Report the first such install of each RUN."""
        done: set[int] = set()
        for step, call in calls_of(build.graph, "apt"):
            if step.index in done or call.action != "install" or "apt" not in self._needed(call):
                continue
            done.add(step.index)
            if not self._has_lists(build, step, call):
                yield self.finding(
                    call.command.span, "no package lists are there: run apt-get update before, in this RUN"
                )

    @staticmethod
    def _needed(call: Invocation) -> tuple[str, ...]:
        packages = package_names(call)
        wanted = call.subcommand.needs_lists and any(not package.is_local for package in packages)
        return ("apt",) if wanted and not call.has("--update", "-U", "-s") else ()

    @staticmethod
    def _has_lists(build: Build, step: Step, call: Invocation) -> bool:
        facts = build.graph.chain(step.stage)[0].facts
        if step.is_mounted("/var/lib/apt/lists") or facts is None or facts.package_manager != "apt":
            return True
        for one in reversed((*earlier(build.graph, step), step)):
            if one is step:
                for command in step.commands:
                    if command is call.command:
                        break
                    other = next((each for each in step.invocations if each.command is command), None)
                    if other is None or other.subcommand.wall or other.action in ("update", "run"):
                        return True
                    if other.family == "add-apt-repository":
                        return True
                continue
            done = one.effects
            if (
                done.wall
                or "apt" in done.refreshes
                or any(path.startswith("/var/lib/apt/lists") for path in done.writes)
            ):
                gone = any(covers(path, "/var/lib/apt/lists/x") for path in done.removes)
                return done.wall or not gone
        return False


class ArgTooEarly(Rule):
    """An ARG is declared long before the step that uses it.

    Every RUN below it has the value in its cache key, so another value repeats steps that do not use it.
    """

    code = "C105"
    name = "arg-too-early"
    severity = Severity.INFO
    default = False
    examples = (
        Bad(
            "FROM debian:12\nARG APP_VERSION=1.0\nRUN apt-get update && apt-get install -y curl\n"
            "RUN curl -fO https://example.com/$APP_VERSION\n",
            at="ARG APP_VERSION=1.0",
        ),
        Good(
            "FROM debian:12\nRUN apt-get update && apt-get install -y curl\nARG APP_VERSION=1.0\n"
            "RUN curl -fO https://example.com/$APP_VERSION\n"
        ),
        Good("FROM debian:12\nARG V=1.0\nRUN apt-get update && apt-get install -y tool=$V\nRUN echo $V\n"),
        Good("FROM debian:12\nARG DEBIAN_FRONTEND=noninteractive\nRUN apt-get update && apt-get install -y curl\n"),
        Good("FROM debian:12\nARG A=1\nRUN ./build.sh\nRUN echo $A\n", why="the script may use it"),
        Good("ARG V=12\nFROM debian:$V\nRUN apt-get update && apt-get install -y curl\n"),
    )

    def check(self, build: Build) -> Iterator[Finding]:
        """Report ARGs with a long step between them and the first one that uses them."""
        yield from _too_early(self, build, Arg, lambda name: True, "declare")


class EnvTooEarly(Rule):
    """A version is set with ENV long before the step that uses it.

    Every RUN below it has the value in its cache key, so another version repeats steps that do not use it.
    """

    code = "C111"
    name = "env-too-early"
    severity = Severity.INFO
    default = False
    examples = (
        Bad(
            "FROM debian:12\nENV APP_VERSION=1.0\nRUN apt-get update && apt-get install -y curl\n"
            "RUN curl -fO https://example.com/$APP_VERSION\n",
            at="ENV APP_VERSION=1.0",
        ),
        Good(
            "FROM debian:12\nRUN apt-get update && apt-get install -y curl\nENV APP_VERSION=1.0\n"
            "RUN curl -fO https://example.com/$APP_VERSION\n"
        ),
        Good(
            "FROM debian:12\nENV LANG=C.UTF-8\nRUN apt-get update && apt-get install -y curl\nRUN echo $LANG\n",
            why="it hardly ever changes",
        ),
        Good("FROM debian:12\nENV NODE_VERSION=22\nRUN apt-get update && apt-get install -y nodejs=$NODE_VERSION\n"),
    )

    def check(self, build: Build) -> Iterator[Finding]:
        """Report versions with a long step between them and the first one that uses them."""
        changing = re.compile(r"(?:^|_)(?:VERSION|VER|RELEASE|REVISION|BUILD|TAG|COMMIT|SHA256|CHECKSUM|SHA)$")
        yield from _too_early(self, build, Env, lambda name: changing.search(name) is not None, "set")


def _too_early(
    rule: Rule, build: Build, kind: type[Arg | Env], wanted: Callable[[str], bool], word: str
) -> Iterator[Finding]:
    for stage in build.graph.stages:
        for position, step in enumerate(stage.steps):
            if not isinstance(step.instruction, kind):
                continue
            names = {pair.key for pair in step.instruction.pairs}
            values = all(pair.value is not None for pair in step.instruction.pairs)
            if len(names) != 1 or not values or not wanted(min(names)):
                continue
            found = _between(stage, position, min(names))
            if found is not None:
                slow, user = found
                yield rule.finding(
                    step,
                    f"another value repeats line {build.tree.source.line_of(slow.span.start)}, which does not use it: "
                    f"{word} it right above line {build.tree.source.line_of(user.span.start)}",
                    related=[(slow, "repeated without need"), (user, "used here first")],
                )


def _between(stage: Stage, position: int, name: str) -> tuple[Step, Step] | None:
    """Give the first long step below a declaration that does not use it, and the first one that does."""
    slow: Step | None = None
    for step in stage.steps[position + 1 :]:
        if name in variables_used(step) or any(name in text for text in _code(step)):
            return None if slow is None else (slow, step)
        if not isinstance(step.instruction, Run):
            continue
        if step.script is None or len(step.commands) != len(step.invocations) or step.effects.wall:
            return None
        if slow is None and is_long(step):
            slow = step
    return None


def _code(step: Step) -> tuple[str, ...]:
    return (step.instruction.body.text, *(heredoc.content for heredoc in step.instruction.heredocs))


class CopyEverythingWithoutIgnore(Rule):
    """The whole build context is copied, and no ignore file keeps anything out of it.

    Then the history of the repository, credentials and everything a build left behind go along, and every change of
    any of them repeats all that follows.
    """

    code = "C106"
    name = "copy-everything-without-ignore"
    aliases = ("S6470",)
    default = False
    examples = (
        Bad("FROM debian:12\nCOPY . /app\n", at="COPY . /app", context={"app.py": "pass\n", ".git/config": "a\n"}),
        Good("FROM debian:12\nCOPY . /app\n", why="nobody knows what lies there"),
        Good("FROM debian:12\nCOPY . /app\n", context={"app.py": "pass\n", ".dockerignore": ".git\n"}),
        Good("FROM debian:12\nCOPY src /app\n", context={"src/app.py": "pass\n"}),
    )

    def check(self, build: Build) -> Iterator[Finding]:
        """Report broad copies where the context has no ignore file."""
        context = build.context
        if context is None or context.ignore_name is not None or not context.files:
            return
        odd = sorted({path.partition("/")[0] for path in context.files} & UNWANTED)
        for step in build.steps:
            if is_broad_copy(step):
                what = f", {', '.join(odd)} included" if odd else ""
                yield self.finding(step, f"everything is copied{what}: write a .dockerignore")


UNWANTED = frozenset((".git", "node_modules", ".env", ".venv", "venv", "__pycache__", ".idea", "target", ".terraform"))
"""What hardly anybody wants in an image."""


MOUNTS: dict[str, tuple[str, ...]] = {
    "pip": ("~/.cache/pip",),
    "uv": ("~/.cache/uv",),
    "poetry": ("~/.cache/pypoetry",),
    "npm": ("~/.npm",),
    "yarn": ("/usr/local/share/.cache/yarn",),
    "pnpm": ("~/.local/share/pnpm/store",),
    "bun": ("~/.bun/install/cache",),
    "go": ("/go/pkg/mod", "~/.cache/go-build"),
    "cargo": ("/usr/local/cargo/registry", "/usr/local/cargo/git"),
    "composer": ("~/.composer/cache",),
    "maven": ("~/.m2/repository",),
    "gradle": ("~/.gradle/caches",),
    "dotnet": ("~/.nuget/packages",),
}
"""Families of tools with the folders that a cache mount is to keep; ``~`` is the home of root."""


class PreferCacheMount(Rule):
    """Dependencies are fetched without a cache that outlives the layer.

    When the step runs again, everything is fetched again. A cache mount keeps the downloads beside the layers: nothing
    of it is in the image, and the next build fetches what is new only.

    Fix safety: unsafe; it needs BuildKit, and what the cache holds is not the same on every machine.
    """

    code = "C109"
    name = "prefer-cache-mount"
    aliases = ("tally/prefer-package-cache-mounts",)
    severity = Severity.INFO
    default = False
    examples = (
        Bad(
            "FROM python:3.13\nCOPY requirements.txt .\nRUN pip install -r requirements.txt\n",
            at="pip install -r requirements.txt",
            fixed="FROM python:3.13\nCOPY requirements.txt .\nRUN --mount=type=cache,target=/root/.cache/pip \\\n"
            "    pip install -r requirements.txt\n",
            unsafe=True,
        ),
        Bad(
            "FROM golang:1.24\nRUN go build -o /app .\n",
            at="go build -o /app .",
            fixed="FROM golang:1.24\nRUN --mount=type=cache,target=/go/pkg/mod "
            "--mount=type=cache,target=/root/.cache/go-build \\\n    go build -o /app .\n",
            unsafe=True,
        ),
        Good("FROM python:3.13\nRUN --mount=type=cache,target=/root/.cache/pip pip install -r requirements.txt\n"),
        Good("FROM python:3.13\nRUN pip install --no-cache-dir -r requirements.txt\n", why="decided otherwise"),
        Good("FROM python:3.13\nRUN pip install -r r.txt && rm -rf /root/.cache\n", why="decided otherwise"),
        Good("FROM python:3.13\nUSER app\nRUN pip install --user flask\n", why="the mount would belong to root"),
        Good("FROM python:3.13\nRUN pip list\n"),
    )

    _ACTIONS = ("install", "build", "fetch", "sync")

    def check(self, build: Build) -> Iterator[Finding]:
        """Report the first call of a RUN that fills a cache which is neither mounted nor cleaned."""
        for step in build.steps:
            if not isinstance(step.instruction, Run) or step.stage < 0:
                continue
            if (step.before.user or "").partition(":")[0] not in ("root", "0"):
                continue
            for call in step.invocations:
                if call.family not in MOUNTS or call.action not in self._ACTIONS:
                    continue
                left = caches_of(step, call)
                if not left or any(step.is_mounted(path.rstrip("/")) for path in left):
                    continue
                if any(covers(gone, path) or gone == path for gone in step.effects.removes for path in left):
                    continue
                yield self.finding(
                    call.command.span,
                    "everything is fetched again whenever this runs: mount a cache",
                    fix=self._fix(build, step, call, left),
                )
                break

    def _fix(self, build: Build, step: Step, call: Invocation, left: frozenset[str]) -> Fix | None:
        from dfopt.rewrite.layout import with_flag

        targets = [path.replace("~", "/root") for path in MOUNTS[call.family]]
        if not any(covers(target + "/", path) or path.startswith(target) for target in targets for path in left):
            return None  # a variable moved it
        instruction = step.instruction
        if not isinstance(instruction, Run) or instruction.is_exec or instruction.heredocs:
            return None
        flags = " ".join(f"--mount=type=cache,target={posixpath.normpath(target)}" for target in targets)
        return self.unsafe("Mount a cache", with_flag(step, flags, build.graph))


class AddUrlWithoutChecksum(Rule):
    """ADD fetches a file from an address, and nothing says what it has to be.

    Whatever the server gives goes into the image. ``--checksum`` holds it, and lets the builder skip the download.
    """

    code = "C110"
    name = "add-url-without-checksum"
    severity = Severity.INFO
    default = False
    examples = (
        Bad("FROM debian:12\nADD https://example.com/a.tgz /a/\n", at="https://example.com/a.tgz"),
        Good(f"FROM debian:12\nADD --checksum=sha256:{'0' * 64} https://example.com/a.tgz /a/\n"),
        Good("FROM debian:12\nADD https://github.com/example/a.git#v1 /a/\n", why="a repository"),
        Good("FROM debian:12\nADD a.tgz /a/\n"),
    )

    def check(self, build: Build) -> Iterator[Finding]:
        """Report the addresses of files."""
        for step in build.steps:
            instruction = step.instruction
            if not isinstance(instruction, Add) or step.checksum or not step.arguments:
                continue
            for word, text in zip(instruction.sources, step.sources, strict=False):
                if text.startswith(("http://", "https://")) and not re.search(r"\.git(?:[#?]|$)", text):
                    yield self.finding(word.span, "nothing says what this file has to be: add --checksum")
