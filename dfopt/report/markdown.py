"""Markdown for step summaries and comments: a table per file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from dfopt.finding import Severity
from dfopt.report.model import FileReport, RunInfo, clean


def render(reports: Iterable[FileReport], run: RunInfo) -> Iterator[str]:
    """Render a heading with the counts per file and a row per finding; a clean run says so."""
    counts: Counter[Severity] = Counter()
    files = 0
    for report in reports:
        files += 1
        counts.update(finding.severity for finding in report.findings)
        if report.error:
            yield f"### {_text(report.path)}\n\n{_text(report.error)}\n\n"
        if not report.findings:
            continue
        yield f"### {_text(report.path)}\n\n| line | severity | rule | message |\n|---:|---|---|---|\n"
        for finding in report.findings:
            line = report.source.line_of(finding.span.start)
            rule = f"`{finding.code}` {finding.name}"
            yield f"| {line} | {finding.severity} | {rule} | {_text(finding.message)} |\n"
        yield "\n"
    total = sum(counts.values())
    parts = ", ".join(f"{counts[level]} {level}" for level in sorted(counts, reverse=True))
    noun = "file" if files == 1 else "files"
    yield f"**{total} findings** in {files} {noun} ({parts})\n" if total else f"No findings in {files} {noun}.\n"


def _text(text: str) -> str:
    """Escape what Markdown, HTML or a table would take for its own."""
    text = clean(text).replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;").replace("\n", " ")
    return text.replace("*", "\\*").replace("_", "\\_").replace("`", "\\`")
