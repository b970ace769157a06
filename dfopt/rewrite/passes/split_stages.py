"""A stage that builds, and a stage that ships what was built."""

from __future__ import annotations

from collections.abc import Sequence

from dfopt.edit import Edit
from dfopt.finding import Applicability
from dfopt.graph.model import InstructionGraph, Stage, Step
from dfopt.rewrite.layout import Style, deleted, line_start, style_of, text_end
from dfopt.rewrite.model import Change, PassInput, PassResult, Refusal
from dfopt.rewrite.passes.download_unpack_delete import stage_name
from dfopt.rewrite.recipes import FINDERS, Recipe
from dfopt.rewrite.toolchains import TOOLCHAINS
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
    for find in (*TOOLCHAINS, *FINDERS):
        found = find(given, stage)
        if isinstance(found, str):
            return [Refusal(NAME, f"the stage is not split: {found}", stage.from_.span)]
        if found is None:
            continue
        if any(isinstance(step.instruction, Onbuild) for step in stage.steps):
            return [Refusal(NAME, "the stage is not split: it has ONBUILD triggers", stage.from_.span)]
        return [_change(graph, stage, last if found.end is None else found.end, found)]
    return []


def _change(graph: InstructionGraph, stage: Stage, last: int, recipe: Recipe) -> Change:
    source = graph.tree.source
    newline = source.newline
    taken = {other.name for other in graph.stages if other.name}
    name = stage_name("build", taken)
    edits: list[Edit] = []
    insertions: dict[int, str] = {}
    from_ = stage.from_
    if from_.name_span is not None:
        edits.append(Edit(from_.name_span, name))
    else:
        edits.append(Edit(Span(from_.image.span.end, from_.image.span.end), f" AS {name}"))
    head = source.text[from_.keyword_span.start : from_.image.span.start]
    base = recipe.base or source.slice(from_.image.span)
    lines = [head + base + (f" AS {source.slice(from_.name_span)}" if from_.name_span else "")]
    if recipe.packages:
        lines.append(_install(recipe, stage, style_of(graph)))
    lines += recipe.lines
    copies = [f"COPY --from={name} {path} {path}" for path in recipe.copies]
    copies += [f"COPY --from={name} {source_path} {target}" for source_path, target in recipe.moves]
    lines += _repeated(graph, [step for step in stage.steps if step.index <= last], recipe, copies, edits)
    for index, line in recipe.build_lines:
        at = line_start(next(step for step in stage.steps if step.index == index), graph)
        insertions[at] = insertions.get(at, "") + line + newline
    edits += [Edit(Span(at, at), text) for at, text in insertions.items()]
    end = text_end(next(step for step in stage.steps if step.index == last), graph)
    edits.append(Edit(Span(end, end), newline * 2 + newline.join(lines)))
    return Change(
        NAME, "build in one stage, ship from another", recipe.reason, tuple(edits), Applicability.UNSAFE, from_.span,
        declares_metadata=recipe.metadata,
    )  # fmt: skip


def _repeated(
    graph: InstructionGraph, before: Sequence[Step], recipe: Recipe, copies: Sequence[str], edits: list[Edit]
) -> list[str]:
    """Give the lines that both stages need, what the image takes over, and what only the image needs, which moves."""
    source = graph.tree.source
    lines: list[str] = []
    users: list[str] = []
    left = list(copies)
    for step in before:
        text = source.slice(step.span)
        if step in recipe.kept:
            lines += left
            left = []
            lines += users[-1:]
            users = []
            lines.append(text)
        elif isinstance(step.instruction, _BOTH):
            lines.append(text)
        elif isinstance(step.instruction, User):
            users.append(text)
        elif isinstance(step.instruction, _FINAL):
            lines.append(text)
            edits.append(deleted(step, graph))
    return [*lines, *left, *users[-1:]]


def _install(recipe: Recipe, stage: Stage, style: Style) -> str:
    names = " ".join(recipe.packages)
    end = f"{style.escape}{style.newline}{style.indent}"
    glue = f" {end}&& " if style.leading else f" && {end}"
    manager = stage.facts.package_manager if stage.facts else "apt"
    if manager == "apk" or (recipe.base or "").startswith("alpine"):
        return f"RUN apk add --no-cache {names}"
    return (
        f"RUN apt-get update{glue}apt-get install -y --no-install-recommends {names}{glue}rm -rf /var/lib/apt/lists/*"
    )
