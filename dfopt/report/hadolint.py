"""hadolint's JSON, so that what reads hadolint reads dfopt: its codes where it has one, ours where it has none."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

from dfopt.report.model import FileReport, RunInfo, clean


def render(reports: Iterable[FileReport], run: RunInfo) -> Iterator[str]:
    """Render one array with code, column, file, level, line and message; columns are real ones."""
    codes = {rule.code: next((a for a in rule.aliases if a.startswith("DL")), rule.code) for rule in run.rules}
    findings = []
    for report in reports:
        for finding in report.findings:
            line, column = report.source.position(finding.span.start)
            is_syntax = finding.topic == "E" and str(finding.severity) == "error"
            findings.append(
                {
                    "code": "DL1000" if is_syntax else codes.get(finding.code, finding.code),
                    "column": column,
                    "file": report.path,
                    "level": str(finding.severity),
                    "line": line,
                    "message": finding.message,
                }
            )
    yield clean(json.dumps(findings, ensure_ascii=False)) + "\n"
