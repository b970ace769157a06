"""What a layer loses when some packages of an install fall away: a figure for findings, without predicting the file."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable

from msgspec.structs import replace

from dfopt.graph.model import InstructionGraph, Step
from dfopt.graph.queries import earlier
from dfopt.predict import apt
from dfopt.predict.model import PackageCall, PackageModel, PackageState
from dfopt.predict.packages import model_of
from dfopt.shell.model import ShellWord
from dfopt.syntax.tree import Run
from dfopt.tools import Invocation

_Run = Callable[[PackageCall, PackageState], PackageState]


def saving(graph: InstructionGraph, step: Step, call: Invocation, dropped: Collection[ShellWord]) -> float | None:
    """Give the bytes that a layer loses without some packages of one of its installs; None where no model knows.

    Only the calls of that package manager are gone through, in the step and below it, with the models of the
    prediction; apt's closures are the usual ones (``usualclosure``). The result is within a few per cent of the
    difference of two predictions.
    """
    found = model_of(call.family)
    if found is None or step.trigger is not None:
        return None
    name, model = found
    run: _Run = apt.run_usually if name == "apt" else model.run
    state = model.start(graph.chain(step.stage)[0].facts)
    below = (each for each in earlier(graph, step) if isinstance(each.instruction, Run))
    state = _after([one for each in below for one in _calls(each, name)], state, run)
    calls = _calls(step, name)
    gone = {word.span for word in dropped}
    rest = tuple(word for word in call.operands if word.span not in gone)
    reduced = [replace(one, operands=rest) if one is call else one for one in calls if one is not call or rest]
    whole, left = (_bytes(model, state, _after(each, state, run)) for each in (calls, reduced))
    return whole - left


def _calls(step: Step, model: str) -> list[Invocation]:
    """Give the calls of a step that a model answers for."""
    return [one for one in step.invocations if (found := model_of(one.family)) is not None and found[0] == model]


def _after(calls: Iterable[Invocation], state: PackageState, run: _Run) -> PackageState:
    for call in calls:
        state = run(PackageCall(call), state)
    return state


def _bytes(model: PackageModel, before: PackageState, after: PackageState) -> float:
    return sum(part.estimate.value for part in model.parts(before, after))
