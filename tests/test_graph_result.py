"""What stages result in: configurations, histories and operations, as fixtures and against a real builder.

The configurations and histories of the cases without a base image are checked against a real builder.
"""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from dfopt.graph import build
from dfopt.graph.problems import first_problem
from dfopt.graph.result import result_of
from dfopt.syntax import parse

CASES = sorted(Path(__file__).parent.joinpath("fixtures", "graph").glob("*/Dockerfile"))


def _answer(text: str) -> dict[str, Any]:
    result = result_of(build(parse(text), images=lambda name: None))
    return {
        "config": result.config,
        "history": [[event.created_by, event.empty_layer] for event in result.history],
        "images": list(result.images),
        "operations": [[each.kind, list(each.inputs), each.details] for each in result.operations],
        "root": result.root,
    }


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.parent.name)
def test_result_of_a_file(path: Path):
    expected = json.loads(path.with_name("result.json").read_text("utf-8"))
    assert json.loads(json.dumps(_answer(path.read_text("utf-8")))) == expected


def test_an_entry_point_clears_the_command_of_the_base_but_not_of_its_own_stage():
    inherited = result_of(build(parse('FROM scratch AS a\nCMD ["x"]\nFROM a\nENTRYPOINT ["e"]\n')))
    own = result_of(build(parse('FROM scratch\nCMD ["x"]\nENTRYPOINT ["e"]\n')))
    assert ("Cmd" in inherited.config, own.config["Cmd"]) == (False, ["x"])


def test_equal_steps_on_equal_states_are_one_operation():
    text = "FROM alpine AS a\nRUN x\nFROM alpine AS b\nRUN x\nFROM scratch\nCOPY --from=a /x /a\nCOPY --from=b /x /b\n"
    result = result_of(build(parse(text), images=lambda name: None))
    assert [each.kind for each in result.operations] == ["source", "exec", "file", "file"]


def test_a_problem_outside_the_target_only_counts_where_every_stage_is_checked():
    graph = build(parse("FROM a\nVOLUME $X\nFROM b\nRUN y\n"), images=lambda name: None)
    assert first_problem(graph) is None
    problem = first_problem(graph, every_stage=True)
    assert problem is not None
    assert problem.code == "E213"


def test_the_first_problem_is_the_one_a_build_meets_first():
    graph = build(parse("FROM a\nVOLUME $X\nCOPY --from=9 a b\n"), images=lambda name: None)
    problem = first_problem(graph)
    assert problem is not None
    assert problem.code == "E207"
    with pytest.raises(ValueError, match="stage number 9"):
        result_of(graph)


@pytest.mark.engine
@pytest.mark.parametrize("name", ["variables", "metadata"])
def test_a_real_builder_agrees(name: str, tmp_path: Path):
    path = next(path for path in CASES if path.parent.name == name)
    text = path.read_text("utf-8").replace('RUN ["/bin/true"]\n', "")
    tag = f"dfopt-test-result-{name}"
    path = tmp_path / "Dockerfile"
    path.write_text(text)
    subprocess.run(["docker", "build", "-q", "-t", tag, tmp_path], check=True)
    try:
        answer = subprocess.run(["docker", "image", "inspect", tag], capture_output=True, check=True)
        found = json.loads(answer.stdout)[0]["Config"]
        command = ["docker", "history", "--no-trunc", "--format", "{{.CreatedBy}}", tag]
        history = subprocess.run(command, capture_output=True, check=True, text=True)
    finally:
        subprocess.run(["docker", "image", "rm", "-f", tag], capture_output=True, check=False)
    expected = _answer(text)
    for field, value in expected["config"].items():
        assert found.get(field) == value, field
    # How the line of HEALTHCHECK is written depends on the builder's version.
    lines = [line for line in reversed(history.stdout.splitlines()) if not line.startswith("HEALTHCHECK")]
    assert lines == [created for created, _ in expected["history"] if not created.startswith("HEALTHCHECK")]
