"""What a change makes a build repeat."""

import pytest

from dfopt.graph import InstructionGraph, build
from dfopt.graph.cachekey import Change, Rebuild, first_invalidated, invalidated, key_parts, selects
from dfopt.syntax import parse

NODE = (
    "FROM node:20 AS build\nWORKDIR /app\nCOPY package.json package-lock.json ./\nRUN npm ci\nARG COMMIT=none\n"
    "COPY . .\nRUN npm run build\nFROM nginx\nCOPY --from=build /app/dist /srv\nRUN touch /x\n"
)


def _graph(text: str) -> InstructionGraph:
    return build(parse(text), images=lambda name: None)


def _repeated(text: str, change: Change, **options: object) -> list[tuple[int, str]]:
    found = invalidated(_graph(text), change, **options)  # type: ignore[arg-type] - names of the options
    return [(rebuild.step.index, rebuild.status) for rebuild in found if rebuild.status != "cached"]


def _rewritten(text: str, new: str) -> list[Rebuild]:
    return list(invalidated(_graph(text), Change(dockerfile=parse(new))))


def test_without_a_change_everything_is_cached():
    assert _repeated(NODE, Change()) == []


def test_a_source_file_repeats_the_copy_that_takes_it_and_what_follows():
    assert _repeated(NODE, Change(frozenset({"src/a.js"}))) == [
        (5, "rebuilt"), (6, "rebuilt"), (8, "if-changed"), (9, "if-changed"),
    ]  # fmt: skip


def test_a_manifest_repeats_from_its_own_copy_and_says_why():
    found = first_invalidated(invalidated(_graph(NODE), Change(frozenset({"package.json"}))))
    assert [(each.step.index, each.reason) for each in found] == [
        (2, "package.json of the build context changed"), (8, "/app/dist of build may come out different"),
    ]  # fmt: skip


def test_a_build_argument_repeats_the_first_run_after_it_even_where_it_is_not_used():
    assert _repeated(NODE, Change(build_args={"COMMIT": "abc"})) == [
        (6, "rebuilt"), (8, "if-changed"), (9, "if-changed"),
    ]  # fmt: skip
    assert _repeated(NODE, Change(build_args={"UNDECLARED": "1"})) == []


def test_another_base_image_repeats_all_of_its_stage():
    assert _repeated(NODE, Change(images=frozenset({"nginx:latest"}))) == [(8, "rebuilt"), (9, "rebuilt")]


def test_metadata_comments_and_blanks_around_arguments_repeat_nothing():
    text = "FROM a\nWORKDIR /w\nCOPY ./x y\nRUN make\n"
    new = 'FROM a\n# note\nLABEL a=b\nworkdir   /w\nEXPOSE 80\nCOPY x y\nVOLUME /v\nRUN \\\n# note\n  make\nCMD ["x"]\n'
    assert [rebuild.status for rebuild in _rewritten(text, new)] == ["cached"] * 3


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("RUN make", "RUN make  all", "its command is another"),
        ("ENV A=1\nRUN x", "ENV A=2\nRUN x", "the variable A in its environment is another"),
        ("WORKDIR /a\nRUN x", "WORKDIR /b\nRUN x", "its path or the user that owns it is another"),
        ("USER a\nRUN x", "USER b\nRUN x", "it runs as b instead of a"),
        ('RUN x', 'SHELL ["/bin/bash", "-c"]\nRUN x', "it runs in another shell"),
        ("COPY x y", "COPY x y/", "its sources, destination or options are others"),
        ("RUN a\nRUN b", "RUN b", "its command is another"),
        ("RUN a", "RUN a\nRUN b", "it was not there before"),
    ],
)  # fmt: skip
def test_an_edit_of_the_file_repeats_from_there_and_says_why(old: str, new: str, reason: str):
    found = first_invalidated(_rewritten(f"FROM debian\n{old}\n", f"FROM debian\n{new}\n"))
    assert [each.reason for each in found] == [reason]
    assert found[0].first


def test_copy_does_not_depend_on_variables_that_it_does_not_use():
    text = "FROM a\nENV A=1\nCOPY x y\nWORKDIR /w\nRUN z\n"
    found = _rewritten(text, text.replace("A=1", "A=2"))
    assert [rebuild.status for rebuild in found] == ["cached", "cached", "rebuilt"]


