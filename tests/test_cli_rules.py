"""``dfopt rules`` and ``dfopt explain``: the table and the pages, made from the rules."""

from __future__ import annotations

import json

import pytest

from dfopt.cli import main
from dfopt.cli.explain import page
from dfopt.lint.registry import load


def test_the_table_holds_every_rule(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rules"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[1:-2]] == [rule.code for rule in load()]
    assert lines[-1].startswith(f"{len(load().rules)} rules")


def test_the_table_is_there_for_programs(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rules", "--format", "json", "DL3006", "F901"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [row["name"] for row in rows] == ["untagged-base", "unused-ignore"]
    assert (rows[1]["fix"], rows[1]["profile"], rows[1]["severity"]) == ("safe", "default", "info")
    assert main(["rules", "--format", "markdown"]) == 0
    table = capsys.readouterr().out.splitlines()
    assert len({line.replace("\\|", "").count("|") for line in table}) == 1


def test_a_profile_narrows_the_table(capsys: pytest.CaptureFixture[str]) -> None:
    sizes = {}
    for profile in ("default", "strict", "all"):
        assert main(["rules", "--profile", profile, "--format", "json"]) == 0
        sizes[profile] = len(json.loads(capsys.readouterr().out))
    assert sizes["default"] < sizes["strict"] <= sizes["all"] == len(load().rules)


@pytest.mark.parametrize("selector", ["untagged-base", "B101", "dl3006"])
def test_a_rule_is_explained_by_any_of_its_names(selector: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", selector]) == 0
    text = capsys.readouterr().out
    assert text.startswith("# B101 untagged-base\n")
    assert "FROM debian\n" in text
    assert "DL3006" in text


def test_an_unknown_rule_gets_a_hint_and_the_others_their_page(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "untaged-base", "B101"]) == 2
    out = capsys.readouterr()
    assert "did you mean 'untagged-base'?" in out.err
    assert out.out.startswith("# B101")
    assert main(["rules", "untaged-base"]) == 2


def test_shellchecks_codes_lead_to_its_pages(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "sc2086"]) == 0
    assert "SC2086 is a check of ShellCheck" in capsys.readouterr().out


@pytest.mark.parametrize("rule", load().rules, ids=[rule.name for rule in load()])
def test_every_page_is_whole(rule: object) -> None:
    lines = list(page(rule))  # type: ignore[arg-type]  # a Rule, which the parametrization hides
    assert lines.count("```dockerfile") == lines.count("```") >= 1
    assert "None" not in lines[4:6], "a page without a text"
