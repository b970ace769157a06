"""Programs that change owner, mode and capabilities of files."""

from __future__ import annotations

from dfopt.tools.model import Effects, Invocation
from dfopt.tools.paths import Place
from dfopt.tools.table import tool, verb

_USERS = frozenset(("/etc/passwd", "/etc/group"))


def _targets(invocation: Invocation, place: Place, recursive: bool) -> frozenset[str]:
    # An operand with a dash (chmod -x file) is read as an option, so that the first operand is a file already.
    words = list(invocation.operands)
    if not invocation.has("--reference") and not (invocation.tool.family == "chmod" and _dashed_mode(invocation)):
        words = words[1:]
    return frozenset(place.tree(word) if recursive else place.path(word) for word in words)


def _dashed_mode(invocation: Invocation) -> bool:
    return any(
        (word.value or "")[:1] == "-" and set((word.value or "-")[1:]) <= set("rwxXst") and word.value != "-"
        for word in invocation.option_words
    )


def _own(invocation: Invocation, place: Place) -> Effects:
    """Everything named is written again with its new owner; names are looked up in the user database."""
    files = _targets(invocation, place, invocation.has("-R"))
    return Effects(reads=files | _USERS, writes=files)


def _mode(invocation: Invocation, place: Place) -> Effects:
    """Everything named is written again with its new mode."""
    files = _targets(invocation, place, invocation.has("-R"))
    return Effects(reads=files, writes=files)


def _capabilities(invocation: Invocation, place: Place) -> Effects:
    """Operands are pairs of capabilities and file."""
    words = invocation.operands if invocation.has("-r") else invocation.operands[1::2]
    files = frozenset(place.path(word) for word in words)
    return Effects(reads=files, writes=files)


_OPTIONS = """
-R --recursive | -v --verbose | -c --changes | -f --silent --quiet | -h --no-dereference | --dereference
--reference =read | -H | -L | -P | --from =text | --preserve-root | --no-preserve-root
"""

TOOLS = (
    tool("chown chgrp", "chown", "owner", verb("", "change-owner", shape=_own, deterministic=True), opts=_OPTIONS,
        doc="changes owners"),
    tool("chmod", "chmod", "owner", verb("", "change-mode", shape=_mode, deterministic=True), opts=_OPTIONS,
        doc="changes modes"),
    tool("setcap getcap", "setcap", "owner", verb("", "change-mode", shape=_capabilities, deterministic=True),
        opts="-r | -q | -v | -n =text", doc="gives capabilities to programs"),
    tool("fix-permissions fix-perms", "fix-permissions", "owner", verb("", "change-mode", operands="tree"),
        doc="sets group modes below a folder (Jupyter's and OpenShift's images)"),
)  # fmt: skip
