"""Rules are found at run time and chosen by code, name, alias, letter, profile and version."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dfopt.cli import main
from dfopt.config import DEFAULT
from dfopt.finding import Finding, Severity
from dfopt.lint.registry import Registry, RuleError, load
from dfopt.lint.rule import Build, Rule
from dfopt.lint.run import check_source
from dfopt.source import Source


class _Calm(Rule):
    """Calm."""

    code, name, aliases = "B101", "calm", ("DL3006",)


class _Strict(Rule):
    """Strict."""

    code, name, aliases, default = "B102", "strict-one", ("StageNameCasing",), False


class _Rare(Rule):
    """Rare."""

    code, name, default, strict, severity = "C101", "rare", False, False, Severity.STYLE


class _New(Rule):
    """New."""

    code, name, since = "C102", "newcomer", "99.10"


REGISTRY = Registry([_New(), _Rare(), _Strict(), _Calm()])


def names(rules: tuple[Rule, ...]) -> list[str]:
    return [rule.name for rule in rules]


@pytest.mark.parametrize(
    ("selector", "found"),
    [("B101", ["calm"]), ("b101", ["calm"]), ("calm", ["calm"]), ("DL3006", ["calm"]), ("dl3006", ["calm"]),
     ("B", ["calm", "strict-one"]), ("C10", ["rare", "newcomer"]), ("ALL", ["calm", "strict-one", "rare", "newcomer"]),
     ("B9", []), ("cal", []), ("", [])],
)  # fmt: skip
def test_rules_are_found_by(selector: str, found: list[str]) -> None:
    assert names(REGISTRY.find(selector)) == found


@pytest.mark.parametrize(
    ("profile", "found"),
    [("default", ["calm"]), ("strict", ["calm", "strict-one"]), ("all", ["calm", "strict-one", "rare"]),
     ("hadolint", ["calm"]), ("buildkit", ["strict-one"])],
)  # fmt: skip
def test_a_profile_is_a_set_of_rules(profile: str, found: list[str]) -> None:
    assert names(REGISTRY.select(profile)) == found


def test_select_replaces_extend_adds_ignore_takes_away() -> None:
    assert names(REGISTRY.select(select=["C"])) == ["rare"]
    assert names(REGISTRY.select(extend_select=["rare"])) == ["calm", "rare"]
    assert names(REGISTRY.select(extend_select=["C"], ignore=["C101"], preview=True)) == ["calm", "newcomer"]
    assert names(REGISTRY.select(select=[])) == []


def test_a_new_rule_is_a_preview_until_its_version_is_asked_for() -> None:
    assert names(REGISTRY.select()) == names(REGISTRY.select(as_of="99.9")) == ["calm"]
    assert names(REGISTRY.select(as_of="99.10")) == names(REGISTRY.select(as_of="99.10.0")) == ["calm", "newcomer"]
    assert names(REGISTRY.select(preview=True)) == ["calm", "newcomer"]
    assert names(REGISTRY.select("strict", preview=True)) == ["calm", "strict-one", "newcomer"]


@pytest.mark.parametrize("word", ["newcomer", "C102", "c102"])
def test_a_preview_runs_where_it_is_named_itself_but_not_by_its_letter(word: str) -> None:
    assert names(REGISTRY.select(extend_select=[word])) == ["calm", "newcomer"]
    assert names(REGISTRY.select(select=[word])) == ["newcomer"]
    assert "newcomer" not in names(REGISTRY.select(select=["C", "ALL"]))
    assert "newcomer" in names(REGISTRY.select(select=["ALL"], preview=True))


def test_a_run_over_a_file_obeys_the_version_of_its_configuration() -> None:
    class Newcomer(_New):
        """New."""

        def check(self, build: Build) -> Iterator[Finding]:
            yield self.finding(build.steps[0], "found")

    registry = Registry([Newcomer()])

    def found(**values: Any) -> list[str]:
        config = DEFAULT._replace(shellcheck=False, **values)
        return [one.code for one in check_source(Source("FROM scratch\n"), config, registry=registry).findings]

    assert found() == found(rules_as_of="0.1") == found(rules_as_of="0.1", profile="strict") == []
    assert found(preview=True) == found(rules_as_of="99.10") == found(extend_select=("newcomer",)) == ["C102"]


NEW_RULE = '''
from dfopt.lint.rule import Rule

class Newer(Rule):
    """A rule that is newer than this version."""
    code = "Z103"
    name = "newer"
    since = "99.0"
    def check(self, build):
        yield self.finding(build.steps[0], "ours")
'''


def test_the_command_line_leaves_previews_out_and_lists_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "newer.py").write_text(NEW_RULE)
    (tmp_path / "Dockerfile").write_text("FROM scratch\n")
    (tmp_path / "dfopt.toml").write_text('rule-paths = ["newer.py"]\nrules-as-of = "0.1"\nshellcheck = false\n')
    monkeypatch.chdir(tmp_path)

    def run(*words: str) -> str:
        main(list(words))
        return capsys.readouterr().out

    assert "Z103" not in run("lint")
    assert "Z103" in run("lint", "--preview")
    assert "Z103" in run("lint", "--rules-as-of", "99")
    (tmp_path / "dfopt.toml").write_text('rule-paths = ["newer.py"]\npreview = true\nshellcheck = false\n')
    assert "Z103" in run("lint")
    rows = {row["code"]: row for row in json.loads(run("rules", "--rule-path", "newer.py", "--format", "json"))}
    assert rows["Z103"]["preview"]
    assert not rows["B101"]["preview"]
    assert "default (preview)" in run("rules", "--rule-path", "newer.py", "newer")
    assert "newer" not in run("rules", "--rule-path", "newer.py", "--profile", "default").split()
    assert "newer" in run("rules", "--rule-path", "newer.py", "--profile", "default", "--preview").split()


def test_unknown_selectors_are_told_apart_from_letters_and_shellcheck() -> None:
    assert REGISTRY.unknown(["calm", "SC2086", "sc", "Q", "clam", "B9"]) == ["clam", "B9"]
    with pytest.raises(RuleError, match="unknown profile"):
        REGISTRY.select("calmest")


PLUGIN = '''
from dfopt.lint.rule import Rule

class Own(Rule):
    """A rule of our own."""
    code = "Z101"
    name = "own"
    def check(self, build):
        for step in build.steps:
            yield self.finding(step, "ours")
'''


def test_rules_come_from_paths(tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text(PLUGIN)
    for path in (tmp_path, tmp_path / "own.py"):
        registry = load((str(path),))
        own = registry.get("own")
        assert own is not None
        found = check_source(Source("FROM scratch\n"), registry=registry)
        assert "Z101" in [one.code for one in found.findings]


def test_rules_come_from_installed_packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "own_rules_of_a_package.py").write_text(PLUGIN.replace("Z101", "Z102").replace('"own"', '"packaged"'))
    info = tmp_path / "own_rules-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: own-rules\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[dfopt.rules]\nown = own_rules_of_a_package\n")
    monkeypatch.syspath_prepend(tmp_path)
    load.cache_clear()
    try:
        assert load(plugins=False).get("Z102") is None
        assert load(plugins=True).get("Z102") is not None
    finally:
        load.cache_clear()


@pytest.mark.parametrize(
    ("text", "reason"),
    [("import no_such_module_anywhere\n", "ModuleNotFoundError"), ("def broken(:\n", "SyntaxError"),
     (PLUGIN.replace("Z101", "B101"), "two rules have the code B101")],
)  # fmt: skip
def test_a_broken_plugin_says_what_is_wrong(tmp_path: Path, text: str, reason: str) -> None:
    (tmp_path / "broken.py").write_text(text)
    with pytest.raises(RuleError, match=reason):
        load((str(tmp_path / "broken.py"),))
    with pytest.raises(RuleError, match="no Python file"):
        load((str(tmp_path / "missing.py"),))
