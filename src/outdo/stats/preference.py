"""How good a judge is that says which of two is better, from what it said in both orders.

Every call is a `Look`: one pair shown in one order. What gave no verdict is never a wrong one, and
never left out of sight: `accuracy` is of the verdicts that were given, `strict` asks for the right
one in every call, `half` gives half a point where there is no verdict, and each reason why there is
none has a rate of its own.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from outdo.records import Measure
from outdo.stats.calibration import Calibration, calibration
from outdo.stats.intervals import Claim, mean
from outdo.stats.length import LengthControlled, length_controlled
from outdo.stats.resample import bca, drawn, places, too_few
from outdo.stats.verdict import Verdict, verdict

if TYPE_CHECKING:
    import numpy as np

Said = Literal["right", "wrong", "tie", "unreadable", "cut", "refused", "failed"]
SILENT: tuple[Said, ...] = ("unreadable", "cut", "refused", "failed")
"""Calls that give no verdict."""

ACCURACY, STRICT, HALF, CONSISTENT = "accuracy", "strict", "half credit", "consistent"
SCORES = (ACCURACY, STRICT, HALF)
FIRST = "first preferred"
RATES: Mapping[str, Said] = {
    "tie": "tie",
    "unreadable": "unreadable",
    "cut off": "cut",
    "refused": "refused",
    "failed": "failed",
}
"""What each rate counts, by its name."""

ABOUT = {
    ACCURACY: "right verdicts among those that were given, ties as a half; 0.5 is chance",
    STRICT: "pairs that every call has right, in both orders",
    HALF: "a point for a right verdict, a half for a tie and for none",
    CONSISTENT: "pairs of which both orders get the same verdict, of those that got two",
    FIRST: "verdicts for the program that is shown first; a half is fair",
    "tie": "calls that prefer neither",
    "unreadable": "replies from which no verdict could be read",
    "cut off": "replies that ended before their verdict, for want of tokens",
    "refused": "replies that the model or its provider refused to give",
    "failed": "calls that were never answered",
}

NEARLY = 1.1
"""The ratio of lengths up to which two programs are nearly equally long."""
EVEN, LONGER, SHORTER = (
    "nearly equally long",
    "the better one is longer",
    "the better one is shorter",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One pair: what it is evidence of, and how long its programs are, in tokens.

    `beaten` is by how many of the floors the pair is got right, in both orders.
    """

    id: str
    group: str
    criterion: str
    better_tokens: int
    worse_tokens: int
    beaten: int = 0

    @property
    def length(self) -> str:
        """Which of the three sorts of lengths it has."""
        low, high = sorted((self.better_tokens, self.worse_tokens))
        if high <= NEARLY * low:
            return EVEN
        return LONGER if self.better_tokens > self.worse_tokens else SHORTER


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """One call: what it said of an item that was shown in one order.

    `order` numbers the ways to show the pair, `sample` repeated calls. `first` is whether the
    program shown first was preferred, None without a verdict. `forecast` is the probability that
    was given to the better program, None where the model tells none.
    """

    item: str
    order: int
    said: Said
    sample: int = 0
    first: bool | None = None
    forecast: float | None = None


Looks = Mapping[str, Sequence[Look]]
"""The calls of each item."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scorecard:
    """What one judge came to over `n` items in `groups` groups; `name` says which items."""

    name: str
    n: int
    groups: int
    measures: Mapping[str, Measure]


# ------------------------------------------------------------------ one item

CREDIT: Mapping[Said, float] = {"right": 1.0, "wrong": 0.0, "tie": 0.5}


def accuracy(looks: Sequence[Look]) -> float | None:
    """The mean credit of the verdicts, None where there is none."""
    told = [CREDIT[one.said] for one in looks if one.said in CREDIT]
    return math.fsum(told) / len(told) if told else None


def strict(looks: Sequence[Look]) -> float:
    """1 if every call is right, else 0."""
    return float(bool(looks) and all(one.said == "right" for one in looks))


def half(looks: Sequence[Look]) -> float:
    """The mean credit of all calls, a half where there is no verdict."""
    return math.fsum(CREDIT.get(one.said, 0.5) for one in looks) / len(looks)


def consistent(looks: Sequence[Look]) -> float | None:
    """The share of samples whose orders all say the same, of those with a verdict in each."""
    samples: dict[int, list[Said]] = {}
    orders = {one.order for one in looks}
    for one in looks:
        samples.setdefault(one.sample, []).append(one.said)
    told = [
        float(len(set(said)) == 1)
        for said in samples.values()
        if len(said) == len(orders) > 1 and not set(said) & set(SILENT)
    ]
    return math.fsum(told) / len(told) if told else None


def first_preferred(looks: Sequence[Look]) -> float | None:
    """The share of verdicts for the program that is shown first, ties as a half."""
    told = [
        0.5 if one.said == "tie" else float(bool(one.first)) for one in looks if one.said in CREDIT
    ]
    return math.fsum(told) / len(told) if told else None


def forecast(looks: Sequence[Look]) -> float | None:
    """The probability for the better program, over orders and samples.

    That is the mean of what the model itself told where it told it of every verdict, and else the
    share of its verdicts, of which it takes two.
    """
    told = [one for one in looks if one.said in CREDIT]
    own = [one.forecast for one in told if one.forecast is not None]
    if told and len(own) == len(told):
        return math.fsum(own) / len(own)
    return accuracy(told) if len(told) > 1 else None


def forecast_by(looks: Looks) -> str:
    """Where the probabilities of a judge come from, in words."""
    told = [one for own in looks.values() for one in own if one.said in CREDIT]
    if told and all(one.forecast is not None for one in told):
        return "the model's own probabilities, both orders averaged"
    return "the share of its verdicts over orders and samples"


SCORE_OF: Mapping[str, Callable[[Sequence[Look]], float | None]] = {
    ACCURACY: accuracy,
    STRICT: strict,
    HALF: half,
    CONSISTENT: consistent,
    FIRST: first_preferred,
}


EVERY = (*SCORE_OF, *RATES)
"""All that a scorecard tells."""


def scores(looks: Looks, name: str) -> dict[str, float | None]:
    """Item to its score of a name, None where it can't be told."""
    if name in RATES:
        wanted = RATES[name]
        return {
            item: math.fsum(one.said == wanted for one in own) / len(own)
            for item, own in looks.items()
        }
    return {item: SCORE_OF[name](own) for item, own in looks.items()}


