"""What dfopt answers about builds, in the schema of the BuildKit oracle: convert and lint records."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any

from bench.records_syntax import instructions_record
from dfopt.finding import Severity
from dfopt.graph import BuildOptions, InstructionGraph, build
from dfopt.graph.image_names import full_name
from dfopt.graph.model import GraphProblem
from dfopt.graph.platforms import parse_platform
from dfopt.graph.problems import MARSHAL, STEPS, first_problem
from dfopt.graph.result import Result, result_of
from dfopt.images.model import ImageFacts
from dfopt.lint.buildkit import CHECKS, Match
from dfopt.lint.buildkit_profile import answer, findings
from dfopt.lint.registry import load
from dfopt.syntax import parse, tree
from dfopt.syntax.ignorefile import IgnoreError, IgnoreFile

Record = dict[str, Any]
Images = Mapping[str, Mapping[str, Any]]

_NOT_COMPARED = ("digest", "n", "name", "attrs")
# Problems that BuildKit reports without a place in the file.
_PLACELESS = ("E200", "E206", "E207", "E208", "E220")


def convert_record(given: Record) -> Record:
    """Answer as BuildKit's conversion does for a probe's input: configuration, history and operations of the target."""
    text = given["content"]
    images: Images = given.get("images") or {}
    if not text:
        return _failed({"stage": "convert"})
    error = instructions_record(text)["error"]
    if error is not None:
        return _failed({**error, "stage": "convert"})
    platform = given.get("target_platform")
    options = BuildOptions(given.get("build_args") or {}, given.get("target") or None, platform or "linux/amd64")
    graph = build(parse(text), options, images=lambda name: _facts(images, name))
    problem = first_problem(graph)
    if problem is not None and problem.phase != MARSHAL:
        return _failed(_error(graph, problem, "convert"))
    result = result_of(graph, base_config=lambda name: (_image(images, name) or {}).get("config"))
    record = {
        "ok": True,
        "error": {"stage": "marshal"} if problem is not None else None,
        "config": result.config,
        "history": [{"created_by": each.created_by, "empty_layer": each.empty_layer} for each in result.history],
        "images": list(result.images),
        "platform": str(parse_platform(platform)) if platform else _platform(graph, result, images),
    }
    return record if problem is not None else {**record, "ops": _operations(result)}


def _failed(error: Record) -> Record:
    return {"ok": False, "error": error}


def _error(graph: InstructionGraph, problem: GraphProblem, stage: str) -> Record:
    lines = _lines(graph, problem)
    return {"stage": stage} if lines is None else {"lines": lines, "stage": stage}


def _platform(graph: InstructionGraph, result: Result, images: Images) -> str:
    assert graph.target is not None
    image = graph.chain(graph.target)[0].image
    given = _image(images, image) if image else None
    if given and given.get("os") and given.get("architecture"):
        parts = (given["os"], given["architecture"], given.get("variant"))
        return str(parse_platform("/".join(filter(None, parts))))
    return result.platform


def _image(images: Images, name: str) -> Mapping[str, Any] | None:
    if name in images:
        return images[name]
    try:
        wanted = full_name(name)
        return next((value for key, value in images.items() if full_name(key) == wanted), None)
    except ValueError:
        return None


def _facts(images: Images, name: str) -> ImageFacts:
    """Give an image as BuildKit's tests do: what is not given has an empty configuration."""
    config = (_image(images, name) or {}).get("config") or {}
    return ImageFacts(
        name,
        environment=dict(each.partition("=")[::2] for each in config.get("Env") or ()),
        user=config.get("User") or "",
        workdir=config.get("WorkingDir") or "",
        shell=tuple(config.get("Shell") or ()),
        onbuild=tuple(config.get("OnBuild") or ()),
    )


def _lines(graph: InstructionGraph, problem: GraphProblem) -> list[int] | None:
    """Give the lines of the instructions that a problem is about, as BuildKit reports them."""
    if problem.code in _PLACELESS:
        return None
    source = graph.tree.source
    if problem.code == "E203" and any(
        mount.flag.span == problem.span
        for instruction in graph.tree.instructions
        if isinstance(instruction, tree.Run)
        for mount in instruction.mounts
    ):
        # BuildKit does not remember where a mount's image was named.
        return None
    found: set[int] = set()
    for span in (problem.span, *problem.also):
        for instruction in graph.tree.instructions:
            if instruction.span.start <= span.start <= instruction.span.end:
                found.update(range(source.line_of(instruction.span.start), source.line_of(instruction.span.end) + 1))
                break
    return sorted(found)


