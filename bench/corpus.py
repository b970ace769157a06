"""Everything dfopt does, on every file of a corpus: crashes, round trips, hit rates of rules, and rewrites that hold.

    python -m bench.corpus CORPUS.jsonl [--limit N] [--sample RULE:COUNT] [--no-rewrites] [--no-predictions]
                         [--table FILE.md]

Per file: the tree must give the text back byte for byte; the linter must not crash; a fixed or optimized text must
parse without new problems, pass the equivalence check where it is called safe, and not change when optimized again.
``--sample RULE:COUNT`` prints hits of one rule to read. ``--table FILE.md`` writes how often each rule of the default
profile reports, and the others below. The last line tells crashes, lost bytes and broken rewrites.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
import traceback
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dfopt
from dfopt.finding import Finding
from dfopt.lint.registry import load
from dfopt.lint.rule import Bad


def rows(path: Path, limit: int) -> Iterator[tuple[str, str]]:
    """Give id and text of the files of a corpus."""
    with path.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines):
            if limit and number >= limit:
                return
            row: dict[str, Any] = json.loads(line)
            yield row["id"], row["text"]


class Tally:
    """What was counted over the corpus."""

    def __init__(self) -> None:
        self.files = 0
        self.lost_bytes = 0
        self.crashes: list[tuple[str, str]] = []
        self.broken: list[tuple[str, str]] = []
        self.unstable: list[str] = []
        self.hits: Counter[str] = Counter()
        self.hit_files: Counter[str] = Counter()
        self.changes: Counter[str] = Counter()
        self.refusals: Counter[str] = Counter()
        self.changed_files = 0
        self.saved_bytes = 0.0
        self.samples: list[tuple[str, str, Finding]] = []
        self.seconds: defaultdict[str, float] = defaultdict(float)
        self.figures: Counter[str] = Counter()


def parse_errors(text: str) -> Counter[str]:
    """Count the problems of a text by code."""
    return Counter(problem.code for problem in dfopt.parse(text).problems)


def check_file(tally: Tally, name: str, text: str, args: argparse.Namespace) -> None:
    """Run one file through everything."""
    start = time.perf_counter()
    tree = dfopt.parse(text)
    tally.lost_bytes += str(tree) != text
    tally.seconds["parse"] += time.perf_counter() - start
    start = time.perf_counter()
    findings = dfopt.lint(text, select=["ALL"] if args.all else None)
    tally.seconds["lint"] += time.perf_counter() - start
    codes = Counter(f"{finding.code} {finding.name}" for finding in findings)
    tally.hits.update(codes)
    tally.hit_files.update(codes.keys())
    tally.crashes += [(name, finding.message) for finding in findings if finding.name == "internal-error"]
    if args.sample:
        wanted = args.sample.partition(":")[0]
        tally.samples += [(name, text, f) for f in findings if wanted in (f.code, f.name)]
    before = parse_errors(text)
    if not args.no_fixes:
        start = time.perf_counter()
        for unsafe in (False, True):
            fixed = dfopt.fix(text, unsafe=unsafe)
            if parse_errors(fixed) - before:
                tally.broken.append((name, f"fix {'unsafe' if unsafe else 'safe'}"))
        tally.seconds["fix"] += time.perf_counter() - start
    if not args.no_predictions:
        start = time.perf_counter()
        prediction = dfopt.predict(text)
        tally.seconds["predict"] += time.perf_counter() - start
        tally.figures["layers"] += sum(len(stage.layers) for stage in prediction.stages)
    if not args.no_rewrites:
        check_rewrites(tally, name, text, before)


def check_rewrites(tally: Tally, name: str, text: str, before: Counter[str]) -> None:
    """Optimize one file, safely and unsafely, and look whether the results hold."""
    from dfopt.rewrite.equivalence import equivalent

    start = time.perf_counter()
    for unsafe in (False, True):
        plan = dfopt.optimize(text, unsafe=unsafe)
        if parse_errors(plan.after) - before:
            tally.broken.append((name, f"optimize {'unsafe' if unsafe else 'safe'}: does not parse"))
        if unsafe:
            continue
        tally.changes.update(change.pass_name for change in plan.changes)
        tally.refusals.update(f"{refusal.pass_name}: {refusal.reason}" for refusal in plan.refusals)
        if plan.after == text:
            continue
        tally.changed_files += 1
        tally.saved_bytes += sum(change.saved.value for change in plan.changes if change.saved)
        removed = tuple(path for change in plan.changes for path in change.declares_removed)
        verdict = equivalent(dfopt.build_graph(text), dfopt.build_graph(plan.after), removed=removed)
        if not verdict.ok:
            tally.broken.append((name, f"not equivalent: {verdict.reasons}"))
        if dfopt.optimize(plan.after).after != plan.after:
            tally.unstable.append(name)
    tally.seconds["optimize"] += time.perf_counter() - start


def show(tally: Tally, args: argparse.Namespace) -> None:
    """Print the tables."""
    print(f"{'rule':44} {'hits':>7} {'files':>7} {'share':>7}")
    for name, count in sorted(tally.hits.items()):
        share = 100 * tally.hit_files[name] / max(tally.files, 1)
        print(f"{name:44} {count:7} {tally.hit_files[name]:7} {share:6.1f} %")
    if tally.changes:
        print(
            f"\nfiles changed by safe passes: {tally.changed_files}; predicted saving {tally.saved_bytes / 1e9:.2f} GB"
        )
        for name, count in tally.changes.most_common():
            print(f"  {name:40} {count:6}")
        print("refusals, most frequent")
        for name, count in tally.refusals.most_common(20):
            print(f"  {count:6} {name}")
    if args.sample:
        count = int(args.sample.partition(":")[2] or 30)
        for name, text, finding in random.Random(1).sample(tally.samples, min(count, len(tally.samples))):
            line = text.count("\n", 0, finding.span.start) + 1
            shown = text[finding.span.start : finding.span.end]
            print(f"--- {name}:{line} {finding.code} {finding.message}\n{shown[:600]}")
    for title, entries in (("crash", tally.crashes), ("broken", tally.broken)):
        for name, what in entries[:20]:
            print(f"{title} {name}: {what}")
    for name in tally.unstable[:20]:
        print(f"unstable {name}: optimizing twice changes it again")
    print("seconds: " + ", ".join(f"{name} {wall:.1f}" for name, wall in tally.seconds.items()))
    print(
        f"{tally.files} files: {len(tally.crashes)} crashes, {tally.lost_bytes} lost bytes, "
        f"{len(tally.broken)} broken rewrites, {len(tally.unstable)} unstable"
    )


def table(tally: Tally, corpus: str) -> Iterator[str]:
    """Give the lines of a page with the hits of every rule, those of the default profile first."""
    yield "# How often the rules report"
    yield ""
    yield f"Over {tally.files} public Dockerfiles; share is the part of the files with at least one finding."
    yield "ShellCheck's findings are not counted. Rules that need a context, build arguments or options report nothing"
    yield "here, and most errors of the language are rare, because most of these files build."
    yield ""
    yield "Made by a command:"
    yield ""
    yield "```console"
    yield f"$ python -m bench.corpus {corpus} --all --no-fixes --no-rewrites --no-predictions --table docs/rule-hits.md"
    yield "```"
    for title, is_default in (("Rules of the default profile", True), ("Rules of the other profiles", False)):
        rules = [rule for rule in load() if rule.default is is_default]
        yield f"\n## {title}\n"
        yield "| rule | name | severity | hits | files | share | fixes |"
        yield "|---|---|---|---:|---:|---:|---|"
        for rule in rules:
            name = f"{rule.code} {rule.name}"
            share = f"{100 * tally.hit_files[name] / max(tally.files, 1):.1f} %"
            has_fix = any(isinstance(one, Bad) and one.fixed is not None for one in rule.examples)
            counts = (tally.hits[name], tally.hit_files[name], share)
            cells = (rule.code, rule.name, rule.severity, *counts, "yes" if has_fix else "")
            yield f"| {' | '.join(map(str, cells))} |"


def main() -> int:
    """Read the arguments, run the corpus, print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--limit", type=int, default=0)
    parser.add_argument("--all", action="store_true", help="all rules instead of the default profile")
    parser.add_argument("--sample", help="RULE[:COUNT]: print hits of one rule to read")
    parser.add_argument("--no-fixes", action="store_true")
    parser.add_argument("--no-rewrites", action="store_true")
    parser.add_argument("--no-predictions", action="store_true")
    parser.add_argument("--table", type=Path, metavar="FILE", help="write the hits of every rule as a Markdown page")
    args = parser.parse_args()
    tally = Tally()
    for name, text in rows(args.corpus, args.limit):
        tally.files += 1
        try:
            check_file(tally, name, text, args)
        except Exception as error:
            place = traceback.extract_tb(error.__traceback__)[-1]
            tally.crashes.append(
                (name, f"{type(error).__name__}: {error} ({Path(place.filename).name}:{place.lineno})")
            )
        if tally.files % 200 == 0:
            print(f"{tally.files} files", file=sys.stderr)
    show(tally, args)
    if args.table:
        args.table.write_text("\n".join(table(tally, args.corpus.name)) + "\n", encoding="utf-8")
    return 1 if tally.crashes or tally.lost_bytes or tally.broken else 0


if __name__ == "__main__":
    sys.exit(main())
