"""``dfopt explain-cache``: which steps a change makes the next build repeat, why, and how long that takes."""

from __future__ import annotations

import argparse
import os
import sys
from typing import TYPE_CHECKING

from dfopt.cli import INPUT, USAGE
from dfopt.cli.files import InputError, read
from dfopt.cli.options import add_build_options, build_arguments
from dfopt.cli.predict import colour_of, read_context_of, read_input, read_revision
from dfopt.cli.problems import complain

if TYPE_CHECKING:
    from dfopt.context.model import BuildContext
    from dfopt.graph.model import BuildOptions
    from dfopt.predict.buildlog import BuildLog
    from dfopt.syntax.tree import Dockerfile

HELP = "Tell which steps a change makes the next build repeat, why, and how long that takes."
_ALL = "*"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = (
        "The cache is taken to hold a complete build of the file as it was. Content, mode and existence of\n"
        "files count, times do not. Without a change, --build-arg says what is other than before.\n"
        "exit codes: 0 done; 1 the file has errors; 2 wrong usage; 3 a file, folder or revision cannot be read."
    )
    parser.add_argument(
        "file", nargs="?", default="Dockerfile", metavar="FILE", help="the Dockerfile, or - for standard input"
    )
    parser.add_argument("--context", metavar="DIR", help="the build context (for --git, default: the current folder)")
    change = parser.add_argument_group("what changes")
    change.add_argument("--changed", nargs="+", action="extend", default=[], metavar="PATH",
                        help="files of the build context that changed, came or went")  # fmt: skip
    change.add_argument("--git", metavar="RANGE",
                        help="changes between revisions (A..B) or since one (A), the Dockerfile included")  # fmt: skip
    change.add_argument("--against", metavar="OLD", help="the Dockerfile as it was: a file, or REV:PATH")
    change.add_argument("--changed-build-arg", type=_assignment, action="append", default=[], metavar="NAME=VALUE",
                        help="a build argument that is another one than before")  # fmt: skip
    change.add_argument("--base-digest", nargs="?", const=_ALL, action="append", default=[], metavar="IMAGE",
                        help="a base image that its tag no longer points to (without IMAGE: all of them)")  # fmt: skip
    add_build_options(parser)
    known = parser.add_argument_group("what you know")
    known.add_argument("--timings", metavar="LOG",
                       help="the log of an earlier build, written with docker build --progress=plain")  # fmt: skip
    known.add_argument("--image-store", choices=("overlay2", "containerd"), default="overlay2",
                       help="where the builder keeps images; COPY --link helps in containerd's only")  # fmt: skip
    output = parser.add_argument_group("output")
    output.add_argument("--format", choices=("text", "json"), default="text", help="output format (default: text)")
    output.add_argument(
        "--color", choices=("auto", "always", "never"), default="auto", help="colours of the text format"
    )


def run(args: argparse.Namespace) -> int:
    """Run the command; gives 0, 1, 2 or 3."""
    from dfopt.context.changes import GitError
    from dfopt.graph import build
    from dfopt.graph.model import BuildOptions
    from dfopt.predict.rebuilds import explain_cache
    from dfopt.report import cache as report

    if args.git and args.file == "-":
        print("dfopt: option --git: needs the Dockerfile's path, not standard input", file=sys.stderr)
        return USAGE
    try:
        name, data = read_input(args.file)
        if args.git and args.context is None:
            args.context = "."
        context = read_context_of(args)
        change = _Asked(args, name, data, context)
        log = _read_log(args.timings)
    except (InputError, GitError) as error:
        print(f"dfopt: {error}", file=sys.stderr)
        return INPUT
    if not change.words:
        print("dfopt: say what changes: --changed, --git, --against, --build-arg or --base-digest", file=sys.stderr)
        return USAGE
    platform = args.platform or "linux/amd64"
    before = build(change.old, BuildOptions(change.old_arguments, args.target, platform))
    options: BuildOptions = BuildOptions(change.new_arguments, args.target, platform)
    after = build(change.new, options)
    broken = complain(after, name)
    if not after.stages:
        return 1
    if args.target is not None and after.target is None:
        print(f"dfopt: there is no stage {args.target!r}", file=sys.stderr)
        return USAGE
    bases = [stage.image for stage in after.stages if stage.base is None and stage.image not in (None, "scratch")]
    images = [image for image in bases if image] if _ALL in args.base_digest else list(args.base_digest)
    notes = [*change.notes, *(f"no stage begins with {image}" for image in images if image not in bases)]
    found = explain_cache(before, after, paths=change.paths, images=images, store=args.image_store, context=context,
                          log=log, notes=notes)  # fmt: skip
    if args.format == "json":
        report.write_json(found, sys.stdout, name)
    else:
        report.write_text(found, sys.stdout, title=name, changes=", ".join(change.words), color=colour_of(args.color))
    return 1 if broken else 0


