"""How sure a mean is: between items, between groups of items, and between training runs.

Items and runs are crossed: every run answers the same items. The variance of the mean over both is
taken as the variance over items of their means over runs plus the variance over runs of their means
over items. What neither explains is in both, so that the sum errs to the wide side, and with few
runs that is what keeps the level.
Sources: Owen 2007, «The Pigeonhole Bootstrap», Annals of Applied Statistics 1, for the two
variances; Satterthwaite 1946, Biometrics Bulletin 2, for the degrees of freedom of their sum.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace

from outdo.stats.alike import design_effect


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """How sure a mean is: its variance, the degrees of freedom of that, and its worth.

    `size` is how many independent rows would make the mean as sure; `largest` is, of shares, the
    variance that one of these would have.
    """

    mean: float
    variance: float
    freedom: float
    size: float
    largest: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Between:
    """What training runs add to the variance of a mean over them, with its degrees of freedom.

    `own` is the part of it that no number of items takes away. One run adds 0: its luck can't be
    told.
    """

    variance: float = 0.0
    freedom: float = 0.0
    own: float = 0.0

    def __add__(self, other: Between) -> Between:
        """Of a difference between contestants whose runs are independent."""
        return Between(
            variance=self.variance + other.variance,
            freedom=_summed_freedom((self.variance, self.freedom), (other.variance, other.freedom)),
            own=self.own + other.own,
        )


ONE_RUN = Between()


def spread_of(values: Sequence[float], groups: Sequence[Hashable] | None = None) -> Spread:
    """The spread of a mean that lets values of one group be alike.

    Groups: the bias-reduced cluster-robust variance (CR2) of an intercept with the degrees of
    freedom of Bell and McCaffrey 2002, both in closed form for a mean. It is never taken to be
    smaller than without groups: with few groups a small one is luck, not evidence.
    Source: Imbens and Kolesár 2016, «Robust Standard Errors in Small Samples».
    """
    n = len(values)
    middle = math.fsum(values) / n
    plain = math.fsum((value - middle) ** 2 for value in values) / (n * (n - 1)) if n > 1 else 0.0
    if groups is None:
        return Spread(mean=middle, variance=plain, freedom=n - 1, size=n)
    sums: dict[Hashable, float] = {}
    for value, name in zip(values, groups, strict=True):
        sums[name] = sums.get(name, 0.0) + value - middle
    parts = {name: count / n for name, count in Counter(groups).items()}
    if len(parts) == 1:
        return Spread(mean=middle, variance=plain, freedom=0, size=1)
    robust = math.fsum(sums[name] ** 2 / (1 - part) for name, part in parts.items()) / n**2
    return Spread(
        mean=middle,
        variance=max(robust, plain),
        freedom=satterthwaite(list(parts.values())),
        size=len(parts),
    )


def spread_of_shares(
    values: Sequence[float],
    groups: Sequence[Hashable] | None = None,
    *,
    influence: Sequence[float] | None = None,
) -> Spread:
    """The spread of a mean of shares, or of differences of shares, and its effective size.

    The size is that of a score interval with the same variance. Groups count by the larger of two
    variances: the robust one, and the plain one times a design effect told cautiously, which
    holds the level where a robust variance from few groups or rare events does not.
    `influence` takes the place of `values` in the variances, where the estimate isn't their mean.
    """
    n = len(values)
    moving = values if influence is None else influence
    plain, spread = spread_of(moving), spread_of(moving, groups)
    ups = [max(value, 0.0) for value in values]
    downs = [max(-value, 0.0) for value in values]
    up, down = math.fsum(ups) / n, math.fsum(downs) / n
    effect = 1.0
    if groups is not None:
        masses: dict[Hashable, list[float]] = {name: [0.0, 0.0, 0.0] for name in groups}
        for name, *amounts in zip(groups, ups, downs, strict=True):
            mass = masses[name]
            mass[:2] = [mass[0] + amounts[0], mass[1] + amounts[1]]
            mass[2] += max(0.0, 1 - sum(amounts))
        effect = design_effect(list(masses.values()))
    variance = max(spread.variance, plain.variance * effect)
    largest = up + down - (up - down) ** 2
    size = largest / variance if variance > 0 and largest > 0 else n / effect
    return replace(spread, variance=variance, size=size, largest=largest)


def satterthwaite(parts: Sequence[float]) -> float:
    """The degrees of freedom of the CR2 variance of a mean whose groups hold these parts of it.

    The variance is a quadratic form in independent normals; up to scale its matrix has the
    diagonal p_i and, off it, -p_i p_j / sqrt((1 - p_i)(1 - p_j)). Equal groups give their number
    less one.
    """
    ratios = [part * part / (1 - part) for part in parts]
    squares = math.fsum(part * part for part in parts)
    crossed = math.fsum(ratios) ** 2 - math.fsum(ratio * ratio for ratio in ratios)
    return math.fsum(parts) ** 2 / (squares + crossed)


def between_runs(means: Sequence[float], residual: float = 0.0) -> Between:
    """What runs add, from each run's mean; `residual` is how much of that its items explain."""
    count = len(means)
    if count < 2 or min(means) == max(means):
        return ONE_RUN
    middle = math.fsum(means) / count
    variance = math.fsum((mean - middle) ** 2 for mean in means) / (count * (count - 1))
    return Between(variance=variance, freedom=count - 1, own=max(0.0, variance - residual))


def between_rows(table: Sequence[Sequence[float]]) -> Between:
    """What runs add, from their values item by item: one row a run, every row of the same items."""
    runs, items = len(table), len(table[0]) if table else 0
    if runs < 2 or not items:
        return ONE_RUN
    means = [math.fsum(row) / items for row in table]
    columns = [math.fsum(column) / runs for column in zip(*table, strict=True)]
    middle = math.fsum(means) / runs
    squares = math.fsum(
        (value - mean - column + middle) ** 2
        for row, mean in zip(table, means, strict=True)
        for value, column in zip(row, columns, strict=True)
    )
    freedom = (runs - 1) * max(1, items - 1)
    return between_runs(means, squares / freedom / (runs * items))


def with_runs(spread: Spread, between: Between) -> Spread:
    """The spread of a mean over items and runs, from that of the items' means over runs.

    Never surer than `spread`: the degrees of freedom are at most its own.
    """
    if not between.variance:
        return spread
    variance = spread.variance + between.variance
    freedom = _summed_freedom(
        (spread.variance, spread.freedom), (between.variance, between.freedom)
    )
    return replace(
        spread,
        variance=variance,
        freedom=min(freedom, spread.freedom) if spread.freedom > 0 else freedom,
        size=min(spread.size, spread.largest / variance) if spread.largest else spread.size,
    )


def _summed_freedom(*parts: tuple[float, float]) -> float:
    """Satterthwaite's degrees of freedom of a sum of variances, from each (variance, freedom)."""
    told = [(variance, freedom) for variance, freedom in parts if variance > 0 and freedom > 0]
    if not told:
        return 0.0
    squares = math.fsum(variance**2 / freedom for variance, freedom in told)
    return math.fsum(variance for variance, _ in told) ** 2 / squares
