"""``dfopt predict``: the size of every layer, before anything is built."""

from __future__ import annotations

import argparse
import os
import sys
from typing import TYPE_CHECKING

from dfopt.cli import INPUT, USAGE
from dfopt.cli.files import InputError, read, text_bytes
from dfopt.cli.options import add_build_options, build_arguments
from dfopt.cli.problems import complain
from dfopt.cli.sources import Sources, add_source_options, real_image, sources_of

if TYPE_CHECKING:
    from dfopt.context.model import BuildContext
    from dfopt.graph.model import BuildOptions, InstructionGraph
    from dfopt.predict.calibration import Calibration, Compared
    from dfopt.predict.growth import Budget, Growth, Overrun
    from dfopt.predict.model import Prediction, PredictOptions, RemoteSize

HELP = "Predict the size of every layer before anything is built."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = (
        "Sizes are those of docker history: bytes of regular files, unpacked. Intervals are meant to hold the real\n"
        "size nine times out of ten.\n"
        "A budget fails where even the low end of the interval is above it, and warns where the high end is.\n"
        "exit codes: 0 done; 1 the file has errors or breaks a budget; 2 wrong usage; 3 a file cannot be read."
    )
    parser.add_argument(
        "file", nargs="?", default="Dockerfile", metavar="FILE", help="the Dockerfile, or - for standard input"
    )
    parser.add_argument("--context", metavar="DIR", help="the build context: sizes of what COPY and ADD bring")
    add_size_options(parser)
    add_calibration_options(parser)
    add_build_options(parser)
    budget = parser.add_argument_group("budgets")
    budget.add_argument("--max-image", type=_bytes, metavar="SIZE", help="the most the image may weigh, such as 300MB")
    budget.add_argument(
        "--max-layer", type=_bytes, metavar="SIZE", help="the most a layer may weigh (the base is free)"
    )
    budget.add_argument("--max-pull", type=_bytes, metavar="SIZE", help="the most the image may weigh compressed")
    budget.add_argument("--fail-on-growth", type=_growth, metavar="SHARE",
                        help="how much it may grow against --against: 5%% or 10MB")  # fmt: skip
    budget.add_argument("--against", metavar="OLD", help="the Dockerfile to compare with: a file, or REV:PATH")
    output = parser.add_argument_group("output")
    output.add_argument("--format", choices=("text", "json", "markdown", "html"), default="text",
                        help="output format (default: text); markdown is for pull requests")  # fmt: skip
    output.add_argument("--compressed", action="store_true", help="show each layer as gzip and as zstd pack it, too")
    output.add_argument("--waterfall", action="store_true", help="show where the image's bytes come from")
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
    add_source_options(known)


def add_calibration_options(parser: argparse.ArgumentParser) -> None:
    """Declare the options about what was learned from real builds."""
    group = parser.add_argument_group("real builds")
    group.add_argument("--compare", metavar="IMAGE",
                       help="show predicted against real: an image of the engine, or a docker save file")  # fmt: skip
    group.add_argument("--calibration", metavar="FILE",
                       help="what dfopt calibrate learned (default: .dfopt/calibration.json beside FILE)")  # fmt: skip
    group.add_argument("--no-calibration", action="store_true", help="use nothing that was learned")


def calibration_path(args: argparse.Namespace) -> str:
    """Give where the project's corrections are kept."""
    from dfopt.predict.calibration import FILE_NAME

    if args.calibration is not None:
        return str(args.calibration)
    folders = ["." if args.file == "-" else os.path.dirname(args.file) or "."]
    if args.context is not None:
        folders.append(args.context)
    paths = [os.path.join(folder, FILE_NAME) for folder in folders]
    return next((path for path in paths if os.path.isfile(path)), paths[0])


def run(args: argparse.Namespace) -> int:
    """Run the command; gives 0, 1, 2 or 3."""
    from dfopt.graph import build
    from dfopt.graph.model import BuildOptions
    from dfopt.predict import predict_graph
    from dfopt.predict.calibration import calibrated, compare_with_image
    from dfopt.predict.model import PredictOptions
    from dfopt.source import Source
    from dfopt.syntax import parse

    if args.fail_on_growth is not None and args.against is None:
        print("dfopt: option --fail-on-growth: needs --against", file=sys.stderr)
        return USAGE
    try:
        name, data = read_input(args.file)
        old = read_revision(args.against) if args.against is not None else None
        context = read_context_of(args)
        sources = sources_of(args)
        real = real_image(args.compare, sources) if args.compare is not None else None
        learned = _learned(args)
    except InputError as error:
        print(f"dfopt: {error}", file=sys.stderr)
        return INPUT
    tree = parse(Source.from_bytes(data, name))
    options = BuildOptions(build_arguments(args), args.target, args.platform or "linux/amd64")
    graph = build(tree, options, images=sources.of_base if sources else None)
    broken = complain(graph, name)
    if not graph.stages:
        return 1
    if args.target is not None and graph.target is None:
        print(f"dfopt: there is no stage {args.target!r}", file=sys.stderr)
        return USAGE
    wanted = PredictOptions(dict(args.remote_size), dict(args.base_size), sources if sources else None)
    prediction = predict_graph(graph, context, wanted)
    learned = _with_built(prediction, graph, learned, sources)
    prediction = calibrated(prediction, learned)
    growth = None
    if old is not None:
        growth = _growth_since(old, args.against, prediction, context, options, wanted, learned)
    compared = compare_with_image(prediction, graph, real) if real is not None else None
    sources.complain()
    if real is not None and compared is None:
        print(f"dfopt: {args.compare}: was not built from this file", file=sys.stderr)
    overruns = _overruns(args, prediction, growth)
    _write(args, name, prediction, growth, overruns, compared)
    return 1 if broken or any(one.sure for one in overruns) else 0


