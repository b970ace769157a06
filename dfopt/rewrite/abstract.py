"""An abstract build: every stage of a graph as a term of its files, and the configuration of its image.

The build runs nothing. Each command becomes an operation with what it can see (the terms of what it reads, the
environment, directory, user and shell); each COPY becomes the files it brings. See ``store`` for what a term means.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from msgspec import Struct, field
from msgspec.structs import replace

from dfopt.context.model import BuildContext
from dfopt.graph.model import InstructionGraph, RunMount, Stage, State, Step
from dfopt.graph.operands import parse_port
from dfopt.rewrite.bookkeeping import overlooked
from dfopt.rewrite.copying import ROOT, Copying, number_of
from dfopt.rewrite.places import FOLDERS, Sources, clean, is_absent_in_base
from dfopt.rewrite.script import Operation, operations
from dfopt.rewrite.store import EVERYTHING, Entry, Store, Term, Terms, covers
from dfopt.syntax.tree import (
    Add,
    Cmd,
    Copy,
    Entrypoint,
    Env,
    Expose,
    Healthcheck,
    Label,
    Maintainer,
    Onbuild,
    Run,
    Shell,
    Stopsignal,
    Unknown,
    User,
    Volume,
    Workdir,
)


class Built(Struct):
    """The outcome of one stage."""

    store: Store
    config: dict[str, Any]
    doubts: list[str] = field(default_factory=list)


def build_abstract(
    graph: InstructionGraph,
    context: BuildContext | None,
    terms: Terms,
    sources: Sources,
    removed: Sequence[str] = (),
) -> list[Built]:
    """Build every stage of a graph. Both graphs of a comparison share ``terms`` and ``sources``."""
    done: list[Built] = []
    for stage in graph.stages:
        done.append(_StageBuild(graph, stage, context, terms, sources, tuple(removed), done).run())
    return done


class _StageBuild(Copying):
    """The build of one stage, instruction by instruction."""

    def __init__(
        self,
        graph: InstructionGraph,
        stage: Stage,
        context: BuildContext | None,
        terms: Terms,
        sources: Sources,
        removed: tuple[str, ...],
        done: list[Built],
    ) -> None:
        self.removed = removed
        self.doubts: list[str] = []
        if stage.base is not None:
            below = done[stage.base]
            store = below.store.copy()
            self.config = _copied(below.config)
            self.doubts += below.doubts
            self.config["onbuild"] = []
        else:
            base = ("image", stage.image or stage.from_.image.text, stage.platform or graph.options.platform)
            store = Store(terms, terms.make(*base), lambda path: not is_absent_in_base(path, stage, graph))
            self.config = _empty(base)
        super().__init__(graph, stage, context, terms, sources, store, [built.store for built in done])

    def run(self) -> Built:
        """Build the stage."""
        for step in self.stage.all_steps:
            self._step(step)
        self.config["workdir"] = self.stage.end.workdir
        self.config["environment"] = dict(self.stage.end.environment)
        return Built(self.store, self.config, self.doubts)

    def _step(self, step: Step) -> None:
        instruction, config = step.instruction, self.config
        match instruction:
            case Run():
                self._run(step, instruction)
            case Copy() | Add():
                self.files(step, instruction)
            case Workdir():
                owner = self.owner(step, step.before.user or "0", files=True)
                folder = self.terms.make("folder", owner, self.names(owner), "755")
                self.store.ensure(step.after.workdir, folder, self.known())
            case Cmd():
                config["cmd"] = _command(instruction, step.before)
                config["cmd_set"] = True
            case Entrypoint():
                config["entrypoint"] = _command(instruction, step.before)
                if not config["cmd_set"]:
                    config["cmd"] = None
            case Healthcheck():
                config["healthcheck"] = (
                    tuple((flag.name, flag.value) for flag in sorted(instruction.flags, key=lambda flag: flag.name)),
                    instruction.is_none,
                    _command(instruction, step.before),
                )
            case Expose():
                config["ports"] |= {name for text in step.arguments for name in parse_port(text).names}
            case Volume():
                config["volumes"] |= set(step.arguments)
            case Label():
                config["labels"].update(zip(step.arguments[::2], step.arguments[1::2], strict=True))
            case User():
                config["user"] = step.arguments
            case Stopsignal():
                config["stop_signal"] = step.arguments
            case Shell():
                config["shell"] = step.after.shell
            case Maintainer():
                config["maintainer"] = instruction.text.text
            case Onbuild():
                config["onbuild"].append(instruction.trigger.original or instruction.body.text)
            case Unknown():
                self.doubts.append(f"{instruction.keyword} could not be understood")
                self.store.change(EVERYTHING, self.terms.make("unknown", instruction.body.text, self.store.value("*")))
            case Env():
                pass
            case _:
                pass

    # RUN

    def _run(self, step: Step, instruction: Run) -> None:
        views = self._views(step)
        label_mounts = tuple(sorted(
            (mount.type, mount.id or mount.source, mount.target or "", mount.env or "")
            for mount in step.run_mounts if mount.type in ("secret", "ssh")
        ))  # fmt: skip
        surroundings = (
            step.before.user or "root",
            tuple(
                (flag.name, flag.value)
                for flag in instruction.flags
                if flag.name in ("network", "security", "device") and flag.value != "default"
            ),
            label_mounts,
        )
        environment = _environment(step.before)
        saved = self._mount(views)
        written: set[str] = set()
        text = self.graph.tree.source.text
        for operation in operations(step, text, self.removed):
            source = text[operation.span.start : operation.span.end]
            unseen = overlooked(operation.commands, source, list(step.before.variables))
            around = (tuple(each for each in environment if each[0] not in unseen), *surroundings)
            self._operation(operation, step, around, views)
            written |= operation.effects.writes
        self._unmount(views, saved, written)

    def _operation(self, operation: Operation, step: Step, around: tuple[Any, ...], views: list[_View]) -> None:
        if self._special(operation, step, views):
            return
        effects = operation.effects
        hidden = () if operation.needs_lists else self.removed
        own = {path for path in effects.reads if any(covers(gone, path) for gone in self.removed)}
        changed = set(effects.writes) - set(effects.caches)
        if effects.wall:
            seen: set[str] = {EVERYTHING}
            changed = {EVERYTHING}
        else:
            seen = set(effects.reads) | changed
            if operation.words is None or operation.words[0] != "rm":
                seen |= effects.removes
        for family in effects.packages:
            seen.add(f"/.dfopt/packages/{family}")
            changed.add(f"/.dfopt/packages/{family}")
        if effects.users:
            changed |= {"/etc/passwd", "/etc/group"}
            seen |= {"/etc/passwd", "/etc/group"}
        inputs = frozenset((region, self.store.value(region, () if region in own else hidden)) for region in seen)
        lists = tuple((region, self.store.value(region)) for region in sorted(operation.list_paths) if effects.lists)
        term = self.terms.make("run", operation.label, around, inputs, lists)
        for region in sorted(changed):
            self.store.change(region, self.terms.make("out", term, region))
        for region in sorted(set(effects.writes) & set(effects.caches)):
            self.store.change(region, self.terms.make("out", term, region), keeps=True)
        plain = operation.words is not None and operation.words[0] == "rm"
        for region in sorted(effects.removes):
            if plain and "**" not in region and region != EVERYTHING:
                self.store.remove(region, in_base=not is_absent_in_base(region, self.stage, self.graph))
            else:
                # What goes depends on more than the path: a condition, a pattern of names.
                self.store.change(region, self.terms.make("out", term, region))

    def _special(self, operation: Operation, step: Step, views: list[_View]) -> bool:
        """Do what is understood exactly: chown -R of copied files, mkdir, and copies out of a mounted context."""
        words, directory = operation.words, operation.directory
        if words is None or directory is None or step.before.user not in ("root", "0"):
            return False
        match words:
            case ("chown", *rest):
                return self._chown(rest, directory)
            case ("mkdir", *rest) if all(not word.startswith("-") or word == "-p" for word in rest):
                paths = [word for word in rest if word != "-p"]
                if any(_special_text(path) for path in paths):
                    return False
                full = [posixpath.normpath(posixpath.join(directory, path)) for path in paths]
                if any(list(self.store.touching(path)) and self.store.node(path) is None for path in full):
                    return False
                term = self.terms.make("folder", ROOT, None, "755")
                for path in full:
                    self.store.ensure(path, term, self.known())
                return True
            case ("chmod", "755", path):
                full_path = posixpath.normpath(posixpath.join(directory, path))
                node = self.store.node(full_path)
                if node is None or self.terms.kind(node.term) != "folder":
                    return False
                _, owner, names, _, *rest = self.terms.thing(node.term)
                self.store.swap(node, replace(node, term=self.terms.make("folder", owner, names, "755", *rest)))
                return True
            case ("cp", "-a", source, destination):
                return self._copied_from_mount(source, destination, directory, views)
            case _:
                return False

    def _copied_from_mount(self, source: str, destination: str, directory: str, views: list[_View]) -> bool:
        for view in views:
            if view.context is None:
                continue
            target = posixpath.normpath(posixpath.join(directory, destination))
            if view.folder and source == view.target + "/." and destination.endswith("/"):
                made = self.store.node(target)
                if made is None or self.terms.kind(made.term) != "folder":
                    return False
                for entry in self.context_entries([view.context or "."], target + "/", "/", (), False, ROOT, None, ()):
                    self.store.put(entry)
                node = self.store.node(target)
                if node is not None:
                    self.store.swap(node, replace(node, term=self.terms.make("folder", ROOT, None, view.context)))
                return True
            if not view.folder and source == view.target and not destination.endswith("/"):
                if (
                    self.store.may_exist(target)
                    or target in self.store.folders
                    or posixpath.dirname(target) not in self.store.folders | FOLDERS
                ):
                    return False
                term = self.terms.make("context", view.context, "", "", False)
                self.store.put(Entry(target, self.owned(term, ROOT), paths=(target,)))
                return True
        return False

    def _chown(self, rest: Sequence[str], directory: str) -> bool:
        recursive = bool(rest) and rest[0] == "-R"
        words = rest[1:] if recursive else rest
        if len(words) != 2 or words[0].startswith("-") or _special_text(words[1]) or "$" in words[0]:
            return False
        user, colon, group = words[0].partition(":")
        if colon and not group:
            return False
        path = posixpath.normpath(posixpath.join(directory, words[1]))
        node = self.store.node(path)
        if node is None:
            return False
        touched = [node]
        if recursive:
            touched = [entry for entry in self.store.touching(path) if entry.term != self.store.absent]
            if not all(entry == node or covers(path + "/", entry.region) for entry in touched):
                return False
        renamed: list[tuple[Entry, Entry]] = []
        for entry in touched:
            thing = self.terms.thing(entry.term)
            if thing[0] not in ("owned", "folder"):
                return False
            owner = thing[1]
            new = (user or owner[0], group if colon else owner[1])
            new = (number_of(new[0]), number_of(new[1]))
            known = self.names(new) if self.names(new) is not None else None
            if thing[0] == "folder":
                term = self.terms.make("folder", new, known, *thing[3:])
            else:
                if self._has_special_bits(thing[3]):
                    return False
                term = self.terms.make("owned", new, known, thing[3])
            renamed.append((entry, replace(entry, term=term)))
        for old, fresh in renamed:
            self.store.swap(old, fresh)
        return True

    def _has_special_bits(self, inner: Term) -> bool:
        thing = self.terms.thing(inner)
        if self.context is None or thing[0] not in ("context", "tree"):
            return False
        names: Iterable[str] = (thing[1],) if thing[0] == "context" else (source for source, _ in thing[1])
        return any(name in self.context.files and self.context.files[name].mode & 0o7000 for name in names)

    # mounts

    def _views(self, step: Step) -> list[_View]:
        return [
            self._view(mount, mount.target) for mount in step.run_mounts
            if mount.target and mount.type not in ("secret", "ssh")
        ]  # fmt: skip

    def _view(self, mount: RunMount, target: str) -> _View:
        if mount.type in ("cache", "tmpfs"):
            name = (mount.type, mount.id, mount.from_, mount.source)
            return _View(target, (Entry(target, self.terms.make("scratchpad", *name)),), None, True)
        if mount.from_:
            path = "/" + clean(mount.source)
            if mount.stage is None:
                term = self.terms.make("image-path", mount.from_, path, mount.read_only)
                return _View(target, (Entry(target, term),), None, True)
            store = self.stores[mount.stage]
            only = store.only(path)
            if only is not None:
                return _View(target, (Entry(target, only, paths=(target,)),), None, False)
            folder = self.terms.make("folder", ROOT, None, "755")
            tree = self.stage_tree(store, path)
            return _View(target, (Entry(target, folder, node=True), Entry(target + "/", tree)), None, True)
        cleaned = clean(mount.source)
        if self.is_folder(cleaned):
            entries = self.context_entries([cleaned or "."], target + "/", "/", (), False, ROOT, None, ())
            node = Entry(target, self.terms.make("folder", ROOT, None, "755"), node=True)
            return _View(target, (node, *entries), cleaned, True)
        term = self.owned(self.terms.make("context", cleaned, "", "", False), ROOT)
        return _View(target, (Entry(target, term, paths=(target,)),), cleaned, False)

    def _mount(self, views: list[_View]) -> list[tuple[list[Entry], list[str]]]:
        saved = []
        for view in views:
            below = [entry for entry in self.store.entries if covers(view.target, entry.region)]
            parents = [
                folder for folder in _parents(view.target)
                if folder not in self.store.folders and folder not in self.known()
            ]  # fmt: skip
            self.store.entries = [entry for entry in self.store.entries if entry not in below]
            self.store.ensure(
                posixpath.dirname(view.target), self.terms.make("folder", ROOT, None, "755"), self.known()
            )
            self.store.entries += view.entries
            saved.append((below, parents))
        return saved

    def _unmount(self, views: list[_View], saved: list[tuple[list[Entry], list[str]]], written: set[str]) -> None:
        for view, (below, parents) in zip(reversed(views), reversed(saved), strict=True):
            store = self.store
            store.entries = [entry for entry in store.entries if not covers(view.target, entry.region)]
            if below:
                store.entries += below
            elif any(True for _ in store.touching(view.target)):
                store.entries.append(Entry(view.target, store.absent))
                if is_absent_in_base(view.target, self.stage, self.graph):
                    store.vanished.add(view.target)
                else:
                    store.entries[-1] = Entry(view.target, self.terms.make("base", view.target))
            for folder in reversed(parents):
                used = any(covers(folder, path) and path.rstrip("/") != view.target for path in written)
                if not used:
                    store.entries = [entry for entry in store.entries if not (entry.node and entry.region == folder)]
                    store.folders.discard(folder)


class _View(Struct, frozen=True):
    """What a mount shows at its target while a RUN lasts."""

    target: str
    entries: tuple[Entry, ...]
    context: str | None
    folder: bool


def _special_text(text: str) -> bool:
    return any(mark in text for mark in "*?[$`~{")


def _parents(path: str) -> list[str]:
    parts = path.strip("/").split("/")
    return ["/" + "/".join(parts[:i]) for i in range(1, len(parts))]


def _environment(state: State) -> tuple[tuple[str, str | None, bool], ...]:
    return tuple(sorted(
        (name, variable.value, variable.known)
        for name, variable in state.variables.items()
        if variable.kind in ("env", "arg")
    ))  # fmt: skip


def _command(instruction: Cmd | Entrypoint | Healthcheck, state: State) -> Any:
    if isinstance(instruction, Healthcheck):
        if instruction.is_exec:
            return ("exec", *(word.text for word in instruction.exec_form or ()))
        return ("shell", instruction.command.text if instruction.command else "")
    if instruction.exec_form is not None:
        return ("exec", *(word.text for word in instruction.exec_form))
    return ("shell", state.shell, instruction.body.text)


def _empty(base: tuple[str, ...]) -> dict[str, Any]:
    return {
        "base": base, "cmd": None, "cmd_set": False, "entrypoint": None, "healthcheck": None, "ports": set(),
        "volumes": set(), "labels": {}, "user": None, "stop_signal": None, "shell": None, "maintainer": None,
        "onbuild": [], "environment": {}, "workdir": "/",
    }  # fmt: skip


def _copied(config: Mapping[str, Any]) -> dict[str, Any]:
    copied: dict[str, Any] = {
        key: value.copy() if isinstance(value, (set, dict, list)) else value for key, value in config.items()
    }
    copied["cmd_set"] = False
    return copied
