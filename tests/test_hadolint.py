"""The profile ``hadolint``: its codes, places, narrow view of commands, comments and its one finding of ShellCheck."""

from __future__ import annotations

from typing import Any

import pytest

from dfopt.config import DEFAULT, Config
from dfopt.finding import Severity
from dfopt.lint.hadolint import CHECKS
from dfopt.lint.hadolint.model import Image
from dfopt.lint.run import ShellCheck, check_source, check_sources
from dfopt.source import Source


def config(**options: Any) -> Config:
    return DEFAULT._replace(profile="hadolint", shellcheck=False)._replace(**options)


def found(text: str, **options: Any) -> list[tuple[int, str]]:
    checked = check_source(Source(text), config(**options))
    assert not checked.crashes
    return sorted((checked.source.line_of(one.span.start), one.code) for one in checked.findings)


def codes_of_run(command: str) -> set[str]:
    """Give the codes on a RUN in a stage of its own."""
    return {code for line, code in found(f"FROM debian:12\nRUN {command}\n") if line == 2}


def test_findings_have_the_first_line_of_the_instruction_and_its_first_column() -> None:
    text = "FROM debian:12\n\n  RUN true && \\\n    true && \\\n    apt-get install -y foo=1\n"
    checked = check_source(Source(text), config())
    assert [(one.code, str(one.severity), checked.source.position(one.span.start)) for one in checked.findings] == [
        ("DL3015", "info", (3, 1))
    ]


def test_every_check_has_a_level_and_a_message_without_a_trailing_dot() -> None:
    assert len(CHECKS) == 70
    assert [check.code for check in CHECKS if check.level is None] == ["DL3057"]
    assert all(check.message and not check.message.endswith(".") for check in CHECKS)


@pytest.mark.parametrize(
    ("command", "seen"),
    [
        ("sudo apt-get install -y a", {"DL3004"}),
        ("/usr/bin/apt-get install -y a", set()),
        ("env A=b apt-get install -y a", set()),
        ("exec apt-get install -y a", {"DL3008", "DL3015"}),
        ("A=b apt-get install -y a", {"DL3008", "DL3015"}),
        ("$APT install a", set()),
        ("sh -c 'cd /x'", set()),
        ("f() { cd /x; }; f", {"DL3003"}),
        ('["apt-get", "install", "a=1"]', {"DL3014", "DL3015"}),
        ("cd /x && (", set()),
        ("cd /x; echo a)", {"DL3003"}),
        ("cd /x; if [ a]; then b; fi", set()),
        ("cd /x && [ a && b ]", {"DL3003"}),
    ],
)
def test_the_view_of_commands_is_as_narrow_as_hadolints(command: str, seen: set[str]) -> None:
    assert codes_of_run(command) == seen


@pytest.mark.parametrize(
    ("code", "fires", "silent"),
    [
        ("DL3008", "apt-get install -y $P", "apt-get install -y a=1 b/c ./d.deb -t x"),
        ("DL3009", "apt-get update && apt-get clean", "apt-get update && rm -rf /tmp/x"),
        ("DL3013", "pip install --timeout 100 a==1", "pip install -qc c.txt a"),
        ("DL3013", "pip install git+https://h/r", "pip install git+https://h/r@v1"),
        ("DL3014", "apt-get -qqq install a=1", "apt-get -q -q install a=1"),
        ("DL3015", "apt-get -oAPT::Install-Recommends=false install -y a=1", "apt-get install --no-install-recommends"),
        ("DL3016", "npm install --prefix app a@1", "npm --prefix app install a"),
        ("DL3018", "apk add a@edge", "apk add -Ut .d 'a>1'"),
        ("DL3019", "apk add --update a=1", "--mount=type=cache,target=/var/cache/apk apk add a=1"),
        ("DL3028", "gem install a --no-document", "gem install --no-document a"),
        ("DL3032", "yum clean all && yum install -y a-1", "yum install -y a-1 && yum clean metadata"),
        ("DL3033", "yum install -y a.rpm", "yum install -y java-1.8.0-openjdk"),
        ("DL3040", "dnf -y install a-1 && microdnf clean all", "dnf -y install a-1 && rm -rf /x"),
        ("DL3041", "dnf -y install a", "dnf -y group install x"),
        ("DL3042", "PIP_NO_CACHE_DIR='1' pip install a==1", "PIP_NO_CACHE_DIR=1 pip install a==1"),
        ("DL3046", "useradd -mu 100000 a", "useradd --uid 100000 a"),
        ("DL3047", "wget -O - http://x", "wget -nco x http://x"),
        ("DL3060", "yarn cache clean && yarn install", "yarn install && yarn cache dir"),
        ("DL3062", "go install -ldflags x a.b/c@v1", "go run a.b/c@v1 && go install a.b/d"),
        ("DL4001", "wget -q x || curl x", "apt-get install -y wget=1 curl=1"),
        ("DL4005", "ln -s /bin/sh /x", "ln -sf bash /usr/bin/sh"),
        ("DL4006", "a |& b", "a || b"),
    ],
)
def test_a_check_of_commands_fires_and_keeps_silent_where_hadolint_does(code: str, fires: str, silent: str) -> None:
    assert code in codes_of_run(fires)
    assert code not in codes_of_run(silent)


