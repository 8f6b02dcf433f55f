"""A grade says which tests passed, why not, and «could not tell» where nobody knows."""

from __future__ import annotations

import pytest

from outdo.records import Call, Outcome, Output
from outdo.scorers.tests import Expected, Grade, expected, grade, grade_whole

TESTS = [
    expected({"call": "f(1)", "expected": "2"}),
    expected({"call": "f(2)", "expected": "[4]", "how": "value", "stdin": ""}),
    expected({"call": "f(3)", "expected": "six", "how": "printed"}),
]


def outcome(*texts: str | None, cut: str | None = None) -> Outcome:
    return Outcome(outputs=tuple(Output(text=text) for text in texts), cut=cut)  # type: ignore[arg-type]


def test_a_test_is_read_with_its_defaults() -> None:
    assert TESTS[0] == Expected(call=Call(code="f(1)", how="value", stdin=""), gives="2")
    assert expected({"how": "script", "stdin": "3\n", "expected": "6"}) == Expected(
        call=Call(code="", how="script", stdin="3\n"), gives="6"
    )
    with pytest.raises(ValueError, match="'guess' is none of 'value', 'printed'"):
        expected({"call": "f(1)", "expected": "2", "how": "guess"})


def test_a_program_that_gives_all_answers_passes() -> None:
    found = grade(TESTS, outcome("2.0", " [4]", "six\n"))
    assert found == Grade(passes=(True, True, True), because="")
    assert found.passed is True
    assert found.share == 1.0


def test_the_first_failure_is_the_reason() -> None:
    found = grade(TESTS, outcome("2", "(4,)", "seven"))
    assert found == Grade(passes=(True, False, False), because="f(2) gave (4,), not [4]")
    assert found.passed is False
    assert found.share == pytest.approx(1 / 3)


def test_an_exception_fails_its_test() -> None:
    raised = Outcome(outputs=(Output(error="ZeroDivisionError: no"), Output(text="[4]")))
    found = grade(TESTS[:2], raised)
    assert found == Grade(passes=(False, True), because="f(1) raised ZeroDivisionError: no")


def test_calls_that_were_never_made_fail() -> None:
    found = grade(TESTS, outcome("2", cut="time"))
    assert found == Grade(passes=(True, False, False), because="f(2) gave nothing (cut off: time)")
    assert grade(TESTS, outcome("2", None, "six")).because == "f(2) gave nothing"


def test_a_sandbox_that_failed_says_nothing_of_the_program() -> None:
    found = grade(TESTS, None)
    assert found == Grade(passes=None, because="the sandbox failed")
    assert found.passed is None
    assert found.share is None
    assert grade_whole(None) == Grade(passes=None, because="the sandbox failed")


def test_a_tolerance_is_handed_on() -> None:
    assert grade(TESTS[:1], outcome("2.1"), tolerance=0.1).passed is True
    assert grade(TESTS[:1], outcome("2.1")).passed is False


def test_a_reason_is_short_and_names_the_input_of_a_script() -> None:
    script = expected({"how": "script", "stdin": "3\n", "expected": "6"})
    assert grade([script], outcome("7 \n")).because == "input '3\\n' gave 7, not 6"
    long = grade(TESTS[:1], outcome("x" * 121)).because
    assert long == f"f(1) gave {'x' * 119}…, not 2"
    assert grade(TESTS[:1], outcome("x" * 120)).because == f"f(1) gave {'x' * 120}, not 2"


def test_more_outputs_than_tests_or_no_tests_are_a_defect() -> None:
    with pytest.raises(ValueError):
        grade(TESTS[:1], outcome("2", "3"))
    with pytest.raises(ValueError, match="can't be graded without tests"):
        grade([], outcome())


def test_a_program_tested_as_a_whole_passes_or_fails() -> None:
    assert grade_whole(outcome("passed")) == Grade(passes=(True,), because="")
    assert grade_whole(outcome("Passed")) == Grade(passes=(False,), because="nothing came back")
    assert grade_whole(outcome(cut="memory")).because == "cut off: memory"
    error = Outcome(outputs=(Output(error="AssertionError: 3 != 4"),), cut="time")
    assert grade_whole(error) == Grade(passes=(False,), because="AssertionError: 3 != 4")
    assert grade_whole(outcome()).because == "nothing came back"
