"""The task hint: its prompts share what repair shows, its templates earn full marks by rules."""

from __future__ import annotations

import gzip
import json
import os
from pathlib import Path
from typing import Any

import pytest

from outdo import catalog
from outdo.data.inject import normalised, slips
from outdo.data.problems import embedded_problems
from outdo.errors import DataError, StudyError
from outdo.records import Answer, Example, Score, to_json
from outdo.scorers.hints import marks
from outdo.tasks import repair
from outdo.tasks.hint import guarded, leak, task
from outdo.tasks.hints import told

ROOT = Path(__file__).resolve().parents[2]
DEBUGBENCH = (
    Path(os.environ.get("OUTDO_DATA", ROOT.parent / "shared" / "data"))
    / "debugbench-python"
    / "debugbench-python.jsonl.gz"
)
BUGGY = "def total(n):\n    s = 0\n    for i in range(n):\n        s += i\n    return s\n"
REPAIR = BUGGY.replace("range(n)", "range(n + 1)")
TESTS = [{"call": "total(3)", "expected": "6", "how": "value", "stdin": ""}]
HINT = "Look again at line 3: which numbers does the range give?"


def example(id: str = "total/1", /, **changed: Any) -> Example:
    given = {"problem": "total", "statement": "Add 1 to n.", "program": BUGGY, "shown": TESTS}
    wanted = {"tests": TESTS, "repair": REPAIR, "slip": None, "hint": None}
    return Example(
        id=id,
        task="hint",
        given={**given, **changed.pop("given", {})},
        wanted={**wanted, **changed.pop("wanted", {})},
        group="total",
        split="test",
        source="own",
    )


def values(answer: Answer, one: Example | None = None) -> dict[str, float | None]:
    found: tuple[Score, ...] = task.score(one or example(), answer, None)
    assert len({score.metric for score in found}) == len(found)
    return {score.metric: score.value for score in found}


@pytest.mark.parametrize("variant", ["direct", "few-shot", "chain-of-thought"])
def test_the_prompt_begins_as_that_of_repair_does(variant: str) -> None:
    mine = task.prompt(example(), variant=variant).messages
    theirs = repair.task.prompt(example(), variant=variant).messages
    assert mine[0] == theirs[0]
    shown = repair.context(example().given)
    assert mine[1].content.startswith(f"{shown}\n\n")
    assert theirs[1].content.startswith(f"{shown}\n\n")
    assert REPAIR not in mine[1].content, "only with-repair shows it"


def test_a_repair_is_shown_where_asked_for_and_a_given_one_first() -> None:
    known = task.prompt(example(), variant="with-repair").messages[-1].content
    assert "range(n + 1)" in known
    other = REPAIR.replace("n + 1", "1, n + 1")
    given = task.prompt(example(given={"repair": other}), variant="with-repair")
    assert "range(1, n + 1)" in given.messages[-1].content
    with pytest.raises(DataError, match="no repair to show"):
        task.prompt(example(wanted={"repair": None}), variant="with-repair")


def test_an_unknown_variant_is_refused() -> None:
    with pytest.raises(StudyError, match="hint has no variant 'poem'"):
        task.prompt(example(), variant="poem")


def test_shots_stand_before_as_solved_turns() -> None:
    shot = example("total/2")
    said = task.prompt(example(), variant="few-shot", shots=[shot]).messages
    assert [turn.role for turn in said] == ["system", "user", "assistant", "user"]
    assert said[2].content == task.gold(shot)


@pytest.mark.parametrize(
    ("reply", "hint"),
    [
        (HINT, HINT),
        (f"<think>n + 1!</think>\n{HINT}", HINT),
        (f"```python\n{REPAIR}```\n\nHint: {HINT}", HINT),
        (f"```python\n{REPAIR}```\n**Hint:** {HINT}\n", HINT),
        (f"Hint: not this\nHINT : {HINT}", HINT),
        (f"```python\n{REPAIR}```\n{HINT}", f"```python\n{REPAIR}```\n{HINT}"),
    ],
)
def test_the_hint_is_what_a_learner_would_see(reply: str, hint: str) -> None:
    assert task.parse(reply, example()).value == hint


@pytest.mark.parametrize("reply", ["", "  \n", "<think>so", "Hint:", "x" * 60_001])
def test_replies_without_a_hint_are_told(reply: str) -> None:
    answer = task.parse(reply, example())
    assert answer.value is None and answer.problem
    assert values(answer)["hgood_rules"] == 0


