"""Means and their intervals, against statsmodels, scipy, plain algebra and simulation."""

from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.api import OLS
from statsmodels.stats.proportion import proportion_confint

from outdo.stats import mean
from outdo.stats.intervals import (
    bootstrap,
    fixed_point,
    shares_by_group,
    spread_of,
    spread_of_shares,
)
from outdo.stats.rates import clopper_pearson, jeffreys, quantile, t_quantile, wilson

shares = st.integers(1, 400).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


# ------------------------------------------------------------------ shares


def test_wilson_gives_the_textbook_interval() -> None:
    low, high = wilson(successes=8, n=10)
    assert (round(low, 4), round(high, 4)) == (0.4902, 0.9433)


@given(shares, st.sampled_from([0.8, 0.9, 0.95, 0.99]))
@settings(deadline=None)
def test_wilson_equals_statsmodels(share: tuple[int, int], level: float) -> None:
    theirs = proportion_confint(*share, alpha=1 - level, method="wilson")
    assert wilson(successes=share[0], n=share[1], level=level) == pytest.approx(theirs, abs=1e-12)


@given(shares)
@settings(deadline=None)
def test_the_exact_interval_equals_statsmodels(share: tuple[int, int]) -> None:
    theirs = proportion_confint(*share, method="beta")
    assert clopper_pearson(successes=share[0], n=share[1]) == pytest.approx(theirs, abs=1e-9)


@given(shares)
@settings(deadline=None)
def test_jeffreys_interval_equals_statsmodels_but_is_closed_at_the_ends(
    share: tuple[int, int],
) -> None:
    low, high = proportion_confint(*share, method="jeffreys")
    successes, n = share
    wanted = (0.0 if successes == 0 else low, 1.0 if successes == n else high)
    assert jeffreys(successes=share[0], n=share[1]) == pytest.approx(wanted, abs=1e-9)


@pytest.mark.parametrize("of", [wilson, clopper_pearson, jeffreys])
def test_a_share_of_all_or_none_is_not_certain(of: object) -> None:
    low, high = of(successes=150, n=150)  # type: ignore[operator]
    assert 0.95 < low < 0.99
    assert high == 1.0
    assert of(successes=0, n=150) == pytest.approx((0.0, 1 - low))  # type: ignore[operator]
    assert of(successes=0, n=150)[0] == 0.0  # type: ignore[operator]


@pytest.mark.parametrize("of", [wilson, clopper_pearson, jeffreys])
@pytest.mark.parametrize("share", [(1, 0), (3, 2), (-1, 2)])
def test_what_is_no_share_is_refused(of: object, share: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match=f"^{share[0]} of {share[1]} is no share$"):
        of(successes=share[0], n=share[1])  # type: ignore[operator]


def test_wilson_with_few_degrees_of_freedom_is_wider_as_students_t_is() -> None:
    t = scipy.stats.t.ppf(0.975, 4)
    p, n = 0.3, 20
    # The interval holds the shares from which 0.3 is less than t standard errors away.
    for end in wilson(successes=6, n=20, freedom=4):
        assert abs(p - end) / math.sqrt(end * (1 - end) / n) == pytest.approx(t)


def test_quantiles_are_those_of_scipy() -> None:
    assert quantile(0.975) == pytest.approx(scipy.stats.norm.ppf(0.975))
    assert quantile(0.975, 3.5) == pytest.approx(scipy.stats.t.ppf(0.975, 3.5))
    assert t_quantile(0.9, 7) == pytest.approx(scipy.stats.t.ppf(0.9, 7))


# ------------------------------------------------------------------ means


def test_a_mean_of_rows_has_scipys_t_interval() -> None:
    values = [3.0, 5.0, 4.0, 9.0, 1.0]
    theirs = scipy.stats.ttest_1samp(values, 0).confidence_interval(0.9)
    told = mean(values, share=False, level=0.9)
    assert (told.low, told.high) == pytest.approx((theirs.low, theirs.high))
    assert told.value == 4.4
    assert (told.n, told.groups, told.missing, told.level) == (5, 5, 0, 0.9)
    assert told.by == "t, by row"


