"""``dfopt lint`` as people run it: files and folders, exit codes, bad input, fixing."""

from __future__ import annotations

import io
import json
import os
import pickle
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from dfopt.cli import main
from dfopt.cli.worker import Job, Worker
from dfopt.config import Configurations

CLEAN = "FROM debian:12-slim@sha256:" + "0" * 64 + '\nUSER app\nCMD ["true"]\n'
UNTAGGED = "FROM debian\nUSER app\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give an empty current folder that no configuration reaches."""
    (tmp_path / ".git").mkdir()
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("DFOPT_")]:
        monkeypatch.delenv(name)
    return tmp_path


def lint(*words: str) -> int:
    return main(["lint", "--no-shellcheck", *words])


def codes(capsys: pytest.CaptureFixture[str]) -> list[str]:
    """Give the codes of a JSON report that was printed."""
    return [one["code"] for file in json.loads(capsys.readouterr().out)["files"] for one in file["findings"]]


def test_a_clean_file_gives_0(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "Dockerfile").write_text(CLEAN)
    assert lint("Dockerfile", "--select", "B101") == 0
    out = capsys.readouterr()
    assert out.out == ""
    assert "no findings" in out.err


def test_a_warning_gives_1_and_its_place(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "Dockerfile").write_text(UNTAGGED)
    assert lint("Dockerfile", "--select", "untagged-base") == 1
    assert capsys.readouterr().out.startswith("Dockerfile:1:6: warning: ")


@pytest.mark.parametrize(("level", "code"), [("error", 0), ("warning", 1), ("style", 1), ("never", 0)])
def test_fail_on_sets_the_level(folder: Path, level: str, code: int) -> None:
    (folder / "Dockerfile").write_text(UNTAGGED)
    assert lint("Dockerfile", "--select", "B101", "--fail-on", level) == code


def test_ignored_rules_are_silent(folder: Path) -> None:
    (folder / "Dockerfile").write_text(UNTAGGED)
    assert lint("Dockerfile", "--select", "B", "--ignore", "DL3006") == 0


def test_folders_are_searched(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wanted = ["Dockerfile", "Containerfile", "app/api.dockerfile", "app/Dockerfile.prod", "app/x.containerfile"]
    others = ["Dockerfile.dockerignore", ".git/Dockerfile", "node_modules/x/Dockerfile", ".venv/Dockerfile",
              "notes.txt", "Dockerfile.j2", "app/Dockerfile.prod~"]  # fmt: skip
    for name in (*wanted, *others):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(UNTAGGED)
    assert lint("--select", "B101", "--format", "json") == 1
    files = json.loads(capsys.readouterr().out)["files"]
    assert sorted(file["path"] for file in files) == sorted(wanted)


def test_a_file_named_twice_is_checked_once(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "Dockerfile").write_text(UNTAGGED)
    assert lint("Dockerfile", ".", "./Dockerfile", str(folder / "Dockerfile"), "--select", "B101") == 1
    assert capsys.readouterr().out.count("B101") == 1


def test_standard_input_is_read_and_named(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(UNTAGGED.encode())))
    assert lint("-", "--select", "B101", "--stdin-filename", "api/Dockerfile") == 1
    assert capsys.readouterr().out.startswith("api/Dockerfile:1:6: ")


BAD_INPUT = {
    "an empty file": (b"", 1, "E004"),
    "a file without FROM": (b"RUN make\n", 1, "E"),
    "an open here-document": (b"FROM scratch\nRUN <<EOF\nmake\n", 1, "E005"),
    "an unknown keyword": (b"FROM scratch\nRUNN make\n", 1, "E"),
    "a line of 1 MB": (b"FROM scratch\nRUN echo " + b"x" * 1_000_000 + b"\n", 1, "E003"),
    "a Latin-1 byte": (b"FROM scratch\nLABEL name=caf\xe9\n", 0, "E051"),
}


