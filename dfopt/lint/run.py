"""The lint run: source in, findings out, in a stable order."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple

from msgspec.structs import replace

from dfopt.config import DEFAULT, Config
from dfopt.context.model import BuildContext
from dfopt.finding import Applicability, Finding, Fix, Severity
from dfopt.graph.model import BuildOptions, InstructionGraph
from dfopt.graph.problems import FOLLOWS
from dfopt.graph.problems import PROBLEMS as GRAPH_PROBLEMS
from dfopt.lint.registry import Registry, is_shellcheck, load
from dfopt.lint.rule import Build, Rule, Suppression
from dfopt.lint.suppression import apply_suppressions, read_suppressions
from dfopt.source import Source, Span
from dfopt.syntax.problems import PROBLEMS
from dfopt.syntax.tree import Problem

if TYPE_CHECKING:
    from dfopt.lint.shellcheck import Body, Cache, ShellCheckRun

NO_REASON = "F903"
"""The rule that ``require-reason`` switches on."""

FOREIGN = {"buildkit": "dfopt.lint.buildkit_profile", "hadolint": "dfopt.lint.hadolint"}
"""Profiles that are another tool's answer, with the modules that give it."""

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
    problems: tuple[str, ...] = ()
    """What went wrong beside the file: ShellCheck that cannot be started."""


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
    registry: Registry | None = None,
    suppressions: tuple[Suppression, ...] = (),
) -> list[Finding]:
    """Run rules over a graph; ``options`` are the rules' options by code, name or alias.

    A rule that raises gives one finding that says so; its traceback goes to ``crashes``.
    """
    build = Build(graph, context, build_options=graph.options, suppressions=suppressions)
    given = _options_by_code(options, registry) if options else {}
    findings: list[Finding] = []
    for rule in rules:
        build.options = _options(rule, given)
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
    shellcheck: ShellCheck | None = None,
) -> Checked:
    """Check one file and give all there is to know about the run."""
    return check_sources([Task(source, config, context)], registry=registry, shellcheck=shellcheck)[0]


def check_sources(
    tasks: Sequence[Task], *, registry: Registry | None = None, shellcheck: ShellCheck | None = None
) -> list[Checked]:
    """Check several files. ShellCheck reads all their scripts in one process while our own rules run.

    Without ``shellcheck`` it runs only where a configuration asks for it.
    """
    started = [_Run(task, registry or load(task.config.rule_paths, plugins=task.config.plugins)) for task in tasks]
    if shellcheck is None and any(task.config.shellcheck for task in tasks):
        shellcheck = ShellCheck.found()
    pending = None
    if shellcheck is not None:
        pending = shellcheck.run(body for number, one in enumerate(started) for body in one.scripts(number))
    try:
        for one in started:
            one.run_rules()
        comments = pending.findings() if pending is not None else {}
    finally:
        if pending is not None:
            pending.close()
    problem = pending.problem if pending is not None else ""
    return [one.finish(comments.get(number, []), problem) for number, one in enumerate(started)]


class Task(NamedTuple):
    """One file to check."""

    source: Source
    config: Config = DEFAULT
    context: BuildContext | None = None


