"""Version control: git, svn, hg, bzr and what stands on them."""

from __future__ import annotations

from dfopt.tools.fetch import remote_name
from dfopt.tools.model import Effects, Invocation
from dfopt.tools.paths import Place, as_tree
from dfopt.tools.table import tool, verb


def clone_folder(url: str) -> str:
    """Give the folder that ``git clone URL`` makes when none is named."""
    text = url.rstrip("/").removesuffix("/.git")
    name = remote_name(text) if "://" in text else text.rpartition("/")[2].rpartition(":")[2]
    return (name.removesuffix(".git").removesuffix(".bundle") or "**") if name != "**" else "**"


def _clone(invocation: Invocation, place: Place) -> Effects:
    # The first operand is fetched, the second (or the last part of the first) is the folder written.
    words = invocation.operands
    if not words:
        return Effects(writes=frozenset((as_tree(place.join("./")),)))
    url = place.text(words[0])
    folder = place.tree(words[1]) if len(words) > 1 else as_tree(place.join("./" + clone_folder(url)))
    remote = "://" in url or "@" in url or url.startswith("**") or ":" in url.split("/")[0]
    reads = frozenset[str]() if remote else frozenset((place.tree(words[0]),))
    return Effects(reads=reads, writes=frozenset((folder,)), fetches=frozenset((url,) if remote else ()), varies=True)


def _config(invocation: Invocation, place: Place) -> Effects:
    """``--global`` writes the home's file, ``--system`` that of the machine, else the repository's."""
    if invocation.has("--get", "-l", "--get-all", "--list"):
        return Effects(reads=frozenset((place.join("~/.gitconfig"), "/etc/gitconfig", place.join(".git/config"))))
    path = (
        place.join("~/.gitconfig")
        if invocation.has("--global")
        else "/etc/gitconfig"
        if invocation.has("--system")
        else place.join(".git/config")
    )
    if invocation.has("-f"):
        return Effects()
    return Effects(reads=frozenset((path,)), writes=frozenset((path,)))


_GIT = ("GIT_*", "SSH_AUTH_SOCK", "HOME", "EMAIL")
_CLONE = """
-b --branch =text | --depth =text | -q --quiet | -v --verbose | --progress | --recursive --recurse-submodules [=text]
--single-branch | --no-single-branch | -n --no-checkout | --bare | --mirror | -o --origin =text | --shallow-submodules
--shallow-since =text
-j --jobs =text | --reference =read | --separate-git-dir =tree | -c --config =text | --filter =text | --sparse
-l --local | -s --shared | --no-hardlinks | --template =text | -u --upload-pack =text | --no-tags | --dissociate | -4
-6 | --shallow-exclude =text | --no-recurse-submodules
"""

