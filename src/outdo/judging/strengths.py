"""Three models or more on one scale: strengths by Bradley and Terry, ties by Davidson.

A rate says how a contestant fares against one other. Where contestants were compared with several,
or in a ring, strengths put all comparisons of a task together.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from outdo.judging.folding import by_pair
from outdo.judging.nouns import Item, Judgement
from outdo.records import Measure, Standing
from outdo.stats import Claim
from outdo.stats.ranking import Ranked, Ranking, bradley_terry

STRENGTH = "strength"
FEWEST = 3
"""Models that a scale is worth making for."""


def ranking(
    judgements: Iterable[Judgement], items: Mapping[str, Item], *, claim: Claim = "new"
) -> dict[str, Ranking]:
    """Task to the ranking of all its models, references among them, by one judge or a panel.

    Tasks of fewer than three models, or whose models aren't linked by comparisons, have none. Under
    the claim «new» whole groups are the evidence, under «these» the example is.
    """
    tasks: dict[str, list[tuple[tuple[str, str], float, str]]] = {}
    for pair, folded in by_pair(judgements).items():
        for example, one in folded.items():
            if one.value is not None:
                item = items[example]
                label = item.group if claim == "new" else example
                tasks.setdefault(item.task, []).append((pair, one.value, label))
    found = {}
    for task, cells in tasks.items():
        models = {name for pair, _, _ in cells for name in pair}
        if len(models) < FEWEST or not _linked([pair for pair, _, _ in cells], models):
            continue
        found[task] = bradley_terry(
            pairs=[pair for pair, _, _ in cells],
            scores=[value for _, value, _ in cells],
            groups=[label for _, _, label in cells],
        )
    return found


def _linked(pairs: Iterable[tuple[str, str]], models: set[str]) -> bool:
    """Whether comparisons lead from each model to every other."""
    pairs = set(pairs)
    reached: set[str] = set()
    waiting = {min(models)}
    while waiting:
        reached |= waiting
        waiting = {name for pair in pairs if reached & set(pair) for name in pair} - reached
    return reached == models


def with_strengths(
    standings: Iterable[Standing],
    judgements: Iterable[Judgement],
    items: Mapping[str, Item],
    *,
    claim: Claim = "new",
) -> tuple[Standing, ...]:
    """The standings of one judge, those of whole tasks with the contestant's strength added.

    `judgements` are those that the standings were made of.
    """
    ranked = ranking(judgements, items, claim=claim)
    places = {
        (task, one.name): (one, found)
        for task, found in ranked.items()
        for one in found.contestants
    }
    return tuple(
        replace(row, rates=(*row.rates, _measure(*places[row.task, row.contestant])))
        if not row.part and (row.task, row.contestant) in places
        else row
        for row in standings
    )


def _measure(one: Ranked, found: Ranking) -> Measure:
    place = f"place {one.place} of {len(found.contestants)}"
    if one.first is not None and one.last is not None and one.first != one.last:
        place = f"{place} (between {one.first} and {one.last})"
    return Measure(
        name=STRENGTH,
        value=one.strength,
        low=one.strength_low,
        high=one.strength_high,
        n=found.n,
        unit="log odds",
        about=f"{place}; the mean of all is 0; {found.by}",
    )
