"""What hadolint checks of single instructions and of their order in a stage."""

from __future__ import annotations

import re
from collections.abc import Iterator

from dfopt.lint.hadolint.calls import Call
from dfopt.lint.hadolint.model import File, Hit, Image, Line, Places, heirs, read_code
from dfopt.syntax.tree import (
    Add,
    Arg,
    Cmd,
    Copy,
    Entrypoint,
    Env,
    Expose,
    From,
    Healthcheck,
    Instruction,
    Label,
    Maintainer,
    Onbuild,
    Run,
    Shell,
    User,
    Workdir,
)

_ARCHIVES = (
    ".tar", ".Z", ".bz2", ".gz", ".lz", ".lzma", ".tZ", ".tb2", ".tbz", ".tbz2", ".tgz", ".tlz", ".tpz", ".txz", ".xz",
)  # fmt: skip
_UNPACKERS = ("unzip", "gunzip", "bunzip2", "unlzma", "unxz", "zgz", "uncompress", "zcat", "gzcat")
_QUOTES = "\"'"
_ROOT = re.compile(r"(?:root|0)(?::.*)?", re.DOTALL)
_ABSOLUTE = re.compile(r"[/$]|[A-Za-z]:")
_DIGITS = re.compile(r"[0-9]+")
_LARGEST_PORT = 65535
_LABEL_KEY = re.compile(r"[a-z](?:[0-9a-z./_-]*[a-z0-9])?")
_RESERVED_LABELS = ("com.docker.", "io.docker.", "org.dockerproject.")
_NAME_END = r"(?![0-9A-Za-z_])"
_PIPEFAIL_SHELLS = tuple(folder + name for name in ("bash", "zsh", "ash") for folder in ("", "/bin/"))
_OTHER_SHELLS = ("pwsh", "powershell", "cmd")

_SENSITIVE = """
    ACCESS_TOKEN APPLICATION_KEY APP_SECRET AUTH_TOKEN AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY BITTREX_API_KEY
    BITTREX_API_SECRET CF_PASSWORD CF_USERNAME CIRCLE_TOKEN CI_DEPLOY_PASSWORD CI_DEPLOY_USER DOCKERHUB_PASSWORD
    DOCKER_EMAIL DOCKER_PASSWORD DOCKER_USERNAME FACEBOOK_ACCESS_TOKEN FACEBOOK_APP_ID FACEBOOK_APP_SECRET
    FIREBASE_API_TOKEN FIREBASE_TOKEN FOSSA_API_KEY GH_ENTERPRISE_TOKEN GH_TOKEN GITHUB_ENTERPRISE_TOKEN GITHUB_TOKEN
    HEROKU_API_KEY HEROKU_API_USER NPM_AUTH_TOKEN NPM_TOKEN OKTA_AUTHN_GROUPID OKTA_CLIENT_ORGURL OKTA_CLIENT_TOKEN
    OKTA_OAUTH2_CLIENTID OKTA_OAUTH2_CLIENTSECRET OPENAI_API_KEY OS_PASSWORD OS_USERNAME POSTGRES_PASSWORD SLACK_TOKEN
    STRIPE_API_KEY STRIPE_DEVICE_NAME TRAVIS_OS_NAME TRAVIS_SECURE_ENV_VARS TRAVIS_SUDO VAULT_CLIENT_KEY
    VAULT_TOKEN
"""
_SENSITIVE_NAMES = frozenset(_SENSITIVE.split())
_SENSITIVE_PARTS = ("api_key", "client_key", "password", "private", "secret", "token", "username")


def _relative_workdir(file: File) -> Iterator[Hit]:
    for line in file.lines:
        instruction = line.instruction
        if isinstance(instruction, Workdir) and not _ABSOLUTE.match(instruction.text.text.strip(_QUOTES)):
            yield Hit(line)


def _root_at_the_end(file: File) -> Iterator[Hit]:
    for start, lines in file.stages():
        users = [line for line in lines if isinstance(line.instruction, User)]
        if start is not None and users and _ROOT.fullmatch(_text(users[-1])):
            yield Hit(users[-1])


def _text(line: Line) -> str:
    """Give the argument of a USER."""
    assert isinstance(line.instruction, User)
    return line.instruction.text.text


