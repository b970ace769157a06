"""Edits of whole instructions: delete one, put one before or after another, in the layout of the file."""

from __future__ import annotations

from dfopt.edit import Edit
from dfopt.source import Source, Span
from dfopt.syntax.tree import Instruction


def line_span(source: Source, instruction: Instruction) -> Span:
    """Give the span of all lines of an instruction, its indentation and final newline included."""
    starts = source.line_starts
    start = starts[source.line_of(instruction.span.start) - 1]
    last = source.line_of(max(instruction.span.start, instruction.span.end - 1))
    return Span(start, starts[last] if last < len(starts) else len(source.text))


def delete(source: Source, instruction: Instruction) -> Edit:
    """Delete an instruction with its lines; at the end of a file without final newline, the newline before goes too."""
    start, end = line_span(source, instruction)
    if end == len(source.text) and start > 0 and not source.text.endswith("\n"):
        start -= len(source.newline) if source.text[:start].endswith(source.newline) else 1
    return Edit(Span(start, end), "")


def insert_before(source: Source, instruction: Instruction, *lines: str) -> Edit:
    """Put lines above an instruction, with its indentation."""
    start = line_span(source, instruction).start
    indent = source.text[start : instruction.span.start]
    if indent.strip():
        indent = ""
    return Edit(Span(start, start), "".join(f"{indent}{line}{source.newline}" for line in lines))


def insert_after(source: Source, instruction: Instruction, *lines: str) -> Edit:
    """Put lines below an instruction, its here-documents included."""
    end = line_span(source, instruction).end
    if end == len(source.text) and not source.text.endswith("\n"):
        return Edit(Span(end, end), "".join(f"{source.newline}{line}" for line in lines))
    return Edit(Span(end, end), "".join(f"{line}{source.newline}" for line in lines))
