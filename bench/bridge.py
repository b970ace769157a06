"""Compares dfopt with dockerfile-parse: ``python -m bench.bridge CORPUS.jsonl``.

For every file, ``structure``, ``labels``, ``envs`` and ``baseimage`` of both are compared. A difference is intended
where the file holds something that dockerfile-parse reads otherwise than BuildKit does; the reasons are the table
below, and ``docs/conformance.md`` explains them. Prints how often each reason applies and every difference without one;
the exit code is 1 if there is any.
"""

from __future__ import annotations

import argparse
import json
import logging
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

from dfopt.syntax import parse, tree
from dfopt.syntax.bridge import as_parser
from dfopt.syntax.tree import Dockerfile

ASPECTS = ("structure", "labels", "envs", "baseimage")
_MODIFIER = re.compile(r"\$\{[^}]*[^A-Za-z0-9_}]")
_LONE_DOLLAR = re.compile(r"\$(?![A-Za-z0-9_{])")


def _pairs(file: Dockerfile) -> Iterator[tree.Pair]:
    for node in file:
        if isinstance(node, (tree.Env, tree.Label, tree.Arg)):
            yield from node.pairs


def _values(file: Dockerfile) -> str:
    return "\n".join(pair.value or "" for pair in _pairs(file))


def _has_odd_quotes(file: Dockerfile) -> bool:
    values = _values(file)
    return any(values.count(quote) % 2 == 1 for quote in "'\"")


def _stage_on_stage(file: Dockerfile) -> bool:
    names: set[str] = set()
    for node in file:
        if isinstance(node, tree.From):
            if node.image.text in names:
                return True
            names.add(node.name or "")
    return False


def _ends_open(file: Dockerfile) -> bool:
    """Tell whether the last line that is no comment ends with a continuation."""
    lines = [line for line in file.source.text.split("\n") if line.strip() and not line.lstrip().startswith("#")]
    return bool(lines) and lines[-1].rstrip().endswith(("\\", "`"))


def _snapshot(file: Dockerfile) -> bool:
    for node in file:
        if isinstance(node, tree.Env):
            for index, pair in enumerate(node.pairs):
                earlier = {before.key for before in node.pairs[:index]}
                if any(f"${name}" in (pair.value or "") or f"${{{name}" in (pair.value or "") for name in earlier):
                    return True
    return False


REASONS: tuple[tuple[str, tuple[str, ...], Callable[[Dockerfile], bool]], ...] = (
    ("here-document", ASPECTS, lambda file: any(node.heredocs for node in file)),
    ("blank line inside a continuation", ASPECTS, lambda file: any(node.blank_lines for node in file)),
    ("carriage return", ("structure",), lambda file: "\r" in file.source.text),
    ("byte order mark", ASPECTS, lambda file: file.source.has_bom),
    (
        "two escape characters at the end of a line",
        ASPECTS,
        lambda file: re.search(r"(?:\\\\|``)[ \t]*$", file.source.text, re.MULTILINE) is not None,
    ),
    ("backslash at the end of a comment", ASPECTS, lambda file: any("\\" in item.text[-1:] for item in file.comments)),
    ("instruction without arguments", ("structure",), lambda file: any(not node.body.text for node in file)),
    ("file ends inside a continuation", ASPECTS, _ends_open),
    ("line without white space", ("structure",), lambda file: any(" " not in node.original.strip() for node in file)),
    (
        "white space beyond ASCII",
        ASPECTS,
        lambda file: (
            re.search("[\x1c-\x1f\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\v\f]", str(file)) is not None
        ),
    ),
    ("escape directive", ASPECTS, lambda file: file.escape != "\\"),
    ("broken instruction", ASPECTS, lambda file: bool(file.problems)),
    ("modifier in a substitution", ASPECTS, lambda file: _MODIFIER.search(str(file)) is not None),
    ("dollar sign without a name", ("envs", "labels"), lambda file: _LONE_DOLLAR.search(_values(file)) is not None),
    ("escaped dollar sign", ("envs", "labels"), lambda file: "\\$" in _values(file)),
    (
        "ARG with and without default",
        ("envs", "labels"),
        lambda file: any(
            len({pair.value is None for pair in node.pairs}) > 1 for node in file if isinstance(node, tree.Arg)
        ),
    ),
    (
        "variable in the default of an ARG",
        ("envs", "labels", "baseimage"),
        lambda file: any(
            "$" in (pair.value or "") for node in file if isinstance(node, tree.Arg) for pair in node.pairs
        ),
    ),
    ("stage built on a stage", ("envs", "labels"), _stage_on_stage),
    ("variable set by the same instruction", ("envs", "labels"), _snapshot),
    (
        "unbalanced quote",
        ("envs", "labels"),
        _has_odd_quotes,
    ),
    ("backslash in double quotes", ("envs", "labels"), lambda file: re.search(r'"[^"]*\\', _values(file)) is not None),
    (
        "global ARG declared again with another default",
        ("envs", "labels"),
        lambda file: len({pair.key for pair in _pairs(file)}) < sum(1 for _ in _pairs(file)),
    ),
)
"""What is read differently on purpose: the reason, the aspects it may show in, and how it is recognised."""


def compare(text: str) -> dict[str, tuple[Any, Any, str | None]]:
    """Compare both readings of a file; gives for each aspect that differs both values and the reason, if known."""
    from dockerfile_parse import DockerfileParser

    file = parse(text)
    theirs = DockerfileParser(fileobj=BytesIO(file.source.to_bytes()))
    ours: Any = as_parser(file)
    found = {}
    for aspect in ASPECTS:
        try:
            left = getattr(theirs, aspect)
        except Exception as error:
            left = f"{type(error).__name__}: {error}"
        right = getattr(ours, aspect)
        if left != right:
            reason = next((name for name, where, holds in REASONS if aspect in where and holds(file)), None)
            found[aspect] = (left, right, reason)
    return found


def main(arguments: list[str] | None = None) -> int:
    """Compare the files of a corpus; gives the exit code."""
    parser = argparse.ArgumentParser(prog="python -m bench.bridge", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("corpus", type=Path)
    options = parser.parse_args(arguments)
    logging.disable(logging.CRITICAL)
    reasons: Counter[str] = Counter()
    differing: Counter[str] = Counter()
    total = unexplained = 0
    for line in options.corpus.read_text("utf-8").split("\n"):
        if not line:
            continue
        row = json.loads(line)
        total += 1
        for aspect, (left, right, reason) in compare(row["text"]).items():
            differing[aspect] += 1
            if reason:
                reasons[reason] += 1
            else:
                unexplained += 1
                print(f"{row['id']}\t{aspect}\t{str(left)[:300]}\t{str(right)[:300]}")
    for reason, count in reasons.most_common():
        print(f"{count:6} {reason}")
    for aspect in ASPECTS:
        print(f"{aspect}: {total - differing[aspect]} of {total} equal")
    print(f"{unexplained} differences without a reason")
    return 1 if unexplained else 0


if __name__ == "__main__":
    sys.exit(main())
