"""What plots on the page are drawn on: frames, scales with round ticks, and the picture itself."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from markupsafe import Markup

Point = tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """The size of a plot and of its margins, in pixels before scaling."""

    width: int
    height: int
    left: int = 52
    right: int = 168
    top: int = 12
    bottom: int = 36


class Scale(Protocol):
    """Where a number stands along an axis, and which numbers are written beside it."""

    def place(self, number: float) -> float: ...

    def ticks(self) -> Sequence[float]: ...


class Axis:
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


class Ratios:
    """A scale on which equal ratios are equally long, for positive numbers alone.

    Its ticks are powers of ten, and where these are few, twice and five times them too.
    """

    FEW = 3

    def __init__(self, low: float, high: float, start: float, end: float) -> None:
        if low <= 0:
            raise ValueError(f"a scale of ratios can't begin at {low}")
        self.low, self.high = low, high if high > low else 2 * low
        self.axis = Axis(math.log10(self.low), math.log10(self.high), start, end)

    def place(self, number: float) -> float:
        return self.axis.place(math.log10(number))

    def ticks(self) -> list[float]:
        first, last = math.floor(math.log10(self.low)), math.ceil(math.log10(self.high))
        powers = [10.0**i for i in range(first, last + 1)]
        told = self._within(powers)
        if len(told) >= self.FEW:
            return told
        told = self._within([factor * power for power in powers for factor in (1, 2, 5)])
        return told or [self.low, self.high]

    def _within(self, numbers: Sequence[float]) -> list[float]:
        return [x for x in numbers if self.low * (1 - 1e-9) <= x <= self.high * (1 + 1e-9)]


class Steps:
    """The values that there are as ticks, in equal ratios where they span a factor of `ratio`.

    A tick that would stand closer than `gap` to the one before is left out.
    """

    def __init__(
        self,
        values: Sequence[float],
        start: float,
        end: float,
        *,
        ratio: float = 4.0,
        gap: float = 0.0,
    ) -> None:
        self.values, self.gap = values, gap
        self.log = values[0] > 0 and values[-1] >= ratio * values[0]
        self.axis = Axis(self._of(values[0]), self._of(values[-1]), start, end)

    def _of(self, number: float) -> float:
        return math.log2(number) if self.log else number

    def place(self, number: float) -> float:
        return self.axis.place(self._of(number))

    def ticks(self) -> list[float]:
        kept: list[float] = []
        for value in self.values:
            if not kept or self.place(value) - self.place(kept[-1]) >= self.gap:
                kept.append(value)
        return kept


def end_of(frame: Frame) -> int:
    """Where the plot itself ends, to the right."""
    return frame.width - frame.right


def floor_of(frame: Frame) -> int:
    """Where the plot itself ends, below."""
    return frame.height - frame.bottom


def grid(across: Scale, down: Scale, frame: Frame, name: str) -> Markup:
    """Rules and their numbers, the ticks below, and what they count."""
    parts = []
    for tick in down.ticks():
        y = down.place(tick)
        rule = Markup('<line class="grid" x1="{}" x2="{}" y1="{}" y2="{}"/>')
        parts.append(rule.format(frame.left, end_of(frame), y, y))
        label = Markup('<text x="{}" y="{}" class="y">{:,.5g}</text>')
        parts.append(label.format(frame.left - 8, y + 4, tick))
    for tick in across.ticks():
        label = Markup('<text x="{}" y="{}" class="x">{:,.6g}</text>')
        parts.append(label.format(across.place(tick), floor_of(frame) + 18, tick))
    middle = (frame.left + end_of(frame)) / 2
    title = Markup('<text x="{}" y="{}" class="x">{}</text>')
    return Markup("").join([*parts, title.format(middle, frame.height - 2, name)])


def svg(frame: Frame, described: str, parts: Sequence[Markup]) -> Markup:
    """The picture of these parts, and what a reader is told who can't see it."""
    return Markup('<svg viewBox="0 0 {} {}" role="img" aria-label="{}">{}</svg>').format(
        frame.width, frame.height, described, Markup("").join(parts)
    )
