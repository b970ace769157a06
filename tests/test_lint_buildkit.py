"""BuildKit's checks: what triggers each, what switches them off, and where an error ends them."""

import pytest

from dfopt.config import DEFAULT, Config
from dfopt.context.disk import context_of
from dfopt.finding import Severity
from dfopt.graph import BuildOptions, build
from dfopt.lint.buildkit import CHECKS, Verdict, matches, verdict
from dfopt.lint.buildkit_options import parse_config
from dfopt.lint.fix import fix_source
from dfopt.lint.run import check_source
from dfopt.source import Source
from dfopt.syntax import parse
from dfopt.syntax.ignorefile import IgnoreFile


def _verdict(text: str, ignore: str | None = None, **options: object) -> Verdict:
    graph = build(parse(text), BuildOptions(**options), images=lambda name: None)  # type: ignore[arg-type] - names of the options
    return verdict(
        graph,
        ignore=IgnoreFile.parse(ignore) if ignore else None,
        image_platform={"img": "linux/arm64", "other": None}.get,
    )


def _found(text: str, ignore: str | None = None, **options: object) -> list[tuple[str, tuple[int, ...]]]:
    return [(match.check, match.lines) for match in _verdict(text, ignore, **options).matches]


@pytest.mark.parametrize(
    ("text", "check", "lines"),
    [
        ("FROM a AS Build\n", "StageNameCasing", [1]),
        ("FROM a as x\nfrom a AS y\n", "FromAsCasing", [1, 2]),
        ("FROM a\nRUN x \\\n\n y\n", "NoEmptyContinuation", [4]),
        ("FROM a\nRUN x\nrun y\nRun z\n", "ConsistentInstructionCasing", [3, 4]),
        ("FROM a AS x\nFROM b AS X\n", "DuplicateStageName", [2]),
        ("FROM a AS context\n", "ReservedStageName", [1]),
        ("FROM a\nCMD x\nENTRYPOINT [\"y\"]\n", "JSONArgsRecommended", [2]),
        ("FROM a\nMAINTAINER me\n", "MaintainerDeprecated", [2]),
        ("ARG A\nFROM a:${B:-1}\n", "UndefinedArgInFrom", [2]),
        ("FROM a AS b\nWORKDIR x\nWORKDIR y\nFROM b\nWORKDIR z\n", "WorkdirRelativePath", [2]),
        ("FROM a\nARG D\nENV A=$D B=$NOPE\n", "UndefinedVar", [3]),
        ("FROM a\nCMD [\"a\"]\nCMD [\"b\"]\nHEALTHCHECK NONE\n", "MultipleInstructionsDisallowed", [2]),
        ("FROM a\nENV a b\nLABEL c d\nARG e f\n", "LegacyKeyValueFormat", [2, 3]),
        ("FROM img\nFROM other\n", "InvalidBaseImagePlatform", [1]),
        ("FROM --platform=$TARGETPLATFORM a\n", "RedundantTargetPlatform", [1]),
        ("ARG TOKEN\nFROM a\nENV API_KEY=1 PUBLIC_KEY=2 MYKEY=3\nARG PASSWD\n", "SecretsUsedInArgOrEnv", [3, 4]),
        ("ARG V\nFROM a:$V\n", "InvalidDefaultArgInFrom", [2]),
        ("FROM --platform=linux/amd64 a\nFROM --platform=arm64 a AS arm64\n", "FromPlatformFlagConstDisallowed", [1]),
        ("# check=experimental=all\n# no\nARG A=1\n# A yes\nARG A=1\nFROM a\n", "InvalidDefinitionDescription", [3]),
        ("FROM a\nEXPOSE 80/TCP 81/udp\n", "ExposeProtoCasing", [2]),
        ("FROM a\nEXPOSE 8080:80\n", "ExposeInvalidFormat", [2]),
    ],
)  # fmt: skip
def test_what_triggers_a_check(text: str, check: str, lines: list[int]):
    found = [place for name, place in _found(text) if name == check]
    assert [place[0] for place in found] == lines


def test_an_ignored_source_is_reported_unless_the_ignore_file_brings_files_back():
    text = "FROM a\nCOPY a/b other /x\nADD https://example.com/a /y\nCOPY --from=b a /z\n"
    assert _found(text, "a\n") == [("CopyIgnoredFile", (2,))]
    assert _found(text, "a\n!a/c\n") == []
    assert _found("FROM a\nCOPY . /x\n", ".*\n") == []
    assert _found("FROM a\nCOPY . /x\n", "**\n") == [("CopyIgnoredFile", (2,))]


