"""Choices between programs and their repairs: who is right, in which order, and what shows it."""

from __future__ import annotations

import dataclasses
import shutil
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest

import outdo
from outdo.cli.sources import examples_of
from outdo.data.inject import inject
from outdo.data.preferences import first_failures, preferences
from outdo.data.problems import read_problem
from outdo.records import Example
from outdo.sandbox import Sandbox
from outdo.study import Injected
from outdo.tasks.prefer import task

HELD_OUT = "balance-point"
EMBEDDED = Path(outdo.__file__).parent / "embedded" / "problems"


@pytest.fixture(scope="module")
def repairs(sandbox: Sandbox) -> Sequence[Example]:
    problem = read_problem(EMBEDDED / "running-total.yaml")
    seen = dataclasses.replace(problem, solutions=problem.solutions[:2])
    unseen = dataclasses.replace(seen, name="unseen", held_out=True)
    return inject(
        [seen, unseen], count=15, held_out_per_problem=4, unseen_per_problem=5, seed=3,
        sandbox=sandbox,
    )  # fmt: skip


def sides(row: Example) -> tuple[str, str]:
    """The better program of a choice, then the worse one."""
    programs = [row.given["first"], row.given["second"]]
    return tuple(programs if row.wanted["choice"] == "first" else programs[::-1])  # type: ignore[return-value]


def test_the_repair_is_the_better_program(repairs: Sequence[Example]) -> None:
    rows = preferences(repairs, seed=1)
    assert len(rows) == 15
    for row, repair in zip(rows, repairs, strict=True):
        assert sides(row) == (repair.wanted["repair"], repair.given["program"])
        assert (row.id, row.task) == (repair.id, "prefer")
        assert (row.group, row.split, row.source) == (repair.group, repair.split, repair.source)
        assert row.given["criterion"] == "correctness"
        assert row.given["statement"] == repair.given["statement"]
        assert row.wanted["evidence"]["slip"] == repair.wanted["slip"]


def test_orders_are_balanced_in_each_part_and_depend_on_the_seed_and_names_alone(
    repairs: Sequence[Example],
) -> None:
    parts = [dataclasses.replace(row, source=row.group) for row in repairs]
    rows = preferences(parts, seed=1)
    for part in {(row.split, row.source) for row in rows}:
        chosen = Counter(row.wanted["choice"] for row in rows if (row.split, row.source) == part)
        assert abs(chosen["first"] - chosen["second"]) <= 1
    assert preferences(parts[::-1], seed=1)[::-1] == rows
    assert preferences(parts, seed=2) != rows


def test_the_evidence_is_the_first_test_that_fails(
    repairs: Sequence[Example], sandbox: Sandbox
) -> None:
    failures = first_failures(repairs, sandbox=sandbox)
    assert set(failures) == {row.id for row in repairs}
    for row in repairs:
        calls = [test["call"] for test in row.wanted["tests"]]
        failed = failures[row.id]
        assert failed["call"] in calls and failed["gave"] != failed["expected"]
    copied = "def running_total(numbers):\n    return [1, 3, 6]"
    known = dataclasses.replace(repairs[0], given={**repairs[0].given, "program": copied})
    (found,) = first_failures([known], sandbox=sandbox).values()
    second = repairs[0].wanted["tests"][1]
    assert found == {
        **{name: second[name] for name in ("call", "stdin", "expected")},
        **{"gave": "[1, 3, 6]", "error": None},
    }


def test_an_exception_and_an_endless_loop_are_told(
    repairs: Sequence[Example], sandbox: Sandbox
) -> None:
    endless = "def running_total(numbers):\n    while True: pass"
    raising = "def running_total(numbers):\n    return numbers[9]"
    rows = [
        dataclasses.replace(repairs[0], id=code, given={**repairs[0].given, "program": code})
        for code in (endless, raising)
    ]
    found = first_failures(rows, sandbox=sandbox)
    assert (found[endless]["gave"], found[endless]["error"]) == (None, "stopped: out of time")
    assert found[raising]["error"].startswith("IndexError")


def test_what_a_check_tests_as_a_whole_has_no_failing_test(
    repairs: Sequence[Example], sandbox: Sandbox
) -> None:
    wanted = {**repairs[0].wanted, "check": "def check(candidate): assert False"}
    assert first_failures([dataclasses.replace(repairs[0], wanted=wanted)], sandbox=sandbox) == {}


def test_an_example_without_a_repair_is_left_out(repairs: Sequence[Example]) -> None:
    without = dataclasses.replace(repairs[0], wanted={**repairs[0].wanted, "repair": None})
    same = {**repairs[1].wanted, "repair": repairs[1].given["program"]}
    rows = preferences([without, dataclasses.replace(repairs[1], wanted=same), repairs[2]], seed=1)
    assert [row.id for row in rows] == [repairs[2].id]


def test_a_study_of_preferences_gets_choices_with_reasons_from_injected_bugs(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    for name in ("running-total", HELD_OUT):
        shutil.copy(EMBEDDED / f"{name}.yaml", tmp_path)
    spec = Injected(source="inject", problems=".", count=9, test_per_problem=2, test_per_held_out=3)
    rows, notes = examples_of(spec, tmp_path, 1, sandbox, task="prefer")
    assert notes == []
    assert Counter((row.split, row.source) for row in rows) == {
        ("train", "problems seen"): 4,
        ("test", "problems seen"): 2,
        ("test", "problems never seen"): 3,
    }
    for row in rows:
        reply = task.conversation(row, variant="reasons").messages[-1].content
        assert task.parse(reply, row).value == row.wanted["choice"]
