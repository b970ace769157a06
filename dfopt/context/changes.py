"""What git says changed between two states of a build context: paths, and the Dockerfile before and after."""

from __future__ import annotations

import os
import subprocess

from msgspec import Struct

from dfopt.syntax.ignorefile import IgnoreFile

_TIMEOUT_SECONDS = 60


class GitError(Exception):
    """Git is missing, or knows nothing of what was asked; the message is for people."""


class GitChanges(Struct, frozen=True):
    """Changed paths of a build context after its ignore file, and the Dockerfile's bytes before and after.

    ``ignored`` are changed paths that the builder never sees. A Dockerfile is None where it did not exist.
    """

    paths: tuple[str, ...]
    ignored: tuple[str, ...]
    before: bytes | None
    after: bytes | None


def git_file(specification: str, folder: str = ".") -> bytes:
    """Give a file of a revision, written ``REV:PATH``; the path counts from the repository's root, ``./`` from here.

    Raises GitError.
    """
    return _git(folder, "show", specification)


def git_changes(root: str, wanted: str, dockerfile: str) -> GitChanges:
    """Compare two revisions (``A..B``, ``A...B``), or one with the files on disk (``A``), below a context folder.

    Modes and additions count, times do not, and a rename is a removal and an addition, as for the builder. A changed
    ignore file counts by what it newly hides or shows. New files that git does not ignore count for files on disk.
    Raises GitError.
    """
    first, last = _revisions(root, wanted)
    span = [first] if last is None else [first, last]
    # The working tree may have the same content under a new time; diff looks at content either way.
    changed = _paths(_git(root, "diff", "--name-only", "--no-renames", "--relative", "-z", *span, "--", "."))
    if last is None:
        changed |= _paths(_git(root, "ls-files", "--others", "--exclude-standard", "-z", "--", "."))
    everything = changed | _paths(_git(root, "ls-tree", "-r", "--name-only", "-z", first, "--", "."))
    old = _ignore_file(root, dockerfile, first)
    new = _ignore_file(root, dockerfile, last)
    seen: list[str] = []
    hidden: list[str] = []
    for path in sorted(everything):
        was = old is None or not old.ignores(path)
        now = new is None or not new.ignores(path)
        if was != now or (path in changed and now):
            seen.append(path)
        elif path in changed:
            hidden.append(path)
    return GitChanges(tuple(seen), tuple(hidden), _text(root, dockerfile, first), _text(root, dockerfile, last))


def _revisions(root: str, wanted: str) -> tuple[str, str | None]:
    for dots in ("...", ".."):
        first, found, last = wanted.partition(dots)
        if found:
            first, last = first or "HEAD", last or "HEAD"
            if dots == "...":
                first = _git(root, "merge-base", _plain(first), _plain(last)).decode().strip()
            return _commit(root, first), _commit(root, last)
    return _commit(root, wanted), None


def _plain(revision: str) -> str:
    if revision.startswith("-"):
        raise GitError(f"{revision!r} is no revision")
    return revision


def _commit(root: str, revision: str) -> str:
    return _git(root, "rev-parse", "--verify", "--quiet", _plain(revision) + "^{commit}").decode().strip()


def _ignore_file(root: str, dockerfile: str, revision: str | None) -> IgnoreFile | None:
    for name in (dockerfile + ".dockerignore", os.path.join(root, ".dockerignore")):
        data = _text(root, name, revision)
        if data is not None:
            return IgnoreFile.parse(data.decode("utf-8", "surrogateescape"))
    return None


def _text(root: str, path: str, revision: str | None) -> bytes | None:
    """Give a file's bytes on disk or of a revision; None where it does not exist."""
    if revision is None:
        try:
            with open(path, "rb") as stream:
                return stream.read()
        except OSError:
            return None
    relative = os.path.relpath(os.path.realpath(path), os.path.realpath(root)).replace(os.sep, "/")
    try:
        return _git(root, "show", f"{revision}:./{relative}")
    except GitError:
        return None


def _paths(data: bytes) -> set[str]:
    return {raw.decode("utf-8", "surrogateescape") for raw in data.split(b"\0") if raw}


def _git(root: str, *arguments: str) -> bytes:
    try:
        answer = subprocess.run(
            ["git", "-C", root, *arguments], capture_output=True, timeout=_TIMEOUT_SECONDS, check=False
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise GitError(f"git cannot be run: {error}") from error
    if answer.returncode:
        complaint = answer.stderr.decode("utf-8", "replace").strip().splitlines()
        said = complaint[-1].removeprefix("fatal: ") if complaint else f"git {arguments[0]} knows no {arguments[-1]}"
        raise GitError(said)
    return answer.stdout
