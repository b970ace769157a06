"""Checks a configuration against the rules that exist: selectors, options and their types."""

from __future__ import annotations

import re
from difflib import get_close_matches

from dfopt.config import Config, ConfigError
from dfopt.lint.registry import Registry
from dfopt.lint.rule import Option

_FOREIGN = re.compile(r"(?:DL|SC)\d{4}|CKV2?_\w+|AVD-\w+-\d+|DS-?\d+|tally/[\w-]+|[A-Z][a-z]+(?:[A-Z][a-z]+)+")
"""Codes of other tools: a project may name them although dfopt has no rule of theirs."""


def check_config(config: Config, registry: Registry) -> None:
    """Raise ConfigError where a selector names no rule, or a rule's option is unknown or of the wrong type."""
    selectors = {
        "select": config.select or (),
        "extend_select": config.extend_select,
        "ignore": config.ignore,
        "severity": tuple(config.severity),
    }
    for field, words in selectors.items():
        for word in registry.unknown(words):
            if not _FOREIGN.fullmatch(word):
                raise ConfigError(f"{_place(config, field, word)}no rule is named {word!r}{_near(word, registry)}")
    for row in config.per_path:
        for word in registry.unknown((*row.ignore, *row.extend_select)):
            if not _FOREIGN.fullmatch(word):
                raise ConfigError(f"{_place(config, 'per_path')}no rule is named {word!r}{_near(word, registry)}")
    for word, values in config.rules.items():
        place = _place(config, "rules", word)
        rules = registry.find(word)
        if not rules and not _FOREIGN.fullmatch(word):
            raise ConfigError(f"{place}no rule is named {word!r}{_near(word, registry)}")
        options = {option.name: option for rule in rules for option in rule.options}
        for name, value in values.items():
            if name in options:
                _check_option(options[name], value, place)
            elif not _FOREIGN.fullmatch(word):
                known = ", ".join(options) or "none"
                raise ConfigError(f"{place}the rule {word!r} has no option {name!r}; it has {known}")


def _check_option(option: Option, value: object, place: str) -> None:
    wanted = option.type
    fits = isinstance(value, wanted) and not (isinstance(value, bool) and wanted is not bool)
    if wanted is float and isinstance(value, int) and not isinstance(value, bool):
        fits = True
    if wanted in (tuple, frozenset, set) and isinstance(value, list):
        fits = True
    if not fits:
        raise ConfigError(f"{place}option {option.name!r} must be of type {wanted.__name__}, not {value!r}")


def _place(config: Config, field: str, part: str = "") -> str:
    origin = config.origins.get(f"{field}.{part}") or config.origins.get(field)
    return f"{origin}: " if origin else ""


def _near(word: str, registry: Registry) -> str:
    names = [name for rule in registry for name in (rule.name, rule.code)]
    near = get_close_matches(word, names, 1)
    return f"; did you mean {near[0]!r}?" if near else "; 'dfopt rules' lists them"
