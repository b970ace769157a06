"""Words and commands as hadolint sees them: as text, nothing known put in.

``$X`` and ``${X}`` both read ``${X}``, ``$(code)`` reads ``${code}``, arithmetic and backticks read ``${VAR}``, brace
expansions vanish. The facts come from hadolint's documented behaviour and from its answers to probes.
"""

from __future__ import annotations

from collections.abc import Sequence

from dfopt.shell.braces import first_braces
from dfopt.shell.words import Expander


class _Text(Expander):
    """Gives the text of a word; ``pure`` tells whether nothing but literals and quotes stood in it."""

    __slots__ = ("pure",)

    def __init__(self) -> None:
        super().__init__(lambda name: None)
        self.pure = True

    def _put(self, value: str | None, quoted: bool) -> None:
        self._literal(value or "")

    def _home(self, user: str | None) -> str | None:
        return "~" + (user or "")

    def _substituted(self, pos: int, stop: int) -> str | None:
        self.pure = False
        if self._raw[pos] == "`":
            return "${VAR}"
        return "${" + self._raw[pos + 2 : stop - 1] + "}" if self._raw[pos] == "$" else ""

    def _dollar(self, pos: int, end: int, quoted: bool) -> int:
        mark = len(self._value)
        stop = super()._dollar(pos, end, quoted)
        raw = self._raw[pos:stop]
        if raw == "$" or (raw[1:2] in ("'", '"') and not quoted):
            return stop
        del self._value[mark:]
        self.pure = False
        self._known = True
        if raw.startswith(("$(", "$[")):
            self._literal("${VAR}")
        else:
            self._literal(raw if raw.startswith("${") else "${" + raw[1:] + "}")
        return stop


def word_text(raw: str, nested: Sequence[tuple[int, int]]) -> tuple[str, bool]:
    """Give the text of a word and whether it is a pure literal."""
    pure = True
    while not nested and "{" in raw and (found := first_braces(raw)) is not None:
        raw = raw[: found[0]] + raw[found[1] :]
        pure = False
    text = _Text()
    fields = text.expand(raw, nested, split=False)
    return fields[0].value or "", pure and text.pure
