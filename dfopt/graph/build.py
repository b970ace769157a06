"""Putting a file's stages together: bases, references between stages, reachability, and every step in its state."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache

from msgspec import Struct, field
from msgspec.structs import replace

from dfopt.graph import paths
from dfopt.graph.evaluate import Reference, Scope, evaluate
from dfopt.graph.expansion import Expander
from dfopt.graph.image_names import full_name
from dfopt.graph.model import BuildOptions, GraphProblem, InstructionGraph, Stage, State, Step, Variable
from dfopt.graph.platforms import Platform, parse_platform, platform_arguments
from dfopt.graph.problems import (
    BASES,
    CIRCLES,
    GLOBALS,
    IMAGES,
    NO_STAGES,
    REFERENCES,
    TARGET,
    TRIGGERS,
    graph_problem,
)
from dfopt.images.model import ImageFacts
from dfopt.shell import shell_pragma
from dfopt.source import Span
from dfopt.syntax import tree
from dfopt.syntax.parser import parse
from dfopt.syntax.tree import Dockerfile, From, Instruction
from dfopt.syntax.words import WordError, expand

Images = Callable[[str], "ImageFacts | None"]
SCRATCH = "scratch"
DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_DEFAULT_OPTIONS = BuildOptions()


def build(
    tree: Dockerfile, options: BuildOptions = _DEFAULT_OPTIONS, *, images: Images | None = None
) -> InstructionGraph:
    """Build the instruction graph of a file. It never fails: what a build would refuse is among its problems.

    ``images`` gives the facts of a base image or None; without it the embedded facts are asked.
    """
    return _Builder(tree, options, images or _embedded_facts).run()


@lru_cache(maxsize=1024)
def _embedded_facts(reference: str) -> ImageFacts | None:
    from dfopt.images import facts

    return facts(reference)


class _Draft(Struct):
    """A stage in the making."""

    index: int
    from_: From
    position: int
    body: list[tuple[int, Instruction]]
    base: int | None = None
    image: str | None = None
    text: str = ""
    resolved: bool = True
    platform: Platform | None = None
    from_step: Step | None = None
    references: dict[int, tuple[Reference | None, ...]] = field(default_factory=dict)
    """References of the instructions at these positions of the file."""
    needs: dict[int, Span] = field(default_factory=dict)
    """Stages it copies or mounts from, with the last instruction that does."""
    facts: ImageFacts | None = None
    triggers: list[tuple[Instruction, tuple[Reference | None, ...]]] = field(default_factory=list)
    triggered: list[Step] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    start: State | None = None
    end: State | None = None


class _Builder:
    def __init__(self, file: Dockerfile, options: BuildOptions, images: Images) -> None:
        self.tree = file
        self.options = options
        self.images = images
        self.problems: list[GraphProblem] = []
        self.steps: list[Step] = []
        self.drafts: list[_Draft] = []
        self.by_name: dict[str, int] = {}
        self.registered = 0
        """How many stages and images a build has counted: numbers in --from go by this."""
        self.globals: dict[str, Variable] = {}
        self.declared: set[str] = set()
        self.target: int | None = None
        self.has_pragma = "hadolint" in file.source.text
        try:
            self.platform = parse_platform(options.platform)
        except ValueError:
            self.platform = parse_platform("linux/amd64")
        self.scope = Scope(options.build_args, self.globals, file.escape, self.platform.os == "windows")

    def run(self) -> InstructionGraph:
        """Go through the stations of a build."""
        head = self._split()
        self._global_scope(head)
        if not self.drafts:
            if not any(isinstance(each, From) for each in self.tree.instructions):
                self._note("E200", Span(0, 0), NO_STAGES)
            return self._result(())
        for draft in self.drafts:
            self._base_of(draft)
        self._find_target()
        self.registered = len(self.drafts)
        for draft in self.drafts:
            for position, instruction in draft.body:
                references = self._references(instruction, draft)
                if references:
                    draft.references[position] = references
        self._find_circles()
        reachable = self._reachable()
        for draft in self.drafts:
            self._resolve_image(draft)
        for draft in self.drafts:
            self._check_references(draft)
        for draft in self.drafts:
            self._find_triggers(draft, draft.index in reachable)
        reachable = self._reachable()
        for draft in self.drafts:
            self._walk(draft)
        return self._result(reachable)

    def _split(self) -> list[tuple[int, Instruction]]:
        head: list[tuple[int, Instruction]] = []
        for position, instruction in enumerate(self.tree.instructions):
            if isinstance(instruction, From):
                self.drafts.append(_Draft(len(self.drafts), instruction, position, []))
            elif self.drafts:
                self.drafts[-1].body.append((position, instruction))
            else:
                head.append((position, instruction))
        return head

    def _note(self, code: str, span: Span, phase: int, stage: int | None = None, **values: object) -> None:
        self.problems.append(graph_problem(code, span, phase, stage, **values))  # type: ignore[arg-type]  # values fill the message

    def _global_scope(self, head: Sequence[tuple[int, Instruction]]) -> None:
        target = self.options.target or (self.drafts[-1].from_.name if self.drafts else "") or ""
        given = self.options.build_args
        variables = self.globals
        for name, value in platform_arguments(str(self.platform), target):
            variables[name] = Variable(name, given.get(name, value), "platform")
        for position, instruction in head:
            before = State(variables=dict(variables))
            if isinstance(instruction, tree.Arg):
                self._global_arg(instruction, position)
            after = State(variables=dict(variables)) if isinstance(instruction, tree.Arg) else before
            self.steps.append(Step(position, instruction, -1, before, after, escape=self.tree.escape))

    def _global_arg(self, instruction: tree.Arg, position: int) -> None:
        expander = Expander(self.globals, self.tree.escape, True)
        for pair in instruction.pairs:
            value, known = pair.value, True
            if pair.key in self.options.build_args:
                value = self.options.build_args[pair.key]
            elif value is not None:
                span = pair.value_span or pair.span
                try:
                    value = expander.word(value, span)
                except WordError as error:
                    self._note("E201", span, GLOBALS, word=pair.value, reason=error.message)
                    return
                known = not expander.tainted
            self.declared.add(pair.key)
            if value is not None:
                self.globals.pop(pair.key, None)
                self.globals[pair.key] = Variable(pair.key, value, "global", position, known)
            elif pair.key not in self.globals:
                self.globals[pair.key] = Variable(pair.key, None, "global", position, False)

    def _base_of(self, draft: _Draft) -> None:
        instruction = draft.from_
        expander = Expander(self.globals, self.tree.escape, True)
        text, span = instruction.image.text, instruction.image.span
        before = State(variables=self.globals)
        try:
            draft.text = expander.word(text, span)
        except WordError as error:
            self._note("E201", span, BASES, draft.index, word=text, reason=error.message)
        draft.resolved = not expander.tainted
        unknown = expander.unknown
        if not draft.text and not any(each.in_stage == draft.index for each in self.problems):
            if draft.resolved:
                self._note("E202", span, BASES, draft.index, text=text)
            else:
                self._note("E204", span, BASES, draft.index, text=text, name=unknown[0], needs_argument=True)
        if written := instruction.platform:
            self._platform_of(draft, expander, written)
        if draft.text in self.by_name:
            draft.base = self.by_name[draft.text]
        elif draft.text and not (instruction.name and self._named_context(instruction.name)):
            draft.image = draft.text
        if instruction.name:
            self.by_name[instruction.name] = draft.index
        draft.from_step = Step(
            draft.position,
            instruction,
            draft.index,
            before,
            before,
            (draft.text, *((str(draft.platform),) if draft.platform else ())),
            used=tuple(dict.fromkeys(expander.used)),
            missing=tuple(each for each in expander.missing if each.name not in self.declared),
            unknown=tuple(unknown),
            escape=self.tree.escape,
        )

    def _named_context(self, name: str) -> str | None:
        return self.options.contexts.get(name) if name not in (SCRATCH, "context") else None

    def _platform_of(self, draft: _Draft, expander: Expander, written: str) -> None:
        flag = draft.from_.flag("platform")
        span = (flag.value_span or flag.span) if flag else draft.from_.span
        try:
            text = expander.word(written, span)
        except WordError as error:
            self._note("E201", span, BASES, draft.index, word=written, reason=error.message)
            return
        try:
            if not text:
                raise ValueError("it is empty")
            draft.platform = parse_platform(text)
        except ValueError as error:
            tainted = expander.tainted
            self._note(
                "E205", span, BASES, draft.index, text=text or written, reason=str(error), needs_argument=tainted
            )

    def _find_target(self) -> None:
        wanted = self.options.target
        if not wanted:
            self.target = len(self.drafts) - 1
            return
        self.target = self.by_name.get(wanted.lower())
        if self.target is None:
            names = ", ".join(self.by_name) or "none has a name"
            self._note("E206", Span(0, 0), TARGET, name=wanted, hint=f"; there are: {names}")

    def _references(
        self, instruction: Instruction, draft: _Draft, at: Span | None = None
    ) -> tuple[Reference | None, ...]:
        """Find what a COPY or RUN takes files from, and note on which stages its own one depends."""
        if isinstance(instruction, tree.Copy):
            if instruction.from_ is None:
                return ()
            found = self._copied(instruction, instruction.from_, draft, at)
            references: tuple[Reference | None, ...] = (found,)
        elif isinstance(instruction, tree.Run) and instruction.mounts:
            references = tuple(self._named(mount.from_ or SCRATCH) for mount in instruction.mounts)
        else:
            return ()
        for reference in references:
            if reference is not None and reference.stage is not None:
                draft.needs[reference.stage] = at or instruction.span
        return references

    def _copied(self, instruction: tree.Copy, name: str, draft: _Draft, at: Span | None) -> Reference | None:
        flag = instruction.flag("from")
        span = at or (flag.span if flag else instruction.span)
        try:
            plain = expand(name, lambda name: None, self.tree.escape).value == name
        except WordError as error:
            self._note("E201", span, REFERENCES, draft.index, word=name, reason=error.message)
            return None
        if not plain:
            self._note("E208", span, REFERENCES, draft.index, text=name)
            return None
        digits = name[1:] if name[:1] in "+-" else name
        if not (digits.isascii() and digits.isdigit()):
            return self._named(name)
        number = int(name)
        if not 0 <= number < self.registered:
            self._note("E207", span, REFERENCES, draft.index, number=number, last=len(self.drafts) - 1)
            return None
        if number < len(self.drafts):
            return Reference(number, None, name)
        return Reference(None, SCRATCH, name)

    def _named(self, name: str) -> Reference:
        stage = self.by_name.get(name.lower())
        if stage is not None:
            return Reference(stage, None, name)
        self.registered += 1
        return Reference(None, name, name)

    def _find_circles(self) -> None:
        """Report the first circle of stages that copy from each other, as a build does; bases cannot be in a circle."""
        visited: set[int] = set()
        for draft in self.drafts:
            if draft.index in visited or not draft.needs:
                continue
            path: dict[int, Span] = {}
            stack: list[tuple[int, Iterator[tuple[int, Span]]]] = [(draft.index, iter(draft.needs.items()))]
            visited.add(draft.index)
            path[draft.index] = draft.from_.span
            spans: list[Span] = []
            while stack:
                current, edges = stack[-1]
                step = next(edges, None)
                if step is None:
                    stack.pop()
                    path.pop(current, None)
                    if spans:
                        spans.pop()
                    continue
                needed, span = step
                if needed in path:
                    places = [*spans, span]
                    name = draft.from_.name or f"number {draft.index}"
                    self._note("E209", places[0], CIRCLES, None, also=places[1:], name=name)
                    return
                if needed not in visited:
                    visited.add(needed)
                    path[needed] = span
                    spans.append(span)
                    stack.append((needed, iter(self.drafts[needed].needs.items())))

    def _reachable(self) -> frozenset[int]:
        root = len(self.drafts) - 1 if self.target is None else self.target
        seen = {root}
        todo = [root]
        while todo:
            draft = self.drafts[todo.pop()]
            for needed in (*draft.needs, *(() if draft.base is None else (draft.base,))):
                if needed not in seen:
                    seen.add(needed)
                    todo.append(needed)
        return frozenset(seen)

    def _resolve_image(self, draft: _Draft) -> None:
        if draft.image is None or draft.image == SCRATCH:
            return
        span = draft.from_.image.span
        try:
            full_name(draft.image)
        except ValueError as error:
            name = draft.from_step.unknown[0] if draft.from_step and draft.from_step.unknown else ""
            if draft.resolved or not name:
                self._note("E203", span, IMAGES, draft.index, text=draft.image, reason=str(error))
            else:
                text = draft.from_.image.text
                self._note("E204", span, IMAGES, draft.index, text=text, name=name, needs_argument=True)
            draft.image = None
            return
        if draft.resolved:
            draft.facts = self.images(draft.image)

    def _check_references(self, draft: _Draft) -> None:
        """Check the names of images that are copied or mounted from."""
        for position, references in draft.references.items():
            instruction = self.tree.instructions[position]
            for number, reference in enumerate(references):
                if reference is None or reference.image in (None, SCRATCH):
                    continue
                try:
                    full_name(reference.name)
                except ValueError as error:
                    flag = instruction.flag("from")
                    if isinstance(instruction, tree.Run):
                        flag = instruction.mounts[number].flag
                    span = flag.span if flag else instruction.span
                    self._note("E203", span, IMAGES, draft.index, text=reference.name, reason=str(error))

    def _find_triggers(self, draft: _Draft, reachable: bool) -> None:
        """Collect the ONBUILD instructions that fire at the start of a stage."""
        found: list[Instruction] = []
        if draft.facts is not None:
            found = [instruction for text in draft.facts.onbuild for instruction in parse(text).instructions[:1]]
        elif draft.base is not None:
            body = self.drafts[draft.base].body
            found = [instruction.trigger for _, instruction in body if isinstance(instruction, tree.Onbuild)]
        span = draft.from_.span
        for instruction in found:
            if isinstance(instruction, tree.Unknown) or any(
                problem.stage in ("parse", "instructions", "trigger") and problem.code != "E021"
                for problem in instruction.problems
            ):
                reason = instruction.problems[0].message if instruction.problems else "it is no instruction"
                base = draft.text or "the base"
                if reachable:
                    self._note("E211", span, TRIGGERS, draft.index, text=instruction.keyword, base=base, reason=reason)
                return
            draft.triggers.append((instruction, self._references(instruction, draft, span)))

    def _walk(self, draft: _Draft) -> None:
        assert draft.from_step is not None
        state = self._start(draft)
        draft.start = state
        draft.steps.append(replace(draft.from_step, after=state))
        windows = (draft.platform or self.platform).os == "windows"
        scope = self.scope if windows == self.scope.windows else replace(self.scope, windows=windows)
        for number, (instruction, references) in enumerate(draft.triggers):
            step = evaluate(
                scope, state, instruction, stage=draft.index, index=draft.position, references=references,
                trigger=number, origin=draft.from_,
            )  # fmt: skip
            self.problems += step.problems  # type: ignore[arg-type]  # steps only hold graph problems
            draft.triggered.append(step)
            state = step.after
        for position, instruction in draft.body:
            if self.has_pragma and instruction.comments:
                state = _with_pragma(state, instruction)
            step = evaluate(
                scope,
                state,
                instruction,
                stage=draft.index,
                index=position,
                references=draft.references.get(position, ()),
            )
            if step.problems:
                self.problems += step.problems  # type: ignore[arg-type]  # steps only hold graph problems
            draft.steps.append(step)
            state = step.after
        draft.end = state
        self.steps += draft.steps

    def _start(self, draft: _Draft) -> State:
        windows = (draft.platform or self.platform).os == "windows"
        if draft.base is not None:
            base = self.drafts[draft.base]
            end = base.end
            assert end is not None
            draft.platform = base.platform
            variables = dict(end.variables)
            for name, value in end.environment.items():
                if (current := variables.pop(name, None)) is None or current.kind == "arg" or current.value != value:
                    current = _recorded(base, name, value)
                variables[name] = current
            return replace(end, variables=variables, dialect=None)
        facts = draft.facts
        known = facts is not None or draft.image == SCRATCH
        environment: dict[str, str] = dict(facts.environment) if facts else {}
        if "PATH" not in environment and not windows:
            environment["PATH"] = DEFAULT_PATH
        variables = {name: Variable(name, value, "base", None, known) for name, value in environment.items()}
        workdir = paths.workdir("/", facts.workdir, windows) if facts and facts.workdir else "/"
        shell = facts.shell if facts and facts.shell else ()
        default = ("cmd", "/S", "/C") if windows else ("/bin/sh", "-c")
        user = (facts.user or "root") if facts else "root" if known else None
        return State(
            variables=variables,
            environment=environment,
            workdir=workdir,
            user=user,
            shell=shell or default,
            shell_set=bool(shell),
            base_known=known,
        )

    def _result(self, reachable: frozenset[int] | tuple[int, ...]) -> InstructionGraph:
        ships: set[int] = set()
        current = self.target
        while current is not None and self.drafts:
            ships.add(current)
            current = self.drafts[current].base
        users: dict[int, list[int]] = {}
        for draft in self.drafts:
            for needed in sorted({*draft.needs, *(() if draft.base is None else (draft.base,))}):
                users.setdefault(needed, []).append(draft.index)
        stages = tuple(
            Stage(
                draft.index,
                draft.from_.name,
                draft.from_,
                tuple(draft.steps),
                draft.base,
                draft.image if draft.resolved else None,
                draft.facts,
                draft.start or State(),
                draft.end or State(),
                draft.index in ships,
                draft.index in reachable,
                tuple(users.get(draft.index, ())),
                str(draft.platform) if draft.platform else None,
                draft.resolved,
                tuple(draft.triggered),
            )
            for draft in self.drafts
        )
        problems = tuple(sorted(self.problems, key=lambda each: each.phase))
        return InstructionGraph(
            self.tree, stages, tuple(self.steps), problems, self.target, self.options, dict(self.globals)
        )


def _with_pragma(state: State, instruction: Instruction) -> State:
    for comment in instruction.comments:
        if dialect := shell_pragma(comment.text):
            state = replace(state, dialect=dialect)
    return state


def _recorded(base: _Draft, name: str, value: str) -> Variable:
    """Give the ENV variable that an ARG of the base stage had hidden."""
    for step in reversed(base.steps):
        found = step.before.variables.get(name)
        if found is not None and found.kind != "arg" and found.value == value:
            return found
    return Variable(name, value, "env")


def stage_names(stages: Sequence[Stage]) -> Mapping[str, int]:
    """Give the number that each stage name stands for in COPY --from: the last stage of that name."""
    return {stage.name: stage.index for stage in stages if stage.name}
