"""The build context: reading, ignoring, selecting."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from dfopt.context import context_of, read_context, read_text, select


def tree(root: Path, files: dict[str, str | int]) -> Path:
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x" * content if isinstance(content, int) else content.encode())
    return root


def destinations(selection: object) -> dict[str, int]:
    return {one.destination: one.file.size_bytes for one in selection.entries if one.file.type == "file"}  # type: ignore[attr-defined]


def test_sizes_and_modes_are_those_on_disk(tmp_path: Path) -> None:
    tree(tmp_path, {"a.txt": 12, "sub/run.sh": 3})
    (tmp_path / "sub/run.sh").chmod(0o755)
    context = read_context(tmp_path)
    assert context.files["a.txt"].size_bytes == 12
    assert context.files["sub/run.sh"].mode == 0o755
    assert context.files["sub"].type == "directory"
    assert context.size_bytes == 15


def test_the_ignore_file_of_the_dockerfile_wins_over_the_general_one(tmp_path: Path) -> None:
    tree(
        tmp_path,
        {
            ".dockerignore": "*.log\n",
            "dev.Dockerfile": "",
            "dev.Dockerfile.dockerignore": "*.txt\n",
            "a.log": 1,
            "a.txt": 1,
        },
    )
    general = read_context(tmp_path)
    own = read_context(tmp_path, dockerfile=tmp_path / "dev.Dockerfile")
    assert "a.log" not in general.files
    assert "a.txt" in general.files
    assert "a.log" in own.files
    assert "a.txt" not in own.files
    assert own.ignore_name == "dev.Dockerfile.dockerignore"


def test_a_folder_that_is_left_out_is_not_walked(tmp_path: Path) -> None:
    tree(tmp_path, {".dockerignore": "node_modules\n", "node_modules/m/i.js": 5, "src/node_modules/x.js": 7})
    context = read_context(tmp_path)
    assert "node_modules" in context.ignored
    assert "node_modules/m/i.js" not in context.ignored
    assert context.files["src/node_modules/x.js"].size_bytes == 7


def test_a_rule_with_an_exclamation_mark_brings_back_files_below_ignored_folders(tmp_path: Path) -> None:
    tree(tmp_path, {".dockerignore": "build\n!build/keep\n", "build/out.bin": 9, "build/keep/me.txt": 4})
    context = read_context(tmp_path)
    assert "build/out.bin" in context.ignored
    assert context.files["build/keep/me.txt"].size_bytes == 4
    assert context.files["build"].type == "directory"


def test_links_are_listed_and_never_followed(tmp_path: Path) -> None:
    outside = tree(tmp_path / "outside", {"secret": 100})
    root = tree(tmp_path / "root", {"a": 1})
    (root / "out").symlink_to(outside)
    (root / "loop").symlink_to(root)
    context = read_context(root)
    assert context.files["out"].type == "symlink"
    assert context.size_bytes == 1
    assert not any(path.startswith(("out/", "loop/")) for path in context.files)


def test_hard_links_to_one_file_count_once(tmp_path: Path) -> None:
    tree(tmp_path, {"a": 1000})
    os.link(tmp_path / "a", tmp_path / "b")
    context = read_context(tmp_path)
    assert context.files["b"].link == "a"
    assert context.size_bytes == 1000
    assert select(context, ["."], "/x/").size_bytes == 1000


def test_an_unreadable_folder_is_a_note(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tree(tmp_path, {"a": 1, "locked/b": 1})
    real = os.scandir

    def scandir(path: str) -> object:
        if str(path).endswith("locked"):
            raise PermissionError(13, "Permission denied")
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)
    context = read_context(tmp_path)
    assert "a" in context.files
    assert context.notes == ("locked cannot be read: Permission denied",)


def test_a_missing_root_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(NotADirectoryError):
        read_context(tmp_path / "nowhere")


def test_a_context_in_memory_knows_texts_and_ignores() -> None:
    context = context_of({"a.txt": "häh", "big.bin": 5_000, "b.log": "x", ".dockerignore": "*.log"})
    assert context.files["a.txt"].size_bytes == 4
    assert context.files["big.bin"].size_bytes == 5_000
    assert "b.log" in context.ignored
    assert read_text(context, "a.txt") == "häh"
    assert read_text(context, "big.bin") is None


def test_commits_are_counted_per_path(tmp_path: Path) -> None:
    def git(*words: str) -> None:
        subprocess.run(
            ["git", "-C", str(tmp_path), "-c", "user.name=a", "-c", "user.email=a@b", *words],
            check=True,
            capture_output=True,
        )

    git("init", "-q")
    tree(tmp_path, {"often": "1", "once": "1"})
    git("add", ".")
    git("commit", "-qm", "one")
    tree(tmp_path, {"often": "2"})
    git("commit", "-qam", "two")
    assert read_context(tmp_path, history=True).changes == {"often": 2, "once": 1}
    assert read_context(tmp_path).changes == {}


FILES = {
    "src/a.py": "aa",
    "src/b.py": "b",
    "src/deep/c.py": "ccc",
    "docs/x.md": "x",
    "one": "1",
    "two": "22",
    "we[i]rd": "w",
}


@pytest.mark.parametrize(
    ("sources", "destination", "expected"),
    [
        (["one"], "/x", {"/x": 1}),
        (["one"], "/x/", {"/x/one": 1}),
        (["one"], "x", {"/work/x": 1}),
        (["one"], "", {"/work/one": 1}),
        (["/one"], ".", {"/work/one": 1}),
        (["../one"], "/x/", {"/x/one": 1}),
        (["one", "two"], "/x/", {"/x/one": 1, "/x/two": 2}),
        (["src"], "/x", {"/x/a.py": 2, "/x/b.py": 1, "/x/deep/c.py": 3}),
        (["src/"], "/x/y/", {"/x/y/a.py": 2, "/x/y/b.py": 1, "/x/y/deep/c.py": 3}),
        (["src/*.py"], "/py/", {"/py/a.py": 2, "/py/b.py": 1}),
        (["src/*"], "/py/", {"/py/a.py": 2, "/py/b.py": 1, "/py/c.py": 3}),
        (["src/[^a].py"], "/py/", {"/py/b.py": 1}),
        (["s?c"], "/x/", {"/x/a.py": 2, "/x/b.py": 1, "/x/deep/c.py": 3}),
        (["we[[]i]rd"], "/x/", {"/x/we[i]rd": 1}),
        (
            ["**"],
            "/x/",
            {"/x/a.py": 2, "/x/b.py": 1, "/x/deep/c.py": 3, "/x/x.md": 1, "/x/one": 1, "/x/two": 2, "/x/we[i]rd": 1},
        ),
    ],
)
def test_sources_mean_what_a_build_takes_them_for(
    sources: list[str], destination: str, expected: dict[str, int]
) -> None:
    selection = select(context_of(FILES), sources, destination, workdir="/work")
    assert destinations(selection) == expected
    assert selection.missing == ()


def test_the_whole_context_is_an_empty_source_or_a_dot() -> None:
    context = context_of(FILES)
    for source in (".", "", "/", "./"):
        assert len(destinations(select(context, [source], "/all/"))) == len(FILES)


def test_a_missing_source_is_told_apart_from_an_empty_pattern() -> None:
    selection = select(context_of(FILES), ["nowhere", "*.zip"], "/x/")
    assert selection.missing == ("nowhere",)
    assert selection.empty == ("*.zip",)


def test_excluded_files_stay_behind() -> None:
    context = context_of(FILES)
    assert destinations(select(context, ["src"], "/x/", excludes=["deep", "b.*"])) == {"/x/a.py": 2}


def test_excludes_are_relative_to_the_source_and_spare_what_it_names_itself() -> None:
    context = context_of(FILES)
    assert "/x/a.py" in destinations(select(context, ["src"], "/x/", excludes=["src/a.py"]))
    assert destinations(select(context, ["one", "t*"], "/x/", excludes=["one", "two"])) == {"/x/one": 1, "/x/two": 2}


def test_parents_keep_the_path_from_the_pivot_on() -> None:
    context = context_of(FILES)
    assert destinations(select(context, ["src/deep/c.py"], "/x/", parents=True)) == {"/x/src/deep/c.py": 3}
    assert destinations(select(context, ["src/./deep"], "/x/", parents=True)) == {"/x/deep/c.py": 3}
    assert destinations(select(context, ["**/*.py"], "/x/", parents=True)) == {
        "/x/src/a.py": 2, "/x/src/b.py": 1, "/x/src/deep/c.py": 3,
    }  # fmt: skip


def test_a_link_that_is_named_is_followed_inside_the_context(tmp_path: Path) -> None:
    tree(tmp_path, {"real/a": 8})
    (tmp_path / "alias").symlink_to("real")
    context = read_context(tmp_path)
    assert destinations(select(context, ["alias"], "/x/")) == {"/x/a": 8}
    assert destinations(select(context, ["alias/a"], "/x/")) == {"/x/a": 8}
    whole = select(context, ["."], "/x/")
    assert whole.size_bytes == 8
