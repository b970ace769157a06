"""Questions that rules, rewrites and predictions ask of the graph, answered by pure functions from its steps."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from fnmatch import fnmatchcase
from functools import lru_cache

from msgspec import Struct
from msgspec.structs import replace

from dfopt.graph import paths
from dfopt.graph.model import InstructionGraph, Stage, Step
from dfopt.graph.sources import is_remote
from dfopt.syntax import tree
from dfopt.tools import Invocation, Place, invocation_effects, overlaps

SYSTEM_FAMILIES = frozenset(("apt", "dpkg", "apk", "dnf", "yum", "rpm", "zypper", "pacman", "brew", "snap"))
"""Package managers whose installs do not depend on files of the project."""
_BRINGING = frozenset(("install", "fetch", "sync", "update"))
# What package managers read besides the project: their own configuration.
_CONFIGURATION = ("/etc/", "/usr/", "/opt/", "/bin/", "/sbin/", "/proc/", "/tmp/")
# Goals of build programs that only fetch dependencies.
_FETCHING_GOALS = ("dependency:", "dependencies", "de.qaware.maven:")


class Install(Struct, frozen=True):
    """An install of a project's dependencies.

    ``manifests`` are the files that decide what is installed, as absolute paths (globs allowed), ``optional`` those
    that are read where they exist. ``needs_sources`` tells that it reads more of the project than those: folders, or
    everything. ``runs_project_code`` tells that it may run code of the project (life cycle scripts, build back ends).
    """

    step: Step
    invocation: Invocation
    manifests: tuple[str, ...]
    optional: tuple[str, ...] = ()
    needs_sources: bool = False
    runs_project_code: bool = False
    directory: str | None = None


def place_of(step: Step, invocation: Invocation) -> Place:
    """Give the place where a call of a step runs."""
    place = Place.of(invocation.command, step.setting)
    for role, word, *_ in invocation.places:
        if role == "cd":
            place = place.inside(place.path(word))
    return place


def installs_of(step: Step) -> Iterator[Install]:
    """Give the installs of project dependencies that a step makes."""
    for invocation in step.invocations:
        if invocation.family in SYSTEM_FAMILIES or not (invocation.action in _BRINGING or _only_fetches(invocation)):
            continue
        place = place_of(step, invocation)
        done = invocation_effects(invocation, Place.of(invocation.command, step.setting))
        optional = {place.join(name) for name in invocation.subcommand.optional_manifests}
        wanted = [place.join(name) for name in invocation.subcommand.manifests]
        home = place.join("~/")
        folders = False
        for path in sorted(done.reads):
            if path in optional or path in wanted or path.startswith(_CONFIGURATION):
                continue
            if home not in ("/", place.join("./")) and path.startswith(home):
                continue
            if path == "*" or path.endswith("/") or _is_project(path, step):
                folders = True
            else:
                wanted.append(path)
        if wanted or folders:
            yield Install(
                step,
                invocation,
                tuple(dict.fromkeys(wanted)),
                tuple(sorted(optional)),
                folders or done.wall,
                done.runs_project_code,
                place.directory,
            )


def _only_fetches(invocation: Invocation) -> bool:
    """Tell whether a call of a build program is only about dependencies (``mvn dependency:go-offline``)."""
    words = (*invocation.operands, *((invocation.verb,) if invocation.verb else ()))
    return invocation.action == "build" and any((word.value or "").startswith(_FETCHING_GOALS) for word in words)


def _is_project(path: str, step: Step) -> bool:
    """Tell whether a path is a folder of the project rather than a file: the work directory or one without a suffix."""
    return path == paths.clean(step.before.workdir) or "." not in posixpath.basename(path)


@lru_cache(maxsize=8)
def installs(graph: InstructionGraph) -> tuple[Install, ...]:
    """List the installs of project dependencies of a file, in order."""
    return tuple(each for step in graph.steps if step.keyword == "RUN" for each in installs_of(step))


@lru_cache(maxsize=8)
def run_steps(graph: InstructionGraph) -> tuple[Step, ...]:
    """Give the RUNs of a file in order; one behind ONBUILD is a step of its own, in the state of its place."""
    return tuple(
        step if isinstance(step.instruction, tree.Run) else replace(step, instruction=step.instruction.trigger)
        for step in graph.steps
        if step.stage >= 0
        and (
            isinstance(step.instruction, tree.Run)
            or (isinstance(step.instruction, tree.Onbuild) and isinstance(step.instruction.trigger, tree.Run))
        )
    )


@lru_cache(maxsize=8)
def calls(graph: InstructionGraph) -> dict[str, list[tuple[Step, Invocation]]]:
    """Give the recognised commands of all RUNs by the family of their tool, each with its step, in order."""
    found: dict[str, list[tuple[Step, Invocation]]] = {}
    for step in run_steps(graph):
        for invocation in step.invocations:
            found.setdefault(invocation.tool.family, []).append((step, invocation))
    return found


def calls_of(graph: InstructionGraph, *families: str) -> list[tuple[Step, Invocation]]:
    """Give the calls of some families of tools, each with its step; in order within a family."""
    table = calls(graph)
    return [pair for family in families for pair in table.get(family, ())]


_WINDOWS = ("windows", "nanoserver", "servercore")


def is_windows(graph: InstructionGraph, stage: int) -> bool:
    """Tell whether a stage is built on Windows, as far as its image's name or the escape character tells."""
    image = graph.chain(stage)[0].image or ""
    return graph.tree.escape == "`" or any(name in image for name in _WINDOWS)


