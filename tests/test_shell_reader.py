"""The readers of shell code: what is right and wrong, that nothing breaks them, and how they get along."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dfopt.shell import dialect_of, parse_script, reader, shell_pragma, treesitter
from dfopt.shell.model import Script, walk
from dfopt.syntax.tree import Joined

RIGHT = [
    "a; b",
    "a &",
    "a & b",
    "a;\n\n b",
    "! a",
    "! a | b",
    "a |& b",
    "for x in\\\n a; do b; done",
    "a && \n b",
    "a | \n b",
    "(a)",
    "((a))",
    "( (a) )",
    "{ a; }",
    "{ a; } 2>&1",
    "{ a\n}",
    "if a; then b; fi",
    "if a\nthen b\nelif c; then d\nelse e\nfi",
    "for x in a b; do c; done",
    "for x; do c; done",
    "for x\ndo c; done",
    "for ((;;)); do a; done",
    "for x in a; { b; }",
    "while a; do b; done",
    "until a; do b; done <f",
    "case x in a) b;; c|d) e;& (f) ;;& *) ;; esac",
    "case x in esac",
    "case $(a) in x) b ;; esac",
    "case x in in) a;; esac",
    "f() { a; }",
    "f ( ) (a)",
    "function f { a; }",
    "function f() { a; }",
    "f() if a; then b; fi",
    "[[ a && ( b || ! c ) ]]",
    "[[ $a =~ ^(x|y)+$ ]] && b",
    "[[ a < b ]]",
    "[ a = b ]",
    "a=(b c)",
    "a=(\nb\n# c\nd)",
    "a[1]=b c",
    "declare -a x=(1 2)",
    "a >f 2>&1 <g",
    "a &>f",
    "a 2>/dev/null b",
    ">f",
    "a <<<b",
    "a <<E\nb\nE\n",
    "a <<E && b\nx\nE",
    "a <<-'E' | b\n\tx\n\tE\n",
    "a <<E <<F\n1\nE\n2\nF\n",
    "a <<E\nno end",
    "(a <<E\nx\nE\n)",
    "x=$(cat <<E\nit's (\nE\n)",
    'echo $(a $(b `c \\`d\\``) "$(e)")',
    "echo $((1 + (2)))",
    "echo $(( $(a) << 2 ))",
    "echo $((a); b)",
    "((a + 1)) && b",
    "echo ${a:-'}'}",
    'echo "${a:-"b c"}"',
    "echo ${a//\\}/x}",
    "echo $'it\\'s'",
    "diff <(a) <(b)",
    "a > >(b)",
    "echo a#b # c 'd",
    "# only a comment",
    "",
    "  ",
    "time a",
    "time -p a | b",
    "time { a; }",
    "coproc a",
    "select x in a; do b; done",
    "a \\\n  b",
    "a=1 b=2 c",
    "a=",
    "echo if then fi",
    "echo {",
    "echo }",
    "echo [[",
    "a\r\n b\r\n",
    "echo a\\ b",
    "echo $",
    'echo "$"',
    "ls *.{a,b}",
    "ls !(a)",
    "echo @(a|b)",
    "{}",
    "a;b;",
    "f() { a; }; f",
    "if ! a; then b; fi",
    "a <(b | c) d",
    "a 3<>f",
    "a >&- 2<&-",
    "a >|f",
    ">f\nb",
    "!\na",
    "{ a; } | { b; }",
    "a || { b; exit 1; }",
    "(a; b) && c",
    "if (a) then b; fi",
    "if [[ a ]]; then b; fi",
    "while read x; do a; done < <(b)",
]
WRONG = [
    ("a && ; b", 5),
    ("&& a", 0),
    ("a &&", 2),
    ("a |", 2),
    ("a | ; b", 2),
    ("a ;; b", 2),
    ("; a", 0),
    ("a (b", 2),
    ("a | ! b", 4),
    ("{a; }", 4),
    ("a )", 2),
    ("(a", 0),
    ("{ a", 0),
    ("{ a; }}", 0),
    ("}", 0),
    ("fi", 0),
    ("a; done", 3),
    ("then", 0),
    ("if a; then b", 0),
    ("if a; b; fi", 0),
    ("if a then b; fi", 0),
    ("for x in a; b; done", 0),
    ("while a; b; done", 0),
    ("case x in a b;; esac", 10),
    ("case x in a) b", 0),
    ("case x", 0),
    ("a 'b", 2),
    ('a "b', 2),
    ("a `b", 2),
    ("a $(b", 2),
    ("a ${b", 2),
    ("a >", 2),
    ("a > && b", 2),
    ("a <", 2),
    ("[[ a", 0),
    ("f() ", 0),
    ("function", 0),
    ("a=(b", 2),
    ("a & & b", 4),
    ("a & && b", 4),
    ("(a;; b)", 2),
    ("! fi", 2),
    ("a $'b", 3),
    ("if a; then b; else c", 0),
    ("{ a; } b", 7),
    ("(a) b", 4),
    ("a () b c )", 9),
    ("echo a(b)", 6),
]


def script(text: str) -> Script:
    return parse_script(Joined(text, ((0, 0),)), dialect="bash")


@pytest.mark.parametrize("text", RIGHT)
def test_right_code_has_no_problem(text: str) -> None:
    assert script(text).problems == ()
    assert reader.read(text).problems == []


@pytest.mark.parametrize(("text", "place"), WRONG)
def test_wrong_code_has_its_first_problem_at_its_place(text: str, place: int) -> None:
    problems = script(text).problems
    assert min(problem.span.start for problem in problems) == place
    assert [problem.message[-1] for problem in problems] == ["."] * len(problems)


@pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not installed")
def test_bash_calls_the_same_code_wrong() -> None:
    for text, fine in [*((text, True) for text in RIGHT), *((text, False) for text, _ in WRONG)]:
        options = ["-O", "extglob"] if "(a" in text and ("!" in text or "@" in text) else []
        unix = text.replace("\r\n", "\n").encode()
        done = subprocess.run(["bash", "-n", *options], input=unix, capture_output=True, check=False)
        assert (done.returncode == 0) is fine, (text, done.stderr)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("a && b 'c && d", ["a", "b"]),
        ("if a; then b; c", ["a", "b", "c"]),
        ("a; fi; b && c", ["a", "b", "c"]),
        ("for x in y; a; done; b", ["a", "b"]),
        ("a && && b; c ) d; e", ["a", "b", "c", "d", "e"]),
        ("a $(b | ) c; d", ["a", "b", "d"]),
        ("{ a; b", ["a", "b"]),
        ("case x in a) b;; c d;; esac; e", ["b", "e"]),
    ],
)
def test_an_error_does_not_silence_the_rest(text: str, names: list[str]) -> None:
    found = script(text)
    assert found.problems
    assert [name for name in (command.name for command in found.commands) if name in names] == names


def test_a_brace_without_its_blank_is_explained() -> None:
    (problem,) = script("{a; }").problems
    assert problem.message.endswith("A group is opened by `{` with a blank behind it.")
    assert not script("a; }").problems[0].message.endswith("behind it.")


@pytest.mark.parametrize("text", [text for text in RIGHT if text.strip()])
def test_tree_sitter_and_our_reader_agree(text: str) -> None:
    tree = treesitter.read_tree(text)
    if tree is not None:
        assert tree == reader.read(text)


def test_most_code_is_read_by_tree_sitter() -> None:
    read = [treesitter.read_tree(text) is not None for text in RIGHT]
    assert sum(read) > len(read) / 2


TOKENS = st.sampled_from(
    [
        "a",
        "b ",
        " ",
        "\n",
        "'",
        '"',
        "`",
        "$(",
        ")",
        "(",
        "{",
        "}",
        ";",
        "&&",
        "||",
        "|",
        "&",
        "if ",
        "then ",
        "fi",
        "do ",
        "done",
        "for x in ",
        "case x in ",
        "esac",
        "else ",
        "#",
        "\\",
        "$",
        "${",
        "x=",
        "x=(",
        "[[ ",
        " ]]",
        "((",
        "))",
        "<",
        ">",
        "2>&1",
        "<<E\n",
        "E\n",
        "f() ",
        "!",
        "é",
        "\udcff",
        "\r\n",
        "\t",
        "*",
        "sh -c '",
        'bash -c "',
        "cd ",
        "export ",
        "{a,b}",
        "${a:-",
        ";;",
        "time ",
        "$((",
        "\0",
    ]
)


@settings(max_examples=400, deadline=None)
@given(st.lists(TOKENS, max_size=25))
def test_no_text_breaks_the_readers(tokens: list[str]) -> None:
    text = "".join(tokens)
    found = script(text)
    for one in [*found.commands, *walk(found.items), *found.problems]:
        assert 0 <= one.span.start <= one.span.end <= len(text)
    for command in found.commands:
        for word in command.words:
            assert command.span.start <= word.span.start <= word.span.end <= command.span.end
    narrow = parse_script(Joined(text, ((0, 0),)), narrow=True)
    assert not (narrow.problems and narrow.commands)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.lists(TOKENS, max_size=25))
def test_a_trusted_tree_says_what_our_reader_says(tokens: list[str]) -> None:
    text = "".join(tokens)
    tree = treesitter.read_tree(text)
    own = reader.read(text)
    if tree is not None and not own.problems:
        assert [one.form for one in tree.items] == [one.form for one in own.items]


@pytest.mark.parametrize(
    "piece",
    [
        "a && ",
        "a; ",
        "a | ",
        "(",
        "$(",
        "$((",
        "{ ",
        "if a; then ",
        "${a:-",
        '"$(a ',
        "`a",
        "{a,",
        "{a,b}",
        "\\",
        "\"'",
        "a <<E\nE\n",
        "sh <<E\na $(b)\nE\n",
        "} ",
        "a <<E\n",
        "! ",
        "sh -c 'a' && ",
        "f() { ",
        "<",
        "for a in b c; do cd x; ",
        "A=$A$A; ",
        'sh -c "',
        "case x in a) ",
        "[[ ( ",
        "a=( ",
        "$'",
        "'",
    ],
)
def test_time_grows_with_length_only(piece: str) -> None:
    text = piece * 4000
    start = time.process_time()
    script(text)
    assert time.process_time() - start < 10


def test_code_that_is_nested_too_deeply_is_left_alone() -> None:
    found = script("a; " + "$(" * 500 + "b" + ")" * 500)
    assert [problem.message for problem in found.problems] == ["The code is nested too deeply to be read."]
    assert found.commands[0].name == "a"


def test_tree_sitter_is_loaded_by_the_first_script_only() -> None:
    code = (
        "import sys, dfopt.shell\n"
        "from dfopt.syntax.tree import Joined\n"
        "dfopt.shell.parse_script(Joined('dir', ((0, 0),)), dialect='cmd')\n"
        "assert 'tree_sitter' not in sys.modules\n"
        "dfopt.shell.parse_script(Joined('ls', ((0, 0),)))\n"
        "assert 'tree_sitter' in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize(
    ("program", "dialect"),
    [
        ("/bin/sh", "sh"),
        ("bash", "bash"),
        ("/usr/bin/zsh", "zsh"),
        ("pwsh", "powershell"),
        ("cmd.exe", "cmd"),
        ("C:\\Windows\\System32\\cmd.exe", "cmd"),
        ("PowerShell.exe", "powershell"),
        ("/usr/bin/python3.12", "python"),
        ("/bin/ash", "ash"),
        ("fish", "other"),
        ("mksh", "ksh"),
    ],
)
def test_programs_have_dialects(program: str, dialect: str) -> None:
    assert dialect_of(program) == dialect


@pytest.mark.parametrize(
    ("comment", "dialect"),
    [
        ("hadolint shell=bash", "bash"),
        ("# hadolint  shell = /bin/dash # why", "dash"),
        ("hadolint shell=pwsh", "powershell"),
        ("hadolint ignore=DL3008", None),
        ("shell=bash", None),
        ("hadolint shell=bash and more", None),
    ],
)
def test_a_comment_may_name_the_shell(comment: str, dialect: str | None) -> None:
    assert shell_pragma(comment) == dialect
