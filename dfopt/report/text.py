"""Text for people: one line per finding, with the source and a caret below it on a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from dfopt.finding import Applicability, Finding, Severity
from dfopt.report.model import FileReport, RunInfo, one_line, screen_width

_COLORS = {Severity.ERROR: "1;31", Severity.WARNING: "1;33", Severity.INFO: "1;34", Severity.STYLE: "1;36"}
_WIDTH = 160
"""Columns of a source line that are shown; longer lines are cut around the finding."""


def render(reports: Iterable[FileReport], run: RunInfo) -> Iterator[str]:
    """Render findings in the form ``path:line:column: severity: message [code name]``."""
    for report in reports:
        pieces = []
        for finding in report.findings:
            pieces.append(_head(report, finding, run))
            if run.show_source:
                pieces += _excerpt(report, finding, run)
                pieces += _notes(report, finding, run)
                pieces.append("\n")
        if pieces:
            yield "".join(pieces)


def _head(report: FileReport, finding: Finding, run: RunInfo) -> str:
    line, column = report.source.position(finding.span.start)
    place = f"{report.path}:{line}:{column}:"
    label = f"{finding.severity}:"
    rule = f"[{finding.code} {finding.name}]"
    if run.color:
        place, label, rule = _paint(place, "1"), _paint(label, _COLORS[finding.severity]), _paint(rule, "2")
    return f"{place} {label} {one_line(finding.message)} {rule}\n"


def _excerpt(report: FileReport, finding: Finding, run: RunInfo) -> Iterator[str]:
    region = report.region(finding.span)
    text = report.source.line_text(region.line)
    bom = region.line == 1 and report.source.has_bom
    text = text[1:] if bom else text
    first = region.column - 1
    last = region.end_column - 1 if region.end_line == region.line else len(text)
    shown, first, last = _window(text, first, max(last, first + 1))
    before, marked = shown[:first], shown[first:last]
    number = str(region.line)
    gutter = " " * len(number)
    caret = "^" + "~" * (screen_width(marked) - 1)
    more = f" ... to line {region.end_line}" if region.end_line > region.line else ""
    if run.color:
        number, caret = _paint(number, "2"), _paint(caret, _COLORS[finding.severity])
    yield f"  {number} | {_plain(shown)}\n"
    yield f"  {gutter} | {' ' * screen_width(before)}{caret}{more}\n"


def _notes(report: FileReport, finding: Finding, run: RunInfo) -> Iterator[str]:
    gutter = " " * len(str(report.source.line_of(finding.span.start)))
    for related in finding.related:
        yield f"  {gutter} = line {report.source.line_of(related.span.start)}: {related.message}\n"
    fix = finding.fix
    if fix is None:
        return
    how = {
        Applicability.SAFE: " (--fix)",
        Applicability.UNSAFE: " (--unsafe-fixes)",
        Applicability.DISPLAY: "",
    }[fix.applicability]
    yield f"  {gutter} = fix: {fix.title}{how if fix.edits else ''}\n"


def _window(text: str, first: int, last: int) -> tuple[str, int, int]:
    """Cut a long line down to the part around the finding."""
    if len(text) <= _WIDTH:
        return text, first, last
    start = max(0, min(first - _WIDTH // 4, len(text) - _WIDTH))
    cut = text[start : start + _WIDTH]
    left = "..." if start else ""
    right = "..." if start + _WIDTH < len(text) else ""
    shift = len(left) - start
    return left + cut + right, first + shift, min(last + shift, len(left) + len(cut))


def _plain(text: str) -> str:
    """Make a line printable: a tab is one blank, control characters are replaced."""
    return "".join(" " if ch == "\t" else ch if ch.isprintable() or ch == " " else "\ufffd" for ch in text)


def _paint(text: str, code: str) -> str:
    return f"\x1b[{code}m{text}\x1b[0m"
