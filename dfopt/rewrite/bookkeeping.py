"""Variables that only say what a build is called, and the commands that certainly do not look at them.

The environment of a command is part of what it can see. A variable such as BUILD_DATE is left out of it for programs
of the distribution whose variables are documented, so that its place above or below them makes no difference.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from dfopt.shell.model import Command
from dfopt.tools import recognise

NAMES = re.compile(
    r"(?:(?:BUILD|GIT|VCS|CI|COMMIT|SOURCE|IMAGE|APP|RELEASE)_)?"
    r"(?:BUILD_(?:DATE|TIME|TIMESTAMP|NUMBER|ID|REF|SHA|REVISION|VERSION)|DATE|TIMESTAMP|CREATED|COMMIT(?:_(?:SHA|HASH|ID|REF|DATE))?"
    r"|(?:GIT_)?(?:SHA1?|HASH|REVISION|REF|BRANCH|TAG|DESCRIBE)|REVISION|IMAGE_VERSION|APP_VERSION|RELEASE_VERSION"
    r"|CACHE_?BUST(?:ER)?|CACHE_?DATE)"
)
"""Names that differ from build to build and tell only who built what and when."""
_FAMILIES = frozenset(("apt", "dpkg", "apk", "dnf", "yum", "rpm", "zypper", "pacman"))
_COMMANDS = frozenset(
    """
    adduser addgroup cat chgrp chmod chown cp curl echo groupadd install ln locale-gen mkdir mv printf rm rmdir sed tar
    test touch true unzip update-ca-certificates useradd usermod wget
    """.split()  # noqa: SIM905 - a table of names is easier to read as text
)


def is_bookkeeping(name: str) -> bool:
    """Tell whether a variable only names a build."""
    return NAMES.fullmatch(name) is not None


def overlooked(commands: Sequence[Command], text: str, names: Sequence[str]) -> frozenset[str]:
    """Give those of some variables that commands with this text certainly do not look at."""
    wanted = [name for name in names if is_bookkeeping(name) and not re.search(rf"\b{re.escape(name)}\b", text)]
    if not wanted or not commands or not all(map(_is_deaf, commands)):
        return frozenset()
    return frozenset(wanted)


def _is_deaf(command: Command) -> bool:
    if not command.words or command.name is None or command.piped:
        return False
    word = command.words[0].value or ""
    if "/" in word and not word.startswith(("/usr/", "/bin/", "/sbin/")):
        return False
    invocation = recognise(command)
    if invocation is not None and invocation.family in _FAMILIES:
        return not invocation.subcommand.runs_project_code
    return command.name in _COMMANDS
