"""Comparing predictions and holding them against budgets: what grows, and what is, or may be, too large."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from difflib import SequenceMatcher
from typing import Literal

from msgspec import Struct

from dfopt.predict.model import ZERO, Estimate, LayerPrediction, Prediction, StagePrediction, independent


class Budget(Struct, frozen=True):
    """What an image may weigh, in bytes; None is no limit.

    ``max_layer`` is about the file's own layers, not the base image's. ``max_pull`` is about compressed bytes.
    ``growth_share`` is a share of the size before (0.05 for 5 %), ``growth_bytes`` a number of bytes.
    """

    max_image: float | None = None
    max_layer: float | None = None
    max_pull: float | None = None
    growth_share: float | None = None
    growth_bytes: float | None = None


class Overrun(Struct, frozen=True):
    """A budget that is broken: surely where even the low end of the interval is above it, else possibly.

    ``line`` is the place of the layer in the file's instructions (None for the image).
    """

    kind: Literal["image", "layer", "pull", "growth"]
    sure: bool
    size: Estimate
    limit: float
    what: str = ""
    step: int | None = None


class LayerChange(Struct, frozen=True):
    """One row of a comparison: a layer before and after; None where it is not there."""

    before: LayerPrediction | None
    after: LayerPrediction | None

    @property
    def difference(self) -> Estimate:
        """The growth in bytes; nothing where both rest on the same reasons and figures."""
        if self.before is not None and self.after is not None and self.before.size == self.after.size:
            return ZERO
        old = self.before.size if self.before is not None else ZERO
        new = self.after.size if self.after is not None else ZERO
        return independent([new, Estimate(-old.value, -old.high, -old.low)], signed=True)


class Growth(Struct, frozen=True):
    """An image before and after a change: its rows, and the growth in bytes, unpacked and compressed.

    What is the same in both does not widen the growth's interval, however little is known of it.
    """

    before: StagePrediction
    after: StagePrediction
    rows: tuple[LayerChange, ...]
    size: Estimate
    compressed: Estimate

    @property
    def share(self) -> Estimate:
        """The growth as a share of the size before."""
        whole = self.before.total.value
        return self.size.scaled(1 / whole) if whole else Estimate(0, 0, 0)


def compare_predictions(before: Prediction, after: Prediction) -> Growth | None:
    """Compare the images of two predictions; None where a file makes none."""
    old, new = before.image, after.image
    if old is None or new is None:
        return None
    rows = tuple(_rows(old.layers, new.layers))
    size = independent([row.difference for row in rows], signed=True)
    size = Estimate(new.total.value - old.total.value, size.low, size.high)
    same = Counter((layer.instruction, layer.compressed) for layer in old.layers)
    same &= Counter((layer.instruction, layer.compressed) for layer in new.layers)
    pulled = independent([*_apart(new, same, 1), *_apart(old, same, -1)], signed=True)
    return Growth(old, new, rows, size, pulled)


def _apart(stage: StagePrediction, same: Counter[tuple[str, Estimate]], sign: int) -> Iterator[Estimate]:
    left = Counter(same)
    for layer in stage.layers:
        key = (layer.instruction, layer.compressed)
        if left[key] > 0:
            left[key] -= 1
            continue
        size = layer.compressed
        yield size if sign > 0 else Estimate(-size.value, -size.high, -size.low)


def _rows(old: tuple[LayerPrediction, ...], new: tuple[LayerPrediction, ...]) -> Iterator[LayerChange]:
    """Pair layers: equal instructions first, then what stands between them in order where the keywords agree."""
    old, new = (tuple(layer for layer in layers if not layer.empty) for layers in (old, new))
    matcher = SequenceMatcher(None, [one.instruction for one in old], [one.instruction for one in new], autojunk=False)
    for _, a, b, c, d in matcher.get_opcodes():
        left, right = list(old[a:b]), list(new[c:d])
        while left or right:
            paired = bool(left and right) and _keyword(left[0]) == _keyword(right[0])
            if paired:
                yield LayerChange(left.pop(0), right.pop(0))
            elif left and (not right or len(left) >= len(right)):
                yield LayerChange(left.pop(0), None)
            else:
                yield LayerChange(None, right.pop(0))


def _keyword(layer: LayerPrediction) -> str:
    return layer.instruction.split(" ", 1)[0].upper()


# ---------------------------------------------------------------------- budgets


def check_budget(prediction: Prediction, budget: Budget, growth: Growth | None = None) -> tuple[Overrun, ...]:
    """Hold the image against a budget and give what is above it, surely or possibly; growth needs a comparison."""
    image = prediction.image
    if image is None:
        return ()
    found: list[Overrun | None] = [_over("image", image.total, budget.max_image)]
    found.append(_over("pull", image.compressed, budget.max_pull))
    if budget.max_layer is not None:
        found += [
            _over("layer", layer.size, budget.max_layer, layer.instruction, layer.step)
            for layer in image.layers
            if layer.kind != "base" and not layer.empty
        ]
    if growth is not None:
        found.append(_over("growth", growth.size, budget.growth_bytes))
        if budget.growth_share is not None:
            found.append(_over("growth", growth.size, budget.growth_share * growth.before.total.value))
    return tuple(one for one in found if one is not None)


def _over(
    kind: Literal["image", "layer", "pull", "growth"],
    size: Estimate,
    limit: float | None,
    what: str = "",
    step: int | None = None,
) -> Overrun | None:
    if limit is None or size.high <= limit:
        return None
    return Overrun(kind, size.low > limit, size, limit, what, step)
