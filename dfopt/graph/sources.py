"""What ADD takes a source for: a git repository, a URL or a path; in the order in which a build tries them."""

from __future__ import annotations

import posixpath
import re
from typing import NamedTuple

_PROTOCOL = re.compile(r"([A-Za-z0-9]+)://", re.ASCII)
_SCP = re.compile(
    r"(?P<user>[a-zA-Z0-9_.~+-]+)@(?P<host>[^:]+):(?P<path>[^#?]*)(?:\?(?P<query>[^#]*))?(?:#(?P<fragment>.*))?",
    re.ASCII,
)
_URL = re.compile(
    r"(?P<scheme>[a-z0-9]+)://(?P<authority>[^/?#]*)(?P<path>[^?#]*)(?:\?(?P<query>[^#]*))?(?:#(?P<fragment>.*))?", re.I
)
_TRUE = frozenset(("1", "t", "T", "TRUE", "true", "True"))
_FALSE = frozenset(("0", "f", "F", "FALSE", "false", "False"))


def unquote(text: str) -> str:
    """Give a part of a URL with its escapes replaced."""
    if "%" not in text:
        return text
    from urllib.parse import unquote as replaced

    return replaced(text)


class GitSource(NamedTuple):
    """A git repository: what the builder fetches (host and path), the ref, the folder inside it and its options."""

    remote: str
    location: str
    ref: str
    folder: str
    checksum: str = ""
    keep_git: bool | None = None
    submodules: bool | None = None

    @property
    def identifier(self) -> str:
        """The name of the source in a build: host and path, then ``#ref:folder`` where given."""
        tail = f"#{self.ref}" + (f":{self.folder}" if self.folder else "") if self.ref or self.folder else ""
        return f"git://{self.location}{tail}"


class GitError(ValueError):
    """A git address with options that a build refuses."""


def git_source(text: str) -> GitSource | None:
    """Read a source as a git address; None where it is none. Raises GitError for options that cannot be understood."""
    if text.startswith(("./", "../", "github.com/")):
        return None
    if protocol := _PROTOCOL.match(text):
        scheme = protocol[1].lower()
        if scheme not in ("http", "https", "ssh", "git"):
            return None
        match = _URL.match(text)
        if match is None or any(ch < " " or ch == "\x7f" for ch in text):
            return None
        path = unquote(match["path"])
        if scheme in ("http", "https") and not path.endswith(".git"):
            return None
        host = match["authority"].rpartition("@")[2]
        remote = text.partition("#")[0]
    elif match := _SCP.fullmatch(text):
        host, path, remote = match["host"], match["path"], text.partition("#")[0]
    else:
        return None
    ref, _, folder = unquote(match["fragment"] or "").partition(":")
    location = host + posixpath.normpath("/" + path.lstrip("/"))
    return _with_query(GitSource(remote, location, ref, folder), match["query"] or "")


def _with_query(source: GitSource, query: str) -> GitSource:
    tag = branch = ""
    from urllib.parse import parse_qs  # costs more than most files take, and few have such a query

    for key, values in parse_qs(query, keep_blank_values=True).items():
        if len(values) > 1:
            raise GitError(f"{key} is given more than once")
        value = values[0]
        if not value and key not in ("keep-git-dir", "submodules"):
            raise GitError(f"{key} lacks a value")
        if key == "ref":
            source = source._replace(ref=_same("ref", source.ref, value))
        elif key == "subdir":
            source = source._replace(folder=_same("subdir", source.folder, value))
        elif key == "tag":
            tag = value if value.startswith("refs/tags/") else f"refs/tags/{value}"
        elif key == "branch":
            branch = value if value.startswith("refs/heads/") else f"refs/heads/{value}"
        elif key in ("checksum", "commit"):
            source = source._replace(checksum=value)
        elif key == "keep-git-dir":
            source = source._replace(keep_git=_boolean(key, value))
        elif key == "submodules":
            source = source._replace(submodules=_boolean(key, value))
        elif key == "mtime":
            if value not in ("checkout", "commit"):
                raise GitError("mtime is either checkout or commit")
        elif key == "fetch-by-commit":
            _boolean(key, value)
        else:
            raise GitError(f"the option {key} is not known")
    if tag and branch:
        raise GitError("a tag and a branch exclude each other")
    if tag or branch:
        source = source._replace(ref=_same("ref", source.ref, tag or branch))
    if source.checksum and not source.ref:
        source = source._replace(ref=source.checksum)
    return source


def _same(name: str, old: str, new: str) -> str:
    if old and old != new:
        raise GitError(f"{name} is given as {old} and as {new}")
    return new


def _boolean(key: str, value: str) -> bool:
    if value in _TRUE or not value:
        return True
    if value in _FALSE:
        return False
    raise GitError(f"{key} is either true or false, not {value}")


def is_url(text: str) -> bool:
    """Tell whether ADD downloads a source as a file."""
    return text.startswith(("http://", "https://"))


def is_remote(text: str) -> bool:
    """Tell whether ADD fetches a source from somewhere else than the build context."""
    if is_url(text):
        return True
    try:
        return git_source(text) is not None
    except GitError:
        return True


def file_name(url: str) -> str:
    """Give the name under which ADD stores a downloaded file."""
    match = _URL.match(url)
    name = posixpath.basename(unquote(match["path"]).rstrip("/")) if match else ""
    return name if name not in ("", ".") else "__unnamed__"
