"""SARIF 2.1.0 for code scanning: rules, results with exact regions, fixes, fingerprints and suppressions."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import quote

from dfopt.finding import Applicability, Finding, Fix, Severity
from dfopt.lint.rule import Rule
from dfopt.report.model import FileReport, RunInfo, clean
from dfopt.source import Span

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"

_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note", Severity.STYLE: "note"}
_TOPICS = {"B": "base image", "C": "cache", "L": "layers", "M": "stages", "P": "packages", "S": "shell",
           "X": "security", "D": "metadata", "F": "format", "E": "language"}  # fmt: skip


def render(reports: Iterable[FileReport], run: RunInfo) -> Iterator[str]:
    """Render the run as one SARIF log."""
    results: list[dict[str, Any]] = []
    notifications: list[dict[str, Any]] = []
    names: dict[str, tuple[str, Severity]] = {}
    for report in reports:
        if report.error:
            notifications.append(_notification(report, report.error))
        notifications += [_notification(report, f"internal error: {text}") for text in report.tracebacks]
        for finding in (*report.findings, *(one for one, _ in report.suppressed)):
            names.setdefault(finding.code, (finding.name, finding.severity))
        results += _results(report)
    rules = _rules(run, names)
    index = {rule["id"]: number for number, rule in enumerate(rules)}
    for result in results:
        result["ruleIndex"] = index[result["ruleId"]]
    log = {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": {"name": "dfopt", "semanticVersion": run.version, "rules": rules}},
                "invocations": [
                    {
                        "executionSuccessful": not notifications,
                        "toolExecutionNotifications": notifications,
                    }
                ],
                "originalUriBaseIds": {"SRCROOT": {"description": {"text": "The folder in which dfopt ran."}}},
                "columnKind": "unicodeCodePoints",
                "results": results,
            }
        ],
    }
    yield clean(json.dumps(log, indent=1, ensure_ascii=False)) + "\n"


def _rules(run: RunInfo, found: dict[str, tuple[str, Severity]]) -> list[dict[str, Any]]:
    """Describe the rules that have results; codes that are no rules (ShellCheck's) get a short entry."""
    known = run.by_code()
    rules = []
    for code, (name, severity) in sorted(found.items()):
        rule = known.get(code)
        entry: dict[str, Any] = {"id": code, "name": name}
        if rule is None:
            entry["shortDescription"] = {"text": name}
        else:
            entry |= _page(rule)
            severity = rule.severity
        own = code if len(code) == 4 and code[1:].isdigit() else ""
        topic = rule.code[0] if rule is not None else own[:1]
        tags = [_TOPICS[topic]] if topic in _TOPICS else ["shellcheck"] if name == "shellcheck" else []
        entry["defaultConfiguration"] = {"level": _LEVELS[severity]}
        entry["properties"] = {"tags": tags, "problem.severity": _problem_severity(severity)}
        if topic == "X":
            entry["properties"]["security-severity"] = {4: "8.0", 3: "5.0", 2: "3.0", 1: "1.0"}[severity]
        rules.append(entry)
    return rules


def _page(rule: Rule) -> dict[str, Any]:
    summary, text = rule.page()
    return {
        "shortDescription": {"text": summary},
        "fullDescription": {"text": summary},
        "help": {"text": f"{summary}\n\n{text}".strip(), "markdown": f"**{summary}**\n\n{text}".strip()},
    }


def _problem_severity(severity: Severity) -> str:
    return {4: "error", 3: "warning", 2: "recommendation", 1: "recommendation"}[severity]


def _results(report: FileReport) -> Iterator[dict[str, Any]]:
    location = {"uri": _uri(report.place), "uriBaseId": "SRCROOT"}
    if report.place.startswith("/"):
        location = {"uri": "file://" + _uri(report.place)}
    for finding, print_ in zip(report.findings, report.fingerprints(), strict=True):
        result = _result(report, finding, location)
        result["partialFingerprints"] = {"primaryLocationLineHash": f"{print_}:1"}
        yield result
    for finding, reason in report.suppressed:
        result = _result(report, finding, location)
        kind = "external" if reason.startswith("baseline") else "inSource"
        result["suppressions"] = [{"kind": kind, "justification": reason}] if reason else [{"kind": kind}]
        yield result


def _result(report: FileReport, finding: Finding, location: dict[str, str]) -> dict[str, Any]:
    result: dict[str, Any] = {
        "ruleId": finding.code,
        "level": _LEVELS[finding.severity],
        "message": {"text": finding.message},
        "locations": [{"physicalLocation": {"artifactLocation": location, "region": _region(report, finding.span)}}],
    }
    if finding.related:
        result["relatedLocations"] = [
            {
                "id": number,
                "physicalLocation": {"artifactLocation": location, "region": _region(report, one.span)},
                "message": {"text": one.message},
            }
            for number, one in enumerate(finding.related)
        ]
    fix = finding.fix
    if fix is not None and fix.edits and fix.applicability > Applicability.DISPLAY:
        result["fixes"] = [_fix(report, fix, location)]
    if finding.saved_bytes is not None:
        result["properties"] = {"predictedBytesSaved": finding.saved_bytes}
    return result


def _fix(report: FileReport, fix: Fix, location: dict[str, str]) -> dict[str, Any]:
    replacements = [
        {"deletedRegion": _exact(report, edit.span), "insertedContent": {"text": edit.text}}
        for edit in report.edits(fix)
    ]
    title = fix.title if fix.applicability is Applicability.SAFE else f"{fix.title} (unsafe)"
    return {
        "description": {"text": title},
        "artifactChanges": [{"artifactLocation": location, "replacements": replacements}],
    }


def _region(report: FileReport, span: Span) -> dict[str, int]:
    region = report.region(span)
    return {
        "startLine": region.line,
        "startColumn": region.column,
        "endLine": region.end_line,
        "endColumn": region.end_column,
    }


def _exact(report: FileReport, span: Span) -> dict[str, int]:
    """Give a region that keeps the newline at its end: an edit must not lose it."""
    start, end = report.source.position(span.start), report.source.position(span.end)
    return {"startLine": start.line, "startColumn": start.column, "endLine": end.line, "endColumn": end.column}


def _uri(path: str) -> str:
    return quote(path.replace("\\", "/").encode("utf-8", "surrogateescape"), safe="/~-._")


def _notification(report: FileReport, text: str) -> dict[str, Any]:
    return {"level": "error", "message": {"text": text}}
