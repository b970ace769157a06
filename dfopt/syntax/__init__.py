"""From text to tree: the Dockerfile language, without any knowledge of shells, rules or tools."""

from __future__ import annotations

from dfopt.syntax.parser import parse

__all__ = ["parse"]
