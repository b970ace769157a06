"""Rules about what the container may do: its user, modes of files, ports, volumes and settings for debugging."""

from __future__ import annotations

import re
from collections.abc import Iterator

from dfopt.edit import Edit
from dfopt.finding import Finding, Fix, Severity
from dfopt.graph.model import InstructionGraph, Stage, Step
from dfopt.graph.queries import place_of
from dfopt.lint.rule import Bad, Build, Good, Rule
from dfopt.shell.model import ShellWord
from dfopt.source import Span
from dfopt.syntax.tree import Cmd, Copy, Entrypoint, Env, Expose, FileInstruction, Run, User, Volume, Workdir
from dfopt.tools import Invocation, package_names

ROOT = ("root", "0")
DROPPERS = ("gosu", "su-exec", "setpriv", "runuser", "setuidgid", "s6-setuidgid", "chpst", "s6-overlay", "dropbear")
"""Programs that an entry point started as root uses to become somebody else."""
_NOT_ROOT = r"(?:^|[/:_-])(?:nonroot|non-root|rootless|unprivileged)(?:$|[:_-])|^cgr\.dev/|^bitnami/"


def target_chain(graph: InstructionGraph) -> tuple[Stage, ...]:
    """Give the stages whose layers ship, lowest first."""
    return () if graph.target is None else graph.chain(graph.target)


def user_name(user: str) -> str:
    """Give the user of ``user:group``, quotes removed."""
    return user.strip("\"'").partition(":")[0]


def drops_privileges(chain: tuple[Stage, ...]) -> bool:
    """Tell whether the container seems to change its user itself when it starts.

    That is so where a program made for it is installed, copied, downloaded or started, and where the entry point is
    that of an official image, which does so.
    """
    replaced = False
    for stage in chain:
        for step in stage.all_steps:
            instruction = step.instruction
            if isinstance(instruction, Entrypoint):
                replaced = True
            if isinstance(instruction, Cmd | Entrypoint | Run):
                for command in step.commands:
                    if command.name in DROPPERS or set(command.wrappers) & {"su", "sudo", *DROPPERS}:
                        return True
                    if any(name in word.raw for word in command.arguments for name in DROPPERS[:2]):
                        return True
                for call in step.invocations:
                    if call.action == "install" and {package.name for package in package_names(call)} & set(DROPPERS):
                        return True
            if isinstance(instruction, FileInstruction) and any(
                name in source for source in (*step.sources, instruction.destination.text) for name in DROPPERS[:2]
            ):
                return True
    facts = chain[0].facts if chain else None
    return bool(facts is not None and facts.entrypoint and "docker-entrypoint" in facts.entrypoint[0] and not replaced)


def users_set(chain: tuple[Stage, ...]) -> list[Step]:
    """Give the USER steps of a chain of stages, lowest first."""
    return [step for stage in chain for step in stage.all_steps if isinstance(step.instruction, User)]


