"""A judge held against what is known otherwise: people's preferences, and tests where code ran.

Both also put its rate right: tests by how often the judge is right on pairs that they decide, a few
people's labels by how far the judge is off where they are.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable, Mapping, Sequence

from outdo.judging.nouns import WORTH
from outdo.judging.standings import measured
from outdo.records import Measure, Preference, Side
from outdo.stats import Claim, Interval, mean
from outdo.stats.agreement import Agreement, cohen_kappa, krippendorff_alpha
from outdo.stats.debias import prediction_powered, rogan_gladen
from outdo.stats.intervals import FEWEST_GROUPS
from outdo.stats.spread import spread_of_shares

Key = tuple[str, str, str]
"""An example and two contestants, the one of the lower name first."""
Told = Mapping[Key, float]
"""What somebody thinks of the first contestant of each key, 0 to 1."""

PEOPLE = "people"
_RANKS: dict[Side, int] = {"b": 0, "tie": 1, "a": 2}


def told(preferences: Iterable[Preference]) -> dict[Key, float]:
    """Example and contestants to what these preferences come to, from whichever side they tell.

    Orders are averaged first, so that a liking for a place isn't one for a contestant; an example
    of which an order could not be read is left out.
    """
    cells: dict[Key, dict[tuple[str, str], list[float | None]]] = {}
    for one in preferences:
        comparison, choice = one.comparison, one.choice
        turned = comparison.a > comparison.b
        names = (comparison.b, comparison.a) if turned else (comparison.a, comparison.b)
        worth = None if choice is None else WORTH[choice]
        if worth is not None and turned:
            worth = 1 - worth
        first = comparison.a if one.order == "ab" else comparison.b
        orders = cells.setdefault((comparison.example, *names), {})
        orders.setdefault((one.by, first), []).append(worth)
    found: dict[Key, float] = {}
    for key, orders in cells.items():
        means = [_mean([w for w in each if w is not None]) for each in orders.values()]
        known = [each for each in means if each is not None]
        if len(known) == len(means):
            found[key] = math.fsum(known) / len(known)
    return found


def _mean(values: Sequence[float]) -> float | None:
    return math.fsum(values) / len(values) if values else None


def sides(values: Told) -> dict[Key, Side]:
    """Who is preferred for each key: above one half the first, below it the second."""
    return {
        key: "tie" if value == 0.5 else "a" if value > 0.5 else "b" for key, value in values.items()
    }


def agreement(
    judge: Told,
    other: Told,
    groups: Mapping[str, Hashable] | None = None,
    *,
    who: str = PEOPLE,
    claim: Claim = "new",
) -> tuple[Measure, ...]:
    """How far a judge agrees with somebody else on what both have told: share, kappa, alpha.

    Kappa is Cohen's on three categories, alpha Krippendorff's on their ordinal scale. `groups` maps
    an example to its group; none given, each example is one.
    """
    mine, theirs = sides(judge), sides(other)
    keys = [key for key in mine if key in theirs]
    labels = [key[0] if groups is None else groups[key[0]] for key in keys]
    same = mean([float(mine[key] == theirs[key]) for key in keys], labels, share=True, claim=claim)
    owners = labels if claim == "new" else None
    kappa = cohen_kappa([mine[key] for key in keys], [theirs[key] for key in keys], groups=owners)
    rows = [(_RANKS[mine[key]], _RANKS[theirs[key]]) for key in keys]
    alpha = krippendorff_alpha(rows, scale="ordinal", groups=owners)
    return (
        measured(f"agrees with {who}", same, about="pairs on which both say the same"),
        coefficient(f"kappa with {who}", kappa, about="Cohen's kappa; 0 is chance"),
        coefficient(f"alpha with {who}", alpha, about="Krippendorff's alpha, ordinal; 0 is chance"),
    )


def raters(
    preferences: Iterable[Preference],
    groups: Mapping[str, Hashable] | None = None,
    *,
    claim: Claim = "new",
) -> tuple[Measure, ...]:
    """How far people agree with each other where two or more told the same; else nothing."""
    by_rater: dict[str, list[Preference]] = {}
    for one in preferences:
        by_rater.setdefault(one.by, []).append(one)
    said = [sides(told(each)) for each in by_rater.values()]
    keys = list(dict.fromkeys(key for each in said for key in each))
    rows = [[_RANKS[each[key]] if key in each else None for each in said] for key in keys]
    if all(sum(cell is not None for cell in row) < 2 for row in rows):
        return ()
    labels = [key[0] if groups is None else groups[key[0]] for key in keys]
    alpha = krippendorff_alpha(rows, scale="ordinal", groups=labels if claim == "new" else None)
    about = "Krippendorff's alpha, ordinal; 0 is chance"
    return (coefficient(f"alpha of {len(said)} raters", alpha, about=about),)


def coefficient(name: str, found: Agreement, *, about: str) -> Measure:
    """A coefficient of agreement as a measure; where it has no interval, `about` says why."""
    return Measure(
        name=name,
        value=found.value,
        low=found.low,
        high=found.high,
        n=found.n,
        about=about if found.low is not None else f"{about}; {found.by}",
    )


def with_tests(
    values: Mapping[str, float | None],
    truth: Mapping[str, Side | None],
    groups: Mapping[str, Hashable],
    *,
    claim: Claim = "new",
) -> tuple[Measure, ...]:
    """Sensitivity, specificity, and the rate that they correct, of one pair of contestants.

    `values` are a judge's, example by example, told for contestant a. `truth` says whose program
    passes where the other's fails; None and ties are examples that tests don't decide. A tie of the
    judge is half right. The corrected rate is how often a is truly better where one of the two is.
    """
    known = {name: value for name, value in values.items() if value is not None}
    ups = {name: value for name, value in known.items() if truth.get(name) == "a"}
    downs = {name: 1 - value for name, value in known.items() if truth.get(name) == "b"}
    rates = [
        measured(
            name,
            mean(list(each.values()), [groups[one] for one in each], share=True, claim=claim),
            about=about,
        )
        for name, each, about in (
            ("sensitivity", ups, "how often the judge prefers a where tests do"),
            ("specificity", downs, "how often the judge prefers b where tests do"),
        )
    ]
    about = "how often a is better, corrected by sensitivity and specificity"
    if not (ups and downs):
        why = "tests decide no pair in favour of each side"
        corrected = Measure(name="corrected rate", value=None, unit="share", about=why)
    else:
        counts = [_effective(each, groups, claim) for each in (known, ups, downs)]
        found = rogan_gladen(
            positives=counts[0][0],
            n=counts[0][1],
            true_positives=counts[1][0],
            actual_positives=counts[1][1],
            true_negatives=counts[2][0],
            actual_negatives=counts[2][1],
        )
        corrected = _counted("corrected rate", found, about=about, n=len(known))
    return (*rates, corrected)


def _effective(
    values: Mapping[str, float], groups: Mapping[str, Hashable], claim: Claim
) -> tuple[float, float]:
    """How many of how many: the counts that independent examples as sure as these would have."""
    labels = [groups[name] for name in values] if claim == "new" else None
    spread = spread_of_shares(list(values.values()), labels)
    size = max(1.0, min(float(len(values)), spread.size))
    return min(1.0, max(0.0, spread.mean)) * size, size


def _counted(name: str, found: Interval, *, about: str, n: int) -> Measure:
    return Measure(
        name=name,
        value=found.value,
        low=found.low,
        high=found.high,
        n=n,
        unit="share",
        about=about if found.low is not None else f"{about}; {found.by}",
    )


def with_labels(
    values: Mapping[str, float | None],
    labels: Mapping[str, float],
    groups: Mapping[str, Hashable],
    *,
    claim: Claim = "new",
) -> tuple[Measure, ...]:
    """The rate that people would tell, from a judge on all examples and people on some of them.

    `labels` maps a random part of the examples to what people think of contestant a, 0 to 1. The
    second measure is what the labels alone tell.
    """
    known = {name: value for name, value in values.items() if value is not None}
    given = {name: labels[name] for name in known if name in labels}
    owners = {groups[name] if claim == "new" else name for name in given}
    about = "the rate that people would tell, from their labels and the judge"
    if len(owners) < FEWEST_GROUPS:
        why = f"{about}; labels of {FEWEST_GROUPS} examples or groups at least are needed"
        return (Measure(name="rate with labels", value=None, unit="share", about=why),)
    found = prediction_powered(
        labels=[given.get(name) for name in known],
        predictions=list(known.values()),
        groups=[groups[name] for name in known] if claim == "new" else None,
    )
    return (
        _counted("rate with labels", found.interval, about=about, n=len(known)),
        _counted("rate of labels", found.labelled, about="labels alone", n=len(given)),
    )
