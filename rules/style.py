"""Rules about the form of the file: cases, blank lines, line ends, comments. They read the tree alone."""

from __future__ import annotations

import re
from collections.abc import Iterator

from dfopt.edit import Edit
from dfopt.finding import Finding, Fix, Severity
from dfopt.lint.rule import Bad, Build, Good, Option, Rule
from dfopt.source import Span
from dfopt.syntax.tree import Comment, Dockerfile, From, Instruction, Run

DIRECTIVES = ("syntax", "escape", "check")


class KeywordCasing(Rule):
    """An instruction is not written in the case that most instructions of the file have.

    Fix safety: safe; the builder does not look at the case of keywords.
    """

    code = "F101"
    name = "keyword-casing"
    aliases = ("ConsistentInstructionCasing", "S6476")
    severity = Severity.STYLE
    examples = (
        Bad("FROM debian:12\nrun true\n", at="run", fixed="FROM debian:12\nRUN true\n"),
        Bad("from debian:12\nrun true\nCOPY a /b\n", at="COPY", fixed="from debian:12\nrun true\ncopy a /b\n"),
        Bad("FROM debian:12\nRun true\n", at="Run", fixed="FROM debian:12\nRUN true\n"),
        Bad("From debian:12 As a\nRUN true\nRUN true\n", at="From", fixed="FROM debian:12 AS a\nRUN true\nRUN true\n"),
        Good("FROM debian:12\nRUN true\n"),
        Good("from debian:12\nrun true\n"),
    )

    def check(self, build: Build) -> Iterator[Finding]:
        """Report every keyword in another case; upper case wins where both are used as often."""
        tree = build.tree
        written = [(one, tree.source.slice(one.keyword_span)) for stage in tree.stages for one in stage]
        lower = sum(word == word.lower() for _, word in written)
        upper = sum(word == word.upper() != word.lower() for _, word in written)
        for instruction, word in written:
            wanted = word.lower() if lower > upper else word.upper()
            if word != wanted and instruction.keyword in Dockerfile.KEYWORDS:
                edits = [Edit(instruction.keyword_span, wanted)]
                if isinstance(instruction, From) and instruction.as_span is not None:
                    edits.append(Edit(instruction.as_span, "as" if wanted.islower() else "AS"))
                yield self.finding(
                    instruction.keyword_span,
                    f"most instructions are in {'lower' if lower > upper else 'upper'} case: write {wanted}",
                    fix=self.safe(f"Write {wanted}", *edits),
                )


class FromAsCasing(Rule):
    """FROM and AS are written in different cases.

    Fix safety: safe; the builder does not look at the case of keywords.
    """

    code = "F102"
    name = "from-as-casing"
    aliases = ("FromAsCasing",)
    severity = Severity.STYLE
    examples = (
        Bad("FROM debian:12 as build\n", at="as", fixed="FROM debian:12 AS build\n"),
        Bad("from debian:12 AS build\n", at="AS", fixed="from debian:12 as build\n"),
        Good("FROM debian:12 AS build\n"),
        Good("from debian:12 as build\n"),
        Good("From debian:12 as build\n", why="keyword-casing tells"),
    )

    def check(self, build: Build) -> Iterator[Finding]:
        """Report AS where FROM is all upper or all lower case and it is not."""
        for instruction in build.tree.instructions:
            if not isinstance(instruction, From) or instruction.as_span is None:
                continue
            keyword = build.tree.source.slice(instruction.keyword_span)
            word = build.tree.source.slice(instruction.as_span)
            wanted = word.upper() if keyword.isupper() else word.lower() if keyword.islower() else word
            if word != wanted:
                yield self.finding(
                    instruction.as_span,
                    f"{keyword} and {word} are in different cases: write {wanted}",
                    fix=self.safe(f"Write {wanted}", Edit(instruction.as_span, wanted)),
                )


