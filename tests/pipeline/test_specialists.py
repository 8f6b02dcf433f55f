"""Two tasks on the same programs: who learns which, who is told where, what is withheld."""

from __future__ import annotations

from pathlib import Path

import pytest
from test_carry import carried, stages
from world import GOOD, World, examples, number

from outdo.data.hints import for_tasks
from outdo.errors import StudyError
from outdo.pipeline.contests import said
from outdo.pipeline.entrants import Reply
from outdo.pipeline.raters import _said
from outdo.records import Completion, Request, Sampling
from outdo.report import Contestant, Findings, files
from outdo.tasks import guarded, hint, repair

FEEDBACK = """
study: scripted
task: [repair, hint]
data:
  sums: {source: inject, tasks: [repair, hint]}
models:
  small: ./small
train:
  repair: &recipe
    model: small
    tasks: [repair]
    lora: [{rank: 4}, {rank: 8}]
  hints: {<<: *recipe, tasks: [hint]}
  merged: {<<: *recipe, tasks: [repair, hint]}
answer:
  base: {model: small}
  hints: {model: hints}
  merged: {model: merged}
  merged, guarded: {model: merged, guard: true}
compare:
  all:
    answers: [merged, hints, base]
    against: [base]
  one or both:
    tasks: [hint]
    answers: [merged, hints]
    against: [hints]
  leaks:
    tasks: [hint]
    answers: ["merged, guarded", merged]
    against: [merged]
"""
FINE = "Look again at line 2: is it the operation that you need?"
LEAK = "In line 2 write `return x + {n}` and it is mended."


@pytest.fixture
def world(world: World) -> World:
    world.rows = for_tasks(examples(), ["repair", "hint"])
    world.say = says
    return world


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> World:
    """The study once carried out: its findings are looked at and not changed."""
    made = World(tmp_path_factory.mktemp("feedback"))
    made.rows, made.say = for_tasks(examples(), ["repair", "hint"]), says

    def keep(findings: Findings, found: object, folder: Path) -> None:
        made.findings.append(findings)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(files, "write", keep)
        carried(made, FEEDBACK)
    return made


def says(model: str, request: Request) -> str:
    """Specialists know their task; the merged model gives the first problem's answer away."""
    is_hint = request.prompt.messages[-1].content.endswith(hint.ASK)
    if not is_hint:
        return GOOD.format(n=number(request)) if "hints" not in model else "no"
    if "merged" in model:
        return LEAK.format(n=1) if number(request) == "1" else FINE
    return FINE if "hints" in model else "I can't tell what is wrong with it."


def table(found: Findings, title: str) -> dict[str, Contestant]:
    return {one.name: one for one in found.contestants if one.task == title}


def mean(contestant: Contestant, metric: str) -> float:
    told = [
        score.value
        for row in contestant.rows
        for score in row.scores
        if score.metric == metric and score.value is not None
    ]
    return sum(told) / len(told)


def test_each_run_learns_the_tasks_that_it_is_kept_to(done: World) -> None:
    learnt = {frozenset(row.task for row in rows): len(rows) for rows in done.trained.values()}
    assert learnt == {
        frozenset({"repair"}): 12,
        frozenset({"hint"}): 12,
        frozenset({"repair", "hint"}): 24,
    }


def test_a_table_is_of_the_tasks_that_it_names(done: World) -> None:
    assert list(done.findings[0].metrics) == [
        "repair, all",
        "hint, all",
        "hint, one or both",
        "hint, leaks",
    ]


def test_of_a_matrix_those_that_were_trained_alike_meet(done: World) -> None:
    met = {(one.a, one.b) for one in done.findings[0].matches if one.task == "hint, one or both"}
    assert met == {("merged r=4", "hints r=4"), ("merged r=8", "hints r=8")}
    met = {(one.a, one.b) for one in done.findings[0].matches if one.task == "hint, leaks"}
    assert met == {("merged, guarded r=4", "merged r=4"), ("merged, guarded r=8", "merged r=8")}
    everybody = [one for one in done.findings[0].matches if one.task == "hint, all"]
    assert {one.b for one in everybody} == {"base"} and len(everybody) == 4


