"""Rules about trust: certificates and signatures that are not checked, and downloads that anybody can change."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import ClassVar

from msgspec import Struct

from dfopt.finding import Finding, Fix
from dfopt.graph.model import Step
from dfopt.lint.rule import Bad, Build, Good, Rule
from dfopt.shell.edits import delete_option
from dfopt.shell.model import Command, ShellWord
from dfopt.source import Span
from dfopt.syntax.edits import delete
from dfopt.syntax.tree import Arg, Dockerfile, Env, FileInstruction, Run
from dfopt.tools import Invocation

LOCAL_HOST = r"(?i)(?:[a-z]+://)?(?:[^/@]*@)?(?:localhost|127\.\d+\.\d+\.\d+|\[::1\]|0\.0\.0\.0|host\.docker\.internal)(?:[:/]|$)"
_PRINTERS = ("echo", "printf", "sed", "cat", "tee", "crudini")


def text_of(word: ShellWord) -> str:
    """Give what a word says, its unknown parts as stars."""
    return word.pattern if word.value is None else word.value


@lru_cache(maxsize=2)
def lowered(tree: Dockerfile) -> str:
    """Give the text of a file in lower case."""
    return tree.source.text.lower()


class Switch(Struct, frozen=True):
    """An option that switches a check off: the tool's family, its spellings, the number of words it takes."""

    family: str
    names: tuple[str, ...]
    values: int = 0
    only: str = ""
    """What its value must look like, where only some values switch the check off."""


