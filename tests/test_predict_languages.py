from __future__ import annotations

import json
from collections.abc import Mapping

import pytest

from dfopt.images import facts
from dfopt.predict import apk, npm, pip, rpm
from dfopt.predict.model import PackageCall, PackageModel, PackageState, Part
from dfopt.predict.nodelocks import Locked, fits, manifest, npm_lock, pnpm_lock, yarn_lock
from dfopt.predict.pep440 import applies, key, normal, requirement
from dfopt.predict.requirements import lock_file, project, requirements_file
from dfopt.predict.wheels import closure
from dfopt.shell.model import Command, ShellWord
from dfopt.source import Span
from dfopt.tools.recognise import recognise

NOWHERE = Span(0, 0)
FLASK = "flask==3.0.3\nrequests==2.32.3\ngunicorn==22.0.0\n"


def layer(
    model: PackageModel, state: PackageState, *commands: str, files: Mapping[str, str] | None = None,
    environment: Mapping[str, str] | None = None, directory: str = "/app",
) -> tuple[PackageState, tuple[Part, ...]]:  # fmt: skip
    after = state
    for command in commands:
        words = tuple(ShellWord(word, word, word, NOWHERE) for word in command.split())
        invocation = recognise(Command(words, NOWHERE))
        assert invocation is not None, command
        call = PackageCall(invocation, environment or {}, directory, read=lambda path: (files or {}).get(path))
        after = model.run(call, after)
    return after, model.parts(state, after)


def total(parts: tuple[Part, ...]) -> tuple[float, float, float]:
    return tuple(sum(getattr(part.estimate, end) for part in parts) for end in ("value", "low", "high"))  # type: ignore[return-value]


def labels(parts: tuple[Part, ...]) -> str:
    return "; ".join(part.label for part in parts)


# ------------------------------------------------------------------ pip, against really built layers (November 2026)


def test_pip_wheel_leaves_the_wheels_exactly() -> None:
    files = {"/w/requirements.txt": FLASK + "django==4.2.13\n"}
    _, parts = layer(
        pip,
        pip.start(facts("python:3.11-slim")),
        "pip wheel --no-cache-dir --wheel-dir /wheels -r requirements.txt",
        files=files,
        directory="/w",
    )
    wheels = next(part for part in parts if part.path == "/wheels")
    assert wheels.estimate.value == pytest.approx(9_598_484, rel=0.03)
    assert wheels.compressed == 1.0
    value, low, high = total(parts)
    assert value == pytest.approx(20_175_382, rel=0.03)
    assert low <= 20_175_382 <= high


def test_pip_install_from_wheels_is_predicted() -> None:
    files = {"/requirements.txt": FLASK + "django==4.2.13\n"}
    _, parts = layer(
        pip,
        pip.start(facts("python:3.11-slim")),
        "pip install --no-cache-dir --no-index --find-links=/wheels -r requirements.txt",
        files=files,
        directory="/",
    )
    value, low, high = total(parts)
    assert value == pytest.approx(50_495_422, rel=0.03)
    assert low <= 50_495_422 <= high


def test_pip_on_debian_has_its_byte_code_already() -> None:
    _, parts = layer(
        pip,
        pip.start(facts("debian:bookworm-slim")),
        "pip install --no-cache-dir --break-system-packages requests==2.32.3",
    )
    value, low, high = total(parts)
    assert value == pytest.approx(3_153_789, rel=0.1)
    assert low <= 3_153_789 <= high
    assert "standard library" not in labels(parts)


def test_a_virtual_environment_and_what_goes_into_it() -> None:
    _, parts = layer(
        pip,
        pip.start(facts("debian:bookworm-slim")),
        "python3 -m venv /venv",
        "/venv/bin/pip install --no-cache-dir flask==3.0.3",
    )
    assert total(parts)[0] == pytest.approx(26_589_681, rel=0.05)
    assert any(part.path == "/venv" for part in parts)


