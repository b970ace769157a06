"""What a step runs: its shell code, the tools it calls, and what it does; computed when asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dfopt.graph import paths
from dfopt.graph.sources import is_remote
from dfopt.shell import script_of
from dfopt.shell.model import Script
from dfopt.syntax import tree
from dfopt.tools import NOTHING, Effects, Invocation, Setting, effects_as, recognise, script_effects

if TYPE_CHECKING:
    from dfopt.graph.model import State, Step

_WITH_SHELL = (tree.Run, tree.Cmd, tree.Entrypoint, tree.Healthcheck)


def script_of_step(step: Step) -> Script | None:
    """Parse the shell code of a step with the variables and the shell in force; None where it has none."""
    instruction = step.instruction
    if not isinstance(instruction, _WITH_SHELL):
        return None
    state = step.before
    variables = {name: each.value if each.known else None for name, each in state.variables.items()}
    return script_of(
        instruction,
        shell=state.shell,
        variables=variables,
        directory=state.workdir,
        dialect_override=state.dialect,
    )


def invocations_of_step(step: Step) -> tuple[Invocation, ...]:
    """Recognise the commands of a step as calls of known tools, in order."""
    found = (recognise(command) for command in step.commands)
    return tuple(invocation for invocation in found if invocation is not None)


def setting_of(state: State) -> Setting:
    """Give the surroundings in which a command of this state starts."""
    user = state.user or ""
    name = user.partition(":")[0]
    is_root = name in ("root", "0")
    home = state.lookup("HOME") or ("/root" if is_root or not name else "/" if name.isdigit() else f"/home/{name}")
    return Setting(state.workdir, home, "root" if is_root or not name else name, state.known_variables())


def effects_of_commands(step: Step) -> tuple[Effects, ...]:
    """Give what each command of a step does taken by itself."""
    calls = {id(call.command): call for call in step.invocations}
    return tuple(effects_as(calls.get(id(command)), command, step.setting) for command in step.commands)


def effects_of_step(step: Step) -> Effects:
    """Give what a step reads, writes and fetches. CMD, ENTRYPOINT and HEALTHCHECK run later and do nothing here."""
    instruction = step.instruction
    if isinstance(instruction, tree.Run):
        return _run(step)
    if isinstance(instruction, tree.FileInstruction):
        return _copy(step, instruction)
    if isinstance(instruction, tree.Workdir) and step.makes_layer:
        return Effects(writes=frozenset((paths.clean(step.after.workdir),)))
    return NOTHING


def _run(step: Step) -> Effects:
    script = step.script
    if script is None:
        return Effects(
            reads=frozenset("*"), writes=frozenset("*"), wall=True, reason="nothing is known of what it runs"
        )
    if not script.commands:
        if not script.text.strip():
            return NOTHING
        reason = f"{script.dialect} code is not understood"
        return Effects(reads=frozenset("*"), writes=frozenset("*"), wall=True, reason=reason)
    result = script_effects(script, step.setting)
    if script.problems and not result.wall:
        reason = "the shell code holds a syntax error"
        result |= Effects(reads=frozenset("*"), writes=frozenset("*"), wall=True, reason=reason)
    return result


def _copy(step: Step, instruction: tree.FileInstruction) -> Effects:
    if not step.arguments:
        return NOTHING
    target = step.destination
    folder = target.endswith(("/", "/.")) or len(step.sources) + len(step.documents) > 1 or _is_folder(step.sources)
    place = paths.clean(target)
    writes = {place if place.endswith("/") else f"{place}/"}
    if not folder:
        writes.add(place)
    fetches = (
        frozenset(source for source in step.sources if is_remote(source)) if step.keyword == "ADD" else frozenset()
    )
    users = frozenset(("/etc/passwd", "/etc/group"))
    named = step.chown and not step.chown.replace(":", "").isdigit()
    return Effects(
        reads=users if named else frozenset(),
        writes=frozenset(writes),
        fetches=fetches,
        varies=bool(fetches) and not step.checksum,
    )


def _is_folder(sources: tuple[str, ...]) -> bool:
    return any(paths.source(source) == "/" or any(sign in source for sign in "*?[") for source in sources)
