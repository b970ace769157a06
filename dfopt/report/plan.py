"""Plans of the optimizer for people and programs: the diff, and why each change is made."""

from __future__ import annotations

import json
from typing import IO, Any

from dfopt.edit import unified_diff
from dfopt.predict.model import Estimate, Prediction
from dfopt.report.prediction import interval_text, size_text
from dfopt.rewrite.model import Change, Plan, Refusal
from dfopt.source import Source

_COLOURS = (("+++", "bold"), ("---", "bold"), ("@@", "cyan"), ("+", "green"), ("-", "red"))


def write_text(plan: Plan, stream: IO[str], name: str, *, color: bool = False, verbose: bool = False) -> None:
    """Write the diff, then every change with its reason and saving; ``verbose`` adds what was refused."""
    diff = unified_diff(plan.before, plan.after, name)
    summary = list(_summary(plan, name, verbose))
    if not color:
        stream.write(diff)
        stream.write("".join(line + "\n" for line, _ in ([("", "")] if diff else []) + summary))
        return
    from rich.console import Console
    from rich.text import Text

    console = Console(file=stream, force_terminal=True, highlight=False, soft_wrap=True)
    for line in diff.splitlines():
        style = next((style for start, style in _COLOURS if line.startswith(start)), "")
        console.print(Text(line, style))
    if diff:
        console.print()
    for line, style in summary:
        console.print(Text(line, style))


def write_markdown(plan: Plan, stream: IO[str], name: str, *, verbose: bool = False) -> None:
    """Write the plan as Markdown: a table of the changes and the diff."""
    stream.write(f"## {name}\n\n{_total(plan)}\n")
    if plan.changes:
        stream.write("\n| change | saves | safe | why |\n|---|---:|---|---|\n")
        for change in plan.changes:
            cells = (change.title, _saving(change), str(change.applicability), change.reason)
            stream.write("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |\n")
        stream.write(f"\n```diff\n{unified_diff(plan.before, plan.after, name)}```\n")
    if verbose and plan.refusals:
        stream.write("\n### Not done\n\n")
        source = Source(plan.after, name)
        for refusal in plan.refusals:
            stream.write(f"- line {source.line_of(refusal.span.start)}, {refusal.pass_name}: {refusal.reason}\n")


def as_object(plan: Plan, name: str) -> dict[str, Any]:
    """Give the plan as JSON values; sizes are bytes, lines count from 1 in the text that the pass saw."""
    return {
        "file": name,
        "changed": plan.before != plan.after,
        "before_bytes": _image_bytes(plan.predicted_before),
        "after_bytes": _image_bytes(plan.predicted_after),
        "objective": plan.objective,
        "rebuild_before_seconds": round(plan.rebuild_before_seconds, 2),
        "rebuild_after_seconds": round(plan.rebuild_after_seconds, 2),
        "changes": [
            {
                "pass": change.pass_name, "title": change.title, "reason": change.reason,
                "applicability": str(change.applicability),
                "saved_bytes": _bytes(change.saved) if change.saved else None,
                "rebuild_saved_seconds": change.rebuild_saved_seconds,
                "removed": list(change.declares_removed), "metadata": list(change.declares_metadata),
            }
            for change in plan.changes
        ],
        "refusals": [_refusal(plan, refusal) for refusal in plan.refusals],
        "diff": unified_diff(plan.before, plan.after, name),
        "text": plan.after,
    }  # fmt: skip


def write_json(plan: Plan, stream: IO[str], name: str, **more: Any) -> None:
    """Write the plan as a JSON object, with ``more`` members."""
    json.dump({**as_object(plan, name), **more}, stream, indent=2)
    stream.write("\n")


def _refusal(plan: Plan, refusal: Refusal) -> dict[str, Any]:
    line = Source(plan.after).line_of(min(refusal.span.start, len(plan.after)))
    return {"pass": refusal.pass_name, "reason": refusal.reason, "line": line}


def _summary(plan: Plan, name: str, verbose: bool) -> list[tuple[str, str]]:
    lines = [(_total(plan), "bold")]
    for change in plan.changes:
        colour = "green" if str(change.applicability) == "safe" else "yellow"
        lines.append((f"  {change.applicability}  {change.pass_name}: {change.title} ({_saving(change)})", colour))
        lines.append((f"        {change.reason}", ""))
        if change.declares_removed:
            lines.append((f"        gone from the image: {', '.join(change.declares_removed)}", ""))
        if change.declares_metadata:
            lines.append((f"        differs on purpose: {', '.join(change.declares_metadata)}", ""))
    if verbose and plan.refusals:
        source = Source(plan.after, name)
        lines.append(("not done:", "bold"))
        for refusal in plan.refusals:
            line = source.line_of(min(refusal.span.start, len(plan.after)))
            lines.append((f"  {name}:{line}: {refusal.pass_name}: {refusal.reason}", "dim"))
    return lines


def _total(plan: Plan) -> str:
    count = len(plan.changes)
    if not count:
        return "nothing to change"
    text = f"{count} change{'s' if count > 1 else ''}"
    before, after = plan.predicted_before, plan.predicted_after
    if before is None or after is None or before.image is None or after.image is None:
        return text
    old, new = before.image.total.value, after.image.total.value
    rebuild = _rebuild(plan)
    if old - new < 1:
        return f"{text}, the size stays {size_text(old)}{rebuild}"
    less = f"{size_text(old - new)} ({(old - new) / old:.0%}) less, as predicted"
    return f"{text}: {size_text(old)} becomes {size_text(new)}, {less}{rebuild}"


def _rebuild(plan: Plan) -> str:
    before, after = plan.rebuild_before_seconds, plan.rebuild_after_seconds
    if abs(before - after) < 0.5:
        return ""
    return f"; an edit of the context repeats about {after:.1f} s of work instead of {before:.1f} s"


def _saving(change: Change) -> str:
    parts = []
    if change.saved is not None and change.saved.value >= 1:
        interval = interval_text(change.saved)
        parts.append(f"saves {size_text(change.saved.value)}" + (f", {interval}" if interval else ""))
    if change.rebuild_saved_seconds:
        parts.append(f"saves about {change.rebuild_saved_seconds:.0f} s of a rebuild")
    return "; ".join(parts) or "saves no bytes"


def _image_bytes(prediction: Prediction | None) -> dict[str, int] | None:
    return _bytes(prediction.image.total) if prediction is not None and prediction.image is not None else None


def _bytes(estimate: Estimate) -> dict[str, int]:
    return {"value": round(estimate.value), "low": round(estimate.low), "high": round(estimate.high)}
