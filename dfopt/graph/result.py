"""What a stage results in: the image's configuration, its history, and the operations that build it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from msgspec import Struct

from dfopt.graph import paths
from dfopt.graph.build import DEFAULT_PATH, SCRATCH
from dfopt.graph.image_names import full_name
from dfopt.graph.model import InstructionGraph, Stage, Step
from dfopt.graph.operands import parse_port
from dfopt.graph.operations import Operation, Operations, copy_operation, run_operation
from dfopt.graph.platforms import parse_platform
from dfopt.graph.problems import MARSHAL, first_problem
from dfopt.syntax import tree
from dfopt.syntax.durations import parse_duration

Config = dict[str, Any]
BaseConfig = Callable[[str], "Mapping[str, Any] | None"]


class Event(Struct, frozen=True):
    """One line of an image's history: the command it came from, and whether it made no layer."""

    created_by: str
    empty_layer: bool


class Result(Struct, frozen=True):
    """The outcome of a stage.

    ``config`` has the fields of an OCI image configuration. ``operations`` are in an order in which each stands
    behind its inputs; ``root`` is the number of the last one, None for an empty image. ``images`` are the full names
    of all images that the stage needs, once per use.
    """

    config: Config
    history: tuple[Event, ...]
    operations: tuple[Operation, ...]
    root: int | None
    images: tuple[str, ...]
    platform: str


def result_of(graph: InstructionGraph, stage: int | None = None, *, base_config: BaseConfig | None = None) -> Result:
    """Give the result of a stage, of the target without one. Raises ValueError where the build would not begin.

    ``base_config`` gives the configuration of a base image by its name, or None; without it the facts of the graph
    stand in.
    """
    problem = first_problem(graph)
    if problem is not None and problem.phase != MARSHAL:
        raise ValueError(problem.message)
    wanted = graph.target if stage is None else stage
    assert wanted is not None
    replay = _Replay(graph, base_config)
    needed = _needed(graph, wanted)
    for each in graph.stages:
        if each.index in needed:
            replay.stage(each)
    outcome = replay.stages[wanted]
    operations, root = _only_needed(replay.operations.all, outcome.output)
    return Result(
        {key: value for key, value in outcome.config.items() if value not in (None, "", [], {}, False)},
        tuple(outcome.history), operations, root, tuple(sorted(replay.images)), outcome.platform,
    )  # fmt: skip


def _needed(graph: InstructionGraph, stage: int) -> set[int]:
    seen: set[int] = set()
    todo = [stage]
    while todo:
        number = todo.pop()
        if number in seen:
            continue
        seen.add(number)
        current = graph.stages[number]
        if current.base is not None:
            todo.append(current.base)
        for step in current.all_steps:
            todo += [mount.stage for mount in step.run_mounts if mount.stage is not None]
            if step.source_stage is not None:
                todo.append(step.source_stage)
    return seen


def _only_needed(operations: list[Operation], root: int | None) -> tuple[tuple[Operation, ...], int | None]:
    """Drop what the root does not need, and number the rest anew."""
    if root is None:
        return (), None
    keep: set[int] = set()
    todo = [root]
    while todo:
        number = todo.pop()
        if number not in keep:
            keep.add(number)
            todo += operations[number].inputs
    order = {old: new for new, old in enumerate(sorted(keep))}
    kept = [operations[old] for old in sorted(keep)]
    return tuple(
        Operation(each.kind, tuple(order[number] for number in each.inputs), each.details, each.hidden) for each in kept
    ), order[root]


class _Outcome(Struct):
    """A stage while it is replayed."""

    config: Config
    history: list[Event]
    output: int | None
    platform: str
    declared: list[str]


