"""Configuration files, environment and command line: what holds, where it comes from, what is said when it is wrong."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import jsonschema
import pytest

from dfopt.cli import main
from dfopt.config import (
    DEFAULT,
    KEYS,
    ConfigError,
    Configurations,
    environment_config,
    find_config,
    load_config,
    schema,
)
from dfopt.finding import Severity


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / ".git").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


FULL = """
profile = "strict"
select = ["B", "untagged-base"]
extend-select = ["DL3008"]
ignore = ["E051"]
rules-as-of = "0.1"
preview = true
exclude = ["vendor"]
fail-on = "never"
inline-ignores = false
require-reason = true
shellcheck = false
plugins = true
rule-paths = ["rules"]
baseline = "known.json"
target = "app"
platform = "linux/arm64"

[severity]
B101 = "error"

[rules.untagged-base]
option = 1

[per-path."tests/*"]
ignore = ["B101"]

[build-args]
VERSION = "1"
"""


def test_every_key_is_read(folder: Path) -> None:
    (folder / "dfopt.toml").write_text(FULL)
    config = load_config("dfopt.toml")
    assert config.select == ("B", "untagged-base")
    assert config.fail_on is None
    assert config.severity == {"B101": Severity.ERROR}
    assert config.per_path[0].ignore == ("B101",)
    assert config.rule_paths == (str(folder / "rules"),)
    unset = [key.name for key in KEYS if getattr(config, key.field) == getattr(DEFAULT, key.field)]
    assert unset == []
    assert config.origins["select"] == "dfopt.toml:3"
    assert config.origins["rules.untagged-base"] == "dfopt.toml:22"


def test_the_schema_accepts_what_is_read_and_nothing_else(folder: Path) -> None:
    tomllib = pytest.importorskip("tomllib" if sys.version_info >= (3, 11) else "tomli")
    table = tomllib.loads(FULL)
    jsonschema.Draft7Validator.check_schema(schema())
    jsonschema.validate(table, schema())
    for wrong in ({"profil": "strict"}, {"profile": "none"}, {"select": "B"}, {"severity": {"B101": "fatal"}}):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(wrong, schema())


def test_pyproject_counts_only_with_our_section(folder: Path) -> None:
    (folder / "pyproject.toml").write_text('[project]\nname = "x"\n')
    assert find_config(".") is None
    (folder / "pyproject.toml").write_text('[project]\nname = "x"\n\n[tool.dfopt]\nprofile = "all"\n')
    found = find_config(".")
    assert found is not None
    config = load_config(found)
    assert config.profile == "all"
    assert config.origins["profile"] == "pyproject.toml:5"


def test_the_nearest_file_wins_and_the_search_ends_with_the_repository(folder: Path) -> None:
    inner = folder / "a" / "b"
    inner.mkdir(parents=True)
    (folder / "dfopt.toml").write_text('profile = "all"\n')
    assert find_config(str(inner)) == str(folder / "dfopt.toml")
    (folder / "a" / "dfopt.toml").write_text('profile = "strict"\n')
    assert find_config(str(inner)) == str(folder / "a" / "dfopt.toml")
    (inner / ".git").mkdir()
    assert find_config(str(inner)) is None


def test_extend_builds_on_another_file(folder: Path) -> None:
    (folder / "base.toml").write_text('profile = "strict"\nignore = ["B101"]\n[build-args]\nA = "1"\nB = "1"\n')
    (folder / "dfopt.toml").write_text('extend = "base.toml"\nignore = ["B102"]\n[build-args]\nB = "2"\n')
    config = load_config("dfopt.toml")
    assert config.profile == "strict"
    assert config.ignore == ("B101", "B102")
    assert config.build_args == {"A": "1", "B": "2"}
    assert config.origins["profile"] == "base.toml:1"


WRONG = {
    "an unknown key": ("profile = 'all'\nprofil = 'all'\n", "dfopt.toml:2: key 'profil': ", "'profile'"),
    "a wrong type": ("\n\nselect = 'B'\n", "dfopt.toml:3: key 'select': ", "a list of texts"),
    "a wrong word": ("fail-on = 'fatal'\n", "dfopt.toml:1: key 'fail-on': ", "error, warning, info, style"),
    "a wrong profile": ("profile = 'none'\n", "dfopt.toml:1: key 'profile': ", "strict"),
    "a wrong severity": ("[severity]\nB101 = 'x'\n", "dfopt.toml:1: key 'severity': ", "unknown severity 'x'"),
    "no TOML": ("a = 1\nselect = [\n", "dfopt.toml:", "is no valid TOML"),
    "a missing base": ("extend = 'gone.toml'\n", "dfopt.toml:1: key 'extend': ", "gone.toml"),
    "a circle": ("extend = 'dfopt.toml'\n", "dfopt.toml", "circle"),
    "a wrong path table": ("[per-path.x]\nselect = []\n", "dfopt.toml:1: key 'per-path': ", "unknown key 'select'"),
    "an unknown rule": ("# first\nignore = ['untaged-base']\n", "dfopt.toml:2: ", "'untagged-base'"),
    "a rule's unknown option": ("[rules.untagged-base]\nspeed = 1\n", "dfopt.toml:1: ", "no option 'speed'"),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_configuration_names_file_line_and_key_and_gives_2(
    folder: Path, capsys: pytest.CaptureFixture[str], case: str
) -> None:
    text, place, reason = WRONG[case]
    (folder / "dfopt.toml").write_text(text)
    (folder / "Dockerfile").write_text("FROM debian\n")
    assert main(["lint", "Dockerfile", "--no-shellcheck"]) == 2
    out = capsys.readouterr()
    assert out.out == ""
    assert place in out.err
    assert reason in out.err
    assert out.err.count("\n") == 1


def test_hadolints_configuration_is_read(folder: Path) -> None:
    pytest.importorskip("yaml")
    (folder / ".hadolint.yaml").write_text(
        "# ours\nfailure-threshold: error\nignored:\n  - DL3006\n  - SC2086\noverride:\n  error: [DL3007]\n"
        "  style:\n    - DL3007\n    - DL3015\ntrustedRegistries: [docker.io]\nunknown-key: 1\n"
        "disable-ignore-pragma: true\n"
    )
    found = find_config(".")
    assert found is not None
    config = load_config(found)
    assert config.ignore == ("DL3006", "SC2086")
    assert config.fail_on is Severity.ERROR
    assert config.severity == {"DL3007": Severity.ERROR, "DL3015": Severity.STYLE}
    assert config.rules == {"DL3026": {"trusted-registries": ["docker.io"]}}
    assert config.inline_ignores is False


def test_hadolints_configuration_holds_for_a_run(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("yaml")
    (folder / "Dockerfile").write_text("FROM debian\n")
    words = ["lint", "Dockerfile", "--no-shellcheck", "--select", "B101"]
    assert main(words) == 1
    (folder / ".hadolint.yaml").write_text("ignored: [DL3006, DL9999]\n")
    assert main(words) == 0
    (folder / ".hadolint.yaml").write_text("ignored: [DL3006\n")
    capsys.readouterr()
    assert main(words) == 2
    assert ".hadolint.yaml:2:1: is no valid YAML" in capsys.readouterr().err


def test_variables_go_before_files_and_options_before_variables(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "dfopt.toml").write_text('profile = "strict"\nfail-on = "info"\nplatform = "linux/arm64"\n')
    monkeypatch.setenv("DFOPT_PROFILE", "all")
    monkeypatch.setenv("DFOPT_FAIL_ON", "style")
    assert main(["config", "--format", "json", "--fail-on", "error"]) == 0
    keys = json.loads(capsys.readouterr().out)["keys"]
    assert keys["platform"] == {"value": "linux/arm64", "from": "dfopt.toml:3"}
    assert keys["profile"] == {"value": "all", "from": "variable DFOPT_PROFILE"}
    assert keys["fail-on"] == {"value": "error", "from": "option --fail-on"}
    assert keys["target"] == {"value": None, "from": "default"}


def test_variables_are_checked_like_files() -> None:
    config = environment_config(
        {"DFOPT_IGNORE": "B101, DL3006", "DFOPT_SHELLCHECK": "0", "DFOPT_BUILD_ARGS": "A=1,B=x=y"}
    )
    assert config.ignore == ("B101", "DL3006")
    assert config.shellcheck is False
    assert config.build_args == {"A": "1", "B": "x=y"}
    with pytest.raises(ConfigError, match="variable DFOPT_SHELLCHECK: must be true or false"):
        environment_config({"DFOPT_SHELLCHECK": "perhaps"})


def test_no_config_means_no_file_and_no_variable(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "dfopt.toml").write_text('profile = "strict"\n')
    monkeypatch.setenv("DFOPT_PROFILE", "all")
    assert Configurations({}, {}, isolated=True).of(str(folder)) == DEFAULT
    assert Configurations({}, {}).of(str(folder)).profile == "all"


def test_rules_for_paths_and_other_severities_hold(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "dfopt.toml").write_text(
        'select = ["B101"]\n[severity]\nDL3006 = "style"\n[per-path."tests/*"]\nignore = ["untagged-base"]\n'
    )
    (folder / "tests").mkdir()
    for name in ("Dockerfile", "tests/Dockerfile"):
        (folder / name).write_text("FROM debian\n")
    assert main(["lint", "--no-shellcheck"]) == 0
    out = capsys.readouterr().out
    assert out.count("\n") == 1
    assert out.startswith("Dockerfile:1:6: style: ")


def test_each_file_has_the_configuration_of_its_folder(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name, text in {"a": 'select = ["B101"]\n', "b": "select = []\n"}.items():
        (folder / name).mkdir()
        (folder / name / "dfopt.toml").write_text(text)
        (folder / name / "Dockerfile").write_text("FROM debian\n")
    assert main(["lint", "--no-shellcheck"]) == 1
    assert capsys.readouterr().out.startswith("a/Dockerfile:1:6: ")


def test_config_shows_toml_that_can_be_used_again(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "dfopt.toml").write_text(FULL.replace("[rules.untagged-base]\noption = 1\n", ""))
    (folder / "rules").mkdir()
    assert main(["config", "--plugins"]) == 0
    shown = capsys.readouterr().out
    before = load_config("dfopt.toml")
    (folder / "again.toml").write_text(shown)
    after = load_config("again.toml")
    assert [key.name for key in KEYS if getattr(before, key.field) != getattr(after, key.field)] == []
    assert main(["config", "--schema"]) == 0
    json.loads(capsys.readouterr().out)
