"""Where rules come from (built-in, entry points, paths) and which run: by code, name, alias, letter or profile."""

from __future__ import annotations

import operator
import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from importlib import import_module
from types import ModuleType
from typing import Any

from dfopt import __version__
from dfopt.config import PROFILES
from dfopt.lint.rule import Rule

BUILTIN = "dfopt_rules"
ENTRY_POINTS = "dfopt.rules"
_AT_PATH = "dfopt_rules_at_"
"""Beginning of the names of modules that come from a path."""


class RuleError(ValueError):
    """Rules cannot be loaded, or a selector names none of them."""


class Registry:
    """All known rules in the order of their codes; every code, name and alias leads to its rules."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        self.rules = tuple(sorted(rules, key=lambda rule: rule.code))
        self._index: dict[str, tuple[Rule, ...]] = {}
        for rule in self.rules:
            for key in (rule.code, rule.name, *rule.aliases):
                self._index[key.lower()] = (*self._index.get(key.lower(), ()), rule)

    def __iter__(self) -> Iterator[Rule]:
        return iter(self.rules)

    def find(self, selector: str) -> tuple[Rule, ...]:
        """Give the rules of a code, name, alias, prefix (``B``, ``B1``) or ``ALL``, in any case, or none."""
        word = selector.strip().lower()
        if word == "all":
            return self.rules
        exact = self._index.get(word)
        if exact:
            return exact
        if word[:1].isalpha() and (len(word) == 1 or word[1:].isdigit()):
            return tuple(rule for rule in self.rules if rule.code.lower().startswith(word))
        return ()

    def get(self, selector: str) -> Rule | None:
        """Give the first rule of a code, name or alias."""
        found = self._index.get(selector.strip().lower())
        return found[0] if found else None

    def codes(self, selector: str) -> frozenset[str]:
        """Give the codes of findings that a selector means: those of its rules, and other tools' for the same things.

        A code of another tool means itself and the rules that know it, not what else these rules are called elsewhere.
        """
        word = selector.strip()
        meant = {word.upper()}
        for rule in self.find(word):
            same = {alias for alias in rule.aliases if alias.lower() == word.lower()}
            meant.update((rule.code, *(same or rule.aliases)))
        return frozenset(meant)

    def select(
        self,
        profile: str = "default",
        select: Iterable[str] | None = None,
        extend_select: Iterable[str] = (),
        ignore: Iterable[str] = (),
        as_of: str | None = None,
        *,
        preview: bool = False,
    ) -> tuple[Rule, ...]:
        """Give the rules that run, in the order of their codes.

        ``select`` replaces the profile, ``extend_select`` adds to it, ``ignore`` takes away at the end. A rule that
        came after the version ``as_of`` (None: this one) is a preview: without ``preview`` no profile and no letter has
        it, only its own code or name. Selectors that fit no rule are left to ``unknown``.
        """
        if select is None:
            chosen = {rule for rule in self.rules if in_profile(rule, profile)}
            if not preview:
                chosen = {rule for rule in chosen if not is_preview(rule, as_of)}
        else:
            chosen = set(self._named(select, as_of, preview))
        chosen.update(self._named(extend_select, as_of, preview))
        for selector in ignore:
            chosen.difference_update(self.find(selector))
        return tuple(rule for rule in self.rules if rule in chosen)

    def _named(self, selectors: Iterable[str], as_of: str | None, preview: bool) -> Iterator[Rule]:
        for selector in selectors:
            is_exact = selector.strip().lower() in self._index
            for rule in self.find(selector):
                if preview or is_exact or not is_preview(rule, as_of):
                    yield rule

    def unknown(self, selectors: Iterable[str]) -> list[str]:
        """Give the selectors that fit no rule; letters and ShellCheck's codes always fit."""
        return [
            one
            for one in selectors
            if not self.find(one) and not is_shellcheck(one) and not (len(one) == 1 and one.isalpha())
        ]


def in_profile(rule: Rule, profile: str) -> bool:
    """Tell whether a profile has a rule. Raises RuleError for an unknown profile."""
    if profile == "default":
        return rule.default
    if profile == "strict":
        return rule.default or rule.strict
    if profile == "all":
        return True
    if profile == "hadolint":
        return any(alias.startswith("DL") and alias[2:].isdigit() for alias in rule.aliases)
    if profile == "buildkit":
        return any(alias[0].isupper() and alias.isalpha() and not alias.isupper() for alias in rule.aliases)
    raise RuleError(f"unknown profile {profile!r}; use one of {', '.join(PROFILES)}")


def is_preview(rule: Rule, as_of: str | None = None) -> bool:
    """Tell whether a rule came after a version (None: this one): it is tried out before it joins the profiles."""
    if rule.since == "0.1" and as_of is None:
        return False  # nearly all of them
    return version_key(rule.since) > version_key(as_of or __version__)


def version_key(text: str) -> tuple[int, ...]:
    """Give the numbers of a version for comparing; 0.1 and 0.1.0 are the same. Raises ValueError."""
    found = re.match(r"\d+(?:\.\d+)*", text)
    if found is None:
        raise ValueError(f"{text!r} is no version")
    numbers = [int(part) for part in found[0].split(".")]
    while numbers and not numbers[-1]:
        numbers.pop()
    return tuple(numbers)


