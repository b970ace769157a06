"""Rules about the images that stages build on."""

from __future__ import annotations

from collections.abc import Iterator

from dfopt.edit import Edit
from dfopt.finding import Finding, Severity
from dfopt.graph.model import Stage
from dfopt.lint.rule import Bad, Build, Good, Option, Rule
from dfopt.source import Span
from dfopt.syntax.reference import ImageReference, InvalidReference
from dfopt.syntax.words import WordError, expand, variables

DIGEST = "sha256:" + "0123456789abcdef" * 4


def images(build: Build) -> Iterator[tuple[Stage, ImageReference]]:
    """Give the stages that build on a known image, with its reference; scratch and other stages are none."""
    for stage in build.graph.stages:
        if stage.base is None and stage.resolved and stage.image and stage.image != "scratch":
            reference = parse_reference(stage.image)
            if reference is not None:
                yield stage, reference


def parse_reference(text: str) -> ImageReference | None:
    """Take an image reference apart; None where the text is none."""
    try:
        return ImageReference.parse(text)
    except InvalidReference:
        return None


class UntaggedBase(Rule):
    """The base image has neither a tag nor a digest.

    Without a tag the builder takes ``latest``: whatever was pushed last. The same Dockerfile then gives another image
    tomorrow, and nobody sees why.

    Stage names, ``scratch``, digests and registries with a port are understood; the defaults of build arguments are put
    in, and an argument without a default is left to ``arg-without-default-in-from``.
    """

    code = "B101"
    name = "untagged-base"
    aliases = ("DL3006", "CKV_DOCKER_7", "DS-0001")
    examples = (
        Bad("FROM debian\n", at="debian"),
        Bad("FROM localhost:5000/team/app\n", at="localhost:5000/team/app"),
        Bad("ARG IMAGE=debian\nFROM ${IMAGE}\n", at="${IMAGE}"),
        Good("FROM debian:12\n"),
        Good("FROM scratch\n"),
        Good(f"FROM debian@{DIGEST}\n", why="a digest is the sharpest pin there is"),
        Good("FROM localhost:5000/team/app:1.4\n", why="the first colon belongs to the registry's port"),
        Good("ARG TAG=12\nFROM debian:${TAG}\n"),
        Good("ARG IMAGE\nFROM ${IMAGE}\n", why="nobody knows what the argument will hold"),
        Good("FROM debian:12 AS build\nFROM build AS test\nFROM test\n"),
        Good(
            "ARG TARGETARCH\nFROM debian:12 AS base-amd64\nFROM debian:11 AS base-arm64\nFROM base-${TARGETARCH}\n",
            why="the name of a stage may be put together from an argument",
        ),
    )

    def check(self, build: Build) -> Iterator[Finding]:
        """Report references without tag and digest."""
        for stage, reference in images(build):
            if reference.tag is None and reference.digest is None:
                yield self.finding(
                    stage.from_.image.span,
                    f"{stage.image} has no tag, so every build takes what was pushed last: name a version, "
                    f"as in {stage.image}:{_example_tag(stage)}",
                )


def _example_tag(stage: Stage) -> str:
    release = stage.facts.release if stage.facts else ""
    return release or "1.2"


class LatestTag(Rule):
    """The base image is asked for by the tag ``latest``.

    The tag moves with every release, so the build can break, or change, without a change of its files.
    """

    code = "B102"
    name = "latest-tag"
    aliases = ("DL3007", "DKL-DI-0006")
    examples = (
        Bad("FROM debian:latest\n", at="debian:latest"),
        Bad("ARG TAG=latest\nFROM debian:$TAG\n", at="debian:$TAG"),
        Good("FROM debian:12\n"),
        Good(f"FROM debian:latest@{DIGEST}\n", why="the digest decides"),
        Good("FROM registry.example.com:5000/latest:2\n"),
        Good("ARG TAG=latest\nFROM debian:$TAG\n", build_args={"TAG": "12"}),
    )

    def check(self, build: Build) -> Iterator[Finding]:
        """Report the tag where no digest stands behind it."""
        for stage, reference in images(build):
            if reference.tag == "latest" and reference.digest is None:
                yield self.finding(
                    stage.from_.image.span,
                    f"{stage.image} moves with every release: name a version instead of latest",
                )


