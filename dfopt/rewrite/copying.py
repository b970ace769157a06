"""COPY and ADD in the abstract build: which files they bring, from where, and whose they are."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Sequence
from typing import Any

from dfopt.context.model import BuildContext
from dfopt.context.selection import select
from dfopt.graph.model import InstructionGraph, Stage, Step
from dfopt.rewrite.archives import may_be_archive
from dfopt.rewrite.places import FOLDERS, Sources, clean, file_name, is_git, is_remote
from dfopt.rewrite.store import Entry, Store, Term, Terms
from dfopt.syntax.tree import Add, Copy, FileInstruction
from dfopt.tools.paths import as_tree

ROOT = ("0", "0")
SMALL = 64
"""Selections of up to so many files are kept file by file."""


class Copying:
    """The files of one stage while it is built; ``stores`` are those of the stages before it."""

    def __init__(
        self, graph: InstructionGraph, stage: Stage, context: BuildContext | None, terms: Terms, sources: Sources,
        store: Store, stores: Sequence[Store],
    ) -> None:  # fmt: skip
        self.graph, self.stage, self.context, self.terms = graph, stage, context, terms
        self.sources, self.store, self.stores = sources, store, stores

    def files(self, step: Step, instruction: FileInstruction) -> None:
        """Do what a COPY or ADD does."""
        owner = self.owner(step, step.chown, files=True) if step.chown else ROOT
        destination = step.destination
        full = posixpath.normpath(destination)
        into = destination.endswith(("/", "/.")) or step.arguments[-1] in ("", ".")
        chmod = step.chmod
        link = instruction.link
        folder = self.terms.make("folder", owner, self.names(owner), chmod or "755", *(("link",) if link else ()))
        flags = tuple(
            (flag.name, flag.value) for flag in instruction.flags
            if flag.name not in ("from", "chown", "chmod", "link", "exclude")
        )  # fmt: skip
        from_ = instruction.from_ if isinstance(instruction, Copy) else None
        for name, content in step.documents:
            term = self.terms.make("text", content, chmod, link)
            path = posixpath.join(full, name) if into else full
            self.store.ensure(full if into else posixpath.dirname(full), folder, self.known())
            self.store.put(Entry(path, self.owned(term, owner), paths=(path,)))
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
                entries = [Entry(as_tree(full), self.owned(term, owner))]
                into = True
            else:
                entries = self.context_entries(
                    [source], as_tree(full) if into else full, "/", tuple(instruction.excludes),
                    instruction.has_flag("parents"), owner, chmod or None, (*flags, ("link", str(link))),
                )  # fmt: skip
            entries = list(entries)
            plain = not into and any(entry.paths == (full,) for entry in entries)
            self.store.ensure(posixpath.dirname(full) if plain else full, folder, self.known())
            for entry in entries:
                if entry.node:
                    self.store.ensure(entry.region, entry.term, self.known())
                else:
                    self.store.put(entry)

    def _remote(
        self, url: str, full: str, into: bool, owner: tuple[str, str], chmod: str, flags: tuple[Any, ...], link: bool
    ) -> list[Entry]:
        term = self.owned(self.terms.make("url", url, chmod, flags, link), owner)
        if is_git(url) or any(name == "unpack" for name, _ in flags):
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
        store = self.stores[step.source_stage]
        only = store.only(path)
        if only is not None and not chmod and not link and not flags and not excludes:
            target = posixpath.join(full, posixpath.basename(path)) if into else full
            if owner is not None:
                thing = self.terms.thing(only)
                inner = thing[3] if thing[0] == "owned" else only
                only = self.owned(inner, owner)
            return [Entry(target, only, paths=(target,))]
        term = self.stage_tree(store, path)
        if owner is not None or chmod or link or flags or excludes:
            term = self.terms.make("changed", owner, self.names(owner or ROOT), chmod, flags, link, excludes, term)
        return [Entry(as_tree(full), term)]

    def stage_tree(self, store: Store, path: str) -> Term:
        """Give the term of all that another stage has at a path."""
        return self.terms.make("subtree", path, store.value(path))

    def is_folder(self, path: str) -> bool:
        """Tell whether a path of the context is a folder; without the context, one without a suffix is."""
        if not path or path == ".":
            return True
        if self.context is not None and path in self.context.files:
            return self.context.files[path].type == "directory"
        if self.context is not None and any(name.startswith(path + "/") for name in self.context.files):
            return True
        return "." not in posixpath.basename(path)

    def context_entries(
        self, sources: Sequence[str], target: str, workdir: str, excludes: tuple[str, ...], parents: bool,
        owner: tuple[str, str], chmod: str | None, flags: tuple[Any, ...],
    ) -> list[Entry]:  # fmt: skip
        """Give what sources of the context bring to a path of the image."""
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
                    term = self.terms.make("folder", owner, self.names(owner), ("context", file.path, *marks))
                    entries.append(Entry(path.rstrip("/"), term, node=True))
            elif large and file.path not in self.sources.single:
                rest.append((file.path, path))
            else:
                term = self.terms.make("context", file.path, *marks)
                entries.append(Entry(path, self.owned(term, owner), paths=(path,)))
        if rest:
            term = self.terms.make("tree", tuple(rest), *marks)
            entries.append(Entry(top + "/", self.owned(term, owner), paths=tuple(sorted(path for _, path in rest))))
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
            is_file = bool(name) and not pattern and not self.is_folder(name) and not parents and not excludes
            if is_file:
                path = f"{target}{posixpath.basename(name)}" if into else target
                term = self.owned(self.terms.make("context", name, *marks), owner)
                entries.append(Entry(path, term, paths=(path,)))
                continue
            top = target.rstrip("/")
            apart: list[str] = []
            if not pattern and not parents and not excludes:
                for single in sorted(self.sources.single):
                    inside = single.startswith(name + "/") if name else True
                    if inside and not self.is_folder(single) and not any(mark in single for mark in "*?["):
                        apart.append(single)
                        path = f"{top}/{single[len(name) :].lstrip('/')}"
                        term = self.owned(self.terms.make("context", single, *marks), owner)
                        entries.append(Entry(path, term, paths=(path,)))
            term = self.terms.make("guessed", name, tuple(apart), excludes, parents, *marks)
            entries.append(Entry(top + "/", self.owned(term, owner)))
        return entries

    # owners

    def owner(self, step: Step, spec: str, *, files: bool) -> tuple[str, str]:
        """Give user and group as ``--chown`` and USER name them."""
        user, colon, group = spec.partition(":")
        if not colon or not group:
            group = "0" if number_of(user) == "0" else f"={user}"
        return (number_of(user), number_of(group))

    def owned(self, inner: Term, owner: tuple[str, str]) -> Term:
        """Give the term of a file with its owner."""
        return self.terms.make("owned", owner, self.names(owner), inner)

    def names(self, owner: tuple[str, str]) -> Term | None:
        """Give the accounts that an owner by name depends on; None for numbers."""
        if all(part.lstrip("=").isdigit() for part in owner):
            return None
        return self.terms.make("accounts", self.store.value("/etc/passwd"), self.store.value("/etc/group"))

    def known(self) -> frozenset[str]:
        """Give the folders that are there before the stage does anything."""
        first = self.graph.chain(self.stage.index)[0]
        return frozenset() if first.image == "scratch" else FOLDERS


def number_of(name: str) -> str:
    """Give an account's number where its name tells it: root is 0."""
    return "0" if name == "root" else name
