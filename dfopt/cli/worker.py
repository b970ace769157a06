"""The work on files: read, check, fix. It runs in this process or in several, and gives reports back."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from dfopt.cli.files import InputError, matches, read, text_bytes, write
from dfopt.config import Config, Configurations, overlay
from dfopt.context.model import BuildContext
from dfopt.finding import Finding
from dfopt.lint.cache import ResultCache
from dfopt.lint.registry import Registry, load
from dfopt.lint.run import Checked, ShellCheck, Task, check_source, check_sources
from dfopt.report.model import FileReport
from dfopt.source import Source

if TYPE_CHECKING:
    from dfopt.lint.baseline import Baseline

STDIN = "-"
_CHUNK = 24
_IGNORE_ROUNDS = 5


class Job(Struct, frozen=True):
    """What is to be done with every file; it is sent to worker processes."""

    configurations: Configurations
    fix: bool = False
    unsafe: bool = False
    write: bool = False
    diff: bool = False
    add_ignores: str | None = None
    context: str | None = None
    stdin_name: str = STDIN
    shellcheck: tuple[str, bool] | None = None
    """ShellCheck's path and whether its answers are cached."""
    cache: tuple[str, str] | None = None
    """Folder and identity of the cache of results; None keeps none."""

    @property
    def changes(self) -> bool:
        """Tell whether files, or texts that stand for them, are changed."""
        return self.fix or self.diff or self.add_ignores is not None


