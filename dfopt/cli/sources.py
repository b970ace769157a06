"""Where better facts come from when the user asks for them: servers, registries, engines, archives."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dfopt.images.model import ImageFacts
    from dfopt.predict.model import FactSource, RemoteSize


def add_source_options(group: argparse._ArgumentGroup) -> None:
    """Declare the options that name sources of facts."""
    group.add_argument("--network", action="store_true", help="ask the servers of downloads for their sizes")


class Sources:
    """Several sources of facts, asked in turn; the first that knows something is believed."""

    def __init__(self, sources: list[FactSource]) -> None:
        self.sources = sources

    def image(self, reference: str) -> ImageFacts | None:
        """Give facts of an image from the first source that has any."""
        return next((found for one in self.sources if (found := one.image(reference)) is not None), None)

    def remote(self, url: str) -> RemoteSize | None:
        """Give the size of a download from the first source that knows it."""
        return next((found for one in self.sources if (found := one.remote(url)) is not None), None)

    def complain(self) -> None:
        """Print on standard error what could not be asked."""
        for source in self.sources:
            for subject, reason in getattr(source, "failures", {}).items():
                print(f"dfopt: {subject}: {reason}", file=sys.stderr)


def sources_of(args: argparse.Namespace) -> Sources | None:
    """Give the sources that the options name; None without any."""
    found: list[FactSource] = []
    if args.network:
        from dfopt.remote.downloads import Downloads

        found.append(Downloads())
    return Sources(found) if found else None
