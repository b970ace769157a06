"""Measures the prediction of rebuilds against real ones.

``python -m bench.rebuilds DIR`` takes a folder with ``cases/NAME/`` (a Dockerfile and its context) and
``rebuilds.json``: per case the changes, each made alone, and for every step whether it came from the cache. It prints
each step that was told wrong and, as its last line, how many changes were told exactly. Steps of a COPY --from whose
source was built again are not scored: they stay cached exactly if that came out equal, which nobody can know
beforehand.
"""

from __future__ import annotations

import argparse
import base64
import json
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

from dfopt.context import BuildContext, read_context
from dfopt.graph import InstructionGraph, build
from dfopt.graph.cachekey import Change, Rebuild, invalidated
from dfopt.predict.buildlog import step_names as names_of
from dfopt.syntax import parse

Record = dict[str, Any]

_STEP = re.compile(r"\[(?:(?P<stage>\S+) )?\s*(?P<number>\d+)/\d+\]")


def main(arguments: list[str] | None = None) -> int:
    """Run the comparison; gives 0 if every change is told exactly."""
    parser = argparse.ArgumentParser(prog="python -m bench.rebuilds", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("folder", type=Path)
    folder: Path = parser.parse_args(arguments).folder
    truth = json.loads((folder / "rebuilds.json").read_text("utf-8"))
    exact = total = 0
    for case, changes in truth.items():
        for change in changes:
            total += 1
            wrong = list(_wrong_steps(folder / "cases" / case, change))
            exact += not wrong
            for step, ours, theirs, reason in wrong:
                print(f"{case}\t{change['change']}\t{step}\tours {ours}\tbuilt {theirs}\t{reason}")
    print(f"{exact} of {total} changes exact")
    return 0 if exact == total else 1


def _wrong_steps(case: Path, change: Record) -> list[tuple[str, str, str, str]]:
    graph = build(parse((case / "Dockerfile").read_bytes()), images=lambda name: None)
    with tempfile.TemporaryDirectory() as temporary:
        edited = Path(temporary, "context")
        shutil.copytree(case, edited, symlinks=True)
        _make_writable(edited)
        for edit in change["edits"]:
            _apply(edited, edit)
        before, after = contents(case), contents(edited)
        paths = frozenset(path for path in before.keys() | after.keys() if before.get(path) != after.get(path))
        text = (edited / "Dockerfile").read_bytes()
    given = Change(
        paths,
        build_args=change["build_args"] or None,
        dockerfile=parse(text) if text != (case / "Dockerfile").read_bytes() else None,
    )
    ours = invalidated(graph, given)
    new = build(given.dockerfile or graph.tree, images=lambda name: None)
    names = step_names(new)
    built = {_step_key(step["step"]): step["cached"] for step in change["steps"]}
    ran = {stage for (stage, _), cached in built.items() if not cached}
    wrong: list[tuple[str, str, str, str]] = []
    seen = set()
    uncertain: dict[int, bool] = {}
    for rebuild in ours:
        key = names[rebuild.step.id]
        seen.add(key)
        if key not in built:
            wrong.append((str(key), rebuild.status, "missing", rebuild.reason))
            continue
        if _is_unscored(new, rebuild, ran):
            uncertain[rebuild.step.stage] = built[key]
            continue
        cached = rebuild.status == "cached"
        if rebuild.status == "if-changed":
            cached = uncertain.get(rebuild.step.stage, False)
        if cached != built[key]:
            wrong.append((str(key), rebuild.status, "cached" if built[key] else "rebuilt", rebuild.reason))
    wrong += [
        (str(key), "missing", "cached" if cached else "rebuilt", "") for key, cached in built.items() if key not in seen
    ]
    return wrong


def _is_unscored(graph: InstructionGraph, rebuild: Rebuild, ran: set[str]) -> bool:
    """Tell whether a step copies from a stage of which a step was really built again."""
    if rebuild.step.source_stage is None:
        return False
    chain = graph.chain(rebuild.step.source_stage)
    return any((stage.name or f"stage-{stage.index}") in ran for stage in chain)


def _step_key(name: str) -> tuple[str, int]:
    match = _STEP.match(name)
    assert match is not None, name
    return match["stage"] or "", int(match["number"])


def step_names(graph: InstructionGraph) -> Mapping[str, tuple[str, int]]:
    """Give the stage and number under which BuildKit shows each step."""
    return names_of(graph).places


def contents(root: Path) -> dict[str, tuple[Any, ...]]:
    """Give all that a cache key holds of each file that the ignore file lets through."""
    context: BuildContext = read_context(root, dockerfile=root / "Dockerfile")
    found: dict[str, tuple[Any, ...]] = {}
    for path, file in context.files.items():
        digest = ""
        if file.type == "file":
            digest = sha256(Path(root, path).read_bytes()).hexdigest()
        # The copy that is edited had to be made writable; the owner's write bit of files nobody edited is not a change.
        found[path] = (file.type, file.mode | 0o200, file.target, digest)
    return found


def _make_writable(root: Path) -> None:
    for folder, _, files in os.walk(root):
        os.chmod(folder, 0o755)
        for name in files:
            path = os.path.join(folder, name)
            if not os.path.islink(path):
                os.chmod(path, os.stat(path).st_mode | 0o200)


def _apply(root: Path, edit: Record) -> None:
    path = root / edit["path"]
    if edit.get("delete"):
        shutil.rmtree(path) if path.is_dir() else path.unlink()
        return
    if edit.get("directory"):
        path.mkdir(parents=True, exist_ok=True)
    elif "symlink" in edit:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        path.symlink_to(edit["symlink"])
    elif "text" in edit or "base64" in edit:
        path.parent.mkdir(parents=True, exist_ok=True)
        data = base64.b64decode(edit["base64"]) if "base64" in edit else edit["text"].encode("utf-8", "surrogateescape")
        path.write_bytes(data)
    if "mode" in edit:
        os.chmod(path, int(str(edit["mode"]), 8))
    if "mtime" in edit:
        os.utime(path, (edit["mtime"], edit["mtime"]))


if __name__ == "__main__":
    sys.exit(main())
