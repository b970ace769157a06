"""The short notation in which tool tables are written: options as one line of text, verbs as one call."""

from __future__ import annotations

from typing import Any

from dfopt.tools.model import Action, Kind, Option, Role, Subcommand, Tool

SYSTEM = (
    "/usr/", "/etc/", "/var/", "/lib/", "/lib32/", "/lib64/", "/bin/", "/sbin/", "/opt/", "/run/", "/srv/", "/boot/",
)  # fmt: skip
"""The folders that a distribution's packages and their scripts write to."""


def option(text: str) -> Option:
    """Read one option.

    ``"-y --yes"`` is a switch, ``"-t --target =text"`` takes a value, ``"--color [=text]"`` may take one. The word
    after ``=`` is the value's role (see ``Role``); a folder into which files are written is ``=tree``.
    """
    names = text.split()
    value, optional, role = False, False, ""
    last = names[-1]
    if last.startswith("[="):
        value, optional, role = True, True, last[2:-1]
        names.pop()
    elif last.startswith("="):
        value, role = True, last[1:]
        names.pop()
    checked: Role = role  # type: ignore[assignment]  # a test reads all tables and checks the roles
    return Option(tuple(names), value, "", checked, optional)


def options(text: str) -> tuple[Option, ...]:
    """Read options separated by ``|`` or newlines."""
    return tuple(option(part) for part in text.replace("\n", "|").split("|") if part.strip())


def verb(names: str, action: Action, opts: str = "", **fields: Any) -> Subcommand:
    """Make a verb; names are separated by ``|``.

    May be of two words (``"cache clean"``), and ``""`` is no verb at all.
    """
    spelled = tuple(name.strip() for name in names.split("|")) if names else ()
    return Subcommand(spelled, action, options=options(opts), **fields)


def tool(names: str, family: str, kind: Kind, *verbs: Subcommand, opts: str = "", **fields: Any) -> Tool:
    """Make a tool; ``names`` are its program names, separated by blanks."""
    return Tool(tuple(names.split()), family, kind, verbs, options(opts), **fields)
