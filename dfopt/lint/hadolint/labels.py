"""The schema of labels: which a stage must have, and what their values must look like."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import datetime

from dfopt.lint.hadolint.model import File, Hit, Line, Places, plain
from dfopt.lint.licenses import is_current_identifier
from dfopt.syntax.tree import Copy, Label

_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\s<>\"{}|\\^`]*")
_TIME = re.compile(r"(\d{4}-\d{2}-\d{2})[Tt](\d{2}:\d{2}:\d{2})(?:\.\d+)?(?:[Zz]|[+-]\d{2}:\d{2})")
_HASH = re.compile(r"[0-9a-f]{7}|[0-9a-f]{40}")
_IDENTIFIERS = r"[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*"
_VERSION = re.compile(rf"\d+\.\d+\.\d+(?:-{_IDENTIFIERS})?(?:\+{_IDENTIFIERS})?")
_EMAIL = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*")


def _is_time(value: str) -> bool:
    match = _TIME.fullmatch(value)
    if match is None:
        return False
    try:
        datetime.fromisoformat(f"{match[1]} {match[2]}")
    except ValueError:
        return False
    return True


_TYPES: dict[str, tuple[str, Callable[[str], object]]] = {
    "url": ("DL3052", _URI.fullmatch),
    "rfc3339": ("DL3053", _is_time),
    "spdx": ("DL3054", is_current_identifier),
    "hash": ("DL3055", _HASH.fullmatch),
    "semver": ("DL3056", _VERSION.fullmatch),
    "email": ("DL3058", _EMAIL.fullmatch),
}


def _pairs(file: File) -> Iterator[tuple[Line, str, str]]:
    for line in file.lines:
        if isinstance(line.instruction, Label):
            for key, value in line.pairs:
                yield line, key, plain(value)


def _missing(file: File) -> Iterator[Hit]:
    """Give each stage and label where the label is set neither in it nor in a stage that is made from it."""
    stages = [(start, lines) for start, lines in file.stages() if start is not None]
    for label in file.settings.labels:
        fine: set[str] = set()  # names of stages that have the label, or whose files go into one that has
        bad: list[Line] = []
        for start, lines in stages:
            instructions = [line.instruction for line in lines]
            own = any(key == label for line in lines if isinstance(line.instruction, Label) for key, _ in line.pairs)
            if own or start.image.full_name in fine:
                fine.update(name for name in (start.alias, start.image.full_name if own else None) if name)
            else:
                bad.append(start)
            fine.update(one.from_ for one in instructions if own and isinstance(one, Copy) and one.from_)
        yield from (Hit(start, label) for start in bad if start.alias not in fine)


def _unknown(file: File) -> Iterator[Hit]:
    if file.settings.strict_labels:
        seen: set[int] = set()
        for line, key, _ in _pairs(file):
            if key not in file.settings.labels and line.number not in seen:
                seen.add(line.number)
                yield Hit(line, key)


def _empty(file: File) -> Iterator[Hit]:
    return (Hit(line, key) for line, key, value in _pairs(file) if key in file.settings.labels and not value)


def _wrong(kind: str, is_good: Callable[[str], object]) -> Places:
    def places(file: File) -> Iterator[Hit]:
        for line, key, value in _pairs(file):
            if file.settings.labels.get(key) == kind and not is_good(value):
                yield Hit(line, key)

    return places


LABELS: dict[str, Places] = {
    "DL3049": _missing,
    "DL3050": _unknown,
    "DL3051": _empty,
    **{code: _wrong(kind, is_good) for kind, (code, is_good) in _TYPES.items()},
}
"""The checks by their codes."""
