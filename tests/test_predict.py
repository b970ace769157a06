"""Prediction by an abstract build: what each layer of a file weighs."""

from __future__ import annotations

import gzip
import io
import os
import tarfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from dfopt.context import context_of, read_context
from dfopt.context.model import BuildContext
from dfopt.graph import build
from dfopt.graph.model import BuildOptions
from dfopt.images.model import ImageFacts
from dfopt.predict import predict_graph
from dfopt.predict.model import LayerPrediction, Prediction, PredictOptions, RemoteSize
from dfopt.syntax import parse

BASE = "example.com/base:1"
BASE_BYTES = 50_000_000
URL = "http://example.com/app-1.0.tar.gz"
REMOTES = {URL: RemoteSize(7_000_000, 10_000_000), "http://example.com/tool": RemoteSize(3_000_000)}


def predicted(
    text: str,
    files: Mapping[str, str | bytes | int] | BuildContext | None = None,
    *,
    target: str | None = None,
    build_args: Mapping[str, str] | None = None,
) -> Prediction:
    context = files if isinstance(files, BuildContext) or files is None else context_of(files)
    graph = build(parse(text), BuildOptions(build_args or {}, target))
    return predict_graph(graph, context, PredictOptions(REMOTES, {BASE: BASE_BYTES}))


def own(text: str, files: Mapping[str, str | bytes | int] | BuildContext | None = None) -> list[LayerPrediction]:
    """Give the layers of the image above its base."""
    image = predicted(text, files).image
    assert image is not None
    return [layer for layer in image.layers if not layer.empty and layer.step is not None]


def sizes(text: str, files: Mapping[str, str | bytes | int] | BuildContext | None = None) -> list[int]:
    return [layer.size_bytes for layer in own(f"FROM {BASE}\n{text}", files)]


BIG = {"big.bin": 3_000_000, "d/a": 1_000, "d/b": 2_000, "d/c/x": 500}


