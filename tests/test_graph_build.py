"""The graph of a file: scopes, states, stages and references, and the problems that only show there."""

import subprocess
import sys
import time

import pytest

from dfopt.graph import BuildOptions, InstructionGraph, build
from dfopt.graph.model import Step
from dfopt.images import ImageFacts
from dfopt.syntax import parse


def _graph(text: str, *, images: dict[str, ImageFacts] | None = None, **options: object) -> InstructionGraph:
    known = images or {}
    return build(parse(text), BuildOptions(**options), images=known.get)  # type: ignore[arg-type] - names of the options


def _value(graph: InstructionGraph, name: str, stage: int = -1) -> str | None:
    variable = graph.stages[stage].end.variables.get(name)
    return variable.value if variable else None


def _codes(graph: InstructionGraph) -> list[tuple[str, int]]:
    source = graph.tree.source
    return [(problem.code, source.line_of(problem.span.start)) for problem in graph.problems]


def _step(graph: InstructionGraph, keyword: str, number: int = 0) -> Step:
    return [step for step in graph.steps if step.keyword == keyword][number]


def test_a_global_arg_is_used_by_from_and_unknown_in_stages_until_it_is_declared_again():
    graph = _graph("ARG V=12\nFROM debian:$V\nENV A=$V\nARG V\nENV B=$V\n")
    assert graph.stages[0].image == "debian:12"
    assert (_value(graph, "A"), _value(graph, "B")) == ("", "12")


def test_a_default_in_a_stage_hides_the_global_value():
    assert _value(_graph("ARG V=1\nFROM a\nARG V=2\n"), "V") == "2"


def test_a_build_argument_replaces_defaults_where_it_is_declared_and_nothing_else():
    graph = _graph("FROM a\nENV X=$G\nARG G=1\nENV Y=$G\n", build_args={"G": "9"})
    assert (_value(graph, "X"), _value(graph, "Y")) == ("", "9")


def test_env_expands_with_the_values_before_the_instruction_and_arg_with_those_before_the_word():
    graph = _graph("FROM scratch\nENV a=1\nENV a=2 b=$a\nARG c=3 d=$c\n")
    assert (_value(graph, "b"), _value(graph, "d")) == ("1", "3")


def test_an_arg_hides_an_env_of_its_name_for_the_rest_of_the_stage_only():
    graph = _graph("FROM scratch AS b\nENV X=env\nARG X=arg\nENV Y=$X\nFROM b\nENV Z=$X\n")
    assert _value(graph, "Y", 0) == "arg"
    assert _value(graph, "Z", 1) == "env"
    assert graph.stages[0].end.environment["X"] == "env"


def test_a_stage_inherits_the_args_of_the_stage_it_builds_on():
    graph = _graph("FROM scratch AS b\nARG X=1\nFROM b\nENV Y=$X\n")
    assert _value(graph, "Y") == "1"
    assert graph.stages[1].start.variables["X"].kind == "arg"


def test_a_bare_arg_neither_unsets_a_value_nor_hides_the_base_image():
    graph = _graph(
        "FROM a\nARG X=1\nARG X\nARG HOME\nENV Y=$X$HOME\n", images={"a": ImageFacts("a", environment={"HOME": "/h"})}
    )
    assert _value(graph, "Y") == "1/h"


def test_platform_arguments_follow_the_target_platform_and_can_be_overridden():
    graph = _graph(
        "FROM scratch AS last\nARG TARGETPLATFORM TARGETVARIANT BUILDARCH TARGETSTAGE TARGETOS=x\n",
        platform="linux/arm/v7",
    )
    values = [
        _value(graph, name) for name in ("TARGETPLATFORM", "TARGETVARIANT", "BUILDARCH", "TARGETSTAGE", "TARGETOS")
    ]
    assert values == ["linux/arm/v7", "v7", "amd64", "last", "x"]


def test_what_depends_on_an_argument_without_default_is_not_known():
    graph = _graph("FROM scratch\nARG V\nENV A=1-$V B=${V:-2}\n")
    variables = graph.stages[0].end.variables
    assert (variables["A"].value, variables["A"].known) == ("1-", False)
    assert (variables["B"].value, variables["B"].known) == ("2", True)
    assert graph.stages[0].end.lookup("A") is None
    assert _step(graph, "ENV").unknown == ("V",)


def test_variables_of_an_unknown_base_image_are_not_known():
    graph = _graph("FROM private.example.com/base:1\nENV P=$JAVA_HOME/bin\n")
    assert graph.stages[0].end.variables["P"].known is False
    assert graph.stages[0].start.user is None
    assert graph.stages[0].start.base_known is False


