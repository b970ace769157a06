"""Typed instructions: what stands in the nodes of each keyword."""

from __future__ import annotations

from typing import TypeVar

import pytest

from dfopt.source import Source
from dfopt.syntax import parse
from dfopt.syntax.tree import (
    Add,
    Arg,
    Cmd,
    CommandInstruction,
    Copy,
    Entrypoint,
    Env,
    Expose,
    From,
    Healthcheck,
    Instruction,
    Label,
    Maintainer,
    Onbuild,
    Run,
    Shell,
    Stopsignal,
    Unknown,
    User,
    Volume,
    Workdir,
)

_Node = TypeVar("_Node", bound=Instruction)


def _one(kind: type[_Node], line: str, head: str = "FROM a\n") -> _Node:
    file = parse(head + line + "\n")
    assert not file.problems
    node = file.instructions[-1]
    assert isinstance(node, kind)
    return node


def _slices(text: str, *spans: tuple[int, int] | None) -> list[str | None]:
    return [None if span is None else text[slice(*span)] for span in spans]


def test_from_has_image_name_and_platform() -> None:
    text = "from --platform=$P  img:1 \tas  My-Stage_1.x"
    node = _one(From, text, "")
    assert (node.keyword, node.image.text, node.name, node.platform) == ("FROM", "img:1", "my-stage_1.x", "$P")
    assert _slices(text, node.image.span, node.name_span, node.as_span) == ["img:1", "My-Stage_1.x", "as"]


def test_from_without_a_name() -> None:
    node = _one(From, "FROM scratch", "")
    assert (node.name, node.name_span, node.as_span, node.platform) == (None, None, None, None)


@pytest.mark.parametrize(
    ("line", "pairs"),
    [
        ("ENV a=b", [("a", "b")]),
        ("ENV a=b c=\"d e\" f='g h' i=j\\ k", [("a", "b"), ("c", '"d e"'), ("f", "'g h'"), ("i", "j\\ k")]),
        ("ENV a b  c", [("a", "b  c")]),
        ("ENV a =b", [("a", "=b")]),
        ('ENV "a b" c', [('"a', 'b" c')]),
        ("ENV a=b=c d=", [("a", "b=c"), ("d", "")]),
        ("ENV 'a b'=c", [("'a b'", "c")]),
        ("ENV a\\=b", [("a\\", "b")]),
        ('ENV a="b c', [("a", '"b c')]),
        ("ENV a='b\\", [("a", "'b")]),
        ("LABEL a=b\xa0c=d", [("a", "b"), ("c", "d")]),
        ("LABEL a\xa0=b", None),
    ],
)
def test_env_and_label_have_pairs(line: str, pairs: list[tuple[str, str]] | None) -> None:
    node = parse(f"FROM a\n{line}\n").instructions[1]
    if pairs is None:
        assert isinstance(node, Unknown)
        return
    assert isinstance(node, (Env, Label))
    assert [(pair.key, pair.value) for pair in node.pairs] == pairs


def test_pairs_know_their_places() -> None:
    text = "FROM a\nENV one=1 \\\n  two='x y'\n"
    node = parse(text).instructions[1]
    assert isinstance(node, Env)
    pair = node.pairs[1]
    assert _slices(text, pair.span, pair.key_span, pair.value_span) == ["two='x y'", "two", "'x y'"]


def test_the_legacy_form_is_marked() -> None:
    assert _one(Env, "ENV a b").pairs[0].legacy
    assert not _one(Env, "ENV a=b").pairs[0].legacy


def test_arg_may_have_no_default() -> None:
    pairs = _one(Arg, "ARG a b=c d= 'e f'=g").pairs
    assert [(pair.key, pair.value) for pair in pairs] == [("a", None), ("b", "c"), ("d", ""), ("'e f'", "g")]
    assert pairs[0].value_span is None


def test_a_backtick_escapes_in_words() -> None:
    node = _one(Env, "ENV a=C:\\x b=c` d", "# escape=`\nFROM a\n")
    assert [(pair.key, pair.value) for pair in node.pairs] == [("a", "C:\\x"), ("b", "c` d")]


@pytest.mark.parametrize(
    ("kind", "line", "strings"),
    [
        (Cmd, 'CMD ["a", "b c"]', ["a", "b c"]),
        (Cmd, "CMD []", []),
        (Cmd, "CMD a b", None),
        (Cmd, "CMD", None),
        (Cmd, 'CMD ["a"] b', None),
        (Cmd, 'CMD ["a", 1e999]', None),
        (Cmd, 'CMD ["a", NaN]', None),
        (Cmd, 'CMD ["tab\there"]', None),
        (Entrypoint, r'ENTRYPOINT ["\u00e9\n\/\"", "\ud83d\ude00", "\ud800x"]', ['é\n/"', "😀", "\ufffdx"]),
        (Run, 'RUN [ "x" ,\\\n "y" ]', ["x", "y"]),
        (Run, "RUN [ -f x ] && y", None),
        (Run, 'RUN [ "a" = "b" ]', None),
        (Shell, 'SHELL ["bash", "-c"]', ["bash", "-c"]),
    ],
)
def test_commands_have_two_forms(kind: type[CommandInstruction], line: str, strings: list[str] | None) -> None:
    node = _one(kind, line)
    assert node.is_exec is (strings is not None)
    assert (None if node.exec_form is None else [word.text for word in node.exec_form]) == strings


def test_json_strings_know_their_places() -> None:
    text = 'FROM a\nCMD ["a", \\\n  "b\\n"]\n'
    node = parse(text).instructions[1]
    assert isinstance(node, Cmd)
    assert node.exec_form is not None
    assert _slices(text, *(word.span for word in node.exec_form)) == ['"a"', '"b\\n"']


