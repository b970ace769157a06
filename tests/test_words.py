"""Quoting and variable expansion."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dfopt.source import Span
from dfopt.syntax.words import Variable, WordError, expand, variables

_VALUES = {"A": "foobarbaz", "N": "", "S": "x  y", "P": "/a/b.tar.gz", "D": "$A", "L": "a\nb"}


def _value(word: str, escape: str = "\\") -> str:
    return expand(word, _VALUES.get, escape).value


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("plain", "plain"),
        ("$A", "foobarbaz"),
        ("${A}x", "foobarbazx"),
        ("$Ax", ""),
        ("$A-$N.", "foobarbaz-."),
        ("$1x", "x"),
        ("$12x", "x"),
        ("$é-", "-"),
        ("$Aé", ""),
        ("$", "$"),
        ("a$.b", "a$.b"),
        ("$(x) $((1))", "$(x) $((1))"),
        ("$$", ""),
        ("'$A'", "$A"),
        ('"$A"', "foobarbaz"),
        (r'"\$A \" \\ \n"', r'$A " \ \n'),
        (r"\$A \n \\", r"$A n \ ".rstrip()),
        ("a\\", "a"),
        ("a\"b\"'c'", "abc"),
        ("$D", "$A"),
        ("${X:-d}${X-e}${N:-f}${N-g}", "def"),
        ("${A:+d}${A+e}${N:+f}${N+g}${X:+h}${X+i}", "deg"),
        ("${A:?m}${N?m}", "foobarbaz"),
        ("${X:-${N:-$A}}", "foobarbaz"),
        ("${X:-'a}b'}", "a}b"),
        (r"${X:-\}}", "}"),
        ('${X:-"a b"}', "a b"),
        ("${A#f*b}", "arbaz"),
        ("${A##f*b}", "az"),
        ("${A%b*}", "foobar"),
        ("${A%%b*}", "foo"),
        ("${A#?}", "oobarbaz"),
        ("${P##*/}", "b.tar.gz"),
        ("${P%%.*}", "/a/b"),
        ("${A#[f]}", "foobarbaz"),
        (r"${A#\*}", "foobarbaz"),
        ("${A/ba/X}", "fooXrbaz"),
        ("${A//ba/X}", "fooXrXz"),
        ("${A//o*/x}", "fx"),
        ("${A///x}", "xfxoxoxbxaxrxbxaxzx"),
        (r"${P//\//_}", "_a_b.tar.gz"),
        ("${A/#foo/x}", "foobarbaz"),
        ("${L#*}${L##*}", "a\nb\nb"),
        ("${A#${X:-f}}", "oobarbaz"),
        ("${+x}", ""),
        ("\ufeffa", "a"),
    ],
)
def test_expands(word: str, value: str) -> None:
    assert _value(word) == value


def test_a_backtick_can_be_the_escape_character() -> None:
    assert _value('`$A C:\\x `` a`b "a`"b"', "`") == '$A C:\\x ` ab a"b'


@pytest.mark.parametrize(
    ("word", "offset"),
    [
        ("it's", 2),
        ('a"b', 1),
        ("x${A", 1),
        ("${", 0),
        ("a${}", 1),
        ("${:x}", 0),
        ("${{A}}", 0),
        ("${A:1}", 0),
        ("${A:=b}", 0),
        ("${A=b}", 0),
        ("${A^^}", 0),
        ("${A[0]}", 0),
        ("${#A}", 0),
        ("${A b}", 0),
        ("${A/b}", 0),
        ("${A:-x", 0),
        ("a${X?}", 1),
        ("${N:?why}", 0),
        ("${A:-${X:?no}}", 5),
        (r"${A#\x}", 0),
        ("${A:#f}", 0),
    ],
)
def test_refuses(word: str, offset: int) -> None:
    with pytest.raises(WordError) as caught:
        _value(word)
    assert caught.value.offset == offset


def test_the_message_of_a_required_variable_is_its_own() -> None:
    with pytest.raises(WordError, match="N: give a version"):
        _value("${N:?give a version}")


@pytest.mark.parametrize(
    ("word", "words"),
    [
        ("a  b", ("a", "b")),
        ("$S", ("x", "y")),
        ('"$S" z', ("x  y", "z")),
        ("a$S.b", ("ax", "y.b")),
        ('a "" b', ("a", "b")),
        (r"a\ b c", ("a b", "c")),
        ("a\xa0b", ("a", "b")),
        ("<< a b", ("<< a", "b")),
        # As upstream: what stands in front of a modified variable is lost from the list of words.
        ("80${X:-81}", ("81",)),
        ('"a${X:-b}c"', ("abc",)),
    ],
)
def test_splits_into_words(word: str, words: tuple[str, ...]) -> None:
    assert expand(word, _VALUES.get).words == words


def test_tells_which_variables_exist() -> None:
    found = expand("$A/${X:-$N}", _VALUES.get)
    assert [variable.name for variable in found.used] == ["A", "N"]
    assert found.missing == (Variable("X", Span(3, 11), ":-"),)


def test_an_error_keeps_the_variables_met_before_it() -> None:
    with pytest.raises(WordError) as caught:
        _value("$A $Y ${X:?}")
    assert [variable.name for variable in caught.value.used] == ["A"]
    assert [variable.name for variable in caught.value.missing] == ["Y", "X"]


def test_lists_variables_with_their_places() -> None:
    word = "a$B'$C'\"${D:-$E}\"\\$F"
    assert [(variable.name, word[slice(*variable.span)]) for variable in variables(word)] == [
        ("B", "$B"),
        ("D", "${D:-$E}"),
        ("E", "$E"),
    ]


def test_lists_the_variables_in_front_of_an_error() -> None:
    assert [variable.name for variable in variables("$A ${B:?x} ${C")] == ["A", "B"]


def test_can_keep_quotes_and_missing_variables() -> None:
    text = "\"a\" '$A' $X ${X:-d} ${X/a/b} $A"
    assert expand(text, _VALUES.get, keep_quotes=True, keep_unset=True).value == (
        "\"a\" '$A' $X ${X:-d} ${X/a/b} foobarbaz"
    )


def test_quotes_can_be_ordinary_characters() -> None:
    assert expand('it\'s "$A" \\n', _VALUES.get, literal_quotes=True).value == 'it\'s "foobarbaz" n'


def test_lone_bytes_become_replacement_characters() -> None:
    assert _value("a\udcff") == "a\ufffd"


_ATOMS = ["a", "$A", "${", "}", ":-", "#", "/", "'", '"', "\\", "$", " ", "*", "é", "<<", "X", "%", "`"]


@given(st.lists(st.sampled_from(_ATOMS), max_size=20).map("".join))
def test_gives_a_value_or_a_word_error(word: str) -> None:
    with suppress(WordError):
        expansion = expand(word, _VALUES.get)
        assert "".join("".join(expansion.words).split()) in "".join(expansion.value.split()) or "${" in word
    for variable in variables(word):
        assert word[variable.span.start] == "$"


@given(st.text(alphabet="ab*?\\/", max_size=8), st.text(alphabet="ab", max_size=12))
def test_what_is_left_of_a_prefix_is_a_suffix(pattern: str, value: str) -> None:
    try:
        rest = expand(f"${{V##{pattern}}}", {"V": value}.get).value
        shorter = expand(f"${{V#{pattern}}}", {"V": value}.get).value
    except WordError:
        return
    assert value.endswith(rest)
    assert shorter.endswith(rest)


def test_deep_nesting_takes_linear_time() -> None:
    depth = 100_000
    assert _value("${X:-" * depth + "a" + "}" * depth) == "a"
    with pytest.raises(WordError):
        _value('"${X:-' * depth)
