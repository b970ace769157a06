"""Rules about caches that package managers leave in a layer, and about cleaning that comes to nothing."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from dfopt.edit import Edit
from dfopt.finding import Finding, Fix, Severity
from dfopt.graph.model import Step
from dfopt.graph.queries import calls_of, earlier, place_of
from dfopt.lint.rule import Bad, Build, Good, Rule
from dfopt.lint.wording import insert_after
from dfopt.shell.model import Command
from dfopt.source import Span
from dfopt.syntax.tree import Run
from dfopt.tools import Invocation, cleans, invocation_effects

from .layers import empties, shipping_runs


def caches_of(step: Step, call: Invocation) -> frozenset[str]:
    """Give the paths of the caches that a call leaves; a tool with several possible places names all of them."""
    return invocation_effects(call, place_of(step, call)).caches


class CacheKept(Rule):
    """What the rules about kept caches share: a cache that a tool leaves in a layer that ships."""

    families: tuple[str, ...] = ()
    actions: tuple[str, ...] = ("install", "upgrade", "update")
    suffix: str = ""
    """A command that cleans, appended to the RUN."""
    option: str = ""
    """An option that avoids the cache, put behind the verb."""
    what: str = "its cache"
    also_removes: tuple[str, ...] = ()
    """What the cleaning command removes besides."""

    def check(self, build: Build) -> Iterator[Finding]:
        """Report the last call of a RUN that leaves its cache behind."""
        for step in shipping_runs(build):
            call = self._leaving(step)
            if call is not None and not self._kept_for_later(build, step):
                program = " ".join(word.raw for word in call.command.words[:2])
                way = f"add {self.option}" if self.option else f"end the RUN with {self.suffix}"
                yield self.finding(
                    call.command.span,
                    f"{program} leaves {self.what} in the layer: {way}",
                    fix=self._fix(build, step, call),
                )

    def _leaving(self, step: Step) -> Invocation | None:
        """Give the last call whose cache is still there at the end of the RUN."""
        left: dict[str, Invocation] = {}
        calls = {id(call.command): call for call in step.invocations if self._is_mine(call)}
        if not calls:
            return None
        for command, done in zip(step.commands, step.command_effects, strict=True):
            call = calls.get(id(command))
            if call is not None and call.action in self.actions:
                caches = caches_of(step, call)
                if caches and not any(step.is_mounted(path.rstrip("/")) for path in caches):
                    left.update(dict.fromkeys(caches, call))
            if left:
                cleaned = [maker for path, maker in left.items() if any(empties(one, path) for one in done.removes)]
                left = {path: maker for path, maker in left.items() if maker not in cleaned}
        return next(reversed(left.values()), None)

    def _is_mine(self, call: Invocation) -> bool:
        return call.family in self.families

    def _kept_for_later(self, build: Build, step: Step) -> bool:
        """Tell whether a later step may use what is left."""
        return False

    def _fix(self, build: Build, step: Step, call: Invocation) -> Fix | None:
        caches = caches_of(step, call)
        if self.option:
            verb = call.verb or call.command.words[0]
            edit = Edit(Span(verb.span.end, verb.span.end), f" {self.option}")
            return self.safe(f"Add {self.option}", edit, removes=caches)
        return append_command(build, step, self.suffix, self, caches | set(self.also_removes))


def append_command(build: Build, step: Step, command: str, rule: Rule, removes: Iterable[str]) -> Fix | None:
    """Append a command that cleans to a RUN that is a plain list of commands, in the layout of the RUN."""
    instruction, source = step.instruction, build.tree.source
    script = step.script
    if not isinstance(instruction, Run) or instruction.is_exec or script is None or not script.is_and_list:
        return None
    if script.problems or any(
        item.span.end > instruction.body.span(0, len(instruction.body.text)).end for item in script.items
    ):
        return None
    if instruction.heredocs:
        return None
    end = instruction.body.span(0, len(instruction.body.text)).end
    lines = source.text[instruction.span.start : end].split("\n")
    joint = " && "
    if len(lines) > 1:
        last = lines[-1]
        indent = last[: len(last) - len(last.lstrip())]
        leading = last.strip().startswith("&&")
        if leading:
            joint = f" {build.tree.escape}{source.newline}{indent}&& "
        else:
            joint = f" && {build.tree.escape}{source.newline}{indent}"
    return rule.safe(f"Append {command}", Edit(Span(end, end), joint + command), removes=removes)


class AptListsKept(CacheKept):
    """apt's package lists stay in a layer of the image that ships.

    About 20 MB on Debian, out of date tomorrow, and of no use without an update.

    Fix safety: safe; only the lists are gone, which the next update brings back. Not offered where a later step of the
    stage installs without an update of its own.
    """

    code = "L106"
    name = "apt-lists-kept"
    aliases = ("DL3009",)
    families = ("apt",)
    actions = ("update",)
    suffix = "rm -rf /var/lib/apt/lists/*"
    what = "the package lists (about 20 MB)"
    examples = (
        Bad(
            "FROM debian:12\nRUN apt-get update && apt-get install -y curl\n",
            at="apt-get update",
            fixed="FROM debian:12\nRUN apt-get update && apt-get install -y curl && rm -rf /var/lib/apt/lists/*\n",
        ),
        Bad(
            "FROM debian:12\nRUN apt-get update \\\n && apt-get install -y gcc\n",
            at="apt-get update",
            fixed="FROM debian:12\nRUN apt-get update \\\n && apt-get install -y gcc \\\n"
            " && rm -rf /var/lib/apt/lists/*\n",
        ),
        Bad(
            "FROM debian:12\nRUN rm -rf /var/lib/apt/lists/* && apt-get update; apt-get install -y curl\n",
            at="apt-get update",
        ),
        Good("FROM debian:12\nRUN apt-get update && apt-get install -y curl && rm -rf /var/lib/apt/lists/*\n"),
        Good("FROM debian:12\nRUN apt-get update && apt-get install -y curl && rm -r /var/lib/apt/lists\n"),
        Good(
            "FROM debian:12\nRUN --mount=type=cache,target=/var/lib/apt --mount=type=cache,target=/var/cache/apt "
            "apt-get update && apt-get install -y curl\n",
        ),
        Good(
            "FROM debian:12 AS build\nRUN apt-get update && apt-get install -y gcc\nFROM debian:12\n"
            "COPY --from=build /app /app\n",
            why="the stage does not ship",
        ),
        Good(
            "FROM debian:12\nRUN apt-get update\nRUN apt-get install -y curl\n",
            why="the next step needs them: update-without-install tells",
        ),
    )

    def _kept_for_later(self, build: Build, step: Step) -> bool:
        steps = build.graph.stages[step.stage].steps
        position = next(place for place, one in enumerate(steps) if one is step)
        for later in steps[position + 1 :]:
            for call in later.invocations:
                if call.family == "apt" and call.action == "update":
                    return False
                if call.family == "apt" and call.action in ("install", "upgrade"):
                    return True
        return False


class ApkCacheKept(CacheKept):
    """apk keeps its package index in the layer.

    ``--no-cache`` fetches the index without storing it, and makes ``apk update`` superfluous.

    Fix safety: safe; only the index is gone, which the next update brings back.
    """

    code = "L107"
    name = "apk-cache-kept"
    aliases = ("DL3019", "DS-0025")
    severity = Severity.INFO
    families = ("apk",)
    actions = ("install",)
    option = "--no-cache"
    what = "the package index"
    examples = (
        Bad(
            "FROM alpine:3.22\nRUN apk add curl\n",
            at="apk add curl",
            fixed="FROM alpine:3.22\nRUN apk add --no-cache curl\n",
        ),
        Good("FROM alpine:3.22\nRUN apk add --no-cache curl\n"),
        Good("FROM alpine:3.22\nRUN apk --no-cache add curl\n"),
        Good("FROM alpine:3.22\nRUN apk update && apk add curl && rm -rf /var/cache/apk/*\n"),
        Good("FROM alpine:3.22\nRUN --mount=type=cache,target=/var/cache/apk apk add curl\n"),
    )


class YumCacheKept(CacheKept):
    """yum's metadata and packages stay in a layer of the image that ships.

    Fix safety: safe; only the cache is gone.
    """

    code = "L108"
    name = "yum-cache-kept"
    aliases = ("DL3032", "DS-0015")
    families = ("dnf",)
    suffix = "yum clean all"
    examples = (
        Bad(
            "FROM centos:7\nRUN yum install -y curl\n",
            at="yum install -y curl",
            fixed="FROM centos:7\nRUN yum install -y curl && yum clean all\n",
        ),
        Good("FROM centos:7\nRUN yum install -y curl && yum clean all\n"),
        Good("FROM centos:7\nRUN yum install -y curl && rm -rf /var/cache/yum\n"),
        Good("FROM centos:7\nRUN --mount=type=cache,target=/var/cache/yum yum install -y curl\n"),
    )

    def _is_mine(self, call: Invocation) -> bool:
        return call.command.name == "yum"


class DnfCacheKept(CacheKept):
    """dnf's metadata and packages stay in a layer of the image that ships.

    Fix safety: safe; only the cache is gone.
    """

    code = "L109"
    name = "dnf-cache-kept"
    aliases = ("DL3040", "DS-0019", "DS-0027")
    families = ("dnf",)
    suffix = "dnf clean all"
    examples = (
        Bad(
            "FROM fedora:42\nRUN dnf install -y curl\n",
            at="dnf install -y curl",
            fixed="FROM fedora:42\nRUN dnf install -y curl && dnf clean all\n",
        ),
        Bad("FROM fedora:42\nRUN dnf clean all && dnf install -y curl; true\n", at="dnf install -y curl"),
        Good("FROM fedora:42\nRUN dnf install -y curl && dnf clean all\n"),
        Good("FROM fedora:42\nRUN microdnf install -y curl && microdnf clean all\n"),
        Good("FROM fedora:42\nRUN --mount=type=cache,target=/var/cache/libdnf5 dnf install -y curl\n"),
    )

    def _is_mine(self, call: Invocation) -> bool:
        return call.command.name in ("dnf", "dnf5", "microdnf", "tdnf")

    def _fix(self, build: Build, step: Step, call: Invocation) -> Fix | None:
        return append_command(build, step, f"{call.command.name} clean all", self, caches_of(step, call))


class ZypperCacheKept(CacheKept):
    """zypper's metadata and packages stay in a layer of the image that ships.

    Fix safety: safe; only the cache is gone.
    """

    code = "L111"
    name = "zypper-cache-kept"
    aliases = ("DL3036", "DS-0020")
    families = ("zypper",)
    suffix = "zypper clean --all"
    examples = (
        Bad(
            "FROM opensuse/leap:15\nRUN zypper -n install curl\n",
            at="zypper -n install curl",
            fixed="FROM opensuse/leap:15\nRUN zypper -n install curl && zypper clean --all\n",
        ),
        Good("FROM opensuse/leap:15\nRUN zypper -n install curl && zypper clean --all\n"),
        Good("FROM opensuse/leap:15\nRUN zypper -n install curl && zypper cc -a\n"),
    )


class PipCacheKept(CacheKept):
    """pip stores every wheel it fetches a second time, in its cache.

    Fix safety: safe; only the cache is gone.
    """

    code = "L112"
    name = "pip-cache-kept"
    aliases = ("DL3042",)
    severity = Severity.INFO
    families = ("pip",)
    actions = ("install",)
    option = "--no-cache-dir"
    examples = (
        Bad(
            "FROM python:3.13\nRUN pip install flask\n",
            at="pip install flask",
            fixed="FROM python:3.13\nRUN pip install --no-cache-dir flask\n",
        ),
        Good("FROM python:3.13\nRUN pip install --no-cache-dir flask\n"),
        Good("FROM python:3.13\nENV PIP_NO_CACHE_DIR=1\nRUN pip install flask\n"),
        Good("FROM python:3.13\nRUN --mount=type=cache,target=/root/.cache/pip pip install flask\n"),
        Good("FROM python:3.13\nRUN pip install flask && rm -rf /root/.cache\n"),
        Good("FROM python:3.13 AS build\nENV PIP_NO_CACHE_DIR=1\nFROM build\nRUN pip install flask\n", why="inherited"),
    )


class YarnCacheKept(CacheKept):
    """yarn stores every package it fetches a second time, in its cache.

    Fix safety: safe; only the cache is gone.
    """

    code = "L113"
    name = "yarn-cache-kept"
    aliases = ("DL3060",)
    severity = Severity.INFO
    families = ("yarn",)
    actions = ("install",)
    suffix = "yarn cache clean"
    also_removes = ("/**/.yarn/cache/", "/.yarn/cache/")
    examples = (
        Bad(
            "FROM node:22\nCOPY package.json yarn.lock ./\nRUN yarn install --frozen-lockfile\n",
            at="yarn install --frozen-lockfile",
            fixed="FROM node:22\nCOPY package.json yarn.lock ./\n"
            "RUN yarn install --frozen-lockfile && yarn cache clean\n",
        ),
        Good("FROM node:22\nCOPY package.json yarn.lock ./\nRUN yarn install && yarn cache clean\n"),
        Good("FROM node:22\nRUN --mount=type=cache,target=/usr/local/share/.cache/yarn yarn install\n"),
    )


class NpmCacheKept(CacheKept):
    """npm stores every package it fetches a second time, in its cache.

    Fix safety: safe; only the cache is gone.
    """

    code = "L114"
    name = "npm-cache-kept"
    severity = Severity.INFO
    default = False
    families = ("npm",)
    actions = ("install",)
    suffix = "npm cache clean --force"
    also_removes = ("/root/.npm/",)
    examples = (
        Bad(
            "FROM node:22\nCOPY package*.json ./\nRUN npm ci\n",
            at="npm ci",
            fixed="FROM node:22\nCOPY package*.json ./\nRUN npm ci && npm cache clean --force\n",
        ),
        Good("FROM node:22\nCOPY package*.json ./\nRUN npm ci && npm cache clean --force\n"),
        Good("FROM node:22\nRUN --mount=type=cache,target=/root/.npm npm ci\n"),
    )


class CondaCacheKept(CacheKept):
    """conda keeps every package archive it fetched, and an unpacked copy.

    Fix safety: unsafe; conda decides itself what of its folder is a cache.
    """

    code = "L116"
    name = "conda-cache-kept"
    severity = Severity.INFO
    families = ("conda",)
    actions = ("install", "update", "upgrade")
    suffix = "conda clean -afy"
    examples = (
        Bad(
            "FROM continuumio/miniconda3:24.1.2-0\nRUN conda install -y numpy\n",
            at="conda install -y numpy",
            fixed="FROM continuumio/miniconda3:24.1.2-0\nRUN conda install -y numpy && conda clean -afy\n",
            unsafe=True,
        ),
        Good("FROM continuumio/miniconda3:24.1.2-0\nRUN conda install -y numpy && conda clean -afy\n"),
    )

    def _fix(self, build: Build, step: Step, call: Invocation) -> Fix | None:
        fix = super()._fix(build, step, call)
        return self.unsafe(fix.title, *fix.edits) if fix else None


class ComposerCacheKept(CacheKept):
    """Composer stores every package it fetches a second time, in its cache.

    Fix safety: safe; only the cache is gone.
    """

    code = "L117"
    name = "composer-cache-kept"
    severity = Severity.INFO
    default = False
    families = ("composer",)
    actions = ("install",)
    suffix = "composer clear-cache"
    examples = (
        Bad(
            "FROM php:8.3\nCOPY composer.* ./\nRUN composer install --no-dev\n",
            at="composer install --no-dev",
            fixed="FROM php:8.3\nCOPY composer.* ./\nRUN composer install --no-dev && composer clear-cache\n",
        ),
        Good("FROM php:8.3\nRUN composer install --no-dev && composer clear-cache\n"),
        Good("FROM php:8.3\nRUN composer install --no-cache\n"),
        Good("FROM php:8.3\nENV COMPOSER_CACHE_DIR=/dev/null\nRUN composer install\n"),
        Good("FROM php:8.3\nRUN --mount=type=cache,target=/root/.composer/cache composer install\n"),
    )


class CompilerCacheKept(CacheKept):
    """Go or Rust is built in a stage that ships, and leaves sources of dependencies and intermediate files.

    They often weigh more than all the rest. Build in a stage of its own and copy the program, or keep them in a cache
    mount.
    """

    code = "L118"
    name = "compiler-cache-kept"
    severity = Severity.INFO
    default = False
    families = ("go", "cargo")
    actions = ("install", "build", "fetch")
    examples = (
        Bad("FROM golang:1.24\nCOPY . .\nRUN go build -o /app .\n", at="go build -o /app ."),
        Bad("FROM rust:1.83\nCOPY . .\nRUN cargo install --path .\n", at="cargo install --path ."),
        Good("FROM golang:1.24 AS build\nRUN go build -o /app .\nFROM scratch\nCOPY --from=build /app /app\n"),
        Good(
            "FROM golang:1.24\nRUN --mount=type=cache,target=/root/.cache/go-build "
            "--mount=type=cache,target=/go/pkg/mod go build -o /app .\n"
        ),
        Good("FROM golang:1.24\nRUN go build -o /app . && go clean -cache -modcache\n"),
        Good("FROM golang:1.24\nRUN go version && go env\n"),
    )

    def check(self, build: Build) -> Iterator[Finding]:
        """Report the last call of a RUN that leaves its cache behind."""
        for step in shipping_runs(build):
            call = self._leaving(step)
            if call is not None:
                yield self.finding(
                    call.command.span,
                    "sources of dependencies and intermediate files stay in the layer: build in a stage that does not "
                    "ship, or mount a cache",
                )


class PythonToolCacheKept(CacheKept):
    """poetry or uv stores every package it fetches a second time, in its cache.

    Fix safety: safe; only the cache is gone.
    """

    code = "L119"
    name = "python-tool-cache-kept"
    severity = Severity.INFO
    default = False
    families = ("uv", "poetry")
    actions = ("install",)
    option = "--no-cache"
    examples = (
        Bad(
            "FROM python:3.13\nCOPY pyproject.toml uv.lock ./\nRUN uv sync --locked\n",
            at="uv sync --locked",
            fixed="FROM python:3.13\nCOPY pyproject.toml uv.lock ./\nRUN uv sync --no-cache --locked\n",
        ),
        Good("FROM python:3.13\nENV UV_NO_CACHE=1\nRUN uv sync --locked\n"),
        Good("FROM python:3.13\nRUN --mount=type=cache,target=/root/.cache/uv uv sync --locked\n"),
        Good("FROM python:3.13\nRUN poetry install && rm -rf /root/.cache/pypoetry\n"),
        Good("FROM python:3.13\nRUN uv --version && uv pip list\n"),
    )

    def _fix(self, build: Build, step: Step, call: Invocation) -> Fix | None:
        return super()._fix(build, step, call) if call.family == "uv" else None


class GemDocsKept(Rule):
    """gem makes documentation of every gem it installs.

    Nobody reads it in a container, and it takes time and room. Official Ruby images are set up not to.

    Fix safety: unsafe; ``ri`` has nothing to show.
    """

    code = "L115"
    name = "gem-docs-kept"
    severity = Severity.INFO
    default = False
    examples = (
        Bad(
            "FROM debian:12\nRUN gem install -v 4.1.1 sinatra\n",
            at="gem install -v 4.1.1 sinatra",
            fixed="FROM debian:12\nRUN gem install --no-document -v 4.1.1 sinatra\n",
            unsafe=True,
        ),
        Good("FROM debian:12\nRUN gem install --no-document sinatra\n"),
        Good("FROM debian:12\nRUN gem install -N sinatra && gem install --no-ri --no-rdoc rack\n"),
        Good("FROM ruby:3.4\nRUN gem install sinatra\n", why="the image is set up not to"),
        Good("FROM debian:12\nRUN echo 'gem: --no-document' > /etc/gemrc && gem install sinatra\n", why="configured"),
        Good("FROM debian:12 AS build\nRUN gem install sinatra\nFROM scratch\nCOPY --from=build /a /a\n"),
    )

    def check(self, build: Build) -> Iterator[Finding]:
        """Report installs in stages that ship."""
        for step, call in calls_of(build.graph, "gem"):
            verb = call.verb.value if call.verb is not None else ""
            if verb not in ("install", "i", "update") or not build.graph.stages[step.stage].ships:
                continue
            if call.has("-N", "--no-document", "--no-ri", "--no-rdoc", "--document"):
                continue
            if re.search(r"(?:^|/)j?ruby(?::|@|$)", build.graph.chain(step.stage)[0].image or ""):
                continue
            above = (*earlier(build.graph, step), step)
            if any("gemrc" in one.instruction.body.text for one in above if one.keyword in ("RUN", "COPY", "ADD")):
                continue
            edit = insert_after(build, call.verb, " --no-document")
            yield self.finding(
                call.command.span,
                "documentation of every gem is made and kept: add --no-document",
                fix=self.unsafe("Add --no-document", edit) if edit else None,
            )


DELETED_AT_ONCE = frozenset(("/var/cache/apt/archives/",))
"""What Debian's images are set up to delete after each call."""