class ArgWithoutDefaultInFrom(Rule):
    """The image of a FROM needs a build argument that has no default.

    ``docker build .`` then fails, or takes an empty tag, unless the right ``--build-arg`` is given every time.
    """

    code = "B103"
    name = "arg-without-default-in-from"
    aliases = ("InvalidDefaultArgInFrom",)
    examples = (
        Bad("ARG TAG\nFROM debian:${TAG}\n", at="debian:${TAG}"),
        Bad("ARG IMAGE\nFROM $IMAGE\n", at="$IMAGE"),
        Good("ARG TAG=12\nFROM debian:${TAG}\n"),
        Good("ARG TAG\nFROM debian:${TAG:-12}\n", why="the default stands in FROM"),
        Good("ARG TAG\nFROM debian:12${TAG}\n", why="an empty suffix still gives an image"),
        Good("FROM --platform=$BUILDPLATFORM debian:12\n", why="the builder sets it"),
        Good("ARG TAG\nFROM debian:${TAG}\n", build_args={"TAG": "12"}),
    )

    def check(self, build: Build) -> Iterator[Finding]:
        """Report images that are no valid reference while only defaults are known."""
        declared = build.graph.globals
        for stage in build.graph.stages:
            if stage.base is not None:
                continue
            word = stage.from_.image
            missing = [
                use.name
                for use in variables(word.text, build.tree.escape)
                if use.name in declared and not declared[use.name].value
            ]
            if missing and parse_reference(_with_defaults(build, word.text)) is None:
                names = " and ".join(dict.fromkeys(missing))
                yield self.finding(
                    word.span,
                    f"{word.text} is no image unless --build-arg {names}=... is given: give {names} a default above",
                )


def _with_defaults(build: Build, text: str) -> str:
    """Put in what the arguments hold, nothing where they hold nothing."""

    def lookup(name: str) -> str | None:
        variable = build.graph.globals.get(name)
        return variable.value if variable else None

    try:
        return expand(text, lookup, build.tree.escape).value
    except WordError:
        return ""


class UndefinedArgInFrom(Rule):
    """FROM uses a variable that no global ARG declares.

    Only ARGs before the first FROM, and the platform variables of the builder, are known there; anything else is empty.
    """

    code = "B104"
    name = "undefined-arg-in-from"
    aliases = ("UndefinedArgInFrom",)
    severity = Severity.ERROR
    examples = (
        Bad("FROM debian:${VERSION}\n", at="debian:${VERSION}"),
        Bad("FROM debian:12 AS base\nARG V=1\nFROM debian:$V\n", at="debian:$V"),
        Good("ARG VERSION=12\nFROM debian:${VERSION}\n"),
        Good("FROM --platform=$TARGETPLATFORM debian:12\n"),
    )

    def check(self, build: Build) -> Iterator[Finding]:
        """Report names that are neither declared nor set by the builder."""
        for stage in build.graph.stages:
            word = stage.from_.image
            for use in variables(word.text, build.tree.escape):
                if use.name not in build.graph.globals:
                    yield self.finding(
                        word.span,
                        f"{use.name} is not declared before the first FROM: add ARG {use.name}=... at the top",
                    )


