"""Programs that print, filter and edit text."""

from __future__ import annotations

import re

from dfopt.tools.model import NOTHING, Effects, Invocation
from dfopt.tools.paths import EVERYTHING, Place
from dfopt.tools.table import tool, verb

_SED_WRITES = re.compile(r"(?:^|[;{}/|#,!])[gpIiMm0-9]*w\s+(\S+)\s*$")


def _sed(invocation: Invocation, place: Place) -> Effects:
    # The first operand is the program unless an option gives one; ``-i`` writes the files.
    words = list(invocation.operands)
    if not invocation.has("-e", "-f") and words:
        program = words.pop(0)
        if not program.quoted and program.value is None and program.pattern.startswith("*"):
            words.append(program)
    files = frozenset(place.path(word) for word in words if place.text(word) != "-")
    # "s/a/b/w out" and "/a/w out" write a file.
    programs = invocation.values("-e") or invocation.operands[:1]
    ends = (_SED_WRITES.search(place.text(word)) for word in programs)
    out = frozenset(place.join(match.group(1)) for match in ends if match is not None)
    return Effects(reads=files, writes=(files | out) if invocation.has("-i") else out)


def _filter(invocation: Invocation, place: Place) -> Effects:
    # The first operand is the program or pattern unless an option gives one, the others are files read.
    words = list(invocation.operands)
    if not invocation.has("-e", "-f", "--files") and words:
        words.pop(0)
    return Effects(reads=frozenset(place.path(word) for word in words if place.text(word) != "-"))


def _awk(invocation: Invocation, place: Place) -> Effects:
    # awk programs can write files and start programs; where one looks like it, the call is not known.
    words = list(invocation.operands)
    program = ""
    if not invocation.has("-f") and words:
        program = place.text(words.pop(0))
    files = frozenset(place.path(word) for word in words if "=" not in place.text(word))
    result = Effects(reads=files)
    if (
        "system(" in program
        or "print >" in program
        or '> "' in program
        or "| getline" in program
        or invocation.has("-f")
    ):
        return result | Effects(
            reads=frozenset((EVERYTHING,)),
            writes=frozenset((EVERYTHING,)),
            wall=True,
            reason="awk: its program runs or writes something",
        )
    if invocation.options.get("-i") == "inplace":
        result |= Effects(writes=files)
    return result


def _perl(invocation: Invocation, place: Place) -> Effects:
    """``perl -pi -e`` edits files as sed does; any other program may do anything."""
    inline = invocation.options.get("-e") or ""
    if invocation.has("-i") and invocation.has("-p", "-n") and "system" not in inline and "`" not in inline:
        files = frozenset(place.path(word) for word in invocation.operands)
        return Effects(reads=files, writes=files)
    if invocation.has("-v", "-V") and not invocation.operands:
        return NOTHING
    return Effects(
        reads=frozenset((EVERYTHING,)),
        writes=frozenset((EVERYTHING,)),
        wall=True,
        runs_project_code=not inline,
        reason="perl: it runs a program",
    )


def _sort(invocation: Invocation, place: Place) -> Effects:
    """Operands are read; the result may go to a file given by an option."""
    return Effects(reads=frozenset(place.path(word) for word in invocation.operands if place.text(word) != "-"))


def _uniq(invocation: Invocation, place: Place) -> Effects:
    # The first operand is read, the second written.
    words = invocation.operands
    return Effects(
        reads=frozenset(place.path(word) for word in words[:1]),
        writes=frozenset(place.path(word) for word in words[1:2]),
    )


_FILTER_OPTIONS = """
-e --regexp =text | -f --file =read | -E --extended-regexp | -F --fixed-strings | -P | -i | -v | -c | -o
-q --quiet --silent | -n | -l | -L | -r --recursive | -R | -w | -x | -h | -H | -s | -z | -a | -m --max-count =text
-A --after-context =text | -B --before-context =text | -C --context =text | --include =text | --exclude =text
--exclude-dir =text | --color --colour [=text] | -d =text | -D =text | --binary-files =text
"""

