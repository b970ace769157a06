"""Programs that pack and unpack archives."""

from __future__ import annotations

import re

from dfopt.shell.model import ShellWord
from dfopt.tools.model import Effects, Invocation
from dfopt.tools.paths import Place, as_tree
from dfopt.tools.table import tool, verb

_SUFFIX = re.compile(r"\.(?:gz|xz|bz2|lzma|lz4|zst|Z|lz)$")


def tar_mode(invocation: Invocation) -> str:
    """Give what tar is asked to do: ``x``, ``c``, ``t``, ``r`` or an empty text where it cannot be known."""
    for name, letter in (("-x", "x"), ("-c", "c"), ("-t", "t"), ("-r", "r"), ("-u", "r"), ("-A", "r"), ("-d", "t")):
        if name in invocation.options:
            return letter
    bundle = _bundle(invocation)
    return next((letter for letter in bundle if letter in "xctru"), "").replace("u", "r")


def _bundle(invocation: Invocation) -> str:
    """Give the old-style letters of ``tar xzf``; empty where the first operand is none."""
    words = invocation.command.words
    first = (words[1].value or "") if len(words) > 1 else ""
    return first if first and not first.startswith("-") and set(first) <= set("AcdrtuxfzjJvpPmhkOwWlLbBCTXaioZ") else ""


def _tar(invocation: Invocation, place: Place) -> Effects:
    """Letters without a dash take their values from the words that follow, in their order."""
    operands = list(invocation.operands)
    archive = place.option(invocation, "-f")
    archive_word = next(iter(invocation.values("-f")), None)
    folder = place
    bundle = _bundle(invocation)
    if bundle and operands:
        operands.pop(0)
        for letter in bundle:
            if letter in "fCTXbLNV" and operands:
                word = operands.pop(0)
                if letter == "f":
                    archive, archive_word = place.text(word), word
                elif letter == "C":
                    folder = place.inside(place.path(word))
    for word in invocation.values("-C"):
        folder = folder.inside(folder.path(word))
    mode = tar_mode(invocation)
    path = None
    if archive not in (None, "-", "/dev/stdin", "/dev/stdout"):
        path = place.path(archive_word) if archive_word is not None else place.join(str(archive))
    if mode == "x":
        reads = frozenset((path,)) if path else frozenset[str]()
        if invocation.has("-O") or "O" in bundle:
            return Effects(reads=reads)
        goal = as_tree(folder.join("./"))
        if invocation.has("-P"):
            goal = "*"
        members = [place.text(word) for word in operands]
        plain = (
            members
            and not invocation.has("--strip-components", "--transform", "--wildcards", "-s", "--exclude")
            and not any(_odd(name) for name in members)
        )
        writes = frozenset(as_tree(folder.join(name)) for name in members) if plain else frozenset((goal,))
        return Effects(reads=reads, writes=writes)
    if mode in ("c", "r"):
        inside = frozenset(as_tree(folder.path(word)) for word in operands if not place.text(word).startswith("-"))
        return Effects(
            reads=inside or frozenset((as_tree(folder.join("./")),)), writes=frozenset((path,)) if path else frozenset()
        )
    if mode == "t":
        return Effects(reads=frozenset((path,)) if path else frozenset())
    if invocation.has("--version", "--help"):
        return Effects()
    return Effects(reads=frozenset((path or "*",)), writes=frozenset((as_tree(folder.join("./")),)))


def _odd(name: str) -> bool:
    return name.startswith(("-", "/", "..")) or "*" in name or "?" in name


def _folder(invocation: Invocation, place: Place) -> Place:
    target = next((word for role, word, _ in invocation.places if role == "tree"), None)
    return place if target is None else place.inside(place.path(target))


def _unzip(invocation: Invocation, place: Place) -> Effects:
    # The first operand is the archive; ``-d`` names the folder; ``-p`` only prints.
    reads = frozenset(_archive(word, place, ".zip") for word in invocation.operands[:1])
    if invocation.has("-l", "-p", "-t", "-Z", "-v") or not invocation.operands:
        return Effects(reads=reads)
    return Effects(reads=reads, writes=frozenset((as_tree(_folder(invocation, place).join("./")),)))


def _archive(word: ShellWord, place: Place, suffix: str) -> str:
    path = place.path(word)
    del suffix
    return path


def _compress(invocation: Invocation, place: Place) -> Effects:
    # gzip and its kin replace each file by another: with or without the suffix.
    files = [place.path(word) for word in invocation.operands if place.text(word) != "-"]
    if invocation.has("-c", "-t", "-l"):
        return Effects(reads=frozenset(files))
    made = set[str]()
    for path in files:
        plain = _SUFFIX.sub("", path).replace(".tgz", ".tar").replace(".txz", ".tar")
        made.add(plain if plain != path else path + "**" if invocation.has("-S") else path + ".**")
        if plain == path:
            made.add(path)
    gone = frozenset() if invocation.has("-k") else frozenset(files)
    if invocation.has("-o"):
        made = set()
    return Effects(reads=frozenset(files), writes=frozenset(made), removes=gone)


def _zip(invocation: Invocation, place: Place) -> Effects:
    # The first operand is the archive written, the others are read.
    words = invocation.operands
    archive = frozenset(f"{place.path(word)}" for word in words[:1])
    gone = frozenset(place.path(word) for word in words[1:]) if invocation.has("-m") else frozenset[str]()
    return Effects(
        reads=frozenset(place.tree(word) for word in words[1:]) | archive,
        writes=archive | frozenset(f"{path}.zip" for path in archive),
        removes=gone,
    )


