"""Package managers inside a stage: which model answers for a call, and what its layer holds so far."""

from __future__ import annotations

import posixpath
import re
from functools import lru_cache
from importlib import import_module
from typing import cast

from msgspec.structs import replace

from dfopt.predict.call import Call
from dfopt.predict.filesystem import Entry, Origin
from dfopt.predict.model import ZERO, PackageCall, PackageModel, PackageState, Part
from dfopt.predict.stage import StageBuild

# Family of tools -> module of this package that models it.
_MODELS = {
    "apt": "apt", "dpkg": "apt", "apk": "apk",
    "dnf": "rpm", "yum": "rpm", "microdnf": "rpm", "rpm": "rpm", "tdnf": "rpm", "zypper": "rpm",
    "pip": "pip", "uv": "pip", "poetry": "pip", "pipenv": "pip", "pdm": "pip", "pipx": "pip",
    "venv": "pip", "virtualenv": "pip",
    "npm": "npm", "yarn": "npm", "pnpm": "npm",
}  # fmt: skip
_RATIOS = {"npm": 0.25, "pip": 0.33}
"""What gzip makes of a byte of what these install, measured."""
_SYSTEM = ("apt", "apk", "rpm")


@lru_cache(maxsize=16)
def model_of(family: str) -> tuple[str, PackageModel] | None:
    """Give the name and the model of a family of tools; None where there is none."""
    name = _MODELS.get(family)
    if name is None:
        return None
    try:
        return name, cast(PackageModel, import_module(f"dfopt.predict.{name}"))
    except ModuleNotFoundError:
        return None


class PackageSession:
    """The package calls of one layer: what each state was at its start, and what was written for it."""

    def __init__(self, build: StageBuild) -> None:
        self.build = build
        self.before = dict(build.packages)
        self.placed: dict[tuple[str, str], dict[str, str]] = {}
        self.gone: dict[tuple[str, str], set[str]] = {}
        self.reduced: dict[tuple[str, str], PackageState] = {}
        build.session = self

    def run(self, call: Call, family: str, active: str = "") -> bool:
        """Carry out one call; False where no model answers for it."""
        found = model_of(family)
        if found is None or call.invocation is None:
            return False
        name, model = found
        prefix = "" if name in _SYSTEM else self._prefix(call, name, active)
        key = (name, prefix)
        state = self.build.packages.get(key)
        if state is None:
            state = model.start(self.build.facts)
            if prefix in self.build.environments:
                # Its pip came compiled; the standard library's byte code belongs to the system's interpreter.
                state = replace(state, traits=state.traits - {"official"})
        self.before.setdefault(key, state)
        state = self._with_lists(key, state)
        environment = {variable: value for variable, value in call.place.environment.items() if value is not None}
        request = PackageCall(
            call.invocation, environment, call.place.directory or "/", call.place.user, prefix, self.build.read,
            call.fs.exists,
        )  # fmt: skip
        after = model.run(request, state)
        if after is state:
            return call.invocation.action not in ("run", "build", "other")
        self.build.packages[key] = after
        for note in after.notes[len(state.notes) :]:
            self.build.note(note)
        self._place(key, model.parts(self.before[key], after), call)
        self._take_away(key, model, after)
        return True

    def documentation_bytes(self) -> float:
        """Give the bytes of documentation and translations in the Debian packages that the layer has installed."""
        key, found = ("apt", ""), model_of("apt")
        after = self.build.packages.get(key)
        if found is None or after is None or after.slim or key not in self.before:
            return 0.0
        full, slim = (
            sum(part.estimate.value for part in found[1].parts(self.before[key], state) if not part.path)
            for state in (after, replace(after, slim=True))
        )
        return max(full - slim, 0.0)

    def _take_away(self, key: tuple[str, str], model: PackageModel, after: PackageState) -> None:
        """Take packages that a call removed out of the sums of lower layers: they are hidden from now on.

        How much of a sum goes is the share that the removed packages have of all that earlier layers installed.
        """
        before = self.reduced.get(key, self.before[key])
        if all(name in after.installed for name in before.installed):
            return
        self.reduced[key] = after
        fs, base = self.build.fs, model.start(self.build.facts)
        whole, left = (
            sum(part.estimate.value for part in model.parts(base, state) if part.kind == key[0])
            for state in (before, replace(after, memory={**after.memory, **before.memory}))
        )
        if whole <= 0:
            return
        share = min(left / whole, 1.0)
        start = f"\0{_tag(key)}."
        for name, entry in fs.sums():
            if posixpath.basename(name).startswith(start) and entry.layer != fs.layer and entry.origin.kind == key[0]:
                fs.forget_share(name, 1 - share)

    def _prefix(self, call: Call, name: str, active: str) -> str:
        """Give the environment a language's package manager installs into; "" is the system's own."""
        if name == "npm":
            if call.has("-g", "--global"):
                return "/usr/local"
            folder = call.option("--prefix", "--cwd", "-C", "--dir")
            return call.join(folder) if folder else call.place.directory or "/"
        made = _environment_made(call)
        if made is not None:
            self.build.environments[made] = call.command.name or ""
            return ""
        for option in ("--target", "-t", "--prefix", "--root"):
            value = call.option(option)
            if value and any(text.startswith(option) for text in call.values):
                if option in ("--target", "-t"):
                    self.build.flat_folders.add(call.join(value))
                return call.join(value)
        return _environment_used(call, self.build, active)

    def _with_lists(self, key: tuple[str, str], state: PackageState) -> PackageState:
        """Forget lists that something else has deleted, or that lay on a mount of an earlier step."""
        if "lists" in state.traits and not any(entry.origin.kind == "lists" for _, entry in self.build.fs.sums()):
            return replace(state, traits=state.traits - {"lists"})
        return state

    def _place(self, key: tuple[str, str], parts: tuple[Part, ...], call: Call) -> None:
        fs = self.build.fs
        gone = self.gone.setdefault(key, set())
        placed = self.placed.get(key, {})
        gone |= {label for label, name in placed.items() if name not in fs.entries}
        renewed = call.invocation is not None and call.invocation.action == "update"
        for name in placed.values():
            if name in fs.entries:
                del fs.entries[name]
        now: dict[str, str] = {}
        for index, part in enumerate(parts):
            tag = f"{part.label}|{part.path}"
            if part.kind in ("lists", "cache", "logs") and tag in gone and not (renewed and part.kind == "lists"):
                continue
            gone.discard(tag)
            ratio = _RATIOS.get(key[0], 0.36) if part.compressed is None else part.compressed
            origin = Origin(part.label, part.kind, part.source, ratio,
                            part.estimate.high > part.estimate.low * 3 + 1_000_000)  # fmt: skip
            folder = _folder(part, key, self.build.packages[key], key[1] in self.build.flat_folders)
            entry = Entry(part.estimate, 0, origin, "sum", part.files or 0)
            now[tag] = fs.add_sum(folder, entry, f"{_tag(key)}.{fs.layer}.{index}")
            if folder not in ("/", "/usr"):
                fs.put(folder, Entry(ZERO, 0, origin, "directory"))
        self.placed[key] = now


