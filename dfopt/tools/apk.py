"""Alpine's package manager."""

from __future__ import annotations

from dfopt.tools.caches import CLEANING
from dfopt.tools.model import Effects, Invocation
from dfopt.tools.paths import Place
from dfopt.tools.table import SYSTEM, tool, verb

_CACHE = "/var/cache/apk/"
_READS = ("/etc/", "/lib/apk/", "/usr/", "/var/cache/apk/")


def _local(invocation: Invocation, place: Place) -> Effects:
    """Package files are read; ``--no-cache`` and ``-U`` bring the index along."""
    files = frozenset(place.path(word) for word in invocation.operands if (word.value or word.pattern).endswith(".apk"))
    fresh = invocation.has("--no-cache", "-U")
    return Effects(reads=files, refreshes=frozenset(("apk",)) if fresh else frozenset())


TOOLS = (
    tool("apk", "apk", "package-manager",
         verb("add", "install", "-t --virtual =text | -u --upgrade | -l --latest | -s --simulate | --initdb "
                 "| --no-chown",
              reads=_READS, writes=SYSTEM, network=True, needs_lists=True, changes_packages=True, users=True,
              leaves=(_CACHE,), shape=_local, seconds=6),
         verb("update", "update", network=True, refreshes_lists=True, reads=("/etc/apk/",), writes=(_CACHE,),
              leaves=(_CACHE,), seconds=2),
         verb("upgrade|fix", "upgrade", "-a --available | -l --latest | --self-upgrade-only | --prune", reads=_READS,
              writes=SYSTEM, network=True,
              needs_lists=True, changes_packages=True, users=True, leaves=(_CACHE,), shape=_local, seconds=6),
         verb("del", "remove", "-r --rdepends", reads=("/etc/apk/", "/lib/apk/"), writes=SYSTEM,
              changes_packages=True, users=True, seconds=1),
         verb("fetch", "fetch", "-o --output =tree | -R --recursive | -s --stdout | -L --link | --url", network=True,
              needs_lists=True,
              reads=_READS, writes=("*.apk",), seconds=3),
         verb("cache clean|cache purge|cache", "clean", reads=("/etc/apk/",), writes=(_CACHE,),
              removes=("/var/cache/apk/*", "/etc/apk/cache/*")),
         verb("info|list|search|policy|version|stats|audit|dot|verify|manifest|index|query", "query",
              "-o --output =write | -d =text",
              reads=("/etc/apk/", "/lib/apk/", _CACHE)),
         opts="--no-cache | -U --update-cache | --update | -X --repository =text | -p --root =tree | --arch =text "
              "| --keys-dir =read"
              "| --repositories-file =read | --allow-untrusted | -q --quiet | -v --verbose | -f --force "
                  "| --force-broken-world"
              "| --force-overwrite | --force-old-apk | --force-refresh | --force-non-repository | -i --interactive "
                  "| --purge | --no-progress | --progress"
              "| --wait =text | --cache-dir =text | --cache-max-age =text | --no-network | --no-scripts "
                  "| --no-commit-hooks"
              "| --clean-protected | --overlay-from-stdin | --timeout =text | --print-arch | --initdb | -V --version "
                  "| -t --virtual =text",
         cleaning=CLEANING["apk"], yes=(), pin="=", minimal=(), database=("apk",), lists=(_CACHE,),
         environment=("APK_*",), doc="Alpine's package manager"),
    tool("apk-install", "apk", "package-manager",
         verb("", "install", reads=_READS, writes=SYSTEM, network=True, changes_packages=True, users=True, seconds=6),
         database=("apk",), doc="apk add --no-cache of some old images"),
    tool("setup-apkrepos setup-timezone setup-hostname", "alpine-conf", "service", verb("", "configure",
        reads=("/etc/",), writes=("/etc/",)),
         opts="-z =text | -i =text", doc="sets up Alpine"),
    tool("abuild abuild-keygen abuild-sign", "abuild", "build", verb("", "build", wall=True, runs_project_code=True,
        seconds=60), permutes=False,
         doc="builds Alpine packages"),
)  # fmt: skip
