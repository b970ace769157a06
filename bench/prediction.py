"""Prediction against real builds: how far every layer and image is off.

python -m bench.prediction FOLDER [--case NAME]... [--least 100000] [--json]

FOLDER holds ``cases/NAME/`` (Dockerfile and context), ``truth.json`` (per stage the rows of ``docker history``) and
``remotes.json`` (sizes of what the builds fetch). Only embedded data and those sizes are used: no engine, no network.
The base image's bytes are given, not predicted, and its rows are not counted. Layers below ``--least`` bytes are
listed but not counted in the last lines.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from dfopt.context import read_context
from dfopt.graph import build
from dfopt.predict import predict_graph
from dfopt.predict.model import LayerPrediction, PredictOptions, RemoteSize
from dfopt.syntax import parse

LEAST_BYTES = 100_000


@dataclass(frozen=True)
class Row:
    """One layer: what was predicted and what it really weighs."""

    case: str
    stage: int
    layer: LayerPrediction
    real_bytes: int

    @property
    def error(self) -> float:
        """Relative error; of an empty layer 0 if it was predicted empty, else 1."""
        if self.real_bytes == 0:
            return 0.0 if self.layer.size_bytes == 0 else 1.0
        return abs(self.layer.size_bytes - self.real_bytes) / self.real_bytes

    @property
    def inside(self) -> bool:
        """Tell whether the real size lies in the interval."""
        return self.layer.size.low - 1 <= self.real_bytes <= self.layer.size.high + 1

    @property
    def group(self) -> str:
        """The kind under which medians are printed."""
        if self.layer.kind in ("apt", "pip", "npm"):
            return self.layer.kind
        return "COPY/ADD" if self.layer.instruction.split(" ", 1)[0].upper() in ("COPY", "ADD") else "other"


@dataclass(frozen=True)
class Image:
    """A case's final image."""

    case: str
    predicted_bytes: int
    real_bytes: int

    @property
    def error(self) -> float:
        """Relative error of the whole."""
        return abs(self.predicted_bytes - self.real_bytes) / self.real_bytes


def measure(folder: Path, only: Sequence[str] = ()) -> tuple[list[Row], list[Image], list[str]]:
    """Predict every case of a folder; give layers, images and what could not be compared."""
    truth: dict[str, Any] = json.loads((folder / "truth.json").read_text("utf-8"))
    remotes_file = folder / "remotes.json"
    remotes: dict[str, Any] = json.loads(remotes_file.read_text("utf-8")) if remotes_file.exists() else {}
    rows: list[Row] = []
    images: list[Image] = []
    troubles: list[str] = []
    for name, case in truth.items():
        if only and name not in only:
            continue
        place = folder / "cases" / name
        text = case.get("dockerfile") or (place / "Dockerfile").read_text("utf-8", "surrogateescape")
        graph = build(parse(text))
        sizes = {url: RemoteSize(one["bytes"], one.get("unpacked_bytes")) for url, one in remotes.get(name, {}).items()}
        bases = {
            stage.image or "": real["base_bytes"]
            for stage, real in zip(graph.stages, case["stages"], strict=False)
            if stage.base is None
        }
        context = read_context(place, dockerfile=place / "Dockerfile") if place.is_dir() else None
        prediction = predict_graph(graph, context, PredictOptions(sizes, bases))
        for stage, predicted, real in zip(graph.stages, prediction.stages, case["stages"], strict=False):
            own = [layer for layer in predicted.layers if not layer.empty][-_own_layers(stage.all_steps) :]
            own = own if _own_layers(stage.all_steps) else []
            history = [row for row in real["history"][real["base_rows"] :] if not row["empty"]]
            if len(own) != len(history):
                troubles.append(f"{name} stage {stage.index}: {len(own)} layers predicted, {len(history)} built")
            rows += [Row(name, stage.index, layer, row["size_bytes"]) for layer, row in zip(own, history, strict=False)]
        last = prediction.stages[-1]
        images.append(Image(name, round(last.total.value), case["stages"][-1]["image_bytes"]))
    return rows, images, troubles


def _own_layers(steps: Iterable[Any]) -> int:
    return sum(step.makes_layer for step in steps)


def quantile(values: Sequence[float], share: float) -> float:
    """Give a quantile, the next larger value that occurs."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, max(0, -int(-share * len(ordered) // 1) - 1))] if ordered else float("nan")


def _summary(rows: Sequence[Row]) -> str:
    errors = [row.error for row in rows]
    middle = median(errors) if errors else float("nan")
    inside = sum(row.inside for row in rows) / len(rows) if rows else float("nan")
    return f"layers {len(rows)}: median {middle:.2%}, p90 {quantile(errors, 0.9):.2%}, inside interval {inside:.0%}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the comparison and print it."""
    parser = argparse.ArgumentParser(
        prog="bench.prediction", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--case", action="append", default=[], help="only this case (may be repeated)")
    parser.add_argument("--least", type=int, default=LEAST_BYTES, help="count layers of at least this many bytes")
    parser.add_argument("--json", action="store_true", help="print rows as JSON lines")
    given = parser.parse_args(arguments)
    rows, images, troubles = measure(given.folder, given.case)
    width = max((len(row.case) for row in rows), default=4)
    if not given.json:
        heads = " ".join(f"{head:>12}" for head in ("predicted", "low", "high", "real"))
        print(f"{'case':{width}} st {heads}    error  kind      instruction")
    for row in rows:
        layer = row.layer
        figures = (layer.size_bytes, round(layer.size.low), round(layer.size.high), row.real_bytes)
        if given.json:
            named = dict(zip(("predicted", "low", "high", "real"), figures, strict=True))
            place = {"case": row.case, "stage": row.stage, "kind": layer.kind, "instruction": layer.instruction}
            print(json.dumps({**place, **named}))
            continue
        columns = " ".join(f"{figure:>12,}" for figure in figures)
        mark = " " if row.inside else "!"
        head = f"{row.case:{width}} {row.stage:>2} {columns} {row.error:>8.2%}{mark}"
        print(f"{head} {layer.kind:9} {layer.instruction[:60]}")
    for trouble in troubles:
        print(f"not compared in full: {trouble}", file=sys.stderr)
    counted = [row for row in rows if row.real_bytes >= given.least]
    print()
    for image in images:
        print(f"image {image.case:{width}} {image.predicted_bytes:>12,} {image.real_bytes:>12,} {image.error:>8.2%}")
    print()
    for group in ("apt", "pip", "npm", "COPY/ADD", "other"):
        members = [row for row in counted if row.group == group]
        if members:
            print(f"{group}: {_summary(members)}")
    errors = [image.error for image in images]
    print(
        f"{_summary(counted)}; images: median {median(errors) if errors else float('nan'):.2%}, "
        f"p90 {quantile(errors, 0.9):.2%}"
    )
    return 0 if not troubles else 1


if __name__ == "__main__":
    sys.exit(main())
