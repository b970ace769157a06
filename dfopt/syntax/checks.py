"""What BuildKit refuses when it types an instruction: missing arguments, flags, and their values."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

from dfopt.source import Span
from dfopt.syntax import tree
from dfopt.syntax.durations import MIN_NANOSECONDS, parse_duration
from dfopt.syntax.heredocs import heredoc_word
from dfopt.syntax.keywords import KEYWORDS, FlagKind
from dfopt.syntax.mounts import MountError, mount_fields
from dfopt.syntax.problems import problem
from dfopt.syntax.spelling import closest
from dfopt.syntax.tree import Flag, Instruction, Problem, Unknown
from dfopt.syntax.words import WordError

_STAGE_NAME = re.compile(r"[a-z][a-z0-9-_.]*\Z")
_VARIABLE = re.compile(r"\$.", re.DOTALL)
_INTEGER = re.compile(r"[+-]?[0-9]+\Z")
NETWORK_MODES = ("default", "none", "host")
SECURITY_MODES = ("sandbox", "insecure")
_NEEDS = {
    "ARG": "a name",
    "ENV": "name=value",
    "LABEL": "name=value",
    "EXPOSE": "a port",
    "VOLUME": "a path",
    "USER": "a user",
    "WORKDIR": "a path",
    "STOPSIGNAL": "a signal",
    "MAINTAINER": "a name",
    "HEALTHCHECK": "CMD and a command, or NONE",
    "ONBUILD": "an instruction",
}


def check(node: Instruction, known: Sequence[Problem] = ()) -> Iterator[Problem]:
    """List the problems of one instruction that do not stop the low-level parser; it may have ``known`` ones."""
    info = KEYWORDS.get(node.keyword)
    if info is None:
        yield _unknown_keyword(node)
        return
    if node.flags and not info.ignores_flags and not (isinstance(node, tree.Healthcheck) and node.is_none):
        yield from _check_flags(node, info.flags)
    if isinstance(node, Unknown):
        if not known:
            yield from _missing(node)
        return
    checker = _CHECKS.get(node.keyword)
    if checker is not None:
        yield from checker(node)


def _unknown_keyword(node: Instruction) -> Problem:
    return problem("E020", node.keyword_span, word=node.keyword or "the lone escape character", hint="")


def _missing(node: Unknown) -> Iterator[Problem]:
    keyword = node.keyword
    if keyword in ("COPY", "ADD"):
        yield problem("E025", node.keyword_span, keyword=keyword)
    elif keyword == "HEALTHCHECK" and node.words:
        kind = node.words[0]
        if kind.text.upper() == "CMD":
            yield problem("E024", kind.span, keyword="HEALTHCHECK CMD", what="a command")
        else:
            yield problem("E034", kind.span, word=kind.text)
    elif keyword in _NEEDS:
        yield problem("E024", node.keyword_span, keyword=keyword, what=_NEEDS[keyword])


def _check_flags(node: Instruction, known: dict[str, FlagKind]) -> Iterator[Problem]:
    seen: set[str] = set()
    for flag in node.flags:
        kind = known.get(flag.name)
        if kind is None:
            guess = closest(flag.name, known)
            hint = f"; did you mean --{guess}?" if guess else ""
            yield problem("E029", flag.span, keyword=node.keyword, flag=flag.name, hint=hint)
            continue
        if flag.name in seen and kind is not FlagKind.LIST:
            yield problem("E030", flag.span, flag=flag.name)
        seen.add(flag.name)
        if kind is FlagKind.BOOL:
            if flag.value == "":
                yield problem("E031", flag.span, flag=flag.name)
            elif flag.value is not None and flag.value.lower() not in ("true", "false"):
                yield problem("E032", flag.span, flag=flag.name, value=flag.value)
        elif flag.value is None:
            yield problem("E031", flag.span, flag=flag.name)


def _check_from(node: Instruction) -> Iterator[Problem]:
    assert isinstance(node, tree.From)
    words = node.body.text.split()
    count = len(re.split(r"[\t\v\f\r ]+", node.body.text)) if node.body.text else 0
    if count not in (1, 3) or (count == 3 and words[1].lower() != "as"):
        yield problem("E022", _body_span(node), hint="")
    elif node.name is not None and node.name_span is not None and not _STAGE_NAME.match(node.name):
        yield problem("E023", node.name_span, name=node.name)


def _body_span(node: Instruction) -> Span:
    if not node.body.text:
        return node.keyword_span
    return node.body.span(0, len(node.body.text))


def _check_pairs(node: Instruction) -> Iterator[Problem]:
    if isinstance(node, (tree.Arg, tree.Env, tree.Label)):
        for pair in node.pairs:
            if not pair.key:
                yield problem("E026", pair.span, keyword=node.keyword)


def _check_files(node: Instruction) -> Iterator[Problem]:
    if isinstance(node, (tree.Copy, tree.Add)):
        try:
            heredoc = heredoc_word(node.destination.text) if "<<" in node.destination.text else None
        except WordError:
            heredoc = None
        if heredoc is not None:
            yield problem("E038", node.destination.span, keyword=node.keyword)


def _check_volume(node: Instruction) -> Iterator[Problem]:
    if isinstance(node, tree.Volume):
        for word in node.words:
            if not word.text.strip(" \t\n\v\f\r\x85\xa0"):
                yield problem("E027", word.span)


def _check_shell(node: Instruction) -> Iterator[Problem]:
    if isinstance(node, tree.Shell) and not node.exec_form:
        yield problem("E028", _body_span(node))


def _check_healthcheck(node: Instruction) -> Iterator[Problem]:
    if not isinstance(node, tree.Healthcheck):
        return
    if node.is_none:
        if node.command is not None:
            yield problem("E035", node.command.span(0, len(node.command.text)))
        return
    if node.exec_form == ():
        yield problem("E024", _body_span(node), keyword="HEALTHCHECK CMD", what="a command")
    for flag in node.flags:
        if flag.name in ("interval", "timeout", "start-period", "start-interval"):
            yield from _check_duration(flag)
        elif flag.name == "retries" and flag.value:
            if not _INTEGER.match(flag.value) or not -(2**31) <= int(flag.value[:20]) < 2**31:
                yield _bad_value(flag, "it must be a whole number")
            elif int(flag.value) < 0:
                yield _bad_value(flag, "it must not be negative")


def _check_duration(flag: Flag) -> Iterator[Problem]:
    if not flag.value:
        return
    try:
        nanoseconds = parse_duration(flag.value)
    except ValueError as error:
        yield _bad_value(flag, str(error))
        return
    if nanoseconds != 0 and nanoseconds < MIN_NANOSECONDS:
        yield _bad_value(flag, "it must be at least 1ms")


def _bad_value(flag: Flag, reason: str) -> Problem:
    return problem("E033", flag.value_span or flag.span, flag=flag.name, value=repr(flag.value), reason=reason)


def _check_run(node: Instruction) -> Iterator[Problem]:
    for flag in node.flags:
        if flag.value is None:
            continue
        if flag.name == "network" and flag.value not in NETWORK_MODES:
            yield _bad_value(flag, f"it is one of {', '.join(NETWORK_MODES)}")
        elif flag.name == "security" and flag.value not in SECURITY_MODES:
            yield _bad_value(flag, f"it is one of {', '.join(SECURITY_MODES)}")
        elif flag.name == "mount":
            yield from _check_mount(flag)


def _check_mount(flag: Flag) -> Iterator[Problem]:
    try:
        fields = mount_fields(flag.value or "")
    except MountError as error:
        yield problem("E037", flag.span, reason=str(error))
        return
    for field in fields:
        key, _, value = field.partition("=")
        if key.lower() == "from" and _VARIABLE.search(value):
            yield problem("E039", flag.span, flag="--mount=from")


def _check_onbuild(node: Instruction) -> Iterator[Problem]:
    if isinstance(node, tree.Onbuild) and node.trigger.keyword in ("ONBUILD", "FROM", "MAINTAINER"):
        yield problem("E036", node.trigger.keyword_span, keyword=node.trigger.keyword)


_CHECKS: dict[str, Callable[[Instruction], Iterator[Problem]]] = {
    "FROM": _check_from,
    "ARG": _check_pairs,
    "ENV": _check_pairs,
    "LABEL": _check_pairs,
    "COPY": _check_files,
    "ADD": _check_files,
    "VOLUME": _check_volume,
    "SHELL": _check_shell,
    "HEALTHCHECK": _check_healthcheck,
    "RUN": _check_run,
    "ONBUILD": _check_onbuild,
}
