"""Examples with what was made of them: the statement, and each reply as a diff or a text.

The page shows some that were won and some that were lost, a page of its own every one of them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from outdo.records import Example, Json
from outdo.report.changes import Line as Changed
from outdo.report.changes import changes
from outdo.report.columns import Column
from outdo.report.findings import Contestant, Findings, Row
from outdo.report.scored import Table, main_column

MOST_SHOWN = 8
"""Examples won, and examples lost, that are shown with their programs."""
MOST_TEXT = 4_000
MOST_LETTERS = 3_000_000
"""Characters of all replies that the page of every example holds; later examples have none."""
TOLD = ("problem", "statement", "preamble", "program")
"""What the texts of an example are named that a shown one tells of by itself."""

Side = Literal["won", "lost", "both", "neither"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What one contestant made of an example: the diff from the program, or the bare text."""

    name: str
    value: float | None
    changed: Sequence[Changed]
    text: str
    because: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """An example: what was given, and what was replied by those that are shown.

    `given` are the texts of the example, by name, that no diff shows.
    """

    name: str
    group: str
    side: Side | None
    statement: str
    given: tuple[tuple[str, str], ...]
    replies: tuple[Reply, ...]

    @property
    def has_diff(self) -> bool:
        """Whether a reply is told by its diff from what was given."""
        return any(reply.changed for reply in self.replies)


def side_of(table: Table, example: str) -> Side | None:
    """Whether the first of the two that are compared won this example; None if not told."""
    if not table.compared:
        return None
    first = table.compared[0]
    a = table.values[first.a, first.column.name].get(example)
    b = table.values[first.b, first.column.name].get(example)
    if a is None or b is None:
        return None
    if a == b:
        return "both" if a == (1 if first.column.metric.better == "higher" else 0) else "neither"
    return "won" if (a > b) == (first.column.metric.better == "higher") else "lost"


def shown(findings: Findings, table: Table) -> Iterator[Shown]:
    """Examples won and lost, from as many groups as there are, in the examples' order."""
    if not table.compared:
        return
    rows = {
        line.contestant.name: _first_rows(line.contestant)
        for line in table.lines
        if line.contestant.name in (table.compared[0].a, table.compared[0].b)
    }
    rows = {name: rows[name] for name in (table.compared[0].a, table.compared[0].b)}
    limits: dict[Side, int] = {"won": MOST_SHOWN, "lost": MOST_SHOWN, "neither": MOST_SHOWN // 2}
    for side, most in limits.items():
        names = [name for name in table.groups if side_of(table, name) == side]
        for name in _spread(names, table.groups)[:most]:
            yield _one_shown(findings.examples[name], side, table.compared[0].column, rows)


def every(findings: Findings, table: Table) -> Iterator[Shown]:
    """Every example of a table with the first reply of each model, in the examples' order.

    Those after `MOST_LETTERS` of texts aren't told.
    """
    column = main_column(table)
    if column is None:
        return
    rows = {
        line.contestant.name: _first_rows(line.contestant)
        for line in table.lines
        if not line.contestant.floor
    }
    letters = 0
    for name in table.groups:
        one = _one_shown(findings.examples[name], side_of(table, name), column, rows)
        letters += _letters(one)
        if letters > MOST_LETTERS:
            return
        yield one


def _letters(one: Shown) -> int:
    """About how many characters an example takes on a page."""
    texts = [one.statement, *(said for _, said in one.given)]
    for reply in one.replies:
        texts += [reply.text, reply.because]
        texts += [piece for line in reply.changed for piece, _ in line.pieces]
    return 400 + sum(len(text) for text in texts)


def _first_rows(contestant: Contestant) -> dict[str, Row]:
    rows: dict[str, Row] = {}
    for row in contestant.rows:
        rows.setdefault(row.example, row)
    return rows


def _spread(names: Sequence[str], groups: Mapping[str, str]) -> list[str]:
    """The names, one of each group before a second of any."""
    turns: Counter[str] = Counter()
    placed: list[tuple[int, int, str]] = []
    for name in names:
        placed.append((turns[groups[name]], len(placed), name))
        turns[groups[name]] += 1
    return [name for _, _, name in sorted(placed)]


def _one_shown(
    example: Example,
    side: Side | None,
    column: Column,
    rows: Mapping[str, Mapping[str, Row]],
) -> Shown:
    program = _text(example.given.get("program"))
    return Shown(
        name=example.id,
        group=example.group,
        side=side,
        statement=cut_text(_text(example.given.get("statement"))),
        given=tuple(_texts(example.given)),
        replies=tuple(
            _reply(name, own[example.id], program, column)
            for name, own in rows.items()
            if example.id in own
        ),
    )


def _reply(name: str, row: Row, program: str, column: Column) -> Reply:
    score = next((s for s in row.scores if s.metric == column.metric.name), None)
    readable = isinstance(row.value, str) and bool(program)
    return Reply(
        name=name,
        value=score.value if score else None,
        changed=changes(program, str(row.value)) if readable else (),
        text="" if readable else cut_text(row.reply),
        because=row.missing or row.problem or (score.because if score else ""),
    )


def _texts(given: Mapping[str, Json]) -> Iterator[tuple[str, str]]:
    """The texts of an example but for what is told elsewhere: its statement and its program."""
    for name, value in given.items():
        if isinstance(value, str) and value and name not in TOLD:
            yield name, cut_text(value)


def _text(value: Json) -> str:
    return value if isinstance(value, str) else ""


def cut_text(text: str) -> str:
    """A text, or its beginning and how much follows."""
    if len(text) <= MOST_TEXT:
        return text
    return f"{text[:MOST_TEXT]}\n… {len(text) - MOST_TEXT:,} more characters"