class Weakened(Rule):
    """What the rules about checks that are switched off share: options, settings, variables and written files.

    ``phrases`` are searched in the arguments of programs, ``variables`` in ENV, ARG and what scripts assign (a name
    ending in ``*`` stands for both cases), ``contents`` in what is written to files.
    """

    switches: ClassVar[tuple[Switch, ...]] = ()
    phrases: ClassVar[Mapping[str, str]] = {}
    variables: ClassVar[Mapping[str, str]] = {}
    contents: ClassVar[str] = ""
    consequence: ClassVar[str] = ""
    marks: ClassVar[tuple[str, ...]] = ()
    """Texts in lower case of which a file holds at least one where the rule can apply: most files need no look."""

    def check(self, build: Build) -> Iterator[Finding]:
        """Report every place where the check is switched off."""
        text = lowered(build.tree)
        if not any(mark in text for mark in self.marks):
            return
        for step in build.steps:
            instruction = step.instruction
            if isinstance(instruction, Run):
                yield from self._in_run(build, step)
            elif isinstance(instruction, Env | Arg):
                yield from self._in_pairs(build, step, instruction)
            elif self.contents and isinstance(instruction, FileInstruction) and step.documents:
                for (_, content), heredoc in zip(step.documents, instruction.heredocs, strict=False):
                    if re.search(self.contents, content, re.IGNORECASE):
                        yield self._told(heredoc.word_span, "this file", None)

    def _told(self, place: Span, what: str, fix: Fix | None) -> Finding:
        return self.finding(place, f"{what} {self.consequence}", fix=fix)

    def _in_pairs(self, build: Build, step: Step, instruction: Env | Arg) -> Iterator[Finding]:
        values = dict(zip(step.arguments[::2], step.arguments[1::2], strict=False))
        for pair in instruction.pairs:
            value = values.get(pair.key, pair.value)
            if value is None or not self._weakens(pair.key, value):
                continue
            fix = None
            if len(instruction.pairs) == 1:
                fix = self.unsafe(f"Remove {pair.key}", delete(build.tree.source, instruction))
            yield self._told(pair.span, f"{pair.key}={value}", fix)

    def _weakens(self, name: str, value: str) -> bool:
        wanted = self.variables.get(name) or self.variables.get(name.upper() + "*")
        return wanted is not None and re.fullmatch(wanted, value.strip(), re.IGNORECASE) is not None

    def _in_run(self, build: Build, step: Step) -> Iterator[Finding]:
        if self.switches:
            for call in step.invocations:
                for switch in self.switches:
                    if switch.family == call.family and self._is_on(switch, call) and not self._is_local(call):
                        yield self._told(*self._switch(build, call, switch))
                        break
        if not (self.phrases or self.variables or self.contents):
            return
        for command in step.commands:
            name = command.name or ""
            phrase = self.phrases.get(name)
            if phrase and re.search(phrase, " ".join(command.values), re.IGNORECASE):
                yield self._told(command.span, f"{name} {self._shown(phrase, command)}", None)
            if self.variables and (command.assignments or name in ("export", "declare")):
                yield from self._assigned(command, name)
            if self.contents and self._writes(command, name):
                yield self._told(command.span, "what is written here", None)

    @staticmethod
    def _shown(phrase: str, command: Command) -> str:
        found = re.search(phrase, " ".join(command.values), re.IGNORECASE)
        return found[0].strip() if found else ""

    def _assigned(self, command: Command, name: str) -> Iterator[Finding]:
        given = [(one.name, text_of(one.value), one.span) for one in command.assignments if one.value is not None]
        if name in ("export", "declare"):
            given += [(*text_of(word).partition("=")[::2], word.span) for word in command.arguments]
        for variable, value, span in given:
            if self._weakens(variable, value):
                yield self._told(span, f"{variable}={value}", None)

    def _writes(self, command: Command, name: str) -> bool:
        if name in _PRINTERS and re.search(self.contents, " ".join(command.values), re.IGNORECASE):
            return True
        return any(one.body and re.search(self.contents, one.body, re.IGNORECASE) for one in command.redirects)

    @staticmethod
    def _is_on(switch: Switch, call: Invocation) -> bool:
        if not switch.only:
            return any(call.options.get(name, "") != "false" for name in switch.names if name in call.options)
        return any(
            re.search(switch.only, call.options[name] or "", re.IGNORECASE)
            for name in switch.names
            if name in call.options
        )

    @staticmethod
    def _is_local(call: Invocation) -> bool:
        """Tell whether all that a download asks for is on this machine."""
        if call.action != "fetch" or not call.operands:
            return False
        return all(re.match(LOCAL_HOST, text_of(word)) for word in call.operands)

    def _switch(self, build: Build, call: Invocation, switch: Switch) -> tuple[Span, str, Fix | None]:
        edit = delete_option(build.tree.source, call.command, switch.names, switch.values)
        shown = next(
            (
                word
                for word in call.option_words
                if word.value is not None and word.value.partition("=")[0] in switch.names
            ),
            None,
        )
        if shown is None:
            letters = {name[1] for name in switch.names if len(name) == 2}
            shown = next((word for word in call.option_words if letters & set(text_of(word)[1:])), None)
        whole = shown is not None and text_of(shown).startswith("--")
        name = shown.raw if shown is not None and (whole or switch.only) else switch.names[0]
        fix = None if edit is None else self.unsafe(f"Drop {switch.names[0]}", edit)
        return shown.span if shown is not None else call.command.span, name, fix


class CurlInsecure(Weakened):
    """curl is told not to check the server's certificate.

    Whoever sits between the build and the server decides what is downloaded. A certificate authority of your own
    belongs into the image (``update-ca-certificates``) or behind ``--cacert``.

    Fix safety: unsafe; the download fails where the certificate cannot be checked.
    """

    code = "X111"
    name = "curl-insecure"
    marks = ("curl",)
    aliases = ("CKV2_DOCKER_2",)
    switches = (Switch("curl", ("-k", "--insecure")), Switch("curl", ("--proxy-insecure", "--doh-insecure")))
    contents = r"(?:^|\n)\s*-?-?insecure\s*(?:$|\n)"
    consequence = "lets anybody answer in the server's place: check the certificate, with --cacert where it is your own"
    examples = (
        Bad(
            "FROM debian:12\nRUN curl -k -o /a https://example.com/a\n",
            at="-k",
            fixed="FROM debian:12\nRUN curl -o /a https://example.com/a\n",
            unsafe=True,
        ),
        Bad(
            "FROM debian:12\nRUN curl -fsSLk https://example.com/a | tar x\n",
            at="-fsSLk",
            fixed="FROM debian:12\nRUN curl -fsSL https://example.com/a | tar x\n",
            unsafe=True,
        ),
        Bad(
            "FROM debian:12\nRUN curl -fsSL \\\n      --insecure \\\n      https://example.com/a -o /a\n",
            at="--insecure",
            fixed="FROM debian:12\nRUN curl -fsSL \\\n      https://example.com/a -o /a\n",
            unsafe=True,
        ),
        Good("FROM debian:12\nRUN curl -fsSL https://example.com/a | tar x\n"),
        Good("FROM debian:12\nRUN curl -fsSL -o /k https://example.com/k\n", why="the letter is a file's name"),
        Good("FROM debian:12\nRUN ./run & curl -k https://localhost:8443/ready\n", why="never leaves the machine"),
        Good("FROM debian:12\nHEALTHCHECK CMD curl -fk https://localhost/\nRUN true\n"),
    )