CASES = {
    "a copied file counts its bytes": ("COPY big.bin /data/", [3_000_000]),
    "a copied folder counts its contents": ("COPY d /x", [3_500]),
    "the whole context": ("COPY . /x", [3_003_500]),
    "a work directory weighs nothing": ("WORKDIR /srv", [0]),
    "removal in a later layer saves nothing": ("COPY d /x\nRUN rm -r /x", [3_500, 0]),
    "removal by a pattern": ("COPY d /x\nRUN rm -f /x/*", [3_500, 0]),
    "removal in the same layer": ("RUN head -c 5000 /dev/urandom > /f && rm /f", [0]),
    "a move writes the file again": ("COPY big.bin /b\nRUN mv /b /c", [3_000_000, 3_000_000]),
    "a touch writes the file again": ("COPY big.bin /b\nRUN touch /b", [3_000_000, 3_000_000]),
    "a mode writes the file again": ("COPY big.bin /b\nRUN chmod +x /b", [3_000_000, 3_000_000]),
    "an owner writes the tree again": ("COPY d /x\nRUN chown -R 1 /x", [3_500, 3_500]),
    "the owner of the folder alone writes nothing": ("COPY d /x\nRUN chown 1 /x", [3_500, 0]),
    "a copy": ("COPY big.bin /b\nRUN cp /b /c", [3_000_000, 3_000_000]),
    "a copied tree": ("COPY d /x\nRUN cp -r /x /y", [3_500, 3_500]),
    "copies that change": ("COPY d /x\nRUN mkdir /y && cp -r /x /y && mv /y/x/a /y/q && rm /y/x/b", [3_500, 1_500]),
    "a copy that goes again": ("COPY big.bin /b\nRUN cp /b /c && rm /c", [3_000_000, 0]),
    "a symbolic link weighs nothing": ("COPY big.bin /b\nRUN ln -s /b /c", [3_000_000, 0]),
    "hard links copy the file once": ("COPY big.bin /b\nRUN ln /b /c && ln /b /d", [3_000_000, 3_000_000]),
    "a byte more writes the file again": ("COPY big.bin /b\nRUN echo x >> /b", [3_000_000, 3_000_002]),
    "a file made empty": ("COPY big.bin /b\nRUN : > /b", [3_000_000, 0]),
    "echo and its newline": ("RUN echo hello > /f", [6]),
    "echo without newline": ("RUN echo -n hello > /f", [5]),
    "printf repeats its format": ("RUN printf '%s\\n' a b c > /f", [6]),
    "tee writes every file": ("RUN echo a | tee /f /g", [4]),
    "a group writes one file": ("RUN { echo a; echo bb; } > /f", [5]),
    "dd": ("RUN dd if=/dev/zero of=/f bs=1M count=3", [3 << 20]),
    "a hole counts in full": ("RUN truncate -s 10M /f", [10 << 20]),
    "fallocate": ("RUN fallocate -l 1K /f", [1024]),
    "seq": ("RUN seq 1 10 > /f", [21]),
    "base64 and its newlines": ("RUN head -c 1000000 /dev/urandom | base64 > /f", [1_350_880]),
    "the null device": ("RUN echo x > /dev/null", [0]),
    "folders weigh nothing": ("RUN mkdir -p /a/b/c && cd /a && echo x > b/y", [2]),
    "relative paths follow cd": ("RUN cd /tmp && echo x > f && cd / && rm /tmp/f", [0]),
    "queries leave nothing": ("RUN apt-get --version && ls / && true", [0]),
    "a download is not unpacked": (f"ADD {URL} /opt/", [7_000_000]),
    "unless it is asked for": (f"ADD --unpack=true {URL} /opt/", [10_000_000]),
    "unpacking keeps the lower archive": (
        f"ADD {URL} /opt/\nRUN tar xf /opt/app-1.0.tar.gz -C /opt && rm /opt/app-1.0.tar.gz",
        [7_000_000, 10_000_000],
    ),
    "a piped archive": (f"RUN curl -fsSL {URL} | tar xz -C /opt", [10_000_000]),
    "download, unpack, delete": (f"RUN curl -fsSLO {URL} && tar xzf app-1.0.tar.gz && rm app-1.0.tar.gz", [10_000_000]),
    "the archive that stays": (
        f"RUN wget -q {URL} -O /tmp/a.tgz && tar -xzf /tmp/a.tgz -C /usr --strip-components=1",
        [17_000_000],
    ),
    "a program": ("RUN curl -L http://example.com/tool -o /usr/bin/tool && chmod +x /usr/bin/tool", [3_000_000]),
    "variables in addresses": ("ARG V=1.0\nRUN wget http://example.com/app-$V.tar.gz", [7_000_000]),
    "a here-document with an unset variable": ("COPY <<EOF /f\nhello $HOME\nEOF", [7]),
    "a cache mount keeps nothing": ("RUN --mount=type=cache,target=/c head -c 999 /dev/zero > /c/x", [0]),
    "what leaves a mount stays": ("RUN --mount=type=tmpfs,target=/t head -c 99 /dev/zero > /t/x && cp /t/x /y", [99]),
    "a file of a bind mount": ("RUN --mount=type=bind,source=d,target=/s cp /s/a /y", [1_000]),
    "what runs after a failure is not counted": ("RUN false || head -c 10 /dev/zero > /f", [0]),
    "a loop writes a file per round": ("RUN for i in 1 2; do echo x > /f$i; done", [4]),
    "nested loops": ("RUN for i in 1 2; do for j in a b c; do echo $i$j > /f$i$j; done; done", [18]),
    "a loop into one file": ("RUN for i in 1 22; do echo $i; done > /f", [5]),
    "a loop over known files": ("COPY d /x\nRUN for f in /x/*; do touch $f; done", [3_500, 3_000]),
    "a test of texts that holds": ('ARG A=b\nRUN if [ "$A" = b ]; then echo x > /f; else echo yyy > /g; fi', [2]),
    "a test of texts that fails": ("ARG A=b\nRUN [ -z $A ] && echo x > /f; echo yy > /g", [3]),
    "a test for a known file": ("COPY d /x\nRUN [ -f /x/a ] && echo x > /f", [3_500, 2]),
    "a test for a file that is known": ("COPY d /x\nRUN if [ -e /x/a ]; then :; else echo x > /f; fi", [3_500, 0]),
    "find deletes": ("COPY d /x\nRUN find /x -name a -delete", [3_500, 0]),
    "sed writes the file again": ("COPY d /x\nRUN sed -i s/a/b/ /x/a", [3_500, 1_000]),
    "the same files again": ("COPY d /x\nCOPY d /x", [3_500, 3_500]),
}  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), CASES.values(), ids=CASES.keys())
def test_a_layer_weighs_what_its_commands_write(text: str, expected: list[int]) -> None:
    assert sizes(text, BIG) == expected


