"""What a change makes the next build repeat: the command line, times from logs, changes from git."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from dfopt.cli import main
from dfopt.context.changes import GitError, git_changes
from dfopt.graph import build
from dfopt.predict.buildlog import durations, read_log, step_names
from dfopt.predict.rebuilds import expected_seconds, explain_cache
from dfopt.report.cache import seconds_text
from dfopt.syntax import parse

TEXT = """\
FROM debian AS build
ARG WAIT=1
COPY src /src
RUN make
FROM debian AS unused
RUN sleep 100
FROM debian AS web
COPY web /web
RUN npm ci
FROM debian
COPY --from=build /out /out
COPY --from=web /dist /dist
RUN ldconfig
"""
LOG = """\
#0 building with "default" instance using docker driver
#5 [build 2/3] COPY src /src
#5 DONE 0.4s
#6 [web 2/3] COPY web /web
#6 CACHED
#7 [build 3/3] RUN make
#7 3.221 compiled
#7 DONE 30.5s
#8 [web 3/3] RUN npm ci
#8 DONE 12.0s
#9 [stage-3 4/4] RUN ldconfig
#9 DONE 1.5s
#10 exporting to image
#10 DONE 2.5s
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "Dockerfile").write_text(TEXT)
    (tmp_path / ".dockerignore").write_text("*.md\n")
    for name in ("src/app.c", "web/package.json", "README.md"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("1\n")
    return tmp_path


def run(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    code = main(["explain-cache", *words])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def statuses(capsys: pytest.CaptureFixture[str], project: Path, *words: str) -> tuple[dict[int, str], dict[str, Any]]:
    code, out, _ = run(capsys, str(project / "Dockerfile"), "--format", "json", *words)
    assert code == 0
    found: dict[str, Any] = json.loads(out)
    return {step["line"]: step["status"] for stage in found["stages"] for step in stage["steps"]}, found


def test_a_changed_file_repeats_what_reads_it_and_all_that_follows(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines, found = statuses(capsys, project, "--context", str(project), "--changed", "src/app.c")
    assert lines == {3: "rebuilt", 4: "rebuilt", 8: "cached", 9: "cached",
                     11: "if-changed", 12: "if-changed", 13: "if-changed"}  # fmt: skip
    assert found["stages"][0]["reason"] == "src/app.c of the build context changed"
    assert found["stages"][1]["built"] is False
    assert found["stages"][2]["first"] is None


def test_a_path_may_be_written_from_the_current_folder_and_a_folder_means_its_files(
    project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(project.parent)
    lines, _ = statuses(capsys, project, "--context", str(project), "--changed", f"{project.name}/web/package.json")
    assert (lines[3], lines[8], lines[9]) == ("cached", "rebuilt", "rebuilt")
    _, found = statuses(capsys, project, "--context", str(project), "--changed", "web")
    assert found["stages"][2]["reason"] == "web/package.json of the build context changed"


def test_files_that_are_ignored_or_read_by_nothing_repeat_nothing(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines, found = statuses(capsys, project, "--context", str(project), "--changed", "README.md", "gone.md", "x.c")
    assert set(lines.values()) == {"cached"}
    assert found["unused_paths"] == ["x.c"]
    assert [note for note in found["notes"] if "left out" in note] == [
        "README.md is left out by .dockerignore",
        "gone.md is left out by .dockerignore",
    ]
    code, out, _ = run(capsys, str(project / "Dockerfile"), "--context", str(project), "--changed", "README.md")
    assert code == 0
    assert "The whole build comes from the cache" in out


def test_arguments_bases_and_old_files_are_changes_too(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for words in (["--changed-build-arg", "WAIT=2"], ["--build-arg", "WAIT=2"]):
        lines, found = statuses(capsys, project, *words)
        assert (lines[3], lines[4], lines[8]) == ("cached", "rebuilt", "cached")
        assert "WAIT" in found["stages"][0]["reason"]
    lines, _ = statuses(capsys, project, "--base-digest", "debian")
    assert set(lines.values()) == {"rebuilt"}
    lines, _ = statuses(capsys, project, "--base-digest")
    assert set(lines.values()) == {"rebuilt"}
    _, found = statuses(capsys, project, "--base-digest", "alpine")
    assert found["notes"] == ["no stage begins with alpine"]
    old = project / "old"
    old.write_text(TEXT.replace("npm ci", "npm install"))
    lines, found = statuses(capsys, project, "--against", str(old))
    assert [line for line, status in lines.items() if status == "rebuilt"] == [9]


def test_the_argument_of_both_builds_is_no_change_beside_another(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines, _ = statuses(capsys, project, "--build-arg", "WAIT=2", "--changed", "web/package.json")
    assert (lines[4], lines[8]) == ("cached", "rebuilt")


def test_wrong_usage_and_missing_files_are_told(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = str(project / "Dockerfile")
    assert run(capsys, file)[0] == 2
    assert run(capsys, file, "--changed", "a", "--target", "nothing")[0] == 2
    assert run(capsys, file, "--against", "HEAD~1:nothing")[0] == 3
    assert run(capsys, str(project / "no"), "--changed", "a")[0] == 3
    (project / "log").write_text("Step 1/3 : FROM x\n")
    code, _, err = run(capsys, file, "--changed", "a", "--timings", str(project / "log"))
    assert code == 3
    assert "--progress=plain" in err


def test_a_log_gives_real_seconds() -> None:
    graph = build(parse(TEXT), images=lambda name: None)
    log = read_log(LOG)
    seconds = {graph.tree.source.line_of(step.span.start): durations(log, graph).get(step.id) for step in graph.steps}
    assert {line: value for line, value in seconds.items() if value is not None} == {3: 0.4, 4: 30.5, 9: 12.0, 13: 1.5}
    assert log.export_seconds == 2.5


def test_a_log_with_variables_written_out_is_matched_by_number() -> None:
    graph = build(parse("FROM a\nENV V=1\nRUN sleep $V\nRUN b\n"), images=lambda name: None)
    found = durations(read_log("#4 [2/3] RUN sleep 1\n#4 DONE 1.2s\n#5 [3/3] COPY x y\n#5 DONE 9.9s\n"), graph)
    assert list(found.values()) == [1.2]


def test_stages_run_side_by_side_on_the_critical_path() -> None:
    graph = build(parse(TEXT), images=lambda name: None)
    report = explain_cache(graph, images=["debian"], log=read_log(LOG))
    lines = [step.line for step in report.critical_path]
    assert lines == [3, 4, 11, 12, 13]
    copies = 2 * 0.1
    assert report.seconds == pytest.approx(0.4 + 30.5 + copies + 1.5)
    assert report.work_seconds == pytest.approx(report.seconds + 0.1 + 12.0)
    assert report.least_seconds == report.seconds


def test_what_may_stay_equal_gives_a_least_time() -> None:
    graph = build(parse(TEXT), images=lambda name: None)
    report = explain_cache(graph, paths=["src/app.c"], log=read_log(LOG))
    assert report.least_seconds == pytest.approx(30.9)
    assert report.seconds > 32
    assert report.cached_seconds == pytest.approx(0.1 + 12.0)


def test_a_linked_copy_stays_cached_in_one_image_store_only() -> None:
    graph = build(parse("FROM a\nRUN x\nCOPY --link f /f\nCOPY g /g\n"), images=lambda name: None)
    for store, status in (("overlay2", "rebuilt"), ("containerd", "cached")):
        report = explain_cache(graph, images=["a"], store=store)  # type: ignore[arg-type]  # a literal in a loop
        assert report.stages[0].steps[1].status == status


def test_names_of_steps_are_those_of_the_builder() -> None:
    graph = build(parse(TEXT), images=lambda name: None)
    names = step_names(graph)
    assert [names.label(step) for step in graph.stages[3].steps if step.id in names.places] == [
        "[stage-3 2/4]", "[stage-3 3/4]", "[stage-3 4/4]",
    ]  # fmt: skip


def test_unknown_commands_have_a_time_as_well() -> None:
    graph = build(parse("FROM a\nRUN ./unknown && apt-get install -y curl\nRUN true\n"), images=lambda name: None)
    first, second = (expected_seconds(step) for step in graph.steps if step.keyword == "RUN")
    assert first > 5 > second > 0


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.04, "0.0 s"), (9.9, "9.9 s"), (9.97, "10 s"), (80, "1 min 20 s"), (3900, "1 h 5 min")]
)
def test_durations_are_short(seconds: float, text: str) -> None:
    assert seconds_text(seconds) == text


# ---------------------------------------------------------------------- git


def git(folder: Path, *words: str) -> None:
    settings = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
    command = ["git", "-C", str(folder), "-c", "user.name=a", "-c", "user.email=a@example.com", *words]
    subprocess.run(command, check=True, capture_output=True, env={**os.environ, **settings})


@pytest.fixture
def repository(project: Path) -> Path:
    git(project, "init", "-q")
    git(project, "add", ".")
    git(project, "commit", "-qm", "one")
    return project


def test_git_tells_changes_between_revisions_and_of_the_disk(repository: Path) -> None:
    file = str(repository / "Dockerfile")
    (repository / "src" / "app.c").write_text("2\n")
    (repository / "README.md").write_text("2\n")
    (repository / "new.c").write_text("new\n")
    found = git_changes(str(repository), "HEAD", file)
    assert found.paths == ("new.c", "src/app.c")
    assert found.ignored == ("README.md",)
    git(repository, "add", "src")
    git(repository, "commit", "-qm", "two")
    assert git_changes(str(repository), "HEAD~1..HEAD", file).paths == ("src/app.c",)
    assert git_changes(str(repository), "HEAD..HEAD~1", file).paths == ("src/app.c",)
    os.utime(repository / "src" / "app.c", (1, 1))
    assert "src/app.c" not in git_changes(str(repository), "HEAD", file).paths


def test_git_tells_modes_renames_and_removals(repository: Path) -> None:
    (repository / "web" / "package.json").chmod(0o755)
    (repository / "src" / "app.c").rename(repository / "src" / "main.c")
    found = git_changes(str(repository), "HEAD", str(repository / "Dockerfile"))
    assert found.paths == ("src/app.c", "src/main.c", "web/package.json")


def test_a_changed_ignore_file_counts_by_what_it_hides(repository: Path) -> None:
    (repository / ".dockerignore").write_text("web\n")
    found = git_changes(str(repository), "HEAD", str(repository / "Dockerfile"))
    assert found.paths == (".dockerignore", "README.md", "web/package.json")


def test_the_command_takes_the_dockerfile_of_the_revision(
    repository: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (repository / "Dockerfile").write_text(TEXT.replace("npm ci", "npm install"))
    monkeypatch.chdir(repository)
    code, out, _ = run(capsys, "--git", "HEAD", "--format", "json")
    assert code == 0
    steps = {step["line"]: step for stage in json.loads(out)["stages"] for step in stage["steps"]}
    assert steps[9]["status"] == "rebuilt"
    assert steps[9]["reason"] == "its command is another"
    assert steps[4]["status"] == "cached"
    lines, _ = statuses(capsys, repository, "--against", "HEAD:Dockerfile")
    assert [line for line, status in lines.items() if status == "rebuilt"] == [9]


def test_what_git_does_not_know_is_an_error(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    with pytest.raises(GitError):
        git_changes(str(repository), "nothing..HEAD", str(repository / "Dockerfile"))
    with pytest.raises(GitError, match="no revision"):
        git_changes(str(repository), "--output=x", str(repository / "Dockerfile"))
    outside = tmp_path_factory.mktemp("outside")
    with pytest.raises(GitError):
        git_changes(str(outside), "HEAD", str(outside / "Dockerfile"))
