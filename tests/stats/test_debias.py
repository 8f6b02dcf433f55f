"""Corrected rates: by hand, at their ends, and by simulation of what they promise."""

from __future__ import annotations

import numpy as np
import pytest

from outdo.stats.debias import prediction_powered, rogan_gladen

# ------------------------------------------------------------------ a judge of known faults


def corrected(positives: float, n: float, up: tuple, down: tuple) -> tuple:
    told = rogan_gladen(
        positives=positives,
        n=n,
        true_positives=up[0],
        actual_positives=up[1],
        true_negatives=down[0],
        actual_negatives=down[1],
    )
    return told.value, told.low, told.high, told.by


def test_the_rate_is_rogans_and_gladens() -> None:
    value, low, high, _ = corrected(40, 100, (90, 100), (80, 100))
    assert value == pytest.approx((0.4 + 0.8 - 1) / (0.9 + 0.8 - 1))
    assert low < value < high


def test_a_herd_tested_for_brucellosis() -> None:
    """The worked example of epiR: 23 of 150 positive, sensitivity 96%, specificity 89%: 5.1%."""
    value, low, high, _ = corrected(23, 150, (96_000, 100_000), (89_000, 100_000))
    assert round(value, 3) == 0.051
    # There 0 to .13, by another interval of known sensitivity and specificity.
    assert low == pytest.approx(0, abs=0.005)
    assert high == pytest.approx(0.13, abs=0.01)


def test_a_faultless_judge_known_well_is_believed() -> None:
    value, low, high, _ = corrected(30, 100, (10_000, 10_000), (10_000, 10_000))
    assert value == pytest.approx(0.3)
    # Agresti's and Coull's interval of 30 of 100.
    assert (low, high) == pytest.approx((0.2189, 0.3959), abs=2e-3)


def test_a_judge_known_from_few_items_is_believed_less() -> None:
    few, many = (corrected(50, 100, (n * 0.9, n), (n * 0.9, n)) for n in (20, 2000))
    assert few[2] - few[1] > 1.3 * (many[2] - many[1])


def test_a_coin_corrects_nothing() -> None:
    told = corrected(40, 100, (50, 100), (50, 100))
    assert told == (None, None, None, "the judge does no better than a coin")


def test_limits_are_shares() -> None:
    value, low, high, _ = corrected(15, 100, (90, 100), (80, 100))
    assert (value, low) == (0.0, 0.0)
    assert 0 < high < 0.2


def test_faults_that_no_rate_goes_with_give_no_interval() -> None:
    value, low, high, by = corrected(2, 100, (90, 100), (80, 100))
    assert (value, low, high) == (0.0, None, None)
    assert by == "fewer or more positives than the judge's known faults alone would give"


def test_what_is_no_share_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^5 of 3 is no share$"):
        corrected(40, 100, (5, 3), (80, 100))


@pytest.mark.parametrize(("rate", "up", "down"), [(0.2, 0.9, 0.8), (0.7, 0.8, 0.9)])
def test_the_corrected_rate_holds_its_level_where_the_plain_one_does_not(
    rate: float, up: float, down: float
) -> None:
    draw = np.random.default_rng(4)
    hits = plain = 0
    for _ in range(1000):
        positives = draw.binomial(200, rate * up + (1 - rate) * (1 - down))
        _, low, high, _ = corrected(
            positives, 200, (draw.binomial(60, up), 60), (draw.binomial(60, down), 60)
        )
        hits += low is not None and low <= rate <= high
        error = 1.96 * (positives / 200 * (1 - positives / 200) / 200) ** 0.5
        plain += abs(positives / 200 - rate) <= error
    assert 0.93 <= hits / 1000 <= 0.985
    assert plain / 1000 < 0.9


# ------------------------------------------------------------------ a few labels


