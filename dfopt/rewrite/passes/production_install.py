"""Node installs without development dependencies in the image that ships."""

from __future__ import annotations

from dfopt.edit import Edit
from dfopt.finding import Applicability
from dfopt.rewrite.model import Change, PassInput, PassResult
from dfopt.rewrite.stages import is_shipped, later_steps
from dfopt.source import Span

NAME = "production-install"
_OPTIONS = {"npm": "--omit=dev"}
_BUILDS = frozenset(("build", "test", "compile", "lint", "tsc", "webpack", "prepare"))


def production_install(given: PassInput) -> PassResult:
    """Leave development dependencies out where nothing is built later. Unsafe: the program may load one of them."""
    result: PassResult = []
    for stage in given.graph.stages:
        if not is_shipped(stage):
            continue
        for step in stage.steps:
            for invocation in step.invocations:
                option = _OPTIONS.get(invocation.family)
                if option is None or invocation.action != "install" or invocation.verb is None or invocation.operands:
                    continue
                if invocation.has("--omit", "--production", "--only", "--include", "-g", "--global"):
                    continue
                if step.before.lookup("NODE_ENV") == "production":
                    continue
                used = [
                    word for other in [step, *later_steps(given.graph, stage, step)] for command in other.commands
                    for word in command.values if command.span.start > invocation.command.span.start
                ]  # fmt: skip
                if _BUILDS & set(used) or any(word.startswith(("build", "test", "dev", "start:")) for word in used):
                    continue
                at = invocation.verb.span.end
                result.append(
                    Change(
                        NAME, "install without development dependencies",
                        "nothing is built after this install, so only what the program needs to run has to ship",
                        (Edit(Span(at, at), f" {option}"),), Applicability.UNSAFE, invocation.command.span,
                    )
                )  # fmt: skip
    return result
