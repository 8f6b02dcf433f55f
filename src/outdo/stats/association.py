"""How two numbers of the same things go together: a fitted line, and two correlations.

The slope of a line is no correlation: it tells how much one number changes with the other, in
their units, and nothing of how closely. So both are told, with intervals by the bootstrap over
whole groups.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from outdo.stats.rates import LEVEL
from outdo.stats.resample import DRAWS, bca, drawn, places

if TYPE_CHECKING:
    import numpy as np

FEWEST_PAIRED = 8
"""Below this many things, or groups of them, a bootstrap of a correlation says nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Coefficient:
    """A number with its interval; None is «could not tell», and `by` says how, or why not."""

    value: float | None
    low: float | None
    high: float | None
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Association:
    """How y goes with x over `n` things of `groups` groups; `missing` lacked one of the two.

    The line is y = `intercept` + `slope` x by least squares. `pearson` tells how close the things
    lie to a line, `spearman` how close the order by y is to that by x; both lie within -1 and 1.
    """

    slope: Coefficient
    intercept: Coefficient
    pearson: Coefficient
    spearman: Coefficient
    n: int
    groups: int
    missing: int
    level: float = LEVEL


def association(
    *,
    x: Sequence[float | None],
    y: Sequence[float | None],
    groups: Sequence[Hashable] | None = None,
    level: float = LEVEL,
    draws: int = DRAWS,
    seed: int = 0,
) -> Association:
    """The line through two numbers of the same things, and both correlations.

    A thing without one of the two is left out and counted. Where all x are equal there is no
    line, and where all x or all y are, no correlation. Below eight things, or groups of them, there
    are values and no intervals. Sources: Pearson 1895, Proceedings of the Royal Society 58;
    Spearman 1904, American Journal of Psychology 15, by mean ranks of ties.
    """
    import numpy as np

    told = [
        (a, b, i)
        for i, (a, b) in enumerate(zip(x, y, strict=True))
        if a is not None and b is not None
    ]
    where, count = places(None if groups is None else [groups[i] for *_, i in told], len(told))
    missing = len(x) - len(told)
    if len(told) < 2:
        none = Coefficient(value=None, low=None, high=None, by="fewer than two things have both")
        return Association(
            slope=none, intercept=none, pearson=none, spearman=none,
            n=len(told), groups=count, missing=missing, level=level,
        )  # fmt: skip
    across, up = (np.array([row[side] for row in told], dtype=float) for side in (0, 1))
    statistic = _statistic(across, up, where)
    if count < FEWEST_PAIRED:
        by = f"{count} of the {FEWEST_PAIRED} things that an interval needs"
        values = statistic(np.ones((1, count)))[0]
        found = [_coefficient(float(value), None, None, by) for value in values]
    else:
        sure = drawn(statistic, count, draws=draws, seed=seed, width=2 * len(told))
        found = [_coefficient(float(sure.value[i]), *bca(sure, i, level=level)) for i in range(4)]
    return Association(
        slope=found[0], intercept=found[1], pearson=found[2], spearman=found[3],
        n=len(told), groups=count, missing=missing, level=level,
    )  # fmt: skip


def _coefficient(value: float, low: float | None, high: float | None, by: str) -> Coefficient:
    known = value == value
    return Coefficient(value=value if known else None, low=low, high=high, by=by)


def _statistic(
    x: np.ndarray, y: np.ndarray, where: np.ndarray
) -> Callable[[np.ndarray], np.ndarray]:
    """From weights of groups to (slope, intercept, Pearson, Spearman), a row a draw."""
    import numpy as np

    flat = [float(np.ptp(side)) < 1e-12 * (1.0 + float(np.abs(side).max())) for side in (x, y)]
    middle_x, middle_y = float(x.mean()), float(y.mean())
    off_x, off_y = x - middle_x, y - middle_y
    powers = np.stack([off_x, off_y, off_x**2, off_y**2, off_x * off_y], axis=1)
    order_x, order_y = _order(x), _order(y)

    def told(groups: np.ndarray) -> np.ndarray:
        weights = groups[:, where]
        total = weights.sum(axis=1)
        mean_x, mean_y, xx, yy, xy = (weights @ powers / total[:, None]).T
        xx, yy, xy = xx - mean_x**2, yy - mean_y**2, xy - mean_x * mean_y
        slope = _over(xy, xx * (not flat[0]))
        intercept = middle_y + mean_y - slope * (middle_x + mean_x)
        pearson = _over(xy, np.sqrt(np.maximum(xx * yy, 0)) * (not any(flat)))
        by_x, by_y = (
            _ranks(weights, order) - (total[:, None] + 1) / 2 for order in (order_x, order_y)
        )
        xx, yy, xy = (
            np.einsum("dn,dn,dn->d", weights, a, b)
            for a, b in ((by_x, by_x), (by_y, by_y), (by_x, by_y))
        )
        spearman = _over(xy, np.sqrt(xx * yy) * (not any(flat)))
        correlations = (np.clip(one, -1.0, 1.0) for one in (pearson, spearman))
        return np.stack([slope, intercept, *correlations], axis=1)

    return told


def _over(number: np.ndarray, by: np.ndarray) -> np.ndarray:
    """The ratio, NaN where the divisor is nothing but rounding."""
    import numpy as np

    least = 1e-18 * (1.0 + float(np.max(by, initial=0.0)))
    return np.where(by > least, number / np.where(by > least, by, 1.0), np.nan)


def _order(values: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The values' ascending order, where in it each distinct one begins, and which each is."""
    import numpy as np

    order = np.argsort(values, kind="stable")
    _, starts, place = np.unique(values[order], return_index=True, return_inverse=True)
    which = np.empty(len(values), dtype=int)
    which[order] = place.reshape(-1)
    return order, starts, which


def _ranks(weights: np.ndarray, order: tuple[np.ndarray, np.ndarray, np.ndarray]) -> np.ndarray:
    """The mean rank of each thing among things that count as often as their weights say."""
    import numpy as np

    ascending, starts, which = order
    mass = np.add.reduceat(weights[:, ascending], starts, axis=1)
    below = np.cumsum(mass, axis=1) - mass
    ranked: np.ndarray = (below + (mass + 1) / 2)[:, which]
    return ranked
