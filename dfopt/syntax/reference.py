"""Image references: registry, path, tag and digest of what FROM and ``--from`` name."""

from __future__ import annotations

import re

from msgspec import Struct

DOCKER_HUB = "docker.io"

_LABEL = r"(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])"
_DOMAIN = re.compile(rf"(?:{_LABEL}(?:\.{_LABEL})*|\[[a-fA-F0-9:]+\])(?::[0-9]+)?", re.ASCII)
_COMPONENT = r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*"
_PATH = re.compile(rf"{_COMPONENT}(?:/{_COMPONENT})*", re.ASCII)
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}", re.ASCII)
_DIGESTS = {"sha256": 64, "sha384": 96, "sha512": 128}
_HEXADECIMAL = re.compile(r"[a-f0-9]+")
_LONGEST = 255

_REGISTRIES = (
    (re.compile(r"(?:.*\.)?docker\.(?:io|com)$"), "Docker Hub"),
    (
        re.compile(r"public\.ecr\.aws$|\d+\.dkr[.-]ecr(?:-fips)?\..*\.(?:amazonaws\.com(?:\.cn)?|on\.aws)$"),
        "Amazon ECR",
    ),
    (re.compile(r"ghcr\.io$|.*\.pkg\.github\.com$"), "GitHub"),
    (re.compile(r"(?:.*\.)?gcr\.io$|.*-docker\.pkg\.dev$"), "Google"),
    (re.compile(r"mcr\.microsoft\.com$|.*\.azurecr\.(?:io|cn|us)$"), "Microsoft"),
    (re.compile(r"quay\.io$|registry(?:\.access|\.connect)?\.redhat\.(?:io|com)$"), "Red Hat"),
    (re.compile(r"registry\.gitlab\.com$"), "GitLab"),
    (re.compile(r".*\.jfrog\.io$|(?:.*[.-])?artifactory[.-].*"), "Artifactory"),
)


class Reference(Struct, frozen=True):
    """An image reference taken apart.

    ``domain`` and ``path`` are written out (``docker.io``, ``library/debian``); ``tag`` and ``digest`` are None where
    they are not given.
    """

    domain: str
    path: str
    tag: str | None = None
    digest: str | None = None

    @property
    def familiar_name(self) -> str:
        """The name as people write it: ``debian`` for ``docker.io/library/debian``."""
        if self.domain != DOCKER_HUB:
            return f"{self.domain}/{self.path}"
        return self.path.removeprefix("library/")

    @property
    def registry(self) -> str:
        """The kind of registry: Docker Hub, Amazon ECR, Artifactory ...; "private" for a host that tells nothing."""
        host = self.domain.partition(":")[0].lower()
        return next((kind for pattern, kind in _REGISTRIES if pattern.match(host)), "private")

    def __str__(self) -> str:
        tag = f":{self.tag}" if self.tag else "" if self.digest else ":latest"
        return f"{self.domain}/{self.path}{tag}{f'@{self.digest}' if self.digest else ''}"


def read_reference(text: str) -> Reference:
    """Take an image reference apart as builders do. Raises ValueError with the reason where it is none."""
    if len(text) == 64 and _HEXADECIMAL.fullmatch(text):
        raise ValueError("64 hexadecimal digits cannot name an image")
    first, slash, rest = text.partition("/")
    if slash and (first == "localhost" or "." in first or ":" in first or first != first.lower()):
        domain, path = (DOCKER_HUB, rest) if first == "index.docker.io" else (first, rest)
    else:
        domain, path = DOCKER_HUB, text
    if domain == DOCKER_HUB and "/" not in path:
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
        if len(value) != _DIGESTS.get(algorithm) or not _HEXADECIMAL.fullmatch(value):
            raise ValueError("the digest is not of the form sha256: and 64 hexadecimal digits")
    return Reference(domain, name, tag if colon else None, digest if at else None)


def parse_reference(text: str) -> Reference | None:
    """Take an image reference apart; None where the text is none."""
    try:
        return read_reference(text)
    except ValueError:
        return None
