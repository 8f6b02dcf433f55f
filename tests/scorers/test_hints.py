"""Rules on hints: what is at fault, what points at it, and what gives the fix away."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outdo.scorers import hints

BEFORE = """\
def total(n):
    s = 0
    for i in range(n):
        s += i
    return s
"""
AFTER = BEFORE.replace("range(n)", "range(n + 1)")


def told(hint: str, *, before: str = BEFORE, after: str | None = AFTER) -> hints.Marks:
    return hints.marks(hint, before=before, after=after)


@pytest.mark.parametrize(
    "hint",
    [
        "Look again at line 3: how often is it run?",
        "Write down which numbers the range gives for a small n.",
        "The loop ends too early, I think.",
        "Think about `range(n)` once more.",
        "Something in lines 3 to 3 isn't what you want.",
    ],
)
def test_a_hint_that_points_at_the_fault_and_conceals_the_fix_is_good(hint: str) -> None:
    found = told(hint)
    assert found.good is True, found.because
    assert not any(found.because.values())


@pytest.mark.parametrize(
    ("hint", "why"),
    [
        ("Line 3 should be: for i in range(n + 1)", "the mended line"),
        ("Change line 3 so that it uses n+1 in place of n.", "which mends the line"),
        ("In line 3 you want `n + 1` and nothing else.", "which mends the line"),
        ("Line 3 is wrong.\n```python\nfor i in range(2 * n):\n    s += i\n```", "holds code"),
        ("Line 3 is wrong. Try this:\n\nprint(total(3))", "holds code"),
        ("In line 3 write  for i in range (\tn  +  1 )  please", "mended"),
    ],
)
def test_a_hint_with_the_fix_or_other_code_gives_it_away(hint: str, why: str) -> None:
    found = told(hint)
    assert found.conceals is False and found.good is False
    assert why in found.because["conceals"]


def test_the_learners_own_lines_may_be_quoted() -> None:
    assert told("Read this line again:\n```\nfor i in range(n):\n```\nIs the range right?").conceals


def test_a_line_that_is_not_at_fault_makes_a_hint_wrong() -> None:
    found = told("Look at line 2 and at line 3 of the loop.")
    assert found.correct is False
    assert found.because["correct"] == "line 2 is not at fault"


def test_a_hint_that_names_nothing_can_not_be_checked_and_informs_nobody() -> None:
    found = told("Something is not quite right in there.")
    assert (found.correct, found.informative, found.good) == (None, False, False)


def test_whoever_names_every_construct_points_at_none() -> None:
    found = told("Check your loop, your condition, your return and the index.")
    assert found.informative is False
    assert "4 kinds of code at once" in found.because["informative"]
    assert told("Check your loop and your condition.").informative


def test_without_a_repair_only_the_form_is_told() -> None:
    found = told("Look again at line 3, please.", after=None)
    assert (found.correct, found.informative, found.conceals) == (None, None, None)
    assert found.comprehensible and found.good is None
    assert told("No.", after=None).good is False


@pytest.mark.parametrize(
    ("hint", "why"),
    [
        ("Loop.", "1 words"),
        ("loop " * 81, "81 words"),
        ("Line 3. Look there. Look there. Look there.", "says 3 times: look there"),
        ("3 + 4 == 7 <= 8 :: 9 -> 10 ;; 11 {{ }}", "letters"),
    ],
)
def test_hints_that_nobody_can_read_are_told(hint: str, why: str) -> None:
    found = told(hint)
    assert found.comprehensible is False
    assert why in found.because["comprehensible"]


@pytest.mark.parametrize(
    ("before", "after", "lines", "construct"),
    [
        ("a = 1\nb = 2\nprint(b)\n", "a = 1\nprint(b)\n", (2, 2), "update"),
        ("a = 1\nprint(b)\n", "a = 1\nb = 2\nprint(b)\n", (1, 2), "start"),
        ("if a < b:\n    c()\n", "if a <= b:\n    c()\n", (1, 1), "condition"),
        ("x = y[i]\n", "x = y[i - 1]\n", (1, 1), "index"),
        ("return x / y\n", "return x // y\n", (1, 1), "arithmetic"),
        ("for a in b:\n    c()\nd()\n", "for a in b:\n    c()\n    d()\n", (3, 3), "indent"),
        ("f(total)\n", "f(count)\n", (1, 1), "name"),
        ("for a in b\n    c()\n", "for a in b:\n    c()\n", (1, 1), "sign"),
    ],
)
def test_a_fault_knows_its_lines_and_its_construct(
    before: str, after: str, lines: tuple[int, int], construct: str
) -> None:
    (fault,) = hints.faults(before=before, after=after)
    assert (fault.first, fault.last) == lines
    assert construct in hints.constructs_of(fault)


def test_layout_and_comments_are_no_fault() -> None:
    other = BEFORE.replace("s = 0", "s = 0  # the sum").replace("s += i", "s += i   ")
    assert hints.faults(before=BEFORE, after=f"\n{other}\n\n") == ()
    assert told("Look again at line 3, please.", after=other).informative is None


def test_a_change_to_an_operator_is_given_away_by_naming_it() -> None:
    before, after = "if a < b:\n    c()\n", "if a <= b:\n    c()\n"
    assert not told("In line 1, use <= and it works.", before=before, after=after).conceals
    assert told("In line 1, is `<` what you want?", before=before, after=after).conceals
    two = "if a == b:\n    c()\nif a <= d:\n    c()\n"
    kept = told("Compare line 1 with a <= d below.", before=two, after=two.replace("==", "!="))
    assert kept.conceals, "what the program holds already gives nothing away"


def test_lines_are_read_alone_in_lists_and_in_ranges() -> None:
    assert hints.lines_named("Lines 3 to 5, line 9; lines 11, 12 and 14") == {
        3,
        4,
        5,
        9,
        11,
        12,
        14,
    }
    assert hints.lines_named("a straight line; 7 lines; online 4") == set()
    assert len(hints.lines_named("lines 1 to 9999")) <= 1001


ODD = ["", " \n", "\x00", "\ud800", "print 'a'\n", "\tif x:\n", "(" * 200, "x = 1\n" * 3000]


@pytest.mark.parametrize("before", ODD)
@pytest.mark.parametrize("after", ODD)
def test_odd_programs_never_stop_it(before: str, after: str) -> None:
    found = told("Look again at line 1, please.", before=before, after=after)
    assert found.good in (True, False, None)
    assert told("", before=before, after=after).comprehensible is False


@given(st.text(max_size=200))
def test_odd_hints_never_stop_it(hint: str) -> None:
    assert told(hint).comprehensible in (True, False)
