"""How the precision of each contestant's replies goes with their recall.

Told of metrics named `<x>_precision` and `<x>_recall` that were given by one signature: a line
through the points, and both correlations, since the slope of a line is none.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from outdo.report.columns import Column
from outdo.report.scored import Table
from outdo.stats.association import Association, association

PRECISION, RECALL = "_precision", "_recall"


@dataclass(frozen=True, slots=True, kw_only=True)
class Related:
    """One contestant: (recall, precision) of each example that has both, and what they come to."""

    name: str
    floor: bool
    points: tuple[tuple[float, float], ...]
    found: Association


@dataclass(frozen=True, slots=True, kw_only=True)
class Relation:
    """The precision and the recall of one metric, by contestant."""

    precision: Column
    recall: Column
    lines: tuple[Related, ...]

    @property
    def title(self) -> str:
        """What the two are parts of: «BERTScore»."""
        heading = self.precision.short
        return heading.removesuffix("recision").removesuffix("p").removesuffix("P").rstrip(" ,")

    @property
    def name(self) -> str:
        """The part that the names of the two metrics share: «bertscore»."""
        return self.precision.name.replace(PRECISION, "", 1)


def relations(table: Table) -> tuple[Relation, ...]:
    """Precision against recall of every metric of a table that has both."""
    return tuple(
        Relation(
            precision=precision,
            recall=recall,
            lines=tuple(_related(table, precision, recall)),
        )
        for precision, recall in _pairs(table)
    )


def _pairs(table: Table) -> Iterator[tuple[Column, Column]]:
    own = [column for column in table.columns if not column.common]
    for precision in own:
        name = precision.metric.name
        if not name.endswith(PRECISION):
            continue
        wanted = f"{name.removesuffix(PRECISION)}{RECALL}"
        recall = [one for one in own if one.metric.name == wanted and one.by == precision.by]
        yield from ((precision, one) for one in recall)


def _related(table: Table, precision: Column, recall: Column) -> Iterator[Related]:
    for line in table.lines:
        name = line.contestant.name
        ups = table.values.get((name, precision.name), {})
        acrosses = table.values.get((name, recall.name), {})
        examples = [example for example in ups if example in acrosses]
        if not examples:
            continue
        x, y = [acrosses[one] for one in examples], [ups[one] for one in examples]
        new = table.claim == "new"
        yield Related(
            name=name,
            floor=line.contestant.floor,
            points=tuple(
                (a, b) for a, b in zip(x, y, strict=True) if a is not None and b is not None
            ),
            found=association(
                x=x, y=y, groups=[table.groups[one] for one in examples] if new else None
            ),
        )
