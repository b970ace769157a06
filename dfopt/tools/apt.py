"""Debian's package managers: apt-get, apt, aptitude, apt-cache, apt-mark, dpkg and their relatives."""

from __future__ import annotations

from typing import Any

from dfopt.tools.caches import CLEANING
from dfopt.tools.model import Effects, Invocation
from dfopt.tools.paths import Place
from dfopt.tools.table import SYSTEM, tool, verb

_LISTS = "/var/lib/apt/lists/"
_DEBS = "/var/cache/apt/"
_ENVIRONMENT = ("DEBIAN_FRONTEND", "DEBIAN_PRIORITY", "DEBCONF_*", "APT_*", "LANG", "LC_*", "LANGUAGE", "TZ")
_CONFIGURATION = ("/etc/", "/var/lib/dpkg/", "/var/lib/apt/", "/var/cache/debconf/", "/usr/", "/root/.gnupg/")
_OPTIONS = """
-y --yes --assume-yes | --assume-no | -q --quiet | -qq | -d --download-only | -f --fix-broken
-m --ignore-missing --fix-missing
-s --simulate --just-print --dry-run --recon --no-act | -t --target-release --default-release =text
-a --host-architecture =text
-o --option =text | -c --config-file =read | --no-install-recommends | --install-recommends | --no-install-suggests
--install-suggests
--no-upgrade | --only-upgrade | --allow-downgrades | --allow-remove-essential | --allow-change-held-packages
--allow-unauthenticated
--force-yes | --trivial-only | --no-remove | --auto-remove --autoremove | --purge | --reinstall | --no-download
--ignore-hold
--no-list-cleanup | -b --build --compile | -P --build-profiles =text | --solver =text | --allow-insecure-repositories
--allow-releaseinfo-change | --show-progress | --no-show-upgraded | -u --show-upgraded | -V --verbose-versions
--download | --fix-policy
--with-source =read | --update | -U | --no-cache | --allow-releaseinfo-change-suite | --print-uris | -h --help
-v --version
"""
_CHANGES: dict[str, Any] = {
    "reads": _CONFIGURATION,
    "writes": SYSTEM,
    "network": True,
    "needs_lists": True,
    "changes_packages": True,
    "users": True,
    "leaves": ("/var/cache/apt/archives/",),
}


def _install(invocation: Invocation, place: Place) -> Effects:
    # A local package file is read; everything else comes from the index.
    reads = [place.path(word) for word in invocation.operands if (word.value or word.pattern).endswith(".deb")]
    if invocation.has("-s"):
        return Effects(reads=frozenset(reads))
    refreshes = frozenset(("apt",)) if invocation.has("--update", "-U") else frozenset[str]()
    return Effects(reads=frozenset(reads), refreshes=refreshes)


_VERBS = (
    verb("update", "update", network=True, refreshes_lists=True, reads=("/etc/apt/", "/usr/share/keyrings/", _LISTS),
         writes=(_LISTS, _DEBS), leaves=(_LISTS,), seconds=5),
    verb("install|reinstall|satisfy", "install", shape=_install, seconds=15, **_CHANGES),
    verb("build-dep", "install", seconds=40, **_CHANGES),
    verb("upgrade|dist-upgrade|full-upgrade|safe-upgrade|dselect-upgrade", "upgrade", seconds=20, **_CHANGES),
    verb("remove|purge", "remove", reads=_CONFIGURATION, writes=SYSTEM, changes_packages=True, users=True, seconds=3),
    verb("autoremove|autopurge|auto-remove", "autoremove", reads=_CONFIGURATION, writes=SYSTEM, changes_packages=True,
         users=True, seconds=3),
    verb("clean|autoclean|auto-clean|distclean", "clean", reads=("/etc/apt/", ), writes=(_DEBS,
        "/var/lib/apt/lists/partial/"),
         removes=("/var/cache/apt/archives/*", "/var/cache/apt/pkgcache.bin",
                  "/var/cache/apt/srcpkgcache.bin"), deterministic=True, seconds=0.3),
    verb("download", "fetch", network=True, needs_lists=True, reads=_CONFIGURATION, writes=("*.deb",), seconds=3),
    verb("source", "fetch", network=True, needs_lists=True, reads=_CONFIGURATION, writes=("./",), seconds=5),
    verb("changelog|indextargets|check|list|search|show|policy|depends|rdepends|madison|moo|why|why-not|showsrc"
            "|pkgnames|showpkg|stats",
         "query", needs_lists=True, reads=("/etc/apt/", _LISTS, "/var/lib/dpkg/"), writes=(_DEBS,), seconds=1),
    verb("edit-sources", "edit", writes=("/etc/apt/",)),
    verb("markauto|unmarkauto|hold|unhold", "configure", reads=("/var/lib/dpkg/", "/var/lib/apt/"),
         writes=("/var/lib/dpkg/", "/var/lib/apt/extended_states"), changes_packages=True),
    verb("version|help", "query"),
)  # fmt: skip


