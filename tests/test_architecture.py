"""The house: rooms import in one direction only, the lint path stays lean, and nothing but the command line prints."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import dfopt
import dfopt_rules

ORDER = (
    "source", "edit", "finding", "config", "syntax", "shell", "tools", "images", "graph", "context", "predict",
    "rewrite", "lint", "rules", "remote", "engine", "report", "editor", "api", "cli",
)  # fmt: skip
"""Rooms and modules from left to right; each may import what stands to its left."""

ROOT = Path(dfopt.__file__).parent
RULES = Path(next(iter(dfopt_rules.__path__)))


def modules() -> Iterator[tuple[str, Path]]:
    for path in sorted(ROOT.rglob("*.py")):
        parts = ("dfopt", *path.relative_to(ROOT).with_suffix("").parts)
        yield ".".join(parts).removesuffix(".__init__"), path
    for path in sorted(RULES.rglob("*.py")):
        parts = ("dfopt_rules", *path.relative_to(RULES).with_suffix("").parts)
        yield ".".join(parts).removesuffix(".__init__"), path


def room(module: str) -> str | None:
    """Give the room of a module; None for the package itself, which only leads to others."""
    top, _, rest = module.partition(".")
    if top == "dfopt_rules":
        return "rules"
    return rest.split(".")[0] if top == "dfopt" and rest and rest != "__main__" else None


def imports(tree: ast.AST, *, typing: bool) -> Iterator[tuple[str, int, bool]]:
    """Give the modules that a file imports, with their lines; with ``typing`` those for types too.

    Only rules import each other relatively, because their folder and their package have different names.
    """

    def walk(node: ast.AST, top: bool) -> Iterator[tuple[str, int, bool]]:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test) and not typing:
                continue
            if isinstance(child, ast.Import):
                for name in child.names:
                    yield name.name, child.lineno, top
            elif isinstance(child, ast.ImportFrom):
                module = f"dfopt_rules.{child.module}" if child.level else child.module or ""
                yield module, child.lineno, top
                for name in child.names:
                    yield f"{module}.{name.name}", child.lineno, top
            else:
                yield from walk(child, top and not isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef)))

    yield from walk(tree, True)


MODULES = list(modules())


@pytest.mark.parametrize(("module", "path"), MODULES, ids=[module for module, _ in MODULES])
def test_only_rules_import_relatively(module: str, path: Path) -> None:
    tree = ast.parse(path.read_text("utf-8"))
    levels = {child.level for child in ast.walk(tree) if isinstance(child, ast.ImportFrom)}
    assert levels <= ({0, 1} if room(module) == "rules" else {0})


@pytest.mark.parametrize(("module", "path"), MODULES, ids=[module for module, _ in MODULES])
def test_a_module_imports_only_from_its_left(module: str, path: Path) -> None:
    here = room(module)
    if here is None:
        return
    assert here in ORDER, f"the room {here} is not in the house's order"
    wrong = set()
    for name, line, _ in imports(ast.parse(path.read_text("utf-8")), typing=False):
        there = room(name)
        if there in ORDER and ORDER.index(there) > ORDER.index(here):
            wrong.add(f"{path.name}:{line} imports {name}")
    assert not wrong


def test_only_the_command_line_prints_or_exits() -> None:
    wrong = []
    for module, path in MODULES:
        if room(module) in ("cli", None):
            continue
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call):
                called = ast.unparse(node.func)
                if called in ("print", "sys.exit", "exit", "quit", "os._exit", "input"):
                    wrong.append(f"{module}:{node.lineno} calls {called}")
    assert wrong == []


FORBIDDEN = ("networkx", "rich", "yaml", "http", "urllib.request", "ssl", "socket", "asyncio", "lark",
             "pygls", "sqlite3", "subprocess", "multiprocessing", "concurrent", "importlib.metadata", "dataclasses",
             "logging", "dfopt.rewrite.abstract", "dfopt.predict.debindex", "dfopt.predict.packages",
             "dfopt.cli.predict", "dockerfile_parse", "dfopt.cli.optimize", "dfopt.cli.graph",
             "dfopt.report.sarif", "dfopt.lint.shellcheck")  # fmt: skip
"""Modules that linting one plain file must not pay for."""

LINT = (
    "import json, sys\n"
    "import argparse, msgspec\n"  # what these load is theirs; it differs between versions of Python
    "before = set(sys.modules)\n"
    "from dfopt.cli import main\n"
    "code = main(['lint', '--no-shellcheck', '--no-config', '--quiet', *sys.argv[1:]])\n"
    "print(json.dumps([code, sorted(set(sys.modules) - before)]))\n"
)


def test_linting_loads_only_what_it_needs(tmp_path: Path) -> None:
    file = tmp_path / "Dockerfile"
    file.write_text('FROM debian:12\nRUN apt-get update && apt-get install -y curl\nCOPY . /app\nCMD ["curl"]\n')
    answer = subprocess.run(
        [sys.executable, "-c", LINT, str(file), "--select", "B,D,E"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=True,
    )
    code, loaded = json.loads(answer.stdout.splitlines()[-1])
    assert code == 0, answer.stdout
    heavy = sorted({name for name in loaded for word in FORBIDDEN if name == word or name.startswith(word + ".")})
    assert heavy == []


def test_help_and_version_load_no_rules(tmp_path: Path) -> None:
    program = (
        "import sys\nfrom dfopt.cli import main\nmain(['--version'])\n"
        "print(len([name for name in sys.modules if 'dfopt' in name]))\n"
    )
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=tmp_path, check=True)
    assert int(answer.stdout.splitlines()[-1]) <= 4
