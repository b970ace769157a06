"""Builds on the Java virtual machine and on .NET: Maven, Gradle, sbt, dotnet, nuget."""

from __future__ import annotations

from dfopt.tools.caches import CLEANING
from dfopt.tools.model import Effects, Invocation
from dfopt.tools.paths import Place, as_tree
from dfopt.tools.table import tool, verb

_JAVA = ("JAVA_*", "JDK_*", "MAVEN_*", "MVN_*", "GRADLE_*", "SBT_*", "_JAVA_OPTIONS")
_M2 = "~/.m2/repository/"
_GRADLE = ("~/.gradle/caches/", "~/.gradle/wrapper/", "~/.gradle/daemon/")
_DEPENDENCY_GOALS = (
    "dependency:go-offline",
    "dependency:resolve",
    "dependency:resolve-plugins",
    "",
    "de.qaware.maven:go-offline-maven-plugin",
    "dependency:copy-dependencies",
    "dependency:get",
    "-v",
    "--version",
)


def _maven(invocation: Invocation, place: Place) -> Effects:
    """Goals that only fetch read the poms; any other reads the project and writes inside it."""
    goals = [place.text(word) for word in invocation.operands]
    repository = next(
        (
            place.text(word).partition("=")[2]
            for word in invocation.values("-D")
            if place.text(word).startswith("maven.repo.local=")
        ),
        None,
    )
    writes = {place.join(repository + "/")} if repository else set[str]()
    poms = {place.join(name) for name in ("pom.xml", "*/pom.xml", ".mvn/", "settings.xml")} | {
        place.join("~/.m2/settings.xml")
    }
    if fetches_only(invocation):
        if any("copy-dependencies" in goal for goal in goals):
            writes.add(place.join("target/"))
        return Effects(reads=frozenset(poms), writes=frozenset(writes))
    here = as_tree(place.join("./"))
    return Effects(
        reads=frozenset((here, place.join("~/.m2/"))), writes=frozenset(writes | {here}), runs_project_code=True
    )


def fetches_only(invocation: Invocation) -> bool:
    """Tell whether a Maven or Gradle call only brings dependencies."""
    goals = [word.value or word.pattern for word in invocation.operands]
    wanted = ("dependencies", "downloadDependencies", "resolveDependencies", *_DEPENDENCY_GOALS)
    return bool(goals) and all(
        any(
            goal == name
            or goal.startswith(name + ":")
            or (":" in name and name.partition(":")[2] == goal.rpartition(":")[2])
            for name in wanted
        )
        for goal in goals
    )


_BUILD_DESCRIPTIONS = ("build.gradle", "build.gradle.kts", "settings.gradle", "settings.gradle.kts",
                       "gradle.properties", "gradle/")  # fmt: skip


def _gradle(invocation: Invocation, place: Place) -> Effects:
    """Tasks that only list or bring dependencies read the build's description, which is code and may read more."""
    if not fetches_only(invocation):
        return _inside(invocation, place)
    return Effects(reads=frozenset(place.join(name) for name in _BUILD_DESCRIPTIONS))


def _inside(invocation: Invocation, place: Place) -> Effects:
    # The project is read and written, as the build description says.
    here = as_tree(place.join("./"))
    return Effects(reads=frozenset((here,)), writes=frozenset((here,)))


_CSPROJ = (
    "*.csproj",
    "*.fsproj",
    "*.vbproj",
    "*.sln",
    "*.slnx",
    "nuget.config",
    "NuGet.config",
    "NuGet.Config",
    "Directory.*.props",
    "Directory.*.targets",
    "global.json",
    "packages.lock.json",
)


def _restore(invocation: Invocation, place: Place) -> Effects:
    # The projects named are read with everything beside them; ``obj`` is written there.
    named = frozenset(place.path(word) for word in invocation.operands)
    folders = frozenset(
        as_tree(path.rpartition("/")[0] if path.endswith(("proj", ".sln", ".slnx")) else path) for path in named
    ) or frozenset((as_tree(place.join("./")),))
    # Project references may lead anywhere, most often to sister folders.
    return Effects(
        reads=named | folders | frozenset((as_tree(place.join("./")),)),
        writes=folders | frozenset((as_tree(place.join("./")),)),
    )


_DOTNET = """
-c --configuration =text | -f --framework =text | -r --runtime =text | -o --output =tree | -v --verbosity =text
--no-restore | --no-build | --no-dependencies | --self-contained [=text] | --no-self-contained | -s --source =text
--packages =tree | --configfile =read | --no-cache | --ignore-failed-sources | -a --arch =text | --os =text
--version-suffix =text | --nologo -nologo
--force | --use-lock-file | --locked-mode | --interactive | -p [=text] | --disable-parallel | --force-evaluate | /p
-m | --project =read | --no-launch-profile | --logger =text | --filter =text | --test-adapter-path =read
--collect =text | --results-directory =tree | --manifest =read | --add-source =text | --version =text
--tool-path =tree | -g --global | --local | -n --name =text | --clear | -ucr --use-current-runtime
"""

