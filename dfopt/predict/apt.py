"""apt and dpkg: what a layer holds that updates lists, installs, upgrades or removes packages.

The packages come from the closure of the request in the suite's embedded index, their bytes from measured content,
and the rest from what apt, dpkg and the packages' scripts write beside them: the lists, the debconf database, dpkg's
status and file lists, logs, the linker cache, the CA bundle, Python's byte code. The overheads were measured on
really built layers (``docs/data.md``). Debian's own suites are known; Ubuntu and other suites borrow the nearest one,
with a wide interval.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import NamedTuple

from msgspec.structs import replace

from dfopt import images
from dfopt.images.model import ImageFacts
from dfopt.predict import closure, usualclosure
from dfopt.predict.debcontent import content, questions
from dfopt.predict.debindex import DebIndex, DebPackage, suite
from dfopt.predict.model import Estimate, PackageCall, PackageState, Part
from dfopt.tools.model import Invocation

LISTS = "/var/lib/apt/lists"
ARCHIVES = "/var/cache/apt/archives"


class _Suite(NamedTuple):
    """A suite's index, how far to trust it for the image's own suite, and the bytes that debconf's database has."""

    packages: DebIndex
    width: float
    lists: Estimate
    debconf: int
    status: int


# (distribution, release) -> the embedded suite that stands in, and how far package sizes may differ.
_STAND_INS = {
    ("debian", "wheezy"): ("bullseye", 0.35), ("debian", "jessie"): ("bullseye", 0.3),
    ("debian", "stretch"): ("bullseye", 0.25), ("debian", "buster"): ("bullseye", 0.2),
    ("debian", "forky"): ("trixie", 0.15), ("debian", "sid"): ("trixie", 0.2), ("debian", ""): ("bookworm", 0.2),
    ("ubuntu", "12.04"): ("bullseye", 0.4), ("ubuntu", "14.04"): ("bullseye", 0.35),
    ("ubuntu", "16.04"): ("bullseye", 0.3), ("ubuntu", "18.04"): ("bullseye", 0.25),
    ("ubuntu", "20.04"): ("bullseye", 0.2), ("ubuntu", "22.04"): ("bookworm", 0.2),
    ("ubuntu", "24.04"): ("trixie", 0.2), ("ubuntu", "26.04"): ("trixie", 0.25), ("ubuntu", ""): ("trixie", 0.3),
}  # fmt: skip
# Lists of other distributions that `apt-get update` leaves, in bytes: not measured here, hence wide.
_OTHER_LISTS = {"ubuntu": Estimate(40e6, 22e6, 62e6), "debian": Estimate(18e6, 9e6, 24e6)}
_REFRESHED_LISTS = 240_000

# Measured overheads in bytes (docs/data.md, "What apt writes besides the packages").
_DEBCONF = {"trixie": 827_000}
_DEBCONF_USUAL = 758_000
"""Bytes of debconf's database in a base image; it is written twice where a new package uses debconf."""
_BASE_PACKAGES = 88
"""Packages in Debian's own images, which are in these figures."""
_STATUS_BASE = 155_000
_STATUS_PER_PACKAGE = 1_800
_LOGS = 7_000
_LOGS_PER_PACKAGE = 850
_LINKER_CACHE = (9_000, 130, 30_000)
_BYTE_CODE = {"bullseye": (8_700_000, 1.05), "bookworm": (11_675_000, 1.38), "trixie": (11_404_000, 1.15)}
"""Byte code of the standard library in bytes, and bytes of it per byte of other modules: Python 3.9, 3.11 and 3.13."""
_WITHOUT_MODULES = ("-dev", "-doc", "-minimal", "-venv", "-dbg", "-tk", "-full", "-distutils", "-lib2to3", "-whl")
_RATIO_OF_DEBS = 1.27
"""gzip'ed bytes of a layer per byte of its .deb files."""
_RATIO_OF_LISTS = 0.77
_RATIO_OF_DATABASE = 0.22

