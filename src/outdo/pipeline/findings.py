"""What the report is told: stored rows, put into the report's own words.

Which baseline is the reference is decided here: the better of those the study names, so that a
model is never praised for beating the weaker way of asking.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence

from outdo.pipeline.cards import cards_of
from outdo.pipeline.entrants import Entrant, Reply, Sheet
from outdo.pipeline.fields import field_of, has_field
from outdo.pipeline.jury import Jury
from outdo.pipeline.training import Trained
from outdo.records import Example, Json
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
from outdo.study import Answering, Study


def findings_of(
    study: Study,
    *,
    sheets: Sequence[Sheet],
    jury: Jury,
    trainings: Mapping[str, Trained],
    notes: Iterable[str],
    environment: Mapping[str, Json],
    command: str,
) -> Findings:
    """All that the report of a study needs to know."""
    examples = {id: example for sheet in sheets for id, example in sheet.examples.items()}
    return Findings(
        study=study.study,
        about=study.about.strip(),
        command=command,
        resolved=study.dump(),
        claims={sheet.name: sheet.spec.claim for sheet in sheets},
        item=_item(sheets),
        group=_group(examples.values()),
        examples=examples,
        metrics={sheet.name: sheet.task.metrics for sheet in sheets},
        contestants=tuple(
            _contestant(entrant, sheet.name, is_reference=entrant.name == best)
            for sheet in sheets
            for best in [sheet.best]
            for entrant in sheet.entrants
        ),
        matches=tuple(match for sheet in sheets for match in _matches(sheet)),
        margins={(s.name, s.task.metrics[0].name): s.spec.margin for s in sheets},
        slices=tuple(part for sheet in sheets for part in _slices(sheet)),
        trainings=tuple(
            Training(name=one.name, entry=one.entry, report=one.report, curve=one.curve)
            for one in trainings.values()
        ),
        environment=environment_of(environment),
        notes=(*notes, *_warned(trainings.values()), *_unprotected(sheets)),
        judges=jury.judges,
        standings=jury.standings,
        preferred=jury.preferred,
        agreement=jury.agreement,
        rubrics=jury.rubrics,
        ties={sheet.name: sheet.spec.ties for sheet in sheets if sheet.spec.judges},
        cards=cards_of(study, sheets),
    )


def environment_of(told: Mapping[str, Json]) -> Environment:
    """What a study ran on, and when it was finished: now."""
    return Environment(**told, finished=time.strftime("%Y-%m-%d %H:%M:%S %z"))


def _item(sheets: Sequence[Sheet]) -> str:
    """What an example is, in one word for all tasks."""
    items = {sheet.task.item for sheet in sheets}
    return items.pop() if len(items) == 1 else "example"


def _warned(trainings: Iterable[Trained]) -> Iterable[str]:
    """What trainings say that a reader must know, rows left out among it; each sentence once."""
    said: dict[str, dict[str, None]] = {}
    for one in trainings:
        for note in one.report.get("notes", ()):
            said.setdefault(note, {})[repr(one.name)] = None
    for note, names in said.items():
        yield f"the training {', '.join(names)}: {note}"


def _unprotected(sheets: Sequence[Sheet]) -> Iterable[str]:
    """That programs ran without a sandbox, whenever that was: such an outcome can be forged."""
    entrants = (entrant for sheet in sheets for entrant in sheet.entrants)
    replies = {id(reply): reply for entrant in entrants for reply in entrant.replies}
    outcomes = [reply.scored.outcome for reply in replies.values() if reply.scored]
    if count := sum(one is not None and one.tier == "none" for one in outcomes):
        yield f"{count:,} programs ran without a sandbox, where a program can forge its outcome"


def _group(examples: Iterable[Example]) -> str:
    """What the groups are, so that no claim about students is told as one about problems."""
    groups = {(one.group, one.given.get("problem")) for one in examples}
    if all(group == problem for group, problem in groups):
        return "problem"
    return "student" if all(group.startswith("student-") for group, _ in groups) else "group"


def _contestant(entrant: Entrant, table: str, *, is_reference: bool) -> Contestant:
    rows = tuple(_row(reply) for reply in entrant.replies)
    said = [one for reply in entrant.replies for one in reply.said]
    served = sorted({one.served_by for one in said})
    ask = entrant.ask
    about = {
        "model": entrant.model,
        "prompt": ask.prompt + (f", {ask.shots} shots" if ask.shots else ""),
        "served by": ", ".join(served),
        "sampling": _drawn(ask),
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


def _drawn(ask: Answering) -> str:
    """How answers are drawn, in words."""
    if ask.temperature == "provider":
        return "as the provider draws"
    return "greedy" if ask.temperature == 0 else f"temperature {ask.temperature:g}"


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


def _matches(sheet: Sheet) -> Iterable[Match]:
    """Everybody who is no baseline against the best one, then against the others.

    Of a matrix's baselines one that was trained like the challenger, `r=4` beside `r=4`, is its
    only opponent.
    """
    best = sheet.best
    named = sheet.spec.against
    baselines = [e for e in sheet.entrants if e.entry in named]
    challengers = [e for e in sheet.entrants if e.entry not in named and not e.floor]
    for other in sorted(baselines, key=lambda one: one.name != best):
        alike = {one.like for one in baselines if one.entry == other.entry}
        for one in challengers:
            if one.like == other.like or one.like not in alike or not one.like:
                yield Match(task=sheet.name, a=one.name, b=other.name)


def _slices(sheet: Sheet) -> Iterable[Slice]:
    """One slice for each value of each field that the table is sliced by."""
    for name, ids in parts_of(sheet).items():
        yield Slice(name=name, task=sheet.name, examples=ids, claim=sheet.spec.claim)


def parts_of(sheet: Sheet) -> dict[str, tuple[str, ...]]:
    """The examples of each value of each field that the table is sliced by.

    Where there are several fields, or judges, the name of a part says which field it is of.
    """
    fields, judged = sheet.spec.fields, bool(sheet.spec.judges)
    parts: dict[str, list[str]] = {}
    for field in fields:
        named = f"{field.rpartition('.')[2]}: " if len(fields) > 1 or judged else ""
        mine = [one for one in sheet.examples.values() if has_field(one, field)]
        for example in sorted(mine, key=lambda one: field_of(one, field)):
            parts.setdefault(named + field_of(example, field), []).append(example.id)
    return {name: tuple(ids) for name, ids in parts.items()}
