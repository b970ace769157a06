"""npm, yarn and pnpm: what a layer holds that installs JavaScript packages.

Unpacked packages, the lock files written, the manager's own cache and logs. A lock file decides where there is one;
else the embedded table tells what came along with the packages that are named most. Figures: ``docs/data.md``.
"""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

from msgspec.structs import replace

from dfopt.images.model import ImageFacts
from dfopt.predict import embedded
from dfopt.predict.model import ZERO, Estimate, PackageCall, PackageState, Part
from dfopt.predict.nodelocks import Locked, fits, manifest, npm_lock, numbers_of, pnpm_lock, yarn_lock
from dfopt.tools.model import Invocation

_LOCK_BYTES = 350
"""Bytes of a lock file per package: the hidden one in node_modules, and as much for package-lock.json."""
_LOGS = Estimate(45_000, 25_000, 70_000)
_USUAL_PACKAGE = Estimate(60_000, 12_000, 220_000)
"""A package that is in a lock file but not in the table; of many, the average is surer than of one."""
_USUAL_ROOT = Estimate(4_000_000, 20_000, 90_000_000)
"""A package that was asked for and is not in the table, with all that comes along."""
_USUAL_DOCUMENT = 60_000
_TARBALL_SHARE = 0.22
_UNREAD = Estimate(120e6, 1e6, 900e6)
"""A project whose package.json is not known."""
# What install scripts of packages download: where it goes and how much.
_DOWNLOADS: dict[str, tuple[str, Estimate]] = {
    "puppeteer": ("/root/.cache/puppeteer", Estimate(450e6, 280e6, 700e6)),
    "cypress": ("/root/.cache/Cypress", Estimate(560e6, 400e6, 800e6)),
    "electron": ("", Estimate(250e6, 180e6, 320e6)),
    "phantomjs-prebuilt": ("", Estimate(68e6, 60e6, 75e6)),
    "node-sass": ("", Estimate(5.5e6, 3e6, 9e6)),
    "chromedriver": ("", Estimate(17e6, 12e6, 25e6)),
    "sqlite3": ("", Estimate(2.5e6, 1.5e6, 15e6)),
    "bcrypt": ("", Estimate(0.25e6, 0.1e6, 3e6)),
}


def start(facts: ImageFacts | None) -> PackageState:
    """Give the state of a base image: nothing is installed beside the manager itself."""
    release = (facts.environment.get("NODE_VERSION") or "") if facts is not None else ""
    return PackageState("npm", facts.distribution if facts is not None else "", release, known=facts is not None)


def run(call: PackageCall, state: PackageState) -> PackageState:
    """Give the state after a call of npm, yarn or pnpm."""
    invocation = call.invocation
    action = invocation.action
    if invocation.has("--dry-run", "--package-lock-only", "--help", "-h", "--version", "-v"):
        return state
    if action == "remove" or _word(invocation) in ("remove", "uninstall", "rm", "prune"):
        return _removed(call, state)
    if action not in ("install", "upgrade"):
        return state
    if _is_global(invocation):
        return _installed(call, state, _wanted_words(invocation), {}, "global")
    words = _wanted_words(invocation)
    locked = _locked(call)
    production = _is_production(call)
    if locked is not None and not words:
        chosen = [row for row in locked if not (row.dev and production)]
        return _from_lock(call, state, chosen)
    text = call.read(posixpath.join(call.directory, "package.json"))
    if text is None:
        if not words:
            return _unread(call, state)
        return _installed(call, state, words, {}, "new")
    needs, dev = manifest(text)
    if locked is not None:
        state = _from_lock(call, state, [row for row in locked if not (row.dev and production)])
        return _installed(call, state, words, {}, "new")
    return _installed(call, state, {**needs, **words}, {} if production else dev, "new")


def _word(invocation: Invocation) -> str:
    return (invocation.verb.value or "") if invocation.verb is not None else ""


def _family(invocation: Invocation) -> str:
    name = invocation.tool.names[0]
    return name if name in ("yarn", "pnpm") else "npm"


def _is_global(invocation: Invocation) -> bool:
    return invocation.has("-g") or invocation.options.get("--location") == "global" or _word(invocation) == "global"


