from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from dfopt.images import facts

OFFICIAL = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def test_debian_is_known_with_size_packages_and_environment() -> None:
    found = facts("debian:bookworm")
    assert found is not None
    assert (found.distribution, found.release, found.slim, found.package_manager) == (
        "debian",
        "bookworm",
        False,
        "apt",
    )
    assert found.size_bytes is not None
    assert abs(found.size_bytes - 116_603_489) / 116_603_489 < 0.02
    assert found.low_bytes is not None
    assert found.high_bytes is not None
    assert found.low_bytes <= 116_603_489 <= found.high_bytes
    assert found.environment == {"PATH": OFFICIAL}
    assert found.confidence == "measured"
    assert "repo-info" in found.source
    assert len(found.packages) == 88
    assert "apt" in found.packages
    assert "curl" not in found.packages
    assert found.command == ("bash",)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("debian:bookworm", "public.ecr.aws/docker/library/debian:bookworm"),
        ("debian:bookworm", "docker.io/library/debian:bookworm"),
        ("debian:bookworm", "library/debian:bookworm"),
        ("debian:bookworm", "index.docker.io/debian:bookworm"),
        ("debian:bookworm", "debian:bookworm@sha256:" + "0" * 64),
        ("debian:bookworm", "debian:12"),
        ("debian:bookworm", "amd64/debian:bookworm"),
        ("ubuntu:22.04", "ubuntu:jammy"),
        ("python:latest", "python"),
        ("registry.access.redhat.com/ubi9-minimal", "registry.access.redhat.com/ubi9/ubi-minimal"),
        ("registry.access.redhat.com/ubi9", "redhat/ubi9"),
    ],
)
def test_an_image_is_known_by_all_its_names(one: str, other: str) -> None:
    first, second = facts(one), facts(other)
    assert first is not None
    assert second is not None
    assert (first.size_bytes, first.environment, dict(first.packages)) == (
        second.size_bytes, second.environment, dict(second.packages),
    )  # fmt: skip


@pytest.mark.parametrize(
    "reference", ["", "acme/nothing:1", "$BASE", "${IMAGE}:1", "registry.example.com/team/app:2", "not an image"]
)
def test_what_is_not_known_is_none(reference: str) -> None:
    assert facts(reference) is None


def test_scratch_is_empty() -> None:
    found = facts("scratch")
    assert found is not None
    assert (found.size_bytes, found.low_bytes, found.high_bytes) == (0, 0, 0)
    assert not found.has_shell
    assert found.package_manager == ""


@pytest.mark.parametrize(
    ("reference", "nearest"),
    [
        ("python:3.11.4-slim", "python:3.11-slim"),
        ("node:20.11.1-alpine3.19", "node:20-alpine"),
        ("alpine:3.18.4", "alpine:3.18"),
        ("debian:12.5-slim", "debian:bookworm-slim"),
        ("ubuntu:jammy-20230301", "ubuntu:22.04"),
        ("golang:1.22.3", "golang:1.22"),
    ],
)
def test_an_unknown_tag_is_estimated_from_its_nearest_with_a_wider_interval(reference: str, nearest: str) -> None:
    found, known = facts(reference), facts(nearest)
    assert found is not None
    assert known is not None
    assert found.confidence == "estimated"
    assert found.size_bytes == known.size_bytes
    assert found.low_bytes is not None
    assert known.low_bytes is not None
    assert found.high_bytes is not None
    assert known.high_bytes is not None
    assert found.low_bytes <= known.low_bytes
    assert found.high_bytes >= known.high_bytes


def test_the_tag_decides_the_distribution() -> None:
    for reference, system, release, manager in [
        ("python:3.11-slim-bullseye", "debian", "bullseye", "apt"),
        ("python:3.11-slim-bookworm", "debian", "bookworm", "apt"),
        ("node:20-alpine3.19", "alpine", "3.19", "apk"),
        ("nginx:1.25-bookworm", "debian", "bookworm", "apt"),
        ("eclipse-temurin:17-jre-jammy", "ubuntu", "22.04", "apt"),
    ]:
        found = facts(reference)
        assert found is not None
        assert (found.distribution, found.release, found.package_manager) == (system, release, manager), reference


def test_a_version_that_is_not_recorded_does_not_claim_versions_of_another() -> None:
    known, guessed = facts("node:22-bookworm-slim"), facts("node:19-bookworm-slim")
    assert known is not None
    assert guessed is not None
    assert "NODE_VERSION" in known.environment
    assert "NODE_VERSION" not in guessed.environment


