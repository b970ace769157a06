"""Recognising tools and saying what their calls do, through the real shell parser."""

from __future__ import annotations

import importlib
import pkgutil
import typing

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import dfopt.tools
from dfopt.shell import parse_script
from dfopt.shell.model import Command
from dfopt.syntax.tree import Joined
from dfopt.tools import (
    Effects,
    Setting,
    any_overlap,
    cleans,
    covers,
    effects,
    overlaps,
    package_names,
    recognise,
    script_effects,
)
from dfopt.tools.caches import CLEANING
from dfopt.tools.catalogue import build_purpose, programs_of
from dfopt.tools.index import MODULES
from dfopt.tools.model import Role, Tool


def commands(text: str, **variables: str) -> list[Command]:
    return list(parse_script(Joined(text, ((0, 0),)), dialect="bash", variables=variables, directory="/w").commands)


def command(text: str, **variables: str) -> Command:
    return commands(text, **variables)[-1]


def done(text: str, directory: str = "/w", **environment: str) -> Effects:
    return effects(command(text, **environment), Setting(directory, environment=environment))


def all_tools() -> list[Tool]:
    found: list[Tool] = []
    for module in pkgutil.iter_modules(dfopt.tools.__path__):
        found.extend(getattr(importlib.import_module(f"dfopt.tools.{module.name}"), "TOOLS", ()))
    return found


def test_the_index_names_every_program_of_every_table_once() -> None:
    declared = {}
    for module in pkgutil.iter_modules(dfopt.tools.__path__):
        for tool in getattr(importlib.import_module(f"dfopt.tools.{module.name}"), "TOOLS", ()):
            for name in tool.names:
                assert name not in declared, f"{name} is in two tables"
                declared[name] = module.name
    assert declared == MODULES


def test_there_are_at_least_eighty_tools() -> None:
    assert len(all_tools()) >= 80
    assert len({tool.family for tool in all_tools()}) >= 80


def test_every_option_has_a_role_that_exists_and_every_tool_a_description() -> None:
    roles = set(typing.get_args(Role))
    for tool in all_tools():
        assert tool.doc, tool.names
        for option in (*tool.options, *(option for verb in tool.subcommands for option in verb.options)):
            assert option.role in roles, (tool.names, option)
            assert all(name.startswith(("-", "/", "+")) for name in option.names), (tool.names, option)


def test_no_verb_is_listed_twice_and_defaults_exist() -> None:
    for tool in all_tools():
        names = [name for verb in tool.subcommands for name in verb.names or ("",)]
        assert len(names) == len(set(names)), tool.names
        assert tool.default is None or tool.default in names


def test_what_is_left_behind_is_among_the_paths_that_cleaning_knows() -> None:
    for tool in all_tools():
        known = {path.replace("~", "/root") for cleaning in CLEANING.values() for path in cleaning.paths}
        for verb in tool.subcommands:
            for path in verb.leaves:
                assert any(covers(other, path.replace("~", "/root")) for other in known), (tool.names, path)


