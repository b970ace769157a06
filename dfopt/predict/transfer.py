"""COPY and ADD: which bytes they bring into a stage."""

from __future__ import annotations

import posixpath
import re

from msgspec.structs import replace

from dfopt.context.matching import is_pattern, translate
from dfopt.context.model import ContextFile
from dfopt.context.selection import Selected, destination_of, select
from dfopt.graph.model import Step
from dfopt.images import facts as image_facts
from dfopt.predict.archive import (
    archive_of,
    gzip_ratio,
    is_archive_name,
    measured_ratio,
    read_archive,
    size_by_name,
    stem,
)
from dfopt.predict.filesystem import Archive, Claim, Entry, FileSystem, Origin, normal
from dfopt.predict.known import known_path
from dfopt.predict.model import ZERO, Estimate, RemoteSize
from dfopt.predict.stage import StageBuild
from dfopt.syntax.ignorefile import IgnoreFile
from dfopt.syntax.tree import Add, Copy, FileInstruction

_GIT = re.compile(r"^(?:[\w.-]+@[\w.-]+:|ssh://|git://|https?://[^?#]*\.git(?:[?#]|$))")
_WEB = re.compile(r"^https?://")
_REPOSITORY = Estimate(15_000_000, 50_000, 1_000_000_000)


def transfer(build: StageBuild, step: Step) -> str:
    """Carry out a COPY or ADD in the stage's file system; give a note about what is not known."""
    instruction = step.instruction
    if not isinstance(instruction, FileInstruction):
        raise TypeError(f"{instruction.keyword} copies no files")
    target, into = destination_of(step.arguments[-1] if step.arguments else "", step.before.workdir)
    for name, text in step.documents:
        path = posixpath.join(target, name) if into or build.fs.is_directory(target) else target
        size = len(text.encode("utf-8", "surrogateescape"))
        build.fs.put(path, Entry(Estimate.exact(size), 0, Origin("here-document", "copy", "its text"), text=text))
    sources = list(step.sources)
    notes: list[str] = []
    if isinstance(instruction, Copy) and instruction.from_ is not None:
        notes += _copy_from(build, step, instruction, sources, target, into)
        return "; ".join(dict.fromkeys(notes))
    local: list[str] = []
    for source in sources:
        if isinstance(instruction, Add) and _GIT.search(source):
            notes.append(_add_git(build, source, target, into))
        elif isinstance(instruction, Add) and _WEB.match(source):
            notes.append(_add_url(build, instruction, source, target, into))
        else:
            local.append(source)
    if local:
        notes.append(_copy_context(build, step, instruction, local))
    return "; ".join(note for note in dict.fromkeys(notes) if note)


# ---------------------------------------------------------------------- the build context


def _copy_context(build: StageBuild, step: Step, instruction: FileInstruction, sources: list[str]) -> str:
    context = build.context
    destination = step.arguments[-1]
    target, into = destination_of(destination, step.before.workdir)
    if context is None:
        return _copy_unseen(build, instruction, sources, target, into)
    selection = select(
        context, sources, destination, workdir=step.before.workdir, excludes=instruction.excludes,
        parents=instruction.has_flag("parents"), is_directory=build.fs.is_directory,
    )  # fmt: skip
    origin = Origin("files of the build context", "copy", "sizes on disk" if context.root else "sizes given")
    unpacks = isinstance(instruction, Add) and (instruction.flag_value("unpack") or "true").lower() != "false"
    named = {source.strip("/").removeprefix("./") for source in sources}
    links: dict[str, str] = {}
    worth_a_sample = selection.size_bytes / 100  # Smaller files hardly move the sum, and reading them all takes time.
    for selected in selection.entries:
        if unpacks and selected.file.type == "file" and _is_source(selected.file, named):
            archive = _local_archive(build, selected.file)
            if archive is not None:
                unpacked = Origin(f"unpacked {posixpath.basename(selected.file.path)}", "archive", "its headers")
                build.fs.extract(target, archive, unpacked, top=stem(selected.file.path))
                continue
        _put_selected(build, selected, origin, links, selected.file.size_bytes >= worth_a_sample)
    if selection.missing:
        return f"{', '.join(selection.missing)} is not in the build context"
    return ""


def _is_source(file: ContextFile, named: set[str]) -> bool:
    """Tell whether an entry is named by a source itself: archives inside a copied folder are not unpacked."""
    if file.path in named:
        return True
    return any(
        is_pattern(name) and (expression := translate(name)) is not None and expression.match(file.path)
        for name in named
    )


def _local_archive(build: StageBuild, file: ContextFile) -> Archive | None:
    context = build.context
    if context is None:
        return None
    if context.root is not None:
        return read_archive(posixpath.join(context.root, file.path), only_tar=True)
    if is_archive_name(file.path) and file.path not in context.texts:
        return archive_of(file.path, RemoteSize(file.size_bytes))
    return None