def test_hard_links_of_a_lower_layer_are_files_of_their_own() -> None:
    text = "COPY big.bin /s/b\nRUN ln /s/b /s/c\nRUN cp -a /s /t\nRUN chmod 600 /s/b /s/c"
    assert sizes(text, BIG) == [3_000_000, 3_000_000, 6_000_000, 6_000_000]


def test_what_a_test_of_an_unknown_file_guards_may_or_may_not_be_there() -> None:
    then, other = own(
        f"FROM {BASE}\nRUN if [ -f /x ]; then echo xxx > /f; else echo y > /g; fi\nRUN [ -f /x ] || echo x > /x"
    )
    assert (then.size.low, then.size.value, then.size.high) == (0, 2, 6)
    assert (other.size.low, other.size.value, other.size.high) == (0, 2, 2)


def test_intervals_of_exact_figures_are_closed() -> None:
    for layer in own(f"FROM {BASE}\nCOPY d /x\nRUN cp -r /x /y\nRUN rm -r /y\nRUN curl -L {URL} | tar xz", BIG):
        assert layer.size.low == layer.size.value == layer.size.high
        assert layer.confidence == "exact"


def test_what_cannot_be_known_is_an_interval_that_says_so() -> None:
    download, script, copy = own(
        f"FROM {BASE}\nRUN curl -O http://example.com/nobody-knows.zip\nRUN ./install.sh\nCOPY . /x"
    )
    for layer in (download, script, copy):
        assert layer.size.low < layer.size.value < layer.size.high
        assert layer.confidence in ("low", "unknown")
        assert layer.note
    assert script.confidence == "unknown"


def test_bytes_that_later_layers_hide_are_wasted_where_they_lie() -> None:
    layers = own(f"FROM {BASE}\nCOPY big.bin /b\nRUN mv /b /c\nRUN rm /c\nCOPY d /x", BIG)
    assert [round(layer.wasted.value) for layer in layers] == [3_000_000, 3_000_000, 0, 0]


def test_the_base_is_the_first_row_and_the_total_the_sum() -> None:
    image = predicted(f"FROM {BASE}\nCOPY big.bin /b\nLABEL a=b\nRUN cp /b /c", BIG).image
    assert image is not None
    assert image.layers[0].step is None
    assert image.layers[0].size_bytes == BASE_BYTES
    assert [layer.empty for layer in image.layers] == [False, False, True, False]
    assert image.total.value == BASE_BYTES + 6_000_000


def test_what_a_base_of_given_size_weighs_packed_is_an_interval() -> None:
    image = predicted(f"FROM {BASE}\n").image
    assert image is not None
    packed = image.compressed
    assert image.total.low == image.total.high == BASE_BYTES
    assert packed.low < 0.36 * BASE_BYTES < packed.value < 0.5 * BASE_BYTES < packed.high