class Worker:
    """Does a job for one file after the other; configurations, rules and contexts are kept between them."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.registries: dict[tuple[tuple[str, ...], bool], Registry] = {}
        self.baselines: dict[str, Baseline] = {}
        self.shellcheck: ShellCheck | None = None
        # What the context holds decides too and is not part of a result's key.
        usable = job.cache is not None and job.context is None and not job.changes
        self.cache = ResultCache(*job.cache) if job.cache is not None and usable else None
        if job.shellcheck is not None:
            from dfopt.lint.shellcheck import Cache

            program, cached = job.shellcheck
            self.shellcheck = ShellCheck(program, Cache.for_program(program) if cached else None)

    def run(self, paths: Sequence[str]) -> list[FileReport]:
        """Check files and give their reports in the same order."""
        reports: dict[int, FileReport] = {}
        tasks: list[tuple[int, str, Task]] = []
        for number, path in enumerate(paths):
            name = self.job.stdin_name if path == STDIN else path
            try:
                source = self._source(path, name)
                tasks.append((number, path, Task(source, self.config(name), self._context(name))))
            except InputError as error:
                reports[number] = FileReport(name, error=str(error).removeprefix(f"{name}: "))
        if self.job.changes:
            for number, path, task in tasks:
                reports[number] = self._changed(path, task)
        else:
            checked = self._check_all([task for _, _, task in tasks])
            for (number, _, task), one in zip(tasks, checked, strict=True):
                reports[number] = self._report(task, one)
                if self._is_kept(task.config) and not one.crashes and not one.problems and self.cache is not None:
                    self.cache.put(one.source, task.config, one.findings, one.suppressed)
        return [reports[number] for number in range(len(paths))]

    def known(self, path: str) -> FileReport | None:
        """Give the report of a file that was checked before and is the same since; None for others."""
        if self.cache is None or path == STDIN:
            return None
        config = self.config(path)
        try:
            source = self._source(path, path)
        except InputError:
            return None
        found = self.cache.get(source, config) if self._is_kept(config) else None
        if found is None:
            return None
        return self._report(Task(source, config), Checked(source, found.findings, suppressed=tuple(found.suppressed)))

    @staticmethod
    def _is_kept(config: Config) -> bool:
        """Tell whether results are kept: rules from elsewhere may look at anything."""
        return not config.rule_paths and not config.plugins

    def config(self, name: str) -> Config:
        """Give the configuration of a file, rules for its path included."""
        config = self.job.configurations.of(os.path.dirname(os.path.abspath(name)))
        for row in config.per_path:
            if matches(os.path.abspath(name).replace(os.sep, "/"), row.pattern):
                config = overlay(config, {"ignore": row.ignore, "extend_select": row.extend_select}, {})
        return config

    def registry(self, config: Config) -> Registry:
        """Give the rules that a configuration loads."""
        key = (config.rule_paths, config.plugins)
        if key not in self.registries:
            self.registries[key] = load(config.rule_paths, plugins=config.plugins)
        return self.registries[key]

    def _source(self, path: str, name: str) -> Source:
        data = text_bytes(sys.stdin.buffer.read(), name) if path == STDIN else read(path)
        return Source.from_bytes(data, name)

    def _context(self, name: str) -> BuildContext | None:
        if self.job.context is None:
            return None
        from dfopt.context.disk import read_context

        return read_context(self.job.context, dockerfile=None if name == STDIN else name)

    def _check_all(self, tasks: Sequence[Task]) -> list[Checked]:
        groups: dict[int, list[int]] = {}
        registries = [self.registry(task.config) for task in tasks]
        for number, registry in enumerate(registries):
            groups.setdefault(id(registry), []).append(number)
        checked: dict[int, Checked] = {}
        for numbers in groups.values():
            results = check_sources(
                [tasks[number] for number in numbers], registry=registries[numbers[0]], shellcheck=self.shellcheck
            )
            checked.update(zip(numbers, results, strict=True))
        return [checked[number] for number in range(len(tasks))]

    def _check(self, task: Task, source: Source) -> Checked:
        return check_source(
            source, task.config, context=task.context, registry=self.registry(task.config), shellcheck=self.shellcheck
        )

    def _report(self, task: Task, checked: Checked, **more: Any) -> FileReport:
        findings = checked.findings
        known: list[tuple[Finding, str]] = []
        config = task.config
        if config.baseline is not None:
            if config.baseline not in self.baselines:
                from dfopt.lint.baseline import Baseline

                self.baselines[config.baseline] = Baseline.read(config.baseline)
            findings, known = self.baselines[config.baseline].split(checked.source.name, checked.source, findings)
        seen = task.context.notes if task.context is not None else ()
        notes = (*more.pop("notes", ()), *checked.problems, *seen)
        return FileReport(
            checked.source.name,
            checked.source.text,
            findings,
            suppressed=(*checked.suppressed, *known),
            failed=_fails(findings, config),
            tracebacks=tuple(f"{crash.where}\n{crash.traceback}" for crash in checked.crashes),
            crashed=any(one.name == "internal-error" for one in findings),
            notes=notes,
            **more,
        )

    def _changed(self, path: str, task: Task) -> FileReport:
        """Fix a file, or write ignore comments into it; what is not written is shown as a diff."""
        from dfopt.edit import unified_diff
        from dfopt.lint.fix import fix_source

        before = task.source
        results: dict[str, Checked] = {}

        def check(source: Source) -> list[Finding]:
            results[source.text] = checked = self._check(task, source)
            return self._report(task, checked).findings

        if self.job.add_ignores is not None:
            source, done, refused = self._ignored(task, check(before), results)
        else:
            fixed = fix_source(before, check, unsafe=self.job.unsafe)
            source, done, refused = fixed.source, tuple(one.name for one in fixed.applied), fixed.refused
        if source.text == before.text:
            return self._report(task, results[before.text], notes=refused)
        if self.job.write and path != STDIN:
            try:
                write(path, source.to_bytes())
            except InputError as error:
                return FileReport(before.name, error=str(error).removeprefix(f"{before.name}: "))
        diff = unified_diff(before.text, source.text, before.name.lstrip("/")) if self.job.diff else ""
        # A diff changes nothing, so the report is about the file as it is.
        shown = results[before.text if self.job.diff else source.text]
        return self._report(task, shown, fixed=done, notes=refused, diff=diff)

    def _ignored(
        self, task: Task, findings: list[Finding], results: dict[str, Checked]
    ) -> tuple[Source, tuple[str, ...], tuple[str, ...]]:
        """Write comments until nothing is left to silence.

        One round is not always enough: a comment can move a finding, or make another comment needless. What comes back
        is ignored for the whole file.
        """
        from dfopt.lint.fix import apply_round
        from dfopt.lint.suppression import add_ignores

        source = task.source
        done: list[str] = []
        for number in range(_IGNORE_ROUNDS):
            graph = results[source.text].graph
            left = [one for one in findings if one.name != "internal-error"]
            if graph is None or not left:
                break
            needless = [one for one in left if one.name == "unused-ignore"] if number else []
            if needless:
                source, _ = apply_round(source, needless)
            else:
                source = add_ignores(source, left, graph.tree, self.job.add_ignores or "", frozenset(done))
                done += [one.name for one in left]
            results[source.text] = self._check(task, source)
            findings = self._report(task, results[source.text]).findings
        return source, tuple(done), ()


def reports(job: Job, paths: Sequence[str], processes: int) -> Iterator[FileReport]:
    """Do a job for all files and give the reports in the order of the paths, as early as they are there."""
    front = Worker(job)
    known = {number: report for number, path in enumerate(paths) if (report := front.known(path)) is not None}
    fresh = _fresh(job, [path for number, path in enumerate(paths) if number not in known], processes)
    for number in range(len(paths)):
        yield known.pop(number) if number in known else next(fresh)


def _fresh(job: Job, paths: Sequence[str], processes: int) -> Iterator[FileReport]:
    """Do a job for files of which nothing is known yet."""
    chunks = [paths[at : at + _CHUNK] for at in range(0, len(paths), _CHUNK)]
    if len(chunks) > 1:
        # Loading is done; from here on there is garbage worth collecting, and it is not among what was loaded.
        # A file's graph is gone with its last reference; cycles are few, so seldom is often enough.
        gc.freeze()
        gc.set_threshold(100_000)
        gc.enable()
    if processes <= 1 or len(chunks) <= 1:
        worker = Worker(job)
        for chunk in chunks:
            yield from worker.run(chunk)
        return
    from concurrent.futures import ProcessPoolExecutor
    from multiprocessing import get_context

    # A forked process has the rules loaded already; elsewhere than on Linux forking is not safe.
    way = get_context("fork" if sys.platform == "linux" else "spawn")
    with ProcessPoolExecutor(min(processes, len(chunks)), way, _prepare, (job,)) as pool:
        for result in pool.map(_work, chunks):
            yield from result


_worker: Worker | None = None


def _prepare(job: Job) -> None:
    global _worker  # one per process; the pool calls functions by name
    _worker = Worker(job)


def _work(paths: Sequence[str]) -> list[FileReport]:
    assert _worker is not None
    return _worker.run(paths)


def _fails(findings: Sequence[Finding], config: Config) -> bool:
    return config.fail_on is not None and any(one.severity >= config.fail_on for one in findings)
