"""The packages that a call names, with the version each is held to."""

from __future__ import annotations

import re
from collections.abc import Callable

from dfopt.shell.model import ShellWord
from dfopt.tools.model import Invocation, Package

_INSTALLING = frozenset(("install", "upgrade", "remove", "fetch"))
_PIP = re.compile(r"^([A-Za-z0-9][\w.-]*)\s*(\[[^\]]*\])?\s*(?:(===|==|~=|!=|>=|<=|>|<|@)\s*(.*))?$", re.DOTALL)
_APK = re.compile(r"^(!?)([\w.+:/*-]+?)(?:@([\w.-]+))?(?:(~=|~|>=|<=|=|>|<)(.+?))?(?:@([\w.-]+))?$")
_RPM_VERSION = re.compile(r"^(?:\d+:)?[0-9][\w.~^+:-]*$")
_RPM_ARCHITECTURE = re.compile(r"\.(?:x86_64|i[3-6]86|noarch|aarch64|ppc64le|s390x)$")
_GIT = re.compile(r"^(?:git\+|git://|git@|hg\+|svn\+|bzr\+|github:|gitlab:|bitbucket:|gist:)")
_ARCHIVE = re.compile(r"\.(?:whl|zip|tgz|tar\.gz|tar\.bz2|tar\.xz|tar|egg)$")
_EGG = re.compile(r"#(?:.*&)?egg=([\w.-]+)")

Reader = Callable[[str, ShellWord, Invocation], "Package | None"]


def package_names(invocation: Invocation) -> tuple[Package, ...]:
    """Give the packages that a call of a package manager names, in order; empty for calls that name none.

    Requirement files, switches and their values are no packages. A word that cannot be known is given with ``unknown``.
    """
    reader = _READERS.get(invocation.family)
    if reader is None:
        return ()
    if invocation.action not in _INSTALLING and invocation.family not in ("go", "cargo", "composer"):
        return ()
    if not _takes_packages(invocation):
        return ()
    found = []
    for word in invocation.operands:
        text = word.pattern if word.value is None else word.value
        if not text:
            continue
        package = reader(text, word, invocation)
        if package is not None:
            found.append(package)
    if invocation.family in ("pip", "uv"):
        found.extend(_editable(word) for word in invocation.values("-e"))
    return tuple(found)


def _takes_packages(invocation: Invocation) -> bool:
    verb = invocation.subcommand.names[0] if invocation.subcommand.names else ""
    if invocation.family == "go":
        return verb in ("install", "get")
    if invocation.family == "cargo":
        return verb in ("install",) and not invocation.has("--path", "--git")
    if invocation.family == "yarn":
        return verb in ("add", "global add")
    if invocation.family == "composer":
        return verb in ("update", "global require", "create-project") and (
            verb != "update" or _word(invocation) in ("require", "r", "req", "remove", "rm")
        )
    if invocation.family == "bundler":
        return _word(invocation) == "add"
    if invocation.family == "uv":
        return verb in ("pip install", "pip uninstall", "tool install", "add")
    if invocation.family in ("poetry", "pdm"):
        return verb == "add" or _word(invocation) == "add"
    if invocation.family == "npm":
        return _word(invocation) not in ("update", "up", "upgrade", "ci", "prune", "dedupe", "link", "ln")
    if invocation.family == "pnpm":
        return _word(invocation) in ("add", "install", "i", "update", "up", "remove", "rm", "uninstall")
    if invocation.family == "bun":
        return _word(invocation) in ("add", "a", "install", "i", "remove", "rm")
    if invocation.family == "dotnet":
        return verb in ("tool install", "add package")
    if invocation.family == "conda":
        return not verb.startswith("env")
    return True


def _word(invocation: Invocation) -> str:
    return "" if invocation.verb is None else invocation.verb.value or ""


def _unknown(text: str, word: ShellWord) -> Package | None:
    # A word that begins with something unknown may be any number of packages.
    if word.value is None and text.startswith("*"):
        return Package(text, None, word, unknown=True)
    return None


