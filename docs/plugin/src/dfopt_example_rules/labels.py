"""Rules about the labels of our images."""

from __future__ import annotations

from collections.abc import Iterator

from dfopt.edit import Edit
from dfopt.finding import Finding, Severity
from dfopt.lint.rule import Bad, Build, Good, Option, Rule
from dfopt.syntax.tree import Label

requires_dfopt = ">=0.1"


class LabelCase(Rule):
    """A label of ours has capital letters in its name.

    Our deployment looks labels up in lower case and passes over any other.

    Fix safety: unsafe; whoever reads the label under its old name finds it no more.
    """

    code = "Z101"
    name = "own-label-case"
    severity = Severity.WARNING
    options = (Option("prefix", str, "com.example.", "labels that begin so are ours"),)
    examples = (
        Bad(
            "FROM debian:12\nLABEL com.example.Team=infra\n",
            at="com.example.Team",
            fixed="FROM debian:12\nLABEL com.example.team=infra\n",
            unsafe=True,
        ),
        Bad(
            'FROM debian:12\nLABEL org.acme.A="1" \\\n      org.acme.b="2"\n',
            at="org.acme.A",
            fixed='FROM debian:12\nLABEL org.acme.a="1" \\\n      org.acme.b="2"\n',
            unsafe=True,
            options={"prefix": "org.acme."},
        ),
        Good("FROM debian:12\nLABEL com.example.team=infra\n"),
        Good("FROM debian:12\nLABEL org.Other=1\n", why="labels of others are theirs to name"),
    )

    def check(self, build: Build) -> Iterator[Finding]:
        """Report names with capital letters behind our prefix."""
        for step in build.steps:
            if not isinstance(step.instruction, Label):
                continue
            for pair in step.instruction.pairs:
                lower = pair.key.lower()
                if lower == pair.key or not lower.startswith(build.options["prefix"]):
                    continue
                text = build.tree.source.slice(pair.key_span)
                fix = self.unsafe("Write the name in lower case", Edit(pair.key_span, text.lower()))
                yield self.finding(pair.key_span, f"write the name of this label {lower}", fix=fix)
