"""A prediction for programs: JSON."""

from __future__ import annotations

import json
from typing import IO, Any

from dfopt.predict.calibration import Compared
from dfopt.predict.growth import Growth, LayerChange, Overrun
from dfopt.predict.model import Estimate, LayerPrediction, Prediction, StagePrediction
from dfopt.predict.shares import shared_with_base, sources_of, zstd_of, zstd_total
from dfopt.report.compared import as_object as comparison_object
from dfopt.report.growth import overrun_text


def as_object(prediction: Prediction, name: str = "") -> dict[str, Any]:
    """Give the prediction as plain values for JSON; sizes are bytes."""
    return {
        "file": name,
        "target": prediction.target,
        "image": _stage_object(prediction.image) if prediction.image is not None else None,
        "stages": [_stage_object(stage) for stage in prediction.stages],
        "notes": list(prediction.notes),
    }


def write_json(
    prediction: Prediction,
    stream: IO[str],
    name: str = "",
    *,
    growth: Growth | None = None,
    overruns: tuple[Overrun, ...] = (),
    compared: Compared | None = None,
) -> None:
    """Print the prediction as JSON, with the comparison and the broken budgets where there are any."""
    answer = as_object(prediction, name)
    if growth is not None:
        answer["growth"] = {
            **_estimate(growth.size),
            "share": round(growth.share.value, 4),
            "before": round(growth.before.total.value),
            "compressed": _estimate(growth.compressed),
            "layers": [_change(row) for row in growth.rows],
        }
    if compared is not None:
        answer["compared"] = comparison_object(compared)
    answer["budget"] = [
        {"kind": one.kind, "sure": one.sure, "limit": round(one.limit), **_estimate(one.size), "step": one.step,
         "message": overrun_text(one)}
        for one in overruns
    ]  # fmt: skip
    json.dump(answer, stream, indent=2, ensure_ascii=False)
    stream.write("\n")


def _change(row: LayerChange) -> dict[str, Any]:
    return {
        "before": _layer_object(row.before) if row.before is not None else None,
        "after": _layer_object(row.after) if row.after is not None else None,
        **_estimate(row.difference),
    }


def _estimate(size: Estimate) -> dict[str, int]:
    return {"bytes": round(size.value), "low": round(size.low), "high": round(size.high)}


def _stage_object(stage: StagePrediction) -> dict[str, Any]:
    return {
        "stage": stage.stage,
        "name": stage.name,
        "total": _estimate(stage.total),
        "compressed": _estimate(stage.compressed),
        "zstd": _estimate(zstd_total(stage)),
        "shared_with_base": dict(zip(("total", "compressed"), map(_estimate, shared_with_base(stage)), strict=True)),
        "sources": [
            {"kind": one.kind, "label": one.label, "layers": one.layers, **_estimate(one.size)}
            for one in sources_of(stage)
        ],
        "layers": [_layer_object(layer) for layer in stage.layers],
    }


def _layer_object(layer: LayerPrediction) -> dict[str, Any]:
    return {
        "instruction": layer.instruction,
        "step": layer.step,
        "empty": layer.empty,
        **_estimate(layer.size),
        "compressed": _estimate(layer.compressed),
        "zstd": _estimate(zstd_of(layer)),
        "wasted": round(layer.wasted.value),
        "confidence": layer.confidence,
        "kind": layer.kind,
        "note": layer.note,
        "parts": [
            {
                "label": part.label,
                "kind": part.kind,
                **_estimate(part.estimate),
                "source": part.source,
                "path": part.path,
            }
            for part in layer.parts
        ],
    }
