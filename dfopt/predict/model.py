"""Predicted sizes as values: an estimate with its interval and reasons, a layer, an image."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from dfopt.images.model import ImageFacts


@dataclass(frozen=True, slots=True)
class Estimate:
    """A number of bytes with its 90 % interval. ``exact`` figures have ``low == value == high``."""

    value: float
    low: float
    high: float

    @classmethod
    def exact(cls, value: float) -> Estimate:
        """Make an estimate without doubt."""
        return cls(value, value, value)

    @classmethod
    def within(cls, value: float, share: float) -> Estimate:
        """Make an estimate with a relative interval: ``within(100, 0.1)`` is 90 to 110."""
        return cls(value, value * (1 - share), value * (1 + share))

    def __add__(self, other: Estimate) -> Estimate:
        """Add estimates whose errors may go together."""
        return Estimate(self.value + other.value, self.low + other.low, self.high + other.high)

    def scaled(self, factor: float) -> Estimate:
        """Multiply value and interval."""
        return Estimate(self.value * factor, self.low * factor, self.high * factor)


ZERO = Estimate(0, 0, 0)


@dataclass(frozen=True, slots=True)
class Part:
    """One contribution to a layer: what it is ("package lists", "curl and 31 dependencies"), how much, and the source of the figure.

    ``kind`` is a short word for grouping: base, apt, apk, rpm, pip, npm, copy, download, archive, duplicate, build, lists, cache, logs, other, unknown.
    """

    label: str
    estimate: Estimate
    kind: str
    source: str = ""


@dataclass(frozen=True, slots=True)
class LayerPrediction:
    """The predicted size of one layer, in bytes as ``docker history`` counts (regular files, unpacked).

    ``step`` is the index of the instruction in the file, None for the base image. ``confidence`` is "exact", "high",
    "medium", "low" or "unknown". ``kind`` names the model that made most of the figure. ``compressed`` are the bytes to pull (gzip). ``wasted`` are bytes that
    a later layer hides or deletes, so that they weigh without use.
    """

    instruction: str
    step: int | None
    size: Estimate
    compressed: Estimate
    confidence: str
    kind: str
    parts: tuple[Part, ...] = ()
    empty: bool = False
    note: str = ""

    @property
    def size_bytes(self) -> int:
        """The predicted size."""
        return round(self.size.value)


@dataclass(frozen=True, slots=True)
class StagePrediction:
    """The layers of one stage, the base image's first row, in order; ``total`` is their sum."""

    stage: int
    name: str | None
    layers: tuple[LayerPrediction, ...]
    total: Estimate
    compressed: Estimate


@dataclass(frozen=True, slots=True)
class Prediction:
    """Prediction for a file: all stages, and which one is the image."""

    stages: tuple[StagePrediction, ...]
    target: int | None
    notes: tuple[str, ...] = ()

    @property
    def image(self) -> StagePrediction | None:
        """The stage that makes the image: its layers and those of the stages it is based on."""
        return None if self.target is None else self.stages[self.target]


@dataclass(frozen=True, slots=True)
class RemoteSize:
    """What is known of a file that a build fetches: bytes of the download and, for archives, of what it unpacks to."""

    size_bytes: int
    unpacked_bytes: int | None = None


class FactSource(Protocol):
    """Where better facts come from when the user asks for them; handed in by the command line."""

    def image(self, reference: str) -> ImageFacts | None:
        """Give facts of an image, or None where this source knows nothing."""

    def remote(self, url: str) -> RemoteSize | None:
        """Give the size of a download, or None."""


@dataclass(frozen=True, slots=True)
class PredictOptions:
    """What the user supplies: sizes of downloads by URL, base sizes by reference, and further sources of facts."""

    remote_sizes: Mapping[str, RemoteSize] = field(default_factory=dict)
    base_sizes: Mapping[str, int] = field(default_factory=dict)
    facts: FactSource | None = None
