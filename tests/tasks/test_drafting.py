"""Drafts whose critique is known: what it says, whom it is for, and what running it is worth."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from outdo import replies
from outdo.records import Example, Outcome, Output
from outdo.tasks import critique, drafting, write

RIGHT = "def f(x):\n    return x + 1\n"
OTHER = "def f(x):\n    return 1 + x\n"
WRONG = "def f(x):\n    return x - 1\n"
SLIP = {"line": 2, "before": "    return x + 1", "after": "    return x - 1"}
FAILED = {"call": "f(1)", "stdin": "", "expected": "2", "gave": "0", "error": None}
TESTS = [{"call": f"f({x})", "expected": str(x + 1), "how": "value", "stdin": ""} for x in (1, 2)]


def repair(id: str, program: str = WRONG, **changed: Any) -> Example:
    wanted = {"tests": TESTS, "check": None, "suite": None, "entry": "f", "repair": RIGHT}
    given = {"problem": "one-more", "statement": "Add one.\n", "preamble": "import math"}
    made = Example(
        id=id,
        task="repair",
        given={**given, "program": program, "shown": TESTS[:1]},
        wanted={**wanted, "slip": SLIP, **changed.pop("wanted", {})},
        group="one-more",
        split="train",
        source="inject",
    )
    return replace(made, **changed)


def drafts(*repairs: Example, failures: Any = None) -> list[Example]:
    return drafting.drafts(repairs, failures={"a": FAILED} if failures is None else failures)


def test_a_bug_is_told_by_the_slip_and_a_failing_test() -> None:
    wrong, right = drafts(repair("a"))
    assert wrong.given["draft"] == WRONG and right.given["draft"] == RIGHT
    assert wrong.wanted["reply"] == {
        "reflection": "Line 2 reads `return x - 1` where it should read `return x + 1`.\n"
        "For `f(1)`, it gives `0`; right is `2`.",
        "good_enough": False,
        "criterion": "correctness",
        "revision": RIGHT.strip(),
        "feedback": "Now `f(1)` gives `2`.",
    }
    assert right.wanted["reply"] == {
        "reflection": "For `f(1)`, it gives `2`, which is right.",
        "good_enough": True,
    }
    assert {one.task for one in (wrong, right)} == {"critique"} and wrong.id != right.id


def test_where_nobody_knows_the_slip_the_lines_are_compared() -> None:
    wrong, _ = drafts(repair("a", wanted={"slip": None}), failures={})
    assert wrong.wanted["reply"]["reflection"] == (
        "Line 2 should not read `return x - 1` but `return x + 1`."
    )
    assert wrong.wanted["reply"]["feedback"] == "Now it passes its tests."


def test_a_repair_is_one_draft_for_training_where_training_sees_its_problem() -> None:
    one, two = repair("a"), repair("b", "def f(x):\n    return x\n", split="test")
    third = repair("c", wanted={"repair": OTHER}, split="test")
    found = drafts(one, two, third)
    told = [(row.split, row.wanted["reply"]["good_enough"]) for row in found]
    assert told == [
        *(("train", False), ("test", False), ("test", False), ("train", True), ("train", True))
    ]
    unseen = drafts(two, third)
    assert {row.split for row in unseen} == {"test"} and len(unseen) == 4
    assert [row.split for row in drafting.instructions([one, two, third])] == ["train", "train"]
    assert [row.split for row in drafting.instructions([two, third])] == ["test", "test"]


def test_what_is_no_repair_is_no_draft() -> None:
    none, same = repair("a", wanted={"repair": None}), repair("b", RIGHT)
    assert [row.wanted["reply"]["good_enough"] for row in drafts(none, same)] == [True]
    assert drafting.instructions([none]) == []


def test_an_instruction_asks_for_what_the_critic_will_read() -> None:
    (asked,) = drafting.instructions([repair("a")])
    wrong, _ = drafts(repair("a"))
    assert wrong.given["statement"] == write.statement(asked)
    assert wrong.given["statement"].startswith("Add one.")
    assert "f(1) -> 2" in wrong.given["statement"]
    said = write.task.prompt(asked, variant="direct").messages[1].content
    assert said.endswith(write.ASK) and "import math" in said
    brief = write.task.prompt(asked, variant="brief").messages[1].content
    assert said.replace(f"\n\n{write.ASK}", "") == brief
    program = write.task.program(asked, write.task.parse(write.task.gold(asked), asked))
    assert program is not None and len(program.calls) == 2


@pytest.mark.parametrize("variant", critique.task.variants)
def test_what_is_taught_is_read_back(variant: str) -> None:
    for row in drafts(repair("a")):
        said = critique.task.conversation(row, variant=variant).messages[-1].content
        assert critique.task.parse(said, row).value == row.wanted["reply"]


# ------------------------------------------------------------------ what running it is worth


def scored(row: Example, reply: str, *gave: str | None) -> dict[str, float | None]:
    answer = critique.task.parse(reply, row)
    program = critique.task.program(row, answer)
    assert (program is None) == (not gave)
    outputs = tuple(Output(text=text) for text in gave)
    outcome = Outcome(outputs=outputs) if gave else None
    return {one.metric: one.value for one in critique.task.score(row, answer, outcome)}


def test_a_revision_is_run_on_the_drafts_tests() -> None:
    wrong, right = drafts(repair("a"))
    known = critique.task.gold(wrong)
    program = critique.task.program(wrong, critique.task.parse(known, wrong))
    assert program is not None
    assert program.files["main.py"] == f"import math\n\n{RIGHT.strip()}\n"
    best = {"valid": 1.0, "decided": 1.0, "changed": 1.0, "passes_after": 1.0, "mended": 1.0}
    assert scored(wrong, known, "2", "3") == best
    spoilt = scored(wrong, known, "2", "9")
    assert (spoilt["passes_after"], spoilt["mended"]) == (0.0, 0.0)
    kept = scored(right, critique.task.gold(right), "2", "3")
    assert kept == {"valid": 1.0, "decided": 1.0, "passes_after": 1.0}


def test_a_bug_that_is_good_enough_is_not_mended_and_stays() -> None:
    wrong, right = drafts(repair("a"))
    fine = critique.content(wrong, ())
    assert scored(wrong, fine, "0", "1") == {
        **{"valid": 1.0, "decided": 0.0, "passes_after": 0.0, "mended": 0.0}
    }
    assert scored(right, fine, "2", "3")["passes_after"] == 1.0


def test_a_reply_that_nobody_can_read_leaves_nothing_behind() -> None:
    wrong, _ = drafts(repair("a"))
    assert scored(wrong, "NOTE") == {
        **{"valid": 0.0, "decided": 0.0, "passes_after": 0.0, "mended": 0.0}
    }


def test_a_sandbox_that_fails_scores_nothing() -> None:
    wrong, _ = drafts(repair("a"))
    answer = critique.task.parse(critique.task.gold(wrong), wrong)
    told = {one.metric: one.value for one in critique.task.score(wrong, answer, None)}
    assert told["passes_after"] is None and told["mended"] is None


def test_a_draft_without_tests_is_not_run() -> None:
    wrong, _ = drafts(repair("a", wanted={"tests": []}))
    assert set(scored(wrong, critique.task.gold(wrong))) == {"valid", "decided", "changed"}


def test_a_check_decides_as_a_whole() -> None:
    wrong, _ = drafts(repair("a", wanted={"tests": [], "check": "def check(f): ..."}))
    assert scored(wrong, critique.task.gold(wrong), "passed")["mended"] == 1.0


# ------------------------------------------------------------------ floors


def test_the_nearest_floor_takes_the_nearest_right_program_of_the_problem() -> None:
    wrong, right = drafts(repair("a"))
    other = replace(wrong, given={**wrong.given, "draft": "def f(x):\n    return 1 - x\n"})
    training = drafts(repair("a"), repair("b", wanted={"repair": OTHER}), failures={})
    floor = critique.task.floors["nearest"]
    said = critique.task.parse(floor(other, training), other).value
    assert said["revision"] == OTHER.strip() and said["good_enough"] is False
    assert critique.task.parse(floor(right, training), right).value["good_enough"] is True
    assert critique.task.parse(floor(wrong, ()), wrong).value["good_enough"] is True
    assert replies.read(critique.content(wrong, ()), shape=critique.rewriting.head).value
