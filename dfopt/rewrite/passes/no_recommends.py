"""apt installs without packages that are only recommended."""

from __future__ import annotations

from dfopt.edit import Edit
from dfopt.finding import Applicability
from dfopt.rewrite.model import Change, PassInput, PassResult
from dfopt.rewrite.stages import is_shipped
from dfopt.source import Span

NAME = "no-recommends"


def no_recommends(given: PassInput) -> PassResult:
    """Install only what is asked for and what it depends on. Unsafe: a recommended package may be in use."""
    result: PassResult = []
    for stage in given.graph.stages:
        if not is_shipped(stage):
            continue
        for step in stage.steps:
            for invocation in step.invocations:
                if invocation.family != "apt" or invocation.action != "install" or invocation.verb is None:
                    continue
                if not invocation.tool.minimal or invocation.has("--no-install-recommends", "--install-recommends"):
                    continue
                at = invocation.verb.span.end
                result.append(
                    Change(
                        NAME, "install without recommended packages",
                        "apt adds packages that are merely recommended; name those that are needed instead",
                        (Edit(Span(at, at), " --no-install-recommends"),), Applicability.UNSAFE,
                        invocation.command.span,
                    )
                )  # fmt: skip
    return result
