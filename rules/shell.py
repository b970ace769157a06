"""Rules about shell code: what fails unseen, what is lost after the RUN, and which form a command has."""

from __future__ import annotations

import re
from collections.abc import Iterator

from dfopt.edit import Edit
from dfopt.finding import Finding, Fix, Severity
from dfopt.graph.model import Stage, Step
from dfopt.graph.queries import arrives_at, calls_of, earlier, is_windows, run_steps
from dfopt.lint.rule import Bad, Build, Good, Option, Rule
from dfopt.lint.wording import insert_after
from dfopt.shell.model import POSIX, Command, ListItem, Node, Pipeline, Script, ShellWord
from dfopt.source import Span
from dfopt.syntax.tree import Cmd, CommandInstruction, Dockerfile, Entrypoint, FileInstruction, Healthcheck, Run
from dfopt.tools import Invocation

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
        if shell is None or step.before.shell_set or script.exec_form or step.instruction is not _own(build, step):
            return None
        if isinstance(step.instruction, Run) and step.instruction.script_heredoc is not None:
            return None
        start = line_start(build, step)
        for comment in step.instruction.comments:
            start = min(start, comment.span.start)
        text = f'SHELL ["{shell}", "-o", "pipefail", "-c"]\n'
        return self.unsafe("Set a shell with pipefail", Edit(Span(start, start), text))


def _own(build: Build, step: Step) -> object:
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
        plain = not script.exec_form and instruction is _own(build, step) and not instruction.flags
        if not plain or script.items[1].operator != "&&" or " " in target or instruction.inner_comments:
            return None
        start = instruction.span.start
        body = instruction.body.to_file(0)
        head = Edit(Span(start, start), f"WORKDIR {target}\n")
        cut = Edit(Span(body, script.items[1].span.start), "")
        end = start + len(source.text[start : instruction.span.end].rstrip())
        tail = Edit(Span(end, end), f"\nWORKDIR {step.before.workdir}")
        return self.unsafe("Use WORKDIR", head, cut, tail)


class Sudo(Rule):
    """sudo is called by root.

    It changes nothing, needs a package, and its own rules about environment and terminals get in the way.

    Fix safety: safe; the command runs as the same user.
    """

    code = "S104"
    name = "sudo"
    aliases = ("DL3004", "DS-0010", "CKV2_DOCKER_1")
    examples = (
        Bad(
            "FROM debian:12\nRUN sudo apt-get update && rm -rf /var/lib/apt/lists/*\n",
            at="sudo",
            fixed="FROM debian:12\nRUN apt-get update && rm -rf /var/lib/apt/lists/*\n",
        ),
        Bad("FROM debian:12\nUSER root\nRUN ls | sudo -E tee /a\n", at="sudo"),
        Good("FROM debian:12\nRUN apt-get install -y --no-install-recommends sudo\n", why="for later use"),
        Good("FROM debian:12\nUSER app\nRUN sudo apt-get update\n", why="that user may need it"),
        Good("FROM debian:12\nRUN sudo -u postgres psql -c 'select 1'\n", why="it becomes another user"),
        Good("FROM example.com/base:1\nRUN sudo apt-get update\n", why="the user of that image is not known"),
        Good("FROM debian:12\nRUN echo sudo >> /a\n"),
    )

    def check(self, build: Build) -> Iterator[Finding]:
        """Report the word in RUNs of root, unless it has options that matter."""
        text = build.tree.source.text
        for step, script in shell_runs(build):
            user = (step.before.user or "").partition(":")[0]
            if user not in ("root", "0") or not _user_is_known(build, step):
                continue
            for command in script.commands:
                if "sudo" not in command.wrappers or not command.words:
                    continue
                start, end = command.span.start, command.words[0].span.start
                match = re.search(r"(?<![\w/-])sudo((?:\s+-[EHn]+)*)\s+", text[start:end])
                if match is None or text[start + match.end() : end].startswith("-"):
                    continue
                place = Span(start + match.start(), start + match.start() + len("sudo"))
                fix = None
                plain = command.wrappers == ("sudo",) and not match.group(1) and "\n" not in match.group()
                if plain and start + match.end() == end and not script.exec_form:
                    fix = self.safe("Drop sudo", Edit(Span(place.start, start + match.end()), ""))
                yield self.finding(place, "root needs no sudo: drop it", fix=fix)


