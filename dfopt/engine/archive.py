"""Images on disk: OCI layouts (folders or tar files) and the archives of ``docker save``."""

from __future__ import annotations

import json
import os
import tarfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any, cast

from dfopt.images import facts as embedded_facts
from dfopt.images.built import BuiltImage, read_apk_database, read_dpkg_status, read_os_release, rows_of
from dfopt.images.model import ImageFacts
from dfopt.predict.model import RemoteSize

_REFERENCE = ("io.containerd.image.name", "org.opencontainers.image.ref.name")
_GZIP, _ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
_LIMIT_BYTES = 16_000_000
_MOST_DEPTH = 4


class ArchiveError(Exception):
    """A file or folder holds no image that can be read; the message is for people."""


class ArchiveFacts:
    """A source of facts from images on disk. Each is known under its own names, or under ``reference`` if given."""

    def __init__(self, platform: str = "linux/amd64") -> None:
        self.platform = platform
        self.failures: dict[str, str] = {}
        self._images: dict[str, BuiltImage] = {}

    def add(self, path: str, reference: str = "") -> None:
        """Read the images of a file or folder. Raises ArchiveError."""
        found = read_archive_images(path, self.platform)
        if reference:
            if len(found) != 1:
                raise ArchiveError(f"{path} holds {len(found)} images; name none or take one out")
            found = {reference: next(iter(found.values()))}
        for name, image in found.items():
            self._images[_full(name)] = image

    def image(self, reference: str) -> ImageFacts | None:
        """Give the facts of an image that was read."""
        built = self.built(reference)
        return built.facts(embedded_facts(reference)) if built is not None else None

    def built(self, reference: str) -> BuiltImage | None:
        """Give an image that was read, with its history."""
        return self._images.get(_full(reference))

    def remote(self, url: str) -> RemoteSize | None:
        """Give nothing: there are no downloads here."""
        return None


def _full(name: str) -> str:
    from dfopt.graph.image_names import full_name

    try:
        return full_name(name)
    except ValueError:
        return name


def read_archive_images(path: str, platform: str = "linux/amd64") -> dict[str, BuiltImage]:
    """Read the images of an OCI layout or a ``docker save`` archive, by their names ("" for one without).

    Layers are read through for their sizes and their lists of installed packages; nothing is written. Raises
    ArchiveError.
    """
    try:
        with _opened(path) as store:
            return {image.reference: image for image in _images(store, path, platform)}
    except (OSError, tarfile.TarError, ValueError, KeyError, TypeError, EOFError, zlib.error) as error:
        raise ArchiveError(f"{path}: holds no image that can be read: {error}") from error


class _Folder:
    """An OCI layout in a folder."""

    def __init__(self, path: str) -> None:
        self.path = os.path.realpath(path)

    def open(self, name: str) -> IO[bytes] | None:
        path = os.path.realpath(os.path.join(self.path, name))
        if not path.startswith(self.path + os.sep) or not os.path.isfile(path):
            return None
        return open(path, "rb")

    def size(self, name: str) -> int:
        return os.path.getsize(os.path.join(self.path, name))


class _Tar:
    """The members of a tar file."""

    def __init__(self, tar: tarfile.TarFile) -> None:
        self.tar = tar
        self.members = {member.name.removeprefix("./"): member for member in tar.getmembers()}

    def open(self, name: str) -> IO[bytes] | None:
        member = self.members.get(name)
        return self.tar.extractfile(member) if member is not None else None

    def size(self, name: str) -> int:
        member = self.members[name]
        return self.members[os.path.normpath(os.path.join(os.path.dirname(name), member.linkname))].size if (
            member.issym()) else member.size  # fmt: skip


@contextmanager
def _opened(path: str) -> Iterator[_Folder | _Tar]:
    if os.path.isdir(path):
        yield _Folder(path)
        return
    with tarfile.open(path) as tar:
        yield _Tar(tar)


def _json(store: _Folder | _Tar, name: str) -> Any:
    file = store.open(name)
    if file is None:
        raise ValueError(f"{name} is missing")
    with file:
        return json.loads(file.read(_LIMIT_BYTES))