def _operations(result: Result) -> list[Record]:
    records: list[Record] = []
    for number, operation in enumerate(result.operations):
        inputs = [f"{each}:0" for each in operation.inputs]
        records.append({"n": number, "op": operation.kind, "inputs": inputs, **operation.details})
    if result.root is not None:
        records.append({"n": len(records), "op": "root", "inputs": [f"{result.root}:0"]})
    return records


def comparable_convert(record: Record) -> Record:
    """Reduce an answer to what is compared; the operations become a graph without numbers and names."""
    error = record.get("error")
    out: Record = {"ok": record["ok"]}
    if error:
        out["error"] = {"lines": error.get("lines"), "stage": error.get("stage")}
    names: dict[int, str] = {}
    operations: dict[str, Record] = {}
    for operation in record.get("ops") or ():
        plain = {key: value for key, value in operation.items() if key not in _NOT_COMPARED}
        plain["inputs"] = [
            f"{names[int(each.partition(':')[0])]}:{each.partition(':')[2]}" for each in operation["inputs"]
        ]
        name = sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()[:16]
        names[operation["n"]] = name
        operations[name] = plain
    for field in ("config", "history", "images", "platform"):
        out[field] = record.get(field)
    return {**out, "ops": operations}


def lint_record(
    text: str,
    *,
    dockerignore: str | None = None,
    build_args: Mapping[str, str] | None = None,
    images: Images | None = None,
    target_platform: str | None = None,
) -> Record:
    """Answer as BuildKit's checks do for a file; what is not given of an image is unknown to them."""
    given: Images = images or {}
    if not text:
        return _checked((), {"stage": "build"})
    typed = instructions_record(text)["error"]
    file = parse(text)
    options = BuildOptions(build_args or {}, None, target_platform or "linux/amd64")
    graph = build(file, options, images=lambda name: _facts(given, name))
    ignore, broken = None, False
    if dockerignore:
        try:
            ignore = IgnoreFile.parse(dockerignore)
        except IgnoreError:
            broken = True
    found = answer(graph, ignore=ignore, image_platform=lambda name: _platform_of(given, name))
    if found.bad_options:
        return _checked((), {"stage": "build"})
    if typed is not None:
        return _checked(() if typed["stage"] == "parse" else found.matches, {**typed, "stage": "build"})
    problem = found.problem if isinstance(found.problem, GraphProblem) else None
    if broken and (problem is None or problem.phase >= STEPS):
        return _checked([match for match in found.matches if match.moment < (STEPS,)], {"stage": "build"})
    if problem is not None:
        return _checked(found.matches, _error(graph, problem, "build"))
    return _checked(found.matches, {"stage": "build"} if found.is_error else None)


def profile_record(text: str) -> Record:
    """Give what the profile ``buildkit`` reports for a file whose images are unknown: rules with lines, and ``ok``.

    The lines are read from the findings' places, as a user sees them.
    """
    file = parse(text)
    graph = build(file, BuildOptions(), images=lambda name: _facts({}, name))
    said = findings(graph, load())
    warnings = []
    for one in said:
        first, last = file.source.line_of(one.span.start), file.source.line_of(max(one.span.end, one.span.start))
        if one.code in CHECKS:
            warnings.append({"rule": one.code, "lines": list(range(first, last + 1))})
    return {"ok": all(one.code in CHECKS and one.severity < Severity.ERROR for one in said), "warnings": warnings}


def _checked(matches: Sequence[Match], error: Record | None) -> Record:
    warnings = [
        {
            "rule": match.check,
            "lines": list(match.lines),
            "start": match.lines[0],
            "end": match.lines[-1],
            "message": match.message,
        }
        for match in matches
    ]
    warnings.sort(key=lambda each: (each["start"], each["rule"]))
    return {"ok": error is None, "error": error, "warnings": warnings, "images": None}


def _platform_of(images: Images, name: str) -> str | None:
    given = _image(images, name)
    if not given or not given.get("os") or not given.get("architecture"):
        return None
    return f"{given['os']}/{given['architecture']}"
