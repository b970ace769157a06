"""The instruction graph of a Dockerfile: stages, scopes, steps in their states, and what depends on what."""

from __future__ import annotations

from dfopt.graph.build import build
from dfopt.graph.model import BuildOptions, Edge, InstructionGraph, RunMount, Stage, State, Step, Variable

__all__ = ["BuildOptions", "Edge", "InstructionGraph", "RunMount", "Stage", "State", "Step", "Variable", "build"]
