"""Scores as inline SVG, in the page's own colours: bars, histograms, scatters, changes.

What is told by colour is told by shape or by words too: a mean is a solid line under a filled
triangle, a median a dashed one under a hollow diamond; a verdict has its sign. Long names are cut
in their middle and stand whole in a title.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from markupsafe import Markup

from outdo.report import wording
from outdo.report.against import Against
from outdo.report.axes import Axis, Frame, end_of, floor_of, svg
from outdo.report.columns import Column
from outdo.report.relations import Related, Relation
from outdo.report.scored import Compared, Table
from outdo.report.spreads import Shape, Spread
from outdo.stats import Interval
from outdo.stats.association import Association

ROW = 24
LETTERS = 26
"""How much of a name is written beside a bar."""
LETTER = 6.8
"""About how wide a letter of a name or a number is, in pixels."""
MOST_DOTS = 1_000
"""Points that a scatter draws; of more, evenly many are left out."""

PANEL = Frame(width=300, height=170, left=40, right=14, top=24, bottom=38)
SQUARE = Frame(width=300, height=280, left=52, right=14, top=10, bottom=42)

TEXT = Markup('<text x="{}" y="{}" class="{}">{}</text>')
LINE = Markup('<line class="{}" x1="{}" y1="{}" x2="{}" y2="{}"/>')


def cut(name: str, letters: int = LETTERS) -> str:
    """A name with its middle left out where it is longer than so many letters."""
    if len(name) <= letters:
        return name
    tail = (letters - 1) // 2
    return f"{name[: letters - 1 - tail]}…{name[len(name) - tail :]}"


# ------------------------------------------------------------------ rows of names


def _rows(names: Sequence[str], told: Sequence[str]) -> Frame:
    """A frame with a row for each name, and room for the names and for what stands beside."""
    beside, behind = (
        max((len(text) for text in texts), default=0)
        for texts in ([cut(name) for name in names], told)
    )
    return Frame(
        width=500,
        height=ROW * len(names) + 48,
        left=round(24 + LETTER * max(4, beside)),
        right=round(20 + LETTER * behind),
        top=6,
        bottom=42,
    )


def _named(names: Sequence[str], frame: Frame, classes: Sequence[str]) -> Iterator[Markup]:
    text = Markup('<text x="{}" y="{}" class="who {}">{}<title>{}</title></text>')
    for place, (name, own) in enumerate(zip(names, classes, strict=True)):
        yield text.format(frame.left - 10, _middle(frame, place) + 4, own, cut(name), name)


def _middle(frame: Frame, place: int) -> float:
    return frame.top + ROW * (place + 0.5)


def _upright(axis: Axis, frame: Frame, title: str) -> Iterator[Markup]:
    """Rules from top to bottom with their numbers below, and what they count."""
    bottom = floor_of(frame)
    for tick in axis.ticks():
        x = axis.place(tick)
        yield LINE.format("grid", x, frame.top, x, bottom)
        yield TEXT.format(x, bottom + 16, "x", wording.tick(tick))
    yield TEXT.format((frame.left + end_of(frame)) / 2, frame.height - 6, "x", title)


# ------------------------------------------------------------------ bars


def rated(table: Table) -> list[Column]:
    """The columns of a table that are told as bars: shares, whatever they are shares of."""
    return [
        column
        for column in table.columns
        if column.share
        and not column.common
        and any(_known(line.cells.get(column.name)) for line in table.lines)
    ]


def _known(cell: Interval | None) -> bool:
    return cell is not None and cell.value is not None


def bars(table: Table, column: Column) -> Markup:
    """Each contestant's share as a bar from 0 with its interval; those of floors are hollow."""
    lines = [line for line in table.lines if _known(line.cells.get(column.name))]
    names = [line.contestant.name for line in lines]
    cells = [line.cells[column.name] for line in lines]
    told = [_told(cell, column) for cell in cells]
    frame = _rows(names, told)
    axis = Axis(0.0, 1.0, frame.left, end_of(frame))
    parts = list(_upright(axis, frame, axis_title(column)))
    floors = [line.contestant.floor for line in lines]
    parts += _named(names, frame, ["plain" if floor else "" for floor in floors])
    for place, (cell, floor) in enumerate(zip(cells, floors, strict=True)):
        parts += _bar(cell, floor, axis, frame, place)
        parts.append(
            TEXT.format(end_of(frame) + 10, _middle(frame, place) + 4, "value", told[place])
        )
    said = "; ".join(f"{name} {value}" for name, value in zip(names, told, strict=True))
    return svg(frame, f"{column.short}: {said}", parts)


