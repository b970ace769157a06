"""Package managers of SUSE, Arch, Gentoo, Void and others, and those beside a distribution's own (brew, nix)."""

from __future__ import annotations

from typing import Any

from dfopt.tools.caches import CLEANING
from dfopt.tools.model import Effects, Invocation
from dfopt.tools.paths import Place
from dfopt.tools.table import SYSTEM, tool, verb

_ZYPP = "/var/cache/zypp/"
_CHANGES: dict[str, Any] = {
    "reads": ("/etc/", "/usr/", "/var/lib/rpm/", "/var/cache/"),
    "writes": SYSTEM,
    "network": True,
    "changes_packages": True,
    "users": True,
}


def _pacman(invocation: Invocation, place: Place) -> Effects:
    # pacman's letters decide: S fetches, y refreshes the lists, U installs files, R removes, c cleans.
    files = frozenset(place.path(word) for word in invocation.operands if "/" in (word.value or word.pattern))
    changing = invocation.has("-S", "-U", "-R") and not (invocation.has("-S") and invocation.has("-c"))
    result = Effects()
    if changing and (invocation.operands or invocation.has("-u")):
        result |= Effects(
            reads=files | frozenset(("/etc/", "/usr/", "/var/lib/pacman/")),
            writes=frozenset(SYSTEM),
            packages=frozenset(("pacman",)),
            users=True,
        )
    if invocation.has("-S") and invocation.has("-c"):
        result |= Effects(removes=frozenset(("/var/cache/pacman/pkg/*", "/var/lib/pacman/sync/*")))
    elif invocation.has("-S", "-U"):
        lists = frozenset(("pacman",))
        refreshed = lists if invocation.has("-y") else frozenset[str]()
        left = frozenset(("/var/cache/pacman/pkg/",))
        if refreshed:
            left |= frozenset(("/var/lib/pacman/sync/",))
        result |= Effects(
            fetches=frozenset(("index",)), varies=True, lists=lists, refreshes=refreshed, caches=left, writes=left
        )
    if invocation.has("-Q", "-F"):
        result |= Effects(reads=frozenset(("/var/lib/pacman/",)))
    if invocation.has("-D"):
        result |= Effects(writes=frozenset(("/var/lib/pacman/",)))
    return result


