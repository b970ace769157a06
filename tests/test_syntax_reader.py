"""Physical lines, directives, comments, continuations and here-document bodies."""

from __future__ import annotations

import pytest

from dfopt.syntax import parse
from dfopt.syntax.tree import Dockerfile, Run


def _bodies(text: str) -> list[str]:
    return [f"{node.keyword} {node.body.text}".rstrip(" ") for node in parse(text)]


def _lines(file: Dockerfile) -> list[tuple[int, int]]:
    return [(file.source.line_of(node.span.start), file.source.line_of(node.span.end)) for node in file]


@pytest.mark.parametrize(
    ("text", "bodies"),
    [
        ("FROM a\nRUN b", ["FROM a", "RUN b"]),
        ("\ufeffFROM a\r\nRUN b\r\n", ["FROM a", "RUN b"]),
        ("FROM a\rb", ["FROM a\rb"]),
        ("FROM a\n\x0b\x0c RUN b", ["FROM a", "RUN b"]),
        ("FROM a\nRUN one \\\n# no\n   # no\n  two", ["FROM a", "RUN one   two"]),
        ("FROM a\nRUN one \\\n\nENV A=b", ["FROM a", "RUN one ENV A=b"]),
        ("FR\\\nOM a\nRUN ec\\\nho hi", ["FROM a", "RUN echo hi"]),
        ("FROM a\nRUN x \\  \t\ny", ["FROM a", "RUN x y"]),
        ("FROM a\nRUN x \\\\\nRUN y", ["FROM a", "RUN x \\\\", "RUN y"]),
        ("FROM a\nRUN x \\\xa0\nRUN y", ["FROM a", "RUN x \\", "RUN y"]),
        ("FROM a\n\\\nRUN x", ["FROM a", "RUN x"]),
        ("FROM a\nRUN x \\", ["FROM a", "RUN x"]),
        ("FROM a\n# c \\\nRUN x", ["FROM a", "RUN x"]),
        ("# escape=`\nFROM a\nRUN x `\ny \\\nRUN z", ["FROM a", "RUN x y \\", "RUN z"]),
        ("#   EsCaPe =   `   \nFROM a\nRUN x `\n y", ["FROM a", "RUN x  y"]),
        ("\n# escape=`\nFROM a\nRUN x `\nRUN y", ["FROM a", "RUN x `", "RUN y"]),
        ("#!/bin/x\n# escape=`\nFROM a\nRUN x `\nRUN y", ["FROM a", "RUN x `", "RUN y"]),
        ("FROM a\nRUN a\u2028b\x85\x1c", ["FROM a", "RUN a\u2028b\x85\x1c"]),
    ],
)
def test_joins_lines(text: str, bodies: list[str]) -> None:
    assert _bodies(text) == bodies


def test_keeps_the_lines_of_each_instruction() -> None:
    file = parse("FROM a\n\nRUN x \\\n\n# c\n y\n\\\nRUN <<E\nb\nE\nRUN z \\\n\n")
    assert _lines(file) == [(1, 1), (3, 6), (7, 10), (11, 12)]


def test_maps_joined_text_back_to_the_file() -> None:
    text = "FROM a\nRUN one \\\r\n# no\r\n\r\n  two\\\nthree\n"
    run = parse(text).instructions[1]
    assert run.body.text == "one   twothree"
    for word in ("one", "two", "three"):
        at = run.body.text.index(word)
        assert text[slice(*run.body.span(at, at + len(word)))] == word
    assert run.body.to_file(len(run.body.text)) == text.index("three") + 5


def test_collects_comments_for_the_next_instruction() -> None:
    file = parse("# one\n\n # two\nFROM a\n# three\n#\n# four \\\nRUN x \\\n  # five\n  y\n# six\n")
    first, second = file
    assert [comment.text for comment in first.comments] == ["one", "two"]
    assert [comment.text for comment in second.comments] == ["four \\"]
    assert [comment.text for comment in second.inner_comments] == ["five"]
    assert [comment.text for comment in file.comments] == ["one", "two", "three", "", "four \\", "five", "six"]
    for comment in file.comments:
        assert file.source.slice(comment.span).startswith("#")


def test_keeps_directives_with_their_places() -> None:
    text = "# syntax=docker/dockerfile:1\n#check = skip=all\nFROM a\n"
    file = parse(text)
    assert [(item.name, item.value) for item in file.directives] == [
        ("syntax", "docker/dockerfile:1"),
        ("check", "skip=all"),
    ]
    assert [text[slice(*item.value_span)] for item in file.directives] == ["docker/dockerfile:1", "skip=all"]
    assert file.instructions[0].comments == ()


