"""Fingerprints: names of findings that survive edits elsewhere in the file."""

from __future__ import annotations

from collections import Counter
from hashlib import sha256

from dfopt.report.model import FileReport


def fingerprints(report: FileReport) -> list[str]:
    """Give a fingerprint per finding, 32 hexadecimal digits, unique within the run's paths.

    It is made of path, rule, the line's text without blanks, and how many equal ones stand above: not of the line number,
    so that text added above does not make an old finding look new.
    """
    seen: Counter[str] = Counter()
    result = []
    for finding in report.findings:
        line = report.source.line_text(report.source.line_of(finding.span.start))
        key = "\0".join((report.path.replace("\\", "/"), finding.code, "".join(line.split())))
        text = f"{key}\0{seen[key]}"
        seen[key] += 1
        result.append(sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:32])
    return result
