"""Facts from a local engine: base images as they are there, and real layers of what was built before."""

from __future__ import annotations

import json
from collections.abc import Iterator

from dfopt.engine.docker import Engine, EngineError
from dfopt.images import facts as embedded_facts
from dfopt.images.built import BuiltImage, BuiltLayer
from dfopt.images.model import ImageFacts
from dfopt.predict.model import RemoteSize

_TIMEOUT_SECONDS = 30
_MOST_IMAGES = 60


class EngineFacts:
    """A source of facts that asks Docker or Podman about images it has; nothing is pulled. Answers are kept."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.failures: dict[str, str] = {}
        self._images: dict[str, ImageFacts | None] = {}

    def image(self, reference: str) -> ImageFacts | None:
        """Give the facts of an image of the engine; None where it does not have it."""
        if reference not in self._images:
            built = self.built(reference)
            self._images[reference] = built.facts(embedded_facts(reference)) if built is not None else None
        return self._images[reference]

    def remote(self, url: str) -> RemoteSize | None:
        """Give nothing: an engine knows no downloads."""
        return None

    def built(self, reference: str) -> BuiltImage | None:
        """Give an image of the engine with its history; None where it does not have it."""
        if reference.startswith("-"):
            return None
        try:
            answer = json.loads(self.engine.run("image", "inspect", reference, timeout=_TIMEOUT_SECONDS))[0]
            history = self.engine.history(reference)
        except (EngineError, ValueError, IndexError, KeyError):
            return None
        rows = tuple(BuiltLayer(layer.created_by, layer.size_bytes) for layer in history)
        name = str(answer.get("Id", "")).removeprefix("sha256:")[:12]
        return BuiltImage(
            reference, rows, answer.get("Config") or {}, f"the local engine's image {name}",
            total_bytes=sum(row.size_bytes or 0 for row in rows) or answer.get("Size"),
        )  # fmt: skip

    def images(self) -> Iterator[BuiltImage]:
        """Give the engine's images, the latest first, up to sixty."""
        try:
            listed = self.engine.run("image", "ls", "-q", "--no-trunc", timeout=_TIMEOUT_SECONDS).split()
        except EngineError as error:
            self.failures["image ls"] = str(error)
            return
        for name in list(dict.fromkeys(listed))[:_MOST_IMAGES]:
            if (built := self.built(name)) is not None:
                yield built
