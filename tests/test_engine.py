"""Images compared file by file, and rewrites proven by real builds.

Tests marked ``engine`` build real images. They use the engine that DOCKER_HOST names and its ``debian:bookworm`` and
``debian:bookworm-slim``; ``.ci/builder start`` gives both on a Debian machine. Without an engine they are skipped.
"""

from __future__ import annotations

import io
import json
import re
import socket
import subprocess
import sys
import tarfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from dfopt.context import read_context
from dfopt.engine import Engine, EngineError, compare, environment_from, find_engine
from dfopt.engine.compare import Node, read_image
from dfopt.graph import build
from dfopt.predict.model import PredictOptions, RemoteSize
from dfopt.rewrite import optimize_graph
from dfopt.syntax import parse

FIXTURES = Path(__file__).parent / "fixtures"
NETWORK = ("apt-get", "apk ", "pip ", "npm ", "http:", "https:", "golang", "maven", "registry.example.com")
PROVEN = ("absorb-copy", "add-to-copy", "chown-to-copy", "download-unpack-delete", "merge-runs")


def saved_image(path: Path, *layers: list[tuple[str, dict[str, Any], bytes]]) -> Path:
    """Write an image as ``docker save`` does; a member is (name, attributes of the tar header, content)."""
    with tarfile.open(path, "w") as tar:

        def add(name: str, data: bytes) -> None:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))

        names = []
        for number, members in enumerate(layers):
            raw = io.BytesIO()
            with tarfile.open(fileobj=raw, mode="w") as layer:
                for name, attributes, content in members:
                    info = tarfile.TarInfo(name)
                    info.size = len(content)
                    for key, value in attributes.items():
                        setattr(info, key, value)
                    layer.addfile(info, io.BytesIO(content))
            names.append(f"{number}.tar")
            add(names[-1], raw.getvalue())
        add("config.json", json.dumps({"config": {"Env": ["A=1"]}}).encode())
        add("manifest.json", json.dumps([{"Config": "config.json", "Layers": names}]).encode())
    return path


def test_layers_hide_and_replace_what_is_below(tmp_path: Path) -> None:
    folder = {"type": tarfile.DIRTYPE, "mode": 0o755}
    tree, config = read_image(
        saved_image(
            tmp_path / "i.tar",
            [
                ("a", folder, b""),
                ("a/x", {"mode": 0o644}, b"1"),
                ("a/y", {}, b"2"),
                ("b", folder, b""),
                ("b/z", {}, b"3"),
            ],
            [
                ("a/.wh.x", {}, b""),
                ("b", folder, b""),
                ("b/.wh..wh..opq", {}, b""),
                ("b/new", {"uid": 5, "gid": 6}, b"4"),
            ],
        )
    )
    assert sorted(tree) == ["a", "a/y", "b", "b/new"]
    assert tree["b/new"].owner == (5, 6)
    assert config == {"Env": ["A=1"]}


def test_hard_links_share_a_file(tmp_path: Path) -> None:
    link = {"type": tarfile.LNKTYPE, "linkname": "a"}
    tree, _ = read_image(saved_image(tmp_path / "i.tar", [("a", {"mode": 0o600}, b"1"), ("b", link, b"")]))
    assert tree["a"].file == tree["b"].file != ""
    assert isinstance(tree["b"], Node)
    assert tree["b"].mode == 0o600


def test_an_environment_file_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/bin")
    file = tmp_path / "env"
    file.write_text("export DOCKER_HOST=unix:///x.sock\nexport PATH=/opt/bin:$PATH\n")
    environment = environment_from(file)
    assert environment["DOCKER_HOST"] == "unix:///x.sock"
    assert environment["PATH"] == "/opt/bin:/bin"


def test_no_engine_is_found_on_an_empty_path() -> None:
    assert find_engine({"PATH": "/nowhere"}) is None


@pytest.fixture(scope="session")
def engine() -> Engine:
    found = find_engine()
    if found is None:
        pytest.skip("no container engine answers; '.ci/builder start' gives one")
    for image in ("debian:bookworm", "debian:bookworm-slim"):
        try:
            found.history(image)
        except EngineError:
            pytest.skip(f"the engine has no {image}; '.ci/builder bases' makes it")
    return found


@pytest.fixture
def built(engine: Engine, tmp_path: Path) -> Iterator[Callable[..., str]]:
    images: list[str] = []
    (tmp_path / "empty").mkdir()

    def make(text: str, context: Path | None = None, network: str = "none") -> str:
        images.append(engine.build(text, context or tmp_path / "empty", network=network))
        return images[-1]

    yield make
    for image in images:
        engine.remove(image)


@pytest.mark.engine
@pytest.mark.parametrize(
    "change",
    ["chmod 600 /f", "chown 5:6 /f", "echo y > /f", "ln -f /f /g", "ln -sf /f /l", "mkdir /d", "rm /f", "mkfifo /p"],
)
def test_a_difference_is_seen(change: str, engine: Engine, built: Callable[..., str]) -> None:
    base = "FROM debian:bookworm-slim\nRUN echo x > /f && echo x > /g && ln -s /g /l\n"
    found = compare(engine, built(base), built(f"{base}RUN {change}\n"))
    assert not found.same
    assert all(difference.path in "fglpd" for difference in found.differences)


