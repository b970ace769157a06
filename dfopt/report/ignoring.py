"""Proposals for a ``.dockerignore`` for people and programs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dfopt.report.prediction import size_text
from dfopt.rewrite.ignoring import IgnoreProposal


def lines_of(proposals: Sequence[IgnoreProposal]) -> list[str]:
    """Give the proposals as lines of text, with what each saves."""
    sent = sum(each.sent_bytes for each in proposals)
    lines = [f".dockerignore: {len(proposals)} more patterns would keep {size_text(sent)} out of the build context"]
    for each in proposals:
        what = f"{each.files:,} file{'s' if each.files > 1 else ''}, {size_text(each.sent_bytes)}"
        if each.image_bytes:
            what += f", {size_text(each.image_bytes)} of it copied into a layer"
        mark = "secret  " if each.secret else ""
        lines.append(f"  {mark}{each.pattern}  ({what}): {each.reason}")
    return lines


def as_objects(proposals: Sequence[IgnoreProposal]) -> list[dict[str, Any]]:
    """Give the proposals as JSON values; sizes are bytes."""
    return [
        {
            "pattern": each.pattern, "reason": each.reason, "files": each.files, "sent_bytes": each.sent_bytes,
            "image_bytes": each.image_bytes, "secret": each.secret,
        }
        for each in proposals
    ]  # fmt: skip
