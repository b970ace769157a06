"""Rules about how the container is run: ports, signals, volumes, and words that a path or user swallows."""

from __future__ import annotations

import re
from collections.abc import Iterator

from dfopt.edit import Edit
from dfopt.finding import Finding, Fix, Severity
from dfopt.graph.model import Stage, Step
from dfopt.lint.rule import Bad, Build, Good, Rule
from dfopt.source import Span
from dfopt.syntax.edits import insert_before
from dfopt.syntax.tree import (
    Cmd,
    Entrypoint,
    Expose,
    FileInstruction,
    Run,
    Stopsignal,
    User,
    Volume,
    Word,
    Workdir,
)


def exposed(build: Build) -> Iterator[Word]:
    """Give the words of all EXPOSE instructions."""
    for step in build.steps:
        if isinstance(step.instruction, Expose):
            yield from step.instruction.words


class ExposeHostPort(Rule):
    """EXPOSE names a port or an address of the host.

    EXPOSE only tells which ports of the container are served; the host's part is dropped. Ports are published with
    ``docker run -p``.

    Fix safety: safe; the image has the same ports.
    """

    code = "D114"
    name = "expose-host-port"
    aliases = ("ExposeInvalidFormat",)
    examples = (
        Bad("FROM debian:12\nEXPOSE 8080:80\n", at="8080:80", fixed="FROM debian:12\nEXPOSE 80\n"),
        Bad(
            "FROM debian:12\nEXPOSE 127.0.0.1:53:53/udp 80\n",
            at="127.0.0.1:53:53/udp",
            fixed="FROM debian:12\nEXPOSE 53/udp 80\n",
        ),
        Good("FROM debian:12\nEXPOSE 80 443/tcp 8000-8010\n"),
        Good("FROM debian:12\nEXPOSE ${PORT:-80}\n", why="a default, no address"),
    )

    def check(self, build: Build) -> Iterator[Finding]:
        """Report words with a colon outside of variables."""
        for word in exposed(build):
            bare = re.sub(r"\$\{[^}]*\}", "X", word.text)
            if ":" not in bare:
                continue
            port = word.text.rpartition(":")[2]
            fix = None
            if "$" not in word.text and re.fullmatch(r"\d+(?:-\d+)?(?:/\w+)?", port):
                fix = self.safe(f"Write {port}", Edit(word.span, port))
            yield self.finding(
                word.span, f"EXPOSE drops the host's part of {word.text}: write the container's port alone", fix=fix
            )


class ExposeProtocolCasing(Rule):
    """The protocol behind a port is not in lower case.

    Fix safety: safe; the image has the same ports.
    """

    code = "D115"
    name = "expose-protocol-casing"
    aliases = ("ExposeProtoCasing",)
    severity = Severity.STYLE
    examples = (
        Bad("FROM debian:12\nEXPOSE 80/TCP\n", at="TCP", fixed="FROM debian:12\nEXPOSE 80/tcp\n"),
        Good("FROM debian:12\nEXPOSE 80/tcp 53/udp\n"),
        Good("FROM debian:12\nEXPOSE 80/$PROTOCOL\n"),
    )

    def check(self, build: Build) -> Iterator[Finding]:
        """Report protocols with capitals."""
        for word in exposed(build):
            _, slash, protocol = word.text.rpartition("/")
            if not slash or protocol == protocol.lower() or "$" in word.text:
                continue
            if build.tree.source.slice(word.span) != word.text:
                continue
            span = Span(word.span.end - len(protocol), word.span.end)
            yield self.finding(
                span,
                f"protocols are written in lower case: {protocol.lower()}",
                fix=self.safe(f"Write {protocol.lower()}", Edit(span, protocol.lower())),
            )


_SIGNALS = {
    1: "SIGHUP", 2: "SIGINT", 3: "SIGQUIT", 4: "SIGILL", 5: "SIGTRAP", 6: "SIGABRT", 7: "SIGBUS", 8: "SIGFPE",
    9: "SIGKILL", 10: "SIGUSR1", 11: "SIGSEGV", 12: "SIGUSR2", 13: "SIGPIPE", 14: "SIGALRM", 15: "SIGTERM",
    17: "SIGCHLD", 18: "SIGCONT", 19: "SIGSTOP", 20: "SIGTSTP", 28: "SIGWINCH", 34: "SIGRTMIN", 37: "SIGRTMIN+3",
    64: "SIGRTMAX",
}  # fmt: skip


