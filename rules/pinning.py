"""Rules about versions: packages that are installed in whatever version is newest on the day of the build."""

from __future__ import annotations

from collections.abc import Iterator

from dfopt.finding import Finding, Severity
from dfopt.graph.model import Step
from dfopt.graph.queries import calls_of, earlier
from dfopt.lint.rule import Bad, Build, Good, Rule
from dfopt.syntax.tree import FileInstruction
from dfopt.tools import Invocation, Package, package_names

MOVING = frozenset(("latest", "next", "*", "x", "none", "upgrade", "master", "main", "HEAD"))
"""What may stand for a version and names none."""


class Unpinned(Rule):
    """What the rules about versions share: a call that names packages without one."""

    default = False
    severity = Severity.INFO
    families: tuple[str, ...] = ()
    programs: tuple[str, ...] = ()
    """The programs meant; none: all of the family."""
    verbs: tuple[str, ...] = ("install",)
    way: str = ""
    """How a version is written."""

    def check(self, build: Build) -> Iterator[Finding]:
        """Report calls once, at the first package without a version."""
        for step, call in calls_of(build.graph, *self.families):
            if not self._is_meant(step, call):
                continue
            loose = [package for package in package_names(call) if self._is_loose(build, step, call, package)]
            if loose:
                yield self.finding(loose[0].word.span, f"{_listed(loose)}: {self.way}")

    def _is_meant(self, step: Step, call: Invocation) -> bool:
        verb = call.verb.value if call.verb is not None else None
        return (not self.programs or call.command.name in self.programs) and verb in self.verbs

    def _is_loose(self, build: Build, step: Step, call: Invocation, package: Package) -> bool:
        if package.is_local or package.excluded or package.pinned or package.unknown:
            return False
        return package.version is None or package.version in MOVING


def _listed(packages: list[Package]) -> str:
    names = [package.name for package in packages]
    text = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
    return f"{text} {'comes' if len(names) == 1 else 'come'} in whatever version is newest"


class AptUnpinned(Unpinned):
    """A Debian package is installed without a version.

    Off unless selected: Debian removes old versions from its archive, so a pinned build breaks at the next update, and
    what a pinned package depends on is not held anyway. To repeat a build exactly, use a snapshot of the archive or pin
    the base image by digest.
    """

    code = "P101"
    name = "apt-unpinned"
    aliases = ("DL3008",)
    strict = False
    families = ("apt",)
    programs = ("apt-get", "apt", "aptitude")
    way = "write name=version, or use a snapshot of the archive"
    examples = (
        Bad("FROM debian:12\nRUN apt-get update && apt-get install -y curl git=1:2.39.5-0+deb12u2\n", at="curl"),
        Bad("FROM debian:12\nONBUILD RUN apt-get install -y curl\n", at="curl"),
        Good("FROM debian:12\nRUN apt-get install -y curl=7.88.1-10+deb12u12\n"),
        Good("FROM debian:12\nRUN apt-get install -y curl=7.88.*\n", why="a version with an open end is one"),
        Good("FROM debian:12\nCOPY tool.deb /tmp/\nRUN apt-get install -y /tmp/tool.deb\n", why="a local file"),
        Good('FROM debian:12\nRUN apt-get install -y "$PACKAGES"\n', why="nobody knows what stands there"),
        Good("FROM debian:12\nRUN apt-get install -y -t bookworm-backports git=1:2.45.0\n"),
        Good("FROM debian:12\nRUN apt-get remove -y curl\n"),
    )


class PipUnpinned(Unpinned):
    """A Python package is installed without a version.

    The build takes the newest one of its day, and two builds differ. A constraints file or a lock file holds what it
    depends on as well.
    """

    code = "P102"
    name = "pip-unpinned"
    aliases = ("DL3013",)
    families = ("pip", "uv", "pipx")
    verbs = ("install", "pip", "tool")
    way = "write name==version, or install from a file with versions"
    examples = (
        Bad("FROM python:3.13\nRUN pip install flask requests==2.32.3\n", at="flask"),
        Bad("FROM python:3.13\nRUN python3 -m pip install django\n", at="django"),
        Bad("FROM python:3.13\nRUN uv pip install --system flask\n", at="flask"),
        Bad(
            "FROM python:3.13\nRUN pip install git+https://example.com/app.git\n", at="git+https://example.com/app.git"
        ),
        Good("FROM python:3.13\nRUN pip install flask==3.0.3\n"),
        Good("FROM python:3.13\nRUN pip install 'flask>=3,<4'\n"),
        Good("FROM python:3.13\nRUN pip install -r requirements.txt\n"),
        Good("FROM python:3.13\nRUN pip install -c constraints.txt flask\n", why="the constraints hold it"),
        Good("FROM python:3.13\nENV PIP_CONSTRAINT=/c.txt\nRUN pip install flask\n", why="the constraints hold it"),
        Good("FROM python:3.13\nRUN pip install . ./lib dist/app-1.0-py3-none-any.whl\n"),
        Good("FROM python:3.13\nRUN pip install git+https://example.com/app.git@v1.2\n"),
        Good("FROM python:3.13\nRUN pip install --index-url https://example.com/simple flask==3.0.3\n"),
    )

    def _is_meant(self, step: Step, call: Invocation) -> bool:
        if call.has("-c", "--constraint") or step.before.lookup("PIP_CONSTRAINT"):
            return False
        return super()._is_meant(step, call) and call.action == "install"


