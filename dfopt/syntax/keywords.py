"""The instructions of the language as one table: the shape of their arguments and the flags they know."""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple


class Shape(Enum):
    """How the arguments of an instruction are cut. Most are named like the start rule of the grammar that does it."""

    TEXT = "text"
    WORDS = "words"
    ITEMS = "items"
    PAIRS = "pairs"
    COMMAND = "command"
    PATHS = "paths"
    CHECK = "check"
    TRIGGER = "trigger"


class FlagKind(Enum):
    """What a flag's value may be."""

    STRING = "string"
    LIST = "list"
    BOOL = "bool"


class Keyword(NamedTuple):
    """One instruction: the shape of its arguments, its flags, and whether unknown flags pass unseen."""

    shape: Shape
    flags: dict[str, FlagKind] = {}  # noqa: RUF012 - a table that nobody changes
    ignores_flags: bool = False
    heredocs: bool = False


_S, _L, _B = FlagKind.STRING, FlagKind.LIST, FlagKind.BOOL

KEYWORDS: dict[str, Keyword] = {
    "ADD": Keyword(
        Shape.PATHS,
        {"chown": _S, "chmod": _S, "checksum": _S, "exclude": _L, "link": _B, "keep-git-dir": _B, "unpack": _B},
        heredocs=True,
    ),
    "ARG": Keyword(Shape.ITEMS, ignores_flags=True),
    "CMD": Keyword(Shape.COMMAND),
    "COPY": Keyword(
        Shape.PATHS,
        {"from": _S, "chown": _S, "chmod": _S, "exclude": _L, "link": _B, "parents": _B},
        heredocs=True,
    ),
    "ENTRYPOINT": Keyword(Shape.COMMAND),
    "ENV": Keyword(Shape.PAIRS),
    "EXPOSE": Keyword(Shape.WORDS),
    "FROM": Keyword(Shape.WORDS, {"platform": _S}),
    "HEALTHCHECK": Keyword(
        Shape.CHECK,
        {"interval": _S, "timeout": _S, "start-period": _S, "start-interval": _S, "retries": _S},
    ),
    "LABEL": Keyword(Shape.PAIRS),
    "MAINTAINER": Keyword(Shape.TEXT),
    "ONBUILD": Keyword(Shape.TRIGGER),
    "RUN": Keyword(Shape.COMMAND, {"mount": _L, "network": _S, "security": _S, "device": _L}, heredocs=True),
    "SHELL": Keyword(Shape.COMMAND),
    "STOPSIGNAL": Keyword(Shape.TEXT, ignores_flags=True),
    "USER": Keyword(Shape.TEXT),
    "VOLUME": Keyword(Shape.PATHS),
    "WORKDIR": Keyword(Shape.TEXT),
}