class EmptyContinuation(Rule):
    """A blank line stands inside a continued instruction.

    The instruction goes on below it, against what the eye sees; builders only warn, and say that they will refuse it.

    Fix safety: safe; the builder leaves the line out.
    """

    code = "F103"
    name = "empty-continuation"
    aliases = ("NoEmptyContinuation",)
    examples = (
        Bad("FROM debian:12\nRUN a && \\\n\t\n  b\n", at="\t", fixed="FROM debian:12\nRUN a && \\\n  b\n"),
        Bad("FROM debian:12\nRUN a && \\\n  \n\n  b\n", at="  ", fixed="FROM debian:12\nRUN a && \\\n  b\n"),
        Good("FROM debian:12\nRUN a && \\\n  # why b\n  b\n"),
        Good("FROM debian:12\nRUN a\n\nRUN b\n"),
        Good("FROM debian:12\nRUN <<EOF\na\n\nb\nEOF\n", why="a line of the here-document"),
    )  # fmt: skip

    def check(self, build: Build) -> Iterator[Finding]:
        """Report the first blank line of each instruction that has some."""
        source = build.tree.source
        for instruction in build.tree.instructions:
            if not instruction.blank_lines:
                continue
            edits = [_without_line(build, line) for line in instruction.blank_lines]
            first = instruction.blank_lines[0]
            end = source.line_starts[source.line_of(first.start)] if first.end < len(source.text) else first.end
            yield self.finding(
                first if first.start < first.end else Span(first.start, end),
                f"this blank line is part of the {instruction.keyword}, which goes on below: remove it",
                fix=self.safe("Remove the blank lines", *edits),
            )


def _without_line(build: Build, line: Span) -> Edit:
    """Delete a line with its end."""
    source = build.tree.source
    number = source.line_of(line.start)
    starts = source.line_starts
    if number < len(starts):
        return Edit(Span(starts[number - 1], starts[number]), "")
    # The last line of the file: the end of the line above goes instead.
    return Edit(Span(source.line_end(number - 1), len(source.text)), "")


def _heredoc_lines(tree: Dockerfile) -> set[int]:
    """Give the numbers of the lines that hold here-documents, whose text is not ours to change."""
    lines: set[int] = set()
    for instruction in tree.instructions:
        for heredoc in instruction.heredocs:
            start, end = heredoc.body_span
            lines.update(range(tree.source.line_of(start), tree.source.line_of(max(start, end - 1)) + 1))
    return lines


class TrailingWhitespace(Rule):
    """A line ends in blanks. Off unless selected.

    Fix safety: safe; blanks at the end of a line mean nothing, behind a continuation character too.
    """

    code = "F104"
    name = "trailing-whitespace"
    aliases = ("tally/no-trailing-spaces",)
    severity = Severity.STYLE
    default = False
    strict = False
    examples = (
        Bad("FROM debian:12  \nRUN true\n", at="  ", fixed="FROM debian:12\nRUN true\n"),
        Bad("FROM debian:12\nRUN a && \\ \n  b\n", at=" \n", fixed="FROM debian:12\nRUN a && \\\n  b\n"),
        Good("FROM debian:12\nRUN true\n"),
        Good("FROM debian:12\nRUN <<EOF\na  \nEOF\n", why="the text of the here-document"),
    )  # fmt: skip

    def check(self, build: Build) -> Iterator[Finding]:
        """Report each such line outside of here-documents."""
        source = build.tree.source
        kept: set[int] | None = None
        for line in range(1, len(source.line_starts) + 1):
            text = source.line_text(line)
            bare = text.rstrip(" \t")
            if bare == text:
                continue
            if kept is None:
                kept = _heredoc_lines(build.tree)
            if line in kept:
                continue
            end = source.line_end(line)
            start = end - len(text) + len(bare)
            if end - start == 1 and end < len(source.text) and source.text[end] == "\n":
                shown = Span(start, end + 1)
            else:
                shown = Span(start, end)
            yield self.finding(
                shown, "blanks at the end of the line", fix=self.safe("Remove them", Edit(Span(start, end), ""))
            )


