"""How large the models are against how well they do: a plot for each task.

A hollow dot is a model as it was, a filled one was fine-tuned, and a line joins the two. Names
stand beside their dots where there is room; the rest show when a dot is pointed at.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from outdo.report.axes import Axis, Frame, Steps, end_of, floor_of, grid, svg
from outdo.report.board import EVEN, Asked, Board

FRAME = Frame(width=860, height=340, right=24, bottom=46, left=56)
LETTER, LINE = 6.6, 14.0
"""How much room a letter and a line of a name take, in pixels before scaling."""
LONGEST = 34
"""How many letters of a name are written beside a dot."""
DODGE = 5.0
"""How far a model as it was stands to the left of its size, and a fine-tuned one to the right."""
REACH = 9.0
"""How far a name begins from its dot."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dot:
    """One model in a plot; `before` is the name of the one that it was fine-tuned from."""

    name: str
    size: float
    value: float
    low: float | None
    high: float | None
    tuned: bool
    before: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Plot:
    """One task's dots, with the range that both axes need."""

    asked: Asked
    dots: tuple[Dot, ...]
    top: float
    bottom: float

    @property
    def sizes(self) -> list[float]:
        return sorted({dot.size for dot in self.dots})

    @property
    def title(self) -> str:
        return f"{self.asked.task}: {self.asked.heading}"


Box = tuple[float, float, float, float]
"""Left, top, right and bottom."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """Where a name stands: `x` is its start, its middle or its end, as `anchor` says."""

    name: str
    x: float
    y: float
    anchor: str


def plots(board: Board) -> Iterator[Plot]:
    """A plot for each task: of its judged rate, else of its first metric; none of a single size."""
    seen = set()
    for place, asked in enumerate(board.asked):
        if asked.task in seen:
            continue
        dots = tuple(_dots(board, place))
        if len({dot.size for dot in dots}) > 1:
            seen.add(asked.task)
            ends = [
                end for dot in dots for end in (dot.low, dot.value, dot.high) if end is not None
            ]
            bottom, top = min(0.0, *ends), max(ends)
            room = (top - bottom) / 12
            most = 1.0 if asked.share else math.inf
            yield Plot(
                asked=asked,
                dots=dots,
                top=min(top + room, max(most, top)),
                bottom=bottom,
            )


def _dots(board: Board, place: int) -> Iterator[Dot]:
    for line in board.places:
        cell, card = line.cells[place], line.card
        if cell is not None and cell.value is not None and card.size:
            yield Dot(
                name=line.name,
                size=card.size,
                value=cell.value,
                low=cell.low,
                high=cell.high,
                tuned=card.before is not None,
                before=card.before,
            )


def labels(
    names: Sequence[tuple[str, float, float]],
    *,
    frame: Box,
    taken: Sequence[Box] = (),
    letter: float = LETTER,
    line: float = LINE,
    reach: float = REACH,
) -> list[Label]:
    """Names beside their dots (name, x, y), the first having the first choice of room.

    `frame` is what may be written on, y growing downwards. A name
    for which no side is free, of its dot's and of what is `taken`, is left out.
    """
    full = [*taken, *((x - 4, y - 4, x + 4, y + 4) for _, x, y in names)]
    placed = []
    for name, x, y in names:
        said = short(name)
        for label in _sides(said, x, y, line=line, reach=reach):
            box = _box(label, letter=letter, line=line)
            inside = box[0] >= frame[0] and box[2] <= frame[2]
            inside = inside and box[1] >= frame[1] and box[3] <= frame[3]
            if inside and not any(_touch(box, other) for other in full):
                full.append(box)
                placed.append(label)
                break
    return placed


def short(name: str) -> str:
    """A name as it stands in a plot: without its owner, and without its middle if it is long."""
    own = name.rsplit("/", 1)[-1]
    return own if len(own) <= LONGEST else f"{own[: LONGEST - 13]}…{own[-12:]}"


def _sides(name: str, x: float, y: float, *, line: float, reach: float) -> Iterator[Label]:
    for step in (0.0, 0.75, -0.75, 1.5, -1.5):
        yield Label(name=name, x=x + reach, y=y + step * line, anchor="start")
        yield Label(name=name, x=x - reach, y=y + step * line, anchor="end")
    yield Label(name=name, x=x, y=y - reach - line / 3, anchor="middle")
    yield Label(name=name, x=x, y=y + reach + line / 3, anchor="middle")


def _box(label: Label, *, letter: float, line: float) -> Box:
    width = letter * len(label.name)
    left = label.x - {"start": 0.0, "middle": width / 2, "end": width}[label.anchor]
    return left, label.y - line / 2, left + width, label.y + line / 2


def _touch(one: Box, other: Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


# ------------------------------------------------------------------ on the page


def drawn(plot: Plot) -> Markup:
    """The plot as SVG in the page's own colours."""
    across = Steps(plot.sizes, FRAME.left + 30, end_of(FRAME) - 30, ratio=1.0, gap=36.0)
    down = Axis(plot.bottom, plot.top, floor_of(FRAME), FRAME.top)
    parts = [grid(across, down, FRAME, "billions of parameters")]
    parts += _even(plot, down)
    places = {
        dot.name: (across.place(dot.size) + dodge(plot, dot) * DODGE, down.place(dot.value))
        for dot in plot.dots
    }
    parts += [
        _joined(places[dot.before], places[dot.name]) for dot in plot.dots if dot.before in places
    ]
    parts += [_whisker(dot, places[dot.name][0], down) for dot in plot.dots]
    parts += [_dot(dot, *places[dot.name]) for dot in plot.dots]
    named = sorted(plot.dots, key=lambda dot: not dot.tuned)
    frame = (FRAME.left, FRAME.top, FRAME.width, floor_of(FRAME))
    whiskers = [
        (x - 2, down.place(dot.high), x + 2, down.place(dot.low))
        for dot in plot.dots
        for x, _ in [places[dot.name]]
        if dot.low is not None and dot.high is not None
    ]
    told = labels([(dot.name, *places[dot.name]) for dot in named], frame=frame, taken=whiskers)
    text = Markup('<text class="label" text-anchor="{}" x="{:.1f}" y="{:.1f}">{}</text>')
    parts += [text.format(one.anchor, one.x, one.y + 4, one.name) for one in told]
    said = "; ".join(f"{dot.name}, {dot.size:g}B: {dot.value:.2f}" for dot in plot.dots)
    return svg(FRAME, f"{plot.title}, by size. {said}", parts)