class CleanupBeforeInstall(Rule):
    """A RUN cleans, and installs again afterwards.

    What the later call leaves stays in the layer. Cleaning belongs to the end.
    """

    code = "L123"
    name = "cleanup-before-install"
    examples = (
        Bad(
            "FROM debian:12\nRUN apt-get update && apt-get install -y curl && rm -rf /var/lib/apt/lists/* "
            "&& apt-get update && apt-get install -y git\n",
            at="rm -rf /var/lib/apt/lists/*",
        ),
        Bad("FROM fedora:42\nRUN dnf install -y curl && dnf clean all && dnf install -y git\n", at="dnf clean all"),
        Good("FROM fedora:42\nRUN dnf install -y curl && dnf install -y git && dnf clean all\n"),
        Good("FROM fedora:42\nRUN dnf clean all && dnf install -y curl && dnf clean all\n"),
        Good("FROM debian:12\nRUN rm -rf /var/lib/apt/lists/* && apt-get update\n", why="a fresh start"),
        Good("FROM alpine:3.22\nRUN apk add curl && rm -rf /var/cache/apk/* && apk add --no-cache git\n"),
        Good(
            "FROM debian:12 AS build\nRUN apt-get update && apt-get clean && apt-get install -y git\nFROM scratch\n"
            "COPY --from=build /a /a\n",
            why="the stage does not ship",
        ),
    )

    _ACTIONS = ("install", "upgrade", "update")

    def check(self, build: Build) -> Iterator[Finding]:
        """Report the last cleaning of a family between two of its calls, where the later one leaves its cache."""
        for step in shipping_runs(build):
            if not self._goes_on(step):
                continue
            found = self._early(step)
            if found is not None:
                command, later = found
                yield self.finding(
                    command.span,
                    f"{later.command.words[0].raw} {later.verb.raw if later.verb else ''} below leaves its cache: "
                    "clean at the end",
                    related=[(later.command.span, "this comes after the cleaning")],
                )

    def _goes_on(self, step: Step) -> bool:
        """Tell whether a RUN may clean between two calls of a package manager, without looking at any path."""
        used: set[str] = set()
        cleaned: set[str] = set()
        for call in step.invocations:
            if call.action in self._ACTIONS:
                if call.family in cleaned:
                    return True
                used.add(call.family)
            elif call.action in ("clean", "delete"):
                cleaned |= used
        return False

    def _early(self, step: Step) -> tuple[Command, Invocation] | None:
        calls = {id(call.command): call for call in step.invocations}
        used: dict[str, tuple[str, ...]] = {}
        cleaned: dict[str, tuple[Command, tuple[str, ...]]] = {}
        late: dict[str, Invocation] = {}
        for command in step.commands:
            call = calls.get(id(command))
            if command.conditional or call is None:
                continue
            if call.action in self._ACTIONS:
                caches = caches_of(step, call) - DELETED_AT_ONCE
                if call.family in cleaned and any(
                    path in cleaned[call.family][1] for path in caches if not step.is_mounted(path.rstrip("/"))
                ):
                    late[call.family] = call
                used[call.family] = (*used.get(call.family, ()), *caches)
                continue
            if call.action not in ("clean", "delete"):
                continue
            gone = cleans(command, step.setting)
            for family in gone.families:
                if family in used:
                    removed = [path for path in used[family] if any(empties(one, path) for one in gone.paths)]
                    cleaned[family] = (command, tuple(removed))
                    late.pop(family, None)
        for family, call in late.items():
            return cleaned[family][0], call
        return None


