"""The Go toolchain and older dependency tools of Go."""

from __future__ import annotations

import posixpath

from dfopt.tools.caches import CLEANING
from dfopt.tools.model import Effects, Invocation
from dfopt.tools.paths import Place, as_tree
from dfopt.tools.table import tool, verb

_BUILD_OPTIONS = """
-o =text | -ldflags --ldflags =text | -tags --tags =text | -gcflags =text | -asmflags =text | -mod =text
-modfile =read | -installsuffix =text | -pkgdir =tree | -buildmode =text | -p =text | -compiler =text
-gccgoflags =text | -toolexec =text | -overlay =read | -buildvcs [=text] | -trimpath | -a | -v | -x | -race | -msan
-i | -n | -work | -linkshared | -pgo =text | -C =cd | -cover
-run =text | -bench =text | -count =text | -timeout =text | -coverprofile =write | -covermode =text | -short | -json
-vet [=text] | -exec =text | -c | -parallel =text | -cpu =text | -u | -d | -t | -f =text | -m | -go =text
-compat =text | -e
"""
_CACHES = ("~/.cache/go-build/",)
_MODULES = ("/go/pkg/mod/", "~/go/pkg/mod/")
_ENVIRONMENT = ("GO*", "CGO_*", "CC", "CXX", "PKG_CONFIG*")


def _paths(place: Place) -> list[str]:
    root = place.environment.get("GOPATH")
    return [place.join(root.split(":")[0] + "/")] if root else ["/go/", place.join("~/go/")]


def _build(invocation: Invocation, place: Place) -> Effects:
    # The whole module is read; ``-o`` names the program, else it takes the name of its folder or package.
    here = as_tree(place.join("./"))
    target = next(iter(invocation.values("-o")), None)
    words = [place.text(word) for word in invocation.operands]
    # go build ../other reads its sister folder, but never what lies above the module.
    reads = {here, *(as_tree(place.join(text.removesuffix("..."))) for text in words if text.startswith(("/", "..")))}
    if target is not None:
        goal = place.path(target)
        writes = {goal, as_tree(goal)} if goal.endswith("/") or place.text(target) in (".", "./") else {goal}
    else:
        names = {posixpath.basename(text.removesuffix("/...").rstrip("/")).removesuffix(".go") for text in words} - {
            "",
            ".",
            "..",
            "...",
        }
        folder = posixpath.basename(place.directory or "")
        writes = (
            {place.join(f"./{name}") for name in names} if names else {place.join(f"./{folder}" if folder else "./**")}
        )
        if not names:
            # Without an operand the program is called like the module, which only go.mod tells.
            writes.add(place.join("./**"))
    return Effects(reads=frozenset(reads | set(_paths(place))), writes=frozenset(writes))


def _get(invocation: Invocation, place: Place) -> Effects:
    """Modules and programs land below GOPATH; inside a module ``go get`` edits go.mod."""
    paths = frozenset(_paths(place))
    first = invocation.subcommand.names[0]
    bin_folder = place.environment.get("GOBIN")
    writes = paths | frozenset((place.join(bin_folder + "/"),) if bin_folder else ())
    local = any(place.text(word).startswith(".") for word in invocation.operands) or not invocation.operands
    reads = (
        frozenset((as_tree(place.join("./")),))
        if local and first in ("get", "install")
        else frozenset((place.join("go.mod"), place.join("go.sum")))
    )
    if first == "get":
        writes |= frozenset((place.join("go.mod"), place.join("go.sum")))
    return Effects(reads=reads | paths, writes=writes)


TOOLS = (
    tool("go xx-go go-wrapper", "go", "build",
         verb("mod download", "install", network=True, deterministic=True, manifests=("go.mod",),
              optional_manifests=("go.sum", "go.work", "go.work.sum", "vendor/modules.txt"), writes=("go.sum",),
              leaves=_MODULES, seconds=15),
         verb("mod verify|mod graph|mod why", "query", manifests=("go.mod",), optional_manifests=("go.sum",),
              reads=_MODULES, seconds=3),
         verb("mod tidy|mod vendor|mod init|mod edit|work|work sync|work init|work use|mod", "edit", reads=("./",),
              writes=("go.mod", "go.sum", "vendor/", "go.work", "go.work.sum"), network=True, leaves=_MODULES,
              seconds=10),
         verb("build", "build", _BUILD_OPTIONS, network=True, deterministic=True, shape=_build, leaves=(*_CACHES,
              *_MODULES), seconds=25),
         verb("install", "build", _BUILD_OPTIONS, network=True, shape=_get, leaves=(*_CACHES, *_MODULES), seconds=25),
         verb("get|get-tool", "install", _BUILD_OPTIONS, network=True, shape=_get, leaves=(*_CACHES, *_MODULES),
              seconds=20),
         verb("generate|run|test|tool|vet|bug", "build", _BUILD_OPTIONS, wall=True, runs_project_code=True,
              network=True, leaves=_CACHES, seconds=20),
         verb("clean", "clean", "-cache | -modcache | -testcache | -i | -r | -n | -x | -fuzzcache", removes=(*_CACHES,
              *_MODULES), writes=("./",), seconds=1),
         verb("env|version|list|doc|fmt|help|fix|telemetry|env -w", "query",
              "-w =text | -u | -json | -m | -f =text | -deps", reads=("./",), writes=("~/.config/go/",),
              seconds=0.5),
         verb("download", "install", network=True, writes=("/go/", "~/go/"), seconds=15), opts="-C =cd",
              syntax="single", cleaning=CLEANING["go"], pin="@", environment=_ENVIRONMENT, doc="Go's toolchain"),
    tool("gofmt goimports golint golangci-lint staticcheck gosec gocov gotestsum ginkgo statik go-bindata packr "
            "packr2 stringer mockgen wire swag goreleaser gox mage garble ko gobindata esc easyjson protoc-gen-go "
            "buffalo revel bee air sqlc templ", "go-build", "build", verb("", "build", wall=True,
        runs_project_code=True, seconds=15), permutes=False, environment=_ENVIRONMENT, doc="works on Go projects"),
    tool("dep glide govendor godep gpm gom gb trash vndr gvt", "go-dep", "package-manager", verb("", "install",
        network=True, reads=("./",), writes=("vendor/", "Gopkg.lock", "glide.lock", "./", "/go/", "~/.glide/"),
        leaves=(), seconds=25), permutes=False, environment=_ENVIRONMENT, doc="older dependency tools of Go"),
)  # fmt: skip
