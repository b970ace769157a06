"""Sizes of downloads, asked from their servers: the length, and for archives what they unpack to."""

from __future__ import annotations

import io
import lzma
import tempfile
import urllib.error
import urllib.request
import zipfile
from http.client import HTTPException
from typing import cast
from urllib.parse import urlsplit

from dfopt.images.model import ImageFacts
from dfopt.predict.archive import gzip_trailer_size, is_tar_name, read_archive, xz_size
from dfopt.predict.model import RemoteSize

_TIMEOUT_SECONDS = 15.0
_AGENT = "dfopt (asks for the size of a download)"
_WHOLE_BYTES = 100_000_000
"""How large an archive may be that is read to its end because its server gives no ranges."""
_LIMIT_BYTES = 4_000_000
"""How much of an archive's directory is read at most."""


class _NoRangesError(OSError):
    """A server sends the whole file where a range is asked for."""


class Downloads:
    """A source of facts that asks HTTP servers: one HEAD request per URL, and for archives one or two small ranges.

    An archive whose server gives no ranges is read to its end if it is small, and thrown away. Answers are kept,
    failures too. Only http and https are asked; nothing but the URL is sent. ``failures`` says why a URL gave
    nothing.
    """

    def __init__(self, timeout_seconds: float = _TIMEOUT_SECONDS) -> None:
        self.timeout_seconds = timeout_seconds
        self.failures: dict[str, str] = {}
        self._answers: dict[str, RemoteSize | None] = {}

    def image(self, reference: str) -> ImageFacts | None:
        """Give nothing: images are not this source's business."""
        return None

    def remote(self, url: str) -> RemoteSize | None:
        """Give the size of a download, or None where its server does not tell."""
        if url not in self._answers:
            try:
                self._answers[url] = self._ask(url)
            except (OSError, HTTPException, ValueError) as error:
                self._answers[url] = None
                self.failures[url] = str(getattr(error, "reason", error)) or type(error).__name__
        return self._answers[url]

    def _ask(self, url: str) -> RemoteSize | None:
        if urlsplit(url).scheme not in ("http", "https") or "*" in url:
            return None
        size = self._length(url)
        if size is None:
            self.failures[url] = "the server does not tell the length"
            return None
        name = urlsplit(url).path.lower()
        if not name.endswith((".gz", ".tgz", ".zip", ".jar", ".war", ".whl", ".xz", ".txz", ".nupkg")):
            return RemoteSize(size)
        try:
            unpacked = self._unpacked(url, name, size)
        except _NoRangesError:
            return RemoteSize(size, self._read_through(url, size))
        except (OSError, HTTPException, ValueError, zipfile.BadZipFile, lzma.LZMAError, IndexError):
            unpacked = None
        if unpacked is not None and is_tar_name(name):
            return RemoteSize(size, None, unpacked)
        return RemoteSize(size, unpacked)

    def _length(self, url: str) -> int | None:
        """Ask for the length by HEAD; where that is refused, by a request for the first byte."""
        try:
            with self._open(url, "HEAD", None) as answer:
                length = answer.headers.get("Content-Length")
                if length is not None and not answer.headers.get("Content-Encoding"):
                    return int(length)
        except urllib.error.HTTPError as error:
            if error.code not in (400, 403, 405, 501):
                raise
        with self._open(url, "GET", "bytes=0-0") as answer:
            total = (answer.headers.get("Content-Range") or "").rpartition("/")[2]
            if answer.status == 206 and total.isdigit():
                return int(total)
            length = answer.headers.get("Content-Length")
            return int(length) if length is not None and answer.status == 200 else None

    def _unpacked(self, url: str, name: str, size: int) -> int | None:
        if name.endswith((".gz", ".tgz")):
            return gzip_trailer_size(self._range(url, max(size - 8, 0), size), size)
        self._range(url, max(size - 22, 0), size)  # Raises where there are no ranges; zipfile would hide that.
        reader = io.BufferedReader(cast("io.RawIOBase", _Ranges(self, url, size)), 65_536)
        if name.endswith((".xz", ".txz")):
            return xz_size(reader)
        with zipfile.ZipFile(reader) as archive:
            return sum(info.file_size for info in archive.infolist())

    def _read_through(self, url: str, size: int) -> int | None:
        """Read an archive to its end, where its server gives no ranges; too large ones are left alone."""
        if size > _WHOLE_BYTES:
            return None
        with tempfile.NamedTemporaryFile(prefix="dfopt-") as file, self._open(url, "GET", None) as answer:
            while chunk := answer.read(1 << 18):
                file.write(chunk)
                if file.tell() > size:
                    return None
            file.flush()
            archive = read_archive(file.name)
        return None if archive is None else round(archive.unpacked.value)

    def _range(self, url: str, start: int, end: int) -> bytes:
        """Fetch the bytes from ``start`` to ``end``. Raises _NoRangesError where the server gives no ranges."""
        with self._open(url, "GET", f"bytes={start}-{end - 1}") as answer:
            if answer.status != 206:
                raise _NoRangesError
            data: bytes = answer.read(_LIMIT_BYTES)
            return data

    def _open(self, url: str, method: str, wanted: str | None) -> urllib.response.addinfourl:
        headers = {"User-Agent": _AGENT, "Accept-Encoding": "identity"}
        if wanted is not None:
            headers["Range"] = wanted
        request = urllib.request.Request(url, method=method, headers=headers)
        answer: urllib.response.addinfourl = urllib.request.urlopen(request, timeout=self.timeout_seconds)
        return answer


class _Ranges(io.RawIOBase):
    """A remote file that is read by ranges, as far as needed."""

    def __init__(self, downloads: Downloads, url: str, size: int) -> None:
        super().__init__()
        self._downloads, self._url, self._size = downloads, url, size
        self._position = 0
        self._read_bytes = 0

    def readable(self) -> bool:
        """Tell that it can be read."""
        return True

    def seekable(self) -> bool:
        """Tell that it can be moved in."""
        return True

    def tell(self) -> int:
        """Give the position."""
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move to a position."""
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}[whence]
        self._position = max(0, start + offset)
        return self._position

    def readinto(self, buffer: bytearray) -> int:  # type: ignore[override]  # any writable buffer is a bytearray here
        """Fetch the next bytes. Raises OSError beyond the limit."""
        end = min(self._position + len(buffer), self._size)
        if end <= self._position:
            return 0
        self._read_bytes += end - self._position
        if self._read_bytes > _LIMIT_BYTES:
            raise OSError("the archive's directory is too large")
        data = self._downloads._range(self._url, self._position, end)
        buffer[: len(data)] = data
        self._position += len(data)
        return len(data)
