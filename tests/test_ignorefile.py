"""Ignore files: which paths are left out."""

from __future__ import annotations

import time

import pytest

from dfopt.syntax.ignorefile import IgnoreError, IgnoreFile


@pytest.mark.parametrize(
    ("text", "ignored", "kept"),
    [
        ("build", ["build", "build/x/y"], ["src/build", "builder", "Build"]),
        ("/build/", ["build", "build/x"], ["src/build"]),
        ("./a/../b", ["b", "b/c"], ["a"]),
        ("../b", [], ["b"]),
        ("*.md", ["a.md"], ["d/a.md", "a.mdx"]),
        ("*/a", ["x/a", "x/a/b"], ["a", "x/y/a"]),
        ("**/a", ["a", "x/a", "x/y/a", "x/a/b"], ["xa"]),
        ("**a", ["a", "xa", "x/ya"], ["ab"]),
        ("a/**", ["a/b", "a/b/c"], ["a", "ab"]),
        ("a/**/c", ["a/c", "a/b/c", "a/b/d/c"], ["a", "a/cc", "ac"]),
        ("a**b", ["ab", "a/b", "a/x/b"], ["axb"]),
        ("**", ["a", "a/b", ".git"], []),
        ("**/*", ["a", "a/b"], []),
        ("a?c", ["abc"], ["a/c", "abbc"]),
        ("[ab].txt", ["a.txt", "b.txt"], ["c.txt"]),
        ("[a-c]x", ["bx"], ["dx"]),
        ("[^a]", ["b"], ["a"]),
        ("[!a]", ["!", "a"], ["b"]),
        ("a.b", ["a.b"], ["axb"]),
        (r"a\*", ["a*"], ["ab"]),
        (r"\#a", ["#a"], ["a"]),
        ("a b  ", ["a b"], ["a"]),
        (" #a", ["#a"], ["a"]),
        ("#a\na", ["a"], ["#a"]),
        ("*.md #note", ["x.md #note"], ["x.md"]),
        ("\ufeffa\r\nb\r\n", ["a", "b"], ["c"]),
        (".\n/\n\n", [], ["a", "a/b"]),
        ("*\n!a/b", ["a", "c", "a/c"], ["a/b", "a/b/d"]),
        ("*.md\n!README*.md\nREADME-secret.md", ["x.md", "README-secret.md"], ["README.md"]),
        ("!a\na", ["a"], ["b"]),
        ("a\n! a/b", ["a/c"], ["a/b"]),
        ("a+b(c)|{d}$", ["a+b(c)|{d}$"], ["aab"]),
        ("a*+(x)", ["ab+(x)"], ["abx"]),
        # As upstream, where a pattern with a wildcard becomes a regular expression:
        ("a|b", ["a|b"], ["a", "b"]),
        ("a?|b*x", ["ac", "acc/d", "ybx", "d/bx"], ["a", "bxy"]),
        ("[|]a", ["|a"], ["a"]),
        ("a{2}?", ["aab"], ["a{2}b"]),
        ("{2}a?", ["ab"], ["aab"]),
        ("a{b}?", ["a{b}c"], ["abc"]),
        (r"\d*", ["1a", "2"], ["d"]),
        ("?^a", [], ["x^a"]),
        ("!?[b-a]\nb", ["b"], ["a"]),
        ("b*[a-]", ["b-"], ["bb"]),
        ("b*\\", ["bx$", "b$x/y"], ["b", "b\\"]),
    ],
)
def test_leaves_out(text: str, ignored: list[str], kept: list[str]) -> None:
    rules = IgnoreFile.parse(text)
    assert [path for path in [*ignored, *kept] if rules.ignores(path)] == ignored


@pytest.mark.parametrize(
    "text",
    ["!", "a\n!  \n", "[", "[]", "[a", "a[b-", "a[]b]", "x[^]", "a\\", "[-a]", "?[b-a]", "b*[", "?{9999}", r"\q*"],
)
def test_refuses_malformed_patterns(text: str) -> None:
    with pytest.raises(IgnoreError):
        IgnoreFile.parse(text)


def test_an_error_names_its_line() -> None:
    with pytest.raises(IgnoreError) as caught:
        IgnoreFile.parse("a\n# b\n\n[\n")
    assert caught.value.line == 4


def test_tells_exclusions() -> None:
    assert IgnoreFile.parse("a\n!a/b").has_exclusions
    assert not IgnoreFile.parse("a\n#!b").has_exclusions


def test_an_empty_file_leaves_everything_in() -> None:
    rules = IgnoreFile.parse("")
    assert rules.patterns == ()
    assert not rules.ignores("a")


def test_keeps_patterns_cleaned_and_in_order() -> None:
    assert IgnoreFile.parse("b/\n! ./a\n/c").patterns == ("b", "!a", "c")


@pytest.mark.parametrize(
    ("text", "left_out", "sent"),
    [
        ("**/*.log\n!logs", ["logs/a.log", "a.log"], ["logs/a.txt"]),
        ("a/**\n!**/a", ["a/b", "a/b/c"], ["a/b/a", "a/b/a/c"]),
        ("*\n!a", ["b", "c/a"], ["a", "a/b"]),
        ("a\n!a/b", ["a/c"], ["a/b", "a/b/c"]),
        ("build", ["build/x"], ["src/build"]),
    ],
)
def test_a_build_leaves_out(text: str, left_out: list[str], sent: list[str]) -> None:
    rules = IgnoreFile.parse(text)
    assert [path for path in [*left_out, *sent] if rules.leaves_out(path)] == left_out


def test_is_fast_for_many_files() -> None:
    rules = IgnoreFile.parse("\n".join(f"**/dir{n}/*.o" for n in range(50)) + "\n!keep\n**/*.log")
    started = time.perf_counter()
    assert sum(rules.ignores(f"a/b/c{n}/file{n}.txt") for n in range(5000)) == 0
    assert sum(rules.leaves_out(f"a/b/c{n}/file{n}.txt") for n in range(5000)) == 0
    assert time.perf_counter() - started < 5