@pytest.mark.engine
def test_layers_and_times_do_not_count(engine: Engine, built: Callable[..., str]) -> None:
    one = built("FROM debian:bookworm-slim\nRUN echo x > /f\nRUN echo y > /g\n")
    assert compare(
        engine, one, built("FROM debian:bookworm-slim\nRUN echo x > /f && echo y > /g && touch -d 2001-01-01 /f\n")
    ).same


@pytest.mark.engine
def test_the_configuration_counts(engine: Engine, built: Callable[..., str]) -> None:
    one, two = built("FROM debian:bookworm-slim\nENV A=1\n"), built("FROM debian:bookworm-slim\nENV A=2\n")
    assert [difference.path for difference in compare(engine, one, two).differences] == ["configuration Env"]
    assert compare(engine, one, two, config=False).same


@pytest.mark.engine
def test_a_temporary_image_is_removed_after_an_error(engine: Engine, tmp_path: Path) -> None:
    names: list[str] = []

    def fail() -> None:
        with engine.temporary("FROM debian:bookworm-slim\nRUN true\n", None, network="none") as image:
            names.append(image)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    with pytest.raises(EngineError):
        engine.history(names[0])


@pytest.mark.engine
def test_a_failing_build_says_why(engine: Engine) -> None:
    with pytest.raises(EngineError, match="exit code: 7"):
        engine.build("FROM debian:bookworm-slim\nRUN exit 7\n", None, network="none")


def _offline_cases() -> list[Path]:
    cases = []
    for path in sorted((FIXTURES / "rewrite").glob("*/*/after.Dockerfile")):
        text = path.read_text("utf-8")
        if path.parent.parent.name in PROVEN and not any(word in text for word in NETWORK):
            cases.append(path.parent)
    return cases


@pytest.mark.engine
@pytest.mark.parametrize("case", _offline_cases(), ids=lambda case: f"{case.parent.name}/{case.name}")
def test_a_safe_rewrite_makes_the_same_image(
    case: Path, engine: Engine, built: Callable[..., str], tmp_path: Path
) -> None:
    context = tmp_path / "context"
    context.mkdir()
    for name in ("app.py", "conf.json"):
        (context / name).write_text("x")
    if (case / "context").is_dir():
        for path in sorted((case / "context").rglob("*")):
            target = context / path.relative_to(case / "context")
            if path.is_dir():
                target.mkdir(exist_ok=True)
            else:
                target.parent.mkdir(exist_ok=True)
                target.write_bytes(path.read_bytes())
    for archive in context.glob("*.tar.gz"):
        with tarfile.open(archive, "w:gz") as tar:
            tar.add(__file__, "unpacked/test.py")
    before = built((case / "before.Dockerfile").read_text("utf-8"), context)
    after = built((case / "after.Dockerfile").read_text("utf-8"), context)
    found = compare(engine, before, after)
    assert found.same, [str(difference) for difference in found.differences[:5]]
    assert engine.size_bytes(after) <= engine.size_bytes(before)


@pytest.fixture(scope="module")
def course() -> Iterator[str]:
    """Serve the course example's archive on a free port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = subprocess.Popen([sys.executable, str(FIXTURES / "course" / "serve.py"), str(port)])
    text = (FIXTURES / "course" / "naive.Dockerfile").read_text("utf-8").replace(":8765/", f":{port}/")
    try:
        for _ in range(100):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            assert server.poll() is None
            time.sleep(0.1)
        yield text
    finally:
        server.terminate()
        server.wait()


@pytest.mark.engine
@pytest.mark.parametrize(
    ("options", "limit"),
    [({}, 146e6), ({"unsafe": True}, 128e6), ({"unsafe": True, "base_variant": "slim"}, 86e6)],
    ids=["safe", "unsafe", "slim"],
)
def test_the_course_example_is_as_small_as_promised(
    options: dict[str, Any], limit: float, engine: Engine, built: Callable[..., str], course: str
) -> None:
    match = re.search(r"http://\S+", course)
    assert match is not None
    sizes = PredictOptions(remote_sizes={match.group(): RemoteSize(7_060_901, 10_640_023)})
    plan = optimize_graph(build(parse(course)), None, predict_options=sizes, **options)
    before, after = built(course, network="host"), built(plan.after, network="host")
    assert engine.size_bytes(after) <= limit
    assert compare(engine, before, after, only=("opt", "opt/*")).same
    assert engine.check(after, "/opt/app-1.0/bin/app")
    if not options:
        assert engine.check(after, "curl --version")
        assert compare(engine, before, after, ignore=("var/lib/apt/lists",)).same
    assert plan.predicted_after is not None
    assert plan.predicted_after.image is not None
    assert plan.predicted_after.image.total.value == pytest.approx(engine.size_bytes(after), rel=0.02)


def test_the_fixtures_that_are_built_can_be_read() -> None:
    assert len(_offline_cases()) >= 8
    for case in _offline_cases():
        if (case / "context").is_dir():
            assert read_context(str(case / "context")).files
