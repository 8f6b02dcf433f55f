"""Pairs that a drafter and a critic make in a study: gated, told, stored once, learnt from."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from test_carry import carried
from world import Silent, World, examples

from outdo import replies
from outdo.cli.plan import shares_of, show_stages
from outdo.cli.remote import Remote
from outdo.data.pairs import read_pairs
from outdo.data.preferences import preferences
from outdo.errors import DataError, StudyError
from outdo.pipeline import prepare
from outdo.pipeline.critics import warnings
from outdo.records import Example, Request
from outdo.study import load_study
from outdo.tasks import drafting, prefer

EXPERIMENT = Path(__file__).parents[2] / "studies" / "experiments" / "preference_critics.yaml"

STUDY = """
study: critics
task: prefer
data:
  bugs: {source: inject, count: 1}
  to write: {source: inject, count: 2, tasks: [write]}
models:
  small: ./small
  drafter: ./drafter
  critic: ./critic
pairs:
  critiqued: {from: to write, model: drafter, critic: critic, samples: 3, alike: null}
train:
  judge: {model: small, method: reward, prompt: reward, data: critiqued}
answer:
  base: {model: small, prompt: reward, data: bugs}
  judge: {model: judge, prompt: reward, data: bugs}
compare:
  pairs: {answers: [judge, base], against: [base]}
"""
DRAFTS = ("return x - {n} - 90", "return {n} - x - 91", "return x + {n}")
"""What the drafter writes, by the number of the sample: two are wrong, one is right."""


def critique(revision: str, **fields: Any) -> str:
    said = {
        "reflection": "It takes away.",
        "good_enough": False,
        "criterion": "correctness",
        "revision": f"def f(x):\n    {revision}",
        "feedback": "It adds.",
    }
    return replies.write({**said, **fields})


def say(model: str, request: Request) -> str:
    prompt = request.prompt
    if prompt.candidates:
        return prompt.candidates[0]
    asked = prompt.messages[-1].content
    n = re.search(r"Add (\d)", asked)
    assert n is not None
    if model.endswith("critic"):
        if f"return x + {n[1]}" in asked:
            return replies.write({"reflection": "It adds.", "good_enough": True})
        return critique(f"return {n[1]} + x")
    draft = DRAFTS[request.index].format(n=n[1])
    return f"```python\ndef f(x):\n    {draft}\n```"


@pytest.fixture
def critics(world: World) -> World:
    repairs = examples()
    unseen = [replace(one, split="test") for one in examples(problems=4)[-7:]]
    world.by_count = {
        1: preferences(repairs, seed=1),
        2: drafting.instructions([*repairs, *unseen]),
    }
    world.say = say
    return world


def learnt_by(world: World, *overrides: str) -> None:
    """The study's pairs and its training, and nothing after."""
    study = world.study(STUDY, *overrides)
    prepare(study, store=world.store, tools=world.tools, watch=Silent())


def notes(world: World) -> list[str]:
    kept = world.root / "runs" / "critics" / "stages" / "pairs critiqued" / "notes.json"
    return [one.partition(": ")[2] for one in json.loads(kept.read_text())]


def learnt(world: World) -> list[Any]:
    (rows,) = world.trained.values()
    return rows


def asked(world: World, name: str) -> list[Request]:
    return [request for model, request in world.asked if model.endswith(name)]


def test_what_a_critic_makes_better_is_what_a_judge_learns(critics: World) -> None:
    carried(critics, STUDY)
    rows = learnt(critics)
    assert len(rows) == 6  # of three problems with three drafts each, one good enough
    for row in rows:
        assert " + x" in row.chosen and "- 9" in row.rejected
        assert row.evidence["by"] == "critic" and row.evidence["drafter"] == "drafter"
        assert row.evidence["passes"] == {"better": True, "worse": False}
    known = [one for one in critics.by_count[1] if one.split == "test"]
    seen = prefer.task.pair(known[0]).prompt  # type: ignore[misc]
    assert any(row.prompt == seen for row in rows)  # in training as in use
    told = notes(critics)
    assert {f"pairs 'critiqued': {one}" for one in told} <= set(critics.findings[0].notes)
    assert told[0] == "6 of 9 drafts of 3 instructions"
    assert "3 of 9 went at decided: 3 good enough" in told
    assert "3 of 9 drafts that the critic saw pass their tests" in told
    assert any("6 mend a draft that failed, 0 break one that passed" in one for one in told)


def test_pairs_are_kept_as_a_file_that_other_studies_read(critics: World) -> None:
    learnt_by(critics)
    stage = critics.root / "runs" / "critics" / "stages" / "pairs critiqued"
    pairs = list(read_pairs(stage / "pairs.jsonl"))
    assert len(pairs) == 6 and {pair.source for pair in pairs} == {"critiques"}
    assert {pair.problem for pair in pairs} == {"add-1", "add-2", "add-3"}
    assert "6 of 9 rows are kept" in (stage / "card.md").read_text()
    assert json.loads((stage / "notes.json").read_text())[0].endswith("of 3 instructions")