def test_every_check_has_a_trigger_here():
    tried = {parameters[1] for parameters in test_what_triggers_a_check.pytestmark[0].args[1]}
    assert tried | {"CopyIgnoredFile"} == set(CHECKS)


@pytest.mark.parametrize(
    "text",
    [
        "FROM a\nSHELL [\"/bin/bash\", \"-c\"]\nCMD x\n",
        "ARG TOKEN\nFROM a\n",
        "FROM a\nEXPOSE $PORT\nRUN echo $HOME\nCMD [\"$X\"]\n",
        "FROM a\nENV A='$B' C=\\$D\n",
        "FROM a\nWORKDIR /x\nWORKDIR y\n",
        "# wrong\nARG A=1\nFROM a\n",
        "FROM --platform=$BUILDPLATFORM a\n",
        "from a as b\nrun x\n",
    ],
)  # fmt: skip
def test_what_triggers_no_check(text: str):
    assert _found(text) == []


def test_comments_and_the_directive_switch_checks_off():
    text = "FROM a\n# check=skip=MaintainerDeprecated why\nMAINTAINER x\nMAINTAINER y\n"
    assert _found(text) == [("MaintainerDeprecated", (4,))]
    assert _found("# check=skip=MaintainerDeprecated,JSONArgsRecommended\nFROM a\nMAINTAINER x\nCMD x\n") == []
    assert _found("# check=skip=all\nFROM a\nMAINTAINER x\n") == []
    assert _found("FROM a\nMAINTAINER x\n", build_args={"BUILDKIT_DOCKERFILE_CHECK": "skip=all"}) == []


def test_a_comment_does_not_switch_off_what_concerns_the_whole_file():
    assert _found("FROM a AS x\n# check=skip=all\nFROM a AS x\n") == [("DuplicateStageName", (3,))]


def test_a_match_becomes_an_error_where_the_directive_says_so():
    assert _verdict("# check=error=true\nFROM a\nMAINTAINER x\n").is_error
    assert not _verdict("# check=error=true\nFROM a\n").is_error
    assert _verdict("# check=nonsense\nFROM a\nMAINTAINER x\n").bad_config


def test_an_error_ends_the_matches_behind_it():
    text = "FROM a\nVOLUME $X\nCMD x\nFROM b\nCMD y\n"
    answer = _verdict(text)
    assert [(match.check, match.lines) for match in answer.matches] == [("UndefinedVar", (2,))]
    assert answer.problem is not None
    assert answer.problem.code == "E213"


def test_matches_tell_the_narrowest_place_and_go_on_behind_errors():
    text = "FROM a\nVOLUME $X\nENV A=1 B=$NOPE\n"
    found = list(matches(build(parse(text), images=lambda name: None), only=["UndefinedVar"]))
    assert [text[match.span.start : match.span.end] for match in found] == ["$X", "$NOPE"]
    assert [match.subject for match in found] == ["X", "NOPE"]


@pytest.mark.parametrize(
    ("text", "skip", "error"),
    [("skip=A, B ; error=true", {"A", "B"}, True), ("", set(), False), ("error=0;skip=C", {"C"}, False)],
)
def test_options_are_read(text: str, skip: set[str], error: bool):
    config = parse_config(text)
    assert (set(config.skip) - {""}, config.error) == (skip, error)


@pytest.mark.parametrize("text", ["skip", "Skip=A", "error=maybe", "skip=A;;"])
def test_malformed_options_are_refused(text: str):
    with pytest.raises(ValueError, match=r"option|true or false"):
        parse_config(text)


BUILDKIT = DEFAULT._replace(profile="buildkit")


def _profile(text: str, config: Config = BUILDKIT, context: dict[str, str] | None = None) -> list[tuple[str, int, int]]:
    """Give codes and lines that the profile reports."""
    source = Source(text)
    checked = check_source(source, config, context=context_of(context) if context else None)
    assert not checked.crashes
    return [(one.code, source.line_of(one.span.start), source.line_of(one.span.end)) for one in checked.findings]


