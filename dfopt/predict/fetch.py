"""Models of the commands that fetch and unpack: curl, wget, git, tar, unzip and the packers."""

from __future__ import annotations

import posixpath
import re

from msgspec.structs import replace

from dfopt.predict.archive import archive_of, gzip_ratio, is_archive_name, is_tar_name, size_by_name, stem
from dfopt.predict.call import CONFIG_FILE, Call, Stream
from dfopt.predict.files import Handler
from dfopt.predict.filesystem import Archive, Entry, Origin
from dfopt.predict.model import ZERO, Estimate, RemoteSize

_URL = re.compile(r"^(?:https?|ftp)://|^[\w.-]+\.(?:com|org|io|net|dev|sh)/", re.IGNORECASE)


def download_size(call: Call, url: str) -> tuple[Estimate, RemoteSize | None, str]:
    """Give the bytes of a download, what is known of it, and the file name its URL says."""
    bare = re.split(r"[?#]", url, maxsplit=1)[0]
    name = posixpath.basename(bare.split("://", 1)[-1].partition("/")[2].rstrip("/")) or "index.html"
    known = call.build.remote(url)
    if known is not None:
        return Estimate.exact(known.size_bytes), known, name
    return size_by_name(name), None, name


def _stream(call: Call, url: str) -> Stream:
    size, known, name = download_size(call, url)
    call.build.last_url = url
    source = "size given or asked for" if known else "unknown download"
    ratio = gzip_ratio(name, 0.38 if size.high < 1_000_000 else 0.5)
    origin = Origin(f"download of {name}", "download", source, ratio, known is None)
    if known is None:
        call.build.note(f"the size of {url} is not known (--remote-size, --network)")
    archive = archive_of(name, known) if known is None or is_archive_name(name) or known.unpacked_bytes else None
    return Stream(size, None, origin, name, archive)


def _urls(call: Call) -> list[str]:
    """Give the URLs of a call, as the tool's table tells them from options and their values."""
    if call.invocation is None:
        words = [word for word in call.command.arguments if _URL.match(call.place.text(word))]
    else:
        named = [place[1] for place in call.invocation.places if place[0] == "url"]
        words = [word for word in (*call.invocation.operands, *named) if not word.pattern.startswith("-")]
    return [text for word in words if (text := call.place.text(word).replace("**", "*"))]


def curl(call: Call) -> Stream | None:
    """Fetch with curl: to files with ``-o`` and ``-O``, else to standard output."""
    urls = _urls(call)
    if call.has("-I", "--head") or not urls:
        return Stream(Estimate(500, 0, 5_000))
    outputs = _curl_outputs(call)
    folder = call.option("--output-dir")
    remote_name = call.has("-O", "--remote-name", "--remote-name-all")
    result: Stream | None = None
    for index, url in enumerate(urls):
        stream = _stream(call, url)
        if index < len(outputs) and outputs[index] not in ("-", "/dev/stdout"):
            call.write(call.join(posixpath.join(folder or "", outputs[index])), stream)
        elif remote_name and index >= len(outputs):
            call.write(call.join(posixpath.join(folder or "", stream.name)), stream)
        else:
            result = stream
    return result


def _curl_outputs(call: Call) -> list[str]:
    found: list[str] = []
    words = [call.place.text(word).replace("**", "*") for word in call.command.arguments]
    for index, text in enumerate(words):
        if text in ("-o", "--output") or (re.fullmatch(r"-[a-zA-Z#]*o", text) and not text.startswith("--")):
            if index + 1 < len(words):
                found.append(words[index + 1])
        elif text.startswith("--output="):
            found.append(text[9:])
        elif re.match(r"-[fsSLkgqvi]*o[^-]", text):
            found.append(text[text.index("o") + 1 :])
    return found


