"""Build programs of C and C++ projects: make, cmake, ninja, meson, autotools, bazel and the like."""

from __future__ import annotations

import re

from dfopt.tools.model import Effects, Invocation
from dfopt.tools.paths import Place, as_tree
from dfopt.tools.table import tool, verb

_PREFIX = ("/usr/local/",)
_ASSIGNMENT = re.compile(r"(\w+)=(.*)", re.DOTALL)


def _assigned(invocation: Invocation, place: Place) -> dict[str, str]:
    found = {}
    for word in invocation.operands:
        match = _ASSIGNMENT.match(place.text(word))
        if match:
            found[match.group(1)] = match.group(2)
    return found


def _make(invocation: Invocation, place: Place) -> Effects:
    # make reads and writes its folder; ``install`` writes below DESTDIR or the prefix,
    # as far as projects keep to the custom.
    given = _assigned(invocation, place)
    targets = [place.text(word) for word in invocation.operands if "=" not in place.text(word)]
    here = as_tree(place.join("./"))
    writes = {here}
    if any(
        target.startswith("install") or target in ("modules_install", "uninstall", "altinstall") for target in targets
    ):
        root = given.get("DESTDIR") or given.get("INSTALL_ROOT") or ""
        prefix = next(
            (given[name] for name in ("PREFIX", "prefix", "INSTALL_PREFIX", "CMAKE_INSTALL_PREFIX") if name in given),
            "",
        )
        goals = [root] if root else [prefix] if prefix else list(_PREFIX)
        writes.update(as_tree(place.join(goal)) for goal in goals)
    return Effects(reads=frozenset((here,)), writes=frozenset(writes))


def _cmake(invocation: Invocation, place: Place) -> Effects:
    # cmake reads the source folder and writes the build folder; ``--build`` and ``--install`` start the build
    # program.
    here = as_tree(place.join("./"))
    reads = {here, *(place.tree(word) for word in (*invocation.operands, *invocation.values("-S")))}
    writes = {here}
    writes.update(
        place.tree(word) for name in ("-B", "--build", "--install", "--prefix") for word in invocation.values(name)
    )
    if invocation.has("--install") or place.option(invocation, "--target") == "install":
        writes.update(_PREFIX)
    return Effects(reads=frozenset(reads), writes=frozenset(writes))


def _configure(invocation: Invocation, place: Place) -> Effects:
    # A configure script reads the sources beside it and writes the folder it is started in.
    name = invocation.command.words[0].value or invocation.command.words[0].pattern
    folder = name.rpartition("/")[0]
    return Effects(
        reads=frozenset((as_tree(place.join((folder or ".") + "/")),)), writes=frozenset((as_tree(place.join("./")),))
    )


_CODE = "it runs the project's build description"
_C = (
    "CC",
    "CXX",
    "CFLAGS",
    "CXXFLAGS",
    "CPPFLAGS",
    "LDFLAGS",
    "LIBS",
    "PKG_CONFIG*",
    "MAKEFLAGS",
    "DESTDIR",
    "PREFIX",
    "CMAKE_*",
    "AR",
    "LD",
    "SOURCE_DATE_EPOCH",
    "V",
)

