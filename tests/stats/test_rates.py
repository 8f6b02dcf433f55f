"""Newcombe's interval against published tables, and score limits of many shares at once."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outdo.stats.rates import newcombe, tango, tango_end, wilson, wilson_ends

cells = st.tuples(*[st.integers(0, 30)] * 4).filter(lambda told: sum(told) > 0)


def test_newcombe_gives_the_published_interval() -> None:
    """Airway hyper-responsiveness before and after transplantation, as in Fagerland et al. 2014."""
    low, high = newcombe(both=1, wins=1, losses=7, neither=12)
    assert (round(low, 3), round(high, 3)) == (-0.507, -0.026)


def test_a_positive_correlation_is_corrected_for_continuity() -> None:
    """Newcombe 1998, method 10: of ad - bc > 0 half the items are taken away, down to 0."""
    # Here ad - bc is 9 and n / 2 is 9.5: nothing is left, so the limits add up as independent ones.
    low, high = newcombe(both=9, wins=4, losses=5, neither=3)
    a, b = wilson(successes=13, n=21), wilson(successes=14, n=21)
    assert low == pytest.approx(-1 / 21 - np.hypot(13 / 21 - a[0], b[1] - 14 / 21))
    assert high == pytest.approx(-1 / 21 + np.hypot(a[1] - 13 / 21, 14 / 21 - b[0]))


@given(cells)
@settings(deadline=None)
def test_newcombe_mirrors_holds_the_difference_and_is_near_tango(told: tuple) -> None:
    both, wins, losses, neither = told
    n = sum(told)
    low, high = newcombe(both=both, wins=wins, losses=losses, neither=neither)
    mirrored = newcombe(both=both, wins=losses, losses=wins, neither=neither)
    assert mirrored == pytest.approx((-high, -low))
    assert -1 <= low <= (wins - losses) / n + 1e-12
    assert (wins - losses) / n - 1e-12 <= high <= 1
    near = tango(wins=wins, losses=losses, n=n)
    assert low == pytest.approx(near[0], abs=0.35 if n < 20 else 0.17)


def test_no_pairs_are_refused() -> None:
    for counts in ({"both": 0, "wins": 0}, {"both": 5, "wins": -1}):
        with pytest.raises(ValueError, match="count no pairs"):
            newcombe(**counts, losses=0, neither=0)


def test_wilsons_limits_of_many_shares_are_those_of_each() -> None:
    hits, n = np.array([0.0, 3.0, 10.0]), np.array([5.0, 9.0, 10.0])
    low, high = wilson_ends(hits / n, n, 1.959963984540054)
    for k, whole, *ends in zip(hits, n, low, high, strict=True):
        assert ends == pytest.approx(wilson(successes=k, n=whole), abs=1e-12)


def test_one_end_of_tango_is_that_of_both() -> None:
    z = 1.959963984540054
    ends = [tango_end(1 / 21, 7 / 21, 21, z=z, outside=side) for side in (-1.0, 1.0)]
    assert ends == pytest.approx(tango(wins=1, losses=7, n=21))