class NoUser(Rule):
    """The container runs as root, because nothing says otherwise.

    Whoever breaks out of the application is root in the container, and only the container's walls are left. Create a
    user, and name it with USER where nothing needs root any more.

    Silent where the base image is not known, sets a user of its own, or has an entry point that changes the user.
    """

    code = "X101"
    name = "no-user"
    aliases = ("CKV_DOCKER_3", "DS-0002", "CIS-DI-0001", "S6471")
    default = False
    examples = (
        Bad('FROM python:3.13\nCOPY app.py /app.py\nCMD ["python", "/app.py"]\n', at="FROM python:3.13"),
        Bad('FROM scratch\nCOPY app /app\nENTRYPOINT ["/app"]\n', at="FROM scratch"),
        Good('FROM python:3.13\nRUN useradd app\nUSER app\nCMD ["python"]\n'),
        Good('FROM python:3.13 AS base\nRUN useradd app\nUSER app\nFROM base\nCMD ["python"]\n', why="inherited"),
        Good('FROM gcr.io/distroless/static:nonroot\nCOPY app /app\nCMD ["/app"]\n'),
        Good('FROM nginxinc/nginx-unprivileged:1.29\nCMD ["nginx"]\n'),
        Good('FROM example.com/base:1\nCMD ["app"]\n', why="nobody knows the user of the base image"),
        Good('FROM debian:12\nRUN apt-get install -y gosu\nENTRYPOINT ["/start.sh"]\n', why="the entry point does it"),
        Good("FROM postgres:17\nCOPY init.sql /docker-entrypoint-initdb.d/\n", why="the image changes the user itself"),
        Good("FROM debian:12\nRUN make\n", why="nothing is started: an image to build on"),
    )

    def check(self, build: Build) -> Iterator[Finding]:
        """Report the target's FROM where its chain ends as root without having said so."""
        chain = target_chain(build.graph)
        if not chain or users_set(chain) or chain[0].image is None:
            return
        known = chain[0].image == "scratch" or chain[0].facts is not None
        facts = chain[0].facts
        if not known or (facts is not None and user_name(facts.user) not in ("", *ROOT)):
            return
        starts = any(isinstance(step.instruction, Cmd | Entrypoint) for stage in chain for step in stage.all_steps)
        if not starts or re.search(_NOT_ROOT, chain[0].image) or drops_privileges(chain):
            return
        yield self.finding(
            chain[-1].from_, "the container runs as root: create a user and name it with USER, below what needs root"
        )


class LastUserRoot(Rule):
    """The last USER of the image that ships is root.

    Something needed root for a while, and the way back was forgotten; the container then runs as root.
    """

    code = "X102"
    name = "last-user-root"
    aliases = ("DL3002", "CKV_DOCKER_8", "DS-0002")
    examples = (
        Bad('FROM debian:12\nUSER app\nRUN make\nUSER root\nCMD ["app"]\n', at="USER root"),
        Bad('FROM debian:12\nUSER 0:0\nCMD ["app"]\n', at="USER 0:0"),
        Good('FROM debian:12\nUSER root\nRUN make\nUSER app\nCMD ["app"]\n'),
        Good(
            'FROM debian:12 AS build\nUSER root\nRUN make\nFROM debian:12\nUSER app\nCMD ["app"]\n',
            why="the stage does not ship",
        ),
        Good("FROM debian:12 AS base\nUSER root\nFROM base\nUSER app\n"),
        Good('FROM debian:12\nUSER root\nENTRYPOINT ["gosu", "app", "run"]\n', why="the entry point changes the user"),
        Good("FROM debian:12\nARG WHO=root\nUSER $WHO\n", why="a build argument decides", build_args={"WHO": "app"}),
    )

    def check(self, build: Build) -> Iterator[Finding]:
        """Report the last USER of the target's chain."""
        chain = target_chain(build.graph)
        steps = users_set(chain)
        if not steps or not steps[-1].arguments or steps[-1].unknown:
            return
        if user_name(steps[-1].arguments[0]) in ROOT and not drops_privileges(chain):
            yield self.finding(steps[-1], "the container runs as root: end with a USER that is not")


