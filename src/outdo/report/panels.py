"""Scores as figures for papers: bars, differences, histograms, precision against recall.

Names stand beside rows or above panels, and scales are shared by all that is to be compared.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from outdo.report import wording
from outdo.report.against import Against
from outdo.report.charts import MOST_DOTS, cut, fitted, window
from outdo.report.columns import Column
from outdo.report.relations import Related, Relation
from outdo.report.scored import Compared, Table
from outdo.report.spreads import Shape, Spread
from outdo.stats import Interval

if TYPE_CHECKING:
    from matplotlib.figure import Figure

BLUE, ORANGE, GREY, INK = "#0072B2", "#D55E00", "#8A8F98", "#1A1F27"
TONE = (BLUE, ORANGE, "#009E73", "#AA4499", "#8A7500", INK)
STROKES: tuple[Any, ...] = ("-", (0, (9, 2)), "-.", (0, (1, 1.3)))
"""Lines beyond the last colour begin anew, in the next of these strokes."""
TONES = {"better": BLUE, "worse": ORANGE, "equivalent": GREY, "inconclusive": GREY}
LETTERS = 44
"""How much of a name stands beside a row; beside a pair of names each has this much."""
ACROSS = 3
"""Panels that stand side by side."""


def stroke(place: int) -> Any:
    """The stroke of the line of this number."""
    return STROKES[place // len(TONE) % len(STROKES)]


def rows(count: int) -> tuple[Figure, Any]:
    """A figure with room for so many rows, and its axes."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.4, 1.1 + 0.34 * count), layout="constrained")
    return figure, figure.add_subplot()


def labelled(text: str, unit: str, note: str) -> str:
    """What an axis is called: its text, and in brackets its unit and what else is to be known."""
    said = ", ".join(part for part in (unit, note) if part)
    return f"{text} ({said})" if said else text


def _names(axes: Any, names: Sequence[str]) -> None:
    axes.set_yticks(range(len(names)), [cut(name, LETTERS) for name in names])
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.tick_params(axis="y", length=0)


# ------------------------------------------------------------------ rows


def scores(table: Table, column: Column) -> Figure:
    """Each contestant's mean with its interval: a bar from 0 of a share, else a dot.

    Floors are grey and hollow.
    """
    lines = [line for line in table.lines if column.name in line.cells]
    figure, axes = rows(len(lines))
    for place, line in enumerate(lines):
        _score(axes, place, line.cells[column.name], line.contestant.floor, bar=column.share)
    _names(axes, [line.contestant.name for line in lines])
    note = f"{column.metric.better} is better"
    axes.set_xlabel(labelled(column.heading, column.metric.unit, note))
    if column.share:
        axes.set_xlim(0, 1.02)
    axes.set_title(table.title, loc="left", color=INK)
    return figure


def _score(axes: Any, place: int, cell: Interval, floor: bool, *, bar: bool) -> None:
    if cell.value is None:
        return
    tone = GREY if floor else BLUE
    fill = "white" if floor else tone
    if bar:
        axes.barh(place, cell.value, height=0.56, color=fill, edgecolor=tone, linewidth=1)
    else:
        axes.plot(cell.value, place, "o", color=tone, markerfacecolor=fill, zorder=3)
    if cell.low is not None and cell.high is not None:
        reach = [[max(0.0, cell.value - cell.low)], [max(0.0, cell.high - cell.value)]]
        dark, cap = (INK, 3) if bar else (tone, 0)
        axes.errorbar(
            cell.value, place, xerr=reach, fmt="none", ecolor=dark, elinewidth=1.6, capsize=cap
        )


def differences(table: Table, column: Column) -> Figure:
    """Each comparison's difference with its interval, against 0 and the margin."""
    shown = [
        one
        for one in table.compared
        if one.column.name == column.name and one.verdict.found.difference is not None
    ]
    names = [f"{one.a} – {one.b}" for one in shown]
    return _gaps(shown, column, names, table.title, f"difference in {column.heading}")


def changes(found: Against, column: Column) -> Figure:
    """Everybody's difference to the named row under a column."""
    shown = [one for one in found.of(column) if one.verdict.found.difference is not None]
    label = f"change in {column.heading}"
    title = f"against {cut(found.reference, LETTERS)}"
    return _gaps(shown, column, [one.a for one in shown], title, label)


def _gaps(
    shown: Sequence[Compared], column: Column, names: Sequence[str], title: str, label: str
) -> Figure:
    figure, axes = rows(len(shown))
    scale = 100 if column.share else 1
    margin = shown[0].margin if shown else None
    if margin is not None:
        axes.axvspan(-margin * scale, margin * scale, color=GREY, alpha=0.18, linewidth=0)
    axes.axvline(0, color=GREY, linewidth=1)
    for place, one in enumerate(shown):
        _gap(axes, place, one, scale)
    _names(axes, names)
    axes.set_xlabel(labelled(label, wording.gap_unit(column), ""))
    axes.set_title(title, loc="left", color=INK)
    return figure


