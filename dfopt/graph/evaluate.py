"""Walking the instructions of a stage: each one's expanded arguments, and the state after it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from msgspec import Struct
from msgspec.structs import replace

from dfopt.graph import paths
from dfopt.graph.expansion import Expander
from dfopt.graph.model import GraphProblem, RunMount, State, Step, Variable
from dfopt.graph.mounts import place_mount
from dfopt.graph.operands import check_digest, is_mode, is_signal, parse_port
from dfopt.graph.overlay import with_entries
from dfopt.graph.problems import MARSHAL, STEPS, graph_problem
from dfopt.graph.sources import GitError, GitSource, git_source, is_url
from dfopt.source import Span
from dfopt.syntax import tree
from dfopt.syntax.heredocs import HeredocWord, heredoc_word
from dfopt.syntax.mounts import MountError
from dfopt.syntax.tree import Instruction
from dfopt.syntax.words import WordError

# Build arguments that steer the builder and never reach the environment.
_NOT_IN_ENVIRONMENT = frozenset(("BUILDKIT_SBOM_SCAN_CONTEXT", "BUILDKIT_SBOM_SCAN_STAGE"))


class Scope(Struct):
    """What holds for all stages of a build: build arguments, global variables, escape character and platform."""

    build_args: Mapping[str, str]
    globals: Mapping[str, Variable]
    escape: str
    windows: bool = False


class Reference(Struct, frozen=True):
    """What COPY --from or a mount's from names: a stage, or an image (``"scratch"`` is the empty one)."""

    stage: int | None
    image: str | None
    name: str


class _Draft:
    """A step in the making."""

    __slots__ = (
        "arguments", "checksum", "chmod", "chown", "documents", "expander", "index", "instruction", "problems",
        "references", "run_mounts", "scope", "stage", "state",
    )  # fmt: skip

    def __init__(
        self,
        scope: Scope,
        state: State,
        instruction: Instruction,
        stage: int,
        index: int,
        references: tuple[Reference | None, ...],
    ) -> None:
        self.scope = scope
        self.state = state
        self.instruction = instruction
        self.stage = stage
        self.index = index
        self.references = references
        self.expander = Expander(state.variables, scope.escape, state.base_known)
        self.arguments: list[str] = []
        self.problems: list[GraphProblem] = []
        self.run_mounts: tuple[RunMount, ...] = ()
        self.chown = self.chmod = self.checksum = ""
        self.documents: list[tuple[str, str]] = []

    def problem(self, code: str, span: Span, phase: int = STEPS, **values: object) -> None:
        """Note a problem of this step."""
        self.problems.append(graph_problem(code, span, phase, self.stage, **values))  # type: ignore[arg-type]  # values fill the message


class _Refused(Exception):
    """The step cannot go on; the problem is noted."""


_Action = Callable[[_Draft], State]


