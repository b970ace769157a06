"""Expanding the words of one instruction: what was used, what is missing, what cannot be known."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from dfopt.graph.model import Missing, Variable
from dfopt.source import Span
from dfopt.syntax.words import Expansion, WordError, expand

# Characters without a meaning of their own in a word: most words hold nothing else and stay as they are.
_PLAIN = re.compile(r"[A-Za-z0-9_./:,=+@%~^*?&#;|()\[\]{}!> -]*\Z")
_HAS_FALLBACK = frozenset((":-", "-", ":+", "+"))


class Expander:
    """Expands words with the variables of a scope and remembers which ones were asked for.

    A variable without a value is a declared ARG: it expands to nothing and is not missing. Where the base image is not
    known, a variable that nobody set may be one of its own.
    """

    __slots__ = ("base_known", "escape", "missing", "tainted", "unknown", "used", "variables")

    def __init__(self, variables: Mapping[str, Variable], escape: str, base_known: bool) -> None:
        self.variables = variables
        self.escape = escape
        self.base_known = base_known
        self.used: list[str] = []
        self.unknown: list[str] = []
        self.missing: list[Missing] = []
        self.tainted = False
        """Whether the last word holds something that cannot be known."""

    def word(self, text: str, span: Span) -> str:
        """Expand one word. Raises WordError."""
        if _PLAIN.match(text):
            self.tainted = False
            return text
        return self._expand(text, span).value

    def words(self, text: str, span: Span) -> tuple[str, ...]:
        """Expand one word and split it at white space. Raises WordError."""
        return self._expand(text, span).words

    def document(self, text: str, span: Span) -> str:
        """Expand a here-document's body, where quotes have no meaning. Raises WordError."""
        self.tainted = False
        if "$" not in text and "\\" not in text:
            return text
        return self._run(text, span, lambda: expand(text, self._lookup, "\\", literal_quotes=True)).value

    def _expand(self, text: str, span: Span) -> Expansion:
        return self._run(text, span, lambda: expand(text, self._lookup, self.escape))

    def _run(self, text: str, span: Span, action: Callable[[], Expansion]) -> Expansion:
        try:
            result = action()
        except WordError as error:
            self._note(text, span, error)
            raise
        self._note(text, span, result)
        return result

    def _lookup(self, name: str) -> str | None:
        variable = self.variables.get(name)
        return variable.value if variable is not None else None

    def _note(self, text: str, span: Span, result: Expansion | WordError) -> None:
        self.tainted = False
        for reference in result.used:
            self.used.append(reference.name)
            if not self.variables[reference.name].known:
                self._taint(reference.name, reference.modifier)
        seen: set[str] = set()
        for reference in result.missing:
            name = reference.name
            if name in self.variables:
                self.used.append(name)
                self._taint(name, reference.modifier)
                continue
            if not self.base_known:
                self._taint(name, reference.modifier)
            if name not in seen:
                seen.add(name)
                self.missing.append(Missing(name, _place(text, span, reference.span)))

    def _taint(self, name: str, modifier: str) -> None:
        if modifier not in _HAS_FALLBACK:
            self.tainted = True
            if name not in self.unknown:
                self.unknown.append(name)


def _place(text: str, word: Span, part: Span) -> Span:
    """Give the file span of a part of a word; the whole word where continuations or JSON escapes shift it."""
    if word.end - word.start == len(text):
        return Span(word.start + part.start, word.start + part.end)
    return word
