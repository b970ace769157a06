"""Measures Python packages: rows for ``dfopt/predict/data/pypi.json``.

    python data/measure_pip.py SPEC... [--separately]

pip resolves what is asked for (``pip install --dry-run --report``) and downloads the wheels, from the index it is
configured with; the sizes are read from the wheels: their own bytes, what they unpack to, the bytes of Python sources
(from which byte code is made), the number of files, and what they depend on. Rows that are there already stay.
"""

from __future__ import annotations

import argparse
import datetime
import json
import re
import subprocess
import sys
import tempfile
import zipfile
from email.parser import HeaderParser
from pathlib import Path
from typing import Any

OUT = Path(__file__).resolve().parent.parent / "dfopt" / "predict" / "data" / "pypi.json"
COLUMNS = ["wheel", "unpacked", "of which .py", "files", "requires", "byte code"]


def normal(name: str) -> str:
    """Write a name as PEP 503 normalises it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def closure(specs: list[str]) -> list[tuple[str, str]]:
    """Let pip resolve the requirements on this Python: names with versions."""
    words = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--dry-run",
        "--ignore-installed",
        "--only-binary=:all:",
        "--report",
        "-",
        *specs,
    ]
    done = subprocess.run(words, capture_output=True, text=True)
    if done.returncode != 0:
        print(f"{' '.join(specs)}: {done.stderr.strip().splitlines()[-1:]}", file=sys.stderr)
        return []
    report = json.loads(done.stdout[done.stdout.index("{") :])
    return [(normal(item["metadata"]["name"]), item["metadata"]["version"]) for item in report["install"]]


def measure(wheel: Path) -> list[Any]:
    """Give wheel bytes, unpacked bytes, bytes of .py files, number of files and the dependencies."""
    with zipfile.ZipFile(wheel) as archive:
        infos = [info for info in archive.infolist() if not info.is_dir()]
        metadata = next(info for info in infos if re.fullmatch(r"[^/]+\.dist-info/METADATA", info.filename))
        headers = HeaderParser().parsestr(archive.read(metadata).decode("utf-8", "replace"))
        requires = [str(value) for value in headers.get_all("Requires-Dist") or []]
        # Requirements of extras are kept: "uvicorn[standard]" is how people ask for it; those of tests and docs are
        # not.
        kept = [
            re.sub(r"\s+", " ", text)
            for text in requires
            if not re.search(
                r"extra\s*==\s*['\"](test|tests|testing|dev|doc|docs|lint|typing|check|cover|enabler|type|develop|mypy|"
                r"build|benchmark|all|devel|develop-.*|complete-dev)['\"]",
                text,
            )
        ]
        python = sum(info.file_size for info in infos if info.filename.endswith(".py"))
        return [
            wheel.stat().st_size,
            sum(info.file_size for info in infos),
            python,
            len(infos),
            kept,
            compiled(archive),
        ]


def compiled(archive: zipfile.ZipFile) -> int:
    """Sum the byte code that this Python makes of a wheel's sources."""
    with tempfile.TemporaryDirectory() as folder:
        archive.extractall(folder)
        subprocess.run([sys.executable, "-m", "compileall", "-qq", folder], check=False, capture_output=True)
        return sum(path.stat().st_size for path in Path(folder).rglob("*.pyc"))


def main() -> None:
    """Measure what the command line names and write the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("specs", nargs="*")
    parser.add_argument("--again", action="store_true", help="measure what is in the table once more")
    parser.add_argument("--separately", action="store_true", help="resolve each requirement for itself")
    args = parser.parse_args()
    table: dict[str, Any] = json.loads(OUT.read_text()) if OUT.exists() else {"about": {}, "packages": {}}
    packages = table["packages"]
    rounds = [
        closure(specs) for specs in ([[spec] for spec in args.specs] if args.separately else [args.specs]) if specs
    ]
    if args.again:
        rounds.append([(name, version) for name, rows in packages.items() for version in rows])
    for found in rounds:
        for name, version in found:
            if len(packages.get(name, {}).get(version, ())) >= len(COLUMNS):
                continue
            with tempfile.TemporaryDirectory() as folder:
                subprocess.run([sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:",
                                "-d", folder, f"{name}=={version}"], check=False)  # fmt: skip
                for wheel in Path(folder).glob("*.whl"):
                    packages.setdefault(name, {})[version] = measure(wheel)
    table["about"] = {
        "source": "wheels of the Python Package Index for CPython 3.11 on Linux x86-64, read by data/measure_pip.py",
        "licence": "measurements, free to use", "date": datetime.date.today().isoformat(),
        "columns": COLUMNS,
    }  # fmt: skip
    rows = [f"{json.dumps(name)}:{json.dumps(packages[name], separators=(',', ':'))}" for name in sorted(packages)]
    OUT.write_text(f'{{"about":{json.dumps(table["about"])},\n"packages":{{\n' + ",\n".join(rows) + "}}\n")
    print(f"{OUT.name}: {len(packages)} packages, {OUT.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
