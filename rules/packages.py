"""Rules about system packages: calls that stop, ask, or bring more than wanted."""

from __future__ import annotations

import re
from collections.abc import Iterator

from dfopt.edit import Edit
from dfopt.finding import Finding, Fix, Severity
from dfopt.graph.model import Step
from dfopt.graph.queries import calls_of, earlier
from dfopt.lint.rule import Bad, Build, Good, Rule
from dfopt.lint.wording import insert_after, is_written, remove_word, replace_word
from dfopt.shell.model import ShellWord
from dfopt.source import Span
from dfopt.tools import Invocation, package_names

APT = ("apt-get", "apt", "aptitude", "apt-fast")
CHANGING = ("install", "upgrade", "remove", "autoremove")
ROOT = ("root", "0")
ASKING_FOR_RIGHTS = frozenset(("sudo", "doas", "su", "gosu", "su-exec", "runuser", "fakeroot", "setpriv", "chroot"))


def is_configured(build: Build, step: Step, *texts: str) -> bool:
    """Tell whether a command above, or in the same RUN, names a setting, most likely to write it to a file."""
    for one in (*earlier(build.graph, step), step):
        for command in one.commands:
            for word in command.words[1:]:
                lowered = word.raw.lower()
                if any(text in lowered for text in texts):
                    return True
        if any(text in content.lower() for _, content in one.documents for text in texts):
            return True
    return False


class NoAssent(Rule):
    """What the rules about missing assent share: a call that asks a question nobody can answer."""

    family: str = ""
    programs: tuple[str, ...] = ()
    assent: tuple[str, ...] = ("-y",)
    """Options, by their first spelling, with which it does not ask (or does nothing at all)."""
    option: str = "-y"
    setting: str = "assumeyes"

    def check(self, build: Build) -> Iterator[Finding]:
        """Report calls that ask, with nothing piped in and no configuration that answers."""
        for step, call in calls_of(build.graph, self.family):
            command = call.command
            if call.action not in CHANGING or command.name not in self.programs or call.has(*self.assent):
                continue
            if command.piped or self._is_quiet(call) or is_configured(build, step, self.setting):
                continue
            if any(redirect.operator.startswith("<") for redirect in command.redirects):
                continue
            program = f"{command.words[0].raw} {verb_of(call)}"
            yield self.finding(
                command.span, f"{program} may ask before it goes on, and nobody answers: add {self.option}",
                fix=self._fix(build, call),
            )  # fmt: skip

    def _is_quiet(self, call: Invocation) -> bool:
        return False

    def _fix(self, build: Build, call: Invocation) -> Fix | None:
        edit = insert_after(build, call.verb, f" {self.option}")
        return self.safe(f"Add {self.option}", edit) if edit else None


def verb_of(call: Invocation) -> str:
    """Give the verb of a call as written; an empty text where it has none."""
    return call.verb.raw if call.verb is not None else ""


