"""What commands of a RUN should not do: by name, by missing flags, by what they leave behind."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from dfopt.lint.hadolint.calls import Call
from dfopt.lint.hadolint.model import File, Hit, Line, Places, called, runs
from dfopt.syntax.tree import From, Run

Test = Callable[[Call], bool]

_NOT_IN_IMAGES = ("free", "kill", "mount", "ps", "service", "shutdown", "ssh", "top", "vim")
_WGET_QUIET = ("progress", "q", "quiet", "o", "output-file", "a", "append-output", "no-verbose")
_LONGEST_UID = 5


def _named(*names: str) -> Places:
    return called(lambda call: call.is_(*names))


def _lacks(names: tuple[str, ...], verbs: tuple[str, ...], *flags: str) -> Places:
    """Make a check that a command with one of the verbs has one of the flags."""
    return called(lambda call: call.is_(*names) and call.has(*verbs) and not call.has_flag(*flags))


def _apt_asks(call: Call) -> bool:
    if not call.is_("apt-get") or not call.has("install"):
        return False
    assent = call.has_flag("y", "yes", "qq", "assume-yes") or call.has("-q=2")
    return not assent and call.count("q") != 2 and call.count("quiet") != 2


def _apt_recommends(call: Call) -> bool:
    if not call.is_("apt-get") or not call.has("install"):
        return False
    return not call.has_flag("no-install-recommends") and not call.has("APT::Install-Recommends=false")


def _large_uid(call: Call) -> bool:
    if not call.is_("useradd") or call.has_flag("l", "no-log-init"):
        return False
    return any(len(value) > _LONGEST_UID for value in call.values("u"))


def _wget_shows_progress(call: Call) -> bool:
    return call.is_("wget") and not call.has_flag(*_WGET_QUIET) and not call.has("-nv")


def _matters(file: File) -> Iterator[Line]:
    """Give the RUNs of stages that are the last one in all but their place, or that another is built on."""
    used = {line.image.full_name for line in file.froms}
    last = _base(file.froms[-1]) if file.froms else None
    for start, lines in file.stages():
        if start is None and last is not None:
            continue
        if start is None or _base(start) == last or start.alias in used:
            yield from (line for line in lines if isinstance(line.instruction, Run))


def _base(line: Line) -> tuple[object, ...]:
    instruction = line.instruction
    assert isinstance(instruction, From)
    return (line.image, line.alias, instruction.platform)


def _apt_lists(file: File) -> Iterator[Hit]:
    for line in _matters(file):
        updates = any(call.is_("apt-get", "apt", "aptitude") and call.has("update") for call in line.calls)
        if not updates or any(call.is_("rm") and call.has("-rf", "/var/lib/apt/lists/*") for call in line.calls):
            continue
        if not line.keeps("/var/lib/apt/lists") and not (line.keeps("/var/lib/apt") and line.keeps("/var/cache/apt")):
            yield Hit(line)


def _yarn_cache(file: File) -> Iterator[Hit]:
    install: Test = lambda call: call.is_("yarn") and call.has("install")  # noqa: E731  # a table of two
    clean: Test = lambda call: call.is_("yarn") and call.has("cache", "clean")  # noqa: E731  # as above
    for line in _matters(file):
        installed, cleaned = _first(line, install), _first(line, clean)
        if installed is None:
            continue
        if (cleaned is None and not line.keeps(".cache/yarn")) or (cleaned is not None and cleaned < installed):
            yield Hit(line)


def _first(line: Line, test: Test) -> int | None:
    return next((index for index, call in enumerate(line.calls) if test(call)), None)


def _leaves(
    name: str, verbs: tuple[str, ...], cleaning: tuple[str, ...], removed: str | None = None, kept: tuple[str, ...] = ()
) -> Callable[[Line], bool]:
    """Make a check that the first cleaning of a cache stands behind the first install.

    ``removed`` is the path that ``rm`` may take away instead; ``kept`` are folders whose mount takes the cache in.
    """

    def test(line: Line) -> bool:
        installed = _first(line, lambda call: call.is_(name) and call.has(*verbs))
        if installed is None or any(map(line.keeps, kept)):
            return False
        cleaned = _first(
            line,
            lambda call: (
                (call.is_(name) and call.has(*cleaning))
                or (removed is not None and call.is_("rm") and call.has("-rf", removed))
            ),
        )
        return cleaned is None or cleaned <= installed

    return test


_DNF_VERBS = ("install", "in", "upgrade", "up", "upgrade-minimal", "up-min", "reinstall", "rei")
_DNF_KEPT = ("/var/cache/libdnf5", ".cache/libdnf5")
_DNF = [_leaves(name, _DNF_VERBS, ("clean", "all"), "/var/cache/libdnf5*", _DNF_KEPT) for name in ("dnf", "microdnf")]


def _apk_cache(line: Line) -> bool:
    if line.keeps("/var/cache/apk"):
        return False
    return any(call.is_("apk") and call.has("add") and not call.has_flag("no-cache") for call in line.calls)


def _two_downloaders(file: File) -> Iterator[Hit]:
    seen: set[str] = set()
    for line in file.lines:
        if isinstance(line.instruction, From):
            seen.clear()
        elif isinstance(line.instruction, Run):
            used = {call.name for call in line.calls} & {"curl", "wget"}
            seen |= used
            if used and len(seen) == 2:
                yield Hit(line)


_INSTALLS = ("install", "groupinstall", "localinstall")

COMMANDS: dict[str, Places] = {
    "DL3001": _named(*_NOT_IN_IMAGES),
    "DL3003": _named("cd"),
    "DL3004": _named("sudo"),
    "DL3009": _apt_lists,
    "DL3014": called(_apt_asks),
    "DL3015": called(_apt_recommends),
    "DL3019": runs(_apk_cache),
    "DL3027": _named("apt"),
    "DL3030": _lacks(("yum",), _INSTALLS, "y", "assumeyes"),
    "DL3032": runs(_leaves("yum", ("install",), ("clean", "all"), "/var/cache/yum/*")),
    "DL3034": _lacks(
        ("zypper",), ("install", "in", "remove", "rm", "source-install", "si", "patch"),
        "non-interactive", "n", "no-confirm", "y",
    ),
    "DL3035": called(lambda call: call.is_("zypper") and call.has("dist-upgrade", "dup")),
    "DL3036": runs(_leaves("zypper", ("install", "in"), ("clean", "cc"), kept=("/var/cache/zypp",))),
    "DL3038": _lacks(("dnf", "microdnf"), _INSTALLS, "y", "assumeyes"),
    "DL3040": runs(lambda line: any(test(line) for test in _DNF)),
    "DL3046": called(_large_uid),
    "DL3047": called(_wget_shows_progress),
    "DL3060": _yarn_cache,
    "DL4001": _two_downloaders,
    "DL4005": called(lambda call: call.is_("ln") and call.has("/bin/sh")),
}  # fmt: skip
"""The checks by their codes."""
