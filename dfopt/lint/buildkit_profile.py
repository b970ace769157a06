"""The profile ``buildkit``: what ``docker build --check`` says of a file, as findings.

Codes are the names of BuildKit's checks, places the lines that it names. Where BuildKit's run ends with an error, so
does the profile: with that error, and with the checks that came before it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from dfopt.config import DEFAULT, Config
from dfopt.context.model import BuildContext
from dfopt.finding import Finding, Severity
from dfopt.graph.model import InstructionGraph
from dfopt.lint.buildkit import CHECKS, ImagePlatform, Match, verdict
from dfopt.lint.registry import Registry
from dfopt.lint.rule import Suppression
from dfopt.lint.rule_fixes import RuleFixes
from dfopt.lint.suppression import read_suppressions
from dfopt.source import Source, Span
from dfopt.syntax.ignorefile import IgnoreFile
from dfopt.syntax.tree import Dockerfile, Problem

BAD_OPTIONS = "E052"
"""The code of check options that cannot be read."""


class Answer(NamedTuple):
    """What BuildKit says: the matches, the error that ends its run, and whether the options make matches an error."""

    matches: tuple[Match, ...]
    problem: Problem | None = None
    bad_options: str = ""
    is_error: bool = False


def answer(
    graph: InstructionGraph,
    *,
    ignore: IgnoreFile | None = None,
    image_platform: ImagePlatform | None = None,
    comments: bool = True,
) -> Answer:
    """Give what BuildKit answers when it is asked to check a file; ``comments`` as in ``buildkit.verdict``."""
    broken = next((problem for problem in graph.tree.problems if problem.stage == "parse"), None)
    typing: tuple[int, Problem] | None = None
    if broken is None:
        typing = next(
            (
                (at, problem)
                for at, instruction in enumerate(graph.tree.instructions)
                for problem in instruction.problems
                if problem.stage == "instructions"
            ),
            None,
        )
    found = verdict(
        graph,
        ignore=ignore,
        image_platform=image_platform,
        typing_error=None if typing is None else typing[0],
        comments=comments,
    )
    if found.bad_config:
        return Answer((), None, found.bad_config)
    if broken is not None:
        return Answer((), broken)
    return Answer(found.matches, typing[1] if typing else found.problem, "", found.is_error)


def findings(
    graph: InstructionGraph, registry: Registry, context: BuildContext | None = None, config: Config = DEFAULT
) -> list[Finding]:
    """Give the findings of the profile; the fixes are those of this project's rules for the same places."""
    ignore = context.ignore if context is not None else None
    said = answer(graph, ignore=ignore, comments=config.inline_ignores)
    source = graph.tree.source
    if said.bad_options:
        return [_bad_options(graph, said.bad_options)]
    result = []
    fixes = RuleFixes(graph, registry, context)
    for match in said.matches:
        severity = Severity.ERROR if said.is_error else Severity.WARNING
        name = _name(match.check, registry)
        span = _lines(source, match)
        result.append(Finding(match.check, name, severity, match.message, span, fix=fixes.of(match.check, match.span)))
    if said.problem is not None:
        from dfopt.lint.run import problem_finding

        result.append(problem_finding(said.problem, registry))
    return result


def ignored(codes: Iterable[str], registry: Registry) -> frozenset[str]:
    """Give the checks that selectors name, by their own names or by those of this project's rules."""
    words = {word.strip().lower() for word in codes}
    rules = [rule for word in words for rule in registry.find(word)]
    names = {alias for rule in rules for alias in rule.aliases if alias in CHECKS}
    return frozenset(names | {name for name in CHECKS if name.lower() in words} | {rule.code for rule in rules})


def suppressions(tree: Dockerfile) -> tuple[Suppression, ...]:
    """Give the comments that silence findings afterwards; BuildKit's own are part of its answer."""
    return tuple(one for one in read_suppressions(tree) if one.kind == "dfopt")


def _name(check: str, registry: Registry) -> str:
    rules = registry.find(check)
    if len(rules) == 1:
        return rules[0].name
    return "-".join(word.lower() for word in re.findall("[A-Z]+(?![a-z])|[A-Z][a-z]+", check))


def _lines(source: Source, match: Match) -> Span:
    """Give the lines that BuildKit names as a span without the blanks around them."""
    whole = match.instruction.span
    first, last = match.lines[0], match.lines[-1]
    if (source.line_of(whole.start), source.line_of(whole.end)) == (first, last):
        return whole
    start, end = source.offset(first), source.line_end(last)
    text = source.text[start:end]
    return Span(start + len(text) - len(text.lstrip()), end)


def _bad_options(graph: InstructionGraph, reason: str) -> Finding:
    span = next((one.span for one in graph.tree.directives if one.name == "check"), Span(0, 0))
    return Finding(BAD_OPTIONS, "malformed-check-options", Severity.ERROR, reason, span)
