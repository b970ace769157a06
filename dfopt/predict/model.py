"""Predicted sizes as values: an estimate with its interval and reasons, a layer, an image."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Protocol

from msgspec import Struct, field

from dfopt.images.model import ImageFacts

if TYPE_CHECKING:
    from dfopt.tools.model import Invocation


class Estimate(Struct, frozen=True):
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


def independent(estimates: Iterable[Estimate], *, signed: bool = False) -> Estimate:
    """Add estimates whose errors have nothing to do with each other: their distances add up as squares.

    The low end is never below 0 unless ``signed`` says that the values are differences.
    """
    value = below = above = 0.0
    for one in estimates:
        value += one.value
        below += (one.value - one.low) ** 2
        above += (one.high - one.value) ** 2
    low = value - below**0.5
    return Estimate(value, low if signed else max(0.0, low), value + above**0.5)


class Part(Struct, frozen=True):
    """One contribution to a layer: what it is ("curl and 31 dependencies"), how much, and the source of the figure.

    ``kind`` is a short word for grouping: base, apt, apk, rpm, pip, npm, copy, download, archive, files, duplicate,
    build, lists, cache, logs, other, unknown.
    """

    label: str
    estimate: Estimate
    kind: str
    source: str = ""
    path: str = ""
    """The file or folder it lies in; "" where it is spread over the system. A mount there makes it 0."""
    files: int | None = None
    """How many files it is made of, where known."""
    compressed: float | None = None
    """Its compressed bytes per byte, where known to differ from the usual 0.38 (1.0 for archives and images)."""


class LayerPrediction(Struct, frozen=True):
    """The predicted size of one layer, in bytes as ``docker history`` counts (regular files, unpacked).

    ``step`` is the index of the instruction in the file, None for the base image. ``confidence`` is "exact", "high",
    "medium", "low" or "unknown". ``kind`` names the model that made most of the figure. ``compressed`` are the bytes
    to pull (gzip). ``wasted`` are bytes that a later layer hides or deletes, so that they weigh without use.
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
    wasted: Estimate = ZERO

    @property
    def size_bytes(self) -> int:
        """The predicted size."""
        return round(self.size.value)


class StagePrediction(Struct, frozen=True):
    """The layers of one stage, the base image's first row, in order; ``total`` is their sum."""

    stage: int
    name: str | None
    layers: tuple[LayerPrediction, ...]
    total: Estimate
    compressed: Estimate


class Prediction(Struct, frozen=True):
    """Prediction for a file: all stages, and which one is the image."""

    stages: tuple[StagePrediction, ...]
    target: int | None
    notes: tuple[str, ...] = ()

    @property
    def image(self) -> StagePrediction | None:
        """The stage that makes the image: its layers and those of the stages it is based on."""
        return None if self.target is None else self.stages[self.target]


class RemoteSize(Struct, frozen=True):
    """What is known of a file that a build fetches: bytes of the download and, for archives, of what it unpacks to."""

    size_bytes: int
    unpacked_bytes: int | None = None
    tar_bytes: int | None = None
    """Bytes of the tar inside a packed tar, headers and padding included, where only that is known."""


class FactSource(Protocol):
    """Where better facts come from when the user asks for them; handed in by the command line."""

    def image(self, reference: str) -> ImageFacts | None:
        """Give facts of an image, or None where this source knows nothing."""

    def remote(self, url: str) -> RemoteSize | None:
        """Give the size of a download, or None."""


class PredictOptions(Struct, frozen=True):
    """What the user supplies: sizes of downloads by URL, base sizes by reference, and further sources of facts."""

    remote_sizes: Mapping[str, RemoteSize] = field(default_factory=dict)
    base_sizes: Mapping[str, int] = field(default_factory=dict)
    facts: FactSource | None = None


class PackageState(Struct, frozen=True):
    """What one package manager knows at a point of a build; a layer compares the states before and after it.

    ``family`` is the tool's family ("apt", "apk", "rpm", "pip", "npm"), ``distribution`` and ``release`` name the
    index that serves it ("debian", "bookworm"; for pip the Python's "3.11"). ``installed`` maps names to versions (""
    where unknown); ``known`` is False where the base's packages are not known. ``slim`` tells that the image drops
    docs. ``manual`` are names asked for (the rest may be auto-removed). ``calls`` counts the calls that changed the
    database, ``traits`` are further facts a model wants to remember ("lists", "debconf", "bytecode").
    """

    family: str
    distribution: str = ""
    release: str = ""
    installed: Mapping[str, str] = field(default_factory=dict)
    known: bool = True
    slim: bool = False
    manual: frozenset[str] = frozenset()
    calls: int = 0
    traits: frozenset[str] = frozenset()
    notes: tuple[str, ...] = ()
    memory: Mapping[str, float] = field(default_factory=dict)
    """Figures a model wants to keep for itself, such as the bytes of packages outside its data."""


class PackageCall(Struct, frozen=True):
    """One call of a package manager in its surroundings.

    ``environment`` holds the variables in force, ``directory`` the working directory, ``prefix`` the environment it
    installs into ("/usr/local", "/venv"; "" for system packages). ``read`` gives the text of a file at an absolute
    path of the build, or None where it is not known; ``exists`` tells whether a path is there.
    """

    invocation: Invocation
    environment: Mapping[str, str] = field(default_factory=dict)
    directory: str = "/"
    user: str = "root"
    prefix: str = ""
    read: Callable[[str], str | None] = lambda path: None
    exists: Callable[[str], bool] = lambda path: False


class PackageModel(Protocol):
    """What a module that models a package manager offers (``dfopt.predict.apt`` and its siblings, as module
    functions).

    The build calls ``start`` once per stage on an image, ``run`` for every call in order, and after each call
    ``parts(before, after)`` with the state at the start of the layer: the parts of *all* that the layer's calls left
    so far, which replace those given before. So two installs in one RUN count the overheads of a layer once, and an
    install that is purged in the same layer leaves the smallest layer there is.
    """

    def start(self, facts: ImageFacts | None) -> PackageState:
        """Give the state of a base image."""

    def run(self, call: PackageCall, state: PackageState) -> PackageState:
        """Give the state after a call."""

    def parts(self, before: PackageState, after: PackageState) -> tuple[Part, ...]:
        """Give what a layer holds that led from one state to the other."""
