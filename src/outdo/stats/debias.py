"""A rate as a judge tells it, put right by what is known of the judge.

`rogan_gladen` knows how often the judge is right on items whose truth is known (where code ran);
`prediction_powered` knows the truth of a few items (people's labels) beside the judge's word on
all. Both say less than the judge's own rate seems to, and neither is off where that is.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

from outdo.stats.intervals import FEWEST_GROUPS, Interval
from outdo.stats.rates import LEVEL, quantile, t_quantile
from outdo.stats.spread import satterthwaite


def rogan_gladen(
    *,
    positives: float,
    n: float,
    true_positives: float,
    actual_positives: float,
    true_negatives: float,
    actual_negatives: float,
    level: float = LEVEL,
) -> Interval:
    """The true rate behind `positives` of `n` told by a judge of known faults.

    Of `actual_positives` items known to be so the judge says so of `true_positives` (sensitivity),
    of `actual_negatives` it denies `true_negatives` (specificity). All counts may be effective
    ones. The interval holds the luck of all three; there is none where the judge does no better
    than a coin (Youden's index not above 0), or where no rate goes with its known faults.
    Sources: Rogan and Gladen 1978, American Journal of Epidemiology 107; interval by Lang and
    Reiczigel 2014, Preventive Veterinary Medicine 113.
    """
    for part, whole in (
        (positives, n),
        (true_positives, actual_positives),
        (true_negatives, actual_negatives),
    ):
        if not (whole > 0 and 0 <= part <= whole):
            raise ValueError(f"{part} of {whole} is no share")
    plain = _corrected(
        positives / n, true_positives / actual_positives, true_negatives / actual_negatives
    )
    z = quantile(0.5 + level / 2)
    size, size_up, size_down = n + z * z, actual_positives + 2, actual_negatives + 2
    told = (positives + z * z / 2) / size
    right, silent = (true_positives + 1) / size_up, (true_negatives + 1) / size_down
    rate = _corrected(told, right, silent)
    if plain is None or rate is None:
        return _interval(None, None, None, level, n, "the judge does no better than a coin")
    luck_up = right * (1 - right) / size_up
    luck_down = silent * (1 - silent) / size_down
    shift = 2 * z * z * (rate * luck_up - (1 - rate) * luck_down)
    variance = told * (1 - told) / size + rate**2 * luck_up + (1 - rate) ** 2 * luck_down
    half = z * math.sqrt(variance) / (right + silent - 1)
    low, high = rate + shift - half, rate + shift + half
    if high <= 0 or low >= 1:
        by = "fewer or more positives than the judge's known faults alone would give"
        return _interval(_within(plain), None, None, level, n, by)
    by = "Rogan-Gladen, Lang-Reiczigel"
    return _interval(_within(plain), _within(low), _within(high), level, n, by)


def _corrected(told: float, sensitivity: float, specificity: float) -> float | None:
    youden = sensitivity + specificity - 1
    return (told + specificity - 1) / youden if youden > 1e-9 else None


def _within(share: float) -> float:
    return min(1.0, max(0.0, share))


def _interval(
    value: float | None, low: float | None, high: float | None, level: float, n: float, by: str
) -> Interval:
    whole = round(n)
    return Interval(
        value=value, low=low, high=high, level=level, n=whole, groups=whole, missing=0, by=by
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Corrected:
    """A mean corrected by labels, with its interval.

    `labelled` is the mean of the labels alone with its own interval, `trust` how far the judge is
    used, 0 to 1, and `worth` how many labels would be as sure without the judge.
    """

    interval: Interval
    labelled: Interval
    trust: float
    worth: float | None


def prediction_powered(
    *,
    labels: Sequence[float | None],
    predictions: Sequence[float],
    groups: Sequence[Hashable] | None = None,
    share: bool = True,
    level: float = LEVEL,
) -> Corrected:
    """The mean of what `labels` tell, helped by `predictions` of every item (PPI++).

    One label and one prediction an item, a label None where nobody gave one; labels are to be a
    random part of the items. The estimate is mean(label) + trust x (mean(prediction of the
    others) - mean(prediction of the labelled)), at the `trust` that makes it surest: never less
    sure than labels alone, whatever the judge is worth. Whole `groups` are the evidence where
    given; Student's t. `share` cuts the limits to 0 and 1.
    Source: Angelopoulos, Duchi and Zrnic 2023, «PPI++: Efficient Prediction-Powered Inference».
    """
    names = list(range(len(labels))) if groups is None else list(groups)
    known = [i for i, label in enumerate(labels) if label is not None]
    other = [i for i, label in enumerate(labels) if label is None]
    if not (len(labels) == len(predictions) == len(names)):
        raise ValueError("labels, predictions and groups differ in length")
    if len({names[i] for i in known}) < FEWEST_GROUPS:
        raise ValueError(f"labels of {FEWEST_GROUPS} items or groups at least are needed")
    truth = [label for label in labels if label is not None]
    told, rest = [predictions[i] for i in known], [predictions[i] for i in other]
    trust = _trust(truth, told, rest)
    value = math.fsum(truth) / len(truth)
    if rest and trust:
        value += trust * (math.fsum(rest) / len(rest) - math.fsum(told) / len(told))
    moved = _moved(truth, told, rest, trust=trust)
    order = [names[i] for i in (*known, *other)]
    interval = _limits(value, moved, order, len(known), share=share, level=level)
    alone = _limits(
        math.fsum(truth) / len(truth),
        _moved(truth, told, [], trust=0.0),
        order[: len(known)],
        len(known),
        share=share,
        level=level,
    )
    return Corrected(
        interval=interval, labelled=alone, trust=trust, worth=_worth(alone, interval, len(known))
    )


def _trust(truth: Sequence[float], told: Sequence[float], rest: Sequence[float]) -> float:
    """Equation 6 of PPI++ for a mean, within 0 and 1."""
    every = [*told, *rest]
    middle, mean_truth = math.fsum(every) / len(every), math.fsum(truth) / len(truth)
    mean_told = math.fsum(told) / len(told)
    spread = math.fsum((x - middle) ** 2 for x in every) / len(every)
    shared = math.fsum(
        (y - mean_truth) * (x - mean_told) for y, x in zip(truth, told, strict=True)
    ) / len(truth)
    if not rest or spread <= 0:
        return 0.0
    return min(1.0, max(0.0, shared / ((1 + len(truth) / len(rest)) * spread)))


def _moved(
    truth: Sequence[float], told: Sequence[float], rest: Sequence[float], *, trust: float
) -> list[float]:
    """How each item moves the estimate, the labelled ones first; they sum to 0."""
    left = [y - trust * x for y, x in zip(truth, told, strict=True)]
    middle = math.fsum(left) / len(left)
    moved = [(value - middle) / len(left) for value in left]
    if rest:
        mean_rest = math.fsum(rest) / len(rest)
        moved += [trust * (x - mean_rest) / len(rest) for x in rest]
    return moved


def _limits(
    value: float,
    moved: Sequence[float],
    names: Sequence[Hashable],
    labelled: int,
    *,
    share: bool,
    level: float,
) -> Interval:
    """A t interval from the sums of what each group moves; labels alone give the freedom."""
    sums: dict[Hashable, float] = {}
    held: dict[Hashable, int] = {}
    for place, (amount, name) in enumerate(zip(moved, names, strict=True)):
        sums[name] = sums.get(name, 0.0) + amount
        if place < labelled:
            held[name] = held.get(name, 0) + 1
    parts = {name: count / labelled for name, count in held.items()}
    variance = math.fsum(total**2 / (1 - parts.get(name, 0.0)) for name, total in sums.items())
    low = high = None
    by = "no spread among the labels"
    if variance > 0:
        half = t_quantile(0.5 + level / 2, satterthwaite(list(parts.values())))
        half *= math.sqrt(variance)
        low, high = value - half, value + half
        by = "prediction-powered, t"
        if share:
            low, high = _within(low), _within(high)
    return Interval(
        value=_within(value) if share else value,
        low=low,
        high=high,
        level=level,
        n=len(moved),
        groups=len(sums),
        missing=0,
        by=by,
    )


def _worth(alone: Interval, helped: Interval, n: int) -> float | None:
    if alone.low is None or alone.high is None or helped.low is None or helped.high is None:
        return None
    wide, narrow = alone.high - alone.low, helped.high - helped.low
    return n * (wide / narrow) ** 2 if narrow > 0 else None