def _blob(digest: str) -> str:
    algorithm, _, value = digest.partition(":")
    if not algorithm.isalnum() or not value.isalnum():
        raise ValueError(f"{digest!r} is no digest")
    return f"blobs/{algorithm}/{value}"


def _images(store: _Folder | _Tar, path: str, platform: str) -> Iterator[BuiltImage]:
    where = os.path.basename(os.path.normpath(path))
    saved = store.open("manifest.json")
    if saved is not None:
        saved.close()
        for entry in _json(store, "manifest.json"):
            config = _json(store, entry["Config"])
            image = _image(store, config, entry["Layers"], where)
            for name in entry.get("RepoTags") or [""]:
                yield _named(image, name)
        return
    for descriptor in _json(store, "index.json").get("manifests") or ():
        manifest = _manifest(store, descriptor, platform, 0)
        if manifest is None:
            continue
        config = _json(store, _blob(manifest["config"]["digest"]))
        image = _image(store, config, [_blob(layer["digest"]) for layer in manifest["layers"]], where)
        notes = descriptor.get("annotations") or {}
        yield _named(image, next((notes[key] for key in _REFERENCE if notes.get(key)), ""))


def _named(image: BuiltImage, name: str) -> BuiltImage:
    from msgspec.structs import replace

    return replace(image, reference=name)


def _manifest(store: _Folder | _Tar, descriptor: dict[str, Any], platform: str, depth: int) -> dict[str, Any] | None:
    """Follow an index to the manifest of a platform; None for what is no image of it."""
    place = descriptor.get("platform") or {}
    if place and f"{place.get('os')}/{place.get('architecture')}" != "/".join(platform.split("/")[:2]):
        return None
    found = cast("dict[str, Any]", _json(store, _blob(descriptor["digest"])))
    if "manifests" not in found or depth >= _MOST_DEPTH:
        return found if "layers" in found else None
    inner = (_manifest(store, each, platform, depth + 1) for each in found["manifests"])
    return next((each for each in inner if each is not None), None)


def _image(store: _Folder | _Tar, config: dict[str, Any], layers: list[str], where: str) -> BuiltImage:
    sizes: list[int | None] = []
    packed: list[int | None] = []
    texts: dict[str, str] = {}
    for name in layers:
        size, compressed = _layer(store, name, texts)
        sizes.append(size)
        packed.append(compressed)
    packages: dict[str, str] = {}
    for path, text in texts.items():
        if path.startswith("var/lib/dpkg/"):
            packages |= read_dpkg_status(text)
        elif path == "lib/apk/db/installed":
            packages |= read_apk_database(text)
    release = read_os_release(texts.get("etc/os-release") or texts.get("usr/lib/os-release") or "")
    rows = rows_of(config, sizes, packed)
    return BuiltImage("", rows, config.get("config") or {}, f"the image in {where}", packages, release)


def _layer(store: _Folder | _Tar, name: str, texts: dict[str, str]) -> tuple[int | None, int | None]:
    """Give a layer's bytes unpacked and, where it is packed, compressed; keep the files that list packages."""
    file = store.open(name)
    if file is None:
        raise ValueError(f"{name} is missing")
    with file:
        magic = file.read(4)
        file.seek(0)
        if magic == _ZSTD:
            return None, store.size(name)
        total = 0
        with tarfile.open(fileobj=file, mode="r|gz" if magic[:2] == _GZIP else "r|") as tar:
            for member in tar:
                if not member.isreg():
                    continue
                total += member.size
                path = member.name.removeprefix("./").lstrip("/")
                if _is_wanted(path) and member.size <= _LIMIT_BYTES and (inner := tar.extractfile(member)) is not None:
                    texts[path] = inner.read().decode("utf-8", "replace")
        return total, store.size(name) if magic[:2] == _GZIP else None


def _is_wanted(path: str) -> bool:
    return path in ("var/lib/dpkg/status", "lib/apk/db/installed", "etc/os-release", "usr/lib/os-release") or (
        path.startswith("var/lib/dpkg/status.d/") and not path.endswith(".md5sums")
    )
