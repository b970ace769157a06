"""What a shell makes of words: quoting, expansion, splitting, braces, and words as hadolint sees them."""

from __future__ import annotations

import pytest

from dfopt.shell import parse_script
from dfopt.shell.braces import expand_braces
from dfopt.shell.model import Command, Dialect
from dfopt.syntax.tree import Joined

KNOWN: dict[str, str | None] = {
    "V": "1.2.3",
    "PATHS": "/a/b/c.tar.gz",
    "EMPTY": "",
    "TWO": "a  b",
    "GLOB": "*.c",
    "LATER": None,
    "HOME": "/home/me",
}


def command(text: str, dialect: Dialect = "bash", *, narrow: bool = False) -> Command:
    script = parse_script(Joined(text, ((0, 0),)), dialect=dialect, variables=KNOWN, directory="/src", narrow=narrow)
    assert not script.problems
    return [one for one in script.commands if not one.depth][-1]


def values(text: str, dialect: Dialect = "bash") -> list[str]:
    """Give the arguments of the last command; ``?`` marks the pattern of an unknown one."""
    words = command(text, dialect).words[1:]
    return [word.value if word.value is not None else "?" + word.pattern for word in words]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("x a\\\tb 'c'\\''d' \"e\"'f'g", ["a\tb", "c'd", "efg"]),
        ("x '' \"\" ''\"\"", ["", "", ""]),
        ('x "a\\b" "a\\\\b" "\\`" "\\$V" "$" a$', ["a\\b", "a\\b", "`", "$V", "$", "a$"]),
        ("x a\\\nb", ["ab"]),
        ('x "a\\\nb"', ["ab"]),
        ("x 'a\\\nb'", ["a\\\nb"]),
        ("x $V$V ${V}x $V.x $Vx", ["1.2.31.2.3", "1.2.3x", "1.2.3.x", "?*"]),
        ("x $TWO '$TWO' \"$TWO\" a${TWO}b", ["a", "b", "$TWO", "a  b", "aa", "bb"]),
        ("x $EMPTY a$EMPTY \"$EMPTY\" ''$EMPTY", ["a", "", ""]),
        ("x $LATER a${LATER}b ${LATER:-d} ${LATER:+e}", ["?*", "?a*b", "?*", "?*"]),
        ("x ${EMPTY:-d} ${EMPTY:+e} ${V:+e} ${V-d} ${V:=d} ${V:?gone}", ["d", "e", "1.2.3", "1.2.3", "1.2.3"]),
        ('x ${EMPTY:-"a b"} "${EMPTY:-c d}" ${EMPTY:-$V} ${EMPTY:-${EMPTY:-deep}}', ["a", "b", "c d", "1.2.3", "deep"]),
        ("x ${PATHS##*/} ${PATHS%/*} ${PATHS%%.*} ${PATHS#*.}", ["c.tar.gz", "/a/b", "/a/b/c", "tar.gz"]),
        ("x ${PATHS/a/X} ${PATHS//\\//_} ${V//[0-9]/n} ${V/#1/x}", ["/X/b/c.tar.gz", "_a_b_c.tar.gz", "n.n.n", "?*"]),
        ("x ${V:2} ${V:0:1} ${V: -1} ${V:$V}", ["2.3", "1", "3", "?*"]),
        ("x ${!V} ${V[0]} ${#V} ${V@Q}", ["?*", "?*", "5", "?*"]),
        ('x $1 "$@" $? $$ ${10} ${*}', ["?*", "?*", "?*", "?*", "?*", "?*"]),
        ("x $PWD $(pwd)/a `pwd` $OLDPWD", ["/src", "/src/a", "/src", "?*"]),
        ("x $((1 + 2)) a$((V))b", ["?*", "?a*b"]),
        ("x ~ ~/a ~root/b ~other/c a~ '~' \\~", ["/home/me", "/home/me/a", "/root/b", "?*/c", "a~", "~", "~"]),
        ("x $'a\\nb\\'\\x41\\u00e9\\e' $'\\q'", ["a\nb'Aé\x1b", "\\q"]),
        ('A=$V; x $A "${A}y"; A=; x a$A', ["a"]),
        ("A=1 x $A", ["?*"]),
        ("A=b; A+=c; x $A; unset A; x ${A:-gone} [$A]", ["gone", "[]"]),
        ("export A=b; B=$A; x $B$A", ["bb"]),
        ("read A; x $A", ["?*"]),
        ("A=1; if t; then A=2; fi; x $A", ["?*"]),
        ("A=1; if t; then A=2; else A=2; fi; x $A", ["2"]),
        ("A=1; t || A=2; x $A", ["?*"]),
        ("A=1; (A=2); x $A; A=3 & x $A; t | A=4; x $A", ["1"]),
        ("for i in a b; do A=$i; done; x $A $i", ["?*", "?*"]),
        ("A=x; f() { A=y; }; x $A", ["x"]),
        ("A=x; f() { A=y; }; f; x $A", ["?*"]),
        (". ./env; x $V", ["1.2.3"]),
        ("A=1; . ./env; x $A", ["?*"]),
    ],
)
def test_words_are_what_the_shell_makes_of_them(text: str, expected: list[str]) -> None:
    assert values(text) == expected


