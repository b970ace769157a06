"""Versions and requirements of Python packages, as PEP 440 and PEP 508 define them; as much of it as sizes need."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

_VERSION = re.compile(
    r"v?(?:(\d+)!)?(\d+(?:\.\d+)*)(?:[-_.]?(a|b|c|rc|alpha|beta|pre|preview)[-_.]?(\d*))?"
    r"(?:-(\d+)|[-_.]?(?:post|rev|r)[-_.]?(\d*))?(?:[-_.]?dev[-_.]?(\d*))?(?:\+[a-z0-9._-]+)?$",
    re.IGNORECASE,
)
_REQUIREMENT = re.compile(
    r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)\s*(?:\[([^\]]*)\])?\s*(?:@\s*(\S+)|\(?([^;()]*)\)?)\s*(?:;\s*(.*))?$"
)
_CLAUSE = re.compile(r"\s*(===|~=|==|!=|<=|>=|<|>)\s*([^\s,]+)\s*$")
_TOKEN = re.compile(r"\s*(\(|\)|'[^']*'|\"[^\"]*\"|===|~=|==|!=|<=|>=|<|>|not\s+in\b|in\b|and\b|or\b|[\w.]+)")

Key = tuple[int, tuple[int, ...], tuple[int, int], int, float]


class Requirement(NamedTuple):
    """A requirement: normalised name, extras, clauses (operator, version), URL and marker ("" where there is none)."""

    name: str
    extras: tuple[str, ...] = ()
    clauses: tuple[tuple[str, str], ...] = ()
    url: str = ""
    marker: str = ""

    @property
    def pinned(self) -> str | None:
        """The one version that is asked for, or None."""
        return next(
            (version for operator, version in self.clauses if operator in ("==", "===") and "*" not in version), None
        )

    def fits(self, version: str) -> bool:
        """Tell whether a version meets all clauses."""
        return all(_fits(version, operator, wanted) for operator, wanted in self.clauses)


def normal(name: str) -> str:
    """Write a name as PEP 503 normalises it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def requirement(text: str) -> Requirement | None:
    """Read one requirement; None where the text is none."""
    match = _REQUIREMENT.match(text)
    if match is None:
        return None
    name, extras, url, clauses, marker = match.groups()
    found = []
    for part in (clauses or "").split(","):
        if not part.strip():
            continue
        clause = _CLAUSE.match(part)
        if clause is None:
            return None
        found.append((clause.group(1), clause.group(2)))
    asked = tuple(normal(extra.strip()) for extra in (extras or "").split(",") if extra.strip())
    return Requirement(normal(name), asked, tuple(found), url or "", (marker or "").strip())


@lru_cache(maxsize=4096)
def key(version: str) -> Key:
    """Give a version's sort key; what is no version sorts below all."""
    match = _VERSION.match(version.strip())
    if match is None:
        return (-1, (), (0, 0), 0, 0.0)
    epoch, release, pre, pre_number, post, post_word, dev = match.groups()
    numbers = [int(part) for part in release.split(".")]
    while len(numbers) > 1 and numbers[-1] == 0:
        numbers.pop()
    stage = {"a": 0, "b": 1, "c": 2, "r": 2, "p": 2}[pre[0].lower()] if pre else 3
    if pre and pre.lower() in ("alpha", "beta"):
        stage = 0 if pre.lower() == "alpha" else 1
    late = -1 if post is None and post_word is None else int(post or post_word or 0)
    if dev is not None and not pre and late < 0:
        stage = -1
    return (
        int(epoch or 0),
        tuple(numbers),
        (stage, int(pre_number or 0)),
        late,
        float(dev) if dev else (0.0 if dev == "" else 1e9),
    )


def is_prerelease(version: str) -> bool:
    """Tell whether a version is an alpha, beta, candidate or development one."""
    return key(version)[2][0] < 3


def _fits(version: str, operator: str, wanted: str) -> bool:
    if operator == "===":
        return version == wanted
    if wanted.endswith(".*"):
        prefix = key(wanted[:-2])[1]
        same = _padded(key(version)[1], len(wanted[:-2].split("."))) == _padded(prefix, len(wanted[:-2].split(".")))
        return same if operator == "==" else not same
    mine, theirs = key(version), key(wanted)
    if operator == "~=":
        parts = wanted.split(".")
        return mine >= theirs and _padded(mine[1], len(parts) - 1) == _padded(theirs[1], len(parts) - 1)
    return {"==": mine == theirs, "!=": mine != theirs, "<=": mine <= theirs, ">=": mine >= theirs,
            "<": mine < theirs, ">": mine > theirs}[operator]  # fmt: skip


def _padded(numbers: tuple[int, ...], length: int) -> tuple[int, ...]:
    return (numbers + (0,) * length)[:length]


def applies(marker: str, environment: Mapping[str, str], extras: tuple[str, ...] = ()) -> bool:
    """Evaluate a marker ("python_version < '3.10' and extra == 'x'"); an unreadable one applies."""
    if not marker:
        return True
    tokens = [match.group(1) for match in _TOKEN.finditer(marker)]
    results = []
    for extra in extras or ("",):
        try:
            results.append(_either(list(tokens), {**environment, "extra": extra}))
        except (IndexError, KeyError, ValueError):
            return True
    return any(results)


def _either(tokens: list[str], environment: Mapping[str, str]) -> bool:
    value = _both(tokens, environment)
    while tokens and tokens[0] == "or":
        tokens.pop(0)
        other = _both(tokens, environment)
        value = value or other
    return value


def _both(tokens: list[str], environment: Mapping[str, str]) -> bool:
    value = _one(tokens, environment)
    while tokens and tokens[0] == "and":
        tokens.pop(0)
        other = _one(tokens, environment)
        value = value and other
    return value


def _one(tokens: list[str], environment: Mapping[str, str]) -> bool:
    first = tokens.pop(0)
    if first == "(":
        value = _either(tokens, environment)
        tokens.pop(0)
        return value
    operator, second = tokens.pop(0), tokens.pop(0)
    left, right = (token[1:-1] if token[0] in "'\"" else environment[token] for token in (first, second))
    if operator == "in":
        return left in right
    if operator.startswith("not"):
        return left not in right
    if "extra" in (first, second):
        return (normal(left) == normal(right)) == (operator == "==")
    is_version = first.startswith(("python", "implementation_version")) or second.startswith("python")
    if is_version and key(left)[0] >= 0 and key(right.removesuffix(".*"))[0] >= 0:
        return _fits(left, operator, right)
    return {"==": left == right, "!=": left != right, "<": left < right, ">": left > right, "<=": left <= right,
            ">=": left >= right, "~=": left == right, "===": left == right}[operator]  # fmt: skip
