"""What a run learns from: mixtures, held-out rows, pairs made by running, a reference's view."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from test_carry import carried, contestants, stages
from world import BAD, GOOD, STUDY, Silent, World, number

from outdo import catalog
from outdo.errors import DataError, StudyError
from outdo.pipeline import prepare
from outdo.records import Conversation, Message, Pair, Prompt, Request
from outdo.tasks import repair

ALONE = """
study: scripted
task: repair
data:
  sums: {source: inject}
models:
  small: ./small
train:
  tuned: {model: small}
answer:
  base: {model: small}
  tuned: {model: tuned}
"""


def with_train(*entries: str, pairs: str = "") -> str:
    text = ALONE.replace("  tuned: {model: small}\n", "".join(f"  {one}\n" for one in entries))
    return text.replace("train:\n", f"{pairs}train:\n")


def trained(world: World, text: str, *overrides: str) -> list[list[Any]]:
    """The rows of each training that was new."""
    before = set(world.trained)
    prepare(world.study(text, *overrides), store=world.store, tools=world.tools, watch=Silent())
    return [rows for name, rows in world.trained.items() if name not in before]


# ------------------------------------------------------------------ mixtures, held-out rows


TWO = with_train("tuned: {model: small, data: [sums, more]}").replace(
    "models:", "  more: {source: inject, count: 3}\nmodels:"
)
TWO = TWO.replace("{model: small}", "{model: small, data: sums}").replace(
    "{model: tuned}", "{model: tuned, data: more}"
)


def test_several_data_sets_are_one(world: World) -> None:
    (rows,) = trained(world, TWO)
    assert len(rows) == 24
    assert len({row.id for row in rows}) == 12
    (fewer,) = trained(world, TWO, "train.tuned.limit=5")
    assert fewer == rows[:5]


def test_a_mixture_takes_its_shares(world: World) -> None:
    world.by_count = {3: [replace(row, source="other") for row in world.rows]}
    (rows,) = trained(world, TWO, "train.tuned.data={sums: 3, more: 1}")
    assert len(rows) == 24
    assert sum(row.source == "other" for row in rows) == 6


def test_whole_groups_are_held_out(world: World) -> None:
    (rows,) = trained(world, ALONE, "train.tuned.validation=0.3")
    held_out = world.validated["tuned"]
    assert (len(rows), len(held_out)) == (8, 4)
    assert not {row.group for row in rows} & {row.group for row in held_out}
    trained(world, ALONE, "train.tuned.validation=0.3", "train.tuned.seed=9")
    assert world.validated["tuned"] == held_out


def test_one_group_can_not_be_held_out(world: World) -> None:
    world.rows = [row for row in world.rows if row.group == "add-1"]
    with pytest.raises(DataError) as told:
        trained(world, ALONE, "train.tuned.validation=0.3")
    assert told.value.problem == "all rows are of one group"
    assert told.value.where == f"{world.root}/study.yaml:9"


def test_the_tasks_own_score_of_held_out_examples_is_handed_in(world: World) -> None:
    keys = ("train.tuned.validation=0.3", "train.tuned.keep=best", "train.tuned.by=score")
    asked = len(world.asked)
    trained(world, ALONE, *keys, "answer.tuned.max_tokens=99")
    assert world.scores == [1.0]
    requests = [request for model, request in world.asked[asked:] if model == "train living"]
    assert len(requests) == 4
    assert {(one.sampling.temperature, one.sampling.max_tokens) for one in requests} == {(0.0, 99)}
    shown = {message.content for row in world.validated["tuned"] for message in row.messages}
    assert {request.prompt.messages[-1].content for request in requests} < shown


# ------------------------------------------------------------------ rows of files


def chat(n: int) -> Conversation:
    turns = (Message(role="user", content=f"{n}?"), Message(role="assistant", content=f"{n}!"))
    return Conversation(id=f"chat-{n}", group=f"g{n % 2}", task="chat", source="f", messages=turns)


def judged(n: int) -> Pair:
    prompt = Prompt(messages=(Message(role="user", content=f"{n}?"),))
    return Pair(
        id=f"pair-{n}",
        group=f"g{n % 2}",
        source="f",
        prompt=prompt,
        chosen=f"yes {n}",
        rejected="no",
        criterion="preferred",
    )


FILE = with_train("tuned: {model: small, data: file}").replace(
    "models:", "  file: {source: conversations, path: x}\nmodels:"
)


def test_rows_of_a_file_are_learnt_from_as_they_are(world: World) -> None:
    world.file_rows = [chat(n) for n in range(6)]
    (rows,) = trained(world, FILE, "train.tuned.leave_out=group")[:1]
    assert {row.group for row in rows} == {"g1"}
    assert all(row in world.file_rows for row in rows)
    with pytest.raises(StudyError) as told:
        trained(world, FILE, "train.tuned.leave_out=given.problem")
    assert told.value.hint == "rows of a file have a group and a source"


def test_pairs_of_a_file_are_for_methods_of_pairs(world: World) -> None:
    world.file_rows = [judged(n) for n in range(6)]
    text = FILE.replace("source: conversations", "source: pairs")
    (rows,) = trained(world, text, "train.tuned.method=reward")
    assert sorted(row.id for row in rows) == [f"pair-{n}" for n in range(6)]
    assert world.told["tuned"] is None


def test_a_task_that_makes_no_pairs_says_so_before_any_training(world: World) -> None:
    with pytest.raises(StudyError) as told:
        trained(world, ALONE, "train.tuned.method=dpo")
    assert told.value.problem == "dpo learns from pairs, and repair makes none of its examples"
    assert told.value.where == "--set train.tuned.method=dpo"
    assert world.trained == {}


def test_a_task_with_views_is_learnt_and_asked_in_each(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def views(example: Any) -> tuple[Any, Any]:
        other = f"{example.given['statement']} Once more."
        return example, replace(example, given={**example.given, "statement": other})

    task = replace(repair.task, views=views)
    monkeypatch.setattr(catalog, "named", lambda *_, **__: task)
    carried(world, ALONE, "limit=2", "answer.base.samples=2")
    (rows,) = world.trained.values()
    assert len(rows) == 24
    assert sum("Once more." in row.messages[-2].content for row in rows) == 12
    base = contestants(world.findings[0])["base"]
    assert sorted((row.example, row.view, row.index) for row in base.rows) == sorted(
        (name, view, index)
        for name in world.findings[0].examples
        for view in range(2)
        for index in range(2)
    )
    asked = [r for m, r in world.asked if m == "./small"]
    assert sum("Once more." in r.prompt.messages[-1].content for r in asked) == 4


# ------------------------------------------------------------------ pairs made by running


OWN = "pairs:\n  own: {from: sums, model: small, samples: 4}\n"
PAIRED = with_train("better: {model: small, method: dpo}", pairs=OWN).replace(
    "tuned: {model: tuned}", "better: {model: better}"
)


def some_pass(model: str, request: Request) -> str:
    """The first sample passes, and the others fail in two ways."""
    if request.index == 0 or "train" in model:
        return GOOD.format(n=number(request))
    return BAD.format(n=int(number(request)) + request.index % 2)


def test_pairs_are_made_by_running_what_a_model_says(world: World) -> None:
    world.say = some_pass
    watch = Silent()
    carried(world, PAIRED, watch=watch)
    (rows,) = world.trained.values()
    assert len(rows) == 24  # two for each of twelve examples
    for row in rows:
        assert "x + " in row.chosen
        assert "x - " in row.rejected
        assert row.evidence["chosen"] == {
            "from": row.evidence["chosen"]["from"],
            "sample": 0,
            "passes": True,
        }
        assert row.evidence["rejected"]["passes"] is False
        assert row.evidence["chosen"]["from"].startswith("./small@")
    assert {row.evidence["example"] for row in rows} == {
        row.id for row in world.rows if row.split == "train"
    }
    assert [title for title in watch.stages if "own" in title] == [
        "generate pairs own",
        "score pairs own",
        "pairs own",
    ]
    assert "pairs 'own': 24 of 12 examples" in world.findings[0].notes
    assert {"pairs own", "generate pairs own", "score pairs own", "reference better"} < set(
        stages(world)
    )
    kept = world.root / "runs" / "scripted" / "stages" / "pairs own" / "pairs.jsonl"
    assert sorted(json.loads(line)["id"] for line in kept.read_text().splitlines()) == sorted(
        r.id for r in rows
    )


def test_pairs_are_paid_for_once_and_a_larger_limit_pays_for_the_rest(world: World) -> None:
    world.say = some_pass
    carried(world, PAIRED, "pairs.own.limit=3")
    mine = [r for m, r in world.asked if r.sampling.temperature == 0.8]
    assert len(mine) == 12
    carried(world, PAIRED, "pairs.own.limit=5")
    both = [r for m, r in world.asked if r.sampling.temperature == 0.8]
    assert len(both) == 20
    assert len({r.key for r in both}) == 20
    asked = len(world.asked)
    carried(world, PAIRED, "pairs.own.limit=5")
    assert len(world.asked) == asked


def test_the_known_answer_against_the_models_own(world: World) -> None:
    keys = [f"pairs.own.{key}" for key in ("chosen=gold", "rejected=own", "samples=1")]
    carried(world, PAIRED, *keys, "pairs.own.temperature=0")
    (rows,) = world.trained.values()
    assert len(rows) == 12
    assert {row.criterion for row in rows} == {"gold"}
    assert all(row.evidence["chosen"]["from"] == "gold" for row in rows)
    assert all("x - " in row.rejected for row in rows)


def test_no_pair_at_all_is_an_error_that_says_why(world: World) -> None:
    with pytest.raises(DataError) as told:
        carried(world, PAIRED)
    assert told.value.problem == (
        "pairs 'own': 0 of 12 examples; pairs 'own': 12 examples give none: no reply passes"
    )
    assert told.value.hint == "take more samples, a higher temperature, or another model"
    assert told.value.where == f"{world.root}/study.yaml:9"
    assert world.trained == {}


def test_pairs_of_what_is_left_out_are_left_out_too(world: World) -> None:
    world.say = some_pass
    carried(world, PAIRED, "train.better.leave_out=group")
    assert sorted({row.group for row in rows} for rows in world.trained.values()) == sorted(
        [{"add-2", "add-3"}, {"add-1", "add-3"}, {"add-1", "add-2"}]
    )


# ------------------------------------------------------------------ what a reference thinks


CHAIN = with_train(
    "tuned: {model: small}", "better: {model: tuned, method: dpo}", pairs=OWN
).replace("tuned: {model: tuned}", "better: {model: better}")


def test_the_reference_is_the_model_that_the_run_starts_from(world: World) -> None:
    world.say = some_pass
    carried(world, CHAIN)
    assert {model for model, _ in world.referred} == {"run/scripted/train tuned"}
    pairs = next(rows for rows in world.trained.values() if isinstance(rows[0], Pair))
    assert world.told["better"] == [(-len(p.chosen), -len(p.rejected)) for p in pairs]


def test_the_reference_may_be_another(world: World) -> None:
    world.say = some_pass
    carried(world, CHAIN)
    first = set(world.trained)
    trainings = len(list((world.root / "runs" / ".stages").glob("train-*")))
    carried(world, CHAIN, "train.better.reference=small")
    assert {model for model, _ in world.referred} == {"run/scripted/train tuned", "./small"}
    assert set(world.trained) == first
    assert len(list((world.root / "runs" / ".stages").glob("train-*"))) == trainings + 1


def test_a_sweep_asks_the_reference_once(world: World) -> None:
    world.say = some_pass
    keys = ("train.better.learning_rate=[1e-4, 1e-3]", "train.better.epochs=[1, 2]")
    carried(world, PAIRED, *keys, "train.better.validation=0.3")
    assert len(world.referred) == 24
    assert len({(p.prompt, p.chosen, p.rejected) for _, p in world.referred}) == 24
    told = {name: len(logs or ()) for name, logs in world.told.items()}
    assert set(told.values()) == {24}
    assert len(told) == 4
    (stage,) = (world.root / "runs" / ".stages").glob("reference-*")
    assert (stage / "rows.jsonl").read_bytes().count(b"\n") == 24


def test_a_pair_that_is_not_learnt_from_has_nothing_to_tell(world: World) -> None:
    world.say = some_pass
    world.unlearnt = "x + 1"
    carried(world, PAIRED)
    pairs = next(iter(world.trained.values()))
    assert world.told["better"] == [
        None if "x + 1" in p.chosen else (-len(p.chosen), -len(p.rejected)) for p in pairs
    ]


# ------------------------------------------------------------------ seeds


def test_runs_that_differ_in_their_seed_are_one_contestant(world: World) -> None:
    carried(world, STUDY, "train.tuned.seeds=3")
    (findings,) = world.findings
    tuned = contestants(findings)["tuned"]
    assert tuned.trainings == ("tuned seed 1", "tuned seed 2", "tuned seed 3")
    assert sorted({row.run for row in tuned.rows}) == [0, 1, 2]
    assert len(tuned.rows) == 27
    assert {one.name: one.entry for one in findings.trainings} == dict.fromkeys(
        tuned.trainings, "tuned"
    )
    assert len([one for one in findings.contestants if not one.floor]) == 3
    asked = {model for model, _ in world.asked if "train" in model}
    assert asked == {f"run/scripted/train tuned seed {n}" for n in (1, 2, 3)}
    assert "generate tuned seed 2" in stages(world)


def test_each_seed_is_gone_on_with_by_itself(world: World) -> None:
    world.say = some_pass
    carried(world, CHAIN, "train.tuned.seeds=2")
    assert {model for model, _ in world.referred} == {
        f"run/scripted/train tuned seed {n}" for n in (1, 2)
    }
    assert contestants(world.findings[0])["better"].trainings == ("better seed 1", "better seed 2")


# ------------------------------------------------------------------ few-shot


def test_a_prompt_that_shows_solved_examples_needs_some(world: World) -> None:
    with pytest.raises(StudyError) as told:
        carried(world, STUDY, "answer.base few-shot={model: small, prompt: few-shot}")
    assert told.value.problem == "the prompt 'few-shot' shows solved examples, and shots is 0"
    assert told.value.where == "--set answer.base few-shot={model: small, prompt: few-shot}"
    assert world.trained == {}
