"""RUN: its commands are gone through in order, each by the model that knows it."""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Mapping

from msgspec.structs import replace

from dfopt.graph.model import Step
from dfopt.predict.call import Call, Stream
from dfopt.predict.costs import BUILDERS, SILENT, is_quiet, leave_unknown, run_piped
from dfopt.predict.fetch import FETCHERS
from dfopt.predict.files import HANDLERS
from dfopt.predict.filesystem import MOUNTED, Entry, FileSystem, Origin, normal
from dfopt.predict.model import ZERO, Estimate
from dfopt.predict.packages import PackageSession
from dfopt.predict.stage import StageBuild
from dfopt.predict.structure import Surroundings, survey
from dfopt.shell import dialect_of, parse_script
from dfopt.shell.model import POSIX, Command, Redirect, Script, ShellWord
from dfopt.syntax.tree import Joined
from dfopt.tools import effects, recognise
from dfopt.tools.model import Invocation, Setting
from dfopt.tools.paths import Place

_MODELS = {**HANDLERS, **FETCHERS, **BUILDERS}
_SHELLS = frozenset({"bash", "sh", "dash", "zsh", "ash", "ksh"})
_MAX_DEPTH = 3
_MAX_ROUNDS = 200
_MAX_SCRIPT = 100_000
_INTERPRETERS = _SHELLS | {"python", "python3", "perl", "node", "php", "ruby"}


