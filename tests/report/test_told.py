"""What a report tells beside means: spreads, precision against recall, changes against a row."""

from __future__ import annotations

import csv
import dataclasses
import io
import statistics

import pytest
from sample import findings, sweep
from scipy import stats
from test_page import Page, page
from written_sample import SIGNATURE, written

from outdo.records import Metric, Score
from outdo.report import Findings, Row, results, wording
from outdo.report.page import render, render_items
from outdo.report.spreads import Spread
from outdo.report.tables import markdown, tables
from outdo.stats.many import holm

WRITTEN = written()
FOUND = results(WRITTEN)


@pytest.fixture(scope="module")
def shown() -> Page:
    """The page of the study that most tests ask."""
    return Page(render(WRITTEN, FOUND))


def scored(*values: float | None, metric: Metric, names: tuple[str, ...] = ("a", "b")) -> Findings:
    """Contestants that all have these scores, one an example, under one metric."""
    study = written(names, items=len(values), groups=max(1, len(values)))
    contestants = [
        dataclasses.replace(
            one,
            rows=tuple(
                Row(example=row.example, scores=(Score(metric=metric.name, by="x", value=value),))
                for row, value in zip(one.rows, values, strict=True)
            ),
        )
        for one in study.contestants
    ]
    return dataclasses.replace(
        study, contestants=tuple(contestants), metrics={"write": (metric,)}, trainings=()
    )


def spread_of(study: Findings) -> Spread:
    (found,) = results(study).spreads["write"]
    return found


BLEU = Metric(name="bleu", heading="Edit effort, BLEU", better="higher", unit="share")
TOKENS = Metric(name="redit", heading="REdit", better="lower", unit="tokens")
RATE = Metric(name="rpass", heading="RPass", better="higher", unit="share")


# ------------------------------------------------------------------ spreads


def test_every_metric_but_rates_has_a_spread() -> None:
    told = [one.column.name for one in FOUND.spreads["write"]]
    assert told == ["bleu", "bertscore_precision", "bertscore_recall", "bertscore_f1", "edits"]
    assert [one.column.name for one in results(findings()).spreads["repair"]] == ["redit"]
    assert list(results(findings()).spreads) == ["repair"]


def test_a_spread_describes_the_scores_of_each_contestant() -> None:
    bleu = FOUND.spreads["write"][0]
    for shape, one in zip(bleu.shapes, WRITTEN.contestants, strict=True):
        own = [
            score.value
            for row in one.rows
            for score in row.scores
            if score.metric == "bleu" and score.value is not None
        ]
        assert shape.described is not None
        assert shape.described.mean == pytest.approx(statistics.fmean(own))
        assert shape.described.variance == pytest.approx(statistics.pvariance(own))
        assert shape.missing == sum(row.missing is not None for row in one.rows)
        assert sum(shape.counts) == len(own)
    assert bleu.highest == max(max(shape.counts) for shape in bleu.shapes)


def test_samples_of_an_example_are_one_score() -> None:
    study = scored(0.2, 0.4, metric=BLEU)
    twice = dataclasses.replace(
        study,
        contestants=tuple(
            dataclasses.replace(
                one,
                rows=(*one.rows, *(dataclasses.replace(row, index=1) for row in one.rows)),
            )
            for one in study.contestants
        ),
    )
    assert spread_of(twice).shapes[0].described == spread_of(study).shapes[0].described


@pytest.mark.parametrize("value", [0.0, 0.5, 1.0])
def test_likeness_is_no_rate_even_where_all_of_it_is_0_or_1(value: float) -> None:
    shape = spread_of(scored(value, value, metric=BLEU)).shapes[0]
    assert shape.described is not None
    assert (shape.described.mean, shape.described.variance) == (value, 0.0)
    assert sum(shape.counts) == 2


def test_a_rate_has_no_spread_whatever_its_mean() -> None:
    assert results(scored(0.0, 1.0, 1.0, metric=RATE)).spreads["write"] == ()
    assert results(scored(None, None, metric=TOKENS)).spreads["write"] == ()