def _is_production(call: PackageCall) -> bool:
    invocation = call.invocation
    if invocation.has("--production", "--prod", "-P", "--no-dev"):
        value = invocation.options.get("--production")
        return (value or "true").lower() != "false"
    if invocation.options.get("--omit") == "dev" or str(invocation.options.get("--only", "")).startswith("prod"):
        return True
    included = invocation.options.get("--include") == "dev"
    return call.environment.get("NODE_ENV") == "production" and not included


def _wanted_words(invocation: Invocation) -> dict[str, str]:
    wanted = {}
    for word in invocation.operands:
        text = word.value if word.value is not None else word.pattern
        if text in (".", "./", "add", "global", "install", "i") or not text:
            continue
        match = re.fullmatch(r"((?:@[^@/]+/)?[^@/:]+)(?:@(.+))?", text)
        wanted[match.group(1) if match else text] = (match.group(2) or "latest") if match else "url"
    return wanted


def _locked(call: PackageCall) -> list[Locked] | None:
    readers = {"npm": (("npm-shrinkwrap.json", npm_lock), ("package-lock.json", npm_lock)),
               "yarn": (("yarn.lock", yarn_lock),), "pnpm": (("pnpm-lock.yaml", pnpm_lock),)}  # fmt: skip
    for name, reader in readers[_family(call.invocation)]:
        text = call.read(posixpath.join(call.directory, name))
        if text is not None and (rows := reader(text)):
            return rows
    return None


@lru_cache(maxsize=1)
def _table() -> Mapping[str, Any]:
    table: Mapping[str, Any] = json.loads(embedded.read("npm.json"))
    return table


def _package(name: str, version: str) -> tuple[Estimate, Estimate, bool]:
    """Give the bytes of a package on disk and of its tarball, and whether they rest on the table."""
    rows = _table()["packages"].get(name)
    if not rows:
        return _USUAL_PACKAGE, _USUAL_PACKAGE.scaled(_TARBALL_SHARE), False
    known = rows.get(version)
    if known is not None:
        return Estimate.within(known[0], 0.002), Estimate.within(known[1], 0.002), True
    nearest = min(rows, key=lambda other: _distance(other, version))
    width = 0.2 if numbers_of(nearest)[0] == numbers_of(version)[0] else 0.5
    return Estimate.within(rows[nearest][0], width), Estimate.within(rows[nearest][1], width), True


def _distance(one: str, other: str) -> float:
    return sum(
        abs(a - b) * scale for a, b, scale in zip(numbers_of(one), numbers_of(other), (1e6, 1e3, 1), strict=True)
    )


def _from_lock(call: PackageCall, state: PackageState, rows: Iterable[Locked]) -> PackageState:
    memory, installed = dict(state.memory), dict(state.installed)
    tarballs, unpacked, count, unknown = ZERO, ZERO, 0, 0
    scripts: list[str] = []
    for row in rows:
        name = f"{row.name}@{row.version}"
        size, tarball, measured = _package(row.name, row.version)
        unknown += not measured
        _remember(memory, name, size, measured, row.dev)
        installed[name] = row.version
        tarballs, unpacked, count = tarballs + tarball, unpacked + size, count + 1
        scripts.append(row.name)
    _leave(call, memory, count, tarballs, unpacked, 0.0)
    _downloads(call, memory, scripts)
    return replace(state, installed=installed, memory=memory, calls=state.calls + 1)


