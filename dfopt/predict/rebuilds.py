"""What a change makes a build repeat, with the time it takes: steps, reasons, and the path that the build waits for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from msgspec import Struct

from dfopt.context.model import BuildContext
from dfopt.graph.cachekey import Rebuild, Status, Store, compare, selects
from dfopt.graph.model import InstructionGraph, Step
from dfopt.predict.buildlog import BuildLog, durations, step_names
from dfopt.syntax import tree

_START_SECONDS = 0.2
"""What a RUN costs before its first command: a container is made and thrown away."""
_UNKNOWN_SECONDS = 5.0
_FOLDER_SECONDS = 0.05
_COPY_SECONDS = 0.1
_COPY_BYTES_PER_SECOND = 200e6
_FETCH_SECONDS = 2.0


class TimedStep(Struct, frozen=True):
    """One step of the next build.

    ``line`` is its first line in the file, ``label`` how the builder names it. ``seconds`` is what it takes when it
    runs, ``measured`` tells that a log said so. ``finish`` is the second at which it is done at the earliest, counted
    from the start, where every step that may be repeated is. ``critical`` marks steps on the path that
    the whole build waits for.
    """

    step: Step
    line: int
    label: str
    status: Status
    reason: str
    first: bool
    seconds: float
    measured: bool
    finish: float
    critical: bool = False


class TimedStage(Struct, frozen=True):
    """One stage of the next build; ``built`` is False where the target does not need it."""

    stage: int
    name: str | None
    built: bool
    steps: tuple[TimedStep, ...]

    @property
    def repeated(self) -> tuple[TimedStep, ...]:
        """The steps that run, or may run."""
        return tuple(step for step in self.steps if step.status != "cached")

    @property
    def first(self) -> TimedStep | None:
        """The first step that runs, or may run."""
        return next(iter(self.repeated), None)


class CacheReport(Struct, frozen=True):
    """What the next build repeats.

    ``seconds`` is how long the build takes with stages running side by side, ``work_seconds`` the sum over all
    repeated steps, ``cached_seconds`` what the cache saves of it; the two first have a least value, which leaves out
    steps that run only where something comes out different. ``export_seconds`` is the time to write the image, from a
    log. ``unused`` are changed paths that no step reads.
    """

    stages: tuple[TimedStage, ...]
    seconds: float
    least_seconds: float
    work_seconds: float
    least_work_seconds: float
    cached_seconds: float
    export_seconds: float | None = None
    critical_path: tuple[TimedStep, ...] = ()
    unused: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def repeated(self) -> tuple[TimedStep, ...]:
        """All steps that run, or may run."""
        return tuple(step for stage in self.stages for step in stage.repeated)


def explain_cache(
    before: InstructionGraph,
    after: InstructionGraph | None = None,
    *,
    paths: Iterable[str] = (),
    images: Iterable[str] = (),
    store: Store = "overlay2",
    context: BuildContext | None = None,
    log: BuildLog | None = None,
    notes: Iterable[str] = (),
) -> CacheReport:
    """Tell which steps the build of ``after`` repeats when the cache holds the build of ``before``, and why.

    ``paths`` are changed paths of the build context that its ignore file lets through, ``images`` base images as the
    file names them that are another image now. ``store`` decides what ``--link`` is worth. Times come from ``log``
    where it has the step, else from the kind of its commands; they are seconds.
    """
    graph = after if after is not None else before
    changed = tuple(dict.fromkeys(paths))
    rebuilds = compare(before, graph, paths=changed, images=images, store=store)
    measured = durations(log, graph) if log is not None else {}
    seconds = {
        each.step.id: measured[each.step.id] if each.step.id in measured else expected_seconds(each.step, context)
        for each in rebuilds
    }
    most, order = _finish_times(graph, rebuilds, seconds, maybe=True)
    least, _ = _finish_times(graph, rebuilds, seconds, maybe=False)
    critical = _critical(graph, rebuilds, most, order, seconds)
    names = step_names(graph)
    timed = {
        each.step.id: TimedStep(
            each.step, graph.tree.source.line_of(each.step.span.start), names.label(each.step), each.status,
            each.reason, each.first, seconds[each.step.id], each.step.id in measured, most[each.step.id],
            each.step.id in critical,
        )
        for each in rebuilds
    }  # fmt: skip
    stages = tuple(
        TimedStage(
            stage.index, stage.name, stage.reachable,
            tuple(timed[step.id] for step in stage.all_steps if step.id in timed),
        )
        for stage in graph.stages
    )  # fmt: skip
    surely = [each for each in timed.values() if each.status == "rebuilt"]
    maybe = [each for each in timed.values() if each.status == "if-changed"]
    return CacheReport(
        stages,
        max(most.values(), default=0.0),
        max(least.values(), default=0.0),
        sum(each.seconds for each in (*surely, *maybe)),
        sum(each.seconds for each in surely),
        sum(each.seconds for each in timed.values() if each.status == "cached"),
        log.export_seconds if log is not None else None,
        tuple(timed[step_id] for step_id in critical),
        tuple(path for path in changed if not any(selects(each.step, path) for each in rebuilds)),
        tuple(notes),
    )


def expected_seconds(step: Step, context: BuildContext | None = None) -> float:
    """Estimate how many seconds a step takes when it runs, from the kinds of its commands.

    The figures are orders of magnitude of the tools' tables; a build's own log knows better.
    """
    instruction = step.instruction
    if isinstance(instruction, tree.Run):
        known = {id(one.command): one.subcommand.seconds for one in step.invocations}
        total = _START_SECONDS
        script = step.script
        commands = script.commands if script is not None else ()
        if script is not None and not commands and script.text.strip():
            return total + _UNKNOWN_SECONDS
        for command in commands:
            if command.words:
                total += known.get(id(command), _UNKNOWN_SECONDS)
        return total
    if isinstance(instruction, tree.FileInstruction):
        total = _COPY_SECONDS
        if context is not None and step.source_stage is None and step.source_image is None:
            chosen = (file for path, file in context.files.items() if file.type == "file" and selects(step, path))
            total += sum(file.size_bytes for file in chosen) / _COPY_BYTES_PER_SECOND
        return total + _FETCH_SECONDS * sum("://" in source for source in step.sources)
    return _FOLDER_SECONDS


# ---------------------------------------------------------------------- what waits for what


def _needs(graph: InstructionGraph, rebuilds: Iterable[Rebuild]) -> dict[str, list[str]]:
    """Give, per step, the steps it waits for: the one below it and the ends of the stages it takes files from."""
    ends: dict[int, str | None] = {}
    needs: dict[str, list[str]] = {}
    known = {each.step.id for each in rebuilds}
    for stage in graph.stages:
        below = ends.get(stage.base) if stage.base is not None else None
        for step in stage.all_steps:
            if step.id not in known:
                continue
            sources = {mount.stage for mount in step.run_mounts if mount.stage is not None}
            if step.source_stage is not None:
                sources.add(step.source_stage)
            others = [ends.get(number) for number in sorted(sources)]
            needs[step.id] = [one for one in (below, *others) if one is not None]
            below = step.id
        ends[stage.index] = below
    return needs


def _finish_times(
    graph: InstructionGraph, rebuilds: tuple[Rebuild, ...], seconds: Mapping[str, float], *, maybe: bool
) -> tuple[dict[str, float], dict[str, list[str]]]:
    needs = _needs(graph, rebuilds)
    finish: dict[str, float] = {}
    for each in rebuilds:
        runs = each.status == "rebuilt" or (maybe and each.status == "if-changed")
        start = max((finish[one] for one in needs[each.step.id]), default=0.0)
        finish[each.step.id] = start + (seconds[each.step.id] if runs else 0.0)
    return finish, needs


def _critical(
    graph: InstructionGraph,
    rebuilds: tuple[Rebuild, ...],
    finish: Mapping[str, float],
    needs: Mapping[str, list[str]],
    seconds: Mapping[str, float],
) -> tuple[str, ...]:
    """Follow the latest step back along what it waited for; only steps that run are named, in order."""
    running = {each.step.id for each in rebuilds if each.status != "cached"}
    if not running:
        return ()
    at: str | None = max(running, key=lambda one: finish[one])
    path: list[str] = []
    while at is not None:
        if at in running:
            path.append(at)
        at = max(needs[at], key=lambda one: finish[one], default=None)
    return tuple(reversed(path))
