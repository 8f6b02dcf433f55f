from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from outdo.data.doctests import docstring_tests, doctests
from outdo.data.place import Place
from outdo.data.problems import Problem, Test
from outdo.data.students import pseudonym, read_students, without_names
from outdo.data.submissions import sort_out
from outdo.errors import DataError
from outdo.records import Outcome
from outdo.sandbox import Sandbox

DOUBLE = '''\
# Author: Ada Lovelace
def double(n):
    """Twice n.

    >>> double(2)
    4
    """
    return n * 2
'''
GREET = "print('Hello ' + input())\n"


def tree(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    return folder


@pytest.fixture
def classroom(tmp_path: Path) -> Path:
    return tree(
        tmp_path,
        {
            "alovelace/double.py": DOUBLE,
            "alovelace/greet.py": GREET,
            "alovelace/last_item.py": "def last_item(xs):\n    return xs[-1]\n",
            "ghopper/double.py": DOUBLE.replace("n * 2", "n + 2 # ask ghopper@navy.mil"),
            "ghopper/greet.py": GREET.replace("Hello ", "Hello"),
            "ghopper/last_item.py": "def last_item(xs) return xs",
            "tests/test_last_item.py": (
                "import last_item\n"
                "from last_item import last_item as f\n\n"
                "def test_last():\n    assert f([1, 2]) == 2 == last_item.last_item([2])\n"
            ),
            "tests/last_item.md": "Return the last item.\n",
            "tests/greet/1.in": "Bo\n",
            "tests/greet/1.out": "Hello Bo\n",
            "tests/greet/2.in": "\n",
            "tests/greet/2.out": "Hello \n",
        },
    )


def test_doctests_pytest_and_typed_pairs_are_found(classroom: Path) -> None:
    problems, _ = read_students(classroom, salt="s")
    double, greet, last = problems
    assert double.name == "double"
    assert double.tests == (Test(call="double(2)\n", expected="4", how="session"),)
    assert greet.tests[0] == Test(expected="Hello Bo\n", how="script", stdin="Bo\n")
    assert len(greet.tests) == 2
    assert (last.name, last.statement) == ("last-item", "Return the last item.\n")
    assert last.suite["test_last_item.py"].startswith(
        "import main as last_item\nfrom main import last_item as f\n"
    )


def test_the_tests_tell_right_from_wrong(classroom: Path, sandbox: Sandbox) -> None:
    problems, programs = read_students(classroom, salt="s")
    done = sort_out(programs, problems, sandbox=sandbox)
    ada, grace = (pseudonym(name, salt="s") for name in ("alovelace", "ghopper"))
    assert {(each.problem, each.group) for each in done.correct} == {
        ("double", ada),
        ("double", grace),  # two plus two is twice two
        ("greet", ada),
        ("last-item", ada),
    }
    assert {(each.problem, each.group) for each in done.buggy} == {
        ("greet", grace),
        ("last-item", grace),
    }


def test_no_row_names_a_student(classroom: Path) -> None:
    problems, programs = read_students(classroom, salt="s")
    text = repr((problems, programs)).lower()
    for name in ("lovelace", "ada", "hopper", "navy"):
        assert name not in text
    groups = {each.group for each in programs}
    assert groups == {pseudonym(name, salt="s") for name in ("alovelace", "ghopper")}
    assert not groups & {pseudonym(name, salt="t") for name in ("alovelace", "ghopper")}
    assert all(each.id == each.group for each in programs)


def test_both_layouts_give_the_same_rows(tmp_path: Path) -> None:
    tests = {"tests/double.in": "", "tests/double.out": "4", "tests/greet.txt": ">>> 1\n1\n"}
    names = [(s, p) for s in ("ada", "bob", "eve") for p in ("double", "greet")]
    one = tree(tmp_path / "1", {f"{s}/{p}.py": f"x = '{s}{p}'" for s, p in names} | tests)
    other = tree(tmp_path / "2", {f"{p}/{s}.py": f"x = '{s}{p}'" for s, p in names} | tests)
    assert read_students(one, salt="s") == read_students(other, salt="s")


def test_an_unclear_layout_wants_to_be_told(tmp_path: Path) -> None:
    folder = tree(tmp_path, {"a/b.py": DOUBLE})
    with pytest.raises(DataError, match="students and problems can't be told apart"):
        read_students(folder, salt="s")
    [problem], [program] = read_students(folder, salt="s", layout="problem/student")
    assert (problem.name, program.group) == ("a", pseudonym("b", salt="s"))


def test_doctests_that_most_programs_hold_are_the_tests(tmp_path: Path) -> None:
    own = DOUBLE.replace("double(2)\n    4", "double(3)\n    7")
    broken = DOUBLE.replace(">>> double(2)", ">>>double(2)")
    files = {"a": DOUBLE, "b": DOUBLE, "c": own, "d": broken}
    folder = tree(tmp_path, {f"{name}/double.py": code for name, code in files.items()})
    [problem], programs = read_students(folder, salt="s", layout="student/problem")
    assert [test.call for test in problem.tests] == ["double(2)\n"]
    assert len(programs) == 4


@pytest.mark.parametrize(
    ("files", "problem"),
    [
        ({}, "the folder holds no program"),
        ({"a/p.py": "x = 1", "b/p.py": "x"}, "the problem 'p' has no tests"),
        ({"a/p.py": "x", "b/p.py": "x", "tests/p.in": "1"}, "p.in has no p.out beside it"),
        ({"a/p.py": "", "b/p.py": "x", "tests/p.in": "", "tests/p.out": ""}, "program is empty"),
        ({"a/p.py": "x", "b/p.py": "x", "tests/test_p.py": "1"}, "the tests don't import"),
        ({"a/p.py": "x", "b/p.py": "x", "tests/test_p.py": "("}, "not Python"),
        ({"a/p.py": "x\0", "b/p.py": "x", "tests/p.txt": ">>> 1\n1"}, "null byte"),
        ({"a/p.py": "#" * 10_000_000, "b/p.py": "x", "tests/p.txt": ">>> 1\n1"}, "10,000,000"),
    ],
)
def test_what_cannot_be_used_is_told(tmp_path: Path, files: dict[str, str], problem: str) -> None:
    folder = tree(tmp_path, files)
    with pytest.raises(DataError) as told:
        read_students(folder, salt="s")
    assert problem in told.value.problem
    assert str(tmp_path) in told.value.where
    with pytest.raises(DataError, match="the salt is empty"):
        read_students(folder, salt="")


@pytest.mark.parametrize(
    ("code", "clean"),
    [
        ("# Jane Doe, jd@x.org\nx = 1", "# … …, …\nx = 1"),
        ("#name: Someone Else\nx = 'jane'", "#name: …\nx = 'jane'"),
        ('"""Author: Some One"""\nx', '"""Author: …"""\nx'),
        ("__author__ = 'Some One'\nx = 1", "\nx = 1"),
        ("jane = 1  # janet and jane", "jane = 1  # janet and …"),
        ("x = 'a@b.de'", "x = 'a@b.de'"),
        ("x = (  # doe\n", "x = (  # …\n"),
        ("  # solved by J. D.\n\tx", "  # solved by …\n\tx"),
    ],
)
def test_names_are_taken_out_of_comments_and_docstrings(code: str, clean: str) -> None:
    assert without_names(code, "jane_doe") == clean


def test_examples_that_need_each_other_are_one_test() -> None:
    place = Place(path="p.txt")
    assert doctests(">>> f(1)\n2\n>>> print()\n<BLANKLINE>\n", place) == (
        Test(call="f(1)\n", expected="2", how="session"),
        Test(call="print()\n", expected="", how="session"),
    )
    assert doctests("text\n>>> x = 1\n>>> f(x)\n2\n", place) == (
        Test(call="x = 1\nf(x)\n", expected="2", how="session"),
    )
    assert doctests(">>> x = 1\n", place) == ()


def test_an_exception_is_compared_without_its_stack(sandbox: Sandbox) -> None:
    [test] = doctests(
        '>>> int("x")\nTraceback (most recent call last):\n  File "x"\nValueError: no\n',
        Place(path="p.txt"),
    )
    assert test.expected == "Traceback (most recent call last):\nValueError: no"
    problem = Problem(name="p", tests=(replace(test, call="1/0\n"), replace(test, call="f()\n")))
    [(_, outcome)] = sandbox.run([problem.program("def f():\n    raise ValueError('no')\n")])
    verdicts = [
        replace(problem, tests=(each,)).passes(Outcome(outputs=(output,)))
        for each, output in zip(problem.tests, outcome.outputs, strict=True)
    ]
    assert verdicts == [False, True]


def test_a_doctest_that_cannot_be_compared_is_told() -> None:
    with pytest.raises(DataError, match="options") as told:
        doctests("a\n>>> f()  # doctest: +ELLIPSIS\n1...\n", Place(path="p.txt", line=10))
    assert told.value.where == "p.txt:11"
    assert docstring_tests("def f(:", Place(path="p.py")) == ()
