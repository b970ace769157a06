"""pip and its relatives (uv, poetry, pipenv, pdm): what a layer holds that installs Python packages.

Unpacked wheels, the byte code that is made of them, the byte code of pip and the standard library on the first call
in an official Python image, and the cache unless it is switched off. Figures: ``docs/data.md``.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Mapping

from msgspec.structs import replace

from dfopt.images.model import ImageFacts
from dfopt.predict.model import ZERO, Estimate, PackageCall, PackageState, Part
from dfopt.predict.pep440 import Requirement, normal
from dfopt.predict.requirements import Wanted, argument, lock_file, project, requirements_file
from dfopt.predict.wheels import Wheel, closure
from dfopt.tools.model import Invocation

# Bytes of byte code per byte of sources, by the interpreter's version, and how sure that is.
_BYTE_CODE = {"2.7": (0.95, 0.15), "3.6": (0.9, 0.12), "3.7": (0.9, 0.12), "3.8": (0.92, 0.1), "3.9": (0.95, 0.1),
              "3.10": (0.97, 0.1), "3.11": (1.29, 0.04), "3.12": (1.2, 0.06), "3.13": (1.19, 0.04)}  # fmt: skip
_NEWEST_PYTHON = "3.14"
_BYTE_CODE_USUAL = (1.19, 0.08)
_FIRST_CALL = Estimate(10_600_000, 9_300_000, 12_000_000)
"""Byte code of pip itself and of the standard library, which official images leave out."""
_FIRST_ENVIRONMENT = Estimate(5_200_000, 4_000_000, 6_500_000)
"""The part of it that making a virtual environment leaves in the standard library."""
_CACHE_PER_WHEEL = 840
_INDEX_PAGE = 90_000
"""What an index page of a package weighs in the cache, if the index lets pip keep it: only in the interval's upper
end."""
_ENVIRONMENT = {True: Estimate(22_300_000, 20_000_000, 24_500_000), False: Estimate(13_500_000, 10_000_000, 16_500_000)}
"""A virtual environment with pip and setuptools (Python up to 3.11) and with pip alone, byte code included."""
_PROJECT = Estimate(150_000, 8_000, 6_000_000)
_UNREAD = (Estimate(45e6, 1e6, 450e6), Estimate(14e6, 0.3e6, 120e6), Estimate(13e6, 0.2e6, 100e6))
"""Requirements that cannot be read: unpacked, sources and wheels of a usual project's dependencies."""

_CACHE = "/root/.cache/pip"
_CACHES = {"uv": "/root/.cache/uv", "poetry": "/root/.cache/pypoetry", "pdm": "/root/.cache/pdm"}
# Parts that lie at a path of their own: the key in a state's memory, the label, the source.
_AT_PATHS = (
    ("cache", "the installer's cache", "the wheels; nothing where the index forbids to keep them"),
    ("wheels", "wheels", "embedded table of wheels"),
    ("venv", "virtual environment", "measured"),
)

_SYSTEM_PYTHON = {
    ("debian", "jessie"): "3.4",
    ("debian", "stretch"): "3.5",
    ("debian", "buster"): "3.7",
    ("debian", "bullseye"): "3.9",
    ("debian", "bookworm"): "3.11",
    ("debian", "trixie"): "3.13",
    ("ubuntu", "16.04"): "3.5",
    ("ubuntu", "18.04"): "3.6",
    ("ubuntu", "20.04"): "3.8",
    ("ubuntu", "22.04"): "3.10",
    ("ubuntu", "24.04"): "3.12",
    ("ubuntu", "26.04"): "3.13",
}


def start(facts: ImageFacts | None) -> PackageState:
    """Give the state of a base image: the interpreter's version, and whether its byte code is still to be made."""
    if facts is None:
        return PackageState("pip", release="3.12", known=False)
    version = facts.environment.get("PYTHON_VERSION") or ""
    official = "python3" in facts.commands or bool(version)
    if not version and (match := re.search(r"python:v?(\d+\.\d+)", facts.reference)):
        version = match.group(1)
    if not version and official:
        version = _NEWEST_PYTHON
    if not version:
        version = _SYSTEM_PYTHON.get((facts.distribution, facts.release), "3.12")
    minor = ".".join(version.split(".")[:2])
    installed = {"pip": ""} if official else {}
    if official and tuple(int(part) for part in minor.split(".")[:2] if part.isdigit()) < (3, 12):
        installed |= {"setuptools": "", "wheel": ""}
    return PackageState("pip", facts.distribution, minor, installed, known=official,
                        traits=frozenset({"official"} if official else ()))  # fmt: skip


