"""Rules about the shell code of a RUN: what fails unseen, what is lost after it, what no shell understands."""

from __future__ import annotations

import re
from collections.abc import Iterator

from dfopt.edit import Edit
from dfopt.finding import Finding, Fix, Severity
from dfopt.graph.model import Step
from dfopt.graph.queries import arrives_at, earlier, is_windows, run_steps
from dfopt.lint.rule import Bad, Build, Good, Option, Rule
from dfopt.shell.model import POSIX, Command, ListItem, Node, Pipeline, Script, ShellWord
from dfopt.source import Span
from dfopt.syntax.tree import Cmd, Dockerfile, Entrypoint, FileInstruction, Run

SHELLS = frozenset(("sh", "bash", "dash", "ash", "zsh", "ksh", "fish", "busybox", "pwsh", "powershell", "cmd"))
NEVER_FAILS = frozenset(("echo", "printf", "yes", "true", ":", "date", "pwd", "uname", "env", "set", "sleep", "nproc"))
"""Programs on the left of a pipe whose failure nobody has to fear."""


def shell_runs(build: Build) -> Iterator[tuple[Step, Script]]:
    """Give the RUNs with code of a POSIX shell, those behind ONBUILD included."""
    for step in run_steps(build.graph):
        script = step.script
        if script is not None and script.dialect in POSIX and not is_windows(build.graph, step.stage):
            yield step, script


def line_start(build: Build, step: Step) -> int:
    """Give the offset at which an instruction's own line begins."""
    source = build.tree.source
    return source.line_starts[source.line_of(step.instruction.span.start) - 1]


def distribution_shell(build: Build, step: Step) -> str | None:
    """Give the shell with pipefail that a base image certainly has, None where nothing is known."""
    facts = build.graph.chain(step.stage)[0].facts
    if facts is None or not facts.has_shell:
        return None
    return {"apt": "/bin/bash", "dnf": "/bin/bash", "zypper": "/bin/bash", "apk": "/bin/ash"}.get(facts.package_manager)


class MissingPipefail(Rule):
    """A pipe in a RUN hides that its first command failed.

    A shell takes the last command's status for the whole pipe, so a failed download goes into the layer, and into the
    cache, as a success. With the option pipefail the RUN fails.

    Fix safety: unsafe; all later RUNs of the stage, and shell forms of CMD and ENTRYPOINT, get another shell.
    """

    code = "S101"
    name = "missing-pipefail"
    aliases = ("DL4006",)
    examples = (
        Bad(
            "FROM debian:12\nRUN curl -f https://example.com/a | tar x\n",
            at="curl -f https://example.com/a | tar x",
            fixed='FROM debian:12\nSHELL ["/bin/bash", "-o", "pipefail", "-c"]\n'
            "RUN curl -f https://example.com/a | tar x\n",
            unsafe=True,
        ),
        Bad(
            "FROM alpine:3.22\nRUN wget -q -O - https://example.com/a | tar x\n",
            at="wget -q -O - https://example.com/a | tar x",
            fixed='FROM alpine:3.22\nSHELL ["/bin/ash", "-o", "pipefail", "-c"]\n'
            "RUN wget -q -O - https://example.com/a | tar x\n",
            unsafe=True,
        ),
        Bad("FROM example.com/base:1\nRUN cat a | sort > b && ls\n", at="cat a | sort > b"),
        Good(
            'FROM debian:12\nSHELL ["/bin/bash", "-o", "pipefail", "-c"]\nRUN curl -f https://example.com/a | tar x\n'
        ),
        Good(
            'FROM debian:12 AS base\nSHELL ["/bin/bash", "-euo", "pipefail", "-c"]\nFROM base\n'
            "RUN curl -f https://example.com/a | tar x\n",
            why="inherited from the stage below",
        ),
        Good("FROM alpine:3.22\nRUN set -o pipefail && wget -q -O - https://example.com/a | tar x\n"),
        Good("FROM debian:12\nRUN set -eo pipefail; cat a | sort\n"),
        Good("FROM debian:12\nRUN echo 'a b' | sha256sum -c -\n", why="echo does not fail"),
        Good("FROM debian:12\nRUN yes | ./install.sh\n", why="with pipefail it would always fail"),
        Good("FROM debian:12\nRUN cat a | sort || true\n", why="it may fail"),
        Good("FROM debian:12\nRUN if ls | grep -q a; then echo b; fi\n", why="the status is a question"),
        Good("FROM debian:12\nRUN echo $(ls | wc -l)\n", why="the status of a substitution is not looked at"),
        Good('FROM mcr.microsoft.com/windows/servercore:ltsc2022\nSHELL ["powershell", "-Command"]\nRUN dir | sort\n'),
        Good("FROM debian:12\nRUN <<EOF bash -eo pipefail\ncat a | sort\nEOF\n"),
    )

    def check(self, build: Build) -> Iterator[Finding]:
        """Report the first such pipe of each RUN."""
        fixed: set[int] = set()
        for step, script in shell_runs(build):
            pipe = next(_hiding_pipes(script.items, last=True), None)
            if pipe is None:
                continue
            fix = None if step.stage in fixed else self._fix(build, step, script)
            fixed.add(step.stage)
            yield self.finding(
                pipe.span,
                "only the last command of the pipe can fail this RUN: set the shell option pipefail",
                fix=fix,
            )

    def _fix(self, build: Build, step: Step, script: Script) -> Fix | None:
        shell = distribution_shell(build, step)
        if (
            shell is None
            or step.before.shell_set
            or script.exec_form
            or step.instruction is not written_as(build, step)
        ):
            return None
        if isinstance(step.instruction, Run) and step.instruction.script_heredoc is not None:
            return None
        start = line_start(build, step)
        for comment in step.instruction.comments:
            start = min(start, comment.span.start)
        text = f'SHELL ["{shell}", "-o", "pipefail", "-c"]\n'
        return self.unsafe("Set a shell with pipefail", Edit(Span(start, start), text))


