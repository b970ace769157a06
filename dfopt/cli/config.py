"""``dfopt config``: what configuration holds for a file, and where each value comes from."""

from __future__ import annotations

import argparse
import json
import os
import sys
from typing import Any

from dfopt.cli import USAGE
from dfopt.cli.options import add_build_options, add_config_options, given
from dfopt.config import DEFAULT, KEYS, ConfigError, Configurations, PathRules, schema
from dfopt.finding import Severity

HELP = "Show the configuration that holds for a file and where each value comes from."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("path", nargs="?", default="Dockerfile", metavar="PATH", help="the file or folder to ask for")
    parser.add_argument("--schema", action="store_true", help="print the JSON schema of dfopt.toml, for editors")
    parser.add_argument("--format", choices=("text", "json"), default="text", help="output format")
    add_config_options(parser)
    add_build_options(parser)


def run(args: argparse.Namespace) -> int:
    """Print the configuration as TOML with remarks, or as JSON."""
    from dfopt.lint.registry import RuleError, load
    from dfopt.lint.validation import check_config

    if args.schema:
        print(json.dumps(schema(), indent=2))
        return 0
    values, origins = given(args)
    path = os.path.abspath(args.path)
    folder = path if os.path.isdir(path) else os.path.dirname(path)
    try:
        configurations = Configurations(values, origins, path=args.config, isolated=args.no_config)
        config = configurations.of(folder)
        check_config(config, load(config.rule_paths, plugins=config.plugins))
    except (ConfigError, RuleError) as error:
        print(f"dfopt: {error}", file=sys.stderr)
        return USAGE
    if args.format == "json":
        table = {
            key.name: {
                "value": _plain(getattr(config, key.field)),
                "from": config.origins.get(key.field, "default"),
            }
            for key in KEYS
        }
        print(json.dumps({"file": configurations.path_of(folder), "keys": table}, indent=1))
        return 0
    print(f"# {configurations.path_of(folder) or 'no configuration file'}")
    for key in KEYS:
        value = _plain(getattr(config, key.field))
        origin = config.origins.get(key.field, "default")
        if value == _plain(getattr(DEFAULT, key.field)) and value in (None, [], {}):
            print(f"# {key.name}: not set")
        else:
            print(f"{key.name} = {_toml(value)}  # {origin}")
    return 0


def _plain(value: Any) -> Any:
    """Give a value as a configuration file would hold it."""
    if isinstance(value, Severity):
        return str(value)
    if isinstance(value, tuple) and value and isinstance(value[0], PathRules):
        return {one.pattern: {"ignore": list(one.ignore), "extend-select": list(one.extend_select)} for one in value}
    if isinstance(value, (tuple, list)):
        return [_plain(part) for part in value]
    if isinstance(value, dict):
        return {name: _plain(part) for name, part in value.items()}
    return value


def _toml(value: Any) -> str:
    if value is None:
        return '"never"'  # only fail-on has no severity in this sense
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{json.dumps(name)} = {_toml(part)}" for name, part in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(_toml(part) for part in value) + "]"
    return json.dumps(value)