class AptNoYes(NoAssent):
    """apt installs or removes without ``-y``.

    It asks whether to go on, finds nobody to answer, and the build stops. Where nothing needs asking today, it may
    tomorrow.

    Fix safety: safe; where the build came through without the answer, it does the same with it.
    """

    code = "P110"
    name = "apt-no-yes"
    aliases = ("DL3014", "DS-0021")
    family = "apt"
    programs = APT
    assent = ("-y", "-qq", "-s", "--assume-no", "--print-uris", "-h")
    setting = "assume-yes"
    examples = (
        Bad(
            "FROM debian:12\nRUN apt-get update && apt-get install --no-install-recommends curl && "
            "rm -rf /var/lib/apt/lists/*\n",
            at="apt-get install --no-install-recommends curl",
            fixed="FROM debian:12\nRUN apt-get update && apt-get install -y --no-install-recommends curl && "
            "rm -rf /var/lib/apt/lists/*\n",
        ),
        Bad(
            "FROM debian:12\nRUN apt-get -q autoremove\n",
            at="apt-get -q autoremove",
            fixed="FROM debian:12\nRUN apt-get -q autoremove -y\n",
        ),
        Bad('FROM debian:12\nRUN ["apt-get", "install", "curl"]\n', at='"apt-get", "install", "curl"'),
        Good("FROM debian:12\nRUN apt-get install -y curl\n"),
        Good("FROM debian:12\nRUN apt-get -yq install curl\n"),
        Good("FROM debian:12\nRUN apt-get -qq install curl && apt-get install -q -q git && apt-get install -q=2 jq\n"),
        Good("FROM debian:12\nRUN apt-get --assume-yes install curl\n"),
        Good("FROM debian:12\nRUN yes | apt-get install curl\n"),
        Good("FROM debian:12\nRUN apt-get -o APT::Get::Assume-Yes=true install curl\n"),
        Good(
            "FROM debian:12\nRUN echo 'APT::Get::Assume-Yes \"true\";' > /etc/apt/apt.conf.d/90yes\n"
            "RUN apt-get install curl\n",
            why="configured",
        ),
        Good("FROM debian:12\nRUN apt-get update && apt-get clean && apt-get -s install curl\n"),
    )

    def _is_quiet(self, call: Invocation) -> bool:
        texts = [word.value or "" for word in call.option_words]
        times = sum(text.count("q") for text in texts if re.fullmatch(r"-[a-z]+", text)) + texts.count("--quiet")
        return times >= 2 or any(re.fullmatch(r"-q=[2-9]|--quiet=[2-9]", text) for text in texts)


class YumNoYes(NoAssent):
    """yum installs or removes without ``-y``.

    It asks whether to go on, finds nobody to answer, and the build stops.

    Fix safety: safe; where the build came through without the answer, it does the same with it.
    """

    code = "P111"
    name = "yum-no-yes"
    aliases = ("DL3030",)
    family = "dnf"
    programs = ("yum",)
    assent = ("-y", "--assumeno", "--downloadonly")
    examples = (
        Bad(
            "FROM centos:7\nRUN yum install curl && yum clean all\n",
            at="yum install curl",
            fixed="FROM centos:7\nRUN yum install -y curl && yum clean all\n",
        ),
        Bad("FROM centos:7\nRUN yum groupinstall Development && yum clean all\n", at="yum groupinstall Development",
            fixed="FROM centos:7\nRUN yum groupinstall -y Development && yum clean all\n"),
        Good("FROM centos:7\nRUN yum -y install curl && yum clean all\n"),
        Good("FROM centos:7\nRUN yum install --assumeyes curl\n"),
        Good("FROM centos:7\nRUN yes | yum install curl\n"),
        Good("FROM centos:7\nRUN yum makecache && yum clean all\n"),
    )  # fmt: skip


class ZypperInteractive(NoAssent):
    """zypper installs or removes without ``--non-interactive``.

    It asks whether to go on, finds nobody to answer, and the build stops.

    Fix safety: safe; where the build came through without the answer, it does the same with it.
    """

    code = "P112"
    name = "zypper-interactive"
    aliases = ("DL3034",)
    family = "zypper"
    programs = ("zypper",)
    assent = ("-n", "-y", "--no-confirm", "-D", "--dry-run")
    option = "--non-interactive"
    examples = (
        Bad(
            "FROM opensuse/leap:15.6\nRUN zypper install curl && zypper clean --all\n",
            at="zypper install curl",
            fixed="FROM opensuse/leap:15.6\nRUN zypper --non-interactive install curl && zypper clean --all\n",
        ),
        Good("FROM opensuse/leap:15.6\nRUN zypper -n in curl\n"),
        Good("FROM opensuse/leap:15.6\nRUN zypper --non-interactive rm curl\n"),
        Good("FROM opensuse/leap:15.6\nRUN zypper install -y curl\n"),
        Good("FROM opensuse/leap:15.6\nRUN zypper refresh\n"),
    )

    def _fix(self, build: Build, call: Invocation) -> Fix | None:
        edit = insert_after(build, call.command.words[0], f" {self.option}")
        return self.safe(f"Add {self.option}", edit) if edit else None


