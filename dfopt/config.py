"""What the user wants, as values; read from dfopt.toml, [tool.dfopt], .hadolint.yaml and the environment."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from dfopt.finding import Severity

FILE_NAMES = ("dfopt.toml", ".dfopt.toml", "pyproject.toml", ".hadolint.yaml", ".hadolint.yml")
"""Names of configuration files; in one folder the first that holds a configuration wins."""

SECTION = "tool.dfopt"
PROFILES = ("default", "strict", "all", "hadolint", "buildkit")


class ConfigError(ValueError):
    """A configuration is wrong; the message names file, line and key."""


class PathRules(NamedTuple):
    """Rules that hold for files matching a pattern only (``[per-path."pattern"]``)."""

    pattern: str
    ignore: tuple[str, ...] = ()
    extend_select: tuple[str, ...] = ()


class Config(NamedTuple):
    """All options of a lint run. Defaults are those of a project without a configuration file."""

    profile: str = "default"
    select: tuple[str, ...] | None = None
    extend_select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    severity: Mapping[str, Severity] = {}
    """Severities by rule selector."""
    rules: Mapping[str, Mapping[str, Any]] = {}
    """Options of rules: by the rule's code, name or alias, then by the option's name."""
    rules_as_of: str | None = None
    """Rules that came with a later version are previews (None: later than the installed version)."""
    preview: bool = False
    """Whether previews join the profiles."""
    per_path: tuple[PathRules, ...] = ()
    exclude: tuple[str, ...] = ()
    fail_on: Severity | None = Severity.WARNING
    """The least severity that makes the run fail; None never fails."""
    inline_ignores: bool = True
    require_reason: bool = False
    shellcheck: bool | None = None
    """None runs ShellCheck where it is found."""
    plugins: bool = False
    """Load rules of installed packages (entry points ``dfopt.rules``)."""
    rule_paths: tuple[str, ...] = ()
    baseline: str | None = None
    target: str | None = None
    platform: str = "linux/amd64"
    build_args: Mapping[str, str] = {}
    origins: Mapping[str, str] = {}
    """Where each value that is not a default was set: file and line, variable or option."""


DEFAULT = Config()


class Key(NamedTuple):
    """A key of the configuration: its name in files, its field, how a value is read, and its meaning."""

    name: str
    field: str
    read: Callable[[Any], Any]
    doc: str
    schema: Mapping[str, Any]


def find_config(folder: str) -> str | None:
    """Give the configuration file that holds in a folder: the nearest one upwards, to the end of the git repository."""
    folder = os.path.abspath(folder)
    while True:
        for name in FILE_NAMES:
            path = os.path.join(folder, name)
            if os.path.isfile(path) and (name != "pyproject.toml" or _has_section(path)):
                return path
        parent = os.path.dirname(folder)
        if parent == folder or os.path.exists(os.path.join(folder, ".git")):
            return None
        folder = parent


def load_config(path: str) -> Config:
    """Read a configuration file and what it extends. Raises ConfigError."""
    return DEFAULT._replace(**_merged(os.path.abspath(path), ()))


def environment_config(environment: Mapping[str, str], base: Config = DEFAULT) -> Config:
    """Lay the variables ``DFOPT_*`` over a configuration; lists are separated by commas. Raises ConfigError."""
    values: dict[str, Any] = {}
    origins: dict[str, str] = {}
    for key in KEYS:
        name = "DFOPT_" + key.name.upper().replace("-", "_")
        text = environment.get(name)
        if text is None or key.read in (_severities, _rules, _per_path):
            continue
        value: Any = text
        if key.read is _strings:
            value = [part.strip() for part in text.split(",") if part.strip()]
        elif key.read is _arguments:
            value = dict(part.partition("=")[::2] for part in text.split(",") if part.strip())
        elif key.read is _boolean:
            value = _WORDS.get(text.lower(), text)
        values[key.field] = _read(key, value, f"variable {name}")
        origins[key.field] = f"variable {name}"
    return overlay(base, values, origins)


_WORDS = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}


def overlay(base: Config, values: Mapping[str, Any], origins: Mapping[str, str]) -> Config:
    """Lay values over a configuration: tables and most lists grow, other values replace."""
    merged = dict(values)
    for field in _ADDED:
        if field in merged:
            old, new = getattr(base, field), merged[field]
            merged[field] = {**old, **new} if isinstance(new, Mapping) else _joined(old, new)
    return base._replace(**merged, origins={**base.origins, **origins})


_ADDED = ("extend_select", "ignore", "severity", "rules", "per_path", "exclude", "rule_paths", "build_args")


def _joined(old: tuple[Any, ...], new: tuple[Any, ...]) -> tuple[Any, ...]:
    return old + tuple(item for item in new if item not in old)


def _merged(path: str, above: tuple[str, ...]) -> dict[str, Any]:
    """Read a file over the one it extends; gives fields with values."""
    if path in above:
        raise ConfigError(f"{path}: 'extend' leads in a circle")
    table, lines = _table(path)
    extended: dict[str, Any] = {}
    if "extend" in table:
        target = table.pop("extend")
        if not isinstance(target, str):
            raise ConfigError(f"{lines.place('extend')}: must be the path of another configuration file")
        base = os.path.join(os.path.dirname(path), os.path.expanduser(target))
        if not os.path.isfile(base):
            raise ConfigError(f"{lines.place('extend')}: there is no file {target}")
        extended = _merged(os.path.abspath(base), (*above, path))
    known = {key.name: key for key in KEYS}
    values: dict[str, Any] = {}
    origins: dict[str, str] = {}
    for name, value in table.items():
        key = known.get(name)
        if key is None:
            raise ConfigError(f"{lines.place(name)}: is no key of the configuration{_near(name, known)}")
        values[key.field] = _read(key, value, lines.place(name))
        origins[key.field] = lines.place(name, with_key=False)
        if key.read in (_rules, _severities):
            for part in value:
                origins[f"{key.field}.{part}"] = lines.place(f"{name}.{part}", with_key=False)
    folder = os.path.dirname(path)
    if "rule_paths" in values:
        values["rule_paths"] = tuple(os.path.join(folder, one) for one in values["rule_paths"])
    if "baseline" in values:
        values["baseline"] = os.path.join(folder, values["baseline"])
    merged = overlay(DEFAULT._replace(**extended), values, origins)
    fields = {*extended, *values, "origins"}
    return {field: getattr(merged, field) for field in fields}


def _near(name: str, known: Mapping[str, Key]) -> str:
    from difflib import get_close_matches

    near = get_close_matches(name, known, 1)
    return f"; did you mean {near[0]!r}?" if near else ""


class _Lines:
    """Finds the line of a key, because the TOML reader forgets it."""

    def __init__(self, path: str, text: str, section: str = "") -> None:
        self.path, self.text, self.section = _shown(path), text, section

    def place(self, key: str, *, with_key: bool = True) -> str:
        """Give ``file:line: key 'name'``; the line is left out where it cannot be found."""
        line = self._line(key)
        where = f"{self.path}:{line}" if line else self.path
        return f"{where}: key {key!r}" if with_key else where

    def _line(self, key: str) -> int:
        full = f"{self.section}.{key}" if self.section else key
        current = ""
        for number, text in enumerate(self.text.splitlines(), 1):
            header = re.match(r"\s*\[\s*([^\]]+?)\s*\]", text)
            if header:
                current = _unquoted(header[1])
                if current == full or current.startswith(full + "."):
                    return number
                continue
            entry = re.match(r"""\s*((?:"[^"]*"|'[^']*'|[\w.-])+)\s*[=:]""", text)
            if entry:
                name = f"{current}.{_unquoted(entry[1])}" if current else _unquoted(entry[1])
                if name == full or name.startswith(full + "."):
                    return number
        return 0


