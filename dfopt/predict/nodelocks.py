"""What a Node project asks for: package.json and the lock files of npm, yarn and pnpm, read as text."""

from __future__ import annotations

import json
import re
from typing import Any, NamedTuple


class Locked(NamedTuple):
    """One package of a lock file; ``dev`` tells that only development needs it."""

    name: str
    version: str
    dev: bool = False


def npm_lock(text: str) -> list[Locked]:
    """Read package-lock.json or npm-shrinkwrap.json of any version; packages of other platforms are left out."""
    data = _object(text)
    found: list[Locked] = []
    if isinstance(data.get("packages"), dict):
        for place, row in data["packages"].items():
            if not place or row.get("link") or "node_modules/" not in place or _is_foreign(row):
                continue
            name = row.get("name") or place.rpartition("node_modules/")[2]
            found.append(Locked(name, str(row.get("version", "")), bool(row.get("dev") or row.get("devOptional"))))
        return found
    waiting = list(data.get("dependencies", {}).items())
    while waiting:
        name, row = waiting.pop(0)
        if not isinstance(row, dict):
            continue
        if not row.get("bundled"):
            found.append(Locked(name, str(row.get("version", "")), bool(row.get("dev"))))
        waiting.extend(row.get("dependencies", {}).items())
    return found


def _is_foreign(row: dict[str, Any]) -> bool:
    return any(
        isinstance(row.get(key), list)
        and row[key]
        and mine not in row[key]
        and all(not item.startswith("!") for item in row[key])
        for key, mine in (("os", "linux"), ("cpu", "x64"), ("libc", "glibc"))
    )


def yarn_lock(text: str) -> list[Locked]:
    """Read yarn.lock of version 1 or of the later YAML form."""
    found = {}
    for block in re.split(r"\n\s*\n", text):
        head = re.search(r'^"?((?:@[^@/"]+/)?[^@"\s]+)@', block, re.MULTILINE)
        version = re.search(r'^  version:? "?([^"\s]+)"?$', block, re.MULTILINE)
        if head and version and "@workspace:" not in block.split("\n")[0] and version.group(1) != "0.0.0-use.local":
            found[head.group(1), version.group(1)] = Locked(head.group(1), version.group(1))
    return list(found.values())


def pnpm_lock(text: str) -> list[Locked]:
    """Read pnpm-lock.yaml without a YAML reader: the keys of its packages."""
    _, _, packages = text.partition("\npackages:")
    packages = packages.split("\nsnapshots:")[0]
    found = []
    for match in re.finditer(
        r"^  '?/?((?:@[^@/\s]+/)?[^@/\s]+)[@/](\d[^:('\s]*)[^\n]*:\n((?:    .*\n?|\n)*)", packages, re.MULTILINE
    ):
        name, version, body = match.groups()
        system = re.search(r"^    os: \[([^\]]*)\]", body, re.MULTILINE)
        processor = re.search(r"^    cpu: \[([^\]]*)\]", body, re.MULTILINE)
        if (system and "linux" not in system.group(1) and "!" not in system.group(1)) or (
            processor and "x64" not in processor.group(1) and "!" not in processor.group(1)
        ):
            continue
        found.append(Locked(name, version.split("_")[0], "dev: true" in body))
    return found


def manifest(text: str) -> tuple[dict[str, str], dict[str, str]]:
    """Read package.json: its dependencies (optional ones included) and those of development, names to ranges."""
    data = _object(text)

    def table(*keys: str) -> dict[str, str]:
        return {
            str(name): str(wanted)
            for key in keys
            if isinstance(data.get(key), dict)
            for name, wanted in data[key].items()
        }

    return table("dependencies", "optionalDependencies"), table("devDependencies")


def _object(text: str) -> dict[str, Any]:
    try:
        data = json.loads(text)
    except ValueError:
        return {}
    return data if isinstance(data, dict) else {}


def fits(version: str, wanted: str) -> bool:
    """Tell whether a version lies in an npm range; what cannot be read (a tag, a URL) is met by every version."""
    return any(all(_meets(version, part) for part in _comparators(choice)) for choice in wanted.split("||"))


def _comparators(text: str) -> list[str]:
    text = re.sub(r"([<>=^~]+)\s+", r"\1", text.strip())
    if match := re.fullmatch(r"(\S+) - (\S+)", text):
        return [f">={match.group(1)}", f"<={match.group(2)}"]
    return text.split()


def _meets(version: str, part: str) -> bool:
    match = re.fullmatch(r"([<>]=?|=|\^|~>?)?v?(\d+)(?:\.(\d+|[xX*]))?(?:\.(\d+|[xX*]))?(?:[-+].*)?", part)
    if match is None:
        return True
    operator = match.group(1) or "="
    numbers = [int(group) for group in match.groups()[1:] if group and group.isdigit()]
    mine = numbers_of(version)
    padded = (*numbers, 0, 0, 0)[:3]
    if operator == "^":
        keep = next((at for at, number in enumerate(padded) if number), 2) + 1
        return mine >= padded and mine[: min(keep, max(1, len(numbers)))] == padded[: min(keep, max(1, len(numbers)))]
    if operator.startswith("~"):
        keep = min(2, len(numbers))
        return mine >= padded and mine[:keep] == padded[:keep]
    if operator == "=":
        return mine[: len(numbers)] == tuple(numbers)
    return {">": mine > padded, ">=": mine >= padded, "<": mine < padded, "<=": mine <= padded}[operator]


def numbers_of(version: str) -> tuple[int, int, int]:
    """Give a version's three numbers."""
    found = [int(text) for text in re.findall(r"\d+", version.split("-")[0].split("+")[0])[:3]]
    first, second, third = (*found, 0, 0, 0)[:3]
    return first, second, third
