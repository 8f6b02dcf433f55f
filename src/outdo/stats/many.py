"""Many tests at once: p-values corrected for how many there are.

Holm's keep the chance of a single false finding at the level; Benjamini's and Hochberg's keep the
share of false ones among the findings there. A corrected p-value is read as a plain one.
"""

from __future__ import annotations

from collections.abc import Sequence


def holm(p_values: Sequence[float | None]) -> tuple[float | None, ...]:
    """Holm's step-down p-values, in the order given; None stays None and isn't counted.

    Source: Holm 1979, Scandinavian Journal of Statistics 6.
    """
    ranked = _ranked(p_values)
    adjusted, worst = list(p_values), 0.0
    for step, (p, place) in enumerate(ranked):
        worst = max(worst, min(1.0, p * (len(ranked) - step)))
        adjusted[place] = worst
    return tuple(adjusted)


def benjamini_hochberg(p_values: Sequence[float | None]) -> tuple[float | None, ...]:
    """The p-values of Benjamini and Hochberg, in the order given; None stays None, uncounted.

    Holds for independent tests and for positively dependent ones, such as many contestants
    against one reference. Source: Benjamini and Hochberg 1995, JRSS B 57.
    """
    ranked = _ranked(p_values)
    adjusted, least = list(p_values), 1.0
    for step in range(len(ranked), 0, -1):
        p, place = ranked[step - 1]
        least = min(least, p * len(ranked) / step)
        adjusted[place] = least
    return tuple(adjusted)


def _ranked(p_values: Sequence[float | None]) -> list[tuple[float, int]]:
    known = [(p, place) for place, p in enumerate(p_values) if p is not None]
    if any(not 0 <= p <= 1 for p, _ in known):
        raise ValueError("a p-value lies within 0 and 1")
    return sorted(known)
