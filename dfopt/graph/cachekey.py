"""What the build cache keeps of a step, and what a change makes a build repeat.

Follows the cache keys of BuildKit: a step's key is its own definition, the key of the state below it, and the content
of the files it selects. A step is repeated where no earlier step has that key.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Hashable, Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from dfopt.graph import paths
from dfopt.graph.build import SCRATCH, build
from dfopt.graph.image_names import full_name
from dfopt.graph.model import InstructionGraph, RunMount, Stage, Step
from dfopt.graph.operations import environment_list
from dfopt.graph.queries import context_sources, writers_of
from dfopt.graph.result import run_text
from dfopt.graph.sources import git_source, is_url
from dfopt.images.model import ImageFacts
from dfopt.syntax import tree
from dfopt.syntax.tree import Dockerfile
from dfopt.tools import overlaps

Status = Literal["cached", "rebuilt", "if-changed"]
Store = Literal["overlay2", "containerd"]


class Change(Struct, frozen=True):
    """What differs between two builds.

    ``paths`` are paths of the build context (after the ignore file) whose content, mode, type or existence changed;
    times do not count. ``images`` are base images, as the file names them, that a tag now means something else for.
    ``build_args`` and ``dockerfile`` are the new ones, None where they stay.
    """

    paths: frozenset[str] = frozenset()
    images: frozenset[str] = frozenset()
    build_args: Mapping[str, str] | None = None
    dockerfile: Dockerfile | None = None


class KeyParts(Struct, frozen=True):
    """What a step's cache key depends on.

    ``variables`` are the names of all ARG and ENV values in it: every one in force for RUN, the used ones for other
    instructions. ``context`` are paths and patterns of the build context, ``stages`` pairs of a stage and a path
    inside it whose content counts, ``images`` the same for images. ``parent`` tells that the state below is part of
    it.
    """

    variables: tuple[str, ...] = ()
    context: tuple[str, ...] = ()
    stages: tuple[tuple[int, str], ...] = ()
    images: tuple[tuple[str, str], ...] = ()
    parent: bool = True


class Rebuild(Struct, frozen=True):
    """One step of the new build: whether it comes from the cache, and why not.

    ``if-changed`` is repeated only where what an earlier step makes anew comes out different. ``first`` marks the
    first step of a stage that is repeated for a reason of its own.
    """

    step: Step
    status: Status
    reason: str = ""
    first: bool = False


def key_parts(step: Step) -> KeyParts:
    """Give what the cache key of a step depends on; an empty value for instructions without a layer."""
    instruction = step.instruction
    if isinstance(instruction, tree.Run):
        names = tuple(name for name, each in step.before.variables.items() if each.value is not None)
        binds = [mount for mount in step.run_mounts if mount.type in ("bind", "cache") and mount.stage is not None]
        return KeyParts(
            names,
            tuple(paths.context_name(mount.source) for mount in step.run_mounts if _is_context(mount)),
            tuple((mount.stage, paths.source(mount.source)) for mount in binds if mount.stage is not None),
            tuple((mount.image, paths.source(mount.source)) for mount in step.run_mounts if mount.image),
        )
    if isinstance(instruction, tree.FileInstruction):
        sources = tuple(paths.source(source) for source in step.sources)
        return KeyParts(
            step.used,
            tuple(paths.context_name(path) for path in context_sources(step)),
            tuple((step.source_stage, path) for path in sources) if step.source_stage is not None else (),
            tuple((step.source_image, path) for path in sources) if step.source_image else (),
            not instruction.link,
        )
    if step.makes_layer:
        return KeyParts(step.used)
    return KeyParts(parent=False)


def _is_context(mount: RunMount) -> bool:
    return mount.type == "bind" and mount.stage is None and mount.image is None


def invalidated(
    graph: InstructionGraph, change: Change, *, store: Store = "overlay2", every_stage: bool = False
) -> tuple[Rebuild, ...]:
    """Give all steps that the next build considers, in stage order, and which of them it repeats.

    ``store`` is the image store: ``COPY --link`` stays cached above a repeated step only in containerd's. Stages that
    the target does not need are left out unless ``every_stage`` is set.
    """
    after = graph
    if change.dockerfile is not None or change.build_args is not None:
        options = graph.options if change.build_args is None else replace(graph.options, build_args=change.build_args)
        after = build(change.dockerfile or graph.tree, options, images=lambda name: _known_facts(graph, name))
    return compare(graph, after, paths=change.paths, images=change.images, store=store, every_stage=every_stage)


def _known_facts(graph: InstructionGraph, name: str) -> ImageFacts | None:
    for stage in graph.stages:
        if stage.image == name:
            return stage.facts
    from dfopt.images import facts

    return facts(name)


def compare(
    before: InstructionGraph,
    after: InstructionGraph,
    *,
    paths: Iterable[str] = (),
    images: Iterable[str] = (),
    store: Store = "overlay2",
    every_stage: bool = False,
) -> tuple[Rebuild, ...]:
    """Give the steps of the second of two builds, and which of them the cache of the first serves."""
    keys = _Keys()
    first = _Pass(before, keys, frozenset(), frozenset(), store, None)
    first.run(every_stage=True)
    second = _Pass(after, keys, frozenset(paths), frozenset(_plain(name) for name in images), store, first)
    second.run(every_stage=every_stage)
    return tuple(second.found)


def first_invalidated(rebuilds: Iterable[Rebuild]) -> tuple[Rebuild, ...]:
    """Give the first step of each stage that is repeated, or may be."""
    found: dict[int, Rebuild] = {}
    for rebuild in rebuilds:
        if rebuild.status != "cached":
            found.setdefault(rebuild.step.stage, rebuild)
    return tuple(found.values())


def _plain(name: str) -> str:
    try:
        return full_name(name)
    except ValueError:
        return name


class _Keys:
    """Numbers for keys: equal keys have the same number."""

    def __init__(self) -> None:
        self._numbers: dict[Hashable, int] = {}

    def number(self, key: Hashable) -> int:
        return self._numbers.setdefault(key, len(self._numbers))


class _Place(Struct):
    """A state of a stage while it is followed: its key, and whether it comes from the cache."""

    key: int
    status: Status = "cached"
    reason: str = ""


class _Pass:
    """One build followed from step to step; with an earlier one to compare with, each step's status."""

    def __init__(
        self,
        graph: InstructionGraph,
        keys: _Keys,
        changed: frozenset[str],
        images: frozenset[str],
        store: Store,
        earlier: _Pass | None,
    ) -> None:
        self.graph = graph
        self.keys = keys
        self.changed = changed
        self.images = images
        self.store = store
        self.earlier = earlier
        self.ends: dict[int, _Place] = {}
        self.known: dict[Hashable, set[tuple[int | None, ...]]] = {}
        """Definitions above a state that were built, with the contents they took from other stages."""
        self.statuses: dict[str, Status] = {}
        self.found: list[Rebuild] = []

    def run(self, *, every_stage: bool) -> None:
        for stage in self.graph.stages:
            if stage.reachable or every_stage:
                self._stage(stage)

    def _stage(self, stage: Stage) -> None:
        place = self._start(stage)
        started = place.status != "cached"
        for step in stage.all_steps[1:]:
            if not step.makes_layer:
                continue
            place, own = self._step(step, place)
            self.statuses[step.id] = place.status
            if self.earlier is not None:
                first = own and not started
                started = started or place.status == "rebuilt"
                self.found.append(Rebuild(step, place.status, place.reason, first))
        self.ends[stage.index] = place

    def _start(self, stage: Stage) -> _Place:
        if stage.base is not None:
            end = self.ends[stage.base]
            return _Place(end.key, end.status, end.reason and f"the stage below it: {end.reason}")
        image = stage.steps[0].arguments[0]
        if image == SCRATCH:
            return _Place(self.keys.number(SCRATCH))
        name = _plain(image)
        key = self.keys.number(("image", name, stage.platform or self.graph.options.platform))
        if name in self.images:
            return _Place(self.keys.number(("image", name, "changed")), "rebuilt", f"the image {image} is another one")
        if self.earlier is not None and ("start", key) not in self.earlier.known:
            return _Place(key, "rebuilt", f"the stage begins with another image, {image}")
        self.known[("start", key)] = set()
        return _Place(key)

    def _step(self, step: Step, below: _Place) -> tuple[_Place, bool]:
        """Follow one step; tells too whether it is repeated for a reason of its own."""
        instruction = step.instruction
        link = isinstance(instruction, tree.FileInstruction) and instruction.link and not step.chmod
        definition = _definition(step)
        core: Hashable = (definition, None if link else below.key)
        origins = tuple(self._origins(step))
        key = self.keys.number((definition, below.key))
        if self.earlier is None:
            self.known.setdefault(core, set()).add(tuple(origin for origin, _, _ in origins))
            return _Place(key), False
        if below.status == "rebuilt" and not (link and self.store == "containerd"):
            reason = (
                f"it stands on what is repeated: {below.reason}" if below.reason else "it stands on what is repeated"
            )
            return _Place(
                self.keys.number((definition, below.key, "new")), "rebuilt", _short(below.reason, reason)
            ), False
        if core not in self.earlier.known:
            return _Place(self.keys.number((definition, below.key)), "rebuilt", self._difference(step)), True
        path = next(self._changed_paths(step), None)
        if path is not None:
            reason = f"{path} of the build context changed"
            return _Place(self.keys.number((definition, below.key, "content")), "rebuilt", reason), True
        status: Status = "cached" if link else below.status
        reason = "" if link else below.reason
        for origin, uncertain, text in origins:
            if uncertain or (origin is not None and all(origin not in each for each in self.earlier.known[core])):
                status, reason = "if-changed", reason or text
        return _Place(key, status, reason), False

    def _origins(self, step: Step) -> Iterator[tuple[int | None, bool, str]]:
        """Give what a step takes from other stages: its key, whether it may have changed, and what to say then.

        The key is None where the stage is built again, so that only what its steps write tells.
        """
        wanted: list[tuple[int, str]] = []
        if step.source_stage is not None:
            wanted = [(step.source_stage, paths.source(source)) for source in step.sources]
        for mount in step.run_mounts:
            if mount.stage is not None:
                wanted.append((mount.stage, paths.source(mount.source)))
        for stage, path in wanted:
            end = self.ends.get(stage)
            if end is None:
                continue
            uncertain = end.status != "cached" and self._may_change(stage, path)
            name = self.graph.stages[stage].name or f"stage {stage}"
            yield (end.key if end.status == "cached" else None), uncertain, f"{path} of {name} may come out different"

    def _may_change(self, stage: int, path: str) -> bool:
        """Tell whether a repeated step of a stage may have changed a path; the image below counts as such a step."""
        chain = self.graph.chain(stage)
        repeated = [
            step for each in chain for step in each.all_steps if self.statuses.get(step.id, "cached") != "cached"
        ]
        layers = [step for each in chain for step in each.all_steps if step.makes_layer]
        if len(repeated) == len(layers):
            return True
        surely = {id(step) for step in writers_of(self.graph, stage, path)}
        for step in repeated:
            effects = step.effects
            if effects.wall or "*" in effects.writes or id(step) in surely:
                return True
            if any(overlaps(written, path) for written in effects.writes | effects.removes):
                return True
        return False

    def _changed_paths(self, step: Step) -> Iterator[str]:
        for path in sorted(self.changed):
            if selects(step, path):
                yield path

    def _difference(self, step: Step) -> str:
        """Say what differs from the step that stood at the same place before."""
        assert self.earlier is not None
        other = _counterpart(self.earlier.graph, self.graph, step)
        if other is None:
            return "it was not there before"
        if other.keyword != step.keyword:
            return f"{other.keyword} stood in its place before"
        if step.keyword == "RUN":
            was, now = _environment(other), _environment(step)
            for name in {**was, **now}:
                if was.get(name) != now.get(name):
                    return f"the variable {name} in its environment is another"
            if step.before.workdir != other.before.workdir:
                return f"it runs in {step.before.workdir} instead of {other.before.workdir}"
            if step.before.user != other.before.user:
                return (
                    f"it runs as {step.before.user or 'another user'} instead of {other.before.user or 'another user'}"
                )
            if step.before.shell != other.before.shell:
                return "it runs in another shell"
        if _definition(other) == _definition(step):
            return "the steps below it differ"
        if step.keyword == "WORKDIR":
            return "its path or the user that owns it is another"
        return "its command is another" if step.keyword == "RUN" else "its sources, destination or options are others"