# What packages' own scripts make when they are installed, in bytes (value, low, high).
_GENERATED: tuple[tuple[str, str, Estimate], ...] = (
    ("ca-certificates", "CA bundle", Estimate(222_000, 210_000, 235_000)),
    ("ca-certificates-java", "Java key store", Estimate(167_000, 150_000, 185_000)),
    ("shared-mime-info", "MIME database", Estimate(2_680_000, 2_600_000, 3_100_000)),
    ("systemd", "message catalogue", Estimate(214_000, 150_000, 300_000)),
    ("texlive-latex-base", "TeX formats", Estimate(41_800_000, 30_000_000, 80_000_000)),
    ("mariadb-server", "empty databases", Estimate(118_200_000, 100_000_000, 190_000_000)),
)
# Packages that come from archives of their makers and stand in no Debian index: bytes on disk, very roughly.
_VENDORS: tuple[tuple[str, Estimate], ...] = (
    (r"google-chrome-.*|microsoft-edge.*|brave-browser", Estimate(360e6, 250e6, 450e6)),
    (r"google-cloud-(sdk|cli)", Estimate(700e6, 300e6, 1_100e6)),
    (r"dotnet-sdk-.*", Estimate(450e6, 250e6, 700e6)),
    (r"(dotnet|aspnetcore)-runtime-.*", Estimate(90e6, 60e6, 200e6)),
    (r"(temurin|adoptopenjdk|oracle-java|msopenjdk|zulu).*", Estimate(310e6, 180e6, 450e6)),
    (r"docker-ce|containerd\.io", Estimate(110e6, 70e6, 160e6)),
    (r"docker-ce-.*|docker-.*-plugin|gh|kubectl|terraform|vault|consul|packer", Estimate(70e6, 30e6, 250e6)),
    (r"elasticsearch|logstash|kibana|neo4j|gitlab-.*", Estimate(500e6, 150e6, 1_500e6)),
    (r"cuda.*|libcud.*|libnv.*|libnccl.*|nvidia.*|tensorrt.*|rocm.*|intel-oneapi.*", Estimate(800e6, 20e6, 6_000e6)),
    (r"mongodb.*|mysql.*|percona.*|clickhouse.*|postgresql-\d+.*", Estimate(150e6, 10e6, 500e6)),
    (r"yarn", Estimate(5.4e6, 4.5e6, 7.5e6)),
)  # fmt: skip
# Names of older releases, and what they are called in the suite that stands in for them.
_SUCCESSORS: tuple[tuple[str, str], ...] = (
    (r"python(-minimal)?|python2(-minimal)?", r"python3-minimal"),
    (r"python-software-properties", r"software-properties-common"),
    (r"python2?-(.+)", r"python3-\1"),
    (r"php[57](?:\.\d)?-mysqlnd?", r"php-mysql"),
    (r"php[57](?:\.\d)?-(.+)", r"php-\1"),
    (r"php[57](?:\.\d)?", r"php"),
    (r"libapache2-mod-php[57](?:\.\d)?", r"libapache2-mod-php"),
    (r"libpng12-(dev|0)", r"libpng-dev"),
    (r"libmysqlclient-dev", r"default-libmysqlclient-dev"),
    (r"mysql-(client|server)(?:-core)?(?:-\d.*)?", r"default-mysql-\1"),
    (r"netcat", r"netcat-openbsd"),
    (r"openjdk-\d+-(jdk|jre|jdk-headless|jre-headless)", r"default-\1"),
    (r"git-core", r"git"),
    (r"nodejs-legacy", r"nodejs"),
    (r"libtiff[45]-dev", r"libtiff-dev"),
    (r"lib32gcc1", r"lib32gcc-s1"),
    (r"libgcc1", r"libgcc-s1"),
    (r"(gcc|g\+\+|gfortran|cpp|clang|llvm)-[\d.]+", r"\1"),
    (r"(postgresql(?:-client|-contrib|-server-dev)?)-[\d.]+", r"\1"),
    (r"ttf-(.+)", r"fonts-\1"),
    (r"libreadline\d+-dev", r"libreadline-dev"),
    (r"libssl1\.\d\S*", r"libssl-dev"),
    (r"libcurl3\S*", r"libcurl4"),
    (r"ruby\d\.\d(-dev)?", r"ruby\1"),
    (r"lua5\.[12]", r"lua5.3"),
    (r"(lib(?:icu|boost\S*?|webp|jpeg|protobuf|ffi|gdal|event)-?)[\d.]+\w*(-dev)?", r"\1-dev"),
)
_UNKNOWN_PACKAGE = Estimate(6e6, 100e3, 150e6)
_UPGRADES = Estimate(0, 0, 25e6)
_UPGRADES_ELSEWHERE = Estimate(8e6, 0, 70e6)
"""What an upgrade renews: the embedded lists of Debian's images are as new as its index, others are older."""
_NODESOURCE = Estimate(191e6, 100e6, 200e6)
"""NodeSource's nodejs with npm, where its set-up script was run: 191,771 KiB installed for version 20."""