def wget(call: Call) -> Stream | None:
    """Fetch with wget: into files named by the URL, with ``-O`` elsewhere or to standard output."""
    urls = _urls(call)
    output = _wget_output(call)
    folder = call.option("-P", "--directory-prefix")
    result: Stream | None = None
    if call.has("--spider"):
        return None
    for url in urls:
        stream = _stream(call, url)
        if output in ("-", "/dev/stdout"):
            result = stream
        elif output is not None:
            call.write(call.join(output), stream)
        else:
            call.write(call.join(posixpath.join(folder or "", stream.name)), stream)
    return result


def _wget_output(call: Call) -> str | None:
    words = [call.place.text(word).replace("**", "*") for word in call.command.arguments]
    for index, text in enumerate(words):
        match = re.fullmatch(r"-[a-zA-Z]*O(.*)|--output-document(?:=(.*))?", text)
        if match is not None and not (text.startswith("--") and "document" not in text):
            inline = match[1] or match[2]
            return inline or (words[index + 1] if index + 1 < len(words) else None)
    return None


def aria(call: Call) -> Stream | None:
    """Fetch with aria2c."""
    for url in _urls(call):
        stream = _stream(call, url)
        path = posixpath.join(call.option("-d", "--dir") or "", call.option("-o", "--out") or stream.name)
        call.write(call.join(path), stream)
    return None


_CLONE = Estimate(25_000_000, 60_000, 1_500_000_000)
_SHALLOW = Estimate(10_000_000, 40_000, 600_000_000)


def git(call: Call) -> Stream | None:
    """Clone repositories: the working tree and its ``.git`` are sums of unknown size unless the user says."""
    words = [word for word in call.command.arguments if not word.pattern.startswith("-")]
    verbs = [word.value or "" for word in words]
    if "clone" not in verbs:
        if any(verb in ("pull", "fetch", "checkout", "submodule", "init", "lfs") for verb in verbs[:1]):
            origin = Origin(f"git {verbs[0]}", "download", "unknown repository", 0.5, True)
            call.fs.add_sum(
                call.place.directory or "/", Entry(Estimate(1_000_000, 0, 500_000_000), 0, origin, "sum", 0)
            )
        return None
    operands = [call.place.text(word).replace("**", "*") for word in words[verbs.index("clone") + 1 :]]
    places = [text for text in operands if re.search(r"[:/]", text) or "*" in text]
    if not places:
        return None
    url = places[0]
    after = operands[operands.index(url) + 1 :]
    folder = call.join(after[0] if after else re.sub(r"\.git$", "", posixpath.basename(url.rstrip("/"))))
    known = call.build.remote(url)
    size = Estimate.exact(known.unpacked_bytes or known.size_bytes) if known else (
        _SHALLOW if call.option("--depth") else _CLONE)  # fmt: skip
    origin = Origin(f"clone of {posixpath.basename(url)}", "download", "size given" if known else "unknown repository",
                    0.5, known is None)  # fmt: skip
    if known is None:
        call.build.note(f"the size of {url} is not known (--remote-size)")
    call.fs.put(folder, Entry(ZERO, 0, origin, "directory"))
    packed = 0.3 if call.option("--depth") else 0.55
    call.fs.put(posixpath.join(folder, ".git"), Entry(ZERO, 0, origin, "directory"))
    call.fs.add_sum(
        posixpath.join(folder, ".git"), Entry(size.scaled(packed), 0, replace(origin, ratio=0.98), "sum", 0)
    )
    call.fs.add_sum(folder, Entry(size.scaled(1 - packed), 0, replace(origin, ratio=0.35), "sum", 0))
    return None


# ---------------------------------------------------------------------- archives