TOOLS = (
    tool("make gmake bmake checkinstall remake", "make", "build", verb("", "build", wall=True, runs_project_code=True,
        shape=_make, seconds=30, reason=_CODE),
         opts="-C --directory =cd | -f --file --makefile =read | -j --jobs [=text] | -k --keep-going "
              "| -s --silent --quiet | -n --dry-run | -B --always-make | -e | -i | -I =read "
              "| -l --load-average [=text] | -o =text | -w --print-directory | --no-print-directory | -r | -R "
              "| -O --output-sync [=text] | -D =text | -y | -V | --trace"
              "| --pkgname =text | --pkgversion =text | --default | --install [=text]", environment=_C,
              doc="builds by rules of the project"),
    tool("cmake ccmake cmake3", "cmake", "build", verb("", "configure", wall=True, runs_project_code=True,
        shape=_cmake, seconds=10, reason=_CODE),
         opts="-S =read | -B =text | -D [=text] | -G =text | -C =read | -P =read | -U =text | -A =text | -T =text "
              "| -W [=text] | -L | -N | --build =text | --install =text | --target -t =text | --config =text "
              "| -j --parallel [=text] | --preset =text | --prefix =text | --component =text | --strip | -E "
              "| -v --verbose | --toolchain =read | --fresh | --version | --clean-first | --log-level =text "
              "| --install-prefix =text | --workflow", environment=_C, doc="configures and starts builds"),
    tool("ctest cpack", "cmake", "build", verb("", "test", wall=True, runs_project_code=True, seconds=20,
        reason=_CODE), permutes=False, environment=_C, doc="tests and packs a build"),
    tool("ninja ninja-build samu", "ninja", "build", verb("", "build", wall=True, runs_project_code=True, shape=_make,
        seconds=30, reason=_CODE),
         opts="-C =cd | -f =read | -j =text | -k =text | -l =text | -v | -t =text | -n | -d =text | -w =text "
              "| --version | --quiet", environment=_C, doc="builds by rules of the project"),
    tool("meson muon", "meson", "build", verb("", "build", wall=True, runs_project_code=True, shape=_make, seconds=20,
        reason=_CODE), opts="-C =cd | -D [=text] | --prefix =text | --buildtype =text | --libdir =text "
            "| --destdir =text | --reconfigure | --wipe | -j [=text]", environment=_C,
        doc="configures and starts builds"),
    tool("configure config Configure configure.sh config.guess config.sub bootstrap bootstrap.sh autogen.sh autogen "
            "buildconf autobuild", "configure", "build", verb("", "configure", wall=True, runs_project_code=True,
        shape=_configure, seconds=15, reason=_CODE), permutes=True, local=True, environment=_C,
        doc="the project's own configure script"),
    tool("autoreconf autoconf automake aclocal autoheader libtoolize libtool gettextize autopoint intltoolize "
            "glibtoolize phpize gtkdocize autoupdate", "autotools", "build", verb("", "configure", wall=True,
        runs_project_code=True, shape=_make, seconds=8, reason=_CODE), environment=_C, doc="makes configure scripts"),
    tool("bazel bazelisk buck scons waf b2 bjam xmake qmake gyp gn premake5 xcodebuild xmkmf tup jam ant buildr redo "
            "just task lein boot shake fastlane thor capistrano invoke fab doit sphinx-build mkdocs hugo jekyll "
            "pelican gitbook mdbook asciidoctor asciidoc doxygen xsltproc pandoc latexmk pdflatex xelatex makeinfo "
            "help2man msgfmt"
         " rebar3 rebar erl erlc elixir elixirc iex  nim nimble zig crystal shards dub dmd ldc2 v vlang swift swiftc "
              "ghc runghc hpack idris ocamlfind ocamlbuild ocamlc ocamlopt dune jbuilder esy fpc lazbuild gnat    "
              "raku zef rakudo moar  kotlinc kotlin scalac scala groovy groovyc clojure clj julia sbcl ros gsi guile "
              "racket raco   csi janet jpm haxe haxelib wasm-pack emcc em++ emmake emconfigure emsdk trunk"
         " buf protoc flatc thrift swig", "project-build", "build", verb("", "build", wall=True,
         runs_project_code=True, shape=_make, seconds=60, reason=_CODE), permutes=False, environment=_C,
         doc="builds by code of the project"),
    tool("conan vcpkg", "conan", "package-manager", verb("", "install", wall=True, runs_project_code=True,
        network=True, seconds=60, reason=_CODE), permutes=False, environment=_C, doc="packages of C++ projects"),
    tool("catkin catkin_make catkin_init_workspace rosdep colcon wstool vcs rosinstall roscore rosrun ros2 "
            "rosinstall_generator catkin_make_isolated", "ros", "build", verb("", "build", wall=True,
        runs_project_code=True, network=True, seconds=60, reason=_CODE), permutes=False, environment=("ROS_*",),
        doc="builds robots' workspaces"),
)  # fmt: skip
