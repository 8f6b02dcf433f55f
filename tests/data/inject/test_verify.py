from __future__ import annotations

import ast
import random
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace

import pytest

from outdo.data.inject import OPERATORS, inject
from outdo.data.problems import Problem, Test, embedded_problems
from outdo.errors import DataError
from outdo.records import Example, Limits, Outcome, Program
from outdo.sandbox import Sandbox


class Shuffled:
    """The sandbox, answering in another order than it was asked."""

    def __init__(self, sandbox: Sandbox, seed: int) -> None:
        self.sandbox, self.seed = sandbox, seed

    def run(self, programs: Iterable[Program]) -> Iterator[tuple[int, Outcome]]:
        outcomes = list(self.sandbox.run(list(programs)))
        random.Random(self.seed).shuffle(outcomes)
        return iter(outcomes)


@pytest.fixture(scope="module")
def problems() -> tuple[Problem, ...]:
    every = embedded_problems()
    seen = [problem for problem in every if not problem.held_out][:4]
    return (*seen, *[problem for problem in every if problem.held_out][:2])


@pytest.fixture(scope="module")
def examples(problems: tuple[Problem, ...], sandbox: Sandbox) -> tuple[Example, ...]:
    return inject(
        problems, count=60, seed=3, sandbox=sandbox, held_out_per_problem=2, unseen_per_problem=6
    )


def test_the_numbers_are_those_that_were_asked_for(examples: tuple[Example, ...]) -> None:
    assert len(examples) == 60
    groups = Counter((example.group, example.split) for example in examples)
    assert sorted(groups.values()) == [2, 2, 2, 2, 6, 6, 10, 10, 10, 10]
    assert Counter(example.split for example in examples) == {"train": 40, "test": 20}


def test_each_program_fails_and_each_repair_passes(
    examples: tuple[Example, ...], problems: tuple[Problem, ...], sandbox: Sandbox
) -> None:
    by_name = {problem.name: problem for problem in problems}
    owners = [by_name[example.given["problem"]] for example in examples]
    for field, passes in (("program", False), ("repair", True)):
        codes = [(each.given | each.wanted)[field] for each in examples]
        programs = [owner.program(code) for owner, code in zip(owners, codes, strict=True)]
        for index, outcome in sandbox.run(programs):
            assert owners[index].passes(outcome) is passes


def test_no_program_stands_twice_or_is_a_solution(
    examples: tuple[Example, ...], problems: tuple[Problem, ...]
) -> None:
    trees = [ast.dump(ast.parse(example.given["program"])) for example in examples]
    assert len(set(trees)) == len(trees)
    solutions = {ast.dump(ast.parse(code)) for each in problems for code in each.solutions}
    assert not solutions & set(trees)
    assert len({example.id for example in examples}) == len(examples)


def test_what_was_broken_is_kept(examples: tuple[Example, ...]) -> None:
    operators = Counter(example.wanted["slip"]["operator"] for example in examples)
    assert set(operators) <= set(OPERATORS)
    assert len(operators) >= 14
    assert max(operators.values()) <= 8
    for example in examples:
        slip = example.wanted["slip"]
        line = example.given["program"].splitlines()[slip["line"] - 1]
        assert not slip["after"] or slip["after"].splitlines()[0].strip() == line.strip()
        assert slip["before"].strip() in example.wanted["repair"] or "\n" in slip["before"]
        assert example.id.startswith(f"{example.group}/{slip['operator']}/")


def test_an_example_has_the_shape_that_the_task_reads(
    examples: tuple[Example, ...], problems: tuple[Problem, ...]
) -> None:
    problem, example = problems[0], examples[0]
    assert (example.task, example.source) == ("repair", "inject")
    assert list(example.given) == ["problem", "statement", "preamble", "program", "shown"]
    assert example.given["shown"] == example.wanted["tests"][:3]
    assert example.given["statement"] == problem.statement
    assert example.wanted["tests"][0] == {
        "call": problem.tests[0].call,
        "expected": problem.tests[0].expected,
        "how": "value",
        "stdin": "",
    }
    assert example.wanted["entry"] == problem.entry
    assert example.wanted["reference"] == problem.solutions[0]


