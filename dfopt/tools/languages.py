"""Other languages: gem, bundler, composer, mix, cabal, stack, opam, cpan, luarocks, R, conda and the interpreters."""

from __future__ import annotations

import re
from typing import Any

from dfopt.tools.caches import CLEANING
from dfopt.tools.model import Effects, Invocation
from dfopt.tools.paths import EVERYTHING, Place, as_tree
from dfopt.tools.table import tool, verb

_GEM_CACHES = (
    "/usr/local/bundle/cache/",
    "/usr/local/lib/ruby/gems/*/cache/",
    "/usr/lib/ruby/gems/*/cache/",
    "~/.gem/",
)
_GEM_FOLDERS = (
    "/usr/local/bundle/",
    "/usr/local/lib/ruby/",
    "/usr/lib/ruby/",
    "/var/lib/gems/",
    "/usr/local/bin/",
    "/usr/bin/",
    "/usr/share/gems/",
    "/usr/local/share/",
    "/usr/lib64/gems/",
    "~/.gem/",
    "~/.rbenv/",
    "/usr/local/rvm/",
    "~/.rvm/",
    "/opt/",
)
_RUBY = ("GEM_*", "BUNDLE_*", "RUBY*", "RAILS_ENV", "RACK_ENV", "CC", "CFLAGS", "NOKOGIRI_*", "MAKEFLAGS")

_BUNDLE = """
-j --jobs =text | --path =text | --without =text | --with =text | --deployment | --frozen | --no-deployment | --system
--local | --quiet | --full-index | --gemfile =read | --binstubs [=text] | --standalone [=text] | --retry =text
--no-prune | --clean | --force | --shebang =text | --trust-policy =text | --no-cache | --redownload | --prefer-local
--all | --no-install | --add-platform =text | --dry-run | -P =text
"""
_BUNDLE_INSTALL: dict[str, Any] = {
    "network": True,
    "manifests": ("Gemfile",),
    "optional_manifests": ("Gemfile.lock", "*.gemspec", ".ruby-version", "vendor/cache/"),
    "leaves": ("/usr/local/bundle/cache/", "~/.bundle/cache/"),
}


def _bundle(invocation: Invocation, place: Place) -> Effects:
    """Gems land in the system's gem folder, or in the path given or configured."""
    path = place.option(invocation, "--path") or place.environment.get("BUNDLE_PATH")
    folders = [path + "/"] if path else [*_GEM_FOLDERS, "vendor/bundle/"]
    return Effects(
        writes=frozenset(place.join(folder) for folder in (*folders, ".bundle/", "Gemfile.lock")),
        reads=frozenset((place.join(".bundle/"), place.join("~/.bundle/"), "/usr/local/bundle/config")),
    )


def _gem(invocation: Invocation, place: Place) -> Effects:
    # A local gem file is read.
    return Effects(
        reads=frozenset(("/usr/include/", "/usr/lib/"))
        | frozenset(place.path(word) for word in invocation.operands if place.text(word).endswith(".gem"))
    )


def _composer(invocation: Invocation, place: Place) -> Effects:
    """Scripts of composer.json run unless switched off; the class map reads the project's sources."""
    scripts = not invocation.has("--no-scripts")
    loads = not invocation.has("--no-autoloader")
    reads = (
        frozenset((as_tree(place.join("./")),))
        if scripts or (loads and invocation.has("-o", "-a"))
        else frozenset[str]()
    )
    return Effects(reads=reads, runs_project_code=scripts)


def _conda(invocation: Invocation, place: Place) -> Effects:
    # Packages land in conda's folder, or in the prefix given.
    prefix = next(iter(invocation.values("-p")), None)
    if prefix is not None:
        return Effects(writes=frozenset((place.tree(prefix), "/opt/conda/pkgs/", place.join("~/.conda/"))))
    folders = (
        "/opt/conda/",
        "~/miniconda3/",
        "~/anaconda3/",
        "/opt/miniconda3/",
        "/opt/miniconda/",
        "/miniconda/",
        "/usr/local/",
        "~/.conda/",
        "/root/miniconda3/",
        "/opt/micromamba/",
    )
    name = invocation.command.words[0].value or ""
    root = name.rpartition("/bin/")[0]
    return Effects(
        writes=frozenset(
            place.join(folder)
            for folder in (
                [root + "/", "~/.conda/"] if root.startswith("/") and not root.startswith("/usr") else folders
            )
        )
    )


