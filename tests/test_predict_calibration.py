"""Real images: archives on disk, comparisons, and corrections that a project keeps."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from pathlib import Path
from typing import Any

import pytest

from dfopt.cli import main
from dfopt.engine import Engine, EngineError, find_engine
from dfopt.engine.archive import ArchiveError, ArchiveFacts, read_archive_images
from dfopt.graph import build
from dfopt.images.built import BuiltImage, BuiltLayer, read_apk_database, read_dpkg_status, read_os_release, rows_of
from dfopt.predict import predict_graph
from dfopt.predict.calibration import (
    Calibration,
    Correction,
    built_before,
    calibrated,
    calibration_text,
    compare_with_image,
    key_of,
    learn,
    read_calibration,
)
from dfopt.syntax import parse

STATUS = (
    "Package: curl\nStatus: install ok installed\nVersion: 7.88\n\n"
    "Package: gone\nStatus: deinstall ok config-files\nVersion: 1\n"
)
RELEASE = 'ID=debian\nVERSION_ID="12"\nVERSION_CODENAME=bookworm\n'
FILE = "FROM example.com/base:1\nCOPY src /src\nRUN ./build.sh --all\nENV A=1\nRUN ./other.sh\n"
HISTORY = [
    {"created_by": "/bin/sh -c #(nop) ADD file:abc in / "},
    {"created_by": '/bin/sh -c #(nop)  CMD ["bash"]', "empty_layer": True},
    {"created_by": "COPY src /src # buildkit"},
    {"created_by": "RUN |1 A=b c /bin/sh -c ./build.sh --all # buildkit"},
    {"created_by": "ENV A=1", "empty_layer": True},
    {"created_by": "RUN /bin/sh -c ./other.sh # buildkit"},
]
SIZES = (10_000, 4_000, 30_000, 500)


def packed_layer(files: dict[str, bytes], compress: bool) -> bytes:
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w") as tar:
        folder = tarfile.TarInfo("etc")
        folder.type = tarfile.DIRTYPE
        tar.addfile(folder)
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
            link = tarfile.TarInfo(name + ".link")
            link.type, link.linkname = tarfile.LNKTYPE, name
            tar.addfile(link)
    return gzip.compress(raw.getvalue(), mtime=0) if compress else raw.getvalue()


def contents(compress: bool) -> tuple[list[bytes], dict[str, Any]]:
    known = {"var/lib/dpkg/status": STATUS.encode(), "etc/os-release": RELEASE.encode()}
    rest = SIZES[0] - sum(map(len, known.values()))
    layers = [packed_layer({**known, "rest": b"x" * rest}, compress)]
    layers += [packed_layer({"f": b"y" * size}, compress) for size in SIZES[1:]]
    config = {"architecture": "amd64", "os": "linux", "history": HISTORY, "config": {"Env": ["A=1"], "User": "me"}}
    return layers, config


def add(tar: tarfile.TarFile, name: str, data: bytes) -> None:
    info = tarfile.TarInfo(name)
    info.size = len(data)
    tar.addfile(info, io.BytesIO(data))


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    """Write what ``docker save`` writes."""
    layers, config = contents(False)
    path = tmp_path / "saved.tar"
    with tarfile.open(path, "w") as tar:
        for number, layer in enumerate(layers):
            add(tar, f"{number}/layer.tar", layer)
        add(tar, "config.json", json.dumps(config).encode())
        names = [f"{number}/layer.tar" for number in range(len(layers))]
        add(tar, "manifest.json",
            json.dumps([{"Config": "config.json", "RepoTags": ["app:1"], "Layers": names}]).encode())  # fmt: skip
    return path


@pytest.fixture
def layout(tmp_path: Path) -> Path:
    """Write an OCI layout with an index in the index."""
    layers, config = contents(True)
    folder = tmp_path / "layout"
    store = folder / "blobs" / "sha256"
    store.mkdir(parents=True)

    def keep(data: bytes) -> dict[str, Any]:
        name = hashlib.sha256(data).hexdigest()
        (store / name).write_bytes(data)
        return {"digest": f"sha256:{name}", "size": len(data)}

    manifest = keep(
        json.dumps({"config": keep(json.dumps(config).encode()), "layers": [keep(one) for one in layers]}).encode()
    )
    other = keep(json.dumps({"config": {}, "layers": []}).encode())
    inner = keep(
        json.dumps(
            {
                "manifests": [
                    {**other, "platform": {"os": "linux", "architecture": "arm64"}},
                    {**manifest, "platform": {"os": "linux", "architecture": "amd64"}},
                ]
            }
        ).encode()
    )
    named = {**inner, "annotations": {"org.opencontainers.image.ref.name": "example.com/base:1"}}
    (folder / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')
    (folder / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [named]}))
    return folder


def real(sizes: tuple[int, ...] = SIZES) -> BuiltImage:
    return BuiltImage("real", rows_of({"history": HISTORY}, sizes, [None] * len(sizes)))


# ---------------------------------------------------------------------- images on disk


def test_an_archive_of_docker_save_is_read(saved: Path) -> None:
    image = read_archive_images(str(saved))["app:1"]
    assert [row.size_bytes for row in image.layers] == list(SIZES)
    assert image.size_bytes == sum(SIZES)
    assert image.compressed_bytes is None
    facts = image.facts(None)
    assert dict(facts.packages) == {"curl": "7.88"}
    assert (facts.distribution, facts.release, facts.package_manager) == ("debian", "bookworm", "apt")
    assert (facts.user, facts.environment) == ("me", {"A": "1"})


def test_an_oci_layout_is_read_as_folder_and_as_tar(layout: Path, tmp_path: Path) -> None:
    path = tmp_path / "layout.tar"
    with tarfile.open(path, "w") as tar:
        tar.add(layout, ".")
    for place in (layout, path):
        source = ArchiveFacts()
        source.add(str(place))
        facts = source.image("example.com/base:1")
        assert facts is not None
        assert facts.size_bytes == sum(SIZES)
        assert facts.compressed_bytes is not None
        assert facts.compressed_bytes < sum(SIZES)
        assert source.image("example.com/base:2") is None


def test_an_image_on_disk_can_be_given_another_name(
    saved: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "Dockerfile"
    file.write_text("FROM example.com/base:7\nRUN true\n")
    assert main(["predict", str(file), "--image-file", f"example.com/base:7={saved}", "--format", "json"]) == 0
    layer = json.loads(capsys.readouterr().out)["image"]["layers"][0]
    assert (layer["bytes"], layer["low"], layer["high"]) == (sum(SIZES),) * 3
    assert "saved.tar" in layer["parts"][0]["source"]


@pytest.mark.parametrize("content", [b"", b"no archive", b"\x1f\x8b\x08broken"])
def test_what_is_no_image_is_refused(content: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "x.tar"
    path.write_bytes(content)
    with pytest.raises(ArchiveError, match="holds no image"):
        read_archive_images(str(path))
    file = tmp_path / "Dockerfile"
    file.write_text("FROM a\n")
    assert main(["predict", str(file), "--image-file", str(path)]) == 3
    assert "holds no image" in capsys.readouterr().err


def test_a_layout_cannot_reach_outside_its_folder(layout: Path, tmp_path: Path) -> None:
    index = json.loads((layout / "index.json").read_text())
    index["manifests"][0]["digest"] = "sha256:../../../saved"
    (layout / "index.json").write_text(json.dumps(index))
    with pytest.raises(ArchiveError, match="no digest"):
        read_archive_images(str(layout))


def test_lists_of_packages_are_read() -> None:
    assert read_dpkg_status(STATUS) == {"curl": "7.88"}
    assert read_apk_database("C:x\nP:musl\nV:1.2\n\nP:busybox\nV:1.36\n") == {"musl": "1.2", "busybox": "1.36"}
    assert read_os_release("NAME='A'\nID=alpine\n# x=y\n") == {"NAME": "A", "ID": "alpine"}


def test_a_history_that_does_not_fit_gives_rows_without_texts() -> None:
    rows = rows_of({"history": [{"created_by": "RUN x"}]}, [1, 2], [None, None])
    assert [(row.created_by, row.size_bytes) for row in rows] == [("", 1), ("", 2)]


# ---------------------------------------------------------------------- comparing and learning


def test_layers_are_compared_from_the_last_one_down() -> None:
    graph = build(parse(FILE), images=lambda name: None)
    compared = compare_with_image(predict_graph(graph), graph, real())
    assert compared is not None
    assert compared.complete
    assert [pair.real_bytes for pair in compared.layers] == list(SIZES)
    assert compared.real_bytes == sum(SIZES)


def test_an_image_of_another_file_is_not_compared() -> None:
    graph = build(parse(FILE.replace("other.sh", "new.sh")), images=lambda name: None)
    assert compare_with_image(predict_graph(graph), graph, real()) is None


def test_the_longest_common_beginning_counts_as_built_before() -> None:
    graph = build(parse(FILE.replace("other.sh", "new.sh")), images=lambda name: None)
    nothing = BuiltImage("nothing", (BuiltLayer("RUN x", 1),))
    found = built_before(predict_graph(graph), graph, [nothing, real()])
    assert found is not None
    assert found.image == "real"
    assert [pair.real_bytes for pair in found.layers] == [4_000, 30_000]
    assert not found.complete
    assert built_before(predict_graph(graph), graph, [nothing]) is None


def test_what_was_learned_is_used_the_next_time() -> None:
    graph = build(parse(FILE), images=lambda name: None)
    prediction = predict_graph(graph)
    compared = compare_with_image(prediction, graph, real())
    assert compared is not None
    again = calibrated(prediction, learn(Calibration(), compared)).image
    assert again is not None
    layers = {layer.instruction: layer for layer in again.layers}
    layer = layers["RUN ./build.sh --all"]
    assert layer.size_bytes == 30_000
    assert layer.size.low < 30_000 < layer.size.high < 31_000
    assert "corrected by" in layer.parts[0].source
    assert again.total.value == pytest.approx(sum(one.size.value for one in again.layers))


def test_a_changed_prediction_moves_the_correction_and_widens_it() -> None:
    text = "FROM debian:bookworm-slim\nRUN apt-get update && apt-get install -y curl\n"
    prediction = predict_graph(build(parse(text)))
    assert prediction.image is not None
    layer = prediction.image.layers[1]
    old = Correction(layer.size.value / 1.2, 10e6, "apt")
    image = calibrated(prediction, Calibration({key_of(layer): old})).image
    assert image is not None
    assert image.layers[1].size_bytes == pytest.approx(12e6)
    assert image.layers[1].size.high > 13e6
    assert image.layers[1].confidence == "medium"


def test_a_kind_is_corrected_only_after_three_layers() -> None:
    text = "FROM debian:bookworm-slim\nRUN apt-get update && apt-get install -y curl\n"
    prediction = predict_graph(build(parse(text)))
    assert prediction.image is not None
    for count, factor in ((2, 1.0), (3, 1.1)):
        learned = Calibration({str(number): Correction(1e6, 1.1e6, "apt") for number in range(count)})
        image = calibrated(prediction, learned).image
        assert image is not None
        assert image.layers[1].size.value == pytest.approx(prediction.image.layers[1].size.value * factor)
        assert image.layers[1].size.low <= prediction.image.layers[1].size.low


def test_exact_layers_are_never_corrected(tmp_path: Path) -> None:
    graph = build(parse("FROM scratch\nADD http://example.com/x /x\n# dfopt: size=5MB\nCOPY . .\n"))
    prediction = predict_graph(graph)
    assert prediction.image is not None
    layer = prediction.image.layers[-1]
    same = calibrated(prediction, Calibration({key_of(layer): Correction(5e6, 1e6, "copy")})).image
    assert same is not None
    assert same.layers[-1] == layer


def test_the_file_keeps_all_and_refuses_what_is_none(tmp_path: Path) -> None:
    learned = Calibration({"a": Correction(1, 2, "apt")})
    path = tmp_path / "calibration.json"
    path.write_text(calibration_text(learned, {"a": "RUN x"}))
    assert read_calibration(str(path)) == learned
    assert read_calibration(str(tmp_path / "missing")) == Calibration()
    for text in ("{}", "[]", '{"version": 1, "layers": {"a": 1}}', "no"):
        path.write_text(text)
        with pytest.raises(ValueError, match=r"calibration|Expecting"):
            read_calibration(str(path))


def test_the_commands_compare_learn_and_use(saved: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "Dockerfile"
    file.write_text(FILE)
    assert main(["predict", str(file), "--compare", str(saved)]) == 0
    out = capsys.readouterr().out
    assert "predicted against app:1" in out
    assert "30.0 kB" in out
    assert main(["calibrate", str(file), "--compare", str(saved)]) == 0
    assert "3 corrections" in capsys.readouterr().out
    assert (tmp_path / ".dfopt" / "calibration.json").is_file()
    assert main(["predict", str(file), "--format", "json", "--compare", str(saved)]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert [layer["bytes"] for layer in answer["image"]["layers"] if not layer["empty"]][2:] == [30_000, 500]
    assert [layer["inside"] for layer in answer["compared"]["layers"]][1:] == [True, True, True]
    assert main(["predict", str(file), "--format", "json", "--no-calibration"]) == 0
    assert json.loads(capsys.readouterr().out)["image"]["layers"][2]["bytes"] != 30_000
    assert main(["calibrate", str(file), "--forget"]) == 0
    assert "0 corrections" in capsys.readouterr().out


def test_an_image_of_another_file_teaches_nothing(
    saved: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "Dockerfile"
    file.write_text("FROM a\nRUN something else\n")
    assert main(["calibrate", str(file), "--compare", str(saved)]) == 1
    assert main(["calibrate", str(file)]) == 2
    assert main(["predict", str(file), "--compare", str(saved)]) == 0
    assert "was not built from this file" in capsys.readouterr().err
    assert not (tmp_path / ".dfopt").exists()


# ---------------------------------------------------------------------- a real engine


@pytest.fixture
def engine() -> Engine:
    found = find_engine()
    if found is None:
        pytest.skip("no container engine answers; '.ci/builder start' gives one")
    try:
        found.history("debian:bookworm-slim")
    except EngineError:
        pytest.skip("the engine has no debian:bookworm-slim; '.ci/builder bases' makes it")
    return found


@pytest.mark.engine
def test_an_engine_tells_bases_and_what_it_built(
    engine: Engine, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "Dockerfile"
    file.write_text(
        "FROM debian:bookworm-slim\nARG V=1\nRUN head -c 3000000 /dev/urandom > /x; ./nothing; true\n"
        "WORKDIR /app\nCOPY Dockerfile .\nRUN cp -r /usr/share/perl5 /p\n"
    )
    with engine.temporary(file.read_text(), str(tmp_path), network="none") as image:
        rows = {row.created_by: row.size_bytes for row in engine.history(image)}
        words = ["predict", str(file), "--context", str(tmp_path), "--format", "json", "--engine", "--compare", image]
        assert main(words) == 0
        answer = json.loads(capsys.readouterr().out)
        assert answer["compared"]["complete"]
        assert all(layer["inside"] for layer in answer["compared"]["layers"])
        assert [layer["real"] for layer in answer["compared"]["layers"]] == [size for text, size in rows.items()
                                                                             if not text.startswith("ARG")]  # fmt: skip
        assert answer["image"]["layers"][0]["bytes"] == next(iter(rows.values()))
        assert abs(answer["compared"]["predicted"] - answer["compared"]["real"]) < 1000
