"""Rules about the form of CMD, ENTRYPOINT and RUN: JSON array or shell code, and what each does to the other."""

from __future__ import annotations

import re
from collections.abc import Iterator

from dfopt.edit import Edit
from dfopt.finding import Finding, Fix, Severity
from dfopt.graph.model import Stage, Step
from dfopt.graph.queries import is_windows
from dfopt.lint.rule import Bad, Build, Good, Rule
from dfopt.shell.model import POSIX, Command, Script
from dfopt.syntax.tree import Cmd, CommandInstruction, Entrypoint, Healthcheck, Run

from .shell import SHELLS


class ShellFormCmd(Rule):
    """CMD or ENTRYPOINT is in shell form, so a shell is process 1.

    Most shells pass no signals on: the container does not stop when asked to, and is killed after ten seconds. The JSON
    form starts the program itself; where a shell is needed, begin with ``exec``.

    Fix safety: unsafe; there is no shell any more that could expand anything or wait for children.
    """

    code = "S108"
    name = "shell-form-cmd"
    aliases = ("JSONArgsRecommended", "DL3025")
    severity = Severity.INFO
    examples = (
        Bad(
            "FROM debian:12\nCMD python3 app.py --port '80 80'\n",
            at="CMD python3 app.py --port '80 80'",
            fixed='FROM debian:12\nCMD ["python3", "app.py", "--port", "80 80"]\n',
            unsafe=True,
        ),
        Bad("FROM debian:12\nENTRYPOINT java $OPTS -jar app.jar\n", at="ENTRYPOINT java $OPTS -jar app.jar"),
        Bad("FROM debian:12\nCMD cd /app && ./run\n", at="CMD cd /app && ./run"),
        Good('FROM debian:12\nCMD ["python3", "app.py"]\n'),
        Good("FROM debian:12\nCMD exec java $OPTS -jar app.jar\n", why="the shell hands over to the program"),
        Good("FROM debian:12\nENTRYPOINT cd /app && exec ./run\n", why="the shell hands over to the program"),
        Good('FROM debian:12\nSHELL ["/bin/bash", "-c"]\nCMD ./run\n', why="a shell was asked for"),
        Good("FROM debian:12\nHEALTHCHECK CMD curl -f http://localhost/\nCMD []\n"),
    )

    def check(self, build: Build) -> Iterator[Finding]:
        """Report the last CMD and ENTRYPOINT of each stage."""
        for stage in build.graph.stages:
            for kind in (Entrypoint, Cmd):
                step = next((one for one in reversed(stage.steps) if isinstance(one.instruction, kind)), None)
                if step is None or step.before.shell_set or is_windows(build.graph, stage.index):
                    continue
                instruction = step.instruction
                assert isinstance(instruction, CommandInstruction)
                script = step.script
                if instruction.is_exec or script is None or script.dialect not in POSIX or not script.items:
                    continue
                if _hands_over(script) or script.text.lstrip().startswith("["):
                    continue
                yield self.finding(
                    step,
                    f"a shell runs this {step.keyword}, and passes no signals on: write it as a JSON array, or begin "
                    "with exec",
                    fix=self._fix(build, step, script),
                )

    def _fix(self, build: Build, step: Step, script: Script) -> Fix | None:
        if len(script.items) != 1 or step.instruction.heredocs or step.instruction.inner_comments:
            return None
        node = script.items[0].node
        if not isinstance(node, Command) or node.redirects or node.assignments or node.wrappers or node.background:
            return None
        if any(word.value is None or word.glob or word.variables for word in node.words) or not node.words:
            return None
        if any(word.raw.startswith("~") or "{" in word.raw or "$" in word.raw for word in node.words):
            return None
        import json

        span = step.instruction.body.span(0, len(step.instruction.body.text))
        text = json.dumps([word.value for word in node.words], ensure_ascii=False)
        return self.unsafe("Write it as a JSON array", Edit(span, text))


def _hands_over(script: Script) -> bool:
    """Tell whether a script ends with exec, or with a program that is the shell's only child."""
    last = script.items[-1].node
    return isinstance(last, Command) and "exec" in last.wrappers


