"""How a prediction's bytes are divided: packed by gzip or zstd, shared with the base image, by where they come from."""

from __future__ import annotations

from msgspec import Struct

from dfopt.predict.model import ZERO, Estimate, LayerPrediction, StagePrediction, independent

_ZSTD_OF_GZIP = Estimate(0.95, 0.9, 1.0)
"""Bytes of zstd level 3, the exporters' default, per byte of gzip; measured on layers of distributions."""
_PACKED_ALREADY = 0.9
"""From this share on content hardly packs at all, so that zstd gains nothing over gzip."""
_KINDS = {
    "base": "base image", "apt": "packages (apt)", "apk": "packages (apk)", "rpm": "packages (rpm)",
    "pip": "Python packages", "npm": "Node packages", "copy": "copied files", "download": "downloads",
    "archive": "unpacked archives", "files": "written files", "duplicate": "files written twice",
    "build": "build output", "lists": "package lists", "cache": "caches", "logs": "logs", "unknown": "unknown",
}  # fmt: skip


class Source(Struct, frozen=True):
    """One place where an image's bytes come from: its kind, words for it, and how many bytes in how many layers."""

    kind: str
    label: str
    size: Estimate
    layers: int


def zstd_of(layer: LayerPrediction) -> Estimate:
    """Estimate a layer's bytes as zstd packs them; the base's layers stay as their registry holds them."""
    if layer.kind == "base" or layer.compressed.high <= 0:
        return layer.compressed
    whole = sum(part.estimate.value for part in layer.parts)
    packed = sum(
        part.estimate.value for part in layer.parts if part.compressed is not None and part.compressed < _PACKED_ALREADY
    )
    share = packed / whole if whole else 1.0
    factor = Estimate(*(1 - share * (1 - one) for one in (_ZSTD_OF_GZIP.value, _ZSTD_OF_GZIP.low, _ZSTD_OF_GZIP.high)))
    size = layer.compressed
    return Estimate(size.value * factor.value, size.low * factor.low, size.high * factor.high)


def zstd_total(stage: StagePrediction) -> Estimate:
    """Estimate the bytes to pull where the file's own layers are packed by zstd."""
    return independent(zstd_of(layer) for layer in stage.layers)


def shared_with_base(stage: StagePrediction) -> tuple[Estimate, Estimate]:
    """Give the bytes of the base image in a stage, unpacked and compressed: who has the base needs only the rest."""
    base = [layer for layer in stage.layers if layer.kind == "base"]
    size = packed = ZERO
    for layer in base:
        size += layer.size
        packed += layer.compressed
    return size, packed


def sources_of(stage: StagePrediction) -> tuple[Source, ...]:
    """Sum an image's bytes up by where they come from, the base first, then the largest."""
    sizes: dict[str, list[Estimate]] = {}
    counts: dict[str, int] = {}
    for layer in stage.layers:
        for kind in dict.fromkeys(_kind(part.kind) for part in layer.parts):
            counts[kind] = counts.get(kind, 0) + 1
        for part in layer.parts:
            sizes.setdefault(_kind(part.kind), []).append(part.estimate)
    found = [Source(kind, _KINDS.get(kind, kind), independent(each), counts[kind]) for kind, each in sizes.items()]
    found = [each for each in found if each.size.high >= 1]
    return tuple(sorted(found, key=lambda each: (each.kind != "base", -each.size.value)))


def _kind(kind: str) -> str:
    return kind if kind in _KINDS else "files" if kind == "other" else kind