def earlier(graph: InstructionGraph, step: Step) -> tuple[Step, ...]:
    """Give the steps below a step: those of the stages its own is based on, and those above it, lowest first."""
    below: list[Step] = []
    for stage in graph.chain(step.stage):
        for each in stage.all_steps:
            if each is step:
                return tuple(below)
            below.append(each)
    return tuple(below)


def later(graph: InstructionGraph, step: Step) -> tuple[Step, ...]:
    """Give the steps of the same stage that follow a step."""
    steps = graph.stages[step.stage].all_steps
    place = next(at for at, each in enumerate(steps) if each is step)
    return steps[place + 1 :]


def context_sources(step: Step) -> tuple[str, ...]:
    """Give what a COPY or ADD takes from the build context, as paths below its root (``/`` is everything)."""
    instruction = step.instruction
    if not isinstance(instruction, tree.FileInstruction) or (isinstance(instruction, tree.Copy) and instruction.from_):
        return ()
    is_add = isinstance(instruction, tree.Add)
    return tuple(paths.source(text) for text in step.sources if not (is_add and is_remote(text)))


def is_broad_copy(step: Step) -> bool:
    """Tell whether a COPY or ADD takes the whole build context, as far as can be told."""
    return not step.unknown and any(source in ("/", "/*") for source in context_sources(step))


def broad_copies_before(graph: InstructionGraph, step: Step) -> tuple[Step, ...]:
    """Give the copies of the whole context below a step, in its stage and those it is based on."""
    return tuple(each for each in earlier(graph, step) if is_broad_copy(each))


def broad_copy_before(graph: InstructionGraph, step: Step) -> Step | None:
    """Give the last copy of the whole context above a step in its own stage."""
    found = [each for each in broad_copies_before(graph, step) if each.stage == step.stage]
    return found[-1] if found else None


def arrives_at(step: Step, path: str) -> bool:
    """Tell whether a COPY or ADD may bring a file to an absolute path."""
    if not isinstance(step.instruction, tree.FileInstruction) or not step.arguments:
        return False
    target = step.destination
    place = paths.clean(target)
    if path == place:
        return not target.endswith(("/", "/.")) and len(step.sources) + len(step.documents) == 1
    inside = place if place.endswith("/") else f"{place}/"
    if not path.startswith(inside):
        return False
    rest = path[len(inside) :]
    top = rest.partition("/")[0]
    for source in (*step.sources, *(name for name, _ in step.documents)):
        name = posixpath.basename(paths.source(source))
        if paths.source(source) == "/" or not name or "*" in name or "?" in name:
            if not name or fnmatchcase(top, name) or name == "*":
                return True
        elif name == top or "." not in name:
            # A name without a suffix may be a folder, whose contents are copied without its name.
            return True
    return False


def brought_by(graph: InstructionGraph, step: Step, path: str) -> Step | None:
    """Give the last COPY or ADD below a step that may have brought a file to an absolute path; None where none did."""
    return next((each for each in reversed(earlier(graph, step)) if arrives_at(each, path)), None)