class MalformedExecForm(Rule):
    """Text stands behind a JSON array, so the whole is taken as shell code.

    The shell then looks for a program whose name begins with a bracket. A comment cannot stand on that line.

    Fix safety: unsafe; what could not run before does now.
    """

    code = "S109"
    name = "malformed-exec-form"
    aliases = ("S7030",)
    severity = Severity.ERROR
    examples = (
        Bad(
            'FROM debian:12\nCMD ["nginx", "-g", "daemon off;"] # in front\n',
            at="# in front",
            fixed='FROM debian:12\nCMD ["nginx", "-g", "daemon off;"]\n',
            unsafe=True,
        ),
        Bad('FROM debian:12\nENTRYPOINT ["run"];\n', at=";", fixed='FROM debian:12\nENTRYPOINT ["run"]\n', unsafe=True),
        Bad('FROM debian:12\nENTRYPOINT ["run"] --all\n', at="--all"),
        Good('FROM debian:12\nCMD ["nginx", "-g", "daemon off;"]\n'),
        Good("FROM debian:12\nRUN [ -f /a ] && rm /a\n", why="a test"),
        Good('FROM debian:12\nRUN ["$A" = b ] || true\n', why="no JSON"),
    )

    def check(self, build: Build) -> Iterator[Finding]:
        """Report what stands behind the array."""
        import json

        for step in build.steps:
            instruction = step.instruction
            if not isinstance(instruction, Cmd | Entrypoint | Run | Healthcheck) or instruction.is_exec:
                continue
            joined = instruction.command if isinstance(instruction, Healthcheck) else instruction.body
            if joined is None or not joined.text.startswith("["):
                continue
            try:
                value, end = json.JSONDecoder().raw_decode(joined.text)
            except ValueError:
                continue
            rest = joined.text[end:]
            if not isinstance(value, list) or not rest.strip() or not all(isinstance(one, str) for one in value):
                continue
            start = end + len(rest) - len(rest.lstrip())
            stop = start + len(rest.strip())
            fix = None
            if rest.strip().startswith("#") or not rest.strip(" ;,"):
                fix = self.unsafe("Remove what stands behind it", Edit(joined.span(end, stop), ""))
            yield self.finding(
                joined.span(start, stop), "text behind the JSON array makes all of it shell code: remove it", fix=fix
            )


OPERATORS = frozenset(("&&", "||", "|", ";", ">", ">>", "<", "2>&1", "&", "&>", "2>"))
EXPANDING = SHELLS | {
    "envsubst", "awk", "gawk", "sed", "perl", "grep", "php", "ruby", "node", "npm", "npx", "yarn", "pnpm", "expect",
    "su", "env", "eval", "execlineb", "jq", "find", "ssh", "confd", "forego", "supervisord", "goreman",
}  # fmt: skip
"""Programs that give such signs a meaning of their own, or hand them to a shell."""
_VARIABLE = re.compile(r"\$(?:[A-Z_][A-Z0-9_]*|\{[A-Z_][A-Z0-9_]*\})")


class ExecFormWithShellSyntax(Rule):
    """A JSON array holds something that only a shell understands.

    No shell reads it: the program gets ``$NAME`` and ``&&`` as they are.
    """

    code = "S110"
    name = "exec-form-with-shell-syntax"
    examples = (
        Bad('FROM debian:12\nCMD ["echo", "$HOME"]\n', at='"$HOME"'),
        Bad('FROM debian:12\nCMD ["./migrate", "&&", "./run"]\n', at='"&&"'),
        Bad('FROM debian:12\nENTRYPOINT ["java", "${JAVA_OPTS}", "-jar", "a.jar"]\n', at='"${JAVA_OPTS}"'),
        Good('FROM debian:12\nCMD ["sh", "-c", "echo $HOME && ls"]\n'),
        Good('FROM debian:12\nENTRYPOINT ["/sbin/tini", "--", "bash", "-c"]\nCMD ["echo $HOME"]\n'),
        Good('FROM debian:12\nENTRYPOINT ["./entrypoint.sh"]\nCMD ["run", "$HOME"]\n', why="the script may expand it"),
        Good('FROM debian:12\nCMD ["awk", "{ print $NF }", "a"]\n'),
        Good('FROM debian:12\nCMD ["nginx", "-g", "daemon off;"]\n'),
        Good('FROM debian:12\nCMD ["tool", "--price", "5$"]\n'),
    )

    def check(self, build: Build) -> Iterator[Finding]:
        """Report the first such element."""
        for step in build.steps:
            instruction = step.instruction
            if not isinstance(instruction, Cmd | Entrypoint | Run) or not instruction.exec_form or step.stage < 0:
                continue
            words = [word.text for word in instruction.exec_form]
            if any(word.rsplit("/", 1)[-1].lower().removesuffix(".exe") in EXPANDING for word in words):
                continue
            if isinstance(instruction, Cmd) and _has_entrypoint(build, step):
                continue
            for word in instruction.exec_form[1:]:
                if word.text in OPERATORS:
                    yield self.finding(
                        word.span, f"no shell reads this: {words[0]} gets {word.text} as an argument; use sh -c"
                    )
                    break
                if (match := _VARIABLE.search(word.text)) and not words[0].endswith((".sh", ".py")):
                    yield self.finding(
                        word.span,
                        f"no shell reads this: {words[0]} gets {match.group()} as it is; use sh -c, or the value",
                    )
                    break


