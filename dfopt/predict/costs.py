"""What commands leave behind whose output only a build can tell: intervals by tool and verb, stated as such.

The figures are ranges seen in public images and build logs of projects of all sizes, not measurements of one project;
every layer that rests on them is marked so.
"""

from __future__ import annotations

import posixpath
import re
from functools import lru_cache

from msgspec import Struct
from msgspec.structs import replace

from dfopt.context.matching import translate
from dfopt.predict.call import Call, Stream
from dfopt.predict.files import Handler
from dfopt.predict.filesystem import MOUNTED, Entry, Origin
from dfopt.predict.model import ZERO, Estimate

_MB = 1_000_000
_TABLE = r"""
go  ^(mod (download|tidy|vendor)|get)\b
    $GOPATH/pkg/mod  go modules  120 0.5 900
go  ^install\b
    $GOPATH/bin  go programs  14 2 80
    ~/.cache/go-build  go build cache  120 10 700
    $GOPATH/pkg/mod  go modules  90 0 900
go  ^(build|test|run|generate|vet)\b
    -o  go program  14 1.2 90
    ~/.cache/go-build  go build cache  120 10 700
    $GOPATH/pkg/mod  go modules  90 0 900
cargo  ^(\+\S+ )?(install)\b
    $CARGO_HOME/bin  rust programs  9 1 80
    $CARGO_HOME/registry  cargo registry  70 3 500
cargo  ^(\+\S+ )?(build|test|rustc|chef|check|b)\b
    ./target  rust build tree  450 8 5000
    $CARGO_HOME/registry  cargo registry  70 0 600
cargo  ^(\+\S+ )?(fetch|vendor|update)\b
    $CARGO_HOME/registry  cargo registry  70 0.1 600
rustup|rustup-init
    $CARGO_HOME  rust toolchain  600 0 1500
mvn|mvnw|mvnd  dependency:|^-v
    ~/.m2  maven repository  110 5 600
mvn|mvnw|mvnd
    ~/.m2  maven repository  120 0 700
    ./target  maven target  35 0.02 350
gradle|gradlew
    ~/.gradle  gradle caches  280 20 1200
    ./build  gradle build  35 0.02 350
sbt
    ~/.ivy2  sbt caches  250 30 1000
    ./target  sbt target  60 0.1 500
npm|yarn|pnpm|npx|bun|pnpx|ng|vite|next|webpack|tsc|gulp|grunt  build|compile|dist|export|generate|^$|bundle|prod|\
--prod
    .  front-end build  6 0.02 200
yarn|pnpm|bun
    ./node_modules  node modules  190 0.5 1500
    /usr/local/share/.cache  package cache  60 0 900
npm  ^(ci|install|i|add|clean-install)\b
    ./node_modules  node modules  150 0.05 1500
    ~/.npm  npm cache  40 0 500
npm|npx|bunx
    .  npm script  3 0 300
bower
    ./bower_components  bower components  15 0.1 200
bundle|bundler  ^(install|update|package)|^$
    /usr/local/bundle  gems  90 0.5 700
gem  ^(install|update)
    /usr/local/bundle  gems  5 0.05 100
rails|rake|bin/rails  assets
    .  compiled assets  8 0.1 150
composer(\.phar)?
    ./vendor  composer packages  40 0.02 300
    ~/.composer/cache  composer cache  12 0 150
dotnet  ^restore
    ~/.nuget/packages  nuget packages  130 0.1 800
    ./obj  restore state  0.5 0.01 10
dotnet  ^publish
    -o  dotnet publish  12 0.1 200
    ./obj  dotnet build tree  8 0.1 150
dotnet  ^(build|test|pack|msbuild)
    -o  dotnet build  10 0.1 200
    ./obj  dotnet build tree  5 0.1 150
dotnet  ^tool
    ~/.dotnet  dotnet tools  20 1 200
docker-php-ext-(install|configure|enable)
    /usr/local/lib/php  php extensions  1.6 0.0005 30
pecl|pear|phpize
    /usr/local/lib/php  php extensions  2.5 0.05 40
install-php-extensions
    /usr  php extensions and libraries  25 0.3 200
conda|mamba|micromamba  clean
conda|mamba|micromamba  (install|create|update|env)
    /opt/conda  conda packages  700 10 8000
pip3?(\.\d+)?|uv|poetry|pipenv|pdm|hatch|pipx  (install|sync|add|update)
    /usr/local/lib  python packages  90 0.1 5000
poetry|pipenv|pdm|uv
playwright|puppeteer  install
    ~/.cache/ms-playwright  browsers  600 150 1800
apk  ^(-\S+ )*(add|upgrade)
    /usr  apk packages  25 0.05 700
apt-get|apt|aptitude  (install|upgrade|build-dep)
    /usr  apt packages  90 1 1500
apt-get|apt|aptitude  update
    /var/lib/apt/lists  package lists  20 5 60
yum|dnf|microdnf|tdnf|zypper|rpm|pacman|emerge|yay  (install|update|upgrade|-S|-i|-U|in\b|up\b|builddep|swap)
    /usr  packages  110 0.5 1500
    /var/cache  package manager caches  80 0 400
dpkg  (-i|--install)
    /usr  installed package files  60 0.5 600
opkg|nix-env|nix|snap|brew|guix
    /usr  packages  60 0 2000
locale-gen|localedef
    /usr/lib/locale  locale archive  3.06 0.3 12
update-ca-certificates|update-ca-trust
    /etc/ssl/certs  certificate bundle  0.22 0 1.2
keytool
    /etc  key store  0.12 0.001 0.3
ldconfig
    /etc  linker cache  0.0095 0.004 0.06
fc-cache
    /var/cache/fontconfig  font cache  0.03 0 2
mandb|update-mime-database|gtk-update-icon-cache|glib-compile-schemas
    /var/cache  indexes  0.5 0 20
openssl|ssh-keygen|ssh-keyscan|mkcert|certbot
    .  keys  0.003 0 0.03
dpkg-reconfigure|debconf-set-selections
    /var/cache/debconf  debconf database  0.75 0 1.7
update-alternatives|a2\w+|phpenmod|phpdismod|systemctl|service|update-rc\.d|crontab|rc-update|invoke-rc\.d|\
dpkg-divert|dpkg-statoverride|alternatives|add-apt-repository|apt-mark|yum-config-manager|dpkg-trigger
    /var/lib  small state files  0.002 0 0.2
upx|patchelf|wasm-opt
    .  programs written again  1 0 100
cmake|meson|qmake|autoreconf|automake|autoconf|aclocal|libtoolize|bootstrap|autogen\.sh  --build|^compile|--install
    .  compiled files  12 0.02 1500
cmake|meson|configure|qmake|Configure|config|autoreconf|automake|autoconf|aclocal|libtoolize|bootstrap|autogen\.sh
    .  build configuration  1.2 0.05 25
ninja|scons|bazel|buck|xmake|b2|samu|colcon|catkin_make  install
    /usr/local  installed programs  15 0.02 600
ninja|scons|bazel|buck|xmake|b2|samu|colcon|catkin_make
    .  compiled files  25 0.02 2500
javac|kotlinc|scalac
    .  compiled classes  0.1 0.0005 20
ant|lein|mix|rebar3|stack|cabal|ghc|swift|zig|nim|nimble|crystal|shards|dub|opam|dune|elm|hugo|jekyll|mkdocs|\
sphinx-build|tox|nox|invoke|bazelisk|erlc|luarocks|cpan|cpanm
    .  build output  40 0.02 3000
update-locale|apt-add-repository|php\d*(en|dis)mod|chsh|mkfifo|mknod|setx|dpkg-preconfigure|pam-auth-update|swapon
    /etc  small state files  0.002 0 0.3
patch|dos2unix|unix2dos
    .  files written again  0.02 0.0001 5
fix-permissions
    /opt  files written again  5 0 1500
jupyter|jlpm
    /usr/local/share/jupyter  notebook extensions  20 0 600
sdkmanager|avdmanager|android  ;|install|--|update
    /opt  android packages  600 0.01 6000
easy_install\S*
    /usr/local/lib  python packages  8 0.05 300
(elasticsearch|logstash|kibana|rabbitmq|grafana|opensearch)-(plugin|plugins|cli)|plugin|jenkins-plugin-cli
    /usr/share  plugins  8 0.001 400
dep|glide|govendor|godep
    ./vendor  go packages  60 0.5 500
steamcmd\S*
    /opt  game server  1500 50 30000
bash|sh|dash|zsh|ash|ksh|fish
    .  what a script leaves  4 0 1000
python3?(\.\d+)?|pypy3?  setup\.py
    /usr/local/lib  python package  4 0.01 300
python3?(\.\d+)?|pypy3?
    .  what a script leaves  0.3 0 500
node|ruby|php|perl|java|Rscript|R|julia|lua|deno
    .  what a script leaves  1 0 600
nvm|n|fnm|volta|asdf|mise|pyenv|rbenv|sdk|rvm|jenv|goenv
    ~  language versions  250 0 1500
wp|drush|artisan|symfony|django-admin
    .  what a framework's command leaves  1 0 150
helm|kubectl|terraform|ansible\S*|aws|gcloud|gsutil|az|vault|docker|buildah
    .  what a tool leaves  2 0 500
mysql\w*|psql|initdb|pg_ctl|sqlite3|mongod?|redis-\w+|mysqld?|mariadb\S*|createdb
    /var/lib  database files  20 0 400
"""
"""What is left: program and a pattern of its arguments, then lines of folder, label, value, low and high in MB.

Fields stand two blanks apart. Folder ``.`` is the working directory, ``-o`` the value of the output option, ``~`` home.
The first entry that fits a call counts; one without lines leaves nothing.
"""
_UNKNOWN = Estimate(1_500_000, 0, 600_000_000)
_QUIET_TEXT = """
cd export set true false test [ [[ : exit return source . which type command id whoami ls pwd env printenv uname
stat du df sleep wait read shift local declare typeset readonly unset umask ulimit trap hash exec getent date
hostname diff cmp md5sum sha1sum sha256sum sha512sum shasum file wc basename dirname realpath readlink expr let
nproc arch ps kill killall pkill pgrep free uptime lscpu lsb_release ldd nm objdump readelf getconf ping nslookup
host dig nc netstat ss ip ifconfig mount umount sync alias unalias pushd popd shopt eval getopts time break
continue dpkg-query dpkg-architecture rpm-query tput clear logger jobs fg bg apt-cache apt-config sysctl stty tty
locale mktemp chroot cksum b2sum comm paste rev xargs less more man whereis nice groups users who last pip-audit
shellcheck hadolint flake8 black ruff mypy pylint pytest-cov eslint bc hexdump od strings docker-php-source
in_group useradd-check [[ ]] : ! apk-key ulimit
"""
_QUIET = frozenset(_QUIET_TEXT.split())
_SILENT_TEXT = """
: true false test [ [[ cd export set unset exit return shift wait sleep umask ulimit trap local readonly exec sync
"""
SILENT = frozenset(_SILENT_TEXT.split())
"""Commands that leave nothing and print nothing."""
_VERSION_ONLY = re.compile(r"^(?:-{1,2}(?:version|help|info|V|v)|version|-version|help)$")


