"""Findings of earlier runs, kept in the user's cache folder, so that a file nobody changed is not checked again."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from importlib import import_module

import msgspec

from dfopt.config import Config
from dfopt.finding import Finding
from dfopt.source import Source

_FORMAT = 1


class Result(msgspec.Struct, array_like=True, frozen=True):
    """What a run found in one file, and the key of all that it depends on."""

    key: bytes
    findings: list[Finding]
    suppressed: list[tuple[Finding, str]]


_DECODER = msgspec.msgpack.Decoder(Result)


class ResultCache:
    """Results by file: one small file for each Dockerfile, which its next result replaces.

    ``identity`` stands for the program: its version, code and the ShellCheck it uses. A result holds as long as the
    text, the file's name, the configuration and the identity are the same. Any error is a miss; files are replaced
    whole, so several runs can use one folder.
    """

    def __init__(self, folder: str, identity: str) -> None:
        self.folder = folder
        self.identity = identity

    def get(self, source: Source, config: Config) -> Result | None:
        """Give the result of a file, None where there is none or something has changed since."""
        try:
            with open(self._path(source), "rb") as file:
                found = _DECODER.decode(file.read())
        except (OSError, ValueError):
            return None
        return found if found.key == self._key(source, config) else None

    def put(
        self, source: Source, config: Config, findings: list[Finding], suppressed: tuple[tuple[Finding, str], ...]
    ) -> None:
        """Keep the result of a file; a folder that cannot be written costs time, not results."""
        path = self._path(source)
        draft = f"{path}.{os.getpid()}"
        try:
            data = msgspec.msgpack.encode(Result(self._key(source, config), findings, list(suppressed)))
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(draft, "wb") as file:
                file.write(data)
            os.replace(draft, path)
        except (OSError, ValueError):  # a message may quote bytes that are not UTF-8, which cannot be kept
            return

    def _path(self, source: Source) -> str:
        name = _sum(os.path.abspath(source.name)).hex()[:32]
        return os.path.join(self.folder, name[:2], name[2:])

    def _key(self, source: Source, config: Config) -> bytes:
        parts = [self.identity, source.name, repr(config._replace(origins={}))]
        if "until=" in source.text:
            from datetime import date

            parts.append(str(date.today()))  # comments that silence findings end on a day
        return _sum("\0".join((*parts, source.text)))


def result_cache(shellcheck: str | None) -> tuple[str, str]:
    """Give folder and identity of the results' cache; ``shellcheck`` is the program that is used, if any."""
    from dfopt import __version__

    stamps = [f"{_FORMAT} {__version__} {sys.version}", *_code_stamps()]
    if shellcheck is not None:
        stamps.append(program_stamp(shellcheck))
    return os.path.join(cache_folder(), "results"), _sum("\n".join(stamps)).hex()


def program_stamp(program: str) -> str:
    """Give a text that changes when another program stands at a path."""
    path = os.path.realpath(program)
    try:
        status = os.stat(path)
    except OSError:
        return path
    return f"{path} {status.st_size} {status.st_mtime_ns}"


def _sum(text: str) -> bytes:
    from hashlib import sha256  # loads a whole library, for which runs without a cache have no use

    return sha256(text.encode("utf-8", "surrogateescape")).digest()


def is_enabled(environment: dict[str, str] | os._Environ[str] = os.environ) -> bool:
    """Tell whether the environment allows caches: ``DFOPT_CACHE=off`` does not."""
    return environment.get("DFOPT_CACHE", "").lower() not in ("off", "0", "no", "false")


def cache_folder() -> str:
    """Give the user's cache folder of dfopt."""
    base = os.environ.get("XDG_CACHE_HOME")
    if not base:
        home = os.path.expanduser("~")
        base = {"darwin": os.path.join(home, "Library", "Caches"), "win32": os.environ.get("LOCALAPPDATA", home)}.get(
            sys.platform, os.path.join(home, ".cache")
        )
    return os.path.join(base, "dfopt")


def _code_stamps() -> Iterator[str]:
    """Give a line for every file of the program: who works on dfopt itself must not see old findings."""
    folders = [path for name in ("dfopt", "dfopt_rules") for path in import_module(name).__path__]
    while folders:
        with os.scandir(folders.pop()) as entries:
            for entry in sorted(entries, key=lambda entry: entry.name):
                if entry.is_dir():
                    if entry.name != "__pycache__":
                        folders.append(entry.path)
                else:
                    status = entry.stat()
                    yield f"{entry.name} {status.st_size} {status.st_mtime_ns}"
