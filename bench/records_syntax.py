"""What dfopt's parser answers, in the schema of the BuildKit oracle: parse, instructions, words and ignore records."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from dfopt.source import BOM
from dfopt.syntax import tree, whitespace
from dfopt.syntax.arguments import Arguments
from dfopt.syntax.durations import parse_duration
from dfopt.syntax.frontend import declaration
from dfopt.syntax.heredocs import heredoc_word
from dfopt.syntax.ignorefile import IgnoreError, IgnoreFile, read_patterns
from dfopt.syntax.keywords import KEYWORDS
from dfopt.syntax.mounts import MountError, read_device, resolve_mount
from dfopt.syntax.parser import parse
from dfopt.syntax.tree import Dockerfile, Flag, Heredoc, Instruction, Problem
from dfopt.syntax.words import WordError, expand

Record = dict[str, Any]

_SURROGATES = re.compile("[\ud800-\udfff]")
_LEADING_TABS = re.compile(r"^\t+", re.MULTILINE)


def _record(**fields: Any) -> Record:
    """Make a record from its fields, strings cleaned as ``_clean`` does."""
    return {key: _clean(value) for key, value in fields.items()}


def _clean(value: Any) -> Any:
    """Replace lone surrogates as Go's JSON writer does with bytes that are not UTF-8."""
    if isinstance(value, str):
        return value if value.isascii() else _SURROGATES.sub("\ufffd", value)
    if isinstance(value, list):
        return [_clean(item) for item in value]
    if isinstance(value, dict):
        return {key: _clean(item) for key, item in value.items()}
    return value


def parse_record(text: str) -> Record:
    """Answer as BuildKit's low-level parser does for a file."""
    file = parse(text)
    error = _parse_error(file)
    syntax = declaration(text, "syntax")
    check = declaration(text, "check")
    return _record(
        ok=error is None,
        error=error,
        escape="" if error else file.escape,
        directives=_directives(file),
        syntax=syntax.value if syntax else "",
        syntax_line=syntax.line if syntax else 0,
        check=check.value if check else "",
        nodes=[] if error else [_node(file, node) for node in file.instructions],
        warnings=[] if error else list(_warnings(file)),
    )


def _directives(file: Dockerfile) -> list[Record]:
    seen: set[str] = set()
    found = []
    for directive in file.directives:
        if directive.name in seen:
            break
        seen.add(directive.name)
        found.append(
            {"name": directive.name, "value": directive.value, "line": file.source.line_of(directive.span.start)}
        )
    return found


def _lines_of(file: Dockerfile, node: Instruction) -> tuple[int, int]:
    return file.source.line_of(node.span.start), file.source.line_of(node.span.end)


def _parse_error(file: Dockerfile) -> Record | None:
    """Give the error at which BuildKit's low-level parser stops: the first one of the file."""
    source = file.source
    long_line = next((item for item in file.problems if item.code == "E003"), None)
    if long_line:
        # BuildKit reads up to there and only then says that it cannot go on.
        before = source.text[: long_line.span.start]
        return _parse_error(parse(before)) or {"lines": [_line_count(before)], "stage": "parse"}
    found: Problem | None = next((item for item in file.problems if item.stage == "parse"), None)
    if found is None:
        return None
    if found.code in ("E001", "E002"):
        lines = [source.line_of(found.span.start) - 1]
    elif found.code == "E004":
        lines = [_line_count(source.text)]
    else:
        node = next(node for node in file.instructions if found in node.problems)
        first, last = _lines_of(file, node)
        if found.code != "E005" and node.heredocs:
            last = source.line_of(node.heredocs[0].word_span.start)
        lines = list(range(first, last + 1))
    return {"lines": lines, "stage": "parse"}


def _line_count(text: str) -> int:
    return text.count("\n") + (not text.endswith("\n") and bool(text))


def _node(file: Dockerfile, node: Instruction) -> Record:
    first, last = _lines_of(file, node)
    return {
        **_low_level(node, file.escape, node.original, file),
        "start_line": first,
        "end_line": last,
        "heredocs": [_heredoc(heredoc) for heredoc in node.heredocs],
        "prev_comments": [_comment(file, comment) for comment in node.comments],
    }


