"""The optimizer's one call: all passes in their order, asked for a plan."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from dfopt.context.model import BuildContext
from dfopt.graph.model import InstructionGraph
from dfopt.predict.model import PredictOptions
from dfopt.rewrite.cost import OBJECTIVES, Objective
from dfopt.rewrite.equivalence import Verdict, equivalent
from dfopt.rewrite.model import Change, Pass, PassInput, Plan, Refusal
from dfopt.rewrite.passes.absorb_copy import absorb_copy
from dfopt.rewrite.passes.add_to_copy import add_to_copy
from dfopt.rewrite.passes.base_variant import base_variant as _base_variant
from dfopt.rewrite.passes.cache_mounts import cache_mounts
from dfopt.rewrite.passes.chown_to_copy import chown_to_copy
from dfopt.rewrite.passes.clean_in_layer import clean_in_layer
from dfopt.rewrite.passes.copy_manifests_first import copy_manifests_first
from dfopt.rewrite.passes.download_unpack_delete import download_unpack_delete
from dfopt.rewrite.passes.merge_runs import merge_runs
from dfopt.rewrite.passes.no_recommends import no_recommends
from dfopt.rewrite.passes.production_install import production_install
from dfopt.rewrite.passes.split_stages import split_stages
from dfopt.rewrite.passes.stable_before_volatile import stable_before_volatile
from dfopt.rewrite.planning import optimize_with

PASSES: tuple[Pass, ...] = (
    add_to_copy,
    copy_manifests_first,
    stable_before_volatile,
    chown_to_copy,
    download_unpack_delete,
    absorb_copy,
    clean_in_layer,
    merge_runs,
    no_recommends,
    production_install,
    split_stages,
    _base_variant,
    cache_mounts,
)
"""All passes, in the order in which they are asked."""

PASS_NAMES = tuple(one.__name__.replace("_", "-") for one in PASSES)

__all__ = [
    "OBJECTIVES", "PASSES", "PASS_NAMES", "Change", "PassInput", "Plan", "Refusal", "Verdict", "equivalent",
    "optimize_graph",
]  # fmt: skip


def optimize_graph(
    graph: InstructionGraph,
    context: BuildContext | None = None,
    *,
    unsafe: bool = False,
    only: Sequence[str] = (),
    base_variant: str | None = None,
    builder: str = "buildkit",
    predict_options: PredictOptions | None = None,
    objective: Objective = "balanced",
    progress: Callable[[Change], None] | None = None,
) -> Plan:
    """Rewrite a build for a smaller image or shorter rebuilds and give the plan.

    ``only`` names passes (with ``-`` or ``_``); none means all. Raises ValueError for a name that is no pass.
    """
    wanted = [name.replace("_", "-") for name in only]
    unknown = [name for name in wanted if name not in PASS_NAMES]
    if unknown:
        raise ValueError(f"unknown pass {unknown[0]!r}; there are {', '.join(PASS_NAMES)}")
    passes = [one for one, name in zip(PASSES, PASS_NAMES, strict=True) if not wanted or name in wanted]
    return optimize_with(
        passes, graph, context, unsafe=unsafe, base_variant=base_variant, builder=builder,
        predict_options=predict_options, objective=objective, progress=progress,
    )  # fmt: skip