def _user_is_known(build: Build, step: Step) -> bool:
    """Tell whether the user comes from a USER instruction or an image of which something is known."""
    chain = build.graph.chain(step.stage)
    return chain[0].facts is not None or any(one.keyword == "USER" for one in earlier(build.graph, step))


POINTLESS = frozenset(
    ("free", "kill", "mount", "ps", "service", "shutdown", "ssh", "top", "vim", "nano", "htop", "reboot", "halt",
     "poweroff")
)  # fmt: skip


class PointlessCommand(Rule):
    """A RUN calls a program that makes no sense while an image is built.

    It asks a person, looks at the machine that builds, or controls services that do not run.
    """

    code = "S105"
    name = "pointless-command"
    aliases = ("DL3001",)
    severity = Severity.INFO
    default = False
    examples = (
        Bad("FROM debian:12\nRUN top -b -n 1\n", at="top"),
        Bad("FROM debian:12\nRUN make && service nginx status\n", at="service"),
        Good("FROM debian:12\nRUN apt-get install -y vim\n"),
        Good("FROM debian:12\nRUN ./server & sleep 1; ./load; kill $!\n", why="it ends what it started"),
        Good("FROM debian:12\nRUN --security=insecure mount /dev/loop0 /mnt\n", why="it has the rights to"),
        Good("FROM debian:12\nRUN --mount=type=ssh ssh -T git@example.com\n", why="it has a key"),
    )

    def check(self, build: Build) -> Iterator[Finding]:
        """Report the program's name."""
        for step, script in shell_runs(build):
            names = {command.name for command in script.commands}
            if not names & POINTLESS:
                continue
            background = any(command.background for command in script.commands)
            insecure = step.instruction.flag_value("security") == "insecure"
            keys = any(mount.type in ("ssh", "secret") for mount in step.run_mounts)
            for command in script.commands:
                name = command.name
                if name not in POINTLESS or (background and name in ("kill", "ps")) or (insecure and name == "mount"):
                    continue
                if (name == "ssh" and (keys or command.has("-V"))) or command.words[0].raw != name:
                    continue
                yield self.finding(command.words[0].span, f"{name} makes no sense while an image is built")


class WgetProgress(Rule):
    """wget prints a progress bar into the build log.

    Without a terminal that is thousands of lines.

    Fix safety: safe; only what is printed changes.
    """

    code = "S106"
    name = "wget-progress"
    aliases = ("DL3047",)
    severity = Severity.INFO
    default = False
    examples = (
        Bad(
            "FROM debian:12\nRUN wget https://example.com/a\n",
            at="wget https://example.com/a",
            fixed="FROM debian:12\nRUN wget --progress=dot:giga https://example.com/a\n",
        ),
        Bad(
            "FROM alpine:3.22\nRUN wget https://example.com/a\n",
            at="wget https://example.com/a",
            fixed="FROM alpine:3.22\nRUN wget -q https://example.com/a\n",
        ),
        Good("FROM debian:12\nRUN wget -q https://example.com/a\n"),
        Good("FROM debian:12\nRUN wget -qO- https://example.com/a\n"),
        Good("FROM debian:12\nRUN wget --no-verbose https://example.com/a && wget -nv https://example.com/b\n"),
        Good("FROM debian:12\nRUN wget -o /tmp/log https://example.com/a\n"),
        Good("FROM debian:12\nRUN wget --progress=bar:force:noscroll https://example.com/a\n"),
        Good("FROM debian:12\nRUN wget --version\n"),
    )

    def check(self, build: Build) -> Iterator[Finding]:
        """Report calls that fetch and neither are quiet nor write a log."""
        for step, call in calls_of(build.graph, "wget"):
            if call.has("-q", "-nv", "-o", "-a", "--progress", "-V", "--help", "--spider", "-b"):
                continue
            way = "-q" if distribution_shell(build, step) == "/bin/ash" else "--progress=dot:giga"
            edit = insert_after(build, call.command.words[0], f" {way}")
            yield self.finding(
                call.command.span,
                f"wget fills the build log with its progress: add {way}",
                fix=self.safe(f"Add {way}", edit) if edit else None,
            )


