"""How contestants fare against a reference: counts, rates with intervals, slices, strengths.

A rate says how ties are counted, because that alone can make a winner. All ways are given.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from outdo.judging.folding import Folded, by_pair, values
from outdo.judging.nouns import Item, Judgement
from outdo.judging.strengths import with_strengths
from outdo.records import Measure, Standing
from outdo.stats import Claim, Interval, mean
from outdo.stats.length import LengthControlled, length_controlled

TIES = ("loss", "half", "dropped")
"""The ways to count a tie, and the names of the rates that do so."""
PANEL = "panel"
DRAWS = 1000
"""Draws of groups behind the interval at equal length: the model is fitted to each."""

ABOUT = {
    "loss": "how often it is preferred, a tie counted as a loss",
    "half": "how often it is preferred, a tie counted as half",
    "dropped": "how often it is preferred where it isn't a tie",
    "mean": "the mean preference, orders and judges that differ counted as they stand",
    "length": "the mean preference were both replies equally long",
}


def standings(
    judgements: Iterable[Judgement],
    items: Mapping[str, Item],
    *,
    judge: str = "",
    claim: Claim = "new",
    lengths: bool = True,
    strengths: bool = True,
) -> tuple[Standing, ...]:
    """How each contestant fares against each other one that it was compared with, by task and part.

    `items` maps an example to what is known of it. `judge` names who judged; none given, each
    judge's judgements are told apart. Under the claim «new» whole groups are the evidence, under
    «these» the example is. `lengths` asks for the rate at equal length too, and `strengths` for
    places on one scale of three models or more, both of whole tasks.
    """
    judgements = list(judgements)
    if not judge:
        judges = dict.fromkeys(one.preference.by for one in judgements)
        return tuple(
            each
            for name in judges
            for each in standings(
                [one for one in judgements if one.preference.by == name],
                items,
                judge=name,
                claim=claim,
                lengths=lengths,
                strengths=strengths,
            )
        )
    found = []
    for (contestant, against), folded in by_pair(judgements).items():
        for task, part, names in slices(folded, items):
            row = standing(
                {name: folded[name] for name in names},
                {name: items[name].group for name in names},
                contestant=contestant,
                against=against,
                claim=claim,
                lengths=lengths and not part,
            )
            found.append(replace(row, task=task, part=part, judge=judge))
    return with_strengths(found, judgements, items, claim=claim) if strengths else tuple(found)


def slices(
    folded: Mapping[str, Folded], items: Mapping[str, Item]
) -> list[tuple[str, str, list[str]]]:
    """(task, part, examples): each task whole, then each of its parts, as `name: slice`."""
    tasks: dict[str, dict[str, list[str]]] = {}
    for name in folded:
        item = items[name]
        parts = tasks.setdefault(item.task, {"": []})
        parts[""].append(name)
        for slicing, value in item.parts.items():
            parts.setdefault(f"{slicing}: {value}", []).append(name)
    return [
        (task, part, names)
        for task, parts in tasks.items()
        for part, names in sorted(parts.items())
    ]


def standing(
    folded: Mapping[str, Folded],
    groups: Mapping[str, str],
    *,
    contestant: str,
    against: str,
    claim: Claim = "new",
    lengths: bool = True,
) -> Standing:
    """How the first of two contestants fares, from one number an example.

    An example is won above one half, lost below, tied at it.
    """
    told = {name: value for name, value in values(folded).items() if value is not None}
    signs = {name: (value > 0.5) - (value < 0.5) for name, value in told.items()}
    rates = [_rate(name, _told(counted(told, name)), groups, claim) for name in (*TIES, "mean")]
    if lengths and (controlled := at_equal_length(folded, groups, claim=claim)) is not None:
        rates.append(length_rate(controlled))
    return Standing(
        contestant=contestant,
        against=against,
        task="",
        judge="",
        won=sum(sign > 0 for sign in signs.values()),
        lost=sum(sign < 0 for sign in signs.values()),
        tied=sum(sign == 0 for sign in signs.values()),
        unreadable=sum(one.missing == "unreadable" for one in folded.values()),
        failed=sum(one.missing == "failed" for one in folded.values()),
        rates=tuple(rates),
    )


def counted(values: Mapping[str, float | None], ties: str) -> dict[str, float | None]:
    """Each example's preference with ties counted in this way; `mean` leaves values as they are.

    A tie that is dropped is None, as is what could not be told.
    """
    tied: dict[str, float | None] = {"loss": 0.0, "half": 0.5, "dropped": None}
    if ties == "mean":
        return dict(values)
    if ties not in tied:
        raise ValueError(f"ties are counted as one of {', '.join(TIES)}, not {ties!r}")
    return {
        name: value if value is None else tied[ties] if value == 0.5 else float(value > 0.5)
        for name, value in values.items()
    }


def _told(values: Mapping[str, float | None]) -> dict[str, float]:
    return {name: value for name, value in values.items() if value is not None}


def _rate(
    name: str, shares: Mapping[str, float], groups: Mapping[str, str], claim: Claim
) -> Measure:
    found = mean(list(shares.values()), [groups[each] for each in shares], share=True, claim=claim)
    return measured(name, found, about=ABOUT[name])


def measured(name: str, found: Interval, *, about: str = "", unit: str = "share") -> Measure:
    """An interval as a measure; where there is none, `about` says why."""
    why = f"{about}; {found.by}" if about and found.low is None else about or found.by
    return Measure(
        name=name,
        value=found.value,
        low=found.low,
        high=found.high,
        n=found.n,
        unit=unit,
        about=why,
    )


def at_equal_length(
    folded: Mapping[str, Folded], groups: Mapping[str, str], *, claim: Claim = "new"
) -> LengthControlled | None:
    """What lengths do to the preferences; None where no lengths are known."""
    told = {name: one for name, one in folded.items() if one.lengths and one.value is not None}
    if not told:
        return None
    sides = [one.lengths or (0.0, 0.0) for one in told.values()]
    return length_controlled(
        preferences=[one.value for one in told.values()],
        lengths=[a for a, _ in sides],
        other_lengths=[b for _, b in sides],
        groups=[groups[name] for name in told] if claim == "new" else None,
        draws=DRAWS,
    )


def length_rate(found: LengthControlled) -> Measure:
    """The mean preference were both replies equally long, as a measure."""
    return Measure(
        name="length",
        value=found.value,
        low=found.low,
        high=found.high,
        n=found.n,
        unit="share",
        about=ABOUT["length"] if found.low is not None else f"{ABOUT['length']}; {found.by}",
    )


def named(rows: Sequence[Standing], rate: str) -> dict[str, Measure]:
    """Contestant to its rate of this name, of whole tasks; for one task and one judge."""
    return {
        row.contestant: measure
        for row in rows
        if not row.part
        for measure in row.rates
        if measure.name == rate
    }
