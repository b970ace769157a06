"""Speed against the peers, in one run: medians and ratios.

    python -m bench.speed CORPUS.jsonl|FOLDER [--files 50] [--bulk N] [--jobs 2]

Cold: every tool lints each file in a process of its own, taking turns file by file, so that a noisy machine hits all
of them alike. Bulk: every tool lints all files, dfopt in ``--jobs`` processes; hadolint as it comes (one process) and
spread over as many processes. Parsing: files per second in this process, against dockerfile-parse and (where installed)
the ``dockerfile`` package. A tool that is not installed is named and left out.
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
from statistics import median

DFOPT = [sys.executable, "-m", "dfopt"]


def tool(name: str) -> str | None:
    """Find a peer: beside this interpreter first, then on PATH."""
    beside = Path(sys.executable).parent / name
    return str(beside) if beside.exists() else shutil.which(name)


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


def seconds(command: Sequence[str], env: dict[str, str] | None = None) -> float:
    """Run a command, its output thrown away, and give the wall time."""
    start = time.perf_counter()
    subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False, env=env)
    return time.perf_counter() - start


def spread(commands: Sequence[Sequence[str]]) -> float:
    """Run commands side by side and give the wall time until the last has ended."""
    start = time.perf_counter()
    running = [subprocess.Popen(c, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) for c in commands]
    for process in running:
        process.wait()
    return time.perf_counter() - start


def cold(files: Sequence[Path]) -> None:
    """Print the median wall time of one file in one fresh process."""
    tools: dict[str, list[str]] = {"dfopt": [*DFOPT, "lint", "--no-shellcheck"]}
    if shellcheck := tool("shellcheck"):
        tools["dfopt + ShellCheck"] = [*DFOPT, "lint"]
        os.environ["PATH"] = f"{Path(shellcheck).parent}{os.pathsep}{os.environ['PATH']}"
    for name, arguments in (("hadolint", []), ("tally", ["lint"])):
        if path := tool(name):
            tools[name] = [path, *arguments]
        else:
            print(f"  {name} is not installed: left out")
    times: dict[str, list[float]] = {name: [] for name in tools}
    env = {**os.environ, "DFOPT_CACHE": "off"}
    seconds([*tools["dfopt"], str(files[0])], env)  # byte code and grammar tables are made on the first run of all
    for file in files:
        for name, command in tools.items():
            times[name].append(seconds([*command, str(file)], env))
    bare = median(seconds([sys.executable, "-c", "pass"]) for _ in range(15))
    print(f"Cold, one file, median over {len(files)} files (a bare Python: {bare * 1000:.0f} ms)")
    ours = median(times["dfopt"])
    for name, row in times.items():
        print(f"  {name:20} {median(row) * 1000:8.1f} ms   dfopt/{name}: {ours / median(row):.2f}")


def bulk(files: Sequence[Path], bypassed: Sequence[Path], jobs: int) -> None:
    """Print how long all files take."""
    names = [str(file) for file in files]
    rows: list[tuple[str, float]] = []
    runs = [(f"dfopt, {jobs} jobs", [*DFOPT, "lint", "--no-shellcheck", f"--jobs={jobs}", "--format=json"])]
    if tool("shellcheck"):
        runs.append((f"dfopt + ShellCheck, {jobs} jobs", [*DFOPT, "lint", f"--jobs={jobs}", "--format=json"]))
    for name, command in runs:
        with tempfile.TemporaryDirectory() as cache:
            env = {**os.environ, "XDG_CACHE_HOME": cache}
            rows.append((name, seconds([*command, *names], env)))
            if "ShellCheck" in name:
                rows.append((f"{name}, second run", seconds([*command, *names], env)))
    if hadolint := tool("hadolint"):
        rows.append(("hadolint as it comes", seconds([hadolint, *names])))
        rows.append((f"hadolint, {jobs} processes", spread([[hadolint, *names[i::jobs]] for i in range(jobs)])))
        if bypassed:
            plain = [str(file) for file in bypassed]
            rows.append(("hadolint, ShellCheck bypassed", seconds([hadolint, *plain])))
            rows.append(
                (
                    f"hadolint bypassed, {jobs} processes",
                    spread([[hadolint, *plain[i::jobs]] for i in range(jobs)]),
                )
            )
    if tally := tool("tally"):
        few = names[:: max(1, len(names) // 200)]
        rows.append((f"tally, {len(few)} files scaled up", seconds([tally, "lint", *few]) * len(names) / len(few)))
    print(f"Bulk, {len(files)} files")
    ours = rows[0][1]
    for name, wall in rows:
        print(f"  {name:34} {wall:7.2f} s {len(files) / wall:8.0f} files/s   {name} / dfopt: {wall / ours:.2f}")


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