def written_as(build: Build, step: Step) -> object:
    """Give the instruction at a step's place as it stands in the file: the ONBUILD, not what it triggers."""
    return build.tree.instructions[step.index]


def _hiding_pipes(items: tuple[ListItem, ...], *, last: bool) -> Iterator[Pipeline]:
    """Give the pipes whose status counts and whose first commands may fail unseen."""
    for place, item in enumerate(items):
        following = items[place + 1] if place + 1 < len(items) else None
        node = item.node
        counts = following.operator == "&&" if following is not None else last
        if isinstance(node, Pipeline):
            commands = [element for element in node.elements if isinstance(element, Command)]
            strict = any("errexit" in command.options for command in commands)
            failing = following is not None and following.operator == "||"
            if (counts or (strict and not failing)) and not node.negated and _may_fail(node):
                yield node
            continue
        if isinstance(node, Command):
            continue
        inner = [body for role, body in node.sections if role not in ("condition", "elif", "pattern")]
        for body in inner or [node.body]:
            yield from _hiding_pipes(body, last=counts or last)


def _may_fail(pipe: Pipeline) -> bool:
    for element in pipe.elements[:-1]:
        if not isinstance(element, Command):
            return False  # groups and loops: too much to say anything certain
        if "pipefail" in element.options or element.name in ("yes",):
            return False
    first = [element for element in pipe.elements[:-1] if isinstance(element, Command) and element.words]
    return any(element.name not in NEVER_FAILS for element in first)


DEAD_BUILTINS = frozenset(("cd", "pushd", "export", "alias", "ulimit", "umask", "unset", "set", "shopt", "declare"))
PROFILES = re.compile(
    r"(?:^|/)(?:\.(?:bashrc|bash_profile|profile|zshrc|bash_aliases)|profile|activate|nvm\.sh|rvm|sdkman-init\.sh"
    r"|bash\.bashrc|\.?cargo/env|environment|setup\.bash)$"
)
QUIET_AFTER_START = frozenset(("sleep", "echo", "true", ":", "service", "wait"))


