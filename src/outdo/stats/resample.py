"""The bootstrap over whole groups, for statistics whose interval has no formula.

Groups are drawn by weight, all draws at once: a statistic is a function of a table of weights, one
row a draw and one column a group. Intervals are bias-corrected and accelerated (BCa), and their
tails are those of Student's t with one degree of freedom less than there are groups, for quantiles
of a bootstrap of few groups lie too close together.
Sources: Efron 1987, «Better Bootstrap Confidence Intervals»; Hesterberg 2015, «What Teachers Should
Know about the Bootstrap», on the wider tails.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import TYPE_CHECKING

from outdo.stats.intervals import FEWEST_GROUPS
from outdo.stats.rates import LEVEL, t_quantile

if TYPE_CHECKING:
    import numpy as np

DRAWS = 2000
CELLS = 2_000_000
"""Weights are handed over in tables of about this many cells, so that memory stays small."""

Statistic = Callable[["np.ndarray"], "np.ndarray"]
"""From weights, shape (draws, groups), to one number a draw; NaN where it can't be told."""


def places(groups: Sequence[Hashable] | None, count: int) -> tuple[np.ndarray, int]:
    """Each row's place among the groups, shape (count,), and how many groups there are."""
    import numpy as np

    if groups is None:
        return np.arange(count), count
    if len(groups) != count:
        raise ValueError(f"{len(groups)} groups are named for {count} rows")
    order: dict[Hashable, int] = {}
    return np.array([order.setdefault(name, len(order)) for name in groups], dtype=int), len(order)


def bca(
    statistic: Statistic,
    count: int,
    *,
    level: float = LEVEL,
    draws: int = DRAWS,
    seed: int = 0,
) -> tuple[float | None, float | None, str]:
    """The limits of a statistic of `count` groups, and the method, or why there are none.

    Draws in which the statistic can't be told are left out; where that are more than a tenth, or
    where all draws are equal, there is no interval.
    """
    import numpy as np
    from scipy.special import ndtr, ndtri

    if count < FEWEST_GROUPS:
        return None, None, f"{count} of the {FEWEST_GROUPS} groups that an interval needs"
    value = float(statistic(np.ones((1, count)))[0])
    if not np.isfinite(value):
        return None, None, "it can't be told from these values"
    generator = np.random.default_rng(seed)
    even = np.full(count, 1 / count)
    blocks = [
        statistic(generator.multinomial(count, even, rows).astype(float))
        for rows in _blocks(draws, count)
    ]
    drawn = np.concatenate(blocks)
    drawn = np.sort(drawn[np.isfinite(drawn)])
    if len(drawn) < 0.9 * draws:
        return None, None, "too many draws of groups leave it untold"
    if drawn[-1] - drawn[0] < 1e-12:
        return None, None, "no spread: every draw of groups gives the same"
    left_out = _each_left_out(statistic, count)
    skew = left_out.mean() - left_out
    scale = float(np.sum(skew**2)) ** 1.5
    bend = float(np.sum(skew**3)) / (6 * scale) if scale > 1e-300 else 0.0
    below = float(np.sum(drawn < value - 1e-12) + np.sum(drawn <= value + 1e-12)) / 2
    bias = float(ndtri(min(max(below, 0.5), len(drawn) - 0.5) / len(drawn)))
    reach = t_quantile(0.5 + level / 2, count - 1) * (count / (count - 1)) ** 0.5
    ends = bias + np.array([-reach, reach])
    bent = np.maximum(1 - bend * ends, 1e-6)
    low, high = np.quantile(drawn, ndtr(bias + ends / bent))
    return float(low), float(high), "BCa bootstrap"


def _each_left_out(statistic: Statistic, count: int) -> np.ndarray:
    """The statistic without each group in turn, where it can be told."""
    import numpy as np

    told, first = [], 0
    for rows in _blocks(count, count):
        weights = np.ones((rows, count))
        weights[np.arange(rows), first + np.arange(rows)] = 0
        told.append(statistic(weights))
        first += rows
    left_out = np.concatenate(told)
    return left_out[np.isfinite(left_out)]


def _blocks(rows: int, count: int) -> list[int]:
    """How many rows each table has, of `rows` in all with `count` cells each."""
    most = max(1, CELLS // count)
    return [min(most, rows - start) for start in range(0, rows, most)]
