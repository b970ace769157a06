"""BuildKit's 22 checks on the instruction graph, with exactly its triggers.

``matches`` gives every place where a check applies; the rules of this project are made from it. ``verdict`` is what
BuildKit itself would report: it obeys ``# check=`` and stops where a build would stop.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial

from msgspec import Struct
from msgspec.structs import replace

from dfopt.finding import Severity
from dfopt.graph import paths
from dfopt.graph.image_names import full_name
from dfopt.graph.model import GraphProblem, InstructionGraph, Stage, Step
from dfopt.graph.operands import parse_port
from dfopt.graph.platforms import parse_platform, platform_arguments
from dfopt.graph.problems import BASES, IMAGES, STEPS, first_problem
from dfopt.graph.sources import is_remote
from dfopt.lint.buildkit_options import Config, file_config
from dfopt.source import BOM, Span
from dfopt.syntax import tree, whitespace
from dfopt.syntax.ignorefile import IgnoreFile
from dfopt.syntax.tree import Dockerfile, Instruction
from dfopt.syntax.words import WordError, expand

CONTINUATIONS, TYPING, NAMES = -3, -2, -1
"""What BuildKit does before the stations of ``dfopt.graph.problems``."""
Moment = tuple[int, ...]
ImagePlatform = Callable[[str], "str | None"]

_STYLE, _INFO, _ERROR = Severity.STYLE, Severity.INFO, Severity.ERROR
_LAST = 1 << 30
_SECRET = frozenset(
    ("apikey", "auth", "credential", "credentials", "key", "password", "pword", "passwd", "secret", "token")
)
_HARMLESS = frozenset(("public", "file", "version"))


class Check(Struct, frozen=True):
    """One of the checks: BuildKit's name for it, what it finds in a sentence, how much it matters here."""

    name: str
    summary: str
    severity: Severity = Severity.WARNING
    whole_file: bool = False
    """Whether a comment above the instruction cannot switch it off."""


class Match(Struct, frozen=True):
    """A place where a check applies.

    ``span`` is the narrowest place, ``instruction`` the one whose lines BuildKit names; ``lines`` are those lines.
    ``moment`` orders matches as BuildKit meets them. ``subject`` is the word it is about: a name, a value.
    """

    check: str
    message: str
    span: Span
    instruction: Instruction
    lines: tuple[int, ...]
    moment: Moment
    subject: str = ""
    step: Step | None = None


CHECKS: dict[str, Check] = {
    check.name: check
    for check in (
        Check("StageNameCasing", "The name of a stage is not in lower case.", _STYLE),
        Check("FromAsCasing", "FROM and AS are written in different cases.", _STYLE),
        Check("NoEmptyContinuation", "A blank line stands between continued lines.", whole_file=True),
        Check("ConsistentInstructionCasing", "An instruction is not in most others' case.", _STYLE, whole_file=True),
        Check("DuplicateStageName", "Two stages have the same name.", _ERROR, whole_file=True),
        Check("ReservedStageName", "A stage is called scratch or context.", _ERROR, whole_file=True),
        Check("JSONArgsRecommended", "CMD or ENTRYPOINT runs through a shell.", _INFO),
        Check("MaintainerDeprecated", "MAINTAINER is deprecated.", _INFO),
        Check("UndefinedArgInFrom", "FROM uses a variable that no ARG in front of the first FROM declares."),
        Check("WorkdirRelativePath", "The first WORKDIR of a stage is a relative path."),
        Check("UndefinedVar", "A variable is used that nothing sets."),
        Check("MultipleInstructionsDisallowed", "Only the last CMD, ENTRYPOINT or HEALTHCHECK of a stage counts."),
        Check("LegacyKeyValueFormat", "ENV or LABEL separates name and value by a blank.", _STYLE),
        Check("InvalidBaseImagePlatform", "The base image is for another platform.", _ERROR, whole_file=True),
        Check("RedundantTargetPlatform", "--platform=$TARGETPLATFORM is what FROM does anyway.", _INFO),
        Check("SecretsUsedInArgOrEnv", "A secret is handed over in ARG or ENV."),
        Check("InvalidDefaultArgInFrom", "With its defaults alone FROM names no valid image.", _INFO, whole_file=True),
        Check("FromPlatformFlagConstDisallowed", "FROM is tied to one platform.", _INFO),
        Check("CopyIgnoredFile", "COPY or ADD takes a file that the ignore file leaves out."),
        Check("InvalidDefinitionDescription", "The comment above an ARG or stage lacks its name.", _STYLE),
        Check("ExposeProtoCasing", "The protocol of a port is not in lower case.", _STYLE),
        Check("ExposeInvalidFormat", "EXPOSE names an address or a port of the host."),
    )
}  # fmt: skip