@pytest.mark.parametrize(
    ("text", "code", "lines"),
    [
        ("FROM a:1\nWORKDIR /a\nWORKDIR bc\n", "DL3000", [3]),
        ("FROM a:1\nUSER root\nFROM b:1\nUSER 0:0\nUSER x\n", "DL3002", [2]),
        ("FROM reg/$I\nFROM $I\nFROM b AS A\nFROM a\n", "DL3006", [1, 3, 4]),
        ("FROM localhost:5000/x\nFROM reg.io:5000/x\n", "DL3006", [2]),
        ("FROM a:latest@sha256:aa\nFROM a:latest\n", "DL3007", [2]),
        ("FROM a:1\nCOPY a.tgz b.tgz /x/\nRUN tar -xf a.tgz && tar -xf b.tgz\n", "DL3010", [2]),
        ("FROM a:1\nCOPY a.tgz /x/\nRUN tar -xf a.tgz\nFROM b:1\n", "DL3010", []),
        ("FROM a:1\nEXPOSE 80-70000\nEXPOSE $P 0\n", "DL3011", [2]),
        ("FROM a:1\nADD a.tgz https://x /\nADD a.zip /\nADD $S /\n", "DL3020", [3, 4]),
        ("FROM a:1\nCOPY a b .\nCOPY a b /c/\n", "DL3021", [2]),
        ("FROM a:1 AS x\nFROM b:1\nCOPY --from=1 a b\nCOPY --from=2 a b\nCOPY --from=X a b\n", "DL3022", [4, 5]),
        ("FROM a:1 AS x\nCOPY --from=x a b\n", "DL3023", [2]),
        ("FROM a:1 AS x\nFROM b:1 AS x\n", "DL3024", [2]),
        ("FROM a:1\nCMD a\nENTRYPOINT []\nHEALTHCHECK CMD a\nONBUILD CMD a\n", "DL3025", [2, 4]),
        ("FROM --platform=x a:1\nFROM --platform=$BUILDPLATFORM a:1\n", "DL3029", [1]),
        ("FROM a:1\nENV PIP_NO_CACHE_DIR=1\nFROM a:2\nRUN pip install b==1\n", "DL3042", []),
        ("FROM a:1 AS b\nENV PIP_NO_CACHE_DIR=1\nFROM a:1\nRUN pip install b==1\n", "DL3042", [4]),
        ("FROM a:1\nONBUILD ONBUILD RUN x\nONBUILD MAINTAINER x\n", "DL3043", [2, 3]),
        ("FROM a:1\nENV A=1 B=$A\nENV A=2 B=$A\n", "DL3044", [2]),
        ("FROM a:1\nCOPY a b\nWORKDIR /x\nFROM a:2\nCOPY a b\n", "DL3045", [2]),
        ("FROM a:1\nLABEL A=1 B=2\nLABEL a.b-c=1\nLABEL a..b=1\n", "DL3048", [2, 4]),
        ("FROM a:1\nRUN a\n# c\nRUN b\nRUN c | d\nRUN e\nENV x=1\nRUN f\n", "DL3059", [4]),
        ("FROM a:1\nRUN a\nRUN time b\nRUN $X && $Y\n", "DL3059", []),
        ("ARG A\nENV x=1\nFROM a:1\n", "DL3061", [2]),
        ("FROM a:1\nENV TOKENIZERS=1\nARG A B_TOKEN\nENV A=1\\\n  TOKEN=2\n", "DL3064", [2]),
        ("ARG U\nFROM a:1\nUSER $USERNAME\nUSER app:1\nUSER 1:app\n", "DL3066", [4]),
        ("FROM a:1 AS x\nFROM b:1\nCOPY --from=x \"/\" /\nCOPY / /\n", "DL3067", [3]),
        ("FROM a:1\nRUN curl x\nONBUILD RUN wget -q x\nFROM b:1\nONBUILD RUN curl x\n", "DL4001", [5]),
        ("FROM a:1\nCMD [\"a\"]\nCMD [\"b\"]\nFROM b:1\nCMD [\"a\"]\n", "DL4003", [3]),
        ('FROM a:1 AS b\nSHELL ["bash", "-o", "pipefail", "-c"]\nRUN a|b\nFROM b\nRUN a|b\n', "DL4006", [5]),
        ("FROM a:1\nSHELL [\"/usr/bin/bash\", \"-o\", \"pipefail\", \"-c\"]\nRUN a|b\n", "DL4006", [3]),
    ],
)  # fmt: skip
def test_a_check_of_instructions_fires_on_hadolints_lines(text: str, code: str, lines: list[int]) -> None:
    assert [line for line, one in found(text) if one == code] == lines