def test_scratch_is_empty_and_an_unknown_base_an_interval() -> None:
    scratch = predicted("FROM scratch\nCOPY big.bin /", BIG).image
    unknown = predicted("FROM example.com/nobody/knows:1\n", BIG).image
    assert scratch is not None
    assert scratch.total.high == 3_000_000
    assert unknown is not None
    assert unknown.layers[0].confidence == "unknown"
    assert unknown.total.high > 10 * unknown.total.low


STAGED = f"""
FROM {BASE} AS fetch
RUN curl -L {URL} | tar xz -C /opt
RUN head -c 4000 /dev/urandom > /opt/extra
FROM {BASE} AS unused
RUN head -c 9999999 /dev/urandom > /x
FROM {BASE}
"""


@pytest.mark.parametrize(
    ("copy", "expected"),
    [
        ("COPY --from=fetch /opt/app-1.0 /srv/app", 10_000_000),
        ("COPY --from=fetch /opt /opt", 10_004_000),
        ("COPY --from=fetch /opt/extra /usr/bin/", 4_000),
        ("COPY --from=0 /opt/e* /usr/bin/", 4_000),
        ("COPY --from=fetch --chown=1:1 /opt/extra /e", 4_000),
    ],
)
def test_files_are_followed_through_the_stage_that_made_them(copy: str, expected: int) -> None:
    assert [layer.size_bytes for layer in own(STAGED + copy)] == [expected]


def test_a_part_of_an_archive_is_an_interval_up_to_all_of_it() -> None:
    (layer,) = own(STAGED + "COPY --from=fetch /opt/app-1.0/bin/app /usr/bin/")
    assert 0 == layer.size.low < layer.size.value < layer.size.high == 10_000_000


def test_a_stage_on_a_stage_holds_its_layers() -> None:
    text = f"FROM {BASE} AS one\nCOPY big.bin /b\nFROM one\nRUN chmod 600 /b\nRUN rm /b"
    assert [layer.size_bytes for layer in own(text, BIG)] == [3_000_000, 3_000_000, 0]
    image = predicted(text, BIG).image
    assert image is not None
    assert image.layers[1].wasted.value == 3_000_000
    assert image.layers[2].wasted.value == 3_000_000


def test_a_change_in_a_child_stage_does_not_touch_its_base() -> None:
    text = f"FROM {BASE} AS one\nCOPY big.bin /b\nFROM one AS two\nRUN rm /b\nFROM {BASE}\nCOPY --from=one /b /b"
    assert [layer.size_bytes for layer in own(text, BIG)] == [3_000_000]
    assert all(layer.wasted.value == 0 for layer in predicted(text, BIG).stages[0].layers)


def test_the_target_is_the_image() -> None:
    text = f"FROM {BASE} AS one\nCOPY big.bin /b\nFROM {BASE} AS two\nCOPY d /d"
    image = predicted(text, BIG, target="one").image
    assert image is not None
    assert image.total.value == BASE_BYTES + 3_000_000


def archive(path: Path, *, packed: bool = True) -> int:
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w") as tar:
        for name, size in (("app/bin/app", 5_000), ("app/lib/x", 700)):
            info = tarfile.TarInfo(name)
            info.size = size
            tar.addfile(info, io.BytesIO(os.urandom(size)))
        link = tarfile.TarInfo("app/bin/again")
        link.type, link.linkname = tarfile.LNKTYPE, "app/bin/app"
        tar.addfile(link)
    path.write_bytes(gzip.compress(raw.getvalue()) if packed else raw.getvalue())
    return path.stat().st_size


def test_archives_of_the_context_are_unpacked_by_add_alone(tmp_path: Path) -> None:
    size = archive(tmp_path / "a.tgz")
    archive(tmp_path / "no-suffix", packed=False)
    (tmp_path / "plain.gz").write_bytes(gzip.compress(b"no tar at all" * 99))
    plain = (tmp_path / "plain.gz").stat().st_size
    context = read_context(tmp_path)
    text = (
        "ADD a.tgz /x/\nADD no-suffix /y/\nADD plain.gz /z/\nCOPY a.tgz /w/\nADD --unpack=false a.tgz /v/\n"
        "RUN tar xf /w/a.tgz -C /u --strip-components=1 app/bin && rm /w/a.tgz\n"
        "RUN tar xf /v/a.tgz && chmod 755 app/bin/app"
    )
    assert sizes(text, context) == [5_700, 5_700, plain, size, size, 5_000, 5_700]