def _python(invocation: Invocation, place: Place) -> Effects:
    """``--version`` does nothing; ``setup.py`` builds the project; anything else runs a program."""
    words = [place.text(word) for word in invocation.operands]
    if words and all(text in ("-V", "--version", "-VV", "-h", "--help") for text in words):
        return Effects()
    if any(text == "setup.py" or text.endswith("/setup.py") for text in words):
        return Effects(
            wall=True,
            runs_project_code=True,
            reads=frozenset((as_tree(place.join("./")),)),
            reason="python: setup.py is code of the project",
            writes=frozenset((as_tree(place.join("./")), "/usr/", "/opt/")),
        )
    inline = "-c" in words
    return Effects(
        wall=True,
        runs_project_code=not inline,
        reads=frozenset((EVERYTHING,)),
        writes=frozenset((EVERYTHING,)),
        reason="it runs a program",
    )


_R_INSTALL = re.compile(
    r"install\.packages|install_github|install_version|BiocManager::install|biocLite|pak::|renv::|remotes::|devtools::install"
)


def _r(invocation: Invocation, place: Place) -> Effects:
    """R code on the command line that only installs packages is known; scripts are not."""
    texts = [place.text(word) for word in invocation.operands]
    code = " ".join(text for text in texts if not text.startswith("--"))
    if _R_INSTALL.search(code) and "source(" not in code:
        return Effects(
            reads=frozenset(("/usr/lib/R/", "/usr/local/lib/R/", "/etc/R/")),
            fetches=frozenset(("index",)),
            varies=True,
            writes=frozenset(
                (
                    "/usr/lib/R/",
                    "/usr/local/lib/R/",
                    "/tmp/",
                    "/opt/conda/",
                    place.join("~/R/"),
                    place.join("~/.cache/R/"),
                )
            ),
            caches=frozenset(("/tmp/downloaded_packages/",)),
        )
    if (texts and texts[0] == "CMD") or "--version" in texts:
        return Effects(
            wall=True,
            runs_project_code=True,
            reads=frozenset((EVERYTHING,)),
            writes=frozenset((EVERYTHING,)),
            reason="R: it builds a package",
        )
    return Effects(
        wall=True,
        runs_project_code=True,
        reads=frozenset((EVERYTHING,)),
        writes=frozenset((EVERYTHING,)),
        reason="R: it runs a program",
    )


