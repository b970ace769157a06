"""What a manifest leads to: other files and folders of the project that an install reads, and code of it that runs.

Pure functions of a file's name and text; who has a build context reads the texts and asks on, file by file.
"""

from __future__ import annotations

import json
import posixpath
import re
import sys
from collections.abc import Iterator
from typing import Any

from msgspec import Struct

_HOOKS = ("preinstall", "install", "postinstall", "prepare", "preprepare", "postprepare", "prepublish", "dependencies")
_COMPOSER_HOOKS = (
    "pre-install-cmd", "post-install-cmd", "pre-update-cmd", "post-update-cmd", "pre-autoload-dump",
    "post-autoload-dump", "pre-package-install", "post-package-install", "pre-dependencies-solving",
    "post-dependencies-solving",
)  # fmt: skip
_LOCAL = re.compile(r"^(?:file|link|portal|workspace):(?!//[^/])(?://)?(.*)$")
_PACKED = re.compile(r"\.(?:tgz|tar\.gz|tar|zip|whl|tar\.bz2)$")
_REQUIRED = re.compile(r"^(?:-r|--requirement|-c|--constraint)(?:\s+|=)?(\S+)")
_EDITABLE = re.compile(r"^(?:-e|--editable|-f|--find-links)(?:\s+|=)?(\S+)")


class Needs(Struct, frozen=True):
    """What a manifest needs besides itself, as paths from its own folder.

    ``files`` are read (globs allowed), ``folders`` with everything below them. ``code`` tells why an install runs code
    of the project, empty where it does not. ``known`` is False for a text that cannot be read.
    """

    files: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()
    code: str = ""
    known: bool = True


UNKNOWN = Needs(known=False)


def needs_of(name: str, text: str) -> Needs | None:
    """Give what a manifest leads to; None for a file that is no known manifest, ``known`` False for a broken one."""
    base = posixpath.basename(name)
    reader = _READERS.get(base)
    if reader is None:
        reader = next((found for pattern, found in _PATTERNS if pattern.fullmatch(base)), None)
    if reader is None:
        return None
    try:
        return reader(text)
    except (ValueError, TypeError, AttributeError, KeyError, RecursionError):
        return UNKNOWN


def _local_value(value: object) -> str | None:
    match = _LOCAL.match(value) if isinstance(value, str) else None
    if match is not None and not (isinstance(value, str) and value.startswith("workspace:")):
        return match.group(1)
    return value if isinstance(value, str) and value.startswith(("./", "../", "/")) else None


