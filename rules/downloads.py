"""Rules about downloads: keys, scripts that run as they come, clear-text addresses, hashes that can be forged."""

from __future__ import annotations

import re
from collections.abc import Iterator

from dfopt.edit import Edit
from dfopt.finding import Finding, Fix, Severity
from dfopt.lint.rule import Bad, Build, Good, Rule
from dfopt.shell.model import Command, ShellWord
from dfopt.source import Span
from dfopt.syntax.tree import Add, Run

from .trust import LOCAL_HOST, text_of

DIGEST = "sha256:" + "0123456789abcdef" * 4
_PRIVATE_HOST = (
    r"(?i)[a-z]+://(?:[^/@]*@)?(?:10\.|192\.168\.|172\.(?:1[6-9]|2\d|3[01])\.|169\.254\.|[\w-]+(?:[:/]|$)"
    r"|[\w.-]+\.(?:local|internal|lan|localdomain|test|example)(?:[:/]|$))"
)


class AptKey(Rule):
    """``apt-key`` makes a key trusted for every repository, and is gone from Debian 13 and Ubuntu 24.10 on.

    A key in ``/etc/apt/keyrings``, named by ``signed-by`` in its repository's entry, is trusted for that one only.
    """

    code = "X122"
    name = "apt-key"
    default = False
    examples = (
        Bad(
            "FROM debian:12\nRUN curl -fsSL https://example.com/key.asc | apt-key add -\n",
            at="apt-key add -",
        ),
        Bad(
            "FROM debian:12\nRUN apt-key adv --keyserver keyserver.ubuntu.com --recv-keys 0123456789ABCDEF\n",
            at="apt-key adv --keyserver keyserver.ubuntu.com --recv-keys 0123456789ABCDEF",
        ),
        Good("FROM debian:12\nRUN curl -fsSL https://example.com/key.asc -o /etc/apt/keyrings/a.asc\n"),
        Good("FROM debian:12\nRUN apt-key list\n", why="nothing becomes trusted"),
    )

    def check(self, build: Build) -> Iterator[Finding]:
        """Report commands that make keys trusted."""
        for step in build.steps:
            for command in step.commands if isinstance(step.instruction, Run) else ():
                if command.name == "apt-key" and command.has("add", "adv"):
                    yield self.finding(
                        command.span,
                        "apt-key trusts this key for every repository and is gone from newer releases: put the key "
                        "into /etc/apt/keyrings and name it with signed-by",
                    )


DEAD_KEY_SERVERS = ("sks-keyservers.net", "keys.gnupg.net", "keyserver.pgp.com", "http-keys.gnupg.net")
"""Key servers whose names lead nowhere any more (the pool of SKS servers ended in June 2021), with subdomains."""
LIVING_KEY_SERVER = "keyserver.ubuntu.com"


class DeadKeyServer(Rule):
    """A key is asked for at a key server that is gone.

    The pool of SKS servers ended in 2021, and with it the names that led there; the build fails at this line.

    Fix safety: unsafe; another server may not have the key.
    """

    code = "X123"
    name = "dead-key-server"
    severity = Severity.ERROR
    examples = (
        Bad(
            "FROM debian:12\nRUN gpg --keyserver ha.pool.sks-keyservers.net --recv-keys 0123456789ABCDEF\n",
            at="ha.pool.sks-keyservers.net",
            fixed="FROM debian:12\nRUN gpg --keyserver keyserver.ubuntu.com --recv-keys 0123456789ABCDEF\n",
            unsafe=True,
        ),
        Bad(
            "FROM debian:12\nRUN gpg --keyserver hkp://keys.gnupg.net:80 --recv-keys 0123456789ABCDEF\n",
            at="hkp://keys.gnupg.net:80",
            fixed="FROM debian:12\nRUN gpg --keyserver hkp://keyserver.ubuntu.com:80 --recv-keys 0123456789ABCDEF\n",
            unsafe=True,
        ),
        Good("FROM debian:12\nRUN gpg --keyserver keyserver.ubuntu.com --recv-keys 0123456789ABCDEF\n"),
        Good(
            "FROM debian:12\nRUN gpg --keyserver ha.pool.sks-keyservers.net --recv-keys 0123456789ABCDEF "
            "|| gpg --keyserver keyserver.ubuntu.com --recv-keys 0123456789ABCDEF\n",
            why="another server is asked then",
        ),
    )

    def check(self, build: Build) -> Iterator[Finding]:
        """Report words that name such a server where no other one is asked after it."""
        for step in build.steps:
            if not isinstance(step.instruction, Run):
                continue
            commands = step.commands
            for at, command in enumerate(commands):
                if command.name not in ("gpg", "gpg2", "apt-key", "dirmngr"):
                    continue
                following = commands[at + 1] if at + 1 < len(commands) else None
                if following is not None and following.operator == "||" and following.name == command.name:
                    continue
                for word in command.arguments:
                    found = _dead_server(text_of(word))
                    if found is None or word.variables:
                        continue
                    yield self.finding(
                        word.span,
                        f"{found} is gone, so the build fails here: ask {LIVING_KEY_SERVER} or keys.openpgp.org",
                        fix=self._fix(build, word, found),
                    )
                    break

    def _fix(self, build: Build, word: ShellWord, host: str) -> Fix | None:
        written = build.tree.source.slice(word.span)
        if written != word.raw or host not in written:
            return None
        at = word.span.start + written.index(host)
        return self.unsafe(f"Ask {LIVING_KEY_SERVER}", Edit(Span(at, at + len(host)), LIVING_KEY_SERVER))


