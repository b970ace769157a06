"""What archives unpack to: read from their headers where they are at hand, else estimated from names and sizes."""

from __future__ import annotations

import bz2
import gzip
import importlib
import io
import lzma
import os
import posixpath
import re
import tarfile
import zipfile
import zlib
from collections.abc import Callable
from functools import lru_cache
from typing import IO, cast

from msgspec.structs import replace

from dfopt.predict.filesystem import Archive
from dfopt.predict.model import Estimate, RemoteSize

_READ_LIMIT = 400_000_000
"""Packed bytes beyond which an archive is not read to its end but judged by its trailer."""
_MEMBERS_LIMIT = 50_000
_TAR_SUFFIX = re.compile(
    r"\.(?:tar|tgz|tbz2?|txz|tzst|tar\.(?:gz|bz2|xz|zst|zstd|lz|lzma|Z)|tar-gz|crate)$", re.IGNORECASE
)
_PACKED_SUFFIX = re.compile(r"\.(?:gz|bz2|xz|zst|lzma|Z)$", re.IGNORECASE)
_OTHER_SUFFIX = re.compile(r"\.(?:zip|jar|war|ear|whl|apk|deb|rpm|7z|nupkg)$", re.IGNORECASE)
_INCOMPRESSIBLE = re.compile(
    r"\.(?:gz|tgz|bz2|tbz2?|xz|txz|zst|7z|zip|jar|war|ear|whl|deb|rpm|apk|gem|png|jpe?g|gif|webp|woff2?|mp[34]|mov"
    r"|mkv|webm|ogg|flac|br|lz4|rar|pdf|docx|xlsx|pptx|npz|pkl\.gz|onnx|safetensors|pt|pth|parquet)$",
    re.IGNORECASE,
)
# Unpacked over packed bytes: value, low, high; of release archives of programs, and of sources.
_EXPANSION: tuple[tuple[str, tuple[float, float, float]], ...] = (
    (r"\.(?:tar\.xz|txz|tar\.lzma|tar\.zst|tzst)$", (4.6, 2.4, 8.0)),
    (r"\.(?:tar\.bz2|tbz2?)$", (4.4, 2.2, 7.5)),
    (r"\.(?:tar\.gz|tgz|crate|tar\.Z)$", (3.4, 1.5, 6.0)),
    (r"\.(?:zip|jar|war|ear|whl|nupkg)$", (2.8, 1.1, 5.0)),
    (r"\.tar$", (0.99, 0.9, 1.0)),
    (r"\.(?:deb|rpm|apk)$", (3.8, 1.5, 7.0)),
    (r"\.(?:xz|zst|bz2|lzma)$", (4.5, 1.8, 9.0)),
    (r"\.(?:gz|Z)$", (3.2, 1.3, 8.0)),
)


# A download of which only the name is known, in bytes: value, low, high.
_BY_NAME: tuple[tuple[str, Estimate], ...] = (
    (r"\.(?:asc|sig|gpg|key|pub|sha\d*(?:sum)?|md5|pem|crt)$|SHASUMS|checksums", Estimate(2_500, 50, 60_000)),
    (
        r"\.(?:sh|bash|py|pl|list|repo|conf|cfg|ini|json|ya?ml|toml|txt|xml|patch|diff|service)$",
        Estimate(12_000, 100, 500_000),
    ),
    (
        r"\.(?:tar\.\w+|tgz|tbz2?|txz|zip|jar|war|deb|rpm|apk|whl|7z|gz|xz|bz2|zst)$",
        Estimate(15_000_000, 20_000, 500_000_000),
    ),
    (
        r"\.(?:iso|img|bin|run|appimage|exe|msi|pt|pth|onnx|safetensors|gguf|h5|pkl)$",
        Estimate(60_000_000, 500_000, 3_000_000_000),
    ),
)
_ANY_DOWNLOAD = Estimate(5_000_000, 100, 500_000_000)


def size_by_name(name: str) -> Estimate:
    """Estimate the bytes of a download of which only the name is known."""
    for pattern, size in _BY_NAME:
        if re.search(pattern, name, re.IGNORECASE):
            return size
    return _ANY_DOWNLOAD


def is_tar_name(name: str) -> bool:
    """Tell whether a file name says that it is a tar archive."""
    return _TAR_SUFFIX.search(name) is not None


def is_archive_name(name: str) -> bool:
    """Tell whether a file name says that it is an archive or a packed file."""
    return any(pattern.search(name) for pattern in (_TAR_SUFFIX, _PACKED_SUFFIX, _OTHER_SUFFIX))


def gzip_ratio(name: str, default: float = 0.38) -> float:
    """Give the share of its bytes to which gzip brings a file, judged by its name."""
    return 1.0 if _INCOMPRESSIBLE.search(name) else default


def stem(name: str) -> str:
    """Give the folder name that an archive of this name usually holds: the name without its packing suffixes."""
    base = posixpath.basename(name.split("?", 1)[0])
    for pattern in (_TAR_SUFFIX, _OTHER_SUFFIX, _PACKED_SUFFIX):
        shorter = pattern.sub("", base)
        if shorter != base:
            return shorter
    return base


