"""Budgets, growth against an older file, compressed sizes and the formats that show them."""

from __future__ import annotations

import json
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import pytest

import dfopt
from dfopt.cli import main
from dfopt.predict.growth import Budget, check_budget, compare_predictions
from dfopt.predict.model import Estimate, LayerPrediction, Part, Prediction, StagePrediction, independent
from dfopt.predict.shares import shared_with_base, sources_of, zstd_of
from dfopt.report.growth import growth_text, signed_size

OLD = "FROM example.com/base:1\nCOPY big.bin /b\nRUN apt-get update && apt-get install -y curl\n"
BASE = ("--base-size", "example.com/base:1=50MB")


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "Dockerfile").write_text(OLD.split("RUN")[0] + "COPY other.bin /o\n")
    (tmp_path / "old").write_text(OLD.split("RUN")[0])
    (tmp_path / "big.bin").write_bytes(b"x" * 2_000_000)
    (tmp_path / "other.bin").write_bytes(b"x" * 1_000_000)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    code = main(["predict", "Dockerfile", "--context", ".", *BASE, *words])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def layer(instruction: str, size: Estimate, kind: str = "other", ratio: float = 0.4) -> LayerPrediction:
    return LayerPrediction(
        instruction, 1, size, size.scaled(ratio), "low", kind, (Part(instruction, size, kind, compressed=ratio),)
    )


