"""Who judges in a study: each judge with its model, over the tables that name it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from outdo.pipeline.entrants import Sheet
from outdo.pipeline.job import Job
from outdo.pipeline.jury import Bench, Chair, Heard, Jury, heard, jury_of
from outdo.pipeline.learning import Weights
from outdo.pipeline.people import Labels, between_people, said_by_people, unused
from outdo.pipeline.rubrics import Rated, rated
from outdo.study import Judging, Run


def judged(
    job: Job,
    weights: Mapping[str, Sequence[Weights]],
    sheets: Sequence[Sheet],
    labels: Labels,
) -> Jury:
    """What the judges of a study say of its tables, held against people's labels of them.

    Nothing where no table names a judge.
    """
    runs = job.study.runs()
    bench = Bench(job.shop, job.study.seed)
    models = {
        name: _made_from(job, one.models[0], runs) for name, one in job.study.answers().items()
    }
    people = {one.name: said_by_people(one, labels) for one in sheets if one.spec.people}
    told: list[Heard] = []
    checks: list[Rated] = []
    notes = list(unused(labels, sheets))
    for name, spec in job.study.judges.items():
        mine = [sheet for sheet in sheets if name in sheet.spec.judges]
        if not mine:
            continue
        chair = _chair(job, name, spec, weights, runs)
        if spec.way == "rubric":
            checks.append(rated(bench, chair, mine, models))
            notes += checks[-1].notes
        else:
            one, said = heard(bench, chair, mine, models)
            told.append(one)
            notes += said
    jury = jury_of(told, notes, people)
    raters = [
        measure for sheet in sheets for measure in between_people(sheet, people.get(sheet.name, ()))
    ]
    seated = {one.name: one for one in (*jury.judges, *(each.judge for each in checks))}
    return replace(
        jury,
        judges=tuple(seated[name] for name in job.study.judges if name in seated),
        agreement=(*jury.agreement, *raters),
        rubrics=tuple(row for each in checks for row in each.rubrics),
    )


def _chair(
    job: Job,
    name: str,
    spec: Judging,
    weights: Mapping[str, Sequence[Weights]],
    runs: Mapping[str, Run],
) -> Chair:
    model = job.study.single(spec.model, runs)
    return Chair(
        name=name,
        spec=spec,
        model=weights[model][0].reference,
        made_from=_made_from(job, model, runs),
    )


def _made_from(job: Job, name: str, runs: Mapping[str, Run]) -> tuple[str, ...]:
    """The names of the models that a model or a run was made from: the one that it began as."""
    while name in runs:
        name = runs[name].model
    return (job.study.model(name).model,)
