"""One JSON object per finding and line, for programs that read while the run goes on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from dfopt.report.json_object import dumps, finding_value
from dfopt.report.model import FileReport, RunInfo


def render(reports: Iterable[FileReport], run: RunInfo) -> Iterator[str]:
    """Render one line per finding: its fields as in JSON, and the path; unreadable files have ``error``."""
    for report in reports:
        if report.error:
            yield dumps({"path": report.path, "error": report.error}) + "\n"
        for finding, print_ in zip(report.findings, report.fingerprints(), strict=True):
            yield dumps({"path": report.path, **finding_value(report, finding, print_)}) + "\n"