def unpacked_of(name: str, remote: RemoteSize | None) -> Estimate:
    """Estimate what a fetched archive unpacks to, from what is known of its sizes or from its name alone."""
    if remote is not None and remote.unpacked_bytes is not None:
        return Estimate.exact(remote.unpacked_bytes)
    if remote is not None and remote.tar_bytes is not None:
        # A tar holds 512 bytes of header per member, and pads each to 512.
        return Estimate(remote.tar_bytes * 0.985, remote.tar_bytes * 0.8, remote.tar_bytes)
    if remote is not None:
        for pattern, (value, low, high) in _EXPANSION:
            if re.search(pattern, name.split("?", 1)[0], re.IGNORECASE):
                size = remote.size_bytes
                return Estimate(size * value, size * low, size * high)
        return Estimate(remote.size_bytes * 2.5, remote.size_bytes * 0.9, remote.size_bytes * 8)
    return Estimate(40_000_000, 100_000, 800_000_000)


@lru_cache(maxsize=64)
def _read(path: str, size: int, modified: int, only_tar: bool) -> Archive | None:
    try:
        found = _tar(path, size) or (None if only_tar else _zip(path) or _single(path, size))
    except (OSError, tarfile.TarError, zipfile.BadZipFile, EOFError, lzma.LZMAError, zlib.error, ValueError):
        return None
    if found is None:
        return None
    return replace(found, ratio=_content_ratio(path, size, found.unpacked))


def _content_ratio(name: str, packed_bytes: float, unpacked: Estimate) -> float | None:
    """Judge by an archive's own size what gzip makes of its content."""
    if unpacked.value <= packed_bytes:
        return None
    ratio = packed_bytes / unpacked.value
    if re.search(r"\.(?:tar\.)?(?:t?xz|t?zst|lzma|t?bz2?)$", name):
        ratio *= 1 + 0.35 * (1 - ratio)  # These pack better than gzip, the more so the better it packs.
    return min(1.0, ratio)


def archive_of(name: str, remote: RemoteSize | None) -> Archive:
    """Give what is known of a fetched archive."""
    unpacked = unpacked_of(name, remote)
    known = remote is not None and unpacked.low == unpacked.high
    return Archive(unpacked, None, _content_ratio(name, remote.size_bytes, unpacked) if known and remote else None)


_SAMPLE_BYTES = 16_384
_WORTH_A_SAMPLE = 50_000


