"""The same numbers as text: Markdown to read, CSV to compute with, LaTeX to print.

CSV tables are long (one number with its interval a row) and hold every digit; the other two are
rounded as the page is.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence

from outdo.report import board_tables, replicated, told_tables, wording
from outdo.report.findings import Findings
from outdo.report.jury import checks, said
from outdo.report.results import Results
from outdo.report.scored import Table
from outdo.report.training import (
    MEASURES,
    REPORTED,
    Amount,
    Measure,
    entries,
    looks,
    measures,
    settings,
)
from outdo.stats.verdict import plural

Cells = Sequence[object]


def tables(findings: Findings, found: Results) -> Iterator[tuple[str, str]]:
    """(file name, text) of every table."""
    yield "scores.csv", as_csv(_scores(found))
    yield "comparisons.csv", as_csv(_comparisons(found))
    yield f"{slug(plural(findings.item, 2))}.csv", as_csv(_items(found))
    yield "replies.csv", as_csv(_costs(findings))
    if findings.trainings:
        yield "training.csv", as_csv(_trainings(findings))
        yield "training.tex", _tex(*_training_grid(findings))
        yield "loss.csv", as_csv(_losses(findings))
        if any(run.report.get("validation") for run in findings.trainings):
            yield "validation.csv", as_csv(_looks(findings))
    yield from _told_tables(findings, found)
    yield from _board_tables(findings, found)
    for table in found.tables:
        yield f"scores-{slug(table.title)}.tex", _tex(*_grid(table))
    if any(table.compared for table in found.tables):
        yield "comparisons.tex", _tex(*_compared_grid(found))


def _told_tables(findings: Findings, found: Results) -> Iterator[tuple[str, str]]:
    """Groups, spreads, precision against recall, and changes against the rows that are named."""
    yield f"by-{slug(findings.group)}.csv", as_csv(told_tables.group_rows(found))
    if any(found.spreads.values()):
        yield "spread.csv", as_csv(told_tables.spread_rows(found))
        yield "histograms.csv", as_csv(told_tables.bin_rows(found))
    if any(found.relations.values()):
        yield "precision-recall.csv", as_csv(told_tables.relation_rows(found))
    if any(found.against.values()):
        yield "against.csv", as_csv(told_tables.change_rows(found))
    for task in found.spreads:
        if found.spreads[task]:
            yield f"spread-{slug(task)}.tex", _tex(*told_tables.spread_grid(found.spreads[task]))
        if found.relations[task]:
            grid = told_tables.relation_grid(found.relations[task])
            yield f"precision-recall-{slug(task)}.tex", _tex(*grid)
        if found.against[task]:
            yield f"against-{slug(task)}.tex", _tex(*told_tables.change_grid(found, task))


def _board_tables(findings: Findings, found: Results) -> Iterator[tuple[str, str]]:
    if found.board:
        yield "leaderboard.csv", as_csv(board_tables.board_rows(found.board))
        yield "leaderboard.tex", _tex(*board_tables.board_grid(found.board))
        if found.board.gains:
            yield "before-after.csv", as_csv(board_tables.gain_rows(found.board))
            yield "before-after.tex", _tex(*board_tables.gain_grid(found.board))
    if findings.standings:
        yield "standings.csv", as_csv(board_tables.standing_rows(findings))
    if any(said(findings, headline=True)):
        yield "ties.tex", _tex(*board_tables.ties_grid(findings))
    if findings.judges:
        yield "judges.csv", as_csv(board_tables.judge_rows(findings))
        yield "judges.tex", _tex(*board_tables.judge_grid(findings))
    if findings.rubrics:
        yield "rubrics.csv", as_csv(board_tables.rubric_rows(findings))
    for one in checks(findings):
        name = slug(f"{one.task} {one.judge}")
        yield f"rubrics-{name}.tex", _tex(*board_tables.rubric_grid(one))
    if findings.replicated:
        yield "replicated.csv", as_csv(replicated.rows(findings.replicated))
        for cells in findings.replicated:
            yield f"replicated-{slug(cells.title)}.tex", _tex(*replicated.grid(cells))
    if findings.published:
        yield "published.csv", as_csv(board_tables.published_rows(findings.published))
        for table in findings.published:
            yield f"published-{slug(table.title)}.tex", _tex(*board_tables.published_grid(table))
            if table.pairs:
                yield f"differences-{slug(table.title)}.tex", _tex(*board_tables.pairs_grid(table))


def slug(title: str) -> str:
    """A title as part of a file's name: lower case, words joined by hyphens."""
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-") or "table"


