"""The errors of the language as rules: made from the tables of problems, each with an example.

The problems themselves are found where the file is read and where its stages are put together; a rule of this topic
gives them a page, a name that configurations can use, and an example that is a test.
"""

from __future__ import annotations

from collections.abc import Iterator

from dfopt.finding import Finding, Severity
from dfopt.graph.problems import PROBLEMS as GRAPH_PROBLEMS
from dfopt.lint.rule import Bad, Build, Good, Rule
from dfopt.syntax.problems import PROBLEMS

GOOD = Good("FROM debian:12\nRUN true\n")

# Code, a Dockerfile that has the problem, the text that is reported, and what a repair makes of the file ("": none).
EXAMPLES: tuple[tuple[str, str, str, str], ...] = (
    ("E001", "# escape=\\\n# escape=`\nFROM debian:12\n", "# escape=`", ""),
    ("E002", "# escape=x\nFROM debian:12\n", "x", ""),
    ("E003", "FROM debian:12\nRUN echo " + "a" * 65536 + "\n", "RUN echo " + "a" * 65536, ""),
    ("E004", "", "", ""),
    ("E005", "FROM debian:12\nRUN <<EOF\ntrue\n", "<<EOF", ""),
    ("E007", "ARG A=1\n", "ARG", ""),
    ("E010", 'FROM debian:12\nCMD ["a", 7]\n', "7", 'FROM debian:12\nCMD ["a", "7"]\n'),
    ("E011", "FROM debian:12\nENV NAME\n", "NAME", ""),
    ("E012", "FROM debian:12\nENV A=1 B\n", "B", 'FROM debian:12\nENV A="1 B"\n'),
    ("E020", "FROM debian:12\nRUNN true\n", "RUNN", "FROM debian:12\nRUN true\n"),
    ("E021", "RUN true\nFROM debian:12\n", "RUN", ""),
    ("E022", "FROM debian:12 base\n", "debian:12 base", "FROM debian:12 AS base\n"),
    ("E023", "FROM debian:12 AS 1st\n", "1st", ""),
    ("E024", "FROM debian:12\nUSER\n", "USER", ""),
    ("E025", "FROM debian:12\nCOPY a\n", "COPY", ""),
    ("E026", "FROM debian:12\nENV =1\n", "=1", ""),
    ("E027", 'FROM debian:12\nVOLUME ["", "/a"]\n', '""', ""),
    ("E028", "FROM debian:12\nSHELL /bin/bash -c\n", "/bin/bash -c", 'FROM debian:12\nSHELL ["/bin/bash", "-c"]\n'),
    ("E029", "FROM debian:12\nCOPY --form=a:1 b /c\n", "--form=a:1", "FROM debian:12\nCOPY --from=a:1 b /c\n"),
    ("E030", "FROM debian:12\nCOPY --chown=a --chown=b c /d\n", "--chown=b", ""),
    ("E031", "FROM debian:12\nCOPY --chown a /b /c/\n", "--chown", "FROM debian:12\nCOPY --chown=a /b /c/\n"),
    ("E032", "FROM debian:12\nCOPY --link=1 a /b\n", "--link=1", "FROM debian:12\nCOPY --link=true a /b\n"),
    (
        "E033",
        "FROM debian:12\nHEALTHCHECK --timeout=5 CMD true\n",
        "5",
        "FROM debian:12\nHEALTHCHECK --timeout=5s CMD true\n",
    ),
    ("E034", "FROM debian:12\nHEALTHCHECK true\n", "true", "FROM debian:12\nHEALTHCHECK CMD true\n"),
    ("E035", "FROM debian:12\nHEALTHCHECK NONE true\n", "true", "FROM debian:12\nHEALTHCHECK NONE \n"),
    ("E036", "FROM debian:12\nONBUILD MAINTAINER a\n", "MAINTAINER", ""),
    ("E038", "FROM debian:12\nCOPY a <<EOF\nb\nEOF\n", "<<EOF", ""),
    ("E039", "FROM debian:12\nRUN --mount=from=$A,target=/a true\n", "--mount=from=$A,target=/a", ""),
    ("E051", "FROM debian:12\nRUN echo \udce9\n", "\udce9", ""),
    ("E201", 'FROM debian:12\nENV A="b\n', '"b', ""),
    ("E202", "ARG A=\nFROM $A\n", "$A", ""),
    ("E203", "FROM Debian:12\n", "Debian:12", ""),
    ("E204", "ARG T\nFROM debian:$T\n", "debian:$T", ""),
    ("E205", "FROM --platform=a/b/c/d debian:12\n", "a/b/c/d", ""),
    ("E207", "FROM debian:12\nCOPY --from=7 a /b\n", "--from=7", ""),
    ("E208", "FROM debian:12\nCOPY --from=$A a /b\n", "--from=$A", ""),
    ("E209", "FROM debian:12 AS a\nCOPY --from=a b /c\n", "COPY --from=a b /c", ""),
    ("E210", "FROM debian:12\nCOPY --from=b c /d\nFROM debian:12 AS b\n", "--from=b", ""),
    ("E211", "FROM debian:12 AS a\nONBUILD COPY x\nFROM a\n", "FROM a", ""),
    ("E212", "FROM debian:12\nEXPOSE http\n", "http", ""),
    ("E213", "FROM debian:12\nVOLUME $NOPE\n", "$NOPE", ""),
    ("E214", "FROM debian:12\nSTOPSIGNAL SIGNOTHING\n", "SIGNOTHING", ""),
    ("E215", "FROM debian:12\nCOPY --chmod=999 a /b\n", "--chmod=999", ""),
    ("E216", "FROM debian:12\nCOPY https://example.com/a /b\n", "https://example.com/a", ""),
    ("E217", "FROM debian:12\nADD https://example.com/a.git?no=1 /a\n", "https://example.com/a.git?no=1", ""),
    ("E218", "FROM debian:12\nADD --checksum=abc https://example.com/a /a\n", "--checksum=abc", ""),
    ("E219", "FROM debian:12\nRUN --mount=type=bind,target=/ true\n", "type=bind,target=/", ""),
    ("E220", "FROM debian:12\nRUN []\n", "RUN []", ""),
)