@pytest.mark.parametrize(
    ("text", "family", "action", "operands"),
    [
        ("apt-get install -y curl git", "apt", "install", ["curl", "git"]),
        ("apt-get -y -qq install curl", "apt", "install", ["curl"]),
        ("apt-get install -y --no-install-recommends -t backports foo", "apt", "install", ["foo"]),
        ("apt-get -o Dpkg::Options::=--force-confold install foo", "apt", "install", ["foo"]),
        ("apt-get install -yt backports foo", "apt", "install", ["foo"]),
        ("apt update", "apt", "update", []),
        ("aptitude install -y foo", "apt", "install", ["foo"]),
        ("apk --no-cache add foo", "apk", "install", ["foo"]),
        ("apk add --virtual .build gcc", "apk", "install", ["gcc"]),
        ("apk add -t .build gcc", "apk", "install", ["gcc"]),
        ("apk add -X http://e/r foo", "apk", "install", ["foo"]),
        ("yum -y install foo", "dnf", "install", ["foo"]),
        ("dnf module enable -y nodejs:18", "dnf", "install", ["nodejs:18"]),
        ("microdnf install foo --nodocs", "dnf", "install", ["foo"]),
        ("tdnf clean all", "dnf", "clean", ["all"]),
        ("zypper -n in -y foo", "zypper", "install", ["foo"]),
        ("pip install -r requirements.txt", "pip", "install", []),
        ("pip3.9 install foo", "pip", "install", ["foo"]),
        ("python -m pip install foo", "pip", "install", ["foo"]),
        ("python3.11 -u -m pip --no-cache-dir install foo", "pip", "install", ["foo"]),
        ("/usr/local/bin/pip install foo", "pip", "install", ["foo"]),
        ("/venv/bin/pip install foo", "pip", "install", ["foo"]),
        ("python -m venv /venv", "venv", "make-directory", ["/venv"]),
        ("python -c 'import pip'", "python", "run", ["-c", "import pip"]),
        ("uv pip install --system foo", "uv", "install", ["foo"]),
        ("uv sync --frozen", "uv", "install", []),
        ("poetry install --no-root", "poetry", "install", []),
        ("npm ci", "npm", "install", []),
        ("npm install --global yarn", "npm", "install", ["yarn"]),
        ("npm install --location=global yarn", "npm", "install", ["yarn"]),
        ("npm --prefix app i foo", "npm", "install", ["foo"]),
        ("npm run build", "npm", "build", ["build"]),
        ("npm cache clean --force", "npm", "clean", []),
        ("yarn", "yarn", "install", []),
        ("yarn --frozen-lockfile --production", "yarn", "install", []),
        ("yarn global add foo", "yarn", "install", ["foo"]),
        ("pnpm i --frozen-lockfile", "pnpm", "install", []),
        ("bundle config set --local without 'a test'", "bundler", "configure", ["without", "a test"]),
        ("bundle --jobs 4", "bundler", "install", []),
        ("gem install foo -v 1.2", "gem", "install", ["foo"]),
        ("go mod download", "go", "install", []),
        ("go build -ldflags '-s -w' -o /out/x ./cmd/x", "go", "build", ["./cmd/x"]),
        ("cargo build --release", "cargo", "build", []),
        ("mvn -B -DskipTests package", "maven", "build", ["package"]),
        ("./mvnw package", "maven", "build", ["package"]),
        ("./gradlew build", "gradle", "build", ["build"]),
        ("dotnet restore app.csproj", "dotnet", "install", ["app.csproj"]),
        ("composer install --no-dev -o", "composer", "install", []),
        ("conda install -y -c conda-forge foo", "conda", "install", ["foo"]),
        ("conda env create -f environment.yml", "conda", "install", []),
        ("gcc-12 -O2 -Wall -o x a.c", "gcc", "build", ["a.c"]),
        ("clang++-14 -std=c++17 a.cc", "gcc", "build", ["a.cc"]),
        ("x86_64-linux-gnu-gcc -c a.c", "gcc", "build", ["a.c"]),
        ("make -j4 -C src install", "make", "build", ["install"]),
        ("make -j \"$JOBS\" all", "make", "build", None),
        ("./configure --prefix=/usr", "configure", "configure", []),
        ("tar -xzf a.tgz -C /opt --strip-components=1", "tar", "unpack", []),
        ("unzip -q a.zip -d /opt", "unzip", "unpack", ["a.zip"]),
        ("git -C /src clone --depth 1 https://e/x.git y", "git", "clone", ["https://e/x.git", "y"]),
        ("git submodule update --init", "git", "fetch", []),
        ("timeout 5 make all", "make", "build", ["all"]),
        ("sudo -E apt-get install -y foo", "apt", "install", ["foo"]),
        ("rm --recursive --force /x", "rm", "delete", ["/x"]),
        ("rm --recu /x", "rm", "delete", ["/x"]),
        ("rm -rf -- -x", "rm", "delete", ["-x"]),
        ("useradd -r -u 1000 -d /home/app app", "useradd", "add-user", ["app"]),
        ("./scripts/install.sh now", "script", "run", ["now"]),
        ("./install -y", "script", "run", ["-y"]),
        ("entry.sh", "script", "run", []),
    ],
)  # fmt: skip
def test_a_call_is_recognised(text: str, family: str, action: str, operands: list[str] | None) -> None:
    call = recognise(command(text))
    assert call is not None
    assert (call.family, call.action) == (family, action)
    if operands is not None:
        assert [word.value for word in call.operands] == operands


@pytest.mark.parametrize("text", ["frobnicate x", "$TOOL install x", "/usr/bin/frobnicate", "$(which pip) install x"])
def test_what_no_table_has_is_not_recognised(text: str) -> None:
    last = next(
        found for found in commands(text) if found.words and found.words[-1].value in ("x", "/usr/bin/frobnicate")
    )
    assert recognise(last) is None
    result = effects(last)
    assert result.wall
    assert result.reason
    assert "*" in result.writes


@pytest.mark.parametrize(
    ("text", "options"),
    [
        ("apt-get install -yqt x foo", {"-y": None, "-q": None, "-t": "x"}),
        ("apt-get install --target-release=x foo", {"-t": "x"}),
        ("apt-get install -qq=2 foo", {"-qq": "2"}),
        ("curl -SLO http://e/x", {"-S": None, "-L": None, "-O": None}),
        ("curl --output=/x http://e/x", {"-o": "/x"}),
        ("make -j4", {"-j": "4"}),
        ("make -j", {"-j": None}),
        ("mvn -DskipTests -Pprod package", {"-D": "skipTests", "-P": "prod"}),
        ("go build -o=/x -mod=vendor", {"-o": "/x", "-mod": "vendor"}),
        ("7z x -o/opt a.7z", {"-o": "/opt"}),
        ("wget -nv -O - http://e/x", {"-nv": None, "-O": "-"}),
        ("npm install --no-audit --omit=dev", {"--no-audit": None, "--omit": "dev"}),
        ("pip install -q --index-url https://e/s foo", {"-q": None, "-i": "https://e/s"}),
    ],
)
def test_options_are_read_with_their_values(text: str, options: dict[str, str | None]) -> None:
    call = recognise(command(text))
    assert call is not None
    assert dict(call.options) == options