class LongLine(Rule):
    """A line is longer than the project wants. Off unless selected.

    Long RUN lines hide what they do; break them behind ``&&`` or use a here-document.
    """

    code = "F105"
    name = "long-line"
    aliases = ("S7020",)
    severity = Severity.STYLE
    default = False
    strict = False
    options = (Option("length", int, 120, "the greatest number of characters of a line"),)
    examples = (
        Bad("FROM debian:12\nRUN echo one two three\n", at="RUN echo one two three", options={"length": 20}),
        Good("FROM debian:12\nRUN echo one\n", options={"length": 20}),
        Good("FROM debian:12\nRUN echo one two three\n"),
        Good(f"FROM debian:12\n# https://example.com/{'a' * 120}\n", why="an address cannot be broken"),
    )

    def check(self, build: Build) -> Iterator[Finding]:
        """Report each line that is longer and could be broken."""
        source, limit = build.tree.source, int(build.options.get("length", 120))
        for line, start in enumerate(source.line_starts, 1):
            text = source.line_text(line)
            if len(text) > limit and any(at < limit for at in _blanks(text.lstrip("# \t"), len(text))):
                yield self.finding(
                    Span(start, start + len(text)),
                    f"this line has {len(text)} characters, {limit} are allowed: break it",
                )


def _blanks(text: str, length: int) -> Iterator[int]:
    """Give the places of a line, given without its indentation, where it could be broken."""
    return (found.start() + length - len(text) for found in re.finditer(r"\s", text))


class MissingFinalNewline(Rule):
    """The file does not end with a newline. Off unless selected.

    Fix safety: safe; the builder does not look at it.
    """

    code = "F107"
    name = "missing-final-newline"
    aliases = ("tally/eol-last",)
    severity = Severity.STYLE
    default = False
    strict = False
    examples = (
        Bad("FROM debian:12\nRUN sync", at="c", fixed="FROM debian:12\nRUN sync\n"),
        Good("FROM debian:12\nRUN true\n"),
        Good("FROM debian:12\r\nRUN true\r\n"),
    )

    def check(self, build: Build) -> Iterator[Finding]:
        """Report the last character."""
        source = build.tree.source
        end = len(source.text)
        if source.text and not source.text.endswith("\n") and not build.tree.problems:
            yield self.finding(
                Span(end - 1, end),
                "the file does not end with a newline: add one",
                fix=self.safe("Add a newline", Edit(Span(end, end), source.newline)),
            )


class MixedLineEndings(Rule):
    """Some lines end in CR LF, others in LF.

    Editors show one thing, and here-documents and quoted texts hold another.

    Fix safety: safe where the file has no here-document; the builder drops the CR at line ends.
    """

    code = "F108"
    name = "mixed-line-endings"
    severity = Severity.STYLE
    default = False
    examples = (
        Bad("FROM debian:12\nRUN true\r\nRUN false\n", at="\r", fixed="FROM debian:12\nRUN true\nRUN false\n"),
        Good("FROM debian:12\nRUN true\n"),
        Good("FROM debian:12\r\nRUN true\r\n", why="all alike"),
    )

    def check(self, build: Build) -> Iterator[Finding]:
        """Report the first line that ends unlike most."""
        text = build.tree.source.text
        if "\r" not in text:
            return
        ends = [match.start() for match in re.finditer(r"\n", text)]
        with_cr = [at for at in ends if at and text[at - 1] == "\r"]
        without = [at for at in ends if not (at and text[at - 1] == "\r")]
        if not with_cr or not without:
            return
        dos = len(with_cr) > len(without)
        odd = without if dos else with_cr
        edits = [Edit(Span(at, at), "\r") if dos else Edit(Span(at - 1, at), "") for at in odd]
        plain = not any(instruction.heredocs for instruction in build.tree.instructions)
        place = Span(odd[0], odd[0] + 1) if dos else Span(odd[0] - 1, odd[0])
        kind = "CR LF" if dos else "LF"
        fix: Fix | None = self.safe(f"End all lines in {kind}", *edits) if plain else None
        yield self.finding(place, f"most lines end in {kind}, this one does not", fix=fix)


