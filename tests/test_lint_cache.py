"""The cache of results: what it keeps, when it does not hold, and that it never stands in the way."""

import json
import os
import sys
from pathlib import Path

import pytest

from dfopt.cli import main
from dfopt.config import DEFAULT, Config
from dfopt.finding import Finding, Severity
from dfopt.lint import run
from dfopt.lint.cache import ResultCache, result_cache
from dfopt.source import Source, Span

TEXT = "FROM debian\nRUN cd /opt\n"
FOUND = [Finding("B101", "some-rule", Severity.WARNING, "a message", Span(5, 11))]


@pytest.fixture
def cache(tmp_path: Path) -> ResultCache:
    return ResultCache(str(tmp_path / "cache"), "one")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a folder with a Dockerfile, and a user's cache folder of its own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "user"))
    monkeypatch.delenv("DFOPT_CACHE", raising=False)
    project = tmp_path / "project"
    project.mkdir()
    (project / "Dockerfile").write_text(TEXT, encoding="utf-8")
    return project


def lint(capsys: pytest.CaptureFixture[str], *words: str) -> list[str]:
    main(["lint", "--no-shellcheck", "--no-config", "--format=jsonl", *words])
    return [json.loads(line)["code"] for line in capsys.readouterr().out.splitlines()]


def graphs_built(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    built: list[str] = []
    real = run.build_graph

    def counted(source: Source, config: Config = DEFAULT) -> object:
        built.append(source.name)
        return real(source, config)

    monkeypatch.setattr(run, "build_graph", counted)
    return built


def test_a_result_comes_back_as_it_was(cache: ResultCache) -> None:
    source = Source(TEXT, "Dockerfile")
    assert cache.get(source, DEFAULT) is None
    cache.put(source, DEFAULT, FOUND, ((FOUND[0], "a reason"),))
    found = cache.get(source, DEFAULT)
    assert found is not None
    assert found.findings == FOUND
    assert found.suppressed == [(FOUND[0], "a reason")]


def test_another_text_name_configuration_or_program_is_another_result(cache: ResultCache) -> None:
    cache.put(Source(TEXT, "Dockerfile"), DEFAULT, FOUND, ())
    assert cache.get(Source(TEXT + "\n", "Dockerfile"), DEFAULT) is None
    assert cache.get(Source(TEXT, "other/Dockerfile"), DEFAULT) is None
    assert cache.get(Source(TEXT, "Dockerfile"), DEFAULT._replace(profile="strict")) is None
    assert cache.get(Source(TEXT, "Dockerfile"), DEFAULT._replace(build_args={"A": "1"})) is None
    assert ResultCache(cache.folder, "two").get(Source(TEXT, "Dockerfile"), DEFAULT) is None
    assert cache.get(Source(TEXT, "Dockerfile"), DEFAULT._replace(origins={"profile": "here"})) is not None


def test_a_broken_file_is_a_miss(cache: ResultCache) -> None:
    source = Source(TEXT, "Dockerfile")
    cache.put(source, DEFAULT, FOUND, ())
    (kept,) = (path for path in Path(cache.folder).rglob("*") if path.is_file())
    kept.write_bytes(kept.read_bytes()[:-3])
    assert cache.get(source, DEFAULT) is None


def test_a_message_with_undecodable_bytes_is_not_kept(cache: ResultCache) -> None:
    bad = [Finding("B101", "some-rule", Severity.WARNING, "\udcff", Span(0, 1))]
    cache.put(Source(TEXT, "Dockerfile"), DEFAULT, bad, ())
    assert cache.get(Source(TEXT, "Dockerfile"), DEFAULT) is None


def test_a_folder_that_cannot_be_written_does_no_harm(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("", encoding="utf-8")
    cache = ResultCache(str(blocked / "below"), "one")
    cache.put(Source(TEXT, "Dockerfile"), DEFAULT, FOUND, ())
    assert cache.get(Source(TEXT, "Dockerfile"), DEFAULT) is None


def test_the_identity_knows_the_shellcheck_in_use(tmp_path: Path) -> None:
    program = tmp_path / "shellcheck"
    program.write_text("1", encoding="utf-8")
    first = result_cache(str(program))
    program.write_text("22", encoding="utf-8")
    assert len({first, result_cache(str(program)), result_cache(None)}) == 3


def test_an_unchanged_file_is_not_checked_again(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    built = graphs_built(monkeypatch)
    path = folder / "Dockerfile"
    first = lint(capsys, str(path))
    assert first
    assert lint(capsys, str(path)) == first
    assert len(built) == 1
    path.write_text("FROM debian:12\n", encoding="utf-8")
    assert lint(capsys, str(path)) != first
    assert len(built) == 2


@pytest.mark.parametrize("option", ["--no-cache", "--select=B", "--context=."])
def test_what_changes_the_run_is_checked_anew(
    option: str, folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    lint(capsys, "Dockerfile")
    built = graphs_built(monkeypatch)
    lint(capsys, "Dockerfile", option)
    assert built == ["Dockerfile"]


def test_the_environment_can_turn_caches_off(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DFOPT_CACHE", "off")
    lint(capsys, str(folder / "Dockerfile"))
    assert not os.path.exists(os.environ["XDG_CACHE_HOME"])


@pytest.mark.skipif(sys.platform == "win32", reason="one fork")
def test_new_and_known_files_keep_their_order(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    names = [str(folder / f"{number:03}.Dockerfile") for number in range(60)]
    for name in names:
        Path(name).write_text(TEXT, encoding="utf-8")
    lint(capsys, *names[::3])
    main(["lint", "--no-shellcheck", "--no-config", "--format=jsonl", "--jobs=2", *names])
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert list(dict.fromkeys(row["path"] for row in rows)) == names
