"""The bridge to dockerfile-parse."""

from __future__ import annotations

import subprocess
import sys
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from dockerfile_parse import DockerfileParser  # type: ignore[import-untyped]  # it has no types

import dfopt
from bench.bridge import REASONS, compare
from dfopt.edit import Edit
from dfopt.syntax import parse
from dfopt.syntax.bridge import as_parser, base_image, final_values, text_of, write_back
from dfopt.syntax.tree import Env, From

_FIXTURES = Path(__file__).parent / "fixtures"
_FILES = sorted(path for path in _FIXTURES.rglob("*Dockerfile*") if path.is_file())

_TEXT = """\
# syntax=docker/dockerfile:1
ARG TAG=3.20
FROM alpine:$TAG AS build
ENV A=1 B="two words" \\
    # a comment
    C=$A
FROM build
LABEL name="x $A" note=y
ENV D=${A}2
CMD ["sh"]
"""


def _theirs(text: str) -> Any:
    return DockerfileParser(fileobj=BytesIO(text.encode()))


def test_parse_takes_a_parser() -> None:
    parser = _theirs(_TEXT)
    assert str(dfopt.parse(parser)) == _TEXT
    parser.envs["E"] = "5"
    node = dfopt.parse(parser).instructions[-1]
    assert isinstance(node, Env)
    assert (node.pairs[0].key, node.pairs[0].value) == ("E", "5")


def test_parse_takes_a_parser_of_a_file(tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_bytes(b"FROM a\n# \xff\n")
    parser = DockerfileParser(str(tmp_path))
    assert text_of(parser) == b"FROM a\n# \xff\n"
    write_back(parser, "FROM b\n# \udcff\n")
    assert (tmp_path / "Dockerfile").read_bytes() == b"FROM b\n# \xff\n"


def test_a_cached_parser_gives_and_takes_its_text() -> None:
    parser = DockerfileParser(fileobj=BytesIO(b"FROM a\n"), cache_content=True)
    assert text_of(parser) == b"FROM a\n"
    write_back(parser, "FROM b\n")
    assert parser.baseimage == "b"
    assert text_of(parser) == b"FROM b\n"


def test_a_tree_can_be_handed_over_as_a_parser() -> None:
    parser: Any = as_parser(parse(_TEXT))
    assert isinstance(parser, DockerfileParser)
    assert parser.content == _TEXT
    assert parser.baseimage == "build"
    assert parser.parent_images == ["alpine:3.20", "build"]
    assert parser.is_multistage
    assert parser.cmd == '["sh"]'
    assert dict(parser.labels) == {"name": "x 1", "note": "y"}
    assert dict(parser.envs) == {"D": "12"}
    assert [entry["instruction"] for entry in parser.structure] == [
        "COMMENT", "ARG", "FROM", "COMMENT", "ENV", "FROM", "LABEL", "ENV", "CMD",
    ]  # fmt: skip
    assert parser.structure[4] == {
        "instruction": "ENV",
        "startline": 3,
        "endline": 5,
        "content": 'ENV A=1 B="two words" \\\n    C=$A\n',
        "value": 'A=1 B="two words"     C=$A',
    }


def test_edits_of_the_parser_are_seen_by_the_tree() -> None:
    parser: Any = as_parser(parse(_TEXT))
    parser.baseimage = "debian"
    parser.labels["name"] = "new"
    parser.add_lines("USER nobody")
    file = parser.tree
    stages = [node.image.text for node in file if isinstance(node, From)]
    assert stages == ["alpine:$TAG", "debian"]
    assert file.instructions[-1].keyword == "USER"
    assert final_values(file, "LABEL")["name"] == "new"
    assert str(file) == parser.content


def test_edits_of_the_tree_are_seen_by_the_parser() -> None:
    parser: Any = as_parser(parse(_TEXT))
    node = parser.tree.instructions[1]
    assert isinstance(node, From)
    parser.apply([Edit(node.image.span, "busybox")])
    assert parser.parent_images == ["busybox", "build"]
    assert "FROM busybox AS build" in parser.content


def test_a_linked_parser_reads_what_dockerfile_parse_cannot() -> None:
    parser: Any = as_parser(parse("FROM a\nRUN <<E\nENV x=1\nE\nENV y=${z:-2}\n"))
    assert dict(parser.envs) == {"y": "2"}
    assert len(parser.structure) == 3
    parser.envs["y"] = "3"
    assert dict(parser.envs) == {"y": "3"}
    assert "ENV x=1" in parser.content


def test_bytes_that_are_not_utf8_survive() -> None:
    parser: Any = as_parser(parse(b"FROM a\n# \xff\n"))
    parser.add_lines("USER b")
    assert parser.tree.source.to_bytes() == b"FROM a\n# \xff\nUSER b\n"


def test_options_are_those_of_dockerfile_parse() -> None:
    file = parse("ARG T=1\nFROM a:$T\nARG U\nENV P=$HOME V=$U\n")
    parser: Any = as_parser(file, parent_env={"HOME": "/root"}, build_args={"T": "2", "U": "u"})
    assert parser.baseimage == "a:2"
    assert dict(parser.envs) == {"P": "/root", "V": "u"}
    assert dict(parser.args) == {"U": "u"}
    plain: Any = as_parser(file, env_replace=False)
    assert dict(plain.envs) == {"P": "$HOME", "V": "$U"}


def test_a_file_without_stages_has_no_base_image() -> None:
    assert base_image(parse("ARG a\n")) is None


@pytest.mark.parametrize("path", _FILES, ids=lambda path: f"{path.parent.parent.name}-{path.parent.name}-{path.name}")
def test_reads_as_dockerfile_parse_does_or_differs_for_a_reason(path: Path) -> None:
    text = path.read_bytes().decode("utf-8", "surrogateescape")
    for aspect, (theirs, ours, reason) in compare(text).items():
        assert reason, (aspect, theirs, ours)


def test_every_reason_is_explained() -> None:
    page = (Path(__file__).parent.parent / "docs" / "conformance.md").read_text("utf-8")
    for name, _, _ in REASONS:
        assert f"| {name} |" in page


def test_importing_the_syntax_does_not_import_dockerfile_parse() -> None:
    code = "import dfopt.syntax.bridge, sys; sys.exit('dockerfile_parse' in sys.modules or 'lark' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
