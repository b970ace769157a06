"""Package managers of Fedora, Red Hat, Amazon and Photon systems: dnf, yum, microdnf, tdnf, rpm and their relatives."""

from __future__ import annotations

from typing import Any

from dfopt.tools.caches import CLEANING
from dfopt.tools.model import Effects, Invocation
from dfopt.tools.paths import Place
from dfopt.tools.table import SYSTEM, tool, verb

_CACHES = ("/var/cache/dnf/", "/var/cache/libdnf5/", "/var/cache/yum/", "/var/cache/tdnf/")
_READS = ("/etc/", "/usr/", "/var/lib/rpm/", "/var/lib/dnf/", "/var/lib/yum/", *_CACHES)
_OPTIONS = """
-y --assumeyes | --assumeno | -q --quiet | -v --verbose | -b --best | --nobest | --allowerasing | --skip-broken
-C --cacheonly
-c --config =read | -x --exclude --excludepkgs =text | --enablerepo =text | --disablerepo =text
--repo --repoid =text | --repofrompath =text
--installroot =tree | --releasever =text | --setopt =text | --nogpgcheck | --nodocs | --noplugins
--disableplugin =text | --enableplugin =text
-d --debuglevel =text | -e --errorlevel =text | -R --randomwait =text | --forcearch =text | --downloadonly
--downloaddir --destdir =tree
--allowdowngrade | --security | --bugfix | --advisory =text | --refresh | --noautoremove | --color =text | -4 | -6
--skip-unavailable
--no-best | --no-allow-downgrade | --from-repo =text | --use-host-config | --store | --no-docs | --comment =text
--obsoletes | -t --tolerant
--rpmverbosity =text | --install-weak-deps | --disableexcludes =text | --releasever-minor =text | --queryformat =text
--showduplicates
"""
_CHANGES: dict[str, Any] = {
    "reads": _READS,
    "writes": SYSTEM,
    "network": True,
    "changes_packages": True,
    "users": True,
    "leaves": _CACHES,
}


def _local(invocation: Invocation, place: Place) -> Effects:
    """Package files are read, package addresses fetched."""
    texts = [(word, word.value or word.pattern) for word in invocation.operands]
    return Effects(
        reads=frozenset(place.path(word) for word, text in texts if text.endswith(".rpm") and "://" not in text),
        fetches=frozenset(text for _, text in texts if "://" in text),
    )


_VERBS = (
    verb("makecache|check-update|updateinfo|makecache fast", "update", network=True, refreshes_lists=True,
        reads=_READS, writes=_CACHES, leaves=_CACHES,
         seconds=8),
    verb("install|in|localinstall|groupinstall|group install|groups install|reinstall|rei|swap|downgrade|dg"
            "|module install|module enable"
         "|module reset|module switch-to|module disable|module update|environment install|groupupdate|distro-sync"
             "|dsync|install-n", "install",
         shape=_local, seconds=25, **_CHANGES),
    verb("update|upgrade|up|upgrade-minimal|update-minimal|up-min|update-to|distribution-synchronization"
            "|system-upgrade|offline-upgrade", "upgrade", shape=_local, seconds=30, **_CHANGES),
    verb("builddep|build-dep", "install", shape=_local, seconds=40, **_CHANGES),
    verb("remove|erase|rm|groupremove|group remove|module remove", "remove", reads=_READS, writes=SYSTEM,
        changes_packages=True, users=True,
         seconds=4),
    verb("autoremove", "autoremove", reads=_READS, writes=SYSTEM, changes_packages=True, users=True, seconds=4),
    verb("clean", "clean", reads=("/etc/", ), writes=_CACHES, removes=tuple(path + "*" for path in _CACHES),
        deterministic=True, seconds=0.5),
    verb("download|reposync", "fetch", network=True, reads=_READS, writes=("*.rpm", *_CACHES), leaves=_CACHES,
        seconds=5),
    verb("config-manager|copr|config-manager setopt|config-manager addrepo|copr enable|repository-packages|mark"
            "|versionlock|versionlock add", "configure",
         "--add-repo =text | --set-enabled | --set-disabled | --enable | --disable | --save | --dump "
             "| --from-repofile =text | --set-setopt =text",
         network=True, reads=("/etc/", ), writes=("/etc/yum.repos.d/", "/etc/yum/", "/etc/dnf/", "/etc/yum.conf",
         "/etc/pki/", "/var/lib/dnf/"), seconds=2),
    verb("list|ls|search|info|provides|whatprovides|repolist|repoquery|rq|history|grouplist|group list|module list"
            "|deplist|check|shell|version|help|repoinfo|group info"
         "|leaves|advisory|needs-restarting", "query", network=True, reads=_READS, writes=_CACHES, leaves=_CACHES,
         seconds=5),
)  # fmt: skip