def items(draw: np.random.Generator, *, n: int, labelled: int, agree: float) -> tuple:
    """Labels of the first items, and predictions that lean upwards where they are wrong."""
    truth = draw.random(n) < 0.4
    told = np.where(draw.random(n) < agree, truth, draw.random(n) < 0.7)
    labels = [float(x) if i < labelled else None for i, x in enumerate(truth)]
    return labels, told.astype(float).tolist()


def test_it_is_the_formula_of_ppi() -> None:
    labels, told = items(np.random.default_rng(0), n=500, labelled=80, agree=0.9)
    found = prediction_powered(labels=labels, predictions=told)
    truth, seen, rest = np.array(labels[:80], float), np.array(told[:80]), np.array(told[80:])
    cross = np.mean((truth - truth.mean()) * (seen - seen.mean()))
    trust = cross / ((1 + 80 / 420) * np.var(np.array(told)))
    assert found.trust == pytest.approx(trust)
    value = truth.mean() + trust * (rest.mean() - seen.mean())
    assert found.interval.value == pytest.approx(value)
    variance = np.var(truth - trust * seen) / 80 * 80 / 79 + trust**2 * np.var(rest) / 420
    width = found.interval.high - found.interval.low  # type: ignore[operator]
    assert width == pytest.approx(2 * 1.99045 * variance**0.5, rel=1e-3)


def test_a_good_judge_is_worth_many_labels_and_a_bad_one_costs_none() -> None:
    good, bad = (
        prediction_powered(
            **dict(
                zip(
                    ("labels", "predictions"),
                    items(np.random.default_rng(1), n=2000, labelled=100, agree=agree),
                    strict=True,
                )
            )
        )
        for agree in (0.97, 0.0)
    )
    assert good.worth is not None
    assert bad.worth is not None
    assert good.worth > 500
    assert good.trust > 0.8
    assert bad.worth > 99
    assert bad.trust < 0.15


def test_everything_labelled_needs_no_judge() -> None:
    labels, told = items(np.random.default_rng(2), n=60, labelled=60, agree=0.9)
    found = prediction_powered(labels=labels, predictions=told)
    assert found.trust == 0
    assert found.interval.value == found.labelled.value == pytest.approx(np.mean(labels))
    assert (found.interval.low, found.interval.high) == (found.labelled.low, found.labelled.high)


def test_equal_labels_that_the_judge_tells_too_have_no_interval() -> None:
    found = prediction_powered(labels=[1.0] * 5 + [None] * 5, predictions=[1.0] * 10)
    assert (found.interval.low, found.worth) == (None, None)
    assert found.interval.by == "no spread among the labels"


def test_what_cannot_be_told_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^labels of 3 items or groups at least are needed$"):
        prediction_powered(labels=[1.0, 0.0, None], predictions=[1.0, 0.0, 1.0])
    with pytest.raises(ValueError, match=r"differ in length$"):
        prediction_powered(labels=[1.0, 0.0, None], predictions=[1.0, 0.0])


@pytest.mark.parametrize("groups", [None, 6])
def test_it_holds_its_level_and_the_judges_own_rate_does_not(groups: int | None) -> None:
    draw = np.random.default_rng(9)
    hits = plain = 0
    for _ in range(300):
        if groups is None:
            labels, told = items(draw, n=400, labelled=60, agree=0.8)
            names = None
        else:
            names = np.repeat(np.arange(80), groups)
            rate = draw.beta(2, 3, size=80)[names]
            truth = draw.random(len(names)) < rate
            seen = np.where(draw.random(len(names)) < 0.8, truth, draw.random(len(names)) < 0.7)
            labels = [float(x) if g < 25 else None for x, g in zip(truth, names, strict=True)]
            told = seen.astype(float).tolist()
        found = prediction_powered(
            labels=labels, predictions=told, groups=None if names is None else names.tolist()
        )
        hits += found.interval.low <= 0.4 <= found.interval.high  # type: ignore[operator]
        plain += abs(np.mean(told) - 0.4) < 1.96 * (0.25 / len(told)) ** 0.5
    assert 0.92 <= hits / 300 <= 0.985
    assert plain / 300 < 0.8
