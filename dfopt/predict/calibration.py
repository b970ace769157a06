"""Learning from real images: predicted against built layers, and corrections that a project keeps for the next time."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from statistics import median

from msgspec import Struct, field
from msgspec.structs import replace

from dfopt.graph.model import InstructionGraph, Step
from dfopt.graph.result import run_text
from dfopt.images.built import BuiltImage, BuiltLayer
from dfopt.predict.model import (
    Estimate,
    LayerPrediction,
    Part,
    Prediction,
    StagePrediction,
    independent,
)
from dfopt.syntax.tree import FileInstruction, Run

FILE_NAME = os.path.join(".dfopt", "calibration.json")
"""Where a project keeps its corrections, below the folder of its Dockerfile."""
_VERSION = 1
_OWN_SHARE = 0.03
"""How far a layer may be from its last real size where its prediction did not change."""
_LEAST_SAMPLES = 3
_LEAST_BYTES = 100_000
_MOST_FACTOR = 4.0


class ComparedLayer(Struct, frozen=True):
    """A predicted layer and the real one."""

    layer: LayerPrediction
    real_bytes: int

    @property
    def error(self) -> float:
        """How far the prediction is off, as a share of the real size, with its sign."""
        difference = self.layer.size.value - self.real_bytes
        return difference / self.real_bytes if self.real_bytes else (0.0 if abs(difference) < 1 else 1.0)

    @property
    def inside(self) -> bool:
        """Tell whether the real size lies in the interval."""
        return self.layer.size.low - 1 <= self.real_bytes <= self.layer.size.high + 1


class Compared(Struct, frozen=True):
    """An image's layers, predicted against real, the base's row first; ``complete`` is False where some had no row."""

    image: str
    layers: tuple[ComparedLayer, ...]
    predicted: Estimate
    real_bytes: int
    complete: bool = True


class Correction(Struct, frozen=True):
    """What was learned about one instruction: its bytes as predicted then, and as built."""

    predicted: float
    real: float
    kind: str


class Calibration(Struct, frozen=True):
    """A project's corrections by the key of an instruction."""

    corrections: Mapping[str, Correction] = field(default_factory=dict)

    def factors(self) -> Mapping[str, float]:
        """Give, per kind of layer, the factor from predicted to real, where enough layers tell it."""
        shares: dict[str, list[float]] = {}
        for one in self.corrections.values():
            if one.predicted >= _LEAST_BYTES and one.real >= _LEAST_BYTES:
                shares.setdefault(one.kind, []).append(one.real / one.predicted)
        return {kind: median(each) for kind, each in shares.items() if len(each) >= _LEAST_SAMPLES}


# ---------------------------------------------------------------------- comparing


def compare_with_image(prediction: Prediction, graph: InstructionGraph, image: BuiltImage) -> Compared | None:
    """Compare the predicted image with a real one, from the last layer down; None without common layers.

    Rows of the history that the file does not have make up its base.
    """
    stage = prediction.image
    if stage is None:
        return None
    real = [row for row in image.layers if row.size_bytes is not None]
    own = [layer for layer in stage.layers if layer.kind != "base" and not layer.empty]
    base = next((layer for layer in stage.layers if layer.kind == "base"), None)
    steps = {step.index: step for step in graph.steps}
    pairs: list[ComparedLayer] = []
    while own and real and _same(own[-1], steps, real[-1]):
        pairs.append(ComparedLayer(own.pop(), real.pop().size_bytes or 0))
    if not pairs:
        return None
    if base is not None and not own:
        pairs.append(ComparedLayer(base, sum(row.size_bytes or 0 for row in real)))
    whole = image.size_bytes
    return Compared(image.reference, tuple(reversed(pairs)), stage.total, whole if whole is not None else 0, not own)


def built_before(prediction: Prediction, graph: InstructionGraph, images: Iterable[BuiltImage]) -> Compared | None:
    """Find the image that was built from the same steps, or the longest beginning of them; None where none was.

    Only steps whose text says all (RUN) count as the same; files that are copied may have changed.
    """
    stage = prediction.image
    if stage is None:
        return None
    own = [layer for layer in stage.layers if layer.kind != "base" and not layer.empty]
    steps = {step.index: step for step in graph.steps}
    best: tuple[int, BuiltImage, list[ComparedLayer]] | None = None
    for image in images:
        rows = [row for row in image.layers if row.size_bytes is not None]
        for start in range(len(rows)):
            pairs: list[ComparedLayer] = []
            for layer, row in zip(own, rows[start:], strict=False):
                if not _same(layer, steps, row):
                    break
                pairs.append(ComparedLayer(layer, row.size_bytes or 0))
            score = sum(_keyword(pair.layer) == "RUN" for pair in pairs)
            if score and (best is None or score > best[0]):
                best = (score, image, pairs)
    if best is None:
        return None
    _, image, pairs = best
    return Compared(image.reference, tuple(pairs), stage.total, image.size_bytes or 0, len(pairs) == len(own))


def _same(layer: LayerPrediction, steps: Mapping[int, Step], row: BuiltLayer) -> bool:
    """Tell whether a row of a history comes from a layer's instruction."""
    if not row.created_by:
        return True
    keyword = _keyword(layer)
    step = steps.get(layer.step) if layer.step is not None else None
    if step is None or keyword != row.keyword:
        return False
    text = row.text
    if isinstance(step.instruction, Run):
        if step.instruction.exec_form is not None:
            return text.endswith(" ".join(word.text for word in step.instruction.exec_form))
        wanted = " ".join(run_text(step.instruction).split())
        return text.endswith(wanted) or "<<" in text
    if isinstance(step.instruction, FileInstruction) and step.arguments:
        # The classic builder writes sums instead of sources; the last name of the destination is in all histories.
        return text.rstrip("/. ").endswith(step.arguments[-1].rstrip("/. ").rsplit("/", 1)[-1])
    return True


