"""Every output format against its public schema, or a reader of the format; columns, order and escaping."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from dfopt.edit import Edit, apply
from dfopt.finding import Applicability, Finding, Fix, Related, Severity
from dfopt.lint.registry import load
from dfopt.report.formats import FORMATS, renderer
from dfopt.report.model import FileReport, RunInfo
from dfopt.source import Source, Span

SCHEMAS = Path(__file__).parent / "fixtures" / "schemas"

TEXT = 'FROM debian\nRUN echo "\u00e9\U0001f40b" | tee <x>,50%: y\nRUN a && \\\n    b\n'


def span(words: str) -> Span:
    return Span(TEXT.index(words), TEXT.index(words) + len(words))


FIX = Fix("add a tag", (Edit(Span(11, 11), ":12"),), Applicability.UNSAFE)
FINDINGS = [
    Finding("B101", "untagged-base", Severity.WARNING, "no tag & no \"digest\"", span("debian"), fix=FIX),
    Finding("S901", "pipe", Severity.ERROR, "100% wrong: a, b\nand <c>", span("tee"),
            related=(Related(span("FROM debian"), "the base"),), saved_bytes=12),
    Finding("X901", "secret", Severity.INFO, "hidden | here", span("RUN a && \\\n    b")),
    Finding("SC2086", "shellcheck", Severity.STYLE, "quote this", Span(span("b\n").start, span("b\n").end)),
]  # fmt: skip
SILENT = (
    Finding(
        "D101",
        "maintainer",
        Severity.WARNING,
        "deprecated",
        span("FROM"),
    ),
    "on purpose",
)
REPORTS = [
    FileReport("app/Dockerfile", TEXT, FINDINGS, suppressed=(SILENT,), failed=True),
    FileReport("clean.dockerfile", "FROM scratch\n"),
    FileReport("gone file", error="no such file"),
    FileReport("empty", "", [Finding("E004", "no-instructions", Severity.ERROR, "nothing here", Span(0, 0))]),
    FileReport("caf\udce9", "FROM x\udce9\n", [Finding("E051", "not-utf8", Severity.INFO, "byte \udce9", Span(6, 7))]),
]
RUN = RunInfo("0.1.0", load().rules)


def render(name: str, reports: list[FileReport] = REPORTS, run: RunInfo = RUN) -> str:
    text = "".join(renderer(name)(iter(reports), run))
    text.encode("utf-8", "surrogateescape" if name in ("text", "gnu") else "strict")
    return text


def valid(name: str, value: Any) -> Any:
    schema = json.loads((SCHEMAS / f"{name}.schema.json").read_text())
    jsonschema.validate(value, schema, format_checker=jsonschema.FormatChecker())
    return value


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_renders_an_empty_run_and_the_same_run_twice_alike(name: str) -> None:
    render(name, [])
    assert render(name) == render(name)


def test_json_follows_its_schema() -> None:
    value = valid("json", json.loads(render("json")))
    assert valid("json", json.loads(render("json", [])))["files"] == []
    assert value["summary"] == {
        "files": 5, "error": 2, "warning": 1, "info": 2, "style": 1, "unreadable": 1, "findings": 6,
    }  # fmt: skip
    first = value["files"][0]["findings"][0]
    assert (first["line"], first["column"], first["end_line"], first["end_column"]) == (1, 6, 1, 12)
    assert value["files"][2]["error"] == "no such file"


def test_jsonl_has_one_object_per_line() -> None:
    rows = [json.loads(line) for line in render("jsonl").splitlines()]
    assert [row.get("code", row.get("error")) for row in rows] == [
        "B101", "S901", "X901", "SC2086", "no such file", "E004", "E051",
    ]  # fmt: skip
    schema = json.loads((SCHEMAS / "json.schema.json").read_text())["definitions"]["finding"]
    for row in rows:
        if "error" not in row:
            del row["path"]
            jsonschema.validate(row, schema)


def test_sarif_follows_the_standard() -> None:
    log = valid("sarif", json.loads(render("sarif")))
    valid("sarif", json.loads(render("sarif", [])))
    run = log["runs"][0]
    rules = run["tool"]["driver"]["rules"]
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
    assert [one["message"]["text"] for one in run["invocations"][0]["toolExecutionNotifications"]] == ["no such file"]
    assert [one.get("suppressions") for one in run["results"] if "suppressions" in one] == [
        [{"kind": "inSource", "justification": "on purpose"}]
    ]
    prints = [
        one["partialFingerprints"]["primaryLocationLineHash"] for one in run["results"] if "suppressions" not in one
    ]
    assert len(set(prints)) == len(prints)


def test_a_sarif_fix_leads_to_the_fixed_text() -> None:
    log = json.loads(render("sarif"))
    change = log["runs"][0]["results"][0]["fixes"][0]["artifactChanges"][0]
    source = Source(TEXT)
    edits = []
    for one in change["replacements"]:
        region = one["deletedRegion"]
        start = source.offset(region["startLine"], region["startColumn"])
        end = source.offset(region["endLine"], region["endColumn"])
        edits.append(Edit(Span(start, end), one["insertedContent"]["text"]))
    assert apply(TEXT, edits) == TEXT.replace("debian", "debian:12")


def test_gitlab_takes_the_report() -> None:
    issues = valid("gitlab", json.loads(render("gitlab")))
    assert len({one["fingerprint"] for one in issues}) == len(issues) == 6
    moved = [FileReport("./app/Dockerfile", "# new\n" + TEXT, [
        Finding(one.code, one.name, one.severity, one.message, Span(one.span.start + 6, one.span.end + 6))
        for one in FINDINGS
    ])]  # fmt: skip
    again = valid("gitlab", json.loads(render("gitlab", moved)))
    assert again[0]["location"]["path"] == "app/Dockerfile"
    assert again[0]["location"]["lines"]["begin"] == issues[0]["location"]["lines"]["begin"] + 1


def test_a_fingerprint_survives_text_above_and_tells_equal_lines_apart() -> None:
    line = "RUN make\n"
    one = FileReport("f", line * 2, [Finding("L1", "l", Severity.INFO, "m", Span(0, 3)),
                                     Finding("L1", "l", Severity.INFO, "m", Span(9, 12))])  # fmt: skip
    assert len(set(one.fingerprints())) == 2
    above = FileReport("f", "#\n" + line, [Finding("L1", "l", Severity.INFO, "m", Span(2, 5))])
    assert above.fingerprints() == one.fingerprints()[:1]


def test_codeclimate_issues_end_with_nul() -> None:
    text = render("codeclimate")
    pieces = text.split("\0")
    assert pieces.pop().strip() == ""
    for piece in pieces:
        valid("codeclimate", json.loads(piece))


def test_sonarqube_imports_the_report() -> None:
    value = valid("sonarqube", json.loads(render("sonarqube")))
    ids = [rule["id"] for rule in value["rules"]]
    assert len(set(ids)) == len(ids)
    assert {issue["ruleId"] for issue in value["issues"]} == set(ids)
    assert value["issues"][0]["primaryLocation"]["textRange"] == {
        "startLine": 1, "endLine": 1, "startColumn": 5, "endColumn": 11,
    }  # fmt: skip


def test_rdjsonl_counts_columns_in_bytes_and_suggests_fixes() -> None:
    rows = [valid("rdjsonl", json.loads(line)) for line in render("rdjsonl").splitlines()]
    assert rows[0]["suggestions"][0]["text"] == ":12"
    line = TEXT.splitlines()[1].encode()
    start = rows[1]["location"]["range"]["start"]
    assert line[start["column"] - 1 :].startswith(b"tee")


def test_checkstyle_is_xml_with_files_and_errors() -> None:
    root = ElementTree.fromstring(render("checkstyle"))
    assert (root.tag, root.attrib) == ("checkstyle", {"version": "4.3"})
    files = root.findall("file")
    assert [one.get("name") for one in files][:3] == ["app/Dockerfile", "clean.dockerfile", "gone file"]
    errors = files[0].findall("error")
    assert errors[0].attrib == {
        "line": "1", "column": "6", "severity": "warning", "message": 'no tag & no "digest"', "source": "dfopt.B101",
    }  # fmt: skip
    assert errors[1].get("message") == "100% wrong: a, b\nand <c>"
    assert {error.get("severity") for error in root.iter("error")} <= {"error", "warning", "info", "ignore"}


def test_junit_counts_what_it_holds() -> None:
    root = ElementTree.fromstring(render("junit"))
    assert root.tag == "testsuites"
    for suite in (*root.findall("testsuite"), root):
        cases = list(suite.iter("testcase"))
        assert int(suite.get("tests", "")) == len(cases)
        assert int(suite.get("failures", "")) == sum(case.find("failure") is not None for case in cases)
        assert int(suite.get("errors", "")) == sum(case.find("error") is not None for case in cases)
    names = [case.get("name") for case in root.findall("testsuite")[0].iter("testcase")]
    assert len(set(names)) == len(names)


def test_github_commands_can_be_read_back() -> None:
    pattern = re.compile(r"::(error|warning|notice) ([^:]*)::(.*)")
    rows = [pattern.fullmatch(line) for line in render("github").splitlines()]
    assert len(rows) == 7
    assert all(rows)
    assert "::error file=gone file::no such file" in render("github")
    second = rows[1]
    assert second is not None
    fields = dict(part.split("=", 1) for part in second[2].split(","))
    assert fields["file"] == "app/Dockerfile"
    assert (fields["line"], fields["col"], fields["endColumn"]) == ("2", "17", "20")
    assert second[3] == "100%25 wrong: a, b%0Aand <c>"
    third = rows[2]
    assert third is not None
    assert "col=" not in third[2], "columns of a finding over several lines say nothing"


def test_gnu_lines_are_what_editors_expect() -> None:
    rows = [re.fullmatch(r"(.+?):(\d+):(\d+): (error|warning|note): (.*) \[(\w+)\]", line, re.S)
            for line in render("gnu").splitlines() if "[" in line]  # fmt: skip
    first = rows[0]
    assert first is not None
    assert first.groups() == ("app/Dockerfile", "1", "6", "warning", 'no tag & no "digest"', "B101")


def test_markdown_tables_keep_their_cells() -> None:
    text = render("markdown")
    rows = [line for line in text.splitlines() if line.startswith("| ") and line[2:3].isdigit()]
    assert len(rows) == 6
    assert all(len(re.findall(r"(?<!\\)\|", row)) == 5 for row in rows)
    assert "**6 findings** in 5 files" in text
    assert render("markdown", [REPORTS[1]]) == "No findings in 1 file.\n"


def test_hadolint_json_has_hadolints_fields_and_codes() -> None:
    rows = json.loads(render("hadolint"))
    assert [sorted(row) for row in rows] == [["code", "column", "file", "level", "line", "message"]] * 6
    assert [row["code"] for row in rows] == ["DL3006", "S901", "X901", "SC2086", "DL1000", "E051"]
    assert {row["level"] for row in rows} <= {"error", "warning", "info", "style"}


def test_text_marks_the_place_under_wide_characters() -> None:
    text = "".join(renderer("text")(iter(REPORTS[:1]), RunInfo("0.1.0", show_source=True)))
    lines = text.splitlines()
    at = next(number for number, line in enumerate(lines) if line.startswith("  2 |"))
    # The whale takes two columns of a terminal, so the caret stands one further than the character's number.
    assert lines[at + 1] == "    | " + " " * 17 + "^~~"
    assert lines[at + 2] == "    = line 1: the base"
    assert any("fix: add a tag (--unsafe-fixes)" in line for line in lines)


ODD = '\ufeffFROM a\r\nRUN\tx "\u6f22\U0001f40b\u0301" y\r\n'
"""A byte order mark, a tab, two wide characters (one beyond the BMP), a combining one, and CRLF."""


def odd_report() -> FileReport:
    at, base = ODD.index("y"), ODD.index("a")
    fix = Fix("say more", (Edit(Span(at, at + 1), "y\nz"),))
    return FileReport("./odd/Dockerfile", ODD, [
        Finding("B101", "untagged-base", Severity.WARNING, "base", Span(base, base + 1)),
        Finding("S901", "last", Severity.WARNING, "two\nlines", Span(at, at + 1), fix=fix),
    ])  # fmt: skip


def test_columns_are_counted_as_each_format_counts_them() -> None:
    report = [odd_report()]
    line = ODD.split("\n")[1].encode()

    def places(name: str) -> Any:
        return json.loads(render(name, report))

    regions = [one["locations"][0]["physicalLocation"]["region"] for one in places("sarif")["runs"][0]["results"]]
    assert [(one["startLine"], one["startColumn"], one["endColumn"]) for one in regions] == [(1, 6, 7), (2, 13, 14)]
    assert [(one["line"], one["column"]) for one in places("json")["files"][0]["findings"]] == [(1, 6), (2, 13)]
    ranges = [one["primaryLocation"]["textRange"] for one in places("sonarqube")["issues"]]
    assert [(one["startColumn"], one["endColumn"]) for one in ranges] == [(5, 6), (13, 14)]
    rows = [json.loads(row) for row in render("rdjsonl", report).splitlines()]
    start = rows[1]["location"]["range"]["start"]["column"]
    assert line[start - 1 : start] == b"y"
    # RUN and the tab take 8 columns of a screen, each wide character 2, the combining one none.
    assert [row.split(":")[1:3] for row in render("gnu", report).splitlines()] == [["1", "6"], ["2", "18"]]


def test_new_lines_of_a_fix_end_as_the_files_lines_do() -> None:
    change = json.loads(render("sarif", [odd_report()]))["runs"][0]["results"][1]["fixes"][0]["artifactChanges"][0]
    assert change["replacements"][0]["insertedContent"]["text"] == "y\r\nz"
    assert json.loads(render("rdjsonl", [odd_report()]).splitlines()[1])["suggestions"][0]["text"] == "y\r\nz"
    fix = json.loads(render("json", [odd_report()]))["files"][0]["findings"][1]["fix"]
    assert fix["edits"][0]["text"] == "y\r\nz"


@pytest.mark.parametrize("name", ["text", "gnu"])
def test_a_finding_is_one_line_where_lines_are_findings(name: str) -> None:
    assert len(render(name, [odd_report()]).splitlines()) == 2


@pytest.mark.parametrize("path", ["odd/Dockerfile", "./odd/Dockerfile", "odd/../odd/Dockerfile"])
def test_servers_get_one_path_and_fingerprint_however_a_file_was_named(path: str) -> None:
    for named in (path, str(Path.cwd() / path)):
        report = FileReport(named, ODD, odd_report().findings)
        assert report.fingerprints() == odd_report().fingerprints()
        assert {one["location"]["path"] for one in json.loads(render("gitlab", [report]))} == {"odd/Dockerfile"}
        assert "file=odd/Dockerfile," in render("github", [report])


def test_findings_under_other_tools_codes_keep_page_and_topic() -> None:
    findings = [
        Finding("SecretsUsedInArgOrEnv", "secret-in-arg-or-env", Severity.WARNING, "m", Span(0, 4)),
        Finding("ExposeProtoCasing", "expose-proto-casing", Severity.ERROR, "m", Span(0, 4)),
    ]
    report = [FileReport("f", "FROM a\n", findings)]
    rules = valid("sarif", json.loads(render("sarif", report)))["runs"][0]["tool"]["driver"]["rules"]
    tags = {rule["id"]: rule["properties"]["tags"] for rule in rules}
    assert tags["SecretsUsedInArgOrEnv"] == ["security"]
    assert "shellcheck" not in tags["ExposeProtoCasing"]
    kinds = {rule["id"]: rule["type"] for rule in valid("sonarqube", json.loads(render("sonarqube", report)))["rules"]}
    assert kinds == {"SecretsUsedInArgOrEnv": "VULNERABILITY", "ExposeProtoCasing": "CODE_SMELL"}
    assert [one["code"] for one in json.loads(render("hadolint", report))][1] == "ExposeProtoCasing"


def test_sarif_tools_read_the_log(tmp_path: Path) -> None:
    loader = pytest.importorskip("sarif.loader", reason="needs sarif-tools")
    path = tmp_path / "out.sarif"
    path.write_text(render("sarif"), encoding="utf-8")
    log = loader.load_sarif_file(str(path))
    assert log.get_distinct_tool_names() == ["dfopt"]
    records = log.get_records()
    told = [(one["Code"], one["Severity"], one["Location"], one["Line"]) for one in records]
    assert told[:2] == [("B101", "warning", "app/Dockerfile", 1), ("S901", "error", "app/Dockerfile", 2)]
    assert len(records) == 7, "six findings and a silenced one"


def test_junitparser_reads_the_report(tmp_path: Path) -> None:
    junitparser = pytest.importorskip("junitparser")
    path = tmp_path / "out.xml"
    path.write_text(render("junit"), encoding="utf-8")
    report = junitparser.JUnitXml.fromfile(str(path))
    suites = list(report)
    assert [suite.name for suite in suites][:2] == ["app/Dockerfile", "clean.dockerfile"]
    results = [[type(result).__name__ for result in case.result] for suite in suites for case in suite]
    assert results == [["Failure"]] * 4 + [[], ["Error"]] + [["Failure"]] * 2
    assert next(iter(suites[0])).result[0].message == 'no tag & no "digest"'
    before = (report.tests, report.failures, report.errors)
    report.update_statistics()
    assert before == (report.tests, report.failures, report.errors)