class DigestNotPinned(Rule):
    """The base image is named by a tag alone, which its owner can move.

    A digest (``debian:12@sha256:...``) names one image for good. Off unless selected: it asks for a habit of updating.
    """

    code = "B105"
    name = "digest-not-pinned"
    aliases = ("S8431",)
    severity = Severity.INFO
    default = False
    strict = False
    examples = (
        Bad("FROM debian:12\n", at="debian:12"),
        Good(f"FROM debian:12@{DIGEST}\n"),
        Good("FROM scratch\n"),
        Good(f"FROM debian@{DIGEST} AS a\nFROM a\n"),
    )

    def check(self, build: Build) -> Iterator[Finding]:
        """Report references without digest."""
        for stage, reference in images(build):
            if reference.digest is None:
                yield self.finding(
                    stage.from_.image.span,
                    f"{stage.image} can be moved by its owner: add @sha256: and the digest of the image you mean",
                )


class ConstantPlatform(Rule):
    """FROM names a fixed platform.

    The image is then built for that platform wherever it is built, emulated where the machine is another one.

    Fix safety: unsafe, because without the flag the builder's own platform is taken.
    """

    code = "B106"
    name = "constant-platform"
    aliases = ("FromPlatformFlagConstDisallowed", "DL3029")
    severity = Severity.INFO
    default = False
    examples = (
        Bad(
            "FROM --platform=linux/amd64 debian:12\n",
            at="--platform=linux/amd64",
            fixed="FROM debian:12\n",
            unsafe=True,
        ),
        Good("FROM --platform=$BUILDPLATFORM debian:12\n"),
        Good("FROM --platform=linux/arm64 debian:12 AS build-arm64\n", why="the stage's name says that it is meant"),
        Good("FROM debian:12\n"),
    )

    def check(self, build: Build) -> Iterator[Finding]:
        """Report platforms without a variable, unless the stage is named after them."""
        for stage in build.graph.stages:
            flag = stage.from_.flag("platform")
            if flag is None or not flag.value or "$" in flag.value:
                continue
            if stage.name and any(part and part in stage.name for part in flag.value.lower().split("/")):
                continue
            yield self.finding(
                flag.span,
                f"the stage is always built for {flag.value}, whatever platform is asked for: drop the flag",
                fix=self.unsafe("Drop --platform", _without_flag(build, flag.span)),
            )


class RedundantTargetPlatform(Rule):
    """``--platform=$TARGETPLATFORM`` asks for what is the default anyway.

    Fix safety: safe; without the flag the builder takes the target platform.
    """

    code = "B107"
    name = "redundant-target-platform"
    aliases = ("RedundantTargetPlatform", "DL3065")
    severity = Severity.INFO
    examples = (
        Bad(
            "FROM --platform=$TARGETPLATFORM debian:12\n",
            at="--platform=$TARGETPLATFORM",
            fixed="FROM debian:12\n",
        ),
        Good("FROM --platform=$BUILDPLATFORM debian:12\n"),
        Good("FROM debian:12\n"),
    )

    def check(self, build: Build) -> Iterator[Finding]:
        """Report the flag where it is exactly the target platform."""
        for stage in build.graph.stages:
            flag = stage.from_.flag("platform")
            if flag and flag.value in ("$TARGETPLATFORM", "${TARGETPLATFORM}"):
                yield self.finding(
                    flag.span,
                    "the target platform is the default: drop the flag",
                    fix=self.safe("Drop --platform", _without_flag(build, flag.span)),
                )


def _without_flag(build: Build, span: Span) -> Edit:
    """Delete a flag with the white space behind it."""
    text, end = build.tree.source.text, span.end
    while text[end : end + 1] in (" ", "\t"):
        end += 1
    return Edit(Span(span.start, end), "")


