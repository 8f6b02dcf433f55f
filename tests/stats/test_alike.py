"""How alike groups are, against the plain formula and the ends of the scale."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outdo.stats.alike import INDEPENDENT, LONGEST, STEPS, groups_of

groups = st.lists(
    st.tuples(st.integers(0, 8), st.integers(0, 8), st.integers(1, 8)), min_size=1, max_size=8
)


def intraclass(counts: list[tuple[float, ...]], shares: list[float] | None = None) -> float:
    asked = None if shares is None else np.array([shares])
    return float(groups_of(np.array([counts])).intraclass(asked)[0])


def design_effect(counts: list[tuple[int, ...]]) -> float:
    return float(groups_of(np.array([counts])).design_effect()[0])


def plainly(counts: list[tuple[int, ...]], asked: list[float] | None = None) -> float:
    """The posterior mean by a loop over products of rising factorials, no gamma function."""
    totals = [sum(row[i] for row in counts) + 0.5 for i in range(len(counts[0]))]
    shares = asked or [total / sum(totals) for total in totals]
    alone = math.prod(
        share**count for row in counts for share, count in zip(shares, row, strict=True)
    )
    top, bottom = 0.0, INDEPENDENT * alone
    for step in range(STEPS):
        rho = ((step + 0.5) / STEPS) ** 2
        strength = (1 - rho) / rho
        likelihood = 1.0
        for row in counts:
            for share, count in zip(shares, row, strict=True):
                likelihood *= math.prod(share * strength + i for i in range(count))
            likelihood /= math.prod(strength + i for i in range(sum(row)))
        posterior = (1 - INDEPENDENT) * likelihood / STEPS
        top, bottom = top + posterior * rho, bottom + posterior
    return top / bottom


@given(groups)
@settings(deadline=None)
def test_it_is_the_posterior_mean(counts: list[tuple[int, ...]]) -> None:
    assert intraclass(counts) == pytest.approx(plainly(counts), rel=1e-9)


@given(groups)
@settings(deadline=None)
def test_it_is_the_posterior_mean_at_other_shares(counts: list[tuple[int, ...]]) -> None:
    asked = [0.1, 0.2, 0.7]
    assert intraclass(counts, asked) == pytest.approx(plainly(counts, asked), rel=1e-9)


def test_many_tables_at_once_are_each_told_alone() -> None:
    tables = [[(3, 1), (0, 4), (2, 2)], [(4, 0), (0, 4), (4, 0)], [(0, 4), (0, 4), (0, 4)]]
    together = groups_of(np.array(tables)).intraclass()
    assert together == pytest.approx([intraclass(table) for table in tables], rel=1e-12)


def test_broken_and_very_large_counts_go_by_the_gamma_function() -> None:
    whole = [(3, 1), (0, 4), (2, 2)]
    nearly = [(3 + 1e-9, 1), (0, 4), (2, 2)]
    assert intraclass(nearly) == pytest.approx(intraclass(whole), rel=1e-6)
    large = [(LONGEST + 5, 3), (10, LONGEST - 2), (LONGEST, 8)]
    assert intraclass(large) > 0.3


def test_rare_events_all_in_one_group_look_more_alike_the_likelier_they_are_tried() -> None:
    counts = [(3, 7), *[(0, 10)] * 9]
    told = [intraclass(counts, [share, 1 - share]) for share in (0.03, 0.1, 0.3)]
    assert told == sorted(told)
    assert told[-1] > told[0] + 0.1


def test_groups_all_of_one_kind_are_alike() -> None:
    assert intraclass([(10, 0), (0, 10), (10, 0), (0, 10), (10, 0), (0, 10)]) > 0.85


def test_groups_each_like_the_whole_are_not() -> None:
    assert intraclass([(10, 10)] * 30) < 0.005


def test_groups_of_one_say_nothing_and_cost_nothing() -> None:
    counts = [(1, 0), (0, 1), (1, 0)]
    assert intraclass(counts) == pytest.approx((1 - INDEPENDENT) / 3, abs=1e-3)
    assert design_effect(counts) == 1.0


def test_the_design_effect_counts_large_groups_by_their_size() -> None:
    counts = [(6, 0), (0, 2), (1, 1)]
    typical = (36 + 4 + 4) / 10
    assert design_effect(counts) == pytest.approx(1 + (typical - 1) * intraclass(counts))


def test_data_without_any_variety_leave_every_correlation_possible() -> None:
    assert 0.2 < intraclass([(0, 40)] * 5) < 0.6
