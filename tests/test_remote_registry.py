"""Facts from registries: a real one on loopback where Debian's docker-registry is there, and ones that misbehave."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import os
import random
import shutil
import socket
import subprocess
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest

from dfopt.cli import main
from dfopt.remote.credentials import Credentials, find_credentials
from dfopt.remote.registry import RegistryFacts

PROGRAM = os.environ.get("DFOPT_DOCKER_REGISTRY") or shutil.which("docker-registry")
PASSWORD = "secret-of-a-test"
HTPASSWD = "user:$2b$05$abcdefghijklmnopqrstuuWF5xLxbFEYcgKzhJRr.Tnen4mSayl0C"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
NOISE = random.Random(1).randbytes  # the same in every process, as the tests' names must be
LAYERS = (gzip.compress(b"a" * 50_000 + NOISE(3_000), mtime=0), gzip.compress(NOISE(500), mtime=0))
CONFIG: dict[str, Any] = {
    "architecture": "amd64",
    "os": "linux",
    "config": {"Env": ["A=1", "PATH=/bin"], "User": "app", "WorkingDir": "/w", "OnBuild": ["RUN echo x"]},
    "history": [
        {"created_by": "ADD rootfs / # buildkit"},
        {"created_by": "ENV A=1", "empty_layer": True},
        {"created_by": "RUN /bin/sh -c make # buildkit"},
    ],
    "rootfs": {"type": "layers", "diff_ids": []},
}


def digest(data: bytes) -> str:
    return "sha256:" + hashlib.sha256(data).hexdigest()


def blobs() -> tuple[dict[str, bytes], bytes, bytes]:
    """Give the blobs by digest, the manifest and an index with two platforms."""
    config = json.dumps(CONFIG).encode()
    manifest = json.dumps(
        {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": digest(config),
                       "size": len(config)},
            "layers": [
                {"mediaType": "application/vnd.oci.image.layer.v1.tar+gzip", "digest": digest(one), "size": len(one)}
                for one in LAYERS
            ],
        }
    ).encode()  # fmt: skip
    index = json.dumps(
        {
            "schemaVersion": 2,
            "mediaType": INDEX,
            "manifests": [
                {"mediaType": MANIFEST, "digest": digest(manifest), "size": len(manifest),
                 "platform": {"os": "linux", "architecture": "amd64"}},
            ],
        }
    ).encode()  # fmt: skip
    return {digest(one): one for one in (config, *LAYERS)}, manifest, index


def none(host: str) -> Credentials | None:
    return None


# ---------------------------------------------------------------------- a real registry


def start(folder: Path, extra: str) -> tuple[subprocess.Popen[bytes], str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    settings = folder / "config.yml"
    settings.write_text(
        f"version: 0.1\nlog:\n  level: error\nstorage:\n  filesystem:\n    rootdirectory: {folder}/data\n"
        f"http:\n  addr: 127.0.0.1:{port}\n{extra}"
    )
    assert PROGRAM is not None
    process = subprocess.Popen([PROGRAM, "serve", str(settings)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    for _ in range(100):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return process, f"127.0.0.1:{port}"
        assert process.poll() is None
        time.sleep(0.05)
    process.kill()
    raise AssertionError("the registry does not start")


def push(host: str, repository: str, authorization: str = "") -> None:
    headers = {"Authorization": authorization} if authorization else {}

    def send(method: str, url: str, data: bytes, kind: str) -> str:
        request = urllib.request.Request(url, data, {**headers, "Content-Type": kind}, method=method)
        with urllib.request.urlopen(request, timeout=10) as answer:
            return str(answer.headers.get("Location"))

    stored, manifest, index = blobs()
    for name, data in stored.items():
        place = send("POST", f"http://{host}/v2/{repository}/blobs/uploads/", b"", "application/octet-stream")
        joiner = "&" if "?" in place else "?"
        send("PUT", f"{place}{joiner}digest={name}", data, "application/octet-stream")
    base = f"http://{host}/v2/{repository}/manifests"
    send("PUT", f"{base}/{digest(manifest)}", manifest, MANIFEST)
    send("PUT", f"{base}/plain", manifest, MANIFEST)
    send("PUT", f"{base}/1.0", index, INDEX)


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], str]]:
    if PROGRAM is None:
        pytest.skip("docker-registry is not installed")
    running: list[subprocess.Popen[bytes]] = []

    def give(extra: str) -> str:
        process, host = start(tmp_path_factory.mktemp("registry"), extra)
        running.append(process)
        return host

    yield give
    for process in running:
        process.terminate()
        process.wait()


@pytest.fixture(scope="module")
def open_registry(registry: Callable[[str], str]) -> str:
    host = registry("")
    push(host, "team/app")
    return host


@pytest.fixture(scope="module")
def closed_registry(registry: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory) -> str:
    users = tmp_path_factory.mktemp("users") / "htpasswd"
    users.write_text(HTPASSWD + "\n")
    host = registry(f"auth:\n  htpasswd:\n    realm: test\n    path: {users}\n")
    push(host, "team/app", Credentials("user", PASSWORD).basic)
    return host


@pytest.mark.registry
@pytest.mark.parametrize("tag", [":1.0", ":plain", "@" + digest(blobs()[1])], ids=["tag", "plain", "digest"])
def test_a_real_registry_tells_sizes_and_settings(open_registry: str, tag: str) -> None:
    source = RegistryFacts(credentials=none)
    found = source.image(f"{open_registry}/team/app{tag}")
    assert source.failures == {}
    assert found is not None
    assert found.compressed_bytes == sum(map(len, LAYERS))
    assert found.environment == {"A": "1", "PATH": "/bin"}
    assert (found.user, found.workdir, found.onbuild, found.layers) == ("app", "/w", ("RUN echo x",), 2)
    assert found.low_bytes is not None
    assert found.low_bytes < (found.size_bytes or 0) < (found.high_bytes or 0)


@pytest.mark.registry
def test_a_real_registry_says_what_is_missing(open_registry: str) -> None:
    source = RegistryFacts(credentials=none, platform="linux/arm64")
    assert source.image(f"{open_registry}/team/app:nothing") is None
    assert source.image(f"{open_registry}/team/app:1.0") is None
    assert list(source.failures.values()) == [
        f"{open_registry}: there is no such image", f"{open_registry}: there is no image for linux/arm64",
    ]  # fmt: skip


@pytest.mark.registry
def test_a_closed_registry_takes_credentials_of_docker_s_configuration(
    closed_registry: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reference = f"{closed_registry}/team/app:1.0"
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    refused = RegistryFacts()
    assert refused.image(reference) is None
    assert "docker's configuration has none" in refused.failures[reference]
    entry = {"auth": base64.b64encode(f"user:{PASSWORD}".encode()).decode()}
    (tmp_path / "config.json").write_text(json.dumps({"auths": {closed_registry: entry}}))
    assert RegistryFacts().image(reference) is not None
    wrong = RegistryFacts(credentials=lambda host: Credentials("user", "wrong"))
    assert wrong.image(reference) is None
    assert "denied" in wrong.failures[reference]


@pytest.mark.registry
def test_a_mirror_is_asked_before_docker_hub(open_registry: str) -> None:
    source = RegistryFacts(credentials=none, mirrors=[f"http://{open_registry}"])
    assert source.image("team/app:1.0") is not None
    assert source.failures == {}


@pytest.mark.registry
def test_the_command_line_asks_the_registry(
    open_registry: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    file = tmp_path / "Dockerfile"
    file.write_text(f"FROM {open_registry}/team/app:1.0\nCOPY x .\n")
    assert main(["predict", str(file), "--registry", "--format", "json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["image"]["layers"][0]["compressed"]["bytes"] == sum(map(len, LAYERS))
    assert "manifest" in answer["image"]["layers"][0]["parts"][0]["source"]
    assert any(layer["instruction"].startswith("RUN echo x") for layer in answer["image"]["layers"])


# ---------------------------------------------------------------------- registries that misbehave


class Odd(BaseHTTPRequestHandler):
    """A registry whose behaviour is the first part of the repository's name."""

    protocol_version = "HTTP/1.1"
    seen: ClassVar[list[tuple[str, str | None]]] = []
    failed: ClassVar[set[str]] = set()

    def do_GET(self) -> None:
        kind = self.path.split("/")[2] if self.path.startswith("/v2/") else self.path.partition("?")[0].strip("/")
        authorization = self.headers.get("Authorization")
        Odd.seen.append((self.path, authorization))
        stored, manifest, _ = blobs()
        if kind == "token":
            return self.send(json.dumps({"token": f"for {authorization}"}).encode())
        if kind == "slow":
            self.send_response(200)
            self.send_header("Content-Length", "1000")
            self.end_headers()
            try:
                for _ in range(100):
                    self.wfile.write(b" ")
                    self.wfile.flush()
                    time.sleep(0.05)
            except OSError:
                pass
            return None
        if kind == "silent":
            time.sleep(1.5)
            self.close_connection = True
            return None
        if kind == "cut":
            self.send_response(200)
            self.send_header("Content-Length", "1000")
            self.end_headers()
            self.wfile.write(b"{")
            self.close_connection = True
            return None
        if kind == "garbage":
            return self.send(b"<html>not found</html>")
        if kind == "list":
            return self.send(b"[]")
        if kind == "strange":
            return self.send(json.dumps({"schemaVersion": 1, "fsLayers": []}).encode())
        if kind == "busy" and self.path not in Odd.failed:
            Odd.failed.add(self.path)
            return self.send(b"", 503)
        if kind == "bearer" and not (authorization or "").startswith("Bearer for"):
            here = f"http://{self.headers['Host']}/token"
            return self.send(b"", 401, {"WWW-Authenticate": f'Bearer realm="{here}",service="s"'})
        if "/manifests/" in self.path:
            return self.send(manifest, 200, {"Content-Type": MANIFEST})
        name = self.path.rpartition("/")[2]
        if kind == "forged":
            return self.send(stored[name] + b" ")
        return self.send(stored[name])

    def send(self, data: bytes, status: int = 200, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def odd() -> Iterator[str]:
    Odd.seen.clear()
    Odd.failed.clear()
    with ThreadingHTTPServer(("127.0.0.1", 0), Odd) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"127.0.0.1:{server.server_address[1]}"
        server.shutdown()


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("slow", "longer than"),
        ("silent", "in time"),
        ("cut", "broke off"),
        ("garbage", "no JSON"),
        ("list", "no JSON object"),
        ("strange", "not understood"),
        ("forged", "is not sha256:"),
    ],
)
def test_a_registry_that_misbehaves_costs_little_time_and_is_told(odd: str, kind: str, message: str) -> None:
    source = RegistryFacts(timeout_seconds=0.5, credentials=none)
    started = time.monotonic()
    assert source.image(f"{odd}/{kind}/app:1") is None
    assert time.monotonic() - started < 3
    assert message in source.failures[f"{odd}/{kind}/app:1"]


