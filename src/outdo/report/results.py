"""What was found, in numbers: the tables and comparisons that every form of the report shows.

One `Table` a task and one a slice of it. A `Column` is a metric *and* the signature that gave its
scores, so that numbers of two signatures can't meet under one heading.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from outdo.errors import DataError
from outdo.records import Json, Metric
from outdo.report.findings import Contestant, Findings, Match, Row, Slice
from outdo.stats import Claim, Interval, Verdict, fold, mean, population, verdict
from outdo.stats.samples import pass_at_k_by_example

SCHEMA = 1
USUAL_K = (2, 5, 10, 100)
"""Which pass@k is told beside pass@1: the largest of these for which there are samples."""
SHARES = ("share", "%")
"""Units that say that a value lies within 0 and 1."""

Values = Mapping[str, float | None]
"""Example to its value, samples folded; None is missing, absence is «does not apply»."""


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

    `reference` names the row that changes are told against. `values` maps (contestant, column)
    to the folded values that all of it was computed from; `groups` maps an example to its group.
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
    columns, values = _columns(findings.metrics[task], entrants)
    answered = dict.fromkeys(row.example for _, rows in entrants for row in rows)
    groups = {name: findings.examples[name].group for name in findings.examples if name in answered}
    claim = part.claim if part else findings.claims.get(task, "these")
    matches = _matches(findings, task, [contestant for contestant, _ in entrants])

    def judge(a: str, b: str, column: Column) -> Compared | None:
        if (a, column.name) not in values or (b, column.name) not in values:
            return None
        margin = findings.margins.get((task, column.metric.name))
        found = verdict(
            values[a, column.name],
            values[b, column.name],
            better=column.metric.better,
            share=column.share,
            claim=claim,
            groups=groups,
            margin=margin,
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
            _line(contestant, columns, values, groups, claim, reference, judge)
            for contestant, _ in entrants
        ),
        compared=tuple(
            found
            for match in matches
            for column in columns
            if (found := judge(match.a, match.b, column))
        ),
        values=values,
    )


def _line(
    contestant: Contestant,
    columns: Sequence[Column],
    values: Mapping[tuple[str, str], Values],
    groups: Mapping[str, str],
    claim: Claim,
    reference: str | None,
    judge: Callable[[str, str, Column], Compared | None],
) -> Line:
    cells: dict[str, Interval] = {}
    changes: dict[str, Verdict] = {}
    for column in columns:
        own = values.get((contestant.name, column.name))
        if own is None:
            continue
        names = [groups[example] for example in own]
        cells[column.name] = mean(list(own.values()), names, share=column.share, claim=claim)
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
) -> tuple[tuple[Column, ...], dict[tuple[str, str], Values]]:
    """A column for each metric and signature, and the values under each for each contestant."""
    columns: list[Column] = []
    values: dict[tuple[str, str], Values] = {}
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
) -> Iterator[tuple[Column, dict[str, Values]]]:
    """The column of one metric and signature, then those that are made of it."""
    samples = {contestant.name: _samples(rows, metric.name, by) for contestant, rows in entrants}
    own: dict[str, Values] = {name: fold(told) for name, told in samples.items() if told}
    column = Column(
        name=metric.name if number == 1 else f"{metric.name}#{number}",
        heading=metric.heading if number == 1 else f"{metric.heading} ({number})",
        metric=metric,
        by=by,
        share=_is_share(metric, own.values()),
    )
    yield column, own
    if column.share:
        yield from _at_k(column, samples)
    if metric.common and (shared := _common(own, entrants)):
        yield replace(column, name=f"{column.name}_common", common=True), shared


Sample = tuple[str, float | None, float]


def _samples(rows: Iterable[Row], metric: str, by: str) -> list[Sample]:
    """(example, value, weight) under one signature; empty where nothing of it was scored."""
    told: list[Sample] = []
    missing: list[Sample] = []
    for row in rows:
        if row.missing is not None:
            missing.append((row.example, None, 1.0))
        told += [
            (row.example, score.value, score.weight)
            for score in row.scores
            if score.metric == metric and score.by == by
        ]
    return told + missing if told else []


def _at_k(
    column: Column, samples: Mapping[str, Sequence[Sample]]
) -> Iterator[tuple[Column, dict[str, Values]]]:
    """The unbiased pass@k of 0s and 1s, for the largest usual k that some model has samples for."""
    tried: dict[str, dict[str, list[float | None]]] = {}
    for name, told in samples.items():
        for example, value, _ in told:
            if value not in (0, 1, None):
                return
            tried.setdefault(name, {}).setdefault(example, []).append(value)
    most = max((len(values) for rows in tried.values() for values in rows.values()), default=0)
    k = max((k for k in USUAL_K if k <= most), default=None)
    if k is None:
        return
    own = {name: pass_at_k_by_example(rows, k=k) for name, rows in tried.items()}
    yield (
        replace(
            column,
            name=f"{column.name}@{k}",
            heading=f"{column.heading}@{k}",
            by=f"{column.by}; unbiased pass@{k} of up to {most} samples",
        ),
        {name: values for name, values in own.items() if _any(values)},
    )


def _is_share(metric: Metric, found: Iterable[Values]) -> bool:
    if metric.unit:
        return metric.unit in SHARES
    return all(
        0 <= value <= 1 for values in found for value in values.values() if value is not None
    )


def _common(own: Mapping[str, Values], entrants: Sequence[Entrant]) -> dict[str, Values]:
    """The values over the examples for which every model has one.

    Neither a floor nor a model without any value narrows the set; a floor has a value here only
    if it has one for each of these examples.
    """
    models = [c.name for c, _ in entrants if not c.floor and _any(own.get(c.name, {}))]
    if len(models) < 2:
        return {}
    shared = [
        example
        for example, value in own[models[0]].items()
        if value is not None and all(own[name].get(example) is not None for name in models)
    ]
    return {
        name: {example: values[example] for example in shared}
        for name, values in own.items()
        if shared and all(values.get(example) is not None for example in shared)
    }


def _any(values: Values) -> bool:
    return any(value is not None for value in values.values())


def as_json(findings: Findings, found: Results) -> dict[str, Json]:
    """The results for programs that read them: the shape of `results.json`."""
    return {
        "schema": SCHEMA,
        "study": findings.study,
        "tasks": {table.title: {"metrics": _metrics_json(table)} for table in found.tables},
        "training": {
            run.name: {
                name: run.report.get(name)
                for name in ("seconds", "peak_bytes", "trainable", "total", "tokens_per_second")
            }
            for run in findings.trainings
        },
    }


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
    }