@lru_cache(maxsize=256)
def _suite(distribution: str, release: str) -> _Suite | None:
    if distribution == "debian" and (own := suite(release)) is not None:
        debconf = _DEBCONF.get(release, _DEBCONF_USUAL)
        return _Suite(own, 0.0, Estimate.within(own.list_bytes, 0.005), debconf, _STATUS_BASE)
    name, width = _STAND_INS.get((distribution, release)) or _STAND_INS.get((distribution, "")) or ("bookworm", 0.4)
    index = suite(name)
    if index is None:
        return None
    lists = _OTHER_LISTS.get(distribution, Estimate(25e6, 8e6, 60e6))
    return _Suite(index, width, lists, _DEBCONF.get(name, _DEBCONF_USUAL), _STATUS_BASE)


def start(facts: ImageFacts | None) -> PackageState:
    """Give the state of a base image; an unknown image counts as Debian bookworm of which nothing is known."""
    if facts is None:
        return PackageState("apt", "", "", known=False)
    installed = facts.packages
    known = _suite(facts.distribution, facts.release)
    if known is not None and known.width:
        # Versions of another distribution say nothing in the suite that stands in for it.
        installed = dict.fromkeys(installed, "")
    # What the image's own Dockerfile installed stands in its logs, which every later install copies.
    logged = max(0, len(installed) - _BASE_PACKAGES)
    plain = images.facts(f"{facts.distribution}:{facts.release}")
    asked = sum(questions(name) for name in installed if plain is not None and name not in plain.packages)
    return PackageState(
        "apt", facts.distribution, facts.release, installed, known=bool(installed), slim=_drops_docs(facts),
        manual=frozenset(installed), memory={"operations": logged, "questions": asked},
    )  # fmt: skip


def _drops_docs(facts: ImageFacts) -> bool:
    """Ubuntu's minimal images leave docs out as Debian's slim ones do, since 18.04 by the same dpkg filter."""
    return facts.slim or facts.distribution == "ubuntu"