class Verdict(Struct, frozen=True):
    """What BuildKit reports for a file: matches in its order, and what ends its run.

    ``bad_config`` tells that the check options are malformed, ``is_error`` that ``error=true`` turns the matches into
    an error.
    """

    matches: tuple[Match, ...]
    problem: GraphProblem | None = None
    bad_config: str = ""
    is_error: bool = False


def verdict(
    graph: InstructionGraph,
    *,
    ignore: IgnoreFile | None = None,
    image_platform: ImagePlatform | None = None,
    typing_error: int | None = None,
    comments: bool = True,
) -> Verdict:
    """Give what BuildKit would report. ``typing_error`` is the position of an instruction that it cannot understand.

    Without ``comments`` neither the directive nor a comment switches checks off.
    """
    try:
        config = file_config(graph.tree, graph.options.build_args) if comments else Config()
    except ValueError as error:
        return Verdict((), bad_config=str(error))
    problem = first_problem(graph, every_stage=True) if typing_error is None else None
    if typing_error is not None:
        end: Moment = (TYPING, typing_error, 1)
    elif problem is not None:
        end = _moment_of(graph, problem)
    else:
        end = (_LAST,)
    found = []
    for match in sorted(matches(graph, ignore=ignore, image_platform=image_platform), key=lambda each: each.moment):
        if match.moment >= end:
            break
        if match.step is not None and match.step.trigger is not None and not graph.stages[match.step.stage].reachable:
            continue
        check = CHECKS[match.check]
        effective = config if check.whole_file or not comments else _with_comments(config, graph, match)
        if effective.runs(match.check):
            found.append(match)
    return Verdict(tuple(found), problem, "", config.error and bool(found) and problem is None and typing_error is None)


def _with_comments(config: Config, graph: InstructionGraph, match: Match) -> Config:
    if match.step is not None and match.step.trigger is not None:
        return config
    instruction = match.step.instruction if match.step is not None else match.instruction
    return config.with_comments(comment_text(graph.tree, comment) for comment in instruction.comments)


def comment_text(file: Dockerfile, comment: tree.Comment) -> str:
    """Give a comment as BuildKit keeps it: its line without the first character, so an indented one keeps its ``#``."""
    line = file.source.line_text(file.source.line_of(comment.span.start)).removeprefix(BOM)
    return line[1:].strip(whitespace.UNICODE)


def _moment_of(graph: InstructionGraph, problem: GraphProblem) -> Moment:
    """Give the moment at which a problem ends BuildKit's run."""
    if problem.phase == BASES:
        stage = graph.stages[problem.in_stage or 0]
        return (BASES, stage.index, 1 if problem.span == stage.from_.image.span else 3)
    if problem.phase == IMAGES:
        return (IMAGES, problem.in_stage or 0)
    if problem.phase != STEPS or problem.in_stage is None:
        return (problem.phase,)
    steps = graph.stages[problem.in_stage].all_steps
    order = next(at for at, step in enumerate(steps) if step.id == problem.step)
    step = steps[order]
    place: Moment = (1, 0)
    if problem.while_expanding:
        place = (0, problem.position)
        if isinstance(step.instruction, tree.Arg):
            place = (0, _pair_of(step.instruction, problem.span), 2)
    elif isinstance(step.instruction, tree.FileInstruction) and problem.code in ("E216", "E217"):
        spans = [word.span for word in step.instruction.sources]
        place = (1, spans.index(problem.span) if problem.span in spans else 0)
    elif isinstance(step.instruction, tree.Expose):
        place = (1, len(step.arguments))
    return (STEPS, problem.in_stage, order, *place)


def _pair_of(instruction: tree.Arg, span: Span) -> int:
    return next((at for at, pair in enumerate(instruction.pairs) if pair.value_span == span), 0)


