from __future__ import annotations

import pytest
from contests import judged
from hypothesis import given, settings
from hypothesis import strategies as st

from outdo.judging import Item, standings
from outdo.judging import health as names
from outdo.judging.health import health
from outdo.judging.nouns import Judgement, Verdict, judgement
from outdo.judging.panel import between, rankings
from outdo.judging.truth import agreement, told, with_labels, with_tests
from outdo.records import Measure, Preference

GROUPS = {f"e{number}": f"g{number % 6}" for number in range(60)}


def told_of(judgements: list[Judgement], *, lengths: bool = False) -> dict[str, Measure]:
    return {one.name: one for one in health(judgements, GROUPS, lengths=lengths)}


def test_a_judge_with_a_liking_for_a_place_is_told_from_a_fair_one() -> None:
    first = [judged("a", example=f"e{n}") for n in range(12)]
    second = [judged("b", example=f"e{n}", order="ba") for n in range(12)]
    placed = told_of([*first, *second])
    assert placed[names.FIRST].value == 1 and placed[names.ORDERS_AGREE].value == 0
    fair = told_of([*first, *(judged("a", example=f"e{n}", order="ba") for n in range(12))])
    assert fair[names.FIRST].value == 0.5 and fair[names.ORDERS_AGREE].value == 1
    assert fair[names.FIRST].n == 24 and fair[names.ORDERS_AGREE].n == 12


def test_repeats_that_differ_are_counted() -> None:
    calls = [judged("a", example=f"e{n}") for n in range(4)]
    again = [judged("a" if n else "tie", example=f"e{n}", repeat=1) for n in range(4)]
    assert told_of([*calls, *again])[names.FLIPS].value == 0.25
    assert names.FLIPS not in told_of(calls)


def test_what_could_not_be_read_and_what_failed_are_told_apart() -> None:
    told = told_of(
        [
            judged("a", example="e1"),
            judged("tie", example="e2"),
            judged(None, example="e3"),
            judged(None, example="e4", failed=True),
        ]
    )
    assert (told[names.UNREADABLE].value, told[names.UNREADABLE].n) == (pytest.approx(1 / 3), 3)
    assert (told[names.FAILED].value, told[names.FAILED].n) == (0.25, 4)
    assert (told[names.TIES].value, told[names.TIES].n) == (0.5, 2)


def test_contradictions_are_a_share_of_what_has_scores() -> None:
    told = told_of(
        [
            judged("a", example="e1", scores=(3, 8)),
            judged("a", example="e2", scores=(8, 3)),
            judged("a", example="e3"),
        ]
    )
    assert (told[names.CONTRADICTS].value, told[names.CONTRADICTS].n) == (0.5, 2)
    assert names.CONTRADICTS not in told_of([judged("a", example="e3")])


def test_what_was_settled_without_the_judge_says_nothing_of_it() -> None:
    one = judged("a", example="e1")
    settled = judgement(_contest_of(one), Verdict(choice="tie"), by="judge", how="settled")
    assert told_of([one, settled]) == told_of([one])
    assert told_of([settled]) == {}


def _contest_of(one: Judgement):  # type: ignore[no-untyped-def]
    from contests import contest

    return contest("x", "x", example=one.example)


def test_a_liking_for_length_has_a_slope() -> None:
    longer = [
        judged(
            "a" if n % 3 else "b", example=f"e{n}", lengths=(80 + n, 20 + n) if n % 3 else (20, 90)
        )
        for n in range(24)
    ]
    slope = told_of(longer, lengths=True)[names.SLOPE]
    assert slope.value is not None and slope.low is not None and slope.low > 0
    assert slope.unit == "log odds"


CHOICES = st.sampled_from(["a", "b", "tie", None])


@settings(max_examples=25)
@given(
    st.lists(
        st.tuples(CHOICES, st.integers(0, 20), st.sampled_from(["ab", "ba"]), st.booleans()),
        min_size=1,
        max_size=40,
    )
)
def test_swapping_the_contestants_changes_nothing_of_a_judges_health(
    rows: list[tuple[str, int, str, bool]],
) -> None:
    judgements = [
        judged(choice, example=f"e{n}", order=order, failed=failed and choice is None)  # type: ignore[arg-type]
        for choice, n, order, failed in rows
    ]
    mine, theirs = told_of(judgements), told_of([one.swapped() for one in judgements])
    assert mine == theirs
    for measure in mine.values():
        assert measure.value is not None and 0 <= measure.value <= 1


# ------------------------------------------------------------------ people, tests, other judges


def preferences(judgements: list[Judgement]) -> list[Preference]:
    return [one.preference for one in judgements]


def test_preferences_are_told_from_one_side_whoever_is_called_a() -> None:
    judgements = [judged("a", example="e1"), judged("b", example="e2"), judged("tie", example="e3")]
    mine = told(preferences(judgements))
    assert mine == told(preferences([one.swapped() for one in judgements]))
    assert mine["e1", "reference", "tuned"] == 0


