"""The instruction graph as values: build, stages, steps, states and typed edges."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

from msgspec import Struct, field

from dfopt.images.model import ImageFacts
from dfopt.shell.model import Command, Script
from dfopt.source import Span
from dfopt.syntax.tree import Dockerfile, From, Instruction, Mount, Problem
from dfopt.tools.model import Effects, Invocation

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
    """A dependency: ``target`` needs ``source``. Ends are node ids: ``"step:3"``, ``"stage:0"``, ``"image:debian:12"``, ``"context:src"``."""

    source: str
    target: str
    kind: EdgeKind
    label: str = ""


class Variable(Struct, frozen=True):
    """An ARG or ENV in force: its value (None: declared but unset, or not computable) and the step that set it.

    ``step`` is None for variables of the base image, platform arguments and build arguments of the global scope.
    ``known`` is False where the value cannot be told from the file (an ARG without default that nobody gave).
    """

    name: str
    value: str | None
    kind: Literal["arg", "env", "base", "platform", "global"]
    step: int | None = None
    known: bool = True


class State(Struct, frozen=True):
    """What holds at a point of a stage: variables, directory, user and shell, inherited along the graph.

    ``workdir`` is absolute. ``shell`` is the argument vector of shell forms; ``shell_set`` tells whether a SHELL
    instruction (here or in a base stage) set it. ``user`` is "root" unless the base or a USER says otherwise; None where unknown.
    """

    variables: Mapping[str, Variable] = field(default_factory=dict)
    workdir: str = "/"
    user: str | None = "root"
    shell: tuple[str, ...] = ("/bin/sh", "-c")
    shell_set: bool = False
    workdir_set: bool = False

    def lookup(self, name: str) -> str | None:
        """Give a variable's value, None where it is unset or unknown."""
        variable = self.variables.get(name)
        return variable.value if variable else None


class Step(Struct, frozen=True, eq=False):
    """One instruction in its stage, with all that is known about it.

    ``index`` counts all instructions of the file from 0 (the position in ``tree.instructions``). ``before`` and ``after`` are the states around it. ``script`` is the parsed
    shell code of RUN (and of CMD, ENTRYPOINT, HEALTHCHECK), None for other instructions. ``invocations`` are its recognised commands in order. ``makes_layer`` as BuildKit counts.
    ``cached_paths`` are mount points whose content does not stay in the layer (cache, tmpfs, bind, secret, ssh mounts).
    """

    index: int
    instruction: Instruction
    stage: int
    before: State
    after: State
    script: Script | None = None
    invocations: tuple[Invocation, ...] = ()
    effects: Effects = Effects()
    makes_layer: bool = False
    mounts: tuple[Mount, ...] = ()
    cached_paths: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        """The node id."""
        return f"step:{self.index}"

    @property
    def span(self) -> Span:
        """The instruction's span."""
        return self.instruction.span

    @property
    def commands(self) -> tuple[Command, ...]:
        """The simple commands of its script."""
        return self.script.commands if self.script else ()

    def is_mounted(self, path: str) -> bool:
        """Tell whether a path lies on a mount, so that nothing written there stays in the layer."""
        path = path.rstrip("/") or "/"
        return any(path == mount or path.startswith(mount.rstrip("/") + "/") for mount in self.cached_paths)


class Stage(Struct, frozen=True, eq=False):
    """One build stage.

    ``base`` is the number of the stage it builds on, or None; ``image`` is the expanded image reference where it builds on an image
    ("scratch" included; None where it cannot be computed). ``facts`` is what is known of that image. ``ships`` tells whether the target's image contains its layers:
    the target itself and the stages it is based on. ``reachable`` tells whether the target needs it at all.
    ``used_by`` are the numbers of stages that copy, mount or build from it.
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


class BuildOptions(Struct, frozen=True):
    """How the file is built: build arguments, target stage (name), platform, named contexts (name to image)."""

    build_args: Mapping[str, str] = field(default_factory=dict)
    target: str | None = None
    platform: str = "linux/amd64"
    contexts: Mapping[str, str] = field(default_factory=dict)


class InstructionGraph(Struct, frozen=True, eq=False, dict=True):
    """The graph of one Dockerfile: a plain value, built in one pass by ``dfopt.graph.build``."""

    tree: Dockerfile
    stages: tuple[Stage, ...]
    steps: tuple[Step, ...]
    """All steps in file order; those before the first FROM (global ARGs) have stage -1."""
    edges: tuple[Edge, ...]
    problems: tuple[Problem, ...]
    """Errors that only show when stages are put together (stage "graph")."""
    target: int | None
    options: BuildOptions
    globals: Mapping[str, Variable] = field(default_factory=dict)

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
        """Give the graph as a networkx.MultiDiGraph; node attributes: kind, label, stage; edge attributes: kind, label."""
        from dfopt.graph.export import to_networkx

        return to_networkx(self)
