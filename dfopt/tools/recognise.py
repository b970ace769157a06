"""Recognising calls of known tools: which tool, which verb, which options and what is left."""

from __future__ import annotations

import re
from importlib import import_module

from msgspec import Struct, field
from msgspec.structs import replace

from dfopt.shell.model import Command, ShellWord
from dfopt.tools.index import MODULES
from dfopt.tools.model import Invocation, Option, Role, Subcommand, Tool

_VERSION = re.compile(r"(?:-?v?\d+(?:\.\d+)*)$")
_CROSS = re.compile(r"^[a-z0-9_]+-(?:[a-z0-9_]+-)+(?=[a-z+]+(?:-\d+)?$)")
_SYSTEM_FOLDER = re.compile(r"(?:^|/)s?bin$|/\.bin$")
_SCRIPT = re.compile(r"\.(?:sh|bash|py|pl|rb|php|js|run|bin|bsx|ksh)$")
_NO_VERB = Subcommand((), "query")
_UNKNOWN_VERB = Subcommand((), "other", wall=True, reason="its verb is not known")


class Compiled(Struct):
    """A tool with its lookup tables: verbs by name, and options by name for each verb."""

    tool: Tool
    verbs: dict[str, Subcommand]
    options: dict[str, Option]
    longest: int
    by_verb: dict[int, dict[str, Option]] = field(default_factory=dict)

    def options_of(self, subcommand: Subcommand) -> dict[str, Option]:
        """Give the options that hold after a verb: the tool's, overruled by the verb's own."""
        if not subcommand.options:
            return self.options
        table = self.by_verb.get(id(subcommand))
        if table is None:
            table = dict(self.options)
            table.update((name, option) for option in subcommand.options for name in option.names)
            self.by_verb[id(subcommand)] = table
        return table


_compiled: dict[str, Compiled] = {}


def compiled(program: str) -> Compiled | None:
    """Give the tables of a program by its plain name; None where none is known."""
    found = _compiled.get(program)
    if found is None and (module := MODULES.get(program)) is not None:
        for tool in import_module(f"dfopt.tools.{module}").TOOLS:
            verbs = {name: sub for sub in tool.subcommands for name in sub.names or ("",)}
            table = {name: option for option in tool.options for name in option.names}
            entry = Compiled(tool, verbs, table, max(name.count(" ") + 1 for name in verbs))
            for name in tool.names:
                _compiled[name] = entry
        found = _compiled[program]
    return found


def program_name(command: Command) -> str | None:
    """Give the name under which a command's program is listed; None where no known tool is meant.

    Version suffixes (``python3.11``, ``gcc-12``) and prefixes of cross compilers are seen through. A path into the
    project is only a tool that is meant to be called so (``./configure``); other scripts are the tool ``script``.
    """
    if not command.words:
        return None
    first = command.words[0]
    if first.value is None:
        if "/" not in first.pattern:
            return None
        text = first.pattern
    else:
        text = first.value
    folder, slash, name = text.rpartition("/")
    known = _listed(name)
    if not slash:
        return known or ("script" if _SCRIPT.search(name) and first.value else None)
    if known is not None:
        entry = compiled(known)
        if _SYSTEM_FOLDER.search(folder) or (entry is not None and entry.tool.local):
            return known
    at_home = _SYSTEM_FOLDER.fullmatch(folder.lstrip("/").removeprefix("usr/").removeprefix("local/"))
    return "script" if at_home is None or _SCRIPT.search(name) else None


def _listed(name: str) -> str | None:
    if name in MODULES:
        return name
    plain = _VERSION.sub("", name)
    if plain in MODULES:
        return plain
    plain = _CROSS.sub("", name)
    return plain if plain in MODULES and MODULES[plain] in ("gcc", "system") else None


def recognise(command: Command) -> Invocation | None:
    """Recognise a call of a known tool; None for everything else."""
    program = program_name(command)
    if program is None:
        return None
    entry = compiled(program)
    if entry is None:
        return None
    words = command.words
    if entry.tool.wraps is not None:
        inner = _unwrapped(command, entry)
        return None if inner is None else recognise(inner)
    if program.startswith("python") or program == "pypy":
        module = _python_module(words)
        if module is not None:
            at, name = module
            # Names of modules that are no programs are listed as "-m_NAME".
            other = compiled(f"-m_{name}") or compiled(_listed(name) or "")
            if other is not None and other.tool.python_module:
                return _parse(command, other, words[at:])
    return _parse(command, entry, words[1:])


