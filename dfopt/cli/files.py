"""Files on disk: finding Dockerfiles in folders, reading them, and writing one back without losing anything of it."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator

SKIPPED_FOLDERS = frozenset(
    (".git", ".hg", ".svn", ".bzr", "node_modules", "bower_components", ".venv", "venv", ".tox", ".nox", "__pycache__",
     "site-packages", ".mypy_cache", ".ruff_cache", ".pytest_cache", ".eggs", ".direnv", ".terraform", ".cache")
)  # fmt: skip
"""Folders that hold other people's files or nobody's; a folder named on the command line is searched all the same."""

_NOT_DOCKERFILES = (".dockerignore", ".containerignore", ".j2", ".jinja", ".jinja2", ".tmpl", ".tpl", ".in", ".erb",
                    ".bak", ".orig", ".rej", ".swp", ".swo", "~")  # fmt: skip


class InputError(Exception):
    """A file cannot be read or is no text; the message says which and why."""


def is_dockerfile(name: str) -> bool:
    """Tell whether a file name is one of a Dockerfile: Dockerfile, Containerfile, with a suffix, or as the suffix."""
    lower = name.lower()
    if lower in ("dockerfile", "containerfile"):
        return True
    if lower.endswith(_NOT_DOCKERFILES):
        return False
    return lower.endswith((".dockerfile", ".containerfile")) or name.startswith(("Dockerfile.", "Containerfile."))


def discover(folder: str, exclude: Iterable[str] = (), unreadable: list[InputError] | None = None) -> Iterator[str]:
    """Give the Dockerfiles below a folder, sorted; folders of tools are skipped, links to folders not followed.

    A folder that cannot be read is put into ``unreadable`` and the others are searched all the same; without that list
    it raises InputError.
    """
    patterns = tuple(exclude)
    folders: list[str] = []
    files: list[str] = []
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                path = entry.name if folder == "." else os.path.join(folder, entry.name)
                if patterns and is_excluded(path, patterns):
                    continue
                if entry.is_dir(follow_symlinks=False):
                    if entry.name not in SKIPPED_FOLDERS:
                        folders.append(path)
                elif is_dockerfile(entry.name) and entry.is_file():
                    files.append(path)
    except OSError as error:
        wrong = InputError(f"{folder}: {_reason(error)}")
        if unreadable is None:
            raise wrong from error
        unreadable.append(wrong)
    yield from sorted(files)
    for path in sorted(folders):
        yield from discover(path, patterns, unreadable)


def is_excluded(path: str, patterns: Iterable[str]) -> bool:
    """Tell whether a path, one of its folders or its name matches one of the patterns (``*``, ``?``, ``[...]``)."""
    clean = os.path.normpath(path).replace(os.sep, "/")
    return any(matches(clean, pattern) for pattern in patterns)


def matches(path: str, pattern: str) -> bool:
    """Tell whether a pattern fits a slash-separated path, an end of it at a slash, or one of its folders."""
    from fnmatch import fnmatchcase

    pattern = pattern.rstrip("/").removeprefix("./")
    parts = path.split("/")
    ends = ["/".join(parts[start:end]) for end in range(len(parts), 0, -1) for start in range(end)]
    return any(fnmatchcase(end, pattern) for end in ends)


def read(path: str) -> bytes:
    """Read a file's bytes. Raises InputError where that fails or the file is binary."""
    try:
        with open(path, "rb") as file:
            data = file.read()
    except OSError as error:
        raise InputError(f"{path}: {_reason(error)}") from error
    return text_bytes(data, path)


def text_bytes(data: bytes, name: str) -> bytes:
    """Give the bytes back where they are text. Raises InputError for a binary file or another encoding than UTF-8."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise InputError(f"{name}: is written in UTF-16; save it as UTF-8")
    if b"\0" in data:
        raise InputError(f"{name}: is a binary file, not a Dockerfile")
    return data


def write(path: str, data: bytes) -> None:
    """Replace a file's content in one step: readers see the old or the new text, never a half.

    Follows links and keeps the mode and, where that is allowed, the owner. Raises InputError where the file cannot be
    written.
    """
    import tempfile  # here, because reading alone needs none of what it loads

    target = os.path.realpath(path)
    try:
        status = os.stat(target) if os.path.exists(target) else None
        if status is not None and not os.access(target, os.W_OK):
            raise PermissionError(13, "Permission denied")
        handle, temporary = tempfile.mkstemp(prefix=".dfopt-", dir=os.path.dirname(target))
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            if status is None:
                mask = os.umask(0)
                os.umask(mask)
                os.chmod(temporary, 0o666 & ~mask)
            else:
                os.chmod(temporary, stat.S_IMODE(status.st_mode))
                _keep_owner(temporary, status)
            os.replace(temporary, target)
        except BaseException:
            os.unlink(temporary)
            raise
    except OSError as error:
        raise InputError(f"{path}: cannot be written: {_reason(error)}") from error


def _keep_owner(temporary: str, status: os.stat_result) -> None:
    if hasattr(os, "chown"):
        try:
            os.chown(temporary, status.st_uid, status.st_gid)
        except OSError:
            return  # only root may give files away; the content matters more


def _reason(error: OSError) -> str:
    """Say an operating system's error in its own words, first letter small."""
    text = error.strerror or str(error)
    return text[:1].lower() + text[1:]
