"""``dfopt verify``: builds two Dockerfiles and compares the images file by file."""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from dfopt.cli import INPUT, USAGE
from dfopt.cli.files import InputError
from dfopt.cli.options import add_build_options, build_arguments
from dfopt.cli.predict import add_size_options, read_context_of, read_input

if TYPE_CHECKING:
    from dfopt.engine import Verification
    from dfopt.rewrite import Plan

HELP = "Build two Dockerfiles, or one and its optimized text, and compare the images."
_SHOWN = 40


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = (
        "Without B, A is compared with what 'dfopt optimize' makes of it. Every path counts: type, mode, owner,\n"
        "content, link, extended attributes; and the configuration. Times and layer borders do not, nor does what two\n"
        "builds of A differ in. The images are removed at the end.\n"
        "exit codes: 0 the same image; 1 they differ, or a build fails; 2 wrong usage; 3 a file cannot be read, or\n"
        "there is no container engine."
    )
    parser.add_argument("file", metavar="A", help="the first Dockerfile, or - for standard input")
    parser.add_argument("other", nargs="?", metavar="B", help="the second Dockerfile (default: A, optimized)")
    parser.add_argument("--context", metavar="DIR", help="the build context (default: the folder of A)")
    parser.add_argument(
        "--may-differ", action="append", default=[], metavar="PATH", help="a path, folder or glob that does not count"
    )
    parser.add_argument("--unsafe", action="store_true", help="without B: allow changes that can alter the image")
    parser.add_argument("--only", action="append", default=[], metavar="PASS", help="without B: use this pass only")
    add_size_options(parser)
    add_build_options(parser)
    add_engine_options(parser)
    output = parser.add_argument_group("output")
    output.add_argument("--format", choices=("text", "json"), default="text", help="output format (default: text)")
    output.add_argument("--verbose", "-v", action="store_true", help="tell all differences; show tracebacks")


def add_engine_options(parser: argparse.ArgumentParser) -> None:
    """Declare the options of real builds."""
    group = parser.add_argument_group("real builds")
    group.add_argument("--build-with", choices=("docker", "podman", "buildah"), help="default: the first that answers")
    group.add_argument("--secret", action="append", default=[], metavar="SPEC", help="as docker build takes it")
    group.add_argument("--ssh", action="append", default=[], metavar="SPEC", help="as docker build takes it")
    group.add_argument("--build-context", action="append", default=[], metavar="NAME=SOURCE",
                       help="a further named context, as docker build takes it")  # fmt: skip
    group.add_argument("--build-network", metavar="MODE", help="network of RUN: default, none or host")


def run(args: argparse.Namespace) -> int:
    """Run the command; gives 0, 1, 2 or 3."""
    from dfopt.source import Source

    if args.file == args.other == "-":
        print("dfopt: only one of the files can be standard input", file=sys.stderr)
        return USAGE
    if args.context is None:
        args.context = (os.path.dirname(args.file) or ".") if args.file != "-" else "."
    removed, metadata = list(args.may_differ), []
    try:
        name, data = read_input(args.file)
        context = read_context_of(args)
        before = Source.from_bytes(data, name).text
        if args.other is not None:
            after = Source.from_bytes(read_input(args.other)[1], args.other).text
        else:
            plan = _optimized(before, name, context, args)
            if isinstance(plan, int):
                return plan
            after = plan.after
            removed += [path for change in plan.changes for path in change.declares_removed]
            metadata += [part for change in plan.changes for part in change.declares_metadata]
    except InputError as error:
        print(f"dfopt: {error}", file=sys.stderr)
        return INPUT
    if before == after:
        print(f"{name}: the two texts are the same" if args.other else f"{name}: nothing to change, nothing to verify")
        return 0
    found = verify_texts(before, after, args, removed=removed, metadata=metadata)
    if isinstance(found, int):
        return found
    if args.format == "json":
        json.dump(as_object(found), sys.stdout, indent=2)
        print()
    else:
        print("\n".join(lines_of(found, None if args.verbose else _SHOWN)))
    return 0 if found.same else 1