def _gap(axes: Any, place: int, one: Compared, scale: float) -> None:
    """A difference with its interval; filled where the verdict is one, hollow where it is none."""
    found, tone = one.verdict.found, TONES[one.verdict.word]
    if found.low is not None and found.high is not None:
        axes.plot([found.low * scale, found.high * scale], [place, place], color=tone, linewidth=2)
    if found.difference is not None:
        filled = "white" if one.verdict.word == "inconclusive" else tone
        at = found.difference * scale
        axes.plot(at, place, "o", color=tone, markerfacecolor=filled)


# ------------------------------------------------------------------ panels


def _panels(count: int, high: float) -> tuple[Figure, list[Any]]:
    """A figure of small axes, `ACROSS` in a row, each `high` inches with its name above it.

    All have the same scales: numbers stand at the left and the lowest ones alone.
    """
    from matplotlib.figure import Figure

    across = min(ACROSS, max(1, count))
    down = max(1, math.ceil(count / across))
    wide, tall = 0.75 + 2.05 * across, 0.65 + high * down
    figure = Figure(figsize=(wide, tall))
    figure.subplots_adjust(
        left=0.62 / wide, right=1 - 0.13 / wide, bottom=0.65 / tall, top=1 - 0.4 / tall,
        wspace=0.24, hspace=0.52 / (high - 0.5),
    )  # fmt: skip
    panels = [figure.add_subplot(down, across, i + 1) for i in range(count)]
    for place, axes in enumerate(panels):
        axes.tick_params(
            labelsize=7, labelleft=place % across == 0, labelbottom=place + across >= count
        )
    return figure, panels


def _about(figure: Figure, below: str, beside: str) -> None:
    """What the axes of all panels count."""
    wide, tall = figure.get_size_inches()
    figure.text(0.5, 0.06 / tall, below, ha="center", va="bottom", fontsize=8, color=INK)
    figure.text(
        0.06 / wide, 0.5, beside, ha="left", va="center", rotation=90, fontsize=8, color=INK
    )


def histograms(spread: Spread, items: str) -> Figure:
    """How the scores of each contestant fall into the same bins, with their mean and median.

    `items` are what is counted.
    """
    figure, panels = _panels(len(spread.shapes), 1.75)
    for axes, shape in zip(panels, spread.shapes, strict=True):
        _histogram(axes, spread, shape)
    column, bins = spread.column, spread.bins
    beyond = f"the last bin holds all from {wording.tick(bins.end - bins.width)}"
    label = labelled(column.heading, column.metric.unit, beyond if bins.open else "")
    marks = "solid, filled: mean; dashed, hollow: median"
    _about(figure, f"{label}\n{marks}", items)
    return figure


def _histogram(axes: Any, spread: Spread, shape: Shape) -> None:
    bins, tone = spread.bins, GREY if shape.floor else BLUE
    edges = [bins.start + place * bins.width for place in range(bins.count + 1)]
    axes.stairs(shape.counts, edges, fill=True, color=tone)
    axes.set_xlim(bins.start, bins.end)
    top = max(1, spread.highest)
    axes.set_ylim(0, 1.25 * top)
    axes.locator_params(axis="y", integer=True, nbins=4)
    axes.locator_params(axis="x", nbins=4)
    told = shape.described
    if told is not None:
        for value, style, mark, fill in (
            (told.median, "--", "D", "white"),
            (told.mean, "-", "v", INK),
        ):
            at = min(max(value, bins.start), bins.end)
            axes.plot([at, at], [0, 1.12 * top], style, color=INK, linewidth=0.9)
            marked = {"markersize": 4, "markerfacecolor": fill, "clip_on": False}
            axes.plot(at, 1.15 * top, mark, color=INK, **marked)
    said = f"n {told.n:,}" if told else "no scores"
    axes.set_title(f"{cut(shape.name, 26)}\n{said}", loc="left", fontsize=8, color=INK)


def scatters(relation: Relation) -> Figure:
    """Precision against recall of each contestant's replies, with the line fitted to them."""
    figure, panels = _panels(len(relation.lines), 2.35)
    low, high = window(relation)
    for axes, line in zip(panels, relation.lines, strict=True):
        _scatter(axes, line, low, high)
    recall = relation.recall
    _about(figure, labelled(recall.heading, recall.metric.unit, ""), "precision")
    return figure


def _scatter(axes: Any, line: Related, low: float, high: float) -> None:
    step = math.ceil(len(line.points) / MOST_DOTS) or 1
    shown = line.points[::step]
    tone = GREY if line.floor else BLUE
    xs, ys = [x for x, _ in shown], [y for _, y in shown]
    axes.plot(xs, ys, "o", color=tone, markersize=2.4, alpha=0.55, markeredgewidth=0)
    if ends := fitted(line.found, low, high, line.points):
        axes.plot(*zip(*ends, strict=True), color=ORANGE, linewidth=1.3)
    axes.set_xlim(low, high)
    axes.set_ylim(low, high)
    axes.locator_params(nbins=4)
    found = line.found
    told = (("slope", found.slope), ("r", found.pearson), ("ρ", found.spearman))
    said = ", ".join(f"{name} {wording.coefficient(one)}" for name, one in told)
    axes.set_title(f"{cut(line.name, 26)}\n{said}", loc="left", fontsize=8, color=INK)
