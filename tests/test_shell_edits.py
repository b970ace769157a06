"""Words and options taken out of commands leave the rest of the file as it was."""

from __future__ import annotations

import pytest

from dfopt.edit import apply
from dfopt.graph import build
from dfopt.shell.edits import delete_option, delete_words
from dfopt.shell.model import Command
from dfopt.source import Source
from dfopt.syntax import parse


def command_of(text: str) -> tuple[Source, Command]:
    graph = build(parse(text))
    return graph.tree.source, graph.steps[-1].commands[0]


@pytest.mark.parametrize(
    ("written", "names", "values", "left"),
    [
        ("curl -k url", ("-k", "--insecure"), 0, "curl url"),
        ("curl --insecure url", ("-k", "--insecure"), 0, "curl url"),
        ("curl -fsSLk url", ("-k", "--insecure"), 0, "curl -fsSL url"),
        ("pip install --trusted-host a b", ("--trusted-host",), 1, "pip install b"),
        ("pip install --trusted-host=a b", ("--trusted-host",), 1, "pip install b"),
        ("curl \\\n    -k \\\n    url", ("-k",), 0, "curl \\\n    url"),
        ("curl url \\\r\n -k", ("-k",), 0, "curl url"),
    ],
)
def test_an_option_goes_with_the_blanks_in_front_of_it(
    written: str, names: tuple[str, ...], values: int, left: str
) -> None:
    text = f"FROM debian:12\nRUN {written}\n"
    source, command = command_of(text)
    edit = delete_option(source, command, names, values)
    assert edit is not None
    assert apply(text, [edit]) == f"FROM debian:12\nRUN {left}\n"


def test_a_comment_between_the_words_stays() -> None:
    text = "FROM debian:12\nRUN curl \\\n  # why\n  -k url\n"
    source, command = command_of(text)
    edit = delete_option(source, command, ("-k",))
    assert edit is not None
    assert "# why" in apply(text, [edit])


def test_an_option_out_of_a_variable_cannot_be_deleted() -> None:
    source, command = command_of("FROM debian:12\nENV OPTS=-k\nRUN curl $OPTS url\n")
    assert delete_option(source, command, ("-k",)) is None


def test_an_option_that_is_not_there_cannot_be_deleted() -> None:
    source, command = command_of("FROM debian:12\nRUN curl -o key url\n")
    assert delete_option(source, command, ("-k", "--insecure")) is None


def test_the_name_of_a_command_is_no_word_to_delete() -> None:
    source, command = command_of("FROM debian:12\nRUN curl url\n")
    assert delete_words(source, command, command.words[:1]) is None