def _has_entrypoint(build: Build, step: Step) -> bool:
    """Tell whether CMD may only be the arguments of an ENTRYPOINT, one of the base image included."""
    chain = build.graph.chain(step.stage)
    if any(isinstance(one.instruction, Entrypoint) for stage in chain for one in stage.steps):
        return True
    facts = chain[0].facts
    return chain[0].image != "scratch" and (facts is None or bool(facts.entrypoint))


class EntrypointShellSwallowsCmd(Rule):
    """ENTRYPOINT is in shell form, so CMD does nothing.

    The shell gets the words of CMD as its own arguments and passes them on to nobody; arguments of ``docker run`` share
    that fate. The JSON form of ENTRYPOINT passes them on.
    """

    code = "S116"
    name = "entrypoint-shell-swallows-cmd"
    examples = (
        Bad('FROM debian:12\nENTRYPOINT ./run\nCMD ["--help"]\n', at='CMD ["--help"]'),
        Bad('FROM debian:12 AS a\nENTRYPOINT ./run\nFROM a\nCMD ["--help"]\n', at='CMD ["--help"]'),
        Good('FROM debian:12\nENTRYPOINT ["./run"]\nCMD ["--help"]\n'),
        Good('FROM debian:12\nENTRYPOINT exec ./run "$0" "$@"\nCMD ["--help"]\n', why="the shell passes them on"),
        Good("FROM debian:12\nENTRYPOINT ./run\n"),
        Good("FROM debian:12\nENTRYPOINT ./run\nCMD []\n", why="there is nothing to pass on"),
        Good('FROM debian:12\nENTRYPOINT ./a\nCMD ["b"]\nENTRYPOINT ["./c"]\n', why="the last one counts"),
    )

    def check(self, build: Build) -> Iterator[Finding]:
        """Report the CMD that is in force beside such an ENTRYPOINT."""
        for stage in build.graph.stages:
            cmd = next((one for one in reversed(stage.steps) if isinstance(one.instruction, Cmd)), None)
            entry = self._entrypoint(build, stage)
            if cmd is None or entry is None or self._is_empty(cmd):
                continue
            instruction = entry.instruction
            assert isinstance(instruction, Entrypoint)
            if instruction.is_exec or re.search(r"\$[0-9@*#{]", instruction.body.text):
                continue
            yield self.finding(
                cmd, "the ENTRYPOINT in shell form passes this on to nobody: write it as a JSON array",
                related=[(entry, "this is run by a shell")],
            )  # fmt: skip

    @staticmethod
    def _is_empty(step: Step) -> bool:
        """Tell whether a CMD only takes away that of the base image."""
        instruction = step.instruction
        return isinstance(instruction, Cmd) and instruction.is_exec and not instruction.exec_form

    @staticmethod
    def _entrypoint(build: Build, stage: Stage) -> Step | None:
        steps = [step for one in build.graph.chain(stage.index) for step in one.steps]
        return next((step for step in reversed(steps) if isinstance(step.instruction, Entrypoint)), None)