class UserNeverUsed(Rule):
    """A user is created, and nothing ever runs as it or belongs to it.

    The container runs as root although a user was made for it: USER is missing.
    """

    code = "X134"
    name = "user-never-used"
    aliases = ("tally/user-created-but-never-used",)
    default = False
    examples = (
        Bad('FROM debian:12\nRUN useradd -r app\nCMD ["server"]\n', at="useradd -r app"),
        Good('FROM debian:12\nRUN useradd -r app\nUSER app\nCMD ["app"]\n'),
        Good('FROM debian:12\nRUN useradd -r app && chown -R app /srv\nCMD ["app"]\n', why="files belong to it"),
        Good('FROM debian:12\nRUN useradd -r app\nCMD ["su-exec", "app", "run"]\n'),
        Good("FROM debian:12\nRUN useradd -r app\n", why="an image to build on"),
    )

    def check(self, build: Build) -> Iterator[Finding]:
        """Report the command that creates the user."""
        chain = target_chain(build.graph)
        steps = [step for stage in chain for step in stage.all_steps]
        if not steps or users_set(chain) or not any(isinstance(step.instruction, Cmd | Entrypoint) for step in steps):
            return
        made = [
            (step, call, call.operands[0].value)
            for step in steps
            for call in step.invocations
            if call.tool.names[0] in ("useradd", "adduser") and call.operands and call.operands[0].value
        ]
        if not made or drops_privileges(chain):
            return
        for _step, call, name in made:
            if len(call.operands) == 1 and not any(self._names(step, str(name), call) for step in steps):
                yield self.finding(
                    call.command.span,
                    f"nothing runs as {name} or belongs to it: add USER {name}, or leave it out",
                )

    @staticmethod
    def _names(step: Step, name: str, made: Invocation) -> bool:
        wanted = re.compile(rf"(?<![\w-]){re.escape(name)}(?![\w-])")
        if isinstance(step.instruction, FileInstruction) and wanted.search(step.chown):
            return True
        return any(
            wanted.search(word.raw)
            for command in step.commands
            if command is not made.command
            for word in command.words
        )


class UserNameNotNumeric(Rule):
    """USER names the user instead of giving its number.

    Kubernetes' ``runAsNonRoot`` can only be checked with a number. Off unless selected.
    """

    code = "X135"
    name = "user-name-not-numeric"
    aliases = ("DL3066",)
    severity = Severity.INFO
    default = False
    strict = False
    examples = (
        Bad("FROM debian:12\nUSER app\n", at="USER app"),
        Good("FROM debian:12\nUSER 1000:1000\n"),
        Good("FROM debian:12\nUSER 1000:app\n"),
        Good("FROM debian:12\nUSER root\n", why="everybody knows its number"),
        Good("FROM debian:12\nUSER $APP\n"),
    )

    def check(self, build: Build) -> Iterator[Finding]:
        """Report names in the stages that ship."""
        for stage in target_chain(build.graph):
            for step in stage.steps:
                if isinstance(step.instruction, User) and "$" not in step.instruction.text.text:
                    name = user_name(step.instruction.text.text)
                    if name and not name.isdigit() and name != "root":
                        yield self.finding(step, f"give the number of {name}, which tells that it is not root")


class UsernameGroupDrop(Rule):
    """USER names a group, and so drops the other groups that the user was given.

    With ``USER name`` the container has all groups of the user; with ``USER name:group`` only that one.

    Fix safety: unsafe; the container then has the groups it was denied.
    """

    code = "X136"
    name = "user-group-drops-groups"
    aliases = ("tally/user-explicit-group-drops-supplementary-groups",)
    default = False
    examples = (
        Bad(
            "FROM debian:12\nRUN useradd app && usermod -aG docker app\nUSER app:app\n",
            at="USER app:app",
            fixed="FROM debian:12\nRUN useradd app && usermod -aG docker app\nUSER app\n",
            unsafe=True,
        ),
        Good("FROM debian:12\nRUN useradd app && usermod -aG docker app\nUSER app\n"),
        Good("FROM debian:12\nRUN useradd app\nUSER app:app\n", why="it has no other group"),
    )

    def check(self, build: Build) -> Iterator[Finding]:
        """Report USER with a group after the user was added to others."""
        for stage in build.graph.stages:
            grouped: set[str] = set()
            for step in stage.all_steps:
                for call in step.invocations:
                    grouped.update(_given_groups(call))
                instruction = step.instruction
                if not isinstance(instruction, User) or not grouped:
                    continue
                name, colon, group = instruction.text.text.partition(":")
                if colon and name in grouped and group:
                    start = instruction.text.span.start + len(name)
                    fix = None
                    if build.tree.source.slice(instruction.text.span) == instruction.text.text:
                        edit = Edit(Span(start, instruction.text.span.end), "")
                        fix = self.unsafe(f"Drop :{group}", edit)
                    yield self.finding(step, f"with :{group} the container has no other group of {name}", fix=fix)


