"""Prediction: the size of every layer before anything is built.

``predict_graph`` is loaded when first asked for, so that its value types cost nothing to those who only name them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dfopt.predict.build import predict_graph

__all__ = ["predict_graph"]


def __getattr__(name: str) -> Any:
    if name == "predict_graph":
        from dfopt.predict.build import predict_graph

        return predict_graph
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