def _apt(text: str, word: ShellWord, invocation: Invocation) -> Package | None:
    if (unknown := _unknown(text, word)) is not None and "=" not in text:
        return unknown
    if text.endswith(".deb") or text.startswith(("./", "/", "../")):
        return Package(text, None, word, is_local="://" not in text, is_url="://" in text, unknown=word.value is None)
    name, equals, version = text.partition("=")
    suite = None
    if not equals and "/" in name:
        name, _, suite = name.partition("/")
    excluded = not equals and name.endswith("-")
    name = (
        name.rstrip("-")
        if excluded
        else name.removesuffix("+")
        if name.endswith("+") and not name.endswith("++")
        else name
    )
    return Package(
        name.partition(":")[0],
        version if equals else None,
        word,
        pinned=bool(equals) and "*" not in (word.value or ""),
        excluded=excluded,
        source=suite or invocation.options.get("-t"),
        unknown=word.value is None,
    )


def _apk(text: str, word: ShellWord, invocation: Invocation) -> Package | None:
    if (unknown := _unknown(text, word)) is not None and not re.search(r"[=~<>]", text):
        return unknown
    if text.endswith(".apk"):
        return Package(text, None, word, is_local="://" not in text, is_url="://" in text)
    match = _APK.match(text)
    if match is None:
        return Package(text, None, word, unknown=word.value is None)
    bang, name, tag, operator, version, late_tag = match.groups()
    return Package(
        name,
        None if version is None else version if operator == "=" else operator + version,
        word,
        pinned=operator in ("=", "~=", "~"),
        excluded=bool(bang),
        source=tag or late_tag,
        unknown=word.value is None,
    )


def _rpm(text: str, word: ShellWord, invocation: Invocation) -> Package | None:
    if (unknown := _unknown(text, word)) is not None:
        return unknown
    if "://" in text or text.endswith(".rpm"):
        return Package(
            text, None, word, is_local="://" not in text, is_url="://" in text, unknown=word.value is None, pinned=False
        )
    if text.startswith("@"):
        name, _, stream = text.partition(":")
        return Package(name, stream or None, word, pinned=bool(stream), unknown=word.value is None)
    verb = invocation.subcommand.names[0] if invocation.subcommand.names else ""
    used = _word(invocation)
    if used == "module" or verb.startswith("module"):
        name, _, stream = text.partition(":")
        return Package(name, stream or None, word, pinned=bool(stream), unknown=word.value is None)
    text = _RPM_ARCHITECTURE.sub("", text)
    parts = text.split("-")
    for at in range(1, len(parts)):
        tail = "-".join(parts[at:])
        rest = parts[at + 1 :]
        if not (_RPM_VERSION.match(tail) or parts[at] == "*"):
            continue
        # java-1.8.0-openjdk, gcc-4.8-devel: a word that begins with a letter follows, so the digits belong to the name.
        if any(
            part[:1].isalpha() and not re.match(r"^(?:el|fc|amzn|rc|beta|alpha|ph|cm|azl|mga|mdk|git|p)\d", part)
            for part in rest
        ):
            continue
        return Package("-".join(parts[:at]), tail, word, pinned=True, unknown=word.value is None)
    return Package(text, None, word, unknown=word.value is None)


def _zypper(text: str, word: ShellWord, invocation: Invocation) -> Package | None:
    if (unknown := _unknown(text, word)) is not None:
        return unknown
    if "://" in text or text.endswith(".rpm"):
        return Package(text, None, word, is_local="://" not in text, is_url="://" in text)
    match = re.match(r"^([!~+-]?)([\w.+:()-]+?)(?:(>=|<=|=|<|>)(.+))?$", text)
    if match is None:
        return Package(text, None, word, unknown=word.value is None)
    sign, name, operator, version = match.groups()
    return Package(
        name,
        None if version is None else version if operator == "=" else operator + version,
        word,
        pinned=operator == "=",
        excluded=sign in ("!", "~", "-") and bool(sign),
        unknown=word.value is None,
    )


