"""Options of BuildKit's checks: the ``check`` directive, the build argument in its place, and comments."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from msgspec import Struct

from dfopt.syntax.frontend import declaration
from dfopt.syntax.tree import Dockerfile

_INLINE = re.compile(r"check[\t\n\f\r ]*=[\t\n\f\r ]*(\S+)", re.IGNORECASE)
_TRUE = frozenset(("1", "t", "T", "TRUE", "true", "True"))
_FALSE = frozenset(("0", "f", "F", "FALSE", "false", "False"))
EXPERIMENTAL = frozenset(("InvalidDefinitionDescription",))
"""Checks that only run when they are asked for."""


class Config(Struct, frozen=True):
    """Which checks run: ``skip`` and ``experimental`` hold names; ``error`` makes any match end the build."""

    skip: frozenset[str] = frozenset()
    skip_all: bool = False
    experimental: frozenset[str] = frozenset()
    experimental_all: bool = False
    error: bool = False

    def runs(self, name: str) -> bool:
        """Tell whether a check runs. ``skip`` does not switch an experimental one off."""
        if name in EXPERIMENTAL:
            return self.experimental_all or name in self.experimental
        return not (self.skip_all or name in self.skip)

    def with_comments(self, comments: Iterable[str]) -> Config:
        """Add what the first comment of the form ``check=...`` asks for; one that cannot be read counts as none."""
        for comment in comments:
            found = _INLINE.match(comment)
            if found:
                try:
                    return self.merged(parse_config(found[1]))
                except ValueError:
                    return self
        return self

    def merged(self, other: Config) -> Config:
        """Add what other options ask for; ``error`` stays."""
        return Config(
            self.skip | other.skip,
            self.skip_all or other.skip_all,
            self.experimental | other.experimental,
            self.experimental_all or other.experimental_all,
            self.error,
        )


def parse_config(text: str) -> Config:
    """Read check options, ``skip=A,B;error=true``. Raises ValueError with the reason."""
    text = text.strip()
    if not text:
        return Config()
    found: dict[str, str] = {}
    for part in text.split(";", 2):
        key, equals, value = part.partition("=")
        key, value = key.strip(), value.strip()
        if not equals or key not in ("skip", "experimental", "error"):
            raise ValueError(
                f"the check option {key or 'of no name'} is not known; there are skip, experimental and error"
            )
        if key == "error" and value not in _TRUE | _FALSE:
            raise ValueError(f"error is either true or false, not {value or 'empty'}")
        found[key] = value
    names = {key: frozenset(name.strip() for name in found.get(key, "").split(",")) for key in ("skip", "experimental")}
    return Config(
        names["skip"],
        found.get("skip") == "all",
        names["experimental"],
        found.get("experimental") == "all",
        found.get("error") in _TRUE,
    )


def file_config(file: Dockerfile, build_args: Mapping[str, str]) -> Config:
    """Give the configuration of a file: its directive, or the build argument that replaces it. Raises ValueError."""
    given = build_args.get("BUILDKIT_DOCKERFILE_CHECK")
    if given is None:
        declared = declaration(file.source.text, "check") if "check" in file.source.text[:4096].lower() else None
        given = declared.word if declared else ""
    return parse_config(given)
