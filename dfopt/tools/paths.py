"""Paths as effects name them: made absolute, compared, and matched where they hold globs or unknown parts."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Mapping
from functools import lru_cache

from msgspec import Struct, field

from dfopt.shell.model import Command, ShellWord
from dfopt.tools.model import Invocation, Setting

EVERYTHING = "*"
_VARIABLE = re.compile(r"\$(?:\{(\w+)\}|(\w+))")
_BRACES = re.compile(r"\{[^{}]*(?:,|\.\.)[^{}]*\}")
_SPECIAL = re.compile(r"[*?\[]")
_HOME = re.compile(r"~([a-z_][\w-]*)?(?=/|$)")
_DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


class Place(Struct, frozen=True):
    """Where a command runs: its directory (None: unknown), home, user and the variables known there."""

    directory: str | None = "/"
    home: str = "/root"
    user: str = "root"
    environment: Mapping[str, str | None] = field(default_factory=dict)

    @classmethod
    def of(cls, command: Command, setting: Setting) -> Place:
        """Put together what a command says of its place and what holds around it.

        The shell follows ``cd``, so a command without a directory runs in one that cannot be known.
        """
        directory = command.directory
        environment: Mapping[str, str | None] = setting.environment
        if command.environment or command.assignments:
            environment = dict(environment)
            environment.update(command.environment)
            for assignment in command.assignments if command.words else ():
                environment[assignment.name] = assignment.value.value if assignment.value else ""
        home = environment.get("HOME") or setting.home
        return cls(directory, home, setting.user, environment)

    def path(self, word: ShellWord) -> str:
        """Give the absolute path a word names; ``**`` stands for unknown parts, ``"*"`` alone for any path at all."""
        return self._absolute(self.text(word))

    def text(self, word: ShellWord) -> str:
        """Give a word's text; an unknown part of it is ``**``."""
        if word.value is not None:
            text = word.value
        else:
            known = self._expanded(word)
            text = word.pattern.replace("*", "**").replace("****", "**") if known is None else known
        if "{" in text and not word.quoted:
            text = _BRACES.sub("**", text)
        return text

    def join(self, text: str) -> str:
        """Make a path of a table absolute and plain, ``~`` included; a leading unknown part gives ``"*"``."""
        if text.startswith("/") and "/." not in text and "//" not in text:
            return text
        return self._absolute(self._tilde(text) if text.startswith("~") else text)

    def _absolute(self, text: str) -> str:
        if text.startswith("**"):
            return EVERYTHING
        if not text.startswith("/"):
            if self.directory is None:
                return EVERYTHING
            text = f"{self.directory}/{text}"
        return normal(text)

    def tree(self, word: ShellWord) -> str:
        """Give the path a word names, with all below it."""
        return as_tree(self.path(word))

    def option(self, invocation: Invocation, name: str) -> str | None:
        """Give the text of an option's last value, by its first spelling; ``**`` stands for unknown parts."""
        values = invocation.values(name)
        return self.text(values[-1]) if values else None

    def inside(self, directory: str) -> Place:
        """Give the same place in another directory (an absolute path, or ``"*"`` for an unknown one)."""
        where = None if directory == EVERYTHING else directory
        return Place(where, self.home, self.user, self.environment)

    def is_set(self, name: str) -> bool:
        """Tell whether a variable (``NAME``, or ``NAME=value``) is set to something that does not mean no."""
        name, equals, wanted = name.partition("=")
        value = self.environment.get(name)
        if equals:
            return value == wanted
        return value is not None and value.lower() not in ("", "0", "false", "no", "off")

    def programs(self, name: str) -> list[str]:
        """Give the paths at which a program may lie."""
        folders = (self.environment.get("PATH") or _DEFAULT_PATH).split(":")
        return [f"{folder.rstrip('/')}/{name}" for folder in folders if folder.startswith("/")]

    def _tilde(self, text: str) -> str:
        match = _HOME.match(text)
        if match is None:
            return text
        user = match.group(1)
        home = self.home if user in (None, self.user) else "/root" if user == "root" else f"/home/{user}"
        return home + text[match.end() :]

    def _expanded(self, word: ShellWord) -> str | None:
        raw = self._tilde(word.raw) if word.raw.startswith("~") else word.raw
        if any(mark in raw for mark in "`'\\"):
            return None
        missing = False

        def value(match: re.Match[str]) -> str:
            nonlocal missing
            name = match.group(1) or match.group(2)
            found = self.home if name == "HOME" else self.environment.get(name)
            missing = missing or found is None
            return found or ""

        text = _VARIABLE.sub(value, raw.replace('"', ""))
        return None if missing or "$" in text else text


