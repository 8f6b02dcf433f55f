"""Several training runs: the luck of a run is in the interval, beside the luck of the items."""

from __future__ import annotations

import dataclasses
import math
import statistics

import numpy as np
import pytest
import scipy.special
import scipy.stats

from outdo.stats import Difference, compare, mean, mean_of_runs, verdict
from outdo.stats.spread import (
    Between,
    Spread,
    between_rows,
    between_runs,
    spread_of,
    spread_of_shares,
    with_runs,
)
from outdo.stats.verdict import needed

Runs = list[dict[str, float | None]]


def runs_of(table: np.ndarray) -> Runs:
    return [{str(i): float(x) for i, x in enumerate(row)} for row in table]


# ------------------------------------------------------------------ variance components


def crossed(seed: int = 0, runs: int = 4, items: int = 30) -> np.ndarray:
    draw = np.random.default_rng(seed)
    own = draw.normal(size=(1, items)) + 0.5 * draw.normal(size=(runs, 1))
    return 3 + own + 0.3 * draw.normal(size=(runs, items))


def test_the_components_are_those_of_a_two_way_analysis_of_variance() -> None:
    table = crossed()
    runs, items = table.shape
    rows, columns, middle = table.mean(1), table.mean(0), table.mean()
    residual = table - rows[:, None] - columns[None] + middle
    mean_square_runs = items * ((rows - middle) ** 2).sum() / (runs - 1)
    mean_square_residual = (residual**2).sum() / ((runs - 1) * (items - 1))
    found = between_rows(table.tolist())
    assert found.variance == pytest.approx(mean_square_runs / (runs * items))
    assert found.own == pytest.approx((mean_square_runs - mean_square_residual) / (runs * items))
    assert found.freedom == runs - 1


def test_one_run_has_no_spread_between_runs() -> None:
    assert between_rows([[1.0, 2.0, 3.0]]) == between_runs([2.0]) == Between()
    assert between_rows([[], []]) == Between()
    alone = spread_of([1.0, 2.0, 4.0])
    assert with_runs(alone, Between()) == alone


def test_the_degrees_of_freedom_of_a_sum_are_welchs() -> None:
    x, y = [1.0, 2.0, 4.0], [3.0, 9.0, 4.0, 5.5, 8.0]
    both = between_runs(x) + between_runs(y)
    theirs = scipy.stats.ttest_ind(x, y, equal_var=False)
    assert both.freedom == pytest.approx(theirs.df)
    gap = statistics.fmean(x) - statistics.fmean(y)
    assert gap / math.sqrt(both.variance) == pytest.approx(theirs.statistic)


def test_runs_never_make_anything_surer() -> None:
    for seed in range(20):
        table = crossed(seed, runs=3, items=12)
        items = spread_of(table.mean(0).tolist())
        both = with_runs(items, between_rows(table.tolist()))
        assert both.variance > items.variance
        assert both.freedom <= items.freedom
        passed = table > 3
        shares = spread_of_shares(passed.mean(0).tolist())
        nested = with_runs(shares, between_rows(passed.astype(float).tolist()))
        assert nested.size <= shares.size
        assert nested.variance >= shares.variance


def test_items_that_never_differ_leave_the_runs_to_tell() -> None:
    flat = Spread(mean=0.5, variance=0.0, freedom=0, size=1, largest=0.25)
    both = with_runs(flat, Between(variance=0.01, freedom=2, own=0.01))
    assert (both.variance, both.freedom, both.size) == (0.01, 2, 1)


# ------------------------------------------------------------------ means


def test_the_value_is_the_mean_of_the_runs_means() -> None:
    runs: Runs = [{"x": 1.0, "y": 0.0, "z": None}, {"x": 0.0, "y": 0.0, "z": 1.0, "w": 1.0}]
    told = mean_of_runs(runs, share=True)
    assert told.run_means == (0.5, 0.5)
    assert told.value == 0.5
    assert (told.n, told.groups, told.missing) == (4, 4, 1)
    assert told.by == "Wilson at the effective size, by row"


def test_one_run_is_told_as_before() -> None:
    values: dict[str, float | None] = {"x": 1.0, "y": 0.0, "z": None, "w": 1.0}
    groups = {"x": 1, "y": 2, "z": 3, "w": 4}
    for claim in ("these", "new"):
        assert mean_of_runs([values], groups, share=True, claim=claim) == mean(
            list(values.values()), list(groups.values()), share=True, claim=claim
        )
    nothing: dict[str, float | None] = {"x": None}
    assert mean_of_runs([nothing, nothing], share=True).by == "no values"
    assert mean_of_runs([values, nothing], share=True).run_means == ()