def test_the_ignore_file_decides_what_a_copy_weighs(tmp_path: Path) -> None:
    for name, size in (("a.log", 100), ("src/b.py", 10), ("src/c.log", 1000)):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"x" * size)
    (tmp_path / ".dockerignore").write_text("**/*.log\n.dockerignore\n")
    assert sizes("COPY . /x\nCOPY src /y", read_context(tmp_path)) == [10, 10]


def test_a_missing_source_is_a_note() -> None:
    (layer,) = own(f"FROM {BASE}\nCOPY nowhere /x", BIG)
    assert "nowhere" in layer.note


def test_facts_are_asked_for_bases_and_downloads() -> None:
    class Facts:
        asked: list[str] = []  # noqa: RUF012  # filled by one test only

        def image(self, reference: str) -> ImageFacts | None:
            self.asked.append(reference)
            return ImageFacts(reference, size_bytes=123, low_bytes=123, high_bytes=123, confidence="measured")

        def remote(self, url: str) -> RemoteSize | None:
            self.asked.append(url)
            return RemoteSize(77) if url.endswith("tool") else None

    facts = Facts()
    graph = build(parse("FROM example.com/x\nADD http://example.com/tool /\nRUN curl -O http://example.com/other"))
    image = predict_graph(graph, None, PredictOptions({}, {}, facts)).image
    assert image is not None
    assert [layer.size_bytes for layer in image.layers][:2] == [123, 77]
    assert image.layers[2].size.high > image.layers[2].size.low
    assert facts.asked == ["example.com/x", "http://example.com/tool", "http://example.com/other"]


def test_package_lists_that_are_removed_in_the_same_layer_weigh_nothing() -> None:
    text = "FROM debian:bookworm-slim\nRUN apt-get update && apt-get install -y --no-install-recommends curl{}"
    (kept,) = own(text.format(""))
    (removed,) = own(text.format(" && rm -rf /var/lib/apt/lists/*"))
    (mounted,) = own(text.format("").replace("RUN ", "RUN --mount=type=cache,target=/var/lib/apt "))
    lists = kept.size.value - removed.size.value
    assert 15_000_000 < lists < 25_000_000
    assert mounted.size.value == pytest.approx(removed.size.value, rel=0.02)
    assert kept.kind == removed.kind == "apt"


def test_what_is_purged_in_the_same_layer_leaves_little() -> None:
    text = (
        "FROM debian:bookworm\nRUN apt-get update && apt-get install -y --no-install-recommends curl"
        f" && curl -fsSL {URL} | tar xz -C /opt && apt-get purge -y --auto-remove curl && rm -rf /var/lib/apt/lists/*"
    )
    (layer,) = own(text)
    assert layer.size.value == pytest.approx(10_940_000, rel=0.02)


SCRIPTS = {
    "package.json": '{"scripts": {"build": "mkdir -p dist && cp src/a dist/", "prebuild": "echo pre > note"}}',
    "src/a": 4_321,
    "install.sh": "#!/bin/bash\nset -e\nmkdir -p /opt/x\ncp src/a /opt/x/\n./again.sh\n",
    "again.sh": "echo twelve > /opt/x/b\n",
}


@pytest.mark.parametrize("call", ["./install.sh", "sh install.sh", "bash ./install.sh", "/app/install.sh"])
def test_a_script_of_the_context_is_gone_through(call: str) -> None:
    assert sizes(f"WORKDIR /app\nCOPY . .\nRUN {call}", SCRIPTS)[2] == 4_321 + 7