def test_the_base_image_brings_environment_user_directory_and_shell():
    facts = ImageFacts("a", environment={"JAVA_HOME": "/j"}, user="app", workdir="/srv", shell=("/bin/bash", "-c"))
    graph = _graph("FROM a\nENV P=$JAVA_HOME/bin\nWORKDIR x\n", images={"a": facts})
    end = graph.stages[0].end
    assert (end.lookup("P"), end.workdir, end.user, end.shell, end.shell_set) == (
        "/j/bin", "/srv/x", "app", ("/bin/bash", "-c"), True,
    )  # fmt: skip
    assert end.lookup("PATH") == "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@pytest.mark.parametrize(
    ("words", "directory"),
    [
        (["a", "b/../c"], "/a/c"),
        (["/x//y/"], "/x//y/"),
        (["/a", ""], "/a"),
        (["~"], "/~"),
        (["/a", ".."], "/"),
        (["'/q r'"], "/q r"),
    ],
)
def test_workdir_joins_relative_paths_and_keeps_absolute_ones(words: list[str], directory: str):
    text = "FROM scratch\n" + "".join(f"WORKDIR {word or '$EMPTY'}\n" for word in words)
    assert _graph(text).stages[0].end.workdir == directory


def test_user_and_shell_reach_the_stages_built_on_top():
    graph = _graph('FROM debian AS b\nUSER app\nSHELL ["/bin/bash", "-ec"]\nFROM b\nRUN x\n')
    before = _step(graph, "RUN").before
    assert (before.user, before.shell) == ("app", ("/bin/bash", "-ec"))


def test_from_needs_the_name_of_an_earlier_stage_in_lower_case():
    graph = _graph("FROM alpine AS Base\nFROM base\nFROM base:latest\nFROM 0\n")
    assert [(stage.base, stage.image) for stage in graph.stages] == [
        (None, "alpine"), (0, None), (None, "base:latest"), (None, "0"),
    ]  # fmt: skip


def test_copy_from_takes_names_in_any_case_numbers_and_images():
    graph = _graph("FROM a AS s\nFROM b\nCOPY --from=S /x /y\nCOPY --from=00 /x /y\nCOPY --from=nginx:1 /x /y\n")
    copies = [step for step in graph.steps if step.keyword == "COPY"]
    assert [(step.source_stage, step.source_image) for step in copies] == [(0, None), (0, None), (None, "nginx:1")]


def test_a_number_in_a_mount_is_an_image():
    graph = _graph("FROM a\nFROM b\nRUN --mount=from=0,target=/x y\n")
    assert (_step(graph, "RUN").run_mounts[0].stage, _step(graph, "RUN").run_mounts[0].image) == (None, "0")


def test_of_two_stages_with_one_name_copy_from_means_the_last():
    graph = _graph("FROM a AS s\nFROM c AS s\nFROM b\nCOPY --from=s /x /y\n")
    assert _step(graph, "COPY").source_stage == 1


def test_only_the_target_and_what_it_builds_on_ship():
    text = "FROM a AS base\nFROM base AS build\nRUN x\nFROM base AS last\nCOPY --from=build /x /x\nFROM last AS test\n"
    graph = _graph(text, target="LAST")
    assert graph.target == 2
    assert [stage.ships for stage in graph.stages] == [True, False, True, False]
    assert [stage.reachable for stage in graph.stages] == [True, True, True, False]
    assert [stage.used_by for stage in graph.stages] == [(1, 2), (2,), (3,), ()]


def test_the_default_target_is_the_last_stage():
    graph = _graph("FROM a\nFROM b\n")
    assert [stage.reachable for stage in graph.stages] == [False, True]


def test_triggers_of_a_stage_fire_once_above_the_instructions_of_the_next():
    graph = _graph("FROM scratch AS p\nONBUILD ENV K=1\nONBUILD RUN z\nFROM p AS q\nRUN y\nFROM q\nRUN w\n")
    assert [step.keyword for step in graph.stages[1].all_steps] == ["FROM", "ENV", "RUN", "RUN"]
    assert graph.stages[2].triggered == ()
    trigger = graph.stages[1].triggered[1]
    assert trigger.span == graph.stages[1].from_.span
    assert trigger.id == "step:3+1"
    assert graph.stages[1].steps[1].before.lookup("K") == "1"


def test_triggers_of_an_image_fire_too():
    graph = _graph("FROM a\nRUN y\n", images={"a": ImageFacts("a", onbuild=("WORKDIR /app", "COPY . ."))})
    assert [step.keyword for step in graph.stages[0].triggered] == ["WORKDIR", "COPY"]
    assert graph.stages[0].triggered[1].destination == "/app/"


