"""What a Python project asks for: requirements files, project files and lock files, read as text."""

from __future__ import annotations

import ast
import json
import posixpath
import re
import sys
from collections.abc import Callable
from typing import Any, NamedTuple

from dfopt.predict.pep440 import Requirement, normal, requirement

Read = Callable[[str], "str | None"]


class Wanted(NamedTuple):
    """Requirements that were found, constraints, local projects (paths) and files that could not be read.

    ``whole`` tells that they come from a lock file, which lists the dependencies too.
    """

    requirements: tuple[Requirement, ...] = ()
    constraints: tuple[Requirement, ...] = ()
    projects: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    whole: bool = False

    def and_also(self, other: Wanted) -> Wanted:
        """Join two findings."""
        return Wanted(
            self.requirements + other.requirements,
            self.constraints + other.constraints,
            self.projects + other.projects,
            self.missing + other.missing,
            self.whole or other.whole,
        )


def requirements_file(path: str, read: Read, depth: int = 0) -> Wanted:
    """Read a requirements file with the files it names; one that is not known is listed as missing."""
    path = posixpath.normpath(path)
    text = read(path)
    if text is None or depth > 5:
        return Wanted(missing=(path,))
    folder = posixpath.dirname(path)
    found = Wanted()
    for line in re.sub(r"\\\r?\n", " ", text).splitlines():
        line = re.sub(r"(^|\s)#.*$", "", line).strip()
        if not line:
            continue
        if match := re.match(r"(-r|--requirement|-c|--constraint)[=\s]*(\S+)", line):
            below = requirements_file(posixpath.join(folder, match.group(2)), read, depth + 1)
            if match.group(1).startswith(("-c", "--c")):
                below = Wanted(constraints=below.requirements + below.constraints)
            found = found.and_also(below)
        elif match := re.match(r"(?:-e|--editable)[=\s]*(\S+)", line):
            found = found.and_also(argument(match.group(1), folder))
        elif not line.startswith("-"):
            found = found.and_also(argument(re.split(r"\s+--", line)[0].strip(), folder))
    return found


def argument(text: str, folder: str) -> Wanted:
    """Read one word of a pip command line or one line of a requirements file."""
    if re.match(r"(git|hg|svn|bzr)\+|[a-z]+://", text):
        egg = re.search(r"[#&]egg=([\w.-]+)", text)
        name = egg.group(1) if egg else text.rstrip("/").rsplit("/", 1)[-1].split("@")[0].removesuffix(".git")
        return Wanted((Requirement(normal(name) or "download", url=text),))
    if text.endswith(".whl"):
        parts = posixpath.basename(text).split("-")
        need = requirement(f"{parts[0]}=={parts[1]}") if len(parts) > 2 else None
        return Wanted((need,)) if need is not None else Wanted(missing=(text,))
    if text.startswith((".", "/", "~")) or "/" in text.split("@")[0]:
        return Wanted(projects=(posixpath.normpath(posixpath.join(folder, re.sub(r"\[[^\]]*\]$", "", text))),))
    need = requirement(text)
    return Wanted((need,)) if need is not None else Wanted(missing=(text,))


def project(folder: str, read: Read) -> Wanted:
    """Read what a project folder depends on: pyproject.toml, setup.cfg or setup.py."""
    found: list[str] = []
    known = False
    if (text := read(posixpath.join(folder, "pyproject.toml"))) is not None:
        data = toml(text)
        table = data.get("project", {})
        known = "dependencies" in table or "dependencies" not in table.get("dynamic", ["dependencies"])
        found += [str(item) for item in table.get("dependencies", [])]
        poetry = data.get("tool", {}).get("poetry", {})
        if "dependencies" in poetry:
            known = True
            found += [
                _poetry(name, value) for name, value in poetry["dependencies"].items() if name.lower() != "python"
            ]
    if not known and (text := read(posixpath.join(folder, "setup.py"))) is not None:
        listed = _setup(text)
        known = listed is not None
        found += listed or []
    if not known and (text := read(posixpath.join(folder, "setup.cfg"))) is not None:
        block = re.search(r"^install_requires\s*=\s*\n((?:[ \t]+.*\n?|\s*\n)+)", text, re.MULTILINE)
        known = True
        found += [line.strip() for line in block.group(1).splitlines() if line.strip()] if block else []
    needs = tuple(need for text in found if (need := requirement(text)) is not None)
    return Wanted(needs, missing=() if known else (folder,))


def lock_file(text: str, name: str) -> tuple[Requirement, ...]:
    """Read poetry.lock, uv.lock, pdm.lock or Pipfile.lock: every package with its one version."""
    if name == "Pipfile.lock":
        try:
            table = json.loads(text).get("default", {})
        except ValueError:
            return ()
        return tuple(Requirement(normal(key), clauses=(("==", str(row.get("version", "")).lstrip("=")),))
                     for key, row in table.items() if row.get("version"))  # fmt: skip
    found = []
    for row in toml(text).get("package", []):
        groups = row.get("groups") or [row.get("category", "main")]
        if (
            not set(groups) & {"main", "default"}
            or row.get("source", {}).get("virtual")
            or row.get("source", {}).get("editable")
        ):
            continue
        if "version" in row:
            marker = row.get("markers") if isinstance(row.get("markers"), str) else ""
            found.append(Requirement(normal(row["name"]), clauses=(("==", str(row["version"])),), marker=marker or ""))
    return tuple(found)


def toml(text: str) -> dict[str, Any]:
    """Read TOML; a text with errors is an empty table."""
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    try:
        return tomllib.loads(text)
    except ValueError:
        return {}


def _poetry(name: str, value: object) -> str:
    if isinstance(value, dict):
        extras = f"[{','.join(value['extras'])}]" if value.get("extras") else ""
        return name + extras + _caret(str(value.get("version", "*")))
    return name + _caret(str(value))


def _caret(text: str) -> str:
    """Turn poetry's ``^1.2`` and ``~1.2`` into clauses."""
    if text in ("*", ""):
        return ""
    if text[0] in "^~" and not text.startswith("~="):
        parts = re.findall(r"\d+", text)
        keep = 1 if text[0] == "^" or len(parts) == 1 else 2
        if text[0] == "^" and parts and parts[0] == "0" and len(parts) > 1:
            keep = 2
        return f">={text[1:]},=={'.'.join(parts[:keep])}.*"
    return text if text[0] in "<>=!" else f"=={text}"


def _setup(text: str) -> list[str] | None:
    """Find ``install_requires=[...]`` of constants in a setup.py, without running it."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError):
        return None
    names = {target.id: node.value for node in ast.walk(tree) if isinstance(node, ast.Assign)
             for target in node.targets if isinstance(target, ast.Name)}  # fmt: skip
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and getattr(node.func, "id", getattr(node.func, "attr", "")) == "setup":
            for keyword in node.keywords:
                if keyword.arg == "install_requires":
                    value = (
                        names.get(keyword.value.id, keyword.value)
                        if isinstance(keyword.value, ast.Name)
                        else keyword.value
                    )
                    try:
                        return [str(item) for item in ast.literal_eval(value)]
                    except ValueError:
                        return None
            return []
    return None