def evaluate(
    scope: Scope,
    state: State,
    instruction: Instruction,
    *,
    stage: int,
    index: int,
    references: tuple[Reference | None, ...] = (),
    trigger: int | None = None,
    origin: Instruction | None = None,
) -> Step:
    """Give the step that an instruction is in a given state. What a build refuses becomes a problem of the step."""
    action = _ACTIONS.get(type(instruction))
    if action is None:
        return Step(index, instruction, stage, state, state, trigger=trigger, origin=origin, escape=scope.escape)
    draft = _Draft(scope, state, instruction, stage, index, references)
    after = state
    expanding = False
    try:
        after = action(draft)
    except WordError as error:
        word = getattr(error, "word", "this")
        draft.problem("E201", getattr(error, "place", (origin or instruction).span), word=word, reason=error.message)
        expanding = True
    except _Refused:
        pass
    expander = draft.expander
    problems: tuple[GraphProblem, ...] = ()
    if draft.problems:
        step_id = f"step:{index}" if trigger is None else f"step:{index}+{trigger}"
        problems = tuple(
            replace(
                each,
                span=origin.span if origin else each.span,
                step=step_id,
                while_expanding=expanding,
                position=len(expander.missing),
            )
            for each in draft.problems
        )
    is_run = isinstance(instruction, tree.Run)
    source = references[0] if references and not is_run else None
    return Step(
        index,
        instruction,
        stage,
        state,
        after,
        tuple(draft.arguments),
        is_run
        or isinstance(instruction, tree.FileInstruction)
        or (isinstance(instruction, tree.Workdir) and after.workdir != "/"),
        instruction.mounts if isinstance(instruction, tree.Run) else (),
        draft.run_mounts,
        tuple(mount.target for mount in draft.run_mounts if mount.target),
        tuple(dict.fromkeys(expander.used)) if expander.used else (),
        tuple(expander.missing),
        tuple(expander.unknown),
        draft.chown,
        draft.chmod,
        draft.checksum,
        tuple(draft.documents),
        source.stage if source else None,
        source.image if source else None,
        problems,
        trigger,
        origin,
        scope.escape,
    )


def _word(draft: _Draft, text: str, span: Span) -> str:
    try:
        return draft.expander.word(text, span)
    except WordError as error:
        error.word, error.place = text, span  # type: ignore[attr-defined]  # carried to the message
        raise


def _env(draft: _Draft) -> State:
    instruction, state = draft.instruction, draft.state
    assert isinstance(instruction, tree.Env)
    pairs = []
    for pair in instruction.pairs:
        key = _word(draft, pair.key, pair.key_span)
        tainted = draft.expander.tainted
        value = _word(draft, pair.value or "", pair.value_span or pair.span)
        pairs.append((key, value, not (tainted or draft.expander.tainted)))
        draft.arguments += (key, value)
    variables: dict[str, Variable] = {}
    for key, value, known in pairs:
        variables.pop(key, None)
        variables[key] = Variable(key, value, "env", draft.index, known)
    environment = {key: value for key, value, _ in pairs}
    return replace(
        state,
        variables=with_entries(state.variables, variables, moves=True),
        environment=with_entries(state.environment, environment, moves=False),
    )


def _label(draft: _Draft) -> State:
    instruction = draft.instruction
    assert isinstance(instruction, tree.Label)
    for pair in instruction.pairs:
        draft.arguments += (
            _word(draft, pair.key, pair.key_span),
            _word(draft, pair.value or "", pair.value_span or pair.span),
        )
    return draft.state


def _arg(draft: _Draft) -> State:
    instruction, state, scope = draft.instruction, draft.state, draft.scope
    assert isinstance(instruction, tree.Arg)
    expander = draft.expander
    for pair in instruction.pairs:
        key, value, known = pair.key, pair.value, True
        if key in scope.build_args:
            value = scope.build_args[key]
        elif value is not None:
            value = _word(draft, value, pair.value_span or pair.span)
            known = not expander.tainted
        else:
            inherited = scope.globals.get(key)
            if inherited is not None:
                value, known = inherited.value, inherited.known
        variable = None
        if value is not None:
            draft.arguments += (key, value)
        if value is not None and key not in _NOT_IN_ENVIRONMENT:
            variable = Variable(key, value, "arg", draft.index, known)
        elif key not in expander.variables:
            variable = Variable(key, None, "arg", draft.index, False)
        if variable is not None:
            expander.variables = with_entries(expander.variables, {key: variable}, moves=True)
    return replace(state, variables=expander.variables)


def _workdir(draft: _Draft) -> State:
    instruction, state = draft.instruction, draft.state
    assert isinstance(instruction, tree.Workdir)
    text = _word(draft, instruction.text.text, instruction.text.span)
    draft.arguments.append(text)
    return replace(state, workdir=paths.workdir(state.workdir, text, draft.scope.windows), workdir_set=True)


