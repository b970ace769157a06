"""The profile ``hadolint``: what hadolint 2.15.1 reports, with its codes, levels, places and narrow view of commands.

A project that switches keeps its results. The facts come from hadolint's documented behaviour and from its answers to
small files; ``bench/hadolint.py`` measures the agreement. Left out on purpose are the files that hadolint cannot read
although BuildKit can: they are checked like all others.
"""

from dfopt.lint.hadolint.checks import CHECKS, findings, ignored
from dfopt.lint.hadolint.pragmas import suppressions
from dfopt.lint.hadolint.scripts import bodies

__all__ = ["CHECKS", "bodies", "findings", "ignored", "suppressions"]
