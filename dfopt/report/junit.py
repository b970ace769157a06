"""JUnit's XML: a suite per file, a failure per finding, a passing case for a clean file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from dfopt.report.model import FileReport, RunInfo
from dfopt.report.xml import attributes, escape


def render(reports: Iterable[FileReport], run: RunInfo) -> Iterator[str]:
    """Render the suites. Times are left out: they would be made up, and the report would differ from run to run."""
    suites, tests, failures, errors = [], 0, 0, 0
    for report in reports:
        cases = list(_cases(report))
        failed = len(report.findings)
        broken = int(bool(report.error))
        head = attributes(name=report.path, tests=len(cases), failures=failed, errors=broken)
        suites.append(f"  <testsuite{head}>\n{''.join(cases)}  </testsuite>\n")
        tests, failures, errors = tests + len(cases), failures + failed, errors + broken
    yield '<?xml version="1.0" encoding="UTF-8"?>\n'
    yield f"<testsuites{attributes(name='dfopt', tests=tests, failures=failures, errors=errors)}>\n"
    yield from suites
    yield "</testsuites>\n"


def _cases(report: FileReport) -> Iterator[str]:
    if report.error:
        head = attributes(name="input", classname=report.path)
        yield f"    <testcase{head}><error{attributes(message=report.error)}/></testcase>\n"
    elif not report.findings:
        yield f"    <testcase{attributes(name='dfopt', classname=report.path)}/>\n"
    for finding in report.findings:
        line, column = report.source.position(finding.span.start)
        head = attributes(name=f"{finding.code} {finding.name} line {line} column {column}", classname=report.path)
        failure = attributes(message=finding.message, type=finding.severity)
        text = escape(f"{report.path}:{line}:{column}: {finding.severity}: {finding.message} [{finding.code}]")
        yield f"    <testcase{head}><failure{failure}>{text}</failure></testcase>\n"
