"""From an interval to a word."""

from __future__ import annotations

import dataclasses

import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st

from outdo.stats import Difference, compare, population, verdict
from outdo.stats.verdict import needed as both_needed
from outdo.stats.verdict import plural, read


def items_needed(found: Difference, *, margin: float | None = None) -> int | None:
    items, runs = both_needed(found, margin=margin)
    assert runs is None
    return items


FOUND = Difference(
    difference=0.1,
    mean_a=0.5,
    mean_b=0.4,
    low=0.02,
    high=0.18,
    low_within=0.03,
    high_within=0.17,
    n=100,
    groups=100,
    missing=0,
    wins=20,
    losses=10,
    p=0.01,
    p_by="t",
    by="t, by row",
)


def found(low: float, high: float, low_within: float, high_within: float) -> Difference:
    return dataclasses.replace(
        FOUND,
        difference=(low + high) / 2,
        low=low,
        high=high,
        low_within=low_within,
        high_within=high_within,
    )


@pytest.mark.parametrize(
    ("ends", "margin", "higher", "lower"),
    [
        ((0.02, 0.18, 0.03, 0.17), None, "better", "worse"),
        ((-0.18, -0.02, -0.17, -0.03), None, "worse", "better"),
        ((0.0, 0.18, 0.01, 0.17), None, "inconclusive", "inconclusive"),
        ((-0.18, 0.0, -0.17, -0.01), None, "inconclusive", "inconclusive"),
        ((-0.06, 0.06, -0.05, 0.04), 0.05, "inconclusive", "inconclusive"),
        ((-0.06, 0.06, -0.04, 0.05), 0.05, "inconclusive", "inconclusive"),
        ((-0.06, 0.06, -0.04, 0.04), 0.05, "equivalent", "equivalent"),
        ((-0.06, 0.06, -0.04, 0.04), None, "inconclusive", "inconclusive"),
        # A difference that is there, though small, is a difference.
        ((0.01, 0.03, 0.012, 0.028), 0.05, "better", "worse"),
    ],
)
def test_the_word(ends: tuple, margin: float | None, higher: str, lower: str) -> None:
    assert read(found(*ends), better="higher", margin=margin) == higher
    assert read(found(*ends), better="lower", margin=margin) == lower


def test_without_an_interval_nothing_is_concluded() -> None:
    none = dataclasses.replace(FOUND, low=None, high=None, low_within=None, high_within=None)
    assert read(none, better="higher", margin=1.0) == "inconclusive"
    assert items_needed(none, margin=1.0) is None


def shares(wins: int, losses: int, ties: int) -> tuple[dict, dict]:
    rows = [(1.0, 0.0)] * wins + [(0.0, 1.0)] * losses + [(1.0, 1.0)] * ties
    return (
        {str(i): x for i, (x, _) in enumerate(rows)},
        {str(i): y for i, (_, y) in enumerate(rows)},
    )


def test_the_four_words_from_data() -> None:
    assert verdict(*shares(30, 5, 65), better="higher", share=True).word == "better"
    assert verdict(*shares(5, 30, 65), better="higher", share=True).word == "worse"
    assert verdict(*shares(5, 30, 65), better="lower", share=True).word == "better"
    told = verdict(*shares(2, 2, 396), better="higher", share=True, margin=0.05)
    assert told.word == "equivalent"
    assert (told.needed, told.worst) == (None, None)
    assert verdict(*shares(10, 8, 82), better="higher", share=True).word == "inconclusive"


