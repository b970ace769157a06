"""The command line: one file per subcommand; the only place that prints and exits."""

from __future__ import annotations

import gc
import os
import sys
import warnings
from importlib import import_module

COMMANDS = {
    "lint": "dfopt.cli.lint",
    "optimize": "dfopt.cli.optimize",
    "verify": "dfopt.cli.verify",
    "predict": "dfopt.cli.predict",
    "explain-cache": "dfopt.cli.explain_cache",
    "calibrate": "dfopt.cli.calibrate",
    "graph": "dfopt.cli.graph",
    "rules": "dfopt.cli.rules",
    "explain": "dfopt.cli.explain",
    "config": "dfopt.cli.config",
}
"""Subcommands and their modules; a module is imported only when it is asked for."""

USAGE, INPUT = 2, 3
"""Exit codes: wrong usage or configuration; a file that cannot be read, or an internal error."""


def main(argv: list[str] | None = None) -> int:
    """Run the command line and give the exit code.

    Without ``argv`` this is the program itself: it takes its arguments from the process and ends the process.
    """
    if argv is not None:
        return _guarded(argv)
    # Most of what a short run makes lives to its end, so looking for garbage on the way and taking everything down at
    # the end would only cost time: a sixth of a run over one file.
    if sys.argv[1:2] == ["lint"]:
        gc.disable()
    if not sys.warnoptions:
        # Warnings are for who develops dfopt, not for who runs it; -W or PYTHONWARNINGS brings them back.
        warnings.simplefilter("ignore")
    code = _guarded(sys.argv[1:])
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except OSError:
        code = code or INPUT
    os._exit(code)


def _guarded(words: list[str]) -> int:
    """Run the command line; whatever happens, there is an exit code and no traceback unless it was asked for."""
    for stream in (sys.stdout, sys.stderr):
        # File names and sources may hold what the terminal's encoding cannot show.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    try:
        return _run(words)
    except SystemExit as stop:  # argparse ends this way
        return stop.code if isinstance(stop.code, int) else USAGE
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # The reader of our output went away (``| head``): nothing is left to say, and Python must not say it at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:
        if "--verbose" in words or "-v" in words:
            raise
        print(f"dfopt: internal error: {type(error).__name__}: {error} (--verbose shows where)", file=sys.stderr)
        return INPUT


def _run(words: list[str]) -> int:
    command = words[0] if words else ""
    if command in ("-V", "--version"):
        from dfopt import __version__

        print(f"dfopt {__version__}")
        return 0
    if command in ("", "-h", "--help", "help"):
        _help()
        return 0 if command else USAGE
    module = COMMANDS.get(command)
    if module is None:
        print(f"dfopt: {_unknown(command)}", file=sys.stderr)
        return USAGE
    import argparse

    subcommand = import_module(module)

    def formatter(prog: str) -> argparse.HelpFormatter:
        # argparse makes one for every argument; left to find the width by itself, it loads much to do so.
        return argparse.RawDescriptionHelpFormatter(prog, width=_columns() - 2)

    parser = argparse.ArgumentParser(
        prog=f"dfopt {command}", description=subcommand.HELP, allow_abbrev=False, formatter_class=formatter
    )
    subcommand.add_arguments(parser)
    code: int = subcommand.run(parser.parse_args(words[1:]))
    sys.stdout.flush()
    return code


def _columns() -> int:
    """Give the width of the terminal, 80 where there is none."""
    text = os.environ.get("COLUMNS", "")
    if text.isdecimal() and int(text) > 0:
        return int(text)
    try:
        return os.get_terminal_size(sys.stdout.fileno()).columns or 80
    except (AttributeError, ValueError, OSError):
        return 80


def _unknown(command: str) -> str:
    if os.path.exists(command):
        return f"{command!r} is no command; did you mean: dfopt lint {command}"
    from difflib import get_close_matches

    near = get_close_matches(command, COMMANDS, 1)
    hint = f"did you mean {near[0]!r}?" if near else f"use one of {', '.join(COMMANDS)}"
    return f"{command!r} is no command; {hint}"


def _help() -> None:
    print("usage: dfopt COMMAND ...\n\nLint, optimize and predict Dockerfiles.\n\ncommands:")
    for name, module in COMMANDS.items():
        try:
            line = import_module(module).HELP
        except ModuleNotFoundError as error:
            line = f"(not available: {error.name} is missing)"
        print(f"  {name:<13} {line}")
    print("\n'dfopt COMMAND --help' tells the options of a command; 'dfopt --version' tells the version.")