TOOLS = (
    tool("gem", "gem", "package-manager",
         verb("install|i|update", "install", "-v --version =text | -N --no-document | --no-ri | --no-rdoc "
                 "| -f --force | -i --install-dir =tree | -n --bindir =tree | -s --source =text | --user-install "
                 "| --no-user-install | --pre --prerelease | --platform =text | -P =text | --conservative "
                 "| --minimal-deps | --ignore-dependencies | --without =text | -g --file =read | --system | -E "
                 "| --default | --document =text | -l --local | -r --remote | --clear-sources "
                 "| -p --http-proxy =text | --development | --suggestions | --no-suggestions",
              network=True, writes=_GEM_FOLDERS, leaves=_GEM_CACHES, shape=_gem, seconds=20),
         verb("uninstall", "remove", "-v --version =text | -a --all | -x --executables | -I --ignore-dependencies "
                 "| -i =tree | --force", writes=_GEM_FOLDERS), verb("cleanup", "clean", "-v =text | -n | -d",
              writes=_GEM_FOLDERS),
         verb("sources|source|pristine|rdoc|signin|push|yank|owner|cert|rebuild|setup", "configure",
              "-a --add =text | -r --remove =text | -c | --all", network=True, writes=("~/.gemrc", "/etc/gemrc",
              *_GEM_FOLDERS)),
         verb("build", "build", "-o --output =write | -C =cd | --strict", operands="read", reads=("./",),
              writes=("*.gem",), runs_project_code=True), verb("fetch|unpack", "fetch", "-v =text", network=True,
              writes=("./",)),
         verb("list|search|info|environment|env|which|contents|dependency|specification|outdated|help|check|stale"
                 "|lock|query", "query", "-i | -v =text"),
         opts="-q --quiet | -V --verbose | --silent | --config-file =read | --backtrace | --norc | --debug "
              "| --no-document | --no-ri | --no-rdoc | --version", cleaning=CLEANING["gem"], pin=":",
         minimal=("--no-document",), environment=_RUBY, doc="Ruby's package manager"),
    tool("bundle bundler", "bundler", "package-manager",
         verb("install|update|add|lock", "install", _BUNDLE, shape=_bundle, seconds=45, **_BUNDLE_INSTALL),
         verb("", "install", _BUNDLE, shape=_bundle, seconds=45, **_BUNDLE_INSTALL),
         verb("cache|package|pack", "fetch", _BUNDLE, shape=_bundle, writes=("vendor/cache/",), seconds=30,
              **_BUNDLE_INSTALL),
         verb("binstubs|remove|pristine", "configure", _BUNDLE, shape=_bundle, manifests=("Gemfile",),
              writes=("bin/", "Gemfile")),
         verb("clean", "remove", _BUNDLE, shape=_bundle, manifests=("Gemfile",), optional_manifests=("Gemfile.lock",)),
         verb("check|outdated", "query", _BUNDLE, manifests=("Gemfile",), optional_manifests=("Gemfile.lock",)),
         verb("config|config set|config unset|config build|plugin|config delete", "configure",
              "--global | --local | --delete | --parseable", writes=(".bundle/", "~/.bundle/",
              "/usr/local/bundle/config"), reads=("~/.bundle/",)),
         verb("exec", "run", wall=True, runs_project_code=True, seconds=15),
              verb("show|info|list|env|doctor|platform|version|help|open|viz|config list|config get", "query",
              manifests=("Gemfile",)), verb("init|gem", "make-directory", writes=("Gemfile", "./")),
         opts="--retry =text | --verbose -V | --no-color | --gemfile =read | --version", default="install",
         cleaning=CLEANING["bundler"], pin=None, environment=_RUBY, doc="installs the gems of a Gemfile"),
    tool("rake rspec cucumber middleman guard foreman puma unicorn passenger sidekiq whenever bootsnap", "ruby-task",
        "build", verb("", "run", wall=True, runs_project_code=True, seconds=20), permutes=False, environment=_RUBY,
        doc="runs tasks of the project"),
    tool("ruby jruby irb erb", "ruby", "other", verb("", "run", wall=True, runs_project_code=True, seconds=2),
        syntax="raw", environment=_RUBY, doc="runs Ruby"),
    tool("composer composer.phar", "composer", "package-manager",
         verb("install|i", "install", network=True, manifests=("composer.json",),
              optional_manifests=("composer.lock", "auth.json", "symfony.lock", "patches/"), writes=("vendor/",
              "composer.lock"), deterministic=False, leaves=("~/.composer/cache/", "~/.cache/composer/"),
              shape=_composer, seconds=25),
         verb("update|u|upgrade|require|r|req|remove|rm", "install", network=True, manifests=("composer.json",),
              optional_manifests=("composer.lock", "auth.json"), writes=("vendor/", "composer.lock", "composer.json"),
              leaves=("~/.composer/cache/", "~/.cache/composer/"), shape=_composer, seconds=40),
         verb("global require|global update|global install|global config|global remove|global", "install",
              network=True, writes=("~/.composer/", "~/.config/composer/"), leaves=("~/.composer/cache/",
              "~/.cache/composer/"), seconds=25),
         verb("create-project", "clone",
              "-s --stability =text | --repository =text | --no-install | --keep-vcs | --remove-vcs", network=True,
              writes=("./",), runs_project_code=True, leaves=("~/.composer/cache/", "~/.cache/composer/"),
              operands="tree", seconds=30),
         verb("dump-autoload|dumpautoload|dump", "build", reads=("./",), writes=("vendor/",),
              runs_project_code=True, seconds=3), verb("config", "configure",
              "-g --global | --unset | -a --auth | --append | --json", writes=("composer.json", "auth.json",
              "~/.composer/", "~/.config/composer/")),
         verb("clear-cache|clearcache|cc", "clean", removes=("~/.composer/cache/", "~/.cache/composer/"),
              deterministic=True), verb("self-update|selfupdate", "upgrade",
              "--1 | --2 | --stable | --rollback | --preview | --snapshot | --clean-backups", network=True,
              writes=("/usr/", "/opt/", "~/.composer/"), seconds=3),
         verb("run-script|run|exec|test|build|post-install-cmd|compile|cs|lint|analyse|symfony:dump-env|dump-env",
              "run", wall=True, runs_project_code=True), verb("validate|show|info|outdated|check-platform-reqs"
                 "|diagnose|licenses|depends|why|search|status|about|help|list|audit|archive|init|bump|reinstall"
                 "|suggests|fund|browse|home|why-not|prohibits", "query", reads=("./",)),
         opts="-d --working-dir =cd | -n --no-interaction | -q --quiet | -v --verbose | -vv | -vvv | --profile "
              "| --no-plugins | --no-scripts | --no-cache | --no-dev | --dev | --no-autoloader "
              "| --optimize-autoloader -o | --classmap-authoritative -a | --apcu-autoloader | --prefer-dist "
              "| --prefer-source | --prefer-install =text | --no-progress | --no-suggest | --ignore-platform-reqs "
              "| --ignore-platform-req =text | --no-ansi | --ansi | --with-dependencies -w "
              "| --with-all-dependencies -W | --no-update | --no-install | --dry-run | --sort-packages "
              "| --prefer-stable | --prefer-lowest | --fixed | --lock | -V --version | --strict-psr | --no-audit "
              "| --download-only | --no-security-blocking | --update-with-dependencies",
         cleaning=CLEANING["composer"], pin=":", minimal=("--no-dev",), environment=("COMPOSER*",), local=True,
         doc="PHP's package manager"),
    tool("php php-cgi php-cli hhvm phpdbg", "php", "other", verb("", "run", wall=True, runs_project_code=True,
        seconds=2, reason="it runs a PHP program"), syntax="raw", environment=("PHP_*",), doc="runs PHP"),
    tool("python pypy micropython jython", "python", "other", verb("", "run", shape=_python, seconds=2), syntax="raw",
        environment=("PYTHON*", "VIRTUAL_ENV"), doc="runs Python"),
    tool("mix", "mix", "build",
         verb("deps.get|deps.update|deps.unlock", "install", "--only =text | --check-locked | --all", network=True,
              manifests=("mix.exs",), optional_manifests=("mix.lock", "config/", "apps/*/mix.exs"), writes=("deps/",
              "mix.lock"), runs_project_code=True, leaves=("~/.hex/", "~/.cache/rebar3/"), seconds=15),
         verb("local.hex|local.rebar|archive.install|hex.repo|hex.organization|escript.install|hex.info|local.phx"
                 "|local.phoenix|hex.config|hex", "install", "--force | --if-missing | --sha512 =text", network=True,
              writes=("~/.mix/", "~/.hex/"), leaves=(), seconds=5),
         verb("", "build", wall=True, runs_project_code=True, reads=("./",), writes=("./",), seconds=45),
              cleaning=CLEANING["mix"], pin="~>", environment=("MIX_*", "HEX_*", "REBAR*"),
              doc="builds Elixir projects"),
    tool("cabal", "cabal", "package-manager",
         verb("update|v2-update|new-update", "update", network=True, writes=("~/.cabal/", "~/.cache/cabal/",
              "~/.config/cabal/"), leaves=("~/.cabal/packages/", "~/.cache/cabal/"), seconds=20),
              verb("user-config|init|get|unpack|fetch|sandbox|sandbox init|freeze|configure|v2-configure|new-configure",
              "configure", network=True, reads=("./",), writes=("./", "~/.cabal/"), seconds=10),
         verb("install|v2-install|new-install|v1-install", "install", network=True, reads=("./",),
              writes=("~/.cabal/", "~/.local/", "./dist-newstyle/", "/usr/local/", "/opt/"), runs_project_code=True,
              leaves=("~/.cabal/packages/",), seconds=180),
         verb("build|v2-build|new-build|v1-build|repl|test|v2-test|run|exec|v2-exec|haddock|sdist|check|clean|copy"
                 "|bench|list-bin|info|list", "build", wall=True, runs_project_code=True, network=True, reads=("./",
              ), writes=("./",), seconds=180),
         opts="--installdir =tree | --bindir =tree | --prefix =tree | -j --jobs [=text] | --ghc-options =text "
              "| --only-dependencies --dependencies-only | --enable-tests | --install-method =text "
              "| --overwrite-policy =text | -f --flags =text | --project-file =read | -v [=text] | --constraint =text "
              "| --force-reinstalls | -w =text | --global | --lib | -O =text", cleaning=CLEANING["cabal"], pin="-",
         environment=("CABAL_*", "GHC*"), doc="builds Haskell projects"),
    tool("stack", "stack", "build", verb("", "build", wall=True, runs_project_code=True, network=True, reads=("./",),
        writes=("./", "~/.stack/", "~/.local/"), leaves=("~/.stack/",), seconds=300), permutes=False,
        cleaning=CLEANING["stack"], environment=("STACK_*",), doc="builds Haskell projects"),
    tool("opam", "opam", "package-manager", verb("", "install", network=True, wall=False, reads=("./", "~/.opam/",
        "/etc/"), writes=("~/.opam/", "~/.profile", "~/.bashrc", "~/.bash_profile", "/home/opam/", "./"),
        runs_project_code=True, leaves=("~/.opam/download-cache/",), seconds=90), opts="-y --yes | -a --auto-setup "
            "| -n --no-setup | -j --jobs =text | --root =tree | --switch =text | --comp =text | --disable-sandboxing "
            "| --bare | -c --compiler =text | -q", cleaning=CLEANING["opam"], pin=".", environment=("OPAM*",),
        doc="OCaml's package manager"),
    tool("cpan cpanm cpm carton", "cpan", "package-manager", verb("", "install", network=True,
        optional_manifests=("cpanfile", "cpanfile.snapshot", "Makefile.PL", "META.json"), reads=("/usr/",),
        writes=("/usr/local/", "/usr/lib/perl5/", "/usr/share/perl5/", "~/perl5/", "local/"), leaves=("~/.cpanm/",
        "~/.cpan/"), seconds=30), opts="-n --notest | -q --quiet | -f --force "
            "| -L -l --local-lib --local-lib-contained =tree | --installdeps | --with-develop | -S --sudo | -v "
            "| -M --from =text | --mirror =text | --mirror-only | -T | -i | -g | --no-wget | --skip-satisfied "
            "| --reinstall | --cpanfile =read | --deployment", cleaning=CLEANING["cpan"], pin="@",
        environment=("PERL*",), doc="Perl's package managers"),
    tool("luarocks opm lit lpm", "luarocks", "package-manager", verb("", "install", network=True, reads=("./",),
        writes=("/usr/local/", "/usr/lib/lua/", "/usr/share/lua/", "~/.luarocks/", "/usr/lib/luarocks/"),
        leaves=("~/.cache/luarocks/",), seconds=10), opts="--server =text | --tree =tree | --local "
            "| --lua-version =text | --only-deps | --deps-mode =text", cleaning=CLEANING["luarocks"], pin=" ",
        doc="Lua's package manager"),
    tool("Rscript R r r-base", "r", "package-manager", verb("", "install", shape=_r, seconds=60), syntax="raw",
        cleaning=CLEANING["r"], environment=("R_*", "CRAN*", "MAKEFLAGS", "CC", "CXX"), doc="runs R"),
    tool("install2.r install.r installGithub.r installBioc.r installDeps.r littler", "r", "package-manager", verb("",
        "install", network=True, reads=("/usr/lib/R/", "/usr/local/lib/R/", "/etc/R/"), writes=("/usr/local/lib/R/",
        "/tmp/"), leaves=("/tmp/downloaded_packages/",), seconds=60), opts="-e --error | -n --ncpus =text "
            "| -d --deps =text | -r --repos =text | -s --skipinstalled | -l --libloc =text | -m =text",
        cleaning=CLEANING["r"], environment=("R_*",), doc="installs R packages in Rocker's images"),
    tool("conda mamba micromamba", "conda", "package-manager",
         verb("install|update|upgrade|create|env create|env update", "install", "-y --yes | -n --name =text "
                 "| -p --prefix =text | -c --channel =text | -f --file =read | --override-channels | --no-deps "
                 "| --only-deps | --freeze-installed | --no-pin | --all | --use-local | --strict-channel-priority "
                 "| --no-channel-priority | --update-all | --update-deps | --copy | --no-default-packages "
                 "| --force-reinstall | --no-update-deps | --solver =text | --clone =text | -k | --prune | --mkdir "
                 "| --force | --no-update-dependencies | --satisfied-skip-solve | --download-only | --platform =text "
                 "| --offline | --always-softlink | --experimental =text | --no-py-pin",
              network=True, leaves=("/opt/conda/pkgs/", "~/miniconda3/pkgs/", "~/.conda/pkgs/"),
              optional_manifests=("environment.yml", "environment.yaml"), shape=_conda, seconds=60),
         verb("remove|uninstall|env remove", "remove", "-y --yes | -n --name =text | -p =text | --force | --all",
              shape=_conda, seconds=10),
         verb("clean", "clean", "-a --all | -y --yes | -t --tarballs | -p --packages | -i --index-cache "
                 "| -f --force-pkgs-dirs | -s | -l --lock | --logfiles | --tempfiles | -c", writes=("/opt/conda/",
              "~/miniconda3/", "~/.conda/", "~/anaconda3/"), removes=("/opt/conda/pkgs/", "~/miniconda3/pkgs/",
              "~/.conda/pkgs/", "~/.cache/conda/"), seconds=2),
         verb("config|init|activate|deactivate|env config|env config vars|config set|shell|tos|tos accept"
                 "|config append|config prepend", "configure", writes=("~/.condarc", "/opt/conda/.condarc",
              "~/.bashrc", "~/.profile", "/opt/conda/etc/", "~/.conda/"), reads=("~/.condarc",)),
              verb("build|index|convert|develop|skeleton|render|debug", "build", wall=True, runs_project_code=True,
              network=True, seconds=60), verb("run", "run", wall=True, runs_project_code=True),
         verb("list|info|search|env list|env export|help|package|compare|shell hook|repoquery|doctor|notices",
              "query", network=True), opts="-q --quiet | -v --verbose | --json | --debug | --version -V | -y --yes "
                 "| -r --root-prefix =tree", local=True, cleaning=CLEANING["conda"], yes=("-y", "--yes"), pin="=",
              environment=("CONDA_*", "MAMBA_*", "PIP_*", "PYTHON*"), doc="packages of Anaconda"),
    tool("tlmgr", "tlmgr", "package-manager", verb("", "install", network=True, writes=("/usr/local/texlive/",
        "/opt/", "/usr/share/", "~/.TinyTeX/", "/usr/local/bin/", "~/texmf/", "/var/"), reads=("/usr/",),
        seconds=30), permutes=False, doc="TeX packages"),
    tool("krew pip-audit pipdeptree quicklisp cocoapods pod carthage ponyc corral hex ballerina bal dart pub flutter "
            "fvm roswell vsce code-server code codium apm", "other-managers", "package-manager", verb("", "install",
        network=True, wall=True, runs_project_code=True, seconds=30), permutes=False,
        doc="package managers of other worlds"),
    tool("wasmer wapm jbang k6 pulsar-admin sqlpackage ollama", "other-managers", "package-manager", verb("",
        "install", network=True, wall=True, seconds=10), permutes=False, doc="package managers of other worlds"),
)  # fmt: skip
