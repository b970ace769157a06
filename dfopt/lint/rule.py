"""The rule base: what a rule is, its examples, and all that a rule may ask of a build."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any, ClassVar

from msgspec import Struct, field

from dfopt.context.model import BuildContext
from dfopt.edit import Edit
from dfopt.finding import Applicability, Finding, Fix, Related, Severity
from dfopt.graph.model import BuildOptions, InstructionGraph, Step
from dfopt.predict.model import Prediction, PredictOptions
from dfopt.source import Span
from dfopt.syntax.tree import Dockerfile, Instruction


class Example(Struct, frozen=True):
    """What examples share: a Dockerfile, context files (path to content), options and build arguments."""

    text: str
    why: str = ""
    context: Mapping[str, str] | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    build_args: Mapping[str, str] = field(default_factory=dict)


class Good(Example, frozen=True):
    """A Dockerfile on which the rule is silent."""


class Bad(Example, frozen=True, kw_only=True):
    """A Dockerfile that the rule reports.

    ``at`` is the text that the finding's span covers (its first occurrence), ``count`` how many findings there are,
    ``fixed`` the text after all fixes of the rule, ``unsafe`` tells that the fix is an unsafe one.
    """

    at: str
    count: int = 1
    fixed: str | None = None
    unsafe: bool = False


class Option(Struct, frozen=True):
    """An option of a rule: its type, default and meaning."""

    name: str
    type: type
    default: Any
    doc: str


class Suppression(Struct, frozen=True):
    """A comment that silences findings.

    ``kind`` is whose comment it is (dfopt, hadolint, buildkit), ``form`` how far it reaches (ignore: the next
    instruction, ignore-stage, ignore-file), ``scope`` the places it covers, ``selectors`` the rules it names (none: all
    of them). An ``expired`` one has no effect. ``problem`` says why a comment cannot be read. After the run, ``unused``
    are the words that silenced nothing ("" for all rules) and ``unknown`` those that name no rule.
    """

    kind: str
    form: str
    span: Span
    scope: Span
    selectors: tuple[str, ...] = ()
    reason: str = ""
    until: str = ""
    expired: bool = False
    problem: str = ""
    unused: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()


class Build(Struct, eq=False, dict=True):
    """All that a rule may ask. ``prediction`` is computed once and only when asked for."""

    graph: InstructionGraph
    context: BuildContext | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    """The options of the rule that is asking."""
    build_options: BuildOptions = field(default_factory=BuildOptions)
    predict_options: PredictOptions = field(default_factory=PredictOptions)
    suppressions: tuple[Suppression, ...] = ()
    """The comments that silence findings, with what they did; there for rules that run ``after`` the others."""

    @property
    def tree(self) -> Dockerfile:
        """The tree of the file."""
        return self.graph.tree

    @property
    def steps(self) -> Sequence[Step]:
        """All steps in file order."""
        return self.graph.steps

    @cached_property
    def _prediction(self) -> Prediction:
        from dfopt.predict import predict_graph

        return predict_graph(self.graph, self.context, self.predict_options)

    def predict(self) -> Prediction:
        """Give the predicted sizes of all layers."""
        return self._prediction

    def layer_bytes(self, step: Step) -> int | None:
        """Give the predicted bytes of a step's layer; None where it makes none or nothing is known."""
        for stage in self.predict().stages:
            for layer in stage.layers:
                if layer.step == step.index and not layer.empty:
                    return layer.size_bytes
        return None


class Rule:
    """Base of all rules. A rule has no state: ``check`` is a generator over one build.

    The docstring is the rule's page: first line the summary, then why it matters, then a paragraph that begins with
    "Fix safety:" where it fixes. ``default`` tells whether the default profile has it; ``strict`` whether the strict
    one has.
    """

    code: ClassVar[str]
    name: ClassVar[str]
    aliases: ClassVar[tuple[str, ...]] = ()
    severity: ClassVar[Severity] = Severity.WARNING
    default: ClassVar[bool] = True
    strict: ClassVar[bool] = True
    since: ClassVar[str] = "0.1"
    after: ClassVar[bool] = False
    """Whether the rule runs behind all others and judges the suppressions."""
    options: ClassVar[tuple[Option, ...]] = ()
    examples: ClassVar[tuple[Good | Bad, ...]] = ()

    def check(self, build: Build) -> Iterator[Finding]:
        """Give the findings of one build."""
        raise NotImplementedError

    @classmethod
    def page(cls) -> tuple[str, str]:
        """Give the rule's summary and the rest of its page, from the docstring."""
        from inspect import cleandoc

        summary, _, rest = cleandoc(cls.__doc__ or cls.name).partition("\n")
        return summary, rest.strip()

    def finding(
        self,
        at: Span | Instruction | Step,
        message: str,
        *,
        related: Iterable[tuple[Span | Instruction | Step, str]] = (),
        fix: Fix | None = None,
        severity: Severity | None = None,
        saved_bytes: int | None = None,
    ) -> Finding:
        """Make a finding of this rule at a span, instruction or step."""
        return Finding(
            code=self.code,
            name=self.name,
            severity=self.severity if severity is None else severity,
            message=message,
            span=_span(at),
            related=tuple(Related(_span(place), text) for place, text in related),
            fix=fix,
            saved_bytes=saved_bytes,
        )

    @staticmethod
    def safe(title: str, *edits: Edit, removes: Iterable[str] = ()) -> Fix:
        """Make a safe fix; ``removes`` are the paths that the image lacks afterwards on purpose."""
        return Fix(title, edits, Applicability.SAFE, tuple(removes))

    @staticmethod
    def unsafe(title: str, *edits: Edit) -> Fix:
        """Make an unsafe fix."""
        return Fix(title, edits, Applicability.UNSAFE)


def _span(place: Span | Instruction | Step) -> Span:
    return place if isinstance(place, Span) else place.span
