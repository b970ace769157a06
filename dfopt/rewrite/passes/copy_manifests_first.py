"""The files that decide an install, copied before the sources."""

from __future__ import annotations

import posixpath
import re

from dfopt.edit import Edit
from dfopt.finding import Applicability
from dfopt.graph.model import Step
from dfopt.graph.queries import installs_of
from dfopt.rewrite.layout import line_start, text_end
from dfopt.rewrite.model import Change, PassInput, PassResult, Refusal
from dfopt.rewrite.places import clean
from dfopt.source import Span
from dfopt.syntax.tree import Copy, FileInstruction, Run
from dfopt.tools import Invocation

NAME = "copy-manifests-first"


def copy_manifests_first(given: PassInput) -> PassResult:
    """Copy manifests in front of an install, the rest after it, so that editing a source keeps the install cached."""
    result: PassResult = []
    for stage in given.graph.stages:
        if not stage.reachable:
            continue
        for copy, run in zip(stage.steps, stage.steps[1:], strict=False):
            if isinstance(run.instruction, Run) and _is_broad(copy):
                result += _proposal(given, copy, run)
    return result


def _is_broad(step: Step) -> bool:
    instruction = step.instruction
    return (
        isinstance(instruction, Copy) and not instruction.from_ and not instruction.heredocs
        and len(instruction.sources) == 1 and not step.unknown and not clean(step.sources[0])
    )  # fmt: skip


def _proposal(given: PassInput, copy: Step, run: Step) -> PassResult:
    installs = [install.invocation for install in installs_of(run)]
    others = [call for call in run.invocations if call not in installs and call.family != "apt"]
    if not installs:
        return []
    instruction = copy.instruction
    assert isinstance(instruction, FileInstruction)
    if others or len(run.commands) != len(run.invocations):
        return [Refusal(NAME, "the RUN does more than install", run.span)]
    names: list[str] = []
    for call in installs:
        found = _manifests(given, call, copy)
        if isinstance(found, str):
            return [Refusal(NAME, found, run.span)]
        names += [name for name in found if name not in names]
    if not names:
        return []
    destination = instruction.destination.text
    into = destination if destination.endswith("/") or destination == "." else destination + "/"
    if len(names) > 1 and into == ".":
        into = "./"
    graph = given.graph
    source = graph.tree.source
    flags = "".join(" " + source.slice(flag.span) for flag in instruction.flags)
    keyword = source.slice(instruction.keyword_span)
    newline = source.newline
    at = line_start(copy, graph)
    moved = source.text[instruction.keyword_span.start : text_end(copy, graph)]
    end = text_end(run, graph)
    return [
        Change(
            NAME, f"copy {', '.join(names)} before the sources",
            "every edit of a source repeats the install, though only these files decide what is installed",
            (
                Edit(Span(copy.span.start, text_end(copy, graph)), f"{keyword}{flags} {' '.join(names)} {into}"),
                Edit(Span(end, end), newline + moved),
            ) if at <= copy.span.start else (),
            Applicability.SAFE, copy.span, rebuild_saved_seconds=sum(call.subcommand.seconds for call in installs),
        )
    ]  # fmt: skip


def _manifests(given: PassInput, call: Invocation, copy: Step) -> list[str] | str:
    """Give the context paths that an install reads, or why they are not known."""
    if call.subcommand.runs_project_code and call.family not in ("npm", "yarn", "pnpm"):
        return f"{call.tool.names[0]} runs code of the project"
    instruction = copy.instruction
    assert isinstance(instruction, FileInstruction)
    place = posixpath.normpath(posixpath.join(copy.before.workdir, copy.destination))
    directory = call.command.directory or ""
    if not directory.startswith(place):
        return "the install runs in another directory"
    below = posixpath.relpath(directory, place)
    names: list[str] = []
    if call.family == "pip":
        for option in ("-r", "--requirement", "-c", "--constraint"):
            value = call.options.get(option)
            if value:
                names.append(value)
        if any((word.value or ".").startswith((".", "/")) or "/" in (word.value or "") for word in call.operands):
            return "the install builds the project itself"
        if not names:
            return []
        context = given.context
        if context is None:
            return "without the context it is not known what the requirements file refers to"
        for name in names:
            text = _text(given, posixpath.normpath(posixpath.join(below, name)))
            if text is None:
                return f"{name} cannot be read"
            if re.search(r"^\s*(-|\.|/|[\w.-]+\s*@\s*(file:|\.)|[\w./-]+\.(whl|zip|tar))", text, re.MULTILINE):
                return f"{name} refers to other files of the project"
    else:
        if given.context is None:
            return "without the context it is not known which manifests there are"
        wanted = [*call.subcommand.manifests, *call.subcommand.optional_manifests]
        for pattern in wanted:
            for path in given.context.files:
                if posixpath.dirname(path) == below.strip(".") and _match(pattern, posixpath.basename(path)):
                    names.append(path)
        if call.family in ("npm", "yarn", "pnpm"):
            text = _text(given, posixpath.normpath(posixpath.join(below, "package.json")))
            if text is None:
                return "package.json cannot be read"
            if re.search(r'"(pre|post)?(install|prepare)"\s*:|"(file|link|workspace|portal):|"workspaces"\s*:', text):
                return "package.json runs scripts or refers to other packages of the project"
    if below != ".":
        return "the install runs below the copied folder"
    return list(dict.fromkeys(names))


def _text(given: PassInput, path: str) -> str | None:
    from dfopt.context import read_text

    return None if given.context is None else read_text(given.context, path)


def _match(pattern: str, name: str) -> bool:
    import fnmatch

    return fnmatch.fnmatchcase(name, pattern)
