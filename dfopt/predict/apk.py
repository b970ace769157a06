"""apk: what a layer holds that installs or removes Alpine packages; estimates by name, with wide intervals."""

from __future__ import annotations

import re

from msgspec.structs import replace

from dfopt.images.model import ImageFacts
from dfopt.predict.model import Estimate, PackageCall, PackageState, Part
from dfopt.predict.usual import Known, content, megabytes
from dfopt.tools.model import Invocation

CACHE = "/var/cache/apk"
_INDEX = megabytes(2.6, 1.6, 3.6)
"""The indexes of main and community that ``apk update`` keeps; ``--no-cache`` keeps none."""
_DATABASE = Estimate(25_000, 12_000, 60_000)
_DATABASE_PER_PACKAGE = 6_000
"""The installed database is written whole: some kB of file lists per package."""

_TABLE: tuple[Known, ...] = (
    Known("alpine-sdk", megabytes(260, 190, 330), "gcc"),
    Known("build-base", megabytes(215, 165, 280), "gcc"),
    Known("g\\+\\+", megabytes(205, 150, 270), "gcc"),
    Known("gcc|clang\\d*", megabytes(140, 95, 190), "gcc"),
    Known("gfortran", megabytes(175, 120, 230), "gcc"),
    Known("musl-dev|libc-dev", megabytes(10.5, 8, 12), "gcc"),
    Known("binutils", megabytes(12, 6, 25), "gcc"),
    Known("make", megabytes(0.25, 0.2, 0.6)),
    Known("cmake", megabytes(55, 25, 80)),
    Known("autoconf|automake|libtool", megabytes(38, 2, 45), "perl"),
    Known("perl", megabytes(38, 34, 45), "perl"),
    Known("git", megabytes(15, 10, 22)),
    Known("curl", megabytes(4.5, 1.5, 7)),
    Known("libcurl|curl-dev", megabytes(5, 1.5, 9)),
    Known("wget", megabytes(1.2, 0.5, 4)),
    Known("bash", megabytes(2.3, 1.3, 4)),
    Known("ca-certificates(-bundle)?", megabytes(0.75, 0.35, 1.1)),
    Known("openssl", megabytes(0.9, 0.6, 7.5)),
    Known("openssl-dev|libressl-dev", megabytes(13, 5, 18)),
    Known("openssh(-client.*|-server|-sftp-server)?", megabytes(5, 2, 12)),
    Known("tzdata", megabytes(1.4, 0.4, 3.6)),
    Known("python3", megabytes(44, 35, 60), "python"),
    Known("python2?", megabytes(43, 38, 50), "python2"),
    Known("py3-pip", megabytes(62, 48, 85), "python"),
    Known("py-pip|py2-pip", megabytes(54, 45, 65), "python2"),
    Known("python3-dev", megabytes(72, 55, 95), "python"),
    Known("py3-(numpy|scipy|pandas|scikit-learn)", megabytes(70, 20, 180)),
    Known("nodejs(-current)?|nodejs-lts", megabytes(55, 25, 75), "node"),
    Known("npm|nodejs-npm", megabytes(68, 40, 90), "node"),
    Known("yarn", megabytes(60, 30, 80), "node"),
    Known("go", megabytes(240, 180, 480)),
    Known("rust|cargo", megabytes(480, 280, 750), "rust"),
    Known("openjdk\\d+(-jdk)?", megabytes(250, 130, 420), "java"),
    Known("openjdk\\d+-jre(-headless|-base)?", megabytes(115, 75, 210), "java"),
    Known("maven", megabytes(10, 8, 14)),
    Known("ruby(-full)?", megabytes(32, 18, 50), "ruby"),
    Known("ruby-dev", megabytes(36, 20, 55), "ruby"),
    Known("php\\d*", megabytes(20, 9, 40), "php"),
    Known("php\\d*-fpm", megabytes(24, 12, 45), "php"),
    Known("php\\d*-.*", megabytes(0.4, 0.03, 5)),
    Known("nginx", megabytes(1.7, 1.1, 4)),
    Known("apache2", megabytes(5, 3.5, 8)),
    Known("postgresql\\d*", megabytes(50, 15, 220)),
    Known("postgresql\\d*-client", megabytes(9, 2, 20)),
    Known("postgresql-dev|libpq-dev", megabytes(25, 5, 320)),
    Known("(mysql|mariadb)-client", megabytes(35, 15, 60)),
    Known("mysql|mariadb", megabytes(180, 100, 280)),
    Known("(mysql|mariadb)(-connector-c)?-dev", megabytes(25, 8, 110)),
    Known("redis", megabytes(3.5, 2, 9)),
    Known("sqlite", megabytes(2.8, 1.5, 4.5)),
    Known("imagemagick", megabytes(40, 15, 75)),
    Known("ffmpeg", megabytes(115, 40, 180)),
    Known("chromium", megabytes(480, 280, 650)),
    Known("libreoffice", megabytes(900, 500, 1400)),
    Known("jq|su-exec|tini|dumb-init|shadow|file|patch|less|zip|unzip|tar|xz|gzip|bzip2|rsync|sed|grep|gawk|findutils|coreutils",
          megabytes(1.0, 0.02, 8)),
    Known("linux-headers", megabytes(8, 4, 11)),
    Known("zlib-dev|libffi-dev|bzip2-dev|readline-dev|yaml-dev|pcre2?-dev|expat-dev", megabytes(0.9, 0.1, 6)),
    Known("libxml2-dev|libxslt-dev|icu-dev", megabytes(22, 4, 60)),
    Known("icu-libs|icu-data-full", megabytes(32, 3, 38)),
    Known("boost-dev", megabytes(180, 120, 240)),
    Known("supervisor", megabytes(48, 40, 60), "python"),
    Known("vim", megabytes(30, 22, 40)),
    Known("docker(-cli)?", megabytes(180, 40, 320)),
    Known("gcompat|libc6-compat", megabytes(0.1, 0.01, 1)),
    Known("ncurses-terminfo-base|libgcc|libstdc\\+\\+", megabytes(1.3, 0.1, 3)),
)  # fmt: skip


