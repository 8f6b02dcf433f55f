"""Corrected p-values, against statsmodels and by hand."""

from __future__ import annotations

import numpy as np
import pytest
from statsmodels.stats.multitest import multipletests

from outdo.stats.many import benjamini_hochberg, holm

DRAW = np.random.default_rng(7)


@pytest.mark.parametrize("count", [1, 2, 5, 12])
@pytest.mark.parametrize("steep", [1, 4])
def test_they_equal_statsmodels(count: int, steep: int) -> None:
    p_values = (DRAW.random(count) ** steep).round(2).tolist()
    assert holm(p_values) == pytest.approx(multipletests(p_values, method="holm")[1])
    theirs = multipletests(p_values, method="fdr_bh")[1]
    assert benjamini_hochberg(p_values) == pytest.approx(theirs)


def test_by_hand() -> None:
    assert holm([0.04, 0.01, 0.03]) == pytest.approx((0.06, 0.03, 0.06))
    assert benjamini_hochberg([0.04, 0.01, 0.03]) == pytest.approx((0.04, 0.03, 0.04))


@pytest.mark.parametrize("corrected", [holm, benjamini_hochberg])
def test_what_could_not_be_told_stays_so_and_is_not_counted(corrected: object) -> None:
    told = corrected([None, 0.02, None, 0.5])  # type: ignore[operator]
    assert told == (None, 0.04, None, 0.5)
    assert corrected([]) == ()  # type: ignore[operator]


@pytest.mark.parametrize("corrected", [holm, benjamini_hochberg])
def test_what_is_no_p_value_is_refused(corrected: object) -> None:
    with pytest.raises(ValueError, match=r"^a p-value lies within 0 and 1$"):
        corrected([0.5, 1.2])  # type: ignore[operator]