@pytest.mark.parametrize(
    ("text", "writes"),
    [
        ("touch a /b", {"/w/a", "/b"}),
        ("mkdir -p -m 700 /a/b c", {"/a/b", "/w/c"}),
        ("echo hello > /etc/motd", {"/etc/motd"}),
        ("echo hello >> x", {"/w/x"}),
        ("echo hello > /dev/null 2>&1", set()),
        ("cat a b > c 2> d", {"/w/c", "/w/d"}),
        ("ls &> /log", {"/log"}),
        ("echo hello | tee -a /x > /dev/null", {"/x"}),
        ("cp a b /c/", {"/c/a", "/c/b"}),
        ("cp a /c", {"/c", "/c/a"}),
        ("cp -T a /c", {"/c"}),
        ("cp -r src/. /c", {"/c/"}),
        ("cp -rt /c a b", {"/c/a/", "/c/b/"}),
        ("cp *.conf /c", {"/c/*.conf"}),
        ("install -m 755 -D x /usr/bin/x", {"/usr/bin/x", "/usr/bin/x/x"}),
        ("install -d -o app /a /b", {"/a", "/b"}),
        ("mv a /c/", {"/c/a/"}),
        ("ln -s /a/b c", {"/w/c", "/w/c/b"}),
        ("ln -sf /usr/bin/python3", {"/w/python3"}),
        ("sed -i s/a/b/ /etc/x /etc/y", {"/etc/x", "/etc/y"}),
        ("sed -ie s/a/b/ /etc/x", {"/etc/x"}),
        ("sed -e s/a/b/ -i.bak /etc/x", {"/etc/x"}),
        ("sed s/a/b/ /etc/x", set()),
        ("sed -n -i -e 1p -e 2p x", {"/w/x"}),
        ("chmod +x /a b", {"/a", "/w/b"}),
        ("chmod -x /a", {"/a"}),
        ("chmod -R g+w /a", {"/a/"}),
        ("chown -R app:app .", {"/w/"}),
        ("chown app:app /a", {"/a"}),
        ("chown --reference=/x /a", {"/a"}),
        ("curl -fsSLo /tmp/x https://e/x", {"/tmp/x"}),
        ("curl -fsSL https://e/x -o /tmp/x", {"/tmp/x"}),
        ("curl -O https://e/d/x.tgz?token=1", {"/w/x.tgz"}),
        ("curl -LO https://e/x -LO https://e/y", {"/w/x", "/w/y"}),
        ("curl -L https://e/x", set()),
        ("curl -o a https://e/x -o b https://e/y", {"/w/a", "/w/b"}),
        ("curl https://e/x -o- ", set()),
        ("wget -qO /tmp/x https://e/x", {"/tmp/x"}),
        ("wget https://e/d/x.tgz -P /tmp", {"/tmp/x.tgz"}),
        ("wget -q https://e/x.tgz", {"/w/x.tgz"}),
        ("wget -O- https://e/x", set()),
        ("tar xzf a.tgz", {"/w/"}),
        ("tar xzf - -C /opt", {"/opt/"}),
        ("tar -C /opt -xf a.tgz", {"/opt/"}),
        ("tar xzfC a.tgz /opt", {"/opt/"}),
        ("tar -xzf a.tgz --directory=/opt bin/x", {"/opt/bin/x/"}),
        ("tar --extract --file a.tgz --strip-components 1 --directory /opt bin/x", {"/opt/"}),
        ("tar czf /a.tgz src", {"/a.tgz"}),
        ("tar tf a.tgz", set()),
        ("tar -xOf a.tgz x", set()),
        ("unzip a.zip -d /opt", {"/opt/"}),
        ("unzip -p a.zip", set()),
        ("gunzip a.gz", {"/w/a"}),
        ("gzip -dc a.gz > b", {"/w/b"}),
        ("7z x -o/opt a.7z", {"/opt/"}),
        ("git clone https://e/a/x.git", {"/w/x/"}),
        ("git clone --branch v1 https://e/a/x /src", {"/src/"}),
        ("git -C /src clone git@e:a/x.git", {"/src/x/"}),
        ("git config --global a b", {"/root/.gitconfig"}),
        ("dd if=/dev/zero of=/swap bs=1M count=1", {"/swap"}),
        ("gcc -O2 -o /out a.c", {"/out"}),
        ("gcc -c a.c b.c", {"/w/a.o", "/w/b.o"}),
        ("gcc a.c", {"/w/a.out"}),
        ("strip --strip-unneeded /a /b", {"/a", "/b"}),
        ("python3 -m venv /venv", {"/venv/"}),
        ("virtualenv -p python3 /venv", {"/venv/"}),
        ("/venv/bin/pip install --no-cache-dir foo", {"/venv/"}),
        ("pip install --no-cache-dir --target /t foo", {"/t/"}),
        ("go build -o /out/x ./cmd/x", {"/out/x", "/root/.cache/go-build/", "/go/pkg/mod/", "/root/go/pkg/mod/"}),
        ("cat <<EOF > /x\nhello\nEOF", {"/x"}),
        ("mkdir ~/x", {"/root/x"}),
        ("mkdir '~/x'", {"/w/~/x"}),
        ("mkdir $HOME/x", {"/root/x"}),
        ("true", set()),
        (":", set()),
        ("export A=b", set()),
        ("[ -f /x ]", set()),
        ("find / -name x", set()),
        ("date +%s", set()),
    ],
)  # fmt: skip
def test_a_call_writes(text: str, writes: set[str]) -> None:
    hsts = {"/root/.wget-hsts"}
    result = done(text)
    assert result.writes - hsts == writes
    assert not result.wall


