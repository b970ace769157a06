"""The planner: what is chosen, what it is worth, and how the author's file is kept."""

from __future__ import annotations

from pathlib import Path

import pytest

from dfopt.context import context_of
from dfopt.graph import build
from dfopt.graph.model import BuildOptions
from dfopt.predict.model import PredictOptions, RemoteSize
from dfopt.rewrite import PASS_NAMES, Plan, optimize_graph
from dfopt.syntax import parse

COURSE = Path(__file__).parent / "fixtures" / "course"
SIZES = PredictOptions(remote_sizes={"http://127.0.0.1:8765/app-1.0.tar.gz": RemoteSize(7_060_901, 10_640_023)})
NAIVE = (COURSE / "naive.Dockerfile").read_text("utf-8")


def plan_of(text: str, **options: object) -> Plan:
    return optimize_graph(build(parse(text)), None, predict_options=SIZES, **options)  # type: ignore[arg-type]  # as given


def total(plan: Plan) -> float:
    assert plan.predicted_after is not None
    assert plan.predicted_after.image is not None
    return plan.predicted_after.image.total.value


def test_the_course_example_reaches_its_sizes() -> None:
    assert total(plan_of(NAIVE)) <= 146e6
    assert total(plan_of(NAIVE, unsafe=True)) <= 128e6
    assert total(plan_of(NAIVE, unsafe=True, base_variant="slim")) <= 86e6


def test_safe_changes_of_the_course_keep_curl_and_drop_lists_and_archive() -> None:
    plan = plan_of(NAIVE)
    assert [str(change.applicability) for change in plan.changes] == ["safe"] * len(plan.changes)
    assert {path for change in plan.changes for path in change.declares_removed} == {"/var/lib/apt/lists/"}
    assert "apt-get install -y curl" in plan.after


def test_the_plan_is_at_least_as_good_as_every_single_pass() -> None:
    for unsafe in (False, True):
        whole = total(plan_of(NAIVE, unsafe=unsafe))
        for name in PASS_NAMES:
            assert whole <= total(plan_of(NAIVE, unsafe=unsafe, only=[name])) + 1, name


@pytest.mark.parametrize("name", ["naive", "merged", "staged"])
@pytest.mark.parametrize("unsafe", [False, True])
def test_a_result_is_not_changed_again(name: str, unsafe: bool) -> None:
    first = plan_of((COURSE / f"{name}.Dockerfile").read_text("utf-8"), unsafe=unsafe)
    assert plan_of(first.after, unsafe=unsafe).after == first.after


def test_every_change_says_what_it_saves() -> None:
    plan = plan_of(NAIVE)
    assert plan.predicted_before is not None
    assert plan.predicted_before.image is not None
    saved = sum(change.saved.value for change in plan.changes if change.saved is not None)
    assert saved == pytest.approx(plan.predicted_before.image.total.value - total(plan), rel=0.02)


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("ends", [False, True])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_newlines_the_mark_and_the_end_of_the_file_stay(newline: str, ends: bool, mark: str) -> None:
    text = mark + newline.join(["FROM debian:bookworm", "RUN apt-get update", "RUN apt-get install -y curl"])
    text += newline if ends else ""
    after = plan_of(text).after
    assert "rm -rf /var/lib/apt/lists/*" in after
    assert after.startswith(mark + "FROM")
    assert after.endswith("\n") == ends
    assert after.count("\r") == (after.count("\n") if newline == "\r\n" else 0)


def test_comments_stay() -> None:
    text = (
        "# top\nFROM debian:bookworm\n# lists\nRUN apt-get update\n"
        "# tools\nRUN apt-get install -y \\\n# the fetcher\n  curl\n"
    )
    after = plan_of(text).after
    assert after != text
    assert all(comment in after for comment in ("# top", "# lists", "# tools", "# the fetcher"))


def test_the_escape_directive_is_used() -> None:
    text = "# escape=`\nFROM debian:bookworm\nRUN apt-get update\nRUN apt-get install -y curl\n"
    after = plan_of(text).after
    assert "`\n" in after
    assert "\\\n" not in after


def test_a_file_with_errors_is_left_alone() -> None:
    text = "FROM debian:bookworm\nRUN apt-get update && apt-get install -y curl\nFOO bar\n"
    assert plan_of(text).after == text


def test_another_target_ships_other_stages() -> None:
    shipped = "FROM debian:bookworm AS a\nRUN apt-get update && apt-get install -y curl\n"
    text = f"{shipped}FROM debian:bookworm AS b\nRUN true\n"
    assert plan_of(text).after == text
    graph = build(parse(text), BuildOptions(target="a"))
    assert "rm -rf" in optimize_graph(graph).after


def test_an_unknown_pass_is_refused() -> None:
    with pytest.raises(ValueError, match="unknown pass 'nothing'"):
        plan_of(NAIVE, only=["nothing"])


def test_a_pass_may_be_named_either_way() -> None:
    assert plan_of(NAIVE, only=["clean_in_layer"]).after == plan_of(NAIVE, only=["clean-in-layer"]).after


def test_the_base_is_not_varied_unless_it_is_asked_for() -> None:
    assert "slim" not in plan_of(NAIVE, unsafe=True).after


def test_a_copy_order_saves_rebuild_time() -> None:
    text = "FROM python:3.12\nWORKDIR /app\nCOPY . .\nRUN pip install --no-cache-dir -r requirements.txt\n"
    context = context_of({"requirements.txt": "flask==3.0.3\n", "app.py": "x"})
    plan = optimize_graph(build(parse(text)), context)
    assert [change.pass_name for change in plan.changes] == ["copy-manifests-first"]
    assert plan.changes[0].rebuild_saved_seconds