class _TarCall:
    """The options of a tar call, old style (``tar xzf``) or not."""

    _WITH_VALUE = "fCbIKLNTVXgHF"

    def __init__(self, call: Call) -> None:
        self.mode = ""
        self.file: str | None = None
        self.folder: str | None = None
        self.strip = 0
        self.members: list[str] = []
        self.to_stdout = False
        words = [call.place.text(word).replace("**", "*") for word in call.command.arguments]
        pending: list[str] = []
        if words and not words[0].startswith("-"):
            self._letters(words.pop(0), pending)
        index = 0
        while index < len(words):
            text = words[index]
            index += 1
            if pending:
                self._set(pending.pop(0), text)
            elif text.startswith("--"):
                name, has_value, value = text.partition("=")
                if name in ("--strip-components", "--directory", "--file") and not has_value:
                    value = words[index] if index < len(words) else ""
                    index += 1
                self._long(name, value)
            elif text.startswith("-") and len(text) > 1:
                inner = text[1:]
                for at, letter in enumerate(inner):
                    if letter in self._WITH_VALUE:
                        value = inner[at + 1 :]
                        if value:
                            self._set(letter, value)
                        else:
                            pending.append(letter)
                        break
                    self._letters(letter, pending)
            else:
                self.members.append(text)

    def _letters(self, letters: str, pending: list[str]) -> None:
        for letter in letters:
            if letter in "xctru":
                self.mode = letter
            elif letter == "O":
                self.to_stdout = True
            elif letter in self._WITH_VALUE:
                pending.append(letter)

    def _set(self, letter: str, value: str) -> None:
        if letter == "f":
            self.file = value
        elif letter == "C":
            self.folder = value

    def _long(self, name: str, value: str) -> None:
        if name in ("--extract", "--get", "--create", "--list"):
            self.mode = {"--extract": "x", "--get": "x", "--create": "c", "--list": "t"}[name]
        elif name in ("--strip-components", "--strip"):
            self.strip = int(value) if value.isdigit() else 1
        elif name == "--directory":
            self.folder = value
        elif name == "--file":
            self.file = value
        elif name == "--to-stdout":
            self.to_stdout = True


def tar(call: Call) -> Stream | None:
    """Unpack or pack with tar."""
    parsed = _TarCall(call)
    if parsed.mode == "c":
        return _pack(call, parsed)
    if parsed.mode != "x":
        return None
    folder = call.join(parsed.folder or ".")
    if parsed.file in (None, "-", "/dev/stdin"):
        source = call.stdin
        if source is None:
            return None
        archive, name, origin = source.archive, source.name, source.origin
    else:
        archive, name, origin = archive_source(call, call.join(parsed.file or ""))
    archive = archive or archive_of(name, None)
    label = Origin(f"unpacked {name or 'archive'}", "archive", origin.source, 0.38, _is_open(archive.unpacked))
    if parsed.to_stdout:
        return Stream(_part_of(archive.unpacked), None, label)
    if parsed.members:
        archive, label = _only(archive, parsed.members, label)
    call.fs.extract(folder, archive, label, strip=parsed.strip, top=stem(name))
    return None


def _is_open(size: Estimate) -> bool:
    return size.high > size.low * 1.5


def _part_of(size: Estimate) -> Estimate:
    return Estimate(size.value * 0.5, 0, size.high)


def _only(archive: Archive, wanted: list[str], origin: Origin) -> tuple[Archive, Origin]:
    """Keep the members that are asked for."""
    if archive.members is None:
        return replace(archive, unpacked=_part_of(archive.unpacked)), replace(origin, unknown=True)
    patterns = [
        re.compile(re.escape(text.strip("/")).replace(r"\*", ".*").replace(r"\?", ".") + r"(?:/.*)?$")
        for text in wanted
    ]
    kept = tuple(member for member in archive.members if any(pattern.match(member[0]) for pattern in patterns))
    return Archive(Estimate.exact(sum(size for _, size, _ in kept)), kept, archive.ratio), origin


