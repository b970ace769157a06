"""Credentials for registries, as docker keeps them: its configuration file, credential stores and helpers."""

from __future__ import annotations

import base64
import binascii
import json
import os
import re
import subprocess
from collections.abc import Iterator, Mapping
from typing import Any

from msgspec import Struct

_HUB_KEY = "https://index.docker.io/v1/"
_HUB_HOSTS = frozenset(("docker.io", "index.docker.io", "registry-1.docker.io"))
_HELPER_SECONDS = 20
_HELPER_NAME = re.compile(r"[A-Za-z0-9_.-]+")


class Credentials(Struct, frozen=True):
    """A user's name and password for a registry, or a token that stands for both."""

    user: str = ""
    password: str = ""
    identity_token: str = ""

    def __repr__(self) -> str:
        return f"Credentials({self.user!r})"

    @property
    def basic(self) -> str:
        """The value of a header for basic authentication."""
        return "Basic " + base64.b64encode(f"{self.user}:{self.password}".encode()).decode()


def find_credentials(host: str, environment: Mapping[str, str] | None = None) -> Credentials | None:
    """Find a registry's credentials: helper of the host, then the common store, then the file itself.

    The files are docker's ``config.json`` (in ``DOCKER_CONFIG``, else ``~/.docker``) and Podman's ``auth.json``.
    Helpers are the programs ``docker-credential-NAME`` of the search path.
    """
    given = os.environ if environment is None else environment
    keys = [_HUB_KEY, *sorted(_HUB_HOSTS)] if host in _HUB_HOSTS else [host, f"https://{host}", f"http://{host}"]
    for config in _configurations(given):
        helpers = config.get("credHelpers")
        named = [helpers.get(key) for key in keys] if isinstance(helpers, dict) else []
        for helper in (*named, config.get("credsStore")):
            for key in keys if isinstance(helper, str) and helper else ():
                if (found := _from_helper(str(helper), key, given)) is not None:
                    return found
        if (found := _from_file(config.get("auths"), keys)) is not None:
            return found
    return None


def _configurations(environment: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    home = environment.get("HOME") or os.path.expanduser("~")
    folder = environment.get("DOCKER_CONFIG") or os.path.join(home, ".docker")
    files = [os.path.join(folder, "config.json")]
    if environment.get("REGISTRY_AUTH_FILE"):
        files.append(environment["REGISTRY_AUTH_FILE"])
    if environment.get("XDG_RUNTIME_DIR"):
        files.append(os.path.join(environment["XDG_RUNTIME_DIR"], "containers", "auth.json"))
    for path in files:
        try:
            with open(path, encoding="utf-8") as file:
                data = json.load(file)
        except (OSError, ValueError):
            continue
        if isinstance(data, dict):
            yield data


def _from_file(auths: object, keys: list[str]) -> Credentials | None:
    if not isinstance(auths, dict):
        return None
    by_host = {_host(str(key)): value for key, value in auths.items()}
    for key in keys:
        entry = auths.get(key) or by_host.get(_host(key))
        if not isinstance(entry, dict):
            continue
        if entry.get("identitytoken"):
            return Credentials(identity_token=str(entry["identitytoken"]))
        if entry.get("auth"):
            try:
                user, colon, password = base64.b64decode(str(entry["auth"])).decode().partition(":")
            except (binascii.Error, UnicodeDecodeError):
                continue
            if colon:
                return Credentials(user, password.rstrip("\0"))
        if entry.get("username"):
            return Credentials(str(entry["username"]), str(entry.get("password", "")))
    return None


def _host(key: str) -> str:
    return key.split("://", 1)[-1].split("/", 1)[0]


def _from_helper(name: str, key: str, environment: Mapping[str, str]) -> Credentials | None:
    if not _HELPER_NAME.fullmatch(name):
        return None
    try:
        answer = subprocess.run(
            [f"docker-credential-{name}", "get"], input=key.encode(), capture_output=True, timeout=_HELPER_SECONDS,
            check=False, env=dict(environment),
        )  # fmt: skip
        data = json.loads(answer.stdout) if answer.returncode == 0 else None
    except (OSError, subprocess.SubprocessError, ValueError):
        return None
    if not isinstance(data, dict) or not data.get("Secret"):
        return None
    if data.get("Username") == "<token>":
        return Credentials(identity_token=str(data["Secret"]))
    return Credentials(str(data.get("Username", "")), str(data["Secret"]))
