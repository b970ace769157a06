"""The value of RUN --mount: fields in the quoting of CSV, and what they mean."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any

from msgspec import Struct

from dfopt.syntax.tree import Flag, Mount

MOUNT_TYPES = ("bind", "cache", "tmpfs", "secret", "ssh")
SHARING_MODES = ("shared", "private", "locked")
MOUNT_KEYS = (
    "type", "from", "source", "src", "target", "dst", "destination", "readonly", "ro", "readwrite", "rw", "id",
    "sharing", "required", "size", "mode", "uid", "gid", "env",
)  # fmt: skip
_BARE_KEYS = ("readonly", "ro", "readwrite", "rw", "required")
_BOOLEANS = {
    **dict.fromkeys(("1", "t", "T", "TRUE", "true", "True"), True),
    **dict.fromkeys(("0", "f", "F", "FALSE", "false", "False"), False),
}
_VARIABLE = re.compile(r"\$.", re.DOTALL)
_UNITS = {"": 0, "k": 1, "m": 2, "g": 3, "t": 4, "p": 5}
_SIZE = re.compile(r"([0-9.]+) ?([kmgtp]?)(?:i?b)?", re.IGNORECASE)


class MountError(ValueError):
    """A mount that BuildKit refuses; the text says why and what would be right."""


class VariableInFrom(MountError):
    """The stage or image to mount from is named by a variable."""


class Device(Struct, frozen=True):
    """A ``--device`` of RUN: the name of a CDI device, and whether the build fails without it."""

    name: str
    required: bool


class MountOptions(Struct, frozen=True, kw_only=True):
    """What a mount's fields mean. A ``size_bytes`` of 0 is no limit; None is what is not given."""

    type: str = "bind"
    source: str = ""
    target: str = ""
    from_: str = ""
    readonly: bool = False
    id: str = ""
    sharing: str = ""
    required: bool = False
    size_bytes: int = 0
    mode: int | None = None
    uid: int | None = None
    gid: int | None = None
    env: str | None = None


def mount_fields(value: str) -> list[str]:
    """Cut the value of ``--mount`` or ``--device`` into its fields.

    Raises MountError for an empty value and for a stray or an open quote.
    """
    if not value:
        raise MountError("it is empty; write key=value fields")
    fields: list[str] = []
    at = 0
    while True:
        if value.startswith('"', at):
            text, at = [], at + 1
            while True:
                close = value.find('"', at)
                if close < 0:
                    raise MountError("a double quote has no counterpart")
                text.append(value[at:close])
                at = close + 1
                if not value.startswith('"', at):
                    break
                text.append('"')
                at += 1
            if at < len(value) and value[at] != ",":
                raise MountError("a double quote ends in the middle of a field")
            fields.append("".join(text))
        else:
            end = value.find(",", at)
            end = len(value) if end < 0 else end
            if '"' in value[at:end]:
                raise MountError("a double quote stands inside a field; quote the whole field")
            fields.append(value[at:end])
            at = end
        if at >= len(value):
            return fields
        at += 1


def refuse_early(value: str) -> None:
    """Check what BuildKit checks of a mount before variables are known. Raises MountError."""
    for field in mount_fields(value):
        key, _, text = field.partition("=")
        if key.lower() == "from" and _VARIABLE.search(text):
            raise VariableInFrom("from cannot be a variable")


def read_device(value: str) -> Device:
    """Read the value of ``--device``. Raises MountError."""
    name, required = "", False
    for field in mount_fields(value):
        key, equals, text = field.partition("=")
        key = key.lower()
        if key == "required":
            required = _boolean(key, text) if equals else True
        elif key == "name" and equals:
            if name:
                raise MountError(f"the device is named {name} already")
            name = text
        elif name:
            raise MountError(f"{field!r} is no field of a device; use name and required")
        else:
            name = field
    return Device(name, required)


