"""Programs that only start another command, as a table: how they are called and where the command begins."""

from __future__ import annotations

import re

from msgspec import Struct

from dfopt.shell.model import ShellWord

_ASSIGNMENT = re.compile(r"([A-Za-z_]\w*)=(.*)", re.ASCII | re.DOTALL)


class Wrapper(Struct, frozen=True):
    """How a wrapper is called.

    ``short`` are the letters of options that take a value, ``long`` the names of those without ``=``. ``operands`` is
    the number of words between the options and the command. ``assignments`` tells whether ``name=value`` may stand
    there. ``opaque`` are options with which no command follows. ``directory`` are options whose value is the new
    directory.
    """

    short: str = ""
    long: tuple[str, ...] = ()
    operands: int = 0
    assignments: bool = False
    opaque: tuple[str, ...] = ()
    directory: tuple[str, ...] = ()


WRAPPERS: dict[str, Wrapper] = {
    "sudo": Wrapper(
        "ughpCDRTUrt",
        ("--user", "--group", "--host", "--prompt", "--close-from", "--chdir", "--chroot", "--command-timeout",
         "--other-user", "--role", "--type"),
        assignments=True,
        opaque=("-e", "-l", "-ll", "-v", "-K", "-V", "--edit", "--list", "--validate", "--version", "-R", "--chroot"),
        directory=("-D", "--chdir"),
    ),
    "doas": Wrapper("uC", opaque=("-s", "-L")),
    "gosu": Wrapper(operands=1),
    "su-exec": Wrapper(operands=1),
    "env": Wrapper(
        "uCS", ("--unset", "--chdir", "--split-string"), assignments=True, opaque=("-S", "--split-string"),
        directory=("-C", "--chdir"),
    ),
    "exec": Wrapper("a"),
    "time": Wrapper("fo", ("--format", "--output")),
    "nice": Wrapper("n", ("--adjustment",)),
    "ionice": Wrapper("cn", ("--class", "--classdata"), opaque=("-p", "--pid")),
    "nohup": Wrapper(),
    "setsid": Wrapper(),
    "chronic": Wrapper(),
    "eatmydata": Wrapper(),
    "xargs": Wrapper(
        "aEILnPsd", ("--arg-file", "--delimiter", "--max-args", "--max-procs", "--max-chars", "--process-slot-var"),
    ),
    "command": Wrapper(opaque=("-v", "-V", "-pv", "-pV")),
    "builtin": Wrapper(),
    "busybox": Wrapper(opaque=("--install", "--list", "--help", "--list-full")),
    "timeout": Wrapper("ks", ("--kill-after", "--signal"), operands=1),
    "stdbuf": Wrapper("ioe", ("--input", "--output", "--error")),
    "linux32": Wrapper(),
    "linux64": Wrapper(),
    "setarch": Wrapper(operands=1),
    "fakeroot": Wrapper("lsibu", ("--lib", "--faked", "--save-file", "--load-file")),
    "xvfb-run": Wrapper(
        "nefpsw", ("--server-num", "--error-file", "--auth-file", "--xauth-protocol", "--server-args", "--wait"),
    ),
    "dumb-init": Wrapper("r", ("--rewrite",)),
    "tini": Wrapper("pev"),
    "flock": Wrapper(
        "wEc", ("--timeout", "--conflict-exit-code"), operands=1, opaque=("-c", "--command", "-u", "--unlock"),
    ),
    "runuser": Wrapper(
        "ugGs", ("--user", "--group", "--supp-group", "--shell"), opaque=("-c", "--command", "-l", "-", "--login"),
    ),
}  # fmt: skip
"""Not among them: chroot and the like, whose command runs on other files."""

NARROW = frozenset({"busybox", "command", "builtin", "exec", "run", "time"})
"""What hadolint looks through; the word is dropped and nothing else."""

SHELLS = frozenset({"sh", "bash", "dash", "ash", "ksh", "zsh"})
_USER_SHELLS = frozenset({"su", "runuser"})
_SHELL_LONG = frozenset({"--rcfile", "--init-file"})


class Unwrapped(Struct, frozen=True):
    """A command seen through one wrapper: the rest of its words and what the wrapper changes."""

    name: str
    words: list[ShellWord]
    assignments: tuple[tuple[str, str | None], ...] = ()
    directory: str | None = None
    login: bool = False