# ------------------------------------------------------------------ CSV


def as_csv(rows: Iterable[Cells]) -> str:
    """Rows as CSV that a spreadsheet reads and doesn't run."""
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(
        [_harmless(cell) for cell in row] for row in rows
    )
    return out.getvalue()


def _harmless(cell: object) -> object:
    """Text that a spreadsheet would run as a formula gets an apostrophe before it."""
    return f"'{cell}" if isinstance(cell, str) and cell[:1] in tuple("=+-@\t\r") else cell


def _scores(found: Results) -> Iterator[Cells]:
    yield (
        "task", "model", "floor", "metric", "heading", "better", "unit", "by",
        "value", "low", "high", "n", "groups", "missing", "interval", "runs",
    )  # fmt: skip
    for table in found.tables:
        for line in table.lines:
            for column in table.columns:
                if cell := line.cells.get(column.name):
                    metric = column.metric
                    yield (
                        table.title, line.contestant.name, int(line.contestant.floor), column.name,
                        column.title, metric.better, metric.unit, column.by, cell.value, cell.low,
                        cell.high, cell.n, cell.groups, cell.missing, cell.by,
                        max(1, len(cell.run_means)),
                    )  # fmt: skip


def _comparisons(found: Results) -> Iterator[Cells]:
    yield (
        "task", "a", "b", "metric", "by", "mean_a", "mean_b", "difference", "low", "high", "low_90",
        "high_90", "n", "groups", "missing", "wins", "losses", "p", "test", "verdict", "needed",
        "interval", "runs_a", "runs_b", "needed_runs",
    )  # fmt: skip
    for table in found.tables:
        for one in table.compared:
            gap, told = one.verdict.found, one.verdict
            yield (
                table.title, one.a, one.b, one.column.name, one.column.by, gap.mean_a, gap.mean_b,
                gap.difference, gap.low, gap.high, gap.low_within, gap.high_within, gap.n,
                gap.groups, gap.missing, gap.wins, gap.losses, gap.p, gap.p_by, told.word,
                told.needed, gap.by, gap.runs_a, gap.runs_b, told.needed_runs,
            )  # fmt: skip


def _items(found: Results) -> Iterator[Cells]:
    yield "task", "example", "group", "model", "metric", "value"
    for table in found.tables:
        if table.title != table.task:
            continue
        for (name, column), values in table.values.items():
            for example, value in values.items():
                yield table.task, example, table.groups[example], name, column, value


def _costs(findings: Findings) -> Iterator[Cells]:
    yield (
        "task", "model", "rows", "missing", "unreadable", "repaired", "cut", "seconds", "tokens_in",
        "tokens_out", "money",
    )  # fmt: skip
    for one in findings.contestants:
        yield (
            one.task, one.name, len(one.rows), sum(row.missing is not None for row in one.rows),
            sum(row.problem is not None for row in one.rows),
            sum(row.repaired_by is not None for row in one.rows),
            sum(row.finish == "length" for row in one.rows), one.cost.seconds, one.cost.tokens_in,
            one.cost.tokens_out, one.cost.money,
        )  # fmt: skip


CURVE = ("step", "epoch", "seconds", "loss", "learning_rate", "tokens")
LOOK = ("step", "epoch", "loss", "score")
TOLD = tuple(name for name in REPORTED if name != "validation")
KEPT = tuple(one for one in MEASURES if one.name.startswith("validation_"))