def test_missing_values_are_left_out_and_counted() -> None:
    told = mean([1.0, None, 0.0, None, 1.0], list("aabbc"), share=True)
    assert (told.value, told.n, told.groups, told.missing) == (2 / 3, 3, 3, 2)
    assert (told.low, told.high) == wilson(successes=2, n=3)
    assert told.by == "Wilson"


def test_groups_are_counted_but_do_not_widen_a_claim_about_these() -> None:
    told = mean([1.0, 1.0, 0.0, 0.0], list("aabb"), share=True)
    assert (told.groups, told.n) == (2, 4)
    assert (told.low, told.high) == wilson(successes=2, n=4)


def test_a_claim_about_new_groups_needs_three() -> None:
    told = mean([1.0, 0.0, 1.0, 0.0], list("aabb"), share=True, claim="new")
    assert (told.low, told.high) == (None, None)
    assert told.by == "2 of the 3 groups that an interval about new groups needs"
    assert told.value == 0.5
    assert mean([1.0, 0.0, 1.0], list("abc"), share=True, claim="new").low is not None


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ([], "no values"),
        ([None], "no values"),
        ([3.0], "one value has no spread"),
        ([3.0, 3.0, 3.0], "all 3 values are equal: no spread to measure"),
    ],
)
def test_no_interval_is_made_up(values: list[float | None], said: str) -> None:
    told = mean(values, share=False)
    assert (told.low, told.high, told.by) == (None, None, said)


def test_one_share_has_an_interval() -> None:
    told = mean([1.0], share=True)
    assert (told.low, told.high) == wilson(successes=1, n=1)


def test_a_share_outside_0_and_1_is_refused() -> None:
    for value in (-0.01, 1.01):
        with pytest.raises(ValueError, match=r"^a share lies within 0 and 1$"):
            mean([0.5, value], share=True)
    assert mean([0.0, 1.0], share=True).value == 0.5


def test_values_and_groups_must_match() -> None:
    with pytest.raises(ValueError, match=r"zip"):
        mean([1.0, 0.0], ["a"], share=True)


def test_fractional_shares_get_wilsons_interval_at_the_size_their_variance_is_worth() -> None:
    values = [0.25, 0.5, 0.5, 0.75, 0.5, 0.25, 0.5, 0.75]
    told = mean(values, share=True)
    variance = np.var(values, ddof=1) / 8
    size = 0.25 / variance
    assert size > 8
    assert (told.low, told.high) == pytest.approx(wilson(successes=size / 2, n=size, freedom=7))
    assert told.by == "Wilson at the effective size, by row"


def test_fractions_that_are_all_equal_still_have_an_interval() -> None:
    told = mean([0.5] * 10, share=True)
    assert (told.low, told.high) == pytest.approx(wilson(successes=5, n=10, freedom=9))


# ------------------------------------------------------------------ groups