class _Left(Struct, frozen=True):
    """What one kind of call leaves: where, under which label, how much."""

    where: str
    label: str
    size: Estimate


_Row = tuple[re.Pattern[str], re.Pattern[str], tuple[_Left, ...]]


def _megabytes(text: str) -> Estimate:
    """Read value, low and high in MB."""
    value, low, high = (float(number) * _MB for number in text.split())
    return Estimate(value, low, high)


@lru_cache(maxsize=1)
def _rows() -> tuple[_Row, ...]:
    """Read the table."""
    rows: list[_Row] = []
    for line in _TABLE.replace("\\\n", "").strip().splitlines():
        fields = re.split(r" {2,}", line.strip())
        if line.startswith(" "):
            program, pattern, left = rows[-1]
            rows[-1] = (program, pattern, (*left, _Left(fields[0], fields[1], _megabytes(fields[2]))))
        else:
            rows.append((re.compile(f"(?:{fields[0]})\\Z"), re.compile(" ".join(fields[1:])), ()))
    return tuple(rows)


def is_quiet(call: Call) -> bool:
    """Tell whether a command leaves no files behind."""
    name = call.command.name
    if name is None:
        return False
    values = call.values
    if name in SILENT or name in _QUIET or (bool(values) and all(_VERSION_ONLY.match(text) for text in values)):
        return True
    if call.invocation is not None and call.invocation.action in ("query", "test"):
        return True
    if name in ("dpkg", "rpm"):
        return not re.search(
            r"(?:^|\s)(?:-i|--install|-U\w*|-i\w+|--import|-r|-P|--purge|--add-architecture|-x|--unpack)\b",
            " ".join(values),
        )
    return (
        name in ("python", "python3", "node", "php", "ruby", "perl")
        and values[:1] in (["-c"], ["-e"], ["-r"])
        and not re.search(
            r"write|save|download|open\(|mkdir|copy|install|fetch|retrieve|require\(['\"]fs", " ".join(values[1:])
        )
    )


