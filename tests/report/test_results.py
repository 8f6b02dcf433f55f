"""The numbers of a report, and the shape in which programs read them."""

from __future__ import annotations

import dataclasses
import json
from typing import Any, Literal

import pytest
from judged_sample import judged, published
from pydantic import BaseModel, ConfigDict
from sample import LEXER, REDIT, RPASS, TIER, findings, sweep
from written_sample import written

from outdo.errors import DataError
from outdo.records import Example, Metric, Score
from outdo.report import Contestant, Environment, Findings, Match, Row, Slice, results
from outdo.report.results import Results
from outdo.report.scored import Table
from outdo.report.shape import as_json
from outdo.stats import compare, mean, verdict

# ------------------------------------------------------------------ the shape


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class Model(Strict):
    value: float | None
    low: float | None
    high: float | None
    n: int
    groups: int
    missing: int
    runs: list[float]


class Pair(Strict):
    a: int
    b: int


class Comparison(Strict):
    a: str
    b: str
    difference: float | None
    low: float | None
    high: float | None
    n: int
    groups: int
    verdict: Literal["better", "worse", "equivalent", "inconclusive"]
    needed: int | None
    runs: Pair
    needed_runs: int | None


class Change(Comparison):
    metric: str
    p_holm: float | None


class SpreadShape(Strict):
    n: int = 0
    missing: int = 0
    mean: float | None = None
    median: float | None = None
    variance: float | None = None
    deviation: float | None = None
    least: float | None = None
    lower: float | None = None
    upper: float | None = None
    most: float | None = None
    counts: list[int]


class BinsShape(Strict):
    start: float
    width: float
    count: int
    open: bool


class CoefficientShape(Strict):
    value: float | None
    low: float | None
    high: float | None
    by: str


class AssociationShape(Strict):
    slope: CoefficientShape
    intercept: CoefficientShape
    pearson: CoefficientShape
    spearman: CoefficientShape
    n: int
    groups: int
    missing: int
    level: float


class MetricShape(Strict):
    better: Literal["higher", "lower"]
    unit: str
    by: str
    heading: str
    models: dict[str, Model]
    comparisons: list[Comparison]
    spread: dict[str, SpreadShape] = {}
    bins: BinsShape | None = None


class Task(Strict):
    metrics: dict[str, MetricShape]
    precision_recall: dict[str, dict[str, AssociationShape]] = {}
    against: dict[str, list[Change]] = {}


class Look(BaseModel):
    step: int
    loss: float


class Trained(Strict):
    hardware: str | None
    seconds: float | None
    peak_bytes: int | None
    baseline_bytes: int | None
    estimated_bytes: int | None
    trainable: int | None
    total: int | None
    tokens_per_second: float | None
    steps: int | None
    epochs: float | None
    tokens: int | None
    tokens_computed: int | None
    tokens_learnt: int | None
    tokens_shared: int | None
    shared_share: float | None
    padding_share: float | None
    packed: bool | None
    rows: int | None
    rows_cut: int | None
    rows_dropped: int | None
    loss: float | None
    validation: list[Look] | None
    best_step: int | None
    precision: str | None
    device: str | None
    threads: int | None
    processes: int | None
    resumes: int | None


class Number(Strict):
    name: str
    value: float | None
    low: float | None
    high: float | None
    n: int
    unit: str
    about: str


class Spent(Strict):
    seconds: float
    tokens_in: int
    tokens_out: int
    money: float


class JudgeShape(Strict):
    model: str
    family: str
    way: str
    believed: bool
    why: str
    warnings: list[str]
    health: list[Number]
    cost: Spent


class StandingShape(Strict):
    contestant: str
    against: str
    task: str
    judge: str
    part: str
    won: int
    lost: int
    tied: int
    unreadable: int
    failed: int
    rates: list[Number]
    believed: bool


class RubricShape(Strict):
    judge: str
    task: str
    contestant: str
    shares: list[Number]
    against: str
    gaps: list[Number]
    replies: int
    unreadable: int
    failed: int


