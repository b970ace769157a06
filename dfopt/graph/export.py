"""The graph for others: networkx, Graphviz DOT, Mermaid and JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, get_args

from msgspec import Struct

from dfopt.graph.model import Edge, EdgeKind, InstructionGraph, Stage, Step

if TYPE_CHECKING:
    import networkx

FORMATS = ("dot", "mermaid", "json")
_WIDTH = 58
_LAYER, _OTHER, _IMAGE, _CONTEXT, _SHIPS, _PLAIN = "#dbe9f6", "#f5f5f5", "#fdebc8", "#e6f4dd", "#2e7d32", "#9e9e9e"


_DOT_DEFAULTS = (
    '  graph [rankdir=TB, newrank=true, fontname="Helvetica", nodesep=0.35, ranksep=0.35, bgcolor=white];',
    '  node [shape=box, style="rounded,filled", fontname="Helvetica", fontsize=10, color="#757575"];',
    '  edge [fontname="Helvetica", fontsize=8, arrowsize=0.7];',
)


class _Look(Struct, frozen=True):
    """How an edge is drawn, and what the legend says of it."""

    meaning: str
    color: str
    dot: str
    mermaid: str


_LOOKS: dict[str, _Look] = {
    "order": _Look("comes after", "#757575", "style=solid", "-->"),
    "base": _Look("builds on", "#212121", "style=bold, penwidth=2", "==>"),
    "copies-from": _Look("copies from", "#2e7d32", "style=bold", "==>"),
    "mounts-from": _Look("mounts from", "#00838f", "style=dashed", "-.->"),
    "uses-variable": _Look("uses variable", "#1565c0", "style=dotted, constraint=false", "-.->"),
    "reads-context": _Look("reads context", "#ef6c00", "style=solid", "-->"),
    "reads-written-by": _Look("reads what it wrote", "#8e24aa", "style=dashed, constraint=false", "-.->"),
}


class Node(Struct, frozen=True):
    """A node of the graph: a step, a stage, an image or a path of the build context.

    ``stage`` is the stage it belongs to (-1 for global ARGs, None for images and context paths), ``line`` where it
    stands.
    """

    id: str
    kind: str
    label: str
    stage: int | None = None
    line: int | None = None
    layer: bool = False


def nodes(graph: InstructionGraph) -> list[Node]:
    """List the nodes: global ARGs, then each stage's steps and the stage itself, then images and context paths."""
    source = graph.tree.source
    found = [
        Node(step.id, "step", _label(graph, step), step.stage, source.line_of(step.span.start), step.makes_layer)
        for step in graph.steps
        if step.stage < 0
    ]
    for stage in graph.stages:
        for step in stage.all_steps:
            line = source.line_of(step.span.start)
            found.append(Node(step.id, "step", _label(graph, step), stage.index, line, step.makes_layer))
        found.append(Node(stage.id, "stage", stage_title(stage), stage.index, source.line_of(stage.from_.span.start)))
    seen = {node.id for node in found}
    for edge in graph.edges:
        if edge.source not in seen:
            seen.add(edge.source)
            kind, _, name = edge.source.partition(":")
            found.append(Node(edge.source, kind, name))
    return found


def stage_title(stage: Stage) -> str:
    """Give a stage's name for people, with its number where it has none."""
    return stage.name or f"stage {stage.index}"


def _label(graph: InstructionGraph, step: Step) -> str:
    instruction = step.instruction
    text = " ".join(instruction.original.split()) or f"{step.keyword} {instruction.body.text}"
    if step.trigger is not None:
        text = f"ONBUILD {text}"
    return text if len(text) <= _WIDTH else text[: _WIDTH - 1].rstrip() + "…"


def to_networkx(graph: InstructionGraph) -> networkx.MultiDiGraph[Any]:
    """Give the graph as a networkx.MultiDiGraph; edges lead from what is needed to what needs it.

    Node attributes: kind, label, stage, line, layer; of stages also ships and reachable. Edge attributes: kind, label.
    The key of an edge is its kind and label.
    """
    import networkx

    result: networkx.MultiDiGraph[Any] = networkx.MultiDiGraph()
    for node in nodes(graph):
        result.add_node(node.id, kind=node.kind, label=node.label, stage=node.stage, line=node.line, layer=node.layer)
    for stage in graph.stages:
        result.nodes[stage.id].update(ships=stage.ships, reachable=stage.reachable)
    for edge in graph.edges:
        result.add_edge(edge.source, edge.target, key=(edge.kind, edge.label), kind=edge.kind, label=edge.label)
    return result


def write(graph: InstructionGraph, form: str) -> str:
    """Give the graph in one of ``FORMATS``. Raises KeyError for another."""
    return {"dot": to_dot, "mermaid": to_mermaid, "json": to_json}[form](graph)


