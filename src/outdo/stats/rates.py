"""Shares and differences of two shares of the same items, from counts alone.

Score intervals, for they stay honest where all values are equal. Counts may be effective ones and
needn't be whole: what makes values alike is told elsewhere, and comes in as a smaller count.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    import numpy as np

LEVEL = 0.95


def wilson(
    *, successes: float, n: float, level: float = 0.95, freedom: float | None = None
) -> tuple[float, float]:
    """Wilson's score interval of a share; `n` may be an effective size and needn't be whole.

    With `freedom` the quantile is Student's, for a size that was itself estimated.
    Source: Wilson 1927, JASA 22, and for estimated sizes Korn and Graubard 1998.
    """
    if not (n > 0 and 0 <= successes <= n):
        raise ValueError(f"{successes} of {n} is no share")
    z = quantile(0.5 + level / 2, freedom)
    low, high = wilson_ends(successes / n, n, z)
    return max(0.0, float(low)), min(1.0, float(high))


Number = TypeVar("Number", float, "np.ndarray")


def wilson_ends(share: Number, n: Number, z: float) -> tuple[Number, Number]:
    """Wilson's limits of a share of `n`, numbers or arrays; exactly 0 and 1 at none and all."""
    spread = z * z / n
    middle = (share + spread / 2) / (1 + spread)
    half = (share * (1 - share) * spread + spread * spread / 4) ** 0.5 / (1 + spread)
    return (middle - half) * (share > 0), 1 - (1 - middle - half) * (share < 1)


def clopper_pearson(*, successes: int, n: int, level: float = 0.95) -> tuple[float, float]:
    """The exact interval of a share: never below its level, wider than it need be."""
    from scipy.special import betaincinv

    _check_counts(successes, n)
    tail = (1 - level) / 2
    low = 0.0 if successes == 0 else float(betaincinv(successes, n - successes + 1, tail))
    high = 1.0 if successes == n else float(betaincinv(successes + 1, n - successes, 1 - tail))
    return low, high


def jeffreys(*, successes: int, n: int, level: float = 0.95) -> tuple[float, float]:
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


def newcombe(
    *, both: float, wins: float, losses: float, neither: float, level: float = LEVEL
) -> tuple[float, float]:
    """Newcombe's hybrid score interval of a difference of paired shares, (wins - losses) / n.

    Of n items `both` succeed under a and b, `wins` under a alone, `losses` under b alone. Wilson's
    limits of the two shares are put together by their correlation, with a continuity correction
    where that is positive. Source: Newcombe 1998, Statistics in Medicine 17, 2635, method 10.
    """
    n = both + wins + losses + neither
    if not (n > 0 and min(both, wins, losses, neither) >= 0):
        raise ValueError(f"{both}, {wins}, {losses} and {neither} count no pairs")
    first, second = both + wins, both + losses
    low_a, high_a = wilson(successes=first, n=n, level=level)
    low_b, high_b = wilson(successes=second, n=n, level=level)
    share_a, share_b = first / n, second / n
    spread = first * (n - first) * second * (n - second)
    cross = both * neither - wins * losses
    if cross > 0:
        cross = max(cross - n / 2, 0.0)
    alike = cross / math.sqrt(spread) if spread > 0 else 0.0

    def reach(down: float, up: float) -> float:
        return math.sqrt(max(0.0, down * down - 2 * alike * down * up + up * up))

    gap = share_a - share_b
    low = gap - reach(share_a - low_a, high_b - share_b)
    high = gap + reach(high_a - share_a, share_b - low_b)
    return max(-1.0, low), min(1.0, high)


def tango(
    *, wins: float, losses: float, n: float, level: float = LEVEL, freedom: float | None = None
) -> tuple[float, float]:
    """Tango's score interval of a difference of paired shares, (wins - losses) / n.

    Counts may be effective ones and needn't be whole; `freedom` then asks for Student's quantile.
    Not zero wide where all pairs agree. Source: Tango 1998, Statistics in Medicine 17.
    """
    if not (n > 0 and wins >= 0 and losses >= 0 and wins + losses <= n * (1 + 1e-9)):
        raise ValueError(f"{wins} wins and {losses} losses don't fit {n} pairs")
    z = quantile(0.5 + level / 2, freedom)
    up, down = wins / n, losses / n
    return tango_end(up, down, n, z=z, outside=-1.0), tango_end(up, down, n, z=z, outside=1.0)


def tango_end(up: float, down: float, n: float, *, z: float, outside: float) -> float:
    """The limit towards `outside`, -1 or 1, from the shares of wins and of losses in n pairs."""

    def excess(gap: float) -> float:
        against = share_against(up, down, gap)
        variance = max(0.0, 2 * against + gap * (1 - gap))
        return n * (up - down - gap) ** 2 - z * z * variance

    return _edge(excess, inside=up - down, outside=outside)


def share_against(up: float, down: float, gap: float) -> float:
    """The likeliest share of losses, were the difference `gap`."""
    linear = -up - down + (2 - up + down) * gap
    constant = -down * gap * (1 - gap)
    root = math.sqrt(max(0.0, linear * linear - 8 * constant))
    return (root - linear) / 4


def _edge(excess: Callable[[float], float], *, inside: float, outside: float) -> float:
    """Where `excess` turns positive between the point inside and the bound outside."""
    if excess(outside) <= 0:
        return outside
    for _ in range(60):
        half = (inside + outside) / 2
        if excess(half) > 0:
            outside = half
        else:
            inside = half
    return (inside + outside) / 2


def mcnemar(*, wins: int, losses: int) -> float:
    """The exact two-sided p-value of «a wins as often as it loses»; ties say nothing."""
    n = wins + losses
    tail = sum(math.comb(n, k) for k in range(min(wins, losses) + 1))
    return min(1.0, float(2 * tail / 2**n)) if n else 1.0


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
