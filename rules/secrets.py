"""Rules about secrets: what a build must not write into the image, its history or its layers."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from itertools import pairwise

from dfopt.edit import Edit
from dfopt.finding import Finding, Fix, Severity
from dfopt.graph.model import InstructionGraph, Step
from dfopt.graph.queries import later
from dfopt.lint.rule import Bad, Build, Good, Rule
from dfopt.shell.model import Command
from dfopt.source import Span
from dfopt.syntax.tree import Arg, Env, FileInstruction, Label, Pair, Run
from dfopt.tools.paths import covers

_SECRET_NAME = (
    r"(?i)(?:_|^)(?:api_?key|auth|credentials?|key|pass|password|passphrase|pword|passwd|pwd|secrets?|tokens?)(?:_|$)"
)
_SURE_NAME = (
    r"(?i)password|passwd|passphrase|secret|token|api_?key|private_key|access_key|(?:_|^)(?:pass|pwd|pword)(?:_|$)"
)
_RANDOM = r"(?=\S*\d)(?=\S*[A-Za-z])\S{12,}"
_HARMLESS_NAME = (
    r"(?i)(?:_|^)(?:public|pub|files?|version|path|dir|folder|url|uri|urls|host|hosts|port|name|type|mode|method|provider"
    r"|providers|plugin|backend|source|enabled?|disabled?|required?|length|size|count|algorithms?|alg|expir\w*|ttl"
    r"|lifetime|timeout|duration|age|issuer|audience|realm|domain|scope|scopes|prefix|suffix|header|field|format"
    r"|encoding|server|servers|keyring|fingerprint|id|ids|gpg|pgp|apt|sign|signing|release|archive|repo|rpm|index|sha"
    r"|sha1|sha256|sha512|md5|hash|checksum|sum|digest|service|db|database|schema|table|limit|retries|policy|min|max"
    r"|allow|empty|random|map|store|bind|user|users|username|login|test|tests|dummy|example|anonymous|pointers?|bundle"
    r"|endpoint|redirect|callback|class|module|driver|handler|level|strategy|cost|rounds|layout|code|codes|lang|repeat"
    r"|rate|manager|email|ed25519|validator|x509|cert|crt|pem|agent|update|rotate|rotation|refresh)(?:_|$)"
)
_NO_SECRET = (
    r"(?i)|true|false|yes|no|on|off|none|null|nil|\d{1,3}|/\S*|\./\S*|~/\S*|[\w./-]+\.(?:key|pem|crt|cer|json|txt|ya?ml)"
    r"|(?:https?|ldaps?|file)://[^@]*|[0-9A-Fa-f]{8}|(?:0x)?[0-9A-Fa-f]{16}|[0-9A-Fa-f]{40}(?:\s+[0-9A-Fa-f]{40})*"
    r"|<.*>|\[.*\]|x+|\*+.*\*|\*+|\.\.\.|-+|_+|changeme\S*|change[-_ ]?(?:me|it|this)\S*|replace\S*|your[-_ ]\S*"
    r"|please\S*|\S*change[-_]?(?:me|this)\S*|[0F-]+|id_(?:rsa|dsa|ecdsa|ed25519)|somepassword|random\S*"
    r"|todo|fixme|placeholder|dummy|unset|undefined|notset|not[-_]?set|default|n/?a|example\S*|\S*(?:[-_.]here)|optional"
)


def _plain_value(pair: Pair) -> str:
    """Give a pair's value without the quotes around it."""
    value = (pair.value or "").strip()
    if len(value) > 1 and value[0] == value[-1] and value[0] in "\"'":
        value = value[1:-1]
    return value


