"""Common packages of distributions: which programs they bring, and which of them serve building rather than running.

The programs are those of Debian's packages where the distributions agree; sources are the packages' own file lists.
"""

from __future__ import annotations

import re
from typing import Literal

Purpose = Literal["compiler", "build", "headers", "vcs", "fetch", "archive", "keys", "setup"]

BUILD_PACKAGES: dict[str, dict[str, Purpose]] = {
    "apt": {
        "build-essential": "compiler", "gcc": "compiler", "g++": "compiler", "gcc-*": "compiler", "g++-*": "compiler",
        "cpp": "compiler", "clang": "compiler",
        "clang-*": "compiler", "llvm": "compiler", "llvm-*": "compiler", "gfortran": "compiler",
        "gfortran-*": "compiler", "nasm": "compiler", "yasm": "compiler",
        "golang": "compiler", "golang-*": "compiler", "cargo": "compiler", "rustc": "compiler", "ghc": "compiler",
        "default-jdk": "compiler", "default-jdk-headless": "compiler",
        "openjdk-*-jdk": "compiler", "openjdk-*-jdk-headless": "compiler", "binutils": "compiler", "swig": "compiler",
        "gcc-multilib": "compiler", "g++-multilib": "compiler",
        "cython": "compiler", "cython3": "compiler", "valac": "compiler", "lld": "compiler", "lld-*": "compiler",
        "mono-devel": "compiler", "crossbuild-essential-*": "compiler",
        "make": "build", "cmake": "build", "cmake-*": "build", "ninja-build": "build", "meson": "build",
        "autoconf": "build", "autoconf*": "build", "automake": "build",
        "automake*": "build", "libtool": "build", "libtool-bin": "build", "pkg-config": "build", "pkgconf": "build",
        "bison": "build", "flex": "build", "gettext": "build",
        "intltool": "build", "m4": "build", "patch": "build", "dpkg-dev": "build", "debhelper": "build",
        "devscripts": "build", "fakeroot": "build", "checkinstall": "build",
        "scons": "build", "bazel": "build", "maven": "build", "gradle": "build", "ant": "build", "sbt": "build",
        "ccache": "build", "texinfo": "build", "help2man": "build",
        "doxygen": "build", "patchelf": "build", "chrpath": "build", "gperf": "build", "re2c": "build",
        "quilt": "build", "equivs": "build", "node-gyp": "build",
        "protobuf-compiler": "build", "python3-setuptools": "build", "python3-wheel": "build",
        "python-setuptools": "build", "php*-dev": "build", "ruby*-dev": "build",
        "git": "vcs", "git-core": "vcs", "git-lfs": "vcs", "subversion": "vcs", "mercurial": "vcs", "bzr": "vcs",
        "brz": "vcs", "cvs": "vcs", "git-man": "vcs",
        "curl": "fetch", "wget": "fetch", "aria2": "fetch", "axel": "fetch", "rsync": "fetch", "lftp": "fetch",
        "apt-transport-https": "fetch",
        "unzip": "archive", "zip": "archive", "bzip2": "archive", "xz-utils": "archive", "lzma": "archive",
        "p7zip": "archive", "p7zip-full": "archive", "unrar": "archive",
        "unrar-free": "archive", "zstd": "archive", "cpio": "archive", "rpm2cpio": "archive", "lz4": "archive",
        "pigz": "archive", "cabextract": "archive", "libarchive-tools": "archive",
        "gnupg": "keys", "gnupg2": "keys", "gnupg1": "keys", "gpg": "keys", "gpg-agent": "keys", "dirmngr": "keys",
        "gpgv": "keys", "debian-keyring": "keys",
        "software-properties-common": "setup", "python-software-properties": "setup", "lsb-release": "setup",
        "debconf-utils": "setup", "apt-utils": "setup",
        "linux-headers-*": "headers", "linux-libc-dev": "headers", "libc6-dev*": "headers", "python3-dev": "headers",
        "python-dev": "headers", "python3.*-dev": "headers",
        "python2.7-dev": "headers", "python-dev-is-python3": "headers", "libpython*-dev": "headers",
        "default-libmysqlclient-dev": "headers", "*-dev": "headers", "*-dbg": "headers",
        "*-doc": "build",
    },
    "apk": {
        "build-base": "compiler", "alpine-sdk": "compiler", "gcc": "compiler", "g++": "compiler", "clang": "compiler",
        "clang*": "compiler", "llvm*": "compiler", "gfortran": "compiler",
        "go": "compiler", "cargo": "compiler", "rust": "compiler", "openjdk*-jdk": "compiler", "openjdk8": "compiler",
        "openjdk11": "compiler", "openjdk17": "compiler", "openjdk21": "compiler",
        "binutils": "compiler", "nasm": "compiler", "yasm": "compiler", "ghc": "compiler", "swig": "compiler",
        "cython": "compiler", "vala": "compiler", "lld": "compiler",
        "make": "build", "cmake": "build", "ninja": "build", "samurai": "build", "ninja-build": "build",
        "meson": "build", "autoconf": "build", "automake": "build", "libtool": "build", "pkgconf": "build",
        "pkgconfig": "build", "bison": "build", "flex": "build", "m4": "build", "patch": "build", "abuild": "build",
        "fakeroot": "build", "scons": "build", "maven": "build", "gradle": "build", "ccache": "build",
        "re2c": "build", "file": "build", "dpkg-dev": "build", "dpkg": "build", "texinfo": "build",
        "patchelf": "build", "chrpath": "build", "upx": "build", "py3-setuptools": "build", "py3-wheel": "build",
        "gperf": "build",
        "protoc": "build", "protobuf": "build", "apache-ant": "build", "argp-standalone": "build",
        "coreutils": "build", "bsd-compat-headers": "headers",
        "git": "vcs", "git-lfs": "vcs", "subversion": "vcs", "mercurial": "vcs",
        "curl": "fetch", "wget": "fetch", "aria2": "fetch", "rsync": "fetch", "unzip": "archive", "zip": "archive",
        "tar": "archive", "xz": "archive", "bzip2": "archive", "gzip": "archive", "p7zip": "archive",
        "zstd": "archive", "cpio": "archive", "libarchive-tools": "archive", "gnupg": "keys", "gpg": "keys",
        "gnupg1": "keys", "linux-headers": "headers", "musl-dev": "headers", "libc-dev": "headers",
        "*-dev": "headers", "*-dbg": "headers", "*-doc": "build",
    },
    "dnf": {
        "gcc": "compiler", "gcc-c++": "compiler", "gcc-gfortran": "compiler", "clang": "compiler", "llvm": "compiler",
        "llvm-*": "compiler", "cpp": "compiler", "golang": "compiler", "cargo": "compiler", "rust": "compiler",
        "java-*-openjdk-devel": "compiler", "binutils": "compiler", "nasm": "compiler", "yasm": "compiler",
        "swig": "compiler", "build-essential": "compiler", "@development*": "compiler", "@Development*": "compiler",
        "Development Tools": "compiler", "devtoolset-*": "compiler", "gcc-toolset-*": "compiler",
        "glibc-headers": "headers", "kernel-headers": "headers", "make": "build", "cmake": "build", "cmake3": "build",
        "ninja-build": "build", "meson": "build", "autoconf": "build",
        "automake": "build", "libtool": "build", "pkgconfig": "build", "pkgconf-pkg-config": "build",
        "bison": "build", "flex": "build", "gettext": "build", "m4": "build", "patch": "build", "rpm-build": "build",
        "rpmdevtools": "build",
        "redhat-rpm-config": "build", "scons": "build", "maven": "build", "ant": "build", "ccache": "build",
        "texinfo": "build", "yum-utils": "setup", "dnf-plugins-core": "setup", "epel-release": "setup",
        "redhat-lsb-core": "setup",
        "python*-setuptools": "build", "git": "vcs", "git-core": "vcs", "git-lfs": "vcs", "subversion": "vcs",
        "mercurial": "vcs", "curl": "fetch", "wget": "fetch", "rsync": "fetch", "aria2": "fetch", "unzip": "archive",
        "zip": "archive",
        "tar": "archive", "xz": "archive", "bzip2": "archive", "gzip": "archive", "p7zip": "archive",
        "zstd": "archive", "cpio": "archive", "gnupg2": "keys", "*-devel": "headers", "*-headers": "headers",
        "*-static": "headers",
    },
}  # fmt: skip
"""Packages that serve building, by family: name or glob to what they are for. A listed name wins over a glob."""

