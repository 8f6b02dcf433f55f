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
from typing import TYPE_CHECKING

from outdo.stats.alike import Groups, groups_of
from outdo.stats.rates import t_quantile

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """How sure a mean is: its variance, the degrees of freedom of that, and its worth.

    `size` is how many independent rows would make the mean as sure; `largest` is, of shares, the
    variance that one of these would have. Of shares by group `worth` tells the size were the
    shares others than those seen, runs aside; `added` is the variance that runs add.
    """

    mean: float
    variance: float
    freedom: float
    size: float
    largest: float = 0.0
    worth: Worth | None = None
    added: float = 0.0

    def size_at(self, *shares: float) -> float:
        """The effective size were the shares of the categories these."""
        import numpy as np

        if self.worth is None:
            return self.size
        size = float(self.worth(np.array([shares]))[0])
        if not (self.added and self.largest):
            return size
        return 1 / (1 / size + self.added / self.largest)


@dataclass(frozen=True, slots=True, kw_only=True)
class Worth:
    """How many independent rows the rows of groups are worth, of many tables at once.

    `independent` is their number were groups no matter, shape (tables,); it is divided by the
    design effect at the shares that are asked about, or by `least`, the design effect that the
    groups' own spread shows beyond luck, where that is larger.
    """

    groups: Groups
    independent: np.ndarray
    least: np.ndarray

    def __call__(self, shares: np.ndarray | None = None) -> np.ndarray:
        """Effective sizes, shape (tables,), at shares of shape (tables, categories)."""
        import numpy as np

        size: np.ndarray = self.independent / np.maximum(
            self.groups.design_effect(shares), self.least
        )
        return size


LUCK = 0.1
"""A robust variance below its upper tenth, were the modelled one true, is put down to luck."""


def least_effect(ratio: np.ndarray, freedom: float) -> np.ndarray:
    """The design effect shown beyond luck by robust over plain variances of this freedom."""
    from scipy.special import chdtri

    least: np.ndarray = ratio * freedom / chdtri(freedom, LUCK)
    return least


def freedom_of(groups: int) -> float:
    """The degrees of freedom for shares of so many groups: more than one less than there are.

    The variance of one row of 0s and 1s is known from the mean, and only what groups add to it is
    told from them. Of a variance told from groups alone they would be one less than these.
    """
    alone = groups - 1
    return alone * (1 + alone / 30)


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
    robust = _robust(values, groups)
    if robust.freedom == 0:
        return replace(robust, mean=middle, variance=plain)
    return replace(robust, mean=middle, variance=max(robust.variance, plain))


def _robust(values: Sequence[float], groups: Sequence[Hashable]) -> Spread:
    """The cluster-robust spread (CR2), whatever rows alone would say; one group has no freedom."""
    n = len(values)
    middle = math.fsum(values) / n
    sums: dict[Hashable, float] = {}
    for value, name in zip(values, groups, strict=True):
        sums[name] = sums.get(name, 0.0) + value - middle
    parts = {name: count / n for name, count in Counter(groups).items()}
    if len(parts) == 1:
        return Spread(mean=middle, variance=0.0, freedom=0, size=1)
    robust = math.fsum(sums[name] ** 2 / (1 - part) for name, part in parts.items()) / n**2
    return Spread(
        mean=middle,
        variance=robust,
        freedom=satterthwaite(list(parts.values())),
        size=len(parts),
    )


