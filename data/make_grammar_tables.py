"""Writes the parser's tables anew after a change of the grammar: ``python data/make_grammar_tables.py``."""

from __future__ import annotations

from pathlib import Path

import msgspec

from dfopt.syntax.tables import GRAMMAR_PATH, TABLES_PATH, make


def main() -> None:
    """Make the tables from the grammar and write them next to it."""
    tables = make(Path(GRAMMAR_PATH).read_bytes())
    Path(TABLES_PATH).write_bytes(msgspec.json.format(msgspec.json.encode(tables), indent=1) + b"\n")


if __name__ == "__main__":
    main()
