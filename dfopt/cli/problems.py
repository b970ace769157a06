"""What is wrong with a Dockerfile, said by the commands that go on all the same."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dfopt.graph.model import InstructionGraph


def complain(graph: InstructionGraph, name: str) -> bool:
    """Print a file's problems on standard error; tells whether a builder refuses the file for one of them.

    What only follows from another problem is left out, as ``dfopt lint`` leaves it out.
    """
    from dfopt.graph.problems import FOLLOWS

    problems = (*graph.tree.problems, *graph.problems)
    silent = {effect for problem in problems for effect in FOLLOWS.get(problem.code, ())}
    for problem in problems:
        if problem.code not in silent:
            print(f"{name}:{graph.tree.source.line_of(problem.span.start)}: {problem.message}", file=sys.stderr)
    return any(problem.stops_build for problem in problems)