END_OF_LIFE = {
    "debian": {
        "wheezy": "2018-05-31", "7": "2018-05-31", "jessie": "2020-06-30", "8": "2020-06-30", "stretch": "2022-06-30",
        "9": "2022-06-30", "buster": "2024-06-30", "10": "2024-06-30", "bullseye": "2026-08-31", "11": "2026-08-31",
    },
    "ubuntu": {
        "12.04": "2017-04-28", "14.04": "2019-04-25", "trusty": "2019-04-25", "16.04": "2021-04-30",
        "xenial": "2021-04-30", "18.04": "2023-05-31", "bionic": "2023-05-31", "20.04": "2025-05-31",
        "focal": "2025-05-31",
    },
    "centos": {"5": "2017-03-31", "6": "2020-11-30", "7": "2024-06-30", "8": "2021-12-31"},
    "alpine": {
        **{f"3.{minor}": "2022-11-01" for minor in range(15)}, "3.15": "2023-11-01", "3.16": "2024-05-23",
        "3.17": "2024-11-22", "3.18": "2025-05-09", "3.19": "2025-11-01",
    },
    "node": {
        **{str(major): "2022-04-30" for major in range(13)}, "13": "2020-06-01", "14": "2023-04-30", "15": "2021-06-01",
        "16": "2023-09-11", "17": "2022-06-01", "18": "2025-04-30", "19": "2023-06-01", "20": "2026-04-30",
    },
    "python": {
        "2": "2020-01-01", "2.7": "2020-01-01", "3.3": "2017-09-29", "3.4": "2019-03-18", "3.5": "2020-09-30",
        "3.6": "2021-12-23", "3.7": "2023-06-27", "3.8": "2024-10-07", "3.9": "2025-10-31",
    },
    "php": {
        "5": "2018-12-31", "7.0": "2019-01-10", "7.1": "2019-12-01", "7.2": "2020-11-30", "7.3": "2021-12-06",
        "7.4": "2022-11-28", "8.0": "2023-11-26", "8.1": "2025-12-31",
    },
    "golang": {f"1.{minor}": "2024-02-06" for minor in range(5, 21)},
    "ruby": {"2": "2023-03-31", "3.0": "2024-04-23", "3.1": "2025-03-26"},
}  # fmt: skip
"""End of support by official image and version, from the projects' own release pages (as of November 2026)."""


class EndOfLifeBase(Rule):
    """The base image is of a release that gets no more security updates.

    Its package archives move or vanish, so builds break as well. The table of dates is as old as this version of dfopt.
    """

    code = "B108"
    name = "end-of-life-base"
    aliases = ("tally/ruby/eol-ruby-version",)
    severity = Severity.INFO
    default = False
    examples = (
        Bad("FROM debian:stretch-slim\n", at="debian:stretch-slim"),
        Bad("FROM python:2.7\n", at="python:2.7"),
        Bad("FROM node:8.11.3-alpine\n", at="node:8.11.3-alpine"),
        Good("FROM debian:trixie-slim\n"),
        Good("FROM python:3.13\n"),
        Good(
            "FROM registry.example.com/debian:stretch\n", why="another registry's image of that name may be kept alive"
        ),
    )

    def check(self, build: Build) -> Iterator[Finding]:
        """Report official images whose version is in the table."""
        for stage, reference in images(build):
            dates = END_OF_LIFE.get(reference.familiar_name)
            if not dates or not reference.tag:
                continue
            version = reference.tag.partition("-")[0]
            while version:
                if version in dates:
                    yield self.finding(
                        stage.from_.image.span,
                        f"{reference.familiar_name} {version} has had no security updates since {dates[version]}: "
                        "move to a supported release",
                    )
                    break
                version = version.rpartition(".")[0]


class ReservedStageName(Rule):
    """A stage is called ``scratch`` or ``context``.

    The name then hides the empty image, or the build context, for everything below.
    """

    code = "B109"
    name = "reserved-stage-name"
    aliases = ("ReservedStageName", "DL3063")
    severity = Severity.ERROR
    examples = (
        Bad("FROM debian:12 AS scratch\n", at="scratch"),
        Good("FROM debian:12 AS build\n"),
        Good("FROM scratch AS rootfs\n"),
    )

    def check(self, build: Build) -> Iterator[Finding]:
        """Report the two names."""
        for stage in build.graph.stages:
            if stage.name in ("scratch", "context"):
                yield self.finding(
                    stage.from_.name_span or stage.from_.span,
                    f"{stage.name} has a meaning of its own: rename the stage",
                )