def test_whoever_has_no_score_keeps_an_empty_shape() -> None:
    study = scored(3.0, 4.0, metric=TOKENS)
    bare = dataclasses.replace(
        study.contestants[1],
        rows=tuple(
            dataclasses.replace(row, scores=(Score(metric="redit", by="x", value=None),))
            for row in study.contestants[1].rows
        ),
    )
    study = dataclasses.replace(study, contestants=(study.contestants[0], bare))
    told = spread_of(study).shapes[1]
    assert (told.described, told.missing, sum(told.counts)) == (None, 2, 0)
    assert "no scores" in page(study).text


# ------------------------------------------------------------------ precision against recall


def test_precision_against_recall_has_a_line_and_two_correlations() -> None:
    (relation,) = FOUND.relations["write"]
    assert (relation.name, relation.title) == ("bertscore", "BERTScore")
    for line in relation.lines:
        recall, precision = zip(*line.points, strict=True)
        fit = stats.linregress(recall, precision)
        assert line.found.slope.value == pytest.approx(fit.slope)
        assert line.found.intercept.value == pytest.approx(fit.intercept)
        assert line.found.pearson.value == pytest.approx(fit.rvalue)
        assert line.found.spearman.value == pytest.approx(
            stats.spearmanr(recall, precision).statistic
        )
        assert line.found.pearson.low is not None and line.found.spearman.high is not None


def test_precision_and_recall_of_two_signatures_are_no_pair() -> None:
    def other(row: Row) -> Row:
        return dataclasses.replace(
            row,
            scores=tuple(
                dataclasses.replace(one, by="another model")
                if one.metric == "bertscore_recall"
                else one
                for one in row.scores
            ),
        )

    contestants = tuple(
        dataclasses.replace(one, rows=tuple(other(row) for row in one.rows))
        for one in WRITTEN.contestants
    )
    assert results(dataclasses.replace(WRITTEN, contestants=contestants)).relations["write"] == ()
    assert results(findings()).relations["repair"] == ()
    assert SIGNATURE in {one.precision.by for one in FOUND.relations["write"]}


def test_a_claim_about_new_groups_draws_groups() -> None:
    (relation,) = results(dataclasses.replace(WRITTEN, claims={"write": "new"})).relations["write"]
    assert {line.found.groups for line in relation.lines} <= {39, 40}
    assert {line.found.groups for line in FOUND.relations["write"][0].lines} == {97, 98}


# ------------------------------------------------------------------ changes


def test_everybody_stands_against_each_row_that_the_study_names() -> None:
    study = findings()
    told = results(study).against["repair"]
    assert [one.reference for one in told] == ["base, few-shot", "base, zero-shot", "floor/nearest"]
    first = told[0]
    assert {one.a for one in first.changes if one.column.name == "rpass"} == {
        "base, zero-shot",
        "tuned",
        "floor/unchanged",
        "floor/nearest",
    }
    assert first.floors == {"floor/unchanged", "floor/nearest"}
    table = results(study).tables[0]
    told_there = {line.contestant.name: line.changes.get("rpass") for line in table.lines}
    for one in first.of(first.columns[0]):
        assert one.verdict == told_there[one.a]


def test_p_values_against_a_row_hold_together() -> None:
    (told,) = FOUND.against["write"]
    own = told.of(told.columns[0])
    assert [told.adjusted[one.a, one.column.name] for one in own] == list(
        holm([one.verdict.found.p for one in own])
    )


def test_one_comparison_alone_is_told_once() -> None:
    assert results(written(("base", "sft"), items=12)).against["write"] == ()
    assert "Change against a row" not in page(written(("base", "sft"), items=12)).text
    assert results(dataclasses.replace(WRITTEN, contestants=(), matches=())).against["write"] == ()


# ------------------------------------------------------------------ pages and tables


def test_likeness_stands_under_edit_effort_with_what_it_correlates_with(shown: Page) -> None:
    told = shown.text
    assert told.index("Scores") < told.index("Edit effort") < told.index("Precision and recall")
    assert "0.16 with correctness and 0.72 with editing effort" in told
    assert "Edit effort" not in page(findings()).text
    said = markdown(WRITTEN, FOUND)
    assert "### Edit effort" in said
    assert wording.EFFORT in said
    assert "| write | Pass |" in said


def test_a_task_of_likeness_alone_has_no_other_scores() -> None:
    told = page(scored(0.2, 0.7, metric=BLEU)).text
    assert "Edit effort" in told
    assert " Scores " not in told