def run(call: PackageCall, state: PackageState) -> PackageState:
    """Give the state after a call of pip, uv, poetry, pipenv or of what makes a virtual environment."""
    invocation = call.invocation
    family, action = invocation.family, invocation.action
    if action == "query" or invocation.has("--dry-run", "--help", "-h", "--version", "-V"):
        return state
    if family in ("venv", "virtualenv") or (action == "make-directory" and family in ("uv", "poetry")):
        return _environment(call, state)
    if action == "remove" and _verb(invocation) in ("uninstall", "pip uninstall"):
        gone = {normal(word) for word in _words(invocation)}
        return replace(state, installed={name: v for name, v in state.installed.items() if name not in gone})
    if action not in ("install", "upgrade", "fetch", "sync"):
        return state
    state = _first_call(call, state) if family == "pip" else state
    wanted = _wanted(call)
    if action == "fetch":
        return _fetched(call, state, wanted)
    return _installed(call, state, wanted)


def _verb(invocation: Invocation) -> str:
    return invocation.subcommand.names[0] if invocation.subcommand.names else ""


def _words(invocation: Invocation) -> list[str]:
    return [word.value if word.value is not None else word.pattern for word in invocation.operands]


def _values(invocation: Invocation, *names: str) -> list[str]:
    return [word.value or word.pattern for name in names for word in invocation.values(name)]


def _wanted(call: PackageCall) -> Wanted:
    """Gather what a call asks for: its words, the files it names, the project's manifest or lock file."""
    invocation = call.invocation
    found = Wanted()
    for path in _values(invocation, "-r"):
        found = found.and_also(requirements_file(posixpath.join(call.directory, path), call.read))
    for path in _values(invocation, "-c"):
        below = requirements_file(posixpath.join(call.directory, path), call.read)
        found = found.and_also(Wanted(constraints=below.requirements + below.constraints))
    if invocation.family in ("pip", "uv", "pipx") and _verb(invocation) not in ("sync",):
        for word in invocation.operands:
            text = word.value if word.value is not None else word.pattern
            if word.value is None and text.startswith("*"):
                found = found.and_also(Wanted(missing=(word.raw,)))
            else:
                found = found.and_also(argument(text, call.directory))
        for text in _values(invocation, "-e"):
            found = found.and_also(argument(text, call.directory))
    if invocation.family in ("poetry", "pipenv", "pdm") or _verb(invocation) == "sync":
        found = found.and_also(_locked(call))
        for text in _words(invocation) if _verb(invocation) != "sync" else ():
            found = found.and_also(argument(re.sub(r"@(?=[\d^~])", "==", text), call.directory))
    for folder in found.projects:
        if call.read(posixpath.join(folder, "pyproject.toml")) or not folder.endswith((".zip", ".gz", ".bz2")):
            found = found.and_also(project(folder, call.read))
    return found


def _locked(call: PackageCall) -> Wanted:
    for name in ("poetry.lock", "uv.lock", "pdm.lock", "Pipfile.lock"):
        text = call.read(posixpath.join(call.directory, name))
        if text is not None:
            return Wanted(lock_file(text, name), whole=True)
    if call.read(posixpath.join(call.directory, "pyproject.toml")) is not None:
        return project(call.directory, call.read)
    return Wanted(missing=("lock file",))


def _is_set(call: PackageCall, name: str) -> bool:
    value = call.environment.get(name)
    return value is not None and value.lower() not in ("", "0", "false", "off", "no", "f", "n")


def _compiles(call: PackageCall) -> bool:
    """Tell whether byte code is made: pip does so unless told not to, uv and poetry only when told."""
    invocation = call.invocation
    if invocation.has("--no-compile", "--no-compile-bytecode") or _is_set(call, "PIP_NO_COMPILE"):
        return False
    if invocation.family == "uv":
        return invocation.has("--compile-bytecode", "--compile") or _is_set(call, "UV_COMPILE_BYTECODE")
    if invocation.family == "poetry":
        return invocation.has("--compile")
    return True


def _caches(call: PackageCall) -> bool:
    invocation = call.invocation
    if invocation.has("--no-cache-dir", "--no-cache") or invocation.has("--no-index"):
        return False
    # Any value of PIP_NO_CACHE_DIR switches the cache off, "false" too: pip keeps an old mistake for compatibility.
    return not (call.environment.get("PIP_NO_CACHE_DIR") or _is_set(call, "UV_NO_CACHE"))


