"""The grammar file, the tables made from it, and the parser that runs them."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from lark import Lark, Token
from lark.exceptions import UnexpectedInput

from dfopt.syntax import tables
from dfopt.syntax.grammar import Branch, NoMatch, parse
from dfopt.syntax.keywords import KEYWORDS, Shape
from dfopt.syntax.tree import Dockerfile

_ALPHABET = st.sampled_from(
    [
        "a",
        "b",
        "=",
        " ",
        "  ",
        "\t",
        "\x0b",
        "\xa0",
        "'",
        '"',
        "\\",
        "`",
        "[",
        "]",
        "{",
        "}",
        ",",
        ":",
        "1",
        "-",
        "é",
        '"a"',
        "true",
        "null",
        "1e5",
        "\u2028",
        "\x85",
        "\x1c",
        "\\n",
        "\\u00e9",
    ]
)


@cache
def _lark() -> Lark:
    text = Path(tables.GRAMMAR_PATH).read_text("utf-8")
    return Lark(text, start=list(tables.STARTS), parser="lalr", maybe_placeholders=False)


def _of_lark(nodes: list[Any]) -> list[Any]:
    return [
        (str(node.type), node.value, node.start_pos, node.end_pos)
        if isinstance(node, Token)
        else (str(node.data), _of_lark(node.children))
        for node in nodes
    ]


def _of_ours(nodes: list[Any]) -> list[Any]:
    return [(node.rule, _of_ours(node.children)) if isinstance(node, Branch) else tuple(node) for node in nodes]


@pytest.mark.parametrize("start", tables.STARTS)
@given(text=st.lists(_ALPHABET, min_size=1, max_size=15).map("".join))
@example(text='["a" , 1, {"b": [null]}]')
@example(text='a=b \'c d\'="e\\" f" g')
def test_the_parser_answers_as_lark_does(start: str, text: str) -> None:
    try:
        theirs = _of_lark(_lark().parse(text, start=start).children)
    except UnexpectedInput:
        with pytest.raises(NoMatch):
            parse(start, text)
    else:
        assert _of_ours(parse(start, text)) == theirs


def test_the_kept_tables_belong_to_the_grammar() -> None:
    made = tables.make(Path(tables.GRAMMAR_PATH).read_bytes())
    kept = msgspec.json.decode(Path(tables.TABLES_PATH).read_bytes(), type=tables.Tables)
    assert made == kept, "run data/make_grammar_tables.py"


def test_missing_or_old_tables_are_made_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = tables.load()
    monkeypatch.setattr(tables, "TABLES_PATH", str(tmp_path / "none.json"))
    assert tables.load() == kept
    (tmp_path / "none.json").write_bytes(b"{}")
    assert tables.load() == kept
    (tmp_path / "none.json").write_bytes(msgspec.json.encode(msgspec.structs.replace(kept, grammar=1)))
    assert tables.load() == kept


def test_words_shapes_and_keywords_agree() -> None:
    assert set(KEYWORDS) == set(Dockerfile.KEYWORDS)
    names = {shape.value for shape in Shape} - {"command", "paths", "trigger"}
    assert names <= set(tables.STARTS)


@pytest.mark.parametrize(
    ("start", "text"), [("json", '["a"'), ("json", '["a"] x'), ("json", "[1,]"), ("pairs", " "), ("words", "")]
)
def test_says_where_a_text_departs(start: str, text: str) -> None:
    with pytest.raises(NoMatch) as caught:
        parse(start, text)
    assert 0 <= caught.value.offset <= len(text)
