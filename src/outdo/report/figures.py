"""The figures for papers and slides, as PNG and SVG: what they are, and those of training.

Drawn without pyplot, so that no display, no global state and no clock is touched: the same
findings give the same bytes. Blue, orange and grey are told apart by every kind of eye.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from outdo.report import panels, sizes, wording
from outdo.report.board import EVEN
from outdo.report.findings import Findings
from outdo.report.panels import BLUE, GREY, INK, ORANGE, TONE, labelled, rows, stroke
from outdo.report.plots import (
    STEP,
    Over,
    apart,
    far_apart,
    in_ratios,
    overs,
    series,
    settled,
    swept_measures,
    traced,
)
from outdo.report.results import Results
from outdo.report.tables import slug
from outdo.report.training import Entry, Measure, entries, measured, swept
from outdo.stats.verdict import plural

if TYPE_CHECKING:
    from matplotlib.figure import Figure

STYLE: dict[Any, Any] = {
    "font.size": 9,
    "axes.edgecolor": GREY,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "svg.hashsalt": "outdo",
    "svg.fonttype": "path",
    "text.parse_math": False,
}
DPI = 160
MOST_DRAWN = 4
"""Metrics of a task that have a figure; those of slices have one."""


def figures(findings: Findings, found: Results) -> Iterator[tuple[str, bytes]]:
    """(file name, bytes) of every figure."""
    import matplotlib

    with matplotlib.rc_context(STYLE):
        for name, figure in _drawn(findings, found):
            yield f"{name}.png", _bytes(figure, "png", {"Software": None})
            yield f"{name}.svg", _bytes(figure, "svg", {"Date": None, "Creator": "outdo"})


def _drawn(findings: Findings, found: Results) -> Iterator[tuple[str, Figure]]:
    for table in found.tables:
        own = [column for column in table.columns if not column.common]
        for column in own[: MOST_DRAWN if table.title == table.task else 1]:
            yield f"scores-{slug(table.title)}-{slug(column.name)}", panels.scores(table, column)
        if table.compared:
            named = f"differences-{slug(table.title)}"
            yield named, panels.differences(table, table.compared[0].column)
        yield from _told(findings, found, table.title)
    for plot in sizes.plots(found.board) if found.board else ():
        yield f"size-{slug(plot.asked.task)}", _sizes(plot)
    shown = entries(findings)
    for over in overs(shown):
        yield "loss" if over is STEP else f"loss-{over.name}", _loss(shown, over)
    if setting := swept(shown):
        yield f"training-{slug(setting)}", _sweep(shown, setting)


def _told(findings: Findings, found: Results, task: str) -> Iterator[tuple[str, Figure]]:
    """How the scores of a task are spread, precision against recall, changes against rows."""
    items = plural(findings.item, 2)
    for spread in found.spreads.get(task, ())[:MOST_DRAWN]:
        name = f"spread-{slug(task)}-{slug(spread.column.name)}"
        yield name, panels.histograms(spread, items)
    for relation in found.relations.get(task, ()):
        yield f"precision-recall-{slug(task)}-{slug(relation.name)}", panels.scatters(relation)
    for place, one in enumerate(found.against.get(task, ())):
        named = f"against-{slug(one.reference)}-{slug(task)}"
        for column in one.columns[: 1 if place else MOST_DRAWN]:
            yield f"{named}-{slug(column.name)}", panels.changes(one, column)


def _bytes(figure: Figure, kind: str, metadata: dict[str, Any]) -> bytes:
    out = io.BytesIO()
    figure.savefig(out, format=kind, dpi=DPI, metadata=metadata)
    return out.getvalue()


WIDE, HIGH = 6.4, 3.6
"""Size in inches of a figure of models by size; a letter of its names is 4 points wide."""


def _sizes(plot: sizes.Plot) -> Figure:
    """Models by size: hollow as they were, filled after fine-tuning, with their intervals."""
    from matplotlib.figure import Figure
    from matplotlib.ticker import NullLocator

    figure = Figure(figsize=(WIDE, HIGH))
    axes = figure.add_axes((0.09, 0.14, 0.88, 0.77))
    axes.set_xscale("log")
    least, most = plot.sizes[0], plot.sizes[-1]
    room = (most / least) ** 0.05
    axes.set_xlim(least / room, most * room)
    axes.set_ylim(plot.bottom, plot.top)
    axes.xaxis.set_minor_locator(NullLocator())
    kept = _apart(plot.sizes, (most / least) ** 0.04)
    axes.set_xticks(kept, [f"{size:g}" for size in kept])
    if plot.asked.judge is not None:
        axes.axhline(EVEN, color=GREY, linewidth=0.8, linestyle="--")
    nudge = (most / least) ** 0.006
    places = {dot.name: (dot.size * nudge ** sizes.dodge(plot, dot), dot) for dot in plot.dots}
    for x, dot in places.values():
        _model(axes, x, dot)
        if dot.before in places:
            x_before, before = places[dot.before]
            line = [x_before, x], [before.value, dot.value]
            axes.plot(*line, color=GREY, linewidth=0.8, linestyle=":", zorder=1)
    _named(axes, places)
    axes.set_xlabel("billions of parameters")
    axes.set_title(plot.title, loc="left", color=INK)
    return figure


def _apart(values: Sequence[float], ratio: float) -> list[float]:
    """The values that stand at least this ratio beyond the one kept before."""
    kept: list[float] = []
    for value in values:
        if not kept or value >= kept[-1] * ratio:
            kept.append(value)
    return kept


def _model(axes: Any, x: float, dot: sizes.Dot) -> None:
    tone = BLUE if dot.tuned else ORANGE
    if dot.low is not None and dot.high is not None:
        axes.plot([x, x], [dot.low, dot.high], color=tone, linewidth=1, alpha=0.6)
    fill = tone if dot.tuned else "white"
    axes.plot(x, dot.value, "o", color=tone, markerfacecolor=fill, markersize=5)


def _named(axes: Any, places: Mapping[str, tuple[float, sizes.Dot]]) -> None:
    """Names beside dots where there is room, in points from the lower left corner."""
    points = 72 / axes.figure.dpi
    height = 72 * HIGH
    told = []
    whiskers = []
    for name, (x, dot) in sorted(places.items(), key=lambda item: not item[1][1].tuned):
        right, up = (part * points for part in axes.transData.transform((x, dot.value)))
        told.append((name, right, height - up))
        if dot.low is not None and dot.high is not None:
            ends = [axes.transData.transform((x, end))[1] * points for end in (dot.low, dot.high)]
            whiskers.append((right - 1.5, height - ends[1], right + 1.5, height - ends[0]))
    frame = (0.09 * 72 * WIDE, 0.09 * height, 72 * WIDE, 0.86 * height)
    for label in sizes.labels(told, frame=frame, taken=whiskers, letter=4.0, line=9.0, reach=6.0):
        axes.annotate(
            label.name, (label.x, height - label.y), xycoords="figure points", fontsize=7,
            ha={"start": "left", "middle": "center", "end": "right"}[label.anchor], va="center",
            color=INK,
        )  # fmt: skip


def _loss(shown: Sequence[Entry], over: Over) -> Figure:
    """The loss of every run, an entry in one colour and stroke; dots are looks at held-out rows."""
    figure, axes = rows(8)
    told = traced(shown, over)
    factor, unit = wording.scale(over.kind, max(one.steps[-1][0] for one in told))
    ends: dict[int, float] = {}
    for one in told:
        tone = TONE[one.place % len(TONE)]
        xs, losses = [x / factor for x, _ in one.smooth], [loss for _, loss in one.smooth]
        axes.plot(xs, losses, linestyle=stroke(one.place), color=tone, linewidth=1.2)
        ends[one.place] = losses[-1]
        if one.looks:
            xs, losses = [x / factor for x, _ in one.looks], [loss for _, loss in one.looks]
            axes.plot(xs, losses, "o:", color=tone, markersize=3.5, linewidth=0.6)
    axes.set_xlabel(labelled(over.heading, unit, ""))
    axes.set_ylabel("loss (dots: held-out rows)")
    axes.set_ylim(bottom=0)
    if far_apart(told, over):
        axes.set_xscale("log")
    else:
        axes.set_xlim(left=0)
    _beside(axes, shown, ends)
    return figure


def _beside(axes: Any, shown: Sequence[Entry], ends: Mapping[int, float]) -> None:
    """The entries' strokes and names to the right of their lines, moved apart."""
    top = axes.get_ylim()[1]
    places = sorted(ends, key=lambda place: ends[place])
    for place, y in zip(places, apart([ends[p] / top for p in places], 0.06, 1.0), strict=True):
        tone = TONE[place % len(TONE)]
        axes.plot(
            [1.01, 1.08], [y, y], linestyle=stroke(place), color=tone, linewidth=1.2,
            transform=axes.transAxes, clip_on=False,
        )  # fmt: skip
        axes.text(1.09, y, shown[place].name, transform=axes.transAxes, va="center", color=tone)