def test_a_guard_withholds_what_leaks_and_asks_nobody_again(done: World) -> None:
    told = table(done.findings[0], "hint, leaks")
    open_, shut = told["merged r=4"], told["merged, guarded r=4"]
    assert mean(open_, "hconceal_rules") == pytest.approx(2 / 3)
    assert mean(shut, "hconceal_rules") == 1
    assert mean(open_, "hgood_rules") == mean(shut, "hgood_rules") == pytest.approx(2 / 3)
    problems = [row.problem for row in shut.rows if row.problem]
    assert len(problems) == 3 and all(one.startswith("withheld: holds") for one in problems)
    keys = [(model, request.key) for model, request in done.asked]
    assert len(keys) == len(set(keys)), "what was said is read anew"
    assert "score merged, guarded r=4, hint" in stages(done)


def test_nobody_sees_what_is_withheld() -> None:
    (example,) = for_tasks(examples(problems=1, train=0, test=1), ["hint"])
    prompt = hint.task.prompt(example, variant="direct")
    completion = Completion(
        prompt=prompt.key,
        model="small",
        served_by="script",
        sampling=Sampling(),
        index=0,
        text=LEAK,
        finish="stop",
    )
    seen = Reply(example, 0, completion, None)
    assert said(seen) == LEAK and _said(seen) == LEAK
    kept = Reply(example, 0, completion, None, withheld=True)
    assert said(kept) == "", "a judge finds it empty"
    assert _said(kept) is None, "and it stands on no sheet"


def test_a_task_without_a_rule_is_what_it_was_under_guard() -> None:
    assert guarded(repair.task) is repair.task
    assert guarded(guarded(hint.task)).version == hint.guarded.version


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("tasks: [repair]\n", "tasks: [repare]\n", "there is no task 'repare'"),
        ("tasks: [hint]\n    answers", "tasks: [tip]\n    answers", "there is no task 'tip'"),
        ("tasks: [repair]\n", "tasks: [repair, repair]\n", "'repair' is there twice"),
    ],
)  # fmt: skip
def test_tasks_that_the_study_does_not_have_are_told(
    world: World, old: str, new: str, problem: str
) -> None:
    with pytest.raises(StudyError, match=problem) as told:
        carried(world, FEEDBACK.replace(old, new))
    assert "study.yaml:" in str(told.value.where)
    assert not world.trained


def test_a_run_without_an_example_of_its_task_is_told_before_any_training(world: World) -> None:
    world.rows = [one for one in world.rows if one.task == "repair" or one.split == "test"]
    with pytest.raises(StudyError, match="there is no example of hint to learn from"):
        carried(world, FEEDBACK)
    assert not world.trained


def test_tasks_do_not_choose_among_rows_as_they_are(world: World) -> None:
    text = FEEDBACK.replace(
        "models:", "  chats: {source: conversations, path: chats.jsonl}\nmodels:"
    )
    text = text.replace("    tasks: [repair]\n", "    tasks: [repair]\n    data: chats\n")
    text = text.replace("model: small}", "model: small, data: sums}")
    for name in ("hints", "merged"):
        text = text.replace(f"model: {name}}}", f"model: {name}, data: sums}}")
    text = text.replace("model: merged, guard", "model: merged, data: sums, guard")
    with pytest.raises(StudyError, match="tasks choose among examples, and 'chats' holds conversa"):
        carried(world, text)


def test_a_guard_where_no_task_has_a_rule_is_told(world: World) -> None:
    text = FEEDBACK.replace("[repair, hint]\ndata", "repair\ndata")
    text = text.replace("tasks: [repair]\n", "\n").replace("tasks: [hint]\n", "\n")
    text = text.replace(", tasks: [hint]", "").replace(", tasks: [repair, hint]}", "}")
    with pytest.raises(StudyError, match="repair has no rule by which to withhold a reply"):
        carried(world, text)