def test_mounts_are_resolved_with_defaults_and_variables():
    text = (
        "FROM a AS s\nFROM b\nENV C=/cache\nWORKDIR /w\n"
        "RUN --mount=type=cache,target=$C,sharing=locked --mount=from=s,source=z,target=x "
        "--mount=type=secret,id=k,env=KEY y\n"
    )
    step = _step(_graph(text), "RUN")
    cache, bind, secret = step.run_mounts
    assert (cache.target, cache.id, cache.read_only, cache.sharing) == ("/cache", "/cache", False, "locked")
    assert (bind.target, bind.source, bind.stage, bind.read_only) == ("/w/x", "z", 0, True)
    assert (secret.target, secret.env) == (None, "KEY")
    assert step.cached_paths == ("/cache", "/w/x")
    assert step.is_mounted("/cache/a")
    assert not step.is_mounted("/cached")


def test_a_copy_knows_its_expanded_sources_and_its_destination():
    graph = _graph(
        'FROM a\nENV V="x y" D=/d/\nWORKDIR /w\nCOPY --chown=$V --chmod=0$V ["$V", "b", "$D"]\nADD x ./y\nCOPY z .\n'
    )
    first, second = _step(graph, "COPY"), _step(graph, "ADD")
    assert (first.sources, first.destination, first.chown) == (("x y", "b"), "/d/", "x y")
    assert (second.sources, second.destination) == (("x",), "/w/y")
    assert _step(graph, "COPY", 1).destination == "/w/"


def test_documents_of_a_copy_are_expanded_unless_their_name_is_quoted():
    graph = _graph("FROM a\nENV V=1\nCOPY <<A <<'B' /d/\n$V \\$V\nA\n$V\nB\n")
    assert _step(graph, "COPY").documents == (("A", "1 $V\n"), ("B", "$V\n"))


def test_a_missing_variable_is_found_at_its_place_and_a_declared_one_is_not_missing():
    text = "FROM a\nARG D\nENV X=/a/$NOPE/$D\n"
    (missing,) = _step(_graph(text), "ENV").missing
    assert (missing.name, text[missing.span.start : missing.span.end]) == ("NOPE", "$NOPE")


@pytest.mark.parametrize(
    ("text", "code", "line"),
    [
        ("ARG A\n", "E200", 1),
        ("FROM a\nENV X='\n", "E201", 2),
        ("FROM $X\n", "E202", 1),
        ("FROM Abc\n", "E203", 1),
        ("FROM a\nCOPY --from=Abc /x /y\n", "E203", 2),
        ("ARG X\nFROM $X\n", "E204", 2),
        ("ARG X\nFROM a:$X\n", "E204", 2),
        ("FROM --platform=foo a\n", "E205", 1),
        ("FROM a\nCOPY --from=7 /x /y\n", "E207", 2),
        ("FROM a\nCOPY --from=$V /x /y\n", "E208", 2),
        ("FROM a\nCOPY --from=0 /x /y\n", "E209", 2),
        ("FROM a AS x\nCOPY --from=y a b\nFROM b AS y\nCOPY --from=x a b\n", "E209", 2),
        ("FROM a\nRUN --mount=from=x,target=/b y\nFROM b AS x\n", "E210", 2),
        ("FROM scratch AS p\nONBUILD FOO x\nFROM p\n", "E211", 3),
        ("FROM a\nEXPOSE 80 70000\n", "E212", 2),
        ("FROM a\nEXPOSE 80/foo\n", "E212", 2),
        ("FROM a\nVOLUME $X\n", "E213", 2),
        ("FROM a\nSTOPSIGNAL SIGFOO\n", "E214", 2),
        ("FROM a\nCOPY --chmod=789 x /y\n", "E215", 2),
        ("FROM a\nCOPY https://example.com/x /y\n", "E216", 2),
        ("FROM a\nADD https://example.com/x.git?foo=1 /y\n", "E217", 2),
        ("FROM a\nADD --checksum=sha256:abc https://example.com/x /y\n", "E218", 2),
        ("FROM a\nRUN --mount=type=cache x\n", "E219", 2),
        ("FROM a\nRUN []\n", "E220", 2),
    ],
)  # fmt: skip
def test_what_a_build_refuses_is_a_problem_at_its_line(text: str, code: str, line: int):
    assert (code, line) in _codes(_graph(text))


