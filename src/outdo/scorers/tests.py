"""Which tests a program passed, told from what its calls gave.

The expected values never travel with the program: they are compared here. A program that fails
scores 0; a sandbox that fails scores nothing, for then nobody knows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from outdo import literals
from outdo.records import Call, Json, Outcome, Output, from_json

SHOWN = 120
"""Characters of a value that a reason quotes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """One test: a use of the program, and what that should give."""

    call: Call
    gives: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Grade:
    """Pass or fail of each test, None if it could not be told, and the first reason."""

    passes: tuple[bool, ...] | None
    because: str = ""

    @property
    def passed(self) -> bool | None:
        """Whether all tests passed; None if it could not be told."""
        return None if self.passes is None else all(self.passes)

    @property
    def share(self) -> float | None:
        """The share of the tests that passed; None if it could not be told."""
        return None if self.passes is None else sum(self.passes) / len(self.passes)


def expected(test: Mapping[str, Json]) -> Expected:
    """The test that an example holds as `{call, expected, how, stdin}`.

    Raises ValueError if a field is of another shape.
    """
    use = {name: test[name] for name in ("how", "stdin") if name in test}
    call = from_json(Call, {"code": test.get("call", ""), **use})
    return Expected(call=call, gives=test["expected"])


def grade(
    tests: Sequence[Expected],
    outcome: Outcome | None,
    *,
    tolerance: float = literals.TOLERANCE,
) -> Grade:
    """The grade of a program whose outputs belong to `tests`, in order.

    `outcome` None means that the sandbox failed. Raises ValueError if there are no tests.
    """
    if not tests:
        raise ValueError("a program can't be graded without tests")
    if outcome is None:
        return Grade(passes=None, because="the sandbox failed")
    # A program that was cut off has no outputs for the calls that were still to come.
    owed = len(tests) - len(outcome.outputs)
    outputs = [*outcome.outputs, *[Output()] * owed]
    passes = [
        literals.agrees(output.text, test.gives, how=test.call.how, tolerance=tolerance)
        for test, output in zip(tests, outputs, strict=True)
    ]
    if all(passes):
        return Grade(passes=tuple(passes))
    first = passes.index(False)
    return Grade(passes=tuple(passes), because=_reason(tests[first], outputs[first], outcome))


def grade_whole(outcome: Outcome | None) -> Grade:
    """The grade of a program that a `check` or a suite tested as a whole: one pass or fail."""
    if outcome is None:
        return Grade(passes=None, because="the sandbox failed")
    output = outcome.outputs[0] if outcome.outputs else Output()
    if output.text == "passed":
        return Grade(passes=(True,))
    because = output.error or (f"cut off: {outcome.cut}" if outcome.cut else "nothing came back")
    return Grade(passes=(False,), because=_short(because))


def _reason(test: Expected, output: Output, outcome: Outcome) -> str:
    call = _short(test.call.code or f"input {test.call.stdin!r}")
    if output.error is not None:
        return f"{call} raised {_short(output.error)}"
    if output.text is None:
        return f"{call} gave nothing" + (f" (cut off: {outcome.cut})" if outcome.cut else "")
    return f"{call} gave {_short(output.text.strip())}, not {_short(test.gives.strip())}"


def _short(text: str) -> str:
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 1]}…"
