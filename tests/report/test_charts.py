"""Plots of scores on the page: all in their frames, nothing on top of another, any contestants."""

from __future__ import annotations

import dataclasses
import itertools
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from markupsafe import Markup
from sample import findings, sweep
from test_told import BLEU, RATE, TOKENS, scored
from written_sample import written

from outdo.report import Results, Training, charts, plots, results
from outdo.report.axes import Ratios
from outdo.report.figures import figures
from outdo.report.plots import OVERS, far_apart, overs, traced
from outdo.report.training import entries

LONG = tuple(f"a very long name of a contestant with many settings, number {i}" for i in range(11))
STUDIES = {
    "three": written(items=40),
    "twelve": written((*LONG, "floor/gold"), items=30),
    "one item": written(items=1, groups=1),
    "equal": scored(*[0.5] * 9, metric=BLEU, names=("a", "b", "c")),
    "zero": scored(*[0.0] * 9, metric=RATE, names=("a", "b", "c")),
    "tail": scored(*map(float, range(1, 60)), 9e5, metric=TOKENS, names=("a", "b", "c")),
    "repair": findings(problems=12, programs=24),
}


@cache
def found(name: str) -> Results:
    """The results of one of these studies."""
    return results(STUDIES[name])


LETTER = 6.2
"""Width of a letter of these plots in pixels, as browsers draw it on average."""


def drawn(told: Results) -> Iterator[Markup]:
    """Every plot of scores that the page of a study holds."""
    for table in told.tables:
        yield from (charts.bars(table, column) for column in charts.rated(table))
    for one in itertools.chain.from_iterable(told.spreads.values()):
        yield from (charts.histogram(one, shape) for shape in one.shapes)
    for relation in itertools.chain.from_iterable(told.relations.values()):
        yield from (charts.scatter(relation, line) for line in relation.lines)
    for row in itertools.chain.from_iterable(told.against.values()):
        yield from (made for column in row.columns if (made := charts.changes(row, column)))


@pytest.fixture(scope="module", params=STUDIES)
def trees(request: pytest.FixtureRequest) -> list[ET.Element]:
    return [ET.fromstring(str(one)) for one in drawn(found(request.param))]


def test_every_number_of_a_plot_is_finite_and_in_its_frame(trees: list[ET.Element]) -> None:
    assert trees
    for tree in trees:
        wide, high = map(float, tree.get("viewBox", "").split()[2:])
        for mark in tree.iter():
            for name in ("x", "x1", "x2", "cx"):
                assert 0 <= float(mark.get(name, 0)) <= wide
            for name in ("y", "y1", "y2", "cy"):
                assert 0 <= float(mark.get(name, 0)) <= high
            assert float(mark.get("width", 0)) >= 0 <= float(mark.get("height", 0))
        assert not re.search(r"\b(nan|inf|None)\b", ET.tostring(tree, "unicode"))


def test_no_text_of_a_plot_lies_on_another(trees: list[ET.Element]) -> None:
    for tree in trees:
        boxes = [box for text in tree.iter("text") if (box := _box(text)) is not None]
        wide = float(tree.get("viewBox", "").split()[2])
        for left, right, _, said in boxes:
            assert left >= -1, said
            assert right <= wide + 4, said
        for one, other in itertools.combinations(boxes, 2):
            apart = one[1] <= other[0] or other[1] <= one[0] or abs(one[2] - other[2]) >= 10
            assert apart, (one, other)


def _box(text: ET.Element) -> tuple[float, float, float, str] | None:
    """(left, right, baseline, text) of what is written across."""
    if text.get("transform"):
        return None
    said, x, y = text.text or "", float(text.get("x", 0)), float(text.get("y", 0))
    wide = LETTER * len(said)
    kind = (text.get("class") or "").split()
    left = x - wide if {"who", "y"} & set(kind) else x - wide / 2 if "x" in kind else x
    return left, left + wide, y, said


def test_a_plot_is_told_to_who_cannot_see_it(trees: list[ET.Element]) -> None:
    assert all(len(tree.get("aria-label", "")) > 10 for tree in trees)


def test_long_names_keep_their_end_and_stand_whole_in_a_title() -> None:
    assert charts.cut("short") == "short"
    cut = [charts.cut(name) for name in LONG]
    assert len(set(cut)) == len(LONG)
    assert {len(name) for name in cut} == {charts.LETTERS}
    table = found("twelve").tables[0]
    svg = str(charts.bars(table, charts.rated(table)[0]))
    assert f"<title>{LONG[3]}</title>" in svg


def test_a_bar_is_as_long_as_its_share_and_a_floor_is_hollow() -> None:
    table = found("twelve").tables[0]
    tree = ET.fromstring(str(charts.bars(table, table.columns[0])))
    bars = [one for one in tree.iter("rect") if "bar" in one.get("class", "")]
    values = [line.cells["passed"].value or 0.0 for line in table.lines]
    full = max(float(one.get("width", 0)) / value for one, value in zip(bars, values, strict=True))
    for one, value in zip(bars, values, strict=True):
        assert float(one.get("width", 0)) == pytest.approx(full * value, abs=0.6)
    assert [one.get("class") for one in bars] == ["bar c0"] * 11 + ["bar hollow"]


def test_histograms_share_their_scales_and_mark_mean_and_median() -> None:
    spread = found("three").spreads["write"][0]
    trees = [ET.fromstring(str(charts.histogram(spread, shape))) for shape in spread.shapes]
    ticks = [[text.text for text in tree.iter("text")] for tree in trees]
    assert ticks[0] == ticks[1] == ticks[2]
    for tree, shape in zip(trees, spread.shapes, strict=True):
        heights = [float(one.get("height", 0)) for one in tree.iter("rect")]
        counts = [count for count in shape.counts if count]
        assert [round(h / heights[0], 1) for h in heights] == pytest.approx(
            [count / counts[0] for count in counts], abs=0.11
        )
        marks = [one.get("class") for one in tree.iter() if one.get("class") in ("mean", "median")]
        assert sorted(marks) == ["mean", "mean", "median", "median"]