@pytest.mark.parametrize(
    ("text", "removes"),
    [
        ("rm -rf /var/lib/apt/lists/*", {"/var/lib/apt/lists/*"}),
        ("rm -rf a /b", {"/w/a", "/b"}),
        ('rm -rf "$X"/*', {"*"}),
        ("rm -rf /opt/$X", {"/opt/**"}),
        ("rm -rf ~/.cache", {"/root/.cache"}),
        ("rmdir /x", {"/x"}),
        ("mv a /b", {"/w/a"}),
        ("gunzip a.gz", {"/w/a.gz"}),
        ("gunzip -k a.gz", set()),
        ("find /usr -name '*.pyc' -exec rm {} +", {"/usr/**"}),
        ("find /usr -name '*.pyc' -delete", {"/usr/**/*.pyc"}),
        ("find . -type d | xargs rm -rf", {"*"}),
        (
            "apt-get clean",
            {"/var/cache/apt/archives/*", "/var/cache/apt/pkgcache.bin", "/var/cache/apt/srcpkgcache.bin"},
        ),
        ("npm cache clean --force", {"/root/.npm/_cacache/"}),
        ("echo x", set()),
    ],
)
def test_a_call_removes(text: str, removes: set[str]) -> None:
    assert done(text).removes == removes


@pytest.mark.parametrize(
    ("text", "reads"),
    [
        ("pip install -r req.txt -c c.txt", {"/w/req.txt", "/w/c.txt"}),
        ("pip install ./lib", {"/w/lib"}),
        ("npm ci", {"/w/package.json", "/w/package-lock.json"}),
        ("npm ci --prefix /app", {"/app/package.json", "/app/package-lock.json"}),
        ("go mod download", {"/w/go.mod", "/w/go.sum"}),
        ("bundle install", {"/w/Gemfile", "/w/Gemfile.lock"}),
        ("composer install --no-scripts --no-autoloader", {"/w/composer.json", "/w/composer.lock"}),
        ("cargo fetch", {"/w/Cargo.toml", "/w/Cargo.lock"}),
        ("mvn dependency:go-offline", {"/w/pom.xml"}),
        ("poetry install --no-root", {"/w/pyproject.toml", "/w/poetry.lock"}),
        ("cat a /b < c", {"/w/a", "/b", "/w/c"}),
        ("test -f /x -a -d y", {"/x", "/w/y"}),
        ("[ -e /x ]", {"/x"}),
        ("grep -q foo /etc/x", {"/etc/x"}),
        ("cp a b /c/", {"/w/a", "/w/b"}),
        ("chown app /x", {"/etc/passwd", "/etc/group"}),
        ("dpkg -i ./x.deb", {"/w/x.deb"}),
        ("apt-get install -y ./x.deb", {"/w/x.deb"}),
        ("gcc -Iinclude a.c", {"/w/a.c", "/w/include/"}),
        ("sha256sum a", {"/w/a"}),
        ("curl -LO https://e/x", {"/usr/bin/curl"}),
        ("/venv/bin/pip install foo", {"/venv/bin/pip"}),
    ],
)
def test_a_call_reads(text: str, reads: set[str]) -> None:
    assert reads <= done(text).reads


@pytest.mark.parametrize(
    "text", ["npm ci", "pip install -r req.txt", "go mod download", "bundle install", "apt-get install -y x"]
)
def test_an_install_from_manifests_does_not_read_the_whole_project(text: str) -> None:
    result = done(text)
    assert not any_overlap(result.reads, ["/w/src/main.py"])
    assert not result.wall


