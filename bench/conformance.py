"""Compares dfopt with BuildKit's own answers.

``python -m bench.conformance parse|instructions|lint|profile ORACLE.jsonl.gz CORPUS.jsonl`` and
``python -m bench.conformance probes ORACLE.jsonl.gz`` print every disagreement (file, what, ours, theirs) and, as their
last line, how many records agree. The exit code is 1 unless all do.
"""

from __future__ import annotations

import argparse
import gzip
import json
import sys
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

from bench.records_syntax import ignore_record, instructions_record, parse_record, words_record

Record = dict[str, Any]

__all__ = [
    "convert_record",
    "ignore_record",
    "instructions_record",
    "lint_record",
    "parse_record",
    "words_record",
]

_IGNORED = ("id", "file", "message")
"""Fields that name a record or hold wording."""


def convert_record(given: Record) -> Record:
    """Answer as BuildKit's frontend does for a probe's input: final configuration, history and operations."""
    return import_module("bench.records_graph").convert_record(given)  # type: ignore[no-any-return]  # imported by name


def lint_record(text: str, **options: Any) -> Record:
    """Answer as BuildKit's own checks do for a file; options as in ``bench.records_graph``."""
    return import_module("bench.records_graph").lint_record(text, **options)  # type: ignore[no-any-return]  # imported by name


def _rows(path: Path) -> Iterator[Record]:
    data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    for line in data.decode("utf-8").split("\n"):
        if line:
            yield json.loads(line)


def _comparable(record: Any) -> Any:
    """Reduce an answer to what is compared: of errors the lines and the stage, never the wording."""
    if not isinstance(record, dict):
        return record
    out = {key: value for key, value in record.items() if key not in _IGNORED}
    for key in ("error", "words_error"):
        value = out.pop(key, None)
        if value:
            out[key] = {"lines": value.get("lines"), "stage": value.get("stage")} if isinstance(value, dict) else True
    return out


def _comparable_lint(record: Record) -> Record:
    warnings = sorted((item["rule"], tuple(item["lines"])) for item in record.get("warnings") or ())
    return {**_comparable(record), "warnings": warnings, "images": None}


def _comparable_profile(record: Record) -> Record:
    return {"ok": record["ok"], "warnings": _comparable_lint(record)["warnings"]}


def differences(ours: Any, theirs: Any, path: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Walk two answers side by side and give each place where they differ."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        for key in sorted({*ours, *theirs}):
            yield from differences(ours.get(key), theirs.get(key), f"{path}.{key}" if path else key)
    elif isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        for index, (left, right) in enumerate(zip(ours, theirs, strict=True)):
            yield from differences(left, right, f"{path}[{index}]")
    elif ours != theirs:
        yield path, ours, theirs


def _probe(mode: str, given: Record) -> Record:
    if mode == "parse":
        return parse_record(given["content"])
    if mode == "instructions":
        return instructions_record(given["content"])
    if mode == "words":
        return words_record(given)
    if mode == "ignore":
        return ignore_record(given)
    if mode == "convert":
        return convert_record(given)
    if mode == "profile":
        return import_module("bench.records_graph").profile_record(given["content"])  # type: ignore[no-any-return]  # as above
    names = ("dockerignore", "build_args", "images", "target_platform")
    return lint_record(given["content"], **{name: given[name] for name in names if name in given})


def _comparer(mode: str) -> Callable[[Record], Any]:
    if mode == "convert":
        return import_module("bench.records_graph").comparable_convert  # type: ignore[no-any-return]  # as above
    if mode == "profile":
        return _comparable_profile
    return _comparable_lint if mode == "lint" else _comparable


class _Question(NamedTuple):
    """One record to compare: its name, its kind, what is given, and the oracle's answer."""

    name: str
    mode: str
    given: Record
    answer: Record


def _questions(mode: str, oracle: Path, corpus: Path | None, only: list[str]) -> Iterator[_Question]:
    if mode == "probes":
        for row in _rows(oracle):
            given, kind = row["input"], row["mode"]
            if not only or kind in only:
                name = str(given.get("file") or given.get("word") or given.get("content"))
                yield _Question(f"{kind}: {name!r}", kind, given, row["output"])
        return
    texts = {row["id"]: row["text"] for row in _rows(corpus)} if corpus else {}
    for row in _rows(oracle):
        yield _Question(row["id"], mode, {"content": texts[row["id"]]}, row)


def main(arguments: list[str] | None = None) -> int:
    """Run the comparison named on the command line; gives the exit code."""
    parser = argparse.ArgumentParser(prog="python -m bench.conformance", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("mode", choices=("parse", "instructions", "lint", "profile", "probes"))
    parser.add_argument("oracle", type=Path)
    parser.add_argument("corpus", type=Path, nargs="?")
    parser.add_argument("--only", action="append", default=[], help="of probes, compare this mode alone")
    options = parser.parse_args(arguments)
    if options.mode != "probes" and options.corpus is None:
        parser.error("the corpus is missing")
    agreed = total = 0
    for question in _questions(options.mode, options.oracle, options.corpus, options.only):
        total += 1
        compare = _comparer(question.mode)
        try:
            ours: Any = compare(_probe(question.mode, question.given))
        except Exception as error:
            print(f"{question.name}\tcrash\t{type(error).__name__}: {error}\t")
            continue
        found = list(differences(ours, compare(question.answer)))
        agreed += not found
        for place, left, right in found:
            print(f"{question.name}\t{place}\t{json.dumps(left)}\t{json.dumps(right)}")
    print(f"{agreed} of {total} agree")
    return 0 if agreed == total else 1


if __name__ == "__main__":
    sys.exit(main())
