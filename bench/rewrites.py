"""Rewrites of really built cases: every case is optimized, built before and after, and compared file by file.

    python -m bench.rewrites DIR [--builder ENV] [--unsafe] [--case NAME]

``DIR`` holds ``cases/NAME/Dockerfile`` with their contexts, and may hold ``truth.json`` (a ``check`` per case: a
shell command that must succeed in the image), ``remotes.json`` (sizes of downloads) and ``www/make_www.py`` (files
served on loopback port 8765). ``ENV`` is a file of ``export`` lines naming the engine. Per case one line: bytes
before and after as predicted and as built, and whether the images are the same; last the totals, which count the
bytes above the base image.
"""

from __future__ import annotations

import argparse
import http.server
import json
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from dfopt.context import read_context
from dfopt.engine import Engine, EngineError, compare, environment_from, find_engine
from dfopt.graph import build
from dfopt.predict.model import PredictOptions, RemoteSize
from dfopt.rewrite import Plan, optimize_graph
from dfopt.syntax import parse

PORT = 8765


class Outcome(NamedTuple):
    """What came of one case, in bytes; ``base`` is what the base image weighs."""

    name: str
    base: int
    before: int
    after: int
    predicted_before: int
    predicted_after: int
    verdict: str
    good: bool


def main(arguments: list[str] | None = None) -> int:
    """Run the cases; 0 where every one is good, 1 otherwise, 2 without an engine."""
    parser = argparse.ArgumentParser(prog="python -m bench.rewrites", description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--builder", type=Path, help="file of export lines that name the engine")
    parser.add_argument("--case", action="append", default=[], help="only cases whose name holds this text")
    parser.add_argument(
        "--unsafe", action="store_true", help="allow unsafe changes; then only the check has to succeed"
    )
    parser.add_argument("--base-variant", help="as dfopt optimize takes it")
    parser.add_argument("--certificates", type=Path, default=Path("/usr/local/share/ca-certificates"),
                        help="folder of *.crt files for cases that copy some and bring none")  # fmt: skip
    parser.add_argument("--network", default="host", help="network mode of the builds")
    parser.add_argument("--show", action="store_true", help="print every rewritten file")
    options = parser.parse_args(arguments)
    engine = find_engine(environment_from(options.builder) if options.builder else None)
    if engine is None:
        print("no container engine answers", file=sys.stderr)
        return 2
    truth = _json(options.folder / "truth.json")
    remotes = _json(options.folder / "remotes.json")
    outcomes: list[Outcome] = []
    failed = 0
    with _served(options.folder / "www" / "make_www.py"), tempfile.TemporaryDirectory(prefix="dfopt-bench-") as folder:
        for case in sorted(path.parent for path in (options.folder / "cases").glob("*/Dockerfile")):
            if options.case and not any(text in case.name for text in options.case):
                continue
            context = Path(folder) / case.name
            shutil.copytree(case, context, symlinks=True)
            _add_certificates(context, options.certificates)
            try:
                outcome = _run(
                    engine, case.name, context, truth.get(case.name, {}), remotes.get(case.name, {}), options
                )
            except EngineError as error:
                failed += 1
                print(f"{case.name:24} {str(error).strip()}")
                continue
            outcomes.append(outcome)
            print(_line(outcome), flush=True)
    _totals(outcomes, failed)
    return 1 if failed or not all(outcome.good for outcome in outcomes) else 0


def _run(engine: Engine, name: str, context: Path, truth: Any, remotes: Any, options: argparse.Namespace) -> Outcome:
    text = (context / "Dockerfile").read_bytes().decode("utf-8", "surrogateescape")
    sizes = {url: RemoteSize(known["bytes"], known.get("unpacked_bytes")) for url, known in remotes.items()}
    plan = optimize_graph(
        build(parse(text)), read_context(str(context)), unsafe=options.unsafe, base_variant=options.base_variant,
        predict_options=PredictOptions(remote_sizes=sizes),
    )  # fmt: skip
    if options.show and plan.changes:
        print(plan.after)
    check = truth.get("check")
    with engine.temporary(text, context, network=options.network) as before:
        size = engine.size_bytes(before)
        base = truth["stages"][-1]["base_bytes"] if truth else 0
        base = _base_bytes(engine, plan, base)
        if plan.after == plan.before:
            return _outcome(name, base, size, size, plan, "unchanged", True)
        with engine.temporary(plan.after, context, network=options.network) as after:
            new = engine.size_bytes(after)
            works = check is None or engine.check(after, check)
            if any(str(change.applicability) == "unsafe" for change in plan.changes):
                verdict = "check succeeds" if works else "CHECK FAILS"
                return _outcome(name, base, size, new, plan, verdict, works and new <= size)
            gone = [pattern for change in plan.changes for path in change.declares_removed for pattern in _globs(path)]
            found = compare(engine, before, after, ignore=gone)
            if not found.same:
                # What two builds of the original differ in does not count.
                with engine.temporary(text, context, network=options.network, no_cache=True) as again:
                    own = {difference.path for difference in compare(engine, before, again, ignore=gone).differences}
                real = [difference for difference in found.differences if difference.path not in own]
            else:
                real = []
            verdict = "same" if not real else "DIFFERENT " + "; ".join(map(str, real[:3]))
            if not works:
                verdict += ", CHECK FAILS"
            return _outcome(name, base, size, new, plan, verdict, not real and works and new <= size)


def _outcome(name: str, base: int, before: int, after: int, plan: Plan, verdict: str, good: bool) -> Outcome:
    old, new = plan.predicted_before, plan.predicted_after
    predicted = [round(each.image.total.value) if each and each.image else 0 for each in (old, new)]
    return Outcome(name, base, before, after, predicted[0], predicted[1], verdict, good)


def _base_bytes(engine: Engine, plan: Plan, fallback: int) -> int:
    """Give the bytes of the base image of the original; what the truth says where it cannot be asked."""
    graph = build(parse(plan.before))
    if graph.target is None:
        return fallback
    image = graph.chain(graph.target)[0].image
    try:
        return engine.size_bytes(image) if image and image != "scratch" else 0
    except EngineError:
        return fallback


def _globs(path: str) -> list[str]:
    plain = path.strip("/")
    return [plain, f"{plain}/*"]


def _line(outcome: Outcome) -> str:
    above = outcome.before - outcome.base
    saved = outcome.before - outcome.after
    share = f"{saved / above:6.1%}" if above else "      "
    return (
        f"{outcome.name:24} before {outcome.before:>11,} predicted {outcome.predicted_after:>11,}"
        f" after {outcome.after:>11,} saved {saved:>11,} {share}  {outcome.verdict}"
    )


def _totals(outcomes: list[Outcome], failed: int) -> None:
    before = sum(outcome.before - outcome.base for outcome in outcomes)
    saved = sum(outcome.before - outcome.after for outcome in outcomes)
    predicted = sum(outcome.predicted_before - outcome.predicted_after for outcome in outcomes)
    good = sum(outcome.good for outcome in outcomes)
    share = saved / before if before else 0.0
    print(
        f"total: {len(outcomes) + failed} cases, {good} good, {before:,} bytes above the bases, {saved:,} saved"
        f" ({share:.1%}), {predicted:,} predicted"
    )


def _json(path: Path) -> Any:
    return json.loads(path.read_text("utf-8")) if path.is_file() else {}


def _add_certificates(context: Path, folder: Path) -> None:
    text = (context / "Dockerfile").read_text("utf-8", "surrogateescape")
    if "*.crt" in text and not list(context.glob("*.crt")) and folder.is_dir():
        for file in sorted(folder.glob("*.crt"))[:2]:
            shutil.copy(file, context)


@contextmanager
def _served(script: Path) -> Iterator[None]:
    """Serve the files of a script on loopback for the time of a ``with`` block."""
    if not script.is_file():
        yield
        return
    with tempfile.TemporaryDirectory(prefix="dfopt-www-") as folder:
        subprocess.run([sys.executable, str(script), folder], check=True, stdout=subprocess.DEVNULL)
        handler = partial(_Quiet, directory=folder)
        try:
            server = http.server.ThreadingHTTPServer(("127.0.0.1", PORT), handler)
        except OSError:
            # Somebody serves there already, which is as good.
            yield
            return
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            server.server_close()


class _Quiet(http.server.SimpleHTTPRequestHandler):
    """A file server that does not write a line per request."""

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


if __name__ == "__main__":
    sys.exit(main())
