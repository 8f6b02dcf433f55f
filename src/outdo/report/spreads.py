"""How the scores of each contestant are spread: numbers of the middle and the width, and bins.

A mean hides whether all replies are middling or half are perfect and half are empty. Metrics
whose scores are 0 or 1 have no spread beside their rate and aren't told here.
"""

from __future__ import annotations

from dataclasses import dataclass

from outdo.report.columns import SHARES, Column
from outdo.report.scored import Table
from outdo.stats.describing import Bins, Described, bins, describe


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """The scores of one contestant: what describes them, and how many fall into each bin."""

    name: str
    floor: bool
    described: Described | None
    missing: int
    counts: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """The scores of every contestant under one column, in the same bins."""

    column: Column
    bins: Bins
    shapes: tuple[Shape, ...]

    @property
    def highest(self) -> int:
        """The count of the fullest bin of all contestants."""
        return max((count for shape in self.shapes for count in shape.counts), default=0)


def spreads(table: Table) -> tuple[Spread, ...]:
    """The spread of every metric of a table that has more to it than a rate."""
    return tuple(_spread(table, column) for column in table.columns if _is_spread(table, column))


def _is_spread(table: Table, column: Column) -> bool:
    """Whether single replies are scored by a number: a rate's are 0 or 1."""
    if column.common:
        return False
    told = [
        score.value
        for line in table.lines
        for row in line.contestant.rows
        for score in row.scores
        if score.metric == column.metric.name and score.by == column.by and score.value is not None
    ]
    counted = column.effort or column.metric.unit not in (*SHARES, "")
    return bool(told) and (counted or any(value not in (0, 1) for value in told))


def _spread(table: Table, column: Column) -> Spread:
    values = {
        line.contestant.name: list(table.values[line.contestant.name, column.name].values())
        for line in table.lines
        if (line.contestant.name, column.name) in table.values
    }
    known = {name: [x for x in own if x is not None] for name, own in values.items()}
    found = bins([x for own in known.values() for x in own], share=column.share)
    floors = {line.contestant.name for line in table.lines if line.contestant.floor}
    return Spread(
        column=column,
        bins=found,
        shapes=tuple(
            Shape(
                name=name,
                floor=name in floors,
                described=describe(own),
                missing=len(own) - len(known[name]),
                counts=tuple(found.counts(known[name])),
            )
            for name, own in values.items()
        ),
    )
