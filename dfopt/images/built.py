"""An image that exists: its history with real sizes and its configuration, whoever told them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct, field
from msgspec.structs import replace

from dfopt.images.model import ImageFacts

_KEYWORDS = frozenset(
    ("ADD", "ARG", "CMD", "COPY", "ENTRYPOINT", "ENV", "EXPOSE", "FROM", "HEALTHCHECK", "LABEL", "MAINTAINER",
     "ONBUILD", "RUN", "SHELL", "STOPSIGNAL", "USER", "VOLUME", "WORKDIR")
)  # fmt: skip
_LAYERS = frozenset(("RUN", "COPY", "ADD", "WORKDIR"))
_NOP = re.compile(r"/bin/sh -c #\(nop\)\s+(.*)", re.DOTALL)
_NOTE = re.compile(r"\s+# buildkit\s*$")
_UNPACKED = (1 / 0.38, 1 / 0.55, 1 / 0.25)
"""Unpacked bytes per compressed byte of an image's layers: usual, least and most."""


class BuiltLayer(Struct, frozen=True):
    """One row of an image's history.

    ``size_bytes`` are the bytes of its files, unpacked, ``compressed_bytes`` those to pull; None where nobody told.
    ``empty`` is set where it is known that the row made no layer.
    """

    created_by: str
    size_bytes: int | None = None
    compressed_bytes: int | None = None
    empty: bool | None = None

    @property
    def text(self) -> str:
        """What made it, on one line, without the builders' decoration."""
        text = _NOTE.sub("", self.created_by)
        match = _NOP.match(text)
        return " ".join((match[1] if match is not None else text).split())

    @property
    def keyword(self) -> str:
        """The keyword of the instruction that made it; what is none of the others was a RUN of the classic builder."""
        word = self.text.split(" ", 1)[0].upper()
        return word if word in _KEYWORDS else "RUN"

    @property
    def makes_layer(self) -> bool:
        """Tell whether the row is a layer, or else only configuration."""
        return self.keyword in _LAYERS if self.empty is None else not self.empty


class BuiltImage(Struct, frozen=True):
    """An image with its history, the lowest row first, and the ``config`` object of its configuration.

    ``source`` says who told it. ``packages`` are installed packages with versions, where its files were read.
    """

    reference: str
    rows: tuple[BuiltLayer, ...]
    config: Mapping[str, Any] = field(default_factory=dict)
    source: str = ""
    packages: Mapping[str, str] = field(default_factory=dict)
    os_release: Mapping[str, str] = field(default_factory=dict)
    total_bytes: int | None = None
    """All bytes unpacked, where only the sum is known."""
    total_compressed: int | None = None

    @property
    def layers(self) -> tuple[BuiltLayer, ...]:
        """The rows that are layers."""
        return tuple(row for row in self.rows if row.makes_layer)

    @property
    def size_bytes(self) -> int | None:
        """All bytes unpacked; None where a layer's are not known."""
        if self.total_bytes is not None:
            return self.total_bytes
        sizes = [row.size_bytes for row in self.rows if not row.empty]
        return None if any(size is None for size in sizes) else sum(size or 0 for size in sizes)

    @property
    def compressed_bytes(self) -> int | None:
        """All bytes to pull; None where they are not known."""
        if self.total_compressed is not None:
            return self.total_compressed
        sizes = [row.compressed_bytes for row in self.rows if not row.empty]
        return None if not sizes or any(size is None for size in sizes) else sum(size or 0 for size in sizes)

    def facts(self, known: ImageFacts | None) -> ImageFacts:
        """Give the facts of this image, laid over what is known of its name from elsewhere."""
        base = known if known is not None else ImageFacts(self.reference)
        given: dict[str, Any] = {"confidence": "measured", "source": self.source}
        given |= self._sizes(base)
        config = self.config
        environment = dict(entry.partition("=")[::2] for entry in config.get("Env") or ())
        if config:
            given |= {
                "environment": environment,
                "user": config.get("User") or "",
                "workdir": config.get("WorkingDir") or "/",
                "onbuild": tuple(config.get("OnBuild") or ()),
                "entrypoint": _words(config.get("Entrypoint")),
                "command": _words(config.get("Cmd")),
                "shell": _words(config.get("Shell")) or base.shell,
            }
        if self.packages:
            given["packages"] = self.packages
        if self.os_release.get("ID"):
            given["distribution"] = self.os_release["ID"]
            given["release"] = _release(self.os_release) or base.release
            given["package_manager"] = base.package_manager or _MANAGERS.get(self.os_release["ID"], "")
        return replace(base, **given)

    def _sizes(self, base: ImageFacts) -> dict[str, Any]:
        compressed, size = self.compressed_bytes, self.size_bytes
        given: dict[str, Any] = {"layers": len([row for row in self.rows if row.makes_layer])}
        if compressed is not None:
            given["compressed_bytes"] = compressed
        if size is not None:
            given |= {"size_bytes": size, "low_bytes": size, "high_bytes": size}
            if compressed is None and base.compressed_bytes and base.size_bytes:
                given["compressed_bytes"] = round(base.compressed_bytes * size / base.size_bytes)
            return given
        if compressed is None:
            return {}
        usual, least, most = _UNPACKED
        if base.compressed_bytes and base.size_bytes:
            usual = base.size_bytes / base.compressed_bytes
            near = 0.01 if abs(base.compressed_bytes - compressed) < 0.02 * compressed else 0.06
            least, most = usual * (1 - near), usual * (1 + near)
        return given | {
            "size_bytes": round(compressed * usual),
            "low_bytes": round(compressed * least),
            "high_bytes": round(compressed * most),
            "confidence": "measured" if most - least < 0.2 * usual else "estimated",
        }


