"""Models of the commands that handle files: rm, mv, cp, ln, chown, touch, mkdir, echo, dd and their like."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable

from msgspec.structs import replace

from dfopt.predict.call import CONFIG_FILE, DUPLICATE, SYSTEM_FILES, WRITTEN, Call, Stream
from dfopt.predict.filesystem import BASE, MOUNTED, Claim, Entry, Origin
from dfopt.predict.model import ZERO, Estimate

Handler = Callable[[Call], "Stream | None"]
COPIED = Origin("files copied inside the image", "files", "their sizes")
NOISE = Origin("files filled by a command", "files", "the size asked for", 1.0)
ZEROS = Origin("files filled with zeros", "files", "the size asked for", 0.002)


def remove(call: Call) -> Stream | None:
    """Delete paths; ``folder/*`` takes along what is only known as a sum in the folder."""
    for word in call.operands:
        for path in call.paths(word):
            if path != "/":
                call.fs.remove(path)
                call.fs.remove_cache_above(path)
                _thin_out(call, path)
        pattern = call.path(word)
        folder, last = posixpath.split(pattern)
        if re.fullmatch(r"\*+|\*\.\w+|\.\[.*|\*\*/?", last) and "*" not in folder:
            for name, entry in list(call.fs.below(folder)):
                if entry.type == "sum" and posixpath.dirname(name) == call.fs.resolve(folder):
                    call.fs.remove(name)
    return None


# How what slim images leave out of packages (documentation, translations) is spread over these folders, roughly.
_DOCUMENTATION = {"/usr/share/doc": 0.35, "/usr/share/man": 0.15, "/usr/share/locale": 0.45, "/usr/share/info": 0.05}


def _thin_out(call: Call, path: str) -> None:
    """Take documentation out of packages installed in this very layer."""
    share = _DOCUMENTATION.get(path)
    session = call.build.session
    if share is None or session is None:
        return
    layer = call.fs.layer
    sums = [(name, entry) for name, entry in call.fs.sums() if entry.layer == layer and entry.origin.kind == "apt"]
    less = session.documentation_bytes() * share
    if not sums or less <= 0:
        return
    name, entry = max(sums, key=lambda item: item[1].size.value)
    size = entry.size
    thinner = Estimate(size.value - less, size.low - 1.5 * less, size.high - 0.3 * less)
    call.fs.entries[name] = replace(entry, size=Estimate(max(thinner.value, 0), max(thinner.low, 0), thinner.high))


def _targets(call: Call) -> tuple[list[str], str, bool] | None:
    """Give the sources, the destination and whether it is a folder, as cp, mv and install read them."""
    folder_option = call.option("-t", "--target-directory")
    words = call.operands
    if folder_option is not None:
        sources = [path for word in words for path in call.paths(word) if path != call.join(folder_option)]
        return sources, call.join(folder_option), True
    if len(words) < 2:
        return None
    sources = [path for word in words[:-1] for path in _sources(call, word)]
    destination = call.path(words[-1])
    into = call.place.text(words[-1]).endswith(("/", "/.")) or len(sources) > 1 or call.fs.is_directory(destination)
    return sources, destination, into and not call.has("-T", "--no-target-directory")


def _sources(call: Call, word: object) -> list[str]:
    found = call.paths(word)  # type: ignore[arg-type]  # operands are shell words
    if found:
        return found
    return [call.path(word)]  # type: ignore[arg-type]  # operands are shell words


def copy(call: Call) -> Stream | None:
    """Copy files and folders; ``-l`` links instead."""
    targets = _targets(call)
    if targets is None:
        return None
    sources, destination, into = targets
    if call.has("-s", "--symbolic-link"):
        return None
    for source, contents in _with_contents(call, sources):
        place = destination if contents or not into else posixpath.join(destination, posixpath.basename(source))
        if re.search(r"[*?[]", source):
            place, source = destination, posixpath.dirname(source) or "/"
        _copy_one(call, source, place)
    return None


def _with_contents(call: Call, sources: list[str]) -> list[tuple[str, bool]]:
    """Pair sources with whether their contents are meant (``cp -r a/. b``)."""
    dotted = {
        call.path(word)
        for word in call.operands
        if call.place.text(word).endswith("/.") or call.place.text(word) == "."
    }
    return [(source, source in dotted) for source in sources]