def _unquoted(text: str) -> str:
    return re.sub(r"\s*\.\s*", ".", re.sub(r"[\"']", "", text))


def _shown(path: str) -> str:
    """Give a path relative to the current folder where that is shorter."""
    try:
        relative = os.path.relpath(path)
    except ValueError:  # another drive
        return path
    return relative if len(relative) < len(path) else path


def _table(path: str) -> tuple[dict[str, Any], _Lines]:
    try:
        with open(path, "rb") as file:
            data = file.read()
        text = data.decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{_shown(path)}: cannot be read: {error}") from error
    if path.endswith((".yaml", ".yml")):
        return _hadolint(path, text), _Lines(path, text)
    toml = _toml()
    try:
        table = toml.loads(text)
    except toml.TOMLDecodeError as error:
        place = re.search(r"at line (\d+), column (\d+)", str(error))
        where = f":{place[1]}:{place[2]}" if place else ""
        reason = re.sub(r" \(at .*\)$", "", str(error))
        raise ConfigError(f"{_shown(path)}{where}: is no valid TOML: {reason[:1].lower()}{reason[1:]}") from error
    section = ""
    if os.path.basename(path) == "pyproject.toml":
        section = SECTION
        table = table.get("tool", {}).get("dfopt", {})
    if not isinstance(table, dict):
        raise ConfigError(f"{_shown(path)}: [{SECTION}] must be a table")
    return table, _Lines(path, text, section)


def _toml() -> Any:
    try:
        import tomllib
    except ModuleNotFoundError:  # Python 3.10
        import tomli

        return tomli
    return tomllib


