"""What official images are made of: their base, the packages their Dockerfiles ask apt for, the programs they bring.

Read from the images' own Dockerfiles (docker-library, MIT and Apache-2.0 repositories) in 2025 and 2026.
``make_images.py`` turns a recipe into the list of installed packages with the apt resolver of dfopt.
"""

from __future__ import annotations

import re
from typing import NamedTuple


def _names(text: str) -> tuple[str, ...]:
    return tuple(text.split())


CURL = ("ca-certificates", "curl", "gnupg", "netbase", "sq", "wget", "tzdata")
SCM = ("git", "mercurial", "openssh-client", "subversion", "procps")
BUILD = _names(
    "autoconf automake bzip2 default-libmysqlclient-dev dpkg-dev file g++ gcc imagemagick libbz2-dev libc6-dev "
    "libcurl4-openssl-dev libdb-dev libevent-dev libffi-dev libgdbm-dev libglib2.0-dev libgmp-dev libjpeg-dev "
    "libkrb5-dev liblzma-dev libmagickcore-dev libmagickwand-dev libmaxminddb-dev libncurses5-dev libncursesw5-dev "
    "libpng-dev libpq-dev libreadline-dev libsqlite3-dev libssl-dev libtool libwebp-dev libxml2-dev libxslt-dev "
    "libyaml-dev make patch unzip xz-utils zlib1g-dev"
)


class Recipe(NamedTuple):
    """An image's make: the name of its package list, whether docs are left out, and what apt is asked for."""

    name: str
    slim: bool
    packages: tuple[str, ...] = ()


SLIM = Recipe("debian", True)
CURL_DEPS = Recipe("buildpack-deps-curl", False, CURL)
SCM_DEPS = Recipe("buildpack-deps-scm", False, CURL + SCM)
BUILD_DEPS = Recipe("buildpack-deps", False, CURL + SCM + BUILD)
PHP = Recipe("php", True, _names(
    "autoconf dpkg-dev file g++ gcc libc6-dev make pkg-config re2c ca-certificates curl xz-utils libargon2-1 libcurl4 "
    "libonig5 libreadline8 libsodium23 libsqlite3-0 libxml2 zlib1g"
))  # fmt: skip

# (image, words that the tag must hold, recipe); the first that fits counts. Images on Alpine, Ubuntu and Oracle Linux
# are left out: a tag with "alpine" fits nothing here.
RECIPES: tuple[tuple[str, str, Recipe], ...] = (
    ("debian", "slim", SLIM),
    ("debian", "", Recipe("debian", False)),
    ("buildpack-deps", "curl", CURL_DEPS),
    ("buildpack-deps", "scm", SCM_DEPS),
    ("buildpack-deps", "", BUILD_DEPS),
    ("python", "slim", Recipe("python-slim", True, (
        "ca-certificates", "netbase", "tzdata", "libbz2-1.0", "libdb5.3", "libgdbm6", "libgdbm-compat4", "libffi8",
        "liblzma5",
        "libncursesw6", "libreadline8", "libsqlite3-0", "libssl3", "libuuid1", "zlib1g"))),
    ("python", "", Recipe("python", False, (*BUILD_DEPS.packages, "libbluetooth-dev", "tk-dev", "uuid-dev"))),
    ("node", "slim", SLIM),
    ("node", "", BUILD_DEPS),
    ("golang", "", Recipe("golang", False, (*SCM_DEPS.packages, "g++", "gcc", "libc6-dev", "make", "pkg-config"))),
    ("rust", "slim", Recipe("rust-slim", True, ("ca-certificates", "gcc", "libc6-dev"))),
    ("rust", "", BUILD_DEPS),
    ("ruby", "slim", Recipe("ruby-slim", True, ("bzip2", "ca-certificates", "libffi-dev", "libgmp-dev", "libssl-dev",
                                               "libyaml-dev", "procps", "zlib1g-dev"))),
    ("ruby", "", BUILD_DEPS),
    ("php", "apache", PHP._replace(name="php-apache", packages=(*PHP.packages, "apache2"))),
    ("php", "", PHP),
    ("wordpress", "fpm", PHP),
    ("wordpress", "", PHP._replace(name="php-apache", packages=(*PHP.packages, "apache2"))),
    ("openjdk", "slim", Recipe("openjdk-slim", True, ("ca-certificates", "p11-kit"))),
    ("openjdk", "", Recipe("openjdk", False, (*SCM_DEPS.packages, "bzip2", "unzip", "xz-utils", "fontconfig",
                                             "libfreetype6", "ca-certificates", "p11-kit"))),
    ("perl", "slim", SLIM),
    ("perl", "", BUILD_DEPS),
    ("gcc", "", BUILD_DEPS),
    ("erlang", "slim", SLIM),
    ("erlang", "", BUILD_DEPS),
    ("elixir", "slim", SLIM),
    ("elixir", "", BUILD_DEPS),
    ("postgres", "", Recipe("postgres", True, ("gnupg", "less", "libnss-wrapper", "xz-utils", "zstd", "locales"))),
    ("nginx", "", Recipe("nginx", True, ("ca-certificates", "gettext-base", "curl", "libgeoip1", "libxml2",
                                         "libxslt1.1",
                                         "libgd3", "libedit2", "libpcre2-8-0"))),
    ("httpd", "", Recipe("httpd", True, ("ca-certificates", "libaprutil1-ldap", "libldap-common", "libapr1",
                                         "libaprutil1", "libbrotli1", "libcurl4", "libjansson4", "libnghttp2-14"))),
    ("redis", "", SLIM),
    ("memcached", "", SLIM),
    ("haproxy", "", SLIM),
)  # fmt: skip

