"""The typed edges of the graph: what each step needs from steps, stages, images and the build context."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from msgspec import Struct

from dfopt.graph import paths
from dfopt.graph.model import Edge, InstructionGraph, Stage, Step
from dfopt.graph.queries import arrives_at, context_sources, variables_used
from dfopt.syntax import tree
from dfopt.tools import overlaps

_EVERYTHING = "*"
# Where package managers put programs: that a step starts one does not tell which package it came with.
_PROGRAM = re.compile(r"/(?:usr/(?:local/)?)?s?bin/[^/]+")
# Read by everything that uses the network; the builder provides them.
_NETWORK = frozenset(("/etc/hosts", "/etc/resolv.conf", "/etc/ssl/"))


def edges_of(graph: InstructionGraph) -> tuple[Edge, ...]:
    """List all edges of a graph, in the order of the steps that need something."""
    found: dict[Edge, None] = {}
    writers = _Writers(graph)
    for stage in graph.stages:
        for edge in _stage_edges(graph, stage, writers):
            found[edge] = None
    return tuple(found)


def _stage_edges(graph: InstructionGraph, stage: Stage, writers: _Writers) -> Iterator[Edge]:
    steps = stage.all_steps
    first = steps[0]
    if stage.base is not None:
        yield Edge(graph.stages[stage.base].all_steps[-1].id, first.id, "base")
    else:
        name = stage.image or first.arguments[0] or stage.from_.image.text
        yield Edge(f"image:{name}", first.id, "base")
    previous: Step | None = None
    for step in steps:
        if previous is not None:
            yield Edge(previous.id, step.id, "order")
        previous = step
        yield from _variables(graph, step)
        yield from _sources(step)
        yield from _contents(writers, step)
    yield Edge(steps[-1].id, stage.id, "order")


def _variables(graph: InstructionGraph, step: Step) -> Iterator[Edge]:
    for name in sorted(variables_used(step)):
        variable = step.before.variables.get(name)
        if variable is not None and variable.step is not None and variable.step != step.index:
            yield Edge(f"step:{variable.step}", step.id, "uses-variable", name)
    if isinstance(step.instruction, tree.Arg):
        for pair in step.instruction.pairs:
            inherited = graph.globals.get(pair.key)
            if pair.value is None and inherited is not None and inherited.step is not None:
                yield Edge(f"step:{inherited.step}", step.id, "uses-variable", pair.key)


def _sources(step: Step) -> Iterator[Edge]:
    for path in context_sources(step):
        yield Edge(f"context:{paths.context_name(path)}", step.id, "reads-context", paths.context_name(path))
    if step.source_stage is not None or step.source_image is not None:
        origin = f"stage:{step.source_stage}" if step.source_stage is not None else f"image:{step.source_image}"
        yield Edge(origin, step.id, "copies-from", " ".join(step.sources))
    for mount in step.run_mounts:
        if mount.type == "bind" and mount.stage is None and mount.image is None:
            name = paths.context_name(mount.source)
            yield Edge(f"context:{name}", step.id, "reads-context", name)
        elif mount.stage is not None or mount.image is not None:
            origin = f"stage:{mount.stage}" if mount.stage is not None else f"image:{mount.image}"
            yield Edge(origin, step.id, "mounts-from", paths.source(mount.source))


def _contents(writers: _Writers, step: Step) -> Iterator[Edge]:
    """Give the edges from the steps that wrote what a step reads."""
    for stage, reads in _reads(step):
        if reads:
            for writer in writers.before(stage, step):
                shared = writer.shared(reads)
                if shared:
                    yield Edge(writer.step.id, step.id, "reads-written-by", shared)
    effects = step.effects
    if effects.lists or effects.programs:
        for writer in writers.before(step.stage, step):
            renewed = effects.lists & writer.refreshes
            if renewed:
                yield Edge(writer.step.id, step.id, "reads-written-by", f"{min(renewed)} package lists")
            started = effects.programs & writer.installs
            if started:
                yield Edge(writer.step.id, step.id, "reads-written-by", " ".join(sorted(started)))


def _reads(step: Step) -> Iterator[tuple[int, frozenset[str]]]:
    reads = step.effects.reads
    if step.keyword == "RUN" and reads:
        if _EVERYTHING in reads:
            # An unknown program may read anything; what it most likely reads is the project around it.
            home = paths.clean(step.before.workdir)
            reads = (reads - {_EVERYTHING}) | ({home.rstrip("/") + "/"} if home != "/" else set())
        yield step.stage, frozenset(read for read in reads if not step.is_mounted(read))
    if step.source_stage is not None:
        yield step.source_stage, frozenset(paths.source(source) for source in step.sources)
    for mount in step.run_mounts:
        if mount.stage is not None:
            yield mount.stage, frozenset((paths.source(mount.source),))


class _Writer(Struct, frozen=True):
    """A step that leaves something for later ones, and what that is."""

    step: Step
    writes: frozenset[str]
    refreshes: frozenset[str]
    installs: frozenset[str]

    def shared(self, reads: Iterable[str]) -> str:
        """Give the first path that is read and that the step surely meant to write; "" without one."""
        wanted = [read for read in reads if read in self.writes or not (read in _NETWORK or _PROGRAM.fullmatch(read))]
        shared = [read for read in wanted if any(overlaps(read, written) for written in self.writes)]
        if isinstance(self.step.instruction, tree.FileInstruction):
            # What a copy brings is known by name; its effects name the whole folder it goes to.
            above = _above(paths.clean(self.step.destination))
            shared = [
                read for read in shared if arrives_at(self.step, read.rstrip("/")) or read.rstrip("/") in ("", *above)
            ]
        return min(shared, default="")


class _Writers:
    """The steps of each stage that leave something for later ones, looked at once."""

    def __init__(self, graph: InstructionGraph) -> None:
        self.graph = graph
        self.stages: dict[int, list[_Writer]] = {}

    def before(self, stage: int, step: Step) -> Iterator[_Writer]:
        """Give the writers of a stage and of those it is based on that stand below a step."""
        for each in self.graph.chain(stage):
            for writer in self._of(each):
                if each.index == step.stage and _order(writer.step) >= _order(step):
                    return
                yield writer

    def _of(self, stage: Stage) -> list[_Writer]:
        found = self.stages.get(stage.index)
        if found is None:
            steps = (step for step in stage.all_steps if step.makes_layer and step.keyword != "WORKDIR")
            found = [writer for step in steps if (writer := _writer(step)) is not None]
            self.stages[stage.index] = found
        return found


def _order(step: Step) -> tuple[int, int]:
    return step.index, -1 if step.trigger is None else step.trigger


def _writer(step: Step) -> _Writer | None:
    effects = step.effects
    writes = {path for path in effects.writes if path != _EVERYTHING and not step.is_mounted(path)}
    if _EVERYTHING in effects.writes and step.before.workdir != "/":
        writes.add(paths.clean(step.before.workdir) + "/")
    # A program mostly comes from the package of its name.
    installs = frozenset(
        (word.value or "").partition("=")[0]
        for invocation in step.invocations
        if invocation.action == "install"
        for word in invocation.operands
    )
    if not (writes or effects.refreshes or installs):
        return None
    return _Writer(step, frozenset(writes), effects.refreshes, installs)


def _above(path: str) -> tuple[str, ...]:
    parts = path.strip("/").split("/")
    return tuple("/" + "/".join(parts[:count]) for count in range(1, len(parts) + 1))
