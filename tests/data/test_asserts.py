from __future__ import annotations

import ast
import textwrap

import pytest

from outdo.data.asserts import calls_of_check, self_contained


def check(*lines: str) -> str:
    return "def check(candidate):\n" + textwrap.indent("\n".join(lines), "    ")


def test_plain_assertions_become_calls() -> None:
    test = "\n\nMETADATA = {'author': 'x'}\n\n" + check(
        '"""Simple cases."""',
        "assert candidate([1, 2], by=-1) == (3 + 4, 2.0 / 4), 'a message'",
        "print",
        "assert True, 'this is always so'",
        "assert candidate('a') == {'b': [None, True]}",
    )
    assert calls_of_check(test, entry="f") == (
        ("f([1, 2], by=-1)", "(7, 0.5)"),
        ("f('a')", "{'b': [None, True]}"),
    )


def test_a_list_of_assertions_is_a_check_too() -> None:
    test = "assert add(1, 2) == 3\nassert add(0, -1) == -1\n"
    assert calls_of_check(test, entry="add", candidate="add") == (
        ("add(1, 2)", "3"),
        ("add(0, -1)", "-1"),
    )


@pytest.mark.parametrize(
    "line",
    [
        "assert abs(candidate(1) - 2) < 1e-6",
        "assert candidate(1)",
        "assert not candidate(1)",
        "assert candidate(1) is True",
        "assert candidate(1) == candidate(2)",
        "assert candidate(x) == 1",
        "assert candidate(*[1]) == 1",
        "assert candidate(**{'a': 1}) == 1",
        "assert candidate(1) == 2 == 2",
        "assert candidate(1) != 2",
        "assert other(1) == 2",
        "assert candidate(1) == 1 / 0",
        "assert candidate(1) == 'a' * 3",
        "assert candidate(1) == {[]}",
        "assert candidate(1) == {**{}}",
        "assert False",
        "for x in range(3): assert candidate(1) == 1",
        "x = [1]",
        "import math",
        "return",
    ],
)
def test_anything_more_is_left_to_a_checker(line: str) -> None:
    assert calls_of_check(check("assert candidate(1) == 1", line), entry="f") is None


def test_what_asserts_nothing_is_no_list_of_calls() -> None:
    assert calls_of_check(check("pass"), entry="f") is None
    assert calls_of_check("def check(:", entry="f") is None
    assert calls_of_check("x = '\0'", entry="f") is None
    assert calls_of_check("@wrap\n" + check("assert candidate(1) == 1"), entry="f") is None
    assert calls_of_check("import os\n" + check("assert candidate(1) == 1"), entry="f") is None


def test_a_check_brings_the_prompts_helpers_but_not_the_entry() -> None:
    prompt = 'import math\ndef poly(x):\n    return math.fabs(x)\ndef find(x):\n    """Doc."""\n'
    whole = self_contained("def check(candidate): poly(1)", prompt=prompt, entry="find")
    names = [getattr(node, "name", "import") for node in ast.parse(whole).body]
    assert names == ["import", "poly", "check"]


def test_a_prompt_that_is_no_program_leaves_the_check_alone() -> None:
    assert self_contained("x", prompt="def f(", entry="f") == "x"
