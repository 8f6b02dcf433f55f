from __future__ import annotations

import ast

import pytest

from outdo.data.inject import slips
from outdo.data.inject.slips import difference
from outdo.data.problems import Problem, embedded_problems


def one(before: str, after: str, code: str) -> None:
    slip = difference("x", origin=before, broken=after)
    assert slip.code == after
    told = f"{slip.line}:{slip.column} {slip.before!r} -> {slip.after!r}"
    assert told == code


def test_where_a_slip_is_told_in_lines_and_columns() -> None:
    one(
        "a = 1\nif a < 2:\n    b()", "a = 1\nif a <= 2:\n    b()", "2:7 'if a < 2:' -> 'if a <= 2:'"
    )
    one("a = 1\nif a:\n    b()\n    c()", "a = 1\nif a:\n    b()", "3:5 'c()' -> ''")
    one("a = 1\nb()", "a = 1\nc = 2\nb()", "2:1 '' -> 'c = 2'")
    one("a = 1\nif a:\n    b()\n    c()", "a = 1\nif a:\n    b()\nc()", "4:1 'c()' -> 'c()'")


def test_a_slip_says_what_was_broken() -> None:
    [slip] = [
        each for each in slips("def f(n):\n    return n * 2") if each.operator == "arithmetic"
    ]
    assert (slip.line, slip.column) == (2, 14)
    assert (slip.before, slip.after) == ("return n * 2", "return n + 2")
    assert slip.code == "def f(n):\n    return n + 2"


def test_what_is_no_program_is_no_slip() -> None:
    moved = slips("for x in y:\n    if x:\n        z()\n        break\n")
    assert all(compile(slip.code, "x", "exec") for slip in moved)
    assert "for x in y:\n    if x:\n        z()\nbreak" not in [slip.code for slip in moved]


def test_layout_and_comments_make_no_difference() -> None:
    assert slips("def f( n ):\n  # twice\n  return (n*2)") == slips("def f(n):\n    return n * 2")


def test_code_that_is_not_python_is_refused() -> None:
    with pytest.raises(SyntaxError):
        slips("def f(:")


@pytest.mark.parametrize("problem", embedded_problems()[::9], ids=lambda problem: problem.name)
def test_slips_of_real_programs_are_distinct_programs(problem: Problem) -> None:
    for code in problem.solutions:
        tree = ast.dump(ast.parse(code))
        found = slips(code)
        trees = [ast.dump(ast.parse(slip.code)) for slip in found]
        assert len(trees) > 3
        assert len(set(trees)) == len(trees)
        assert tree not in trees
        assert ast.dump(ast.parse(code)) == tree
        assert found == slips(code)
        for slip in found:
            lines = slip.code.splitlines()
            assert 1 <= slip.line <= len(lines)
            assert 1 <= slip.column <= len(lines[slip.line - 1]) + 1
            assert slip.before != slip.after or slip.operator.endswith(("indent", "return", "case"))
