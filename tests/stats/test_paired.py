"""Paired differences, against statsmodels, scipy, published tables and numerical likelihood."""

from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.optimize
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.contingency_tables import mcnemar as their_mcnemar

from outdo.stats import compare
from outdo.stats.intervals import spread_of, spread_of_shares
from outdo.stats.rates import mcnemar, share_against, tango, wilson

counts = st.tuples(st.integers(0, 40), st.integers(0, 40), st.integers(0, 60)).filter(
    lambda told: sum(told) > 0
)


def pairs(*, wins: int, losses: int, both: int = 0, neither: int = 0) -> tuple[dict, dict]:
    rows = [(1.0, 0.0)] * wins + [(0.0, 1.0)] * losses + [(1.0, 1.0)] * both
    rows += [(0.0, 0.0)] * neither
    a = {f"e{i}": x for i, (x, _) in enumerate(rows)}
    return a, {f"e{i}": y for i, (_, y) in enumerate(rows)}


# ------------------------------------------------------------------ Tango


def test_tango_gives_the_published_interval() -> None:
    """Airway hyper-responsiveness before and after transplantation, 21 children: 1 and 7 changed.

    Fagerland, Lydersen and Laake 2014, table of intervals for the difference.
    """
    low, high = tango(wins=1, losses=7, n=21)
    assert (round(low, 3), round(high, 3)) == (-0.517, -0.026)


def score(wins: float, losses: float, n: float, gap: float) -> float:
    """The score statistic at a difference, its nuisance parameter found by a numeric search."""
    ties = n - wins - losses

    def unlikely(against: float) -> float:
        terms = [(wins, against + gap), (losses, against), (ties, 1 - 2 * against - gap)]
        return -sum(count * math.log(p) for count, p in terms if count)

    least, most = max(0.0, -gap), (1 - gap) / 2
    edge = 1e-12
    found = scipy.optimize.minimize_scalar(
        unlikely, bounds=(least + edge, most - edge), method="bounded", options={"xatol": 1e-13}
    )
    return (wins - losses - n * gap) / math.sqrt(n * (2 * found.x + gap - gap * gap))


@given(counts, st.sampled_from([0.9, 0.95]))
@settings(max_examples=60, deadline=None)
def test_tangos_limits_are_where_the_score_is_the_quantile(
    told: tuple[int, int, int], level: float
) -> None:
    wins, losses, ties = told
    n = wins + losses + ties
    z = scipy.stats.norm.ppf(0.5 + level / 2)
    low, high = tango(wins=wins, losses=losses, n=n, level=level)
    if low > -1 + 1e-6:
        assert score(wins, losses, n, low) == pytest.approx(z, abs=2e-3)
    if high < 1 - 1e-6:
        assert score(wins, losses, n, high) == pytest.approx(-z, abs=2e-3)


@given(counts)
@settings(deadline=None)
def test_tango_mirrors_itself(told: tuple[int, int, int]) -> None:
    wins, losses, n = told[0], told[1], sum(told)
    low, high = tango(wins=wins, losses=losses, n=n)
    assert tango(wins=losses, losses=wins, n=n) == pytest.approx((-high, -low), abs=1e-9)
    assert -1 <= low <= (wins - losses) / n <= high <= 1
    assert low < high
    inner = tango(wins=wins, losses=losses, n=n, level=0.9)
    assert low <= inner[0] <= inner[1] <= high


def test_a_clean_sweep_is_not_certain() -> None:
    low, high = tango(wins=150, losses=0, n=150)
    assert high == 1.0
    assert low == pytest.approx(2 * wilson(successes=150, n=150)[0] - 1, abs=1e-9)


def test_two_that_never_differ_are_not_certainly_the_same() -> None:
    z2 = scipy.stats.norm.ppf(0.975) ** 2
    assert tango(wins=0, losses=0, n=150) == pytest.approx((-z2 / (150 + z2), z2 / (150 + z2)))


def test_tango_with_few_degrees_of_freedom_is_wider() -> None:
    t2 = scipy.stats.t.ppf(0.975, 4) ** 2
    assert tango(wins=0, losses=0, n=20, freedom=4)[1] == pytest.approx(t2 / (20 + t2))


@pytest.mark.parametrize(("wins", "losses", "n"), [(1, 1, 0), (-1, 0, 5), (0, -1, 5), (3, 3, 5)])
def test_tango_refuses_what_does_not_fit(wins: int, losses: int, n: int) -> None:
    with pytest.raises(ValueError, match=rf"^{wins} wins and {losses} losses don't fit {n} pairs$"):
        tango(wins=wins, losses=losses, n=n)