def read_mount(flag: Flag) -> Mount:
    """Read the fields of a ``--mount`` flag. A value that cannot be cut into fields gives a mount without any."""
    try:
        fields = mount_fields(flag.value or "")
    except MountError:
        fields = []
    pairs = []
    for field in fields:
        key, equals, value = field.partition("=")
        pairs.append((key.lower(), value if equals else None))
    return Mount(tuple(pairs), flag)


def resolve_mount(
    fields: Iterable[tuple[str, str | None]], expand: Callable[[str], str] = lambda value: value
) -> MountOptions:
    """Give what a mount's fields mean, read from left to right; values except ``from`` are expanded first.

    Raises MountError where BuildKit refuses them.
    """
    options: dict[str, Any] = {}
    readonly: bool | None = None
    kind = "bind"
    for key, raw in fields:
        if raw is None and key not in _BARE_KEYS:
            raise MountError(f"{key or 'an empty field'} needs a value; write key=value")
        value = "true" if raw is None else expand(raw)
        if key == "type":
            kind = value.lower()
            if kind not in MOUNT_TYPES:
                raise MountError(f"{value!r} is no type of mount; use one of {', '.join(MOUNT_TYPES)}")
        elif key == "from":
            options["from_"] = value
        elif key in ("source", "src"):
            options["source"] = value
        elif key in ("target", "dst", "destination"):
            options["target"] = value
        elif key in ("readonly", "ro"):
            readonly = _boolean(key, value)
        elif key in ("readwrite", "rw"):
            readonly = not _boolean(key, value)
        elif key == "required":
            if kind not in ("secret", "ssh"):
                raise MountError("required fits secret and ssh only, and stands behind type")
            options["required"] = _boolean(key, value)
        elif key == "size":
            if kind != "tmpfs":
                raise MountError("size fits tmpfs only, and stands behind type")
            options["size_bytes"] = _size(value)
        elif key == "id":
            options["id"] = value
        elif key == "sharing":
            if value.lower() not in SHARING_MODES:
                raise MountError(f"{value!r} is no way of sharing; use one of {', '.join(SHARING_MODES)}")
            options["sharing"] = value.lower()
        elif key == "mode":
            options["mode"] = _number(key, value, 8)
        elif key in ("uid", "gid"):
            options[key] = _number(key, value, 10)
        elif key == "env":
            options["env"] = value
        else:
            raise MountError(f"{key!r} is no field of a mount")
    result = MountOptions(
        type=kind,
        readonly=kind not in ("cache", "tmpfs") if readonly is None else readonly,
        **options,
    )
    _check(result)
    return result


def _check(mount: MountOptions) -> None:
    if mount.type in ("bind", "tmpfs"):
        for name in ("mode", "uid", "gid"):
            if getattr(mount, name) is not None:
                raise MountError(f"{name} does not fit a mount of type {mount.type}")
    if mount.sharing and mount.type != "cache":
        raise MountError("sharing fits a mount of type cache only")
    if mount.type == "secret":
        if mount.from_:
            raise MountError("a secret comes from no stage; remove from")
        if not (mount.source or mount.target or mount.id):
            raise MountError("a secret needs an id, a source or a target")
        if mount.source and mount.id:
            raise MountError("source and id of a secret mean the same; keep one of them")


def _boolean(key: str, value: str) -> bool:
    if value not in _BOOLEANS:
        raise MountError(f"{key} is true or false, not {value!r}")
    return _BOOLEANS[value]


def _number(key: str, value: str, base: int) -> int:
    digits = "01234567" if base == 8 else "0123456789"
    if not value or any(char not in digits for char in value) or int(value, base) >= 2**32:
        raise MountError(f"{key} must be {'an octal' if base == 8 else 'a decimal'} number, not {value!r}")
    return int(value, base)


def _size(value: str) -> int:
    """Read a size with its unit, powers of 1024, as units.RAMInBytes of docker/go-units does."""
    match = _SIZE.fullmatch(value)
    try:
        if match is None:
            raise ValueError
        return int(float(match[1]) * 1024 ** _UNITS[match[2].lower()])
    except ValueError:
        raise MountError(f"size must be a number with a unit such as 64m or 1g, not {value!r}") from None
