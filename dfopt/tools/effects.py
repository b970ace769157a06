"""What a command does to the file system and the world, put together from the tables."""

from __future__ import annotations

import re
from collections.abc import Iterable

from msgspec.structs import replace

from dfopt.shell.model import Command, Compound, ListItem, Redirect, Script, ShellWord, walk
from dfopt.source import Span
from dfopt.tools.caches import cache_path
from dfopt.tools.model import NOTHING, Effects, Invocation, Setting
from dfopt.tools.paths import EVERYTHING, Place, plain
from dfopt.tools.recognise import program_name, recognise

_DEVICES = frozenset(("/dev/null", "/dev/stdout", "/dev/stderr", "/dev/stdin", "/dev/tty", "/dev/zero"))
_TEMPORARY = re.compile(r"(?:\$\(|`)\s*mktemp(?:\s+-(?:d|q|u|t|-directory))*(?:\s+[\w.-]+)?\s*(?:\)|`)")
_SUM = re.compile(r"[0-9a-fA-F]{32,128}|\*\*")
_SOMETHING = ShellWord(raw="$@", value=None, pattern="*", span=Span(0, 0), glob=True)
_QUESTIONS = frozenset(("--version", "-version", "--help", "-help", "-V", "-v", "version"))
_NETWORK_FILES = frozenset(("/etc/ssl/", "/etc/resolv.conf", "/etc/hosts"))
_NETWORK_VARIABLES = frozenset(
    f"{letters}_{kind}" for letters in ("http", "https", "ftp", "no", "all") for kind in ("proxy",)
) | frozenset(f"{letters}_PROXY" for letters in ("HTTP", "HTTPS", "FTP", "NO", "ALL"))


def effects(command: Command, setting: Setting | None = None, source: Command | None = None) -> Effects:
    """Give what one simple command does, its redirects included.

    Paths are absolute; a program that is not known is a wall, and so is one that runs code nobody can see from here.
    ``source`` is the command whose output it reads, where that is known: what ``find`` hands to ``xargs`` lies below
    the folders searched, and a list of checksums names the files that are checked.
    """
    return effects_as(recognise(command) if command.words else None, command, setting, source)


def effects_as(
    invocation: Invocation | None, command: Command, setting: Setting | None = None, source: Command | None = None
) -> Effects:
    """Give what ``effects`` gives, for a command that was recognised before; None where it is no known call."""
    place = Place.of(command, setting or Setting())
    result = _redirects(command.redirects, place) | _variables(command)
    if not command.words:
        return result
    if invocation is None:
        return result | _unknown(command, place)
    return result | invocation_effects(invocation, place, source)


def script_effects(script: Script, setting: Setting | None = None) -> Effects:
    """Give what a script does: its commands, what is piped between them, and the redirects of its groups and loops.

    Variables that hold the name of a temporary file are followed, so that removing it is not removing anything at all.
    """
    return list_effects(script.commands, script.items, setting)


def list_effects(commands: Iterable[Command], items: tuple[ListItem, ...], setting: Setting | None = None) -> Effects:
    """Give what a part of a script does: its commands in order, and the list items that hold them."""
    setting = setting or Setting()
    result = NOTHING
    before: Command | None = None
    temporary: dict[str, str | None] = {}
    for command in commands:
        if temporary:
            command = replace(command, environment=(*command.environment, *temporary.items()))
        source = before if command.piped and before is not None and before.pipes else None
        result |= effects(command, setting, source)
        _note_temporary(command, temporary)
        before = command
    for node in walk(items):
        if isinstance(node, Compound) and node.redirects:
            inner = next((part for part in walk(node.body) if isinstance(part, Command)), None)
            place = Place(
                inner.directory if inner else setting.directory, setting.home, environment=setting.environment
            )
            result |= _redirects(node.redirects, place)
    return result