def _trainings(findings: Findings) -> Iterator[Cells]:
    """Every run with its entry, its seed, what its entry differs in, and all that it reported."""
    shown = entries(findings)
    differing = list(shown[0].differs)
    yield "run", "entry", "seed", *differing, *TOLD, *(one.name for one in KEPT)
    for entry in shown:
        for run in entry.runs:
            yield (
                run.name, entry.name, settings(run).get("seed"), *entry.differs.values(),
                *(run.report.get(name) for name in TOLD), *(one.of(run) for one in KEPT),
            )  # fmt: skip


def _losses(findings: Findings) -> Iterator[Cells]:
    yield "run", *CURVE
    for run in findings.trainings:
        for row in run.curve:
            yield run.name, *(row.get(name) for name in CURVE)


def _looks(findings: Findings) -> Iterator[Cells]:
    yield "run", *LOOK
    for run in findings.trainings:
        for look in looks(run):
            yield run.name, *(look.get(name) for name in LOOK)


# ------------------------------------------------------------------ rounded tables


def _grid(table: Table, *, effort: bool | None = None) -> tuple[list[str], list[list[str]]]:
    """The table of scores, worded: a head and a row for each contestant.

    `effort` says whether what tells the effort of editing is meant, or the other metrics, or all.
    """
    columns = [column for column in table.columns if effort in (None, column.effort)]
    rows = []
    for line in table.lines:
        row = [line.contestant.name]
        for column in columns:
            cell = line.cells.get(column.name)
            told = wording.limits(cell, column) if cell else ""
            row.append(f"{wording.value(cell.value if cell else None, column)} {told}".rstrip())
        rows.append(row)
    return [table.title, *(column.title for column in columns)], rows


def _compared_grid(found: Results) -> tuple[list[str], list[list[str]]]:
    head = ["task", "comparison", "metric", "difference", "verdict", "n", "p"]
    rows = [
        [
            table.title,
            f"{one.a} – {one.b}",
            one.column.heading,
            f"{wording.gap(one.verdict.found, one.column)} "
            f"{wording.gap_limits(one.verdict.found, one.column)}".rstrip(),
            one.verdict.word,
            wording.whole(one.verdict.found.n),
            wording.p_value(one.verdict.found.p),
        ]
        for table in found.tables
        for one in table.compared
        if not one.column.common
    ]
    return head, rows


TEX = str.maketrans(
    {
        "\\": r"\textbackslash{}",
        "{": r"\{",
        "}": r"\}",
        "~": r"\textasciitilde{}",
        "^": r"\textasciicircum{}",
        "<": r"\textless{}",
        ">": r"\textgreater{}",
        "−": "$-$",
        "–": "--",
        "±": r"$\pm$",
        "’": "'",
        "\n": " ",
        **{sign: f"\\{sign}" for sign in "&%$#_"},
    }
)


