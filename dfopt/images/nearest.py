"""The nearest recorded tag of an image, for a tag that is not recorded."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NamedTuple

Row = dict[str, Any]

_DEBIAN = ("wheezy", "jessie", "stretch", "buster", "bullseye", "bookworm", "trixie", "forky", "sid")
_UBUNTU = {"trusty": "14.04", "xenial": "16.04", "bionic": "18.04", "focal": "20.04", "jammy": "22.04",
           "noble": "24.04", "resolute": "26.04"}  # fmt: skip
_DEBIAN_NUMBERS = {"7": "wheezy", "8": "jessie", "9": "stretch", "10": "buster", "11": "bullseye", "12": "bookworm",
                   "13": "trixie"}  # fmt: skip


class _Tag(NamedTuple):
    version: tuple[int, ...]
    words: frozenset[str]
    system: str
    release: str


def nearest(tag: str, rows: Mapping[str, Row]) -> Row | None:
    """Estimate a tag from the recorded ones of the same image: the nearest version of the same variant.

    The interval is widened to +-8 % where only the patch release differs, +-25 % for another version and +-50 % for
    another variant (an Alpine tag is estimated from others only where the image has no Alpine row, and the reverse).
    """
    if not rows:
        return None
    wanted = _parse(tag)
    parsed = {name: _parse(name) for name in rows}

    def distance(name: str) -> tuple[float, float, bool, str]:
        other = parsed[name]
        return (
            _variant(wanted, other),
            _version(wanted.version, other.version),
            rows[name].get("kind") == "alias",
            name,
        )

    best = min(rows, key=distance)
    variant, version = distance(best)[:2]
    row = dict(rows[best])
    width = 0.5 if variant >= 2 or not tag else 0.25 if version >= 1 or variant >= 1 else 0.08
    size = row["bytes"]
    width = max(width, (row["high"] - row["low"]) / 2 / size if size else 0)
    row.update(kind="estimated", low=round(size * max(0, 1 - width)), high=round(size * (1 + width)))
    row["how"] = f"estimated from the tag {best}"
    row.pop("alias", None)
    if version:
        row["env"] = {key: value for key, value in (row.get("env") or {}).items() if not key.endswith("_VERSION")}
    _move(row, wanted)
    if "slim" in wanted.words:
        row["slim"] = True
    return row


def _move(row: Row, wanted: _Tag) -> None:
    """Set the distribution that the tag names, with the list of packages that goes with it."""
    if not wanted.system or (wanted.system, wanted.release) == (row["os"], row["release"]):
        return
    family = (row.get("list") or "").partition(":")[0] if row["os"] == wanted.system else wanted.system
    row.update(os=wanted.system, release=wanted.release)
    row["manager"] = "apk" if wanted.system == "alpine" else "apt"
    row["list"] = f"{family}:{wanted.release}" if wanted.release else None


@lru_cache(maxsize=4096)
def _parse(tag: str) -> _Tag:
    version: tuple[int, ...] = ()
    words: set[str] = set()
    system = release = ""
    for word in tag.lower().split("-"):
        if re.fullmatch(r"20\d{6}(\.\d+)?", word):
            continue
        if word in _DEBIAN:
            system, release = "debian", word
        elif word in _UBUNTU:
            system, release = "ubuntu", _UBUNTU[word]
        elif match := re.fullmatch(r"alpine(\d+\.\d+)?(?:\.\d+)?", word):
            system, release = "alpine", match.group(1) or ""
            words.add("alpine")
        elif match := re.fullmatch(r"debian(\d+)", word):
            system, release = "debian", _DEBIAN_NUMBERS.get(match.group(1), match.group(1))
        elif match := re.fullmatch(r"(?:ubuntu|ubi)(\d+(?:\.\d+)?)", word):
            system, release = "ubuntu" if word.startswith("ubuntu") else "rhel", match.group(1)
        elif match := re.fullmatch(r"v?(\d+(?:\.\d+)*)(.*)", word):
            if not version:
                version = tuple(int(part) for part in match.group(1).split("."))
            elif match.group(1) != "1":
                words.add(word)
        elif word != "latest" and word:
            words.add(word)
    return _Tag(version, frozenset(words), system, release)


def _variant(wanted: _Tag, other: _Tag) -> float:
    """Say how unlike two variants are: 0 the same, under 1 a word more, 2 and above a different build."""
    cost = 0.0
    for word in wanted.words ^ other.words:
        cost += {"alpine": 6.0, "slim": 4.0, "windowsservercore": 9.0, "nanoserver": 9.0}.get(word, 1.0)
    if wanted.release and other.release and wanted.release != other.release:
        cost += 0.4
    elif bool(wanted.release) != bool(other.release):
        cost += 0.1
    return cost


def _version(wanted: tuple[int, ...], other: tuple[int, ...]) -> float:
    """Say how far apart two versions are: under 1 where one is a prefix of the other."""
    if not wanted and not other:
        return 0.0
    common = 0
    for mine, theirs in zip(wanted, other, strict=False):
        if mine != theirs:
            break
        common += 1
    if common == min(len(wanted), len(other)) and (common or not wanted or not other):
        return 0.1 * abs(len(wanted) - len(other)) if common else 0.9
    scale = (100.0, 10.0, 1.0, 0.1)
    here, there = (sum(a * b for a, b in zip(version, scale, strict=False)) for version in (wanted, other))
    return 1 + abs(here - there)
