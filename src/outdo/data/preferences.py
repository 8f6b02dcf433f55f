"""Pairs of programs out of repairs: one that is right against one that is known to be wrong.

A bug put into a program leaves its author's style as it was, so that nothing but the bug tells the
two apart; the evidence is what was broken and the first test that shows it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from outdo import literals
from outdo.data.pairs import CORRECTNESS, CodePair, choices
from outdo.data.trial import LIMITS, Runs
from outdo.records import Call, Example, Json, Outcome, Output, Program, from_json


def preferences(
    examples: Sequence[Example], *, seed: int, failures: Mapping[str, Json] | None = None
) -> list[Example]:
    """The repair examples as choices between the program and its repair, in their order.

    Of each split and source the better program stands first in half the examples. `failures` has
    for the id of an example the test that its program fails. Examples that hold no repair, or one
    that is the program itself, are left out.
    """
    return choices(pairs_of(examples, failures=failures), seed=seed)


def pairs_of(
    examples: Sequence[Example], *, failures: Mapping[str, Json] | None = None
) -> list[CodePair]:
    """The repair examples as pairs of the repair and the program, those without one left out."""
    return [
        CodePair(
            id=row.id,
            group=row.group,
            problem=str(row.given["problem"]),
            source=row.source,
            split=row.split,
            criterion=CORRECTNESS,
            statement=str(row.given["statement"]),
            preamble=str(row.given.get("preamble") or ""),
            better=str(row.wanted["repair"]),
            worse=str(row.given["program"]),
            evidence={"slip": row.wanted.get("slip"), "test": (failures or {}).get(row.id)},
        )
        for row in examples
        if row.wanted.get("repair") not in (None, str(row.given["program"]))
    ]


# ------------------------------------------------------------------ which test tells them apart


def first_failures(examples: Sequence[Example], *, sandbox: Runs) -> dict[str, Json]:
    """For each example's id the first test that its program fails, and what came instead.

    A test is `{call, stdin, expected, gave, error}`. An example that a `check` or a suite tests as
    a whole has none, nor has one whose program passes.
    """
    asked = [row for row in examples if not (row.wanted.get("check") or row.wanted.get("suite"))]
    found = {}
    for number, outcome in sandbox.run([_tried(row) for row in asked]):
        row = asked[number]
        if failure := _failure(row.wanted["tests"], outcome):
            found[row.id] = failure
    return found


def _tried(example: Example) -> Program:
    tests = example.wanted["tests"]
    calls = tuple(
        from_json(Call, {"code": test["call"], "how": test["how"], "stdin": test["stdin"]})
        for test in tests
    )
    preamble = example.given.get("preamble") or ""
    return Program.tested(
        str(example.given["program"]), preamble=preamble, calls=calls, limits=LIMITS
    )


def _failure(tests: Sequence[Mapping[str, Json]], outcome: Outcome) -> Json:
    """The first test whose output isn't the expected one; a program cut off owes the rest."""
    outputs = [*outcome.outputs, *[Output()] * (len(tests) - len(outcome.outputs))]
    for test, output in zip(tests, outputs, strict=True):
        if not literals.agrees(output.text, test["expected"], how=test["how"]):
            told = {name: test[name] for name in ("call", "stdin", "expected")}
            return {**told, "gave": output.text, "error": output.error}
    return None