def _low_level(node: Instruction, escape: str, original: str, file: Dockerfile) -> Record:
    raw = _keyword(original)
    arguments: list[str] = []
    json = False
    if node.keyword in KEYWORDS and node.keyword != "ONBUILD":
        low = Arguments(node.keyword, KEYWORDS[node.keyword].shape, node.body, escape)
        arguments, json = [word.text for word in low.words], low.json
        if node.keyword == "ARG":
            arguments = [pair.key if pair.value is None else f"{pair.key}={pair.value}" for pair in low.pairs]
        for pair in low.pairs if node.keyword != "ARG" else ():
            arguments += [pair.key, pair.value or "", "" if pair.legacy else "="]
    elif node.keyword not in KEYWORDS:
        arguments = [""]
    record: Record = {
        "value": _lower(raw),
        "raw_value": raw,
        "original": original,
        "start_line": 0,
        "end_line": 0,
        "flags": [_flag(flag) for flag in node.flags],
        "args": arguments,
        "json": json,
        "heredocs": [],
        "prev_comments": [],
    }
    if isinstance(node, tree.Onbuild):
        record["sub"] = _low_level(node.trigger, escape, node.body.text, file)
    return record


def _keyword(line: str) -> str:
    """Give the first word of a logical line as written."""
    return re.split(f"[{whitespace.ASCII}]", line.strip(whitespace.UNICODE), maxsplit=1)[0]


def _lower(text: str) -> str:
    """Lower a word character by character, as Go does."""
    return "".join(char.lower() if len(char.lower()) == 1 else char for char in text)


def _flag(flag: Flag) -> str:
    return f"--{flag.name}" if flag.value is None else f"--{flag.name}={flag.value}"


def _heredoc(heredoc: Heredoc) -> Record:
    return {
        "name": heredoc.name,
        "content": heredoc.content,
        "expand": heredoc.expand,
        "chomp": heredoc.chomp,
        "fd": heredoc.fd,
    }


def _comment(file: Dockerfile, comment: tree.Comment) -> str:
    """Give a comment as BuildKit keeps it: the line without its first byte, trimmed."""
    line = file.source.line_text(file.source.line_of(comment.span.start)).removeprefix(BOM)
    rest = line.encode("utf-8", "surrogateescape")[1:]
    return rest.decode("utf-8", "surrogateescape").strip(whitespace.UNICODE)


def _warnings(file: Dockerfile) -> Iterator[Record]:
    for node in file.instructions:
        if node.blank_lines:
            heredocs = node.heredocs
            last = (
                file.source.line_of(heredocs[0].body_span.start) - 1 if heredocs else file.source.line_of(node.span.end)
            )
            yield {
                "short": f"Empty continuation line found in: {node.original}",
                "url": "https://docs.docker.com/go/dockerfile/rule/no-empty-continuation/",
                "line": last,
            }


def instructions_record(text: str) -> Record:
    """Answer as BuildKit's typed parser does for a file."""
    file = parse(text)
    error = _parse_error(file)
    if error:
        return {"ok": False, "error": error, "escape": "", "meta_args": [], "stages": []}
    error = _instruction_error(file)
    record: Record = {"ok": error is None, "error": error, "escape": file.escape, "meta_args": [], "stages": []}
    if error:
        return record
    for node in file.instructions:
        if isinstance(node, tree.From):
            record["stages"].append(_stage(file, node))
        elif record["stages"]:
            record["stages"][-1]["commands"].append(_command(file, node))
        elif isinstance(node, tree.Arg):
            record["meta_args"].append({"pairs": _arg_pairs(file, node), "lines": list(_lines_of(file, node))})
    return _record(**record)


def _instruction_error(file: Dockerfile) -> Record | None:
    """Give the error at which BuildKit's typed parser stops: at the first instruction with one, with all its lines."""
    for node in file.instructions:
        if any(item.stage == "instructions" for item in node.problems):
            first, last = _lines_of(file, node)
            return {"lines": list(range(first, last + 1)), "stage": "instructions"}
    return None


