"""dnf, yum, microdnf and zypper: what a layer holds that installs RPM packages; estimates by name, with wide
intervals.
"""

from __future__ import annotations

import re

from msgspec.structs import replace

from dfopt.images.model import ImageFacts
from dfopt.predict.model import Estimate, PackageCall, PackageState, Part
from dfopt.predict.usual import Known, content, megabytes

# Metadata that a call leaves in its cache unless it is cleaned, by distribution; and where.
_CACHES = {
    "fedora": megabytes(190, 90, 320), "centos": megabytes(150, 60, 320), "rhel": megabytes(45, 15, 150),
    "almalinux": megabytes(90, 35, 180), "rocky": megabytes(90, 35, 180), "ol": megabytes(130, 50, 300),
    "amzn": megabytes(90, 30, 260), "opensuse": megabytes(60, 20, 120),
}  # fmt: skip
_CACHE_USUAL = megabytes(100, 20, 300)
_CACHE_PATHS = {"yum": "/var/cache/yum", "zypper": "/var/cache/zypp"}
_DATABASE = megabytes(14, 4, 32)
"""The RPM database is one file (or a few) and is copied whole, with the history database beside it."""
_LOGS = megabytes(0.25, 0.03, 1.5)

_TABLE: tuple[Known, ...] = (
    Known("gcc", megabytes(135, 80, 210), "gcc"),
    Known("gcc-c\\+\\+", megabytes(165, 100, 250), "gcc"),
    Known("@?(\"?development.tools\"?|group:development-tools)", megabytes(480, 250, 800), "gcc"),
    Known("make|patch|which|findutils|procps-ng|less|tar|gzip|bzip2|xz|unzip|zip|file|hostname|sudo|jq|tree|nc|nmap-ncat|bc|vim-minimal",
          megabytes(1.2, 0.1, 8)),
    Known("git(-core)?", megabytes(60, 25, 120)),
    Known("curl|wget|openssl|ca-certificates", megabytes(3, 0.3, 12)),
    Known("openssh(-clients|-server)?", megabytes(4, 1, 10)),
    Known("python3\\d*", megabytes(45, 15, 80), "python"),
    Known("python3\\d*-(pip|devel)|python-pip", megabytes(60, 20, 110), "python"),
    Known("python(-devel|2)?", megabytes(40, 1, 60), "python2"),
    Known("nodejs|npm", megabytes(95, 50, 180), "node"),
    Known("java-.*-openjdk(-devel)?|java-latest.*|java-.*-amazon-corretto.*", megabytes(330, 150, 520), "java"),
    Known("java-.*-headless", megabytes(190, 110, 300), "java"),
    Known("maven|ant", megabytes(220, 30, 420), "java"),
    Known("golang", megabytes(320, 200, 650), "go"),
    Known("php(-cli|-fpm)?", megabytes(30, 12, 60), "php"),
    Known("httpd|nginx", megabytes(15, 3, 55)),
    Known("ruby(-devel)?", megabytes(35, 12, 70), "ruby"),
    Known("perl", megabytes(60, 30, 150), "perl"),
    Known("cmake\\d*", megabytes(55, 25, 90)),
    Known("mariadb(-server)?|mysql(-server)?|mysql-community-server", megabytes(180, 50, 500)),
    Known("postgresql\\d*(-server)?", megabytes(35, 8, 90)),
    Known("epel-release|.*-release", megabytes(0.04, 0.01, 0.3)),
    Known("glibc-(langpack|locale).*|langpacks-.*", megabytes(5, 0.5, 220)),
    Known("vim(-enhanced)?", megabytes(60, 25, 85)),
    Known("tzdata", megabytes(2, 1, 8)),
    Known("supervisor", megabytes(20, 3, 60)),
    Known("yum-utils|dnf-plugins-core|shadow-utils|util-linux|systemd|passwd|iproute|net-tools", megabytes(4, 0.3, 30)),
)  # fmt: skip


def start(facts: ImageFacts | None) -> PackageState:
    """Give the state of a base image."""
    if facts is None:
        return PackageState("rpm", "", known=False)
    return PackageState("rpm", facts.distribution, facts.release, facts.packages, known=bool(facts.packages))


def run(call: PackageCall, state: PackageState) -> PackageState:
    """Give the state after a call of dnf, yum, microdnf, zypper or rpm."""
    invocation = call.invocation
    action = invocation.action
    if action in ("query", "clean", "fetch", "configure", "other", "edit") or invocation.has(
        "--downloadonly", "--assumeno"
    ):
        return state
    name = (invocation.command.name or invocation.tool.names[0]).removeprefix("micro")
    memory = dict(state.memory)
    if name != "rpm" and f"cache {name}" not in memory and not invocation.has("-C"):
        memory[f"cache {name}"] = 1.0
    installed = dict(state.installed)
    if action == "install":
        for word in invocation.operands:
            text = word.value if word.value is not None else word.pattern
            if not text:
                continue
            plain = re.sub(r"-\d[\w.~^+:-]*$|\.(x86_64|noarch|rpm)$", "", text.rsplit("/", 1)[-1]) or text
            installed.setdefault(plain, "?")
    elif action in ("remove", "autoremove"):
        for word in invocation.operands:
            installed.pop(word.value or "", None)
    elif action == "upgrade":
        memory["upgrades"] = memory.get("upgrades", 0) + 1
    if action != "update":
        memory["docs"] = memory.get("docs", 0) + (0 if _without_docs(call) else 1)
        return replace(state, installed=installed, memory=memory, calls=state.calls + 1)
    return replace(state, memory=memory)


def _without_docs(call: PackageCall) -> bool:
    invocation = call.invocation
    settings = invocation.options.get("--setopt") or ""
    return invocation.has("--nodocs", "--no-docs") or "nodocs" in settings


def parts(before: PackageState, after: PackageState) -> tuple[Part, ...]:
    """Give what a layer holds that led from one state to the other; the cache is a part of its own, at its path."""
    made: list[Part] = []
    for key in after.memory:
        if key.startswith("cache ") and key not in before.memory:
            name = key.removeprefix("cache ")
            path = _CACHE_PATHS.get(name, "/var/cache/dnf")
            size = _CACHES.get(after.distribution, _CACHE_USUAL)
            made.append(
                Part(
                    "package metadata", size, "lists", "usual size of the distribution's metadata", path, compressed=0.6
                )
            )
    if after.calls == before.calls:
        return tuple(made)
    new = [name for name in after.installed if name not in before.installed]
    made += content(new, _TABLE, "rpm", before.installed)
    if upgrades := after.memory.get("upgrades", 0) - before.memory.get("upgrades", 0):
        made.append(
            Part(
                "upgraded packages", Estimate(60e6 * upgrades, 0, 260e6 * upgrades), "rpm", "depends on the image's age"
            )
        )
    made.append(
        Part("RPM database", _DATABASE, "rpm", "written whole by every change", "/var/lib/rpm", compressed=0.25)
    )
    made.append(Part("logs and history", _LOGS, "logs", "the manager's own", "/var/log", compressed=0.15))
    return tuple(made)