def _copy_one(call: Call, source: str, place: str) -> None:
    fs = call.fs
    entry = fs.get(source)
    if entry is not None and entry.type == "file":
        if call.has("-l", "--link"):
            fs.link(place, source, DUPLICATE)
        else:
            fs.put(place, _duplicate(entry))
        return
    below = fs.below(source)
    if not below:
        _copy_unknown(call, source, place)
        return
    root = fs.resolve(source)
    fs.put(place, Entry(ZERO, 0, COPIED, "directory"))
    inodes: dict[int, str] = {}
    for name, inner in below:
        here = place if name == root else posixpath.join(place, name[len(root) :].lstrip("/"))
        if inner.type == "directory" or inner.type == "symlink":
            fs.put(here, inner)
        elif inner.type == "sum":
            folder, unique = posixpath.split(here)
            fs.add_sum(folder, _duplicate(inner), f"{unique.strip(chr(0))}.c{fs.layer}")
        elif inner.inode and inner.inode in inodes and inner.layer == fs.layer and call.has("-a", "-d", "--archive"):
            fs.link(here, inodes[inner.inode], COPIED)  # Hard links of lower layers look like files of their own.
        elif call.has("-l", "--link"):
            fs.link(here, name, DUPLICATE)
        else:
            inodes[inner.inode] = here
            fs.put(here, _duplicate(inner))


def _duplicate(entry: Entry) -> Entry:
    return replace(entry, origin=replace(COPIED, unknown=entry.origin.unknown), inode=0, ratio=entry.gzip_ratio)


def _copy_unknown(call: Call, source: str, place: str, kind: str = "files") -> Claim | None:
    claim = call.build.claim(source)
    if claim is None:
        return None
    size, known = claim.size, claim.origin
    label = f"{source} (not known file by file)"
    origin = Origin(
        label, known.kind if known.kind != "base" else kind, known.label, known.ratio, size.low < size.value * 0.9
    )
    folder = claim.whole or call.fs.is_directory(place) or not re.search(r"\.[a-zA-Z]\w*$", posixpath.basename(place))
    if folder:
        call.fs.add_sum(place, Entry(size, 0, origin, "sum", 0))
        call.fs.put(place, Entry(ZERO, 0, origin, "directory"))
    else:
        call.fs.put(place, Entry(size, 0, origin))
    return claim


def move(call: Call) -> Stream | None:
    """Rename; what lies in a lower layer is written again whole."""
    targets = _targets(call)
    if targets is None:
        return None
    sources, destination, into = targets
    for source in sources:
        here = posixpath.join(destination, posixpath.basename(source)) if into else destination
        if re.search(r"[*?[]", source):
            _move_sums(call, posixpath.dirname(source), destination)
        elif call.fs.below_unfollowed(call.fs.resolve(source)):
            call.fs.move(source, here, DUPLICATE)
        else:
            _move_unknown(call, source, here)
    return None


def _move_sums(call: Call, folder: str, destination: str) -> None:
    """Move what a pattern means in a folder that is known as a sum: all of it."""
    origin_folder = call.fs.resolve(folder)
    moved = False
    for name, entry in call.fs.sums():
        if posixpath.dirname(name) == origin_folder and entry.layer != BASE:
            call.fs.move(name, posixpath.join(destination, posixpath.basename(name)), DUPLICATE)
            moved = True
    if not moved:
        nearest = call.fs.nearest_sum(origin_folder)
        if nearest is not None and nearest[1].layer in (call.fs.layer, MOUNTED):
            name, entry = nearest
            call.fs.move(name, posixpath.join(destination, posixpath.basename(name)), DUPLICATE)


def _move_unknown(call: Call, source: str, here: str) -> None:
    """Move a part of a sum: what arrives is taken from it."""
    claim = _copy_unknown(call, source, here)
    entry = call.fs.entries.get(claim.name) if claim is not None else None
    if claim is None or entry is None or entry.layer not in (call.fs.layer, MOUNTED) or not call.fs.sure:
        return
    if claim.whole:
        del call.fs.entries[claim.name]
        return
    left, size = entry.size, claim.size
    rest = Estimate(max(left.value - size.value, 0), max(left.low - size.high, 0), max(left.high - size.low, 0))
    call.fs.entries[claim.name] = replace(entry, size=rest)


