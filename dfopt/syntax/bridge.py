"""The way to and from dockerfile-parse: its parser as a source of trees, a tree as one of its parsers.

``as_parser`` gives a ``DockerfileParser`` that reads by dfopt's tree. Both share one text: what is written through the
parser is seen in its ``tree``, and edits of the tree that are applied are seen in the parser. Where dockerfile-parse
reads a file differently from BuildKit, such a parser follows BuildKit; ``docs/conformance.md`` lists the differences.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from io import BytesIO
from typing import TYPE_CHECKING, Any

from dfopt.edit import Edit, apply
from dfopt.syntax import tree, whitespace
from dfopt.syntax.parser import parse
from dfopt.syntax.words import WordError, expand

if TYPE_CHECKING:
    from dockerfile_parse import DockerfileParser

    from dfopt.syntax.tree import Dockerfile, Instruction


def text_of(parser: DockerfileParser) -> bytes:
    """Give the bytes that a ``DockerfileParser`` reads from, as they are now. Raises OSError where it cannot."""
    if parser.cache_content and parser.cached_content:
        return str(parser.cached_content).encode("utf-8", "surrogateescape")
    with parser._open_dockerfile("rb") as file:
        return bytes(file.read())


def write_back(parser: DockerfileParser, text: str) -> None:
    """Replace the text of a ``DockerfileParser``, for instance by what a fix has made of it."""
    parser.content = text.encode("utf-8", "surrogateescape") if not parser.cache_content else text


def as_parser(
    file: Dockerfile,
    *,
    env_replace: bool = True,
    parent_env: Mapping[str, str] | None = None,
    build_args: Mapping[str, str] | None = None,
) -> DockerfileParser:
    """Give a ``DockerfileParser`` on a tree's text, kept in memory. Options are those of dockerfile-parse.

    It has two members of its own: ``tree``, the tree of the text as it is now, and ``apply``, which takes edits of it.
    """
    return _parser_class()(
        fileobj=BytesIO(file.source.to_bytes()),
        env_replace=env_replace,
        parent_env=dict(parent_env or {}),
        build_args=dict(build_args or {}),
    )


@cache
def _parser_class() -> Any:
    """Make the class of linked parsers; dockerfile-parse is imported here and nowhere else."""
    from dockerfile_parse import DockerfileParser
    from dockerfile_parse.parser import Args, Envs, Labels

    class LinkedParser(DockerfileParser):  # type: ignore[misc]  # dockerfile-parse has no types
        """A dockerfile-parse parser that reads by dfopt's tree."""

        _parsed: tuple[bytes, Dockerfile] | None = None

        @property
        def tree(self) -> Dockerfile:
            """The tree of the text as it is now."""
            data = text_of(self)
            if self._parsed is None or self._parsed[0] != data:
                self._parsed = (data, parse(data))
            return self._parsed[1]

        def apply(self, edits: Iterable[Edit]) -> None:
            """Apply edits of the tree to the text. Raises EditConflict."""
            write_back(self, apply(self.tree.source.text, edits))

        @property
        def content(self) -> str:
            return text_of(self).decode("utf-8", "surrogateescape")

        @content.setter
        def content(self, content: str | bytes) -> None:
            data = content.encode("utf-8", "surrogateescape") if isinstance(content, str) else content
            with self._open_dockerfile("wb") as file:
                file.write(data)

        @property
        def lines(self) -> list[str]:
            return _lines(self.content)

        @lines.setter
        def lines(self, lines: Iterable[str | bytes]) -> None:
            self.content = b"".join(
                line.encode("utf-8", "surrogateescape") if isinstance(line, str) else line for line in lines
            )

        @property
        def structure(self) -> list[dict[str, Any]]:
            return structure(self.tree)

        @property
        def parent_images(self) -> list[str]:
            return parent_images(self.tree, self.build_args)

        @parent_images.setter
        def parent_images(self, parents: Iterable[str]) -> None:
            DockerfileParser.parent_images.fset(self, parents)

        def _instruction_getter(self, name: str, env_replace: bool) -> Any:
            values = final_values(self.tree, name, self.parent_env, self.build_args, expands=env_replace)
            return {"LABEL": Labels, "ENV": Envs, "ARG": Args}[name](values, self)

    return LinkedParser


def _lines(text: str) -> list[str]:
    lines = text.split("\n")
    return [line + "\n" for line in lines[:-1]] + ([lines[-1]] if lines[-1] else [])