def leave_unknown(call: Call) -> Stream | None:
    """Write what a command leaves behind that only a build can tell, as intervals."""
    name = call.command.name or ""
    arguments = " ".join(call.values)
    for program, pattern, left in _rows():
        if program.match(name) and pattern.search(arguments):
            for one in left:
                _leave(call, one.where, one.label, one.size)
            return Stream(Estimate(200, 0, 50_000))
    label = f"what {name or 'an unknown command'} leaves"
    folder = call.place.directory or "/"
    call.fs.add_sum(folder, Entry(_UNKNOWN, 0, Origin(label, "unknown", "unknown command", 0.38, True), "sum", 0))
    call.build.note(f"{name or 'a command'} is not known: an interval stands for what it leaves")
    return Stream(Estimate(2_000, 0, 5_000_000), None, Origin(label, "unknown", "unknown command", 0.38, True))


def _leave(call: Call, where: str, label: str, size: Estimate) -> None:
    origin = Origin(label, "build", "usual range", 0.38, size.high - size.low > 1_000_000)
    environment = call.place.environment
    if where == "-o":
        output = call.option("-o", "--output", "--out")
        if output is not None:
            path = call.join(output)
            if "dotnet" in label or output.endswith("/") or call.fs.is_directory(path):
                call.fs.add_sum(path, Entry(size, 0, origin, "sum", 0))
                call.fs.put(path, Entry(ZERO, 0, origin, "directory"))
            else:
                call.fs.put(path, Entry(size, 0, origin))
            return
        where = "."
    if where.startswith("$"):
        variable, _, rest = where[1:].partition("/")
        default = {"GOPATH": "/go", "CARGO_HOME": "/usr/local/cargo"}
        root = environment.get(variable) or default.get(variable, "~")
        if variable == "GOPATH" and "GOMODCACHE" in environment and rest == "pkg/mod":
            root, rest = environment["GOMODCACHE"] or root, ""
        where = posixpath.join(root, rest)
    folder = call.join(where)
    key = re.sub(r"\W+", "-", label)
    if any(
        entry.origin.label == label and entry.layer in (call.fs.layer, MOUNTED)
        for _, entry in call.fs.sums()
    ):  # fmt: skip
        return  # A second call in the same layer fills the same caches.
    if (_was_left(call, label) and "cache" in label) or ("modules" in label and _was_left(call, label)):
        size = Estimate(size.value * 0.1, 0, size.high)
    call.fs.add_sum(folder, Entry(size, 0, origin, "sum", 0), f"{key}.{call.fs.layer}")
    if where.startswith("./"):
        call.fs.put(folder, Entry(ZERO, 0, origin, "directory"))


