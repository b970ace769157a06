"""JavaScript's package managers and build programs.

These are npm, npx, yarn, pnpm, bun, corepack, bower, webpack and the like.
"""

from __future__ import annotations

from dfopt.tools.caches import CLEANING
from dfopt.tools.model import Effects, Invocation
from dfopt.tools.paths import Place
from dfopt.tools.table import tool, verb

_GLOBAL = ("/usr/local/lib/node_modules/", "/usr/local/bin/", "/usr/lib/node_modules/", "/usr/bin/", "/usr/etc/")
_LOCKS = ("package-lock.json", "npm-shrinkwrap.json", ".npmrc")
_PNPM_LOCKS = ("pnpm-lock.yaml", "pnpm-workspace.yaml", ".npmrc", ".pnpmfile.cjs", "patches/")
_PATHS = (".", "/", "~", "file:")
# Native modules are compiled against the system's headers.
_NATIVE = ("/usr/include/", "/usr/lib/", "/usr/local/include/")
_NPM_OPTIONS = """
-g --global --location | -D --save-dev --dev | -S --save --save-prod -P | -O --save-optional | -E --save-exact
-B --save-bundle --save-peer | --no-save | --production --prod [=text] | --only =text
--omit =text | --include =text | --ignore-scripts [=text] | --no-audit | --audit [=text] | --no-fund | --fund [=text]
--no-optional | --legacy-peer-deps | --strict-peer-deps
--prefer-offline | --prefer-online | --offline | -f --force | --unsafe-perm [=text] | --allow-root | --no-package-lock
--package-lock [=text] | --package-lock-only
--prefix -C =cd | --registry =text | --cache =text | --loglevel =text | -s --silent | -q --quiet | -d --verbose
--no-progress | --progress [=text] | -w --workspace =text
-ws --workspaces | --no-bin-links | --scope =text | --tag =text | --cache-min =text | --fetch-timeout =text
--fetch-retries =text | --maxsockets =text | --no-shrinkwrap | --no-color | --color [=text]
--build-from-source [=text] | --target =text | --userconfig =text | --foreground-scripts | --install-links
--engine-strict | --no-update-notifier | --update-notifier [=text]
--global-style | --install-strategy =text | --if-present | -y --yes | -v --version | --proxy =text
--https-proxy =text | --strict-ssl [=text] | --dry-run | --allow-git =text
"""


def _local_packages(invocation: Invocation, place: Place) -> frozenset[str]:
    words = (word for word in invocation.operands if (word.value or word.pattern).startswith(_PATHS))
    return frozenset(place.path(word) for word in words)


def _install(invocation: Invocation, place: Place) -> Effects:
    # Project installs write node_modules; all but ``npm ci`` may change the lock file, named packages package.json.
    writes = {place.join("node_modules/")}
    if invocation.subcommand.names[0] != "ci":
        writes.add(place.join("package-lock.json"))
    if invocation.operands:
        writes.add(place.join("package.json"))
    return Effects(
        reads=_local_packages(invocation, place),
        writes=frozenset(writes),
        runs_project_code=not invocation.has("--ignore-scripts"),
    )


def _global_install(invocation: Invocation, place: Place) -> Effects:
    # Packages for the whole system land below npm's prefix.
    prefix = place.environment.get("NPM_CONFIG_PREFIX") or place.environment.get("npm_config_prefix")
    folders = (prefix + "/",) if prefix else (*_GLOBAL, "~/.npm-global/", "~/.local/", "~/.nvm/", "/pnpm/")
    reads = _local_packages(invocation, place)
    return Effects(
        reads=reads | frozenset(_NATIVE),
        writes=frozenset(place.join(path) for path in folders),
        runs_project_code=bool(reads) and not invocation.has("--ignore-scripts"),
    )


def _yarn_global(invocation: Invocation, place: Place) -> Effects:
    """``yarn global`` installs for the whole system."""
    folders = (*_GLOBAL, "/usr/local/share/.config/", "~/.config/yarn/", "~/.yarn/")
    return Effects(writes=frozenset(place.join(path) for path in folders))


def _pnpm_install(invocation: Invocation, place: Place) -> Effects:
    # pnpm links packages from its store.
    writes = {place.join("node_modules/"), place.join("pnpm-lock.yaml")}
    if invocation.subcommand.names[0] == "add":
        writes.add(place.join("package.json"))
    return Effects(writes=frozenset(writes), runs_project_code=not invocation.has("--ignore-scripts"))