def matches(
    graph: InstructionGraph,
    *,
    ignore: IgnoreFile | None = None,
    image_platform: ImagePlatform | None = None,
    only: Iterable[str] | None = None,
) -> Iterator[Match]:
    """Give all places where checks apply, check by check. ``only`` limits them to some.

    ``ignore`` is the ignore file of the context; ``image_platform`` gives the platform of an image as
    ``os/architecture``, None where unknown.
    """
    for name, find in _FINDERS.items():
        if only is None or name in only:
            yield from find(graph)
    if ignore is not None and (only is None or "CopyIgnoredFile" in only):
        yield from _ignored_files(graph, ignore)
    if image_platform is not None and (only is None or "InvalidBaseImagePlatform" in only):
        yield from _base_platforms(graph, image_platform)


def _match(
    graph: InstructionGraph,
    check: str,
    message: str,
    instruction: Instruction,
    moment: Moment,
    span: Span | None = None,
    subject: str = "",
    step: Step | None = None,
) -> Match:
    source = graph.tree.source
    if step is not None and step.origin is not None:
        instruction, span = step.origin, step.origin.span
    lines = tuple(range(source.line_of(instruction.span.start), source.line_of(instruction.span.end) + 1))
    return Match(check, message, span or instruction.span, instruction, lines, moment, subject, step)


def written_keyword(instruction: Instruction) -> str:
    """Give an instruction's keyword as it is written."""
    words = instruction.original.strip(whitespace.UNICODE).split(maxsplit=1)
    return words[0] if words else ""


def _froms(graph: InstructionGraph) -> Iterator[tuple[int, Instruction]]:
    for position, instruction in enumerate(graph.tree.instructions):
        if instruction.keyword == "FROM":
            yield position, instruction


def _words(instruction: Instruction) -> list[str]:
    return re.split(f"[{whitespace.ASCII}]+", instruction.body.text)


def _stage_name_casing(graph: InstructionGraph) -> Iterator[Match]:
    for position, instruction in _froms(graph):
        words = _words(instruction)
        if len(words) == 3 and words[2] != words[2].lower():
            span = instruction.name_span if isinstance(instruction, tree.From) else None
            message = f"the stage name {words[2]} should be in lower case"
            yield _match(graph, "StageNameCasing", message, instruction, (TYPING, position, 0), span, words[2])


def _from_as_casing(graph: InstructionGraph) -> Iterator[Match]:
    for position, instruction in _froms(graph):
        words = _words(instruction)
        keyword = written_keyword(instruction)
        if len(words) < 3:
            continue
        wanted = (
            words[1].lower() if keyword == keyword.lower() else words[1].upper() if keyword == keyword.upper() else None
        )
        if wanted is not None and words[1] != wanted:
            span = instruction.as_span if isinstance(instruction, tree.From) else None
            message = f"{keyword} and {words[1]} should be written in the same case"
            yield _match(graph, "FromAsCasing", message, instruction, (TYPING, position, 0), span, words[1])


def _continuations(graph: InstructionGraph) -> Iterator[Match]:
    source = graph.tree.source
    for position, instruction in enumerate(graph.tree.instructions):
        if not instruction.blank_lines:
            continue
        heredocs = instruction.heredocs
        last = source.line_of(heredocs[0].body_span.start) - 1 if heredocs else source.line_of(instruction.span.end)
        message = "this blank line only stays part of the instruction by an old leniency; remove it or begin it with #"
        match = _match(
            graph, "NoEmptyContinuation", message, instruction, (CONTINUATIONS, position), instruction.blank_lines[0]
        )
        yield Match(match.check, message, match.span, instruction, (last,), match.moment)


def _keyword_casing(graph: InstructionGraph) -> Iterator[Match]:
    written = [(instruction, written_keyword(instruction)) for stage in graph.tree.stages for instruction in stage]
    lower = sum(word == word.lower() for _, word in written)
    upper = sum(word == word.upper() != word.lower() for _, word in written)
    for instruction, word in written:
        wanted = word.lower() if lower > upper else word.upper()
        if word != wanted:
            message = f"{word} should be written {wanted}, like most instructions of this file"
            yield _match(
                graph, "ConsistentInstructionCasing", message, instruction, (NAMES,), instruction.keyword_span, word
            )


def _stage_names(graph: InstructionGraph, check: str) -> Iterator[Match]:
    seen: set[str] = set()
    for stage in graph.stages:
        name, instruction = stage.name, stage.from_
        if not name:
            continue
        if check == "ReservedStageName" and name in ("scratch", "context"):
            message = f"{name} already means something else in FROM; give this stage another name"
            yield _match(graph, check, message, instruction, (NAMES,), instruction.name_span, name)
        if check == "DuplicateStageName" and name in seen:
            message = f"another stage above is called {name} too; give each its own name"
            yield _match(graph, check, message, instruction, (NAMES,), instruction.name_span, name)
        seen.add(name)