def link(call: Call) -> Stream | None:
    """Make links: symbolic ones weigh nothing, hard ones to a lower layer copy the file."""
    words = call.operands
    if not words:
        return None
    targets = [call.place.text(word) for word in words]
    last = call.path(words[-1])
    pairs: list[tuple[str, str]]
    folder = call.option("-t", "--target-directory")
    if folder is not None:
        pairs = [
            (text, posixpath.join(call.join(folder), posixpath.basename(text))) for text in targets if text != folder
        ]
    elif len(words) == 1:
        pairs = [(targets[0], call.join(posixpath.basename(targets[0])))]
    else:
        into = len(words) > 2 or (call.fs.is_directory(last) and not call.has("-n", "-T"))
        pairs = [(text, posixpath.join(last, posixpath.basename(text)) if into else last) for text in targets[:-1]]
    for text, here in pairs:
        if call.has("-s", "--symbolic"):
            call.fs.put(here, Entry(ZERO, 0, WRITTEN, "symlink", target=text))
        elif call.fs.get(call.join(text)) is not None:
            call.fs.link(here, call.join(text), DUPLICATE)
        else:
            _copy_unknown(call, call.join(text), here, "duplicate")
    return None


def change_metadata(call: Call) -> Stream | None:
    """Change owner, mode or time: every file of a lower layer is written again, changed or not."""
    words = call.operands
    if (
        call.command.name not in ("touch", "setfattr", "chattr", "setcap", "restorecon", "strip")
        and call.option("--reference") is None
    ):
        words = words[1:]
    recursive = call.has("-R", "--recursive")
    for word in words:
        for path in call.paths(word):
            _touch(call, path, recursive)
    return None


def _touch(call: Call, path: str, recursive: bool) -> None:
    fs = call.fs
    entry = fs.get(path)
    if entry is not None and entry.type == "file":
        fs.copy_up(fs.resolve(path), entry, DUPLICATE)
        return
    below = fs.below(path)
    if recursive:
        for name, inner in below:
            if inner.layer != BASE:
                fs.copy_up(name, inner, replace(DUPLICATE, unknown=inner.origin.unknown))
        if path != "/" and not below:
            _touch_unknown(call, path)
    elif entry is None and not below and call.command.name == "touch":
        fs.put(path, Entry(ZERO, 0, WRITTEN, text=""))
    elif entry is None and not below and not fs.is_directory(path):
        _touch_unknown(call, path)


def _touch_unknown(call: Call, path: str) -> None:
    nearest = call.fs.nearest_sum(path)
    if nearest is None or nearest[1].layer in (call.fs.layer, MOUNTED):
        return
    claim = call.build.claim(path)
    if claim is None:
        return
    size, known = claim.size, claim.origin
    if path.startswith(("/etc/", "/var/spool/", "/var/run", "/run/", "/tmp")):
        size = Estimate(0, 0, min(CONFIG_FILE.high, size.high))
    elif known.kind == "base" and claim.name:
        size = Estimate(0, 0, size.high)
    label = f"{path} written again"
    call.fs.add_sum(path, Entry(size, 0, Origin(label, "duplicate", known.label, known.ratio, True), "sum", 0))


def make_directory(call: Call) -> Stream | None:
    """Make folders, which weigh nothing."""
    for word in call.operands:
        for path in call.paths(word):
            call.fs.put(path, Entry(ZERO, 0, WRITTEN, "directory"))
    return None


def install(call: Call) -> Stream | None:
    """Run install: with ``-d`` it makes folders, else it copies files."""
    return make_directory(call) if call.has("-d", "--directory") else copy(call)


def edit_in_place(call: Call) -> Stream | None:
    """Run sed or perl: with ``-i`` the files are written again, else the text passes through."""
    if not any(re.match(r"-[A-Za-hj-z]*i|--in-place", text) for text in call.values):
        return _through(call)
    words = call.operands
    scripted = any(re.match(r"-[a-z]*[ef]$|--(?:expression|file)", text) for text in call.values)
    files = words if scripted else words[1:]
    for word in files:
        for path in call.paths(word):
            entry = call.fs.get(path)
            if entry is not None and entry.type == "file":
                size = entry.size
                slack = min(size.value * 0.02 + 50, 2_000)
                here = call.fs.resolve(path)
                if entry.layer in (call.fs.layer, MOUNTED):
                    call.fs.entries[here] = replace(entry, text=None)
                else:
                    changed = Estimate(size.value, max(size.low - slack, 0), size.high + slack)
                    call.fs.copy_up(here, entry, DUPLICATE, changed)
            elif not re.search(r"[*?[]", path):
                call.fs.put(path, Entry(CONFIG_FILE, 0, SYSTEM_FILES))
    return None