def archive_source(call: Call, path: str) -> tuple[Archive | None, str, Origin]:
    """Give what the archive at a path unpacks to, its name, and where it came from."""
    paths = call.fs.glob(path)
    origin = Origin("archive", "archive", "unknown archive", 0.38, True)
    name = posixpath.basename(path)
    for found in paths:
        entry = call.fs.get(found)
        if entry is None:
            continue
        archive = call.build.archive_at(found, entry)
        known = posixpath.basename(found)
        if archive is None and entry.type == "file":
            archive = archive_of(known, RemoteSize(round(entry.size.value)))
            slack = archive.unpacked
            archive = Archive(
                Estimate(slack.value, min(slack.low, entry.size.low), max(slack.high, entry.size.high * 4))
            )
        return archive, known, entry.origin
    return None, name, origin


def _pack(call: Call, parsed: _TarCall) -> Stream | None:
    base = Call(call.build, call.step, call.command, call.invocation,
                call.place.inside(call.join(parsed.folder or ".")))  # fmt: skip
    total, content, files = ZERO, 0.0, 0
    members: list[tuple[str, int, str]] = []
    exact = True
    for text in parsed.members:
        for path in call.fs.glob(base.join(text)):
            for name, entry in call.fs.below(path):
                if entry.type in ("file", "sum"):
                    total += entry.size
                    content += entry.size.value * entry.gzip_ratio
                    files += 1
                    if entry.type == "sum" or _is_open(entry.size):
                        exact = False
                    members.append((name[len(base.join(".")) :].lstrip("/"), round(entry.size.value), ""))
    archive = Archive(total, tuple(members) if exact else None)
    packed = total + Estimate(files * 768 + 10_240, files * 512, files * 1_536 + 20_480)
    name = parsed.file or ""
    ratio = min(content / total.value, 1.0) if total.value else 0.38
    if re.search(r"\.(?:gz|tgz|bz2|xz|zst)$", name) or (call.values and re.fullmatch(r"-?\w*[zjJ]\w*", call.values[0])):
        packed = Estimate(content + files * 100, min(content, packed.low) * 0.5, max(packed.high, content))
        ratio = 1.0
    origin = Origin("packed archive", "archive", "sizes of its files", ratio)
    stream = Stream(packed, None, origin, posixpath.basename(name), archive)
    if parsed.file in (None, "-"):
        return stream
    call.write(call.join(name), stream)
    return None


def unzip(call: Call) -> Stream | None:
    """Unpack zip archives (also ``jar xf`` and 7z)."""
    words = [word for word in call.operands if not (word.value or "").startswith("-")]
    if call.command.name == "jar":
        if not (call.values and "x" in call.values[0]):
            return None
        words = words[1:] if words and re.fullmatch(r"-?[xvf0]+", words[0].value or "") else words
    if call.command.name in ("7z", "7za", "7zr", "unrar"):
        if not any(text in ("x", "e") for text in call.values):
            return None
        words = [word for word in words if word.value not in ("x", "e")]
    if not words:
        return None
    folder = call.option("-d") or call.place.directory or "/"
    inline = next((text[2:] for text in call.values if re.match(r"-o\S", text)), None)
    if call.command.name != "unzip" and inline:
        folder = inline
    archive, name, origin = archive_source(call, call.path(words[0]))
    archive = archive or archive_of(name, None)
    label = Origin(f"unpacked {name}", "archive", origin.source, 0.38, _is_open(archive.unpacked))
    members = [
        call.place.text(word).replace("**", "*")
        for word in words[1:]
        if call.join(call.place.text(word)) != call.join(folder)
    ]
    if members:
        archive, label = _only(archive, members, label)
    if call.has("-p", "-c"):
        return Stream(archive.unpacked, None, label)
    call.fs.extract(call.join(folder), archive, label, top=stem(name), flat=call.has("-j"))
    return None


_PACKED = {"gunzip": ".gz", "unxz": ".xz", "bunzip2": ".bz2", "unzstd": ".zst", "unlzma": ".lzma", "uncompress": ".Z"}
_PACKERS = {"gzip": ".gz", "xz": ".xz", "bzip2": ".bz2", "zstd": ".zst", "pigz": ".gz", "lzma": ".lzma"}


