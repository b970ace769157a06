"""What a shell knows while it runs: its directory, variables, exports and options."""

from __future__ import annotations


class State:
    """What a shell knows at a point: directory, variables set by the script, exports, options."""

    __slots__ = ("directory", "exported", "moving", "options", "previous", "stack", "unset", "values")

    def __init__(self, directory: str | None, options: frozenset[str]) -> None:
        self.directory = directory
        self.previous: str | None = None
        self.stack: list[str | None] = []
        self.values: dict[str, str | None] = {}
        self.exported: dict[str, None] = {}
        self.unset: set[str] = set()
        self.options = options
        self.moving: set[str] = set()

    def copy(self) -> State:
        """Give an independent state, for a subshell or a branch."""
        other = State.__new__(State)
        other.directory, other.previous, other.options = self.directory, self.previous, self.options
        other.stack = list(self.stack) if self.stack else []
        other.values = dict(self.values) if self.values else {}
        other.exported = dict(self.exported) if self.exported else {}
        other.unset = set(self.unset) if self.unset else set()
        other.moving = self.moving
        return other

    def assign(self, name: str, value: str | None) -> None:
        """Give a variable a value, None for an unknown one."""
        self.values[name] = value
        self.unset.discard(name)
        if "allexport" in self.options:
            self.exported[name] = None

    def merge(self, branch: State) -> None:
        """Take in what a branch that may have run has changed: what differs is unknown."""
        if branch.directory != self.directory:
            self.directory = None
        if branch.previous != self.previous:
            self.previous = None
        for name, value in branch.values.items():
            if name not in self.values or self.values[name] != value:
                self.values[name] = None
        for name in self.values:
            if name not in branch.values:
                self.values[name] = None
        self.exported.update(branch.exported)
        self.unset &= branch.unset
