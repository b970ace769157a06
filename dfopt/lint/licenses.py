"""Licence expressions of SPDX: which identifiers exist, and whether a text is an expression made of them.

The list is that of SPDX 3.27, read when first asked for: a line per identifier, deprecated ones behind a minus sign,
exceptions behind a plus sign.
"""

from __future__ import annotations

import os
import re
from functools import lru_cache

_WORDS = re.compile(r"\(|\)|[^\s()]+")


@lru_cache(maxsize=1)
def _identifiers() -> dict[str, str]:
    """Map lower-case identifiers to how they are written, with their mark."""
    path = os.path.join(os.path.dirname(__file__), "data", "spdx.txt")
    with open(path, encoding="ascii") as file:
        return {line.strip().lstrip("-+").lower(): line.strip() for line in file}


def license_problem(text: str) -> str | None:
    """Tell what is wrong with a licence expression; None where it is one (SPDX specification, annex D).

    Identifiers are compared without their case, as the specification asks.
    """
    words = _WORDS.findall(text)
    depth, wants_name, after_with = 0, True, False
    for word in words:
        if word == "(" and wants_name and not after_with:
            depth += 1
        elif word == ")" and not wants_name and depth:
            depth -= 1
        elif word.upper() in ("AND", "OR") and not wants_name:
            wants_name = True
        elif word.upper() == "WITH" and not wants_name:
            wants_name = after_with = True
        elif wants_name:
            problem = _name_problem(word, after_with)
            if problem:
                return problem
            wants_name = after_with = False
        else:
            return f"AND or OR is missing in front of {word}"
    return "it ends too early" if wants_name or depth else None


def is_current_identifier(text: str) -> bool:
    """Tell whether a text is one identifier, written as in the list, that is not deprecated."""
    return _identifiers().get(text.lower()) == text


def _name_problem(word: str, exception: bool) -> str | None:
    if re.fullmatch(r"(?:DocumentRef-[\w.-]+:)?(?:LicenseRef|AdditionRef)-[\w.-]+", word):
        return None
    known = _identifiers()
    found = known.get(word.lower()) or known.get(word.removesuffix("+").lower())
    if found is None or found.startswith("+") != exception:
        return f"{word} is no identifier of SPDX"
    if found.startswith("-"):
        base = found[1:].removesuffix("+")
        instead = known.get(f"{base}-only".lower())
        if instead:
            return f"{word} is no longer used: write {base}-only or {base}-or-later"
        return f"{word} is no longer used"
    return None
