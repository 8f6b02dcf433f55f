"""Two one-sided tests: is a difference small enough to count as none?

Failing to find a difference proves nothing. Here the difference has to be shown to lie above the
margin's lower end and below its upper one, each at the level.
Source: Schuirmann 1987, Journal of Pharmacokinetics and Biopharmaceutics 15.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

from outdo.stats.intervals import why_none
from outdo.stats.rates import t_quantile
from outdo.stats.spread import spread_of, spread_of_shares


@dataclass(frozen=True, slots=True, kw_only=True)
class Equivalence:
    """The two one-sided tests of a mean difference against ±margin.

    `p_low` tests «at most -margin», `p_high` «at least margin»; `p` is the larger. `low` and
    `high` are the interval at 1 - 2 x level, which lies within the margin where p < level. All are
    None where nothing can be told, and `by` then says why.
    """

    difference: float | None
    margin: float
    p_low: float | None
    p_high: float | None
    p: float | None
    low: float | None
    high: float | None
    equivalent: bool
    by: str


def tost(
    differences: Sequence[float],
    *,
    margin: float,
    groups: Sequence[Hashable] | None = None,
    share: bool = False,
    level: float = 0.05,
) -> Equivalence:
    """Whether the mean of paired differences lies within ±margin, whole groups the evidence.

    `groups` has one name for each difference; none given, each stands alone. `share` says that
    they are differences of shares, so that few or rare ones count for no more than they are
    worth (see `spread.spread_of_shares`). Raises ValueError for a margin that isn't positive.
    """
    if not margin > 0:
        raise ValueError(f"a margin is a positive number, not {margin}")
    if reason := why_none(differences, groups, share=False):
        middle = math.fsum(differences) / len(differences) if differences else None
        return _untold(middle, margin, reason)
    spread = (
        spread_of_shares(differences, groups, difference=True)
        if share
        else spread_of(differences, groups)
    )
    return _tested(
        spread.mean,
        math.sqrt(spread.variance),
        spread.freedom,
        margin=margin,
        level=level,
        by=f"t, by {'row' if groups is None else 'group'}",
    )


def _tested(
    middle: float, error: float, freedom: float, *, margin: float, level: float, by: str
) -> Equivalence:
    from scipy.special import stdtr

    p_low = float(stdtr(freedom, -(middle + margin) / error))
    p_high = float(stdtr(freedom, (middle - margin) / error))
    half = t_quantile(1 - level, freedom) * error
    return Equivalence(
        difference=middle,
        margin=margin,
        p_low=p_low,
        p_high=p_high,
        p=max(p_low, p_high),
        low=middle - half,
        high=middle + half,
        equivalent=max(p_low, p_high) < level,
        by=by,
    )


def _untold(middle: float | None, margin: float, by: str) -> Equivalence:
    return Equivalence(
        difference=middle,
        margin=margin,
        p_low=None,
        p_high=None,
        p=None,
        low=None,
        high=None,
        equivalent=False,
        by=by,
    )
