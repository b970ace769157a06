"""The embedded facts, found by reference.

The data is lines of JSON sorted by reference. One lookup reads the file once and parses the one line it needs, so
that a lint of a file with two stages pays well under a millisecond for it; an unknown tag costs the parsing of its
image's rows.
"""

from __future__ import annotations

import os
from collections.abc import ItemsView, Iterator, Mapping
from functools import lru_cache
from typing import Any, cast

from msgspec.json import decode, encode

from dfopt.images.model import ImageFacts
from dfopt.images.names import canonical, stem
from dfopt.images.nearest import nearest

Row = dict[str, Any]


@lru_cache(maxsize=256)
def facts(reference: str) -> ImageFacts | None:
    """Give what is known of the image that a FROM names.

    ``reference`` is what stands after FROM, variables expanded. Docker Hub's other names and its public mirrors are the
    same images; a digest beside a tag is ignored (the figures are those of the tag). A tag that is not recorded is
    estimated from the image's nearest tag, with an interval to match. None: nothing is known of the image.
    """
    name = canonical(reference)
    if name is None:
        return None
    if name.image == "scratch" and name.tag in ("", "latest"):
        return _made(reference, "scratch", _row("scratch") or {})
    tag = name.tag or ("latest" if not name.digest else "")
    row = _row(f"{name.image}:{tag}") if tag else None
    if row is None:
        rows = {known.rpartition(":")[2]: row for known, row in _rows(name.image + ":")}
        if not rows and (family := stem(name.image)) is not None:
            rows = {
                known: row for known, row in _rows("gcr.io/distroless/") if stem(known.rpartition(":")[0]) == family
            }
        row = nearest(tag, rows)
        if row is None:
            return None
        if stem(name.image) is not None:
            row = _distroless(row, tag)
    if name.foreign:
        # Another platform, or a mirror that is only taken for one: the same recipe, other bytes.
        row = {**row, "kind": "estimated", "low": round(row["low"] * 0.93), "high": round(row["high"] * 1.07)}
    return _made(reference, name.image, row)


def _distroless(row: Row, tag: str) -> Row:
    """Read the tag of a distroless image: who runs, and whether a shell is there (the debug images bring busybox)."""
    user = {"user": "65532"} if "nonroot" in tag else {}
    return {**row, **user, "shell_less": "debug" not in tag}


class InstalledPackages(Mapping[str, str]):
    """The packages of a base image, read from the embedded lists when first asked for."""

    __slots__ = ("_list",)

    def __init__(self, list_name: str, distribution: str) -> None:
        self._list = list_name if _has_list(list_name) else distribution

    def __getitem__(self, name: str) -> str:
        return _packages(self._list)[name]

    def __iter__(self) -> Iterator[str]:
        return iter(_packages(self._list))

    def __len__(self) -> int:
        return len(_packages(self._list))

    def __contains__(self, name: object) -> bool:
        return name in _packages(self._list)

    def items(self) -> ItemsView[str, str]:
        """Give names with versions, as a plain mapping does."""
        return _packages(self._list).items()

    def __repr__(self) -> str:
        return f"InstalledPackages({self._list!r})"


def _made(reference: str, image: str, row: Row) -> ImageFacts:
    source = row["source"] + (f" ({row['date']})" if row.get("date") else "")
    if row.get("how") and row["how"] != row["source"]:
        source = f"{row['how']}; {source}"
    bare = row.get("shell_less", False) or row["os"] == "scratch"
    return ImageFacts(
        reference=reference,
        distribution=row["os"],
        release=row["release"],
        size_bytes=row["bytes"],
        low_bytes=row["low"],
        high_bytes=row["high"],
        compressed_bytes=row["pull"],
        confidence=row["kind"],
        source=source,
        environment=row.get("env") or {},
        user=row.get("user", ""),
        workdir=row.get("workdir", "/"),
        onbuild=tuple(row.get("onbuild", ())),
        layers=row.get("layers"),
        slim=row["slim"],
        package_manager=row["manager"],
        packages=_installed(row),
        commands=tuple(row.get("programs", ())),
        entrypoint=tuple(row.get("entrypoint", ())),
        command=tuple(row.get("cmd", ())),
        has_shell=not bare,
    )


def _installed(row: Row) -> Mapping[str, str]:
    """Give the packages of an image's own list, else those of its distribution, which are a part of them."""
    if row["manager"] not in ("apt", "apk") or not row["release"]:
        return {}
    distribution = f"{row['os']}:{row['release']}"
    return InstalledPackages(row.get("list") or distribution, distribution)


def _has_list(name: str) -> bool:
    return b"\n" + _key(name) + b"," in _file("packages.jsonl")


@lru_cache(maxsize=2)
def _file(name: str) -> bytes:
    with open(os.path.join(os.path.dirname(__file__), "data", name), "rb") as file:
        return file.read()


def _row(reference: str, file: str = "images.jsonl") -> Row | None:
    data = _file(file)
    start = data.find(b"\n" + _key(reference) + b",")
    if start < 0:
        return None
    end = data.find(b"\n", start + 1)
    return cast(Row, decode(data[start:end])[1])


def _key(reference: str) -> bytes:
    return b"[" + encode(reference)


def _rows(beginning: str) -> Iterator[tuple[str, Row]]:
    """Give all rows whose reference begins so."""
    data = _file("images.jsonl")
    prefix = b"\n" + _key(beginning)[:-1]
    start = data.find(prefix)
    while start >= 0:
        end = data.find(b"\n", start + 1)
        name, row = decode(data[start:end])
        yield name, row
        start = data.find(prefix, end)


@lru_cache(maxsize=128)
def _packages(list_name: str) -> Mapping[str, str]:
    row = _row(list_name, "packages.jsonl")
    if row is None:
        return {}
    below = _packages(row["of"]) if "of" in row else {}
    return {**below, **row["packages"]}
