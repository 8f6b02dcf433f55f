"""Two one-sided tests, against statsmodels and against the verdict's own interval."""

from __future__ import annotations

import numpy as np
import pytest
from statsmodels.stats.weightstats import ttost_paired

from outdo.stats import compare
from outdo.stats.equivalence import tost

DRAW = np.random.default_rng(3)
A = DRAW.normal(size=40)
B = A + DRAW.normal(scale=0.5, size=40)


@pytest.mark.parametrize("margin", [0.05, 0.2, 0.6])
def test_rows_are_tested_as_by_statsmodels(margin: float) -> None:
    p, low, high = ttost_paired(A, B, -margin, margin)
    told = tost((A - B).tolist(), margin=margin)
    assert told.p == pytest.approx(p)
    assert (told.p_low, told.p_high) == pytest.approx((low[1], high[1]))
    assert told.equivalent == (p < 0.05)
    assert told.difference == pytest.approx((A - B).mean())


def test_it_is_the_90_percent_interval_of_a_comparison() -> None:
    names = [str(i) for i in range(40)]
    groups = {name: int(name) // 5 for name in names}
    a, b = (dict(zip(names, side.tolist(), strict=True)) for side in (A, B))
    found = compare(a, b, share=False, groups=groups, claim="new")
    told = tost((A - B).tolist(), margin=0.3, groups=list(groups.values()))
    assert (told.low, told.high) == pytest.approx((found.low_within, found.high_within))
    assert told.by == "t, by group"


def test_the_two_ways_of_saying_it_agree() -> None:
    for margin in np.linspace(0.02, 0.5, 25):
        told = tost((A - B).tolist(), margin=float(margin))
        assert told.low is not None
        assert told.high is not None
        assert told.equivalent == (-margin < told.low and told.high < margin)


def test_groups_and_rare_differences_count_for_what_they_are_worth() -> None:
    gaps = [0.0] * 95 + [1.0] * 5
    labels = [i // 10 for i in range(100)]
    alone, grouped = (
        tost(gaps, margin=0.1, share=True, groups=groups) for groups in (None, labels)
    )
    assert alone.p is not None
    assert grouped.p is not None
    assert alone.p < 0.05 < grouped.p


def test_what_cannot_be_told_is_not_equivalent() -> None:
    same = tost([0.0] * 8, margin=0.1)
    assert (same.equivalent, same.p, same.difference) == (False, None, 0.0)
    assert same.by == "all 8 values are equal: no spread to measure"
    two = tost([0.1, 0.2, 0.1], margin=1, groups=["a", "a", "b"])
    assert two.by == "2 of the 3 groups that an interval about new groups needs"
    assert tost([], margin=1).difference is None


def test_a_margin_must_be_positive() -> None:
    with pytest.raises(ValueError, match=r"^a margin is a positive number, not 0$"):
        tost([1.0, 2.0], margin=0)