def test_the_cache_is_a_part_of_its_own_and_can_be_switched_off() -> None:
    start = pip.start(facts("python:3.12-slim"))
    _, kept = layer(pip, start, "pip install flask")
    assert [part.path for part in kept if part.kind == "cache"] == ["/root/.cache/pip"]
    for command, environment in [
        ("pip install --no-cache-dir flask", {}),
        ("pip install flask", {"PIP_NO_CACHE_DIR": "1"}),
    ]:
        _, none = layer(pip, start, command, environment=environment)
        assert not [part for part in none if part.kind == "cache"]


def test_each_installer_has_its_cache_and_lock_files_are_whole() -> None:
    lock = '[[package]]\nname = "flask"\nversion = "3.0.3"\n'
    start = pip.start(facts("python:3.12-slim"))
    for command, name, path in [
        ("uv sync --frozen", "uv.lock", "/root/.cache/uv"),
        ("poetry install --no-root", "poetry.lock", "/root/.cache/pypoetry"),
    ]:
        state, parts = layer(pip, start, command, files={f"/app/{name}": lock})
        assert set(state.installed) - set(start.installed) == {"flask"}
        assert [part.path for part in parts if part.kind == "cache"] == [path]


def test_byte_code_is_made_once_and_not_where_it_is_switched_off() -> None:
    start = pip.start(facts("python:3.12-slim"))
    first, parts = layer(pip, start, "pip install --no-cache-dir flask")
    assert "standard library" in labels(parts)
    _, second = layer(pip, first, "pip install --no-cache-dir requests")
    assert "standard library" not in labels(second)
    _, without = layer(
        pip, start, "pip install --no-cache-dir --no-compile flask", environment={"PYTHONDONTWRITEBYTECODE": "1"}
    )
    assert "byte code" not in labels(without)
    _, uv = layer(pip, start, "uv pip install --system --no-cache flask")
    assert "byte code" not in labels(uv)


def test_what_is_installed_is_not_installed_again() -> None:
    first, _ = layer(pip, pip.start(facts("python:3.12-slim")), "pip install --no-cache-dir flask")
    second, parts = layer(pip, first, "pip install --no-cache-dir jinja2 click")
    assert parts == ()
    assert second.installed == first.installed


def test_an_unknown_package_or_file_is_an_interval_that_says_so() -> None:
    start = pip.start(facts("python:3.12-slim"))
    _, parts = layer(pip, start, "pip install --no-cache-dir no-such-package-here")
    part = next(part for part in parts if "no-such-package-here" in part.label)
    assert part.estimate.high > 10 * part.estimate.low
    assert "interval" in part.source
    state, unread = layer(pip, start, "pip install --no-cache-dir -r missing.txt")
    assert total(unread)[2] > 100e6
    assert any("missing.txt" in note for note in state.notes)


def test_another_version_than_measured_widens_the_interval() -> None:
    pinned = closure([requirement("flask==3.0.3")], "3.11", {})[0]  # type: ignore[list-item]
    other = closure([requirement("flask==1.0.2")], "3.11", {})[0]  # type: ignore[list-item]
    assert pinned.version == "3.0.3"
    assert pinned.unpacked.high / pinned.unpacked.low < 1.05
    assert other.unpacked.high / other.unpacked.low > 1.3


def test_requirements_files_with_all_they_may_hold() -> None:
    files = {
        "/app/requirements/prod.txt": "-r base.txt\n-c ../constraints.txt\n--index-url https://example.com/simple\n"
        "Flask_Login>=0.5 ; python_version >= '3.8'  # a comment\n-e ../lib\nthing @ https://example.com/thing.zip\n",
        "/app/requirements/base.txt": "requests[socks]==2.32.3 \\\n    --hash=sha256:abc\n\n# nothing\n",
        "/app/constraints.txt": "urllib3<2\n",
    }
    found = requirements_file("/app/requirements/prod.txt", files.get)
    assert [need.name for need in found.requirements] == ["requests", "flask-login", "thing"]
    assert found.requirements[0].pinned == "2.32.3"
    assert found.requirements[0].extras == ("socks",)
    assert [need.name for need in found.constraints] == ["urllib3"]
    assert found.projects == ("/app/lib",)
    assert found.missing == ()
    assert requirements_file("/nowhere", files.get).missing == ("/nowhere",)


