"""A preference rate between answers of equal length.

Judges like long answers. A logistic model of the preference on the difference of the two log
lengths tells what is left at a difference of zero; its interval refits the model to every draw of
groups, so that the slope's own doubt is in it. AlpacaEval's length-controlled rate (Dubois et al.
2024) adds a term for each instruction's difficulty, shared by all models of its leaderboard, and
squashes lengths by tanh; one pair of contestants has neither need nor data for that.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from outdo.stats.intervals import Claim, mean
from outdo.stats.rates import LEVEL
from outdo.stats.resample import DRAWS, bca, drawn, places, too_few

if TYPE_CHECKING:
    import numpy as np

STEPS = 100

Ends = tuple[float | None, float | None, str]
"""Limits and the method, or why there are none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LengthControlled:
    """The rate at equal length with its interval, and the model that it comes from.

    `plain` is the mean preference as it stands; `slope` the change of the log odds for an answer
    e times as long, with its interval: above 0 the judge leans to the longer one. `n` pairs of
    `groups` groups went in, `missing` had no preference.
    """

    value: float | None
    low: float | None
    high: float | None
    plain: float | None
    slope: float | None
    slope_low: float | None
    slope_high: float | None
    level: float
    n: int
    groups: int
    missing: int
    by: str


def length_controlled(
    *,
    preferences: Sequence[float | None],
    lengths: Sequence[float],
    other_lengths: Sequence[float],
    groups: Sequence[Hashable] | None = None,
    level: float = LEVEL,
    draws: int = DRAWS,
    seed: int = 0,
) -> LengthControlled:
    """How often the first answer would be preferred, were both answers equally long.

    A preference is 1 where the first answer won, 0 where the other did, .5 a tie, anything
    between allowed; None is left out. `lengths` are those of the first answers, `other_lengths`
    of those it is held against, in any one unit. Half a win and half a loss are added for each
    coefficient, so that a sweep has finite odds (the log-F(1,1) prior of Greenland and Mansournia
    2015). Preferences that are all equal say nothing about lengths: value and limits are then
    those of the plain rate.
    """
    import numpy as np

    rows = [
        (preference, mine, theirs, i)
        for i, (preference, mine, theirs) in enumerate(
            zip(preferences, lengths, other_lengths, strict=True)
        )
        if preference is not None
    ]
    if any(not 0 <= row[0] <= 1 for row in rows):
        raise ValueError("a preference lies within 0 and 1")
    if any(mine < 0 or theirs < 0 for _, mine, theirs, _ in rows):
        raise ValueError("a length can't be negative")
    own = None if groups is None else [groups[i] for *_, i in rows]
    where, count = places(own, len(rows))
    wins = np.array([row[0] for row in rows], dtype=float)
    gaps = np.array([np.log1p(mine) - np.log1p(theirs) for _, mine, theirs, _ in rows])
    claim: Claim = "these" if own is None else "new"
    plain = mean(wins.tolist(), own, share=True, claim=claim, level=level)
    value, slope = plain.value, None
    ends: Ends = (plain.low, plain.high, f"{plain.by}; nothing tells what lengths do")
    bends: Ends = (None, None, "")
    if rows and wins.min() < wins.max() and np.ptp(gaps) > 0:
        start = _fit(np.ones((1, len(rows))), wins, gaps, np.zeros(2))[0]
        value, slope = _share(float(start[0])), float(start[1])
        ends, bends = _refitted(wins, gaps, where, count, start, (level, draws, seed))
    return LengthControlled(
        value=value,
        low=ends[0],
        high=ends[1],
        plain=plain.value,
        slope=slope,
        slope_low=bends[0],
        slope_high=bends[1],
        level=level,
        n=len(rows),
        groups=count,
        missing=len(preferences) - len(rows),
        by=ends[2],
    )


def _refitted(
    wins: np.ndarray,
    gaps: np.ndarray,
    where: np.ndarray,
    count: int,
    start: np.ndarray,
    how: tuple[float, int, int],
) -> tuple[Ends, Ends]:
    """The limits of the rate and of the slope; `how` is the level, the draws and their seed."""
    if reason := too_few(count):
        return (None, None, reason), (None, None, reason)
    level, draws, seed = how
    told = drawn(
        lambda weights: _fit(weights[:, where], wins, gaps, start),
        count,
        draws=draws,
        seed=seed,
        width=len(wins),
    )
    low, high, by = bca(told, 0, level=level)
    return (_share(low), _share(high), f"{by}, model refitted"), bca(told, 1, level=level)


def _share(odds: float | None) -> float | None:
    import numpy as np

    return None if odds is None else float(1 / (1 + np.exp(-odds)))


def _fit(weights: np.ndarray, wins: np.ndarray, gaps: np.ndarray, start: np.ndarray) -> np.ndarray:
    """Intercept and slope of each draw, shape (draws, 2), by Newton's method from `start`.

    `weights` has the shape (draws, rows). The priors make the likelihood strictly concave; a step
    is at most 1 long, for a full one overshoots where a draw is nearly separated.
    """
    import numpy as np

    x = np.concatenate([np.stack([np.ones_like(gaps), gaps], axis=1), np.eye(2)])
    y = np.concatenate([wins, [0.5, 0.5]])
    w = np.concatenate([weights, np.ones((len(weights), 2))], axis=1)
    squares = (x[:, :, None] * x[:, None, :]).reshape(len(x), 4)
    found = np.tile(start, (len(w), 1))
    for _ in range(STEPS):
        told = 1 / (1 + np.exp(-(found @ x.T)))
        upward = (w * (y - told)) @ x
        bend = (w * told * (1 - told)) @ squares
        step = np.linalg.solve(bend.reshape(-1, 2, 2), upward[:, :, None])[:, :, 0]
        step /= np.maximum(1.0, np.linalg.norm(step, axis=1, keepdims=True))
        found = found + step
        if float(np.abs(step).max()) < 1e-8:
            break
    return found