class WgetInsecure(Weakened):
    """wget is told not to check the server's certificate.

    Whoever sits between the build and the server decides what is downloaded. Old images often only lack the package
    ``ca-certificates``.

    Fix safety: unsafe; the download fails where the certificate cannot be checked.
    """

    code = "X112"
    name = "wget-insecure"
    marks = ("check-cert", "check_cert")
    aliases = ("CKV2_DOCKER_3",)
    switches = (Switch("wget", ("--no-check-certificate",)),)
    contents = r"\bcheck_certificate\s*=\s*off"
    consequence = "lets anybody answer in the server's place: install ca-certificates and let wget check"
    examples = (
        Bad(
            "FROM debian:12\nRUN wget --no-check-certificate https://example.com/a\n",
            at="--no-check-certificate",
            fixed="FROM debian:12\nRUN wget https://example.com/a\n",
            unsafe=True,
        ),
        Good("FROM debian:12\nRUN wget https://example.com/a\n"),
        Good("FROM debian:12\nRUN wget --no-check-certificate https://localhost/a\n", why="never leaves the machine"),
    )


class PipTrustedHost(Weakened):
    """pip is told to trust a host whose certificate it cannot check.

    Packages then come from whoever answers, and run their code while they are installed.

    Fix safety: unsafe; the install fails where the certificate cannot be checked.
    """

    code = "X113"
    name = "pip-trusted-host"
    marks = ("trusted", "insecure")
    aliases = ("CKV2_DOCKER_4", "CKV2_DOCKER_16")
    switches = (
        Switch("pip", ("--trusted-host",), 1),
        Switch("uv", ("--allow-insecure-host", "--trusted-host"), 1),
    )
    phrases: ClassVar[Mapping[str, str]] = dict.fromkeys(("pip", "pip3"), r"config .*trusted-host .+")
    variables: ClassVar[Mapping[str, str]] = {"PIP_TRUSTED_HOST": r".*\S.*", "UV_INSECURE_HOST": r".*\S.*"}
    contents = r"\btrusted-host\s*=\s*\S"
    consequence = "installs packages from whoever answers: use https with a certificate that can be checked"
    examples = (
        Bad(
            "FROM python:3.13\nRUN pip install --no-cache-dir --trusted-host pypi.example.com flask\n",
            at="--trusted-host",
            fixed="FROM python:3.13\nRUN pip install --no-cache-dir flask\n",
            unsafe=True,
        ),
        Bad(
            "FROM python:3.13\nENV PIP_TRUSTED_HOST=pypi.example.com\n",
            at="PIP_TRUSTED_HOST=pypi.example.com",
            fixed="FROM python:3.13\n",
            unsafe=True,
        ),
        Bad(
            "FROM python:3.13\nRUN pip config set global.trusted-host pypi.example.com\n",
            at="pip config set global.trusted-host pypi.example.com",
        ),
        Good("FROM python:3.13\nRUN pip install --no-cache-dir flask\n"),
        Good("FROM python:3.13\nENV PIP_TRUSTED_HOST=\n", why="an empty value trusts nobody"),
    )


