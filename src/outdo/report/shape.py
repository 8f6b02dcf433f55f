"""The results for programs that read them: the shape of `results.json`."""

from __future__ import annotations

import math

from outdo.records import Json
from outdo.report.findings import Findings
from outdo.report.results import Results
from outdo.report.scored import Compared, Table
from outdo.report.training import REPORTED
from outdo.stats import Interval

SCHEMA = 1


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
