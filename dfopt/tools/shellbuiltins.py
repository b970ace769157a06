"""What the shell itself does, and programs that only start another one."""

from __future__ import annotations

import itertools

from dfopt.tools.model import Effects, Invocation
from dfopt.tools.paths import Place
from dfopt.tools.table import tool, verb

_TESTS = frozenset(
    (
        "-e",
        "-f",
        "-d",
        "-r",
        "-w",
        "-x",
        "-s",
        "-L",
        "-h",
        "-b",
        "-c",
        "-p",
        "-S",
        "-k",
        "-u",
        "-g",
        "-O",
        "-G",
        "-N",
        "-nt",
        "-ot",
        "-ef",
    )
)


def _test(invocation: Invocation, place: Place) -> Effects:
    """File tests read the files they name."""
    words = invocation.operands
    return Effects(
        reads=frozenset(place.path(word) for before, word in itertools.pairwise(words) if before.value in _TESTS)
    )


TOOLS = (
    tool("cd pushd popd dirs", "cd", "shell", verb("", "other"), syntax="raw", doc="changes the directory"),
    tool("set shopt setopt emulate unset export declare typeset local readonly alias unalias let shift getopts "
            "enable disown hash rehash bindkey autoload zmodload", "set", "shell", verb("", "configure"),
        syntax="raw", doc="sets the shell's variables and options"),
    tool("true false : exit return break continue wait jobs fg bg times ulimit type builtin complete compgen caller "
            "help history fc logout suspend", "true", "shell", verb("", "other"), syntax="raw",
        doc="the shell's own words"),
    tool("test [ [[", "test", "shell", verb("", "test", shape=_test, deterministic=True), syntax="raw",
        doc="tests files and texts"),
    tool("command env xargs", "query", "shell", verb("", "query"), syntax="raw",
        doc="what is left of a wrapper that starts nothing (command -v, env)"),
    tool("umask", "umask", "shell", verb("", "configure"), syntax="raw", doc="sets the mode of new files"),
    tool("read mapfile readarray", "read", "shell", verb("", "other"), syntax="raw", doc="reads lines into variables"),
    tool("sleep usleep", "sleep", "other", verb("", "other", seconds=2), syntax="raw", doc="waits"),
    tool("kill killall pkill killall5 skill renice", "kill", "service", verb("", "other"), syntax="raw",
        doc="ends processes"),
    tool("source .", "source", "shell", verb("", "run", operands="read", wall=True,
        reason="it runs a file in this shell"), permutes=False, doc="runs a file in this shell"),
    tool("eval trap coproc", "eval", "shell", verb("", "run", wall=True, reason="it runs text as a program"),
        syntax="raw", doc="runs text as a program"),
    tool("sh bash dash ash ksh zsh fish csh tcsh rbash powershell pwsh cmd cmd.exe powershell.exe", "sh", "shell",
        verb("", "run", wall=True, runs_project_code=True, reason="it runs a script"), syntax="raw",
        doc="runs a script"),
    tool("script", "script", "other", verb("", "run", wall=True, runs_project_code=True,
        reason="it runs a program of the project"), syntax="raw", doc="a program that is called by its path"),
    tool("timeout", "wrap", "shell", verb("", "run"), opts="-s --signal =text | -k --kill-after =text | --foreground "
            "| --preserve-status | -v | -t =text", wraps=1, doc="limits the time of a command"),
    tool("nohup stdbuf nice ionice setsid eatmydata catchsegv dumb-init tini catatonit unbuffer time linux32 linux64 "
            "fakeroot chronic ccache sccache distcc retry fix-attrs doas busybox noglob xvfb-run dbus-run-session "
            "faketime proot unshare with-contenv"
         " strace ltrace valgrind  ", "wrap", "shell", verb("", "run"), opts="-n =text | -c =text | -p =text "
              "| -o =text | -e =text | -i =text | -s --server-args =text | -a --auto-servernum | -u =text | -q | -v",
         wraps=0, doc="starts another command"),
    tool("gosu su-exec setuidgid s6-setuidgid chpst", "wrap", "shell", verb("", "run"), opts="-u =text", wraps=1,
        doc="starts a command as another user"),
    tool("setarch", "wrap", "shell", verb("", "run"), wraps=1, doc="starts a command for another machine"),
    tool("setpriv capsh runuser", "su", "user", verb("", "run", wall=True,
        reason="it runs a command as another user"), permutes=False, doc="starts a command as another user"),
    tool("flock", "wrap", "shell", verb("", "run"),
        opts="-n | -x | -w --timeout =text | -e | -s | -u | -o | -E =text", wraps=1,
        doc="starts a command under a lock"),
    tool("chroot nsenter", "chroot", "other", verb("", "run", wall=True, reason="it runs a command in another root"),
        permutes=False, doc="starts a command in another root"),
    tool("parallel watch entr at batch", "parallel", "other", verb("", "run", wall=True,
        reason="it starts commands its words do not tell"), permutes=False, doc="starts commands"),
    tool("expect autoexpect spawn", "expect", "other", verb("", "run", wall=True, reason="it talks to programs"),
        permutes=False, doc="talks to programs"),
)  # fmt: skip
