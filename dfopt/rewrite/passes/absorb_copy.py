"""Copied files that RUNs then change, copied inside those RUNs' own layer from a mount of the context."""

from __future__ import annotations

import posixpath
from collections.abc import Sequence

from dfopt.edit import Edit
from dfopt.finding import Applicability
from dfopt.graph.model import Stage, Step
from dfopt.rewrite.layout import body_start, deleted, joined_span, joined_text, style_of
from dfopt.rewrite.model import Change, PassInput, PassResult, Refusal
from dfopt.rewrite.passes.merge_runs import why_not
from dfopt.rewrite.places import FOLDERS, clean, is_absent_in_base
from dfopt.rewrite.script import taken_apart
from dfopt.rewrite.stages import METADATA, is_shipped
from dfopt.syntax.tree import Copy, Run
from dfopt.tools import overlaps

NAME = "absorb-copy"


def absorb_copy(given: PassInput) -> PassResult:
    """Join a COPY from the context with the RUNs that change, move or delete the copied files."""
    result: PassResult = []
    if given.builder != "buildkit" or given.context is None:
        return result
    for stage in given.graph.stages:
        if not is_shipped(stage):
            continue
        for i, step in enumerate(stage.steps):
            if isinstance(step.instruction, Copy) and not step.instruction.from_:
                result += _of_copy(given, stage, step, stage.steps[i + 1 :])
    return result


def _of_copy(given: PassInput, stage: Stage, copy: Step, later: Sequence[Step]) -> PassResult:
    instruction = copy.instruction
    assert isinstance(instruction, Copy)
    source, place = _ends(given, copy)
    if source is None or instruction.flags or instruction.heredocs:
        return []
    runs: list[Step] = []
    last = -1
    middle: list[Step] = []
    for step in later:
        if isinstance(step.instruction, Run):
            runs.append(step)
            if _changes(step, place):
                last = len(runs)
        elif isinstance(step.instruction, METADATA):
            middle.append(step)
        else:
            break
    runs = runs[:last] if last > 0 else []
    if not runs:
        return []
    middle = [step for step in middle if step.index < runs[-1].index]
    context = given.context
    assert context is not None
    folder = source in context.files and context.files[source].type == "directory"
    if not folder and source not in context.files:
        return []
    if copy.before.user not in ("root", "0"):
        return [Refusal(NAME, "the RUNs that change the copied files are not run by root", copy.span)]
    known = folder and place == copy.before.workdir
    if not known and not is_absent_in_base(place, stage, given.graph):
        return [Refusal(NAME, f"{place} may exist in the base image", copy.span)]
    reason = why_not(runs) if len(runs) > 1 else taken_apart(runs[0])[0]
    if reason or any(step.instruction.heredocs for step in runs):
        return [Refusal(NAME, f"the copy stays apart: {reason or 'a RUN holds a here-document'}", copy.span)]
    if any(item.operator not in ("", "&&") for step in runs if step.script for item in step.script.items):
        return [Refusal(NAME, "the copy stays apart: a RUN is not a list of commands joined by &&", copy.span)]
    if any(mark in source + place for mark in ", \"'$*?[\\ "):
        return [Refusal(NAME, "the name of the source does not fit into a mount", copy.span)]
    target = "/mnt/" + (posixpath.basename(source) or "context")
    commands = _commands(target, place, folder, known)
    style = style_of(given.graph)
    glue = (
        f" {style.escape}{style.newline}{style.indent}&& "
        if style.leading
        else (f" && {style.escape}{style.newline}{style.indent}")
    )
    text = joined_text(runs, middle, given.graph, [f"--mount=type=bind,source={source},target={target}"])
    first_body = given.graph.tree.source.text[body_start(runs[0]) : runs[0].span.end].rstrip()
    text = text.replace(first_body, glue.join([*commands, first_body]), 1)
    return [
        Change(
            NAME, f"copy {source or 'the context'} in the layer that changes it",
            f"{place} is changed after it was copied, and every changed layer carries the files again",
            (deleted(copy, given.graph), Edit(joined_span(runs, given.graph), text)), Applicability.SAFE, copy.span,
        )
    ]  # fmt: skip


def _commands(target: str, place: str, folder: bool, known: bool) -> list[str]:
    commands: list[str] = []
    if folder:
        if not known:
            commands.append(f"mkdir -p {place}")
        commands += [f"cp -a {target}/. {place}/", f"chmod 755 {place}"]
    else:
        parent = posixpath.dirname(place)
        if parent not in FOLDERS:
            commands.append(f"mkdir -p {parent}")
        commands.append(f"cp -a {target} {place}")
    return commands


def _ends(given: PassInput, step: Step) -> tuple[str | None, str]:
    """Give the source in the context and the path in the image, None where they are not plain."""
    instruction = step.instruction
    assert isinstance(instruction, Copy)
    assert given.context is not None
    if step.used or len(step.sources) != 1 or len(instruction.sources) != 1:
        return None, ""
    source = clean(step.sources[0])
    full = posixpath.normpath(step.destination)
    into = step.destination.endswith(("/", "/.")) or step.arguments[-1] in ("", ".")
    file = given.context.files.get(source)
    if not source or file is None:
        return None, ""
    if file.type != "directory" and into:
        full = posixpath.join(full, posixpath.basename(source))
    return source, full


def _changes(step: Step, place: str) -> bool:
    touched = [
        path for path in {*step.effects.writes, *step.effects.removes} if path not in ("*", "*/") and path != "/"
    ]
    return any(overlaps(path, place) and path.rstrip("/").startswith(place) for path in touched)
