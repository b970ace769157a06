"""``RUN chown -R`` of copied files as ``COPY --chown``."""

from __future__ import annotations

import posixpath

from dfopt.edit import Edit
from dfopt.finding import Applicability
from dfopt.graph.model import Stage, Step
from dfopt.rewrite.layout import deleted, with_flag, without_item
from dfopt.rewrite.model import Change, PassInput, PassResult, Refusal
from dfopt.rewrite.script import taken_apart
from dfopt.rewrite.stages import is_shipped
from dfopt.shell.model import Command, ListItem
from dfopt.syntax.tree import Copy, FileInstruction, Run, Workdir

NAME = "chown-to-copy"


def chown_to_copy(given: PassInput) -> PassResult:
    """Give copied files their owner when they are copied; a later chown stores them a second time."""
    result: PassResult = []
    for stage in given.graph.stages:
        if not is_shipped(stage):
            continue
        for step in stage.steps:
            if isinstance(step.instruction, Run) and step.script is not None:
                for item in step.script.items:
                    found = _chown(item)
                    if found is not None:
                        result += _proposal(given, stage, step, item, *found)
    return result


def _chown(item: ListItem) -> tuple[str, str] | None:
    command = item.node
    if not isinstance(command, Command) or command.name != "chown" or command.directory is None:
        return None
    values = [word.value for word in command.words[1:]]
    if len(values) != 3 or values[0] not in ("-R", "--recursive") or None in values or command.redirects:
        return None
    if any(word.glob for word in command.words):
        return None
    spec, path = values[1] or "", values[2] or ""
    return spec, posixpath.normpath(posixpath.join(command.directory, path))


def _proposal(given: PassInput, stage: Stage, step: Step, item: ListItem, spec: str, path: str) -> PassResult:
    command = item.node
    assert isinstance(command, Command)
    graph = given.graph
    copies = [
        other for other in stage.steps
        if other.index < step.index and isinstance(other.instruction, FileInstruction) and _lies_in(other, path)
    ]  # fmt: skip
    if not copies:
        return []
    if reason := taken_apart(step)[0]:
        return [Refusal(NAME, f"the chown stays: {reason}", step.span)]
    owner = _copy_owner(spec)
    if owner is None:
        return [
            Refusal(NAME, f"{spec} names a login group or no user, which COPY --chown reads differently", step.span)
        ]
    if any(other.used for other in copies) or any(word.variables for word in command.words):
        return [Refusal(NAME, "a path holds a variable, which a build may set otherwise", step.span)]
    if any(other.instruction.flags or not isinstance(other.instruction, Copy) for other in copies):
        return [Refusal(NAME, "one of the copies has options of its own", copies[0].span)]
    edits = [with_flag(other, f"--chown={owner}", graph) for other in copies]
    made_here = any(
        isinstance(other.instruction, Workdir) and f"{other.after.workdir}/".startswith(path + "/")
        for other in stage.steps if other.index < copies[0].index
    )  # fmt: skip
    if made_here or stage.start.workdir == path:
        recursive = command.words[1]
        edits.append(Edit(type(recursive.span)(command.words[0].span.end, recursive.span.end), ""))
    else:
        edits.append(without_item(step, item) or deleted(step, graph))
    return [
        Change(
            NAME, "give the files their owner when they are copied",
            "changing the owner stores every file a second time; COPY --chown costs nothing",
            tuple(edits), Applicability.SAFE, step.span,
        )
    ]  # fmt: skip


def _copy_owner(spec: str) -> str | None:
    """Give the owner as COPY has to be told it; a group that chown leaves alone is 0 after a COPY."""
    user, colon, group = spec.partition(":")
    if (
        (colon and not group)
        or "." in spec
        or not all(part.replace("-", "").replace("_", "").isalnum() for part in (user, group) if part)
    ):
        return None
    return f"{user or '0'}:{group or '0'}"


def _lies_in(step: Step, path: str) -> bool:
    instruction = step.instruction
    assert isinstance(instruction, FileInstruction)
    full = posixpath.normpath(step.destination)
    return full == path or full.startswith(path + "/")
