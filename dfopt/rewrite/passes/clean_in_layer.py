"""Package lists and caches removed in the layer that made them."""

from __future__ import annotations

from collections.abc import Sequence

from dfopt.edit import Edit
from dfopt.finding import Applicability
from dfopt.graph.model import Stage, Step
from dfopt.rewrite.layout import appended, can_extend, joined_span, joined_text
from dfopt.rewrite.model import Change, PassInput, PassResult, Refusal
from dfopt.rewrite.passes.merge_runs import why_not
from dfopt.rewrite.script import is_script_call, setting_of
from dfopt.rewrite.stages import between, is_shipped, later_steps, run_groups
from dfopt.source import Span
from dfopt.syntax.tree import Run
from dfopt.tools import Invocation, Place, covers, effects, left_caches
from dfopt.tools.cleaning import cleans

NAME = "clean-in-layer"
COMMANDS: dict[str, tuple[str, tuple[str, ...]]] = {
    "dnf": ("{name} clean all", ("/var/cache/dnf/", "/var/cache/yum/", "/var/cache/libdnf5/", "/var/cache/tdnf/")),
    "zypper": ("zypper clean --all", ("/var/cache/zypp/",)),
    "npm": ("npm cache clean --force", ("~/.npm/",)),
    "yarn": ("rm -rf /usr/local/share/.cache/yarn", ("/usr/local/share/.cache/yarn/",)),
    "apk": ("rm -rf /var/cache/apk/*", ("/var/cache/apk/",)),
    "composer": ("composer clear-cache", ("~/.composer/cache/", "~/.cache/composer/")),
    "conda": ("conda clean -afy", ("/opt/conda/pkgs/",)),
}
"""Per family the command that empties its cache, and what is gone then. Others are told by an option or left alone:
yarn's own command would also take away what Plug'n'Play loads when the program runs, pnpm's store is linked to."""


_BY_OPTION = frozenset(("apk", "bun", "pip", "uv"))
"""Families whose option every version in use knows; poetry's and composer's came late."""
_TOO_OLD: dict[str, dict[str, tuple[str, ...]]] = {
    "apk": {"alpine": ("2.6", "2.7", "3.1", "3.2")},
    "pip": {
        "debian": ("wheezy", "jessie", "7", "8"),
        "ubuntu": ("12.04", "12.10", "13.04", "13.10", "14.04", "14.10", "15.04"),
    },
}
"""Releases whose own tool does not know the option (pip before 6, apk before 3.3) and keeps no such cache either."""
_ROOT = frozenset(("yarn", "conda", "apk", "dnf", "zypper"))
_LISTED = frozenset(("apk",))


def clean_in_layer(given: PassInput) -> PassResult:
    """Keep package lists and download caches out of the layers that ship."""
    result: PassResult = []
    for stage in given.graph.stages:
        if not is_shipped(stage):
            continue
        for group in run_groups(stage):
            result += _lists(given, stage, group)
            for step in group:
                result += _caches(given, stage, step)
    return result


def _lists(given: PassInput, stage: Stage, group: Sequence[Step]) -> PassResult:
    """Remove apt's lists in the RUN that fetched them, joined with the RUNs that need them."""
    starts = [
        i
        for i, step in enumerate(group)
        if "apt" in step.effects.refreshes and not step.is_mounted("/var/lib/apt/lists")
    ]
    if not starts:
        return []
    first = starts[0]
    step = group[first]
    if is_cleaned(step):
        rest = [i for i in starts if not is_cleaned(group[i])]
        if not rest:
            return []
        first = rest[0]
        step = group[first]
    needing = [i for i in range(first, len(group)) if _needs_lists(group[i])]
    last = max([first, *needing])
    if last + 1 < len(group) and _only_cleans(group[last + 1]):
        last += 1
    chosen = list(group[first : last + 1])
    after = [
        other
        for other in later_steps(given.graph, stage, chosen[-1])
        if _needs_lists(other) and "apt" not in other.effects.refreshes
    ]
    refreshed = [other for other in later_steps(given.graph, stage, chosen[-1]) if "apt" in other.effects.refreshes]
    if after and not (refreshed and refreshed[0].index < after[0].index):
        return [Refusal(NAME, "a later instruction may still need the package lists", step.span)]
    reason = why_not(chosen) if len(chosen) > 1 else can_extend(step)
    if reason:
        return [Refusal(NAME, f"the package lists stay in the layer: {reason}", step.span)]
    command = "rm -rf /var/lib/apt/lists/*"
    if any("sudo" in call.command.wrappers for each in chosen for call in each.invocations if call.family == "apt"):
        command = f"sudo {command}"
    if len(chosen) == 1:
        edits: tuple[Edit, ...] = (appended(step, command, given.graph),)
        title = "remove the package lists in the same layer"
    else:
        text = joined_text(chosen, [], given.graph, [])
        tail = joined_text(chosen, between(stage, chosen), given.graph, [])[len(text) :]
        if not is_cleaned(chosen[-1]):
            text = _with_tail(text, command, given, chosen)
        edits = (Edit(joined_span(chosen, given.graph), text + tail),)
        title = "update, install and clean up in one layer"
    return [
        Change(
            NAME, title, "the package lists are only needed while packages are installed, yet they stay in the layer",
            edits, Applicability.SAFE, joined_span(chosen, given.graph), declares_removed=("/var/lib/apt/lists/",),
        )
    ]  # fmt: skip