def _dpkg(invocation: Invocation, place: Place) -> Effects:
    # What dpkg does depends on its action option.
    if invocation.has("-i", "--unpack", "--configure"):
        return Effects(
            reads=frozenset(place.path(word) for word in invocation.operands)
            | frozenset(("/var/lib/dpkg/", "/etc/", "/usr/")),
            writes=frozenset(SYSTEM),
            packages=frozenset(("dpkg",)),
            users=True,
        )
    if invocation.has("-r", "-P"):
        return Effects(
            reads=frozenset(("/var/lib/dpkg/", "/etc/", "/usr/")),
            writes=frozenset(SYSTEM),
            packages=frozenset(("dpkg",)),
            users=True,
        )
    if invocation.has("--add-architecture", "--remove-architecture", "--set-selections", "--clear-selections"):
        return Effects(writes=frozenset(("/var/lib/dpkg/",)), packages=frozenset(("dpkg",)))
    if invocation.has("-x", "-X", "-e", "-R"):
        files = invocation.operands
        return Effects(
            reads=frozenset(place.path(word) for word in files[:1]),
            writes=frozenset(place.tree(word) for word in files[1:]) or frozenset((place.join("./"),)),
        )
    if invocation.has("-b"):
        return Effects(
            reads=frozenset(place.tree(word) for word in invocation.operands[:1]),
            writes=frozenset(place.path(word) for word in invocation.operands[1:]) or frozenset((place.join("./"),)),
        )
    return Effects(reads=frozenset(("/var/lib/dpkg/",)) | frozenset(place.path(word) for word in invocation.operands))


