"""Telling local files that ADD would unpack from those that it only copies."""

from __future__ import annotations

import posixpath
import tarfile
from pathlib import Path

from dfopt.context.model import BuildContext

_SUFFIXES = frozenset(
    """
    .tar .tgz .tbz .tbz2 .tb2 .txz .tlz .tzst .tzs .taz .tz2 .gz .bz2 .xz .zst .zstd .lzma .lz .z .ova .gem .crate
    """.split()  # noqa: SIM905 - a table of names is easier to read as text
)
_PLAIN = frozenset(
    """
    .py .txt .json .sh .conf .cfg .ini .toml .yaml .yml .html .htm .css .js .ts .mjs .cjs .jsx .tsx .java .go .rs
    .rb .php .c .h .cpp .md .xml .xsl .sql .env .properties .service .repo .list .key .asc .gpg .pem .crt .cer .pub
    .lock .mod .sum .gradle .kts .cs .csproj .sln .fsproj .pl .pm .lua .r .jl .ex .exs .erl .hs .cabal .scala .sbt
    .clj .swift .vue .svelte .scss .less .jar .war .ear .zip .whl .deb .rpm .apk .exe .dll .so .png .jpg .jpeg .gif
    .svg .ico .woff .woff2 .ttf .otf .csv .tsv .log .bash .zsh .fish .ps1 .bat .cmd .template .tmpl .tpl .j2 .erb
    .in .ac .am .cmake .mk .dockerfile .pp .tf .hcl .proto .graphql .ipynb .pdf .map .rules .cnf
    """.split()  # noqa: SIM905 - a table of names is easier to read as text
)
_NAMES = frozenset(
    """
    Dockerfile Containerfile Makefile makefile GNUmakefile Gemfile Rakefile Procfile Pipfile Vagrantfile LICENSE
    README gradlew mvnw configure
    """.split()  # noqa: SIM905 - a table of names is easier to read as text
)


def may_be_archive(source: str, context: BuildContext | None) -> bool:
    """Tell whether ADD may unpack a local source: only what is certainly no tar archive answers no.

    The content decides, so a file on the disk is looked at; without one the name does.
    """
    path = posixpath.normpath("/" + source).strip("/")
    if not path:
        return False
    if "$" in path:
        # A build argument may give another name; only a plain suffix says enough.
        return posixpath.splitext(path)[1].lower() not in _PLAIN
    if any(mark in path for mark in "*?["):
        suffix = posixpath.splitext(path)[1].lower()
        if suffix in _PLAIN:
            return False
        if context is None:
            return True
        return any(_file_may_be(name, context) for name, file in context.files.items() if file.type == "file")
    if context is not None:
        file = context.files.get(path)
        if (file is not None and file.type == "directory") or any(
            name.startswith(path + "/") for name in context.files
        ):
            return False
        if file is not None:
            return _file_may_be(path, context)
    return _name_may_be(path)


def _file_may_be(path: str, context: BuildContext) -> bool:
    if context.root is not None:
        try:
            return tarfile.is_tarfile(Path(context.root) / path) or _is_zstd(Path(context.root) / path)
        except OSError:
            return _name_may_be(path)
    return path not in context.texts and _name_may_be(path)


def _is_zstd(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(4) == b"\x28\xb5\x2f\xfd"


def _name_may_be(path: str) -> bool:
    name = posixpath.basename(path)
    suffix = posixpath.splitext(name)[1].lower()
    if suffix in _SUFFIXES:
        return True
    if suffix in _PLAIN or name in _NAMES:
        return False
    return not (suffix and suffix[1:].isalpha() and len(suffix) <= 5)
