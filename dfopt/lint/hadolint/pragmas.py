"""hadolint's comments: what they silence, and the shell that they name."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator

from dfopt.lint.rule import Suppression
from dfopt.lint.suppression import read_suppressions
from dfopt.source import Span
from dfopt.syntax.tree import Comment, Dockerfile, From

UNREADABLE = "DL1000"
"""The code for a file that cannot be read; nothing else is reported of it, and nothing silences it."""

_CODES = r"[DLSC0-9]+(?:\s*,\s*[DLSC0-9]+)*"
_IGNORE = re.compile(rf"#\s*hadolint\s+(?:(global|stage)\s+)?ignore\s*=\s*({_CODES})\s*(?:#.*)?")
_SHELL = re.compile(r"#\s*hadolint\s+shell\s*=\s*([^\s#]+)\s*(?:#.*)?")
_FORMS = {"global": "ignore-file", "stage": "ignore-stage"}


def lone_comments(tree: Dockerfile) -> Iterator[tuple[Comment, str]]:
    """Give the comments that stand between instructions, not inside a continued one, with their text."""
    if "hadolint" not in tree.source.text:
        return
    starts = [one.span.start for one in tree.instructions]
    for comment in sorted(tree.comments, key=lambda one: one.span):
        at = bisect_right(starts, comment.span.start) - 1
        if at < 0 or comment.span.start >= tree.instructions[at].span.end:
            yield comment, tree.source.slice(comment.span).strip()


def named_shell(text: str) -> str | None:
    """Give the shell that a comment names."""
    match = _SHELL.fullmatch(text)
    return match[1] if match else None


def suppressions(tree: Dockerfile) -> tuple[Suppression, ...]:
    """Give the comments that silence findings: hadolint's with the lines that it takes them for, and our own."""
    found = []
    for comment, text in lone_comments(tree):
        match = _IGNORE.fullmatch(text)
        codes = tuple(code.strip() for code in match[2].split(",")) if match else ()
        codes = tuple(code for code in codes if code != UNREADABLE)
        if match and codes:
            found.append((comment.span, _FORMS.get(match[1], "ignore"), codes))
    line_of = tree.source.line_of
    stages = [line_of(span.start) for span, form, _ in found if form == "ignore-stage"]
    froms = [line_of(one.span.start) for one in tree.instructions if isinstance(one, From)]
    own = (one for one in read_suppressions(tree) if one.kind == "dfopt")
    theirs = (
        Suppression("hadolint", form, span, _scope(tree, form, line_of(span.start), froms, stages), codes)
        for span, form, codes in found
    )
    return (*own, *theirs)


def _scope(tree: Dockerfile, form: str, line: int, froms: list[int], stages: list[int]) -> Span:
    """Give the lines that a comment covers.

    One for a stage acts from the second line below it to the next FROM, that line included, or to the line below the
    next comment of its kind. Others act on the whole file or on the one line below them.
    """
    if form == "ignore-file":
        return Span(0, len(tree.source.text) + 1)
    if form == "ignore":
        return _lines(tree, line + 1, line + 1)
    ends = [start for start in froms if start >= line + 2][:1] + [other + 1 for other in stages if other > line][:1]
    return _lines(tree, line + 2, min(ends, default=len(tree.source.line_starts)))


def _lines(tree: Dockerfile, first: int, last: int) -> Span:
    starts = [*tree.source.line_starts, len(tree.source.text) + 1]
    return (
        Span(starts[min(first, len(starts)) - 1], starts[min(last, len(starts) - 1)]) if first <= last else Span(0, 0)
    )
