from __future__ import annotations

from collections.abc import Sequence

import pytest
from contests import judged
from hypothesis import given, settings
from hypothesis import strategies as st

from outdo.judging import TIES, Item, counted, fold, standings, values
from outdo.judging.folding import Folded, by_pair
from outdo.judging.nouns import Judgement
from outdo.judging.standings import PANEL
from outdo.judging.strengths import ranking, with_strengths
from outdo.records import Standing

CHOICES = st.sampled_from(["a", "b", "tie", None])
JUDGEMENTS = st.lists(
    st.builds(
        lambda choice, number, order, by, repeat, failed: judged(
            choice,
            example=f"e{number}",
            order=order,
            by=by,
            repeat=repeat,
            failed=failed and choice is None,
            lengths=(number + 1, 5),
        ),
        CHOICES,
        st.integers(0, 11),
        st.sampled_from(["ab", "ba"]),
        st.sampled_from(["first", "second"]),
        st.integers(0, 1),
        st.booleans(),
    ),
    min_size=1,
    max_size=40,
)
ITEMS = {
    f"e{number}": Item(
        task="describe" if number % 2 else "review",
        group=f"g{number % 4}",
        parts={"language": "python" if number < 6 else "go"},
    )
    for number in range(12)
}


def folded(*judgements: Judgement) -> Folded:
    (one,) = fold(judgements).values()
    return one


def test_orders_are_folded_into_one_number() -> None:
    assert folded(judged("a"), judged("a", order="ba")).value == 1
    assert folded(judged("a"), judged("b", order="ba")).value == 0.5
    assert folded(judged("a"), judged("tie", order="ba")).value == 0.75


def test_repeats_of_one_order_weigh_no_more_than_the_other() -> None:
    again = [judged("a", repeat=number) for number in range(3)]
    assert folded(*again, judged("b", order="ba")).value == 0.5


def test_an_order_that_could_not_be_read_is_not_a_loss_and_not_a_win() -> None:
    one = folded(judged("a"), judged(None, order="ba"))
    assert (one.value, one.missing) == (None, "unreadable")
    one = folded(judged("a"), judged(None, order="ba", failed=True))
    assert (one.value, one.missing) == (None, "failed")
    one = folded(judged("a"), judged(None, order="ba"), judged("b", order="ba", repeat=1))
    assert one.value == 0.5


def test_of_a_panel_half_must_be_readable() -> None:
    one = folded(judged("a", by="x"), judged(None, by="y"))
    assert one.value == 1
    one = folded(judged("a", by="x"), judged(None, by="y"), judged(None, by="z"))
    assert (one.value, one.missing) == (None, "unreadable")
    one = folded(judged("a", by="x"), judged("b", by="y"), judged("tie", by="z"))
    assert one.value == 0.5


def test_samples_of_an_example_are_folded_too() -> None:
    one = folded(judged("a", lengths=(4, 2)), judged("b", sample=1, lengths=(8, 2)))
    assert (one.value, one.lengths) == (0.5, (6, 2))


def test_several_pairs_are_not_folded_into_one() -> None:
    with pytest.raises(ValueError, match="several pairs"):
        fold([judged("a"), judged("a", names=("other", "reference"))])


def test_the_three_ways_to_count_ties() -> None:
    told = {"w": 1.0, "t": 0.5, "l": 0.25, "u": None}
    assert counted(told, "loss") == {"w": 1.0, "t": 0.0, "l": 0.0, "u": None}
    assert counted(told, "half") == {"w": 1.0, "t": 0.5, "l": 0.0, "u": None}
    assert counted(told, "dropped") == {"w": 1.0, "t": None, "l": 0.0, "u": None}
    assert counted(told, "mean") == told
    with pytest.raises(ValueError, match="loss, half, dropped"):
        counted(told, "win")


def rows(judgements: Sequence[Judgement], judge: str = "judge") -> dict[tuple[str, str], Standing]:
    return {
        (row.task, row.part): row
        for row in standings(judgements, ITEMS, judge=judge, lengths=False, strengths=False)
    }


def test_a_standing_tells_counts_and_rates() -> None:
    choices = {1: "a", 3: "a", 5: "tie", 7: "b", 9: None}
    told = rows([judged(choice, example=f"e{n}") for n, choice in choices.items()])
    row = told["describe", ""]
    assert (row.contestant, row.against, row.judge) == ("tuned", "reference", "judge")
    assert (row.won, row.lost, row.tied, row.unreadable, row.failed) == (2, 1, 1, 1, 0)
    rates = {rate.name: rate for rate in row.rates}
    assert rates["loss"].value == 0.5 and rates["loss"].n == 4
    assert rates["half"].value == 0.625
    assert rates["dropped"].value == pytest.approx(2 / 3) and rates["dropped"].n == 3
    assert rates["mean"].value == 0.625
    assert told["describe", "language: python"].won == 2
    assert told["describe", "language: go"].lost == 1
    assert set(told) == {
        ("describe", ""),
        ("describe", "language: python"),
        ("describe", "language: go"),
    }


def test_whole_groups_are_the_evidence() -> None:
    told = [judged("a", example=f"e{n}") for n in (1, 5, 9)]
    (row,) = (row for row in standings(told, ITEMS, judge="j") if not row.part)
    assert row.rates[0].low is None and "1 of the 3 groups" in row.rates[0].about
    (row,) = (row for row in standings(told, ITEMS, judge="j", claim="these") if not row.part)
    assert row.rates[0].low is not None and 0.4 < row.rates[0].low < 0.5


