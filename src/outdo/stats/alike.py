"""How alike the values of one group are, told cautiously.

With few groups, or a share near 0 or 1, the usual estimate of the intraclass correlation is often
far too small, and an interval that believes it too narrow. Averaging over all correlations that
the data leave possible, at the shares that are being tried, is what keeps an interval's level.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

INDEPENDENT = 0.5
"""The prior chance that groups don't matter; else any root of the correlation is as likely."""
STEPS = 48
LONGEST = 512
"""Whole counts up to this are multiplied out; larger or broken ones go by the gamma function."""

Rising = Callable[["np.ndarray"], "np.ndarray"]
"""From starts, shape (tables, correlations), to sums over groups of log rising factorials."""


@dataclass(frozen=True, slots=True)
class Groups:
    """Tables of how many values of each group fall into each category, ready to be asked.

    All tables have the same sizes of groups. `shares` has the shape (tables, categories): the
    pooled shares, half a value added to each so that none is impossible.
    """

    shares: np.ndarray
    totals: np.ndarray
    typical: float
    rising: tuple[Rising, ...]
    whole: np.ndarray

    def intraclass(self, shares: np.ndarray | None = None) -> np.ndarray:
        """The posterior mean of the correlation of two values of a group, shape (tables,).

        Under the Dirichlet-multinomial likelihood at these shares, shape (tables, categories), or
        at the pooled ones.
        """
        import numpy as np

        at = self.shares if shares is None else np.clip(shares, 1e-12, 1.0)
        correlations, weights = _grid()
        strength = (1 - correlations) / correlations
        alike = -self.whole
        for place, rising in enumerate(self.rising):
            alike = alike + rising(at[:, place, None] * strength)
        alone = (self.totals * np.log(at)).sum(axis=1)
        top = np.maximum(alike.max(axis=1), alone)
        posterior = (1 - INDEPENDENT) * weights * np.exp(alike - top[:, None])
        evidence = posterior.sum(axis=1) + INDEPENDENT * np.exp(alone - top)
        told: np.ndarray = (posterior * correlations).sum(axis=1) / evidence
        return told

    def design_effect(self, shares: np.ndarray | None = None) -> np.ndarray:
        """How many times larger a mean's variance is than were all values independent."""
        import numpy as np

        if self.typical <= 1:
            return np.ones(len(self.shares))
        effect: np.ndarray = 1 + (self.typical - 1) * self.intraclass(shares)
        return effect


def groups_of(counts: np.ndarray) -> Groups:
    """Tables of counts, shape (tables, groups, categories); amounts needn't be whole."""
    import numpy as np

    counts = np.asarray(counts, dtype=float)
    sizes = counts[0].sum(axis=1)
    totals = counts.sum(axis=1)
    correlations, _ = _grid()
    strength = (1 - correlations) / correlations
    padded = totals + 0.5
    return Groups(
        shares=padded / padded.sum(axis=1, keepdims=True),
        totals=totals,
        typical=float((sizes**2).sum() / sizes.sum()),
        rising=tuple(_rising(counts[:, :, place]) for place in range(counts.shape[2])),
        whole=_rising(sizes[None])(strength[None]),
    )


def _rising(counts: np.ndarray) -> Rising:
    """Sums over groups of log a (a + 1) ... (a + count - 1), for counts of (tables, groups)."""
    import numpy as np

    longest = counts.max(initial=0.0)
    if longest > LONGEST or (counts != np.floor(counts)).any():
        return _by_gamma(counts)
    tables, width = len(counts), int(longest) + 1
    cells = np.arange(tables)[:, None] * width + counts.astype(int)
    held = np.bincount(cells.ravel(), minlength=tables * width).reshape(tables, width)
    # How many groups hold more than i values: as often the factor a + i stands in the product.
    above = held[:, ::-1].cumsum(axis=1)[:, ::-1][:, 1:].astype(float)
    factors = np.arange(width - 1)
    return lambda start: (np.log(start[:, :, None] + factors) @ above[:, :, None])[:, :, 0]


def _by_gamma(counts: np.ndarray) -> Rising:
    import numpy as np
    from scipy.special import gammaln

    tallies = [np.unique(row, return_counts=True) for row in counts]

    def rising(start: np.ndarray) -> np.ndarray:
        return np.stack(
            [
                (gammaln(row[:, None] + values) - gammaln(row)[:, None]) @ times
                for row, (values, times) in zip(start, tallies, strict=True)
            ]
        )

    return rising


@functools.cache
def _grid() -> tuple[np.ndarray, np.ndarray]:
    """Correlations, finer near 0 where large groups tell them apart, and their prior weights."""
    import numpy as np

    roots = (np.arange(STEPS) + 0.5) / STEPS
    return roots**2, np.full(STEPS, 1 / STEPS)