def _has_section(path: str) -> bool:
    try:
        with open(path, "rb") as file:
            return b"tool.dfopt" in file.read()
    except OSError:
        return False


_LABEL_CODES = tuple(f"DL30{number}" for number in (49, *range(50, 57), 58))
"""The rules of hadolint that read its label schema."""


def _hadolint(path: str, text: str) -> dict[str, Any]:
    """Translate hadolint's configuration; keys without a counterpart are left out, as it leaves out unknown ones."""
    try:
        import yaml
    except ModuleNotFoundError:
        raise ConfigError(
            f"{_shown(path)}: reading hadolint's configuration needs PyYAML; install it, or write a dfopt.toml"
        ) from None
    try:
        given = yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f":{mark.line + 1}:{mark.column + 1}" if mark else ""
        reason = getattr(error, "problem", None) or "cannot be read"
        raise ConfigError(f"{_shown(path)}{where}: is no valid YAML: {reason}") from error
    if given is None:
        return {}
    if not isinstance(given, dict):
        raise ConfigError(f"{_shown(path)}:1: must hold keys and values")
    table: dict[str, Any] = {}
    if "ignored" in given:
        table["ignore"] = given["ignored"] or []
    threshold = given.get("failure-threshold")
    if threshold is not None:
        # hadolint takes its words "none" and "ignore" for the strictest setting, and so does this.
        table["fail-on"] = "style" if threshold in ("none", "ignore") else threshold
    if given.get("no-fail") is True:
        table["fail-on"] = "never"
    override = given.get("override") or {}
    if not isinstance(override, dict):
        raise ConfigError(f"{_Lines(path, text).place('override')}: must hold lists of codes by severity")
    for level in ("style", "info", "warning", "error"):  # the worst one listed wins
        for code in override.get(level) or ():
            table.setdefault("severity", {})[code] = level
    if given.get("disable-ignore-pragma") is True:
        table["inline-ignores"] = False
    rules: dict[str, Any] = {}
    if given.get("trustedRegistries"):
        rules["DL3026"] = {"trusted-registries": given["trustedRegistries"]}
    if given.get("label-schema"):
        rules.update((code, {"label-schema": given["label-schema"]}) for code in _LABEL_CODES)
    if given.get("strict-labels") is True:
        rules.setdefault("DL3050", {})["strict-labels"] = True
    if rules:
        table["rules"] = rules
    return table


def _read(key: Key, value: Any, place: str) -> Any:
    try:
        return key.read(value)
    except ValueError as error:
        raise ConfigError(f"{place}: {error}") from None


