"""The lint run: source in, findings out, in a stable order."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from dfopt.config import DEFAULT, Config
from dfopt.context.model import BuildContext
from dfopt.finding import Applicability, Finding, Fix, Severity
from dfopt.graph.model import BuildOptions, InstructionGraph
from dfopt.lint.registry import Registry, load
from dfopt.lint.rule import Build, Rule
from dfopt.source import Source, Span
from dfopt.syntax.problems import PROBLEMS
from dfopt.syntax.tree import Problem

INTERNAL = "E900"
"""The code of a finding that tells of a defect of a rule or of dfopt itself."""


class Crash(NamedTuple):
    """A defect that the run survived: where it happened and the traceback."""

    where: str
    traceback: str


class Checked(NamedTuple):
    """What a run over one file gives: findings, those that a comment silences with its reason, and crashes."""

    source: Source
    findings: list[Finding]
    graph: InstructionGraph | None = None
    suppressed: tuple[tuple[Finding, str], ...] = ()
    crashes: tuple[Crash, ...] = ()


def lint_source(
    source: Source,
    config: Config = DEFAULT,
    *,
    context: BuildContext | None = None,
    registry: Registry | None = None,
) -> list[Finding]:
    """Check one file: parse, build the graph, run the rules, honour suppressions."""
    return check_source(source, config, context=context, registry=registry).findings


def lint_graph(
    graph: InstructionGraph,
    rules: Iterable[Rule],
    *,
    context: BuildContext | None = None,
    options: Mapping[str, Mapping[str, Any]] | None = None,
    crashes: list[Crash] | None = None,
) -> list[Finding]:
    """Run rules over a graph; ``options`` are the rules' options by rule name.

    A rule that raises gives one finding that says so; its traceback goes to ``crashes``.
    """
    build = Build(graph, context, build_options=graph.options)
    findings: list[Finding] = []
    for rule in rules:
        build.options = _options(rule, options)
        try:
            findings += rule.check(build)
        except Exception as error:
            findings.append(_crashed(f"rule {rule.name}", error, crashes))
    return order(findings)


def check_source(
    source: Source,
    config: Config = DEFAULT,
    *,
    context: BuildContext | None = None,
    registry: Registry | None = None,
) -> Checked:
    """Check one file and give all there is to know about the run."""
    known = registry or load(config.rule_paths, plugins=config.plugins)
    rules = known.select(config.profile, config.select, config.extend_select, config.ignore)
    crashes: list[Crash] = []
    try:
        graph = build_graph(source, config)
    except Exception as error:
        return Checked(source, [_crashed("the analysis", error, crashes)], crashes=tuple(crashes))
    findings = problem_findings(graph, known, config.ignore)
    findings += lint_graph(graph, rules, context=context, options=config.rules, crashes=crashes)
    return Checked(source, order(_unique(findings)), graph, (), tuple(crashes))


def build_graph(source: Source, config: Config = DEFAULT) -> InstructionGraph:
    """Parse a source and build its graph with the configuration's build options."""
    from dfopt.graph import build
    from dfopt.syntax import parse

    options = BuildOptions(config.build_args, config.target, config.platform)
    return build(parse(source), options)


def problem_findings(graph: InstructionGraph, registry: Registry, ignore: Iterable[str] = ()) -> list[Finding]:
    """Give the language's own errors as findings; they are reported in every profile unless ignored by name."""
    silent = {rule.code for selector in ignore for rule in registry.find(selector)} | {one.upper() for one in ignore}
    problems = (*graph.tree.problems, *graph.problems)
    return [_problem(problem, registry) for problem in problems if problem.code not in silent]


def order(findings: Iterable[Finding]) -> list[Finding]:
    """Sort findings by place, then code; equal places keep a fixed order whatever rule ran first."""
    return sorted(findings, key=lambda one: (one.span, one.code, one.message))


def _unique(findings: Iterable[Finding]) -> list[Finding]:
    """Drop a language error that a rule reports as well; the one with a fix stays."""
    kept: dict[tuple[str, Span, str], Finding] = {}
    for finding in findings:
        key = (finding.code, finding.span, "" if finding.code.startswith("E") else finding.message)
        if key not in kept or (kept[key].fix is None and finding.fix is not None):
            kept[key] = finding
    return list(kept.values())


def _problem(problem: Problem, registry: Registry) -> Finding:
    rule = registry.get(problem.code) or PROBLEMS.get(problem.code)
    # A file that does not build has no result to keep, so a repair is a guess at what was meant.
    fix = Fix("Repair", problem.edits, Applicability.UNSAFE) if problem.edits else None
    return Finding(
        problem.code,
        rule.name if rule else "language-error",
        rule.severity if rule else Severity.ERROR,
        problem.message,
        problem.span,
        fix=fix,
    )


def _options(rule: Rule, given: Mapping[str, Mapping[str, Any]] | None) -> Mapping[str, Any]:
    """Give the options of a rule, defaults filled in."""
    values = {option.name: option.default for option in rule.options}
    if given and rule.name in given:
        values.update(given[rule.name])
    return values


def _crashed(where: str, error: Exception, crashes: list[Crash] | None) -> Finding:
    import traceback

    if crashes is not None:
        crashes.append(Crash(where, traceback.format_exc()))
    message = f"{where} failed: {type(error).__name__}: {error}. This is a defect of dfopt, not of the file"
    return Finding(INTERNAL, "internal-error", Severity.ERROR, message, Span(0, 0))
