"""Durations as HEALTHCHECK takes them: Go's ``1h2m3.5s``."""

from __future__ import annotations

import re

_NANOSECONDS = {
    "ns": 1,
    "us": 1_000,
    "µs": 1_000,
    "μs": 1_000,
    "ms": 1_000_000,
    "s": 1_000_000_000,
    "m": 60_000_000_000,
    "h": 3_600_000_000_000,
}
_PART = re.compile(r"([0-9]*)(?:\.([0-9]*))?([^0-9.]*)")
_LIMIT = 2**63
MIN_NANOSECONDS = 1_000_000
"""The shortest interval that HEALTHCHECK takes, apart from 0 for the default."""


def parse_duration(text: str) -> int:
    """Read a duration; gives nanoseconds. Raises ValueError that says what is wrong.

    Follows time.ParseDuration of Go: every number needs a unit, only a bare 0 does not; the range is that of 64 bits.
    """
    rest = text
    negative = rest.startswith("-")
    if rest[:1] in ("-", "+"):
        rest = rest[1:]
    if rest == "0":
        return 0
    if not rest:
        raise ValueError("a duration such as 30s or 1m30s is expected")
    total = 0
    while rest:
        match = _PART.match(rest)
        if match is None or not (match[1] or match[2]):
            raise ValueError("a duration such as 30s or 1m30s is expected")
        if not match[3]:
            raise ValueError("the number needs a unit: ms, s, m or h")
        unit = _NANOSECONDS.get(match[3])
        if unit is None:
            raise ValueError(f"{match[3]} is no unit; use ms, s, m or h")
        whole = int(match[1] or 0) if len(match[1]) < 40 else _LIMIT
        fraction = (match[2] or "")[:40]
        total += whole * unit + (int(fraction) * unit // 10 ** len(fraction) if fraction else 0)
        if total > _LIMIT or (total == _LIMIT and not negative):
            raise ValueError("the duration is too long")
        rest = rest[match.end() :]
    return -total if negative else total
