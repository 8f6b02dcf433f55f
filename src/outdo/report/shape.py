"""The results for programs that read them: the shape of `results.json`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import cast

from outdo.records import Json, to_json
from outdo.report.board import Gain, believed, headline_judge, ties
from outdo.report.findings import Findings, Judge
from outdo.report.results import Results
from outdo.report.scored import Compared, Table
from outdo.report.spreads import Spread
from outdo.report.training import REPORTED
from outdo.stats import Interval

SCHEMA = 2


def as_json(findings: Findings, found: Results) -> dict[str, Json]:
    """The results for programs that read them: the shape of `results.json`."""
    return {
        "schema": SCHEMA,
        "study": findings.study,
        "tasks": {table.title: _table_json(found, table) for table in found.tables},
        "training": {
            run.name: {name: _finite(run.report.get(name)) for name in REPORTED}
            for run in findings.trainings
        },
        "judging": _judging_json(findings),
        "models": {name: to_json(card) for name, card in findings.cards.items()},
        "before_after": [_gain_json(one) for one in found.board.gains] if found.board else [],
        "published": [to_json(one) for one in findings.published],
        "replicated": [to_json(one) for one in findings.replicated],
    }


def _table_json(found: Results, table: Table) -> dict[str, Json]:
    """A table's metrics; of a whole task how precision goes with recall, and changes too."""
    if table.title not in found.spreads:
        return {"metrics": _metrics_json(table, ())}
    return {
        "metrics": _metrics_json(table, found.spreads[table.title]),
        "precision_recall": {
            one.name: {line.name: to_json(line.found) for line in one.lines}
            for one in found.relations[table.title]
        },
        "against": {
            row.reference: [
                _compared_json(one)
                | {"metric": one.column.name, "p_holm": row.adjusted[one.a, one.column.name]}
                for one in row.changes
            ]
            for row in found.against[table.title]
        },
    }


def _judging_json(findings: Findings) -> dict[str, Json]:
    """What judges said, told of those that aren't believed too, and marked as such."""
    return {
        "ties": {task: ties(findings, task) for task in _judged_tasks(findings)},
        "headline": {task: headline_judge(findings, task) for task in _judged_tasks(findings)},
        "judges": {one.name: _judge_json(one) for one in findings.judges},
        "standings": [
            {**_record(one), "believed": believed(findings, one.judge)}
            for one in findings.standings
        ],
        "agreement": [to_json(one) for one in findings.agreement],
        "rubrics": [to_json(one) for one in findings.rubrics],
    }


def _judged_tasks(findings: Findings) -> list[str]:
    return list(dict.fromkeys(one.task for one in findings.standings))


def _judge_json(judge: Judge) -> dict[str, Json]:
    told = _record(judge)
    del told["name"]
    return told


def _record(value: object) -> dict[str, Json]:
    return cast("dict[str, Json]", to_json(value))


def _gain_json(gain: Gain) -> dict[str, Json]:
    found = gain.verdict.found if gain.verdict else None
    return {
        "after": gain.name,
        "before": gain.before,
        "task": gain.asked.task,
        "judge": gain.asked.judge,
        "metric": gain.asked.column.name if gain.asked.column else None,
        "was": None if gain.was is None else gain.was.value,
        "now": None if gain.now is None else gain.now.value,
        "difference": found.difference if found else None,
        "low": found.low if found else None,
        "high": found.high if found else None,
        "n": found.n if found else 0,
        "verdict": gain.verdict.word if gain.verdict else None,
    }


def _finite(value: Json) -> Json:
    """What a report tells, but null for a number that JSON can't hold."""
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _metrics_json(table: Table, spreads: Sequence[Spread]) -> dict[str, Json]:
    told = {one.column.name: one for one in spreads}
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
        | (_spread_json(told[column.name]) if column.name in told else {})
        for column in table.columns
    }


def _spread_json(spread: Spread) -> dict[str, Json]:
    """What describes each contestant's scores, and how they fall into bins."""
    return {
        "spread": {
            shape.name: {
                **(_record(shape.described) if shape.described else {}),
                "counts": list(shape.counts),
            }
            for shape in spread.shapes
        },
        "bins": to_json(spread.bins),
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