def _steps(graph: InstructionGraph) -> Iterator[tuple[Step, Moment]]:
    for stage in graph.stages:
        for order, step in enumerate(stage.all_steps):
            if order:
                yield step, (STEPS, stage.index, order)


def _shell_forms(graph: InstructionGraph) -> Iterator[Match]:
    for step, moment in _steps(graph):
        instruction = step.instruction
        if (
            isinstance(instruction, (tree.Cmd, tree.Entrypoint))
            and not instruction.is_exec
            and not step.before.shell_set
        ):
            message = f"write this {step.keyword} as a JSON array, so that signals reach it and not a shell around it"
            yield _match(graph, "JSONArgsRecommended", message, instruction, (*moment, 1, 0), None, step.keyword, step)


def _maintainers(graph: InstructionGraph) -> Iterator[Match]:
    for position, instruction in enumerate(graph.tree.instructions):
        if instruction.keyword == "MAINTAINER":
            message = "MAINTAINER is deprecated; use LABEL org.opencontainers.image.authors=... instead"
            yield _match(graph, "MaintainerDeprecated", message, instruction, (TYPING, position, 0))


def _undefined_in_from(graph: InstructionGraph) -> Iterator[Match]:
    for stage in graph.stages:
        image = stage.from_.image.span
        for missing in stage.steps[0].missing:
            station = 0 if image.start <= missing.span.start < image.end else 2
            message = f"no ARG in front of the first FROM declares {missing.name}"
            yield _match(
                graph,
                "UndefinedArgInFrom",
                message,
                stage.from_,
                (BASES, stage.index, station),
                missing.span,
                missing.name,
            )


def _relative_workdirs(graph: InstructionGraph) -> Iterator[Match]:
    for step, moment in _steps(graph):
        if not isinstance(step.instruction, tree.Workdir) or step.before.workdir_set or not step.arguments:
            continue
        if not paths.is_absolute(step.arguments[0], _is_windows(graph, graph.stages[step.stage])):
            text = step.arguments[0] or "an empty path"
            message = f"{text} depends on the directory that the base image happens to have; write an absolute path"
            yield _match(graph, "WorkdirRelativePath", message, step.instruction, (*moment, 1, 0), None, text, step)


def _is_windows(graph: InstructionGraph, stage: Stage) -> bool:
    platform = stage.platform or graph.options.platform
    return platform.startswith("windows")


def _undefined(graph: InstructionGraph) -> Iterator[Match]:
    for step, moment in _steps(graph):
        if isinstance(step.instruction, tree.Expose):
            # BuildKit expands ports in another way and does not look at what is missing.
            continue
        for number, missing in enumerate(step.missing):
            place: Moment = (0, number)
            if isinstance(step.instruction, tree.Arg):
                pairs = step.instruction.pairs
                owner = next((at for at, pair in enumerate(pairs) if missing.span.start < pair.span.end), 0)
                place = (0, owner, 1)
            message = f"nothing sets {missing.name}, so it expands to nothing"
            yield _match(
                graph, "UndefinedVar", message, step.instruction, (*moment, *place), missing.span, missing.name, step
            )


def _repeated(graph: InstructionGraph) -> Iterator[Match]:
    previous: dict[tuple[int, str], Step] = {}
    for step, moment in _steps(graph):
        if step.keyword not in ("CMD", "ENTRYPOINT", "HEALTHCHECK"):
            continue
        earlier = previous.get((step.stage, step.keyword))
        if earlier is not None:
            place = earlier.origin or earlier.instruction
            message = f"a later {step.keyword} of this stage replaces this one; remove it"
            match = _match(
                graph, "MultipleInstructionsDisallowed", message, place, (*moment, 1, 0), place.span, step.keyword
            )
            yield replace(match, step=step)
        previous[step.stage, step.keyword] = step


def _legacy_pairs(graph: InstructionGraph) -> Iterator[Match]:
    for step, moment in _steps(graph):
        instruction = step.instruction
        if not isinstance(instruction, (tree.Env, tree.Label)):
            continue
        for pair in instruction.pairs:
            if pair.legacy:
                message = f"write {step.keyword} {pair.key}=... with an equals sign instead of a blank"
                yield _match(
                    graph, "LegacyKeyValueFormat", message, instruction, (*moment, 1, 0), pair.span, pair.key, step
                )


