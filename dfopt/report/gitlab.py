"""GitLab's Code Quality report: one JSON array."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from dfopt.report.model import FileReport, RunInfo, clean

SEVERITIES = {"error": "critical", "warning": "major", "info": "minor", "style": "info"}


def render(reports: Iterable[FileReport], run: RunInfo) -> Iterator[str]:
    """Render the array; paths are relative without a leading ``./`` and fingerprints unique, as GitLab asks."""
    issues: list[dict[str, Any]] = []
    for report in reports:
        for finding, print_ in zip(report.findings, report.fingerprints(), strict=True):
            region = report.region(finding.span)
            issues.append(
                {
                    "description": f"{finding.message} [{finding.code} {finding.name}]",
                    "check_name": finding.name,
                    "fingerprint": print_,
                    "severity": SEVERITIES[str(finding.severity)],
                    "location": {"path": report.place, "lines": {"begin": region.line, "end": region.end_line}},
                }
            )
    yield clean(json.dumps(issues, indent=1, ensure_ascii=False)) + "\n"