_BINUTILS = "ld as ar strip objdump objcopy nm ranlib readelf strings size addr2line gold"
_GNUPG = "gpg gpg2 gpgv gpgconf gpg-agent gpg-connect-agent"
_GIT = "git git-upload-pack git-receive-pack git-shell"
PROGRAMS: dict[str, str] = {
    "build-essential": f"gcc g++ cc c++ cpp make dpkg-buildpackage dpkg-source dpkg-architecture patch {_BINUTILS}",
    "build-base": f"gcc g++ cc c++ cpp make patch {_BINUTILS}",
    "alpine-sdk": f"gcc g++ cc c++ cpp make patch abuild git {_BINUTILS}",
    "gcc": f"gcc cc cpp {_BINUTILS}", "g++": "g++ c++", "gcc-c++": "g++ c++", "clang": "clang clang++",
    "gfortran": "gfortran", "gcc-gfortran": "gfortran", "binutils": _BINUTILS,
    "make": "make gmake", "cmake": "cmake ctest cpack", "cmake3": "cmake3", "ninja-build": "ninja ninja-build",
    "ninja": "ninja", "samurai": "samu ninja", "meson": "meson",
    "autoconf": "autoconf autoreconf autoheader autoupdate autom4te",
    "automake": "automake aclocal", "libtool": "libtoolize libtool", "libtool-bin": "libtool",
    "pkg-config": "pkg-config", "pkgconf": "pkg-config pkgconf", "pkgconfig": "pkg-config",
    "pkgconf-pkg-config": "pkg-config", "bison": "bison yacc", "flex": "flex lex", "m4": "m4",
    "gettext": "msgfmt xgettext envsubst gettext autopoint", "gettext-base": "envsubst gettext", "patch": "patch",
    "swig": "swig", "nasm": "nasm", "yasm": "yasm", "patchelf": "patchelf", "ccache": "ccache", "texinfo": "makeinfo",
    "dpkg-dev": "dpkg-buildpackage dpkg-source dpkg-architecture dpkg-gencontrol",
    "curl": "curl", "wget": "wget", "aria2": "aria2c", "axel": "axel", "rsync": "rsync", "lftp": "lftp",
    "git": _GIT, "git-core": _GIT, "git-lfs": "git-lfs", "subversion": "svn svnadmin svnversion", "mercurial": "hg",
    "bzr": "bzr", "brz": "brz bzr", "cvs": "cvs",
    "unzip": "unzip zipinfo funzip", "zip": "zip zipnote", "xz-utils": "xz unxz xzcat lzma unlzma lzcat",
    "xz": "xz unxz xzcat lzma unlzma", "bzip2": "bzip2 bunzip2 bzcat", "p7zip": "7z 7za 7zr p7zip",
    "p7zip-full": "7z 7za 7zr", "zstd": "zstd unzstd zstdcat", "tar": "tar", "cpio": "cpio",
    "lz4": "lz4 unlz4", "pigz": "pigz unpigz", "libarchive-tools": "bsdtar bsdcpio bsdcat", "bsdtar": "bsdtar",
    "unrar": "unrar", "unrar-free": "unrar", "gzip": "gzip gunzip zcat", "file": "file", "rpm2cpio": "rpm2cpio",
    "cabextract": "cabextract",
    "gnupg": _GNUPG, "gnupg2": _GNUPG, "gnupg1": "gpg gpgv", "gpg": "gpg", "gpgv": "gpgv", "dirmngr": "dirmngr",
    "gpg-agent": "gpg-agent gpg-connect-agent",
    "ca-certificates": "update-ca-certificates update-ca-trust", "apt-transport-https": "",
    "software-properties-common": "add-apt-repository apt-add-repository",
    "python-software-properties": "add-apt-repository apt-add-repository",
    "lsb-release": "lsb_release", "redhat-lsb-core": "lsb_release", "debconf-utils": "debconf-get-selections",
    "apt-utils": "apt-ftparchive apt-extracttemplates",
    "yum-utils": "yum-config-manager yumdownloader repoquery yum-builddep package-cleanup",
    "dnf-plugins-core": "dnf-config-manager",
    "python3": "python3", "python": "python", "python-is-python3": "python", "python3-pip": "pip3 pip",
    "python-pip": "pip pip2", "py3-pip": "pip3 pip", "python3-venv": "", "virtualenv": "virtualenv",
    "python3-virtualenv": "virtualenv", "python3-setuptools": "", "python3-wheel": "", "pipenv": "pipenv",
    "python3-dev": "python3-config",
    "nodejs": "node nodejs", "npm": "npm npx", "yarn": "yarn yarnpkg", "yarnpkg": "yarnpkg",
    "ruby": "ruby gem irb erb", "ruby-full": "ruby gem irb erb rake", "ruby-dev": "", "bundler": "bundle bundler",
    "php-cli": "php", "php": "php", "composer": "composer", "perl": "perl", "lua": "lua", "luarocks": "luarocks",
    "golang": "go gofmt", "golang-go": "go gofmt", "go": "go gofmt", "cargo": "cargo", "rustc": "rustc",
    "rust": "rustc", "default-jdk": "java javac jar keytool jlink jshell",
    "default-jdk-headless": "java javac jar keytool jlink", "default-jre": "java keytool",
    "default-jre-headless": "java keytool", "maven": "mvn", "gradle": "gradle", "ant": "ant", "sbt": "sbt",
    "jq": "jq", "openssh-client": "ssh scp sftp ssh-keygen ssh-keyscan ssh-agent ssh-add",
    "openssh": "ssh scp sftp ssh-keygen ssh-keyscan sshd",
    "openssh-clients": "ssh scp sftp ssh-keyscan ssh-agent ssh-add", "openssl": "openssl c_rehash",
    "sudo": "sudo visudo", "procps": "ps top free pgrep pkill kill uptime watch sysctl vmstat",
    "psmisc": "killall fuser pstree",
    "net-tools": "ifconfig netstat route arp hostname", "iproute2": "ip ss bridge tc", "iputils-ping": "ping",
    "dnsutils": "dig nslookup host", "netcat": "nc netcat", "netcat-openbsd": "nc netcat", "vim": "vim vi view",
    "nano": "nano", "less": "less", "tree": "tree", "htop": "htop", "strace": "strace", "gdb": "gdb",
    "locales": "locale-gen localedef update-locale",
    "tzdata": "", "findutils": "find xargs", "coreutils": "", "diffutils": "diff cmp sdiff", "gawk": "gawk awk",
    "sed": "sed", "grep": "grep egrep fgrep", "bash": "bash", "which": "which", "util-linux": "",
    "shadow": "useradd usermod groupadd groupmod userdel passwd chpasswd",
    "shadow-utils": "useradd usermod groupadd groupmod userdel",
    "passwd": "useradd usermod groupadd groupmod userdel passwd chpasswd", "libcap2-bin": "setcap getcap",
    "libcap": "setcap getcap", "su-exec": "su-exec", "gosu": "gosu", "tini": "tini", "dumb-init": "dumb-init",
    "supervisor": "supervisord supervisorctl", "cron": "cron crontab", "dos2unix": "dos2unix unix2dos",
    "imagemagick": "convert mogrify identify composite", "ffmpeg": "ffmpeg ffprobe",
    "protobuf-compiler": "protoc", "doxygen": "doxygen", "scons": "scons", "upx-ucl": "upx upx-ucl", "upx": "upx",
    "debootstrap": "debootstrap", "socat": "socat", "telnet": "telnet", "screen": "screen", "tmux": "tmux",
    "lsof": "lsof", "sqlite3": "sqlite3", "mysql-client": "mysql mysqldump mysqladmin",
    "default-mysql-client": "mysql mysqldump mysqladmin",
    "mariadb-client": "mysql mariadb mysqldump mysqladmin",
    "postgresql-client": "psql pg_dump pg_restore createdb createuser", "redis-tools": "redis-cli",
    "xvfb": "Xvfb xvfb-run", "equivs": "equivs-build equivs-control", "devscripts": "debuild dch mk-build-deps uscan",
    "fakeroot": "fakeroot", "checkinstall": "checkinstall", "git-man": "",
}  # fmt: skip
"""The programs a package brings, by package name; the empty text is a package without programs of its own."""

