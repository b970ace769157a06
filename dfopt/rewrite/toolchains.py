"""Recipes for languages: what is left to ship once Go, Maven, a front-end build or pip have done their work."""

from __future__ import annotations

import posixpath
import re

from dfopt.graph.model import Stage, Step
from dfopt.images.names import canonical
from dfopt.rewrite.model import PassInput
from dfopt.rewrite.recipes import BUILD, Finder, Recipe, commands_of, installed, runtime_packages, started
from dfopt.syntax.tree import Cmd, Entrypoint, FileInstruction, Run, User, Workdir
from dfopt.tools import recognise

_ASSETS = (
    "assets",
    "config",
    "configs",
    "i18n",
    "locales",
    "migrations",
    "public",
    "static",
    "templates",
    "views",
    "web",
)
_JAVA = re.compile(r"(?:temurin|openjdk|jdk|corretto|ibmjava|sapmachine)-?(\d+)|^(\d+)-jdk")
_GO_PACKAGE = re.compile(r"golang(?:-go|-[\d.]+(?:-go)?)?")
"""Debian's packages of the Go tool."""
_BESIDE = frozenset(("go", "cd", "export", "rm", "mkdir", "true", "echo", "set", "test", "ls"))
"""Commands beside a Go build that the program does not depend on."""
_SERVERS = frozenset(("serve", "http-server"))


def go_program(given: PassInput, stage: Stage) -> Recipe | str | None:
    """Ship a Go program on a small base of the same system instead of the whole toolchain."""
    tag = _tag(stage, "golang")
    packaged = any(_GO_PACKAGE.fullmatch(name) for name in installed(stage))
    if tag is None and not packaged:
        return None
    builds = [
        (step, command)
        for step, command in commands_of(stage)
        if command.name == "go" and command.has("build", "install")
    ]
    if not builds:
        return None
    program = started(stage)
    if not program or program == "go":
        return "the image starts the Go tool itself"
    if any(
        call.tool.kind == "package-manager" and call.action == "install" and call.family != "go"
        for call in _calls(stage)
    ):
        packages = [name for name in installed(stage) if name not in BUILD and not name.endswith("-dev")]
        packages = [name for name in packages if name != "ca-certificates" and not _GO_PACKAGE.fullmatch(name)]
        if packages:
            return f"the program may need {packages[0]}"
    for _, command in commands_of(stage):
        call = recognise(command)
        known = command.name in _BESIDE or (call is not None and call.tool.kind in ("package-manager", "build"))
        if not known or any(">" in redirect.operator for redirect in command.redirects):
            return f"what {command.name} does may matter when the image runs"
    moves: list[tuple[str, str]] = []
    if program.endswith(".sh"):
        return f"{program} is a script, which may use anything"
    if program.startswith("/"):
        copies = [program]
    elif any(command.has("install") for _, command in builds):
        copies, moves = [], [(f"/go/bin/{program}", f"/usr/local/bin/{program}")]
    else:
        return f"it is not known where {program} lies"
    copies += _assets(given, stage)
    base = _system_of(stage, tag) if tag is not None else None
    if base is None and tag is not None:
        return f"the system of {stage.image} is not known"
    return Recipe(
        "a Go program needs neither compiler nor sources to run",
        tuple(copies),
        ("ca-certificates",),
        base=base,
        moves=tuple(moves),
        lines=_workdir(stage),
        metadata=("environment",) if tag is not None else (),
    )


def java_archive(given: PassInput, stage: Stage) -> Recipe | str | None:
    """Ship the archive that Maven or Gradle made on a run-time image instead of the development kit."""
    name = canonical(stage.image or "")
    repository = name.image.rsplit("/", 1)[-1] if name else ""
    if repository not in ("maven", "gradle", "eclipse-temurin", "openjdk") or name is None:
        return None
    builds = [call for call in _calls(stage) if call.family in ("maven", "gradle") and call.action == "build"]
    if not builds:
        return None
    match = _JAVA.search(name.tag or "")
    version = (match.group(1) or match.group(2)) if match else None
    if repository in ("eclipse-temurin", "openjdk") and version is None:
        plain = re.match(r"(\d+)", name.tag or "")
        version = plain.group(1) if plain else None
    if version is None:
        return f"the Java version of {stage.image} is not known"
    if installed(stage):
        return "the stage installs packages of the system, which the program may need"
    archive = _started_archive(stage)
    if not archive:
        return "it is not known which archive the image starts"
    alpine = "-alpine" if "alpine" in (name.tag or "") else ""
    full = posixpath.normpath(posixpath.join(stage.end.workdir, archive))
    target = posixpath.dirname(full) + "/" if "*" in full else full
    return Recipe(
        "the archive needs a Java run-time, not the development kit, the build tool and its repository",
        (),
        base=f"eclipse-temurin:{version}-jre{alpine}",
        moves=((full, target),),
        lines=_workdir(stage),
        metadata=("environment",),
    )


