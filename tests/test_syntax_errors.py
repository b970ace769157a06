"""What is wrong in a file: every error at its place, with a repair where it can be guessed."""

from __future__ import annotations

import re
import string

import pytest

from dfopt.edit import apply
from dfopt.finding import Severity
from dfopt.syntax import parse
from dfopt.syntax.problems import PROBLEMS
from dfopt.syntax.tree import From, Run, Unknown

_CASES = [
    # text, code, the text at the place of the error, the file after the repair (None: no repair is offered)
    ("# escape=`\n# escape=\\\nFROM a", "E001", "# escape=\\", None),
    ("# escape=x\nFROM a", "E002", "x", None),
    ("# escape=` # note\nFROM a", "E002", "` # note", "# escape=`\nFROM a"),
    ("", "E004", "", None),
    ("# only\n", "E004", "", None),
    ("FROM a\nRUN cat <<A; x\ny\nA\n", "E005", "<<A;", "FROM a\nRUN cat <<A ; x\ny\nA\n"),
    ("FROM a\nRUN <<EOF\nx\n  EOF \n", "E005", "<<EOF", "FROM a\nRUN <<EOF\nx\nEOF\n"),
    ("FROM a\nRUN <<-EOF\nx\n\t EOF\n", "E005", "<<-EOF", "FROM a\nRUN <<-EOF\nx\n\tEOF\n"),
    ('FROM a\nRUN ${X:- <<"b c"}\n', "E006", '<<"b c"}', None),
    ("ARG a\n", "E007", "ARG", None),
    ('FROM a\nCMD ["a", 1]', "E010", "1", 'FROM a\nCMD ["a", "1"]'),
    ('FROM a\nCMD ["a", ["b"], "c"]', "E010", '["b"]', None),
    ('FROM a\nONBUILD VOLUME [null]', "E010", "null", 'FROM a\nONBUILD VOLUME ["null"]'),
    ("FROM a\nENV a", "E011", "a", None),
    ("FROM a\nONBUILD LABEL b", "E011", "b", None),
    ("FROM a\nENV a=b c d=e", "E012", "c", 'FROM a\nENV a="b c" d=e'),
    ("FROM a\nENV a= b", "E012", "b", "FROM a\nENV a=b"),
    ("FROM a\nENV a='b' c", "E012", "c", None),
    ("FORM a\n", "E020", "FORM", "FROM a\n"),
    ("FROM a\ncop b c\n", "E020", "cop", "FROM a\ncopy b c\n"),
    ("FROM a\nRUN: x\n", "E020", "RUN:", "FROM a\nRUN x\n"),
    ("FROM a\nRUN\xa0make x\n", "E020", "RUN\xa0make", "FROM a\nRUN make x\n"),
    ("FROM a\n\ufeffRUN x\n", "E020", "\ufeffRUN", "FROM a\nRUN x\n"),
    ("FROM a\nRUN apt update\n  && apt upgrade\n", "E020", "&&", "FROM a\nRUN apt update \\\n  && apt upgrade\n"),
    ("# escape=`\nFROM a\nENV b=c\n  d=e\n", "E020", "d=e", "# escape=`\nFROM a\nENV b=c `\n  d=e\n"),
    ("FROM a\nRUN x\n\nfoobar y\n", "E020", "foobar", None),
    ("FROM a\n<<<<<<< HEAD\n", "E020", "<<<<<<<", None),
    ("FROM a\n\nmake all\n", "E020", "make", "FROM a\n\nRUN make all\n"),
    ("RUN x\nFROM a\n", "E021", "RUN", None),
    ("FROM", "E022", "FROM", None),
    ("FROM a SA b", "E022", "a SA b", "FROM a AS b"),
    ("FROM a b", "E022", "a b", "FROM a AS b"),
    ("FROM a AS", "E022", "a AS", None),
    ("FROM a # note", "E022", "a # note", "FROM a"),
    ("FROM a AS b # note", "E022", "a AS b # note", "FROM a AS b"),
    ("FROM a AS 1st", "E023", "1st", None),
    ("FROM a\nEXPOSE\n", "E024", "EXPOSE", None),
    ("FROM a\nHEALTHCHECK CMD []\n", "E024", "CMD []", None),
    ("FROM a\nHEALTHCHECK cmd\n", "E024", "cmd", None),
    ("FROM a\nCOPY b\n", "E025", "COPY", None),
    ("FROM a\nADD []\n", "E025", "ADD", None),
    ("FROM a\nARG a = b\n", "E026", "=", None),
    ("FROM a\nENV =b\n", "E026", "=b", None),
    ('FROM a\nVOLUME ["/a", " "]\n', "E027", '" "', None),
    ("FROM a\nSHELL /bin/bash -c\n", "E028", "/bin/bash -c", 'FROM a\nSHELL ["/bin/bash", "-c"]\n'),
    ("FROM a\nSHELL ['sh', '-c']\n", "E028", "['sh', '-c']", 'FROM a\nSHELL ["sh", "-c"]\n'),
    ("FROM a\nSHELL []\n", "E028", "[]", None),
    ("FROM a\nCOPY --form=b c d\n", "E029", "--form=b", "FROM a\nCOPY --from=b c d\n"),
    ("FROM a\nUSER --xyz b\n", "E029", "--xyz", None),
    ("FROM a\nCOPY --from=a --from=b c d\n", "E030", "--from=b", None),
    ("FROM a\nRUN --network none x\n", "E031", "--network", "FROM a\nRUN --network=none x\n"),
    ("FROM a\nCOPY --link= c d\n", "E031", "--link=", "FROM a\nCOPY --link c d\n"),
    ("FROM a\nCOPY --link=1 c d\n", "E032", "--link=1", "FROM a\nCOPY --link=true c d\n"),
    ("FROM a\nCOPY --link=maybe c d\n", "E032", "--link=maybe", None),
    ("FROM a\nRUN --network=nnoe x\n", "E033", "nnoe", "FROM a\nRUN --network=none x\n"),
    ("FROM a\nHEALTHCHECK --interval=5 CMD x\n", "E033", "5", "FROM a\nHEALTHCHECK --interval=5s CMD x\n"),
    ("FROM a\nHEALTHCHECK --timeout=1us CMD x\n", "E033", "1us", None),
    ("FROM a\nHEALTHCHECK --retries=-1 CMD x\n", "E033", "-1", None),
    ("FROM a\nHEALTHCHECK --retries=3000000000 CMD x\n", "E033", "3000000000", None),
    ("FROM a\nRUN --device=a,b x\n", "E033", "--device=a,b", None),
    ("FROM a\nHEALTHCHECK curl x\n", "E034", "curl", "FROM a\nHEALTHCHECK CMD curl x\n"),
    ("FROM a\nHEALTHCHECK NON\n", "E034", "NON", "FROM a\nHEALTHCHECK NONE\n"),
    ("FROM a\nHEALTHCHECK NONE x\n", "E035", "x", "FROM a\nHEALTHCHECK NONE \n"),
    ("FROM a\nONBUILD FROM b\n", "E036", "FROM", None),
    ("FROM a\nRUN --mount= x\n", "E037", "--mount=", None),
    ('FROM a\nRUN --mount=type=cache,target=\\"/a x\n', "E037", '--mount=type=cache,target=\\"/a', None),
    ("FROM a\nCOPY b <<X\nX\n", "E038", "<<X", None),
    ("FROM a\nRUN --mount=from=$b,target=/c x\n", "E039", "--mount=from=$b,target=/c", None),
    ("FROM a\nCMD ['b', 'c']\n", "E050", "['b', 'c']", 'FROM a\nCMD ["b", "c"]\n'),
    ('FROM a\nENTRYPOINT ["b",]\n', "E050", '["b",]', 'FROM a\nENTRYPOINT ["b"]\n'),
    ('FROM a\nCMD ["b" "c"]\n', "E050", '["b" "c"]', 'FROM a\nCMD ["b", "c"]\n'),
    ('FROM a\nCMD ["b", "c"\n', "E050", '["b", "c"', 'FROM a\nCMD ["b", "c"]\n'),
    ('FROM a\nCOPY ["c:\\w", "d"]\n', "E050", '["c:\\w", "d"]', 'FROM a\nCOPY ["c:\\\\w", "d"]\n'),
    ('FROM a\nCMD [“b”]\n', "E050", "[“b”]", 'FROM a\nCMD ["b"]\n'),
    ("FROM a\n# \udcff\udcfe\n", "E051", "\udcff", None),
]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "code", "place", "repaired"), _CASES, ids=[f"{case[1]}-{n}" for n, case in enumerate(_CASES)]
)
def test_names_the_error_and_its_place(text: str, code: str, place: str, repaired: str | None) -> None:
    file = parse(text)
    assert [found.code for found in file.problems] == [code]
    (found,) = file.problems
    assert text[slice(*found.span)] == place
    assert (apply(text, found.edits) if found.edits else None) == repaired
    if repaired is not None:
        assert not parse(repaired).problems
    assert "{" not in found.message
    assert found.message[0] not in string.ascii_uppercase or re.match(r"[A-Z]{3,} |FORM|RUN|NON", found.message)