def run(call: PackageCall, state: PackageState) -> PackageState:
    """Give the state after a call of apt-get, apt, aptitude, apt-mark or dpkg."""
    invocation = call.invocation
    if invocation.has("-s", "--print-uris", "-h", "--help") or invocation.has("-d") or invocation.action == "query":
        return state
    known = _suite(state.distribution, state.release)
    if known is None:
        return replace(state, notes=(*state.notes, "no package index"))
    if invocation.has("--update", "-U"):
        state = _updated(state, call)
    action = invocation.action
    if invocation.tool.family == "dpkg":
        return _dpkg(call, state)
    if invocation.tool.names[0] == "apt-mark":
        return _marked(invocation, state)
    if action == "update":
        return _updated(state, call)
    if action in ("remove", "autoremove"):
        return _removed(invocation, state, known)
    if action == "upgrade":
        full = _verb(invocation) in ("dist-upgrade", "full-upgrade")
        outcome = closure.upgrade(state.installed, known.packages, full=full, recommends=_recommends(call))
        # Known lists are of a day; the image that is really used may be older or newer.
        memory = {**state.memory, "upgrades": state.memory.get("upgrades", 0) + 1}
        return _with(replace(state, memory=memory, calls=state.calls + 1), known, outcome)
    if action == "install":
        return _installed(call, state, known)
    return state


def run_usually(call: PackageCall, state: PackageState) -> PackageState:
    """Give about the state after a call, for figures in findings: installs with the usual choices, nothing else."""
    known = _suite(state.distribution, state.release)
    if known is None or call.invocation.action != "install" or call.invocation.tool.family != "apt":
        return state
    return _installed(call, state, known, usualclosure.install)


def with_nodesource(state: PackageState) -> PackageState:
    """Give the state after NodeSource's set-up script was run: nodejs then comes from there, with npm inside."""
    return replace(state, traits=state.traits | {"nodesource"})


def without_lists(state: PackageState) -> PackageState:
    """Give the state after something else has deleted the lists (``rm -rf /var/lib/apt/lists/*``)."""
    return replace(state, traits=state.traits - {"lists"})


def _verb(invocation: Invocation) -> str:
    return (invocation.verb.value or "") if invocation.verb is not None else ""


def _words(invocation: Invocation) -> list[str]:
    return [word.value if word.value is not None else word.pattern for word in invocation.operands]


def _settings(invocation: Invocation) -> list[str]:
    """Give the settings of all ``-o`` options (and those whose value is attached)."""
    texts = [word.value or word.pattern for word in invocation.option_words]
    return [re.sub(r"^(-o|--option=?)", "", text).strip() for text in texts if "=" in text or "::" in text]


def _recommends(call: PackageCall) -> bool:
    """Tell whether recommended packages come along."""
    invocation = call.invocation
    if invocation.has("--install-recommends"):
        return True
    if invocation.has("--no-install-recommends", "-R", "--without-recommends"):
        return False
    for setting in _settings(invocation):
        name, _, value = setting.partition("=")
        if name.lower() == "apt::install-recommends":
            return value.strip("\"'").lower() not in ("0", "false", "no", "off")
    return True


def _updated(state: PackageState, call: PackageCall) -> PackageState:
    memory = dict(state.memory)
    fresh = "lists" not in state.traits
    memory["lists"] = memory.get("lists", 0) + (1 if fresh else 0)
    memory["refreshes"] = memory.get("refreshes", 0) + (0 if fresh else 1)
    return replace(state, memory=memory, traits=state.traits | {"lists"})


def _installed(
    call: PackageCall,
    state: PackageState,
    known: _Suite,
    install: Callable[..., closure.Closure] = closure.install,
) -> PackageState:
    invocation = call.invocation
    words = _words(invocation)
    if _verb(invocation) in ("build-dep", "satisfy"):
        return _unknown(state, words, "build dependencies are not in the index", Estimate(200e6, 10e6, 1_500e6))
    if (suites := invocation.options.get("-t")) and suites != state.release:
        state = replace(
            state, notes=(*state.notes, f"versions of {suites} are not known: those of {state.release} stand in")
        )
    files = [word for word in words if "/" in word and (word.endswith((".deb", "*")) or word.startswith(("/", "./")))]
    absent = [word[:-1] for word in words if word.endswith("-") and known.packages.get(word) is None]
    names = [
        name
        for word in words
        if word not in files and word not in [f"{name}-" for name in absent]
        for name in _expanded(word, known.packages)
    ]
    if known.width:
        names = [_successor(name, known.packages) for name in names]
    vendor = {"nodejs", "npm"} & set(names) if "nodesource" in state.traits else set()
    held = _present_elsewhere(state, names) | vendor
    names = [name for name in names if name not in held]
    outcome = install(names, state.installed, known.packages, recommends=_recommends(call))
    extra = {name: _vendor_size(name) for name in outcome.unknown}
    if "nodejs" in vendor and "nodejs" not in state.installed:
        extra["nodejs"] = _NODESOURCE
    for path in files:
        extra[path.rsplit("/", 1)[-1]] = _local_size(path)
    state = _with(state, known, outcome)
    if extra:
        state = _unknown(state, list(extra), "not in the suite's index", None, extra)
    if absent:
        state = _without(state, known, absent)
    return state


