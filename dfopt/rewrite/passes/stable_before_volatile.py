"""What seldom changes above what changes often: installs above copied sources, build numbers below installs."""

from __future__ import annotations

from collections.abc import Iterator

from dfopt.edit import Edit
from dfopt.finding import Applicability
from dfopt.graph.model import InstructionGraph, Stage, Step
from dfopt.graph.queries import context_sources
from dfopt.predict.rebuilds import expected_seconds
from dfopt.rewrite.bookkeeping import is_bookkeeping, overlooked
from dfopt.rewrite.layout import deleted, text_end
from dfopt.rewrite.model import Change, PassInput, PassResult
from dfopt.rewrite.stages import METADATA
from dfopt.source import Span
from dfopt.syntax.tree import Arg, Env, FileInstruction, Label, Run

NAME = "stable-before-volatile"
LEAST_SECONDS = 2.0
"""What a step that is moved or passed has to take at least."""


def stable_before_volatile(given: PassInput) -> PassResult:
    """Move RUNs above copies they do not depend on, and variables that name a build below RUNs that ignore them."""
    result: PassResult = []
    for stage in given.graph.stages:
        if not stage.reachable:
            continue
        steps = [step for step in stage.steps if step.trigger is None]
        for at, step in enumerate(steps):
            if isinstance(step.instruction, Run):
                result += _raised(given, steps, at)
            elif isinstance(step.instruction, (Arg, Env)):
                result += _lowered(given.graph, stage, steps, at)
    return result


def _raised(given: PassInput, steps: list[Step], at: int) -> Iterator[Change]:
    """Propose to move a RUN above the copies from the context right before it."""
    run = steps[at]
    seconds = expected_seconds(run)
    if seconds < LEAST_SECONDS or run.effects.wall or run.effects.runs_project_code:
        return
    first = at
    while first > 0 and (_copies_context(steps[first - 1]) or isinstance(steps[first - 1].instruction, METADATA)):
        first -= 1
    while first < at and not _copies_context(steps[first]):
        first += 1
    if first == at:
        return
    graph = given.graph
    taken = deleted(run, graph)
    place = deleted(steps[first], graph).span.start
    moved, newline = _lines(graph, taken), graph.tree.source.newline
    start = taken.span.start - len(newline)
    if start > place and graph.tree.source.text[:start].endswith(newline):
        # The empty line above it goes with it.
        taken, moved = Edit(Span(start, taken.span.end), ""), moved + newline
    yield Change(
        NAME, f"run this above the {steps[first].keyword}",
        "every edit of a copied file repeats it, though it does not depend on them",
        (Edit(Span(place, place), moved), taken), Applicability.SAFE, run.span,
        rebuild_saved_seconds=seconds,
    )  # fmt: skip


def _copies_context(step: Step) -> bool:
    return isinstance(step.instruction, FileInstruction) and bool(context_sources(step))


def _lowered(graph: InstructionGraph, stage: Stage, steps: list[Step], at: int) -> Iterator[Change]:
    """Propose to move a variable that names a build, with the labels made of it, below the RUNs that ignore it."""
    first = steps[at]
    names = _set_by(first)
    if not names or not all(map(is_bookkeeping, names)):
        return
    carried, passed = [first], []
    for step in steps[at + 1 :]:
        uses = bool(set(step.used) & names)
        if isinstance(step.instruction, Env) and any(isinstance(one.instruction, Env) for one in carried):
            break  # The order of the image's variables stays as it is.
        if uses and isinstance(step.instruction, (Label, Env)):
            more = _set_by(step)
            if not all(map(is_bookkeeping, more)):
                break
            names |= more
            carried.append(step)
        elif uses or (_set_by(step) & names):
            break
        elif isinstance(step.instruction, Run):
            text = graph.tree.source.slice(step.span)
            if overlooked(step.commands, text, sorted(names)) != names:
                break
            passed.append(step)
    if not passed:
        return
    last = passed[-1]
    carried = [step for step in carried if step.index < last.index]
    seconds = sum(map(expected_seconds, passed))
    if seconds < LEAST_SECONDS:
        return
    taken = [deleted(step, graph) for step in carried]
    newline = graph.tree.source.newline
    moved = newline + "".join(_lines(graph, edit) for edit in taken).rstrip("\r\n")
    end = text_end(last, graph)
    yield Change(
        NAME, f"set {', '.join(sorted(names))} below what does not use {'it' if len(names) == 1 else 'them'}",
        "every new value repeats the RUNs below it, though they do not look at it",
        (*taken, Edit(Span(end, end), moved)), Applicability.SAFE, first.span, rebuild_saved_seconds=seconds,
    )  # fmt: skip


def _set_by(step: Step) -> set[str]:
    if isinstance(step.instruction, Arg):
        return {pair.key for pair in step.instruction.pairs}
    return set(step.arguments[::2]) if isinstance(step.instruction, Env) else set()


def _lines(graph: InstructionGraph, edit: Edit) -> str:
    """Give the lines that an edit takes out, ended by a newline."""
    return graph.tree.source.text[edit.span.start : edit.span.end].strip("\r\n") + graph.tree.source.newline