def structure(file: Dockerfile) -> list[dict[str, Any]]:
    """List a file's instructions and comments as dockerfile-parse describes them; lines count from 0."""
    lines = _lines(file.source.text)
    line_of = file.source.line_of
    comments = [*(item.span for item in file.comments), *(item.span for item in file.directives)]
    entries: list[tuple[int, dict[str, Any]]] = []
    for span in comments:
        number = line_of(span.start) - 1
        value = file.source.slice(span)[1:].lstrip()
        entries.append((number, _entry("COMMENT", number, number, lines[number], value)))
    for node in file:
        first, last = line_of(node.span.start) - 1, line_of(node.span.end) - 1
        last = min(last, len(lines) - 1)
        inner = {line_of(comment.span.start) - 1 for comment in node.inner_comments}
        content = "".join(lines[number] for number in range(first, last + 1) if number not in inner)
        entries.append((last, _entry(node.keyword, first, last, content, _value(node))))
    # A comment inside a continuation comes before its instruction, as dockerfile-parse has it.
    return [entry for _, entry in sorted(entries, key=lambda pair: pair[0])]


def _entry(instruction: str, first: int, last: int, content: str, value: str) -> dict[str, Any]:
    return {"instruction": instruction, "startline": first, "endline": last, "content": content, "value": value}


def _value(node: Instruction) -> str:
    """Give all that stands behind the keyword, flags included, continuations joined."""
    line = node.original.strip(whitespace.UNICODE)
    keyword = line[: len(line) - len(line.lstrip("".join(set(line) - set(whitespace.ASCII))))]
    return line[len(keyword) :].lstrip(whitespace.ASCII)


def parent_images(file: Dockerfile, build_args: Mapping[str, str] | None = None) -> list[str]:
    """List the images that the stages are built on, with the global arguments filled in."""
    known = _global_arguments(file, build_args or {})
    return [_expanded(node.image.text, known, file.escape) for node in file if isinstance(node, tree.From)]


def base_image(file: Dockerfile, build_args: Mapping[str, str] | None = None) -> str | None:
    """Give the image that the last stage is built on; None without a stage."""
    images = parent_images(file, build_args)
    return images[-1] if images else None


def _global_arguments(file: Dockerfile, build_args: Mapping[str, str]) -> dict[str, str]:
    known: dict[str, str] = {}
    for node in file:
        if isinstance(node, tree.From):
            break
        if isinstance(node, tree.Arg):
            for pair in node.pairs:
                _declare(pair, known, build_args, {}, file.escape)
    return known


def _declare(
    pair: tree.Pair, known: dict[str, str], build_args: Mapping[str, str], outer: Mapping[str, str], escape: str
) -> None:
    """Enter a build argument into a table: the value given for it, its default, or the global one."""
    if pair.key in build_args:
        known[pair.key] = build_args[pair.key]
    elif pair.value is not None:
        known[pair.key] = _expanded(pair.value, known, escape)
    elif pair.key in outer:
        known[pair.key] = outer[pair.key]


def _expanded(text: str, known: Mapping[str, str], escape: str) -> str:
    """Expand a word; one that cannot be expanded stays as it is."""
    try:
        return expand(text, known.get, escape).value
    except WordError:
        return text


def final_values(
    file: Dockerfile,
    keyword: str,
    parent_env: Mapping[str, str] | None = None,
    build_args: Mapping[str, str] | None = None,
    *,
    expands: bool = True,
) -> dict[str, str]:
    """Give what the last stage sets by LABEL, ENV or ARG; without ``expands``, variables stay as they are written.

    A stage that is built on another one knows the variables of that one.
    """
    given = build_args or {}
    outer = _global_arguments(file, given)
    stages: dict[str, dict[str, str]] = {}
    known: dict[str, str] = {}
    values: dict[str, str] = {}
    for node in file:
        if isinstance(node, tree.From):
            values = {}
            base = _expanded(node.image.text, outer, file.escape)
            known = dict(stages.get(base, parent_env or {}))
            if node.name:
                stages[node.name] = known
        elif isinstance(node, tree.Arg):
            for pair in node.pairs:
                _declare(pair, known, given, outer, file.escape)
                if keyword == "ARG":
                    values[pair.key] = known.get(pair.key, "")
        elif isinstance(node, (tree.Env, tree.Label)):
            before = dict(known) if expands else {}
            for pair in node.pairs:
                key, value = (_expanded_or_kept(text, before, file.escape, expands) for text in (pair.key, pair.value))
                if isinstance(node, tree.Env):
                    known[key] = value
                if node.keyword == keyword:
                    values[key] = value
    return values


def _expanded_or_kept(text: str | None, known: Mapping[str, str], escape: str, expands: bool) -> str:
    """Expand a word, or only remove its quotes."""
    if expands or not text:
        return _expanded(text or "", known, escape)
    try:
        return expand(text, lambda name: None, escape, keep_unset=True).value
    except WordError:
        return text