class DnfNoYes(NoAssent):
    """dnf installs or removes without ``-y``.

    It asks whether to go on, finds nobody to answer, and the build stops. microdnf never asks.

    Fix safety: safe; where the build came through without the answer, it does the same with it.
    """

    code = "P113"
    name = "dnf-no-yes"
    aliases = ("DL3038",)
    family = "dnf"
    programs = ("dnf", "dnf5", "tdnf")
    assent = ("-y", "--assumeno", "--downloadonly")
    examples = (
        Bad(
            "FROM fedora:42\nRUN dnf install curl && dnf clean all\n",
            at="dnf install curl",
            fixed="FROM fedora:42\nRUN dnf install -y curl && dnf clean all\n",
        ),
        Good("FROM fedora:42\nRUN dnf -y install curl\n"),
        Good("FROM fedora:42\nRUN dnf install --setopt=install_weak_deps=False -y curl\n"),
        Good("FROM registry.access.redhat.com/ubi9/ubi-minimal\nRUN microdnf install curl\n", why="it never asks"),
        Good("FROM fedora:42\nRUN dnf config-manager --set-enabled crb\n"),
        Good("FROM fedora:42\nRUN echo assumeyes=1 >> /etc/dnf/dnf.conf && dnf install curl\n", why="configured"),
    )


class AptRecommends(Rule):
    """apt installs packages that are only recommended along with those that are asked for.

    They often weigh more than what was asked for, and nobody chose them.

    Fix safety: unsafe; the program may use one of them. Name that one then.
    """

    code = "P114"
    name = "apt-recommends"
    aliases = ("DL3015", "DS-0029")
    severity = Severity.INFO
    examples = (
        Bad(
            "FROM debian:12\nRUN apt-get update && apt-get install -y curl && rm -rf /var/lib/apt/lists/*\n",
            at="apt-get install -y curl",
            fixed="FROM debian:12\nRUN apt-get update && apt-get install --no-install-recommends -y curl "
            "&& rm -rf /var/lib/apt/lists/*\n",
            unsafe=True,
        ),
        Bad("FROM debian:12\nRUN apt-get install -y $PACKAGES\n", at="apt-get install -y $PACKAGES",
            fixed="FROM debian:12\nRUN apt-get install --no-install-recommends -y $PACKAGES\n", unsafe=True),
        Good("FROM debian:12\nRUN apt-get install -y --no-install-recommends curl\n"),
        Good("FROM debian:12\nRUN apt-get install -y --install-recommends curl\n", why="wanted"),
        Good("FROM debian:12\nRUN apt-get -o APT::Install-Recommends=false install -y curl\n"),
        Good("FROM debian:12\nRUN apt-get -oAPT::Install-Recommends=0 install -y curl\n"),
        Good(
            "FROM debian:12\nRUN echo 'APT::Install-Recommends \"0\";' > /etc/apt/apt.conf.d/99no\n"
            "RUN apt-get update && apt-get install -y curl\n",
            why="configured",
        ),
        Good(
            "FROM debian:12 AS build\nRUN apt-get install -y gcc\nFROM scratch\nCOPY --from=build /app /app\n",
            why="the stage does not ship",
        ),
    )  # fmt: skip

    def check(self, build: Build) -> Iterator[Finding]:
        """Report installs in stages that ship."""
        for step, call in calls_of(build.graph, "apt"):
            if call.action != "install" or call.command.name not in ("apt-get", "apt") or not call.operands:
                continue
            if not build.graph.stages[step.stage].ships or verb_of(call) not in ("install", "reinstall"):
                continue
            if call.has("--no-install-recommends", "--install-recommends", "-s"):
                continue
            if any("install-recommends" in (word.value or "").lower() for word in call.option_words):
                continue
            if is_configured(build, step, "::install-recommends"):
                continue
            edit = insert_after(build, call.verb, " --no-install-recommends")
            yield self.finding(
                call.command.span,
                "packages that are merely recommended are installed too: add --no-install-recommends and name what "
                "is needed",
                fix=self.unsafe("Add --no-install-recommends", edit) if edit else None,
            )


