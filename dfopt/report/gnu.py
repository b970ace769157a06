"""The GNU error format as compilers write it: ``path:line:column: severity: message [code]``.

Columns are those of a screen, as the standard says and gcc and Emacs count them: tabs stop every 8 columns.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from dfopt.report.model import FileReport, RunInfo, one_line

_SEVERITIES = {"error": "error", "warning": "warning", "info": "note", "style": "note"}
"""Editors' error formats know these three words only."""


def render(reports: Iterable[FileReport], run: RunInfo) -> Iterator[str]:
    """Render one line per finding (GNU Coding Standards, section 4.4; columns count from 1)."""
    for report in reports:
        for finding in report.findings:
            line, column = report.source.line_of(finding.span.start), report.screen_column(finding.span.start)
            severity = _SEVERITIES[str(finding.severity)]
            yield f"{report.path}:{line}:{column}: {severity}: {one_line(finding.message)} [{finding.code}]\n"
