"""Paths: which folders every image has, what a base may hold, what COPY and ADD name."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable

from msgspec import Struct

from dfopt.graph.model import InstructionGraph, Stage
from dfopt.images.names import canonical
from dfopt.syntax.tree import Copy, FileInstruction

FOLDERS = frozenset(
    """
    /bin /boot /dev /etc /home /lib /media /mnt /opt /proc /root /run /sbin /srv /sys /tmp /usr /usr/bin
    /usr/include /usr/lib /usr/local /usr/local/bin /usr/local/lib /usr/local/share /usr/sbin /usr/share /usr/src
    /var /var/cache /var/lib /var/log /var/tmp
    """.split()  # noqa: SIM905 - a table of names is easier to read as text
)
"""Folders that every base image of a distribution has."""
_OWN = (
    "/opt",
    "/srv",
    "/home",
    "/root",
    "/tmp",
    "/mnt",
    "/media",
    "/var/tmp",
    "/usr/src",
    "/usr/local/src",
)
_SYSTEM = ("/bin", "/boot", "/dev", "/etc", "/lib", "/proc", "/run", "/sbin", "/sys", "/usr", "/var")


_PLAIN = frozenset(
    """
    debian ubuntu alpine fedora centos rockylinux almalinux amazonlinux oraclelinux opensuse/leap busybox buildpack-deps
    python node golang ruby php rust perl gcc openjdk eclipse-temurin amazoncorretto erlang elixir haskell swift pypy
    nginx httpd redis postgres mysql mariadb memcached haproxy
    """.split()  # noqa: SIM905 - a table of names is easier to read as text
)
"""Images that leave the administrator's folders empty."""
_HOME = re.compile(r"/home/[^/]+")


class Sources(Struct, frozen=True):
    """The context's pieces: names that some instruction of either build takes on their own."""

    single: frozenset[str]


def single_sources(graphs: Iterable[InstructionGraph]) -> Sources:
    """Collect the context paths that COPY, ADD and mounts name, so that both builds cut the context alike."""
    names: set[str] = set()
    for graph in graphs:
        for step in graph.steps:
            instruction = step.instruction
            if isinstance(instruction, FileInstruction) and not (isinstance(instruction, Copy) and instruction.from_):
                names.update(clean(source) for source in step.sources)
            for mount in step.run_mounts:
                if mount.type == "bind" and not mount.from_:
                    names.add(clean(mount.source))
    names.discard("")
    return Sources(frozenset(names))


def clean(path: str) -> str:
    """Give a context path without leading slash and dots; the root is empty."""
    return posixpath.normpath("/" + path).strip("/")


def is_absent_in_base(path: str, stage: Stage, graph: InstructionGraph) -> bool:
    """Tell whether a path may be taken to be missing in the image a stage starts from.

    System folders may hold anything. Folders that are left to the administrator are empty in distributions and in
    language and server images, apart from their working directory, homes and start scripts; of other images nothing is
    known.
    """
    first = graph.chain(stage.index)[0]
    plain = path.rstrip("/")
    if first.image == "scratch":
        return True
    if plain in FOLDERS or plain in ("", "/"):
        return False
    name = canonical(first.image or "")
    if first.facts is None or name is None or name.image not in _PLAIN:
        return plain.startswith(("/tmp/", "/mnt/"))
    workdir = first.facts.workdir.rstrip("/")
    if workdir and (plain == workdir or plain.startswith(workdir + "/") or workdir.startswith(plain + "/")):
        return False
    if plain.startswith("/docker-entrypoint") or _HOME.fullmatch(plain):
        return False
    if any(plain.startswith(folder + "/") for folder in _OWN):
        return True
    return not any(plain == folder or plain.startswith(folder + "/") for folder in _SYSTEM)


def file_name(url: str) -> str:
    """Give the file name that ADD gives a download."""
    path = re.sub(r"[?#].*", "", url.split("://", 1)[-1])
    name = path.rsplit("/", 1)[-1] if "/" in path else ""
    return name or "__unnamed__"


def is_remote(source: str) -> bool:
    """Tell whether ADD fetches a source: a URL or a git repository."""
    return source.startswith(("http://", "https://", "git://", "ssh://")) or is_git(source)


def is_git(source: str) -> bool:
    """Tell whether ADD takes a source for a git repository."""
    plain = re.sub(r"[?#].*", "", source)
    return source.startswith(("git://", "ssh://")) or (
        (plain.startswith(("http://", "https://")) and plain.endswith(".git"))
        or re.match(r"[\w.-]+@[\w.-]+:", source) is not None
    )
