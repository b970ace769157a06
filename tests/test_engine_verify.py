"""``dfopt verify`` and ``optimize --verify``: two real builds compared, measured and removed; nothing is left behind.

Tests marked ``engine`` build real images, see ``test_engine.py``.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from dfopt.cli import main
from dfopt.engine import Engine, EngineError, find_engine, verify

BASE = "FROM debian:bookworm-slim\n"
OWNED = f"{BASE}COPY data /srv/app/data\nRUN chown -R 5:6 /srv/app\n"
HOST = ["--build-network", "host"]


@pytest.fixture(scope="session")
def engine() -> Engine:
    found = find_engine()
    if found is None:
        pytest.skip("no container engine answers; '.ci/builder start' gives one")
    try:
        found.history("debian:bookworm-slim")
    except EngineError:
        pytest.skip("the engine has no debian:bookworm-slim; '.ci/builder bases' makes it")
    return found


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "data").write_bytes(b"x" * 300_000)
    (tmp_path / "Dockerfile").write_text(OWNED)
    return tmp_path


def names_of(engine: Engine) -> set[str]:
    return {line for line in engine.run("images", "--format", "{{.Repository}}").split() if line.startswith("dfopt-")}


def test_without_an_engine_it_says_what_is_missing(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(folder))
    (folder / "B").write_text(BASE)
    assert main(["verify", str(folder / "Dockerfile"), str(folder / "B")]) == 3
    assert "no container engine answers (docker, podman or buildah)" in capsys.readouterr().err
    assert main(["optimize", str(folder / "Dockerfile"), "--context", str(folder), "--verify", "--write"]) == 3
    assert (folder / "Dockerfile").read_text() == OWNED


def test_equal_texts_need_no_engine(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(folder))
    assert main(["verify", str(folder / "Dockerfile"), str(folder / "Dockerfile")]) == 0


@pytest.mark.parametrize(
    ("words", "code"), [(["missing"], 3), (["-", "-"], 2), (["{}", "--only", "nothing"], 2)], ids=str
)
def test_wrong_calls_are_told_apart(words: list[str], code: int, folder: Path) -> None:
    assert main(["verify", *(word.format(folder / "Dockerfile") for word in words)]) == code


SCRIPT = """#!/bin/sh
echo "$@" >> {log}
case "$1" in
  version|info) exit 0 ;;
  build) case "$*" in *slow*) exec sleep 60 ;; esac ;;
