"""The many names of one image: Docker Hub's prefixes, its public mirrors, platform prefixes."""

from __future__ import annotations

import re
from typing import NamedTuple

# Places that serve Docker Hub's official images under names of their own.
_HUB = re.compile(
    r"^(?:(?:docker\.io|index\.docker\.io|registry-1\.docker\.io|registry\.hub\.docker\.com|mirror\.gcr\.io)/)"
    r"(?:library/)?|^public\.ecr\.aws/docker/library/|^library/"
)
_PLATFORM = re.compile(r"^(amd64|arm64v8|arm32v5|arm32v6|arm32v7|i386|ppc64le|riscv64|s390x|mips64le)/(?=[^/]+$)")
_ALIASES = {
    "public.ecr.aws/amazonlinux/amazonlinux": "amazonlinux",
    "public.ecr.aws/debian/debian": "debian",
    "public.ecr.aws/ubuntu/ubuntu": "ubuntu",
    "public.ecr.aws/lts/ubuntu": "ubuntu",
    "registry.fedoraproject.org/fedora": "fedora",
    "quay.io/fedora/fedora": "fedora",
    "quay.io/rockylinux/rockylinux": "rockylinux",
    "redhat/ubi8": "registry.access.redhat.com/ubi8",
    "redhat/ubi9": "registry.access.redhat.com/ubi9",
    "redhat/ubi8-minimal": "registry.access.redhat.com/ubi8-minimal",
    "redhat/ubi9-minimal": "registry.access.redhat.com/ubi9-minimal",
}
_RED_HAT = re.compile(r"^registry\.(?:access\.redhat\.com|redhat\.io)/(ubi\d+)(?:/(ubi)(-\w+)?)?(-\w+)?$")
_DISTROLESS = re.compile(r"^gcr\.io/distroless/(.+?)(-debian\d+)?$")


class Name(NamedTuple):
    """An image's usual name, its tag and digest ("" where not given); ``foreign``: only taken for that image."""

    image: str
    tag: str
    digest: str
    foreign: bool


def canonical(reference: str) -> Name | None:
    """Give the usual name of what a FROM names, or None where it is no image reference (a variable is left in it)."""
    if not reference or "$" in reference or any(ch.isspace() for ch in reference):
        return None
    rest, _, digest = reference.partition("@")
    head, slash, last = rest.rpartition("/")
    last, _, tag = last.partition(":")
    image = head + slash + last
    if not last:
        return None
    hub = _HUB.sub("", image)
    foreign = False
    if (match := _PLATFORM.match(hub)) is not None:
        foreign = match.group(1) != "amd64"
        hub = hub[match.end() :]
    elif hub == image and (found := re.match(r"^[^/]*[.:][^/]*/(?:.+/)?library/([^/]+)$", image)):
        # A private mirror keeps Docker Hub's path: host/some/path/library/python.
        hub, foreign = found.group(1), True
    if (found := _RED_HAT.match(hub)) is not None:
        hub = f"registry.access.redhat.com/{found.group(1)}{found.group(3) or found.group(4) or ''}"
    return Name(_ALIASES.get(hub, hub), tag, digest, foreign)


def stem(image: str) -> str | None:
    """Give what the releases of a distroless image have in common in their names; None for other images."""
    match = _DISTROLESS.match(image)
    return re.sub(r"\d+$", "", match.group(1)) if match else None
