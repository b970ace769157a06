"""Rules about layers: bytes that stay in the image although a later step deletes them, or nobody needs them."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from functools import lru_cache

from dfopt.finding import Finding, Fix
from dfopt.graph.model import Stage, Step
from dfopt.graph.queries import earlier, place_of
from dfopt.lint.rule import Bad, Build, Good, Rule
from dfopt.syntax.tree import Copy, FileInstruction, Run
from dfopt.tools import Invocation
from dfopt.tools.paths import covers, overlaps

SMALL = (
    ".txt", ".sh", ".conf", ".cfg", ".ini", ".json", ".lock", ".yml", ".yaml", ".toml", ".xml", ".py", ".list", ".md",
    ".env", ".gpg", ".asc", ".key", ".pub", ".pem", ".crt", ".properties", ".config", ".repo", ".sql", ".service",
)  # fmt: skip
SMALL_BYTES = 100_000
"""What weighs less, or is called like a file that does, is not worth a finding about its size."""


def shipping_stages(build: Build) -> Iterator[Stage]:
    """Give the stages whose layers are part of the image that ships."""
    for stage in build.graph.stages:
        if stage.ships:
            yield stage


def shipping_runs(build: Build) -> Iterator[Step]:
    """Give the RUN steps whose layers ship."""
    for stage in shipping_stages(build):
        for step in stage.steps:
            if isinstance(step.instruction, Run):
                yield step


def is_small(build: Build, step: Step) -> bool:
    """Tell whether what a COPY or ADD brings is small: by its size in the context, else by the names of the files."""
    if build.context is not None:
        size = build.layer_bytes(step)
        return size is not None and size < SMALL_BYTES
    return bool(step.sources) and all(source.lower().endswith(SMALL) for source in step.sources)


def empties(pattern: str, place: str) -> bool:
    """Tell whether deleting a pattern leaves nothing at a place; ``folder/*`` empties the folder."""
    place = place.rstrip("/")
    return pattern != "*" and (covers(pattern, place) or covers(pattern.removesuffix("/*"), place))


DELETING = ("delete", "clean")
ALSO_DELETING = ("find", "gzip", "zip", "pacman")
"""Tools whose verb says something else, and that delete with an option."""


class CleanupInLaterLayer(Rule):
    """A step deletes what an earlier layer holds.

    A layer only ever adds: the deleted files are hidden, not freed, and everybody who pulls the image loads them. What
    is to weigh nothing must be deleted by the RUN that made it, or never be made in a stage that ships.
    """

    code = "L101"
    name = "cleanup-in-later-layer"
    examples = (
        Bad(
            "FROM debian:12\nRUN apt-get update && apt-get install -y curl\nRUN rm -rf /var/lib/apt/lists/*\n",
            at="rm -rf /var/lib/apt/lists/*",
        ),
        Bad(
            "FROM debian:12\nADD https://example.com/app.tar.gz /opt/\nRUN tar xzf /opt/app.tar.gz -C /opt\n"
            "RUN rm /opt/app.tar.gz\n",
            at="rm /opt/app.tar.gz",
        ),
        Bad("FROM debian:12\nCOPY build /build\nRUN /build/install.sh && rm -rf /build\n", at="rm -rf /build"),
        Bad(
            "FROM debian:12\nWORKDIR /opt\nADD https://example.com/app.tar.gz .\n"
            "RUN tar xf app.tar.gz && rm app.tar.gz\n",
            at="rm app.tar.gz",
        ),
        Good(
            "FROM debian:12\nWORKDIR /opt\nADD https://example.com/app.zip .\n"
            "RUN curl -O https://example.com/app.tar.gz && tar xf app.tar.gz && rm app.tar.gz\n",
            why="fetched, unpacked and deleted by the same RUN",
        ),
        Good("FROM debian:12\nRUN apt-get update && apt-get install -y curl && rm -rf /var/lib/apt/lists/*\n"),
        Good(
            "FROM debian:12 AS build\nCOPY src /src\nRUN make -C /src && rm -rf /src/.git\n"
            "FROM scratch\nCOPY --from=build /src/app /\n",
            why="the stage does not ship",
        ),
        Good("FROM debian:12\nCOPY requirements.txt /tmp/\nRUN rm /tmp/requirements.txt\n", why="a few bytes"),
        Good(
            "FROM debian:12\nRUN apt-get update && apt-get install -y ruby && rm -rf /var/lib/apt/lists/*\n"
            "RUN gem install redis && rm -rf /var/lib/apt/lists/*\n",
            why="nothing was left there",
        ),
        Good("FROM debian:12\nRUN rm -rf /etc/nginx/conf.d\nCOPY conf.d /etc/nginx/conf.d\n", why="made room first"),
        Good("FROM debian:12\nWORKDIR /app\nRUN rm -rf /app/*\n", why="nothing was there"),
        Good(
            "FROM debian:12\nCOPY a.conf /etc/app/\nRUN curl -o /etc/app/b.conf https://example.com/b "
            "&& rm /etc/app/b.conf\n",
            why="made and deleted by the same RUN",
        ),
    )

    def check(self, build: Build) -> Iterator[Finding]:
        """Report the deleting commands, each with the layers that keep the files."""
        for step in shipping_runs(build):
            if not any(call.action in DELETING or call.family in ALSO_DELETING for call in step.invocations):
                continue
            own: set[str] = set()
            found: set[str] = set()
            before = earlier(build.graph, step)
            for command, done in zip(step.commands, step.command_effects, strict=True):
                # What is read before anything here can have written it was there before: an archive that is unpacked
                # into its own folder.
                found |= {path for path in done.reads if not any(overlaps(path, written) for written in own)}
                own |= done.writes | done.caches
                if command.name == "mv":
                    continue
                gone = [path for path in done.removes if path != "*" and "**" not in path]
                gone = [path for path in gone if path in found or not any(overlaps(path, written) for written in own)]
                gone = [path for path in gone if not step.is_mounted(path.rstrip("/*"))]
                makers = [
                    one for one in before if any(is_stored(one, path) for path in gone) and not is_small(build, one)
                ]
                if not makers or command.conditional:
                    continue
                line = build.tree.source.line_of(makers[-1].span.start)
                yield self.finding(
                    command.span,
                    f"this frees nothing: the files stay in the layer of line {line}; delete them in the RUN that "
                    "makes them, or keep them out of the stage that ships",
                    related=[(maker, "this layer keeps the files") for maker in makers],
                )


def is_stored(step: Step, path: str) -> bool:
    """Tell whether a step's layer certainly holds something at a path that was deleted."""
    instruction = step.instruction
    if isinstance(instruction, FileInstruction):
        if not step.arguments:
            return False
        target = step.destination.rstrip(".").rstrip("/") or "/"
        names = {posixpath.join(target, posixpath.basename(source.rstrip("/"))) for source in step.sources}
        deleted = path.rstrip("/")
        return deleted == target or deleted.removesuffix("/*") == target or deleted in names
    if not isinstance(instruction, Run):
        return False
    wanted = path.removesuffix("*").rstrip("/")
    return any(made.rstrip("/") == wanted or covers(path, made) or covers(wanted + "/", made) for made in _left(step))


@lru_cache(maxsize=64)
def _left(step: Step) -> frozenset[str]:
    """Give the paths that a RUN's commands certainly leave in its layer."""
    left: set[str] = set()
    for done in step.command_effects:
        if not done.wall:
            left |= {made for made in done.writes | done.caches if made != "*" and "**" not in made}
        if left and done.removes:
            left = {made for made in left if not any(empties(removed, made) for removed in done.removes)}
    return frozenset(made for made in left if not step.is_mounted(made.rstrip("/")) and not made.startswith("/dev/"))


class PurgeInLaterLayer(Rule):
    """Packages are removed in another RUN than the one that installed them.

    They stay in the layer that installed them; the removal even adds a changed package database. Install, use and
    remove in one RUN, or build in a stage of its own.
    """

    code = "L104"
    name = "purge-in-later-layer"
    examples = (
        Bad(
            "FROM debian:12\nRUN apt-get update && apt-get install -y gcc\nCOPY . /src\nRUN make -C /src\n"
            "RUN apt-get purge -y gcc\n",
            at="apt-get purge -y gcc",
        ),
        Bad("FROM alpine:3.22\nRUN apk add --virtual .build gcc\nRUN apk del .build\n", at="apk del .build"),
        Good("FROM debian:12\nRUN apt-get update && apt-get install -y gcc && apt-get purge -y gcc\n"),
        Good("FROM debian:12\nRUN apt-get purge -y perl\n", why="comes with the base image"),
        Good(
            "FROM debian:12 AS build\nRUN apt-get update && apt-get install -y gcc\nRUN apt-get purge -y gcc\n"
            "FROM scratch\nCOPY --from=build /etc/passwd /\n",
            why="the stage does not ship",
        ),
    )

    def check(self, build: Build) -> Iterator[Finding]:
        """Report removals of packages that only an earlier RUN installed by name."""
        for step in shipping_runs(build):
            for call in step.invocations:
                if call.action != "remove" or call.tool.kind != "package-manager":
                    continue
                names = _operands(call)
                if _installed_by([step], call.family, names):
                    continue
                makers = _installed_by(earlier(build.graph, step), call.family, names)
                if makers:
                    line = build.tree.source.line_of(makers[-1].span.start)
                    yield self.finding(
                        call.command.span,
                        f"this frees nothing: the packages stay in the layer of line {line}; remove them in the RUN "
                        "that installs them, or use them in a stage that does not ship",
                        related=[(maker, "installed here") for maker in makers],
                    )


def _operands(call: Invocation) -> set[str]:
    names = {word.value for word in call.operands if word.value}
    virtual = call.options.get("--virtual") or call.options.get("-t")
    return names | ({virtual} if virtual else set())


def _installed_by(steps: Iterator[Step] | list[Step] | tuple[Step, ...], family: str, names: set[str]) -> list[Step]:
    return [
        step
        for step in steps
        if any(
            call.family == family and call.action == "install" and names & _operands(call) for call in step.invocations
        )
    ]


class ChownAfterCopy(Rule):
    """Files are copied, and a RUN changes the owner or mode of all of them.

    Changing one bit of a file stores it again whole, so the tree weighs twice. COPY can set owner and mode itself.

    Fix safety: safe where the abstract build shows the same files with the same owners.
    """

    code = "L103"
    name = "chown-after-copy"
    examples = (
        Bad("FROM debian:12\nCOPY data /srv/data\nRUN chown -R 1000:1000 /srv\n", at="chown -R 1000:1000 /srv"),
        Bad(
            "FROM debian:12\nCOPY data /srv/data\nRUN chown -R 1000:1000 /srv/data\n",
            at="chown -R 1000:1000 /srv/data",
            fixed="FROM debian:12\nCOPY --chown=1000:1000 data /srv/data\n",
        ),
        Bad("FROM debian:12\nWORKDIR /app\nCOPY . .\nRUN chmod -R a+rX .\n", at="chmod -R a+rX ."),
        Good("FROM debian:12\nCOPY --chown=1000:1000 data /srv/data\n"),
        Good("FROM debian:12\nRUN mkdir /srv/data && chown -R 1000:1000 /srv/data\n", why="nothing is stored twice"),
        Good("FROM debian:12\nCOPY run.sh /run.sh\nRUN chmod +x /run.sh\n", why="one small file"),
        Good(
            "FROM debian:12 AS build\nCOPY . /src\nRUN chown -R 1000 /src\nFROM scratch\nCOPY --from=build /src/a /\n",
            why="the stage does not ship",
        ),
    )

    def check(self, build: Build) -> Iterator[Finding]:
        """Report recursive changes of what an earlier COPY or ADD brought."""
        for step in shipping_runs(build):
            for call in step.invocations:
                if call.action not in ("change-owner", "change-mode") or not call.has("-R", "--recursive"):
                    continue
                places = [place_of(step, call).path(word) for word in call.operands[1:]]
                copies = [
                    one
                    for one in earlier(build.graph, step)
                    if isinstance(one.instruction, FileInstruction)
                    and one.arguments
                    and any(_inside(one.destination, place) for place in places)
                    and not is_small(build, one)
                ]
                if not copies or call.command.conditional:
                    continue
                flag = "--chown" if call.action == "change-owner" else "--chmod"
                yield self.finding(
                    call.command.span,
                    f"every file is stored a second time: let the COPY of line "
                    f"{build.tree.source.line_of(copies[-1].span.start)} do it with {flag}",
                    related=[(copy, "these files are stored twice") for copy in copies],
                    fix=self._fix(build, step),
                )

    @staticmethod
    def _fix(build: Build, step: Step) -> Fix | None:
        from dfopt.lint.proposals import proposed_fix
        from dfopt.rewrite.passes.chown_to_copy import chown_to_copy

        return proposed_fix(build, chown_to_copy, step.span)


def _inside(destination: str, place: str) -> bool:
    """Tell whether a copy's destination lies at or below a path."""
    target = destination.rstrip(".").rstrip("/")
    folder = place.rstrip("/*") or "/"
    return target == folder or covers(folder, target)


class ArchiveLeftBehind(Rule):
    """An archive is downloaded and unpacked, and stays in the layer.

    It weighs as much again as the download, for nothing.

    Fix safety: safe where the RUN is a plain list of commands: the archive is deleted at its end, and nothing else
    changes.
    """

    code = "L105"
    name = "archive-left-behind"
    examples = (
        Bad(
            "FROM debian:12\nRUN curl -fsSLO https://example.com/app.tar.gz && tar xzf app.tar.gz\n",
            at="curl -fsSLO https://example.com/app.tar.gz",
        ),
        Bad(
            "FROM debian:12\nRUN wget -O /opt/a.zip https://example.com/a.zip && unzip /opt/a.zip -d /opt\n",
            at="wget -O /opt/a.zip https://example.com/a.zip",
        ),
        Good("FROM debian:12\nRUN curl -fsSLO https://example.com/app.tar.gz && tar xzf app.tar.gz && rm app.tar.gz\n"),
        Good("FROM debian:12\nRUN curl -fsSL https://example.com/app.tar.gz | tar xz\n"),
        Good("FROM debian:12\nRUN curl -fsSLO https://example.com/app.tar.gz\n", why="it may be wanted as it is"),
        Good(
            "FROM debian:12\nRUN cd /tmp/x && wget https://example.com/a.tgz && tar xf a.tgz && cd / && rm -r /tmp/x\n"
        ),
        Good(
            "FROM debian:12 AS get\nRUN wget https://example.com/a.tgz && tar xf a.tgz\n"
            "FROM scratch\nCOPY --from=get /a /\n",
            why="the stage does not ship",
        ),
        Good(
            "FROM debian:12\nRUN wget https://example.com/a.tgz && tar xf a.tgz\nRUN rm a.tgz\n",
            why="cleanup-in-later-layer tells",
        ),
    )

    def check(self, build: Build) -> Iterator[Finding]:
        """Report downloads that the same RUN unpacks and no RUN deletes."""
        for step in shipping_runs(build):
            if not {"fetch", "unpack"} <= {call.action for call in step.invocations}:
                continue
            stored: dict[str, Invocation] = {}
            unpacked: set[str] = set()
            calls = {id(call.command): call for call in step.invocations}
            if not any(call.action == "fetch" for call in step.invocations):
                continue
            for command, done in zip(step.commands, step.command_effects, strict=True):
                call = calls.get(id(command))
                if call is not None and call.action == "fetch" and done.fetches:
                    stored.update(dict.fromkeys(self._files(done.writes), call))
                elif call is not None and call.action == "unpack":
                    unpacked |= done.reads & stored.keys()
                for path in done.removes:
                    stored = {one: maker for one, maker in stored.items() if not overlaps(path, one)}
                if done.wall:
                    stored = {}
            for path in sorted(unpacked & stored.keys()):
                if step.is_mounted(path) or self._deleted_later(build, step, path):
                    continue
                yield self.finding(
                    stored[path].command.span,
                    f"{posixpath.basename(path)} is unpacked and stays in the layer: delete it in the same RUN, or "
                    "pipe the download into the unpacking command",
                )

    @staticmethod
    def _files(writes: frozenset[str]) -> list[str]:
        return [path for path in writes if path != "*" and not path.endswith("/") and "*" not in path]

    @staticmethod
    def _deleted_later(build: Build, step: Step, path: str) -> bool:
        steps = build.graph.stages[step.stage].steps
        return any(overlaps(gone, path) for one in steps if one.index > step.index for gone in one.effects.removes)


class FullRootCopy(Rule):
    """The whole file system of another stage is copied over this one.

    Every file of the other stage is stored again, those included that are here already.
    """

    code = "L125"
    name = "full-root-copy"
    aliases = ("DL3067",)
    examples = (
        Bad("FROM debian:12 AS build\nRUN make\nFROM debian:12\nCOPY --from=build / /\n", at="COPY --from=build / /"),
        Good("FROM debian:12 AS build\nRUN make\nFROM scratch\nCOPY --from=build / /\n", why="flattens the stage"),
        Good("FROM debian:12 AS build\nRUN make\nFROM debian:12\nCOPY --from=build /app /app\n"),
    )

    def check(self, build: Build) -> Iterator[Finding]:
        """Report copies from root to root onto a base that is not empty."""
        for step in build.steps:
            instruction = step.instruction
            if not isinstance(instruction, Copy) or not instruction.from_ or step.stage < 0 or step.unknown:
                continue
            if build.graph.chain(step.stage)[0].image == "scratch":
                continue
            if "/" in step.sources and step.destination in ("/", "/."):
                yield self.finding(step, "everything is stored again over what the base has: copy what is needed only")