def _platform_word(graph: InstructionGraph, stage: Stage) -> tuple[str, frozenset[str], frozenset[str]] | None:
    """Expand the platform of a FROM: its value, the variables that exist, those that do not."""
    written = stage.from_.platform
    if not written:
        return None

    def lookup(name: str) -> str | None:
        variable = graph.globals.get(name)
        return variable.value if variable else None

    try:
        result = expand(written, lookup, graph.tree.escape)
    except WordError as error:
        return "", frozenset(each.name for each in error.used), frozenset(each.name for each in error.missing)
    return result.value, frozenset(each.name for each in result.used), frozenset(each.name for each in result.missing)


def _redundant_platforms(graph: InstructionGraph) -> Iterator[Match]:
    for stage in graph.stages:
        word = _platform_word(graph, stage)
        flag = stage.from_.flag("platform")
        if word is None or flag is None or word[1] != {"TARGETPLATFORM"} or word[2]:
            continue
        if word[0] == graph.globals["TARGETPLATFORM"].value:
            message = "FROM takes the target platform anyway; remove --platform"
            yield _match(
                graph,
                "RedundantTargetPlatform",
                message,
                stage.from_,
                (BASES, stage.index, 2),
                flag.span,
                flag.value or "",
            )


def _constant_platforms(graph: InstructionGraph) -> Iterator[Match]:
    for stage in graph.stages:
        word = _platform_word(graph, stage)
        flag = stage.from_.flag("platform")
        if word is None or flag is None or word[1] or word[2]:
            continue
        try:
            platform = parse_platform(word[0])
        except ValueError:
            continue
        name = stage.name or ""
        if platform.os not in name and platform.architecture not in name:
            message = f"--platform={word[0]} ties this stage to one platform; use a variable such as $BUILDPLATFORM"
            yield _match(
                graph,
                "FromPlatformFlagConstDisallowed",
                message,
                stage.from_,
                (BASES, stage.index, 2),
                flag.span,
                word[0],
            )


def _secrets(graph: InstructionGraph) -> Iterator[Match]:
    for step, moment in _steps(graph):
        instruction = step.instruction
        if not isinstance(instruction, (tree.Env, tree.Arg)):
            continue
        expanded = step.arguments[::2] if isinstance(instruction, tree.Env) else ()
        for number, pair in enumerate(instruction.pairs):
            key = expanded[number] if number < len(expanded) else pair.key
            words = set(key.lower().split("_"))
            if words.isdisjoint(_SECRET) or not words.isdisjoint(_HARMLESS):
                continue
            place: Moment = (0, number, 0) if isinstance(instruction, tree.Arg) else (1, 0)
            message = f"{key} looks like a secret, which {step.keyword} leaves readable; use RUN --mount=type=secret"
            yield _match(
                graph, "SecretsUsedInArgOrEnv", message, instruction, (*moment, *place), pair.key_span, key, step
            )


def _default_images(graph: InstructionGraph) -> Iterator[Match]:
    """Expand the images of all FROMs with the defaults alone, as if no build argument were given."""
    values: dict[str, str] = {}
    given = graph.options.build_args
    target = graph.options.target or (graph.stages[-1].name if graph.stages else "") or ""
    for name, value in platform_arguments(str(parse_platform(graph.options.platform)), target):
        values[name] = given.get(name, value)
    try:
        for step in graph.steps:
            if step.stage < 0 and isinstance(step.instruction, tree.Arg):
                for pair in step.instruction.pairs:
                    if pair.value is not None:
                        values[pair.key] = expand(pair.value, values.get, graph.tree.escape).value
        for stage in graph.stages:
            image = stage.from_.image
            text = expand(image.text, values.get, graph.tree.escape).value
            try:
                full_name(text)
            except ValueError:
                message = f"with the defaults alone, {image.text} is no image reference; give its variables better ones"
                yield _match(graph, "InvalidDefaultArgInFrom", message, stage.from_, (NAMES,), image.span, image.text)
    except WordError:
        return


def _descriptions(graph: InstructionGraph) -> Iterator[Match]:
    for position, instruction in enumerate(graph.tree.instructions):
        names: Sequence[str] = ()
        if isinstance(instruction, tree.Arg):
            names = [pair.key for pair in instruction.pairs]
        elif isinstance(instruction, tree.From) and instruction.name:
            names = [instruction.name]
        if not names or not instruction.comments:
            continue
        comment = instruction.comments[-1]
        if comment_text(graph.tree, comment).split(" ")[0] not in names:
            message = f"begin this comment with {names[0]}, or set it apart by an empty comment line"
            yield _match(
                graph,
                "InvalidDefinitionDescription",
                message,
                instruction,
                (TYPING, position, 2),
                comment.span,
                names[0],
            )


