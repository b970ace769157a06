"""What is known of a base image, as values."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct, field


class ImageFacts(Struct, frozen=True):
    """Facts of one image (linux/amd64).

    Sizes are in bytes: ``size_bytes`` unpacked as ``docker history`` sums, with ``low_bytes`` and ``high_bytes``
    around it; ``compressed_bytes`` to pull. ``confidence`` is "measured", "alias" or "estimated"; ``source`` says
    where the figures come from. ``packages`` maps installed packages to versions where known (empty: unknown).
    ``environment`` is the image's ENV, ``user`` its USER ("" is root), ``onbuild`` its triggers. ``package_manager``
    is the family ("apt", "apk", "dnf", ...) or "".
    """

    reference: str
    distribution: str = ""
    release: str = ""
    size_bytes: int | None = None
    low_bytes: int | None = None
    high_bytes: int | None = None
    compressed_bytes: int | None = None
    confidence: str = ""
    source: str = ""
    environment: Mapping[str, str] = field(default_factory=dict)
    user: str = ""
    workdir: str = "/"
    shell: tuple[str, ...] = ()
    onbuild: tuple[str, ...] = ()
    layers: int | None = None
    slim: bool = False
    package_manager: str = ""
    packages: Mapping[str, str] = field(default_factory=dict)
    commands: tuple[str, ...] = ()
    """Programs known to be there beyond a minimal system (python3, node, go ...)."""
    entrypoint: tuple[str, ...] = ()
    """The image's ENTRYPOINT, empty where it has none."""
    command: tuple[str, ...] = ()
    """The image's CMD, empty where it has none."""
    has_shell: bool = True
    """False for images without a shell (distroless, chiseled, scratch), where a RUN in shell form cannot work."""
