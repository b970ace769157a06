"""What Python packages weigh and what they bring along: a closure over the embedded table of wheels."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from dfopt.predict import embedded
from dfopt.predict.model import ZERO, Estimate
from dfopt.predict.pep440 import Requirement, applies, is_prerelease, key, requirement

# Packages too large to be measured here: bytes unpacked and of the wheels with all they depend on, from what their
# makers and users state; wide on purpose.
_HEAVY: dict[str, tuple[Estimate, Estimate]] = {
    "torch": (Estimate(5.5e9, 0.6e9, 8.5e9), Estimate(2.8e9, 0.18e9, 3.8e9)),
    "tensorflow": (Estimate(1.8e9, 1.1e9, 3.0e9), Estimate(0.6e9, 0.4e9, 1.0e9)),
    "tensorflow-cpu": (Estimate(1.1e9, 0.7e9, 1.6e9), Estimate(0.28e9, 0.2e9, 0.4e9)),
    "tensorflow-gpu": (Estimate(1.9e9, 0.8e9, 3.0e9), Estimate(0.6e9, 0.3e9, 1.0e9)),
    "jax": (Estimate(0.45e9, 0.25e9, 5e9), Estimate(0.15e9, 0.09e9, 2.5e9)),
    "xgboost": (Estimate(0.75e9, 0.3e9, 1.4e9), Estimate(0.3e9, 0.12e9, 0.7e9)),
    "pyspark": (Estimate(0.42e9, 0.25e9, 0.55e9), Estimate(0.32e9, 0.2e9, 0.45e9)),
    "pyarrow": (Estimate(0.13e9, 0.08e9, 0.2e9), Estimate(0.042e9, 0.02e9, 0.05e9)),
    "ray": (Estimate(0.25e9, 0.15e9, 0.6e9), Estimate(0.075e9, 0.05e9, 0.2e9)),
    "polars": (Estimate(0.13e9, 0.06e9, 0.2e9), Estimate(0.036e9, 0.02e9, 0.06e9)),
    "opencv-python": (Estimate(0.2e9, 0.12e9, 0.35e9), Estimate(0.063e9, 0.04e9, 0.08e9)),
    "spacy": (Estimate(0.25e9, 0.1e9, 0.4e9), Estimate(0.07e9, 0.03e9, 0.1e9)),
    "playwright": (Estimate(0.13e9, 0.1e9, 0.18e9), Estimate(0.045e9, 0.03e9, 0.06e9)),
}
# What a package on the index usually weighs, unpacked with its dependencies and as files fetched: for names not
# measured.
_USUAL = (Estimate(1.6e6, 40e3, 40e6), Estimate(0.5e6, 15e3, 12e6))


class Wheel(NamedTuple):
    """One package that would be installed: bytes unpacked, of Python sources among them, and of the wheel.

    ``code`` is the byte code that Python 3.11 makes of the sources, None where it was not measured.
    """

    name: str
    version: str
    unpacked: Estimate
    sources: Estimate
    wheel: Estimate
    measured: bool
    files: int | None = None
    code: Estimate | None = None


@lru_cache(maxsize=1)
def _table() -> Mapping[str, Mapping[str, list[Any]]]:
    table: Mapping[str, Mapping[str, list[Any]]] = json.loads(embedded.read("pypi.json"))["packages"]
    return table


def closure(
    wanted: Iterable[Requirement], python: str, installed: Mapping[str, str], *, dependencies: bool = True,
    constraints: Mapping[str, Requirement] | None = None, upgrade: bool = False,
) -> list[Wheel]:  # fmt: skip
    """Choose what pip would install: of every package the newest recorded version that fits what was asked first.

    ``python`` is the interpreter's version ("3.11"), ``installed`` what is there already and stays unless it does not
    fit. A version that is not recorded is estimated from the nearest one, a package that is not recorded by a wide
    interval.
    """
    environment = {
        "python_version": python, "python_full_version": f"{python}.0", "sys_platform": "linux", "os_name": "posix",
        "platform_system": "Linux", "platform_machine": "x86_64", "platform_python_implementation": "CPython",
        "implementation_name": "cpython", "implementation_version": f"{python}.0", "platform_release": "",
        "platform_version": "", "extra": "",
    }  # fmt: skip
    queue = [(need, True) for need in wanted if applies(need.marker, environment)]
    # pip keeps to everything that names a package: all clauses given on the command line count from the start.
    clauses: dict[str, list[tuple[str, str]]] = {}
    for need, _ in queue:
        clauses.setdefault(need.name, []).extend(need.clauses)
    chosen: dict[str, Wheel] = {}
    seen: dict[str, set[str]] = {}
    while queue:
        need, asked = queue.pop(0)
        limit = (constraints or {}).get(need.name)
        both = [*clauses.get(need.name, ()), *need.clauses, *(limit.clauses if limit is not None else ())]
        full = need._replace(clauses=tuple(dict.fromkeys(both)))
        present = installed.get(need.name)
        if need.name not in chosen:
            if present is not None and not (upgrade and asked) and (not present or full.fits(present)) and not need.url:
                wheel = None
            else:
                wheel = _wheel(full)
                chosen[need.name] = wheel
        else:
            wheel = chosen[need.name]
        version = wheel.version if wheel is not None else present or ""
        row = _row(need.name, version)
        extras = set(need.extras) | {""}
        new = extras - seen.setdefault(need.name, set())
        if row is None or not dependencies or not new:
            continue
        seen[need.name] |= extras
        for text in row[4]:
            dependency = requirement(text)
            if dependency is not None and applies(dependency.marker, environment, tuple(sorted(new))):
                queue.append((dependency, False))
    return list(chosen.values())


def _row(name: str, version: str) -> list[Any] | None:
    """Find a package's row; the nearest version's where this one is not recorded: dependencies seldom change."""
    versions = _table().get(name)
    if not versions:
        return None
    return versions.get(version) or versions[min(versions, key=lambda known: _distance(known, version))]


def _wheel(need: Requirement) -> Wheel:
    versions = _table().get(need.name)
    if need.url:
        return Wheel(need.name, "", _USUAL[0], Estimate(0.6e6, 10e3, 10e6), ZERO, False)
    if not versions:
        unpacked, wheel = _HEAVY.get(need.name, _USUAL)
        version = need.pinned or ""
        sources = Estimate(
            min(unpacked.value * 0.5, 60e6), min(unpacked.low * 0.3, 10e6), min(unpacked.high * 0.9, 150e6)
        )
        return Wheel(need.name, version, unpacked, sources, wheel, False)
    fitting = [version for version in versions if need.fits(version) and not is_prerelease(version)]
    if fitting:
        version = max(fitting, key=key)
        # A pinned version is the one measured; another build may be chosen where it is not.
        width = 0.003 if need.pinned else 0.1
    else:
        wanted = need.pinned or (need.clauses[0][1] if need.clauses else "")
        version = min(versions, key=lambda known: _distance(known, wanted))
        width = 0.15 if key(version)[1][:1] == key(wanted)[1][:1] else 0.4
    packed, unpacked_bytes, python_bytes, files, _, *code = versions[version]
    return Wheel(
        need.name, need.pinned or version, Estimate.within(unpacked_bytes, width), Estimate.within(python_bytes, width),
        Estimate.within(packed, width), True, files, Estimate.within(code[0], width) if code else None,
    )  # fmt: skip


def _distance(known: str, wanted: str) -> float:
    mine, theirs = ((*key(version)[1], 0, 0, 0)[:3] for version in (known, wanted))
    return sum(abs(a - b) * scale for a, b, scale in zip(mine, theirs, (1e4, 1e2, 1), strict=True))