class _Replay:
    def __init__(self, graph: InstructionGraph, base_config: BaseConfig | None) -> None:
        self.graph = graph
        self.base_config = base_config
        self.operations = Operations()
        self.stages: dict[int, _Outcome] = {}
        self.images: list[str] = []

    def stage(self, stage: Stage) -> None:
        outcome = self._begin(stage)
        self.stages[stage.index] = outcome
        done: set[str] = set()
        for step in stage.all_steps[1:]:
            self._step(step, outcome, done)

    def _begin(self, stage: Stage) -> _Outcome:
        target = str(parse_platform(self.graph.options.platform))
        platform = stage.platform or target
        if stage.base is not None:
            base = self.stages[stage.base]
            config = {key: _copied(value) for key, value in base.config.items() if key != "OnBuild"}
            return _Outcome(config, list(base.history), base.output, base.platform, list(base.declared))
        windows = parse_platform(platform).os == "windows"
        path = [] if windows else [f"PATH={DEFAULT_PATH}"]
        image = stage.image or stage.steps[0].arguments[0]
        if image == SCRATCH:
            return _Outcome({"Env": path, "WorkingDir": "/"}, [], None, target, [])
        name = full_name(image)
        self.images.append(name)
        given = self._given(stage, image)
        config = {key: _copied(value) for key, value in given.items() if key != "OnBuild"}
        environment = list(config.get("Env") or [])
        if not any(each.startswith("PATH=") for each in environment):
            environment += path
        config["Env"] = environment
        if directory := config.get("WorkingDir"):
            config["WorkingDir"] = paths.workdir("/", directory, windows)
        return _Outcome(config, [], self.operations.image(name, platform), platform, [])

    def _given(self, stage: Stage, image: str) -> Mapping[str, Any]:
        if self.base_config is not None:
            return self.base_config(image) or {}
        facts = stage.facts
        if facts is None:
            return {}
        return {
            "Env": [f"{name}={value}" for name, value in facts.environment.items()],
            "User": facts.user,
            "WorkingDir": "" if facts.workdir == "/" else facts.workdir,
            "Shell": list(facts.shell),
            "Entrypoint": list(facts.entrypoint),
            "Cmd": list(facts.command),
        }

    def _origin(self, stage: int | None, image: str | None, platform: str) -> int | None:
        """Give the output of what a COPY or a mount takes files from."""
        if stage is not None:
            return self.stages[stage].output
        if image is None:
            return self.operations.context()
        if image == SCRATCH:
            return None
        return self.operations.image(full_name(image), platform)

    def _step(self, step: Step, outcome: _Outcome, done: set[str]) -> None:
        action = _REPLAY.get(step.keyword)
        if action is not None:
            action(self, step, outcome, done)

    def run(self, step: Step, outcome: _Outcome, done: set[str]) -> None:
        instruction = step.instruction
        assert isinstance(instruction, tree.Run)
        target = str(parse_platform(self.graph.options.platform))
        arguments = _with_shell(instruction, step, run_text(instruction))
        origins: list[int | None] = []
        for mount, written in zip(step.run_mounts, instruction.mounts, strict=True):
            origin: int | None = None
            if written.from_ and mount.stage is None and written.from_ != SCRATCH:
                self._count_image(written.from_)
            if mount.type == "cache" and not mount.from_:
                origin = None
            elif mount.type in ("bind", "cache"):
                origin = self._origin(mount.stage, mount.image, target)
            origins.append(origin)
        user = outcome.config.get("User") or ""
        outcome.output = run_operation(
            self.operations, step, outcome.output, origins, arguments, user, outcome.platform
        )
        values = []
        for name in outcome.declared:
            variable = step.before.variables.get(name)
            values.append(f"{name}={variable.value if variable and variable.value is not None else ''}")
        prefix = [f"|{len(values)}", *values] if values else []
        outcome.history.append(Event(f"RUN {' '.join([*prefix, *arguments])} # buildkit", False))

    def _count_image(self, name: str) -> None:
        stage_names = {stage.name for stage in self.graph.stages if stage.name}
        if name.lower() not in stage_names:
            self.images.append(full_name(name))

    def copy(self, step: Step, outcome: _Outcome, done: set[str]) -> None:
        instruction = step.instruction
        assert isinstance(instruction, tree.FileInstruction)
        target = str(parse_platform(self.graph.options.platform))
        if step.source_image is not None and step.source_image != SCRATCH:
            self.images.append(full_name(step.source_image))
        source = self._origin(step.source_stage, step.source_image, target) if step.sources else None
        outcome.output = copy_operation(self.operations, step, outcome.output, source, outcome.platform)
        words = [step.keyword]
        if instruction.has_flag("parents"):
            words.append("--parents")
        if step.chown:
            words.append(f"--chown={step.chown}")
        if step.chmod:
            words.append(f"--chmod={step.chmod}")
        words += [*step.sources, *(f"<<{name}" for name, _ in step.documents), step.arguments[-1]]
        outcome.history.append(Event(f"{' '.join(words)} # buildkit", False))

    def workdir(self, step: Step, outcome: _Outcome, done: set[str]) -> None:
        windows = parse_platform(outcome.platform).os == "windows"
        directory = paths.workdir(outcome.config.get("WorkingDir") or "", step.arguments[0], windows)
        outcome.config["WorkingDir"] = directory.replace("/", "\\") if windows else directory
        if directory != "/":
            owner = outcome.config.get("User") or ""
            outcome.output = self.operations.directory(outcome.output, directory, owner, outcome.platform)
        outcome.history.append(Event(f"WORKDIR {directory}", directory == "/"))

    def environment(self, step: Step, outcome: _Outcome, done: set[str]) -> None:
        values: list[str] = outcome.config.setdefault("Env", [])
        pairs = _pairs(step.arguments)
        for key, value in pairs:
            place = next((at for at, each in enumerate(values) if each.partition("=")[0] == key), None)
            if place is None:
                values.append(f"{key}={value}")
            else:
                values[place] = f"{key}={value}"
        _note(outcome, "ENV", [f"{key}={value}" for key, value in pairs])

    def label(self, step: Step, outcome: _Outcome, done: set[str]) -> None:
        pairs = _pairs(step.arguments)
        outcome.config.setdefault("Labels", {}).update(pairs)
        _note(outcome, "LABEL", [f"{key}={value}" for key, value in pairs])

    def argument(self, step: Step, outcome: _Outcome, done: set[str]) -> None:
        instruction = step.instruction
        assert isinstance(instruction, tree.Arg)
        given = iter(_pairs(step.arguments))
        texts = []
        pending = next(given, None)
        for pair in instruction.pairs:
            if pair.key not in outcome.declared:
                outcome.declared.append(pair.key)
            if pending is not None and pending[0] == pair.key:
                texts.append(f"{pair.key}={pending[1]}")
                pending = next(given, None)
            else:
                texts.append(pair.key)
        _note(outcome, "ARG", texts)

    def command(self, step: Step, outcome: _Outcome, done: set[str]) -> None:
        instruction = step.instruction
        assert isinstance(instruction, tree.CommandInstruction)
        arguments = _with_shell(instruction, step, instruction.body.text)
        name = "Cmd" if step.keyword == "CMD" else "Entrypoint"
        outcome.config[name] = arguments
        if name == "Cmd":
            outcome.config["ArgsEscaped"] = True
            done.add("Cmd")
        elif "Cmd" not in done:
            outcome.config.pop("Cmd", None)
        outcome.history.append(Event(f"{step.keyword} [{' '.join(map(_quoted, arguments))}]", True))

    def shell(self, step: Step, outcome: _Outcome, done: set[str]) -> None:
        outcome.config["Shell"] = list(step.after.shell)
        outcome.history.append(Event(f"SHELL [{' '.join(step.after.shell)}]", True))

    def healthcheck(self, step: Step, outcome: _Outcome, done: set[str]) -> None:
        instruction = step.instruction
        assert isinstance(instruction, tree.Healthcheck)
        if instruction.is_none:
            test = ["NONE"]
        elif instruction.exec_form is not None:
            test = ["CMD", *(word.text for word in instruction.exec_form)]
        else:
            test = ["CMD-SHELL", instruction.command.text if instruction.command else ""]
        check: dict[str, Any] = {"Test": test}
        texts = [f"Test:[{' '.join(test)}]"]
        for flag in ("interval", "timeout", "start-period", "start-interval"):
            written = None if instruction.is_none else instruction.flag_value(flag)
            nanoseconds = parse_duration(written) if written else 0
            name = flag.title().replace("-", "")
            check[name] = nanoseconds
            texts.append(f"{name}:{_duration(nanoseconds)}")
        check["Retries"] = 0 if instruction.is_none else int(instruction.flag_value("retries") or 0)
        texts.append(f"Retries:{check['Retries']}")
        outcome.config["Healthcheck"] = {key: value for key, value in check.items() if value}
        outcome.history.append(Event(f"HEALTHCHECK {{{' '.join(texts)}}}", True))

    def expose(self, step: Step, outcome: _Outcome, done: set[str]) -> None:
        ports = [name for text in step.arguments for name in parse_port(text).names]
        outcome.config.setdefault("ExposedPorts", {}).update({port: {} for port in ports})
        outcome.history.append(Event(f"EXPOSE [{' '.join(ports)}]", True))

    def volume(self, step: Step, outcome: _Outcome, done: set[str]) -> None:
        outcome.config.setdefault("Volumes", {}).update({path: {} for path in step.arguments})
        outcome.history.append(Event(f"VOLUME [{' '.join(step.arguments)}]", True))

    def text(self, step: Step, outcome: _Outcome, done: set[str]) -> None:
        text = step.arguments[0]
        outcome.config["User" if step.keyword == "USER" else "StopSignal"] = text
        outcome.history.append(Event(f"{step.keyword} {text}", True))

    def maintainer(self, step: Step, outcome: _Outcome, done: set[str]) -> None:
        instruction = step.instruction
        assert isinstance(instruction, tree.Maintainer)
        outcome.history.append(Event(f"MAINTAINER {instruction.text.text}", True))

    def onbuild(self, step: Step, outcome: _Outcome, done: set[str]) -> None:
        instruction = step.instruction
        assert isinstance(instruction, tree.Onbuild)
        text = instruction.body.text + "".join(f"\n{heredoc.content}{heredoc.name}" for heredoc in instruction.heredocs)
        outcome.config.setdefault("OnBuild", []).append(text)