def _string(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(f"must be a text, not {_kind(value)}")
    return value


def _boolean(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"must be true or false, not {value!r}")
    return value


def _strings(value: Any) -> tuple[str, ...]:
    if not isinstance(value, (list, tuple)) or not all(isinstance(item, str) for item in value):
        raise ValueError(f"must be a list of texts, not {_kind(value)}")
    return tuple(value)


def _profile(value: Any) -> str:
    if value not in PROFILES:
        raise ValueError(f"unknown profile {value!r}; use one of {', '.join(PROFILES)}")
    return str(value)


def fail_level(value: Any) -> Severity | None:
    """Read a severity or ``never``. Raises ValueError."""
    return None if value == "never" else Severity.parse(_string(value))


def _severities(value: Any) -> dict[str, Severity]:
    return {code: Severity.parse(_string(level)) for code, level in _mapping(value).items()}


def _rules(value: Any) -> dict[str, Mapping[str, Any]]:
    return {name: _mapping(options) for name, options in _mapping(value).items()}


def _arguments(value: Any) -> dict[str, str]:
    return {name: _string(text) for name, text in _mapping(value).items()}


def _per_path(value: Any) -> tuple[PathRules, ...]:
    rows = []
    for pattern, table in _mapping(value).items():
        unknown = set(_mapping(table)) - {"ignore", "extend-select"}
        if unknown:
            raise ValueError(f"{pattern!r} has an unknown key {min(unknown)!r}; use 'ignore' and 'extend-select'")
        rows.append(PathRules(pattern, _strings(table.get("ignore", ())), _strings(table.get("extend-select", ()))))
    return tuple(rows)


def _mapping(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict) or not all(isinstance(key, str) for key in value):
        raise ValueError(f"must be a table, not {_kind(value)}")
    return value


def read_version(value: Any) -> str:
    """Read a version such as ``0.1``. Raises ValueError."""
    if not isinstance(value, str) or not re.fullmatch(r"\d+(\.\d+)*", value):
        raise ValueError(f'must be a version such as "0.1", not {value!r}')
    return value


def _kind(value: Any) -> str:
    names = {bool: "a truth value", int: "a number", float: "a number", str: "a text", list: "a list", dict: "a table"}
    return names.get(type(value), type(value).__name__)


_TEXT: Mapping[str, Any] = {"type": "string"}
_TRUTH: Mapping[str, Any] = {"type": "boolean"}
_LIST: Mapping[str, Any] = {"type": "array", "items": {"type": "string"}}
_LEVELS = [str(level) for level in reversed(Severity)]

KEYS: tuple[Key, ...] = (
    Key("profile", "profile", _profile, "the set of rules to start from", {"enum": list(PROFILES)}),
    Key("select", "select", _strings, "rules to run instead of the profile's", _LIST),
    Key("extend-select", "extend_select", _strings, "rules to run besides", _LIST),
    Key("ignore", "ignore", _strings, "rules not to run", _LIST),
    Key("severity", "severity", _severities, "other severities, by rule",
        {"type": "object", "additionalProperties": {"enum": _LEVELS}}),
    Key("rules", "rules", _rules, "options of rules, by rule",
        {"type": "object", "additionalProperties": {"type": "object"}}),
    Key("rules-as-of", "rules_as_of", read_version, "leave rules of later versions out of the profiles", _TEXT),
    Key("preview", "preview", _boolean, "let new rules that are still tried out join the profiles", _TRUTH),
    Key("per-path", "per_path", _per_path, "rules for files that match a pattern", {
        "type": "object",
        "additionalProperties": {
            "type": "object", "properties": {"ignore": _LIST, "extend-select": _LIST}, "additionalProperties": False,
        },
    }),
    Key("exclude", "exclude", _strings, "files and folders that are not searched", _LIST),
    Key("fail-on", "fail_on", fail_level, "the least severity that fails the run, or never",
        {"enum": [*_LEVELS, "never"]}),
    Key("inline-ignores", "inline_ignores", _boolean, "whether comments may silence findings", _TRUTH),
    Key("require-reason", "require_reason", _boolean, "report ignore comments without a reason", _TRUTH),
    Key("shellcheck", "shellcheck", _boolean, "whether ShellCheck runs (default: where it is found)", _TRUTH),
    Key("plugins", "plugins", _boolean, "load rules of installed packages", _TRUTH),
    Key("rule-paths", "rule_paths", _strings, "Python files or folders with rules", _LIST),
    Key("baseline", "baseline", _string, "file of known findings that are not reported", _TEXT),
    Key("target", "target", _string, "the stage that is built", _TEXT),
    Key("platform", "platform", _string, "the platform that is built for", _TEXT),
    Key("build-args", "build_args", _arguments, "values of build arguments",
        {"type": "object", "additionalProperties": _TEXT}),
)  # fmt: skip
"""All keys of the configuration, in the order in which they are shown."""


def schema() -> dict[str, Any]:
    """Give the JSON schema of dfopt.toml, for editors."""
    properties = {key.name: {"description": key.doc, **key.schema} for key in KEYS}
    properties["extend"] = {"description": "a configuration file that this one builds on", "type": "string"}
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "dfopt.toml",
        "type": "object",
        "properties": properties,
        "additionalProperties": False,
    }


class Configurations:
    """Finds the configuration of each file: nearest configuration file, environment, then what the caller gives."""

    def __init__(
        self,
        values: Mapping[str, Any],
        origins: Mapping[str, str],
        *,
        path: str | None = None,
        isolated: bool = False,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self._values, self._origins, self._isolated = values, origins, isolated
        # A plain copy, because this is sent to other processes.
        self._environment = dict(os.environ if environment is None else environment)
        self._path = path or (None if isolated else self._environment.get("DFOPT_CONFIG")) or None
        if self._path is not None and not os.path.isfile(self._path):
            raise ConfigError(f"{self._path}: there is no such configuration file")
        self._by_folder: dict[str, str | None] = {}
        self._by_file: dict[str | None, Config] = {}

    def of(self, folder: str) -> Config:
        """Give the configuration that holds for files of a folder. Raises ConfigError."""
        return self._by_path(self.path_of(folder))

    def path_of(self, folder: str) -> str | None:
        """Give the configuration file that holds for files of a folder."""
        if self._path is not None or self._isolated:
            return self._path
        if folder not in self._by_folder:
            self._by_folder[folder] = find_config(folder)
        return self._by_folder[folder]

    def all(self) -> Iterator[Config]:
        """Give every configuration that was asked for."""
        yield from self._by_file.values()

    def _by_path(self, path: str | None) -> Config:
        if path not in self._by_file:
            config = load_config(path) if path else DEFAULT
            if not self._isolated:
                config = environment_config(self._environment, config)
            self._by_file[path] = overlay(config, self._values, self._origins)
        return self._by_file[path]