def test_global_installs_have_no_manifests() -> None:
    for text in ("npm install -g yarn", "npm i --global yarn", "pnpm add -g yarn", "bun add -g yarn"):
        call = recognise(command(text))
        assert call is not None
        assert not call.subcommand.manifests
        assert "/w/package.json" not in done(text).reads
    call = recognise(command("npm install"))
    assert call is not None
    assert call.subcommand.manifests == ("package.json",)


@pytest.mark.parametrize("name", ["npm", "pip", "gem"])
def test_installs_depend_on_system_headers(name: str) -> None:
    assert any_overlap(done(f"{name} install x").reads, ["/usr/include/libpq-fe.h"])


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("pip install .", True),
        ("pip install -e .", True),
        ("pip install foo", False),
        ("pip install -r req.txt", False),
        ("npm ci", True),
        ("npm ci --ignore-scripts", False),
        ("npm install -g foo", False),
        ("poetry install", True),
        ("poetry install --no-root", False),
        ("uv sync --no-install-project", False),
        ("uv sync", True),
        ("composer install", True),
        ("composer install --no-scripts", False),
        ("make", True),
        ("cargo build", True),
        ("go build", False),
        ("mvn dependency:go-offline", False),
        ("mvn package", True),
        ("python setup.py install", True),
        ("./build.sh", True),
    ],
)
def test_project_code_runs_where_it_does(text: str, code: bool) -> None:
    assert done(text).runs_project_code is code


@pytest.mark.parametrize(
    "text",
    ["make", "npm run build", "./build.sh", "bash x.sh", ". ./env", "eval $X", "su - app", "python x.py", "cmake .."],
)
def test_what_runs_unseen_code_is_a_wall_with_a_reason(text: str) -> None:
    result = done(text)
    assert result.wall
    assert result.reason


@pytest.mark.parametrize(
    "text",
    [
        "apt-get update",
        "npm ci",
        "go build ./...",
        "gcc a.c",
        "rm -rf /x",
        "curl -O https://e/x",
        "pip install foo",
        "useradd app",
        "ldconfig",
        "a2enmod rewrite",
    ],
)
def test_known_programs_are_no_walls(text: str) -> None:
    assert not done(text).wall


def test_make_install_writes_below_destdir() -> None:
    first, last = commands("cd /x && make install DESTDIR=/y")
    del first
    result = effects(last, Setting("/w"))
    assert {"/x/", "/y/"} == result.writes
    assert result.runs_project_code


def test_a_download_piped_into_a_shell_is_a_wall_and_a_fetch() -> None:
    fetch, shell = commands("curl -fsSL https://e/install.sh | sh")
    assert effects(fetch).fetches == {"https://e/install.sh"}
    assert not effects(fetch).wall
    assert effects(shell).wall


def test_relative_paths_in_an_unknown_directory_may_be_anywhere() -> None:
    last = command('cd "$UNKNOWN" && rm x')
    assert last.directory is None
    assert effects(last, Setting(None)).removes == {"*"}


def test_apt_needs_and_refreshes_lists_and_changes_the_database() -> None:
    update, install = done("apt-get update"), done("apt-get install -y x")
    assert update.refreshes == {"apt"}
    assert update.caches == {"/var/lib/apt/lists/"}
    assert update.varies
    assert install.lists == {"apt"}
    assert install.packages == {"dpkg"}
    assert "DEBIAN_FRONTEND" in install.environment
    assert install.fetches == {"index"}


@pytest.mark.parametrize(
    ("text", "environment", "caches"),
    [
        ("pip install foo", {}, {"/root/.cache/pip/"}),
        ("pip install --no-cache-dir foo", {}, set()),
        ("pip install foo", {"PIP_NO_CACHE_DIR": "1"}, set()),
        ("pip install foo", {"PIP_NO_CACHE_DIR": ""}, {"/root/.cache/pip/"}),
        ("PIP_NO_CACHE_DIR=yes pip install foo", {}, set()),
        ("apk add foo", {}, {"/var/cache/apk/"}),
        ("apk add --no-cache foo", {}, set()),
        ("npm ci", {}, {"/root/.npm/_cacache/", "/root/.npm/_logs/"}),
        ("npm ci", {"HOME": "/home/node"}, {"/home/node/.npm/_cacache/", "/home/node/.npm/_logs/"}),
        ("conda clean -afy", {}, set()),
    ],
)
def test_caches_are_left_unless_avoided(text: str, environment: dict[str, str], caches: set[str]) -> None:
    assert done(text, **environment).caches == caches


