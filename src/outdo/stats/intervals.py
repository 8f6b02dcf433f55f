"""A mean and how sure it is.

Two questions decide which interval is right. Is the value a share, within 0 and 1? Then a score
interval stays honest where all values are equal, and a t interval doesn't. Are values of one
group alike? Then groups are the evidence, and an interval over rows alone is too narrow.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from outdo.stats.alike import groups_of
from outdo.stats.rates import quantile, t_quantile, wilson, wilson_ends
from outdo.stats.spread import (
    ONE_RUN,
    Between,
    Worth,
    between_runs,
    freedom_of,
    least_effect,
    satterthwaite,
    spread_of,
    spread_of_shares,
    with_runs,
)

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
    says why there is no interval. Of several training runs `run_means` are their means, in order,
    and `value` is the mean of these.
    """

    value: float | None
    low: float | None
    high: float | None
    level: float
    n: int
    groups: int
    missing: int
    by: str
    run_means: tuple[float, ...] = ()


Values = Mapping[str, float | None]
"""Example to its value; None could not be told."""


def mean(
    values: Sequence[float | None],
    groups: Sequence[Hashable] | None = None,
    *,
    share: bool,
    claim: Claim = "these",
    level: float = 0.95,
    least: float | None = None,
) -> Interval:
    """The mean of `values` with its interval; None among them is left out and counted.

    `groups` has one name for each value; none given, each value is a group. Under the claim «new»
    whole groups are the evidence, and below three of them no interval is given; under «these»
    each value is. `share` says that values lie within 0 and 1 by their nature, `least` that none
    can be below it: an interval is cut there, which takes nothing from its coverage.
    """
    names = range(len(values)) if groups is None else groups
    known = [(value, name) for value, name in zip(values, names, strict=True) if value is not None]
    numbers = [value for value, _ in known]
    labels = [name for _, name in known] if claim == "new" else None
    _check_bounds(numbers, share=share, least=least)
    low, high, by = _limits(numbers, labels, share=share, level=level)
    return Interval(
        value=math.fsum(numbers) / len(numbers) if numbers else None,
        low=_no_less(low, least),
        high=high,
        level=level,
        n=len(numbers),
        groups=len({name for _, name in known}),
        missing=len(values) - len(numbers),
        by=by,
    )


def mean_of_runs(
    runs: Sequence[Values],
    groups: Mapping[str, Hashable] | None = None,
    *,
    share: bool,
    claim: Claim = "these",
    level: float = 0.95,
    least: float | None = None,
) -> Interval:
    """The mean over training runs of their means over items, sure of neither runs nor items.

    Each of `runs` maps an item to its value in one run; otherwise as `mean`. An item counts in the
    runs that have a value for it, and as missing if it could not be told in one of them.
    """
    runs = [run for run in runs if any(value is not None for value in run.values())] or runs[:1]
    names = {name: name if groups is None else groups[name] for run in runs for name in run}
    if len(runs) == 1:
        (only,) = runs
        labels = [names[name] for name in only]
        values = list(only.values())
        return mean(values, labels, share=share, claim=claim, level=level, least=least)
    told = [{name: x for name, x in run.items() if x is not None} for run in runs]
    items = [name for name in names if any(name in run for run in told)]
    _check_bounds([x for run in told for x in run.values()], share=share, least=least)
    means = tuple(math.fsum(run.values()) / len(run) for run in told)
    own = [_mean_over(told, name) for name in items]
    labels = [names[name] for name in items]
    low, high, by = _limits(
        own,
        labels if claim == "new" else None,
        share=share,
        level=level,
        between=between_runs(means),
        influence=_influence(told, means, items),
    )
    return Interval(
        value=math.fsum(means) / len(means),
        low=_no_less(low, least),
        high=high,
        level=level,
        n=len(items),
        groups=len(set(labels)),
        missing=sum(any(run.get(name, 0.0) is None for run in runs) for name in names),
        by=by,
        run_means=means,
    )


def _mean_over(runs: Sequence[Mapping[str, float]], name: str) -> float:
    values = [run[name] for run in runs if name in run]
    return math.fsum(values) / len(values)


def _influence(
    runs: Sequence[Mapping[str, float]], means: Sequence[float], items: Sequence[str]
) -> list[float]:
    """Values whose mean is the mean of the runs' means, each moved as its item moves that.

    Where every run has every item these are the items' means over runs.
    """
    middle, scale = math.fsum(means) / len(means), len(items) / len(runs)
    return [
        middle
        + scale
        * math.fsum(
            (run[name] - own) / len(run)
            for run, own in zip(runs, means, strict=True)
            if name in run
        )
        for name in items
    ]


def _check_bounds(values: Sequence[float], *, share: bool, least: float | None) -> None:
    if share and any(not 0 <= value <= 1 for value in values):
        raise ValueError("a share lies within 0 and 1")
    if least is not None and any(value < least for value in values):
        raise ValueError(f"{min(values)} is below {least}, the least that was said to be possible")


def _no_less(low: float | None, least: float | None) -> float | None:
    return low if low is None or least is None else max(low, least)


