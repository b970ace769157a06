"""A stage that builds, and a stage that ships what was built."""

from __future__ import annotations

from collections.abc import Sequence

from dfopt.edit import Edit
from dfopt.finding import Applicability
from dfopt.graph.model import InstructionGraph, Stage, Step
from dfopt.rewrite.layout import deleted
from dfopt.rewrite.model import Change, PassInput, PassResult, Refusal
from dfopt.rewrite.passes.download_unpack_delete import stage_name
from dfopt.rewrite.recipes import FINDERS, Recipe
from dfopt.source import Span
from dfopt.syntax.tree import (
    Arg,
    Cmd,
    Entrypoint,
    Env,
    Expose,
    FileInstruction,
    Healthcheck,
    Label,
    Maintainer,
    Onbuild,
    Run,
    Shell,
    Stopsignal,
    User,
    Volume,
    Workdir,
)

NAME = "split-stages"
_BOTH = (Arg, Env, Workdir, Shell)
_FINAL = (Cmd, Entrypoint, Expose, Healthcheck, Label, Maintainer, Stopsignal, Volume)


def split_stages(given: PassInput) -> PassResult:
    """Leave what only builds in a stage of its own. Unsafe: something may be used that no instruction shows."""
    graph = given.graph
    if graph.target is None:
        return []
    stage = graph.stages[graph.target]
    if stage.base is not None or stage.image in (None, "scratch") or stage.used_by or stage.triggered:
        return []
    last = max((step.index for step in stage.steps if isinstance(step.instruction, (Run, FileInstruction))), default=-1)
    if last < 0:
        return []
    for find in FINDERS:
        found = find(given, stage)
        if isinstance(found, str):
            return [Refusal(NAME, f"the stage is not split: {found}", stage.from_.span)]
        if found is None:
            continue
        if any(isinstance(step.instruction, Onbuild) for step in stage.steps):
            return [Refusal(NAME, "the stage is not split: it has ONBUILD triggers", stage.from_.span)]
        return [_change(graph, stage, last, found)]
    return []


def _change(graph: InstructionGraph, stage: Stage, last: int, recipe: Recipe) -> Change:
    source = graph.tree.source
    newline = source.newline
    taken = {other.name for other in graph.stages if other.name}
    name = stage_name("build", taken)
    edits: list[Edit] = []
    from_ = stage.from_
    if from_.name_span is not None:
        edits.append(Edit(from_.name_span, name))
    else:
        edits.append(Edit(Span(from_.image.span.end, from_.image.span.end), f" AS {name}"))
    head = source.text[from_.keyword_span.start : from_.image.span.start]
    base = recipe.base or source.slice(from_.image.span)
    lines = [head + base + (f" AS {source.slice(from_.name_span)}" if from_.name_span else "")]
    before = [step for step in stage.steps if step.index < last]
    if recipe.packages:
        lines.append(_install(stage, recipe.packages, newline))
    lines += _repeated(graph, before, edits)
    lines += recipe.lines
    lines += [f"COPY --from={name} {path} {path}" for path in recipe.copies]
    lines += [source.slice(step.span) for step in recipe.kept]
    users = [step for step in before if isinstance(step.instruction, User)]
    if users:
        lines.append(source.slice(users[-1].span))
    end = next(step.span.end for step in stage.steps if step.index == last)
    edits.append(Edit(Span(end, end), newline * 2 + newline.join(lines)))
    return Change(
        NAME, "build in one stage, ship from another", recipe.reason, tuple(edits), Applicability.UNSAFE, from_.span,
        declares_metadata=recipe.metadata,
    )  # fmt: skip


def _repeated(graph: InstructionGraph, before: Sequence[Step], edits: list[Edit]) -> list[str]:
    """Give the lines that set what both stages need, and move those that only the image needs."""
    source = graph.tree.source
    lines = []
    for step in before:
        if isinstance(step.instruction, _BOTH):
            lines.append(source.slice(step.span))
        elif isinstance(step.instruction, _FINAL):
            lines.append(source.slice(step.span))
            edits.append(deleted(step, graph))
    return lines


def _install(stage: Stage, packages: Sequence[str], newline: str) -> str:
    names = " ".join(packages)
    manager = stage.facts.package_manager if stage.facts else "apt"
    if manager == "apk":
        return f"RUN apk add --no-cache {names}"
    return (
        f"RUN apt-get update \\{newline} && apt-get install -y --no-install-recommends {names} \\{newline}"
        f" && rm -rf /var/lib/apt/lists/*"
    )
