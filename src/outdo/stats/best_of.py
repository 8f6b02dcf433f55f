"""What picking the best of several answers is worth: expected rates over every choice of n of N.

A picker gives each answer a score and takes the highest of n answers that are drawn without
replacement from the N that there are; equal scores share the pick. The expectation over all draws
is exact, so nothing is resampled: the answer of rank r (counted from the best) is the pick of
C(N - r, n - 1) of the C(N, n) draws.
Sources: Nakano et al. 2021, «WebGPT», appendix on best-of-n estimates; Chen et al. 2021, equation
1, for the oracle.
"""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from outdo.records import Measure
from outdo.stats.intervals import Claim, mean
from outdo.stats.resample import bca, drawn, places, too_few
from outdo.stats.samples import pass_at_k

if TYPE_CHECKING:
    import numpy as np

MOST_DRAWS = 500
"""Draws of n answers that a picker by contests is tried on; all of them where they are fewer."""

Contests = Sequence[Sequence[float]]
"""Row i, column j: the probability that answer i is better than answer j, shape (N, N)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """The pass rate with `n` answers to choose among; `closed` is the share of the gap closed."""

    n: int
    rate: Measure
    closed: Measure | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """The rates of one way to pick, for 1 to N answers."""

    name: str
    points: tuple[Point, ...]


# ------------------------------------------------------------------ one example


def by_score(scores: Sequence[float], passed: Sequence[float], *, n: int) -> float:
    """The chance that the highest-scored of `n` of the answers passes, over all draws of n.

    `scores` and `passed` (0 or 1) have a number for each answer. Raises ValueError unless n answers
    can be drawn.
    """
    total = _drawable(len(scores), len(passed), n)
    ranked = sorted(zip(scores, passed, strict=True), key=lambda one: -one[0])
    chance, before = 0.0, 0
    for _, block in itertools.groupby(ranked, key=lambda one: one[0]):
        own = [one[1] for one in block]
        after = before + len(own)
        ways = math.comb(total - before, n) - math.comb(total - after, n)
        chance += ways / math.comb(total, n) * math.fsum(own) / len(own)
        before = after
    return chance


def by_contests(
    better: Contests, passed: Sequence[float], *, n: int, seed: int = 0, most: int = MOST_DRAWS
) -> float:
    """The chance that the one of `n` answers passes that wins most of its contests with the others.

    Over all draws of n of the answers, or over `most` that the seed draws where there are more.
    """
    total = _drawable(len(better), len(passed), n)
    if n == 1:
        return math.fsum(passed) / total
    return _mean(_of_winners(better, passed, draw) for draw in _draws(total, n, seed, most))


def _of_winners(better: Contests, passed: Sequence[float], draw: Sequence[int]) -> float:
    """What passes of those of a draw that win most; rounding doesn't part equals."""
    won = {i: round(math.fsum(better[i][j] for j in draw if j != i), 9) for i in draw}
    most = max(won.values())
    return _mean(passed[i] for i in draw if won[i] == most)


def _draws(total: int, n: int, seed: int, most: int) -> list[tuple[int, ...]]:
    if math.comb(total, n) <= most:
        return list(itertools.combinations(range(total), n))
    generator = random.Random(f"{seed} {total} {n}")
    return [tuple(sorted(generator.sample(range(total), n))) for _ in range(most)]


def _mean(values: Iterable[float]) -> float:
    told = list(values)
    return math.fsum(told) / len(told)


def _drawable(total: int, passed: int, n: int) -> int:
    if total != passed:
        raise ValueError(f"{total} answers and {passed} outcomes don't go together")
    if not 1 <= n <= total:
        raise ValueError(f"{n} of {total} answers can't be drawn")
    return total


# ------------------------------------------------------------------ all examples

Rates = Mapping[str, Sequence[float]]
"""Example to the rate at n = 1, 2, ... N answers."""


def oracle(passed: Sequence[float]) -> list[float]:
    """The chance that any of n answers passes, for n from 1: pass@n."""
    right = sum(one == 1 for one in passed)
    return [pass_at_k(samples=len(passed), passed=right, k=n) for n in range(1, len(passed) + 1)]


def curve(
    name: str,
    rates: Rates,
    groups: Mapping[str, Hashable],
    *,
    best: Rates | None = None,
    claim: Claim = "these",
    seed: int = 0,
) -> Curve:
    """The mean rates over examples with their intervals, for as many answers as every example has.

    With `best`, the oracle's rates, each point from n = 2 says which share of what the oracle gains
    over one sample is gained. Under the claim «new» whole groups are the evidence.
    """
    length = min((len(one) for one in rates.values()), default=0)
    labels = [groups[name] for name in rates]
    points = []
    for n in range(1, length + 1):
        own = [min(1.0, max(0.0, one[n - 1])) for one in rates.values()]
        told = mean(own, labels, share=True, claim=claim)
        rate = Measure(name="pass rate", value=told.value, low=told.low, high=told.high, n=told.n)
        closed = None
        if best is not None and n > 1:
            closed = _closed(rates, best, groups, n=n, claim=claim, seed=seed)
        points.append(Point(n=n, rate=rate, closed=closed))
    return Curve(name=name, points=tuple(points))


def _closed(
    rates: Rates,
    best: Rates,
    groups: Mapping[str, Hashable],
    *,
    n: int,
    claim: Claim,
    seed: int,
) -> Measure:
    """The share of the oracle's gain over one sample that a picker gains, by drawing groups."""
    import numpy as np

    gains = np.array([rates[name][n - 1] - best[name][0] for name in rates])
    whole = np.array([best[name][n - 1] - best[name][0] for name in rates])
    labels = [groups[name] for name in rates] if claim == "new" else None
    where, count = places(labels, len(rates))
    about = "share of what the oracle gains over one sample"

    def of(weights: np.ndarray) -> np.ndarray:
        rows = weights[:, where]
        gained, possible = rows @ gains, rows @ whole
        nothing = np.full(len(rows), np.nan)
        share: np.ndarray = np.divide(gained, possible, out=nothing, where=possible > 1e-12)
        return share

    value = float(of(np.ones((1, count)))[0])
    low, high = None, None
    if math.isfinite(value) and too_few(count) is None:
        low, high, _ = bca(drawn(of, count, seed=seed, width=len(rates)))
    return Measure(
        name="gap closed",
        value=value if math.isfinite(value) else None,
        low=low,
        high=high,
        n=len(rates),
        about=about,
    )
