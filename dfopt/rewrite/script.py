"""The commands of a RUN as operations that can stand in any RUN: what they are, where they run, what they do."""

from __future__ import annotations

import re
from collections.abc import Sequence

from msgspec import Struct

from dfopt.graph.model import Step
from dfopt.rewrite.neutral import neutral_command, neutral_texts
from dfopt.shell.model import POSIX, Command, ListItem, Pipeline
from dfopt.source import Span
from dfopt.tools import NOTHING, Effects, Place, Setting, covers, effects, list_effects, recognise

STATEFUL = frozenset(
    """
    set umask trap alias unalias source . eval exec exit return shift read unset readonly declare typeset local
    shopt ulimit pushd popd wait getopts hash enable mapfile readarray let disown bg fg jobs
    """.split()  # noqa: SIM905 - a table of names is easier to read as text
)
"""Commands that change the shell itself, so that what follows depends on them."""
_SHELLS = frozenset(("sh", "bash", "dash", "ash", "zsh", "ksh", "busybox"))
_QUIET = frozenset("exv")
_GAP = re.compile(r"(?:[ \t]|[\\`][ \t]*\r?\n)+\Z")
_CONTINUED = re.compile(r"[ \t]*[\\`][ \t]*\r?\n(?:[ \t]*(?:#[^\n]*)?\r?\n)*[ \t]*")


class Operation(Struct, frozen=True):
    """One command (or pipeline) of a RUN.

    ``label`` is all that decides what it does besides the files: text, shell, directory, options. ``words`` are the
    values of a plain command's words, None where it is not plain. ``needs_lists`` tells that package lists may be used;
    ``commands`` are its simple commands.
    """

    label: tuple[object, ...]
    effects: Effects
    directory: str | None
    words: tuple[str, ...] | None
    needs_lists: bool
    list_paths: tuple[str, ...]
    span: Span
    commands: tuple[Command, ...] = ()


def operations(step: Step, text: str, removed: Sequence[str] = ()) -> list[Operation]:
    """Give the operations of a RUN in order; a RUN that cannot be taken apart is a single one.

    ``text`` is the file's text. Options that only keep a cache away are left out of the label where the cache is among
    ``removed``.
    """
    reason, options, items = taken_apart(step)
    script = step.script
    if reason or script is None:
        lists, paths = _lists(step, step.commands)
        documents = tuple(document.content for document in step.instruction.heredocs)
        return [
            Operation(
                (_whole_text(step, text), documents, step.before.shell, step.before.workdir),
                _whole_effects(step), step.before.workdir, None, lists, paths, step.span,
            )
        ]  # fmt: skip
    result = []
    for item in items:
        commands = [command for command in script.commands if _inside(command.span, item.span)]
        if isinstance(item.node, Command) and item.node.name in ("cd", "export") and not item.node.redirects:
            continue
        first = commands[0] if commands else None
        directory = first.directory if first is not None and first.directory is not None else step.before.workdir
        environment = tuple(sorted(first.environment, key=str)) if first else ()
        label = (
            _label(item, commands, step, text, removed), step.before.shell, directory, tuple(sorted(options)),
            environment,
        )  # fmt: skip
        done = NOTHING
        for command in commands:
            done = done | effects(neutral_command(command), setting_of(step))
        lists, paths = _lists(step, commands)
        words = _plain_words(item, _user(step))
        result.append(Operation(label, done, directory, words, lists, paths, item.span, tuple(commands)))
    return result


def taken_apart(step: Step) -> tuple[str, frozenset[str], tuple[ListItem, ...]]:
    """Tell why a RUN cannot be taken apart ("" where it can), its options, and its items without a leading ``set``."""
    script = step.script
    nothing: tuple[str, frozenset[str], tuple[ListItem, ...]] = ("", frozenset(), ())
    if script is None or script.exec_form:
        return ("it is in exec form", *nothing[1:])
    if script.dialect not in POSIX or script.problems or not script.items:
        return ("its shell code is not understood", *nothing[1:])
    items = script.items
    options = set(script.options)
    errexit = "e" in options or "errexit" in options
    node = items[0].node
    first = node if isinstance(node, Command) and node.name == "set" and not node.redirects else None
    if first is not None:
        given = _set_options([word.value for word in first.arguments])
        if given is None:
            return ("it sets options of the shell", *nothing[1:])
        errexit = errexit or "e" in given
        options |= given
        items = items[1:]
        if not items:
            return ("it only sets options of the shell", *nothing[1:])
    operators = {item.operator for item in items[1:]}
    if first is not None:
        operators.add(items[0].operator)
    if operators - {"&&"} and not (errexit and operators <= {";", "\n"}):
        return ("its commands are not all joined by &&", *nothing[1:])
    for command in script.commands:
        if command.background:
            return ("it starts a job in the background", *nothing[1:])
        if not command.words and command.assignments and not command.subshell:
            return ("it sets shell variables", *nothing[1:])
        if command.directory is None:
            return ("the directory its commands run in is not known", *nothing[1:])
        if command.name in STATEFUL and not command.subshell and (first is None or command.span != first.span):
            return (f"it uses {command.name}", *nothing[1:])
        if command.name is None and command.words and not command.subshell:
            return ("it runs a command whose name is not known", *nothing[1:])
        if command.name == "export" and any(value is None for _, value in command.environment):
            return ("it exports a value that is not known", *nothing[1:])
    return "", frozenset(option for option in options if option not in _QUIET and option != "errexit"), items