def _successor(name: str, index: DebIndex) -> str:
    """Give the name that a package of an older release has in the suite that stands in for it."""
    if index.get(name) is not None:
        return name
    for pattern, successor in _SUCCESSORS:
        if re.fullmatch(pattern, name):
            later = re.sub(f"^(?:{pattern})$", successor, name)
            if index.get(later) is not None:
                return later
    return name


def _present_elsewhere(state: PackageState, names: Iterable[str]) -> set[str]:
    """Name the packages from outside the index that an earlier call has installed already."""
    return {name for name in names if f"size {name}" in state.memory and name in state.installed}


def _expanded(word: str, index: DebIndex) -> list[str]:
    """Give the names a word stands for; an unknown part becomes nothing that could be looked up."""
    if any(ch in word for ch in "*?[^$") and not word.startswith(("*", "^")):
        pattern = word.split("=")[0]
        if "=" in word and not any(ch in pattern for ch in "*?[^$"):
            return [word]
        if word.endswith("^"):
            return [f"task-{word[:-1]}"]
        return index.matching(pattern)[:50] or [word]
    return [word]


def _vendor_size(name: str) -> Estimate:
    for pattern, size in _VENDORS:
        if re.fullmatch(pattern, name):
            return size
    return _UNKNOWN_PACKAGE


def _local_size(path: str) -> Estimate:
    name = path.rsplit("/", 1)[-1].removesuffix(".deb")
    for pattern, size in _VENDORS:
        if re.match(pattern, name):
            return size
    return Estimate(30e6, 200e3, 400e6)


def _unknown(
    state: PackageState, names: list[str], why: str, size: Estimate | None, sizes: Mapping[str, Estimate] | None = None
) -> PackageState:
    memory = dict(state.memory)
    installed = dict(state.installed)
    for name in names:
        estimate = (sizes or {}).get(name) or size or _UNKNOWN_PACKAGE
        memory[f"size {name}"], memory[f"low {name}"], memory[f"high {name}"] = (
            estimate.value,
            estimate.low,
            estimate.high,
        )
        installed[name] = "?"
    memory["operations"] = memory.get("operations", 0) + len(names)
    note = f"{', '.join(names)}: {why}"
    return replace(state, installed=installed, memory=memory, notes=(*state.notes, note), calls=state.calls + 1,
                   manual=state.manual | set(names))  # fmt: skip


def _with(state: PackageState, known: _Suite, outcome: closure.Closure) -> PackageState:
    """Give the state after a closure was installed."""
    manual = state.manual | set(outcome.named)
    if not outcome.marked and not outcome.removed:
        return replace(state, manual=manual)
    installed = dict(state.installed)
    for name in outcome.removed:
        installed.pop(name, None)
    for package in outcome.marked.values():
        installed[package.name] = package.version
    memory = dict(state.memory)
    memory["operations"] = memory.get("operations", 0) + len(outcome.marked) + len(outcome.removed)
    memory["downloads"] = memory.get("downloads", 0) + sum(package.deb_bytes for package in outcome.marked.values())
    if any(_asks(package) for package in outcome.marked.values()):
        memory["asking"] = memory.get("asking", 0) + 1
        asked = (questions(name) for name in outcome.marked if name not in state.installed)
        memory["questions"] = memory.get("questions", 0) + sum(asked)
    memory["libraries"] = memory.get("libraries", 0) + sum(1 for name in outcome.marked if _is_library(name))
    notes = list(state.notes)
    if outcome.unmet:
        notes.append(f"cannot be installed: {', '.join(outcome.unmet[:3])} missing")
    if outcome.other_versions:
        notes.append(f"{', '.join(outcome.other_versions)}: another version than asked for was taken")
    return replace(state, installed=installed, manual=manual, memory=memory, calls=state.calls + 1, notes=tuple(notes))


