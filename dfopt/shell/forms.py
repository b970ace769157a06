"""Shell syntax before anything is evaluated: ranges of the script's text, put together by either of the two readers."""

from __future__ import annotations

from typing import TypeAlias

from msgspec import Struct


class WordForm(Struct):
    """A word as a range of the text, with the substitutions inside it."""

    start: int
    end: int
    nested: tuple[NestedForm, ...] = ()


class NestedForm(Struct):
    """``$(...)``, `` `...` ``, ``<(...)`` or ``>(...)``.

    ``items`` is None for backticks, whose text has to be unescaped before it can be read.
    """

    opener: str
    start: int
    end: int
    items: list[ItemForm] | None


class RedirectForm(Struct):
    """A redirection; for a here-document ``body_start`` and ``body_end`` enclose its lines."""

    operator: str
    fd: int | None
    target: WordForm | None
    start: int
    end: int
    body_start: int = -1
    body_end: int = -1
    nested: tuple[NestedForm, ...] = ()


class AssignmentForm(Struct):
    """``name=value``, ``name+=value``, ``name[i]=value`` (``indexed``) or ``name=(...)``."""

    name: str
    append: bool
    value: WordForm
    start: int
    end: int
    indexed: bool


class SimpleForm(Struct):
    """A simple command."""

    start: int
    end: int
    words: list[WordForm] = []
    assignments: list[AssignmentForm] = []
    redirects: list[RedirectForm] = []


class PipeForm(Struct):
    """Elements joined by ``|`` or ``|&``; also a single negated one."""

    start: int
    end: int
    elements: list[Form]
    operators: list[str]
    negated: bool = False


class BlockForm(Struct):
    """A compound command: its sections in order with their roles (condition, then, elif, else, do, pattern, body)."""

    kind: str
    start: int
    end: int
    sections: list[tuple[str, list[ItemForm]]]
    words: list[WordForm] = []
    name: str | None = None
    redirects: list[RedirectForm] = []


Form: TypeAlias = "SimpleForm | PipeForm | BlockForm"


class ItemForm(Struct):
    """An element of a list with the operator before it; ``background`` where an ``&`` ends its and-or list."""

    operator: str
    start: int
    end: int
    form: Form
    background: bool = False


class ScriptForm(Struct):
    """A whole text as read: its list, comments and problems (message, start, end)."""

    items: list[ItemForm]
    comments: list[tuple[int, int]]
    problems: list[tuple[str, int, int]] = []