def test_an_order_that_could_not_be_read_leaves_the_pair_untold() -> None:
    one = [judged("a", example="e1"), judged(None, example="e1", order="ba")]
    assert told(preferences(one)) == {}
    assert len(told(preferences([*one, judged("b", example="e1", order="ba", repeat=1)]))) == 1


def test_agreement_is_full_with_oneself_and_nothing_by_chance() -> None:
    judge = [judged(("a", "b", "tie")[n % 3], example=f"e{n}") for n in range(60)]  # type: ignore[arg-type]
    other = [judged(("a", "b", "tie")[(n * n + n // 3) % 3], example=f"e{n}") for n in range(60)]  # type: ignore[arg-type]
    mine, theirs = told(preferences(judge)), told(preferences(other))
    share, kappa, alpha = agreement(mine, mine, GROUPS)
    assert (share.value, kappa.value, alpha.value) == (1, 1, 1)
    share, kappa, alpha = agreement(mine, theirs, GROUPS, who="tests")
    assert share.name == "agrees with tests" and kappa.name == "kappa with tests"
    assert kappa.value is not None and abs(kappa.value) < 0.35
    assert kappa.low is not None and kappa.low < 0 < (kappa.high or 0) + 0.35
    (share, kappa, _) = agreement(mine, {}, GROUPS)
    assert (share.value, kappa.value, share.n) == (None, None, 0)


def test_tests_tell_how_often_a_judge_is_right_and_correct_its_rate() -> None:
    """60 programs; a is better on 36 of them; the judge is right on 5 of 6 of either kind."""
    truth = {f"e{n}": "a" if n < 36 else "b" for n in range(60)}
    values = {
        name: float((side == "a") == (n % 6 != 0)) for n, (name, side) in enumerate(truth.items())
    }
    groups = {name: name for name in truth}
    up, down, rate = with_tests(values, truth, groups)  # type: ignore[arg-type]
    assert up.value == pytest.approx(5 / 6) and up.n == 36
    assert down.value == pytest.approx(5 / 6) and down.n == 24
    assert rate.value == pytest.approx(0.6)
    assert rate.low is not None and rate.high is not None and rate.low < 0.6 < rate.high
    plain = sum(values.values()) / 60
    assert plain < 0.6


def test_where_tests_decide_nothing_no_rate_is_made_up() -> None:
    up, down, rate = with_tests({"e1": 1.0}, {"e1": None}, GROUPS)
    assert (up.value, down.value, rate.value) == (None, None, None)
    assert rate.about == "tests decide no pair in favour of each side"


def test_a_few_labels_put_a_rate_right() -> None:
    """The judge prefers a 0.2 too often, and labels of every fourth example show it."""
    truth = {f"e{n}": float(n % 5 < 2) for n in range(60)}
    values: dict[str, float | None] = {f"e{n}": float(n % 5 < 3) for n in range(60)}
    labels = {name: value for n, (name, value) in enumerate(truth.items()) if n % 4 == 0}
    groups = {name: name for name in truth}
    rate, alone = with_labels(values, labels, groups)
    assert rate.value == pytest.approx(0.4, abs=0.03)
    assert rate.low is not None and rate.high is not None and alone.low is not None
    assert alone.high is not None
    assert rate.low < 0.4 < rate.high < 0.6 + 0.1
    assert rate.high - rate.low < alone.high - alone.low
    (none,) = with_labels(values, {"e0": 1.0}, groups)
    assert none.value is None and "at least are needed" in none.about


def test_judges_are_held_against_each_other() -> None:
    x = [judged("a" if n % 2 else "b", example=f"e{n}", by="x") for n in range(12)]
    y = [judged("a" if n % 2 else "b", example=f"e{n}", by="y") for n in range(12)]
    z = [judged("b" if n % 2 else "a", example=f"e{n}", by="z") for n in range(12)]
    found = {one.name: one.value for one in between([*x, *y, *z], GROUPS)}
    assert found["kappa of x and y"] == 1
    assert found["kappa of x and z"] == -1
    assert found["alpha of all judges"] is not None and found["alpha of all judges"] < 0
    assert between(x, GROUPS) == ()


def test_rankings_are_compared_by_kendalls_tau() -> None:
    judgements = [
        judged("a" if n < wins else "b", example=f"e{n}", by=judge, names=(contestant, "reference"))
        for judge, order in (("x", (1, 4, 7, 9)), ("y", (2, 3, 8, 10)), ("z", (9, 7, 4, 1)))
        for contestant, wins in zip("pqrs", order, strict=True)
        for n in range(12)
    ]
    items = {name: Item(task="hint", group=group) for name, group in GROUPS.items()}
    rows = standings(judgements, items, lengths=False)
    found = {one.name: one.value for one in rankings(rows, task="hint", against="reference")}
    assert found == {"tau of x and y": 1, "tau of x and z": -1, "tau of y and z": -1}
