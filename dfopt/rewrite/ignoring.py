"""What a ``.dockerignore`` should keep out of the context: found in the real context, with the bytes it saves."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from fnmatch import fnmatchcase

from msgspec import Struct

from dfopt.context.model import BuildContext
from dfopt.graph.cachekey import selects
from dfopt.graph.model import InstructionGraph, Step
from dfopt.graph.queries import context_sources, is_broad_copy, run_steps


class IgnoreProposal(Struct, frozen=True):
    """A pattern for the ignore file.

    ``sent_bytes`` is what the builder no longer gets, ``image_bytes`` what no COPY or ADD stores any more; ``files``
    counts them. ``secret`` marks what must not be in an image at all.
    """

    pattern: str
    reason: str
    files: int
    sent_bytes: int
    image_bytes: int
    secret: bool = False


class _Kind(Struct, frozen=True):
    """Something that contexts hold and builds do not need.

    ``made_by`` are families of tools of which one has to run in the build, because it makes the thing anew;
    ``used_by`` are families of which none may run, because it reads the thing. ``beside`` are files of which one has
    to stand beside it, ``inside`` is a file that it has to hold.
    """

    name: str
    reason: str
    folder: bool = True
    made_by: tuple[str, ...] = ()
    used_by: tuple[str, ...] = ()
    beside: tuple[str, ...] = ()
    inside: str = ""
    secret: bool = False


_NODE = ("npm", "yarn", "pnpm", "bun")
_PYTHON = ("pip", "uv", "poetry", "pdm", "pipenv")
_KINDS = (
    _Kind(".git", "the history is no part of the program, and every commit repeats the COPY", used_by=("git",)),
    _Kind(".hg", "the history is no part of the program", used_by=("hg",)),
    _Kind(".svn", "the history is no part of the program", used_by=("svn",)),
    _Kind("node_modules", "the build installs the packages itself", made_by=_NODE, beside=("package.json",)),
    _Kind(".venv", "a virtual environment of another machine", inside="pyvenv.cfg"),
    _Kind("venv", "a virtual environment of another machine", inside="pyvenv.cfg"),
    _Kind("env", "a virtual environment of another machine", inside="pyvenv.cfg"),
    _Kind("__pycache__", "compiled code that Python makes again"),
    _Kind("*.pyc", "compiled code that Python makes again", folder=False),
    _Kind(".pytest_cache", "the cache of a test program"),
    _Kind(".mypy_cache", "the cache of a checking program"),
    _Kind(".ruff_cache", "the cache of a checking program"),
    _Kind(".tox", "environments of a test program"),
    _Kind(".nox", "environments of a test program"),
    _Kind(".nyc_output", "figures of a test program"),
    _Kind("target", "the build makes it again", made_by=("cargo", "maven", "sbt"),
          beside=("Cargo.toml", "pom.xml", "build.sbt")),
    _Kind("dist", "the build makes it again", made_by=_NODE, beside=("package.json",)),
    _Kind(".next", "the build makes it again", made_by=_NODE, beside=("package.json",)),
    _Kind(".gradle", "the cache of a build program"),
    _Kind(".terraform", "providers and modules of another program"),
    _Kind(".idea", "settings of an editor"),
    _Kind(".vscode", "settings of an editor"),
    _Kind(".DS_Store", "a file of a desktop", folder=False),
    _Kind("*.log", "a log of another run", folder=False),
    _Kind("*.swp", "a file of an editor", folder=False),
    _Kind(".env", "it holds settings of one machine and often passwords", folder=False, secret=True),
    _Kind(".env.local", "it holds settings of one machine and often passwords", folder=False, secret=True),
    _Kind("id_rsa", "a private key", folder=False, secret=True),
    _Kind("id_ed25519", "a private key", folder=False, secret=True),
    _Kind(".netrc", "it holds passwords", folder=False, secret=True),
    _Kind(".aws", "it holds credentials", secret=True),
    _Kind(".ssh", "it holds private keys", secret=True),
)  # fmt: skip


def propose_ignores(graph: InstructionGraph, context: BuildContext) -> tuple[IgnoreProposal, ...]:
    """Give patterns for the ignore file, secrets first, then by the bytes they save.

    Nothing is proposed that an instruction takes by name, that a RUN's text names, or that the build does not make
    again itself. Files below several patterns count for the first.
    """
    families = {call.family for step in run_steps(graph) for call in step.invocations}
    making = {
        call.family for step in run_steps(graph) for call in step.invocations
        if call.action in ("build", "install", "run", "sync")
    }  # fmt: skip
    kinds = [
        kind for kind in _KINDS
        if (not kind.made_by or making & set(kind.made_by)) and not families & set(kind.used_by)
        and not _is_named(graph, kind)
    ]  # fmt: skip
    kept = tuple(_by_name(graph))
    broad = [step for stage in graph.stages if stage.reachable for step in stage.steps if is_broad_copy(step)]
    found: dict[int, list[str]] = {}
    for path, file in context.files.items():
        if file.type == "directory" or path in kept or any(path.startswith(name + "/") for name in kept):
            continue
        for number, kind in enumerate(kinds):
            if _matches(path, kind, context):
                found.setdefault(number, []).append(path)
                break
    proposals = [_proposal(kinds[number], paths, broad, context) for number, paths in found.items()]
    return tuple(sorted(proposals, key=lambda each: (not each.secret, -each.sent_bytes, each.pattern)))


def with_proposals(text: str, proposals: tuple[IgnoreProposal, ...]) -> str:
    """Give an ignore file's text with the proposals appended, in its own newlines."""
    newline = "\r\n" if "\r\n" in text else "\n"
    head = text if not text or text.endswith("\n") else text + newline
    return head + "".join(each.pattern + newline for each in proposals)


