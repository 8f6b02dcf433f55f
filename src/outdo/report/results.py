"""What was found, in numbers: the tables and comparisons that every form of the report shows.

One `Table` a task and one a slice of it. A `Column` is a metric *and* the signature that gave its
scores, so that numbers of two signatures can't meet under one heading.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from outdo.errors import DataError
from outdo.records import Json, Metric
from outdo.report.findings import Contestant, Findings, Match, Row, Slice
from outdo.report.training import REPORTED
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
from outdo.stats.samples import pass_at_k_by_example

SCHEMA = 1
USUAL_K = (2, 5, 10, 100)
"""Which pass@k is told beside pass@1: the largest of these for which there are samples."""
SHARES = ("share", "%")
"""Units that say that a value lies within 0 and 1."""

Runs = tuple[Values, ...]
"""For each training run of a contestant, example to its value with samples folded.

None is missing, absence is «does not apply»; who was not trained has one run.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A metric as one signature gave it; `common` over the examples for which all have a value."""

    name: str
    heading: str
    metric: Metric
    by: str
    share: bool
    common: bool = False

    @property
    def title(self) -> str:
        return f"{self.heading}, where all models have one" if self.common else self.heading


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Results:
    """Every table of a study, whole tasks first; `headline` is what the study was made to ask."""

    tables: tuple[Table, ...]

    @property
    def headline(self) -> tuple[Table, Compared] | None:
        for table in self.tables:
            if table.compared:
                return table, table.compared[0]
        return None


def results(findings: Findings) -> Results:
    """The tables of a study. Raises DataError for findings that contradict themselves."""
    _check(findings)
    whole = [_table(findings, task, None) for task in findings.metrics]
    parts = [_table(findings, part.task, part) for part in findings.slices]
    return Results(tables=tuple(whole + parts))


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


def _table(findings: Findings, task: str, part: Slice | None) -> Table:
    entrants = _entrants(findings, task, part)
    columns, runs = _columns(findings.metrics[task], entrants)
    trained = {contestant.name: contestant.trainings for contestant, _ in entrants}
    answered = dict.fromkeys(row.example for _, rows in entrants for row in rows)
    groups = {name: findings.examples[name].group for name in findings.examples if name in answered}
    claim = part.claim if part else findings.claims.get(task, "these")
    matches = _matches(findings, task, [contestant for contestant, _ in entrants])

    def judge(a: str, b: str, column: Column) -> Compared | None:
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


Entrant = tuple[Contestant, Sequence[Row]]


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


def _columns(
    metrics: Iterable[Metric], entrants: Sequence[Entrant]
) -> tuple[tuple[Column, ...], dict[tuple[str, str], Runs]]:
    """A column for each metric and signature, and the values under each for each contestant."""
    columns: list[Column] = []
    values: dict[tuple[str, str], Runs] = {}
    for metric in metrics:
        signatures = dict.fromkeys(
            score.by
            for _, rows in entrants
            for row in rows
            for score in row.scores
            if score.metric == metric.name
        )
        for number, by in enumerate(signatures, start=1):
            for column, own in _of_signature(metric, by, number, entrants):
                columns.append(column)
                values |= {(name, column.name): found for name, found in own.items()}
    return tuple(columns), values


def _of_signature(
    metric: Metric, by: str, number: int, entrants: Sequence[Entrant]
) -> Iterator[tuple[Column, dict[str, Runs]]]:
    """The column of one metric and signature, then those that are made of it."""
    samples = {contestant.name: _samples(rows, metric.name, by) for contestant, rows in entrants}
    own: dict[str, Runs] = {
        name: tuple(fold(told) for told in runs) for name, runs in samples.items() if any(runs)
    }
    column = Column(
        name=metric.name if number == 1 else f"{metric.name}#{number}",
        heading=metric.heading if number == 1 else f"{metric.heading} ({number})",
        metric=metric,
        by=by,
        share=_is_share(metric, own.values()),
    )
    yield column, own
    if column.share and not any(row.view for _, rows in entrants for row in rows):
        yield from _at_k(column, samples)
    if metric.common and (shared := _common(own, entrants)):
        yield replace(column, name=f"{column.name}_common", common=True), shared


Sample = tuple[str, float | None, float]


def _samples(rows: Iterable[Row], metric: str, by: str) -> list[list[Sample]]:
    """(example, value, weight) under one signature, by training run.

    A run of which nothing was scored under it is empty.
    """
    told: dict[int, list[Sample]] = {}
    missing: dict[int, list[Sample]] = {}
    for row in rows:
        mine = told.setdefault(row.run, [])
        if row.missing is not None:
            missing.setdefault(row.run, []).append((row.example, None, 1.0))
        mine += [
            (row.example, score.value, score.weight)
            for score in row.scores
            if score.metric == metric and score.by == by
        ]
    return [told[run] + missing.get(run, []) if told[run] else [] for run in sorted(told)]


def _at_k(
    column: Column, samples: Mapping[str, Sequence[Sequence[Sample]]]
) -> Iterator[tuple[Column, dict[str, Runs]]]:
    """The unbiased pass@k of 0s and 1s, for the largest usual k that some model has samples for."""
    if any(
        value not in (0, 1, None)
        for runs in samples.values()
        for run in runs
        for _, value, _ in run
    ):
        return
    tried = {name: [_by_example(run) for run in runs] for name, runs in samples.items()}
    most = max((len(v) for runs in tried.values() for run in runs for v in run.values()), default=0)
    k = max((k for k in USUAL_K if k <= most), default=None)
    if k is None:
        return
    own = {
        name: tuple(pass_at_k_by_example(run, k=k) for run in runs) for name, runs in tried.items()
    }
    yield (
        replace(
            column,
            name=f"{column.name}@{k}",
            heading=f"{column.heading}@{k}",
            by=f"{column.by}; unbiased pass@{k} of up to {most} samples",
        ),
        {name: runs for name, runs in own.items() if _any(runs)},
    )


def _by_example(samples: Iterable[Sample]) -> dict[str, list[float | None]]:
    values: dict[str, list[float | None]] = {}
    for example, value, _ in samples:
        values.setdefault(example, []).append(value)
    return values


def _is_share(metric: Metric, found: Iterable[Runs]) -> bool:
    if metric.unit:
        return metric.unit in SHARES
    return all(0 <= value <= 1 for runs in found for run in runs for value in _known(run).values())


def _common(own: Mapping[str, Runs], entrants: Sequence[Entrant]) -> dict[str, Runs]:
    """The values over the examples for which every run of every model has one.

    Neither a floor nor a model without any value narrows the set; a floor has a value here only
    if it has one for each of these examples.
    """
    models = [c.name for c, _ in entrants if not c.floor and _any(own.get(c.name, ()))]
    if len(models) < 2:
        return {}
    shared = [example for example in own[models[0]][0] if _all_have(models, own, example)]
    return {
        name: tuple({example: run[example] for example in shared} for run in runs)
        for name, runs in own.items()
        if shared and all(_known(run).keys() >= set(shared) for run in runs)
    }


def _all_have(models: Iterable[str], own: Mapping[str, Runs], example: str) -> bool:
    return all(run.get(example) is not None for name in models for run in own[name])


def _known(values: Values) -> dict[str, float]:
    return {name: value for name, value in values.items() if value is not None}


def _any(runs: Iterable[Values]) -> bool:
    return any(_known(run) for run in runs)


def as_json(findings: Findings, found: Results) -> dict[str, Json]:
    """The results for programs that read them: the shape of `results.json`."""
    return {
        "schema": SCHEMA,
        "study": findings.study,
        "tasks": {table.title: {"metrics": _metrics_json(table)} for table in found.tables},
        "training": {
            run.name: {name: _finite(run.report.get(name)) for name in REPORTED}
            for run in findings.trainings
        },
    }


def _finite(value: Json) -> Json:
    """What a report tells, but null for a number that JSON can't hold."""
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _metrics_json(table: Table) -> dict[str, Json]:
    return {
        column.name: {
            "better": column.metric.better,
            "unit": column.metric.unit,
            "by": column.by,
            "heading": column.title,
            "models": {
                line.contestant.name: _interval_json(line.cells[column.name])
                for line in table.lines
                if column.name in line.cells
            },
            "comparisons": [
                _compared_json(compared)
                for compared in table.compared
                if compared.column.name == column.name
            ],
        }
        for column in table.columns
    }


def _interval_json(cell: Interval) -> dict[str, Json]:
    return {
        "value": cell.value,
        "low": cell.low,
        "high": cell.high,
        "n": cell.n,
        "groups": cell.groups,
        "missing": cell.missing,
        "runs": list(cell.run_means),
    }


def _compared_json(compared: Compared) -> dict[str, Json]:
    found = compared.verdict.found
    return {
        "a": compared.a,
        "b": compared.b,
        "difference": found.difference,
        "low": found.low,
        "high": found.high,
        "n": found.n,
        "groups": found.groups,
        "verdict": compared.verdict.word,
        "needed": compared.verdict.needed,
        "runs": {"a": found.runs_a, "b": found.runs_b},
        "needed_runs": compared.verdict.needed_runs,
    }