def _user(draft: _Draft) -> State:
    instruction = draft.instruction
    assert isinstance(instruction, tree.User)
    text = _word(draft, instruction.text.text, instruction.text.span)
    draft.arguments.append(text)
    return replace(draft.state, user=None if draft.expander.tainted else text or "root")


def _stopsignal(draft: _Draft) -> State:
    instruction = draft.instruction
    assert isinstance(instruction, tree.Stopsignal)
    text = _word(draft, instruction.text.text, instruction.text.span)
    draft.arguments.append(text)
    if not is_signal(text):
        draft.problem(
            "E214", instruction.text.span, signal=text or "an empty word", needs_argument=draft.expander.tainted
        )
    return draft.state


def _shell(draft: _Draft) -> State:
    instruction = draft.instruction
    assert isinstance(instruction, tree.Shell)
    words = instruction.exec_form
    if not words:
        return draft.state
    return replace(draft.state, shell=tuple(word.text for word in words), shell_set=True, dialect=None)


def _volume(draft: _Draft) -> State:
    instruction = draft.instruction
    assert isinstance(instruction, tree.Volume)
    for word in instruction.words:
        draft.arguments.append(_word(draft, word.text.strip(), word.span))
    for word, value in zip(instruction.words, draft.arguments, strict=True):
        if not value:
            draft.problem("E213", word.span, text=word.text)
            break
    return draft.state


def _expose(draft: _Draft) -> State:
    instruction = draft.instruction
    assert isinstance(instruction, tree.Expose)
    found: list[tuple[Span, str]] = []
    for word in sorted(instruction.words, key=lambda each: each.text):
        try:
            found += [(word.span, port) for port in draft.expander.words(word.text, word.span)]
        except WordError as error:
            error.word, error.place = word.text, word.span  # type: ignore[attr-defined]  # carried to the message
            raise
    for span, port in found:
        try:
            parse_port(port)
        except ValueError as error:
            draft.problem("E212", span, port=port, reason=str(error))
            break
        draft.arguments.append(port)
    return draft.state


def _copy(draft: _Draft) -> State:
    instruction = draft.instruction
    assert isinstance(instruction, tree.FileInstruction)
    is_add = isinstance(instruction, tree.Add)
    span = instruction.span
    draft.chown = _flag(draft, "chown")
    draft.chmod = _flag(draft, "chmod")
    if is_add:
        draft.checksum = _flag(draft, "checksum")
    plain: list[tuple[tree.Word, HeredocWord | None]] = []
    documents: list[tuple[tree.Word, HeredocWord | None]] = []
    for word in instruction.sources:
        announced = heredoc_word(word.text) if word.text[:1] in "0123456789<" and "<<" in word.text else None
        (plain if announced is None else documents).append((word, announced))
    spans = []
    for word, _ in plain:
        draft.arguments.append(_word(draft, word.text, word.span))
        spans.append(word.span)
    draft.arguments.append(_word(draft, instruction.destination.text, instruction.destination.span))
    bodies = {heredoc.name: heredoc for heredoc in instruction.heredocs}
    for _, announced in documents:
        assert announced is not None
        body = bodies.get(announced.name)
        text = body.text if body else ""
        if body and body.expand:
            try:
                text = draft.expander.document(text, body.body_span)
            except WordError as error:
                error.word, error.place = f"the here-document {body.name}", body.body_span  # type: ignore[attr-defined]  # carried to the message
                raise
        draft.documents.append((announced.name, text))
    if draft.references and draft.references[0] is None:
        raise _Refused
    if (
        draft.references
        and (reference := draft.references[0]) is not None
        and reference.stage is not None
        and reference.stage >= draft.stage
    ):
        flag = instruction.flag("from")
        draft.problem("E210", flag.span if flag else span, name=reference.name)
        raise _Refused
    _check_files(draft, instruction, is_add, spans)
    return draft.state


