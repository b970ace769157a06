"""What a shell's own commands do to the shell: ``cd``, ``export``, ``set``, ``unset``, ``read`` ..."""

from __future__ import annotations

import posixpath
import re

from dfopt.shell.model import ShellWord
from dfopt.shell.state import State
from dfopt.shell.words import Lookup
from dfopt.shell.wrappers import change_options

_DECLARES = frozenset({"export", "declare", "typeset", "local", "readonly"})
_NAME_VALUE = re.compile(r"([A-Za-z_]\w*)(\+?=)(.*)", re.ASCII | re.DOTALL)


def carry_out(words: list[ShellWord], state: State, lookup: Lookup) -> None:
    """Carry out what a builtin does to the shell itself."""
    name = words[0].value
    if name in ("cd", "pushd", "popd"):
        _change_directory(name, words[1:], state, lookup)
    elif name in _DECLARES:
        _declare(name, words[1:], state, lookup)
    elif name == "unset":
        for word in words[1:]:
            if word.value and word.value != "-v":
                state.remove(word.value)
    elif name == "set":
        texts = [word.value or "" for word in words[1:]]
        state.options = change_options(texts, state.options)[0]
    elif name in ("read", "getopts", "mapfile", "readarray"):
        for word in words[1:]:
            if word.value and not word.value.startswith("-"):
                state.assign(word.value, None)
    elif name in (".", "source", "eval"):
        state.forget()
        if name == "eval":
            state.directory = None
    elif name in state.moving:
        state.directory = state.previous = None
        state.forget()


def _declare(name: str, words: list[ShellWord], state: State, lookup: Lookup) -> None:
    """Carry out ``export`` and its relatives."""
    exports = name == "export" or any(word.pattern.startswith("-") and "x" in word.pattern for word in words)
    for word in words:
        text = word.value if word.value is not None else word.pattern
        match = _NAME_VALUE.match(text)
        variable = match.group(1) if match else text
        if match:
            value = match.group(3) if word.value is not None and not word.raw.endswith(")") else None
            if match.group(2) == "+=":
                before = lookup(variable)
                value = None if before is None or value is None else before + value
            state.assign(variable, value)
        if exports and not text.startswith("-"):
            state.export(variable)


def _change_directory(name: str, words: list[ShellWord], state: State, lookup: Lookup) -> None:
    """Carry out ``cd``, ``pushd`` and ``popd``."""
    operands = [word for word in words if not (word.value or "").startswith("-") or word.value == "-"]
    before = state.directory
    if name == "popd":
        state.directory = state.stack.pop() if state.stack else None
    elif not operands:
        state.directory = lookup("HOME") if name == "cd" else None
    else:
        target = operands[0].value if not operands[0].glob else None
        if name == "pushd":
            state.stack.append(before)
        if target is None:
            state.directory = None
        elif target == "-":
            state.directory = state.previous
        elif target.startswith("/"):
            state.directory = posixpath.normpath("/" + target.lstrip("/"))
        elif before is not None and target:
            state.directory = posixpath.normpath(posixpath.join(before, target))
        elif target:
            state.directory = None
    state.previous = before
