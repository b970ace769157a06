"""Names of images as builds write them out: registry, path, and a tag or digest."""

from __future__ import annotations

from functools import lru_cache

from dfopt.syntax.reference import ImageReference


@lru_cache(1024)
def full_name(text: str) -> str:
    """Give an image's full name, ``docker.io/library/debian:latest`` for ``debian``. Raises ValueError."""
    reference = ImageReference.parse(text)
    return str(reference) if reference.tag or reference.digest else f"{reference}:latest"
