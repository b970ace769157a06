"""Docker, Podman or Buildah by their command lines: build, read layer sizes, save, remove."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from msgspec import Struct

PROGRAMS = ("docker", "podman")


class EngineError(RuntimeError):
    """An engine is missing or refused to do something; the message is for people."""


class Layer(Struct, frozen=True):
    """One row of an image's history: what made it, and its bytes as the engine counts them."""

    created_by: str
    size_bytes: int


class Engine(Struct, frozen=True):
    """A container engine, by the path of its program and the environment to call it in."""

    program: str
    environment: Mapping[str, str]

    def run(self, *arguments: str, timeout: float = 3600) -> str:
        """Call the program and give what it prints. Raises EngineError with the end of its complaint."""
        try:
            done = subprocess.run(
                [self.program, *arguments], env=dict(self.environment), capture_output=True, text=True, timeout=timeout,
                check=False,
            )  # fmt: skip
        except (OSError, subprocess.TimeoutExpired) as error:
            raise EngineError(f"{Path(self.program).name} {arguments[0]}: {error}") from error
        if done.returncode:
            tail = "\n".join((done.stderr or done.stdout).strip().splitlines()[-12:])
            raise EngineError(f"{Path(self.program).name} {arguments[0]} failed:\n{tail}")
        return done.stdout

    def build(
        self,
        text: str,
        context: str | os.PathLike[str] | None,
        *,
        build_args: Mapping[str, str] | None = None,
        target: str | None = None,
        platform: str | None = None,
        network: str | None = None,
        secrets: Sequence[str] = (),
        no_cache: bool = False,
    ) -> str:
        """Build a Dockerfile's text with a context folder and give the new image's name.

        ``secrets`` are values of ``--secret``. The name is one of its own; remove it when done (``temporary`` does).
        Raises EngineError.
        """
        name = f"dfopt-{uuid.uuid4().hex[:12]}"
        with tempfile.TemporaryDirectory(prefix="dfopt-") as folder:
            file = Path(folder) / "Dockerfile"
            file.write_bytes(text.encode("utf-8", "surrogateescape"))
            root = Path(context) if context is not None else Path(folder) / "empty"
            if context is None:
                root.mkdir()
            elif (own := root / ".dockerignore").is_file():
                shutil.copy(own, Path(folder) / "Dockerfile.dockerignore")
            command = ["build", "-f", str(file), "-t", name]
            for key, value in (build_args or {}).items():
                command += ["--build-arg", f"{key}={value}"]
            for secret in secrets:
                command += ["--secret", secret]
            for option, given in (("--target", target), ("--platform", platform), ("--network", network)):
                if given:
                    command += [option, given]
            if no_cache:
                command.append("--no-cache")
            self.run(*command, str(root))
        return name

    def history(self, image: str) -> tuple[Layer, ...]:
        """Give the rows of an image's history, the base's first."""
        rows = [
            json.loads(line)
            for line in self.run("history", "--no-trunc", "--human=false", "--format", "{{json .}}", image).splitlines()
            if line.strip()
        ]
        return tuple(Layer(row.get("CreatedBy", ""), int(row.get("Size", 0))) for row in reversed(rows))

    def size_bytes(self, image: str) -> int:
        """Give the bytes of all layers of an image."""
        return sum(layer.size_bytes for layer in self.history(image))

    def save(self, image: str, path: str | os.PathLike[str]) -> None:
        """Save an image to a tar file."""
        self.run("save", "-o", str(path), image)

    def check(self, image: str, command: str, *, network: str | None = "none") -> bool:
        """Tell whether a shell command succeeds in a container of an image."""
        arguments = ["run", "--rm", "--entrypoint", "/bin/sh"]
        if network:
            arguments += ["--network", network]
        try:
            self.run(*arguments, image, "-c", command, timeout=600)
        except EngineError:
            return False
        return True

    def remove(self, image: str) -> None:
        """Remove an image's name and what only it needs; an image that is not there is no error."""
        try:
            self.run("image", "rm", "-f", image)
        except EngineError:
            return

    @contextmanager
    def temporary(self, text: str, context: str | os.PathLike[str] | None, **options: object) -> Iterator[str]:
        """Build an image for the time of a ``with`` block; it is removed at its end, also after an error."""
        image = self.build(text, context, **options)  # type: ignore[arg-type]  # the options are those of build
        try:
            yield image
        finally:
            self.remove(image)


def find_engine(environment: Mapping[str, str] | None = None) -> Engine | None:
    """Find a container engine that answers: docker, then podman; None where there is none."""
    given = dict(os.environ if environment is None else environment)
    for name in PROGRAMS:
        program = shutil.which(name, path=given.get("PATH"))
        if program is None:
            continue
        engine = Engine(program, given)
        try:
            engine.run("version", "--format", "{{.Server.Version}}", timeout=20)
        except EngineError:
            continue
        return engine
    return None


def environment_from(path: str | os.PathLike[str]) -> dict[str, str]:
    """Read a file of ``export NAME=value`` lines, as a builder's start script writes it, over the environment."""
    environment = dict(os.environ)
    for line in Path(path).read_text("utf-8").splitlines():
        name, equals, value = line.removeprefix("export ").partition("=")
        if equals:
            value = value.strip().strip("\"'")
            environment[name.strip()] = value.replace("${PATH}", environment.get("PATH", "")).replace(
                "$PATH", environment.get("PATH", "")
            )
    return environment
