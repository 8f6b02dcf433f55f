"""What a report says of training: entries side by side, runs folded, and plots of them."""

from __future__ import annotations

import csv
import dataclasses
import io
import itertools
import statistics
import xml.etree.ElementTree as ET

import pytest
from sample import findings, sweep
from test_page import page

from outdo.report import Contestant, Findings, Training, plots, results, wording
from outdo.report.plots import apart
from outdo.report.tables import markdown, tables
from outdo.report.training import (
    HELD_OUT,
    MEASURES,
    MEMORY,
    SECONDS,
    Amount,
    entries,
    measured,
    measures,
    swept,
)

SWEEP = sweep()


def with_trainings(study: Findings, *trainings: Training) -> Findings:
    return dataclasses.replace(study, trainings=trainings)


def test_runs_that_a_contestant_stands_on_are_one_entry() -> None:
    shown = entries(SWEEP)
    assert [(one.name, len(one.runs), dict(one.differs)) for one in shown] == [
        (f"rank {rank}", 3, {"rank": rank}) for rank in (4, 16, 64)
    ]
    seconds = shown[0].amount(SECONDS)
    own = [run.report["seconds"] for run in SWEEP.trainings[:3]]
    assert seconds == Amount(
        mean=statistics.fmean(own),
        deviation=statistics.stdev(own),
        least=min(own),
        most=max(own),
        runs=3,
    )
    assert measured(shown[2], MEMORY) == [
        run.report["peak_bytes"] - run.report["baseline_bytes"] for run in SWEEP.trainings[6:]
    ]
    assert shown[0].part_trained() == pytest.approx(73_728 / 9_194_496)


def test_a_named_entry_says_what_belongs_together() -> None:
    renamed = [dataclasses.replace(run, entry="all") for run in SWEEP.trainings[:2]]
    (only,) = entries(with_trainings(SWEEP, *renamed))
    assert (only.name, len(only.runs), dict(only.differs)) == ("all", 2, {})
    alone = entries(dataclasses.replace(SWEEP, contestants=()))
    assert [one.name for one in alone] == [run.name for run in SWEEP.trainings]


def test_the_same_training_on_two_machines_stands_in_two_columns() -> None:
    there = [
        dataclasses.replace(run, report={**run.report, "hardware": "NVIDIA H200"})
        for run in SWEEP.trainings[1:3]
    ]
    shown = entries(with_trainings(SWEEP, SWEEP.trainings[0], *there))
    assert [(one.name, one.hardware, len(one.runs)) for one in shown] == [
        ("rank 4 on 2 cores, AMD EPYC", "2 cores, AMD EPYC", 1),
        ("rank 4 on NVIDIA H200", "NVIDIA H200", 2),
    ]


def test_a_kept_step_decides_which_held_out_loss_is_told() -> None:
    run = SWEEP.trainings[0]
    first = dataclasses.replace(run, report={**run.report, "best_step": 40})
    last = dataclasses.replace(run, report={**run.report, "best_step": None})
    looks = [look["loss"] for look in run.report["validation"]]
    assert (HELD_OUT.of(first), HELD_OUT.of(last)) == (looks[0], looks[-1])
    scored = {**run.report, "validation": [{"step": 40, "score": 0.5}], "best_step": 40}
    score = next(one for one in MEASURES if one.name == "validation_score")
    assert score.of(dataclasses.replace(run, report=scored)) == 0.5


@pytest.mark.parametrize(
    "report",
    [
        {},
        {"seconds": None, "settings": None, "base": "x", "validation": "none", "loss": "nan"},
        {"seconds": True, "loss": float("nan"), "validation": [None, {"step": 1}], "hardware": 3},
        {"settings": {"lora": None, "learning_rate": None}, "trainable": 0, "total": 0},
    ],
)
def test_what_an_older_report_lacks_is_not_told(report: dict) -> None:
    bare = Training(name="old", report=report, curve=({"step": 1}, {"loss": 2.0}))
    study = with_trainings(findings(problems=4, programs=8, unseen=0), bare)
    assert "old" in page(study).text
    assert "## Training" in markdown(study, results(study))
    assert "training.csv" in dict(tables(study, results(study)))
    both = with_trainings(SWEEP, *SWEEP.trainings, bare)
    assert "–" in page(both).text
    assert plots.losses(entries(with_trainings(study, bare))) is None