def _unwrapped(command: Command, entry: Compiled) -> Command | None:
    """Give the command that a wrapper (timeout, gosu, ...) starts."""
    rest = list(command.words[1:])
    table = entry.options
    while rest and (text := _text(rest[0])).startswith("-") and len(text) > 1:
        rest.pop(0)
        if text == "--":
            break
        option = table.get(text)
        if option is not None and option.value and not option.optional and rest:
            rest.pop(0)
    rest = rest[entry.tool.wraps or 0 :]
    while rest and entry.tool.family == "env" and re.match(r"\w+=", _text(rest[0])):
        rest.pop(0)
    if not rest:
        return None
    return replace(command, words=tuple(rest), wrappers=(*command.wrappers, entry.tool.names[0]))


def _python_module(words: tuple[ShellWord, ...]) -> tuple[int, str] | None:
    """Give the name that follows python's ``-m`` and the index of the word after it."""
    for at, word in enumerate(words[1:], 1):
        text = word.value
        if text is None or not text.startswith("-"):
            return None
        if text.startswith("-") and not text.startswith("--") and text.endswith("m"):
            if at + 1 < len(words) and words[at + 1].value:
                return at + 2, str(words[at + 1].value)
            return None
        if text in ("-W", "-X", "-c"):
            return None
    return None


def _text(word: ShellWord) -> str:
    return word.pattern if word.value is None else word.value


def _parse(command: Command, entry: Compiled, words: tuple[ShellWord, ...]) -> Invocation:
    tool = entry.tool
    given = _Given()
    if tool.syntax == "raw":
        given.operands = list(words)
        subcommand, verb = entry.verbs.get("") or _UNKNOWN_VERB, None
        return Invocation(tool, subcommand, command, given.options, words)
    if entry.verbs.keys() == {""}:
        subcommand, verb = entry.verbs[""], None
        given.read(list(words), entry.options_of(subcommand), tool)
        return given.made(tool, subcommand, command, verb)
    before = entry.options if tool.default is None else entry.options_of(entry.verbs[tool.default])
    rest = given.read(list(words), before, tool, until_operand=True)
    found, verb, rest = _verb(entry, rest)
    # Without a verb what was read so far stands; a tool with a plain form takes the rest as its operands.
    default = "" if tool.default is None or rest else tool.default
    subcommand = found or entry.verbs.get(default) or (_UNKNOWN_VERB if rest else _NO_VERB)
    given.read(rest, entry.options_of(subcommand), tool)
    if subcommand.instead is not None and subcommand.instead[0] in given.options:
        subcommand = entry.verbs[subcommand.instead[1]]
    return given.made(tool, subcommand, command, verb)


def _verb(entry: Compiled, rest: list[ShellWord]) -> tuple[Subcommand | None, ShellWord | None, list[ShellWord]]:
    if not rest:
        return None, None, rest
    first = rest[0].value
    if first is None:
        return None, None, rest
    if entry.longest > 1 and len(rest) > 1:
        # The second word of a verb may stand behind options: ``conda env -q create``.
        for at in range(1, len(rest)):
            second = rest[at].value
            if second is None:
                break
            if second.startswith("-"):
                continue
            found = entry.verbs.get(f"{first} {second}")
            if found is not None:
                return found, rest[0], rest[1:at] + rest[at + 1 :]
            break
    found = entry.verbs.get(first)
    return (None, None, rest) if found is None else (found, rest[0], rest[1:])


