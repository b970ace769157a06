"""What a script's structure says of its commands: how sure and how often each runs, what feeds it, where it writes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fnmatch import fnmatchcase

from msgspec import Struct
from msgspec.structs import replace

from dfopt.shell.model import Command, Compound, ListItem, Node, Pipeline, Redirect, ShellWord

_TESTS = frozenset(("[", "test", "grep", "which", "command", "type"))
_BRANCHES = frozenset(("if", "case", "select", "while", "until"))


class Surroundings(Struct, frozen=True):
    """What is known of one command.

    ``sure`` tells that it runs, ``likely`` what to count where that is not sure, ``skipped`` that it certainly does
    not. ``feeders`` are the commands whose output it reads, ``outputs`` the redirects of the groups around it,
    ``loops`` the variables of the ``for`` loops around it with their words.
    """

    sure: bool = True
    likely: bool = True
    skipped: bool = False
    feeders: tuple[int, ...] = ()
    outputs: tuple[Redirect, ...] = ()
    loops: tuple[tuple[str, tuple[ShellWord, ...]], ...] = ()

    def doubtful(self, likely: bool) -> Surroundings:
        """Give the same for something that may or may not run."""
        return replace(self, sure=False, likely=self.likely and likely)

    def decided(self, runs: bool | None, likely: bool) -> Surroundings:
        """Give the same for something that runs, does not run, or may (None)."""
        if runs is None:
            return self.doubtful(likely)
        return self if runs else replace(self, skipped=True)


Exists = Callable[[str, "str | None"], bool]
"""Tells whether a path, seen from a folder, is known to be there."""


def survey(
    items: Sequence[ListItem], around: Surroundings, found: dict[int, Surroundings], exists: Exists
) -> list[int]:
    """Note for each command of a list, by identity, what its surroundings are.

    Gives the ids of the commands whose output leaves the list.
    """
    writers: list[int] = []
    truth: bool | None = None
    tested, likely = False, True
    current = around
    for item in items:
        if item.operator == "||":
            current = around.decided(None if truth is None else not truth, tested)
        elif item.operator == "&&":
            if tested or truth is not None:
                current = around.decided(truth, likely)
            elif current.likely and not current.sure:
                pass  # What follows an unsure command is as unsure.
            else:
                current = around
        else:
            current = around
        writers += _node(item.node, current, found, exists)
        if item.operator in ("&&", "||") and current.skipped:
            continue  # The result of the list so far stays.
        tested = is_test(item.node)
        truth, likely = judge(item.node, exists)
    return writers


def _node(node: Node, around: Surroundings, found: dict[int, Surroundings], exists: Exists) -> list[int]:
    if isinstance(node, Command):
        found[id(node)] = around
        return [id(node)]
    if isinstance(node, Pipeline):
        return _pipeline(node, around, found, exists)
    outputs = tuple(one for one in node.redirects if one.target is not None)
    inside = replace(around, outputs=around.outputs + outputs)
    if node.kind == "for" and node.name and node.words:
        inside = replace(inside, loops=(*inside.loops, (node.name, node.words)))
    writers: list[int] = []
    truth, likely = None, True
    for index, (role, items) in enumerate(node.sections or (("body", node.body),)):
        here = inside
        if role in ("condition", "elif"):
            single = role == "condition" and len(items) == 1
            truth, likely = judge(items[0].node, exists) if single else (None, index == 0)
        elif node.kind == "if":
            runs = truth if role == "then" else None if truth is None else not truth
            here = inside.decided(runs, likely if role == "then" else not likely)
        elif node.kind in _BRANCHES:
            here = inside.doubtful(node.kind != "case" or index == 0)
        writers += survey(items, here, found, exists)
    return writers


def _pipeline(node: Pipeline, around: Surroundings, found: dict[int, Surroundings], exists: Exists) -> list[int]:
    feeders = around.feeders
    writers: list[int] = []
    for element in node.elements:
        outputs = around.outputs if element is node.elements[-1] else ()
        writers = _node(element, replace(around, feeders=feeders, outputs=outputs), found, exists)
        feeders = tuple(writers)
    return writers


def is_test(node: Node) -> bool:
    """Tell whether a node only tests something, so that what follows may or may not run."""
    if isinstance(node, Compound):
        return node.kind in ("[[", "((")
    if isinstance(node, Pipeline):
        return bool(node.elements) and is_test(node.elements[-1])
    return node.name in _TESTS


def judge(node: Node, exists: Exists) -> tuple[bool | None, bool]:
    """Decide a test of known texts or files: its result (None where that cannot be told), and what is likely.

    A file that nothing is known of is likely not there.
    """
    negated = False
    if isinstance(node, Compound) and node.kind == "[[":
        words = list(node.words)
    elif isinstance(node, Command) and node.name in ("[", "test"):
        words = list(node.arguments)
        negated = node.negated
        if words and words[-1].value == "]":
            words.pop()
    else:
        return None, True
    if words and words[0].value == "!" and not words[0].quoted:
        negated = not negated
        words.pop(0)
    if any(word.value is None for word in words):
        return None, True
    values = [word.value or "" for word in words]
    if len(values) == 2 and values[0] in ("-f", "-d", "-e", "-s", "-r", "-x", "-L", "-h"):
        there = exists(values[1], node.directory if isinstance(node, Command) else None)
        return (not negated if there else None), there != negated
    answer = _decide(values, isinstance(node, Compound))
    return (None, True) if answer is None else (answer != negated, answer != negated)


def _decide(values: list[str], patterns: bool) -> bool | None:
    """Decide a test of texts."""
    if len(values) == 1:
        return values[0] != ""
    if len(values) == 2 and values[0] in ("-z", "-n"):
        return (values[1] == "") == (values[0] == "-z")
    if len(values) == 3 and values[1] in ("=", "==", "!="):
        equal = fnmatchcase(values[0], values[2]) if patterns else values[0] == values[2]
        return equal == (values[1] != "!=")
    return None
