"""Image references: registry, repository, tag and digest of what FROM and COPY --from name.

The grammar is that of the ``distribution/reference`` package, with the short names of Docker Hub.
"""

from __future__ import annotations

import re
from functools import cache

from msgspec import Struct

DEFAULT_DOMAIN = "docker.io"
_LEGACY_DOMAIN = "index.docker.io"
_OFFICIAL = "library/"
_MAX_PATH = 255

_COMPONENT = r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*"
_HOST_PART = r"(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])"
_HOST = rf"(?:{_HOST_PART}(?:\.{_HOST_PART})*|\[[a-fA-F0-9:]+\])(?::[0-9]+)?"
_TAG = r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}"
_DIGEST = r"[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}"
_HEX_DIGITS = {"sha256": 64, "sha384": 96, "sha512": 128}

REGISTRY_KINDS: tuple[tuple[str, str], ...] = (
    ("docker-hub", r"(?:(?:index|registry-1)\.)?docker\.io|registry\.hub\.docker\.com"),
    ("docker-hardened", r"dhi\.io"),
    ("ecr", r"[0-9]{12}\.dkr[.-]ecr(?:-fips)?\.[a-z0-9-]+\.(?:amazonaws\.com(?:\.cn)?|on\.aws)"),
    ("ecr-public", r"public\.ecr\.aws"),
    ("ghcr", r"ghcr\.io|docker\.pkg\.github\.com"),
    ("gcr", r"(?:[a-z-]+\.)?gcr\.io"),
    ("artifact-registry", r"[a-z0-9-]+-docker\.pkg\.dev"),
    ("acr", r"[a-z0-9]+\.azurecr\.(?:io|cn|us)"),
    ("mcr", r"mcr\.microsoft\.com"),
    ("quay", r"quay\.io"),
    ("gitlab", r"registry\.gitlab\.com|registry\.gitlab\..+"),
    ("artifactory", r".+\.jfrog\.io|(?:.+[.-])?(?:artifactory|jfrog)(?:[.-].+)?"),
    ("nexus", r"(?:.+[.-])?nexus(?:[.-].+)?"),
    ("harbor", r"(?:.+[.-])?harbor(?:[.-].+)?"),
    ("red-hat", r"registry\.(?:access\.)?redhat\.(?:com|io)|registry\.connect\.redhat\.com"),
    ("kubernetes", r"registry\.k8s\.io|k8s\.gcr\.io"),
    ("nvidia", r"nvcr\.io"),
    ("chainguard", r"cgr\.dev"),
    ("oracle", r"(?:.+\.)?ocir\.io|container-registry\.oracle\.com"),
    ("elastic", r"docker\.elastic\.co"),
    ("local", r"localhost|127\.[0-9.]+|\[::1\]"),
)
"""Names of registries that are told apart by their host, tried in order; ``other`` is what fits none."""


class InvalidReference(ValueError):
    """A text that names no image; the message says why and what would be right."""


class ImageReference(Struct, frozen=True):
    """An image by its full name. ``path`` includes ``library/`` for Docker Hub's official images.

    ``tag`` and ``digest`` are None where they are not given; no default is filled in.
    """

    domain: str
    path: str
    tag: str | None = None
    digest: str | None = None

    @classmethod
    def parse(cls, text: str) -> ImageReference:
        """Read an image's name as people write it. Raises InvalidReference."""
        if not text:
            raise InvalidReference("the name of an image is empty")
        if re.fullmatch("[0-9a-f]{64}", text):
            raise InvalidReference("64 hexadecimal digits are no name of an image; write sha256: in front of a digest")
        domain, rest = _split(text)
        repository = rest.partition(":")[0]
        if repository.lower() != repository:
            raise InvalidReference(f"the name of a repository must be in lower case; write {repository.lower()}")
        match = _reference().fullmatch(f"{domain}/{rest}")
        if match is None:
            raise InvalidReference(f"{text!r} is no name of an image; write [registry/]name[:tag][@digest]")
        path, tag, digest = match["path"], match["tag"], match["digest"]
        if len(path) > _MAX_PATH:
            raise InvalidReference(f"the name of a repository may have {_MAX_PATH} characters at most")
        if digest:
            _check_digest(digest)
        return cls(match["domain"], path, tag, digest)

    @property
    def host(self) -> str:
        """The registry's host without its port."""
        return re.sub(r":[0-9]+\Z", "", self.domain)

    @property
    def port(self) -> int | None:
        """The registry's port, None where none is given."""
        match = re.search(r":([0-9]+)\Z", self.domain)
        return int(match[1]) if match else None

    @property
    def registry_kind(self) -> str:
        """Which kind of registry the host is: ``docker-hub``, ``ecr``, ``ghcr`` ... or ``other``."""
        host = self.host.lower()
        return next((kind for kind, pattern in REGISTRY_KINDS if re.fullmatch(pattern, host)), "other")

    @property
    def is_official(self) -> bool:
        """Tell whether this is one of Docker Hub's official images."""
        return self.domain == DEFAULT_DOMAIN and self.path.startswith(_OFFICIAL) and self.path.count("/") == 1

    @property
    def name(self) -> str:
        """Registry and repository, without tag and digest."""
        return f"{self.domain}/{self.path}"

    @property
    def familiar_name(self) -> str:
        """The name as people write it: without Docker Hub's host and ``library/``."""
        if self.domain != DEFAULT_DOMAIN:
            return self.name
        return self.path.removeprefix(_OFFICIAL) if self.is_official else self.path

    @property
    def familiar(self) -> str:
        """The familiar name with tag and digest."""
        return self.familiar_name + self._suffix

    @property
    def effective_tag(self) -> str | None:
        """The tag that is pulled: ``latest`` where neither tag nor digest is given, None where a digest decides."""
        return self.tag or (None if self.digest else "latest")

    @property
    def _suffix(self) -> str:
        return (f":{self.tag}" if self.tag else "") + (f"@{self.digest}" if self.digest else "")

    def __str__(self) -> str:
        return self.name + self._suffix


@cache
def _reference() -> re.Pattern[str]:
    return re.compile(
        rf"(?P<domain>{_HOST})/(?P<path>{_COMPONENT}(?:/{_COMPONENT})*)(?::(?P<tag>{_TAG}))?(?:@(?P<digest>{_DIGEST}))?"
    )


def _split(text: str) -> tuple[str, str]:
    """Split a name into registry and the rest, with Docker Hub's abbreviations written out."""
    first, slash, rest = text.partition("/")
    is_domain = slash and ("." in first or ":" in first or first == "localhost" or first.lower() != first)
    domain, rest = (first, rest) if is_domain else (DEFAULT_DOMAIN, text)
    if domain == _LEGACY_DOMAIN:
        domain = DEFAULT_DOMAIN
    if domain == DEFAULT_DOMAIN and "/" not in rest:
        rest = _OFFICIAL + rest
    return domain, rest


def _check_digest(digest: str) -> None:
    algorithm, _, value = digest.partition(":")
    digits = _HEX_DIGITS.get(algorithm)
    if digits is None:
        raise InvalidReference(f"{algorithm} is no known kind of digest; use sha256")
    if len(value) != digits or value.lower() != value:
        raise InvalidReference(f"a digest of {algorithm} has {digits} hexadecimal digits in lower case")