def static_site(given: PassInput, stage: Stage) -> Recipe | str | None:
    """Ship the files of a front end and their server instead of all that built them."""
    if _tag(stage, "node") is None:
        return None
    scripts = [
        command for _, command in commands_of(stage) if command.name in ("npm", "yarn", "pnpm") and command.has("build")
    ]
    words = _started_words(stage)
    at = next((i for i, word in enumerate(words) if word in _SERVERS), None)
    if not scripts or at is None:
        return None
    if any(word in ("install", "add") for word in words):
        return "the image installs when it starts"
    folder = next((word for word in words[at + 1 :] if not word.startswith("-") and not word.isdigit()), "")
    if not folder:
        return "it is not known which folder is served"
    full = posixpath.normpath(posixpath.join(stage.end.workdir, folder))
    kept = [
        step
        for step in stage.steps
        if isinstance(step.instruction, Run) and any(call.has("-g", "--global") for call in step.invocations)
    ]
    if any(
        len(step.commands) != len([call for call in step.invocations if call.has("-g", "--global")]) for step in kept
    ):
        return "the server is installed together with other things"
    if not kept and words[0] != "npx":
        return f"it is not known where {words[at]} comes from"
    return Recipe(
        "a built front end is served without its sources, its packages and its build tools", (full,), kept=tuple(kept)
    )


def virtual_environment(given: PassInput, stage: Stage) -> Recipe | str | None:
    """Ship what pip installed in a virtual environment instead of the compilers that it needed."""
    if _tag(stage, "python") is None:
        return None
    packages = installed(stage)
    tools = [name for name in packages if name in BUILD or name.endswith("-dev")]
    pips = [
        step
        for step in stage.steps
        if any(call.family == "pip" and call.action == "install" for call in step.invocations)
    ]
    if not tools or not pips:
        return None
    system = [
        step
        for step in stage.steps
        if any(call.tool.kind == "package-manager" and call.family in ("apt", "apk") for call in step.invocations)
    ]
    if any(step in pips for step in system):
        return "one RUN installs with pip and with the system's package manager"
    if any(call.has("--user", "--target", "-t", "--prefix") for step in pips for call in step.invocations):
        return "pip installs into a place of its own"
    if any(len(step.commands) != len(step.invocations) for step in pips) or any(
        call.family not in ("pip",) for step in pips for call in step.invocations
    ):
        return "a RUN with pip does other things, too"
    runtime = runtime_packages(stage, packages)
    if isinstance(runtime, str):
        return runtime
    end = pips[-1].index
    kept = tuple(
        step
        for step in stage.steps
        if step.index < end
        and step not in pips
        and step not in system
        and isinstance(step.instruction, (Run, FileInstruction, User))
    )
    if any(isinstance(step.instruction, User) for step in kept):
        return "the user changes before pip is done"
    return Recipe(
        f"nothing that ships uses what pip only builds packages with: {', '.join(tools[:3])}",
        ("/venv",),
        runtime,
        kept=kept,
        end=end,
        lines=("ENV PATH=/venv/bin:$PATH",),
        build_lines=((pips[0].index, "RUN python -m venv /venv"), (pips[0].index, "ENV PATH=/venv/bin:$PATH")),
        metadata=("environment",),
    )


def _calls(stage: Stage) -> list:  # type: ignore[type-arg]  # Invocation is imported by callers only
    return [call for step in stage.steps if isinstance(step.instruction, Run) for call in step.invocations]


def _tag(stage: Stage, repository: str) -> str | None:
    """Give the tag of a stage's base where that is the official image of a name ("" without a tag)."""
    name = canonical(stage.image or "")
    if name is None or name.image.rsplit("/", 1)[-1] != repository:
        return None
    return name.tag or ""


def _system_of(stage: Stage, tag: str) -> str | None:
    facts = stage.facts
    if "alpine" in tag:
        version = re.search(r"alpine(\d+\.\d+)", tag)
        return (
            f"alpine:{version.group(1)}"
            if version
            else (f"alpine:{facts.release}" if facts and facts.release else None)
        )
    release = next((name for name in ("trixie", "bookworm", "bullseye", "buster", "stretch") if name in tag), "")
    if not release and facts is not None and facts.distribution == "debian":
        release = facts.release
    return f"debian:{release}-slim" if release else None


def _workdir(stage: Stage) -> tuple[str, ...]:
    """Give the WORKDIR that the old base set and a new one does not."""
    own = any(
        isinstance(step.instruction, Workdir) and step.instruction.text.text.startswith("/") for step in stage.steps
    )
    return () if own or stage.end.workdir == "/" else (f"WORKDIR {stage.start.workdir}",)


def _assets(given: PassInput, stage: Stage) -> list[str]:
    """Give the folders beside a program that it may load when it runs: those of usual names in the context."""
    if given.context is None:
        return []
    found = []
    for step in stage.steps:
        if (
            isinstance(step.instruction, FileInstruction)
            and step.source_stage is None
            and step.sources[:1] in ((".",), ("./",))
        ):
            place = posixpath.normpath(step.destination)
            found += [
                f"{place}/{name}"
                for name in _ASSETS
                if any(path.startswith(name + "/") for path in given.context.files)
            ]
    return found


def _started_words(stage: Stage) -> list[str]:
    words: list[str] = []
    for kind in (Entrypoint, Cmd):
        steps: list[Step] = [step for step in stage.steps if isinstance(step.instruction, kind)]
        if steps:
            instruction = steps[-1].instruction
            assert isinstance(instruction, (Entrypoint, Cmd))
            if instruction.exec_form is not None:
                words += [word.text for word in instruction.exec_form]
            else:
                words += [word.value or word.pattern for command in steps[-1].commands[:1] for word in command.words]
    return words


def _started_archive(stage: Stage) -> str:
    words = _started_words(stage)
    return words[words.index("-jar") + 1] if "-jar" in words[:-1] and "java" in words[0] else ""


TOOLCHAINS: tuple[Finder, ...] = (go_program, java_archive, static_site, virtual_environment)
"""All recipes for languages, in the order in which they are tried."""
