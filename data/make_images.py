"""Makes the embedded facts about base images: ``dfopt/images/data/images.jsonl`` and ``packages.jsonl``.

    python data/make_images.py base-images.json nonofficial.json dotnet-image-sizes.json base-packages/

The inputs are collections of figures read from public pages: docker-library/repo-info (sizes as the registry and
``docker image inspect`` state them), the size baseline of dotnet/dotnet-docker, and pages quoted row by row. Every row
keeps its source. Written are lines of JSON, sorted by reference, so that one image is found without parsing the others.
"""

from __future__ import annotations

import argparse
import json
import re
from pathlib import Path
from typing import Any

from image_recipes import RECIPES, commands, recipe

from dfopt.predict import closure
from dfopt.predict.debindex import suite

Row = dict[str, Any]
OUT = Path(__file__).resolve().parent.parent / "dfopt" / "images" / "data"

DEBIAN = {
    "7": "wheezy",
    "8": "jessie",
    "9": "stretch",
    "10": "buster",
    "11": "bullseye",
    "12": "bookworm",
    "13": "trixie",
}
MANAGERS = {
    "debian": "apt", "ubuntu": "apt", "alpine": "apk", "centos": "dnf", "fedora": "dnf", "ol": "dnf", "amzn": "dnf",
    "almalinux": "dnf", "rocky": "dnf", "rhel": "dnf", "opensuse": "zypper", "arch": "pacman", "wolfi": "apk",
}  # fmt: skip
# A moving tag is rebuilt: how far a figure may be from today's image, by how it was found.
WIDTH = {("measured", "high"): 0.02, ("measured", "medium"): 0.04, ("alias", "high"): 0.03, ("alias", "medium"): 0.08,
         ("estimated", "high"): 0.06, ("estimated", "medium"): 0.15}  # fmt: skip
WIDTH_LOW = 0.35


def _release(row: Row) -> str:
    version = row["os_version"] or ""
    if row["os_id"] == "debian":
        return DEBIAN.get(version, version)
    if row["os_id"] == "alpine":
        match = re.match(r"\d+\.\d+", version)
        return match.group(0) if match else ("edge" if version == "edge" else "")
    return str(version)


def _source(row: Row) -> str:
    source = row["source"]
    if isinstance(source, str):
        return source
    for kind in ("local", "remote"):
        if kind in source:
            page = source[kind]
            return f"{page['repo']} {page['path']} @{(page['commit'] or 'unknown')[:10]}"
    if "repo" in source:
        return f"{source['repo']} {source['path']} @{source['commit'][:10]}"
    return str(row["uncompressed_source"])


def _list_name(image: str, tag: str, system: str, release: str) -> str | None:
    """Name the list of packages an image has, or of the distribution it is based on."""
    if system == "alpine":
        return f"alpine:{release}" if release and release != "edge" else None
    if system == "ubuntu":
        return f"ubuntu:{release}"
    made = recipe(image, tag)
    if system != "debian" or not release:
        return None
    return f"{made.name if made else 'debian'}:{release}"


def _official(row: Row) -> Row:
    kind, confidence = row["kind"], row["confidence"]
    size = row["uncompressed_bytes"]
    width = WIDTH.get((kind, confidence), WIDTH_LOW)
    tag = row["tag"]
    base = recipe(row["image"], tag)
    made: Row = {
        "kind": kind,
        "bytes": size,
        "low": round(size * (1 - width)),
        "high": round(size * (1 + width)),
        "pull": row["compressed_bytes"],
        "os": row["os_id"],
        "release": _release(row),
        "slim": "slim" in tag.split("-") or bool(base and base.slim),
        "manager": MANAGERS.get(row["os_id"], ""),
        "source": _source(row),
        "date": row["created"] or "",
    }
    optional: Row = {
        "alias": row.get("alias_of") if row.get("alias_of") != f"{row['image']}:{tag}" else None,
        "layers": row["layer_count"],
        "env": row["env"] or None,
        "user": row["user"],
        "workdir": row["workdir"],
        "entrypoint": row["entrypoint"] or None,
        "cmd": row["cmd"] or None,
        "programs": commands(row["image"], tag) or None,
        "list": _list_name(row["image"], tag, row["os_id"], _release(row)),
        "how": row["uncompressed_source"] if kind == "estimated" else None,
    }
    made.update({key: value for key, value in optional.items() if value is not None})
    return made


