"""Right against wrong: injected bugs, what was handed in, and samples of one model."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from outdo.data.problems import Problem
from outdo.data.submissions import Submission
from outdo.data.verified import correct, handed_in, problems_of, sampled, with_programs
from outdo.data.verified.correct import INJECTED, NO_PROGRAM, REPAIR_FAILS, SAME
from outdo.records import Example, Message, Pair, Prompt
from outdo.sandbox import Sandbox

BUGGY = "def running_total(numbers):\n    return numbers\n"
MENDED = "def running_total(numbers):\n    return [sum(numbers[:i + 1]) for i in range(len(numbers))]\n"  # fmt: skip  # noqa: E501


def test_injected_bugs_become_pairs_with_the_test_that_shows_them(
    sandbox: Sandbox, total: Problem
) -> None:
    pairs = correct(
        [replace(total, held_out=True)], count=4, seed=1, sandbox=sandbox, licence="MIT"
    )
    assert len(pairs) == 4 and len({pair.id for pair in pairs}) == 4
    for pair in pairs:
        assert (pair.source, pair.licence, pair.split) == (INJECTED, "MIT", "test")
        assert pair.evidence["slip"]["operator"]
        assert pair.evidence["test"]["expected"] != pair.evidence["test"]["gave"]


def submissions(total: Problem) -> list[Submission]:
    codes = {"right": total.solutions[0], "wrong": BUGGY, "spaced": BUGGY.replace("\n", "\n\n")}
    return [Submission(problem=total.name, id=id, code=code) for id, code in codes.items()]


def test_what_was_handed_in_is_paired_with_the_nearest_that_passes(
    sandbox: Sandbox, total: Problem
) -> None:
    dropped: Counter[str] = Counter()
    pairs = handed_in(
        [total], submissions(total), sandbox=sandbox, test=[total.name], dropped=dropped
    )
    assert [pair.split for pair in pairs] == ["test", "test"]
    assert {pair.group for pair in pairs} == {total.name}
    assert all(pair.evidence["repair"] == "nearest" for pair in pairs)
    assert all(pair.evidence["test"]["call"] for pair in pairs)
    assert not dropped[SAME] and not dropped[REPAIR_FAILS]


def test_a_known_repair_counts_if_it_passes(sandbox: Sandbox, total: Problem) -> None:
    dropped: Counter[str] = Counter()
    pairs = handed_in(
        [total],
        submissions(total),
        sandbox=sandbox,
        repairs={"wrong": MENDED, "spaced": BUGGY + "\n# no better\n"},
        dropped=dropped,
    )
    assert dropped[REPAIR_FAILS] == 1
    assert sorted("sum(numbers" in pair.better for pair in pairs) == [False, True]


def test_samples_of_a_model_become_pairs_of_programs() -> None:
    example = Example(
        id="e",
        task="repair",
        given={"problem": "p", "statement": "Say one.", "preamble": "x = 1"},
        wanted={},
        group="p",
        split="train",
        source="s",
    )
    prompt = Prompt(messages=(Message(role="user", content="?"),))
    evidence = {"example": "e", "chosen": {"by": "model"}, "rejected": {"by": "model"}}
    pair = Pair(
        id="repair/e/0",
        group="p",
        source="s",
        prompt=prompt,
        chosen="```python\ndef f():\n    return 1\n```",
        rejected="```python\ndef f():\n    return 2\n```",
        criterion="passes",
        evidence=evidence,
    )
    empty = replace(pair, id="repair/e/1", rejected="I can't.")
    lost = replace(pair, id="repair/e/2", evidence={})
    dropped: Counter[str] = Counter()
    (found,) = sampled([pair, empty, lost], [example], dropped=dropped)
    assert dropped == {NO_PROGRAM: 2}
    assert (found.better, found.worse) == ("def f():\n    return 1", "def f():\n    return 2")
    assert (found.preamble, found.problem, found.statement) == ("x = 1", "p", "Say one.")


def test_examples_of_write_are_problems_with_one_solution() -> None:
    test = {"call": "f(1)", "expected": "1", "how": "value", "stdin": ""}
    wanted = {"tests": [test], "entry": "f", "reference": "def f(x):\n    return x"}
    whole = Example(
        id="set/1",
        task="write",
        given={"instruction": "Return it."},
        wanted=wanted,
        group="g",
        split="test",
        source="s",
    )
    (problem,) = problems_of([whole, replace(whole, wanted={**wanted, "tests": []})])
    assert (problem.name, problem.entry, problem.held_out) == ("set-1", "f", True)
    assert problem.tests[0].call == "f(1)"


def test_programs_that_pass_become_solutions(sandbox: Sandbox, total: Problem) -> None:
    (known,) = with_programs([total], submissions(total), most=3, sandbox=sandbox)
    assert known.solutions == (total.solutions[0],)