SYSTEM_MANAGERS = {"apt", "apk", "dnf", "zypper"}


class UselessClean(Rule):
    """A RUN cleans a package manager's cache that it did not fill.

    What earlier layers hold is not freed, and there is nothing else to free.
    """

    code = "L126"
    name = "useless-clean"
    severity = Severity.INFO
    default = False
    examples = (
        Bad("FROM debian:12\nRUN mkdir /a && rm -rf /var/lib/apt/lists/*\n", at="rm -rf /var/lib/apt/lists/*"),
        Bad("FROM debian:12\nRUN apt-get clean\n", at="apt-get clean"),
        Good("FROM debian:12\nRUN apt-get update && apt-get install -y curl && rm -rf /var/lib/apt/lists/*\n"),
        Good("FROM debian:12\nRUN apt-get clean && apt-get update\n", why="a fresh start"),
        Good("FROM debian:12\nRUN ./install-packages.sh && rm -rf /var/lib/apt/lists/*\n", why="the script may update"),
        Good("FROM debian:12\nRUN rm -rf /tmp/*\n"),
    )

    def check(self, build: Build) -> Iterator[Finding]:
        """Report cleaning where no call of the family, and nothing unknown, stands in the RUN."""
        for step in shipping_runs(build):
            if not any(map(self._cleans_system, step.invocations)):
                continue
            families = {call.family for call in step.invocations if call.action not in ("clean", "query")}
            for call in step.invocations:
                if not self._cleans_system(call) or call.command.conditional:
                    continue
                own = {call.family} if call.action == "clean" else SYSTEM_MANAGERS
                gone = own & cleans(call.command, step.setting).families.keys()
                if gone and not gone & families and not step.effects.wall:
                    yield self.finding(call.command.span, f"nothing of {min(gone)} was fetched in this RUN")
                    break

    @staticmethod
    def _cleans_system(call: Invocation) -> bool:
        return call.action == "clean" or (
            call.action == "delete" and any(word.pattern.startswith("/var/") for word in call.operands)
        )