def test_the_claim_decides_what_counts_as_evidence() -> None:
    a, b = shares(12, 0, 12)
    groups = {name: int(name) // 6 for name in a}
    these = verdict(a, b, better="higher", share=True, groups=groups)
    new = verdict(a, b, better="higher", share=True, groups=groups, claim="new")
    assert (these.word, new.word) == ("better", "inconclusive")
    assert new.found == compare(a, b, share=True, groups=groups, claim="new")


def test_a_claim_about_new_groups_needs_groups_and_a_margin_is_positive() -> None:
    with pytest.raises(ValueError, match=r"^a claim about new groups needs the groups$"):
        verdict({}, {}, better="higher", share=True, claim="new")
    for margin in (0.0, -0.1):
        with pytest.raises(ValueError, match=rf"^a margin is a positive number, not {margin}$"):
            verdict({}, {}, better="higher", share=True, margin=margin)


# ------------------------------------------------------------------ missing values


def with_missing(wins: int, losses: int, ties: int, lost_a: int, lost_b: int = 0) -> tuple:
    a, b = shares(wins, losses, ties)
    a |= {f"a{i}": None for i in range(lost_a)} | {f"b{i}": 1.0 for i in range(lost_b)}
    b |= {f"a{i}": 1.0 for i in range(lost_a)} | {f"b{i}": None for i in range(lost_b)}
    return a, b


def test_missing_values_are_tried_at_their_worst() -> None:
    few = verdict(*with_missing(30, 5, 60, 5), better="higher", share=True)
    assert (few.word, few.worst, few.found.missing) == ("better", "better", 5)
    many = verdict(*with_missing(30, 5, 60, 20), better="higher", share=True)
    assert (many.word, many.worst) == ("better", "inconclusive")
    mirrored = verdict(*reversed(with_missing(30, 5, 60, 20)), better="higher", share=True)
    assert (mirrored.word, mirrored.worst) == ("worse", "inconclusive")


def test_the_worst_fills_both_sides() -> None:
    a, b = with_missing(30, 5, 60, 3, 4)
    told = verdict(a, b, better="higher", share=True)
    filled = compare(
        {name: 0.0 if value is None else value for name, value in a.items()},
        {name: 1.0 if value is None else value for name, value in b.items()},
        share=True,
    )
    assert told.worst == read(filled, better="higher")
    assert filled.losses == 5 + 3


def test_a_value_that_only_one_has_is_not_made_up() -> None:
    a, b = shares(9, 0, 1)
    told = verdict(a | {"alone": None}, b, better="higher", share=True)
    assert (told.found.missing, told.worst) == (0, None)


def test_distances_have_no_worst() -> None:
    a, b = {"x": 1.0, "y": 2.0, "z": None}, {"x": 3.0, "y": 5.0, "z": 1.0}
    told = verdict(a, b, better="lower", share=False)
    assert (told.found.missing, told.worst) == (1, None)


# ------------------------------------------------------------------ how many are needed


def test_the_needed_number_of_items_has_80_percent_power() -> None:
    one = found(-0.02, 0.06, -0.015, 0.055)
    z = scipy.stats.norm.ppf(0.975)
    deviation = 0.04 / z * (100 + z * z) ** 0.5
    needed = items_needed(one)
    assert needed is not None
    assert scipy.stats.norm.sf(z - 0.02 / (deviation / needed**0.5)) == pytest.approx(0.8, abs=1e-3)


def test_an_easier_end_at_the_margin_is_preferred() -> None:
    one = found(-0.02, 0.06, -0.015, 0.055)
    wide = items_needed(one, margin=0.5)
    assert wide == 101
    within = items_needed(one, margin=0.06)
    plain = items_needed(one)
    assert within is not None
    assert plain is not None
    assert 100 < within < plain
    assert items_needed(one, margin=0.02) == plain


def test_no_difference_and_no_margin_is_never_settled() -> None:
    even = found(-0.1, 0.1, -0.08, 0.08)
    assert items_needed(even) is None
    needed = items_needed(even, margin=0.05)
    z = scipy.stats.norm.ppf(0.975)
    deviation = 0.1 / z * (100 + z * z) ** 0.5
    # Both ends press when there is no difference: the classic formula for equivalence.
    z = scipy.stats.norm.ppf(0.95) + scipy.stats.norm.ppf(0.9)
    assert needed == pytest.approx((z * deviation / 0.05) ** 2, abs=1)


def test_needed_is_told_with_an_inconclusive_verdict_only() -> None:
    told = verdict(*shares(10, 8, 82), better="higher", share=True)
    assert told.needed == items_needed(told.found)
    assert told.needed is not None
    assert told.needed > 100
    assert verdict(*shares(30, 5, 65), better="higher", share=True).needed is None


@given(st.integers(1, 30), st.integers(1, 30), st.integers(0, 50))
@settings(max_examples=30, deadline=None)
def test_that_many_more_of_the_same_settle_it(wins: int, losses: int, ties: int) -> None:
    told = verdict(*shares(wins, losses, ties), better="higher", share=True)
    if told.needed is not None and told.needed < 1_000:
        times = -(-told.needed // told.found.n)
        more = verdict(
            *shares(wins * times, losses * times, ties * times), better="higher", share=True
        )
        assert more.word in ("better", "worse")


# ------------------------------------------------------------------ the population


def test_the_population_is_told_in_a_sentence() -> None:
    assert population("these", items=160, groups=60) == (
        "The claim is about these 60 problems: what is counted is the distinct program, "
        "160 in all, and nothing is said about other problems."
    )
    assert population("new", items=45, groups=15) == (
        "The claim is about new problems: whole problems are the evidence, 15 in all with "
        "45 programs."
    )
    assert population("these", items=9, groups=1, item="file", group="student") == (
        "The claim is about this one student: what is counted is the distinct file, "
        "9 in all, and nothing is said about other students."
    )
    assert population("new", items=1, groups=1).endswith("1 in all with 1 program.")


def test_plurals() -> None:
    nouns = ["program", "repository", "day", "class", "box", "branch", "crash", "y"]
    assert [plural(noun, 2) for noun in nouns] == [
        "programs",
        "repositories",
        "days",
        "classes",
        "boxes",
        "branches",
        "crashes",
        "ys",
    ]
    assert [plural("repository", count) for count in (0, 1)] == ["repositories", "repository"]
