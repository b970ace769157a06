"""The graph as networkx, DOT, Mermaid and JSON, and the command that writes them."""

import json
import re
from pathlib import Path

import networkx
import pytest

from dfopt.cli import main
from dfopt.graph import InstructionGraph, build
from dfopt.graph.export import FORMATS, to_dot, to_json, to_mermaid
from dfopt.syntax import parse

TEXT = """\
ARG NODE=20
FROM node:${NODE}-slim AS build
WORKDIR /app
COPY package.json ./
RUN --mount=type=cache,target=/root/.npm npm ci
ENV MODE="a \\"quoted\\" <value>"
RUN npm run build
FROM build AS test
RUN npm test
FROM nginx:1.27
COPY --from=build /app/dist /usr/share/nginx/html
RUN --mount=from=build,source=/app,target=/mnt ls /mnt
"""


@pytest.fixture
def graph() -> InstructionGraph:
    return build(parse(TEXT), images=lambda name: None)


def test_networkx_holds_every_step_stage_image_and_context_path(graph: InstructionGraph):
    result = graph.to_networkx()
    kinds = networkx.get_node_attributes(result, "kind")
    assert kinds["step:0"] == "step"
    assert kinds["stage:0"] == "stage"
    assert kinds["image:nginx:1.27"] == "image"
    assert kinds["context:package.json"] == "context"
    assert result.nodes["step:4"]["layer"]
    assert result.nodes["stage:2"]["ships"]
    assert not result.nodes["stage:1"]["reachable"]


def test_edges_lead_from_what_is_needed_and_cover_all_kinds(graph: InstructionGraph):
    result = graph.to_networkx()
    kinds = {(source, target, data["kind"]) for source, target, data in result.edges(data=True)}
    assert {
        ("image:node:20-slim", "step:1", "base"),
        ("step:0", "step:1", "uses-variable"),
        ("step:1", "step:2", "order"),
        ("context:package.json", "step:3", "reads-context"),
        ("step:3", "step:4", "reads-written-by"),
        ("step:6", "step:7", "base"),
        ("step:6", "stage:0", "order"),
        ("stage:0", "step:10", "copies-from"),
        ("stage:0", "step:11", "mounts-from"),
    } <= kinds
    assert networkx.is_directed_acyclic_graph(result)
    assert "step:0" in networkx.ancestors(result, "stage:2")
    assert "step:8" not in networkx.ancestors(result, "stage:2")


def test_dot_has_a_cluster_per_stage_a_legend_and_balanced_quotes(graph: InstructionGraph):
    text = to_dot(graph)
    assert re.findall(r"subgraph (\w+)", text) == ["cluster_0", "cluster_1", "cluster_2"]
    assert '"stage:0" -> "step:10" [color="#2e7d32"' in text
    assert 'label="stage 2 (ships)"' in text
    assert 'label="test (not needed by the target)"' in text
    assert "legend [" in text
    for line in text.splitlines():
        assert len(re.findall(r'(?<!\\)"', line)) % 2 == 0, line


def test_mermaid_has_a_subgraph_per_stage_and_no_bare_quotes_in_labels(graph: InstructionGraph):
    text = to_mermaid(graph)
    lines = text.splitlines()
    assert lines[0] == "flowchart TB"
    assert text.count("subgraph ") == 4
    assert text.count("subgraph ") == sum(line.strip() == "end" for line in lines)
    assert "#quot;quoted" in text
    assert "#lt;value#gt;" in text
    styled = [
        int(number) for line in lines if "linkStyle" in line for number in re.findall(r"[0-9,]+", line)[0].split(",")
    ]
    drawn = sum(bool(re.search(r" (-->|==>|-\.->)", line)) for line in lines)
    assert sorted(styled) == list(range(drawn))


def test_json_names_stages_nodes_edges_and_problems():
    graph = build(parse("FROM a AS x\nVOLUME $V\n"), images=lambda name: None)
    document = json.loads(to_json(graph))
    assert document["version"] == 1
    assert document["stages"][0]["name"] == "x"
    assert {node["id"] for node in document["nodes"]} == {"step:0", "step:1", "stage:0", "image:a"}
    assert document["problems"] == [{"code": "E213", "message": document["problems"][0]["message"], "line": 2}]
    assert {"source": "image:a", "target": "step:0", "kind": "base", "label": ""} in document["edges"]


@pytest.mark.parametrize("form", FORMATS)
def test_the_command_writes_each_format(form: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    path = tmp_path / "Dockerfile"
    path.write_text(TEXT, "utf-8")
    assert main(["graph", str(path), "--format", form, "--build-arg", "NODE=22", "--target", "test"]) == 0
    out = capsys.readouterr().out
    assert "node:22-slim" in out
    assert ("not needed" in out) or form == "json"


def test_the_command_tells_an_unknown_target_a_missing_file_and_a_file_without_stages(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    path = tmp_path / "Dockerfile"
    path.write_text("FROM a\n", "utf-8")
    assert main(["graph", str(path), "--target", "nope"]) == 2
    assert "there is no stage named nope" in capsys.readouterr().err
    assert main(["graph", str(tmp_path / "missing")]) == 3
    path.write_text("ARG A\n", "utf-8")
    assert main(["graph", str(path)]) == 1