def _dead_server(text: str) -> str | None:
    """Give the host in a word that is a dead key server."""
    if not text.endswith(DEAD_KEY_SERVERS) and ".net" not in text and ".com" not in text:
        return None
    found = re.match(r"(?:--keyserver=)?(?:hkps?://|https?://|ldap://)?([\w.-]+?)(?::\d+)?/?$", text)
    if found is None:
        return None
    host = found[1]
    return host if any(host == dead or host.endswith("." + dead) for dead in DEAD_KEY_SERVERS) else None


_SHELLS = frozenset(("sh", "bash", "dash", "ash", "zsh", "ksh"))
_INTERPRETERS = frozenset(("python", "python2", "python3", "perl", "ruby", "node", "php"))
_FETCHERS = frozenset(("curl", "wget"))


class PipeToShell(Rule):
    """What is downloaded is run at once.

    Nobody sees what ran, a broken download runs half, and a changed one runs whatever it holds. Download to a file,
    check its sum, run it; or use a package.
    """

    code = "X109"
    name = "pipe-to-shell"
    aliases = ("CKV2_DOCKER_19",)
    default = False
    examples = (
        Bad(
            "FROM debian:12\nRUN curl -fsSL https://example.com/install.sh | bash\n",
            at="curl -fsSL https://example.com/install.sh",
        ),
        Bad(
            "FROM debian:12\nRUN wget -qO- https://example.com/install.sh | sudo -E bash -s -- --yes\n",
            at="wget -qO- https://example.com/install.sh",
        ),
        Bad('FROM debian:12\nRUN sh -c "$(curl -fsSL https://example.com/i)"\n', at="curl -fsSL https://example.com/i"),
        Bad("FROM debian:12\nRUN eval $(curl -fsSL https://example.com/i)\n", at="curl -fsSL https://example.com/i"),
        Good("FROM debian:12\nRUN curl -fsSL https://example.com/a.tar.gz | tar xz\n"),
        Good("FROM debian:12\nRUN curl -fsSL https://example.com/a | python3 -c 'import json'\n", why="data, not code"),
        Good("FROM debian:12\nRUN curl -fsSL https://example.com/a | bash filter.sh\n", why="the file is the script"),
        Good("FROM debian:12\nRUN curl -fsSL -o i.sh https://example.com/i.sh && sha256sum -c i.sum && sh i.sh\n"),
    )

    def check(self, build: Build) -> Iterator[Finding]:
        """Report downloads whose output a shell or interpreter runs."""
        for step in build.steps:
            if not isinstance(step.instruction, Run):
                continue
            source: Command | None = None
            expansions: list[Span] = []
            for command in step.commands:
                if command.name in _FETCHERS:
                    source = command if command.pipes else None
                    if any(place.start <= command.span.start and command.span.end <= place.end for place in expansions):
                        yield self._told(command)
                    continue
                if command.piped and source is not None and _runs_input(command):
                    yield self._told(source)
                if not (command.piped and command.pipes):
                    source = None
                expansions += _expanded_code(command)

    def _told(self, command: Command) -> Finding:
        return self.finding(command.span, "this is run as it comes: store it, check its sum, and run the file then")


def _runs_input(command: Command) -> bool:
    """Tell whether a command runs what it reads."""
    words = command.values
    if command.name in _SHELLS:
        plain = [word for word in words if not word.startswith(("-", "+"))]
        return not plain or plain[0] == "/dev/stdin" or any(re.fullmatch(r"-[a-z]*s", word) for word in words)
    return command.name in _INTERPRETERS and (not words or words[0] in ("-", "--", "/dev/stdin"))


def _expanded_code(command: Command) -> list[Span]:
    """Give the words of a command that are run, or read as a script, and may hold a download."""
    if command.name in ("eval", ".", "source") or command.name in _SHELLS:
        return [word.span for word in command.arguments if word.value is None and ("(" in word.raw or "`" in word.raw)]
    if command.name is None and command.words and set(command.wrappers) & _SHELLS:
        return [command.words[0].span]
    return []