def verify_texts(
    before: str, after: str, args: argparse.Namespace, *, removed: list[str], metadata: list[str]
) -> Verification | int:
    """Build and compare two texts as the options say; gives an exit code where that cannot be done."""
    from dfopt.engine import EngineError, find_engine, verify

    engine = find_engine(only=args.build_with)
    if engine is None:
        wanted = args.build_with or "docker, podman or buildah"
        print(
            f"dfopt: no container engine answers ({wanted}): install one or start its service, and set DOCKER_HOST"
            " where it listens elsewhere",
            file=sys.stderr,
        )
        return INPUT
    beside = args.file + ".dockerignore"
    try:
        with _ends_orderly():
            return verify(
                engine, before, after, args.context, removed=removed, metadata=metadata,
                progress=_say if sys.stderr.isatty() else None, build_args=build_arguments(args), target=args.target,
                platform=args.platform, network=args.build_network, secrets=args.secret, ssh=args.ssh,
                build_contexts=args.build_context, ignore_file=beside if os.path.isfile(beside) else None,
            )  # fmt: skip
    except EngineError as error:
        print(f"dfopt: {error}", file=sys.stderr)
        return 1


def lines_of(found: Verification, most: int | None = _SHOWN) -> list[str]:
    """Give the outcome as lines of text, with at most so many differences."""
    from dfopt.report.prediction import size_text

    count = len(found.differences)
    verdict = f"the images differ in {count:,} places" if count else "the same image"
    lines = [f"verified with {found.engine}: {verdict}, {found.paths:,} paths compared"]
    saved = found.before_bytes - found.after_bytes
    share = f", {saved / found.before_bytes:.1%} less" if saved > 0 and found.before_bytes else ""
    lines.append(f"  size   {size_text(found.before_bytes)} becomes {size_text(found.after_bytes)}{share}")
    lines.append(f"  build  {found.before_seconds:.1f} s and {found.after_seconds:.1f} s, with what the cache held")
    lines += [f"  {difference}" for difference in found.differences[:most]]
    if most is not None and count > most:
        lines.append(f"  ... and {count - most:,} more (--verbose shows all)")
    if found.varying:
        some = ", ".join(found.varying[:5]) + (" ..." if len(found.varying) > 5 else "")
        lines.append(f"  not counted, as two builds of the first file differ there too: {some}")
    return lines


def as_object(found: Verification) -> dict[str, Any]:
    """Give the outcome as JSON values; sizes are bytes, times seconds."""
    return {
        "engine": found.engine, "same": found.same, "paths": found.paths,
        "before_bytes": found.before_bytes, "after_bytes": found.after_bytes,
        "before_seconds": round(found.before_seconds, 2), "after_seconds": round(found.after_seconds, 2),
        "differences": [
            {"path": each.path, "before": each.before, "after": each.after} for each in found.differences
        ],
        "varying": list(found.varying),
    }  # fmt: skip


def _optimized(before: str, name: str, context: Any, args: argparse.Namespace) -> Plan | int:
    from dfopt.cli.sources import sources_of
    from dfopt.graph import build
    from dfopt.graph.model import BuildOptions
    from dfopt.predict.model import PredictOptions
    from dfopt.rewrite import optimize_graph
    from dfopt.source import Source
    from dfopt.syntax import parse

    graph = build(
        parse(Source(before, name)), BuildOptions(build_arguments(args), args.target, args.platform or "linux/amd64")
    )
    if graph.tree.problems or graph.problems or graph.target is None:
        print(f"dfopt: {name}: a file with errors is not rewritten", file=sys.stderr)
        return 1
    options = PredictOptions(dict(args.remote_size), dict(args.base_size), sources_of(args))
    try:
        return optimize_graph(graph, context, unsafe=args.unsafe, only=args.only, predict_options=options)
    except ValueError as error:
        print(f"dfopt: option --only: {error}", file=sys.stderr)
        return USAGE


def _say(words: str) -> None:
    print(f"dfopt: {words}", file=sys.stderr)


@contextmanager
def _ends_orderly() -> Iterator[None]:
    """Let a request to terminate clean up as an interrupt does."""

    def interrupt(number: int, frame: object) -> None:
        raise KeyboardInterrupt

    saved = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, saved)