def test_a_registry_needs_a_dot_and_variables_are_opaque() -> None:
    assert Image.parse("my.reg/x:1@sha256:aa") == ("my.reg", "x", "1", "sha256:aa")
    assert Image.parse("localhost:5000/x") == ("", "localhost", "5000/x", None)
    assert Image.parse("${A:-b.c}/x") == ("", "${A:-b.c}/x", None, None)


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("FROM a:1\n# hadolint ignore=DL3011\nEXPOSE 80000\nEXPOSE 80000\n", [4]),
        ("FROM a:1\n# hadolint ignore=DL3011\n\nEXPOSE 80000\n", [4]),
        ("FROM a:1\n# hadolint ignore=DL3011\n# other\nEXPOSE 80000\n", [4]),
        ("FROM a:1\n# hadolint ignore=DL3011 because\nEXPOSE 80000\n", [3]),
        ("FROM a:1\n# hadolint ignore = DL3000 , DL3011 # because\nEXPOSE 80000\n", []),
        ("FROM a:1\nEXPOSE 80000\n# hadolint global ignore=DL3011\n", []),
        ("FROM a:1\n# hadolint stage ignore=DL3011\nEXPOSE 80000\nEXPOSE 80000\nFROM b:1\nEXPOSE 80000\n", [3, 6]),
        ("# hadolint stage ignore=DL3011\nFROM a:1\nEXPOSE 80000\nFROM b:1\nEXPOSE 80000\n", [5]),
    ],
)
def test_hadolints_comments_reach_as_far_as_there(text: str, left: list[int]) -> None:
    assert [line for line, code in found(text) if code == "DL3011"] == left


def test_our_own_comments_work_besides_and_none_when_they_are_off() -> None:
    text = "FROM a:1\n# dfopt: ignore[DL3011] a test\nEXPOSE 80000\n# hadolint ignore=DL3011\nEXPOSE 80000\n"
    assert found(text) == []
    assert found(text, inline_ignores=False) == [(3, "DL3011"), (5, "DL3011")]


def test_a_file_that_cannot_be_read_has_one_finding_that_nothing_silences() -> None:
    assert found("# hadolint global ignore=DL1000\nFROM a\nFOO bar\n", ignore=("DL1000",)) == [(3, "DL1000")]