@lru_cache(maxsize=4096)
def measured_ratio(path: str, size: int) -> float | None:
    """Pack samples of a file on disk and give what gzip makes of its bytes; None for small or unreadable files."""
    if size < _WORTH_A_SAMPLE:
        return None
    try:
        with open(path, "rb") as stream:
            sample = b""
            for start in (0, size // 2, max(size - _SAMPLE_BYTES, 0)):
                stream.seek(start)
                sample += stream.read(_SAMPLE_BYTES)
    except OSError:
        return None
    return min(1.0, len(zlib.compress(sample, 6)) / len(sample)) if sample else None


def read_archive(path: str, *, only_tar: bool = False) -> Archive | None:
    """Read what a file on disk unpacks to; None where it is no archive or cannot be read.

    With ``only_tar``, other formats than (packed) tar count as no archive, as ADD sees it.
    """
    try:
        status = os.stat(path)
    except OSError:
        return None
    return _read(path, status.st_size, status.st_mtime_ns, only_tar)


_Opener = Callable[[IO[bytes]], IO[bytes]]


def _opener(magic: bytes) -> _Opener | None:
    """Give what decompresses a file that begins with these bytes; None for a format that cannot be read here."""
    if magic.startswith(b"\x1f\x8b"):
        return lambda stream: cast("IO[bytes]", gzip.GzipFile(fileobj=stream))
    if magic.startswith(b"BZh"):
        return lambda stream: cast("IO[bytes]", bz2.BZ2File(stream))
    if magic.startswith((b"\xfd7zXZ\x00", b"\x5d\x00\x00")):
        return lambda stream: cast("IO[bytes]", lzma.LZMAFile(stream))
    if magic.startswith(b"\x28\xb5\x2f\xfd"):
        return _zstd_opener()
    return lambda stream: stream


def _zstd_opener() -> _Opener | None:
    for module, make in (("compression.zstd", "ZstdFile"), ("zstandard", "open")):  # Python 3.14, or its forerunner.
        try:
            opener = getattr(importlib.import_module(module), make)
        except ImportError:
            continue
        return lambda stream: cast("IO[bytes]", opener(stream))
    return None


def _tar(path: str, size: int) -> Archive | None:
    with open(path, "rb") as stream:
        magic = stream.read(16)
        stream.seek(0)
        opener = _opener(magic)
        if opener is None:
            total = _zstd_size(magic)
            known = total is not None and is_tar_name(path)
            return Archive(Estimate(total * 0.98, total * 0.85, total)) if known and total is not None else None
        plain = opener(stream)
        head = plain.read(512)
        if not _is_tar_header(head):
            return None
        if size > _READ_LIMIT:
            total = _trailer_size(path, magic, size)
            return None if total is None else Archive(Estimate(total * 0.98, total * 0.85, total))
        stream.seek(0)
        return _tar_members(opener(stream))


def _is_tar_header(head: bytes) -> bool:
    """Tell whether a block is a tar header, by its checksum."""
    if len(head) < 512:
        return False
    try:
        return tarfile.nti(head[148:156]) in tarfile.calc_chksums(head)  # type: ignore[attr-defined]  # not in typeshed
    except (tarfile.TarError, ValueError):
        return False


def _tar_members(plain: IO[bytes]) -> Archive:
    members: list[tuple[str, int, str]] = []
    sizes: dict[str, int] = {}
    with tarfile.open(fileobj=plain, mode="r|") as archive:
        for member in archive:
            archive.members = []  # type: ignore[attr-defined]  # keeps memory flat while streaming
            name = posixpath.normpath("/" + member.name).lstrip("/")
            if member.isreg():
                sizes[name] = member.size
                if len(members) < _MEMBERS_LIMIT:
                    members.append((name, member.size, ""))
            elif member.islnk():
                if len(members) < _MEMBERS_LIMIT:
                    members.append((name, 0, "=" + posixpath.normpath("/" + member.linkname).lstrip("/")))
            elif member.issym() and len(members) < _MEMBERS_LIMIT:
                members.append((name, 0, member.linkname))
    known = tuple(members) if len(members) < _MEMBERS_LIMIT else None
    return Archive(Estimate.exact(sum(sizes.values())), known)


def _zip(path: str) -> Archive | None:
    if not zipfile.is_zipfile(path):
        return None
    with zipfile.ZipFile(path) as archive:
        listed = [info for info in archive.infolist() if not info.is_dir()]
    total = sum(info.file_size for info in listed)
    members = tuple((posixpath.normpath("/" + info.filename).lstrip("/"), info.file_size, "") for info in listed)
    return Archive(Estimate.exact(total), members if len(members) < _MEMBERS_LIMIT else None)


def _single(path: str, size: int) -> Archive | None:
    """Read a packed single file (``data.csv.gz``)."""
    with open(path, "rb") as stream:
        magic = stream.read(16)
        opener = _opener(magic)
        if opener is None:
            total = _zstd_size(magic)
            return None if total is None else Archive(Estimate.exact(total))
        if not magic.startswith((b"\x1f\x8b", b"BZh", b"\xfd7zXZ\x00", b"\x5d\x00\x00", b"\x28\xb5\x2f\xfd")):
            return None
        if size > _READ_LIMIT:
            known = _trailer_size(path, magic, size)
            return None if known is None else Archive(Estimate.exact(known))
        stream.seek(0)
        plain = opener(stream)
        total = 0
        while chunk := plain.read(1 << 20):
            total += len(chunk)
        return Archive(Estimate.exact(total))


def gzip_trailer_size(trailer: bytes, packed: int) -> int | None:
    """Give the unpacked size that the end of a gzip file states; None if it cannot be right.

    The field holds the size modulo 2**32; it is made plausible by the packed size.
    """
    if len(trailer) < 4:
        return None
    size = int.from_bytes(trailer[-4:], "little")
    while size < packed * 0.9:  # The field wraps at 4 GiB.
        size += 1 << 32
    return size if size < packed * 1100 else None


def _trailer_size(path: str, magic: bytes, size: int) -> int | None:
    """Give the unpacked size from the end of a gzip or xz file."""
    with open(path, "rb") as stream:
        if magic.startswith(b"\x1f\x8b"):
            stream.seek(-4, io.SEEK_END)
            return gzip_trailer_size(stream.read(4), size)
        if magic.startswith(b"\xfd7zXZ\x00"):
            return xz_size(stream)
    return None


def xz_size(stream: IO[bytes]) -> int | None:
    """Sum the block sizes of an xz file's index (xz file format 1.2.1, section 4)."""
    stream.seek(-12, io.SEEK_END)
    footer = stream.read(12)
    if footer[-2:] != b"YZ":
        return None
    length = (int.from_bytes(footer[4:8], "little") + 1) * 4
    stream.seek(-12 - length, io.SEEK_END)
    index = stream.read(length)
    position = 1
    count, position = _varint(index, position)
    total = 0
    for _ in range(count):
        _, position = _varint(index, position)
        block, position = _varint(index, position)
        total += block
    return total


def _varint(data: bytes, position: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if not byte & 0x80:
            return value, position
        shift += 7


def _zstd_size(head: bytes) -> int | None:
    """Give the content size that a zstd frame header states (RFC 8878, section 3.1.1.1), None where it does not."""
    if len(head) < 14 or not head.startswith(b"\x28\xb5\x2f\xfd"):
        return None
    descriptor = head[4]
    code, single = descriptor >> 6, descriptor >> 5 & 1
    width = (1 if single else 0, 2, 4, 8)[code]
    if width == 0:
        return None
    start = 5 + (0 if single else 1) + (0, 1, 2, 4)[descriptor & 3]
    size = int.from_bytes(head[start : start + width], "little")
    return size + 256 if width == 2 else size
