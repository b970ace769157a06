"""Names of images as builds write them out: registry, path, tag and digest."""

from __future__ import annotations

import re

_DOMAIN = re.compile(
    r"(?:(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])(?:\.(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9]))*"
    r"|\[[a-fA-F0-9:]+\])(?::[0-9]+)?",
    re.ASCII,
)
_PATH = re.compile(r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*)*", re.ASCII)
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}", re.ASCII)
_DIGESTS = {"sha256": 64, "sha384": 96, "sha512": 128}
_LONGEST = 255


def full_name(text: str) -> str:
    """Give an image's full name, ``docker.io/library/debian:latest`` for ``debian``. Raises ValueError."""
    if re.fullmatch(r"[a-f0-9]{64}", text):
        raise ValueError("64 hexadecimal digits cannot name an image")
    first, slash, rest = text.partition("/")
    if slash and (first == "localhost" or "." in first or ":" in first or first != first.lower()):
        domain, path = ("docker.io", rest) if first == "index.docker.io" else (first, rest)
    else:
        domain, path = "docker.io", text
    if domain == "docker.io" and "/" not in path:
        path = f"library/{path}"
    remote = path.partition(":")[0]
    if remote != remote.lower():
        raise ValueError("the name of a repository must be in lower case")
    name, at, digest = path.partition("@")
    name, colon, tag = name.partition(":")
    if not _DOMAIN.fullmatch(domain):
        raise ValueError(f"{domain} is no registry")
    if not _PATH.fullmatch(name):
        raise ValueError(
            "only lower-case letters, digits and single . _ - between them may stand in a repository's name"
        )
    if len(f"{domain}/{name}") > _LONGEST:
        raise ValueError(f"the name is longer than {_LONGEST} characters")
    if colon and not _TAG.fullmatch(tag):
        raise ValueError("the tag is empty or holds characters that no tag has")
    if at:
        algorithm, _, value = digest.partition(":")
        if algorithm not in _DIGESTS or not re.fullmatch(rf"[a-f0-9]{{{_DIGESTS[algorithm]}}}", value):
            raise ValueError("the digest is not of the form sha256: and 64 hexadecimal digits")
    return f"{domain}/{path}" if colon or at else f"{domain}/{path}:latest"