def _no_surer_than_its_image(facts: dict[str, Row]) -> None:
    """Make a second name of an estimated image as unsure as the image itself."""
    for row in facts.values():
        other = facts.get(row.get("alias", ""))
        if other is not None and row["kind"] == "alias" and other["kind"] == "estimated":
            row.update(kind="estimated", low=min(row["low"], other["low"]), high=max(row["high"], other["high"]))


def _nonofficial(rows: list[Row]) -> dict[str, Row]:
    """Keep one row per tag; a dated tag ("latest (2018)") stands for its tag where no newer figure does."""
    made: dict[str, Row] = {}
    spread = {"high": 0.1, "medium": 0.2, "low": 0.4}
    for row in sorted(rows, key=lambda row: str(row["as_of"])):
        tag = re.sub(r"\s*\(.*\)$", "", row["tag"]).replace("-*", "").split(" ")[0]
        dated = tag != row["tag"]
        name = f"{row['image']}:{tag}"
        size, pull = row["uncompressed_bytes"], row["compressed_bytes"]
        width = 0.4 if dated else spread[row["confidence"]]
        if size is None:
            # The median ratio over all pairs of uncompressed and compressed sizes that were read is 2.63.
            size, width = round(pull * 2.63), max(width, 0.35)
        if name in made and not (row["as_of"] >= made[name]["date"]):
            continue
        image = row["image"]
        system = next(
            (v for k, v in {
                "distroless": "debian", "nvidia/cuda": "ubuntu", "phusion": "ubuntu", "ubi": "rhel", "centos": "centos",
                "jupyter": "ubuntu", "tensorflow": "ubuntu", "pytorch": "ubuntu", "selenium": "ubuntu",
                "continuumio": "debian", "rocker": "ubuntu", "chainguard": "wolfi",
            }.items() if k in image),
            "",
        )  # fmt: skip
        release = re.search(r"(?:ubuntu|debian)(\d+(?:\.\d+)?)", name)
        bare = "distroless" in image or "chainguard" in image
        made[name] = {
            "kind": "estimated" if dated or width >= 0.35 else "measured",
            "bytes": size, "low": round(size * (1 - width)), "high": round(size * (1 + width)), "pull": pull,
            "os": system,
            "release": (DEBIAN.get(release.group(1), release.group(1)) if system == "debian" else release.group(1))
            if release else "",
            "slim": bare, "manager": "" if bare else MANAGERS.get(system, ""),
            "source": row["source"], "date": row["as_of"],
        }  # fmt: skip
        if bare:
            made[name]["shell_less"] = True
        if "chainguard" in image:
            made[name]["user"] = "65532"
        if "jupyter" in image:
            made[name].update(user="jovyan", workdir="/home/jovyan")
    return made