def _tex(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [" & ".join(cell.translate(TEX) for cell in row) + r" \\" for row in (head, *rows)]
    return "\n".join(
        [
            "% needs \\usepackage{booktabs}",
            f"\\begin{{tabular}}{{l{'r' * (len(head) - 1)}}}",
            r"\toprule",
            lines[0],
            r"\midrule",
            *lines[1:],
            r"\bottomrule",
            r"\end{tabular}",
            "",
        ]
    )


# ------------------------------------------------------------------ Markdown


def markdown(findings: Findings, found: Results) -> str:
    """The report in Markdown: verdict, tables, training, and how to run it again."""
    parts = [f"# {_md(findings.study)}"]
    if findings.about:
        parts.append(_md(findings.about))
    if found.headline:
        table, first = found.headline
        said = [wording.sentence(table, first, findings), *wording.caveats(first, findings)]
        parts += [f"**{_md(said[0])}** {_md(table.population)}", *map(_md, said[1:])]
    parts += [f"- {_md(note)}" for note in findings.notes]
    parts += list(_md_board(findings, found))
    for table in found.tables:
        parts += [f"## {_md(table.title)}", _md(f"{table.about} {table.population}".strip())]
        efforts = {column.effort for column in table.columns}
        if False in efforts or not efforts:
            parts.append(md_table(*_grid(table, effort=False)))
        if True in efforts:
            parts += ["### Edit effort", _md(wording.EFFORT), md_table(*_grid(table, effort=True))]
        columns = [column for column in table.columns if not column.common]
        parts += ["\n".join(f"- {_md(c.heading)}: `{c.by}`" for c in columns)]
        parts += list(_md_told(found, table.title))
    if any(table.compared for table in found.tables):
        parts += ["## Comparisons", md_table(*_compared_grid(found))]
    if findings.trainings:
        parts += ["## Training", md_table(*_training_grid(findings))]
    if findings.command:
        parts += ["## Run it again", f"```\n{findings.command}\n```"]
    return "\n\n".join(part for part in parts if part) + "\n"


def _md_told(found: Results, task: str) -> Iterator[str]:
    """How the scores of a task are spread, precision against recall, and changes against rows."""
    if spreads := found.spreads.get(task):
        yield "### Spread of scores"
        yield md_table(*told_tables.spread_grid(spreads))
    if relations := found.relations.get(task):
        yield "### Precision against recall"
        yield md_table(*told_tables.relation_grid(relations))
    if found.against.get(task):
        yield "### Change against a row"
        yield md_table(*told_tables.change_grid(found, task))


def _md_board(findings: Findings, found: Results) -> Iterator[str]:
    """Published rates, the leaderboard and the judges, as far as there are any."""
    for cells in findings.replicated:
        yield f"## {_md(cells.title)}"
        yield "\n".join(f"- {_md(each)}" for each in cells.sentences)
        yield md_table(*replicated.grid(cells))
        yield _md(f"{cells.about}. {replicated.legend(cells)}".strip())
    for table in findings.published:
        yield f"## {_md(table.title)}"
        yield "\n".join(f"- {_md(each)}" for each in table.sentences)
        yield md_table(*board_tables.published_grid(table))
        yield md_table(*board_tables.pairs_grid(table))
    if found.board:
        yield "## Leaderboard"
        yield md_table(*board_tables.board_grid(found.board))
        yield _md(" ".join(wording.board_notes(found.board)))
        if found.board.gains:
            yield "## Before and after fine-tuning"
            yield md_table(*board_tables.gain_grid(found.board))
    if any(said(findings, headline=True)):
        yield "## Ties, counted three ways"
        yield md_table(*board_tables.ties_grid(findings))
    told = checks(findings)
    if told:
        yield "## What holds of each reply"
    for one in told:
        yield md_table(*board_tables.rubric_grid(one))
        asked = [f"- {_md(name.name)}: {_md(name.about)}" for name in one.names if name.about]
        yield "\n".join(asked)
    if findings.judges:
        yield "## Judges"
        yield _md(f"{wording.jury(findings.judges)}.")
        yield md_table(*board_tables.judge_grid(findings))


def _training_grid(findings: Findings) -> tuple[list[str], list[list[str]]]:
    """Entries of training side by side: a column each, a row for each measure."""
    shown = entries(findings)
    rows = [["hardware", *(entry.hardware or wording.NONE for entry in shown)]]
    rows += [
        [key.replace("_", " "), *(wording.setting("", entry.differs[key]) for entry in shown)]
        for key in shown[0].differs
    ]
    rows.append(["runs", *(str(len(entry.runs)) for entry in shown)])
    for measure in measures(shown):
        amounts = [entry.amount(measure) for entry in shown]
        rows.append([measure.heading, *(_amount(measure, amount) for amount in amounts)])
    return ["training", *(entry.name for entry in shown)], rows


def _amount(measure: Measure, amount: Amount | None) -> str:
    if amount is None:
        return wording.NONE
    ends = wording.spread(measure.kind, amount)
    return wording.measured(measure.kind, amount.mean) + (f" [{ends}]" if ends else "")


def _md(text: str) -> str:
    """Text that Markdown shows as it is."""
    return re.sub(r"([\\`*_{}\[\]<>|#])", r"\\\1", text).replace("\n", " ")


def md_table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table in Markdown, numbers to the right."""
    align = ["---", *["---:"] * (len(head) - 1)]
    lines = [[_md(cell) for cell in head], align, *([_md(cell) for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