def dodge(plot: Plot, dot: Dot) -> int:
    """To which side of its size a dot stands, where there are both sorts of models: -1, 0 or 1."""
    if len({one.tuned for one in plot.dots}) < 2:
        return 0
    return 1 if dot.tuned else -1


def _even(plot: Plot, down: Axis) -> list[Markup]:
    """A line where a contestant is preferred as often as the reference."""
    if plot.asked.judge is None or not plot.bottom <= EVEN <= plot.top:
        return []
    y = down.place(EVEN)
    rule = Markup('<line class="even" x1="{}" x2="{}" y1="{}" y2="{}"/>')
    return [rule.format(FRAME.left, end_of(FRAME), y, y)]


def _joined(before: tuple[float, float], after: tuple[float, float]) -> Markup:
    rule = Markup('<line class="joined" x1="{}" y1="{}" x2="{}" y2="{}"/>')
    return rule.format(*before, *after)


def _whisker(dot: Dot, x: float, down: Axis) -> Markup:
    if dot.low is None or dot.high is None:
        return Markup("")
    rule = Markup('<line class="whisker {}" x1="{}" x2="{}" y1="{}" y2="{}"/>')
    return rule.format(_tone(dot), x, x, down.place(dot.low), down.place(dot.high))


def _dot(dot: Dot, x: float, y: float) -> Markup:
    ends = "" if dot.low is None or dot.high is None else f" [{dot.low:.2f}, {dot.high:.2f}]"
    said = f"{dot.name}, {dot.size:g}B: {dot.value:.2f}{ends}"
    mark = Markup('<circle class="{}{}" cx="{}" cy="{}" r="4.5"><title>{}</title></circle>')
    return mark.format(_tone(dot), "" if dot.tuned else " hollow", x, y, said)


def _tone(dot: Dot) -> str:
    return "c0" if dot.tuned else "c1"