def _dotnet(rows: list[Row]) -> dict[str, Row]:
    """Every tag of the .NET images; the released images follow the nightly baseline within a few per cent."""
    made: dict[str, Row] = {}
    for row in sorted(rows, key=lambda row: (row["last_changed"], row["os_variant"])):
        size = row["uncompressed_bytes"]
        system, release = "debian", ""
        variant = row["os_variant"]
        if match := re.search(r"alpine(\d+\.\d+)?", variant):
            system, release = "alpine", match.group(1) or ""
        elif match := re.search(r"jessie|stretch|buster|bullseye|bookworm|trixie", variant):
            release = match.group(0)
        elif match := re.search(r"bionic|focal|jammy|noble|resolute", variant):
            system, release = "ubuntu", match.group(0)
        elif match := re.search(r"cbl-mariner|azurelinux", variant):
            system = match.group(0)
        page = row["source"]
        bare = bool(re.search(r"chiseled|distroless", variant))
        fact: Row = {
            "kind": "measured",
            "bytes": size,
            "low": round(min(size * 0.95, row["min"])),
            "high": round(max(size * 1.05, row["max"])),
            "pull": None,
            "os": system,
            "release": UBUNTU.get(release, release),
            "slim": True,
            "manager": "" if bare else MANAGERS.get(system, "dnf"),
            "env": {
                "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                "DOTNET_RUNNING_IN_CONTAINER": "true",
            },
            "source": f"{page['repo']} {page['path']} @{(page['commit'] or 'unknown')[:10]}",
            "date": row["last_changed"],
        }
        if bare:
            fact.update(shell_less=True, user="1654")
        for name in [f"{row['image']}:{tag}" for tag in row["tags"]] + row["legacy_names"]:
            made[name] = fact
    return made


UBUNTU = {"trusty": "14.04", "xenial": "16.04", "bionic": "18.04", "focal": "20.04", "jammy": "22.04", "noble": "24.04",
          "resolute": "26.04"}  # fmt: skip


def _page_name(image: str, tag: str) -> str:
    """Name a list that was read as the recipes name it: slim and full Debian hold the same packages."""
    if image == "debian":
        return f"debian:{tag.removesuffix('-slim')}"
    if suite := re.search(r"jessie|stretch|buster|bullseye|bookworm|trixie", tag):
        made = recipe(image, tag)
        return f"{made.name if made else image}:{suite.group(0)}"
    return f"{image}:{tag}"


def _derived(release: str, lists: dict[str, Any]) -> dict[str, Any]:
    """Compute the packages of images made from Debian: what apt installs for their recipes on the distribution's
    list.
    """
    index = suite(release)
    base = lists[f"debian:{release}"]["packages"]
    made: dict[str, Any] = {}
    for _, _, found in RECIPES:
        if index is None or not found.packages:
            continue
        outcome = closure.install(found.packages, base, index, recommends=False)
        added = {name: package.version for name, package in sorted(outcome.marked.items())}
        made[f"{found.name}:{release}"] = {"of": f"debian:{release}", "packages": added}
        if outcome.unknown:
            print(f"{found.name}:{release}: not in {release}: {', '.join(outcome.unknown)}")
    return made


def _write(path: Path, rows: dict[str, Any]) -> None:
    with path.open("w", encoding="utf-8", newline="\n") as out:
        out.write("\n")
        for name in sorted(rows):
            out.write(json.dumps([name, rows[name]], ensure_ascii=False, separators=(",", ":")) + "\n")
    print(f"{path.name}: {len(rows)} rows, {path.stat().st_size:,} bytes")


def main() -> None:
    """Read the inputs named on the command line and write both files."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("base_images", type=Path)
    parser.add_argument("nonofficial", type=Path)
    parser.add_argument("dotnet", type=Path)
    parser.add_argument("base_packages", type=Path, help="folder of package lists")
    args = parser.parse_args()

    facts = _dotnet(json.loads(args.dotnet.read_text())["rows"])
    facts |= _nonofficial(json.loads(args.nonofficial.read_text())["rows"])
    for row in json.loads(args.base_images.read_text()):
        facts[f"{row['image']}:{row['tag']}" if row["image"] != "scratch" else "scratch"] = _official(row)
    _no_surer_than_its_image(facts)
    _write(OUT / "images.jsonl", facts)

    lists: dict[str, Any] = {}
    for path in sorted(args.base_packages.glob("*.json")):
        page = json.loads(path.read_text())
        lists[_page_name(page["image"], page["tag"])] = {"packages": page["packages"]}
    for release in ("bullseye", "bookworm", "trixie"):
        lists |= {name: made for name, made in _derived(release, lists).items() if name not in lists}
    _write(OUT / "packages.jsonl", lists)


if __name__ == "__main__":
    main()
