"""Makes the embedded index of Debian suites: ``dfopt/predict/data/debian-SUITE.index``.

    python data/make_apt.py bookworm trixie bullseye [--mirror URI] [--security URI]

The indexes are fetched and verified by apt itself, in a state folder of its own, from the mirror that this machine's
apt is configured with (or the one given). Needs apt, its keyring, and some 200 MB below the folder for work.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import tempfile
import zlib
from collections.abc import Iterator
from pathlib import Path

from dfopt.predict.debversion import compare

OUT = Path(__file__).resolve().parent.parent / "dfopt" / "predict" / "data"
KEYRINGS = ("/usr/share/keyrings/debian-archive-keyring.gpg", "/usr/share/keyrings/debian-archive-keyring.pgp")
BLOCK_BYTES = 24 * 1024
DICTIONARY_BYTES = 32 * 1024
# The order in which apt reads a stanza's fields; the rank of a name is that of its first mention.
MENTIONS = (
    "Depends",
    "Pre-Depends",
    "Suggests",
    "Recommends",
    "Conflicts",
    "Breaks",
    "Replaces",
    "Enhances",
    "Provides",
)
PRIORITIES = {"required": 0, "important": 1, "standard": 2, "optional": 3, "extra": 4}
KEPT = ("Essential", "Important", "Protected")
OPERATORS = {"=": "=", ">=": ">", "<=": "<", ">>": "}", "<<": "{"}

Stanza = dict[str, str]


def configured_mirrors() -> tuple[str, str]:
    """Read the first mirror and the one of the security suites from apt's own configuration."""
    uris: list[tuple[str, str]] = []
    folder = Path("/etc/apt")
    for path in sorted(folder.glob("sources.list.d/*.sources")):
        for block in path.read_text().split("\n\n"):
            uri = re.search(r"^URIs:\s*(\S+)", block, re.M)
            suites = re.search(r"^Suites:\s*(.+)", block, re.M)
            if uri and suites:
                uris.append((uri.group(1), suites.group(1)))
    for path in (folder / "sources.list", *sorted(folder.glob("sources.list.d/*.list"))):
        if path.exists():
            uris += re.findall(r"^deb\s+(?:\[.*?\]\s+)?(\S+)\s+(\S+)", path.read_text(), re.M)
    security = [uri for uri, suites in uris if "-security" in suites or "/updates" in suites]
    main = [uri for uri, suites in uris if re.match(r"(bullseye|bookworm|trixie|stable|oldstable)\b(?!-sec)", suites)]
    if not main or not security:
        raise SystemExit("apt's configuration names no Debian mirror: give --mirror and --security")
    return main[0], security[0]


