"""The abstract build of one stage: its file system, its package managers, and what all its steps share."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from typing import TYPE_CHECKING

from dfopt.context.disk import read_text
from dfopt.context.model import BuildContext
from dfopt.graph.model import InstructionGraph, Stage
from dfopt.images.model import ImageFacts
from dfopt.predict.archive import read_archive
from dfopt.predict.filesystem import BASE, Archive, Claim, Entry, FileSystem, Origin
from dfopt.predict.known import known_path
from dfopt.predict.model import Estimate, PackageState, PredictOptions, RemoteSize
from dfopt.predict.told import ToldSizes

if TYPE_CHECKING:
    from dfopt.predict.packages import PackageSession


class StageBuild:
    """What is known while the steps of a stage are gone through, in order."""

    def __init__(
        self,
        graph: InstructionGraph,
        stage: Stage,
        context: BuildContext | None,
        options: PredictOptions,
        base: StageBuild | None,
        others: Mapping[int, StageBuild],
    ) -> None:
        self.graph = graph
        self.stage = stage
        self.context = context
        self.options = options
        self.others = others
        self.fs: FileSystem = base.fs.fork() if base is not None else FileSystem()
        self.packages: dict[tuple[str, str], PackageState] = dict(base.packages) if base is not None else {}
        self.facts: ImageFacts | None = base.facts if base is not None else stage.facts
        self.image: str | None = base.image if base is not None else stage.image
        self.notes: list[str] = []
        self.numbers: list[tuple[int, int]] = []
        """Pairs of a row of the stage's prediction and the number of its layer in the file system."""
        self.last_url = ""
        self.told = ToldSizes()
        self.session: PackageSession | None = None
        """The package calls of the layer at hand."""
        self.environments: dict[str, str] = dict(base.environments) if base is not None else {}
        """Virtual environments by path with the tool that made them, and settings of tools that choose one."""
        self.flat_folders: set[str] = set(base.flat_folders) if base is not None else set()
        """Folders into which pip installs without any layout (``--target``)."""

    def start_on_image(self, size: Estimate, ratio: float, source: str) -> None:
        """Lay the base image's bytes below everything."""
        if size.high > 0:
            origin = Origin("base image", "base", source, ratio)
            self.fs.add_sum("/", Entry(size, BASE, origin, "sum", 0), "base")

    def note(self, text: str) -> None:
        """Keep a sentence about what is not known of the current step."""
        if text not in self.notes:
            self.notes.append(text)

    # ------------------------------------------------------------------ asking

    def facts_of(self, fs: FileSystem) -> str | None:
        """Give the image on which the stage with this file system is built."""
        for other in (self, *self.others.values()):
            if other.fs is fs:
                return other.image
        return None

    def claim(self, path: str) -> Claim | None:
        """Estimate what lies at a path that is not known file by file."""
        known = known_path(self.image, path)
        if known is not None:
            return Claim(known, Origin("a known file of the image", "base", "embedded facts"))
        return self.fs.claim(path)

    def read(self, path: str) -> str | None:
        """Give the text of a file of the stage where it is known."""
        entry = self.fs.get(path)
        if entry is None:
            return None
        if entry.text is not None:
            return entry.text
        if entry.context_path and self.context is not None:
            return read_text(self.context, entry.context_path)
        return None

    def archive_at(self, path: str, entry: Entry) -> Archive | None:
        """Give what an archive in the stage unpacks to, read from the context where it comes from there."""
        if entry.archive is not None:
            return entry.archive
        if entry.context_path and self.context is not None and self.context.root is not None:
            return read_archive(posixpath.join(self.context.root, entry.context_path))
        return None

    def remote(self, url: str) -> RemoteSize | None:
        """Give what is known of a file on the network: from the user, a comment of the file, or a source of facts."""
        told = self.told.of_download(url)
        known = self.options.remote_sizes.get(url, told)
        if known is None and self.options.facts is not None:
            known = self.options.facts.remote(url)
        return known
