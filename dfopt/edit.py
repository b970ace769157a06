"""Edits of text: values, conflict check, application and unified diffs."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

from msgspec import Struct

from dfopt.source import Span


class EditConflict(ValueError):
    """Two edits change the same characters."""


class Edit(Struct, frozen=True, order=True):
    """Replace the characters of a span by a text; an empty span inserts, an empty text deletes."""

    span: Span
    text: str


def conflicts(edits: Iterable[Edit]) -> bool:
    """Tell whether edits overlap, or insert different texts at one place."""
    ordered = sorted(set(edits))
    return any(left.span.end > right.span.start or left.span == right.span for left, right in pairwise(ordered))


def apply(text: str, edits: Iterable[Edit]) -> str:
    """Apply edits that all refer to the same text. Equal edits count once.

    Raises EditConflict where two of them overlap.
    """
    ordered = sorted(set(edits))
    if conflicts(ordered):
        raise EditConflict("two edits change the same characters")
    out, at = [], 0
    for edit in ordered:
        out += [text[at : edit.span.start], edit.text]
        at = edit.span.end
    return "".join([*out, text[at:]])


def minimal(before: str, after: str) -> tuple[Edit, ...]:
    """Give line-wise edits that turn one text into another."""
    from difflib import SequenceMatcher

    old, new = before.splitlines(keepends=True), after.splitlines(keepends=True)
    starts = [0]
    for line in old:
        starts.append(starts[-1] + len(line))
    matcher = SequenceMatcher(None, old, new, autojunk=False)
    return tuple(
        Edit(Span(starts[a], starts[b]), "".join(new[c:d]))
        for tag, a, b, c, d in matcher.get_opcodes()
        if tag != "equal"
    )


def unified_diff(before: str, after: str, name: str) -> str:
    """Give a unified diff of two texts; an empty string where they are equal."""
    from difflib import unified_diff as diff

    old, new = _lines(before), _lines(after)
    lines = []
    for line in diff(old, new, f"a/{name}", f"b/{name}", lineterm=""):
        lines.append(line.removesuffix(_NO_NEWLINE))
        if line.endswith(_NO_NEWLINE):
            lines.append("\\ No newline at end of file")
    return "\n".join(lines) + "\n" if lines else ""


_NO_NEWLINE = "\0"


def _lines(text: str) -> list[str]:
    """Give the lines of a text without their newlines; a last line without one is marked."""
    lines = text.split("\n")
    last = lines.pop()
    return [*lines, last + _NO_NEWLINE] if last else lines
