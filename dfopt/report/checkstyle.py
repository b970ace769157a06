"""Checkstyle's XML, which most build servers read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from dfopt.report.model import FileReport, RunInfo
from dfopt.report.xml import attributes

_SEVERITIES = {"error": "error", "warning": "warning", "info": "info", "style": "info"}


def render(reports: Iterable[FileReport], run: RunInfo) -> Iterator[str]:
    """Render one ``file`` element per file, its findings as ``error`` elements with line and column."""
    yield '<?xml version="1.0" encoding="UTF-8"?>\n<checkstyle version="4.3">\n'
    for report in reports:
        yield f"  <file{attributes(name=report.path)}>\n"
        if report.error:
            yield f"    <error{attributes(line=1, severity='error', message=report.error, source='dfopt.input')}/>\n"
        for finding in report.findings:
            line, column = report.source.position(finding.span.start)
            yield "    <error" + attributes(
                line=line,
                column=column,
                severity=_SEVERITIES[str(finding.severity)],
                message=finding.message,
                source=f"dfopt.{finding.code}",
            ) + "/>\n"  # fmt: skip
        yield "  </file>\n"
    yield "</checkstyle>\n"