def test_run_has_mounts() -> None:
    node = _one(Run, 'RUN --mount=type=cache,Target=/c,ro --mount="target=/b,from=s" --network=none x')
    assert [mount.fields for mount in node.mounts] == [
        (("type", "cache"), ("target", "/c"), ("ro", None)),
        (("target", "/b"), ("from", "s")),
    ]
    assert [(mount.type, mount.target, mount.from_) for mount in node.mounts] == [
        ("cache", "/c", None),
        ("bind", "/b", "s"),
    ]
    assert node.flag_value("network") == "none"
    assert node.body.text == "x"


def test_flags_lose_their_quotes_and_keep_their_places() -> None:
    text = "FROM a\nCOPY --chown=\"a b\" \\\n  --exclude='*.md' --exclude=x\\ y --link s d\n"
    node = parse(text).instructions[1]
    assert isinstance(node, Copy)
    assert (node.chown, node.excludes, node.link) == ("a b", ["*.md", "x y"], True)
    assert _slices(text, *(flag.span for flag in node.flags)) == [
        '--chown="a b"',
        "--exclude='*.md'",
        "--exclude=x\\ y",
        "--link",
    ]
    assert _slices(text, *(flag.value_span for flag in node.flags)) == ['"a b"', "'*.md'", "x\\ y", None]


def test_flags_end_at_the_first_other_word_or_at_two_dashes() -> None:
    assert _one(Copy, "COPY a --from=b c").from_ is None
    assert _one(Run, "RUN -- --x y").body.text == "--x y"


def test_flags_are_read_byte_by_byte() -> None:
    node = _one(Copy, "COPY --chown=à x y")
    assert node.chown == "Ã"
    assert [word.text for word in (*node.sources, node.destination)] == ["x", "y"]


def test_copy_and_add_have_sources_and_a_destination() -> None:
    copy = _one(Copy, "COPY --from=b --chmod=644 x  y /z/")
    assert ([word.text for word in copy.sources], copy.destination.text) == (["x", "y"], "/z/")
    assert (copy.from_, copy.chmod, copy.json) == ("b", "644", False)
    add = _one(Add, 'ADD ["a b", "/c d"]')
    assert ([word.text for word in add.sources], add.destination.text, add.json) == (["a b"], "/c d", True)


def test_quotes_do_not_group_paths() -> None:
    node = _one(Copy, 'COPY "a b" c')
    assert [word.text for word in node.sources] == ['"a', 'b"']


def test_an_empty_from_counts_as_none() -> None:
    assert _one(Copy, "COPY --from= a b").from_ is None


@pytest.mark.parametrize(
    ("kind", "line", "text"),
    [
        (User, "USER a b ", "a b"),
        (Workdir, 'WORKDIR "/a b"', '"/a b"'),
        (Stopsignal, "STOPSIGNAL --x 9", "9"),
        (Maintainer, "MAINTAINER A <b@c>", "A <b@c>"),
    ],
)
def test_some_instructions_hold_one_text(
    kind: type[User | Workdir | Stopsignal | Maintainer], line: str, text: str
) -> None:
    assert _one(kind, line).text.text == text


def test_expose_and_volume_hold_words() -> None:
    assert [word.text for word in _one(Expose, "EXPOSE 80 90/udp $P").words] == ["80", "90/udp", "$P"]
    assert [word.text for word in _one(Volume, 'VOLUME ["/a b"]').words] == ["/a b"]
    assert [word.text for word in _one(Volume, "VOLUME /a /b").words] == ["/a", "/b"]


def test_healthcheck_holds_a_command_or_none() -> None:
    text = _one(Healthcheck, "HEALTHCHECK --interval=5s cmd curl -f x")
    assert text.command is not None
    assert (text.command.text, text.exec_form, text.is_none) == ("curl -f x", None, False)
    array = _one(Healthcheck, 'HEALTHCHECK CMD ["a"]')
    assert [word.text for word in array.exec_form or ()] == ["a"]
    assert _one(Healthcheck, "HEALTHCHECK --whatever none").is_none


def test_onbuild_holds_an_instruction() -> None:
    text = "FROM a\nONBUILD COPY --link a \\\n b\n"
    node = parse(text).instructions[1]
    assert isinstance(node, Onbuild)
    trigger = node.trigger
    assert isinstance(trigger, Copy)
    assert trigger.link
    assert trigger.original == "COPY --link a  b"
    assert _slices(text, trigger.span, trigger.destination.span) == ["COPY --link a \\\n b", "b"]


def test_the_logical_line_is_kept_as_it_stands() -> None:
    assert _one(Run, "  run   x \\\n\ty  ").original == "run   x \ty  "


def test_a_stage_begins_at_each_from() -> None:
    file = parse("ARG v\nFROM a\nRUN x\nFROM b\nRUN y\nRUN z\n")
    assert [[node.keyword for node in stage] for stage in file.stages] == [["FROM", "RUN"], ["FROM", "RUN", "RUN"]]


def test_takes_text_bytes_and_sources() -> None:
    assert str(parse("FROM a\n")) == "FROM a\n"
    assert parse(b"FROM a\n# \xff\n").source.to_bytes() == b"FROM a\n# \xff\n"
    assert parse(Source("FROM a", "x/Dockerfile")).source.name == "x/Dockerfile"
    assert parse("FROM a", "y").source.name == "y"


def test_a_path_is_text_and_nothing_else() -> None:
    file = parse("/etc/passwd")
    assert isinstance(file.instructions[0], Unknown)