def _ports(graph: InstructionGraph, check: str) -> Iterator[Match]:
    for step, moment in _steps(graph):
        if not isinstance(step.instruction, tree.Expose):
            continue
        for number, text in enumerate(step.arguments):
            port = parse_port(text)
            if check == "ExposeProtoCasing" and port.written_protocol != port.written_protocol.lower():
                message = f"write the protocol of {text} in lower case"
            elif check == "ExposeInvalidFormat" and port.host:
                message = f"{text} names a port of the host, which EXPOSE drops; write the container's port alone"
            else:
                continue
            yield _match(graph, check, message, step.instruction, (*moment, 1, number), None, text, step)


def _ignored_files(graph: InstructionGraph, ignore: IgnoreFile) -> Iterator[Match]:
    if ignore.has_exclusions:
        return
    covers_root = any(pattern in ("*", "**", "**/*") for pattern in ignore.patterns)
    for step, moment in _steps(graph):
        instruction = step.instruction
        if not isinstance(instruction, tree.FileInstruction) or (
            isinstance(instruction, tree.Copy) and instruction.from_
        ):
            continue
        for number, source in enumerate(step.sources):
            if step.keyword == "ADD" and is_remote(source):
                continue
            path = posixpath.normpath(source) if source else "."
            path = "/" if path == "//" else path
            if covers_root if path in (".", "/") else ignore.ignores(path):
                message = f"the ignore file leaves {path} out of the context, so {step.keyword} cannot find it"
                yield _match(graph, "CopyIgnoredFile", message, instruction, (*moment, 1, number), None, path, step)


def _base_platforms(graph: InstructionGraph, image_platform: ImagePlatform) -> Iterator[Match]:
    target = str(parse_platform(graph.options.platform))
    for stage in graph.stages:
        image = stage.steps[0].arguments[0]
        if stage.base is None and image != "scratch":
            expected = stage.platform or target
            yield from _other_platform(
                graph, image, expected, image_platform, stage.from_, (IMAGES, stage.index), stage.from_.image.span
            )
    for step, _ in _steps(graph):
        if step.source_image and step.source_image != "scratch":
            yield from _other_platform(
                graph, step.source_image, target, image_platform, step.instruction, (IMAGES, _LAST), None
            )


def _other_platform(
    graph: InstructionGraph,
    image: str,
    expected: str,
    image_platform: ImagePlatform,
    instruction: Instruction,
    moment: Moment,
    span: Span | None,
) -> Iterator[Match]:
    found = image_platform(image)
    if found is None:
        return
    wanted, actual = parse_platform(expected), parse_platform(found)
    if (wanted.os, wanted.architecture) != (actual.os, actual.architecture):
        message = f"{image} is built for {actual}, not for {wanted}"
        yield _match(graph, "InvalidBaseImagePlatform", message, instruction, moment, span, image)


_FINDERS: dict[str, Callable[[InstructionGraph], Iterator[Match]]] = {
    "StageNameCasing": _stage_name_casing,
    "FromAsCasing": _from_as_casing,
    "NoEmptyContinuation": _continuations,
    "ConsistentInstructionCasing": _keyword_casing,
    "DuplicateStageName": partial(_stage_names, check="DuplicateStageName"),
    "ReservedStageName": partial(_stage_names, check="ReservedStageName"),
    "JSONArgsRecommended": _shell_forms,
    "MaintainerDeprecated": _maintainers,
    "UndefinedArgInFrom": _undefined_in_from,
    "WorkdirRelativePath": _relative_workdirs,
    "UndefinedVar": _undefined,
    "MultipleInstructionsDisallowed": _repeated,
    "LegacyKeyValueFormat": _legacy_pairs,
    "RedundantTargetPlatform": _redundant_platforms,
    "SecretsUsedInArgOrEnv": _secrets,
    "InvalidDefaultArgInFrom": _default_images,
    "FromPlatformFlagConstDisallowed": _constant_platforms,
    "InvalidDefinitionDescription": _descriptions,
    "ExposeProtoCasing": partial(_ports, check="ExposeProtoCasing"),
    "ExposeInvalidFormat": partial(_ports, check="ExposeInvalidFormat"),
}
