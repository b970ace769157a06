"""The grammar of arguments at work: a start rule and a text in, tokens out."""

from __future__ import annotations

import re
from functools import cache
from typing import Any, NamedTuple, cast

from dfopt.syntax.tables import Tables, load


class Token(NamedTuple):
    """A terminal met in a text, with its offsets there."""

    kind: str
    text: str
    start: int
    end: int


class Branch(NamedTuple):
    """A rule applied inside the start rule, with what it took."""

    rule: str
    children: list[Any]


Node = Token | Branch


class NoMatch(ValueError):
    """The text is not of the form that the start rule describes; ``offset`` is where it departs."""

    def __init__(self, offset: int) -> None:
        super().__init__(f"no match at offset {offset}")
        self.offset = offset


@cache
def _tables() -> Tables:
    return load()


@cache
def _lexer(terminals: tuple[str, ...]) -> Any:
    """Give the function that matches the first fitting terminal at an offset."""
    known = _tables().terminals
    return re.compile("|".join(f"(?P<{name}>{known[name]})" for name in terminals)).match


@cache
def _match_in(state: int) -> Any:
    return _lexer(tuple(_tables().states[state].terminals))


def parse(start: str, text: str) -> list[Node]:
    """Parse the arguments of an instruction by a start rule; gives the children of its tree. Raises NoMatch.

    A plain LALR parser: the state chooses the terminals that may come next, the tables say what follows.
    """
    tables = _tables()
    rules, states = tables.rules, tables.states
    stack = [tables.starts[start]]
    end_state = tables.ends[start]
    values: list[Any] = []
    at, length = 0, len(text)
    token: Token | None = None
    kind = ""
    while True:
        state = states[stack[-1]]
        if not kind:
            if at < length:
                match = _match_in(stack[-1])(text, at) if state.terminals else None
                if match is None or match.end() == at:
                    raise NoMatch(at)
                kind, end = match.lastgroup, match.end()
                token = Token(kind, match.group(), at, end)
                at = end
            else:
                kind = "$END"
        action = state.actions.get(kind)
        if action is None:
            raise NoMatch(token.start if token and kind != "$END" else length)
        if action >= 0:
            stack.append(action)
            values.append(token)
            kind = ""
            continue
        rule = rules[-1 - action]
        children: list[Any] = []
        if rule.length:
            taken = values[-rule.length :]
            del values[-rule.length :], stack[-rule.length :]
            for index, value in enumerate(taken):
                if type(value) is list:
                    if children:
                        children += value
                    else:
                        children = value
                elif index not in rule.dropped:
                    children.append(value)
        values.append(children if rule.inlined else Branch(rule.name, children))
        target = states[stack[-1]].gotos[rule.name]
        stack.append(target)
        if target == end_state and kind == "$END":
            break
    nodes: list[Node] = values[-1].children
    return nodes


def parse_tokens(start: str, text: str) -> list[Token]:
    """Parse by a start rule whose children are tokens only. Raises NoMatch."""
    return cast("list[Token]", parse(start, text))