def test_a_script_of_package_json_is_gone_through() -> None:
    assert sizes("WORKDIR /app\nCOPY . .\nRUN npm run build", SCRIPTS)[2] == 4_321 + 4


def test_a_script_that_calls_itself_ends() -> None:
    (_, layer) = own(f"FROM {BASE}\nCOPY a.sh /a.sh\nRUN /a.sh", {"a.sh": "echo x > /f\n/a.sh\n"})
    assert layer.size.high > 2


def test_a_cleared_cache_weighs_nothing() -> None:
    text = f"FROM {BASE}\nRUN pip install nobody-knows-this{{}}"
    (kept,) = own(text.format(""))
    (cleared,) = own(text.format(" && pip cache purge"))
    (without,) = own(text.format(" --no-cache-dir"))
    assert kept.size.high > cleared.size.high
    assert cleared.size.value == pytest.approx(without.size.value, rel=0.01)


def test_packages_removed_in_a_later_layer_are_wasted_where_they_lie() -> None:
    text = (
        "FROM debian:bookworm-slim\nRUN apt-get update && apt-get install -y --no-install-recommends gcc"
        "\nRUN apt-get purge -y --auto-remove gcc"
    )
    install, purge = own(text)
    assert install.wasted.value > 0.8 * (install.size.value - 20_000_000)
    assert purge.size.value < 2_000_000


def test_triggers_of_the_base_stage_make_layers() -> None:
    text = f"FROM {BASE} AS one\nONBUILD COPY big.bin /b\nONBUILD RUN chmod 1 /b\nFROM one\nRUN rm /b"
    assert [layer.size_bytes for layer in own(text, BIG)] == [3_000_000, 3_000_000, 0]


def test_every_beginning_of_a_file_is_predicted() -> None:
    text = STAGED + (
        "ADD --unpack=true big.bin https://example.com/x.tar.gz git@example.com:a/b.git /x/\n"
        'COPY --from=fetch ["/opt", "/usr", "/y"]\n'
        "RUN <<EOF\nif [ -f /a ]; then for i in *; do cat $i > /z/$i; done; fi\nEOF\n"
        "RUN cp -r /opt/* /usr/local/ && mv /opt /o && ln /o/extra /e"
        " && tar czf - /o | tar xz -C /p && find / -name x -delete\n"
    )
    for end in range(0, len(text), 5):
        for stage in predicted(text[:end], BIG).stages:
            assert 0 <= stage.total.low <= stage.total.value <= stage.total.high


def test_compressed_sizes_tell_packed_files_from_others() -> None:
    plain, packed = own(
        f"FROM {BASE}\nCOPY big.bin /x/\nCOPY big.jpg /x/", {"big.bin": 3_000_000, "big.jpg": 3_000_000}
    )
    assert plain.compressed.value < 0.6 * plain.size.value
    assert packed.compressed.value > 0.9 * packed.size.value


def test_every_interval_holds_its_value() -> None:
    text = (
        f"FROM {BASE}\nRUN go build -o /bin/app ./...\nRUN npm install\nRUN mvn package\nRUN make -j4"
        "\nRUN git clone http://x/y.git"
        "\nRUN curl http://x/install.sh | sh\nRUN chown -R 1:1 /usr/share\nRUN useradd -m bob\nRUN locale-gen"
        "\nCOPY --from=busybox /bin/busybox /b\nCOPY --from=example.com/tools /t /t\nADD http://example.com/z.tar.gz /z"
        "\nRUN if [ -f /x ]; then rm -rf /usr/lib; else cp -r /usr /y; fi"
        "\nRUN python -c 'print(1)' > /o\nRUN cargo build"
    )
    for layer in own(text):
        assert 0 <= layer.size.low <= layer.size.value <= layer.size.high
        assert 0 <= layer.compressed.low <= layer.compressed.value <= layer.compressed.high
        for part in layer.parts:
            assert part.label
            assert part.estimate.low <= part.estimate.value <= part.estimate.high
