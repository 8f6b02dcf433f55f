"""Training as inline SVG, in the page's own colours: loss over steps, and what a setting costs.

Drawn here and not by matplotlib, so that it follows the page from light to dark, scales without
a blur and costs a few kilobytes. A colour is an entry, in every plot; its name stands beside it.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

from markupsafe import Markup

from outdo.report import wording
from outdo.report.axes import Axis, Frame, Point, Steps, end_of, floor_of, grid, svg
from outdo.report.findings import Training
from outdo.report.training import (
    HELD_OUT,
    LOSS,
    MEMORY,
    SECONDS,
    Entry,
    Measure,
    measured,
    number,
    validation,
)

COLOURS = 6
MOST_POINTS = 400
LETTERS = 24
"""How much of a name is written beside a line; all of it shows when it is pointed at."""

CURVES = Frame(width=860, height=320)
SMALL = Frame(width=300, height=220, right=16)


def losses(shown: Sequence[Entry]) -> Markup | None:
    """The loss of every run over its steps, and dashed that of held-out rows; None without any.

    A single run shows its steps, pale, behind their running mean.
    """
    told = [
        (place, run, steps)
        for place, entry in enumerate(shown)
        for run in entry.runs
        if (steps := curve(run))
    ]
    if not told:
        return None
    smooth = [(place, run, smoothed(steps)) for place, run, steps in told]
    looks = [(place, validation(run)) for place, run, _ in told]
    raw = [steps for _, _, steps in told] if len(told) == 1 else []
    lines = [*raw, *(points for _, _, points in smooth), *(points for _, points in looks)]
    across = Axis(0.0, max(x for line in lines for x, _ in line), CURVES.left, end_of(CURVES))
    down = Axis(0.0, max(y for line in lines for _, y in line), floor_of(CURVES), CURVES.top)
    parts = [grid(across, down, CURVES, "step")]
    parts += [_line("raw c0", thinned(points), across, down) for points in raw]
    parts += [
        _line(f"run c{place % COLOURS}", thinned(points), across, down, title=run.name)
        for place, run, points in smooth
    ]
    parts += [_looks(place, points, across, down) for place, points in looks]
    parts += _labels(shown, {place: points[-1] for place, _, points in smooth}, down)
    said = "; ".join(f"{run.name} from {p[0][1]:.2f} to {p[-1][1]:.2f}" for _, run, p in smooth)
    return svg(CURVES, f"Loss over steps: {said}", parts)


def sweep(shown: Sequence[Entry], setting: str) -> list[tuple[str, Markup]]:
    """(what, plot) of time, memory and loss against a setting: a dot a run, a line the means."""
    return [_swept(shown, setting, one) for one in swept_measures(shown, setting)]


def swept_measures(shown: Sequence[Entry], setting: str) -> list[Measure]:
    """Of time, memory and a loss, those that every entry with a number for the setting tells."""
    having = [entry for entry in shown if number(entry.differs.get(setting)) is not None]
    loss = HELD_OUT if _told(having, HELD_OUT) else LOSS
    return [one for one in (SECONDS, MEMORY, loss) if _told(having, one)]


def _told(shown: Sequence[Entry], measure: Measure) -> bool:
    return all(measured(entry, measure) for entry in shown)


def settled(entry: Entry, setting: str) -> float:
    """The value of a setting that is a number, as those of a series are."""
    return number(entry.differs[setting]) or 0.0


def curve(run: Training) -> list[Point]:
    """(step, loss) of each step that has a finite loss."""
    rows = [(number(row.get("step")), number(row.get("loss"))) for row in run.curve]
    return [(step, loss) for step, loss in rows if step is not None and loss is not None]


def smoothed(points: Sequence[Point]) -> list[Point]:
    """The mean of the steps around each, over about a fifteenth of the run, fewer at its ends."""
    reach = len(points) // 30
    sums = [0.0, *itertools.accumulate(loss for _, loss in points)]
    means = []
    for i, (step, _) in enumerate(points):
        near = min(reach, i, len(points) - 1 - i)
        means.append((step, (sums[i + near + 1] - sums[i - near]) / (2 * near + 1)))
    return means


def thinned(points: Sequence[Point]) -> list[Point]:
    """At most `MOST_POINTS` points and the last."""
    kept = list(points[:: math.ceil(len(points) / MOST_POINTS)])
    return kept if kept[-1] == points[-1] else [*kept, points[-1]]


def series(shown: Sequence[Entry], setting: str) -> dict[str, list[int]]:
    """Places of the entries that differ in one setting alone, by what else they are, in order."""
    found: dict[str, list[int]] = {}
    for place, entry in enumerate(shown):
        if number(entry.differs.get(setting)) is not None:
            rest = {key: value for key, value in entry.differs.items() if key != setting}
            name = ", ".join(wording.setting(key, value) for key, value in rest.items())
            found.setdefault(" on ".join(filter(None, (name, entry.hardware))), []).append(place)
    for places in found.values():
        places.sort(key=lambda place: settled(shown[place], setting))
    return found


# ------------------------------------------------------------------ a setting and what it costs


def _swept(shown: Sequence[Entry], setting: str, measure: Measure) -> tuple[str, Markup]:
    rows = series(shown, setting)
    dots = [
        (place, settled(shown[place], setting), value)
        for places in rows.values()
        for place in places
        for value in measured(shown[place], measure)
    ]
    xs, ys = sorted({x for _, x, _ in dots}), [y for *_, y in dots]
    factor, unit = wording.scale(measure.kind, max(ys))
    across = Steps(xs, SMALL.left + 14, end_of(SMALL) - 14)
    low = 0.0 if measure.kind != "number" else min(ys)
    room = (max(ys) - low) / 8
    low -= room if low else 0.0
    down = Axis(low / factor, (max(ys) + room) / factor, floor_of(SMALL), SMALL.top)
    name = setting.replace("_", " ")
    parts = [grid(across, down, SMALL, name)]
    for said, places in rows.items():
        own = {place: measured(shown[place], measure) for place in places}
        line = [
            (settled(shown[place], setting), sum(values) / len(values) / factor)
            for place, values in own.items()
        ]
        parts.append(_line("mean", line, across, down, title=said))
    dot = Markup('<circle class="c{}" cx="{}" cy="{}" r="3.5"><title>{}</title></circle>')
    for place, x, y in dots:
        worded = f"{shown[place].name}: {wording.measured(measure.kind, y)}"
        parts.append(dot.format(place % COLOURS, across.place(x), down.place(y / factor), worded))
    what = f"{measure.heading}{f' ({unit})' if unit else ''}"
    ends = wording.measured(measure.kind, min(ys)), wording.measured(measure.kind, max(ys))
    return what, svg(SMALL, f"{what} against {name}: from {ends[0]} to {ends[1]}", parts)


# ------------------------------------------------------------------ marks


def _line(
    name: str,
    points: Sequence[Point],
    across: Axis | Steps,
    down: Axis,
    *,
    title: str = "",
) -> Markup:
    path = " ".join(f"{across.place(x)},{down.place(y)}" for x, y in points)
    said = Markup("<title>{}</title>").format(title) if title else ""
    return Markup('<polyline class="{}" points="{}">{}</polyline>').format(name, path, said)


def _looks(place: int, points: Sequence[Point], across: Axis, down: Axis) -> Markup:
    """The looks at held-out rows: a dashed line, and a dot for each."""
    if not points:
        return Markup("")
    tone = f"c{place % COLOURS}"
    dot = Markup('<circle class="{}" cx="{}" cy="{}" r="2.5"/>')
    dots = [dot.format(tone, across.place(x), down.place(y)) for x, y in points]
    return Markup("").join([_line(f"held {tone}", points, across, down), *dots])


def _labels(shown: Sequence[Entry], ends: dict[int, Point], down: Axis) -> list[Markup]:
    """The entries' names beside the ends of their lines, moved apart where they would touch."""
    places = sorted(ends, key=lambda place: down.place(ends[place][1]))
    ys = apart([down.place(ends[place][1]) for place in places], 14.0, floor_of(CURVES))
    text = Markup('<text x="{}" y="{:.1f}" class="name c{}">{}<title>{}</title></text>')
    names = [(shown[place].name, place % COLOURS) for place in places]
    return [
        text.format(end_of(CURVES) + 8, y + 4, tone, _short(name), name)
        for (name, tone), y in zip(names, ys, strict=True)
    ]


def apart(places: Sequence[float], gap: float, end: float) -> list[float]:
    """Ascending places, each at least `gap` beyond the one before, and none beyond the end."""
    moved: list[float] = []
    for place in places:
        moved.append(max(place, moved[-1] + gap) if moved else place)
    for i in reversed(range(len(moved))):
        limit = end - gap * (len(moved) - 1 - i)
        moved[i] = min(moved[i], limit)
    return moved


def _short(name: str) -> str:
    return name if len(name) <= LETTERS else f"{name[: LETTERS - 1]}…"
