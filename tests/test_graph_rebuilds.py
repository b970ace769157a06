"""What changes make a real builder repeat, against what is predicted; a folder per Dockerfile, each change alone."""

import json
import os
import re
import subprocess
import uuid
from pathlib import Path
from typing import Any

import pytest

from bench.rebuilds import contents, step_names
from dfopt.graph import build
from dfopt.graph.cachekey import Change, Rebuild, invalidated
from dfopt.syntax import parse

CASES = sorted(Path(__file__).parent.joinpath("fixtures", "rebuilds").glob("*/changes.json"))
_STEP = re.compile(r"#(?P<job>\d+) \[(?:(?P<stage>\S+) )?\s*(?P<number>\d+)/\d+\] (?P<text>.*)")
_STATUS = re.compile(r"#(?P<job>\d+) (?P<status>CACHED|DONE)")


def _write(case: Path, folder: Path, mark: str) -> None:
    """Copy a case's context; the mark makes its steps unlike those of earlier runs, which the cache still holds."""
    for path in case.rglob("*"):
        target = folder / path.relative_to(case)
        if path.is_dir():
            target.mkdir(parents=True, exist_ok=True)
        else:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(path.read_text("utf-8").replace("@ID@", mark), "utf-8")


def _apply(folder: Path, edit: dict[str, Any], mark: str) -> None:
    path = folder / edit["path"]
    if "replace" in edit:
        old, new = (text.replace("@ID@", mark) for text in edit["replace"])
        text = path.read_text("utf-8")
        assert old in text
        path.write_text(text.replace(old, new, 1), "utf-8")
    elif "text" in edit:
        path.write_text(edit["text"].replace("@ID@", f"{mark} changed"), "utf-8")
    elif "symlink" in edit:
        path.symlink_to(edit["symlink"])
    elif "delete" in edit:
        path.unlink()
    elif "mode" in edit:
        path.chmod(int(edit["mode"], 8))
    else:
        os.utime(path, (edit["mtime"], edit["mtime"]))


def _predicted(
    folder: Path, before: dict[str, tuple[Any, ...]], old: str, arguments: dict[str, str]
) -> tuple[Rebuild, ...]:
    after = contents(folder)
    text = (folder / "Dockerfile").read_text("utf-8")
    paths = frozenset(path for path in before.keys() | after.keys() if before.get(path) != after.get(path))
    change = Change(paths, build_args=arguments or None, dockerfile=parse(text) if text != old else None)
    return invalidated(build(parse(old), images=lambda name: None), change)


def _built(folder: Path, arguments: dict[str, str]) -> dict[tuple[str, int], bool]:
    """Build and tell of every step whether it came from the cache."""
    command = ["docker", "build", "--progress=plain", "--network=none", "-q=false", "-t", "dfopt-test-rebuilds"]
    command += [word for name, value in arguments.items() for word in ("--build-arg", f"{name}={value}")]
    answer = subprocess.run([*command, str(folder)], capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stderr
    names: dict[str, tuple[str, int]] = {}
    cached: dict[str, bool] = {}
    for line in answer.stderr.splitlines():
        if (step := _STEP.match(line)) and not step["text"].startswith("FROM "):
            names.setdefault(step["job"], (step["stage"] or "", int(step["number"])))
        elif status := _STATUS.match(line):
            cached.setdefault(status["job"], status["status"] == "CACHED")
    # A linked copy is two jobs of one name; the first is the copy itself.
    return {name: cached[job] for job, name in reversed(names.items()) if job in cached}


def test_there_are_sixty_changes_of_twelve_files():
    counts = [len(json.loads(path.read_text("utf-8"))) for path in CASES]
    assert (len(counts), sum(counts)) == (12, 60)


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.parent.name)
def test_every_change_can_be_predicted(path: Path, tmp_path: Path):
    for number, change in enumerate(json.loads(path.read_text("utf-8"))):
        folder = tmp_path / str(number)
        _write(path.parent / "context", folder, "mark")
        before, text = contents(folder), (folder / "Dockerfile").read_text("utf-8")
        for edit in change["edits"]:
            _apply(folder, edit, "mark")
        for rebuild in _predicted(folder, before, text, change["build_args"]):
            assert (rebuild.status == "cached") == (rebuild.reason == ""), change["change"]


@pytest.mark.engine
@pytest.mark.parametrize("path", CASES, ids=lambda path: path.parent.name)
def test_a_real_builder_repeats_what_is_predicted(path: Path, tmp_path: Path):
    mark = uuid.uuid4().hex
    wrong = []
    for number, change in enumerate(json.loads(path.read_text("utf-8"))):
        folder = tmp_path / str(number)
        _write(path.parent / "context", folder, mark)
        arguments = {name: value.replace("@ID@", mark) for name, value in change["build_args"].items()}
        before, text = contents(folder), (folder / "Dockerfile").read_text("utf-8")
        if number == 0:
            _built(folder, {})
        for edit in change["edits"]:
            _apply(folder, edit, f"{mark}{number}" if "text" in edit else mark)
        predicted = _predicted(folder, before, text, arguments)
        built = _built(folder, arguments)
        names = step_names(build(parse((folder / "Dockerfile").read_bytes()), images=lambda name: None))
        assert {names[each.step.id] for each in predicted} == set(built), change["change"]
        for each in predicted:
            cached = built[names[each.step.id]]
            if each.status != "if-changed" and (each.status == "cached") != cached:
                wrong.append((change["change"], each.step.id, each.status, each.reason))
    assert wrong == []
