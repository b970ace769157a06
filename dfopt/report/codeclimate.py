"""Code Climate's engine protocol: one JSON object per issue, each followed by a NUL byte."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

from dfopt.report.gitlab import SEVERITIES
from dfopt.report.model import FileReport, RunInfo, clean

_CATEGORIES = {"B": "Compatibility", "C": "Performance", "L": "Performance", "M": "Performance", "X": "Security",
               "D": "Clarity", "F": "Style"}  # fmt: skip


def render(reports: Iterable[FileReport], run: RunInfo) -> Iterator[str]:
    """Render the stream of issues (Code Climate engine specification)."""
    pages = run.by_code()
    for report in reports:
        for finding, print_ in zip(report.findings, report.fingerprints(), strict=True):
            region = report.region(finding.span)
            rule = pages.get(finding.code)
            topic = rule.code[0] if rule is not None else finding.topic
            issue = {
                "type": "issue",
                "check_name": f"{finding.code}/{finding.name}",
                "description": finding.message,
                "categories": [_CATEGORIES.get(topic, "Bug Risk")],
                "location": {
                    "path": report.place,
                    "positions": {
                        "begin": {"line": region.line, "column": region.column},
                        "end": {"line": region.end_line, "column": region.end_column},
                    },
                },
                "severity": SEVERITIES[str(finding.severity)],
                "fingerprint": print_,
            }
            if rule is not None:
                issue["content"] = {"body": "\n\n".join(rule.page()).strip()}
            yield clean(json.dumps(issue, ensure_ascii=False)) + "\0\n"