def _sweep(shown: Sequence[Entry], setting: str) -> Figure:
    """Time, memory and loss against a setting: a dot a run, a line through the means."""
    from matplotlib.figure import Figure

    kinds = swept_measures(shown, setting)
    across = 2 if len(kinds) == 4 else len(kinds)
    down = -(-len(kinds) // across)
    figure = Figure(figsize=(6.4, 2.4 * down), layout="constrained")
    for number, measure in enumerate(kinds, start=1):
        axes = figure.add_subplot(down, across, number)
        _against(axes, shown, setting, measure)
    return figure


def _against(axes: Any, shown: Sequence[Entry], setting: str, measure: Measure) -> None:
    lines = [[shown[place] for place in places] for places in series(shown, setting).values()]
    told = [value for line in lines for entry in line for value in measured(entry, measure)]
    factor, unit = wording.scale(measure.kind, max(told))
    for line in lines:
        xs = [settled(entry, setting) for entry in line]
        values = [[value / factor for value in measured(entry, measure)] for entry in line]
        axes.plot(xs, [sum(own) / len(own) for own in values], color=GREY, linewidth=1)
        for entry, x, own in zip(line, xs, values, strict=True):
            tone = TONE[shown.index(entry) % len(TONE)]
            axes.plot([x] * len(own), own, "o", color=tone, markersize=4)
    ticks = sorted({settled(entry, setting) for line in lines for entry in line})
    if ticks[0] > 0 and ticks[-1] >= 4 * ticks[0]:
        axes.set_xscale("log", base=2)
    axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    axes.minorticks_off()
    if in_ratios(measure, told):
        axes.set_yscale("log")
        axes.yaxis.set_major_formatter(lambda value, _: f"{value:,g}")
    elif measure.kind != "number":
        axes.set_ylim(bottom=0)
    axes.set_xlabel(setting.replace("_", " "))
    axes.set_title(labelled(measure.heading, unit, ""), loc="left", fontsize=9, color=INK)