def errexit_runs(step: Step) -> bool:
    """Tell whether a RUN's commands are a list under ``set -e`` that semicolons join."""
    reason, _, items = taken_apart(step)
    return not reason and any(item.operator in (";", "\n") for item in items)


def setting_of(step: Step) -> Setting:
    """Give the surroundings of a step's commands."""
    environment = step.before.known_variables()
    user = step.before.user or "root"
    home = environment.get("HOME") or ("/root" if user in ("root", "0", "0:0", "root:root") else f"/home/{user}")
    return Setting(directory=step.before.workdir, home=home, user=user, environment=environment)


def is_script_call(command: Command) -> bool:
    """Tell whether a command runs a script whose text is not in sight: by path, or read by a shell."""
    if not command.words:
        return False
    word = command.words[0].value or command.words[0].raw
    if command.name in _SHELLS:
        return command.piped or any(not (word.value or "-").startswith("-") for word in command.arguments)
    return ("/" in word and not word.startswith(("/usr/", "/bin/", "/sbin/"))) or word.endswith((".sh", ".bash"))


def joined(text: str) -> str:
    """Put continued lines together, so that layout does not count."""
    return _CONTINUED.sub(" ", text).strip()


def _inside(inner: Span, outer: Span) -> bool:
    return outer.start <= inner.start and inner.end <= outer.end


def _lists(step: Step, commands: Sequence[Command]) -> tuple[bool, tuple[str, ...]]:
    needs = False
    paths: set[str] = set()
    for command in commands:
        invocation = recognise(command)
        if invocation is not None and (invocation.subcommand.needs_lists or invocation.subcommand.refreshes_lists):
            needs = True
            paths.update(invocation.tool.lists)
        needs = needs or is_script_call(command)
    return needs, tuple(sorted(paths))


def _set_options(words: Sequence[str | None]) -> set[str] | None:
    result: set[str] = set()
    wants_name = False
    for word in words:
        if word is None:
            return None
        if wants_name:
            if word not in ("pipefail", "errexit", "xtrace", "nounset"):
                return None
            result.add({"errexit": "e", "xtrace": "x", "nounset": "u"}.get(word, word))
            wants_name = False
        elif word.startswith("-") and word[1:] and set(word[1:]) <= set("euxvo"):
            result |= set(word[1:]) - {"o"}
            wants_name = "o" in word[1:]
        else:
            return None
    return None if wants_name else result


def _whole_text(step: Step, text: str) -> str:
    """Give the text of a RUN that cannot be taken apart, without what makes no difference."""
    instruction, script = step.instruction, step.script
    if script is None or script.exec_form or instruction.heredocs:
        return instruction.body.text
    user = _user(step)
    changes = [
        change for command in script.commands for change in neutral_texts(command, recognise(command), text, user)
    ]
    if not changes:
        return joined(text[instruction.body.to_file(0) : instruction.span.end]).strip()
    return _changed(text, Span(instruction.body.to_file(0), instruction.span.end), changes)


def _user(step: Step) -> str:
    """Give the name of a step's user; an empty text where it is not known."""
    name = (step.before.user or "").partition(":")[0]
    return "root" if name == "0" else name


def _whole_effects(step: Step) -> Effects:
    script = step.script
    if script is None or script.problems or all(neutral_command(one) is one for one in script.commands):
        return step.effects
    return list_effects([neutral_command(one) for one in script.commands], script.items, setting_of(step))


def _label(item: ListItem, commands: Sequence[Command], step: Step, text: str, removed: Sequence[str]) -> str:
    changes: list[tuple[Span, str]] = []
    setting = setting_of(step)
    for command in commands:
        invocation = recognise(command)
        changes += neutral_texts(command, invocation, text, _user(step))
        if invocation is None or not invocation.subcommand.leaves:
            continue
        place = Place.of(command, setting)
        left = [place.join(path) for path in invocation.subcommand.leaves]
        if left and all(any(covers(gone, path) for gone in removed) for path in left):
            changes += [(word.span, "") for word in command.words if word.value in invocation.tool.cleaning.options]
    return _changed(text, item.span, changes)


def _changed(text: str, span: Span, changes: Sequence[tuple[Span, str]]) -> str:
    """Give a range of the file with some parts replaced, continued lines put together."""
    pieces: list[str] = []
    at = span.start
    for cut, instead in sorted(changes):
        if cut.start < at or cut.end > span.end:
            continue
        before = text[at : cut.start]
        pieces += [before if instead else _GAP.sub("", before), instead]
        at = cut.end
    pieces.append(text[at : span.end])
    return joined("".join(pieces)).strip()


def _plain_words(item: ListItem, user: str) -> tuple[str, ...] | None:
    node = item.node
    if isinstance(node, Pipeline) and len(node.elements) == 1 and not node.negated:
        inner = node.elements[0]
        node = inner if isinstance(inner, Command) else node
    if not isinstance(node, Command) or node.redirects or node.assignments or node.negated:
        return None
    if node.wrappers and (node.wrappers != ("sudo",) or user != "root"):
        return None
    if any(word.value is None or word.glob for word in node.words) or not node.words:
        return None
    return tuple(word.value or "" for word in node.words)