def test_projects_tell_what_they_depend_on() -> None:
    poetry = (
        '[tool.poetry.dependencies]\npython = "^3.11"\nflask = "^3.0"\n'
        'uvicorn = {version = "~0.30", extras = ["standard"]}\n'
    )
    setup = "from setuptools import setup\nneeds = ['flask>=2', 'requests']\nsetup(name='x', install_requires=needs)\n"
    assert [need.name for need in project("/a", {"/a/pyproject.toml": poetry}.get).requirements] == ["flask", "uvicorn"]
    assert project("/a", {"/a/pyproject.toml": poetry}.get).requirements[0].fits("3.1.0")
    assert not project("/a", {"/a/pyproject.toml": poetry}.get).requirements[0].fits("4.0")
    assert [need.name for need in project("/a", {"/a/setup.py": setup}.get).requirements] == ["flask", "requests"]
    assert project("/a", {"/a/setup.py": "setup(install_requires=read())"}.get).missing == ("/a",)
    assert project("/a", {}.get).missing == ("/a",)


def test_lock_files_decide() -> None:
    poetry = (
        '[[package]]\nname = "Flask"\nversion = "3.0.3"\ngroups = ["main"]\n\n'
        '[[package]]\nname = "pytest"\nversion = "8.0"\ngroups = ["dev"]\n'
    )
    pipfile = json.dumps({"default": {"flask": {"version": "==3.0.3"}}, "develop": {"pytest": {"version": "==8.0"}}})
    for text, name in ((poetry, "poetry.lock"), (pipfile, "Pipfile.lock")):
        (need,) = lock_file(text, name)
        assert (need.name, need.pinned) == ("flask", "3.0.3")
    assert lock_file("not = [ toml", "uv.lock") == ()


@pytest.mark.parametrize(
    ("text", "version", "is_met"),
    [
        ("a>=1.0,<2", "1.9", True),
        ("a>=1.0,<2", "2.0", False),
        ("a~=1.4.2", "1.4.9", True),
        ("a~=1.4.2", "1.5", False),
        ("a~=1.4", "1.9", True),
        ("a==1.*", "1.22", True),
        ("a==1.*", "2.0", False),
        ("a!=1.0", "1.0.0", False),
        ("a==1.0", "1.0.0", True),
        ("a>1.0", "1.0.post1", True),
        ("a<1.0", "1.0rc1", True),
        ("a", "0.1", True),
    ],
)
def test_version_clauses(text: str, version: str, is_met: bool) -> None:
    need = requirement(text)
    assert need is not None
    assert need.fits(version) is is_met


def test_versions_sort_as_pep_440_says() -> None:
    ordered = ["1.0.dev1", "1.0a1", "1.0a2", "1.0b1", "1.0rc1", "1.0", "1.0.post1", "1.1", "1.10", "2.0", "1!0.1"]
    assert sorted(set(ordered), key=key) == ordered
    assert normal("Flask_Login.x") == "flask-login-x"


@pytest.mark.parametrize(
    ("marker", "extras", "is_met"),
    [
        ("python_version < '3.10'", (), False), ("python_version >= '3.8' and sys_platform == 'linux'", (), True),
        ("sys_platform == 'win32' or extra == 'dotenv'", ("dotenv",), True), ("extra == 'dotenv'", ("",), False),
        ("(os_name == 'nt' or os_name == 'posix') and python_version > '3'", (), True),
        ("platform_python_implementation != 'CPython'", (), False), ("", (), True),
        ("python_full_version < '3.11.3'", (), True),
    ],
)  # fmt: skip
def test_markers(marker: str, extras: tuple[str, ...], is_met: bool) -> None:
    environment = {
        "python_version": "3.11",
        "python_full_version": "3.11.0",
        "sys_platform": "linux",
        "os_name": "posix",
        "platform_python_implementation": "CPython",
    }
    assert applies(marker, environment, extras) is is_met