TOOLS = (
    tool("echo printf", "echo", "text", verb("", "print", deterministic=True), syntax="raw", doc="prints its words"),
    tool("sed gsed", "sed", "text", verb("", "edit", shape=_sed, deterministic=True),
         opts="-e --expression =text | -f --file =read | -i --in-place [=text] | -n --quiet --silent "
              "| -r --regexp-extended | -E | -s --separate | -u --unbuffered | -z --null-data "
              "| -l --line-length =text | --posix | --follow-symlinks | --debug | --sandbox", doc="edits text"),
    tool("grep egrep fgrep zgrep rg ag", "grep", "text", verb("", "test", shape=_filter, deterministic=True),
        opts=_FILTER_OPTIONS, doc="searches text"),
    tool("jq yq gojq", "jq", "text", verb("", "print", shape=_filter, deterministic=True),
         opts="-r --raw-output | -c | -n --null-input | -e --exit-status | -s --slurp | -S | -M | -C | -R | -j "
              "| -f --from-file =read | -i --inplace | --tab | --indent =text | -P | -o =text | -y | -Y",
         doc="filters JSON"),
    tool("awk gawk mawk nawk", "awk", "text", verb("", "print", shape=_awk, deterministic=True),
        opts="-F =text | -v =text | -f =read | -i =text | -W =text", permutes=False, doc="filters text by a program"),
    tool("perl", "perl", "text", verb("", "run", shape=_perl, seconds=0.3), opts="-e -E =text | -i [=text] | -p | -n "
            "| -l [=text] | -0 [=text] | -w | -W | -v | -V | -M =text | -I =text | -C [=text] | -a | -F [=text] | -s "
            "| -T | -c | -t | -x", permutes=False, environment=("PERL*",), doc="runs Perl"),
    tool("tee", "tee", "text", verb("", "edit", operands="write", deterministic=True), opts="-a --append | -i | -p",
        doc="writes its input to files"),
    tool("sponge", "tee", "text", verb("", "edit", operands="write"), opts="-a", doc="writes its input to a file"),
    tool("sort shuf", "sort", "text", verb("", "print", shape=_sort, deterministic=True),
        opts="-o --output =write | -k --key =text | -t --field-separator =text | -T --temporary-directory =tree "
            "| -S --buffer-size =text | -u | -n | -r | -V | -h | -f | -b | -c | -m | -z | -g | -M | -R | -s | -d "
            "| -i | --parallel =text | --random-source =read | -e | -n =text", doc="sorts lines"),
    tool("uniq", "uniq", "text", verb("", "print", shape=_uniq, deterministic=True),
        opts="-c | -d | -u | -i | -f =text | -s =text | -w =text | -z", doc="drops repeated lines"),
    tool("tr", "tr", "text", verb("", "print", deterministic=True), opts="-d | -s | -c | -C | -t",
        doc="replaces characters"),
    tool("head tail", "head", "text", verb("", "print", operands="read", deterministic=True),
        opts="-n --lines =text | -c --bytes =text | -q --quiet | -v | -f | -F | -z | -s =text",
        doc="prints parts of files"),
    tool("cut paste rev fold fmt expand unexpand column join comm pr", "cut", "text", verb("", "print",
        operands="read", deterministic=True), opts="-d --delimiter =text | -f --fields =text | -c --characters =text "
            "| -b --bytes =text | -s | --output-delimiter =text | --complement | -w --width =text | -t | -1 | -2 "
            "| -3 | -i | -a =text | -o =text", doc="cuts columns"),
    tool("base64 base32 uuencode uudecode", "base64", "text", verb("", "print", operands="read", deterministic=True),
        opts="-d -D --decode | -i | -w --wrap =text", doc="encodes text"),
    tool("diff cmp sdiff", "diff", "text", verb("", "test", operands="read", deterministic=True),
        opts="-u | -r | -N | -q | -a | -s | -b | -B | -w | -i | -c | -U =text | -x =text | -l | -n =text",
        doc="compares files"),
    tool("envsubst seq yes expr bc dc factor numfmt tput clear reset basename dirname pathchk nproc arch uname "
            "hostname hostid uptime free logname tty who w users whoami id groups getconf getent locale printenv "
            "lsb_release lscpu lsblk"
         " lspci lsmod ps pgrep pstree top vmstat dmesg pwd last cal which whereis whatis apropos man "
              "command-not-found  stty figlet cowsay lolcat banner fortune screenfetch neofetch", "info", "text",
         verb("", "print"), syntax="raw", doc="prints what the system is"),
    tool("date", "date", "text", verb("", "print", varies=True, operands="text"), opts="-d --date =text | -u --utc "
            "| -r --reference =read | -I --iso-8601 [=text] | -s --set =text | -R | --rfc-3339 =text",
        environment=("TZ", "SOURCE_DATE_EPOCH"), doc="prints the time"),
    tool("uuidgen pwgen makepasswd mcookie apg", "random", "text", verb("", "print", varies=True),
        doc="prints something random"),
    tool("dos2unix unix2dos mac2unix", "dos2unix", "text", verb("", "edit", operands="write", deterministic=True),
        opts="-q | -k | -o | -n | -f | -b | -c =text", doc="changes line ends in place"),
    tool("iconv recode", "iconv", "text", verb("", "print", operands="read", deterministic=True),
        opts="-f --from-code =text | -t --to-code =text | -o --output =write | -c", doc="changes encodings"),
    tool("crudini augtool confd ed ex vi vim nano emacs xmlstarlet xmllint tidy dasel ini-file", "editor", "text",
        verb("", "edit", wall=True, reason="it edits files in ways its words do not tell"), permutes=False,
        doc="edits files"),
    tool("split csplit", "split", "text", verb("", "edit", reads=("./",), writes=("./",)),
        opts="-b =text | -l =text | -n =text | -d | -a =text", doc="splits files"),
    tool("patch", "patch", "text", verb("", "edit", reads=("./",), writes=("./",), operands="write",
        deterministic=True), opts="-p --strip =text | -i --input =read | -d --directory =cd | -R | -N --forward | -f "
            "| -s | -t | -u | -b | -E | -l | -o --output =write | --dry-run | -F =text | -r =write | --verbose "
            "| --binary", doc="applies a patch"),
)  # fmt: skip
