"""What a layer loses without some packages, against the difference of two predictions."""

import pytest

from dfopt.edit import Edit, apply
from dfopt.graph import build
from dfopt.graph.model import InstructionGraph
from dfopt.predict import predict_graph
from dfopt.predict.saving import saving
from dfopt.source import Source
from dfopt.syntax import parse
from dfopt.tools import package_names

CASES = [
    ("FROM debian:12-slim\nRUN apt-get update && apt-get install -y gcc make curl\n", ["gcc", "make"]),
    ("FROM debian:12\nRUN apt-get update && apt-get install -y --no-install-recommends build-essential git\n",
     ["build-essential"]),
    ("FROM ubuntu:22.04\nRUN apt-get update && apt-get install -y libpq-dev python3-dev cmake\n",
     ["libpq-dev", "python3-dev", "cmake"]),
    ("FROM python:3.12-slim\nRUN apt-get update && apt-get install -y git\n"
     "RUN apt-get install -y gcc libxml2-dev libpq5\n", ["gcc", "libxml2-dev"]),
    ("FROM alpine:3.22\nRUN apk add --no-cache build-base curl\n", ["build-base"]),
    ("FROM fedora:42\nRUN dnf install -y gcc git && dnf clean all\n", ["gcc"]),
    ("FROM some/base\nRUN apt-get update && apt-get install -y ruby g++\n", ["g++"]),
]  # fmt: skip


def graph_of(text: str) -> InstructionGraph:
    return build(parse(Source(text)))


def layer_bytes(graph: InstructionGraph, step: int) -> float:
    prediction = predict_graph(graph)
    assert prediction.image is not None
    return next(layer.size.value for layer in prediction.image.layers if layer.step == step)


@pytest.mark.parametrize(("text", "names"), CASES)
def test_the_saving_is_the_difference_of_two_predictions(text: str, names: list[str]) -> None:
    graph = graph_of(text)
    step, call = [
        (step, call) for step in graph.steps for call in step.invocations if call.action == "install"
    ][-1]  # fmt: skip
    installed = package_names(call)
    dropped = [package.word for package in installed if package.name in names]
    assert len(dropped) == len(names)
    edits = [Edit(word.span, "") for word in dropped]
    if len(dropped) == len(installed):
        edits = [Edit(call.command.span, ":")]
    expected = layer_bytes(graph, step.index) - layer_bytes(graph_of(apply(text, edits)), step.index)
    assert expected > 1_000_000
    assert saving(graph, step, call, dropped) == pytest.approx(expected, rel=0.03)


def test_what_another_package_needs_as_well_is_not_saved() -> None:
    text = "FROM debian:12\nRUN apt-get update && apt-get install -y build-essential gcc\n"
    graph = graph_of(text)
    call = next(call for call in graph.steps[1].invocations if call.action == "install")
    dropped = [package.word for package in package_names(call) if package.name == "gcc"]
    saved = saving(graph, graph.steps[1], call, dropped)
    assert saved is not None
    assert saved < 100_000


def test_a_manager_without_a_model_has_no_figure() -> None:
    graph = graph_of("FROM archlinux\nRUN pacman -S --noconfirm gcc\n")
    (call,) = graph.steps[1].invocations
    assert saving(graph, graph.steps[1], call, call.operands) is None
