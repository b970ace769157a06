"""``dfopt rules``: the table of all rules."""

from __future__ import annotations

import argparse
import json
import sys
from typing import TYPE_CHECKING, Any

from dfopt.cli import USAGE

if TYPE_CHECKING:
    from dfopt.lint.rule import Rule

HELP = "List the rules: code, name, severity, whether it fixes, and what it reports."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    from dfopt.cli.options import version
    from dfopt.config import PROFILES

    parser.add_argument("selectors", nargs="*", metavar="RULE", help="codes, names, aliases or letters (default: all)")
    parser.add_argument("--profile", choices=PROFILES, help="only the rules of a profile")
    parser.add_argument(
        "--rules-as-of", type=version, metavar="VERSION", help="the version whose rules are no previews"
    )
    parser.add_argument("--preview", action="store_true", help="with --profile, add the previews that would join it")
    parser.add_argument("--format", choices=("text", "json", "markdown"), default="text", help="output format")
    parser.add_argument("--plugins", action="store_true", help="load rules of installed packages")
    parser.add_argument(
        "--rule-path", dest="rule_paths", action="append", metavar="PATH", help="load rules from Python files"
    )


def run(args: argparse.Namespace) -> int:
    """Print the table."""
    from dfopt.lint.registry import RuleError, load

    try:
        registry = load(tuple(args.rule_paths or ()), plugins=args.plugins)
    except RuleError as error:
        print(f"dfopt: {error}", file=sys.stderr)
        return USAGE
    chosen = registry.select(args.profile or "all", as_of=args.rules_as_of, preview=args.preview or not args.profile)
    if args.selectors:
        wrong = registry.unknown(args.selectors)
        if wrong:
            print(f"dfopt: no rule is named {wrong[0]!r}", file=sys.stderr)
            return USAGE
        wanted = {rule for selector in args.selectors for rule in registry.find(selector)}
        chosen = tuple(rule for rule in chosen if rule in wanted)
    rows = [row(rule, args.rules_as_of) for rule in chosen]
    if args.format == "json":
        print(json.dumps(rows, indent=1))
    elif args.format == "markdown":
        print("| code | name | severity | profile | fix | what it reports | also known as |")
        print("|---|---|---|---|---|---|---|")
        for one in rows:
            aliases = ", ".join(one["aliases"])
            cells = (one["code"], one["name"], one["severity"], _profile(one), one["fix"], one["summary"], aliases)
            print("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    else:
        _table(rows)
    return 0


def row(rule: Rule, as_of: str | None = None) -> dict[str, Any]:
    """Give what the table says of a rule; ``as_of`` is the version whose rules are no previews."""
    from dfopt.lint.registry import is_preview
    from dfopt.lint.rule import Bad

    fixes = {
        ("unsafe" if one.unsafe else "safe") for one in rule.examples if isinstance(one, Bad) and one.fixed is not None
    }
    return {
        "code": rule.code,
        "name": rule.name,
        "severity": str(rule.severity),
        "profile": "default" if rule.default else "strict" if rule.strict else "all",
        "preview": is_preview(rule, as_of),
        "fix": ""
        if not fixes
        else "safe"
        if fixes == {"safe"}
        else "unsafe"
        if fixes == {"unsafe"}
        else "safe or unsafe",
        "summary": rule.page()[0],
        "aliases": list(rule.aliases),
        "since": rule.since,
        "options": [
            {
                "name": option.name,
                "type": option.type.__name__,
                "default": _plain(option.default),
                "meaning": option.doc,
            }
            for option in rule.options
        ],
    }


def _plain(value: Any) -> Any:
    return sorted(value) if isinstance(value, (set, frozenset)) else value


def _profile(one: dict[str, Any]) -> str:
    return f"{one['profile']} (preview)" if one["preview"] else str(one["profile"])


def _table(rows: list[dict[str, Any]]) -> None:
    rows = [{**one, "profile": _profile(one)} for one in rows]
    heads = ("code", "name", "severity", "profile", "fix")
    widths = [max((len(str(one[head])) for one in rows), default=0) for head in heads]
    widths = [max(width, len(head)) for width, head in zip(widths, heads, strict=True)]
    print("  ".join(head.ljust(width) for head, width in zip(heads, widths, strict=True)) + "  summary")
    for one in rows:
        cells = "  ".join(str(one[head]).ljust(width) for head, width in zip(heads, widths, strict=True))
        print(f"{cells}  {one['summary']}")
    print(f"\n{len(rows)} rules; 'dfopt explain CODE' tells more about one of them")