def _with_tail(text: str, command: str, given: PassInput, chosen: Sequence[Step]) -> str:
    last = chosen[-1]
    edit = appended(last, command, given.graph)
    glue = edit.text
    if "\n" not in glue and "\n" in text:
        newline = given.graph.tree.source.newline
        line = text.rsplit("\n", 1)[1]
        if line.lstrip().startswith("&&"):
            indent = line[: len(line) - len(line.lstrip())]
            glue = f" {given.graph.tree.escape}{newline}{indent}&& {command}"
    return text + glue


def is_cleaned(step: Step) -> bool:
    """Tell whether a RUN removes apt's lists after it last fetched or used them."""
    removed = False
    for command in step.commands:
        done = effects(command, setting_of(step))
        if "apt" in done.refreshes or "apt" in done.lists:
            removed = False
        elif any(covers(path, "/var/lib/apt/lists/x") for path in done.removes):
            removed = True
    return removed


def _only_cleans(step: Step) -> bool:
    return bool(step.effects.removes) and step.effects.writes <= {"/var/lib/apt/lists/"} and is_cleaned(step)


def _needs_lists(step: Step) -> bool:
    if not isinstance(step.instruction, Run):
        return False
    return "apt" in step.effects.lists or any(is_script_call(command) for command in step.commands)


def _caches(given: PassInput, stage: Stage, step: Step) -> PassResult:
    result: PassResult = []
    done: set[str] = set()
    edits: list[Edit] = []
    removed: set[str] = set()
    appended_command = ""
    names: list[str] = []
    fetched = {invocation.family for invocation in step.invocations if invocation.action == "update"}
    for invocation in step.invocations:
        family = invocation.family
        if family == "apt":
            continue
        place = Place.of(invocation.command, setting_of(step))
        left = [path for path in left_caches(invocation, place) if not step.is_mounted(path)]
        if not left or any(_gone_later(step, invocation, path) for path in left):
            continue
        if any(path == "*" or "**" in path for path in left):
            result.append(Refusal(NAME, f"the place of the {family} cache is not known", step.span))
            continue
        options = invocation.tool.cleaning.options if family in _BY_OPTION else ()
        if options and _is_too_old(stage, family):
            result.append(Refusal(NAME, f"{family} of {stage.image} is too old for {options[0]}", step.span))
            continue
        if family in _LISTED and family in fetched:
            # The lists were fetched by a call of their own, which an option of the install does not undo.
            options = ()
        if options and invocation.verb is not None and not invocation.command.wrappers:
            edits.append(Edit(Span(invocation.verb.span.end, invocation.verb.span.end), f" {options[0]}"))
        elif family in COMMANDS and family not in done:
            if reason := can_extend(step):
                result.append(Refusal(NAME, f"the {family} cache stays in the layer: {reason}", step.span))
                continue
            if appended_command:
                continue
            if invocation.command.wrappers or (family in _ROOT and not _is_root(step)):
                result.append(Refusal(NAME, f"the {family} cache may belong to another user", step.span))
                continue
            if invocation.command.conditional or invocation.command.subshell:
                result.append(Refusal(NAME, f"the call of {family} may not run", step.span))
                continue
            appended_command = COMMANDS[family][0].format(name=invocation.command.name)
            edits.append(appended(step, appended_command, given.graph))
        elif family not in done:
            continue
        done.add(family)
        names.append(family)
        removed.update(left)
        removed.update(place.join(path) for path in COMMANDS.get(family, ("", ()))[1])
    if edits:
        named = " and ".join(dict.fromkeys(names))
        result.append(
            Change(
                NAME, f"keep the {named} cache out of the layer",
                f"{named} keeps its downloads for the next call, which never comes in an image",
                tuple(edits), Applicability.SAFE, step.span, declares_removed=tuple(sorted(removed)),
            )
        )  # fmt: skip
    return result


def _is_too_old(stage: Stage, family: str) -> bool:
    facts = stage.facts
    return facts is not None and facts.release in _TOO_OLD.get(family, {}).get(facts.distribution, ())


def _is_root(step: Step) -> bool:
    return step.before.user in ("root", "0") and step.before.base_known


def _gone_later(step: Step, invocation: Invocation, path: str) -> bool:
    """Tell whether a later command of the same RUN takes a cache away."""
    for command in step.commands:
        if command.span.start > invocation.command.span.start:
            done = effects(command, setting_of(step))
            if any(covers(gone, path.rstrip("/") + "/x") or covers(gone, path) for gone in done.removes):
                return True
            if invocation.family in cleans(command, setting_of(step)).families:
                return True
    return False