def test_extras_bring_their_dependencies() -> None:
    plain = {wheel.name for wheel in closure([requirement("uvicorn")], "3.11", {})}  # type: ignore[list-item]
    more = {wheel.name for wheel in closure([requirement("uvicorn[standard]")], "3.11", {})}  # type: ignore[list-item]
    assert {"uvloop", "httptools"} <= more - plain
    assert {"click", "h11"} <= plain


# ------------------------------------------------------------------ npm


PACKAGE = json.dumps(
    {"dependencies": {"express": "4.21.2", "lodash": "4.17.21"}, "devDependencies": {"typescript": "5.4.5"}}
)


def test_npm_install_is_predicted_without_a_lock_file() -> None:
    _, parts = layer(npm, npm.start(facts("node:20-slim")), "npm install", files={"/app/package.json": PACKAGE})
    value, low, high = total(parts)
    assert value == pytest.approx(56_262_557, rel=0.02)
    assert low <= 56_262_557 <= high
    assert {part.path for part in parts if part.kind in ("cache", "logs")} == {"/root/.npm", "/root/.npm/_logs"}


@pytest.mark.parametrize(
    ("command", "environment"),
    [("npm install --omit=dev", {}), ("npm install --production", {}), ("npm install", {"NODE_ENV": "production"})],
)
def test_production_leaves_out_what_only_development_needs(command: str, environment: dict[str, str]) -> None:
    state, _ = layer(
        npm, npm.start(facts("node:20-slim")), command, files={"/app/package.json": PACKAGE}, environment=environment
    )
    assert "express@4.21.2" in state.installed
    assert not any(name.startswith("typescript@") for name in state.installed)


def test_a_lock_file_decides_and_other_platforms_stay_out() -> None:
    lock = json.dumps(
        {
            "lockfileVersion": 3,
            "packages": {
                "": {},
                "node_modules/lodash": {"version": "4.17.21"},
                "node_modules/typescript": {"version": "5.4.5", "dev": True},
                "node_modules/@esbuild/darwin-x64": {"version": "1.0.0", "os": ["darwin"], "optional": True},
                "node_modules/a/node_modules/b": {"version": "2.0.0"},
                "packages/own": {"version": "1.0.0"},
            },
        }
    )
    assert npm_lock(lock) == [Locked("lodash", "4.17.21"), Locked("typescript", "5.4.5", True), Locked("b", "2.0.0")]
    files = {"/app/package.json": PACKAGE, "/app/package-lock.json": lock}
    state, _ = layer(npm, npm.start(facts("node:20")), "npm ci --omit=dev", files=files)
    assert set(state.installed) == {"lodash@4.17.21", "b@2.0.0"}
    old = json.dumps(
        {
            "lockfileVersion": 1,
            "dependencies": {"a": {"version": "1.0.0", "dependencies": {"b": {"version": "2.0.0", "dev": True}}}},
        }
    )
    assert npm_lock(old) == [Locked("a", "1.0.0"), Locked("b", "2.0.0", True)]
    assert npm_lock("{ not json") == []


def test_yarn_and_pnpm_lock_files_are_read() -> None:
    yarn = (
        '# yarn lockfile v1\n\n\n"@babel/core@^7.0.0", "@babel/core@^7.1.0":\n  version "7.1.0"\n\n'
        'lodash@^4.0.0:\n  version "4.17.21"\n'
    )
    berry = (
        '__metadata:\n  version: 8\n\n"lodash@npm:^4.0.0":\n  version: 4.17.21\n\n'
        '"own@workspace:.":\n  version: 0.0.0-use.local\n'
    )
    pnpm = (
        "lockfileVersion: '9.0'\n\npackages:\n\n  '@babel/core@7.1.0':\n    resolution: {integrity: x}\n\n"
        "  lodash@4.17.21:\n    resolution: {integrity: y}\n\n"
        "  fsevents@2.3.3:\n    resolution: {integrity: z}\n    os: [darwin]\n\nsnapshots:\n\n  lodash@4.17.21: {}\n"
    )
    assert yarn_lock(yarn) == [Locked("@babel/core", "7.1.0"), Locked("lodash", "4.17.21")]
    assert yarn_lock(berry) == [Locked("lodash", "4.17.21")]
    assert pnpm_lock(pnpm) == [Locked("@babel/core", "7.1.0"), Locked("lodash", "4.17.21")]
    assert manifest(
        '{"dependencies": {"a": "1"}, "optionalDependencies": {"b": "2"}, "devDependencies": {"c": "3"}}'
    ) == (
        {"a": "1", "b": "2"},
        {"c": "3"},
    )