def _was_left(call: Call, label: str) -> bool:
    """Tell whether a lower layer holds what an earlier call of the same kind left."""
    return any(entry.origin.label == label for _, entry in call.fs.sums())


def compile_c(call: Call) -> Stream | None:
    """Compile with a C compiler: a program of some 16 kB for small sources, growing with them."""
    output = call.option("-o")
    sources = [
        path
        for word in call.operands
        for path in call.paths(word)
        if re.search(r"\.(?:c|cc|cpp|cxx|C|m|s|S|o|a)$", path)
    ]
    total = 0.0
    for path in sources:
        entry = call.fs.get(path)
        total += entry.size.value if entry is not None and entry.type == "file" else 20_000
    static = call.has("-static")
    value = (850_000 if static else 15_500) + total * 0.8
    size = Estimate(value, 500 if call.has("-c") else 7_000, (2_500_000 if static else 60_000) + total * 60)
    path = call.join(output) if output is not None else call.join("a.out")
    call.fs.put(path, Entry(size, 0, Origin("compiled program", "build", "usual range", 0.3, size.high > 500_000)))
    return None


_COMPILED = "compiled files"
_SOURCE = re.compile(r"\.(?:c|cc|cpp|cxx|h|hpp|hh|s|S|go|rs|f90)$")