# ------------------------------------------------------------------ McNemar


@given(st.integers(0, 300), st.integers(0, 300))
@settings(deadline=None)
def test_mcnemar_equals_statsmodels(wins: int, losses: int) -> None:
    if wins + losses:
        theirs = their_mcnemar([[0, wins], [losses, 0]], exact=True).pvalue
        assert mcnemar(wins=wins, losses=losses) == pytest.approx(theirs, rel=1e-9, abs=1e-300)


def test_mcnemar_by_hand() -> None:
    assert mcnemar(wins=0, losses=0) == 1.0
    assert mcnemar(wins=1, losses=7) == 18 / 256
    assert mcnemar(wins=5, losses=0) == 2 / 32
    assert mcnemar(wins=4, losses=4) == 1.0
    assert mcnemar(wins=2000, losses=0) == 0.0


# ------------------------------------------------------------------ compare


def test_binary_pairs_have_tangos_interval_and_mcnemars_p() -> None:
    found = compare(*pairs(wins=30, losses=5, both=40, neither=25), share=True)
    assert found.difference == 0.25
    assert (found.mean_a, found.mean_b) == (0.7, 0.45)
    assert (found.low, found.high) == tango(wins=30, losses=5, n=100)
    assert (found.low_within, found.high_within) == tango(wins=30, losses=5, n=100, level=0.9)
    assert (found.wins, found.losses, found.n, found.groups) == (30, 5, 100, 100)
    assert (found.p, found.p_by, found.by) == (mcnemar(wins=30, losses=5), "exact McNemar", "Tango")


def test_only_examples_that_both_have_are_pairs_and_missing_ones_are_counted() -> None:
    a = {"x": 1.0, "y": None, "z": 0.0, "only a": 1.0, "w": 1.0}
    b = {"x": 0.0, "y": 1.0, "z": None, "only b": 0.0, "w": 1.0}
    found = compare(a, b, share=True, groups=dict.fromkeys("xyzw", "g"))
    assert (found.n, found.missing, found.groups) == (2, 2, 1)
    assert found.difference == 0.5
    assert (found.mean_a, found.mean_b) == (1.0, 0.5)


def test_other_values_have_the_paired_t_interval_and_test() -> None:
    a = {"a": 3.0, "b": 7.0, "c": 4.0, "d": 9.5}
    b = {"a": 2.0, "b": 9.0, "c": 1.0, "d": 4.0}
    found = compare(a, b, share=False)
    theirs = scipy.stats.ttest_rel(list(a.values()), list(b.values()))
    for level, ours in (
        (0.95, (found.low, found.high)),
        (0.9, (found.low_within, found.high_within)),
    ):
        interval = theirs.confidence_interval(level)
        assert ours == pytest.approx((interval.low, interval.high))
    assert found.p == pytest.approx(theirs.pvalue)
    assert (found.p_by, found.by) == ("t", "t, by row")
    assert (found.wins, found.losses) == (3, 1)


def test_fractional_shares_use_the_size_their_variance_is_worth() -> None:
    a = {str(i): i / 10 for i in range(11)}
    b = {str(i): 0.3 for i in range(11)}
    found = compare(a, b, share=True)
    gaps = [a[name] - 0.3 for name in a]
    up, down = sum(g for g in gaps if g > 0) / 11, -sum(g for g in gaps if g < 0) / 11
    size = (up + down - (up - down) ** 2) / (np.var(gaps, ddof=1) / 11)
    wanted = tango(wins=up * size, losses=down * size, n=size, freedom=10)
    assert (found.low, found.high) == pytest.approx(wanted)
    assert found.by == "Tango at the effective size, by row"
    assert found.p == pytest.approx(scipy.stats.ttest_1samp(gaps, 0).pvalue)


