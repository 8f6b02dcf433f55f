"""The judges of a study at work: the easy task first, then the tables, then what it comes to.

A judge's call is stored as any other answer, under the judge's prompt: one more contestant pays for
its own comparisons only, and what is made of the replies is computed anew each time.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from outdo.judging import Contest, Judgement, Way, counted, fold, standings, values, way
from outdo.judging.families import families, kin
from outdo.judging.health import health
from outdo.judging.known import Belief, believed
from outdo.judging.panel import between, rankings
from outdo.judging.standings import PANEL
from outdo.judging.strengths import with_strengths
from outdo.judging.truth import with_tests
from outdo.models.reference import ModelReference
from outdo.pipeline.asking import sampled
from outdo.pipeline.contests import (
    contests_of,
    items_of,
    judged_against,
    known_contests,
    truth_of,
)
from outdo.pipeline.entrants import Sheet
from outdo.pipeline.people import with_people
from outdo.pipeline.stages import Shop, completed
from outdo.records import Completion, Json, Measure, Preference, Request, Standing
from outdo.report import Cost, Judge, Rubric
from outdo.study import Answering, Judging

JUDGED = "(judged)"
"""How a judge's calls are asked: no task has a prompt of this name."""

Preferred = Mapping[str, float | None]
People = Mapping[str, Sequence[Preference]]
"""What people prefer, by table."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chair:
    """A judge with its model, and the names of all models that it was made from."""

    name: str
    spec: Judging
    model: ModelReference
    made_from: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Jury:
    """What all judges came to, in the words of the report."""

    judges: tuple[Judge, ...] = ()
    standings: tuple[Standing, ...] = ()
    preferred: Mapping[tuple[str, str, str], Preferred] = field(default_factory=dict)
    agreement: tuple[Measure, ...] = ()
    rubrics: tuple[Rubric, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """One judge: what it did of the known task, and what it said of each table it sat over."""

    chair: Chair
    known: tuple[Judgement, ...]
    belief: Belief
    tables: tuple[tuple[Sheet, tuple[Judgement, ...]], ...]
    cost: Cost
    warnings: tuple[str, ...] = ()


# ------------------------------------------------------------------ calls


@dataclass(frozen=True, slots=True)
class Bench:
    """Where judges are asked, and with which seed."""

    shop: Shop
    seed: int

    def hear(
        self, chair: Chair, contests: Sequence[Contest], groups: Mapping[str, str], *, title: str
    ) -> tuple[tuple[Judgement, ...], Cost]:
        """A judge's judgements of these contests, and what its calls took; none is made twice."""
        manner = manner_of(chair.spec)
        sampling = sampled(asking(chair.spec), seed=self.seed)
        calls = [(one, manner.prompts(one)) for one in contests]
        requests = {
            request.key: (request, call)
            for _, own in calls
            for call in own
            for request in (call.request(sampling),)
        }
        about = {
            key: {
                "example": call.contest.comparison.example,
                "group": groups[call.contest.comparison.example],
                "order": call.order,
                "index": request.index,
            }
            for key, (request, call) in requests.items()
        }
        asked = {key: request for key, (request, _) in requests.items()}
        said = self.said(chair, asked, about, title=title)

        def told() -> Iterator[Judgement]:
            for contest, own in calls:
                unasked = manner.unasked(contest, by=chair.name)
                if unasked is not None:
                    yield unasked
                for call in own:
                    reply = said[call.request(sampling).key]
                    got = reply if isinstance(reply, Completion) else None
                    yield manner.judged(call, got, by=chair.name)

        return tuple(told()), cost_of(said.values())

    def said(
        self,
        chair: Chair,
        requests: Mapping[str, Request],
        about: Mapping[str, Mapping[str, Json]],
        *,
        title: str,
    ) -> Mapping[str, Completion | str]:
        """What a judge says to requests by their keys, stored ones among them."""
        if not requests:
            return {}
        _, said = completed(
            self.shop,
            chair.model,
            asking(chair.spec),
            requests,
            about,
            title=title,
            unit="verdicts",
        )
        return said


def manner_of(spec: Judging) -> Way:
    """How a judge is asked for a comparison, and read."""
    return way(spec.way, scores=spec.scores, repeats=spec.repeats, form=spec.form)


def asking(spec: Judging) -> Answering:
    """A judge's calls as those of anybody who answers."""
    return Answering(
        model=spec.model,
        prompt=JUDGED,
        temperature=spec.temperature,
        max_tokens=spec.max_tokens,
        precision=spec.precision,
    )


def cost_of(said: Iterable[Completion | str]) -> Cost:
    """What answers took, summed."""
    given = [one for one in said if isinstance(one, Completion)]
    return Cost(
        seconds=sum(one.usage.seconds for one in given),
        tokens_in=sum(one.usage.tokens_in for one in given),
        tokens_out=sum(one.usage.tokens_out for one in given),
        money=sum(one.usage.cost for one in given),
    )


def summed(costs: Sequence[Cost]) -> Cost:
    """What several parts took together."""
    return Cost(
        seconds=sum(one.seconds for one in costs),
        tokens_in=sum(one.tokens_in for one in costs),
        tokens_out=sum(one.tokens_out for one in costs),
        money=sum(one.money for one in costs),
    )


# ------------------------------------------------------------------ one judge