def test_the_nearest_program_is_one_that_training_saw(examples: tuple[Example, ...]) -> None:
    repairs = {row.wanted["repair"] for row in examples if row.split == "train"}
    seen = {row.group for row in examples if row.split == "train"}
    for row in examples:
        near = row.wanted["nearest"]
        if row.split == "test" and row.group in seen:
            assert near in repairs
        else:
            assert near is None


def test_the_order_of_answers_and_of_workers_changes_nothing(
    examples: tuple[Example, ...], problems: tuple[Problem, ...], sandbox: Sandbox
) -> None:
    again = inject(
        problems,
        count=60,
        seed=3,
        sandbox=Shuffled(sandbox, 1),
        held_out_per_problem=2,
        unseen_per_problem=6,
    )
    assert again == examples


def test_another_seed_gives_other_rows(total: Problem, sandbox: Sandbox) -> None:
    one, other = (
        {row.id for row in inject([total], per_problem=8, seed=seed, sandbox=sandbox)}
        for seed in (1, 2)
    )
    assert len(one) == len(other) == 8
    assert one != other


def test_a_problem_that_allows_few_slips_gives_few(total: Problem, sandbox: Sandbox) -> None:
    small = replace(total, solutions=("def running_total(xs):\n    return []\n",))
    tests = (Test(call="running_total([1])", expected="[]"),)
    poor = replace(small, name="poor", tests=tests)
    rows = inject([poor, total], count=30, seed=1, sandbox=sandbox)
    groups = Counter(row.group for row in rows)
    assert groups["poor"] < 15 < groups["running-total"]
    assert len(rows) == 30


def test_two_slips_are_told_as_one(total: Problem, sandbox: Sandbox) -> None:
    rows = inject([total], per_problem=12, seed=1, sandbox=sandbox, double=1.0)
    assert len(rows) == 12
    assert all(" + " in row.wanted["slip"]["operator"] for row in rows)
    assert len({row.given["program"] for row in rows}) == 12


def test_programs_that_never_end_are_few(total: Problem, sandbox: Sandbox) -> None:
    while_only = replace(total, solutions=total.solutions[1:])
    rows = inject(
        [while_only],
        per_problem=30,
        seed=1,
        sandbox=sandbox,
        limits=Limits(seconds=5, cpu_seconds=0.1),
    )
    programs = [while_only.program(row.given["program"]) for row in rows]
    quick = [replace(each, limits=Limits(seconds=5, cpu_seconds=0.1)) for each in programs]
    cut = [outcome.cut for _, outcome in sandbox.run(quick)]
    assert len(rows) >= 10
    assert cut.count("time") <= 8
    assert set(cut) <= {None, "time"}


def test_a_solution_that_fails_is_refused(total: Problem, sandbox: Sandbox) -> None:
    wrong = replace(total, solutions=(total.solutions[0], "def running_total(n): return n"))
    with pytest.raises(DataError, match="solution 2 of 'running-total' fails its own tests"):
        inject([wrong], per_problem=1, seed=1, sandbox=sandbox)
    with pytest.raises(DataError, match="no solution to break"):
        inject([replace(total, solutions=())], per_problem=1, seed=1, sandbox=sandbox)


def test_what_is_wanted_must_be_said_once(total: Problem, sandbox: Sandbox) -> None:
    with pytest.raises(DataError, match="isn't said"):
        inject([total], seed=1, sandbox=sandbox)
    with pytest.raises(DataError, match="isn't said"):
        inject([total], seed=1, sandbox=sandbox, count=1, per_problem=1)


def test_tests_that_notice_nothing_are_refused(total: Problem, sandbox: Sandbox) -> None:
    blind = replace(total, tests=(Test(call="1", expected="1"),))
    with pytest.raises(DataError, match="no slip makes any of these programs fail"):
        inject([blind], per_problem=1, seed=1, sandbox=sandbox)
