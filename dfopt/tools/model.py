"""What a command-line tool does, as data: how it is called, what it reads, writes, fetches and leaves behind."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from msgspec import Struct, field

from dfopt.shell.model import Command, ShellWord

Kind = Literal[
    "package-manager", "build", "fetch", "archive", "files", "owner", "user", "vcs", "text", "shell", "service", "other"
]
Action = Literal[
    "update", "install", "upgrade", "remove", "autoremove", "clean", "build", "fetch", "unpack", "pack", "delete",
    "make-directory", "copy", "move", "link", "change-owner", "change-mode", "touch", "add-user", "edit", "print",
    "test", "run", "configure", "clone", "query", "sync", "other",
]  # fmt: skip


class Option(Struct, frozen=True):
    """An option of a tool. ``names`` are its spellings, ``value`` tells whether it takes one."""

    names: tuple[str, ...]
    value: bool = False
    meaning: str = ""


class Cleaning(Struct, frozen=True):
    """How what a tool leaves behind is avoided or removed.

    ``paths`` are the caches it leaves (``~`` is the user's home), ``options`` avoid them, ``commands`` remove them, and
    ``environment`` names variables that switch them off.
    """

    paths: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    commands: tuple[str, ...] = ()
    environment: tuple[str, ...] = ()


class Subcommand(Struct, frozen=True):
    """One verb of a tool (or its only one, with ``names=()``): what it does and which files decide what it does.

    ``manifests`` are the files in the working directory that an install reads (lock files included, globs allowed);
    ``runs_project_code`` tells that the verb may run code of the project (npm's life cycle scripts, ``pip install .``,
    make); ``deterministic`` that the result only depends on what is read; ``network`` that it fetches;
    ``optional_manifests`` are read where they exist.
    """

    names: tuple[str, ...]
    action: Action
    manifests: tuple[str, ...] = ()
    optional_manifests: tuple[str, ...] = ()
    reads: tuple[str, ...] = ()
    writes: tuple[str, ...] = ()
    network: bool = False
    deterministic: bool = False
    runs_project_code: bool = False
    wall: bool = False


class Tool(Struct, frozen=True):
    """A command-line tool.

    ``family`` groups tools that share a database or a habit (apt-get and apt are "apt"). ``yes`` are the options that
    keep it from asking, ``pin`` is how a version is pinned (``"="``, ``"=="``, ``"@"``), ``database`` the paths of its
    package database, ``minimal`` options that keep optional packages out.
    """

    names: tuple[str, ...]
    family: str
    kind: Kind
    subcommands: tuple[Subcommand, ...]
    options: tuple[Option, ...] = ()
    cleaning: Cleaning = Cleaning()
    yes: tuple[str, ...] = ()
    pin: str | None = None
    minimal: tuple[str, ...] = ()
    database: tuple[str, ...] = ()
    lists: tuple[str, ...] = ()
    doc: str = ""


class Invocation(Struct, frozen=True):
    """A command that was recognised as a call of a known tool.

    ``options`` maps the first spelling of each given option to its last value (None for a switch), ``operands`` are the words that are
    neither options nor their values nor the verb; ``option_words`` are the words of all options with their values.
    """

    tool: Tool
    subcommand: Subcommand
    command: Command
    options: Mapping[str, str | None]
    operands: tuple[ShellWord, ...]
    option_words: tuple[ShellWord, ...] = ()
    verb: ShellWord | None = None

    @property
    def family(self) -> str:
        """The tool's family."""
        return self.tool.family

    @property
    def action(self) -> Action:
        """What the verb does."""
        return self.subcommand.action

    def has(self, *names: str) -> bool:
        """Tell whether an option is given in one of its spellings."""
        return any(name in self.options for name in names)


class Effects(Struct, frozen=True):
    """What running something does.

    Paths are absolute and may hold globs; a path that ends in ``/`` means everything below it; ``"*"`` alone is
    everything. ``reads`` and ``writes`` are about the file system; ``removes`` are paths deleted; ``creates`` are writes
    that make new files only. ``caches`` are paths left behind that nobody needs later. ``packages`` names package databases
    ("dpkg", "apk", "rpm") that are read and changed, ``lists`` package lists ("apt", ...) that are needed, ``refreshes`` those that are
    renewed. ``fetches`` are URLs or "index" for a package index. ``environment`` are variables used, ``varies`` tells
    that the result can differ from day to day. ``wall`` tells that the command is unknown: it may read and write everything.
    ``users`` tells that the user database is changed.
    """

    reads: frozenset[str] = frozenset()
    writes: frozenset[str] = frozenset()
    removes: frozenset[str] = frozenset()
    caches: frozenset[str] = frozenset()
    packages: frozenset[str] = frozenset()
    lists: frozenset[str] = frozenset()
    refreshes: frozenset[str] = frozenset()
    fetches: frozenset[str] = frozenset()
    environment: frozenset[str] = frozenset()
    varies: bool = False
    wall: bool = False
    runs_project_code: bool = False
    users: bool = False
    reason: str = ""
    """Why it is a wall, where it is one."""

    def __or__(self, other: Effects) -> Effects:
        """Join what two things do, one after the other."""
        return Effects(
            self.reads | other.reads, self.writes | other.writes, self.removes | other.removes,
            self.caches | other.caches, self.packages | other.packages, self.lists | other.lists,
            self.refreshes | other.refreshes, self.fetches | other.fetches, self.environment | other.environment,
            self.varies or other.varies, self.wall or other.wall, self.runs_project_code or other.runs_project_code,
            self.users or other.users, self.reason or other.reason,
        )  # fmt: skip


NOTHING = Effects()


class Setting(Struct, frozen=True):
    """The surroundings in which a command runs: directory, home, user and known variables."""

    directory: str | None = "/"
    home: str = "/root"
    user: str = "root"
    environment: Mapping[str, str] = field(default_factory=dict)