TOOLS = (
    tool("apt-get apt apt-fast aptitude", "apt", "package-manager", *_VERBS, opts=_OPTIONS, cleaning=CLEANING["apt"],
         yes=("-y", "--yes", "--assume-yes", "-qq"), pin="=", minimal=("--no-install-recommends",), database=("dpkg",),
         lists=(_LISTS,), environment=_ENVIRONMENT, doc="Debian's package manager"),
    tool("install_packages apt-install", "apt", "package-manager",
         verb("", "install", shape=_install, seconds=18, removes=("/var/lib/apt/lists/*",), **{**_CHANGES,
              "needs_lists": False}),
         opts="-y", pin="=", database=("dpkg",), environment=_ENVIRONMENT,
         doc="install scripts of some base images: update, install, clean"),
    tool("apt-cache", "apt", "package-manager", *(v for v in _VERBS if v.action == "query"), opts=_OPTIONS,
         environment=_ENVIRONMENT, doc="queries Debian's package lists"),
    tool("apt-mark", "apt", "package-manager",
         verb("auto|manual|hold|unhold|minimize-manual", "configure", reads=("/var/lib/dpkg/", "/var/lib/apt/"),
              writes=("/var/lib/dpkg/", "/var/lib/apt/extended_states"), changes_packages=True),
         verb("showauto|showmanual|showhold|showinstall", "query", reads=("/var/lib/dpkg/",
              "/var/lib/apt/extended_states")),
         opts="-f --file =read | -o --option =text | -y | -q | -qq", database=("dpkg",), doc="marks packages"),
    tool("apt-key", "apt-key", "package-manager",
         verb("add", "configure", operands="read", writes=("/etc/apt/",), reads=("/etc/apt/",), seconds=0.5),
         verb("adv|net-update|update", "configure", network=True, writes=("/etc/apt/", "/root/.gnupg/"),
              reads=("/etc/apt/",), seconds=3),
         verb("del|remove", "configure", writes=("/etc/apt/",), reads=("/etc/apt/",)),
         verb("list|finger|export|exportall|fingerprint", "query", reads=("/etc/apt/",)),
         opts="--keyring =read | --keyserver =text | --recv-keys | --recv | --fetch-keys | --keyserver-options =text",
         doc="trusts keys of package archives"),
    tool("add-apt-repository apt-add-repository", "add-apt-repository", "package-manager",
         verb("", "configure", network=True, reads=("/etc/",), writes=("/etc/apt/", "/var/lib/apt/lists/",
              "/root/.gnupg/", "/usr/share/keyrings/"),
              seconds=6),
         opts="-y --yes | -n --no-update | -u --update | -r --remove | -s --enable-source | -m --massive-debug "
              "| -k --keyserver =text"
              "| -P --ppa =text | -C --cloud =text | -c --component =text | -U --uri =text | -S --sourceslist =text "
                  "| -L --login",
         yes=("-y", "--yes"), doc="adds a package archive"),
    tool("dpkg", "dpkg", "package-manager", verb("", "install", shape=_dpkg, seconds=2),
         opts="-i --install | --unpack | --configure | -r --remove | -P --purge | -l --list | -L --listfiles "
              "| -s --status | -S --search"
              "| -p --print-avail | -I --info | -c --contents | -x --extract | -X --vextract | -e --control "
                  "| -b --build | -W --show"
              "| --add-architecture =text | --remove-architecture =text | --print-architecture "
                  "| --print-foreign-architectures"
              "| --get-selections | --set-selections | --clear-selections | --force-all | -a --pending "
                  "| --root =tree | --admindir =text"
              "| -R --recursive | -E | -G | --compare-versions | --no-triggers | -V --verify | --audit | --version",
         database=("dpkg",), environment=_ENVIRONMENT, doc="installs package files"),
    tool("dpkg-deb", "dpkg", "archive", verb("", "unpack", shape=_dpkg, seconds=1),
         opts="-b --build | -x --extract | -X --vextract | -e --control | -R --raw-extract | -c --contents "
              "| -I --info | -Z =text | -W --show"
              "| -f --field | --root-owner-group", doc="packs and unpacks package files"),
    tool("dpkg-query dpkg-architecture dpkg-vendor dpkg-parsechangelog", "dpkg", "package-manager", verb("", "query",
        reads=("/var/lib/dpkg/",)),
         opts="-W --show | -l | -L | -s | -S | -f --showformat =text | -q =text | -a =text",
         doc="queries the package database"),
    tool("dpkg-reconfigure", "dpkg", "package-manager",
         verb("", "configure", reads=("/etc/", "/usr/", "/var/"), writes=("/etc/", "/var/", "/usr/"),
              changes_packages=True, seconds=2),
         opts="-f --frontend =text | -p --priority =text | -u --unseen-only | --force | --no-reload | -a --all | -plow",
         database=("dpkg",), environment=_ENVIRONMENT, doc="configures a package again"),
    tool("dpkg-divert dpkg-statoverride", "dpkg", "package-manager",
         verb("", "configure", reads=("/var/lib/dpkg/",), writes=("/var/lib/dpkg/", "/usr/", "/etc/", "/bin/",
              "/sbin/", "/lib/", "/opt/", "/var/"),
              changes_packages=True),
         opts="--local | --rename | --no-rename | --add | --remove | --divert =text | --package =text | --quiet",
         database=("dpkg",),
         doc="diverts files of packages"),
    tool("debconf-set-selections", "debconf", "package-manager",
         verb("", "configure", operands="read", reads=("/var/cache/debconf/", "/etc/debconf.conf"),
              writes=("/var/cache/debconf/",)),
         opts="-v --verbose | -c --checkonly | -u --unseen", doc="answers package questions in advance"),
    tool("gdebi gdebi-core", "dpkg", "package-manager",
         verb("", "install", operands="read", network=True, needs_lists=True, changes_packages=True, users=True,
              reads=_CONFIGURATION,
              writes=SYSTEM, seconds=15),
         opts="-n --non-interactive | -q --quiet | -o --option =text", database=("dpkg",),
         doc="installs a package file and what it needs"),
    tool("dpkg-buildpackage debuild dh_auto_build dh_make debchange dch mk-build-deps equivs-build equivs-control "
            "dpkg-source", "debian-build", "build",
         verb("", "build", wall=True, runs_project_code=True, seconds=60), permutes=False,
              doc="builds Debian packages"),
)  # fmt: skip
