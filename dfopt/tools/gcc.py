"""Compilers, linkers and what works on their output."""

from __future__ import annotations

import posixpath

from dfopt.tools.model import Effects, Invocation
from dfopt.tools.paths import Place, as_tree
from dfopt.tools.table import tool, verb

_SOURCES = (".c", ".cc", ".cpp", ".cxx", ".C", ".s", ".S", ".m", ".f", ".f90", ".F")
_ENVIRONMENT = (
    "CPATH",
    "C_INCLUDE_PATH",
    "CPLUS_INCLUDE_PATH",
    "LIBRARY_PATH",
    "LD_LIBRARY_PATH",
    "SOURCE_DATE_EPOCH",
    "GCC_*",
    "CCC_*",
)


def _compile(invocation: Invocation, place: Place) -> Effects:
    # Sources and what they include beside themselves are read; the output is ``-o``, ``a.out`` or one object a source.
    names = [place.text(word) for word in invocation.operands]
    reads = {place.path(word) for word in invocation.operands}
    # Quoted includes are looked for beside the source, and -I adds folders.
    reads |= {
        as_tree(posixpath.dirname(path)) for path in tuple(reads) if path.startswith("/") and path.endswith(_SOURCES)
    }
    reads |= {
        place.tree(word) for name in ("-I", "-L", "-isystem", "-iquote", "-B") for word in invocation.values(name)
    }
    reads |= {"/usr/include/", "/usr/lib/", "/usr/local/include/", "/usr/local/lib/", "/lib/"}
    if invocation.has("--version", "-v", "-dumpversion", "-dumpmachine", "-print-multiarch") and not names:
        return Effects()
    writes = {place.path(word) for word in invocation.values("-o")}
    if not writes and not invocation.has("-E", "-fsyntax-only", "-M", "-MM"):
        if invocation.has("-c", "-S"):
            writes = {
                place.join(posixpath.splitext(posixpath.basename(name))[0] + (".o" if invocation.has("-c") else ".s"))
                for name in names
            }
        else:
            writes = {place.join("a.out")}
    return Effects(reads=frozenset(reads), writes=frozenset(writes))


def _rewrite(invocation: Invocation, place: Place) -> Effects:
    """Binaries are changed in place unless ``-o`` names another file."""
    files = frozenset(place.path(word) for word in invocation.operands)
    other = frozenset(place.path(word) for word in invocation.values("-o"))
    if invocation.tool.names[0] == "objcopy" and len(invocation.operands) > 1:
        other = frozenset((place.path(invocation.operands[-1]),))
    return Effects(reads=files, writes=other or files)


def _archive(invocation: Invocation, place: Place) -> Effects:
    """``ar rcs lib.a a.o``: letters, archive, members."""
    words = list(invocation.operands)
    if words and set(place.text(words[0])) <= set("rcsuqtxdpvDUoPa"):
        letters = place.text(words.pop(0))
    else:
        letters = "".join(name.lstrip("-") for name in invocation.options)
    archive = frozenset(place.path(word) for word in words[:1])
    members = frozenset(place.path(word) for word in words[1:])
    if "x" in letters:
        return Effects(reads=archive, writes=frozenset((as_tree(place.join("./")),)))
    if "t" in letters or "p" in letters:
        return Effects(reads=archive)
    return Effects(reads=archive | members, writes=archive)


def _javac(invocation: Invocation, place: Place) -> Effects:
    """Classes land beside their sources or below ``-d``."""
    files = {place.path(word) for word in invocation.operands}
    folders = {as_tree(posixpath.dirname(path)) for path in files if path.startswith("/")} or {
        as_tree(place.join("./"))
    }
    goals = frozenset(place.tree(word) for word in invocation.values("-d"))
    paths = {
        as_tree(place.join(part)) if not part.endswith(".jar") else place.join(part)
        for name in ("-cp", "-sourcepath", "-p")
        for word in invocation.values(name)
        for part in place.text(word).split(":")
        if part
    }
    return Effects(reads=frozenset(files | folders | paths), writes=goals or frozenset(folders))


def _jar(invocation: Invocation, place: Place) -> Effects:
    """Like tar: letters, archive, members."""
    words = list(invocation.operands)
    letters = (
        place.text(words.pop(0))
        if words and set(place.text(words[0])) <= set("ctxuivfme0MPnN")
        else "".join(name.lstrip("-")[:1] for name in invocation.options)
    )
    archive = frozenset(place.path(word) for word in words[:1]) if "f" in letters else frozenset[str]()
    here = as_tree(place.join("./"))
    if letters.startswith("t"):
        return Effects(reads=archive)
    if letters.startswith("x"):
        return Effects(reads=archive, writes=frozenset((here,)))
    return Effects(reads=archive | frozenset((here,)), writes=archive or frozenset((here,)))


_C = """
-o =text | -c | -S | -E | -I =text | -L =text | -l =text | -D =text | -U =text | -O [=text] | -g [=text] | -W [=text]
-f [=text] | -m [=text] | -x =text | -std [=text] | -isystem =text | -iquote =text | -include =read | -idirafter =text
-T =read | -Xlinker =text | -Xassembler =text
-Xpreprocessor =text | -static | -shared | -pthread | -pipe | -rdynamic | -s | -v | -w | -pie | -no-pie | -nostdlib
-nostartfiles | -nodefaultlibs | -static-libgcc | -static-libstdc++ | -ansi | -pedantic | -MF =write | -MT =text
-MQ =text | -MD | -MMD | -MP | -M | -MM | -B =text | -u =text | -z =text
-target =text | --target =text | --sysroot =text | -dumpversion | -dumpmachine | -print-multiarch | --version
-arch =text | -framework =text | -soname =text | -rpath =text | -h =text | -e =text | -march [=text] | -mtune [=text]
-fsyntax-only | -lto
"""