# ------------------------------------------------------------------ sweeps


def test_a_sweep_is_of_the_rank_if_that_differs_else_of_what_differs_most() -> None:
    assert swept(entries(SWEEP)) == "rank"
    assert swept(entries(findings())) is None

    def run(name: str, **settings: object) -> Training:
        return Training(name=name, report={"settings": settings})

    rates = [run(f"r{i}", learning_rate=10.0**-i, schedule=str(i % 2)) for i in range(3)]
    shown = entries(with_trainings(SWEEP, *rates))
    assert swept(shown) == "learning_rate"
    assert plots.series(shown, "learning_rate") == {"schedule 0": [2, 0], "schedule 1": [1]}
    assert plots.sweep(shown, "learning_rate") == []


def test_a_sweep_shows_time_memory_and_loss_with_a_dot_a_run() -> None:
    told = plots.sweep(entries(SWEEP), "rank")
    assert [what for what, _ in told] == [
        "TrainingTime (min)",
        "TrainingMemory (MiB)",
        "trained parameters (thousands)",
        "validation loss",
    ]
    for what, svg in told:
        tree = ET.fromstring(str(svg))
        assert len(tree.findall("circle")) == 9, what
        assert len(tree.findall("polyline")) == 1
        marks = [text.text for text in tree.findall("text[@class='x']")]
        assert marks == ["4", "16", "64", "rank"]
        xs = sorted({float(dot.get("cx", "")) for dot in tree.findall("circle")})
        assert xs[1] - xs[0] == pytest.approx(xs[2] - xs[1], abs=0.2)
    assert told[0][1].count("rank 64: 2 min") == 3


def test_entries_without_the_setting_are_no_part_of_a_sweep() -> None:
    full = dataclasses.replace(
        SWEEP.trainings[0], name="full", report={"settings": {"lora": None}, "seconds": 9.0}
    )
    told = plots.sweep(entries(with_trainings(SWEEP, *SWEEP.trainings, full)), "rank")
    assert len(told) == 4
    assert "full" not in str(told[0][1])


# ------------------------------------------------------------------ loss


def test_the_runs_of_an_entry_share_a_colour_and_a_name() -> None:
    svg = plots.losses(entries(SWEEP))
    tree = ET.fromstring(str(svg))
    lines = [line.get("class") for line in tree.findall("polyline")]
    assert [lines.count(f"run c{i}") for i in range(3)] == [3, 3, 3]
    assert [lines.count(f"held c{i}") for i in range(3)] == [3, 3, 3]
    assert "raw c0" not in lines
    names = tree.findall("text[@class]")
    beside = {text.get("class"): text.text for text in names if "name" in text.get("class", "")}
    assert beside == {f"name c{i}": f"rank {rank}" for i, rank in enumerate((4, 16, 64))}
    ys = sorted(float(t.get("y", "")) for t in names if "name" in t.get("class", ""))
    assert min(b - a for a, b in itertools.pairwise(ys)) >= 14
    assert len(tree.findall("circle")) == 27


def test_a_single_run_shows_its_steps() -> None:
    tree = ET.fromstring(str(plots.losses(entries(findings()))))
    assert [line.get("class") for line in tree.findall("polyline")] == ["raw c0", "run c0"]


def test_names_are_moved_apart_and_stay_inside() -> None:
    assert apart([10.0, 11.0, 50.0], 14.0, 300.0) == [10.0, 24.0, 50.0]
    assert apart([295.0, 299.0, 300.0], 14.0, 300.0) == [272.0, 286.0, 300.0]
    assert apart([], 14.0, 300.0) == []
    assert apart([0.10, 0.11], 0.06, 1.0) == pytest.approx([0.10, 0.16])


def test_long_names_are_cut_beside_lines_and_whole_when_pointed_at() -> None:
    name = "a very long name of an entry <b>"
    run = dataclasses.replace(SWEEP.trainings[0], entry=name)
    svg = str(plots.losses(entries(with_trainings(SWEEP, run))))
    assert "a very long name of an …" in svg
    assert "a very long name of an entry &lt;b&gt;" in svg
    assert "<b>" not in svg


# ------------------------------------------------------------------ tables and pages


