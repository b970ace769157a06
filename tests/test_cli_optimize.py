"""``dfopt optimize`` on the command line."""

from __future__ import annotations

import io
import json
import os
import sys
from pathlib import Path

import pytest

from dfopt.cli import main

NAIVE = Path(__file__).parent / "fixtures" / "course" / "naive.Dockerfile"
SIZE = "http://127.0.0.1:8765/app-1.0.tar.gz=7060901:10640023"


def test_a_diff_with_reasons_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["optimize", str(NAIVE), "--remote-size", SIZE]) == 0
    out = capsys.readouterr().out
    assert "+    && rm -rf /var/lib/apt/lists/*\n" in out
    assert "clean-in-layer" in out
    assert "gone from the image: /var/lib/apt/lists/" in out
    assert "not done" not in out


def test_the_diff_applies(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["optimize", str(NAIVE), "--format", "json"])
    plan = json.loads(capsys.readouterr().out)
    kept = [line for line in plan["diff"].splitlines()[3:] if line[:1] in (" ", "+")]
    assert [line[1:] for line in kept] == plan["text"].splitlines()


def test_refusals_are_told_when_asked(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["optimize", str(NAIVE), "--verbose"]) == 0
    assert "split-stages: build in one stage, ship from another: it is unsafe" in capsys.readouterr().out


def test_json_holds_the_plan(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["optimize", str(NAIVE), "--format", "json", "--remote-size", SIZE, "--unsafe"]) == 0
    plan = json.loads(capsys.readouterr().out)
    assert plan["changed"]
    assert plan["after_bytes"]["value"] < 128_000_000 < plan["before_bytes"]["value"]
    assert plan["changes"][0]["pass"] == "split-stages"
    assert plan["changes"][0]["applicability"] == "unsafe"


def test_markdown_holds_a_table_and_the_diff(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["optimize", str(NAIVE), "--format", "markdown"]) == 0
    out = capsys.readouterr().out
    assert "| change | saves | safe | why |" in out
    assert "```diff\n--- a/" in out


def test_write_replaces_the_file_and_keeps_its_mode(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "Dockerfile"
    file.write_bytes(b"\xef\xbb\xbfFROM debian:bookworm\r\nRUN apt-get update && apt-get install -y curl")
    file.chmod(0o640)
    assert main(["optimize", str(file), "--write"]) == 0
    data = file.read_bytes()
    assert data.startswith(b"\xef\xbb\xbfFROM debian:bookworm\r\n")
    assert data.endswith(b"&& rm -rf /var/lib/apt/lists/*")
    assert os.stat(file).st_mode & 0o777 == 0o640
    assert [path.name for path in tmp_path.iterdir()] == ["Dockerfile"]
    assert main(["optimize", str(file), "--write"]) == 0
    assert file.read_bytes() == data
    assert "nothing to change" in capsys.readouterr().out


def test_standard_input_is_read_and_not_written(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(NAIVE.read_bytes())))
    assert main(["optimize", "-"]) == 0
    assert "rm -rf" in capsys.readouterr().out
    assert main(["optimize", "-", "--write"]) == 2


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["missing/Dockerfile"], 3, "no such file"),
        ([str(NAIVE), "--only", "nothing"], 2, "unknown pass"),
        ([str(NAIVE), "--target", "nothing"], 2, "nothing"),
        ([str(NAIVE), "--context", "missing"], 3, "missing"),
    ],
)
def test_wrong_calls_are_told_apart(
    words: list[str], code: int, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["optimize", *words]) == code
    assert message in capsys.readouterr().err


def test_a_file_with_errors_is_not_rewritten(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "Dockerfile"
    file.write_text("FROM debian:bookworm\nRUN apt-get update && apt-get install -y curl\nFOO bar\n")
    assert main(["optimize", str(file), "--write"]) == 1
    assert "FOO" in file.read_text()
    assert "not rewritten" in capsys.readouterr().err


def test_color_is_used_only_where_it_is_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    main(["optimize", str(NAIVE)])
    assert "\x1b[" not in capsys.readouterr().out
    main(["optimize", str(NAIVE), "--color", "always"])
    assert "\x1b[" in capsys.readouterr().out
