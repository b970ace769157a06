"""What the user wants, as values. Reading the files that say so is the second half of this module."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from dfopt.finding import Severity


class PathRules(NamedTuple):
    """Rules that hold for files matching a pattern only (``per-path`` in the configuration)."""

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
    rules: Mapping[str, Mapping[str, Any]] = {}
    """Options of rules: by the rule's name, by the option's name."""
    per_path: tuple[PathRules, ...] = ()
    exclude: tuple[str, ...] = ()
    fail_on: Severity | None = Severity.WARNING
    """The least severity that makes the run fail; None never fails."""
    inline_ignores: bool = True
    require_reason: bool = False
    shellcheck: bool | None = None
    """None runs ShellCheck where it is found."""
    plugins: bool = False
    rule_paths: tuple[str, ...] = ()
    target: str | None = None
    platform: str = "linux/amd64"
    build_args: Mapping[str, str] = {}
    origins: Mapping[str, str] = {}
    """Where each value that is not a default was set: file and line, variable or option."""


DEFAULT = Config()
