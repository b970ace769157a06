"""The problems that reading a Dockerfile can meet, as one table: codes, names, meanings, messages.

The rules of letter E are made from this table, so a code stands here once and is never reused.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

from dfopt.finding import Severity
from dfopt.source import Span
from dfopt.syntax.tree import Problem

if TYPE_CHECKING:
    from dfopt.edit import Edit


class ProblemKind(NamedTuple):
    """One kind of problem; ``stage`` tells where BuildKit meets it, as in ``Problem``."""

    name: str
    meaning: str
    message: str
    stage: str = "instructions"
    severity: Severity = Severity.ERROR


_LONGEST_VALUE = 200
"""Longer pieces of a file are cut in a message."""

_WARNING, _INFO = Severity.WARNING, Severity.INFO

PROBLEMS: dict[str, ProblemKind] = {
    "E001": ProblemKind(
        "duplicate-directive",
        "A parser directive stands twice at the top of the file.",
        "the directive {name} is given a second time; keep one of them",
        "parse",
    ),
    "E002": ProblemKind(
        "invalid-escape-directive",
        "The escape directive names something else than a backslash or a backtick.",
        "the escape character must be \\ or `, not {value}; nothing may follow it",
        "parse",
    ),
    "E003": ProblemKind(
        "line-too-long",
        "A physical line is longer than BuildKit reads.",
        "this line has {size} bytes and {limit} is the limit; break it with a continuation",
        "parse",
    ),
    "E004": ProblemKind(
        "no-instructions",
        "The file holds no instruction.",
        "there is no instruction in this file; begin with FROM",
        "parse",
    ),
    "E005": ProblemKind(
        "unterminated-heredoc",
        "The line that ends a here-document is missing.",
        "the here-document {name} is never ended; add a line that holds {name} alone",
        "parse",
    ),
    "E006": ProblemKind(
        "malformed-heredoc",
        "The word after << cannot be read as the name of a here-document.",
        "the name of this here-document cannot be read: {reason}; quote the << if none is meant",
        "parse",
    ),
    "E007": ProblemKind(
        "no-stages",
        "The file holds no FROM.",
        "there is no FROM in this file, so there is nothing to build",
        "build",
    ),
    "E010": ProblemKind(
        "json-not-strings",
        "A JSON array of arguments holds something else than strings.",
        "every element of this JSON array must be a string; put {element} in double quotes",
        "parse",
    ),
    "E011": ProblemKind(
        "missing-value",
        "ENV or LABEL has a name and no value.",
        "{keyword} {name} lacks a value; write {name}=value",
        "parse",
    ),
    "E012": ProblemKind(
        "missing-equals-sign",
        "A word among name=value pairs lacks its equals sign.",
        "{word} lacks an equals sign; write name=value, or quote the value if this word belongs to it",
        "parse",
    ),
    "E020": ProblemKind(
        "unknown-instruction",
        "The first word of a line is no instruction.",
        "{word} is no instruction{hint}",
    ),
    "E021": ProblemKind(
        "instruction-before-from",
        "Something else than ARG stands in front of the first FROM.",
        "{keyword} stands in front of the first FROM; only ARG may",
    ),
    "E022": ProblemKind(
        "malformed-from",
        "FROM has neither one argument nor the form image AS name.",
        "FROM takes an image, or an image, AS and a name{hint}",
    ),
    "E023": ProblemKind(
        "invalid-stage-name",
        "The name of a stage holds characters that it must not hold.",
        "{name} cannot name a stage; begin with a letter and go on with letters, digits, dots, - and _",
    ),
    "E024": ProblemKind(
        "missing-arguments",
        "An instruction stands without the arguments it needs.",
        "{keyword} needs {what}",
    ),
    "E025": ProblemKind(
        "missing-destination",
        "COPY or ADD has fewer than two arguments.",
        "{keyword} needs a source and a destination",
    ),
    "E026": ProblemKind(
        "blank-name",
        "A variable, label or build argument has an empty name.",
        "{keyword} has a value without a name in front of the equals sign",
    ),
    "E027": ProblemKind(
        "empty-volume",
        "VOLUME names an empty path.",
        "a path of VOLUME is empty; name a folder or leave it out",
    ),
    "E028": ProblemKind(
        "shell-not-json",
        "SHELL is not written as a JSON array.",
        "SHELL takes a JSON array with double quotes and at least one element",
    ),
    "E029": ProblemKind(
        "unknown-flag",
        "An instruction is given a flag that it does not know.",
        "{keyword} has no flag --{flag}{hint}",
    ),
    "E030": ProblemKind(
        "duplicate-flag",
        "A flag that may stand once stands twice.",
        "--{flag} is given a second time; keep one of them",
    ),
    "E031": ProblemKind(
        "missing-flag-value",
        "A flag lacks its value.",
        "--{flag} needs a value; write --{flag}=...",
    ),
    "E032": ProblemKind(
        "flag-not-boolean",
        "A flag that is on or off is given something else.",
        "--{flag} is either true or false, not {value}",
    ),
    "E033": ProblemKind(
        "invalid-flag-value",
        "A flag has a value that it cannot have.",
        "--{flag} cannot be {value}: {reason}",
    ),
    "E034": ProblemKind(
        "unknown-healthcheck-type",
        "HEALTHCHECK is followed by something else than CMD or NONE.",
        "HEALTHCHECK takes CMD and a command, or NONE, not {word}",
    ),
    "E035": ProblemKind(
        "healthcheck-none-arguments",
        "HEALTHCHECK NONE is followed by arguments.",
        "HEALTHCHECK NONE takes no arguments; remove what follows",
    ),
    "E036": ProblemKind(
        "forbidden-trigger",
        "ONBUILD is followed by an instruction that cannot be a trigger.",
        "{keyword} cannot be the trigger of ONBUILD",
    ),
    "E037": ProblemKind(
        "invalid-mount",
        "A mount of RUN is malformed.",
        "this mount cannot be read: {reason}",
    ),
    "E038": ProblemKind(
        "heredoc-destination",
        "The destination of COPY or ADD is a here-document.",
        "the destination of {keyword} cannot be a here-document; name a path behind it",
    ),
    "E039": ProblemKind(
        "variable-in-from",
        "A stage to copy or mount from is named by a variable.",
        "the stage or image of {flag} cannot be a variable; name it, or give a stage that name with FROM ... AS",
    ),
    "E050": ProblemKind(
        "broken-json",
        "Arguments look like a JSON array and are none, so they are taken as text.",
        "this looks like a JSON array and is none, so it is taken as plain text: {reason}",
        "none",
        _WARNING,
    ),
    "E051": ProblemKind(
        "not-utf8",
        "The file holds a byte that is not UTF-8.",
        "byte 0x{byte:02x} is not UTF-8; save the file as UTF-8",
        "none",
        _INFO,
    ),
}


def problem(
    code: str, span: Span, edits: Iterable[Edit] = (), *, stage: str | None = None, **values: object
) -> Problem:
    """Make a problem from the table; the values fill its message, long ones shortened."""
    kind = PROBLEMS[code]
    shown = {key: _shown(value) for key, value in values.items()}
    return Problem(code, kind.message.format_map(shown), span, stage or kind.stage, tuple(edits))


def _shown(value: object) -> object:
    """Give a piece of a file as a message can show it: not too long, and every character printable as UTF-8."""
    if not isinstance(value, str):
        return value
    if len(value) > _LONGEST_VALUE:
        value = value[: _LONGEST_VALUE - 3] + "..."
    return value if value.isascii() else value.encode("utf-8", "replace").decode("utf-8")
