"""The prediction for people and programs: table, JSON, command line, sizes asked from servers."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
import threading
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from dfopt.cli import main
from dfopt.predict.model import Estimate, RemoteSize
from dfopt.remote.downloads import Downloads
from dfopt.report.prediction import interval_text, size_text


@pytest.mark.parametrize(
    ("size_bytes", "text"),
    [(0, "0 B"), (999, "999 B"),
     (999.6, "1.00 kB"), (8_889, "8.89 kB"), (19_852_735, "19.9 MB"), (116_603_489, "117 MB"),
     (999_990_000, "1.00 GB"), (1.2e9, "1.20 GB")],
)  # fmt: skip
def test_sizes_have_three_digits_and_decimal_units(size_bytes: float, text: str) -> None:
    assert size_text(size_bytes) == text


@pytest.mark.parametrize(
    ("size", "text"),
    [(Estimate.exact(5), "exact"), (Estimate.within(1e6, 0.01), "± 1.0 %"), (Estimate.within(1e6, 0.15), "± 15 %"),
     (Estimate(5e6, 0, 6e8), "0 B – 600 MB")],
)  # fmt: skip
def test_intervals_are_short_where_they_are_narrow(size: Estimate, text: str) -> None:
    assert interval_text(size) == text


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "Dockerfile").write_text(
        "ARG TAG=1\nFROM example.com/base:$TAG AS build\nCOPY big.bin /b\n"
        "RUN curl -L http://example.com/a.tgz | tar xz -C /opt\n"
        "FROM example.com/base:$TAG\nLABEL a=b\nCOPY --from=build /b /b\nCOPY big.bin /c\nRUN rm /c\n"
    )
    (tmp_path / "big.bin").write_bytes(b"x" * 2_000_000)
    return tmp_path


def run(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    code = main(["predict", *words])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_the_table_shows_every_layer_of_the_image(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(
        capsys, str(project / "Dockerfile"), "--context", str(project), "--base-size", "example.com/base:1=50MB"
    )
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert any("FROM" in line and "50.0 MB" in line and "exact" in line and "█" in line for line in lines)
    assert any("COPY big.bin /c" in line and "2.00 MB" in line for line in lines)
    assert any(line.strip().startswith("image") and "54.0 MB" in line for line in lines)
    assert any("hidden by later layers" in line and "2.00 MB" in line for line in lines)
    assert not any("LABEL" in line or "curl" in line for line in lines)
    assert any("stage build" in line and "not in the image" in line for line in lines)
    assert max(map(len, lines)) <= 120
    assert "\x1b" not in out


def test_all_rows_parts_and_stages_on_request(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = run(
        capsys, str(project / "Dockerfile"), "--context", str(project), "--all", "--stages", "--color", "always",
        "--remote-size", "http://example.com/a.tgz=1000:3000000",
    )  # fmt: skip
    assert "LABEL a=b" in out
    assert "RUN curl" in out
    assert "3.00 MB" in out
    assert "\x1b[" in out


def test_json_holds_every_figure(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(
        capsys, str(project / "Dockerfile"), "--context", str(project), "--format", "json", "--build-arg", "TAG=2",
        "--base-size", "example.com/base:2=1KiB", "--target", "build", "--remote-size", "http://example.com/a.tgz=9:77",
    )  # fmt: skip
    assert code == 0
    answer = json.loads(out)
    layers = answer["image"]["layers"]
    assert [layer["bytes"] for layer in layers] == [1024, 2_000_000, 77]
    assert answer["image"]["total"] == {"bytes": 2_001_101, "low": 2_001_101, "high": 2_001_101}
    assert layers[2]["parts"][0]["kind"] == "archive"
    assert len(answer["stages"]) == 2


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["nowhere"], 3, "nowhere"),
        (["Dockerfile", "--context", "nowhere"], 3, "nowhere"),
        (["Dockerfile", "--target", "nowhere"], 2, "nowhere"),
        (["Dockerfile", "--remote-size", "http://x"], 2, "URL=BYTES"),
        (["Dockerfile", "--base-size", "debian=many"], 2, "no size"),
        (["big.bin"], 1, ""),
    ],
)
def test_wrong_input_gives_one_message_and_the_right_code(
    words: list[str],
    code: int,
    message: str,
    project: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(project)
    answer, _, err = run(capsys, *words)
    assert answer == code
    assert message in err
    assert "Traceback" not in err


# ---------------------------------------------------------------------- servers


def packed_tar() -> bytes:
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w:gz") as tar:
        for index in range(5):
            info = tarfile.TarInfo(f"app/{index}")
            info.size = 20_000
            tar.addfile(info, io.BytesIO(b"x" * 20_000))
    return raw.getvalue()


def packed_zip() -> bytes:
    raw = io.BytesIO()
    with zipfile.ZipFile(raw, "w", zipfile.ZIP_DEFLATED) as archive:
        for index in range(5):
            archive.writestr(f"f{index}", "line\n" * 4_000)
    return raw.getvalue()


FILES = {
    "/a.tar.gz": packed_tar(),
    "/a.zip": packed_zip(),
    "/one.gz": gzip.compress(b"y" * 70_000),
    "/tool": b"t" * 12_345,
}


class Server(BaseHTTPRequestHandler):
    """Serves the files; the first folder of a path says how well it behaves."""

    requests: list[tuple[str, str, str | None]] = []  # noqa: RUF012  # emptied by the fixture

    def do_HEAD(self) -> None:
        self.answer(False)

    def do_GET(self) -> None:
        self.answer(True)

    def answer(self, with_body: bool) -> None:
        self.requests.append((self.command, self.path, self.headers.get("Range")))
        kind, _, name = self.path[1:].partition("/")
        if kind == "moved":
            self.send_response(302)
            self.send_header("Location", f"/good/{name}")
            self.end_headers()
            return
        data = FILES.get("/" + name)
        if data is None or (kind == "no-head" and not with_body):
            self.send_error(404 if data is None else 405)
            return
        wanted = self.headers.get("Range")
        if wanted and kind in ("good", "no-head"):
            first, _, last = wanted.removeprefix("bytes=").partition("-")
            piece = data[int(first) : int(last) + 1]
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {first}-{last}/{len(data)}")
        else:
            piece = data
            self.send_response(200)
        if kind != "no-length":
            self.send_header("Content-Length", str(len(piece)))
        self.end_headers()
        if with_body:
            self.wfile.write(piece)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[str]:
    Server.requests.clear()
    with ThreadingHTTPServer(("127.0.0.1", 0), Server) as serving:
        threading.Thread(target=serving.serve_forever, args=(0.02,), daemon=True).start()
        yield f"http://127.0.0.1:{serving.server_port}"
        serving.shutdown()


def test_the_length_and_the_end_of_an_archive_are_asked_for(server: str) -> None:
    downloads = Downloads()
    plain = downloads.remote(f"{server}/good/tool")
    assert plain == RemoteSize(12_345)
    tar = downloads.remote(f"{server}/good/a.tar.gz")
    assert tar is not None
    assert tar.size_bytes == len(FILES["/a.tar.gz"])
    assert tar.tar_bytes is not None
    assert 100_000 < tar.tar_bytes < 120_000
    assert downloads.remote(f"{server}/good/one.gz") == RemoteSize(len(FILES["/one.gz"]), 70_000)
    assert downloads.remote(f"{server}/good/a.zip") == RemoteSize(len(FILES["/a.zip"]), 100_000)
    sent = sum(1 for method, _, wanted in Server.requests if method == "GET" and wanted is None)
    assert sent == 0


def test_redirects_are_followed_and_answers_kept(server: str) -> None:
    downloads = Downloads()
    assert downloads.remote(f"{server}/moved/tool") == RemoteSize(12_345)
    asked = len(Server.requests)
    assert downloads.remote(f"{server}/moved/tool") == RemoteSize(12_345)
    assert len(Server.requests) == asked


def test_a_server_without_head_is_asked_for_one_byte(server: str) -> None:
    assert Downloads().remote(f"{server}/no-head/tool") == RemoteSize(12_345)


def test_an_archive_whose_server_gives_no_ranges_is_read_through(server: str) -> None:
    downloads = Downloads()
    assert downloads.remote(f"{server}/plain/a.tar.gz") == RemoteSize(len(FILES["/a.tar.gz"]), 100_000)
    assert downloads.remote(f"{server}/plain/a.zip") == RemoteSize(len(FILES["/a.zip"]), 100_000)


def test_what_cannot_be_asked_is_none_with_a_reason(server: str, tmp_path: Path) -> None:
    downloads = Downloads(timeout_seconds=2)
    (tmp_path / "x").write_text("secret")
    assert downloads.remote(f"{server}/good/missing") is None
    assert (
        "404" in downloads.failures[f"{server}/good/missing"]
        or "Not Found" in downloads.failures[f"{server}/good/missing"]
    )
    assert downloads.remote(f"{server}/no-length/tool") is None
    assert downloads.remote("http://127.0.0.1:9/tool") is None
    assert downloads.remote((tmp_path / "x").as_uri()) is None


def test_the_network_is_touched_only_when_asked(
    server: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "Dockerfile"
    file.write_text(f"FROM scratch\nADD {server}/good/tool /\n")
    run(capsys, str(file))
    assert Server.requests == []
    _, out, _ = run(capsys, str(file), "--network", "--format", "json")
    assert json.loads(out)["image"]["total"]["bytes"] == 12_345
