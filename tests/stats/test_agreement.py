"""Agreement beyond chance, against published tables, statsmodels, scipy and simulation."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.stats
from statsmodels.stats.inter_rater import cohens_kappa

from outdo.stats.agreement import cohen_kappa, kendall_tau, krippendorff_alpha

DRAW = np.random.default_rng(5)
TRUTH = DRAW.integers(0, 4, 250)
FIRST = np.clip(TRUTH + DRAW.integers(-1, 2, 250), 0, 3).tolist()
SECOND = np.clip(TRUTH + DRAW.integers(-1, 2, 250), 0, 3).tolist()

# Twelve units, four observers; Krippendorff 2011, «Computing Krippendorff's Alpha-Reliability».
PUBLISHED = [
    [1, 1, None, 1],
    [2, 2, 3, 2],
    [3, 3, 3, 3],
    [3, 3, 3, 3],
    [2, 2, 2, 2],
    [1, 2, 3, 4],
    [4, 4, 4, 4],
    [1, 1, 2, 1],
    [2, 2, 2, 2],
    [None, 5, 5, 5],
    [None, None, 1, 1],
    [None, None, 3, None],
]


def pairs(table: list[list[int]]) -> tuple[list[int], list[int]]:
    cells = [(i, j) for i, row in enumerate(table) for j, n in enumerate(row) for _ in range(n)]
    return [i for i, _ in cells], [j for _, j in cells]


# ------------------------------------------------------------------ kappa


@pytest.mark.parametrize("weights", [None, "linear", "quadratic"])
def test_kappa_and_its_interval_are_near_those_of_statsmodels(weights: str | None) -> None:
    table = np.zeros((4, 4))
    np.add.at(table, (FIRST, SECOND), 1)
    theirs = cohens_kappa(table, wt={None: None, "linear": "linear", "quadratic": "fc"}[weights])
    told = cohen_kappa(FIRST, SECOND, weights=weights)  # type: ignore[arg-type]
    assert told.value == pytest.approx(theirs.kappa)
    assert (told.low, told.high) == pytest.approx((theirs.kappa_low, theirs.kappa_upp), abs=0.02)
    assert (told.n, told.groups, told.missing, told.by) == (250, 250, 0, "BCa bootstrap")


def test_kappa_by_hand() -> None:
    told = cohen_kappa(*pairs([[20, 5], [10, 15]]))
    assert (told.observed, told.chance) == pytest.approx((0.7, 0.5))
    assert told.value == pytest.approx(0.4)


def test_an_item_that_one_left_out_is_missing() -> None:
    told = cohen_kappa(["a", "b", None, "a", "b"], ["a", "b", "a", None, "b"])
    assert (told.n, told.missing, told.value) == (3, 2, 1.0)


def test_full_agreement_is_not_certain() -> None:
    told = cohen_kappa([0, 1] * 10, [0, 1] * 10)
    assert told.value == told.high == 1.0
    # Wilson's lower limit of 20 of 20 is .839; beyond a chance of .5 that is .678.
    assert told.low == pytest.approx((0.8389 - 0.5) / 0.5, abs=1e-3)
    assert told.by == "Wilson, of the share that agrees"
    grouped = cohen_kappa([0, 1] * 10, [0, 1] * 10, groups=[i // 4 for i in range(20)])
    assert grouped.low is not None
    assert told.low is not None
    assert grouped.low < told.low


def test_a_single_category_leaves_kappa_untold() -> None:
    told = cohen_kappa([1] * 9, [1] * 9)
    assert (told.value, told.low) == (None, None)
    assert told.by == "it can't be told from these values"


def test_raters_who_share_no_item() -> None:
    told = cohen_kappa([1, None], [None, 1])
    assert (told.value, told.n, told.missing, told.by) == (None, 0, 2, "no item rated twice")


def test_alike_items_widen_the_interval() -> None:
    groups = [i // 10 for i in range(250)]
    first = [FIRST[10 * (i // 10)] for i in range(250)]
    second = [SECOND[10 * (i // 10)] for i in range(250)]
    alone, grouped = cohen_kappa(first, second), cohen_kappa(first, second, groups=groups)
    assert alone.value == pytest.approx(grouped.value)
    assert grouped.high - grouped.low > 2 * (alone.high - alone.low)  # type: ignore[operator]
    assert grouped.groups == 25


def test_categories_may_be_given_in_their_order() -> None:
    order = ["poor", "fair", "good"]
    first, second = ["poor", "fair", "good", "good"] * 5, ["fair", "fair", "good", "poor"] * 5
    told = cohen_kappa(first, second, categories=order, weights="linear")
    numbers = [[order.index(x) for x in side] for side in (first, second)]
    assert told.value == pytest.approx(cohen_kappa(*numbers, weights="linear").value)
    with pytest.raises(ValueError, match=r"^great: not among the categories$"):
        cohen_kappa(["great"], ["poor"], categories=order)


# ------------------------------------------------------------------ alpha


@pytest.mark.parametrize(
    ("scale", "published"), [("nominal", 0.743), ("ordinal", 0.815), ("interval", 0.849)]
)
def test_alpha_gives_the_published_values(scale: str, published: float) -> None:
    told = krippendorff_alpha(PUBLISHED, scale=scale)  # type: ignore[arg-type]
    assert told.value is not None
    assert round(told.value, 3) == published
    assert (told.n, told.missing) == (11, 1)
    assert told.low is not None
    assert told.high is not None
    assert 0 < told.low < told.value < told.high <= 1


def test_alpha_by_hand_of_two_raters() -> None:
    # Krippendorff's first example: ten articles, two coders, alpha = .095.
    first = [0, 1, 0, 0, 0, 0, 0, 0, 1, 0]
    second = [1, 1, 1, 0, 0, 1, 0, 0, 0, 0]
    told = krippendorff_alpha(list(zip(first, second, strict=True)))
    assert told.value == pytest.approx(0.095, abs=1e-3)


def test_alpha_of_names_and_of_what_is_no_number() -> None:
    assert krippendorff_alpha([["a", "a"], ["b", "b"], ["a", "b"]]).value is not None
    with pytest.raises(ValueError, match=r"^an interval scale wants numbers$"):
        krippendorff_alpha([["a", "a"], ["b", "b"]], scale="interval")


def test_alpha_without_two_ratings_of_an_item() -> None:
    told = krippendorff_alpha([[1, None], [None, 2]])
    assert (told.value, told.missing) == (None, 2)


# ------------------------------------------------------------------ tau


def test_tau_is_scipys() -> None:
    told = kendall_tau(FIRST, SECOND)
    assert told.value == pytest.approx(scipy.stats.kendalltau(FIRST, SECOND).statistic)
    assert told.low is not None
    assert told.high is not None
    assert told.low < told.value < told.high  # type: ignore[operator]


def test_tau_by_group_has_the_same_value_and_another_interval() -> None:
    groups = [i // 10 for i in range(250)]
    alone, grouped = kendall_tau(FIRST, SECOND), kendall_tau(FIRST, SECOND, groups=groups)
    assert grouped.value == pytest.approx(alone.value)
    assert grouped.groups == 25
    assert grouped.low != alone.low


def test_tau_of_too_little() -> None:
    assert kendall_tau([1.0], [2.0]).value is None
    assert kendall_tau([1.0, None, 3.0], [2.0, 2.0, None]).missing == 2
    two = kendall_tau([1.0, 2.0], [1.0, 2.0])
    assert (two.value, two.low) == (pytest.approx(1.0), None)
    few = kendall_tau([1.0, 2.0, 3.0, 4.0], [1.0, 2.0, 4.0, 3.0])
    assert (few.value, few.low) == (pytest.approx(2 / 3), None)
    assert few.by == "4 of the 8 things that a tau's interval needs"
    same = kendall_tau([1.0] * 9, [float(i) for i in range(9)])
    assert (same.value, same.by) == (None, "it can't be told from these values")


# ------------------------------------------------------------------ coverage


def test_intervals_of_kappa_hold_their_level_by_group() -> None:
    draw = np.random.default_rng(11)
    where = np.repeat(np.arange(20), 6)

    def rated(groups: np.ndarray) -> list[list[int]]:
        shift = draw.normal(size=groups.max() + 1)[groups]
        seen = shift + draw.normal(size=len(groups))
        again = seen + draw.normal(size=len(groups))
        return [(side > 0).astype(int).tolist() for side in (seen, again)]

    # Two normal scores of correlation r agree in sign with 1/2 + arcsin(r) / pi; chance is a half.
    truth = 2 * float(np.arcsin(np.sqrt(2 / 3))) / np.pi
    hits = 0
    for _ in range(150):
        told = cohen_kappa(*rated(where), groups=where.tolist(), draws=400)
        hits += told.low <= truth <= told.high  # type: ignore[operator]
    assert hits / 150 >= 0.9
