"""Who answers: contestants asked and scored, and floors, which need no model."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from outdo.pipeline.asking import Asked, asked
from outdo.pipeline.fields import field_of
from outdo.pipeline.findings import Entrant, Reply, everybody
from outdo.pipeline.job import Job
from outdo.pipeline.learning import Weights
from outdo.pipeline.stages import Generated, generate, score, score_key
from outdo.records import Completion, Example
from outdo.study import Answering, Answers, Compared


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


def tables(job: Job, entrants: Sequence[Entrant]) -> dict[str, list[Entrant]]:
    """The contestants of every table of the study, its floors last."""
    found: dict[str, list[Entrant]] = {}
    for title, table in (job.study.compare or {job.task.name: everybody(job.study)}).items():
        chosen = [one for name in table.answers for one in entrants if one.entry == name]
        found[title] = [*chosen, *_floors(job, table, chosen)]
    return found


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
    chosen = {example.id: _unseen_by(weights, example) for example in test}
    for one in weights:
        mine = [example for example in test if chosen[example.id] is one]
        if not mine:
            continue
        name = answers.name + suffix + (f" on {one.left_out[1]}" if one.left_out else "")
        shots = job.shots[answers.name]
        owed = list(asked(job.task, answers.ask, mine, shots, seed=job.study.seed))
        generated = generate(job.shop, one.reference, answers.ask, owed, name=name)
        job.link(f"generate {name}", generated.stage)
        yield from _scored(job, name, generated, run=run)


def _unseen_by(weights: Sequence[Weights], example: Example) -> Weights:
    """The model whose training left the example out, or the first."""
    return next((one for one in weights if not one.has_seen(example)), weights[0])


def _scored(job: Job, name: str, generated: Generated, *, run: int = 0) -> Iterator[Reply]:
    scores = score(job.shop, job.task, generated, name=name)
    job.link(f"score {name}", scores.stage)
    for one, completion in generated.answers:
        scored = None
        if isinstance(completion, Completion):
            scored = scores.by_key[score_key(one, completion)]
        yield Reply(one.example, one.request.index, completion, scored, view=one.place, run=run)


# ------------------------------------------------------------------ floors


def _floors(job: Job, table: Compared, entrants: Sequence[Entrant]) -> Iterator[Entrant]:
    """The floors of a table, who see of the training rows what its contestants saw."""
    field = next((one.leaves_out for one in entrants if one.leaves_out), None)
    data = job.data[entrants[0].data]
    test = job.limited(data.of("test"))
    for name in table.floors:
        floor = job.task.floors[name]
        ask = Answering(model=f"floor/{name}", prompt=job.task.variants[0])
        said = []
        for one in asked(job.task, ask, test, (), seed=job.study.seed):
            seen, view = data.of("train"), one.view
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