def _described(file: Dockerfile, node: Instruction, name: str) -> str:
    """Give the comment that describes a stage or an argument."""
    if name:
        for comment in node.comments:
            text = _comment(file, comment)
            if text.startswith(name + " "):
                return text[len(name) + 1 :]
    return ""


def _stage(file: Dockerfile, node: tree.From) -> Record:
    return {
        "name": node.name or "",
        "base": node.image.text,
        "platform": node.platform or "",
        "orig_cmd": _keyword(node.original),
        "doc": _described(file, node, node.name or ""),
        "code": node.original.strip(whitespace.UNICODE),
        "lines": list(_lines_of(file, node)),
        "commands": [],
    }


def _arg_pairs(file: Dockerfile, node: tree.Arg) -> list[Record]:
    return [{"key": pair.key, "value": pair.value, "doc": _described(file, node, pair.key)} for pair in node.pairs]


def _command(file: Dockerfile, node: Instruction) -> Record:
    record: Record = {
        "type": node.keyword.lower(),
        "name": _keyword(node.original),
        "code": node.original.strip(whitespace.UNICODE),
        "lines": list(_lines_of(file, node)),
    }
    if isinstance(node, tree.Arg):
        record["pairs"] = _arg_pairs(file, node)
    elif isinstance(node, (tree.Env, tree.Label)):
        record["pairs"] = [{"key": pair.key, "value": pair.value, "legacy": pair.legacy} for pair in node.pairs]
    elif isinstance(node, tree.FileInstruction):
        record |= _file_command(node)
    elif isinstance(node, tree.Run):
        record |= _command_line(node) | _run(node)
    elif isinstance(node, (tree.Cmd, tree.Entrypoint)):
        record |= _command_line(node)
    elif isinstance(node, tree.Shell):
        record["shell"] = [word.text for word in node.exec_form or ()]
    elif isinstance(node, tree.Healthcheck):
        record |= _healthcheck(node)
    elif isinstance(node, tree.Expose):
        record["ports"] = sorted(
            (word.text for word in node.words), key=lambda port: port.encode("utf-8", "surrogateescape")
        )
    elif isinstance(node, tree.Volume):
        record["volumes"] = [word.text.strip(whitespace.UNICODE) for word in node.words]
    elif isinstance(node, tree.Onbuild):
        record["expression"] = _trigger_text(node)
    elif isinstance(node, tree.Text):
        record[_TEXT_FIELDS[node.keyword]] = node.text.text
    return record


_TEXT_FIELDS = {"USER": "user", "WORKDIR": "path", "STOPSIGNAL": "signal", "MAINTAINER": "maintainer"}


def _trigger_text(node: tree.Onbuild) -> str:
    text = re.sub(r"(?i)^[\t\n\f\r ]*ONBUILD[\t\n\f\r ]*", "", node.original, count=1)
    return text + "".join(f"\n{heredoc.content}{heredoc.name}" for heredoc in node.heredocs)


def _command_line(node: tree.CommandInstruction) -> Record:
    line = [word.text for word in node.exec_form] if node.exec_form is not None else []
    if node.exec_form is None and node.body.text:
        line = [node.body.text]
    files = [{"name": item.name, "data": item.content, "chomp": item.chomp} for item in node.heredocs]
    return {"cmdline": line, "prepend_shell": node.exec_form is None, "files": files}


def _run(node: tree.Run) -> Record:
    return {
        "mounts": [_mount(mount) for mount in node.mounts],
        "devices": [_device(value) for value in node.flag_values("device")],
        "network": node.flag_value("network") or "default",
        "security": node.flag_value("security") or "sandbox",
        "flags_used": sorted({flag.name for flag in node.flags}),
    }


