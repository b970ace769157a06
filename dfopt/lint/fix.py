"""Applying fixes: one round of changes that do not touch each other, repeated until nothing is left to fix."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from msgspec import Struct

from dfopt.edit import Edit, apply, conflicts
from dfopt.finding import Applicability, Finding
from dfopt.source import Source

MAX_ROUNDS = 20

Check = Callable[[Source], list[Finding]]


class Fixed(Struct, frozen=True):
    """The outcome of fixing one file: new source, findings that were fixed, findings that remain, and why it stopped early."""

    source: Source
    applied: tuple[Finding, ...]
    remaining: tuple[Finding, ...]
    refused: str = ""


def applicable(finding: Finding, *, unsafe: bool = False) -> bool:
    """Tell whether a finding has a fix that may be applied."""
    least = Applicability.UNSAFE if unsafe else Applicability.SAFE
    return finding.fix is not None and bool(finding.fix.edits) and finding.fix.applicability >= least


def apply_round(text: str, findings: Iterable[Finding], *, unsafe: bool = False) -> tuple[str, list[Finding]]:
    """Apply the fixes that do not touch each other, in the order of the findings; give the text and what was fixed.

    A fix is applied as a whole or not at all. Fixes that meet at one place wait for the next round.
    """
    edits: list[Edit] = []
    applied: list[Finding] = []
    for finding in findings:
        fix = finding.fix
        if fix is None or not applicable(finding, unsafe=unsafe) or conflicts(fix.edits):
            continue
        if any(_touch(edit, other) for edit in fix.edits for other in edits if edit != other):
            continue
        edits += fix.edits
        applied.append(finding)
    return apply(text, edits), applied


def fix_source(source: Source, check: Check, *, unsafe: bool = False) -> Fixed:
    """Fix a file until no fix is left: apply a round, check again, repeat.

    The result is refused, and the file stays as it was, where a fix would break it (a language error that was not
    there before) or where fixes undo each other so that no end is reached.
    """
    findings = check(source)
    before = _errors(findings)
    first, first_findings = source, findings
    applied: list[Finding] = []
    seen = {source.text}
    for _ in range(MAX_ROUNDS):
        text, done = apply_round(source.text, findings, unsafe=unsafe)
        if not done or text == source.text:
            return Fixed(source, tuple(applied), tuple(findings))
        source = Source(text, source.name)
        findings = check(source)
        applied += done
        broken = _errors(findings) - before
        if broken:
            names = ", ".join(sorted({finding.name for finding in done}))
            return Fixed(first, (), tuple(first_findings), f"the fixes of {names} would break the file: {min(broken)}")
        if text in seen:
            break
        seen.add(text)
    names = ", ".join(sorted({finding.name for finding in applied}))
    return Fixed(first, (), tuple(first_findings), f"the fixes of {names} undo each other")


def _errors(findings: Iterable[Finding]) -> set[str]:
    return {f"{one.code} {one.message}" for one in findings if one.code.startswith("E")}


def _touch(left: Edit, right: Edit) -> bool:
    """Tell whether two edits overlap or meet: neighbours may depend on each other's text."""
    return left.span.start <= right.span.end and right.span.start <= left.span.end
