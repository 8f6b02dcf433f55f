from __future__ import annotations

from pathlib import Path

import pytest

from outdo.data.problems import (
    Problem,
    Test,
    embedded_problems,
    read_problem,
    read_problems,
)
from outdo.errors import DataError
from outdo.records import Call, Limits, Outcome, Output

GOOD = """\
name: add-one
title: Add one
entry: add_one
statement: |
  Return n + 1.
tests:
  - {call: "add_one(1)", expected: 2}
  - call: "add_one(-1)"
    expected: "0"
  - {call: "print(add_one(4))", expected: "5", how: printed}
  - {how: script, stdin: "x", expected: ""}
solutions:
  - |
    def add_one(n):
        return n + 1
  - "add_one = lambda n: n + 1"
"""


def written(folder: Path, text: str, name: str = "add-one.yaml") -> Path:
    path = folder / name
    path.write_text(text, "utf-8")
    return path


def mistake(folder: Path, text: str) -> DataError:
    path = written(folder, text)
    with pytest.raises(DataError) as told:
        read_problem(path)
    return told.value


def test_a_file_becomes_a_problem(tmp_path: Path) -> None:
    problem = read_problem(written(tmp_path, GOOD))
    assert problem == Problem(
        name="add-one",
        title="Add one",
        entry="add_one",
        statement="Return n + 1.\n",
        tests=(
            Test(call="add_one(1)", expected="2"),
            Test(call="add_one(-1)", expected="0"),
            Test(call="print(add_one(4))", expected="5", how="printed"),
            Test(expected="", how="script", stdin="x"),
        ),
        solutions=("def add_one(n):\n    return n + 1\n", "add_one = lambda n: n + 1"),
    )
    assert problem.shown == problem.tests[:3]
    assert problem.reference == "def add_one(n):\n    return n + 1\n"


def test_a_folder_is_read_by_name(tmp_path: Path) -> None:
    written(tmp_path, GOOD.replace("add-one", "b"), "b.yaml")
    written(tmp_path, GOOD.replace("add-one", "a") + "held_out: true\n", "a.yaml")
    assert [(each.name, each.held_out) for each in read_problems(tmp_path)] == [
        ("a", True),
        ("b", False),
    ]


@pytest.mark.parametrize(
    ("old", "new", "line", "problem"),
    [
        ("title: Add", "titel: Add", 2, "unknown key 'titel'"),
        ("name: add-one", "name: add-two", 1, "the name 'add-two' isn't the file's"),
        ('  - {call: "add_one(1)", expected: 2}', "  - 3", 7, "keys and values were expected"),
        ("expected: 2}", "expected: two}", 7, "expected 'two' isn't a Python literal"),
        ("add_one(-1)", "add_one(", 8, "not Python"),
        ('    expected: "0"\n', "", 8, "the key 'expected' is missing"),
        ("how: printed", "how: sung", 10, "unknown how: 'sung'"),
        ("how: script, ", "", 11, "the test has no call"),
        ("def add_one(n):", "def add_two(n):", 13, "solution 1 doesn't define 'add_one'"),
        ("return n + 1\n  - ", "return n +\n  - ", 13, "not Python"),
        ("title: Add one", "title: [Add, one]", 2, "title must be text"),
        ("solutions:", "held_out: maybe\nsolutions:", 12, "held_out must be true or false"),
        ("title: Add one", "title: Add one\ntitle: Two", 3, "the key 'title' stands twice"),
        ("title: Add one", "title: &a x\nstatement: *a", 3, "an alias (*name) stands here"),
        ("title: Add one", "title: {", 4, "this is not YAML"),
    ],
)
def test_a_mistake_is_told_with_its_line(
    tmp_path: Path, old: str, new: str, line: int, problem: str
) -> None:
    assert old in GOOD
    error = mistake(tmp_path, GOOD.replace(old, new, 1))
    assert error.problem.startswith(problem)
    assert error.where == f"{tmp_path / 'add-one.yaml'}:{line}"


def test_a_problem_without_tests_is_refused(tmp_path: Path) -> None:
    error = mistake(tmp_path, "name: add-one\n")
    assert error.problem == "the problem has no tests"


def test_what_is_no_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "add-one.yaml"
    path.write_bytes(b"name: add-one\ntitle: \0\n")
    with pytest.raises(DataError, match="null byte") as told:
        read_problem(path)
    assert told.value.where == f"{path}:2"
    path.write_bytes(b"name: add-one\n\ntitle: \xff\n")
    with pytest.raises(DataError, match="isn't UTF-8") as told:
        read_problem(path)
    assert told.value.where == f"{path}:3"
    path.write_bytes(b"#" * 2**21)
    with pytest.raises(DataError, match="2,097,152 bytes"):
        read_problem(path)
    path.write_bytes(b"")
    with pytest.raises(DataError, match="the file is empty"):
        read_problem(path)
    path.write_bytes(b"[" * 5000)
    with pytest.raises(DataError, match=r"not YAML|nested too deep"):
        read_problem(path)


def test_a_folder_that_is_not_there_or_empty(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such folder"):
        read_problems(tmp_path / "none")
    with pytest.raises(DataError, match=r"holds no \*\.yaml"):
        read_problems(tmp_path)


def test_a_program_holds_the_calls_and_never_the_answers(total: Problem) -> None:
    limits = Limits(cpu_seconds=0.5)
    program = total.program("x = 1", limits=limits)
    assert program.files == {"main.py": "x = 1\n"}
    assert program.calls[0] == Call(code="running_total([1, 2, 3])")
    assert program.limits == limits
    assert "[1, 3, 6]" not in str(program)


def test_tests_that_are_code_take_the_place_of_calls() -> None:
    suite = Problem(name="a", suite={"test_a.py": "import main"}, preamble="\nimport math\n")
    program = suite.program("x = 1")
    assert program.files == {"main.py": "import math\n\nx = 1\n", "test_a.py": "import main"}
    assert program.suite == ("test_a.py",)
    checked = Problem(name="a", check="def check(c): ...", entry="f", tests=suite.tests)
    assert (checked.program("x").check, checked.program("x").entry) == ("def check(c): ...", "f")
    for problem in (suite, checked):
        assert problem.passes(Outcome(outputs=(Output(text="passed"),)))
        assert not problem.passes(Outcome(outputs=(Output(error="failed"),)))
        assert not problem.passes(Outcome(outputs=()))


def test_all_outputs_must_be_right(total: Problem) -> None:
    right = [Output(text=test.expected) for test in total.tests]
    assert total.passes(Outcome(outputs=tuple(right)))
    assert not total.passes(Outcome(outputs=tuple(right[:-1])))
    assert not total.passes(Outcome(outputs=(*right[:-1], Output(error="ValueError"))))
    assert not total.passes(Outcome(outputs=(*right[:-1], Output(text="[True]"))))


def test_embedded_problems_can_be_read() -> None:
    problems = embedded_problems()
    assert len(problems) >= 60
    assert len({each.name for each in problems}) == len(problems)
    assert sum(each.held_out for each in problems) >= 15