def _rpm(invocation: Invocation, place: Place) -> Effects:
    # What rpm does depends on its mode option.
    texts = [(word, word.value or word.pattern) for word in invocation.operands]
    urls = frozenset(text for _, text in texts if "://" in text)
    local = frozenset(place.path(word) for word, text in texts if "://" not in text)
    database = frozenset(("/var/lib/rpm/", "/usr/lib/sysimage/"))
    if invocation.has("-q", "-V", "--eval", "--showrc", "--checksig", "-K", "--version"):
        return Effects(reads=database | local, fetches=urls, varies=bool(urls))
    if invocation.has("--import"):
        return Effects(reads=local, writes=database, fetches=urls, varies=bool(urls))
    if invocation.has("-i", "-U", "-F", "-e", "--reinstall"):
        return Effects(
            reads=database | local | frozenset(("/etc/", "/usr/")),
            writes=frozenset(SYSTEM),
            fetches=urls,
            packages=frozenset(("rpm",)),
            users=True,
            varies=bool(urls),
        )
    return Effects(reads=database | local, writes=database)


TOOLS = (
    tool("dnf dnf5 yum microdnf tdnf dnf-3 yum-deprecated", "dnf", "package-manager", *_VERBS, opts=_OPTIONS,
        cleaning=CLEANING["dnf"],
         yes=("-y", "--assumeyes", "--assume-yes"), pin="-", minimal=("--setopt=install_weak_deps=False", "--nodocs"),
         database=("rpm",), lists=_CACHES,
         environment=("LANG", "LC_*"), doc="package manager of RPM systems"),
    tool("yum-config-manager dnf-config-manager", "dnf", "package-manager",
         verb("", "configure", network=True, reads=("/etc/",), writes=("/etc/yum.repos.d/", "/etc/dnf/",
              "/etc/yum.conf"), seconds=2),
         opts="--add-repo =text | --enable =text | --disable =text | --save | --setopt =text | -y | -q | --nogpgcheck",
         doc="adds package archives"),
    tool("yum-builddep dnf-builddep yumdownloader repoquery repotrack", "dnf", "package-manager", verb("", "install",
        shape=_local, seconds=20, **_CHANGES), opts=_OPTIONS,
         database=("rpm",), cleaning=CLEANING["dnf"], doc="yum's companions"),
    tool("package-cleanup dnf-automatic update-crypto-policies", "dnf", "package-manager",
         verb("", "remove", reads=_READS, writes=SYSTEM, changes_packages=True, seconds=4),
              opts="-y | --oldkernels | --count =text | -q | --set =text",
         database=("rpm",), doc="cleans RPM databases"),
    tool("rpm", "rpm", "package-manager", verb("", "install", shape=_rpm, seconds=3),
         opts="-i --install | -U --upgrade | -F --freshen | -e --erase | -q --query | -V --verify | -K --checksig "
              "| --import | --reinstall"
              "| -h --hash | -v --verbose | --nodeps | --force | --rebuilddb | --initdb | --eval =text | -E =text "
                  "| --root =tree | -a --all"
              "| --dbpath =text | --prefix =tree | --relocate =text | --replacepkgs | --nosignature | --nodigest "
                  "| --noscripts | --excludedocs"
              "| --queryformat --qf =text | --define =text | --showrc | --quiet | --percent | --justdb | --setperms "
                  "| --allfiles",
         database=("rpm",), doc="installs package files"),
    tool("rpmkeys", "rpm", "package-manager",
         verb("", "configure", "--import | --checksig | -K", shape=_rpm), database=("rpm",), doc="trusts package keys"),
    tool("rpm2cpio", "rpm", "archive", verb("", "unpack", operands="read"), doc="turns a package into a cpio archive"),
    tool("rpmbuild rpmdev-setuptree mock spectool", "rpmbuild", "build", verb("", "build", wall=True,
        runs_project_code=True, seconds=60), permutes=False,
         doc="builds RPM packages"),
    tool("subscription-manager", "dnf", "service",
         verb("", "configure", network=True, reads=("/etc/",), writes=("/etc/", "/var/lib/rhsm/"), seconds=5),
              doc="registers a Red Hat system"),
)  # fmt: skip