class NpmUnpinned(Unpinned):
    """A JavaScript package is installed without a version.

    The build takes the newest one of its day, and two builds differ.
    """

    code = "P103"
    name = "npm-unpinned"
    aliases = ("DL3016",)
    families = ("npm", "yarn", "pnpm", "bun")
    verbs = ("install", "i", "add", "global", "in")
    way = "write name@version"
    examples = (
        Bad("FROM node:22\nRUN npm install -g typescript\n", at="typescript"),
        Bad("FROM node:22\nRUN npm install @angular/cli@latest\n", at="@angular/cli@latest"),
        Bad("FROM node:22\nRUN yarn global add serve\n", at="serve"),
        Good("FROM node:22\nRUN npm install -g typescript@5.6.3\n"),
        Good("FROM node:22\nRUN npm install -g @angular/cli@19\n"),
        Good("FROM node:22\nRUN npm install\n"),
        Good("FROM node:22\nRUN npm install --prefix app\n", why="the value of an option"),
        Good("FROM node:22\nRUN npm install ./lib /tmp/app.tgz\n"),
        Good("FROM node:22\nARG V\nRUN npm install -g cli@$V\n", why="whoever sets the variable holds the version"),
        Good("FROM node:22\nRUN npm run install thing\n"),
    )


class ApkUnpinned(Unpinned):
    """An Alpine package is installed without a version.

    Off unless selected: Alpine removes old versions from its archive, so a pinned build breaks at the next update. Pin
    the base image instead.
    """

    code = "P104"
    name = "apk-unpinned"
    aliases = ("DL3018",)
    strict = False
    families = ("apk",)
    verbs = ("add",)
    way = "write name=version, or name~=version"
    examples = (
        Bad("FROM alpine:3.22\nRUN apk add --no-cache curl\n", at="curl"),
        Good("FROM alpine:3.22\nRUN apk add --no-cache curl=8.14.1-r1\n"),
        Good("FROM alpine:3.22\nRUN apk add --no-cache 'curl~=8.14' 'git>2'\n"),
        Good("FROM alpine:3.22\nRUN apk add --no-cache --virtual .build gcc=14.2.0-r6\n", why="the value of an option"),
        Good("FROM alpine:3.22\nRUN apk add --no-cache '!busybox' tool.apk\n", why="one is to be absent, one is local"),
        Good("FROM alpine:3.22\nRUN apk add --no-cache\n"),
    )


class GemUnpinned(Unpinned):
    """A gem is installed without a version.

    The build takes the newest one of its day, and two builds differ.
    """

    code = "P105"
    name = "gem-unpinned"
    aliases = ("DL3028",)
    families = ("gem",)
    verbs = ("install", "i")
    way = "write name:version, or -v version"
    examples = (
        Bad("FROM ruby:3.4\nRUN gem install bundler\n", at="bundler"),
        Bad("FROM ruby:3.4\nRUN gem install --no-document rails redis:5.3.0\n", at="rails"),
        Good("FROM ruby:3.4\nRUN gem install bundler:2.6.2\n"),
        Good("FROM ruby:3.4\nRUN gem install bundler -v 2.6.2\n"),
        Good("FROM ruby:3.4\nRUN gem install --version '~> 2.6' bundler\n"),
        Good("FROM ruby:3.4\nCOPY app.gem /tmp/\nRUN gem install /tmp/app.gem\n"),
    )


class YumUnpinned(Unpinned):
    """A package is installed with yum without a version.

    Off unless selected: archives drop old versions, so a pinned build breaks at the next update.
    """

    code = "P106"
    name = "yum-unpinned"
    aliases = ("DL3033",)
    strict = False
    families = ("dnf",)
    programs = ("yum",)
    verbs = ("install", "module")
    way = "write name-version"
    examples = (
        Bad("FROM centos:7\nRUN yum install -y curl\n", at="curl"),
        Good("FROM centos:7\nRUN yum install -y curl-7.29.0-59.el7\n"),
        Good("FROM centos:7\nRUN yum install -y /tmp/tool.rpm\n"),
        Good("FROM centos:7\nRUN yum module install -y nodejs:20\n"),
    )


