"""Stage splits proven by real builds: the program of the small image is the same file, and it runs there.

Each folder of ``fixtures/splits`` is a project without dependencies, built with Debian's own compilers. Needs an
engine and Debian's packages, see ``test_engine.py``.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from dfopt.context import read_context
from dfopt.engine import EngineError, compare, find_engine
from dfopt.graph import build
from dfopt.rewrite import Plan, optimize_graph
from dfopt.syntax import parse

SPLITS = Path(__file__).parent / "fixtures" / "splits"
CASES = sorted(path.parent for path in SPLITS.glob("*/Dockerfile"))


def plan_of(case: Path) -> Plan:
    graph = build(parse((case / "Dockerfile").read_text("utf-8")))
    return optimize_graph(graph, read_context(case), unsafe=True, only=["split-stages"])


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_project_is_split(case: Path) -> None:
    plan = plan_of(case)
    assert [change.pass_name for change in plan.changes] == ["split-stages"]
    assert "COPY --from=build /usr/local" in plan.after


@pytest.mark.engine
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_program_is_the_same_and_runs(case: Path) -> None:
    engine = find_engine()
    if engine is None:
        pytest.skip("no container engine answers; '.ci/builder start' gives one")
    try:
        engine.history("debian:bookworm")
    except EngineError:
        pytest.skip("the engine has no debian:bookworm; '.ci/builder bases' makes it")
    plan = plan_of(case)
    with (
        engine.temporary(plan.before, case, network="host") as before,
        engine.temporary(plan.after, case, network="host") as after,
    ):
        assert engine.check(after, "/usr/local/bin/app")
        assert engine.size_bytes(after) < engine.size_bytes(before) * 0.6
        assert compare(engine, before, after, only=("usr/local/bin", "usr/local/bin/*")).same