class Judging(Strict):
    ties: dict[str, Literal["loss", "half", "dropped"]]
    headline: dict[str, str | None]
    judges: dict[str, JudgeShape]
    standings: list[StandingShape]
    agreement: list[Number]
    rubrics: list[RubricShape]


class Card(Strict):
    size: float | None
    kind: Literal["base", "instruct"] | None
    about: Literal["code", "general"] | None
    licence: str | None
    before: str | None


class GainShape(Strict):
    after: str
    before: str
    task: str
    judge: str | None
    metric: str | None
    was: float | None
    now: float | None
    difference: float | None
    low: float | None
    high: float | None
    n: int
    verdict: Literal["better", "worse", "equivalent", "inconclusive"] | None


class PublishedShape(Strict):
    title: str
    rows: list[Number]
    pairs: list[Number]
    sentences: list[str]


class Shape(Strict):
    schema_: int
    study: str
    tasks: dict[str, Task]
    training: dict[str, Trained]
    judging: Judging
    models: dict[str, Card]
    before_after: list[GainShape]
    published: list[PublishedShape]
    replicated: list[Any] = []


def read(study: Findings) -> Shape:
    data = json.loads(json.dumps(as_json(study, results(study)), allow_nan=False))
    data["schema_"] = data.pop("schema")
    return Shape.model_validate(data)


def test_spreads_correlations_and_changes_are_told() -> None:
    told = read(written(items=30)).tasks["write"]
    bleu = told.metrics["bleu"]
    assert bleu.bins is not None
    assert list(bleu.spread) == ["base", "sft", "dpo"]
    for name, shape in bleu.spread.items():
        assert shape.n == sum(shape.counts) == bleu.models[name].n
        assert shape.mean == pytest.approx(bleu.models[name].value)
    assert told.metrics["passed"].spread == {}
    assert list(told.precision_recall) == ["bertscore"]
    assert (told.precision_recall["bertscore"]["dpo"].pearson.value or 0) > 0.8
    changes = told.against["base"]
    assert {one.a for one in changes} == {"sft", "dpo"}
    assert {one.metric for one in changes} == set(told.metrics)


def test_results_have_the_documented_shape() -> None:
    told = read(findings())
    assert (told.schema_, told.study) == (2, "quickstart")
    assert list(told.tasks) == ["repair", "repair/seen problems", "repair/unseen problems"]
    assert list(told.tasks["repair"].metrics) == ["rpass", "redit", "redit_common"]
    tuned = told.training["tuned"]
    assert (tuned.seconds, tuned.peak_bytes, tuned.baseline_bytes) == (
        162.4,
        1_312_000_000,
        420_000_000,
    )
    assert (tuned.trainable, tuned.total) == (294_912, 9_120_768)
    assert (tuned.tokens_per_second, tuned.hardware) == (6_650.0, "2 cores, Intel Xeon, no GPU")
    # An older report has no more than these.
    assert (tuned.tokens_shared, tuned.validation, tuned.best_step) == (None, None, None)


def test_a_study_without_judges_tells_of_none() -> None:
    told = read(findings())
    nothing = {"ties": {}, "headline": {}, "judges": {}}
    assert told.judging == Judging(**nothing, standings=[], agreement=[], rubrics=[])
    assert (told.models, told.before_after, told.published) == ({}, [], [])


def test_a_judged_study_tells_of_judges_and_marks_those_not_believed() -> None:
    told = read(judged(models=2, judges=2, believed=1, items=18, tasks=("review",)))
    assert told.judging.ties == {"review": "half"}
    assert told.judging.headline == {"review": "panel"}
    assert {name: one.believed for name, one in told.judging.judges.items()} == {
        "judge-1": True,
        "judge-2": False,
    }
    assert {one.judge for one in told.judging.standings if not one.believed} == {"judge-2"}
    assert {one.part for one in told.judging.standings} >= {"", "language: Go", "size: small"}
    assert told.models["qwen-coder-0.5b tuned"].before == "qwen-coder-0.5b"
    judged_gain = next(one for one in told.before_after if one.judge)
    assert (judged_gain.task, judged_gain.judge, judged_gain.metric) == ("review", "panel", None)
    assert judged_gain.before == judged_gain.after.removesuffix(" tuned")
    assert {one.metric for one in told.before_after} == {None, "found"}


