"""Python projects with poetry and uv."""

from __future__ import annotations

from dfopt.tools.caches import CLEANING
from dfopt.tools.model import Effects, Invocation
from dfopt.tools.paths import Place
from dfopt.tools.pip import site_folders
from dfopt.tools.table import tool, verb

_ENVIRONMENT = ("POETRY_*", "PIP_*", "PYTHON*", "VIRTUAL_ENV")
_POETRY_LOCK = ("poetry.lock", "poetry.toml", "README*")
_UV_CACHE = "~/.cache/uv/"
_UV_PIP = """
-r --requirement --requirements =read | -c --constraint --constraints =read | -e --editable =read | --override =read
--system | --python -p =text | --target -t =tree | --prefix =tree
--no-deps | -U --upgrade | -P --upgrade-package =text | --reinstall | --no-build-isolation | --no-build
--no-binary =text | --only-binary =text | --compile-bytecode --compile
--require-hashes | --break-system-packages | --extra =text | --all-extras | -o --output-file =write
--generate-hashes | --torch-backend =text | --python-version =text | --python-platform =text | --strict
--group =text
"""
_UV_SYNC = """
--frozen | --locked | --no-dev | --no-install-project | --no-install-workspace | --no-install-package =text
--no-editable | --extra =text | --all-extras | --no-extra =text | --group =text | --no-group =text
--only-group =text
--all-groups | --only-dev | --dev | --inexact | --exact | --active | --package =text | --all-packages
-p --python =text | --compile-bytecode --compile | --no-build | --reinstall | -U --upgrade | -P =text
--link-mode =text | --no-default-groups
--no-sources | --no-build-isolation | --no-binary =text
"""


def _poetry_install(invocation: Invocation, place: Place) -> Effects:
    # The environment is ``.venv``, one in the cache folder, or the interpreter's own where virtual environments are
    # off. Unless told not to, poetry installs the project itself, which reads its sources.
    root = not invocation.has("--no-root", "--only-root") and invocation.subcommand.names[0] == "install"
    return Effects(
        reads=frozenset((place.join("./"),)) if root else frozenset(),
        writes=site_folders(place, "")
        | frozenset((place.join(".venv/"), place.join("~/.cache/pypoetry/virtualenvs/"))),
        runs_project_code=root,
    )


def _uv_install(invocation: Invocation, place: Place) -> Effects:
    # uv pip installs into ``.venv``, the active environment or with ``--system`` into the interpreter's.
    reads = {place.path(word) for word in invocation.operands if (word.value or word.pattern).startswith((".", "/"))}
    writes = site_folders(place, "") | frozenset((place.join(".venv/"),))
    if invocation.has("--target", "--prefix"):
        writes = frozenset()
    local = bool(reads) or invocation.has("-e")
    if local:
        writes |= frozenset(path + "/" for path in reads)
    return Effects(reads=frozenset(reads), writes=writes, runs_project_code=local)


def _uv_sync(invocation: Invocation, place: Place) -> Effects:
    # uv sync installs the project itself unless told not to.
    project = not invocation.has("--no-install-project", "--no-install-workspace", "--only-group", "--only-dev")
    virtual = place.environment.get("UV_PROJECT_ENVIRONMENT")
    return Effects(
        reads=frozenset((place.join("./"),)) if project else frozenset(),
        writes=frozenset((place.join((virtual or ".venv") + "/"), place.join("uv.lock"), *site_folders(place, ""))),
        runs_project_code=project,
    )


