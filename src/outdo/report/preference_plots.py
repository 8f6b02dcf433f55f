"""Lines of a benchmark of preferences: confidence against what is right, coverage, best of n.

The same lines are drawn twice: as SVG in the page's own colours, and as files for papers.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from markupsafe import Markup

from outdo.records import Measure
from outdo.report.axes import Axis, Frame, Steps, end_of, floor_of, grid, svg
from outdo.report.figures import DPI, STYLE
from outdo.report.panels import GREY, INK, TONE, stroke
from outdo.report.plots import COLOURS, apart, toned
from outdo.report.preference import Examined
from outdo.stats.best_of import Curve

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FRAME = Frame(width=860, height=320, right=220)
LETTERS = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line with its intervals: (x, what stands there); a dashed one is a bound or a floor."""

    name: str
    points: tuple[tuple[float, Measure], ...]
    dashed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Plot:
    """Some lines over one scale; `even` is a line of its own that all are held against."""

    name: str
    title: str
    across: str
    lines: tuple[Line, ...]
    even: tuple[tuple[float, float], tuple[float, float]] | None = None
    low: float = 0.0
    high: float = 1.0
    whole: bool = False


def plots(examined: Sequence[Examined]) -> list[Plot]:
    """How right each judge is where it is sure, and how right it is if it answers less."""
    judged = [one for one in examined if one.calibration is not None and one.calibration.n]
    if not judged:
        return []
    sure = tuple(Line(name=one.name, points=tuple(_bins(one))) for one in judged)
    covered = tuple(Line(name=one.name, points=tuple(_covered(one))) for one in judged)
    return [
        Plot(
            name="calibration",
            title="Share right against confidence",
            across="confidence",
            lines=sure,
            even=((0.5, 0.5), (1.0, 1.0)),
            low=0.5,
        ),
        Plot(
            name="coverage",
            title="Share right of the pairs that a judge is surest of",
            across="share of pairs answered",
            lines=covered,
        ),
    ]


def best_of(title: str, curves: Sequence[Curve], *, bounds: Sequence[str]) -> Plot:
    """The pass rate against how many answers there are to pick from; `bounds` are dashed."""
    lines = tuple(
        Line(
            name=one.name,
            points=tuple((float(point.n), point.rate) for point in one.points),
            dashed=one.name in bounds,
        )
        for one in curves
    )
    most = max((point.n for one in curves for point in one.points), default=1)
    return Plot(
        name="best-of",
        title=title,
        across="answers to pick from",
        lines=lines,
        low=1.0,
        high=float(most),
        whole=True,
    )


def _bins(one: Examined) -> Iterator[tuple[float, Measure]]:
    for each in one.calibration.bins if one.calibration else ():
        if each.confidence is not None and each.right is not None:
            yield each.confidence, each.right


def _covered(one: Examined) -> Iterator[tuple[float, Measure]]:
    for each in one.calibration.coverage if one.calibration else ():
        yield each.coverage, each.right


def _bottom(plot: Plot) -> float:
    """Where the shares begin: at 0, or at a half where nothing lies below."""
    ends = [
        end
        for line in plot.lines
        for _, one in line.points
        for end in (one.low, one.value)
        if end is not None
    ]
    return 0.5 if ends and min(ends) >= 0.5 else 0.0


# ------------------------------------------------------------------ on the page


def drawn(plot: Plot) -> Markup:
    """The plot as SVG."""
    steps = [plot.low + i for i in range(round(plot.high - plot.low) + 1)] if plot.whole else []
    across: Axis | Steps = (
        Steps(steps, FRAME.left + 8, end_of(FRAME) - 8, ratio=1e9, gap=24.0)
        if len(steps) > 1
        else Axis(plot.low, plot.high, FRAME.left + 8, end_of(FRAME) - 8)
    )
    down = Axis(_bottom(plot), 1.0, floor_of(FRAME), FRAME.top)
    parts = [grid(across, down, FRAME, plot.across)]
    if plot.even is not None:
        rule = Markup('<line class="even" x1="{}" y1="{}" x2="{}" y2="{}"/>')
        ends = [(across.place(x), down.place(max(y, down.low))) for x, y in plot.even]
        parts.append(rule.format(*ends[0], *ends[1]))
    for number, line in enumerate(plot.lines):
        parts += _marks(line, number, across, down)
    parts += _names(plot, down)
    said = "; ".join(f"{line.name}: {_told(line)}" for line in plot.lines)
    return svg(FRAME, f"{plot.title}. {said}", parts)