def test_runs_that_never_differ_are_told_as_one() -> None:
    same = runs_of(np.tile(np.arange(40) % 3 == 0, (3, 1)))
    told, one = mean_of_runs(same, share=True), mean_of_runs(same[:1], share=True)
    assert (told.low, told.high, told.by) == (one.low, one.high, "Wilson")
    assert told.run_means == (0.35,) * 3


def test_distances_of_two_runs_add_up_the_squares_of_both_half_widths() -> None:
    table = np.array([[1.0, 2.0, 4.0], [2.0, 4.0, 9.0]])
    told = mean_of_runs(runs_of(table), share=False)
    items, runs = table.mean(0).var(ddof=1) / 3, table.mean(1).var(ddof=1) / 2
    half = math.sqrt(
        items * scipy.stats.t.ppf(0.975, 2) ** 2 + runs * scipy.stats.t.ppf(0.975, 1) ** 2
    )
    assert (told.low, told.high) == pytest.approx((table.mean() - half, table.mean() + half))
    assert told.by == "t, by row and run"


def test_distances_of_three_runs_by_hand() -> None:
    table = np.array([[1.0, 2.0, 4.0], [2.0, 4.0, 9.0], [1.0, 3.0, 4.0]])
    told = mean_of_runs(runs_of(table), share=False)
    items, runs = table.mean(0).var(ddof=1) / 3, table.mean(1).var(ddof=1) / 3
    freedom = min(2, (items + runs) ** 2 / (items**2 / 2 + runs**2 / 2))
    half = scipy.stats.t.ppf(0.975, freedom) * math.sqrt(items + runs)
    assert (told.low, told.high) == pytest.approx((table.mean() - half, table.mean() + half))


def test_what_some_runs_lack_moves_the_mean_by_as_much_as_it_counts() -> None:
    """The variance over items is that of leaving each of them out, to first order."""
    draw = np.random.default_rng(3)
    runs: Runs = [
        {str(i): float(draw.normal(5, 2)) for i in range(80) if draw.random() < 0.6}
        for _ in range(2)
    ]
    told = mean_of_runs(runs, share=False)
    names = sorted({name for run in runs for name in run})
    left = [
        statistics.fmean(statistics.fmean(v for k, v in run.items() if k != name) for run in runs)
        for name in names
    ]
    jackknife = sum((one - told.value) ** 2 for one in left) * (len(left) - 1) / len(left)
    between = between_runs(told.run_means)
    items = with_runs(Spread(mean=5, variance=jackknife, freedom=79, size=80), between)
    half = scipy.stats.t.ppf(0.975, items.freedom) * math.sqrt(items.variance)
    assert (told.high - told.low) / 2 == pytest.approx(half, rel=0.05)