def _through(call: Call) -> Stream:
    """Give a stream of about the size of what comes in or is read."""
    if call.stdin is not None:
        size = call.stdin.size
        return Stream(Estimate(size.value, 0, size.high), None, call.stdin.origin)
    total = ZERO
    for word in call.operands:
        for path in call.paths(word):
            entry = call.fs.get(path)
            total += entry.size if entry is not None and entry.type == "file" else CONFIG_FILE
    return Stream(Estimate(total.value, 0, total.high), None, WRITTEN)


_ESCAPES = {"n": "\n", "t": "\t", "\\": "\\", "r": "\r", "a": "\a", "b": "\b", "f": "\f", "v": "\v", "0": "\0"}


def _unescape(text: str) -> str:
    def one(match: re.Match[str]) -> str:
        if match[1]:
            return chr(int(match[1], 8) & 255)
        return _ESCAPES.get(match[2], match[0])

    return re.sub(r"\\(?:0?([0-7]{1,3})|(.))", one, text)


def echo(call: Call) -> Stream | None:
    """Write the arguments and a newline."""
    words = list(call.command.arguments)
    newline, escapes = True, call.step.script is not None and call.step.script.dialect in ("sh", "dash", "ash")
    while words and words[0].value is not None and re.fullmatch(r"-[neE]+", words[0].value):
        flags = words.pop(0).value or ""
        newline = newline and "n" not in flags
        escapes = escapes or "e" in flags
    known = all(word.value is not None for word in words)
    text = " ".join(word.value if word.value is not None else word.pattern for word in words)
    text = (_unescape(text) if escapes else text) + ("\n" if newline else "")
    return _text_stream(text, known)


def _text_stream(text: str, known: bool) -> Stream:
    size = len(text.encode("utf-8", "surrogateescape"))
    if known:
        return Stream(Estimate.exact(size), text)
    return Stream(Estimate(size + 10, max(size - 10, 0), size + 20_000))