@pytest.mark.parametrize("case", BAD_INPUT)
def test_bad_text_is_a_finding_of_the_language(folder: Path, capsys: pytest.CaptureFixture[str], case: str) -> None:
    data, code, rule = BAD_INPUT[case]
    (folder / "Dockerfile").write_bytes(data)
    (folder / "other.dockerfile").write_text(UNTAGGED)
    assert lint("Dockerfile", "--select", "E", "--format", "json") == code
    found = codes(capsys)
    assert len(found) == 1, "one clear message"
    assert found[0].startswith(rule)
    assert lint("Dockerfile", "other.dockerfile", "--select", "B101", "--format", "json") == 1
    assert "B101" in codes(capsys), "the other file is still checked"


@pytest.mark.parametrize(
    "case", ["a missing file", "a binary file", "a file in UTF-16", "a folder without Dockerfile", "an unreadable file"]
)
def test_bad_files_are_said_once_and_the_others_are_checked(
    folder: Path, capsys: pytest.CaptureFixture[str], case: str
) -> None:
    bad = folder / "bad"
    if case == "a binary file":
        bad.write_bytes(b"\x7fELF\0\0\0")
    elif case == "a file in UTF-16":
        bad.write_text("FROM debian\n", "utf-16")
    elif case == "a folder without Dockerfile":
        bad.mkdir()
    elif case == "an unreadable file":
        bad.symlink_to(bad)
    (folder / "Dockerfile").write_text(UNTAGGED)
    expected = 2 if case == "a folder without Dockerfile" else 3
    assert lint("bad", "Dockerfile", "--select", "B101", "--quiet") == expected
    out = capsys.readouterr()
    assert out.err.count("\n") == 1
    assert out.err.startswith("dfopt: bad: ")
    assert "Dockerfile:1:6: warning" in out.out
    assert lint("bad", "--select", "B101") == expected


def test_a_folder_that_cannot_be_read_hides_no_other(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "locked").mkdir()
    (folder / "Dockerfile").write_text(UNTAGGED)
    search = os.scandir

    def refuse(path: str) -> object:  # root reads everything, so modes would not do
        if path.endswith("locked"):
            raise PermissionError(13, "Permission denied")
        return search(path)

    monkeypatch.setattr(os, "scandir", refuse)
    assert lint(".", "--select", "B101", "--quiet") == 3
    out = capsys.readouterr()
    assert out.err == "dfopt: locked: permission denied\n"
    assert "Dockerfile:1:6: warning" in out.out
    assert lint("locked") == 3


def test_usage_goes_before_input_and_input_before_findings(folder: Path) -> None:
    (folder / "empty").mkdir()
    (folder / "Dockerfile").write_text(UNTAGGED)
    assert lint("empty", "missing", "Dockerfile") == 2
    assert lint("missing", "Dockerfile") == 3
    assert lint("Dockerfile") == 1


@pytest.mark.parametrize(
    "words",
    [["--format", "yaml"], ["--fail-on", "fatal"], ["--select", "no-such-rule"], ["--config", "missing.toml"],
     ["--context", "missing"], ["--jobs", "0"], ["--no-such-option"], ["--build-arg", "=1"]],
    ids=" ".join,
)  # fmt: skip
def test_wrong_usage_gives_2_and_a_reason(folder: Path, capsys: pytest.CaptureFixture[str], words: list[str]) -> None:
    (folder / "Dockerfile").write_text(CLEAN)
    assert lint("Dockerfile", *words) == 2
    err = capsys.readouterr().err
    assert "dfopt" in err
    assert "Traceback" not in err


def test_unknown_commands_are_answered(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["lnt"]) == 2
    assert "'lint'" in capsys.readouterr().err
    (folder / "Dockerfile").write_text(CLEAN)
    assert main(["Dockerfile"]) == 2
    assert "dfopt lint Dockerfile" in capsys.readouterr().err
    assert main([]) == 2
    assert main(["--help"]) == 0
    assert main(["--version"]) == 0


