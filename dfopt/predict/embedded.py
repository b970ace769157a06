"""The embedded data files of the predictions."""

from __future__ import annotations

import os

# importlib.resources would find them too, but takes longer to import than most predictions take to compute.
_FOLDER = os.path.join(os.path.dirname(__file__), "data")


def read(name: str) -> bytes:
    """Read a data file by its name; FileNotFoundError where there is none."""
    with open(os.path.join(_FOLDER, name), "rb") as file:
        return file.read()
