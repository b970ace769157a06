"""ShellCheck as a stage: places through continuations and here-documents, dialects, the cache, and its absence."""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path

import pytest

from dfopt.cli import main
from dfopt.config import DEFAULT, Config
from dfopt.finding import Applicability, Finding
from dfopt.lint.fix import apply_round
from dfopt.lint.run import ShellCheck, Task, check_source, check_sources
from dfopt.lint.shellcheck import Cache, find_shellcheck
from dfopt.source import Source

ONLY = DEFAULT._replace(select=("SC",))
PROGRAM = find_shellcheck()
needs_shellcheck = pytest.mark.skipif(PROGRAM is None, reason="ShellCheck is not installed")


def check(text: str, config: Config = ONLY) -> list[tuple[str, str]]:
    """Give code and text of what ShellCheck reports."""
    return [(one.code, text[one.span.start : one.span.end]) for one in findings(text, config)]


def findings(text: str, config: Config = ONLY) -> list[Finding]:
    assert PROGRAM is not None
    checked = check_source(Source(text), config, shellcheck=ShellCheck(PROGRAM, None))
    assert not checked.crashes
    assert not checked.problems
    return [one for one in checked.findings if one.code.startswith("SC")]


PLACES = {
    "a plain line": ("FROM a:1\nRUN echo $x1\n", [("SC2086", "$x1"), ("SC2154", "$x1")]),
    "behind a continuation": (
        "FROM a:1\nRUN echo start && \\\n    # why\n\n    install \\\n      $P\n", [("SC2086", "$P")],
    ),
    "in a word that is continued": ("FROM a:1\nRUN echo $PACK\\\nAGES\n", [("SC2086", "$PACK\\\nAGES")]),
    "in a here-document": ("FROM a:1\nRUN <<EOF\n  true\n  echo $P\nEOF\n", [("SC2086", "$P")]),
    "in one with tabs taken off": ("FROM a:1\nRUN <<-EOF\n\t\techo $P\n\tEOF\n", [("SC2086", "$P")]),
    "behind flags": ("FROM a:1\nRUN --mount=type=cache,target=/x echo $P\n", [("SC2086", "$P")]),
    "in a trigger": ("FROM a:1\nONBUILD RUN echo $P\n", [("SC2086", "$P")]),
    "with CRLF": ("FROM a:1\r\nRUN echo a && \\\r\n  echo $P\r\n", [("SC2086", "$P")]),
    "behind wide characters": ('FROM a:1\nRUN echo "\U0001f40b\u00e9" && echo $P\n', [("SC2086", "$P")]),
    "known variables": ("FROM a:1\nARG a=1\nENV b=2\nRUN echo \"$a$b\"\n", []),
    "exec form": ('FROM a:1\nRUN ["echo", "$x"]\n', []),
    "a disabling comment": ("FROM a:1\n# shellcheck disable=SC2086\nRUN echo $P\n", []),
}  # fmt: skip


@needs_shellcheck
@pytest.mark.parametrize("case", PLACES)
def test_a_comment_stands_at_its_place(case: str) -> None:
    text, expected = PLACES[case]
    assert check(text) == expected


DIALECTS = {
    "sh by default": ("FROM a:1\nRUN [[ a == a ]]\n", True),
    "bash from SHELL": ('FROM a:1\nSHELL ["/bin/bash", "-c"]\nRUN [[ a == a ]]\n', False),
    "bash from the base stage": ('FROM a:1 AS b\nSHELL ["bash", "-c"]\nFROM b\nRUN [[ a == a ]]\n', False),
    "bash from a shebang": ("FROM a:1\nRUN <<EOF\n#!/usr/bin/env bash\n[[ a == a ]]\nEOF\n", False),
    "no shell at all": ('FROM a:1\nSHELL ["pwsh", "-c"]\nRUN [[ a == a ]]\n', False),
    "python": ("FROM a:1\nRUN <<EOF\n#!/usr/bin/env python3\nx = [[ 1 ]]\nEOF\n", False),
}  # fmt: skip


