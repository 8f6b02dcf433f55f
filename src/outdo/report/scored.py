"""The tables that every form of the report shows: who scored what under which column.

One `Table` a task and one a slice of it. A `Column` is a metric *and* the signature that gave its
scores, so that numbers of two signatures can't meet under one heading.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from outdo.report.columns import Column, Entrant, Runs, columns_of
from outdo.report.findings import Contestant, Findings, Match, Slice
from outdo.stats import (
    Claim,
    Interval,
    Values,
    Verdict,
    fold,
    mean_of_runs,
    population,
    verdict,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One contestant in a table: a cell for each column, and the verdict against the reference."""

    contestant: Contestant
    cells: Mapping[str, Interval]
    changes: Mapping[str, Verdict]


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """Two contestants of a table under one column; `margin` is what counts as no difference."""

    a: str
    b: str
    column: Column
    verdict: Verdict
    margin: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """One task, or one slice of it: who scored what, on which examples, for which population.

    `reference` names the row that changes are told against. `runs` maps (contestant, column) to
    the values of each run that all of it was computed from, `values` to their means over runs;
    `groups` maps an example to its group.
    """

    title: str
    task: str
    about: str
    claim: Claim
    population: str
    groups: Mapping[str, str]
    reference: str | None
    columns: tuple[Column, ...]
    lines: tuple[Line, ...]
    compared: tuple[Compared, ...]
    runs: Mapping[tuple[str, str], Runs]
    values: Mapping[tuple[str, str], Values]


def table_of(findings: Findings, task: str, part: Slice | None = None) -> Table:
    """The table of a task, or of one slice of it."""
    entrants = _entrants(findings, task, part)
    columns, runs = columns_of(findings.metrics[task], entrants)
    trained = {contestant.name: contestant.trainings for contestant, _ in entrants}
    answered = dict.fromkeys(row.example for _, rows in entrants for row in rows)
    groups = {name: findings.examples[name].group for name in findings.examples if name in answered}
    claim = part.claim if part else findings.claims.get(task, "these")
    matches = _matches(findings, task, [contestant for contestant, _ in entrants])

    judge = partial(
        compared, findings, task=task, claim=claim, groups=groups, runs=runs, trained=trained
    )
    reference = _reference([contestant for contestant, _ in entrants], matches)
    return Table(
        title=f"{task}/{part.name}" if part else task,
        task=task,
        about=part.about if part else "",
        claim=claim,
        population=_population(findings, claim, groups),
        groups=groups,
        reference=reference,
        columns=columns,
        lines=tuple(
            _line(contestant, columns, runs, groups, claim, reference, judge)
            for contestant, _ in entrants
        ),
        compared=tuple(
            found
            for match in matches
            for column in columns
            if (found := judge(match.a, match.b, column))
        ),
        runs=runs,
        values={key: _folded(own) for key, own in runs.items()},
    )


def compared(
    findings: Findings,
    a: str,
    b: str,
    column: Column,
    *,
    task: str,
    claim: Claim,
    groups: Mapping[str, str],
    runs: Mapping[tuple[str, str], Runs],
    trained: Mapping[str, tuple[str, ...]],
) -> Compared | None:
    """Contestant a against b under a column of a table; None where one of them has no scores.

    `trained` maps a contestant to its training runs: those that share them are paired by run.
    """
    if (a, column.name) not in runs or (b, column.name) not in runs:
        return None
    margin = findings.margins.get((task, column.metric.name))
    mine, others = runs[a, column.name], runs[b, column.name]
    found = verdict(
        mine,
        others,
        better=column.metric.better,
        share=column.share,
        claim=claim,
        groups=groups,
        margin=margin,
        same_runs=trained[a] == trained[b] != () and len(mine) == len(others),
    )
    return Compared(a=a, b=b, column=column, verdict=found, margin=margin)


def main_column(table: Table) -> Column | None:
    """The column that the table is read for: the one that is compared first, or the first."""
    if table.compared:
        return table.compared[0].column
    return table.columns[0] if table.columns else None


def _folded(runs: Runs) -> Values:
    """Example to its mean over runs."""
    if len(runs) == 1:
        return runs[0]
    return fold((name, value, 1.0) for run in runs for name, value in run.items())


def _line(
    contestant: Contestant,
    columns: Sequence[Column],
    runs: Mapping[tuple[str, str], Runs],
    groups: Mapping[str, str],
    claim: Claim,
    reference: str | None,
    judge: Callable[[str, str, Column], Compared | None],
) -> Line:
    cells: dict[str, Interval] = {}
    changes: dict[str, Verdict] = {}
    for column in columns:
        own = runs.get((contestant.name, column.name))
        if own is None:
            continue
        cells[column.name] = mean_of_runs(
            own, groups, share=column.share, claim=claim, least=column.metric.least
        )
        if reference and reference != contestant.name:
            found = judge(contestant.name, reference, column)
            if found and found.verdict.found.n:
                changes[column.name] = found.verdict
    return Line(contestant=contestant, cells=cells, changes=changes)


def _population(findings: Findings, claim: Claim, groups: Mapping[str, str]) -> str:
    return population(
        claim,
        items=len(groups),
        groups=len(set(groups.values())),
        item=findings.item,
        group=findings.group,
    )


def _entrants(findings: Findings, task: str, part: Slice | None) -> list[Entrant]:
    """The contestants of a task with their rows of the slice; one without any isn't there."""
    wanted = None if part is None else set(part.examples)
    entrants: list[Entrant] = []
    for contestant in findings.contestants:
        if contestant.task != task:
            continue
        rows = [row for row in contestant.rows if wanted is None or row.example in wanted]
        if rows:
            entrants.append((contestant, rows))
    return entrants


def _matches(findings: Findings, task: str, present: Sequence[Contestant]) -> list[Match]:
    """What the findings compare; where they don't say, every model against the reference."""
    names = {contestant.name for contestant in present}
    told = [match for match in findings.matches if match.task == task]
    if not told:
        b = next((contestant.name for contestant in present if contestant.reference), None)
        told = [
            Match(task=task, a=contestant.name, b=b)
            for contestant in present
            if b is not None and contestant.name != b and not contestant.floor
        ]
    return [match for match in told if match.a in names and match.b in names]


def _reference(present: Sequence[Contestant], matches: Sequence[Match]) -> str | None:
    named = [contestant.name for contestant in present if contestant.reference]
    return next(iter(named or [match.b for match in matches]), None)
