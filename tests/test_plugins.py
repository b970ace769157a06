"""Rules of other people: the example plugin, versions that do not fit, rules that crash, and the check of examples."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dfopt.cli import main
from dfopt.finding import Finding
from dfopt.lint.registry import RuleError, load
from dfopt.lint.rule import Bad, Build, Example, Good, Rule
from dfopt.lint.testing import ExampleError, check_example, check_form, check_rule

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

PLUGIN = Path(__file__).parent.parent / "docs" / "plugin"
FILE = "FROM debian:12\nLABEL com.example.Team=infra\n"

RULE = '''
from dfopt.lint.rule import Rule

requires_dfopt = {requires}

class Own(Rule):
    """A rule of our own."""
    code = "Z201"
    name = "own"
    def check(self, build):
        yield self.finding(build.steps[0], {message})
'''


def run(*words: str, path: Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run a Python program that finds modules and packages' entry points in a folder too."""
    environment = {**os.environ, "PYTHONPATH": str(path)}
    return subprocess.run([sys.executable, *words], capture_output=True, text=True, cwd=cwd, env=environment)


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """Lay the example plugin down as an installer does: the package, and its entry points beside it."""
    site = tmp_path / "site"
    project = tomllib.loads((PLUGIN / "pyproject.toml").read_text())["project"]
    info = site / f"{project['name'].replace('-', '_')}-{project['version']}.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n")
    lines = []
    for group, points in project["entry-points"].items():
        lines += [f"[{group}]", *(f"{name} = {target}" for name, target in points.items())]
    (info / "entry_points.txt").write_text("\n".join(lines))
    (site / "dfopt_example_rules").symlink_to(PLUGIN / "src" / "dfopt_example_rules")
    return site


