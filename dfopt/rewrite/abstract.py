"""An abstract build: every stage of a graph as a term of its files, and the configuration of its image.

The build runs nothing. Each command becomes an operation with what it can see (the terms of what it reads, the
environment, directory, user and shell); each COPY becomes the files it brings. See ``store`` for what a term means.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from msgspec import Struct, field
from msgspec.structs import replace

from dfopt.context.model import BuildContext
from dfopt.context.selection import select
from dfopt.graph.model import InstructionGraph, RunMount, Stage, State, Step
from dfopt.rewrite.archives import may_be_archive
from dfopt.rewrite.script import Operation, operations
from dfopt.rewrite.store import EVERYTHING, Entry, Store, Term, Terms, covers
from dfopt.syntax.tree import (
    Add,
    Cmd,
    Copy,
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
    Unknown,
    User,
    Volume,
    Workdir,
)
from dfopt.tools.paths import as_tree

ROOT = ("0", "0")
SMALL = 64
"""Selections of up to so many files are kept file by file."""
FOLDERS = frozenset(
    [
        "/bin",
        "/boot",
        "/dev",
        "/etc",
        "/home",
        "/lib",
        "/media",
        "/mnt",
        "/opt",
        "/proc",
        "/root",
        "/run",
        "/sbin",
        "/srv",
        "/sys",
        "/tmp",
        "/usr",
        "/usr/bin",
        "/usr/include",
        "/usr/lib",
        "/usr/local",
        "/usr/local/bin",
        "/usr/local/lib",
        "/usr/local/share",
        "/usr/sbin",
        "/usr/share",
        "/usr/src",
        "/var",
        "/var/cache",
        "/var/lib",
        "/var/log",
        "/var/tmp",
    ]
)
"""Folders that every base image of a distribution has."""
_OWN = (
    "/opt",
    "/srv",
    "/home",
    "/root",
    "/tmp",
    "/mnt",
    "/media",
    "/var/tmp",
    "/usr/src",
    "/usr/local/src",
    "/var/www",
)
_SYSTEM = ("/bin", "/boot", "/dev", "/etc", "/lib", "/proc", "/run", "/sbin", "/sys", "/usr", "/var")


class Built(Struct):
    """The outcome of one stage."""

    store: Store
    config: dict[str, Any]
    doubts: list[str] = field(default_factory=list)


class Sources(Struct, frozen=True):
    """The context's pieces: names that some instruction of either build takes on their own."""

    single: frozenset[str]


def single_sources(graphs: Iterable[InstructionGraph]) -> Sources:
    """Collect the context paths that COPY, ADD and mounts of the graphs name, so that both builds cut the context alike."""
    names: set[str] = set()
    for graph in graphs:
        for step in graph.steps:
            instruction = step.instruction
            if isinstance(instruction, FileInstruction) and not (isinstance(instruction, Copy) and instruction.from_):
                names.update(clean(source) for source in step.sources)
            for mount in step.run_mounts:
                if mount.type == "bind" and not mount.from_:
                    names.add(clean(mount.source))
    names.discard("")
    return Sources(frozenset(names))


def clean(path: str) -> str:
    """Give a context path without leading slash and dots; the root is empty."""
    return posixpath.normpath("/" + path).strip("/")


def is_absent_in_base(path: str, stage: Stage, graph: InstructionGraph) -> bool:
    """Tell whether a path may be taken to be missing in the image a stage starts from.

    System folders may hold anything; folders left to the administrator are empty in known base images.
    """
    first = graph.chain(stage.index)[0]
    plain = path.rstrip("/")
    if first.image == "scratch":
        return True
    if plain in FOLDERS or plain in ("", "/"):
        return False
    if first.facts is None:
        return plain.startswith(("/tmp/", "/mnt/"))
    if any(plain.startswith(folder + "/") for folder in _OWN):
        return True
    return not any(plain == folder or plain.startswith(folder + "/") for folder in _SYSTEM)


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


