"""What BuildKit refuses when it types an instruction: missing arguments, flags, and their values."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

from dfopt.edit import Edit
from dfopt.source import Span
from dfopt.syntax import tree, whitespace
from dfopt.syntax.durations import MIN_NANOSECONDS, parse_duration
from dfopt.syntax.keywords import KEYWORDS, FlagKind
from dfopt.syntax.problems import problem
from dfopt.syntax.repairs import malformed_from, shell_array, value_behind_blank
from dfopt.syntax.spelling import closest
from dfopt.syntax.tree import Flag, Instruction, Problem, Unknown

NETWORK_MODES = ("default", "none", "host")
SECURITY_MODES = ("sandbox", "insecure")
_STAGE_NAME = re.compile(r"[a-z][a-z0-9-_.]*\Z")
_INTEGER = re.compile(r"[+-]?[0-9]+\Z")
_BOOLEANS = {"1": "true", "yes": "true", "on": "true", "0": "false", "no": "false", "off": "false"}
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
    """List what BuildKit refuses in an instruction that its low level accepts; ``known`` are the problems met there.

    Unknown keywords are not looked at.
    """
    keyword = node.keyword
    if node.flags and not KEYWORDS[keyword].ignores_flags and not (isinstance(node, tree.Healthcheck) and node.is_none):
        yield from _check_flags(node, KEYWORDS[keyword].flags)
    if keyword == "HEALTHCHECK" and not (isinstance(node, tree.Healthcheck) and node.is_none):
        yield from _check_times(node)
    if isinstance(node, Unknown):
        if not known:
            yield from _missing(node)
        return
    checker = _CHECKS.get(keyword)
    if checker is not None:
        yield from checker(node)


def _missing(node: Unknown) -> Iterator[Problem]:
    keyword = node.keyword
    if keyword in ("COPY", "ADD"):
        yield problem("E025", node.keyword_span, keyword=keyword)
    elif keyword == "HEALTHCHECK" and node.words:
        kind = node.words[0]
        if kind.text.upper() == "CMD":
            yield problem("E024", kind.span, keyword="HEALTHCHECK CMD", what="a command")
        else:
            guess = closest(kind.text, ("CMD", "NONE"))
            edit = Edit(kind.span, guess) if guess else Edit(Span(kind.span.start, kind.span.start), "CMD ")
            yield problem("E034", kind.span, (edit,), word=kind.text)
    elif keyword in _NEEDS:
        yield problem("E024", node.keyword_span, keyword=keyword, what=_NEEDS[keyword])


def _check_flags(node: Instruction, known: dict[str, FlagKind]) -> Iterator[Problem]:
    seen: dict[str, str | None] = {}
    for flag in node.flags:
        name = flag.name
        kind = known.get(name)
        if kind is None:
            guess = closest(name, known)
            hint = f"; did you mean --{guess}?" if guess else ""
            place = Span(flag.span.start, flag.span.start + 2 + len(name))
            edits: tuple[Edit, ...] = (Edit(place, f"--{guess}"),) if guess else ()
            yield problem("E029", flag.span, edits, keyword=node.keyword, flag=name, hint=hint)
            continue
        if name in seen and kind is not FlagKind.LIST:
            yield problem("E030", flag.span, flag=name)
        seen[name] = flag.value
        if kind is FlagKind.BOOL:
            yield from _check_boolean(flag)
        elif flag.value is None:
            edits = value_behind_blank(flag, node.body) if flag is node.flags[-1] else ()
            yield problem("E031", flag.span, edits, flag=name)


def _check_boolean(flag: Flag) -> Iterator[Problem]:
    if flag.value == "":
        yield problem("E031", flag.span, (Edit(flag.span, f"--{flag.name}"),), flag=flag.name)
    elif flag.value is not None and flag.value.lower() not in ("true", "false"):
        meant = _BOOLEANS.get(flag.value.lower())
        edits = (Edit(flag.value_span, meant),) if meant and flag.value_span else ()
        yield problem("E032", flag.span, edits, flag=flag.name, value=flag.value)


def _check_from(node: Instruction) -> Iterator[Problem]:
    assert isinstance(node, tree.From)
    words = re.split(f"[{whitespace.ASCII}]+", node.body.text)
    if words == [""] or len(words) not in (1, 3) or (len(words) == 3 and words[1].lower() != "as"):
        hint, edits = malformed_from(node.body)
        yield problem("E022", _body_span(node), edits, hint=hint)
    elif node.name is not None and node.name_span is not None and not _STAGE_NAME.match(node.name):
        yield problem("E023", node.name_span, name=words[2])


def _body_span(node: Instruction) -> Span:
    return node.body.span(0, len(node.body.text)) if node.body.text else node.keyword_span


def _check_pairs(node: Instruction) -> Iterator[Problem]:
    assert isinstance(node, (tree.Arg, tree.Env, tree.Label))
    for pair in node.pairs:
        if not pair.key:
            yield problem("E026", pair.span, keyword=node.keyword)


def _check_files(node: Instruction) -> Iterator[Problem]:
    assert isinstance(node, tree.FileInstruction)
    if "<<" in node.destination.text:
        from dfopt.syntax.heredocs import is_heredoc

        if is_heredoc(node.destination.text):
            yield problem("E038", node.destination.span, keyword=node.keyword)


def _check_volume(node: Instruction) -> Iterator[Problem]:
    assert isinstance(node, tree.Volume)
    for word in node.words:
        if not word.text.strip(whitespace.UNICODE):
            yield problem("E027", word.span)


def _check_shell(node: Instruction) -> Iterator[Problem]:
    assert isinstance(node, tree.Shell)
    if not node.exec_form:
        from dfopt.syntax.jsonform import repaired

        guess = repaired(node.body.text)
        array = guess[0] if guess else shell_array(node.body.text)
        span = _body_span(node)
        yield problem("E028", span, (Edit(span, array),) if array and len(node.body.segments) == 1 else ())


def _check_healthcheck(node: Instruction) -> Iterator[Problem]:
    assert isinstance(node, tree.Healthcheck)
    if node.is_none:
        if node.command is not None:
            span = node.command.span(0, len(node.command.text))
            yield problem("E035", span, (Edit(span, ""),))
        return
    if node.exec_form == ():
        yield problem("E024", _body_span(node), keyword="HEALTHCHECK CMD", what="a command")


def _check_times(node: Instruction) -> Iterator[Problem]:
    for flag in node.flags:
        if flag.name in ("interval", "timeout", "start-period", "start-interval"):
            yield from _check_duration(flag)
        elif flag.name == "retries" and flag.value:
            retries = _whole_number(flag.value)
            if retries is None:
                yield _bad_value(flag, "it must be a whole number")
            elif retries < 0:
                yield _bad_value(flag, "it must not be negative")


def _whole_number(text: str) -> int | None:
    """Read an integer of 32 bits; None where it is none."""
    if not _INTEGER.match(text):
        return None
    digits = text.lstrip("+-").lstrip("0") or "0"
    if len(digits) > 10:
        return None
    number = -int(digits) if text[0] == "-" else int(digits)
    return number if -(2**31) <= number < 2**31 else None


def _check_duration(flag: Flag) -> Iterator[Problem]:
    if not flag.value:
        return
    try:
        nanoseconds = parse_duration(flag.value)
    except ValueError as error:
        edits = (Edit(flag.value_span, flag.value + "s"),) if flag.value.isdecimal() and flag.value_span else ()
        yield _bad_value(flag, str(error), edits)
        return
    if nanoseconds != 0 and nanoseconds < MIN_NANOSECONDS:
        yield _bad_value(flag, "it must be at least 1ms")


def _bad_value(flag: Flag, reason: str, edits: tuple[Edit, ...] = ()) -> Problem:
    return problem("E033", flag.value_span or flag.span, edits, flag=flag.name, value=flag.value, reason=reason)


def _check_run(node: Instruction) -> Iterator[Problem]:
    for flag in node.flags:
        if flag.value is None:
            continue
        modes = {"network": NETWORK_MODES, "security": SECURITY_MODES}.get(flag.name)
        if modes is not None:
            if flag.value not in modes:
                guess = closest(flag.value, modes)
                edits = (Edit(flag.value_span, guess),) if guess and flag.value_span else ()
                yield _bad_value(flag, f"it is one of {', '.join(modes)}", edits)
        elif flag.name in ("mount", "device"):
            from dfopt.syntax.mounts import MountError, VariableInFrom, read_device, refuse_early

            try:
                (refuse_early if flag.name == "mount" else read_device)(flag.value)
            except VariableInFrom:
                yield problem("E039", flag.span, flag="--mount=from")
            except MountError as error:
                code = "E037" if flag.name == "mount" else "E033"
                yield problem(code, flag.span, flag=flag.name, value=flag.value, reason=str(error))


def _check_onbuild(node: Instruction) -> Iterator[Problem]:
    assert isinstance(node, tree.Onbuild)
    if node.trigger.keyword in ("ONBUILD", "FROM", "MAINTAINER"):
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
