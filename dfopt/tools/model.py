"""What a command-line tool does, as data: how it is called, what it reads, writes, fetches and leaves behind."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Literal, TypeAlias

from msgspec import Struct, field

from dfopt.shell.model import Command, ShellWord

if TYPE_CHECKING:
    from dfopt.tools.paths import Place

Kind = Literal[
    "package-manager", "build", "fetch", "archive", "files", "owner", "user", "vcs", "text", "shell", "service", "other"
]
Action = Literal[
    "update", "install", "upgrade", "remove", "autoremove", "clean", "build", "fetch", "unpack", "pack", "delete",
    "make-directory", "copy", "move", "link", "change-owner", "change-mode", "touch", "add-user", "edit", "print",
    "test", "run", "configure", "clone", "query", "sync", "other",
]  # fmt: skip
Role = Literal["", "text", "read", "write", "tree", "cd", "url", "remove"]
"""What a value stands for: nothing of interest, text, a file read, a file written, a folder written with all below it,
the folder the tool works in, a URL that is fetched, a path that is removed."""
Syntax = Literal["gnu", "single", "raw"]
"""How options are written: bundled short and long ones, ``-name value`` without bundles (go, java), or not at all."""
Shape: TypeAlias = "Callable[[Invocation, Place], Effects]"
"""What a verb does beyond its table: a pure function of one call and the place where it runs."""


class Option(Struct, frozen=True):
    """An option of a tool. ``names`` are its spellings, ``value`` tells whether it takes one.

    ``optional`` values only count where they are attached (``-j4``, ``--color=auto``). ``role`` tells what the value
    is.
    """

    names: tuple[str, ...]
    value: bool = False
    meaning: str = ""
    role: Role = ""
    optional: bool = False


class Cleaning(Struct, frozen=True):
    """How what a tool leaves behind is avoided or removed.

    ``paths`` are the caches it leaves (``~`` is the user's home), ``options`` avoid them, ``commands`` remove them, and
    ``environment`` names variables that switch them off (``NAME`` with any value, or ``NAME=value``).
    """

    paths: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    commands: tuple[str, ...] = ()
    environment: tuple[str, ...] = ()


class Subcommand(Struct, frozen=True):
    """One verb of a tool (or its only one, with ``names=()``): what it does and which files decide what it does.

    ``manifests`` are the files in the working directory that an install reads (lock files included, globs allowed);
    ``runs_project_code`` tells that the verb may run code of the project (npm's life cycle scripts, ``pip install
    .``, make); ``deterministic`` that the result only depends on what is read; ``network`` that it fetches;
    ``optional_manifests`` are read where they exist.

    Paths in ``reads``, ``writes`` and ``removes`` are taken from the working directory where they are relative, ``~``
    is the home; one that ends in ``/`` stands for everything below. ``leaves`` are caches left behind unless an
    option or variable of the tool's ``cleaning`` avoids them. ``needs_lists`` and ``refreshes_lists`` are about the
    tool's package lists, ``changes_packages`` about its database. ``operands`` is the role of the words that are no
    options, ``shape`` adds what tables cannot say. ``users`` tells that accounts may change. ``seconds`` is a rough
    duration on a usual machine, a documented default for cost models, not a measurement.
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
    removes: tuple[str, ...] = ()
    leaves: tuple[str, ...] = ()
    needs_lists: bool = False
    refreshes_lists: bool = False
    changes_packages: bool = False
    users: bool = False
    varies: bool = False
    options: tuple[Option, ...] = ()
    operands: Role = ""
    shape: Shape | None = None
    seconds: float = 0.1
    reason: str = ""
    instead: tuple[str, str] | None = None
    """An option that makes it another verb, and that verb's name (``npm install -g``)."""


class Tool(Struct, frozen=True):
    """A command-line tool.

    ``family`` groups tools that share a database or a habit (apt-get and apt are "apt"). ``yes`` are the options that
    keep it from asking, ``pin`` is how a version is pinned (``"="``, ``"=="``, ``"@"``), ``database`` the paths of its
    package database, ``minimal`` options that keep optional packages out.

    ``environment`` are variables that change what it does (globs allowed). ``local`` tools are meant where they are
    called by a path into the project (``./configure``); others are then taken for a script of the project.
    ``permutes`` tells that options may stand after operands.
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
    syntax: Syntax = "gnu"
    environment: tuple[str, ...] = ()
    local: bool = False
    permutes: bool = True
    default: str | None = None
    """The verb that is meant where none is given (``yarn`` is ``yarn install``)."""
    wraps: int | None = None
    """For programs that only start another command: how many operands stand before it (``timeout 5 make``: 1)."""
    python_module: bool = False
    """Whether ``python -m NAME`` is the same."""


class Package(Struct, frozen=True):
    """A package as it is named in a call.

    ``version`` is what pins it (None without), ``pinned`` tells whether that names one version; ``is_local`` marks
    paths, ``is_url`` addresses, ``excluded`` names that are to be absent (apt's ``name-``, apk's ``!name``).
    ``source`` is the suite, tag or channel asked for, ``unknown`` tells that the word holds something that cannot be
    known.
    """

    name: str
    version: str | None
    word: ShellWord
    is_local: bool = False
    is_url: bool = False
    pinned: bool = False
    excluded: bool = False
    source: str | None = None
    unknown: bool = False


class Cleaned(Struct, frozen=True):
    """What a command takes away of the caches that tools leave: paths, and per family those of its paths that go."""

    paths: frozenset[str] = frozenset()
    families: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.families)


class Invocation(Struct, frozen=True):
    """A command that was recognised as a call of a known tool.

    ``options`` maps the first spelling of each given option to its last value (None for a switch), ``operands`` are
    the words that are neither options nor their values nor the verb; ``option_words`` are the words of all options
    with their values. Where a wrapper such as timeout starts the tool, ``command`` is the inner command.
    """

    tool: Tool
    subcommand: Subcommand
    command: Command
    options: Mapping[str, str | None]
    operands: tuple[ShellWord, ...]
    option_words: tuple[ShellWord, ...] = ()
    verb: ShellWord | None = None
    places: tuple[tuple[Role, ShellWord, str], ...] = ()
    """The options' values that have a role, in order, each with the first spelling of its option."""

    @property
    def family(self) -> str:
        """The tool's family."""
        return self.tool.family

    @property
    def action(self) -> Action:
        """What the verb does."""
        return self.subcommand.action

    def has(self, *names: str) -> bool:
        """Tell whether an option is given; each name is an option's first spelling, or one that no table lists."""
        return any(name in self.options for name in names)

    def values(self, name: str) -> tuple[ShellWord, ...]:
        """Give all values of an option with a role, by its first spelling, as words."""
        return tuple(word for _, word, option in self.places if option == name)


class Effects(Struct, frozen=True):
    """What running something does.

    Paths are absolute and may hold globs; a path that ends in ``/`` means everything below it; ``"*"`` alone is
    everything; ``**`` stands for a part that cannot be known and may hold slashes. ``reads`` and ``writes`` are about
    the file system; ``removes`` are paths deleted with all below them. ``caches`` are paths left behind that nobody
    needs later. ``packages`` names package databases ("dpkg", "apk", "rpm") that are read and changed, ``lists``
    package lists ("apt", ...) that are needed, ``refreshes`` those that are renewed. ``fetches`` are URLs or "index"
    for a package index. ``programs`` are names of programs started; ``environment`` are variables used (globs
    allowed), ``varies`` tells that the result can differ from day to day. ``wall`` tells that the command is unknown:
    it may read and write everything. ``users`` tells that the user database is changed.
    """

    reads: frozenset[str] = frozenset()
    writes: frozenset[str] = frozenset()
    removes: frozenset[str] = frozenset()
    caches: frozenset[str] = frozenset()
    packages: frozenset[str] = frozenset()
    lists: frozenset[str] = frozenset()
    refreshes: frozenset[str] = frozenset()
    fetches: frozenset[str] = frozenset()
    programs: frozenset[str] = frozenset()
    environment: frozenset[str] = frozenset()
    varies: bool = False
    wall: bool = False
    runs_project_code: bool = False
    users: bool = False
    reason: str = ""
    """Why it is a wall, where it is one."""

    def __or__(self, other: Effects) -> Effects:
        """Join what two things do, one after the other."""
        if other is NOTHING:
            return self
        if self is NOTHING:
            return other
        return Effects(
            self.reads | other.reads,
            self.writes | other.writes,
            self.removes | other.removes,
            self.caches | other.caches,
            self.packages | other.packages,
            self.lists | other.lists,
            self.refreshes | other.refreshes,
            self.fetches | other.fetches,
            self.programs | other.programs,
            self.environment | other.environment,
            self.varies or other.varies,
            self.wall or other.wall,
            self.runs_project_code or other.runs_project_code,
            self.users or other.users,
            self.reason or other.reason,
        )


NOTHING = Effects()


class Setting(Struct, frozen=True):
    """The surroundings in which a script runs: directory, home, user and known variables.

    ``directory`` is where the script starts; each command carries its own, and one that carries none is somewhere
    unknown.
    """

    directory: str | None = "/"
    home: str = "/root"
    user: str = "root"
    environment: Mapping[str, str] = field(default_factory=dict)
