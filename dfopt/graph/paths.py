"""Paths inside the image: work directories, destinations and sources, joined and cleaned as BuildKit does."""

from __future__ import annotations

import posixpath


def clean(path: str) -> str:
    """Remove ``.``, ``..`` and doubled slashes; a path of any number of leading slashes keeps one."""
    result = posixpath.normpath(path)
    return "/" + result.lstrip("/") if result.startswith("//") else result


def join(parent: str, path: str) -> str:
    """Join and clean two paths; the second counts as relative even where it begins with a slash."""
    return clean(f"{parent}/{path}") if path else clean(parent)


def workdir(current: str, path: str, windows: bool = False) -> str:
    """Give the directory after ``WORKDIR path``: a relative path is joined and cleaned, an absolute one stays."""
    if windows:
        return _windows(current, path)
    if not path:
        path = current or "/"
    return path if path.startswith("/") else join(current or "/", path)


def is_absolute(path: str, windows: bool = False) -> bool:
    """Tell whether a path begins at the root (of drive C on Windows)."""
    if windows:
        path = path.replace("\\", "/")
        return path.startswith("/") or path[1:3] == ":/"
    return path.startswith("/")


def _windows(current: str, path: str) -> str:
    path = path.replace("\\", "/") or current
    if path[1:2] == ":":
        path = path[2:]
    return path if path.startswith("/") else join(current.replace("\\", "/") or "/", path)


def destination(directory: str, path: str) -> str:
    """Give the absolute destination of a COPY or ADD; it ends in ``/`` or ``/.`` where the path says so."""
    if path in ("", "."):
        path = "./"
    result = clean(path) if path.startswith("/") else join(directory, path)
    if path.endswith("/") and not result.endswith("/"):
        return result + "/"
    if path.endswith("/."):
        return ("" if result == "/" else result) + "/."
    return result


def source(path: str) -> str:
    """Give a source as a path below the root it is taken from: ``../a``, ``./a/`` and ``a`` are all ``/a``."""
    return clean("/" + path)


def context_name(path: str) -> str:
    """Give the name of a context path in node ids and messages: without the leading slash, ``.`` for everything."""
    return source(path)[1:] or "."
