"""Whatever the text: it comes back byte for byte, nothing raises, and time grows with the size only."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.fuzz import check_text, check_word
from dfopt.syntax import parse

_FIXTURES = Path(__file__).parent / "fixtures"
_FILES = sorted(path for path in _FIXTURES.rglob("*Dockerfile*") if path.is_file())
_SYNTAX = [path for path in _FILES if path.parent.parent.name == "syntax"]


def _text(path: Path) -> str:
    return path.read_bytes().decode("utf-8", "surrogateescape")


def _continued(parts: list[str], escape: str, newline: str) -> str:
    return f" {escape}{newline}".join(parts)


_word = st.sampled_from(
    [
        "a",
        "b=c",
        '"d e"',
        "'f g'",
        "$A",
        "${B:-c}",
        "\\",
        "[",
        '["x"]',
        '["x", "y"]',
        "<<E",
        "<<-'F'",
        "--x=y",
        "#",
        "é",
        "&&",
        "\xa0",
        "it's",
        "=",
        "CMD",
        "AS",
        "\udcff",
        "/x/",
        "`",
        "{",
        "\t",
        "\x0b",
        "\u2028",
        "1",
    ]
)
_keyword = st.sampled_from(
    [
        "FROM",
        "RUN",
        "run",
        "COPY",
        "ADD",
        "ENV",
        "LABEL",
        "ARG",
        "CMD",
        "ENTRYPOINT",
        "SHELL",
        "HEALTHCHECK",
        "EXPOSE",
        "VOLUME",
        "USER",
        "WORKDIR",
        "STOPSIGNAL",
        "MAINTAINER",
        "ONBUILD",
        "ONBUILD RUN",
        "ONBUILD COPY",
        "FOO",
        "",
    ]
)
_newline = st.sampled_from(["\n", "\r\n", "\n\n", "\n \t\n", "\n# comment\n", "\r\r\n"])


@st.composite
def _dockerfiles(draw: st.DrawFn) -> str:
    escape = draw(st.sampled_from(["\\", "\\", "`"]))
    text = draw(st.sampled_from(["", "\ufeff"])) + (f"# escape={escape}\n" if escape == "`" else "")
    for _ in range(draw(st.integers(0, 5))):
        parts = [draw(_keyword)]
        for word in draw(st.lists(_word, max_size=6)):
            if draw(st.integers(0, 4)) == 0:
                parts.append(word)
            else:
                parts[-1] += draw(st.sampled_from([" ", "  ", "\t"])) + word
        newline = draw(_newline)
        text += draw(st.sampled_from(["", "", "  "])) + _continued(parts, escape, newline) + draw(_newline)
        text += draw(st.sampled_from(["", "", "E\n", "\tF\n", "# note\n", "body\nE\nF\n"]))
    return text


@given(_dockerfiles())
def test_generated_files_come_back(text: str) -> None:
    check_text(text)


@given(st.text(alphabet=st.characters(codec="utf-8"), max_size=60))
def test_any_text_comes_back(text: str) -> None:
    check_text(text)


@given(st.binary(max_size=60))
def test_any_bytes_come_back(data: bytes) -> None:
    file = parse(data)
    assert file.source.to_bytes() == data
    assert str(file).encode("utf-8", "surrogateescape") == data


@given(st.data())
@settings(max_examples=150)
def test_mutated_fixtures_come_back(data: st.DataObject) -> None:
    text = _text(data.draw(st.sampled_from(_FILES)))
    for _ in range(data.draw(st.integers(1, 5))):
        at = data.draw(st.integers(0, len(text)))
        cut = data.draw(st.integers(0, 6))
        text = text[:at] + data.draw(st.one_of(st.just(""), _word, _newline)) + text[at + cut :]
    check_text(text)


@pytest.mark.parametrize("path", _FILES, ids=lambda path: f"{path.parent.parent.name}-{path.parent.name}-{path.name}")
def test_every_prefix_gives_a_tree(path: Path) -> None:
    text = _text(path)
    step = max(1, len(text) // 400)
    for end in range(0, len(text) + 1, step):
        check_text(text[:end])


@pytest.mark.parametrize("path", _SYNTAX, ids=lambda path: path.parent.name)
def test_every_fixture_of_the_language_expands_or_is_refused(path: Path) -> None:
    check_word(_text(path))


@pytest.mark.parametrize("newline", ["\r\n", "\r\r\n"])
def test_carriage_returns_change_no_argument(newline: str) -> None:
    for path in _FILES:
        text = _text(path)
        if "\r" in text:
            continue
        plain, carried = parse(text), parse(text.replace("\n", newline))
        assert [node.body.text for node in plain] == [node.body.text for node in carried]
        assert [found.code for found in plain.problems] == [found.code for found in carried.problems]


_SIZE = 8_000
_LARGE = {
    "stages": lambda n: "".join(f"FROM a AS s{i}\nCOPY --from=s{i} a b\n" for i in range(n)),
    "continuations": lambda n: "FROM a\nRUN x" + " \\\n y" * n,
    "continued pairs": lambda n: "FROM a\nENV x=1" + " \\\n y=2" * n,
    "continued array": lambda n: 'FROM a\nCMD ["a"' + ', \\\n "b"' * n + "]",
    "continued paths": lambda n: "FROM a\nCOPY a" + " \\\n b" * n,
    "words without equals signs": lambda n: "FROM a\nENV a=b" + " c" * n,
    "quotes": lambda n: "FROM a\nENV a=" + "'" * n + '"' * n,
    "open arrays": lambda n: "FROM a\nCMD " + "[" * n,
    "closed arrays": lambda n: "FROM a\nCMD " + "[" * n + "]" * n,
    "open objects": lambda n: "FROM a\nCMD [" + '{"a":' * n,
    "triggers": lambda n: "FROM a\n" + "ONBUILD " * n,
    "open substitutions": lambda n: "FROM a\nRUN <<E " + "${a:-" * n,
    "closed substitutions": lambda n: "FROM a\nRUN <<E " + "${a:-" * n + "}" * n,
    "heredocs": lambda n: "FROM a\nRUN " + "<<E " * n + "\n" + "E\n" * n,
    "heredocs without end": lambda n: "FROM a\n" + "RUN <<E\n" * n,
    "flags": lambda n: "FROM a\nRUN " + "--mount=é " * n,
    "comments in a continuation": lambda n: "FROM a\nRUN x \\\n" + "#\n" * n,
    "blank lines in a continuation": lambda n: "FROM a\nRUN x \\\n" + "\n" * n,
    "unknown words": lambda n: "".join(f"abc{i % 100}\n" for i in range(n)),
    "blanks": lambda n: "FROM a\nRUN" + " " * 20 * n + "x",
    "escapes": lambda n: "FROM a\nRUN " + "\\ " * 5 * n,
}


@pytest.mark.parametrize("name", _LARGE)
def test_time_grows_with_the_size_only(name: str) -> None:
    def seconds(size: int) -> float:
        text = _LARGE[name](size)
        best = float("inf")
        for _ in range(2):
            started = time.process_time()
            file = parse(text)
            best = min(best, time.process_time() - started)
        assert str(file) == text
        return best

    small, large = seconds(_SIZE // 8), seconds(_SIZE)
    # Eight times the size; quadratic growth would be 64 times the time.
    assert large < 24 * small + 0.5


def test_ten_megabytes_are_read() -> None:
    text = "FROM alpine\n" + "".join(f"RUN echo {n} \\\n  && echo {'x' * 5000}\n" for n in range(2000))
    assert len(text) > 10_000_000
    file = parse(text)
    assert len(file.instructions) == 2001
    assert str(file) == text


@pytest.mark.parametrize(
    "text",
    [
        "".join(f"FROM a AS s{n}\nCOPY --from=s{n} a b\n" for n in range(10_000)),
        "FROM a\nRUN x" + " \\\n y" * 100_000,
        "FROM a\nENV A=" + "\"'" * 100_000,
        "FROM a\nRUN <<E " + "${A:-" * 100_000 + "}" * 100_000 + "\nE\n",
    ],
    ids=["10,000 stages", "100,000 continuations", "200,000 quotes", "100,000 nested substitutions"],
)
def test_large_files_come_back(text: str) -> None:
    assert str(parse(text)) == text