STAYING = ("run", "persist")
"""Parts of names by which authors mark groups of packages that are to stay (.run-deps, .persistent-deps)."""


class ApkVirtualWithoutDel(Rule):
    """A group of packages gets a name, and nobody removes it.

    ``--virtual`` is for packages that are removed in the same RUN; without ``apk del`` the name is of no use, or the
    removal was forgotten.
    """

    code = "L128"
    name = "apk-virtual-without-del"
    severity = Severity.INFO
    default = False
    examples = (
        Bad(
            "FROM alpine:3.22\nRUN apk add --no-cache --virtual .build gcc && make\n",
            at="apk add --no-cache --virtual .build gcc",
        ),
        Good("FROM alpine:3.22\nRUN apk add --no-cache --virtual .build gcc && make && apk del .build\n"),
        Good("FROM alpine:3.22\nRUN apk add --no-cache -t .a gcc\nRUN make && apk del .a\n",
             why="purge-in-later-layer tells"),
        Good("FROM alpine:3.22\nRUN apk add --no-cache gcc\n"),
        Good("FROM alpine:3.22\nRUN apk add --no-cache --virtual .run-deps libpq\n", why="they are to stay"),
        Good(
            "FROM alpine:3.22 AS build\nRUN apk add --no-cache --virtual .build gcc\nFROM alpine:3.22\n"
            "COPY --from=build /a /a\n",
            why="the stage does not ship",
        ),
    )  # fmt: skip

    def check(self, build: Build) -> Iterator[Finding]:
        """Report groups that no command of the stage removes."""
        table = calls_of(build.graph, "apk")
        for step, call in table:
            name = call.options.get("-t")
            if call.action != "install" or not name or not build.graph.stages[step.stage].ships:
                continue
            if any(part in name for part in STAYING):
                continue
            removed = (
                word.pattern
                for other, one in table
                if one.action == "remove" and other.stage >= step.stage
                for word in one.operands
            )
            if not any(name == text or "*" in text for text in removed):
                yield self.finding(call.command.span, f"nothing removes {name}: add apk del {name}, or drop --virtual")
