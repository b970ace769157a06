"""What a shell knows while it runs: its directory, variables, exports and options."""

from __future__ import annotations

from collections.abc import Container


class State:
    """What a shell knows at a point: directory, variables set by the script, exports, options."""

    __slots__ = ("_visible", "directory", "exported", "moving", "options", "previous", "stack", "unset", "values")

    def __init__(self, directory: str | None, options: frozenset[str]) -> None:
        self.directory = directory
        self.previous: str | None = None
        self.stack: list[str | None] = []
        self.values: dict[str, str | None] = {}
        self.exported: set[str] = set()
        self.unset: set[str] = set()
        self.options = options
        self.moving: frozenset[str] = frozenset()
        """Functions that change the directory or variables when they are called."""
        self._visible: tuple[tuple[str, str | None], ...] | None = ()

    def copy(self) -> State:
        """Give an independent state, for a subshell or a branch."""
        other = State(self.directory, self.options)
        other.previous, other.moving = self.previous, self.moving
        other.stack = self.stack[:]
        if self.values or self.exported:
            other.values, other.exported, other.unset = self.values.copy(), self.exported.copy(), self.unset.copy()
            other._visible = self._visible
        return other

    def assign(self, name: str, value: str | None) -> None:
        """Give a variable a value, None for an unknown one."""
        self.values[name] = value
        self.unset.discard(name)
        if "allexport" in self.options:
            self.exported.add(name)
        self._visible = None

    def export(self, name: str) -> None:
        """Hand a variable to the programs that follow."""
        self.exported.add(name)
        self._visible = None

    def remove(self, name: str) -> None:
        """Unset a variable."""
        self.values[name] = ""
        self.unset.add(name)
        self.exported.discard(name)
        self._visible = None

    def forget(self) -> None:
        """Make every variable of the script unknown, after code that nobody can see."""
        for name in self.values:
            self.values[name] = None
        self._visible = None

    def visible(self, inherited: Container[str]) -> tuple[tuple[str, str | None], ...]:
        """Give the variables set by the script that programs see; those inherited are exported anyway."""
        if self._visible is None:
            self._visible = tuple(
                (name, value)
                for name, value in self.values.items()
                if (name in self.exported or name in inherited) and name not in self.unset
            )
        return self._visible

    def merge(self, branch: State) -> None:
        """Take in what a branch that may have run has changed: what differs is unknown."""
        if branch.directory != self.directory:
            self.directory = None
        if branch.previous != self.previous:
            self.previous = None
        if not branch.values and not self.values:
            return
        for name, value in branch.values.items():
            if name not in self.values or self.values[name] != value:
                self.values[name] = None
        for name in self.values:
            if name not in branch.values:
                self.values[name] = None
        self.exported |= branch.exported
        self.unset &= branch.unset
        self._visible = None