def _put_selected(build: StageBuild, selected: Selected, origin: Origin, links: dict[str, str], sampled: bool) -> None:
    fs, file, path = build.fs, selected.file, selected.destination
    if file.type == "directory":
        fs.put(path, Entry(ZERO, 0, origin, "directory"))
    elif file.type == "symlink":
        fs.put(path, Entry(ZERO, 0, origin, "symlink", target=file.target))
    elif file.type == "file":
        name = file.link or file.path
        if file.link and name in links:
            fs.link(path, links[name], origin)
            return
        links[name] = path
        ratio: float | None = gzip_ratio(file.path)
        root = build.context.root if build.context is not None else None
        if root is not None and sampled:
            ratio = measured_ratio(posixpath.join(root, file.path), file.size_bytes) or ratio
        fs.put(path, Entry(Estimate.exact(file.size_bytes), 0, origin, context_path=file.path, ratio=ratio))


_UNSEEN_TREE = Estimate(2_000_000, 200, 200_000_000)
_UNSEEN_FILE = Estimate(2_000, 20, 20_000_000)
_MANIFEST = re.compile(
    r"(?:package|composer|tsconfig)\.json$|requirements.*\.txt$|\.(?:toml|ya?ml|cfg|conf|ini|sh|mod|env)$"
)


def _copy_unseen(build: StageBuild, instruction: FileInstruction, sources: list[str], target: str, into: bool) -> str:
    """Write what a copy brings when no context is at hand: intervals by the kind of name."""
    origin = Origin("files of the build context", "copy", "no context given", unknown=True)
    for source in sources:
        name = posixpath.basename(source.rstrip("/"))
        if is_pattern(name) or name in ("", ".", "..") or "." not in name[1:]:
            folder = target
            build.fs.add_sum(folder, Entry(_UNSEEN_TREE, 0, origin, "sum", 0))
            build.fs.put(folder, Entry(ZERO, 0, origin, "directory"))
            continue
        path = posixpath.join(target, name) if into or len(sources) > 1 or build.fs.is_directory(target) else target
        if isinstance(instruction, Add) and is_archive_name(name):
            unpacked = replace(origin, label=f"unpacked {name}", kind="archive")
            build.fs.extract(target, archive_of(name, None), unpacked, top=stem(name))
        elif is_archive_name(name):
            size = Estimate(15_000_000, 10_000, 500_000_000)
            build.fs.put(path, Entry(size, 0, replace(origin, ratio=1.0), archive=archive_of(name, None)))
        else:
            size = Estimate(1_500, 20, 200_000) if _MANIFEST.search(name) else _UNSEEN_FILE
            build.fs.put(path, Entry(size, 0, origin))
    return "no build context given: sizes of its files are intervals"


# ---------------------------------------------------------------------- the network


def _add_url(build: StageBuild, instruction: Add, url: str, target: str, into: bool) -> str:
    name = (
        posixpath.basename(re.split(r"[?#]", url, maxsplit=1)[0].split("://", 1)[1].partition("/")[2]) or "__unnamed__"
    )
    path = posixpath.join(target, name) if into or build.fs.is_directory(target) else target
    known = build.remote(url)
    ratio = gzip_ratio(name, 0.5)
    if instruction.has_flag("unpack"):
        origin = Origin(
            f"unpacked {name}", "archive", "sizes given" if known else "unknown download", 0.38, known is None
        )
        build.fs.extract(target, archive_of(name, known), origin, top=stem(name))
    else:
        size = Estimate.exact(known.size_bytes) if known else size_by_name(name)
        source = "size given or asked for" if known else "unknown download"
        origin = Origin(f"download of {name}", "download", source, ratio, known is None)
        archive = archive_of(name, known) if is_archive_name(name) else None
        build.fs.put(path, Entry(size, 0, origin, archive=archive))
    return "" if known else f"the size of {url} is not known (--remote-size, --network)"


def _add_git(build: StageBuild, source: str, target: str, into: bool) -> str:
    known = build.remote(source)
    size = Estimate.exact(known.unpacked_bytes or known.size_bytes) if known else _REPOSITORY
    origin = Origin("git repository", "download", "size given" if known else "unknown repository", 0.38, known is None)
    build.fs.add_sum(target, Entry(size, 0, origin, "sum", 0, target=stem(source)))
    return "" if known else f"the size of {source} is not known (--remote-size)"


# ---------------------------------------------------------------------- other stages and images