def test_published_rates_are_told() -> None:
    told = read(published()).published[0]
    assert told.rows[0].name == "tuned, 14B"
    assert len(told.pairs) == 6


def test_a_training_that_told_little_has_nulls() -> None:
    study = findings()
    bare = dataclasses.replace(
        study.trainings[0], report={"seconds": 3.0, "loss": float("nan")}, curve=()
    )
    told = read(dataclasses.replace(study, trainings=(bare,)))
    assert told.training["tuned"].seconds == 3.0
    assert (told.training["tuned"].peak_bytes, told.training["tuned"].loss) == (None, None)


def test_a_sweep_tells_of_every_run() -> None:
    told = read(sweep())
    assert list(told.training) == [
        f"rank {rank}, seed {seed}" for rank in (4, 16, 64) for seed in range(3)
    ]
    last = told.training["rank 64, seed 2"]
    assert (last.tokens, last.tokens_shared, last.best_step) == (480_000, 90_000, 120)
    assert last.validation is not None
    assert [look.step for look in last.validation] == [40, 80, 120]
    models = told.tasks["repair"].metrics["rpass"].models
    assert [len(models[name].runs) for name in ("base, few-shot", "rank 4", "rank 64")] == [0, 3, 3]
    first = told.tasks["repair"].metrics["rpass"].comparisons[0]
    assert (first.a, first.runs) == ("rank 64", Pair(a=3, b=1))


# ------------------------------------------------------------------ a study small enough to check


def example(number: int, group: str) -> Example:
    return Example(
        id=f"e{number}", task="repair", given={}, wanted={}, group=group, split="test", source="s"
    )


def row(number: int, passed: float | None, edit: float | None = None, **more: object) -> Row:
    scores = [Score(metric="rpass", by=TIER, value=passed)]
    if edit is not None:
        scores.append(Score(metric="redit", by=LEXER, value=edit))
    return Row(example=f"e{number}", scores=tuple(scores), **more)  # type: ignore[arg-type]


def contestant(name: str, *rows: Row, **more: object) -> Contestant:
    return Contestant(name=name, task="repair", rows=rows, **more)  # type: ignore[arg-type]


BASE = contestant("base", row(0, 0), row(1, 1, 4), row(2, 0), row(3, 1, 6), reference=True)
TUNED = contestant("tuned", row(0, 1, 2), row(1, 1, 3), row(2, 1, 5), row(3, 1, 5))
FLOOR = contestant("floor/same", row(0, 0), row(1, 0), row(2, 0), row(3, 1, 1), floor=True)


def study(*contestants: Contestant, **more: object) -> Findings:
    settings: dict = {
        "study": "small",
        "examples": {f"e{i}": example(i, "ab"[i % 2]) for i in range(4)},
        "metrics": {"repair": (RPASS, REDIT)},
        "contestants": contestants or (BASE, TUNED, FLOOR),
        "environment": Environment(outdo="0"),
    }
    return Findings(**settings | more)


def table(told: Results, title: str = "repair") -> Table:
    return next(table for table in told.tables if table.title == title)


def cells(told: Table, name: str) -> dict:
    return dict(next(line.cells for line in told.lines if line.contestant.name == name))


def test_each_cell_is_the_mean_of_what_applies() -> None:
    told = table(results(study()))
    assert cells(told, "base")["rpass"] == mean([0, 1, 0, 1], list("abab"), share=True)
    assert cells(told, "tuned")["rpass"].value == 1.0
    assert cells(told, "tuned")["redit"] == mean([2.0, 3.0, 5.0, 5.0], list("abab"), share=False)
    assert cells(told, "base")["redit"].value == 5.0
    assert (cells(told, "base")["redit"].n, cells(told, "base")["redit"].missing) == (2, 0)


