"""Applying fixes: one round of changes that do not touch each other, repeated until nothing is left to fix."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Callable, Iterable

from msgspec import Struct

from dfopt.edit import Edit, apply, conflicts
from dfopt.finding import Applicability, Finding
from dfopt.source import Source, Span

MAX_ROUNDS = 30
MAX_GROWTH = 20_000
"""Characters that fixes may add to a file; what makes more comes to no end."""

Check = Callable[[Source], list[Finding]]


class Fixed(Struct, frozen=True):
    """The outcome of fixing one file: the new source, the findings that were fixed and those that remain.

    ``refused`` says why fixes were left out: they would have broken the file, or came to no end.
    """

    source: Source
    applied: tuple[Finding, ...]
    remaining: tuple[Finding, ...]
    refused: tuple[str, ...] = ()


def applicable(finding: Finding, *, unsafe: bool = False) -> bool:
    """Tell whether a finding has a fix that may be applied."""
    least = Applicability.UNSAFE if unsafe else Applicability.SAFE
    return finding.fix is not None and bool(finding.fix.edits) and finding.fix.applicability >= least


def apply_round(source: Source, findings: Iterable[Finding], *, unsafe: bool = False) -> tuple[Source, list[Finding]]:
    """Apply the fixes that do not touch each other, in the order of the findings; give the source and what was fixed.

    A fix is applied as a whole or not at all. Fixes that meet at one place wait for the next round. New lines end as
    the file's lines do.
    """
    edits: list[Edit] = []
    applied: list[Finding] = []
    for finding in findings:
        fix = finding.fix
        if fix is None or not applicable(finding, unsafe=unsafe) or conflicts(fix.edits):
            continue
        if any(_touches(edit, edits) for edit in fix.edits):
            continue
        for edit in set(fix.edits):
            if edit not in edits[bisect_left(edits, edit) :][:1]:
                insort(edits, edit)
        applied.append(finding)
    return Source(apply(source.text, [fitted(source, edit) for edit in edits]), source.name), applied


def fix_source(source: Source, check: Check, *, unsafe: bool = False) -> Fixed:
    """Fix a file until no fix is left: apply a round, check again, repeat.

    A rule whose fixes break the file (a language error that was not there before) or undo another's, so that no end is
    reached, is left out, and the file is fixed again without it.
    """
    findings = check(source)
    excluded: set[str] = set()
    refused: list[str] = []
    while True:
        attempt = _Attempt(source, findings, excluded, check, unsafe)
        if attempt.culprit is None:
            return Fixed(attempt.source, tuple(attempt.applied), tuple(attempt.findings), tuple(refused))
        excluded.add(attempt.culprit)
        refused.append(attempt.reason)


class _Attempt:
    """One way from a file to its fixed form without the fixes of some rules."""

    def __init__(self, source: Source, findings: list[Finding], excluded: set[str], check: Check, unsafe: bool) -> None:
        self.source, self.findings = source, findings
        self.applied: list[Finding] = []
        self.culprit: str | None = None
        self.reason = ""
        before = _errors(findings)
        seen = {source.text}
        for _ in range(MAX_ROUNDS):
            wanted = [one for one in self.findings if one.name not in excluded]
            fixed, done = apply_round(self.source, wanted, unsafe=unsafe)
            if not done or fixed.text == self.source.text:
                return
            if fixed.text in seen:
                self._blame(done[-1].name, "undo those of another rule")
                return
            after = check(fixed)
            broken = _errors(after) - before
            if broken:
                self._blame(_breaker(self.source, done, check, before, unsafe), f"would break the file: {min(broken)}")
                return
            if len(fixed.text) > len(source.text) + MAX_GROWTH:
                self._blame(done[-1].name, "come to no end")
                return
            seen.add(fixed.text)
            self.source, self.findings = fixed, after
            self.applied += done
        self._blame(self.applied[-1].name, "come to no end")

    def _blame(self, name: str, reason: str) -> None:
        self.culprit = name
        self.reason = f"the fixes of {name} {reason}; they are left out"


def _breaker(source: Source, done: list[Finding], check: Check, before: set[str], unsafe: bool) -> str:
    """Give the rule whose fixes alone break the file; the last one where only their sum does."""
    for name in dict.fromkeys(finding.name for finding in done):
        fixed, _ = apply_round(source, [one for one in done if one.name == name], unsafe=unsafe)
        if _errors(check(fixed)) - before:
            return name
    return done[-1].name


def _errors(findings: Iterable[Finding]) -> set[str]:
    return {f"{one.message} ({one.code})" for one in findings if one.topic == "E"}


def fitted(source: Source, edit: Edit) -> Edit:
    """Keep the byte order mark out of an edit, and let its lines end as the file's lines do."""
    span, text = edit.span, edit.text
    if source.has_bom and span.start == 0:
        span = Span(1, max(span.end, 1))
    if source.newline == "\r\n":
        text = text.replace("\r\n", "\n").replace("\n", "\r\n")
    return Edit(span, text)


def _touches(edit: Edit, edits: list[Edit]) -> bool:
    """Tell whether an edit overlaps or meets one of the sorted others; neighbours may depend on each other's text."""
    at = bisect_left(edits, edit)
    return any(
        edit != other and edit.span.start <= other.span.end and other.span.start <= edit.span.end
        for other in edits[max(at - 1, 0) : at + 2]
    )