def test_every_code_is_shown_by_a_case() -> None:
    shown = {case[1] for case in _CASES} | {"E003", "E008"}
    assert shown >= set(PROBLEMS)


def test_the_table_has_names_and_meanings_of_its_own() -> None:
    assert len({kind.name for kind in PROBLEMS.values()}) == len(PROBLEMS)
    for kind in PROBLEMS.values():
        assert re.fullmatch(r"[a-z0-9-]+", kind.name)
        assert kind.meaning.endswith(".")
        assert kind.stage in ("parse", "instructions", "build", "trigger", "none")
        assert (kind.severity is Severity.ERROR) == (kind.stage != "none")


def test_reports_all_errors_of_a_file() -> None:
    text = "FORM a\nFROM b AS 1\nCOPY --form=x --link=2 c\nENV d=e f\nCMD [1, 2]\nRUN <<X\n"
    file = parse(text)
    assert [found.code for found in file.problems] == ["E020", "E023", "E025", "E029", "E032", "E012", "E010", "E005"]
    assert [node.keyword for node in file] == ["FORM", "FROM", "COPY", "ENV", "CMD", "RUN"]


def test_a_line_longer_than_buildkit_reads_is_an_error() -> None:
    long = "RUN " + "é" * 32765
    file = parse(f"FROM a\n{long}\n{long}xy\n")
    (found,) = file.problems
    assert found.code == "E003"
    assert file.source.line_of(found.span.start) == 3
    assert "65536" not in file.problems[0].message or "65535" in file.problems[0].message
    assert all(isinstance(node, (From, Run)) for node in file)


