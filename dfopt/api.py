"""The library's functions: text in, values out. ``dfopt`` loads them when they are first used."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

from dfopt.config import DEFAULT, Config
from dfopt.context.model import BuildContext
from dfopt.source import Source

if TYPE_CHECKING:
    from dockerfile_parse import DockerfileParser

    from dfopt.finding import Finding
    from dfopt.graph.model import BuildOptions, InstructionGraph
    from dfopt.predict.model import FactSource, Prediction, PredictOptions, RemoteSize
    from dfopt.rewrite.model import Plan
    from dfopt.syntax.tree import Dockerfile

Text: TypeAlias = "str | bytes | Source | DockerfileParser | Dockerfile"
"""What the functions take as a Dockerfile: its text or bytes, never a path; a tree; or dockerfile-parse's parser."""

Context: TypeAlias = "str | os.PathLike[str] | Mapping[str, str | bytes] | BuildContext | None"
"""A build context: a folder on disk, files in memory by path, or a context that was read before."""


def parse(source: Text, *, name: str = "Dockerfile") -> Dockerfile:
    """Parse a Dockerfile into its tree. Never fails: what is wrong stands in ``problems`` of the tree.

    ``source`` is the text, never a path; bytes are decoded as UTF-8 and what is not UTF-8 survives. The disk is not
    touched. ``str(parse(text)) == text`` holds for every text. Raises TypeError for a path or a file.
    """
    from dfopt.syntax import parse as parse_source
    from dfopt.syntax.tree import Dockerfile

    if isinstance(source, Dockerfile):
        return source
    if not isinstance(source, (str, bytes, Source)):
        from dfopt.syntax.bridge import text_of

        if not hasattr(source, "cached_content"):
            kind = type(source).__name__
            raise TypeError(
                f"a Dockerfile is given as text, bytes, tree or DockerfileParser, never as path: not {kind}"
            )
        source = text_of(source)
    return parse_source(source, name)


def build_graph(
    source: Text, *, build_args: Mapping[str, str] | None = None, target: str | None = None, platform: str | None = None
) -> InstructionGraph:
    """Build the instruction graph of a Dockerfile for given build arguments, target stage and platform."""
    from dfopt.graph import build

    return build(parse(source), _options(build_args, target, platform))


def lint(
    source: Text,
    *,
    context: Context = None,
    select: Iterable[str] | None = None,
    extend_select: Iterable[str] = (),
    ignore: Iterable[str] = (),
    profile: str | None = None,
    build_args: Mapping[str, str] | None = None,
    target: str | None = None,
    platform: str | None = None,
    config: Config = DEFAULT,
) -> list[Finding]:
    """Check a Dockerfile and give the findings in the order of their places.

    Rules are named by code, name, alias or letter; ``"ALL"`` selects everything. What is given here goes before
    ``config``. No configuration file is looked for. Raises ConfigError where a rule that is named does not exist.
    """
    from dfopt.lint.run import lint_source

    config = _configured(config, select, extend_select, ignore, profile, build_args, target, platform)
    return lint_source(parse(source).source, config, context=_context(context))


def fix(
    source: Text,
    *,
    unsafe: bool = False,
    context: Context = None,
    select: Iterable[str] | None = None,
    extend_select: Iterable[str] = (),
    ignore: Iterable[str] = (),
    profile: str | None = None,
    build_args: Mapping[str, str] | None = None,
    target: str | None = None,
    platform: str | None = None,
    config: Config = DEFAULT,
) -> str:
    """Apply the fixes of all findings until none is left and give the new text; ``unsafe`` adds the unsafe ones."""
    from dfopt.lint.fix import fix_source
    from dfopt.lint.run import lint_source

    config = _configured(config, select, extend_select, ignore, profile, build_args, target, platform)
    files = _context(context)
    return fix_source(
        parse(source).source, lambda text: lint_source(text, config, context=files), unsafe=unsafe
    ).source.text


def predict(
    source: Text,
    *,
    context: Context = None,
    build_args: Mapping[str, str] | None = None,
    target: str | None = None,
    platform: str | None = None,
    remote_sizes: Mapping[str, RemoteSize] | None = None,
    base_sizes: Mapping[str, int] | None = None,
    facts: FactSource | None = None,
) -> Prediction:
    """Predict the size of every layer, in bytes as ``docker history`` counts them, each with its 90 % interval.

    ``remote_sizes`` gives sizes of what the build fetches, by URL; ``base_sizes`` sizes of base images by reference;
    ``facts`` is asked for what these leave open. Without it nothing is fetched.
    """
    from dfopt.predict import predict_graph

    graph = build_graph(source, build_args=build_args, target=target, platform=platform)
    return predict_graph(graph, _context(context), _predict_options(remote_sizes, base_sizes, facts))


def optimize(
    source: Text,
    *,
    context: Context = None,
    unsafe: bool = False,
    only: Iterable[str] = (),
    base_variant: str | None = None,
    build_args: Mapping[str, str] | None = None,
    target: str | None = None,
    platform: str | None = None,
    remote_sizes: Mapping[str, RemoteSize] | None = None,
    base_sizes: Mapping[str, int] | None = None,
    facts: FactSource | None = None,
) -> Plan:
    """Rewrite a Dockerfile for a smaller image or shorter rebuilds, and give the plan with every change's reason.

    Safe changes keep the image's files and configuration apart from what they declare to remove (caches, package lists,
    archives). ``unsafe`` adds changes that can alter what the image holds; ``base_variant="slim"`` may move to the slim
    base.
    """
    from dfopt.rewrite import optimize_graph

    graph = build_graph(source, build_args=build_args, target=target, platform=platform)
    return optimize_graph(
        graph,
        _context(context),
        unsafe=unsafe,
        only=tuple(only),
        base_variant=base_variant,
        predict_options=_predict_options(remote_sizes, base_sizes, facts),
    )


def _context(context: Context) -> BuildContext | None:
    if context is None or isinstance(context, BuildContext):
        return context
    from dfopt.context import context_of, read_context

    if isinstance(context, Mapping):
        return context_of(context)
    return read_context(context)


def _options(build_args: Mapping[str, str] | None, target: str | None, platform: str | None) -> BuildOptions:
    from dfopt.graph.model import BuildOptions

    return BuildOptions(build_args or {}, target, platform or "linux/amd64")


def _predict_options(
    remote_sizes: Mapping[str, RemoteSize] | None, base_sizes: Mapping[str, int] | None, facts: FactSource | None
) -> PredictOptions:
    from dfopt.predict.model import PredictOptions

    return PredictOptions(remote_sizes or {}, base_sizes or {}, facts)


def _configured(
    config: Config,
    select: Iterable[str] | None,
    extend_select: Iterable[str],
    ignore: Iterable[str],
    profile: str | None,
    build_args: Mapping[str, str] | None,
    target: str | None,
    platform: str | None,
) -> Config:
    """Lay what the caller gives over a configuration, and check that the rules it names exist."""
    given: dict[str, Any] = {
        "select": None if select is None else tuple(select),
        "extend_select": (*config.extend_select, *extend_select),
        "ignore": (*config.ignore, *ignore),
        "profile": profile,
        "build_args": {**config.build_args, **build_args} if build_args else None,
        "target": target,
        "platform": platform,
    }
    made = config._replace(**{name: value for name, value in given.items() if value is not None})
    if select is not None or made.extend_select or made.ignore:
        from dfopt.lint.registry import load
        from dfopt.lint.validation import check_config

        check_config(made, load(made.rule_paths, plugins=made.plugins))
    return made