class AptInsteadOfAptGet(Rule):
    """``apt`` is called in a script.

    It is made for people: what it prints and how it is called may change between releases, and it says so itself.
    ``apt-get`` and ``apt-cache`` stay the same.

    Fix safety: safe for verbs that both have with the same meaning; others are left to you.
    """

    code = "P115"
    name = "apt-instead-of-apt-get"
    aliases = ("DL3027", "CKV_DOCKER_9")
    examples = (
        Bad(
            "FROM debian:12\nRUN apt update && apt install -y --no-install-recommends curl "
            "&& rm -rf /var/lib/apt/lists/*\n",
            at="apt",
            count=2,
            fixed="FROM debian:12\nRUN apt-get update && apt-get install -y --no-install-recommends curl "
            "&& rm -rf /var/lib/apt/lists/*\n",
        ),
        Bad("FROM debian:12\nRUN apt list --installed\n", at="apt"),
        Good("FROM debian:12\nRUN apt-get update && apt-cache policy curl\n"),
        Good("FROM debian:12\nRUN rm -rf /var/lib/apt /etc/apt\n"),
        Good("FROM debian:12\nRUN echo apt install curl\n"),
    )

    _SAME = frozenset(("install", "update", "remove", "purge", "autoremove", "clean", "autoclean", "download"))

    def check(self, build: Build) -> Iterator[Finding]:
        """Report the word."""
        for _, call in calls_of(build.graph, "apt"):
            word = call.command.words[0]
            if word.value != "apt":
                continue
            edit = replace_word(build, word, "apt-get") if verb_of(call) in self._SAME else None
            yield self.finding(
                word.span, "apt is made for people and may change: use apt-get or apt-cache in scripts",
                fix=self.safe("Call apt-get", edit) if edit else None,
            )  # fmt: skip


class ZypperDistUpgrade(Rule):
    """zypper upgrades the whole distribution.

    The image becomes another release than its tag says, at whatever state the archive has today. Take a newer base
    image instead.
    """

    code = "P116"
    name = "zypper-dist-upgrade"
    aliases = ("DL3035",)
    examples = (
        Bad("FROM opensuse/leap:15.6\nRUN zypper -n dup\n", at="zypper -n dup"),
        Good("FROM opensuse/leap:15.6\nRUN zypper -n update\n"),
        Good("FROM opensuse/tumbleweed\nRUN zypper -n dup\n", why="a rolling release has no other way"),
    )

    def check(self, build: Build) -> Iterator[Finding]:
        """Report the call, but not on a rolling release."""
        for step, call in calls_of(build.graph, "zypper"):
            if verb_of(call) not in ("dist-upgrade", "dup"):
                continue
            if "tumbleweed" in (build.graph.chain(step.stage)[0].image or ""):
                continue
            yield self.finding(
                call.command.span, "this turns the image into another release: take a newer base image instead"
            )