SCATTERED = """\
FROM debian:12 AS Build
MAINTAINER me
ENV A=1 \\
    # between
    B=$NOPE
RUN first; sudo second \\

    third
CMD run
"""


def test_the_profile_reports_buildkits_checks_alone_with_their_lines():
    assert _profile(SCATTERED) == [
        ("StageNameCasing", 1, 1),
        ("MaintainerDeprecated", 2, 2),
        ("UndefinedVar", 3, 5),
        ("NoEmptyContinuation", 8, 8),
        ("JSONArgsRecommended", 9, 9),
    ]


def test_the_profile_stops_at_an_error_as_the_builder_does():
    assert _profile("FROM debian AS Build\nMAINTAINER me\nCOPY a\nRUN <<END\nb\n") == [("E005", 4, 4)]
    assert _profile("FROM debian AS Build\nCOPY a\nMAINTAINER me\nCOPY b\n") == [
        ("StageNameCasing", 1, 1),
        ("E025", 2, 2),
    ]
    assert _profile("") == [("E004", 1, 1)]


@pytest.mark.parametrize(
    ("line", "left"),
    [
        ("# check=skip=MaintainerDeprecated", []),
        ("# check=skip=all", []),
        ("# check=skip=JSONArgsRecommended", ["MaintainerDeprecated"]),
        ("# dfopt: ignore-file[MaintainerDeprecated] why", []),
        ("# dfopt: ignore-file[maintainer] why", []),
        ("# hadolint global ignore=DL4000", ["MaintainerDeprecated"]),
        ("# check=nonsense", ["E052"]),
    ],
)
def test_comments_in_the_profile(line: str, left: list[str]):
    assert [code for code, *_ in _profile(f"{line}\nFROM scratch\nMAINTAINER me\n")] == left


def test_findings_of_the_profile_are_errors_where_the_directive_says_so():
    text = "FROM scratch\nMAINTAINER me\n"
    severities = [
        {one.severity for one in check_source(Source(head + text), BUILDKIT).findings}
        for head in ("", "# check=error=true\n", "# check=error=false\n")
    ]
    assert severities == [{Severity.WARNING}, {Severity.ERROR}, {Severity.WARNING}]
    assert _profile("# check=error=true;skip=MaintainerDeprecated\n" + text) == []


def test_without_inline_ignores_the_directive_counts_for_nothing():
    text = "# check=skip=all\nFROM scratch\n# check=skip=MaintainerDeprecated\nMAINTAINER me\n"
    assert _profile(text) == []
    assert _profile(text, BUILDKIT._replace(inline_ignores=False)) == [("MaintainerDeprecated", 4, 4)]


def test_the_profile_can_be_narrowed_and_extended():
    text = "FROM debian\nMAINTAINER me\nCMD run\n"
    assert _profile(text, BUILDKIT._replace(ignore=("maintainer",))) == [("JSONArgsRecommended", 3, 3)]
    assert _profile(text, BUILDKIT._replace(ignore=("JSONArgsRecommended", "MaintainerDeprecated"))) == []
    added = BUILDKIT._replace(extend_select=("untagged-base", "maintainer"))
    assert [code for code, *_ in _profile(text, added)] == ["B101", "D105", "JSONArgsRecommended"]
    levels = BUILDKIT._replace(severity={"maintainer": Severity.STYLE, "JSONArgsRecommended": Severity.INFO})
    assert [one.severity for one in check_source(Source(text), levels).findings] == [Severity.STYLE, Severity.INFO]


def test_the_profile_knows_the_context_and_the_variables_of_known_images():
    assert _profile("FROM scratch\nCOPY a /a\n", context={"a": "", ".dockerignore": "a\n"}) == [
        ("CopyIgnoredFile", 2, 2)
    ]
    assert _profile("FROM golang:1.22\nENV A=$GOPATH/bin B=$NOPE\n") == [("UndefinedVar", 2, 2)]
    assert _profile("FROM golang:1.22\nENV A=$GOPATH/bin\n") == []


def test_the_profile_offers_the_fixes_of_our_rules():
    source = Source("FROM debian:12 as build\nENV a b\n")
    fixed = fix_source(source, lambda text: check_source(text, BUILDKIT).findings)
    assert fixed.source.text == "FROM debian:12 AS build\nENV a=b\n"
    assert {one.code for one in fixed.applied} == {"FromAsCasing", "LegacyKeyValueFormat"}