class _Given:
    """What was read of a command line so far."""

    __slots__ = ("operands", "option_words", "options", "places")

    def __init__(self) -> None:
        self.options: dict[str, str | None] = {}
        self.operands: list[ShellWord] = []
        self.option_words: list[ShellWord] = []
        self.places: list[tuple[Role, ShellWord, str]] = []

    def made(self, tool: Tool, subcommand: Subcommand, command: Command, verb: ShellWord | None) -> Invocation:
        return Invocation(
            tool,
            subcommand,
            command,
            self.options,
            tuple(self.operands),
            tuple(self.option_words),
            verb,
            tuple(self.places),
        )

    def read(
        self, words: list[ShellWord], table: dict[str, Option], tool: Tool, until_operand: bool = False
    ) -> list[ShellWord]:
        """Read options and operands; with ``until_operand`` stop at the first operand and give what is left."""
        at, count = 0, len(words)
        while at < count:
            word = words[at]
            text = _text(word)
            if text == "--" and word.value is not None:
                self.option_words.append(word)
                self.operands.extend(words[at + 1 :])
                return []
            if len(text) < 2 or not (text[0] == "-" or (text[0] == "+" and text in table)):
                if until_operand:
                    return words[at:]
                self.operands.append(word)
                at += 1
                if not tool.permutes:
                    self.operands.extend(words[at:])
                    return []
                continue
            following = words[at + 1] if at + 1 < count else None
            self.option_words.append(word)
            if text.startswith("--") or tool.syntax == "single":
                used = self._long(text, word, following, table, tool)
            else:
                used = self._short(text, word, following, table)
            at += 1
            if used and following is not None:
                self.option_words.append(following)
                at += 1
        return []

    def _note(self, option: Option | None, name: str, value: ShellWord | None) -> None:
        self.options[option.names[0] if option else name] = None if value is None else _text(value)
        if option and option.role and value is not None:
            self.places.append((option.role, value, option.names[0]))

    def _long(
        self, text: str, word: ShellWord, following: ShellWord | None, table: dict[str, Option], tool: Tool
    ) -> bool:
        name, equals, _ = text.partition("=")
        option = table.get(name)
        if option is None and not equals and tool.syntax == "single":
            # javac -O2, mvn -DskipTests: a known letter with its value attached.
            option = table.get(text[:2])
            if option is not None and option.value:
                self._note(option, text[:2], _tail(word, 2))
                return False
            option = None
        if option is None and tool.syntax == "single" and (short := table.get(name[:2])) is not None and short.value:
            self._note(short, name[:2], _tail(word, 2))
            return False
        if option is None and tool.syntax == "gnu":
            option = _abbreviated(name, table)
        if equals:
            self._note(option, name, _tail(word, len(name) + 1))
            return False
        takes = option is not None and option.value and not option.optional
        self._note(option, name, following if takes else None)
        return takes

    def _short(self, text: str, word: ShellWord, following: ShellWord | None, table: dict[str, Option]) -> bool:
        whole = table.get(text.partition("=")[0])
        if (whole is not None and len(whole.names[0]) > 2) or (whole is not None and len(text) == 2):
            # A long option with one dash (gcc -shared), or a single letter.
            if "=" in text:
                self._note(whole, text, _tail(word, text.index("=") + 1))
                return False
            takes = whole.value and not whole.optional
            self._note(whole, text, following if takes else None)
            return takes
        for at in range(1, len(text)):
            name = "-" + text[at]
            option = table.get(name)
            if option is None or not option.value:
                if text[at + 1 : at + 2] == "=":
                    self._note(option, name, _tail(word, at + 2))
                    return False
                self._note(option, name, None)
                continue
            if at + 1 < len(text):
                skip = 1 if text[at + 1] == "=" else 0
                self._note(option, name, _tail(word, at + 1 + skip))
                return False
            takes = not option.optional
            self._note(option, name, following if takes else None)
            return takes
        return False


def _abbreviated(name: str, table: dict[str, Option]) -> Option | None:
    """Find the one long option that begins so, as getopt_long does."""
    if len(name) < 4:
        return None
    found = {option.names[0]: option for key, option in table.items() if key.startswith(name)}
    return next(iter(found.values())) if len(found) == 1 else None


def _tail(word: ShellWord, skip: int) -> ShellWord:
    """Give the word that is left when its first characters, which are literal, are cut off."""
    value = None if word.value is None else word.value[skip:]
    raw = word.raw
    # Quotes in front of the cut ("--opt=x") make raw longer than the value; then only the value counts.
    plain = raw[:skip] == (word.value if word.value is not None else word.pattern)[:skip]
    return replace(word, raw=raw[skip:] if plain else raw, value=value, pattern=word.pattern[skip:])
