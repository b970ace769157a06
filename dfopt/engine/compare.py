"""Comparing two images file by file: the final file system that their layers make, and their configuration."""

from __future__ import annotations

import hashlib
import json
import re
import tarfile
import tempfile
from collections.abc import Callable, Iterator, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import IO, Any

from msgspec import Struct

from dfopt.engine.docker import Engine

VOLATILE: tuple[str, ...] = (
    "var/log/*", "var/cache/ldconfig/*", "var/cache/debconf/*-old", "var/cache/apt/*", "var/cache/fontconfig/*",
    "var/cache/man/*", "var/lib/dpkg/*-old", "var/lib/dpkg/lock*", "var/lib/dpkg/triggers/Lock",
    "var/lib/apt/lists/*", "var/lib/systemd/*", "var/lib/dbus/machine-id", "etc/machine-id",
    "etc/ssh/ssh_host_*", "etc/passwd-", "etc/group-", "etc/shadow-", "etc/gshadow-", "etc/subuid-",
    "etc/subgid-", "etc/.pwd.lock", "etc/ssl/certs/java/cacerts", "etc/hosts", "etc/hostname",
    "etc/resolv.conf", "root/.cache/*", "root/.npm/_logs/*", "root/.npm/_cacache/*",
    "root/.npm/_update-notifier-last-checked", "tmp/*", "var/tmp/*", "run/*", "proc/*", "sys/*", "dev/*",
    ".dockerenv", "*/.git/index", "*/.git/logs/*", "usr/lib/jvm/*/lib/server/classes*.jsa",
)  # fmt: skip
"""Paths in which two builds of one Dockerfile differ: logs, locks, host keys, caches, mounted file systems."""
_CONFIG = (
    "User", "Env", "Entrypoint", "Cmd", "WorkingDir", "ExposedPorts", "Labels", "Volumes", "Healthcheck", "StopSignal",
    "Shell", "OnBuild",
)  # fmt: skip


class Difference(Struct, frozen=True):
    """One path or setting in which two images differ, and how."""

    path: str
    before: str
    after: str

    def __str__(self) -> str:
        return f"{self.path}: {self.before} / {self.after}"


class Comparison(Struct, frozen=True):
    """The outcome: differences of files and settings, how many paths were compared, bytes of files in all layers."""

    differences: tuple[Difference, ...]
    paths: int
    before_bytes: int = 0
    after_bytes: int = 0

    @property
    def same(self) -> bool:
        """Tell whether nothing differs."""
        return not self.differences


class Node(Struct):
    """One entry of a file system; ``links`` is the set of names that share a file, by the first of them."""

    kind: str
    mode: int
    owner: tuple[int, int]
    detail: str = ""
    attributes: tuple[tuple[str, str], ...] = ()
    file: str = ""

    def words(self, names: Sequence[str] = ()) -> str:
        """Describe the entry in a line."""
        text = f"{self.kind} {self.mode:o} {self.owner[0]}:{self.owner[1]} {self.detail}".rstrip()
        return f"{text} linked with {', '.join(names)}" if len(names) > 1 else text


def _by_stanza(data: bytes) -> bytes:
    return b"\n\n".join(sorted(stanza.strip() for stanza in data.split(b"\n\n") if stanza.strip()))


def _by_line(data: bytes) -> bytes:
    return b"\n".join(sorted(data.split(b"\n")))


def _without_change_day(data: bytes) -> bytes:
    return re.sub(rb"(?m)^([^:\n]*:[^:\n]*):\d*:", rb"\1::", data)


def _without_source_time(data: bytes) -> bytes:
    timed = len(data) >= 16 and data[4:8] == b"\0\0\0\0"
    return data[:8] + data[12:] if timed else data


NORMAL: tuple[tuple[str, Callable[[bytes], bytes]], ...] = (
    ("*.pyc", _without_source_time),
    ("etc/shadow", _without_change_day),
    ("var/lib/dpkg/status", _by_stanza),
    ("var/lib/apt/extended_states", _by_stanza),
    ("var/cache/debconf/*.dat", _by_stanza),
    ("var/lib/dpkg/triggers/*", _by_line),
    ("*.dist-info/RECORD", _by_line),
)
"""Files that two builds write in another order or with another time: how they are made comparable."""


def compare(
    engine: Engine,
    before: str,
    after: str,
    *,
    ignore: Sequence[str] = (),
    only: Sequence[str] = (),
    config: bool = True,
) -> Comparison:
    """Compare two images of an engine: type, mode, owner, content, link target and extended attributes of every path.

    ``ignore`` and ``only`` are globs of paths without leading slash. Times and the borders of layers do not count.
    Raises EngineError where an image cannot be read.
    """
    with tempfile.TemporaryDirectory(prefix="dfopt-") as folder:
        trees, settings, sizes = [], [], []
        for name in (before, after):
            path = Path(folder) / "image.tar"
            engine.save(name, path)
            tree, setting, size = _read(path)
            path.unlink()
            sizes.append(size)
            trees.append(tree)
            settings.append(setting)
    differences = list(_path_differences(trees[0], trees[1], (*VOLATILE, *ignore), only))
    if config:
        differences += _config_differences(settings[0], settings[1])
    return Comparison(tuple(differences), len(set(trees[0]) | set(trees[1])), *sizes)


