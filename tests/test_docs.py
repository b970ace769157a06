"""What the guides say holds: their commands run, their configurations load, their comments silence."""

from __future__ import annotations

import re
import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

import dfopt
from dfopt.cli import main
from dfopt.config import load_config
from dfopt.lint.registry import load
from dfopt.lint.validation import check_config

DOCS = Path(__file__).parent.parent / "docs"
GUIDES = ("configuration", "suppressions", "profiles", "plugins")


def blocks(kind: str) -> Iterator[tuple[str, str]]:
    """Give the blocks of a kind in all guides, with the guide's name."""
    for name in GUIDES:
        text = (DOCS / f"{name}.md").read_text("utf-8")
        for block in re.findall(rf"^```{kind}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
            yield name, block


COMMANDS = [(name, line[2:]) for name, block in blocks("console") for line in block.splitlines()]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make the folder in which the guides' commands run."""
    (tmp_path / "Dockerfile").write_text("FROM debian as base\nMAINTAINER me\nLABEL com.example.Team=a\nCMD run\n")
    main(["lint", "--no-config", "--write-baseline", str(tmp_path / "dfopt-baseline.json"), str(tmp_path)])
    shutil.copytree(DOCS / "plugin", tmp_path / "plugin")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(("guide", "command"), COMMANDS, ids=[command for _, command in COMMANDS])
def test_a_command_runs(
    guide: str, command: str, project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    words = shlex.split(command)
    while "=" in words[0]:
        name, _, value = words.pop(0).partition("=")
        monkeypatch.setenv(name, value)
    assert words[0] == "dfopt"
    code = main([*words[1:], *(["--no-shellcheck"] if words[1] == "lint" else [])])
    said = capsys.readouterr()
    assert code in (0, 1), said.err
    assert said.out or said.err
    if "Z101" in words:
        assert "own-label-case" in said.out


def test_there_are_commands_in_every_guide() -> None:
    assert {name for name, _ in COMMANDS} == set(GUIDES)


TABLES = list(blocks("toml"))


@pytest.mark.parametrize(("guide", "text"), TABLES, ids=[f"{name}-{number}" for number, (name, _) in enumerate(TABLES)])
def test_a_configuration_loads(guide: str, text: str, project: Path) -> None:
    if "[project" in text:
        assert text in (DOCS / "plugin" / "pyproject.toml").read_text("utf-8")
        return
    path = project / ("pyproject.toml" if "[tool." in text else "dfopt.toml")
    path.write_text(text)
    config = load_config(str(path))
    check_config(config, load(config.rule_paths))
    assert config.origins


@pytest.mark.parametrize("text", [text for _, text in blocks("dockerfile")])
def test_the_comments_of_an_example_are_good_ones(text: str) -> None:
    bare = "\n".join(line for line in text.splitlines() if not line.startswith("#"))
    silent = {"untagged-base", "maintainer", "shell-form-cmd"}
    assert silent <= {one.name for one in dfopt.lint(bare)}
    left = {one.name for one in dfopt.lint(text)}
    assert not silent & left
    assert "malformed-ignore" not in left


@pytest.mark.parametrize("name", GUIDES)
def test_links_lead_somewhere(name: str) -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", (DOCS / f"{name}.md").read_text("utf-8")):
        assert (DOCS / target).exists(), target
