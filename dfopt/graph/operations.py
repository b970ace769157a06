"""The operations a build is made of: image sources, file operations, executions and merges, each with its inputs."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

from msgspec import Struct

from dfopt.graph import paths
from dfopt.graph.model import RunMount, State, Step
from dfopt.graph.sources import GitSource, file_name, git_source, is_url
from dfopt.syntax import tree

_EMPTY = -1


class Operation(Struct, frozen=True):
    """One operation: its kind, the numbers of the operations it takes as inputs, and what it does.

    ``kind`` is "source", "exec", "file" or "merge". ``details`` are the fields that decide what it does, in plain
    values: arguments, directory, environment, user and mounts of an execution; actions of a file operation; the
    address of a source. ``hidden`` are further parts of its identity: platform, contents, owner, mode.
    """

    kind: str
    inputs: tuple[int, ...]
    details: Mapping[str, Any]
    hidden: Hashable = ()


class Operations:
    """The operations met so far; equal ones are the same operation."""

    def __init__(self) -> None:
        self.all: list[Operation] = []
        self._known: dict[Hashable, int] = {}

    def add(self, kind: str, inputs: Sequence[int], details: Mapping[str, Any], hidden: Hashable = ()) -> int:
        """Add an operation unless an equal one is there; gives its number."""
        key = (kind, tuple(inputs), _frozen(details), hidden)
        number = self._known.get(key)
        if number is None:
            number = self._known[key] = len(self.all)
            self.all.append(Operation(kind, tuple(inputs), details, hidden))
        return number

    def image(self, name: str, platform: str) -> int:
        """Give the source of an image."""
        return self.add("source", (), {"source": f"docker-image://{name}"}, platform)

    def context(self) -> int:
        """Give the source of the build context."""
        return self.add("source", (), {"source": "local://context"})

    def document(self, name: str, content: str, mode: int, platform: str) -> int:
        """Give the file that a here-document is."""
        return self.add("file", (), {"actions": [{"mkfile": paths.source(name)}]}, (content, mode, platform))

    def directory(self, below: int | None, path: str, owner: str, platform: str) -> int:
        """Give the making of a directory on top of a state."""
        inputs = () if below is None else (below,)
        return self.add("file", inputs, {"actions": [{"mkdir": paths.clean(path)}]}, (owner, platform))

    def merge(self, below: int | None, layer: int) -> int:
        """Give a state with an independent layer on top."""
        return layer if below is None else self.add("merge", (below, layer), {})


def _frozen(value: Any) -> Hashable:
    if isinstance(value, Mapping):
        return tuple(sorted((key, _frozen(each)) for key, each in value.items()))
    if isinstance(value, (list, tuple)):
        return tuple(_frozen(each) for each in value)
    return value  # type: ignore[no-any-return]  # plain values are hashable


def copy_operation(operations: Operations, step: Step, below: int | None, source: int | None, platform: str) -> int:
    """Add the operation of a COPY or ADD; ``source`` is what it copies from, None for the empty image."""
    instruction = step.instruction
    assert isinstance(instruction, tree.FileInstruction)
    is_add = isinstance(instruction, tree.Add)
    link = instruction.link and not step.chmod
    base = None if link else below
    inputs: list[int] = [] if base is None else [base]
    actions: list[dict[str, Any]] = []
    hidden: list[Hashable] = [step.chown, step.chmod]
    target = step.destination
    unpack_flag = instruction.flag("unpack")
    unpack = instruction.has_flag("unpack") if unpack_flag else is_add

    def add(path: str, origin: int | None, unpacked: bool, include: list[str] | None = None) -> None:
        if origin is not None and origin not in inputs:
            inputs.append(origin)
        hidden.append(_EMPTY if origin is None else inputs.index(origin))
        exclude = instruction.excludes or None
        actions.append({"copy": path, "dest": target, "exclude": exclude, "include": include, "unpack": unpacked})

    for text in step.sources:
        git = git_source(text) if is_add else None
        if git is not None:
            add("/", operations.add("source", (), {"source": git.identifier}, _git_identity(git, step)), False)
        elif is_add and is_url(text):
            name = file_name(text)
            origin = operations.add("source", (), {"source": text}, (name, step.checksum))
            add(f"/{name}", origin, unpack_flag is not None and unpack)
        else:
            include = None
            path = text
            if instruction.has_flag("parents"):
                pivot, found, pattern = text.partition("/./")
                path, pattern = (pivot, pattern) if found else ("/", text)
                absolute = pattern if pattern.startswith("/") else paths.source(pattern)
                include = [absolute.removeprefix("/")]
            add(paths.source(path), source, unpack, include)
    for name, content in step.documents:
        add(paths.source(name), operations.document(name, content, 0o644, platform), False)
    number = operations.add("file", inputs, {"actions": actions}, tuple(hidden))
    return operations.merge(below, number) if link else number


def _git_identity(git: GitSource, step: Step) -> Hashable:
    keep = git.keep_git if git.keep_git is not None else step.instruction.has_flag("keep-git-dir")
    return (git.remote, keep, git.checksum or step.checksum, git.submodules)


def run_operation(
    operations: Operations,
    step: Step,
    below: int | None,
    origins: Sequence[int | None],
    arguments: Sequence[str],
    user: str,
    platform: str,
) -> int:
    """Add the operation of a RUN; ``origins`` are what its mounts take files from."""
    instruction = step.instruction
    assert isinstance(instruction, tree.Run)
    mounts: list[tuple[str, int | None, dict[str, Any]]] = [("/", below, _mount("/", "BIND"))]
    late: list[dict[str, Any]] = []
    secrets = 0
    environment = environment_list(step.before)
    hidden: list[Hashable] = [instruction.flag_value("network") or "default", instruction.flag_value("security") or ""]
    hidden += [platform, *(repr(mount) for mount in step.run_mounts)]
    sockets: list[str] = []
    heredoc = instruction.script_heredoc
    if heredoc is not None and heredoc.text.startswith("#!"):
        document = operations.document(heredoc.name, heredoc.text, 0o755, platform)
        mounts.append(("/dev/pipes/", document, _mount("/dev/pipes/", "BIND", "/", True)))
    for mount, origin in zip(step.run_mounts, origins, strict=True):
        target = mount.target or ""
        if mount.type == "secret":
            secrets += mount.env is not None
            if target:
                late.append(_mount(target, "SECRET"))
        elif mount.type == "ssh":
            sockets.append(target or f"/run/buildkit/ssh_agent.{len(sockets)}")
            late.append(_mount(sockets[-1], "SSH"))
        else:
            mounts.append((target, *_placed(operations, mount, origin, platform)))
    if sockets and not any(each.startswith("SSH_AUTH_SOCK=") for each in environment):
        environment.append(f"SSH_AUTH_SOCK={sockets[0]}")
    inputs: list[int] = []
    listed = []
    for _, taken, entry in sorted(mounts, key=lambda each: each[0]):
        if taken is not None and taken not in inputs:
            inputs.append(taken)
        listed.append({**entry, "input": _EMPTY if taken is None else inputs.index(taken)})
    late.sort(key=lambda each: str(each["type"]) == "SSH")
    listed += [{**each, "input": _EMPTY} for each in late]
    details = {
        "args": list(arguments), "cwd": step.before.workdir, "env": environment, "mounts": listed,
        "secret_env": secrets, "user": user,
    }  # fmt: skip
    return operations.add("exec", inputs, details, tuple(hidden))


def _mount(target: str, kind: str, selector: str = "", read_only: bool = False) -> dict[str, Any]:
    return {"dest": target, "readonly": read_only, "selector": selector, "type": kind}


def _placed(
    operations: Operations, mount: RunMount, origin: int | None, platform: str
) -> tuple[int | None, dict[str, Any]]:
    selector = paths.source(mount.source)
    if selector == "/":
        selector = ""
        if (mount.uid, mount.gid, mount.mode) != (None, None, None):
            owner = repr((mount.uid, mount.gid, mount.mode))
            origin, selector = operations.directory(origin, "/cache", owner, platform), "/cache"
    entry = _mount(
        mount.target or "", {"tmpfs": "TMPFS", "cache": "CACHE"}.get(mount.type, "BIND"), selector, mount.read_only
    )
    if mount.type == "cache":
        entry |= {"cache_id": f"/{mount.id}", "sharing": mount.sharing.upper()}
    return origin, entry


def environment_list(state: State) -> list[str]:
    """Give the environment of a RUN in the order in which it is handed over."""
    return [f"{name}={each.value}" for name, each in state.variables.items() if each.value is not None]
