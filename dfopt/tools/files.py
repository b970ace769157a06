"""Programs that make, copy, move, link and remove files."""

from __future__ import annotations

import posixpath

from msgspec.structs import replace

from dfopt.shell.model import ShellWord
from dfopt.tools.model import NOTHING, Effects, Invocation
from dfopt.tools.paths import EVERYTHING, Place, as_tree
from dfopt.tools.table import tool, verb


def _base(word: ShellWord, place: Place) -> str:
    """Give the last part of a path; ``**`` where it is unknown."""
    path = place.path(word)
    return "**" if path == EVERYTHING else posixpath.basename(path.rstrip("/")) or "**"


def transfer(invocation: Invocation, place: Place, sources_go: bool = False) -> Effects:
    """Give what copying or moving does.

    Sources are read (and removed with ``sources_go``); the destination is written, as a file or a folder around them.
    """
    words = list(invocation.operands)
    target = next(iter(invocation.values("-t")), None)
    into = target is not None
    if target is None:
        if len(words) < 2:
            return Effects(reads=frozenset(place.path(word) for word in words))
        target = words.pop()
    goal = place.path(target)
    reads = frozenset(place.path(word) for word in words)
    recursive = sources_go or invocation.has("-r", "-a", "-R")
    writes = set[str]()
    if goal == EVERYTHING:
        writes.add(EVERYTHING)
    elif invocation.has("--parents"):
        writes.add(as_tree(goal))
    else:
        inside = into or goal.endswith("/") or len(words) > 1 or any(word.glob for word in words)
        inside = inside or place.text(target) in (".", "..") or place.text(target).endswith(("/.", "/.."))
        # cp -r src/. dst: the contents of src go into dst itself.
        contents = [
            word for word in words if place.text(word).rstrip("/").endswith(("/.", "..")) or place.text(word) == "."
        ]
        if contents and recursive:
            writes.add(as_tree(goal))
        names = {_base(word, place) for word in words if word not in contents}
        below = [posixpath.join(goal, name) for name in names]
        writes.update(as_tree(path) if recursive else path for path in below)
        if (not inside and not invocation.has("-T")) or (not names and not contents):
            writes.add(as_tree(goal) if recursive else goal.rstrip("/"))
        if invocation.has("-T"):
            writes = {as_tree(goal) if recursive else goal}
    return Effects(reads=reads, writes=frozenset(writes), removes=reads if sources_go else frozenset())


def _move(invocation: Invocation, place: Place) -> Effects:
    # Moving is copying and removing.
    return transfer(invocation, place, sources_go=True)


def _install(invocation: Invocation, place: Place) -> Effects:
    """``install -d`` makes folders, else it copies and sets owner and mode."""
    if invocation.has("-d"):
        return Effects(writes=frozenset(place.path(word) for word in invocation.operands))
    return transfer(invocation, place)


def _link(invocation: Invocation, place: Place) -> Effects:
    # A symbolic link reads nothing; a hard link reads its target.
    words = list(invocation.operands)
    target = next(iter(invocation.values("-t")), None)
    soft = invocation.has("-s")
    if target is None and len(words) == 1:
        return Effects(
            reads=frozenset() if soft else frozenset((place.path(words[0]),)),
            writes=frozenset((place.join(_base(words[0], place)),)),
        )
    copied = transfer(invocation, place)
    if not soft:
        return copied
    return replace(copied, reads=frozenset())


def _dd(invocation: Invocation, place: Place) -> Effects:
    """``if=`` is read, ``of=`` written."""
    reads, writes = set[str](), set[str]()
    for word in invocation.operands:
        name, _, value = place.text(word).partition("=")
        if name == "if":
            reads.add(place.join(value))
        elif name == "of" and value != "/dev/null":
            writes.add(place.join(value))
    varies = any(path in ("/dev/urandom", "/dev/random") for path in reads)
    return Effects(reads=frozenset(reads), writes=frozenset(writes), varies=varies)


