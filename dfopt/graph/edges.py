"""The typed edges of the graph: what each step needs from steps, stages, images and the build context."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from dfopt.graph import paths
from dfopt.graph.model import Edge, InstructionGraph, Stage, Step
from dfopt.graph.queries import arrives_at, context_sources, variables_used
from dfopt.syntax import tree
from dfopt.tools import any_overlap, overlaps

_EVERYTHING = "*"
# Where package managers put programs: that a step starts one does not tell which package it came with.
_PROGRAM = re.compile(r"/(?:usr/(?:local/)?)?s?bin/[^/]+")
# Read by everything that uses the network; the builder provides them.
_NETWORK = frozenset(("/etc/hosts", "/etc/resolv.conf", "/etc/ssl/"))


def edges_of(graph: InstructionGraph) -> tuple[Edge, ...]:
    """List all edges of a graph, in the order of the steps that need something."""
    found: dict[Edge, None] = {}
    for stage in graph.stages:
        for edge in _stage_edges(graph, stage):
            found[edge] = None
    return tuple(found)


def _stage_edges(graph: InstructionGraph, stage: Stage) -> Iterator[Edge]:
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
        yield from _contents(graph, step)
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


def _contents(graph: InstructionGraph, step: Step) -> Iterator[Edge]:
    """Give the edges from the steps that wrote what a step reads."""
    for stage, reads in _reads(step):
        for writer in _before(graph, stage, step):
            shared = _shared(reads, writer)
            if shared:
                yield Edge(writer.id, step.id, "reads-written-by", shared)
    effects = step.effects
    if effects.lists or effects.programs:
        for writer in _before(graph, step.stage, step):
            renewed = effects.lists & writer.effects.refreshes
            if renewed:
                yield Edge(writer.id, step.id, "reads-written-by", f"{min(renewed)} package lists")
            started = effects.programs & _installed(writer)
            if started:
                yield Edge(writer.id, step.id, "reads-written-by", " ".join(sorted(started)))


def _installed(step: Step) -> frozenset[str]:
    """Give the names of packages that a step installs; a program mostly comes from the package of its name."""
    return frozenset(
        (word.value or "").partition("=")[0]
        for invocation in step.invocations
        if invocation.action == "install"
        for word in invocation.operands
    )


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


def _before(graph: InstructionGraph, stage: int, step: Step) -> Iterator[Step]:
    for each in graph.chain(stage):
        for candidate in each.all_steps:
            if candidate is step:
                return
            if candidate.makes_layer and candidate.keyword != "WORKDIR":
                yield candidate


def _shared(reads: Iterable[str], writer: Step) -> str:
    """Give the first path that is read and that a step surely meant to write; "" without one."""
    writes = {path for path in writer.effects.writes if path != _EVERYTHING and not writer.is_mounted(path)}
    if _EVERYTHING in writer.effects.writes and writer.before.workdir != "/":
        writes.add(paths.clean(writer.before.workdir) + "/")
    reads = [read for read in reads if read in writes or not (read in _NETWORK or _PROGRAM.fullmatch(read))]
    if not writes or not any_overlap(reads, writes):
        return ""
    shared = [read for read in reads if any(overlaps(read, written) for written in writes)]
    if isinstance(writer.instruction, tree.FileInstruction):
        # What a copy brings is known by name; its effects name the whole folder it goes to.
        place = paths.clean(writer.destination)
        shared = [
            read
            for read in shared
            if arrives_at(writer, read.rstrip("/"))
            or (overlaps(place, read) and read.rstrip("/") in ("", *_above(place)))
        ]
    return min(shared, default="")


def _above(path: str) -> tuple[str, ...]:
    parts = path.strip("/").split("/")
    return tuple("/" + "/".join(parts[:count]) for count in range(1, len(parts) + 1))
