"""Measures what packages hold, from their .deb files: rows for ``make_apt_content.py``.

    python data/measure_apt.py bookworm OUT.json NAME... [--work DIR]

For the packages named and all that apt installs with them, as far as the embedded table does not know them, apt
downloads the .deb (from the machine's configured mirror, into a folder of its own); the bytes of its files are summed
once in full and once without what the official slim images leave out, and the Python modules among them, of which
byte code is made. With ``--again NAME...`` only the packages named are measured, known or not.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import tarfile
import tempfile
from pathlib import Path
from typing import Any

from make_apt import configured_mirrors, fetch, options

from dfopt.images import facts
from dfopt.predict import debcontent
from dfopt.predict.closure import install
from dfopt.predict.debindex import DebPackage, suite

# dpkg's path-exclude lines of the slim images (debuerreotype); copyright files stay.
SLIM_EXCLUDES = re.compile(r"\./usr/share/(doc(?!/[^/]+/copyright$)|groff|info|linda|lintian|locale|man)(/|$)")
LARGEST_DEB = 60_000_000


def measure(deb: Path) -> dict[str, Any]:
    """Sum a package's files: full, slim, and the file lists and scripts that dpkg keeps of it."""
    full = slim = count = python = 0
    names: list[str] = []
    with (
        subprocess.Popen(["dpkg-deb", "--fsys-tarfile", deb], stdout=subprocess.PIPE) as unpack,
        tarfile.open(fileobj=unpack.stdout, mode="r|") as archive,
    ):
        for member in archive:
            names.append(member.name)
            if member.isreg():
                full += member.size
                count += 1
                if not SLIM_EXCLUDES.match(member.name):
                    slim += member.size
                if re.match(r"\./usr/(lib/python3/|share/(?!doc/)).*\.py$", member.name):
                    python += member.size
    control = subprocess.run(["dpkg-deb", "--ctrl-tarfile", deb], capture_output=True, check=True).stdout
    with tempfile.TemporaryFile() as buffer:
        buffer.write(control)
        buffer.seek(0)
        with tarfile.open(fileobj=buffer) as archive:
            control_files = [member for member in archive if member.isreg() and not member.name.endswith("/control")]
    info = sum(member.size for member in control_files)
    questions = sum(member.size for member in control_files if member.name.endswith("/templates"))
    # NAME.list: one absolute path a line; ./ is written as /.
    info += sum(len(name.rstrip("/")) for name in names)
    return {"full": full, "slim": slim, "files": count, "info": info, "python": python, "questions": questions}


def wanted(names: list[str], release: str) -> list[DebPackage]:
    """List the packages to measure: the closures' packages that are not in the table and not huge."""
    index = suite(release)
    base = facts(f"debian:{release}")
    if index is None or base is None:
        raise SystemExit(f"{release}: not embedded")
    found: dict[str, DebPackage] = {}
    for name in names:
        for package in install([name], base.packages, index).marked.values():
            if not debcontent.is_measured(package.name, release) and package.deb_bytes <= LARGEST_DEB:
                found[package.name] = package
    return list(found.values())


def main() -> None:
    """Measure and write the rows."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("suite")
    parser.add_argument("out", type=Path)
    parser.add_argument("names", nargs="+")
    parser.add_argument("--work", type=Path)
    parser.add_argument("--again", action="store_true")
    args = parser.parse_args()
    mirror, security = configured_mirrors()
    with tempfile.TemporaryDirectory() as temporary:
        folder = (args.work or Path(temporary)) / args.suite
        fetch(args.suite, mirror, security, folder)
        rows: dict[str, Any] = json.loads(args.out.read_text()) if args.out.exists() else {}
        index = suite(args.suite)
        if args.again and index is not None:
            packages = [found for name in args.names if (found := index.real(name)) is not None]
        else:
            packages = [package for package in wanted(args.names, args.suite) if package.name not in rows]
        print(f"{len(packages)} packages, {sum(package.deb_bytes for package in packages):,} bytes to fetch")
        for start in range(0, len(packages), 20):
            batch = packages[start : start + 20]
            with tempfile.TemporaryDirectory() as debs:
                subprocess.run(
                    ["apt-get", *options(folder), "-q", "download", *(f"{p.name}={p.version}" for p in batch)],
                    cwd=debs, check=False, capture_output=True,
                )  # fmt: skip
                files = {path.name.split("_")[0]: path for path in Path(debs).glob("*.deb")}
                for package in batch:
                    if package.name in files:
                        rows[package.name] = {"version": package.version, "inst": package.installed_bytes,
                                              **measure(files[package.name]), "from_": f"deb {args.suite}"}  # fmt: skip
            args.out.write_text(
                "{\n" + ",\n".join(f"{json.dumps(k)}: {json.dumps(rows[k])}" for k in sorted(rows)) + "\n}\n"
            )
    print(f"{args.out}: {len(rows)} rows")


if __name__ == "__main__":
    main()
