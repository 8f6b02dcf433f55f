"""The rate at equal length: what it recovers, that its doubt is all in, and where nothing tells."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.optimize

from outdo.stats import mean
from outdo.stats.length import LengthControlled, length_controlled


def rows(seed: int, *, n: int, at_equal: float, slope: float, longer: float) -> tuple:
    """Preferences and lengths: the first answers are e^longer times as long in the middle."""
    draw = np.random.default_rng(seed)
    mine = np.exp(draw.normal(5 + longer, 0.5, n))
    theirs = np.exp(draw.normal(5, 0.5, n))
    odds = at_equal + slope * (np.log1p(mine) - np.log1p(theirs))
    wins = (draw.random(n) < 1 / (1 + np.exp(-odds))).astype(float)
    return wins, mine, theirs


def told(wins: object, mine: object, theirs: object, **more: object) -> LengthControlled:
    sides = (np.asarray(side, dtype=object).tolist() for side in (wins, mine, theirs))
    names = ("preferences", "lengths", "other_lengths")
    return length_controlled(**dict(zip(names, sides, strict=True)), **more)  # type: ignore[arg-type]


def test_a_judge_that_only_likes_length_prefers_nobody_at_equal_length() -> None:
    found = told(*rows(0, n=2000, at_equal=0.0, slope=2.0, longer=0.4), draws=200)
    assert found.plain is not None
    assert found.plain > 0.62
    assert found.value == pytest.approx(0.5, abs=0.04)
    assert found.slope == pytest.approx(2.0, abs=0.3)
    assert found.slope_low > 1.5  # type: ignore[operator]
    assert found.by == "BCa bootstrap, model refitted"


def test_the_fit_is_the_maximum_of_the_penalised_likelihood() -> None:
    wins, mine, theirs = rows(1, n=60, at_equal=0.4, slope=1.0, longer=0.2)
    gaps = np.log1p(mine) - np.log1p(theirs)

    def unlikely(at: np.ndarray) -> float:
        odds = at[0] + at[1] * gaps
        data = np.sum(wins * odds - np.logaddexp(0, odds))
        return -float(data + np.sum(0.5 * at - np.logaddexp(0, at)))

    best = scipy.optimize.minimize(unlikely, np.zeros(2), tol=1e-12).x
    found = told(wins, mine, theirs, draws=50)
    assert found.value == pytest.approx(1 / (1 + np.exp(-best[0])), abs=1e-5)
    assert found.slope == pytest.approx(best[1], abs=1e-4)


def test_ties_are_half_and_what_is_missing_is_left_out() -> None:
    found = told([1, 0.5, None, 0, 1, 0.5], [9, 8, 7, 6, 5, 4], [5, 5, 5, 5, 5, 5], draws=50)
    assert (found.n, found.missing, found.plain) == (5, 1, 0.6)


def test_two_sides_mirror_each_other() -> None:
    wins, mine, theirs = rows(2, n=150, at_equal=0.3, slope=1.0, longer=0.3)
    one, two = told(wins, mine, theirs), told(1 - wins, theirs, mine)
    assert one.value == pytest.approx(1 - two.value)  # type: ignore[operator]
    assert one.slope == pytest.approx(two.slope)
    assert one.low == pytest.approx(1 - two.high, abs=0.01)  # type: ignore[operator]


def test_a_sweep_says_nothing_about_lengths() -> None:
    found = told([1.0] * 20, list(range(20)), [5] * 20)
    plain = mean([1.0] * 20, share=True)
    assert (found.value, found.low, found.high) == (1.0, plain.low, plain.high)
    assert (found.slope, found.slope_low) == (None, None)
    assert found.by == "Wilson; nothing tells what lengths do"


def test_no_preferences_and_two_groups() -> None:
    assert told([None], [3], [4]).value is None
    two = told([1, 0, 1, 1], [3, 4, 5, 9], [4, 4, 4, 4], groups=list("aabb"))
    assert two.value is not None
    assert two.by == "2 of the 3 groups that an interval needs"


def test_what_makes_no_sense_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^a preference lies within 0 and 1$"):
        told([2.0], [1], [1])
    with pytest.raises(ValueError, match=r"^a length can't be negative$"):
        told([1.0], [-1], [1])


@pytest.mark.slow
def test_the_interval_holds_its_level_by_group_with_the_slope_refitted() -> None:
    draw = np.random.default_rng(6)
    names = np.repeat(np.arange(25), 8)
    hits = 0
    for _ in range(120):
        shift = 0.5 * draw.normal(size=25)[names]
        mine, theirs = np.exp(draw.normal(5.4, 0.5, 200)), np.exp(draw.normal(5, 0.5, 200))
        odds = shift + 1.5 * (np.log1p(mine) - np.log1p(theirs))
        wins = (draw.random(200) < 1 / (1 + np.exp(-odds))).astype(float)
        found = told(wins, mine, theirs, groups=names.tolist(), draws=300)
        hits += found.low <= 0.5 <= found.high  # type: ignore[operator]
    assert hits / 120 >= 0.89
