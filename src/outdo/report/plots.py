"""Training as inline SVG, in the page's own colours: loss as it falls, and what a setting costs.

Drawn here and not by matplotlib, so that it follows the page from light to dark, scales without
a blur and costs a few kilobytes. A colour is an entry, in every plot; its name stands beside it.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from outdo.report import wording
from outdo.report.axes import (
    Axis,
    Frame,
    Point,
    Ratios,
    Scale,
    Steps,
    end_of,
    floor_of,
    grid,
    svg,
)
from outdo.report.findings import Training
from outdo.report.training import (
    HELD_OUT,
    LOSS,
    MEMORY,
    SECONDS,
    TRAINED,
    Entry,
    Kind,
    Measure,
    measured,
    number,
    validation,
)

COLOURS, STROKES = 6, 4
"""Colours of lines, and the sorts of strokes that each of them comes in."""
MOST_POINTS = 400
LETTERS = 24
"""How much of a name is written beside a line; all of it shows when it is pointed at."""

CURVES = Frame(width=860, height=320, right=204)
SMALL = Frame(width=300, height=220, right=16)


@dataclass(frozen=True, slots=True, kw_only=True)
class Over:
    """What a loss stands over: its name in a stored curve, in words, and what kind it is."""

    name: str
    heading: str
    kind: Kind


STEP = Over(name="step", heading="step", kind="number")
OVERS = (
    STEP,
    Over(name="epoch", heading="epoch", kind="number"),
    Over(name="seconds", heading="time", kind="seconds"),
    Over(name="tokens", heading="tokens seen", kind="count"),
)
"""What losses are drawn over, as far as the stored curves tell it."""

FAR_APART = 10.0
"""How many times the shortest run the longest takes, from which on time is told in ratios."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Traced:
    """The curves of one run: the loss of each step, its running mean, and held-out rows."""

    place: int
    run: Training
    steps: list[Point]
    smooth: list[Point]
    looks: list[Point]


def traced(shown: Sequence[Entry], over: Over = STEP) -> list[Traced]:
    """The runs that tell their loss over this, in the order of their entries."""
    return [
        Traced(
            place=place, run=run, steps=steps, smooth=smoothed(steps), looks=validated(run, over)
        )
        for place, entry in enumerate(shown)
        for run in entry.runs
        if (steps := curve(run, over))
    ]


def overs(shown: Sequence[Entry]) -> list[Over]:
    """What there is to draw losses over, the step first."""
    return [over for over in OVERS if traced(shown, over)]


def far_apart(told: Sequence[Traced], over: Over) -> bool:
    """Whether runs last so differently long, on other devices, that a linear scale hides some."""
    ends = [one.steps[-1][0] for one in told]
    return over.kind == "seconds" and min(ends) > 0 and max(ends) >= FAR_APART * min(ends)


def losses(shown: Sequence[Entry], over: Over = STEP) -> Markup | None:
    """The loss of every run over its steps, or over what else a curve tells; None without any.

    Dashed is that of held-out rows. A single run shows its steps, pale, behind their running
    mean. Time stands in equal ratios where runs last so differently long.
    """
    told = traced(shown, over)
    if not told:
        return None
    raw = [told[0].steps] if len(told) == 1 else []
    lines = [*raw, *(one.smooth for one in told), *(one.looks for one in told)]
    across, factor, name = _across(told, over, max(x for line in lines for x, _ in line))
    down = Axis(0.0, max(y for line in lines for _, y in line), floor_of(CURVES), CURVES.top)

    def placed(points: Sequence[Point]) -> list[Point]:
        return [(x / factor, y) for x, y in points if x > 0 or isinstance(across, Axis)]

    parts = [grid(across, down, CURVES, name)]
    parts += [_line("raw c0", thinned(placed(points)), across, down) for points in raw]
    for one in told:
        points = thinned(placed(one.smooth))
        parts.append(_line(f"run {toned(one.place)}", points, across, down, title=one.run.name))
    parts += [_looks(one.place, placed(one.looks), across, down) for one in told]
    parts += _labels(shown, {one.place: one.smooth[-1] for one in told}, down)
    said = "; ".join(
        f"{one.run.name} from {one.smooth[0][1]:.2f} to {one.smooth[-1][1]:.2f}" for one in told
    )
    return svg(CURVES, f"Loss by {over.heading}: {said}", parts)