def _find(invocation: Invocation, place: Place) -> Effects:
    # The folders searched are read; ``-delete`` and ``-exec`` act on anything below them.
    words = list(invocation.operands)
    starts: list[ShellWord] = []
    while words and not place.text(words[0]).startswith(("-", "(", "!", "\\(", "\\!")):
        starts.append(words.pop(0))
    roots = [place.tree(word) for word in starts] or [place.join("./")]
    below = frozenset(path if path == EVERYTHING else f"{path}**" for path in roots)
    texts = [place.text(word) for word in words]
    result = Effects(reads=frozenset(roots))
    if "-delete" in texts:
        result |= Effects(removes=_named(texts, roots) or below, writes=below)
    for at, text in enumerate(texts):
        if text in ("-fprint", "-fprintf", "-fls", "-fprint0") and at + 1 < len(words):
            result |= Effects(writes=frozenset((place.path(words[at + 1]),)))
        if text in ("-exec", "-execdir", "-ok", "-okdir"):
            result |= _executed(invocation, place, words[at + 1 :], roots)
    return result


def _named(texts: list[str], roots: list[str]) -> frozenset[str]:
    """Give the paths that ``-name`` alone selects, without claiming that all of them go."""
    names = [texts[at + 1] for at, text in enumerate(texts[:-1]) if text in ("-name", "-iname")]
    if not names or any(path == EVERYTHING for path in roots):
        return frozenset()
    return frozenset(f"{root}**/{name}" for root in roots for name in names)


def _executed(invocation: Invocation, place: Place, words: list[ShellWord], roots: list[str]) -> Effects:
    from dfopt.tools.effects import effects
    from dfopt.tools.model import Setting

    inner: list[ShellWord] = []
    for word in words:
        text = place.text(word)
        if text in (";", "\\;", "+"):
            break
        if "{}" in text:
            root = roots[0] if len(roots) == 1 else EVERYTHING
            anywhere = "*" if root == EVERYTHING else root + "*"
            word = ShellWord(raw="$found", value=None, pattern=anywhere, span=word.span, glob=True)
        inner.append(word)
    if not inner:
        return NOTHING
    command = replace(invocation.command, words=tuple(inner), redirects=(), assignments=(), wrappers=())
    environment = {name: value for name, value in place.environment.items() if value is not None}
    return effects(command, Setting(place.directory, place.home, place.user, environment))


_COPY = """
-r --recursive | -R | -a --archive | -f --force | -p | --preserve [=text] | --no-preserve =text | -v --verbose
-u --update [=text] | -n --no-clobber | -d | -L --dereference | -P --no-dereference
-l --link | -s --symbolic-link | -t --target-directory =text | -T --no-target-directory | --parents
-x --one-file-system | --reflink [=text] | -H | -i --interactive | -b --backup [=text] | -S --suffix =text
--sparse =text | --remove-destination | --strip-trailing-slashes | -Z
"""

