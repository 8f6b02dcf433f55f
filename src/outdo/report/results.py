"""What was found, in numbers: the tables of scores, and the leaderboard that is made of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from outdo.errors import DataError
from outdo.report.against import Against, against
from outdo.report.board import Board, board
from outdo.report.findings import Findings
from outdo.report.relations import Relation, relations
from outdo.report.scored import Compared, Table, table_of
from outdo.report.spreads import Spread, spreads


@dataclass(frozen=True, slots=True, kw_only=True)
class Results:
    """Every table of a study, whole tasks first; `headline` is what the study was made to ask.

    By task: how scores are spread, how precision goes with recall, and everybody's change
    against the rows that the study names.
    """

    tables: tuple[Table, ...]
    board: Board | None = None
    spreads: Mapping[str, tuple[Spread, ...]] = field(default_factory=dict)
    relations: Mapping[str, tuple[Relation, ...]] = field(default_factory=dict)
    against: Mapping[str, tuple[Against, ...]] = field(default_factory=dict)

    @property
    def headline(self) -> tuple[Table, Compared] | None:
        for table in self.tables:
            if table.compared:
                return table, table.compared[0]
        return None


def results(findings: Findings) -> Results:
    """The tables of a study. Raises DataError for findings that contradict themselves."""
    _check(findings)
    whole = [table_of(findings, task) for task in findings.metrics]
    parts = [table_of(findings, part.task, part) for part in findings.slices]
    return Results(
        tables=tuple(whole + parts),
        board=board(findings, whole + parts),
        spreads={table.title: spreads(table) for table in whole},
        relations={table.title: relations(table) for table in whole},
        against={table.title: against(findings, table) for table in whole},
    )


def _check(findings: Findings) -> None:
    seen = set()
    for contestant in findings.contestants:
        who = f"{contestant.name} ({contestant.task})"
        if not findings.metrics.get(contestant.task):
            raise DataError(f"{who} answers a task without metrics")
        if (contestant.task, contestant.name) in seen:
            raise DataError(f"{who} stands twice in the findings")
        seen.add((contestant.task, contestant.name))
        if lost := {row.example for row in contestant.rows} - findings.examples.keys():
            raise DataError(f"{who} answers an unknown example {min(lost)!r}")
    for match in findings.matches:
        for name in (match.a, match.b):
            if (match.task, name) not in seen:
                raise DataError(f"{name!r} is to be compared and isn't there", where=match.task)
    for part in findings.slices:
        if part.task not in findings.metrics:
            raise DataError(f"the slice {part.name!r} is of an unknown task {part.task!r}")
    for (judge, _, who), preferred in findings.preferred.items():
        if lost := preferred.keys() - findings.examples.keys():
            raise DataError(f"{judge} judged {who} on an unknown example {min(lost)!r}")
