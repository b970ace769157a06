"""Rules about labels: their keys, the values that a schema or the OCI image specification asks for, their layout."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any, ClassVar

from dfopt.edit import Edit
from dfopt.finding import Finding, Severity
from dfopt.graph.model import Step
from dfopt.lint.rule import Bad, Build, Good, Option, Rule
from dfopt.source import Source, Span
from dfopt.syntax.edits import delete
from dfopt.syntax.tree import Label, Pair

OCI = "org.opencontainers.image."
SCHEMA = Option("label-schema", dict, {}, "the labels that are wanted and the type of each: text, url, rfc3339, ...")


def bare(text: str) -> str:
    """Give a key or value without the quotes around it."""
    text = text.strip()
    return text[1:-1] if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'" else text


def labels(step: Step) -> Iterator[tuple[str, str | None, Pair]]:
    """Give the labels of a step: key, value (None where it depends on what is not known), and the pair as written."""
    instruction = step.instruction
    if not isinstance(instruction, Label):
        return
    values = step.arguments[1::2]
    keys = step.arguments[::2]
    for number, pair in enumerate(instruction.pairs):
        open_ = bool(step.unknown) and "$" in (pair.value or "")
        known = number < len(values)
        yield (
            keys[number] if known else bare(pair.key),
            None if open_ or not known else values[number],
            pair,
        )


def without_pair(source: Source, instruction: Label, pair: Pair) -> Edit | None:
    """Delete one label: its instruction where it is the only one, else the pair with the blanks beside it."""
    if len(instruction.pairs) == 1:
        return delete(source, instruction)
    at = instruction.pairs.index(pair)
    if at:
        span = Span(instruction.pairs[at - 1].span.end, pair.span.end)
    else:
        span = Span(pair.span.start, instruction.pairs[1].span.start)
    if any(span.overlaps(comment.span) for comment in instruction.inner_comments):
        return None
    return Edit(span, "")


class LabelKey(Rule):
    """The key of a label is not one that Docker allows.

    Keys begin with a lower-case letter, end in one or a digit, and hold only these, dots, dashes, ``_`` and ``/``; the
    names below ``com.docker``, ``io.docker`` and ``org.dockerproject`` belong to Docker.

    Fix safety: unsafe; what looks for the old key no longer finds it.
    """

    code = "D117"
    name = "label-key"
    aliases = ("DL3048", "tally/labels/valid-key")
    severity = Severity.STYLE
    default = False
    examples = (
        Bad(
            'FROM debian:12\nLABEL Description="The app"\n',
            at="Description",
            fixed='FROM debian:12\nLABEL description="The app"\n',
            unsafe=True,
        ),
        Bad(
            'FROM debian:12\nLABEL "Build Date"=today\n',
            at='"Build Date"',
            fixed="FROM debian:12\nLABEL build-date=today\n",
            unsafe=True,
        ),
        Bad("FROM debian:12\nLABEL com.docker.own=1\n", at="com.docker.own"),
        Good('FROM debian:12\nLABEL description="The app" org.opencontainers.image.title=a io.k8s.display-name=b\n'),
        Good("FROM debian:12\nLABEL $KEY=value\n"),
        Good("FROM debian:12\nLABEL com.docker.extension.icon=a\n", why="a key that Docker asks for"),
    )

    def check(self, build: Build) -> Iterator[Finding]:
        """Report keys of another form."""
        for step in build.steps:
            for _, _, pair in labels(step):
                key = bare(pair.key)
                if "$" in key or _key_is_fine(key):
                    continue
                better = re.sub(r"-{2,}|[^a-z0-9._/-]+", "-", re.sub(r"\.{2,}", ".", key.strip().lower())).strip("-._/")
                fix = None
                if better and _key_is_fine(better) and not pair.legacy:
                    fix = self.unsafe(f"Write {better}", Edit(pair.key_span, better))
                reserved = key.startswith(_RESERVED)
                reason = (
                    "this name belongs to Docker" if reserved else "use lower-case letters, digits, dots and dashes"
                )
                yield self.finding(pair.key_span, f"{key} is no good key: {reason}", fix=fix)


_RESERVED = ("com.docker.", "io.docker.", "org.dockerproject.")
_GIVEN = ("com.docker.extension.", "com.docker.desktop.", "com.docker.image.", "com.docker.official-images.")


def _key_is_fine(key: str) -> bool:
    if key.startswith(_RESERVED):
        return key.startswith(_GIVEN)
    return re.fullmatch(r"[a-z](?:[0-9a-z._/-]*[a-z0-9])?", key) is not None and ".." not in key and "--" not in key


def schema_of(build: Build) -> Mapping[str, str]:
    """Give the schema that the configuration asks for."""
    return {str(key): str(value) for key, value in dict(build.options.get("label-schema") or {}).items()}


class RequiredLabel(Rule):
    """The image that ships lacks a label that the project asks for.

    Does nothing until the option names the labels.
    """

    code = "D118"
    name = "required-label"
    aliases = ("DL3049", "S7028")
    severity = Severity.INFO
    default = False
    strict = False
    options = (SCHEMA,)
    examples = (
        Bad("FROM debian:12\nRUN true\n", at="FROM debian:12", options={"label-schema": {"team": "text"}}),
        Good("FROM debian:12\nLABEL team=red\n", options={"label-schema": {"team": "text"}}),
        Good("FROM debian:12 AS base\nLABEL team=red\nFROM base\n", options={"label-schema": {"team": "text"}}),
        Good("FROM debian:12 AS test\nFROM debian:12\nLABEL team=red\n", options={"label-schema": {"team": "text"}}),
        Good("FROM debian:12\nRUN true\n"),
    )

    def check(self, build: Build) -> Iterator[Finding]:
        """Report every label of the schema that the target's chain does not set."""
        schema = schema_of(build)
        if not schema or build.graph.target is None:
            return
        chain = build.graph.chain(build.graph.target)
        given = {key for stage in chain for step in stage.all_steps for key, _, _ in labels(step)}
        for key in schema:
            if key not in given:
                yield self.finding(chain[-1].from_, f"the image has no label {key}")