TOOLS = (
    tool("mvn mvnw maven mvnd", "maven", "build", verb("", "build", network=True, leaves=(_M2,), shape=_maven,
        seconds=60),
         opts="-D =text | -f --file =read | -s --settings =read | -gs =read | -P =text | -pl --projects =text "
              "| -am --also-make | -amd | -T --threads =text | -o --offline | -q --quiet | -B --batch-mode "
              "| -e --errors | -X --debug | -U --update-snapshots | -N --non-recursive | -fae | -fn | -ff | -C "
              "| -V --show-version | -v --version | -l --log-file =write | -rf =text | -nsu "
              "| -ntp --no-transfer-progress | -t =read | --no-plugin-updates",
         syntax="single", local=True, cleaning=CLEANING["maven"], environment=_JAVA,
         doc="builds Java projects by pom.xml"),
    tool("gradle gradlew", "gradle", "build", verb("", "build", network=True, wall=True, runs_project_code=True,
        leaves=_GRADLE, shape=_gradle, seconds=60, reason="its build description is code"),
         opts="-P [=text] | -D [=text] | -p --project-dir =cd | -b --build-file =read | -c --settings-file =read "
              "| -x --exclude-task =text | -g --gradle-user-home =tree | --no-daemon | --daemon | --stacktrace -s "
              "| --info -i | --debug -d | --quiet -q | --offline | --parallel | --continue | --refresh-dependencies "
              "| --console =text | --build-cache | --no-build-cache | --max-workers =text | -I --init-script =read "
              "| --rerun-tasks | --warning-mode =text | -S | --full-stacktrace | --no-watch-fs | --stop "
              "| -v --version | -m --dry-run | --tests =text | -t",
         local=True, cleaning=CLEANING["gradle"], environment=_JAVA, doc="builds JVM projects by code"),
    tool("sbt sbtx mill activator scala-cli amm", "sbt", "build", verb("", "build", network=True, wall=True,
        runs_project_code=True, leaves=("~/.ivy2/", "~/.sbt/", "~/.cache/coursier/"), shape=_inside, seconds=90,
        reason="its build description is code"), syntax="raw", local=True, cleaning=CLEANING["sbt"],
        environment=_JAVA, doc="builds Scala projects"),
    tool("dotnet", "dotnet", "build",
         verb("restore|nuget restore", "install", _DOTNET, network=True, optional_manifests=_CSPROJ,
              leaves=("~/.nuget/packages/", "~/.local/share/NuGet/"), shape=_restore, seconds=20),
         verb("build|publish|pack|msbuild|store", "build", _DOTNET, network=True, runs_project_code=True,
              leaves=("~/.nuget/packages/", "~/.local/share/NuGet/"), shape=_restore, seconds=30),
         verb("tool install|tool restore|tool update|workload install|workload restore|workload update|new install"
                 "|new|sdk", "install", _DOTNET, network=True, writes=("~/.dotnet/", "~/.nuget/", "./",
              "/usr/share/dotnet/", "/usr/lib/dotnet/"), seconds=20),
         verb("add package|add|remove|remove package|sln|sln add|nuget add source|nuget add|nuget update|nuget"
                 "|nuget push|nuget remove source|nuget disable source|nuget enable source|nuget update source"
                 "|user-secrets|dev-certs|dev-certs https|add reference", "edit", _DOTNET, network=True, reads=("./",
              ), writes=("./", "~/.nuget/", "~/.dotnet/"), seconds=3),
         verb("nuget locals", "clean", "-c --clear | -l --list", removes=("~/.nuget/packages/",
              "~/.local/share/NuGet/", "/tmp/NuGetScratch/")),
         verb("clean", "clean", _DOTNET, reads=("./",), writes=("./",)),
         verb("run|test|exec|vstest|watch|ef|fsi|fable|paket|cake|format|tool run|ef migrations|script|dotnet-ef",
              "build", wall=True, runs_project_code=True, network=True, seconds=30),
         verb("help|list|tool list|sdk check|workload list|build-server", "query"), verb("", "run", wall=True,
              runs_project_code=True, seconds=5),
         opts="--info | --version | --list-sdks | --list-runtimes | -h --help | -d --diagnostics "
              "| --roll-forward =text", cleaning=CLEANING["dotnet"], pin="--version", environment=("DOTNET_*",
         "NUGET_*", "MSBUILD*"), doc="builds .NET projects"),
    tool("nuget msbuild xbuild mono mcs csc paket", "mono", "build", verb("", "build", network=True, wall=True,
        runs_project_code=True, seconds=30), permutes=False, environment=("MONO_*", "NUGET_*"),
        doc="builds .NET projects with Mono"),
)  # fmt: skip