def _note_temporary(command: Command, temporary: dict[str, str | None]) -> None:
    given = [(found.name, found.value.raw if found.value else "") for found in command.assignments]
    if command.name == "export":
        given += [
            (name, value) for name, equals, value in (word.raw.partition("=") for word in command.words[1:]) if equals
        ]
    for name, value in given:
        plain_value = value.strip('"')
        if _TEMPORARY.fullmatch(plain_value):
            temporary[name] = "/tmp/**"
        elif plain_value.startswith("$") and (same := plain_value.strip("${}")) in temporary:
            temporary[name] = temporary[same]
        else:
            temporary.pop(name, None)


def invocation_effects(invocation: Invocation, place: Place, source: Command | None = None) -> Effects:
    """Give what a recognised call does at a place, its redirects left out; ``source`` is as for ``effects``."""
    tool, sub = invocation.tool, invocation.subcommand
    for role, word, _ in invocation.places:
        if role == "cd":
            place = place.inside(place.path(word))
    if "xargs" in invocation.command.wrappers and (sub.operands or sub.shape):
        invocation = replace(
            invocation, operands=(*invocation.operands, *_handed(invocation.command.words[0], place, source))
        )
    elif tool.family == "checksum" and invocation.has("-c"):
        listed = _listed_files(source, place)
        invocation = replace(invocation, operands=(*invocation.operands, *listed))
    reads, writes, removes, fetches = set[str](), set[str](), set[str](), set[str]()
    if sub.operands or invocation.places:
        named = [(role, word) for role, word, _ in invocation.places]
        for role, word in (*named, *((sub.operands, word) for word in invocation.operands)):
            if word.value == "-":
                continue
            if role == "read":
                reads.add(plain(place.path(word)))
            elif role == "write":
                writes.add(plain(place.path(word)))
            elif role == "tree":
                writes.add(place.tree(word))
            elif role == "remove":
                removes.add(plain(place.path(word)))
            elif role == "url":
                fetches.add(place.text(word))
    reads.update(place.join(path) for path in (*sub.reads, *sub.manifests, *sub.optional_manifests))
    writes.update(place.join(path) for path in sub.writes)
    removes.update(cache_path(path, place) for path in sub.removes)
    left = left_caches(invocation, place)
    writes.update(left)
    environment = set(tool.environment)
    programs = frozenset[str]()
    if tool.kind != "shell":
        environment.add("PATH")
        name = invocation.command.words[0].value or invocation.command.words[0].pattern
        programs = frozenset((name,))
        reads.update((place.path(invocation.command.words[0]),) if "/" in name else place.programs(name))
        reads.add("/bin/sh")
    if sub.network or fetches:
        environment |= _NETWORK_VARIABLES
        reads |= _NETWORK_FILES
        if not fetches:
            fetches.add("index")
    family = frozenset((tool.family,))
    own = sub.shape(invocation, place) if sub.shape is not None else NOTHING
    wall = sub.wall
    reason = sub.reason
    if tool.family != "script" and _only_asks(invocation.command, wall):
        return Effects(reads=_kept(reads), programs=programs, environment=frozenset(environment))
    if wall and not reason:
        reason = "it runs code of the project" if sub.runs_project_code else "what it does is not known"
    return own | Effects(
        reads=_kept(reads),
        writes=_kept(writes),
        removes=frozenset(removes),
        caches=frozenset(left),
        packages=frozenset(tool.database) if sub.changes_packages else frozenset(),
        lists=family if sub.needs_lists else frozenset(),
        refreshes=family if sub.refreshes_lists else frozenset(),
        fetches=frozenset(fetches),
        programs=programs,
        environment=frozenset(environment),
        varies=sub.varies or ((sub.network or bool(fetches)) and not sub.deterministic),
        wall=wall,
        runs_project_code=sub.runs_project_code,
        users=sub.users,
        reason=f"{tool.names[0]}: {reason}" if wall else "",
    )