def _given_groups(call: Invocation) -> list[str]:
    """Give the users that a call adds to further groups."""
    words = [word.value or "" for word in call.operands]
    if call.tool.names[0] in ("useradd", "usermod") and call.has("-G", "-aG") and words:
        return words[-1:]
    if call.command.name in ("adduser", "addgroup") and len(words) == 2 and not call.has("--ingroup"):
        return words[:1]
    return []


_OCTAL = r"[0-7]{3,4}"


def _opens_to_all(mode: str) -> bool:
    """Tell whether a mode lets everybody write, without the sticky bit that keeps them from each other's files."""
    if re.fullmatch(_OCTAL, mode):
        return bool(int(mode[-1]) & 2) and not (len(mode) == 4 and int(mode[0]) & 1)
    return any(re.fullmatch(r"[ug]*[oa][ugoa]*[+=][rxXst]*w\S*", part) for part in mode.split(","))


def _closed(mode: str) -> str | None:
    """Give an octal mode with the bit for everybody's writing taken away."""
    return mode[:-1] + str(int(mode[-1]) & ~2) if re.fullmatch(_OCTAL, mode) else None


class WorldWritable(Rule):
    """Files are made writable for everybody.

    Any process that gets a foot in can then change the program or its data. Give them to the user that needs them.

    Fix safety: unsafe; whoever writes there without being owner or in the group no longer can.
    """

    code = "X124"
    name = "world-writable"
    aliases = ("S2612", "tally/world-writable-state-path-workaround")
    default = False
    examples = (
        Bad(
            "FROM debian:12\nRUN mkdir /srv/data && chmod -R 777 /srv/data\n",
            at="777",
            fixed="FROM debian:12\nRUN mkdir /srv/data && chmod -R 775 /srv/data\n",
            unsafe=True,
        ),
        Bad(
            "FROM debian:12\nCOPY --chmod=0666 a /a\n",
            at="--chmod=0666",
            fixed="FROM debian:12\nCOPY --chmod=0664 a /a\n",
            unsafe=True,
        ),
        Bad("FROM debian:12\nRUN chmod a+rwx /srv\n", at="a+rwx"),
        Good("FROM debian:12\nRUN chmod 755 /srv && chmod +x /run.sh && chmod g+w /srv\n"),
        Good("FROM debian:12\nRUN chmod 1777 /srv/tmp\n", why="the sticky bit protects the files"),
        Good("FROM debian:12\nRUN chmod 777 /tmp\n", why="is so everywhere"),
    )

    def check(self, build: Build) -> Iterator[Finding]:
        """Report modes of chmod, mkdir, install, COPY and ADD in stages that ship."""
        for stage in target_chain(build.graph):
            for step in stage.steps:
                instruction = step.instruction
                if isinstance(instruction, FileInstruction):
                    flag = instruction.flag("chmod")
                    if flag is not None and flag.value and _opens_to_all(flag.value):
                        yield self._told(build, flag.span, flag.value_span, flag.value)
                elif isinstance(instruction, Run):
                    for call in step.invocations:
                        word = _mode_word(call)
                        if word is None or word.value is None or not _opens_to_all(word.value):
                            continue
                        paths = [place_of(step, call).path(one) for one in call.operands if one is not word]
                        if paths and all(path.rstrip("/") in ("/tmp", "/var/tmp", "/dev/shm") for path in paths):
                            continue
                        yield self._told(build, word.span, word.span, word.value)

    def _told(self, build: Build, span: Span, place: Span | None, mode: str) -> Finding:
        fix: Fix | None = None
        better = _closed(mode)
        if better and place is not None and build.tree.source.slice(place) == mode:
            fix = self.unsafe(f"Use {better}", Edit(place, better))
        return self.finding(span, f"mode {mode} lets everybody write: give the files to who needs them", fix=fix)


