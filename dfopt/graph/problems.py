"""The problems that only show when stages are put together, as one table, in the order in which a build meets them."""

from __future__ import annotations

from collections.abc import Iterable

from dfopt.finding import Severity
from dfopt.graph.model import GraphProblem, InstructionGraph
from dfopt.source import Span
from dfopt.syntax.problems import ProblemKind

# The stations of a build at which it may end; a problem of an earlier one hides those of the later ones.
NO_STAGES, GLOBALS, BASES, TARGET, REFERENCES, CIRCLES, IMAGES, TRIGGERS, STEPS, MARSHAL = range(10)

_INFO = Severity.INFO

PROBLEMS: dict[str, ProblemKind] = {
    "E200": ProblemKind(
        "no-stages",
        "The file has no FROM, so there is nothing to build.",
        "there is no FROM in this file; add one",
        "graph",
    ),
    "E201": ProblemKind(
        "invalid-expansion",
        "A word cannot be expanded: a quote is open, or a substitution is malformed or refuses its variable.",
        "{word} cannot be expanded: {reason}",
        "graph",
    ),
    "E202": ProblemKind(
        "blank-base",
        "The image of FROM is empty after its variables are put in.",
        "the image {text} is empty; give the variable a default in front of the first FROM",
        "graph",
    ),
    "E203": ProblemKind(
        "invalid-reference",
        "The name of an image cannot be one.",
        "{text} is no image reference: {reason}",
        "graph",
    ),
    "E204": ProblemKind(
        "base-needs-argument",
        "The image of FROM depends on a build argument that has no default.",
        "the image {text} only builds with --build-arg {name}=...; a default would let it build without",
        "graph",
        _INFO,
    ),
    "E205": ProblemKind(
        "invalid-platform",
        "The platform of FROM is empty or unknown.",
        "{text} is no platform: {reason}; write it like linux/arm64",
        "graph",
    ),
    "E206": ProblemKind(
        "unknown-target",
        "The stage that is asked for does not exist.",
        "there is no stage named {name}{hint}",
        "graph",
    ),
    "E207": ProblemKind(
        "invalid-stage-number",
        "COPY --from names a stage by a number that no stage has.",
        "there is no stage number {number}; stages are counted from 0 to {last}",
        "graph",
    ),
    "E208": ProblemKind(
        "variable-in-copy-from",
        "COPY --from holds a variable, quotes or backslashes, which are not expanded there.",
        "--from={text} is not expanded; name a stage that begins with FROM {text} instead",
        "graph",
    ),
    "E209": ProblemKind(
        "circular-stages",
        "Stages need each other in a circle.",
        "the stage {name} needs itself through what it copies; break the circle",
        "graph",
    ),
    "E210": ProblemKind(
        "stage-used-too-early",
        "A stage is copied or mounted from above the place where it begins.",
        "the stage {name} begins below this line; move it above the stage that uses it",
        "graph",
    ),
    "E211": ProblemKind(
        "invalid-trigger",
        "An ONBUILD instruction of the base cannot be understood when it fires.",
        "the trigger {text} of {base} cannot run: {reason}",
        "graph",
    ),
    "E212": ProblemKind(
        "invalid-port",
        "EXPOSE names something that is no port.",
        "{port} is no port: {reason}; write it like 8080 or 8000-8010/udp",
        "graph",
    ),
    "E213": ProblemKind(
        "empty-volume-path",
        "A path of VOLUME is empty after its variables are put in.",
        "the path {text} is empty once its variables are put in",
        "graph",
    ),
    "E214": ProblemKind(
        "invalid-signal",
        "STOPSIGNAL names no signal.",
        "{signal} is no signal; write a name such as SIGTERM or a number above 0",
        "graph",
    ),
    "E215": ProblemKind(
        "invalid-mode",
        "The value of --chmod is no mode.",
        "{mode} is no file mode; write octal digits such as 755 or a symbolic mode such as u=rwX,go=rX",
        "graph",
    ),
    "E216": ProblemKind(
        "copy-from-address",
        "COPY is given a URL or a git repository, which only ADD fetches.",
        "COPY does not fetch {source}; use ADD",
        "graph",
    ),
    "E217": ProblemKind(
        "invalid-git-source",
        "The address of a git repository has an option that cannot be understood or contradicts a flag.",
        "the address {source} cannot be used: {reason}",
        "graph",
    ),
    "E218": ProblemKind(
        "invalid-checksum",
        "The value of --checksum cannot be checked.",
        "--checksum={text} cannot be used: {reason}",
        "graph",
    ),
    "E219": ProblemKind(
        "invalid-run-mount",
        "A mount of RUN cannot be made.",
        "this mount cannot be made: {reason}",
        "graph",
    ),
    "E220": ProblemKind(
        "empty-command",
        "RUN is given an empty JSON array, so there is nothing to run.",
        "RUN [] names no program; write the command into the array",
        "graph",
    ),
    "E221": ProblemKind(
        "invalid-directory",
        "A path cannot be used on this platform.",
        "{text} cannot be used as a path: {reason}",
        "graph",
    ),
}

FOLLOWS = {"E004": ("E007", "E021", "E200"), "E007": ("E021", "E200"), "E200": ("E021",)}
"""Problems that are only other words for a first one."""


def graph_problem(
    code: str,
    span: Span,
    phase: int,
    stage: int | None = None,
    *,
    also: Iterable[Span] = (),
    needs_argument: bool = False,
    **values: object,
) -> GraphProblem:
    """Make a problem from the table; the values fill its message."""
    kind = PROBLEMS[code]
    return GraphProblem(
        code,
        kind.message.format_map(values),
        span,
        "graph",
        (),
        phase,
        stage,
        tuple(also),
        needs_argument=needs_argument,
    )


def first_problem(graph: InstructionGraph, *, every_stage: bool = False) -> GraphProblem | None:
    """Give the problem that ends a build of the target, or with ``every_stage`` a check of all stages; or None."""
    for problem in graph.problems:
        if problem.phase >= TRIGGERS and problem.in_stage is not None:
            if problem.phase == MARSHAL and every_stage:
                continue
            if not every_stage and not graph.stages[problem.in_stage].reachable:
                continue
        return problem
    return None
