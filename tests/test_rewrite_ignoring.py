"""Proposals for a .dockerignore: what the context holds and no build needs, and never what a build may need."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dfopt.cli import main
from dfopt.context import context_of, read_context
from dfopt.graph import build
from dfopt.rewrite.ignoring import propose_ignores, with_proposals
from dfopt.syntax import parse

FILES = {
    ".git/objects/a": 5_000_000, "node_modules/x/index.js": 900_000, "package.json": "{}", "src/app.js": "x",
    "debug.log": 70_000, ".env": "PASSWORD=1", "venv/pyvenv.cfg": "x", "venv/lib/y.py": 4000,
    "src/__pycache__/z.pyc": 300, "dist/app.js": 2000, "env/settings.py": 10,
}  # fmt: skip
NODE = "FROM node:20\nCOPY . /app\nWORKDIR /app\nRUN npm ci && npm run build\n"


def patterns(text: str, files: dict[str, str | int] | None = None, ignore: str | None = None) -> dict[str, int]:
    found = propose_ignores(build(parse(text)), context_of(files or FILES, ignore=ignore))
    return {each.pattern: each.sent_bytes for each in found}


def test_what_no_build_needs_is_proposed_with_its_bytes() -> None:
    assert patterns(NODE) == {
        "**/.env": 10, "**/.git": 5_000_000, "**/node_modules": 900_000, "**/*.log": 70_000, "**/venv": 4001,
        "**/dist": 2000, "**/__pycache__": 300,
    }  # fmt: skip


def test_secrets_come_first_and_are_marked() -> None:
    found = propose_ignores(build(parse(NODE)), context_of(FILES))
    assert found[0].pattern == "**/.env"
    assert found[0].secret
    assert found[1].image_bytes == 5_000_000


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("FROM nginx\nCOPY dist /usr/share/nginx/html\nRUN npm run build\n", "**/dist"),
        ("FROM nginx\nCOPY . /x\nRUN npm ci && cp -r dist /srv\n", "**/dist"),
        ("FROM node:20\nCOPY . /x\n", "**/node_modules"),
        ("FROM node:20\nCOPY . /x\nRUN npm ci && git describe > /v\n", "**/.git"),
        ("FROM node:20\nCOPY . /x\nCOPY .env /x/.env\n", "**/.env"),
        ("FROM node:20\nRUN --mount=type=bind,source=.git,target=/g ls /g\n", "**/.git"),
        ("FROM node:20\nCOPY . /x\nRUN cat debug.log\n", "**/*.log"),
    ],
)
def test_what_the_build_may_need_is_not_proposed(text: str, kept: str) -> None:
    assert kept not in patterns(text)


def test_what_is_ignored_already_is_not_proposed_again() -> None:
    assert "**/.git" not in patterns(NODE, ignore=".git\n")


def test_applied_proposals_leave_nothing_to_propose() -> None:
    found = propose_ignores(build(parse(NODE)), context_of(FILES))
    text = with_proposals("# own", found)
    assert text.startswith("# own\n**/.env\n")
    assert patterns(NODE, ignore=text) == {}


def test_the_command_shows_them_and_writes_only_when_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "Dockerfile"
    file.write_text("FROM debian:bookworm-slim\nCOPY . /srv/app\n")
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "pack").write_bytes(b"x" * 1000)
    words = ["optimize", str(file), "--context", str(tmp_path)]
    assert main([*words, "--write"]) == 0
    assert "**/.git  (1 file, 1.00 kB, 1.00 kB of it copied into a layer)" in capsys.readouterr().out
    assert not (tmp_path / ".dockerignore").exists()
    assert main([*words, "--dockerignore"]) == 2
    assert main([*words, "--write", "--dockerignore", "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["dockerignore"][0]["sent_bytes"] == 1000
    assert (tmp_path / ".dockerignore").read_text() == "**/.git\n"
    assert ".git" not in read_context(tmp_path).files