def _mode_word(call: Invocation) -> ShellWord | None:
    """Give the word that names a mode in a call of chmod, mkdir or install."""
    if call.family == "chmod" or call.tool.names[0] == "chmod":
        return call.operands[0] if call.operands else None
    if call.command.name in ("mkdir", "install"):
        words = call.command.words
        for at, word in enumerate(words[:-1]):
            if word.value in ("-m", "--mode"):
                return words[at + 1]
    return None


class Setuid(Rule):
    """A program is made to run with its owner's rights, whoever starts it.

    A flaw in it gives those rights away; with root as owner that undoes every USER.
    """

    code = "X126"
    name = "setuid"
    aliases = ("CIS-DI-0008",)
    default = False
    examples = (
        Bad("FROM debian:12\nRUN chmod u+s /usr/bin/tool\n", at="chmod u+s /usr/bin/tool"),
        Bad("FROM debian:12\nRUN chmod 4755 /usr/bin/tool\n", at="chmod 4755 /usr/bin/tool"),
        Good("FROM debian:12\nRUN chmod 2775 /srv/shared\n", why="a folder that hands its group on"),
        Good("FROM debian:12\nRUN chmod u-s /usr/bin/tool && chmod 755 /usr/bin/other\n"),
    )

    def check(self, build: Build) -> Iterator[Finding]:
        """Report chmod with the bit for the owner's rights in stages that ship."""
        for stage in target_chain(build.graph):
            for step in stage.steps:
                for call in step.invocations if isinstance(step.instruction, Run) else ():
                    word = _mode_word(call)
                    mode = word.value if word is not None else None
                    if mode and (
                        re.fullmatch(r"0?[4-7][0-7]{3}", mode) or re.search(r"(?:^|,)[ugoa]*u?[+=]\w*s", mode)
                    ):
                        if re.fullmatch(r"g[+=]\w*s", mode):
                            continue
                        yield self.finding(
                            call.command.span, "whoever starts this has its owner's rights: use capabilities instead"
                        )


ADMIN_PORTS = {
    22: "SSH", 23: "telnet", 512: "rexec", 513: "rlogin", 514: "rsh", 2375: "the Docker daemon without TLS",
    3389: "remote desktops", 5800: "VNC", 5900: "VNC",
}  # fmt: skip


class AdminPort(Rule):
    """A port for administration is exposed.

    A container is entered through the engine (``docker exec``), not through a server of its own, which is one more
    thing to attack and to keep up to date.
    """

    code = "X127"
    name = "admin-port"
    aliases = ("CKV_DOCKER_1", "DS-0004", "S6473")
    severity = Severity.INFO
    default = False
    examples = (
        Bad("FROM debian:12\nEXPOSE 22\n", at="22"),
        Bad("FROM debian:12\nEXPOSE 80 23/tcp\n", at="23/tcp"),
        Good("FROM debian:12\nEXPOSE 2222 8022\n"),
        Good("FROM debian:12\nEXPOSE $PORT\n"),
        Good("FROM debian:12 AS test\nEXPOSE 22\nFROM debian:12\nEXPOSE 80\n", why="the stage does not ship"),
    )

    def check(self, build: Build) -> Iterator[Finding]:
        """Report such ports of the target's chain."""
        for stage in target_chain(build.graph):
            for step in stage.steps:
                instruction = step.instruction
                if not isinstance(instruction, Expose):
                    continue
                for word in instruction.words:
                    number, _, protocol = word.text.partition("/")
                    what = ADMIN_PORTS.get(int(number)) if number.isdigit() and len(number) < 6 else None
                    if what and protocol.lower() in ("", "tcp"):
                        yield self.finding(word.span, f"port {number} is for {what}: enter containers with docker exec")


