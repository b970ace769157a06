"""Image references."""

from __future__ import annotations

import pytest

from dfopt.syntax.reference import ImageReference, InvalidReference

_SHA = "sha256:" + "0123456789abcdef" * 4


@pytest.mark.parametrize(
    ("text", "domain", "path", "tag", "digest", "familiar"),
    [
        ("alpine", "docker.io", "library/alpine", None, None, "alpine"),
        ("alpine:3.20", "docker.io", "library/alpine", "3.20", None, "alpine:3.20"),
        ("me/app", "docker.io", "me/app", None, None, "me/app"),
        ("docker.io/library/alpine", "docker.io", "library/alpine", None, None, "alpine"),
        ("index.docker.io/me/app:1", "docker.io", "me/app", "1", None, "me/app:1"),
        ("localhost/app", "localhost", "app", None, None, "localhost/app"),
        ("registry:5000/a/b:c", "registry:5000", "a/b", "c", None, "registry:5000/a/b:c"),
        ("ghcr.io/o/r@" + _SHA, "ghcr.io", "o/r", None, _SHA, "ghcr.io/o/r@" + _SHA),
        ("a.b/c:t@" + _SHA, "a.b", "c", "t", _SHA, "a.b/c:t@" + _SHA),
        ("Upper/app", "Upper", "app", None, None, "Upper/app"),
        ("[::1]:5000/app", "[::1]:5000", "app", None, None, "[::1]:5000/app"),
        ("a__b/c-d.e--f", "docker.io", "a__b/c-d.e--f", None, None, "a__b/c-d.e--f"),
    ],
)
def test_reads_a_name(text: str, domain: str, path: str, tag: str | None, digest: str | None, familiar: str) -> None:
    found = ImageReference.parse(text)
    assert (found.domain, found.path, found.tag, found.digest) == (domain, path, tag, digest)
    assert found.familiar == familiar
    assert ImageReference.parse(str(found)) == found
    assert ImageReference.parse(familiar) == found


@pytest.mark.parametrize(
    "text",
    [
        "", "Abc", "a/B", "a:", "a:-x", "a b", "$X", "a//b", "-a", "a-", "a..b", "a@sha256:abc", "http://a/b",
        "a:" + "t" * 129, "0123456789abcdef" * 4, "a@md5:" + "0" * 32, "a@sha256:" + "A" * 64, "a" * 256,
    ],
)  # fmt: skip
def test_refuses_what_names_no_image(text: str) -> None:
    with pytest.raises(InvalidReference):
        ImageReference.parse(text)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("alpine", "docker-hub"),
        ("registry-1.docker.io/a/b", "docker-hub"),
        ("123456789012.dkr.ecr.eu-west-1.amazonaws.com/app:1", "ecr"),
        ("public.ecr.aws/lambda/python:3.12", "ecr-public"),
        ("ghcr.io/a/b", "ghcr"),
        ("eu.gcr.io/p/i", "gcr"),
        ("europe-docker.pkg.dev/p/r/i", "artifact-registry"),
        ("corp.azurecr.io/app", "acr"),
        ("mcr.microsoft.com/dotnet/sdk:8.0", "mcr"),
        ("quay.io/a/b", "quay"),
        ("corp.jfrog.io/docker/app", "artifactory"),
        ("artifactory.example.com:8443/docker/app", "artifactory"),
        ("registry.gitlab.com/g/p", "gitlab"),
        ("registry.access.redhat.com/ubi9/ubi", "red-hat"),
        ("localhost:5000/app", "local"),
        ("registry.example.com/app", "other"),
    ],
)
def test_tells_registries_apart(text: str, kind: str) -> None:
    assert ImageReference.parse(text).registry_kind == kind


def test_gives_host_and_port() -> None:
    found = ImageReference.parse("registry.example.com:8443/app")
    assert (found.host, found.port) == ("registry.example.com", 8443)
    assert ImageReference.parse("app").port is None
    assert ImageReference.parse("[::1]:5000/app").port == 5000


def test_a_digest_decides_and_latest_is_the_default() -> None:
    assert ImageReference.parse("app").effective_tag == "latest"
    assert ImageReference.parse("app:1").effective_tag == "1"
    assert ImageReference.parse("app@" + _SHA).effective_tag is None


def test_knows_official_images() -> None:
    assert ImageReference.parse("python:3.13").is_official
    assert not ImageReference.parse("me/python").is_official
    assert not ImageReference.parse("ghcr.io/library/python").is_official
