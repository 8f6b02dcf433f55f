"""Best of n: exact rates against every draw, tried one by one."""

from __future__ import annotations

import itertools
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outdo.stats.best_of import by_contests, by_score, curve, oracle

PASSED = st.lists(st.sampled_from([0.0, 1.0]), min_size=1, max_size=6)


def tried(scores: list[float], passed: list[float], n: int) -> float:
    """What every draw of n gives, the highest sharing the pick."""
    shares = []
    for draw in itertools.combinations(range(len(scores)), n):
        most = max(scores[i] for i in draw)
        best = [passed[i] for i in draw if scores[i] == most]
        shares.append(sum(best) / len(best))
    return sum(shares) / len(shares)


@settings(max_examples=40)
@given(st.data())
def test_the_formula_agrees_with_every_draw(data: st.DataObject) -> None:
    passed = data.draw(PASSED)
    few = st.integers(0, 3).map(float)  # equal scores among them
    scores = data.draw(st.lists(few, min_size=len(passed), max_size=len(passed)))
    for n in range(1, len(passed) + 1):
        assert by_score(scores, passed, n=n) == pytest.approx(tried(scores, passed, n))


def test_a_picker_that_knows_is_the_oracle_and_one_that_does_not_is_one_sample() -> None:
    passed = [0.0, 1.0, 0.0, 0.0, 1.0]
    assert [by_score(passed, passed, n=n) for n in range(1, 6)] == pytest.approx(oracle(passed))
    assert [by_score([1.0] * 5, passed, n=n) for n in range(1, 6)] == pytest.approx([0.4] * 5)
    worst = [-one for one in passed]
    assert by_score(worst, passed, n=5) == 0


@settings(max_examples=40)
@given(st.data())
def test_contests_that_follow_scores_pick_as_scores_do(data: st.DataObject) -> None:
    passed = data.draw(PASSED)
    size = len(passed)
    scores = data.draw(st.lists(st.integers(0, 9), min_size=size, max_size=size))
    better = [[0.5 if a == b else float(a > b) for b in scores] for a in scores]
    for n in range(1, size + 1):
        expected = by_score([float(one) for one in scores], passed, n=n)
        assert by_contests(better, passed, n=n) == pytest.approx(expected)


def test_draws_are_seeded_where_there_are_too_many() -> None:
    passed = [float(i % 3 == 0) for i in range(14)]
    better = [[0.5] * 14 for _ in range(14)]
    first, again = (by_contests(better, passed, n=7, seed=4, most=100) for _ in range(2))
    assert first == again
    assert math.comb(14, 7) > 100
    assert first == pytest.approx(sum(passed) / 14, abs=0.05)


def test_a_curve_says_how_much_of_the_gap_is_closed() -> None:
    passed = {str(i): [1.0, 0.0, 0.0, 0.0] if i % 2 else [0.0] * 4 for i in range(20)}
    best = {name: oracle(own) for name, own in passed.items()}
    groups = {name: name for name in passed}
    perfect = curve("oracle", best, groups, best=best)
    assert [one.rate.value for one in perfect.points] == pytest.approx([0.125, 0.25, 0.375, 0.5])
    assert [one.closed.value for one in perfect.points[1:] if one.closed] == pytest.approx(
        [1.0] * 3
    )
    plain = {name: [own[0]] * 4 for name, own in best.items()}
    chance = curve("one sample", plain, groups, best=best)
    assert [one.closed.value for one in chance.points[1:] if one.closed] == [0.0] * 3
    half = {
        name: [
            a + (b - a) * (0.3 if int(name) % 4 == 1 else 0.7)
            for a, b in zip(plain[name], own, strict=True)
        ]
        for name, own in best.items()
    }
    found = curve("half", half, groups, best=best).points[-1].closed
    assert found is not None and found.value == pytest.approx(0.5)
    assert found.low is not None and found.high is not None
    assert 0.3 < found.low < 0.5 < found.high < 0.7


def test_where_nothing_passes_there_is_no_gap_to_close() -> None:
    rates = {str(i): [0.0, 0.0] for i in range(5)}
    found = curve("x", rates, {name: name for name in rates}, best=rates)
    assert found.points[1].closed is not None and found.points[1].closed.value is None
    assert found.points[1].rate.value == 0


def test_more_answers_than_there_are_cannot_be_drawn() -> None:
    with pytest.raises(ValueError, match="3 of 2"):
        by_score([1, 2], [0, 1], n=3)
    with pytest.raises(ValueError, match="don't go together"):
        by_score([1, 2], [0], n=1)
