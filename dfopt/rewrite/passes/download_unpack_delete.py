"""Files that only pass through the image: mounted while they are used instead of copied and deleted."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Sequence

from msgspec import Struct

from dfopt.edit import Edit
from dfopt.finding import Applicability
from dfopt.graph.model import Stage, Step
from dfopt.rewrite.archives import may_be_archive
from dfopt.rewrite.layout import can_extend, deleted, line_start, with_flag, without_item
from dfopt.rewrite.model import Change, PassInput, PassResult, Refusal
from dfopt.rewrite.places import clean, file_name, is_absent_in_base, is_remote
from dfopt.rewrite.script import setting_of, taken_apart
from dfopt.rewrite.stages import is_shipped
from dfopt.shell.model import Command, ListItem
from dfopt.source import Span
from dfopt.syntax.tree import Add, Copy, FileInstruction, Run
from dfopt.tools import effects, overlaps

NAME = "download-unpack-delete"


class _Passing(Struct, frozen=True):
    """A file or folder that one instruction brings and a later one deletes."""

    step: Step
    path: str
    source: str
    kind: str
    """"url", "stage" or "context"."""
    from_: str = ""


def download_unpack_delete(given: PassInput) -> PassResult:
    """Mount what is copied or added, used, and deleted in a later layer. Needs BuildKit's mounts."""
    result: PassResult = []
    if given.builder == "classic":
        return result
    for stage in given.graph.stages:
        if not is_shipped(stage):
            continue
        for step in stage.steps:
            if isinstance(step.instruction, FileInstruction) and (found := _passing(given, step)) is not None:
                result += _proposal(given, stage, found)
    return result


def _passing(given: PassInput, step: Step) -> _Passing | None:
    """Give what an instruction with a single source brings, and where to."""
    instruction = step.instruction
    assert isinstance(instruction, FileInstruction)
    if len(instruction.sources) != 1 or instruction.heredocs:
        return None
    if any(flag.name not in ("from", "checksum") for flag in instruction.flags):
        return None
    source = step.sources[0]
    full = posixpath.normpath(step.destination)
    into = step.destination.endswith(("/", "/.")) or step.arguments[-1] in ("", ".")
    if step.unknown or any(mark in source + full for mark in "$*?["):
        return None
    if isinstance(instruction, Add) and is_remote(source):
        if not source.startswith(("http://", "https://")) or re.sub(r"[?#].*", "", source).endswith(".git"):
            return None
        return _Passing(step, f"{full.rstrip('/')}/{file_name(source)}" if into else full, source, "url")
    if step.used:
        return None
    if isinstance(instruction, Add) and may_be_archive(source, given.context):
        return None
    name = posixpath.basename(clean(source))
    from_ = instruction.from_ if isinstance(instruction, Copy) else None
    if from_:
        # Without a look into the other stage, a name with a suffix is a file and one without a folder.
        file = "." in name
        path = f"{full.rstrip('/')}/{name}" if file and into else full
        return _Passing(step, path, "/" + clean(source), "stage", from_)
    if not name:
        return None
    folder = given.context is not None and (
        (name in given.context.files and given.context.files[name].type == "directory")
        or any(path.startswith(clean(source) + "/") for path in given.context.files)
    )
    path = f"{full.rstrip('/')}/{name}" if into and not folder else full
    return _Passing(step, path, clean(source), "context")


def _proposal(given: PassInput, stage: Stage, found: _Passing) -> PassResult:
    graph = given.graph
    later = [step for step in stage.steps if step.index > found.step.index]
    end = _deletion(later, found.path)
    if end is None:
        return []
    last, item, command = end
    span = found.step.span
    if not is_absent_in_base(found.path, stage, graph):
        return [Refusal(NAME, f"{found.path} may be in the base image, so that deleting it matters", span)]
    readers: list[Step] = []
    for step in later:
        if step.index > last.index:
            break
        touched = _touches(step, found.path, command if step is last else None)
        if touched == "unknown":
            return [Refusal(NAME, f"an instruction between may use {found.path} in an unknown way", step.span)]
        if touched == "writes":
            return [Refusal(NAME, f"{found.path} is changed before it is deleted", step.span)]
        if touched:
            readers.append(step)
    if not readers:
        return [Refusal(NAME, f"nothing is seen to use {found.path} before it is deleted", span)]
    for step in {step.index: step for step in [*readers, last]}.values():
        if reason := can_extend(step) or taken_apart(step)[0]:
            return [Refusal(NAME, f"{found.path} cannot be mounted: {reason}", step.span)]
    flag, stage_edit, why = _mount(given, stage, found)
    if why:
        return [Refusal(NAME, why, span)]
    edits = [deleted(found.step, graph), *([stage_edit] if stage_edit else [])]
    edits += _without_deletion(given, last, item, command, found.path)
    edits += [with_flag(step, flag, graph) for step in readers]
    if any(not edit.text and edit.span == deleted(last, graph).span for edit in edits) and last in readers:
        return []
    what = "downloaded" if found.kind == "url" else "copied"
    return [
        Change(
            NAME, f"mount {posixpath.basename(found.path)} instead of storing it",
            f"{posixpath.basename(found.path)} is {what} into one layer and deleted in another, so it still weighs;"
            " a mount shows it only while it is used",
            tuple(edits), Applicability.SAFE, span
        )
    ]  # fmt: skip