@settings(max_examples=25)
@given(JUDGEMENTS)
def test_swapping_the_contestants_mirrors_the_standing(judgements: list[Judgement]) -> None:
    mine, theirs = rows(judgements), rows([one.swapped() for one in judgements])
    assert mine.keys() == theirs.keys()
    for name, row in mine.items():
        other = theirs[name]
        assert (row.won, row.lost, row.tied) == (other.lost, other.won, other.tied)
        assert (row.unreadable, row.failed) == (other.unreadable, other.failed)
        assert (row.contestant, row.against) == (other.against, other.contestant)
        for rate, mirrored in zip(row.rates, other.rates, strict=True):
            assert (rate.name, rate.n) == (mirrored.name, mirrored.n)
            if rate.name == "loss" or rate.value is None:
                continue
            assert mirrored.value is not None
            assert rate.value == pytest.approx(1 - mirrored.value)
            if rate.low is not None:
                assert rate.low == pytest.approx(1 - (mirrored.high or 0), abs=1e-6)


@settings(max_examples=25)
@given(JUDGEMENTS)
def test_every_example_is_counted_once(judgements: list[Judgement]) -> None:
    whole = [
        row
        for row in standings(judgements, ITEMS, judge=PANEL, lengths=False, strengths=False)
        if not row.part
    ]
    counts = [row.won + row.lost + row.tied + row.unreadable + row.failed for row in whole]
    assert sum(counts) == len({one.example for one in judgements})
    loss, half = ([row.rates[place].value for row in whole] for place in (0, 1))
    for low, middle in zip(loss, half, strict=True):
        assert low is None or (middle is not None and low <= middle)


@settings(max_examples=25)
@given(JUDGEMENTS, JUDGEMENTS)
def test_a_judge_more_changes_no_other(some: list[Judgement], more: list[Judgement]) -> None:
    alone = standings(some, ITEMS, lengths=False, strengths=False)
    names = {one.preference.by: f"new {one.preference.by}" for one in more}
    others = [
        judged(
            one.choice,
            example=one.example,
            order=one.preference.order,
            by=names[one.preference.by],
        )
        for one in more
    ]
    both = standings([*some, *others], ITEMS, lengths=False, strengths=False)
    assert tuple(row for row in both if not row.judge.startswith("new ")) == alone


@settings(max_examples=25)
@given(JUDGEMENTS, JUDGEMENTS)
def test_a_contestant_more_changes_no_other(some: list[Judgement], more: list[Judgement]) -> None:
    others = [
        judged(one.choice, example=one.example, by=one.preference.by, names=("new", "reference"))
        for one in more
    ]
    alone = standings(some, ITEMS, lengths=False, strengths=False)
    both = standings([*some, *others], ITEMS, lengths=False, strengths=False)
    assert tuple(row for row in both if row.contestant != "new") == alone


@settings(max_examples=25)
@given(JUDGEMENTS, st.randoms(use_true_random=False))
def test_the_order_of_judgements_says_nothing(judgements: list[Judgement], random: object) -> None:
    mixed = list(judgements)
    random.shuffle(mixed)  # type: ignore[attr-defined]
    assert {name: values(each) for name, each in by_pair(judgements).items()} == {
        name: values(each) for name, each in by_pair(mixed).items()
    }


def test_all_ways_of_ties_are_told() -> None:
    (row, *_) = standings([judged("a", example="e1")], ITEMS)
    assert tuple(rate.name for rate in row.rates[:3]) == TIES


def test_a_judge_that_likes_length_has_less_left_at_equal_length() -> None:
    told = []
    for number in range(12):
        longer = number % 4 != 0
        told.append(
            judged(
                "a" if longer else "b",
                example=f"e{number}",
                lengths=(90 + number, 30) if longer else (30, 90 + number),
            )
        )
    items = {f"e{number}": Item(task="hint", group=f"g{number}") for number in range(12)}
    (row,) = standings(told, items, judge="j")
    rates = {rate.name: rate for rate in row.rates}
    assert rates["mean"].value == 0.75
    length = rates["length"]
    assert length.value is not None and 0.4 < length.value < 0.7
    assert length.low is not None and length.high is not None
    assert length.low < length.value < length.high
    assert length.about == "the mean preference were both replies equally long"


def test_three_models_stand_on_one_scale() -> None:
    wins = {"strong": 10, "even": 6, "weak": 2}
    judgements = [
        judged("a" if n < count else "b", example=f"e{n}", names=(name, "reference"))
        for name, count in wins.items()
        for n in range(12)
    ]
    items = {f"e{n}": Item(task="hint", group=f"g{n}") for n in range(12)}
    (found,) = ranking(judgements, items).values()
    assert found.contestants[0].name == "strong"
    assert {one.name for one in found.contestants} == {*wins, "reference"}
    rows = standings(judgements, items, judge="j", lengths=False, strengths=False)
    scaled = standings(judgements, items, judge="j", lengths=False)
    assert scaled == with_strengths(rows, judgements, items)
    strengths = {
        row.contestant: rate for row in scaled for rate in row.rates if rate.name == "strength"
    }
    values = [strengths[name].value for name in wins]
    assert values == sorted(values, reverse=True)
    assert strengths["strong"].low is not None
    assert strengths["strong"].about.startswith("place 1 of 4")


def test_two_models_or_unlinked_ones_have_no_scale() -> None:
    items = {"e1": Item(task="hint", group="g")}
    assert ranking([judged("a", example="e1")], items) == {}
    apart = [
        judged("a", example="e1", names=("one", "two")),
        judged("a", example="e1", names=("three", "four")),
    ]
    assert ranking(apart, items) == {}
    rows = standings(apart, items, judge="j", lengths=False, strengths=False)
    assert with_strengths(rows, apart, items) == rows
