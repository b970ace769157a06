"""Rust: cargo and rustup."""

from __future__ import annotations

from dfopt.tools.caches import CLEANING
from dfopt.tools.model import Effects, Invocation
from dfopt.tools.paths import Place, as_tree
from dfopt.tools.table import tool, verb

_HOMES = ("/usr/local/cargo/", "~/.cargo/")
_CACHES = ("/usr/local/cargo/registry/", "/usr/local/cargo/git/", "~/.cargo/registry/", "~/.cargo/git/")
_BUILD = """
--release -r | -p --package =text | --workspace --all | --exclude =text | --bin =text | --bins | --lib
--example =text | --examples | --test =text | --tests | --bench =text | --benches | --all-targets
--features -F =text | --all-features | --no-default-features | --target =text | --target-dir =tree
--out-dir --artifact-dir =tree
--manifest-path =read | --message-format =text | -j --jobs =text | --profile =text | --keep-going | --build-plan
--timings [=text] | --ignore-rust-version
"""


def _install(invocation: Invocation, place: Place) -> Effects:
    """Programs land in cargo's home or below ``--root``; ``--path`` names a local project, ``--git`` an address."""
    local = invocation.values("--path")
    reads = frozenset(place.tree(word) for word in local)
    writes = frozenset[str]() if invocation.has("--root") else frozenset(place.join(path) for path in _HOMES)
    if local:
        writes |= frozenset(path + "target/" for path in reads)
    return Effects(reads=reads, writes=writes, runs_project_code=bool(local))


def _build(invocation: Invocation, place: Place) -> Effects:
    # The project is read; everything made lands in ``target`` (or CARGO_TARGET_DIR) and the lock file.
    target = place.environment.get("CARGO_TARGET_DIR") or "target"
    return Effects(
        reads=frozenset((as_tree(place.join("./")),)),
        writes=frozenset((place.join(target + "/"), place.join("Cargo.lock"))),
    )


_ENVIRONMENT = ("CARGO_*", "RUST*", "CC", "CXX", "CFLAGS", "AR", "OPENSSL_*", "PKG_CONFIG*")

TOOLS = (
    tool("cargo cross xx-cargo cargo-chef", "cargo", "build",
         verb("build|b|check|c|rustc|doc|clippy|component build", "build", _BUILD, network=True,
              runs_project_code=True, deterministic=True, manifests=("Cargo.toml",), optional_manifests=("Cargo.lock",
              ".cargo/", "rust-toolchain", "rust-toolchain.toml", "build.rs"), leaves=_CACHES, shape=_build,
              seconds=60),
         verb("install|binstall", "install", _BUILD + "| --version --vers =text | --git =url | --branch =text "
                 "| --tag =text | --rev =text | --path =read | --root =tree | -f --force | --no-track "
                 "| --registry =text | --index =text | --list | --debug | -y --no-confirm", network=True,
              leaves=_CACHES, shape=_install, seconds=90),
         verb("fetch", "install", "--manifest-path =read | --target =text", network=True, deterministic=True,
              manifests=("Cargo.toml",), optional_manifests=("Cargo.lock", ".cargo/"), writes=("Cargo.lock",),
              leaves=_CACHES, seconds=10),
         verb("vendor|update|generate-lockfile|add|remove|rm|upgrade", "install", "--manifest-path =read | -p =text",
              network=True, reads=("./",), writes=("./",), leaves=_CACHES, seconds=10),
         verb("chef cook|cook", "build", _BUILD + "| --recipe-path =read | --check | --no-build", network=True,
              runs_project_code=True, optional_manifests=("recipe.json",), leaves=_CACHES, shape=_build, seconds=60),
         verb("chef prepare|prepare", "build", "--recipe-path =write | --bin =text", reads=("./",),
              writes=("recipe.json",)),
         verb("new|init", "make-directory", "--bin | --lib | --name =text | --edition =text | --vcs =text",
              operands="tree", writes=("./",)),
         verb("run|r|test|t|bench|xtask|make|leptos|leptos build|tauri|deb|auditable|nextest|tarpaulin|wasi|fmt|fix"
                 "|expand|watch|pgrx|pgx|sqlx|zigbuild|lambda|lambda build|ndk|component|auditable build", "build",
              wall=True, runs_project_code=True, network=True, leaves=_CACHES, seconds=60),
         verb("clean", "clean", "-p =text | --release | --target-dir =remove", removes=("target/",),
              deterministic=True),
         verb("version|metadata|tree|search|locate-project|help|pkgid|login|config|cache|verify-project|audit|deny"
                 "|outdated", "query", reads=("./",)),
         opts="-q --quiet | -v --verbose | -vv | --color =text | --frozen | --locked | --offline | -Z =text "
              "| --config =text | -C =cd | -V --version | --manifest-path =read", cleaning=CLEANING["cargo"], pin="@",
         environment=_ENVIRONMENT, doc="Rust's package manager"),
    tool("rustup", "rustup", "package-manager", verb("", "install", network=True, reads=("rust-toolchain",
        "rust-toolchain.toml"), writes=("/usr/local/rustup/", "/usr/local/cargo/", "~/.rustup/", "~/.cargo/"),
        seconds=20), opts="--toolchain =text | --profile =text | -c --component =text | -t --target =text | -y",
        environment=("RUSTUP_*", "CARGO_HOME"), doc="installs Rust"),
    tool("rustc", "rustc", "build", verb("", "build", reads=("./",), writes=("./",), seconds=5),
        opts="-o =write | -C =text | -O | -g | --edition =text | --target =text | -L =text | -l =text "
            "| --crate-type =text | --crate-name =text | --out-dir =tree | --emit =text | -V --version",
        environment=_ENVIRONMENT, doc="compiles Rust"),
)  # fmt: skip