class InlineIgnoreUsed(Rule):
    """A comment silences a rule. Off unless selected, for projects that allow no exceptions."""

    code = "F110"
    name = "inline-ignore-used"
    aliases = ("DL1001",)
    severity = Severity.INFO
    default = False
    strict = False
    after = True
    examples = (
        Bad("# hadolint ignore=DL3006\nFROM debian\n", at="# hadolint ignore=DL3006"),
        Bad("# dfopt: ignore[untagged-base] why not\nFROM debian\n", at="# dfopt: ignore[untagged-base] why not"),
        Good("# only a comment\nFROM debian:12\n"),
        Good("# hadolint shell=bash\nFROM debian:12\n", why="tells something and silences nothing"),
    )

    def check(self, build: Build) -> Iterator[Finding]:
        """Report every such comment."""
        for one in build.suppressions:
            if not one.problem:
                yield self.finding(one.span, "exceptions are not allowed here: repair what this comment hides")


class TodoComment(Rule):
    """A comment says that something is left to do. Off unless selected."""

    code = "F112"
    name = "todo-comment"
    aliases = ("S1135",)
    severity = Severity.STYLE
    default = False
    strict = False
    examples = (
        Bad("FROM debian:12\n# TODO: pin the version\nRUN true\n", at="# TODO: pin the version"),
        Bad("FROM debian:12\nRUN a && \\\n  # FIXME later\n  b\n", at="# FIXME later"),
        Good("FROM debian:12\n# prints a todo list\nRUN true\n"),
    )

    def check(self, build: Build) -> Iterator[Finding]:
        """Report comments with TODO, FIXME, XXX or HACK in upper case."""
        for comment in build.tree.comments:
            if re.search(r"\b(?:TODO|FIXME|XXX|HACK)\b", comment.text):
                yield self.finding(comment.span, "something is left to do here")


class SeveralBlankLines(Rule):
    """Several blank lines follow each other. Off unless selected.

    Fix safety: safe; blank lines between instructions mean nothing.
    """

    code = "F113"
    name = "several-blank-lines"
    aliases = ("tally/no-multiple-empty-lines",)
    severity = Severity.STYLE
    default = False
    strict = False
    options = (Option("max", int, 1, "how many blank lines may follow each other"),)
    examples = (
        Bad("FROM debian:12\n\n\t\nRUN true\n", at="\t\n", fixed="FROM debian:12\n\nRUN true\n"),
        Good("FROM debian:12\n\nRUN true\n"),
        Good("FROM debian:12\n\n\nRUN true\n", options={"max": 2}),
        Good("FROM debian:12\nRUN <<EOF\na\n\n\nb\nEOF\n", why="the text of the here-document"),
    )  # fmt: skip

    def check(self, build: Build) -> Iterator[Finding]:
        """Report the first line too many of each stretch between instructions and comments."""
        source, limit = build.tree.source, int(build.options.get("max", 1))
        inside: set[int] | None = None
        starts, count = source.line_starts, 0
        for line in range(1, len(starts)):
            count = 0 if source.line_text(line).strip() else count + 1
            if count != limit + 1:
                continue
            if inside is None:
                inside = _instruction_lines(build.tree)
            if line in inside:
                continue
            last = line
            while last < len(starts) - 1 and not source.line_text(last + 1).strip():
                last += 1
            edit = Edit(Span(starts[line - 1], starts[last]), "")
            yield self.finding(
                Span(starts[line - 1], starts[line]),
                f"{limit} blank line{'s' if limit > 1 else ''} in a row will do",
                fix=self.safe("Remove the others", edit),
            )


def _instruction_lines(tree: Dockerfile) -> set[int]:
    lines: set[int] = set()
    for instruction in tree.instructions:
        first, end = tree.source.line_of(instruction.span.start), instruction.span.end
        lines.update(range(first, tree.source.line_of(max(instruction.span.start, end - 1)) + 1))
    return lines


_DIRECTIVE_LIKE = r"([A-Za-z]+)\s*([=:]?)\s*(\S.*?)\s*$"
_VALUES = {
    "syntax": r"(?:docker\.io/)?(?:docker|docker-upstream|dockerfile|tonistiigi)/\S+",
    "escape": r"[`\\]",
    "check": r"(?:skip|error|experimental)=\S+",
}


