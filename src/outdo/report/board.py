"""The leaderboard: every contestant in one line, by task, by part, and before and after training.

A cell is how often a judge that is believed prefers a contestant to the reference, or what the
task's first metric says of it. A judge that isn't believed is never in a cell.
"""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from outdo.records import Measure, Standing
from outdo.report.columns import Column
from outdo.report.findings import Findings, ModelCard, Ties
from outdo.report.scored import Table, compared, main_column
from outdo.stats import Interval, Verdict, verdict

WAYS: tuple[Ties, ...] = ("loss", "half", "dropped")
USUAL: Ties = "half"
"""How a tie counts where a study doesn't say."""
EVEN = 0.5
"""How often the reference is preferred to itself, ties counted as half."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One thing that a leaderboard tells of a task: a judge's preference, or a metric.

    `against` is whom a judged rate is measured against, `ties` what a tie counts as in it; both
    are None of a metric.
    """

    task: str
    heading: str
    judge: str | None = None
    against: str | None = None
    ties: Ties | None = None
    column: Column | None = None

    @property
    def share(self) -> bool:
        return self.column is None or self.column.share

    @property
    def higher(self) -> bool:
        return self.column is None or self.column.metric.better == "higher"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One contestant's line: a cell for each thing asked, None where it has none."""

    name: str
    card: ModelCard
    floor: bool
    cells: tuple[Measure | None, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Gain:
    """A contestant and the one that it was fine-tuned from, under one thing that was asked.

    `verdict` is None where no example was told of both.
    """

    name: str
    before: str
    asked: Asked
    was: Measure | None
    now: Measure | None
    verdict: Verdict | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sort:
    """Models of one sort side by side: of each thing asked (mean, least, most, models)."""

    name: str
    tuned: bool
    cells: tuple[tuple[float, float, float, int] | None, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """One thing asked, by the parts of the examples: a column a part, a line a contestant."""

    field: str
    asked: Asked
    names: tuple[str, ...]
    lines: tuple[tuple[str, tuple[Measure | None, ...]], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """All that the leaderboard tells; `asked` are the columns of its lines."""

    asked: tuple[Asked, ...]
    places: tuple[Place, ...]
    gains: tuple[Gain, ...]
    sorts: tuple[Sort, ...]
    parts: tuple[Parts, ...]


def board(findings: Findings, tables: Sequence[Table]) -> Board | None:
    """The leaderboard; None where neither judges nor cards of models say that one is wanted."""
    if not findings.standings and not findings.cards:
        return None
    whole = {table.task: table for table in tables if table.title == table.task}
    tasks = list(dict.fromkeys([*whole, *(one.task for one in findings.standings)]))
    asked = tuple(one for task in tasks for one in _asked(findings, task, whole.get(task)))
    return Board(
        asked=asked,
        places=tuple(_places(findings, asked, whole)),
        gains=tuple(_gains(findings, asked, whole)),
        sorts=tuple(_sorts(findings, asked, whole)),
        parts=tuple(_parts(findings, asked, tables)),
    )


# ------------------------------------------------------------------ judges


def believed(findings: Findings, judge: str) -> bool:
    """Whether a judge's verdicts may be told; a panel's, where one of its judges is believed."""
    own = next((one for one in findings.judges if one.name == judge), None)
    return own.believed if own else any(one.believed for one in findings.judges)


def ties(findings: Findings, task: str) -> Ties:
    """What a tie counts as in the headline rate of a task."""
    return findings.ties.get(task, USUAL)


def rate(standing: Standing, way: str) -> Measure | None:
    """The rate of a standing with ties counted in one way; None where it isn't told."""
    return next((one for one in standing.rates if one.name == way), None)


def others(standing: Standing) -> tuple[Measure, ...]:
    """What else was made of the same judgements than the three rates."""
    return tuple(one for one in standing.rates if one.name not in WAYS)


def headline_judge(findings: Findings, task: str) -> str | None:
    """The first judge of a task that is believed: the panel, where there is one."""
    return next(
        (one.judge for one in findings.standings if one.task == task and _tells(findings, one)),
        None,
    )


def _tells(findings: Findings, standing: Standing) -> bool:
    return believed(findings, standing.judge)


def reference_of(findings: Findings, task: str, judge: str) -> str:
    """Whom most contestants of a task were judged against, as far as this judge went."""
    counts = Counter(one.against for one in _own(findings, task, judge))
    return counts.most_common(1)[0][0]


def _own(findings: Findings, task: str, judge: str) -> list[Standing]:
    return [one for one in findings.standings if (one.task, one.judge) == (task, judge)]


# ------------------------------------------------------------------ columns and lines


def _asked(findings: Findings, task: str, table: Table | None) -> Iterator[Asked]:
    """What is told of a task: the judged rate first, then the metric that the task is read for."""
    judge = headline_judge(findings, task)
    if judge is not None:
        yield Asked(
            task=task,
            heading="preferred by " + ("the panel" if judge == "panel" else judge),
            judge=judge,
            against=reference_of(findings, task, judge),
            ties=ties(findings, task),
        )
    column = main_column(table) if table else None
    if column is not None:
        yield Asked(task=task, heading=column.heading, column=column)


def _places(
    findings: Findings, asked: Sequence[Asked], whole: Mapping[str, Table]
) -> Iterator[Place]:
    """Every contestant, the best first: by its judged rates, else by what metrics say."""
    floors = {one.name for one in findings.contestants if one.floor}
    names = dict.fromkeys(
        [one.name for one in findings.contestants]
        + [one.contestant for one in findings.standings if _tells(findings, one)]
    )
    places = [
        Place(
            name=name,
            card=findings.cards.get(name, ModelCard()),
            floor=name in floors,
            cells=tuple(_cell(findings, name, one, whole) for one in asked),
        )
        for name in names
    ]
    ranked = [i for i, one in enumerate(asked) if one.judge] or list(range(len(asked)))
    yield from sorted(places, key=lambda place: _rank(place, asked, ranked))


def _rank(place: Place, asked: Sequence[Asked], ranked: Sequence[int]) -> tuple[bool, float, str]:
    """Where a line stands: by its mean over tasks, those without any value last."""
    told = []
    for i in ranked:
        cell, one = place.cells[i], asked[i]
        if cell is not None and cell.value is not None:
            told.append(cell.value if one.higher else -cell.value)
        elif one.against == place.name:
            told.append(EVEN)
    return not told, -statistics.fmean(told) if told else 0.0, place.name


def _cell(
    findings: Findings, name: str, asked: Asked, whole: Mapping[str, Table]
) -> Measure | None:
    if asked.judge is not None:
        return _judged(findings, name, asked, "")
    table = whole.get(asked.task)
    line = (
        next((one for one in table.lines if one.contestant.name == name), None) if table else None
    )
    column = asked.column
    if line is None or column is None or column.name not in line.cells:
        return None
    return as_measure(line.cells[column.name], column)


def _judged(findings: Findings, name: str, asked: Asked, part: str) -> Measure | None:
    """The headline rate of a contestant against the reference of its task."""
    for one in _own(findings, asked.task, asked.judge or ""):
        if (one.contestant, one.against, one.part) == (name, asked.against, part):
            return rate(one, asked.ties or USUAL)
    return None


def as_measure(cell: Interval, column: Column) -> Measure:
    """A mean under a column as a number that needs no column beside it."""
    return Measure(
        name=column.heading,
        value=cell.value,
        low=cell.low,
        high=cell.high,
        n=cell.n,
        unit="share" if column.share else column.metric.unit,
    )


# ------------------------------------------------------------------ before and after


def _gains(
    findings: Findings, asked: Sequence[Asked], whole: Mapping[str, Table]
) -> Iterator[Gain]:
    for one in asked:
        for name, card in findings.cards.items():
            if card.before is None:
                continue
            was = _cell(findings, card.before, one, whole)
            now = _cell(findings, name, one, whole)
            if now is None or (was is None and one.against != card.before):
                continue
            found = (
                _preferred(findings, name, card.before, one)
                if one.judge
                else _scored(findings, name, card.before, one, whole)
            )
            yield Gain(name=name, before=card.before, asked=one, was=was, now=now, verdict=found)


def _scored(
    findings: Findings, name: str, before: str, asked: Asked, whole: Mapping[str, Table]
) -> Verdict | None:
    table = whole[asked.task]
    if asked.column is None:
        return None
    told = compared(
        findings,
        name,
        before,
        asked.column,
        task=table.task,
        claim=table.claim,
        groups=table.groups,
        runs=table.runs,
        trained={line.contestant.name: line.contestant.trainings for line in table.lines},
    )
    return told.verdict if told and told.verdict.found.n else None


def _preferred(findings: Findings, name: str, before: str, asked: Asked) -> Verdict | None:
    """The paired difference of two preferences for the same reference; it is even with itself."""
    mine = findings.preferred.get((asked.judge or "", asked.task, name))
    if mine is None:
        return None
    other = findings.preferred.get((asked.judge or "", asked.task, before))
    if other is None and before == asked.against:
        other = dict.fromkeys(mine, EVEN)
    if other is None:
        return None
    found = verdict(
        mine,
        other,
        better="higher",
        share=True,
        claim=findings.claims.get(asked.task, "these"),
        groups={one: findings.examples[one].group for one in {**mine, **other}},
    )
    return found if found.found.n else None


# ------------------------------------------------------------------ sorts of models


def _sorts(
    findings: Findings, asked: Sequence[Asked], whole: Mapping[str, Table]
) -> Iterator[Sort]:
    """Base against instruct and code against general, before and after fine-tuning."""
    for order, sort_of in ((("base", "instruct"), _kind), (("code", "general"), _about)):
        groups: dict[tuple[str, bool], list[str]] = {}
        for name, card in findings.cards.items():
            if sort := sort_of(card):
                groups.setdefault((sort, card.before is not None), []).append(name)
        if len({sort for sort, _ in groups}) < 2:
            continue
        for sort, tuned in sorted(groups, key=lambda key: (order.index(key[0]), key[1])):
            cells = tuple(
                _spread([_cell(findings, name, one, whole) for name in groups[sort, tuned]])
                for one in asked
            )
            if any(cells):
                yield Sort(name=sort, tuned=tuned, cells=cells)


def _kind(card: ModelCard) -> str:
    return card.kind or ""


def _about(card: ModelCard) -> str:
    return card.about or ""


def _spread(cells: Sequence[Measure | None]) -> tuple[float, float, float, int] | None:
    told = [cell.value for cell in cells if cell is not None and cell.value is not None]
    return (statistics.fmean(told), min(told), max(told), len(told)) if told else None


# ------------------------------------------------------------------ parts of the examples


def _parts(findings: Findings, asked: Sequence[Asked], tables: Sequence[Table]) -> Iterator[Parts]:
    for one in asked:
        cells = _judged_parts(findings, one) if one.judge else _scored_parts(one, tables)
        fields: dict[str, dict[str, Mapping[str, Measure]]] = {}
        for part, told in cells.items():
            field, name = part_of(part)
            fields.setdefault(field, {})[name] = told
        for field, named in fields.items():
            names = dict.fromkeys(name for told in named.values() for name in told)
            yield Parts(
                field=field,
                asked=one,
                names=tuple(named),
                lines=tuple(
                    (name, tuple(told.get(name) for told in named.values())) for name in names
                ),
            )


def part_of(name: str) -> tuple[str, str]:
    """(field, value) of a part that is named «language: python», and («part», name) of others."""
    field, colon, value = name.partition(": ")
    return (field, value) if colon else ("part", name)


def _judged_parts(findings: Findings, asked: Asked) -> dict[str, dict[str, Measure]]:
    parts: dict[str, dict[str, Measure]] = {}
    for one in _own(findings, asked.task, asked.judge or ""):
        told = rate(one, asked.ties or USUAL)
        if one.part and one.against == asked.against and told is not None:
            parts.setdefault(one.part, {})[one.contestant] = told
    return parts


def _scored_parts(asked: Asked, tables: Sequence[Table]) -> dict[str, dict[str, Measure]]:
    parts: dict[str, dict[str, Measure]] = {}
    for table in tables:
        if table.task != asked.task or table.title == table.task or asked.column is None:
            continue
        told = {
            line.contestant.name: as_measure(line.cells[asked.column.name], asked.column)
            for line in table.lines
            if asked.column.name in line.cells
        }
        parts[table.title.removeprefix(f"{table.task}/")] = told
    return parts


def counted(board: Board, place: int) -> int | None:
    """How many examples stand behind every number of a column, None where that differs."""
    cells = [line.cells[place] for line in board.places]
    counts = {cell.n for cell in cells if cell is not None and cell.value is not None}
    return counts.pop() if len(counts) == 1 else None
