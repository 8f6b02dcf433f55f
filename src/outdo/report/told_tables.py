"""Rows for tables of what `Results` tells beside means: spreads, correlations, changes, groups.

Long rows hold every digit, one contestant and metric a row; grids are worded as the page is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from outdo.report import wording
from outdo.report.relations import Relation
from outdo.report.results import Results
from outdo.report.spreads import Spread
from outdo.stats.association import Coefficient

Cells = Sequence[object]
Grid = tuple[list[str], list[list[str]]]

DESCRIBED = ("mean", "median", "variance", "deviation", "least", "lower", "upper", "most")
"""What describes values, by the names of `stats.describing.Described`."""
NAMED = {"deviation": "sd", "lower": "lower quartile", "upper": "upper quartile"}
COEFFICIENTS = ("slope", "intercept", "pearson", "spearman")


def spread_rows(found: Results) -> Iterator[Cells]:
    """Task, contestant, metric, and what describes its scores."""
    yield "task", "model", "floor", "metric", "by", "n", "missing", *DESCRIBED
    for task, spreads in found.spreads.items():
        for spread in spreads:
            column = spread.column
            for shape in spread.shapes:
                told = shape.described
                yield (
                    task, shape.name, int(shape.floor), column.name, column.by,
                    told.n if told else 0, shape.missing,
                    *(getattr(told, name) if told else None for name in DESCRIBED),
                )  # fmt: skip


def bin_rows(found: Results) -> Iterator[Cells]:
    """The bins of every histogram; the `end` of an open one is empty."""
    yield "task", "model", "metric", "start", "end", "count"
    for task, spreads in found.spreads.items():
        for spread in spreads:
            bins = spread.bins
            for shape in spread.shapes:
                for place, count in enumerate(shape.counts):
                    start = round(bins.start + place * bins.width, 12)
                    beyond = bins.open and place == bins.count - 1
                    end = None if beyond else round(bins.start + (place + 1) * bins.width, 12)
                    yield task, shape.name, spread.column.name, start, end, count


def relation_rows(found: Results) -> Iterator[Cells]:
    """Task, contestant, and the line and correlations of precision against recall."""
    ends = [f"{name}{end}" for name in COEFFICIENTS for end in ("", "_low", "_high")]
    yield "task", "model", "floor", "metric", "by", "n", "groups", "missing", *ends, "interval"
    for task, relations in found.relations.items():
        for one in relations:
            for line in one.lines:
                own = [getattr(line.found, name) for name in COEFFICIENTS]
                yield (
                    task, line.name, int(line.floor), one.name, one.precision.by, line.found.n,
                    line.found.groups, line.found.missing,
                    *(end for each in own for end in (each.value, each.low, each.high)),
                    line.found.pearson.by,
                )  # fmt: skip


def change_rows(found: Results) -> Iterator[Cells]:
    """Task, contestant, the row that it stands against, and the difference under each metric."""
    yield (
        "task", "model", "floor", "against", "metric", "by", "difference", "low", "high", "n",
        "groups", "missing", "p", "p_holm", "verdict",
    )  # fmt: skip
    for task, rows in found.against.items():
        for row in rows:
            for one in row.changes:
                gap = one.verdict.found
                yield (
                    task, one.a, int(one.a in row.floors), row.reference, one.column.name,
                    one.column.by, gap.difference, gap.low, gap.high, gap.n, gap.groups,
                    gap.missing, gap.p, row.adjusted[one.a, one.column.name], one.verdict.word,
                )  # fmt: skip


def group_rows(found: Results) -> Iterator[Cells]:
    """The mean of every group under every metric, by contestant, and how many values it is of."""
    yield "task", "group", "model", "metric", "mean", "n", "missing"
    for table in found.tables:
        if table.title != table.task:
            continue
        for (name, column), values in table.values.items():
            members: dict[str, list[float | None]] = {}
            for example, value in values.items():
                members.setdefault(table.groups[example], []).append(value)
            for group, own in members.items():
                known = [value for value in own if value is not None]
                mean = sum(known) / len(known) if known else None
                yield table.task, group, name, column, mean, len(known), len(own) - len(known)


# ------------------------------------------------------------------ rounded tables


def spread_grid(spreads: Iterable[Spread]) -> Grid:
    """Each contestant's scores under each metric, described."""
    rows = [
        [
            shape.name,
            spread.column.heading,
            wording.whole(shape.described.n if shape.described else 0),
            *(
                wording.plain(getattr(shape.described, name)) if shape.described else wording.NONE
                for name in DESCRIBED
            ),
        ]
        for spread in spreads
        for shape in spread.shapes
    ]
    return ["spread", "metric", "n", *(NAMED.get(name, name) for name in DESCRIBED)], rows


def relation_grid(relations: Iterable[Relation]) -> Grid:
    """The line and the correlations of each contestant, with their intervals."""
    rows = [
        [
            line.name,
            one.title,
            wording.whole(line.found.n),
            *(_coefficient(getattr(line.found, name)) for name in COEFFICIENTS),
        ]
        for one in relations
        for line in one.lines
    ]
    return ["precision against recall", "metric", "n", *COEFFICIENTS], rows


def _coefficient(one: Coefficient) -> str:
    return f"{wording.coefficient(one)} {wording.coefficient_limits(one)}".rstrip()


def change_grid(found: Results, task: str) -> Grid:
    """Everybody's change against the rows that the study names."""
    rows = [
        [
            one.a,
            row.reference,
            one.column.heading,
            f"{wording.gap(one.verdict.found, one.column)} "
            f"{wording.gap_limits(one.verdict.found, one.column)}".rstrip(),
            one.verdict.word,
            wording.whole(one.verdict.found.n),
            wording.p_value(row.adjusted[one.a, one.column.name]),
        ]
        for row in found.against.get(task, ())
        for one in row.changes
    ]
    return ["change", "against", "metric", "difference", "verdict", "n", "p (Holm)"], rows
