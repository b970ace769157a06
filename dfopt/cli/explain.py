"""``dfopt explain``: the page of a rule, made from the rule itself."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

from dfopt.cli import USAGE

if TYPE_CHECKING:
    from dfopt.lint.rule import Rule

HELP = "Explain a rule: what it reports, why, examples, fix, options."

LONGEST_LINE = 200
"""A longer line of an example is cut where it is shown."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("rules", nargs="+", metavar="RULE", help="code, name or alias, such as C101, DL3009 or SC2086")
    parser.add_argument("--plugins", action="store_true", help="load rules of installed packages")
    parser.add_argument(
        "--rule-path", dest="rule_paths", action="append", metavar="PATH", help="load rules from Python files"
    )


def run(args: argparse.Namespace) -> int:
    """Print the pages."""
    from dfopt.lint.registry import RuleError, is_shellcheck, load

    try:
        registry = load(tuple(args.rule_paths or ()), plugins=args.plugins)
    except RuleError as error:
        print(f"dfopt: {error}", file=sys.stderr)
        return USAGE
    code = 0
    first = True
    for selector in args.rules:
        found = registry.find(selector)
        if not found and is_shellcheck(selector):
            print(f"{selector.upper()} is a check of ShellCheck: https://www.shellcheck.net/wiki/{selector.upper()}")
            continue
        if not found:
            from difflib import get_close_matches

            names = [word for rule in registry for word in (rule.name, rule.code, *rule.aliases)]
            near = get_close_matches(selector, names, 1)
            hint = f"; did you mean {near[0]!r}?" if near else "; 'dfopt rules' lists them"
            print(f"dfopt: no rule is named {selector!r}{hint}", file=sys.stderr)
            code = USAGE
            continue
        for rule in found:
            print(("" if first else "\n") + "\n".join(page(rule)))
            first = False
    return code


def page(rule: Rule) -> Iterator[str]:
    """Give the lines of a rule's page in Markdown."""
    from dfopt.lint.rule import Bad, Good

    summary, text = rule.page()
    yield f"# {rule.code} {rule.name}"
    yield ""
    yield summary
    if text:
        yield ""
        yield text
    yield ""
    yield f"Severity: {rule.severity}. Profile: {'default' if rule.default else 'strict' if rule.strict else 'all'}."
    yield f"Since: {rule.since}." + (f" Also known as: {', '.join(rule.aliases)}." if rule.aliases else "")
    bad = next((one for one in rule.examples if isinstance(one, Bad) and one.fixed is not None), None)
    bad = bad or next((one for one in rule.examples if isinstance(one, Bad)), None)
    if bad is not None:
        yield from _example("Reported", bad.text, bad.why)
        if bad.fixed is not None:
            yield from _example("Fixed" + (" (an unsafe fix)" if bad.unsafe else ""), bad.fixed, "")
    good = [one for one in rule.examples if isinstance(one, Good)]
    for one in good:
        if one is good[0] or one.why:
            yield from _example("Not reported", one.text, one.why)
    if rule.options:
        yield ""
        yield "## Options"
        yield ""
        for option in rule.options:
            yield f"- `{option.name}` ({option.type.__name__}, default `{option.default!r}`): {option.doc}"


def _example(title: str, text: str, why: str) -> Iterator[str]:
    yield ""
    yield f"## {title}" + (f": {why}" if why else "")
    yield ""
    yield "```dockerfile"
    for line in text.rstrip("\n").split("\n"):
        shown = line if len(line) <= LONGEST_LINE else f"{line[:40]}... ({len(line)} characters)"
        yield shown.encode("utf-8", "backslashreplace").decode()
    yield "```"