def unpack_single(call: Call) -> Stream | None:
    """Pack or unpack single files (gzip, xz, bzip2, zstd), in place or through a pipe."""
    name = call.command.name or ""
    unpacking = (
        name in _PACKED
        or name in ("zcat", "xzcat", "bzcat", "zstdcat")
        or call.has("-d", "--decompress", "--uncompress")
    )
    to_stdout = name.endswith("cat") or call.has("-c", "--stdout", "--to-stdout")
    if not call.operands or all(word.value == "-" for word in call.operands):
        return _filter(call, unpacking)
    for word in call.operands:
        for path in call.paths(word):
            entry = call.fs.get(path)
            if entry is None or entry.type != "file":
                continue
            if unpacking:
                archive, base, origin = archive_source(call, path)
                size = (
                    archive.unpacked
                    if archive
                    else Estimate(entry.size.value * 3, entry.size.low, entry.size.high * 10)
                )
                if entry.archive is not None and is_tar_name(base):
                    size = Estimate(size.value * 1.02, size.low, size.high * 1.1)
                inner = Stream(
                    size,
                    None,
                    Origin(f"unpacked {base}", "archive", origin.source, 0.38, _is_open(size)),
                    stem(base),
                    archive,
                )
                if to_stdout:
                    return inner
                suffix = posixpath.splitext(path)[1]
                call.write(
                    {".tgz": path[:-4] + ".tar"}.get(suffix, path[: -len(suffix)] if suffix else path + ".out"), inner
                )
            else:
                size = Estimate(entry.size.value * entry.gzip_ratio, entry.size.low * 0.02, entry.size.high)
                packed = Stream(size, None, Origin("packed file", "archive", "usual ratio", 1.0))
                if to_stdout:
                    return packed
                call.write(path + _PACKERS.get(name, ".gz"), packed)
            if not call.has("-k", "--keep") and call.command.name not in ("zstd", "unzstd"):
                call.fs.remove(path)
    return None


def _filter(call: Call, unpacking: bool) -> Stream | None:
    source = call.stdin
    if source is None:
        return None
    if unpacking:
        archive = source.archive
        size = archive.unpacked if archive else Estimate(source.size.value * 3, source.size.low, source.size.high * 10)
        return Stream(size, None, replace(source.origin, ratio=0.38), source.name, archive)
    packed = Estimate(source.size.value * source.origin.ratio, source.size.low * 0.02, source.size.high)
    return Stream(packed, None, replace(source.origin, ratio=1.0), source.name, Archive(source.size))


def gpg(call: Call) -> Stream | None:
    """Handle keys: ``--dearmor`` writes three quarters of what comes in, other calls little."""
    size = call.stdin.size if call.stdin is not None else Estimate(2_500, 500, 60_000)
    output = call.option("-o", "--output")
    if call.has("--dearmor"):
        stream = Stream(size.scaled(0.74), None, Origin("signing key", "files", "usual size", 0.95))
        if output is not None and output != "-":
            call.write(call.join(output), stream)
            return None
        return stream
    if call.has("--import", "--recv-keys", "--keyserver", "--recv-key") or "adv" in call.values or "add" in call.values:
        keyring = Origin("key ring", "files", "usual size", 0.95)
        call.fs.add_sum(call.join("~/.gnupg"), Entry(Estimate(8_000, 1_000, 150_000), 0, keyring, "sum", 4))
        return None
    return Stream(CONFIG_FILE)


FETCHERS: dict[str, Handler] = {
    "curl": curl, "wget": wget, "axel": wget, "aria2c": aria, "git": git, "gpg": gpg, "apt-key": gpg,
    **dict.fromkeys(("tar", "bsdtar", "gtar"), tar),
    **dict.fromkeys(("unzip", "jar", "7z", "7za", "7zr", "unrar"), unzip),
    **dict.fromkeys((*_PACKED, *_PACKERS, "zcat", "xzcat", "bzcat", "zstdcat"), unpack_single),
}  # fmt: skip