def _deletion(later: Sequence[Step], path: str) -> tuple[Step, ListItem, Command] | None:
    """Find the plain ``rm`` that deletes a path."""
    for step in later:
        if not isinstance(step.instruction, Run) or step.script is None:
            continue
        for item in step.script.items:
            command = item.node if isinstance(item.node, Command) else None
            if command is None or command.name != "rm" or command.directory is None or command.redirects:
                continue
            if path in _removed_paths(command):
                return step, item, command
    return None


def _removed_paths(command: Command) -> dict[str, int]:
    """Give the plain paths that an ``rm`` names, with the position of their word."""
    paths: dict[str, int] = {}
    for i, word in enumerate(command.words[1:], 1):
        if word.value is not None and not word.glob and not word.value.startswith("-"):
            paths[posixpath.normpath(posixpath.join(command.directory or "/", word.value))] = i
    return paths


def _touches(step: Step, path: str, deletion: Command | None) -> str:
    """Tell how a step uses a path: "", "reads", "writes" or "unknown"."""
    instruction = step.instruction
    if isinstance(instruction, FileInstruction):
        return "writes" if any(write.rstrip("/") == path for write in step.effects.writes) else ""
    if not isinstance(instruction, Run):
        return ""
    used = ""
    for command in step.commands:
        if command is deletion:
            continue
        done = effects(command, setting_of(step))
        if done.wall:
            return "unknown"
        if any(write.rstrip("/") == path or write.startswith(path + "/") for write in done.writes):
            return "writes"
        if any(overlaps(gone, path) for gone in done.removes):
            return "writes"
        if any(overlaps(read, path) for read in done.reads):
            used = "reads"
    return used


def _without_deletion(given: PassInput, last: Step, item: ListItem, command: Command, path: str) -> list[Edit]:
    paths = _removed_paths(command)
    if len(paths) > 1 or len([word for word in command.words[1:] if not (word.value or "").startswith("-")]) > 1:
        at = paths[path]
        start = command.words[at - 1].span.end
        return [Edit(Span(start, command.words[at].span.end), "")]
    edit = without_item(last, item)
    return [deleted(last, given.graph)] if edit is None else [edit]


def _mount(given: PassInput, stage: Stage, found: _Passing) -> tuple[str, Edit | None, str]:
    target = found.path
    if any(mark in found.source + target for mark in ", \"'"):
        return "", None, f"the name of {found.path} does not fit into a mount"
    if found.kind == "context":
        return f"--mount=type=bind,source={found.source},target={target}", None, ""
    if found.kind == "stage":
        return f"--mount=type=bind,from={found.from_},source={found.source},target={target}", None, ""
    graph = given.graph
    if any(
        (isinstance(step.instruction, Copy) and (step.instruction.from_ or "").isdigit())
        or any((mount.from_ or "").isdigit() for mount in step.mounts)
        for step in graph.steps
    ):
        return "", None, "stages are referred to by number, which a new stage would shift"
    if (graph.options.target or "").isdigit():
        return "", None, "the target stage is given by number, which a new stage would shift"
    definitions = _definitions(given, stage, found.step)
    if definitions is None:
        return "", None, "the address holds a variable that a new stage would not know"
    instruction = found.step.instruction
    assert isinstance(instruction, FileInstruction)
    source = graph.tree.source
    base = posixpath.basename(target)
    name = stage_name(base, {other.name for other in graph.stages if other.name})
    flags = "".join(f" {source.slice(flag.span)}" for flag in instruction.flags)
    address = source.slice(instruction.sources[0].span)
    written = instruction.destination.text
    if found.step.used:
        # A build argument may give another name, so the mount has to name the file as the author does.
        base = file_name(address)
        into = written.endswith("/")
        target = written.rstrip("/") + "/" + base if into else written
        if any(mark in base + target for mark in "\"'\\,%:") or "{" in (base + target).replace("${", "") or not into:
            return "", None, "the name of the download holds a variable in a form that a mount cannot use"
        if not written.startswith("/"):
            return "", None, "the download's folder is not absolute"
    place = "/" if base == file_name(address) else f"/{base}"
    lines = [f"FROM scratch AS {name}", *definitions, f"ADD{flags} {address} {place}", ""]
    first = next(step for step in graph.steps if step.instruction is stage.from_)
    at = line_start(first, graph)
    flag = f"--mount=type=bind,from={name},source=/{base},target={target}"
    return flag, Edit(Span(at, at), source.newline.join([*lines, ""])), ""


def _definitions(given: PassInput, stage: Stage, step: Step) -> list[str] | None:
    """Give the ARG and ENV instructions that an address needs, None where one of its variables comes from elsewhere."""
    wanted: set[int] = set()
    names = list(step.used)
    while names:
        variable = step.before.variables.get(names.pop())
        if variable is None or variable.step is None or variable.kind not in ("arg", "env"):
            return None
        setter = next((each for each in stage.steps if each.index == variable.step), None)
        if setter is None:
            return None
        if setter.index not in wanted:
            wanted.add(setter.index)
            names += setter.used
    slice_ = given.graph.tree.source.slice
    return [slice_(each.span).rstrip() for each in stage.steps if each.index in wanted]


def stage_name(wish: str, taken: set[str]) -> str:
    """Make a stage name from a file's name that no stage has yet."""
    base = re.sub(r"\.(tar|tgz|zip|gz|bz2|xz|zst|tar\..*)$", "", wish.lower())
    base = re.sub(r"[^a-z0-9]+", "-", base).strip("-") or "download"
    base = re.sub(r"^[^a-z]+", "", base) or "download"
    name, count = base, 2
    while name in taken:
        name, count = f"{base}-{count}", count + 1
    return name
