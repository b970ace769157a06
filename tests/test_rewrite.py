"""The passes on their fixtures: what changes comes out exactly, what must not change does not, and says why.

A folder ``fixtures/rewrite/PASS/CASE`` holds ``before.Dockerfile`` and ``after.Dockerfile`` or ``refusal.txt`` (a
part of the reason; empty where nothing has to be said), and may hold ``context/`` and ``options.json``. With
``DFOPT_UPDATE=1`` in the environment the files ``after.Dockerfile`` are written instead of compared.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from dfopt.context import read_context
from dfopt.graph import build
from dfopt.graph.model import InstructionGraph
from dfopt.rewrite import PASS_NAMES, Plan, equivalent, optimize_graph
from dfopt.syntax import parse

FIXTURES = Path(__file__).parent / "fixtures" / "rewrite"
CASES = sorted(path.parent for path in FIXTURES.glob("*/*/before.Dockerfile"))


def graph_of(text: str) -> InstructionGraph:
    return build(parse(text))


def plan_of(case: Path, text: str) -> Plan:
    options: dict[str, Any] = {}
    if (case / "options.json").is_file():
        options = json.loads((case / "options.json").read_text("utf-8"))
    context = read_context(str(case / "context")) if (case / "context").is_dir() else None
    return optimize_graph(graph_of(text), context, only=[case.parent.name], **options)


def test_every_pass_has_changes_and_refusals() -> None:
    for name in PASS_NAMES:
        cases = [case for case in CASES if case.parent.name == name]
        assert any((case / "after.Dockerfile").is_file() for case in cases), name
        assert any((case / "refusal.txt").is_file() for case in cases), name


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.parent.name}/{case.name}")
def test_the_pass_gives_what_the_fixture_says(case: Path) -> None:
    before = (case / "before.Dockerfile").read_bytes().decode()
    plan = plan_of(case, before)
    if (case / "refusal.txt").is_file():
        assert plan.after == before
        wanted = (case / "refusal.txt").read_text("utf-8").strip()
        reasons = [refusal.reason for refusal in plan.refusals]
        assert not wanted or any(wanted in reason for reason in reasons), reasons
        return
    if os.environ.get("DFOPT_UPDATE"):
        (case / "after.Dockerfile").write_bytes(plan.after.encode())
    assert plan.after == (case / "after.Dockerfile").read_bytes().decode()
    assert plan.after != before
    assert not graph_of(plan.after).tree.problems
    assert plan_of(case, plan.after).after == plan.after, "applied twice is applied once"
    if all(str(change.applicability) == "safe" for change in plan.changes):
        context = read_context(str(case / "context")) if (case / "context").is_dir() else None
        removed = [path for change in plan.changes for path in change.declares_removed]
        verdict = equivalent(graph_of(before), graph_of(plan.after), context=context, removed=removed)
        assert verdict, verdict.reasons