def test_common_means_are_over_what_all_models_solved_and_floors_do_not_narrow_it() -> None:
    told = table(results(study()))
    assert cells(told, "base")["redit_common"].value == 5.0
    assert cells(told, "tuned")["redit_common"].value == 4.0
    assert "redit_common" not in cells(told, "floor/same")
    common = next(column for column in told.columns if column.common)
    assert common.heading == "REdit"
    assert common.title == "REdit, where all models have one"


def test_a_model_that_solves_nothing_does_not_empty_the_common_ones() -> None:
    nothing = contestant("weak", *(row(i, 0) for i in range(4)))
    told = table(results(study(BASE, TUNED, nothing)))
    assert cells(told, "tuned")["redit_common"].n == 2
    assert list(cells(told, "weak")) == ["rpass"]


def test_one_model_alone_has_nothing_in_common() -> None:
    told = table(results(study(TUNED, FLOOR)))
    assert [column.name for column in told.columns] == ["rpass", "redit"]


def test_by_default_every_model_is_compared_with_the_reference() -> None:
    told = table(results(study()))
    pairs = [(one.a, one.b, one.column.name) for one in told.compared]
    assert pairs == [("tuned", "base", name) for name in ("rpass", "redit", "redit_common")]
    first = told.compared[0].verdict
    a = {"e0": 1.0, "e1": 1.0, "e2": 1.0, "e3": 1.0}
    b = {"e0": 0.0, "e1": 1.0, "e2": 0.0, "e3": 1.0}
    groups = {"e0": "a", "e1": "b", "e2": "a", "e3": "b"}
    assert first == verdict(a, b, better="higher", share=True, groups=groups)
    assert told.reference == "base"


def test_fewer_edits_are_better() -> None:
    many = study(
        contestant("base", *(row(i, 1, 9 + i % 2) for i in range(4)), reference=True),
        contestant("tuned", *(row(i, 1, 1) for i in range(4))),
    )
    told = next(one for one in table(results(many)).compared if one.column.name == "redit")
    assert told.verdict.word == "better"
    assert told.verdict.found.difference == -8.5


def test_changes_are_told_against_the_reference_for_floors_too() -> None:
    lines = {line.contestant.name: line for line in table(results(study())).lines}
    assert lines["base"].changes == {}
    assert lines["tuned"].changes["rpass"].found.difference == 0.5
    assert lines["floor/same"].changes["rpass"].found.difference == -0.25


def test_the_first_match_is_the_headline() -> None:
    told = results(study(matches=(Match(task="repair", a="floor/same", b="tuned"),)))
    assert told.headline is not None
    where, first = told.headline
    assert (where.title, first.a, first.b, first.column.name) == (
        "repair",
        "floor/same",
        "tuned",
        "rpass",
    )
    assert table(told).reference == "base"


def test_without_a_reference_changes_are_against_the_first_match() -> None:
    plain = dataclasses.replace(BASE, reference=False)
    told = study(plain, TUNED, FLOOR, matches=(Match(task="repair", a="tuned", b="floor/same"),))
    assert table(results(told)).reference == "floor/same"
    nothing = results(study(plain, TUNED))
    assert (nothing.headline, table(nothing).reference, table(nothing).compared) == (None, None, ())


def test_the_margin_makes_two_equivalent() -> None:
    rows = [row(i, i % 2) for i in range(200)]
    twins = study(
        contestant("base", *rows, reference=True),
        contestant("tuned", *rows),
        examples={f"e{i}": example(i, f"g{i % 20}") for i in range(200)},
        margins={("repair", "rpass"): 0.05},
    )
    assert table(results(twins)).compared[0].verdict.word == "equivalent"
    assert table(results(twins)).compared[0].margin == 0.05
    elsewhere = dataclasses.replace(twins, margins={("repair, other", "rpass"): 0.05})
    assert table(results(elsewhere)).compared[0].verdict.word == "inconclusive"


# ------------------------------------------------------------------ missing, samples, signatures


def test_an_unanswered_row_is_missing_under_every_metric() -> None:
    gone = contestant("tuned", row(0, 1, 2), Row(example="e1", missing="context too long"))
    told = cells(table(results(study(BASE, gone))), "tuned")
    assert (told["rpass"].n, told["rpass"].missing) == (1, 1)
    assert (told["redit"].n, told["redit"].missing) == (1, 1)