def test_a_registry_that_is_not_there_is_asked_once() -> None:
    source = RegistryFacts(timeout_seconds=1, credentials=none)
    assert source.image("127.0.0.1:9/a:1") is None
    assert source.image("127.0.0.1:9/b:1") is None
    assert len(source.failures) == 2


def test_a_busy_registry_is_asked_again(odd: str) -> None:
    assert RegistryFacts(timeout_seconds=1, credentials=none).image(f"{odd}/busy/app:1") is not None


def test_a_token_service_gets_the_credentials_and_the_registry_the_token(odd: str) -> None:
    own = Credentials("user", "word")
    source = RegistryFacts(credentials=lambda host: own if host == odd else None)
    assert source.image(f"{odd}/bearer/app:1") is not None
    token = next((path, given) for path, given in Odd.seen if path.startswith("/token"))
    assert token == ("/token?service=s&scope=repository%3Abearer%2Fapp%3Apull", own.basic)
    assert [given for path, given in Odd.seen if "/blobs/" in path] == [f"Bearer for {own.basic}"]


def test_answers_are_kept_and_layers_never_fetched(odd: str) -> None:
    source = RegistryFacts(credentials=none)
    for _ in range(3):
        assert source.image(f"{odd}/good/app:1") is not None
    assert len(Odd.seen) == 2
    assert not any(digest(one) in path for one in LAYERS for path, _ in Odd.seen)


