"""Comments that silence findings: dfopt's own, hadolint's and BuildKit's."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import NamedTuple

from dfopt.finding import Finding
from dfopt.lint.registry import Registry
from dfopt.lint.rule import Suppression
from dfopt.source import Source, Span
from dfopt.syntax.tree import Comment, Dockerfile, From, Instruction

_OWN = re.compile(r"dfopt:\s*(?P<form>ignore(?:-stage|-file)?)(?![\w-])(?:\s*\[(?P<codes>[^\]]*)\])?(?P<rest>.*)", re.I)
_HADOLINT = re.compile(
    r"hadolint\s+(?:(?P<scope>global|stage)\s+)?ignore\s*=\s*(?P<codes>\w+(?:\s*,\s*\w+)*)(?P<rest>.*)"
)
_UNTIL = re.compile(r"\buntil=(\S+)\s*")
_WIDTH = 100
"""Characters of a comment that is written here, if it can be kept so short."""
_FORMS = {"global": "ignore-file", "stage": "ignore-stage", None: "ignore"}


class Outcome(NamedTuple):
    """What is left of the findings, what was silenced with its reason, and the comments with what they did."""

    kept: list[Finding]
    silenced: list[tuple[Finding, str]]
    comments: tuple[Suppression, ...]


def read_suppressions(tree: Dockerfile) -> tuple[Suppression, ...]:
    """Read the comments of a file that silence findings, in the order of their places."""
    text = tree.source.text
    if not any(word in text for word in ("dfopt:", "hadolint", "check=")):
        return ()
    found = [_directive(tree, one.value, one.span) for one in tree.directives if one.name == "check"]
    seen: dict[Span, Comment] = {comment.span: comment for comment in tree.comments}
    for instruction in tree.instructions:
        seen.update((one.span, one) for one in (*instruction.comments, *instruction.inner_comments))
    places = _Places(tree)
    found += [_comment(places, seen[span]) for span in sorted(seen)]
    return tuple(one for one in found if one is not None)


def apply_suppressions(
    findings: Iterable[Finding], suppressions: Iterable[Suppression], registry: Registry, active: Iterable[str]
) -> Outcome:
    """Take away the findings that a comment silences.

    A comment that names several codes tells which of them it did not need. ``active`` are the codes of the rules that
    ran: only of those can be said that nothing was there to silence.
    """
    comments = tuple(suppressions)
    if not comments:
        return Outcome(list(findings), [], ())
    covers = [_codes(one, registry) for one in comments]
    used: list[set[str]] = [set() for _ in comments]
    kept: list[Finding] = []
    silenced: list[tuple[Finding, str]] = []
    for finding in findings:
        reason = None
        for number, one in enumerate(comments):
            selector = _selector(finding, one, covers[number])
            if selector is not None:
                used[number].add(selector)
                reason = one.reason if reason is None else reason
        if reason is None:
            kept.append(finding)
        else:
            silenced.append((finding, reason))
    running = set(active)
    return Outcome(
        kept,
        silenced,
        tuple(_judged(one, codes, needed, running) for one, codes, needed in zip(comments, covers, used, strict=True)),
    )


def add_ignores(
    source: Source,
    findings: Iterable[Finding],
    tree: Dockerfile,
    reason: str = "",
    everywhere: Collection[str] = (),
) -> Source:
    """Write a comment above each instruction with findings.

    What stands elsewhere, and the rules that ``everywhere`` names, are ignored for the whole file.
    """
    by_place: dict[int, set[str]] = {}
    whole_file: set[str] = set()
    starts = [one.span.start for one in tree.instructions]
    for finding in findings:
        name = finding.name if finding.topic and finding.name != "language-error" else finding.code
        # An empty span at the very start stands for the file.
        is_local = finding.span.end and finding.name not in everywhere
        at = _index_at(tree.instructions, starts, finding.span.start) if is_local else None
        if at is None:
            whole_file.add(name)
        else:
            by_place.setdefault(tree.instructions[at].span.start, set()).add(name)
    if whole_file and not starts:
        starts = [len(source.text)]
    inserts = [(place, "ignore", names) for place, names in by_place.items()]
    if whole_file:
        inserts.append((starts[0], "ignore-file", whole_file))
    text = source.text
    for place, form, names in sorted(inserts, key=lambda one: one[:2], reverse=True):
        line = source.line_starts[source.line_of(place) - 1]
        indent = text[line:place] if text[line:place].isspace() else ""
        at = place - len(indent)
        comments = [f"{indent}{comment}{source.newline}" for comment in _comments(form, names, reason)]
        text = text[:at] + "".join(comments) + text[at:]
    return Source(text, source.name)


def _comments(form: str, names: Iterable[str], reason: str) -> Iterator[str]:
    """Write comments for names, as few as lines of a readable length allow."""
    end = f"] {reason}".rstrip()
    line = ""
    for name in sorted(names):
        more = f"{line}, {name}" if line else f"# dfopt: {form}[{name}"
        if line and len(more) + len(end) > _WIDTH:
            yield line + end
            more = f"# dfopt: {form}[{name}"
        line = more
    yield line + end


class _Places:
    """Tells what a comment at a place is about."""

    def __init__(self, tree: Dockerfile) -> None:
        self.tree = tree
        self.end = len(tree.source.text) + 1
        self.starts = [one.span.start for one in tree.instructions]
        self.stages = [one.span.start for one in tree.instructions if isinstance(one, From)]

    def next_instruction(self, comment: Comment) -> Span:
        """Give the instruction behind a comment, or, inside a continued one, the next line of it."""
        at = bisect_left(self.starts, comment.span.end)
        instructions = self.tree.instructions
        if at and comment.span.start < instructions[at - 1].span.end:
            return self._next_line(comment, instructions[at - 1])
        return instructions[at].span if at < len(instructions) else Span(self.end, self.end)

    def stage(self, comment: Comment) -> Span:
        """Give the stage that a comment stands in; directly above FROM it is the one that begins there."""
        at = bisect_left(self.starts, comment.span.end)
        here = comment.span.start
        if at < len(self.starts) and isinstance(self.tree.instructions[at], From):
            here = self.starts[at]
        number = bisect_left(self.stages, here + 1)
        start = self.stages[number - 1] if number else 0
        return Span(start, self.stages[number] if number < len(self.stages) else self.end)

    def _next_line(self, comment: Comment, instruction: Instruction) -> Span:
        source = self.tree.source
        line = source.line_of(comment.span.end) + 1
        while line <= len(source.line_starts) and source.line_text(line).lstrip()[:1] in ("#", ""):
            line += 1
        return Span(
            source.offset(line), min(source.offset(line) + len(source.line_text(line)) + 1, instruction.span.end)
        )


def _comment(places: _Places, comment: Comment) -> Suppression | None:
    text = comment.text.lstrip("#").strip()
    lower = text[:9].lower()
    if lower.startswith("dfopt:"):
        match = _OWN.fullmatch(text)
        if match is None:
            return Suppression(
                "dfopt",
                "ignore",
                comment.span,
                Span(0, 0),
                problem=f"cannot be read: {text[:60]!r}; write ignore[rule]",
            )
        return _own(places, comment, match)
    if lower.startswith("hadolint"):
        match = _HADOLINT.fullmatch(text)
        if match is None:
            return None
        form = _FORMS[match["scope"]]
        codes = tuple(code.strip() for code in match["codes"].split(","))
        reason = match["rest"].strip().lstrip("#").strip()
        return Suppression("hadolint", form, comment.span, _scope(places, comment, form), codes, reason)
    if lower.startswith("check="):
        skipped = _skipped(text[6:].split(None, 1)[0] if text[6:].strip() else "")
        scope = places.next_instruction(comment)
        return Suppression("buildkit", "ignore", comment.span, scope, skipped) if skipped else None
    return None


def _own(places: _Places, comment: Comment, match: re.Match[str]) -> Suppression:
    form = match["form"].lower()
    rest = match["rest"].strip().lstrip("-:#").strip()
    until = _UNTIL.search(rest)
    problem = ""
    expired = False
    if until is not None:
        from datetime import date

        rest = (rest[: until.start()] + rest[until.end() :]).strip()
        try:
            expired = date.fromisoformat(until[1]) < date.today()
        except ValueError:
            problem = f"has no date after until=: {until[1]!r}; write until=YYYY-MM-DD"
    codes: tuple[str, ...] = ()
    if match["codes"] is not None:
        codes = tuple(code.strip() for code in match["codes"].split(",") if code.strip())
        if not codes:
            problem = "names no rule between its brackets"
    return Suppression(
        "dfopt",
        form,
        comment.span,
        _scope(places, comment, form),
        codes,
        rest,
        until=until[1] if until else "",
        expired=expired,
        problem=problem,
    )


def _scope(places: _Places, comment: Comment, form: str) -> Span:
    if form == "ignore-file":
        return Span(0, places.end)
    return places.stage(comment) if form == "ignore-stage" else places.next_instruction(comment)


def _directive(tree: Dockerfile, value: str, span: Span) -> Suppression | None:
    skipped = _skipped(value.split(None, 1)[0] if value.strip() else "")
    return (
        Suppression("buildkit", "ignore-file", span, Span(0, len(tree.source.text) + 1), skipped) if skipped else None
    )


def _skipped(value: str) -> tuple[str, ...]:
    for part in value.split(";"):
        name, _, checks = part.partition("=")
        if name.strip() == "skip":
            return tuple(check.strip() for check in checks.split(",") if check.strip())
    return ()


def _codes(suppression: Suppression, registry: Registry) -> Mapping[str, frozenset[str]]:
    """Give the codes behind each word of a comment."""
    result = {}
    for word in suppression.selectors:
        if suppression.kind == "buildkit" and word == "all":
            rules = tuple(rule for rule in registry if any(_is_check(alias) for alias in rule.aliases))
        else:
            rules = registry.find(word)
        result[word] = frozenset((*(code for rule in rules for code in (rule.code, *rule.aliases)), word.upper()))
    return result


def _is_check(alias: str) -> bool:
    return alias.isalpha() and alias[:1].isupper() and not alias.isupper()


def _selector(finding: Finding, one: Suppression, codes: Mapping[str, frozenset[str]]) -> str | None:
    """Give the word of a comment that silences a finding; the empty one stands for all rules."""
    if one.problem or one.expired or finding.span.start not in one.scope or finding.name == "internal-error":
        return None
    if not one.selectors:
        return ""
    for word, behind in codes.items():
        if finding.code in behind or (word.upper() == "SC" and finding.code.startswith("SC")):
            return word
    return None


def _judged(one: Suppression, codes: Mapping[str, frozenset[str]], used: set[str], running: set[str]) -> Suppression:
    """Say which words of a comment were not needed; a word for rules that did not run cannot be judged."""
    from msgspec.structs import replace

    if one.kind != "dfopt" or one.problem or one.expired:
        return one
    if not one.selectors:
        return one if used else replace(one, unused=("",))
    unknown = tuple(word for word in one.selectors if len(codes[word]) == 1 and not _runs(codes[word], running))
    unknown = tuple(word for word in unknown if not word.upper().startswith("SC"))
    idle = tuple(
        word for word in one.selectors if word not in used and word not in unknown and _runs(codes[word], running)
    )
    return replace(one, unused=idle, unknown=unknown)


def _runs(codes: frozenset[str], running: set[str]) -> bool:
    return bool(codes & running) or any(code[:2] == "SC" and "SC" in running for code in codes)


def _index_at(instructions: tuple[Instruction, ...], starts: list[int], offset: int) -> int | None:
    at = bisect_left(starts, offset + 1) - 1
    return at if at >= 0 and offset < max(instructions[at].span.end, starts[at] + 1) else None
