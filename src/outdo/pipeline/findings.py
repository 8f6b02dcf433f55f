"""What the report is told: stored rows, put into the report's own words.

Which baseline is the reference is decided here: the better of those the study names, so that a
model is never praised for beating the weaker way of asking.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from outdo.pipeline.fields import field_of
from outdo.pipeline.stages import Scored
from outdo.pipeline.training import Trained
from outdo.records import Completion, Example, Json
from outdo.report import (
    Contestant,
    Cost,
    Environment,
    Findings,
    Match,
    Row,
    Slice,
    Training,
)
from outdo.study import Answering, Compared, Study
from outdo.tasks import Task


@dataclass(frozen=True, slots=True)
class Reply:
    """One sample of one example: the completion and its scores, or why there is none.

    `view` numbers the task's ways of showing the example, `run` the training run that answered.
    """

    example: Example
    index: int
    completion: Completion | str
    scored: Scored | None
    view: int = 0
    run: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Entrant:
    """A contestant with all its replies; `entry` is its name before a matrix was expanded.

    Each reply has the number of the training run that gave it, of those that `trainings` names.
    """

    name: str
    entry: str
    model: str
    ask: Answering
    data: str
    replies: tuple[Reply, ...]
    floor: bool = False
    trainings: tuple[str, ...] = ()
    leaves_out: str | None = None


def everybody(study: Study) -> Compared:
    """The table of a study that names none: all answers, against those of untrained models."""
    untrained = [name for name, entry in study.answer.items() if entry.model in study.models]
    names = list(study.answer)
    return Compared(answers=names, against=untrained or names[:1])


def findings_of(
    study: Study,
    task: Task,
    *,
    tables: Mapping[str, Sequence[Entrant]],
    trainings: Mapping[str, Trained],
    notes: Iterable[str],
    environment: Mapping[str, Json],
    command: str,
) -> Findings:
    """All that the report of a study needs to know."""
    specs = study.compare or {task.name: everybody(study)}
    titles = {title: table_name(task, title) for title in tables}
    examples = {r.example.id: r.example for e in _all(tables) for r in e.replies}
    return Findings(
        study=study.study,
        about=study.about.strip(),
        command=command,
        resolved=study.dump(),
        claims={titles[title]: specs[title].claim for title in tables},
        item=task.item,
        group=_group(examples.values()),
        examples=examples,
        metrics={titles[title]: task.metrics for title in tables},
        contestants=tuple(
            _contestant(entrant, titles[title], is_reference=entrant.name == best)
            for title, entrants in tables.items()
            for best in [_best(entrants, specs[title], task)]
            for entrant in entrants
        ),
        matches=tuple(
            match
            for title, entrants in tables.items()
            for match in _matches(entrants, specs[title], task, titles[title])
        ),
        margins={(titles[title], task.metrics[0].name): specs[title].margin for title in tables},
        slices=tuple(
            part
            for title, entrants in tables.items()
            for part in _slices(entrants, specs[title], titles[title])
        ),
        trainings=tuple(
            Training(name=one.name, entry=one.entry, report=one.report, curve=one.curve)
            for one in trainings.values()
        ),
        environment=Environment(**environment, finished=time.strftime("%Y-%m-%d %H:%M:%S %z")),
        notes=(*notes, *_warned(trainings.values()), *_unprotected(tables)),
    )


def table_name(task: Task, title: str) -> str:
    """The name of a table in the results: the task, and the table's title where it differs."""
    return task.name if title == task.name else f"{task.name}, {title}"


def _warned(trainings: Iterable[Trained]) -> Iterable[str]:
    """What trainings say that a reader must know, rows left out among it; each sentence once."""
    said: dict[str, dict[str, None]] = {}
    for one in trainings:
        for note in one.report.get("notes", ()):
            said.setdefault(note, {})[repr(one.name)] = None
    for note, names in said.items():
        yield f"the training {', '.join(names)}: {note}"


def _unprotected(tables: Mapping[str, Sequence[Entrant]]) -> Iterable[str]:
    """That programs ran without a sandbox, whenever that was: such an outcome can be forged."""
    replies = {id(reply): reply for entrant in _all(tables) for reply in entrant.replies}
    outcomes = [reply.scored.outcome for reply in replies.values() if reply.scored]
    if count := sum(one is not None and one.tier == "none" for one in outcomes):
        yield f"{count:,} programs ran without a sandbox, where a program can forge its outcome"


