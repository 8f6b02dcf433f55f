"""How alike groups are, against the plain formula and the ends of the scale."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outdo.stats.alike import INDEPENDENT, STEPS, design_effect, intraclass

groups = st.lists(
    st.tuples(st.integers(0, 8), st.integers(0, 8), st.integers(1, 8)), min_size=1, max_size=8
)


def plainly(counts: list[tuple[int, ...]]) -> float:
    """The posterior mean by a loop over products of rising factorials, no gamma function."""
    totals = [sum(row[i] for row in counts) + 0.5 for i in range(len(counts[0]))]
    shares = [total / sum(totals) for total in totals]
    alone = math.prod(
        share**count for row in counts for share, count in zip(shares, row, strict=True)
    )
    top, bottom = 0.0, INDEPENDENT * alone
    weight = sum(range(1, 2 * STEPS, 2))
    for step in range(STEPS):
        rho = ((step + 0.5) / STEPS) ** 2
        strength = (1 - rho) / rho
        likelihood = 1.0
        for row in counts:
            for share, count in zip(shares, row, strict=True):
                likelihood *= math.prod(share * strength + i for i in range(count))
            likelihood /= math.prod(strength + i for i in range(sum(row)))
        posterior = (1 - INDEPENDENT) * likelihood * (2 * step + 1) / weight
        top, bottom = top + posterior * rho, bottom + posterior
    return top / bottom


@given(groups)
@settings(deadline=None)
def test_it_is_the_posterior_mean(counts: list[tuple[int, ...]]) -> None:
    assert intraclass(counts) == pytest.approx(plainly(counts), rel=1e-9)


def test_groups_all_of_one_kind_are_alike() -> None:
    assert intraclass([(10, 0), (0, 10), (10, 0), (0, 10), (10, 0), (0, 10)]) > 0.85


def test_groups_each_like_the_whole_are_not() -> None:
    assert intraclass([(10, 10)] * 30) < 0.005


def test_groups_of_one_say_nothing_and_cost_nothing() -> None:
    counts = [(1, 0), (0, 1), (1, 0)]
    assert intraclass(counts) == pytest.approx((1 - INDEPENDENT) / 2, abs=1e-3)
    assert design_effect(counts) == 1.0


def test_the_design_effect_counts_large_groups_by_their_size() -> None:
    counts = [(6, 0), (0, 2), (1, 1)]
    typical = (36 + 4 + 4) / 10
    assert design_effect(counts) == pytest.approx(1 + (typical - 1) * intraclass(counts))


def test_data_without_any_variety_leave_every_correlation_possible() -> None:
    assert 0.4 < intraclass([(0, 40)] * 5) < 0.8
