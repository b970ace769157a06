"""Mappings that share most of their entries with the one they were made from.

A file with thousands of ENV instructions has as many states; copying all variables into each would take quadratic
time and memory.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TypeVar

_Value = TypeVar("_Value")
_SMALL = 64


class Overlay(Mapping[str, _Value]):
    """A mapping of entries laid over those of another.

    With ``moves`` an entry that is set again comes last in the order, else it keeps its place.
    """

    __slots__ = ("_base", "_moves", "_own", "_size")

    def __init__(self, base: dict[str, _Value], own: dict[str, _Value], moves: bool) -> None:
        self._base = base
        self._own = own
        self._moves = moves
        self._size = len(base) + sum(name not in base for name in own)

    def __getitem__(self, name: str) -> _Value:
        return self._own[name] if name in self._own else self._base[name]

    def __contains__(self, name: object) -> bool:
        return name in self._own or name in self._base

    def __len__(self) -> int:
        return self._size

    def __iter__(self) -> Iterator[str]:
        if self._moves:
            yield from (name for name in self._base if name not in self._own)
            yield from self._own
        else:
            yield from self._base
            yield from (name for name in self._own if name not in self._base)

    def with_entries(self, entries: Mapping[str, _Value]) -> Mapping[str, _Value]:
        """Give the mapping with entries added or replaced."""
        if len(self._own) + len(entries) > _SMALL:
            return Overlay(_merged(dict(self), entries, self._moves), {}, self._moves)
        return Overlay(self._base, _merged(dict(self._own), entries, self._moves), self._moves)


def with_entries(mapping: Mapping[str, _Value], entries: Mapping[str, _Value], *, moves: bool) -> Mapping[str, _Value]:
    """Give a mapping with entries added or replaced; small ones are copied, large ones shared."""
    if isinstance(mapping, Overlay):
        return mapping.with_entries(entries)
    if len(mapping) <= _SMALL:
        return _merged(dict(mapping), entries, moves)
    return Overlay(dict(mapping), {}, moves).with_entries(entries)


def _merged(target: dict[str, _Value], entries: Mapping[str, _Value], moves: bool) -> dict[str, _Value]:
    if moves:
        for name in entries:
            target.pop(name, None)
    target.update(entries)
    return target
