"""dfopt's own JSON: one object with the files, their findings and fixes, and a summary."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from dfopt.edit import Edit
from dfopt.finding import Finding
from dfopt.report.model import FileReport, RunInfo, clean

SCHEMA_VERSION = 1


def render(reports: Iterable[FileReport], run: RunInfo) -> Iterator[str]:
    """Render the whole run as one JSON object, file after file."""
    head = {"schema": SCHEMA_VERSION, "tool": "dfopt", "version": run.version}
    yield json.dumps(head)[:-1] + ', "files": ['
    counts: Counter[str] = Counter()
    separator = "\n"
    for report in reports:
        counts["files"] += 1
        counts["errors_reading"] += bool(report.error)
        counts.update(str(finding.severity) for finding in report.findings)
        yield separator + dumps(file_value(report))
        separator = ",\n"
    names = ("files", "error", "warning", "info", "style")
    summary: dict[str, int] = {name: counts[name] for name in names}
    summary["unreadable"] = counts["errors_reading"]
    summary["findings"] = sum(counts[name] for name in names[1:])
    yield '],\n"summary": ' + json.dumps(summary) + "}\n"


def dumps(value: object) -> str:
    """Write a value as JSON on one line; what is no valid text becomes the replacement character."""
    return clean(json.dumps(value, ensure_ascii=False))


def file_value(report: FileReport) -> dict[str, Any]:
    """Give a file's report as plain values."""
    value: dict[str, Any] = {
        "path": report.path,
        "findings": [
            finding_value(report, finding, print_)
            for finding, print_ in zip(report.findings, report.fingerprints(), strict=True)
        ],
    }
    if report.error:
        value["error"] = report.error
    if report.notes:
        value["notes"] = list(report.notes)
    if report.suppressed:
        value["suppressed"] = [
            {"code": one.code, "name": one.name, "line": report.source.line_of(one.span.start), "reason": reason}
            for one, reason in report.suppressed
        ]
    return value


def finding_value(report: FileReport, finding: Finding, fingerprint: str) -> dict[str, Any]:
    """Give a finding as plain values; lines and columns count from 1, columns in code points, ends are exclusive."""
    value: dict[str, Any] = {
        "code": finding.code,
        "name": finding.name,
        "severity": str(finding.severity),
        "message": finding.message,
        **report.region(finding.span)._asdict(),
        "fingerprint": fingerprint,
    }
    if finding.related:
        value["related"] = [{"message": one.message, **report.region(one.span)._asdict()} for one in finding.related]
    if finding.fix is not None:
        value["fix"] = {
            "title": finding.fix.title,
            "applicability": str(finding.fix.applicability),
            "edits": [_edit_value(report, edit) for edit in report.edits(finding.fix)],
        }
    if finding.saved_bytes is not None:
        value["saved_bytes"] = finding.saved_bytes
    return value


def _edit_value(report: FileReport, edit: Edit) -> dict[str, Any]:
    start, end = report.source.position(edit.span.start), report.source.position(edit.span.end)
    return {
        "line": start.line, "column": start.column, "end_line": end.line, "end_column": end.column, "text": edit.text
    }  # fmt: skip