# ------------------------------------------------------------------ many items


def scorecard(
    name: str,
    looks: Looks,
    items: Mapping[str, Item],
    *,
    claim: Claim = "new",
    of: Sequence[str] = EVERY,
) -> Scorecard:
    """The scores and rates `of` these names over the items that were looked at, with intervals.

    Under the claim «new» whole groups are the evidence.
    """
    measures = {score: _mean(score, scores(looks, score), items, claim=claim) for score in of}
    groups = {items[item].group for item in looks}
    return Scorecard(name=name, n=len(looks), groups=len(groups), measures=measures)


def _mean(
    name: str, values: Mapping[str, float | None], items: Mapping[str, Item], *, claim: Claim
) -> Measure:
    labels = [items[item].group for item in values]
    found = mean(list(values.values()), labels, share=True, claim=claim)
    return Measure(
        name=name,
        value=found.value,
        low=found.low,
        high=found.high,
        n=found.n,
        unit="share",
        about=ABOUT[name],
    )


def parts_of(
    looks: Looks, items: Mapping[str, Item], by: Callable[[Item], str]
) -> dict[str, dict[str, Sequence[Look]]]:
    """The looks at each part of the items, parts in the order of their names."""
    found: dict[str, dict[str, Sequence[Look]]] = {}
    for item, own in looks.items():
        found.setdefault(by(items[item]), {})[item] = own
    return dict(sorted(found.items()))


def macro(looks: Looks, items: Mapping[str, Item], name: str, *, seed: int = 0) -> Measure:
    """The mean over criteria of a score's means, each criterion counting alike.

    Its interval draws whole groups, which may hold pairs of several criteria.
    """
    import numpy as np

    told = {item: one for item, one in scores(looks, name).items() if one is not None}
    about = f"mean over criteria; {ABOUT[name]}"
    if not told:
        return Measure(name=name, value=None, unit="share", about=about)
    values = np.array(list(told.values()))
    criteria = list(dict.fromkeys(items[item].criterion for item in told))
    members = np.array([[items[item].criterion == one for one in criteria] for item in told], float)
    where, count = places([items[item].group for item in told], len(told))

    def of(weights: np.ndarray) -> np.ndarray:
        rows = weights[:, where]
        sums, sizes = (rows * values) @ members, rows @ members
        nothing = np.full_like(sums, np.nan)
        means = np.divide(sums, sizes, out=nothing, where=sizes > 0)
        return np.asarray(means.mean(axis=1))

    low, high = None, None
    if too_few(count) is None:
        low, high, _ = bca(drawn(of, count, seed=seed, width=len(told)))
    value = float(of(np.ones((1, count)))[0])
    return Measure(
        name=name, value=value, low=low, high=high, n=len(told), unit="share", about=about
    )


def calibrated(
    looks: Looks, items: Mapping[str, Item], *, claim: Claim = "new", seed: int = 0
) -> Calibration:
    """How far a judge's probabilities hold, one forecast an item."""
    forecasts = {item: forecast(own) for item, own in looks.items()}
    groups = {item: items[item].group for item in looks}
    return calibration(forecasts, groups, claim=claim, seed=seed)


def at_equal_length(looks: Looks, items: Mapping[str, Item], *, seed: int = 0) -> LengthControlled:
    """How often the better program would be preferred, were both equally long, ties as a half.

    A slope above 0 leans to the longer one. Groups are drawn.
    """
    own = [items[item] for item in looks]
    return length_controlled(
        preferences=[accuracy(one) for one in looks.values()],
        lengths=[one.better_tokens for one in own],
        other_lengths=[one.worse_tokens for one in own],
        groups=[one.group for one in own],
        seed=seed,
    )


def against(
    a: Looks,
    b: Looks,
    items: Mapping[str, Item],
    *,
    score: str = STRICT,
    claim: Claim = "new",
    margin: float | None = None,
) -> Verdict:
    """One judge against another over the pairs that both were shown, by a score of each."""
    return verdict(
        scores(a, score),
        scores(b, score),
        better="higher",
        share=True,
        claim=claim,
        groups={name: one.group for name, one in items.items()},
        margin=margin,
    )


def beaten_by(floors: Iterable[Looks]) -> dict[str, int]:
    """Item to how many of these judges have it right in every call."""
    found: dict[str, int] = {}
    for looks in floors:
        for item, own in looks.items():
            found[item] = found.get(item, 0) + int(strict(own))
    return found
