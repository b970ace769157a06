"""The baseline: findings that were there before, listed in a file so that only new ones are reported."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable

from dfopt.config import ConfigError
from dfopt.finding import Finding
from dfopt.lint.fingerprint import fingerprints
from dfopt.source import Source

_VERSION = 1


class Baseline:
    """Known findings by fingerprint; paths count from the baseline's folder, so the file works from anywhere."""

    def __init__(self, path: str, known: frozenset[str] = frozenset()) -> None:
        self.folder = os.path.dirname(os.path.abspath(path))
        self.known = known

    @classmethod
    def read(cls, path: str) -> Baseline:
        """Read a baseline. Raises ConfigError where it is missing or broken."""
        try:
            with open(path, encoding="utf-8") as file:
                value = json.load(file)
            if value["version"] != _VERSION:
                raise ConfigError(f"{path}: is a baseline of version {value['version']}; write it anew")
            prints = [one["fingerprint"] for one in value["findings"]]
        except OSError as error:
            raise ConfigError(f"{path}: the baseline cannot be read: {error.strerror}") from error
        except (ValueError, KeyError, TypeError) as error:
            if isinstance(error, ConfigError):
                raise
            raise ConfigError(f"{path}: is no baseline; make one with --write-baseline") from error
        return cls(path, frozenset(prints))

    def split(
        self, path: str, source: Source, findings: Iterable[Finding]
    ) -> tuple[list[Finding], list[tuple[Finding, str]]]:
        """Give the new findings, and the known ones with the reason for their silence."""
        new: list[Finding] = []
        known: list[tuple[Finding, str]] = []
        findings = list(findings)
        for finding, print_ in zip(findings, self.prints(path, source, findings), strict=True):
            if print_ in self.known and finding.name != "internal-error":
                known.append((finding, "baseline"))
            else:
                new.append(finding)
        return new, known

    def prints(self, path: str, source: Source, findings: Iterable[Finding]) -> list[str]:
        """Give the fingerprints of a file's findings as this baseline counts paths."""
        return fingerprints(self.relative(path), source, findings)

    def relative(self, path: str) -> str:
        """Give a path as seen from the baseline's folder."""
        if path == "-":
            return path
        return os.path.relpath(os.path.abspath(path), self.folder).replace(os.sep, "/")


def baseline_text(path: str, files: Iterable[tuple[str, Source, list[Finding]]]) -> str:
    """Write the baseline of all present findings: code, place for people and fingerprint, one per line."""
    baseline = Baseline(path)
    rows = []
    for name, source, findings in files:
        for finding, print_ in zip(findings, baseline.prints(name, source, findings), strict=True):
            line = source.line_of(finding.span.start)
            row = {"path": baseline.relative(name), "line": line, "rule": finding.name, "fingerprint": print_}
            rows.append(json.dumps(row, ensure_ascii=False))
    body = ",\n  ".join(rows)
    return f'{{"version": {_VERSION}, "findings": [\n  {body}\n]}}\n'
