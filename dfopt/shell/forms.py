"""Shell syntax before anything is evaluated: ranges of the script's text, put together by either of the two readers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias


@dataclass(slots=True)
class WordForm:
    """A word as a range of the text, with the substitutions inside it."""

    start: int
    end: int
    nested: tuple[NestedForm, ...] = ()


@dataclass(slots=True)
class NestedForm:
    """``$(...)``, `` `...` ``, ``<(...)`` or ``>(...)``.

    ``items`` is None for backticks, whose text has to be unescaped before it can be read.
    """

    opener: str
    start: int
    end: int
    items: list[ItemForm] | None


@dataclass(slots=True)
class RedirectForm:
    """A redirection; for a here-document ``body_start`` and ``body_end`` enclose its lines."""

    operator: str
    fd: int | None
    target: WordForm | None
    start: int
    end: int
    body_start: int = -1
    body_end: int = -1
    nested: tuple[NestedForm, ...] = ()


@dataclass(slots=True)
class AssignmentForm:
    """``name=value``, ``name+=value``, ``name[i]=value`` or ``name=(...)``."""

    name: str
    append: bool
    value: WordForm
    start: int
    end: int
    indexed: bool = False


@dataclass(slots=True)
class SimpleForm:
    """A simple command."""

    start: int
    end: int
    words: list[WordForm] = field(default_factory=list)
    assignments: list[AssignmentForm] = field(default_factory=list)
    redirects: list[RedirectForm] = field(default_factory=list)


@dataclass(slots=True)
class PipeForm:
    """Elements joined by ``|`` or ``|&``; also a single negated one."""

    start: int
    end: int
    elements: list[Form]
    operators: list[str]
    negated: bool = False


@dataclass(slots=True)
class BlockForm:
    """A compound command: its sections in order, each with its role (condition, then, else, do, pattern, body)."""

    kind: str
    start: int
    end: int
    sections: list[tuple[str, list[ItemForm]]]
    redirects: list[RedirectForm] = field(default_factory=list)
    words: list[WordForm] = field(default_factory=list)
    name: str | None = None


Form: TypeAlias = "SimpleForm | PipeForm | BlockForm"


@dataclass(slots=True)
class ItemForm:
    """An element of a list with the operator before it; ``background`` where an ``&`` ends its and-or list."""

    operator: str
    start: int
    end: int
    form: Form
    background: bool = False


@dataclass(slots=True)
class ScriptForm:
    """A whole text as read: its list, comments and problems (message, start, end)."""

    items: list[ItemForm]
    comments: list[tuple[int, int]] = field(default_factory=list)
    problems: list[tuple[str, int, int]] = field(default_factory=list)
