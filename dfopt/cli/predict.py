"""``dfopt predict``: the size of every layer, before anything is built."""

from __future__ import annotations

import argparse
import os
import re
import sys
from typing import TYPE_CHECKING

from dfopt.cli import INPUT, USAGE
from dfopt.cli.files import InputError, read, text_bytes
from dfopt.cli.options import add_build_options, build_arguments

if TYPE_CHECKING:
    from dfopt.context.model import BuildContext
    from dfopt.predict.model import RemoteSize

HELP = "Predict the size of every layer before anything is built."

_UNITS = {"": 1, "B": 1, "K": 1000, "KB": 1000, "M": 1000**2, "MB": 1000**2, "G": 1000**3, "GB": 1000**3,
          "KIB": 1024, "MIB": 1024**2, "GIB": 1024**3}  # fmt: skip


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = (
        "Sizes are those of docker history: bytes of regular files, unpacked. Intervals are meant to hold the real\n"
        "size nine times out of ten.\n"
        "exit codes: 0 done; 1 the file has errors; 2 wrong usage; 3 the file or the context cannot be read."
    )
    parser.add_argument(
        "file", nargs="?", default="Dockerfile", metavar="FILE", help="the Dockerfile, or - for standard input"
    )
    parser.add_argument("--context", metavar="DIR", help="the build context: sizes of what COPY and ADD bring")
    add_size_options(parser)
    add_build_options(parser)
    output = parser.add_argument_group("output")
    output.add_argument("--format", choices=("text", "json"), default="text", help="output format (default: text)")
    output.add_argument("--all", action="store_true", help="show instructions that make no layer, too")
    output.add_argument("--parts", action="store_true", help="show what each layer is made of")
    output.add_argument("--stages", action="store_true", help="show every stage, not only the image")
    output.add_argument(
        "--color", choices=("auto", "always", "never"), default="auto", help="colours of the text format"
    )


def add_size_options(parser: argparse.ArgumentParser) -> None:
    """Declare the options about sizes that the file does not tell."""
    known = parser.add_argument_group("what you know")
    known.add_argument("--remote-size", type=_remote_size, action="append", default=[], metavar="URL=BYTES[:UNPACKED]",
                       help="size of something the build fetches, and of what it unpacks to")  # fmt: skip
    known.add_argument("--base-size", type=_base_size, action="append", default=[], metavar="IMAGE=BYTES",
                       help="size of a base image, as docker images shows it")  # fmt: skip
    known.add_argument("--network", action="store_true", help="ask the servers of downloads for their sizes")


def run(args: argparse.Namespace) -> int:
    """Run the command; gives 0, 1, 2 or 3."""
    from dfopt.graph import build
    from dfopt.graph.model import BuildOptions
    from dfopt.predict import predict_graph
    from dfopt.predict.model import PredictOptions
    from dfopt.source import Source
    from dfopt.syntax import parse

    try:
        name, data = read_input(args.file)
        context = read_context_of(args)
    except InputError as error:
        print(f"dfopt: {error}", file=sys.stderr)
        return INPUT
    tree = parse(Source.from_bytes(data, name))
    options = BuildOptions(build_arguments(args), args.target, args.platform or "linux/amd64")
    graph = build(tree, options)
    problems = [*tree.problems, *graph.problems]
    for problem in problems:
        line = tree.source.line_of(problem.span.start)
        print(f"{name}:{line}: {problem.message}", file=sys.stderr)
    if not graph.stages:
        return 1
    if args.target is not None and graph.target is None:
        print(f"dfopt: there is no stage {args.target!r}", file=sys.stderr)
        return USAGE
    facts = None
    if args.network:
        from dfopt.remote.downloads import Downloads

        facts = Downloads()
    prediction = predict_graph(graph, context, PredictOptions(dict(args.remote_size), dict(args.base_size), facts))
    if facts is not None:
        for url, reason in facts.failures.items():
            print(f"dfopt: {url}: {reason}", file=sys.stderr)
    if args.format == "json":
        from dfopt.report.prediction import write_json

        write_json(prediction, sys.stdout, name)
    else:
        from dfopt.report.prediction import write_table

        write_table(
            prediction, sys.stdout, title=name, color=colour_of(args.color), all_rows=args.all, parts=args.parts,
            stages=args.stages,
        )  # fmt: skip
    return 1 if problems else 0


def colour_of(choice: str) -> bool | None:
    """Give what ``--color`` asks for: True, False, or None where the terminal decides."""
    colour = {"always": True, "never": False}.get(choice)
    return False if colour is None and os.environ.get("NO_COLOR") else colour


def read_input(path: str) -> tuple[str, bytes]:
    """Read a Dockerfile; ``-`` is standard input. Gives its name and bytes, raises InputError."""
    if path == "-":
        return "<stdin>", text_bytes(sys.stdin.buffer.read(), "<stdin>")
    return path, read(path)


def read_context_of(args: argparse.Namespace) -> BuildContext | None:
    """Read the folder of ``--context``; None without one. Raises InputError."""
    if args.context is None:
        return None
    from dfopt.context import read_context

    try:
        return read_context(args.context, dockerfile=None if args.file == "-" else args.file)
    except OSError as error:
        raise InputError(f"{args.context}: {error.strerror or error}") from error


def _bytes(text: str) -> int:
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([A-Za-z]*)", text.strip())
    if match is None or match[2].upper() not in _UNITS:
        raise argparse.ArgumentTypeError(f"{text!r} is no size; write 123456 or 9.27MB")
    return round(float(match[1]) * _UNITS[match[2].upper()])


def _remote_size(text: str) -> tuple[str, RemoteSize]:
    from dfopt.predict.model import RemoteSize

    url, equals, sizes = text.rpartition("=")
    if not equals or not url:
        raise argparse.ArgumentTypeError(f"must be URL=BYTES or URL=BYTES:UNPACKED, not {text!r}")
    size, colon, unpacked = sizes.partition(":")
    return url, RemoteSize(_bytes(size), _bytes(unpacked) if colon else None)


def _base_size(text: str) -> tuple[str, int]:
    image, equals, size = text.rpartition("=")
    if not equals or not image:
        raise argparse.ArgumentTypeError(f"must be IMAGE=BYTES, not {text!r}")
    return image, _bytes(size)