def _bar(cell: Interval, floor: bool, axis: Axis, frame: Frame, place: int) -> Iterator[Markup]:
    y, value = _middle(frame, place), cell.value or 0.0
    box = Markup('<rect class="{}" x="{}" y="{}" width="{}" height="{}"/>')
    start = axis.place(0.0)
    width = round(max(axis.place(value) - start, 0.5), 1)
    yield box.format("bar hollow" if floor else "bar c0", start, y - 7, width, 14)
    if cell.low is not None and cell.high is not None:
        yield from _whisker(axis.place(cell.low), axis.place(cell.high), y, "ends")


def _told(cell: Interval, column: Column) -> str:
    return f"{wording.value(cell.value, column)} {wording.limits(cell, column)}".rstrip()


def _whisker(low: float, high: float, y: float, name: str) -> Iterator[Markup]:
    """An interval with its ends marked, that it be seen on a bar too."""
    yield LINE.format(name, low, y, high, y)
    yield from (LINE.format(name, x, y - 4, x, y + 4) for x in (low, high))


def axis_title(column: Column) -> str:
    """What an axis of a column's values is called: heading, unit and which way is better."""
    note = f"{column.metric.unit}, " if column.metric.unit else ""
    return f"{column.short} ({note}{column.metric.better} is better)"


# ------------------------------------------------------------------ changes


def changes(found: Against, column: Column) -> Markup | None:
    """Everybody's difference to the named row under a column, around 0; None where none is."""
    shown = [one for one in found.of(column) if one.verdict.found.difference is not None]
    if not shown:
        return None
    names = [one.a for one in shown]
    frame = _rows(names, [_changed(one) for one in shown])
    scale = 100 if column.share else 1
    margin = shown[0].margin
    low, high = _ends(shown, margin)
    room = 0.04 * (high - low)
    axis = Axis((low - room) * scale, (high + room) * scale, frame.left, end_of(frame))
    unit = wording.gap_unit(column)
    title = f"difference to {cut(found.reference)}{f' ({unit})' if unit else ''}"
    parts = []
    if margin is not None:
        left, right = axis.place(-margin * scale), axis.place(margin * scale)
        band = Markup('<rect class="band" x="{}" y="{}" width="{}" height="{}"/>')
        parts.append(band.format(left, frame.top, round(right - left, 1), ROW * len(shown)))
    parts += _upright(axis, frame, title)
    parts.append(LINE.format("zero", axis.place(0), frame.top, axis.place(0), floor_of(frame)))
    classes = ["plain" if one.a in found.floors else "" for one in shown]
    parts += _named(names, frame, classes)
    for place, one in enumerate(shown):
        parts += _change(one, axis, frame, place, scale)
    said = "; ".join(f"{one.a} {_changed(one)}" for one in shown)
    return svg(frame, f"{column.short} against {found.reference}: {said}", parts)


def _ends(shown: Sequence[Compared], margin: float | None) -> tuple[float, float]:
    """The least and the most of all differences, of what their intervals hold, and of 0."""
    told = [0.0, *([] if margin is None else [-margin, margin])]
    for one in shown:
        gap = one.verdict.found
        told += [end for end in (gap.low, gap.difference, gap.high) if end is not None]
    low, high = min(told), max(told)
    return (low, high) if high > low else (-0.01, 0.01)