def test_a_crashing_rule_is_one_finding_and_gives_3(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "crash.py").write_text(
        "from dfopt.lint.rule import Rule\n"
        "class Crash(Rule):\n"
        '    """Crashes."""\n'
        "    code = 'Z001'\n"
        "    name = 'crash'\n"
        "    def check(self, build):\n"
        "        yield self.finding(build.steps[0], 'before')\n"
        "        raise RuntimeError('out of order')\n"
    )
    (folder / "Dockerfile").write_text(UNTAGGED)
    words = ["Dockerfile", "--rule-path", "crash.py", "--select", "B101,Z001"]
    assert lint(*words) == 3
    out = capsys.readouterr()
    assert "rule crash failed: RuntimeError: out of order" in out.out
    assert "[B101 untagged-base]" in out.out
    assert "Traceback" not in out.err
    lint(*words, "--verbose")
    assert "Traceback" in capsys.readouterr().err


def test_source_and_caret_stand_below_a_finding(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "Dockerfile").write_text("FROM\tdebian\n")
    lint("Dockerfile", "--select", "B101", "--show-source")
    lines = capsys.readouterr().out.splitlines()
    assert lines[1:3] == ["  1 | FROM debian", "    |      ^~~~~~"]


def test_colours_are_for_terminals_or_on_demand(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "Dockerfile").write_text(UNTAGGED)
    lint("Dockerfile", "--select", "B101")
    assert "\x1b" not in capsys.readouterr().out
    lint("Dockerfile", "--select", "B101", "--color", "always")
    assert "\x1b[1;33mwarning:\x1b[0m" in capsys.readouterr().out


def test_long_lines_are_cut_around_the_finding(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "Dockerfile").write_text("FROM scratch\nRUN echo " + "x" * 1_000_000 + "\n")
    lint("Dockerfile", "--select", "E", "--show-source")
    assert max(map(len, capsys.readouterr().out.splitlines())) < 300


