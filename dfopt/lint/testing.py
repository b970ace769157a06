"""Checks of a rule against its own examples, for the rules of this project and of plugins alike.

``check_rule(rule)`` is a whole test. It raises ``ExampleError``, an ``AssertionError``, and needs no test framework.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from dfopt.config import DEFAULT, Config
from dfopt.context.model import BuildContext
from dfopt.finding import Applicability, Finding
from dfopt.lint.fix import applicable, apply_round
from dfopt.lint.registry import Registry, load
from dfopt.lint.rule import Bad, Example, Good, Rule
from dfopt.lint.run import build_graph, check_source
from dfopt.source import Source

_ROUNDS = 10


class ExampleError(AssertionError):
    """A rule and one of its examples disagree, or the rule lacks something that every rule has."""


def check_rule(rule: Rule | type[Rule]) -> None:
    """Check a rule whole: its form and all its examples. Raises ExampleError at the first thing that is wrong."""
    one = rule() if isinstance(rule, type) else rule
    check_form(one)
    for number, example in enumerate(one.examples):
        try:
            check_example(one, example)
        except ExampleError as error:
            raise ExampleError(f"{one.name}[{number}]: {error}") from None


def check_form(rule: Rule) -> None:
    """Check that a rule has a code, a name, a page and examples of both kinds. Raises ExampleError."""
    code, name, doc = rule.code, rule.name, type(rule).__doc__ or ""
    _demand(
        len(code) == 4 and code[:1].isupper() and code[1:].isdigit(), f"the code {code!r} is no letter and three digits"
    )
    _demand(name == name.lower() and " " not in name, f"the name {name!r} is not in lower case with hyphens")
    _demand(bool(doc) and doc.splitlines()[0].endswith("."), "the docstring's first line is no sentence")
    _demand(any(isinstance(example, Good) for example in rule.examples), "there is no Good example")
    _demand(any(isinstance(example, Bad) for example in rule.examples), "there is no Bad example")
    if any(isinstance(example, Bad) and example.fixed is not None for example in rule.examples):
        _demand("Fix safety:" in doc, "a rule that fixes says how safe the fix is: 'Fix safety: ...' in its docstring")


def check_example(rule: Rule, example: Example) -> None:
    """Check one example: what is bad is reported at its place, what is good is silent, a fix gives what is written.

    A fix must leave no finding of the rule, bring no new one of the default profile, and change nothing when applied
    again; a safe one must pass the abstract build, which compares the files and the configuration of both images.
    Raises ExampleError.
    """
    findings = _findings(rule, example.text, example)
    places = [example.text[one.span.start : one.span.end] for one in findings]
    if not isinstance(example, Bad):
        why = f"; {example.why}" if example.why else ""
        _demand(not findings, f"reports {findings[0].message!r} at {places[0]!r}{why}" if findings else "")
        return
    told = [(one.message, place) for one, place in zip(findings, places, strict=True)]
    _demand(len(findings) == example.count, f"gives {len(findings)} findings, not {example.count}: {told}")
    first = example.text.find(example.at)
    _demand(first >= 0, f"the text has no {example.at!r}")
    wanted = (first, first + len(example.at))
    _demand(any(one.span == wanted for one in findings), f"reports at {places!r}, not at {example.at!r}")
    for one in findings:
        _check_message(one.message)
    if example.fixed is None:
        fixes = [one.fix.title for one in findings if one.fix is not None and applicable(one, unsafe=True)]
        _demand(not fixes, f"fixes ({fixes[:1]}), but the example does not say what comes out")
        return
    _check_fix(rule, example, findings)


def _check_message(message: str) -> None:
    _demand(bool(message), "a finding has no message")
    is_sentence = message.endswith("!") or (message.endswith(".") and not message.endswith("..."))
    _demand(not is_sentence, f"the message {message!r} ends with a dot or an exclamation mark")


def _check_fix(rule: Rule, example: Bad, findings: list[Finding]) -> None:
    fixes = [one.fix for one in findings if one.fix is not None and one.fix.edits]
    _demand(bool(fixes), "the example has a fixed text, but the findings have no fix")
    kind = Applicability.UNSAFE if example.unsafe else Applicability.SAFE
    found = {str(fix.applicability) for fix in fixes}
    _demand(found == {str(kind)}, f"the fixes are {' and '.join(sorted(found))}, the example says {kind}")
    text = example.text
    for _ in range(_ROUNDS):
        fixed, done = apply_round(Source(text), _findings(rule, text, example), unsafe=example.unsafe)
        if not done or fixed.text == text:
            break
        text = fixed.text
    _demand(text == example.fixed, f"the fix gives\n{text!r}, not\n{example.fixed!r}")
    # The loop ended because nothing was left to apply: fixing again changes nothing. What is left to show is that the
    # rule is content, and that no other rule of the default profile has anything new to say.
    left = _findings(rule, text, example)
    _demand(not left, f"still reports after the fix: {left[0].message!r}" if left else "")
    new = _profile_findings(rule, text, example) - _profile_findings(rule, example.text, example)
    _demand(not new, f"the fix brings new findings: {sorted(new)}")
    if not example.unsafe:
        _check_equivalence(rule, example, tuple(path for fix in fixes for path in fix.removes))


def _check_equivalence(rule: Rule, example: Bad, removed: Iterable[str]) -> None:
    """Ask the abstract build whether a safe fix kept files and configuration, apart from what it says it removes."""
    from dfopt.rewrite.equivalence import equivalent

    config = _config(rule, example)
    before = build_graph(Source(example.text), config)
    after = build_graph(Source(example.fixed or ""), config)
    verdict = equivalent(before, after, context=_context(example), removed=tuple(removed))
    _demand(verdict.ok, f"the fix is called safe, but the result differs: {verdict.reasons}")


def _findings(rule: Rule, text: str, example: Example) -> list[Finding]:
    """Give the findings of one rule, those included that the language itself or the run makes under its code."""
    config = _config(rule, example)
    # What judges the suppressions of other rules needs these others.
    config = config._replace(extend_select=(rule.code,)) if rule.after else config._replace(select=(rule.code,))
    return [one for one in _checked(rule, text, example, config) if one.code == rule.code]


def _profile_findings(rule: Rule, text: str, example: Example) -> set[tuple[str, str]]:
    """Give what the default profile reports, without places: a fix may move things."""
    return {(one.code, one.name) for one in _checked(rule, text, example, _config(rule, example))}


def _checked(rule: Rule, text: str, example: Example, config: Config) -> list[Finding]:
    checked = check_source(Source(text), config, context=_context(example), registry=_registry(rule))
    _demand(not checked.crashes, checked.crashes[0].traceback if checked.crashes else "")
    return checked.findings


def _config(rule: Rule, example: Example) -> Config:
    return DEFAULT._replace(build_args=example.build_args, rules={rule.code: example.options}, shellcheck=False)


def _context(example: Example) -> BuildContext | None:
    if example.context is None:
        return None
    from dfopt.context.disk import context_of

    return context_of(example.context)


@lru_cache(maxsize=32)
def _registry(rule: Rule) -> Registry:
    """Give the built-in rules and, where it is none of them, the rule under test."""
    builtin = load()
    if any(type(one) is type(rule) for one in builtin):
        return builtin
    return Registry((*builtin, rule))


def _demand(condition: bool, message: str) -> None:
    if not condition:
        raise ExampleError(message)