def test_nothing_is_asked_twice(critics: World) -> None:
    learnt_by(critics)
    before = len(critics.asked)
    learnt_by(critics)
    assert len(critics.asked) == before
    learnt_by(critics, "pairs.critiqued.tested=true")
    assert not [m for m, _ in critics.asked[before:] if m.endswith(("drafter", "critic"))]
    assert len(asked(critics, "drafter")) == len(asked(critics, "critic")) == 9


def test_a_limit_is_of_instructions(critics: World) -> None:
    learnt_by(critics, "pairs.critiqued.limit=2")
    assert len(asked(critics, "drafter")) == 6


def test_pairs_stand_beside_data(critics: World) -> None:
    learnt_by(critics, "train.judge.data=[bugs, critiqued]")
    rows = learnt(critics)
    bugs = [one for one in critics.by_count[1] if one.split == "train"]
    assert len(rows) == 6 + len(bugs)
    learnt_by(critics, "train.judge={model: small, data: critiqued, prompt: compare}")
    choices = list(critics.trained.values())[-1]
    assert len(choices) == 12  # a conversation for each order


def test_where_tests_decide_only_what_they_bear_out_stays(critics: World) -> None:
    def mistaken(model: str, request: Request) -> str:
        said = say(model, request)
        if model.endswith("critic") and "Add 1" in request.prompt.messages[-1].content:
            return critique("return x * 7")
        return said

    critics.say = mistaken
    learnt_by(critics)
    assert len(learnt(critics)) == 7
    assert any("1 break one that passed, 2 fail on both" in one for one in notes(critics))
    critics.trained.clear()
    learnt_by(critics, "pairs.critiqued.tested=true")
    assert len(learnt(critics)) == 4
    assert any("went at tested: 3 the better side fails a test" in one for one in notes(critics))


def test_each_gate_of_evolve_counts_what_it_drops(critics: World) -> None:
    said = {
        "Add 1": "NOTE",
        "Add 2": critique("return x - 2 - 90  # again"),
        "Add 3": critique("improved = x + 3\n    return improved"),
    }

    def odd(model: str, request: Request) -> str:
        content = request.prompt.messages[-1].content
        if model.endswith("critic") and "- 90" in content:
            return next(reply for words, reply in said.items() if words in content)
        return say(model, request)

    critics.say = odd
    learnt_by(critics)
    told = "; ".join(notes(critics))
    assert "went at readable: 1 not in the form that was asked for" in told
    assert "went at changed: 1 both programs are one up to layout" in told
    assert "went at giveaway: 1 a word in one program tells which it is" in told
    assert len(learnt(critics)) == 3
    with pytest.raises(DataError) as none:
        learnt_by(critics, "pairs.critiqued.licences=[MIT]")
    assert "went at licence" in none.value.problem
    assert none.value.where.endswith("study.yaml:12")


def test_a_program_that_only_tests_have_is_in_no_pair(critics: World) -> None:
    bug = "def f(x):\n    return x - 1 - 90\n"
    (one, *rest) = [row for row in critics.by_count[1] if row.split == "test"]
    side = "second" if prefer.better(one) == "first" else "first"
    held = replace(one, given={**one.given, side: bug})
    train = [row for row in critics.by_count[1] if row.split == "train"]
    critics.by_count[1] = [*train, held, *rest]
    learnt_by(critics)
    assert len(learnt(critics)) == 5
    assert "1 of 6 went at held out: 1 a program of it is one that tests alone have" in notes(
        critics
    )


def test_near_pairs_go_unless_any_may_stay(critics: World) -> None:
    lines = "".join(f"    a{number} = {list(range(40))}\n" for number in range(4))

    def long(model: str, request: Request) -> str:
        said = say(model, request)
        deeper = lines.replace("    ", "      ") if model.endswith("critic") else lines
        return re.sub(r"f\(x\):\n", f"f(x):\n{deeper}", said)

    critics.say = long
    learnt_by(critics, "pairs.critiqued.alike=0.8")
    assert any("went at near-duplicate: 5 its change is like" in one for one in notes(critics))
    learnt_by(critics)
    assert "6 of 9 drafts of 3 instructions" in notes(critics)


def test_apart_holds_pairs_apart_too(critics: World) -> None:
    more = "Whole numbers come in, and whole numbers go out again."
    for number, rows in critics.by_count.items():
        critics.by_count[number] = [
            replace(one, given={**one.given, **{
                name: f"{one.given[name]} {more}" for name in ("statement", "instruction")
                if name in one.given
            }})
            for one in rows
        ]  # fmt: skip
    with pytest.raises(DataError) as told:
        learnt_by(critics, "apart=0.2")
    assert "went at evaluation: text" in told.value.problem


