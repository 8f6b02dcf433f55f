"""Pairs out of replies: which sides, how many, of whom."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from outdo.pipeline.pairing import Replies, Said, in_turns, paired
from outdo.records import Example, Message, Prompt
from outdo.study import Pairs


def example(name: str, group: str = "g") -> Example:
    return Example(
        id=name, task="repair", given={}, wanted={}, group=group, split="train", source="s"
    )


def said(program: str | None, passes: bool | None, *, whole: bool = True) -> Said:
    text = "no program" if program is None else f"```\n{program}\n```"
    by = {"from": "m", "passes": passes}
    return Said(text=text, program=program, passes=passes, whole=whole, by=by)


GOLD = Said(text="gold", program="gold", passes=True, by={"from": "gold"})


def replies(*own: Said, name: str = "e", group: str = "g", gold: Said | None = GOLD) -> Replies:
    prompt = Prompt(messages=(Message(role="user", content=f"Repair {name}."),))
    return Replies(example=example(name, group), prompt=prompt, gold=gold, own=own)


def spec(**keys: Any) -> Pairs:
    return Pairs.model_validate({"from": "broken", "model": "m", **keys})


def sides(made: Any) -> list[tuple[str, str]]:
    return [(lesson.rows[0].chosen, lesson.rows[0].rejected) for lesson in made.lessons]


def test_what_passes_is_preferred_to_what_fails() -> None:
    good, bad = said("a", True), said("b", False)
    made = paired([replies(bad, good)], spec(), seed=1)
    (lesson,) = made.lessons
    (pair,) = lesson.rows
    assert (pair.chosen, pair.rejected, pair.criterion) == (good.text, bad.text, "passes")
    assert pair.prompt.messages[0].content == "Repair e."
    assert pair.evidence == {"example": "e", "chosen": good.by, "rejected": bad.by}
    assert lesson.example is not None
    assert lesson.example.id == "e"


def test_the_known_answer_is_preferred_to_what_the_model_says_even_if_that_passes() -> None:
    own = said("b", True)
    made = paired([replies(own)], spec(chosen="gold", rejected="own"), seed=1)
    assert sides(made) == [("gold", own.text)]
    assert made.worse_passes == 1
    assert list(made.notes("own")) == [
        "pairs 'own': 1 of 1 examples",
        "pairs 'own': in 1 the rejected reply passes all tests",
    ]


@pytest.mark.parametrize(
    ("keys", "own", "gold", "why"),
    [
        ({}, [said("a", False)], GOLD, "no reply passes"),
        ({}, [said("a", True, whole=False), said("b", False)], GOLD, "no reply passes"),
        ({}, [said("a", True)], GOLD, "no reply fails"),
        ({}, [said("a", True), said("b", None)], GOLD, "no reply fails"),
        ({"chosen": "gold"}, [said("b", False)], None, "no answer is known"),
        ({"chosen": "gold"}, [said("b", True)], GOLD, "no reply fails"),
        (
            {"chosen": "gold", "rejected": "own"},
            [said("gold", True)],
            GOLD,
            "the model says the known answer",
        ),
    ],
)
def test_an_example_without_two_sides_gives_none_and_is_counted(
    keys: dict[str, str], own: list[Said], gold: Said | None, why: str
) -> None:
    made = paired([replies(*own, gold=gold)], spec(**keys), seed=1)
    assert made.lessons == ()
    assert made.reasons == {why: 1}
    assert f"pairs 'x': 1 examples give none: {why}" in made.notes("x")


def test_the_same_program_counts_once_and_an_example_gives_a_few() -> None:
    own = [said("a", True)] * 4 + [said("x", False)] * 3 + [said("y", False), said("z", False)]
    made = paired([replies(*own)], spec(), seed=1)
    assert len(made.lessons) == 2
    assert len(set(sides(made))) == 2
    assert {chosen for chosen, _ in sides(made)} == {said("a", True).text}
    assert len(paired([replies(*own)], spec(per_prompt=9), seed=1).lessons) == 3
    assert len({lesson.id for lesson in made.lessons}) == 2


def test_no_group_gives_most_of_the_pairs() -> None:
    own = said("a", True), said("b", False)
    many = [replies(*own, name=f"many-{n}", group="many") for n in range(40)]
    few = [replies(*own, name=f"few-{n}", group=f"few-{n}") for n in range(4)]
    made = paired([*many, *few], spec(), seed=1)
    counts = Counter(lesson.group for lesson in made.lessons)
    assert counts["many"] == 18  # twice the mean of 44 / 5
    assert made.left_out == 22
    assert all(counts[f"few-{n}"] == 1 for n in range(4))
    again = paired([*reversed(many), *few], spec(), seed=1)
    assert {one.id for one in again.lessons} == {one.id for one in made.lessons}


def test_examples_come_of_each_group_in_turn_and_a_larger_limit_only_adds() -> None:
    rows = [example(f"{group}{n}", group) for group, n in [("a", i) for i in range(9)]]
    rows += [example("b0", "b"), example("c0", "c")]
    first = in_turns(rows, 3, seed=1)
    assert {row.group for row in first} == {"a", "b", "c"}
    assert in_turns(rows, 6, seed=1)[:3] == first
    assert sorted(row.id for row in in_turns(rows, None, seed=1)) == sorted(r.id for r in rows)
