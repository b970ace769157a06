"""What a build repeats after an edit, and what the objectives make of it."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from dfopt.context import context_of
from dfopt.context.model import BuildContext
from dfopt.edit import Edit
from dfopt.finding import Applicability
from dfopt.graph import build
from dfopt.rewrite.cost import EditModel
from dfopt.rewrite.model import Change, PassInput, PassResult
from dfopt.rewrite.planning import optimize_with
from dfopt.source import Span
from dfopt.syntax import parse

BELOW = "FROM python:3.12\nWORKDIR /app\nCOPY . .\nRUN pip install -r requirements.txt\n"
ABOVE = "FROM python:3.12\nWORKDIR /app\nCOPY requirements.txt .\nRUN pip install -r requirements.txt\nCOPY . .\n"
CONTEXT = context_of({"requirements.txt": "flask\n", "app.py": "x", "lib/a.py": "y"})
APT = "apt-get update && apt-get install -y gcc"


def seconds(text: str, context: BuildContext | None) -> tuple[float, float]:
    """Give the seconds of a text and of BELOW, by the model of BELOW."""
    model = EditModel(build(parse(BELOW)), context)
    return model.seconds(build(parse(text))), model.seconds(build(parse(BELOW)))


@pytest.mark.parametrize("context", [CONTEXT, None], ids=["with context", "without context"])
def test_an_install_above_the_sources_is_repeated_less(context: BuildContext | None) -> None:
    above, below = seconds(ABOVE, context)
    assert 0 < above < below / 5


def test_commits_tell_how_often_a_file_changes() -> None:
    often = replace(CONTEXT, changes={"requirements.txt": 9, "app.py": 1})
    above, below = seconds(ABOVE, often)
    assert below / 2 < above < below


def test_without_copies_no_edit_repeats_anything() -> None:
    text = "FROM debian:bookworm\nRUN make\n"
    assert EditModel(build(parse(text)), CONTEXT).seconds(build(parse(text))) == 0


def _late(given: PassInput) -> PassResult:
    """Clean up in one layer at the price of an install that every edit repeats."""
    text = given.graph.tree.source.text
    if "rm -rf" in text:
        return []
    start = text.index("RUN")
    after = f"COPY . /app\nRUN {APT} && rm -rf /var/lib/apt/lists/*\n"
    edits = (Edit(Span(start, len(text)), after),)
    return [Change("late", "clean up later", "none", edits, Applicability.UNSAFE, Span(start, len(text)))]


@pytest.mark.parametrize(("objective", "taken"), [("size", True), ("balanced", True), ("rebuild", False)])
def test_the_objective_decides_between_bytes_and_seconds(objective: Any, taken: bool) -> None:
    graph = build(parse(f"FROM debian:bookworm\nRUN {APT}\nCOPY . /app\n"))
    plan = optimize_with([_late], graph, CONTEXT, unsafe=True, objective=objective)
    assert bool(plan.changes) is taken
    assert (plan.rebuild_after_seconds > plan.rebuild_before_seconds) is taken
    if not taken:
        assert "longer" in plan.refusals[0].reason