def image(*layers: LayerPrediction) -> Prediction:
    total = independent(one.size for one in layers)
    stage = StagePrediction(0, None, layers, total, independent(one.compressed for one in layers))
    return Prediction((stage,), 0)


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["--max-image", "60MB"], 0, ""),
        (["--max-image", "52MB"], 1, "error: the image is above 52.0 MB: 53.0 MB"),
        (["--max-layer", "1.5MB"], 1, "error: the layer of 'COPY big.bin /b' is above 1.50 MB: 2.00 MB"),
        (["--max-pull", "10MB"], 1, "error: the compressed image is above 10.0 MB"),
        (["--against", "old", "--fail-on-growth", "1%"], 1, "error: the growth is above 520 kB: 1.00 MB"),
        (["--against", "old", "--fail-on-growth", "2%"], 0, ""),
        (["--against", "old", "--fail-on-growth", "500kB"], 1, "error: the growth is above 500 kB"),
        (["--fail-on-growth", "5%"], 2, "needs --against"),
        (["--against", "old", "--fail-on-growth", "x%"], 2, "no share"),
        (["--against", "HEAD:nothing"], 3, "HEAD:nothing"),
        (["--max-image", "much"], 2, "no size"),
    ],
)
def test_budgets_fail_the_run(
    words: list[str], code: int, message: str, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    answer, _, err = run(capsys, *words)
    assert answer == code
    assert message in err
    assert bool(err) == bool(message)


def test_a_possible_overrun_warns_and_passes(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "Dockerfile").write_text("FROM example.com/base:1\nRUN ./unknown\n")
    code, _, err = run(capsys, "--max-image", "52MB")
    assert code == 0
    assert "warning: the image may be above 52.0 MB" in err


def test_a_revision_of_git_can_be_compared_with(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for words in (
        ["init", "-q"],
        ["add", "Dockerfile"],
        ["-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "x"],
    ):
        subprocess.run(["git", *words], check=True, capture_output=True)
    (project / "Dockerfile").write_text(OLD.split("RUN")[0])
    _, out, _ = run(capsys, "--against", "HEAD:Dockerfile")
    assert "53.0 MB → 52.0 MB (−1.00 MB, −1.9 %)" in out


def test_what_both_have_does_not_make_the_growth_unsure() -> None:
    wide = layer("RUN x", Estimate(50e6, 0, 500e6))
    small = layer("COPY a b", Estimate.exact(1e6))
    growth = compare_predictions(image(wide), image(wide, small))
    assert growth is not None
    assert growth.size == Estimate.exact(1e6)
    assert growth.compressed.value == pytest.approx(0.4e6)
    assert check_budget(image(wide, small), Budget(growth_bytes=900_000), growth)[0].sure
    assert growth_text(growth) == "50.0 MB → 51.0 MB (+1.00 MB, +2.0 %)"
    back = compare_predictions(image(wide, small), image(wide))
    assert back is not None
    assert back.size == Estimate.exact(-1e6)


def test_layers_are_paired_by_instruction_then_by_keyword() -> None:
    one, two = Estimate.exact(1), Estimate.exact(2)
    before = image(layer("FROM a", one), layer("RUN old", one), layer("COPY x", one))
    after = image(layer("FROM a", one), layer("COPY new", one), layer("RUN new", two), layer("COPY x", one))
    growth = compare_predictions(before, after)
    assert growth is not None
    names = [(row.before and row.before.instruction, row.after and row.after.instruction) for row in growth.rows]
    assert names == [("FROM a", "FROM a"), (None, "COPY new"), ("RUN old", "RUN new"), ("COPY x", "COPY x")]


def test_the_base_is_free_and_only_layers_above_count() -> None:
    prediction = image(layer("FROM a", Estimate.exact(5e8), "base"), layer("RUN x", Estimate.exact(2e6)))
    assert check_budget(prediction, Budget(max_layer=3e6)) == ()
    assert [one.what for one in check_budget(prediction, Budget(max_layer=1e6))] == ["RUN x"]


def test_zstd_gains_on_what_packs_and_never_on_the_base_or_on_archives() -> None:
    size = Estimate.exact(100e6)
    assert zstd_of(layer("RUN x", size)).value == pytest.approx(0.95 * 40e6)
    assert zstd_of(layer("COPY a.tgz", size, "copy", 1.0)).value == pytest.approx(100e6)
    assert zstd_of(layer("FROM a", size, "base")).value == pytest.approx(40e6)
    stage = image(layer("FROM a", size, "base"), layer("RUN x", size)).stages[0]
    assert [one.value for one in shared_with_base(stage)] == [100e6, 40e6]
    assert [(one.kind, one.layers) for one in sources_of(stage)] == [("base", 1), ("files", 1)]


def test_the_sources_add_up_to_the_image() -> None:
    stage = dfopt.predict(OLD.replace("example.com/base:1", "debian:bookworm-slim")).image
    assert stage is not None
    assert sum(one.size.value for one in sources_of(stage)) == pytest.approx(stage.total.value, rel=0.001)
    assert sources_of(stage)[0].kind == "base"


def test_the_table_shows_both_packings_and_the_waterfall(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = run(capsys, "--compressed", "--waterfall", "--parts", "--all")
    assert "zstd" in out
    assert "shared with the base" in out
    assert "94 % of it" in out
    assert "where the bytes come from" in out
    assert max(map(len, out.splitlines())) <= 120


def test_markdown_compares_before_and_after(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "--format", "markdown", "--against", "old", "--max-image", "1MB")
    assert code == 1
    assert out.startswith("<!-- dfopt predict -->\n## Predicted image size: Dockerfile\n")
    assert ":x: The image is above 1.00 MB" in out
    assert "**52.0 MB → 53.0 MB (+1.00 MB, +1.9 %)** against `old`" in out
    assert "| on disk | 52.0 MB | 53.0 MB | +1.00 MB |" in out
    assert "| new | `COPY other.bin /o` |  | 1.00 MB | +1.00 MB |" in out
    assert "2 layers stay as they are." in out
    tables = [line.count("|") - line.count("\\|") for line in out.splitlines() if line.startswith("|")]
    assert set(tables) <= {3, 4, 5, 6}


def test_markdown_survives_pipes_and_backticks(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "Dockerfile").write_text("FROM example.com/base:1\nRUN echo `date` | tee /x\n")
    _, out, _ = run(capsys, "--format", "markdown")
    assert "| `` RUN echo 'date' \\| tee /x `` |" in out


class Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [value or "" for name, value in attrs if name in ("src", "href")]
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_html_is_one_complete_page(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "Dockerfile").write_text(OLD + "RUN echo '<script>'\n")
    _, out, _ = run(capsys, "--format", "html", "--against", "old", "--max-image", "1MB")
    page = Page()
    page.feed(out)
    assert page.open == []
    assert page.links == []
    assert "script" not in page.tags
    assert page.tags.count("table") >= 3
    assert "The image" in out or "the image is above" in out


def test_json_holds_growth_budget_and_both_packings(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = run(capsys, "--format", "json", "--against", "old", "--max-image", "1MB")
    answer = json.loads(out)
    assert answer["growth"]["bytes"] == 1_000_000
    assert answer["growth"]["before"] == 52_000_000
    assert answer["budget"][0]["sure"] is True
    assert answer["image"]["shared_with_base"]["total"]["bytes"] == 50_000_000
    assert answer["image"]["layers"][1]["zstd"]["bytes"] <= answer["image"]["layers"][1]["compressed"]["bytes"]
    assert answer["image"]["sources"][0]["kind"] == "base"


@pytest.mark.parametrize(("size", "text"), [(0, "±0"), (1.2e6, "+1.20 MB"), (-300e3, "−300 kB")])
def test_differences_carry_their_sign(size: float, text: str) -> None:
    assert signed_size(size) == text
