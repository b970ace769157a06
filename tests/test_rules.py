"""Every rule's examples are test cases: what is bad is reported at its place, what is good is silent, fixes hold."""

from __future__ import annotations

import pytest

import dfopt
from dfopt.lint.registry import load
from dfopt.lint.rule import Bad, Good, Rule
from dfopt.lint.testing import ExampleError, check_example, check_form

RULES = load()
CASES = [(rule, example) for rule in RULES for example in rule.examples]
IDS = [f"{rule.name}[{n}]" for rule in RULES for n, _ in enumerate(rule.examples)]


@pytest.mark.parametrize(("rule", "example"), CASES, ids=IDS)
def test_example(rule: Rule, example: Good | Bad) -> None:
    check_example(rule, example)


WITHOUT_EXAMPLE = {
    "E006": "only an escape character at the end of a file leads there",
    "E037": "the graph says more precisely what is wrong with a mount",
    "E050": "shown by shell-form rules",
    "E200": "no-instructions and no-stages say it first",
    "E206": "needs a target on the command line",
    "E221": "only on Windows",
}


@pytest.mark.parametrize("rule", RULES.rules, ids=[rule.name for rule in RULES])
def test_rule_is_whole(rule: Rule) -> None:
    """A rule has a page, a code of one letter and three digits, and examples of both kinds."""
    if rule.code in WITHOUT_EXAMPLE:
        with pytest.raises(ExampleError, match="no Bad example"):
            check_form(rule)
        return
    check_form(rule)


def test_codes_and_names_are_unique() -> None:
    codes = [rule.code for rule in RULES]
    names = [rule.name for rule in RULES]
    assert len(set(codes)) == len(codes)
    assert len(set(names)) == len(names)


@pytest.mark.parametrize(
    ("install", "said"),
    [
        ("go mod download", "every edited file repeats go mod download: copy go.mod, go.sum first"),
        ("python3 -m pip install -r r.txt", "every edited file repeats pip install: copy r.txt first"),
        ("mvn -B dependency:go-offline", "repeats mvn dependency:go-offline: copy pom.xml, settings.xml first"),
        ("yarn", "every edited file repeats yarn: copy package.json, yarn.lock first"),
    ],
)
def test_a_repeated_install_is_named_as_people_call_it(install: str, said: str) -> None:
    found = dfopt.lint(f"FROM debian:12\nWORKDIR /app\nCOPY . .\nRUN {install}\n", select=["C101"])
    assert [said in finding.message for finding in found] == [True]
