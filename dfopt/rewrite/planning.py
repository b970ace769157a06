"""Choosing among what the passes propose: what pays, what fits together, and what the equivalence check confirms."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from msgspec import Struct
from msgspec.structs import replace

from dfopt.context.model import BuildContext
from dfopt.edit import apply
from dfopt.finding import Applicability
from dfopt.graph import build
from dfopt.graph.model import InstructionGraph
from dfopt.predict import predict_graph
from dfopt.predict.model import Estimate, Prediction, PredictOptions
from dfopt.rewrite.cost import Cost, EditModel, Objective
from dfopt.rewrite.equivalence import Original, configuration_of
from dfopt.rewrite.model import Change, Pass, PassInput, Plan, Refusal
from dfopt.syntax import parse

MAX_ROUNDS = 20
_SLACK = 0.02
LEAST_BYTES = 100_000
"""What a change that only saves bytes has to save at least."""
JOIN_BYTES, JOIN_SHARE = 1_000_000, 0.02
"""Joined RUNs lose the border between their cache entries: they have to save more, also of what lies above the base."""
BYTES_ONLY = frozenset(
    ("merge-runs", "absorb-copy", "base-variant", "split-stages", "no-recommends", "production-install")
)
"""Passes whose changes have no point but bytes."""


class _Candidate(Struct, frozen=True):
    """Changes with the graph and prediction of the text they make."""

    changes: tuple[Change, ...]
    text: str
    graph: InstructionGraph
    prediction: Prediction
    saved: Estimate
    cost: Cost


class _Round:
    """One round: the passes look at one text, and the best of what they propose is applied.

    ``small`` remembers over the rounds, by their texts, changes that save too little to be weighed again.
    """

    def __init__(
        self,
        graph: InstructionGraph,
        given: PassInput,
        options: PredictOptions,
        unsafe: bool,
        small: set[tuple[str, tuple[tuple[str, str], ...]]],
        edits: EditModel,
        objective: Objective,
    ) -> None:
        self.edits, self.objective = edits, objective
        self.seconds = edits.seconds(graph)
        self.graph, self.given, self.options, self.unsafe = graph, given, options, unsafe
        self.small = small
        self.refusals: list[Refusal] = []
        self.original = Original(graph, given.context)
        self.text = graph.tree.source.text

    def candidates(self, passes: Sequence[Pass]) -> list[_Candidate]:
        """Give the changes that may be applied, the one that is worth most first."""
        found: list[_Candidate] = []
        for one in passes:
            for proposal in one(self.given):
                if isinstance(proposal, Refusal):
                    self.refusals.append(proposal)
                elif (candidate := self._weigh(proposal)) is not None:
                    found.append(candidate)
        return sorted(found, key=lambda candidate: -candidate.cost.worth)

    def _weigh(self, change: Change) -> _Candidate | None:
        if change.applicability is Applicability.UNSAFE and not self.unsafe:
            self._refuse(change, f"{change.title}: it is unsafe and was not asked for")
            return None
        text = apply(self.text, change.edits)
        if text == self.text:
            return None
        key = (change.pass_name, tuple((self.text[slice(*edit.span)], edit.text) for edit in change.edits))
        if key in self.small:
            self._refuse(change, f"{change.title}: it would save next to nothing")
            return None
        graph = rebuilt(self.graph, text)
        prediction = predict_graph(graph, self.given.context, self.options)
        saved = difference(self.given.prediction, prediction)
        if change.pass_name in BYTES_ONLY and not self._pays(change, saved):
            self._refuse(change, f"{change.title}: it would save next to nothing")
            if change.pass_name == "merge-runs":
                self.small.add(key)
            return None
        cost = Cost(saved.value, self.seconds - self.edits.seconds(graph), self.objective)
        if cost.worth < -1 and cost.saved_seconds < 0:
            self._refuse(
                change, f"{change.title}: it would save {saved.value / 1e6:.1f} MB and make a build after an edit"
                f" {-cost.saved_seconds:.0f} s longer",
            )  # fmt: skip
            return None
        if why := self._objection(change, graph):
            self._refuse(change, f"{change.title}: {why}")
            return None
        return _Candidate((replace(change, saved=saved),), text, graph, prediction, saved, cost)

    def _pays(self, change: Change, saved: Estimate) -> bool:
        """Tell whether a change that only saves bytes saves enough of them."""
        if change.pass_name != "merge-runs":
            return saved.value >= LEAST_BYTES
        # A joined RUN is repeated as a whole, so what it saves has to be sure and to count.
        image = self.given.prediction.image if self.given.prediction else None
        above = (
            image.total.value - sum(layer.size.value for layer in image.layers if layer.step is None) if image else 0.0
        )
        return saved.low >= JOIN_BYTES and saved.value >= JOIN_SHARE * above

    def together(self, found: Sequence[_Candidate]) -> _Candidate:
        """Give the best change with those that can be applied beside it; the best alone where they do not add up."""
        best = found[0]
        chosen = [best.changes[0]]
        for candidate in found[1:]:
            change = candidate.changes[0]
            if not any(_meet(change, other) for other in chosen):
                chosen.append(change)
        if len(chosen) == 1:
            return best
        text = apply(self.text, [edit for change in chosen for edit in change.edits])
        graph = rebuilt(self.graph, text)
        whole = replace(
            chosen[0], edits=(), applicability=min(change.applicability for change in chosen),
            declares_removed=tuple(path for change in chosen for path in change.declares_removed),
            declares_metadata=tuple(part for change in chosen for part in change.declares_metadata),
        )  # fmt: skip
        if self._objection(whole, graph):
            return best
        prediction = predict_graph(graph, self.given.context, self.options)
        saved = difference(self.given.prediction, prediction)
        cost = Cost(saved.value, self.seconds - self.edits.seconds(graph), self.objective)
        parts = sum(candidate.saved.value for candidate in found if candidate.changes[0] in chosen)
        if saved.value < parts * (1 - _SLACK) or cost.worth < best.cost.worth:
            return best
        return _Candidate(tuple(chosen), text, graph, prediction, saved, cost)

    def _objection(self, change: Change, graph: InstructionGraph) -> str:
        """Say why a change must not be applied: it breaks the file, or is called safe and not shown to be."""
        known = {(problem.code, problem.message) for problem in (*self.graph.tree.problems, *self.graph.problems)}
        for problem in (*graph.tree.problems, *graph.problems):
            if (problem.code, problem.message) not in known:
                return f"the result would not build: {problem.message}"
        if change.applicability is Applicability.SAFE:
            verdict = self.original.compare(graph, change.declares_removed)
            return "" if verdict else f"it is not shown to make the same image: {verdict.reasons[0]}"
        before, after = configuration_of(self.graph), configuration_of(graph)
        if before is None or after is None:
            return "there is no target stage"
        for part in before:
            if before[part] != after[part] and part not in (*change.declares_metadata, "base"):
                return f"the image's {part.replace('_', ' ')} would change"
        return ""

    def _refuse(self, change: Change, reason: str) -> None:
        self.refusals.append(Refusal(change.pass_name, reason, change.span))


def optimize_with(
    passes: Sequence[Pass],
    graph: InstructionGraph,
    context: BuildContext | None,
    *,
    unsafe: bool = False,
    base_variant: str | None = None,
    builder: str = "buildkit",
    predict_options: PredictOptions | None = None,
    objective: Objective = "balanced",
    progress: Callable[[Change], None] | None = None,
) -> Plan:
    """Apply the passes' changes until none is left that pays, and give the plan.

    ``objective`` says what counts: bytes, seconds of the build after an edit, or both (see ``cost``). Every round takes
    the change that is worth most (and those that do not touch it), parses the new text and starts again.
    What is safe has been confirmed by the equivalence check; an unsafe change keeps the image's configuration.
    """
    options = predict_options or PredictOptions()
    before = graph.tree.source.text
    first = prediction = predict_graph(graph, context, options)
    edits = EditModel(graph, context)
    seconds_before = edits.seconds(graph)
    changes: list[Change] = []
    refusals: dict[tuple[str, str], Refusal] = {}
    seen = {before}
    small: set[tuple[str, tuple[tuple[str, str], ...]]] = set()
    final = False
    for _ in range(MAX_ROUNDS):
        stopped = any(problem.stops_build for problem in graph.tree.problems) or graph.problems
        if stopped or graph.target is None:
            break
        given = PassInput(graph, context, prediction, builder, base_variant)
        this = _Round(graph, given, options, unsafe, small, edits, objective)
        found = [candidate for candidate in this.candidates(passes) if candidate.text not in seen]
        refusals = {(refusal.pass_name, refusal.reason): refusal for refusal in this.refusals}
        if not found:
            if final or not small:
                break
            # What is left of the image is smaller now, so that little may have become enough.
            small.clear()
            final = True
            continue
        final = False
        chosen = this.together(found)
        seen.add(chosen.text)
        changes += chosen.changes
        if progress is not None:
            for change in chosen.changes:
                progress(change)
        graph, prediction = chosen.graph, chosen.prediction
    return Plan(
        before, graph.tree.source.text, tuple(changes), tuple(refusals.values()), first, prediction, objective,
        seconds_before, edits.seconds(graph),
    )  # fmt: skip


def rebuilt(graph: InstructionGraph, text: str) -> InstructionGraph:
    """Build the graph of a new text with the options of another graph."""
    return build(parse(text, graph.tree.source.name), graph.options)


def difference(before: Prediction | None, after: Prediction) -> Estimate:
    """Give the bytes that the image loses from one prediction to another; the interval holds both errors."""
    if before is None or before.image is None or after.image is None:
        return Estimate(0, 0, 0)
    old, new = before.image.total, after.image.total
    value = old.value - new.value
    return Estimate(value, min(value, old.low - new.low), max(value, old.high - new.high))


def _meet(one: Change, two: Change) -> bool:
    """Tell whether two changes edit the same lines or neighbouring characters."""
    return any(
        left.span.start <= right.span.end and right.span.start <= left.span.end
        for left in one.edits
        for right in two.edits
    )
