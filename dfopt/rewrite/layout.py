"""Edits in the author's own layout: joining RUNs, appending commands, taking instructions and commands out."""

from __future__ import annotations

import re
from collections.abc import Sequence

from msgspec import Struct

from dfopt.edit import Edit
from dfopt.graph.model import InstructionGraph, Step
from dfopt.rewrite.script import errexit_runs
from dfopt.shell.model import ListItem
from dfopt.source import Span
from dfopt.syntax.tree import Run

_LEADING = re.compile(r"^([ \t]*)&&[ \t]*\S", re.MULTILINE)
_TRAILING = re.compile(r"&&[ \t]*[\\`]\r?\n([ \t]*)\S")
_WIDTH = 100


class Style(Struct, frozen=True):
    """How the author continues a list of commands: ``leading`` operators or trailing ones, and the indentation."""

    leading: bool
    indent: str
    newline: str
    escape: str


def style_of(graph: InstructionGraph) -> Style:
    """Tell how the RUNs of a file are laid out; four blanks and leading ``&&`` where none shows it."""
    text = "\n".join(graph.tree.source.slice(step.span) for step in graph.steps if isinstance(step.instruction, Run))
    newline, escape = graph.tree.source.newline, graph.tree.escape
    leading, trailing = _LEADING.findall(text), _TRAILING.findall(text)
    if leading and len(leading) >= len(trailing):
        return Style(True, max(set(leading), key=leading.count), newline, escape)
    if trailing:
        return Style(False, max(set(trailing), key=trailing.count), newline, escape)
    return Style(True, "    ", newline, escape)


def body_start(step: Step) -> int:
    """Give the offset of the first character after the keyword and flags."""
    return step.instruction.body.to_file(0)


def can_extend(step: Step) -> str:
    """Tell why nothing can be appended to a RUN's commands; "" where it can."""
    instruction, script = step.instruction, step.script
    if not isinstance(instruction, Run) or script is None:
        return "it is not a RUN"
    if instruction.is_exec:
        return "it is in exec form"
    if instruction.heredocs:
        return "it holds a here-document"
    if script.problems or not script.items:
        return "its shell code is not understood"
    if script.comments:
        return "it holds a shell comment"
    if any(command.background for command in script.commands):
        return "it starts a job in the background"
    return ""


def joined_text(steps: Sequence[Step], between: Sequence[Step], graph: InstructionGraph, flags: Sequence[str]) -> str:
    """Give the text of several RUNs as one, ``flags`` added; what stood ``between`` them follows."""
    source, style = graph.tree.source, style_of(graph)
    text = source.text
    first = steps[0]
    head = text[first.instruction.keyword_span.start : first.instruction.keyword_span.end]
    own = [text[flag.span.start : flag.span.end] for flag in first.instruction.flags]
    wanted = [*own, *(flag for flag in flags if flag not in own)]
    continued = f" {style.escape}{style.newline}"
    out = head
    for flag in wanted:
        out += f" {flag}{continued}   " if flag not in own else f" {flag}"
    separator = text[
        first.instruction.flags[-1].span.end if own else first.instruction.keyword_span.end : body_start(first)
    ]
    out += separator if len(wanted) == len(own) or own else " "
    out += text[body_start(first) : first.span.end].rstrip()
    for step in steps[1:]:
        comments = "".join(
            text[comment.span.start : comment.span.end].strip() + style.newline for comment in step.instruction.comments
        )
        body = text[body_start(step) : step.span.end].rstrip()
        if errexit_runs(step) and errexit_runs(first):
            body = text[_after_set(step) : step.span.end].rstrip()
            indent = _indent_of(text[first.span.start : first.span.end]) or style.indent
            out += f"; {style.escape}{style.newline}{comments}{indent}{body}"
        elif style.leading:
            out += f"{continued}{comments}{style.indent}&& {body}"
        else:
            out += f" && {style.escape}{style.newline}{comments}{style.indent}{body}"
    for step in between:
        start = min([comment.span.start for comment in step.instruction.comments] + [step.span.start])
        out += style.newline + text[start : step.span.end]
    return out


def _indent_of(text: str) -> str:
    match = re.search(r"\n([ \t]+)\S", text)
    return match.group(1) if match else ""


def _after_set(step: Step) -> int:
    script = step.script
    assert script is not None
    return script.items[1].span.start


def joined_span(steps: Sequence[Step], graph: InstructionGraph) -> Span:
    """Give the span from the first RUN to the last character of the last."""
    return Span(steps[0].span.start, text_end(steps[-1], graph))


def text_end(step: Step, graph: InstructionGraph) -> int:
    """Give the offset after the last character of an instruction, blanks and a carriage return left out."""
    return step.span.start + len(graph.tree.source.slice(step.span).rstrip())


def appended(step: Step, command: str, graph: InstructionGraph) -> Edit:
    """Append a command to a RUN, on a line of its own where the RUN has several or would become too wide."""
    style = style_of(graph)
    text = graph.tree.source.slice(step.span)
    end = text_end(step, graph)
    at = Span(end, end)
    if errexit_runs(step):
        indent = _indent_of(text) or style.indent
        glue = f"; {style.escape}{style.newline}{indent}" if "\n" in text else "; "
        return Edit(at, glue + command)
    if "\n" not in text and len(text) + len(command) + 4 <= _WIDTH:
        return Edit(at, f" && {command}")
    own = style
    if leading := _LEADING.findall(text):
        own = Style(True, leading[-1], style.newline, style.escape)
    elif trailing := _TRAILING.findall(text):
        own = Style(False, trailing[-1], style.newline, style.escape)
    if own.leading:
        return Edit(at, f" {own.escape}{own.newline}{own.indent}&& {command}")
    return Edit(at, f" && {own.escape}{own.newline}{own.indent}{command}")


def deleted(step: Step, graph: InstructionGraph) -> Edit:
    """Take an instruction out with its line and the comments right above it."""
    source = graph.tree.source
    start = step.span.start
    for comment in reversed(step.instruction.comments):
        if source.line_of(comment.span.start) + 1 != source.line_of(start):
            break
        start = comment.span.start
    start = source.line_starts[source.line_of(start) - 1]
    if start == 0 and source.has_bom:
        start = 1
    end = source.text.find("\n", step.span.end)
    end = len(source.text) if end < 0 else end + 1
    if end == len(source.text) and not source.text.endswith("\n") and start > 0:
        start -= 2 if source.text[max(0, start - 2) : start] == "\r\n" else 1
    return Edit(Span(start, end), "")


def without_item(step: Step, item: ListItem) -> Edit | None:
    """Take one command out of a RUN's list; None where it is the only one."""
    script = step.script
    if script is None or len(script.items) < 2:
        return None
    at = script.items.index(item)
    if at == 0:
        return Edit(Span(item.span.start, script.items[1].span.start), "")
    return Edit(Span(script.items[at - 1].span.end, item.span.end), "")


def with_flag(step: Step, flag: str, graph: InstructionGraph) -> Edit:
    """Add an option to an instruction, in front of its arguments and on a line of its own."""
    style = style_of(graph)
    instruction = step.instruction
    end = instruction.flags[-1].span.end if instruction.flags else instruction.keyword_span.end
    if isinstance(instruction, Run):
        return Edit(Span(end, body_start(step)), f" {flag} {style.escape}{style.newline}    ")
    return Edit(Span(end, end), f" {flag}")


def line_start(step: Step, graph: InstructionGraph) -> int:
    """Give the offset at which an instruction's first line begins."""
    source = graph.tree.source
    start = source.line_starts[source.line_of(step.span.start) - 1]
    return 1 if start == 0 and source.has_bom else start