def test_whole_groups_count_over_runs_too() -> None:
    table = np.random.default_rng(4).random((3, 60)) < 0.6
    groups = {str(i): i // 10 for i in range(60)}
    new = mean_of_runs(runs_of(table), groups, share=True, claim="new")
    these = mean_of_runs(runs_of(table), groups, share=True)
    assert new.by == "Wilson at the effective size, by group and run"
    assert (new.groups, these.groups) == (6, 6)
    assert new.high - new.low > these.high - these.low


def test_an_interval_is_cut_at_the_least_that_is_possible() -> None:
    whole = mean([2.0, 9.0], share=False)
    told = mean([2.0, 9.0], share=False, least=0.0)
    assert whole.low < 0
    assert (told.low, told.high) == (0.0, whole.high)
    runs: Runs = [{"x": 1.0, "y": 9.0}, {"x": 2.0, "y": 4.0}]
    assert mean_of_runs(runs, share=False, least=0.0).low == 0.0
    with pytest.raises(ValueError, match=r"^-1.0 is below 0.0, the least that was said"):
        mean([-1.0, 2.0], share=False, least=0.0)


# ------------------------------------------------------------------ differences


def drawn(
    draw: np.random.Generator, runs: int, items: int, rate: float, spread: float
) -> np.ndarray:
    """0s and 1s of runs and items, each item, and each run by `spread`, easier or harder."""
    level = scipy.special.logit(rate) + 1.5 * draw.normal(size=(1, items))
    level = level + spread * draw.normal(size=(runs, 1)) + 0.5 * draw.normal(size=(runs, items))
    return (draw.random((runs, items)) < scipy.special.expit(level)).astype(float)


def test_independent_runs_of_both_add_up() -> None:
    draw = np.random.default_rng(5)
    a, b = drawn(draw, 3, 60, 0.6, 1.0), drawn(draw, 2, 60, 0.4, 1.0)
    told = compare(runs_of(a), runs_of(b), share=True)
    assert (told.runs_a, told.runs_b, told.n) == (3, 2, 60)
    assert told.difference == pytest.approx(a.mean() - b.mean())
    assert (told.mean_a, told.mean_b) == (pytest.approx(a.mean()), pytest.approx(b.mean()))
    assert told.by == "Tango at the effective size, by row and run"
    assert told.p_by == "t"
    alone = compare(runs_of([a.mean(0)])[0], runs_of([b.mean(0)])[0], share=True)
    assert told.low < alone.low
    assert told.high > alone.high
    assert 0 < told.between < 1


def test_the_same_runs_are_paired() -> None:
    """Three trainings asked in two ways: what a run's luck gives to both is no difference."""
    draw = np.random.default_rng(6)
    luck = np.array([[-0.3], [0.0], [0.3]])
    base = draw.normal(size=(1, 40))
    a, b = base + luck + 0.2 + 0.05 * draw.normal(size=(3, 40)), base + luck
    paired = compare(runs_of(a), runs_of(b), share=False, same_runs=True)
    apart = compare(runs_of(a), runs_of(b), share=False)
    assert paired.difference == apart.difference
    assert paired.high - paired.low < (apart.high - apart.low) / 5
    with pytest.raises(ValueError, match=r"^3 runs can't be the same as 1$"):
        compare(runs_of(a), runs_of(b[:1]), share=False, same_runs=True)


def test_a_pair_is_known_in_every_run() -> None:
    a: Runs = [{"x": 1.0, "y": 0.0, "z": 1.0}, {"x": 1.0, "y": None, "z": 1.0, "w": 0.0}]
    told = compare(a, {"x": 0.0, "y": 0.0, "w": 1.0}, share=True)
    assert (told.n, told.missing, told.difference) == (1, 1, 1.0)
    with pytest.raises(ValueError, match=r"^a contestant without a run has no values$"):
        compare([], {}, share=True)


def test_missing_values_are_tried_at_their_worst_in_each_run() -> None:
    sure = runs_of(np.ones((3, 40)))
    sure[1]["0"] = None
    told = verdict(sure, {str(i): 0.0 for i in range(40)}, better="higher", share=True)
    assert (told.word, told.worst, told.found.missing) == ("better", "better", 1)


def test_the_luck_of_runs_can_make_a_difference_inconclusive() -> None:
    draw = np.random.default_rng(7)
    runs = np.stack([draw.random(300) < rate for rate in (0.95, 0.7, 0.45)]).astype(float)
    base = {str(i): float(x) for i, x in enumerate(draw.random(300) < 0.4)}
    first = verdict(runs_of(runs)[0], base, better="higher", share=True)
    assert first.word == "better"
    told = verdict(runs_of(runs), base, better="higher", share=True)
    assert told.word == "inconclusive"
    assert told.needed is None
    assert told.needed_runs is not None
    assert told.needed_runs > 3


# ------------------------------------------------------------------ what would settle it


FOUND = Difference(
    difference=0.1,
    mean_a=0.5,
    mean_b=0.4,
    low=-0.02,
    high=0.22,
    low_within=0.0,
    high_within=0.2,
    n=100,
    groups=100,
    missing=0,
    wins=20,
    losses=10,
    p=0.1,
    p_by="t",
    by="t, by row and run",
    runs_a=3,
)


def test_more_items_help_where_items_are_what_is_unsure() -> None:
    items, runs = needed(FOUND)
    assert runs is None
    some = dataclasses.replace(FOUND, between=0.2)
    more, runs = needed(some)
    assert runs is None
    assert items is not None
    assert more is not None
    assert more > items


def test_more_runs_help_where_runs_are() -> None:
    items, runs = needed(dataclasses.replace(FOUND, between=0.9))
    assert items is None
    variance = (0.12 / scipy.stats.norm.ppf(0.975)) ** 2
    allowed = (0.1 / (scipy.stats.norm.ppf(0.975) + scipy.stats.norm.ppf(0.8))) ** 2
    z2 = scipy.stats.norm.ppf(0.975) ** 2
    left = allowed - 0.1 * variance * (100 + z2) / 100
    assert runs == math.ceil(0.9 * variance * 3 / left)


def test_both_are_told_where_neither_helps_alone() -> None:
    small = dataclasses.replace(FOUND, difference=0.03, low=-0.09, high=0.15, between=0.5)
    items, runs = needed(small)
    assert items is not None
    assert runs is not None
    assert items > 100
    assert runs > 3


def test_a_wide_quantile_is_not_taken_for_spread() -> None:
    _, many = needed(dataclasses.replace(FOUND, between=0.9, low=-0.1, high=0.3))
    _, few = needed(dataclasses.replace(FOUND, between=0.9, low=-0.1, high=0.3, freedom=2.5))
    assert many is not None
    assert few is not None
    assert few < many


# ------------------------------------------------------------------ coverage


TRIALS = 500


def asked(
    draw: np.random.Generator, difficulty: np.ndarray, level: float, spread: float, runs: int = 3
) -> np.ndarray:
    """0s and 1s [runs, items]: each run by `spread` better or worse, in logits."""
    luck = spread * draw.normal(size=(runs, 1)) + 0.5 * draw.normal(size=(runs, difficulty.size))
    passes = scipy.special.expit(level - difficulty + luck)
    return (draw.random(passes.shape) < passes).astype(float)


def rate(level: float, spread: float) -> float:
    """The share that passes, over all runs and items."""
    deviation = math.sqrt(1.5**2 + 0.5**2 + spread**2)
    points = scipy.stats.norm.ppf((np.arange(20_000) + 0.5) / 20_000)
    return float(scipy.special.expit(level + deviation * points).mean())


@pytest.mark.parametrize("spread", [0.0, 0.2, 0.5])
def test_a_mean_of_two_runs_holds_its_level(spread: float) -> None:
    draw = np.random.default_rng(8)
    truth, hits = rate(-1.0, spread), 0
    for _ in range(TRIALS):
        table = asked(draw, 1.5 * draw.normal(size=200), -1.0, spread, 2)
        told = mean_of_runs(runs_of(table), share=True)
        hits += told.low <= truth <= told.high
    assert hits / TRIALS >= 0.93


@pytest.mark.parametrize("items", [60, 200])
@pytest.mark.parametrize("spread", [0.0, 0.2, 0.5])
def test_a_mean_of_three_runs_holds_its_level(items: int, spread: float) -> None:
    draw = np.random.default_rng(8)
    truth, hits = rate(-1.0, spread), 0
    for _ in range(TRIALS):
        table = asked(draw, 1.5 * draw.normal(size=items), -1.0, spread)
        told = mean_of_runs(runs_of(table), share=True)
        hits += told.low <= truth <= told.high
    assert hits / TRIALS >= 0.93


@pytest.mark.parametrize("baseline_runs", [1, 3])
@pytest.mark.parametrize("spread", [0.0, 0.2, 0.5])
def test_a_difference_of_three_runs_holds_its_level(baseline_runs: int, spread: float) -> None:
    draw = np.random.default_rng(8)
    other = spread if baseline_runs > 1 else 0.0
    truth, hits = rate(-0.5, spread) - rate(-1.0, other), 0
    for _ in range(TRIALS):
        difficulty = 1.5 * draw.normal(size=100)
        a = asked(draw, difficulty, -0.5, spread)
        b = asked(draw, difficulty, -1.0, other, baseline_runs)
        told = compare(runs_of(a), runs_of(b), share=True)
        hits += told.low <= truth <= told.high
    assert hits / TRIALS >= 0.93


def test_intervals_that_ignore_the_runs_would_not() -> None:
    draw = np.random.default_rng(8)
    truth, hits = rate(-1.0, 0.5), 0
    for _ in range(TRIALS):
        table = asked(draw, 1.5 * draw.normal(size=200), -1.0, 0.5).mean(0, keepdims=True)
        told = mean_of_runs(runs_of(table), share=True)
        hits += told.low <= truth <= told.high
    assert hits / TRIALS < 0.8


def test_distances_of_three_runs_hold_their_level_by_group() -> None:
    draw = np.random.default_rng(8)
    groups = {str(i): i // 4 for i in range(60)}
    hits = 0
    for _ in range(TRIALS):
        own = 2 * draw.normal(size=60) + np.repeat(draw.normal(size=15), 4)
        table = 10 + own + 0.5 * draw.normal(size=(3, 1)) + draw.normal(size=(3, 60))
        told = mean_of_runs(runs_of(table), groups, share=False, claim="new")
        hits += told.low <= 10 <= told.high
    assert hits / TRIALS >= 0.93