def spread_of_shares(
    values: Sequence[float],
    groups: Sequence[Hashable] | None = None,
    *,
    difference: bool = False,
    influence: Sequence[float] | None = None,
) -> Spread:
    """The spread of a mean of shares, or of differences of shares, and its effective size.

    The size is that of a score interval with the same variance. Groups count by a design effect
    told cautiously, at the shares seen and, by `worth`, at others: it holds the level where a
    robust variance from few groups or rare events does not. The robust one counts where it is
    larger than luck explains.
    `difference` says that values are differences, within -1 and 1, and not within 0 and 1.
    `influence` takes the place of `values` in the variances, where the estimate isn't their mean.
    """
    import numpy as np

    n = len(values)
    moving = values if influence is None else influence
    plain = spread_of(moving)
    ups = [max(value, 0.0) for value in values]
    downs = [max(-value, 0.0) for value in values]
    up, down = math.fsum(ups) / n, math.fsum(downs) / n
    largest = up + down - (up - down) ** 2
    if groups is None:
        size = largest / plain.variance if plain.variance > 0 and largest > 0 else n
        return replace(plain, size=size, largest=largest)
    whole = influence is None and all(value in (-1, 0, 1) for value in values)
    one = largest / n if whole else plain.variance
    independent = largest / one if one > 0 and largest > 0 else float(n)
    spread = _robust(moving, groups)
    least = least_effect(np.array([spread.variance / one if one > 0 else 0.0]), spread.freedom)
    worth = Worth(
        groups=groups_of(_masses(ups, downs if difference else None, groups)),
        independent=np.array([independent]),
        least=least,
    )
    size = float(worth()[0])
    return Spread(
        mean=plain.mean,
        variance=largest / size,
        freedom=freedom_of(len(set(groups))) if whole else spread.freedom,
        size=size,
        largest=largest,
        worth=worth,
    )


def _masses(
    ups: Sequence[float], downs: Sequence[float] | None, groups: Sequence[Hashable]
) -> np.ndarray:
    """How much of each group falls into each category, shape (1, groups, 2 or 3).

    One share has the categories up and not; a difference up, down and neither.
    """
    import numpy as np

    kinds = [ups] if downs is None else [ups, downs]
    masses: dict[Hashable, list[float]] = {name: [0.0] * (len(kinds) + 1) for name in groups}
    for name, *amounts in zip(groups, *kinds, strict=True):
        mass = masses[name]
        for place, amount in enumerate(amounts):
            mass[place] += amount
        mass[-1] += max(0.0, 1 - sum(amounts))
    return np.array([list(masses.values())])


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
    parts = (spread.variance, spread.freedom), (between.variance, between.freedom)
    freedom = _two_runs_freedom(*parts) if between.freedom < 2 else _summed_freedom(*parts)
    return replace(
        spread,
        variance=variance,
        freedom=min(freedom, spread.freedom) if spread.freedom > 0 else freedom,
        size=min(spread.size, spread.largest / variance) if spread.largest else spread.size,
        added=between.variance,
    )


def _two_runs_freedom(*parts: tuple[float, float]) -> float:
    """The degrees of freedom whose 95% quantile adds up the squared half-widths of both parts.

    Satterthwaite's trusts a variance told by two runs too far: they may agree by luck. Each
    part's own half-width, squared and summed, errs to the wide side. Source: Howe 1974, JASA 69.
    """
    told = [(variance, freedom) for variance, freedom in parts if variance > 0 and freedom > 0]
    whole = math.fsum(variance for variance, _ in told)
    wanted = math.sqrt(
        math.fsum(variance * t_quantile(0.975, freedom) ** 2 for variance, freedom in told) / whole
    )
    low, high = 0.5, 1e6
    for _ in range(60):
        middle = math.sqrt(low * high)
        if t_quantile(0.975, middle) > wanted:
            low = middle
        else:
            high = middle
    return math.sqrt(low * high)


def _summed_freedom(*parts: tuple[float, float]) -> float:
    """Satterthwaite's degrees of freedom of a sum of variances, from each (variance, freedom)."""
    told = [(variance, freedom) for variance, freedom in parts if variance > 0 and freedom > 0]
    if not told:
        return 0.0
    squares = math.fsum(variance**2 / freedom for variance, freedom in told)
    return math.fsum(variance for variance, _ in told) ** 2 / squares
