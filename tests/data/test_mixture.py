from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as some

from outdo.data.mixture import mixed
from outdo.errors import DataError

PARTS = {"repair": [f"r{n}" for n in range(30)], "hint": [f"h{n}" for n in range(10)]}


def test_without_weights_every_row_stands_once() -> None:
    rows = mixed(PARTS, None, seed=0)
    assert sorted(rows) == sorted(PARTS["repair"] + PARTS["hint"])
    assert rows != PARTS["hint"] + PARTS["repair"]


def test_the_order_is_of_the_seed_and_the_names() -> None:
    turned = dict(reversed(PARTS.items()))
    assert mixed(PARTS, None, seed=1) == mixed(turned, None, seed=1) != mixed(PARTS, None, seed=2)
    weights = {"hint": 2, "repair": 1}
    assert mixed(PARTS, weights, seed=1) == mixed(turned, weights, seed=1)


def test_weights_are_shares_of_as_many_rows() -> None:
    counts = Counter(mixed(PARTS, {"repair": 1, "hint": 3}, seed=0))
    assert sum(counts.values()) == 40
    hints = {row: count for row, count in counts.items() if row[0] == "h"}
    assert hints == {f"h{n}": 3 for n in range(10)}
    repairs = [count for row, count in counts.items() if row[0] == "r"]
    assert repairs == [1] * 10


def test_a_share_that_is_no_whole_pass_draws_without_repetition() -> None:
    counts = Counter(mixed(PARTS, {"repair": 5, "hint": 3}, seed=0))
    assert sorted(counts[row] for row in PARTS["hint"]) == [1] * 5 + [2] * 5
    assert sum(counts[row] for row in PARTS["repair"]) == 25


sizes = some.dictionaries(some.sampled_from("abcd"), some.integers(1, 40), min_size=1)


@given(sizes, some.data())
def test_shares_add_up_and_are_in_proportion(sizes: dict[str, int], data: some.DataObject) -> None:
    weights = {name: data.draw(some.floats(1e-3, 1e3)) for name in sizes}
    parts = {name: [(name, n) for n in range(size)] for name, size in sizes.items()}
    rows = mixed(parts, weights, seed=0)
    total = sum(sizes.values())
    assert len(rows) == total
    for name in sizes:
        counts = Counter(row for row in rows if row[0] == name)
        share = total * weights[name] / sum(weights.values())
        assert abs(counts.total() - share) < 1 + 1e-9
        every = [counts[row] for row in parts[name]]
        assert max(every) - min(every) <= 1


@pytest.mark.parametrize(
    ("parts", "weights", "problem"),
    [
        ({"a": [1], "b": []}, None, "b has no rows"),
        ({"a": [1], "b": [2]}, {"a": 1}, "b has no weight"),
        ({"a": [1]}, {"a": 1, "c": 1}, "c has a weight, and is no part"),
        ({"a": [1]}, {"a": 0}, "the weight of a is 0"),
        ({"a": [1]}, {"a": float("nan")}, "the weight of a is nan"),
    ],
)
def test_mixtures_that_mean_nothing(
    parts: dict[str, list[int]], weights: dict[str, float] | None, problem: str
) -> None:
    with pytest.raises(DataError, match=problem):
        mixed(parts, weights, seed=0)