class _StageBuild:
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
        self.graph, self.stage, self.context, self.terms = graph, stage, context, terms
        self.sources, self.removed, self.done = sources, removed, done
        self.doubts: list[str] = []
        if stage.base is not None:
            below = done[stage.base]
            self.store = below.store.copy()
            self.config = _copied(below.config)
            self.doubts += below.doubts
            self.config["onbuild"] = []
        else:
            base = ("image", stage.image or stage.from_.image.text, stage.platform or graph.options.platform)
            self.store = Store(terms, terms.make(*base))
            self.config = _empty(base)

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
                self._files(step, instruction)
            case Workdir():
                owner = self._owner(step, step.before.user or "0", files=True)
                folder = self.terms.make("folder", owner, self._names(owner), "755")
                self.store.ensure(step.after.workdir, folder, self._known())
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
                config["ports"] |= set(step.arguments)
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
        around = (
            _environment(step.before),
            step.before.user or "root",
            tuple(
                (flag.name, flag.value)
                for flag in instruction.flags
                if flag.name in ("network", "security", "device") and flag.value != "default"
            ),
            label_mounts,
        )
        saved = self._mount(views)
        written: set[str] = set()
        for operation in operations(step, self.graph.tree.source.text, self.removed):
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
                    self.store.ensure(path, term, self._known())
                return True
            case ("chmod", "755", path):
                full_path = posixpath.normpath(posixpath.join(directory, path))
                node = self.store.node(full_path)
                thing = self.terms._things[node.term] if node else None
                if node is None or not isinstance(thing, tuple) or thing[0] != "folder":
                    return False
                self.store.swap(node, replace(node, term=self.terms.make("folder", thing[1], thing[2], "755")))
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
                if self.store.node(target) is None:
                    return False
                for entry in self._context_entries([view.context or "."], target + "/", "/", (), False, ROOT, None, ()):
                    self.store.put(entry)
                node = self.store.node(target)
                if node is not None:
                    self.store.swap(node, replace(node, term=self.terms.make("folder", ROOT, None, view.context)))
                return True
            if not view.folder and source == view.target and not destination.endswith("/"):
                if target in self.store.folders or posixpath.dirname(target) not in self.store.folders | FOLDERS:
                    return False
                term = self.terms.make("context", view.context, "", "", False)
                self.store.put(Entry(target, self._owned(term, ROOT), paths=(target,)))
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
            thing = self.terms._things[entry.term]
            if not isinstance(thing, tuple) or thing[0] not in ("owned", "folder"):
                return False
            owner = thing[1]
            new = (user or owner[0], group if colon else owner[1])
            new = (_number(new[0]), _number(new[1]))
            known = self._names(new) if self._names(new) is not None else None
            if thing[0] == "folder":
                term = self.terms.make("folder", new, known, thing[3])
            else:
                if self._has_special_bits(thing[3]):
                    return False
                term = self.terms.make("owned", new, known, thing[3])
            renamed.append((entry, replace(entry, term=term)))
        for old, fresh in renamed:
            self.store.swap(old, fresh)
        return True

    def _has_special_bits(self, inner: Term) -> bool:
        thing = self.terms._things[inner]
        if self.context is None or not isinstance(thing, tuple) or thing[0] not in ("context", "tree"):
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
            store = self.done[mount.stage].store
            only = store.only(path)
            if only is not None:
                return _View(target, (Entry(target, only, paths=(target,)),), None, False)
            folder = self.terms.make("folder", ROOT, None, "755")
            tree = self._stage_tree(store, path)
            return _View(target, (Entry(target, folder, node=True), Entry(target + "/", tree)), None, True)
        cleaned = clean(mount.source)
        if self._is_folder(cleaned):
            entries = self._context_entries([cleaned or "."], target + "/", "/", (), False, ROOT, None, ())
            node = Entry(target, self.terms.make("folder", ROOT, None, "755"), node=True)
            return _View(target, (node, *entries), cleaned, True)
        term = self._owned(self.terms.make("context", cleaned, "", "", False), ROOT)
        return _View(target, (Entry(target, term, paths=(target,)),), cleaned, False)

    def _mount(self, views: list[_View]) -> list[tuple[list[Entry], list[str]]]:
        saved = []
        for view in views:
            below = [entry for entry in self.store.entries if covers(view.target, entry.region)]
            parents = [
                folder for folder in _parents(view.target)
                if folder not in self.store.folders and folder not in self._known()
            ]  # fmt: skip
            self.store.entries = [entry for entry in self.store.entries if entry not in below]
            self.store.ensure(
                posixpath.dirname(view.target), self.terms.make("folder", ROOT, None, "755"), self._known()
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

    # COPY and ADD

    def _files(self, step: Step, instruction: FileInstruction) -> None:
        owner = self._owner(step, step.chown, files=True) if step.chown else ROOT
        destination = step.destination
        full = posixpath.normpath(destination)
        into = destination.endswith(("/", "/.")) or step.arguments[-1] in ("", ".")
        chmod = step.chmod
        link = instruction.link
        folder = self.terms.make("folder", owner, self._names(owner), chmod or "755", *(("link",) if link else ()))
        flags = tuple(
            (flag.name, flag.value) for flag in instruction.flags
            if flag.name not in ("from", "chown", "chmod", "link", "exclude")
        )  # fmt: skip
        from_ = instruction.from_ if isinstance(instruction, Copy) else None
        for name, content in step.documents:
            term = self.terms.make("text", content, chmod, link)
            path = posixpath.join(full, name) if into else full
            self.store.ensure(full if into else posixpath.dirname(full), folder, self._known())
            self.store.put(Entry(path, self._owned(term, owner), paths=(path,)))
        for source in step.sources:
            entries: Iterable[Entry]
            if from_ is not None:
                entries = self._from_stage(
                    step,
                    source,
                    full,
                    into,
                    owner if step.chown else None,
                    chmod,
                    flags,
                    link,
                    tuple(instruction.excludes),
                )
            elif isinstance(instruction, Add) and is_remote(source):
                entries = self._remote(source, full, into, owner, chmod, flags, link)
            elif isinstance(instruction, Add) and may_be_archive(source, self.context):
                term = self.terms.make("archive", clean(source), chmod, flags, link)
                entries = [Entry(as_tree(full), self._owned(term, owner))]
                into = True
            else:
                entries = self._context_entries(
                    [source], as_tree(full) if into else full, "/", tuple(instruction.excludes),
                    instruction.has_flag("parents"), owner, chmod or None, (*flags, ("link", str(link))),
                )  # fmt: skip
            entries = list(entries)
            plain = not into and any(entry.paths == (full,) for entry in entries)
            self.store.ensure(posixpath.dirname(full) if plain else full, folder, self._known())
            for entry in entries:
                if entry.node:
                    self.store.ensure(entry.region, entry.term, self._known())
                else:
                    self.store.put(entry)

    def _remote(
        self, url: str, full: str, into: bool, owner: tuple[str, str], chmod: str, flags: tuple[Any, ...], link: bool
    ) -> list[Entry]:
        term = self._owned(self.terms.make("url", url, chmod, flags, link), owner)
        if _is_git(url) or any(name == "unpack" for name, _ in flags):
            return [Entry(as_tree(full), term)]
        path = posixpath.join(full, file_name(url)) if into else full
        return [Entry(path, term, paths=(path,))]

    def _from_stage(
        self, step: Step, source: str, full: str, into: bool, owner: tuple[str, str] | None, chmod: str,
        flags: tuple[Any, ...], link: bool, excludes: tuple[str, ...],
    ) -> list[Entry]:  # fmt: skip
        path = "/" + clean(source)
        if step.source_stage is None:
            term = self.terms.make("image-path", step.source_image, path, owner, chmod, flags, link, excludes)
            return [Entry(as_tree(full) if into else full, term)]
        store = self.done[step.source_stage].store
        only = store.only(path)
        if only is not None and not chmod and not link and not flags and not excludes:
            target = posixpath.join(full, posixpath.basename(path)) if into else full
            if owner is not None:
                thing = self.terms._things[only]
                inner = thing[3] if isinstance(thing, tuple) and thing[0] == "owned" else only
                only = self._owned(inner, owner)
            return [Entry(target, only, paths=(target,))]
        term = self._stage_tree(store, path)
        if owner is not None or chmod or link or flags or excludes:
            term = self.terms.make("changed", owner, self._names(owner or ROOT), chmod, flags, link, excludes, term)
        return [Entry(as_tree(full), term)]

    def _stage_tree(self, store: Store, path: str) -> Term:
        return self.terms.make("subtree", path, store.value(path))

    def _is_folder(self, path: str) -> bool:
        if not path or path == ".":
            return True
        if self.context is not None and path in self.context.files:
            return self.context.files[path].type == "directory"
        if self.context is not None and any(name.startswith(path + "/") for name in self.context.files):
            return True
        return "." not in posixpath.basename(path)

    def _context_entries(
        self, sources: Sequence[str], target: str, workdir: str, excludes: tuple[str, ...], parents: bool,
        owner: tuple[str, str], chmod: str | None, flags: tuple[Any, ...],
    ) -> list[Entry]:  # fmt: skip
        flags = tuple(flag for flag in flags if flag not in (("link", "False"), ("parents", None)))
        link = any(name == "link" for name, _ in flags)
        marks = (chmod or "", tuple(flag for flag in flags if flag[0] != "link") or "", link)
        if self.context is None:
            return self._guessed_entries(sources, target, excludes, parents, owner, marks)
        selection = select(
            self.context, sources, target, workdir=workdir, excludes=excludes, parents=parents,
            is_directory=lambda path: path.rstrip("/") in self.store.folders or path.rstrip("/") in FOLDERS,
        )  # fmt: skip
        entries: list[Entry] = []
        rest: list[tuple[str, str]] = []
        top = target.rstrip("/")
        large = len(selection.entries) > SMALL
        for chosen in selection.entries:
            path, file = chosen.destination, chosen.file
            if file.type == "directory":
                if path.rstrip("/") != top:
                    term = self.terms.make("folder", owner, self._names(owner), ("context", file.path, *marks))
                    entries.append(Entry(path.rstrip("/"), term, node=True))
            elif large and file.path not in self.sources.single:
                rest.append((file.path, path))
            else:
                term = self.terms.make("context", file.path, *marks)
                entries.append(Entry(path, self._owned(term, owner), paths=(path,)))
        if rest:
            term = self.terms.make("tree", tuple(rest), *marks)
            entries.append(Entry(top + "/", self._owned(term, owner), paths=tuple(sorted(path for _, path in rest))))
        return entries

    def _guessed_entries(
        self, sources: Sequence[str], target: str, excludes: tuple[str, ...], parents: bool,
        owner: tuple[str, str], marks: tuple[Any, ...],
    ) -> list[Entry]:  # fmt: skip
        entries: list[Entry] = []
        into = target.endswith("/")
        for source in sources:
            name = clean(source)
            pattern = any(mark in name for mark in "*?[")
            is_file = bool(name) and not pattern and not self._is_folder(name) and not parents and not excludes
            if is_file:
                path = f"{target}{posixpath.basename(name)}" if into else target
                term = self._owned(self.terms.make("context", name, *marks), owner)
                entries.append(Entry(path, term, paths=(path,)))
                continue
            top = target.rstrip("/")
            apart: list[str] = []
            if not pattern and not parents and not excludes:
                for single in sorted(self.sources.single):
                    inside = single.startswith(name + "/") if name else True
                    if inside and not self._is_folder(single) and not any(mark in single for mark in "*?["):
                        apart.append(single)
                        path = f"{top}/{single[len(name) :].lstrip('/')}"
                        term = self._owned(self.terms.make("context", single, *marks), owner)
                        entries.append(Entry(path, term, paths=(path,)))
            term = self.terms.make("guessed", name, tuple(apart), excludes, parents, *marks)
            entries.append(Entry(top + "/", self._owned(term, owner)))
        return entries

    # owners

    def _owner(self, step: Step, spec: str, *, files: bool) -> tuple[str, str]:
        user, colon, group = spec.partition(":")
        if not colon or not group:
            group = "0" if _number(user) == "0" else f"={user}"
        return (_number(user), _number(group))

    def _owned(self, inner: Term, owner: tuple[str, str]) -> Term:
        return self.terms.make("owned", owner, self._names(owner), inner)

    def _names(self, owner: tuple[str, str]) -> Term | None:
        if all(part.lstrip("=").isdigit() for part in owner):
            return None
        return self.terms.make("accounts", self.store.value("/etc/passwd"), self.store.value("/etc/group"))

    def _known(self) -> frozenset[str]:
        first = self.graph.chain(self.stage.index)[0]
        return frozenset() if first.image == "scratch" else FOLDERS


class _View(Struct, frozen=True):
    """What a mount shows at its target while a RUN lasts."""

    target: str
    entries: tuple[Entry, ...]
    context: str | None
    folder: bool


def file_name(url: str) -> str:
    """Give the file name that ADD gives a download."""
    path = re.sub(r"[?#].*", "", url.split("://", 1)[-1])
    name = path.rsplit("/", 1)[-1] if "/" in path else ""
    return name or "__unnamed__"


def is_remote(source: str) -> bool:
    """Tell whether ADD fetches a source: a URL or a git repository."""
    return source.startswith(("http://", "https://", "git://", "ssh://")) or _is_git(source)


def _is_git(source: str) -> bool:
    plain = re.sub(r"[?#].*", "", source)
    return source.startswith(("git://", "ssh://")) or (
        (plain.startswith(("http://", "https://")) and plain.endswith(".git"))
        or re.match(r"[\w.-]+@[\w.-]+:", source) is not None
    )


def _number(name: str) -> str:
    return "0" if name == "root" else name


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