_CHECKERS = frozenset(
    ("sha256sum", "sha512sum", "sha384sum", "sha224sum", "sha1sum", "md5sum", "shasum", "gpg", "gpg2", "gpgv", "cksum",
     "b2sum", "openssl", "minisign", "cosign")
)  # fmt: skip
_CLEAR = ("http://", "ftp://")


class ClearTextUrl(Rule):
    """Something is downloaded without encryption and without a check of its content.

    Anybody on the way can change it. Most servers answer under ``https`` too.

    Fix safety: unsafe; the server may not answer under https.
    """

    code = "X110"
    name = "clear-text-url"
    default = False
    examples = (
        Bad(
            "FROM debian:12\nRUN curl -fsSLo /a http://example.com/a\n",
            at="http://example.com/a",
            fixed="FROM debian:12\nRUN curl -fsSLo /a https://example.com/a\n",
            unsafe=True,
        ),
        Bad(
            "FROM debian:12\nADD http://example.com/a.tgz /a/\n",
            at="http://example.com/a.tgz",
            fixed="FROM debian:12\nADD https://example.com/a.tgz /a/\n",
            unsafe=True,
        ),
        Bad("FROM debian:12\nRUN wget ftp://example.com/a\n", at="ftp://example.com/a"),
        Good("FROM debian:12\nRUN curl -fsSLo /a https://example.com/a\n"),
        Good("FROM debian:12\nRUN ./serve & curl http://localhost:8080/a\n", why="never leaves the machine"),
        Good(
            "FROM debian:12\nRUN curl -fsSLO http://example.com/a && sha256sum -c a.sum\n", why="what comes is checked"
        ),
        Good("FROM debian:12\nRUN curl -fsSLO http://10.0.0.2/a\n", why="a private network"),
        Good(f"FROM debian:12\nADD --checksum={DIGEST} http://example.com/a /a\n"),
    )

    def check(self, build: Build) -> Iterator[Finding]:
        """Report addresses of ADD and of programs that download."""
        for step in build.steps:
            instruction = step.instruction
            if isinstance(instruction, Add):
                if not step.checksum:
                    for source in instruction.sources:
                        if _is_clear(source.text):
                            yield self._told(build, source.text, source.span)
            elif isinstance(instruction, Run):
                if any(command.name in _CHECKERS for command in step.commands):
                    continue
                for call in step.invocations:
                    if call.action not in ("fetch", "clone") and call.family != "pip":
                        continue
                    urls = [*call.operands, *(word for role, word, _ in call.places if role == "url")]
                    for word in urls:
                        if _is_clear(text_of(word)):
                            yield self._told(build, text_of(word), word.span)

    def _told(self, build: Build, url: str, span: Span) -> Finding:
        fix = None
        written = build.tree.source.slice(span)
        at = written.find("http://")
        if at in (0, 1):
            start = span.start + at
            fix = self.unsafe("Use https", Edit(Span(start, start + 4), "https"))
        return self.finding(span, f"anybody on the way can change {url}: use https, or check its sum", fix=fix)


def _is_clear(url: str) -> bool:
    return url.startswith(_CLEAR) and not re.match(LOCAL_HOST, url) and not re.match(_PRIVATE_HOST, url)


class WeakHash(Rule):
    """A download is checked with a hash that can be forged, or a protocol that can be broken.

    MD5 and SHA-1 find damage, not intent; use SHA-256.
    """

    code = "X133"
    name = "weak-hash"
    severity = Severity.INFO
    default = False
    examples = (
        Bad(
            "FROM debian:12\nRUN echo '0123456789abcdef0123456789abcdef  a' | md5sum -c -\n",
            at="md5sum -c -",
        ),
        Bad(
            "FROM debian:12\nRUN curl --sslv3 -o /a https://example.com/a\n",
            at="curl --sslv3 -o /a https://example.com/a",
        ),
        Good("FROM debian:12\nRUN sha256sum -c a.sum\n"),
        Good("FROM debian:12\nRUN md5sum /a > /a.md5\n", why="nothing is checked"),
        Good("FROM debian:12\nRUN curl --tlsv1.2 -o /a https://example.com/a\n"),
    )

    def check(self, build: Build) -> Iterator[Finding]:
        """Report checks by such sums, and downloads with such protocols."""
        for step in build.steps:
            for command in step.commands if isinstance(step.instruction, Run) else ():
                if command.name in ("md5sum", "sha1sum"):
                    if any(re.fullmatch(r"--check|-[a-z]*c[a-z]*", word) for word in command.values):
                        yield self.finding(command.span, f"{command.name} can be forged: check with sha256sum")
                elif command.name in _FETCHERS and command.has(
                    "--sslv2", "--sslv3", "--tlsv1.0", "-2", "-3", "--secure-protocol=SSLv3", "--secure-protocol=TLSv1"
                ):
                    yield self.finding(
                        command.span, "this protocol can be broken: let the program choose, or --tlsv1.2"
                    )
