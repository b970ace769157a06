"""``dfopt calibrate``: learn from a real image how far predictions of this project are off."""

from __future__ import annotations

import argparse
import os
import sys

from dfopt.cli import INPUT, USAGE
from dfopt.cli.files import InputError, write
from dfopt.cli.options import add_build_options, build_arguments
from dfopt.cli.predict import add_size_options, calibration_path, colour_of, read_context_of, read_input
from dfopt.cli.sources import real_image, sources_of

HELP = "Learn from a real image: keeps corrections of this project's predictions for the next time."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = (
        "Corrections are kept per instruction in .dfopt/calibration.json beside the Dockerfile; predict uses them.\n"
        "exit codes: 0 done; 1 the image was not built from the file; 2 wrong usage; 3 something cannot be read."
    )
    parser.add_argument("file", nargs="?", default="Dockerfile", metavar="FILE", help="the Dockerfile")
    parser.add_argument("--compare", metavar="IMAGE", action="append", default=[],
                        help="an image of the local engine, or a file of docker save; may be repeated")  # fmt: skip
    parser.add_argument("--context", metavar="DIR", help="the build context of that build")
    parser.add_argument("--calibration", metavar="FILE", help="where corrections are kept")
    parser.add_argument("--forget", action="store_true", help="begin anew, without what was learned before")
    add_size_options(parser)
    add_build_options(parser)
    parser.add_argument("--color", choices=("auto", "always", "never"), default="auto", help="colours of the table")


def run(args: argparse.Namespace) -> int:
    """Run the command; gives 0, 1, 2 or 3."""
    from dfopt.graph import build
    from dfopt.graph.model import BuildOptions
    from dfopt.predict import predict_graph
    from dfopt.predict.calibration import (
        Calibration,
        calibration_text,
        compare_with_image,
        key_of,
        learn,
        read_calibration,
    )
    from dfopt.predict.model import PredictOptions
    from dfopt.report.compared import write_comparison
    from dfopt.source import Source
    from dfopt.syntax import parse

    if not args.compare and not args.forget:
        print("dfopt: option --compare: name an image that was built from the file", file=sys.stderr)
        return USAGE
    path = calibration_path(args)
    try:
        name, data = read_input(args.file)
        context = read_context_of(args)
        sources = sources_of(args)
        images = [real_image(one, sources) for one in args.compare]
        learned = Calibration() if args.forget else read_calibration(path)
    except (InputError, OSError, ValueError) as error:
        print(f"dfopt: {error}", file=sys.stderr)
        return INPUT
    options = BuildOptions(build_arguments(args), args.target, args.platform or "linux/amd64")
    graph = build(parse(Source.from_bytes(data, name)), options, images=sources.of_base if sources else None)
    wanted = PredictOptions(dict(args.remote_size), dict(args.base_size), sources if sources else None)
    prediction = predict_graph(graph, context, wanted)
    names: dict[str, str] = {}
    wrong = 0
    for shown, image in zip(args.compare, images, strict=True):
        compared = compare_with_image(prediction, graph, image)
        if compared is None:
            print(f"dfopt: {shown}: was not built from this file", file=sys.stderr)
            wrong += 1
            continue
        write_comparison(compared, sys.stdout, color=colour_of(args.color))
        learned = learn(learned, compared)
    for stage in prediction.stages:
        names.update((key_of(layer), layer.instruction) for layer in stage.layers)
    if wrong and wrong == len(images):
        return 1
    try:
        os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
        write(path, calibration_text(learned, names).encode("utf-8", "surrogateescape"))
    except (InputError, OSError) as error:
        print(f"dfopt: {error}", file=sys.stderr)
        return INPUT
    count = len(learned.corrections)
    print(f"{path}: {count} correction{'' if count == 1 else 's'}")
    return 1 if wrong else 0
