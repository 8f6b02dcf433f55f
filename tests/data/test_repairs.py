from __future__ import annotations

import json
import statistics
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from outdo import tokens
from outdo.data.examples import syntax_name
from outdo.data.load import SAME_AGAIN
from outdo.data.problems import Problem
from outdo.data.repairs import Repairs, real_pairs, student_repairs, written
from outdo.data.rows import Mistakes
from outdo.data.submissions import (
    FAILS_THOUGH_CORRECT,
    OTHER_KIND,
    PASSES_THOUGH_BUGGY,
    SEEN_OTHERWISE,
    Submission,
    read_problem_set,
    read_submissions,
    sort_out,
)
from outdo.errors import DataError
from outdo.sandbox import Sandbox

PROBLEM_COLUMNS = {
    "problem": "problem",
    "title": "name",
    "statement": "description",
    "preamble": "preamble",
    "reference": "reference",
    "tests": "tests",
}
PROGRAM_COLUMNS = {
    "problem": "problem",
    "id": "id",
    "program": "code",
    "kind": "split",
    "passed": "all_pass",
}


@pytest.fixture(scope="module")
def problems(refactory: Path) -> tuple[Problem, ...]:
    return read_problem_set(refactory / "problems.jsonl", columns=PROBLEM_COLUMNS, how="printed")


@pytest.fixture(scope="module")
def programs(refactory: Path) -> tuple[Submission, ...]:
    mistakes = Mistakes()
    found = read_submissions(
        refactory / "programs.jsonl.gz",
        columns=PROGRAM_COLUMNS,
        correct=["correct"],
        buggy=["wrong"],
        mistakes=mistakes,
    )
    assert mistakes.counts == {OTHER_KIND: 163}
    return found


@pytest.fixture(scope="module")
def repairs(problems: tuple[Problem, ...], programs: tuple[Submission, ...]) -> Repairs:
    return student_repairs(problems=problems, programs=programs, seed=0)


def test_the_real_programs_come_out_in_their_known_numbers(
    problems: tuple[Problem, ...], programs: tuple[Submission, ...]
) -> None:
    assert len(problems) == 5
    assert [len(problem.tests) for problem in problems] == [11, 17, 6, 6, 5]
    assert {test.how for problem in problems for test in problem.tests} == {"printed"}
    done = sort_out(programs, problems, sandbox=None)
    assert (len(done.buggy), len(done.correct)) == (1722, 2431)
    assert done.dropped == {PASSES_THOUGH_BUGGY: 61, FAILS_THOUGH_CORRECT: 11}
    assert len({syntax_name(each.code) for each in done.buggy}) == 1445


@pytest.mark.slow
def test_running_them_tells_the_same(
    problems: tuple[Problem, ...], programs: tuple[Submission, ...], sandbox: Sandbox
) -> None:
    assert sort_out(programs, problems, sandbox=sandbox) == sort_out(
        programs, problems, sandbox=None
    )


def test_running_a_few_of_them_tells_the_same(
    problems: tuple[Problem, ...], programs: tuple[Submission, ...], sandbox: Sandbox
) -> None:
    few = programs[::97]
    assert {each.problem for each in few} == {problem.name for problem in problems}
    assert sort_out(few, problems, sandbox=sandbox) == sort_out(few, problems, sandbox=None)


def test_25_of_each_problem_are_held_out(repairs: Repairs) -> None:
    tested = [row for row in repairs.examples if row.split == "test"]
    assert Counter(row.group for row in tested) == {f"question_{n}": 25 for n in range(1, 6)}
    trees = {row.split: set() for row in repairs.examples}  # type: dict[str, set[str]]
    for row in repairs.examples:
        trees[row.split].add(syntax_name(row.given["program"]))
    assert not trees["train"] & trees["test"]
    assert len(trees["train"] | trees["test"]) == 1445
    assert len(trees["test"]) == 125


def test_each_program_has_the_nearest_correct_one(
    repairs: Repairs, programs: tuple[Submission, ...]
) -> None:
    rows = repairs.examples
    distances = [tokens.distance(row.given["program"], row.wanted["repair"]) for row in rows]
    assert statistics.median(distances) == 16
    right = [each for each in programs if each.claim == "correct" and each.passed]
    for row in rows[::400]:
        pool = {written(each.code) for each in right if each.problem == row.given["problem"]}
        best = min(tokens.distance(row.given["program"], code) for code in pool)
        assert tokens.distance(row.given["program"], row.wanted["repair"]) == best
        assert row.wanted["nearest"] == row.wanted["repair"]
        assert row.wanted["repair"] in pool


def handed_in(total: Problem) -> list[Submission]:
    good = [
        Submission(problem=total.name, id=f"good-{n}", code=code, group=f"s{n}")
        for n, code in enumerate(total.solutions)
    ]
    bad = [
        Submission(problem=total.name, id=f"bad-{n}", code=code, group=f"t{n}")
        for n, code in enumerate(
            (
                total.solutions[0].replace("+=", "="),
                total.solutions[1].replace("i + 1]", "i]"),
                "def running_total(numbers) return  # nothing yet",
                total.solutions[0].replace("total += number", "total += number * 1.5  # why?"),
            )
        )
    ]
    return good + bad


