"""Measures npm packages: rows for ``dfopt/predict/data/npm.json``.

    python data/measure_npm.py SPEC...

npm installs each of them into an empty folder (no scripts are run), from the registry it is configured with. Recorded
are, for every package that came along, the bytes on disk and of the tarball, and the bytes of the metadata document
that npm keeps in its cache; and for what was asked for, the list of packages that came along. Rows that are there
already stay.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import re
import subprocess
import tempfile
from pathlib import Path
from typing import Any
from urllib.parse import unquote

OUT = Path(__file__).resolve().parent.parent / "dfopt" / "predict" / "data" / "npm.json"


def folder_bytes(folder: Path) -> int:
    """Sum a package's own files, those of packages nested in it left out."""
    total = 0
    for path, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if name != "node_modules"]
        total += sum((Path(path) / name).lstat().st_size for name in files if not (Path(path) / name).is_symlink())
    return total


def cache_bytes(cache: Path) -> tuple[dict[str, int], dict[str, int]]:
    """Read npm's cache index: bytes by tarball file name, and by name for metadata documents."""
    tarballs: dict[str, int] = {}
    documents: dict[str, int] = {}
    for path in (cache / "_cacache" / "index-v5").rglob("*"):
        if path.is_file():
            for line in path.read_text().splitlines():
                if "\t" not in line:
                    continue
                entry = json.loads(line.split("\t", 1)[1])
                url = entry["key"].partition("request-cache:")[2]
                if url.endswith(".tgz"):
                    scope = re.search(r"/(@[^/]+)/[^/]+/-/", unquote(url))
                    tarballs[(scope.group(1) + "/" if scope else "") + url.rsplit("/", 1)[-1]] = entry["size"]
                elif url:
                    name = unquote(re.sub(r"^[a-z]+://[^/]+/", "", url))
                    documents[name] = entry["size"] + path.stat().st_size
    return tarballs, documents


def main() -> None:
    """Measure what the command line names and write the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("specs", nargs="+")
    args = parser.parse_args()
    table: dict[str, Any] = (
        json.loads(OUT.read_text()) if OUT.exists() else {"packages": {}, "documents": {}, "roots": {}}
    )
    packages, documents, roots = table["packages"], table["documents"], table["roots"]
    for spec in args.specs:
        with tempfile.TemporaryDirectory() as temporary:
            folder, cache = Path(temporary) / "project", Path(temporary) / "cache"
            folder.mkdir()
            (folder / "package.json").write_text('{"name": "measured", "version": "1.0.0", "private": true}')
            subprocess.run(
                ["npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", "--silent", "--cache", cache, spec],
                cwd=folder,
                check=False,
            )
            lock = folder / "node_modules" / ".package-lock.json"
            if not lock.exists():
                print(f"{spec}: npm refuses")
                continue
            tarballs, found = cache_bytes(cache)
            names: list[str] = []
            for place, row in json.loads(lock.read_text())["packages"].items():
                if not (folder / place).is_dir():
                    continue  # an optional package of another platform
                name, version = place.rpartition("node_modules/")[2], row["version"]
                names.append(f"{name}@{version}")
                file = f"{name.rpartition('/')[2]}-{version}.tgz"
                scope = name.rpartition("/")[0]
                tarball = tarballs.get(f"{scope}/{file}" if scope else file, 0)
                packages.setdefault(name, {})[version] = [folder_bytes(folder / place), tarball]
            documents.update(found)
            name = re.sub(r"(?<=.)@.*$", "", spec)
            version = next(text.rpartition("@")[2] for text in names if text.rpartition("@")[0] == name)
            roots[f"{name}@{version}"] = sorted(names)
            print(f"{spec}: {len(names)} packages")
    about = {
        "source": "packages of the npm registry, installed by npm and counted by data/measure_npm.py",
        "licence": "measurements, free to use",
        "date": datetime.date.today().isoformat(),
        "columns": {
            "packages": ["unpacked", "tarball"],
            "documents": "metadata in npm's cache",
            "roots": "what came along",
        },
    }
    parts = [f'"about":{json.dumps(about)}']
    for key, rows in (("packages", packages), ("documents", documents), ("roots", roots)):
        lines = [f"{json.dumps(name)}:{json.dumps(rows[name], separators=(',', ':'))}" for name in sorted(rows)]
        parts.append(f'"{key}":{{\n' + ",\n".join(lines) + "}")
    OUT.write_text("{" + ",\n".join(parts) + "}\n")
    print(f"{OUT.name}: {len(packages)} packages, {OUT.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