class ReplaceBinSh(Rule):
    """/bin/sh is replaced by another shell.

    Scripts of the distribution rely on its own /bin/sh. The SHELL instruction chooses the shell for RUN, CMD and
    ENTRYPOINT, and nothing else.

    Fix safety: unsafe; programs that start /bin/sh on their own get the distribution's again.
    """

    code = "S107"
    name = "replace-bin-sh"
    aliases = ("DL4005",)
    examples = (
        Bad(
            "FROM ubuntu:24.04\nRUN rm /bin/sh && ln -s /bin/bash /bin/sh\nRUN make\n",
            at="ln -s /bin/bash /bin/sh",
            fixed='FROM ubuntu:24.04\nSHELL ["/bin/bash", "-c"]\nRUN make\n',
            unsafe=True,
        ),
        Bad("FROM ubuntu:24.04\nRUN make && ln -snf bash /bin/sh\n", at="ln -snf bash /bin/sh"),
        Good("FROM ubuntu:24.04\nRUN ln -s /bin/sh /usr/local/bin/sh\n", why="the other way round"),
        Good('FROM ubuntu:24.04\nSHELL ["/bin/bash", "-c"]\n'),
        Good("FROM ubuntu:24.04\nRUN ln -s /bin/busybox /rootfs/bin/sh\n"),
        Good('FROM scratch\nCOPY busybox /b\nRUN ["/b", "ln", "-s", "b", "/bin/sh"]\n', why="there is none yet"),
    )  # fmt: skip

    def check(self, build: Build) -> Iterator[Finding]:
        """Report links, moves and copies onto /bin/sh."""
        for step, call in calls_of(build.graph, "ln", "mv", "cp"):
            if call.command.name not in ("ln", "mv", "cp") or len(call.operands) < 2:
                continue
            if call.operands[-1].value not in ("/bin/sh", "/usr/bin/sh") and not self._inside_bin(call):
                continue
            if build.graph.chain(step.stage)[0].image == "scratch":
                continue
            yield self.finding(
                call.command.span, "scripts of the distribution rely on /bin/sh: choose another shell with SHELL",
                fix=self._fix(build, step, call),
            )  # fmt: skip

    @staticmethod
    def _inside_bin(call: Invocation) -> bool:
        return call.command.directory in ("/bin", "/usr/bin") and call.operands[-1].value == "sh"

    def _fix(self, build: Build, step: Step, call: Invocation) -> Fix | None:
        """Where the RUN does nothing else, a SHELL takes its place."""
        new = (call.operands[0].value or "").rsplit("/", 1)[-1]
        others = [command for command in step.commands if command is not call.command]
        plain = all(command.name in ("rm", "mv", "unlink") and "/bin/sh" in command.values for command in others)
        if new != "bash" or not plain or step.before.shell_set or step.instruction is not _own(build, step):
            return None
        end = step.instruction.span.start + len(build.tree.source.slice(step.instruction.span).rstrip())
        return self.unsafe("Use SHELL", Edit(Span(step.instruction.span.start, end), 'SHELL ["/bin/bash", "-c"]'))