class SecretInArgOrEnv(Rule):
    """A secret is handed over in ARG or ENV, where everybody who has the image can read it.

    ENV stays in the image's configuration; values of ARG stand in its history. ``RUN --mount=type=secret`` gives a
    secret to one RUN and leaves nothing behind; what the container needs when it runs is given to it when it starts.

    Names decide, and values that cannot be secrets clear them: paths, addresses, switches, fingerprints of public
    keys, placeholders.
    """

    code = "X103"
    name = "secret-in-arg-or-env"
    aliases = ("SecretsUsedInArgOrEnv", "DL3064", "DS-0031", "CKV_DOCKER_1005", "S6472", "CIS-DI-0010")
    examples = (
        Bad("FROM node:22\nARG NPM_TOKEN\nRUN npm ci\n", at="NPM_TOKEN"),
        Bad("FROM mysql:8\nENV MYSQL_ROOT_PASSWORD=hunter22\n", at="MYSQL_ROOT_PASSWORD"),
        Bad("FROM debian:12\nENV AWS_SECRET_ACCESS_KEY $KEY\n", at="AWS_SECRET_ACCESS_KEY"),
        Good("FROM debian:12\nENV DB_PASSWORD_FILE=/run/secrets/db\n", why="the name of a file"),
        Good("FROM debian:12\nENV PROXY_SSL_CERT_KEY=/etc/nginx/conf/server.key\n", why="the path of a key"),
        Good("FROM debian:12\nENV GPG_KEY=0D96DF4D4110E5C43FBFB17F2D347EA6AA65421D\n", why="a fingerprint is public"),
        Good("FROM debian:12\nENV TOKENIZERS_PARALLELISM=false AUTH_ENABLED=true\n"),
        Good("FROM debian:12\nENV MYSQL_ALLOW_EMPTY_PASSWORD=yes\n", why="a switch"),
        Good("FROM debian:12\nENV API_KEY=\n", why="only tells that the container takes it"),
        Good("FROM debian:12\nARG PUBLIC_KEY\nARG TOKEN_VERSION=2\n"),
        Good("FROM node:22\nRUN --mount=type=secret,id=npm,env=NPM_TOKEN npm ci\n"),
    )

    def check(self, build: Build) -> Iterator[Finding]:
        """Report names that mean secrets, unless their value shows that it is none."""
        for step in build.steps:
            instruction = step.instruction
            if not isinstance(instruction, Arg | Env):
                continue
            for pair in instruction.pairs:
                if not self._is_secret(build.graph, step, pair):
                    continue
                where = "the image's configuration" if isinstance(instruction, Env) else "the image's history"
                yield self.finding(
                    pair.key_span,
                    f"{pair.key} stands readable in {where}: give it to the RUN that needs it with "
                    "--mount=type=secret, or to the container when it starts",
                )

    @staticmethod
    def _is_secret(graph: InstructionGraph, step: Step, pair: Pair) -> bool:
        name = pair.key
        if not re.search(_SECRET_NAME, name) or re.search(_HARMLESS_NAME, name):
            return False
        if pair.value is None:
            return bool(re.search(_SURE_NAME, name))
        value = _plain_value(pair)
        if "$" in value:
            # A value handed on is judged where it comes from, unless ENV makes an ARG last.
            return isinstance(step.instruction, Env) and bool(re.search(_SURE_NAME, name))
        if re.fullmatch(_NO_SECRET, value):
            return False
        return bool(re.search(_SURE_NAME, name) or re.fullmatch(_RANDOM, value))