def is_copied_before(graph: InstructionGraph, step: Step, path: str) -> bool:
    """Tell whether a COPY or ADD below a step may have brought a file to an absolute path."""
    return brought_by(graph, step, path) is not None


def shipped_layers(graph: InstructionGraph) -> tuple[Step, ...]:
    """Give the steps whose layers the target's image holds, lowest first; those of the base image are not steps."""
    if graph.target is None:
        return ()
    return tuple(step for stage in graph.chain(graph.target) for step in stage.all_steps if step.makes_layer)


def writers_of(graph: InstructionGraph, stage: int, path: str) -> tuple[Step, ...]:
    """Give the steps of a stage and its bases that may write or remove a path; unknown programs are left out."""
    return tuple(
        step
        for each in graph.chain(stage)
        for step in each.all_steps
        if any(written != "*" and overlaps(written, path) for written in step.effects.writes | step.effects.removes)
    )


def readers_of(graph: InstructionGraph, step: Step, path: str) -> tuple[Step, ...]:
    """Give the steps after a step that may read a path: in its stage, in those built on it, and copies out of them.

    An unknown program counts as a reader.
    """
    found = [each for each in later(graph, step) if any(overlaps(read, path) for read in each.effects.reads)]
    on_top = _built_on(graph, step.stage)
    for stage in graph.stages:
        if stage.index in on_top:
            found += [each for each in stage.all_steps if any(overlaps(read, path) for read in each.effects.reads)]
        for each in stage.all_steps:
            if each.source_stage is not None and each.source_stage in on_top | {step.stage}:
                if any(overlaps(paths.source(source), path) for source in each.sources):
                    found.append(each)
            elif any(mount.stage in on_top | {step.stage} for mount in each.run_mounts if mount.stage is not None):
                found.append(each)
    return tuple(dict.fromkeys(found))


def _built_on(graph: InstructionGraph, stage: int) -> set[int]:
    found: set[int] = set()
    for each in graph.stages:
        if each.base is not None and (each.base == stage or each.base in found):
            found.add(each.index)
    return found


def copies_out_of(graph: InstructionGraph, stage: int) -> tuple[Step, ...]:
    """Give the COPY --from and RUN --mount steps that take files out of a stage."""
    return tuple(
        step
        for each in graph.stages
        for step in each.all_steps
        if step.source_stage == stage or any(mount.stage == stage for mount in step.run_mounts)
    )


def takes_whole_tree(step: Step) -> bool:
    """Tell whether a COPY --from takes the root, or a system folder with all it holds, of another stage or image."""
    if step.source_stage is None and step.source_image is None:
        return False
    return any(paths.source(source) in _SYSTEM_TREES for source in step.sources)


_SYSTEM_TREES = frozenset(("/", "/*", "/usr", "/opt", "/lib", "/var", "/root", "/home", "/etc"))


def variables_used(step: Step) -> frozenset[str]:
    """Give the names of all variables in force that a step uses, those in its shell code and of its tools included."""
    names = set(step.used)
    if step.keyword == "RUN":
        in_force = step.before.variables
        for command in step.commands:
            for word in command.words:
                names.update(word.variables)
            for assignment in command.assignments:
                if assignment.value is not None:
                    names.update(assignment.value.variables)
            for redirect in command.redirects:
                if redirect.target is not None:
                    names.update(redirect.target.variables)
        for pattern in step.effects.environment:
            if "*" in pattern:
                names.update(name for name in in_force if fnmatchcase(name, pattern))
            else:
                names.add(pattern)
        names = {name for name in names if name in in_force}
    return frozenset(names)


def users_of(graph: InstructionGraph, step: Step, name: str) -> tuple[Step, ...]:
    """Give the steps that use a variable as an ARG or ENV step set it, in order; in later stages too."""
    return tuple(
        each
        for stage in graph.stages
        for each in stage.all_steps
        if (found := each.before.variables.get(name)) is not None
        and found.step == step.index
        and name in variables_used(each)
    )


def first_user_of(graph: InstructionGraph, step: Step, name: str) -> Step | None:
    """Give the first step that uses a variable as an ARG or ENV step set it."""
    return next(iter(users_of(graph, step, name)), None)


def stage_of_step(graph: InstructionGraph, step: Step) -> Stage:
    """Give the stage of a step. Raises IndexError for a global ARG."""
    if step.stage < 0:
        raise IndexError("a global ARG belongs to no stage")
    return graph.stages[step.stage]
