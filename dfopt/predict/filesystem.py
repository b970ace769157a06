"""A stage's file system as far as it can be known without building: paths, sizes, and the layer that holds them.

Paths are absolute and normal. What is known file by file stands under its own path; what is only known as a sum (a base
image, the content of packages, the output of a compiler) is one entry below the folder it lies in, under a name that no
pattern matches.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from dfopt.context.matching import translate
from dfopt.predict.model import ZERO, Estimate

BASE = -1
MOUNTED = -2
_SUM = "\0"
_SYSTEM = ("/dev", "/proc", "/sys", "/run/secrets", "/etc/hosts", "/etc/resolv.conf", "/etc/hostname")


class Origin(Struct, frozen=True):
    """Where bytes come from: a label for people, the kind of part, the figure's source, gzip's share of it."""

    label: str
    kind: str
    source: str = ""
    ratio: float = 0.38
    unknown: bool = False


class Archive(Struct, frozen=True):
    """What an archive unpacks to: total bytes, and the members where they are known (path, bytes, link target)."""

    unpacked: Estimate
    members: tuple[tuple[str, int, str], ...] | None = None
    ratio: float | None = None
    """What gzip makes of a byte of its content, where the archive's own size tells."""


class Entry(Struct, frozen=True):
    """A file, folder, link or sum of files.

    ``layer`` is the layer that holds the bytes. ``inode`` joins hard links (0: the only name). ``text`` is the
    content where it is known, ``archive`` what it unpacks to, ``files`` how many files a sum stands for.
    ``ratio`` is what gzip makes of a byte, where that is known better than from its origin.
    """

    size: Estimate
    layer: int
    origin: Origin
    type: Literal["file", "directory", "symlink", "sum"] = "file"
    files: int = 1
    inode: int = 0
    target: str = ""
    text: str | None = None
    archive: Archive | None = None
    context_path: str = ""
    ratio: float | None = None

    @property
    def gzip_ratio(self) -> float:
        """What gzip makes of a byte of it."""
        return self.origin.ratio if self.ratio is None else self.ratio


class Claim(Struct, frozen=True):
    """An estimate of what lies at a path below a sum: the sum's key, and whether all of it is meant."""

    size: Estimate
    origin: Origin
    name: str = ""
    whole: bool = False


def normal(path: str, directory: str | None = "/") -> str:
    """Make a path absolute and normal."""
    joined = posixpath.normpath(posixpath.join(directory or "/", path))
    return "/" + joined.lstrip("/")


def is_below(path: str, folder: str) -> bool:
    """Tell whether a path is a folder or lies in it."""
    return folder == "/" or path == folder or path.startswith(folder + "/")


