"""Reading a build context from disk, or making one in memory."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from pathlib import Path

from dfopt.context.model import BuildContext, ContextFile
from dfopt.syntax.ignorefile import IgnoreError, IgnoreFile

_MAX_TEXT_BYTES = 2_000_000


def read_context(
    root: str | os.PathLike[str], *, dockerfile: str | os.PathLike[str] | None = None, history: bool = False
) -> BuildContext:
    """Read the context below a folder, with sizes and modes, and apply its ignore file.

    The ignore file is ``<dockerfile>.dockerignore`` where it exists, else ``.dockerignore`` in the root. Links are
    listed, never followed. What cannot be read becomes a note. A folder that is left out whole is not walked: it
    stands in ``ignored`` as one directory. With ``history``, git is asked once how many commits touched each path.
    Raises NotADirectoryError if the root is none.
    """
    top = os.path.abspath(os.fspath(root))
    if not os.path.isdir(top):
        raise NotADirectoryError(f"{root} is not a folder")
    notes: list[str] = []
    ignore, name, prune = _ignore_file(top, os.fspath(dockerfile) if dockerfile is not None else None, notes)
    files: dict[str, ContextFile] = {}
    ignored: dict[str, ContextFile] = {}
    _walk(top, ignore, prune, files, ignored, notes)
    return BuildContext(
        files=files, ignored=ignored, root=top, ignore_name=name, notes=tuple(notes),
        changes=commits_per_path(top) if history else {}, ignore=ignore,
    )  # fmt: skip


def context_of(contents: Mapping[str, str | bytes | int], *, ignore: str | None = None) -> BuildContext:
    """Make a context in memory from paths and their contents (or sizes in bytes).

    A path that ends in ``/`` is an empty folder. ``.dockerignore`` among the contents is applied unless ``ignore``
    gives its text.
    """
    texts: dict[str, str] = {}
    entries: dict[str, ContextFile] = {}
    for path, content in contents.items():
        clean = path.strip("/")
        for parent in _parents(clean):
            entries.setdefault(parent, ContextFile(parent, 0, 0o755, "directory"))
        if path.endswith("/"):
            entries[clean] = ContextFile(clean, 0, 0o755, "directory")
        elif isinstance(content, int):
            entries[clean] = ContextFile(clean, content, 0o644)
        else:
            data = content.encode("utf-8", "surrogateescape") if isinstance(content, str) else content
            entries[clean] = ContextFile(clean, len(data), 0o644)
            texts[clean] = data.decode("utf-8", "surrogateescape")
    text = ignore if ignore is not None else texts.get(".dockerignore")
    rules = IgnoreFile.parse(text) if text else None
    files = {path: entry for path, entry in entries.items() if rules is None or not rules.ignores(path)}
    ignored = {path: entry for path, entry in entries.items() if path not in files}
    for path in list(files):  # A folder whose file was brought back by a "!" rule is there again.
        for parent in _parents(path):
            if parent in ignored:
                files[parent] = ignored.pop(parent)
    name = ".dockerignore" if rules else None
    return BuildContext(files=files, ignored=ignored, texts=texts, ignore_name=name, ignore=rules)


def read_text(context: BuildContext, path: str) -> str | None:
    """Give the text of a small file of the context, or None where it is not there, too large or not readable."""
    path = path.strip("/")
    if path in context.texts:
        return context.texts[path]
    entry = context.files.get(path)
    if entry is None or entry.type != "file" or context.root is None or entry.size_bytes > _MAX_TEXT_BYTES:
        return None
    try:
        return Path(context.root, path).read_text("utf-8", "surrogateescape")
    except OSError:
        return None


def commits_per_path(root: str) -> dict[str, int]:
    """Count the commits that touched each path below a folder; nothing where git cannot tell."""
    import subprocess  # here, because few ask for the history and all pay for the import

    command = ["git", "-C", root, "log", "--no-merges", "--relative", "--name-only", "--format=", "-z", "--", "."]
    try:
        answer = subprocess.run(command, capture_output=True, timeout=60, check=True)
    except (OSError, subprocess.SubprocessError):
        return {}
    counts: dict[str, int] = {}
    for raw in answer.stdout.split(b"\0"):
        path = raw.strip(b"\n").decode("utf-8", "surrogateescape")
        if path:
            counts[path] = counts.get(path, 0) + 1
    return counts


def _parents(path: str) -> list[str]:
    """Give the folders above a path, the nearest first."""
    parents: list[str] = []
    while "/" in path:
        path = path.rsplit("/", 1)[0]
        parents.append(path)
    return parents


def _ignore_file(top: str, dockerfile: str | None, notes: list[str]) -> tuple[IgnoreFile | None, str | None, bool]:
    """Count for every path below a folder the commits that touched it; empty where git cannot tell.

    Merges are left out.
    """
    candidates = [os.path.join(top, ".dockerignore")]
    if dockerfile is not None:
        candidates.insert(0, dockerfile + ".dockerignore")
    for candidate in candidates:
        try:
            with open(candidate, encoding="utf-8", errors="surrogateescape", newline="") as stream:
                text = stream.read()
        except FileNotFoundError:
            continue
        except OSError as error:
            notes.append(f"{os.path.basename(candidate)} cannot be read: {error.strerror or error}")
            continue
        prune = not any(line.startswith("!") for line in map(str.lstrip, text.splitlines()))
        name = os.path.relpath(candidate, top)
        try:
            return IgnoreFile.parse(text), name, prune
        except IgnoreError as error:
            notes.append(f"{name}:{error.line}: {error}; the builder refuses this file, here it is passed over")
            return None, None, True
    return None, None, True


def _walk(
    top: str,
    ignore: IgnoreFile | None,
    prune: bool,
    files: dict[str, ContextFile],
    ignored: dict[str, ContextFile],
    notes: list[str],
) -> None:
    """Fill both mappings from the disk in a stable order."""
    seen: dict[tuple[int, int], str] = {}
    pending: list[tuple[str, bool]] = [("", False)]
    while pending:
        folder, folder_ignored = pending.pop()
        try:
            with os.scandir(os.path.join(top, folder) if folder else top) as listing:
                entries = sorted(listing, key=lambda entry: entry.name)
        except OSError as error:
            notes.append(f"{folder or '.'} cannot be read: {error.strerror or error}")
            continue
        below: list[tuple[str, bool]] = []
        for entry in entries:
            path = f"{folder}/{entry.name}" if folder else entry.name
            left_out = ignore is not None and ignore.ignores(path)
            try:
                found = _describe(entry, path, seen)
            except OSError as error:
                notes.append(f"{path} cannot be read: {error.strerror or error}")
                continue
            (ignored if left_out else files)[path] = found
            if not left_out and folder_ignored:
                for parent in _parents(path):
                    if parent in ignored:
                        files[parent] = ignored.pop(parent)
            if found.type == "directory" and not (left_out and prune):
                below.append((path, left_out))
        pending.extend(reversed(below))


def _describe(entry: os.DirEntry[str], path: str, seen: dict[tuple[int, int], str]) -> ContextFile:
    """Make the value of one directory entry; the first name of a hard-linked file is remembered."""
    status = entry.stat(follow_symlinks=False)
    mode = stat.S_IMODE(status.st_mode)
    if stat.S_ISDIR(status.st_mode):
        return ContextFile(path, 0, mode, "directory")
    if stat.S_ISLNK(status.st_mode):
        return ContextFile(path, 0, mode, "symlink", os.readlink(entry.path))
    if not stat.S_ISREG(status.st_mode):
        return ContextFile(path, 0, mode, "other")
    link = ""
    if status.st_nlink > 1:
        link = seen.setdefault((status.st_dev, status.st_ino), path)
    return ContextFile(path, status.st_size, mode, "file", link="" if link == path else link)