class SshServer(Rule):
    """The container runs an SSH server.

    A container is entered through the engine (``docker exec``); a server inside needs keys, updates and supervision.
    """

    code = "X128"
    name = "ssh-server"
    severity = Severity.INFO
    default = False
    examples = (
        Bad('FROM debian:12\nCMD ["/usr/sbin/sshd", "-D"]\n', at='CMD ["/usr/sbin/sshd", "-D"]'),
        Bad("FROM debian:12\nRUN apt-get install -y openssh-server\n", at="openssh-server"),
        Good("FROM debian:12\nRUN apt-get install -y openssh-client\n"),
        Good("FROM debian:12\nRUN apt-get install -y --no-install-recommends ssh-import-id\n"),
    )

    def check(self, build: Build) -> Iterator[Finding]:
        """Report its installation and its start in stages that ship."""
        for stage in target_chain(build.graph):
            for step in stage.steps:
                instruction = step.instruction
                if isinstance(instruction, Cmd | Entrypoint):
                    if any(command.name == "sshd" for command in step.commands):
                        yield self.finding(step, "the container is an SSH server: enter it with docker exec")
                elif isinstance(instruction, Run):
                    for call in step.invocations:
                        for package in package_names(call) if call.action == "install" else ():
                            if package.name in ("openssh-server", "dropbear") and not package.excluded:
                                yield self.finding(
                                    package.word.span, "a container needs no SSH server: enter it with docker exec"
                                )


class OpenSandbox(Rule):
    """A RUN is let out of the sandbox of the build.

    With ``--network=host`` it reaches what listens on the builder's own interfaces, with ``--security=insecure`` it has
    all capabilities. Builders refuse both unless they are started with the entitlement.
    """

    code = "X129"
    name = "open-sandbox"
    aliases = ("S6431", "S6502")
    examples = (
        Bad("FROM debian:12\nRUN --network=host make\n", at="--network=host"),
        Bad("FROM debian:12\nRUN --security=insecure make\n", at="--security=insecure"),
        Good("FROM debian:12\nRUN --network=none make\n"),
        Good("FROM debian:12\nRUN --security=sandbox make\n"),
    )

    def check(self, build: Build) -> Iterator[Finding]:
        """Report the two flags."""
        for step in build.steps:
            for flag in step.instruction.flags if isinstance(step.instruction, Run) else ():
                if (flag.name, flag.value) in (("network", "host"), ("security", "insecure")):
                    yield self.finding(
                        flag.span, f"--{flag.name}={flag.value} lets this RUN out of the build's sandbox"
                    )


_HOST_PATHS = ("/proc", "/sys", "/dev", "/boot", "/etc", "/bin", "/sbin", "/lib", "/lib64", "/usr", "/usr/bin",
               "/usr/lib", "/")  # fmt: skip
_SOCKETS = ("docker.sock", "containerd.sock", "crio.sock", "podman.sock")


class SensitiveVolume(Rule):
    """VOLUME declares a place that belongs to the system, or the socket of the container engine.

    Whoever has the engine's socket has the machine. A volume over a system folder hides what the image has there, in
    every container its own copy.
    """

    code = "X130"
    name = "sensitive-volume"
    aliases = ("DKL-DI-0002",)
    examples = (
        Bad("FROM debian:12\nVOLUME /var/run/docker.sock\n", at="/var/run/docker.sock"),
        Bad('FROM debian:12\nVOLUME ["/data", "/etc"]\n', at='"/etc"'),
        Good('FROM debian:12\nVOLUME ["/data", "/etc/nginx/conf.d"]\n'),
        Good("FROM debian:12\nVOLUME /sys/fs/cgroup\n", why="systemd asks for it"),
        Good("FROM debian:12\nVOLUME /run /tmp\n", why="nothing of the image lies there"),
    )

    def check(self, build: Build) -> Iterator[Finding]:
        """Report such paths."""
        for step in build.steps:
            instruction = step.instruction
            if not isinstance(instruction, Volume):
                continue
            for word in instruction.words:
                path = word.text.strip("\"'").rstrip("/") or "/"
                if path.endswith(_SOCKETS):
                    yield self.finding(word.span, f"whoever has {path} has the machine: mount it where it is needed")
                elif path in _HOST_PATHS:
                    yield self.finding(word.span, f"a volume at {path} hides what is there: use a folder below")


