"""A smaller variant of the same base image."""

from __future__ import annotations

from dfopt.edit import Edit
from dfopt.finding import Applicability
from dfopt.images.known import facts as facts_of
from dfopt.rewrite.model import Change, PassInput, PassResult, Refusal

NAME = "base-variant"


def base_variant(given: PassInput) -> PassResult:
    """Move the image that ships to a variant such as slim. Unsafe: the variant lacks packages and documentation."""
    result: PassResult = []
    if not given.base_variant:
        return result
    for stage in given.graph.stages:
        if not stage.ships or not stage.reachable or stage.base is not None or stage.image in (None, "scratch"):
            continue
        word = stage.from_.image
        written = word.text
        if (
            "$" in written
            or "@" in written
            or written.endswith(given.base_variant)
            or ":" not in written.rsplit("/", 1)[-1]
        ):
            result.append(Refusal(NAME, f"{written} has no plain tag to vary", word.span))
            continue
        wanted = f"{written}-{given.base_variant}"
        facts = facts_of(wanted)
        if facts is None or not facts.size_bytes or facts.confidence == "estimated":
            result.append(Refusal(NAME, f"{wanted} is not known", word.span))
            continue
        result.append(
            Change(
                NAME, f"build on {wanted}", f"{wanted} is the same release without what a container seldom needs",
                (Edit(word.span, wanted),), Applicability.UNSAFE, word.span,
            )
        )  # fmt: skip
    return result