class FileSystem:
    """The abstract file system of one stage while its instructions run."""

    def __init__(self) -> None:
        self.entries: dict[str, Entry] = {}
        self.layer = BASE
        self.wasted: dict[int, Estimate] = {}
        self.sure = True
        self.likely = True
        self.whiteouts = 0
        self._inodes = 0
        self._sums: dict[str, None] = {}
        self._has_links = False
        self._mounts: dict[str, dict[str, Entry]] = {}
        self._names = 0

    def fork(self) -> FileSystem:
        """Give a copy for a stage that builds on this one; its further layers get new numbers."""
        other = FileSystem()
        other.entries = dict(self.entries)
        other.layer, other._inodes, other._names = self.layer, self._inodes, self._names
        other._sums, other._has_links = dict(self._sums), self._has_links
        other.wasted = dict(self.wasted)
        return other

    def sums(self) -> list[tuple[str, Entry]]:
        """List what is only known as a sum."""
        return [(name, entry) for name in self._sums if (entry := self.entries.get(name)) is not None]

    def show(self, path: str, entry: Entry) -> None:
        """Let something be seen at a path that no layer holds, such as a file of a mount."""
        self.entries[path] = entry
        if entry.type == "sum":
            self._sums[path] = None
        self._has_links = self._has_links or entry.type == "symlink"

    def begin_layer(self, number: int) -> None:
        """Write from now on into a new layer."""
        self.layer = number
        self.whiteouts = 0
        self.sure = self.likely = True

    # ------------------------------------------------------------------ mounts

    def mount(self, path: str) -> None:
        """Hide what lies at a path behind a mount until the layer ends."""
        hidden = {name: entry for name, entry in self.entries.items() if is_below(name, path)}
        for name in hidden:
            del self.entries[name]
        self._mounts[path] = hidden

    def unmount_all(self) -> None:
        """Drop what was written to mounts and show again what they hid."""
        for path, hidden in reversed(self._mounts.items()):
            for name in [name for name in self.entries if is_below(name, path)]:
                del self.entries[name]
            self.entries.update(hidden)
        self._mounts.clear()

    def is_mounted(self, path: str) -> bool:
        """Tell whether what is written at a path stays out of the layer."""
        if self._mounts and any(is_below(path, mount) for mount in self._mounts):
            return True
        return path.startswith(_SYSTEM) and any(is_below(path, one) for one in _SYSTEM)

    def _layer_of(self, path: str) -> int:
        return MOUNTED if self.is_mounted(path) else self.layer

    # ------------------------------------------------------------------ looking

    def resolve(self, path: str) -> str:
        """Follow symbolic links in all folders of a path, not in its last name."""
        if not self._has_links:
            return path
        head, name = posixpath.split(path)
        for _ in range(20):
            if head == "/":
                break
            changed = False
            pieces = head.split("/")
            for end in range(2, len(pieces) + 1):
                entry = self.entries.get("/".join(pieces[:end]))
                if entry is not None and entry.type == "symlink":
                    start = normal(entry.target, "/".join(pieces[: end - 1]) or "/")
                    head = normal(posixpath.join(start, *pieces[end:]))
                    changed = True
                    break
            if not changed:
                break
        return posixpath.join(head, name) if name else head

    def get(self, path: str) -> Entry | None:
        """Give the entry at a path, symbolic links followed."""
        for _ in range(20):
            path = self.resolve(path)
            entry = self.entries.get(path)
            if entry is None or entry.type != "symlink":
                return entry
            path = normal(entry.target, posixpath.dirname(path))
        return None

    def is_directory(self, path: str) -> bool:
        """Tell whether a path is known to be a folder."""
        entry = self.get(path)
        if entry is not None:
            return entry.type == "directory"
        return path in _FOLDERS or any(is_below(name, path) and name != path for name in self.entries)

    def exists(self, path: str) -> bool:
        """Tell whether something is known to be at a path."""
        return self.get(path) is not None or self.is_directory(path)

    def below(self, path: str) -> list[tuple[str, Entry]]:
        """List what is known at and below a path, sums included."""
        path = self.resolve(path)
        exact = self.entries.get(path)
        if exact is not None and exact.type == "symlink":
            path = normal(exact.target, posixpath.dirname(path))
            exact = self.entries.get(path)
        if exact is not None and exact.type in ("file", "symlink"):
            return [(path, exact)]
        if path == "/":
            return list(self.entries.items())
        prefix = path + "/"
        found = [(name, entry) for name, entry in self.entries.items() if name.startswith(prefix)]
        return [(path, exact), *found] if exact is not None else found

    def glob(self, pattern: str) -> list[str]:
        """Give the known paths that a shell pattern means: the named path itself where it holds no wildcard."""
        if not re.search(r"[*?[]", pattern):
            return [pattern]
        expression = translate(pattern)
        if expression is None:
            return []
        depth = pattern.count("/")
        found: dict[str, None] = {}
        for name in self.entries:
            pieces = name.split("/")
            if len(pieces) <= depth or _SUM in pieces[depth]:
                continue
            start = "/".join(pieces[: depth + 1])
            if start not in found and expression.match(start) and not _is_hidden(pattern, start):
                found[start] = None
        return list(found)

    def nearest_sum(self, path: str) -> tuple[str, Entry] | None:
        """Give the largest of the sums in the nearest folder above a path that has any."""
        path = self.resolve(path)
        found = [(name, entry) for name, entry in self.sums() if is_below(path, _folder(name))]
        return max(found, key=lambda item: (len(_folder(item[0])), item[1].size.value), default=None)

    def claim(self, path: str) -> Claim | None:
        """Estimate what lies at a path that is not known itself but lies in a folder whose files are known as a sum.

        The sum nearest above it answers: an archive's for the folder it is unpacked to, since most hold one top
        folder; for others the share is not known, so that everything from nothing to all of it may lie there. None
        where no sum lies above.
        """
        path = self.resolve(path)
        nearest: list[tuple[str, Entry]] = []
        depth = -1
        for name, entry in self.sums():
            folder = _folder(name)
            if is_below(path, folder) and len(folder) >= depth:
                if len(folder) > depth:
                    nearest, depth = [], len(folder)
                nearest.append((name, entry))
        if not nearest:
            return None
        rest = path[depth:].strip("/").split("/")
        for name, entry in reversed(nearest):
            if entry.target and rest[0] == entry.target:
                if len(rest) == 1:
                    return Claim(entry.size, entry.origin, name, True)
                nearest = [(name, entry)]
                break
        name, best = max(reversed(nearest), key=lambda item: (item[1].layer == self.layer, item[1].size.value))
        if best.target and len(rest) == 1 and len(nearest) == 1:
            return Claim(Estimate(best.size.value, best.size.value * 0.3, best.size.high), best.origin, name, True)
        high = sum(entry.size.high for _, entry in nearest)
        if best.layer == BASE:
            return Claim(Estimate(min(2_000_000, high), 0, min(high, 250_000_000)), best.origin, name)
        share = {"archive": 0.6, "build": 1.0, "download": 0.6}.get(best.origin.kind, 0.1)
        return Claim(Estimate(best.size.value * share, 0, high), best.origin, name)

    # ------------------------------------------------------------------ writing

    def extract(
        self, folder: str, archive: Archive, origin: Origin, *, strip: int = 0, top: str = "", flat: bool = False
    ) -> None:
        """Unpack an archive into a folder: its members where they are known, else their sum.

        ``strip`` drops leading folders of the names, ``flat`` all of them; ``top`` is the folder name that the
        archive is expected to hold.
        """
        if archive.members is None:
            size = archive.unpacked
            target = "" if strip or flat else top
            self.add_sum(folder, Entry(size, self.layer, origin, "sum", 0, target=target, ratio=archive.ratio))
            return
        for name, size_bytes, target in archive.members:
            pieces = name.split("/")
            pieces = pieces[-1:] if flat else pieces[strip:]
            if not pieces:
                continue
            path = posixpath.join(folder, *pieces)
            if target.startswith("="):
                self.link(path, posixpath.join(folder, *target[1:].split("/")[strip:]), origin)
            elif target:
                self.put(path, Entry(ZERO, self.layer, origin, "symlink", target=target))
            else:
                self.put(path, Entry(Estimate.exact(size_bytes), self.layer, origin, ratio=archive.ratio))

    def put(self, path: str, entry: Entry) -> None:
        """Write a file, link or folder into the current layer; what it replaces in a lower layer is wasted."""
        path = self.resolve(path)
        layer = self._layer_of(path)
        old = self.entries.get(path)
        if old is not None and entry.type == "directory" and old.type == "directory":
            return
        if not self.sure and layer != MOUNTED:
            size = entry.size
            same = old is not None and old.layer == layer and old.type == entry.type
            least, most = (old.size.low, old.size.high) if same and old is not None else (0.0, 0.0)
            kept = old.size.value if same and old is not None else 0.0
            value = size.value if self.likely else kept
            entry = replace(entry, size=Estimate(value, min(least, size.low), max(most, size.high)))
        elif old is not None:
            self._forget(old)
        self.show(path, replace(entry, layer=layer))

    def add_sum(self, folder: str, entry: Entry, name: str = "") -> str:
        """Write files that are only known as a sum somewhere below a folder; give the key under which they stand."""
        if not name:
            self._names += 1
            name = str(self._names)
        key = posixpath.join(folder, _SUM + name)
        self.put(key, replace(entry, type="sum"))
        return key

    def settle(self, size_bytes: int, folder: str, origin: Origin) -> None:
        """Make the current layer weigh a number of bytes exactly: what it holds is scaled, or a sum is put there."""
        held = [(name, entry) for name, entry in self.entries.items()
                if entry.layer == self.layer and entry.type in ("file", "sum")]  # fmt: skip
        whole = sum(entry.size.value for _, entry in self.written(self.layer))
        if whole <= 0:
            self.add_sum(folder, Entry(Estimate.exact(size_bytes), 0, origin, "sum", 0))
            return
        for name, entry in held:
            told = replace(entry.origin, source=origin.source, unknown=False)
            size = Estimate.exact(entry.size.value * size_bytes / whole)
            self.entries[name] = replace(entry, size=size, origin=told)

    def replace_sums(self, prefix: str, items: Iterable[tuple[str, Entry]]) -> None:
        """Put (folder, entry) pairs in place of the sums of the current layer whose name begins with a prefix."""
        start = _SUM + prefix
        for key, entry in self.sums():
            if entry.layer in (self.layer, MOUNTED) and posixpath.basename(key).startswith(start):
                del self.entries[key]
        for index, (folder, entry) in enumerate(items):
            self.add_sum(folder, entry, f"{prefix}{self.layer}.{index}")

    def remove(self, path: str) -> None:
        """Delete a path and all below it: bytes of this layer vanish, those of lower layers are wasted."""
        path = self.resolve(path)
        victims = self.below_unfollowed(path)
        hidden = False
        for name, entry in victims:
            if entry.layer not in (self.layer, MOUNTED):
                hidden = True
            if not self.sure:
                if entry.layer == self.layer:
                    size = entry.size
                    value = 0 if self.likely else size.value
                    self.entries[name] = replace(entry, size=Estimate(value, 0, size.high))
                continue
            self._forget(entry)
            del self.entries[name]
        self.whiteouts += hidden

    def remove_cache_above(self, path: str) -> None:
        """Delete the caches that stand as a sum one folder above a path of theirs that is deleted."""
        folder = posixpath.dirname(path)
        for name, entry in self.sums():
            if entry.origin.kind == "cache" and _folder(name) == folder:
                self.remove(name)

    def below_unfollowed(self, path: str) -> list[tuple[str, Entry]]:
        """List what stands at and below a path; a symbolic link at the path is itself meant."""
        exact = self.entries.get(path)
        if exact is not None and exact.type in ("file", "symlink"):
            return [(path, exact)]
        return self.below(path)

    def copy_up(self, path: str, entry: Entry, origin: Origin, size: Estimate | None = None) -> None:
        """Write a file of a lower layer again because its content or metadata changes."""
        if entry.layer in (self.layer, MOUNTED) or entry.type in ("directory", "symlink"):
            if size is not None and entry.type == "file":
                self.entries[path] = replace(entry, size=size, text=None)
            return
        if not self.sure:
            # Both may hold the bytes then; the lower layer keeps its own, so only the new copy is unsure.
            now = size or entry.size
            self.entries[path] = replace(
                entry,
                layer=self.layer,
                origin=origin,
                inode=0,
                ratio=entry.gzip_ratio,
                size=Estimate(now.value if self.likely else 0, 0, now.high),
            )
            return
        self._forget(entry)
        # overlayfs copies each name of a hard-linked file on its own.
        changed = replace(
            entry, layer=self.layer, origin=origin, size=size or entry.size, inode=0, ratio=entry.gzip_ratio
        )
        self.entries[path] = changed if size is None else replace(changed, text=None)

    def link(self, path: str, target: str, origin: Origin) -> None:
        """Give a file a second name; a file of a lower layer is copied whole."""
        path, target = self.resolve(path), self.resolve(target)
        entry = self.entries.get(target)
        if entry is None or entry.type != "file":
            return
        self.copy_up(target, entry, origin)
        self._inodes += 1
        entry = self.entries[target]
        entry = replace(entry, inode=entry.inode or self._inodes)
        self.entries[target] = entry
        self.put(path, entry)

    def move(self, source: str, destination: str, origin: Origin) -> None:
        """Rename a path; what lies in lower layers is written again at its new place."""
        source = self.resolve(source)
        moved = self.below_unfollowed(source)
        for name, entry in moved:
            lower = entry.layer not in (self.layer, MOUNTED)
            if self.sure:
                if lower:
                    self._forget(entry)
                    self.whiteouts += 1
                del self.entries[name]
            new = (
                replace(entry, origin=origin, inode=0, ratio=entry.gzip_ratio)
                if lower and entry.type in ("file", "sum")
                else entry
            )
            self.put(destination + name[len(source) :] if source != "/" else destination + name, new)

    def _forget(self, entry: Entry) -> None:
        """Count the bytes of an entry as wasted if a lower layer goes on holding them."""
        if entry.layer in (self.layer, MOUNTED, BASE) and entry.type != "directory":
            return
        if entry.type in ("file", "sum"):
            self.wasted[entry.layer] = self.wasted.get(entry.layer, ZERO) + entry.size

    def forget_share(self, name: str, share: float) -> None:
        """Take a share of a sum away; what lower layers hold of it is wasted from now on."""
        entry = self.entries[name]
        self._forget(replace(entry, size=entry.size.scaled(share)))
        self.entries[name] = replace(entry, size=entry.size.scaled(1 - share))

    # ------------------------------------------------------------------ summing up

    def written(self, layer: int) -> Iterator[tuple[str, Entry]]:
        """Give the files and sums whose bytes a layer holds, each hard-linked file once."""
        inodes: set[int] = set()
        for name, entry in self.entries.items():
            if entry.layer != layer or entry.type not in ("file", "sum"):
                continue
            if entry.inode:
                if entry.inode in inodes:
                    continue
                inodes.add(entry.inode)
            yield name, entry


_FOLDERS_TEXT = """
/ /bin /boot /dev /etc /home /lib /lib64 /media /mnt /opt /proc /root /run /sbin /srv /sys /tmp /usr /usr/bin
/usr/lib /usr/local /usr/local/bin /usr/local/lib /usr/local/sbin /usr/local/share /usr/local/src /usr/sbin
/usr/share /usr/src /usr/local/etc /usr/local/include /usr/include /var /var/cache /var/lib /var/log /var/tmp
/var/run /etc/apt /etc/apt/sources.list.d /etc/apt/keyrings /usr/share/keyrings /etc/profile.d /etc/ssl
/etc/ssl/certs /etc/init.d /usr/local/share/ca-certificates /etc/apt/preferences.d /etc/apt/apt.conf.d /etc/cron.d
"""
_FOLDERS = frozenset(_FOLDERS_TEXT.split())


def _folder(key: str) -> str:
    """Give the folder in which a sum lies."""
    return posixpath.dirname(key)


def _is_hidden(pattern: str, path: str) -> bool:
    """Tell whether a name begins with a dot that the pattern does not spell."""
    for wanted, name in zip(pattern.split("/"), path.split("/"), strict=True):
        if name.startswith(".") and not wanted.startswith("."):
            return True
    return False