_VERSIONED = re.compile(r"[-.]?\d[\w.]*$")


def build_purpose(family: str, package: str) -> Purpose | None:
    """Tell what a package serves if it serves building (compilers, headers, downloads ...); None for others.

    ``family`` is that of the package manager ("apt", "apk", "dnf"; zypper's names are taken to be dnf's).
    """
    table = BUILD_PACKAGES.get("dnf" if family == "zypper" else family)
    if table is None:
        return None
    if package in table:
        return table[package]
    return next((purpose for pattern, purpose in _globs(family, table) if pattern.fullmatch(package)), None)


def programs_of(package: str) -> frozenset[str] | None:
    """Give the programs a package brings (without version suffixes); None where that is not known.

    Packages of headers and documentation bring none.
    """
    known = PROGRAMS.get(package)
    if known is None:
        known = PROGRAMS.get(_VERSIONED.sub("", package))
    if known is not None:
        return frozenset(known.split())
    return frozenset() if package.endswith(("-dev", "-devel", "-headers", "-doc", "-dbg", "-data", "-common")) else None


_COMPILED: dict[str, list[tuple[re.Pattern[str], Purpose]]] = {}


def _globs(family: str, table: dict[str, Purpose]) -> list[tuple[re.Pattern[str], Purpose]]:
    found = _COMPILED.get(family)
    if found is None:
        found = [
            (re.compile(re.escape(name).replace(r"\*", ".*")), purpose)
            for name, purpose in table.items()
            if "*" in name
        ]
        _COMPILED[family] = found
    return found
