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
from outdo.data.pairs import CodePair, choices
from outdo.data.preferences import first_failures, preferences, programs_apart, shared
from outdo.data.problems import read_problem
from outdo.records import Example, Split
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
        assert (row.group, row.source) == (repair.group, repair.source)
        assert row.given["criterion"] == "correctness"
        assert row.given["statement"] == repair.given["statement"]
        assert row.wanted["evidence"]["slip"] == repair.wanted["slip"]


def of_programs(*counts: int, test: int, split: Split = "train") -> list[CodePair]:
    """So many pairs of each right program, of which the first are to test with."""
    pairs = [
        CodePair(
            id=f"{better}.{worse}",
            group="sum",
            problem="sum",
            source="made",
            criterion="correctness",
            statement="Add.",
            better=f"x = {better}",
            worse=f"y = {worse}",
            split=split,
        )
        for better, count in enumerate(counts)
        for worse in range(count)
    ]
    return [dataclasses.replace(one, split="test") for one in pairs[:test]] + pairs[test:]


def test_no_right_program_is_shown_in_training_and_in_the_test() -> None:
    for seed in range(9):
        dropped: Counter[str] = Counter()
        kept = programs_apart(of_programs(4, 4, 4, 4, test=3), seed=seed, dropped=dropped)
        right = {
            split: {one.better for one in kept if one.split == split} for split in ("train", "test")
        }
        assert not right["train"] & right["test"]
        assert Counter(one.split for one in kept) == {"train": 12, "test": 3}
        assert sum(dropped.values()) == 1, "the fourth of the program that is kept for the test"
    assert kept == programs_apart(of_programs(4, 4, 4, 4, test=3)[::-1], seed=8)[::-1]


def test_at_most_half_of_the_right_programs_are_kept_for_the_test() -> None:
    kept = programs_apart(of_programs(1, 1, 1, test=2), seed=1)
    assert Counter(one.split for one in kept) == {"train": 2, "test": 1}


def test_a_problem_with_one_right_program_stays_and_is_told_of() -> None:
    alone, apart = of_programs(4, test=2), of_programs(1, 1, test=1)
    assert programs_apart(alone, seed=1) == alone
    assert shared(choices(alone, seed=1)) == 2
    assert shared(choices(programs_apart(apart, seed=1), seed=1)) == 0


def test_problems_on_one_side_stay_there() -> None:
    pairs = of_programs(2, 2, test=4)
    assert programs_apart(pairs, seed=1) == pairs


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
