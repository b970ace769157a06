"""What an image needs when its build tools stay behind: which files, packages and base the stage that ships gets."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Sequence

from msgspec import Struct

from dfopt.graph.model import Stage, Step
from dfopt.rewrite.model import PassInput
from dfopt.rewrite.places import FOLDERS, is_absent_in_base
from dfopt.rewrite.script import setting_of
from dfopt.shell.model import Command
from dfopt.syntax.tree import Add, Cmd, Entrypoint, FileInstruction, Run
from dfopt.tools import Invocation, effects, recognise

FETCH = frozenset(
    """
    curl wget ca-certificates unzip zip xz-utils xz bzip2 gzip tar zstd p7zip-full git openssh-client gnupg gnupg2
    gpg dirmngr apt-transport-https lsb-release software-properties-common
    """.split()  # noqa: SIM905 - a table of names is easier to read as text
)
"""Packages that fetch and unpack."""
BUILD = FETCH | frozenset(
    """
    build-essential gcc g++ cpp clang llvm lld make cmake ninja-build ninja meson autoconf automake libtool m4
    pkg-config pkgconf bison flex gettext patch diffutils file musl-dev linux-headers build-base binutils alpine-sdk
    gfortran golang golang-go rustc cargo maven nasm yasm texinfo help2man ccache libc-dev
    """.split()  # noqa: SIM905 - a table of names is easier to read as text
)
"""Packages that compile."""
_PASSING = (
    "/tmp/",
    "/var/tmp/",
    "/var/cache/",
    "/var/lib/apt/",
    "/var/lib/dpkg/",
    "/var/log/",
    "/root/",
    "/run/",
    "/dev/",
)
_SOURCES = ("/etc/apt", "/etc/apk", "/etc/yum")
_REPOSITORIES = frozenset(("add-apt-repository", "apt-add-repository", "apt-key", "rpm", "yum-config-manager", "dpkg"))
"""Commands that set up where packages come from."""
_TAKEN = ("/usr/local", "/opt", "/srv")
_NEUTRAL = frozenset(("cd", "export", "rm", "mkdir", "true", ":", "echo", "strip", "test", "ls", "set", "ln", "chmod"))
"""Commands that matter to nothing but what is built beside them."""
_LOCAL = ("/usr/local/bin", "/usr/local/lib", "/usr/local/sbin", "/usr/local/share", "/usr/local")


_COMPILERS = frozenset(("make", "cmake", "ninja", "gcc", "g++", "cc", "clang"))


class Recipe(Struct, frozen=True):
    """How a stage is split.

    ``copies`` are the paths the image that ships takes from the build stage, ``moves`` those that it takes to
    another place, ``packages`` what it has to install, ``base`` its base where that is not the same, ``kept``
    further instructions it repeats. ``end`` is the index of the last instruction of the build stage (None: the last
    that changes files). ``lines`` and ``build_lines`` (in front of an instruction) are new ones; ``metadata`` names
    the parts of the configuration that change.
    """

    reason: str
    copies: tuple[str, ...]
    packages: tuple[str, ...] = ()
    base: str | None = None
    kept: tuple[Step, ...] = ()
    lines: tuple[str, ...] = ()
    build_lines: tuple[tuple[int, str], ...] = ()
    metadata: tuple[str, ...] = ()
    moves: tuple[tuple[str, str], ...] = ()
    end: int | None = None


Finder = Callable[[PassInput, Stage], "Recipe | str | None"]
"""Looks at a stage and gives a recipe, the reason why there is none, or None where the stage is not of its kind."""


def unpacked(given: PassInput, stage: Stage) -> Recipe | str | None:
    """Ship what was downloaded and unpacked without the tools that did it."""
    packages = installed(stage)
    if not packages:
        return None
    left = sorted(set(packages) - FETCH)
    if left:
        return None
    if not any(
        call.action in ("unpack", "fetch") and call.family != "apt" for step in stage.steps for call in step.invocations
    ) and not any(isinstance(step.instruction, Add) for step in stage.steps):
        return None
    program = started(stage)
    if not program or program in packages:
        return "the image is for the tools it installs"
    paths: list[str] = []
    for step in stage.steps:
        found = _written(stage, step, given)
        if isinstance(found, str):
            return found
        paths += found
    roots = _roots(paths)
    if not roots:
        return "nothing is left that the image could take over"
    if program.startswith("/") and not any(program == root or program.startswith(root + "/") for root in roots):
        return f"{program} is not among what the stage makes"
    return Recipe(f"nothing that ships uses what only fetches and unpacks: {_names(packages)}", tuple(roots))


def compiled(given: PassInput, stage: Stage) -> Recipe | str | None:
    """Ship what a C or C++ build made with the libraries it loads, without compilers, headers and sources."""
    packages = installed(stage)
    tools = [name for name in packages if name in BUILD - FETCH or name.endswith("-dev")]
    builds = [
        call
        for step in stage.steps
        for call in step.invocations
        if call.tool.names[0] in _COMPILERS or call.family in _COMPILERS
    ]
    if not tools or not builds:
        return None
    program = started(stage)
    if not program:
        return "it is not known what the image starts"
    copies: list[str] = []
    for step, command in commands_of(stage):
        found = _installed_by(step, command)
        if isinstance(found, str):
            return found
        copies += found
    if program.startswith("/") and not any(program == path or program.startswith(path + "/") for path in copies):
        if any(
            isinstance(step.instruction, FileInstruction) and program in step.effects.writes for step in stage.steps
        ):
            return f"{program} is copied, not built"
        if program.endswith((".sh", ".py", ".pl")):
            return f"{program} is a script, which may use anything"
        copies.append(program)
    if not program.startswith("/") and not any(path.startswith("/usr/local") for path in copies):
        return f"it is not known where {program} lies"
    if any(path not in _TAKEN and not _is_own(path, stage, given) for path in copies):
        return "the build installs into system folders"
    runtime = runtime_packages(stage, packages)
    if isinstance(runtime, str):
        return runtime
    roots = _covering(copies)
    return Recipe(
        f"nothing that ships uses what only builds: {_names(tools)}", tuple(roots), runtime
    )  # fmt: skip


def _installed_by(step: Step, command: Command) -> list[str] | str:
    """Give the paths that a command of a build installs, or why it cannot be left in the build stage."""
    values, name = command.values, command.name
    if name in ("make", "ninja", "cmake") and ("install" in values or "--install" in values):
        if any("DESTDIR" in value for value in values):
            return "the build installs under a prefix of its own"
        prefix = next((value.split("=", 1)[1] for value in values if value.lower().startswith("prefix=")), "/usr/local")
        return [prefix.rstrip("/")]
    if any("CMAKE_INSTALL_PREFIX" in value or value.startswith("--prefix") for value in values):
        return "the build installs under a prefix of its own"
    if name in ("gcc", "g++", "cc", "c++", "clang", "clang++"):
        if "-o" not in values[:-1]:
            return []
        return [posixpath.normpath(posixpath.join(command.directory or "/", values[values.index("-o") + 1]))]
    if name in ("cp", "install", "mv"):
        return [values[-1].rstrip("/")] if values and values[-1].startswith("/") else []
    invocation = recognise(command)
    if name in _NEUTRAL and not any(">" in redirect.operator for redirect in command.redirects):
        return []
    if invocation is None:
        return [] if name == "configure" else f"it is not known what {name} is for"
    if _is_system(invocation) or invocation.tool.kind in ("build", "fetch", "archive", "vcs"):
        return []
    return f"what {name} does may matter when the image runs"


def plain_installs(stage: Stage) -> bool:
    """Tell whether packages come from the base's own sources, so that another stage can install them alike."""
    for step in stage.steps:
        if isinstance(step.instruction, FileInstruction) and step.destination.startswith(_SOURCES):
            return False
    for step, command in commands_of(stage):
        call = recognise(command)
        if call is not None and _is_system(call):
            if call.has("-t"):
                return False
            continue
        if command.name in _REPOSITORIES:
            return False
        if any(path.startswith(_SOURCES) for path in effects(command, setting_of(step)).writes):
            return False
    return True