class ShellFormCmd(Rule):
    """CMD or ENTRYPOINT is in shell form, so a shell is process 1.

    Most shells pass no signals on: the container does not stop when asked to, and is killed after ten seconds. The JSON
    form starts the program itself; where a shell is needed, begin with ``exec``.

    Fix safety: unsafe; there is no shell any more that could expand anything or wait for children.
    """

    code = "S108"
    name = "shell-form-cmd"
    aliases = ("JSONArgsRecommended", "DL3025")
    severity = Severity.INFO
    examples = (
        Bad(
            "FROM debian:12\nCMD python3 app.py --port '80 80'\n",
            at="CMD python3 app.py --port '80 80'",
            fixed='FROM debian:12\nCMD ["python3", "app.py", "--port", "80 80"]\n',
            unsafe=True,
        ),
        Bad("FROM debian:12\nENTRYPOINT java $OPTS -jar app.jar\n", at="ENTRYPOINT java $OPTS -jar app.jar"),
        Bad("FROM debian:12\nCMD cd /app && ./run\n", at="CMD cd /app && ./run"),
        Good('FROM debian:12\nCMD ["python3", "app.py"]\n'),
        Good("FROM debian:12\nCMD exec java $OPTS -jar app.jar\n", why="the shell hands over to the program"),
        Good("FROM debian:12\nENTRYPOINT cd /app && exec ./run\n", why="the shell hands over to the program"),
        Good('FROM debian:12\nSHELL ["/bin/bash", "-c"]\nCMD ./run\n', why="a shell was asked for"),
        Good("FROM debian:12\nHEALTHCHECK CMD curl -f http://localhost/\nCMD []\n"),
    )

    def check(self, build: Build) -> Iterator[Finding]:
        """Report the last CMD and ENTRYPOINT of each stage."""
        for stage in build.graph.stages:
            for kind in (Entrypoint, Cmd):
                step = next((one for one in reversed(stage.steps) if isinstance(one.instruction, kind)), None)
                if step is None or step.before.shell_set or is_windows(build.graph, stage.index):
                    continue
                instruction = step.instruction
                assert isinstance(instruction, CommandInstruction)
                script = step.script
                if instruction.is_exec or script is None or script.dialect not in POSIX or not script.items:
                    continue
                if _hands_over(script) or script.text.lstrip().startswith("["):
                    continue
                yield self.finding(
                    step,
                    f"a shell runs this {step.keyword}, and passes no signals on: write it as a JSON array, or begin "
                    "with exec",
                    fix=self._fix(build, step, script),
                )

    def _fix(self, build: Build, step: Step, script: Script) -> Fix | None:
        if len(script.items) != 1 or step.instruction.heredocs or step.instruction.inner_comments:
            return None
        node = script.items[0].node
        if not isinstance(node, Command) or node.redirects or node.assignments or node.wrappers or node.background:
            return None
        if any(word.value is None or word.glob or word.variables for word in node.words) or not node.words:
            return None
        if any(word.raw.startswith("~") or "{" in word.raw or "$" in word.raw for word in node.words):
            return None
        import json

        span = step.instruction.body.span(0, len(step.instruction.body.text))
        text = json.dumps([word.value for word in node.words], ensure_ascii=False)
        return self.unsafe("Write it as a JSON array", Edit(span, text))


def _hands_over(script: Script) -> bool:
    """Tell whether a script ends with exec, or with a program that is the shell's only child."""
    last = script.items[-1].node
    return isinstance(last, Command) and "exec" in last.wrappers


class MalformedExecForm(Rule):
    """Text stands behind a JSON array, so the whole is taken as shell code.

    The shell then looks for a program whose name begins with a bracket. A comment cannot stand on that line.

    Fix safety: unsafe; what could not run before does now.
    """

    code = "S109"
    name = "malformed-exec-form"
    aliases = ("S7030",)
    severity = Severity.ERROR
    examples = (
        Bad(
            'FROM debian:12\nCMD ["nginx", "-g", "daemon off;"] # in front\n',
            at="# in front",
            fixed='FROM debian:12\nCMD ["nginx", "-g", "daemon off;"]\n',
            unsafe=True,
        ),
        Bad('FROM debian:12\nENTRYPOINT ["run"];\n', at=";", fixed='FROM debian:12\nENTRYPOINT ["run"]\n', unsafe=True),
        Bad('FROM debian:12\nENTRYPOINT ["run"] --all\n', at="--all"),
        Good('FROM debian:12\nCMD ["nginx", "-g", "daemon off;"]\n'),
        Good("FROM debian:12\nRUN [ -f /a ] && rm /a\n", why="a test"),
        Good('FROM debian:12\nRUN ["$A" = b ] || true\n', why="no JSON"),
    )

    def check(self, build: Build) -> Iterator[Finding]:
        """Report what stands behind the array."""
        import json

        for step in build.steps:
            instruction = step.instruction
            if not isinstance(instruction, Cmd | Entrypoint | Run | Healthcheck) or instruction.is_exec:
                continue
            joined = instruction.command if isinstance(instruction, Healthcheck) else instruction.body
            if joined is None or not joined.text.startswith("["):
                continue
            try:
                value, end = json.JSONDecoder().raw_decode(joined.text)
            except ValueError:
                continue
            rest = joined.text[end:]
            if not isinstance(value, list) or not rest.strip() or not all(isinstance(one, str) for one in value):
                continue
            start = end + len(rest) - len(rest.lstrip())
            stop = start + len(rest.strip())
            fix = None
            if rest.strip().startswith("#") or not rest.strip(" ;,"):
                fix = self.unsafe("Remove what stands behind it", Edit(joined.span(end, stop), ""))
            yield self.finding(
                joined.span(start, stop), "text behind the JSON array makes all of it shell code: remove it", fix=fix
            )