def _short(cause: str, text: str) -> str:
    """Keep the first cause only, however many steps follow it."""
    if cause.startswith(("it stands on what is repeated", "the stage below it: it stands")):
        return cause
    return text


def _environment(step: Step) -> dict[str, str | None]:
    return {name: each.value for name, each in step.before.variables.items()}


def _counterpart(before: InstructionGraph, after: InstructionGraph, step: Step) -> Step | None:
    stage = after.stages[step.stage]
    if step.stage >= len(before.stages):
        return None
    layers = [each for each in stage.all_steps if each.makes_layer]
    place = next(at for at, each in enumerate(layers) if each is step)
    others = [each for each in before.stages[step.stage].all_steps if each.makes_layer]
    return others[place] if place < len(others) else None


def _definition(step: Step) -> tuple[Hashable, ...]:
    """Give what of a step itself is in its cache key; what it stands on and takes from elsewhere is not in here."""
    instruction = step.instruction
    if isinstance(instruction, tree.Run):
        if instruction.exec_form is not None:
            arguments: tuple[str, ...] = tuple(word.text for word in instruction.exec_form)
        else:
            arguments = (*step.before.shell, run_text(instruction))
        heredoc = instruction.script_heredoc
        return (
            "run",
            arguments,
            heredoc.text if heredoc is not None and heredoc.text.startswith("#!") else "",
            tuple(environment_list(step.before)),
            step.before.workdir,
            step.before.user,
            instruction.flag_value("network") or "default",
            instruction.flag_value("security") or "sandbox",
            tuple(_mount_definition(mount) for mount in step.run_mounts),
        )
    if isinstance(instruction, tree.FileInstruction):
        unpack = instruction.flag("unpack")
        return (
            "copy",
            step.destination,
            tuple(_source_definition(step, source) for source in step.sources),
            step.documents,
            step.chown,
            step.chmod,
            step.checksum,
            tuple(instruction.excludes),
            instruction.has_flag("parents"),
            instruction.has_flag("unpack") if unpack else isinstance(instruction, tree.Add),
            instruction.link and not step.chmod,
            (step.source_stage is not None, step.source_image and _plain(step.source_image)),
        )
    return ("workdir", paths.clean(step.after.workdir), step.before.user)