def make(call: Call) -> Stream | None:
    """Run make: what it compiles is judged by the sources in the folder where they are known."""
    folder = call.join(call.option("-C", "--directory") or ".")
    goals = [text for text in call.values if re.fullmatch(r"[A-Za-z][\w.-]*", text)]
    sources = [
        entry.size.value for name, entry in call.fs.below(folder) if entry.type == "file" and _SOURCE.search(name)
    ]
    others = any(entry.type == "sum" and entry.origin.label != _COMPILED for _, entry in call.fs.below(folder))
    unknown = others or not sources
    total = sum(sources)
    if "install" in goals:
        size = Estimate(12 * _MB, 0, 700 * _MB) if unknown else Estimate(16_000 + total, 0, 200_000 + total * 60)
        _leave(call, "/usr/local", "installed programs", size)
    elif goals and all(goal in ("clean", "distclean", "mrproper") for goal in goals):
        return None
    else:
        size = (
            Estimate(25 * _MB, 0.01 * _MB, 2_500 * _MB)
            if unknown
            else Estimate(16_000 + total, 5_000, 200_000 + total * 80)
        )
        origin = Origin(
            _COMPILED, "build", "usual range" if unknown else "judged by the sources", 0.3, size.high > 1_000_000
        )
        call.fs.add_sum(folder, Entry(size, 0, origin, "sum", 0), f"make.{call.fs.layer}")
    return None


_INSTALLERS = r"""
deb\.nodesource\.com|rpm\.nodesource\.com  /var/lib/apt/lists  repository of Node.js and renewed lists  1.2 0.01 45
sh\.rustup\.rs|rustup  ~/.rustup  rust toolchain  900 300 1600
install\.python-poetry\.org|get-poetry  ~/.local/share/pypoetry  poetry  75 40 140
nvm-sh/nvm|nvm/  ~/.nvm  nvm  3 0.1 20
bun\.sh  ~/.bun  bun  95 50 130
deno\.land  ~/.deno  deno  120 80 180
astral\.sh/uv  ~/.local/bin  uv  48 25 70
get\.docker\.com  /usr  docker  420 250 600
packagist|getcomposer\.org  .  composer  3 1.5 3.6
get-pip\.py|bootstrap\.pypa  /usr/lib/python3  pip  13 6 25
helm  /usr/local/bin  helm  55 35 70
ohmyzsh|oh-my-zsh  ~/.oh-my-zsh  oh-my-zsh  12 6 30
get\.sdkman\.io  ~/.sdkman  sdkman  25 5 60
yarnpkg\.com/install  ~/.yarn  yarn  5.3 4 7
golangci  /go/bin  golangci-lint  40 25 75
packagecloud\.io  /var/lib/apt/lists  repository and renewed lists  1.5 0.01 45
"""
"""Scripts that are piped into a shell: pattern of the address, folder, label, value, low and high in MB."""


