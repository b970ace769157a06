"""Container engines: real builds, real sizes, and the comparison of two images file by file."""

from __future__ import annotations

from dfopt.engine.compare import Comparison, Difference, compare
from dfopt.engine.docker import Engine, EngineError, Layer, environment_from, find_engine
from dfopt.engine.verify import Verification, verify

__all__ = [
    "Comparison", "Difference", "Engine", "EngineError", "Layer", "Verification", "compare", "environment_from",
    "find_engine", "verify",
]  # fmt: skip
