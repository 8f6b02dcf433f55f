"""Whether a judge is as sure as it is right: Brier score, calibration error, abstention.

A forecast is the probability that a judge gives to the side that is known to be right, of two. Its
choice is the side above one half, its confidence the larger of the two probabilities; a forecast of
one half chooses neither and is half right.
Sources: Brier 1950, «Verification of Forecasts Expressed in Terms of Probability»; Naeini, Cooper
and Hauskrecht 2015, «Obtaining Well Calibrated Probabilities Using Bayesian Binning», for the error
over bins of equal width; Geifman and El-Yaniv 2017, «Selective Classification for Deep Neural
Networks», for accuracy against coverage.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from outdo.records import Measure
from outdo.stats.intervals import Claim, Interval, mean
from outdo.stats.resample import bca, drawn, places, too_few

if TYPE_CHECKING:
    import numpy as np

BINS = 10
"""Bins of equal width that confidence, from one half to 1, is put into."""
STEPS = 10
"""Coverages at which accuracy is told: a tenth and so on, as far as equal confidences allow."""
EVEN = 1e-9
"""A forecast that is so near to one half chooses neither side: it is a sum of rounded parts."""
TRIALS = 400
"""Draws of a judge that is perfectly calibrated, for what its error would look like."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bin:
    """The items whose confidence lies from `low` to below `high`, or up to 1 in the last bin.

    `confidence` is their mean confidence, `right` the share that the judge has right, with its
    interval; both are None where `n` is 0.
    """

    low: float
    high: float
    n: int
    confidence: float | None = None
    right: Measure | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Covered:
    """What is right of the items that the judge is surest of; `threshold` is the least sure."""

    coverage: float
    threshold: float
    right: Measure


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """How far a judge's probabilities hold, over `n` items; `missing` have none.

    `brier` is the mean square of what was missed, 0 at best, and 0.25 for always one half. `error`
    is the expected calibration error, the mean distance of confidence and share right over bins,
    weighed by their items; `chance` is what it would come to on these items, were the judge
    perfectly calibrated. `over` is mean confidence less the share right: above 0 it is too sure.
    """

    n: int
    missing: int
    brier: Measure
    error: Measure
    chance: float | None
    over: Measure
    bins: tuple[Bin, ...]
    coverage: tuple[Covered, ...]


def confidence(forecast: float) -> float:
    """How sure a forecast is of its own choice, from one half to 1."""
    return max(forecast, 1 - forecast)


def rightness(forecast: float) -> float:
    """1 for a forecast that chooses the right side, 0 for the other, a half for neither."""
    return 0.5 if abs(forecast - 0.5) < EVEN else float(forecast > 0.5)


def calibration(
    forecasts: Mapping[str, float | None],
    groups: Mapping[str, Hashable],
    *,
    claim: Claim = "new",
    bins: int = BINS,
    seed: int = 0,
) -> Calibration:
    """The calibration of forecasts by item; None among them is missing, and counted.

    `groups` has a group for each item; under the claim «new» whole groups are the evidence. Raises
    ValueError for a forecast that is no probability.
    """
    told = {name: one for name, one in forecasts.items() if one is not None}
    if any(not 0 <= one <= 1 for one in told.values()):
        raise ValueError("a forecast lies within 0 and 1")
    values, labels = list(told.values()), [groups[name] for name in told]
    missed = mean([(1 - one) ** 2 for one in values], labels, share=True, claim=claim)
    gaps = [confidence(one) - rightness(one) for one in values]
    over = mean(gaps, labels, share=False, claim=claim)
    about = f"{bins} bins of equal width from one half to 1"
    return Calibration(
        n=len(told),
        missing=len(forecasts) - len(told),
        brier=_measure("Brier score", missed, "mean square of what its probability missed"),
        error=_error(values, labels, bins=bins, claim=claim, seed=seed, about=about),
        chance=_chance(values, bins=bins, seed=seed) if values else None,
        over=_measure("overconfidence", over, "mean confidence less the share right"),
        bins=tuple(_bins(values, labels, bins=bins, claim=claim)),
        coverage=tuple(_coverage(values, labels, claim=claim)),
    )


def _measure(name: str, found: Interval, about: str) -> Measure:
    return Measure(
        name=name, value=found.value, low=found.low, high=found.high, n=found.n, about=about
    )


