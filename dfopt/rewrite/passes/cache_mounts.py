"""Cache mounts instead of clean-up: downloads stay with the builder, not in the layer, and the next build has them."""

from __future__ import annotations

from dfopt.edit import Edit
from dfopt.finding import Applicability
from dfopt.graph.model import InstructionGraph, Step
from dfopt.graph.queries import place_of
from dfopt.rewrite.layout import with_flag, without_item
from dfopt.rewrite.model import Change, PassInput, PassResult, Refusal
from dfopt.rewrite.script import taken_apart
from dfopt.shell.model import Command
from dfopt.source import Span
from dfopt.syntax.tree import Run
from dfopt.tools import Invocation

NAME = "cache-mounts"
_LISTS = "/var/lib/apt/lists"
_OF_OPTION = frozenset(("pip", "uv"))
"""Families whose cache is switched off by an option, and whose installs never link into it across file systems."""


def cache_mounts(given: PassInput) -> PassResult:
    """Mount the cache of a package manager where a RUN switches it off or deletes it.

    Unsafe: the mount is the builder's, what it holds is not part of the build's definition. BuildKit only.
    """
    result: PassResult = []
    if given.builder != "buildkit":
        return result
    for stage in given.graph.stages:
        if not stage.reachable:
            continue
        for step in stage.steps:
            if isinstance(step.instruction, Run) and step.trigger is None:
                result += _of_run(given.graph, step)
    return result


def _of_run(graph: InstructionGraph, step: Step) -> PassResult:
    edits: list[Edit] = []
    targets: list[str] = []
    for call in step.invocations:
        if call.family in _OF_OPTION and (found := _without_option(step, call)) is not None:
            edits.append(found[0])
            targets.append(found[1])
    lists = _lists_edit(step)
    if not edits and lists is None:
        return []
    if step.before.user not in ("root", "0"):
        return [Refusal(NAME, "the mount would belong to root, and the RUN is another user's", step.span)]
    flags = [f"--mount=type=cache,target={target}" for target in dict.fromkeys(targets)]
    if lists is not None:
        edits.append(lists)
        flags.append(f"--mount=type=cache,target={_LISTS},sharing=locked")
    return [
        Change(
            NAME, "keep downloads in a cache mount instead of cleaning up",
            "what was downloaded is thrown away with every build; a cache mount keeps it out of the layer as well",
            (with_flag(step, " ".join(flags), graph), *edits), Applicability.UNSAFE, step.span,
        )
    ]  # fmt: skip


def _without_option(step: Step, call: Invocation) -> tuple[Edit, str] | None:
    """Take out the option that switches a cache off, and give the cache's path."""
    word = next((word for word in call.command.words if word.value in call.tool.cleaning.options), None)
    if word is None or call.action != "install" or not call.subcommand.leaves or call.command.wrappers:
        return None
    target = place_of(step, call).join(call.subcommand.leaves[0]).rstrip("/")
    if "*" in target or not target.startswith("/root/") or step.is_mounted(target):
        return None
    before = next(one for one in reversed(call.command.words) if one.span.end <= word.span.start)
    return Edit(Span(before.span.end, word.span.end), ""), target


def _lists_edit(step: Step) -> Edit | None:
    """Take out the command that removes apt's lists at the end of a RUN that fetched them; None where there is none."""
    if "apt" not in step.effects.refreshes or step.is_mounted(_LISTS):
        return None
    reason, _, items = taken_apart(step)
    last = items[-1] if items else None
    if reason or last is None or not isinstance(last.node, Command):
        return None
    if [word.value or word.raw for word in last.node.words] != ["rm", "-rf", f"{_LISTS}/*"]:
        return None
    return without_item(step, last)