class _Run:
    """The run over one file between its steps."""

    def __init__(self, task: Task, registry: Registry) -> None:
        self.task, self.registry = task, registry
        config = task.config
        select = () if self.foreign else config.select
        self.rules = _selected(
            registry,
            config.profile,
            select if select is None else tuple(select),
            tuple(config.extend_select),
            tuple(config.ignore),
            config.rules_as_of,
            config.preview,
        )
        if config.require_reason and (rule := registry.get(NO_REASON)) and rule not in self.rules:
            self.rules = (*self.rules, rule)
        self.crashes: list[Crash] = []
        self.findings: list[Finding] = []
        self.graph: InstructionGraph | None = None
        self.shell = False
        try:
            self.graph = build_graph(task.source, config)
        except Exception as error:
            self.findings.append(_crashed("the analysis", error, self.crashes))

    @property
    def foreign(self) -> bool:
        """Tell whether another tool's answer is asked for instead of a set of rules."""
        return self.task.config.profile in FOREIGN and self.task.config.select is None

    def scripts(self, number: int) -> list[Body]:
        """Give the scripts that ShellCheck is to read for the file of this number, and remember that it does."""
        config = self.task.config
        self.shell = self.graph is not None and config.shellcheck is not False and _shell_selected(config)
        if not self.shell or self.graph is None:
            return []
        source = "dfopt.lint.hadolint" if self.foreign and config.profile == "hadolint" else "dfopt.lint.shellcheck"
        found: list[Body] = import_module(source).bodies(self.graph, number)
        return found

    def run_rules(self) -> None:
        """Run the rules over the graph."""
        if self.graph is None:
            return
        config = self.task.config
        if self.foreign:
            self.findings += self._foreign_findings(self.graph)
        else:
            self.findings += problem_findings(self.graph, self.registry, config.ignore)
        rules = [rule for rule in self.rules if not rule.after]
        self.findings += lint_graph(
            self.graph, rules, context=self.task.context, options=config.rules, crashes=self.crashes,
            registry=self.registry,
        )  # fmt: skip

    def _foreign_findings(self, graph: InstructionGraph) -> list[Finding]:
        """Ask the module of another tool's profile; a check that our rules run besides is left to them."""
        profile = import_module(FOREIGN[self.task.config.profile])
        try:
            found: list[Finding] = profile.findings(graph, self.registry, self.task.context, self.task.config)
        except Exception as error:
            return [_crashed(f"the profile {self.task.config.profile}", error, self.crashes)]
        silent = profile.ignored((*self.task.config.ignore, *(rule.code for rule in self.rules)), self.registry)
        return [one for one in found if one.code not in silent]

    def finish(self, comments: list[Finding], problem: str) -> Checked:
        """Put everything together: severities, suppressions, order."""
        config, source = self.task.config, self.task.source
        silent = {one.upper() for one in config.ignore}
        findings = [*self.findings, *(one for one in comments if one.code not in silent and "SC" not in silent)]
        findings = order(_unique(self._releveled(findings)))
        silenced: list[tuple[Finding, str]] = []
        if self.graph is not None and config.inline_ignores:
            read = import_module(FOREIGN[config.profile]).suppressions if self.foreign else read_suppressions
            found: tuple[Suppression, ...] = read(self.graph.tree)
            if found:
                findings, silenced = self._suppress(findings, found)
        problems = (problem,) if problem else ()
        return Checked(source, findings, self.graph, tuple(silenced), tuple(self.crashes), problems)

    def _suppress(
        self, findings: list[Finding], found: tuple[Suppression, ...]
    ) -> tuple[list[Finding], list[tuple[Finding, str]]]:
        assert self.graph is not None
        # Whether the rules that judge comments need one themselves shows too late to be said of it.
        active = {rule.code for rule in self.rules if not rule.after} | ({"SC"} if self.shell else set())
        outcome = apply_suppressions(findings, found, self.registry, active)
        after = [rule for rule in self.rules if rule.after]
        if not after:
            return outcome.kept, outcome.silenced
        said = lint_graph(
            self.graph, after, context=self.task.context, options=self.task.config.rules, crashes=self.crashes,
            registry=self.registry, suppressions=outcome.comments,
        )  # fmt: skip
        # What these rules say of a comment can be silenced for the file, never by the comment itself.
        whole = [one for one in found if one.form == "ignore-file" and one.selectors]
        rest = apply_suppressions(self._releveled(said), whole, self.registry, active)
        return order([*outcome.kept, *rest.kept]), [*outcome.silenced, *rest.silenced]

    def _releveled(self, findings: list[Finding]) -> list[Finding]:
        """Put the severities in that the configuration asks for."""
        wanted = self.task.config.severity
        if not wanted:
            return findings
        levels: dict[str, Severity] = {}
        for selector, level in wanted.items():
            levels.update((code, level) for code in self.registry.codes(selector))
        return [
            replace(one, severity=levels[one.code]) if one.code in levels and one.code != INTERNAL else one
            for one in findings
        ]