def test_several_processes_give_the_same_report(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for number in range(60):
        (folder / f"{number:02}.dockerfile").write_text(f"FROM debian\nRUN echo {number}\nBROKEN\n")
    assert lint("--select", "B101", "--jobs", "1") == 1
    one = capsys.readouterr()
    assert lint("--select", "B101", "--jobs", "2") == 1
    two = capsys.readouterr()
    assert one.out.count("B101") == 60
    assert (one.out, one.err) == (two.out, two.err)


def test_the_job_can_be_sent_to_processes_that_share_nothing(folder: Path) -> None:
    (folder / "dfopt.toml").write_text('ignore = ["B101"]\n')
    (folder / "Dockerfile").write_text(UNTAGGED)
    job = Job(Configurations({"select": ("B101",)}, {}), shellcheck=None)
    (report,) = Worker(pickle.loads(pickle.dumps(job))).run(["Dockerfile"])
    assert report.findings == []
    assert pickle.loads(pickle.dumps(report)).path == "Dockerfile"


def test_a_report_goes_into_a_file(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "Dockerfile").write_text(UNTAGGED)
    assert lint("Dockerfile", "--select", "B101", "--format", "json", "--output", "report.json") == 1
    assert capsys.readouterr().out == ""
    assert json.loads((folder / "report.json").read_text())["summary"]["warning"] == 1
    assert lint("Dockerfile", "--format", "json", "--output", "missing/report.json") == 3


def test_statistics_count_per_rule(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "Dockerfile").write_text("FROM debian AS a\nFROM alpine\n")
    assert lint("Dockerfile", "--select", "B101", "--statistics") == 1
    assert capsys.readouterr().out.split() == ["2", "B101", "untagged-base"]


FIXABLE = "# dfopt: ignore[untagged-base] once needed\nFROM debian:12\nUSER app\n"
FIXED = "FROM debian:12\nUSER app\n"
FIX = ("--select", "B101,F901", "--fix")


def test_fix_writes_the_file_and_keeps_its_mode(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = folder / "Dockerfile"
    file.write_text(FIXABLE)
    file.chmod(0o640)
    assert lint("Dockerfile", *FIX) == 0
    assert file.read_text() == FIXED
    assert stat.S_IMODE(file.stat().st_mode) == 0o640
    assert os.listdir(folder) == [".git", "Dockerfile"] or sorted(os.listdir(folder)) == [".git", "Dockerfile"]
    assert "1 finding fixed in 1 file" in capsys.readouterr().err


def test_fix_can_tell_that_it_changed_something(folder: Path) -> None:
    (folder / "Dockerfile").write_text(FIXABLE)
    assert lint("Dockerfile", *FIX, "--exit-non-zero-on-fix") == 1
    assert lint("Dockerfile", *FIX, "--exit-non-zero-on-fix") == 0


def test_fix_follows_links_and_keeps_them(folder: Path) -> None:
    (folder / "real").write_text(FIXABLE)
    (folder / "Dockerfile").symlink_to("real")
    lint("Dockerfile", *FIX)
    assert (folder / "Dockerfile").is_symlink()
    assert (folder / "real").read_text() == FIXED


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("\ufeff" + FIXABLE, "\ufeff" + FIXED),
        (FIXABLE.replace("\n", "\r\n"), FIXED.replace("\n", "\r\n")),
        (FIXABLE.rstrip("\n"), FIXED.rstrip("\n")),
        (FIXABLE + "LABEL a=caf\udce9\n", FIXED + "LABEL a=caf\udce9\n"),
    ],
    ids=["byte order mark", "CRLF", "no final newline", "not UTF-8"],
)
def test_fix_keeps_what_it_does_not_mean(folder: Path, before: str, after: str) -> None:
    file = folder / "Dockerfile"
    file.write_bytes(before.encode("utf-8", "surrogateescape"))
    lint("Dockerfile", *FIX)
    assert file.read_bytes() == after.encode("utf-8", "surrogateescape")


def test_diff_shows_and_writes_nothing(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "Dockerfile").write_text(FIXABLE)
    assert lint("Dockerfile", *FIX, "--diff") == 1
    assert "-# dfopt: ignore[untagged-base] once needed" in capsys.readouterr().out.splitlines()
    assert (folder / "Dockerfile").read_text() == FIXABLE


def test_fix_of_standard_input_prints_the_text(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(FIXABLE.encode())))
    assert lint("-", *FIX) == 0
    assert capfd.readouterr().out == FIXED


def test_add_ignores_silences_every_present_finding(folder: Path) -> None:
    file = folder / "Dockerfile"
    file.write_text("# syntax=docker/dockerfile:1\nFROM debian\n  RUN cd /tmp && \\\n    make\nFROM alpine\n")
    assert lint("Dockerfile") == 1
    lint("Dockerfile", "--add-ignores", "from before", "--quiet")
    text = file.read_text()
    assert text.startswith("# syntax=docker/dockerfile:1\n# dfopt: ignore[")
    assert "] from before\nFROM debian\n" in text
    assert lint("Dockerfile", "--fail-on", "style") == 0
    once = file.read_text()
    lint("Dockerfile", "--add-ignores", "from before")
    assert file.read_text() == once