def _is_own(path: str, stage: Stage, given: PassInput) -> bool:
    return path.startswith("/usr/local/") or is_absent_in_base(path, stage, given.graph)


def installed(stage: Stage) -> list[str]:
    """Give the names of the system packages a stage installs."""
    names: list[str] = []
    for step in stage.steps:
        for call in step.invocations:
            if call.action == "install" and call.family in ("apt", "apk", "dnf", "zypper"):
                for word in call.operands:
                    text = word.value or word.pattern
                    if not text.startswith((".", "/", "-")):
                        names.append(re.split(r"[=<>~:/]", text)[0])
    return names


def started(stage: Stage) -> str:
    """Give the program that the image starts, absolute where it is given by a path; "" where it is not known."""
    words: list[str] = []
    for step in stage.steps:
        instruction = step.instruction
        if isinstance(instruction, (Cmd, Entrypoint)):
            if instruction.exec_form:
                found = [word.text for word in instruction.exec_form]
            elif step.commands:
                found = [step.commands[0].words[0].value or ""] if step.commands[0].words else []
            else:
                found = []
            if isinstance(instruction, Entrypoint) or not words:
                words = found
    if not words or not words[0]:
        return ""
    if "/" in words[0]:
        return posixpath.normpath(posixpath.join(stage.end.workdir, words[0]))
    return words[0]