class DirectiveWithoutEffect(Rule):
    """A comment looks like a parser directive and is none.

    Directives count at the top of the file only, above every other comment, blank line and instruction, and only if
    they are spelt right. The builder takes anything else for a comment, without a word.

    Fix safety: unsafe; the directive then begins to count.
    """

    code = "F114"
    name = "directive-without-effect"
    aliases = ("tally/syntax-directive-typo",)
    examples = (
        Bad(
            "# sintax=docker/dockerfile:1\nFROM debian:12\n",
            at="# sintax=docker/dockerfile:1",
            fixed="# syntax=docker/dockerfile:1\nFROM debian:12\n",
            unsafe=True,
        ),
        Bad(
            "# syntax: docker/dockerfile:1\nFROM debian:12\n",
            at="# syntax: docker/dockerfile:1",
            fixed="# syntax=docker/dockerfile:1\nFROM debian:12\n",
            unsafe=True,
        ),
        Bad(
            "# The app\n# syntax=docker/dockerfile:1\nFROM debian:12\n",
            at="# syntax=docker/dockerfile:1",
            fixed="# syntax=docker/dockerfile:1\n# The app\nFROM debian:12\n",
            unsafe=True,
        ),
        Bad("FROM debian:12\n# escape=`\nRUN true\n", at="# escape=`"),
        Good("# syntax=docker/dockerfile:1\n# escape=`\nFROM debian:12\n"),
        Good("FROM debian:12\n# syntax is explained below\n"),
        Good("FROM debian:12\n# check=skip=UndefinedVar\nENV A=$B\n", why="BuildKit reads it above an instruction too"),
        Good("FROM debian:12\n# for syntax=docker/dockerfile:1 see above\n"),
    )

    def check(self, build: Build) -> Iterator[Finding]:
        """Report comments that name a directive, or nearly so, with a value that only a directive has."""
        tree = build.tree
        known = {directive.name for directive in tree.directives}
        first = tree.instructions[0].span.start if tree.instructions else len(tree.source.text)
        for comment in tree.comments:
            if "=" not in comment.text and ":" not in comment.text:
                continue
            name = self._meant(comment)
            if name is None or name in known:
                continue
            head = comment.span.start < first
            spelt = comment.text.partition("=")[0].strip().lower() == name
            if spelt and name == "check":
                continue
            if not spelt and not head:
                continue
            why = "stands below the top of the file" if spelt else f"is not spelt {name}="
            yield self.finding(
                comment.span, f"this is no directive but a comment: it {why}", fix=self._fix(build, comment, name, head)
            )

    @staticmethod
    def _meant(comment: Comment) -> str | None:
        from dfopt.syntax.spelling import distance

        found = re.fullmatch(_DIRECTIVE_LIKE, comment.text)
        if found is None:
            return None
        word = found[1].lower()
        for name in DIRECTIVES:
            near = word == name or (abs(len(word) - len(name)) < 3 and distance(word, name) <= 2)
            if near and re.fullmatch(_VALUES[name], found[3]):
                return name
        return None

    def _fix(self, build: Build, comment: Comment, name: str, head: bool) -> Fix | None:
        found = re.fullmatch(_DIRECTIVE_LIKE, comment.text)
        if found is None or name == "escape" or not head:
            return None
        source = build.tree.source
        text = f"# {name}={found[3]}"
        directives = [directive.span for directive in build.tree.directives]
        line = source.line_of(comment.span.start)
        top = source.line_of(directives[-1].start) + 1 if directives else 1
        if line == top:
            return self.unsafe("Write the directive", Edit(comment.span, text))
        if line >= len(source.line_starts):
            return None
        at = source.offset(top)
        old = Span(source.offset(line), source.line_starts[line])
        return self.unsafe("Put the directive on top", Edit(Span(at, at), text + source.newline), Edit(old, ""))


