"""What manifests lead to: other files, folders and code of the project."""

from __future__ import annotations

import pytest

from dfopt.tools.manifests import Needs, needs_of


@pytest.mark.parametrize(
    ("name", "text", "files", "folders", "code"),
    [
        ("requirements.txt", "flask==2.0\n# -r no.txt\nrequests>=2  # -e x\n", (), (), False),
        ("requirements.txt", "-r base.txt\n--constraint=c.txt\nflask\n", ("base.txt", "c.txt"), (), False),
        ("requirements-dev.txt", "-e .\n./lib[x]\npkg @ file:./other\n", (), (".", "lib", "other"), True),
        ("requirements.txt", "git+https://e/x.git@v1#egg=x\n-e git+https://e/y.git\nhttps://e/z.whl\n", (), (), False),
        ("requirements.txt", "vendor/a.whl\nb.tar.gz\n", ("vendor/a.whl", "b.tar.gz"), (), False),
        ("requirements.txt", "flask==2.0 \\\n    --hash=sha256:abc/def\n", (), (), False),
        ("package.json", '{"dependencies": {"a": "^1"}}', (), (), False),
        ("package.json", '{"dependencies": {"a": "file:../a", "b": "file:b.tgz"}}', ("b.tgz",), ("../a",), False),
        ("package.json", '{"workspaces": ["packages/*", "!x"]}', ("packages/*/package.json",), (), False),
        ("package.json", '{"workspaces": {"packages": ["a"]}}', ("a/package.json",), (), False),
        ("package.json", '{"scripts": {"build": "x"}}', (), (), False),
        ("package.json", '{"scripts": {"postinstall": "x"}}', (), (), True),
        ("pyproject.toml", '[project]\ndependencies = ["flask"]\nreadme = "README.md"', ("README.md",), (), False),
        ("pyproject.toml", '[tool.poetry.dependencies]\na = {path = "../a"}', (), ("../a",), True),
        ("pyproject.toml", '[tool.uv.workspace]\nmembers = ["p/*"]', ("p/*/pyproject.toml",), (), False),
        ("pyproject.toml", '[tool.pytest]\npath = "x"', (), (), False),
        ("Cargo.toml", '[workspace]\nmembers = ["a", "b/*"]', ("a/Cargo.toml", "b/*/Cargo.toml"), (), False),
        ("Cargo.toml", '[dependencies]\na = {path = "../a"}\nb = "1"', ("../a/Cargo.toml",), (), False),
        ("Cargo.toml", '[package]\nname = "x"\nbuild = "build.rs"', ("build.rs",), (), True),
        ("go.mod", "module x\nreplace a => ../b\nreplace c => d v1\n// replace e => ./e", ("../b/go.mod",), (), False),
        ("go.work", "go 1.22\nuse (\n ./a\n ./b\n)\n", ("a/go.mod", "a/go.sum", "b/go.mod", "b/go.sum"), (), False),
        ("pom.xml", "<modules><module>a</module><!--<module>b</module>--></modules>", ("a/pom.xml",), (), False),
        ("pom.xml", "<parent><relativePath>../p</relativePath></parent>", ("../p/pom.xml",), (), False),
        ("Gemfile", 'gem "rails"\n# gem "x", path: "y"\n', (), (), False),
        ("Gemfile", "gem 'x', path: 'engines/x'\n", (), ("engines/x",), True),
        ("Gemfile", 'source "s"\ngemspec\n', ("*.gemspec",), (), True),
        ("Gemfile", 'ruby file: ".ruby-version"\n', (".ruby-version",), (), False),
        ("composer.json", '{"repositories": [{"type": "path", "url": "../x"}]}', (), ("../x",), False),
        ("composer.json", '{"scripts": {"post-install-cmd": "x"}, "autoload": {"classmap": ["d"]}}', (), ("d",), True),
        ("a.csproj", '<ProjectReference Include="..\\b\\b.csproj" />', ("../b/b.csproj",), (), False),
        ("a.sln", 'Project("{F}") = "b", "src\\b\\b.csproj", "{G}"', ("src/b/b.csproj",), (), False),
        ("environment.yml", "dependencies:\n  - pip:\n    - -r req.txt\n    - numpy\n", ("req.txt",), (), False),
        ("build.gradle.kts", "plugins {}", (), (), True),
    ],
)  # fmt: skip
def test_a_manifest_leads_to(
    name: str, text: str, files: tuple[str, ...], folders: tuple[str, ...], code: bool
) -> None:
    found = needs_of(name, text)
    assert found is not None
    assert (found.files, found.folders, bool(found.code)) == (files, folders, code)
    assert found.known


@pytest.mark.parametrize(("name", "text"), [("package.json", "{"), ("package.json", "[]"), ("pyproject.toml", "=")])
def test_a_broken_manifest_is_not_known(name: str, text: str) -> None:
    assert needs_of(name, text) == Needs(known=False)


def test_other_files_are_no_manifests() -> None:
    assert needs_of("main.py", "") is None