def _change(one: Compared, axis: Axis, frame: Frame, place: int, scale: int) -> Iterator[Markup]:
    gap, y, word = one.verdict.found, _middle(frame, place), one.verdict.word
    if gap.low is not None and gap.high is not None:
        low, high = axis.place(gap.low * scale), axis.place(gap.high * scale)
        yield from _whisker(low, high, y, f"whisker {word}")
    dot = Markup('<circle class="{}" cx="{}" cy="{}" r="4"/>')
    yield dot.format(word, axis.place((gap.difference or 0.0) * scale), y)
    text = Markup('<text x="{}" y="{}" class="value {}">{}</text>')
    yield text.format(end_of(frame) + 10, y + 4, word, _changed(one))


def _changed(one: Compared) -> str:
    gap = wording.gap(one.verdict.found, one.column)
    number = gap.removesuffix(wording.gap_unit(one.column)).rstrip()
    limits = wording.gap_limits(one.verdict.found, one.column)
    return f"{wording.SIGNS[one.verdict.word]} {number} {limits}".rstrip()


# ------------------------------------------------------------------ histograms


def histogram(spread: Spread, shape: Shape) -> Markup:
    """How many scores of a contestant fall into each bin; marked are their mean and median.

    All contestants of a metric have the same two scales.
    """
    frame, bins = PANEL, spread.bins
    across = Axis(bins.start, bins.end, frame.left, end_of(frame))
    down = Axis(0.0, max(1, spread.highest), floor_of(frame), frame.top)
    parts = list(_counted(down, frame))
    tone = "bin plain" if shape.floor else "bin c0"
    box = Markup('<rect class="{}" x="{}" y="{}" width="{}" height="{}"/>')
    for place, count in enumerate(shape.counts):
        if count:
            left = across.place(bins.start + place * bins.width)
            right = across.place(bins.start + (place + 1) * bins.width)
            top = down.place(count)
            height = round(floor_of(frame) - top, 1)
            width = round(max(right - left - 1, 1), 1)
            parts.append(box.format(tone, left + 0.5, top, width, height))
    unit = f" ({spread.column.metric.unit})" if spread.column.metric.unit else ""
    parts += _below(spread, across, frame, f"{spread.column.short}{unit}")
    parts += _middles(shape, across, frame)
    return svg(frame, f"{spread.column.short} of {shape.name}: {shape_said(shape)}", parts)


def shape_said(shape: Shape) -> str:
    """How many scores there are, their mean and their median, in words."""
    told = shape.described
    if told is None:
        return "no scores"
    missing = f", {shape.missing:,} missing" if shape.missing else ""
    middle = f"mean {wording.plain(told.mean)}, median {wording.plain(told.median)}"
    return f"n {told.n:,}{missing}, {middle}"


def _counted(down: Axis, frame: Frame) -> Iterator[Markup]:
    """Rules with whole counts, for there is no half of a reply."""
    for tick in down.ticks():
        if float(round(tick, 6)).is_integer():
            y = down.place(tick)
            yield LINE.format("grid", frame.left, y, end_of(frame), y)
            yield TEXT.format(frame.left - 6, y + 4, "y", f"{tick:,.0f}")


def _below(spread: Spread, across: Axis, frame: Frame, title: str) -> Iterator[Markup]:
    """The numbers under the bins; an open last one says from where on it counts."""
    bins, bottom = spread.bins, floor_of(frame)
    last = bins.end - bins.width
    room = across.place(last + bins.width / 2) - 30 if bins.open else math.inf
    for tick in across.ticks():
        x = across.place(tick)
        if x <= room:
            yield TEXT.format(x, bottom + 15, "x", wording.tick(tick))
    if bins.open:
        x = min(across.place(last + bins.width / 2), end_of(frame) - 8)
        yield TEXT.format(x, bottom + 15, "x", f"≥ {wording.tick(last)}")
    yield TEXT.format((frame.left + end_of(frame)) / 2, frame.height - 6, "x", title)