TOOLS = (
    tool("poetry", "poetry", "package-manager",
         verb("install|sync|update", "install", "--no-root | --only-root | --no-dev | --only =text | --with =text "
                 "| --without =text | --sync | -E --extras =text | --all-extras | --compile | --all-groups "
                 "| --dry-run | --remove-untracked",
              manifests=("pyproject.toml",), optional_manifests=_POETRY_LOCK, network=True,
              leaves=("~/.cache/pypoetry/cache/", "~/.cache/pypoetry/artifacts/"), shape=_poetry_install, seconds=30),
         verb("add|remove", "install", "-G --group =text | -D --dev | -E --extras =text | --source =text",
              manifests=("pyproject.toml",), optional_manifests=_POETRY_LOCK, network=True,
              writes=("pyproject.toml", "poetry.lock"), leaves=("~/.cache/pypoetry/cache/",), shape=_poetry_install,
              seconds=30),
         verb("export|lock", "build", "-o --output =write | -f --format =text | --without-hashes | --with =text "
                 "| --without =text | --only =text | -E --extras =text | --no-update | --with-credentials | --dev",
              manifests=("pyproject.toml",), optional_manifests=_POETRY_LOCK, network=True, writes=("poetry.lock",),
              seconds=10),
         verb("build|publish", "build", "-f --format =text | -o --output =tree", reads=("./",), writes=("dist/",),
              runs_project_code=True, network=True, seconds=10),
         verb("config", "configure", "--local | --unset | --list", writes=("~/.config/pypoetry/", "poetry.toml")),
         verb("run|shell", "run", wall=True, runs_project_code=True),
         verb("self add|self update|self|plugin add|plugin|self install", "install", network=True,
              writes=("~/.local/", "~/.config/pypoetry/", "/opt/", "/usr/local/"), seconds=15),
         verb("cache clear|cache", "clean", "--all", removes=("~/.cache/pypoetry/cache/",
              "~/.cache/pypoetry/artifacts/"), deterministic=True),
         verb("check|show|version|env|env use|env info|env list|about|list|search|source|new|init", "query",
              manifests=("pyproject.toml",), optional_manifests=_POETRY_LOCK, writes=("pyproject.toml",)),
         opts="-n --no-interaction | -q --quiet | -v --verbose | -vv | -vvv | --no-ansi | --ansi "
              "| -C --directory =cd | -P --project =cd | --no-cache | --no-plugins | -V --version",
         cleaning=CLEANING["poetry"], pin="==", environment=_ENVIRONMENT, python_module=True,
         doc="Python projects with poetry"),
    tool("uv", "uv", "package-manager",
         verb("pip install|pip sync", "install", _UV_PIP, network=True, leaves=(_UV_CACHE,), shape=_uv_install,
              seconds=6),
         verb("pip compile|pip freeze|pip list|pip show|pip check|pip tree", "query", _UV_PIP, operands="read",
              network=True, seconds=3),
         verb("pip uninstall", "remove", _UV_PIP + "| -y", writes=("/usr/", ".venv/", "/opt/")),
         verb("sync", "install", _UV_SYNC, manifests=("pyproject.toml",), optional_manifests=("uv.lock", "uv.toml",
              ".python-version", "README*"), network=True, leaves=(_UV_CACHE,), shape=_uv_sync, seconds=8),
         verb("add|remove", "install", _UV_SYNC + "| -r =read", manifests=("pyproject.toml",),
              optional_manifests=("uv.lock",), network=True, writes=("pyproject.toml",), leaves=(_UV_CACHE,),
              shape=_uv_sync, seconds=8),
         verb("lock|export|tree", "build", _UV_SYNC + "| -o --output-file =write | --format =text | --no-hashes "
                 "| --no-emit-project", manifests=("pyproject.toml",), optional_manifests=("uv.lock",),
              network=True, writes=("uv.lock",), seconds=4),
         verb("tool install|tool upgrade", "install", "--with =text | -p --python =text | --from =text | --force",
              network=True, writes=("~/.local/", "/usr/local/bin/", "/opt/"), leaves=(_UV_CACHE,), seconds=8),
         verb("python install", "install", "-i --install-dir =tree | --default | --preview", network=True,
              writes=("~/.local/share/uv/", "~/.local/bin/", "/opt/"), reads=(".python-version",), seconds=5),
         verb("venv", "make-directory", "-p --python =text | --seed | --system-site-packages | --prompt =text "
                 "| --relocatable | --clear | --no-project", operands="tree", writes=(".venv/",), network=True,
              seconds=1),
         verb("build|publish", "build", "-o --out-dir =tree | --wheel | --sdist | --package =text", reads=("./",),
              writes=("dist/",), runs_project_code=True, network=True, seconds=8),
         verb("run|tool run|init", "run", wall=True, runs_project_code=True, network=True, seconds=5),
         verb("cache clean|cache prune|cache", "clean", removes=(_UV_CACHE,), deterministic=True),
         verb("version|help|self|self update|python|python list|python find|python pin|tool list|tool dir|tool",
              "query"),
         opts="--no-cache --no-cache-dir -n | --cache-dir =text | -q --quiet | -v --verbose | --offline "
              "| --directory =cd | --project =text | --config-file =read | --no-config | --no-progress"
              "| -i --index-url =text | --extra-index-url =text | --index =text | --default-index =text "
                  "| -f --find-links =read | --index-strategy =text | --allow-insecure-host =text | --native-tls "
                  "| --link-mode =text"
              "| --prerelease =text | --resolution =text | --exclude-newer =text | --no-python-downloads "
                  "| --python-preference =text | --managed-python | --no-index | --color =text "
                  "| --keyring-provider =text",
         cleaning=CLEANING["uv"], pin="==", environment=("UV_*", "PIP_*", "PYTHON*", "VIRTUAL_ENV"),
         python_module=True, doc="Python packages and projects with uv"),
    tool("uvx", "uv", "package-manager", verb("", "run", wall=True, network=True, seconds=8), permutes=False,
        environment=("UV_*",), doc="runs a Python tool"),
)  # fmt: skip
