"""Code Climate's engine protocol: one JSON object per issue, each followed by a NUL byte."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator

from dfopt.report.gitlab import SEVERITIES
from dfopt.report.model import FileReport, RunInfo, clean

_CATEGORIES = {"B": "Compatibility", "C": "Performance", "L": "Performance", "M": "Performance", "X": "Security",
               "D": "Clarity", "F": "Style"}  # fmt: skip


def render(reports: Iterable[FileReport], run: RunInfo) -> Iterator[str]:
    """Render the stream of issues (Code Climate engine specification)."""
    pages = {rule.code: rule for rule in run.rules}
    for report in reports:
        path = os.path.normpath(report.path).replace(os.sep, "/")
        for finding, print_ in zip(report.findings, report.fingerprints(), strict=True):
            region = report.region(finding.span)
            issue = {
                "type": "issue",
                "check_name": f"{finding.code}/{finding.name}",
                "description": finding.message,
                "categories": [_CATEGORIES.get(finding.code[0], "Bug Risk")],
                "location": {
                    "path": path,
                    "positions": {
                        "begin": {"line": region.line, "column": region.column},
                        "end": {"line": region.end_line, "column": region.end_column},
                    },
                },
                "severity": SEVERITIES[str(finding.severity)],
                "fingerprint": print_,
            }
            rule = pages.get(finding.code)
            if rule is not None:
                issue["content"] = {"body": "\n\n".join(rule.page()).strip()}
            yield clean(json.dumps(issue, ensure_ascii=False)) + "\0\n"
