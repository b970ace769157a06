"""Fixes that come from the optimizer: a rule names the pass and the place, the abstract build proves the rest."""

from __future__ import annotations

from dfopt.edit import apply
from dfopt.finding import Applicability, Fix
from dfopt.lint.rule import Build
from dfopt.rewrite.model import Change, Pass, PassInput
from dfopt.source import Span


def proposed_fix(build: Build, rewrite: Pass, place: Span) -> Fix | None:
    """Give what a pass proposes at a place as a fix; None where it proposes nothing, or nothing that can be shown.

    A change that the pass calls safe is only given where the abstract build of both texts agrees.
    """
    for change in rewrite(PassInput(build.graph, build.context)):
        if isinstance(change, Change) and _is_at(change, place) and _holds(build, change):
            return Fix(_capitalized(change.title), change.edits, change.applicability, change.declares_removed)
    return None


def _is_at(change: Change, place: Span) -> bool:
    return change.span.overlaps(place) or any(edit.span.overlaps(place) for edit in change.edits)


def _holds(build: Build, change: Change) -> bool:
    from dfopt.graph import build as build_graph
    from dfopt.rewrite.equivalence import equivalent
    from dfopt.syntax import parse

    after = build_graph(parse(apply(build.tree.source.text, change.edits)), build.build_options)
    if len(after.tree.problems) > len(build.tree.problems) or len(after.problems) > len(build.graph.problems):
        return False
    if change.applicability is not Applicability.SAFE:
        return True
    return equivalent(build.graph, after, context=build.context, removed=change.declares_removed).ok


def _capitalized(title: str) -> str:
    return title[:1].upper() + title[1:]