_KERNEL_PATHS = ("/proc", "/sys", "/boot", "/initrd", "/lost+found", "/dev")


class WorkdirSystemFolder(Rule):
    """WORKDIR is a folder of the kernel.

    What is written there is not part of the image, and may not be possible at all.
    """

    code = "X131"
    name = "workdir-system-folder"
    aliases = ("DS-0030",)
    severity = Severity.ERROR
    examples = (
        Bad("FROM debian:12\nWORKDIR /proc/self\n", at="WORKDIR /proc/self"),
        Bad("FROM debian:12\nWORKDIR /boot\n", at="WORKDIR /boot"),
        Good("FROM debian:12\nWORKDIR /app\n"),
        Good("FROM debian:12\nWORKDIR /etc/nginx\n"),
        Good("FROM debian:12\nWORKDIR /development\n"),
        Good("FROM debian:12\nWORKDIR /dev/shm\n", why="shared memory"),
    )

    def check(self, build: Build) -> Iterator[Finding]:
        """Report WORKDIR at or below such folders."""
        for step in build.steps:
            if not isinstance(step.instruction, Workdir) or step.stage < 0 or step.unknown:
                continue
            path = step.after.workdir.rstrip("/")
            top = "/" + path.strip("/").partition("/")[0]
            if top in _KERNEL_PATHS and not path.startswith("/dev/shm"):
                yield self.finding(step, f"{top} belongs to the kernel: work in a folder of your own")


# A variable and the values that switch debugging on.
DEBUG_SETTINGS = {
    "FLASK_DEBUG": r"1|true|on", "FLASK_ENV": r"development", "DJANGO_DEBUG": r"1|true|on|yes",
    "DEBUG": r"1|true|on|yes|\*", "DEBUG_MODE": r"1|true|on",
    "NODE_ENV": r"dev|development", "RAILS_ENV": r"development|dev", "RACK_ENV": r"development|dev",
    "APP_ENV": r"dev|development|local", "APP_DEBUG": r"1|true|on", "SYMFONY_ENV": r"dev", "MIX_ENV": r"dev",
    "ASPNETCORE_ENVIRONMENT": r"development", "DOTNET_ENVIRONMENT": r"development", "YII_DEBUG": r"1|true",
    "PYTHONASYNCIODEBUG": r"1", "XDEBUG_MODE": r"\S*(?:debug|develop)\S*", "GIN_MODE": r"debug",
}  # fmt: skip
_FOR_DEVELOPERS = r"(?i)(?:^|[-_])(?:dev\w*|test\w*|debug|ci|local)(?:$|[-_])"