esac
exit 0
"""


@pytest.mark.parametrize("program", ["docker", "podman", "buildah"])
def test_options_reach_the_engine_and_the_image_is_removed(program: str, folder: Path) -> None:
    log = folder / "log"
    script = folder / program
    script.write_text(SCRIPT.format(log=log))
    script.chmod(0o755)
    engine = find_engine({"PATH": f"{folder}:/bin:/usr/bin"}, only=program)
    assert engine is not None
    (folder / "own.dockerignore").write_text("*.log\n")
    with engine.temporary(
        BASE, folder, build_args={"A": "1"}, target="t", platform="linux/arm64", secrets=["id=s,src=f"],
        ssh=["default"], build_contexts=["n=/x"], ignore_file=folder / "own.dockerignore",
    ) as image:  # fmt: skip
        pass
    lines = log.read_text().splitlines()
    built = next(line for line in lines if line.startswith("build "))
    for part in ("--build-arg A=1", "--target t", "--platform linux/arm64", "--secret id=s,src=f", "--ssh default",
                 "--build-context n=/x", f"-t {image}"):  # fmt: skip
        assert part in built
    assert ("--ignorefile" in built) == (program != "docker")
    assert lines[-1] == (f"rmi -f {image}" if program == "buildah" else f"image rm -f {image}")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_ends_the_build_and_removes_the_image(number: signal.Signals, folder: Path) -> None:
    log = folder / "log"
    (folder / "docker").write_text(SCRIPT.format(log=log))
    (folder / "docker").chmod(0o755)
    (folder / "temporary").mkdir()
    (folder / "B").write_text(BASE)
    process = subprocess.Popen(
        [sys.executable, "-m", "dfopt", "verify", str(folder / "Dockerfile"), str(folder / "B"), "--target", "slow"],
        env={**os.environ, "PATH": f"{folder}:/bin:/usr/bin", "TMPDIR": str(folder / "temporary")},
    )
    for _ in range(100):
        if log.exists() and "build" in log.read_text():
            break
        time.sleep(0.1)
    process.send_signal(number)
    assert process.wait(20) == 130
    words = log.read_text().splitlines()[-1].split()
    assert words[:3] == ["image", "rm", "-f"]
    assert words[3] in log.read_text().splitlines()[-2]
    assert not list((folder / "temporary").iterdir())


@pytest.mark.engine
def test_a_difference_is_told_and_nothing_is_left(
    engine: Engine, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "B").write_text(f"{BASE}COPY data /srv/app/data\n")
    before = names_of(engine)
    assert main(["verify", str(folder / "Dockerfile"), str(folder / "B"), *HOST]) == 1
    out = capsys.readouterr().out
    assert "the images differ in 2 places" in out
    assert "srv/app/data: file 644 5:6" in out
    assert main(["verify", str(folder / "Dockerfile"), str(folder / "B"), *HOST, "--may-differ", "/srv/app"]) == 0
    assert names_of(engine) <= before


@pytest.mark.engine
def test_an_optimized_file_is_written_after_it_was_verified(
    engine: Engine, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [
        "optimize",
        str(folder / "Dockerfile"),
        "--context",
        str(folder),
        "--verify",
        "--write",
        "--format",
        "json",
    ]
    assert main([*words, *HOST]) == 0
    found = json.loads(capsys.readouterr().out)["verified"]
    assert found["same"]
    assert found["before_bytes"] - found["after_bytes"] == 300_000
    assert (folder / "Dockerfile").read_text() == f"{BASE}COPY --chown=5:6 data /srv/app/data\n"


@pytest.mark.engine
def test_a_file_whose_images_differ_is_not_written(
    engine: Engine, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = f"{BASE}RUN mkdir /srv/a && head -c 5000000 /dev/zero > /srv/a/big\nCOPY data /srv/a/\n" \
           "FROM debian:bookworm-slim\nCOPY --from=0 /srv/a /srv/a\n"  # fmt: skip
    (folder / "B").write_text(text.replace("5000000", "5000001"))
    (folder / "Dockerfile").write_text(text)
    assert main(["verify", str(folder / "Dockerfile"), str(folder / "B"), "--format", "json", *HOST]) == 1
    assert [each["path"] for each in json.loads(capsys.readouterr().out)["differences"]] == ["srv/a/big"]


@pytest.mark.engine
def test_what_two_builds_of_one_file_differ_in_does_not_count(engine: Engine, folder: Path) -> None:
    text = f"{BASE}RUN date +%s%N > /stamp\n"
    found = verify(engine, text, text.replace("RUN", "RUN true &&"), folder, network="host")
    assert found.same
    assert found.varying == ("stamp",)


@pytest.mark.engine
def test_arguments_and_target_decide_what_is_built(
    engine: Engine, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = f"{BASE}ARG A=1\nRUN echo $A > /a\nFROM debian:bookworm-slim AS two\nRUN echo 2 > /b\n"
    (folder / "Dockerfile").write_text(text.replace(BASE, BASE.replace("\n", " AS one\n"), 1))
    (folder / "B").write_text(text.replace(BASE, BASE.replace("\n", " AS one\n"), 1).replace("echo $A", "echo 7"))
    files = [str(folder / "Dockerfile"), str(folder / "B"), *HOST]
    assert main(["verify", *files]) == 0
    assert main(["verify", *files, "--target", "one"]) == 1
    assert main(["verify", *files, "--target", "one", "--build-arg", "A=7"]) == 0


@pytest.mark.engine
def test_moved_installs_and_build_numbers_make_the_same_image(
    engine: Engine, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    install = "RUN apt-get update && apt-get install -y --no-install-recommends tree && rm -rf /var/lib/apt/lists/*\n"
    (folder / "Dockerfile").write_text(
        f"{BASE}ARG BUILD_DATE=1\nLABEL created=$BUILD_DATE\nRUN mkdir -p /x\nCOPY data /app/data\n{install}"
    )
    words = ["optimize", str(folder / "Dockerfile"), "--context", str(folder), "--verify", "--write"]
    assert main([*words, "--only", "stable-before-volatile", "--format", "json", *HOST]) == 0
    assert json.loads(capsys.readouterr().out)["verified"]["same"]
    text = (folder / "Dockerfile").read_text()
    assert text.index("apt-get") < text.index("ARG BUILD_DATE") < text.index("COPY data")
