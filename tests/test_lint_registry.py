"""Rules are found at run time and chosen by code, name, alias, letter, profile and version."""

from __future__ import annotations

from pathlib import Path

import pytest

from dfopt.finding import Severity
from dfopt.lint.registry import Registry, RuleError, load
from dfopt.lint.rule import Rule
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

    code, name, since = "C102", "newcomer", "0.10"


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
    [("default", ["calm", "newcomer"]), ("strict", ["calm", "strict-one", "newcomer"]),
     ("all", ["calm", "strict-one", "rare", "newcomer"]), ("hadolint", ["calm"]), ("buildkit", ["strict-one"])],
)  # fmt: skip
def test_a_profile_is_a_set_of_rules(profile: str, found: list[str]) -> None:
    assert names(REGISTRY.select(profile)) == found


def test_select_replaces_extend_adds_ignore_takes_away() -> None:
    assert names(REGISTRY.select(select=["C"])) == ["rare", "newcomer"]
    assert names(REGISTRY.select(extend_select=["rare"])) == ["calm", "rare", "newcomer"]
    assert names(REGISTRY.select(extend_select=["C"], ignore=["C102"])) == ["calm", "rare"]
    assert names(REGISTRY.select(select=[])) == []


def test_a_new_rule_stays_out_of_older_rule_sets_unless_named() -> None:
    assert names(REGISTRY.select(as_of="0.9")) == ["calm"]
    assert names(REGISTRY.select(as_of="0.10")) == ["calm", "newcomer"]
    assert names(REGISTRY.select(as_of="0.9", extend_select=["newcomer"])) == ["calm", "newcomer"]


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