@pytest.mark.parametrize(
    ("text", "families"),
    [
        ("rm -rf /var/lib/apt/lists/*", {"apt": ("/var/lib/apt/lists/",)}),
        ("rm -rf /var/lib/apt/lists", {"apt": ("/var/lib/apt/lists/",)}),
        ("rm -r /var/lib/apt/lists/* /var/tmp/*", {"apt": ("/var/lib/apt/lists/",)}),
        ("rm -rf /tmp/pear", {"pecl": ("/tmp/pear/",)}),
        ("rm -rf /var/lib/apt/lists/partial/*", {}),
        ("rm -rf /anything", {}),
        ("rm -rf $LISTS", {}),
        ("apt-get clean", {"apt": ("/var/cache/apt/archives/",)}),
        ("apt-get install -y clean", {}),
        ("rm -rf /var/cache/apk/*", {"apk": ("/var/cache/apk/",)}),
        ("npm cache clean --force", {"npm": ("~/.npm/_cacache/",)}),
        ("rm -rf ~/.npm", {"npm": ("~/.npm/_cacache/", "~/.npm/_logs/")}),
        ("rm -rf /root/.npm", {"npm": ("~/.npm/_cacache/", "~/.npm/_logs/")}),
        ("pip cache purge", {"pip": ("~/.cache/pip/",), "pipenv": ("~/.cache/pip/",)}),
        ("yarn cache dir", {}),
        ("composer clear-cache", {"composer": ("~/.composer/cache/", "~/.cache/composer/")}),
    ],
)
def test_a_command_cleans(text: str, families: dict[str, tuple[str, ...]]) -> None:
    assert dict(cleans(command(text)).families) == families


def test_removing_the_cache_folder_cleans_all_that_lies_in_it() -> None:
    families = cleans(command("rm -rf ~/.cache")).families
    assert {"pip", "uv", "poetry", "go"} <= set(families)
    assert "npm" not in families


def test_yum_clean_all_cleans_and_yum_without_clean_does_not() -> None:
    assert "dnf" in cleans(command("yum clean all")).families
    assert not cleans(command("yum -y install clean"))


def together(text: str, **variables: str) -> Effects:
    script = parse_script(Joined(text, ((0, 0),)), dialect="bash", variables=variables, directory="/w")
    return script_effects(script, Setting("/w", environment=variables))


def test_redirects_of_groups_and_loops_are_written() -> None:
    assert together("{ echo a; echo b; } > /etc/x").writes == {"/etc/x"}
    assert together("(cat a) >> y").writes == {"/w/y"}
    assert together("cd /z; for f in a b; do echo $f; done > x").writes == {"/z/x"}
    assert "/w/list" in together('while read x; do echo "$x"; done < list').reads


def test_a_temporary_folder_is_followed_through_its_variable() -> None:
    text = 'export GNUPGHOME="$(mktemp -d)" && gpg --batch --verify a.asc a && rm -rf "$GNUPGHOME" a.asc'
    assert together(text).removes == {"/tmp/**", "/w/a.asc"}
    assert together('d=$(mktemp -d); rm -rf "$d"/*').removes == {"/tmp/**/*"}
    assert together('d=$(mktemp -d); d=$(choose); rm -rf "$d"').removes == {"*"}
    assert together('d=$(mktemp -d -p /x); rm -rf "$d"').removes == {"*"}


@pytest.mark.parametrize(
    ("text", "environment", "caches"),
    [
        ("npm ci", {"NPM_CONFIG_CACHE": "/c"}, {"/c/_cacache/", "/c/_logs/"}),
        ("pip install x", {"PIP_CACHE_DIR": "/c/"}, {"/c/"}),
        ("pip install x", {"XDG_CACHE_HOME": "/c"}, {"/c/pip/"}),
        ("cargo fetch", {"CARGO_HOME": "/c"}, {"/c/registry/", "/c/git/"}),
        ("go mod download", {"GOPATH": "/g"}, {"/g/pkg/mod/"}),
    ],
)
def test_variables_move_caches(text: str, environment: dict[str, str], caches: set[str]) -> None:
    assert done(text, **environment).caches == caches


def test_cleaning_finds_a_moved_cache() -> None:
    setting = Setting("/w", environment={"PIP_CACHE_DIR": "/c"})
    assert "pip" in cleans(command("rm -rf /c"), setting).families
    assert "pip" not in cleans(command("rm -rf ~/.cache/pip"), setting).families


@pytest.mark.parametrize(
    ("text", "writes"),
    [
        ('wget -P "$D" https://e/x', {"*", "/root/.wget-hsts"}),
        ('wget -O "/opt/$D/y" https://e/x', {"/opt/**/y", "/root/.wget-hsts"}),
        ('tar xf a.tar -C "$D"', {"*"}),
        ('7z x a.7z -o"$D"', {"*"}),
        ("sed -n 's/a/b/w /out' x", {"/out"}),
        ("sed 's/a/b w c/' x", set()),
        ("adduser -D -h /home/x y", {"/home/x/"}),
    ],
)
def test_unknown_places_are_not_taken_for_known_ones(text: str, writes: set[str]) -> None:
    assert writes <= done(text).writes


