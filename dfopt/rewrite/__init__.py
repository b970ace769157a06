"""Rewrites: passes propose changes, the cost model chooses, the equivalence check has the last word on what is safe.

The names below are loaded when first asked for: a rule that needs one pass for its fix must not load all of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dfopt.rewrite.cost import OBJECTIVES
    from dfopt.rewrite.equivalence import Verdict, equivalent
    from dfopt.rewrite.model import Change, PassInput, Plan, Refusal
    from dfopt.rewrite.optimize import PASS_NAMES, PASSES, optimize_graph

__all__ = [
    "OBJECTIVES", "PASSES", "PASS_NAMES", "Change", "PassInput", "Plan", "Refusal", "Verdict", "equivalent",
    "optimize_graph",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from dfopt.rewrite import optimize

    return getattr(optimize, name)
