"""Scores of judges of pairs: every way to give no verdict counted, none of them in silence."""

from __future__ import annotations

import pytest

from outdo.stats.preference import (
    EVEN,
    HALF,
    LONGER,
    SHORTER,
    Item,
    Look,
    Said,
    accuracy,
    against,
    at_equal_length,
    beaten_by,
    calibrated,
    consistent,
    first_preferred,
    forecast,
    forecast_by,
    half,
    macro,
    parts_of,
    scorecard,
    scores,
    strict,
)


def looks(*said: Said, item: str = "i", chances: tuple[float | None, ...] = ()) -> list[Look]:
    """Both orders of an item; with the first order the better program stands first."""
    given = chances or (None,) * len(said)
    return [
        Look(
            item=item,
            order=order,
            said=word,
            first=None if word not in ("right", "wrong") else (word == "right") == (order == 0),
            forecast=chance,
        )
        for order, (word, chance) in enumerate(zip(said, given, strict=True))
    ]


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (("right", "right"), (1.0, 1.0, 1.0, 1.0)),
        (("wrong", "wrong"), (0.0, 0.0, 0.0, 1.0)),
        (("right", "wrong"), (0.5, 0.0, 0.5, 0.0)),
        (("tie", "tie"), (0.5, 0.0, 0.5, 1.0)),
        (("right", "unreadable"), (1.0, 0.0, 0.75, None)),
        (("right", "failed"), (1.0, 0.0, 0.75, None)),
        (("wrong", "cut"), (0.0, 0.0, 0.25, None)),
        (("refused", "failed"), (None, 0.0, 0.5, None)),
    ],
)
def test_a_pair_counts_as_its_calls_say(
    said: tuple[Said, Said], expected: tuple[float | None, ...]
) -> None:
    own = looks(*said)
    assert (accuracy(own), strict(own), half(own), consistent(own)) == expected


def test_each_reason_for_no_verdict_has_a_rate_and_the_calls_stay_in_it() -> None:
    every = {
        "a": looks("right", "right", item="a"),
        "b": looks("unreadable", "failed", item="b"),
        "c": looks("cut", "refused", item="c"),
        "d": looks("tie", "wrong", item="d"),
    }
    items = {n: Item(id=n, group=n, criterion="x", better_tokens=9, worse_tokens=9) for n in every}
    card = scorecard("all", every, items)
    told = {name: one.value for name, one in card.measures.items()}
    assert (card.n, card.groups) == (4, 4)
    silent = ("unreadable", "failed", "cut off", "refused", "tie")
    assert [told[name] for name in silent] == [1 / 8] * 5
    assert told["accuracy"] == pytest.approx((1 + 0.25) / 2)
    assert card.measures["accuracy"].n == 2
    assert told["strict"] == 1 / 4
    assert told["half credit"] == pytest.approx((1 + 0.5 + 0.5 + 0.25) / 4)
    assert all(one.low is not None for one in card.measures.values() if one.n > 2)


def test_whoever_prefers_a_place_is_half_right_and_found_out() -> None:
    every = {str(i): looks("right", "wrong", item=str(i)) for i in range(10)}
    assert all(first_preferred(own) == 1 for own in every.values())
    assert set(scores(every, "accuracy").values()) == {0.5}
    assert set(scores(every, "strict").values()) == {0.0}


def test_probabilities_are_the_model_s_own_or_else_its_verdicts() -> None:
    own = looks("right", "right", chances=(0.9, 0.6))
    assert forecast(own) == pytest.approx(0.75)
    assert forecast(looks("right", "wrong")) == 0.5
    assert forecast(looks("right", "failed")) is None
    assert "own" in forecast_by({"i": own})
    assert "share" in forecast_by({"i": looks("right", "right")})
    items = {"i": Item(id="i", group="i", criterion="x", better_tokens=1, worse_tokens=1)}
    assert calibrated({"i": own}, items).brier.value == pytest.approx(0.0625)


def item(name: str, criterion: str, better: int = 10, worse: int = 10, group: str = "") -> Item:
    return Item(
        id=name,
        group=group or name,
        criterion=criterion,
        better_tokens=better,
        worse_tokens=worse,
    )


def test_every_criterion_counts_alike_in_the_mean_over_them() -> None:
    items = {f"a{i}": item(f"a{i}", "a") for i in range(9)}
    items |= {f"b{i}": item(f"b{i}", "b") for i in range(3)}
    every = {
        name: looks(*(("right", "right") if name[0] == "a" else ("wrong", "wrong")), item=name)
        for name in items
    }
    assert macro(every, items, HALF).value == 0.5
    assert scorecard("all", every, items).measures[HALF].value == 0.75
    assert list(parts_of(every, items, lambda one: one.criterion)) == ["a", "b"]


def test_lengths_are_told_apart() -> None:
    assert [item("x", "c", *sizes).length for sizes in ((10, 11), (10, 12), (12, 10))] == [
        EVEN,
        SHORTER,
        LONGER,
    ]


def test_a_judge_of_length_alone_is_at_chance_at_equal_length() -> None:
    sizes = [(10 + i % 7, 13) for i in range(60)]
    items = {str(i): item(str(i), "c", *size) for i, size in enumerate(sizes)}
    every = {
        name: looks(*(("right",) * 2 if one.better_tokens > 13 else ("wrong",) * 2), item=name)
        for name, one in items.items()
        if one.better_tokens != 13
    }
    found = at_equal_length(every, items)
    assert found.slope_low is not None and found.slope_low > 0


def test_two_judges_are_compared_over_the_pairs_that_both_saw() -> None:
    items = {str(i): item(str(i), "c", group=str(i // 2)) for i in range(40)}
    good = {name: looks("right", "right", item=name) for name in items}
    poor = {
        name: looks(*(("right",) * 2 if int(name) % 4 == 0 else ("wrong", "right")), item=name)
        for name in items
    }
    found = against(good, poor, items)
    assert found.word == "better" and found.found.groups == 20
    assert found.found.difference == pytest.approx(0.75)
    assert against(poor, good, items, score=HALF).found.difference == pytest.approx(-0.375)


def test_how_hard_a_pair_is_says_how_many_floors_have_it() -> None:
    one = {"x": looks("right", "right", item="x"), "y": looks("right", "wrong", item="y")}
    other = {"x": looks("right", "right", item="x"), "y": looks("wrong", "wrong", item="y")}
    assert beaten_by([one, other]) == {"x": 2, "y": 0}