def test_a_long_tail_says_where_its_last_bin_begins() -> None:
    (spread,) = found("tail").spreads["write"]
    tree = ET.fromstring(str(charts.histogram(spread, spread.shapes[0])))
    assert [text.text for text in tree.iter("text") if (text.text or "").startswith("≥")] == [
        "≥ 60"
    ]


def test_a_fitted_line_stays_over_its_points() -> None:
    (relation,) = found("three").relations["write"]
    low, high = charts.window(relation)
    for line in relation.lines:
        ends = charts.fitted(line.found, low, high, line.points)
        assert ends is not None
        (a, b), (c, d) = ends
        assert min(x for x, _ in line.points) <= a < c <= max(x for x, _ in line.points)
        assert low - 1e-9 <= min(b, d) and max(b, d) <= high + 1e-9
        slope = line.found.slope.value
        assert (d - b) / (c - a) == pytest.approx(slope)
    few = dataclasses.replace(relation.lines[0], points=())
    assert charts.fitted(few.found, low, high, few.points) is None


def test_a_scatter_of_many_points_draws_some_of_them() -> None:
    (relation,) = found("three").relations["write"]
    many = dataclasses.replace(relation.lines[0], points=relation.lines[0].points * 60)
    assert str(charts.scatter(relation, many)).count("h0") <= charts.MOST_DOTS


# ------------------------------------------------------------------ training


def test_loss_is_told_by_step_epoch_time_and_tokens() -> None:
    shown = entries(sweep())
    assert [over.name for over in overs(shown)] == ["step", "epoch", "seconds", "tokens"]
    names = []
    for over in OVERS:
        tree = ET.fromstring(str(plots.losses(shown, over)))
        names.append([text.text for text in tree.iter("text") if text.get("class") == "x"][-1])
        held = [line for line in tree.iter("polyline") if "held" in line.get("class", "")]
        assert len(held) == 9
    assert names == ["step", "epoch", "time (s)", "tokens seen (thousands)"]
    bare = [
        dataclasses.replace(
            run, curve=tuple({"step": r["step"], "loss": r["loss"]} for r in run.curve)
        )
        for run in sweep().trainings
    ]
    assert [
        o.name for o in overs(entries(dataclasses.replace(sweep(), trainings=tuple(bare))))
    ] == ["step"]


def _slower(run: Training) -> Training:
    """The same run on a machine that takes forty times as long."""
    curve = tuple({**row, "seconds": 40 * float(str(row["seconds"]))} for row in run.curve)
    report = {**run.report, "hardware": "one old core"}
    return dataclasses.replace(run, name=f"{run.name}, slow", report=report, curve=curve)


def test_devices_that_lie_far_apart_stand_in_equal_ratios() -> None:
    study = sweep()
    first = dataclasses.replace(study.trainings[0], entry="rank 4")
    both = (first, _slower(first))
    shown = entries(dataclasses.replace(study, trainings=both))
    seconds = OVERS[2]
    assert not far_apart(traced(entries(study), seconds), seconds)
    assert far_apart(traced(shown, seconds), seconds)
    assert not far_apart(traced(shown, OVERS[0]), OVERS[0])
    tree = ET.fromstring(str(plots.losses(shown, seconds)))
    for line in tree.iter("polyline"):
        xs = [float(point.split(",")[0]) for point in line.get("points", "").split()]
        assert xs == sorted(xs)
        assert xs[0] >= plots.CURVES.left - 1
    text = [one.text or "" for one in tree.iter("text")]
    assert {"rank 4 on 2 cores, AMD …", "rank 4 on one old core"} <= set(text)


def test_ratios_have_ticks_within_and_refuse_what_is_not_positive() -> None:
    axis = Ratios(0.5, 400, 0, 100)
    assert axis.ticks() == pytest.approx([1, 10, 100])
    assert Ratios(2, 9, 0, 100).ticks() == pytest.approx([2, 5])
    assert Ratios(3, 3, 0, 100).ticks()
    assert (axis.place(0.5), axis.place(400)) == (0, 100)
    with pytest.raises(ValueError, match="begin at 0"):
        Ratios(0, 1, 0, 100)


def test_trained_parameters_stand_against_the_rank_in_ratios() -> None:
    told = dict(plots.sweep(entries(sweep()), "rank"))
    tree = ET.fromstring(str(told["trained parameters (thousands)"]))
    ys = sorted({float(dot.get("cy", 0)) for dot in tree.iter("circle")})
    assert ys[1] - ys[0] == pytest.approx(ys[2] - ys[1], abs=0.3)


# ------------------------------------------------------------------ figures


@pytest.mark.slow
@pytest.mark.parametrize("name", ["three", "twelve", "one item", "equal", "tail"])
def test_figures_for_papers_are_drawn_of_all_of_them(name: str, tmp_path: Path) -> None:
    study = dataclasses.replace(STUDIES[name], trainings=())
    told = dict(figures(study, results(study)))
    kinds = {re.split(r"-", file)[0] for file in told}
    assert {"scores", "spread"} <= kinds or name == "tail"
    assert ("precision" in kinds) == (name not in ("equal", "tail"))
    for file, content in told.items():
        assert content[:4] == b"\x89PNG" if file.endswith("png") else b"<svg" in content