def test_keeps_blank_lines_inside_continuations() -> None:
    file = parse("FROM a\nRUN x \\\n\n  \n y\n")
    run = file.instructions[1]
    assert [file.source.line_of(span.start) for span in run.blank_lines] == [3, 4]


@pytest.mark.parametrize(
    ("line", "name", "fd", "chomp", "expand"),
    [
        ("RUN cat <<A >f", "A", 0, False, True),
        ("RUN cat << A", "A", 0, False, True),
        ("RUN 3<<-'A' cat", "A", 3, True, False),
        ('RUN x <<E"O"F', "EOF", 0, False, False),
        (r"RUN x <<E\OF", "EOF", 0, False, True),
        ("RUN cat <<A>f", "A>f", 0, False, True),
        ("RUN x <<$V", "$V", 0, False, True),
        ("COPY <<'a b' /x", "a b", 0, False, False),
        ("ONBUILD ADD --link <<A /x", "A", 0, False, True),
        ("RUN x \\\n && y <<A", "A", 0, False, True),
    ],
)
def test_finds_heredocs(line: str, name: str, fd: int, chomp: bool, expand: bool) -> None:
    file = parse(f"FROM a\n{line}\n# body \\\n\t\n{name}\nRUN z\n")
    assert len(file.instructions) == 3
    (heredoc,) = file.instructions[1].heredocs
    assert (heredoc.name, heredoc.fd, heredoc.chomp, heredoc.expand) == (name, fd, chomp, expand)
    assert heredoc.content == "# body \\\n\t\n"
    assert file.source.slice(heredoc.body_span) == heredoc.content
    assert heredoc.terminator_span is not None
    assert file.source.slice(heredoc.terminator_span) == name
    assert "<<" in file.source.slice(heredoc.word_span)


@pytest.mark.parametrize(
    "line",
    [
        "RUN cat<<A",
        'RUN cat <<< "A"', 'RUN echo "<<A"', r"RUN \<<A", "RUN echo $((1<<2))", "RUN it's <<A", "RUN <<- A",
        "RUN <<${V:-b}", "CMD <<A", "ENV a=<<A", 'COPY ["<<A", "/x"]', "ONBUILD CMD <<A", "ONBUILD ONBUILD RUN <<A",
    ],
)  # fmt: skip
def test_leaves_other_double_signs_alone(line: str) -> None:
    file = parse(f"FROM a\n{line}\nRUN z\n")
    assert len(file.instructions) == 3
    assert file.instructions[1].heredocs == ()


def test_reads_several_heredocs_in_order() -> None:
    file = parse("FROM a\nCOPY <<A <<-B /d/\n1\nA\n\t2\n\tB\nRUN z")
    copy, run = file.instructions[1:]
    assert [(item.name, item.content, item.text) for item in copy.heredocs] == [
        ("A", "1\n", "1\n"),
        ("B", "\t2\n", "2\n"),
    ]
    assert run.body.text == "z"


def test_only_tabs_are_cut_from_a_chomped_body() -> None:
    run = parse("FROM a\nRUN <<-E\n\t\ta\n \tb\n\x85\tc\n\tE\n").instructions[1]
    assert run.heredocs[0].text == "a\n \tb\n\x85\tc\n"


def test_a_body_without_end_reaches_to_the_end_of_the_file() -> None:
    text = "FROM a\nRUN <<E\nx\n\nE \n"
    file = parse(text)
    run = file.instructions[1]
    assert isinstance(run, Run)
    assert run.heredocs[0].terminator_span is None
    assert run.heredocs[0].content == "x\n\nE \n"
    assert [found.code for found in file.problems] == ["E005"]
    assert run.span.end == len(text) - 1


def test_the_whole_command_can_be_a_heredoc() -> None:
    first, second, third = parse("FROM a\nRUN <<E\nx\nE\nRUN <<E cat\nx\nE\n").instructions[0:3]
    assert isinstance(second, Run)
    assert isinstance(third, Run)
    assert first.heredocs == ()
    assert second.script_heredoc is second.heredocs[0]
    assert third.script_heredoc is None


def test_pieces_cover_the_file_without_a_gap() -> None:
    text = "\ufeff# escape=`\r\n\n # c\n  FROM a\nRUN x `\n#i\n\n y\nRUN <<E\n#b\nE\n\n"
    file = parse(text)
    assert file.pieces[0].start == 0
    assert file.pieces[-1].end == len(text)
    assert all(left.end == right.start for left, right in zip(file.pieces, file.pieces[1:], strict=False))
    assert str(file) == text