def _untagged(file: File) -> Iterator[Hit]:
    aliases: set[str | None] = set()
    for line in file.froms:
        image = line.image
        named = image.full_name in aliases or image.name.startswith("$") or image.full_name == "scratch"
        if image.tag is None and image.digest is None and not named:
            yield Hit(line)
        aliases.add(line.alias)


def _latest(file: File) -> Iterator[Hit]:
    return (Hit(line) for line in file.froms if line.image.tag == "latest" and line.image.digest is None)


def _copied_archives(file: File) -> Iterator[Hit]:
    """Give the COPY lines of the last stage whose archive a later RUN unpacks."""
    copied: list[tuple[Line, set[str]]] = []
    unpacked: list[tuple[int, set[str]]] = []
    for _, lines in list(file.stages())[-1:]:
        for line in lines:
            instruction = line.instruction
            if isinstance(instruction, Copy) and not instruction.from_:
                target = _base_name(line.target)
                sources = map(_base_name, line.sources)
                names = {target} if target.endswith(_ARCHIVES) else {one for one in sources if one.endswith(_ARCHIVES)}
                copied.append((line, names))
            elif isinstance(instruction, Run):
                operands = (call.operands() for call in line.calls if _unpacks(call))
                unpacked.append((line.number, {_base_name(word) for words in operands for word in words}))
    for line, names in copied:
        if any(number > line.number and names & words for number, words in unpacked):
            yield Hit(line)


def _unpacks(call: Call) -> bool:
    if call.is_(*_UNPACKERS):
        return True
    dashed = any(word.startswith("-") and "x" in word for word in call.words)
    return call.is_("tar") and (dashed or call.has("--extract", "--get"))


def _base_name(path: str) -> str:
    return re.split(r"[/\\]", path)[-1]


def _large_port(file: File) -> Iterator[Hit]:
    for line in file.lines:
        if isinstance(line.instruction, Expose):
            ports = (int(n) for word in line.instruction.words for n in _DIGITS.findall(_port(word.text)))
            if any(port > _LARGEST_PORT for port in ports):
                yield Hit(line)


def _port(text: str) -> str:
    return "" if "$" in text else text.partition("/")[0]


def _repeated(kind: type[Instruction]) -> Places:
    """Make a check for the second and later instructions of a kind in a stage."""

    def places(file: File) -> Iterator[Hit]:
        for _, lines in file.stages():
            yield from map(Hit, [line for line in lines if isinstance(line.instruction, kind)][1:])

    return places


def _added(file: File) -> Iterator[Hit]:
    for line in file.lines:
        if isinstance(line.instruction, Add) and not all(map(_is_for_add, line.sources)):
            yield Hit(line)


def _is_for_add(source: str) -> bool:
    return source.endswith(_ARCHIVES) or source.startswith(("http://", "https://"))


def _many_to_no_folder(file: File) -> Iterator[Hit]:
    for line in file.lines:
        if isinstance(line.instruction, Copy) and len(line.sources) > 1 and not line.target.endswith("/"):
            yield Hit(line)


def _relative_target(file: File) -> Iterator[Hit]:
    for line, has_workdir in heirs(file, lambda one: isinstance(one.instruction, Workdir)):
        if isinstance(line.instruction, Copy) and not has_workdir and not _ABSOLUTE.match(line.target):
            yield Hit(line)


def _copied_from_unknown(file: File) -> Iterator[Hit]:
    aliases: set[str | None] = set()
    stages = 0
    for line in file.lines:
        instruction = line.instruction
        if isinstance(instruction, From):
            aliases.add(line.alias)
            stages += 1
        elif isinstance(instruction, Copy) and (source := instruction.from_):
            number = _DIGITS.match(source)
            known = ":" in source or source in aliases or (number is not None and int(number.group()) < stages)
            if not known:
                yield Hit(line)


def _copied_from_itself(file: File) -> Iterator[Hit]:
    for start, lines in file.stages():
        alias = start.alias if start is not None else None
        copies = (line for line in lines if isinstance(line.instruction, Copy))
        yield from (Hit(line) for line in copies if alias and line.instruction.flag_value("from") == alias)


def _everything_copied(file: File) -> Iterator[Hit]:
    for line in file.lines:
        if isinstance(line.instruction, Copy) and line.instruction.from_ and line.target == "/" in line.sources:
            yield Hit(line)


