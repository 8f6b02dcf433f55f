"""A whole study on scripted answers: who is asked what, what is stored, what the report is told."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from world import BAD, GOOD, STUDY, Silent, World, examples, number

from outdo.errors import (
    DataError,
    EngineError,
    PermanentError,
    SandboxError,
    StudyError,
    TransientError,
)
from outdo.pipeline import Report, carry_out, make_data, prepare
from outdo.records import Request
from outdo.report import Contestant, Findings
from outdo.study import load_study


def carried(world: World, text: str = STUDY, *overrides: str, watch: Any = None) -> Report:
    return carry_out(
        world.study(text, *overrides),
        store=world.store,
        tools=world.tools,
        watch=watch or Silent(),
        command="outdo run study.yaml",
    )


def contestants(findings: Findings) -> dict[str, Contestant]:
    return {one.name: one for one in findings.contestants}


def passes(contestant: Contestant) -> dict[str, float | None]:
    return {
        row.example: next(score.value for score in row.scores if score.metric == "rpass")
        for row in contestant.rows
        if row.missing is None
    }


def stages(world: World) -> list[str]:
    return sorted(path.name for path in (world.root / "runs" / "scripted" / "stages").iterdir())


# ------------------------------------------------------------------ from beginning to end


def test_a_study_goes_from_its_data_to_a_verdict(world: World) -> None:
    watch = Silent()
    report = carried(world, watch=watch)
    assert report.word == "better"
    assert report.folder == world.root / "runs" / "scripted" / "report"
    assert "RPass 1.00 against 0.00" in report.sentence
    (findings,) = world.findings
    assert findings.command == "outdo run study.yaml"
    assert findings.notes == ("one row was dropped",)
    assert [one.name for one in findings.contestants] == [
        "tuned",
        "base",
        "base few-shot",
        "floor/unchanged",
        "floor/reference",
    ]
    means = {name: set(passes(one).values()) for name, one in contestants(findings).items()}
    assert means == {
        "tuned": {1.0},
        "base": {0.0},
        "base few-shot": {0.0},
        "floor/unchanged": {0.0},
        "floor/reference": {1.0},
    }
    assert [one.name for one in findings.contestants if one.floor] == [
        "floor/unchanged",
        "floor/reference",
    ]
    assert [(match.a, match.b) for match in findings.matches] == [
        ("tuned", "base"),
        ("tuned", "base few-shot"),
    ]
    assert len(findings.examples) == 9
    assert {e.split for e in findings.examples.values()} == {"test"}
    assert contestants(findings)["tuned"].trainings == ("tuned",)
    assert [one.name for one in findings.trainings] == ["tuned"]
    assert watch.stages[:3] == ["data sums", "train tuned", "generate base"]
    assert watch.stages[-1] == "report"
    assert watch.counts["generate base"] == (0, 9)


def test_the_folder_of_a_study_holds_links_to_its_stages_and_a_plan_that_runs(
    world: World,
) -> None:
    carried(world, STUDY, "limit=4")
    assert stages(world) == [
        "data sums",
        "generate base",
        "generate base few-shot",
        "generate tuned",
        "score base",
        "score base few-shot",
        "score floor-reference",
        "score floor-unchanged",
        "score tuned",
        "train tuned",
    ]
    folder = world.root / "runs" / "scripted"
    for link in (folder / "stages").iterdir():
        assert link.is_symlink()
        assert not Path(link.readlink()).is_absolute()
        assert (link / "what.json").is_file()
        assert (link / "done.json").is_file()
    plan = load_study(folder / "study.yaml")
    assert plan == world.study(STUDY, "limit=4")
    asked = len(world.asked)
    carry_out(plan, store=world.store, tools=world.tools, watch=Silent())
    assert len(world.asked) == asked


def test_the_same_study_pays_for_nothing_twice(world: World) -> None:
    first = carried(world)
    asked, trained = len(world.asked), len(world.trained)
    assert (asked, trained, world.data_made) == (27, 1, 1)
    watch = Silent()
    world.say = lambda *_: pytest.fail("asked again")
    again = carried(world, watch=watch)
    assert (len(world.asked), len(world.trained), world.data_made) == (asked, trained, 1)
    assert again.results == first.results
    now = world.findings[0].environment
    assert replace(world.findings[1], environment=now) == world.findings[0]
    assert watch.counts["generate tuned"] == (9, 9)


def test_a_larger_limit_pays_only_for_what_is_new(world: World) -> None:
    carried(world, STUDY, "limit=4")
    first = set(world.findings[0].examples)
    assert (len(first), len(world.asked)) == (4, 12)
    carried(world, STUDY, "limit=7")
    assert first < set(world.findings[1].examples)
    assert len(world.asked) == 21
    keys = [(model, request.key) for model, request in world.asked]
    assert len(set(keys)) == len(keys)
    rows = {
        path: path.read_bytes().count(b"\n")
        for path in (world.root / "runs" / ".stages").glob("generate-*/rows.jsonl")
    }
    assert sorted(rows.values()) == [7, 14]  # one stage holds both ways of asking the base


def test_studies_share_their_stages(world: World) -> None:
    carried(world)
    asked = len(world.asked)
    carried(world, STUDY.replace("study: scripted", "study: other"))
    assert len(world.asked) == asked
    assert (world.root / "runs" / "other" / "stages" / "generate base").is_dir()


def test_changed_weights_are_asked_anew_and_an_unchanged_base_is_not(world: World) -> None:
    carried(world)
    asked = len(world.asked)
    carried(world, STUDY, "train.tuned.seed=9")
    assert {model for model, _ in world.asked[asked:]} == {"run/scripted/train tuned"}
    assert len(world.asked) == asked + 9


# ------------------------------------------------------------------ who is compared with whom


def test_the_better_baseline_is_the_reference(world: World) -> None:
    def say(model: str, request: Request) -> str:
        few = len(request.prompt.messages) > 2
        return (GOOD if "train" in model or (few and number(request) == "1") else BAD).format(
            n=number(request)
        )

    world.say = say
    report = carried(world)
    (findings,) = world.findings
    assert [one.name for one in findings.contestants if one.reference] == ["base few-shot"]
    assert [(match.a, match.b) for match in findings.matches] == [
        ("tuned", "base few-shot"),
        ("tuned", "base"),
    ]
    assert "RPass 1.00 against 0.33" in report.sentence


def test_shots_are_training_rows_alone_and_the_same_for_every_prompt(world: World) -> None:
    carried(world)
    prompts = [r.prompt for _, r in world.asked if len(r.prompt.messages) > 2]
    assert len(prompts) == 9
    shown = {prompt.messages[:-1] for prompt in prompts}
    assert len(shown) == 1
    text = "\n".join(message.content for message in shown.pop())
    training = [e for e in world.rows if e.split == "train"]
    test = [e for e in world.rows if e.split == "test"]
    assert sum(e.given["program"] in text for e in training) == 2
    assert not any(e.given["program"] in text for e in test)
    assert len({e.group for e in training if e.given["program"] in text}) == 2


def test_a_study_without_tables_compares_everybody_with_the_untrained(world: World) -> None:
    carried(world, STUDY.partition("compare:")[0])
    (findings,) = world.findings
    assert [one.name for one in findings.contestants] == ["base", "base few-shot", "tuned"]
    assert [(match.a, match.b) for match in findings.matches] == [
        ("tuned", "base"),
        ("tuned", "base few-shot"),
    ]


def test_several_samples_are_several_rows(world: World) -> None:
    carried(world, STUDY, "answer.base.samples=3", "limit=2")
    rows = contestants(world.findings[0])["base"].rows
    assert sorted((row.example, row.index) for row in rows) == sorted(
        (name, index) for name in world.findings[0].examples for index in range(3)
    )


def test_slices_tell_examples_apart_by_a_field(world: World) -> None:
    carried(world, STUDY.rstrip() + "\n    slices: source\n")
    slices = {one.name: len(one.examples) for one in world.findings[0].slices}
    assert slices == {"first": 3, "later": 6}


# ------------------------------------------------------------------ leaving groups out


ROTATED = STUDY.replace("tuned: {model: small}", "tuned: {model: small, leave_out: group}")


def test_each_group_is_answered_by_the_model_that_has_not_seen_it(world: World) -> None:
    carried(world, ROTATED)
    assert len(world.trained) == 3
    answered = [(model, number(r)) for model, r in world.asked if "train" in model]
    assert sorted(answered) == [
        (f"run/scripted/train tuned without add-{n}", str(n)) for n in (1, 2, 3) for _ in range(3)
    ]
    for name, rows in world.trained.items():
        assert {row.group for row in rows} < {"add-1", "add-2", "add-3"}, name
        assert len(rows) == 8
    tuned = contestants(world.findings[0])["tuned"]
    assert len(tuned.rows) == 9
    assert set(passes(tuned).values()) == {1.0}


def test_a_limit_that_leaves_a_group_without_tests_is_no_trouble(world: World) -> None:
    carried(world, ROTATED, "limit=1")
    assert len(contestants(world.findings[0])["tuned"].rows) == 1


def test_a_group_that_no_training_had_is_answered_too(world: World) -> None:
    new = [
        replace(
            e, group="new", id=f"new/{e.id}", given={**e.given, "statement": "Add 1 to x. New."}
        )
        for e in world.rows
        if e.split == "test" and e.group == "add-1"
    ]
    world.rows = [*world.rows, *new]
    carried(world, ROTATED)
    assert len(contestants(world.findings[0])["tuned"].rows) == 12


def test_training_on_from_turns_keeps_what_each_has_not_seen(world: World) -> None:
    text = ROTATED.replace("answer:\n", "  more: {model: tuned}\nanswer:\n")
    carried(world, text.replace("tuned: {model: tuned}", "tuned: {model: more}"))
    assert len(world.trained) == 6
    assert all(len(rows) == 8 for rows in world.trained.values())
    names = {model for model, _ in world.asked if "train" in model}
    assert names == {f"run/scripted/train more without add-{n}" for n in (1, 2, 3)}


def test_the_floors_of_a_rotation_have_not_seen_the_group_either(world: World) -> None:
    carried(world, ROTATED.replace("[unchanged, reference]", "[nearest]"))
    nearest = contestants(world.findings[0])["floor/nearest"]
    assert set(passes(nearest).values()) == {0.0}
    carried(world, STUDY.replace("[unchanged, reference]", "[nearest]"))
    nearest = contestants(world.findings[1])["floor/nearest"]
    assert set(passes(nearest).values()) == {1.0}


# ------------------------------------------------------------------ what goes wrong


def test_a_row_that_can_never_be_answered_is_missing_and_no_loss(world: World) -> None:
    def say(model: str, request: Request) -> str | Exception:
        if "train" in model and number(request) == "2":
            return PermanentError("the prompt fills the context")
        return (GOOD if "train" in model else BAD).format(n=number(request))

    world.say = say
    carried(world)
    tuned = contestants(world.findings[0])["tuned"]
    missing = [row for row in tuned.rows if row.missing is not None]
    assert [row.missing for row in missing] == ["the prompt fills the context"] * 3
    assert all(row.scores == () for row in missing)
    assert set(passes(tuned).values()) == {1.0}
    asked = len(world.asked)
    carried(world)
    assert len(world.asked) == asked


def test_an_engine_that_stops_answering_keeps_what_has_arrived(world: World) -> None:
    def say(model: str, request: Request) -> str | Exception:
        if len(world.asked) == 5:
            return TransientError("rate limit")
        return BAD.format(n=number(request))

    world.say = say
    with pytest.raises(EngineError) as told:
        carried(world)
    assert told.value.problem == "the engine stopped answering: rate limit"
    assert told.value.hint == "what has arrived is kept: run the same command again"
    assert told.value.where == "base"
    first = [request.key for _, request in world.asked]
    world.say = lambda _, request: BAD.format(n=number(request))
    carried(world, STUDY)
    base = [r.key for m, r in world.asked if m == "./small" and len(r.prompt.messages) < 3]
    assert len(first) == 5
    assert len(base) == len(set(base)) == 9


def test_a_gold_answer_that_fails_stops_the_run(world: World) -> None:
    broken = [replace(e, wanted={**e.wanted, "repair": "def f(x): return 7\n"}) for e in world.rows]
    world.rows = broken
    with pytest.raises(SandboxError) as told:
        carried(world)
    assert told.value.problem.startswith("the known good answer fails: ")
    assert "not the model" in told.value.hint
    assert told.value.where.startswith("example add-")
    scored = list((world.root / "runs" / ".stages").glob("score-*/rows.jsonl"))
    assert [path.read_bytes() for path in scored] == [b""]


@pytest.mark.parametrize(("kept", "problem"), [("train", "no example is left to test with")])
def test_data_without_tests_is_refused(world: World, kept: str, problem: str) -> None:
    world.rows = [e for e in examples() if e.split == kept]
    with pytest.raises(DataError, match=problem):
        carried(world)


def test_data_without_training_rows_is_refused_where_something_is_trained(world: World) -> None:
    world.rows = [e for e in examples() if e.split == "test"]
    with pytest.raises(DataError) as told:
        carried(world, STUDY, "answer.base few-shot={model: small}")
    assert told.value.problem == "no rows to train 'tuned' on"


@pytest.mark.parametrize(
    ("override", "problem", "hint"),
    [
        ("answer.base.prompt=direkt", "has no prompt 'direkt'", "did you mean 'direct'?"),
        ("train.tuned.prompt=direkt", "has no prompt 'direkt'", "did you mean 'direct'?"),
        ("compare.repair.floors=[unchangd]", "has no floor 'unchangd'", "did you mean 'unchanged'"),
        ("task=repare", "there is no task 'repare'", "did you mean 'repair'?"),
    ],
)
def test_what_the_task_does_not_have_is_told_before_any_work(
    world: World, override: str, problem: str, hint: str
) -> None:
    with pytest.raises(StudyError) as told:
        carried(world, STUDY, override)
    assert problem in told.value.problem
    assert told.value.hint.startswith(hint)
    assert world.data_made == 0


# ------------------------------------------------------------------ parts of a study


def test_preparing_trains_one_entry_and_what_it_stands_on(world: World) -> None:
    text = STUDY.replace(
        "answer:\n", "  more: {model: tuned}\n  other: {model: small, seed: 5}\nanswer:\n"
    )
    study = world.study(text)
    folders = prepare(study, store=world.store, tools=world.tools, watch=Silent(), only="more")
    assert list(folders) == ["tuned", "more"]
    assert all((folder / "weights").is_file() for folder in folders.values())
    assert world.asked == []
    with pytest.raises(StudyError) as told:
        prepare(study, store=world.store, tools=world.tools, watch=Silent(), only="mor")
    assert (told.value.problem, told.value.hint) == (
        "there is no training run 'mor'",
        "did you mean 'more'?",
    )


def test_data_is_made_once_and_kept_with_its_notes(world: World) -> None:
    for _ in range(2):
        made = make_data(world.study(), store=world.store, tools=world.tools, watch=Silent())
    assert world.data_made == 1
    assert list(made) == ["sums"]
    assert list(made["sums"].rows) == world.rows
    assert made["sums"].notes == ("one row was dropped",)
    assert json.loads((made["sums"].stage / "what.json").read_text())["seed"] == 1
