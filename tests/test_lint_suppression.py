"""Comments that silence findings: how far they reach, whose they are, and what is said of them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import dfopt
from dfopt.cli import main
from dfopt.config import DEFAULT, Config
from dfopt.lint.run import Checked, check_source
from dfopt.source import Source

UNTAGGED = DEFAULT._replace(select=("B101",))


def check(text: str, config: Config = UNTAGGED) -> Checked:
    checked = check_source(Source(text), config)
    assert not checked.crashes
    return checked


def lines(text: str, config: Config = UNTAGGED) -> list[int]:
    """Give the lines on which an untagged base is still reported."""
    checked = check(text, config)
    return [checked.source.line_of(one.span.start) for one in checked.findings if one.code == "B101"]


SILENT = {
    "by name": "# dfopt: ignore[untagged-base] why\nFROM debian\n",
    "by code": "# dfopt: ignore[B101]\nFROM debian\n",
    "by letter": "# dfopt: ignore[B]\nFROM debian\n",
    "by another tool's code": "# dfopt: ignore[DL3006]\nFROM debian\n",
    "among others": "# dfopt: ignore[D101, untagged-base]\nFROM debian\n",
    "all": "# dfopt: ignore\nFROM debian\n",
    "without blanks": "#dfopt:ignore[B101]\nFROM debian\n",
    "with a date to come": "# dfopt: ignore[B101] until=9999-12-31 later\nFROM debian\n",
    "two comments above": "# dfopt: ignore[B101] why\n# more words\n\nFROM debian\n",
    "stacked": "# dfopt: ignore[B101]\n# dfopt: ignore[D101]\nFROM debian\n",
    "stage, from above": "# dfopt: ignore-stage[B101]\nFROM debian\n",
    "stage, from inside": "FROM debian\nRUN a\n# dfopt: ignore-stage[B101]\nRUN b\n",
    "file, from the end": "FROM debian\n# dfopt: ignore-file[B101] all of it\n",
    "hadolint": "# hadolint ignore=DL3006\nFROM debian\n",
    "hadolint with a reason": "# hadolint ignore=DL3007, DL3006 # why\nFROM debian\n",
    "hadolint global": "FROM debian\n# hadolint global ignore=DL3006\n",
    "hadolint stage": "# hadolint stage ignore=DL3006\nFROM debian\n",
}


@pytest.mark.parametrize("case", SILENT)
def test_silences(case: str) -> None:
    assert lines(SILENT[case]) == []
    assert len(check(SILENT[case]).suppressed) == 1
    assert lines(SILENT[case], UNTAGGED._replace(inline_ignores=False)) == [
        SILENT[case].splitlines().index("FROM debian") + 1
    ]


LOUD = {
    "another rule": "# dfopt: ignore[D101]\nFROM debian\n",
    "another instruction": "# dfopt: ignore[B101]\nARG A=1\nFROM debian\n",
    "behind the instruction": "FROM debian\n# dfopt: ignore[B101]\n",
    "past its date": "# dfopt: ignore[B101] until=2020-01-01\nFROM debian\n",
    "another stage": "FROM debian\n# dfopt: ignore-stage[B101]\nFROM scratch\n",
    "malformed": "# dfopt: ignored[B101]\nFROM debian\n",
    "in a here-document": "FROM debian\nRUN <<EOF\n# dfopt: ignore-file[B101]\nEOF\n",
}


@pytest.mark.parametrize("case", LOUD)
def test_does_not_silence(case: str) -> None:
    assert lines(LOUD[case]) == [LOUD[case].splitlines().index("FROM debian") + 1]


def test_a_stage_comment_reaches_to_the_next_stage() -> None:
    text = "FROM debian AS a\n# dfopt: ignore-stage[B101]\nRUN a\nFROM debian AS b\n"
    assert lines(text) == [4]


def test_the_reason_goes_with_the_finding() -> None:
    ((finding, reason),) = check("# dfopt: ignore[B101] - the newest is wanted\nFROM debian\n").suppressed
    assert (finding.code, reason) == ("B101", "the newest is wanted")


def test_buildkits_own_comments_are_honoured() -> None:
    config = DEFAULT._replace(select=("MaintainerDeprecated",))
    loud = "FROM scratch\nMAINTAINER me\n"
    assert len(check(loud, config).findings) == 1
    assert check("# check=skip=MaintainerDeprecated\n" + loud, config).findings == []
    assert check("# check=skip=all\n" + loud, config).findings == []
    assert (
        check("FROM scratch\n# check=skip=JSONArgsRecommended,MaintainerDeprecated\nMAINTAINER me\n", config).findings
        == []
    )
    assert len(check("# check=error=true\n" + loud, config).findings) == 1


def test_a_language_error_can_be_silenced_by_name_only_where_it_stands() -> None:
    text = "FROM scratch\n# dfopt: ignore[unknown-flag] newer than this linter\nCOPY --brand-new a b\n"
    config = DEFAULT._replace(select=())
    assert check(text, config).findings == []
    assert [one.code for one in check(text.replace("unknown-flag", "unknown-keyword"), config).findings] == ["E029"]


def test_comments_are_judged_only_for_rules_that_ran() -> None:
    text = "# dfopt: ignore[pinned-packages-that-nobody-selected, B101]\nFROM debian:12\n"
    judge = DEFAULT._replace(select=("F901",))
    assert check("# dfopt: ignore[B101]\nFROM debian:12\n", judge).findings == []
    assert [one.code for one in check(text, judge._replace(select=("F901", "B101"))).findings] == ["F901"]


def test_reasons_can_be_asked_for() -> None:
    config = UNTAGGED._replace(require_reason=True)
    assert [one.code for one in check("# dfopt: ignore[B101]\nFROM debian\n", config).findings] == ["F903"]
    assert check("# dfopt: ignore[B101] a reason\nFROM debian\n", config).findings == []


def test_what_is_said_of_comments_can_be_silenced_for_the_file() -> None:
    config = DEFAULT._replace(select=("F904",))
    text = "# dfopt: ignored\nFROM scratch\n"
    assert [one.code for one in check(text, config).findings] == ["F904"]
    assert check(text + "# dfopt: ignore-file[malformed-ignore]\n", config).findings == []


def test_a_comment_for_the_judges_themselves_is_not_called_unused() -> None:
    config = DEFAULT._replace(select=("F901", "F904"))
    assert check("# dfopt: ignored\nFROM scratch\n# dfopt: ignore-file[malformed-ignore]\n", config).findings == []


ADDED = {
    "several rules in one comment": "FROM debian\nMAINTAINER me\n",
    "a finding that a comment between two lines hides": "FROM debian:12\nLABEL a=b\nLABEL c=d\n",
    "a finding of the whole file": "ARG A=1\nRUN x\n",
    "CRLF, a byte order mark and indentation": "\ufeff# syntax=a/b:1\r\nFROM debian\r\n  MAINTAINER me\r\n",
    "continued lines": "FROM debian:12\nRUN cd /a \\\n # between\n && apt-get install curl\n",
    "a description whose comment is moved away": "# A fine\n# wrong\nARG A=1\nFROM debian:12\n",
}  # fmt: skip


@pytest.mark.parametrize("profile", ["default", "all", "hadolint", "buildkit"])
@pytest.mark.parametrize("case", ADDED)
def test_after_adding_comments_nothing_is_left_and_the_file_means_the_same(
    case: str, profile: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = ADDED[case]
    file = tmp_path / "Dockerfile"
    file.write_bytes(text.encode())
    words = ["lint", "--no-config", "--no-shellcheck", "--profile", profile, str(file)]
    main([*words, "--format", "json", "--fail-on", "never"])
    before = json.loads(capsys.readouterr().out)["files"][0]["findings"]
    main([*words, "--add-ignores", "known"])
    capsys.readouterr()
    assert main(words) == 0
    assert capsys.readouterr().out == ""
    after = file.read_bytes().decode()
    assert [one.original for one in dfopt.parse(after).instructions] == [
        one.original for one in dfopt.parse(text).instructions
    ]
    assert [one.value for one in dfopt.parse(after).directives] == [one.value for one in dfopt.parse(text).directives]
    assert ("\r\n" in text) == ("\r\n" in after)
    assert "\n" not in after.replace("\r\n", "") or "\r\n" not in text
    assert bool(before) == (after != text)
    assert all(len(line) <= 120 for line in after.splitlines())
    main([*words, "--format", "json", "--no-inline-ignores", "--fail-on", "never"])
    again = json.loads(capsys.readouterr().out)["files"][0]["findings"]
    assert {one["code"] for one in before} - {one["code"] for one in again} <= {"D139"}