def _same_alias(file: File) -> Iterator[Hit]:
    seen: set[str] = set()
    for line in file.froms:
        if line.alias in seen:
            yield Hit(line)
        seen.update((line.alias,) if line.alias else ())


def _shell_form(file: File) -> Iterator[Hit]:
    for line in file.lines:
        instruction = line.instruction
        none = isinstance(instruction, Healthcheck) and instruction.is_none
        if isinstance(instruction, (Cmd, Entrypoint, Healthcheck)) and not none and line.strings is None:
            yield Hit(line)


def _untrusted(file: File) -> Iterator[Hit]:
    trusted = file.settings.trusted_registries
    if not trusted:
        return
    aliases: set[str] = set()
    for line in file.lines:
        instruction = line.instruction
        names: list[str] = []
        if isinstance(instruction, From):
            names = [instruction.image.text]
        elif isinstance(instruction, Copy) and instruction.from_:
            names = [instruction.from_]
        elif isinstance(instruction, Run):
            names = [mount.from_ for mount in line.mounts("bind", "cache") if mount.from_]
        if any(name not in aliases and name != "scratch" and not _is_trusted(name, trusted) for name in names):
            yield Hit(line)
        if isinstance(instruction, From) and line.alias is not None:
            aliases.add(line.alias)


def _is_trusted(name: str, trusted: tuple[str, ...]) -> bool:
    registry = Image.parse(name).registry
    if not registry:
        return any(one in ("*", "docker.io", "hub.docker.com") for one in trusted)
    return any(_fits(registry, one) for one in trusted)


def _fits(registry: str, pattern: str) -> bool:
    if pattern.startswith("*"):
        return registry.endswith(pattern[1:])
    return registry.startswith(pattern[:-1]) if pattern.endswith("*") else registry == pattern


def _platforms(file: File) -> Iterator[tuple[Line, str]]:
    for line in file.froms:
        value = line.instruction.flag_value("platform")
        if value is not None:
            yield line, value


def _fixed_platform(file: File) -> Iterator[Hit]:
    for line, value in _platforms(file):
        if "BUILDPLATFORM" not in value and "TARGETPLATFORM" not in value:
            yield Hit(line)


def _target_platform(file: File) -> Iterator[Hit]:
    return (Hit(line) for line, value in _platforms(file) if value in ("$TARGETPLATFORM", "${TARGETPLATFORM}"))


def _bad_trigger(file: File) -> Iterator[Hit]:
    for line in file.lines:
        instruction = line.instruction
        if isinstance(instruction, Onbuild) and instruction.trigger.keyword in ("ONBUILD", "FROM", "MAINTAINER"):
            yield Hit(line)


def _uses_itself(file: File) -> Iterator[Hit]:
    """Give each ENV that uses a variable which only another pair of the same ENV sets."""
    defined: set[str] = set()
    for line in file.lines:
        instruction = line.instruction
        if isinstance(instruction, Arg):
            defined.update(key for key, _ in line.pairs)
        elif isinstance(instruction, Env):
            pairs = line.pairs
            if any(
                key not in defined and other != number and _uses(value, key)
                for number, (key, _) in enumerate(pairs)
                for other, (_, value) in enumerate(pairs)
            ):
                yield Hit(line)
            defined.update(key for key, _ in pairs)


def _uses(value: str, name: str) -> bool:
    name = re.escape(name)
    return re.search(rf"\$(?:{name}{_NAME_END}|\{{{name}\}})", value) is not None


def _bad_label(file: File) -> Iterator[Hit]:
    for line in file.lines:
        if isinstance(line.instruction, Label) and not all(_is_good_key(key) for key, _ in line.pairs):
            yield Hit(line)


def _is_good_key(key: str) -> bool:
    good = _LABEL_KEY.fullmatch(key) and ".." not in key and "--" not in key
    return bool(good) and not key.startswith(_RESERVED_LABELS)


def _single_runs(file: File) -> Iterator[Hit]:
    """Give each RUN of at most one command that directly follows another one with the same flags."""
    before: tuple[tuple[str, str | None], ...] | None = None
    for line in file.lines:
        if not isinstance(line.instruction, Run) or len(line.calls) > 1:
            before = None
            continue
        flags = tuple(sorted((flag.name, flag.value or "") for flag in line.instruction.flags))
        if flags == before:
            yield Hit(line)
        before = flags


