"""Guessing what a misspelt word was meant to be."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

MAX_DISTANCE = 2
"""Words further apart than this, or by more than half their letters, are not taken for each other's misspellings."""

_LONGEST = 30
"""No keyword, flag or mode is nearly as long as this."""


def distance(left: str, right: str) -> int:
    """Count the characters to insert, delete, replace or swap with their neighbour to make one word the other."""
    older: list[int] = []
    old = list(range(len(right) + 1))
    for i, a in enumerate(left, 1):
        row = [i]
        for j, b in enumerate(right, 1):
            cost = min(old[j] + 1, row[j - 1] + 1, old[j - 1] + (a != b))
            if i > 1 and j > 1 and a == right[j - 2] and left[i - 2] == b:
                cost = min(cost, older[j - 2] + 1)
            row.append(cost)
        older, old = old, row
    return old[-1]


def closest(word: str, candidates: Iterable[str]) -> str | None:
    """Give the candidate nearest to a word, case ignored; None where none is near enough."""
    if len(word) > _LONGEST:
        return None
    return _closest(word.lower(), tuple(candidates))


@lru_cache(maxsize=4096)
def _closest(word: str, candidates: tuple[str, ...]) -> str | None:
    best: tuple[int, str] | None = None
    for candidate in candidates:
        if abs(len(candidate) - len(word)) > MAX_DISTANCE:
            continue
        found = distance(word, candidate.lower())
        if found <= MAX_DISTANCE and 2 * found <= len(word) and (best is None or found < best[0]):
            best = (found, candidate)
    return best[1] if best else None
