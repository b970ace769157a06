"""The check that Go's filepath.Match makes of a pattern of an ignore file.

BuildKit tries every pattern on the path ``.`` and refuses the file where that is an error. Match reads a pattern piece
by piece and stops at the first one that does not fit, so an error behind it is not seen; nor is it here.
"""

from __future__ import annotations


class GlobError(ValueError):
    """A pattern that filepath.Match calls malformed."""


def check_glob(pattern: str) -> None:
    """Read a pattern as filepath.Match does for the path ``.``. Raises GlobError."""
    name = "."
    while pattern:
        star, chunk, pattern = _next_chunk(pattern)
        if star and not chunk:
            return
        rest = _match_chunk(chunk, name)
        if rest is not None and (not rest or pattern):
            name = rest
            continue
        if not star:
            return
        for skipped in range(1, len(name) + 1):
            rest = _match_chunk(chunk, name[skipped:])
            if rest is not None and (pattern or not rest):
                name = rest
                break
        else:
            return


def _next_chunk(pattern: str) -> tuple[bool, str, str]:
    """Split off the stars in front and the text up to the next star outside brackets."""
    bare = pattern.lstrip("*")
    star = len(bare) < len(pattern)
    in_set, at = False, 0
    while at < len(bare):
        char = bare[at]
        if char == "\\":
            at += at + 1 < len(bare)
        elif char == "[":
            in_set = True
        elif char == "]":
            in_set = False
        elif char == "*" and not in_set:
            break
        at += 1
    return star, bare[:at], bare[at:]


def _match_chunk(chunk: str, text: str) -> str | None:
    """Match a chunk at the beginning of a text; gives what is left of it, None where it does not fit.

    The chunk is read to its end in any case, so its errors are found.
    """
    failed = False
    at = 0
    while at < len(chunk):
        failed = failed or not text
        char = chunk[at]
        at += 1
        if char == "[":
            fits, at = _in_set(chunk, at, "" if failed else text[0])
            failed = failed or not fits
        elif char == "?":
            failed = failed or text[0] == "/"
        else:
            if char == "\\":
                if at == len(chunk):
                    raise GlobError("it ends with a backslash")
                char = chunk[at]
                at += 1
            failed = failed or char != text[0]
        if not failed:
            text = text[1:]
    return None if failed else text


def _in_set(chunk: str, at: int, char: str) -> tuple[bool, int]:
    """Read a set in brackets; tells whether it holds a character, and where it ends."""
    negated = chunk.startswith("^", at)
    at += negated
    found, members = False, 0
    while not (chunk.startswith("]", at) and members):
        low, at = _member(chunk, at)
        high = low
        if chunk[at] == "-":
            high, at = _member(chunk, at + 1)
        found = found or low <= char <= high
        members += 1
    return found is not negated, at + 1


def _member(chunk: str, at: int) -> tuple[str, int]:
    """Read one character of a set; something must follow it."""
    if at >= len(chunk) or chunk[at] in "-]":
        raise GlobError("a set of characters in it is malformed")
    if chunk[at] == "\\":
        at += 1
    if at + 1 >= len(chunk):
        raise GlobError("a set of characters in it is never closed")
    return chunk[at], at + 1
