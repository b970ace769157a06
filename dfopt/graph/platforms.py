"""Platforms as builds name them: ``os``, ``arch``, ``os/arch`` and ``os/arch/variant``."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

_OS = re.compile(r"([A-Za-z0-9_-]+)(?:\(([A-Za-z0-9_.-]*)\))?", re.ASCII)
_PART = re.compile(r"[A-Za-z0-9_.-]+", re.ASCII)
_SYSTEM_NAMES = """
aix android darwin dragonfly freebsd hurd illumos ios js linux nacl netbsd openbsd plan9 solaris wasip1 windows zos
"""
_ARCHITECTURE_NAMES = """
386 amd64 amd64p32 arm armbe arm64 arm64be ppc64 ppc64le loong64 mips mipsle mips64 mips64le mips64p32 mips64p32le ppc
riscv riscv64 s390 s390x sparc sparc64 wasm
"""
_SYSTEMS = frozenset(_SYSTEM_NAMES.split())
_ARCHITECTURES = frozenset(_ARCHITECTURE_NAMES.split())
_ALIASES = {
    "i386": ("386", ""), "x86_64": ("amd64", None), "x86-64": ("amd64", None), "aarch64": ("arm64", None),
    "armhf": ("arm", "v7"), "armel": ("arm", "v6"),
}  # fmt: skip


class Platform(NamedTuple):
    """A platform in its normal form; ``variant`` and ``version`` are mostly empty."""

    os: str
    architecture: str
    variant: str = ""
    version: str = ""

    def __str__(self) -> str:
        system = f"{self.os}({self.version})" if self.version else self.os
        return "/".join(filter(None, (system, self.architecture, self.variant)))


@lru_cache(64)
def parse_platform(text: str) -> Platform:
    """Read a platform. Raises ValueError with the reason where it is none.

    A single word must be a known operating system (with amd64) or a known architecture (with Linux); pairs may name
    anything.
    """
    parts = text.split("/", 3)
    system = _OS.fullmatch(parts[0])
    if system is None or not all(_PART.fullmatch(part) for part in parts[1:]):
        raise ValueError("only letters, digits, _, . and - may stand in it")
    if len(parts) == 4:
        raise ValueError("it has more than three parts")
    name, version = system[1].lower(), system[2] or ""
    name = {"macos": "darwin"}.get(name, name)
    if len(parts) == 1:
        if name in _SYSTEMS:
            return Platform(name, "amd64", "", version)
        architecture, variant = _architecture(parts[0], "")
        if architecture not in _ARCHITECTURES:
            raise ValueError("it is neither an operating system nor an architecture that is known")
        return Platform("linux", architecture, "" if (architecture, variant) == ("arm", "v7") else variant)
    architecture, variant = _architecture(parts[1], parts[2] if len(parts) == 3 else "")
    if len(parts) == 2 and (architecture, variant) == ("arm", "v7"):
        variant = ""
    if len(parts) == 3 and architecture == "arm64" and not variant:
        variant = "v8"
    return Platform(name, architecture, variant, version)


def _architecture(architecture: str, variant: str) -> tuple[str, str]:
    architecture, variant = architecture.lower(), variant.lower()
    alias, fixed = _ALIASES.get(architecture, (architecture, None))
    variant = variant if fixed is None else fixed
    if (alias == "amd64" and variant == "v1") or (alias == "arm64" and variant in ("8", "v8")):
        variant = ""
    elif alias == "arm":
        variant = {"": "v7", "7": "v7", "5": "v5", "6": "v6", "8": "v8"}.get(variant, variant)
    return alias, variant


@lru_cache(16)
def platform_arguments(target: str, stage: str, build: str = "linux/amd64") -> tuple[tuple[str, str], ...]:
    """Give the automatic variables of a build for a platform, in BuildKit's order."""
    values = []
    for prefix, platform in (("BUILD", parse_platform(build)), ("TARGET", parse_platform(target))):
        values += [
            (f"{prefix}PLATFORM", str(platform)),
            (f"{prefix}OS", platform.os),
            (f"{prefix}OSVERSION", platform.version),
            (f"{prefix}ARCH", platform.architecture),
            (f"{prefix}VARIANT", platform.variant),
        ]
    return (*values, ("TARGETSTAGE", stage or "default"))