def _keyword(layer: LayerPrediction) -> str:
    return layer.instruction.split(" ", 1)[0].upper()


# ---------------------------------------------------------------------- learning and using


def learn(calibration: Calibration, compared: Compared) -> Calibration:
    """Add what a comparison teaches; layers that are known exactly and right teach nothing."""
    corrections = dict(calibration.corrections)
    for pair in compared.layers:
        layer = pair.layer
        key = key_of(layer)
        if layer.kind == "base":
            continue
        if layer.confidence == "exact" and pair.real_bytes == layer.size_bytes:
            corrections.pop(key, None)
            continue
        corrections[key] = Correction(round(layer.size.value), pair.real_bytes, layer.kind)
    return Calibration(corrections)


def calibrated(prediction: Prediction, calibration: Calibration, *, source: str = "a real build of it") -> Prediction:
    """Give the prediction with a project's corrections; figures that are exact stay.

    A layer whose own instruction was seen follows its last real size in proportion to what is predicted now. Others
    follow the factor of their kind, if enough layers tell one; their intervals do not get narrower by that.
    """
    if not calibration.corrections:
        return prediction
    factors = calibration.factors()
    stages = tuple(_stage(stage, calibration, factors, source) for stage in prediction.stages)
    return replace(prediction, stages=stages)


def _stage(
    stage: StagePrediction, calibration: Calibration, factors: Mapping[str, float], source: str
) -> StagePrediction:
    layers = tuple(_layer(layer, calibration, factors, source) for layer in stage.layers)
    total = independent(layer.size for layer in layers)
    return replace(stage, layers=layers, total=total, compressed=independent(layer.compressed for layer in layers))


def _layer(
    layer: LayerPrediction, calibration: Calibration, factors: Mapping[str, float], source: str
) -> LayerPrediction:
    if layer.empty or layer.kind == "base" or layer.confidence == "exact":
        return layer
    one = calibration.corrections.get(key_of(layer))
    if one is not None:
        share = layer.size.value / one.predicted if one.predicted else 1.0
        if 1 / _MOST_FACTOR <= share <= _MOST_FACTOR:
            changed = abs(share - 1)
            size = Estimate.within(one.real * share, min(0.9, _OWN_SHARE + changed / 2))
            return _corrected(layer, size, "high" if changed < 0.05 else "medium", source)
    factor = factors.get(layer.kind)
    if factor is None or not 1 / _MOST_FACTOR <= factor <= _MOST_FACTOR:
        return layer
    value = layer.size.value * factor
    size = Estimate(value, min(value, layer.size.low), max(value, layer.size.high))
    return _corrected(layer, size, layer.confidence, "")


def _corrected(layer: LayerPrediction, size: Estimate, confidence: str, source: str) -> LayerPrediction:
    old = layer.size.value
    factor = size.value / old if old else 1.0
    parts = tuple(replace(part, estimate=part.estimate.scaled(factor)) for part in layer.parts)
    note = layer.note
    if source:
        parts = tuple(replace(part, estimate=_narrowed(part.estimate, size, old * factor)) for part in parts)
        if not parts and size.value:
            parts = (Part("what the step writes", size, layer.kind, source),)
        elif parts:
            parts = (replace(parts[0], source=f"corrected by {source}"), *parts[1:])
        note = ""
    packed = layer.compressed.scaled(factor)
    if source and size.value:
        packed = Estimate(packed.value, packed.value * 0.75, min(packed.value * 1.3, size.high))
    return replace(layer, size=size, confidence=confidence, parts=parts, note=note, compressed=packed)


def _narrowed(part: Estimate, size: Estimate, whole: float) -> Estimate:
    share = part.value / whole if whole else 0.0
    return Estimate(part.value, size.low * share, size.high * share)


def key_of(layer: LayerPrediction) -> str:
    """Give the key under which a layer is remembered: its instruction's text, spaces aside."""
    return hashlib.sha256(" ".join(layer.instruction.split()).encode("utf-8", "surrogateescape")).hexdigest()[:16]


# ---------------------------------------------------------------------- the file


def read_calibration(path: str) -> Calibration:
    """Read a project's corrections; a file that does not exist has none. Raises OSError and ValueError."""
    try:
        with open(path, encoding="utf-8") as file:
            data = json.load(file)
    except FileNotFoundError:
        return Calibration()
    if not isinstance(data, dict) or data.get("version") != _VERSION:
        raise ValueError(f"{path} is no calibration of this version")
    try:
        return Calibration(
            {
                key: Correction(float(row["predicted"]), float(row["real"]), str(row["kind"]))
                for key, row in data["layers"].items()
            }
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{path} is no calibration: {error}") from error


def calibration_text(calibration: Calibration, names: Mapping[str, str]) -> str:
    """Write corrections as the text of a file; ``names`` are instructions by key, for people who read it."""
    layers = {
        key: {"predicted": round(one.predicted), "real": round(one.real), "kind": one.kind,
              **({"instruction": names[key]} if key in names else {})}
        for key, one in sorted(calibration.corrections.items())
    }  # fmt: skip
    return json.dumps({"version": _VERSION, "layers": layers}, indent=2, ensure_ascii=False) + "\n"
