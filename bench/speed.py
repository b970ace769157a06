"""Speed against the peers, in one run: medians and ratios.

    python -m bench.speed CORPUS.jsonl|FOLDER [--files 50] [--bulk N] [--jobs 2]

Cold: every tool lints each file in a process of its own, taking turns file by file, so that a noisy machine hits all
of them alike. Bulk: every tool lints all files, dfopt in ``--jobs`` processes; hadolint as it comes (one process) and
spread over as many processes. Parsing: files per second in this process, against dockerfile-parse and (where installed)
the ``dockerfile`` package. A tool that is not installed is named and left out.

Processor time stands beside wall time: on a machine that does other work it is the steadier of the two.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage
from statistics import median
from typing import NamedTuple


def tool(name: str) -> str | None:
    """Find a peer: beside this interpreter first, then on PATH."""
    beside = Path(sys.executable).parent / name
    return str(beside) if beside.exists() else shutil.which(name)


def dfopt() -> list[str]:
    """Give the command that people use: the installed program beside this interpreter, else the module."""
    beside = Path(sys.executable).parent / "dfopt"
    return [str(beside)] if beside.exists() else [sys.executable, "-m", "dfopt"]


def environment(**values: str) -> dict[str, str]:
    """Give the environment of a measured process: byte code is kept, as it is for people, and ShellCheck is found."""
    env = {**os.environ, **values}
    env.pop("PYTHONDONTWRITEBYTECODE", None)
    if shellcheck := tool("shellcheck"):
        env["PATH"] = f"{Path(shellcheck).parent}{os.pathsep}{env.get('PATH', '')}"
    return env


class Time(NamedTuple):
    """What a run took: wall time and processor time, in seconds."""

    wall: float
    cpu: float


def read_corpus(place: Path, folder: Path, *, bypass: bool = False) -> list[Path]:
    """Put every Dockerfile of a corpus into a folder of its own; ``bypass`` keeps hadolint's ShellCheck out of RUN."""
    if place.is_dir():
        return sorted(path for path in place.rglob("*") if path.is_file() and "ockerfile" in path.name)
    files = []
    for line in place.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        text = row["text"]
        if bypass:
            text = "".join(
                f"# hadolint shell=pwsh\n{part}" if part.lstrip().upper().startswith("RUN") else part
                for part in text.splitlines(keepends=True)
            )
        path = folder / f"{row['id']}.Dockerfile"
        path.write_bytes(text.encode("utf-8", "surrogateescape"))
        files.append(path)
    return files


def measured(*commands: Sequence[str], env: dict[str, str]) -> Time:
    """Run commands side by side, their output thrown away, and give the time until the last has ended."""
    start, used = time.perf_counter(), getrusage(RUSAGE_CHILDREN)
    running = [subprocess.Popen(one, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=env) for one in commands]
    for process in running:
        process.wait()
    wall, after = time.perf_counter() - start, getrusage(RUSAGE_CHILDREN)
    return Time(wall, after.ru_utime + after.ru_stime - used.ru_utime - used.ru_stime)


def cold(files: Sequence[Path]) -> None:
    """Print the median time of one file in one fresh process."""
    tools: dict[str, list[str]] = {"dfopt": [*dfopt(), "lint", "--no-shellcheck"]}
    if tool("shellcheck"):
        tools["dfopt + ShellCheck"] = [*dfopt(), "lint"]
    for name, arguments in (("hadolint", []), ("tally", ["lint"])):
        if path := tool(name):
            tools[name] = [path, *arguments]
        else:
            print(f"  {name} is not installed: left out")
    tools["a bare Python"] = [sys.executable, "-c", "pass"]
    times: dict[str, list[Time]] = {name: [] for name in tools}
    env = environment(DFOPT_CACHE="off")
    measured([*tools["dfopt"], str(files[0])], env=env)  # byte code is made on the first run of all
    for file in files:
        for name, command in tools.items():
            words = command if name == "a bare Python" else [*command, str(file)]
            times[name].append(measured(words, env=env))
    print(f"Cold, one file, median over {len(files)} files")
    ours = Time(*map(median, zip(*times["dfopt"], strict=True)))
    for name, rows in times.items():
        wall, cpu = map(median, zip(*rows, strict=True))
        print(
            f"  {name:20} {wall * 1000:8.1f} ms wall {cpu * 1000:8.1f} ms CPU   "
            f"dfopt/{name}: {ours.wall / wall:.2f} wall, {ours.cpu / cpu:.2f} CPU"
        )