def printf(call: Call) -> Stream | None:
    """Write a format, once per group of arguments."""
    words = [word for word in call.command.arguments if word.value != "--"]
    if not words:
        return Stream(ZERO, "")
    known = all(word.value is not None for word in words)
    form = _unescape(words[0].value if words[0].value is not None else words[0].pattern)
    arguments = [word.value if word.value is not None else word.pattern for word in words[1:]]
    places = re.findall(r"%(?:%|[-+ #0]*(?:\d+|\*)?(?:\.\d+)?[a-zA-Z])", form)
    slots = sum(place != "%%" for place in places)
    rounds = max(1, -(-len(arguments) // slots)) if slots else 1
    out: list[str] = []
    index = 0
    for _ in range(min(rounds, 10_000)):

        def fill(match: re.Match[str]) -> str:
            nonlocal index
            if match[0] == "%%":
                return "%"
            value = arguments[index] if index < len(arguments) else ""
            index += 1
            width = re.search(r"\d+", match[0])
            return _unescape(value) if match[0].endswith("b") else value.rjust(int(width[0]) if width else 0)

        out.append(re.sub(r"%(?:%|[-+ #0]*(?:\d+|\*)?(?:\.\d+)?[a-zA-Z])", fill, form))
    return _text_stream("".join(out), known)


def cat(call: Call) -> Stream | None:
    """Write files, or the here-document, one after the other."""
    for redirect in call.command.redirects:
        if redirect.body is not None:
            return _text_stream(redirect.body, "$" not in redirect.body)
    words = [word for word in call.operands if word.value != "-"]
    if not words:
        return call.stdin
    total, text, origin = ZERO, "", WRITTEN
    known = True
    for word in words:
        for path in call.paths(word):
            entry = call.fs.get(path)
            if entry is None or entry.type != "file":
                total += CONFIG_FILE
                known = False
                continue
            total += entry.size
            origin = replace(COPIED, ratio=entry.gzip_ratio, unknown=entry.origin.unknown)
            content = call.build.read(path)
            known = known and content is not None
            text += content or ""
    return Stream(total, text if known else None, origin)


def tee(call: Call) -> Stream | None:
    """Write what comes in to files and pass it on."""
    stream = call.stdin
    for redirect in call.command.redirects:
        if redirect.body is not None:
            stream = _text_stream(redirect.body, "$" not in redirect.body)
    stream = stream or Stream(Estimate(200, 0, 20_000))
    for word in call.operands:
        for path in call.paths(word) or [call.path(word)]:
            call.write(path, stream, append=call.has("-a", "--append"))
    return stream


_UNITS = {
    "": 1, "c": 1, "w": 2, "b": 512, "kB": 1000, "K": 1024, "k": 1024, "KiB": 1024, "MB": 1000**2, "M": 1024**2,
    "MiB": 1024**2, "m": 1024**2, "GB": 1000**3, "G": 1024**3, "GiB": 1024**3, "g": 1024**3, "T": 1024**4,
    "TB": 1000**4,
}  # fmt: skip


def byte_count(text: str | None) -> int | None:
    """Read a size as coreutils write it (``10M``, ``4kB``); None where it cannot be read."""
    match = re.fullmatch(r"[+<>/%]?(\d+)([A-Za-z]*)", text or "")
    if match is None or match[2] not in _UNITS:
        return None
    return int(match[1]) * _UNITS[match[2]]


def dd(call: Call) -> Stream | None:
    """Copy blocks: the size is what ``bs``, ``count`` and ``seek`` say, or the input's."""
    fields = dict(text.split("=", 1) for text in call.values if "=" in text)
    block = byte_count(fields.get("bs") or fields.get("obs")) or 512
    count = byte_count(fields.get("count"))
    seek = byte_count(fields.get("seek")) or 0
    source = fields.get("if", "")
    origin = NOISE if "random" in source else ZEROS if source == "/dev/zero" else COPIED
    if count is not None:
        written = count if "count_bytes" in fields.get("iflag", "") else count * block
        size = Estimate.exact(written + seek * block)
        if source and not source.startswith("/dev/"):
            entry = call.fs.get(call.join(source))
            if entry is not None and entry.size.high < size.high:
                size = entry.size
    else:
        entry = call.fs.get(call.join(source)) if source else None
        size = entry.size if entry is not None else call.stdin.size if call.stdin else Estimate(1_000, 0, 1_000_000_000)
    stream = Stream(size, None, origin)
    if "of" in fields:
        call.write(call.join(fields["of"]), stream)
        return None
    return stream


def truncate(call: Call) -> Stream | None:
    """Set the size of files; holes count in full."""
    size = byte_count(call.option("-s", "--size") or call.option("-l", "--length"))
    for word in call.operands:
        if byte_count(word.value) is not None and not (word.value or "").startswith("/"):
            continue
        for path in call.paths(word) or [call.path(word)]:
            estimate = Estimate.exact(size) if size is not None else Estimate(1_000, 0, 1_000_000_000)
            call.fs.put(path, Entry(estimate, 0, ZEROS))
    return None


def head(call: Call) -> Stream | None:
    """Pass on the beginning of a file or stream; of a device, exactly what is asked for."""
    count = byte_count(call.option("-c", "--bytes"))
    source = next((word.value or "" for word in call.operands), "")
    if count is not None:
        origin = NOISE if "random" in source else ZEROS if source == "/dev/zero" else COPIED
        size = Estimate.exact(count)
        if not source.startswith("/dev/"):
            incoming = _through(call)
            unlimited = call.stdin is not None and call.stdin.size.high >= 1e12
            if not unlimited and incoming.size.high < count:
                size = incoming.size
            origin = call.stdin.origin if call.stdin is not None else origin
        return Stream(size, None, origin)
    through = _through(call)
    return Stream(Estimate(min(through.size.value, 500), 0, min(through.size.high, 100_000)), None, WRITTEN)


def sequence(call: Call) -> Stream | None:
    """Write the numbers that seq writes."""
    numbers = [text for text in call.values if re.fullmatch(r"-?\d+", text)]
    if not 1 <= len(numbers) <= 3 or len(numbers) != len(call.values):
        return Stream(Estimate(500, 0, 1_000_000))
    first, step, last = 1, 1, int(numbers[-1])
    if len(numbers) > 1:
        first = int(numbers[0])
    if len(numbers) > 2:
        step = int(numbers[1]) or 1
    span = range(first, last + (1 if step > 0 else -1), step)
    if len(span) > 3_000_000:
        return Stream(Estimate.within(len(span) * (len(str(last)) + 0.9), 0.05))
    return _text_stream("".join(f"{number}\n" for number in span), True)


def endless(call: Call) -> Stream | None:
    """Write without end, until the pipe is closed."""
    return Stream(Estimate(1e12, 1e12, 1e12), None, ZEROS)


def base64(call: Call) -> Stream | None:
    """Write what comes in as base64, or read it back with ``-d``."""
    incoming = _through(call).size
    if call.stdin is not None:
        incoming = call.stdin.size
    elif call.operands and (call.operands[0].value or "").startswith("/dev/"):
        incoming = Estimate(1e12, 1e12, 1e12)
    origin = replace(NOISE, ratio=0.76)
    if call.has("-d", "--decode", "-D") or incoming.high != incoming.low:
        return Stream(incoming.scaled(0.75 if call.has("-d", "--decode", "-D") else (4 / 3) * 77 / 76), None, origin)
    characters = 4 * -(-int(incoming.value) // 3)
    wrapped = call.option("-w", "--wrap") != "0"
    return Stream(Estimate.exact(characters + (-(-characters // 76) if wrapped else 0)), None, origin)


def change_accounts(call: Call) -> Stream | None:
    """Add or change accounts: the user databases with their back-ups, and the skeleton of a home.

    Measured on Debian: 4,336 bytes of databases and 4,553 bytes of skeleton.
    """
    name = call.command.name or ""
    alpine = call.build.facts is not None and call.build.facts.package_manager == "apk"
    red_hat = call.build.facts is not None and call.build.facts.package_manager in ("dnf", "yum", "microdnf", "rpm")
    size = Estimate(2_700, 1_000, 6_000) if alpine else Estimate(4_336, 2_500, 9_000)
    if "group" in name:
        size = Estimate(1_700, 700, 4_500)
    elif name in ("usermod", "passwd", "chpasswd", "chage", "gpasswd"):
        size = Estimate(3_200, 900, 9_000)
    call.fs.replace_sums("accounts", [("/etc", Entry(size, 0, SYSTEM_FILES, "sum", 8))])
    makes_home = (name == "adduser" and not call.has("--no-create-home", "-H", "--system", "-S", "-M")) or call.has(
        "-m", "--create-home"
    )
    if makes_home and "del" not in name and "group" not in name and name in ("useradd", "adduser"):
        user = next((word.value for word in reversed(call.operands) if word.value), "user")
        home = call.option("-d", "--home-dir", "--home") or f"/home/{user}"
        skeleton = (
            Estimate(0, 0, 500) if alpine else Estimate(900, 600, 1_500) if red_hat else Estimate(4_553, 4_000, 5_000)
        )
        call.fs.add_sum(call.join(home), Entry(skeleton, 0, SYSTEM_FILES, "sum", 3))
        call.fs.put(call.join(home), Entry(ZERO, 0, SYSTEM_FILES, "directory"))
    return None


HANDLERS: dict[str, Handler] = {
    **dict.fromkeys(("rm", "unlink", "rmdir", "shred"), remove),
    **dict.fromkeys(("cp", "rsync"), copy),
    "mv": move, "ln": link, "link": link, "install": install, "mkdir": make_directory,
    **dict.fromkeys(("chown", "chmod", "chgrp", "touch", "setfacl", "setcap"), change_metadata),
    "sed": edit_in_place, "perl": edit_in_place,
    "echo": echo, "printf": printf, "cat": cat, "tee": tee, "dd": dd, "truncate": truncate, "fallocate": truncate,
    "head": head, "tail": head, "seq": sequence, "yes": endless, "base64": base64,
    **dict.fromkeys(
        ("grep", "egrep", "awk", "gawk", "sort", "uniq", "tr", "cut", "jq", "envsubst", "fold", "xxd"), _through
    ),
    **dict.fromkeys(
        ("useradd", "adduser", "groupadd", "addgroup", "usermod", "groupmod", "userdel", "deluser", "delgroup",
         "passwd", "chpasswd", "gpasswd"),
        change_accounts,
    ),
}  # fmt: skip