def to_json(graph: InstructionGraph) -> str:
    """Give the graph as JSON. Its ``version`` changes when a field is renamed or removed."""
    source = graph.tree.source
    document = {
        "version": 1,
        "file": source.name,
        "target": graph.target,
        "stages": [
            {
                "index": stage.index,
                "name": stage.name,
                "image": stage.image,
                "base": stage.base,
                "platform": stage.platform,
                "ships": stage.ships,
                "reachable": stage.reachable,
                "used_by": list(stage.used_by),
                "workdir": stage.end.workdir,
                "user": stage.end.user,
                "environment": dict(stage.end.environment),
            }
            for stage in graph.stages
        ],
        "nodes": [{name: getattr(node, name) for name in node.__struct_fields__} for node in nodes(graph)],
        "edges": [{name: getattr(edge, name) for name in edge.__struct_fields__} for edge in graph.edges],
        "problems": [
            {"code": each.code, "message": each.message, "line": source.line_of(each.span.start)}
            for each in graph.problems
        ],
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def to_dot(graph: InstructionGraph) -> str:
    """Give the graph in Graphviz's language: a cluster per stage, edges coloured by kind, and a legend."""
    return "\n".join(_dot_lines(graph)) + "\n"


def _dot_lines(graph: InstructionGraph) -> Iterator[str]:
    listed = nodes(graph)
    yield "digraph Dockerfile {"
    yield from _DOT_DEFAULTS
    for node in listed:
        if node.stage == -1:
            yield f"  {_quoted(node.id)} [label={_quoted(_numbered(node))}, fillcolor={_quoted(_OTHER)}];"
    for stage in graph.stages:
        yield f"  subgraph cluster_{stage.index} {{"
        style = "rounded" if stage.reachable else "rounded,dashed"
        color, width = (_SHIPS, 2.5) if stage.ships else (_PLAIN, 1.0)
        yield f"    label={_quoted(_title(stage))}; labeljust=l; fontsize=12; style={_quoted(style)};"
        yield f"    color={_quoted(color)}; penwidth={width};"
        for node in listed:
            if node.stage != stage.index:
                continue
            if node.kind == "stage":
                look = f'shape=cds, style=filled, fillcolor="{"#c8e6c9" if stage.ships else "#eeeeee"}"'
                yield f"    {_quoted(node.id)} [label={_quoted(node.label)}, {look}];"
            else:
                fill = _LAYER if node.layer else _OTHER
                faint = "" if stage.reachable else ', fontcolor="#9e9e9e"'
                yield f"    {_quoted(node.id)} [label={_quoted(_numbered(node))}, fillcolor={_quoted(fill)}{faint}];"
        yield "  }"
    for node in listed:
        if node.stage is None:
            shape, fill = ("cylinder", _IMAGE) if node.kind == "image" else ("folder", _CONTEXT)
            label = "build context" if node.label == "." and node.kind == "context" else node.label
            look = f"shape={shape}, style=filled, fillcolor={_quoted(fill)}"
            yield f"  {_quoted(node.id)} [label={_quoted(label)}, {look}];"
    for edge in _drawn(graph):
        drawn = _LOOKS[edge.kind]
        label = f", label={_quoted(_short(edge.label))}, fontcolor={_quoted(drawn.color)}" if _is_labelled(edge) else ""
        yield f"  {_quoted(edge.source)} -> {_quoted(edge.target)} [color={_quoted(drawn.color)}, {drawn.dot}{label}];"
    yield from _dot_legend(graph)
    yield "}"


def _dot_legend(graph: InstructionGraph) -> Iterator[str]:
    rows = [
        f'<tr><td align="left"><font color="{_LOOKS[kind].color}">&#9644;&#9654;</font></td>'
        f'<td align="left">{_LOOKS[kind].meaning}</td></tr>'
        for kind in _kinds(graph)
    ]
    rows.append(f'<tr><td bgcolor="{_LAYER}">  </td><td align="left">makes a layer</td></tr>')
    rows.append(f'<tr><td border="2" color="{_SHIPS}">  </td><td align="left">ships in the image</td></tr>')
    title = '<tr><td colspan="2"><b>Legend</b></td></tr>'
    table = f'<table border="1" color="#bdbdbd" cellborder="0" cellspacing="2">{title}{"".join(rows)}</table>'
    yield f"  legend [shape=none, style=solid, margin=0, fontsize=9, label=<{table}>];"


def _kinds(graph: InstructionGraph) -> list[str]:
    used = {edge.kind for edge in graph.edges}
    return [kind for kind in get_args(EdgeKind) if kind in used]


def _drawn(graph: InstructionGraph) -> list[Edge]:
    """Give the edges worth drawing: contents that one step reads from another only where no other edge shows it.

    Those between stages follow the copies, mounts and bases that are drawn.
    """
    stage_of = {step.id: step.stage for stage in graph.stages for step in stage.all_steps}
    ordered = {(edge.source, edge.target) for edge in graph.edges if edge.kind == "order"}
    return [
        edge
        for edge in graph.edges
        if edge.kind != "reads-written-by"
        or (stage_of.get(edge.source) == stage_of.get(edge.target) and (edge.source, edge.target) not in ordered)
    ]


def _is_labelled(edge: Edge) -> bool:
    return bool(edge.label) and edge.kind in ("copies-from", "mounts-from", "uses-variable", "reads-written-by")


def _title(stage: Stage) -> str:
    notes = []
    if stage.platform:
        notes.append(stage.platform)
    if stage.ships:
        notes.append("ships")
    elif not stage.reachable:
        notes.append("not needed by the target")
    return stage_title(stage) + (f" ({', '.join(notes)})" if notes else "")


def _numbered(node: Node) -> str:
    return f"{node.line}  {node.label}" if node.line else node.label


def _short(text: str) -> str:
    return text if len(text) <= 32 else text[:31] + "…"


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ") + '"'


def to_mermaid(graph: InstructionGraph) -> str:
    """Give the graph as a Mermaid flowchart: a subgraph per stage, edges coloured by kind, and a legend."""
    return "\n".join(_mermaid_lines(graph)) + "\n"


def _mermaid_lines(graph: InstructionGraph) -> Iterator[str]:
    listed = nodes(graph)
    names = {node.id: f"n{number}" for number, node in enumerate(listed)}
    yield "flowchart TB"
    for node in listed:
        if node.stage == -1:
            yield f"  {names[node.id]}[{_entity(_numbered(node))}]:::other"
    for stage in graph.stages:
        yield f"  subgraph s{stage.index}[{_entity(_title(stage))}]"
        for node in listed:
            if node.stage == stage.index:
                if node.kind == "stage":
                    yield f"    {names[node.id]}([{_entity(node.label)}]):::{'ship' if stage.ships else 'stage'}"
                else:
                    yield f"    {names[node.id]}[{_entity(_numbered(node))}]:::{'layer' if node.layer else 'other'}"
        yield "  end"
    for node in listed:
        if node.stage is None:
            label = "build context" if node.label == "." and node.kind == "context" else node.label
            shape = f"[({_entity(label)})]" if node.kind == "image" else f"[/{_entity(label)}/]"
            yield f"  {names[node.id]}{shape}:::{node.kind}"
    drawn = _drawn(graph)
    for edge in drawn:
        arrow = _LOOKS[edge.kind].mermaid
        label = f"|{_entity(_short(edge.label))}|" if _is_labelled(edge) else ""
        yield f"  {names[edge.source]} {arrow}{label} {names[edge.target]}"
    kinds = _kinds(graph)
    yield "  subgraph legend[Legend]"
    yield "    direction LR"
    for number, kind in enumerate(kinds):
        look = _LOOKS[kind]
        yield f'    l{number}a[" "]:::key {look.mermaid}|{_entity(look.meaning)}| l{number}b[" "]:::key'
    yield '    lship(["ships in the image"]):::ship'
    yield '    llayer["makes a layer"]:::layer'
    yield "  end"
    positions: dict[str, list[int]] = {}
    for position, edge_kind in enumerate([*(edge.kind for edge in drawn), *kinds]):
        positions.setdefault(edge_kind, []).append(position)
    for kind, places in positions.items():
        yield f"  linkStyle {','.join(map(str, places))} stroke:{_LOOKS[kind].color}"
    yield f"  classDef layer fill:{_LAYER},stroke:#757575,color:#212121"
    yield f"  classDef other fill:{_OTHER},stroke:#bdbdbd,color:#212121"
    yield f"  classDef image fill:{_IMAGE},stroke:#757575,color:#212121"
    yield f"  classDef context fill:{_CONTEXT},stroke:#757575,color:#212121"
    yield f"  classDef ship fill:#c8e6c9,stroke:{_SHIPS},stroke-width:2px,color:#212121"
    yield "  classDef stage fill:#eeeeee,stroke:#757575,color:#212121"
    yield "  classDef key fill:none,stroke:none"
    for stage in graph.stages:
        if stage.ships:
            yield f"  style s{stage.index} fill:none,stroke:{_SHIPS},stroke-width:3px"
        elif not stage.reachable:
            yield f"  style s{stage.index} fill:none,stroke:{_PLAIN},stroke-dasharray:4"


def _entity(text: str) -> str:
    """Quote a label for Mermaid, where quotes and angle brackets are written as entities."""
    for char, entity in (("&", "#amp;"), ('"', "#quot;"), ("<", "#lt;"), (">", "#gt;"), ("`", "#96;")):
        text = text.replace(char, entity)
    return '"' + text.replace("\n", " ") + '"'
