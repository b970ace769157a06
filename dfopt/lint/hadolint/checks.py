"""The table of hadolint's checks, and the run over one file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from msgspec import Struct

from dfopt.config import DEFAULT, Config
from dfopt.context.model import BuildContext
from dfopt.finding import Finding, Fix, Severity
from dfopt.graph.model import InstructionGraph
from dfopt.lint.hadolint.commands import COMMANDS
from dfopt.lint.hadolint.instructions import INSTRUCTIONS
from dfopt.lint.hadolint.labels import LABELS
from dfopt.lint.hadolint.model import File, Hit, Places, Settings, span_of
from dfopt.lint.hadolint.packages import UNPINNED
from dfopt.lint.hadolint.pragmas import UNREADABLE, suppressions
from dfopt.lint.registry import Registry
from dfopt.lint.rule_fixes import RuleFixes
from dfopt.syntax.tree import Dockerfile

_ERROR, _WARNING, _INFO, _STYLE = Severity.ERROR, Severity.WARNING, Severity.INFO, Severity.STYLE

PRAGMAS = "DL1001"
"""The code for a comment that silences the next line."""

_TEXTS = {
    "DL3000": (_ERROR, "WORKDIR is relative; write an absolute path"),
    "DL3001": (_INFO, "this command is of no use while an image is built"),
    "DL3002": (_WARNING, "the last USER of the stage is root"),
    "DL3003": (_WARNING, "cd changes the directory for one RUN only; use WORKDIR"),
    "DL3004": (_ERROR, "sudo is not needed in a build; switch with USER"),
    "DL3006": (_WARNING, "the image has no tag, so the result changes with time"),
    "DL3007": (_WARNING, "the tag latest moves; name a version"),
    "DL3008": (_WARNING, "apt-get installs a package without a version; write package=version"),
    "DL3009": (_INFO, "the package lists of apt stay in the layer; remove /var/lib/apt/lists in the same RUN"),
    "DL3010": (_INFO, "a copied archive is unpacked by a RUN; ADD unpacks it at once"),
    "DL3011": (_ERROR, "a port lies between 0 and 65535"),
    "DL3012": (_ERROR, "only one HEALTHCHECK of a stage counts"),
    "DL3013": (_WARNING, "pip installs a package without a version; write package==version or use a requirements file"),
    "DL3014": (_WARNING, "apt-get install waits for an answer; add -y"),
    "DL3015": (_INFO, "recommended packages are installed too; add --no-install-recommends"),
    "DL3016": (_WARNING, "npm installs a package without a version; write package@version"),
    "DL3018": (_WARNING, "apk installs a package without a version; write package=version"),
    "DL3019": (_INFO, "apk keeps its index in the layer; add --no-cache"),
    "DL3020": (_ERROR, "ADD of plain files or folders; use COPY"),
    "DL3021": (_ERROR, "COPY of several sources needs a target that ends with /"),
    "DL3022": (_WARNING, "COPY --from names no stage above it"),
    "DL3023": (_ERROR, "COPY --from names its own stage"),
    "DL3024": (_ERROR, "the name of this stage is taken by one above"),
    "DL3025": (_WARNING, "the command runs through a shell; write it as a JSON array"),
    "DL3026": (_ERROR, "the image comes from a registry that is not trusted"),
    "DL3027": (_WARNING, "apt is made for people; use apt-get or apt-cache"),
    "DL3028": (_WARNING, "gem installs a gem without a version; write gem:version"),
    "DL3029": (_WARNING, "FROM is tied to one platform"),
    "DL3030": (_WARNING, "yum waits for an answer; add -y"),
    "DL3032": (_WARNING, "yum leaves its cache in the layer; run yum clean all in the same RUN"),
    "DL3033": (_WARNING, "yum installs a package without a version; write package-version"),
    "DL3034": (_WARNING, "zypper waits for an answer; add -n"),
    "DL3035": (_WARNING, "zypper moves the image to another release; use a newer base image"),
    "DL3036": (_WARNING, "zypper leaves its cache in the layer; run zypper clean in the same RUN"),
    "DL3037": (_WARNING, "zypper installs a package without a version; write package=version"),
    "DL3038": (_WARNING, "dnf waits for an answer; add -y"),
    "DL3040": (_WARNING, "dnf leaves its cache in the layer; run dnf clean all in the same RUN"),
    "DL3041": (_WARNING, "dnf installs a package without a version; write package-version"),
    "DL3042": (_WARNING, "pip keeps its cache in the layer; add --no-cache-dir"),
    "DL3043": (_ERROR, "ONBUILD cannot hold ONBUILD, FROM or MAINTAINER"),
    "DL3044": (_ERROR, "a variable is used in the ENV that sets it; its new value is not known there"),
    "DL3045": (_WARNING, "COPY to a relative target in a stage without WORKDIR"),
    "DL3046": (_WARNING, "useradd with a large UID writes a huge log file; add -l"),
    "DL3047": (_INFO, "wget fills the log with its progress; add -q or --progress=dot:giga"),
    "DL3048": (_STYLE, "the key of a label breaks the rules for names of labels"),
    "DL3049": (_INFO, "the label {} is missing"),
    "DL3050": (_INFO, "the label {} is not in the schema"),
    "DL3051": (_WARNING, "the label {} is empty"),
    "DL3052": (_WARNING, "the label {} is no URL"),
    "DL3053": (_WARNING, "the label {} is no time by RFC 3339"),
    "DL3054": (_WARNING, "the label {} is no SPDX licence"),
    "DL3055": (_WARNING, "the label {} is no hash of a commit"),
    "DL3056": (_WARNING, "the label {} is no semantic version"),
    "DL3057": (None, "the stage has no HEALTHCHECK"),
    "DL3058": (_WARNING, "the label {} is no mail address"),
    "DL3059": (_INFO, "RUN follows RUN; both can be one layer"),
    "DL3060": (_INFO, "yarn leaves its cache in the layer; run yarn cache clean in the same RUN"),
    "DL3061": (_ERROR, "only ARG may stand above the first FROM"),
    "DL3062": (_WARNING, "go installs a module without a version; write module@version"),
    "DL3063": (_WARNING, "scratch and context are no names for a stage"),
    "DL3064": (_WARNING, "the name looks like a secret, which stays in the image; use a secret mount"),
    "DL3065": (_WARNING, "--platform=$TARGETPLATFORM is what FROM does anyway"),
    "DL3066": (_INFO, "USER by name; a number also works where no user table is read"),
    "DL3067": (_WARNING, "the whole file system of another stage is copied; copy what is needed or build on the stage"),
    "DL4000": (_ERROR, "MAINTAINER is deprecated; use a label"),
    "DL4001": (_WARNING, "both curl and wget are used; one is enough"),
    "DL4003": (_WARNING, "only the last CMD of a stage counts"),
    "DL4004": (_ERROR, "only the last ENTRYPOINT of a stage counts"),
    "DL4005": (_WARNING, "/bin/sh is replaced by a link; use SHELL"),
    "DL4006": (_WARNING, "only the last command of a pipe can fail here; use a SHELL with pipefail"),
}

_BEHIND_ONBUILD = """
    DL3001 DL3004 DL3008 DL3009 DL3013 DL3014 DL3015 DL3016 DL3018 DL3019 DL3027 DL3028 DL3030 DL3032 DL3033 DL3034
    DL3035 DL3036 DL3037 DL3038 DL3040 DL3041 DL3042 DL3046 DL3047 DL3060 DL3062 DL3064 DL4001 DL4005