def test_what_surrounds_a_broken_instruction_is_understood() -> None:
    file = parse("FROM a\nCOPY x\nRUN y\n")
    assert isinstance(file.instructions[1], Unknown)
    assert [word.text for word in file.instructions[1].words] == ["x"]
    assert isinstance(file.instructions[2], Run)


def test_a_broken_from_opens_a_stage_all_the_same() -> None:
    file = parse("FROM a b c d\nRUN x\n")
    assert [found.code for found in file.problems] == ["E022"]
    assert len(file.stages) == 1


def test_errors_of_a_trigger_count_when_it_fires() -> None:
    file = parse("FROM a\nONBUILD COPY --form=b c\nONBUILD RNU x\nONBUILD RUN y\n")
    assert [(found.code, found.stage) for found in file.problems] == [
        ("E025", "trigger"),
        ("E029", "trigger"),
        ("E020", "trigger"),
    ]


@pytest.mark.parametrize(
    "line",
    [
        "RUN [ -f x ] && y", 'RUN [ "$a" = \'b\' ]', "RUN [[ -z $a ]]", "RUN [ 'a' ]", "CMD [ -d a ]", "CMD [", "RUN [",
        "RUN [ ! -e a ] || b", "VOLUME [a-z]", 'RUN [ "a" -eq 1 ]',
    ],
)  # fmt: skip
def test_a_test_of_the_shell_is_not_taken_for_broken_json(line: str) -> None:
    assert not parse(f"FROM a\n{line}\n").problems


@pytest.mark.parametrize(
    ("line", "hint"),
    [
        ("<<<<<<< HEAD", "merge conflict"),
        ("{{ template }}", "template"),
        ("```", "code block"),
        ("// note", "begins with #"),
        ("RUNN x", "did you mean RUN"),
        ("RUN\xa0x", "no ordinary blank"),
    ],
)
def test_an_unknown_word_is_explained(line: str, hint: str) -> None:
    (found,) = parse(f"FROM a\n\n{line}\n").problems
    assert hint in found.message


def test_a_suggestion_keeps_the_case_of_the_file() -> None:
    (found,) = parse("from a\nrunn x\n").problems
    assert found.edits[0].text == "run"


def test_long_pieces_of_a_file_are_cut_in_messages() -> None:
    (found,) = parse("FROM a\n" + "x" * 5000).problems
    assert len(found.message) < 400
