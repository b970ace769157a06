"""The kinds of white space that the language tells apart.

BuildKit is written in Go, whose notion of white space differs from Python's: ``str.strip()`` and ``\\s`` also take the
separators U+001C to U+001F, and the language splits some arguments on ASCII blanks only.
"""

from __future__ import annotations

UNICODE = "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000"  # fmt: skip  # noqa: E501 - one constant
"""Characters with the Unicode property White_Space: trimmed from lines and arguments; they separate quoted words."""

ASCII = "\t\v\f\r "
"""Blanks between a keyword and its arguments, and between the words of FROM, COPY, EXPOSE and the like."""

LATIN1 = "\t\n\v\f\r \x85\xa0"
"""White space as seen by the parts of BuildKit that read byte by byte."""
