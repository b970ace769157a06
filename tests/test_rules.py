"""Every rule's examples are test cases: what is bad is reported at its place, what is good is silent, fixes hold."""

from __future__ import annotations

import pytest

from dfopt.config import DEFAULT, Config
from dfopt.context.disk import context_of
from dfopt.context.model import BuildContext
from dfopt.finding import Applicability, Finding, Fix
from dfopt.graph.model import InstructionGraph
from dfopt.lint.fix import applicable, apply_round
from dfopt.lint.registry import load
from dfopt.lint.rule import Bad, Example, Good, Rule
from dfopt.lint.run import build_graph, check_source
from dfopt.source import Source

RULES = load()
CASES = [(rule, example) for rule in RULES for example in rule.examples]
IDS = [f"{rule.name}[{n}]" for rule in RULES for n, _ in enumerate(rule.examples)]


def example_context(example: Example) -> BuildContext | None:
    """Make the build context that an example names, in memory."""
    if example.context is None:
        return None
    return context_of(example.context)


def config_of(rule: Rule, example: Example) -> Config:
    return DEFAULT._replace(build_args=example.build_args, rules={rule.name: example.options}, shellcheck=False)


def graph_of(rule: Rule, text: str, example: Example) -> InstructionGraph:
    return build_graph(Source(text), config_of(rule, example))


def findings_of(rule: Rule, text: str, example: Example) -> list[Finding]:
    """Give the findings of one rule, those included that the language itself or the run makes under its code."""
    config = config_of(rule, example)
    # What judges the suppressions of other rules needs these others.
    config = config._replace(**({"extend_select": (rule.code,)} if rule.after else {"select": (rule.code,)}))
    checked = check_source(Source(text), config, context=example_context(example), registry=RULES)
    assert not checked.crashes, checked.crashes[0].traceback
    return [one for one in checked.findings if one.code == rule.code]


def profile_findings(rule: Rule, text: str, example: Example) -> set[tuple[str, str]]:
    """Give what the default profile reports, without places: a fix may move things."""
    checked = check_source(Source(text), config_of(rule, example), context=example_context(example), registry=RULES)
    assert not checked.crashes, checked.crashes[0].traceback
    return {(one.code, one.name) for one in checked.findings}


@pytest.mark.parametrize(("rule", "example"), CASES, ids=IDS)
def test_example(rule: Rule, example: Good | Bad) -> None:
    findings = findings_of(rule, example.text, example)
    places = [example.text[one.span.start : one.span.end] for one in findings]
    if isinstance(example, Good):
        assert not findings, f"{findings[0].message!r} at {places[0]!r}" + (f"; {example.why}" if example.why else "")
        return
    assert len(findings) == example.count, [(one.message, place) for one, place in zip(findings, places, strict=True)]
    assert example.at in example.text
    first = example.text.index(example.at)
    assert any(one.span == (first, first + len(example.at)) for one in findings), f"reported at {places!r}"
    for one in findings:
        assert one.message
        assert not one.message.endswith("!"), one.message
        assert not one.message.endswith(".") or one.message.endswith("..."), one.message
    if example.fixed is None:
        fixable = [one.fix for one in findings if applicable(one, unsafe=True)]
        assert not fixable, f"fixes ({fixable[0].title}), but the example does not say what comes out"
        return
    assert_fix(rule, example, findings)


def assert_fix(rule: Rule, example: Bad, findings: list[Finding]) -> None:
    fixes = [one.fix for one in findings if one.fix is not None and one.fix.edits]
    assert fixes, "the example has a fixed text, the findings have no fix"
    wanted = Applicability.UNSAFE if example.unsafe else Applicability.SAFE
    assert {fix.applicability for fix in fixes} == {wanted}
    text = example.text
    for _ in range(10):
        fixed, done = apply_round(Source(text), findings_of(rule, text, example), unsafe=example.unsafe)
        if not done or fixed.text == text:
            break
        text = fixed.text
    assert text == example.fixed
    # The loop above ended because nothing was left to apply: fixing again changes nothing. What is left to show is that
    # the rule is content, and that no other rule of the default profile has anything new to say.
    left = findings_of(rule, text, example)
    assert not left, f"still reported after the fix: {left[0].message!r}"
    new = profile_findings(rule, text, example) - profile_findings(rule, example.text, example)
    assert not new, f"the fix brings new findings: {sorted(new)}"
    if not example.unsafe:
        assert_equivalent(rule, example, fixes)


def assert_equivalent(rule: Rule, example: Bad, fixes: list[Fix]) -> None:
    """Ask the abstract build whether a safe fix kept files and configuration, apart from what it says it removes."""
    equivalence = pytest.importorskip("dfopt.rewrite.equivalence")
    before, after = graph_of(rule, example.text, example), graph_of(rule, example.fixed or "", example)
    context = None if example.context is None else context_of(example.context)
    removed = tuple(path for fix in fixes for path in fix.removes)
    verdict = equivalence.equivalent(before, after, context=context, removed=removed)
    assert verdict.ok, verdict.reasons


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
    assert rule.code[0].isupper()
    assert rule.code[1:].isdigit()
    assert len(rule.code) == 4
    assert rule.name == rule.name.lower()
    assert " " not in rule.name
    doc = type(rule).__doc__ or ""
    assert doc.splitlines()[0].endswith("."), "the docstring's first line is one sentence"
    assert any(isinstance(example, Good) for example in rule.examples), "no Good example"
    if rule.code not in WITHOUT_EXAMPLE:
        assert any(isinstance(example, Bad) for example in rule.examples), "no Bad example"
    if any(isinstance(example, Bad) and example.fixed for example in rule.examples):
        assert "Fix safety:" in doc, "a rule that fixes says how safe the fix is"


def test_codes_and_names_are_unique() -> None:
    codes = [rule.code for rule in RULES]
    names = [rule.name for rule in RULES]
    assert len(set(codes)) == len(codes)
    assert len(set(names)) == len(names)
