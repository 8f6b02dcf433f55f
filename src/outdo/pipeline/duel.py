"""Two files of answers held against each other: no study, no model but the judges.

A judge first has to tell a reply to a request from a reply to another one. One that can't is not
believed, and its verdict is withheld. A script replays what it was given, and isn't tried.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from outdo.data.bridges import AnswerSet, Matched, matched
from outdo.judging import Contest, Folded, Item, Judgement, criterion, fold, standings, values
from outdo.judging.families import warnings
from outdo.judging.health import health
from outdo.judging.known import Belief, believed
from outdo.judging.standings import PANEL
from outdo.pipeline.asking import sampled
from outdo.pipeline.jury import Bench, Chair, asking, manner_of, summed
from outdo.records import Comparison, Json, Measure, Message, Request, Standing, digest, to_json
from outdo.report import Cost
from outdo.stats import Verdict, verdict
from outdo.store import write_text
from outdo.study import Ties

TASK = "answers"
OWN, ANOTHERS = "a reply to this request", "a reply to another"
BELONGS = "Which reply belongs to this request: it answers what is asked here, and nothing else."
FEWEST_KNOWN = 10
"""Prompts below which no judge can show that it is better than chance."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What two files are compared under; `known` is how many known contests a judge is tried on.

    `margin` is of the share won less the share lost: 0.1 of it is 0.05 of a rate with half ties.
    """

    criterion: str = ""
    ties: Ties = "half"
    margin: float = 0.1
    known: int = 20
    limit: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Seat:
    """One judge of a duel: whether it is believed and why, its health, and what it cost."""

    name: str
    belief: Belief | None
    why: str
    warnings: tuple[str, ...]
    health: tuple[Measure, ...]
    cost: Cost
    judgements: tuple[Judgement, ...]

    @property
    def believed(self) -> bool:
        return self.belief is None or self.belief.believed


@dataclass(frozen=True, slots=True, kw_only=True)
class Duel:
    """What came of it. `verdict` and `standing` are None where no judge is believed."""

    a: str
    b: str
    matched: Matched
    terms: Terms
    seats: tuple[Seat, ...]
    standing: Standing | None
    verdict: Verdict | None
    notes: tuple[str, ...]


def contests_between(
    a: AnswerSet, b: AnswerSet, shared: Matched, terms: Terms, names: tuple[str, str]
) -> list[Contest]:
    """Every answer of a beside that of b to the same id, sample by sample; the fewer come again."""
    found: list[Contest] = []
    for id in _limited(shared.ids, terms.limit):
        prompt = a.prompt(id) or b.prompt(id)
        mine, theirs = a.answers[id] or (None,), b.answers[id] or (None,)
        found += [
            Contest(
                comparison=Comparison(example=id, a=names[0], b=names[1]),
                request=_request(prompt),
                replies=(mine[number % len(mine)], theirs[number % len(theirs)]),
                criterion=terms.criterion or criterion(TASK),
                sample=number,
            )
            for number in range(max(len(mine), len(theirs)))
        ]
    return found


def known_between(a: AnswerSet, b: AnswerSet, shared: Matched, terms: Terms) -> list[Contest]:
    """The easy task: a reply to a request beside one to another, out of either file in turn.

    Nothing where there are too few for a judge to show anything by them.
    """
    found = _tellable(a, b, shared)
    return found[: terms.known] if len(found) >= FEWEST_KNOWN else []


def _tellable(a: AnswerSet, b: AnswerSet, shared: Matched) -> list[Contest]:
    """A contest for each known request to which somebody gave a reply of its own."""
    asked = {id: prompt for id in shared.ids if (prompt := a.prompt(id) or b.prompt(id))}
    order = sorted(asked, key=lambda id: digest(["known", id]))
    found: list[Contest] = []
    for number, id in enumerate(order):
        source = (a, b)[number % 2]
        others = [
            one
            for one in order
            if asked[one] != asked[id] and _first(source, one) not in ("", _first(source, id))
        ]
        if others and _first(source, id):
            other = min(others, key=lambda one: digest([id, one]))
            contest = Contest(
                comparison=Comparison(example=id, a=OWN, b=ANOTHERS),
                request=_request(asked[id]),
                replies=(_first(source, id), _first(source, other)),
                criterion=BELONGS,
            )
            found.append(contest)
    return found


def _untried(chair: Chair, bout: Bout, terms: Terms) -> str:
    """Why a judge isn't tried on a task whose answer is known; nothing where it is."""
    said = "it was not tried on a task whose answer is known"
    if chair.model.kind == "script":
        return f"{said}: a script replays what it was given"
    if not terms.known:
        return f"{said}, as was asked"
    if not bout.easy:
        there = f"there {'is' if bout.tellable == 1 else 'are'} {bout.tellable or 'none'}"
        return f"{said}: it takes {FEWEST_KNOWN} known prompts whose replies differ, and {there}"
    return ""


def _first(answers: AnswerSet, id: str) -> str:
    return next(iter(answers.answers[id]), "").strip()


def _request(prompt: str | None) -> tuple[Message, ...]:
    return (Message(role="user", content=prompt),) if prompt else ()