# ------------------------------------------------------------------ bins


def _place(sure: float, bins: int) -> int:
    """The number of the bin of a confidence."""
    return min(bins - 1, math.floor((sure - 0.5) * 2 * bins + 1e-9))


def _bins(
    values: Sequence[float], labels: Sequence[Hashable], *, bins: int, claim: Claim
) -> list[Bin]:
    found = []
    for number in range(bins):
        own = [i for i, one in enumerate(values) if _place(confidence(one), bins) == number]
        low, high = 0.5 + number / (2 * bins), 0.5 + (number + 1) / (2 * bins)
        if not own:
            found.append(Bin(low=low, high=high, n=0))
            continue
        right = [rightness(values[i]) for i in own]
        told = mean(right, [labels[i] for i in own], share=True, claim=claim)
        found.append(
            Bin(
                low=low,
                high=high,
                n=len(own),
                confidence=math.fsum(confidence(values[i]) for i in own) / len(own),
                right=_measure("share right", told, "of the items in this bin"),
            )
        )
    return found


def _error(
    values: Sequence[float],
    labels: Sequence[Hashable],
    *,
    bins: int,
    claim: Claim,
    seed: int,
    about: str,
) -> Measure:
    """The expected calibration error, its interval by drawing groups, or items."""
    import numpy as np

    name = "calibration error"
    if not values:
        return Measure(name=name, value=None, about=about)
    gaps = np.array([confidence(one) - rightness(one) for one in values])
    own = np.array([_place(confidence(one), bins) for one in values])
    where, count = places(labels if claim == "new" else None, len(values))
    members = np.zeros((len(values), bins))
    members[np.arange(len(values)), own] = 1.0

    def of(weights: np.ndarray) -> np.ndarray:
        rows = weights[:, where]
        away = np.abs((rows * gaps) @ members).sum(axis=1)
        return np.asarray(away / rows.sum(axis=1))

    value = float(of(np.ones((1, count)))[0])
    low, high = None, None
    if too_few(count) is None:
        low, high, _ = bca(drawn(of, count, seed=seed, width=len(values)))
    return Measure(name=name, value=value, low=low, high=high, n=len(values), about=about)


def _chance(values: Sequence[float], *, bins: int, seed: int) -> float:
    """The mean error of a judge that is right just as often as it says, on these confidences."""
    import numpy as np

    sure = np.array([confidence(one) for one in values])
    own = np.array([_place(one, bins) for one in sure])
    members = np.zeros((len(values), bins))
    members[np.arange(len(values)), own] = 1.0
    generator, total, done = np.random.default_rng(seed), 0.0, 0
    while done < TRIALS:
        rows = min(TRIALS - done, max(1, 1_000_000 // len(values)))
        right = generator.random((rows, len(values))) < sure
        total += float(np.abs((sure - right) @ members).sum()) / len(values)
        done += rows
    return total / TRIALS


# ------------------------------------------------------------------ abstention


def _coverage(
    values: Sequence[float], labels: Sequence[Hashable], *, claim: Claim
) -> list[Covered]:
    """Accuracy over the surest items, at the coverages that are nearest to equal steps.

    Items that are equally sure are covered together.
    """
    order = sorted(range(len(values)), key=lambda i: -confidence(values[i]))
    sure = [confidence(values[i]) for i in order]
    ends = [i + 1 for i in range(len(sure)) if i + 1 == len(sure) or sure[i + 1] < sure[i] - EVEN]
    wanted = [len(sure) * step / STEPS for step in range(1, STEPS + 1)] if ends else []
    sizes = sorted({min(ends, key=lambda end: (abs(end - size), end)) for size in wanted})
    return [_covered(values, labels, order[:size], claim=claim) for size in sizes]


def _covered(
    values: Sequence[float], labels: Sequence[Hashable], kept: Sequence[int], *, claim: Claim
) -> Covered:
    right = [rightness(values[i]) for i in kept]
    told = mean(right, [labels[i] for i in kept], share=True, claim=claim)
    return Covered(
        coverage=len(kept) / len(values),
        threshold=confidence(values[kept[-1]]),
        right=_measure("share right", told, "of the items that the judge is surest of"),
    )
