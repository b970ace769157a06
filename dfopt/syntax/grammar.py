"""The grammar of arguments at work: a text and a start rule in, tokens out."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lark import Lark

STARTS = ("words", "text", "json", "pairs", "pairs_backtick", "items", "items_backtick", "check")


class NoMatch(ValueError):
    """The text is not of the form that the start rule describes; ``offset`` is where it departs."""

    def __init__(self, offset: int) -> None:
        super().__init__(f"no match at offset {offset}")
        self.offset = offset


@cache
def _lark() -> Lark:
    from lark import Lark

    text = files("dfopt.syntax").joinpath("dockerfile.lark").read_text("utf-8")
    return Lark(text, start=list(STARTS), parser="lalr", maybe_placeholders=False)


def parse(start: str, text: str) -> list[Any]:
    """Parse the arguments of an instruction by a start rule; gives the children of the tree. Raises NoMatch."""
    from lark.exceptions import UnexpectedInput

    try:
        return _lark().parse(text, start=start).children
    except UnexpectedInput as error:
        offset = error.pos_in_stream
        raise NoMatch(len(text) if offset is None or offset < 0 else offset) from None