class DeadEffectInRun(Rule):
    """A RUN ends with something that is gone after it.

    Each RUN has a shell of its own: a directory, a variable, an alias, what a profile sets and every process that was
    started end with it. Use WORKDIR and ENV, and start services when the container starts.
    """

    code = "S102"
    name = "dead-effect-in-run"
    examples = (
        Bad("FROM debian:12\nRUN cd /app\n", at="cd /app"),
        Bad("FROM debian:12\nRUN mkdir -p /app && cd /app\n", at="cd /app"),
        Bad("FROM debian:12\nRUN export PATH=$PATH:/opt/bin\n", at="export PATH=$PATH:/opt/bin"),
        Bad("FROM debian:12\nRUN make && . ~/.bashrc\n", at=". ~/.bashrc"),
        Bad("FROM debian:12\nRUN service nginx start\n", at="service nginx start"),
        Bad("FROM debian:12\nRUN /etc/init.d/postgresql start && sleep 5\n", at="/etc/init.d/postgresql start"),
        Bad("FROM debian:12\nRUN mongod --fork=false &\n", at="mongod --fork=false"),
        Good("FROM debian:12\nRUN cd /app && make\n"),
        Good("FROM debian:12\nRUN cd /tmp/x && make && cd /\n", why="a habit that harms nobody"),
        Good("FROM debian:12\nRUN export A=b && make\n"),
        Good("FROM debian:12\nRUN . ./install.sh\n", why="the script may do anything"),
        Good("FROM debian:12\nRUN service postgresql start && psql -c 'create database a'\n", why="it is used"),
        Good("FROM debian:12\nRUN ./server & sleep 5 && ./load-data\n", why="it is used"),
        Good("FROM debian:12\nRUN echo 'export A=b' >> ~/.bashrc\n"),
        Good('FROM debian:12\nRUN [ -n "$A" ] || export A=b; make\n'),
    )

    def check(self, build: Build) -> Iterator[Finding]:
        """Report the last command of each RUN that only changes the shell, starts a service or a job."""
        for step, script in shell_runs(build):
            found = self._dead(step, script)
            if found is not None:
                yield self.finding(found[0].span, found[1])

    def _dead(self, step: Step, script: Script) -> tuple[Command, str] | None:
        if script.problems or not script.items:
            return None
        nodes = [item.node for item in script.items]
        last = nodes[-1]
        if not isinstance(last, Command) or last.conditional:
            return None
        if last.background:
            return last, "the job ends with this RUN: start it when the container starts"
        service = self._service(nodes)
        if service is not None:
            return service, "the service ends with this RUN: start it when the container starts"
        return self._shell_state(step, last)

    @staticmethod
    def _service(nodes: list[Node]) -> Command | None:
        for node in reversed(nodes):
            if not isinstance(node, Command) or node.conditional or not node.words:
                return None
            values = node.values
            path = node.words[0].value or ""
            if (node.name == "service" and values[1:2] in (["start"], ["restart"])) or (
                path.startswith("/etc/init.d/") and values[:1] in (["start"], ["restart"])
            ):
                return node
            if node.name not in QUIET_AFTER_START:
                return None
        return None

    @staticmethod
    def _shell_state(step: Step, last: Command) -> tuple[Command, str] | None:
        name = last.name
        if last.redirects or last.wrappers:
            return None
        if name in ("cd", "pushd"):
            target = last.values[0] if last.values else ""
            back = target in ("", "-", "/", "~", "$OLDPWD", "..") or target.startswith("../")
            if back or target.rstrip("/") == step.before.workdir.rstrip("/"):
                return None
            return last, "the next instruction starts in the old directory again: use WORKDIR"
        if name in ("export", "declare") and last.arguments and not last.has("-p", "-f", "-F"):
            return last, "the variable is gone after this RUN: use ENV"
        if name in (".", "source") and last.values[:1] and PROFILES.search(last.values[0]):
            return last, "what the file sets is gone after this RUN: source it where it is used, or use ENV"
        if name in ("alias", "ulimit", "umask", "shopt") and last.arguments:
            return last, f"{name} has no effect after this RUN"
        return None


