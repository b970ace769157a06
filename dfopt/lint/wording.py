"""Edits of single words in shell code, as fixes of rules make them."""

from __future__ import annotations

from dfopt.edit import Edit
from dfopt.lint.rule import Build
from dfopt.shell.model import Command, ShellWord
from dfopt.source import Span


def is_written(build: Build, word: ShellWord) -> bool:
    """Tell whether a word stands in the file as the program gets it: no quotes, no variable, no JSON string."""
    return word.value is not None and build.tree.source.text[word.span.start : word.span.end] == word.value


def insert_after(build: Build, word: ShellWord | None, text: str) -> Edit | None:
    """Insert text behind a word that is written out; None where it is not."""
    if word is None or not is_written(build, word):
        return None
    return Edit(Span(word.span.end, word.span.end), text)


def replace_word(build: Build, word: ShellWord | None, text: str) -> Edit | None:
    """Replace a word that is written out; None where it is not."""
    return Edit(word.span, text) if word is not None and is_written(build, word) else None


def remove_word(build: Build, command: Command, word: ShellWord) -> Edit | None:
    """Remove a word with the gap in front of it; None for the first word, or where a comment stands in the gap."""
    if not is_written(build, word):
        return None
    before = max((one.span.end for one in command.words if one.span.end <= word.span.start), default=None)
    if before is None or build.tree.source.text[before : word.span.start].strip(" \t\r\n" + build.tree.escape):
        return None
    return Edit(Span(before, word.span.end), "")