class PythonTlsOff(Weakened):
    """Python is told not to check certificates.

    The setting stays in the image where ENV makes it, so that the application trusts everybody too.

    Fix safety: unsafe; what only works without the check fails.
    """

    code = "X114"
    name = "python-tls-off"
    marks = ("pythonhttpsverify", "ca_bundle")
    variables: ClassVar[Mapping[str, str]] = {"PYTHONHTTPSVERIFY": "0", "CURL_CA_BUNDLE": "", "REQUESTS_CA_BUNDLE": ""}
    aliases = ("CKV2_DOCKER_5",)
    consequence = "switches the check of certificates off in Python: give it the certificate it lacks instead"
    examples = (
        Bad(
            "FROM python:3.13\nENV PYTHONHTTPSVERIFY=0\n",
            at="PYTHONHTTPSVERIFY=0",
            fixed="FROM python:3.13\n",
            unsafe=True,
        ),
        Bad("FROM python:3.13\nRUN PYTHONHTTPSVERIFY=0 python fetch.py\n", at="PYTHONHTTPSVERIFY=0"),
        Good("FROM python:3.13\nENV PYTHONHTTPSVERIFY=1\n"),
        Good("FROM python:3.13\nENV REQUESTS_CA_BUNDLE=/etc/ssl/certs/own.pem\n"),
    )


class NodeTlsOff(Weakened):
    """Node is told not to check certificates.

    The setting stays in the image where ENV makes it, so that the application trusts everybody too.
    ``NODE_EXTRA_CA_CERTS`` names a certificate authority of your own.

    Fix safety: unsafe; what only works without the check fails.
    """

    code = "X115"
    name = "node-tls-off"
    marks = ("reject_unauthorized",)
    aliases = ("CKV2_DOCKER_6",)
    variables: ClassVar[Mapping[str, str]] = {"NODE_TLS_REJECT_UNAUTHORIZED": "0"}
    contents = r"\bNODE_TLS_REJECT_UNAUTHORIZED=[\"']?0"
    consequence = "switches the check of certificates off in Node: set NODE_EXTRA_CA_CERTS instead"
    examples = (
        Bad(
            "FROM node:22\nENV NODE_TLS_REJECT_UNAUTHORIZED=0\n",
            at="NODE_TLS_REJECT_UNAUTHORIZED=0",
            fixed="FROM node:22\n",
            unsafe=True,
        ),
        Bad(
            "FROM node:22\nRUN export NODE_TLS_REJECT_UNAUTHORIZED=0 && node fetch.js\n",
            at="NODE_TLS_REJECT_UNAUTHORIZED=0",
        ),
        Good("FROM node:22\nENV NODE_TLS_REJECT_UNAUTHORIZED=1\n"),
        Good("FROM node:22\nENV NODE_EXTRA_CA_CERTS=/etc/ssl/own.pem\n"),
    )


class NpmStrictSslOff(Weakened):
    """npm, yarn or pnpm is told not to check the registry's certificate.

    Packages then come from whoever answers, and run their scripts while they are installed. ``cafile`` names a
    certificate authority of your own.

    Fix safety: unsafe; the install fails where the certificate cannot be checked.
    """

    code = "X137"
    name = "npm-strict-ssl-off"
    marks = ("strict",)
    aliases = ("CKV2_DOCKER_12", "CKV2_DOCKER_13")
    switches = tuple(
        Switch(family, names, 0, only)
        for family in ("npm", "yarn", "pnpm")
        for names, only in ((("--strict-ssl",), "false"), (("--no-strict-ssl",), ""))
    )
    phrases: ClassVar[Mapping[str, str]] = dict.fromkeys(
        ("npm", "yarn", "pnpm"), r"(?:config )?set .*(?:strict-ssl|enableStrictSsl)[ =][\"']?(?:false|0)\b"
    )
    variables: ClassVar[Mapping[str, str]] = {
        "NPM_CONFIG_STRICT_SSL*": "false|0",
        "YARN_STRICT_SSL*": "false|0",
        "YARN_ENABLE_STRICT_SSL": "false|0",
    }
    contents = r"strict-ssl\s*=\s*false"
    consequence = "installs packages from whoever answers: set cafile to the certificate it lacks instead"
    examples = (
        Bad(
            "FROM node:22\nRUN npm config set strict-ssl false && true\n",
            at="npm config set strict-ssl false",
        ),
        Bad(
            "FROM node:22\nENV npm_config_strict_ssl=false\n",
            at="npm_config_strict_ssl=false",
            fixed="FROM node:22\n",
            unsafe=True,
        ),
        Bad("FROM node:22\nRUN echo strict-ssl=false >> .npmrc\n", at="echo strict-ssl=false >> .npmrc"),
        Good("FROM node:22\nRUN npm config set strict-ssl true\n"),
        Good("FROM node:22\nRUN npm config set cafile /etc/ssl/own.pem\n"),
    )