def _mount(mount: tree.Mount) -> Record:
    try:
        options = resolve_mount(mount.fields)
    except MountError:
        # BuildKit has only looked at "from" so far.
        options = resolve_mount([("from", mount.from_ or "")])
    return {
        "type": options.type,
        "from": options.from_,
        "source": options.source,
        "target": options.target,
        "readonly": options.readonly,
        "id": options.id,
        "sharing": options.sharing,
        "required": options.required,
        "size": options.size_bytes,
        "mode": options.mode,
        "uid": options.uid,
        "gid": options.gid,
        "env": options.env,
    }


def _device(value: str) -> Record:
    device = read_device(value)
    return {"name": device.name, "required": device.required}


def _file_command(node: tree.FileInstruction) -> Record:
    bodies = {heredoc.name: heredoc.content for heredoc in node.heredocs}
    sources, inline = [], []
    for word in node.sources:
        try:
            heredoc = heredoc_word(word.text) if "<<" in word.text else None
        except WordError:
            heredoc = None
        if heredoc is None:
            sources.append(word.text)
            continue
        data = bodies.get(heredoc.name, "")
        if heredoc.chomp:
            data = _LEADING_TABS.sub("", data)
        inline.append({"path": heredoc.name, "data": data, "expand": heredoc.expand})
    record: Record = {
        "sources": sources,
        "inline_sources": inline,
        "dest": node.destination.text,
        "chown": node.chown or "",
        "chmod": node.chmod or "",
        "link": node.link,
        "exclude": node.excludes,
    }
    if isinstance(node, tree.Copy):
        return record | {"from": node.from_ or "", "parents": node.has_flag("parents")}
    unpack = node.has_flag("unpack") if node.flag("unpack") else None
    return record | {
        "checksum": node.flag_value("checksum") or "",
        "keep_git_dir": node.has_flag("keep-git-dir") if node.flag("keep-git-dir") else None,
        "unpack": unpack,
    }


def _healthcheck(node: tree.Healthcheck) -> Record:
    if node.is_none:
        test = ["NONE"]
    elif node.exec_form is not None:
        test = ["CMD", *(word.text for word in node.exec_form)]
    else:
        test = ["CMD-SHELL", node.command.text if node.command else ""]
    times = {
        f"{name.replace('-', '_')}_ns": 0 if node.is_none else parse_duration(node.flag_value(name) or "0")
        for name in ("interval", "timeout", "start-period", "start-interval")
    }
    return {"test": test, **times, "retries": 0 if node.is_none else int(node.flag_value("retries") or 0)}


def words_record(given: Record) -> Record:
    """Answer as BuildKit's word lexer does for a probe's input."""
    environment: dict[str, str] = given.get("env") or {}
    word = given["word"]
    record: Record = {"word": word, "result": "", "words": []}
    try:
        expansion = expand(
            word,
            environment.get,
            given.get("escape") or "\\",
            keep_quotes=given.get("raw_quotes", False),
            keep_escapes=given.get("raw_escapes", False),
            literal_quotes=given.get("skip_process_quotes", False),
            keep_unset=given.get("skip_unset_env", False),
        )
        record |= {"result": expansion.value, "words": list(expansion.words)}
        used, missing = expansion.used, expansion.missing
    except WordError as error:
        record |= {"error": error.message, "words_error": error.message}
        used, missing = error.used, error.missing
    record["matched"] = sorted({variable.name for variable in used})
    record["unmatched"] = sorted({variable.name for variable in missing})
    try:
        heredoc = heredoc_word(word)
    except WordError:
        heredoc = None
    record["heredoc"] = heredoc and {
        "name": heredoc.name,
        "content": "",
        "expand": heredoc.expand,
        "chomp": heredoc.chomp,
        "fd": heredoc.fd,
    }
    return _record(**record)


def ignore_record(given: Record) -> Record:
    """Answer as BuildKit's reader of ignore files does for a probe's input."""
    try:
        ignore = IgnoreFile.parse(given["content"])
        ignored = {path: ignore.ignores(path) for path in given["paths"]}
    except IgnoreError as error:
        return {"error": str(error), "patterns": [pattern for pattern, _ in read_patterns(given["content"])]}
    return {"has_exclusions": ignore.has_exclusions, "ignored": ignored, "patterns": list(ignore.patterns)}
