"""Sizes that the author tells in comments of the file."""

from __future__ import annotations

import pytest

import dfopt
from dfopt.predict.model import LayerPrediction, RemoteSize
from dfopt.predict.told import size_of_text


def layers(text: str, **options: object) -> list[LayerPrediction]:
    image = dfopt.predict("FROM scratch\n" + text, **options).image  # type: ignore[arg-type]  # options of predict
    assert image is not None
    return [layer for layer in image.layers if layer.kind != "base"]


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("# dfopt: size=9.27MB\nADD http://example.com/tool /tool\n", 9_270_000),
        ("# dfopt: size=1KiB the release of May\nRUN curl -o /x http://example.com/x\n", 1024),
        ("# dfopt: size=1MB:3MB\nRUN curl http://example.com/x.tgz | tar xz -C /opt\n", 3_000_000),
        ("# dfopt: size=5MB\nRUN git clone https://example.com/a.git /a\n", 5_000_000),
        ("# dfopt: size=120MB\nRUN ./build.sh\n", 120_000_000),
        ("# dfopt: size=7MB\nCOPY . .\n", 7_000_000),
        ("# dfopt: size=7MB\n# another comment\nRUN make install\n", 7_000_000),
    ],
)
def test_a_comment_above_a_step_tells_the_size(text: str, size: int) -> None:
    layer = layers(text)[0]
    assert layer.size_bytes == size
    assert layer.confidence == "exact"
    assert layer.note == ""


def test_each_comment_is_about_the_next_download() -> None:
    text = (
        "RUN curl -o /a http://example.com/a \\\n    # dfopt: size=2MB\n && curl -o /b http://example.com/b \\\n"
        "    # dfopt: size=3MB\n && wget -O /c http://example.com/c\n"
    )
    layer = layers(text, remote_sizes={"http://example.com/a": RemoteSize(1_000_000)})[0]
    assert {part.label: part.estimate.value for part in layer.parts} == {
        "download of a": 1e6, "download of b": 2e6, "download of c": 3e6,
    }  # fmt: skip


def test_two_downloads_and_one_comment_leave_the_second_open() -> None:
    layer = layers("# dfopt: size=2MB\nRUN curl -o /a http://example.com/a && curl -o /b http://example.com/b\n")[0]
    assert layer.parts[-1].estimate.value == 2e6 or layer.parts[0].estimate.value == 2e6
    assert layer.size.high > layer.size.low
    assert "http://example.com/b" in layer.note


def test_the_option_goes_before_the_comment() -> None:
    url = "http://example.com/tool"
    layer = layers(f"# dfopt: size=9MB\nADD {url} /tool\n", remote_sizes={url: RemoteSize(5)})[0]
    assert layer.size_bytes == 5


def test_a_step_that_is_copied_from_keeps_what_was_told() -> None:
    text = (
        "FROM debian AS build\n# dfopt: size=40MB\nRUN make -C /src\nFROM scratch\n"
        "# dfopt: size=4MB\nCOPY --from=build /src/app /app\n"
    )
    image = dfopt.predict(text).image
    assert image is not None
    assert image.layers[-1].size_bytes == 4_000_000


def test_a_comment_without_a_size_is_noted_and_changes_nothing() -> None:
    wrong = layers("# dfopt: size=big\nADD http://example.com/tool /tool\n")[0]
    assert "'# dfopt: size=big' tells no size" in wrong.note
    assert wrong.size == layers("ADD http://example.com/tool /tool\n")[0].size


@pytest.mark.parametrize(
    ("text", "size"), [("1", 1), ("1.5kB", 1500), ("2 MiB", 2 << 20), ("3g", 3_000_000_000), ("x", None), ("1TB", None)]
)
def test_sizes_are_read(text: str, size: int | None) -> None:
    assert size_of_text(text) == size