class DefinitionDescription(Rule):
    """The comment above an ARG or a stage does not begin with its name.

    ``docker build --call=outline`` shows such comments as descriptions, and only those that begin with the name. Off
    unless selected.

    Fix safety: safe; a blank comment line is put between.
    """

    code = "D139"
    name = "definition-description"
    aliases = ("InvalidDefinitionDescription",)
    severity = Severity.STYLE
    default = False
    strict = False
    examples = (
        Bad(
            "# the base\nFROM debian:12 AS base\n",
            at="# the base",
            fixed="# the base\n#\nFROM debian:12 AS base\n",
        ),
        Bad(
            "FROM debian:12\n# which one\nARG V=1\n",
            at="# which one",
            fixed="FROM debian:12\n# which one\n#\nARG V=1\n",
        ),
        Good("# base has what all stages need\nFROM debian:12 AS base\n"),
        Good("# the image\nFROM debian:12\n", why="the stage has no name"),
        Good("# hadolint ignore=DL3006\nFROM debian AS base\n", why="meant for a tool"),
    )

    def check(self, build: Build) -> Iterator[Finding]:
        """Report the comment directly above."""
        from dfopt.syntax.tree import Arg

        for instruction in build.tree.instructions:
            names: list[str] = []
            if isinstance(instruction, Arg):
                names = [pair.key for pair in instruction.pairs]
            elif isinstance(instruction, From) and instruction.name:
                names = [instruction.name]
            if not names or not instruction.comments:
                continue
            comment = instruction.comments[-1]
            if comment.text.split(" ")[0] in names or re.match(r"(?:hadolint|dfopt|check|shellcheck)\b", comment.text):
                continue
            at = build.tree.source.line_starts[build.tree.source.line_of(instruction.span.start) - 1]
            yield self.finding(
                comment.span,
                f"a description begins with the name: begin with {names[0]}, or set the comment apart",
                fix=self.safe("Set it apart", Edit(Span(at, at), "#" + build.tree.source.newline)),
            )


class IndentedInstruction(Rule):
    """An instruction is indented. Off unless selected.

    Fix safety: safe; the builder does not look at blanks in front of an instruction.
    """

    code = "F115"
    name = "indented-instruction"
    severity = Severity.STYLE
    default = False
    strict = False
    examples = (
        Bad("FROM debian:12\n  RUN true\n", at="RUN", fixed="FROM debian:12\nRUN true\n"),
        Good("FROM debian:12\nRUN a && \\\n    b\n", why="a continued line"),
        Good("FROM debian:12\n\nRUN true\n"),
    )

    def check(self, build: Build) -> Iterator[Finding]:
        """Report instructions behind blanks."""
        source = build.tree.source
        for instruction in build.tree.instructions:
            start = source.line_starts[source.line_of(instruction.span.start) - 1]
            blanks = source.text[start : instruction.span.start]
            if blanks and not blanks.strip(" \t"):
                yield self.finding(
                    instruction.keyword_span,
                    "instructions begin at the first column",
                    fix=self.safe("Remove the blanks", Edit(Span(start, instruction.span.start), "")),
                )


class LineContinuationAtEnd(Rule):
    """The last line of an instruction ends in a continuation character, and nothing follows.

    The next line that is added there becomes part of this instruction.

    Fix safety: safe; the builder drops the character.
    """

    code = "F116"
    name = "dangling-continuation"
    severity = Severity.INFO
    default = False
    examples = (
        Bad("FROM debian:12\nRUN true \\\n", at="\\", fixed="FROM debian:12\nRUN true\n"),
        Good("FROM debian:12\nRUN a && \\\n  b\n"),
        Good("FROM debian:12\nRUN true\n"),
    )

    def check(self, build: Build) -> Iterator[Finding]:
        """Report the character where only comments, blank lines or the end of the file follow it."""
        tree, source = build.tree, build.tree.source
        if not tree.instructions:
            return
        last: Instruction = tree.instructions[-1]
        if last.heredocs or tree.problems or last.inner_comments or last.blank_lines or not isinstance(last, Run):
            return
        text = source.text[: last.span.end].rstrip(" \t\r\n")
        if source.text[last.span.end :].strip() or not text.endswith(tree.escape):
            return
        at = len(text) - 1
        bare = len(text[:at].rstrip(" \t"))
        end = last.span.end
        yield self.finding(
            Span(at, at + 1),
            "nothing follows: what is written below some day becomes part of this instruction; remove it",
            fix=self.safe("Remove it", Edit(Span(bare, end), "")),
        )