def test_a_baseline_hides_old_findings_only(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = folder / "Dockerfile"
    file.write_text(UNTAGGED)
    assert lint("Dockerfile", "--select", "B101", "--write-baseline", "known.json") == 0
    assert lint("Dockerfile", "--select", "B101", "--baseline", "known.json") == 0
    file.write_text("# moved down\n\n" + UNTAGGED + "FROM alpine\n")
    capsys.readouterr()
    assert lint("Dockerfile", "--select", "B101", "--baseline", "known.json", "--format", "json") == 1
    report = json.loads(capsys.readouterr().out)["files"][0]
    assert [one["line"] for one in report["findings"]] == [5]
    assert [one["reason"] for one in report["suppressed"]] == ["baseline"]
    (folder / "known.json").write_text("{}")
    assert lint("Dockerfile", "--baseline", "known.json") == 2


def test_context_reaches_the_rules(folder: Path) -> None:
    (folder / "rule.py").write_text(
        "from dfopt.lint.rule import Rule\n"
        "class Files(Rule):\n"
        '    """Counts."""\n'
        "    code = 'Z002'\n"
        "    name = 'files'\n"
        "    def check(self, build):\n"
        "        if build.context is not None and 'src/a' in build.context.files:\n"
        "            yield self.finding(build.steps[0], 'seen')\n"
    )
    (folder / "src").mkdir()
    (folder / "src" / "a").write_text("a")
    (folder / "Dockerfile").write_text(CLEAN)
    words = ("Dockerfile", "--rule-path", "rule.py", "--select", "Z002")
    assert lint(*words) == 0
    assert lint(*words, "--context", ".") == 1


def test_build_arguments_and_target_reach_the_graph(folder: Path) -> None:
    (folder / "Dockerfile").write_text("ARG IMAGE=debian:12\nFROM ${IMAGE} AS app\nUSER app\n")
    assert lint("Dockerfile", "--select", "B101") == 0
    assert lint("Dockerfile", "--select", "B101", "--build-arg", "IMAGE=debian") == 1
    assert lint("Dockerfile", "--select", "B101", "--target", "app") == 0
    assert lint("Dockerfile", "--select", "B101", "--target", "missing") == 1


def test_the_program_itself_gives_output_and_code_through_pipes(folder: Path) -> None:
    for number in range(3):
        (folder / f"{number}.dockerfile").write_text(UNTAGGED)
    command = [sys.executable, "-m", "dfopt", "lint", "--no-shellcheck", "--select", "B101"]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode == 1
    assert run.stdout.count("\n") == 3
    assert "3 findings (3 warnings) in 3 of 3 files" in run.stderr
    usage = subprocess.run([*command, "--format", "yaml"], capture_output=True, text=True, check=False)
    assert usage.returncode == 2
    assert "invalid choice" in usage.stderr


def test_a_reader_that_goes_away_is_no_error(folder: Path) -> None:
    for number in range(300):
        (folder / f"{number:03}.dockerfile").write_text(UNTAGGED * 20)
    command = [sys.executable, "-m", "dfopt", "lint", "--no-shellcheck", "--select", "B101", "-q", "--jobs", "1"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as run:
        assert run.stdout is not None
        assert run.stderr is not None
        assert run.stdout.readline().startswith(b"000.dockerfile:1:6: ")
        run.stdout.close()
        assert run.stderr.read() == b""
        assert run.wait(60) == 0


def test_odd_names_and_bytes_reach_the_report_unharmed(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    name = os.fsdecode(b"caf\xe9.dockerfile")
    (folder / name).write_bytes(b"FROM debian\nLABEL x=\xff\n")
    assert lint("--select", "B101,E", "--format", "json") == 1
    report = json.loads(capfd.readouterr().out)["files"][0]
    assert report["path"] == "caf\ufffd.dockerfile"
    assert [one["code"] for one in report["findings"]] == ["B101", "E051"]
    assert lint("--select", "B101,E", "--show-source") == 1


def test_a_broken_ignore_file_is_said_and_passed_over(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "Dockerfile").write_text("FROM scratch\nCOPY a /a\n")
    (tmp_path / "a").touch()
    (tmp_path / ".dockerignore").write_text("b\n[\n")
    words = ["lint", "--no-config", "--no-shellcheck", "--context", str(tmp_path), str(tmp_path / "Dockerfile")]
    assert main(words) == 0
    said = capsys.readouterr().err
    assert said.count(".dockerignore:2: the pattern '[' cannot be read") == 1