def _marks(line: Line, number: int, across: Axis | Steps, down: Axis) -> Iterator[Markup]:
    told = [(across.place(x), one) for x, one in line.points if one.value is not None]
    path = " ".join(f"{x},{down.place(one.value or 0.0)}" for x, one in told)
    own = number % COLOURS
    style = f"held c{own}" if line.dashed else f"run {toned(number)}"
    yield Markup('<polyline class="{}" points="{}"/>').format(style, path)
    rule = Markup('<line class="whisker c{}" x1="{}" x2="{}" y1="{}" y2="{}"/>')
    dot = Markup('<circle class="c{}" cx="{}" cy="{}" r="3"><title>{}</title></circle>')
    for x, one in told:
        if one.low is not None and one.high is not None:
            yield rule.format(own, x, x, down.place(one.low), down.place(one.high))
        said = f"{line.name}: {one.value:.3f} of {one.n:,}"
        yield dot.format(own, x, down.place(one.value or 0.0), said)


def _names(plot: Plot, down: Axis) -> Iterator[Markup]:
    """The lines' names to the right of their ends, moved apart where they would touch."""
    ends = {
        number: down.place(line.points[-1][1].value or 0.0)
        for number, line in enumerate(plot.lines)
        if line.points
    }
    order = sorted(ends, key=lambda number: ends[number])
    places = apart([ends[number] for number in order], 14.0, floor_of(FRAME))
    text = Markup('<text x="{}" y="{:.1f}" class="name c{}">{}<title>{}</title></text>')
    for number, y in zip(order, places, strict=True):
        name = plot.lines[number].name
        own = name if len(name) <= LETTERS else f"{name[: LETTERS - 1]}…"
        yield text.format(end_of(FRAME) + 8, y + 4, number % COLOURS, own, name)


def _told(line: Line) -> str:
    return ", ".join(f"{one.value:.2f} at {x:.2f}" for x, one in line.points if one.value)


# ------------------------------------------------------------------ as files


def files(plots: Sequence[Plot]) -> Iterator[tuple[str, bytes]]:
    """(file name, bytes) of every plot, as PNG and as SVG; the same plots give the same bytes."""
    import matplotlib

    with matplotlib.rc_context(STYLE):
        for plot in plots:
            figure = _figure(plot)
            for kind, metadata in (
                ("png", {"Software": None}),
                ("svg", {"Date": None, "Creator": "outdo"}),
            ):
                out = io.BytesIO()
                figure.savefig(out, format=kind, dpi=DPI, metadata=metadata)
                yield f"{plot.name}.{kind}", out.getvalue()


def _figure(plot: Plot) -> Figure:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.4, 3.6), layout="constrained")
    axes = figure.add_subplot()
    if plot.even is not None:
        axes.plot(*zip(*plot.even, strict=True), color=GREY, linewidth=0.8, linestyle="--")
    for number, line in enumerate(plot.lines):
        colour = TONE[number % len(TONE)]
        xs = [x for x, one in line.points if one.value is not None]
        ys = [one.value for _, one in line.points if one.value is not None]
        style = "--" if line.dashed else stroke(number)
        axes.plot(
            xs, ys, linestyle=style, marker="o", markersize=3, color=colour,
            linewidth=1.2, label=line.name,
        )  # fmt: skip
        for x, one in line.points:
            if one.low is not None and one.high is not None:
                axes.plot([x, x], [one.low, one.high], color=colour, linewidth=1, alpha=0.4)
    axes.set_ylim(_bottom(plot), 1.02)
    axes.set_xlabel(plot.across)
    if plot.whole:
        axes.set_xticks(range(round(plot.low), round(plot.high) + 1))
    axes.set_title(plot.title, loc="left", color=INK)
    axes.legend(frameon=False, fontsize=7)
    return figure
