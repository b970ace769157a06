"""Makes the tables by which arguments are parsed, from the grammar in ``dockerfile.lark``.

lark reads the grammar and computes the LALR tables and the order of terminals; ``dockerfile.tables.json`` keeps the
result, so that a run neither imports lark nor computes anything. ``data/make_grammar_tables.py`` writes the file anew;
tables that do not belong to the grammar are never used, and a test keeps them up to date.
"""

from __future__ import annotations

import os
from typing import Any
from zlib import crc32

import msgspec

STARTS = ("words", "text", "json", "pairs", "pairs_backtick", "items", "items_backtick", "check")
"""The rules that arguments may start with; keywords.py says which instruction uses which."""

_FOLDER = os.path.dirname(__file__)
GRAMMAR_PATH = os.path.join(_FOLDER, "dockerfile.lark")
TABLES_PATH = os.path.join(_FOLDER, "dockerfile.tables.json")


class Rule(msgspec.Struct, array_like=True, frozen=True):
    """One production: what it makes, how many symbols it takes, which of them are left out of the tree.

    A rule whose name begins with an underscore hands its children to the rule above it.
    """

    name: str
    length: int
    dropped: list[int]
    inlined: bool


class State(msgspec.Struct, array_like=True, frozen=True):
    """One state of the parser.

    ``terminals`` are those that may come, in the order in which they are tried; ``actions`` tells for each, and for the
    end of the text (``$END``), the next state, or the production to apply as ``-1 - number``. ``gotos`` tells the next
    state after a production.
    """

    terminals: list[str]
    actions: dict[str, int]
    gotos: dict[str, int]


class Tables(msgspec.Struct, frozen=True):
    """The tables of the grammar, with a checksum of the text they were made from."""

    grammar: int
    terminals: dict[str, str]
    rules: list[Rule]
    states: list[State]
    starts: dict[str, int]
    ends: dict[str, int]


def _read(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read()


def load() -> Tables:
    """Give the tables of the grammar: those kept in the package, or new ones where the grammar has changed."""
    grammar = _read(GRAMMAR_PATH)
    try:
        tables = msgspec.json.decode(_read(TABLES_PATH), type=Tables)
    except (OSError, msgspec.DecodeError):
        return make(grammar)
    return tables if tables.grammar == crc32(grammar) else make(grammar)


def make(grammar: bytes) -> Tables:
    """Make the tables from the text of a grammar, with lark."""
    from lark import Lark
    from lark.parsers.lalr_analysis import Shift

    lark: Any = Lark(grammar.decode("utf-8"), start=list(STARTS), parser="lalr", maybe_placeholders=False)
    lexers = lark.parser.lexer.lexers
    table = lark.parser.parser._parse_table
    rules: dict[Any, int] = {}
    made: list[Rule] = []
    # lark numbers states as they fall out of a set; numbering them from the starts on makes the same tables every time.
    starts = {name: table.start_states[name] for name in STARTS}
    order = list(starts.values())
    numbers = {state: number for number, state in enumerate(order)}

    def rule_number(rule: Any) -> int:
        if rule not in rules:
            rules[rule] = len(made)
            expansion = rule.expansion
            dropped = [at for at, symbol in enumerate(expansion) if symbol.is_term and symbol.name.startswith("_")]
            name = str(rule.origin.name)
            made.append(Rule(name, len(expansion), dropped, name.startswith("_")))
        return rules[rule]

    states = []
    for state in order:
        actions: dict[str, int] = {}
        gotos: dict[str, int] = {}
        for symbol, (action, argument) in sorted(table.states[state].items()):
            target = actions if symbol.isupper() else gotos
            if action is not Shift:
                target[str(symbol)] = -1 - rule_number(argument)
                continue
            if argument not in numbers:
                numbers[argument] = len(order)
                order.append(argument)
            target[str(symbol)] = numbers[argument]
        terminals = [str(terminal.name) for terminal in lexers[state].terminals if terminal.name in actions]
        states.append(State(terminals, actions, gotos))
    return Tables(
        grammar=crc32(grammar),
        terminals={
            str(terminal.name): terminal.pattern.to_regexp()
            for terminal in sorted(lark.terminals, key=lambda terminal: str(terminal.name))
        },
        rules=made,
        states=states,
        starts={name: numbers[state] for name, state in starts.items()},
        ends={name: numbers[table.end_states[name]] for name in STARTS},
    )
