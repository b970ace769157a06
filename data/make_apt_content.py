"""Makes the embedded table of what packages really hold: ``dfopt/predict/data/apt-content.json``.

    python data/make_apt_content.py apt-package-content.json data/measured/*.json

The inputs (later ones add to earlier ones) have, per package, Installed-Size in bytes (``inst``), the bytes of its
files on a ``full`` and on a ``slim`` image (which leaves out docs, man pages and locales), the bytes of its files in
/var/lib/dpkg/info, and those of its ``python`` modules. Rows from an installed Debian bookworm and rows from layers
that were really built are kept apart ("truth"), so that errors can be stated without the latter. For packages that
were not measured the means and the spread per class and size are written beside.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from dfopt.predict.debcontent import classify

OUT = Path(__file__).resolve().parent.parent / "dfopt" / "predict" / "data" / "apt-content.json"


def spread(ratios: list[float]) -> list[float]:
    """Give the mean, which sums of packages approach, and the values that a twentieth lies below and above."""
    ratios = sorted(ratios)
    last = len(ratios) - 1
    return [round(sum(ratios) / len(ratios), 3), *(round(ratios[round(last * share)], 3) for share in (0.05, 0.95))]


def columns(row: dict[str, Any]) -> list[Any]:
    """Give a row as it is embedded; trailing columns that are empty are left out."""
    more = [row.get("python") or 0, row.get("questions") or 0]
    while more and not more[-1]:
        more.pop()
    return [row["inst"], row.get("full"), row.get("slim"), row.get("info"), int(row["from_"] == "truth"), *more]


def main() -> None:
    """Convert the table named on the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("content", type=Path, nargs="+")
    args = parser.parse_args()
    rows: dict[str, dict[str, Any]] = {}
    releases: dict[str, dict[str, list[Any]]] = {}
    for path in args.content:
        for name, row in json.loads(path.read_text()).items():
            release = row["from_"].rpartition(" ")[2]
            if row["from_"].startswith("deb ") and release != "bookworm":
                releases.setdefault(release, {})[name] = columns(row)
                continue
            if name not in rows or rows[name]["from_"] == "truth":
                rows[name] = row
            else:
                rows[name].update({key: row[key] for key in ("python", "questions") if key in row})
    packages = {name: columns(row) for name, row in sorted(rows.items())}
    classes: dict[str, dict[str, list[float]]] = {}
    for kind in ("full", "slim"):
        gathered: dict[str, list[float]] = {}
        for name, row in rows.items():
            # They come from the installed system only: what was built to be compared with stays out of them.
            if kind in row and row["from_"] != "truth":
                name_class, size_class = classify(name, row["inst"])
                for key in (f"{name_class} {size_class}", name_class, f"any {size_class}"):
                    gathered.setdefault(key, []).append(row[kind] / row["inst"])
        classes[kind] = {key: spread(ratios) for key, ratios in sorted(gathered.items()) if len(ratios) >= 8}
    head = {
        "source": "files of packages installed on Debian bookworm and in built layers, counted in November 2026",
        "licence": "measurements, free to use",
        "date": "2026-11",
        "columns": [
            "Installed-Size",
            "full",
            "slim",
            "info",
            "from a built layer",
            "of it Python modules",
            "debconf questions",
        ],
    }
    for release, table in releases.items():
        # What bookworm's share tells within half a per cent needs no row of its own.
        releases[release] = {
            name: row for name, row in sorted(table.items())
            if name not in packages or any(
                packages[name][at] is None or abs(packages[name][at] * row[0] - row[at] * packages[name][0])
                > 0.005 * row[at] * packages[name][0] for at in (1, 2))
        }  # fmt: skip
    lines = [f"{json.dumps(name)}:{json.dumps(row, separators=(',', ':'))}" for name, row in packages.items()]
    OUT.write_text(
        f'{{"about":{json.dumps(head)},\n"classes":{json.dumps(classes, separators=(",", ":"))},\n'
        f'"releases":{json.dumps(releases, separators=(",", ":"))},\n"packages":{{\n' + ",\n".join(lines) + "}}\n"
    )
    print(f"{OUT.name}: {len(packages)} packages, {OUT.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