def test_a_claim_about_new_groups_counts_groups() -> None:
    a, b = pairs(wins=30, losses=0, neither=30)
    groups = {f"e{i}": i // 10 for i in range(60)}
    these = compare(a, b, share=True, groups=groups)
    new = compare(a, b, share=True, groups=groups, claim="new")
    assert these.low == tango(wins=30, losses=0, n=60)[0]
    assert (these.groups, new.groups) == (6, 6)
    assert these.low is not None
    assert new.low is not None
    assert new.low < 0.05 < these.low
    gaps = [1.0] * 30 + [0.0] * 30
    spread = spread_of_shares(gaps, list(groups.values()), difference=True)
    assert 4.9 < spread.size < 8
    for end, ends in ((new.low, 0), (new.high, 1)):
        against = share_against(0.5, 0.0, end)
        size = spread.size_at(against + end, against, 1 - 2 * against - end)
        wanted = tango(wins=size / 2, losses=0, n=size, freedom=spread.freedom)[ends]
        assert end == pytest.approx(wanted, abs=1e-6)
    assert new.by == "Tango at the effective size, by group"
    assert new.p == pytest.approx(
        2 * scipy.stats.t.sf(0.5 / math.sqrt(spread.variance), spread.freedom)
    )
    assert new.p_by == "t"


def test_other_values_by_group_have_the_cluster_robust_interval() -> None:
    a = {str(i): float(i * i % 7) for i in range(12)}
    b = dict.fromkeys(a, 2.0)
    labels = [i % 4 for i in range(12)]
    found = compare(a, b, share=False, groups=dict(zip(a, labels, strict=True)), claim="new")
    spread = spread_of([a[name] - 2 for name in a], labels)
    half = scipy.stats.t.ppf(0.975, spread.freedom) * math.sqrt(spread.variance)
    assert (found.low, found.high) == pytest.approx((spread.mean - half, spread.mean + half))
    assert found.by == "t, by group"


def test_two_groups_say_nothing_about_new_ones() -> None:
    a, b = pairs(wins=5, losses=1, both=4)
    found = compare(a, b, share=True, groups={name: int(name[1:]) % 2 for name in a}, claim="new")
    assert (found.low, found.high, found.low_within, found.high_within) == (None,) * 4
    assert (found.p, found.p_by) == (None, "")
    assert found.by == "2 of the 3 groups that an interval about new groups needs"
    assert found.difference == pytest.approx(0.4)


def test_no_pairs_is_no_difference() -> None:
    found = compare({"a": 1.0}, {"b": 1.0}, share=True)
    assert (found.difference, found.mean_a, found.mean_b, found.n) == (None, None, None, 0)
    assert found.by == "no values"


def test_equal_distances_have_no_spread_and_equal_shares_do() -> None:
    same = {"a": 2.0, "b": 3.0}
    assert compare(same, same, share=False).low is None
    assert compare(same, same, share=False).by == "all 2 values are equal: no spread to measure"
    share = {"a": 0.5, "b": 0.0}
    found = compare(share, share, share=True)
    assert found.difference == 0
    assert found.low is not None
    assert found.low < 0
    assert (found.p, found.p_by) == (1.0, "no difference at all")


def test_a_sweep_of_all_groups_has_no_t_test() -> None:
    a, b = pairs(wins=9, losses=0)
    found = compare(a, b, share=True, groups={name: int(name[1:]) % 3 for name in a}, claim="new")
    assert (found.p, found.p_by) == (None, "")
    assert found.low is not None
    assert found.low < 1


def test_a_share_outside_0_and_1_is_refused() -> None:
    for a, b in ((1.1, 0.0), (0.0, -0.1)):
        with pytest.raises(ValueError, match=r"^a share lies within 0 and 1$"):
            compare({"x": a}, {"x": b}, share=True)


@given(
    st.lists(
        st.tuples(
            st.sampled_from("abcde"),
            st.sampled_from([None, 0.0, 0.25, 1.0]),
            st.sampled_from([None, 0.0, 0.5, 1.0]),
        ),
        max_size=30,
    ),
    st.sampled_from(["these", "new"]),
)
@settings(deadline=None)
def test_swapping_the_two_mirrors_everything(rows: list, claim: str) -> None:
    a = {str(i): x for i, (_, x, _) in enumerate(rows)}
    b = {str(i): y for i, (_, _, y) in enumerate(rows)}
    groups = {str(i): name for i, (name, _, _) in enumerate(rows)}
    one = compare(a, b, share=True, groups=groups, claim=claim)  # type: ignore[arg-type]
    two = compare(b, a, share=True, groups=groups, claim=claim)  # type: ignore[arg-type]
    assert (one.n, one.missing, one.wins, one.losses) == (two.n, two.missing, two.losses, two.wins)
    assert one.p == pytest.approx(two.p)
    if one.low is not None and two.high is not None and one.difference is not None:
        assert one.low == pytest.approx(-two.high, abs=1e-9)
        assert -1 <= one.low <= one.difference + 1e-12
        assert one.low_within is not None
        assert one.low <= one.low_within + 1e-9