class GitTlsOff(Weakened):
    """git is told not to check the server's certificate.

    What is cloned then comes from whoever answers. ``http.sslCAInfo`` names a certificate authority of your own.

    Fix safety: unsafe; the clone fails where the certificate cannot be checked.
    """

    code = "X116"
    name = "git-tls-off"
    marks = ("sslverify", "git_ssl")
    aliases = ("CKV2_DOCKER_14",)
    phrases: ClassVar[Mapping[str, str]] = {
        "git": r"http\.(?:\S+\.)?sslVerify[ =][\"']?(?:false|0|no|off)\b",
    }
    variables: ClassVar[Mapping[str, str]] = {"GIT_SSL_NO_VERIFY": r"(?!0$|false$|no$|off$).+"}
    consequence = "lets anybody answer in the server's place: set http.sslCAInfo instead"
    examples = (
        Bad(
            "FROM debian:12\nENV GIT_SSL_NO_VERIFY=true\n",
            at="GIT_SSL_NO_VERIFY=true",
            fixed="FROM debian:12\n",
            unsafe=True,
        ),
        Bad(
            "FROM debian:12\nRUN git config --global http.sslVerify false\n",
            at="git config --global http.sslVerify false",
        ),
        Bad(
            "FROM debian:12\nRUN git -c http.sslVerify=false clone https://example.com/a\n",
            at="git -c http.sslVerify=false clone https://example.com/a",
        ),
        Bad("FROM debian:12\nRUN GIT_SSL_NO_VERIFY=1 git clone https://example.com/a\n", at="GIT_SSL_NO_VERIFY=1"),
        Good("FROM debian:12\nRUN git config --global http.sslVerify true\n"),
        Good("FROM debian:12\nENV GIT_SSL_NO_VERIFY=false\n"),
    )


class GoInsecure(Weakened):
    """Go is told to fetch modules without checking certificates or check sums.

    Private modules only need ``GOPRIVATE``, which leaves the check of certificates on.

    Fix safety: unsafe; what only works without the check fails.
    """

    code = "X117"
    name = "go-insecure"
    marks = ("insecure", "gonosum", "gosumdb")
    aliases = ("CKV2_DOCKER_18",)
    switches = (Switch("go", ("-insecure", "--insecure")),)
    variables: ClassVar[Mapping[str, str]] = {
        "GOINSECURE": r".*\S.*",
        "GONOSUMCHECK": r"(?!0$|off$|false$).*\S.*",
        "GOSUMDB": "off",
        "GOFLAGS": r".*-insecure.*",
    }
    consequence = "takes modules that nobody checks: name private modules in GOPRIVATE instead"
    examples = (
        Bad(
            "FROM golang:1.24\nENV GOINSECURE=example.com\n",
            at="GOINSECURE=example.com",
            fixed="FROM golang:1.24\n",
            unsafe=True,
        ),
        Bad("FROM golang:1.24\nRUN GOSUMDB=off go mod download\n", at="GOSUMDB=off"),
        Good("FROM golang:1.24\nENV GOPRIVATE=example.com\n"),
        Good("FROM golang:1.24\nENV GOFLAGS=-mod=vendor\n"),
    )