def _flag(draft: _Draft, name: str) -> str:
    flag = draft.instruction.flag(name)
    if flag is None or not flag.value:
        return ""
    return _word(draft, flag.value, flag.value_span or flag.span)


def _check_files(draft: _Draft, instruction: tree.FileInstruction, is_add: bool, spans: list[Span]) -> None:
    sources = draft.arguments[:-1]

    def refuse(code: str, flag: str, **values: object) -> None:
        found = instruction.flag(flag)
        draft.problem(code, found.span if found else instruction.span, STEPS, **values)
        raise _Refused

    if draft.chmod and not is_mode(draft.chmod):
        refuse("E215", "chmod", mode=draft.chmod)
    checksum = draft.checksum
    if checksum and len(sources) != 1:
        refuse("E218", "checksum", text=checksum, reason="it goes with a single source")
    if checksum and not is_url(sources[0]) and _git(draft, sources[0], spans[0]) is None:
        refuse("E218", "checksum", text=checksum, reason="it goes with a URL or a git repository")
    for source, span in zip(sources, spans, strict=True):
        if "@" not in source and "://" not in source:
            continue
        git = _git(draft, source, span)
        if not is_add and (git is not None or is_url(source)):
            draft.problem("E216", span, source=source)
            raise _Refused
        if git is not None:
            flag = instruction.flag("keep-git-dir")
            if flag is not None and git.keep_git is not None and instruction.has_flag("keep-git-dir") != git.keep_git:
                draft.problem("E217", span, source=source, reason="--keep-git-dir says something else")
                raise _Refused
            if checksum and git.checksum and checksum != git.checksum:
                draft.problem("E217", span, source=source, reason="--checksum says something else")
                raise _Refused
        elif checksum and is_url(source):
            try:
                check_digest(checksum)
            except ValueError as error:
                refuse("E218", "checksum", text=checksum, reason=str(error))


def _git(draft: _Draft, source: str, span: Span) -> GitSource | None:
    try:
        return git_source(source)
    except GitError as error:
        draft.problem("E217", span, source=source, reason=str(error))
        raise _Refused from None


def _run(draft: _Draft) -> State:
    instruction, state = draft.instruction, draft.state
    assert isinstance(instruction, tree.Run)
    if instruction.exec_form is not None and not instruction.exec_form:
        draft.problem("E220", instruction.span, MARSHAL)
    if not instruction.mounts:
        return state
    mounts = []
    for mount in instruction.mounts:
        span = mount.flag.value_span or mount.flag.span
        try:
            mounts.append(place_mount(mount, lambda text, span=span: _word(draft, text, span), state.workdir))  # type: ignore[misc]  # span is bound
        except MountError as error:
            draft.problem("E219", span, reason=str(error))
            raise _Refused from None
    resolved = []
    for position, mount_ in enumerate(mounts):
        reference = draft.references[position] if position < len(draft.references) else None
        if reference is None or not mount_.from_ or mount_.type not in ("bind", "cache", "tmpfs", "ssh"):
            resolved.append(mount_)
            continue
        if reference.stage is not None and reference.stage >= draft.stage:
            flag = instruction.mounts[position].flag
            draft.problem("E210", flag.span, name=reference.name)
            draft.run_mounts = tuple(mounts)
            raise _Refused
        if mount_.type in ("tmpfs", "ssh"):
            resolved.append(mount_)
            continue
        resolved.append(replace(mount_, stage=reference.stage, image=reference.image))
    draft.run_mounts = tuple(resolved)
    return state


_ACTIONS: dict[type[Instruction], _Action] = {
    tree.Env: _env,
    tree.Label: _label,
    tree.Arg: _arg,
    tree.Workdir: _workdir,
    tree.User: _user,
    tree.Stopsignal: _stopsignal,
    tree.Shell: _shell,
    tree.Volume: _volume,
    tree.Expose: _expose,
    tree.Copy: _copy,
    tree.Add: _copy,
    tree.Run: _run,
}