def runtime_packages(stage: Stage, packages: Sequence[str]) -> tuple[str, ...] | str:
    """Give the packages a built program needs: what is no build tool, and the libraries behind ``-dev`` packages."""
    kept = [name for name in packages if name not in BUILD and not name.endswith(("-dev", "-devel"))]
    headers = [name for name in packages if name.endswith("-dev") and name not in BUILD]
    if any(name.endswith("-devel") for name in packages):
        return "the run-time packages behind -devel packages are not known"
    if (kept or headers) and not plain_installs(stage):
        return "packages come from sources that the stage sets up"
    if (kept or headers) and (stage.facts is None or stage.facts.package_manager not in ("apt", "apk")):
        return "it is not known how the image installs packages"
    if not headers:
        return tuple(dict.fromkeys(kept))
    facts = stage.facts
    from dfopt.predict.debindex import suite

    index = suite(facts.release) if facts is not None and facts.distribution == "debian" else None
    if index is None:
        return f"the run-time libraries of {_names(headers)} are not known"
    for name in headers:
        package = index.real(name)
        if package is None:
            return f"{name} is not in the package index"
        for group in package.depends:
            wanted = group[0].name
            library = re.match(r"lib.*\d", wanted) or wanted.endswith("1g")
            if library and not wanted.endswith("-dev") and wanted not in (facts.packages if facts else {}):
                kept.append(wanted)
    return tuple(dict.fromkeys(kept))


def _written(stage: Stage, step: Step, given: PassInput) -> list[str] | str:
    """Give the paths that a step leaves for the image, or why that is not known."""
    instruction = step.instruction
    if isinstance(instruction, FileInstruction):
        path = posixpath.normpath(step.destination)
        if step.destination.endswith("/") and path in FOLDERS and path not in ("/opt", "/srv"):
            return [f"{path}/{posixpath.basename(source.rstrip('/'))}" for source in step.sources]
        return [path]
    if not isinstance(instruction, Run):
        return []
    paths: list[str] = []
    for command in step.commands:
        invocation = recognise(command)
        if invocation is not None and _is_system(invocation):
            continue
        done = effects(command, setting_of(step))
        if done.wall:
            return done.reason or "an instruction does unknown things"
        if done.users:
            return "the stage adds users"
        for path in sorted(done.writes - done.caches):
            if path.startswith(_PASSING) or path == "/tmp":
                continue
            if (
                not is_absent_in_base(path, stage, given.graph)
                and path.rstrip("/") not in ("/opt", "/srv", *_LOCAL)
                and not path.startswith("/usr/local/")
            ):
                return f"{path} belongs to the system"
            if "*" in path:
                return "it is not known what the stage writes"
            paths.append(path.rstrip("/"))
    return paths


def _is_system(invocation: Invocation) -> bool:
    return invocation.tool.kind == "package-manager" and invocation.family in ("apt", "apk", "dnf", "zypper")


def _roots(paths: Sequence[str]) -> list[str]:
    roots = set()
    for path in paths:
        if path.startswith("/usr/local"):
            roots.add(path)
            continue
        parts = path.strip("/").split("/")
        top = "/" + parts[0]
        roots.add(top if top not in FOLDERS or top in ("/opt", "/srv") else path)
    return _covering(sorted(roots))


def _covering(paths: Sequence[str]) -> list[str]:
    kept: list[str] = []
    for path in sorted(set(paths)):
        if not any(path == other or path.startswith(other + "/") for other in kept):
            kept.append(path)
    return kept


def _names(names: Sequence[str]) -> str:
    unique = list(dict.fromkeys(names))
    return ", ".join(unique[:3]) + (f" and {len(unique) - 3} more" if len(unique) > 3 else "")


def commands_of(stage: Stage) -> list[tuple[Step, Command]]:
    """Give the commands of a stage's RUNs in order."""
    return [(step, command) for step in stage.steps if isinstance(step.instruction, Run) for command in step.commands]


FINDERS: tuple[Finder, ...] = (unpacked, compiled)
"""All recipes, in the order in which they are tried."""
