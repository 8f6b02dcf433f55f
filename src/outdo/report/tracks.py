"""Places on a scale, in percent: where an interval lies on the page's lines."""

from __future__ import annotations

from dataclasses import dataclass

from outdo.report.columns import Column
from outdo.report.scored import Compared, Table
from outdo.stats import Interval


@dataclass(frozen=True, slots=True, kw_only=True)
class Track:
    """Where an interval lies on its scale: left edge, width and middle, in percent."""

    left: float
    width: float
    dot: float
    zero: float | None = None
    margin: tuple[float, float] | None = None


def track(table: Table, column: Column, cell: Interval) -> Track | None:
    """A mean's place on the scale of its column: 0 to 1 for shares, else what the column spans."""
    if cell.value is None:
        return None
    low, high = 0.0, 1.0
    if not column.share:
        cells = [line.cells[column.name] for line in table.lines if column.name in line.cells]
        ends = [end for one in cells for end in (one.low, one.value, one.high) if end is not None]
        low, high = min(0.0, *ends), max(ends)
    left = cell.low if cell.low is not None else cell.value
    right = cell.high if cell.high is not None else cell.value
    return _track(left, cell.value, right, low, high)


def gap_track(compared: Compared, table: Table) -> Track | None:
    """A difference's place on a scale around 0 that all of the column's differences share."""
    found, margin = compared.verdict.found, compared.margin
    if found.difference is None or found.low is None or found.high is None:
        return None
    ends = [
        abs(end)
        for other in table.compared
        if other.column.name == compared.column.name
        for end in (other.verdict.found.low, other.verdict.found.high, margin)
        if end is not None
    ]
    reach = max(ends) * 1.05 or 1.0
    placed = _track(found.low, found.difference, found.high, -reach, reach)
    edges = None if margin is None else (50 - 50 * margin / reach, 100 * margin / reach)
    return Track(left=placed.left, width=placed.width, dot=placed.dot, zero=50.0, margin=edges)


def _track(left: float, middle: float, right: float, low: float, high: float) -> Track:
    scale = 100 / ((high - low) or 1.0)

    def place(number: float) -> float:
        return round(min(100.0, max(0.0, (number - low) * scale)), 2)

    start = place(left)
    return Track(left=start, width=round(place(right) - start, 2), dot=place(middle))