TOOLS = (
    tool("gcc g++ cc c++ clang clang++ c89 c99 tcc gfortran f77 f95 musl-gcc icc icpc ifort nvcc mpicc mpicxx mpic++ "
            "mpif90 cpp hipcc", "gcc", "build", verb("", "build", shape=_compile, deterministic=True, seconds=5),
        opts=_C, syntax="single", environment=_ENVIRONMENT, doc="compiles C and relatives"),
    tool("ld gold lld ld.gold ld.lld as nasm yasm", "ld", "build", verb("", "build", shape=_compile,
        deterministic=True, seconds=1), opts=_C + "| -f =text | -m =text", syntax="single", environment=_ENVIRONMENT,
        doc="links and assembles"),
    tool("ar gcc-ar llvm-ar", "ar", "build", verb("", "pack", shape=_archive, deterministic=True),
        doc="makes libraries"),
    tool("ranlib", "ar", "build", verb("", "edit", operands="write", deterministic=True), doc="indexes libraries"),
    tool("strip patchelf chrpath execstack sstrip install_name_tool", "strip", "build", verb("", "edit",
        shape=_rewrite, deterministic=True),
         opts="-s --strip-all | -g --strip-debug | -S | --strip-unneeded | -d | -o =text | -R --remove-section =text "
              "| -K =text | -N =text | -p | -v | -x | -X | --set-rpath =text | --set-interpreter =text "
              "| --add-needed =text | --remove-needed =text | --replace-needed =text | --force-rpath | --print-rpath "
              "| -c | -r =text | -q", doc="changes binaries in place"),
    tool("objcopy", "strip", "build", verb("", "edit", shape=_rewrite, deterministic=True),
        opts="-O =text | -I =text | -B =text | -S | -g | -R =text | -j =text | --add-section =text "
            "| --only-keep-debug | --add-gnu-debuglink =text | -N =text", doc="copies binaries"),
    tool("upx upx-ucl", "upx", "build", verb("", "edit", operands="write", seconds=10),
        opts="-9 | --best | --brute | --ultra-brute | --lzma | -q | -qq | -d | -t | -o =write | -1 | -k | -f",
        doc="compresses programs"),
    tool("javac ecj", "javac", "build", verb("", "build", shape=_javac, deterministic=True, seconds=5),
        opts="-d =text | -cp -classpath --class-path =text | -sourcepath --source-path =text | -source =text "
            "| -target =text | -encoding =text | -g [=text] | -p --module-path =text | -s =tree | -h =tree "
            "| --release =text | -processor =text | -processorpath =text | -proc [=text] | -bootclasspath =text "
            "| -Xlint [=text] | -nowarn | -verbose | --add-modules =text", syntax="single",
         environment=("CLASSPATH", "JAVA_*", "JDK_*"), doc="compiles Java"),
    tool("jar", "jar", "archive", verb("", "pack", shape=_jar, seconds=1), doc="packs Java archives"),
    tool("jlink jpackage native-image jmod jdeps", "jlink", "build", verb("", "build", "--output =tree "
            "| --add-modules =text | --module-path -p =text | --compress =text | --strip-debug | --no-man-pages "
            "| --no-header-files | -o =write | --dest =tree | --include-locales =text | --vm =text", reads=("./",),
        seconds=10), environment=("JAVA_*",), doc="makes Java run-time images"),
    tool("java javaw jshell jrunscript", "java", "other", verb("", "run", wall=True, runs_project_code=True,
        seconds=5, reason="it runs a Java program"), syntax="raw", environment=("JAVA_*", "JDK_*", "CLASSPATH",
        "_JAVA_OPTIONS"), doc="runs Java"),
    tool("keytool", "keytool", "service", verb("", "configure", "-keystore =write | -file =read | -alias =text "
            "| -storepass =text | -import | -importcert | -trustcacerts | -noprompt | -cacerts "
            "| -destkeystore =write | -srckeystore =read | -deststorepass =text | -srcstorepass =text | -dname =text "
            "| -keyalg =text | -keysize =text | -validity =text | -keypass =text | -storetype =text"
              "| -genkey | -genkeypair | -list | -delete | -v | -ext =text | -importkeystore | -srcalias =text "
                  "| -destalias =text | -srcstoretype =text | -deststoretype =text | -destkeypass =text | -export "
                  "| -rfc", writes=("/etc/ssl/", "/usr/lib/jvm/", "/opt/", "/usr/local/", "~/.keystore"),
              varies=True), syntax="single", environment=("JAVA_*",), doc="manages Java's keys"),
    tool("ldconfig", "ldconfig", "service", verb("", "configure", reads=("/etc/ld.so.conf", "/etc/ld.so.conf.d/",
        "/lib/", "/lib64/", "/usr/lib/", "/usr/lib64/", "/usr/local/lib/"), writes=("/etc/ld.so.cache",
        "/var/cache/ldconfig/", "/lib/", "/usr/lib/", "/usr/local/lib/"), operands="tree", deterministic=True),
         opts="-v | -n | -N | -X | -f =read | -C =write | -r =tree | -p | -l", doc="makes the linker's cache"),
    tool("pkg-config pkgconf llvm-config mysql_config pg_config apxs apxs2 curl-config xml2-config php-config "
            "freetype-config", "pkg-config", "build", verb("", "query", reads=("/usr/", "/opt/")),
        environment=("PKG_CONFIG*",), permutes=False, doc="tells compiler flags"),
)  # fmt: skip