def test_the_example_plugin_lints_once_it_is_installed(installed: Path, tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text(FILE)
    words = ("-m", "dfopt", "lint", "--no-shellcheck", "--format", "json", "Dockerfile")
    with_plugins = run(*words, "--plugins", path=installed, cwd=tmp_path)
    codes = [one["code"] for one in json.loads(with_plugins.stdout)["files"][0]["findings"]]
    assert "Z101" in codes, with_plugins.stderr
    assert "Z101" not in run(*words, path=installed, cwd=tmp_path).stdout
    (tmp_path / "dfopt.toml").write_text('plugins = true\n[rules.own-label-case]\nprefix = "org."\n')
    assert "Z101" not in run(*words, path=installed, cwd=tmp_path).stdout
    explained = run("-m", "dfopt", "explain", "--plugins", "Z101", path=installed, cwd=tmp_path)
    assert "# Z101 own-label-case" in explained.stdout


def test_the_example_plugin_installs_with_pip(tmp_path: Path) -> None:
    pytest.importorskip("setuptools", minversion="70.1")  # from there on it makes wheels by itself
    pytest.importorskip("pip")
    source = tmp_path / "plugin"
    (source / "src" / "dfopt_example_rules").mkdir(parents=True)
    for file in ("pyproject.toml", "src/dfopt_example_rules/__init__.py", "src/dfopt_example_rules/labels.py"):
        (source / file).write_text((PLUGIN / file).read_text())
    site = tmp_path / "site"
    pip = ("-m", "pip", "install", "--quiet", "--no-index", "--no-deps", "--no-build-isolation")
    answer = run(*pip, "--target", str(site), str(source), path=tmp_path, cwd=tmp_path)
    assert answer.returncode == 0, answer.stderr
    (tmp_path / "Dockerfile").write_text(FILE)
    words = ("-m", "dfopt", "lint", "--no-shellcheck", "--plugins", "--select", "own-label-case", "Dockerfile")
    linted = run(*words, path=site, cwd=tmp_path)
    assert linted.stdout.startswith("Dockerfile:2:7: warning: ")
    assert linted.returncode == 1


def test_the_example_plugins_own_tests_pass(installed: Path, tmp_path: Path) -> None:
    answer = run("-m", "pytest", "-q", "-p", "no:cacheprovider", str(PLUGIN / "tests"), path=installed, cwd=tmp_path)
    assert answer.returncode == 0, answer.stdout
    assert "2 passed" in answer.stdout


def test_the_example_plugin_works_from_its_path(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "Dockerfile"
    file.write_text(FILE)
    words = ["--rule-path", str(PLUGIN / "src" / "dfopt_example_rules"), "--select", "Z101", "--no-config"]
    assert main(["lint", "--no-shellcheck", *words, str(file)]) == 1
    assert "[Z101 own-label-case]" in capsys.readouterr().out
    assert main(["lint", "--no-shellcheck", "--unsafe-fixes", *words, str(file)]) == 0
    assert file.read_text() == FILE.replace("Team", "team")


@pytest.mark.parametrize("wanted", [">=0.1", ">0.0.9,<99", "== 0.1.0", "!=7", "<=0.1"])
def test_a_plugin_for_this_version_is_loaded(tmp_path: Path, wanted: str) -> None:
    (tmp_path / "own.py").write_text(RULE.format(requires=repr(wanted), message="'ours'"))
    assert load((str(tmp_path / "own.py"),)).get("own") is not None


@pytest.mark.parametrize("wanted", [">=99", "<0.1", "==0.2", ">=0.1,<0.1.0"])
def test_a_plugin_for_another_version_is_refused_in_one_line(
    tmp_path: Path, wanted: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "own.py"
    path.write_text(RULE.format(requires=repr(wanted), message="'ours'"))
    (tmp_path / "Dockerfile").write_text(FILE)
    assert main(["lint", "--no-config", "--rule-path", str(path), str(tmp_path)]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith(f"dfopt: {path} needs dfopt {wanted}, and this is dfopt ")
    assert len(said.err.splitlines()) == 1


@pytest.mark.parametrize("wanted", ["'new'", "'>=0.x'", "1", "'~=1'"])
def test_a_requirement_that_cannot_be_read_is_refused(tmp_path: Path, wanted: str) -> None:
    (tmp_path / "own.py").write_text(RULE.format(requires=wanted, message="'ours'"))
    with pytest.raises(RuleError, match="requires_dfopt is"):
        load((str(tmp_path / "own.py"),))


def test_a_crashing_rule_is_one_finding_and_its_traceback_is_shown_on_demand(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "own.py"
    path.write_text(RULE.format(requires="''", message="self.no_such_thing"))
    (tmp_path / "Dockerfile").write_text("FROM debian\n")
    words = ["lint", "--no-config", "--no-shellcheck", "--rule-path", str(path), "--select", "own,untagged-base"]
    assert main([*words, str(tmp_path)]) == 3
    said = capsys.readouterr()
    assert said.out.count("E900") == 1
    assert "rule own failed: AttributeError" in said.out
    assert "B101" in said.out, "the other rules still run"
    assert "Traceback" not in said.out + said.err
    assert main([*words, "--verbose", str(tmp_path)]) == 3
    assert "Traceback" in capsys.readouterr().err


class Loud(Rule):
    """Every base image is reported.

    Fix safety: safe, it says.
    """

    code, name = "Z301", "loud"
    examples: tuple[Good | Bad, ...] = (Good("RUN x\n"), Bad("FROM a:1\n", at="FROM a:1"))

    def check(self, build: Build) -> Iterator[Finding]:
        """Report it."""
        for stage in build.graph.stages:
            yield self.finding(stage.from_.span, "a base image")


def test_a_rule_that_keeps_its_examples_passes() -> None:
    check_rule(Loud)
    check_rule(Loud())


@pytest.mark.parametrize(
    ("example", "reason"),
    [
        (Good("FROM a:1\n", why="it is silent"), "reports 'a base image' at 'FROM a:1'; it is silent"),
        (Bad("ARG A\n", at="ARG A"), "gives 0 findings, not 1"),
        (Bad("FROM a:1\nFROM b:1\n", at="FROM a:1"), "gives 2 findings, not 1"),
        (Bad("FROM a:1\n", at="a:1"), "reports at .'FROM a:1'., not at 'a:1'"),
        (Bad("FROM a:1\n", at="b"), "the text has no 'b'"),
        (Bad("FROM a:1\n", at="FROM a:1", fixed="FROM scratch\n"), "the findings have no fix"),
    ],
)
def test_an_example_that_does_not_hold_says_so(example: Example, reason: str) -> None:
    with pytest.raises(ExampleError, match=reason):
        check_example(Loud(), example)


class Fixing(Loud):
    """Every base image is replaced.

    Fix safety: safe, it says.
    """

    code, name = "Z302", "fixing"

    def check(self, build: Build) -> Iterator[Finding]:
        """Replace it by another one."""
        from dfopt.edit import Edit

        for stage in build.graph.stages:
            if stage.from_.image.text != "b:1":
                yield self.finding(
                    stage.from_.span, "not b", fix=self.safe("Take b", Edit(stage.from_.image.span, "b:1"))
                )


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({}, "the example does not say what comes out"),
        ({"fixed": "FROM c:1\n"}, "the fix gives"),
        ({"fixed": "FROM b:1\n", "unsafe": True}, "the fixes are safe, the example says unsafe"),
        ({"fixed": "FROM b:1\n"}, "called safe, but the result differs"),
    ],
)
def test_a_fix_that_does_not_hold_says_so(more: dict[str, Any], reason: str) -> None:
    with pytest.raises(ExampleError, match=reason):
        check_example(Fixing(), Bad("FROM a:1\n", at="FROM a:1", **more))


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"code": "LOUD"}, "no letter and three digits"),
        ({"name": "Loud One"}, "not in lower case"),
        ({"__doc__": "no sentence"}, "no sentence"),
        ({"examples": Loud.examples[1:]}, "no Good example"),
        ({"examples": Loud.examples[:1]}, "no Bad example"),
        ({"__doc__": "A rule.", "examples": (Good(""), Bad("a", at="a", fixed=""))}, "says how safe the fix is"),
    ],
)
def test_a_rule_that_lacks_something_says_so(changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(ExampleError, match=reason):
        check_form(type("Changed", (Loud,), {"__doc__": Loud.__doc__, **changes})())