def _installed(
    call: PackageCall, state: PackageState, wanted: Mapping[str, str], dev: Mapping[str, str], kind: str
) -> PackageState:
    memory, installed = dict(state.memory), dict(state.installed)
    tarballs, unpacked, count, documents = ZERO, ZERO, 0, 0.0
    seen: list[str] = []
    for needs, is_dev in ((wanted, False), (dev, True)):
        for name, version_range in needs.items():
            rows, width = _closure(name, version_range)
            for text, size, tarball in rows:
                if text in installed:
                    continue
                size = Estimate(size.value, size.low * (1 - width), size.high * (1 + width))
                _remember(memory, text, size, len(rows) > 1 or width < 0.5, is_dev)
                installed[text] = text.rpartition("@")[2]
                plain = text.rpartition("@")[0]
                seen.append(plain)
                documents += _table()["documents"].get(plain, _USUAL_DOCUMENT)
                tarballs, unpacked, count = tarballs + tarball, unpacked + size, count + 1
    _leave(call, memory, count, tarballs, unpacked, documents, lock=kind != "global")
    _downloads(call, memory, seen)
    notes = state.notes
    strange = [name for name in wanted if not _closure(name, wanted[name])[1] < 0.5]
    if strange:
        notes = (*notes, f"not in the table: {', '.join(strange[:4])}")
    return replace(state, installed=installed, memory=memory, calls=state.calls + 1, notes=notes,
                   manual=state.manual | set(wanted) | set(dev))  # fmt: skip


def _closure(name: str, wanted: str) -> tuple[list[tuple[str, Estimate, Estimate]], float]:
    """Give what comes along with a package, and how far off its sizes may be because of another version."""
    roots = {text.rpartition("@")[2]: names for text, names in _roots(name)}
    if not roots:
        return [(f"{name}@{wanted}", _USUAL_ROOT, _USUAL_ROOT.scaled(_TARBALL_SHARE))], 0.5
    exact = wanted.lstrip("=v")
    fitting = [version for version in roots if fits(version, wanted)]
    if exact in roots:
        version, width = exact, 0.01
    elif fitting:
        version, width = max(fitting, key=numbers_of), 0.08
    else:
        asked = re.search(r"\d[\d.]*", wanted)
        version = min(roots, key=lambda known: _distance(known, asked.group(0) if asked else ""))
        width = 0.4
    found = []
    for text in roots[version]:
        plain, _, number = text.rpartition("@")
        size, tarball, _ = _package(plain, number)
        found.append((text, size, tarball))
    return found, width


@lru_cache(maxsize=256)
def _roots(name: str) -> list[tuple[str, list[str]]]:
    return [(text, names) for text, names in _table()["roots"].items() if text.rpartition("@")[0] == name]


def _remember(memory: dict[str, float], name: str, size: Estimate, measured: bool, dev: bool) -> None:
    for key, value in (("size", size.value), ("low", size.low), ("high", size.high), ("measured", float(measured)),
                       ("dev", float(dev))):  # fmt: skip
        memory[f"{key} {name}"] = value


def _leave(
    call: PackageCall, memory: dict[str, float], count: int, tarballs: Estimate, unpacked: Estimate, documents: float,
    *, lock: bool = True,
) -> None:  # fmt: skip
    """Note what the manager leaves beside the packages: lock files, cache, logs."""
    family = _family(call.invocation)
    writes_lock = lock and not call.invocation.has(
        "--no-package-lock", "--no-lockfile", "--frozen-lockfile", "--no-save"
    )
    existing = _locked(call) is not None
    locks = count * _LOCK_BYTES * ((1 if lock else 0) + (1 if writes_lock and not existing else 0))
    if family == "yarn":
        cache = Estimate(
            unpacked.value + tarballs.value, (unpacked.low + tarballs.low) * 0.9, (unpacked.high + tarballs.high) * 1.2
        )
        path = "/usr/local/share/.cache"
    elif family == "pnpm":
        # The store's files are hard links to those in node_modules, which count once in a layer.
        cache, path = Estimate(0.02 * unpacked.value, 0, 0.1 * unpacked.high), "/root/.local/share/pnpm"
    else:
        value = tarballs.value + documents + 1_000 * count
        cache = Estimate(value, tarballs.low + 0.5 * documents, tarballs.high + 2.0 * documents + 2_000 * count)
        path = "/root/.npm"
        for key, logs in (("logs", _LOGS.value), ("logs low", _LOGS.low), ("logs high", _LOGS.high)):
            memory[key] = memory.get(key, 0) + logs
    for key, value in (("locks", float(locks)), (f"cache value {path}", cache.value), (f"cache low {path}", cache.low),
                       (f"cache high {path}", cache.high)):  # fmt: skip
        memory[key] = memory.get(key, 0) + value


