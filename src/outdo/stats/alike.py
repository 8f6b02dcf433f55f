"""How alike the values of one group are, told cautiously.

With few groups, or a share near 0 or 1, the usual estimate of the intraclass correlation is often
far too small, and an interval that believes it too narrow. Averaging over all correlations that
the data leave possible is what keeps an interval's level there.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

INDEPENDENT = 0.1
"""The prior chance that groups don't matter at all; else any correlation is as likely."""
STEPS = 48


def intraclass(groups: Sequence[Sequence[float]]) -> float:
    """The posterior mean of the correlation of two values of one group, within 0 and 1.

    A group is how many of its values fall into each category, such as (passed, failed) or
    (won, lost, tied); amounts needn't be whole. The likelihood is the Dirichlet-multinomial's at
    the pooled shares, half a value added to each category so that none is impossible.
    """
    import numpy as np
    from scipy.special import gammaln

    counts = np.asarray(groups, dtype=float)
    totals = counts.sum(axis=0) + 0.5
    shares = totals / totals.sum()
    correlations, weights = _grid()
    strength = (1 - correlations) / correlations
    prior = strength[:, None] * shares
    drawn = gammaln(counts[None] + prior[:, None]) - gammaln(prior)[:, None]
    whole = gammaln(counts.sum(axis=1)[None] + strength[:, None]) - gammaln(strength)[:, None]
    alike = drawn.sum(axis=(1, 2)) - whole.sum(axis=1)
    alone = float((counts * np.log(shares)).sum())
    top = max(float(alike.max()), alone)
    posterior = (1 - INDEPENDENT) * weights * np.exp(alike - top)
    evidence = posterior.sum() + INDEPENDENT * np.exp(alone - top)
    return float((posterior * correlations).sum() / evidence)


def design_effect(groups: Sequence[Sequence[float]]) -> float:
    """How many times larger the variance of a mean is than were all values independent."""
    sizes = [sum(group) for group in groups]
    typical = sum(size * size for size in sizes) / sum(sizes)
    return 1 + (typical - 1) * intraclass(groups) if typical > 1 else 1.0


@functools.cache
def _grid() -> tuple[np.ndarray, np.ndarray]:
    """Correlations, finer near 0 where large groups tell them apart, and their prior weights."""
    import numpy as np

    roots = (np.arange(STEPS) + 0.5) / STEPS
    return roots**2, roots / roots.sum()
