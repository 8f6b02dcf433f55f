"""What values look like: their middle, their spread, and how they fall into bins.

Nothing here says how sure it is: these numbers describe the values at hand.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

MOST_BINS = 24
LONG_TAIL = 2.0
"""A range whose most is so many times its 98th percentile ends in an open bin."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Described:
    """The middle and the spread of `n` values; `missing` could not be told.

    `variance` and `deviation` are of these very values: the squared distances from the mean are
    divided by n. Quartiles are interpolated between neighbours (R's type 7, NumPy's default).
    """

    n: int
    missing: int
    mean: float
    median: float
    variance: float
    deviation: float
    least: float
    lower: float
    upper: float
    most: float


def describe(values: Sequence[float | None]) -> Described | None:
    """Middle and spread of the values that are known; None where none is."""
    known = sorted(float(value) for value in values if value is not None)
    if not known:
        return None
    mean = math.fsum(known) / len(known)
    # Equal values have no spread, whatever the rounding of their mean leaves.
    equal = known[0] == known[-1]
    variance = 0.0 if equal else math.fsum((x - mean) ** 2 for x in known) / len(known)
    return Described(
        n=len(known),
        missing=len(values) - len(known),
        mean=known[0] if equal else mean,
        median=statistics.median(known),
        variance=variance,
        deviation=math.sqrt(variance),
        least=known[0],
        lower=quantile_of(known, 0.25),
        upper=quantile_of(known, 0.75),
        most=known[-1],
    )


def quantile_of(ordered: Sequence[float], part: float) -> float:
    """The value below which this part of ascending values lies, interpolated between two.

    Source: Hyndman and Fan 1996, «Sample Quantiles in Statistical Packages», definition 7.
    """
    place = part * (len(ordered) - 1)
    below = math.floor(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (place - below) * (ordered[above] - ordered[below])


# ------------------------------------------------------------------ bins


@dataclass(frozen=True, slots=True, kw_only=True)
class Bins:
    """Equal bins of width `width` from `start`; an `open` last one holds all that lies beyond.

    A bin holds its left edge and not its right one; the last holds both.
    """

    start: float
    width: float
    count: int
    open: bool = False

    @property
    def end(self) -> float:
        """The right edge of the last bin."""
        return self.start + self.width * self.count

    def counts(self, values: Sequence[float]) -> list[int]:
        """How many of the values lie in each bin. Raises ValueError for one that lies in none."""
        found = [0] * self.count
        for value in values:
            # A value that is an edge belongs to the right of it, whatever rounding says.
            place = math.floor((value - self.start) / self.width + 1e-9)
            if place < 0 or (value > self.end + 1e-9 * self.width and not self.open):
                raise ValueError(f"{value} lies in none of the bins")
            found[min(place, self.count - 1)] += 1
        return found


def bins(values: Sequence[float], *, share: bool = False, most: int = MOST_BINS) -> Bins:
    """Round bins that hold all of the values: twentieths of a share, whole ones of whole numbers.

    Otherwise the width is a round number near the smaller of Freedman and Diaconis 1981,
    2 IQR / n^(1/3), and Sturges 1926, range / (1 + log2 n), and never gives more than `most` bins.
    A long tail above falls into an open last bin. Raises ValueError without values.
    """
    if not values:
        raise ValueError("bins of no values")
    if share:
        return Bins(start=0.0, width=0.05, count=20)
    known = sorted(float(value) for value in values)
    low, high = known[0], known[-1]
    whole = all(value.is_integer() for value in known)
    near = quantile_of(known, 0.98)
    tailed = low >= 0 and 0 < LONG_TAIL * near < high
    reach = near if tailed else high
    if reach == low:
        return _around(low, high, whole=whole)
    spread = quantile_of(known, 0.75) - quantile_of(known, 0.25)
    wanted = (reach - low) / (1 + math.log2(len(known)))
    if spread:
        wanted = min(wanted, 2 * spread / len(known) ** (1 / 3))
    if whole and reach - low < most - 1:
        wanted = 1.0
    width = _round_width(max(wanted, (reach - low) / (most - 2)), whole=whole)
    start = math.floor(low / width + 1e-9) * width
    count = math.floor((reach - start) / width + 1e-9) + 1
    beyond = tailed and start + width * count < high
    return Bins(start=start, width=width, count=count + beyond, open=beyond)


def _around(low: float, high: float, *, whole: bool) -> Bins:
    """One bin of the one value, and an open one where there is anything beyond it."""
    width = 1.0 if whole else 10.0 ** math.floor(math.log10(abs(low))) if low else 1.0
    start = low if whole else math.floor(low / width + 1e-9) * width
    return Bins(start=start, width=width, count=2 if high > low else 1, open=high > start + width)


def _round_width(wanted: float, *, whole: bool) -> float:
    """The next width that is 1, 2, 2.5 or 5 times a power of ten; a whole one for whole numbers."""
    power = 10.0 ** math.floor(math.log10(wanted))
    steps = [power * f for f in (1, 2, 2.5, 5, 10) if power * f >= wanted * (1 - 1e-9)]
    if not whole:
        return steps[0]
    return max(1.0, next(step for step in (*steps, power * 10) if step.is_integer() or step < 1))
