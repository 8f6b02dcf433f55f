"""Everybody against a row that the study names: the change to it, metric by metric, in pairs.

`Table.compared` holds what a study asks; here every other contestant of the table stands against
each row that anything is compared with, floors and other baselines among them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from outdo.report.columns import Column
from outdo.report.findings import Findings
from outdo.report.scored import Compared, Table, compared
from outdo.stats.many import holm

MOST_NAMED = 4
"""Rows that everybody stands against; of more that a study names, the first ones."""
FEWEST = 2
"""Below so many contestants beside the named row, the comparison of the study tells it all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Against:
    """The differences of everybody to one row, by column; each is somebody minus that row.

    `floors` names those who are no models. `adjusted` maps (contestant, column) to its p-value by
    Holm, over the contestants of a column.
    """

    reference: str
    changes: tuple[Compared, ...]
    floors: frozenset[str]
    adjusted: Mapping[tuple[str, str], float | None]

    @property
    def columns(self) -> tuple[Column, ...]:
        """The columns in which something changed hands, in their order."""
        return tuple(dict.fromkeys(one.column for one in self.changes))

    def of(self, column: Column) -> tuple[Compared, ...]:
        """The changes under one column."""
        return tuple(one for one in self.changes if one.column == column)


def against(findings: Findings, table: Table) -> tuple[Against, ...]:
    """Everybody against the rows that the study names, the reference of changes first."""
    named = [table.reference] if table.reference else []
    named += [match.b for match in findings.matches if match.task == table.task]
    present = {line.contestant.name for line in table.lines}
    return tuple(
        found
        for name in [name for name in dict.fromkeys(named) if name in present][:MOST_NAMED]
        for found in _against(findings, table, name)
    )


def _against(findings: Findings, table: Table, name: str) -> Iterator[Against]:
    changes = tuple(_changes(findings, table, name))
    if len({one.a for one in changes}) < FEWEST:
        return
    adjusted: dict[tuple[str, str], float | None] = {}
    for column in dict.fromkeys(one.column for one in changes):
        own = [one for one in changes if one.column == column]
        p_values = holm([one.verdict.found.p for one in own])
        adjusted |= {(one.a, column.name): p for one, p in zip(own, p_values, strict=True)}
    yield Against(
        reference=name,
        changes=changes,
        floors=frozenset(line.contestant.name for line in table.lines if line.contestant.floor),
        adjusted=adjusted,
    )


def _changes(findings: Findings, table: Table, name: str) -> Iterator[Compared]:
    trained = {line.contestant.name: line.contestant.trainings for line in table.lines}
    for column in table.columns:
        if column.common:
            continue
        for line in table.lines:
            if line.contestant.name == name:
                continue
            found = compared(
                findings,
                line.contestant.name,
                name,
                column,
                task=table.task,
                claim=table.claim,
                groups=table.groups,
                runs=table.runs,
                trained=trained,
            )
            if found is not None and found.verdict.found.n:
                yield found