def test_what_find_hands_to_xargs_lies_below_the_folders_searched() -> None:
    assert together("find /opt /srv -name '*.a' -print0 | xargs -0 rm -f").removes == {"/opt/**", "/srv/**"}
    assert together("list-them | xargs rm -f").removes == {"*"}


def test_a_checksum_reads_the_files_that_its_lines_name() -> None:
    assert {"/w/x.tgz"} <= together('echo "$SUM  x.tgz" | sha256sum -c -').reads
    assert "*" not in together('echo "$SUM  x.tgz" | sha256sum -c -').reads
    assert {"/opt/a", "/w/b"} <= together(
        r"printf '%s\n' 'd41d8cd98f00b204e9800998ecf8427e  /opt/a' '00  b' | md5sum -c"
    ).reads
    assert "*" in together("grep x.tgz SUMS | sha256sum -c -").reads
    assert "*" in together("sha256sum -c SUMS").reads


def test_a_command_without_a_directory_runs_somewhere_unknown() -> None:
    assert together('cd "$SOMEWHERE" && touch x').writes == {"*"}
    assert together('(cd "$SOMEWHERE"); touch x').writes == {"/w/x"}


@pytest.mark.parametrize("text", ["node --version", "ffmpeg -version", "make -v", "docker --help", "python3 -V"])
def test_asking_for_the_version_does_nothing(text: str) -> None:
    result = done(text)
    assert not result.wall
    assert not result.writes


@pytest.mark.parametrize(
    ("family", "package", "purpose"),
    [
        ("apt", "build-essential", "compiler"),
        ("apt", "gcc-12", "compiler"),
        ("apt", "libssl-dev", "headers"),
        ("apt", "python3-dev", "headers"),
        ("apt", "git", "vcs"),
        ("apt", "libssl3", None),
        ("apt", "nginx", None),
        ("apk", "musl-dev", "headers"),
        ("apk", "build-base", "compiler"),
        ("dnf", "openssl-devel", "headers"),
        ("zypper", "gcc-c++", "compiler"),
        ("pip", "gcc", None),
    ],
)
def test_a_package_serves_building(family: str, package: str, purpose: str | None) -> None:
    assert build_purpose(family, package) == purpose


def test_a_package_brings_programs() -> None:
    assert {"xz", "unxz"} <= (programs_of("xz-utils") or set())
    assert {"gcc", "ld"} <= (programs_of("gcc-12") or set())
    assert programs_of("libssl-dev") == frozenset()
    assert programs_of("never-heard-of") is None


Row = tuple[str, str | None, bool]


@pytest.mark.parametrize(
    ("text", "packages"),
    [
        (
            "apt-get install -y curl=7.1 git/testing vim:i386 ./x.deb nano- g++",
            [("curl", "7.1", True), ("git", None, False), ("vim", None, False), ("./x.deb", None, False),
             ("nano", None, False), ("g++", None, False)],
        ),
        ("apt-get install -y -t bookworm-backports foo", [("foo", None, False)]),
        ("apt-get update", []),
        (
            "apk add a=1.2-r0 b~=1.2 c@edge '!d' e>2",
            [("a", "1.2-r0", True), ("b", "~=1.2", True), ("c", None, False), ("d", None, False), ("e", None, False)],
        ),
        (
            "yum install -y nginx-1.20.1 java-1.8.0-openjdk gcc-c++ httpd-2.4.37-64.el8 libfoo-devel",
            [("nginx", "1.20.1", True), ("java-1.8.0-openjdk", None, False), ("gcc-c++", None, False),
             ("httpd", "2.4.37-64.el8", True), ("libfoo-devel", None, False)],
        ),
        ("dnf module install -y nodejs:18 php", [("nodejs", "18", True), ("php", None, False)]),
        ("zypper in -y a=1 'b>=2' c", [("a", "1", True), ("b", ">=2", False), ("c", None, False)]),
        (
            "pip install a==1.0 'b>=2,<3' 'c[x]~=1.1' d",
            [("a", "1.0", True), ("b", ">=2,<3", False), ("c", "~=1.1", False), ("d", None, False)],
        ),
        ("pip install -r req.txt --index-url https://e/s", []),
        (
            "pip install git+https://e/a/x.git@v1#egg=x ./lib foo.whl 'y @ https://e/y.whl'",
            [("x", "v1", True), ("./lib", None, False), ("foo.whl", None, False), ("y", None, True)],
        ),
        ("pip install git+ssh://git@e/a/x.git", [("git+ssh://git@e/a/x.git", None, False)]),
        (
            "npm install -g a@1.2.3 @s/b @s/c@2.0.0 d@latest ./e f/g#v1",
            [("a", "1.2.3", True), ("@s/b", None, False), ("@s/c", "2.0.0", True), ("d", "latest", False),
             ("./e", None, False), ("f/g", "v1", True)],
        ),
        ("npm ci", []),
        ("yarn add a@1.0.0 b", [("a", "1.0.0", True), ("b", None, False)]),
        ("gem install a:1.0 b", [("a", "1.0", True), ("b", None, False)]),
        ("gem install a -v 1.0 --no-document", [("a", "1.0", True)]),
        ("go install e.org/a/b@v1.2.3", [("e.org/a/b", "v1.2.3", True)]),
        ("go install e.org/a/b@latest", [("e.org/a/b", "latest", False)]),
        ("go install ./...", [("./...", None, False)]),
        ("go get -d -v", []),
        ("cargo install a --version 1.2.3 --locked", [("a", "1.2.3", True)]),
        ("cargo install a@1.2.3 b", [("a", "1.2.3", True), ("b", None, False)]),
        ("composer require a/b:^1.0 c/d", [("a/b", "^1.0", False), ("c/d", None, False)]),
        (
            "conda install -y numpy=1.2 conda-forge::scipy 'pandas>=1'",
            [("numpy", "1.2", True), ("scipy", None, False), ("pandas", ">=1", False)],
        ),
        ("pecl install redis-5.3.7 xdebug", [("redis", "5.3.7", True), ("xdebug", None, False)]),
        ("make install", []),
    ],
)  # fmt: skip
def test_packages_are_named_with_their_versions(text: str, packages: list[Row]) -> None:
    last = command(text)
    call = recognise(last)
    assert call is not None
    assert [(found.name, found.version, found.pinned) for found in package_names(call)] == packages


