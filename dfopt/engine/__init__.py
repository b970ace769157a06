"""Container engines: real builds, real sizes, and the comparison of two images file by file."""

from __future__ import annotations

from dfopt.engine.compare import Comparison, Difference, compare
from dfopt.engine.docker import Engine, EngineError, Layer, environment_from, find_engine

__all__ = [
    "Comparison", "Difference", "Engine", "EngineError", "Layer", "compare", "environment_from", "find_engine",
]  # fmt: skip
