"""What a change makes a build repeat, for people (per stage, with times) and for programs (JSON)."""

from __future__ import annotations

import json
from typing import IO, TYPE_CHECKING, Any

from dfopt.predict.rebuilds import CacheReport, TimedStage, TimedStep

if TYPE_CHECKING:
    from rich.console import Console

_PIPE_COLUMNS = 120
_MARKS = {"cached": ("=", "dim"), "rebuilt": ("✗", "red"), "if-changed": ("?", "yellow")}
_WORDS = {"cached": "cached", "rebuilt": "runs", "if-changed": "may run"}


def seconds_text(seconds: float) -> str:
    """Write a duration: ``0.4 s``, ``12 s``, ``3 min 20 s``, ``1 h 5 min``."""
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s" if whole % 60 else f"{whole // 60} min"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def write_text(
    report: CacheReport, stream: IO[str], *, title: str = "", changes: str = "", color: bool | None = None
) -> None:
    """Print the report: per stage its steps with reason and time, then what the whole build waits for."""
    from rich.console import Console
    from rich.text import Text

    console = Console(
        file=stream, width=None if stream.isatty() else _PIPE_COLUMNS, highlight=False, no_color=color is False,
        force_terminal=True if color else None, soft_wrap=False, emoji=False, markup=False,
    )  # fmt: skip
    heading = " · ".join(piece for piece in (title, changes) if piece)
    if heading:
        console.print(Text(heading, style="bold"), overflow="fold")
    for stage in report.stages:
        _stage(console, stage, len(report.stages) > 1)
    _summary(console, report)


def _stage(console: Console, stage: TimedStage, several: bool) -> None:
    from rich.table import Table
    from rich.text import Text

    name = f"stage {stage.name or stage.stage}" if several or stage.name else "steps"
    if not stage.built:
        console.print(Text(f"\n{name}: not needed by the target, never built", style="dim"))
        return
    head = Text(f"\n{name}: ", style="bold")
    head.append(_verdict(stage), style="green" if not stage.repeated else "")
    console.print(head, overflow="ellipsis", no_wrap=True)
    if not stage.steps:
        return
    table = Table(box=None, expand=True, pad_edge=False, padding=(0, 1), show_header=False)
    table.add_column("mark", width=2, no_wrap=True, justify="right")
    table.add_column("status", no_wrap=True, width=7)
    table.add_column("line", no_wrap=True, justify="right", style="dim", min_width=3)
    table.add_column("instruction", ratio=4, no_wrap=True, overflow="ellipsis", min_width=16)
    table.add_column("time", no_wrap=True, justify="right", min_width=7)
    table.add_column("why", ratio=4, overflow="fold", min_width=16)
    cause = stage.first
    for step in stage.steps:
        mark, style = _MARKS[step.status]
        cached = step.status == "cached"
        why = _why(step, cause)
        table.add_row(
            Text(mark, style=style),
            Text(_WORDS[step.status], style=style),
            Text(str(step.line)),
            Text(_written(step), style="dim" if cached else "bold" if step.critical else ""),
            Text("" if cached else _time(step), style="" if step.measured else "italic"),
            Text(why, style="" if step is cause or step.first else "dim"),
        )
    console.print(table)


def _verdict(stage: TimedStage) -> str:
    if not stage.repeated:
        return "all from the cache" if stage.steps else "nothing to build"
    surely = sum(step.status == "rebuilt" for step in stage.steps)
    maybe = len(stage.repeated) - surely
    said = [f"{surely} of {len(stage.steps)} steps run"] if surely else []
    if maybe:
        said.append(f"{maybe} may run" if surely else f"{maybe} of {len(stage.steps)} steps may run")
    first = stage.first
    assert first is not None
    return f"{', '.join(said)}, from line {first.line} on"


def _why(step: TimedStep, cause: TimedStep | None) -> str:
    if step.status == "cached":
        return ""
    if cause is None or step is cause or step.first or not step.reason.endswith(cause.reason):
        return step.reason
    return f"follows line {cause.line}"


