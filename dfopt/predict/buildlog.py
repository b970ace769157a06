"""Real durations of steps, read from the log of an earlier build (``docker build --progress=plain``)."""

from __future__ import annotations

import re
from collections.abc import Mapping

from msgspec import Struct, field

from dfopt.graph.model import InstructionGraph, Step

_STEP = re.compile(r"#(?P<job>\d+) \[(?:(?P<stage>[^\]\s]+) )?\s*(?P<number>\d+)/\d+\] (?P<text>.*)")
_DONE = re.compile(r"#(?P<job>\d+) (?:DONE (?P<seconds>\d+(?:\.\d+)?)s|(?P<cached>CACHED))\s*$")
_EXPORT = re.compile(r"#(?P<job>\d+) exporting to (?:image|oci|docker|client|manifest)")
_COLOUR = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
_WORDS = re.compile(r"\S+")


class LoggedStep(Struct, frozen=True):
    """One step of a log: its place as the builder counts, its text, and its seconds (None where it was cached)."""

    stage: str
    number: int
    text: str
    seconds: float | None


class BuildLog(Struct, frozen=True):
    """What a build log tells: its steps in order, and the seconds that writing the image took."""

    steps: tuple[LoggedStep, ...] = ()
    export_seconds: float | None = None


def read_log(text: str) -> BuildLog:
    """Read the plain progress output of BuildKit; what is no step is passed over.

    A step that waited for others and went on is named several times under one number; its last ``DONE`` counts.
    """
    names: dict[str, tuple[str, int, str]] = {}
    seconds: dict[str, float | None] = {}
    exports: list[str] = []
    for raw in text.splitlines():
        line = _COLOUR.sub("", raw).strip()
        if found := _STEP.match(line):
            names.setdefault(found["job"], (found["stage"] or "", int(found["number"]), found["text"]))
        elif done := _DONE.match(line):
            given = done["seconds"]
            seconds[done["job"]] = float(given) if given else seconds.get(done["job"])
        elif found := _EXPORT.match(line):
            exports.append(found["job"])
    steps = tuple(LoggedStep(*name, seconds.get(job)) for job, name in names.items())
    written = [value for job in dict.fromkeys(exports) if (value := seconds.get(job)) is not None]
    return BuildLog(steps, sum(written) if written else None)


def durations(log: BuildLog, graph: InstructionGraph) -> Mapping[str, float]:
    """Give the seconds of a graph's steps by step id, as far as a log tells them.

    A step is found by its text in its stage; one whose text differs (variables are written out in logs) by its
    number, where the keyword is the same.
    """
    by_text: dict[tuple[str, str], float] = {}
    by_number: dict[tuple[str, int, str], float] = {}
    for logged in log.steps:
        if logged.seconds is None:
            continue
        words = _WORDS.findall(logged.text)
        by_text.setdefault((logged.stage, " ".join(words)), logged.seconds)
        by_number.setdefault((logged.stage, logged.number, words[0].upper() if words else ""), logged.seconds)
    found: dict[str, float] = {}
    for step, (stage, number) in _named(graph):
        text = " ".join(_WORDS.findall(step.instruction.original or ""))
        keyword = step.keyword
        text = keyword + text[len(keyword) :]
        for name in dict.fromkeys((stage, "", f"stage-{step.stage}")):
            seconds = by_text.get((name, text), by_number.get((name, number, keyword)))
            if seconds is not None:
                found[step.id] = seconds
                break
    return found


class StepNames(Struct, frozen=True):
    """The names under which BuildKit shows the steps of a graph, by step id: stage and number, and how many there are.

    The stage is "" where the file has one stage and nothing else is fetched.
    """

    places: Mapping[str, tuple[str, int]] = field(default_factory=dict)
    totals: Mapping[int, int] = field(default_factory=dict)

    def label(self, step: Step) -> str:
        """Write a step's name as the builder does: ``[build 2/5]``."""
        stage, number = self.places[step.id]
        return f"[{stage + ' ' if stage else ''}{number}/{self.totals[step.stage]}]"


def step_names(graph: InstructionGraph) -> StepNames:
    """Give the stage and number under which BuildKit shows each step that makes a layer."""
    alone = len(graph.stages) == 1 and not any(
        step.source_image or step.run_mounts for step in graph.stages[0].all_steps
    )
    places: dict[str, tuple[str, int]] = {}
    totals: dict[int, int] = {}
    for stage in graph.stages:
        number = 0 if stage.base is not None or stage.image == "scratch" else 1
        for step in stage.all_steps[1:]:
            if step.makes_layer:
                number += 1
                places[step.id] = ("" if alone else stage.name or f"stage-{stage.index}", number)
        totals[stage.index] = number
    return StepNames(places, totals)


def _named(graph: InstructionGraph) -> list[tuple[Step, tuple[str, int]]]:
    places = step_names(graph).places
    return [(step, places[step.id]) for stage in graph.stages for step in stage.all_steps if step.id in places]