def _first_call(call: PackageCall, state: PackageState) -> PackageState:
    if "official" not in state.traits or "compiled" in state.traits or call.environment.get("PYTHONDONTWRITEBYTECODE"):
        return state
    elsewhere = call.invocation.has("--user", "--target", "-t", "--prefix", "--root")
    if call.prefix not in ("", "/usr/local") and not elsewhere:
        # The pip of a virtual environment was compiled when that was made, and what it uses of the library too.
        return state
    return replace(state, traits=state.traits | {"compiled"}, calls=state.calls + 1)


def _choose(call: PackageCall, state: PackageState, wanted: Wanted) -> list[Wheel]:
    invocation = call.invocation
    constraints: dict[str, Requirement] = {need.name: need for need in wanted.constraints}
    return closure(
        wanted.requirements, state.release, {} if invocation.has("--target", "-t") else state.installed,
        dependencies=not (invocation.has("--no-deps") or wanted.whole), constraints=constraints,
        upgrade=invocation.has("-U", "--upgrade", "--force-reinstall", "-I"),
    )  # fmt: skip


def _installed(call: PackageCall, state: PackageState, wanted: Wanted) -> PackageState:
    wheels = _choose(call, state, wanted)
    memory, installed = dict(state.memory), dict(state.installed)
    factor, doubt = _BYTE_CODE.get(state.release, _BYTE_CODE_USUAL) if _compiles(call) else (0.0, 0.0)
    cached = ZERO
    for wheel in wheels:
        code = wheel.sources.scaled(factor)
        if wheel.code is not None:
            code = wheel.code.scaled(factor / _BYTE_CODE["3.11"][0])
        code = Estimate(code.value, code.low * (1 - doubt), code.high * (1 + doubt))
        _remember(memory, wheel.name, wheel.unpacked, code, wheel.measured)
        installed[wheel.name] = wheel.version or "?"
        page = Estimate(_CACHE_PER_WHEEL, 0, _CACHE_PER_WHEEL + _INDEX_PAGE)
        cached += Estimate(wheel.wheel.value, 0, wheel.wheel.high) + page
    for folder in wanted.projects:
        name = f"project {folder}"
        small = _PROJECT if not call.invocation.has("-e") else Estimate(4_000, 500, 60_000)
        _remember(memory, name, small, ZERO, False)
        installed[name] = "."
    notes = list(state.notes)
    if wanted.missing:
        unpacked, sources, packed = _UNREAD
        name = f"what {', '.join(wanted.missing[:2])} asks for"
        _remember(memory, name, unpacked, sources.scaled(factor), False)
        installed[name] = "?"
        cached += Estimate(packed.value, 0, packed.high)
        notes.append(f"not known: {', '.join(wanted.missing[:3])}")
    if _caches(call):
        path = _CACHES.get(call.invocation.family, _CACHE)
        if path == _CACHES["uv"]:
            # uv links what it installs to its cache: within one layer the files count once.
            cached = Estimate(0.02 * cached.value, 0, 1.5 * cached.high)
        for key, value in (("value", cached.value), ("low", cached.low), ("high", cached.high)):
            memory[f"cache {key} {path}"] = memory.get(f"cache {key} {path}", 0) + value
    asked = {need.name for need in wanted.requirements}
    return replace(state, installed=installed, memory=memory, notes=tuple(notes), calls=state.calls + 1,
                   manual=state.manual | asked)  # fmt: skip


def _remember(memory: dict[str, float], name: str, size: Estimate, code: Estimate, measured: bool) -> None:
    for key, value in (("size", size.value), ("low", size.low), ("high", size.high), ("code", code.value),
                       ("code low", code.low), ("code high", code.high), ("measured", float(measured))):  # fmt: skip
        memory[f"{key} {name}"] = value


def _fetched(call: PackageCall, state: PackageState, wanted: Wanted) -> PackageState:
    """``pip download`` and ``pip wheel`` leave the wheels themselves."""
    options = _values(call.invocation, "-w", "-d") or ["wheelhouse" if "wheel" in _verb(call.invocation) else "."]
    folder = posixpath.normpath(posixpath.join(call.directory, options[-1]))
    size, count = ZERO, 0
    for wheel in _choose(call, replace(state, installed={}), wanted):
        size, count = size + wheel.wheel, count + 1
    if wanted.missing:
        size += _UNREAD[2]
    memory = dict(state.memory)
    for key, value in (("value", size.value), ("low", size.low), ("high", size.high), ("count", float(count))):
        memory[f"wheels {key} {folder}"] = memory.get(f"wheels {key} {folder}", 0) + value
    return replace(state, memory=memory, calls=state.calls + 1)