def test_derived_images_hold_what_their_recipes_install() -> None:
    for reference, has, lacks in [
        ("node:20-slim", ["apt", "libc6"], ["git", "gcc", "python3"]),
        ("node:20", ["git", "gcc", "python3", "curl"], ["cmake"]),
        ("python:3.11-slim", ["ca-certificates", "libssl3"], ["git", "gcc"]),
        ("python:3.12", ["git", "tk-dev", "libpq-dev"], ["cmake"]),
        ("golang:1.22", ["git", "gcc", "make"], ["cmake"]),
        ("rust:slim", ["gcc", "libc6-dev"], ["git"]),
        ("php:8.3-apache", ["apache2", "curl", "gcc"], ["git"]),
        ("debian:trixie-slim", ["apt", "sqv"], ["curl"]),
    ]:
        found = facts(reference)
        assert found is not None
        assert set(has) <= set(found.packages), reference
        assert not set(lacks) & set(found.packages), reference


def test_programs_user_and_shell_are_told() -> None:
    golang, distroless, jupyter = (
        facts("golang:1.22"),
        facts("gcr.io/distroless/static-debian12:nonroot"),
        facts("jupyter/base-notebook"),
    )
    assert golang is not None
    assert "go" in golang.commands
    assert golang.environment["GOPATH"] == "/go"
    assert golang.workdir == "/go"
    assert distroless is not None
    assert not distroless.has_shell
    assert distroless.user not in ("", "root", "0")
    assert jupyter is not None
    assert jupyter.user == "jovyan"


def test_slim_tells_that_docs_are_left_out() -> None:
    slim = {
        reference: found.slim
        for reference in ("debian:bookworm", "debian:bookworm-slim", "node:20", "node:20-slim", "nginx:latest")
        if (found := facts(reference)) is not None
    }
    assert slim == {
        "debian:bookworm": False,
        "debian:bookworm-slim": True,
        "node:20": False,
        "node:20-slim": True,
        "nginx:latest": True,
    }


def test_dotnet_images_and_their_old_names_are_known() -> None:
    new, old = facts("mcr.microsoft.com/dotnet/sdk:8.0"), facts("microsoft/dotnet:2.1-sdk")
    assert new is not None
    assert old is not None
    assert new.size_bytes is not None
    assert new.size_bytes > 5e8
    chiseled = facts("mcr.microsoft.com/dotnet/aspnet:8.0-jammy-chiseled")
    assert chiseled is not None
    assert (chiseled.package_manager, chiseled.has_shell) == ("", False)


def test_another_platform_widens_the_interval() -> None:
    here, there = facts("debian:bookworm"), facts("arm64v8/debian:bookworm")
    assert here is not None
    assert there is not None
    assert here.low_bytes is not None
    assert there.low_bytes is not None
    assert there.low_bytes < here.low_bytes
    assert there.confidence == "estimated"


@pytest.mark.parametrize(
    ("name", "image"), [("debian:latest", "debian:trixie"), ("python:slim", "python:3.14-slim"), ("node", "node:24")]
)
def test_another_name_of_an_estimated_image_is_no_surer(name: str, image: str) -> None:
    one, other = facts(name), facts(image)
    assert one is not None
    assert other is not None
    assert one.confidence == other.confidence == "estimated"
    assert (one.size_bytes, one.low_bytes, one.high_bytes) == (other.size_bytes, other.low_bytes, other.high_bytes)


def test_every_row_can_be_made_and_keeps_its_source() -> None:
    from dfopt.images.known import _file

    references = [line.split('"')[1] for line in _file("images.jsonl").decode().splitlines() if line]
    assert len(references) > 1_000
    for reference in references:
        found = facts(reference)
        assert found is not None, reference
        assert found.source, reference
        assert found.size_bytes is not None, reference
        assert found.low_bytes is not None
        assert found.high_bytes is not None
        assert found.low_bytes <= found.size_bytes <= found.high_bytes, reference


def test_a_lookup_reads_one_line_and_no_package_list() -> None:
    code = (
        "import dfopt.images, dfopt.images.known as known\n"
        "found = dfopt.images.facts('python:3.11-slim')\n"
        "assert known._packages.cache_info().currsize == 0\n"
        "assert len(found.packages) == 106 and known._packages.cache_info().currsize > 0\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parent.parent)