def _pip(text: str, word: ShellWord, invocation: Invocation) -> Package | None:
    plain = text.partition(";")[0].strip()
    if (unknown := _unknown(text, word)) is not None and not re.search(r"[=~<>]", text):
        return unknown
    head, at, rest = plain.partition("@")
    named = (
        bool(at)
        and bool(re.match(r"^[A-Za-z0-9][\w.-]*(?:\[[^\]]*\])?\s*$", head))
        and ("://" in rest or rest.strip().startswith("git+"))
    )
    if named or "://" in plain or _GIT.match(plain):
        address = rest.strip() if named else plain
        egg = _EGG.search(plain)
        name = head.partition("[")[0].strip() if named else plain if egg is None else egg.group(1)
        revision = _revision(address)
        archive = bool(_ARCHIVE.search(address.partition("#")[0]))
        return Package(
            name, revision, word, is_url=True, pinned=revision is not None or archive, unknown=word.value is None
        )
    name = plain.partition("[")[0]
    if plain.startswith((".", "/", "~")) or _ARCHIVE.search(name) or "/" in name:
        return Package(plain, None, word, is_local=True, unknown=word.value is None)
    match = _PIP.match(plain)
    if match is None:
        return Package(plain, None, word, unknown=word.value is None)
    found, _, operator, version = match.groups()
    exact = operator in ("==", "===")
    if invocation.family in ("poetry", "uv", "pdm") and operator == "@":
        exact = bool(version) and version[:1].isdigit()
    first = (version or "").split(",")[0].strip()
    held = None if operator is None else first if exact else f"{operator}{version}"
    return Package(found, held, word, pinned=exact and not first.endswith("*"), unknown=word.value is None)


def _revision(address: str) -> str | None:
    """Give the revision behind the @ of an address of version control; the @ of ``git@host`` is none."""
    if not _GIT.match(address):
        return None
    path = address.partition("#")[0].partition("://")[2]
    _, at, revision = path.partition("/")[2].rpartition("@")
    return revision if at else None


def _editable(word: ShellWord) -> Package:
    text = word.pattern if word.value is None else word.value
    url = "://" in text
    revision = _revision(text) if url else None
    return Package(
        text, revision, word, is_local=not url, is_url=url, pinned=revision is not None, unknown=word.value is None
    )


def _npm(text: str, word: ShellWord, invocation: Invocation) -> Package | None:
    if (unknown := _unknown(text, word)) is not None and "@" not in text:
        return unknown
    if text.startswith((".", "/", "~/", "file:", "link:", "portal:", "workspace:")) or (
        _ARCHIVE.search(text) and "://" not in text
    ):
        return Package(text, None, word, is_local=True, unknown=word.value is None)
    if "://" in text or _GIT.match(text) or (re.match(r"^[\w.-]+/[\w.-]+(?:#.*)?$", text) and not text.startswith("@")):
        address, hash_sign, revision = text.partition("#")
        archive = bool(_ARCHIVE.search(address))
        return Package(
            address,
            revision if hash_sign else None,
            word,
            is_url=True,
            pinned=bool(hash_sign) or archive,
            unknown=word.value is None,
        )
    at = text.find("@", 1)
    name, version = (text, None) if at < 0 else (text[:at], text[at + 1 :])
    if version is not None and version.startswith(("npm:", "git", "http", "file:")):
        return Package(
            name,
            version,
            word,
            is_url="://" in version,
            pinned="#" in version or "@" in version[4:],
            unknown=word.value is None,
        )
    exact = version is not None and bool(re.match(r"^v?\d+\.\d+\.\d+(?:[-+][\w.-]+)?$", version))
    # An unknown version (cli@$VERSION) is held by whoever sets the variable.
    exact = exact or (word.value is None and version is not None and "*" in version)
    return Package(name, version or None, word, pinned=exact, unknown=word.value is None and at < 0)


def _gem(text: str, word: ShellWord, invocation: Invocation) -> Package | None:
    if (unknown := _unknown(text, word)) is not None and ":" not in text:
        return unknown
    if text.endswith(".gem") or text.startswith(("./", "/")):
        return Package(text, None, word, is_local=True)
    name, colon, version = text.partition(":")
    held = version if colon else invocation.options.get("-v")
    exact = held is not None and (held[:1].isdigit() or held.startswith(("=", "*")) or "*" in held)
    return Package(name, held, word, pinned=exact, unknown=word.value is None and name.startswith("*"))


def _go(text: str, word: ShellWord, invocation: Invocation) -> Package | None:
    if (unknown := _unknown(text, word)) is not None and "@" not in text:
        return unknown
    if text.startswith((".", "/")) or text.endswith(".go"):
        return Package(text, None, word, is_local=True)
    name, at, version = text.partition("@")
    first = name.split("/")[0]
    local = "." not in first and not at
    return Package(
        name.removesuffix("/..."),
        version if at else None,
        word,
        is_local=local,
        pinned=bool(at) and version not in ("latest", "none", "upgrade", "patch", "master", "main"),
        unknown=word.value is None and first.startswith("*"),
    )


