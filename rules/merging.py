"""Rules about instructions that could be one."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from itertools import pairwise

from dfopt.edit import Edit
from dfopt.finding import Finding, Fix, Severity
from dfopt.graph.model import Step
from dfopt.graph.queries import calls_of
from dfopt.lint.rule import Bad, Build, Good, Rule
from dfopt.syntax.tree import Copy, Run

from .layers import shipping_stages

RPM_FAMILIES = ("dnf", "rpm", "zypper")


class MergeableRunsSaveBytes(Rule):
    """Two neighbouring RUNs both change the database of RPM packages.

    It is one large file, often of 10 MB and more, and every layer that changes it stores it whole. One RUN stores it
    once.
    Neighbours that share nothing are left alone: joining them frees nothing and makes the cache coarser.

    Fix safety: safe; the same commands run in the same order, which the abstract build shows.
    """

    code = "L102"
    name = "mergeable-runs-save-bytes"
    severity = Severity.INFO
    examples = (
        Bad(
            "FROM fedora:42\nRUN dnf install -y gcc && dnf clean all\nRUN dnf install -y make && dnf clean all\n",
            at="RUN dnf install -y make && dnf clean all",
            fixed="FROM fedora:42\nRUN dnf install -y gcc && dnf clean all \\\n"
            "    && dnf install -y make && dnf clean all\n",
        ),
        Good("FROM fedora:42\nRUN dnf install -y gcc make && dnf clean all\n"),
        Good("FROM fedora:42\nRUN dnf install -y gcc && dnf clean all\nRUN make\n"),
        Good(
            "FROM fedora:42\nRUN dnf install -y gcc\nCOPY a /a\nRUN dnf install -y /a/tool.rpm\n",
            why="something stands between them",
        ),
        Good(
            "FROM fedora:42\nRUN --network=host dnf install -y gcc && dnf clean all\n"
            "RUN dnf install -y make && dnf clean all\n",
            why="their flags differ",
        ),
        Good(
            "FROM fedora:42 AS build\nRUN dnf install -y gcc\nRUN dnf install -y make\nFROM scratch\n"
            "COPY --from=build /a /a\n",
            why="the stage does not ship",
        ),
        Good("FROM debian:12\nRUN useradd app\nRUN mkdir /a\n", why="nothing is stored twice"),
    )

    def check(self, build: Build) -> Iterator[Finding]:
        """Report the second of two neighbours."""
        if not calls_of(build.graph, *RPM_FAMILIES):
            return
        for stage in shipping_stages(build):
            for first, second in pairwise(stage.steps):
                if not isinstance(first.instruction, Run) or not isinstance(second.instruction, Run):
                    continue
                if _flags(first) != _flags(second):
                    continue
                if not (self._changes(first) and self._changes(second)):
                    continue
                yield self.finding(
                    second,
                    "this layer stores the package database (often 10 MB) once more: join it with the RUN above",
                    related=[(first, "this layer stores it too")],
                    fix=self._fix(build, first, second),
                )

    @staticmethod
    def _changes(step: Step) -> bool:
        """Tell whether a RUN certainly changes the database: a call that installs or removes."""
        return any(
            call.family in RPM_FAMILIES
            and call.subcommand.changes_packages
            and call.operands
            and not call.command.conditional
            for call in step.invocations
        )

    def _fix(self, build: Build, first: Step, second: Step) -> Fix | None:
        from dfopt.rewrite.layout import joined_span, joined_text
        from dfopt.rewrite.passes.merge_runs import why_not

        steps = (first, second)
        if why_not(steps):
            return None
        text = joined_text(steps, (), build.graph, ())
        return self.safe("Join the RUN instructions", Edit(joined_span(steps, build.graph), text))


def _flags(step: Step) -> list[tuple[str, str | None]]:
    return [(flag.name, flag.value) for flag in step.instruction.flags]


class ConsecutiveRuns(Rule):
    """RUN instructions follow each other directly.

    Merging them changes nothing about the size unless one deletes what another made, which other rules report with the
    bytes. Off unless selected: it is a matter of taste, and separate steps are cached separately.
    """

    code = "L110"
    name = "consecutive-runs"
    aliases = ("DL3059",)
    severity = Severity.INFO
    default = False
    strict = False
    examples = (
        Bad("FROM debian:12\nRUN true\nRUN false\n", at="RUN false"),
        Good("FROM debian:12\nRUN true\nWORKDIR /app\nRUN false\n"),
        Good("FROM debian:12\nRUN true\nRUN --network=none false\n", why="their flags differ"),
    )

    def check(self, build: Build) -> Iterator[Finding]:
        """Report the second of two neighbours with equal flags."""
        for stage in build.graph.stages:
            for first, second in pairwise(stage.steps):
                one, two = first.instruction, second.instruction
                if not isinstance(one, Run) or not isinstance(two, Run):
                    continue
                if [(f.name, f.value) for f in one.flags] == [(f.name, f.value) for f in two.flags]:
                    yield self.finding(second, "this RUN can be joined with the one above")


class SeveralInstalls(Rule):
    """A stage installs system packages in several RUNs.

    Each needs package lists of its own, changes the package database in a layer of its own, and makes the file longer.
    """

    code = "L129"
    name = "several-installs"
    severity = Severity.INFO
    default = False
    examples = (
        Bad(
            "FROM alpine:3.22\nRUN apk add --no-cache curl\nWORKDIR /app\nRUN apk add --no-cache git\n",
            at="apk add --no-cache git",
        ),
        Good("FROM alpine:3.22\nRUN apk add --no-cache curl git\n"),
        Good("FROM alpine:3.22\nRUN apk add --no-cache curl && apk add --no-cache git\n", why="one RUN"),
        Good("FROM alpine:3.22 AS a\nRUN apk add --no-cache curl\nFROM alpine:3.22\nRUN apk add --no-cache git\n"),
    )

    def check(self, build: Build) -> Iterator[Finding]:
        """Report the second RUN of a stage that installs with the same package manager."""
        for family in ("apt", "apk", "dnf", "zypper"):
            first: dict[int, Step] = {}
            done: set[int] = set()
            for step, call in calls_of(build.graph, family):
                if call.action != "install" or step.stage in done:
                    continue
                other = first.setdefault(step.stage, step)
                if other is not step:
                    done.add(step.stage)
                    yield self.finding(
                        call.command.span,
                        f"line {build.tree.source.line_of(other.span.start)} installs packages too: do it all at once",
                        related=[(other, "the first install")],
                    )


class MergeCopies(Rule):
    """Neighbouring COPY instructions bring files to the same folder.

    One COPY takes several sources.
    """

    code = "L130"
    name = "merge-copies"
    severity = Severity.STYLE
    default = False
    examples = (
        Bad("FROM debian:12\nCOPY a.txt /srv/\nCOPY b.txt /srv/\n", at="COPY b.txt /srv/"),
        Good("FROM debian:12\nCOPY a.txt b.txt /srv/\n"),
        Good("FROM debian:12\nCOPY a.txt /srv/a\nCOPY b.txt /srv/b\n", why="they get other names"),
        Good("FROM debian:12\nCOPY a.txt /srv/\nCOPY --chown=app b.txt /srv/\n", why="their flags differ"),
        Good("FROM debian:12\nCOPY a.txt /srv/\nCOPY a.txt.new /srv/a.txt\n"),
        Good("FROM debian:12\nCOPY first /srv/\nCOPY second /srv/\n", why="one folder may replace files of the other"),
    )

    def check(self, build: Build) -> Iterator[Finding]:
        """Report the second of two neighbours with equal flags and folder."""
        for stage in build.graph.stages:
            for first, second in pairwise(stage.steps):
                if not isinstance(first.instruction, Copy) or not isinstance(second.instruction, Copy):
                    continue
                if first.unknown or second.unknown or first.documents or second.documents or not second.arguments:
                    continue
                same = first.destination == second.destination and first.destination.endswith("/")
                names = [posixpath.basename(source) for source in (*first.sources, *second.sources)]
                plain = all("." in name.strip(".") for name in names) and len(set(names)) == len(names)
                if same and plain and _flags(first) == _flags(second):
                    yield self.finding(second, "the COPY above brings files to the same folder: one can bring all")
