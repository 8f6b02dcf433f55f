"""Calibration: scores worked out by hand, and judges whose faults are known."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outdo.stats.calibration import Calibration, calibration, confidence, rightness


def told(values: Sequence[float | None]) -> Calibration:
    forecasts = {str(i): value for i, value in enumerate(values)}
    return calibration(forecasts, {name: name for name in forecasts}, claim="these")


def test_scores_are_those_of_a_worked_example() -> None:
    found = told([0.9, 0.8, 0.3, 0.5, None])
    assert (found.n, found.missing) == (4, 1)
    assert found.brier.value == pytest.approx((0.01 + 0.04 + 0.49 + 0.25) / 4)
    # bins of a twentieth: 0.9 -> [.90, .95), 0.8 -> [.80, .85), 0.7 wrong, 0.5 half right
    assert found.error.value == pytest.approx((0.1 + 0.2 + 0.7 + 0.0) / 4)
    assert found.over.value == pytest.approx((-0.1 - 0.2 + 0.7 + 0.0) / 4)
    assert [(one.low, one.n) for one in found.bins if one.n] == [
        (0.5, 1),
        (pytest.approx(0.7), 1),
        (pytest.approx(0.8), 1),
        (pytest.approx(0.9), 1),
    ]


def test_a_coin_that_says_so_is_calibrated_and_scores_a_quarter() -> None:
    found = told([0.5] * 20)
    assert found.brier.value == 0.25
    assert found.error.value == 0
    assert [one.coverage for one in found.coverage] == [1.0]
    assert found.coverage[0].right.value == 0.5


def test_halves_that_rounding_moved_choose_neither_side_and_are_covered_together() -> None:
    found = told([math.nextafter(0.5, 0)] * 5 + [math.nextafter(0.5, 1)] * 3 + [0.5] * 2)
    assert [(one.coverage, one.right.value) for one in found.coverage] == [(1.0, 0.5)]
    assert found.over.value == pytest.approx(0, abs=1e-12)


def test_a_judge_that_is_too_sure_is_told_from_one_that_is_not() -> None:
    draw = random.Random(3)
    honest = [p if draw.random() < p else 1 - p for p in (draw.uniform(0.5, 1) for _ in range(800))]
    sure = [0.99 if one > 0.5 else 0.01 for one in honest]
    good, bad = told(honest), told(sure)
    assert good.chance is not None and (good.error.value or 0) < 2 * good.chance
    assert good.over.low is not None and good.over.high is not None
    assert good.over.low < 0 < good.over.high
    assert bad.over.low is not None and bad.over.low > 0.15
    assert bad.error.low is not None and bad.error.low > 0.15
    assert (bad.brier.value or 0) > (good.brier.value or 1)


def test_whoever_abstains_where_it_is_unsure_is_right_more_often() -> None:
    values = [0.95] * 10 + [0.6] * 6 + [0.4] * 4
    found = told(values)
    shares = [(one.coverage, one.threshold, one.right.value) for one in found.coverage]
    assert shares == [(0.5, 0.95, 1.0), (1.0, 0.6, 0.8)]
    assert all(one.right.low is not None for one in found.coverage)


def test_groups_are_the_evidence_for_new_ones() -> None:
    forecasts = {f"{g} {i}": 0.9 if g % 3 else 0.1 for g in range(6) for i in range(20)}
    own = {name: name.partition(" ")[0] for name in forecasts}
    wide, narrow = (calibration(forecasts, own, claim=claim) for claim in ("new", "these"))
    assert wide.brier.value == narrow.brier.value
    width = [one.brier.high - one.brier.low for one in (wide, narrow)]  # type: ignore[operator]
    assert width[0] > 2 * width[1]
    few = dict.fromkeys(forecasts, "one")
    alone = calibration(forecasts, few, claim="new")
    assert alone.brier.low is None and alone.error.low is None


def test_nothing_is_made_of_nothing() -> None:
    found = told([None, None])
    assert (found.n, found.missing, found.coverage, found.chance) == (0, 2, (), None)
    assert found.brier.value is None and found.error.value is None


def test_what_is_no_probability_is_refused() -> None:
    with pytest.raises(ValueError, match="within 0 and 1"):
        told([1.2])


@settings(max_examples=30)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=40))
def test_a_forecast_counts_the_same_whichever_bins_it_falls_into(values: list[float]) -> None:
    found = told(values)
    assert sum(one.n for one in found.bins) == len(values)
    right = sum(rightness(one) for one in values) / len(values)
    assert found.coverage[-1].coverage == 1
    assert found.coverage[-1].right.value == pytest.approx(right)
    assert abs(found.over.value or 0) <= (found.error.value or 0) + 1e-9
    assert all(0.5 <= confidence(one) <= 1 for one in values)