def test_levels_and_codes_follow_the_configuration() -> None:
    text = "FROM a\n# hadolint ignore=DL3000\nRUN cd x\n"
    assert found(text) == [(1, "DL3006"), (3, "DL3003")]
    assert found(text, ignore=("DL3006",)) == [(3, "DL3003")]
    levels = {"DL3006": Severity.STYLE, "DL3057": Severity.ERROR, "DL1001": Severity.INFO}
    checked = check_source(Source(text), config(severity=levels))
    assert [(one.code, one.severity) for one in checked.findings] == [
        ("DL3006", Severity.STYLE),
        ("DL3057", Severity.ERROR),
        ("DL1001", Severity.INFO),
        ("DL3003", Severity.WARNING),
    ]


def test_a_code_stands_for_itself_alone_and_a_rule_of_ours_for_all_its_codes() -> None:
    text = "FROM a:1\nRUN apt-get install -y --no-install-recommends b\nRUN apk add --no-cache b\n"
    both = [(2, "DL3008"), (3, "DL3018")]
    assert [one for one in found(text) if one in both] == both
    assert [one for one in found(text, ignore=("DL3008",)) if one in both] == [(3, "DL3018")]
    assert [one for one in found("# hadolint global ignore=DL3018\n" + text) if one[1] == "DL3008"] == [(3, "DL3008")]
    levels = check_source(Source(text), config(severity={"DL3018": Severity.ERROR})).findings
    assert [str(one.severity) for one in levels if one.code in ("DL3008", "DL3018")] == ["warning", "error"]


def test_fixes_are_those_of_our_rules_for_the_same_instruction() -> None:
    checked = check_source(Source("FROM a:1\nRUN pip install b==1\nRUN apt-get install c=1\n"), config())
    titles = {one.code: one.fix.edits[0].text.strip() for one in checked.findings if one.fix}
    assert titles["DL3042"] == "--no-cache-dir"
    assert titles["DL3014"] == "-y"


def test_registries_and_labels_are_checked_when_they_are_set() -> None:
    rules = {"DL3026": {"trusted-registries": ["*.ok.io", "ok.n*"]}}
    assert found("FROM a.ok.io/x:1\nFROM ok.net/x:1\nFROM ok.io/x:1\nFROM b:1\n", rules=rules) == [
        (3, "DL3026"),
        (4, "DL3026"),
    ]
    schema = {"t": "text", "v": "semver", "s": "spdx", "h": "hash", "r": "rfc3339", "u": "url", "e": "email"}
    text = "FROM b:1\nLABEL t='' v=v1 s=mit\nLABEL h=2DBFAE9 r=2021-03-10\nLABEL u=/x\n"
    assert found(text, rules={"DL3049": {"label-schema": schema}}) == [
        (1, "DL3049"), (2, "DL3051"), (2, "DL3054"), (2, "DL3056"), (3, "DL3053"), (3, "DL3055"), (4, "DL3052"),
    ]  # fmt: skip


def test_only_the_last_comment_of_shellcheck_on_a_run_is_kept() -> None:
    shellcheck = ShellCheck.found(cached=False)
    assert shellcheck is not None
    texts = [
        "FROM a:1\nRUN cd x; echo $a\n",
        'FROM a:1\nSHELL ["/bin/bash", "-c"]\nRUN [[ -f x ]] && echo\nENV x=1\nRUN [[ -f x ]] && echo\n',
        'ARG foo\nFROM a:1\nENV bar=1\nRUN echo "$bar"\nRUN echo "$foo"\n',
        "FROM a:1\n# hadolint shell=bash\nRUN echo\nONBUILD RUN echo $a\n",
        'FROM a:1\nSHELL ["/opt/cmdx/sh", "-c"]\nRUN echo $a\n',
        "FROM a:1\n# hadolint ignore=SC2086\nRUN echo $a\n",
        "FROM a:1\nRUN true && \\\n    echo $a\n",
    ]
    checked = check_sources([_task(text) for text in texts], shellcheck=shellcheck)
    said = [
        [(one.source.line_of(f.span.start), f.code) for f in one.findings if f.code.startswith("SC")] for one in checked
    ]
    assert said == [[(2, "SC2086")], [(5, "SC3010")], [(5, "SC2154")], [(3, "SC2239"), (4, "SC2086")], [], [],
                    [(2, "SC2086")]]  # fmt: skip


def _task(text: str) -> Any:
    from dfopt.lint.run import Task

    return Task(Source(text), config(shellcheck=True))
