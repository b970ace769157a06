"""A suite's packages from the embedded database: names, versions, sizes and dependencies, read a block at a time.

File format (made by ``data/make_apt.py``): one line of JSON (the head), then the parts it measures: the names that
begin each block, a dictionary for zlib, and the blocks, each a few hundred lines of one package, sorted by name. A
name is found by bisecting the beginnings and searching one block, so a closure of a hundred packages costs a few
milliseconds.

A line holds, separated by tabs: name, version, Installed-Size in KiB, size of the .deb, priority (its first letter,
with ``!`` for what apt never removes by itself), Depends, Pre-Depends, Recommends, Provides, Conflicts and Breaks,
and the packages that provide this name, the one that apt prefers first. A line without a version is a name that is
only provided. Constraints are written ``name>version`` for ``>=``, ``<`` for ``<=``, ``}`` and ``{`` for the strict
ones, and ``=`` alone for the package's own version.
"""

from __future__ import annotations

import json
import re
import zlib
from bisect import bisect_right
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import Any, NamedTuple

from dfopt.predict import embedded

_OPERATORS = {"=": "=", ">": ">=", "<": "<=", "}": ">>", "{": "<<", "": ""}
_RELATION = re.compile(r"([^=<>{}]+)([=<>{}]?)(.*)")


class Relation(NamedTuple):
    """One alternative of a dependency: a name and, where ``operator`` is not empty, what its version must be."""

    name: str
    operator: str
    version: str


Group = tuple[Relation, ...]


class DebPackage(NamedTuple):
    """One package of the index (version "" where the name is only provided by others). Sizes are in bytes.

    ``kept`` tells that apt never removes it by itself (essential, important or protected).
    """

    name: str
    version: str
    installed_bytes: int
    deb_bytes: int
    priority: str
    depends: tuple[Group, ...] = ()
    pre_depends: tuple[Group, ...] = ()
    recommends: tuple[Group, ...] = ()
    provides: tuple[Relation, ...] = ()
    conflicts: tuple[Relation, ...] = ()
    providers: tuple[str, ...] = ()
    kept: bool = False


class DebIndex:
    """The packages of one suite with its updates and security updates merged: per name the highest version."""

    def __init__(self, data: bytes) -> None:
        end = data.index(b"\n")
        self.head: dict[str, Any] = json.loads(data[:end])
        position = end + 1
        names = zlib.decompress(data[position : position + self.head["names"]]).decode()
        self._beginnings = names.split("\n")
        position += self.head["names"]
        self._dictionary = zlib.decompress(data[position : position + self.head["dictionary"]])
        position += self.head["dictionary"]
        self._offsets = [position]
        for size in self.head["blocks"]:
            self._offsets.append(self._offsets[-1] + size)
        self._data = data
        self._blocks: dict[int, str] = {}
        self._found: dict[str, DebPackage | None] = {}

    @property
    def list_bytes(self) -> int:
        """The bytes that ``apt-get update`` leaves below /var/lib/apt/lists (indexes as lz4, as the image keeps
        them).
        """
        return int(self.head["list_bytes"])

    def get(self, name: str) -> DebPackage | None:
        """Find a name: a package, or a name that others provide; None where the suite does not know it."""
        try:
            return self._found[name]
        except KeyError:
            found = self._found[name] = self._read(name)
            return found

    def real(self, name: str) -> DebPackage | None:
        """Find a package that can be installed."""
        package = self.get(name)
        return package if package is not None and package.version else None

    def providers(self, name: str) -> tuple[str, ...]:
        """Name the packages that provide a name, the one that apt prefers first."""
        package = self.get(name)
        return package.providers if package is not None else ()

    def matching(self, pattern: str) -> list[str]:
        """Name the packages that a glob fits; the literal beginning of the pattern limits what is read."""
        prefix = re.split(r"[*?\[]", pattern, maxsplit=1)[0]
        found = []
        number = max(0, bisect_right(self._beginnings, prefix) - 1)
        while number < len(self._beginnings) and (not prefix or self._beginnings[number][: len(prefix)] <= prefix):
            for line in self._block(number).split("\n"):
                name, _, rest = line.partition("\t")
                if name and not rest.startswith("\t") and fnmatchcase(name, pattern):
                    found.append(name)
            number += 1
        return found

    def _block(self, number: int) -> str:
        block = self._blocks.get(number)
        if block is None:
            unpack = zlib.decompressobj(zdict=self._dictionary)
            raw = self._data[self._offsets[number] : self._offsets[number + 1]]
            block = "\n" + unpack.decompress(raw).decode() + "\n"
            self._blocks[number] = block
        return block

    def _read(self, name: str) -> DebPackage | None:
        number = bisect_right(self._beginnings, name) - 1
        if number < 0:
            return None
        block = self._block(number)
        start = block.find(f"\n{name}\t")
        if start < 0:
            return None
        return _package(block[start + 1 : block.index("\n", start + 1)])


def _package(line: str) -> DebPackage:
    fields = line.split("\t")
    name, version, installed, deb, priority, depends, pre, recommends, provides, conflicts, providers = fields
    return DebPackage(
        name, version, int(installed or 0) * 1024, int(deb or 0), priority[:1],
        _groups(depends, version), _groups(pre, version), _groups(recommends, version),
        tuple(relation for group in _groups(provides, version) for relation in group),
        tuple(relation for group in _groups(conflicts, version) for relation in group),
        tuple(providers.split(",")) if providers else (), priority.endswith("!"),
    )  # fmt: skip


def _groups(text: str, own: str) -> tuple[Group, ...]:
    return tuple(tuple(_relation(part, own) for part in group.split("|")) for group in text.split(",")) if text else ()


def _relation(text: str, own: str) -> Relation:
    match = _RELATION.fullmatch(text)
    if match is None:
        return Relation(text, "", "")
    name, operator, version = match.groups()
    return Relation(name, _OPERATORS[operator], own if operator == "=" and not version else version)


@lru_cache(maxsize=256)  # names without an index are remembered too and must not drive out the others
def suite(name: str) -> DebIndex | None:
    """Open the embedded index of a Debian suite ("bookworm"), or give None where there is none."""
    try:
        return DebIndex(embedded.read(f"debian-{name}.index"))
    except OSError:
        return None
