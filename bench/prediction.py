"""Prediction against real builds: how far every layer and image is off.

python -m bench.prediction FOLDER [--case NAME]... [--least 100000] [--json]
python -m bench.prediction --corpus FILE.jsonl [--limit 1000]

FOLDER holds ``cases/NAME/`` (Dockerfile and context), ``truth.json`` (per stage the rows of ``docker history``) and
``remotes.json`` (sizes of what the builds fetch). Only embedded data and those sizes are used: no engine, no network.
The base image's bytes are given, not predicted, and its rows are not counted. Layers below ``--least`` bytes are
listed but not counted in the last lines.

With ``--corpus``, every file of a corpus (JSON lines with ``id`` and ``text``) is predicted without a context: crashes,
layers without a sound interval, files per second after a hundred other files and once more over the same ones, and
the share of the bytes above the base images that rests on facts: parts whose interval reaches at most from a quarter
of the figure to twice as much (defaults for what is unknown are wider), and the share of those within a factor of two.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from statistics import median
from typing import Any

from dfopt.context import read_context
from dfopt.graph import build
from dfopt.predict import predict_graph
from dfopt.predict.model import LayerPrediction, PredictOptions, RemoteSize
from dfopt.syntax import parse

LEAST_BYTES = 100_000
WARM_UP = 100


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


def over_corpus(path: Path, limit: int) -> int:
    """Predict the files of a corpus and print what the module's text says; gives 0 if all went well."""
    texts: list[tuple[str, str]] = []
    with path.open(encoding="utf-8") as lines:
        for line in islice(lines, limit + WARM_UP):
            row = json.loads(line)
            texts.append((row["id"], row["text"]))
    others, texts = texts[:WARM_UP], texts[WARM_UP:]
    for _, text in others:
        predict_graph(build(parse(text)))
    facts, guessed, narrow, crashes, unsound = Counter[str](), Counter[str](), 0, 0, 0
    seconds: list[tuple[float, float]] = []
    for turn in range(2):
        start, own = time.perf_counter(), time.process_time()
        for name, text in texts:
            try:
                prediction = predict_graph(build(parse(text)))
            except Exception as error:
                crashes += turn == 0
                print(f"crash {name}: {type(error).__name__}: {error}")
                continue
            if turn or prediction.image is None:
                continue
            for layer in prediction.image.layers:
                size = layer.size
                unsound += not 0 <= size.low <= size.value <= size.high < float("inf")
                for part in layer.parts if layer.kind != "base" else ():
                    value, low, high = part.estimate.value, part.estimate.low, part.estimate.high
                    known = high <= 2 * value and low >= value / 4
                    (facts if known else guessed)[part.kind] += round(value)
                    narrow += round(value) if known and low >= value / 2 else 0
        seconds.append((time.perf_counter() - start, time.process_time() - own))
    whole = facts.total() + guessed.total()
    for kind, _ in (facts + guessed).most_common():
        both = facts[kind] + guessed[kind]
        print(f"{kind:10} {both / 1e9:9.2f} GB  {both / whole:6.1%} of all  on facts {facts[kind] / both:6.1%}")
    for label, (wall, own) in zip(("first pass", "second pass"), seconds, strict=True):
        print(f"{label}: {len(texts) / wall:.0f} files/s ({len(texts) / own:.0f} per second of the processor)")
    print(
        f"{len(texts)} files: {crashes} crashes, {unsound} layers without an interval, "
        f"{facts.total() / whole if whole else 0:.1%} of the bytes above the base rest on facts "
        f"({narrow / whole if whole else 0:.1%} within a factor of two)"
    )
    return 1 if crashes or unsound else 0


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
    parser.add_argument("folder", type=Path, nargs="?")
    parser.add_argument("--corpus", type=Path, help="predict the files of a corpus instead")
    parser.add_argument("--limit", type=int, default=1000, help="how many files of the corpus")
    parser.add_argument("--case", action="append", default=[], help="only this case (may be repeated)")
    parser.add_argument("--least", type=int, default=LEAST_BYTES, help="count layers of at least this many bytes")
    parser.add_argument("--json", action="store_true", help="print rows as JSON lines")
    given = parser.parse_args(arguments)
    if given.corpus is not None:
        return over_corpus(given.corpus, given.limit)
    if given.folder is None:
        parser.error("a folder or --corpus is needed")
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