TOOLS = (
    tool("zypper", "zypper", "package-manager",
         verb("install|in|source-install|si|install-new-recommends|inr", "install",
              "-t --type =text | -r --repo --from =text | --no-recommends | --recommends "
                  "| -l --auto-agree-with-licenses | -f --force | --oldpackage | -D --dry-run"
              "| --replacefiles | -n --name | -C --capability | --no-confirm | -y | --allow-unsigned-rpm "
                  "| -d --download-only",
              leaves=(_ZYPP,), seconds=20, **_CHANGES),
         verb("update|up|dist-upgrade|dup|patch|verify", "upgrade", "-t --type =text | -r --repo --from =text | -y "
                 "| -l --auto-agree-with-licenses | --no-recommends",
              leaves=(_ZYPP,), seconds=30, **_CHANGES),
         verb("remove|rm", "remove", "-u --clean-deps | -t --type =text | -r --repo =text | -y", reads=("/etc/",
              "/usr/"), writes=SYSTEM, changes_packages=True,
              users=True, seconds=4),
         verb("refresh|ref", "update", "-r --repo =text | -f --force | -s --services", network=True,
              refreshes_lists=True, reads=("/etc/",), writes=(_ZYPP,),
              leaves=(_ZYPP,), seconds=8),
         verb("clean|cc", "clean", "-r --repo =text | -m --metadata | -M --raw-metadata | -a --all", reads=("/etc/",
              ), writes=(_ZYPP,), removes=(_ZYPP + "*",), seconds=0.5),
         verb("addrepo|ar|removerepo|rr|modifyrepo|mr|renamerepo|nr|addservice|as|addlock|al|removelock|rl",
              "configure",
              "-r --repo =text | -c --check | -C --no-check | -n --name =text | -p --priority =text | -f --refresh "
                  "| -G --no-gpgcheck | -d --disable | -e --enable | -a --all",
              network=True, reads=("/etc/",), writes=("/etc/zypp/", "/var/cache/zypp/"), seconds=1),
         verb("search|se|info|if|list-updates|lu|repos|lr|packages|pa|what-provides|wp|licenses|ps|help|locks|ll",
              "query", "-r --repo =text | -t --type =text", network=True, reads=("/etc/",),
              writes=(_ZYPP,), seconds=4),
         opts="-n --non-interactive | --no-confirm | -q --quiet | -v --verbose | --no-gpg-checks "
              "| --gpg-auto-import-keys | -R --root =tree | -c --config =read"
              "| --no-refresh | -A --auto-agree-with-licenses | -D --reposd-dir =text | -C --cache-dir =text "
                  "| --non-interactive-include-reboot-patches"
              "| --installroot =tree | --releasever =text | -i --ignore-unknown | --plus-repo =text | -x --xmlout "
                  "| -t --terse",
         cleaning=CLEANING["zypper"], yes=("-n", "--non-interactive", "-y", "--no-confirm"), pin="=",
         minimal=("--no-recommends",), database=("rpm",), lists=(_ZYPP,), doc="SUSE's package manager"),
    tool("pacman yay paru pacstrap", "pacman", "package-manager", verb("", "install", shape=_pacman, seconds=15),
         opts="-S --sync | -U --upgrade | -R --remove | -Q --query | -F --files | -D --database | -T --deptest "
              "| -y --refresh | -u --sysupgrade | -c --clean | -n --nosave"
              "| -s --search --recursive | --noconfirm | --needed | --noprogressbar | --asdeps | --asexplicit "
                  "| --overwrite =text | -r --root =tree | -b --dbpath =text"
              "| --config =read | --cachedir =text | --ignore =text | --assume-installed =text | -q --quiet "
                  "| -w --downloadonly | --disable-download-timeout",
         cleaning=CLEANING["pacman"], yes=("--noconfirm",), database=("pacman",), lists=("/var/lib/pacman/sync/",),
         doc="Arch's package manager"),
    tool("pacman-key pacman-db-upgrade pacman-mirrors reflector", "pacman", "package-manager",
         verb("", "configure", network=True, reads=("/etc/", "/usr/share/pacman/"), writes=("/etc/pacman.d/",
              "/var/lib/pacman/"), seconds=5),
         opts="-r --recv-keys | --keyserver =text | --save =write | --populate | --init | --lsign-key",
         doc="keys and mirrors of pacman"),
    tool("makepkg", "pacman", "build", verb("", "build", wall=True, runs_project_code=True, network=True, seconds=60),
        doc="builds Arch packages"),
    tool("emerge emerge-webrsync emaint eselect", "portage", "package-manager", verb("", "install", reads=("/etc/",
        "/usr/", "/var/"), writes=SYSTEM, network=True, changes_packages=True,
         users=True, runs_project_code=False, seconds=120), opts="-q --quiet [=text] | -v | -u | -D | -N "
              "| -j --jobs =text | --exclude =text | -1 | -b | -k | -g", database=("portage",),
         doc="Gentoo's package manager"),
    tool("xbps-install xbps-remove xbps-query xbps-reconfigure", "xbps", "package-manager", verb("", "install",
        seconds=10, **_CHANGES), opts="-S | -y | -u | -A | -r =tree | -R =text | -C =text | -O | -o",
        database=("xbps",),
         doc="Void's package manager"),
    tool("swupd", "swupd", "package-manager", verb("", "install", seconds=20, **_CHANGES), database=("swupd",),
        doc="Clear Linux's bundles"),
    tool("opkg", "opkg", "package-manager", verb("", "install", seconds=5, **_CHANGES), database=("opkg",),
        doc="OpenWrt's package manager"),
    tool("urpmi urpme urpmi.update", "urpmi", "package-manager", verb("", "install", seconds=20, **_CHANGES),
        database=("rpm",), doc="Mageia's package manager"),
    tool("pkg", "pkg", "package-manager", verb("", "install", seconds=20, **_CHANGES), database=("pkg",), opts="-y",
        doc="package manager of FreeBSD and Termux"),
    tool("brew", "brew", "package-manager",
         verb("", "install", network=True, reads=("/home/linuxbrew/", "/etc/", "/usr/local/"),
              writes=("/home/linuxbrew/", "/usr/local/", "~/.cache/", "~/.linuxbrew/"), changes_packages=True,
              seconds=60), database=("brew",), environment=("HOMEBREW_*",), doc="Homebrew"),
    tool("nix nix-env nix-channel nix-shell nix-build nix-store nix-collect-garbage", "nix", "package-manager",
         verb("", "install", wall=True, network=True, runs_project_code=True, seconds=60), permutes=False,
              environment=("NIX_*",), doc="Nix"),
    tool("guix", "guix", "package-manager", verb("", "install", wall=True, network=True, seconds=60), permutes=False,
        doc="Guix"),
    tool("snap flatpak", "snap", "package-manager", verb("", "install", reads=("/etc/",), writes=(*SYSTEM, "/snap/"),
        network=True, changes_packages=True, seconds=30),
         database=("snap",), doc="packages beside the distribution"),
    tool("chisel chisel-wrapper", "chisel", "package-manager",
         verb("", "install", "--release =text | --root =tree | --arch =text | --generate-dpkg-status =write",
              operands="text", network=True, writes=("~/.cache/chisel/",), seconds=10),
         doc="cuts slices out of Ubuntu packages"),
    tool("debootstrap multistrap mmdebstrap cdebootstrap", "debootstrap", "package-manager", verb("", "install",
        operands="tree", network=True, reads=("/usr/share/debootstrap/", "/usr/share/keyrings/"), seconds=60),
         opts="--variant =text | --arch =text | --include =text | --exclude =text | --components =text "
              "| --keyring =read | --foreign | --verbose", doc="makes a Debian system in a folder"),
)  # fmt: skip