class LabelNotInSchema(Rule):
    """A label is set that the project's schema does not have.

    Does nothing until ``strict-labels`` is on.
    """

    code = "D119"
    name = "label-not-in-schema"
    aliases = ("DL3050",)
    severity = Severity.INFO
    default = False
    strict = False
    options = (SCHEMA, Option("strict-labels", bool, False, "whether only labels of the schema may be set"))
    examples = (
        Bad(
            "FROM debian:12\nLABEL team=red colour=blue\n",
            at="colour=blue",
            options={"label-schema": {"team": "text"}, "strict-labels": True},
        ),
        Good("FROM debian:12\nLABEL team=red\n", options={"label-schema": {"team": "text"}, "strict-labels": True}),
        Good("FROM debian:12\nLABEL colour=blue\n", options={"label-schema": {"team": "text"}}),
    )

    def check(self, build: Build) -> Iterator[Finding]:
        """Report keys that the schema does not know."""
        if not build.options.get("strict-labels"):
            return
        schema = schema_of(build)
        for step in build.steps:
            for key, _, pair in labels(step):
                if key not in schema:
                    yield self.finding(pair.span, f"{key} is no label of this project's schema")


class LabelValue(Rule):
    """What the rules about the values of labels share.

    ``type`` is the word for it in a schema, ``keys`` are labels that are of this type without one.
    """

    severity = Severity.INFO
    default = False
    options = (SCHEMA,)
    type: ClassVar[str] = ""
    keys: ClassVar[tuple[str, ...]] = ()

    def check(self, build: Build) -> Iterator[Finding]:
        """Report labels of the type whose value is known and of another form."""
        schema: dict[str, Any] = {**dict.fromkeys(self.keys, self.type), **schema_of(build)}
        for step in build.steps:
            for key, value, pair in labels(step):
                if value is None or schema.get(key) != self.type or not value:
                    continue
                problem = self.problem(value)
                if problem:
                    yield self.finding(pair.span, f"{key} {problem}")

    def problem(self, value: str) -> str | None:
        """Tell what is wrong with a value."""
        raise NotImplementedError