class ShellCheck(NamedTuple):
    """The ShellCheck that a run uses, with the cache of its answers."""

    program: str
    cache: Cache | None

    @classmethod
    def found(cls, *, cached: bool = True) -> ShellCheck | None:
        """Give the ShellCheck of this machine, None where there is none."""
        from dfopt.lint.shellcheck import Cache, find_shellcheck

        program = find_shellcheck()
        if program is None:
            return None
        return cls(program, Cache.for_program(program) if cached else None)

    def run(self, scripts: Iterable[Body]) -> ShellCheckRun:
        """Start ShellCheck on scripts."""
        from dfopt.lint.shellcheck import ShellCheckRun

        return ShellCheckRun(self.program, list(scripts), self.cache)


@lru_cache(maxsize=64)
def _selected(
    registry: Registry,
    profile: str,
    select: tuple[str, ...] | None,
    extend_select: tuple[str, ...],
    ignore: tuple[str, ...],
    as_of: str | None,
    preview: bool,
) -> tuple[Rule, ...]:
    """Give what ``Registry.select`` gives; the files of a run mostly have one configuration."""
    return registry.select(profile, select, extend_select, ignore, as_of, preview=preview)


def _shell_selected(config: Config) -> bool:
    """Tell whether ShellCheck's codes are among the rules: in every profile, and where ``select`` names one."""
    if config.select is None and config.profile != "buildkit":
        return True
    return any(is_shellcheck(one) or one.lower() == "all" for one in (*(config.select or ()), *config.extend_select))


def build_graph(source: Source, config: Config = DEFAULT) -> InstructionGraph:
    """Parse a source and build its graph with the configuration's build options."""
    from dfopt.graph import build
    from dfopt.syntax import parse

    options = BuildOptions(config.build_args, config.target, config.platform)
    return build(parse(source), options)


def problem_findings(graph: InstructionGraph, registry: Registry, ignore: Iterable[str] = ()) -> list[Finding]:
    """Give the language's own errors as findings; they are reported in every profile unless ignored by name.

    What only follows from another error is left out: a file without any instruction has no FROM either.
    """
    problems = (*graph.tree.problems, *graph.problems)
    present = {problem.code for problem in problems}
    silent = {rule.code for selector in ignore for rule in registry.find(selector)} | {one.upper() for one in ignore}
    for cause, effects in FOLLOWS.items():
        if cause in present:
            silent.update(effects)
    return [problem_finding(problem, registry) for problem in problems if problem.code not in silent]


def order(findings: Iterable[Finding]) -> list[Finding]:
    """Sort findings by place, then code; equal places keep a fixed order whatever rule ran first."""
    return sorted(findings, key=lambda one: (one.span, one.code, one.message))


def _unique(findings: Iterable[Finding]) -> list[Finding]:
    """Drop a language error that a rule reports as well; the one with a fix stays."""
    kept: dict[tuple[str, Span, str], Finding] = {}
    for finding in findings:
        key = (finding.code, finding.span, "" if finding.topic == "E" else finding.message)
        if key not in kept or (kept[key].fix is None and finding.fix is not None):
            kept[key] = finding
    return list(kept.values())


def problem_finding(problem: Problem, registry: Registry) -> Finding:
    """Give an error of the language as a finding."""
    rule = registry.get(problem.code) or PROBLEMS.get(problem.code) or GRAPH_PROBLEMS.get(problem.code)
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


def _options_by_code(options: Mapping[str, Mapping[str, Any]], registry: Registry | None) -> dict[str, dict[str, Any]]:
    result: dict[str, dict[str, Any]] = {}
    for selector, values in options.items():
        codes = [rule.code for rule in registry.find(selector)] if registry else []
        for key in (*codes, selector):
            result.setdefault(key, {}).update(values)
    return result


def _options(rule: Rule, given: Mapping[str, Mapping[str, Any]]) -> Mapping[str, Any]:
    """Give the options of a rule, defaults filled in."""
    if not rule.options and not given:
        return _NO_OPTIONS
    values = {option.name: option.default for option in rule.options}
    for key in (rule.code, rule.name):
        values.update(given.get(key, ()))
    return values


_NO_OPTIONS: Mapping[str, Any] = {}


def _crashed(where: str, error: Exception, crashes: list[Crash] | None) -> Finding:
    import traceback

    if crashes is not None:
        crashes.append(Crash(where, traceback.format_exc()))
    message = f"{where} failed: {type(error).__name__}: {error}. This is a defect of dfopt, not of the file"
    return Finding(INTERNAL, "internal-error", Severity.ERROR, message, Span(0, 0))