def _middles(shape: Shape, across: Axis, frame: Frame) -> Iterator[Markup]:
    """The mean and the median as lines, each with a mark of its own shape at its head."""
    told = shape.described
    if told is None:
        middle = (frame.left + end_of(frame)) / 2, (frame.top + floor_of(frame)) / 2
        yield TEXT.format(*middle, "x", "no scores")
        return
    x = _inside(across, told.median)
    yield LINE.format("median", x, frame.top - 1, x, floor_of(frame))
    diamond = Markup('<path class="median" d="M{},{}l5,5l-5,5l-5,-5z"/>')
    yield diamond.format(x, frame.top - 11)
    x = _inside(across, told.mean)
    yield LINE.format("mean", x, frame.top - 14, x, floor_of(frame))
    yield Markup('<path class="mean" d="M{},{}h10l-5,8z"/>').format(x - 5, frame.top - 21)


def _inside(axis: Axis, number: float) -> float:
    """A number's place, at the edge where it lies in an open bin's beyond."""
    return axis.place(min(max(number, axis.low), axis.high))


# ------------------------------------------------------------------ precision against recall


def window(relation: Relation) -> tuple[float, float]:
    """The least and the most that the axes of all contestants show: round numbers around all."""
    told = [part for line in relation.lines for point in line.points for part in point]
    low, high = min(told, default=0.0), max(told, default=1.0)
    step = next(step for step in (0.01, 0.02, 0.05, 0.1, 0.2, math.inf) if high - low <= 8 * step)
    if step == math.inf:
        return low, high
    low, high = math.floor(low / step + 1e-9) * step, math.ceil(high / step - 1e-9) * step
    return (low, high) if high > low else (low - step, high + step)


def scatter(relation: Relation, line: Related) -> Markup:
    """Precision against recall of a contestant's replies, and the line fitted to them."""
    frame = SQUARE
    low, high = window(relation)
    across = Axis(low, high, frame.left, end_of(frame))
    down = Axis(low, high, floor_of(frame), frame.top)
    parts = []
    for tick in across.ticks():
        x, y = across.place(tick), down.place(tick)
        parts += [
            LINE.format("grid", frame.left, y, end_of(frame), y),
            LINE.format("grid", x, frame.top, x, floor_of(frame)),
            TEXT.format(frame.left - 6, y + 4, "y", wording.tick(tick)),
            TEXT.format(x, floor_of(frame) + 16, "x", wording.tick(tick)),
        ]
    middle = (frame.left + end_of(frame)) / 2, (frame.top + floor_of(frame)) / 2
    turned = Markup('<text class="x" transform="translate({},{}) rotate(-90)">{}</text>')
    parts.append(TEXT.format(middle[0], frame.height - 6, "x", "recall"))
    parts.append(turned.format(12, middle[1], "precision"))
    shown = line.points[:: math.ceil(len(line.points) / MOST_DOTS)] if line.points else ()
    dots = "".join(f"M{across.place(x)},{down.place(y)}h0" for x, y in shown)
    if dots:
        tone = "plain" if line.floor else "c0"
        parts.append(Markup('<path class="dots {}" d="{}"/>').format(tone, dots))
    else:
        parts.append(TEXT.format(*middle, "x", "no scores"))
    if ends := fitted(line.found, low, high, line.points):
        (a, b), (c, d) = ends
        places = across.place(a), down.place(b), across.place(c), down.place(d)
        parts.append(LINE.format("fit", *places))
    return svg(frame, f"Precision against recall of {line.name}: {fit_said(line.found)}", parts)


def fit_said(found: Association) -> str:
    """The line and the two correlations, in words."""
    told = (("slope", found.slope), ("Pearson", found.pearson), ("Spearman", found.spearman))
    return ", ".join(f"{name} {wording.coefficient(one)}" for name, one in told)


def fitted(
    found: Association, low: float, high: float, points: Sequence[tuple[float, float]]
) -> tuple[tuple[float, float], tuple[float, float]] | None:
    """The ends of the fitted line over the points, within the axes; None where there is none."""
    slope, intercept = found.slope.value, found.intercept.value
    if slope is None or intercept is None or not points:
        return None
    left, right = min(x for x, _ in points), max(x for x, _ in points)
    if slope:
        edges = sorted(((low - intercept) / slope, (high - intercept) / slope))
        left, right = max(left, edges[0]), min(right, edges[1])
    if right <= left:
        return None
    return (left, intercept + slope * left), (right, intercept + slope * right)
