"""reviewdog's diagnostic format, one JSON object per line, with fixes as suggestions."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from dfopt.finding import Applicability
from dfopt.report.model import FileReport, RunInfo, clean
from dfopt.source import Span

_SEVERITIES = {"error": "ERROR", "warning": "WARNING", "info": "INFO", "style": "INFO"}


def render(reports: Iterable[FileReport], run: RunInfo) -> Iterator[str]:
    """Render one diagnostic per line (Reviewdog Diagnostic Format; columns are UTF-8 bytes from 1)."""
    for report in reports:
        for finding in report.findings:
            value: dict[str, Any] = {
                "message": finding.message,
                "location": {"path": report.place, "range": _range(report, finding.span)},
                "severity": _SEVERITIES[str(finding.severity)],
                "source": {"name": "dfopt"},
                "code": {"value": finding.code},
            }
            fix = finding.fix
            # A suggestion is one replacement that a reviewer applies with a click, so only fixes of one edit go in.
            if fix is not None and len(fix.edits) == 1 and fix.applicability is not Applicability.DISPLAY:
                edit = report.edits(fix)[0]
                value["suggestions"] = [{"range": _range(report, edit.span), "text": edit.text}]
            yield clean(json.dumps(value, ensure_ascii=False)) + "\n"


def _range(report: FileReport, span: Span) -> dict[str, dict[str, int]]:
    return {"start": _place(report, span.start), "end": _place(report, span.end)}


def _place(report: FileReport, offset: int) -> dict[str, int]:
    return {"line": report.source.line_of(offset), "column": report.column_bytes(offset)}
