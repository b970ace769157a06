"""Shell code of a corpus: do we and ``bash -n`` call the same code wrong, do our two readers agree, how fast is it.

    python -m bench.shell CORPUS.jsonl [--limit N] [--shell bash|dash] [--show N]

Every RUN in shell form is written to a file and given to one shell that only checks it (``-n``); nothing is executed.
Printed are the disagreements, which reader was used how often, and the time per body. The last line is
``N of M agree``; the exit code is 1 unless all agree.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from dfopt.shell import parse_script, reader, script_text, treesitter
from dfopt.shell.forms import AssignmentForm, BlockForm, Form, ItemForm, NestedForm, PipeForm, SimpleForm, WordForm
from dfopt.syntax import parse
from dfopt.syntax.tree import Joined, Run

_CHECK = 'for f in "$1"/*; do "$2" -n "$f" >/dev/null 2>&1 </dev/null && echo "${f##*/}"; done'


def bodies(path: Path, limit: int = 0) -> Iterator[tuple[str, Joined]]:
    """Give the shell code of every RUN in shell form, with the file's id and line."""
    with path.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines):
            if limit and number >= limit:
                return
            row = json.loads(line)
            tree = parse(row["text"])
            for instruction in tree.instructions:
                if isinstance(instruction, Run) and instruction.exec_form is None:
                    joined = script_text(instruction)
                    assert joined is not None
                    yield f"{row['id']}:{tree.source.line_of(instruction.span.start)}", joined


def accepted(texts: list[str], shell: str) -> list[bool]:
    """Tell for every text whether the shell finds nothing wrong with it. The texts are only read, never executed."""
    with tempfile.TemporaryDirectory() as folder:
        for number, text in enumerate(texts):
            Path(folder, f"{number:06}").write_bytes(text.encode("utf-8", "surrogateescape") + b"\n")
        command = ["bash", "-c", _CHECK, "check", folder, shell]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    good = {int(name) for name in done.stdout.split()}
    return [number in good for number in range(len(texts))]


def outline(forms: list[ItemForm]) -> list[object]:
    """Give a comparable picture of a list: structure and ranges, nothing evaluated."""
    return [(item.operator, item.background, _form(item.form)) for item in forms]


def _form(form: Form) -> object:
    if isinstance(form, PipeForm):
        return ("pipe", form.start, form.end, form.negated, form.operators, [_form(one) for one in form.elements])
    redirects = [(one.operator, one.fd, _word(one.target), one.start, one.end) for one in form.redirects]
    if isinstance(form, BlockForm):
        sections = [(role, outline(items)) for role, items in form.sections]
        return (form.kind, form.start, form.end, form.name, [_word(word) for word in form.words], redirects, sections)
    assert isinstance(form, SimpleForm)
    assignments = [_assignment(one) for one in form.assignments]
    return ("simple", form.start, form.end, assignments, [_word(word) for word in form.words], redirects)


def _assignment(form: AssignmentForm) -> object:
    return (form.name, form.append, _word(form.value), form.start, form.end)


def _word(form: WordForm | None) -> object:
    return form and (form.start, form.end, [_nested(one) for one in form.nested])


def _nested(form: NestedForm) -> object:
    return (form.opener, form.start, form.end, None if form.items is None else outline(form.items))


def readers_agree(text: str) -> bool | None:
    """Tell whether tree-sitter-bash and our own reader see the same code; None where tree-sitter-bash is not used."""
    tree = treesitter.read_tree(text)
    return None if tree is None else outline(tree.items) == outline(reader.read(text).items)


def main(arguments: list[str]) -> int:
    """Run the comparison."""
    parser = argparse.ArgumentParser(prog="python -m bench.shell", description=__doc__.split("\n")[0])
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--limit", type=int, default=0, help="look at the first files only")
    parser.add_argument("--shell", choices=("bash", "dash"), default="bash")
    parser.add_argument("--show", type=int, default=20, help="disagreements to print in full")
    options = parser.parse_args(arguments)
    found = list(bodies(options.corpus, options.limit))
    texts = [joined.text for _, joined in found]
    good = accepted(texts, options.shell)
    counts: Counter[str] = Counter()
    shown = 0
    for (name, joined), fine in zip(found, good, strict=True):
        script = parse_script(joined)
        agreement = readers_agree(joined.text)
        counts["tree-sitter-bash"] += agreement is not None
        counts["own reader"] += agreement is None
        counts["the readers differ"] += agreement is False
        if not fine:
            counts["refused by the shell"] += 1
        if fine == (not script.problems) and agreement is not False:
            counts["agree"] += 1
            continue
        shown += 1
        if shown <= options.show:
            print(f"{name}: {options.shell} {'accepts' if fine else 'refuses'}, ours: ", end="")
            print("; ".join(problem.message for problem in script.problems) or "nothing wrong", end="")
            print(", the readers differ" if agreement is False else "")
            print("    " + joined.text[:400].replace("\n", "\n    "))
    simple = [joined for _, joined in found if len(joined.text) < 200]
    times = []
    for joined in simple:
        start = time.perf_counter()
        parse_script(joined)
        times.append(time.perf_counter() - start)
    times.sort()
    if times:
        median, total = times[len(times) // 2] * 1e6, sum(times) * 1e3
        print(f"per body under 200 characters: median {median:.0f} µs, sum {total:.0f} ms")
    for label in ("tree-sitter-bash", "own reader", "the readers differ", "refused by the shell"):
        print(f"{label}: {counts[label]}")
    print(f"{counts['agree']} of {len(found)} agree")
    return 0 if counts["agree"] == len(found) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