class ShellRun:
    """One RUN on its way through the models."""

    def __init__(self, build: StageBuild, step: Step) -> None:
        self.build = build
        self.step = step
        self.session = PackageSession(build)
        self.surroundings: dict[int, Surroundings] = {}
        self.streams: dict[int, Stream] = {}
        self.active = ""
        self.depth = 0
        self.kept: list[Script] = []
        """Scripts that are gone through: commands are told apart by identity, so they must live on."""
        environment = {name: one.value for name, one in step.before.variables.items() if one.value is not None}
        user = step.before.user or "root"
        name = user.split(":")[0]
        home = environment.get("HOME") or ("/root" if name in ("root", "0") else f"/home/{name}")
        self.setting = Setting(step.before.workdir, home, name, environment)

    def run(self) -> None:
        """Go through all commands."""
        script = self.step.script
        if script is None:
            return
        if not script.commands:
            if script.text.strip() and (
                script.dialect not in ("sh", "bash", "dash", "ash", "ksh", "zsh") or script.problems
            ):
                self._unread(script.dialect)
            return
        known = {id(one.command): one for one in self.step.invocations}
        self._go_through(script, known)

    def _go_through(self, script: Script, known: Mapping[int, Invocation]) -> None:
        survey(script.items, Surroundings(), self.surroundings, self._exists)
        for command in script.commands:
            self._command(command, known.get(id(command)))

    def _inner(self, call: Call, text: str, *, program: str = "sh", directory: str | None = None) -> bool:
        """Go through a script whose text is known; False where it is none of a shell's or nests too deep."""
        first = text.split("\n", 1)[0]
        if first.startswith("#!"):
            program = first[2:].split()[-1] if "env" in first else first[2:].split()[0]
        dialect = dialect_of(program)
        if self.depth >= _MAX_DEPTH or dialect not in POSIX or len(text) > _MAX_SCRIPT:
            return False
        where = directory or call.place.directory or "/"
        script = parse_script(
            Joined(text, ((0, 0),)), dialect=dialect, variables=dict(call.place.environment), directory=where
        )
        known = {id(command): found for command in script.commands if (found := recognise(command)) is not None}
        sure, likely = call.fs.sure, call.fs.likely
        self.depth += 1
        self.kept.append(script)
        survey(script.items, Surroundings(sure, likely), self.surroundings, self._exists)
        for command in script.commands:
            self._command(command, known.get(id(command)))
        self.depth -= 1
        return True

    def _exists(self, path: str, directory: str | None) -> bool:
        return self.build.fs.exists(normal(path, directory or self.setting.directory))

    def _unread(self, dialect: str) -> None:
        label = f"what {dialect} code leaves"
        origin = Origin(label, "unknown", "code of another language", 0.38, True)
        entry = Entry(Estimate(1_000_000, 0, 600_000_000), 0, origin, "sum", 0)
        self.build.fs.add_sum(self.step.before.workdir, entry)
        self.build.note(f"{dialect} code is not read: an interval stands for what it leaves")

    # ------------------------------------------------------------------ one command

    def _command(self, command: Command, invocation: Invocation | None) -> None:
        around = self.surroundings.get(id(command), Surroundings())
        if not command.words or around.skipped:
            return
        fs = self.build.fs
        place = Place.of(command, self.setting)
        for binding in _bindings(around, place, fs):
            if binding:
                place = replace(place, environment={**place.environment, **binding})
                bound = _bound(command, place)
                self._once(bound, recognise(bound), place, around, id(command))
            else:
                self._once(command, invocation, place, around, id(command))
        fs.sure = fs.likely = True

    def _once(
        self, command: Command, invocation: Invocation | None, place: Place, around: Surroundings, key: int
    ) -> None:
        fs = self.build.fs
        fs.sure, fs.likely = around.sure, around.likely
        stdin = self._incoming(command, around.feeders)
        if self.depth == 0:
            self.build.told.at_command(key, command.span.end)
        call = Call(self.build, self.step, command, invocation, place, stdin)
        stream = self._dispatch(call)
        fs.sure, fs.likely = around.sure, around.likely
        if stream is not None:
            self.streams[key] = stream
        for redirect in command.redirects:
            self._redirect(call, redirect, stream or Stream())
        for redirect in around.outputs:
            if not any(_is_output(one) for one in command.redirects):
                self._redirect(call, redirect, stream or Stream(), append=True)

    def _incoming(self, command: Command, feeders: tuple[int, ...]) -> Stream | None:
        for redirect in command.redirects:
            if redirect.body is not None:
                size = len(redirect.body.encode("utf-8", "surrogateescape"))
                return Stream(Estimate.exact(size), redirect.body)
        streams = [self.streams[one] for one in feeders if one in self.streams]
        if len(streams) == 1:
            return streams[0]
        if streams:
            total = ZERO
            for one in streams:
                total += one.size
            texts = [one.text for one in streams]
            text = "".join(one or "" for one in texts) if None not in texts else None
            return Stream(total, text, streams[0].origin)
        return None

    def _dispatch(self, call: Call) -> Stream | None:
        name = call.command.name
        if name is None:
            return leave_unknown(call) if call.invocation is None else self._known(call, "")
        if name in (".", "source"):
            match = re.fullmatch(r"(.+)/bin/activate", call.join(call.values[0])) if call.values else None
            if match is not None:
                self.active = match[1]
            return None
        if name == "cd":
            return None
        if name == "poetry" and call.values[:1] == ["config"] and len(call.values) > 2:
            self.build.environments[f"poetry {call.values[1]}"] = call.values[2]
            return None
        return self._known(call, name)

    def _known(self, call: Call, name: str) -> Stream | None:
        if name in _INTERPRETERS and not _script_argument(call) and call.stdin is not None:
            return run_piped(call)
        if self._script(call, name):
            return None
        if name in _MODELS and not _is_project_script(call):
            return _MODELS[name](call)
        if name in SILENT:
            return Stream(ZERO, "")
        if is_quiet(call):
            return Stream(Estimate(80, 0, 20_000))
        invocation = call.invocation
        if invocation is None:
            return leave_unknown(call)
        if invocation.action == "clean":
            self._clean(call)
        if self.session.run(call, invocation.family, self.active) or invocation.action == "clean":
            return None
        if not invocation.subcommand.wall and not effects(call.command, self.setting).writes:
            return Stream(Estimate(80, 0, 20_000))
        return leave_unknown(call)

    def _script(self, call: Call, name: str) -> bool:
        """Go through a script of the project, or one of package.json, where its text is known."""
        values = call.values
        if name in ("npm", "yarn", "pnpm") and values:
            return self._package_script(call, name)
        if name in _SHELLS:
            files = [text for text in values if not text.startswith("-")]
            text = self.build.read(call.join(files[0])) if files and "-c" not in values else None
            return text is not None and self._inner(call, text, program=name)
        if call.command.words and _is_path(call.command.words[0].value):
            text = self.build.read(call.join(call.command.words[0].value or ""))
            return text is not None and self._inner(call, text)
        return False

    def _package_script(self, call: Call, name: str) -> bool:
        """Go through what package.json calls a script: ``npm run build``, ``yarn build``."""
        values = [text for text in call.values if not text.startswith("-")]
        runs = bool(values) and values[0] in ("run", "run-script")
        if runs:
            values = values[1:]
        elif name == "npm":
            values = values[:1] if values[:1] == ["test"] else []
        folder = call.option("--prefix", "--cwd", "-C") or "."
        manifest = self.build.read(posixpath.join(call.join(folder), "package.json")) if values else None
        try:
            scripts = json.loads(manifest or "{}").get("scripts") or {}
        except (ValueError, AttributeError):
            return False
        found = [scripts.get(prefix + values[0]) for prefix in ("pre", "", "post")] if values else []
        if len(found) < 2 or not isinstance(found[1], str):
            return False
        known = [self._inner(call, text, directory=call.join(folder)) for text in found if isinstance(text, str)]
        return all(known)

    def _clean(self, call: Call) -> None:
        """Delete the caches that a call clears, as the tool's table names them."""
        for path in effects(call.command, self.setting).removes:
            folder, last = posixpath.split(path.rstrip("/"))
            self.build.fs.remove(path.rstrip("/"))
            self.build.fs.remove_cache_above(path.rstrip("/"))
            for found in self.build.fs.glob(path) if "*" in path else ():
                self.build.fs.remove(found)
            if last == "*":
                for key, entry in self.build.fs.below(folder):
                    if entry.type == "sum":
                        self.build.fs.remove(key)

    def _redirect(self, call: Call, redirect: Redirect, stream: Stream, *, append: bool = False) -> None:
        if not _is_output(redirect) or redirect.target is None:
            return
        if redirect.fd == 2:
            stream = Stream(Estimate(100, 0, 20_000))
        adds = append or redirect.operator in (">>", "&>>")
        for path in call.paths(redirect.target) or [call.path(redirect.target)]:
            if append and self.build.fs.get(path) is not None and self.build.fs.entries.get(path) is not None:
                call.write(path, stream, append=True)
            else:
                call.write(path, stream, append=adds)