class DebugSettings(Rule):
    """The image that ships has a setting on that is for developers.

    Such settings show code and secrets to whoever makes an error happen, and are slow. Set them where you develop.
    """

    code = "X132"
    name = "debug-settings"
    aliases = ("S4507",)
    default = False
    examples = (
        Bad('FROM python:3.13\nENV FLASK_DEBUG=1\nCMD ["flask", "run"]\n', at="FLASK_DEBUG=1"),
        Bad('FROM node:22\nENV NODE_ENV=development PORT=80\nCMD ["node", "."]\n', at="NODE_ENV=development"),
        Good('FROM python:3.13\nENV FLASK_DEBUG=0\nCMD ["flask", "run"]\n'),
        Good('FROM node:22 AS dev\nENV NODE_ENV=development\nCMD ["node", "."]\n', why="the stage is for developers"),
        Good('FROM node:22\nENV NODE_ENV=development\nRUN npm ci\nENV NODE_ENV=production\nCMD ["node", "."]\n'),
    )

    def check(self, build: Build) -> Iterator[Finding]:
        """Report the pairs of ENV whose value still holds at the end of the target."""
        chain = target_chain(build.graph)
        if not chain or re.search(_FOR_DEVELOPERS, chain[-1].name or ""):
            return
        final = chain[-1].end
        for stage in chain:
            for step in stage.steps:
                for pair in step.instruction.pairs if isinstance(step.instruction, Env) else ():
                    wanted = DEBUG_SETTINGS.get(pair.key)
                    variable = final.variables.get(pair.key)
                    if wanted is None or variable is None or variable.step != step.index or variable.value is None:
                        continue
                    if re.fullmatch(wanted, variable.value, re.IGNORECASE):
                        yield self.finding(
                            pair.span, f"{pair.key}={variable.value} is for developers: leave it out here"
                        )


class CopyAfterUser(Rule):
    """Files are copied for a user who is not root, and belong to root all the same.

    COPY and ADD do not look at USER. The user can read the files, but not change them; where that is meant, it is the
    better way.

    Fix safety: unsafe; the files then belong to the user, who can change them.
    """

    code = "D140"
    name = "copy-after-user"
    aliases = ("tally/copy-after-user-without-chown",)
    severity = Severity.INFO
    default = False
    examples = (
        Bad(
            "FROM debian:12\nRUN useradd app\nUSER app\nCOPY data /home/app/data\n",
            at="COPY data /home/app/data",
            fixed="FROM debian:12\nRUN useradd app\nUSER app\nCOPY --chown=app data /home/app/data\n",
            unsafe=True,
        ),
        Good("FROM debian:12\nRUN useradd app\nUSER app\nCOPY --chown=app data /home/app/data\n"),
        Good("FROM debian:12\nCOPY data /srv/data\nUSER app\n"),
        Good("FROM debian:12\nUSER 0\nCOPY data /srv/data\n"),
        Good("FROM debian:12\nUSER app\nCOPY data /srv/data\nUSER root\nRUN chown -R app /srv\nUSER app\n"),
    )

    def check(self, build: Build) -> Iterator[Finding]:
        """Report copies without --chown below a USER that is not root."""
        for stage in build.graph.stages:
            for at, step in enumerate(stage.steps):
                instruction = step.instruction
                user = step.before.user
                if not isinstance(instruction, FileInstruction) or instruction.chown is not None or not step.arguments:
                    continue
                if user is None or user_name(user) in ("", *ROOT) or not users_set((stage,)):
                    continue
                place = step.destination.rstrip("/.") or "/"
                if any(self._owns(each, place) for each in stage.steps[at + 1 :]):
                    continue
                end = instruction.flags[-1].span.end if instruction.flags else instruction.keyword_span.end
                fix = None
                if " " not in user and "$" not in user:
                    fix = self.unsafe(f"Give them to {user}", Edit(Span(end, end), f" --chown={user}"))
                kind = "copied" if isinstance(instruction, Copy) else "added"
                yield self.finding(step, f"what is {kind} belongs to root, not to {user}: add --chown={user}", fix=fix)

    @staticmethod
    def _owns(step: Step, place: str) -> bool:
        """Tell whether a step changes the owner of a path or of a folder above it."""
        for call in step.invocations if isinstance(step.instruction, Run) else ():
            if call.action == "change-owner":
                paths = [place_of(step, call).path(word).rstrip("/") for word in call.operands[1:]]
                if any(place == path or place.startswith(path + "/") for path in paths):
                    return True
        return False