def _tag(key: tuple[str, str]) -> str:
    """Give the beginning of the names under which a manager's sums stand."""
    return key[0] + key[1].replace("/", "_")


def _folder(part: Part, key: tuple[str, str], state: PackageState, flat: bool) -> str:
    """Give the folder in which a part is put; a path that names a file counts as its folder."""
    name, prefix = key
    if part.path:
        return posixpath.dirname(part.path) if re.search(r"\.(?:cache|json|lock|db|log|crt)$", part.path) else part.path
    if name == "npm":
        return "/usr/local/lib/node_modules" if prefix == "/usr/local" else posixpath.join(prefix, "node_modules")
    if name != "pip":
        return prefix or "/usr"
    if flat:
        return prefix
    packages = "site-packages" if prefix or "official" in state.traits or not state.distribution else "dist-packages"
    return f"{prefix or '/usr/local'}/lib/python{state.release}/{packages}"


def _environment_made(call: Call) -> str | None:
    """Give the path of the virtual environment that a call makes; None for other calls."""
    invocation = call.invocation
    if invocation is None:
        return None
    by_uv = invocation.family == "uv" and invocation.action == "make-directory"
    if not by_uv and invocation.family not in ("venv", "virtualenv"):
        return None
    words = [word for word in call.operands if word.value not in ("venv", "virtualenv")]
    return call.path(words[0]) if words else call.join(".venv")


def _environment_used(call: Call, build: StageBuild, active: str) -> str:
    """Give the virtual environment a call works in: by its program's path, an activation, or the variables in force."""
    word = call.command.words[0].value or ""
    match = re.fullmatch(r"(.+)/bin/[\w.-]+", word)
    if match is not None and match[1] not in ("/usr", "/usr/local", ""):
        return call.join(match[1])
    if active:
        return active
    environment = call.place.environment
    family = call.invocation.family if call.invocation is not None else ""
    if family == "uv" and call.values[:1] != ["pip"]:
        return call.join(environment.get("UV_PROJECT_ENVIRONMENT") or ".venv")
    if family == "uv" and (call.has("--system") or environment.get("UV_SYSTEM_PYTHON")):
        return ""
    if environment.get("VIRTUAL_ENV"):
        return environment["VIRTUAL_ENV"] or ""
    for folder in (environment.get("PATH") or "").split(":"):
        root = folder.removesuffix("/bin")
        if root != folder and root in build.environments:
            return root
        if folder in ("/usr/local/bin", "/usr/bin"):
            break
    if family in ("poetry", "pipenv", "pdm"):
        return _project_environment(call, build, family)
    if family == "uv" and call.join(".venv") in build.environments:
        return call.join(".venv")
    return posixpath.join(call.place.home, ".local") if call.has("--user") else ""


def _project_environment(call: Call, build: StageBuild, family: str) -> str:
    """Give the environment that poetry, pipenv or pdm makes for a project, unless it is told to use the system's."""
    environment = call.place.environment
    if family == "pipenv":
        if call.has("--system"):
            return ""
        inside = environment.get("PIPENV_VENV_IN_PROJECT")
        return call.join(".venv") if inside else posixpath.join(call.place.home, ".local/share/virtualenvs")
    if family == "pdm":
        return call.join(".venv")
    off = environment.get("POETRY_VIRTUALENVS_CREATE", build.environments.get("poetry virtualenvs.create", "true"))
    if (off or "").lower() in ("false", "0"):
        return ""
    inside = environment.get("POETRY_VIRTUALENVS_IN_PROJECT") or build.environments.get("poetry virtualenvs.in-project")
    return call.join(".venv") if inside else posixpath.join(call.place.home, ".cache/pypoetry/virtualenvs")
