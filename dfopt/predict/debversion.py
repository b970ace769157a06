"""The order of Debian package versions, as Debian policy section 5.6.12 and dpkg define it."""

from __future__ import annotations

import operator as comparing
import re
from functools import lru_cache
from itertools import zip_longest

_PIECES = re.compile(r"(\d+)|([^\d]+)")


def _weight(char: str) -> int:
    """Order one character of a non-digit part: the tilde before the end, letters before all others."""
    if char == "~":
        return -1
    return ord(char) if char.isalpha() else ord(char) + 256


@lru_cache(maxsize=4096)
def _part(text: str) -> tuple[tuple[tuple[int, ...], int], ...]:
    """Turn an upstream version or a revision into alternating non-digit and number parts that compare as tuples."""
    pieces: list[tuple[tuple[int, ...], int]] = []
    word = ""
    for digits, other in _PIECES.findall(text):
        if digits:
            # The zero stands for the end of the part: above a tilde, below everything else.
            pieces.append(((*(_weight(char) for char in word), 0), int(digits)))
            word = ""
        else:
            word = other
    if word:
        pieces.append(((*(_weight(char) for char in word), 0), 0))
    return tuple(pieces)


_NOTHING = ((0,), 0)


def _compare_part(mine: str, theirs: str) -> int:
    for left, right in zip_longest(_part(mine), _part(theirs), fillvalue=_NOTHING):
        if left != right:
            return -1 if left < right else 1
    return 0


@lru_cache(maxsize=8192)
def compare(mine: str, theirs: str) -> int:
    """Compare two versions: negative where the first is older, 0 where they are equal, positive where it is newer."""
    if mine == theirs:
        return 0
    epochs, rests = [], []
    for version in (mine, theirs):
        epoch, colon, rest = version.partition(":")
        epochs.append(int(epoch) if colon and epoch.isdigit() else 0)
        rests.append(rest if colon else version)
    if epochs[0] != epochs[1]:
        return -1 if epochs[0] < epochs[1] else 1
    (upstream, _, revision), (other, _, other_revision) = (
        rest.rpartition("-") if "-" in rest else (rest, "", "0") for rest in rests
    )
    return _compare_part(upstream, other) or _compare_part(revision, other_revision)


_TESTS = {"<<": comparing.lt, "<=": comparing.le, "=": comparing.eq, ">=": comparing.ge, ">>": comparing.gt}


def satisfies(version: str, operator: str, wanted: str) -> bool:
    """Tell whether a version meets a constraint; the operator is one of ``<<``, ``<=``, ``=``, ``>=``, ``>>`` or
    empty.
    """
    if not operator:
        return True
    order = compare(version, wanted)
    return bool(_TESTS[operator](order, 0))
