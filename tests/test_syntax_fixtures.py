"""Every folder of ``fixtures/syntax``: instructions and errors at their places.

``expected.txt`` has one line per instruction (lines, keyword, arguments after joining) and, behind an exclamation mark,
per problem (place, code, the text there). ``DFOPT_UPDATE=1`` in the environment writes the files anew.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from dfopt.edit import apply
from dfopt.source import Span
from dfopt.syntax import parse
from dfopt.syntax.tree import Dockerfile, Instruction, Onbuild

_FOLDERS = sorted(path.parent for path in (Path(__file__).parent / "fixtures" / "syntax").glob("*/Dockerfile"))


def _quoted(text: str) -> str:
    return ascii(text)[1:-1] if text.isprintable() and "\\" not in text and text.isascii() else ascii(text)


def _place(file: Dockerfile, span: Span) -> str:
    first, last = file.source.position(span.start), file.source.position(span.end)
    return f"{first.line}:{first.column}-{last.line}:{last.column}"


def _described(node: Instruction) -> str:
    flags = "".join(f" --{flag.name}" + ("" if flag.value is None else f"={flag.value}") for flag in node.flags)
    kind = type(node).__name__
    inner = f" > {_described(node.trigger)}" if isinstance(node, Onbuild) else f" {_quoted(node.body.text)}"
    documents = "".join(f" <<{item.name} {_quoted(item.content)}" for item in node.heredocs)
    name = node.keyword if kind.upper() == node.keyword else f"({kind}) {_quoted(node.keyword)}"
    return name + flags + inner + documents


def _summary(file: Dockerfile) -> str:
    lines = []
    for node in file:
        first, last = file.source.line_of(node.span.start), file.source.line_of(node.span.end)
        lines.append(f"{first}-{last} {_described(node)}".rstrip())
    for found in file.problems:
        lines.append(f"! {_place(file, found.span)} {found.code} {_quoted(file.source.slice(found.span))}".rstrip())
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("folder", _FOLDERS, ids=lambda folder: folder.name)
def test_reads_the_fixture(folder: Path) -> None:
    data = (folder / "Dockerfile").read_bytes()
    file = parse(data)
    assert file.source.to_bytes() == data
    expected = folder / "expected.txt"
    if os.environ.get("DFOPT_UPDATE"):
        expected.write_text(_summary(file), "utf-8")
    assert _summary(file) == expected.read_text("utf-8")


@pytest.mark.parametrize("folder", _FOLDERS, ids=lambda folder: folder.name)
def test_each_repair_mends_its_error(folder: Path) -> None:
    file = parse((folder / "Dockerfile").read_bytes())
    for found in file.problems:
        if found.edits:
            mended = parse(apply(file.source.text, found.edits))
            codes = [item.code for item in mended.problems]
            assert codes.count(found.code) < [item.code for item in file.problems].count(found.code), found
