"""Questions asked of the graph: installs, copies, readers, writers, variables."""

from dfopt.graph import InstructionGraph, build
from dfopt.graph import queries as ask
from dfopt.graph.model import Step
from dfopt.syntax import parse


def _graph(text: str) -> InstructionGraph:
    return build(parse(text), images=lambda name: None)


def _run(graph: InstructionGraph, number: int = 0) -> Step:
    return [step for step in graph.steps if step.keyword == "RUN"][number]


def test_an_install_names_the_files_that_decide_it():
    graph = _graph(
        "FROM a\nWORKDIR /app\nRUN cd web && npm ci\nRUN pip install -r req/prod.txt -c c.txt\n"
        "RUN apt-get install -y x\n"
    )
    npm, pip = ask.installs(graph)
    assert (npm.manifests, npm.directory, npm.runs_project_code) == (("/app/web/package.json",), "/app/web", True)
    assert "/app/web/package-lock.json" in npm.optional
    assert (set(pip.manifests), pip.needs_sources) == ({"/app/req/prod.txt", "/app/c.txt"}, False)


def test_an_install_of_the_project_itself_needs_its_sources():
    (install,) = ask.installs(_graph("FROM a\nWORKDIR /app\nRUN pip install .\n"))
    assert install.needs_sources


def test_an_install_of_named_packages_is_no_install_of_the_project():
    assert ask.installs(_graph("FROM a\nRUN pip install flask==3.0 && npm install -g yarn && gem install x\n")) == ()


def test_the_broad_copy_above_an_install_is_found_in_its_own_stage():
    graph = _graph("FROM a AS b\nCOPY . /x\nFROM b\nCOPY src /src\nCOPY ./ /app/\nRUN make\n")
    copy = ask.broad_copy_before(graph, _run(graph))
    assert copy is not None
    assert copy.index == 4
    assert [step.index for step in ask.broad_copies_before(graph, _run(graph))] == [1, 4]


def test_a_copy_from_a_stage_or_of_an_unknown_variable_is_not_broad():
    graph = _graph("ARG S\nFROM a AS b\nFROM c\nARG S\nCOPY --from=b / /x\nCOPY $S /y\nRUN x\n")
    assert ask.broad_copy_before(graph, _run(graph)) is None


def test_a_file_counts_as_copied_where_a_copy_below_may_have_brought_it():
    graph = _graph(
        "FROM a AS b\nWORKDIR /app\nCOPY package.json yarn.lock ./\nCOPY conf/*.yml /etc/x/\nFROM b\nRUN x\n"
    )
    step = _run(graph)
    copied = {path: ask.is_copied_before(graph, step, path) for path in (
        "/app/package.json", "/app/other.json", "/etc/x/a.yml", "/etc/x/a.txt", "/app",
    )}  # fmt: skip
    assert list(copied.values()) == [True, False, True, False, False]


def test_shipped_layers_are_those_of_the_target_and_its_bases():
    graph = _graph("FROM a AS base\nRUN 1\nFROM base AS b\nRUN 2\nFROM base\nENV X=1\nCOPY --from=b /x /x\n")
    assert [step.index for step in ask.shipped_layers(graph)] == [1, 6]


def test_readers_and_writers_of_a_path():
    text = (
        "FROM a AS b\nWORKDIR /w\nCOPY in.txt .\nRUN cp in.txt out.txt\nRUN touch other\n"
        "FROM c\nCOPY --from=b /w/out.txt /\nCOPY --from=b /w/in.txt /\n"
    )
    graph = _graph(text)
    assert [step.index for step in ask.writers_of(graph, 0, "/w/out.txt") if step.keyword == "RUN"] == [3]
    readers = ask.readers_of(graph, graph.steps[2], "/w/in.txt")
    assert 3 in [step.index for step in readers]
    assert 7 in [step.index for step in readers]
    assert 6 not in [step.index for step in readers]


def test_users_of_a_variable_include_shell_code_and_later_stages():
    graph = _graph("FROM a AS b\nENV V=1 W=2\nRUN echo $V\nLABEL x=$W\nFROM b\nWORKDIR /$V\nENV V=3\nRUN echo $V\n")
    assert [step.index for step in ask.users_of(graph, graph.steps[1], "V")] == [2, 5]
    first = ask.first_user_of(graph, graph.steps[1], "W")
    assert first is not None
    assert first.index == 3


def test_a_copy_of_a_system_folder_takes_a_whole_tree():
    graph = _graph("FROM a AS b\nFROM c\nCOPY --from=b /usr /usr\nCOPY --from=b /usr/bin/x /x\nCOPY . /y\n")
    assert [ask.takes_whole_tree(step) for step in graph.stages[1].steps[1:]] == [True, False, False]
    assert [step.index for step in ask.copies_out_of(graph, 0)] == [2, 3]


def test_steps_before_a_step_go_through_the_bases():
    graph = _graph("FROM a AS b\nRUN 1\nFROM b\nRUN 2\nRUN 3\n")
    assert [step.index for step in ask.earlier(graph, graph.steps[4])] == [0, 1, 2, 3]
    assert [step.index for step in ask.later(graph, graph.steps[2])] == [3, 4]
