"""GitHub's workflow commands, which become annotations on a pull request."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from dfopt.report.model import FileReport, RunInfo, clean

_LEVELS = {"error": "error", "warning": "warning", "info": "notice", "style": "notice"}


def render(reports: Iterable[FileReport], run: RunInfo) -> Iterator[str]:
    """Render one workflow command per finding (GitHub Actions, "Workflow commands")."""
    for report in reports:
        if report.error:
            yield f"::error file={_property(report.place)}::{_message(report.error)}\n"
        for finding in report.findings:
            region = report.region(finding.span)
            fields = {
                "file": report.place,
                "line": region.line,
                "endLine": region.end_line,
                "col": region.column,
                "endColumn": region.end_column,
                "title": f"{finding.code} {finding.name}",
            }
            if region.end_line != region.line:
                # Columns are shown for a finding inside one line only.
                del fields["col"], fields["endColumn"]
            properties = ",".join(f"{key}={_property(str(value))}" for key, value in fields.items())
            yield f"::{_LEVELS[str(finding.severity)]} {properties}::{_message(finding.message)}\n"


def _message(text: str) -> str:
    return clean(text).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _message(text).replace(":", "%3A").replace(",", "%2C")