def normal(path: str) -> str:
    """Give an absolute path without doubled slashes and dots; a final slash stays."""
    plain = posixpath.normpath(path)
    if plain.startswith("//"):
        plain = plain[1:]
    return plain + "/" if path.endswith("/") and plain != "/" else plain


def plain(path: str) -> str:
    """Give a path without its final slash, so that it names the file or folder itself."""
    return path.rstrip("/") or path


def as_tree(path: str) -> str:
    """Give the path that stands for everything below a path."""
    return path if path == EVERYTHING or path.endswith("/") else path + "/"


def overlaps(one: str, other: str) -> bool:
    """Tell whether two paths of effects may concern the same thing: equal, one above the other, or matched by a glob.

    Unknown parts match anything, so the answer errs on the side of yes.
    """
    if EVERYTHING in (one, other):
        return True
    if _SPECIAL.search(one) is None and _SPECIAL.search(other) is None:
        short, long = sorted((as_tree(one), as_tree(other)), key=len)
        return long.startswith(short)
    return _may_meet(one.strip("/"), other.strip("/"))


def any_overlap(ones: Iterable[str], others: Iterable[str]) -> bool:
    """Tell whether any path of the first set may concern the same thing as one of the second."""
    seconds = tuple(others)
    return any(overlaps(one, other) for one in ones for other in seconds)


def covers(pattern: str, path: str) -> bool:
    """Tell whether everything at a path certainly goes where everything that the pattern names goes.

    ``/a/*`` covers ``/a/b`` and all below it, ``/a/`` and ``/a`` cover ``/a`` and all below; an unknown part covers
    nothing.
    """
    if pattern == EVERYTHING or path == EVERYTHING or "**" in pattern:
        return False
    if _SPECIAL.search(pattern) is None:
        return as_tree(path).startswith(as_tree(pattern))
    wanted, given = pattern.strip("/").split("/"), path.strip("/").split("/")
    if len(given) < len(wanted):
        return False
    return all(_glob(part).fullmatch(name) is not None for part, name in zip(wanted, given, strict=False))


def _may_meet(one: str, other: str) -> bool:
    """Compare part by part; ``**`` in a part ends the comparison with yes, since it may hold slashes."""
    if not one or not other:
        return True
    for left, right in zip(one.split("/"), other.split("/"), strict=False):
        if "**" in left or "**" in right:
            head_left, head_right = left.split("*")[0], right.split("*")[0]
            return head_left.startswith(head_right) or head_right.startswith(head_left)
        left_special, right_special = _SPECIAL.search(left), _SPECIAL.search(right)
        if left_special and right_special:
            a, b = left[: left_special.start()], right[: right_special.start()]
            if not (a.startswith(b) or b.startswith(a)):
                return False
        elif left_special:
            if _glob(left).fullmatch(right) is None:
                return False
        elif right_special:
            if _glob(right).fullmatch(left) is None:
                return False
        elif left != right:
            return False
    return True


@lru_cache(maxsize=1024)
def _glob(part: str) -> re.Pattern[str]:
    text = ""
    i = 0
    while i < len(part):
        character = part[i]
        if character == "*":
            text += ".*"
        elif character == "?":
            text += "."
        elif character == "[" and (end := part.find("]", i + 2)) > 0:
            inner = part[i + 1 : end].replace("\\", "\\\\")
            text += "[" + ("^" + inner[1:] if inner[0] in "!^" else inner) + "]"
            i = end
        else:
            text += re.escape(character)
        i += 1
    try:
        return re.compile(text, re.DOTALL)
    except re.error:
        return re.compile(".*", re.DOTALL)
