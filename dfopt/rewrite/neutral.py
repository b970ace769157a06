"""What in a command's text does not decide what it leaves in the image: assent, progress, the order of packages."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from dfopt.shell.model import Command, ShellWord
from dfopt.source import Span
from dfopt.tools.model import Invocation

_SYSTEM = frozenset(("apt", "apk", "dnf", "zypper"))
_NAMED_ONCE = frozenset(("pip", "npm", "gem"))
_SAME_IN_APT_GET = frozenset(
    ("install", "update", "remove", "purge", "autoremove", "clean", "autoclean", "build-dep", "source", "download")
)
_PROGRESS = ("--progress=", "--no-verbose", "--show-progress")
_SHORT_PROGRESS = frozenset(("-q", "-nv", "--quiet"))


def neutral_command(command: Command) -> Command:
    """Give the command that stands for all that do the same: apt-get for what it shares with apt."""
    words = command.words
    if len(words) < 2 or words[0].value != "apt":
        return command
    verb = next((word.value for word in words[1:] if not (word.value or "-").startswith("-")), None)
    if verb not in _SAME_IN_APT_GET:
        return command
    return replace(command, words=(replace(words[0], raw="apt-get", value="apt-get", pattern="apt-get"), *words[1:]))


def neutral_texts(command: Command, invocation: Invocation | None, text: str, user: str) -> Iterator[tuple[Span, str]]:
    """Give ranges of a file's text with what stands for them, so that calls that do the same read the same.

    ``user`` is who runs the command. Words that are not written out (variables) are left alone.
    """
    dropped = False
    if command.wrappers == ("sudo",) and user == "root" and command.words:
        start = command.words[0].span.start
        dropped = text[start - len("sudo ") : start] == "sudo "
        if dropped:
            yield Span(start - len("sudo "), command.words[0].span.end), neutral_command(command).words[0].raw
    if invocation is None:
        return
    tool = invocation.tool
    if tool.kind == "package-manager" and tool.family in _SYSTEM:
        for word in invocation.option_words:
            if word.value in tool.yes and _is_plain(word, text):
                yield word.span, ""
        if (
            command.name == "apt"
            and not dropped
            and invocation.verb is not None
            and invocation.verb.value in _SAME_IN_APT_GET
        ):
            yield command.words[0].span, "apt-get"
        if invocation.action == "install":
            yield from _packages(invocation.operands, text)
    elif tool.family in _NAMED_ONCE and invocation.action == "install":
        yield from _repeated(invocation.operands, text)
    elif command.name == "useradd":
        # Without an entry in the log of last logins the user is the same.
        yield from ((word.span, "") for word in command.words[1:] if word.value in ("-l", "--no-log-init"))
    elif tool.family == "wget":
        for word in command.words[1:]:
            if word.value in _SHORT_PROGRESS or (word.value or "").startswith(_PROGRESS):
                yield word.span, ""


def _packages(words: tuple[ShellWord, ...], text: str) -> Iterator[tuple[Span, str]]:
    if not words or not all(_is_plain(word, text) for word in words) or any(word.raw.endswith("-") for word in words):
        yield from _repeated(words, text)
        return
    yield words[0].span, " ".join(sorted({word.raw for word in words}))
    for word in words[1:]:
        yield word.span, ""


def _repeated(words: tuple[ShellWord, ...], text: str) -> Iterator[tuple[Span, str]]:
    seen: set[str] = set()
    for word in words:
        if not _is_plain(word, text):
            continue
        if word.raw in seen:
            yield word.span, ""
        seen.add(word.raw)


def _is_plain(word: ShellWord, text: str) -> bool:
    return word.value is not None and text[word.span.start : word.span.end] == word.value
