"""The mounts of a RUN with variables put in, checked as a build checks them."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable

from dfopt.graph import paths
from dfopt.graph.model import RunMount
from dfopt.syntax.tree import Mount

_TYPES = ("bind", "cache", "tmpfs", "secret", "ssh")
_SHARING = ("shared", "private", "locked")
_TRUE = frozenset(("1", "t", "T", "TRUE", "true", "True"))
_FALSE = frozenset(("0", "f", "F", "FALSE", "false", "False"))
_UNITS = {"k": 1, "m": 2, "g": 3, "t": 4, "p": 5}
_SIZE = re.compile(r"(?P<number>[0-9.]*[0-9.])(?: ?(?P<unit>[a-zA-Z]{1,3}))? ?", re.ASCII)
_LARGEST = 2**32 - 1


class MountError(ValueError):
    """A mount that a build refuses; the message is the reason."""


def resolve_mount(mount: Mount, expand: Callable[[str], str], workdir: str) -> RunMount:
    """Give a mount with its defaults. Fields are read from left to right; a later one wins. Raises MountError and WordError."""
    kind = "bind"
    read_only: bool | None = None
    numbers: dict[str, int | None] = {"size": None, "mode": None, "uid": None, "gid": None}
    texts = {"from": "", "source": "", "target": "", "id": "", "sharing": ""}
    env: str | None = None
    required = False
    for key, written in mount.fields:
        if written is None:
            if key in ("readonly", "ro", "readwrite", "rw"):
                read_only = key in ("readonly", "ro")
                continue
            if key != "required":
                raise MountError(f"{key or 'an empty field'} lacks a value")
        value = "true" if written is None else expand(written)
        key = {"src": "source", "dst": "target", "destination": "target"}.get(key, key)
        if key == "type":
            kind = value.lower()
            if kind not in _TYPES:
                raise MountError(f"{value or 'an empty type'} is none of {', '.join(_TYPES)}")
        elif key == "sharing":
            texts[key] = value.lower()
            if texts[key] not in _SHARING:
                raise MountError(f"{value or 'an empty sharing'} is none of {', '.join(_SHARING)}")
        elif key in texts:
            texts[key] = value
        elif key in ("readonly", "ro"):
            read_only = _boolean(key, value)
        elif key in ("readwrite", "rw"):
            read_only = not _boolean(key, value)
        elif key == "required":
            if kind not in ("secret", "ssh"):
                raise MountError(f"required does not go with type={kind}")
            required = _boolean(key, value)
        elif key == "size":
            if kind != "tmpfs":
                raise MountError(f"size does not go with type={kind}")
            numbers[key] = _size(value)
        elif key in ("mode", "uid", "gid"):
            numbers[key] = _number(key, value)
        elif key == "env":
            env = value
        else:
            raise MountError(f"there is no field {key}")
    _check(kind, texts, numbers)
    target: str | None = texts["target"]
    if kind == "secret":
        target, env = _secret(texts, env)
    elif kind == "ssh":
        if texts["source"]:
            raise MountError("type=ssh takes no source")
    else:
        assert target is not None
        if not target.startswith("/"):
            target = paths.join(workdir, target)
        if target == "/":
            raise MountError("the target must be another directory than /")
        if kind == "cache" and not texts["id"]:
            texts["id"] = paths.clean(texts["target"]) if texts["target"] else "."
    return RunMount(
        kind,
        target or None,
        texts["source"],
        texts["from"],
        read_only=kind not in ("cache", "tmpfs") if read_only is None else read_only,
        id=texts["id"],
        sharing=texts["sharing"] or ("shared" if kind == "cache" else ""),
        required=required,
        env=env,
        size=numbers["size"],
        mode=numbers["mode"],
        uid=numbers["uid"],
        gid=numbers["gid"],
    )


def _check(kind: str, texts: dict[str, str], numbers: dict[str, int | None]) -> None:
    for name in ("mode", "uid", "gid"):
        if numbers[name] is not None and kind in ("bind", "tmpfs"):
            raise MountError(f"{name} does not go with type={kind}")
    if kind == "secret":
        if texts["from"]:
            raise MountError("type=secret takes no from")
        if texts["sharing"]:
            raise MountError("type=secret takes no sharing")
        if not (texts["source"] or texts["target"] or texts["id"]):
            raise MountError("a secret needs an id, a source or a target")
        if texts["source"] and texts["id"]:
            raise MountError("a secret takes either id or source")
    if texts["sharing"] and kind != "cache":
        raise MountError(f"sharing does not go with type={kind}")


def _secret(texts: dict[str, str], env: str | None) -> tuple[str | None, str | None]:
    name = texts["source"] or texts["id"] or posixpath.basename(texts["target"].rstrip("/")) or "/"
    texts["id"] = name
    if env is not None:
        return texts["target"] or None, env or name
    return texts["target"] or "/run/secrets/" + (posixpath.basename(name.rstrip("/")) or "/"), None


def _boolean(key: str, value: str) -> bool:
    if value in _TRUE:
        return True
    if value in _FALSE:
        return False
    raise MountError(f"{key} is either true or false, not {value or 'empty'}")


def _number(key: str, value: str) -> int:
    base = 8 if key == "mode" else 10
    if not re.fullmatch("[0-7]+" if base == 8 else "[0-9]+", value, re.ASCII) or int(value, base) > _LARGEST:
        raise MountError(f"{key} must be {'an octal' if base == 8 else 'a'} number, not {value or 'empty'}")
    return int(value, base)


def _size(value: str) -> int:
    match = _SIZE.fullmatch(value)
    unit = (match["unit"] or "").lower() if match else ""
    power = 0 if unit in ("", "b") else _UNITS.get(unit[0], -1) if unit[1:] in ("", "b", "ib") else -1
    try:
        number = float(match["number"]) if match else -1.0
    except ValueError:
        number = -1.0
    if number < 0 or power < 0:
        raise MountError(f"{value or 'an empty size'} is no size; write it like 64m")
    return int(number * 1024**power)