def _above_from(file: File) -> Iterator[Hit]:
    for start, lines in file.stages():
        if start is None:
            yield from (Hit(line) for line in lines if not isinstance(line.instruction, Arg))


def _reserved_alias(file: File) -> Iterator[Hit]:
    return (Hit(line) for line in file.froms if line.alias in ("scratch", "context"))


def _sensitive(file: File) -> Iterator[Hit]:
    for line in file.lines:
        if isinstance(line.instruction, (Arg, Env)) and any(_is_sensitive(key) for key, _ in line.pairs):
            yield Hit(line)


def _is_sensitive(name: str) -> bool:
    return name.upper() in _SENSITIVE_NAMES or any(part in name.lower() for part in _SENSITIVE_PARTS)


def _named_user(file: File) -> Iterator[Hit]:
    arguments: set[str] = set()
    for line in file.lines:
        if isinstance(line.instruction, Arg):
            arguments.update(key for key, _ in line.pairs)
        elif isinstance(line.instruction, User):
            text = _text(line)
            user = text.partition(":")[0]
            numeric = all(char in "0123456789" for char in user)
            if not numeric and not any(f"${name}" in text or f"${{{name}}}" in text for name in arguments):
                yield Hit(line)


def _maintainer(file: File) -> Iterator[Hit]:
    return (Hit(line) for line in file.lines if isinstance(line.instruction, Maintainer))


def _pipes_without_pipefail(file: File) -> Iterator[Hit]:
    fails = False
    for line in file.lines:
        if isinstance(line.instruction, From):
            fails = False
        elif isinstance(line.instruction, Shell):
            fails = _fails_in_pipes(line.text)
        elif isinstance(line.instruction, Run) and not fails and line.has_pipe:
            yield Hit(line)


def _fails_in_pipes(shell: str) -> bool:
    if shell.startswith(_OTHER_SHELLS):
        return True
    calls = [call for command in read_code(shell).commands for call in Call.all_of(command)]
    return any(call.is_(*_PIPEFAIL_SHELLS) and call.has_flag("o") and call.has("pipefail") for call in calls)


def _unchecked_health(file: File) -> Iterator[Hit]:
    """Give each FROM whose stage has no HEALTHCHECK, nor the stage below it, nor one that is built on it."""
    stages = [(start, lines) for start, lines in file.stages() if start is not None]
    good = [any(isinstance(line.instruction, Healthcheck) for line in lines) for _, lines in stages]
    parents: list[int | None] = []
    names: dict[str, int] = {}
    for number, (start, _) in enumerate(stages):
        parents.append(names.get(start.image.full_name))
        names[start.alias or start.image.full_name] = number
    for number, parent in enumerate(parents):
        good[number] = good[number] or (parent is not None and good[parent])
    for number in reversed(range(len(parents))):
        parent = parents[number]
        if parent is not None and good[number]:
            good[parent] = True
    return (Hit(start) for (start, _), fine in zip(stages, good, strict=True) if not fine)


INSTRUCTIONS: dict[str, Places] = {
    "DL3000": _relative_workdir,
    "DL3002": _root_at_the_end,
    "DL3006": _untagged,
    "DL3007": _latest,
    "DL3010": _copied_archives,
    "DL3011": _large_port,
    "DL3012": _repeated(Healthcheck),
    "DL3020": _added,
    "DL3021": _many_to_no_folder,
    "DL3022": _copied_from_unknown,
    "DL3023": _copied_from_itself,
    "DL3024": _same_alias,
    "DL3025": _shell_form,
    "DL3026": _untrusted,
    "DL3029": _fixed_platform,
    "DL3043": _bad_trigger,
    "DL3044": _uses_itself,
    "DL3045": _relative_target,
    "DL3048": _bad_label,
    "DL3057": _unchecked_health,
    "DL3059": _single_runs,
    "DL3061": _above_from,
    "DL3063": _reserved_alias,
    "DL3064": _sensitive,
    "DL3065": _target_platform,
    "DL3066": _named_user,
    "DL3067": _everything_copied,
    "DL4000": _maintainer,
    "DL4003": _repeated(Cmd),
    "DL4004": _repeated(Entrypoint),
    "DL4006": _pipes_without_pipefail,
}
"""The checks by their codes."""