def _growth_since(
    old: bytes,
    name: str,
    prediction: Prediction,
    context: BuildContext | None,
    options: BuildOptions,
    wanted: PredictOptions,
    learned: Calibration,
) -> Growth | None:
    """Predict the old file in the same way, and compare."""
    from dfopt.graph import build
    from dfopt.predict import predict_graph
    from dfopt.predict.calibration import calibrated
    from dfopt.predict.growth import compare_predictions
    from dfopt.source import Source
    from dfopt.syntax import parse

    before = predict_graph(build(parse(Source.from_bytes(old, name)), options), context, wanted)
    before = calibrated(before, learned)
    growth = compare_predictions(before, prediction)
    if growth is None:
        print(f"dfopt: {name}: makes no image to compare with", file=sys.stderr)
    return growth


def _learned(args: argparse.Namespace) -> Calibration:
    """Read the project's corrections. Raises InputError."""
    from dfopt.predict.calibration import Calibration, read_calibration

    if args.no_calibration:
        return Calibration()
    path = calibration_path(args)
    try:
        return read_calibration(path)
    except (OSError, ValueError) as error:
        raise InputError(str(error)) from error


def _with_built(prediction: Prediction, graph: InstructionGraph, learned: Calibration, sources: Sources) -> Calibration:
    """Add what an image teaches that the local engine built from the same steps."""
    if sources.engine is None:
        return learned
    from dfopt.predict.calibration import built_before, learn

    found = built_before(prediction, graph, sources.engine.images())
    return learned if found is None else learn(learned, found)


def _overruns(args: argparse.Namespace, prediction: Prediction, growth: Growth | None) -> tuple[Overrun, ...]:
    """Hold the prediction against the budgets of the options, and say on standard error what is above."""
    from dfopt.predict.growth import Budget, check_budget

    share, size = args.fail_on_growth or (None, None)
    budget: Budget = Budget(args.max_image, args.max_layer, args.max_pull, share, size)
    overruns = check_budget(prediction, budget, growth)
    if overruns:
        from dfopt.report.growth import overrun_text

        for one in overruns:
            print(f"dfopt: {'error' if one.sure else 'warning'}: {overrun_text(one)}", file=sys.stderr)
    return overruns


def _write(
    args: argparse.Namespace,
    name: str,
    prediction: Prediction,
    growth: Growth | None,
    overruns: tuple[Overrun, ...],
    compared: Compared | None,
) -> None:
    if args.format == "json":
        from dfopt.report.prediction_json import write_json

        write_json(prediction, sys.stdout, name, growth=growth, overruns=overruns, compared=compared)
    elif args.format == "markdown":
        from dfopt.report.growth import write_markdown

        write_markdown(prediction, sys.stdout, name, growth=growth, overruns=overruns, against=args.against or "")
    elif args.format == "html":
        from dfopt.report.prediction_html import write_html

        write_html(prediction, sys.stdout, name, growth=growth, overruns=overruns, against=args.against or "")
    else:
        from dfopt.report.prediction import write_table

        write_table(
            prediction, sys.stdout, title=name, color=colour_of(args.color), all_rows=args.all, parts=args.parts,
            stages=args.stages, compressed=args.compressed, waterfall=args.waterfall, growth=growth,
        )  # fmt: skip
        if compared is not None:
            from dfopt.report.compared import write_comparison

            write_comparison(compared, sys.stdout, color=colour_of(args.color))


def colour_of(choice: str) -> bool | None:
    """Give what ``--color`` asks for: True, False, or None where the terminal decides."""
    colour = {"always": True, "never": False}.get(choice)
    return False if colour is None and os.environ.get("NO_COLOR") else colour


def read_input(path: str) -> tuple[str, bytes]:
    """Read a Dockerfile; ``-`` is standard input. Gives its name and bytes, raises InputError."""
    if path == "-":
        return "<stdin>", text_bytes(sys.stdin.buffer.read(), "<stdin>")
    return path, read(path)


def read_revision(text: str) -> bytes:
    """Read ``FILE``, or ``REV:PATH`` from git. Raises InputError."""
    if os.path.exists(text) or ":" not in text:
        return read(text)
    from dfopt.context.changes import GitError, git_file

    try:
        return git_file(text)
    except GitError as error:
        raise InputError(f"{text}: {error}") from error


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
    from dfopt.predict.told import size_of_text

    size = size_of_text(text)
    if size is None:
        raise argparse.ArgumentTypeError(f"{text!r} is no size; write 123456 or 9.27MB")
    return size


def _growth(text: str) -> tuple[float | None, float | None]:
    """Read ``5%`` as a share or ``10MB`` as bytes."""
    if not text.strip().endswith("%"):
        return None, float(_bytes(text))
    try:
        return float(text.strip()[:-1]) / 100, None
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no share; write 5% or 10MB") from None


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
