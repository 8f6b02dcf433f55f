"""A line and two correlations: as SciPy has them, with intervals that hold what they should."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from outdo.stats.association import association


def drawn(n: int, *, seed: int = 1, slope: float = 0.5) -> tuple[list[float], list[float]]:
    """Pairs with ties, y about `slope` times x."""
    draw = random.Random(seed)
    x = [round(draw.random(), 1) for _ in range(n)]
    return x, [round(slope * a + draw.gauss(0, 0.1), 2) for a in x]


@given(st.integers(3, 60), st.integers(0, 50))
@settings(max_examples=12, deadline=None)
def test_line_and_correlations_are_scipy_s(n: int, seed: int) -> None:
    x, y = drawn(n, seed=seed)
    if len(set(x)) < 2 or len(set(y)) < 2:
        return
    found = association(x=x, y=y, draws=10)
    line = stats.linregress(x, y)
    assert found.slope.value == pytest.approx(line.slope, abs=1e-9)
    assert found.intercept.value == pytest.approx(line.intercept, abs=1e-9)
    assert found.pearson.value == pytest.approx(line.rvalue, abs=1e-9)
    assert found.spearman.value == pytest.approx(stats.spearmanr(x, y).statistic, abs=1e-9)


def test_intervals_hold_the_value_and_are_near_fisher_s() -> None:
    x, y = drawn(200)
    found = association(x=x, y=y)
    for one in (found.slope, found.intercept, found.pearson, found.spearman):
        assert one.low is not None and one.value is not None and one.high is not None
        assert one.low < one.value < one.high
        assert one.by == "BCa bootstrap"
    usual = stats.pearsonr(x, y).confidence_interval()
    assert found.pearson.low == pytest.approx(usual.low, abs=0.03)
    assert found.pearson.high == pytest.approx(usual.high, abs=0.03)


def test_a_slope_is_no_correlation() -> None:
    x, y = drawn(100)
    steep = association(x=x, y=[10 * b for b in y], draws=10)
    flat = association(x=x, y=y, draws=10)
    assert steep.slope.value == pytest.approx(10 * (flat.slope.value or 0))
    assert steep.pearson.value == pytest.approx(flat.pearson.value)
    assert steep.spearman.value == flat.spearman.value


def test_spearman_asks_for_the_order_alone() -> None:
    x = [float(i) for i in range(20)]
    found = association(x=x, y=[2.0**i for i in x])
    assert found.spearman.value == pytest.approx(1.0)
    assert found.pearson.value is not None and found.pearson.value < 0.8


def test_pairs_of_one_group_are_one_piece_of_evidence() -> None:
    x, y = drawn(40)
    alone = association(x=x, y=y)
    copied = association(x=x * 4, y=y * 4, groups=[i % 40 for i in range(160)])
    loose = association(x=x * 4, y=y * 4)
    assert copied.groups == 40
    assert copied.pearson.value == pytest.approx(alone.pearson.value)
    width = [(one.pearson.high or 0) - (one.pearson.low or 0) for one in (alone, copied, loose)]
    assert width[1] == pytest.approx(width[0], rel=0.1)
    assert width[2] < 0.7 * width[1]


def test_what_lacks_one_of_the_two_is_left_out_and_counted() -> None:
    x, y = drawn(30)
    gaps = association(x=[*x, None, 0.5, None], y=[*y, 0.2, None, None], draws=10)
    assert (gaps.n, gaps.missing) == (30, 3)
    assert gaps.pearson.value == association(x=x, y=y, draws=10).pearson.value


def test_equal_values_have_no_correlation() -> None:
    ten = [float(i) for i in range(10)]
    level = association(x=ten, y=[0.1] * 10)
    assert (level.slope.value, level.intercept.value) == (0.0, pytest.approx(0.1))
    assert level.pearson.value is level.spearman.value is None
    upright = association(x=[0.7] * 10, y=ten)
    assert upright.slope.value is upright.pearson.value is upright.spearman.value is None


@pytest.mark.parametrize("n", [0, 1, 2, 7])
def test_few_things_have_no_interval(n: int) -> None:
    found = association(x=[float(i) for i in range(n)], y=[float(i * i) for i in range(n)])
    assert found.n == n
    assert found.pearson.low is found.spearman.high is found.slope.low is None
    assert (found.pearson.value is None) == (n < 2)
    assert found.pearson.by


def test_values_near_each_other_keep_their_correlation() -> None:
    x, y = drawn(50)
    near = association(x=[1e6 + a for a in x], y=[0.9 + b / 1000 for b in y], draws=10)
    assert near.pearson.value == pytest.approx(float(np.corrcoef(x, y)[0, 1]), abs=1e-5)


def test_lists_of_different_lengths_are_refused() -> None:
    with pytest.raises(ValueError, match="argument 2 is shorter"):
        association(x=[1.0, 2.0], y=[1.0])
