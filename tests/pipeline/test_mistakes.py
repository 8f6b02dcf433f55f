"""Mistakes that a study file alone can't show: told with its line, before there is work to lose."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from test_carry import carried
from world import STUDY, World

from outdo.errors import DataError, ModelError, OutdoError, StudyError
from outdo.models.reference import ModelReference
from outdo.pipeline import Tools


def with_tools(
    world: World, monkeypatch: pytest.MonkeyPatch, **changed: Callable[..., object]
) -> None:
    tools: Tools = replace(world.tools, **changed)  # type: ignore[arg-type]
    monkeypatch.setattr(World, "tools", tools)


def refused(world: World, text: str = STUDY, *overrides: str) -> OutdoError:
    with pytest.raises(OutdoError) as told:
        carried(world, text, *overrides)
    return told.value


def test_a_model_that_is_not_there_is_told_with_its_line_before_any_work(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def resolve(name: str) -> ModelReference:
        raise ModelError("no such model", "check the path", where=name)

    with_tools(world, monkeypatch, resolve=resolve)
    told = refused(world)
    assert isinstance(told, ModelError)
    assert str(told) == (f"{world.root}/study.yaml:7: ./small: no such model (check the path)")
    assert world.data_made == 0


def test_a_mistake_in_the_data_is_told_with_the_line_that_names_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def torn(*_: object) -> object:
        raise DataError("the line isn't JSON", where="rows.jsonl:3")

    with_tools(world, monkeypatch, data=torn)
    told = refused(world)
    assert isinstance(told, DataError)
    assert str(told) == f"{world.root}/study.yaml:5: rows.jsonl:3: the line isn't JSON"


@pytest.mark.parametrize(
    ("override", "problem"),
    [
        ("compare.repair.slices=given.nothing", "the examples have no field 'given.nothing'"),
        ("train.tuned.leave_out=sauce", "the examples have no field 'sauce'"),
    ],
)
def test_a_field_that_no_example_has_is_told_before_the_training(
    world: World, override: str, problem: str
) -> None:
    told = refused(world, STUDY, override)
    assert isinstance(told, StudyError)
    assert (told.problem, told.where) == (problem, f"--set {override}")
    assert world.trained == {}


def test_only_rows_with_a_known_answer_are_shown_as_solved(world: World) -> None:
    train = [row for row in world.rows if row.split == "train"]
    known = {train[0].id, train[-1].id}
    world.rows = [
        row
        if row.split == "test" or row.id in known
        else replace(row, wanted={**row.wanted, "repair": None})
        for row in world.rows
    ]
    text = STUDY.replace("train:\n  tuned: {model: small}\n", "").replace("[tuned, base", "[base")
    text = text.replace("  tuned: {model: tuned}\n", "")
    carried(world, text)
    shown = {r.prompt.messages[1:-1] for _, r in world.asked if len(r.prompt.messages) > 2}
    assert [len(messages) for messages in shown] == [4]
    told = refused(world, text, "answer.base few-shot.shots=3")
    assert told.problem == "3 shots can't be shown"
    assert told.hint == "2 training rows have a known answer: lower shots, or add rows"


def test_shots_that_a_prompt_would_not_show_are_refused(world: World) -> None:
    told = refused(world, STUDY, "answer.base.shots=2")
    assert told.problem == "the prompt 'direct' shows no shots"
    assert [request for _, request in world.asked] == []
