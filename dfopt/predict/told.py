"""Sizes that the author tells in the file: ``# dfopt: size=9.27MB`` above a step, or in it above a download."""

from __future__ import annotations

import re

from msgspec import Struct

from dfopt.graph.model import Step
from dfopt.predict.model import RemoteSize

_COMMENT = re.compile(r"dfopt:\s*size\s*=\s*(?P<size>[^\s:]*)(?::(?P<unpacked>\S*))?", re.IGNORECASE)
_SIZE = re.compile(r"(\d+(?:\.\d+)?)([A-Za-z]*)")
_UNITS = {"": 1, "B": 1, "K": 1000, "KB": 1000, "M": 1000**2, "MB": 1000**2, "G": 1000**3, "GB": 1000**3,
          "KIB": 1024, "MIB": 1024**2, "GIB": 1024**3}  # fmt: skip


def size_of_text(text: str) -> int | None:
    """Read a size such as ``123456``, ``9.27MB`` or ``10 MiB`` in bytes; None where it is none."""
    match = _SIZE.fullmatch("".join(text.split()))
    if match is None or match[2].upper() not in _UNITS:
        return None
    return round(float(match[1]) * _UNITS[match[2].upper()])


class _Told(Struct):
    place: int
    size: RemoteSize
    inside: bool
    taken_by: object = None


class ToldSizes:
    """The sizes told about one step, and which of its downloads each is about.

    A size is about the first download that stands behind it. One that stands above a step without downloads is
    about the step's whole layer (``rest``).
    """

    def __init__(self, step: Step | None = None) -> None:
        self.wrong: list[str] = []
        self._told: list[_Told] = []
        self._command: tuple[object, float] = (None, float("inf"))
        if step is None or step.trigger is not None:
            return
        instruction = step.instruction
        for inside, comments in ((False, instruction.comments), (True, instruction.inner_comments)):
            for comment in comments:
                match = _COMMENT.match(comment.text)
                if match is None:
                    continue
                size = size_of_text(match["size"])
                unpacked = size_of_text(match["unpacked"]) if match["unpacked"] else None
                if size is None or (match["unpacked"] and unpacked is None):
                    self.wrong.append(f"'# {comment.text}' tells no size; write # dfopt: size=9.27MB")
                else:
                    self._told.append(_Told(comment.span.start, RemoteSize(size, unpacked), inside))
        self._told.sort(key=lambda one: one.place)

    def at_command(self, key: object, end: float) -> None:
        """Say which command is gone through now: what tells it apart, and where it ends in the file."""
        self._command = (key, end)

    def of_download(self, url: str) -> RemoteSize | None:
        """Give the size told about a download of the current command."""
        if not self._told:
            return None
        key, end = self._command
        key = url if key is None else key
        for one in self._told:
            if one.taken_by == key:
                return one.size
        for one in self._told:
            if one.taken_by is None and one.place < end:
                one.taken_by = key
                return one.size
        return None

    def rest(self) -> int | None:
        """Give what is told about the layer as a whole, in bytes."""
        left = [one for one in self._told if one.taken_by is None and not one.inside]
        if not left or any(one.taken_by is not None for one in self._told):
            return None
        size = left[-1].size
        return size.size_bytes if size.unpacked_bytes is None else size.unpacked_bytes
