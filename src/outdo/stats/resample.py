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
from dataclasses import dataclass
from typing import TYPE_CHECKING

from outdo.stats.intervals import FEWEST_GROUPS
from outdo.stats.rates import LEVEL, t_quantile

if TYPE_CHECKING:
    import numpy as np

DRAWS = 2000
CELLS = 2_000_000
"""Weights are handed over in tables of about this many cells, so that memory stays small."""

PARTS = 500
"""Groups beyond so many are left out together, in this many parts: skewness asks for no more."""

Statistic = Callable[["np.ndarray"], "np.ndarray"]
"""From weights, shape (draws, groups), to a number or a row a draw; NaN where it can't be told."""


def places(groups: Sequence[Hashable] | None, count: int) -> tuple[np.ndarray, int]:
    """Each row's place among the groups, shape (count,), and how many groups there are."""
    import numpy as np

    if groups is None:
        return np.arange(count), count
    if len(groups) != count:
        raise ValueError(f"{len(groups)} groups are named for {count} rows")
    order: dict[Hashable, int] = {}
    return np.array([order.setdefault(name, len(order)) for name in groups], dtype=int), len(order)


@dataclass(frozen=True, slots=True)
class Draws:
    """One or more statistics of `count` groups: of all, of each draw, and without each group.

    Shapes (k,), (draws, k) and (count, k) for k statistics. Of very many groups several are left
    out at once.
    """

    count: int
    value: np.ndarray
    drawn: np.ndarray
    left_out: np.ndarray


def drawn(
    statistic: Statistic,
    count: int,
    *,
    draws: int = DRAWS,
    seed: int = 0,
    width: int | None = None,
) -> Draws:
    """The statistics of `draws` random draws of `count` groups, and what `bca` wants beside them.

    `width` is how many numbers the statistic makes of a draw on its way, for the memory's sake.
    """
    import numpy as np

    most = max(1, CELLS // max(count, width or 1))
    even, generator = np.full(count, 1 / count), np.random.default_rng(seed)
    picked = [
        _column(statistic(generator.multinomial(count, even, rows).astype(float)))
        for rows in _blocks(draws, most)
    ]
    parts = min(count, PARTS)
    left_out, first = [], 0
    for rows in _blocks(parts, most):
        out = np.arange(first, first + rows)
        weights = (np.arange(count) % parts != out[:, None]).astype(float)
        left_out.append(_column(statistic(weights)))
        first += rows
    value = _column(statistic(np.ones((1, count))))[0]
    return Draws(count, value, np.concatenate(picked), np.concatenate(left_out))


def interval(
    statistic: Statistic,
    count: int,
    *,
    level: float = LEVEL,
    draws: int = DRAWS,
    seed: int = 0,
) -> tuple[float | None, float | None, str]:
    """The BCa limits of one statistic of `count` groups, and the method, or why there are none."""
    if reason := too_few(count):
        return None, None, reason
    return bca(drawn(statistic, count, draws=draws, seed=seed), level=level)


def too_few(count: int) -> str | None:
    """Why so few groups give no interval, or None where they do."""
    if count >= FEWEST_GROUPS:
        return None
    return f"{count} of the {FEWEST_GROUPS} groups that an interval needs"


def bca(
    told: Draws, which: int = 0, *, level: float = LEVEL
) -> tuple[float | None, float | None, str]:
    """The limits of statistic `which`, and the method, or why there are none.

    Draws in which it can't be told are left out; where those are more than a tenth, or where all
    draws are equal, there is no interval.
    """
    import numpy as np
    from scipy.special import ndtr, ndtri

    if reason := too_few(told.count):
        return None, None, reason
    value, finite = float(told.value[which]), np.isfinite(told.drawn[:, which])
    if not np.isfinite(value):
        return None, None, "it can't be told from these values"
    if finite.mean() < 0.9:
        return None, None, "too many draws of groups leave it untold"
    draws = np.sort(told.drawn[finite, which])
    if draws[-1] - draws[0] < 1e-12:
        return None, None, "no spread: every draw of groups gives the same"
    left_out = told.left_out[np.isfinite(told.left_out[:, which]), which]
    skew = left_out.mean() - left_out
    scale = float(np.sum(skew**2)) ** 1.5
    bend = float(np.sum(skew**3)) / (6 * scale) if scale > 1e-300 else 0.0
    below = float(np.sum(draws < value - 1e-12) + np.sum(draws <= value + 1e-12)) / 2
    bias = float(ndtri(min(max(below, 0.5), len(draws) - 0.5) / len(draws)))
    reach = t_quantile(0.5 + level / 2, told.count - 1) * (told.count / (told.count - 1)) ** 0.5
    ends = bias + np.array([-reach, reach])
    bent = np.maximum(1 - bend * ends, 1e-6)
    low, high = np.quantile(draws, ndtr(bias + ends / bent))
    return float(low), float(high), "BCa bootstrap"


def _column(statistics: np.ndarray) -> np.ndarray:
    return statistics[:, None] if statistics.ndim == 1 else statistics


def _blocks(rows: int, most: int) -> list[int]:
    """How many rows each table has, of `rows` in all and at most `most` in one."""
    return [min(most, rows - start) for start in range(0, rows, most)]