def _removed(invocation: Invocation, state: PackageState, known: _Suite) -> PackageState:
    patterns = _words(invocation)
    names = [
        name for pattern in patterns for name in ([pattern] if pattern in state.installed else _fitting(pattern, state))
    ]
    state = _without(state, known, names)
    if invocation.action == "autoremove" or invocation.has("--auto-remove", "--autoremove"):
        state = _without(state, known, closure.unneeded(state.manual, state.installed, known.packages), automatic=True)
    return state


def _fitting(pattern: str, state: PackageState) -> list[str]:
    """Names of installed packages that a glob or a regular expression of the command line fits."""
    pattern = pattern.split(":")[0]
    if not any(ch in pattern for ch in "*?[.^$+"):
        return []
    found = [name for name in state.installed if fnmatchcase(name, pattern)]
    if found:
        return found
    try:
        expression = re.compile(pattern)
    except re.error:
        return []
    return [name for name in state.installed if expression.search(name)]


def _without(state: PackageState, known: _Suite, names: Iterable[str], automatic: bool = False) -> PackageState:
    gone = tuple(names) if automatic else closure.removal(names, state.installed, known.packages)
    if not gone:
        return state
    installed = {name: version for name, version in state.installed.items() if name not in gone}
    memory = dict(state.memory)
    memory["operations"] = memory.get("operations", 0) + len(gone)
    memory["libraries"] = memory.get("libraries", 0) + (1 if any(_is_library(name) for name in gone) else 0)
    return replace(state, installed=installed, memory=memory, calls=state.calls + 1, manual=state.manual - set(gone))


def _marked(invocation: Invocation, state: PackageState) -> PackageState:
    names = _words(invocation)
    patterns = [name for name in names if any(ch in name for ch in "*?[")]
    chosen = {name for name in names if name in state.installed}
    chosen |= {name for name in state.installed if any(fnmatchcase(name, pattern) for pattern in patterns)}
    verb = _verb(invocation)
    if verb == "auto":
        return replace(state, manual=state.manual - chosen)
    if verb == "manual":
        return replace(state, manual=state.manual | chosen)
    return state


def _dpkg(call: PackageCall, state: PackageState) -> PackageState:
    invocation = call.invocation
    words = _words(invocation)
    known = _suite(state.distribution, state.release)
    if known is None:
        return state
    if invocation.has("-r", "-P"):
        return _without(state, known, [word for word in words if word in state.installed])
    if invocation.has("-i", "--unpack"):
        sizes = {word.rsplit("/", 1)[-1]: _local_size(word) for word in words}
        return _unknown(state, list(sizes), "a package file of unknown size", None, sizes)
    return state


def _asks(package: DebPackage) -> bool:
    """Tell whether a package uses debconf, which then writes its whole database a second time."""
    return any(
        relation.name in ("debconf", "debconf-2.0", "cdebconf")
        for group in package.depends + package.pre_depends
        for relation in group
    )


def _is_library(name: str) -> bool:
    return name.startswith("lib") and not re.search(r"-(dev|doc|data|common|perl|bin|java|tools?)$", name)