class EmptyLabel(Rule):
    """A label that the schema or the OCI image specification knows has an empty value."""

    code = "D120"
    name = "empty-label"
    aliases = ("DL3051",)
    severity = Severity.INFO
    default = False
    options = (SCHEMA,)
    examples = (
        Bad('FROM debian:12\nLABEL team=""\n', at='team=""', options={"label-schema": {"team": "text"}}),
        Bad("FROM debian:12\nLABEL org.opencontainers.image.title=\n", at="org.opencontainers.image.title="),
        Good('FROM debian:12\nLABEL team=red other=""\n', options={"label-schema": {"team": "text"}}),
        Good(
            "FROM debian:12\nARG VERSION\nLABEL org.opencontainers.image.version=$VERSION\n", why="given by the build"
        ),
    )

    def check(self, build: Build) -> Iterator[Finding]:
        """Report such labels where the value is known."""
        schema = schema_of(build)
        for step in build.steps:
            for key, value, pair in labels(step):
                if value is not None and not value.strip() and (key in schema or key.startswith(OCI)):
                    yield self.finding(pair.span, f"{key} is empty: give it a value or leave it out")


class LabelUrl(LabelValue):
    """A label that holds an address holds something else.

    Tools that follow it, to show the source or the documentation of an image, need a whole address with its scheme.
    """

    code = "D121"
    name = "label-url"
    aliases = ("DL3052",)
    type = "url"
    keys = (f"{OCI}url", f"{OCI}source", f"{OCI}documentation", "org.label-schema.url", "org.label-schema.vcs-url")
    examples = (
        Bad(
            "FROM debian:12\nLABEL org.opencontainers.image.source=example.com/app\n",
            at="org.opencontainers.image.source=example.com/app",
        ),
        Bad("FROM debian:12\nLABEL home=/x\n", at="home=/x", options={"label-schema": {"home": "url"}}),
        Good("FROM debian:12\nLABEL org.opencontainers.image.source=https://example.com/app\n"),
        Good("FROM debian:12\nLABEL org.opencontainers.image.source=git@example.com:app.git\n", why="git's own form"),
        Good("FROM debian:12\nLABEL home=mailto:ada@example.com\n", options={"label-schema": {"home": "url"}}),
    )

    def problem(self, value: str) -> str | None:
        """Tell whether a value lacks its scheme."""
        if re.fullmatch(r"[A-Za-z][A-Za-z0-9+.-]*:\S+", value) or re.fullmatch(r"[\w.-]+@[\w.-]+:\S+", value):
            return None
        return f"holds {value}, which is no whole address: begin with https://"


