"""Rules about programs that a RUN calls: sudo, wget, curl, and those that make no sense in a build."""

from __future__ import annotations

import re
from collections.abc import Iterator

from dfopt.edit import Edit
from dfopt.finding import Finding, Fix, Severity
from dfopt.graph.model import Step
from dfopt.graph.queries import calls_of, earlier
from dfopt.lint.rule import Bad, Build, Good, Rule
from dfopt.lint.wording import insert_after
from dfopt.source import Span
from dfopt.tools import Invocation

from .shell import distribution_shell, shell_runs, written_as


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
        if new != "bash" or not plain or step.before.shell_set or step.instruction is not written_as(build, step):
            return None
        end = step.instruction.span.start + len(build.tree.source.slice(step.instruction.span).rstrip())
        return self.unsafe("Use SHELL", Edit(Span(step.instruction.span.start, end), 'SHELL ["/bin/bash", "-c"]'))


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