def unwrap(words: list[ShellWord], narrow: bool = False) -> Unwrapped | None:
    """See through one wrapper; None where the command is none, or where what it starts cannot be told."""
    value = words[0].value
    if not value:
        return None
    if narrow:
        return Unwrapped(value, words[1:]) if value in NARROW and len(words) > 1 else None
    name = value.rsplit("/", 1)[-1]
    wrapper = WRAPPERS.get(name)
    if wrapper is None:
        return None
    assignments: list[tuple[str, str | None]] = []
    directory = None
    login = False
    operands = wrapper.operands
    index, count = 1, len(words)
    options = True
    while index < count:
        word = words[index]
        text = word.value if word.value is not None else word.pattern
        if options and text.startswith("-") and len(text) > 1:
            index += 1
            if text == "--":
                options = False
                continue
            option, equals, _ = text.partition("=") if text.startswith("--") else (text, "", "")
            if option in wrapper.opaque:
                return None
            login = login or (name == "sudo" and (option == "--login" or (text[1] != "-" and "i" in text[1:])))
            takes = option in wrapper.long and not equals
            if not text.startswith("--"):
                at = next((place for place, letter in enumerate(text) if place and letter in wrapper.short), 0)
                takes = at == len(text) - 1 and at > 0
                option = "-" + text[at] if at else option
                if option in wrapper.opaque:
                    return None
            if takes:
                if option in wrapper.directory and index < count:
                    directory = words[index].value
                index += 1
            elif option in wrapper.directory and equals:
                directory = text.partition("=")[2]
            continue
        if options and text == "-" and name == "env":
            index += 1
            continue
        match = _ASSIGNMENT.match(text) if wrapper.assignments else None
        if match:
            assignments.append((match.group(1), match.group(2) if word.value is not None else None))
            index += 1
            continue
        if operands:
            operands -= 1
            index += 1
            continue
        break
    if index >= count:
        return None
    return Unwrapped(name, words[index:], tuple(assignments), directory, login)


class Inline(Struct, frozen=True):
    """A shell that is given its code: its name, the place of the code's word (-1: on its input) and its options."""

    shell: str
    place: int
    options: frozenset[str]
    login: bool = False


LETTERS = {
    "e": "errexit", "u": "nounset", "x": "xtrace", "v": "verbose", "f": "noglob", "a": "allexport", "n": "noexec",
    "C": "noclobber", "E": "errtrace", "h": "hashall", "b": "notify", "m": "monitor", "k": "keyword", "P": "physical",
    "T": "functrace", "p": "privileged", "B": "braceexpand", "H": "histexpand",
}  # fmt: skip
"""The letters of ``set`` and their long names."""


def change_options(words: list[str], options: frozenset[str]) -> tuple[frozenset[str], int, bool]:
    """Apply words such as ``-eo pipefail`` or ``+x``.

    Gives the options by long name, the index of the first word that is not one, and whether ``-c`` was among them.
    """
    changed = set(options)
    code = False
    index = 0
    while index < len(words):
        word = words[index]
        if word in ("-", "--"):
            index += 1
            break
        if len(word) < 2 or word[0] not in "-+":
            break
        index += 1
        if word.startswith("--"):
            index += word in _SHELL_LONG
            continue
        for letter in word[1:]:
            if letter == "c":
                code = True
                continue
            if letter in "oO":
                if index >= len(words):
                    continue
                name = words[index] if letter == "o" else ""
                index += 1
            else:
                name = LETTERS.get(letter, "")
            if name:
                (changed.add if word[0] == "-" else changed.discard)(name)
    return frozenset(changed), index, code


def inline_script(words: list[ShellWord], fed: bool = False) -> Inline | None:
    """Find the code in ``sh -c code``, ``su -c code`` and ``su user -c code``; None for anything else.

    ``fed`` tells that the input is a here-document, which ``sh`` and ``sh -s argument`` read as their code.
    """
    name = (words[0].value or "").rsplit("/", 1)[-1]
    if name not in SHELLS and name not in _USER_SHELLS:
        return None
    texts = [word.pattern if word.value is None else word.value for word in words]
    if name in SHELLS:
        options, index, code = change_options(texts[1:], frozenset())
        index += 1
        if code:
            return Inline(name, index, options) if index < len(words) else None
        operands = index < len(words) and not any(re.match(r"-[a-z]*s", text) for text in texts[1:index])
        return Inline(name, -1, options) if fed and not operands else None
    for index, text in enumerate(texts[1:-1], 1):
        if text in ("-c", "--command", "-lc"):
            login = any(one in ("-", "-l", "--login", "-lc") for one in texts[1:])
            return Inline(name, index + 1, frozenset(), login)
    return None
