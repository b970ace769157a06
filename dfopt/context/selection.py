"""Which files of the context a COPY or ADD means, and where they go."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Mapping, Sequence

from msgspec import Struct

from dfopt.context.matching import is_pattern, translate
from dfopt.context.model import BuildContext, ContextFile
from dfopt.syntax.ignorefile import IgnoreFile


class Selected(Struct, frozen=True):
    """One entry of the context and the absolute path at which the image gets it."""

    file: ContextFile
    destination: str


class Selection(Struct, frozen=True):
    """The entries that the sources of one instruction mean, and the sources that mean nothing.

    A source without wildcards that is ``missing`` fails the build; an ``empty`` pattern does not.
    """

    entries: tuple[Selected, ...]
    missing: tuple[str, ...] = ()
    empty: tuple[str, ...] = ()

    @property
    def size_bytes(self) -> int:
        """The bytes of the files as one layer holds them: hard links to the same file count once."""
        seen: set[str] = set()
        total = 0
        for entry in self.entries:
            if not entry.file.link or entry.file.link not in seen:
                total += entry.file.size_bytes
            seen.add(entry.file.link or entry.file.path)
        return total


def select(
    context: BuildContext,
    sources: Sequence[str],
    destination: str = "/",
    *,
    workdir: str = "/",
    excludes: Sequence[str] = (),
    parents: bool = False,
    is_directory: Callable[[str], bool] = lambda path: False,
) -> Selection:
    """Give the entries that the sources mean, with their paths in the image.

    ``is_directory`` tells whether the destination is a folder already, which decides the name of a single file.
    Sources and destination have their variables expanded. ``excludes`` are the values of ``--exclude``, ``parents``
    is ``--parents``.
    """
    target, into = destination_of(destination, workdir)
    rules = IgnoreFile.parse("\n".join(excludes)) if excludes else None
    entries: list[Selected] = []
    missing: list[str] = []
    empty: list[str] = []
    made: set[str] = set()
    for source in sources:
        if parents:
            found = list(_with_parents(context.files, source, target, rules))
        else:
            found = []
            for match in matches(context.files, source):
                folder = into or target in made or is_directory(target)
                found += _one(context.files, match, target, folder, rules)
                if _is_folder(context.files, match):
                    made.add(target)
        if not found and not matches(context.files, source):
            (empty if is_pattern(source) else missing).append(source)
        entries += found
    return Selection(tuple(entries), tuple(missing), tuple(empty))


def destination_of(destination: str, workdir: str = "/") -> tuple[str, bool]:
    """Give a destination's absolute path and whether it is written as a folder."""
    into = destination in ("", ".", "..") or destination.endswith(("/", "/.", "/.."))
    joined = posixpath.normpath(posixpath.join(workdir, destination)) if destination else workdir
    joined = "/" + joined.lstrip("/")
    return joined, into or joined == "/"


def clean(source: str) -> str:
    """Resolve a source inside the context's root: ``/a``, ``../a`` and ``./a/`` are all ``a``, the root is ``""``."""
    return posixpath.normpath("/" + source).lstrip("/")


def matches(files: Mapping[str, ContextFile], source: str) -> list[str]:
    """Give the paths that one source of COPY or ADD names, in order; the root is ``""``."""
    path = clean(source)
    if path == "":
        return [""]
    if not is_pattern(path):
        path = _through_links(files, path)
        return [path] if path in files or _has_below(files, path) else []
    expression = translate(path)
    if expression is None:
        return []
    found = {name for name in files if expression.match(name)}
    depth = path.count("/")
    for name in files:  # Folders that are not listed themselves.
        pieces = name.split("/")
        if len(pieces) > depth + 1:
            parent = "/".join(pieces[: depth + 1])
            if parent not in found and parent not in files and expression.match(parent):
                found.add(parent)
    return sorted(found)


def _through_links(files: Mapping[str, ContextFile], path: str) -> str:
    """Follow symbolic links among the folders of a path; the last name stays."""
    for _ in range(16):
        pieces = path.split("/")
        for end in range(1, len(pieces)):
            entry = files.get("/".join(pieces[:end]))
            if entry is not None and entry.type == "symlink":
                base = "/" if entry.target.startswith("/") else "/" + "/".join(pieces[: end - 1])
                path = posixpath.normpath(posixpath.join(base, entry.target, *pieces[end:])).lstrip("/")
                break
        else:
            return path
    return path


def _has_below(files: Mapping[str, ContextFile], path: str) -> bool:
    prefix = path + "/"
    return any(name.startswith(prefix) for name in files)


def _is_folder(files: Mapping[str, ContextFile], path: str) -> bool:
    entry = _resolve(files, path)
    return entry is None or entry.type == "directory"


def _resolve(files: Mapping[str, ContextFile], path: str) -> ContextFile | None:
    """Give the entry of a path with symbolic links followed inside the context; None for one that is not listed."""
    for _ in range(16):
        entry = files.get(path)
        if entry is None or entry.type != "symlink":
            return entry
        base = "/" if entry.target.startswith("/") else "/" + posixpath.dirname(path)
        path = posixpath.normpath(posixpath.join(base, entry.target)).lstrip("/")
    return None


def _one(
    files: Mapping[str, ContextFile], match: str, target: str, folder: bool, rules: IgnoreFile | None
) -> list[Selected]:
    """Give what one matched path brings: a folder's contents, or the file itself."""
    entry = _resolve(files, match) if match else None
    if match == "" or entry is None or entry.type == "directory":
        root = entry.path if entry is not None else match
        prefix = root + "/" if root else ""
        return [
            Selected(file, posixpath.join(target, name[len(prefix) :]))
            for name, file in files.items()
            if name.startswith(prefix) and (rules is None or not rules.ignores(name[len(prefix) :]))
        ]
    name = posixpath.basename(match)  # A file that a source names itself is not excluded.
    return [Selected(entry, posixpath.join(target, name) if folder else target)]


def _with_parents(
    files: Mapping[str, ContextFile], source: str, target: str, rules: IgnoreFile | None
) -> list[Selected]:
    """Give what a source brings with ``--parents``: its path is kept below the destination.

    With ``/./`` in the source only what follows is kept.
    """
    pivot = ""
    if "/./" in source:
        head, _, tail = source.partition("/./")
        pivot, source = clean(head), posixpath.join(head, tail)
    path = clean(source)
    found: list[Selected] = []
    expression = translate(path, deep=True) if path else None
    for name, file in files.items():
        if path and expression is not None:
            chain = [name, *_above(name)]
            if not any(expression.match(piece) for piece in chain):
                continue
        if rules is not None and rules.ignores(name):
            continue
        kept = name[len(pivot) + 1 :] if pivot and name.startswith(pivot + "/") else name
        found.append(Selected(file, posixpath.join(target, kept)))
    return found


def _above(path: str) -> list[str]:
    chain: list[str] = []
    while "/" in path:
        path = path.rsplit("/", 1)[0]
        chain.append(path)
    return chain