def _seven(invocation: Invocation, place: Place) -> Effects:
    """7z's first operand is the command letter, the second the archive; ``-oDIR`` names the folder."""
    words = invocation.operands
    action = place.text(words[0]) if words else ""
    archive = frozenset(place.path(word) for word in words[1:2])
    if action in ("x", "e"):
        folder = place.option(invocation, "-o")
        return Effects(reads=archive, writes=frozenset((as_tree(place.join(folder or "./")),)))
    if action in ("l", "t", "i", "h"):
        return Effects(reads=archive)
    return Effects(reads=archive | frozenset(place.tree(word) for word in words[2:]), writes=archive)


def _cpio(invocation: Invocation, place: Place) -> Effects:
    # cpio gets names or the archive from its input.
    folder = _folder(invocation, place)
    if invocation.has("-o") and not invocation.has("-i", "-p"):
        return Effects(reads=frozenset(("*",)))
    goals = (
        frozenset(place.tree(word) for word in invocation.operands)
        if invocation.has("-p")
        else frozenset((as_tree(folder.join("./")),))
    )
    return Effects(reads=frozenset(("*",)) if invocation.has("-p") else frozenset(), writes=goals)


_TAR = """
-x --extract --get | -c --create | -t --list | -r --append | -u --update | -A --catenate --concatenate
-d --diff --compare | -f --file =text | -C --directory --cd =text | -z --gzip --gunzip --ungzip | -j --bzip2 | -J --xz
-a --auto-compress | -Z --compress
--zstd | --lzma | --lzip | -I --use-compress-program | -v --verbose | -p --preserve-permissions --same-permissions
-P --absolute-names | -m --touch | -k --keep-old-files | -O --to-stdout | -h --dereference | -o --no-same-owner
--same-owner | --no-same-permissions | --overwrite | --strip-components --strip =text
--transform --xform =text | --wildcards | --exclude =text | -X --exclude-from =read | -T --files-from =read
--owner =text | --group =text | --mode =text | --mtime =text | --sort =text | --numeric-owner | --checkpoint [=text]
--checkpoint-action =text | --warning =text | --no-overwrite-dir | --one-top-level [=tree]
-b --blocking-factor =text | -s | --anchored | --no-anchored | --exclude-vcs | --ignore-failed-read | --force-local
--no-recursion | --totals [=text] | --show-transformed-names | --keep-directory-symlink | --skip-old-files | --version
--help | --format =text | -H =text | --xattrs | --acls | --selinux | --delay-directory-restore | --unlink-first -U
--wildcards-match-slash | --no-wildcards | --hard-dereference | -S --sparse | -i --ignore-zeros | -w | -l
"""

TOOLS = (
    tool("tar bsdtar gtar star", "tar", "archive", verb("", "unpack", shape=_tar, deterministic=True, seconds=1),
        opts=_TAR, environment=("TAR_OPTIONS",), doc="packs and unpacks archives"),
    tool("unzip", "unzip", "archive", verb("", "unpack", shape=_unzip, deterministic=True, seconds=1),
        opts="-d =tree | -q | -qq | -o | -n | -j | -l | -p | -t | -Z | -v | -x =text | -u | -f | -a | -aa | -C | -L "
            "| -X | -K | -P =text | -I =text | -O =text", doc="unpacks zip archives"),
    tool("zip", "zip", "archive", verb("", "pack", shape=_zip, seconds=1), opts="-r | -q | -9 | -j | -m | -x =text "
            "| -i =text | -y | -X | -u | -d | -D | -0 | -1 | -P =text | -o | -v", doc="packs zip archives"),
    tool("gunzip gzip pigz xz unxz lzma unlzma bzip2 bunzip2 pbzip2 zstd unzstd lz4 unlz4 compress uncompress lzip "
            "brotli xzdec lbunzip2 unpigz", "gzip", "archive", verb("", "unpack", shape=_compress, deterministic=True,
        seconds=1),
         opts="-d --decompress | -c --stdout --to-stdout | -k --keep | -f --force | -q --quiet | -v --verbose "
              "| -r --recursive | -n --no-name | -N --name | -t --test | -l --list | -S --suffix =text "
              "| -T --threads =text | -1 | -2 | -3 | -4 | -5 | -6 | -7 | -8 | -9 --best | -0 | -e | -p =text "
              "| -o =write | --rm | -M =text | --fast | -z", doc="packs and unpacks single files"),
    tool("7z 7za 7zr 7zz p7zip", "7z", "archive", verb("", "unpack", shape=_seven, seconds=1),
        opts="-o =text | -y | -bd | -p =text | -r | -aoa | -t =text | -mx =text | -snl | -bso0",
        doc="packs and unpacks archives"),
    tool("cpio", "cpio", "archive", verb("", "unpack", shape=_cpio, seconds=1), opts="-i --extract | -o --create "
            "| -p --pass-through | -d --make-directories | -m | -u | -v | -t | -H --format =text "
            "| -D --directory =tree | -F --file =read | -R =text | --quiet | -0 | -L",
        doc="packs and unpacks archives"),
    tool("unrar rar unace unar lha cabextract innoextract msiextract dpkg-split unsquashfs mksquashfs", "unrar",
        "archive", verb("", "unpack", reads=("./",), writes=("./",), operands="tree", seconds=1),
        opts="-d =tree | -o =tree | -q | -y | -f | -i", doc="unpacks archives"),
)  # fmt: skip