def _limited(ids: Sequence[str], limit: int | None) -> Sequence[str]:
    """The first ids in an order of their own, so that a larger limit only adds."""
    return sorted(ids, key=lambda id: digest(["limit", id]))[:limit] if limit else ids


@dataclass(frozen=True, slots=True, kw_only=True)
class Bout:
    """What judges are asked about two files: the known task first, then the answers.

    `easy` is empty where nobody is tried, `tellable` how many contests it could be made of.
    """

    names: tuple[str, str]
    shared: Matched
    contests: tuple[Contest, ...]
    easy: tuple[Contest, ...]
    tellable: int


def bout_of(a: AnswerSet, b: AnswerSet, terms: Terms) -> Bout:
    """What judges are asked about two files of answers."""
    shared = matched(a, b)
    names = (a.name, b.name) if a.name != b.name else (f"{a.name} (first)", f"{b.name} (second)")
    return Bout(
        names=names,
        shared=shared,
        contests=tuple(contests_between(a, b, shared, terms, names)),
        easy=tuple(known_between(a, b, shared, terms) if terms.known else []),
        tellable=len(_tellable(a, b, shared)),
    )


def owed(chair: Chair, bout: Bout, terms: Terms, *, seed: int) -> dict[str, list[Request]]:
    """What a judge would be asked, the known task by itself."""
    manner, sampling = manner_of(chair.spec), sampled(asking(chair.spec), seed=seed)
    tried = () if _untried(chair, bout, terms) else bout.easy
    return {
        what: [call.request(sampling) for contest in contests for call in manner.prompts(contest)]
        for what, contests in (("known task", tried), ("the answers", bout.contests))
        if contests
    }


def duel(bench: Bench, chairs: Sequence[Chair], a: AnswerSet, b: AnswerSet, terms: Terms) -> Duel:
    """What the judges come to about two files of answers."""
    bout = bout_of(a, b, terms)
    seats = tuple(_seat(bench, chair, bout, terms) for chair in chairs)
    every = [one for seat in seats if seat.believed for one in seat.judgements]
    ids = dict.fromkeys(one.comparison.example for one in bout.contests)
    told, standing = None, None
    if every:
        items = {id: Item(task=TASK, group=id) for id in ids}
        (standing, *_) = standings(every, items, judge=PANEL, claim="these")
        told = verdict_of(fold(every), terms)
    return Duel(
        a=bout.names[0],
        b=bout.names[1],
        matched=bout.shared,
        terms=terms,
        seats=seats,
        standing=standing,
        verdict=told,
        notes=(*a.notes, *b.notes, *bout.shared.notes, *bench.shop.notes),
    )


def _seat(bench: Bench, chair: Chair, bout: Bout, terms: Terms) -> Seat:
    every = (*bout.contests, *bout.easy)
    groups = {one.comparison.example: one.comparison.example for one in every}
    costs, belief, why = [], None, _untried(chair, bout, terms)
    if not why:
        known, cost = bench.hear(chair, bout.easy, groups, title=f"judge {chair.name}, known task")
        costs.append(cost)
        belief = believed(known, groups)
        why = belief.why
    judgements: tuple[Judgement, ...] = ()
    if belief is None or belief.believed:
        judgements, cost = bench.hear(chair, bout.contests, groups, title=f"judge {chair.name}")
        costs.append(cost)
    return Seat(
        name=chair.name,
        belief=belief,
        why=why,
        warnings=warnings(chair.made_from, {name: (name,) for name in bout.names}),
        health=health(judgements, groups, claim="these") if judgements else (),
        cost=summed(costs),
        judgements=judgements,
    )


def verdict_of(folded: Mapping[str, Folded], terms: Terms) -> Verdict:
    """The verdict on the share of examples won less the share lost, ties as the terms say.

    An example is won above one half and lost below; one that could not be told is missing.
    """
    wins: dict[str, float | None] = {}
    losses: dict[str, float | None] = {}
    for name, value in values(folded).items():
        if value == 0.5 and terms.ties == "dropped":
            continue
        wins[name] = None if value is None else float(value > 0.5)
        lost = value is not None and (value < 0.5 or (terms.ties == "loss" and value == 0.5))
        losses[name] = None if value is None else float(lost)
    return verdict(wins, losses, better="higher", share=True, margin=terms.margin)


def write_duel(found: Duel, folder: Path, *, about: Mapping[str, Json]) -> None:
    """Write `verdict.json` and `judgements.jsonl` into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = [
        json.dumps({**to_json(one.preference), "how": one.how, "problem": one.verdict.problem})
        for seat in found.seats
        for one in seat.judgements
    ]
    write_text(folder / "judgements.jsonl", "".join(f"{line}\n" for line in lines))
    told = {
        **about,
        "a": found.a,
        "b": found.b,
        "verdict": to_json(found.verdict) if found.verdict else None,
        "standing": to_json(found.standing) if found.standing else None,
        "terms": to_json(found.terms),
        "judges": [to_json(replace(seat, judgements=())) for seat in found.seats],
        "notes": list(found.notes),
    }
    write_text(folder / "verdict.json", json.dumps(told, indent=1) + "\n")