def _sorted_out(paths: Iterator[str] | list[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Tell packed files from folders."""
    places = list(dict.fromkeys(posixpath.normpath(path) for path in paths))
    return tuple(path for path in places if _PACKED.search(path)), tuple(
        path for path in places if not _PACKED.search(path)
    )


def _requirements(text: str) -> Needs:
    files: list[str] = []
    local: list[str] = []
    for line in re.sub(r"\\\r?\n", " ", text).splitlines():
        line = re.sub(r"(?:^|\s)#.*|(?<=\S)\s+--(?:hash|config-settings|global-option)\b.*", "", line).strip()
        if (match := _REQUIRED.match(line)) is not None:
            if "://" not in match.group(1):
                files.append(match.group(1))
        elif (match := _EDITABLE.match(line)) is not None:
            if "://" not in match.group(1):
                local.append(match.group(1).partition("[")[0])
        elif "@" in line and (address := line.partition("@")[2].strip()).startswith("file:"):
            local.append(address.removeprefix("file:").partition(";")[0].strip())
        elif line.startswith((".", "/", "file:")) or (
            "/" in line.split("[")[0].split(";")[0] and "://" not in line and not line.startswith("-")
        ):
            local.append(line.removeprefix("file:").partition("[")[0].partition(";")[0].strip())
        elif _PACKED.search(line.split(";")[0].split()[0] if line else "") and "://" not in line:
            local.append(line.split(";")[0].split()[0])
    packed, folders = _sorted_out(local)
    return Needs((*files, *packed), folders, "a requirement is a folder of the project" if folders else "")


def _package_json(text: str) -> Needs:
    data = json.loads(text)
    local, files = [], []
    for key in (
        "dependencies",
        "devDependencies",
        "optionalDependencies",
        "peerDependencies",
        "resolutions",
        "overrides",
    ):
        values = data.get(key) or {}
        local += [path for value in values.values() if (path := _local_value(value)) is not None]
    spaces = data.get("workspaces") or []
    if isinstance(spaces, dict):
        spaces = spaces.get("packages") or []
    files += [posixpath.join(pattern, "package.json") for pattern in spaces if not pattern.startswith("!")]
    patched = (data.get("pnpm") or {}).get("patchedDependencies") or data.get("patchedDependencies") or {}
    files += list(patched.values())
    hooks = [name for name in _HOOKS if name in (data.get("scripts") or {})]
    packed, folders = _sorted_out(local)
    return Needs((*files, *packed), folders, f"package.json has a {hooks[0]} script" if hooks else "")


def _toml(text: str) -> dict[str, Any]:
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    return tomllib.loads(text)


def _tables(data: object) -> Iterator[dict[str, Any]]:
    if isinstance(data, dict):
        yield data
        for value in data.values():
            yield from _tables(value)
    elif isinstance(data, list):
        for value in data:
            yield from _tables(value)


def _pyproject(text: str) -> Needs:
    data = _toml(text)
    project, tools = data.get("project") or {}, data.get("tool") or {}
    local: list[str] = []
    files: list[str] = []
    # Only these tables name dependencies; other tools have keys called path of their own.
    for tool in ("poetry", "uv", "pdm", "hatch"):
        local += [table["path"] for table in _tables(tools.get(tool)) if isinstance(table.get("path"), str)]
    wanted = [
        *(project.get("dependencies") or ()),
        *(each for group in (project.get("optional-dependencies") or {}).values() for each in group),
    ]
    local += [text.partition("file:")[2].lstrip("/") for text in wanted if "@ file:" in text]
    members = ((tools.get("uv") or {}).get("workspace") or {}).get("members") or []
    files += [posixpath.join(member, "pyproject.toml") for member in members]
    readme = project.get("readme") or (tools.get("poetry") or {}).get("readme")
    readme = readme.get("file") if isinstance(readme, dict) else readme
    files += [readme] if isinstance(readme, str) else list(readme or ())
    packed, folders = _sorted_out(local)
    return Needs((*files, *packed), folders, "a dependency is a folder of the project" if folders else "")


def _cargo(text: str) -> Needs:
    data = _toml(text)
    space = data.get("workspace") or {}
    excluded = space.get("exclude") or []
    paths = [member for member in space.get("members") or [] if member not in excluded]
    for key, table in data.items():
        if "dependencies" in key or key in ("target", "patch", "replace", "workspace"):
            paths += [found["path"] for found in _tables(table) if isinstance(found.get("path"), str)]
    build = (data.get("package") or {}).get("build")
    files = [posixpath.normpath(posixpath.join(path, "Cargo.toml")) for path in dict.fromkeys(paths)]
    return Needs(
        (*files, *([build] if isinstance(build, str) else [])), (), "Cargo.toml names a build script" if build else ""
    )


def _go_mod(text: str) -> Needs:
    plain = re.sub(r"//.*", "", text)
    local = re.findall(r"=>\s*(\.{1,2}(?:/\S*)?|/\S+)", plain)
    return Needs(tuple(posixpath.join(posixpath.normpath(path), "go.mod") for path in dict.fromkeys(local)))


def _go_work(text: str) -> Needs:
    plain = re.sub(r"//.*", "", text)
    blocks = re.findall(r"^use\s*\(([^)]*)\)", plain, re.MULTILINE)
    used = [path for block in blocks for path in block.split()] + re.findall(r"^use\s+([^\s(]+)", plain, re.MULTILINE)
    return Needs(
        tuple(posixpath.normpath(posixpath.join(path, name)) for path in used for name in ("go.mod", "go.sum"))
    )


def _pom(text: str) -> Needs:
    plain = re.sub(r"<!--.*?-->", "", text, flags=re.DOTALL)
    files = []
    for module in re.findall(r"<module>\s*([^<]+?)\s*</module>", plain):
        files.append(module if module.endswith(".xml") else posixpath.join(module, "pom.xml"))
    parent = re.search(r"<parent>.*?</parent>", plain, re.DOTALL)
    if parent is not None:
        path = re.search(r"<relativePath>\s*([^<]+?)\s*</relativePath>", parent.group(0))
        if path is not None:
            files.append(path.group(1) if path.group(1).endswith(".xml") else posixpath.join(path.group(1), "pom.xml"))
    folders = re.findall(r"<systemPath>\s*\$\{(?:project\.)?basedir\}/([^<]+?)\s*</systemPath>", plain)
    return Needs((*files, *folders))


def _gemfile(text: str) -> Needs:
    plain = re.sub(r"(?m)^\s*#.*$", "", text)
    folders = re.findall(r"""(?:\bpath:|:path\s*=>|^\s*path)\s*\(?\s*["']([^"']+)["']""", plain, re.MULTILINE)
    files = re.findall(
        r"""(?:eval_gemfile|require_relative|File\.read|instance_eval|ruby\s+file:)[\s(]*["']([^"']+)["']""", plain
    )
    if re.search(r"^\s*gemspec\b", plain, re.MULTILINE):
        return Needs((*files, "*.gemspec"), tuple(folders), "the Gemfile takes its gems from the project's gemspec")
    return Needs(tuple(files), tuple(folders), "a gem is a folder of the project" if folders else "")


def _composer(text: str) -> Needs:
    data = json.loads(text)
    places = data.get("repositories") or []
    places = list(places.values()) if isinstance(places, dict) else places
    folders = [each["url"] for each in places if isinstance(each, dict) and each.get("type") == "path"]
    loads = data.get("autoload") or {}
    files = [*(loads.get("files") or ())]
    folders += [*(loads.get("classmap") or ())]
    hooks = [name for name in _COMPOSER_HOOKS if name in (data.get("scripts") or {})]
    return Needs(tuple(files), tuple(folders), f"composer.json has a {hooks[0]} script" if hooks else "")


def _msbuild(text: str) -> Needs:
    plain = re.sub(r"<!--.*?-->", "", text, flags=re.DOTALL).replace("\\", "/")
    found = re.findall(r"""<(?:ProjectReference\s+Include|Import\s+Project)\s*=\s*["']([^"'$]+)["']""", plain)
    return Needs(tuple(dict.fromkeys(posixpath.normpath(path) for path in found)))


def _solution(text: str) -> Needs:
    plain = text.replace("\\", "/")
    found = re.findall(r"""["']([^"']+\.(?:cs|fs|vb)proj)["']""", plain)
    return Needs(tuple(dict.fromkeys(posixpath.normpath(path) for path in found)))


def _conda(text: str) -> Needs:
    lines = re.findall(
        r"""^\s*-\s*["']?((?:-r|-e|-c|--requirement|--editable|file:|\.{1,2}/)[^"'\n]*)""", text, re.MULTILINE
    )
    return _requirements("\n".join(lines))


def _code(text: str) -> Needs:
    return Needs(code="the build description is code")


_READERS = {
    "package.json": _package_json, "pyproject.toml": _pyproject, "Cargo.toml": _cargo, "go.mod": _go_mod,
    "go.work": _go_work, "pom.xml": _pom, "Gemfile": _gemfile, "gems.rb": _gemfile, "composer.json": _composer,
    "environment.yml": _conda, "environment.yaml": _conda, "setup.py": _code, "mix.exs": _code, "build.sbt": _code,
    "Rakefile": _code,
}  # fmt: skip
_PATTERNS = (
    (re.compile(r".*requirements?.*\.(?:txt|in|pip)|.*constraints?.*\.txt|requirements"), _requirements),
    (re.compile(r".*\.(?:cs|fs|vb)proj|Directory\..*\.(?:props|targets)"), _msbuild),
    (re.compile(r".*\.slnx?"), _solution),
    (re.compile(r".*\.gradle(?:\.kts)?"), _code),
)