"""
_ONBUILD = frozenset(_BEHIND_ONBUILD.split())
"""Checks that look behind ONBUILD too, where they see nothing but the other triggers."""

_READ_ANYWAY = frozenset(
    ("E001", "E002", "E003", "E004", "E010", "E021", "E023", "E026", "E027", "E028", "E031", "E032", "E036", "E039")
)
"""Errors of the language that hadolint reads past."""


class Check(Struct, frozen=True):
    """One check: its code, level (None is off unless it is asked for), message, and where it applies."""

    code: str
    level: Severity | None
    message: str
    places: Places
    onbuild: bool


CHECKS: tuple[Check, ...] = tuple(
    Check(code, *_TEXTS[code], places, code in _ONBUILD)
    for code, places in sorted({**COMMANDS, **INSTRUCTIONS, **LABELS, **UNPINNED}.items())
)
"""All checks in the order of their codes."""


def findings(
    graph: InstructionGraph, registry: Registry, context: BuildContext | None = None, config: Config = DEFAULT
) -> list[Finding]:
    """Give the findings of a file, those that a comment silences included; levels are hadolint's own.

    Fixes are those of this project's rules for the same instruction.
    """
    tree = graph.tree
    refused = (one for one in tree.problems if one.stage in ("parse", "instructions"))
    unread = next((one for one in refused if one.code not in _READ_ANYWAY), None)
    if unread is not None:
        return [Finding(UNREADABLE, "language-error", _ERROR, unread.message, unread.span)]
    settings = _settings(config, registry)
    found = list(_pragmas(tree)) if PRAGMAS in settings.wanted else []
    file = File.of(tree, settings)
    triggers = file.triggers()
    fixes = RuleFixes(graph, registry, context, config.rules)
    for check in CHECKS:
        if check.level is None and check.code not in settings.wanted:
            continue
        hits = [*check.places(file), *(check.places(triggers) if check.onbuild and triggers.lines else ())]
        if hits:
            rule = registry.get(check.code)
            name = rule.name if rule else check.code
            found += (_finding(check, name, hit, fixes.of(check.code, hit.line.instruction.span)) for hit in hits)
    return found


def ignored(codes: Iterable[str], registry: Registry) -> frozenset[str]:
    """Give the codes that selectors name, by themselves or by this project's rules for the same thing."""
    return frozenset(code for word in codes for code in registry.codes(word)) - {UNREADABLE}


def _settings(config: Config, registry: Registry) -> Settings:
    """Read what is set for hadolint's checks, under their own codes or under those of this project's rules."""
    options: dict[str, Any] = {}
    for selector, values in config.rules.items():
        if registry.codes(selector) & {"DL3026", "DL3049", "DL3050"}:
            options.update(values)
    return Settings(
        tuple(options.get("trusted-registries") or options.get("allowed-registries") or ()),
        options.get("label-schema") or {},
        bool(options.get("strict-labels")),
        frozenset(one.upper() for one in (*config.extend_select, *config.severity)),
    )


def _pragmas(tree: Dockerfile) -> Iterator[Finding]:
    for one in suppressions(tree):
        if one.kind == "hadolint" and one.form == "ignore":
            yield Finding(PRAGMAS, "inline-ignore", _INFO, "findings of the next line are silenced", one.span)


def _finding(check: Check, name: str, hit: Hit, fix: Fix | None) -> Finding:
    message = check.message.format(hit.subject) if hit.subject else check.message
    return Finding(check.code, name, check.level or _INFO, message, span_of(hit.line), fix=fix)