@pytest.mark.parametrize(
    "text",
    [
        "FROM a\nSTOPSIGNAL rtmin+3\nSTOPSIGNAL 37\n",
        "FROM a\nCOPY --chmod=u=rwX,go=rX x /y\nCOPY --chmod=+x x /y\n",
        "FROM a\nADD git@github.com:a/b.git#main:sub /y\nADD a@b /y\n",
        "FROM a\nEXPOSE 80 8080:80 1000-1010/UDP [::1]:80:80\n",
        "FROM --platform=arm64 a AS x\nFROM x\nCOPY --from=x /a /a\n",
        "FROM a\nRUN --mount=type=tmpfs,target=/t,size=1.5GiB --mount=type=ssh x\n",
    ],
)
def test_what_a_build_accepts_is_no_problem(text: str):
    assert _codes(_graph(text)) == []


def test_an_unknown_target_is_a_problem_and_leaves_no_target():
    graph = _graph("FROM a AS x\n", target="y")
    assert graph.target is None
    assert [code for code, _ in _codes(graph)] == ["E206"]


def test_a_shell_comment_holds_for_the_rest_of_the_stage():
    text = "FROM a\n# hadolint shell=bash\nRUN x\nRUN y\nFROM b\nRUN z\n"
    dialects = [step.script.dialect for step in _graph(text).steps if step.keyword == "RUN" and step.script]
    assert dialects == ["bash", "bash", "sh"]


def test_steps_know_their_commands_and_effects():
    step = _step(_graph("FROM debian:12\nENV D=/opt\nRUN mkdir -p $D/x && apt-get update\n"), "RUN")
    assert [command.name for command in step.commands] == ["mkdir", "apt-get"]
    assert [invocation.action for invocation in step.invocations] == ["make-directory", "update"]
    assert any(path.startswith("/opt/x") for path in step.effects.writes)
    assert step.effects.refreshes == {"apt"}


def test_building_a_graph_reads_no_shell_code(monkeypatch: pytest.MonkeyPatch):
    def refuse(*args: object, **kwargs: object) -> None:
        raise AssertionError("shell code was read")

    monkeypatch.setattr("dfopt.graph.running.script_of", refuse)
    graph = _graph("FROM a\nRUN x && y\nCMD z\n")
    assert len(graph.steps) == 3
    with pytest.raises(AssertionError):
        _ = graph.steps[1].script


def test_building_a_graph_does_not_load_networkx():
    code = (
        "import sys\nfrom dfopt.syntax import parse\nfrom dfopt.graph import build\n"
        "graph = build(parse('FROM a\\nRUN x\\n'))\ngraph.edges\nassert 'networkx' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("end", range(0, 420, 7))
def test_every_prefix_of_a_file_gives_a_graph(end: int):
    text = (
        "ARG A=1 B\nFROM --platform=$BUILDPLATFORM golang:${A}@sha256:ab AS b\nONBUILD COPY --from=0 x y\n"
        'RUN --mount=type=cache,from=b,target=/x <<EOF\necho $A\nEOF\nENV P=${Q:?no} "r\nFROM b\n'
        'COPY --chmod=9 <<X --from=1 . /\nX\nEXPOSE $B 1-2/x\nSTOPSIGNAL $Z\nVOLUME [""]\n'
        'HEALTHCHECK --interval=1 CMD x\nWORKDIR \'$A\nSHELL ["x"]\nCMD y\nLABEL a b\nUSER\n'
    )
    graph = build(parse(text[:end]), images=lambda name: None)
    assert len(graph.steps) == len(graph.tree.instructions)
    assert isinstance(graph.edges, tuple)


@pytest.mark.parametrize(
    "line",
    ["FROM s{before} AS s{n}\nCOPY --from={before} /a /b\n", "ENV A{n}=$A{before}\n", "ARG A{n}=1\n", "RUN echo {n}\n"],
)
def test_thousands_of_instructions_take_no_quadratic_time(line: str):
    def seconds(count: int) -> float:
        tree = parse("FROM scratch AS s0\n" + "".join(line.format(n=n, before=n - 1) for n in range(1, count)))
        began = time.process_time()
        assert len(build(tree).steps) >= count
        return time.process_time() - began

    seconds(200)
    # Linear time gives a factor of 10, quadratic time one of 100.
    assert seconds(10_000) < 50 * max(seconds(1000), 0.005)


def test_states_of_many_variables_keep_values_and_order():
    text = "FROM scratch\n" + "".join(f"ENV A{n}={n}\n" for n in range(300)) + "ENV A5=new\nRUN x\n"
    state = _graph(text).stages[0].end
    assert list(state.variables)[-3:] == ["A298", "A299", "A5"]
    assert list(state.environment)[:7] == ["PATH", *(f"A{n}" for n in range(6))]
    assert (state.lookup("A5"), state.environment["A5"], len(state.variables)) == ("new", "new", 301)
    assert _graph(text).steps[10].after.lookup("A9") == "9"
    assert "A10" not in _graph(text).steps[10].after.variables