class CdInsteadOfWorkdir(Rule):
    """A RUN begins with a change of directory.

    WORKDIR says the same, for all that follows, and makes the directory where it is missing.

    Fix safety: unsafe; it makes one more layer, and a missing directory is made instead of failing.
    """

    code = "S103"
    name = "cd-instead-of-workdir"
    aliases = ("DL3003", "DS-0013")
    severity = Severity.INFO
    default = False
    examples = (
        Bad(
            "FROM debian:12\nRUN cd /src && make\n",
            at="cd /src",
            fixed="FROM debian:12\nWORKDIR /src\nRUN make\nWORKDIR /\n",
            unsafe=True,
        ),
        Bad("FROM debian:12\nRUN cd /src; make\n", at="cd /src"),
        Good("FROM debian:12\nWORKDIR /src\nRUN make\n"),
        Good("FROM debian:12\nRUN make && cd /src && make\n", why="it stands in the middle"),
        Good("FROM debian:12\nRUN (cd /src && make)\n"),
        Good("FROM debian:12\nRUN cd /tmp/build && make && cd /usr/src && make\n", why="it goes on to another place"),
        Good('FROM debian:12\nRUN cd "$(mktemp -d)" && make\n', why="only known when it runs"),
    )

    def check(self, build: Build) -> Iterator[Finding]:
        """Report a first command that goes to a known directory, where no other change follows."""
        for step, script in shell_runs(build):
            if len(script.items) < 2 or script.problems or step.instruction.heredocs:
                continue
            first = script.items[0].node
            if not isinstance(first, Command) or first.name != "cd" or first.redirects or not first.arguments:
                continue
            if sum(command.name in ("cd", "pushd", "popd") for command in script.commands) > 1:
                continue
            target = next((command.directory for command in script.commands[1:2]), None)
            if target is None or len(first.arguments) != 1 or first.arguments[0].glob:
                continue
            yield self.finding(first.span, f"use WORKDIR {target} instead", fix=self._fix(build, step, script, target))

    def _fix(self, build: Build, step: Step, script: Script, target: str) -> Fix | None:
        instruction, source = step.instruction, build.tree.source
        plain = not script.exec_form and instruction is written_as(build, step) and not instruction.flags
        if not plain or script.items[1].operator != "&&" or " " in target or instruction.inner_comments:
            return None
        start = instruction.span.start
        body = instruction.body.to_file(0)
        head = Edit(Span(start, start), f"WORKDIR {target}\n")
        cut = Edit(Span(body, script.items[1].span.start), "")
        end = start + len(source.text[start : instruction.span.end].rstrip())
        tail = Edit(Span(end, end), f"\nWORKDIR {step.before.workdir}")
        return self.unsafe("Use WORKDIR", head, cut, tail)


class KeywordInsideRun(Rule):
    """A Dockerfile keyword stands inside the shell code of a RUN.

    A line before it ends in a continuation, or a command was moved and its keyword with it: the shell takes the keyword
    for a program, or a program takes the whole instruction for its arguments.
    """

    code = "S111"
    name = "keyword-inside-run"
    severity = Severity.ERROR
    examples = (
        Bad("FROM debian:12\nRUN make && \\\nCOPY a b\n", at="COPY"),
        Bad("FROM debian:12\nRUN pip install flask \\\nENV A=b\n", at="ENV"),
        Bad("FROM debian:12\nRUN make && WORKDIR /app\n", at="WORKDIR"),
        Good("FROM debian:12\nRUN make && \\\n  copy a b && ./RUN\n"),
        Good("FROM debian:12\nRUN echo RUN && echo 'FROM x\\nRUN y' > Dockerfile\n"),
        Good("FROM debian:12\nRUN make\nCOPY a b\n"),
    )

    def check(self, build: Build) -> Iterator[Finding]:
        """Report programs called like a keyword, and keywords that begin a continued line."""
        keywords = frozenset(Dockerfile.KEYWORDS)
        text = build.tree.source.text
        for step, script in shell_runs(build):
            if isinstance(step.instruction, Run) and step.instruction.script_heredoc is not None:
                continue
            for command in script.commands:
                word = self._keyword(command, keywords, text)
                if word is not None:
                    yield self.finding(
                        word.span, f"{word.raw} stands inside a RUN: end the command above it, or drop the keyword"
                    )
                    break

    @staticmethod
    def _keyword(command: Command, keywords: frozenset[str], text: str) -> ShellWord | None:
        words = command.words
        if words and words[0].raw in keywords and len(words) > 1:
            return words[0]
        for word in words[1:-1]:
            if word.raw in keywords and (word.span.start == 0 or text[word.span.start - 1] == "\n"):
                return word
        return None