class DistUpgrade(Rule):
    """All packages of the base image are upgraded.

    What comes out depends on the day of the build and on the cache, and every upgraded file is stored a second time. A
    newer base image brings the same updates without the weight.
    """

    code = "P117"
    name = "dist-upgrade"
    aliases = ("DS-0024",)
    severity = Severity.INFO
    default = False
    examples = (
        Bad("FROM debian:12\nRUN apt-get update && apt-get -y upgrade\n", at="apt-get -y upgrade"),
        Bad("FROM alpine:3.22\nRUN apk upgrade --no-cache\n", at="apk upgrade --no-cache"),
        Bad("FROM centos:7\nRUN yum -y update\n", at="yum -y update"),
        Good("FROM centos:7\nRUN yum -y update openssl\n", why="one package"),
        Good("FROM alpine:3.22\nRUN apk upgrade --no-cache openssl\n", why="one package"),
        Good("FROM debian:12\nRUN apt-get update\n"),
        Good("FROM archlinux\nRUN pacman -Syu --noconfirm git\n", why="a rolling release has no other way"),
    )

    def check(self, build: Build) -> Iterator[Finding]:
        """Report upgrades that name no package."""
        for _, call in calls_of(build.graph, "apt", "apk", "dnf", "zypper"):
            if call.action != "upgrade" or call.operands or verb_of(call) in ("dup", "fix", "verify"):
                continue
            yield self.finding(
                call.command.span, "every package of the base image is fetched again: take a newer base image instead"
            )


SYSTEM = ("apt", "apk", "dnf", "zypper")


class UnsortedPackages(Rule):
    """A list of packages is not sorted.

    Sorted lists show duplicates and give small differences.

    Fix safety: safe; system packages are installed as one set, whatever their order.
    """

    code = "P121"
    name = "unsorted-packages"
    aliases = ("tally/sort-packages",)
    severity = Severity.STYLE
    default = False
    examples = (
        Bad(
            "FROM alpine:3.22\nRUN apk add --no-cache git curl bash\n",
            at="git curl bash",
            fixed="FROM alpine:3.22\nRUN apk add --no-cache bash curl git\n",
        ),
        Bad(
            "FROM debian:12\nRUN apt-get install -y --no-install-recommends \\\n    zip=3.0-13 \\\n    curl\n",
            at="zip=3.0-13 \\\n    curl",
            fixed="FROM debian:12\nRUN apt-get install -y --no-install-recommends \\\n    curl \\\n    zip=3.0-13\n",
        ),
        Good("FROM alpine:3.22\nRUN apk add --no-cache bash curl git\n"),
        Good("FROM alpine:3.22\nRUN apk add --no-cache $PACKAGES curl bash\n", why="one is not written out"),
        Good(
            "FROM debian:12\nRUN apt-get install -y \\\n    # tools\n    curl \\\n    git \\\n    # libraries\n"
            "    bash\n",
            why="comments part the list",
        ),
        Good("FROM python:3.13\nRUN pip install wheel cython\n", why="the order may count"),
    )

    def check(self, build: Build) -> Iterator[Finding]:
        """Report each part of a list between comments."""
        for step, call in calls_of(build.graph, *SYSTEM):
            if call.action != "install" or len(call.operands) < 2:
                continue
            if not all(is_written(build, word) and not word.raw.endswith("-") for word in call.operands):
                continue
            cuts = [comment.span.start for comment in step.instruction.inner_comments]
            groups: dict[int, list[int]] = {}
            for place, word in enumerate(call.operands):
                groups.setdefault(sum(cut < word.span.start for cut in cuts), []).append(place)
            for places in groups.values():
                words = [call.operands[place] for place in places]
                wanted = sorted(words, key=lambda word: (word.raw.lower(), word.raw))
                if [word.raw for word in wanted] == [word.raw for word in words]:
                    continue
                edits = [Edit(old.span, new.raw) for old, new in zip(words, wanted, strict=True) if old.raw != new.raw]
                yield self.finding(
                    Span(words[0].span.start, words[-1].span.end), "the packages are not sorted",
                    fix=self.safe("Sort the packages", *edits),
                )  # fmt: skip