def bulk(files: Sequence[Path], bypassed: Sequence[Path], jobs: int) -> None:
    """Print how long all files take."""
    names, plain = [str(file) for file in files], [str(file) for file in bypassed]
    rows: list[tuple[str, Time, float]] = []

    def add(name: str, *commands: Sequence[str], scale: float = 1, **variables: str) -> None:
        rows.append((name, measured(*commands, env=environment(**variables)), scale))

    lint = [*dfopt(), "lint", f"--jobs={jobs}", "--format=json"]
    hadolint, tally = tool("hadolint"), tool("tally")
    with tempfile.TemporaryDirectory() as cache:
        add(f"dfopt, {jobs} jobs", [*lint, "--no-shellcheck", *names], DFOPT_CACHE="off")
        if hadolint and plain:
            add("hadolint, ShellCheck bypassed", [hadolint, *plain])
            add(f"hadolint bypassed, {jobs} processes", *([hadolint, *plain[i::jobs]] for i in range(jobs)))
        if tool("shellcheck"):
            add(f"dfopt + ShellCheck, {jobs} jobs", [*lint, *names], XDG_CACHE_HOME=cache)
            add(f"dfopt + ShellCheck, {jobs} jobs, again", [*lint, *names], XDG_CACHE_HOME=cache)
        if hadolint:
            add("hadolint as it comes", [hadolint, *names])
            add(f"hadolint, {jobs} processes", *([hadolint, *names[i::jobs]] for i in range(jobs)))
    if tally:
        few = names[:: max(1, len(names) // 200)]
        add(f"tally, {len(few)} files scaled up", [tally, "lint", *few], scale=len(names) / len(few))
    print(f"Bulk, {len(files)} files")
    ours = rows[0][1].wall
    for name, (wall, cpu), scale in rows:
        wall, cpu = wall * scale, cpu * scale
        print(
            f"  {name:34} {wall:7.2f} s wall {cpu:7.2f} s CPU {len(files) / wall:8.0f} files/s   "
            f"wall / dfopt: {wall / ours:.2f}"
        )


def parsing(texts: Sequence[str]) -> None:
    """Print how many files a second are parsed, the tree alone."""
    import dfopt

    parsers: dict[str, Callable[[str], object]] = {"dfopt.parse": dfopt.parse}
    try:
        from io import BytesIO

        from dockerfile_parse import DockerfileParser

        parsers["dockerfile-parse"] = lambda text: (
            DockerfileParser(fileobj=BytesIO(text.encode("utf-8", "surrogateescape"))).structure
        )
    except ImportError:
        print("  dockerfile-parse is not installed: left out")
    try:
        import dockerfile

        def go_parse(text: str) -> object:
            try:
                return dockerfile.parse_string(text)
            except dockerfile.GoParseError:
                return None

        parsers["dockerfile (Go)"] = go_parse
    except ImportError:
        print("  dockerfile (Go) is not installed: left out")
    rates: dict[str, list[float]] = {name: [] for name in parsers}
    for _ in range(3):
        for name, parse in parsers.items():
            start = time.perf_counter()
            for text in texts:
                parse(text)
            rates[name].append(len(texts) / (time.perf_counter() - start))
    print(f"Parsing, {len(texts)} files, median of 3")
    for name, rate in rates.items():
        ratio = median(rates["dfopt.parse"]) / median(rate)
        print(f"  {name:20} {median(rate):8.0f} files/s   dfopt is {ratio:.2f} times as fast")


def main() -> None:
    """Read the arguments and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--files", type=int, default=50, help="files for the cold run")
    parser.add_argument("--bulk", type=int, default=0, help="at most so many files in the bulk run (0: all)")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--only", choices=["cold", "bulk", "parse"])
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as second:
        files = read_corpus(args.corpus, Path(folder))
        sample = random.Random(1).sample(files, min(args.files, len(files)))
        if args.only in (None, "cold"):
            cold(sample)
        if args.only in (None, "bulk"):
            some = files[: args.bulk or None]
            bypassed = [] if args.corpus.is_dir() else read_corpus(args.corpus, Path(second), bypass=True)
            bulk(some, bypassed[: args.bulk or None], args.jobs)
        if args.only in (None, "parse"):
            parsing([file.read_bytes().decode("utf-8", "surrogateescape") for file in files])


if __name__ == "__main__":
    main()