class ShellSyntaxError(Rule):
    """The shell code of a RUN is not understood by the shell.

    The shell stops there and the build fails, or worse, does something else.
    """

    code = "S113"
    name = "shell-syntax-error"
    severity = Severity.ERROR
    examples = (
        Bad("FROM debian:12\nRUN if true; then ls\n", at="if"),
        Good("FROM debian:12\nRUN if true; then ls; fi\n"),
        Good("FROM debian:12\nSHELL [\"pwsh\", \"-Command\"]\nRUN if ($a) { ls }\n", why="another language"),
        Good("FROM debian:12\nRUN <<EOF python3\nif a:\n  print(\"\nEOF\n"),
        Good("FROM mcr.microsoft.com/windows/nanoserver:ltsc2022\nRUN if exist a (del a)\n", why="another language"),
        Good("FROM debian:12\nRUN {{ install(\"a\") }}\n", why="a template of a Dockerfile"),
    )  # fmt: skip

    def check(self, build: Build) -> Iterator[Finding]:
        """Report the first error of each RUN, CMD and ENTRYPOINT."""
        for step in build.steps:
            script = step.script if isinstance(step.instruction, Run | Cmd | Entrypoint) else None
            if script is None or not script.problems or script.dialect not in POSIX:
                continue
            template = "{{" in script.text or "{{" in (build.graph.chain(step.stage)[0].from_.image.text)
            if not template and not is_windows(build.graph, step.stage):
                problem = script.problems[0]
                yield self.finding(problem.span, problem.message.rstrip("."))


class ShellRunInScratch(Rule):
    """A RUN needs a shell where none is.

    An image without a shell, such as scratch or a distroless one, cannot run a shell form.
    """

    code = "S114"
    name = "shell-run-in-scratch"
    aliases = ("tally/shell-run-in-scratch",)
    severity = Severity.ERROR
    examples = (
        Bad("FROM scratch\nCOPY app /app\nRUN chmod +x /app\n", at="RUN chmod +x /app"),
        Good("FROM scratch\nADD rootfs.tar.xz /\nRUN ls\n", why="the archive brings a shell"),
        Good("FROM debian:12 AS build\nFROM scratch\nCOPY --from=build / /\nRUN ls\n", why="copied"),
        Good('FROM scratch\nCOPY app /app\nRUN ["/app", "init"]\n'),
        Good("FROM scratch\nCOPY busybox /bin/sh\nRUN ls\n"),
        Good('FROM scratch\nCOPY busybox /busybox\nSHELL ["/busybox", "sh", "-c"]\nRUN ls\n'),
    )

    def check(self, build: Build) -> Iterator[Finding]:
        """Report the first shell form above which nothing can have brought a shell."""
        for stage in build.graph.stages:
            lowest = build.graph.chain(stage.index)[0]
            bare = lowest.image == "scratch" or (lowest.facts is not None and not lowest.facts.has_shell)
            if not bare:
                continue
            for step in stage.steps:
                if not isinstance(step.instruction, Run) or step.instruction.is_exec:
                    continue
                if step.before.shell_set or self._brought(build, step):
                    break
                what = "scratch" if lowest.image == "scratch" else lowest.image or "the base image"
                yield self.finding(step, f"there is no shell in {what}: use the JSON form, or do this in another stage")
                break

    @staticmethod
    def _brought(build: Build, step: Step) -> bool:
        for one in earlier(build.graph, step):
            if isinstance(one.instruction, Run):
                return True
            if isinstance(one.instruction, FileInstruction) and one.arguments:
                if one.keyword == "ADD" or one.destination.rstrip("/.") in ("", "/bin", "/usr", "/usr/bin"):
                    return True
                if arrives_at(one, "/bin/sh") or one.destination == "/bin/sh":
                    return True
        return any(mount.target == "/bin" or mount.target == "/" for mount in step.run_mounts)


class RunEndsWithOrTrue(Rule):
    """A RUN ends with a command that cannot fail, so none of it can.

    Whatever goes wrong goes into the layer, and into the cache.
    """

    code = "S115"
    name = "run-ends-with-or-true"
    severity = Severity.INFO
    default = False
    examples = (
        Bad("FROM debian:12\nRUN make && make install || true\n", at="|| true"),
        Bad("FROM debian:12\nRUN make; exit 0\n", at="; exit 0"),
        Good("FROM debian:12\nRUN make && (rm -r tests || true)\n"),
        Good("FROM debian:12\nRUN rm -r tests || true\n", why="one command that may fail"),
        Good("FROM debian:12\nRUN make\n"),
    )

    def check(self, build: Build) -> Iterator[Finding]:
        """Report the end of lists of at least two other commands."""
        for _, script in shell_runs(build):
            if len(script.items) < 2 or script.problems:
                continue
            item = script.items[-1]
            node = item.node
            if not isinstance(node, Command) or item.operator_span is None:
                continue
            calm = (node.name in ("true", ":") and item.operator in ("||", ";")) or (
                node.name == "exit" and node.values == ["0"] and item.operator in ("||", ";")
            )
            alone = len(script.items) == 2 and item.operator == "||"
            if calm and not alone:
                yield self.finding(
                    Span(item.operator_span.start, item.span.end),
                    "nothing above can fail this RUN: say of each command whether it may fail",
                )