def canonical_signal(text: str) -> str | None:
    """Give a signal's name with SIG and in capitals; None for an unknown number."""
    word = text.strip("\"'")
    if word.isdigit():
        return _SIGNALS.get(int(word))
    return "SIG" + word.upper().removeprefix("SIG")


class UngracefulStopSignal(Rule):
    """STOPSIGNAL is a signal that no program can handle.

    The container is killed at once, without a chance to finish requests or write its data.

    Fix safety: unsafe; the program is asked to end instead of being killed.
    """

    code = "D129"
    name = "ungraceful-stop-signal"
    aliases = ("tally/no-ungraceful-stopsignal",)
    examples = (
        Bad(
            "FROM debian:12\nSTOPSIGNAL SIGKILL\n",
            at="SIGKILL",
            fixed="FROM debian:12\nSTOPSIGNAL SIGTERM\n",
            unsafe=True,
        ),
        Bad("FROM debian:12\nSTOPSIGNAL 9\n", at="9", fixed="FROM debian:12\nSTOPSIGNAL SIGTERM\n", unsafe=True),
        Good("FROM debian:12\nSTOPSIGNAL SIGQUIT\n"),
        Good("FROM debian:12\nSTOPSIGNAL $SIGNAL\n"),
    )

    def check(self, build: Build) -> Iterator[Finding]:
        """Report KILL and STOP in any spelling."""
        for step in build.steps:
            if isinstance(step.instruction, Stopsignal):
                word = step.instruction.text
                if canonical_signal(word.text) in ("SIGKILL", "SIGSTOP"):
                    yield self.finding(
                        word.span,
                        f"{word.text} ends the program at once, without a chance to clean up: use SIGTERM",
                        fix=self.unsafe("Use SIGTERM", Edit(word.span, "SIGTERM")),
                    )


class CanonicalStopSignal(Rule):
    """STOPSIGNAL is not written by its whole name.

    Numbers differ between machines, and few know them by heart.

    Fix safety: unsafe; the image records the name instead of what was written, which means the same on Linux.
    """

    code = "D130"
    name = "canonical-stop-signal"
    aliases = ("tally/prefer-canonical-stopsignal",)
    severity = Severity.STYLE
    default = False
    examples = (
        Bad("FROM debian:12\nSTOPSIGNAL 15\n", at="15", fixed="FROM debian:12\nSTOPSIGNAL SIGTERM\n", unsafe=True),
        Bad("FROM debian:12\nSTOPSIGNAL quit\n", at="quit", fixed="FROM debian:12\nSTOPSIGNAL SIGQUIT\n", unsafe=True),
        Good("FROM debian:12\nSTOPSIGNAL SIGTERM\n"),
        Good("FROM debian:12\nSTOPSIGNAL SIGRTMIN+3\n"),
        Good("FROM debian:12\nSTOPSIGNAL $SIGNAL\n"),
    )

    def check(self, build: Build) -> Iterator[Finding]:
        """Report numbers, short names and lower case."""
        for step in build.steps:
            if not isinstance(step.instruction, Stopsignal) or step.problems:
                continue
            word = step.instruction.text
            name = canonical_signal(word.text)
            if name is not None and name != word.text and "$" not in word.text:
                yield self.finding(word.span, f"write {name}", fix=self.unsafe(f"Write {name}", Edit(word.span, name)))


# Programs that end gracefully with another signal than TERM, and the images that say so already.
GRACEFUL = {
    "nginx": ("SIGQUIT", "nginx", "finish the requests that are open"),
    "openresty": ("SIGQUIT", "openresty", "finish the requests that are open"),
    "php-fpm": ("SIGQUIT", "php", "finish the requests that are open"),
    "apache2-foreground": ("SIGWINCH", "php", "finish the requests that are open"),
    "httpd": ("SIGWINCH", "httpd", "finish the requests that are open"),
    "systemd": ("SIGRTMIN+3", "", "shut the system down"),
    "init": ("SIGRTMIN+3", "", "shut the system down"),
}  # fmt: skip


