"""A mean and how sure it is.

Two questions decide which interval is right. Is the value a share, within 0 and 1? Then a score
interval stays honest where all values are equal, and a t interval doesn't. Are values of one
group alike? Then groups are the evidence, and an interval over rows alone is too narrow.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from outdo.stats.alike import design_effect

if TYPE_CHECKING:
    import numpy as np

Claim = Literal["these", "new"]
"""Which population is meant: more rows of «these» groups, or «new» groups."""

FEWEST_GROUPS = 3
"""Below this many groups nothing is said about new ones."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """A mean with the interval that holds it, or None where no interval can be told.

    `n` values of `groups` groups went in, `missing` could not be told; `by` names the method, or
    says why there is no interval.
    """

    value: float | None
    low: float | None
    high: float | None
    level: float
    n: int
    groups: int
    missing: int
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """How sure a mean is: its variance, the degrees of freedom of that, and its worth.

    `size` is how many independent rows would make the mean as sure.
    """

    mean: float
    variance: float
    freedom: float
    size: float


def mean(
    values: Sequence[float | None],
    groups: Sequence[Hashable] | None = None,
    *,
    share: bool,
    claim: Claim = "these",
    level: float = 0.95,
) -> Interval:
    """The mean of `values` with its interval; None among them is left out and counted.

    `groups` has one name for each value; none given, each value is a group. Under the claim «new»
    whole groups are the evidence, and below three of them no interval is given; under «these»
    each value is. `share` says that values lie within 0 and 1 by their nature.
    """
    names = range(len(values)) if groups is None else groups
    known = [(value, name) for value, name in zip(values, names, strict=True) if value is not None]
    numbers = [value for value, _ in known]
    labels = [name for _, name in known] if claim == "new" else None
    if share and any(not 0 <= value <= 1 for value in numbers):
        raise ValueError("a share lies within 0 and 1")
    low, high, by = _limits(numbers, labels, share=share, level=level)
    return Interval(
        value=math.fsum(numbers) / len(numbers) if numbers else None,
        low=low,
        high=high,
        level=level,
        n=len(numbers),
        groups=len({name for _, name in known}),
        missing=len(values) - len(numbers),
        by=by,
    )


def _limits(
    values: Sequence[float], groups: Sequence[Hashable] | None, *, share: bool, level: float
) -> tuple[float | None, float | None, str]:
    if reason := why_none(values, groups, share=share):
        return None, None, reason
    if share and groups is None and all(value in (0, 1) for value in values):
        return *wilson(math.fsum(values), len(values), level=level), "Wilson"
    kind = "by group" if groups is not None else "by row"
    if share:
        spread = spread_of_shares(values, groups)
        freedom = spread.freedom if spread.freedom > 0 else None
        successes = min(spread.mean, 1.0) * spread.size
        low, high = wilson(successes, spread.size, level=level, freedom=freedom)
        return low, high, f"Wilson at the effective size, {kind}"
    spread = spread_of(values, groups)
    half = t_quantile(0.5 + level / 2, spread.freedom) * math.sqrt(spread.variance)
    return spread.mean - half, spread.mean + half, f"t, {kind}"


def why_none(
    values: Sequence[float], groups: Sequence[Hashable] | None, *, share: bool
) -> str | None:
    """Why no interval can be told from these values, or None where one can."""
    if not values:
        return "no values"
    if groups is not None and (count := len(set(groups))) < FEWEST_GROUPS:
        return f"{count} of the {FEWEST_GROUPS} groups that an interval about new groups needs"
    if share:
        return None
    if len(values) == 1:
        return "one value has no spread"
    if min(values) == max(values):
        return f"all {len(values)} values are equal: no spread to measure"
    return None


def wilson(
    successes: float, n: float, *, level: float = 0.95, freedom: float | None = None
) -> tuple[float, float]:
    """Wilson's score interval of a share; `n` may be an effective size and needn't be whole.

    With `freedom` the quantile is Student's, for a size that was itself estimated.
    Source: Wilson 1927, JASA 22, and for estimated sizes Korn and Graubard 1998.
    """
    if not (n > 0 and 0 <= successes <= n):
        raise ValueError(f"{successes} of {n} is no share")
    p = successes / n
    z = quantile(0.5 + level / 2, freedom)
    middle = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    low = 0.0 if successes == 0 else max(0.0, middle - half)
    high = 1.0 if successes == n else min(1.0, middle + half)
    return low, high


def clopper_pearson(successes: int, n: int, *, level: float = 0.95) -> tuple[float, float]:
    """The exact interval of a share: never below its level, wider than it need be."""
    from scipy.special import betaincinv

    _check_counts(successes, n)
    tail = (1 - level) / 2
    low = 0.0 if successes == 0 else float(betaincinv(successes, n - successes + 1, tail))
    high = 1.0 if successes == n else float(betaincinv(successes + 1, n - successes, 1 - tail))
    return low, high


def jeffreys(successes: int, n: int, *, level: float = 0.95) -> tuple[float, float]:
    """The Bayesian interval of a share under Jeffreys' prior, closed at 0 and 1.

    Source: Brown, Cai and DasGupta 2001, «Interval Estimation for a Binomial Proportion».
    """
    from scipy.special import betaincinv

    _check_counts(successes, n)
    tail = (1 - level) / 2
    a, b = successes + 0.5, n - successes + 0.5
    low = 0.0 if successes == 0 else float(betaincinv(a, b, tail))
    high = 1.0 if successes == n else float(betaincinv(a, b, 1 - tail))
    return low, high


def _check_counts(successes: int, n: int) -> None:
    if not (n > 0 and 0 <= successes <= n):
        raise ValueError(f"{successes} of {n} is no share")


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
        freedom=_satterthwaite(list(parts.values())),
        size=len(parts),
    )


def spread_of_shares(values: Sequence[float], groups: Sequence[Hashable] | None = None) -> Spread:
    """The spread of a mean of shares, or of differences of shares, and its effective size.

    The size is that of a score interval with the same variance. Groups count by the larger of two
    variances: the robust one, and the plain one times a design effect told cautiously, which
    holds the level where a robust variance from few groups or rare events does not.
    """
    n = len(values)
    plain, spread = spread_of(values), spread_of(values, groups)
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
    return replace(spread, variance=variance, size=size)


def _satterthwaite(parts: Sequence[float]) -> float:
    """The degrees of freedom of the CR2 variance of a mean whose groups hold these parts of it.

    The variance is a quadratic form in independent normals; up to scale its matrix has the
    diagonal p_i and, off it, -p_i p_j / sqrt((1 - p_i)(1 - p_j)). Equal groups give their number
    less one.
    """
    ratios = [part * part / (1 - part) for part in parts]
    squares = math.fsum(part * part for part in parts)
    crossed = math.fsum(ratios) ** 2 - math.fsum(ratio * ratio for ratio in ratios)
    return math.fsum(parts) ** 2 / (squares + crossed)


def bootstrap(
    groups: Sequence[Sequence[float]],
    statistic: Callable[[np.ndarray], float] | None = None,
    *,
    level: float = 0.95,
    draws: int = 2000,
    seed: int = 0,
) -> tuple[float, float]:
    """The BCa bootstrap interval of a statistic of all values, whole groups drawn.

    `statistic` of the pooled values is their mean where none is given. For statistics that have
    no formula; a mean's interval by `mean` holds its level with fewer groups. Raises ValueError
    below three groups. Source: Efron 1987, «Better Bootstrap Confidence Intervals».
    """
    import numpy as np
    from scipy.special import ndtr, ndtri

    if len(groups) < FEWEST_GROUPS:
        raise ValueError(f"{len(groups)} groups are too few to be drawn from")
    of = statistic or (lambda pooled: float(pooled.mean()))
    arrays = [np.asarray(group, dtype=float) for group in groups]
    generator = np.random.default_rng(seed)
    picks = generator.integers(len(arrays), size=(draws, len(arrays)))
    drawn = np.sort([of(np.concatenate([arrays[i] for i in pick])) for pick in picks])
    value = of(np.concatenate(arrays))
    left_out = np.array(
        [of(np.concatenate(arrays[:i] + arrays[i + 1 :])) for i in range(len(arrays))]
    )
    if drawn[0] == drawn[-1]:
        return value, value
    below = (np.sum(drawn < value) + np.sum(drawn <= value)) / 2
    bias = ndtri(min(max(below, 0.5), draws - 0.5) / draws)
    skew = left_out.mean() - left_out
    scale = float(np.sum(skew**2)) ** 1.5
    bend = float(np.sum(skew**3)) / (6 * scale) if scale else 0.0
    ends = bias + ndtri([(1 - level) / 2, (1 + level) / 2])
    low, high = np.quantile(drawn, ndtr(bias + ends / (1 - bend * ends)))
    return float(low), float(high)


def quantile(probability: float, freedom: float | None = None) -> float:
    """The quantile of Student's t, or of the normal where `freedom` is None."""
    if freedom is None:
        from statistics import NormalDist

        return NormalDist().inv_cdf(probability)
    return t_quantile(probability, freedom)


def t_quantile(probability: float, freedom: float) -> float:
    """The quantile of Student's t with `freedom` degrees, whole or not."""
    from scipy.special import stdtrit

    return float(stdtrit(freedom, probability))
