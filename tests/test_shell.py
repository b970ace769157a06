"""Shell code of whole Dockerfiles: what is found in a ``fixtures/shell`` case stands in its ``commands.txt``.

``python tests/test_shell.py --update`` writes what is found; read the difference before committing it.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from dfopt.shell import parse_script, script_of, treesitter
from dfopt.shell.model import Command, Compound, ListItem, Node, Pipeline, Script, walk
from dfopt.source import Source, Span
from dfopt.syntax import parse
from dfopt.syntax.tree import Cmd, Dockerfile, Entrypoint, Env, Healthcheck, Joined, Run, Shell, Workdir

FIXTURES = Path(__file__).parent / "fixtures" / "shell"
CASES = sorted(path.parent.name for path in FIXTURES.glob("*/Dockerfile"))


def tree_of(case: str) -> Dockerfile:
    return parse(Source.from_bytes((FIXTURES / case / "Dockerfile").read_bytes()))


def scripts(tree: Dockerfile) -> Iterator[tuple[Run | Cmd | Entrypoint | Healthcheck, Script | None]]:
    """Give the scripts of a file with the variables, shell and directory that hold where they stand."""
    variables: dict[str, str | None] = {"HOME": "/root"}
    shell: tuple[str, ...] = ("/bin/sh", "-c")
    directory = "/"
    for instruction in tree.instructions:
        if isinstance(instruction, Env):
            variables.update((pair.key, (pair.value or "").strip('"')) for pair in instruction.pairs)
        elif isinstance(instruction, Shell) and instruction.exec_form:
            shell = tuple(word.text for word in instruction.exec_form)
        elif isinstance(instruction, Workdir):
            directory = instruction.text.text
        elif isinstance(instruction, (Run, Cmd, Entrypoint, Healthcheck)):
            script = script_of(instruction, shell=shell, variables=variables, directory=directory)
            yield instruction, script


def described(tree: Dockerfile) -> str:
    """Give everything that is known about the scripts of a file as text."""
    source = tree.source
    lines: list[str] = []
    for instruction, script in scripts(tree):
        lines += [f"{instruction.keyword} at line {source.line_of(instruction.span.start)}"]
        if script is None:
            lines += ["  no script", ""]
            continue
        form = "exec form " if script.exec_form else ""
        options = f" with {', '.join(sorted(script.options))}" if script.options else ""
        lines.append(f"  {form}{script.dialect}{options}, {place(source, script.span)}")
        lines += [f"  comment {place(source, span)} {json.dumps(source.slice(span))}" for span in script.comments]
        lines += [f"  problem {place(source, one.span)} {one.message}" for one in script.problems]
        for command in script.commands:
            lines += ["  " + line for line in described_command(source, command)]
        lines += ["  tree"]
        for item in script.items:
            lines += ["    " + line for line in outline(source, item)]
        lines.append("")
    return "\n".join(lines)


def place(source: Source, span: Span) -> str:
    first, last = source.position(span.start), source.position(span.end)
    return f"{first.line}:{first.column}-{last.line}:{last.column}"


def described_command(source: Source, command: Command) -> list[str]:
    lines = [f"{place(source, command.span)} {json.dumps(source.slice(command.span), ensure_ascii=False)}"]
    for word in command.words:
        text = json.dumps(word.value, ensure_ascii=False) if word.value is not None else f"unknown {word.pattern}"
        written = source.slice(word.span)
        marks = [name for name, is_so in (("glob", word.glob), ("quoted", word.quoted)) if is_so]
        marks += ["$" + name for name in word.variables]
        written = f" from {json.dumps(written, ensure_ascii=False)}" if written != word.value else ""
        lines.append(f"  {text}{written}{' (' + ', '.join(marks) + ')' if marks else ''}")
    for one in command.assignments:
        value = one.value.value if one.value else None
        text = json.dumps(value, ensure_ascii=False) if value is not None else "unknown"
        lines.append(f"  sets {one.name} {'+=' if one.append else '='} {text} {place(source, one.span)}")
    lines += [f"  redirect {redirect(source, one)}" for one in command.redirects]
    facts = [f"after {json.dumps(command.operator)}"] if command.operator else []
    facts += [
        name
        for name in ("piped", "pipes", "negated", "background", "conditional", "subshell")
        if getattr(command, name)
    ]
    facts += [f"depth {command.depth}"] if command.depth else []
    facts += [f"in {command.directory}"] if command.directory != "/" else []
    facts += [f"through {' '.join(command.wrappers)}"] if command.wrappers else []
    facts += [f"with {', '.join(sorted(command.options))}"] if command.options else []
    facts += [f"where {name}={'?' if value is None else value}" for name, value in command.environment]
    if facts:
        lines.append(f"  {'; '.join(facts)}")
    return lines


def redirect(source: Source, one: object) -> str:
    from dfopt.shell.model import Redirect

    assert isinstance(one, Redirect)
    target = "nothing" if one.target is None else json.dumps(one.target.value, ensure_ascii=False)
    fd = "" if one.fd is None else f"{one.fd} "
    body = "" if one.body is None else f" with {json.dumps(one.body, ensure_ascii=False)}"
    return f"{fd}{one.operator} {target} {place(source, one.span)}{body}"


def outline(source: Source, item: ListItem) -> list[str]:
    operator = f"{json.dumps(item.operator)} " if item.operator else ""
    at = f"{place(source, item.operator_span)} " if item.operator_span else ""
    lines = node(source, item.node)
    return [operator + at + lines[0], *lines[1:]]


def node(source: Source, one: Node) -> list[str]:
    if isinstance(one, Command):
        return [f"command {place(source, one.span)} {one.name or ''}".rstrip()]
    if isinstance(one, Pipeline):
        lines = [f"pipeline {place(source, one.span)}{' negated' if one.negated else ''}"]
        for element in one.elements:
            lines += ["  " + line for line in node(source, element)]
        return lines
    name = f" {one.name}" if one.name else ""
    words = f" over {[word.pattern for word in one.words]}" if one.words else ""
    lines = [f"{one.kind}{name} {place(source, one.span)}{words}"]
    lines += [f"  redirect {redirect(source, each)}" for each in one.redirects]
    for role, items in one.sections:
        lines.append(f"  {role}:")
        for item in items:
            lines += ["    " + line for line in outline(source, item)]
    return lines


@pytest.mark.parametrize("case", CASES)
def test_the_commands_of_a_file_are_found_at_their_places(case: str) -> None:
    expected = (FIXTURES / case / "commands.txt").read_bytes().decode("utf-8", "surrogateescape")
    assert described(tree_of(case)) == expected


@pytest.mark.parametrize("case", CASES)
def test_both_readers_say_the_same(case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    first = described(tree_of(case))
    monkeypatch.setattr(treesitter, "read_tree", lambda text: None)
    assert described(tree_of(case)) == first


@pytest.mark.parametrize("case", CASES)
def test_every_prefix_gives_commands_inside_the_file(case: str) -> None:
    text = tree_of(case).source.text
    for end in range(len(text)):
        tree = parse(Source(text[:end]))
        for _, script in scripts(tree):
            check_places(script, end)


def check_places(script: Script | None, length: int) -> None:
    if script is None:
        return
    spans = [script.span, *script.comments, *(one.span for one in script.problems)]
    for command in script.commands:
        spans += [command.span, *(word.span for word in command.words), *(one.span for one in command.redirects)]
    for one in walk(script.items):
        spans.append(one.span)
    for start, end in spans:
        assert 0 <= start <= end <= length


@pytest.mark.parametrize("case", CASES)
def test_the_trees_commands_are_among_the_flat_ones(case: str) -> None:
    for _, script in scripts(tree_of(case)):
        if script is not None:
            inside = [one for one in walk(script.items) if isinstance(one, Command)]
            flat = [id(one) for one in script.commands]
            assert [id(one) for one in inside] == [one for one in flat if one in set(map(id, inside))]


@pytest.mark.parametrize("case", [case for case in CASES if "heredoc" not in case and case != "windows-line-ends"])
def test_windows_line_ends_change_no_command(case: str) -> None:
    tree = tree_of(case)
    windows = parse(Source(tree.source.text.replace("\n", "\r\n")))
    for (_, ours), (_, theirs) in zip(scripts(tree), scripts(windows), strict=True):
        assert (ours is None) == (theirs is None)
        if ours is None or theirs is None:
            continue
        assert [one.words and [word.value for word in one.words] for one in ours.commands] == [
            one.words and [word.value for word in one.words] for one in theirs.commands
        ]
        for mine, other in zip(ours.commands, theirs.commands, strict=True):
            assert windows.source.slice(other.span).replace("\r\n", "\n") == tree.source.slice(mine.span)


def script(text: str, **options: object) -> Script:
    return parse_script(Joined(text, ((0, 0),)), **options)  # type: ignore[arg-type]  # options are passed on


def test_a_simple_command_has_a_name_without_its_folder() -> None:
    (command,) = script("/usr/bin/apt-get -y install curl").commands
    assert command.name == "apt-get"
    assert command.values == ["-y", "install", "curl"]
    assert command.has("-y")


def test_compounds_hold_their_sections() -> None:
    (item,) = script("if a; then b; else c; fi").items
    assert isinstance(item.node, Compound)
    assert [role for role, _ in item.node.sections] == ["condition", "then", "else"]


if __name__ == "__main__":
    if sys.argv[1:] != ["--update"]:
        sys.exit("usage: python tests/test_shell.py --update")
    for name in CASES:
        (FIXTURES / name / "commands.txt").write_bytes(described(tree_of(name)).encode("utf-8", "surrogateescape"))