def _output(invocation: Invocation, place: Place) -> Effects:
    """Front-end builds read the project and write inside it."""
    return Effects(reads=frozenset((place.join("./"),)), writes=frozenset((place.join("./"),)))


_NPM = ("~/.npm/_cacache/", "~/.npm/_logs/")
_NODE = (
    "NODE_*",
    "npm_config_*",
    "NPM_CONFIG_*",
    "NPM_TOKEN",
    "CI",
    "CC",
    "CXX",
    "PYTHON",
    "CYPRESS_*",
    "PUPPETEER_*",
    "ELECTRON_*",
    "SASS_*",
)
_RUN_REASON = "it runs a script of package.json"

TOOLS = (
    tool("npm", "npm", "package-manager",
         verb("ci|clean-install|install-clean|cit|install-ci-test", "install", network=True, deterministic=True,
              manifests=("package.json",), optional_manifests=_LOCKS, reads=_NATIVE,
              leaves=_NPM, shape=_install, seconds=30),
         verb("install|i|in|add|isntall|it|install-test|update|up|upgrade", "install", network=True, reads=_NATIVE,
              manifests=("package.json",), optional_manifests=_LOCKS, leaves=_NPM, shape=_install, seconds=35,
              instead=("-g", "global install")),
         verb("uninstall|un|remove|rm|r|unlink", "remove", leaves=_NPM, manifests=("package.json",),
              optional_manifests=_LOCKS, shape=_install, seconds=3, instead=("-g", "global remove")),
         verb("global install", "install", network=True, leaves=_NPM, shape=_global_install, seconds=15),
         verb("global remove", "remove", leaves=_NPM, shape=_global_install, seconds=3),
         verb("prune", "remove", leaves=_NPM, manifests=("package.json",), optional_manifests=_LOCKS,
              writes=("node_modules/", "package-lock.json"), seconds=3),
         verb("dedupe|ddp|shrinkwrap", "install", leaves=_NPM, network=True, manifests=("package.json",),
              writes=("node_modules/", "package-lock.json", "npm-shrinkwrap.json"), seconds=5),
         verb("cache clean|cache clear|cache rm", "clean", reads=(), removes=("~/.npm/_cacache/",),
              writes=("~/.npm/",), deterministic=True, seconds=1),
         verb("cache verify|cache add|cache ls|cache", "query", writes=("~/.npm/",)),
         verb("run|run-script|rum|urn|test|t|tst|start|restart|stop|rebuild|rb|explore|publish|pack", "build",
              wall=True, runs_project_code=True, reads=("./",), writes=("./",), seconds=30,
              reason=_RUN_REASON),
         verb("exec|x|init|create", "run", "-p --package =text | -c --call =text | -y --yes", wall=True,
              runs_project_code=True, network=True, seconds=10, reason="it runs a program of a package"),
         verb("config|config set|set|config delete|c", "configure", writes=("~/.npmrc", "/usr/local/etc/npmrc",
              "/usr/etc/npmrc", ".npmrc"), reads=("~/.npmrc",)),
         verb("login|adduser|logout|token", "configure", network=True, writes=("~/.npmrc",)),
         verb("link|ln", "link", "", shape=_install, network=True, runs_project_code=True, writes=(*_GLOBAL,
              "node_modules/"), seconds=5),
         verb("pkg|pkg set|pkg delete|version", "edit", reads=("package.json",), writes=("package.json",
              "package-lock.json")),
         verb("ls|list|ll|la|view|v|info|show|outdated|audit|audit fix|fund|why|explain|root|prefix|bin|help|doctor"
                 "|ping|whoami|get|config get|config list|search|completion|query|sbom", "query",
              reads=("package.json", "node_modules/"), network=True, seconds=2),
         opts=_NPM_OPTIONS, cleaning=CLEANING["npm"], pin="@", environment=_NODE, doc="Node's package manager"),
    tool("npx pnpx bunx", "npm", "package-manager", verb("", "run", wall=True, runs_project_code=True, network=True,
        leaves=_NPM, seconds=15, reason="it runs a program of a package"),
         opts="-y --yes | -p --package =text | -c --call =text | --no-install | -q --quiet", permutes=False,
         cleaning=CLEANING["npm"], environment=_NODE, doc="runs a program of a package"),
    tool("yarn yarnpkg", "yarn", "package-manager",
         verb("install", "install", network=True, manifests=("package.json",), optional_manifests=("yarn.lock",
              ".yarnrc", ".yarnrc.yml", ".npmrc", ".yarn/", ".pnp.cjs"),
              writes=("node_modules/", "yarn.lock", ".yarn/", ".pnp.cjs", ".pnp.loader.mjs"), runs_project_code=True,
              leaves=("/usr/local/share/.cache/yarn/", "~/.cache/yarn/", "~/.yarn/berry/cache/"), seconds=35),
         verb("add|remove|upgrade|up|upgrade-interactive|import|dedupe|link|unlink", "install", network=True,
              manifests=("package.json",), optional_manifests=("yarn.lock",),
              writes=("node_modules/", "yarn.lock", "package.json", ".yarn/", ".pnp.cjs"), runs_project_code=True,
              leaves=("/usr/local/share/.cache/yarn/", "~/.cache/yarn/", "~/.yarn/berry/cache/"), seconds=35),
         verb("workspaces focus", "install", "--production | -A --all", network=True, manifests=("package.json",),
              optional_manifests=("yarn.lock", ".yarnrc.yml", ".yarn/"), writes=("node_modules/", ".yarn/",
              ".pnp.cjs"), runs_project_code=True,
              leaves=("~/.yarn/berry/cache/",), seconds=20),
         verb("global add|global upgrade|global remove|global bin|global list", "install", network=True,
              leaves=("/usr/local/share/.cache/yarn/", "~/.cache/yarn/"), shape=_yarn_global, seconds=15),
         verb("cache clean|cache clear", "clean", removes=("/usr/local/share/.cache/yarn/", "~/.cache/yarn/",
              "~/.yarn/berry/cache/"), writes=(".yarn/cache/",), deterministic=True, seconds=1),
         verb("autoclean", "remove", writes=("node_modules/", ".yarnclean")),
         verb("config|config set|config unset|config delete|set|set version|policies|policies set-version|plugin"
                 "|plugin import|login|logout", "configure", writes=("~/.yarnrc", "~/.yarnrc.yml", ".yarnrc",
              ".yarnrc.yml", ".yarn/", "package.json", "/usr/local/share/.yarnrc"), network=True),
         verb("cache list|cache dir|cache|list|why|info|audit|check|outdated|bin|versions|help|licenses|config get"
                 "|config list|npm audit|version|owner", "query", network=True, seconds=2),
         verb("run|build|test|start|exec|dlx|node|pack|publish|workspace|workspaces|workspaces foreach|workspaces run"
                 "|create|init|dev|lint|prod|production|compile|generate|prepare|turbo|nx|tsc|vite|next|ng|lerna"
                 "|prisma|prisma generate|build:prod|rebuild|npm", "build", wall=True, runs_project_code=True,
              network=False, reads=("./",), writes=("./",), seconds=30, reason=_RUN_REASON),
         verb("", "build", wall=True, runs_project_code=True, reads=("./",), writes=("./",), seconds=30,
              reason=_RUN_REASON),
         opts="--frozen-lockfile | --immutable | --immutable-cache | --pure-lockfile | --no-lockfile "
              "| --production --prod [=text] | --ignore-scripts | --ignore-engines | --ignore-optional "
              "| --ignore-platform | --non-interactive"
              "| --network-timeout =text | --network-concurrency =text | --cache-folder =text "
                  "| --modules-folder =tree | --prefer-offline | --offline | --silent -s | --verbose | --no-progress "
                  "| --cwd =cd | --force"
              "| --check-files | --registry =text | --mutex =text | -D --dev | -E --exact | -P --peer "
                  "| -O --optional | --prefix =text | --global-folder =text | --link-folder =text | --no-default-rc "
                  "| --use-yarnrc =read | --inline-builds"
              "| --mode =text | --json | --no-bin-links | --flat | -W --ignore-workspace-root-check | --no-immutable "
                  "| --focus | -v --version | --all",
         cleaning=CLEANING["yarn"], default="install", pin="@", environment=(*_NODE, "YARN_*"),
         doc="JavaScript's package manager yarn"),
    tool("pnpm", "pnpm", "package-manager",
         verb("fetch", "install", "-P --prod --production | -D --dev", network=True, manifests=("pnpm-lock.yaml",),
              optional_manifests=("pnpm-workspace.yaml", ".npmrc", "patches/"), writes=("node_modules/",),
              leaves=("~/.local/share/pnpm/store/", "~/.cache/pnpm/"), seconds=15),
         verb("install|i|ci", "install", "--frozen-lockfile [=text] | --no-frozen-lockfile "
                 "| -P --prod --production | -D --dev | --no-optional | --offline | --prefer-offline "
                 "| --shamefully-hoist | --lockfile-only | --fix-lockfile | --force | --ignore-scripts "
                 "| --node-linker =text | -g --global",
              network=True, manifests=("package.json",), optional_manifests=_PNPM_LOCKS, reads=_NATIVE,
              leaves=("~/.local/share/pnpm/store/", "~/.cache/pnpm/"), shape=_pnpm_install, seconds=20,
              instead=("-g", "global add")),
         verb("add|update|up|upgrade|remove|rm|uninstall|import|dedupe|link", "install",
              "-g --global | -D --save-dev | -P --save-prod | -E --save-exact | -w --workspace-root", network=True,
              manifests=("package.json",), optional_manifests=_PNPM_LOCKS, reads=_NATIVE,
              leaves=("~/.local/share/pnpm/store/", "~/.cache/pnpm/"), shape=_pnpm_install, seconds=20,
              instead=("-g", "global add")),
         verb("global add", "install", network=True, writes=("~/.local/share/pnpm/",), shape=_global_install,
              leaves=("~/.local/share/pnpm/store/", "~/.cache/pnpm/"), seconds=15),
         verb("prune", "remove", "--prod", writes=("node_modules/",), manifests=("package.json",),
              runs_project_code=False),
         verb("store prune", "clean", removes=("~/.cache/pnpm/",), writes=("~/.local/share/pnpm/",),
              deterministic=True),
         verb("deploy", "copy", "--prod -P | --dev | --legacy", operands="tree", reads=("./",), network=True,
              runs_project_code=True, seconds=10),
         verb("config|config set|setup|env|env use|set|store|store path|store add", "configure", "-g --global",
              writes=("~/.config/pnpm/", "~/.npmrc", "~/.local/share/pnpm/", "~/.bashrc", ".npmrc"), network=True,
              seconds=3),
         verb("list|ls|why|outdated|audit|bin|root|licenses|config get|help", "query", network=True),
         verb("run|run-script|exec|dlx|build|test|start|rebuild|publish|pack|create|turbo|nx|recursive|init|lint|dev"
                 "|approve-builds", "build", wall=True, runs_project_code=True, reads=("./",), writes=("./",),
              seconds=30, reason=_RUN_REASON),
         opts="-C --dir =cd | --filter -F =text | -r --recursive | -w --workspace-root | --registry =text "
              "| --store-dir =text | --reporter =text | -s --silent | --stream | --aggregate-output "
              "| --config.ignore-scripts [=text] | --loglevel =text | --parallel | --color | --no-color "
              "| --virtual-store-dir =text | -v --version",
         cleaning=CLEANING["pnpm"], pin="@", environment=(*_NODE, "PNPM_*"), doc="JavaScript's package manager pnpm"),
    tool("bun", "bun", "package-manager",
         verb("install|i|ci", "install", "-p --production | --frozen-lockfile | --no-save | --dry-run "
                 "| --ignore-scripts | -f --force | -g --global | -d --dev | --omit =text | --verbose "
                 "| --no-progress | --registry =text | --cache-dir =text | --linker =text | --filter =text",
              network=True, manifests=("package.json",),
              optional_manifests=("bun.lockb", "bun.lock", "bunfig.toml", ".npmrc"), writes=("node_modules/",
              "bun.lockb", "bun.lock"), runs_project_code=True, leaves=("~/.bun/install/cache/",), seconds=8,
              instead=("-g", "global add")),
         verb("add|remove|update|rm|a|link", "install", "-g --global | -d --dev | --exact -E", network=True,
              manifests=("package.json",), optional_manifests=("bun.lockb", "bun.lock"), writes=("node_modules/",
              "bun.lockb", "bun.lock", "package.json", "~/.bun/"), runs_project_code=True,
              leaves=("~/.bun/install/cache/",), seconds=8, instead=("-g", "global add")),
         verb("global add", "install", network=True, writes=("~/.bun/",), leaves=("~/.bun/install/cache/",),
              shape=_global_install, seconds=8),
         verb("pm cache rm|pm cache", "clean", removes=("~/.bun/install/cache/",)),
         verb("pm|pm ls|outdated|why|upgrade", "query", network=True),
         verb("build", "build", "--outdir =tree | --outfile =write | --target =text | --format =text | --minify "
                 "| --compile | --sourcemap [=text] | --external =text | --splitting", reads=("./",), writes=("./",
              ), runs_project_code=True, seconds=3),
         verb("run|x|test|create|init|exec|repl", "build", wall=True, runs_project_code=True, seconds=20,
              reason=_RUN_REASON),
         verb("", "run", wall=True, runs_project_code=True, seconds=20),
         opts="--cwd =cd | --silent | --no-cache | -c --config =read | --backend =text | -b --bun | --smol "
              "| -v --version", cleaning=CLEANING["bun"], pin="@", environment=(*_NODE, "BUN_*"),
         doc="JavaScript's runtime and package manager bun"),
    tool("corepack", "corepack", "package-manager",
         verb("enable|disable", "configure", "--install-directory =tree", writes=("/usr/local/bin/", "/usr/bin/"),
              seconds=0.5),
         verb("prepare|install|use|up|hydrate|pack", "install",
              "--activate | --all | -g --global | -o --output =write | --json", network=True,
              optional_manifests=("package.json",), leaves=("~/.cache/node/corepack/",), seconds=3),
         verb("cache clean|cache clear", "clean", removes=("~/.cache/node/corepack/",)), verb("yarn|pnpm|npm", "run",
              wall=True, runs_project_code=True),
         cleaning=CLEANING["corepack"], pin="@", environment=("COREPACK_*",), doc="brings yarn and pnpm"),
    tool("bower", "bower", "package-manager",
         verb("install|update|i", "install", "-p --production | -F --force-latest | -S --save | -D --save-dev",
              network=True, manifests=("bower.json",), optional_manifests=(".bowerrc",), writes=("bower_components/",
              "bower.json", "./"), runs_project_code=True,
              leaves=("~/.cache/bower/",), seconds=15),
         verb("cache clean", "clean", removes=("~/.cache/bower/",)), verb("prune|uninstall|list|help|init|link",
              "other", writes=("bower_components/",)),
         opts="--allow-root | --config =text | --config.interactive [=text] | -q --quiet | -s --silent | -f --force "
              "| --production", cleaning=CLEANING["bower"], pin="#", environment=_NODE, doc="front-end packages"),
    tool("jspm typings tsd", "jspm", "package-manager", verb("", "install", network=True, reads=("./",),
        writes=("./", "~/.jspm/", "~/.cache/"), seconds=15), opts="-y", environment=_NODE, doc="front-end packages"),
    tool("webpack vite next nuxt ng vue-cli-service rollup parcel esbuild gatsby react-scripts astro svelte-kit "
            "remix turbo nx lerna expo eleventy hexo gridsome quasar tsup swc babel postcss ember vitepress vuepress "
            "docusaurus rspack storybook nest sails meteor ionic cordova browserify"
         " uglifyjs terser stencil", "js-build", "build", verb("", "build", runs_project_code=True, shape=_output,
         seconds=40), environment=(*_NODE, "VITE_*", "REACT_APP_*", "NEXT_*", "NUXT_*", "VUE_APP_*", "GATSBY_*",
         "BABEL_ENV", "TZ"), permutes=False,
         doc="builds a front end; its configuration is code of the project"),
    tool("tsc", "tsc", "build", verb("", "build", shape=_output, reads=("tsconfig*.json",), seconds=10),
        opts="-p --project =read | --outDir =tree | --build -b | -w | --outFile =write | --declarationDir =tree",
        syntax="single", environment=("NODE_*",), doc="compiles TypeScript"),
    tool("sass node-sass lessc stylus", "css-build", "build", verb("", "build", shape=_output, seconds=3),
        environment=("NODE_*",), permutes=False, doc="compiles style sheets"),
    tool("gulp grunt mocha jest karma eslint tslint prettier cypress protractor ava tap nyc typedoc jsdoc brunch "
            "broccoli", "js-task", "build", verb("", "build", wall=True, runs_project_code=True, seconds=30),
        environment=_NODE, permutes=False, doc="runs tasks of the project"),
    tool("node-gyp node-pre-gyp prebuild-install", "node-gyp", "build",
         verb("", "build", network=True, reads=("./",), writes=("build/", "lib/"), runs_project_code=True,
              leaves=("~/.cache/node-gyp/", "~/.node-gyp/"), seconds=30), cleaning=CLEANING["node-gyp"],
              environment=_NODE, doc="builds native modules"),
    tool("node nodejs deno ts-node tsx", "node", "other", verb("", "run", wall=True, runs_project_code=True,
        seconds=2, reason="it runs a JavaScript program"), permutes=False, environment=_NODE, doc="runs JavaScript"),
    tool("nvm n fnm volta asdf mise rtx", "version-manager", "package-manager",
         verb("", "install", network=True, writes=("~/", "/usr/local/", "/opt/"), reads=(".nvmrc", ".tool-versions",
              ".node-version"), seconds=15), opts="-y", environment=("NVM_*", "N_PREFIX", "ASDF_*"),
              doc="installs language runtimes"),
)  # fmt: skip
