"""Packages named without a version, by package manager: what counts as a package and what as a version."""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec import Struct

from dfopt.lint.hadolint.calls import Call
from dfopt.lint.hadolint.model import File, Hit, Line, Places, called, heirs, runs
from dfopt.syntax.tree import Arg, Env, From, Run


class Manager(Struct, frozen=True):
    """How a package manager is asked to install, and which of its words are pinned packages.

    A command counts where it has the ``name`` and one of the words of ``verbs``. ``valued`` are flags whose next
    word is no package. A package is pinned where one of ``marks`` stands in it or one of ``endings`` at its end.
    """

    name: str
    verbs: tuple[str, ...]
    valued: frozenset[str] = frozenset()
    marks: tuple[str, ...] = ()
    endings: tuple[str, ...] = ()

    def loose(self, call: Call) -> bool:
        """Tell whether a command installs a package whose version is left open."""
        if not call.is_(self.name) or not call.has(*self.verbs):
            return False
        packages = (word for word in call.operands(self.valued) if word not in self.verbs)
        return any(not (any(m in word for m in self.marks) or word.endswith(self.endings)) for word in packages)


APT = Manager("apt-get", ("install",), frozenset({"t", "target-release"}), ("=", "/"), (".deb",))
APK = Manager("apk", ("add",), frozenset({"t", "virtual", "repository", "X"}), ("=", "~", ">", "<"), (".apk",))
ZYPPER = Manager("zypper", ("install", "in"), frozenset(), ("=", ">", "<"), (".rpm",))

_PIP_FLAGS = """
    abi b build e editable extra-index-url f find-links i index-url implementation no-binary only-binary platform prefix
    progress-bar proxy python python-version root root-user-action src t target trusted-host upgrade-strategy
"""
_PIP_VALUED = frozenset(_PIP_FLAGS.split())
_PIP_PIN = re.compile(r"==|>=|<=|[<>]|!=|~=")
_VCS = (
    "git", "git+file", "git+https", "git+ssh", "git+http", "git+git", "hg+file", "hg+http", "hg+https", "hg+ssh",
    "hg+static-http", "svn", "svn+svn", "svn+http", "svn+https", "svn+ssh", "bzr+http", "bzr+https", "bzr+ssh",
    "bzr+sftp", "bzr+ftp", "bzr+lp",
)  # fmt: skip


def installs_with_pip(call: Call) -> bool:
    """Tell whether a command is ``pip install``, also by way of ``python -m``."""
    if call.name.startswith("pip") and not call.name.startswith("pipenv"):
        return call.has("install")
    return call.name.startswith("python") and _stand_together(call.words, ("-m", "pip", "install"))


def _stand_together(words: tuple[str, ...], sought: tuple[str, ...]) -> bool:
    return any(words[at : at + len(sought)] == sought for at in range(len(words)))


def _pip(call: Call) -> bool:
    if not installs_with_pip(call) or call.has_flag("constraint", "c") or call.has("--requirement", "-r", "."):
        return False
    words = call.without_values(_PIP_VALUED)
    behind = words[words.index("install") + 1 :] if "install" in words else ()
    return any(not _pinned_for_pip(word) for word in behind if not word.startswith("-"))


def _pinned_for_pip(word: str) -> bool:
    if _PIP_PIN.search(word) or word.endswith((".whl", ".tar.gz")):
        return True
    if word.startswith(_VCS):
        return "@" in word
    return "/" in word


_NPM_GIT = ("git://", "git+ssh://", "git+http://", "git+https://")


def _npm(call: Call) -> bool:
    if not call.is_("npm") or not call.has("install"):
        return False
    words = call.operands(frozenset({"loglevel", "registry"}))
    return words[:1] == ["install"] and not all(map(_pinned_for_npm, words[1:]))


def _pinned_for_npm(word: str) -> bool:
    if word.startswith(_NPM_GIT):
        return "#" in word
    if word.endswith((".tar", ".tar.gz", ".tgz")) or word.startswith(("/", "./", "../", "~/")):
        return True
    return "@" in (word.partition("/")[2] if word.startswith("@") else word)


def _gem(call: Call) -> bool:
    if not call.is_("gem") or not call.has("install", "i"):
        return False
    if call.has("-v", "--version") or any(word.startswith("--version=") for word in call.words):
        return False
    words = iter(call.words[: call.words.index("--")] if "--" in call.words else call.words)
    for word in words:
        if word.startswith("-"):
            next(words, None)  # every flag is taken to have a value
        elif word not in ("install", "i") and ":" not in word:
            return True
    return False