class PreferRunHeredoc(Rule):
    """A RUN joins many commands with ``&&``.

    A here-document holds them one below the other, without continuations, and with room for comments.
    """

    code = "S117"
    name = "prefer-run-heredoc"
    aliases = ("tally/prefer-run-heredoc",)
    severity = Severity.STYLE
    default = False
    strict = False
    options = (Option("min-commands", int, 3, "how many commands a RUN joins before it is reported"),)
    examples = (
        Bad("FROM debian:12\nRUN a && b && c\n", at="RUN a && b && c"),
        Good("FROM debian:12\nRUN a && b\n"),
        Good("FROM debian:12\nRUN a && b && c\n", options={"min-commands": 4}),
        Good("FROM debian:12\nRUN <<EOF\nset -e\na\nb\nc\nEOF\n"),
    )

    def check(self, build: Build) -> Iterator[Finding]:
        """Report long lists of commands."""
        least = build.options.get("min-commands", 3)
        for step, script in shell_runs(build):
            if step.instruction.heredocs or script.exec_form or script.problems or not script.is_and_list:
                continue
            if len(script.items) >= least:
                yield self.finding(step, f"{len(script.items)} commands are joined: a here-document reads better")


class RunInHeredocWithoutSetE(Rule):
    """A here-document holds several commands, and goes on where one fails.

    Unlike a list with ``&&`` only the last command's status counts.

    Fix safety: unsafe; a command that failed unseen stops the build from then on.
    """

    code = "S118"
    name = "run-in-heredoc-without-set-e"
    default = False
    examples = (
        Bad(
            "FROM debian:12\nRUN <<EOF\nmake\nmake install\nEOF\n",
            at="make",
            fixed="FROM debian:12\nRUN <<EOF\nset -e\nmake\nmake install\nEOF\n",
            unsafe=True,
        ),
        Good("FROM debian:12\nRUN <<EOF\nset -e\nmake\nmake install\nEOF\n"),
        Good("FROM debian:12\nRUN <<EOF\nmake && make install\nEOF\n"),
        Good('FROM debian:12\nSHELL ["/bin/bash", "-ec"]\nRUN <<EOF\nmake\nmake install\nEOF\n'),
        Good("FROM debian:12\nRUN <<EOF\n#!/bin/bash -e\nmake\nmake install\nEOF\n"),
        Good("FROM debian:12\nRUN <<EOF\nmake || exit 1\nmake install\nEOF\n", why="it says what happens"),
        Good("FROM python:3.13\nRUN <<EOF python3\nprint(1)\nprint(2)\nEOF\n"),
    )

    def check(self, build: Build) -> Iterator[Finding]:
        """Report the first command whose failure is not looked at."""
        for step, script in shell_runs(build):
            instruction = step.instruction
            if not isinstance(instruction, Run) or instruction.script_heredoc is None or script.problems:
                continue
            found = self._unseen(script)
            if found is None:
                continue
            start = script.items[0].span.start
            shebang = instruction.script_heredoc.content.startswith("#!")
            fix = None if shebang else self.unsafe("Stop at the first failure", Edit(Span(start, start), "set -e\n"))
            yield self.finding(found.span, "the RUN goes on where this fails: begin with set -e", fix=fix)

    @staticmethod
    def _unseen(script: Script) -> Command | None:
        for place, item in enumerate(script.items[:-1]):
            node = item.node
            following = script.items[place + 1]
            if not isinstance(node, Command) or following.operator not in ("\n", ";") or item.operator == "||":
                continue
            if "errexit" in node.options or not node.words or node.name in ("set", "cd", "export", "echo", "exit"):
                if node.name == "set":
                    continue
                if "errexit" in node.options:
                    return None
                continue
            return node
        return None