def run_piped(call: Call) -> Stream | None:
    """Run a script that comes through a pipe: known installers by their address, others as an open interval."""
    source = call.stdin
    where = f"{source.origin.label} {source.name}" if source is not None else ""
    text = call.build.last_url + " " + where
    for line in _INSTALLERS.strip().splitlines():
        pattern, folder, label, figures = re.split(r" {2,}", line)
        if re.search(pattern, text):
            _leave(call, folder, label, _megabytes(figures))
            return None
    if source is not None and source.text is not None and source.text.strip() in ("", "y", "yes"):
        return None
    label = "what a downloaded script leaves"
    origin = Origin(label, "unknown", "unknown script", 0.38, True)
    call.fs.add_sum("/usr", Entry(Estimate(25 * _MB, 0, 1_500 * _MB), 0, origin, "sum", 0))
    return None


def find(call: Call) -> Stream | None:
    """Run find: with ``-delete`` or ``-exec rm`` files go, with ``-exec chmod`` they are written again."""
    values = call.values
    text = " ".join(values)
    deletes = "-delete" in values or re.search(r"-exec(?:dir)?\s+(?:rm|unlink)\b", text)
    changes = re.search(r"-exec(?:dir)?\s+(?:chmod|chown|chgrp|touch|setfacl)\b", text)
    names = [values[index + 1] for index, one in enumerate(values[:-1]) if one in ("-name", "-iname", "-path")]
    folders = []
    for word in call.command.arguments:
        if word.pattern.startswith(("-", "(", "!", "\\")):
            break
        folders += call.paths(word)
    if deletes:
        _delete_found(call, folders or [call.join(".")], names)
    elif changes and "-type d" not in text:
        origin = Origin("files of lower layers written again", "duplicate", "their sizes")
        for folder in folders:
            for name, entry in call.fs.below(folder):
                if entry.layer >= 0:
                    call.fs.copy_up(name, entry, origin)
    elif "-exec" in values or "-execdir" in values:
        origin = Origin("what find runs", "unknown", "unknown command", 0.38, True)
        call.fs.add_sum(call.place.directory or "/", Entry(Estimate(0, 0, 20 * _MB), 0, origin, "sum", 0))
    return Stream(Estimate(500, 0, 1_000_000))


def _delete_found(call: Call, folders: list[str], names: list[str]) -> None:
    patterns = [
        pattern for name in names if (pattern := translate(name.replace("*/", "").strip("*/") if "/" in name else name))
    ]
    compiled = any(pattern.match(name) for pattern in patterns for name in ("x.pyc", "__pycache__"))
    others = any(not re.search(r"py[co]|__pycache__", name) for name in names)
    for folder in folders:
        for name, entry in list(call.fs.below(folder)):
            if entry.type == "sum":
                if compiled and entry.origin.label.startswith("byte code"):
                    call.fs.remove(name)
                elif others and entry.layer == call.fs.layer:
                    size = entry.size
                    less = Estimate(size.value * 0.92, size.low * 0.55, size.high)
                    call.fs.entries[name] = replace(entry, size=less)
            elif any(pattern.match(piece) for piece in name.split("/") for pattern in patterns) or not names:
                call.fs.remove(name)


def strip(call: Call) -> Stream | None:
    """Strip symbols: a program becomes smaller, and one of a lower layer is written again."""
    for word in call.operands:
        for path in call.paths(word):
            entry = call.fs.get(path)
            if entry is not None and entry.type == "file":
                size = entry.size
                less = Estimate(size.value * 0.8, size.low * 0.1, size.high)
                call.fs.copy_up(call.fs.resolve(path), entry, _STRIPPED, less)
            elif entry is None and "*" not in path:
                call.fs.add_sum(path, Entry(Estimate(100_000, 0, 30 * _MB), 0, _STRIPPED, "sum", 0))
    return None


_STRIPPED = Origin("stripped programs", "build", "usual range", 0.35)
BUILDERS: dict[str, Handler] = {
    "gcc": compile_c, "g++": compile_c, "cc": compile_c, "c++": compile_c, "clang": compile_c, "clang++": compile_c,
    "make": make, "gmake": make, "find": find, "strip": strip,
}  # fmt: skip
