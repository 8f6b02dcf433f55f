"""The leaderboard and what judges said as rows: of every digit for CSV, worded for the rest."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from outdo.records import Measure
from outdo.report import wording
from outdo.report.board import WAYS, Board, Gain, believed, rate, ties
from outdo.report.findings import Findings, Published
from outdo.report.jury import Checks, said, signs
from outdo.stats import Difference

Cells = Sequence[object]
Grid = tuple[list[str], list[list[str]]]


# ------------------------------------------------------------------ every digit


def board_rows(board: Board) -> Iterator[Cells]:
    """The leaderboard, a row for each contestant and each thing asked."""
    yield (
        "contestant", "size", "kind", "about", "licence", "before", "task", "judge", "against",
        "ties", "metric", "value", "low", "high", "n",
    )  # fmt: skip
    for place in board.places:
        card = place.card
        for one, cell in zip(board.asked, place.cells, strict=True):
            if cell is not None:
                metric = one.column.name if one.column else None
                yield (
                    place.name, card.size, card.kind, card.about, card.licence, card.before,
                    one.task, one.judge, one.against, one.ties, metric, *_digits(cell),
                )  # fmt: skip


def gain_rows(board: Board) -> Iterator[Cells]:
    """Every contestant beside the one that it was fine-tuned from."""
    yield (
        "after", "before", "task", "judge", "metric", "was", "now", "difference", "low", "high",
        "n", "groups", "missing", "p", "verdict", "needed", "interval",
    )  # fmt: skip
    for one in board.gains:
        told, found = one.verdict, one.verdict.found if one.verdict else None
        yield (
            one.name, one.before, one.asked.task, one.asked.judge,
            one.asked.column.name if one.asked.column else None,
            one.was.value if one.was else None, one.now.value if one.now else None,
            *(
                (found.difference, found.low, found.high, found.n, found.groups, found.missing,
                 found.p, told.word, told.needed, found.by)
                if found and told
                else (None,) * 10
            ),
        )  # fmt: skip


def standing_rows(findings: Findings) -> Iterator[Cells]:
    """What every judge said of every contestant, the parts of the examples among it."""
    yield (
        "judge", "believed", "task", "part", "contestant", "against", "won", "tied", "lost",
        "unreadable", "failed", "rate", "headline", "value", "low", "high", "n",
    )  # fmt: skip
    for one in findings.standings:
        trusted = int(believed(findings, one.judge))
        way = ties(findings, one.task)
        for told in one.rates:
            yield (
                one.judge, trusted, one.task, one.part, one.contestant, one.against, one.won,
                one.tied, one.lost, one.unreadable, one.failed, told.name,
                int(told.name == way and bool(trusted)), *_digits(told),
            )  # fmt: skip


def judge_rows(findings: Findings) -> Iterator[Cells]:
    """The health of every judge, and how far judges agree."""
    yield "judge", "model", "family", "way", "believed", "sign", "value", "low", "high", "n"
    for judge in findings.judges:
        for one in judge.health:
            yield (
                judge.name, judge.model, judge.family, judge.way, int(judge.believed), one.name,
                *_digits(one),
            )  # fmt: skip
    for one in findings.agreement:
        yield None, None, None, None, None, one.name, *_digits(one)


def rubric_rows(findings: Findings) -> Iterator[Cells]:
    """What every judge with a rubric found of every contestant's replies."""
    yield (
        "judge", "believed", "task", "contestant", "attribute", "value", "low", "high", "n",
        "replies", "unreadable", "failed", "against", "difference", "difference low",
        "difference high", "pairs",
    )  # fmt: skip
    for one in findings.rubrics:
        apart = {gap.name: gap for gap in one.gaps}
        for share in one.shares:
            gap = apart.get(share.name)
            yield (
                one.judge, int(believed(findings, one.judge)), one.task, one.contestant,
                share.name, *_digits(share), one.replies, one.unreadable, one.failed,
                one.against, *(_digits(gap) if gap else (None,) * 4),
            )  # fmt: skip


def published_rows(published: Iterable[Published]) -> Iterator[Cells]:
    """Published rates and the differences of every two."""
    yield "table", "kind", "name", "value", "low", "high", "n", "about"
    for table in published:
        for kind, rows in (("rate", table.rows), ("difference", table.pairs)):
            for one in rows:
                yield table.title, kind, one.name, *_digits(one), one.about