def test_a_page_tells_spread_correlations_and_changes(shown: Page) -> None:
    told = shown.text
    for said in (
        "Spread of BLEU",
        "standard deviation",
        "lower quartile",
        "BERTScore: precision against recall",
        "A slope is no correlation",
        "Pearson’s r",
        "Spearman’s ρ",
        "Change against a row",
        "p, Holm",
        "Loss by",
        "tokens seen",
    ):
        assert said in told, said


def test_groups_are_told_with_counts(shown: Page) -> None:
    told = shown
    rates = FOUND.tables[0].values["sft", "passed"]
    own = [value for name, value in rates.items() if FOUND.tables[0].groups[name] == "topic-03"]
    known = [value for value in own if value is not None]
    assert f"{sum(known):.0f} of {len(known)}" in told.text
    assert {"groups-1", "items-1"} <= {form.get("data-table") for form in told.named("form")}
    assert " n 3 " in page(sweep()).text  # the mean over runs of a program is no 0 or 1


def test_tables_hold_every_digit() -> None:
    told = dict(tables(WRITTEN, FOUND))
    spread = list(csv.DictReader(io.StringIO(told["spread.csv"])))
    first = FOUND.spreads["write"][0].shapes[0].described
    assert first is not None
    assert float(spread[0]["variance"]) == first.variance
    assert [(row["model"], row["metric"]) for row in spread[:2]] == [
        ("base", "bleu"),
        ("sft", "bleu"),
    ]
    counts = list(csv.DictReader(io.StringIO(told["histograms.csv"])))
    mine = [row for row in counts if (row["model"], row["metric"]) == ("base", "edits")]
    assert sum(int(row["count"]) for row in mine) == 97
    tailed = scored(*map(float, range(1, 100)), 9e4, metric=TOKENS)
    counts = list(
        csv.DictReader(io.StringIO(dict(tables(tailed, results(tailed)))["histograms.csv"]))
    )
    assert (counts[-1]["end"], counts[-1]["count"]) == ("", "1")
    lines = list(csv.DictReader(io.StringIO(told["precision-recall.csv"])))
    assert float(lines[2]["pearson"]) == FOUND.relations["write"][0].lines[2].found.pearson.value
    changes = list(csv.DictReader(io.StringIO(told["against.csv"])))
    assert {row["against"] for row in changes} == {"base"}
    groups = list(csv.DictReader(io.StringIO(told["by-topic.csv"])))
    assert {row["group"] for row in groups} == {f"topic-{i:02}" for i in range(40)}
    for name in ("spread-write.tex", "precision-recall-write.tex", "against-write.tex"):
        assert "\\toprule" in told[name]


# ------------------------------------------------------------------ every example


def test_every_example_is_shown_with_every_model_s_reply() -> None:
    html = render_items(WRITTEN, FOUND)
    assert html.count("<details data-row") == 100
    assert html.count("data-side=") == sum(
        row.missing is None and other.missing is None
        for row, other in zip(WRITTEN.contestants[0].rows, WRITTEN.contestants[1].rows, strict=True)
    )
    assert "Every task" in html
    assert "no answer came" in html


def test_replies_of_floors_are_left_out_and_hostile_ones_escaped() -> None:
    study = findings()
    html = render_items(study, results(study))
    assert html.count("<details data-row") == 160
    assert "<img src=x" not in html
    assert "<b>floor/nearest</b>" not in html


def test_a_page_that_would_grow_too_large_says_what_it_left_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("outdo.report.shown.MOST_LETTERS", 5_000)
    html = render_items(WRITTEN, FOUND)
    kept = html.count("<details data-row")
    assert 0 < kept < 100
    assert f"{100 - kept} more would make this page too large" in html


def test_a_study_without_contestants_has_no_page_of_examples() -> None:
    bare = dataclasses.replace(WRITTEN, contestants=(), matches=())
    assert "<details data-row" not in render_items(bare, results(bare))


def test_names_of_contestants_are_text() -> None:
    study = written(("base", "<b>x</b>", "dpo"), items=12)
    assert "<b>x</b>" not in render_items(study, results(study))
    told = page(study)
    assert "<b>x</b>" in told.text  # unescaped again by the parser: it was text
