"""The output formats by name; each is a module of this package with one function ``render``."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from importlib import import_module

from dfopt.report.model import FileReport, RunInfo

FORMATS = {
    "text": "text",
    "json": "json_object",
    "jsonl": "jsonl",
    "sarif": "sarif",
    "github": "github",
    "gnu": "gnu",
    "gitlab": "gitlab",
    "codeclimate": "codeclimate",
    "checkstyle": "checkstyle",
    "junit": "junit",
    "rdjsonl": "rdjsonl",
    "sonarqube": "sonarqube",
    "markdown": "markdown",
    "hadolint": "hadolint",
}

Render = Callable[[Iterable[FileReport], RunInfo], Iterator[str]]
"""Gives the report piece by piece while the files come in, so that a long run shows something early."""


def renderer(name: str) -> Render:
    """Give the function that renders a format. Raises KeyError for an unknown name."""
    render: Render = import_module(f"dfopt.report.{FORMATS[name]}").render
    return render