def start(facts: ImageFacts | None) -> PackageState:
    """Give the state of a base image."""
    if facts is None:
        return PackageState("apk", "alpine", known=False)
    return PackageState("apk", facts.distribution, facts.release, facts.packages, known=bool(facts.packages), slim=True,
                        manual=frozenset(facts.packages))  # fmt: skip


def run(call: PackageCall, state: PackageState) -> PackageState:
    """Give the state after a call of apk."""
    invocation = call.invocation
    action = invocation.action
    if invocation.has("-s", "--simulate") or action in ("query", "fetch", "clean", "other"):
        return state
    memory = dict(state.memory)
    fresh = action == "update" or invocation.has("-U", "--update-cache", "--update") or "index" in memory
    if action in ("update", "install", "upgrade") and fresh and not invocation.has("--no-cache"):
        memory["index"] = memory.get("index", 0) + (1 if "lists" not in state.traits else 0)
        state = replace(state, memory=memory, traits=state.traits | {"lists"})
    if action == "install":
        return _added(invocation, state)
    if action == "remove":
        return _deleted(invocation, state)
    if action == "upgrade":
        # What is newer in the repositories than in the image, which is unknown here.
        return replace(state, memory={**memory, "upgrades": memory.get("upgrades", 0) + 1}, calls=state.calls + 1)
    return state


def _names(invocation: Invocation) -> list[str]:
    found = []
    for word in invocation.operands:
        text = word.value if word.value is not None else word.pattern
        name = re.split(r"[=<>~@]", text, maxsplit=1)[0]
        if name and not name.startswith("!"):
            found.append(name)
    return found


def _added(invocation: Invocation, state: PackageState) -> PackageState:
    group = invocation.options.get("-t")
    names = _names(invocation)
    installed, memory = dict(state.installed), dict(state.memory)
    for name in names:
        if name not in installed:
            installed[name] = "?"
            if group:
                memory[f"group {group.lstrip('.')} {name}"] = 1.0
    if group:
        installed[group] = "virtual"
    memory["added"] = memory.get("added", 0) + len(names)
    return replace(state, installed=installed, memory=memory, calls=state.calls + 1)


def _deleted(invocation: Invocation, state: PackageState) -> PackageState:
    gone = set(_names(invocation))
    for name in list(gone):
        prefix = f"group {name.lstrip('.')} "
        gone |= {key.removeprefix(prefix) for key in state.memory if key.startswith(prefix)}
    installed = {name: version for name, version in state.installed.items() if name not in gone}
    return replace(state, installed=installed, calls=state.calls + 1)


def parts(before: PackageState, after: PackageState) -> tuple[Part, ...]:
    """Give what a layer holds that led from one state to the other; the index is a part of its own, at its path."""
    made: list[Part] = []
    if after.memory.get("index", 0) > before.memory.get("index", 0):
        made.append(Part("package index", _INDEX, "lists", "usual size of Alpine's indexes", CACHE, compressed=1.0))
    if after.calls == before.calls:
        return tuple(made)
    new = [name for name, version in after.installed.items() if name not in before.installed and version != "virtual"]
    made += content(new, _TABLE, "apk", before.installed)
    if upgrades := after.memory.get("upgrades", 0) - before.memory.get("upgrades", 0):
        made.append(
            Part("upgraded packages", Estimate(3e6 * upgrades, 0, 12e6 * upgrades), "apk", "depends on the image's age")
        )
    count = len(after.installed)
    size = Estimate(
        _DATABASE.value + _DATABASE_PER_PACKAGE * count,
        _DATABASE.low,
        _DATABASE.high + 4 * _DATABASE_PER_PACKAGE * count,
    )
    made.append(Part("apk's database", size, "apk", "written whole by every change", "/lib/apk/db"))
    return tuple(made)