class DuplicateStageName(Rule):
    """Two stages have the same name.

    A FROM takes the earlier one, ``COPY --from`` the last one of the file: two answers to one name.
    """

    code = "B110"
    name = "duplicate-stage-name"
    aliases = ("DuplicateStageName", "DL3024", "CKV_DOCKER_11", "DS-0012")
    severity = Severity.ERROR
    examples = (
        Bad("FROM debian:12 AS build\nFROM debian:11 AS Build\n", at="Build"),
        Good("FROM debian:12 AS build\nFROM debian:11 AS test\n"),
    )

    def check(self, build: Build) -> Iterator[Finding]:
        """Report every repetition."""
        seen: dict[str, Stage] = {}
        for stage in build.graph.stages:
            if stage.name is None:
                continue
            first = seen.setdefault(stage.name, stage)
            if first is not stage:
                yield self.finding(
                    stage.from_.name_span or stage.from_.span,
                    f"another stage is called {stage.name} already: give this one a name of its own",
                    related=[(first.from_, "the first stage of that name")],
                )


class StageNameCasing(Rule):
    """The name of a stage has capital letters.

    Names are stored in lower case, so a FROM with the capitals refers to an image instead of the stage.

    Fix safety: safe; only the stored form is written out, and references that ignore case still fit.
    """

    code = "B111"
    name = "stage-name-casing"
    aliases = ("StageNameCasing",)
    severity = Severity.STYLE
    examples = (
        Bad("FROM debian:12 AS Build\nRUN make\n", at="Build", fixed="FROM debian:12 AS build\nRUN make\n"),
        Good("FROM debian:12 AS build\n"),
    )

    def check(self, build: Build) -> Iterator[Finding]:
        """Report names that differ from their lower-case form."""
        for stage in build.graph.stages:
            span = stage.from_.name_span
            if span is None or stage.name is None:
                continue
            written = build.tree.source.slice(span)
            if written != written.lower():
                yield self.finding(
                    span,
                    f"stage names are stored in lower case: write {stage.name}",
                    fix=self.safe(f"Write {stage.name}", Edit(span, stage.name)),
                )


ARCHITECTURES = {
    "amd64": "amd64", "i386": "386", "arm32v5": "arm", "arm32v6": "arm", "arm32v7": "arm", "arm64v8": "arm64",
    "mips64le": "mips64le", "ppc64le": "ppc64le", "riscv64": "riscv64", "s390x": "s390x",
}  # fmt: skip
"""The organisations under which official images are published for one architecture, and its name in platforms."""


class BasePlatformMismatch(Rule):
    """The image is one for another architecture than the platform that FROM asks for.

    The build fails, or gives an image whose programs do not run.
    """

    code = "B112"
    name = "base-platform-mismatch"
    aliases = ("InvalidBaseImagePlatform", "tally/platform-mismatch")
    severity = Severity.ERROR
    default = False
    examples = (
        Bad("FROM --platform=linux/amd64 arm64v8/debian:12\n", at="arm64v8/debian:12"),
        Good("FROM --platform=linux/arm64 arm64v8/debian:12\n"),
        Good("FROM arm64v8/debian:12\n", why="the machine that builds may be one of those"),
        Good("FROM --platform=$BUILDPLATFORM debian:12\n"),
    )

    def check(self, build: Build) -> Iterator[Finding]:
        """Report images of an architecture's own organisation under another platform."""
        for stage, reference in images(build):
            flag = stage.from_.platform
            own = ARCHITECTURES.get(reference.path.partition("/")[0])
            if own is None or not flag or "$" in flag or reference.domain != "docker.io":
                continue
            parts = flag.lower().split("/")
            asked = parts[1] if len(parts) > 1 else parts[0]
            asked = {"x86_64": "amd64", "x86-64": "amd64", "aarch64": "arm64", "armhf": "arm"}.get(asked, asked)
            if asked in ARCHITECTURES.values() and asked != own:
                yield self.finding(
                    stage.from_.image.span, f"{stage.image} is made for {own}, and {flag} is asked for: let both agree"
                )


