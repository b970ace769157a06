"""Edits that repair what BuildKit refuses, where it can be guessed what was meant."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from dfopt.edit import Edit
from dfopt.source import Span
from dfopt.syntax import tree, whitespace
from dfopt.syntax.keywords import KEYWORDS
from dfopt.syntax.spelling import closest

if TYPE_CHECKING:
    from dfopt.syntax.tree import Instruction, Joined

_STAGE_NAME = re.compile(r"[a-zA-Z][a-zA-Z0-9-_.]*\Z")
_SHELL_LINE = re.compile(r"(?:&&|\|\|?|;|-|[a-z./$\"'({\[])")
_COMMANDS = frozenset((
    "apk", "apt", "apt-get", "bash", "bundle", "cargo", "cd", "chmod", "chown", "composer", "cp", "curl", "dnf",
    "echo", "export", "find", "git", "go", "groupadd", "gunzip", "ln", "make", "microdnf", "mkdir", "mv", "npm",
    "npx", "pacman", "pip", "pip3", "poetry", "printf", "python", "python3", "rm", "sed", "sh", "source", "sudo",
    "tar", "test", "touch", "unzip", "useradd", "uv", "wget", "yarn", "yum", "zypper",
))  # fmt: skip
_STRANGERS = (
    (("<<<<<<<", "=======", ">>>>>>>", "|||||||"), "; a merge conflict is not settled here"),
    (("{{", "{%", "<%", "@@", "##"), "; this is a template, whose places must be filled in first"),
    (("```", "~~~"), "; this is the fence of a code block, not part of a Dockerfile"),
    (("//", "/*", "--", ";"), "; a comment begins with #"),
)
"""Beginnings of words that belong to other kinds of text, with what to say of them."""
_CONTINUED = (tree.Run, tree.Env, tree.Label, tree.Copy, tree.Add, tree.Cmd, tree.Entrypoint, tree.Healthcheck)
_GLUED_NAME = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)[;|&>)]")
_PLAIN_VALUE = re.compile(r"[^'\"\\`\s]*\Z")

Repair = tuple[str, tuple[Edit, ...]]
"""A hint that ends a message, and the edits."""


def unknown_keyword(node: Instruction, word: str, before: Instruction | None, text: str, escape: str) -> Repair:
    """Guess what an unknown instruction was meant to be; ``before`` is the instruction above it."""
    place = node.keyword_span
    for blank in whitespace.UNICODE:
        head, found, _ = word.partition(blank)
        if found and head.upper() in KEYWORDS:
            at = place.start + len(head)
            return f"; the character behind {head} is no ordinary blank", (Edit(Span(at, at + 1), " "),)
    bare = word.strip("\ufeff:;,.")
    if bare != word and bare.upper() in KEYWORDS:
        return f"; write {bare.upper()}", (Edit(place, _cased(bare, bare)),)
    joined = _lost_continuation(node, word, before, text, escape)
    guess = closest(bare, KEYWORDS)
    if guess and not (joined and word.islower() and guess.lower() != word):
        return f"; did you mean {guess}?", (Edit(place, _cased(guess, word)),)
    if joined:
        above = before.keyword if before else "line"
        return f"; if it belongs to the {above} above, end that line with {escape}", joined
    if word in _COMMANDS:
        return "; write RUN in front of a command", (Edit(Span(place.start, place.start), "RUN "),)
    return next((hint for signs, hint in _STRANGERS if word.startswith(signs)), ""), ()


def _cased(keyword: str, like: str) -> str:
    return keyword.lower() if like.islower() else keyword.upper()


def _lost_continuation(
    node: Instruction, word: str, before: Instruction | None, text: str, escape: str
) -> tuple[Edit, ...]:
    """Give the edit that continues the line above, if this line looks like a part of it."""
    if not isinstance(before, _CONTINUED) or before.heredocs or not _SHELL_LINE.match(word):
        return ()
    end = before.span.end
    between = text[end : node.span.start]
    if between.count("\n") != 1 or between.strip(whitespace.UNICODE):
        return ()
    return (Edit(Span(end, end), " " + escape),)


def malformed_from(body: Joined) -> Repair:
    """Guess what a FROM with the wrong number of words, or another word than AS, was meant to be."""
    words = list(re.finditer(rf"[^{whitespace.ASCII}]+", body.text))
    for index, word in enumerate(words):
        if index and word.group().startswith("#"):
            start = words[index - 1].end()
            return "; a comment needs a line of its own", (Edit(body.span(start, len(body.text)), ""),)
    if len(words) == 3 and closest(words[1].group(), ("as",)):
        return "; the word in the middle must be AS", (Edit(body.span(*words[1].span()), "AS"),)
    if len(words) == 2:
        name = words[1].group()
        if name.lower() == "as":
            return "; the name is missing", ()
        if _STAGE_NAME.match(name):
            at = body.to_file(words[1].start())
            return "; AS is missing in front of the name", (Edit(Span(at, at), "AS "),)
    return "", ()


def value_behind_blank(flag: tree.Flag, body: Joined) -> tuple[Edit, ...]:
    """Join ``--flag value`` to ``--flag=value``, if the word behind the flag may be its value."""
    if not body.text or body.text[0] in "-[<":
        return ()
    return (Edit(Span(flag.span.end, body.to_file(0)), "="),)


def quoted_value(pair: tree.Pair | None, end: int) -> tuple[Edit, ...]:
    """Put quotes around the value of a pair and the words behind it, up to an offset of the file."""
    if pair is None or pair.value is None or pair.value_span is None or not _PLAIN_VALUE.match(pair.value):
        return ()
    start = pair.value_span.start
    return (Edit(Span(start, start), '"'), Edit(Span(end, end), '"'))


def heredoc_end(name: str, chomp: bool, word: Span, body: Span, text: str) -> tuple[Edit, ...]:
    """Mend a here-document without end, if a line of its body was meant to be the end.

    Either blanks stand around the name on that line, or a sign of the shell is glued to the name in the first line.
    """
    glued = _GLUED_NAME.match(name)
    at = body.start
    while at < body.end:
        end = text.find("\n", at, body.end)
        end = body.end if end < 0 else end
        line = text[at:end]
        bare = line.strip(" \t\r")
        if bare == name:
            mended = "\t" * (len(line) - len(line.lstrip("\t"))) + name if chomp else name
            return (Edit(Span(at, at + len(line.rstrip("\r"))), mended),)
        if glued and bare == glued[1]:
            place = text.find(name, word.start, word.end) + len(glued[1])
            return (Edit(Span(place, place), " "),) if place > word.start else ()
        at = end + 1
    return ()


def shell_array(text: str) -> str | None:
    """Write the words of a plain command as a JSON array; None where quotes or escapes stand in it."""
    if not text or re.search(r"[\"'\\`$\[\]]", text):
        return None
    return "[" + ", ".join(f'"{word}"' for word in text.split()) + "]"
