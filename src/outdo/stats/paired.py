"""Two contestants on the same examples: the difference, and how sure it is.

Pairing removes what makes an example hard for both. A pair counts where both values are known;
a pair in which one could not be told is left out, counted, and tried at its worst.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass

from outdo.stats.intervals import Claim, Values, fixed_point, why_none
from outdo.stats.rates import (
    LEVEL,
    mcnemar,
    quantile,
    share_against,
    t_quantile,
    tango,
    tango_end,
)
from outdo.stats.spread import (
    Between,
    Spread,
    between_rows,
    spread_of,
    spread_of_shares,
    with_runs,
)

LEVEL_WITHIN = 0.90
"""Two one-sided tests at 5% for «within the margin» are one interval at 90%."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """The mean of a - b over pairs, its 95% interval and its 90% interval.

    `mean_a` and `mean_b` are over the same pairs. `n` pairs of `groups` groups were compared; in
    `wins` of them a's value is the larger, in `losses` b's. `missing` pairs could not be told.
    `p` is two-sided, by the test `p_by`. Limits are None where no interval can be told, and `by`
    then says why. `runs_a` and `runs_b` training runs stand behind the two; `between` is the part
    of the variance that only more runs would take away; `freedom` are the degrees of freedom of
    the interval's quantile, None for the normal one.
    """

    difference: float | None
    mean_a: float | None
    mean_b: float | None
    low: float | None
    high: float | None
    low_within: float | None
    high_within: float | None
    n: int
    groups: int
    missing: int
    wins: int
    losses: int
    p: float | None
    p_by: str
    by: str
    runs_a: int = 1
    runs_b: int = 1
    between: float = 0.0
    freedom: float | None = None


Runs = Values | Sequence[Values]
"""What a contestant scored: one mapping, or one for each of its training runs."""


def as_runs(values: Runs) -> tuple[Values, ...]:
    """The runs of a contestant; a single mapping is one run."""
    runs = (values,) if isinstance(values, Mapping) else tuple(values)
    if not runs:
        raise ValueError("a contestant without a run has no values")
    return runs


def compare(
    a: Runs,
    b: Runs,
    *,
    share: bool,
    groups: Mapping[str, Hashable] | None = None,
    claim: Claim = "these",
    same_runs: bool = False,
) -> Difference:
    """The paired difference a - b over the examples that both have, by example name.

    `groups` maps an example to its group; none given, each is its own. Under the claim «new»
    whole groups are the evidence. A value None is missing; an example that only one of the two
    has is no pair. Of several training runs the mean over runs is compared, over the examples
    that all of them have; `same_runs` says that run k of a is run k of b, asked in another way,
    else runs of the two have nothing to do with each other.
    """
    mine, theirs = as_runs(a), as_runs(b)
    if same_runs and len(mine) != len(theirs):
        raise ValueError(f"{len(mine)} runs can't be the same as {len(theirs)}")
    pairs = [name for name in mine[0] if all(name in run for run in (*mine[1:], *theirs))]
    told = [name for name in pairs if all(run[name] is not None for run in (*mine, *theirs))]
    rows_a, rows_b = _rows(mine, told), _rows(theirs, told)
    if share and any(not 0 <= x <= 1 for row in (*rows_a, *rows_b) for x in row):
        raise ValueError("a share lies within 0 and 1")
    means_a, means_b = _over_runs(rows_a), _over_runs(rows_b)
    gaps = [x - y for x, y in zip(means_a, means_b, strict=True)]
    labels = [name if groups is None else groups[name] for name in told]
    between = _between(rows_a, rows_b, same=same_runs)
    exact = share and claim == "these" and not between.variance
    exact = exact and all({x, y} <= {0, 1} for x, y in zip(means_a, means_b, strict=True))
    sure = _sureness(
        gaps, labels if claim == "new" else None, share=share, exact=exact, between=between
    )
    return Difference(
        difference=math.fsum(gaps) / len(gaps) if gaps else None,
        mean_a=math.fsum(means_a) / len(told) if told else None,
        mean_b=math.fsum(means_b) / len(told) if told else None,
        n=len(gaps),
        groups=len(set(labels)),
        missing=len(pairs) - len(told),
        wins=sum(gap > 0 for gap in gaps),
        losses=sum(gap < 0 for gap in gaps),
        low=sure.outer[0],
        high=sure.outer[1],
        low_within=sure.inner[0],
        high_within=sure.inner[1],
        p=sure.p,
        p_by=sure.p_by,
        by=sure.by,
        runs_a=len(mine),
        runs_b=len(theirs),
        between=sure.between,
        freedom=sure.freedom,
    )


def _rows(runs: Sequence[Values], names: Sequence[str]) -> list[list[float]]:
    return [[value for name in names if (value := run[name]) is not None] for run in runs]


def _over_runs(rows: Sequence[Sequence[float]]) -> list[float]:
    return [math.fsum(column) / len(rows) for column in zip(*rows, strict=True)]


def _between(a: Sequence[Sequence[float]], b: Sequence[Sequence[float]], *, same: bool) -> Between:
    if not same:
        return between_rows(a) + between_rows(b)
    return between_rows(
        [[x - y for x, y in zip(row, other, strict=True)] for row, other in zip(a, b, strict=True)]
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sureness:
    """The two intervals of a difference and its p-value; `by` says how, or why there are none."""

    by: str
    outer: tuple[float, float] | tuple[None, None] = (None, None)
    inner: tuple[float, float] | tuple[None, None] = (None, None)
    p: float | None = None
    p_by: str = ""
    between: float = 0.0
    freedom: float | None = None


def _sureness(
    gaps: Sequence[float],
    labels: Sequence[Hashable] | None,
    *,
    share: bool,
    exact: bool,
    between: Between,
) -> _Sureness:
    if reason := why_none(gaps, labels, share=share):
        return _Sureness(by=reason)
    spread = spread_of_shares(gaps, labels, difference=True) if share else spread_of(gaps, labels)
    spread = with_runs(spread, between)
    kind = f"by {'row' if labels is None else 'group'}{' and run' if between.variance else ''}"
    limits, by = _student(spread), f"t, {kind}"
    if share:
        limits = _tango(gaps, None if exact else spread)
        by = "Tango" if exact else f"Tango at the effective size, {kind}"
    p, p_by = _t_test(spread)
    if exact:
        wins, losses = sum(gap > 0 for gap in gaps), sum(gap < 0 for gap in gaps)
        p, p_by = mcnemar(wins=wins, losses=losses), "exact McNemar"
    return _Sureness(
        by=by,
        outer=limits(LEVEL),
        inner=limits(LEVEL_WITHIN),
        p=p,
        p_by=p_by,
        between=between.own / spread.variance if between.own else 0.0,
        freedom=None if exact or spread.freedom <= 0 else spread.freedom,
    )


Limits = Callable[[float], tuple[float, float]]
"""An interval as a function of its level."""


def _student(spread: Spread) -> Limits:
    def limits(level: float) -> tuple[float, float]:
        half = t_quantile(0.5 + level / 2, spread.freedom) * math.sqrt(spread.variance)
        return spread.mean - half, spread.mean + half

    return limits


def _tango(gaps: Sequence[float], spread: Spread | None) -> Limits:
    """Tango's interval: of 0s and 1s as they are, or at the effective size of a `spread`.

    By group the size is the one that each limit makes likely (see `intervals.share_ends`).
    """
    n = len(gaps)
    up = math.fsum(gap for gap in gaps if gap > 0) / n
    down = -math.fsum(gap for gap in gaps if gap < 0) / n
    if spread is None:
        return lambda level: tango(wins=up * n, losses=down * n, n=n, level=level)
    freedom = spread.freedom if spread.freedom > 0 else None

    def limits(level: float) -> tuple[float, float]:
        z = quantile(0.5 + level / 2, freedom)
        return _tango_end(up, down, spread, z, -1.0), _tango_end(up, down, spread, z, 1.0)

    return limits


def _tango_end(up: float, down: float, spread: Spread, z: float, outside: float) -> float:
    import numpy as np

    def end(gap: float) -> float:
        against = share_against(up, down, gap)
        size = spread.size_at(against + gap, against, max(0.0, 1 - 2 * against - gap))
        return tango_end(up, down, size, z=z, outside=outside)

    first, middle = tango_end(up, down, spread.size, z=z, outside=outside), up - down
    if spread.worth is None:
        return first
    found = fixed_point(
        lambda at: np.array([end(float(at[0]))]),
        np.array([first]),
        least=np.array([min(middle, outside)]),
        most=np.array([max(middle, outside)]),
    )
    return float(found[0])


def _t_test(spread: Spread) -> tuple[float | None, str]:
    from scipy.special import stdtr

    if spread.variance <= 0 or spread.freedom <= 0:
        return (1.0, "no difference at all") if spread.mean == 0 else (None, "")
    statistic = abs(spread.mean) / math.sqrt(spread.variance)
    return 2 * float(stdtr(spread.freedom, -statistic)), "t"
