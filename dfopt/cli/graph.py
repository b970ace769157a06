"""``dfopt graph``: the instruction graph as a picture or as data."""

from __future__ import annotations

import argparse
import sys

from dfopt.cli import INPUT, USAGE
from dfopt.cli.files import InputError, read, text_bytes
from dfopt.cli.options import add_build_options, build_arguments
from dfopt.cli.problems import complain

HELP = "Draw the instruction graph of a Dockerfile: stages, steps and what depends on what."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = (
        "example: dfopt graph Dockerfile | dot -Tsvg -o graph.svg\n"
        "exit codes: 0 done; 1 the file has no stage; 2 wrong usage; 3 the file cannot be read."
    )
    parser.add_argument(
        "file", nargs="?", default="Dockerfile", metavar="FILE", help="the Dockerfile, or - for standard input"
    )
    parser.add_argument(
        "--format", choices=("dot", "mermaid", "json"), default="dot", help="output format (default: dot, for Graphviz)"
    )
    add_build_options(parser)


def run(args: argparse.Namespace) -> int:
    """Run the command; gives 0, 1, 2 or 3."""
    from dfopt.graph import build
    from dfopt.graph.export import write
    from dfopt.graph.model import BuildOptions
    from dfopt.source import Source
    from dfopt.syntax import parse

    try:
        name, data = (
            ("-", text_bytes(sys.stdin.buffer.read(), "-")) if args.file == "-" else (args.file, read(args.file))
        )
    except InputError as error:
        print(f"dfopt: {error}", file=sys.stderr)
        return INPUT
    tree = parse(Source.from_bytes(data, name))
    graph = build(tree, BuildOptions(build_arguments(args), args.target, args.platform or "linux/amd64"))
    complain(graph, name)
    if graph.stages and graph.target is None:
        return USAGE
    sys.stdout.write(write(graph, args.format))
    return 0 if graph.stages else 1