class GracefulSignal(Rule):
    """The program that runs ends gracefully with another signal than the one that it is sent.

    TERM makes nginx and PHP-FPM drop the requests that are open, and systemd ignores it until it is killed.

    Fix safety: unsafe; the container is stopped in another way.
    """

    code = "D131"
    name = "graceful-stop-signal"
    aliases = ("tally/prefer-nginx-sigquit", "tally/prefer-systemd-sigrtmin-plus-3")
    severity = Severity.INFO
    default = False
    examples = (
        Bad(
            'FROM debian:12\nCMD ["nginx", "-g", "daemon off;"]\n',
            at='CMD ["nginx", "-g", "daemon off;"]',
            fixed='FROM debian:12\nSTOPSIGNAL SIGQUIT\nCMD ["nginx", "-g", "daemon off;"]\n',
            unsafe=True,
        ),
        Bad(
            'FROM debian:12\nENTRYPOINT ["/usr/lib/systemd/systemd"]\n',
            at='ENTRYPOINT ["/usr/lib/systemd/systemd"]',
            fixed='FROM debian:12\nSTOPSIGNAL SIGRTMIN+3\nENTRYPOINT ["/usr/lib/systemd/systemd"]\n',
            unsafe=True,
        ),
        Good('FROM debian:12\nSTOPSIGNAL SIGQUIT\nCMD ["nginx", "-g", "daemon off;"]\n'),
        Good('FROM nginx:1.29\nCMD ["nginx", "-g", "daemon off;"]\n', why="the image sets it"),
        Good('FROM debian:12\nCMD ["python3", "app.py"]\n'),
        Good("FROM debian:12\nCMD nginx -g 'daemon off;'\n", why="the signal goes to the shell"),
        Good('FROM debian:12 AS test\nCMD ["nginx"]\nFROM debian:12\nCMD ["app"]\n'),
    )

    def check(self, build: Build) -> Iterator[Finding]:
        """Report the instruction that starts such a program in the target, where no STOPSIGNAL stands."""
        if build.graph.target is None:
            return
        chain = build.graph.chain(build.graph.target)
        steps = [step for stage in chain for step in stage.all_steps]
        if any(isinstance(step.instruction, Stopsignal) for step in steps):
            return
        started = _first_process(steps)
        if started is None:
            return
        step, program = started
        if program not in GRACEFUL or (program == "init" and "/sbin/init" not in build.tree.source.slice(step.span)):
            return
        signal, image, what = GRACEFUL[program]
        if image and _is_from(chain, image):
            return
        fix = None
        if step.trigger is None and not step.instruction.comments:
            fix = self.unsafe(
                f"Add STOPSIGNAL {signal}", insert_before(build.tree.source, step.instruction, f"STOPSIGNAL {signal}")
            )
        yield self.finding(step, f"{program} needs {signal} to {what}: add STOPSIGNAL {signal}", fix=fix)


def _first_process(steps: list[Step]) -> tuple[Step, str] | None:
    """Give the step that names the container's first process, and the program; None where a shell starts it."""
    entry = next((step for step in reversed(steps) if isinstance(step.instruction, Entrypoint)), None)
    command = next((step for step in reversed(steps) if isinstance(step.instruction, Cmd)), None)
    step = entry or command
    if step is None or not isinstance(step.instruction, Cmd | Entrypoint) or not step.instruction.exec_form:
        return None
    words = [word.text.rpartition("/")[2] for word in step.instruction.exec_form]
    return step, words[0]


def _is_from(chain: tuple[Stage, ...], image: str) -> bool:
    reference = chain[0].image or ""
    return re.search(rf"(?:^|/){re.escape(image)}(?:-[\w-]+)?(?:[:@]|$)", reference) is not None


