"""Python's installers: pip, pipx, pipenv, pdm, virtualenv, easy_install and what builds packages."""

from __future__ import annotations

from dfopt.tools.caches import CLEANING
from dfopt.tools.model import Effects, Invocation
from dfopt.tools.paths import EVERYTHING, Place
from dfopt.tools.table import tool, verb

_CACHE = "~/.cache/pip/"
_PREFIXES = ("/usr/", "/opt/conda/")
# Packages without a wheel are compiled against the system's headers.
_READS = ("/etc/pip.conf", "/usr/include/", "/usr/lib/", "/usr/local/include/")
_MANIFESTS = ("pyproject.toml", "setup.py", "setup.cfg")
_INDEX = """
-i --index-url --pypi-url =text | --extra-index-url =text | --no-index | -f --find-links =read | --trusted-host =text
--proxy =text | --retries =text
--timeout --default-timeout =text | --cert =read | --client-cert =read | --cache-dir =text | --no-cache-dir
--disable-pip-version-check | --no-color | -q --quiet
-v --verbose | -V --version | --isolated | --log =write | --exists-action =text | --no-input | --use-feature =text
--use-deprecated =text | --python =text
--no-python-version-warning | --root-user-action =text | --keyring-provider =text | --require-virtualenv | -h --help
--debug
"""
_INSTALL = """
-r --requirement --requirements =read | -c --constraint =read | -e --editable =read | -t --target =tree
--platform =text | --python-version =text
--implementation =text | --abi =text | --user | --root =tree | --prefix =tree | -b --build =text
--src --source --source-dir =tree | -U --upgrade
--upgrade-strategy =text | --force-reinstall | -I --ignore-installed | --ignore-requires-python | --no-build-isolation
--use-pep517
--no-use-pep517 | --install-option =text | --global-option =text | --config-settings =text | -C =text | --compile
--no-compile | --no-warn-script-location
--no-warn-conflicts | --no-binary =text | --only-binary =text | --prefer-binary | --require-hashes
--progress-bar =text | --no-clean | --pre | --no-deps
--dry-run | --report =write | --process-dependency-links | --allow-external =text | --allow-unverified =text
--allow-all-external | --egg
--break-system-packages | --download =tree | -w --wheel-dir =tree | -d --dest =tree | --no-download
--build-constraint =read | --group =text
"""


def site_folders(place: Place, program: str) -> frozenset[str]:
    """Give the folders into which an interpreter installs: of the system and of environments that may be active."""
    folder, slash, _ = program.rpartition("/")
    if slash and folder.endswith("/bin") and folder not in ("/usr/bin", "/usr/local/bin", "/bin"):
        return frozenset((place.join(folder[:-3]),))
    virtual = place.environment.get("VIRTUAL_ENV")
    found = [] if not virtual else [place.join(virtual + "/")]
    for entry in (place.environment.get("PATH") or "").split(":"):
        entry = entry.rstrip("/")
        if entry.startswith("/") and entry.endswith("/bin") and not entry.startswith(("/usr", "/bin", "/opt/conda")):
            found.append(entry[:-3])
    return frozenset((*_PREFIXES, place.join("~/.local/"), *found))


def _install(invocation: Invocation, place: Place) -> Effects:
    """Where pip writes, and which local projects and files among its operands it reads."""
    reads, fetches = set[str](), set[str]()
    local = False
    for word in invocation.operands:
        text = word.value if word.value is not None else word.pattern
        name = text.split("[")[0]
        if "://" in text:
            fetches.add(text)
        elif text.startswith((".", "/", "~")) or name.endswith((".whl", ".tar.gz", ".zip", ".tar.bz2")) or "/" in name:
            reads.add(place.path(word) if "[" not in text else place.join(name))
            local = local or not name.endswith((".whl", ".tar.gz", ".zip"))
        elif text.startswith("*"):
            # An unknown word may name a project folder.
            reads.add(place.join("./"))
    editable = place.option(invocation, "-e")
    local = local or editable is not None
    if invocation.has("--dry-run"):
        return Effects(reads=frozenset(reads), fetches=frozenset(fetches))
    writes = frozenset[str]()
    if not invocation.has("-t", "--root", "-w", "-d", "--prefix"):
        if invocation.has("--user"):
            writes = frozenset((place.join("~/.local/"),))
        elif invocation.subcommand.action == "install":
            writes = site_folders(place, str(invocation.command.words[0].value or ""))
        elif invocation.subcommand.action == "fetch":
            writes = frozenset((place.join("./"),))
    if editable is not None and "://" not in editable:
        writes |= frozenset((place.join(editable.split("[")[0] + "/"),))
    elif editable is not None:
        writes |= frozenset((place.join("src/"),))
    if local:
        # Building in place leaves build/ and *.egg-info behind in the project.
        writes |= frozenset(path if path == EVERYTHING else path + "/" for path in reads)
    return Effects(
        reads=frozenset(reads).union(_READS, (place.join("~/.config/pip/"), place.join("~/.pip/"))),
        writes=writes,
        fetches=frozenset(fetches),
        runs_project_code=local,
    )