@needs_shellcheck
@pytest.mark.parametrize("case", DIALECTS)
def test_the_dialect_is(case: str) -> None:
    text, reported = DIALECTS[case]
    assert ("SC3010" in [code for code, _ in check(text)]) is reported


@needs_shellcheck
def test_codes_can_be_ignored_selected_and_releveled() -> None:
    text = "FROM a:1\nRUN echo $x1\n"
    assert check(text, ONLY._replace(ignore=("SC2086",))) == [("SC2154", "$x1")]
    assert check(text, ONLY._replace(select=("B",))) == []
    assert check(text, ONLY._replace(select=None, ignore=("SC",))) == []
    assert check("FROM a:1\n# hadolint ignore=SC2086,SC2154\nRUN echo $x1\n") == []


@needs_shellcheck
def test_suggestions_become_unsafe_fixes() -> None:
    text = "FROM a:1\nRUN echo \\\n  $P `date`\n"
    found = findings(text)
    assert {one.fix.applicability for one in found if one.fix} == {Applicability.UNSAFE}
    fixed, _ = apply_round(Source(text), [one for one in found if one.code == "SC2086"], unsafe=True)
    assert fixed.text == text.replace("$P", '"$P"')
    assert "SC2086" not in [one.code for one in findings(fixed.text)]


@needs_shellcheck
def test_one_process_serves_many_files_and_answers_are_kept(tmp_path: Path) -> None:
    log = tmp_path / "log"
    program = tmp_path / "shellcheck"
    program.write_text(f'#!/bin/sh\necho run >> {log}\nexec {PROGRAM} "$@"\n')
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    tasks = [Task(Source(f"FROM a:1\nRUN echo {number} $P\nRUN echo same $P\n"), ONLY) for number in range(5)]

    def run() -> list[list[Finding]]:
        tool = ShellCheck(str(program), Cache(str(tmp_path / "cache")))
        return [checked.findings for checked in check_sources(tasks, shellcheck=tool)]

    first = run()
    assert [len(one) for one in first] == [2] * 5
    assert log.read_text() == "run\n"
    assert run() == first
    assert log.read_text() == "run\n", "the second run asks the cache only"
    for shard in (tmp_path / "cache").iterdir():
        shard.write_bytes(shard.read_bytes()[:-10] + b"\xff\n{}\n")
    assert run() == first, "a damaged cache is a miss"


def test_a_broken_program_is_said_and_the_rest_is_checked(tmp_path: Path) -> None:
    program = tmp_path / "shellcheck"
    program.write_text("#!/bin/sh\necho 'out of order' >&2\nexit 4\n")
    program.chmod(0o755)
    checked = check_source(
        Source("FROM debian\nRUN echo $x\n"),
        DEFAULT._replace(select=("SC", "B101")),
        shellcheck=ShellCheck(str(program), None),
    )
    assert [one.code for one in checked.findings] == ["B101"]
    assert checked.problems == ("ShellCheck failed: out of order",)
    missing = check_source(Source("FROM a:1\nRUN a\n"), ONLY, shellcheck=ShellCheck(str(tmp_path / "gone"), None))
    assert missing.problems[0].startswith("ShellCheck cannot be started")


def test_its_absence_is_said_once_and_is_no_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    monkeypatch.chdir(tmp_path)
    for name in ("a.dockerfile", "b.dockerfile"):
        (tmp_path / name).write_text("FROM scratch\n")
    assert find_shellcheck() is None
    assert main(["lint", "--no-config", "--select", "B101,SC"]) == 0
    assert capsys.readouterr().err.count("ShellCheck was not found") == 1
    assert main(["lint", "--no-config", "--select", "B101", "--no-shellcheck"]) == 0
    assert "ShellCheck" not in capsys.readouterr().err


@needs_shellcheck
def test_no_temporary_file_stays_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    findings("FROM a:1\nRUN echo $x\n")
    assert os.listdir(tmp_path) == []
