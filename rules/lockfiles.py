"""Rules about dependencies of a project: what its lock file holds, where they come from, which are installed."""

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
from dfopt.source import Span
from dfopt.syntax.tree import Arg, Env, FileInstruction
from dfopt.tools import Invocation

from .packages import is_configured, verb_of

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
            if verb_of(call) not in self._PLAIN or call.command.name != "npm" or call.operands or call.has("-g"):
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
                if verb_of(call) not in verbs or call.operands or call.has(*options):
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
            if verb_of(call) not in ("install", "i") or call.has("--no-dev"):
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
            if verb_of(call) not in ("install", "") or not used:
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
