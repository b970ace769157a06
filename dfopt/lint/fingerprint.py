"""Fingerprints: names of findings that survive edits elsewhere in the file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from hashlib import sha256

from dfopt.finding import Finding
from dfopt.source import Source


def fingerprints(path: str, source: Source, findings: Iterable[Finding]) -> list[str]:
    """Give a fingerprint per finding: 32 hexadecimal digits, no two equal in one file.

    It is made of path, rule, the line's text without blanks, and how many equal ones stand above: not of the line
    number, so that text added above does not make an old finding look new.
    """
    seen: Counter[str] = Counter()
    result = []
    for finding in findings:
        line = source.line_text(source.line_of(finding.span.start))
        key = "\0".join((path.replace("\\", "/"), finding.code, "".join(line.split())))
        text = f"{key}\0{seen[key]}"
        seen[key] += 1
        result.append(sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:32])
    return result