class DuplicatePackages(Rule):
    """A package is named twice in one call.

    Somebody edited the list without seeing the other place.

    Fix safety: safe; a package is installed once anyway.
    """

    code = "P122"
    name = "duplicate-packages"
    severity = Severity.INFO
    examples = (
        Bad(
            "FROM alpine:3.22\nRUN apk add --no-cache curl git curl bash\n",
            at="curl",
            fixed="FROM alpine:3.22\nRUN apk add --no-cache curl git bash\n",
        ),
        Bad(
            "FROM debian:12\nRUN apt-get update && apt-get install -y --no-install-recommends \\\n    git \\\n"
            "    libssl-dev \\\n    git \\\n    zip \\\n && rm -rf /var/lib/apt/lists/*\n",
            at="git",
            fixed="FROM debian:12\nRUN apt-get update && apt-get install -y --no-install-recommends \\\n    git \\\n"
            "    libssl-dev \\\n    zip \\\n && rm -rf /var/lib/apt/lists/*\n",
        ),
        Good("FROM alpine:3.22\nRUN apk add --no-cache curl git\n"),
        Good("FROM alpine:3.22\nRUN apk add --no-cache curl && apk add --no-cache curl\n", why="two calls"),
        Good("FROM debian:12\nRUN apt-get install -y --no-install-recommends libc6:i386 libc6:amd64 g++ g++-12\n"),
        Good("FROM python:3.13\nRUN pip install 'flask[async]' flask\n", why="they are not the same"),
    )

    _FAMILIES = (*SYSTEM, "pip", "npm", "gem")

    def check(self, build: Build) -> Iterator[Finding]:
        """Report the first naming."""
        for _, call in calls_of(build.graph, *self._FAMILIES):
            if call.action != "install" or len(call.operands) < 2:
                continue
            words: dict[str, list[ShellWord]] = {}
            for package in package_names(call):
                if is_written(build, package.word):
                    words.setdefault(package.word.raw, []).append(package.word)
            for name, (first, *others) in words.items():
                if not others:
                    continue
                edits = [remove_word(build, call.command, word) for word in others]
                known = [edit for edit in edits if edit is not None]
                yield self.finding(
                    first.span,
                    f"{name} is named twice in this call",
                    related=[(word.span, "named again") for word in others],
                    fix=self.safe(f"Name {name} once", *known) if len(known) == len(others) else None,
                )


class PackageInstallAsNonRoot(Rule):
    """System packages are changed by a user that may not do so.

    The package manager stops with a permission error. Become root first (``USER root``) and step down again afterwards.
    """

    code = "P123"
    name = "package-install-as-non-root"
    severity = Severity.ERROR
    examples = (
        Bad("FROM debian:12\nUSER app\nRUN apt-get update && rm -rf /var/lib/apt/lists/*\n", at="apt-get update"),
        Bad("FROM alpine:3.22\nUSER 1000:1000\nRUN apk add --no-cache curl\n", at="apk add --no-cache curl"),
        Bad("FROM alpine:3.22 AS base\nUSER app\nFROM base\nRUN apk add --no-cache curl\n",
            at="apk add --no-cache curl"),
        Good("FROM alpine:3.22\nUSER root\nRUN apk add --no-cache curl\nUSER app\n"),
        Good("FROM alpine:3.22\nUSER 0:1000\nRUN apk add --no-cache curl\n"),
        Good("FROM debian:12\nUSER app\nRUN sudo apt-get update\n"),
        Good("FROM debian:12\nARG U\nUSER $U\nRUN apt-get update\n", why="nobody knows who that is"),
        Good("FROM debian:12\nUSER app\nRUN apt-get --version && apt-get download curl\n"),
        Good("FROM debian:12\nUSER app\nRUN pip install --user flask\n"),
    )  # fmt: skip

    def check(self, build: Build) -> Iterator[Finding]:
        """Report the first call of each RUN."""
        done: set[int] = set()
        for step, call in calls_of(build.graph, *SYSTEM):
            if call.action not in ("install", "upgrade", "remove", "update", "autoremove") or step.index in done:
                continue
            user = (step.before.user or "root").partition(":")[0]
            if user in ROOT or "$" in user or not user or not self._is_certain(build, step):
                continue
            command = call.command
            if ASKING_FOR_RIGHTS & set(command.wrappers) or call.has("-s", "-p", "--installroot", "-R", "-h", "-v"):
                continue
            done.add(step.index)
            yield self.finding(
                command.span, f"{command.words[0].raw} needs root, and this runs as {user}: put USER root above"
            )

    @staticmethod
    def _is_certain(build: Build, step: Step) -> bool:
        """Tell whether a USER whose value is known stands above; facts about base images may be too old."""
        users = [one for one in earlier(build.graph, step) if one.keyword == "USER"]
        return bool(users) and not users[-1].unknown and not users[-1].missing