def _source_definition(step: Step, source: str) -> Hashable:
    """Give a source as the key holds it: an address as it is, a path by its cleaned form."""
    if step.keyword == "ADD":
        if is_url(source):
            return source
        git = git_source(source)
        if git is not None:
            return git.identifier
    return paths.source(source)


def _mount_definition(mount: RunMount) -> Hashable:
    custom = mount.type == "cache" and mount.id != paths.clean(mount.target or "/")
    named = mount.id if mount.type in ("secret", "ssh") else custom
    source = paths.source(mount.source) if mount.type in ("bind", "cache") else ""
    origin = "stage" if mount.stage is not None else mount.image or ""
    return (
        mount.type,
        mount.target,
        mount.read_only,
        named,
        source,
        origin,
        mount.env,
        mount.uid,
        mount.gid,
        mount.mode,
    )


def selects(step: Step, path: str) -> bool:
    """Tell whether a step's key holds the content of a path of the build context (relative, with slashes)."""
    instruction = step.instruction
    for mount in step.run_mounts:
        if _is_context(mount) and _is_below(path, paths.source(mount.source)):
            return True
    if not isinstance(instruction, tree.FileInstruction):
        return False
    parents = instruction.has_flag("parents")
    for source in context_sources(step):
        pattern = source.replace("/./", "/") if parents else source
        if _selects(pattern, path, deep=parents):
            rest = _inside(pattern, path)
            return not any(_selects("/" + exclude.strip("/"), rest, deep=True) for exclude in instruction.excludes)
    return False