class _Asked:
    """What the options say is another than before: two Dockerfiles, paths, build arguments, and words for it."""

    def __init__(self, args: argparse.Namespace, name: str, data: bytes, context: BuildContext | None) -> None:
        self.words: list[str] = []
        self.notes: list[str] = []
        self.paths: list[str] = []
        old, new = data, data
        if args.git:
            old, new = self._git(args, data)
        if args.against:
            old = read_revision(args.against)
            self.words.append(f"the Dockerfile was {args.against}")
        self._changed(args, context)
        self.old, self.new = _parsed(old, name), _parsed(new, name)
        changed = dict(args.changed_build_arg)
        given = build_arguments(args)
        self.new_arguments = {**given, **changed}
        self.old_arguments = given
        if args.base_digest:
            named = [image for image in args.base_digest if image != _ALL]
            self.words.append(f"another image behind {', '.join(named) if named else 'every base'}")
        if not (self.words or changed) and given:
            changed, self.old_arguments = given, {}
        if changed:
            self.words.append(f"build argument {', '.join(f'{key}={value}' for key, value in changed.items())}")

    def _git(self, args: argparse.Namespace, data: bytes) -> tuple[bytes, bytes]:
        from dfopt.context.changes import git_changes

        found = git_changes(args.context, args.git, args.file)
        self.paths += found.paths
        self.words.append(f"git {args.git}: {_count(len(found.paths), 'changed file')} in the context")
        if found.ignored:
            self.notes.append(f"{_count(len(found.ignored), 'changed file')} left out by the ignore file")
        new = data if found.after is None else found.after
        if found.before is None:
            self.notes.append("the Dockerfile did not exist before; its steps are compared with themselves")
            return new, new
        if found.before != new:
            self.words.append("the Dockerfile changed")
        return found.before, new

    def _changed(self, args: argparse.Namespace, context: BuildContext | None) -> None:
        given: list[str] = []
        for path in args.changed:
            clean = _in_context(path, args.context)
            given.append(clean)
            if context is None:
                self.paths.append(clean)
                continue
            inside = [each for each in context.files if each == clean or each.startswith(clean + "/")]
            if inside:
                files = [each for each in inside if context.files[each].type != "directory"]
                self.paths += files or [clean]
            elif _is_ignored(context, clean):
                self.notes.append(f"{clean} is left out by {context.ignore_name or 'the ignore file'}")
            else:
                self.paths.append(clean)
                self.notes.append(f"{clean} is not in the build context any more")
        if given:
            shown = ", ".join(given[:3]) + (f" and {len(given) - 3} more" if len(given) > 3 else "")
            self.words.append(f"{shown} changed")


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _in_context(path: str, context: str | None) -> str:
    """Give a path as the context has it; one that is written from the current folder is understood, too."""
    clean = os.path.normpath(path)
    if context is not None:
        inside = os.path.relpath(os.path.abspath(clean), os.path.abspath(context))
        outside = inside.startswith("..")
        if os.path.isabs(clean) or (not outside and not os.path.lexists(os.path.join(context, clean))):
            clean = inside
    return clean.replace(os.sep, "/").lstrip("/").removeprefix("./")


def _is_ignored(context: BuildContext, path: str) -> bool:
    parts = path.split("/")
    if any("/".join(parts[:end]) in context.ignored for end in range(1, len(parts) + 1)):
        return True
    if context.root is None or context.ignore_name is None:
        return False
    from dfopt.syntax.ignorefile import IgnoreFile

    try:
        with open(os.path.join(context.root, context.ignore_name), encoding="utf-8", errors="surrogateescape") as file:
            return IgnoreFile.parse(file.read()).ignores(path)
    except OSError:
        return False


def _parsed(data: bytes, name: str) -> Dockerfile:
    from dfopt.source import Source
    from dfopt.syntax import parse

    return parse(Source.from_bytes(data, name))


def _read_log(path: str | None) -> BuildLog | None:
    if path is None:
        return None
    from dfopt.predict.buildlog import read_log

    log = read_log(read(path).decode("utf-8", "replace"))
    if not log.steps:
        raise InputError(f"{path}: has no steps; write it with docker build --progress=plain")
    return log


def _assignment(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not name or not equals:
        raise argparse.ArgumentTypeError(f"must be NAME=VALUE, not {text!r}")
    return name, value
