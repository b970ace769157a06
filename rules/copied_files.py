"""Rules about files that are stored twice because a later layer moves, touches, unpacks or changes them."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from itertools import pairwise

from dfopt.edit import Edit
from dfopt.finding import Finding, Fix, Severity
from dfopt.graph.model import Step
from dfopt.graph.queries import calls_of, earlier, place_of
from dfopt.lint.rule import Bad, Build, Good, Rule
from dfopt.lint.wording import insert_after
from dfopt.source import Span
from dfopt.syntax.tree import Copy, FileInstruction, Run
from dfopt.tools import Invocation, Place, covers, invocation_effects, overlaps
from dfopt.tools.archive import tar_mode

from .layers import SMALL, is_small, is_stored, shipping_runs, shipping_stages

BIG = (
    ".jar", ".war", ".ear", ".zip", ".tar", ".gz", ".tgz", ".xz", ".bz2", ".zst", ".deb", ".rpm", ".whl", ".iso",
    ".exe", ".dll", ".so", ".bin", ".run", ".onnx", ".pt", ".h5", ".model", ".img", ".dump",
)  # fmt: skip
"""Files called like this usually weigh megabytes."""


class MovedFileStoredTwice(Rule):
    """A RUN moves or touches what an earlier layer holds.

    The layer below keeps the files, and this one stores them whole again. Bring them to their place at once, with their
    name, owner, mode and time.
    """

    code = "L120"
    name = "moved-file-stored-twice"
    examples = (
        Bad("FROM debian:12\nCOPY model.onnx /tmp/\nRUN mv /tmp/model.onnx /srv/\n", at="mv /tmp/model.onnx /srv/"),
        Bad("FROM openjdk:8\nADD app.jar app.jar\nRUN sh -c 'touch /app.jar'\n", at="touch /app.jar"),
        Bad(
            "FROM debian:12\nRUN curl -fLO https://example.com/a.tgz && tar xf a.tgz -C /opt && rm a.tgz\n"
            "RUN mv /opt/a-1.0 /opt/a\n",
            at="mv /opt/a-1.0 /opt/a",
        ),
        Good("FROM debian:12\nCOPY nginx.conf /tmp/\nRUN mv /tmp/nginx.conf /etc/nginx/\n", why="a few bytes"),
        Good("FROM debian:12\nCOPY model.onnx /srv/\n"),
        Good("FROM debian:12\nRUN curl -fLO https://example.com/a.jar && mv a.jar /srv/\n", why="the same layer"),
        Good("FROM debian:12\nRUN mv /etc/nginx/conf.d /etc/nginx/old\n", why="comes with the base image"),
        Good("FROM debian:12\nCOPY run.sh /\nRUN touch /run.sh\n"),
        Good(
            "FROM debian:12 AS build\nCOPY a.zip /tmp/\nRUN mv /tmp/a.zip /srv/\nFROM scratch\n"
            "COPY --from=build /srv/a /\n",
            why="the stage does not ship",
        ),
        Good(
            "FROM debian:12\nCOPY model.onnx /tmp/\nRUN mv /tmp/model.onnx /srv/\n",
            context={"model.onnx": "small\n"},
            why="the context shows how small it is",
        ),
    )

    def check(self, build: Build) -> Iterator[Finding]:
        """Report calls whose files certainly lie in an earlier layer and are no trifles."""
        for step in shipping_runs(build):
            if not any(call.action in ("move", "touch") for call in step.invocations):
                continue
            own: set[str] = set()
            calls = {id(call.command): call for call in step.invocations}
            for command, done in zip(step.commands, step.command_effects, strict=True):
                call = calls.get(id(command))
                if call is not None and call.action in ("move", "touch") and not command.conditional:
                    found = self._found(build, step, call, own)
                    if found is not None:
                        yield found
                own |= done.writes
                if done.wall:
                    break

    def _found(self, build: Build, step: Step, call: Invocation, own: set[str]) -> Finding | None:
        words = call.operands[:-1] if call.action == "move" else call.operands
        place = place_of(step, call)
        paths = [place.path(word) for word in words if word.value is not None]
        paths = [path for path in paths if not any(overlaps(path, written) for written in own)]
        maker = next((one for path in paths if (one := self._maker(build, step, call, path))), None)
        if maker is None:
            return None
        size = build.layer_bytes(maker) if build.context is not None else None
        weight = f" ({size / 1e6:.0f} MB)" if size and size > 1e6 else ""
        what = "moving" if call.action == "move" else "touching"
        line = build.tree.source.line_of(maker.span.start)
        return self.finding(
            call.command.span,
            f"{what} stores it a second time{weight}: let line {line} bring it as it is to be",
            related=[(maker, "this layer keeps the first one")],
            saved_bytes=size,
        )

    @staticmethod
    def _maker(build: Build, step: Step, call: Invocation, path: str) -> Step | None:
        """Give the step that brought a path, if it certainly did and no other can have changed it since."""
        if step.is_mounted(path) or path.lower().endswith(SMALL) or "*" in path:
            return None
        if call.action == "touch" and not path.lower().endswith(BIG):
            return None
        for one in reversed(earlier(build.graph, step)):
            if isinstance(one.instruction, FileInstruction):
                if not is_stored(one, path):
                    continue
                if build.context is not None and one.source_stage is None and one.source_image is None:
                    return None if is_small(build, one) else one
                return one if path.lower().endswith(BIG) else None
            if isinstance(one.instruction, Run):
                if _made_by(one, path):
                    return one
                if one.effects.wall or any(covers(written, path) or written == path for written in one.effects.writes):
                    return None
        return None


def _made_by(step: Step, path: str) -> bool:
    """Tell whether a RUN fetched a file to a path, cloned to it, or unpacked something right above it."""
    there = False
    for call in step.invocations:
        done = invocation_effects(call, Place.of(call.command, step.setting))
        if call.action in ("fetch", "clone") and any(written.rstrip("/") == path for written in done.writes):
            there = True
        if call.action == "unpack" and posixpath.dirname(path).rstrip("/") + "/" in done.writes:
            there = True
        if any(covers(gone, path) or gone == path for gone in done.removes):
            there = False
    return there


class UseraddHighUid(Rule):
    """A user with a very high number is added, and the log of last logins grows to its place.

    That log is one sparse file with a slot per number. Layers do not keep the holes, so the image grows by gigabytes.

    Fix safety: safe; only the logs lack the entry of a user that never logged in.
    """

    code = "L121"
    name = "useradd-high-uid"
    aliases = ("DL3046",)
    examples = (
        Bad(
            "FROM debian:12\nRUN useradd -u 1234567 app\n",
            at="useradd -u 1234567 app",
            fixed="FROM debian:12\nRUN useradd -l -u 1234567 app\n",
        ),
        Bad(
            "FROM debian:12\nRUN useradd -m --uid=1234567 app\n",
            at="useradd -m --uid=1234567 app",
            fixed="FROM debian:12\nRUN useradd -l -m --uid=1234567 app\n",
        ),
        Good("FROM debian:12\nRUN useradd -l -u 1234567 app\n"),
        Good("FROM debian:12\nRUN useradd --no-log-init -u 1234567 app\n"),
        Good("FROM debian:12\nRUN useradd -u 10001 app\n"),
        Good("FROM debian:12\nARG USER_ID\nRUN useradd -u ${USER_ID} app\n", why="nobody knows how high"),
        Good("FROM alpine:3.22\nRUN adduser -D -u 1234567 app\n", why="that program keeps no such log"),
    )

    HIGHEST = 99_999

    def check(self, build: Build) -> Iterator[Finding]:
        """Report useradd with a number of six digits or more."""
        for _, call in calls_of(build.graph, "useradd"):
            if call.command.name != "useradd" or call.has("-l", "--no-log-init"):
                continue
            number = call.options.get("-u") or call.options.get("--uid") or ""
            if not number.isdigit() or int(number) <= self.HIGHEST:
                continue
            edit = insert_after(build, call.command.words[0], " -l")
            yield self.finding(
                call.command.span,
                f"the log of last logins grows to the size of user {number}: add -l",
                fix=self.safe("Add -l", edit) if edit else None,
            )


class CopyArchiveThenUnpack(Rule):
    """An archive is copied and unpacked by a RUN.

    The archive stays in its layer and weighs for nothing. ADD unpacks it on the way.

    Fix safety: unsafe; ADD keeps the archive's owners, and the archive itself is gone.
    """

    code = "L124"
    name = "copy-archive-then-unpack"
    aliases = ("DL3010",)
    severity = Severity.INFO
    examples = (
        Bad(
            "FROM debian:12\nCOPY app.tar.gz /tmp/\nRUN tar xzf /tmp/app.tar.gz -C /opt && rm /tmp/app.tar.gz\n",
            at="COPY app.tar.gz /tmp/",
            fixed="FROM debian:12\nADD app.tar.gz /opt/\n",
            unsafe=True,
        ),
        Bad(
            "FROM debian:12\nCOPY app.tgz /srv/a.tgz\nRUN mkdir /x && tar -xf /srv/a.tgz && ls\n",
            at="COPY app.tgz /srv/a.tgz",
        ),
        Good("FROM debian:12\nADD app.tar.gz /opt/\n"),
        Good("FROM debian:12\nCOPY app.tar.gz /tmp/\nRUN ls /tmp\n"),
        Good("FROM debian:12\nCOPY app.zip /tmp/\nRUN unzip /tmp/app.zip\n", why="ADD does not unpack these"),
        Good(
            "FROM debian:12 AS a\nRUN make\nFROM debian:12\nCOPY --from=a /app.tgz /tmp/\nRUN tar xf /tmp/app.tgz\n",
            why="ADD takes nothing from stages",
        ),
        Good("FROM debian:12\nCOPY app.tgz /tmp/\nRUN tar xf /tmp/other.tgz\n"),
        Good(
            "FROM debian:12 AS a\nCOPY app.tgz /tmp/\nRUN tar xf /tmp/app.tgz -C /o\nFROM debian:12\n"
            "COPY --from=a /o /o\n",
            why="the stage does not ship",
        ),
        Good(
            "FROM debian:12\nCOPY app.tgz /tmp/\nRUN tar xf /tmp/app.tgz --strip-components=1 -C /o\n",
            why="ADD cannot leave parts of the path out",
        ),
    )

    _ARCHIVE = re.compile(r"\.(?:tar|tar\.(?:gz|bz2|xz|zst)|tgz|tbz2?|txz)$")

    def check(self, build: Build) -> Iterator[Finding]:
        """Report copies of archives from the context that a later RUN of the stage unpacks plainly."""
        for stage in shipping_stages(build):
            for position, copy in enumerate(stage.steps):
                target = self._target(copy)
                if target is None:
                    continue
                for step in stage.steps[position + 1 :]:
                    call = self._unpacks(step, target)
                    if call is not None:
                        follows = stage.steps[position + 1] is step
                        yield self.finding(
                            copy,
                            "the archive stays in the layer: let ADD bring and unpack it",
                            related=[(call.command.span, "it is unpacked here")],
                            fix=self._fix(build, copy, step, call, target) if follows else None,
                        )
                        break

    def _target(self, step: Step) -> str | None:
        if not isinstance(step.instruction, Copy) or step.instruction.flags or step.documents or step.unknown:
            return None
        if len(step.sources) != 1 or not self._ARCHIVE.search(step.sources[0]) or "*" in step.sources[0]:
            return None
        target = step.destination
        if target.endswith(("/", "/.")) or not self._ARCHIVE.search(target):
            return posixpath.normpath(posixpath.join(target, posixpath.basename(step.sources[0])))
        return target

    def _unpacks(self, step: Step, target: str) -> Invocation | None:
        if not isinstance(step.instruction, Run):
            return None
        for call in step.invocations:
            if call.family == "tar" and not call.command.conditional and _folder_of(step, call, target) is not None:
                return call
        return None

    def _fix(self, build: Build, copy: Step, step: Step, call: Invocation, target: str) -> Fix | None:
        """Where the RUN only unpacks, and perhaps deletes the archive, ADD takes the place of both."""
        others = [command for command in step.commands if command is not call.command]
        script = step.script
        if script is None or script.exec_form or not script.is_and_list or step.instruction.comments:
            return None
        if any(one.name != "rm" or target not in one.values for one in others) or len(others) > 1:
            return None
        folder = _folder_of(step, call, target)
        instruction = copy.instruction
        if folder is None or not isinstance(instruction, Copy) or instruction.json:
            return None
        end = step.span.start + len(build.tree.source.slice(step.span).rstrip())
        return self.unsafe(
            "Let ADD unpack it",
            Edit(instruction.keyword_span, "ADD"),
            Edit(instruction.destination.span, folder),
            Edit(Span(copy.span.start + len(build.tree.source.slice(copy.span).rstrip()), end), ""),
        )


PLAIN_TAR = frozenset(("-x", "-z", "-j", "-J", "-v", "-f", "-C", "-p", "-a", "--zstd"))
"""Options of tar that ADD needs no counterpart for."""


def _folder_of(step: Step, call: Invocation, archive: str) -> str | None:
    """Give the folder into which a call of tar unpacks a whole archive; None for any other call."""
    words = [word.value for word in call.operands]
    letters = str(call.command.words[1].value or "") if len(call.command.words) > 1 else ""
    if letters.startswith("-"):
        letters = ""
    if tar_mode(call) != "x" or not set(call.options) <= PLAIN_TAR or not set(letters) <= set("xzjJvfCpa"):
        return None
    if len(words) - bool(letters) > letters.count("f") + letters.count("C") or None in words:
        return None
    done = invocation_effects(call, Place.of(call.command, step.setting))
    folders = [path for path in done.writes if path.endswith("/")]
    return folders[0] if archive in done.reads and len(folders) == 1 and "*" not in folders[0] else None


SYMBOLIC = {"+x": "755", "a+x": "755", "a+rx": "755", "u+x": "744"}
"""Modes that files of 644, the usual mode, have after a symbolic change."""


class CopyChmodSingle(Rule):
    """One file is copied, and the next RUN only sets its mode.

    The file is stored twice. ``COPY --chmod`` sets the mode on the way.

    Fix safety: unsafe; it needs BuildKit, which is the default since Docker 23.
    """

    code = "L127"
    name = "copy-chmod-single"
    aliases = ("tally/prefer-copy-chmod",)
    severity = Severity.INFO
    default = False
    examples = (
        Bad(
            "FROM debian:12\nCOPY run.sh /run.sh\nRUN chmod 755 /run.sh\n",
            at="RUN chmod 755 /run.sh",
            fixed="FROM debian:12\nCOPY --chmod=755 run.sh /run.sh\n",
            unsafe=True,
        ),
        Bad(
            "FROM debian:12\nWORKDIR /app\nCOPY run.sh .\nRUN chmod +x run.sh\n",
            at="RUN chmod +x run.sh",
            fixed="FROM debian:12\nWORKDIR /app\nCOPY --chmod=755 run.sh .\n",
            unsafe=True,
        ),
        Good("FROM debian:12\nCOPY --chmod=755 run.sh /run.sh\n"),
        Good("FROM debian:12\nCOPY run.sh /run.sh\nRUN chmod 755 /run.sh && /run.sh\n", why="the RUN does more"),
        Good("FROM debian:12\nCOPY bin /bin\nRUN chmod -R 755 /bin\n", why="chown-after-copy tells"),
        Good("FROM debian:12\nCOPY run.sh /run.sh\nRUN chmod 755 /other.sh\n"),
        Good("FROM debian:12\nCOPY run.sh /run.sh\nRUN --network=none chmod 755 /run.sh\n"),
    )

    def check(self, build: Build) -> Iterator[Finding]:
        """Report the RUN."""
        for stage in build.graph.stages:
            for copy, step in pairwise(stage.steps):
                mode = self._mode(copy, step)
                if mode is None:
                    continue
                edits = (
                    Edit(
                        Span(copy.instruction.keyword_span.end, copy.instruction.keyword_span.end), f" --chmod={mode}"
                    ),
                    Edit(
                        Span(
                            copy.span.start + len(build.tree.source.slice(copy.span).rstrip()),
                            step.span.start + len(build.tree.source.slice(step.span).rstrip()),
                        ),
                        "",
                    ),
                )
                plain = not step.instruction.comments and not copy.instruction.flags and not copy.documents
                yield self.finding(
                    step,
                    f"the file is stored a second time: write COPY --chmod={mode} above",
                    fix=self.unsafe("Let COPY set the mode", *edits) if plain else None,
                )

    def _mode(self, copy: Step, step: Step) -> str | None:
        if not isinstance(copy.instruction, Copy) or not isinstance(step.instruction, Run) or step.instruction.flags:
            return None
        if copy.unknown or len(copy.sources) + len(copy.documents) != 1 or copy.instruction.chmod or copy.chown:
            return None
        if len(step.commands) != 1 or len(step.invocations) != 1 or "*" in "".join(copy.sources):
            return None
        call = step.invocations[0]
        if call.action != "change-mode" or call.has("-R") or len(call.operands) != 2:
            return None
        mode = call.operands[0].value or ""
        wanted = mode if re.fullmatch(r"[0-7]{3,4}", mode) else SYMBOLIC.get(mode)
        path = place_of(step, call).path(call.operands[1])
        name = posixpath.basename(copy.sources[0]) if copy.sources else copy.documents[0][0]
        target = copy.destination
        whole = posixpath.normpath(posixpath.join(target, name)) if target.endswith(("/", "/.")) else target
        return wanted if path == whole or path == posixpath.normpath(posixpath.join(target, name)) else None
