"""Rankings, against published strengths, statsmodels and simulation."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.optimize
from statsmodels.api import GLM, families

from outdo.stats.ranking import Ranking, bradley_terry

# American League 1987, wins of each over the other; Agresti, «Categorical Data Analysis».
TEAMS = ["Milwaukee", "Detroit", "Toronto", "New York", "Boston", "Cleveland", "Baltimore"]
WINS = [
    [0, 7, 9, 7, 7, 9, 11],
    [6, 0, 7, 5, 11, 9, 9],
    [4, 6, 0, 7, 7, 8, 12],
    [6, 8, 6, 0, 6, 7, 10],
    [6, 2, 6, 7, 0, 7, 12],
    [4, 4, 5, 6, 6, 0, 6],
    [2, 4, 1, 3, 1, 7, 0],
]
PUBLISHED = [1.581, 1.436, 1.294, 1.248, 1.108, 0.684, 0.0]


def baseball(**more: object) -> Ranking:
    pairs, scores = [], []
    for i, row in enumerate(WINS):
        for j, wins in enumerate(row):
            pairs += [(TEAMS[i], TEAMS[j])] * wins
            scores += [1.0] * wins
    return bradley_terry(pairs=pairs, scores=scores, **more)  # type: ignore[arg-type]


def strengths(told: Ranking) -> dict[str, float]:
    return {row.name: row.strength for row in told.contestants}


def test_strengths_are_the_published_ones() -> None:
    told = strengths(baseball(prior=0))
    for name, published in zip(TEAMS, PUBLISHED, strict=True):
        assert told[name] - told["Baltimore"] == pytest.approx(published, abs=6e-4)
    assert sum(told.values()) == pytest.approx(0)


def test_places_and_what_is_sure_of_them() -> None:
    told = baseball()
    assert [row.name for row in told.contestants] == TEAMS
    assert [row.place for row in told.contestants] == [1, 2, 3, 4, 5, 6, 7]
    last = told.contestants[-1]
    assert last.last == 7
    assert last.first in (6, 7)
    assert last.high is not None
    assert last.high < 0.5
    assert (told.tie, told.n, told.groups) == (0.0, sum(map(sum, WINS)), sum(map(sum, WINS)))
    assert len(told.gaps) == 21


def test_errors_are_near_those_of_a_logistic_regression() -> None:
    wins = [(i, j) for i in range(7) for j in range(7) for _ in range(WINS[i][j])]
    design = np.zeros((len(wins), 7))
    for row, (i, j) in zip(design, wins, strict=True):
        row[i], row[j] = 1, -1
    fit = GLM(np.ones(len(wins)), design[:, :6], family=families.Binomial()).fit()
    told = baseball(prior=0)
    gap = next(gap for gap in told.gaps if {gap.a, gap.b} == {"Baltimore", "Milwaukee"})
    first = 1 if gap.a == "Milwaukee" else -1
    odds = [np.log(x / (1 - x)) for x in (gap.low, gap.rate, gap.high)]
    assert first * odds[1] == pytest.approx(fit.params[0], abs=1e-5)
    assert (odds[2] - odds[0]) / 2 == pytest.approx(1.97 * fit.bse[0], rel=0.05)


def davidson(seed: int, *, groups: int, each: int, alike: float) -> tuple:
    """Three contestants a, b, c, of strengths .8, 0, -.4; ties at v = 1; groups lean as they do."""
    draw = np.random.default_rng(seed)
    pairs, scores, names = [], [], []
    for group in range(groups):
        lean = {"a": 0.8, "b": 0.0, "c": -0.4}
        lean = {name: x + alike * draw.normal() for name, x in lean.items()}
        for _ in range(each):
            for one, two in (("a", "b"), ("b", "c"), ("c", "a")):
                half = (lean[one] + lean[two]) / 2
                odds = np.exp([lean[one], half, lean[two]])
                pairs.append((one, two))
                scores.append(float(draw.choice([1.0, 0.5, 0.0], p=odds / odds.sum())))
                names.append(group)
    return pairs, scores, names


def test_ties_are_davidsons_maximum_likelihood() -> None:
    pairs, scores, _ = davidson(0, groups=60, each=1, alike=0.0)
    told = bradley_terry(pairs=pairs, scores=scores, prior=0)
    place = {"a": 0, "b": 1}

    def unlikely(at: np.ndarray) -> float:
        lean = np.array([at[0], at[1], 0.0])
        total = 0.0
        for (one, two), score in zip(pairs, scores, strict=True):
            s, t = lean[place.get(one, 2)], lean[place.get(two, 2)]
            odds = {1.0: s, 0.5: at[2] + (s + t) / 2, 0.0: t}
            total += odds[score] - np.logaddexp.reduce(list(odds.values()))
        return -total

    best = scipy.optimize.minimize(unlikely, np.zeros(3), tol=1e-10).x
    found = strengths(told)
    assert found["a"] - found["c"] == pytest.approx(best[0], abs=1e-3)
    assert found["b"] - found["c"] == pytest.approx(best[1], abs=1e-3)
    assert told.tie == pytest.approx(np.exp(best[2]) / (2 + np.exp(best[2])), abs=1e-3)


def test_a_score_between_counts_in_part() -> None:
    mixed = bradley_terry(pairs=[("a", "b")] * 4, scores=[0.75] * 4)
    apart = bradley_terry(pairs=[("a", "b")] * 4, scores=[1.0, 1.0, 0.5, 0.5])
    assert strengths(mixed) == pytest.approx(strengths(apart))


def test_a_sweep_has_finite_odds_and_no_prior_says_so() -> None:
    pairs = [("a", "b"), ("b", "c"), ("a", "c")] * 10
    told = bradley_terry(pairs=pairs, scores=[1.0] * 30)
    assert [row.name for row in told.contestants] == ["a", "b", "c"]
    assert told.contestants[0].rate < 1
    with pytest.raises(ValueError, match=r"set a prior above 0$"):
        bradley_terry(pairs=pairs, scores=[1.0] * 30, prior=0)


def test_missing_scores_and_few_groups() -> None:
    told = bradley_terry(
        pairs=[("a", "b")] * 5, scores=[1.0, None, 0.0, 1.0, 1.0], groups=list("xxxyy")
    )
    assert (told.n, told.missing, told.groups) == (4, 1, 2)
    assert told.by == "2 of the 3 groups that an interval needs"
    assert {row.low for row in told.contestants} == {None}


@pytest.mark.parametrize(
    ("pairs", "said"),
    [
        ([("a", "a")], "a ranking needs two contestants at least"),
        ([("a", "b"), ("b", "b")], "b is compared with itself"),
        ([("a", "b"), ("c", "d")], "c, d: not compared with a, nor through others"),
    ],
)
def test_what_cannot_be_ranked_is_refused(pairs: list, said: str) -> None:
    with pytest.raises(ValueError, match=f"^{said}$"):
        bradley_terry(pairs=pairs, scores=[1.0] * len(pairs))


def test_what_is_no_score_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^a score lies within 0 and 1, unlike 1\.5$"):
        bradley_terry(pairs=[("a", "b")], scores=[1.5])
    with pytest.raises(ValueError, match=r"^1 pairs have 2 scores$"):
        bradley_terry(pairs=[("a", "b")], scores=[1.0, 0.0])


@pytest.mark.slow
def test_intervals_hold_their_level_by_group_and_not_by_row() -> None:
    def rate(seed: int, *, grouped: bool) -> tuple[float | None, float | None]:
        pairs, scores, names = davidson(seed, groups=15, each=4, alike=0.8)
        told = bradley_terry(pairs=pairs, scores=scores, groups=names if grouped else None)
        gap = next(gap for gap in told.gaps if (gap.a, gap.b) == ("a", "b"))
        return gap.low, gap.high

    many = davidson(999, groups=4000, each=1, alike=0.8)
    chosen = [s for pair, s in zip(*many[:2], strict=True) if pair == ("a", "b")]
    truth = float(np.mean(chosen))
    held = {}
    for grouped in (True, False):
        ends = [rate(seed, grouped=grouped) for seed in range(80)]
        held[grouped] = np.mean([low <= truth <= high for low, high in ends])  # type: ignore[operator]
    assert held[True] >= 0.89
    assert held[False] < held[True] - 0.05