class LabelDate(LabelValue):
    """A label that holds a time holds something else than a date and time with zone, as RFC 3339 writes them.

    Tools that sort images by age cannot read it.
    """

    code = "D122"
    name = "label-date"
    aliases = ("DL3053",)
    type = "rfc3339"
    keys = (f"{OCI}created", "org.label-schema.build-date")
    examples = (
        Bad(
            "FROM debian:12\nLABEL org.opencontainers.image.created=2026-11-21\n",
            at="org.opencontainers.image.created=2026-11-21",
        ),
        Bad(
            "FROM debian:12\nLABEL made=2026-13-01T00:00:00Z\n",
            at="made=2026-13-01T00:00:00Z",
            options={"label-schema": {"made": "rfc3339"}},
        ),
        Good("FROM debian:12\nLABEL org.opencontainers.image.created=2026-11-21T08:00:00Z\n"),
        Good("FROM debian:12\nLABEL org.opencontainers.image.created=2026-11-21T08:00:00.5+01:00\n"),
        Good("FROM debian:12\nARG DATE\nLABEL org.opencontainers.image.created=$DATE\n"),
    )

    def problem(self, value: str) -> str | None:
        """Tell whether a value is no time."""
        found = re.fullmatch(
            r"(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:\.\d+)?(?:[Zz]|[+-](?:[01]\d|2[0-3]):[0-5]\d)", value
        )
        if found:
            year, month, day, hour, minute, second = map(int, found.groups())
            february = 29 if year % 4 == 0 and (year % 100 != 0 or year % 400 == 0) else 28
            days = (31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
            fits = 1 <= month <= 12 and 1 <= day <= days[month - 1]
            if fits and hour < 24 and minute < 60 and second <= 60:
                return None
        return f"holds {value}, which is no time: write it like 2026-11-21T08:00:00Z"


class LabelLicense(LabelValue):
    """A label that holds the licence holds no licence expression of SPDX.

    Tools that check licences look for the identifiers of the SPDX list, joined by AND, OR and WITH.
    """

    code = "D123"
    name = "label-license"
    aliases = ("DL3054",)
    type = "spdx"
    keys = (f"{OCI}licenses",)
    examples = (
        Bad(
            'FROM debian:12\nLABEL org.opencontainers.image.licenses="Apache 2"\n',
            at='org.opencontainers.image.licenses="Apache 2"',
        ),
        Bad(
            "FROM debian:12\nLABEL org.opencontainers.image.licenses=GPL-3.0\n",
            at="org.opencontainers.image.licenses=GPL-3.0",
        ),
        Good("FROM debian:12\nLABEL org.opencontainers.image.licenses=Apache-2.0\n"),
        Good('FROM debian:12\nLABEL org.opencontainers.image.licenses="MIT AND (Apache-2.0 OR BSD-3-Clause)"\n'),
        Good('FROM debian:12\nLABEL org.opencontainers.image.licenses="GPL-2.0-only WITH Classpath-exception-2.0"\n'),
        Good("FROM debian:12\nLABEL org.opencontainers.image.licenses=LicenseRef-Proprietary\n"),
    )

    def problem(self, value: str) -> str | None:
        """Tell what is wrong with an expression."""
        from dfopt.lint.licenses import license_problem

        found = license_problem(value)
        return f"holds {value}, which is no licence expression: {found}" if found else None


class LabelRevision(LabelValue):
    """A label that holds a revision of git holds something else. The labels are named by the option."""

    code = "D124"
    name = "label-revision"
    aliases = ("DL3055",)
    strict = False
    type = "hash"
    examples = (
        Bad("FROM debian:12\nLABEL rev=v1\n", at="rev=v1", options={"label-schema": {"rev": "hash"}}),
        Good(
            "FROM debian:12\nLABEL rev=0123456789abcdef0123456789abcdef01234567\n",
            options={"label-schema": {"rev": "hash"}},
        ),
        Good("FROM debian:12\nLABEL rev=0123abc\n", options={"label-schema": {"rev": "hash"}}),
        Good("FROM debian:12\nLABEL rev=v1\n"),
    )

    def problem(self, value: str) -> str | None:
        """Tell whether a value is no revision."""
        if re.fullmatch(r"[0-9a-f]{7}|[0-9a-f]{40}|[0-9a-f]{64}", value):
            return None
        return f"holds {value}, which is no revision: write its 40 digits, or the first 7"


class LabelVersion(LabelValue):
    """A label that holds a version holds no semantic version. The labels are named by the option."""

    code = "D125"
    name = "label-version"
    aliases = ("DL3056",)
    strict = False
    type = "semver"
    examples = (
        Bad("FROM debian:12\nLABEL version=v1.2\n", at="version=v1.2", options={"label-schema": {"version": "semver"}}),
        Good("FROM debian:12\nLABEL version=1.2.3-rc.1+7\n", options={"label-schema": {"version": "semver"}}),
        Good("FROM debian:12\nARG V\nLABEL version=$V\n", options={"label-schema": {"version": "semver"}}),
    )

    def problem(self, value: str) -> str | None:
        """Tell whether a value is no version (Semantic Versioning 2.0.0)."""
        number, part = r"(?:0|[1-9]\d*)", r"(?:0|[1-9]\d*|\d*[A-Za-z-][0-9A-Za-z-]*)"
        semver = rf"{number}\.{number}\.{number}(?:-{part}(?:\.{part})*)?(?:\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?"
        if re.fullmatch(semver, value):
            return None
        return f"holds {value}, which is no semantic version: write it like 1.2.3"


class LabelEmail(LabelValue):
    """A label that holds a mail address holds something else. The labels are named by the option."""

    code = "D126"
    name = "label-email"
    aliases = ("DL3058",)
    strict = False
    type = "email"
    examples = (
        Bad("FROM debian:12\nLABEL mail='Ada <ada@example.com>'\n", at="mail='Ada <ada@example.com>'",
            options={"label-schema": {"mail": "email"}}),
        Good("FROM debian:12\nLABEL mail=ada@example.com\n", options={"label-schema": {"mail": "email"}}),
        Good("FROM debian:12\nLABEL mail=Ada\n"),
    )  # fmt: skip

    def problem(self, value: str) -> str | None:
        """Tell whether a value is no plain address."""
        if re.fullmatch(r"[^\s@<>\"(),:;\[\]]+@[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?", value):
            return None
        return f"holds {value}, which is no mail address: write it alone, like ada@example.com"


class DuplicateLabelKey(Rule):
    """A stage sets the same label twice, and only the last one counts.

    Fix safety: safe; what is deleted never had an effect.
    """

    code = "D127"
    name = "duplicate-label-key"
    aliases = ("tally/labels/no-duplicate-keys",)
    examples = (
        Bad("FROM debian:12\nLABEL a=1\nLABEL b=2 a=3\n", at="a=1", fixed="FROM debian:12\nLABEL b=2 a=3\n"),
        Bad(
            "FROM debian:12\nLABEL a=1 \\\n      b=2 \\\n      a=3\n",
            at="a=1",
            fixed="FROM debian:12\nLABEL b=2 \\\n      a=3\n",
        ),
        Good("FROM debian:12\nLABEL a=1 b=2\n"),
        Good("FROM debian:12 AS base\nLABEL a=1\nFROM base\nLABEL a=2\n", why="another stage may change it"),
        Good("FROM debian:12\nARG K\nLABEL $K=1\nLABEL $K.b=2\n"),
    )

    def check(self, build: Build) -> Iterator[Finding]:
        """Report the earlier of two."""
        for stage in build.graph.stages:
            last: dict[str, tuple[Label, Pair]] = {}
            for step in stage.steps:
                instruction = step.instruction
                for key, _, pair in labels(step):
                    if "$" in pair.key:
                        continue
                    assert isinstance(instruction, Label)
                    if key in last:
                        owner, earlier = last[key]
                        edit = without_pair(build.tree.source, owner, earlier)
                        yield self.finding(
                            earlier.span,
                            f"{key} is set again below, and only that counts: keep one",
                            related=[(pair.span, "this one counts")],
                            fix=self.safe(f"Remove the first {key}", edit) if edit else None,
                        )
                    last[key] = (instruction, pair)


class UngroupedLabels(Rule):
    """LABEL instructions follow each other directly. Off unless selected, a matter of taste.

    Fix safety: safe; the image has the same labels.
    """

    code = "D128"
    name = "ungrouped-labels"
    aliases = ("tally/labels/prefer-grouped",)
    severity = Severity.STYLE
    default = False
    strict = False
    examples = (
        Bad(
            "FROM debian:12\nLABEL a=1\nLABEL b=2\n",
            at="LABEL b=2",
            fixed="FROM debian:12\nLABEL a=1 \\\n      b=2\n",
        ),
        Good("FROM debian:12\nLABEL a=1 b=2\n"),
        Good("FROM debian:12\nLABEL a=1\nUSER app\nLABEL b=2\n", why="something stands between"),
        Good("FROM debian:12\nLABEL a=1\n# why\nLABEL b=2\n", why="a comment explains the second"),
    )

    def check(self, build: Build) -> Iterator[Finding]:
        """Report the second of two neighbours."""
        source = build.tree.source
        for first, second in pairwise(build.tree.instructions):
            if not isinstance(first, Label) or not isinstance(second, Label) or second.comments:
                continue
            fix = None
            plain = not any(pair.legacy for pair in (*first.pairs, *second.pairs))
            between = source.text[first.span.end : second.span.start]
            if plain and not between.strip():
                joint = f" {build.tree.escape}{source.newline}{' ' * (len(first.keyword) + 1)}"
                fix = self.safe("Join them", Edit(Span(first.span.end, second.pairs[0].span.start), joint))
            yield self.finding(second, "this LABEL can be joined with the one above", fix=fix)


class BaseDigestLabel(Rule):
    """A label tells the digest of the base image, and FROM does not name that digest.

    The label is then wrong with the next update of the tag. Pin the digest, or let the builder record the base.
    """

    code = "D141"
    name = "stale-base-digest"
    aliases = ("tally/labels/no-stale-base-digest",)
    default = False
    examples = (
        Bad(
            f"FROM debian:12\nLABEL org.opencontainers.image.base.digest=sha256:{'0' * 64}\n",
            at=f"org.opencontainers.image.base.digest=sha256:{'0' * 64}",
        ),
        Good(f"FROM debian:12@sha256:{'0' * 64}\nLABEL org.opencontainers.image.base.digest=sha256:{'0' * 64}\n"),
        Good("FROM debian:12\nARG D\nLABEL org.opencontainers.image.base.digest=$D\n"),
    )

    def check(self, build: Build) -> Iterator[Finding]:
        """Report the label where the image of the chain does not have that digest."""
        for step in build.steps:
            for key, value, pair in labels(step):
                if key != f"{OCI}base.digest" or not value or step.stage < 0:
                    continue
                image = build.graph.chain(step.stage)[0].image
                if image is not None and not image.endswith(f"@{value}"):
                    yield self.finding(
                        pair.span, "FROM does not name this digest, so it is soon wrong: pin the image by it"
                    )


# Keys of the older schema and what the OCI image specification calls the same (its annex on label-schema.org).
OLD_KEYS = {
    "build-date": "created", "url": "url", "vcs-url": "source", "version": "version", "vcs-ref": "revision",
    "vendor": "vendor", "name": "title", "description": "description", "usage": "documentation",
    "license": "licenses",
}  # fmt: skip


class OldLabelSchema(Rule):
    """Labels of label-schema.org are used, which gave way to those of the OCI image specification in 2018.

    Registries and other tools read the newer ones.

    Fix safety: unsafe; what looks for the old key no longer finds it.
    """

    code = "D142"
    name = "old-label-schema"
    severity = Severity.INFO
    default = False
    examples = (
        Bad(
            "FROM debian:12\nLABEL org.label-schema.vcs-url=https://example.com/app\n",
            at="org.label-schema.vcs-url",
            fixed="FROM debian:12\nLABEL org.opencontainers.image.source=https://example.com/app\n",
            unsafe=True,
        ),
        Bad("FROM debian:12\nLABEL org.label-schema.schema-version=1.0\n", at="org.label-schema.schema-version"),
        Good("FROM debian:12\nLABEL org.opencontainers.image.source=https://example.com/app\n"),
        Good("FROM debian:12\nLABEL org.label-schema.name=a org.opencontainers.image.title=a\n", why="both are there"),
    )

    def check(self, build: Build) -> Iterator[Finding]:
        """Report old keys without the new one beside them."""
        prefix = "org.label-schema."
        for stage in build.graph.stages:
            given = {key for step in stage.steps for key, _, _ in labels(step)}
            for step in stage.steps:
                for key, _, pair in labels(step):
                    if not key.startswith(prefix):
                        continue
                    new = OLD_KEYS.get(key.removeprefix(prefix))
                    if new is None:
                        if any(one.startswith(OCI) for one in given):
                            continue
                        yield self.finding(pair.key_span, f"{key} belongs to a schema that is given up: use {OCI}*")
                    elif OCI + new not in given:
                        fix = None
                        if build.tree.source.slice(pair.key_span) == key:
                            fix = self.unsafe(f"Write {OCI}{new}", Edit(pair.key_span, OCI + new))
                        yield self.finding(pair.key_span, f"tools look for {OCI}{new} instead: use that", fix=fix)