SLIM_SAVES_BYTES = 50_000_000
WITH_SLIM = ("debian", "python", "node", "ruby", "openjdk", "rust", "perl", "haskell", "swift", "julia", "pypy")
"""Official images that are published in a slim variant under the same tag."""


class SlimVariantAvailable(Rule):
    """The base image has a slim variant that is much smaller.

    It lacks compilers and headers, which only a build needs, and documentation. Off unless selected: what the
    application needs of them cannot be told from the file.
    """

    code = "B114"
    name = "slim-variant-available"
    severity = Severity.INFO
    default = False
    strict = False
    examples = (
        Bad('FROM python:3.13\nCMD ["python3"]\n', at="python:3.13"),
        Good('FROM python:3.13-slim\nCMD ["python3"]\n'),
        Good("FROM python:3.13-alpine\n"),
        Good("FROM python:3.13 AS build\nRUN make\nFROM debian:12-slim\nCOPY --from=build /a /a\n", why="only builds"),
        Good("FROM alpine:3.22\n", why="there is none"),
    )

    def check(self, build: Build) -> Iterator[Finding]:
        """Report the base of the target where both variants are on record."""
        from dfopt.images import facts

        if build.graph.target is None:
            return
        root = build.graph.chain(build.graph.target)[0]
        known, image = root.facts, root.image
        if known is None or image is None or known.slim or "@" in image or ":" not in image or not known.size_bytes:
            return
        tag = image.rpartition(":")[2]
        if any(word in tag for word in ("slim", "alpine", "latest")):
            return
        reference = parse_reference(image)
        if reference is None or reference.path.removeprefix("library/") not in WITH_SLIM:
            return
        slim = facts(f"{image}-slim")
        if slim is None or not slim.size_bytes or known.low_bytes is None or slim.high_bytes is None:
            return
        saved = known.size_bytes - slim.size_bytes
        if known.low_bytes - slim.high_bytes >= SLIM_SAVES_BYTES:
            yield self.finding(
                root.from_.image.span,
                f"{image}-slim is {saved / 1e6:.0f} MB smaller: try whether it has what is needed",
                saved_bytes=saved,
            )


class RegistryNotAllowed(Rule):
    """The base image comes from a registry that the project does not allow.

    Does nothing until the option names the registries.
    """

    code = "B113"
    name = "registry-not-allowed"
    aliases = ("DL3026",)
    severity = Severity.ERROR
    options = (
        Option("allowed-registries", list, [], "registries that images may come from, as docker.io or *.example.com"),
        Option("trusted-registries", list, [], "the same under the name that hadolint has for it"),
    )
    examples = (
        Bad("FROM debian:12\n", at="debian:12", options={"allowed-registries": ["registry.example.com"]}),
        Good("FROM debian:12\n"),
        Good("FROM registry.example.com/debian:12\n", options={"allowed-registries": ["*.example.com"]}),
        Good("FROM debian:12 AS a\nFROM a\n", options={"allowed-registries": ["docker.io"]}),
    )

    def check(self, build: Build) -> Iterator[Finding]:
        """Report images of other registries."""
        given = (*build.options.get("allowed-registries", ()), *build.options.get("trusted-registries", ()))
        allowed = [str(entry).lower() for entry in given]
        if not allowed:
            return
        for stage, reference in images(build):
            if not any(_fits(reference.domain, entry) for entry in allowed):
                yield self.finding(
                    stage.from_.image.span,
                    f"images from {reference.domain} are not allowed here: use {', '.join(allowed)}",
                )


def _fits(domain: str, entry: str) -> bool:
    if entry in ("*", domain):
        return True
    return entry.startswith("*.") and domain.endswith(entry[1:])
