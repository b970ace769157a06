"""The caches that package managers leave behind, and how each is avoided or removed.

The paths are the tools' documented defaults for root in a container; ``~`` is the home of the user.
"""

from __future__ import annotations

from dfopt.tools.model import Cleaning
from dfopt.tools.paths import Place

CLEANING: dict[str, Cleaning] = {
    "apt": Cleaning(
        paths=("/var/lib/apt/lists/", "/var/cache/apt/archives/"),
        commands=("rm -rf /var/lib/apt/lists/*", "apt-get clean"),
    ),
    "apk": Cleaning(
        paths=("/var/cache/apk/", "/etc/apk/cache/"),
        options=("--no-cache",),
        commands=("rm -rf /var/cache/apk/*",),
    ),
    "dnf": Cleaning(
        paths=("/var/cache/dnf/", "/var/cache/libdnf5/", "/var/cache/yum/", "/var/cache/tdnf/"),
        commands=("dnf clean all", "yum clean all", "microdnf clean all", "tdnf clean all", "rm -rf /var/cache/yum"),
    ),
    "zypper": Cleaning(paths=("/var/cache/zypp/",), commands=("zypper clean --all",)),
    "pacman": Cleaning(
        paths=("/var/cache/pacman/pkg/", "/var/lib/pacman/sync/"), commands=("pacman -Scc --noconfirm",)
    ),
    "pip": Cleaning(
        paths=("~/.cache/pip/",),
        options=("--no-cache-dir",),
        commands=("pip cache purge", "rm -rf ~/.cache/pip"),
        environment=("PIP_NO_CACHE_DIR",),
    ),
    "uv": Cleaning(
        paths=("~/.cache/uv/",),
        options=("--no-cache",),
        commands=("uv cache clean", "rm -rf ~/.cache/uv"),
        environment=("UV_NO_CACHE",),
    ),
    "poetry": Cleaning(
        paths=("~/.cache/pypoetry/",),
        options=("--no-cache",),
        commands=("poetry cache clear --all", "rm -rf ~/.cache/pypoetry"),
    ),
    "pdm": Cleaning(paths=("~/.cache/pdm/",), commands=("pdm cache clear",)),
    "pipenv": Cleaning(paths=("~/.cache/pipenv/", "~/.cache/pip/"), commands=("pipenv --clear",)),
    "npm": Cleaning(
        paths=("~/.npm/_cacache/", "~/.npm/_logs/"),
        commands=("npm cache clean --force", "rm -rf ~/.npm"),
    ),
    "yarn": Cleaning(
        paths=("/usr/local/share/.cache/yarn/", "~/.cache/yarn/", "~/.yarn/berry/cache/"),
        commands=("yarn cache clean",),
    ),
    "pnpm": Cleaning(
        paths=("~/.local/share/pnpm/store/", "~/.cache/pnpm/"),
        commands=("pnpm store prune",),
    ),
    "bun": Cleaning(paths=("~/.bun/install/cache/",), options=("--no-cache",), commands=("bun pm cache rm",)),
    "corepack": Cleaning(paths=("~/.cache/node/corepack/",), commands=("corepack cache clean",)),
    "gem": Cleaning(
        paths=(
            "/usr/local/bundle/cache/",
            "/usr/local/lib/ruby/gems/*/cache/",
            "/usr/lib/ruby/gems/*/cache/",
            "~/.gem/",
        ),
        commands=("rm -rf /usr/local/bundle/cache",),
    ),
    "bundler": Cleaning(
        paths=("/usr/local/bundle/cache/", "~/.bundle/cache/", "vendor/bundle/ruby/*/cache/"),
        commands=("rm -rf /usr/local/bundle/cache", "bundle clean --force"),
    ),
    "composer": Cleaning(
        paths=("~/.composer/cache/", "~/.cache/composer/"),
        options=("--no-cache",),
        commands=("composer clear-cache",),
        environment=("COMPOSER_CACHE_DIR=/dev/null",),
    ),
    "go": Cleaning(
        paths=("~/.cache/go-build/", "/go/pkg/mod/", "~/go/pkg/mod/"),
        commands=("go clean -cache -modcache",),
    ),
    "cargo": Cleaning(
        paths=("/usr/local/cargo/registry/", "/usr/local/cargo/git/", "~/.cargo/registry/", "~/.cargo/git/"),
        commands=("rm -rf ~/.cargo/registry",),
    ),
    "maven": Cleaning(paths=("~/.m2/repository/",), commands=("rm -rf ~/.m2",)),
    "gradle": Cleaning(
        paths=("~/.gradle/caches/", "~/.gradle/wrapper/", "~/.gradle/daemon/"),
        commands=("rm -rf ~/.gradle",),
    ),
    "sbt": Cleaning(paths=("~/.ivy2/", "~/.sbt/", "~/.cache/coursier/"), commands=("rm -rf ~/.ivy2 ~/.sbt ~/.cache",)),
    "dotnet": Cleaning(
        paths=("~/.nuget/packages/", "~/.local/share/NuGet/", "/tmp/NuGetScratch/"),
        commands=("dotnet nuget locals all --clear",),
    ),
    "conda": Cleaning(
        paths=("/opt/conda/pkgs/", "~/miniconda3/pkgs/", "~/.conda/pkgs/", "~/.cache/conda/"),
        commands=("conda clean -afy", "mamba clean -afy"),
    ),
    "mix": Cleaning(paths=("~/.hex/", "~/.cache/rebar3/"), commands=("rm -rf ~/.hex",)),
    "cabal": Cleaning(paths=("~/.cabal/packages/", "~/.cache/cabal/"), commands=("rm -rf ~/.cabal/packages",)),
    "stack": Cleaning(paths=("~/.stack/",), commands=("rm -rf ~/.stack",)),
    "opam": Cleaning(paths=("~/.opam/download-cache/", "~/.opam/repo/"), commands=("opam clean -a",)),
    "cpan": Cleaning(paths=("~/.cpanm/", "~/.cpan/"), commands=("rm -rf ~/.cpanm ~/.cpan",)),
    "luarocks": Cleaning(paths=("~/.cache/luarocks/",), commands=("rm -rf ~/.cache/luarocks",)),
    "r": Cleaning(paths=("/tmp/downloaded_packages/", "/tmp/Rtmp*/"), commands=("rm -rf /tmp/downloaded_packages",)),
    "pecl": Cleaning(paths=("/tmp/pear/",), commands=("rm -rf /tmp/pear", "pecl clear-cache")),
    "bower": Cleaning(paths=("~/.cache/bower/",), commands=("bower cache clean",)),
    "node-gyp": Cleaning(paths=("~/.cache/node-gyp/", "~/.node-gyp/"), commands=("rm -rf ~/.cache/node-gyp",)),
}
"""How the caches of each family are cleaned."""
MOVED: tuple[tuple[str, str], ...] = (
    ("PIP_CACHE_DIR", "~/.cache/pip/"),
    ("UV_CACHE_DIR", "~/.cache/uv/"),
    ("POETRY_CACHE_DIR", "~/.cache/pypoetry/"),
    ("PIPENV_CACHE_DIR", "~/.cache/pipenv/"),
    ("npm_config_cache", "~/.npm/"),
    ("NPM_CONFIG_CACHE", "~/.npm/"),
    ("YARN_CACHE_FOLDER", "/usr/local/share/.cache/yarn/"),
    ("YARN_CACHE_FOLDER", "~/.cache/yarn/"),
    ("PNPM_HOME", "~/.local/share/pnpm/"),
    ("BUN_INSTALL_CACHE_DIR", "~/.bun/install/cache/"),
    ("COREPACK_HOME", "~/.cache/node/corepack/"),
    ("GEM_HOME", "/usr/local/bundle/"),
    ("COMPOSER_CACHE_DIR", "~/.composer/cache/"),
    ("COMPOSER_CACHE_DIR", "~/.cache/composer/"),
    ("COMPOSER_HOME", "~/.composer/"),
    ("GOCACHE", "~/.cache/go-build/"),
    ("GOMODCACHE", "/go/pkg/mod/"),
    ("GOMODCACHE", "~/go/pkg/mod/"),
    ("GOPATH", "/go/"),
    ("GOPATH", "~/go/"),
    ("CARGO_HOME", "/usr/local/cargo/"),
    ("CARGO_HOME", "~/.cargo/"),
    ("GRADLE_USER_HOME", "~/.gradle/"),
    ("NUGET_PACKAGES", "~/.nuget/packages/"),
    ("CONDA_PKGS_DIRS", "/opt/conda/pkgs/"),
    ("HEX_HOME", "~/.hex/"),
    ("STACK_ROOT", "~/.stack/"),
    ("OPAMROOT", "~/.opam/"),
    ("XDG_CACHE_HOME", "~/.cache/"),
)
"""Variables that move a cache, each with the part of the path that its value replaces; the first that is set counts."""


def cache_path(path: str, place: Place) -> str:
    """Give where a cache of a table really lies, variables that move it considered."""
    for name, part in MOVED:
        if path.startswith(part):
            value = place.environment.get(name)
            if value and value.startswith("/"):
                return f"{value.rstrip('/')}/{path[len(part) :]}"
    return place.join(path)