_REPLAY: dict[str, Callable[[_Replay, Step, _Outcome, set[str]], None]] = {
    "RUN": _Replay.run,
    "COPY": _Replay.copy,
    "ADD": _Replay.copy,
    "WORKDIR": _Replay.workdir,
    "ENV": _Replay.environment,
    "LABEL": _Replay.label,
    "ARG": _Replay.argument,
    "CMD": _Replay.command,
    "ENTRYPOINT": _Replay.command,
    "SHELL": _Replay.shell,
    "HEALTHCHECK": _Replay.healthcheck,
    "EXPOSE": _Replay.expose,
    "VOLUME": _Replay.volume,
    "USER": _Replay.text,
    "STOPSIGNAL": _Replay.text,
    "MAINTAINER": _Replay.maintainer,
    "ONBUILD": _Replay.onbuild,
}


def run_text(instruction: tree.Run) -> str:
    """Give the text that a RUN in shell form hands to the shell, here-documents included."""
    heredoc = instruction.script_heredoc
    if heredoc is not None:
        return f"/dev/pipes/{heredoc.name}" if heredoc.text.startswith("#!") else heredoc.text
    return instruction.body.text + "".join(f"\n{each.content}{each.name}" for each in instruction.heredocs)


def _with_shell(instruction: tree.CommandInstruction, step: Step, text: str) -> list[str]:
    if instruction.exec_form is not None:
        return [word.text for word in instruction.exec_form]
    return [*step.before.shell, text]


