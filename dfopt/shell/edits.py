"""Edits of commands in shell code: take words or options out, in the layout of the file."""

from __future__ import annotations

import re

from dfopt.edit import Edit
from dfopt.shell.model import Command, ShellWord
from dfopt.source import Source, Span

_CLUSTER = r"-[A-Za-z]{2,}"


def delete_words(source: Source, command: Command, words: tuple[ShellWord, ...]) -> Edit | None:
    """Delete neighbouring words of a command with the blanks in front of them.

    None for the command's name, and where the words do not stand in the file as they are (they come from a variable).
    """
    if not words or words[0] not in command.words[1:]:
        return None
    at = command.words.index(words[0])
    if command.words[at : at + len(words)] != words:
        return None
    if any(source.slice(word.span) != word.raw for word in words):
        return None
    start = command.words[at - 1].span.end
    if source.text[start : words[0].span.start].strip("\\`\r\n\t "):
        start = words[0].span.start  # a comment or a redirect stands between
    return Edit(Span(start, words[-1].span.end), "")


def delete_option(source: Source, command: Command, names: tuple[str, ...], values: int = 0) -> Edit | None:
    """Delete an option under any of its spellings, out of a cluster too, with so many words behind it.

    Only the first place is deleted; None where the option is not written out in the file.
    """
    letters = [name[1] for name in names if len(name) == 2 and name[0] == "-"]
    for at, word in enumerate(command.words[1:], 1):
        # What is written decides: an option that comes out of a variable cannot be deleted here.
        text = source.slice(word.span).strip("\"'")
        if text in names:
            return delete_words(source, command, command.words[at : at + 1 + values])
        if text.partition("=")[0] in names:
            return delete_words(source, command, (word,))
        letter = next((letter for letter in letters if letter in text), None)
        if letter is not None and not values and re.fullmatch(_CLUSTER, text) and word.raw == text:
            return Edit(word.span, text.replace(letter, "", 1))
    return None