def is_shellcheck(selector: str) -> bool:
    """Tell whether a selector is a code of ShellCheck (``SC2086``) or its prefix ``SC``."""
    word = selector.strip().upper()
    return word.startswith("SC") and (len(word) == 2 or word[2:].isdigit())


@lru_cache(maxsize=8)
def load(paths: tuple[str, ...] = (), *, plugins: bool = False) -> Registry:
    """Load the built-in rules, those of ``paths`` (files or folders) and, with ``plugins``, of installed packages.

    Raises RuleError where a module cannot be imported or two rules share a code.
    """
    rules = list(_rules_in(_builtin_modules()))
    for path in paths:
        rules += _rules_in(_modules_at(path))
    if plugins:
        rules += _rules_in(_entry_points())
    by_code: dict[str, Rule] = {}
    for rule in rules:
        other = by_code.setdefault(rule.code, rule)
        if type(other) is not type(rule):
            raise RuleError(f"two rules have the code {rule.code}: {other.name} and {rule.name}")
    return Registry(by_code.values())


def _rules_in(modules: Iterable[ModuleType]) -> Iterator[Rule]:
    """Make one instance of every rule class that a module defines itself.

    Raises RuleError where the module says in ``requires_dfopt`` that it needs another version of dfopt.
    """
    for module in modules:
        wanted = getattr(module, "requires_dfopt", "")
        if wanted and not _is_met(wanted, module):
            raise RuleError(f"{_origin(module)} needs dfopt {wanted}, and this is dfopt {__version__}")
        for thing in vars(module).values():
            if (
                isinstance(thing, type)
                and issubclass(thing, Rule)
                and thing.__module__ == module.__name__
                and isinstance(vars(thing).get("code"), str)
            ):
                yield thing()


_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    ">=": operator.ge, "<=": operator.le, "==": operator.eq, "!=": operator.ne, ">": operator.gt, "<": operator.lt,
}  # fmt: skip


def _is_met(wanted: object, module: ModuleType) -> bool:
    """Tell whether this version fits ``>=0.1,<2``. Raises RuleError for something else than such a text."""
    for part in wanted.split(",") if isinstance(wanted, str) else [""]:
        found = re.fullmatch(r"\s*([<>=!]=|[<>])\s*(\d+(?:\.\d+)*)\s*", part)
        if found is None:
            raise RuleError(f'{_origin(module)}: requires_dfopt is {wanted!r}; write it like ">=0.1" or ">=0.1,<2"')
        if not _COMPARISONS[found[1]](version_key(__version__), version_key(found[2])):
            return False
    return True


def _origin(module: ModuleType) -> str:
    """Say where a plugin comes from: its file for one from a path, else its module."""
    is_path = module.__name__.startswith(_AT_PATH)
    return str(module.__file__) if is_path else f"the plugin {module.__name__}"


def _builtin_modules() -> Iterator[ModuleType]:
    try:
        package = import_module(BUILTIN)
    except ModuleNotFoundError as error:
        raise RuleError(f"the package {BUILTIN} with the built-in rules is not installed") from error
    for name in sorted(_module_names(package)):
        yield import_module(f"{BUILTIN}.{name}")


def _module_names(package: ModuleType) -> set[str]:
    """Give the modules of a package; listing its folders costs less than pkgutil."""
    names: set[str] = set()
    for folder in package.__path__:
        if not os.path.isdir(folder):
            from pkgutil import iter_modules

            names.update(info.name for info in iter_modules([folder]))
            continue
        names.update(file[:-3] for file in os.listdir(folder) if file.endswith(".py"))
    return {name for name in names if not name.startswith("_")}


def _modules_at(path: str) -> Iterator[ModuleType]:
    from importlib.util import module_from_spec, spec_from_file_location

    files = [path]
    if os.path.isdir(path):
        files = [os.path.join(path, name) for name in sorted(os.listdir(path)) if name.endswith(".py")]
    for file in files:
        name = _AT_PATH + "".join(ch if ch.isalnum() else "_" for ch in os.path.abspath(file))
        if name in sys.modules:
            yield sys.modules[name]
            continue
        spec = spec_from_file_location(name, file)
        if spec is None or spec.loader is None or not os.path.isfile(file):
            raise RuleError(f"{file}: no Python file with rules")
        module = module_from_spec(spec)
        sys.modules[name] = module
        try:
            spec.loader.exec_module(module)
        except Exception as error:
            del sys.modules[name]
            raise RuleError(f"{file}: cannot be loaded: {type(error).__name__}: {error}") from error
        yield module


def _entry_points() -> Iterator[ModuleType]:
    """Import the modules that installed packages name under ``dfopt.rules``.

    The scan of all distributions costs milliseconds, so it is done only where the configuration asks for plugins.
    """
    from importlib.metadata import entry_points

    for point in sorted(entry_points(group=ENTRY_POINTS), key=lambda point: point.name):
        try:
            loaded = point.load()
        except Exception as error:
            raise RuleError(f"plugin {point.name} cannot be loaded: {type(error).__name__}: {error}") from error
        yield loaded if isinstance(loaded, ModuleType) else sys.modules[loaded.__module__]