class ZypperUnpinned(Unpinned):
    """A package is installed with zypper without a version.

    Off unless selected: archives drop old versions, so a pinned build breaks at the next update.
    """

    code = "P107"
    name = "zypper-unpinned"
    aliases = ("DL3037",)
    strict = False
    families = ("zypper",)
    verbs = ("install", "in")
    way = "write name=version"
    examples = (
        Bad("FROM opensuse/leap:15.6\nRUN zypper -n install curl\n", at="curl"),
        Good("FROM opensuse/leap:15.6\nRUN zypper -n install curl=8.6.0\n"),
        Good("FROM opensuse/leap:15.6\nRUN zypper -n install 'curl>=8'\n"),
        Good("FROM opensuse/leap:15.6\nRUN zypper -n install ./tool.rpm\n"),
    )


class DnfUnpinned(Unpinned):
    """A package is installed with dnf without a version.

    Off unless selected: archives drop old versions, so a pinned build breaks at the next update.
    """

    code = "P108"
    name = "dnf-unpinned"
    aliases = ("DL3041",)
    strict = False
    families = ("dnf",)
    programs = ("dnf", "dnf5", "microdnf", "tdnf")
    verbs = ("install", "in", "module")
    way = "write name-version"
    examples = (
        Bad("FROM fedora:42\nRUN dnf install -y curl\n", at="curl"),
        Bad("FROM fedora:42\nRUN dnf module install -y nodejs\n", at="nodejs"),
        Good("FROM fedora:42\nRUN dnf install -y curl-8.11.1\n"),
        Good("FROM fedora:42\nRUN dnf module install -y nodejs:20\n"),
        Good("FROM fedora:42\nRUN dnf group install -y 'Development Tools'\n"),
        Good("FROM fedora:42\nARG V\nRUN dnf install -y curl-$V\n", why="whoever sets the variable holds the version"),
    )

    def _is_loose(self, build: Build, step: Step, call: Invocation, package: Package) -> bool:
        return not package.word.variables and super()._is_loose(build, step, call, package)


class GoUnpinned(Unpinned):
    """A Go program is fetched without a version, or as ``@latest``.

    The build takes the newest one of its day, so it can break or change without any edit, and the build cache hides
    that until it is cleared.
    """

    code = "P109"
    name = "go-unpinned"
    aliases = ("DL3062",)
    severity = Severity.WARNING
    default = True
    families = ("go",)
    verbs = ("install", "get", "run")
    way = "write path@version"
    examples = (
        Bad("FROM golang:1.24\nRUN go install example.com/tool@latest\n", at="example.com/tool@latest"),
        Bad("FROM golang:1.12\nRUN go get -u github.com/golang/dep/cmd/dep\n", at="github.com/golang/dep/cmd/dep"),
        Good("FROM golang:1.24\nRUN go install example.com/tool@v1.2.3\n"),
        Good("FROM golang:1.24\nRUN go install ./cmd/... && go get ./... && go install .\n", why="the project itself"),
        Good("FROM golang:1.24\nRUN go install -ldflags '-s -w' cmd/compile\n", why="of the standard library"),
        Good("FROM golang:1.24\nRUN go run main.go\n"),
        Good("FROM golang:1.24\nWORKDIR /app\nCOPY go.mod .\nRUN go install example.com/tool\n", why="go.mod holds it"),
        Good(
            "FROM golang:1.9\nRUN go get -d example.com/tool && cd src/example.com/tool && git checkout v1.0\n",
            why="the checkout holds the version",
        ),
        Good(
            "FROM golang:1.9\nCOPY . /go/src/example.com/me/app\nRUN go get example.com/me/app/...\n",
            why="it is there already",
        ),
        Good("FROM golang:1.24\nARG V\nRUN go install example.com/tool@$V\n"),
    )

    def _is_meant(self, step: Step, call: Invocation) -> bool:
        return super()._is_meant(step, call) and not any(
            command.name == "git" and any(word in ("checkout", "reset") for word in command.values)
            for command in step.commands
        )

    def _is_loose(self, build: Build, step: Step, call: Invocation, package: Package) -> bool:
        verb = call.verb.value if call.verb is not None else ""
        if package.version is None and (verb != "get" or "." not in package.name.partition("/")[0]):
            return False  # without a version only "go get" asks the network for the newest
        return super()._is_loose(build, step, call, package) and not _is_present(build, step, package.name)


def _is_present(build: Build, step: Step, name: str) -> bool:
    """Tell whether a package lies in the work directory, or where a copy brought it."""
    places = [step.before.workdir]
    places += [
        one.destination
        for one in earlier(build.graph, step)
        if isinstance(one.instruction, FileInstruction) and one.arguments
    ]
    projects = [place.partition("/src/")[2].strip("/.") for place in places if "/src/" in place]
    return any(project and (name + "/").startswith(project + "/") for project in projects)
