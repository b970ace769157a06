"""What a build costs after an edit: probabilities of edits, and the seconds of the steps behind them."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Literal

from msgspec import Struct

from dfopt.context.model import BuildContext
from dfopt.graph.cachekey import compare, selects
from dfopt.graph.model import InstructionGraph, Step
from dfopt.graph.queries import context_sources, installs_of, run_steps
from dfopt.predict.rebuilds import expected_seconds

Objective = Literal["size", "rebuild", "balanced"]
OBJECTIVES: tuple[Objective, ...] = ("size", "rebuild", "balanced")
BYTES_PER_SECOND = {"size": 0.0, "balanced": 100_000.0, "rebuild": 100_000_000.0}
"""How many bytes of the image a second of an expected rebuild is worth."""
_MANIFEST_WEIGHT = 0.1
"""How often a file that decides an install is edited for every edit of another file, where git does not tell."""


class EditModel:
    """How likely an edit is to touch which paths of the context; the same for every text that is weighed.

    With git's history a path counts by the commits that touched it. Without, a source counts ten times a manifest;
    without the context, every source of a COPY stands for one file in it.
    """

    def __init__(self, graph: InstructionGraph, context: BuildContext | None) -> None:
        self.context = context
        weights = _weights(graph, context)
        total = sum(weights.values())
        self.weights = {path: weight / total for path, weight in weights.items() if total and weight}

    def seconds(self, graph: InstructionGraph) -> float:
        """Give the seconds of work that the next build repeats after an edit, on the average."""
        groups: dict[tuple[str, ...], tuple[str, float]] = {}
        readers = [step for stage in graph.stages for step in stage.all_steps if _reads_context(step)]
        for path, weight in self.weights.items():
            key = tuple(step.id for step in readers if selects(step, path))
            groups[key] = (path, groups.get(key, ("", 0.0))[1] + weight)
        total = 0.0
        for key, (path, weight) in groups.items():
            if key:
                repeated = (each.step for each in compare(graph, graph, paths=(path,)) if each.status != "cached")
                total += weight * sum(expected_seconds(step, self.context) for step in repeated)
        return total


def _reads_context(step: Step) -> bool:
    return bool(context_sources(step)) or any(
        mount.type == "bind" and mount.stage is None and mount.image is None for mount in step.run_mounts
    )


def _weights(graph: InstructionGraph, context: BuildContext | None) -> Mapping[str, float]:
    manifests = {
        posixpath.basename(path)
        for step in run_steps(graph) for install in installs_of(step)
        for path in (*install.manifests, *install.optional)
    }  # fmt: skip
    if context is not None:
        paths = [path for path, file in context.files.items() if file.type == "file"]
        if any(path in context.changes for path in paths):
            return {path: float(context.changes.get(path, 0)) for path in paths}
    else:
        sources = {source.strip("/") for step in graph.steps for source in context_sources(step)}
        paths = [source for source in sources if source not in ("", "*") and "*" not in source]
        if {"", "*"} & sources:
            paths += ["source", *(name for name in manifests if "*" not in name)]
    return {path: _MANIFEST_WEIGHT if _is_manifest(path, manifests) else 1.0 for path in paths}


def _is_manifest(path: str, manifests: set[str]) -> bool:
    return any(fnmatchcase(posixpath.basename(path), name) for name in manifests)


class Cost(Struct, frozen=True):
    """Bytes and seconds that a change saves, and what that is worth by an objective, in bytes."""

    saved_bytes: float
    saved_seconds: float
    objective: Objective = "balanced"

    @property
    def worth(self) -> float:
        """The bytes, and the seconds as bytes."""
        return self.saved_bytes + self.saved_seconds * BYTES_PER_SECOND[self.objective]
