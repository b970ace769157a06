"""Package managers without an embedded index: sizes by name or by class of name, as honest wide intervals.

A package counts with what it usually brings along and the base lacks, so a sum over many overstates shared parts: of
packages of one *toolchain* only the largest counts whole. Nothing here is exact, and every part says so.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from dfopt.predict.model import ZERO, Estimate, Part

# Class of a name -> bytes with dependencies: the middle of what is usual, and where nine of ten lie.
CLASSES: tuple[tuple[str, Estimate], ...] = (
    (r".*-(doc|docs|help)$|^man(-db|pages|doc)?.*", Estimate(0.6e6, 0.02e6, 6e6)),
    (r".*(-dev|-devel)$", Estimate(3.5e6, 0.1e6, 40e6)),
    (r"^(font|ttf|fonts|xorg-x11-fonts)-.*", Estimate(5e6, 0.3e6, 40e6)),
    (r"^(py3?|python\d*|php\d*|perl|ruby|lua\d*)-.*", Estimate(1.5e6, 0.05e6, 20e6)),
    (r"^lib.*|.*-libs$", Estimate(1.2e6, 0.05e6, 15e6)),
    (r".*-(bash-completion|openrc|lang|locale|common|data)$", Estimate(0.3e6, 0.005e6, 8e6)),
)
OTHER = Estimate(4e6, 0.08e6, 60e6)


class Known(NamedTuple):
    """A table of names (regular expressions) with bytes, and the toolchain that a name belongs to ("" for none)."""

    pattern: str
    size: Estimate
    toolchain: str = ""


def megabytes(value: float, low: float, high: float) -> Estimate:
    """Write an estimate in millions of bytes."""
    return Estimate(value * 1e6, low * 1e6, high * 1e6)


def size_of(name: str, table: Iterable[Known]) -> tuple[Estimate, str, bool]:
    """Give the bytes of a package with what it brings, its toolchain, and whether the table names it."""
    for row in table:
        if re.fullmatch(row.pattern, name):
            return row.size, row.toolchain, True
    for pattern, size in CLASSES:
        if re.fullmatch(pattern, name):
            return size, "", False
    return OTHER, "", False


def content(
    names: Iterable[str], table: Iterable[Known], kind: str, present: Mapping[str, str] | None = None
) -> list[Part]:
    """Make the parts of newly installed packages: one for names of the table, one for the rest."""
    rows = tuple(table)
    total = {True: ZERO, False: ZERO}
    listed: dict[bool, list[str]] = {True: [], False: []}
    chains: dict[str, Estimate] = {}
    for name in present or {}:
        _, chain, named = size_of(name, rows)
        if named and chain:
            chains[chain] = Estimate(float("inf"), float("inf"), float("inf"))
    for name in names:
        size, chain, named = size_of(name, rows)
        listed[named].append(name)
        if chain:
            before = chains.get(chain, ZERO)
            if size.value <= before.value:
                continue
            chains[chain] = size
            size = Estimate(size.value - before.value, max(0.0, size.low - before.low), size.high - before.high)
        total[named] += size
    made = []
    for named, source in (
        (True, "usual size with what it brings"),
        (False, "usual size of its class: an interval only"),
    ):
        if listed[named]:
            size = total[named]
            count = len(listed[named])
            # Many guesses miss in both directions: the more, the narrower their sum.
            shrink = count**-0.4
            narrowed = Estimate(
                size.value,
                size.value - (size.value - size.low) * shrink,
                size.value + (size.high - size.value) * shrink,
            )
            label = ", ".join(listed[named][:3]) + (f" and {count - 3} more" if count > 3 else "")
            made.append(Part(label, narrowed, kind, source))
    return made