def grouped(sizes: list[int], seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    draw = np.random.default_rng(seed)
    labels = np.repeat(np.arange(len(sizes)), sizes)
    return draw.normal(size=len(labels)) + draw.normal(size=len(sizes))[labels], labels


@pytest.mark.parametrize("sizes", [[4] * 6, [1, 2, 3, 9], [1, 1, 1, 12], [5, 7, 2]])
def test_the_variance_and_freedom_are_those_of_cr2_by_matrices(sizes: list[int]) -> None:
    values, labels = grouped(sizes)
    n = len(values)
    hat = np.full((n, n), 1 / n)
    left = np.eye(n) - hat
    variance, rows = 0.0, []
    for label in range(len(sizes)):
        own = labels == label
        block = left[np.ix_(own, own)]
        eigen, vectors = np.linalg.eigh(block)
        adjust = vectors @ np.diag(eigen**-0.5) @ vectors.T
        variance += float(adjust.sum(axis=0) @ (values - values.mean())[own]) ** 2 / n**2
        rows.append(left[:, own] @ adjust.sum(axis=0) / n)
    gram = np.array(rows) @ np.array(rows).T
    freedom = np.trace(gram) ** 2 / np.sum(gram**2)
    told = spread_of(values.tolist(), labels.tolist())
    plain = np.var(values, ddof=1) / n
    assert told.freedom == pytest.approx(freedom)
    assert told.variance == pytest.approx(max(variance, plain))
    assert told.mean == pytest.approx(values.mean())


def test_balanced_groups_have_the_cluster_variance_of_statsmodels() -> None:
    values, labels = grouped([4] * 6, seed=1)
    fit = OLS(values, np.ones(24)).fit(cov_type="cluster", cov_kwds={"groups": labels})
    told = spread_of(values.tolist(), labels.tolist())
    assert told.variance == pytest.approx(fit.cov_params()[0, 0])
    assert told.freedom == pytest.approx(5)


def test_one_row_a_group_is_the_same_as_no_groups() -> None:
    values = [1.0, 4.0, 2.0, 8.0]
    alone, grouped_ = spread_of(values), spread_of(values, list("abcd"))
    assert grouped_.variance == pytest.approx(alone.variance)
    assert grouped_.freedom == pytest.approx(alone.freedom) == 3


def test_groups_never_make_a_mean_surer_than_rows_do() -> None:
    values = [1.0, 3.0, 1.0, 3.0, 1.0, 3.0]
    assert spread_of(values, list("aabbcc")).variance == spread_of(values).variance > 0


def test_one_group_has_no_freedom() -> None:
    told = spread_of([1.0, 2.0, 6.0], ["a"] * 3)
    assert (told.freedom, told.size) == (0, 1)
    assert told.variance == pytest.approx(np.var([1, 2, 6], ddof=1) / 3)


def test_an_interval_by_group_is_t_with_the_groups_freedom() -> None:
    values, labels = grouped([3, 5, 2, 6], seed=2)
    told = mean(values.tolist(), labels.tolist(), share=False, claim="new")
    spread = spread_of(values.tolist(), labels.tolist())
    half = scipy.stats.t.ppf(0.975, spread.freedom) * math.sqrt(spread.variance)
    assert told.high == pytest.approx(spread.mean + half)
    assert told.low == pytest.approx(spread.mean - half)
    assert told.by == "t, by group"


def test_alike_groups_are_worth_about_one_row_each() -> None:
    values = [1.0] * 60 + [0.0] * 60
    labels = [i // 10 for i in range(120)]
    told = mean(values, labels, share=True, claim="new")
    spread = spread_of_shares(values, labels)
    assert 11 < spread.size < 13
    assert spread.freedom == pytest.approx(11 * (1 + 11 / 30))
    t = scipy.stats.t.ppf(0.975, spread.freedom)
    # Each limit is a share from which .5 is t standard errors away, at the size it makes likely.
    for end in (told.low, told.high):
        error = math.sqrt(end * (1 - end) / spread.size_at(end, 1 - end))
        assert abs(0.5 - end) / error == pytest.approx(t, rel=1e-5)
    assert told.by == "Wilson at the effective size, by group"


def test_many_shares_at_once_are_each_told_alone() -> None:
    sizes = np.array([4, 7, 1, 12, 3])
    hits = np.array([[0, 0, 0, 0, 0], [1, 5, 0, 3, 3], [4, 7, 1, 12, 3], [4, 0, 1, 0, 0]])
    low, high = shares_by_group(hits, sizes)
    labels = np.repeat(np.arange(5), sizes).tolist()
    for row, *ends in zip(hits, low, high, strict=True):
        values = [float(i < k) for k, n in zip(row, sizes, strict=True) for i in range(n)]
        told = mean(values, labels, share=True, claim="new")
        assert (told.low, told.high) == pytest.approx(ends, abs=1e-6)


def test_whole_and_broken_shares_meet() -> None:
    labels = [i // 6 for i in range(60)]
    values = [float(i % 7 < 2 + i // 30) for i in range(60)]
    whole = mean(values, labels, share=True, claim="new")
    broken = mean([min(1.0, x + 1e-9) for x in values], labels, share=True, claim="new")
    assert (broken.low, broken.high) == pytest.approx((whole.low, whole.high), abs=0.03)


def test_a_fixed_point_is_found_where_steps_alone_would_walk_to_and_fro() -> None:
    found = fixed_point(
        lambda x: 1 - 0.99 * x,
        np.array([0.1, 0.9]),
        least=np.zeros(2),
        most=np.ones(2),
    )
    assert found == pytest.approx([1 / 1.99] * 2, abs=1e-6)


def test_groups_that_are_not_alike_are_worth_nearly_all_their_rows() -> None:
    values = [0.0, 1.0] * 300
    labels = [i // 20 for i in range(600)]
    assert spread_of_shares(values, labels).size > 0.8 * 600
    assert spread_of_shares(values).size == pytest.approx(599)


def test_all_passed_in_15_groups_is_not_150_independent_passes() -> None:
    by_row = mean([1.0] * 150, share=True)
    by_group = mean([1.0] * 150, [i % 15 for i in range(150)], share=True, claim="new")
    assert by_row.low is not None
    assert by_group.low is not None
    assert by_row.low > 0.97
    assert 0.75 < by_group.low < 0.92
    assert by_group.high == 1.0


@given(
    st.lists(st.tuples(st.sampled_from("abcdef"), st.floats(0, 1)), min_size=1, max_size=30),
    st.sampled_from(["these", "new"]),
)
@settings(deadline=None)
def test_an_interval_of_shares_holds_its_mean_and_stays_within_bounds(
    rows: list[tuple[str, float]], claim: str
) -> None:
    told = mean(
        [value for _, value in rows],
        [name for name, _ in rows],
        share=True,
        claim=claim,  # type: ignore[arg-type]
    )
    assert told.value is not None
    if told.low is None or told.high is None:
        assert claim == "new"
        assert len({name for name, _ in rows}) < 3
    else:
        assert 0 <= told.low <= told.value + 1e-12
        assert told.value - 1e-12 <= told.high <= 1
        assert told.high > told.low


# ------------------------------------------------------------------ bootstrap


def test_the_bootstrap_agrees_with_scipys_on_groups_of_one() -> None:
    values = np.random.default_rng(0).exponential(size=25)
    theirs = scipy.stats.bootstrap(
        (values,), np.mean, method="BCa", n_resamples=20_000, random_state=1
    ).confidence_interval
    ours = bootstrap([[value] for value in values], draws=20_000)
    assert ours == pytest.approx((theirs.low, theirs.high), abs=0.015)
    percentile = np.quantile(
        [np.random.default_rng(i).choice(values, 25).mean() for i in range(2000)], [0.025, 0.975]
    )
    assert ours[0] > percentile[0]
    assert ours[1] > percentile[1]


def test_the_bootstrap_draws_whole_groups_and_repeats_itself() -> None:
    groups = [[0.0] * 20, [1.0] * 20, [0.0] * 20, [1.0] * 20, [1.0] * 20, [0.0] * 20]
    low, high = bootstrap(groups, seed=3)
    assert high - low > 0.6
    assert (low, high) == bootstrap(groups, seed=3)


def test_the_bootstrap_of_another_statistic() -> None:
    groups = [[float(i), i + 0.5] for i in range(12)]
    low, high = bootstrap(groups, lambda pooled: float(np.median(pooled)))
    assert low < 5.75 < high


def test_the_bootstrap_of_a_constant_is_that_constant() -> None:
    assert bootstrap([[2.0], [2.0, 2.0], [2.0]]) == (2.0, 2.0)


def test_the_bootstrap_refuses_two_groups() -> None:
    with pytest.raises(ValueError, match=r"^2 groups are too few to be drawn from$"):
        bootstrap([[1.0], [2.0]])