# What it is, texts of which one stands in it, and what it looks like. The formats are those that the services document.
SECRET_VALUES: tuple[tuple[str, tuple[str, ...], str], ...] = (
    ("an access key of AWS", ("AKIA", "ASIA"), r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"),
    ("a token of GitHub", ("ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_"),
     r"\b(?:gh[pousr]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9_]{50,})\b"),
    ("a token of GitLab", ("glpat-",), r"\bglpat-[A-Za-z0-9_-]{20,}"),
    ("a token of Slack", ("xox",), r"\bxox[baprs]-[0-9A-Za-z-]{10,}"),
    ("a key of Google", ("AIza",), r"\bAIza[0-9A-Za-z_-]{35}(?![0-9A-Za-z_-])"),
    ("a key of Stripe", ("k_live_",), r"\b[rs]k_live_[0-9A-Za-z]{20,}"),
    ("a token of npm", ("npm_",), r"\bnpm_[A-Za-z0-9]{36}\b"),
    ("a token of PyPI", ("pypi-AgE",), r"\bpypi-AgE[A-Za-z0-9_-]{50,}"),
    ("a token of Docker Hub", ("dckr_pat_",), r"\bdckr_pat_[A-Za-z0-9_-]{20,}"),
    ("a key of SendGrid", ("SG.",), r"\bSG\.[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{43}\b"),
    ("a token of Hugging Face", ("hf_",), r"\bhf_[A-Za-z0-9]{34}\b"),
    ("a key of OpenAI or Anthropic", ("sk-",), r"\bsk-(?:proj-|ant-)?[A-Za-z0-9_-]{40,}"),
    ("a signed web token", ("eyJ",), r"\beyJ[A-Za-z0-9_-]{15,}\.eyJ[A-Za-z0-9_-]{15,}\.[A-Za-z0-9_-]{10,}"),
    ("a private key", ("PRIVATE KEY",), r"-----BEGIN (?:[A-Z]+ )?PRIVATE KEY(?: BLOCK)?-----"),
)  # fmt: skip
_URL_PASSWORD = r"(?i)\b[a-z][a-z0-9+.-]*://([^\s/:@$\"'{}<>*]+):([^\s/@$\"'{}<>*]{3,})@([\w.-]+)"
_COMMON_PASSWORDS = frozenset(
    ("password", "passwd", "pass", "secret", "postgres", "root", "admin", "user", "test", "guest", "changeme", "mysql",
     "example", "token", "pwd", "default", "rabbitmq", "mongo", "xxx", "xxxx", "oauth2", "x-oauth-basic", "username",
     "user@example.com", "sa", "dummy", "localhost", "git", "dev", "development", "nobody", "anonymous")
)  # fmt: skip


class SecretValue(Rule):
    """A secret stands in the file: a token, a private key, or an address with a password.

    Everybody who can read the file or the image has it. It must be withdrawn, not only removed: it stays in the history
    of both.
    """

    code = "X104"
    name = "secret-value"
    aliases = ("S6437", "tally/secrets-in-code")
    severity = Severity.ERROR
    examples = (
        Bad("FROM debian:12\nENV AWS_ID=AKIAIOSFODNN7EXAMPLA\n", at="AWS_ID=AKIAIOSFODNN7EXAMPLA"),
        Bad(
            "FROM debian:12\nRUN git clone https://ada:cl4vier-und@example.com/app.git\n",
            at="https://ada:cl4vier-und@example.com/app.git",
        ),
        Bad("FROM debian:12\nLABEL key=ghp_0123456789abcdefghijABCDEFGHIJ012345\n",
            at="key=ghp_0123456789abcdefghijABCDEFGHIJ012345"),
        Good("FROM debian:12\nRUN git clone https://example.com/app.git\n"),
        Good("FROM debian:12\nRUN git clone https://ada:$TOKEN@example.com/app.git\n", why="the value is elsewhere"),
        Good("FROM debian:12\nENV DATABASE_URL=postgres://postgres:postgres@db/app\n", why="no secret anybody has"),
        Good("FROM debian:12\nENV AWS_ID=AKIAIOSFODNN7EXAMPLE\n", why="the example of the documentation"),
    )  # fmt: skip

    def check(self, build: Build) -> Iterator[Finding]:
        """Report values in ENV, ARG and LABEL, words of commands and here-documents."""
        text = build.tree.source.text
        marked = any(
            re.search(pattern, text) for _, marks, pattern in SECRET_VALUES if any(mark in text for mark in marks)
        )
        if not marked and not re.search(r"://[^\s/:@]+:[^\s/@]+@", text):
            return
        for step in build.steps:
            instruction = step.instruction
            if isinstance(instruction, Arg | Env | Label):
                for pair in instruction.pairs:
                    yield from self._told(pair.value or "", pair.span)
            elif isinstance(instruction, Run):
                for command in step.commands:
                    for word in command.words:
                        yield from self._told(word.raw, word.span)
                    for one in command.assignments:
                        yield from self._told(one.value.raw if one.value else "", one.span)
            for heredoc in instruction.heredocs:
                yield from self._told(heredoc.content, heredoc.word_span)

    def _told(self, text: str, span: Span) -> Iterator[Finding]:
        what = _secret_in(text)
        if what is not None:
            yield self.finding(
                span,
                f"{what} stands in the file for all to read: withdraw it, and hand the new one over with "
                "--mount=type=secret",
            )


def _secret_in(text: str) -> str | None:
    if len(text) < 12:
        return None
    for what, marks, pattern in SECRET_VALUES:
        found = re.search(pattern, text) if any(mark in text for mark in marks) else None
        if found and "EXAMPLE" not in found[0] and "xxxx" not in found[0].lower() and len(set(found[0])) > 8:
            return what
    for user, password, host in re.findall(_URL_PASSWORD, text):
        if password.lower() in _COMMON_PASSWORDS | {user.lower()} or host.startswith(("localhost", "127.", "0.0.0.0")):
            continue
        if (
            re.fullmatch(_NO_SECRET, password)
            or "pass" in password.lower()
            or host.endswith((".example", ".local"))
            or "%" in password[:1]
        ):
            continue
        return "a password"
    return None


# Programs, what their arguments look like where they are given a secret, and the way around it.
CREDENTIALS: tuple[tuple[tuple[str, ...], str, str], ...] = (
    (("aws",), r"configure set (?:[\w.-]+\.)?aws_(?:secret_access_key|access_key_id|session_token)\b", "~/.aws"),
    (
        ("gcloud",),
        r"auth (?:activate-service-account|login).*--key-file|auth activate-refresh-token",
        "~/.config/gcloud",
    ),
    (("az",), r"\blogin\b.*(?:^|\s)(?:-p|--password)[ =]", "~/.azure"),
    (("docker", "podman", "buildah"), r"\blogin\b.*(?:^|\s)(?:-p|--password)[ =]", "~/.docker"),
    (("doctl",), r"\bauth init\b.*(?:-t|--access-token)[ =]", "~/.config/doctl"),
    (("npm", "pnpm", "yarn"), r"(?:^|\s)set\s.*(?::?_authToken|npmAuthToken|[^\w]_auth|_password)[ =]\S", "~/.npmrc"),
    (("git",), r"config .*url\.\S*://[^/\s@]+@\S*\.insteadof", "~/.gitconfig"),
    (("sshpass",), r"^-p\s*\S", "the image's history"),
    (("composer",), r"config .*(?:github-oauth|gitlab-token|http-basic|bearer)\S*\s+\S", "auth.json"),
    (("bundle", "bundler"), r"config (?:set )?(?:--\w+ )?\S+\s+[^\s:]+:[^\s:]+$", "~/.bundle"),
    (("poetry",), r"config .*(?:http-basic|pypi-token)\.\S+\s+\S", "~/.config/pypoetry"),
)
_WRITTEN = (
    r"_authToken\s*=|(?:^|\s)machine\s+\S+\s+(?:login\s+\S+\s+)?password\s|oauth_token:|aws_secret_access_key\s*=|"
    r"-----BEGIN \w+ PRIVATE KEY"
)
_KEY_TARGET = r"(?:^|/)(?:id_(?:rsa|dsa|ecdsa|ed25519)|\.netrc|\.npmrc|\.git-credentials|\.pypirc)$"


class CredentialCommand(Rule):
    """A command is given credentials and stores them in the layer.

    The value stands in the image's history, and what the program writes stays in the layer even where a later one
    deletes it. ``RUN --mount=type=secret`` hands a secret over for one RUN only.
    """

    code = "X105"
    name = "credential-command"
    examples = (
        Bad(
            "FROM debian:12\nARG K\nRUN aws configure set aws_secret_access_key $K\n",
            at="aws configure set aws_secret_access_key $K",
        ),
        Bad(
            "FROM node:22\nARG T\nRUN npm config set //registry.example.com/:_authToken=$T\n",
            at="npm config set //registry.example.com/:_authToken=$T",
        ),
        Bad(
            "FROM debian:12\nARG T\nRUN git clone https://$T@example.com/app.git\n",
            at="git clone https://$T@example.com/app.git",
        ),
        Bad('FROM debian:12\nARG KEY\nRUN echo "$KEY" > /root/.ssh/id_rsa\n', at='echo "$KEY" > /root/.ssh/id_rsa'),
        Bad(
            'FROM debian:12\nARG T\nRUN echo "//registry.example.com/:_authToken=$T" > .npmrc\n',
            at='echo "//registry.example.com/:_authToken=$T" > .npmrc',
        ),
        Good("FROM debian:12\nRUN aws configure set region eu-central-1\n"),
        Good(
            "FROM node:22\nRUN --mount=type=secret,id=t npm config set //example.com/:_authToken=$(cat /run/secrets/t) "
            "&& npm ci && npm config delete //example.com/:_authToken\n",
            why="the secret is mounted",
        ),
        Good("FROM debian:12\nRUN git clone https://example.com/app.git\n"),
        Good("FROM debian:12\nRUN git clone git@example.com:app.git\n", why="names a user only"),
        Good("FROM debian:12\nRUN git clone https://git@example.com/app.git\n", why="names a user only"),
    )

    def check(self, build: Build) -> Iterator[Finding]:
        """Report such commands in RUNs without a secret mount."""
        for step in build.steps:
            if not isinstance(step.instruction, Run) or any(mount.type == "secret" for mount in step.run_mounts):
                continue
            for command in step.commands:
                place = _stores(command)
                if place is not None:
                    yield self.finding(
                        command.span,
                        f"this leaves a secret in {place} and in the history: hand it over with --mount=type=secret",
                    )


def _stores(command: Command) -> str | None:
    """Give the place where a command leaves the credentials it is given."""
    name = command.name
    if name is None:
        return None
    if name in ("echo", "printf", "cat"):
        return _written_secret(command)
    if name == "git" and command.has("clone", "remote", "submodule", "fetch", "pull"):
        for word in command.arguments:
            found = re.match(r"[\"']?https?://([^/@\s]+)@", word.raw)
            # A plain name before the @ is a user; only a variable, or a name with a password, is a secret.
            if found and ("$" in found[1]) and not re.fullmatch(r"\$\{?\w*(?:USER|USERNAME|LOGIN)\}?", found[1]):
                return ".git/config"
        if not command.has("config"):
            return None
    for programs, pattern, place in CREDENTIALS:
        if name in programs and re.search(pattern, " ".join(word.raw for word in command.arguments), re.IGNORECASE):
            return place
    return None


def _written_secret(command: Command) -> str | None:
    target = next((one.target for one in command.redirects if one.operator in (">", ">>") and one.target), None)
    if target is None:
        return None
    place = target.pattern if target.value is None else target.value
    unknown = any(word.value is None and word.variables for word in command.arguments)
    if unknown and re.search(_KEY_TARGET, place) and any(_value_word(word.raw) for word in command.arguments):
        return place
    texts = [" ".join(word.raw for word in command.arguments), *(one.body or "" for one in command.redirects)]
    if any(re.search(_WRITTEN, text) and not re.search(r"_authToken\s*=\s*\\?\$\{\w+\}'", text) for text in texts):
        return place
    return None


def _value_word(raw: str) -> bool:
    return (
        re.fullmatch(r"[\"']?\$\{?\w*(?:KEY|TOKEN|SECRET|RSA|SSH|PRIVATE|NETRC|NPMRC)\w*\}?[\"']?", raw, re.I)
        is not None
    )


_SECRET_FILES = (
    r"(?:^|/)(?:id_(?:rsa|dsa|ecdsa|ed25519)|\.netrc|_netrc|\.pypirc|\.git-credentials|\.dockercfg|\.htpasswd|kubeconfig"
    r"|\.kube|\.aws|\.ssh|\.gnupg|\.docker|service[-_]?account(?:[-_]key)?\.json|[\w.-]*credentials(?:\.json)?|\.env"
    r"|\.env\.(?:prod|production|local|live|staging)|(?:priv|private|privkey|server|tls|ssl|client|host)[-_.]?key\.pem"
    r"|privkey\.pem|key\.pem|[\w.-]*[-_.]key\.pem|[\w.-]+\.key|[\w.-]+\.p12|[\w.-]+\.pfx|[\w.-]+\.jks|[\w.-]+\.keystore"
    r"|[\w.-]+\.kdbx|[\w.-]+\.ppk)$"
)
_PUBLIC_FILES = (
    r"(?i)\.pub$|known_hosts|authorized_keys|example|sample|template|dist$|cacerts|trust|public"
    r"|sign|gpg|pgp|apt|repo|release|archive|debian|ubuntu|nginx_|docker\.key|jenkins\.io|mysql"
)
_KEYRINGS = ("/etc/apt/", "/usr/share/keyrings/", "/etc/pki/rpm-gpg/", "/etc/apk/keys/", "/usr/local/share/ca-")


def secret_sources(step: Step) -> list[tuple[str, str]]:
    """Give the files of a COPY or ADD that are secrets by their names, each with the path where it lands."""
    instruction = step.instruction
    if not isinstance(instruction, FileInstruction) or not step.arguments:
        return []
    names = [(source, posixpath.normpath(source)) for source in step.sources]
    names = [(source, name) for source, name in names if re.search(_SECRET_FILES, name)]
    target = step.destination if names else ""
    found = []
    for source, name in names:
        if re.search(_PUBLIC_FILES, name) or target.startswith(_KEYRINGS):
            continue
        if re.search(_PUBLIC_FILES, posixpath.basename(target.rstrip("/"))):
            continue
        folder = target.endswith(("/", "/.")) or len(step.sources) > 1
        path = posixpath.join(target.rstrip("."), posixpath.basename(name)) if folder else target
        found.append((source, path))
    return found


def _removal(graph: InstructionGraph, step: Step, path: str) -> Step | None:
    """Give the RUN above a step's end of stage that deletes a file again."""
    for each in later(graph, step):
        gone = each.effects.removes if isinstance(each.instruction, Run) else ()
        if any(one != "*" and "**" not in one and covers(one, path) for one in gone):
            return each
    return None


class SecretFileCopied(Rule):
    """A file that holds a secret by its name is copied into the image that ships.

    Everybody who has the image has the key. Mount it into the RUN that needs it, or into the container when it runs.
    """

    code = "X106"
    name = "secret-file-copied"
    aliases = ("tally/secret-file-copied",)
    examples = (
        Bad("FROM debian:12\nCOPY id_rsa /root/.ssh/id_rsa\n", at="COPY id_rsa /root/.ssh/id_rsa"),
        Bad("FROM nginx:1.29\nCOPY certs/server.key /etc/nginx/\n", at="COPY certs/server.key /etc/nginx/"),
        Bad("FROM node:22\nWORKDIR /app\nCOPY package.json .env ./\n", at="COPY package.json .env ./"),
        Good("FROM debian:12\nCOPY id_rsa.pub /root/.ssh/authorized_keys\n", why="the public half"),
        Good("FROM debian:12\nCOPY .env.example /app/.env.example\n"),
        Good("FROM debian:12\nCOPY vendor.key /etc/apt/keyrings/\n", why="a key that signs packages is public"),
        Good(
            "FROM debian:12 AS get\nCOPY id_rsa /root/.ssh/id_rsa\nFROM scratch\nCOPY --from=get /app /app\n",
            why="the layer does not ship",
        ),
        Good("FROM debian:12\nRUN --mount=type=secret,id=key,target=/root/.ssh/id_rsa true\n"),
    )

    def check(self, build: Build) -> Iterator[Finding]:
        """Report copies of such files into stages that ship, unless a later RUN deletes them."""
        for stage in build.graph.stages:
            for step in stage.steps if stage.ships else ():
                names = [name for name, path in secret_sources(step) if not _removal(build.graph, step, path)]
                if names:
                    yield self.finding(
                        step,
                        f"everybody who has the image has {', '.join(names)}: mount it into the RUN or the container "
                        "that needs it",
                    )


class SecretDeletedLater(Rule):
    """A file that holds a secret is copied into a layer and deleted by a later one.

    The layer still holds it, and everybody who pulls the image can read it there. ``RUN --mount=type=secret`` gives it
    to one RUN without storing it.
    """

    code = "X107"
    name = "secret-deleted-later"
    severity = Severity.ERROR
    examples = (
        Bad(
            "FROM debian:12\nCOPY id_rsa /root/.ssh/id_rsa\nRUN git clone git@example.com:a && rm /root/.ssh/id_rsa\n",
            at="COPY id_rsa /root/.ssh/id_rsa",
        ),
        Bad("FROM debian:12\nCOPY .netrc /root/\nRUN make\nRUN rm -f /root/.netrc\n", at="COPY .netrc /root/"),
        Good(
            "FROM debian:12\nRUN --mount=type=secret,id=key,target=/root/.ssh/id_rsa git clone git@example.com:a.git\n"
        ),
        Good("FROM debian:12\nCOPY notes.txt /root/\nRUN rm -f /root/notes.txt\n"),
        Good(
            "FROM debian:12 AS get\nCOPY id_rsa /root/.ssh/id_rsa\nRUN make && rm /root/.ssh/id_rsa\n"
            "FROM scratch\nCOPY --from=get /app /app\n",
            why="the layer does not ship",
        ),
    )

    def check(self, build: Build) -> Iterator[Finding]:
        """Report the copy, with the RUN that deletes the file too late."""
        for stage in build.graph.stages:
            for step in stage.steps if stage.ships else ():
                for name, path in secret_sources(step):
                    removal = _removal(build.graph, step, path)
                    if removal is not None:
                        yield self.finding(
                            step,
                            f"{name} stays in this layer although line "
                            f"{build.tree.source.line_of(removal.span.start)} deletes it: use RUN --mount=type=secret",
                            related=[(removal, "deleted too late")],
                        )
                        break


class SecretMountMode(Rule):
    """A secret is mounted so that other users than its owner can read it.

    Any program that the RUN starts, under whatever user, can then read it. The default is 0400.

    Fix safety: unsafe; a program that runs as another user loses the secret, and should be given it by uid.
    """

    code = "X108"
    name = "secret-mount-mode"
    aliases = ("S6469",)
    examples = (
        Bad(
            "FROM debian:12\nRUN --mount=type=secret,id=key,mode=0444 cat /run/secrets/key\n",
            at="--mount=type=secret,id=key,mode=0444",
            fixed="FROM debian:12\nRUN --mount=type=secret,id=key,mode=0400 cat /run/secrets/key\n",
            unsafe=True,
        ),
        Good("FROM debian:12\nRUN --mount=type=secret,id=key cat /run/secrets/key\n"),
        Good("FROM debian:12\nRUN --mount=type=secret,id=key,mode=0400,uid=1000 cat /run/secrets/key\n"),
        Good("FROM debian:12\nRUN --mount=type=cache,target=/c,mode=0777 true\n", why="no secret"),
    )

    def check(self, build: Build) -> Iterator[Finding]:
        """Report modes with bits for group or others."""
        for step in build.steps:
            for mount in step.mounts:
                mode = mount.get("mode")
                if mount.type not in ("secret", "ssh") or not mode or not re.fullmatch("[0-7]+", mode):
                    continue
                if int(mode, 8) & 0o077:
                    yield self.finding(
                        mount.flag.span,
                        f"mode {mode} lets others read the secret: leave it at 0400, with uid= for another user",
                        fix=self._fix(build, mount.flag.span, mode),
                    )

    def _fix(self, build: Build, span: Span, mode: str) -> Fix | None:
        written = build.tree.source.slice(span)
        at = written.find(f"mode={mode}")
        if at < 0:
            return None
        start = span.start + at + len("mode=")
        return self.unsafe("Set mode 0400", Edit(Span(start, start + len(mode)), "0400"))


class PasswordSet(Rule):
    """A password is set while the image is built.

    It is the same in every container, stands in the image's history, and its hash in a layer. Log in with keys, or set
    a password when the container starts.
    """

    code = "X125"
    name = "password-set"
    aliases = ("CKV2_DOCKER_17", "DKL-LI-0001")
    examples = (
        Bad("FROM debian:12\nRUN echo 'root:root' | chpasswd\n", at="chpasswd"),
        Bad("FROM debian:12\nRUN useradd -p '$6$salt$hash' app\n", at="useradd -p '$6$salt$hash' app"),
        Bad("FROM debian:12\nRUN passwd -d root\n", at="passwd -d root"),
        Good("FROM debian:12\nRUN useradd app\n"),
        Good("FROM debian:12\nRUN adduser --disabled-password app && passwd -l root\n"),
        Good("FROM debian:12\nRUN echo 'app:*' | chpasswd -e\n", why="no password fits a star"),
        Good("FROM debian:12\nRUN usermod -p '*' app\n", why="no password fits a star"),
    )

    def check(self, build: Build) -> Iterator[Finding]:
        """Report commands that set a password or clear one."""
        for step in build.steps:
            if not isinstance(step.instruction, Run):
                continue
            before: Command | None = None
            for command in step.commands:
                if _sets_password(command, before):
                    empty = command.name == "passwd" and command.has("-d", "--delete")
                    what = "an empty password lets everybody in" if empty else "everybody who has the image can find it"
                    yield self.finding(command.span, f"{what}: use keys, or set a password when the container starts")
                before = command


def _sets_password(command: Command, before: Command | None) -> bool:
    name = command.name
    if name in ("chpasswd", "chgpasswd"):
        given = " ".join(before.values) if before is not None and command.piped else ""
        return not re.search(r":[*!]+\s*$", given)
    if name in ("passwd", "gpasswd"):
        return name == "passwd" and (command.has("-d", "--delete", "--stdin") or command.piped)
    if name in ("useradd", "usermod", "adduser"):
        values = command.values
        for option, value in pairwise(values):
            if option in ("-p", "--password") and value not in ("*", "!", "!!", "x", ""):
                return True
    return False


class KeyMadeInBuild(Rule):
    """A private key is made while the image is built.

    It is the same in every container, and everybody who has the image has it. Make it when the container starts, or
    mount it.
    """

    code = "X138"
    name = "key-made-in-build"
    default = False
    examples = (
        Bad("FROM debian:12\nRUN ssh-keygen -A\n", at="ssh-keygen -A"),
        Bad(
            "FROM debian:12\nRUN openssl genrsa -out /etc/ssl/app.key 2048\n",
            at="openssl genrsa -out /etc/ssl/app.key 2048",
        ),
        Bad(
            "FROM debian:12\nRUN openssl req -x509 -newkey rsa:2048 -nodes -keyout k.pem -out c.pem -subj /CN=a\n",
            at="openssl req -x509 -newkey rsa:2048 -nodes -keyout k.pem -out c.pem -subj /CN=a",
        ),
        Good("FROM debian:12\nRUN ssh-keygen -l -f /etc/ssh/key.pub\n", why="only shows a fingerprint"),
        Good("FROM debian:12\nRUN openssl dhparam -out /etc/ssl/dh.pem 2048\n", why="parameters are public"),
        Good("FROM debian:12\nRUN openssl rand -hex 4 && openssl x509 -in a.pem -noout\n"),
        Good("FROM debian:12 AS test\nRUN ssh-keygen -A\nFROM debian:12\nRUN true\n", why="the layer does not ship"),
        Good("FROM debian:12\nRUN ssh-keygen -A && rm /etc/ssh/ssh_host_*\n", why="deleted by the same RUN"),
    )

    def check(self, build: Build) -> Iterator[Finding]:
        """Report programs that make keys in stages that ship, unless the RUN deletes files of keys again."""
        for stage in build.graph.stages:
            for step in stage.steps if stage.ships else ():
                if not isinstance(step.instruction, Run):
                    continue
                for at, command in enumerate(step.commands):
                    if not _makes_key(command):
                        continue
                    if any(_deletes_key(one) for one in step.commands[at + 1 :]):
                        continue
                    yield self.finding(
                        command.span,
                        "everybody who has the image has this key: make it when the container starts, or mount it",
                    )


def _deletes_key(command: Command) -> bool:
    words = " ".join(command.values)
    return command.name in ("rm", "shred") and re.search(r"key|\.pem|rsa|\.ssh|ssh_host", words) is not None


def _makes_key(command: Command) -> bool:
    if command.name in ("ssh-keygen", "dropbearkey"):
        return not command.has("-l", "-y", "-R", "-F", "-H", "-B", "-i", "-e", "-p", "-c")
    if command.name == "openssl":
        first = command.values[:1]
        if first in (["genrsa"], ["genpkey"], ["gendsa"]):
            return True
        making = ("-newkey", "-new") if command.has("-x509") else ("-newkey",)
        return first == ["req"] and command.has(*making) and not command.has("-key")
    if command.name == "keytool":
        return command.has("-genkey", "-genkeypair")
    return command.name in ("make-ssl-cert", "mkcert")
