"""The hooks with the real pre-commit, on a repository made for the occasion, from a clone of this checkout."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from dfopt.cli.files import is_dockerfile

HOOKS = Path(__file__).parent.parent / ".pre-commit-hooks.yaml"
FIXABLE = "# dfopt: ignore[untagged-base] once needed\nFROM debian:12\n"
UNTAGGED = "FROM debian\n"


def git(folder: Path, *words: str) -> str:
    command = ["git", "-c", "user.name=test", "-c", "user.email=test@example.com", "-c", "commit.gpgsign=false", *words]
    return subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout


def test_the_hooks_take_the_files_that_the_linter_finds() -> None:
    yaml = pytest.importorskip("yaml")
    names = ["Dockerfile", "dockerfile", "Containerfile", "Dockerfile.dev", "app.dockerfile", "App.Dockerfile",
             "x.containerfile", "Containerfile.prod", "Dockerfile.dockerignore", "Dockerfile.j2", "notes.txt",
             "Dockerfiles", "my-Dockerfile", "Dockerfile.tmpl", "docker-compose.yml"]  # fmt: skip
    for hook in yaml.safe_load(HOOKS.read_text()):
        taken = [one for one in names if re.search(hook["files"], one) and not re.search(hook["exclude"], one)]
        assert taken == [one for one in names if is_dockerfile(one)]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Copy the checkout as it is, uncommitted changes included, into a repository that pre-commit can install."""
    pytest.importorskip("pre_commit")
    if shutil.which("git") is None:
        pytest.skip("git is not installed")
    checkout = HOOKS.parent
    clone = tmp_path_factory.mktemp("clone") / "dfopt"
    files = ("pyproject.toml", "README.md", "LICENSE", ".pre-commit-hooks.yaml", "dfopt", "rules")
    clone.mkdir()
    for name in files:
        source = checkout / name
        if source.is_dir():
            shutil.copytree(source, clone / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, clone / name)
    git(clone, "init", "-q")
    git(clone, "add", "-A")
    git(clone, "commit", "-q", "-m", "as it is")
    return clone


def test_pre_commit_installs_lints_and_fixes(project: Path, tmp_path: Path) -> None:
    repository = tmp_path / "repository"
    repository.mkdir()
    git(repository, "init", "-q")
    (repository / ".pre-commit-config.yaml").write_text(
        f"repos:\n- repo: {project.as_uri()}\n  rev: {git(project, 'rev-parse', 'HEAD').strip()}\n"
        "  hooks:\n  - id: dfopt-fix\n    args: [--select, 'B101,F901']\n"
        "  - id: dfopt\n    args: [--select, 'B101', --no-shellcheck]\n"
    )
    (repository / "dfopt.toml").write_text('exclude = ["vendor"]\n')
    (repository / "vendor").mkdir()
    for name, text in {"Dockerfile": FIXABLE, "app.dockerfile": UNTAGGED, "vendor/Dockerfile": UNTAGGED,
                       "Dockerfile.j2": "{% if x %}", "notes.txt": UNTAGGED}.items():  # fmt: skip
        (repository / name).write_text(text)
    git(repository, "add", "-A")
    environment = {**os.environ, "PRE_COMMIT_HOME": str(tmp_path / "home"), "PRE_COMMIT_COLOR": "never"}
    for name in ("PYTHONPATH", "GIT_DIR", "GIT_INDEX_FILE"):
        environment.pop(name, None)

    def run() -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "pre_commit", "run", "--all-files"]
        return subprocess.run(command, cwd=repository, env=environment, capture_output=True, text=True, check=False)

    first = run()
    assert first.returncode == 1, first.stdout + first.stderr
    assert "files were modified by this hook" in first.stdout
    assert (repository / "Dockerfile").read_text() == "FROM debian:12\n"
    assert "app.dockerfile:1:6: warning:" in first.stdout
    assert "vendor/Dockerfile" not in first.stdout
    assert "j2" not in first.stdout
    (repository / "app.dockerfile").write_text("FROM debian:12\n")
    git(repository, "add", "-A")
    second = run()
    assert second.returncode == 0, second.stdout + second.stderr
