"""What is wrong with a Dockerfile, as the commands beside ``dfopt lint`` say it."""

from __future__ import annotations

from pathlib import Path

import pytest

from dfopt.cli import main

COMMANDS = (["optimize"], ["predict"], ["graph"], ["explain-cache", "--changed", "x"])
COMMAND = pytest.mark.parametrize("command", COMMANDS, ids=lambda command: str(command[0]))
INSTALL = b"RUN apt-get update && apt-get install -y curl\n"


@COMMAND
@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"# caf\xe9\nFROM debian:12\n" + INSTALL, "1: byte 0xe9 is not UTF-8"),
        (b"FROM debian:12\n" + INSTALL + b"CMD ['a', 'b']\n", "3: this looks like a JSON array and is none"),
    ],
    ids=["latin-1", "broken JSON"],
)
def test_what_a_builder_accepts_is_said_and_is_no_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], command: list[str], data: bytes, said: str
) -> None:
    file = tmp_path / "Dockerfile"
    file.write_bytes(data)
    assert main([command[0], str(file), *command[1:]]) == 0
    assert f"{file}:{said}" in capsys.readouterr().err


def test_a_file_with_a_byte_that_is_not_utf8_is_rewritten_and_keeps_it(tmp_path: Path) -> None:
    file = tmp_path / "Dockerfile"
    file.write_bytes(b"# caf\xe9\nFROM debian:12\n" + INSTALL)
    assert main(["optimize", str(file), "--write"]) == 0
    assert file.read_bytes().startswith(b"# caf\xe9\nFROM debian:12\n")
    assert b"rm -rf /var/lib/apt/lists/*" in file.read_bytes()


@COMMAND
@pytest.mark.parametrize("data", [b"", b"# a comment\n", b"RUN true\n"], ids=["empty", "comment", "no FROM"])
def test_a_file_without_from_gives_one_message(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], command: list[str], data: bytes
) -> None:
    file = tmp_path / "Dockerfile"
    file.write_bytes(data)
    assert main([command[0], str(file), *command[1:]]) == 1
    said = [line for line in capsys.readouterr().err.splitlines() if line.startswith(f"{file}:")]
    assert len(said) == 1


@pytest.mark.parametrize("command", ["lint", "optimize", "predict", "graph"])
def test_a_platform_that_is_none_is_wrong_usage(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    file = tmp_path / "Dockerfile"
    file.write_text("FROM debian:12\n")
    assert main([command, str(file), "--platform", "bogus"]) == 2
    assert "'bogus' is no platform" in capsys.readouterr().err
    assert main([command, str(file), "--platform", "linux/arm64"]) == 0
