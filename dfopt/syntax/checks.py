"""What BuildKit refuses when it types an instruction: arguments, flags and their values."""

from __future__ import annotations

from dfopt.syntax.keywords import KEYWORDS
from dfopt.syntax.problems import problem
from dfopt.syntax.tree import Instruction, Problem, Unknown


def check(node: Instruction) -> list[Problem]:
    """List the problems of one instruction that do not stop the low-level parser."""
    if isinstance(node, Unknown) and node.keyword not in KEYWORDS:
        return [problem("E020", node.keyword_span, word=node.keyword, hint="")]
    return []