TOOLS = (
    tool("rm", "rm", "files", verb("", "delete", operands="remove", deterministic=True),
        opts="-r -R --recursive | -f --force | -v --verbose | -d --dir | -i | -I | --no-preserve-root "
            "| --preserve-root [=text] | --one-file-system", doc="removes files"),
    tool("rmdir unlink", "rmdir", "files", verb("", "delete", operands="remove", deterministic=True),
        opts="-p --parents | -v --verbose | --ignore-fail-on-non-empty", doc="removes empty folders"),
    tool("shred", "rm", "files", verb("", "delete", operands="remove"),
        opts="-u | -f | -n =text | -z | -v | -x | -s =text", doc="overwrites and removes files"),
    tool("mkdir", "mkdir", "files", verb("", "make-directory", operands="write", deterministic=True),
        opts="-p --parents | -m --mode =text | -v --verbose | -Z", doc="makes folders"),
    tool("cp", "cp", "files", verb("", "copy", shape=transfer, deterministic=True), opts=_COPY, doc="copies files"),
    tool("mv", "mv", "files", verb("", "move", shape=_move, deterministic=True), opts=_COPY, doc="moves files"),
    tool("ln", "ln", "files", verb("", "link", shape=_link, deterministic=True), opts="-s --symbolic | -f --force "
            "| -n --no-dereference | -r --relative | -v --verbose | -t --target-directory =text "
            "| -T --no-target-directory | -b --backup [=text] | -S --suffix =text | -P | -L | -i", doc="makes links"),
    tool("install ginstall", "install", "files", verb("", "copy", shape=_install, deterministic=True),
         opts="-d --directory | -D | -m --mode =text | -o --owner =text | -g --group =text "
              "| -t --target-directory =text | -T --no-target-directory | -v --verbose | -s --strip | -c "
              "| -p --preserve-timestamps | -C --compare | -b | -S --suffix =text | --strip-program =text",
         doc="copies files with owner and mode"),
    tool("touch", "touch", "files", verb("", "touch", operands="write", varies=True),
        opts="-a | -m | -c --no-create | -d --date =text | -r --reference =read | -t =text | -h --no-dereference "
            "| --time =text", doc="makes files or renews their times"),
    tool("truncate fallocate", "touch", "files", verb("", "touch", operands="write", deterministic=True),
        opts="-s --size =text | -c --no-create | -r --reference =read | -o --offset =text | -l --length =text | -n "
            "| -p | -d | -z", doc="sets the size of files"),
    tool("mkfifo mknod", "mkfifo", "files", verb("", "make-directory", operands="write"), opts="-m --mode =text | -Z",
        doc="makes pipes and devices"),
    tool("mktemp tempfile", "mktemp", "files", verb("", "make-directory", writes=("/tmp/**",), varies=True),
        opts="-d --directory | -q --quiet | -u --dry-run | -p --tmpdir =tree | --suffix =text | -t | -p =tree "
            "| -n =text | -s =text", environment=("TMPDIR",), doc="makes a temporary file"),
    tool("dd", "dd", "files", verb("", "copy", shape=_dd), syntax="raw", doc="copies blocks"),
    tool("find", "find", "files", verb("", "query", shape=_find, seconds=0.5), syntax="raw", doc="searches folders"),
    tool("rsync", "rsync", "files", verb("", "copy", shape=transfer, seconds=2),
        opts=_COPY + "| -z | -e --rsh =text | --exclude =text | --include =text | --delete | --exclude-from =read "
            "| --files-from =read | -h | --progress | -q | -c | --chown =text | --chmod =text | --filter =text "
            "| --info =text | -P | --stats | -m --prune-empty-dirs | -o | -g | -t | -D | --no-o | --no-owner "
            "| --no-g | --no-group | --no-p | --no-perms | --ignore-existing | --copy-links | --inplace | -W | -O "
            "| --omit-dir-times", doc="synchronises folders"),
    tool("rename prename", "rename", "files", verb("", "move", reads=("./",), writes=("./",)), permutes=False,
        doc="renames files"),
    tool("cat tac nl zcat bzcat xzcat gzcat zstdcat lz4cat", "cat", "text", verb("", "print", operands="read",
        deterministic=True), opts="-n | -A | -b | -E | -s | -T | -u | -v | -e | -t | -f | -q", doc="prints files"),
    tool("ls dir tree vdir", "ls", "files", verb("", "query", operands="read"), opts="-l | -a | -h "
            "| -I --ignore =text | -w =text | --color [=text] | --time-style =text | -L =text | --sort =text "
            "| --format =text | -C", doc="lists folders"),
    tool("stat du df file readlink realpath lsattr getfattr wc cksum namei", "stat", "files", verb("", "query",
        operands="read"),
         opts="-c --format =text | -f --canonicalize | -e | -m | -s | -h | -k | -b | -L | -d --max-depth =text | -l "
              "| -w | -n | -t =text | -x | -a | --exclude =text | --apparent-size | -P | -q | -z | --printf =text "
              "| -T | -i | --relative-to =text | --total", doc="tells about files"),
    tool("ldd readelf objdump nm strings scanelf size pax-utils od hexdump xxd lddtree", "ldd", "build", verb("",
        "query", operands="read"), opts="-p | -n --needed --bytes =text | -F --format =text | -s --symbol =text "
            "| -B --nobanner | -R --recursive | -q | -a | -d | -t =text | -v | -A =text | -N =text | -j =text | -l "
            "| -c | -r | -i", doc="tells about binaries"),
    tool("md5sum sha1sum sha224sum sha256sum sha384sum sha512sum b2sum shasum sum crc32 md5", "checksum", "text",
        verb("", "test", operands="read", shape=None, deterministic=True), opts="-c --check | -s --status --quiet "
            "| -w --warn | -b --binary | -t --text | -a --algorithm =text | --tag | --strict | --ignore-missing | -z",
        doc="computes and checks sums"),
    tool("sync fsync", "sync", "files", verb("", "other"), doc="flushes files"),
    tool("mount umount losetup mountpoint fuser lsof", "mount", "service", verb("", "other", wall=True,
        reason="it changes what is mounted"), permutes=False, doc="mounts file systems"),
    tool("setfattr setfacl getfacl chattr chcon restorecon semanage setsebool", "attributes", "owner", verb("",
        "change-mode", operands="tree"), opts="-n =text | -v =text | -R | -m =text | -x =text | -d | -b | -k "
            "| -t =text | -u =text | -r =text", doc="sets attributes of files"),
)  # fmt: skip
