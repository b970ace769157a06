"""ADD of local files as COPY."""

from __future__ import annotations

from dfopt.edit import Edit
from dfopt.finding import Applicability
from dfopt.rewrite.archives import may_be_archive
from dfopt.rewrite.model import Change, PassInput, PassResult, Refusal
from dfopt.rewrite.places import is_remote
from dfopt.syntax.tree import Add

NAME = "add-to-copy"
_OWN_FLAGS = frozenset(("checksum", "keep-git-dir", "unpack"))


def add_to_copy(given: PassInput) -> PassResult:
    """Use COPY where ADD neither fetches nor unpacks: it says what happens and cannot start to unpack one day."""
    result: PassResult = []
    for step in given.graph.steps:
        add = step.instruction
        if not isinstance(add, Add) or step.stage < 0 or _OWN_FLAGS & {flag.name for flag in add.flags}:
            continue
        sources = step.sources
        if any(is_remote(source) for source in sources):
            continue
        if step.unknown:
            result.append(Refusal(NAME, "the name of a source is not known", step.span))
            continue
        written = [word.text for word in add.sources if "$" in word.text]
        unsure = [
            source for source in (*sources, *written) if source.startswith("$") or may_be_archive(source, given.context)
        ]
        if unsure:
            result.append(Refusal(NAME, f"{unsure[0]} may be an archive that ADD unpacks", step.span))
            continue
        keyword = "copy" if given.graph.tree.source.slice(add.keyword_span).islower() else "COPY"
        result.append(
            Change(
                NAME, "use COPY for local files", "ADD also fetches and unpacks, which these sources do not need",
                (Edit(add.keyword_span, keyword),), Applicability.SAFE, add.keyword_span,
            )
        )  # fmt: skip
    return result
