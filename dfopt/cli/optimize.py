"""``dfopt optimize``: a smaller image and shorter rebuilds, as a diff or written to the file."""

from __future__ import annotations

import argparse
import os
import sys
from typing import TYPE_CHECKING

from dfopt.cli import INPUT, USAGE
from dfopt.cli.files import InputError, read, write
from dfopt.cli.options import add_build_options, build_arguments
from dfopt.cli.predict import add_size_options, read_context_of, read_input
from dfopt.cli.problems import complain
from dfopt.cli.sources import sources_of
from dfopt.cli.verify import add_engine_options, as_object, lines_of, verify_texts

if TYPE_CHECKING:
    from dfopt.engine import Verification
    from dfopt.rewrite.ignoring import IgnoreProposal

HELP = "Rewrite a Dockerfile for a smaller image: shows a diff with reasons, or writes it."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = (
        "Safe changes keep the files and configuration, apart from caches, package lists and archives they name.\n"
        "exit codes: 0 done; 1 the file has errors, or --verify finds a difference; 2 wrong usage;\n"
        "3 the file or the context cannot be read, or there is no engine for --verify."
    )
    parser.add_argument(
        "file", nargs="?", default="Dockerfile", metavar="FILE", help="the Dockerfile, or - for standard input"
    )
    parser.add_argument("--context", metavar="DIR", help="the build context; some changes need to see it")
    parser.add_argument("--write", action="store_true", help="write the result to the file instead of showing a diff")
    parser.add_argument(
        "--verify", action="store_true", help="build both texts and compare; nothing is written if the images differ"
    )
    parser.add_argument(
        "--only", action="append", default=[], metavar="PASS", help="use this pass only; may be repeated"
    )
    parser.add_argument("--unsafe", action="store_true", help="allow changes that can alter what the image holds")
    parser.add_argument("--objective", choices=("size", "rebuild", "balanced"), default="balanced",
                        help="what counts: bytes, the build after an edit, or both (default)")  # fmt: skip
    parser.add_argument(
        "--base-variant", metavar="VARIANT", help="with --unsafe: move to this variant of the base, such as slim"
    )
    parser.add_argument("--builder", choices=("buildkit", "buildah", "classic"), default="buildkit",
                        help="what builds the file; the classic builder has no mounts")  # fmt: skip
    parser.add_argument(
        "--dockerignore",
        action="store_true",
        help="with --write and --context: also write the proposed ignore patterns",
    )
    add_size_options(parser)
    add_build_options(parser)
    add_engine_options(parser)
    output = parser.add_argument_group("output")
    output.add_argument(
        "--format", choices=("text", "json", "markdown"), default="text", help="output format (default: text)"
    )
    output.add_argument(
        "--color", choices=("auto", "always", "never"), default="auto", help="colours of the text format"
    )
    output.add_argument("--verbose", "-v", action="store_true", help="tell what was refused and why; show tracebacks")


def run(args: argparse.Namespace) -> int:
    """Run the command; gives 0, 1, 2 or 3."""
    from dfopt.graph import build
    from dfopt.graph.model import BuildOptions
    from dfopt.predict.model import PredictOptions
    from dfopt.rewrite import optimize_graph
    from dfopt.rewrite.ignoring import propose_ignores
    from dfopt.source import Source
    from dfopt.syntax import parse

    if args.write and args.file == "-":
        print("dfopt: option --write: standard input cannot be written to", file=sys.stderr)
        return USAGE
    try:
        name, data = read_input(args.file)
        context = read_context_of(args)
    except InputError as error:
        print(f"dfopt: {error}", file=sys.stderr)
        return INPUT
    tree = parse(Source.from_bytes(data, name))
    graph = build(tree, BuildOptions(build_arguments(args), args.target, args.platform or "linux/amd64"))
    broken = complain(graph, name)
    if args.target is not None and graph.target is None and graph.stages:
        print(f"dfopt: there is no stage {args.target!r}", file=sys.stderr)
        return USAGE
    if broken or not graph.stages:
        print(f"dfopt: {name}: a file with errors is not rewritten", file=sys.stderr)
        return 1
    if args.dockerignore and not (args.write and context is not None):
        print("dfopt: option --dockerignore: needs --write and --context", file=sys.stderr)
        return USAGE
    try:
        sources = sources_of(args)
    except InputError as error:
        print(f"dfopt: {error}", file=sys.stderr)
        return INPUT
    facts = sources if sources else None
    try:
        plan = optimize_graph(
            graph, context, unsafe=args.unsafe, only=args.only, base_variant=args.base_variant, builder=args.builder,
            objective=args.objective,
            predict_options=PredictOptions(dict(args.remote_size), dict(args.base_size), facts),
        )  # fmt: skip
    except ValueError as error:
        print(f"dfopt: option --only: {error}", file=sys.stderr)
        return USAGE
    if facts is not None:
        facts.complain()
    found: Verification | None = None
    if args.verify and plan.after != plan.before:
        outcome = verify_texts(
            plan.before, plan.after, args,
            removed=[path for change in plan.changes for path in change.declares_removed],
            metadata=[part for change in plan.changes for part in change.declares_metadata],
        )  # fmt: skip
        if isinstance(outcome, int):
            return outcome
        found = outcome
    refused = found is not None and not found.same
    proposals = propose_ignores(graph, context) if context is not None else ()
    if args.write and not refused:
        try:
            if plan.after != plan.before:
                write(args.file, Source(plan.after).to_bytes())
            if args.dockerignore and proposals:
                _write_ignores(args, proposals)
        except InputError as error:
            print(f"dfopt: {error}", file=sys.stderr)
            return INPUT
    from dfopt.report import ignoring
    from dfopt.report import plan as report

    if args.format == "json":
        more = {} if found is None else {"verified": as_object(found)}
        report.write_json(plan, sys.stdout, name, dockerignore=ignoring.as_objects(proposals), **more)
    elif args.format == "markdown":
        report.write_markdown(plan, sys.stdout, name, verbose=args.verbose)
    else:
        report.write_text(plan, sys.stdout, name, color=_colours(args.color), verbose=args.verbose)
    if proposals and args.format != "json":
        print("\n" + "\n".join(ignoring.lines_of(proposals)))
    if found is not None and args.format != "json":
        print("\n" + "\n".join(lines_of(found)))
    if refused and args.write:
        print(f"dfopt: {name}: not written, because the images differ", file=sys.stderr)
    return 1 if refused else 0


def _write_ignores(args: argparse.Namespace, found: tuple[IgnoreProposal, ...]) -> None:
    """Append the proposed patterns to the ignore file that counts. Raises InputError."""
    from dfopt.rewrite.ignoring import with_proposals

    beside = args.file + ".dockerignore"
    path = beside if os.path.isfile(beside) else os.path.join(args.context, ".dockerignore")
    old = read(path).decode("utf-8", "surrogateescape") if os.path.isfile(path) else ""
    write(path, with_proposals(old, found).encode("utf-8", "surrogateescape"))


def _colours(choice: str) -> bool:
    if choice != "auto":
        return choice == "always"
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