def read_image(path: Path) -> tuple[dict[str, Node], dict[str, Any]]:
    """Read a saved image: its final file system and the ``config`` part of its configuration."""
    return _read(path)[:2]


def _read(path: Path) -> tuple[dict[str, Node], dict[str, Any], int]:
    size = 0
    with tarfile.open(path) as tar:
        manifest = json.load(_member(tar, "manifest.json"))[0]
        config = json.load(_member(tar, manifest["Config"])).get("config") or {}
        tree: dict[str, Node] = {}
        for layer in manifest["Layers"]:
            with tarfile.open(fileobj=_member(tar, layer)) as inner:
                size += _apply_layer(tree, inner)
    return tree, config, size


def _member(tar: tarfile.TarFile, name: str) -> IO[bytes]:
    found = tar.extractfile(name)
    if found is None:
        raise ValueError(f"{name} is missing in the saved image")
    return found


def _apply_layer(tree: dict[str, Node], layer: tarfile.TarFile) -> int:
    """Apply a layer and give the bytes of its regular files."""
    size = 0
    fresh: dict[str, Node] = {}
    gone: list[str] = []
    for member in layer:
        path = member.name.lstrip("./").rstrip("/") if member.name.startswith("./") else member.name.strip("/")
        if not path:
            continue
        folder, _, name = path.rpartition("/")
        size += member.size if member.isreg() else 0
        if name == ".wh..wh..opq":
            gone += [other for other in tree if other.startswith(f"{folder}/" if folder else "")]
        elif name.startswith(".wh."):
            hidden = f"{folder}/{name[4:]}" if folder else name[4:]
            gone += [other for other in tree if other == hidden or other.startswith(hidden + "/")]
        else:
            fresh[path] = _node(member, path, layer, fresh, tree)
    for path in gone:
        tree.pop(path, None)
    for path, node in fresh.items():
        old = tree.get(path)
        if old is not None and old.kind == "folder" and node.kind != "folder":
            for other in [other for other in tree if other.startswith(path + "/") and other not in fresh]:
                del tree[other]
        tree[path] = node
    return size


def _node(
    member: tarfile.TarInfo, path: str, layer: tarfile.TarFile, fresh: dict[str, Node], tree: dict[str, Node]
) -> Node:
    attributes = tuple(
        sorted(
            (key[14:], value) for key, value in (member.pax_headers or {}).items() if key.startswith("SCHILY.xattr.")
        )
    )
    owner = (member.uid, member.gid)
    if member.islnk():
        target = member.linkname.removeprefix("./").strip("/")
        known = fresh.get(target) or tree.get(target)
        if known is not None:
            known.file = known.file or f"{target}#{id(fresh)}"
            return Node(known.kind, known.mode, known.owner, known.detail, known.attributes, known.file)
    if member.isdir():
        return Node("folder", member.mode & 0o7777, owner, "", attributes)
    if member.issym():
        return Node("link", 0, owner, member.linkname, attributes)
    if member.isreg():
        data = layer.extractfile(member)
        return Node("file", member.mode & 0o7777, owner, _digest(path, data, member.size) if data else "", attributes)
    return Node(
        "device", member.mode & 0o7777, owner, f"{member.type!r} {member.devmajor}:{member.devminor}", attributes
    )


def _digest(path: str, data: IO[bytes], size: int) -> str:
    normal = next((make for pattern, make in NORMAL if fnmatchcase(path, pattern)), None)
    if normal is not None:
        content = normal(data.read())
        return f"{len(content)} bytes {hashlib.sha256(content).hexdigest()[:16]}"
    digest = hashlib.sha256()
    while chunk := data.read(1 << 20):
        digest.update(chunk)
    return f"{size} bytes {digest.hexdigest()[:16]}"


def _path_differences(
    one: dict[str, Node], two: dict[str, Node], ignore: Sequence[str], only: Sequence[str]
) -> Iterator[Difference]:
    names_one, names_two = _names(one), _names(two)
    for path in sorted({*one, *two}):
        if only and not any(fnmatchcase(path, pattern) for pattern in only):
            continue
        if any(fnmatchcase(path, pattern) for pattern in ignore):
            continue
        left, right = one.get(path), two.get(path)
        was = left.words(names_one.get(left.file, ())) if left else "missing"
        now = right.words(names_two.get(right.file, ())) if right else "missing"
        if was != now or (left and right and left.attributes != right.attributes):
            yield Difference(path, was, now)


def _names(tree: dict[str, Node]) -> dict[str, list[str]]:
    names: dict[str, list[str]] = {}
    for path in sorted(tree):
        if tree[path].file:
            names.setdefault(tree[path].file, []).append(path)
    return names


def _config_differences(one: dict[str, Any], two: dict[str, Any]) -> Iterator[Difference]:
    for key in _CONFIG:
        was, now = one.get(key) or None, two.get(key) or None
        if key == "Env":
            was, now = sorted(was or []), sorted(now or [])
        if was != now:
            yield Difference(f"configuration {key}", json.dumps(was), json.dumps(now))