class VolumeThenWrite(Rule):
    """Something is written below a path after VOLUME declared it.

    Classic builders and some others (the old Docker builder, Kaniko, Podman) drop what is written then; BuildKit keeps
    it. Put VOLUME below the instructions that fill it, or leave it out.
    """

    code = "D136"
    name = "volume-then-write"
    severity = Severity.INFO
    default = False
    examples = (
        Bad("FROM debian:12\nVOLUME /data\nRUN echo a > /data/a\n", at="RUN echo a > /data/a"),
        Bad('FROM debian:12\nVOLUME ["/data"]\nCOPY a /data/\n', at="COPY a /data/"),
        Good("FROM debian:12\nRUN echo a > /data/a\nVOLUME /data\n"),
        Good("FROM debian:12\nVOLUME /data\nRUN echo a > /database\n"),
        Good("FROM debian:12\nVOLUME /data\nRUN ./setup.sh\n", why="nobody knows what the script writes"),
    )

    def check(self, build: Build) -> Iterator[Finding]:
        """Report steps that certainly write there."""
        for stage in build.graph.stages:
            volumes: list[tuple[Step, str]] = []
            for step in stage.steps:
                if isinstance(step.instruction, Volume):
                    volumes += [(step, path.rstrip("/")) for path in step.arguments if path.startswith("/")]
                    continue
                for volume, path in volumes:
                    if self._writes(step, path):
                        yield self.finding(
                            step,
                            f"some builders drop what is written to {path} below its VOLUME: put VOLUME last",
                            related=[(volume, "declared here")],
                        )
                        break

    @staticmethod
    def _writes(step: Step, path: str) -> bool:
        instruction = step.instruction
        if isinstance(instruction, FileInstruction):
            return bool(step.arguments) and (step.destination.rstrip("/.") + "/").startswith(path + "/")
        if not isinstance(instruction, Run) or step.is_mounted(path):
            return False
        return any(one.startswith(path + "/") and "*" not in one for one in step.effects.writes)


class SwallowedWords(Rule):
    """A path or a name goes on to the end of the line, blanks and comments included.

    ``WORKDIR /app # the app`` makes a folder of that whole name; comments need a line of their own.

    Fix safety: unsafe; the comment is no longer part of the value.
    """

    code = "D138"
    name = "swallowed-words"
    severity = Severity.ERROR
    examples = (
        Bad(
            "FROM debian:12\nWORKDIR /app # the app\n",
            at="/app # the app",
            fixed="FROM debian:12\nWORKDIR /app\n",
            unsafe=True,
        ),
        Bad("FROM debian:12\nUSER app app\n", at="app app"),
        Bad(
            "FROM debian:12\nUSER app # not root\n",
            at="app # not root",
            fixed="FROM debian:12\nUSER app\n",
            unsafe=True,
        ),
        Good("FROM debian:12\nWORKDIR /app\n"),
        Good('FROM debian:12\nWORKDIR "/my app"\n', why="quoted, so it is meant"),
        Good("FROM debian:12\nWORKDIR /my\\ app\n", why="escaped, so it is meant"),
        Good("FROM debian:12\nUSER ${APP:-nobody else}\n"),
    )

    def check(self, build: Build) -> Iterator[Finding]:
        """Report USER, WORKDIR and STOPSIGNAL with a blank outside of quotes and braces."""
        for step in build.steps:
            instruction = step.instruction
            if not isinstance(instruction, User | Workdir | Stopsignal):
                continue
            word = instruction.text
            text = re.sub(r"\$\{[^}]*\}|\"[^\"]*\"|'[^']*'|\\.|`.", lambda found: "x" * len(found[0]), word.text)
            if not re.search(r"\S\s+\S", text):
                continue
            if isinstance(instruction, Workdir) and "#" not in text and re.match(r"[A-Za-z]:|[\"']", word.text):
                continue
            fix: Fix | None = None
            comment = re.search(r"\s+#.*", text)
            whole = build.tree.source.slice(word.span) == word.text
            if comment is not None and whole:
                span = Span(word.span.start + comment.start(), word.span.end)
                fix = self.unsafe("Remove the comment", Edit(span, ""))
            what = "a comment needs a line of its own" if comment else "quote it if that is meant"
            yield self.finding(word.span, f"all of this is the value of {step.keyword}: {what}", fix=fix)