def test_a_score_of_none_is_missing_and_not_zero() -> None:
    told = cells(table(results(study(BASE, contestant("tuned", row(0, 1), row(1, None))))), "tuned")
    assert (told["rpass"].value, told["rpass"].missing) == (1.0, 1)


def test_samples_are_folded_and_pass_at_k_stands_beside() -> None:
    rows = [row(i, float(index <= i), index=index) for i in range(4) for index in range(3)]
    told = table(results(study(contestant("tuned", *rows), BASE, FLOOR)))
    assert [column.name for column in told.columns][:2] == ["rpass", "rpass@2"]
    assert cells(told, "tuned")["rpass"].n == 4
    assert cells(told, "tuned")["rpass"].value == pytest.approx((1 / 3 + 2 / 3 + 1 + 1) / 4)
    assert cells(told, "tuned")["rpass@2"].value == pytest.approx((2 / 3 + 1 + 1 + 1) / 4)
    assert "rpass@2" not in cells(told, "base")
    by = next(column.by for column in told.columns if column.name == "rpass@2")
    assert by == f"{TIER}; unbiased pass@2 of up to 3 samples"


def test_two_signatures_never_share_a_column() -> None:
    other = contestant(
        "tuned",
        *(
            Row(example=f"e{i}", scores=(Score(metric="rpass", by="v2", value=1.0),))
            for i in (0, 1)
        ),
    )
    told = table(results(study(BASE, other)))
    headings = {column.name: (column.heading, column.by) for column in told.columns}
    assert headings["rpass"] == ("RPass", TIER)
    assert headings["rpass#2"] == ("RPass (2)", "v2")
    assert "rpass" not in cells(told, "tuned")
    assert "rpass#2" not in cells(told, "base")
    assert told.compared == ()


def test_units_say_what_is_a_share() -> None:
    def share(unit: str, value: float) -> bool:
        metric = Metric(name="m", heading="M", better="higher", unit=unit)
        rows = [
            Row(example=f"e{i}", scores=(Score(metric="m", by="x", value=value),)) for i in range(4)
        ]
        told = study(contestant("one", *rows), metrics={"repair": (metric,)})
        return table(results(told)).columns[0].share

    assert share("share", 0.5)
    assert share("%", 0.5)
    assert share("", 0.5)
    assert not share("", 1.5)
    assert not share("tokens", 1.0)


# ------------------------------------------------------------------ training runs


def runs(name: str, *passed: tuple[int, ...], **more: object) -> Contestant:
    rows = [
        row(i, value, 2 + run if value else None, run=run)
        for run, values in enumerate(passed)
        for i, value in enumerate(values)
    ]
    return contestant(name, *rows, trainings=tuple(f"{name} {i}" for i in range(len(passed))))


def test_runs_of_a_contestant_are_nested_and_never_pooled() -> None:
    three = runs("tuned", (1, 1, 1, 0), (1, 0, 1, 0), (1, 0, 0, 0))
    told = table(results(study(BASE, three)))
    cell = cells(told, "tuned")["rpass"]
    assert cell.run_means == (0.75, 0.5, 0.25)
    assert (cell.value, cell.n) == (0.5, 4)
    assert told.values["tuned", "rpass"] == pytest.approx(
        {"e0": 1.0, "e1": 1 / 3, "e2": 2 / 3, "e3": 0.0}
    )
    found = told.compared[0].verdict.found
    assert found == compare(
        told.runs["tuned", "rpass"], told.runs["base", "rpass"], share=True, groups=told.groups
    )
    assert (found.runs_a, found.runs_b) == (3, 1)


def test_edits_are_told_over_the_runs_that_have_some() -> None:
    two = runs("tuned", (1, 1, 0, 0), (0, 0, 0, 0))
    cell = cells(table(results(study(BASE, two))), "tuned")["redit"]
    assert (cell.value, cell.n, cell.run_means) == (2.0, 2, ())