def test_gold_earns_full_marks_and_bait_does_not() -> None:
    gold = values(task.parse(task.gold(example()), example()))
    assert gold["hgood_rules"] == 1
    bait = values(task.parse(task.bait(example()), example()))
    assert (bait["hgood_rules"], bait["hconceal_rules"]) == (0, 0)


def test_an_authors_own_hint_is_taught_only_if_it_conceals() -> None:
    assert task.gold(example(wanted={"hint": HINT})) == HINT
    leaking = "In line 3 it must be range(n + 1)."
    assert task.gold(example(wanted={"hint": leaking})) != leaking


def test_what_gives_the_answer_away_is_withheld_by_the_guarded_task() -> None:
    assert catalog.named(catalog.TASKS, "hint-guarded", noun="task") is guarded
    assert catalog.named(catalog.TASKS, "hint", noun="task") is task
    said = "In line 3 it must be range(n + 1)."
    assert task.parse(said, example()).value == said
    held = guarded.parse(said, example())
    assert held.value is None and held.problem == f"withheld: {leak(said, example())}"
    assert values(held)["hconceal_rules"] == 1 and values(held)["hgood_rules"] == 0
    assert guarded.parse(HINT, example()) == task.parse(HINT, example())
    assert guarded.version != task.version


def test_a_chain_of_thought_teaches_the_repair_and_then_the_hint() -> None:
    row = task.conversation(example(), variant="chain-of-thought")
    reply = row.messages[-1].content
    assert reply == f"{repair.gold(example())}\n\nHint: {task.gold(example())}"
    assert row.messages[:-1] == task.prompt(example(), variant="chain-of-thought").messages
    assert task.parse(reply, example()).value == task.gold(example())


def test_a_pair_sets_the_hint_against_the_solution() -> None:
    assert task.pair is not None
    row = task.pair(example())
    assert (row.chosen, row.rejected) == (task.gold(example()), task.bait(example()))
    assert row.evidence["rejected"]


def test_floors_need_no_model_and_none_but_the_templates_is_good() -> None:
    training = [example("total/2"), example("other/1", given={"problem": "other"})]
    said = {name: floor(example(), training) for name, floor in task.floors.items()}
    assert values(Answer(value=said["general"]))["hgood_rules"] == 0
    assert values(Answer(value=said["solution"]))["hconceal_rules"] == 0
    assert said["nearest"] == task.gold(training[0])
    assert task.floors["nearest"](example(), []) == said["general"]


def test_a_program_without_a_fault_has_no_gold() -> None:
    with pytest.raises(DataError, match="no fault that a hint could point at"):
        task.gold(example(wanted={"repair": BUGGY}))
    unknown = values(Answer(value=HINT), example(wanted={"repair": None}))
    assert (unknown["hgood_rules"], unknown["hconceal_rules"]) == (None, None)


def test_templates_tell_every_injected_bug_and_in_many_ways() -> None:
    hints, owed = set(), 0
    for problem in embedded_problems()[:5]:
        origin = problem.solutions[0]
        for number, slip in enumerate(slips(origin)):
            found = told(
                before=slip.code,
                after=normalised(origin),
                slip=to_json(slip),
                shown=[test.call for test in problem.shown],
                seed=f"{problem.name}/{number}",
            )
            assert found is not None, slip
            assert marks(found, before=slip.code, after=normalised(origin)).good
            hints.add(found)
            owed += 1
    assert owed > 100
    assert len(hints) > owed / 2


def test_real_bugs_are_told_and_teachers_words_are_sifted() -> None:
    if not DEBUGBENCH.is_file():
        pytest.skip(f"{DEBUGBENCH} isn't there: set OUTDO_DATA")
    with gzip.open(DEBUGBENCH, "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines][:150]
    kept = explained = 0
    for number, row in enumerate(rows):
        before, after = row["buggy_code"], row["oracle_code"]
        found = told(before=before, after=after, slip=None, shown=[], seed=str(number))
        assert found is not None and marks(found, before=before, after=after).good
        if row.get("explanations"):
            explained += 1
            kept += marks(row["explanations"], before=before, after=after).good is True
    assert 0.15 * explained < kept < 0.8 * explained
