"""Feeds the parser with mutated Dockerfiles, guided by coverage: ``python -m bench.fuzz [CORPUS_FOLDER] [options]``.

Needs atheris (``pip install atheris``). Options are those of libFuzzer, such as ``-max_total_time=1800``. What is
checked for every input: the text comes back byte for byte, spans lie inside the file and in order, repairs can be
applied and parse again, words expand or raise their own error, and the lexer run by hand agrees with the tree.
A seed folder may be filled from the fixtures with ``--seed FOLDER``.
"""

from __future__ import annotations

import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

from dfopt.edit import EditConflict, apply
from dfopt.syntax import parse, tree
from dfopt.syntax.ignorefile import IgnoreError, IgnoreFile
from dfopt.syntax.reference import ImageReference, InvalidReference
from dfopt.syntax.words import WordError, expand, variables

_FIXTURES = Path(__file__).parent.parent / "tests" / "fixtures" / "syntax"
_VALUES = {"A": "foobarbaz", "N": "", "S": "x  y"}


def check_text(text: str) -> None:
    """Check everything that must hold for any text at all."""
    file = parse(text)
    assert str(file) == text
    size = len(text)
    end = 0
    for node in file:
        assert end <= node.span.start <= node.span.end <= size
        end = node.span.end
        _check_node(node, text)
    for problem in file.problems:
        assert 0 <= problem.span.start <= problem.span.end <= size
        assert problem.message
        if problem.edits:
            try:
                changed = apply(text, problem.edits)
            except EditConflict:
                raise AssertionError(f"edits of {problem.code} overlap") from None
            assert changed != text, problem
            assert str(parse(changed)) == changed
    for comment in file.comments:
        assert text[comment.span.start] == "#"


def _check_node(node: tree.Instruction, text: str) -> None:
    joined = "".join(
        text[place : place + (following - at)]
        for (at, place), following in zip(
            node.body.segments, [at for at, _ in node.body.segments[1:]] + [len(node.body.text)], strict=True
        )
    )
    assert joined == node.body.text, (joined, node.body)
    for flag in node.flags:
        assert node.span.start <= flag.span.start < flag.span.end <= node.span.end
    for heredoc in node.heredocs:
        assert text[slice(*heredoc.body_span)] == heredoc.content
        if heredoc.terminator_span:
            assert text[slice(*heredoc.terminator_span)] == heredoc.name
    if isinstance(node, tree.Onbuild):
        _check_node(node.trigger, text)


def check_word(word: str) -> None:
    """Check that a word expands or is refused, and that its variables stand where they are said to stand."""
    for escape in "\\`":
        with suppress(WordError):
            expand(word, _VALUES.get, escape)
        for variable in variables(word, escape):
            assert word[variable.span.start] == "$"
            assert variable.name in word[slice(*variable.span)]


def check_others(text: str) -> None:
    """Check the readers of ignore files and image references."""
    try:
        rules = IgnoreFile.parse(text)
    except IgnoreError:
        pass
    else:
        rules.ignores("a/b/c")
    try:
        reference = ImageReference.parse(text)
    except InvalidReference:
        return
    assert ImageReference.parse(str(reference)) == reference
    assert ImageReference.parse(reference.familiar) == reference


def one_input(data: bytes) -> None:
    """Check one input of the fuzzer."""
    text = data.decode("utf-8", "surrogateescape")
    check_text(text)
    check_word(text)
    if len(text) < 200:
        check_others(text)


def write_seeds(folder: Path) -> None:
    """Write the fixtures into a folder, as the fuzzer's first inputs."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, path in enumerate(sorted(_FIXTURES.rglob("Dockerfile*"))):
        (folder / f"fixture-{number}").write_bytes(path.read_bytes())


def main() -> None:
    """Run the fuzzer with the options of the command line."""
    if "--seed" in sys.argv:
        at = sys.argv.index("--seed")
        write_seeds(Path(sys.argv[at + 1]))
        del sys.argv[at : at + 2]
    import atheris

    fuzzer: Any = atheris
    fuzzer.instrument_all()
    fuzzer.Setup(sys.argv, one_input)
    fuzzer.Fuzz()


if __name__ == "__main__":
    main()
