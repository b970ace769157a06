"""The library's functions, as a caller meets them."""

from __future__ import annotations

import builtins
import os
from pathlib import Path
from typing import Any

import pytest

import dfopt
from dfopt.config import ConfigError

UNTAGGED = "FROM debian\nRUN cd /x\n"


@pytest.mark.parametrize("source", [Path("Dockerfile"), None, 3])
def test_what_is_no_dockerfile_is_refused_with_a_reason(source: Any) -> None:
    with pytest.raises(TypeError, match="never as path"):
        dfopt.parse(source)


def test_a_path_is_read_as_text_and_the_disk_is_not_touched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "Dockerfile"
    file.write_text(UNTAGGED)
    dfopt.parse('FROM a\nCMD ["b"]\n')  # the grammar's own tables are read once

    def refuse(*args: object, **_: object) -> None:
        raise AssertionError(args)

    monkeypatch.setattr(builtins, "open", refuse)
    monkeypatch.setattr(os, "open", refuse)
    tree = dfopt.parse(str(file))
    assert str(tree) == str(file)
    assert [problem.code for problem in tree.problems][:1] == ["E020"]


def test_a_rule_that_does_not_exist_is_an_error() -> None:
    for options in ({"select": ["NOPE"]}, {"ignore": ["untaged-base"]}, {"extend_select": ["NOPE"]}):
        with pytest.raises(ConfigError, match="no rule is named"):
            dfopt.lint(UNTAGGED, **options)  # type: ignore[arg-type]  # one mapping for all options
    with pytest.raises(ConfigError, match="did you mean 'untagged-base'"):
        dfopt.fix(UNTAGGED, select=["untaged-base"])


def test_rules_are_named_by_code_name_alias_or_letter() -> None:
    for word in ("B101", "untagged-base", "DL3006"):
        assert [finding.code for finding in dfopt.lint(UNTAGGED, select=[word])] == ["B101"]
    assert {finding.topic for finding in dfopt.lint(UNTAGGED, select=["B"])} == {"B"}
    assert "B101" not in [finding.code for finding in dfopt.lint(UNTAGGED, ignore=["DL3006"])]