def _pairs(arguments: tuple[str, ...]) -> list[tuple[str, str]]:
    return list(zip(arguments[::2], arguments[1::2], strict=True))


def _note(outcome: _Outcome, keyword: str, texts: list[str]) -> None:
    outcome.history.append(Event(f"{keyword} {' '.join(texts)}", True))


def _copied(value: Any) -> Any:
    return value.copy() if isinstance(value, (list, dict)) else value


def _quoted(text: str) -> str:
    """Quote a string as Go's ``%q`` does."""
    out = []
    for char in text:
        code = ord(char)
        if char in '"\\':
            out.append(f"\\{char}")
        elif char in _ESCAPES:
            out.append(_ESCAPES[char])
        elif 0xDC80 <= code <= 0xDCFF:
            out.append(f"\\x{code - 0xDC00:02x}")
        elif char.isprintable() and char != "\u00ad":
            out.append(char)
        elif code < 0x80:
            out.append(f"\\x{code:02x}")
        else:
            out.append(f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}")
    return f'"{"".join(out)}"'


_ESCAPES = {"\a": "\\a", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\v": "\\v"}


def _duration(nanoseconds: int) -> str:
    """Write a duration as Go does: ``1h0m0s``, ``1.5s``, ``20ms``."""
    if nanoseconds == 0:
        return "0s"
    for unit, size in (("ns", 1), ("µs", 1_000), ("ms", 1_000_000)):
        if nanoseconds < size * 1000:
            return f"{_decimal(nanoseconds, size)}{unit}"
    minutes, rest = divmod(nanoseconds, 60_000_000_000)
    seconds = f"{_decimal(rest, 1_000_000_000)}s"
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours}h{minutes}m{seconds}"
    return f"{minutes}m{seconds}" if minutes else seconds


def _decimal(value: int, size: int) -> str:
    whole, rest = divmod(value, size)
    digits = f"{rest:0{len(str(size)) - 1}d}".rstrip("0") if rest else ""
    return f"{whole}.{digits}" if digits else str(whole)
