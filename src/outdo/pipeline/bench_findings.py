"""What judges came to on a benchmark of preferences, in the words of its report."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations

from outdo.pipeline.bench import (
    UNMEASURED,
    Call,
    Heard,
    evidence_of,
    items_of,
    sources_of,
)
from outdo.pipeline.jury import cost_of
from outdo.records import Completion, Example
from outdo.report.findings import Environment
from outdo.report.preference import (
    Beside,
    Case,
    Examined,
    PreferenceFindings,
    Reply,
    Side,
)
from outdo.stats import Claim
from outdo.stats.preference import (
    CONSISTENT,
    EVEN,
    HALF,
    LONGER,
    SCORES,
    SHORTER,
    STRICT,
    Item,
    Looks,
    Scorecard,
    against,
    at_equal_length,
    beaten_by,
    calibrated,
    forecast_by,
    half,
    macro,
    parts_of,
    scorecard,
    strict,
)
from outdo.tasks import prefer

MOST_CASES = 8
"""Pairs of a criterion that are shown of those won, of those lost, and of those had by neither."""
MOST_TEXT = 4_000
CLAIMS: Mapping[Claim, str] = {
    "new": "Intervals are about new groups: whole groups are the evidence.",
    "these": "Intervals are about these groups: each pair is evidence by itself.",
}


def findings_of(
    examples: Sequence[Example],
    judges: Sequence[Heard],
    floors: Sequence[Heard],
    *,
    claim: Claim,
    margin: float,
    seed: int,
    title: str,
    about: str,
    command: str,
    environment: Environment,
    notes: Sequence[str] = (),
) -> PreferenceFindings:
    """All that the report tells; judges stand first, and floors from the best down."""
    measured = [one for one in floors if one.name.removeprefix("floor/") not in UNMEASURED]
    items = items_of(examples, beaten_by(one.looks for one in measured))
    ranked = sorted(floors, key=lambda one: -_mean_half(one.looks))
    everybody = [*judges, *ranked]
    by_id = {one.id: one for one in examples}
    return PreferenceFindings(
        study=title,
        about=about,
        command=command,
        claim=CLAIMS[claim],
        sources=sources_of(examples),
        groups=len({one.group for one in examples}),
        examined=tuple(_examined(one, items, claim=claim, seed=seed) for one in everybody),
        beside=tuple(_beside(judges, ranked, items, claim=claim, margin=margin)),
        cases=tuple(
            case for one in judges for case in _cases(one, _rival(one, judges, ranked), by_id)
        ),
        floors=tuple(one.name for one in measured),
        environment=environment,
        notes=(*notes, *_silences(judges)),
    )


def _mean_half(looks: Looks) -> float:
    return statistics.fmean(half(own) for own in looks.values())


def _silences(judges: Sequence[Heard]) -> Iterator[str]:
    """What each judge left unsaid, and why, so that no reader has to look for it."""
    for one in judges:
        calls = [call for own in one.calls.values() for call in own]
        for said, words in (
            ("unreadable", "could not be read"),
            ("cut", "were cut off before their verdict"),
            ("refused", "were refused"),
            ("failed", "were never answered"),
        ):
            mine = [call for call in calls if call.look.said == said]
            if mine:
                first = " ".join(mine[0].text.split())[:120]
                yield f"{one.name}: {len(mine):,} of {len(calls):,} calls {words}; first: {first}"


# ------------------------------------------------------------------ one judge


def _examined(one: Heard, items: Mapping[str, Item], *, claim: Claim, seed: int) -> Examined:
    looks = one.looks
    completions = [
        call.completion
        for own in one.calls.values()
        for call in own
        if isinstance(call.completion, Completion)
    ]
    told = () if one.floor and one.way == "rule" else completions
    lengths = parts_of(looks, items, lambda item: item.length)
    return Examined(
        name=one.name,
        model=one.model,
        way=one.way,
        floor=one.floor,
        overall=scorecard("all", looks, items, claim=claim),
        macro={name: macro(looks, items, name, seed=seed) for name in (*SCORES, CONSISTENT)},
        criteria=_cards(parts_of(looks, items, lambda item: item.criterion), items, claim),
        lengths=_cards(
            {n: lengths[n] for n in (EVEN, LONGER, SHORTER) if n in lengths}, items, claim
        ),
        difficulties=_cards(parts_of(looks, items, lambda item: str(item.beaten)), items, claim),
        at_equal_length=at_equal_length(looks, items, seed=seed),
        calibration=None if one.way == "rule" else calibrated(looks, items, claim=claim, seed=seed),
        forecast_by=forecast_by(looks),
        calls=sum(len(own) for own in one.calls.values()),
        cost=cost_of(told),
        seconds=_seconds(told),
    )


def _cards(
    parts: Mapping[str, Looks], items: Mapping[str, Item], claim: Claim
) -> tuple[Scorecard, ...]:
    return tuple(
        scorecard(name, looks, items, claim=claim, of=SCORES) for name, looks in parts.items()
    )


def _seconds(completions: Sequence[Completion]) -> dict[str, float]:
    """Quantiles of how long a call took."""
    told = sorted(one.usage.seconds for one in completions)
    if not told:
        return {}
    last = told[min(len(told) - 1, int(0.95 * len(told)))]
    return {"median": statistics.median(told), "95%": last}


# ------------------------------------------------------------------ two of them


def _beside(
    judges: Sequence[Heard],
    floors: Sequence[Heard],
    items: Mapping[str, Item],
    *,
    claim: Claim,
    margin: float,
) -> Iterator[Beside]:
    """Every two judges, then every judge and the best floor, over all pairs and by criterion.

    Of all floors the one that is best on the very pairs of a criterion stands for them.
    """
    for score in (STRICT, HALF):
        for a, b in combinations(judges, 2):
            yield from _pairs(a, b, items, score=score, claim=claim, margin=margin)
        for a in judges:
            yield from _floors(a, floors, items, score=score, claim=claim, margin=margin)


def _pairs(
    a: Heard, b: Heard, items: Mapping[str, Item], *, score: str, claim: Claim, margin: float
) -> Iterator[Beside]:
    for criterion, kept in _by_criterion(items):
        told = against(
            _kept(a, kept), _kept(b, kept), items, score=score, claim=claim, margin=margin
        )
        yield Beside(a=a.name, b=b.name, score=score, verdict=told, criterion=criterion)


def _floors(
    a: Heard,
    floors: Sequence[Heard],
    items: Mapping[str, Item],
    *,
    score: str,
    claim: Claim,
    margin: float,
) -> Iterator[Beside]:
    value = strict if score == STRICT else half
    for criterion, kept in _by_criterion(items):
        best = max(floors, key=lambda one: sum(value(own) for own in _kept(one, kept).values()))
        told = against(
            _kept(a, kept), _kept(best, kept), items, score=score, claim=claim, margin=margin
        )
        yield Beside(a=a.name, b=best.name, score=score, verdict=told, criterion=criterion)


def _by_criterion(items: Mapping[str, Item]) -> Iterator[tuple[str, set[str]]]:
    """All items, and where there are several criteria those of each."""
    yield "", set(items)
    criteria = sorted({one.criterion for one in items.values()})
    for criterion in criteria if len(criteria) > 1 else ():
        yield criterion, {name for name, one in items.items() if one.criterion == criterion}


def _kept(one: Heard, kept: set[str]) -> Looks:
    return {item: own for item, own in one.looks.items() if item in kept}


# ------------------------------------------------------------------ cases


def _rival(one: Heard, judges: Sequence[Heard], floors: Sequence[Heard]) -> Heard:
    """Whom a judge's cases are read beside: the first of the other judges, or the best floor."""
    return next((other for other in judges if other is not one), floors[0])


