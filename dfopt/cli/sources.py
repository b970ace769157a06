"""Where better facts come from when the user asks for them: servers, registries, engines, images on disk."""

from __future__ import annotations

import argparse
import os
import sys
from typing import TYPE_CHECKING

from dfopt.cli.files import InputError

if TYPE_CHECKING:
    from dfopt.engine.archive import ArchiveFacts
    from dfopt.engine.facts import EngineFacts
    from dfopt.images.built import BuiltImage
    from dfopt.images.model import ImageFacts
    from dfopt.predict.model import FactSource, RemoteSize


def add_source_options(group: argparse._ArgumentGroup) -> None:
    """Declare the options that name sources of facts."""
    group.add_argument("--network", action="store_true", help="ask the servers of downloads for their sizes")
    group.add_argument("--engine", action="store_true",
                       help="ask the local Docker or Podman about base images and what it built before")  # fmt: skip
    group.add_argument("--registry", action="store_true",
                       help="ask registries about base images (manifest and configuration only)")  # fmt: skip
    group.add_argument("--registry-mirror", action="append", default=[], metavar="HOST",
                       help="ask this host before Docker Hub; http://HOST for plain HTTP")  # fmt: skip
    group.add_argument("--registry-timeout", type=float, default=10.0, metavar="SECONDS",
                       help="how long a registry may take for an answer (default: 10)")  # fmt: skip
    group.add_argument("--insecure-registry", action="append", default=[], metavar="HOST",
                       help="a registry that speaks plain HTTP")  # fmt: skip
    group.add_argument("--image-file", action="append", default=[], metavar="[IMAGE=]PATH",
                       help="an image on disk: an OCI layout, or what docker save wrote")  # fmt: skip


class Sources:
    """Several sources of facts, asked in turn; the first that knows something is believed."""

    def __init__(self, sources: list[FactSource], archives: ArchiveFacts | None, engine: EngineFacts | None) -> None:
        self.sources = sources
        self.archives = archives
        self.engine = engine

    def __bool__(self) -> bool:
        return bool(self.sources)

    def image(self, reference: str) -> ImageFacts | None:
        """Give facts of an image from the first source that has any."""
        return next((found for one in self.sources if (found := one.image(reference)) is not None), None)

    def remote(self, url: str) -> RemoteSize | None:
        """Give the size of a download from the first source that knows it."""
        return next((found for one in self.sources if (found := one.remote(url)) is not None), None)

    def of_base(self, reference: str) -> ImageFacts | None:
        """Give facts of a base image: from a source, else the embedded ones."""
        from dfopt.images import facts

        return self.image(reference) or facts(reference)

    def complain(self) -> None:
        """Print on standard error what could not be asked."""
        for source in self.sources:
            for subject, reason in getattr(source, "failures", {}).items():
                print(f"dfopt: {subject}: {reason}", file=sys.stderr)


def sources_of(args: argparse.Namespace) -> Sources:
    """Give the sources that the options name, none of them asked yet. Raises InputError."""
    found: list[FactSource] = []
    archives = engine = None
    platform = getattr(args, "platform", None) or "linux/amd64"
    if args.image_file:
        archives = _archives(args.image_file, platform)
        found.append(archives)
    if args.engine:
        engine = engine_facts()
        found.append(engine)
    if args.registry:
        from dfopt.remote.registry import RegistryFacts

        found.append(
            RegistryFacts(
                platform=platform, timeout_seconds=args.registry_timeout, mirrors=args.registry_mirror,
                insecure=args.insecure_registry,
            )
        )  # fmt: skip
    if args.network:
        from dfopt.remote.downloads import Downloads

        found.append(Downloads())
    return Sources(found, archives, engine)


def engine_facts() -> EngineFacts:
    """Give the local engine as a source. Raises InputError where none answers."""
    from dfopt.engine import find_engine
    from dfopt.engine.facts import EngineFacts

    engine = find_engine()
    if engine is None:
        raise InputError("no container engine answers (docker, podman)")
    return EngineFacts(engine)


def real_image(name: str, sources: Sources) -> BuiltImage:
    """Give an image to compare with: a file or folder on disk, else one of the local engine. Raises InputError."""
    if os.path.exists(name):
        from dfopt.engine.archive import ArchiveError, read_archive_images

        try:
            found = read_archive_images(name)
        except ArchiveError as error:
            raise InputError(str(error)) from error
        if not found:
            raise InputError(f"{name}: holds no image for this platform")
        return next(iter(found.values()))
    built = (sources.engine or engine_facts()).built(name)
    if built is None:
        raise InputError(f"{name}: the local engine has no such image, and there is no such file")
    return built


def _archives(given: list[str], platform: str) -> ArchiveFacts:
    from dfopt.engine.archive import ArchiveError, ArchiveFacts

    archives = ArchiveFacts(platform)
    for text in given:
        reference, equals, path = text.partition("=")
        if not equals or os.path.exists(text):
            reference, path = "", text
        try:
            archives.add(path, reference)
        except ArchiveError as error:
            raise InputError(str(error)) from error
    return archives
