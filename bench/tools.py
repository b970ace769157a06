"""How many commands of real Dockerfiles the tool tables know.

Run it as ``python -m bench.tools FILE.jsonl [--limit N] [--unknown N]``.

Every line of the file is an object with the text of a Dockerfile in ``text``. Prints the share of simple commands in
RUN instructions that are recognised, how many of those are walls and why, and the most frequent programs that are not
known.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import Counter
from pathlib import Path

from dfopt.shell import script_of
from dfopt.shell.model import POSIX
from dfopt.syntax import parse
from dfopt.syntax.tree import From, Run, Shell
from dfopt.tools import Setting, effects, recognise


def main() -> None:
    """Measure one corpus."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("--limit", type=int, default=0, help="read only so many files")
    parser.add_argument("--unknown", type=int, default=40, help="how many unknown programs to list")
    options = parser.parse_args()
    families, unknown, nameless, walls, reasons = (Counter[str]() for _ in range(5))
    files, crashes, assignments = 0, 0, 0
    seconds = 0.0
    with options.file.open(encoding="utf-8") as lines:
        for line in lines:
            if options.limit and files >= options.limit:
                break
            files += 1
            shell: tuple[str, ...] = ("/bin/sh", "-c")
            for instruction in parse(json.loads(line)["text"]).instructions:
                if isinstance(instruction, From):
                    shell = ("/bin/sh", "-c")
                elif isinstance(instruction, Shell):
                    shell = tuple(word.text for word in instruction.exec_form or ()) or shell
                script = script_of(instruction, shell=shell) if isinstance(instruction, Run) else None
                if script is None or script.dialect not in POSIX:
                    continue
                for command in script.commands:
                    if not command.words:
                        assignments += 1
                        continue
                    start = time.perf_counter()
                    try:
                        invocation = recognise(command)
                        result = effects(command, Setting())
                    except Exception as error:
                        crashes += 1
                        print(f"crash: {error!r} in {' '.join(word.raw for word in command.words)[:200]}")
                        continue
                    finally:
                        seconds += time.perf_counter() - start
                    if invocation is None:
                        (unknown if command.name else nameless)[command.name or command.words[0].raw] += 1
                        continue
                    families[invocation.family] += 1
                    if result.wall:
                        walls[invocation.family] += 1
                        reasons[result.reason] += 1
    known, strange = sum(families.values()), sum(unknown.values()) + sum(nameless.values())
    total = known + strange
    scripts = families["script"]
    print(f"files {files}, simple commands {total}, assignments alone {assignments}, crashes {crashes}")
    print(f"recognised {known} = {100 * known / total:.1f} % (of them the project's own programs: {scripts})")
    print(f"without those {known - scripts} = {100 * (known - scripts) / (total - scripts):.1f} %")
    print(
        f"known in full (no wall) {known - sum(walls.values())} = {100 * (known - sum(walls.values())) / total:.1f} %"
    )
    print(f"time {1e6 * seconds / max(total, 1):.0f} us per command (recognise and effects)")
    print("families:", ", ".join(f"{name} {count}" for name, count in families.most_common(60)))
    print("walls:", ", ".join(f"{name} {count}" for name, count in walls.most_common(25)))
    print("unknown:", ", ".join(f"{name} {count}" for name, count in unknown.most_common(options.unknown)))
    print("names only known at run time:", ", ".join(f"{name} {count}" for name, count in nameless.most_common(15)))


if __name__ == "__main__":
    main()
