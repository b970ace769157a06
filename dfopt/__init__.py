"""dfopt understands a Dockerfile as a graph: lints it, rewrites it without changing the image, predicts its size.

>>> import dfopt
>>> [finding.code for finding in dfopt.lint("FROM debian")]
['B101']

Everything public stands here and is loaded when it is first used, so that importing ``dfopt`` costs next to nothing.
"""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dfopt.api import build_graph, fix, lint, optimize, parse, predict
    from dfopt.config import Config
    from dfopt.context.model import BuildContext
    from dfopt.edit import Edit
    from dfopt.finding import Applicability, Finding, Fix, Severity
    from dfopt.graph.model import BuildOptions, InstructionGraph, Stage, Step
    from dfopt.lint.rule import Bad, Build, Good, Rule
    from dfopt.predict.model import Estimate, LayerPrediction, Prediction, PredictOptions, RemoteSize
    from dfopt.rewrite.model import Change, Plan, Refusal
    from dfopt.source import Position, Source, Span
    from dfopt.syntax.tree import Dockerfile, Instruction

__version__ = "0.1.0"

_HOMES = {
    "dfopt.api": ("build_graph", "fix", "optimize", "parse"),
    "dfopt.config": ("Config",),
    "dfopt.context.model": ("BuildContext",),
    "dfopt.edit": ("Edit",),
    "dfopt.finding": ("Applicability", "Finding", "Fix", "Severity"),
    "dfopt.graph.model": ("BuildOptions", "InstructionGraph", "Stage", "Step"),
    "dfopt.lint.rule": ("Bad", "Build", "Good", "Rule"),
    "dfopt.predict.model": ("Estimate", "LayerPrediction", "PredictOptions", "Prediction", "RemoteSize"),
    "dfopt.rewrite.model": ("Change", "Plan", "Refusal"),
    "dfopt.source": ("Position", "Source", "Span"),
    "dfopt.syntax.tree": ("Dockerfile", "Instruction"),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

# These packages bear the name of a public function, so the package itself can be called.
_CALLABLE = ("lint", "predict")

__all__ = [
    "Applicability", "Bad", "Build", "BuildContext", "BuildOptions", "Change", "Config", "Dockerfile", "Edit",
    "Estimate", "Finding", "Fix", "Good", "Instruction", "InstructionGraph", "LayerPrediction", "Plan", "Position",
    "PredictOptions", "Prediction", "Refusal", "RemoteSize", "Rule", "Severity", "Source", "Span", "Stage", "Step",
    "build_graph", "fix", "lint", "optimize", "parse", "predict",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name in _CALLABLE:
        return import_module(f"dfopt.{name}")
    home = _HOME_OF.get(name)
    if home is None:
        raise AttributeError(f"module 'dfopt' has no attribute {name!r}")
    value = getattr(import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])


class _CallablePackage(ModuleType):
    """A package that is also the public function of its name."""

    @property
    def __wrapped__(self) -> Any:
        """The function behind the call; ``inspect.signature`` and ``help`` look here."""
        return getattr(import_module("dfopt.api"), self.__name__.rpartition(".")[2])

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.__wrapped__(*args, **kwargs)


class _Dfopt(ModuleType):
    """The package itself: makes a sub-package callable at the moment the import system hangs it in."""

    def __setattr__(self, name: str, value: object) -> None:
        if name in _CALLABLE and isinstance(value, ModuleType):
            value.__class__ = _CallablePackage
        super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Dfopt