def _digits(one: Measure) -> tuple[object, ...]:
    return one.value, one.low, one.high, one.n


# ------------------------------------------------------------------ rounded


def board_grid(board: Board) -> Grid:
    """The leaderboard, worded: a row a contestant."""
    head = ["contestant", "size", "model", "licence"]
    head += [f"{one.task}: {one.heading}" for one in board.asked]
    rows = []
    for place in board.places:
        card = place.card
        row = [place.name, f"{card.size:g}B" if card.size else wording.NONE]
        row += [", ".join(filter(None, (card.kind, card.about))) or wording.NONE]
        row += [card.licence or wording.NONE]
        for one, cell in zip(board.asked, place.cells, strict=True):
            row.append("the reference" if one.against == place.name else _worded(cell))
        rows.append(row)
    return head, rows


def gain_grid(board: Board) -> Grid:
    """Before and after fine-tuning, worded."""
    head = ["fine-tuned", "from", "told by", "before", "after", "difference", "verdict"]
    rows = []
    for one in board.gains:
        found = one.verdict.found if one.verdict else None
        rows.append(
            [
                one.name,
                one.before,
                f"{one.asked.task}: {one.asked.heading}",
                "the reference" if one.asked.against == one.before else _worded(one.was),
                _worded(one.now),
                _change(found, one),
                one.verdict.word if one.verdict else wording.NONE,
            ]
        )
    return head, rows


def _change(found: Difference | None, gain: Gain) -> str:
    if found is None:
        return wording.NONE
    ends = wording.change_limits(found, gain.asked)
    return f"{wording.change(found, gain.asked)} {ends}".rstrip()


def ties_grid(findings: Findings) -> Grid:
    """Ties counted three ways, by the judge that each task is told by."""
    head = ["contestant", "task", "judge", "won", "tied", "lost", *(wording.TIES[w] for w in WAYS)]
    rows = [
        [
            row.contestant,
            f"{row.task}, headline {wording.TIES[ties(findings, row.task)]}",
            row.judge,
            *(wording.whole(count) for count in (row.won, row.tied, row.lost)),
            *(_worded(rate(row, way)) for way in WAYS),
        ]
        for one in said(findings, headline=True)
        for row in one.standings
    ]
    return head, rows


def judge_grid(findings: Findings) -> Grid:
    """The judges, worded: a column a judge."""
    rows = [
        ["model", *(one.model for one in findings.judges)],
        ["family", *(one.family or wording.NONE for one in findings.judges)],
        ["way", *(one.way for one in findings.judges)],
        ["verdict", *("believed" if one.believed else "withheld" for one in findings.judges)],
        ["why", *(one.why or wording.NONE for one in findings.judges)],
        ["warnings", *("; ".join(one.warnings) or wording.NONE for one in findings.judges)],
    ]
    rows += [[sign.name, *map(_worded, sign.cells)] for sign in signs(findings.judges)]
    return ["judge", *(one.name for one in findings.judges)], rows


def rubric_grid(checks: Checks) -> Grid:
    """A rubric's shares of one task, worded: a row a contestant."""
    rows = [
        [
            row.contestant,
            *(
                _worded(share)
                + (f", {wording.told_gap(gap)} {wording.told_gap_limits(gap)}" if gap else "")
                for share, gap in zip(checks.cells(row), checks.gaps(row), strict=True)
            ),
        ]
        for row in checks.rows
    ]
    head = f"{checks.task}, by {checks.judge}"
    return [head, *(one.name.replace("_", " ") for one in checks.names)], rows


def published_grid(table: Published) -> Grid:
    """Published rates, worded."""
    rows = [[one.name, _worded(one), wording.whole(one.n)] for one in table.rows]
    return [table.title, "rate", "n"], rows


def pairs_grid(table: Published) -> Grid:
    """The differences of every two published rates, worded."""
    words = {None: wording.NONE, True: "yes", False: "no"}
    rows = [
        [
            one.name,
            f"{wording.told_gap(one)} {wording.told_gap_limits(one)}".rstrip(),
            words[wording.apart(one)],
            one.about or wording.NONE,
        ]
        for one in table.pairs
    ]
    return [table.title, "difference", "leaves out 0", "what else"], rows


def _worded(one: Measure | None) -> str:
    if one is None:
        return wording.NONE
    return f"{wording.told(one)} {wording.told_limits(one)}".rstrip()