def _time(step: TimedStep) -> str:
    return seconds_text(step.seconds) if step.measured else f"~{seconds_text(step.seconds)}"


def _summary(console: Console, report: CacheReport) -> None:
    from rich.text import Text

    console.print()
    if not report.repeated:
        console.print(Text("The whole build comes from the cache", style="bold green"))
    else:
        guessed = any(not step.measured for step in report.repeated)
        about = "about " if guessed else ""
        time = seconds_text(report.seconds)
        if report.least_seconds < report.seconds * 0.95:
            time = f"{seconds_text(report.least_seconds)} to {time}"
        text = Text(f"Build time: {about}{time}", style="bold")
        if report.work_seconds > report.seconds * 1.05:
            text.append(f" ({seconds_text(report.work_seconds)} of work, side by side)", style="")
        if report.cached_seconds:
            text.append(f"; the cache saves {about}{seconds_text(report.cached_seconds)}", style="")
        if report.export_seconds is not None:
            text.append(f"; writing the image took {seconds_text(report.export_seconds)} last time", style="")
        console.print(text, overflow="fold")
        path = report.critical_path
        if len(path) > 1:
            longest = sorted(path, key=lambda step: -step.seconds)[:4]
            shown = ", ".join(f"line {step.line} {_time(step)}" for step in longest)
            more = f", and {len(path) - len(longest)} more" if len(path) > len(longest) else ""
            console.print(f"The build waits for: {shown}{more}", overflow="fold")
        if guessed:
            console.print("~ is the usual time of such commands; --timings LOG takes real ones", style="dim")
    for note in notes_of(report):
        console.print(f"note: {note}", style="dim", overflow="fold")


def notes_of(report: CacheReport) -> list[str]:
    """Give the sentences below the report."""
    notes = list(report.notes)
    if report.unused:
        shown = ", ".join(report.unused[:5]) + (f" and {len(report.unused) - 5} more" if len(report.unused) > 5 else "")
        notes.append(f"no step of the target reads {shown}")
    return notes


def _written(step: TimedStep) -> str:
    text = " ".join((step.step.instruction.original or step.step.keyword).split())
    return f"ONBUILD {text}" if step.step.trigger is not None else text


def as_object(report: CacheReport, name: str = "") -> dict[str, Any]:
    """Give the report as plain values for JSON; times are seconds."""
    return {
        "file": name,
        "seconds": round(report.seconds, 2),
        "least_seconds": round(report.least_seconds, 2),
        "work_seconds": round(report.work_seconds, 2),
        "least_work_seconds": round(report.least_work_seconds, 2),
        "cached_seconds": round(report.cached_seconds, 2),
        "export_seconds": report.export_seconds,
        "critical_path": [step.step.id for step in report.critical_path],
        "stages": [_stage_object(stage) for stage in report.stages],
        "unused_paths": list(report.unused),
        "notes": list(report.notes),
    }


def write_json(report: CacheReport, stream: IO[str], name: str = "") -> None:
    """Print the report as JSON."""
    json.dump(as_object(report, name), stream, indent=2, ensure_ascii=False)
    stream.write("\n")


def _stage_object(stage: TimedStage) -> dict[str, Any]:
    first = stage.first
    return {
        "stage": stage.stage,
        "name": stage.name,
        "built": stage.built,
        "first": first.step.id if first is not None else None,
        "reason": first.reason if first is not None else "",
        "steps": [
            {
                "id": step.step.id,
                "name": step.label,
                "line": step.line,
                "instruction": _written(step),
                "status": step.status,
                "reason": step.reason,
                "first": step.first,
                "seconds": round(step.seconds, 2),
                "measured": step.measured,
                "finish_seconds": round(step.finish, 2),
                "critical": step.critical,
            }
            for step in stage.steps
        ],
    }