def test_common_examples_are_those_that_every_run_solved() -> None:
    two = runs("tuned", (1, 1, 1, 1), (1, 0, 1, 1))
    told = cells(table(results(study(BASE, two))), "tuned")["redit_common"]
    assert (told.n, told.value) == (1, 2.5)


def test_the_same_runs_asked_in_two_ways_are_paired() -> None:
    values = ((1, 1, 1, 1), (1, 0, 0, 0), (1, 1, 0, 1))
    one, other = runs("tuned", *values), runs("tuned", *values)
    other = dataclasses.replace(other, name="tuned, few-shot", reference=True)
    found = table(results(study(one, other))).compared[0].verdict.found
    assert (found.difference, found.between) == (0.0, 0.0)
    assert found.by == "Tango at the effective size, by row"
    apart = dataclasses.replace(other, trainings=("x", "y", "z"))
    found = table(results(study(one, apart))).compared[0].verdict.found
    assert found.by == "Tango at the effective size, by row and run"


def test_samples_of_a_run_give_its_own_pass_at_k() -> None:
    rows = [
        row(i, float(index <= i + run), index=index, run=run)
        for run in range(2)
        for i in range(4)
        for index in range(3)
    ]
    told = table(results(study(contestant("tuned", *rows), BASE)))
    assert cells(told, "tuned")["rpass@2"].run_means == pytest.approx(
        ((2 / 3 + 1 + 1 + 1) / 4, 1.0)
    )


def test_an_interval_ends_where_a_metric_does() -> None:
    rows = (row(0, 1, 1), row(1, 1, 9))
    bounded = dataclasses.replace(REDIT, least=0.0)
    told = study(contestant("one", *rows), metrics={"repair": (RPASS, bounded)})
    assert cells(table(results(told)), "one")["redit"].low == 0.0
    assert cells(table(results(study(contestant("one", *rows)))), "one")["redit"].low < 0


# ------------------------------------------------------------------ slices and claims


def test_a_slice_has_its_own_examples_and_claim() -> None:
    whole = findings()
    told = results(whole)
    unseen = table(told, "repair/unseen problems")
    assert unseen.claim == "new"
    assert set(unseen.groups.values()) == {f"problem-{i:02}" for i in range(15)}
    assert len(unseen.groups) == 45
    assert unseen.population.startswith("The claim is about new problems")
    assert table(told).population.startswith("The claim is about these 60 problems")
    a, b = unseen.values["tuned", "rpass"], unseen.values["base, few-shot", "rpass"]
    assert unseen.compared[0].verdict.found == compare(
        a, b, share=True, groups=unseen.groups, claim="new"
    )


def test_a_contestant_that_was_not_asked_is_not_in_the_slice() -> None:
    part = Slice(name="late", task="repair", examples=("e3",))
    short = contestant("tuned", row(0, 1), row(1, 1))
    told = table(results(study(BASE, short, slices=(part,))), "repair/late")
    assert [line.contestant.name for line in told.lines] == ["base"]
    assert told.compared == ()


def test_two_groups_give_no_interval_about_new_ones() -> None:
    told = table(results(study(claims={"repair": "new"})))
    assert cells(told, "base")["rpass"].low is None
    assert told.compared[0].verdict.word == "inconclusive"


# ------------------------------------------------------------------ findings that contradict


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"metrics": {}}, "base (repair) answers a task without metrics"),
        ({"contestants": (BASE, BASE)}, "base (repair) stands twice in the findings"),
        ({"examples": {}}, "base (repair) answers an unknown example 'e0'"),
        (
            {"matches": (Match(task="repair", a="tuned", b="gone"),)},
            "repair: 'gone' is to be compared and isn't there",
        ),
        (
            {"slices": (Slice(name="late", task="hint", examples=()),)},
            "the slice 'late' is of an unknown task 'hint'",
        ),
    ],
)
def test_contradictions_are_refused(more: dict, said: str) -> None:
    with pytest.raises(DataError) as error:
        results(study(**more))
    assert str(error.value) == said


def test_a_study_without_answers_is_empty_not_broken() -> None:
    bare = study(contestants=())
    told = results(dataclasses.replace(bare, contestants=()))
    assert told.headline is None
    assert table(told).columns == ()
