"""Numbers and verdicts as a reader sees them."""

from __future__ import annotations

import dataclasses

import pytest
from sample import REDIT, RPASS, findings

from outdo.report import results, wording
from outdo.report.columns import Column
from outdo.report.scored import Compared
from outdo.stats import Difference, mean

SHARE = Column(name="rpass", heading="RPass", metric=RPASS, by="v", share=True)
EDIT = Column(name="redit", heading="REdit", metric=REDIT, by="v", share=False)


def difference(value: float | None, low: float | None, high: float | None) -> Difference:
    return Difference(
        difference=value,
        mean_a=0.6,
        mean_b=0.3,
        low=low,
        high=high,
        low_within=low,
        high_within=high,
        n=100,
        groups=20,
        missing=0,
        wins=1,
        losses=0,
        p=0.5,
        p_by="t",
        by="t, by row",
    )


@pytest.mark.parametrize(
    ("number", "told"),
    [
        (0.0, "0"),
        (1.234567, "1.23"),
        (12.3456, "12.3"),
        (123.456, "123"),
        (12345.6, "12,346"),
        (0.0123456, "0.0123"),
        (0.000001, "0.0000"),
        (-1.5, "−1.50"),
        (-0.0000001, "0.0000"),
    ],
)
def test_plain_numbers_keep_three_digits(number: float, told: str) -> None:
    assert wording.plain(number) == told


def test_values_and_their_limits() -> None:
    assert wording.value(0.6149, SHARE) == "0.61"
    assert wording.value(12.34, EDIT) == "12.3"
    assert wording.value(None, EDIT) == "–"
    assert wording.limits(mean([1.0, 0.0, 1.0, 1.0], share=True), SHARE) == "[0.30, 0.95]"
    assert wording.limits(mean([1.0, 2.0, 3.5], share=False), EDIT) == "[−0.96, 5.29]"
    assert wording.limits(mean([2.0], share=False), EDIT) == ""
    assert wording.limits(mean([], share=True), SHARE) == ""


@pytest.mark.parametrize(
    ("column", "ends", "gap", "limits"),
    [
        (SHARE, (0.592, 0.51, 0.66), "+59 points", "[51, 66]"),
        (SHARE, (-0.592, -0.66, -0.51), "−59 points", "[−66, −51]"),
        (SHARE, (0.0234, -0.013, 0.0600), "+2.3 points", "[−1.3, 6]"),
        (SHARE, (0.0, -0.02, 0.02), "0 points", "[−2, 2]"),
        (SHARE, (-0.0002, -0.0004, 0.0), "0 points", "[0, 0]"),
        (SHARE, (0.0996, 0.0994, 0.12), "+10 points", "[9.9, 12]"),
        (EDIT, (2.333, -9.92, 14.61), "+2.33 tokens", "[−9.92, 14.61]"),
        (EDIT, (-12.34, -20, -4.56), "−12.3 tokens", "[−20.0, −4.6]"),
    ],
)
def test_differences(column: Column, ends: tuple, gap: str, limits: str) -> None:
    found = difference(*ends)
    assert wording.gap(found, column) == gap
    assert wording.gap_limits(found, column) == limits
    assert wording.gap_limits(found, column, within=True) == limits


def test_a_difference_that_is_not_there() -> None:
    assert wording.gap(difference(None, None, None), SHARE) == "–"
    assert wording.gap_limits(difference(0.5, None, None), SHARE) == ""


def test_a_metric_without_a_unit_has_none() -> None:
    bare = dataclasses.replace(EDIT, metric=dataclasses.replace(REDIT, unit=""))
    assert wording.gap(difference(2.0, 1.0, 3.0), bare) == "+2.00"


def headline(seed: int = 7, **more: object) -> tuple:
    study = findings(seed=seed, **more)  # type: ignore[arg-type]
    told = results(study).headline
    assert told is not None
    return study, *told


def test_the_verdict_in_one_sentence() -> None:
    study, table, first = headline()
    assert wording.sentence(table, first, study) == (
        "tuned is better than base, few-shot: RPass 0.65 against 0.02, difference +63 points "
        "[56, 71] on 156 held-out programs of 60 problems; one training run."
    )
    assert wording.caveats(first, study) == [
        "4 programs could not be told and are left out; the verdict stands if all of them speak "
        "against it."
    ]