def test_a_class_without_claims_is_sorted_by_running(total: Problem, sandbox: Sandbox) -> None:
    done = student_repairs(
        problems=[total],
        programs=handed_in(total),
        seed=0,
        sandbox=sandbox,
        held_out_per_problem=1,
        injected=10,
    )
    real = [row for row in done.examples if row.source == "submissions"]
    broken = [row for row in done.examples if row.source == "inject"]
    assert sorted(row.group for row in real) == ["t0", "t1", "t2", "t3"]
    assert Counter(row.split for row in real) == {"train": 3, "test": 1}
    assert len(broken) == 10
    assert {row.split for row in broken} == {"train"}
    tested = [row.given["program"] for row in real if row.split == "test"]
    assert not set(tested) & {row.given["program"] for row in broken}
    by_group = {row.group: row for row in real}
    assert by_group["t2"].given["program"].endswith("# nothing yet")
    assert "#" not in by_group["t3"].given["program"]
    assert "+= number\n" in by_group["t0"].wanted["repair"]


def test_layout_is_kept_when_asked(total: Problem, sandbox: Sandbox) -> None:
    done = real_pairs([total], handed_in(total), sandbox=sandbox, normalise=False)
    assert {row.given["program"] for row in done.examples} == {
        each.code for each in handed_in(total)[2:]
    }
    assert set(done.correct[total.name]) == set(total.solutions)


def test_a_problem_that_nobody_got_right_gives_its_reference(
    total: Problem, sandbox: Sandbox
) -> None:
    done = real_pairs([total], handed_in(total)[2:], sandbox=sandbox)
    assert {row.wanted["repair"] for row in done.examples} <= set(total.solutions)
    alone = replace(total, solutions=())
    done = real_pairs([alone], handed_in(total)[2:], sandbox=sandbox)
    assert {row.wanted["repair"] for row in done.examples} == {None}


def test_where_source_and_sandbox_disagree_nobody_is_believed(
    total: Problem, sandbox: Sandbox
) -> None:
    good, _, bad, *_ = handed_in(total)
    programs = [
        replace(good, passed=False),
        replace(good, id="2", passed=False, claim="correct"),
        replace(bad, id="3", passed=True, claim="buggy"),
        replace(bad, id="4", passed=True),
        replace(good, id="5", passed=True, claim="correct"),
        replace(bad, id="6", passed=False, claim="buggy"),
    ]
    done = sort_out(programs, [total], sandbox=sandbox)
    assert [each.id for each in done.correct + done.buggy] == ["5", "6"]
    assert done.dropped == {SEEN_OTHERWISE: 2, FAILS_THOUGH_CORRECT: 1, PASSES_THOUGH_BUGGY: 1}


def test_what_cannot_be_told_is_refused(total: Problem, sandbox: Sandbox) -> None:
    programs = handed_in(total)
    with pytest.raises(DataError, match="whether running-total/good-0 passes isn't known"):
        sort_out(programs, [total], sandbox=None)
    with pytest.raises(DataError, match="for the problem 'other', which isn't there"):
        sort_out([replace(programs[0], problem="other")], [total], sandbox=sandbox)
    with pytest.raises(DataError, match="no program fails a test"):
        student_repairs(problems=[total], programs=programs[:2], seed=0, sandbox=sandbox)


def test_a_program_row_that_cannot_be_used_is_told(tmp_path: Path) -> None:
    path = tmp_path / "programs.jsonl"
    rows = [{"problem": "p", "id": 1, "program": "x"}, {"problem": "p", "id": 1, "program": "y"}]
    path.write_text("\n".join(map(json.dumps, rows)), "utf-8")
    with pytest.raises(DataError, match="the id 'p/1' stood before"):
        read_submissions(path)
    same = [{"problem": "p", "group": group, "program": "x"} for group in (1, 2, 1)]
    path.write_text("\n".join(map(json.dumps, same)), "utf-8")
    mistakes = Mistakes()
    assert {each.group for each in read_submissions(path, mistakes=mistakes)} == {"1", "2"}
    assert mistakes.counts == {SAME_AGAIN: 1}
    path.write_text(json.dumps({"program": "x"}), "utf-8")
    with pytest.raises(DataError, match="the row names no problem"):
        read_submissions(path)
    path.write_text(json.dumps({"problem": "p", "program": "x", "passed": "yes"}), "utf-8")
    with pytest.raises(DataError, match="passed must be true, false or null"):
        read_submissions(path)


def test_problems_come_from_yaml_too(tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_text("name: p\ntests: [{call: '1', expected: 1}]\n", "utf-8")
    assert read_problem_set(tmp_path) == read_problem_set(tmp_path / "p.yaml")
    (tmp_path / "p.jsonl").write_text(
        json.dumps({"problem": "p", "tests": [{"call": "1", "expected": 1}]}), "utf-8"
    )
    assert read_problem_set(tmp_path / "p.jsonl") == read_problem_set(tmp_path / "p.yaml")
