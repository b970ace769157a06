"""Proving a rewrite by two real builds: both are made, compared file by file, measured and removed again."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack

from msgspec import Struct

from dfopt.engine.compare import Difference, compare
from dfopt.engine.docker import Engine

_SETTINGS = {
    "environment": "Env", "entrypoint": "Entrypoint", "cmd": "Cmd", "user": "User", "workdir": "WorkingDir",
    "ports": "ExposedPorts", "volumes": "Volumes", "labels": "Labels", "stop_signal": "StopSignal",
    "healthcheck": "Healthcheck", "shell": "Shell", "onbuild": "OnBuild",
}  # fmt: skip
"""Parts of the configuration as changes name them, and as an image records them."""


class Verification(Struct, frozen=True):
    """What two builds showed.

    ``differences`` leaves out what was declared to change and ``varying``: paths in which two builds of the first
    text differ from each other. Sizes are bytes of files in all layers, times seconds of the two builds as the
    engine's cache let them be.
    """

    engine: str
    before_bytes: int
    after_bytes: int
    before_seconds: float
    after_seconds: float
    paths: int
    differences: tuple[Difference, ...] = ()
    varying: tuple[str, ...] = ()

    @property
    def same(self) -> bool:
        """Tell whether the images are the same."""
        return not self.differences


def verify(
    engine: Engine,
    before: str,
    after: str,
    context: str | os.PathLike[str] | None = None,
    *,
    removed: Iterable[str] = (),
    metadata: Iterable[str] = (),
    progress: Callable[[str], None] | None = None,
    **options: object,
) -> Verification:
    """Build two Dockerfiles' texts with one context and compare the images.

    ``removed`` are paths or globs that may differ (a folder with all below it), ``metadata`` parts of the
    configuration that may (``environment``, ``cmd`` ...). ``options`` go to ``Engine.build``. Where the images differ,
    the first text is built once more without cache: what two builds of one text differ in proves nothing. All images
    are removed, also after an error or an interrupt. Raises EngineError.
    """
    say = progress or _silent
    ignore = [glob for path in removed for glob in globs_of(path)]
    allowed = {f"configuration {_SETTINGS.get(part, part)}" for part in metadata}
    with ExitStack() as images:

        def built(text: str, words: str, **more: object) -> tuple[str, float]:
            say(words)
            start = time.monotonic()
            image = images.enter_context(engine.temporary(text, context, **{**options, **more}))
            return image, time.monotonic() - start

        first, first_seconds = built(before, "building the first file")
        second, second_seconds = built(after, "building the second file")
        say("comparing the images")
        found = compare(engine, first, second, ignore=ignore)
        differences = [each for each in found.differences if each.path not in allowed]
        varying: Sequence[str] = ()
        if any(not each.path.startswith("configuration ") for each in differences):
            again, _ = built(before, "they differ: building the first file again to see what varies", no_cache=True)
            own = {each.path for each in compare(engine, first, again, ignore=ignore).differences}
            varying = sorted(each.path for each in differences if each.path in own)
            differences = [each for each in differences if each.path not in own]
    return Verification(
        os.path.basename(engine.program), found.before_bytes, found.after_bytes, first_seconds, second_seconds,
        found.paths, tuple(differences), tuple(varying),
    )  # fmt: skip


def globs_of(path: str) -> tuple[str, ...]:
    """Give the globs of a path and all below it, as ``compare`` takes them."""
    plain = path.strip("/")
    return plain, f"{plain}/*"


def _silent(words: str) -> None:
    """Say nothing."""