def heard(
    bench: Bench, chair: Chair, sheets: Sequence[Sheet], models: Mapping[str, Sequence[str]]
) -> tuple[Heard, list[str]]:
    """What a judge says of its tables, and what a reader must know of that, in words.

    `models` maps a contestant to the names of its models. Who fails the known task isn't asked
    further; who is kin to a contestant of a table that wants no kin doesn't sit over it.
    """
    groups = {id: one.group for sheet in sheets for id, one in sheet.examples.items()}
    easy, _ = known_contests(sheets, chair.spec)
    known, cost = bench.hear(chair, easy, groups, title=f"judge {chair.name}, known task")
    belief = believed(known, groups)
    notes, costs, tables = [], [cost], []
    warnings: dict[str, None] = {}
    for sheet in sheets:
        told = related(chair, sheet, models)
        if told and sheet.spec.leave_out_family:
            notes.append(left_out(chair, sheet, told))
            continue
        warnings.update(dict.fromkeys(told))
        if belief.believed:
            contests = contests_of(sheet, chair.spec)
            title = f"judge {chair.name}, {sheet.name}"
            judgements, cost = bench.hear(chair, contests, groups, title=title)
            costs.append(cost)
            tables.append((sheet, judgements))
    return (
        Heard(
            chair=chair,
            known=known,
            belief=belief,
            tables=tuple(tables),
            cost=summed(costs),
            warnings=tuple(warnings),
        ),
        notes,
    )


def related(chair: Chair, sheet: Sheet, models: Mapping[str, Sequence[str]]) -> list[str]:
    """To which contestants of a table a judge is kin, and how, in words."""
    among = {one.name: models[one.name] for one in sheet.entrants if not one.floor}
    return [f"{name} {why}" for name, why in kin(chair.made_from, among).items()]


def left_out(chair: Chair, sheet: Sheet, told: Sequence[str]) -> str:
    """That a judge doesn't sit over a table, in words."""
    return f"{sheet.name}: the judge {chair.name!r} is left out: {told[0]}"


def family_of(chair: Chair) -> str:
    """The families of the models that a judge was made from, in words."""
    return ", ".join(sorted(families(*chair.made_from))) or "unknown"


def _judge(one: Heard, people: People) -> Judge:
    groups = {id: e.group for sheet, _ in one.tables for id, e in sheet.examples.items()}
    every = [judgement for _, judgements in one.tables for judgement in judgements]
    claim = one.tables[0][0].spec.claim if one.tables else "these"
    signs: tuple[Measure, ...] = ()
    if every:
        signs = health(every, groups, claim=claim)
    elif one.known:
        same = {judgement.example: judgement.example for judgement in one.known}
        signs = health(one.known, same, claim="these", lengths=False)
    return Judge(
        name=one.chair.name,
        model=one.chair.model.label,
        family=family_of(one.chair),
        way=one.chair.spec.way,
        believed=one.belief.believed,
        why=one.belief.why,
        warnings=one.warnings,
        health=(one.belief.measure, *signs, *_with_tests(one), *_with_people(one, people)),
        cost=one.cost,
    )


def _with_tests(one: Heard) -> Iterator[Measure]:
    """How right a judge is where tests decide, contestant by contestant; nothing else is known."""
    for sheet, judgements in one.tables:
        against = judged_against(sheet)
        groups = {id: example.group for id, example in sheet.examples.items()}
        for entrant in sheet.entrants:
            truth = {} if entrant.floor or entrant is against else truth_of(sheet, entrant)
            mine = [each for each in judgements if each.preference.comparison.a == entrant.name]
            if not any(truth.values()) or not mine:
                continue
            told = values(fold(mine))
            for measure in with_tests(told, truth, groups, claim=sheet.spec.claim):
                yield replace(measure, name=f"{measure.name}, {entrant.name}: {against.name}")


def _with_people(one: Heard, people: People) -> Iterator[Measure]:
    for sheet, judgements in one.tables:
        yield from with_people(sheet, judgements, people.get(sheet.name, ()))


# ------------------------------------------------------------------ all judges


def jury_of(told: Sequence[Heard], notes: Sequence[str], people: People) -> Jury:
    """What all judges came to, table by table: a panel of those who are believed stands first."""
    rows: list[Standing] = []
    preferred: dict[tuple[str, str, str], Preferred] = {}
    agreement: list[Measure] = []
    sheets = {sheet.name: sheet for one in told for sheet, _ in one.tables}
    for name, sheet in sheets.items():
        said = {
            one.chair.name: judgements
            for one in told
            for own, judgements in one.tables
            if own.name == name
        }
        every = [judgement for judgements in said.values() for judgement in judgements]
        items = items_of(sheet)
        if len(said) > 1:
            said = {PANEL: tuple(every), **said}
        own = [
            row
            for judge, judgements in said.items()
            for row in with_strengths(
                standings(judgements, items, judge=judge, claim=sheet.spec.claim),
                judgements,
                items,
                claim=sheet.spec.claim,
            )
        ]
        rows += own
        for judge, judgements in said.items():
            preferred |= _preferred(judge, sheet, judgements)
        if len(said) > 1:
            groups = {id: example.group for id, example in sheet.examples.items()}
            alike = between(every, groups, claim=sheet.spec.claim)
            against = judged_against(sheet).name
            ranks = rankings(own, task=name, against=against, rate=sheet.spec.ties)
            agreement += [replace(one, name=f"{one.name}, {name}") for one in (*alike, *ranks)]
    return Jury(
        judges=tuple(_judge(one, people) for one in told),
        standings=tuple(rows),
        preferred=preferred,
        agreement=tuple(agreement),
        notes=tuple(notes),
    )


def _preferred(
    judge: str, sheet: Sheet, judgements: Sequence[Judgement]
) -> dict[tuple[str, str, str], Preferred]:
    """Each contestant's preference by example, ties counted as the table says."""
    found: dict[tuple[str, str, str], Preferred] = {}
    for name in dict.fromkeys(one.preference.comparison.a for one in judgements):
        mine = [one for one in judgements if one.preference.comparison.a == name]
        found[judge, sheet.name, name] = counted(values(fold(mine)), sheet.spec.ties)
    return found
