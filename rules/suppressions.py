"""Rules about the comments that silence other rules."""

from __future__ import annotations

from collections.abc import Iterator

from dfopt.edit import Edit
from dfopt.finding import Finding, Fix, Severity
from dfopt.lint.rule import Bad, Build, Good, Rule, Suppression
from dfopt.source import Span


class UnusedIgnore(Rule):
    """A dfopt comment silences nothing.

    The finding it was written for is gone, or its rule never reported there. What stays behind would hide the next one
    without a word. A rule that did not run, such as one outside the profile, cannot be judged and counts as used.

    Fix safety: only a comment goes.
    """

    code = "F901"
    name = "unused-ignore"
    severity = Severity.INFO
    after = True
    examples = (
        Bad(
            "# dfopt: ignore[untagged-base] waiting for the new tag\nFROM debian:12\n",
            at="# dfopt: ignore[untagged-base] waiting for the new tag",
            fixed="FROM debian:12\n",
        ),
        Bad(
            "# dfopt: ignore[untagged-base, latest-tag]\nFROM debian\n",
            at="# dfopt: ignore[untagged-base, latest-tag]",
            fixed="# dfopt: ignore[untagged-base]\nFROM debian\n",
        ),
        Bad("# dfopt: ignore\nFROM scratch\n", at="# dfopt: ignore", fixed="FROM scratch\n"),
        Good("# dfopt: ignore[untagged-base] the newest is wanted\nFROM debian\n"),
        Good("# hadolint ignore=DL3006\nFROM debian:12\n", why="comments for other tools are theirs to judge"),
        Good(
            "FROM scratch\n# dfopt: ignoring this file would be wrong\n",
            why="prose that begins like a comment of ours is malformed",
        ),
    )

    def check(self, build: Build) -> Iterator[Finding]:
        """Report comments, or words in them, that nothing needed."""
        for one in build.suppressions:
            if one.unused == ("",) or (one.unused and set(one.unused) == set(one.selectors)):
                yield self.finding(one.span, "this comment silences nothing; remove it", fix=_without(build, one))
            elif one.unused:
                names = ", ".join(one.unused)
                message = f"this comment names {names} and that silences nothing here"
                yield self.finding(one.span, message, fix=_without(build, one))


class ExpiredIgnore(Rule):
    """A dfopt comment is past its date and silences nothing any more.

    Whoever wrote it wanted the question asked again: repair what is reported below, or give the comment a new date.
    """

    code = "F902"
    name = "expired-ignore"
    after = True
    examples = (
        Bad(
            "# dfopt: ignore[untagged-base] until=2020-01-31 the tag comes with the next release\nFROM debian\n",
            at="# dfopt: ignore[untagged-base] until=2020-01-31 the tag comes with the next release",
        ),
        Good("# dfopt: ignore[untagged-base] until=9999-12-31 far away\nFROM debian\n"),
        Good("# dfopt: ignore[untagged-base]\nFROM debian\n", why="without a date it holds for ever"),
    )

    def check(self, build: Build) -> Iterator[Finding]:
        """Report comments whose date is over."""
        for one in build.suppressions:
            if one.expired:
                message = f"this comment was good until {one.until}; repair what it hides, or give it a new date"
                yield self.finding(one.span, message)


class IgnoreWithoutReason(Rule):
    """A dfopt comment does not say why it silences a rule.

    The next reader cannot tell whether the reason still holds. Off unless selected or asked for by ``require-reason``.
    """

    code = "F903"
    name = "ignore-without-reason"
    severity = Severity.INFO
    default = False
    strict = False
    after = True
    examples = (
        Bad("# dfopt: ignore[untagged-base]\nFROM debian\n", at="# dfopt: ignore[untagged-base]"),
        Bad("# dfopt: ignore-file[untagged-base] until=9999-12-31\nFROM debian\n",
            at="# dfopt: ignore-file[untagged-base] until=9999-12-31"),
        Good("# dfopt: ignore[untagged-base] always the newest, on purpose\nFROM debian\n"),
        Good("# hadolint ignore=DL3006\nFROM debian\n"),
    )  # fmt: skip

    def check(self, build: Build) -> Iterator[Finding]:
        """Report comments of dfopt without a reason."""
        for one in build.suppressions:
            if one.kind == "dfopt" and not one.reason and not one.problem:
                yield self.finding(one.span, "say behind this comment why the rule does not apply")


class MalformedIgnore(Rule):
    """A dfopt comment cannot be read, or names a rule that does not exist, and so silences nothing.

    The forms are ``ignore[rule, ...]`` for the next instruction, ``ignore-stage[...]`` and ``ignore-file[...]``, each
    with a reason behind it and, if it is to end some day, ``until=YYYY-MM-DD``.
    """

    code = "F904"
    name = "malformed-ignore"
    after = True
    examples = (
        Bad("# dfopt: ignored[untagged-base]\nFROM debian\n", at="# dfopt: ignored[untagged-base]"),
        Bad("# dfopt: ignore[untaged-base]\nFROM debian\n", at="# dfopt: ignore[untaged-base]"),
        Bad("# dfopt: ignore[] nothing\nFROM debian\n", at="# dfopt: ignore[] nothing"),
        Bad("# dfopt: ignore[B101] until=tomorrow\nFROM debian\n", at="# dfopt: ignore[B101] until=tomorrow"),
        Good("# dfopt: ignore[B101] a code does as well\nFROM debian\n"),
        Good("# dfopt: ignore[DL3006] the code of another tool does as well\nFROM debian\n"),
        Good("# dfopt: ignore[SC2086] ShellCheck's codes need no list\nFROM debian:12\n"),
    )

    def check(self, build: Build) -> Iterator[Finding]:
        """Report comments that cannot be read."""
        for one in build.suppressions:
            if one.problem:
                yield self.finding(one.span, f"this comment {one.problem}")
            elif one.unknown:
                yield self.finding(one.span, f"no rule is named {', '.join(one.unknown)}")


def _without(build: Build, one: Suppression) -> Fix:
    """Give the fix that removes a comment with its line, or only the words of it that are not needed."""
    source = build.tree.source
    kept = [word for word in one.selectors if word not in one.unused]
    if kept and one.unused != ("",):
        text = source.slice(one.span)
        start, end = one.span.start + text.index("[") + 1, one.span.start + text.index("]")
        return Rule.safe("Remove what is not needed", Edit(Span(start, end), ", ".join(kept)))
    line = source.line_of(one.span.start)
    starts = source.line_starts
    end = starts[line] if line < len(starts) else len(source.text)
    return Rule.safe("Remove the comment", Edit(Span(source.offset(line), end), ""))