def _proposal(kind: _Kind, paths: list[str], broad: list[Step], context: BuildContext) -> IgnoreProposal:
    sizes = {path: 0 if context.files[path].link else context.files[path].size_bytes for path in paths}
    stored = sum(size for path, size in sizes.items() if any(selects(step, path) for step in broad))
    return IgnoreProposal(f"**/{kind.name}", kind.reason, len(paths), sum(sizes.values()), stored, kind.secret)


def _matches(path: str, kind: _Kind, context: BuildContext) -> bool:
    parts = path.split("/")
    if not kind.folder:
        return fnmatchcase(parts[-1], kind.name)
    for depth, part in enumerate(parts[:-1]):
        if part == kind.name:
            above, whole = "/".join(parts[:depth]), "/".join(parts[: depth + 1])
            if kind.inside and f"{whole}/{kind.inside}" not in context.files:
                continue
            if kind.beside and not any(posixpath.join(above, name) in context.files for name in kind.beside):
                continue
            return True
    return False


def _by_name(graph: InstructionGraph) -> Iterator[str]:
    """Give the paths of the context that an instruction names and that are not the whole of it."""
    for stage in graph.stages:
        for step in stage.all_steps:
            for source in context_sources(step):
                if source not in ("/", "/*"):
                    yield source.strip("/")
            for mount in step.run_mounts:
                if mount.type == "bind" and mount.stage is None and mount.image is None and mount.source.strip("/."):
                    yield mount.source.strip("/")


def _is_named(graph: InstructionGraph, kind: _Kind) -> bool:
    """Tell whether a command or an instruction names such a thing, so that it may be in use."""
    name = kind.name.replace("*", "")
    for stage in graph.stages:
        for step in stage.all_steps:
            if step.keyword in ("RUN", "CMD", "ENTRYPOINT") and _names(graph.tree.source.slice(step.span), name):
                return True
            if any(_names(source, name) for source in context_sources(step)):
                return True
    return False


def _names(text: str, name: str) -> bool:
    at = text.find(name)
    while at >= 0:
        before, after = text[max(0, at - 1) : at], text[at + len(name) : at + len(name) + 1]
        inside = name[0] != "." and (before.isalnum() or before in ("_", "-"))
        if not inside and not (after.isalnum() or after in ("_", "-")):
            return True
        at = text.find(name, at + 1)
    return False
