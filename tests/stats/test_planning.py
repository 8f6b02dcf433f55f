"""Plans, against the exact power of McNemar's test and a published size."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outdo.stats import compare
from outdo.stats.planning import items_needed, smallest_difference


def test_a_win_rate_against_a_half_takes_as_many_as_tables_say() -> None:
    # .6 against .5, two-sided 5%, power 80%: 194 (one sample, both variances known).
    assert items_needed(difference=0.2, discordant=1.0) == 194


@pytest.mark.parametrize(("difference", "discordant"), [(0.1, 0.3), (0.2, 0.9)])
def test_so_many_items_show_it_four_times_in_five(difference: float, discordant: float) -> None:
    n = items_needed(difference=difference, discordant=discordant)
    draw, shown = np.random.default_rng(2), 0
    up, down = (discordant + difference) / 2, (discordant - difference) / 2
    for wins, losses, _ in draw.multinomial(n, [up, down, 1 - discordant], size=300):
        kinds = [(1.0, 0.0)] * wins + [(0.0, 1.0)] * losses
        kinds += [(0.0, 0.0)] * (n - wins - losses)
        a, b = ({str(i): kind[side] for i, kind in enumerate(kinds)} for side in (0, 1))
        shown += (compare(a, b, share=True).low or 0) > 0
    assert shown / 300 == pytest.approx(0.8, abs=0.06)


@given(st.integers(20, 3000), st.floats(0.05, 1), st.floats(1, 30), st.floats(0, 0.6))
@settings(deadline=None)
def test_the_smallest_difference_is_the_one_that_takes_so_many(
    n: int, discordant: float, group_size: float, correlation: float
) -> None:
    more = {"discordant": discordant, "group_size": group_size, "correlation": correlation}
    found = smallest_difference(n=n, **more)
    if found is None:
        assert items_needed(difference=discordant, **more) > n
    else:
        assert items_needed(difference=found, **more) == pytest.approx(n, abs=1)


def test_alike_items_take_more() -> None:
    plan = {"difference": 0.1, "discordant": 0.4}
    alone, grouped = items_needed(**plan), items_needed(**plan, group_size=11, correlation=0.2)
    assert grouped == pytest.approx(3 * alone, abs=3)


def test_what_cannot_be_planned_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^a difference of 0\.3 wants between 0\.3 and 1"):
        items_needed(difference=0.3, discordant=0.2)
    with pytest.raises(ValueError, match=r"^0 items of which 0\.5 differ"):
        smallest_difference(n=0, discordant=0.5)
    with pytest.raises(ValueError, match=r"^a group has an item at least"):
        items_needed(difference=0.1, discordant=0.4, group_size=0)
