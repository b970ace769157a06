"""How many bytes a Debian package really lays down, on a full image and on one that leaves docs out.

Installed-Size counts every file and folder in whole KiB and knows nothing of the files that slim images leave out, so
measured packages come from a table (their measured share of Installed-Size, so that it holds for later versions too);
others get the mean share of packages of the same class and size, with the spread seen there as the interval.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from typing import Any, NamedTuple

from dfopt.predict import embedded
from dfopt.predict.model import Estimate

_CLASSES = (
    ("doc", re.compile(r"-docs?$|^manpages")),
    ("locale", re.compile(r"-l10n(-|$)|-locale|^(language-pack|hunspell|aspell|myspell|tesseract-ocr)-")),
    ("dev", re.compile(r"-dev$")),
    ("fonts", re.compile(r"^(x?fonts|ttf)-")),
    ("python", re.compile(r"^python3?-")),
    ("perl", re.compile(r"-perl$")),
    ("libcommon", re.compile(r"^lib.*-(common|data)$")),
    ("common", re.compile(r"-(common|data)$")),
    ("lib", re.compile(r"^lib|^gir1")),
)
_SIZES = (("small", 200_000), ("middle", 2_000_000), ("large", 10_000_000))
_FROM_BUILDS: list[bool] = [True]


class Content(NamedTuple):
    """The bytes of a package's files and of its files in /var/lib/dpkg/info; whether they rest on a measurement.

    ``python`` are the bytes of its Python modules for all programs, None where they were not counted.
    """

    files: Estimate
    info: float
    measured: bool
    python: float | None = None


def classify(name: str, installed_bytes: int) -> tuple[str, str]:
    """Give the class of a package by its name, and that of its size."""
    kind = next((kind for kind, pattern in _CLASSES if pattern.search(name)), "program")
    size = next((size for size, limit in _SIZES if installed_bytes < limit), "huge")
    return kind, size


@lru_cache(maxsize=8192)
def content(name: str, installed_bytes: int, slim: bool, release: str = "bookworm") -> Content:
    """Estimate what a package of a release holds.

    ``installed_bytes`` is its Installed-Size in bytes, ``slim`` tells that docs are left out.
    """
    kind = "slim" if slim else "full"
    row = _measured(name, release)
    python = None
    if row is not None and row["python"] is not None and row["inst"]:
        python = row["python"] * installed_bytes / row["inst"]
    if row is not None and row[kind] is not None and row["inst"]:
        share = row[kind] / row["inst"]
        # The same build is exact; a security update keeps its share of docs and rounding, another release less so.
        change = abs(installed_bytes / row["inst"] - 1)
        width = min(0.6, 0.002 + change if row["exact"] else 0.05 + 0.5 * change)
        info = row["info"] * installed_bytes / row["inst"] if row["info"] is not None else _usual_info(installed_bytes)
        value = installed_bytes * share
        estimate = Estimate(value * (1 - width), value * (1 - width), min(value * (1 + width), 1.0 * installed_bytes))
        return Content(Estimate(value, estimate.low, max(value, estimate.high)), info, True, python)
    shares = _shares(kind, name, installed_bytes)
    if row is not None and row["full" if slim else "slim"] is not None and row["inst"]:
        # Known on the other kind of image: docs are what lies between.
        other = installed_bytes * row["full" if slim else "slim"] / row["inst"]
        low, high = (other * 0.5, other) if slim else (other, max(other, float(installed_bytes)))
        value = min(max(installed_bytes * shares[0], low), high)
        return Content(Estimate(value, min(value, low), max(value, high)), _usual_info(installed_bytes), False, python)
    mean, low, high = (share * installed_bytes for share in shares)
    return Content(Estimate(mean, low, high), _usual_info(installed_bytes), False, python)


def questions(name: str) -> float:
    """Give the bytes of a package's debconf questions, 0 where it has none or was not measured."""
    row = _table()["packages"].get(name)
    return float(row[6]) if row is not None and len(row) > 6 else 0.0


def is_measured(name: str, release: str) -> bool:
    """Tell whether a package's content was measured, full and slim, in this release itself."""
    row = _measured(name, release)
    return row is not None and row["full"] is not None and row["slim"] is not None and bool(row["exact"])


@contextmanager
def without_built_rows() -> Iterator[None]:
    """Leave out the rows that come from layers which were built for comparison: for honest errors in measurements."""
    _FROM_BUILDS[0] = False
    _forget()
    try:
        yield
    finally:
        _FROM_BUILDS[0] = True
        _forget()


def _forget() -> None:
    _measured.cache_clear()
    content.cache_clear()


def _usual_info(installed_bytes: int) -> float:
    return 8_700 + 0.0038 * installed_bytes


@lru_cache(maxsize=1)
def _table() -> Mapping[str, Any]:
    loaded: Mapping[str, Any] = json.loads(embedded.read("apt-content.json"))
    return loaded


@lru_cache(maxsize=1)
def _by_family() -> Mapping[str, str]:
    """Map names without their versions to a measured name: perl-modules-5.40 is like perl-modules-5.36."""
    found: dict[str, str] = {}
    for name, row in _table()["packages"].items():
        family = _family(name)
        if family != name and not row[4]:
            found[family] = name
    return found


def _family(name: str) -> str:
    return re.sub(r"\d+(\.\d+)*", "#", re.sub(r"t64$", "", name))


@lru_cache(maxsize=4096)
def _measured(name: str, release: str) -> Mapping[str, Any] | None:
    """Find the row of a package: of the release itself, else of bookworm, else of another version's package there."""
    packages, own = _table()["packages"], _table()["releases"].get(release, {})
    row, exact = (own[name], True) if name in own else (packages.get(name), release == "bookworm")
    if row is not None and row[4] and not _FROM_BUILDS[0]:
        row = None
    if row is None:
        row, exact = packages.get(_by_family().get(_family(name), "")), False
    if row is None:
        return None
    return {"inst": row[0], "full": row[1], "slim": row[2], "info": row[3], "exact": exact,
            "python": row[5] if len(row) > 5 and row[5] else None}  # fmt: skip


def _shares(kind: str, name: str, installed_bytes: int) -> tuple[float, float, float]:
    classes = _table()["classes"][kind]
    name_class, size_class = classify(name, installed_bytes)
    for key in (f"{name_class} {size_class}", name_class, f"any {size_class}"):
        if key in classes:
            mean, low, high = classes[key]
            # A little wider than seen: the packages that were not measured are the less usual ones.
            return mean, max(0.0, mean - 1.3 * (mean - low)), min(1.0, mean + 1.3 * (high - mean))
    return 0.9, 0.3, 1.0
