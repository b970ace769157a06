"""Options that several subcommands share, and how they become configuration values."""

from __future__ import annotations

import argparse
import os
from typing import Any

from dfopt.config import PROFILES, fail_level, read_version

_CONFIG_FIELDS = ("profile", "select", "extend_select", "ignore", "fail_on", "inline_ignores", "shellcheck", "plugins",
                  "rule_paths", "baseline", "target", "platform", "build_args", "exclude", "rules_as_of",
                  "preview")  # fmt: skip


def add_config_options(parser: argparse.ArgumentParser) -> None:
    """Declare the options about configuration and the choice of rules."""
    group = parser.add_argument_group("rules and configuration")
    group.add_argument("--config", metavar="FILE", help="use this configuration file and look for no other")
    group.add_argument("--no-config", action="store_true", help="use no configuration file and no DFOPT_* variables")
    group.add_argument("--profile", choices=PROFILES, help="the set of rules to start from")
    group.add_argument("--select", type=_words, action="append", metavar="RULES", help="run these rules only")
    group.add_argument("--extend-select", type=_words, action="append", metavar="RULES", help="run these rules besides")
    group.add_argument("--ignore", type=_words, action="append", metavar="RULES", help="do not run these rules")
    group.add_argument(
        "--rules-as-of", type=version, metavar="VERSION", help="leave rules of later versions out of the profiles"
    )
    group.add_argument("--preview", action="store_true", default=None, help="run new rules that are still tried out")
    group.add_argument("--exclude", type=_words, action="append", metavar="PATTERNS", help="skip files and folders")
    group.add_argument(
        "--fail-on", type=_level, default=argparse.SUPPRESS, metavar="LEVEL",
        help="error, warning (default), info, style or never: the least severity that gives exit code 1",
    )  # fmt: skip
    group.add_argument("--no-inline-ignores", dest="inline_ignores", action="store_false", default=None,
                       help="honour no comments that silence findings")  # fmt: skip
    group.add_argument("--shellcheck", action="store_true", default=None, help="run ShellCheck on RUN scripts")
    group.add_argument("--no-shellcheck", dest="shellcheck", action="store_false", help="do not run ShellCheck")
    group.add_argument("--plugins", action="store_true", default=None, help="load rules of installed packages")
    group.add_argument(
        "--rule-path", dest="rule_paths", action="append", metavar="PATH", help="load rules from Python files"
    )


def add_build_options(parser: argparse.ArgumentParser) -> None:
    """Declare the options about how the file is built."""
    group = parser.add_argument_group("build")
    group.add_argument("--build-arg", dest="build_args", type=_assignment, action="append", metavar="NAME[=VALUE]",
                       help="value of a build argument; without a value it comes from the environment")  # fmt: skip
    group.add_argument("--target", metavar="STAGE", help="the stage that is built (default: the last)")
    group.add_argument(
        "--platform", type=_platform, metavar="PLATFORM", help="the platform that is built for (default: linux/amd64)"
    )


def given(args: argparse.Namespace) -> tuple[dict[str, Any], dict[str, str]]:
    """Give the configuration values that options set, and where each comes from."""
    values: dict[str, Any] = {}
    for field in _CONFIG_FIELDS:
        value = getattr(args, field, None)
        if field == "fail_on" and hasattr(args, field):
            values[field] = value
        elif value is None:
            continue
        elif field == "build_args":
            values[field] = build_arguments(args)
        elif field == "rule_paths":
            values[field] = tuple(os.path.abspath(path) for path in value)
        elif isinstance(value, list):
            values[field] = tuple(word for words in value for word in words)
        else:
            values[field] = value
    names = {"rule_paths": "--rule-path", "build_args": "--build-arg", "inline_ignores": "--no-inline-ignores"}
    return values, {field: f"option {names.get(field, '--' + field.replace('_', '-'))}" for field in values}


def build_arguments(args: argparse.Namespace) -> dict[str, str]:
    """Give the build arguments of the options; one without a value is taken from the environment, or left out."""
    pairs = getattr(args, "build_args", None) or ()
    found = {name: os.environ.get(name) if value is None else value for name, value in pairs}
    return {name: value for name, value in found.items() if value is not None}


def _words(text: str) -> list[str]:
    return [word.strip() for word in text.split(",") if word.strip()]


def version(text: str) -> str:
    """Read a version on the command line. Raises ArgumentTypeError."""
    try:
        return read_version(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _level(text: str) -> Any:
    try:
        return fail_level(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _platform(text: str) -> str:
    from dfopt.graph.platforms import parse_platform

    try:
        parse_platform(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is no platform: {error}") from None
    return text


def _assignment(text: str) -> tuple[str, str | None]:
    name, equals, value = text.partition("=")
    if not name:
        raise argparse.ArgumentTypeError(f"must be NAME=VALUE or NAME, not {text!r}")
    return name, value if equals else None