def test_no_pair_is_an_error_that_says_where_all_went(critics: World) -> None:
    critics.say = lambda model, request: (
        "I can't." if model.endswith("drafter") else say(model, request)
    )
    with pytest.raises(DataError) as told:
        learnt_by(critics)
    assert "0 of 9 drafts" in told.value.problem
    assert "9 of 9 went at draft: 9 no program" in told.value.problem
    assert critics.trained == {}


def test_a_critic_that_is_its_drafter_is_told_of_before_and_after(
    critics: World, capsys: pytest.CaptureFixture[str]
) -> None:
    alike = "pairs.critiqued.critic=drafter"
    study = critics.study(STUDY, alike)
    said = "pairs 'critiqued': the critic is the drafter itself"
    assert warnings(critics.study(STUDY)) == [] and warnings(study)[0].startswith(said)
    from rich.console import Console

    show_stages(study, Console(width=200))
    shown = capsys.readouterr().out
    assert "what drafter makes better, 3 sample(s) of drafter on to write" in shown
    assert f"warning: {said}" in shown
    critics.say = lambda model, request: say(
        model.replace("drafter", "critic") if "was written" in str(request.prompt) else model,
        request,
    )
    learnt_by(critics, alike)
    assert any("2.5 to 9.4%" in one for one in notes(critics))


def test_a_drafter_and_a_critic_may_be_trained_by_the_study(critics: World) -> None:
    trained = STUDY.replace("  judge: {model: small", "  one: {model: small, data: bugs, "
        "prompt: reward, method: reward}\n  judge: {model: small", 1)  # fmt: skip
    watch = Silent()
    study = critics.study(trained, "pairs.critiqued.model=one", "pairs.critiqued.critic=critic")

    def named(model: str, request: Request) -> str:
        return say("drafter" if model.endswith("train one") else model, request)

    critics.say = named
    prepare(study, store=critics.store, tools=critics.tools, watch=watch, only="judge")
    assert len(critics.trained) == 2
    assert {"generate drafter one", "generate critic critic"} <= set(watch.stages)


@pytest.mark.parametrize(
    ("override", "problem"),
    [
        ("pairs.critiqued.critic=nobody", "there is no model 'nobody'"),
        ("pairs.critiqued.from=nothing", "there is no data 'nothing'"),
        ("task=write", "the pairs that a critic makes are examples of prefer: 'critiqued'"),
        ("pairs.critiqued.chosen=gold", "unknown key 'chosen' in 'pairs.critiqued'"),
        ("answer.base.data=critiqued", "there is no data 'critiqued'"),
        ("pairs.critiqued.critic_prompt=loud", "'critiqued': critique has no prompt 'loud'"),
        ("pairs.critiqued.prompt=loud", "'critiqued': write has no prompt 'loud'"),
    ],
)
def test_mistakes_are_told_before_anybody_is_asked(
    critics: World, override: str, problem: str
) -> None:
    with pytest.raises(StudyError) as told:
        learnt_by(critics, override)
    assert told.value.problem == problem
    assert critics.asked == []


def test_data_without_instructions_is_told_with_its_line(critics: World) -> None:
    with pytest.raises(DataError) as told:
        learnt_by(critics, "pairs.critiqued.from=bugs")
    assert told.value.problem == "'bugs' has no training examples of write"
    assert told.value.where.endswith("study.yaml:12")


def test_tasks_of_a_run_must_let_the_pairs_in(critics: World) -> None:
    both = ("task=[prefer, write]", "train.judge.tasks=[write]")
    with pytest.raises(StudyError, match="which tasks leaves out"):
        critics.study(STUDY, *both)


def test_the_known_answers_are_examples_of_one_kind(critics: World) -> None:
    made: list[Example] = critics.by_count[2]
    assert {one.task for one in made} == {"write"}
    assert [one.split for one in made] == ["train", "train", "train", "test"]


def test_a_dry_run_counts_drafts_and_critiques(critics: World) -> None:
    served = ("models.drafter=openai/a-model", "models.critic=anthropic/a-model")
    study = critics.study(STUDY, *served)
    tools, store = critics.tools, critics.store
    shares = list(shares_of(study, Remote(), tools, Silent(), store=store))
    told = [(share.model, share.what, share.estimate.calls) for share in shares[:2]]
    assert told == [
        ("openai/a-model", "pairs critiqued, drafts", 9),
        ("anthropic/a-model", "pairs critiqued, critiques", 9),
    ]
    assert critics.asked == []


def test_the_study_of_critics_asks_all_judges_the_same() -> None:
    study = load_study(EXPERIMENT)
    pairs = study.pairs.values()
    assert {tuple(sorted(set(entry.models))) for entry in pairs} == {
        ("critic", "drafter"),
        ("both",),
    }
    assert len({repr(entry.model_copy(update={"model": "", "critic": ""})) for entry in pairs}) == 1
    judges = [run for run in study.runs().values() if run.settings.method == "reward"]
    assert len(judges) == 4 and len({repr(run.settings) for run in judges}) == 1
    assert [one.partition("'")[2] for one in warnings(study)] == [
        "one model': the critic is the drafter itself, 'both'"
    ]
