"""Escaping for the XML formats."""

from __future__ import annotations

import re

from dfopt.report.model import clean

# Characters that XML 1.0 cannot hold in any form.
_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_ESCAPES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "\n": "&#10;", "\r": "&#13;", "\t": "&#9;"}


def escape(text: str) -> str:
    """Escape a text for an attribute or an element; forbidden characters are replaced."""
    text = _FORBIDDEN.sub("\ufffd", clean(text))
    return "".join(_ESCAPES.get(ch, ch) for ch in text)


def attributes(**values: object) -> str:
    """Write attributes, each with a blank in front."""
    return "".join(f' {name}="{escape(str(value))}"' for name, value in values.items())