class MissingNoninteractive(Rule):
    """A Debian package that asks questions is installed without saying that nobody answers.

    Its installation waits for an answer and the build hangs, or takes whatever stands first.

    Fix safety: unsafe; the questions get their default answers.
    """

    code = "P127"
    name = "missing-noninteractive"
    severity = Severity.INFO
    default = False
    examples = (
        Bad(
            "FROM ubuntu:24.04\nRUN apt-get update && apt-get install -y --no-install-recommends tzdata "
            "&& rm -rf /var/lib/apt/lists/*\n",
            at="apt-get install -y --no-install-recommends tzdata",
            fixed="FROM ubuntu:24.04\nRUN apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y "
            "--no-install-recommends tzdata && rm -rf /var/lib/apt/lists/*\n",
            unsafe=True,
        ),
        Good("FROM ubuntu:24.04\nRUN apt-get install -y curl\n", why="it asks nothing"),
        Good("FROM ubuntu:24.04\nARG DEBIAN_FRONTEND=noninteractive\nRUN apt-get install -y tzdata\n"),
        Good("FROM ubuntu:24.04\nRUN export DEBIAN_FRONTEND=noninteractive && apt-get install -y tzdata\n"),
        Good("FROM ubuntu:24.04\nRUN DEBIAN_FRONTEND=noninteractive apt-get install -y tzdata\n"),
        Good("FROM ubuntu:24.04\nRUN echo 'tzdata tzdata/Areas select Europe' | debconf-set-selections "
             "&& apt-get install -y tzdata\n", why="answered in advance"),
    )  # fmt: skip

    _ASKING = re.compile(
        r"tzdata|keyboard-configuration|console-setup|postfix|iptables-persistent|wireshark(?:-common)?|tshark|slapd"
        r"|mysql-server(?:-\d\.\d)?|krb5-(?:user|config)|jackd[12]?|ttf-mscorefonts-installer|lightdm|gdm3|phpmyadmin"
        r"|libpam-krb5|libpam-ldap|ubuntu-restricted-extras|macchanger|nslcd|dictionaries-common"
    )

    def check(self, build: Build) -> Iterator[Finding]:
        """Report installs that name one of the packages that ask."""
        for step, call in calls_of(build.graph, "apt"):
            if call.action != "install" or call.command.name not in APT:
                continue
            asking = [package for package in package_names(call) if self._ASKING.fullmatch(package.name)]
            command = call.command
            if not asking or "DEBIAN_FRONTEND" in step.before.variables:
                continue
            if any(name == "DEBIAN_FRONTEND" for name, _ in command.environment) or any(
                one.name == "DEBIAN_FRONTEND" for one in command.assignments
            ):
                continue
            if is_configured(build, step, "debian_frontend", "debconf-set-selections", "debconf/frontend"):
                continue
            if any(one.name == "debconf-set-selections" for one in step.commands):
                continue
            word = command.words[0]
            edit = Edit(Span(word.span.start, word.span.start), "DEBIAN_FRONTEND=noninteractive ")
            plain = is_written(build, word) and not command.wrappers
            yield self.finding(
                command.span, f"{asking[0].name} asks questions and nobody answers: set DEBIAN_FRONTEND=noninteractive",
                fix=self.unsafe("Set DEBIAN_FRONTEND", edit) if plain else None,
            )  # fmt: skip
