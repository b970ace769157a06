"""Rewrites as values: candidate changes, refusals and the plan that was chosen."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from msgspec import Struct

from dfopt.context.model import BuildContext
from dfopt.edit import Edit
from dfopt.finding import Applicability
from dfopt.graph.model import InstructionGraph
from dfopt.predict.model import Estimate, Prediction
from dfopt.source import Span


class Change(Struct, frozen=True):
    """One rewrite that a pass proposes.

    ``reason`` is a sentence for people: what was wrong and what the change does. ``declares_removed`` are paths
    (globs) that the new image lacks on purpose (caches, package lists, archives); everything else must stay equal.
    ``declares_metadata`` names parts of the configuration that change on purpose.
    """

    pass_name: str
    title: str
    reason: str
    edits: tuple[Edit, ...]
    applicability: Applicability
    span: Span
    declares_removed: tuple[str, ...] = ()
    declares_metadata: tuple[str, ...] = ()
    saved: Estimate | None = None
    """Bytes saved in the image, set by the cost model."""
    rebuild_saved_seconds: float | None = None


class Refusal(Struct, frozen=True):
    """A place where a pass could have done something and did not, and why."""

    pass_name: str
    reason: str
    span: Span


class PassInput(Struct, frozen=True):
    """What a pass may look at."""

    graph: InstructionGraph
    context: BuildContext | None
    prediction: Prediction | None = None
    builder: str = "buildkit"
    base_variant: str | None = None


PassResult: TypeAlias = "list[Change | Refusal]"
Pass: TypeAlias = Callable[[PassInput], PassResult]


class Plan(Struct, frozen=True):
    """The outcome of an optimization: new text, the changes in it, what was refused, and both predictions.

    The seconds are the work that a build repeats after an edit of the context, on the average over likely edits.
    """

    before: str
    after: str
    changes: tuple[Change, ...]
    refusals: tuple[Refusal, ...]
    predicted_before: Prediction | None = None
    predicted_after: Prediction | None = None
    objective: str = "balanced"
    rebuild_before_seconds: float = 0.0
    rebuild_after_seconds: float = 0.0
