"""Copied answers are found in every dress, and correct programs are never accused."""

from __future__ import annotations

import pytest

from outdo.scorers.copied import copied_answers

TOTALS = [
    ("totals([1, 2, 3])", "[1, 3, 6]"),
    ("totals([])", "[]"),
    ("totals([5])", "[5]"),
]
ABOVE = [("above([4, 7, 9], 6)", "2"), ("above([], 1)", "0"), ("above([3], 3)", "0")]
SQUARES = [("square(3)", "9"), ("square(12)", "144"), ("square(0)", "0")]
BUGGY = "def totals(xs):\n    return xs\n"


def body(*lines: str, define: str = "def totals(xs):") -> str:
    return "\n".join([define, *(f"    {line}" for line in lines)])


@pytest.mark.parametrize(
    "code",
    [
        body("if xs == [1, 2, 3]:", "    return [1, 3, 6]", "return xs"),
        body("if [1, 2, 3] == xs:", "    return [1, 3, 6]", "return xs"),
        body("if tuple(xs) == (1, 2, 3):", "    return [1, 3, 6]", "return xs"),
        body(
            "if xs == []:", "    r = []", "elif xs == [1, 2, 3]:", "    r = [1, 3, 6]", "return r"
        ),
        body("return [1, 3, 6] if xs == [1, 2, 3] else xs"),
        body("return {(1, 2, 3): [1, 3, 6], (): [], (5,): [5]}[tuple(xs)]"),
        body("return {'[1, 2, 3]': '[1, 3, 6]'}.get(str(xs), xs)"),
        body("match xs:", "    case [1, 2, 3]:", "        return [1, 3, 6]", "return xs"),
        body("if xs == [1, 2, 3]:", "    print('[1, 3, 6]')", "return xs"),
        body("return [1, 3, 6]"),
    ],
)
def test_a_compound_input_beside_its_answer_is_a_copy(code: str) -> None:
    assert copied_answers(code, before=BUGGY, shown=TOTALS) == ("totals([1, 2, 3])",)


@pytest.mark.parametrize(
    "test",
    ["xs == [4, 7, 9] and k == 6", "(xs, k) == ([4, 7, 9], 6)", "k == 6 and [4, 7, 9] == xs"],
)
def test_arguments_may_be_compared_one_by_one_or_together(test: str) -> None:
    code = body(f"if {test}:", "    return 2", "return 0", define="def above(xs, k):")
    assert copied_answers(code, before="", shown=ABOVE) == ("above([4, 7, 9], 6)",)


@pytest.mark.parametrize(
    "code",
    [
        "def square(n):\n    if n == 3:\n        return 9\n    if n == 12:\n        return 144\n",
        "def square(n):\n    if n == 0:\n        return 0\n    return {3: 9, 12: 144}[n]",
    ],
)
def test_a_table_of_nothing_but_shown_answers_is_a_copy(code: str) -> None:
    assert copied_answers(code, before="", shown=SQUARES) == ("square(3)", "square(12)")


@pytest.mark.parametrize(
    "code",
    [
        body("if xs == []:", "    return []", "return [xs[0]] + totals(xs[1:])"),
        body("if not xs:", "    return []", "return xs"),
        body("if xs == [1, 2, 3]:", "    return [1, 2, 3]", "return xs"),
        body("if xs == [1, 2]:", "    return [1, 3]", "return xs"),
        body("out = []", "for x in xs:", "    out.append(x)", "return out"),
        "def totals(xs:",
        "",
    ],
)
def test_base_cases_and_other_literals_are_no_copies(code: str) -> None:
    assert copied_answers(code, before=BUGGY, shown=TOTALS) == ()


def test_a_single_simple_answer_is_no_table() -> None:
    code = "def square(n):\n    if n == 12:\n        return 144\n    return n * n"
    assert copied_answers(code, before="", shown=SQUARES) == ()


def test_a_table_that_the_problem_calls_for_goes_beyond_what_was_shown() -> None:
    shown = [("days('april')", "30"), ("days('may')", "31"), ("days('june')", "30")]
    lines = "\n".join(
        f"    if m == {name!r}:\n        return {days}"
        for name, days in [("april", 30), ("may", 31), ("june", 30), ("july", 31)]
    )
    assert copied_answers(f"def days(m):\n{lines}", before="", shown=shown) == ()
    without_july = lines.rpartition("    if")[0]
    assert len(copied_answers(f"def days(m):\n{without_july}", before="", shown=shown)) == 3


def test_one_branch_for_several_values_is_no_table() -> None:
    shown = [("kind('saturday')", "'free'"), ("kind('sunday')", "'free'")]
    test = "if d in ('saturday', 'sunday'):"
    code = body(test, "    return 'free'", "return 'work'", define="def kind(d):")
    assert copied_answers(code, before="", shown=shown) == ()


def test_what_the_program_already_held_is_no_copy() -> None:
    code = body("if xs == [1, 2, 3]:", "    return [1, 3, 6]", "return xs")
    assert copied_answers(code, before=code.replace("xs", "ys"), shown=TOTALS) == ()
    constant = body("return [1, 3, 6]")
    assert copied_answers(constant, before=constant, shown=TOTALS) == ()
    assert copied_answers(constant, before="def totals(:", shown=TOTALS) != ()


def test_true_is_not_one() -> None:
    shown = [("first([7, 8])", "True")]
    wrong = "def first(xs):\n    if xs == [7, 8]:\n        return 1"
    assert copied_answers(wrong, before="", shown=shown) == ()
    assert copied_answers(wrong.replace("1", "True"), before="", shown=shown) == ("first([7, 8])",)


@pytest.mark.parametrize("call", ["f(x)", "f()", "f(", "1 + 1", "f(1); g(2)", "", "x = f([1, 2])"])
def test_calls_without_literal_arguments_tell_nothing(call: str) -> None:
    code = "def f(x):\n    return [1, 2, 3]"
    assert copied_answers(code, before="", shown=[(call, "[1, 2, 3]")]) == ()


def test_keyword_arguments_and_dicts_are_arguments_too() -> None:
    shown = [("pick(d={'a': 1, 'b': 2}, k='b')", "2")]
    code = "def pick(d, k):\n    if d == {'b': 2, 'a': 1} and k == 'b':\n        return 2"
    assert copied_answers(code, before="", shown=shown) == (shown[0][0],)


@pytest.mark.parametrize("deep", ["x" + ".a" * 900, "+".join("x" * 900), "not " * 500 + "x"])
def test_deep_programs_are_searched_too(deep: str) -> None:
    code = body(f"if {deep} or xs == [1, 2, 3]:", "    return [1, 3, 6]")
    assert copied_answers(code, before=BUGGY, shown=TOTALS) == ("totals([1, 2, 3])",)