@pytest.mark.parametrize(
    ("word", "phrase"),
    [
        ("better", "tuned is better than base, few-shot: "),
        ("worse", "tuned is worse than base, few-shot: "),
        ("equivalent", "tuned is equivalent to base, few-shot: "),
        ("inconclusive", "tuned can’t be told from base, few-shot: "),
    ],
)
def test_each_word_has_its_phrase(word: str, phrase: str) -> None:
    study, table, first = headline()
    other = dataclasses.replace(first.verdict, word=word)
    said = wording.sentence(table, dataclasses.replace(first, verdict=other), study)
    assert said.startswith(phrase)


def altered(first: Compared, **more: object) -> Compared:
    verdict = {name: more.pop(name) for name in ("word", "needed", "worst") if name in more}
    found = dataclasses.replace(first.verdict.found, **more)  # type: ignore[arg-type]
    told = dataclasses.replace(first.verdict, found=found, **verdict)  # type: ignore[arg-type]
    return dataclasses.replace(first, verdict=told)


def test_caveats_say_what_a_reader_must_know() -> None:
    study, _, first = headline()
    said = wording.caveats(altered(first, missing=1, worst="inconclusive"), study)
    assert said == [
        "1 program could not be told and is left out; if all of them spoke against it, the "
        "verdict would be inconclusive."
    ]
    said = wording.caveats(altered(first, missing=2, worst=None), study)
    assert said == ["2 programs could not be told and are left out."]
    said = wording.caveats(altered(first, missing=0, word="inconclusive", needed=1234), study)
    assert said == [
        "About 1,234 programs would settle it with 80% power, were the difference what it seems "
        "to be."
    ]
    said = wording.caveats(altered(first, missing=0, low=None, by="no values"), study)
    assert said == ["There is no interval: no values."]
    within = altered(first, missing=0, word="equivalent", low_within=-0.012, high_within=0.034)
    assert wording.caveats(within, study) == [
        "Equivalent: the 90% interval [−1.2, 3.4] lies within ±5 points."
    ]


def test_nothing_in_common_is_said() -> None:
    study, table, first = headline()
    none = altered(first, difference=None, word="inconclusive")
    assert wording.sentence(table, none, study) == (
        "tuned can’t be told from base, few-shot: no program was scored for both."
    )


def test_held_out_is_said_of_test_rows_only() -> None:
    study, table, first = headline()
    train = {
        name: dataclasses.replace(example, split="train")
        for name, example in study.examples.items()
    }
    mixed = dataclasses.replace(study, examples=train, item="function", group="repository")
    said = wording.sample(table, first.verdict.found, mixed)
    assert said == "156 functions of 60 repositories"


def test_training_runs_are_counted() -> None:
    _, table, first = headline()
    assert wording.training_runs(table, first) == "; one training run"
    other = dataclasses.replace(first, a="base, zero-shot")
    assert wording.training_runs(table, other) == ""
    lines = tuple(
        dataclasses.replace(
            line,
            contestant=dataclasses.replace(line.contestant, trainings=(f"run {i}",)),
        )
        for i, line in enumerate(table.lines)
    )
    both = dataclasses.replace(table, lines=lines)
    assert wording.training_runs(both, first) == "; one training run each"


def test_amounts() -> None:
    assert [wording.duration(s) for s in (None, 0.3841, 61.5, 162.4, 7262.0)] == [
        "–",
        "0.384 s",
        "61.5 s",
        "2 min 42 s",
        "2 h 1 min",
    ]
    assert [wording.size(s) for s in (None, 0, 900, 1536, 1_312_000_000, 3e15)] == [
        "–",
        "0 B",
        "900 B",
        "1.50 KiB",
        "1.22 GiB",
        "2,728 TiB",
    ]
    assert [wording.whole(s) for s in (None, 0, 9_120_768)] == ["–", "0", "9,120,768"]
    assert [wording.p_value(p) for p in (None, 0.00001, 0.0123, 0.5, 0.999, 1.0)] == [
        "–",
        "<0.0001",
        "0.012",
        "0.5",
        "1",
        "1",
    ]