def _downloads(call: PackageCall, memory: dict[str, float], names: Iterable[str]) -> None:
    if call.invocation.has("--ignore-scripts"):
        return
    for name in names:
        if name in _DOWNLOADS and f"download value {name}" not in memory:
            size = _DOWNLOADS[name][1]
            for key, value in (("value", size.value), ("low", size.low), ("high", size.high)):
                memory[f"download {key} {name}"] = value


def _unread(call: PackageCall, state: PackageState) -> PackageState:
    memory, installed = dict(state.memory), dict(state.installed)
    name = f"what {posixpath.join(call.directory, 'package.json')} asks for"
    _remember(memory, name, _UNREAD, False, False)
    installed[name] = "?"
    _leave(call, memory, 300, _UNREAD.scaled(_TARBALL_SHARE), _UNREAD, 5e6)
    return replace(
        state, installed=installed, memory=memory, calls=state.calls + 1, notes=(*state.notes, f"{name} is not known")
    )


def _removed(call: PackageCall, state: PackageState) -> PackageState:
    if _word(call.invocation) == "prune":
        gone = {name for name in state.installed if state.memory.get(f"dev {name}")}
    else:
        gone = {name for name in state.installed if name.rpartition("@")[0] in _wanted_words(call.invocation)}
    return replace(
        state, installed={name: v for name, v in state.installed.items() if name not in gone}, calls=state.calls + 1
    )


def parts(before: PackageState, after: PackageState) -> tuple[Part, ...]:
    """Give what a layer holds that led from one state to the other; cache and logs are parts of their own, at their
    paths.
    """
    made: list[Part] = []
    memory = after.memory
    new = [name for name in after.installed if name not in before.installed]
    for measured, source in (
        (True, "sizes counted in node_modules"),
        (False, "not in the table: a usual package's size"),
    ):
        names = [name for name in new if bool(memory.get(f"measured {name}")) == measured]
        if not names:
            continue
        total = Estimate(*(sum(memory[f"{key} {name}"] for name in names) for key in ("size", "low", "high")))
        if not measured and len(names) > 8:
            # The average over many packages is surer than a single one.
            total = Estimate(total.value, total.value * 0.45, total.value * 1.9)
        made.append(Part(_label(names, before, after), total, "npm", source, files=None))
    locks = memory.get("locks", 0) - before.memory.get("locks", 0)
    if locks:
        made.append(Part("lock files", Estimate.within(locks, 0.4), "npm", "350 bytes per package"))
    for key in [key for key in memory if key.startswith("cache value ")]:
        path = key.removeprefix("cache value ")
        size = Estimate(*(memory[f"cache {word} {path}"] - before.memory.get(f"cache {word} {path}", 0)
                          for word in ("value", "low", "high")))  # fmt: skip
        if size.high > 0:
            made.append(
                Part(
                    "the package manager's cache",
                    size,
                    "cache",
                    "tarballs and metadata documents",
                    path,
                    compressed=0.75,
                )
            )
    logs = Estimate(*(memory.get(key, 0) - before.memory.get(key, 0) for key in ("logs", "logs low", "logs high")))
    if logs.high > 0:
        made.append(Part("npm's logs", logs, "logs", "one per call", "/root/.npm/_logs", compressed=0.1))
    for name, (path, size) in _DOWNLOADS.items():
        if f"download value {name}" in memory and f"download value {name}" not in before.memory:
            made.append(
                Part(f"what {name} downloads", size, "npm", "an interval from what its versions download", path)
            )
    return tuple(made)


def _label(names: list[str], before: PackageState, after: PackageState) -> str:
    plain = [name.rpartition("@")[0] or name for name in names]
    asked = [name for name in plain if name in after.manual and name not in before.manual]
    others = len(names) - len(asked)
    if not asked:
        return f"{len(names)} package{'s' if len(names) > 1 else ''}"
    label = ", ".join(asked[:3]) + (f" and {len(asked) - 3} more" if len(asked) > 3 else "")
    return label + (f" and {others} dependenc{'ies' if others > 1 else 'y'}" if others > 0 else "")
