"""Studies of several tasks: each example goes to its own, and each has its own table."""

from __future__ import annotations

import pytest
from small_tasks import examples
from test_carry import carried, stages
from world import STUDY, World

from outdo.errors import PermanentError, StudyError
from outdo.records import Request
from outdo.report import Contestant

TWO = """
study: scripted
task: [small_tasks:upper, small_tasks:backwards]
data:
  words: {source: inject}
models:
  small: {model: ./small, size: 0.5, kind: base, licence: MIT}
train:
  tuned: {model: small, context: 16}
answer:
  base: {model: small, context: 16}
  tuned: {model: tuned, context: 16}
compare:
  all:
    answers: [tuned, base]
    floors: [same]
    against: [base]
"""


@pytest.fixture
def world(world: World) -> World:
    world.rows = [*examples("upper"), *examples("backwards")]
    world.say = says
    return world


def says(model: str, request: Request) -> str:
    asked = request.prompt.messages[-1].content
    if asked.startswith("Is it"):
        return "yes"
    name, _, word = asked.rpartition("\n")[2].partition(": ")
    if "train" not in model:
        return word
    return word.upper() if name == "upper" else word[::-1]


def right(contestant: Contestant) -> set[float | None]:
    return {score.value for row in contestant.rows for score in row.scores}


def test_each_task_has_its_table(world: World) -> None:
    report = carried(world, TWO)
    (found,) = world.findings
    assert list(found.metrics) == ["upper, all", "backwards, all"]
    assert [(one.task, one.name) for one in found.contestants] == [
        ("upper, all", "tuned"),
        ("upper, all", "base"),
        ("upper, all", "floor/same"),
        ("backwards, all", "tuned"),
        ("backwards, all", "base"),
    ]
    assert [right(one) for one in found.contestants] == [{1.0}, {0.0}, {0.0}, {1.0}, {0.0}]
    assert all(len(one.rows) == 6 for one in found.contestants)
    assert len(found.examples) == 12
    assert found.item == "word"
    assert {(match.task, match.a, match.b) for match in found.matches} == {
        ("upper, all", "tuned", "base"),
        ("backwards, all", "tuned", "base"),
    }
    assert report.word == "better"


def test_one_adapter_learns_from_all_tasks(world: World) -> None:
    carried(world, TWO)
    (rows,) = world.trained.values()
    assert sorted(row.task for row in rows) == ["backwards"] * 4 + ["upper"] * 4


def test_answers_of_all_tasks_share_a_stage_and_scores_do_not(world: World) -> None:
    carried(world, TWO)
    assert [name for name in stages(world) if "tuned" in name] == [
        "generate tuned",
        "score tuned, backwards",
        "score tuned, upper",
        "train tuned",
    ]


def test_a_limit_is_of_each_task(world: World) -> None:
    carried(world, TWO, "limit=2")
    assert [len(one.rows) for one in world.findings[0].contestants] == [2] * 5


def test_an_example_of_a_task_that_the_study_does_not_name_is_told(world: World) -> None:
    text = TWO.replace("[small_tasks:upper, small_tasks:backwards]", "[small_tasks:upper, repair]")
    with pytest.raises(StudyError, match="the study has no task 'backwards'"):
        carried(world, text)


def test_a_task_without_an_example_is_told(world: World) -> None:
    world.rows = examples("upper")
    with pytest.raises(StudyError, match="no example of the task 'backwards'"):
        carried(world, TWO)


def test_a_floor_that_no_task_has_is_told(world: World) -> None:
    with pytest.raises(StudyError, match="upper, backwards has no floor 'nothing'"):
        carried(world, TWO.replace("[same]", "[nothing]"))


# ------------------------------------------------------------------ contexts


def test_prompts_are_cut_to_the_context_in_training_and_in_asking(world: World) -> None:
    carried(world, TWO)
    for _, request in world.asked:
        assert len(request.prompt.messages[-1].content.split()) <= 16
    (rows,) = world.trained.values()
    assert all(len(row.messages[0].content.split()) <= 16 for row in rows)
    asked = {request.prompt.messages for _, request in world.asked}
    assert any("filler" in messages[0].content for messages in asked), "as much as fits is shown"


def test_without_a_context_prompts_are_whole(world: World) -> None:
    carried(world, TWO.replace(", context: 16", ""))
    asked = [r.prompt.messages[-1].content for _, r in world.asked]
    assert all(one.count("filler") == 20 for one in asked if not one.startswith("Is it"))


def test_a_context_that_no_task_can_keep_is_refused(world: World) -> None:
    with pytest.raises(StudyError, match="repair can't cut what a prompt shows"):
        carried(world, STUDY, "answer.base.context=100")


# ------------------------------------------------------------------ asked again


def test_a_task_asks_again_and_scores_what_is_left(world: World) -> None:
    carried(world, TWO)
    again = [name for name, r in world.asked if r.prompt.messages[-1].content.startswith("Is it")]
    assert len(again) == 12, "each answer to `backwards`, of both models"
    cost = next(one for one in world.findings[0].contestants if one.task == "backwards, all").cost
    assert cost.tokens_out == 12, "both replies to each of 6 examples"
    world.asked.clear()
    carried(world, TWO)
    assert world.asked == []


def test_what_is_dropped_when_asked_again_is_not_scored(world: World) -> None:
    world.say = lambda m, r: (
        "no" if r.prompt.messages[-1].content.startswith("Is it") else says(m, r)
    )
    carried(world, TWO)
    assert [right(one) for one in world.findings[0].contestants] == [
        {1.0},
        {0.0},
        {0.0},
        {0.0},
        {0.0},
    ]


def test_a_second_reply_that_never_came_leaves_the_row_missing(world: World) -> None:
    def silent(model: str, request: Request) -> str | Exception:
        if request.prompt.messages[-1].content.startswith("Is it"):
            return PermanentError("content filter")
        return says(model, request)

    world.say = silent
    carried(world, TWO)
    rows = [r for one in world.findings[0].contestants if "backwards" in one.task for r in one.rows]
    assert {row.missing for row in rows} == {"asked again, it gave no answer: content filter"}


# ------------------------------------------------------------------ cards


def test_a_fine_tuned_contestant_has_the_card_of_what_it_began_as(world: World) -> None:
    carried(world, TWO)
    cards = world.findings[0].cards
    assert (cards["base"].size, cards["base"].licence, cards["base"].before) == (0.5, "MIT", None)
    assert (cards["tuned"].size, cards["tuned"].kind, cards["tuned"].before) == (
        0.5,
        "base",
        "base",
    )


def test_several_slices_say_of_which_field_they_are(world: World) -> None:
    carried(world, TWO.rstrip() + "\n    slices: [given.size, group]\n")
    names = {part.name for part in world.findings[0].slices if part.task == "upper, all"}
    assert names == {"size: 0", "size: 1", *(f"group: group {n}" for n in range(6))}


def test_a_single_task_keeps_its_names(world: World) -> None:
    carried(world, TWO.replace("[small_tasks:upper, small_tasks:backwards]", "small_tasks:upper"))
    # A single task handles every example, whatever task it says.
    assert list(world.findings[0].metrics) == ["upper, all"]
    assert "score tuned" in stages(world)