OPERATORS = frozenset(("&&", "||", "|", ";", ">", ">>", "<", "2>&1", "&", "&>", "2>"))
EXPANDING = SHELLS | {
    "envsubst", "awk", "gawk", "sed", "perl", "grep", "php", "ruby", "node", "npm", "npx", "yarn", "pnpm", "expect",
    "su", "env", "eval", "execlineb", "jq", "find", "ssh", "confd", "forego", "supervisord", "goreman",
}  # fmt: skip
"""Programs that give such signs a meaning of their own, or hand them to a shell."""
_VARIABLE = re.compile(r"\$(?:[A-Z_][A-Z0-9_]*|\{[A-Z_][A-Z0-9_]*\})")


class ExecFormWithShellSyntax(Rule):
    """A JSON array holds something that only a shell understands.

    No shell reads it: the program gets ``$NAME`` and ``&&`` as they are.
    """

    code = "S110"
    name = "exec-form-with-shell-syntax"
    examples = (
        Bad('FROM debian:12\nCMD ["echo", "$HOME"]\n', at='"$HOME"'),
        Bad('FROM debian:12\nCMD ["./migrate", "&&", "./run"]\n', at='"&&"'),
        Bad('FROM debian:12\nENTRYPOINT ["java", "${JAVA_OPTS}", "-jar", "a.jar"]\n', at='"${JAVA_OPTS}"'),
        Good('FROM debian:12\nCMD ["sh", "-c", "echo $HOME && ls"]\n'),
        Good('FROM debian:12\nENTRYPOINT ["/sbin/tini", "--", "bash", "-c"]\nCMD ["echo $HOME"]\n'),
        Good('FROM debian:12\nENTRYPOINT ["./entrypoint.sh"]\nCMD ["run", "$HOME"]\n', why="the script may expand it"),
        Good('FROM debian:12\nCMD ["awk", "{ print $NF }", "a"]\n'),
        Good('FROM debian:12\nCMD ["nginx", "-g", "daemon off;"]\n'),
        Good('FROM debian:12\nCMD ["tool", "--price", "5$"]\n'),
    )

    def check(self, build: Build) -> Iterator[Finding]:
        """Report the first such element."""
        for step in build.steps:
            instruction = step.instruction
            if not isinstance(instruction, Cmd | Entrypoint | Run) or not instruction.exec_form or step.stage < 0:
                continue
            words = [word.text for word in instruction.exec_form]
            if any(word.rsplit("/", 1)[-1].lower().removesuffix(".exe") in EXPANDING for word in words):
                continue
            if isinstance(instruction, Cmd) and _has_entrypoint(build, step):
                continue
            for word in instruction.exec_form[1:]:
                if word.text in OPERATORS:
                    yield self.finding(
                        word.span, f"no shell reads this: {words[0]} gets {word.text} as an argument; use sh -c"
                    )
                    break
                if (match := _VARIABLE.search(word.text)) and not words[0].endswith((".sh", ".py")):
                    yield self.finding(
                        word.span,
                        f"no shell reads this: {words[0]} gets {match.group()} as it is; use sh -c, or the value",
                    )
                    break


