"""Agreement of the computed closures with apt's own answers.

    python -m bench.apt bookworm trixie --requests 200 [--work DIR]

Needs apt. For each suite apt gets a state folder of its own (``data/make_apt.py`` makes it) whose installed packages
are those of the official base image; random requests of one to four packages, with and without recommended packages,
are simulated with ``apt-get -s`` and compared name by name with ``dfopt.predict.closure``, then purged again with
``--auto-remove``. The requests come from a fixed seed; half of them are drawn from the packages most depended on.
"""

from __future__ import annotations

import argparse
import random
import re
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "data"))

from make_apt import configured_mirrors, fetch, options, stanzas

from dfopt.images import facts
from dfopt.predict.closure import install, removal, unneeded
from dfopt.predict.debindex import DebIndex, suite


def status_of(packages: set[str], known: dict[str, dict[str, str]]) -> str:
    """Write a dpkg status file in which the packages are installed."""
    texts = []
    for name in sorted(packages & known.keys()):
        stanza = {**known[name], "Status": "install ok installed"}
        for key in ("Filename", "Size", "MD5sum", "SHA256", "Description-md5", "Tag"):
            stanza.pop(key, None)
        texts.append("\n".join(f"{key}: {value}" for key, value in stanza.items()) + "\n")
    return "\n".join(texts)


def simulate(folder: Path, words: list[str]) -> tuple[set[str], set[str]] | None:
    """Ask apt: the names it would install and those it would remove, or None where it refuses."""
    done = subprocess.run(["apt-get", *options(folder), "-s", "-q", "-y", *words], capture_output=True, text=True)
    if done.returncode != 0:
        return None
    found = [set(re.findall(rf"^{verb} (\S+)", done.stdout, re.M)) for verb in ("Inst", "(?:Remv|Purg)")]
    return found[0], found[1]


def compare_suite(name: str, count: int, work: Path) -> tuple[int, int]:
    """Compare ``count`` requests on one suite; give how many agreed and how many apt answered."""
    folder = work / name
    mirror, security = configured_mirrors()
    indexes, _, _ = fetch(name, mirror, security, folder)
    index = suite(name)
    base = facts(f"debian:{name}")
    if index is None or base is None or not base.packages:
        raise SystemExit(f"{name}: no index or no package list embedded")
    known = {}
    for path in indexes:
        for stanza in stanzas(path):
            real = index.real(stanza["Package"])
            if real is not None and real.version == stanza["Version"]:
                known[stanza["Package"]] = stanza
    installed = {package: known[package]["Version"] for package in base.packages if package in known}
    absent = sorted(set(base.packages) - set(installed))
    if absent:
        print(f"{name}: not in today's index: {', '.join(absent)}")
    chance = random.Random(20261121)
    agreed = answered = refused = 0
    removed_agreed = removed_answered = 0
    for number, (request, recommends) in enumerate(requests(index, sorted(known), count, chance)):
        (folder / "status").write_text(status_of(set(installed), known))
        (folder / "extended_states").write_text("")
        words = ["install", *([] if recommends else ["--no-install-recommends"]), *request]
        answer = simulate(folder, words)
        ours = install(request, installed, index, recommends=recommends)
        if answer is None:
            refused += 1
            continue
        answered += 1
        if answer[0] == set(ours.marked):
            agreed += 1
        else:
            print(f"{name}: {' '.join(words)}: missing {sorted(answer[0] - set(ours.marked))[:8]}, "
                  f"too many {sorted(set(ours.marked) - answer[0])[:8]}")  # fmt: skip
            continue
        if number % 3:
            continue
        after = {**installed, **{package.name: package.version for package in ours.marked.values()}}
        (folder / "status").write_text(status_of(set(after), known))
        marks = "".join(f"Package: {package}\nArchitecture: {known[package]['Architecture'].replace('all', 'amd64')}\n"
                        f"Auto-Installed: 1\n\n" for package in ours.marked if package not in request)  # fmt: skip
        (folder / "extended_states").write_text(marks)
        purge = simulate(folder, ["purge", "--auto-remove", *request])
        if purge is None or purge[0]:
            continue
        gone = removal(request, after, index)
        left = {package: version for package, version in after.items() if package not in gone}
        manual = [package for package in left if package in installed or package in request]
        mine = set(gone) | set(unneeded(manual, left, index))
        removed_answered += 1
        removed_agreed += mine == purge[1]
        if mine != purge[1]:
            print(f"{name}: purge --auto-remove {' '.join(request)}: missing {sorted(purge[1] - mine)[:8]}, "
                  f"too many {sorted(mine - purge[1])[:8]}")  # fmt: skip
    print(f"{name}: install {agreed} of {answered} the same ({refused} requests that apt refuses); "
          f"purge --auto-remove {removed_agreed} of {removed_answered} the same", flush=True)  # fmt: skip
    return agreed, answered


def requests(index: DebIndex, names: list[str], count: int, chance: random.Random) -> list[tuple[list[str], bool]]:
    """Draw requests: half of their names are packages that many others depend on."""
    mentions: dict[str, int] = {}
    for name in names:
        package = index.real(name)
        for group in package.depends if package is not None else ():
            for relation in group:
                mentions[relation.name] = mentions.get(relation.name, 0) + 1
    popular = [name for name in sorted(mentions, key=lambda name: (-mentions[name], name)) if index.real(name)][:2000]
    drawn = []
    for _ in range(count):
        size = chance.choice((1, 1, 2, 3, 4))
        drawn.append(([chance.choice(popular if chance.random() < 0.5 else names) for _ in range(size)],
                      chance.random() < 0.5))  # fmt: skip
    return drawn


def main() -> None:
    """Compare the suites named on the command line and print the agreement."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("suites", nargs="+")
    parser.add_argument("--requests", type=int, default=200)
    parser.add_argument("--work", type=Path)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        results = [compare_suite(name, args.requests, args.work or Path(temporary)) for name in args.suites]
    print(f"all: {sum(same for same, _ in results)} of {sum(asked for _, asked in results)} the same")


if __name__ == "__main__":
    main()
