"""Makes the pages of the rules from the rules: one page each, and the index.

python docs/make_pages.py [--check]

``--check`` writes nothing and fails where a page is stale, missing or left over.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from dfopt.cli.explain import page
from dfopt.lint.registry import load
from dfopt.lint.rule import Rule

HERE = Path(__file__).parent / "rules"
TOPICS = {
    "B": "Base images",
    "C": "Build cache",
    "D": "Metadata and files",
    "E": "Errors of the language",
    "F": "Style and suppressions",
    "L": "Layers",
    "M": "Stages",
    "P": "Packages",
    "S": "Shell",
    "X": "Security",
}


def fix_kind(rule: Rule) -> str:
    """Tell how a rule's examples say it fixes: safe, unsafe or not."""
    kinds = {"unsafe" if example.unsafe else "safe" for example in rule.examples if getattr(example, "fixed", None)}
    return " and ".join(sorted(kinds)) or "-"


def index(rules: list[Rule]) -> Iterator[str]:
    """Give the lines of the index: a table per topic."""
    yield "# Rules"
    yield ""
    fixing = sum(fix_kind(rule) != "-" for rule in rules)
    default = sum(rule.default for rule in rules)
    yield f"{len(rules)} rules, {default} of them in the default profile; {fixing} fix what they report."
    for letter, title in TOPICS.items():
        yield ""
        yield f"## {letter}: {title}"
        yield ""
        yield "| code | name | severity | profile | fix | what it reports | also known as |"
        yield "|---|---|---|---|---|---|---|"
        for rule in rules:
            if rule.code.startswith(letter):
                profile = "default" if rule.default else "strict" if rule.strict else "all"
                summary = rule.page()[0].replace("|", "\\|")
                yield (
                    f"| [{rule.code}]({rule.code}.md) | {rule.name} | {rule.severity} | {profile} | {fix_kind(rule)} "
                    f"| {summary} | {', '.join(rule.aliases)} |"
                )


def pages() -> dict[Path, str]:
    """Give all pages with their texts."""
    rules = list(load())
    made = {HERE / f"{rule.code}.md": "\n".join(page(rule)).replace("\r", "").rstrip() + "\n" for rule in rules}
    made[HERE / "index.md"] = "\n".join(index(rules)) + "\n"
    return made


def main() -> int:
    """Write the pages, or tell which are stale."""
    # Bytes, because examples about line endings hold carriage returns and others bytes that are not UTF-8.
    made = {path: text.encode("utf-8", "surrogateescape") for path, text in pages().items()}
    present = set(HERE.glob("*.md"))
    stale = [path for path, text in made.items() if not path.exists() or path.read_bytes() != text]
    left = sorted(present - made.keys())
    if "--check" in sys.argv[1:]:
        for path in [*stale, *left]:
            print(f"{path.relative_to(HERE.parent.parent)} is stale: run python docs/make_pages.py")
        return 1 if stale or left else 0
    HERE.mkdir(exist_ok=True)
    for path in stale:
        path.write_bytes(made[path])
    for path in left:
        path.unlink()
    print(f"{len(made)} pages, {len(stale)} written, {len(left)} removed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
