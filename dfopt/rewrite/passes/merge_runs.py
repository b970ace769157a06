"""Joining RUNs where the later one deletes, changes or records again what the earlier one wrote."""

from __future__ import annotations

from collections.abc import Sequence

from dfopt.edit import Edit
from dfopt.finding import Applicability
from dfopt.graph.model import Stage, Step
from dfopt.rewrite.layout import can_extend, joined_span, joined_text
from dfopt.rewrite.model import Change, PassInput, PassResult, Refusal
from dfopt.rewrite.script import errexit_runs, taken_apart
from dfopt.rewrite.stages import between, is_shipped, run_groups
from dfopt.tools import overlaps

NAME = "merge-runs"


def merge_runs(given: PassInput) -> PassResult:
    """Join RUNs whose layers repeat or hide each other's files, where nothing between them needs the border."""
    result: PassResult = []
    for stage in given.graph.stages:
        if is_shipped(stage):
            for group in run_groups(stage):
                result += _of_group(given, stage, group)
    return result


def _of_group(given: PassInput, stage: Stage, group: Sequence[Step]) -> PassResult:
    result: PassResult = []
    for last in range(1, len(group)):
        for first in range(last - 1, -1, -1):
            what = wasted(group[first], group[last])
            if not what:
                continue
            steps = group[first : last + 1]
            reason = why_not(steps)
            if reason:
                result.append(Refusal(NAME, f"the RUNs stay apart: {reason}", group[last].span))
                break
            text = joined_text(steps, between(stage, steps), given.graph, _mounts(steps))
            result.append(
                Change(
                    NAME, f"join {len(steps)} RUN instructions",
                    f"{what}, so both layers carry it; in one layer it weighs once",
                    (Edit(joined_span(steps, given.graph), text),), Applicability.SAFE, joined_span(steps, given.graph),
                )
            )  # fmt: skip
            break
    return result


def wasted(first: Step, last: Step) -> str:
    """Say what the later of two RUNs hides or repeats of the earlier one; "" where nothing is known."""
    writes = {path for path in first.effects.writes if path != "*" and not first.is_mounted(path)}
    gone = sorted(
        path for path in last.effects.removes if not last.is_mounted(path) and any(overlaps(path, w) for w in writes)
    )
    if gone:
        return f"{gone[0]} is deleted in a later layer than the one that made it"
    shared = first.effects.packages & last.effects.packages
    if shared:
        return f"the {sorted(shared)[0]} database is changed in two layers"
    changed = sorted(
        path for path in last.effects.writes
        if path not in ("*", "/") and path not in last.effects.caches and path.count("/") > 2
        and any(overlaps(path, w) for w in writes)
    )  # fmt: skip
    return f"{changed[0]} is changed again in a later layer" if changed else ""


def why_not(steps: Sequence[Step]) -> str:
    """Tell why RUNs cannot become one; "" where they can, as far as their shells are concerned."""
    for step in steps:
        if reason := can_extend(step):
            return reason
    for step in steps:
        if reason := taken_apart(step)[0]:
            return reason
    if len({_surroundings(step) for step in steps}) > 1:
        return "they ask for another network or other rights"
    if len({errexit_runs(step) for step in steps}) > 1:
        return "one is a list under set -e and another is not"
    return ""


def _surroundings(step: Step) -> tuple[tuple[str, str | None], ...]:
    flags = ((flag.name, flag.value) for flag in step.instruction.flags if flag.name != "mount")
    return tuple(sorted(flags, key=str))


def _mounts(steps: Sequence[Step]) -> list[str]:
    flags = []
    for step in steps[1:]:
        for mount in step.mounts:
            flag = mount.flag
            flags.append(f"--{flag.name}={flag.value}")
    return list(dict.fromkeys(flags))