class YumTlsOff(Weakened):
    """yum or dnf is told not to check the certificates of its repositories.

    Fix safety: unsafe; the install fails where the certificate cannot be checked.
    """

    code = "X118"
    name = "yum-tls-off"
    marks = ("sslverify",)
    aliases = ("CKV2_DOCKER_15",)
    switches = (Switch("dnf", ("--setopt",), 0, r"sslverify\s*=\s*(?:0|false|no)"),)
    contents = r"(?<!_)sslverify\s*=\s*(?:0|false|no)\b(?![^\n]*/sslverify\s*=\s*(?:1|true))"
    consequence = "lets anybody answer in the repository's place: set sslcacert instead"
    examples = (
        Bad(
            "FROM centos:7\nRUN yum-config-manager --save --setopt=*.sslverify=0\n",
            at="--setopt=*.sslverify=0",
            fixed="FROM centos:7\nRUN yum-config-manager --save\n",
            unsafe=True,
        ),
        Bad(
            "FROM centos:7\nRUN yum install -y --setopt=sslverify=false curl && yum clean all\n",
            at="--setopt=sslverify=false",
            fixed="FROM centos:7\nRUN yum install -y curl && yum clean all\n",
            unsafe=True,
        ),
        Bad("FROM centos:7\nRUN echo sslverify=false >> /etc/yum.conf\n", at="echo sslverify=false >> /etc/yum.conf"),
        Good("FROM centos:7\nRUN yum-config-manager --save --setopt=*.sslverify=1\n"),
        Good("FROM centos:7\nRUN sed -i s/sslverify=0/sslverify=1/ /etc/yum.conf\n", why="switches it on"),
    )


class ApkUntrusted(Weakened):
    """apk is told to install packages without a signature it knows.

    A package of your own needs its key in ``/etc/apk/keys``; then nothing has to be switched off.

    Fix safety: unsafe; packages without a known signature are then refused.
    """

    code = "X119"
    name = "apk-untrusted"
    marks = ("untrusted",)
    aliases = ("CKV2_DOCKER_7",)
    switches = (Switch("apk", ("--allow-untrusted",)),)
    consequence = "installs packages that anybody may have made: put their key into /etc/apk/keys"
    examples = (
        Bad(
            "FROM alpine:3.22\nRUN apk add --no-cache --allow-untrusted /tmp/a.apk\n",
            at="--allow-untrusted",
            fixed="FROM alpine:3.22\nRUN apk add --no-cache /tmp/a.apk\n",
            unsafe=True,
        ),
        Good("FROM alpine:3.22\nRUN apk add --no-cache /tmp/a.apk\n"),
        Good("FROM alpine:3.22\nRUN echo --allow-untrusted\n", why="only printed"),
    )


