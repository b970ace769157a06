"""A file system as a term: for every region of it, who wrote it and from what.

The abstract build does not know contents. It knows that a region (a path, a folder with all below it, or everything)
was last changed by an operation, and what that operation could see. Two builds whose regions carry the same terms have
made the same files in every build in which their commands behave alike.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Hashable, Iterable, Iterator
from functools import lru_cache
from typing import Any, TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from dfopt.tools import paths

EVERYTHING = "*"
overlaps = lru_cache(maxsize=1 << 16)(paths.overlaps)
covers = lru_cache(maxsize=1 << 16)(paths.covers)
Term: TypeAlias = int


class Terms:
    """Gives equal things equal numbers, so that terms stay small however deep they nest."""

    def __init__(self) -> None:
        self._numbers: dict[Hashable, int] = {}
        self._things: list[tuple[Any, ...]] = []

    def make(self, *thing: Hashable) -> Term:
        """Give the number of a thing."""
        number = self._numbers.get(thing)
        if number is None:
            number = self._numbers[thing] = len(self._things)
            self._things.append(thing)
        return number

    def thing(self, term: Term) -> tuple[Any, ...]:
        """Give what a term stands for: its kind and its parts."""
        return self._things[term]

    def kind(self, term: Term) -> str:
        """Give the first part of a term, which tells what it is."""
        return str(self._things[term][0])

    def describe(self, term: Term) -> str:
        """Give a few words for a term, for people."""
        thing = self._things[term]
        match thing:
            case ("out", int() as run, *_):
                return self.describe(run)
            case ("run", tuple() as label, *_):
                return f"RUN {' '.join(str(label[0]).split())[:60]}"
            case ("context", path, *_):
                return f"{path or '.'} of the context"
            case ("owned", owner, _, int() as inner):
                return f"{self.describe(inner)} owned by {':'.join(map(str, owner))}"
            case ("over", _, int() as inner):
                return f"{self.describe(inner)} over earlier files"
            case ("absent",):
                return "nothing"
            case ("url", url, *_):
                return str(url)
            case _:
                return str(thing[0])


class Entry(Struct, frozen=True):
    """What a region holds.

    A ``node`` is the directory entry alone (owner and mode), not what lies in the folder. ``paths`` are, where they are
    known, all files that were written: then other paths of the region are untouched.
    """

    region: str
    term: Term
    node: bool = False
    paths: tuple[str, ...] | None = None

    def touches(self, region: str) -> bool:
        """Tell whether the entry may concern a region."""
        if not overlaps(self.region, region):
            return False
        if self.node:
            return region == EVERYTHING or not _below(region, self.region)
        if self.paths is None or _special(region):
            return True
        return _any_below(self.paths, region)

    def meets(self, other: Entry) -> bool:
        """Tell whether two entries may concern the same file."""
        if self.node and other.node:
            return self.region.rstrip("/") == other.region.rstrip("/")
        if self.paths is not None and other.paths is not None:
            return not set(self.paths).isdisjoint(other.paths)
        if self.paths is not None:
            return any(other.touches(path) for path in self.paths)
        if other.paths is not None or other.node:
            return other.touches(self.region)
        return self.touches(other.region)


def _special(region: str) -> bool:
    return region == EVERYTHING or any(mark in region for mark in "*?[")


def _below(region: str, folder: str) -> bool:
    plain = folder.rstrip("/")
    return region.rstrip("/") != plain and region.startswith(plain + "/")


def _any_below(paths: tuple[str, ...], region: str) -> bool:
    plain = region.rstrip("/")
    at = bisect_left(paths, plain)
    if at < len(paths) and (paths[at] == plain or paths[at].startswith(plain + "/")):
        return True
    at = bisect_left(paths, plain + "/")
    if at < len(paths) and paths[at].startswith(plain + "/"):
        return True
    # The region may lie below one of the paths, where that is a folder or a link.
    parts = plain.split("/")
    return any(_holds(paths, "/".join(parts[:i])) for i in range(2, len(parts)))


def _holds(paths: tuple[str, ...], path: str) -> bool:
    at = bisect_left(paths, path)
    return at < len(paths) and paths[at] == path


class Store:
    """The file system of one stage while it is built."""

    def __init__(self, terms: Terms, base: Term, may_exist: Callable[[str], bool]) -> None:
        self.terms = terms
        self.base = base
        self.may_exist = may_exist
        self.entries: list[Entry] = []
        self.folders: set[str] = set()
        self.vanished: set[str] = set()
        self.absent = terms.make("absent")

    def copy(self) -> Store:
        """Give a store that can change on its own."""
        other = Store(self.terms, self.base, self.may_exist)
        other.entries = list(self.entries)
        other.folders = set(self.folders)
        other.vanished = set(self.vanished)
        return other

    def touching(self, region: str) -> Iterator[Entry]:
        """Give the entries that may concern a region."""
        return (entry for entry in self.entries if entry.touches(region))

    def value(self, region: str, hidden: Iterable[str] = ()) -> Term:
        """Give the term of all that a region holds; entries that lie wholly in hidden regions are left out."""
        hidden = tuple(hidden)
        found = frozenset(
            (entry.region, entry.node, entry.term)
            for entry in self.touching(region)
            if not any(covers(gone, entry.region) for gone in hidden)
        )
        return self.terms.make("value", self.base, found)

    def only(self, path: str) -> Term | None:
        """Give the term of a single file that one instruction put there; None where it is not that simple."""
        found = [entry for entry in self.touching(path) if not entry.node]
        if len(found) == 1 and found[0].paths == (path,):
            return found[0].term
        return None

    def put(self, entry: Entry) -> None:
        """Write files over what is there.

        Files whose paths are known simply lie on top; what a tree of unknown files hides depends on what was there.
        """
        kept: list[Entry] = []
        under: list[Entry] = []
        exact = set(entry.paths or ())
        for old in self.entries:
            if old == entry or not old.meets(entry):
                kept.append(old)
            elif (not old.node and old.paths is not None and exact.issuperset(old.paths)) or (
                not old.node and old.term == self.absent and old.region in exact
            ):
                continue
            elif old.node:
                kept.append(old)
            else:
                kept.append(old)
                if entry.paths is None:
                    under.append(old)
        if entry in kept and not under:
            self.entries = kept
            return
        if under:
            below = frozenset((old.region, old.node, old.term) for old in under)
            entry = replace(entry, term=self.terms.make("over", below, entry.term))
        self.entries = [*kept, entry]

    def change(self, region: str, term: Term, *, keeps: bool = False) -> None:
        """Say that a region was changed by an operation that had seen what was there (or, if it keeps, had not)."""
        if not keeps:
            self.entries = [old for old in self.entries if not covers(region, old.region)]
        self.entries.append(Entry(region, term))

    def remove(self, region: str, *, in_base: bool = True) -> None:
        """Delete a path with all below it. What this build made and the base did not have leaves no trace."""
        plain = region.rstrip("/") or "/"
        made = any(entry.region.rstrip("/") == plain or entry.paths == (plain,) for entry in self.entries)
        if made and not in_base:
            self.vanished.add(plain)
        self.entries = [old for old in self.entries if not covers(region, old.region)]
        self.folders = {folder for folder in self.folders if not covers(region, folder)}
        self.entries.append(Entry(region.rstrip("/") or "/", self.absent))

    def ensure(self, folder: str, term: Term, known: Iterable[str] = ()) -> None:
        """Make a folder and those above it where they are missing; existing ones stay as they are."""
        for path in [*_above(folder), folder.rstrip("/") or "/"]:
            if path in self.folders or path in known or path == "/":
                continue
            # Where the base may have the folder, its owner and mode stay, whatever the instruction says.
            made = self.terms.make("kept-or-made", term) if self.may_exist(path) else term
            old = [entry for entry in self.touching(path) if entry.term != self.absent]
            if old:
                below = frozenset((entry.region, entry.node, entry.term) for entry in old)
                made = self.terms.make("ensured", below, made)
            self.entries = [entry for entry in self.entries if not (entry.term == self.absent and entry.region == path)]
            self.entries.append(Entry(path, made, node=True))
            self.folders.add(path)

    def node(self, path: str) -> Entry | None:
        """Give the entry of a folder that this build made, None where it is not sure that it did."""
        plain = path.rstrip("/")
        return next((entry for entry in self.entries if entry.node and entry.region == plain), None)

    def swap(self, old: Entry, new: Entry) -> None:
        """Put an entry in another's place."""
        self.entries = [new if entry == old else entry for entry in self.entries]

    def final(self, removed: Iterable[str] = ()) -> dict[tuple[str, bool], frozenset[Term]]:
        """Give what counts in the end: terms by region, without what was declared to be removed and empty deletions."""
        gone = tuple(removed)
        left = [entry for entry in self.entries if not any(covers(region, entry.region) for region in gone)]
        real = [entry for entry in left if entry.term != self.absent]
        result: dict[tuple[str, bool], set[Term]] = {}
        for entry in left:
            if (
                entry.term == self.absent
                and entry.region in self.vanished
                and not any(other.touches(entry.region) for other in real)
            ):
                continue
            result.setdefault((entry.region, entry.node), set()).add(entry.term)
        return {key: frozenset(terms) for key, terms in result.items()}


def _above(path: str) -> list[str]:
    parts = path.strip("/").split("/")
    return ["/" + "/".join(parts[:i]) for i in range(1, len(parts))]