def _across(told: Sequence[Traced], over: Over, most: float) -> tuple[Scale, float, str]:
    """The axis that losses stand over, how many of its own units it counts in, and its name."""
    factor, unit = wording.scale(over.kind, most)
    name = f"{over.heading} ({unit})" if unit else over.heading
    if far_apart(told, over):
        least = min(x for one in told for x, _ in one.steps if x > 0)
        low = max(least, most / 1e4) / factor
        return Ratios(low, most / factor, CURVES.left, end_of(CURVES)), factor, name
    return Axis(0.0, most / factor, CURVES.left, end_of(CURVES)), factor, name


def toned(place: int) -> str:
    """The colour of a line; those beyond the last colour begin anew, in dashes of other lengths."""
    turn = place // COLOURS % STROKES
    return f"c{place % COLOURS}" + (f" again{turn}" if turn else "")


def sweep(shown: Sequence[Entry], setting: str) -> list[tuple[str, Markup]]:
    """(what, plot) of time, memory, parameters and loss against a setting.

    A dot is a run, a line joins the means.
    """
    return [_swept(shown, setting, one) for one in swept_measures(shown, setting)]


def swept_measures(shown: Sequence[Entry], setting: str) -> list[Measure]:
    """Of time, memory, trained parameters and a loss, what each entry with the setting tells.

    Parameters are told where the setting changes how many there are.
    """
    having = [entry for entry in shown if number(entry.differs.get(setting)) is not None]
    loss = HELD_OUT if _told(having, HELD_OUT) else LOSS
    counts = {count for entry in having for count in measured(entry, TRAINED)}
    told = (SECONDS, MEMORY, *([TRAINED] if len(counts) > 1 else []), loss)
    return [one for one in told if _told(having, one)]


def _told(shown: Sequence[Entry], measure: Measure) -> bool:
    return all(measured(entry, measure) for entry in shown)


def settled(entry: Entry, setting: str) -> float:
    """The value of a setting that is a number, as those of a series are."""
    return number(entry.differs[setting]) or 0.0


def curve(run: Training, over: Over = STEP) -> list[Point]:
    """(step, or what else it is over, loss) of each step that has a finite loss."""
    rows = [(number(row.get(over.name)), number(row.get("loss"))) for row in run.curve]
    return [(place, loss) for place, loss in rows if place is not None and loss is not None]


def validated(run: Training, over: Over = STEP) -> list[Point]:
    """(step, or what else it is over, loss) of each look at held-out rows.

    A look tells its step alone; all else is that of the same step in the curve.
    """
    if over.name == "step":
        return validation(run)
    places = {
        step: place
        for row in run.curve
        if (step := number(row.get("step"))) is not None
        and (place := number(row.get(over.name))) is not None
    }
    return [(places[step], loss) for step, loss in validation(run) if step in places]


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
    down = _down(measure, [y / factor for y in ys])
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


def in_ratios(measure: Measure, values: Sequence[float]) -> bool:
    """Whether a measure is told in equal ratios: a count that grows as its setting does."""
    return measure.kind == "count" and min(values) > 0 and max(values) >= 4 * min(values)


def _down(measure: Measure, ys: Sequence[float]) -> Scale:
    """The scale of a measure: from 0, of ratios, or around its values where these lie close."""
    if in_ratios(measure, ys):
        return Ratios(min(ys) / 1.3, max(ys) * 1.3, floor_of(SMALL), SMALL.top)
    low = 0.0 if measure.kind != "number" else min(ys)
    room = (max(ys) - low) / 8
    low -= room if low else 0.0
    return Axis(low, max(ys) + room, floor_of(SMALL), SMALL.top)


# ------------------------------------------------------------------ marks


def _line(
    name: str,
    points: Sequence[Point],
    across: Scale,
    down: Scale,
    *,
    title: str = "",
) -> Markup:
    path = " ".join(f"{across.place(x)},{down.place(y)}" for x, y in points)
    said = Markup("<title>{}</title>").format(title) if title else ""
    return Markup('<polyline class="{}" points="{}">{}</polyline>').format(name, path, said)


def _looks(place: int, points: Sequence[Point], across: Scale, down: Scale) -> Markup:
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
