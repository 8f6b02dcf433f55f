"""Samples of one example become one value."""

from __future__ import annotations

import itertools
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outdo.stats import fold, pass_at_k
from outdo.stats.samples import pass_at_k_by_example


def test_samples_are_averaged_by_example_in_order() -> None:
    rows = [("b", 1.0, 1.0), ("a", 0.0, 1.0), ("b", 0.0, 1.0), ("a", 0.5, 1.0)]
    assert fold(rows) == {"b": 0.5, "a": 0.25}
    assert list(fold(rows)) == ["b", "a"]


def test_a_sample_that_could_not_be_told_is_left_out() -> None:
    assert fold([("a", 1.0, 1.0), ("a", None, 1.0)]) == {"a": 1.0}
    assert fold([("a", None, 1.0), ("a", None, 1.0)]) == {"a": None}
    assert fold([]) == {}


def test_weights_count() -> None:
    assert fold([("a", 1.0, 3.0), ("a", 0.0, 1.0)]) == {"a": 0.75}


@pytest.mark.parametrize("weight", [0.0, -1.0, math.inf, math.nan])
def test_a_weight_must_be_positive(weight: float) -> None:
    with pytest.raises(ValueError, match=f"^the weight of a score must be positive, not {weight}$"):
        fold([("a", 1.0, weight)])


@pytest.mark.parametrize("value", [math.inf, math.nan])
def test_a_score_must_be_a_number(value: float) -> None:
    with pytest.raises(ValueError, match=f"^a score must be a finite number, not {value}$"):
        fold([("a", value, 1.0)])


@given(st.integers(1, 9), st.data())
@settings(deadline=None)
def test_pass_at_k_is_the_share_of_subsets_with_a_pass(n: int, data: st.DataObject) -> None:
    passed = data.draw(st.integers(0, n))
    k = data.draw(st.integers(1, n))
    subsets = list(itertools.combinations(range(n), k))
    share = sum(min(subset) < passed for subset in subsets) / len(subsets)
    assert pass_at_k(samples=n, passed=passed, k=k) == pytest.approx(share)


def test_pass_at_k_refuses_what_cannot_be() -> None:
    with pytest.raises(ValueError, match=r"^3 of 2 samples can't pass$"):
        pass_at_k(samples=2, passed=3, k=1)
    with pytest.raises(ValueError, match=r"^-1 of 2 samples can't pass$"):
        pass_at_k(samples=2, passed=-1, k=1)
    with pytest.raises(ValueError, match=r"^pass@3 can't be told from 2 samples$"):
        pass_at_k(samples=2, passed=1, k=3)
    with pytest.raises(ValueError, match=r"^pass@0 can't be told from 2 samples$"):
        pass_at_k(samples=2, passed=1, k=0)


def test_pass_at_k_by_example_needs_enough_samples() -> None:
    values = {"a": [1.0, 0.0, 0.0], "b": [0.0, None, 1.0], "c": [None, 1.0, None], "d": [0.5, 1.0]}
    told = pass_at_k_by_example(values, k=2)
    assert told == {"a": pytest.approx(2 / 3), "b": 1.0, "c": None, "d": 1.0}