# What other tools call the same.
ALIASES: dict[str, tuple[str, ...]] = {
    "E021": ("DL3061",),
    "E036": ("DL3043",),
    "E209": ("DL3023", "DS-0006", "tally/circular-stage-deps"),
}


class LanguageRule(Rule):
    """What the rules of this topic share: their findings are made where the file is read."""

    def check(self, build: Build) -> Iterator[Finding]:
        """Give nothing: the run reports the problems of the tree and the graph itself."""
        return iter(())


def _examples(code: str) -> Iterator[Good | Bad]:
    for one, text, at, repaired in EXAMPLES:
        if one == code:
            yield Bad(text, at=at, fixed=repaired or None, unsafe=bool(repaired))
    yield GOOD


def _rules() -> Iterator[type[Rule]]:
    for code, kind in {**PROBLEMS, **GRAPH_PROBLEMS}.items():
        examples = tuple(_examples(code))
        repaired = any(isinstance(example, Bad) and example.fixed for example in examples)
        safety = "\n\n    Fix safety: unsafe; a file that does not build has no result to keep." if repaired else ""
        members: dict[str, object] = {
            "__doc__": kind.meaning + safety,
            "__module__": __name__,
            "code": code,
            "name": kind.name,
            "aliases": ALIASES.get(code, ()),
            "severity": kind.severity,
            "examples": examples,
        }
        yield type("".join(part.capitalize() for part in kind.name.split("-")), (LanguageRule,), members)


class MalformedCheckOptions(Rule):
    """The ``check`` directive cannot be read.

    BuildKit takes it for an error and does not build. There are ``skip=`` and ``experimental=`` with names of checks
    behind them, and ``error=true``, separated by semicolons.
    """

    code = "E052"
    name = "malformed-check-options"
    severity = Severity.ERROR
    examples = (
        Bad("# check=skip\nFROM scratch\n", at="# check=skip"),
        Bad("# check=skip=StageNameCasing;errors=true\nFROM scratch\n",
            at="# check=skip=StageNameCasing;errors=true"),
        Good("# check=skip=StageNameCasing;error=true\nFROM scratch\n"),
        Good("FROM scratch\n# check=skip\nLABEL a=b\n", why="comments above instructions are optional"),
    )  # fmt: skip

    def check(self, build: Build) -> Iterator[Finding]:
        """Read the options as BuildKit does."""
        directive = next((one for one in build.tree.directives if one.name == "check"), None)
        if directive is None:
            return
        from dfopt.lint.buildkit_options import file_config

        try:
            file_config(build.tree, {})
        except ValueError as error:
            yield self.finding(directive.span, str(error))


globals().update({rule.__name__: rule for rule in _rules()})