def _is_output(redirect: Redirect) -> bool:
    return redirect.operator in (">", ">>", ">|", "&>", "&>>", ">&") and not (
        redirect.target is not None and (redirect.target.value or "").isdigit()
    )


def _bindings(around: Surroundings, place: Place, fs: FileSystem) -> list[dict[str, str | None]]:
    """Give the values that the variables of the loops around a command take, one after the other."""
    rounds: list[dict[str, str | None]] = [{}]
    for name, words in around.loops:
        values: list[str] = []
        for word in words:
            text = place.text(word)
            if word.glob and "**" not in text:
                values += fs.glob(normal(text, place.directory)) or [text]
            elif "**" not in text:
                values.append(text)
            else:
                return [{}]
        rounds = [{**one, name: value} for one in rounds for value in values][:_MAX_ROUNDS]
    return rounds


def _bound(command: Command, place: Place) -> Command:
    """Put the values of loop variables into a command's words."""
    redirects = tuple(
        one if one.target is None else replace(one, target=_bound_word(one.target, place)) for one in command.redirects
    )
    return replace(command, words=tuple(_bound_word(word, place) for word in command.words), redirects=redirects)


def _bound_word(word: ShellWord, place: Place) -> ShellWord:
    if word.value is not None:
        return word
    text = place.text(word)
    return word if "**" in text else replace(word, value=text, pattern=text)


def _script_argument(call: Call) -> bool:
    """Tell whether an interpreter is given a script or code rather than reading its standard input."""
    values = [text for text in call.values if not re.fullmatch(r"-[exufsE]+|-|--|-s|-o|pipefail", text)]
    return bool(values) and not any(text == "-s" for text in call.values)


def _is_path(word: str | None) -> bool:
    return word is not None and "/" in word and not re.fullmatch(r"(?:/usr(?:/local)?)?/s?bin/[^/]+", word)


def _is_project_script(call: Call) -> bool:
    """Tell whether a command that is called like a known one is a script of the project."""
    word = call.command.words[0].value or ""
    return "/" in word and not re.search(r"(?:^|/)s?bin/[^/]+$", word) and not word.startswith("/")


def mount_all(build: StageBuild, step: Step) -> None:
    """Lay the mounts of a RUN over the file system; files bound from the context or a stage can be read below them."""
    for mount in step.run_mounts:
        if mount.target is None:
            continue
        target = normal(mount.target)
        build.fs.mount(target)
        if mount.type != "bind":
            continue
        if mount.stage is not None and mount.stage in build.others:
            source = normal(mount.source or "/")
            for name, entry in build.others[mount.stage].fs.below(source):
                build.fs.show(_moved(name, source, target), _mounted(entry))
        elif mount.image is None and build.context is not None:
            source = normal(mount.source or "/").strip("/")
            for path, file in build.context.files.items():
                if source == "" or path == source or path.startswith(source + "/"):
                    origin = Origin("a mounted file", "copy")
                    entry = Entry(Estimate.exact(file.size_bytes), MOUNTED, origin, context_path=path)
                    if file.type == "directory":
                        entry = Entry(ZERO, MOUNTED, origin, "directory")
                    build.fs.show(_moved("/" + path, "/" + source, target), entry)


def _moved(name: str, source: str, target: str) -> str:
    rest = name[len(source) :] if source != "/" else name
    return (target.rstrip("/") + rest) or "/"


def _mounted(entry: Entry) -> Entry:
    return replace(entry, layer=MOUNTED, inode=0)