def _cargo(text: str, word: ShellWord, invocation: Invocation) -> Package | None:
    if (unknown := _unknown(text, word)) is not None and "@" not in text:
        return unknown
    name, at, version = text.partition("@")
    held = version if at else invocation.options.get("--version")
    return Package(
        name,
        held,
        word,
        pinned=held is not None and not held.startswith(("^", "~", ">", "<")),
        unknown=word.value is None and name.startswith("*"),
    )


def _composer(text: str, word: ShellWord, invocation: Invocation) -> Package | None:
    if (unknown := _unknown(text, word)) is not None and ":" not in text:
        return unknown
    name, colon, version = text.partition(":")
    if not colon:
        name, colon, version = text.partition("=")
    if "/" not in name and not name.startswith("ext-") and not colon:
        return None
    exact = bool(re.match(r"^v?\d+\.\d+(?:\.\d+)*(?:[-@][\w.-]+)?$", version)) or (
        word.value is None and "*" in version
    )
    return Package(name, version if colon else None, word, pinned=exact)


def _conda(text: str, word: ShellWord, invocation: Invocation) -> Package | None:
    if (unknown := _unknown(text, word)) is not None:
        return unknown
    plain = text.rpartition("::")[2]
    if text.endswith((".tar.bz2", ".conda")):
        return Package(text, None, word, is_local="://" not in text, is_url="://" in text, pinned=True)
    match = re.match(r"^([\w.-]+?)\s*(?:\[.*\])?\s*(==|=|>=|<=|>|<|!=|~=)(.+)$", plain)
    channel = text.rpartition("::")[0] or None
    if match is None:
        return Package(plain, None, word, source=channel, unknown=word.value is None)
    name, operator, version = match.groups()
    exact = operator in ("=", "==")
    return Package(
        name, version if exact else operator + version, word, pinned=exact, source=channel, unknown=word.value is None
    )


def _pecl(text: str, word: ShellWord, invocation: Invocation) -> Package | None:
    if (unknown := _unknown(text, word)) is not None:
        return unknown
    if "://" in text or text.endswith((".tgz", ".xml")) or text.startswith((".", "/")):
        return Package(text, None, word, is_local="://" not in text, is_url="://" in text)
    name, dash, version = text.partition("-")
    return Package(
        name,
        version if dash else None,
        word,
        pinned=bool(dash) and (version[:1].isdigit() or "*" in version),
        unknown=word.value is None and not dash,
    )


def _plain(text: str, word: ShellWord, invocation: Invocation) -> Package | None:
    # Packages of a manager without a notation for versions, or with ``name=version``.
    if (unknown := _unknown(text, word)) is not None:
        return unknown
    if "://" in text:
        return Package(text, None, word, is_url=True)
    if text.startswith((".", "/")):
        return Package(text, None, word, is_local=True)
    name, equals, version = text.partition("=")
    return Package(name, version if equals else None, word, pinned=bool(equals), unknown=word.value is None)


def _dotnet(text: str, word: ShellWord, invocation: Invocation) -> Package | None:
    held = invocation.options.get("--version")
    name, at, version = text.partition("@")
    return Package(name, version if at else held, word, pinned=bool(at) or held is not None, unknown=word.value is None)


def _luarocks(text: str, word: ShellWord, invocation: Invocation) -> Package | None:
    if text in ("install", "build", "make", "remove") or text[:1].isdigit():
        return None
    version = next((w.value for w in invocation.operands if w.value and w.value[:1].isdigit()), None)
    return Package(text, version, word, pinned=version is not None, is_local=text.endswith((".rockspec", ".rock")))


_READERS: dict[str, Reader] = {
    "apt": _apt, "apk": _apk, "dnf": _rpm, "rpm": _rpm, "zypper": _zypper, "pip": _pip, "pipx": _pip, "uv": _pip,
    "poetry": _pip, "pdm": _pip,
    "pipenv": _pip, "easy_install": _pip, "npm": _npm, "yarn": _npm, "pnpm": _npm, "bun": _npm, "bower": _npm,
    "corepack": _npm, "gem": _gem, "bundler": _gem,
    "go": _go, "cargo": _cargo, "composer": _composer, "conda": _conda, "pecl": _pecl, "pacman": _plain,
    "xbps": _plain, "opkg": _plain, "cpan": _npm,
    "dotnet": _dotnet, "luarocks": _luarocks, "docker-php": _plain, "chisel": _plain, "swupd": _plain,
}  # fmt: skip