def _virtualenv(invocation: Invocation, place: Place) -> Effects:
    # A virtual environment is written where the operands say.
    return Effects(writes=frozenset(place.tree(word) for word in invocation.operands))


def _project_install(invocation: Invocation, place: Place) -> Effects:
    # pipenv and pdm install into an environment of their own, or with ``--system`` into the interpreter's.
    if invocation.has("--system"):
        return Effects(writes=site_folders(place, ""))
    return Effects(
        writes=frozenset((place.join("~/.local/share/virtualenvs/"), place.join(".venv/"), *site_folders(place, "")))
    )


_ENVIRONMENT = ("PIP_*", "PYTHON*", "VIRTUAL_ENV", "CC", "CXX", "CFLAGS", "CPPFLAGS", "LDFLAGS", "SOURCE_DATE_EPOCH")

TOOLS = (
    tool("pip", "pip", "package-manager",
         verb("install", "install", _INSTALL, network=True, leaves=(_CACHE,), shape=_install, seconds=20),
         verb("download|wheel", "fetch", _INSTALL, network=True, leaves=(_CACHE,), shape=_install, seconds=20),
         verb("uninstall", "remove", "-y --yes | -r --requirement =read", writes=("/usr/", "/opt/conda/",
              "~/.local/"), seconds=1),
         verb("cache purge", "clean", removes=(_CACHE,), deterministic=True),
         verb("cache remove|cache", "clean", writes=(_CACHE,)),
         verb("config|config set|config unset", "configure", "--global | --user | --site", writes=("/etc/pip.conf",
              "~/.config/pip/", "~/.pip/")),
         verb("freeze|list|show|check|search|hash|inspect|index|debug|help|completion|index versions", "query",
              "-o --outdated | --format =text | -r =read", reads=("/usr/lib/", "/usr/local/lib/"), seconds=0.5),
         opts=_INDEX, cleaning=CLEANING["pip"], pin="==", environment=_ENVIRONMENT, python_module=True,
         doc="Python's package installer"),
    tool("pipx", "pipx", "package-manager",
         verb("install|inject|upgrade|reinstall|install-all", "install", "--python =text | --pip-args =text "
                 "| -i --index-url =text | -e --editable | --suffix =text | --include-deps | --force | -f "
                 "| --preinstall =text",
              network=True, writes=("~/.local/", "/opt/pipx/", "/usr/local/bin/"), leaves=(_CACHE,), seconds=20),
         verb("uninstall", "remove", writes=("~/.local/", "/opt/pipx/", "/usr/local/bin/")),
         verb("run|runpip", "run", wall=True, network=True, seconds=20),
         verb("ensurepath", "configure", writes=("~/.bashrc", "~/.profile", "~/.bash_profile", "~/.zshrc")),
         verb("list|environment|completions", "query"),
         opts="--global | -q --quiet | -v --verbose", pin="==", cleaning=CLEANING["pip"], environment=(*_ENVIRONMENT,
         "PIPX_*", "USE_EMOJI"), python_module=True, doc="installs Python programs"),
    tool("easy_install", "easy_install", "package-manager",
         verb("", "install", network=True, writes=("/usr/", "/opt/conda/"), shape=_install, seconds=15), pin="==",
              environment=_ENVIRONMENT,
         opts="-U --upgrade | -q | -Z | -i --index-url =text | -f --find-links =text | -d --install-dir =tree "
              "| -H --allow-hosts =text | -z | -a", python_module=True, doc="Python's old package installer"),
    tool("pipenv", "pipenv", "package-manager",
         verb("install|sync|update|upgrade", "install", "--system | --deploy | --dev -d | --ignore-pipfile "
                 "| --skip-lock | -r --requirements =read | --python =text | -i --index =text "
                 "| --extra-pip-args =text | --categories =text | -v | --clear | --keep-outdated | --pre "
                 "| --site-packages",
              manifests=("Pipfile",), optional_manifests=("Pipfile.lock",), network=True, writes=("Pipfile.lock",),
              leaves=("~/.cache/pipenv/", _CACHE), shape=_project_install, seconds=40),
         verb("lock|requirements", "build", "-r --requirements | --dev -d | --keep-outdated | --pre",
              manifests=("Pipfile",), optional_manifests=("Pipfile.lock",), network=True, writes=("Pipfile.lock",),
              leaves=("~/.cache/pipenv/",), seconds=40),
         verb("run|shell", "run", wall=True, runs_project_code=True, seconds=5),
         verb("uninstall|clean", "remove", manifests=("Pipfile",), writes=("Pipfile", "Pipfile.lock", "/usr/",
              "~/.local/share/virtualenvs/"), seconds=5),
         verb("check|graph|verify|scripts|open", "query", manifests=("Pipfile",)),
         opts="--python =text | --three | --two | --where | --venv | --rm | --bare | --clear | -q --quiet "
              "| -v --verbose | --pypi-mirror =text | --site-packages | --version", pin="==",
         cleaning=CLEANING["pipenv"], environment=(*_ENVIRONMENT, "PIPENV_*", "WORKON_HOME"), python_module=True,
         doc="Python projects with a Pipfile"),
    tool("pdm", "pdm", "package-manager",
         verb("install|sync|update", "install", "--prod --production | -G --group =text | --no-editable | --no-self "
                 "| --check | --frozen-lockfile | -d --dev | --no-lock | -L --lockfile =text | --no-default "
                 "| --without =text | --fail-fast -x | --no-isolation | --clean",
              manifests=("pyproject.toml",), optional_manifests=("pdm.lock", "pdm.toml", ".pdm-python", "README*"),
              network=True, runs_project_code=True, writes=(".venv/", "__pypackages__/", "pdm.lock", ".pdm-python"),
              leaves=("~/.cache/pdm/",), shape=_project_install, seconds=30),
         verb("add|remove", "install", "-G --group =text | -d --dev", manifests=("pyproject.toml",),
              optional_manifests=("pdm.lock",), network=True, writes=("pyproject.toml", "pdm.lock", ".venv/",
              "__pypackages__/"),
              leaves=("~/.cache/pdm/",), seconds=30),
         verb("lock|export", "build", "-o --output =write | -f --format =text | --prod | --without-hashes | -G =text",
              manifests=("pyproject.toml",), optional_manifests=("pdm.lock",), network=True, writes=("pdm.lock",),
              seconds=20),
         verb("build|publish", "build", reads=("./",), writes=("dist/",), runs_project_code=True, network=True,
              seconds=10),
         verb("run", "run", wall=True, runs_project_code=True),
         verb("config|self|self update|use|plugin|venv|cache clear|cache", "configure", writes=("~/.config/pdm/",
              ".pdm-python", "~/.cache/pdm/", ".venv/"), network=True),
         opts="-p --project =cd | -v | -q --quiet | -c --config =read | -I --ignore-python | --pep582", pin="==",
         cleaning=CLEANING["pdm"], environment=(*_ENVIRONMENT, "PDM_*"), python_module=True,
         doc="Python projects with pdm"),
    tool("virtualenv -m_venv pyvenv", "venv", "build", verb("", "make-directory", shape=_virtualenv, reads=("/usr/",
        "/opt/"), seconds=3),
         opts="-p --python =text | --system-site-packages | --without-pip | --copies | --symlinks | --clear "
              "| --upgrade | --upgrade-deps | --prompt =text | --no-site-packages | --always-copy"
              "| --no-setuptools | --no-wheel | --no-pip | -q --quiet | --pip =text | --setuptools =text "
                  "| --wheel =text | --extra-search-dir =read | --app-data =text | --download | --no-download "
                  "| --seeder =text | -v",
         environment=_ENVIRONMENT, python_module=True, doc="makes a virtual environment"),
    tool("-m_ensurepip", "pip", "package-manager", verb("", "install", writes=("/usr/", "~/.local/"), seconds=3),
        python_module=True, opts="--upgrade | -U | --default-pip | --altinstall | --user", doc="brings pip along"),
    tool("-m_compileall -m_py_compile", "python-bytecode", "build", verb("", "build", operands="tree", seconds=2),
        python_module=True,
         opts="-q | -f | -b | -l | -d =text | -x =text | -i =read | -j =text | -o =text | -r =text | -s =text "
              "| -p =text", doc="makes byte code"),
    tool("-m_build", "python-build", "build", verb("", "build",
        "-w --wheel | -s --sdist | -o --outdir =tree | -n --no-isolation | -x | -C =text", reads=("./",),
        writes=("dist/", "build/", "*.egg-info/"), network=True, runs_project_code=True, seconds=10),
         python_module=True, doc="builds Python packages"),
    tool("twine pip-compile pip-sync flit hatch maturin auditwheel tox nox cython cythonize", "python-build", "build",
        verb("", "build", wall=True, runs_project_code=True, network=True, seconds=20), permutes=False,
         python_module=True, doc="builds Python packages"),
    tool("pytest -m_unittest mypy flake8 black ruff pylint coverage isort bandit pre-commit", "python-check", "build",
        verb("", "test", wall=True, runs_project_code=True, seconds=20), permutes=False, python_module=True,
        doc="checks Python projects"),
)  # fmt: skip