def _environment(call: PackageCall, state: PackageState) -> PackageState:
    words = [word for word in _words(call.invocation) if word not in ("venv", "virtualenv")]
    path = posixpath.normpath(posixpath.join(call.directory, words[0] if words else ".venv"))
    bare = call.invocation.has("--without-pip") or (
        call.invocation.family == "uv" and not call.invocation.has("--seed")
    )
    older = tuple(int(part) for part in state.release.split(".") if part.isdigit()) < (3, 12)
    size = Estimate(15_000, 3_000, 200_000) if bare else _ENVIRONMENT[older]
    memory = {**state.memory, f"venv value {path}": size.value, f"venv low {path}": size.low,
              f"venv high {path}": size.high}  # fmt: skip
    traits = state.traits
    if (
        "official" in traits
        and not call.environment.get("PYTHONDONTWRITEBYTECODE")
        and call.invocation.family == "venv"
    ):
        traits |= {"environments"}
    return replace(state, memory=memory, calls=state.calls + 1, traits=traits)


def parts(before: PackageState, after: PackageState) -> tuple[Part, ...]:
    """Give what a layer holds that led from one state to the other; the cache is a part of its own, at its path."""
    made: list[Part] = []
    new = [name for name, version in after.installed.items()
           if before.installed.get(name) != version and f"size {name}" in after.memory]  # fmt: skip
    if new:
        made += _package_parts(new, before, after)
    library = _library(after.traits) - _library(before.traits)
    if "pip" in new:
        # The old pip goes with its byte code; what the library has stays.
        library = min(library, _FIRST_ENVIRONMENT.value)
    if library > 0:
        share = Estimate(library, 0.87 * library, 1.15 * library)
        made.append(Part("byte code of pip and the standard library", share, "pip", "measured on official images",
                         "/usr/local/lib"))  # fmt: skip
    for kind, label, source in _AT_PATHS:
        for path in _paths(after.memory, f"{kind} value "):
            size = Estimate(*(after.memory[f"{kind} {key} {path}"] - before.memory.get(f"{kind} {key} {path}", 0)
                              for key in ("value", "low", "high")))  # fmt: skip
            if size.high > 0:
                count = after.memory.get(f"{kind} count {path}")
                made.append(
                    Part(
                        label,
                        size,
                        "cache" if kind == "cache" else "pip",
                        source,
                        path,
                        files=int(count) if count else None,
                        compressed=None if kind == "venv" else 1.0,
                    )
                )
    return tuple(made)


def _library(traits: frozenset[str]) -> float:
    """Give how much byte code of the interpreter's own library there is by now."""
    if "compiled" in traits:
        return _FIRST_CALL.value
    return _FIRST_ENVIRONMENT.value if "environments" in traits else 0.0


def _package_parts(new: list[str], before: PackageState, after: PackageState) -> Iterable[Part]:
    memory = after.memory
    sure = [name for name in new if memory[f"measured {name}"]]
    for names, source in (
        (sure, "sizes of wheels"),
        ([name for name in new if name not in sure], "not in the table: an interval only"),
    ):
        if not names:
            continue
        asked = [name for name in names if name in after.manual and name not in before.manual] or names
        others = len(names) - len(asked)
        label = ", ".join(asked[:3]) + (f" and {len(asked) - 3} more" if len(asked) > 3 else "")
        label += f" and {others} dependenc{'ies' if others > 1 else 'y'}" if others > 0 else ""
        yield Part(label, _total(names, memory, "size", "low", "high"), "pip", source)
        code = _total(names, memory, "code", "code low", "code high")
        if code.high > 0:
            yield Part(f"byte code of {asked[0]}" + (" and others" if len(names) > 1 else ""), code, "pip",
                       f"Python {after.release}: its sources compiled")  # fmt: skip


def _total(names: Iterable[str], memory: Mapping[str, float], *keys: str) -> Estimate:
    return Estimate(*(sum(memory.get(f"{key} {name}", 0.0) for name in names) for key in keys))


def _paths(memory: Mapping[str, float], prefix: str) -> list[str]:
    return [key[len(prefix) :] for key in memory if key.startswith(prefix)]
