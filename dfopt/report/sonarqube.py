"""SonarQube's generic issue import."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from dfopt.report.model import FileReport, RunInfo, clean
from dfopt.source import Span

_SEVERITIES = {"error": "CRITICAL", "warning": "MAJOR", "info": "MINOR", "style": "INFO"}
_IMPACTS = {"error": "HIGH", "warning": "MEDIUM", "info": "LOW", "style": "LOW"}

_QUALITIES = {"X": ("SECURITY", "VULNERABILITY"), "E": ("RELIABILITY", "BUG")}
_OTHERWISE = ("MAINTAINABILITY", "CODE_SMELL")


def render(reports: Iterable[FileReport], run: RunInfo) -> Iterator[str]:
    """Render rules and issues (SonarQube "Generic issue data", with ``rules``; columns are UTF-16 units from 0)."""
    rules: dict[str, dict[str, Any]] = {}
    issues: list[dict[str, Any]] = []
    pages = run.by_code()
    for report in reports:
        for finding in report.findings:
            level = str(finding.severity)
            page = pages.get(finding.code)
            quality, kind = _QUALITIES.get(page.code[0] if page else finding.topic, _OTHERWISE)
            rules.setdefault(
                finding.code,
                {
                    "id": finding.code,
                    "name": finding.name,
                    "description": page.page()[0] if page else finding.name,
                    "engineId": "dfopt",
                    "cleanCodeAttribute": "CONVENTIONAL",
                    "type": kind,
                    "severity": _SEVERITIES[level],
                    "impacts": [{"softwareQuality": quality, "severity": _IMPACTS[level]}],
                },
            )
            issue: dict[str, Any] = {
                "ruleId": finding.code,
                "primaryLocation": {
                    "message": finding.message,
                    "filePath": report.place,
                    "textRange": _range(report, finding.span),
                },
            }
            if finding.related:
                issue["secondaryLocations"] = [
                    {"message": one.message, "filePath": report.place, "textRange": _range(report, one.span)}
                    for one in finding.related
                ]
            issues.append(issue)
    yield clean(json.dumps({"rules": list(rules.values()), "issues": issues}, indent=1, ensure_ascii=False)) + "\n"


def _range(report: FileReport, span: Span) -> dict[str, int]:
    """Give a text range; the import refuses an empty one, so then only the line is named."""
    region = report.region(span)
    if (region.line, region.column) == (region.end_line, region.end_column):
        return {"startLine": region.line}
    return {
        "startLine": region.line,
        "startColumn": report.utf16_column(report.source.offset(region.line, region.column)),
        "endLine": region.end_line,
        "endColumn": report.utf16_column(report.source.offset(region.end_line, region.end_column)),
    }