def parts(before: PackageState, after: PackageState) -> tuple[Part, ...]:
    """Give what a layer holds that led from one state to the other.

    The lists are a part of their own, at their path, so that a deletion in the same layer or a mount takes it away.
    """
    known = _suite(after.distribution, after.release)
    if known is None:
        return ()
    made = list(_list_parts(before, after, known))
    if _difference(before, after, "upgrades"):
        size = _UPGRADES_ELSEWHERE if known.width or not after.known else _UPGRADES
        made.append(Part("upgrades that the image lacks", size, "apt", "depends on the day the image was made"))
    if after.calls > before.calls and (_new(before, after) or _difference(before, after, "operations")):
        made += _content_parts(before, after, known)
        made += _overhead_parts(before, after, known)
    return tuple(made)


def _difference(before: PackageState, after: PackageState, key: str) -> float:
    return after.memory.get(key, 0) - before.memory.get(key, 0)


def _list_parts(before: PackageState, after: PackageState, known: _Suite) -> Iterable[Part]:
    source = f"lists of {_suite_name(after, known)}"
    if _difference(before, after, "lists"):
        yield Part("package lists", known.lists, "lists", source, LISTS, compressed=_RATIO_OF_LISTS)
    elif _difference(before, after, "refreshes"):
        yield Part("renewed package lists", Estimate(_REFRESHED_LISTS, 200e3, 1.5e6), "lists", source, LISTS,
                   compressed=_RATIO_OF_LISTS)  # fmt: skip


def _suite_name(state: PackageState, known: _Suite) -> str:
    name = f"Debian {known.packages.head['suite']}"
    asked = f"{state.distribution} {state.release}".strip()
    return name if not known.width else f"{name} in place of {asked or 'an unknown system'}"


def _new(before: PackageState, after: PackageState) -> list[str]:
    return [name for name, version in after.installed.items() if before.installed.get(name) != version]


def _content_parts(before: PackageState, after: PackageState, known: _Suite) -> list[Part]:
    new = _new(before, after)
    packages = [
        package for name in new if f"size {name}" not in after.memory and (package := known.packages.real(name))
    ]
    made: list[Part] = []
    if packages:
        release = str(known.packages.head["suite"])
        value, linear, squares, measured, info = 0.0, 0.0, [0.0, 0.0], 0, 0.0
        for package in packages:
            found = content(package.name, package.installed_bytes, after.slim, release)
            value += found.files.value
            squares[0] += (found.files.value - found.files.low) ** 2
            squares[1] += (found.files.high - found.files.value) ** 2
            # Errors of packages that were not measured go together in part: their class is a guess.
            linear += (0.004 if found.measured else 0.025) * found.files.value
            measured += found.measured
            info += found.info
        low, high = value - linear - squares[0] ** 0.5, value + linear + squares[1] ** 0.5
        if not after.known:
            # Some of the closure may be in the image already.
            low *= 0.5
        low, high = low * (1 - known.width), high * (1 + known.width)
        asked = [package.name for package in packages if package.name in after.manual - before.manual]
        label = _label(asked, len(packages))
        source = f"closure in {_suite_name(after, known)}, content of {measured} of {len(packages)} packages measured"
        debs = sum(package.deb_bytes for package in packages)
        ratio = min(1.0, _RATIO_OF_DEBS * debs / value) if value else None
        made.append(Part(label, Estimate(value, max(0.0, low), high), "apt", source, compressed=ratio))
        made.append(Part("dpkg's file lists and scripts", Estimate.within(info, 0.15 + known.width), "apt",
                         "dpkg info of the packages", "/var/lib/dpkg/info", compressed=_RATIO_OF_DATABASE))  # fmt: skip
    for name in new:
        if f"size {name}" in after.memory:
            memory = after.memory
            size = Estimate(memory[f"size {name}"], memory[f"low {name}"], memory[f"high {name}"])
            made.append(Part(name, size, "apt", "not in the suite's index: an interval only"))
    made += _generated_parts(packages, after, known)
    return made