class AptUnauthenticated(Weakened):
    """apt is told to install packages, or to use repositories, without a signature it knows.

    ``--force-yes`` does so too. The repository's key belongs behind ``signed-by`` in its entry.

    Fix safety: unsafe; packages without a known signature are then refused.
    """

    code = "X120"
    name = "apt-unauthenticated"
    marks = ("unauth", "insecure", "force-yes", "trusted", "weakrepo")
    aliases = ("CKV2_DOCKER_8", "CKV2_DOCKER_11")
    switches = (
        Switch("apt", ("--allow-unauthenticated",)),
        Switch("apt", ("--allow-insecure-repositories",)),
        Switch("apt", ("--force-yes",)),
        Switch(
            "apt", ("-o", "--option"), 1,
            r"(?:AllowInsecureRepositories|AllowUnauthenticated|AllowWeakRepositories|force-yes)\s*=\s*[\"']?(?:1|true|yes)",
        ),
    )  # fmt: skip
    contents = (
        r"\[[^\]\n]*\btrusted\s*=\s*yes[^\]\n]*\]\s*\S|"
        r"(?:APT::Get::AllowUnauthenticated|Acquire::AllowInsecureRepositories|APT::Get::force-yes)"
        r"\s*[\\\"'=]*\s*[\\\"']*(?:1|true|yes)"
    )
    consequence = "installs packages that anybody may have made: name the repository's key with signed-by"
    examples = (
        Bad(
            "FROM debian:12\nRUN apt-get update && apt-get install -y --allow-unauthenticated curl "
            "&& rm -rf /var/lib/apt/lists/*\n",
            at="--allow-unauthenticated",
            fixed="FROM debian:12\nRUN apt-get update && apt-get install -y curl && rm -rf /var/lib/apt/lists/*\n",
            unsafe=True,
        ),
        Bad(
            "FROM debian:12\nRUN apt-get install -y --force-yes curl\n",
            at="--force-yes",
            fixed="FROM debian:12\nRUN apt-get install -y curl\n",
            unsafe=True,
        ),
        Bad(
            'FROM debian:12\nRUN echo "deb [trusted=yes] https://example.com/a /" > /etc/apt/sources.list.d/a.list\n',
            at='echo "deb [trusted=yes] https://example.com/a /" > /etc/apt/sources.list.d/a.list',
        ),
        Good("FROM debian:12\nRUN apt-get update && apt-get install -y curl && rm -rf /var/lib/apt/lists/*\n"),
        Good(
            "FROM debian:12\nRUN echo 'deb [signed-by=/usr/share/keyrings/a.gpg] https://example.com/a /' "
            "> /etc/apt/sources.list.d/a.list\n"
        ),
    )


class RpmUnsigned(Weakened):
    """yum, dnf, zypper or rpm is told not to check the signatures of packages.

    ``rpm --import`` makes a vendor's key known; then nothing has to be switched off.

    Fix safety: unsafe; packages without a known signature are then refused.
    """

    code = "X121"
    name = "rpm-unsigned"
    marks = ("gpg", "no-sig", "nosig", "nodigest", "noverify", "unsigned")
    aliases = ("CKV2_DOCKER_9", "CKV2_DOCKER_10")
    switches = (
        Switch("dnf", ("--nogpgcheck", "--no-gpgchecks", "--nogpg")),
        Switch("dnf", ("--setopt",), 0, r"(?<!_)gpgcheck\s*=\s*(?:0|false|no)"),
        Switch("zypper", ("--no-gpg-checks",)),
        Switch("zypper", ("--allow-unsigned-rpm",)),
        Switch("rpm", ("--nosignature", "--nodigest", "--noverify")),
    )
    contents = r"(?<!_)gpgcheck\s*=\s*(?:0|false|no)\b(?![^\n]*/gpgcheck\s*=\s*(?:1|true))"
    consequence = "installs packages that anybody may have made: import their key with rpm --import"
    examples = (
        Bad(
            "FROM fedora:42\nRUN dnf install -y --nogpgcheck curl && dnf clean all\n",
            at="--nogpgcheck",
            fixed="FROM fedora:42\nRUN dnf install -y curl && dnf clean all\n",
            unsafe=True,
        ),
        Bad(
            "FROM opensuse/leap:15\nRUN zypper --no-gpg-checks -n install curl && zypper clean --all\n",
            at="--no-gpg-checks",
            fixed="FROM opensuse/leap:15\nRUN zypper -n install curl && zypper clean --all\n",
            unsafe=True,
        ),
        Bad(
            "FROM centos:7\nRUN printf '[a]\\nbaseurl=https://example.com\\ngpgcheck=0\\n' > /etc/yum.repos.d/a.repo\n",
            at="printf '[a]\\nbaseurl=https://example.com\\ngpgcheck=0\\n' > /etc/yum.repos.d/a.repo",
        ),
        Good("FROM fedora:42\nRUN dnf install -y curl && dnf clean all\n"),
        Good("FROM centos:7\nRUN echo repo_gpgcheck=0 >> /etc/yum.repos.d/a.repo\n", why="packages are still checked"),
        Good("FROM centos:7\nRUN sed -i 's/gpgcheck=0/gpgcheck=1/' /etc/yum.conf\n", why="switches it on"),
    )
