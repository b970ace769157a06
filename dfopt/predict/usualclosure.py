"""What apt usually adds for a request: the first choice of every dependency, far cheaper than apt's whole answer.

Versions of what is installed, conflicts and the packages that must come anyway are left out of account, so the answer
may differ from ``closure.install`` by a package now and then. It serves figures in findings, which are computed for
many files; predictions use the exact one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache

from dfopt.predict.closure import Closure
from dfopt.predict.debindex import DebIndex, DebPackage, Group
from dfopt.predict.debversion import satisfies


def install(
    requests: Iterable[str], installed: Mapping[str, str], index: DebIndex, *, recommends: bool = True
) -> Closure:
    """Compute about what ``apt-get install`` adds to the installed packages; the arguments are those of ``closure``."""
    needs = _needs(index, recommends)
    present = set(installed)
    marked: dict[str, DebPackage] = {}
    named: list[str] = []
    unknown: list[str] = []
    for request in requests:
        name = request.partition("=")[0].partition("/")[0].partition(":")[0]
        package = index.real(name) or next(filter(None, map(index.real, index.providers(name))), None)
        if package is None:
            unknown.append(name)
            continue
        named.append(package.name)
        if package.name not in present:
            present.add(package.name)
            marked[package.name] = package
    stack = [iter(needs.of(package)) for package in reversed(marked.values())]
    while stack:
        for names, group in stack[-1]:
            if not present.isdisjoint(names):
                continue
            candidates = needs.candidates(group)
            if candidates and present.isdisjoint(candidates) and (chosen := index.real(candidates[0])) is not None:
                present.add(chosen.name)
                marked[chosen.name] = chosen
                stack.append(iter(needs.of(chosen)))
                break
        else:
            stack.pop()
    return Closure(marked, tuple(dict.fromkeys(named)), tuple(unknown))


_Groups = list[tuple[list[str], Group]]


class _Needs:
    """The dependencies of packages, each group with the names in it; what could satisfy a group is looked up once."""

    def __init__(self, index: DebIndex, recommends: bool) -> None:
        self.index = index
        self.recommends = recommends
        self._groups: dict[str, _Groups] = {}
        self._candidates: dict[Group, tuple[str, ...]] = {}

    def of(self, package: DebPackage) -> _Groups:
        """Give the groups of a package in the order in which apt follows them."""
        known = self._groups.get(package.name)
        if known is None:
            groups = package.depends + package.pre_depends + (package.recommends if self.recommends else ())
            known = self._groups[package.name] = [([one.name for one in group], group) for group in groups]
        return known

    def candidates(self, group: Group) -> tuple[str, ...]:
        """Name the packages that satisfy a group, the one that is taken at the front."""
        known = self._candidates.get(group)
        if known is None:
            known = self._candidates[group] = tuple(self._fitting(group))
        return known

    def _fitting(self, group: Group) -> Iterator[str]:
        provided: list[str] = []
        for relation in group:
            found = self.index.get(relation.name)
            if found is None:
                continue
            if not found.version:
                yield from found.providers
            elif satisfies(found.version, relation.operator, relation.version):
                yield found.name
                provided += found.providers
        yield from provided


@lru_cache(maxsize=8)
def _needs(index: DebIndex, recommends: bool) -> _Needs:
    return _Needs(index, recommends)
