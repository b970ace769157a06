"""One command of a RUN while it is gone through: its words, its place, what comes in and what goes out."""

from __future__ import annotations

import posixpath
import re

from msgspec import Struct

from dfopt.graph.model import Step
from dfopt.predict.filesystem import Archive, Entry, FileSystem, Origin
from dfopt.predict.model import ZERO, Estimate
from dfopt.predict.stage import StageBuild
from dfopt.shell.model import Command, ShellWord
from dfopt.tools.model import Invocation
from dfopt.tools.paths import Place

CONFIG_FILE = Estimate(1_500, 10, 60_000)
"""A file of the base image that a command changes, such as one of /etc."""
WRITTEN = Origin("files written by commands", "files", "the text written")
DUPLICATE = Origin("files of lower layers written again", "duplicate", "their sizes")
SYSTEM_FILES = Origin("small system files", "files", "usual sizes")


class Stream(Struct, frozen=True):
    """What a command writes to its standard output: how many bytes, and what is known of them."""

    size: Estimate = ZERO
    text: str | None = None
    origin: Origin = WRITTEN
    name: str = ""
    archive: Archive | None = None


class Call(Struct):
    """One command with everything its model may ask."""

    build: StageBuild
    step: Step
    command: Command
    invocation: Invocation | None
    place: Place
    stdin: Stream | None = None

    @property
    def fs(self) -> FileSystem:
        """The stage's file system."""
        return self.build.fs

    @property
    def values(self) -> list[str]:
        """The arguments, unknown parts as ``*``."""
        return self.command.values

    @property
    def operands(self) -> list[ShellWord]:
        """The words that are no options, as the tool's table reads them, else as their look says."""
        if self.invocation is not None:
            verb = self.invocation.verb
            return [word for word in self.invocation.operands if word is not verb]
        return [word for word in self.command.arguments if not word.pattern.startswith("-") or word.pattern == "-"]

    def option(self, *names: str) -> str | None:
        """Give the value of an option: ``-o value``, ``-ovalue``, ``--output=value``; None where it is not given."""
        words = self.command.values
        for index, text in enumerate(words):
            for name in names:
                if text == name:
                    return words[index + 1] if index + 1 < len(words) else ""
                if name.startswith("--") and text.startswith(name + "="):
                    return text[len(name) + 1 :]
                short = len(name) == 2 and name[0] == "-" and not text.startswith("--")
                if short and text.startswith("-") and name[1] in text[1:]:
                    after = text[text.index(name[1], 1) + 1 :]
                    if after:
                        return after
                    return words[index + 1] if index + 1 < len(words) else ""
        return None

    def has(self, *names: str) -> bool:
        """Tell whether a switch is given, bundled short ones (``-rf``) included."""
        for text in self.command.values:
            if text in names:
                return True
            if re.fullmatch(r"-[A-Za-z]+", text) and any(
                len(name) == 2 and name[1] in text[1:] for name in names if not name.startswith("--")
            ):
                return True
        return False

    def path(self, word: ShellWord) -> str:
        """Give the absolute path of a word, unknown parts as ``*``."""
        return self.join(self.place.text(word) if not _is_home(word) else self.place.path(word))

    def join(self, text: str) -> str:
        """Make a path of text absolute in the command's directory."""
        text = text.replace("**", "*")
        if text.startswith("~"):
            text = self.place.home + text[1:] if text[1:2] in ("", "/") else "/home/" + text[1:]
        folder = self.place.directory or "/"
        joined = posixpath.normpath(posixpath.join(folder, text))
        return "/" + joined.lstrip("/")

    def paths(self, word: ShellWord) -> list[str]:
        """Give the known paths a word means, globs and braces expanded; the word's own path where it holds neither."""
        found: list[str] = []
        for text in _braces(word):
            path = self.join(text if not _is_home(word) else self.place.home + text.lstrip()[1:])
            found += self.fs.glob(path) if re.search(r"[*?[]", path) else [path]
        return found

    def write(self, path: str, stream: Stream, *, append: bool = False) -> None:
        """Write a stream into a file."""
        if path.startswith("/dev/"):
            return
        entry = Entry(stream.size, 0, stream.origin, text=stream.text, archive=stream.archive)
        if not append:
            self.fs.put(path, entry)
            return
        old = self.fs.get(path)
        if old is not None and old.type == "file":
            text = old.text + stream.text if old.text is not None and stream.text is not None else None
            here = self.fs.resolve(path)
            self.fs.copy_up(here, old, DUPLICATE, old.size + stream.size)
            current = self.fs.entries.get(here)
            if current is not None and text is not None and self.fs.sure:
                self.fs.put(here, Entry(current.size, 0, current.origin, text=text))
        elif _MAY_EXIST.match(path) and self.build.image not in (None, "scratch"):
            grown = Estimate(stream.size.value, stream.size.low, stream.size.high) + CONFIG_FILE
            self.fs.put(path, Entry(grown, 0, SYSTEM_FILES))
        else:
            self.fs.put(path, entry)


_MAY_EXIST = re.compile(
    r"/etc/(?:passwd|group|shadow|profile|bash\.bashrc|sudoers|hosts|apt/sources\.list|ssh/sshd?_config|security/limits\.conf"
    r"|sysctl\.conf|ld\.so\.conf|apk/repositories|environment|crontab|login\.defs|locale\.gen|nsswitch\.conf|inputrc)$"
    r"|/root/\.(?:bashrc|profile)$|/home/[^/]+/\.(?:bashrc|profile)$"
)


def _is_home(word: ShellWord) -> bool:
    return word.raw.startswith("~")


def _braces(word: ShellWord) -> list[str]:
    """Expand ``{a,b}`` in an unquoted word."""
    text = word.pattern if word.value is None else word.value
    if word.quoted or "{" not in text:
        return [text]
    done: list[str] = []
    pending = [text]
    while pending and len(done) + len(pending) < 1000:
        current = pending.pop(0)
        match = re.search(r"\{([^{}]*,[^{}]*)\}", current)
        if match is None:
            done.append(current)
            continue
        pending = [current[: match.start()] + one + current[match.end() :] for one in match[1].split(",")] + pending
    return done