def left_caches(invocation: Invocation, place: Place) -> list[str]:
    """Give the caches a call leaves behind; none where an option or variable avoids them."""
    if not invocation.subcommand.leaves:
        return []
    cleaning = invocation.tool.cleaning
    if invocation.has(*cleaning.options) or any(place.is_set(name) for name in cleaning.environment):
        return []
    found = (cache_path(path, place) for path in invocation.subcommand.leaves)
    return list(dict.fromkeys(found))


def _only_asks(command: Command, wall: bool) -> bool:
    # Short forms (-v) mean other things to many programs; they count where nothing else is known of a program.
    return len(command.words) == 2 and command.words[1].value in (_QUESTIONS if wall else ("--version", "--help"))


def _kept(paths: Iterable[str]) -> frozenset[str]:
    return frozenset(path for path in paths if path not in _DEVICES and not path.startswith("/dev/fd/"))


def _anything(like: ShellWord, below: str = "") -> ShellWord:
    return ShellWord(raw="$@", value=None, pattern=below + "*", span=like.span, glob=True)


def _handed(like: ShellWord, place: Place, source: Command | None) -> list[ShellWord]:
    """Give the operands that xargs may hand over: paths below what ``find`` searches, else anything."""
    found = recognise(source) if source is not None else None
    if found is None or found.family != "find":
        return [_anything(like)]
    roots = invocation_effects(found, place).reads
    return [_anything(like, root) for root in sorted(roots) if root.endswith("/")] or [_anything(like)]


def _listed_files(source: Command | None, place: Place) -> list[ShellWord]:
    """Give the files that lines of checksums printed by ``echo`` name; anything where the lines are not known."""
    if source is None or not source.words:
        return [_anything(source.words[0])] if source is not None and source.words else [_SOMETHING]
    if source.name not in ("echo", "printf"):
        return [_anything(source.words[0])]
    names = []
    for word in source.words[1:]:
        text = place.text(word).replace("\\n", "\n")
        for line in text.split("\n"):
            # "sum  name" as one word, or the sum and the name as two.
            name = line.split()[-1].lstrip("*") if line.split() else ""
            if name and not name.startswith("-") and not _SUM.fullmatch(name):
                names.append(
                    replace(word, raw=name, value=None if "**" in name else name, pattern=name.replace("**", "*"))
                )
    return names or [_anything(source.words[0])]


def _variables(command: Command) -> Effects:
    names = {name for word in command.words for name in word.variables}
    for assignment in command.assignments:
        if assignment.value is not None:
            names.update(assignment.value.variables)
    for redirect in command.redirects:
        if redirect.target is not None:
            names.update(redirect.target.variables)
    return Effects(environment=frozenset(names)) if names else NOTHING


def _redirects(redirects: tuple[Redirect, ...], place: Place) -> Effects:
    reads, writes = set[str](), set[str]()
    for redirect in redirects:
        target, operator = redirect.target, redirect.operator
        if target is None or operator.startswith("<<"):
            continue
        text = place.text(target)
        if operator in (">&", "<&") and (text == "-" or text.rstrip("-").isdigit()):
            continue
        path = place.path(target)
        if path in _DEVICES or path.startswith(("/dev/fd/", "/proc/self/fd/", "/dev/tcp/", "/dev/udp/")):
            continue
        if ">" in operator:
            writes.add(path)
        if "<" in operator:
            reads.add(path)
    return Effects(reads=frozenset(reads), writes=frozenset(writes)) if reads or writes else NOTHING


def _unknown(command: Command, place: Place) -> Effects:
    name = command.name
    if program_name(command) is None and name is None:
        reason = f"the program {command.words[0].raw} is only known when the build runs"
    else:
        reason = f"{name} is not a tool dfopt knows"
    everything = frozenset((EVERYTHING,))
    return Effects(
        reads=everything,
        writes=everything,
        programs=frozenset((name,) if name else ()),
        varies=True,
        wall=True,
        reason=reason,
    )
