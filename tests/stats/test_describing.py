"""Middle, spread and bins of values: as NumPy has them, and whatever the values are."""

from __future__ import annotations

import math
import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outdo.stats.describing import bins, describe, quantile_of

NUMBERS = st.lists(st.floats(-1e6, 1e6, allow_nan=False).map(lambda x: round(x, 6)), min_size=1)


def test_middle_and_spread_are_numpy_s() -> None:
    draw = random.Random(3)
    values = [draw.lognormvariate(0, 1) for _ in range(101)]
    found = describe([*values, None, None])
    assert found is not None
    assert (found.n, found.missing) == (101, 2)
    assert found.mean == pytest.approx(np.mean(values), rel=1e-12)
    assert found.median == np.median(values)
    assert found.variance == pytest.approx(np.var(values), rel=1e-12)
    assert found.deviation == pytest.approx(np.std(values), rel=1e-12)
    assert found.lower == pytest.approx(np.percentile(values, 25), rel=1e-12)
    assert found.upper == pytest.approx(np.percentile(values, 75), rel=1e-12)
    assert (found.least, found.most) == (min(values), max(values))


def test_equal_values_have_no_spread_and_none_have_no_numbers() -> None:
    found = describe([0.1] * 7)
    assert found is not None
    assert (found.mean, found.variance, found.deviation) == (0.1, 0.0, 0.0)
    one = describe([4])
    assert one is not None
    assert (one.n, one.lower, one.median, one.upper, one.most) == (1, 4.0, 4.0, 4.0, 4.0)
    assert describe([]) is None
    assert describe([None]) is None


@given(NUMBERS, st.floats(0, 1))
@settings(max_examples=40)
def test_a_quantile_is_numpy_s(values: list[float], part: float) -> None:
    found = quantile_of(sorted(values), part)
    assert found == pytest.approx(float(np.quantile(values, part)), rel=1e-9, abs=1e-6)


@given(NUMBERS)
@settings(max_examples=40)
def test_bins_hold_every_value_once(values: list[float]) -> None:
    found = bins(values)
    counts = found.counts(values)
    assert sum(counts) == len(values)
    assert len(counts) == found.count <= 26
    assert found.width > 0
    assert math.isfinite(found.end)


def test_shares_stand_in_twentieths() -> None:
    found = bins([0.3, 0.31], share=True)
    assert (found.start, found.width, found.count, found.open) == (0.0, 0.05, 20, False)
    edges = [0.05 * i for i in range(21)]
    assert found.counts(edges) == [1] * 19 + [2]


def test_whole_numbers_stand_in_whole_bins() -> None:
    found = bins([1, 2, 2, 3])
    assert (found.start, found.width, found.counts([1, 2, 2, 3])) == (1.0, 1.0, [1, 2, 1])
    assert bins(list(range(0, 300, 7))).width == 50.0


def test_a_long_tail_falls_into_an_open_bin() -> None:
    values = [*(float(i % 10) for i in range(99)), 5000.0]
    found = bins(values)
    assert found.open
    assert found.end < 50
    assert found.counts(values)[-1] == 1
    alone = bins([5.0] * 99 + [1000.0])
    assert (alone.open, alone.counts([5.0] * 99 + [1000.0])) == (True, [99, 1])


@pytest.mark.parametrize("value", [0.0, 0.3, -3.0, 7.0, 1e-5, 12345.6])
def test_equal_values_stand_in_one_bin(value: float) -> None:
    assert bins([value] * 4).counts([value] * 4) == [4]


def test_what_lies_in_no_bin_is_refused() -> None:
    found = bins([1, 2, 3])
    for value in (0.5, 5.0):
        with pytest.raises(ValueError, match="none of the bins"):
            found.counts([value])
    with pytest.raises(ValueError, match="no values"):
        bins([])