def _has_entrypoint(build: Build, step: Step) -> bool:
    """Tell whether CMD may only be the arguments of an ENTRYPOINT, one of the base image included."""
    chain = build.graph.chain(step.stage)
    if any(isinstance(one.instruction, Entrypoint) for stage in chain for one in stage.steps):
        return True
    facts = chain[0].facts
    return chain[0].image != "scratch" and (facts is None or bool(facts.entrypoint))


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


class CurlWithoutFail(Rule):
    """curl stores or passes on whatever the server says, an error page too.

    Without ``--fail`` a 404 is a success: the page lands in the image in place of the file.

    Fix safety: unsafe; a build that relied on the answer to an error stops.
    """

    code = "S112"
    name = "curl-without-fail"
    severity = Severity.INFO
    default = False
    examples = (
        Bad(
            "FROM debian:12\nRUN curl -sSL -o /a https://example.com/a\n",
            at="curl -sSL -o /a https://example.com/a",
            fixed="FROM debian:12\nRUN curl -f -sSL -o /a https://example.com/a\n",
            unsafe=True,
        ),
        Good("FROM debian:12\nRUN curl -fsSL -o /a https://example.com/a\n"),
        Good("FROM debian:12\nRUN curl --fail-with-body -o /a https://example.com/a\n"),
        Good("FROM debian:12\nRUN curl -sI https://example.com/a && curl -w '%{http_code}' https://example.com/a\n"),
        Good("FROM debian:12\nRUN curl --version\n"),
    )

    def check(self, build: Build) -> Iterator[Finding]:
        """Report calls that fetch something."""
        for _, call in calls_of(build.graph, "curl"):
            if call.has("-f", "--fail-with-body", "-I", "-V", "-h", "-w", "-K") or call.command.name != "curl":
                continue
            edit = insert_after(build, call.command.words[0], " -f")
            yield self.finding(
                call.command.span, "an error page counts as the file: add --fail",
                fix=self.unsafe("Add -f", edit) if edit else None,
            )  # fmt: skip


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


class EntrypointShellSwallowsCmd(Rule):
    """ENTRYPOINT is in shell form, so CMD does nothing.

    The shell gets the words of CMD as its own arguments and passes them on to nobody; arguments of ``docker run`` share
    that fate. The JSON form of ENTRYPOINT passes them on.
    """

    code = "S116"
    name = "entrypoint-shell-swallows-cmd"
    examples = (
        Bad('FROM debian:12\nENTRYPOINT ./run\nCMD ["--help"]\n', at='CMD ["--help"]'),
        Bad('FROM debian:12 AS a\nENTRYPOINT ./run\nFROM a\nCMD ["--help"]\n', at='CMD ["--help"]'),
        Good('FROM debian:12\nENTRYPOINT ["./run"]\nCMD ["--help"]\n'),
        Good('FROM debian:12\nENTRYPOINT exec ./run "$0" "$@"\nCMD ["--help"]\n', why="the shell passes them on"),
        Good("FROM debian:12\nENTRYPOINT ./run\n"),
        Good('FROM debian:12\nENTRYPOINT ./a\nCMD ["b"]\nENTRYPOINT ["./c"]\n', why="the last one counts"),
    )

    def check(self, build: Build) -> Iterator[Finding]:
        """Report the CMD that is in force beside such an ENTRYPOINT."""
        for stage in build.graph.stages:
            cmd = next((one for one in reversed(stage.steps) if isinstance(one.instruction, Cmd)), None)
            entry = self._entrypoint(build, stage)
            if cmd is None or entry is None:
                continue
            instruction = entry.instruction
            assert isinstance(instruction, Entrypoint)
            if instruction.is_exec or re.search(r"\$[0-9@*#{]", instruction.body.text):
                continue
            yield self.finding(
                cmd, "the ENTRYPOINT in shell form passes this on to nobody: write it as a JSON array",
                related=[(entry, "this is run by a shell")],
            )  # fmt: skip

    @staticmethod
    def _entrypoint(build: Build, stage: Stage) -> Step | None:
        steps = [step for one in build.graph.chain(stage.index) for step in one.steps]
        return next((step for step in reversed(steps) if isinstance(step.instruction, Entrypoint)), None)


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