_MANAGERS = {"debian": "apt", "ubuntu": "apt", "alpine": "apk", "fedora": "dnf", "centos": "dnf", "rhel": "dnf",
             "rocky": "dnf", "almalinux": "dnf", "amzn": "dnf"}  # fmt: skip


def rows_of(
    config: Mapping[str, Any], sizes: Sequence[int | None], compressed: Sequence[int | None]
) -> tuple[BuiltLayer, ...]:
    """Join the history of an image's configuration with the sizes of its layers, both from the lowest on.

    Without a history, or where it tells another number of layers, every layer is a row without a text.
    """
    history = [row for row in config.get("history") or () if isinstance(row, dict)]
    if sum(not row.get("empty_layer") for row in history) != len(sizes):
        return tuple(BuiltLayer("", size, packed, False) for size, packed in zip(sizes, compressed, strict=True))
    left = iter(zip(sizes, compressed, strict=True))
    rows: list[BuiltLayer] = []
    for row in history:
        if row.get("empty_layer"):
            rows.append(BuiltLayer(str(row.get("created_by", "")), 0, 0, True))
        else:
            rows.append(BuiltLayer(str(row.get("created_by", "")), *next(left), False))
    return tuple(rows)


def read_os_release(text: str) -> dict[str, str]:
    """Read the assignments of ``/etc/os-release``."""
    pairs = (line.partition("=") for line in text.splitlines() if "=" in line and not line.startswith("#"))
    return {name.strip(): value.strip().strip("\"'") for name, _, value in pairs}


def read_dpkg_status(text: str) -> dict[str, str]:
    """Give the installed packages of a dpkg status file with their versions."""
    found: dict[str, str] = {}
    for stanza in text.split("\n\n"):
        fields = dict(line.split(": ", 1) for line in stanza.splitlines() if ": " in line and not line.startswith(" "))
        if "Package" in fields and fields.get("Status", "").endswith(" installed"):
            found[fields["Package"]] = fields.get("Version", "")
    return found


def read_apk_database(text: str) -> dict[str, str]:
    """Give the installed packages of apk's database with their versions."""
    found: dict[str, str] = {}
    name = ""
    for line in text.splitlines():
        if line.startswith("P:"):
            name = line[2:]
        elif line.startswith("V:") and name:
            found[name] = line[2:]
    return found


def _words(value: object) -> tuple[str, ...]:
    if isinstance(value, str):
        return (value,)
    return tuple(str(word) for word in value) if isinstance(value, (list, tuple)) else ()


def _release(os_release: Mapping[str, str]) -> str:
    version = os_release.get("VERSION_ID", "")
    if os_release.get("ID") == "alpine":
        return ".".join(version.split(".")[:2])
    return os_release.get("VERSION_CODENAME", "") if os_release.get("ID") == "debian" else version
