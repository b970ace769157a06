"""Asks a real BuildKit and dfopt the same random questions: ``python -m bench.differential MODE``.

Modes: ``words`` (quoting and substitution, through labels of an image), ``commands`` (which odd files are refused, on
which lines, and what is read from the others), ``mounts`` (values of RUN --mount), ``references`` (names of images) and
``ignore`` (which files of a context are sent). Needs the ``docker`` command and an engine; nothing is fetched. Prints
each disagreement and, as the last line, how many questions agree; the exit code is 1 unless all do.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from bench.conformance import instructions_record
from dfopt.syntax import parse
from dfopt.syntax.ignorefile import IgnoreError, IgnoreFile
from dfopt.syntax.mounts import MountError, refuse_early, resolve_mount
from dfopt.syntax.reference import ImageReference, InvalidReference
from dfopt.syntax.tree import Label, Run
from dfopt.syntax.words import WordError, expand

_VALUES = {
    "A": "foobarbaz",
    "N": "",
    "S": "x  y",
    "P": "/a/b.tar.gz",
    "D": "$A",
    "Q": '"q"',
    "U": "aéb",
    "T": "a*b?c\\d",
}


class Answer(NamedTuple):
    """What an engine made of a file: the error and its line, or the configuration of the image."""

    error: str
    line: int | None
    config: dict[str, Any]


class Engine:
    """A folder to build in, and the docker command."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def build(self, text: str, *options: str) -> Answer:
        """Build a file's text, or only check it with ``--call=check``."""
        (self.folder / "Dockerfile").write_bytes(text.encode("utf-8", "surrogateescape"))
        done = self._docker("build", "--progress=plain" if options else "-q", *options, str(self.folder))
        output = done.stdout + done.stderr
        errors = [line for line in output.split("\n") if line.startswith("ERROR")]
        if done.returncode and errors:
            place = re.search(r"on line (\d+)", errors[-1])
            lines = [place[1]] if place else re.findall(r"Dockerfile:(\d+)\n", output)
            return Answer(errors[-1], int(lines[-1]) if lines else None, {})
        if options:
            return Answer("", None, {})
        image = done.stdout.strip()
        config = json.loads(self._docker("inspect", image).stdout)[0]["Config"]
        self._docker("rmi", image)
        return Answer("", None, config)

    def _docker(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(["docker", *arguments], capture_output=True, text=True, check=False)


Disagreements = Iterator[tuple[int, str]]
"""Pairs: how many questions were asked, and what differs (empty where nothing does)."""


def _choose(chance: random.Random, atoms: list[str], most: int) -> str:
    return "".join(chance.choice(atoms) for _ in range(chance.randint(1, most)))


_WORD_ATOMS = [
    "a", "b", "o", "x", "$A", "${A}", "$N", "${N", "$X", "${X", "${A", "}", "}", ":-", "-", ":+", "+", ":?", "?",
    "#", "##", "%", "%%", "/", "//", "*", "\\*", "\\}", "\\/", '"', '"', "'", "'", "$", "${", "$P", "$S", "$T", "é",
    "$1", ".", "=", "<<", "<", "[a]", "^", "ba", ":", "$0", "$$", "`", " ",
]  # fmt: skip


def _words(engine: Engine, chance: random.Random) -> Disagreements:
    """Put a batch of words into labels, and some of those that are refused into files of their own."""
    escape = "`" if chance.random() < 0.2 else "\\"
    head = "# escape=`\nFROM scratch\n" if escape == "`" else "FROM scratch\n"
    for name, value in _VALUES.items():
        quoted = re.sub(f'[{re.escape(escape)}"$]', lambda found: escape + found.group(), value)
        head += f'ENV {name}="{quoted}"\n'
    good: list[tuple[str, str]] = []
    refused: list[str] = []
    while len(good) < 100:
        word = _choose(chance, _WORD_ATOMS, 7)
        node = parse(f"{head}LABEL k={word}\n").instructions[-1]
        if not isinstance(node, Label) or len(node.pairs) != 1 or node.pairs[0].value != word:
            continue
        try:
            good.append((word, expand(word, _VALUES.get, escape).value))
        except WordError:
            refused.append(word)
    answer = engine.build(head + "".join(f"LABEL k{n}={word}\n" for n, (word, _) in enumerate(good)))
    labels = answer.config.get("Labels") or {}
    for number, (word, value) in enumerate(good):
        theirs = labels.get(f"k{number}", answer.error)
        yield 1, "" if theirs == value else f"{word!r} with {escape}: ours {value!r}, theirs {theirs!r}"
    for word in chance.sample(refused, min(5, len(refused))):
        answer = engine.build(f"{head}LABEL k={word}\n")
        yield 1, "" if answer.error else f"{word!r} with {escape}: refused by us only"


_TEXT_ATOMS = [
    "a", "b=c", '"q r"', "'s t'", "\\", "\\x", "`", "$A", "#", "--x", "[", '"', "é", "<<", "=", "k=", "it's", "&&",
]  # fmt: skip
_ARRAYS = [
    '["a"]', '["a","b"]', '["a",]', "['a']", '["a" "b"]', '["a\\n"]', '["\\u00e9"]', '["\\ud800"]', "[]", "[ ]",
    '["a"] x', '["a",1]', "[1e999]", "[null]", '["é"]', '["c:\\w"]', '["a"', '["{}", {"a":1}]', "[01]",
    '["tab\there"]',
]  # fmt: skip
_BLANKS = [" ", " ", " ", " ", "\t", "\v", "\f", "\u00a0", "\r", "\u2028", "\x85", "\x1c"]
_BREAKS = ["", "", "# c\n", "\n", "  # d \\\n", " \t\n"]
_KEYWORDS = ["CMD", "ENTRYPOINT", "HEALTHCHECK CMD", "HEALTHCHECK NONE", "LABEL", "ENV", "ARG", "SHELL", "FOO"]


def _odd_line(chance: random.Random, escape: str) -> str:
    text = chance.choice(_BLANKS).join(chance.choice(_TEXT_ATOMS) for _ in range(chance.randint(1, 5)))
    body = chance.choice(_ARRAYS) if chance.random() < 0.4 else text
    keyword = chance.choice(_KEYWORDS)
    if chance.random() < 0.3:
        keyword = "ONBUILD " + keyword
    flag = chance.choice(["", "", "", "--interval=5s ", "--x ", "-- "]) if "HEALTH" in keyword else ""
    keyword = keyword.replace("HEALTHCHECK ", "HEALTHCHECK " + flag)
    line = chance.choice([keyword, keyword.lower()]) + chance.choice(_BLANKS) + body
    if chance.random() < 0.5:
        return line
    return "".join(
        (escape + chance.choice(["", " "]) + "\n" + chance.choice(_BREAKS) if chance.random() < 0.04 else "") + char
        for char in line
    )


def _commands(engine: Engine, chance: random.Random) -> Disagreements:
    """Build a file of odd lines and compare what is refused, or the configuration."""
    escape = "`" if chance.random() < 0.15 else "\\"
    text = ("# escape=`\n" if escape == "`" else "") + "FROM scratch\n"
    text += "".join(_odd_line(chance, escape) + "\n" for _ in range(chance.randint(1, 3)))
    record = instructions_record(text)
    answer = engine.build(text)
    if answer.error and not re.search(r"parse error|must have|must be|heredoc|\"[^\"]*<<", answer.error):
        return
    found = ""
    if bool(record["error"]) != bool(answer.error):
        found = f"ours {record['error']}, theirs {answer.error}"
    elif record["error"]:
        first = record["error"]["lines"][0]
        found = "" if answer.line in (None, first) else f"ours line {first}, theirs {answer.line}"
    else:
        ours = _configuration(record["stages"][-1]["commands"])
        theirs = {key: answer.config.get(key) or None for key in ours}
        found = "" if ours == theirs else f"ours {ours}, theirs {theirs}"
    yield 1, f"{text!r}: {found}" if found else ""


def _configuration(commands: list[dict[str, Any]]) -> dict[str, Any]:
    """Give the commands and triggers of an image without a base."""
    shell, cmd, entrypoint, cmd_set = None, None, None, False
    triggers = []
    for command in commands:
        if command["type"] in ("cmd", "entrypoint"):
            line = command["cmdline"]
            if command["prepend_shell"]:
                line = [*(shell or ["/bin/sh", "-c"]), *(line or [""])]
            if command["type"] == "cmd":
                cmd, cmd_set = line, True
            else:
                entrypoint, cmd = line, cmd if cmd_set else None
        elif command["type"] == "shell":
            shell = command["shell"]
        elif command["type"] == "onbuild":
            triggers.append(command["expression"])
    return {"Cmd": cmd or None, "Entrypoint": entrypoint or None, "Shell": shell, "OnBuild": triggers or None}


_MOUNT_KEYS = [
    "type", "from", "source", "src", "target", "dst", "destination", "readonly", "ro", "readwrite", "rw", "id",
    "sharing", "required", "size", "mode", "uid", "gid", "env", "Type", "foo",
]  # fmt: skip
_MOUNT_VALUES = [
    "1", "-1", "a", "777", "0777", "8", "true", "T", "yes", "64m", "1.5GiB", "1kb", "x", "shared", "LOCKED", "bind",
    "cache", "Bind", "$a", "a$", "s", "/x",
]  # fmt: skip


def _mounts(engine: Engine, chance: random.Random) -> Disagreements:
    """Check a file with one mount; errors of its target and its source are left to the build."""
    fields = [f"type={chance.choice(['bind', 'cache', 'tmpfs', 'secret', 'ssh'])}", "target=/x"]
    for _ in range(chance.randint(0, 3)):
        key = chance.choice(_MOUNT_KEYS)
        # Another name would be looked up in a registry.
        values = ["s", "$a", ""] if key == "from" else _MOUNT_VALUES
        fields.append(key if chance.random() < 0.2 else f"{key}={chance.choice(values)}")
    chance.shuffle(fields)
    value = ",".join(fields)
    text = f"FROM scratch AS s\nFROM scratch\nRUN --mount={value} x\n"
    run = parse(text).instructions[-1]
    assert isinstance(run, Run)
    error = engine.build(text, "--call=check").error
    if re.search("invalid mount target|parse stage name|ssh does not support", error):
        return
    try:
        refuse_early(value)
        resolve_mount(run.mounts[0].fields)
        ours = ""
    except MountError as refusal:
        ours = str(refusal)
    yield 1, "" if bool(ours) == bool(error) else f"{value!r}: ours {ours!r}, theirs {error!r}"


_NAME_ATOMS = [
    "a", "b1", "-", "_", "__", ".", "/", "/", ":", "@", "A", "localhost", "5000", "sha256:", "sha512:", "md5:", "é",
    "docker.io", "library", "ghcr.io", "[::1]", "..", "latest",
]  # fmt: skip


def _references(engine: Engine, chance: random.Random) -> Disagreements:
    """Name an image in a stage that is not built, so that only the name itself is read."""
    name = _choose(chance, [*_NAME_ATOMS, "0" * 64, "0" * 32], 6)
    if name.startswith("--") or name == "scratch":
        return
    answer = engine.build(f"FROM {name} AS unused\nRUN x\nFROM scratch AS t\nLABEL a=b\n", "--target=t")
    try:
        ImageReference.parse(name)
        ours = ""
    except InvalidReference as refusal:
        ours = str(refusal)
    yield 1, "" if bool(ours) == bool(answer.error) else f"{name!r}: ours {ours!r}, theirs {answer.error!r}"


_PATTERN_ATOMS = [
    "a", "b", "ab", "*", "**", "?", "/", "/", "f", "[ab]", "[^a]", "[!a]", "[a-b]", ".", "^", "\\*", "\\d", "1",
    "x", "é", "!", "\\[a\\]", "+", "a.b", "..", "./", "[*]", "[.]", "$", "(b)", "|", "**/", "/**", "{2}",
]  # fmt: skip
_FILE_NAMES = ["a", "b", "ab", "a.b", "x^", "1", "[a]", "a*", "é"]


def _ignore(engine: Engine, chance: random.Random) -> Disagreements:
    """Copy a context with a random ignore file and look at what arrived."""
    context, out = engine.folder / "context", engine.folder / "out"
    files = [f"{name}f" for name in _FILE_NAMES]
    files += [f"{outer}/{inner}f" for outer in _FILE_NAMES for inner in _FILE_NAMES]
    files += [f"{outer}/{inner}/{last}" for outer in _FILE_NAMES for inner in _FILE_NAMES for last in ("a", "ab", "1")]
    if not context.exists():
        for file in files:
            (context / file).parent.mkdir(parents=True, exist_ok=True)
            (context / file).write_text("x")
        (engine.folder / "Dockerfile.copy").write_text("FROM scratch\nCOPY . /\n")
    lines = [
        ("!" if chance.random() < 0.25 else "") + _choose(chance, _PATTERN_ATOMS, 5)
        for _ in range(chance.randint(1, 4))
    ]
    text = "\n".join(lines) + "\n"
    (context / ".dockerignore").write_text(text)
    subprocess.run(["rm", "-rf", str(out)], check=True)
    done = engine._docker(
        "build", "-q", "-f", str(engine.folder / "Dockerfile.copy"), "-o", f"type=local,dest={out}", str(context)
    )
    try:
        rules = IgnoreFile.parse(text)
    except IgnoreError as error:
        yield 1, "" if done.returncode else f"{text!r}: refused by us only, {error}"
        return
    if done.returncode:
        yield 1, f"{text!r}: refused by them only, {done.stderr[-200:]}"
        return
    theirs = {str(path.relative_to(out)) for path in out.rglob("*") if path.is_file()} - {".dockerignore"}
    ours = {file for file in files if not rules.leaves_out(file)}
    found = f"{text!r}: ours only {sorted(ours - theirs)[:4]}, theirs only {sorted(theirs - ours)[:4]}"
    yield 1, found if ours != theirs else ""


_MODES: dict[str, Callable[[Engine, random.Random], Disagreements]] = {
    "words": _words,
    "commands": _commands,
    "mounts": _mounts,
    "references": _references,
    "ignore": _ignore,
}


def main(arguments: list[str] | None = None) -> int:
    """Ask the questions named on the command line; gives the exit code."""
    parser = argparse.ArgumentParser(prog="python -m bench.differential", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("mode", choices=_MODES)
    parser.add_argument("--count", type=int, default=50, help="how many questions, at least (default 50)")
    parser.add_argument("--seed", type=int, default=1, help="which questions (default 1)")
    options = parser.parse_args(arguments)
    chance = random.Random(options.seed)
    asked = agreed = 0
    with tempfile.TemporaryDirectory() as folder:
        engine = Engine(Path(folder))
        while asked < options.count:
            for number, found in _MODES[options.mode](engine, chance):
                asked += number
                agreed += number if not found else 0
                if found:
                    print(found)
    print(f"{agreed} of {asked} agree")
    return 0 if agreed == asked else 1


if __name__ == "__main__":
    sys.exit(main())