def _go(line: Line) -> bool:
    calls = [call for call in line.calls if call.is_("go")]
    started = [call for call in calls if call.has("run")]
    if started:
        words = [word for call in started for word in call.operands()[:2] if word != "run"]
    else:
        fetching = [call for call in calls if call.has("install", "get")]
        words = [word for call in fetching for word in call.operands() if word not in ("install", "get", "tool")]
    return not all(map(_pinned_for_go, words))


def _pinned_for_go(word: str) -> bool:
    return word.startswith((".", "/")) or ("@" in word and not word.endswith(("@latest", "@none")))


_RPM_PART = re.compile(r"[0-9A-Za-z.~^_:+]*")


def _rpm(names: tuple[str, ...], groups: tuple[str, ...]) -> Places:
    """Make the check of yum or dnf: versions stand behind a dash, or in a variable that is known."""

    def loose(call: Call, variables: set[str]) -> bool:
        if not call.is_(*names) or not call.has("install"):
            return False
        words = [word for word in call.operands() if word not in ("install", "module")]
        if call.has("module"):
            return any(":" not in word for word in words)
        return not call.has(*groups) and any(not _pinned_for_rpm(word, variables) for word in words)

    def places(file: File) -> Iterator[Hit]:
        for line, variables in _variables(file):
            if isinstance(line.instruction, Run) and any(loose(call, variables) for call in line.calls):
                yield Hit(line)

    return places


def _pinned_for_rpm(word: str, variables: set[str]) -> bool:
    _, dash, version = word.partition("-")
    if not dash:
        return False
    if word.endswith(".rpm"):
        return True
    if "$" in word and any(f"${{{name}}}" in word or f"${name}" in word for name in variables):
        return True
    parts = version.split("-")
    return all(map(_RPM_PART.fullmatch, parts)) and any(part[:1].isdecimal() for part in parts)


def _variables(file: File) -> Iterator[tuple[Line, set[str]]]:
    """Give for each line the variables that its stage or one below it sets, and all build arguments so far."""
    arguments: set[str] = set()
    stages: dict[str, set[str]] = {}
    current: set[str] = set()
    for line in file.lines:
        instruction = line.instruction
        if isinstance(instruction, From):
            current = set(stages.get(line.image.full_name, ()))
            stages[line.alias or line.image.full_name] = current
        elif isinstance(instruction, Arg):
            arguments.update(key for key, _ in line.pairs)
        elif isinstance(instruction, Env):
            current.update(key for key, _ in line.pairs)
        yield line, current | arguments


_NO_CACHE = tuple(
    f"PIP_NO_CACHE_DIR={value}" for value in ("1", "true", "True", "TRUE", "on", "On", "ON", "yes", "Yes", "YES")
)


def _pip_keeps_cache(file: File) -> Iterator[Hit]:
    """Give the RUNs whose pip leaves its cache in the layer."""

    def gains(line: Line) -> bool:
        return isinstance(line.instruction, Env) and any(
            f"{key}={value.strip(_QUOTES)}" in _NO_CACHE for key, value in line.pairs
        )

    for line, off in heirs(file, gains):
        if off or not isinstance(line.instruction, Run) or line.keeps(".cache/pip"):
            continue
        if any(map(_caches, line.calls)) and not any(word in line.text for word in _NO_CACHE):
            yield Hit(line)


_QUOTES = "\"'"


def _caches(call: Call) -> bool:
    if not installs_with_pip(call) or call.has("--no-cache-dir") or "pipx" in call.name or "pipenv" in call.name:
        return False
    return not any(_stand_together(call.words, ("-m", name)) for name in ("pipx", "pipenv"))


UNPINNED: dict[str, Places] = {
    "DL3008": called(APT.loose),
    "DL3013": called(_pip),
    "DL3016": called(_npm),
    "DL3018": called(APK.loose),
    "DL3028": called(_gem),
    "DL3033": _rpm(("yum",), ()),
    "DL3037": called(ZYPPER.loose),
    "DL3041": _rpm(("dnf", "microdnf"), ("group",)),
    "DL3042": _pip_keeps_cache,
    "DL3062": runs(_go),
}
"""The checks by their codes."""