@pytest.mark.parametrize(
    ("word", "is_glob"),
    [
        ("*", True),
        ("a?", True),
        ("[ab]", True),
        ("[", False),
        ("'*'", False),
        ("\\*", False),
        ("$GLOB", True),
        ('"$GLOB"', False),
        ("$LATER", True),
        ("plain", False),
    ],
)
def test_what_may_become_several_files_is_marked(word: str, is_glob: bool) -> None:
    assert command("x " + word).words[1].glob is is_glob


def test_a_word_names_its_variables_once() -> None:
    assert command('x "$V-${V}-${LATER:-$EMPTY}"').words[1].variables == ("V", "LATER", "EMPTY")


def test_a_word_of_several_values_keeps_its_place_and_text() -> None:
    first, second = command("x pre $TWO").words[2:]
    assert (first.raw, first.span) == (second.raw, second.span) == ("$TWO", (6, 10))


def test_a_value_out_of_proportion_is_unknown() -> None:
    assert values("A=xxxxxxxxxx; " + "A=$A$A; " * 30 + "x $A") == ["?*"]


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("a{b,c}d", ["abd", "acd"]),
        ("{a,b}{1,2}", ["a1", "a2", "b1", "b2"]),
        ("{a,{b,c}}", ["a", "b", "c"]),
        ("{1..4}", ["1", "2", "3", "4"]),
        ("{8..12..2}", ["8", "10", "12"]),
        ("{3..1}", ["3", "2", "1"]),
        ("{08..10}", ["08", "09", "10"]),
        ("{a..c}", ["a", "b", "c"]),
        ("{a}", ["{a}"]),
        ("{}", ["{}"]),
        ("{a,b", ["{a,b"]),
        ("a{,x}", ["a", "ax"]),
        ("${a,b}", ["${a,b}"]),
        ("'{a,b}'", ["'{a,b}'"]),
        ("\\{a,b}", ["\\{a,b}"]),
        ("{a,'b,c'}", ["a", "'b,c'"]),
        ("{1..a}", ["{1..a}"]),
        ("{1..1000}", ["{1..1000}"]),
        ("{a,b}" * 20, ["{a,b}" * 20]),
    ],
)
def test_braces_expand_as_in_bash(word: str, expected: list[str]) -> None:
    assert expand_braces(word) == expected


def test_braces_of_sh_stay_but_their_pattern_covers_both_readings() -> None:
    word = command("rm /var/{cache,log}/x", "sh").words[1]
    assert (word.value, word.pattern, word.glob) == ("/var/{cache,log}/x", "/var/*/x", True)


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("$V", "${V}"),
        ("${V}", "${V}"),
        ("${V:-d}", "${V:-d}"),
        ('"a $V"', "a ${V}"),
        ("x$(a b)y", "x${a b}y"),
        ("`a`", "${VAR}"),
        ("$((1+2))", "${VAR}"),
        ("$1", "${1}"),
        ("{a,b}=1", "=1"),
        ("'q'", "q"),
        ("~/x", "~/x"),
        ("/v/*", "/v/*"),
    ],
)
def test_hadolint_reads_words_as_text(word: str, expected: str) -> None:
    script = parse_script(Joined("x " + word, ((0, 0),)), variables=KNOWN, narrow=True)
    assert script.commands[0].words[1].value == expected


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("sudo a; env b; nice c; xargs d; nohup e", ["sudo", "env", "nice", "xargs", "nohup"]),
        ("exec a; command b; builtin c; busybox d; time e; ! f; g &", ["a", "b", "c", "d", "e", "f", "g"]),
        ("/usr/bin/a; 'b'; \"c\"; $D", ["/usr/bin/a", "b", "c", None]),
        ("A=1; B=2 c; [ -f d ] && e", ["c", "e"]),
        ("sh -c 'a; b'", ["sh"]),
        ("a $(b) `c` <(d); (e); if f; then g; fi; h() { i; }", ["a", "b", "c", "d", "e", "f", "g", "i"]),
        ("a; if b", []),
    ],
)
def test_hadolint_sees_fewer_commands(text: str, names: list[str | None]) -> None:
    script = parse_script(Joined(text, ((0, 0),)), variables=KNOWN, narrow=True)
    assert [one.words[0].value for one in script.commands] == names
