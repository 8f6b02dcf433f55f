from __future__ import annotations

import pytest
from contests import completion, judged, said
from hypothesis import given, settings
from hypothesis import strategies as st

from outdo.judging import way
from outdo.judging.known import CHARACTERS, believed, known_task
from outdo.judging.nouns import Contest, Judgement
from outdo.records import Example, Json, Message

DIFF = """diff --git a/{name}.py b/{name}.py
--- a/{name}.py
+++ b/{name}.py
@@ -1,2 +1,2 @@
 import os
-{name} = 1
+{name} = 2
"""


def example(number: int, *, title: str | None = "", group: str = "", rows: int = 1) -> Example:
    wanted: dict[str, Json] = {} if title is None else {"title": title or f"Raise limit {number}"}
    return Example(
        id=f"pr-{number}",
        task="describe",
        given={"diff": DIFF.format(name=f"limit_{number}") * rows},
        wanted=wanted,
        group=group or f"repo-{number % 10}",
        split="test",
        source="test",
    )


def answered(contests: tuple[Contest, ...], right: float) -> list[Judgement]:
    """A judge that is right on this share of the contests, in both orders."""
    ask = way("ask")
    found = []
    for number, contest in enumerate(contests):
        best = "a" if number < right * len(contests) else "b"
        for asked in ask.prompts(contest):
            letter = "A" if asked.side(0) == best else "B"
            found.append(ask.judged(asked, completion(asked, said(asked, letter)), by="j"))
    return found


def test_the_authors_title_stands_against_that_of_another_repository() -> None:
    examples = [example(number) for number in range(20)]
    titles = {each.id: each.wanted["title"] for each in examples}
    repos = {each.wanted["title"]: each.group for each in examples}
    contests = known_task(examples)
    assert len(contests) == 20
    for contest in contests:
        own, other = contest.replies
        assert own == titles[contest.comparison.example]
        assert other is not None and repos[other] != repos[own]
        number = contest.comparison.example.removeprefix("pr-")
        assert f"limit_{number} = 2" in contest.request[0].content
        assert own not in contest.request[0].content


def test_in_one_repository_another_title_of_it_is_taken() -> None:
    contests = known_task([example(number, group="own") for number in range(4)])
    assert len(contests) == 4
    assert all(contest.replies[0] != contest.replies[1] for contest in contests)


def test_equal_titles_are_no_task() -> None:
    assert known_task([example(number, title="Fix") for number in range(5)]) == ()
    assert known_task([]) == ()


def test_a_long_change_is_cut_for_the_judge() -> None:
    contests = known_task([example(number, rows=2000) for number in range(2)])
    assert all(len(each.request[0].content) < CHARACTERS + 100 for each in contests)


def test_without_titles_gold_is_held_against_bait() -> None:
    examples = [example(number, title=None) for number in range(6)]
    assert known_task(examples) == ()
    (first, *rest) = known_task(
        examples,
        request=lambda each: (Message(role="user", content=f"Look at {each.id}"),),
        gold=lambda each: f"gold of {each.id}",
        bait=lambda _: "bait",
    )
    assert len(rest) == 5
    assert first.replies == (f"gold of {first.comparison.example}", "bait")
    assert first.comparison.a == "gold"


@settings(max_examples=25)
@given(st.integers(3, 40), st.integers(1, 30))
def test_few_contests_are_new_where_examples_are_added(count: int, limit: int) -> None:
    examples = [example(number) for number in range(count)]
    before = {each.comparison.example for each in known_task(examples, limit=limit)}
    more = known_task([*examples, example(99)], limit=limit)
    after = {each.comparison.example for each in more}
    assert len(after - before) <= 2
    assert len(after) == min(limit, count + 1)


GROUPS = {f"pr-{number}": f"repo-{number % 10}" for number in range(100)}


@pytest.mark.parametrize(
    ("right", "expected", "why"),
    [
        (1.0, True, "better than chance"),
        (0.85, True, "better than chance"),
        (0.5, False, "not better than chance"),
        (0.0, False, "not better than chance"),
    ],
)
def test_only_a_judge_better_than_chance_is_believed(
    right: float, expected: bool, why: str
) -> None:
    found = believed(answered(known_task([example(number) for number in range(40)]), right), GROUPS)
    assert found.believed is expected
    assert found.why.endswith(why)
    assert found.measure.name == "known task" and found.measure.n == 40
    assert found.measure.value == pytest.approx(right)


def test_a_judge_that_always_takes_the_first_is_not_believed() -> None:
    ask = way("ask")
    found = [
        ask.judged(asked, completion(asked, said(asked, "A")), by="j")
        for contest in known_task([example(number) for number in range(40)])
        for asked in ask.prompts(contest)
    ]
    told = believed(found, GROUPS)
    assert not told.believed and told.measure.value == 0.5


def test_a_judge_that_never_answers_in_the_form_is_not_believed() -> None:
    silent = [judged(None, example=f"pr-{number}") for number in range(10)]
    told = believed(silent, GROUPS)
    assert told.why == "none of its 10 verdicts on the known task could be read"
    few = [*silent, *(judged("a", example=f"pr-{number}") for number in range(10, 18))]
    told = believed(few, GROUPS)
    assert not told.believed
    assert told.why == "only 8 of its 18 verdicts on the known task could be read"
    assert believed([], {}).why.startswith("it was not tried")


def test_with_few_repositories_the_change_is_the_evidence_and_that_is_said() -> None:
    right = [judged("a", example=f"pr-{number}") for number in range(20)]
    told = believed(right, {f"pr-{number}": f"repo-{number % 2}" for number in range(20)})
    assert told.believed and told.measure.low is not None
    assert told.why.endswith("better than chance, of these 2 groups alone")
    six = believed(right, {f"pr-{number}": f"repo-{number % 6}" for number in range(20)})
    assert six.believed and six.why.endswith("better than chance")


def test_repositories_take_turns() -> None:
    many = [example(number, group="large") for number in range(50)]
    few = [example(number, group=f"small-{number}") for number in range(50, 55)]
    chosen = {each.comparison.example for each in known_task([*many, *few], limit=8)}
    assert {each.id for each in few} <= chosen and len(chosen) == 8
