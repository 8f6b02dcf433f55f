"""The loss curve as inline SVG, in the page's own colours.

Drawn here and not by matplotlib, so that it follows the page from light to dark, scales without
a blur and costs a few kilobytes.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

from markupsafe import Markup

from outdo.report.findings import Training

WIDTH, HEIGHT = 720, 240
LEFT, RIGHT, TOP, BOTTOM = 48, 12, 10, 34
MOST_POINTS = 400


def curve(run: Training) -> Markup:
    """The loss over steps: every step pale, their running mean strong; epochs as faint lines."""
    rows = [row for row in run.curve if _finite(row.get("loss"))]
    steps = [float(row["step"]) for row in rows]
    losses = [float(row["loss"]) for row in rows]
    if not rows:
        return Markup("<p>No loss was recorded.</p>")
    across = _Axis(min(0.0, *steps), max(steps), LEFT, WIDTH - RIGHT)
    down = _Axis(0.0, max(losses), HEIGHT - BOTTOM, TOP)
    parts = [_grid(across, down)]
    for epoch in range(1, math.ceil(float(rows[-1].get("epoch", 0)))):
        at = next(float(row["step"]) for row in rows if float(row.get("epoch", 0)) >= epoch)
        line = '<line class="epoch" x1="{0}" x2="{0}" y1="{1}" y2="{2}"/>'
        parts.append(Markup(line).format(across.place(at), TOP, HEIGHT - BOTTOM))
    for name, series in (("raw", losses), ("smooth", _smooth(losses))):
        points = list(zip(steps, series, strict=True))
        parts.append(_line(name, _thinned(points), across, down))
    return Markup('<svg viewBox="0 0 {} {}" role="img" aria-label="{}">{}</svg>').format(
        WIDTH, HEIGHT, _described(run.name, losses), Markup("").join(parts)
    )


class _Axis:
    """A linear scale with round ticks."""

    def __init__(self, low: float, high: float, start: float, end: float) -> None:
        self.low, self.high = low, high if high > low else low + 1
        self.start, self.end = start, end

    def place(self, number: float) -> float:
        part = (number - self.low) / (self.high - self.low)
        return round(self.start + part * (self.end - self.start), 1)

    def ticks(self) -> list[float]:
        rough = (self.high - self.low) / 4
        power = 10.0 ** math.floor(math.log10(rough))
        step = next(power * f for f in (1, 2, 2.5, 5, 10) if power * f >= rough)
        first = math.ceil(self.low / step - 1e-9)
        return [step * i for i in range(first, math.floor(self.high / step + 1e-9) + 1)]


def _grid(across: _Axis, down: _Axis) -> Markup:
    parts = []
    for tick in down.ticks():
        y = down.place(tick)
        parts.append(
            Markup('<line class="grid" x1="{}" x2="{}" y1="{}" y2="{}"/>').format(
                LEFT, WIDTH - RIGHT, y, y
            )
        )
        parts.append(
            Markup('<text x="{}" y="{}" class="y">{:g}</text>').format(LEFT - 8, y + 4, tick)
        )
    for tick in across.ticks():
        x = across.place(tick)
        label = Markup('<text x="{}" y="{}" class="x">{:,.6g}</text>')
        parts.append(label.format(x, HEIGHT - BOTTOM + 18, tick))
    parts.append(Markup('<text x="{}" y="{}" class="x">step</text>').format(WIDTH / 2, HEIGHT - 2))
    return Markup("").join(parts)


def _line(name: str, points: Sequence[tuple[float, float]], across: _Axis, down: _Axis) -> Markup:
    path = " ".join(f"{across.place(x)},{down.place(y)}" for x, y in points)
    return Markup('<polyline class="{}" points="{}"/>').format(name, path)


def _thinned(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """At most `MOST_POINTS` points, the last always among them."""
    stride = math.ceil(len(points) / MOST_POINTS)
    kept = points[::stride]
    return kept if kept[-1] == points[-1] else [*kept, points[-1]]


def _smooth(losses: Sequence[float]) -> list[float]:
    """The mean of the steps around each, over about a fifteenth of the run, fewer at its ends."""
    reach = len(losses) // 30
    sums = [0.0, *itertools.accumulate(losses)]
    smoothed = []
    for i in range(len(losses)):
        near = min(reach, i, len(losses) - 1 - i)
        smoothed.append((sums[i + near + 1] - sums[i - near]) / (2 * near + 1))
    return smoothed


def _described(name: str, losses: Sequence[float]) -> str:
    return f"Loss of {name} over {len(losses)} steps: from {losses[0]:.2f} to {losses[-1]:.2f}"


def _finite(number: object) -> bool:
    return isinstance(number, (int, float)) and math.isfinite(number)
