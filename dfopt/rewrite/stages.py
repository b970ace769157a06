"""Walking a stage: which steps stand side by side, what is used after a point, what only sets metadata."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dfopt.graph.model import InstructionGraph, Stage, Step
from dfopt.syntax.tree import Cmd, Entrypoint, Expose, Healthcheck, Label, Maintainer, Run, Stopsignal

METADATA = (Cmd, Entrypoint, Expose, Healthcheck, Label, Maintainer, Stopsignal)
"""Instructions that change no file and nothing that a RUN can see."""


def run_groups(stage: Stage) -> Iterator[list[Step]]:
    """Give the longest rows of RUNs between which only metadata stands; rows of one included."""
    group: list[Step] = []
    for step in stage.steps:
        if isinstance(step.instruction, Run):
            group.append(step)
        elif not isinstance(step.instruction, METADATA) and group:
            yield group
            group = []
    if group:
        yield group


def between(stage: Stage, steps: Sequence[Step]) -> list[Step]:
    """Give the steps of a stage that stand between the first and the last of some steps and are none of them."""
    chosen = {step.index for step in steps}
    return [
        step for step in stage.steps
        if steps[0].index < step.index < steps[-1].index and step.index not in chosen
    ]  # fmt: skip


def later_steps(graph: InstructionGraph, stage: Stage, step: Step) -> list[Step]:
    """Give what runs after a step on top of it: the rest of its stage, and stages that build on that stage."""
    result = [other for other in stage.steps if other.index > step.index]
    for other_stage in graph.stages:
        if other_stage.index != stage.index and stage in graph.chain(other_stage.index):
            result += [
                other for link in graph.chain(other_stage.index) if link.index > stage.index for other in link.steps
            ]
    return result


def is_shipped(stage: Stage) -> bool:
    """Tell whether a stage's layers are part of the image."""
    return stage.ships and stage.reachable
