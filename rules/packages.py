"""Rules about package managers: calls that stop, ask, bring more than wanted, or forget what a lock file holds."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from fnmatch import fnmatchcase

from dfopt.edit import Edit
from dfopt.finding import Finding, Fix, Severity
from dfopt.graph.model import Step
from dfopt.graph.queries import calls_of, earlier, is_copied_before, place_of
from dfopt.lint.rule import Bad, Build, Good, Rule
from dfopt.lint.wording import insert_after, is_written, remove_word, replace_word
from dfopt.shell.model import ShellWord
from dfopt.source import Span
from dfopt.syntax.tree import Arg, Env, FileInstruction
from dfopt.tools import Invocation, package_names

APT = ("apt-get", "apt", "aptitude", "apt-fast")
CHANGING = ("install", "upgrade", "remove", "autoremove")
ROOT = ("root", "0")
ASKING_FOR_RIGHTS = frozenset(("sudo", "doas", "su", "gosu", "su-exec", "runuser", "fakeroot", "setpriv", "chroot"))


def is_configured(build: Build, step: Step, *texts: str) -> bool:
    """Tell whether a command above, or in the same RUN, names a setting, most likely to write it to a file."""
    for one in (*earlier(build.graph, step), step):
        for command in one.commands:
            for word in command.words[1:]:
                lowered = word.raw.lower()
                if any(text in lowered for text in texts):
                    return True
        if any(text in content.lower() for _, content in one.documents for text in texts):
            return True
    return False


class NoAssent(Rule):
    """What the rules about missing assent share: a call that asks a question nobody can answer."""

    family: str = ""
    programs: tuple[str, ...] = ()
    assent: tuple[str, ...] = ("-y",)
    """Options, by their first spelling, with which it does not ask (or does nothing at all)."""
    option: str = "-y"
    setting: str = "assumeyes"

    def check(self, build: Build) -> Iterator[Finding]:
        """Report calls that ask, with nothing piped in and no configuration that answers."""
        for step, call in calls_of(build.graph, self.family):
            command = call.command
            if call.action not in CHANGING or command.name not in self.programs or call.has(*self.assent):
                continue
            if command.piped or self._is_quiet(call) or is_configured(build, step, self.setting):
                continue
            if any(redirect.operator.startswith("<") for redirect in command.redirects):
                continue
            program = f"{command.words[0].raw} {_verb(call)}"
            yield self.finding(
                command.span, f"{program} may ask before it goes on, and nobody answers: add {self.option}",
                fix=self._fix(build, call),
            )  # fmt: skip

    def _is_quiet(self, call: Invocation) -> bool:
        return False

    def _fix(self, build: Build, call: Invocation) -> Fix | None:
        edit = insert_after(build, call.verb, f" {self.option}")
        return self.safe(f"Add {self.option}", edit) if edit else None


def _verb(call: Invocation) -> str:
    return call.verb.raw if call.verb is not None else ""


class AptNoYes(NoAssent):
    """apt installs or removes without ``-y``.

    It asks whether to go on, finds nobody to answer, and the build stops. Where nothing needs asking today, it may
    tomorrow.

    Fix safety: safe; where the build came through without the answer, it does the same with it.
    """

    code = "P110"
    name = "apt-no-yes"
    aliases = ("DL3014", "DS-0021")
    family = "apt"
    programs = APT
    assent = ("-y", "-qq", "-s", "--assume-no", "--print-uris", "-h")
    setting = "assume-yes"
    examples = (
        Bad(
            "FROM debian:12\nRUN apt-get update && apt-get install --no-install-recommends curl && "
            "rm -rf /var/lib/apt/lists/*\n",
            at="apt-get install --no-install-recommends curl",
            fixed="FROM debian:12\nRUN apt-get update && apt-get install -y --no-install-recommends curl && "
            "rm -rf /var/lib/apt/lists/*\n",
        ),
        Bad(
            "FROM debian:12\nRUN apt-get -q autoremove\n",
            at="apt-get -q autoremove",
            fixed="FROM debian:12\nRUN apt-get -q autoremove -y\n",
        ),
        Bad('FROM debian:12\nRUN ["apt-get", "install", "curl"]\n', at='"apt-get", "install", "curl"'),
        Good("FROM debian:12\nRUN apt-get install -y curl\n"),
        Good("FROM debian:12\nRUN apt-get -yq install curl\n"),
        Good("FROM debian:12\nRUN apt-get -qq install curl && apt-get install -q -q git && apt-get install -q=2 jq\n"),
        Good("FROM debian:12\nRUN apt-get --assume-yes install curl\n"),
        Good("FROM debian:12\nRUN yes | apt-get install curl\n"),
        Good("FROM debian:12\nRUN apt-get -o APT::Get::Assume-Yes=true install curl\n"),
        Good(
            "FROM debian:12\nRUN echo 'APT::Get::Assume-Yes \"true\";' > /etc/apt/apt.conf.d/90yes\n"
            "RUN apt-get install curl\n",
            why="configured",
        ),
        Good("FROM debian:12\nRUN apt-get update && apt-get clean && apt-get -s install curl\n"),
    )

    def _is_quiet(self, call: Invocation) -> bool:
        texts = [word.value or "" for word in call.option_words]
        times = sum(text.count("q") for text in texts if re.fullmatch(r"-[a-z]+", text)) + texts.count("--quiet")
        return times >= 2 or any(re.fullmatch(r"-q=[2-9]|--quiet=[2-9]", text) for text in texts)


class YumNoYes(NoAssent):
    """yum installs or removes without ``-y``.

    It asks whether to go on, finds nobody to answer, and the build stops.

    Fix safety: safe; where the build came through without the answer, it does the same with it.
    """

    code = "P111"
    name = "yum-no-yes"
    aliases = ("DL3030",)
    family = "dnf"
    programs = ("yum",)
    assent = ("-y", "--assumeno", "--downloadonly")
    examples = (
        Bad(
            "FROM centos:7\nRUN yum install curl && yum clean all\n",
            at="yum install curl",
            fixed="FROM centos:7\nRUN yum install -y curl && yum clean all\n",
        ),
        Bad("FROM centos:7\nRUN yum groupinstall Development && yum clean all\n", at="yum groupinstall Development",
            fixed="FROM centos:7\nRUN yum groupinstall -y Development && yum clean all\n"),
        Good("FROM centos:7\nRUN yum -y install curl && yum clean all\n"),
        Good("FROM centos:7\nRUN yum install --assumeyes curl\n"),
        Good("FROM centos:7\nRUN yes | yum install curl\n"),
        Good("FROM centos:7\nRUN yum makecache && yum clean all\n"),
    )  # fmt: skip


class ZypperInteractive(NoAssent):
    """zypper installs or removes without ``--non-interactive``.

    It asks whether to go on, finds nobody to answer, and the build stops.

    Fix safety: safe; where the build came through without the answer, it does the same with it.
    """

    code = "P112"
    name = "zypper-interactive"
    aliases = ("DL3034",)
    family = "zypper"
    programs = ("zypper",)
    assent = ("-n", "-y", "--no-confirm", "-D", "--dry-run")
    option = "--non-interactive"
    examples = (
        Bad(
            "FROM opensuse/leap:15.6\nRUN zypper install curl && zypper clean --all\n",
            at="zypper install curl",
            fixed="FROM opensuse/leap:15.6\nRUN zypper --non-interactive install curl && zypper clean --all\n",
        ),
        Good("FROM opensuse/leap:15.6\nRUN zypper -n in curl\n"),
        Good("FROM opensuse/leap:15.6\nRUN zypper --non-interactive rm curl\n"),
        Good("FROM opensuse/leap:15.6\nRUN zypper install -y curl\n"),
        Good("FROM opensuse/leap:15.6\nRUN zypper refresh\n"),
    )

    def _fix(self, build: Build, call: Invocation) -> Fix | None:
        edit = insert_after(build, call.command.words[0], f" {self.option}")
        return self.safe(f"Add {self.option}", edit) if edit else None


class DnfNoYes(NoAssent):
    """dnf installs or removes without ``-y``.

    It asks whether to go on, finds nobody to answer, and the build stops. microdnf never asks.

    Fix safety: safe; where the build came through without the answer, it does the same with it.
    """

    code = "P113"
    name = "dnf-no-yes"
    aliases = ("DL3038",)
    family = "dnf"
    programs = ("dnf", "dnf5", "tdnf")
    assent = ("-y", "--assumeno", "--downloadonly")
    examples = (
        Bad(
            "FROM fedora:42\nRUN dnf install curl && dnf clean all\n",
            at="dnf install curl",
            fixed="FROM fedora:42\nRUN dnf install -y curl && dnf clean all\n",
        ),
        Good("FROM fedora:42\nRUN dnf -y install curl\n"),
        Good("FROM fedora:42\nRUN dnf install --setopt=install_weak_deps=False -y curl\n"),
        Good("FROM registry.access.redhat.com/ubi9/ubi-minimal\nRUN microdnf install curl\n", why="it never asks"),
        Good("FROM fedora:42\nRUN dnf config-manager --set-enabled crb\n"),
        Good("FROM fedora:42\nRUN echo assumeyes=1 >> /etc/dnf/dnf.conf && dnf install curl\n", why="configured"),
    )


class AptRecommends(Rule):
    """apt installs packages that are only recommended along with those that are asked for.

    They often weigh more than what was asked for, and nobody chose them.

    Fix safety: unsafe; the program may use one of them. Name that one then.
    """

    code = "P114"
    name = "apt-recommends"
    aliases = ("DL3015", "DS-0029")
    severity = Severity.INFO
    examples = (
        Bad(
            "FROM debian:12\nRUN apt-get update && apt-get install -y curl && rm -rf /var/lib/apt/lists/*\n",
            at="apt-get install -y curl",
            fixed="FROM debian:12\nRUN apt-get update && apt-get install --no-install-recommends -y curl "
            "&& rm -rf /var/lib/apt/lists/*\n",
            unsafe=True,
        ),
        Bad("FROM debian:12\nRUN apt-get install -y $PACKAGES\n", at="apt-get install -y $PACKAGES",
            fixed="FROM debian:12\nRUN apt-get install --no-install-recommends -y $PACKAGES\n", unsafe=True),
        Good("FROM debian:12\nRUN apt-get install -y --no-install-recommends curl\n"),
        Good("FROM debian:12\nRUN apt-get install -y --install-recommends curl\n", why="wanted"),
        Good("FROM debian:12\nRUN apt-get -o APT::Install-Recommends=false install -y curl\n"),
        Good("FROM debian:12\nRUN apt-get -oAPT::Install-Recommends=0 install -y curl\n"),
        Good(
            "FROM debian:12\nRUN echo 'APT::Install-Recommends \"0\";' > /etc/apt/apt.conf.d/99no\n"
            "RUN apt-get update && apt-get install -y curl\n",
            why="configured",
        ),
        Good(
            "FROM debian:12 AS build\nRUN apt-get install -y gcc\nFROM scratch\nCOPY --from=build /app /app\n",
            why="the stage does not ship",
        ),
    )  # fmt: skip

    def check(self, build: Build) -> Iterator[Finding]:
        """Report installs in stages that ship."""
        for step, call in calls_of(build.graph, "apt"):
            if call.action != "install" or call.command.name not in ("apt-get", "apt") or not call.operands:
                continue
            if not build.graph.stages[step.stage].ships or _verb(call) not in ("install", "reinstall"):
                continue
            if call.has("--no-install-recommends", "--install-recommends", "-s"):
                continue
            if any("install-recommends" in (word.value or "").lower() for word in call.option_words):
                continue
            if is_configured(build, step, "::install-recommends"):
                continue
            edit = insert_after(build, call.verb, " --no-install-recommends")
            yield self.finding(
                call.command.span,
                "packages that are merely recommended are installed too: add --no-install-recommends and name what "
                "is needed",
                fix=self.unsafe("Add --no-install-recommends", edit) if edit else None,
            )


class AptInsteadOfAptGet(Rule):
    """``apt`` is called in a script.

    It is made for people: what it prints and how it is called may change between releases, and it says so itself.
    ``apt-get`` and ``apt-cache`` stay the same.

    Fix safety: safe for verbs that both have with the same meaning; others are left to you.
    """

    code = "P115"
    name = "apt-instead-of-apt-get"
    aliases = ("DL3027", "CKV_DOCKER_9")
    examples = (
        Bad(
            "FROM debian:12\nRUN apt update && apt install -y --no-install-recommends curl "
            "&& rm -rf /var/lib/apt/lists/*\n",
            at="apt",
            count=2,
            fixed="FROM debian:12\nRUN apt-get update && apt-get install -y --no-install-recommends curl "
            "&& rm -rf /var/lib/apt/lists/*\n",
        ),
        Bad("FROM debian:12\nRUN apt list --installed\n", at="apt"),
        Good("FROM debian:12\nRUN apt-get update && apt-cache policy curl\n"),
        Good("FROM debian:12\nRUN rm -rf /var/lib/apt /etc/apt\n"),
        Good("FROM debian:12\nRUN echo apt install curl\n"),
    )

    _SAME = frozenset(("install", "update", "remove", "purge", "autoremove", "clean", "autoclean", "download"))

    def check(self, build: Build) -> Iterator[Finding]:
        """Report the word."""
        for _, call in calls_of(build.graph, "apt"):
            word = call.command.words[0]
            if word.value != "apt":
                continue
            edit = replace_word(build, word, "apt-get") if _verb(call) in self._SAME else None
            yield self.finding(
                word.span, "apt is made for people and may change: use apt-get or apt-cache in scripts",
                fix=self.safe("Call apt-get", edit) if edit else None,
            )  # fmt: skip


class ZypperDistUpgrade(Rule):
    """zypper upgrades the whole distribution.

    The image becomes another release than its tag says, at whatever state the archive has today. Take a newer base
    image instead.
    """

    code = "P116"
    name = "zypper-dist-upgrade"
    aliases = ("DL3035",)
    examples = (
        Bad("FROM opensuse/leap:15.6\nRUN zypper -n dup\n", at="zypper -n dup"),
        Good("FROM opensuse/leap:15.6\nRUN zypper -n update\n"),
        Good("FROM opensuse/tumbleweed\nRUN zypper -n dup\n", why="a rolling release has no other way"),
    )

    def check(self, build: Build) -> Iterator[Finding]:
        """Report the call, but not on a rolling release."""
        for step, call in calls_of(build.graph, "zypper"):
            if _verb(call) not in ("dist-upgrade", "dup"):
                continue
            if "tumbleweed" in (build.graph.chain(step.stage)[0].image or ""):
                continue
            yield self.finding(
                call.command.span, "this turns the image into another release: take a newer base image instead"
            )


class DistUpgrade(Rule):
    """All packages of the base image are upgraded.

    What comes out depends on the day of the build and on the cache, and every upgraded file is stored a second time. A
    newer base image brings the same updates without the weight.
    """

    code = "P117"
    name = "dist-upgrade"
    aliases = ("DS-0024",)
    severity = Severity.INFO
    default = False
    examples = (
        Bad("FROM debian:12\nRUN apt-get update && apt-get -y upgrade\n", at="apt-get -y upgrade"),
        Bad("FROM alpine:3.22\nRUN apk upgrade --no-cache\n", at="apk upgrade --no-cache"),
        Bad("FROM centos:7\nRUN yum -y update\n", at="yum -y update"),
        Good("FROM centos:7\nRUN yum -y update openssl\n", why="one package"),
        Good("FROM alpine:3.22\nRUN apk upgrade --no-cache openssl\n", why="one package"),
        Good("FROM debian:12\nRUN apt-get update\n"),
        Good("FROM archlinux\nRUN pacman -Syu --noconfirm git\n", why="a rolling release has no other way"),
    )

    def check(self, build: Build) -> Iterator[Finding]:
        """Report upgrades that name no package."""
        for _, call in calls_of(build.graph, "apt", "apk", "dnf", "zypper"):
            if call.action != "upgrade" or call.operands or _verb(call) in ("dup", "fix", "verify"):
                continue
            yield self.finding(
                call.command.span, "every package of the base image is fetched again: take a newer base image instead"
            )


LOCKS = {
    "npm": ("package-lock.json", "npm-shrinkwrap.json"),
    "yarn": ("yarn.lock",),
    "pnpm": ("pnpm-lock.yaml",),
    "bun": ("bun.lock", "bun.lockb"),
    "uv": ("uv.lock",),
    "pipenv": ("Pipfile.lock",),
    "bundler": ("Gemfile.lock",),
    "cargo": ("Cargo.lock",),
    "composer": ("composer.lock",),
}


def lock_of(build: Build, step: Step, call: Invocation) -> str | None:
    """Give the lock file that certainly lies where an install runs: copied by name, or seen in the build context."""
    place = place_of(step, call)
    for name in LOCKS[call.family]:
        path = place.join(name)
        for one in reversed(earlier(build.graph, step)):
            if _deletes(one, name):
                break
            if _brings(build, one, name) and is_copied_before(build.graph, step, path):
                return name
    return None


def _deletes(step: Step, name: str) -> bool:
    return any(command.name == "rm" and any(name in word.raw for word in command.words) for command in step.commands)


def _brings(build: Build, step: Step, name: str) -> bool:
    instruction = step.instruction
    if not isinstance(instruction, FileInstruction) or not step.arguments:
        return False
    if any(posixpath.basename(source) == name for source in step.sources):
        return True
    if build.context is None or step.source_stage is not None or step.source_image is not None:
        return False
    for source in step.sources:
        pattern = source.strip("/").removeprefix("./") or "."
        if any(
            posixpath.basename(path) == name
            and (pattern == "." or fnmatchcase(path, pattern) or path.startswith(pattern.rstrip("/") + "/"))
            for path in build.context.files
        ):
            return True
    return False


class NpmInstallInsteadOfCi(Rule):
    """``npm install`` runs although a lock file is there.

    It may change the lock file and install other versions than it holds; ``npm ci`` installs exactly those, checks
    that both files agree, and is faster.

    Fix safety: unsafe; ``npm ci`` fails where the lock file does not fit package.json, and deletes node_modules first.
    """

    code = "P118"
    name = "npm-install-instead-of-ci"
    examples = (
        Bad(
            "FROM node:22\nWORKDIR /app\nCOPY package.json package-lock.json ./\nRUN npm install\nCOPY . .\n",
            at="npm install",
            fixed="FROM node:22\nWORKDIR /app\nCOPY package.json package-lock.json ./\nRUN npm ci\nCOPY . .\n",
            unsafe=True,
        ),
        Bad(
            "FROM node:22\nWORKDIR /app\nCOPY package*.json ./\nRUN npm i --omit=dev\n",
            at="npm i --omit=dev",
            context={"package.json": "{}", "package-lock.json": "{}"},
            fixed="FROM node:22\nWORKDIR /app\nCOPY package*.json ./\nRUN npm ci --omit=dev\n",
            unsafe=True,
        ),
        Good("FROM node:22\nWORKDIR /app\nCOPY package.json package-lock.json ./\nRUN npm ci\n"),
        Good("FROM node:22\nWORKDIR /app\nCOPY package*.json ./\nRUN npm install\n", why="there may be no lock file"),
        Good("FROM node:22\nWORKDIR /app\nCOPY package*.json ./\nRUN npm install\n", context={"package.json": "{}"}),
        Good("FROM node:22\nWORKDIR /app\nCOPY package.json package-lock.json ./\nRUN npm install lodash@4.17.21\n"),
        Good("FROM node:22\nWORKDIR /app\nCOPY package.json package-lock.json ./\nRUN npm install -g npm@10\n"),
        Good("FROM node:8-alpine\nWORKDIR /app\nCOPY package.json package-lock.json ./\nRUN npm install\n",
             why="npm ci may be missing there"),
        Good(
            "FROM node:22\nWORKDIR /app\nCOPY package.json package-lock.json ./\n"
            "RUN npm pkg delete scripts.prepare && npm install\n",
            why="package.json was changed",
        ),
    )  # fmt: skip

    _PLAIN = frozenset(("install", "i", "in"))
    _NOT_FOR_CI = ("--package-lock-only", "--no-package-lock", "--dry-run", "--no-save", "-S", "-D", "--no-shrinkwrap")

    def check(self, build: Build) -> Iterator[Finding]:
        """Report installs of the project itself."""
        for step, call in calls_of(build.graph, "npm"):
            if _verb(call) not in self._PLAIN or call.command.name != "npm" or call.operands or call.has("-g"):
                continue
            if call.has(*self._NOT_FOR_CI) or self._is_old(build, step) or _edits_manifest(step, call):
                continue
            lock = lock_of(build, step, call)
            if lock is None:
                continue
            edit = replace_word(build, call.verb, "ci")
            yield self.finding(
                call.command.span, f"npm install may pass over {lock}: use npm ci, which installs what it holds",
                fix=self.unsafe("Use npm ci", edit) if edit else None,
            )  # fmt: skip

    @staticmethod
    def _is_old(build: Build, step: Step) -> bool:
        found = re.search(r"(?:^|/)node:(\d+)", build.graph.chain(step.stage)[0].image or "")
        return found is not None and int(found.group(1)) < 10


def _edits_manifest(step: Step, call: Invocation) -> bool:
    """Tell whether a command above the install in its RUN changes the manifest or the lock file."""
    for command in step.commands:
        if command is call.command:
            return False
        words = [word.raw for word in command.words]
        if words[:2] in (["npm", "pkg"], ["npm", "version"]) or (
            command.name in ("rm", "sed", "mv", "jq") and any("package" in word for word in words)
        ):
            return True
    return False


ENFORCING: tuple[tuple[str, tuple[str, ...], tuple[str, ...], tuple[str, ...]], ...] = (
    (
        "yarn", ("install", ""), ("--frozen-lockfile", "--immutable", "--pure-lockfile"),
        ("YARN_ENABLE_IMMUTABLE_INSTALLS",),
    ),
    ("pnpm", ("install", "i"), ("--frozen-lockfile", "--no-frozen-lockfile", "--offline"), ("CI",)),
    ("bun", ("install", "i"), ("--frozen-lockfile",), ()),
    ("uv", ("sync",), ("--locked", "--frozen", "-U"), ("UV_LOCKED", "UV_FROZEN")),
    ("pipenv", ("install",), ("--deploy", "--ignore-pipfile", "--skip-lock"), ()),
    ("bundler", ("install", ""), ("--frozen", "--deployment"), ("BUNDLE_DEPLOYMENT", "BUNDLE_FROZEN")),
    ("cargo", ("build", "b", "install"), ("--locked", "--frozen", "--offline"), ("CARGO_NET_OFFLINE",)),
)  # fmt: skip
"""Families, verbs, options that enforce the lock file (the first is inserted), and variables that do."""


class LockfileNotEnforced(Rule):
    """An install may pass over the lock file that was copied for it.

    Where the lock file does not fit the manifest, the tool quietly installs other versions. The option makes it stop
    instead.

    Fix safety: unsafe; a build whose lock file does not fit stops from then on.
    """

    code = "P119"
    name = "lockfile-not-enforced"
    severity = Severity.INFO
    default = False
    examples = (
        Bad(
            "FROM node:22\nWORKDIR /app\nCOPY package.json yarn.lock ./\nRUN yarn install && yarn cache clean\n",
            at="yarn install",
            fixed="FROM node:22\nWORKDIR /app\nCOPY package.json yarn.lock ./\n"
            "RUN yarn install --frozen-lockfile && yarn cache clean\n",
            unsafe=True,
        ),
        Bad(
            "FROM rust:1.83\nWORKDIR /app\nCOPY Cargo.toml Cargo.lock ./\nCOPY src src\nRUN cargo build --release\n",
            at="cargo build --release",
            fixed="FROM rust:1.83\nWORKDIR /app\nCOPY Cargo.toml Cargo.lock ./\nCOPY src src\n"
            "RUN cargo build --locked --release\n",
            unsafe=True,
        ),
        Bad(
            "FROM python:3.13\nWORKDIR /app\nCOPY pyproject.toml uv.lock ./\nRUN uv sync --no-dev\n",
            at="uv sync --no-dev",
            fixed="FROM python:3.13\nWORKDIR /app\nCOPY pyproject.toml uv.lock ./\nRUN uv sync --locked --no-dev\n",
            unsafe=True,
        ),
        Good("FROM node:22\nWORKDIR /app\nCOPY package.json yarn.lock ./\nRUN yarn install --immutable\n"),
        Good("FROM node:22\nWORKDIR /app\nCOPY package.json pnpm-lock.yaml ./\nRUN pnpm i --frozen-lockfile\n"),
        Good("FROM node:22\nWORKDIR /app\nCOPY package.json ./\nRUN yarn install\n", why="there is no lock file"),
        Good("FROM node:22\nENV CI=true\nWORKDIR /app\nCOPY package.json pnpm-lock.yaml ./\nRUN pnpm i\n",
             why="pnpm is strict under CI"),
        Good("FROM ruby:3.4\nENV BUNDLE_DEPLOYMENT=1\nWORKDIR /a\nCOPY Gemfile Gemfile.lock ./\nRUN bundle install\n"),
        Good("FROM ruby:3.4\nWORKDIR /app\nCOPY Gemfile Gemfile.lock ./\n"
             "RUN bundle config set deployment true && bundle install\n"),
    )  # fmt: skip

    def check(self, build: Build) -> Iterator[Finding]:
        """Report installs of the project where its lock file is certainly there."""
        for family, verbs, options, variables in ENFORCING:
            for step, call in calls_of(build.graph, family):
                if _verb(call) not in verbs or call.operands or call.has(*options):
                    continue
                environment = {name for name, _ in call.command.environment}
                if any(step.before.lookup(name) or name in environment for name in variables):
                    continue
                if family == "bundler" and is_configured(build, step, "deployment", "frozen"):
                    continue
                lock = lock_of(build, step, call)
                if lock is not None:
                    edit = insert_after(build, call.verb or call.command.words[0], f" {options[0]}")
                    yield self.finding(
                        call.command.span, f"this may pass over {lock}: add {options[0]}",
                        fix=self.unsafe(f"Add {options[0]}", edit) if edit and family != "bundler" else None,
                    )  # fmt: skip


class PipExtraIndex(Rule):
    """pip looks into a second package index.

    It takes the highest version from any of them, so whoever publishes a package of the same name in the public index
    gets into the image. One index that mirrors both, or hashes, close that door.
    """

    code = "P120"
    name = "pip-extra-index"
    default = False
    examples = (
        Bad(
            "FROM python:3.13\nRUN pip install --extra-index-url https://example.com/simple tool==1.0\n",
            at="--extra-index-url",
        ),
        Bad("FROM python:3.13\nENV PIP_EXTRA_INDEX_URL=https://example.com/simple\n",
            at="PIP_EXTRA_INDEX_URL=https://example.com/simple"),
        Good("FROM python:3.13\nRUN pip install --index-url https://example.com/simple tool==1.0\n"),
        Good("FROM python:3.13\nRUN pip install --require-hashes --extra-index-url https://example.com/s -r r.txt\n"),
    )  # fmt: skip

    def check(self, build: Build) -> Iterator[Finding]:
        """Report the option, or the variable that does the same."""
        message = "any of several package indexes may provide a package: use one that mirrors the others, or hashes"
        for _, call in calls_of(build.graph, "pip", "uv"):
            if call.has("--require-hashes"):
                continue
            for word in call.option_words:
                if (word.value or word.pattern).partition("=")[0] == "--extra-index-url":
                    yield self.finding(word.span, message)
                    break
        for step in build.steps:
            if isinstance(step.instruction, Env | Arg):
                for pair in step.instruction.pairs:
                    if pair.key in ("PIP_EXTRA_INDEX_URL", "UV_EXTRA_INDEX_URL") and pair.value:
                        yield self.finding(pair.span, message)


SYSTEM = ("apt", "apk", "dnf", "zypper")


class UnsortedPackages(Rule):
    """A list of packages is not sorted.

    Sorted lists show duplicates and give small differences.

    Fix safety: safe; system packages are installed as one set, whatever their order.
    """

    code = "P121"
    name = "unsorted-packages"
    aliases = ("tally/sort-packages",)
    severity = Severity.STYLE
    default = False
    examples = (
        Bad(
            "FROM alpine:3.22\nRUN apk add --no-cache git curl bash\n",
            at="git curl bash",
            fixed="FROM alpine:3.22\nRUN apk add --no-cache bash curl git\n",
        ),
        Bad(
            "FROM debian:12\nRUN apt-get install -y --no-install-recommends \\\n    zip=3.0-13 \\\n    curl\n",
            at="zip=3.0-13 \\\n    curl",
            fixed="FROM debian:12\nRUN apt-get install -y --no-install-recommends \\\n    curl \\\n    zip=3.0-13\n",
        ),
        Good("FROM alpine:3.22\nRUN apk add --no-cache bash curl git\n"),
        Good("FROM alpine:3.22\nRUN apk add --no-cache $PACKAGES curl bash\n", why="one is not written out"),
        Good(
            "FROM debian:12\nRUN apt-get install -y \\\n    # tools\n    curl \\\n    git \\\n    # libraries\n"
            "    bash\n",
            why="comments part the list",
        ),
        Good("FROM python:3.13\nRUN pip install wheel cython\n", why="the order may count"),
    )

    def check(self, build: Build) -> Iterator[Finding]:
        """Report each part of a list between comments."""
        for step, call in calls_of(build.graph, *SYSTEM):
            if call.action != "install" or len(call.operands) < 2:
                continue
            if not all(is_written(build, word) and not word.raw.endswith("-") for word in call.operands):
                continue
            cuts = [comment.span.start for comment in step.instruction.inner_comments]
            groups: dict[int, list[int]] = {}
            for place, word in enumerate(call.operands):
                groups.setdefault(sum(cut < word.span.start for cut in cuts), []).append(place)
            for places in groups.values():
                words = [call.operands[place] for place in places]
                wanted = sorted(words, key=lambda word: (word.raw.lower(), word.raw))
                if [word.raw for word in wanted] == [word.raw for word in words]:
                    continue
                edits = [Edit(old.span, new.raw) for old, new in zip(words, wanted, strict=True) if old.raw != new.raw]
                yield self.finding(
                    Span(words[0].span.start, words[-1].span.end), "the packages are not sorted",
                    fix=self.safe("Sort the packages", *edits),
                )  # fmt: skip


class DuplicatePackages(Rule):
    """A package is named twice in one call.

    Somebody edited the list without seeing the other place.

    Fix safety: safe; a package is installed once anyway.
    """

    code = "P122"
    name = "duplicate-packages"
    severity = Severity.INFO
    examples = (
        Bad(
            "FROM alpine:3.22\nRUN apk add --no-cache curl git curl bash\n",
            at="curl",
            fixed="FROM alpine:3.22\nRUN apk add --no-cache curl git bash\n",
        ),
        Bad(
            "FROM debian:12\nRUN apt-get update && apt-get install -y --no-install-recommends \\\n    git \\\n"
            "    libssl-dev \\\n    git \\\n    zip \\\n && rm -rf /var/lib/apt/lists/*\n",
            at="git",
            fixed="FROM debian:12\nRUN apt-get update && apt-get install -y --no-install-recommends \\\n    git \\\n"
            "    libssl-dev \\\n    zip \\\n && rm -rf /var/lib/apt/lists/*\n",
        ),
        Good("FROM alpine:3.22\nRUN apk add --no-cache curl git\n"),
        Good("FROM alpine:3.22\nRUN apk add --no-cache curl && apk add --no-cache curl\n", why="two calls"),
        Good("FROM debian:12\nRUN apt-get install -y --no-install-recommends libc6:i386 libc6:amd64 g++ g++-12\n"),
        Good("FROM python:3.13\nRUN pip install 'flask[async]' flask\n", why="they are not the same"),
    )

    _FAMILIES = (*SYSTEM, "pip", "npm", "gem")

    def check(self, build: Build) -> Iterator[Finding]:
        """Report the first naming."""
        for _, call in calls_of(build.graph, *self._FAMILIES):
            if call.action != "install" or len(call.operands) < 2:
                continue
            words: dict[str, list[ShellWord]] = {}
            for package in package_names(call):
                if is_written(build, package.word):
                    words.setdefault(package.word.raw, []).append(package.word)
            for name, (first, *others) in words.items():
                if not others:
                    continue
                edits = [remove_word(build, call.command, word) for word in others]
                known = [edit for edit in edits if edit is not None]
                yield self.finding(
                    first.span,
                    f"{name} is named twice in this call",
                    related=[(word.span, "named again") for word in others],
                    fix=self.safe(f"Name {name} once", *known) if len(known) == len(others) else None,
                )


class PackageInstallAsNonRoot(Rule):
    """System packages are changed by a user that may not do so.

    The package manager stops with a permission error. Become root first (``USER root``) and step down again afterwards.
    """

    code = "P123"
    name = "package-install-as-non-root"
    severity = Severity.ERROR
    examples = (
        Bad("FROM debian:12\nUSER app\nRUN apt-get update && rm -rf /var/lib/apt/lists/*\n", at="apt-get update"),
        Bad("FROM alpine:3.22\nUSER 1000:1000\nRUN apk add --no-cache curl\n", at="apk add --no-cache curl"),
        Bad("FROM alpine:3.22 AS base\nUSER app\nFROM base\nRUN apk add --no-cache curl\n",
            at="apk add --no-cache curl"),
        Good("FROM alpine:3.22\nUSER root\nRUN apk add --no-cache curl\nUSER app\n"),
        Good("FROM alpine:3.22\nUSER 0:1000\nRUN apk add --no-cache curl\n"),
        Good("FROM debian:12\nUSER app\nRUN sudo apt-get update\n"),
        Good("FROM debian:12\nARG U\nUSER $U\nRUN apt-get update\n", why="nobody knows who that is"),
        Good("FROM debian:12\nUSER app\nRUN apt-get --version && apt-get download curl\n"),
        Good("FROM debian:12\nUSER app\nRUN pip install --user flask\n"),
    )  # fmt: skip

    def check(self, build: Build) -> Iterator[Finding]:
        """Report the first call of each RUN."""
        done: set[int] = set()
        for step, call in calls_of(build.graph, *SYSTEM):
            if call.action not in ("install", "upgrade", "remove", "update", "autoremove") or step.index in done:
                continue
            user = (step.before.user or "root").partition(":")[0]
            if user in ROOT or "$" in user or not user or not self._is_certain(build, step):
                continue
            command = call.command
            if ASKING_FOR_RIGHTS & set(command.wrappers) or call.has("-s", "-p", "--installroot", "-R", "-h", "-v"):
                continue
            done.add(step.index)
            yield self.finding(
                command.span, f"{command.words[0].raw} needs root, and this runs as {user}: put USER root above"
            )

    @staticmethod
    def _is_certain(build: Build, step: Step) -> bool:
        """Tell whether a USER whose value is known stands above; facts about base images may be too old."""
        users = [one for one in earlier(build.graph, step) if one.keyword == "USER"]
        return bool(users) and not users[-1].unknown and not users[-1].missing


class ComposerDev(Rule):
    """Composer installs the packages for development into an image that ships.

    They are not needed to run the program, weigh, and widen what can be attacked.

    Fix safety: unsafe; a script or the program itself may use one of them.
    """

    code = "P124"
    name = "composer-dev"
    aliases = ("tally/php/composer-no-dev-in-production",)
    severity = Severity.INFO
    default = False
    examples = (
        Bad(
            "FROM php:8.3\nCOPY . .\nRUN composer install -o\n",
            at="composer install -o",
            fixed="FROM php:8.3\nCOPY . .\nRUN composer install --no-dev -o\n",
            unsafe=True,
        ),
        Good("FROM php:8.3\nRUN composer install --no-dev\n"),
        Good("FROM php:8.3\nENV COMPOSER_NO_DEV=1\nRUN composer install\n"),
        Good("FROM php:8.3 AS dev\nRUN composer install\n", why="a stage for development"),
        Good("FROM php:8.3\nRUN composer global require tool/tool:1.0\n"),
        Good(
            "FROM composer AS vendor\nRUN composer install && composer test && composer install --no-dev\n"
            "FROM php:8.3\nCOPY --from=vendor /app /app\n",
            why="taken out afterwards",
        ),
    )

    def check(self, build: Build) -> Iterator[Finding]:
        """Report installs, unless a later one of the stage leaves them out."""
        for step, call in calls_of(build.graph, "composer"):
            if _verb(call) not in ("install", "i") or call.has("--no-dev"):
                continue
            stage = build.graph.stages[step.stage]
            environment = {name for name, _ in call.command.environment}
            if step.before.lookup("COMPOSER_NO_DEV") or "COMPOSER_NO_DEV" in environment or not stage.ships:
                continue
            if re.search(r"dev|test|\bci\b|debug", stage.name or "") or any(
                other.has("--no-dev") for one in stage.steps for other in one.invocations if other.family == "composer"
            ):
                continue
            edit = insert_after(build, call.verb, " --no-dev")
            yield self.finding(
                call.command.span, "the packages for development are installed too: add --no-dev",
                fix=self.unsafe("Add --no-dev", edit) if edit else None,
            )  # fmt: skip


class DeprecatedBundlerFlags(Rule):
    """``bundle install`` gets options that it remembers for later calls.

    Bundler 2 warns of them and Bundler 4 has removed them; ``bundle config set`` says the same and stays.

    Fix safety: unsafe; it needs Bundler 2.1 or newer.
    """

    code = "P125"
    name = "deprecated-bundler-flags"
    aliases = ("tally/ruby/deprecated-bundler-install-flags",)
    severity = Severity.INFO
    default = False
    examples = (
        Bad(
            "FROM ruby:3.4\nRUN bundle install --deployment --jobs 4\n",
            at="bundle install --deployment --jobs 4",
            fixed="FROM ruby:3.4\nRUN bundle config set --local deployment true && bundle install --jobs 4\n",
            unsafe=True,
        ),
        Bad(
            "FROM ruby:3.4\nRUN bundle install --without development test\n",
            at="bundle install --without development test",
        ),
        Good("FROM ruby:3.4\nRUN bundle config set --local deployment true && bundle install --jobs 4\n"),
        Good("FROM ruby:3.4\nRUN bundle install --retry 3 --quiet\n"),
    )

    _FLAGS = ("--deployment", "--frozen", "--without", "--with", "--path", "--system", "--clean", "--no-prune",
              "--shebang", "--binstubs")  # fmt: skip
    _SIMPLE = ("--deployment", "--frozen")

    def check(self, build: Build) -> Iterator[Finding]:
        """Report calls with such options; those without a value have a fix."""
        for _, call in calls_of(build.graph, "bundler"):
            used = [flag for flag in self._FLAGS if call.has(flag)]
            if _verb(call) not in ("install", "") or not used:
                continue
            yield self.finding(
                call.command.span,
                f"{' and '.join(used)} {'is' if len(used) == 1 else 'are'} deprecated: say it with bundle config set",
                fix=self._fix(build, call, used),
            )

    def _fix(self, build: Build, call: Invocation, used: list[str]) -> Fix | None:
        command = call.command
        if not set(used) <= set(self._SIMPLE) or command.wrappers or command.assignments or command.negated:
            return None
        words = [word for word in call.option_words if word.value in used]
        removals = [remove_word(build, command, word) for word in words]
        if len(words) != len(used) or None in removals or not is_written(build, command.words[0]):
            return None
        if command.operator not in ("", "&&", ";", "\n") or command.pipes or command.piped:
            return None
        start = command.words[0].span.start
        settings = "".join(f"bundle config set --local {flag.lstrip('-')} true && " for flag in used)
        edits = [Edit(Span(start, start), settings), *(edit for edit in removals if edit is not None)]
        return self.unsafe("Say it with bundle config set", *edits)


class CurlAndWget(Rule):
    """A stage uses both curl and wget.

    One of them can do both jobs; the other is one more package to install and update.
    """

    code = "P126"
    name = "curl-and-wget"
    aliases = ("DL4001", "DS-0014")
    severity = Severity.INFO
    default = False
    examples = (
        Bad(
            "FROM debian:12\nRUN wget https://example.com/a\nRUN curl -fO https://example.com/b\n",
            at="curl -fO https://example.com/b",
        ),
        Good("FROM debian:12\nRUN wget https://example.com/a\nRUN wget https://example.com/b\n"),
        Good("FROM debian:12\nRUN apt-get install -y curl && wget https://example.com/a\n", why="only one is used"),
        Good(
            "FROM debian:12 AS get\nRUN wget https://example.com/a\nFROM alpine:3.22\nRUN curl -f https://example.com/b\n",
            why="two stages",
        ),
    )

    def check(self, build: Build) -> Iterator[Finding]:
        """Report the first use of the second of both, once per stage."""
        first: dict[int, Invocation] = {}
        done: set[int] = set()
        found = sorted(calls_of(build.graph, "curl", "wget"), key=lambda pair: pair[1].command.span.start)
        for step, call in found:
            other = first.setdefault(step.stage, call)
            if other.family != call.family and step.stage not in done:
                done.add(step.stage)
                yield self.finding(
                    call.command.span, f"the stage fetches with {other.family} already: use one of both",
                    related=[(other.command.span, f"{other.family} is used here")],
                )  # fmt: skip


class MissingNoninteractive(Rule):
    """A Debian package that asks questions is installed without saying that nobody answers.

    Its installation waits for an answer and the build hangs, or takes whatever stands first.

    Fix safety: unsafe; the questions get their default answers.
    """

    code = "P127"
    name = "missing-noninteractive"
    severity = Severity.INFO
    default = False
    examples = (
        Bad(
            "FROM ubuntu:24.04\nRUN apt-get update && apt-get install -y --no-install-recommends tzdata "
            "&& rm -rf /var/lib/apt/lists/*\n",
            at="apt-get install -y --no-install-recommends tzdata",
            fixed="FROM ubuntu:24.04\nRUN apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y "
            "--no-install-recommends tzdata && rm -rf /var/lib/apt/lists/*\n",
            unsafe=True,
        ),
        Good("FROM ubuntu:24.04\nRUN apt-get install -y curl\n", why="it asks nothing"),
        Good("FROM ubuntu:24.04\nARG DEBIAN_FRONTEND=noninteractive\nRUN apt-get install -y tzdata\n"),
        Good("FROM ubuntu:24.04\nRUN export DEBIAN_FRONTEND=noninteractive && apt-get install -y tzdata\n"),
        Good("FROM ubuntu:24.04\nRUN DEBIAN_FRONTEND=noninteractive apt-get install -y tzdata\n"),
        Good("FROM ubuntu:24.04\nRUN echo 'tzdata tzdata/Areas select Europe' | debconf-set-selections "
             "&& apt-get install -y tzdata\n", why="answered in advance"),
    )  # fmt: skip

    _ASKING = re.compile(
        r"tzdata|keyboard-configuration|console-setup|postfix|iptables-persistent|wireshark(?:-common)?|tshark|slapd"
        r"|mysql-server(?:-\d\.\d)?|krb5-(?:user|config)|jackd[12]?|ttf-mscorefonts-installer|lightdm|gdm3|phpmyadmin"
        r"|libpam-krb5|libpam-ldap|locales-all|ubuntu-restricted-extras|macchanger|nslcd|dictionaries-common"
    )

    def check(self, build: Build) -> Iterator[Finding]:
        """Report installs that name one of the packages that ask."""
        for step, call in calls_of(build.graph, "apt"):
            if call.action != "install" or call.command.name not in APT:
                continue
            asking = [package for package in package_names(call) if self._ASKING.fullmatch(package.name)]
            command = call.command
            if not asking or "DEBIAN_FRONTEND" in step.before.variables:
                continue
            if any(name == "DEBIAN_FRONTEND" for name, _ in command.environment) or any(
                one.name == "DEBIAN_FRONTEND" for one in command.assignments
            ):
                continue
            if is_configured(build, step, "debian_frontend", "debconf-set-selections", "debconf/frontend"):
                continue
            if any(one.name == "debconf-set-selections" for one in step.commands):
                continue
            word = command.words[0]
            edit = Edit(Span(word.span.start, word.span.start), "DEBIAN_FRONTEND=noninteractive ")
            plain = is_written(build, word) and not command.wrappers
            yield self.finding(
                command.span, f"{asking[0].name} asks questions and nobody answers: set DEBIAN_FRONTEND=noninteractive",
                fix=self.unsafe("Set DEBIAN_FRONTEND", edit) if plain else None,
            )  # fmt: skip