def fetch(suite: str, mirror: str, security: str, folder: Path) -> tuple[list[Path], int, str]:
    """Let apt fetch a suite's indexes; give them in apt's order, the bytes of the lists folder and the Release date."""
    for part in ("lists/partial", "cache/archives/partial"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    (folder / "status").touch()
    keyring = next(path for path in KEYRINGS if Path(path).exists())
    (folder / "sources.list").write_text(
        f"deb [signed-by={keyring}] {mirror} {suite} main\n"
        f"deb [signed-by={keyring}] {mirror} {suite}-updates main\n"
        f"deb [signed-by={keyring}] {security} {suite}-security main\n"
    )
    subprocess.run(["apt-get", *options(folder), "-qq", "update"], check=True)
    lists = folder / "lists"
    size = sum(path.stat().st_size for path in lists.rglob("*") if path.is_file())
    indexes = [next(lists.glob(f"*_dists_{name}_main_binary-amd64_Packages*"))
               for name in (suite, f"{suite}-updates", f"{suite}-security")]  # fmt: skip
    dates = [re.search(r"^Date: (.+)$", path.read_text(), re.M) for path in sorted(lists.glob("*InRelease"))]
    return indexes, size, "; ".join(match.group(1) for match in dates if match)


def options(folder: Path) -> list[str]:
    """Give the options that make apt use a folder of its own and nothing of this machine but its keyring."""
    settings = {
        "Dir::Etc::sourcelist": folder / "sources.list", "Dir::Etc::sourceparts": "/dev/null",
        "Dir::Etc::preferencesparts": "/dev/null", "Dir::State": folder, "Dir::State::lists": folder / "lists",
        "Dir::State::status": folder / "status", "Dir::State::extended_states": folder / "extended_states",
        "Dir::Cache": folder / "cache", "APT::Architecture": "amd64", "Acquire::Languages": "none",
        "APT::Architectures": "amd64",
        "Acquire::Check-Valid-Until": "false", "Acquire::Check-Date": "false", "Debug::NoLocking": "true",
        # As the official images set it: indexes stay compressed, suggestions do not keep packages.
        "Acquire::GzipIndexes": "true", "APT::AutoRemove::SuggestsImportant": "false",
    }  # fmt: skip
    return [word for key, value in settings.items() for word in ("-o", f"{key}={value}")]


def stanzas(index: Path) -> Iterator[Stanza]:
    """Read the stanzas of a Packages file in whatever compression apt left it."""
    text = subprocess.run(
        ["/usr/lib/apt/apt-helper", "cat-file", index], check=True, capture_output=True
    ).stdout.decode()
    for block in text.split("\n\n"):
        stanza: Stanza = {}
        for line in block.split("\n"):
            if line and not line[0].isspace():
                key, _, value = line.partition(":")
                stanza[key] = value.strip()
        if stanza:
            yield stanza


def names(field: str) -> list[str]:
    """List the names of a relation field in order."""
    return [re.split(r"[\s(:\[]", part.strip(), maxsplit=1)[0] for part in re.split(r"[,|]", field) if part.strip()]


def encode(field: str, own: str) -> str:
    """Write a relation field in the short form that ``dfopt.predict.debindex`` reads."""
    groups = []
    for group in field.split(","):
        parts = []
        for part in group.split("|"):
            match = re.fullmatch(r"\s*([^\s(:\[]+)(?::\w+)?\s*(?:\((\S+?)\s*([^)\s]+)\))?.*", part)
            if match is None:
                continue
            name, operator, version = match.groups()
            sign = OPERATORS[operator] if operator else ""
            parts.append(name + sign + ("" if sign == "=" and version == own else version or ""))
        if parts:
            groups.append("|".join(parts))
    return ",".join(groups)


def build(suite: str, indexes: list[Path], list_bytes: int, date: str) -> bytes:
    """Write one suite as one file."""
    ranks: dict[str, int] = {}
    best: dict[str, Stanza] = {}
    for index in indexes:
        for stanza in stanzas(index):
            name = stanza["Package"]
            for mentioned in (name, *(found for key in MENTIONS for found in names(stanza.get(key, "")))):
                ranks.setdefault(mentioned, len(ranks))
            if name not in best or compare(stanza["Version"], best[name]["Version"]) > 0:
                best[name] = stanza
    provided: dict[str, list[str]] = {}
    for name, stanza in best.items():
        for virtual in dict.fromkeys(names(stanza.get("Provides", ""))):
            provided.setdefault(virtual, []).append(name)

    def preference(name: str) -> tuple[int, int]:
        return PRIORITIES.get(best[name].get("Priority", "extra"), 4), -ranks[name]

    lines = []
    for name in sorted(best.keys() | provided.keys()):
        stanza = best.get(name, {})
        own = stanza.get("Version", "")
        relations = [encode(stanza.get(key, ""), own) for key in ("Depends", "Pre-Depends", "Recommends", "Provides")]
        conflicts = encode(",".join(filter(None, (stanza.get("Conflicts"), stanza.get("Breaks")))), own)
        providers = sorted(provided.get(name, []), key=preference)
        lines.append("\t".join((
            name, own, stanza.get("Installed-Size", ""), stanza.get("Size", ""),
            stanza.get("Priority", "")[:1] + ("!" if any(stanza.get(flag) == "yes" for flag in KEPT) else ""),
            *relations, conflicts, ",".join(providers),
        )))  # fmt: skip
    dictionary = _dictionary(lines)
    beginnings, blocks, block = [], [], []
    size = 0
    for line in lines:
        if not block:
            beginnings.append(line.partition("\t")[0])
        block.append(line)
        size += len(line) + 1
        if size >= BLOCK_BYTES or line is lines[-1]:
            pack = zlib.compressobj(9, zdict=dictionary)
            blocks.append(pack.compress("\n".join(block).encode()) + pack.flush())
            block, size = [], 0
    index_names = zlib.compress("\n".join(beginnings).encode(), 9)
    packed_dictionary = zlib.compress(dictionary, 9)
    head = {
        "format": 1, "suite": suite, "packages": len(best), "list_bytes": list_bytes, "release_dates": date,
        "source": "Packages indexes (main, amd64) of the suite, its updates and its security updates, by apt",
        "licence": "facts of the Debian archive, free to use", "names": len(index_names),
        "dictionary": len(packed_dictionary), "blocks": [len(packed) for packed in blocks],
    }  # fmt: skip
    return json.dumps(head).encode() + b"\n" + index_names + packed_dictionary + b"".join(blocks)


def _dictionary(lines: list[str]) -> bytes:
    """Gather the relations that occur most, the commonest last, where zlib finds them with the shortest distance."""
    count: dict[str, int] = {}
    for line in lines:
        for field in line.split("\t")[5:10]:
            for part in field.split(","):
                if len(part) > 4:
                    count[part] = count.get(part, 0) + 1
    common = sorted(count, key=lambda part: count[part] * (len(part) - 2), reverse=True)
    taken, size = [], 0
    for part in common:
        if size + len(part) + 1 > DICTIONARY_BYTES:
            break
        taken.append(part)
        size += len(part) + 1
    return ",".join(reversed(taken)).encode()


def main() -> None:
    """Fetch and write the suites named on the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("suites", nargs="+")
    parser.add_argument("--mirror", help="where the suite and its updates are (default: apt's configuration)")
    parser.add_argument("--security", help="where its security updates are (default: apt's configuration)")
    parser.add_argument("--work", type=Path, help="folder to keep apt's state in (default: a temporary one)")
    args = parser.parse_args()
    mirror, security = (args.mirror, args.security) if args.mirror and args.security else configured_mirrors()
    OUT.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as temporary:
        for suite in args.suites:
            folder = (args.work or Path(temporary)) / suite
            indexes, list_bytes, date = fetch(suite, args.mirror or mirror, args.security or security, folder)
            data = build(suite, indexes, list_bytes, date)
            (OUT / f"debian-{suite}.index").write_bytes(data)
            print(f"{suite}: {len(data):,} bytes, lists {list_bytes:,} bytes")


if __name__ == "__main__":
    main()
