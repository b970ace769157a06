"""Whether two Dockerfiles make the same image: equal files by equal commands from equal inputs, equal configuration."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from msgspec import Struct

from dfopt.context.model import BuildContext
from dfopt.graph.model import InstructionGraph
from dfopt.rewrite.abstract import Built, build_abstract
from dfopt.rewrite.places import Sources, single_sources
from dfopt.rewrite.store import Terms

_PARTS = (
    "base", "environment", "entrypoint", "cmd", "user", "workdir", "ports", "volumes", "labels", "stop_signal",
    "healthcheck", "shell", "onbuild", "maintainer",
)  # fmt: skip


class Verdict(Struct, frozen=True):
    """Whether two builds are equivalent, and if not, why."""

    ok: bool
    reasons: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return self.ok


class Original:
    """A build that others are compared with; its abstract builds are kept, so that comparing again costs half."""

    def __init__(self, graph: InstructionGraph, context: BuildContext | None = None) -> None:
        self.graph = graph
        self.context = context
        self._terms = Terms()
        self._built: dict[tuple[Sources, tuple[str, ...]], list[Built]] = {}

    def compare(self, after: InstructionGraph, removed: Iterable[str] = ()) -> Verdict:
        """Tell whether another graph builds an equal image, apart from the paths that are ``removed`` on purpose."""
        gone = tuple(removed)
        before = self.graph
        sources = single_sources((before, after))
        first = self._built.get((sources, gone))
        if first is None:
            first = build_abstract(before, self.context, self._terms, sources, gone)
            self._built[sources, gone] = first
        second = build_abstract(after, self.context, self._terms, sources, gone)
        reasons: list[str] = []
        for index, built in enumerate(first):
            stage = before.stages[index]
            if index == before.target:
                other_index = after.target
            elif stage.name:
                other_index = next((other.index for other in after.stages if other.name == stage.name), None)
            else:
                continue
            where = f"stage {stage.name or stage.index}"
            if other_index is None:
                reasons.append(f"{where} is missing")
                continue
            differences = _differences(built, second[other_index], self._terms, gone)
            reasons += [f"{where}: {reason}" for reason in differences]
        if before.target is None or after.target is None:
            reasons.append("there is no target stage")
        return Verdict(not reasons, tuple(reasons))


def equivalent(
    before: InstructionGraph,
    after: InstructionGraph,
    *,
    context: BuildContext | None = None,
    removed: Iterable[str] = (),
) -> Verdict:
    """Tell whether two graphs build equal images, apart from the paths that are ``removed`` on purpose.

    The target and every named stage of ``before`` (which other files may use as a target) are compared. A no means
    "not shown", not "different".
    """
    return Original(before, context).compare(after, removed)


def configuration_of(graph: InstructionGraph) -> Mapping[str, Any] | None:
    """Give the configuration of the target's image as the abstract build sees it."""
    if graph.target is None:
        return None
    built = build_abstract(graph, None, Terms(), single_sources((graph,)))
    config = built[graph.target].config
    return {part: config[part] for part in _PARTS}


def _differences(one: Built, two: Built, terms: Terms, removed: tuple[str, ...]) -> list[str]:
    reasons = [*one.doubts, *two.doubts]
    for part in _PARTS:
        if one.config[part] != two.config[part]:
            reasons.append(f"{part.replace('_', ' ')} differs: {one.config[part]!r} before, {two.config[part]!r} after")
    if one.store.base != two.store.base:
        reasons.append("the base image differs")
    left, right = one.store.final(removed), two.store.final(removed)
    for key in sorted({*left, *right}):
        if left.get(key) == right.get(key):
            continue
        region, node = key
        name = f"the folder {region}" if node else region
        was = " and ".join(sorted(map(terms.describe, left.get(key, ())))) or "not written"
        now = " and ".join(sorted(map(terms.describe, right.get(key, ())))) or "not written"
        detail = "depends on other things" if was == now else f"{was} before, {now} after"
        reasons.append(f"{name}: {detail}")
    return reasons