def _limits(
    values: Sequence[float],
    groups: Sequence[Hashable] | None,
    *,
    share: bool,
    level: float,
    between: Between = ONE_RUN,
    influence: Sequence[float] | None = None,
) -> tuple[float | None, float | None, str]:
    moving = values if influence is None else influence
    if reason := why_none(moving, groups, share=share):
        return None, None, reason
    import numpy as np

    alone = between.variance == 0
    if share and groups is None and alone and _whole(values):
        return *wilson(successes=math.fsum(values), n=len(values), level=level), "Wilson"
    kind = f"by {'group' if groups is not None else 'row'}{'' if alone else ' and run'}"
    if share and groups is not None and influence is None and alone and _whole(values):
        low, high = shares_by_group(*_counted(values, groups), level=level)
        return float(low[0]), float(high[0]), f"Wilson at the effective size, {kind}"
    if share:
        spread = with_runs(spread_of_shares(values, groups, influence=influence), between)
        freedom = spread.freedom if spread.freedom > 0 else None
        middle = min(max(spread.mean, 0.0), 1.0)

        def size(at: np.ndarray) -> np.ndarray:
            return np.array([spread.size_at(float(at[0]), 1 - float(at[0]))])

        ends = share_ends(np.array([middle]), size, z=quantile(0.5 + level / 2, freedom))
        return float(ends[0][0]), float(ends[1][0]), f"Wilson at the effective size, {kind}"
    spread = with_runs(spread_of(moving, groups), between)
    half = t_quantile(0.5 + level / 2, spread.freedom) * math.sqrt(spread.variance)
    return spread.mean - half, spread.mean + half, f"t, {kind}"


def _whole(values: Sequence[float]) -> bool:
    return all(value in (0, 1) for value in values)


def _counted(values: Sequence[float], groups: Sequence[Hashable]) -> tuple[np.ndarray, np.ndarray]:
    """How many of each group are 1, shape (1, groups), and how many there are, (groups,)."""
    import numpy as np

    hits: dict[Hashable, float] = {}
    for value, name in zip(values, groups, strict=True):
        hits[name] = hits.get(name, 0.0) + value
    sizes = Counter(groups)
    return np.array([list(hits.values())]), np.array([sizes[name] for name in hits])


def shares_by_group(
    hits: np.ndarray, sizes: np.ndarray, *, level: float = 0.95
) -> tuple[np.ndarray, np.ndarray]:
    """The limits of many shares at once, whole groups the evidence.

    `hits`, shape (shares, groups), counts successes, of `sizes`, shape (groups,). The estimand is
    the chance of a success of a row, in groups of sizes like these; its estimate is the pooled
    share. Returns two arrays of shape (shares,).
    """
    import numpy as np

    n, parts = sizes.sum(), sizes / sizes.sum()
    middle = hits.sum(axis=1) / n
    plain = middle * (1 - middle) / n
    robust = ((hits - middle[:, None] * sizes) ** 2 / (1 - parts)).sum(axis=1) / n**2
    ratio = np.divide(robust, plain, out=np.zeros_like(plain), where=plain > 0)
    worth = Worth(
        groups=groups_of(np.stack([hits, sizes - hits], axis=2)),
        independent=np.full(len(hits), float(n)),
        least=least_effect(ratio, satterthwaite(parts.tolist())),
    )
    z = quantile(0.5 + level / 2, freedom_of(len(sizes)))
    return share_ends(middle, lambda at: worth(np.stack([at, 1 - at], axis=1)), z=z)


def share_ends(
    middle: np.ndarray, size: Callable[[np.ndarray], np.ndarray], *, z: float
) -> tuple[np.ndarray, np.ndarray]:
    """Wilson's limits of shares whose effective size depends on the share that is tried.

    Each limit is the share from which the one seen is z standard errors away, at the size that
    this limit itself makes likely.
    """
    import numpy as np

    def ends(at: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        low, high = wilson_ends(middle, size(np.clip(at, 1e-9, 1 - 1e-9)), z)
        return np.clip(low, 0.0, middle), np.clip(high, middle, 1.0)

    first = ends(middle)
    low = fixed_point(lambda at: ends(at)[0], first[0], least=np.zeros_like(middle), most=middle)
    high = fixed_point(lambda at: ends(at)[1], first[1], least=middle, most=np.ones_like(middle))
    return low, high


def fixed_point(
    of: Callable[[np.ndarray], np.ndarray],
    start: np.ndarray,
    *,
    least: np.ndarray,
    most: np.ndarray,
) -> np.ndarray:
    """Where each value is what `of` makes of it, within bounds, by secants.

    A secant that leads out of what is known to hold the point gives way to halving that.
    """
    import numpy as np

    low, high, at, known = least.copy(), most.copy(), start, of(start)
    last, last_off = at, np.full_like(at, np.nan)
    for _ in range(40):
        off = known - at
        low, high = np.where(off >= 0, at, low), np.where(off <= 0, at, high)
        if float(np.abs(off).max()) < 1e-7:
            return at
        bend = off - last_off
        slope = np.divide(at - last, bend, out=np.full_like(at, np.nan), where=bend != 0)
        step = np.where(np.isfinite(slope), at - off * slope, known)
        step = np.where((step >= low) & (step <= high), step, (low + high) / 2)
        last, last_off = at, off
        at = np.where(off == 0, at, step)
        known = of(at)
    return at


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