TOOLS = (
    tool("git", "git", "vcs",
         verb("clone", "clone", _CLONE, shape=_clone, network=False, seconds=8),
         verb("fetch|pull|remote update|lfs pull|lfs fetch|ls-remote|fetch-pack", "fetch",
              "--depth =text | -q --quiet | -t --tags | -p --prune | --all | -j =text | --unshallow "
                 "| --recurse-submodules [=text] | -f | --rebase | --ff-only | -o =text", network=True,
              reads=(".git/",), writes=("./",), seconds=5),
         verb("submodule|submodule update|submodule init|submodule sync|submodule foreach|submodule add"
                 "|submodule status|submodule deinit", "fetch", "--init | --recursive | --depth =text | -q "
                 "| -f --force | --remote | -j --jobs =text | -b =text", network=True, reads=("./",), writes=("./",
              ), seconds=10),
         verb("checkout|switch|reset|restore|clean|stash|stash pop|merge|rebase|cherry-pick|revert|apply|am|rm|mv"
                 "|sparse-checkout|sparse-checkout set|read-tree|checkout-index|worktree|worktree add|bisect", "edit",
              "-b =text | -B =text | -q --quiet | -f --force | -t --track | --hard | --soft | --mixed | -d | -x "
                  "| -fdx | -p [=text] | -m =text | --directory =text | -3 | -R | --ours | --theirs | -c =text "
                  "| -C =text | --detach", reads=("./",), writes=("./",), operands="", deterministic=True,
              seconds=1),
         verb("init|init-db", "make-directory",
              "-q --quiet | --bare | -b --initial-branch =text | --template =read | --shared [=text]", operands="tree",
              writes=(".git/",)),
         verb("add|commit|tag|branch|remote|remote add|remote set-url|remote rm|remote remove|gc|prune|repack"
                 "|update-index|update-ref|notes|push|filter-branch|update-server-info|symbolic-ref|reflog|pack-refs"
                 "|flow|hooks|maintenance|credential|credential-store|replace", "edit",
              "-m --message =text | -a --all | -A | -q | -f | --amend | --allow-empty | -d | -D | --author =text "
                  "| -c =text | --prune [=text] | --aggressive", reads=("./",), writes=(".git/",), network=False,
              seconds=1),
         verb("config", "configure", "--global | --system | --local | -f --file =write | --add | --unset "
                 "| --unset-all | --get | --get-all | -l --list | --replace-all | --type =text | --bool "
                 "| --get-regexp", shape=_config),
         verb("lfs|lfs install|lfs track|lfs uninstall", "configure",
              "--system | --local | --skip-smudge | --force | --skip-repo", writes=("~/.gitconfig", "/etc/gitconfig",
              ".git/", ".gitattributes")),
         verb("log|show|status|diff|describe|rev-parse|rev-list|ls-files|ls-tree|cat-file|archive|blame|grep|shortlog"
                 "|version|help|name-rev|merge-base|for-each-ref|show-ref|branch-list|format-patch|diff-index|var"
                 "|verify-commit|verify-tag|count-objects|fsck|hash-object|whatchanged|remote show|remote -v"
                 "|check-ignore|bundle",
              "query", "-o --output =write | --format =text | --pretty =text | -n =text | --prefix =text "
                  "| --short [=text] | --tags | --always | -1", reads=("./",), seconds=0.3),
         opts="-C =cd | -c =text | --git-dir =text | --work-tree =text | --no-pager | -P --paginate | --bare "
              "| --exec-path [=text] | --version | --help | --namespace =text | --literal-pathspecs", environment=_GIT,
         doc="version control"),
    tool("svn svnadmin", "svn", "vcs",
         verb("checkout|co|export", "clone", "-r --revision =text | -q --quiet | --force | --username =text "
                 "| --password =text | --non-interactive | --trust-server-cert | --no-auth-cache | --depth =text "
                 "| --ignore-externals | -N | --trust-server-cert-failures =text", shape=_clone,
              writes=("~/.subversion/",), seconds=10),
         verb("update|up|switch|sw", "fetch", "-r =text | -q", network=True, reads=("./",), writes=("./",
              "~/.subversion/"), seconds=5),
         verb("create|load|add|commit|ci|revert|cleanup|patch|import", "edit", network=True, reads=("./",),
              writes=("./",), operands="tree"),
         verb("info|list|ls|log|status|cat|diff|help", "query", "-r =text", network=True, reads=("./",)),
              opts="--non-interactive | -q | --config-dir =text | --trust-server-cert | --version",
              doc="version control"),
    tool("hg", "hg", "vcs",
         verb("clone", "clone", "-r --rev =text | -u --updaterev =text | -b --branch =text | -q --quiet | --pull "
                 "| -U | --insecure", shape=_clone, seconds=10),
         verb("pull|update|up|checkout|co|fetch|purge|revert|archive|import", "fetch",
              "-r --rev =text | -u | -C --clean | -q", network=True, reads=("./",), writes=("./",), seconds=5),
         verb("id|identify|log|summary|status|parent|tip|paths|branch|version", "query", "-r =text", reads=(".hg/",
              )), opts="-R --repository =cd | --cwd =cd | -q | -v | --config =text | -y", doc="version control"),
    tool("bzr brz cvs darcs fossil p4 repo gclient", "vcs", "vcs", verb("", "clone", network=True, reads=("./",),
        writes=("./", "~/.bazaar/", "~/.cvspass", "~/.repoconfig/", "~/.repo_.gitconfig.json"), seconds=20),
        permutes=False, doc="version control"),
)  # fmt: skip