def test_steps_of_a_stage_may_be_found_in_the_cache_of_another():
    text = "FROM a AS one\nRUN x\nRUN y\nFROM a AS two\nRUN x\n"
    found = _rewritten(text, text + "RUN y\n")
    assert [rebuild.status for rebuild in found] == ["cached", "cached"]


def test_linked_copies_stay_cached_above_repeated_steps_in_the_store_of_containerd_only():
    text = "FROM a\nCOPY a /a\nCOPY --link b /b\n"
    change = Change(frozenset({"a"}))
    assert _repeated(text, change) == [(1, "rebuilt"), (2, "rebuilt")]
    assert _repeated(text, change, store="containerd") == [(1, "rebuilt")]


def test_a_stage_that_the_target_does_not_need_is_never_built():
    text = "FROM a AS unused\nCOPY x y\nFROM a\nRUN z\n"
    assert _repeated(text, Change(frozenset({"x"}))) == []
    assert _repeated(text, Change(frozenset({"x"})), every_stage=True) == [(1, "rebuilt")]


def test_a_copy_from_a_stage_stays_cached_where_no_repeated_step_writes_what_it_takes():
    text = "FROM a AS b\nRUN mkdir /one\nCOPY in /two/\nFROM c\nCOPY --from=b /one /one\nCOPY --from=b /two /two\n"
    assert _repeated(text, Change(frozenset({"in"}))) == [(2, "rebuilt"), (5, "if-changed")]


def test_a_bind_mount_depends_on_the_files_it_shows():
    text = (
        "FROM a\nRUN --mount=type=bind,source=req.txt,target=/r pip install -r /r\nRUN --mount=type=cache,target=/c x\n"
    )
    assert _repeated(text, Change(frozenset({"req.txt"}))) == [(1, "rebuilt"), (2, "rebuilt")]
    assert _repeated(text, Change(frozenset({"other.txt"}))) == []


def test_sharing_and_the_custom_name_of_a_cache_are_not_in_the_key():
    text = "FROM a\nRUN --mount=type=cache,target=/c,id=one,sharing=locked x\n"
    assert _rewritten(text, text.replace("id=one,sharing=locked", "id=two"))[0].status == "cached"
    assert _rewritten(text, text.replace("id=one,sharing=locked", "sharing=locked"))[0].status == "rebuilt"


@pytest.mark.parametrize(
    ("line", "path", "selected"),
    [
        ("COPY . /x", "a/b", True),
        ("COPY src /x", "src/a/b", True),
        ("COPY src /x", "src2/a", False),
        ("COPY *.py /x", "a.py", True),
        ("COPY *.py /x", "d/a.py", False),
        ("COPY */lib /x", "d/lib/deep/a", True),
        ("COPY --exclude=*.md docs /x", "docs/a.md", False),
        ("COPY --exclude=*.md docs /x", "docs/a.txt", True),
        ("COPY --parents a/./b/**/c.txt /x", "a/b/x/y/c.txt", True),
        ("COPY [a-c].txt /x", "b.txt", True),
        ("ADD https://example.com/a /x", "a", False),
        ("COPY --from=img a /x", "a", False),
        ("COPY ../a /x", "a", True),
    ],
)
def test_which_paths_of_the_context_a_copy_selects(line: str, path: str, selected: bool):
    assert selects(_graph(f"FROM a\n{line}\n").steps[1], path) is selected


def test_key_parts_of_each_kind_of_step():
    text = (
        "FROM a AS s\nFROM b\nENV A=1\nARG B C=2\n"
        "RUN --mount=from=s,source=/q,target=/t --mount=source=f,target=/u x\n"
        "COPY $A d\nCOPY --link --from=s /z /z\nCMD x\n"
    )
    run, copy, linked, command = _graph(text).steps[4:8]
    assert key_parts(run).variables == ("PATH", "A", "C")
    assert (key_parts(run).context, key_parts(run).stages) == (("f",), ((0, "/q"),))
    assert (key_parts(copy).variables, key_parts(copy).context, key_parts(copy).parent) == (("A",), ("1",), True)
    assert (key_parts(linked).stages, key_parts(linked).parent) == (((0, "/z"),), False)
    assert key_parts(command).parent is False
