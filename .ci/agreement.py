"""Runs the project's own measurements against the oracles and fails where a figure falls below its floor.

    python .ci/agreement.py SHARED

``floors.json`` holds, per measurement, the arguments of the command (``{shared}`` stands for the folder), a pattern
whose groups are figures of the last matching line, and a floor for each. Floors only ever rise.
"""

import json
import re
import subprocess
import sys
import time
from pathlib import Path


def main(shared: str) -> int:
    """Run all measurements; give the number of those that fell."""
    fallen = 0
    for row in json.loads(Path(__file__).with_name("floors.json").read_text(encoding="utf-8")):
        command = [sys.executable, "-m", *(word.format(shared=shared) for word in row["command"])]
        start = time.monotonic()
        run = subprocess.run(command, capture_output=True, text=True, check=False)
        match = None
        for line in reversed(run.stdout.splitlines()):
            match = re.search(row["pattern"], line)
            if match:
                break
        name = " ".join(row["command"][:2])
        if match is None:
            print(f"{name}: no figure in its output\n{run.stdout[-500:]}\n{run.stderr[-2000:]}")
            fallen += 1
            continue
        figures = [float(group) for group in match.groups()]
        good = all(
            figure >= floor if row.get("better", "higher") == "higher" else figure <= floor
            for figure, floor in zip(figures, row["floors"], strict=True)
        )
        took = time.monotonic() - start
        print(f"{'ok  ' if good else 'FELL'} {name}: {match.group(0)} (floor {row['floors']}, {took:.0f} s)")
        fallen += not good
    return fallen


if __name__ == "__main__":
    sys.exit(1 if main(sys.argv[1]) else 0)