# ---------------------------------------------------------------------- credentials


def write(folder: Path, data: object) -> dict[str, str]:
    (folder / "config.json").write_text(json.dumps(data))
    return {"DOCKER_CONFIG": str(folder), "HOME": str(folder), "PATH": f"{folder}:{os.environ.get('PATH', '')}"}


def helper(folder: Path, name: str, body: str) -> None:
    path = folder / f"docker-credential-{name}"
    path.write_text(f"#!/bin/sh\nread host\n{body}\n")
    path.chmod(0o755)


def test_credentials_are_read_as_docker_writes_them(tmp_path: Path) -> None:
    auth = base64.b64encode(b"me:pass:word").decode()
    hub = {"auths": {"https://index.docker.io/v1/": {"auth": auth}, "https://r.example.com/v2/": {"auth": auth}}}
    environment = write(tmp_path, hub)
    assert find_credentials("registry-1.docker.io", environment) == Credentials("me", "pass:word")
    assert find_credentials("r.example.com", environment) == Credentials("me", "pass:word")
    assert find_credentials("other.example.com", environment) is None
    token = write(tmp_path, {"auths": {"r.example.com": {"identitytoken": "t"}}})
    assert find_credentials("r.example.com", token) == Credentials(identity_token="t")


def test_credential_helpers_go_first(tmp_path: Path) -> None:
    helper(tmp_path, "one", 'echo "{\\"Username\\": \\"of $host\\", \\"Secret\\": \\"s\\"}"')
    helper(tmp_path, "store", 'echo "{\\"Username\\": \\"<token>\\", \\"Secret\\": \\"t\\"}"')
    environment = write(tmp_path, {"credHelpers": {"a.example.com": "one"}, "credsStore": "store"})
    assert find_credentials("a.example.com", environment) == Credentials("of a.example.com", "s")
    assert find_credentials("b.example.com", environment) == Credentials(identity_token="t")


def test_helpers_that_fail_or_are_no_names_give_nothing(tmp_path: Path) -> None:
    helper(tmp_path, "none", "echo credentials not found; exit 1")
    assert find_credentials("a.example.com", write(tmp_path, {"credsStore": "none"})) is None
    assert find_credentials("a.example.com", write(tmp_path, {"credsStore": "../x"})) is None
    assert find_credentials("a.example.com", write(tmp_path, {"credsStore": "missing"})) is None


def test_a_secret_is_not_shown() -> None:
    assert "word" not in repr(Credentials("me", "word"))