def test_tables_tell_every_run_with_its_entry_and_seed() -> None:
    told = dict(tables(SWEEP, results(SWEEP)))
    rows = list(csv.DictReader(io.StringIO(told["training.csv"])))
    assert [(row["run"], row["entry"], row["rank"], row["seed"]) for row in rows][4] == (
        "rank 16, seed 1",
        "rank 16",
        "16",
        "1",
    )
    assert rows[0]["shared_share"] == "0.1875"
    assert float(rows[0]["validation_loss"]) == HELD_OUT.of(SWEEP.trainings[0])
    looks = list(csv.DictReader(io.StringIO(told["validation.csv"])))
    assert len(looks) == 27
    assert "validation.csv" not in dict(tables(findings(), results(findings())))
    tex = told["training.tex"]
    assert r"training & rank 4 & rank 16 & rank 64 \\" in tex
    assert r"saved by shared prefixes & 19\% & 19\% & 19\% \\" in tex
    text = markdown(SWEEP, results(SWEEP))
    assert "| hardware | 2 cores, AMD EPYC | 2 cores, AMD EPYC | 2 cores, AMD EPYC |" in text
    scores = list(csv.DictReader(io.StringIO(told["scores.csv"])))
    assert {(row["model"], row["runs"]) for row in scores} >= {
        ("rank 4", "3"),
        ("base, few-shot", "1"),
    }


def test_the_page_stands_entries_side_by_side() -> None:
    told = page(SWEEP).text
    for said in (
        "mean of 3 training runs.",
        "3 runs: ",
        "hardware 2 cores, AMD EPYC 2 cores, AMD EPYC 2 cores, AMD EPYC",
        "trained parameters 73,728 0.8% of all 294,912 3.1% of all 1,179,648 11% of all",
        "saved by shared prefixes of tokens asked for 19%",
        "rows dropped 3 3 3",
        "validation loss of the weights that were kept",
        "every run",
        "TrainingTime (min) against rank",
        "a line a run, a colour an entry",
    ):
        assert said in told, said
    single = page(findings()).text
    assert "every run" not in single
    assert "against rank" not in single


def test_measures_that_nobody_tells_are_left_out() -> None:
    assert [one.name for one in measures(entries(findings()))] == [
        "seconds",
        "above_baseline",
        "peak_bytes",
        "trainable",
        "total",
        "tokens_per_second",
    ]


# ------------------------------------------------------------------ words


def test_measures_in_words() -> None:
    assert wording.measured("share", 0.1875) == "19%"
    assert wording.measured("share", 0.0312) == "3.1%"
    assert wording.measured("share", 0.0) == "0%"
    assert wording.measured("bytes", 2**20) == "1.00 MiB"
    assert wording.measured("number", None) == "–"
    assert wording.setting("learning_rate", 2e-4) == "learning rate 0.0002"
    assert wording.setting("dora", True) == "dora True"
    assert wording.setting("rank", None) == "rank –"
    assert wording.scale("seconds", 7_200) == (3600, "h")
    assert wording.scale("seconds", 100) == (1, "s")
    assert wording.scale("bytes", 3 * 2**30) == (2**30, "GiB")
    assert wording.scale("number", 0.5) == (1, "")


def runs(study: Findings, a: int, b: int) -> str:
    """What is said of a comparison of contestants with so many runs each, trained apart."""

    def several(one: Contestant, count: int) -> Contestant:
        rows = tuple(dataclasses.replace(row, run=run) for run in range(count) for row in one.rows)
        names = tuple(f"{one.name} {run}" for run in range(count))
        return dataclasses.replace(one, rows=rows, trainings=names)

    tuned, base = study.contestants[2], study.contestants[1]
    told = dataclasses.replace(
        study,
        contestants=(several(tuned, a), several(base, b)),
        matches=study.matches[:1],
        slices=(),
    )
    found = results(told)
    assert found.headline is not None
    return wording.training_runs(*found.headline)


def test_runs_of_both_are_told() -> None:
    study = findings(problems=4, programs=8, unseen=0)
    assert runs(study, 1, 1) == "; one training run each"
    assert runs(study, 3, 3) == "; mean of 3 training runs each"
    assert runs(study, 3, 1) == "; mean of 3 training runs against one"
    assert runs(study, 3, 2) == "; mean of 3 training runs against mean of 2 training runs"
