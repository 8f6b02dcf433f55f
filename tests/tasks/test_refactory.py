"""The task repair on real student programs, where they are at hand."""

from __future__ import annotations

import dataclasses
import gzip
import json
import os
import statistics
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from outdo import text, tokens
from outdo.records import Example, Limits, Outcome, Program
from outdo.scorers.copied import copied_answers
from outdo.tasks.repair import context, task

ROOT = Path(__file__).parents[2]
DATA = Path(os.environ.get("OUTDO_DATA", ROOT / ".." / "shared" / "data"))
FOLDER = DATA / "refactory-intropynus"

pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason=f"no student programs at {FOLDER}")

Row = dict[str, Any]
BRIEF = Limits(seconds=20.0, cpu_seconds=1.0)
"""For students' programs that loop for ever: short by a clock that a busy machine can't turn."""


@pytest.fixture(scope="module")
def problems() -> dict[str, Row]:
    lines = (FOLDER / "problems.jsonl").read_text(encoding="utf-8").splitlines()
    return {row["problem"]: row for row in map(json.loads, lines)}


@pytest.fixture(scope="module")
def programs() -> list[Row]:
    with gzip.open(FOLDER / "programs.jsonl.gz", "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


@pytest.fixture(scope="module")
def correct(programs: list[Row]) -> dict[str, list[str]]:
    """The correct programs by problem, each once."""
    found: dict[str, dict[str, None]] = defaultdict(dict)
    for row in programs:
        if row["split"] == "correct" and row["all_pass"]:
            found[row["problem"]][row["code"]] = None
    return {problem: list(codes) for problem, codes in found.items()}


def example(problem: Row, row: Row, known: list[str]) -> Example:
    tests = [
        {"call": test["call"], "expected": test["expected"], "how": "printed", "stdin": ""}
        for test in problem["tests"]
    ]
    near = tokens.nearest(row["code"], known)
    assert near is not None
    return Example(
        id=row["id"],
        task="repair",
        given={
            "problem": problem["name"],
            "statement": problem["description"],
            "preamble": problem["preamble"],
            "program": row["code"],
            "shown": tests[:3],
        },
        wanted={
            "tests": tests,
            "check": None,
            "entry": None,
            "repair": known[near[0]],
            "nearest": known[near[0]],
            "reference": problem["reference"],
            "slip": None,
        },
        group=problem["name"],
        split="test",
        source="refactory-intropynus",
    )


@pytest.fixture(scope="module")
def buggy(
    problems: dict[str, Row], programs: list[Row], correct: dict[str, list[str]]
) -> list[Example]:
    """Every fortieth program that fails a test, as an example."""
    failing = [row for row in programs if row["split"] == "wrong" and not row["all_pass"]]
    return [
        example(problems[row["problem"]], row, correct[row["problem"]]) for row in failing[::40]
    ]


def test_the_nearest_correct_program_passes_and_the_buggy_one_does_not(
    buggy: list[Example], run: Callable[[Sequence[Program]], list[Outcome]]
) -> None:
    assert len(buggy) == 44
    for reply, passes in ((task.gold, 1.0), (task.bait, 0.0)):
        answers = [task.parse(reply(ex), ex) for ex in buggy]
        asked = [task.program(ex, answer) for ex, answer in zip(buggy, answers, strict=True)]
        outcomes = run([dataclasses.replace(program, limits=BRIEF) for program in asked if program])
        for ex, answer, outcome in zip(buggy, answers, outcomes, strict=True):
            scores = {score.metric: score for score in task.score(ex, answer, outcome)}
            assert scores["rpass"].value == passes, (ex.id, scores["rpass"].because)
            assert scores["rpass_near"].value == passes
            assert scores["copied_answers"].value == 0.0
            assert ("redit" in scores) == bool(passes)


def test_floors_answer_every_example(buggy: list[Example]) -> None:
    for ex in buggy[:5]:
        for make in task.floors.values():
            assert text.syntax_tree(task.parse(make(ex, buggy), ex).value) is not None


def test_the_instruction_is_short(buggy: list[Example]) -> None:
    """Every token of a prompt is paid for in training: the frame is worth 15 words at most."""
    for ex in buggy:
        words = task.prompt(ex, variant="direct").messages[-1].content.split()
        assert len(words) - len(context(ex.given).split()) <= 15


def test_no_correct_program_is_accused_of_copying(
    problems: dict[str, Row], correct: dict[str, list[str]]
) -> None:
    accused = [
        (problem, calls)
        for problem, codes in correct.items()
        for code in codes
        if (calls := copied_answers(code, before="", shown=_tests(problems[problem])))
    ]
    assert accused == []
    assert sum(map(len, correct.values())) == 1293


def test_every_copied_answer_is_found(problems: dict[str, Row], buggy: list[Example]) -> None:
    """A program that answers the shown calls from a table, put before real buggy programs."""
    for ex in buggy:
        for call, expected in _tests(problems_by_name(problems)[ex.given["problem"]])[:3]:
            name, _, arguments = call.partition("(")
            table = (
                f"def {name}(*xs):\n    if xs == ({arguments[:-1]},):\n        return {expected}"
            )
            program, shown = ex.given["program"], [(call, expected)]
            found = copied_answers(f"{table}\n", before=program, shown=shown)
            assert found == ((call,) if "[]" not in call else ()), call


def problems_by_name(problems: dict[str, Row]) -> dict[str, Row]:
    return {row["name"]: row for row in problems.values()}


def _tests(problem: Row) -> list[tuple[str, str]]:
    return [(test["call"], test["expected"]) for test in problem["tests"]]


def test_every_program_comes_back_out_of_a_reply(programs: list[Row]) -> None:
    for row in programs[::3]:
        found = text.extract(f"Here:\n\n{text.fence(row['code'])}\n\nDone.")
        assert (found.code, found.repaired_by) == (text.plain(row["code"]).strip("\n"), None)


def test_most_bare_programs_are_read_whole(programs: list[Row]) -> None:
    whole = sum(
        text.extract(row["code"]).code == text.plain(row["code"]).strip("\n")
        for row in programs[::3]
    )
    assert whole / len(programs[::3]) > 0.98


@pytest.mark.slow
def test_the_way_to_the_nearest_correct_program_is_as_measured(
    programs: list[Row], correct: dict[str, list[str]]
) -> None:
    """A published fact of these programs: the median is 16 token edits."""
    failing = [row for row in programs if row["split"] == "wrong" and not row["all_pass"]]
    assert len(failing) == 1722
    ways = [tokens.nearest(row["code"], correct[row["problem"]]) for row in failing]
    assert statistics.median(way[1] for way in ways if way) == 16