def _copy_from(
    build: StageBuild, step: Step, instruction: Copy, sources: list[str], target: str, into: bool
) -> list[str]:
    other = build.others.get(step.source_stage) if step.source_stage is not None else None
    if other is not None:
        label = other.stage.name or f"stage {other.stage.index}"
        return [
            note
            for source in sources
            for note in _copy_tree(build, other.fs, source, target, into, instruction, label, len(sources))
        ]
    reference = step.source_image or instruction.from_ or ""
    notes: list[str] = []
    for source in sources:
        path = normal(source)
        found = known_path(reference, path)
        name = posixpath.basename(path)
        if found is None:
            facts = image_facts(reference)
            whole = facts.size_bytes if facts is not None else None
            high = float(whole or 300_000_000)
            found = (Estimate(high * 0.98, high * 0.9, high) if path == "/" and whole else
                     Estimate(min(10_000_000, high / 2), 0, high))  # fmt: skip
            notes.append(f"how much of {reference} lies at {path} is not known")
        origin = Origin(f"{path} of {reference}", "copy", "embedded facts", unknown=bool(notes))
        if path == "/" or ("." not in name and found.value > 40_000_000):
            build.fs.add_sum(target, Entry(found, 0, origin, "sum", 0))
        else:
            here = posixpath.join(target, name) if into or build.fs.is_directory(target) else target
            build.fs.put(here, Entry(found, 0, origin))
    return notes


def _copy_tree(
    build: StageBuild,
    source_fs: FileSystem,
    source: str,
    target: str,
    into: bool,
    instruction: FileInstruction,
    label: str,
    count: int,
) -> list[str]:
    """Copy one source out of another stage's file system."""
    path = normal(source)
    excludes = IgnoreFile.parse("\n".join(instruction.excludes)) if instruction.excludes else None
    origin = Origin(f"files of {label}", "copy", "that stage's files")
    found = source_fs.glob(path) if is_pattern(path) else [path]
    if not found and is_pattern(path):
        return _claimed(build, source_fs, posixpath.dirname(path) or "/", target, label, True)
    notes: list[str] = []
    for match in found:
        below = source_fs.below(match)
        files = [(name, entry) for name, entry in below if entry.type != "directory"]
        entry = source_fs.get(match)
        folder = into or count > 1 or build.fs.is_directory(target)
        if entry is not None and entry.type == "file":
            here = posixpath.join(target, posixpath.basename(match)) if folder else target
            build.fs.put(here, _carried(entry, origin))
        elif below:
            root = _root(source_fs, match)
            build.fs.put(target, Entry(ZERO, 0, origin, "directory"))
            _copy_files(build, files, root, target, origin, excludes)
            of_base = known_path(build.facts_of(source_fs), match, generic=False)
            if of_base is not None:
                shared = Origin(f"{match} of the base of {label}", "copy", "embedded facts")
                build.fs.add_sum(target, Entry(of_base, 0, shared, "sum", 0))
        else:
            notes += _claimed(build, source_fs, match, target, label, folder)
    return notes


def _root(fs: FileSystem, path: str) -> str:
    """Give the folder that a path means once symbolic links are followed."""
    path = fs.resolve(path)
    entry = fs.entries.get(path)
    if entry is not None and entry.type == "symlink":
        return normal(entry.target, posixpath.dirname(path))
    return path


def _copy_files(
    build: StageBuild,
    files: list[tuple[str, Entry]],
    root: str,
    target: str,
    origin: Origin,
    excludes: IgnoreFile | None,
) -> None:
    for name, entry in files:
        relative = name[len(root) :].lstrip("/")
        if excludes is not None and excludes.ignores(relative):
            continue
        here = posixpath.join(target, relative)
        if entry.type == "sum":
            base, unique = posixpath.split(here)
            build.fs.add_sum(base, _carried(entry, origin), f"{unique.strip(chr(0))}.{build.fs.layer}")
        else:
            build.fs.put(here, _carried(entry, origin))


def _carried(entry: Entry, origin: Origin) -> Entry:
    """Make the entry a copy has: new place, new origin; how sure the figure is and how it packs stay.

    Hard links of another stage arrive as files of their own, since overlayfs does not show them as links.
    """
    return replace(entry, origin=replace(origin, unknown=entry.origin.unknown), inode=0, ratio=entry.gzip_ratio)


def _claimed(build: StageBuild, source_fs: FileSystem, path: str, target: str, label: str, folder: bool) -> list[str]:
    known = known_path(build.facts_of(source_fs), path)
    claim = source_fs.claim(path) if known is None else Claim(known, Origin("a known file", "copy", "embedded facts"))
    if claim is None:
        build.fs.put(
            target, Entry(Estimate(0, 0, 100_000_000), 0, Origin(f"{path} of {label}", "unknown", "", 0.38, True))
        )
        return [f"nothing is known at {path} of {label}"]
    size, source = claim.size, claim.origin
    exact = size.low >= size.value * 0.9
    kind = source.kind if source.kind != "base" else "copy"
    origin = Origin(f"{path} of {label}", kind, source.label, source.ratio, not exact)
    here = posixpath.join(target, posixpath.basename(path)) if folder and posixpath.splitext(path)[1] else target
    build.fs.add_sum(here, Entry(size, 0, origin, "sum", 0))
    return [] if exact else [f"how much lies at {path} of {label} is not known"]
