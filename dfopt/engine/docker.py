"""Docker, Podman or Buildah by their command lines: build, read layer sizes, save, remove."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import tempfile
import threading
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from msgspec import Struct

PROGRAMS = ("docker", "podman", "buildah")
_VERSION = {"docker": ("version", "--format", "{{.Server.Version}}")}
_PATIENCE_SECONDS = 15


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
        name = Path(self.program).name
        # A session of its own: an interrupt from the terminal reaches us alone, and we end the program in good order.
        try:
            process = subprocess.Popen(
                [self.program, *arguments], env=dict(self.environment), stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, errors="replace", start_new_session=True,
            )  # fmt: skip
        except OSError as error:
            raise EngineError(f"{name} {arguments[0]}: {error}") from error
        try:
            out, complaint = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired as error:
            _end(process)
            raise EngineError(f"{name} {arguments[0]}: gave no answer within {timeout:.0f} seconds") from error
        except BaseException:
            _end(process)
            raise
        if process.returncode:
            tail = "\n".join((complaint or out).strip().splitlines()[-12:])
            raise EngineError(f"{name} {arguments[0]} failed:\n{tail}")
        return out

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
        ssh: Sequence[str] = (),
        build_contexts: Sequence[str] = (),
        ignore_file: str | os.PathLike[str] | None = None,
        name: str | None = None,
    ) -> str:
        """Build a Dockerfile's text with a context folder and give the new image's name.

        ``secrets``, ``ssh`` and ``build_contexts`` are values of the options ``--secret``, ``--ssh`` and
        ``--build-context``. ``ignore_file`` counts instead of the context's ``.dockerignore``. The name is one of its
        own unless given; remove it when done (``temporary`` does). Raises EngineError.
        """
        name = name or new_name()
        with tempfile.TemporaryDirectory(prefix="dfopt-") as folder:
            file = Path(folder) / "Dockerfile"
            file.write_bytes(text.encode("utf-8", "surrogateescape"))
            root = Path(context) if context is not None else Path(folder) / "empty"
            if context is None:
                root.mkdir()
            own = Path(ignore_file) if ignore_file is not None else root / ".dockerignore"
            command = ["build", "-f", str(file), "-t", name]
            if own.is_file():
                beside = Path(folder) / "Dockerfile.dockerignore"
                shutil.copy(own, beside)
                if not self._is("docker"):
                    command += ["--ignorefile", str(beside)]
            for key, value in (build_args or {}).items():
                command += ["--build-arg", f"{key}={value}"]
            for option, values in (("--secret", secrets), ("--ssh", ssh), ("--build-context", build_contexts)):
                for value in values:
                    command += [option, value]
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
        """Save an image to a tar file, in the form of ``docker save``."""
        if self._is("buildah"):
            self.run("push", image, f"docker-archive:{path}")
        else:
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
            self.run(*(("rmi", "-f") if self._is("buildah") else ("image", "rm", "-f")), image)
        except EngineError:
            return

    @contextmanager
    def temporary(self, text: str, context: str | os.PathLike[str] | None, **options: object) -> Iterator[str]:
        """Build an image for the time of a ``with`` block; it is removed at its end, also after an error."""
        # The name is known before the build, so that an interrupt at any moment leaves no image behind.
        name = new_name()
        try:
            yield self.build(text, context, name=name, **options)  # type: ignore[arg-type]  # those of build
        finally:
            with _undisturbed():
                self.remove(name)

    def _is(self, name: str) -> bool:
        return Path(self.program).name == name


def new_name() -> str:
    """Give a name for an image that no other has."""
    return f"dfopt-{uuid.uuid4().hex[:12]}"


def _end(process: subprocess.Popen[str]) -> None:
    """Ask a program to stop as an interrupt would, and make it stop where it does not."""
    with _undisturbed():
        for number in (signal.SIGINT, signal.SIGTERM):
            process.send_signal(number)
            try:
                process.communicate(timeout=_PATIENCE_SECONDS)
                return
            except subprocess.TimeoutExpired:
                continue
        process.kill()
        process.communicate()


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Hold interrupts off while something is cleaned up; only the main thread gets any."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    saved = {number: signal.signal(number, signal.SIG_IGN) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in saved.items():
            signal.signal(number, handler)


def find_engine(environment: Mapping[str, str] | None = None, *, only: str | None = None) -> Engine | None:
    """Find a container engine that answers: docker, then podman, then buildah; None where there is none.

    ``only`` is the name of the one that is wanted.
    """
    given = dict(os.environ if environment is None else environment)
    for name in PROGRAMS if only is None else (only,):
        program = shutil.which(name, path=given.get("PATH"))
        if program is None:
            continue
        engine = Engine(program, given)
        try:
            engine.run(*_VERSION.get(name, ("info",)), timeout=20)
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
