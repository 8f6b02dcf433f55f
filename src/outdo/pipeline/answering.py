"""Who answers: contestants asked and scored, and floors, which need no model."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from outdo.pipeline.asking import Asked, asked, asked_of_all
from outdo.pipeline.duties import chosen
from outdo.pipeline.entrants import Entrant, Reply, Sheet, everybody, table_name
from outdo.pipeline.fields import field_of
from outdo.pipeline.job import Job
from outdo.pipeline.learning import Weights
from outdo.pipeline.scoring import scored_by_key
from outdo.pipeline.stages import Generated, asked_again, generate, score_key
from outdo.records import Answer, Completion, Example
from outdo.study import Answering, Answers, Compared
from outdo.tasks import Task


def entrants(job: Job, weights: Mapping[str, Sequence[Weights]]) -> list[Entrant]:
    """Everybody whose answers the study asks for, answered and scored."""
    runs = job.study.runs()
    return [
        _entrant(
            job,
            one,
            {
                name.removeprefix(runs[name].contestant) if name in runs else "": weights[name]
                for name in one.models
            },
        )
        for one in job.study.answers().values()
    ]


def sheets(job: Job, entrants: Sequence[Entrant]) -> list[Sheet]:
    """Every table of the study, one for each task that it has examples of; floors stand last."""
    found = []
    tasks = job.duties.tasks
    for title, table in (job.study.compare or {tasks[0].name: everybody(job.study)}).items():
        there = [one for name in table.answers for one in entrants if one.entry == name]
        for task in chosen(job.study, job.duties, table.tasks):
            mine = there
            if len(tasks) > 1:
                mine = [_of_task(job, one, task) for one in there]
            if any(one.replies for one in mine):
                floors = _floors(job, table, mine, task)
                name = table_name(task, "" if not job.study.compare else title)
                found.append(Sheet(name, task, table, (*mine, *floors)))
    return found


def _of_task(job: Job, entrant: Entrant, task: Task) -> Entrant:
    """The contestant with what it said to the examples of one task."""
    mine = tuple(one for one in entrant.replies if job.duties.of(one.example) is task)
    return replace(entrant, replies=mine)


def _entrant(job: Job, answers: Answers, runs: Mapping[str, Sequence[Weights]]) -> Entrant:
    """What a contestant said to every test example, and what it earned.

    `runs` are the models of its training runs, by what tells the name of each from its own.
    """
    first = [weights[0] for weights in runs.values()]
    return Entrant(
        name=answers.name,
        entry=answers.entry,
        model=first[0].reference.label,
        ask=answers.ask,
        data=answers.data,
        replies=tuple(
            reply
            for number, (suffix, weights) in enumerate(runs.items())
            for reply in _answered(job, answers, weights, suffix=suffix, run=number)
        ),
        trainings=tuple(one.training.name for one in first if one.training),
        leaves_out=next((one.left_out[0] for one in first if one.left_out), None),
    )


def _answered(
    job: Job, answers: Answers, weights: Sequence[Weights], *, suffix: str, run: int
) -> Iterator[Reply]:
    """The replies of one run of a contestant.

    Where a field's values were left out in turn, each model answers for what it hasn't seen, and
    the first one for what none has seen.
    """
    test = job.limited(job.data[answers.data].of("test"))
    turns = {example.id: _unseen_by(weights, example) for example in test}
    for one in weights:
        mine = [example for example in test if turns[example.id] is one]
        if not mine:
            continue
        name = answers.name + suffix + (f" on {one.left_out[1]}" if one.left_out else "")
        ask, shots = answers.ask, job.shots[answers.name]
        duties = job.duties.guarded() if ask.guard else job.duties
        size = job.size(one.reference, ask.context)
        owed = list(asked_of_all(duties, ask, mine, shots, seed=job.study.seed, size=size))
        generated = generate(job.shop, one.reference, ask, owed, name=name)
        job.link(f"generate {name}", generated.stage)
        generated = asked_again(job.shop, one.reference, ask, generated, name=name)
        yield from _scored(job, name, generated, run=run)


def _unseen_by(weights: Sequence[Weights], example: Example) -> Weights:
    """The model whose training left the example out, or the first."""
    return next((one for one in weights if not one.has_seen(example)), weights[0])


def _scored(job: Job, name: str, generated: Generated, *, run: int = 0) -> Iterator[Reply]:
    scores = scored_by_key(job, generated, name=name)
    for one, completion in generated.answers:
        scored, second = None, generated.second(one)
        if isinstance(second, str):
            completion = f"asked again, it gave no answer: {second}"
        if isinstance(completion, Completion) and not isinstance(second, str):
            scored = scores[score_key(one, completion, second)]
        yield Reply(
            one.example,
            one.request.index,
            completion,
            scored,
            view=one.place,
            run=run,
            prompt=one.request.prompt,
            second=second if isinstance(second, Completion) else None,
            withheld=scored is not None and _withheld(job, one, completion, scored.answer),
        )


def _withheld(job: Job, one: Asked, completion: Completion | str, answer: Answer) -> bool:
    """Whether a guard keeps back what was said: read without it there is an answer."""
    bare = job.duties.of(one.example)
    if one.task is bare or answer.value is not None or not isinstance(completion, Completion):
        return False
    return bare.parse(completion.text, one.view).value is not None


# ------------------------------------------------------------------ floors


def _floors(
    job: Job, table: Compared, entrants: Sequence[Entrant], task: Task
) -> Iterator[Entrant]:
    """The floors of a table, who see of the training rows what its contestants saw."""
    field = next((one.leaves_out for one in entrants if one.leaves_out), None)
    data = job.data[entrants[0].data]
    test = job.duties.mine(task, job.limited(data.of("test")))
    train = job.duties.mine(task, data.of("train"))
    for name in (one for one in table.floors if one in task.floors):
        floor = task.floors[name]
        ask = Answering(model=f"floor/{name}", prompt=task.variants[0])
        said = []
        for one in asked(task, ask, test, (), seed=job.study.seed):
            seen, view = train, one.view
            if field is not None:
                seen = [row for row in seen if field_of(row, field) != field_of(view, field)]
                view = _without_nearest(view)
            said.append((one, _reply(one, ask.model, floor(view, seen))))
        generated = Generated(stage=Path(ask.model), answers=tuple(said))
        yield Entrant(
            name=ask.model,
            entry=ask.model,
            model=ask.model,
            ask=ask,
            data=entrants[0].data,
            replies=tuple(_scored(job, ask.model, generated)),
            floor=True,
            leaves_out=field,
        )


def _reply(one: Asked, name: str, text: str) -> Completion:
    """A floor's reply, in the form of any other answer."""
    return Completion(
        prompt=one.request.prompt.key,
        model=name,
        served_by="floor",
        sampling=one.request.sampling,
        index=one.request.index,
        text=text,
        finish="stop",
    )


def _without_nearest(example: Example) -> Example:
    """The example as it looks where no program of its problem is known."""
    return replace(example, wanted={**example.wanted, "nearest": None})