def _cases(one: Heard, rival: Heard, examples: Mapping[str, Example]) -> Iterator[Case]:
    """Pairs won, lost, and had by neither, of each criterion, from as many groups as there are."""
    sides: dict[tuple[str, Side], list[str]] = {}
    for item, own in one.calls.items():
        mine = strict([call.look for call in own])
        theirs = strict([call.look for call in rival.calls[item]])
        if mine and theirs:
            continue
        side: Side = "won" if mine else "lost" if theirs else "neither"
        criterion = str(examples[item].given["criterion"])
        sides.setdefault((criterion, side), []).append(item)
    for (criterion, side), found in sorted(sides.items()):
        for item in _spread(found, examples)[:MOST_CASES]:
            yield _case(examples[item], criterion, side, one, rival)


def _spread(items: Sequence[str], examples: Mapping[str, Example]) -> list[str]:
    """The items, one of each group before a second of any."""
    turns: dict[str, int] = {}
    placed = []
    for number, item in enumerate(items):
        group = examples[item].group
        placed.append((turns.get(group, 0), number, item))
        turns[group] = turns.get(group, 0) + 1
    return [item for *_, item in sorted(placed)]


def _case(example: Example, criterion: str, side: Side, one: Heard, rival: Heard) -> Case:
    better = prefer.better(example)
    return Case(
        item=example.id,
        criterion=criterion,
        side=side,
        judge=one.name,
        rival=rival.name,
        statement=_cut(str(example.given["statement"])),
        better=_cut(str(example.given[better])),
        worse=_cut(str(example.given[prefer.OTHER[better]])),
        replies=tuple(_reply(call) for call in one.calls[example.id]),
        evidence=_cut("; ".join(evidence_of(example))),
    )


def _reply(call: Call) -> Reply:
    """What was said; a program or a letter that was picked is told by its probability alone."""
    written = call.completion is None or call.completion.logprobs is None
    sure = "" if call.look.forecast is None else f", {call.look.forecast:.2f} for the better one"
    text = _cut(call.text) if written else ""
    return Reply(better_first=call.better_first, said=f"{call.look.said}{sure}", text=text)


def _cut(text: str) -> str:
    if len(text) <= MOST_TEXT:
        return text
    return f"{text[:MOST_TEXT]}\n… {len(text) - MOST_TEXT:,} more characters"