_BUILD_TOOLS = ("gcc", "g++", "make", "git", "curl", "wget", "tar", "unzip", "patch", "autoconf", "pkg-config")
_SCM_TOOLS = ("git", "curl", "wget", "gpg", "ssh")

# Programs an image is used for, by image and (where it matters) a word of the tag.
COMMANDS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("python", "", ("python", "python3", "pip", "pip3")),
    ("node", "", ("node", "npm", "npx", "yarn")),
    ("golang", "", ("go", "gofmt")),
    ("rust", "", ("cargo", "rustc", "rustup")),
    ("ruby", "", ("ruby", "gem", "bundle", "irb")),
    ("php", "", ("php", "docker-php-ext-install", "docker-php-ext-configure", "docker-php-ext-enable", "pecl")),
    ("wordpress", "", ("php", "docker-php-ext-install")),
    ("composer", "", ("php", "composer", "git", "unzip")),
    ("perl", "", ("perl", "cpan", "cpanm")),
    ("gcc", "", ("gcc", "g++", "gfortran", "make")),
    ("openjdk", "jre", ("java",)),
    ("openjdk", "", ("java", "javac", "jar", "jlink")),
    ("java", "jre", ("java",)),
    ("java", "", ("java", "javac", "jar")),
    ("eclipse-temurin", "jre", ("java",)),
    ("eclipse-temurin", "", ("java", "javac", "jar", "jlink")),
    ("maven", "", ("mvn", "java", "javac")),
    ("gradle", "", ("gradle", "java", "javac")),
    ("tomcat", "", ("java", "catalina.sh")),
    ("erlang", "", ("erl", "erlc", "rebar3")),
    ("elixir", "", ("elixir", "mix", "iex", "erl")),
    ("nginx", "", ("nginx", "envsubst")),
    ("httpd", "", ("httpd",)),
    ("docker", "", ("docker",)),
    ("mcr.microsoft.com/dotnet/sdk", "", ("dotnet",)),
    ("mcr.microsoft.com/dotnet/core/sdk", "", ("dotnet",)),
    ("mcr.microsoft.com/dotnet/runtime", "", ("dotnet",)),
    ("mcr.microsoft.com/dotnet/aspnet", "", ("dotnet",)),
)


def _words(tag: str) -> set[str]:
    return {re.sub(r"\d.*", "", word) or word for word in tag.split("-")}


def recipe(image: str, tag: str) -> Recipe | None:
    """Find how an image on Debian is made; None where nothing is known."""
    words = _words(tag)
    if "alpine" in words:
        return None
    return next((made for name, word, made in RECIPES if name == image and (not word or word in words)), None)


def commands(image: str, tag: str) -> tuple[str, ...]:
    """Name the programs an image brings beyond a minimal system."""
    words = _words(tag)
    own = next((found for name, word, found in COMMANDS if name == image and (not word or word in words)), ())
    made = recipe(image, tag)
    if made is not None and "gcc" in made.packages and "git" in made.packages:
        return own + tuple(tool for tool in _BUILD_TOOLS if tool not in own)
    if made is not None and "git" in made.packages:
        return own + tuple(tool for tool in _SCM_TOOLS if tool not in own)
    return own