def _group(examples: Iterable[Example]) -> str:
    """What the groups are, so that no claim about students is told as one about problems."""
    groups = {(one.group, one.given.get("problem")) for one in examples}
    if all(group == problem for group, problem in groups):
        return "problem"
    return "student" if all(group.startswith("student-") for group, _ in groups) else "group"


def _all(tables: Mapping[str, Sequence[Entrant]]) -> Iterable[Entrant]:
    return (entrant for entrants in tables.values() for entrant in entrants)


def _contestant(entrant: Entrant, table: str, *, is_reference: bool) -> Contestant:
    rows = tuple(_row(reply) for reply in entrant.replies)
    said = [r.completion for r in entrant.replies if isinstance(r.completion, Completion)]
    served = sorted({one.served_by for one in said})
    ask = entrant.ask
    about = {
        "model": entrant.model,
        "prompt": ask.prompt + (f", {ask.shots} shots" if ask.shots else ""),
        "served by": ", ".join(served),
        "sampling": "greedy" if ask.temperature == 0 else f"temperature {ask.temperature:g}",
        "samples": ask.samples,
        "most tokens": ask.max_tokens,
    }
    return Contestant(
        name=entrant.name,
        task=table,
        rows=rows,
        floor=entrant.floor,
        reference=is_reference,
        about={} if entrant.floor else about,
        cost=Cost(
            seconds=sum(one.usage.seconds for one in said),
            tokens_in=sum(one.usage.tokens_in for one in said),
            tokens_out=sum(one.usage.tokens_out for one in said),
            money=sum(one.usage.cost for one in said),
        ),
        trainings=entrant.trainings,
    )


def _row(reply: Reply) -> Row:
    if isinstance(reply.completion, str) or reply.scored is None:
        return Row(
            example=reply.example.id,
            index=reply.index,
            view=reply.view,
            run=reply.run,
            missing=str(reply.completion),
        )
    answer = reply.scored.answer
    return Row(
        example=reply.example.id,
        index=reply.index,
        view=reply.view,
        run=reply.run,
        reply=reply.completion.text,
        value=answer.value,
        problem=answer.problem,
        repaired_by=answer.repaired_by,
        finish=reply.completion.finish,
        scores=reply.scored.scores,
    )


def _best(entrants: Sequence[Entrant], table: Compared, task: Task) -> str:
    """The name of the strongest of the baselines by the headline metric; the first if equal."""
    metric = task.metrics[0]
    sign = 1 if metric.better == "higher" else -1
    baselines = [e for name in table.against for e in entrants if e.entry == name]
    return max(baselines, key=lambda e: sign * _mean(e, metric.name)).name


def _mean(entrant: Entrant, metric: str) -> float:
    values = [
        score.value
        for reply in entrant.replies
        if reply.scored is not None
        for score in reply.scored.scores
        if score.metric == metric and score.value is not None
    ]
    return sum(values) / len(values) if values else 0.0


def _matches(
    entrants: Sequence[Entrant], table: Compared, task: Task, name: str
) -> Iterable[Match]:
    """Everybody who is no baseline against the best one, then against the others."""
    best = _best(entrants, table, task)
    baselines = [e.name for e in entrants if e.entry in table.against]
    challengers = [e.name for e in entrants if e.name not in baselines and not e.floor]
    for other in sorted(baselines, key=lambda one: one != best):
        yield from (Match(task=name, a=challenger, b=other) for challenger in challengers)


def _slices(entrants: Sequence[Entrant], table: Compared, name: str) -> Iterable[Slice]:
    """One slice for each value of the field that the table is sliced by."""
    if table.slices is None:
        return
    parts: dict[str, list[str]] = {}
    for example in {r.example.id: r.example for e in entrants for r in e.replies}.values():
        parts.setdefault(field_of(example, table.slices), []).append(example.id)
    for value, ids in sorted(parts.items()):
        yield Slice(name=value, task=name, examples=tuple(ids), claim=table.claim)
