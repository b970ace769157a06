"""Fixing: rounds, conflicts, an end to the loop, and fixes that must not be applied."""

from __future__ import annotations

from collections.abc import Callable

from dfopt.edit import Edit
from dfopt.finding import Applicability, Finding, Fix, Severity
from dfopt.lint.fix import apply_round, fix_source
from dfopt.source import Source, Span


def finding(name: str, *edits: Edit, applicability: Applicability = Applicability.SAFE, code: str = "F001") -> Finding:
    fix = Fix(name, edits, applicability) if edits else None
    return Finding(code, name, Severity.WARNING, name, edits[0].span if edits else Span(0, 0), fix=fix)


def replacing(
    name: str, old: str, new: str, applicability: Applicability = Applicability.SAFE
) -> Callable[[Source], list[Finding]]:
    """Make a check that wants every occurrence of a text replaced."""

    def check(source: Source) -> list[Finding]:
        found, at = [], source.text.find(old)
        while at >= 0:
            found.append(finding(name, Edit(Span(at, at + len(old)), new), applicability=applicability))
            at = source.text.find(old, at + len(old))
        return found

    return check


def test_fixes_of_one_round_do_not_touch_each_other() -> None:
    wanted = [
        finding("one", Edit(Span(0, 2), "x")),
        finding("two", Edit(Span(2, 3), "y")),
        finding("three", Edit(Span(5, 6), "z")),
    ]
    fixed, done = apply_round(Source("abcdef"), wanted)
    assert fixed.text == "xcdez"
    assert [one.name for one in done] == ["one", "three"]


def test_a_fix_is_applied_as_a_whole_or_not_at_all() -> None:
    wanted = [finding("one", Edit(Span(3, 4), "x")), finding("two", Edit(Span(0, 1), "y"), Edit(Span(3, 5), "y"))]
    fixed, done = apply_round(Source("abcdef"), wanted)
    assert fixed.text == "abcxef"
    assert [one.name for one in done] == ["one"]


def test_unsafe_fixes_are_applied_on_demand_and_shown_ones_never() -> None:
    unsafe = finding("unsafe", Edit(Span(0, 1), "x"), applicability=Applicability.UNSAFE)
    shown = finding("shown", Edit(Span(3, 4), "x"), applicability=Applicability.DISPLAY)
    assert apply_round(Source("abcd"), [unsafe, shown])[0].text == "abcd"
    assert apply_round(Source("abcd"), [unsafe, shown], unsafe=True)[0].text == "xbcd"


def test_the_loop_ends_when_nothing_is_left() -> None:
    fixed = fix_source(Source("aaaa"), replacing("halve", "aa", "a"))
    assert fixed.source.text == "a"
    assert fixed.refused == ()
    assert len(fixed.applied) == 3
    assert fixed.remaining == ()


def test_rules_that_undo_each_other_are_stopped_and_the_others_still_fix() -> None:
    checks = [replacing("there", "left", "right"), replacing("back", "right", "left"), replacing("other", "x", "y")]
    fixed = fix_source(Source("left   x"), lambda source: [one for check in checks for one in check(source)])
    assert fixed.source.text == "left   y"
    assert fixed.refused == ("the fixes of there undo those of another rule; they are left out",)


def test_a_rule_that_never_ends_is_stopped() -> None:
    fixed = fix_source(Source("a"), replacing("grow", "a", "aa"))
    assert fixed.source.text == "a"
    assert "grow" in fixed.refused[0]


def test_a_fix_that_breaks_the_file_is_left_out_and_said() -> None:
    breaks, good = replacing("breaks", "FROM", "FRMO"), replacing("good", "debian", "alpine")

    def check(source: Source) -> list[Finding]:
        errors = [finding("unknown-keyword", code="E010")] if "FRMO" in source.text else []
        return [*breaks(source), *good(source), *errors]

    fixed = fix_source(Source("FROM debian"), check)
    assert fixed.source.text == "FROM alpine"
    assert fixed.refused == ("the fixes of breaks would break the file: unknown-keyword (E010); they are left out",)
    assert [one.name for one in fixed.remaining] == ["breaks"]


def test_new_lines_end_as_the_files_lines_do_and_the_mark_stays() -> None:
    fixed, _ = apply_round(Source("\ufeffa\r\nb\r\n"), [finding("one", Edit(Span(0, 4), "x\ny\n"))])
    assert fixed.text == "\ufeffx\r\ny\r\nb\r\n"