@pytest.mark.parametrize(
    ("version", "wanted", "is_met"),
    [
        ("1.2.3", "^1.0.0", True),
        ("2.0.0", "^1.0.0", False),
        ("0.2.5", "^0.2.1", True),
        ("0.3.0", "^0.2.1", False),
        ("1.2.9", "~1.2.3", True),
        ("1.3.0", "~1.2.3", False),
        ("1.2.3", "1.x", True),
        ("1.2.3", ">=1 <2", True),
        ("2.1.0", "1.x || >=2.0.0", True),
        ("1.2.3", "latest", True),
        ("1.5.0", "1.0.0 - 2.0.0", True),
        ("1.2.3", "*", True),
    ],
)
def test_npm_ranges(version: str, wanted: str, is_met: bool) -> None:
    assert fits(version, wanted) is is_met


def test_a_global_install_and_an_unknown_package() -> None:
    start = npm.start(facts("node:20-slim"))
    state, parts = layer(npm, start, "npm install -g typescript@5.4.5")
    assert "typescript@5.4.5" in state.installed
    assert total(parts)[0] > 30e6
    state, parts = layer(npm, start, "npm install -g no-such-package-here")
    assert total(parts)[2] > 50e6
    assert any("no-such-package-here" in note for note in state.notes)
    state, parts = layer(npm, start, "npm install")
    assert total(parts)[2] > 500e6
    assert state.notes


def test_prune_takes_the_development_packages_away() -> None:
    start = npm.start(facts("node:20-slim"))
    state, _ = layer(npm, start, "npm install", "npm prune --production", files={"/app/package.json": PACKAGE})
    assert not any(name.startswith("typescript@") for name in state.installed)


# ------------------------------------------------------------------ apk and rpm: estimates that say so


def test_apk_counts_shared_tool_chains_once_and_drops_virtual_groups() -> None:
    start = apk.start(facts("alpine:3.20"))
    _, one = layer(apk, start, "apk add --no-cache build-base")
    _, both = layer(apk, start, "apk add --no-cache build-base gcc g++ musl-dev")
    assert total(both)[0] < 1.2 * total(one)[0]
    _, dropped = layer(
        apk, start, "apk add --no-cache --virtual .deps build-base", "apk add --no-cache curl", "apk del .deps"
    )
    assert total(dropped)[0] < 10e6


def test_apk_keeps_its_index_unless_told() -> None:
    start = apk.start(facts("alpine:3.20"))
    assert not [part for part in layer(apk, start, "apk add --no-cache curl")[1] if part.kind == "lists"]
    (index,) = [part for part in layer(apk, start, "apk update", "apk add curl")[1] if part.kind == "lists"]
    assert index.path == "/var/cache/apk"


@pytest.mark.parametrize(
    "command", ["dnf install -y git gcc-c++", "yum -y install git", "microdnf install git", "zypper install -y git"]
)
def test_rpm_layers_are_wide_intervals_with_their_metadata_apart(command: str) -> None:
    _, parts = layer(rpm, rpm.start(facts("fedora:latest")), command)
    value, low, high = total(parts)
    assert 0 < low < value < high
    assert high > 1.5 * low
    (metadata,) = [part for part in parts if part.kind == "lists"]
    assert metadata.path.startswith("/var/cache/")


@pytest.mark.parametrize("model", [pip, npm, apk, rpm])
def test_a_state_compared_with_itself_leaves_nothing(model: PackageModel) -> None:
    for image in (None, facts("python:3.12"), facts("alpine:3.20")):
        state = model.start(image)
        assert model.parts(state, state) == ()
