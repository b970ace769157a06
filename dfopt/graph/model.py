"""The instruction graph as values: build, stages, steps, states and typed edges."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

from msgspec import Struct, field

from dfopt.images.model import ImageFacts
from dfopt.shell.model import Command, Dialect, Script
from dfopt.source import Span
from dfopt.syntax.tree import Dockerfile, From, Instruction, Mount, Problem
from dfopt.tools.model import Effects, Invocation, Setting

if TYPE_CHECKING:
    import networkx

EdgeKind = Literal[
    "order",  # a step after the one before it in the same stage
    "base",  # a FROM after the last step of the stage it builds on, or after an image
    "copies-from",  # COPY --from after a stage or an image
    "mounts-from",  # RUN --mount from after a stage or an image
    "uses-variable",  # a step after the ARG or ENV whose value it uses
    "reads-context",  # a step after a path of the build context
    "reads-written-by",  # a step after the step that wrote what it reads
]


class Edge(Struct, frozen=True):
    """A dependency: ``target`` needs ``source``.

    Ends are node ids: ``"step:3"``, ``"stage:0"``, ``"image:debian:12"``, ``"context:src"``.
    """

    source: str
    target: str
    kind: EdgeKind
    label: str = ""


class Variable(Struct, frozen=True):
    """An ARG or ENV in force: its value (None: declared but unset) and the step that set it.

    ``step`` is None for variables of the base image, platform arguments and build arguments of the global scope.
    ``value`` is what a build with the given options would use. ``known`` is False where that cannot be told from the
    file alone: an ARG without default that nobody gave, a variable of an unknown base image, or what is made from them.
    """

    name: str
    value: str | None
    kind: Literal["arg", "env", "base", "platform", "global"]
    step: int | None = None
    known: bool = True


class State(Struct, frozen=True):
    """What holds at a point of a stage: variables, directory, user and shell, inherited along the graph.

    ``variables`` are in the order in which RUN gets them. ``environment`` is what the image records (ENV and the
    base's own, without ARG). ``workdir`` is absolute.
    ``shell`` is the argument vector of shell forms; ``shell_set`` tells whether a SHELL instruction (here, in a base
    stage or in the base image) set it. ``user`` is "root" unless the base or a USER says otherwise; None where
    unknown. ``base_known`` is False on top of an image of which nothing is known.
    """

    variables: Mapping[str, Variable] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    workdir: str = "/"
    user: str | None = "root"
    shell: tuple[str, ...] = ("/bin/sh", "-c")
    shell_set: bool = False
    workdir_set: bool = False
    base_known: bool = True
    dialect: Dialect | None = None
    """The language of shell forms that the last ``# hadolint shell=`` comment of the stage names."""

    def lookup(self, name: str) -> str | None:
        """Give a variable's value, None where it is unset or unknown."""
        variable = self.variables.get(name)
        return variable.value if variable is not None and variable.known else None

    def known_variables(self) -> dict[str, str]:
        """Give the variables whose values are known, as RUN gets them."""
        return {name: each.value for name, each in self.variables.items() if each.known and each.value is not None}


class Missing(Struct, frozen=True):
    """A variable that is used in an expanded place and exists nowhere: its name and where."""

    name: str
    span: Span


class RunMount(Struct, frozen=True):
    """A mount of a RUN with its variables expanded and its defaults filled in.

    ``target`` is absolute; None for a secret that is only an environment variable. ``source`` is the path inside what
    is mounted. ``stage`` is the number of the stage it comes from, ``image`` the image; neither is set for the build
    context, cache, tmpfs, secret and ssh.
    """

    type: str
    target: str | None
    source: str = ""
    from_: str = ""
    stage: int | None = None
    image: str | None = None
    read_only: bool = True
    id: str = ""
    sharing: str = ""
    required: bool = False
    env: str | None = None
    size: int | None = None
    mode: int | None = None
    uid: int | None = None
    gid: int | None = None


class Step(Struct, frozen=True, eq=False, dict=True):
    """One instruction in its stage, with all that is known about it.

    ``index`` counts all instructions of the file from 0 (the position in ``tree.instructions``). ``before`` and
    ``after`` are the states around it. ``arguments`` are the instruction's arguments with variables expanded: key,
    value, key, value ... of ENV, LABEL and ARG (without the ARGs that stay unset), sources and destination of COPY
    and ADD, paths of VOLUME, ports of EXPOSE, the text of USER, WORKDIR and STOPSIGNAL, image and platform of FROM;
    other instructions have none. ``chown`` and ``chmod`` are expanded too. ``used`` are the variables that exist and
    were asked for, ``missing`` those that do not exist, ``unknown`` those among the used ones whose value the file
    alone does not tell: with any of those, ``arguments`` are what a build without them would use. ``makes_layer`` as
    BuildKit counts. ``source_stage`` and ``source_image`` are what COPY --from names. ``cached_paths`` are mount
    points whose content does not stay in the layer (cache, tmpfs, bind, secret, ssh mounts). ``trigger`` marks an
    ONBUILD instruction that fires here: ``instruction`` is then what fires and ``index`` the position of the FROM
    that makes it fire.
    """

    index: int
    instruction: Instruction
    stage: int
    before: State
    after: State
    arguments: tuple[str, ...] = ()
    makes_layer: bool = False
    mounts: tuple[Mount, ...] = ()
    run_mounts: tuple[RunMount, ...] = ()
    cached_paths: tuple[str, ...] = ()
    used: tuple[str, ...] = ()
    missing: tuple[Missing, ...] = ()
    unknown: tuple[str, ...] = ()
    chown: str = ""
    chmod: str = ""
    checksum: str = ""
    documents: tuple[tuple[str, str], ...] = ()
    """Here-documents of COPY and ADD as (name, content after expansion); they are not among ``arguments``."""
    source_stage: int | None = None
    source_image: str | None = None
    problems: tuple[Problem, ...] = ()
    trigger: int | None = None
    origin: Instruction | None = None
    escape: str = "\\"

    @property
    def id(self) -> str:
        """The node id."""
        return f"step:{self.index}" if self.trigger is None else f"step:{self.index}+{self.trigger}"

    @property
    def keyword(self) -> str:
        """The instruction's keyword."""
        return self.instruction.keyword

    @property
    def span(self) -> Span:
        """The instruction's span; of a trigger that fires, the span of the FROM."""
        return (self.origin or self.instruction).span

    @cached_property
    def script(self) -> Script | None:
        """The parsed shell code of RUN, CMD, ENTRYPOINT and HEALTHCHECK; None for other instructions."""
        from dfopt.graph.running import script_of_step

        return script_of_step(self)

    @cached_property
    def invocations(self) -> tuple[Invocation, ...]:
        """Its recognised commands in order."""
        from dfopt.graph.running import invocations_of_step

        return invocations_of_step(self)

    @cached_property
    def effects(self) -> Effects:
        """What it does to the file system and the world; paths below mounts are left in."""
        from dfopt.graph.running import effects_of_step

        return effects_of_step(self)

    @property
    def commands(self) -> tuple[Command, ...]:
        """The simple commands of its script."""
        return self.script.commands if self.script else ()

    @cached_property
    def setting(self) -> Setting:
        """The surroundings in which its commands start."""
        from dfopt.graph.running import setting_of

        return setting_of(self.before)

    @cached_property
    def command_effects(self) -> tuple[Effects, ...]:
        """What each of its commands does taken by itself, in the order of ``commands``."""
        from dfopt.graph.running import effects_of_commands

        return effects_of_commands(self)

    @property
    def sources(self) -> tuple[str, ...]:
        """The expanded sources of COPY and ADD, here-documents left out."""
        return self.arguments[:-1]

    @property
    def destination(self) -> str:
        """The destination of COPY and ADD, absolute; it ends in ``/`` or ``/.`` where it is written as a folder."""
        from dfopt.graph.paths import destination

        return destination(self.before.workdir, self.arguments[-1])

    def is_mounted(self, path: str) -> bool:
        """Tell whether a path lies on a mount, so that nothing written there stays in the layer."""
        path = path.rstrip("/") or "/"
        return any(path == mount or path.startswith(mount.rstrip("/") + "/") for mount in self.cached_paths)


class Stage(Struct, frozen=True, eq=False):
    """One build stage.

    ``steps`` begin with the FROM. ``triggered`` are the ONBUILD instructions of its base that fire right after the
    FROM. ``base`` is the number of the stage it builds on, or None; ``image`` is the expanded image reference where
    it builds on an image ("scratch" included; None where it cannot be computed). ``facts`` is what is known of that
    image. ``ships`` tells whether the target's image contains its layers: the target itself and the stages it is
    based on. ``reachable`` tells whether the target needs it at all. ``used_by`` are the numbers of stages that copy,
    mount or build from it.
    """

    index: int
    name: str | None
    from_: From
    steps: tuple[Step, ...]
    base: int | None
    image: str | None
    facts: ImageFacts | None
    start: State
    end: State
    ships: bool
    reachable: bool
    used_by: tuple[int, ...] = ()
    platform: str | None = None
    resolved: bool = True
    """False where the image text holds a variable without a known value."""
    triggered: tuple[Step, ...] = ()

    @property
    def id(self) -> str:
        """The node id."""
        return f"stage:{self.index}"

    @property
    def all_steps(self) -> tuple[Step, ...]:
        """The FROM, what it triggers, and the stage's own steps."""
        return (*self.steps[:1], *self.triggered, *self.steps[1:])


class BuildOptions(Struct, frozen=True):
    """How the file is built: build arguments, target stage (name), platform, named contexts (name to image)."""

    build_args: Mapping[str, str] = field(default_factory=dict)
    target: str | None = None
    platform: str = "linux/amd64"
    contexts: Mapping[str, str] = field(default_factory=dict)


class GraphProblem(Problem, frozen=True):
    """An error that only shows when stages are put together or expanded.

    ``phase`` orders problems as BuildKit meets them (``dfopt.graph.problems``), ``in_stage`` is the stage it belongs
    to (None: the whole file), ``also`` are further places, ``at`` tells how far its instruction was processed.
    ``needs_argument`` is set where a build argument would repair it.
    """

    phase: int = 0
    in_stage: int | None = None
    also: tuple[Span, ...] = ()
    step: str | None = None
    while_expanding: bool = False
    needs_argument: bool = False
    position: int = 0


class InstructionGraph(Struct, frozen=True, eq=False, dict=True):
    """The graph of one Dockerfile: a plain value, built in one pass by ``dfopt.graph.build``."""

    tree: Dockerfile
    stages: tuple[Stage, ...]
    steps: tuple[Step, ...]
    """All steps in file order; those before the first FROM (global ARGs) have stage -1."""
    problems: tuple[GraphProblem, ...]
    """Errors that only show when stages are put together (stage "graph"), in the order in which BuildKit meets them."""
    target: int | None
    options: BuildOptions
    globals: Mapping[str, Variable] = field(default_factory=dict)

    @cached_property
    def edges(self) -> tuple[Edge, ...]:
        """All edges, computed when first asked for."""
        from dfopt.graph.edges import edges_of

        return edges_of(self)

    def step_of(self, instruction: Instruction) -> Step:
        """Give the step of an instruction. Raises KeyError for one that is not in the graph."""
        for step in self.steps:
            if step.instruction is instruction:
                return step
        raise KeyError(instruction.keyword)

    def chain(self, stage: int) -> tuple[Stage, ...]:
        """Give a stage and the stages it is based on, the lowest first."""
        chain = [self.stages[stage]]
        while (base := chain[-1].base) is not None:
            chain.append(self.stages[base])
        return tuple(reversed(chain))

    def to_networkx(self) -> networkx.MultiDiGraph[Any]:
        """Give the graph as a networkx.MultiDiGraph, with kind, label and stage of nodes, kind and label of edges."""
        from dfopt.graph.export import to_networkx

        return to_networkx(self)
