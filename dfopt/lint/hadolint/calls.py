"""Commands as hadolint reads them: a name, words, and flags by their letters."""

from __future__ import annotations

from functools import cached_property

from msgspec import Struct

from dfopt.shell.model import Command


class Call(Struct, frozen=True, dict=True):
    """One command: its name as written, folder included, and the words behind it without their quotes."""

    name: str
    words: tuple[str, ...]

    @classmethod
    def all_of(cls, command: Command) -> list[Call]:
        """Take a command of the narrow view; one behind ``time`` counts twice, one without a known name not at all."""
        name, *rest = (word.pattern if word.value is None else word.value for word in command.words)
        words = tuple(rest)
        found = [cls(wrapper, (name, *words)) for wrapper in command.wrappers if wrapper == "time"]
        if command.words[0].value:
            found.append(cls(name, words))
        return found

    @cached_property
    def flags(self) -> tuple[tuple[str, int], ...]:
        """The flags with the index of their word: a name for ``--name``, each character behind a single dash."""
        found: list[tuple[str, int]] = []
        for index, word in enumerate(self.words):
            if word.startswith("--"):
                name = word[2:].partition("=")[0]
                if name:
                    found.append((name, index))
            elif word.startswith("-"):
                found += [(letter, index) for letter in word[1:]]
        return tuple(found)

    def has(self, *words: str) -> bool:
        """Tell whether one of the words stands anywhere behind the name."""
        return any(word in self.words for word in words)

    def has_flag(self, *names: str) -> bool:
        """Tell whether one of the flags is given."""
        return any(name in names for name, _ in self.flags)

    def count(self, name: str) -> int:
        """Count how often a flag is given."""
        return sum(name == one for one, _ in self.flags)

    def values(self, name: str) -> list[str]:
        """Give the words behind each flag of a name that does not carry its value in itself."""
        places = (index + 1 for flag, index in self.flags if flag == name and "=" not in self.words[index])
        return [self.words[at] for at in places if at < len(self.words)]

    def without_values(self, names: frozenset[str]) -> tuple[str, ...]:
        """Give the words without those that follow one of the flags."""
        dropped = {index + 1 for name, index in self.flags if name in names and "=" not in self.words[index]}
        return tuple(word for index, word in enumerate(self.words) if index not in dropped)

    def operands(self, names: frozenset[str] = frozenset()) -> list[str]:
        """Give the words that are no flags, without the values of the flags named."""
        return [word for word in self.without_values(names) if not word.startswith("-")]

    def is_(self, *names: str) -> bool:
        """Tell whether the command has one of the names."""
        return self.name in names