def _is_below(path: str, folder: str) -> bool:
    return folder == "/" or f"/{path}" == folder or f"/{path}".startswith(f"{folder}/")


def _inside(pattern: str, path: str) -> str:
    """Give a path as seen from the source that selects it."""
    if re.search(r"[*?\[]", pattern):
        depth = pattern.strip("/").count("/")
        return "/".join(path.split("/")[depth:])
    return path[len(pattern.strip("/")) :].strip("/") or posixpath.basename(path)


def _selects(pattern: str, path: str, *, deep: bool) -> bool:
    if not re.search(r"[*?\[\\]", pattern):
        return _is_below(path, pattern)
    expression = _compiled(pattern.strip("/"), deep)
    parts = path.split("/")
    return any(expression.fullmatch("/".join(parts[:count])) for count in range(1, len(parts) + 1))


@lru_cache(maxsize=256)
def _compiled(pattern: str, deep: bool) -> re.Pattern[str]:
    """Translate a pattern of Go's filepath.Match; ``**`` crosses folders where ``deep`` is set."""
    out, at = [], 0
    while at < len(pattern):
        char = pattern[at]
        if deep and pattern.startswith("**", at):
            out.append("(?:.*/)?" if pattern.startswith("**/", at) else ".*")
            at += 3 if pattern.startswith("**/", at) else 2
            continue
        end = pattern.find("]", at + 2) if char == "[" else -1
        if char == "*":
            out.append("[^/]*")
        elif char == "?":
            out.append("[^/]")
        elif end > 0:
            out.append("[" + pattern[at + 1 : end].replace("\\", "\\\\").replace("[", "\\[") + "]")
            at = end
        elif char == "\\" and at + 1 < len(pattern):
            at += 1
            out.append(re.escape(pattern[at]))
        else:
            out.append(re.escape(char))
        at += 1
    try:
        return re.compile("".join(out), re.DOTALL)
    except re.error:
        return re.compile(re.escape(pattern))