def _label(asked: list[str], count: int) -> str:
    if not asked:
        return f"{count} package{'s' if count > 1 else ''}"
    others = count - len(asked)
    named = ", ".join(asked[:3]) + (f" and {len(asked) - 3} more" if len(asked) > 3 else "")
    return named if others <= 0 else f"{named} and {others} dependenc{'ies' if others > 1 else 'y'}"


def _generated_parts(packages: list[DebPackage], after: PackageState, known: _Suite) -> list[Part]:
    made = []
    release = str(known.packages.head["suite"])
    library, factor = _BYTE_CODE[release]
    names = {package.name for package in packages}
    for name, label, size in _GENERATED:
        if name in names:
            path = "/etc/ssl/certs" if name == "ca-certificates" else ""
            made.append(Part(label, size, "apt", "made by the package's scripts", path))
    if any(name.startswith("postgresql-") and name[11:].isdigit() for name in names):
        size = Estimate(40_000_000, 37_000_000, 44_000_000)
        made.append(Part("empty database cluster", size, "apt", "made by the package's scripts", "/var/lib/postgresql"))
    if any(name.startswith("python3.") and re.fullmatch(r"python3\.\d+-minimal", name) for name in names):
        made.append(Part("byte code of Python's library", Estimate.within(library, 0.02 + known.width), "cache",
                         "measured"))  # fmt: skip
    if "python3-minimal" in after.installed:
        modules = low = high = 0.0
        for package in packages:
            found = content(package.name, package.installed_bytes, True, release)
            if found.python is not None:
                modules, low, high = modules + found.python, low + found.python, high + found.python
            elif package.name.startswith("python3-") and not package.name.endswith(_WITHOUT_MODULES):
                # Not counted: most of such a package is modules, unless it brings compiled ones.
                size = found.files
                modules, low, high = modules + 0.75 * size.value, low + 0.2 * size.low, high + size.high
        if modules:
            size = Estimate(modules * factor, low * factor * 0.92, high * factor * 1.08)
            made.append(Part("byte code of Python packages", size, "cache", f"{factor} times the modules"))
    return made


def _overhead_parts(before: PackageState, after: PackageState, known: _Suite) -> list[Part]:
    # Questions of packages beyond the base stand in the database too, about as long as in their templates.
    database = known.debconf + 0.95 * after.memory.get("questions", 0)
    debconf = database * (2 if _difference(before, after, "asking") > 0 else 1)
    grown = max(0, len(after.installed) - _BASE_PACKAGES)
    status = known.status + _STATUS_PER_PACKAGE * grown
    logs = _LOGS + _LOGS_PER_PACKAGE * after.memory.get("operations", 0)
    made = [
        Part("debconf database", Estimate.within(debconf, 0.02 + known.width / 2), "apt",
             "written whole by every install", "/var/cache/debconf", compressed=_RATIO_OF_DATABASE),
        Part("dpkg status", Estimate.within(status, 0.1 + known.width / 2), "apt", "written whole, with its copy",
             "/var/lib/dpkg/status", compressed=_RATIO_OF_DATABASE),
        Part("logs", Estimate.within(logs, 0.4), "logs", "apt's and dpkg's", "/var/log", compressed=0.15),
    ]  # fmt: skip
    if libraries := _difference(before, after, "libraries"):
        least, each, most = _LINKER_CACHE
        size = min(most, least + each * libraries)
        made.append(Part("linker cache", Estimate(size, least, most), "apt", "ldconfig", "/etc/ld.so.cache"))
    if "keeps-archives" in after.traits and (downloads := _difference(before, after, "downloads")):
        made.append(
            Part(
                "downloaded packages",
                Estimate.within(downloads, 0.02),
                "cache",
                "sizes in the index",
                ARCHIVES,
                compressed=1.0,
            )
        )
    return made