def test_the_architecture_is_no_part_of_a_package_name() -> None:
    call = recognise(command("yum install -y glibc.i686 zlib-1.2.11-40.el9.x86_64"))
    assert call is not None
    assert [(found.name, found.version) for found in package_names(call)] == [
        ("glibc", None),
        ("zlib", "1.2.11-40.el9"),
    ]


def test_local_files_addresses_and_unknown_words_are_marked() -> None:
    call = recognise(command("apt-get install -y ./a.deb nano- $PACKAGES foo=$VERSION"))
    assert call is not None
    local, absent, unknown, held = package_names(call)
    assert local.is_local
    assert absent.excluded
    assert unknown.unknown
    assert held.pinned
    assert held.name == "foo"


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("/a/b", "/a/b", True),
        ("/a/", "/a/b/c", True),
        ("/a/b/c", "/a", True),
        ("/a", "/ab", False),
        ("/a/*", "/a/b", True),
        ("/a/*.c", "/a/b.h", False),
        ("/a/*.c", "/a/b*", True),
        ("/a/**", "/a/b/c", True),
        ("/a/x**", "/a/b", False),
        ("/a/x**", "/a/xy/z", True),
        ("*", "/anything", True),
        ("/", "/usr", True),
        ("/a/[bc]/d", "/a/b/d", True),
        ("/a/[!bc]/d", "/a/b/d", False),
        ("/a/?", "/a/bc", False),
    ],
)
def test_paths_overlap(one: str, other: str, expected: bool) -> None:
    assert overlaps(one, other) is expected
    assert overlaps(other, one) is expected


@pytest.mark.parametrize(
    ("pattern", "path", "expected"),
    [
        ("/a/*", "/a/b", True),
        ("/a/*", "/a/b/c", True),
        ("/a/*", "/a", False),
        ("/a", "/a/b", True),
        ("/a/**", "/a/b", False),
        ("*", "/a", False),
        ("/a/*.c", "/a/b.c", True),
        ("/a/*.c", "/a/b.h", False),
    ],
)
def test_a_pattern_covers_a_path_only_where_it_is_certain(pattern: str, path: str, expected: bool) -> None:
    assert covers(pattern, path) is expected


_PIECES = st.sampled_from(
    [
        "-",
        "--",
        "-x",
        "-o",
        "-C",
        "--x=",
        "=",
        "a",
        "/",
        "$X",
        '"$Y/z"',
        "*",
        "~",
        "..",
        "-e",
        "install",
        "{}",
        "+",
        "a@b",
        "http://",
        "''",
    ],
)


@given(st.sampled_from(sorted(MODULES)), st.lists(_PIECES, max_size=6))
@settings(max_examples=300, deadline=None)
def test_no_call_of_any_tool_makes_it_crash(name: str, pieces: list[str]) -> None:
    for found in commands(" ".join((name.removeprefix("-m_"), *pieces))):
        call = recognise(found)
        for path in effects(found, Setting("/w")).writes:
            assert path.startswith(("/", "*"))
        cleans(found)
        if call is not None:
            package_names(call)
