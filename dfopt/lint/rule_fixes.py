"""Fixes for findings of other tools' profiles: those that this project's rules propose for the same thing and place."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dfopt.context.model import BuildContext
from dfopt.finding import Finding, Fix
from dfopt.graph.model import InstructionGraph
from dfopt.lint.registry import Registry
from dfopt.source import Span


class RuleFixes:
    """Finds fixes among the findings of the rules that know another tool's check by its name; each rule runs once."""

    def __init__(
        self,
        graph: InstructionGraph,
        registry: Registry,
        context: BuildContext | None = None,
        options: Mapping[str, Mapping[str, Any]] | None = None,
    ) -> None:
        self._graph = graph
        self._registry = registry
        self._context = context
        self._options = options
        self._known: dict[str, list[Finding]] = {}

    def of(self, check: str, place: Span) -> Fix | None:
        """Give the first fix of a check whose finding touches a place."""
        for finding in self._findings(check):
            if finding.fix is not None and (finding.span.overlaps(place) or finding.span == place):
                return finding.fix
        return None

    def _findings(self, check: str) -> list[Finding]:
        if check not in self._known:
            from dfopt.lint.run import lint_graph

            rules = [rule for rule in self._registry.find(check) if not rule.after]
            self._known[check] = lint_graph(
                self._graph, rules, context=self._context, options=self._options, registry=self._registry
            )
        return self._known[check]
