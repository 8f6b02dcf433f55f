"""Places on a scale, in percent: where an interval lies on the page's lines."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from outdo.records import Measure
from outdo.report.board import EVEN, Board, Gain
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
    reach = _reach(
        end
        for other in table.compared
        if other.column.name == compared.column.name
        for end in (other.verdict.found.low, other.verdict.found.high, margin)
    )
    placed = _track(found.low, found.difference, found.high, -reach, reach)
    edges = None if margin is None else (50 - 50 * margin / reach, 100 * margin / reach)
    return Track(left=placed.left, width=placed.width, dot=placed.dot, zero=50.0, margin=edges)


def _reach(ends: Iterable[float | None]) -> float:
    """How far a scale around 0 goes to either side, to hold all of these."""
    return max((abs(end) for end in ends if end is not None), default=0.0) * 1.05 or 1.0


def change_track(gain: Gain, gains: Sequence[Gain]) -> Track | None:
    """A change's place on a scale around 0 that all changes counted in the same share."""
    found = gain.verdict.found if gain.verdict else None
    if found is None or found.difference is None or found.low is None or found.high is None:
        return None
    alike = [one.verdict.found for one in gains if one.verdict and _alike(one, gain)]
    reach = _reach(end for one in alike for end in (one.low, one.high))
    placed = _track(found.low, found.difference, found.high, -reach, reach)
    return Track(left=placed.left, width=placed.width, dot=placed.dot, zero=50.0)


def _alike(one: Gain, other: Gain) -> bool:
    """Whether two changes can stand on one scale: shares can, and those of one metric."""
    return (one.asked.share and other.asked.share) or one.asked == other.asked


def rate_track(cell: Measure | None, board: Board) -> Track | None:
    """A rate's place on the scale of a leaderboard with one column; even stands on a judged one."""
    cells = [line.cells[0] for line in board.places if line.cells[0] is not None]
    return measure_track(cell, cells, even=EVEN if board.asked[0].judge else None)


def measure_track(
    cell: Measure | None, among: Sequence[Measure], *, even: float | None = None
) -> Track | None:
    """A number's place among others: from 0 to 1 if all are within, around `even` if it is 0."""
    if cell is None or cell.value is None:
        return None
    told = [end for one in among for end in (one.low, one.value, one.high) if end is not None]
    low, high = min(0.0, *told), max(told)
    if even == 0:
        low, high = -_reach(told), _reach(told)
    elif high <= 1:
        high = 1.0
    placed = _track(
        cell.value if cell.low is None else cell.low,
        cell.value,
        cell.value if cell.high is None else cell.high,
        low,
        high,
    )
    zero = None if even is None else round(100 * (even - low) / ((high - low) or 1.0), 2)
    return Track(left=placed.left, width=placed.width, dot=placed.dot, zero=zero)


def _track(left: float, middle: float, right: float, low: float, high: float) -> Track:
    scale = 100 / ((high - low) or 1.0)

    def place(number: float) -> float:
        return round(min(100.0, max(0.0, (number - low) * scale)), 2)

    start = place(left)
    return Track(left=start, width=round(place(right) - start, 2), dot=place(middle))
