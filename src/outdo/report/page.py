"""The page: one file that opens from a disk, with the verdict first.

What stands on it is chosen here, as values; how it looks is the template's. Everything that came
out of a model is escaped by the template, and the policy in the page's head lets no script run
but its own.
"""

from __future__ import annotations

import base64
import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Literal

import jinja2
import yaml
from markupsafe import Markup

from outdo.records import Example, Json
from outdo.report import jury, plots, replicated, sizes, wording
from outdo.report.board import WAYS, counted, rate, ties
from outdo.report.changes import Line as Changed
from outdo.report.changes import changes
from outdo.report.columns import Column
from outdo.report.findings import Contestant, Findings, Row
from outdo.report.results import Results
from outdo.report.scored import Compared, Table, main_column
from outdo.report.tracks import change_track, gap_track, measure_track, rate_track, track
from outdo.report.training import BRIEF, Entry, Measure, entries, measures, swept

MOST_ROWS = 5_000
MOST_SHOWN = 8
"""Examples won, and examples lost, that are shown with their programs."""
MOST_TEXT = 4_000
MOST_CELLS = 60_000
"""Numbers that a table of examples holds; of a wider one fewer rows are shown."""
MOST_BESIDE = 24
"""Columns of numbers, over all contestants, that are told example by example."""
MOST_COLUMNS = 4
"""Metrics that stand side by side in a table of scores; more of them stand in further tables."""
MOST_OPEN = 4
"""Slices that are shown at once; of more, each can be opened."""
MOST_COMPARED = 8
"""Comparisons that are shown at once; of more, those of the first metric are."""
MOST_PLACES = 16
"""Contestants of a table that takes the room it needs; a longer one scrolls."""
TOLD = ("problem", "statement", "preamble", "program")
"""What the texts of an example are named that a shown one tells of by itself."""

Side = Literal["won", "lost", "both", "neither"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Replies:
    """How the replies of one contestant could be used."""

    name: str
    floor: bool
    rows: int
    repaired: int
    unreadable: int
    cut: int
    refused: int
    missing: int
    reasons: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One example, or one group of them, with each contestant's value under each column."""

    name: str
    group: str
    size: int
    side: Side | None
    values: tuple[float | None, ...]


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
    """An example won or lost: what was given, and the replies of the two that are compared.

    `given` are the texts of the example, by name, that no diff shows.
    """

    name: str
    group: str
    side: Side
    statement: str
    given: tuple[tuple[str, str], ...]
    replies: tuple[Reply, ...]

    @property
    def has_diff(self) -> bool:
        """Whether a reply is told by its diff from what was given."""
        return any(reply.changed for reply in self.replies)


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """All that the page tells of one task."""

    table: Table
    parts: tuple[Table, ...]
    replies: tuple[Replies, ...]
    groups: tuple[Item, ...]
    items: tuple[Item, ...]
    hidden: int
    shown: tuple[Shown, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trained:
    """All that the page tells of training: the entries side by side, and their plots."""

    entries: tuple[Entry, ...]
    measures: tuple[Measure, ...]
    several: bool
    losses: Markup | None
    setting: str | None
    sweep: tuple[tuple[str, Markup], ...]


def render(findings: Findings, found: Results) -> str:
    """The whole page, as HTML without any reference to another page but that of the judges."""
    return framed(
        "page.html.jinja",
        findings=findings,
        headline=found.headline,
        leading=wording.leading(findings, found.board) if found.board else None,
        board=found.board,
        sizes=[(plot.title, sizes.drawn(plot)) for plot in sizes.plots(found.board)]
        if found.board
        else [],
        counted=list(jury.said(findings, headline=True)),
        kept_back=jury.withheld(findings),
        checks=jury.checks(findings),
        sections=[_section(findings, found, table) for table in _whole(findings, found)],
        trained=_trained(findings),
    )


def render_judges(findings: Findings) -> str:
    """The page of the judges: whether each is believed, its health, and what it said."""
    said: dict[str, list[jury.Said]] = {}
    for one in jury.said(findings):
        said.setdefault(one.judge, []).append(one)
    return framed(
        "judges.html.jinja",
        findings=findings,
        signs=jury.signs(findings.judges),
        said=said,
        checks=jury.checks(findings),
    )


def framed(name: str, **told: object) -> str:
    """A page with the style and the script that all pages share."""
    script = _part("page.js")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    template = _templates().get_template(name)
    return template.render(style=_part("page.css"), script=script, script_digest=digest, **told)


def _trained(findings: Findings) -> Trained:
    shown = entries(findings)
    setting = swept(shown)
    return Trained(
        entries=shown,
        measures=tuple(measures(shown)),
        several=any(len(entry.runs) > 1 for entry in shown),
        losses=plots.losses(shown),
        setting=setting,
        sweep=tuple(plots.sweep(shown, setting)) if setting else (),
    )


def _part(name: str) -> str:
    return (resources.files("outdo.report") / "templates" / name).read_text("utf-8")


@cache
def _templates() -> jinja2.Environment:
    templates = jinja2.Environment(
        loader=jinja2.FunctionLoader(_part),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.globals |= {
        "wording": wording,
        "replicas": replicated,
        "track": track,
        "gap_track": gap_track,
        "main_column": main_column,
        "item_columns": item_columns,
        "as_text": as_text,
        "score_columns": score_columns,
        "measure_track": measure_track,
        "rate_track": rate_track,
        "change_track": change_track,
        "board_notes": wording.board_notes,
        "judged_sentences": wording.judged_sentences,
        "counted_by": counted,
        "rate": rate,
        "ties": ties,
        "ways": WAYS,
        "most_shown": MOST_SHOWN,
        "most_open": MOST_OPEN,
        "most_compared": MOST_COMPARED,
        "most_places": MOST_PLACES,
        "brief": BRIEF,
    }
    return templates


def _whole(findings: Findings, found: Results) -> list[Table]:
    return [table for table in found.tables if table.title in findings.metrics]


def _section(findings: Findings, found: Results, table: Table) -> Section:
    items = tuple(_items(table))
    most = min(MOST_ROWS, MOST_CELLS // max(1, len(item_columns(table)) * len(table.lines)))
    return Section(
        table=table,
        parts=tuple(part for part in found.tables if part.task == table.task and part is not table),
        replies=tuple(_replies(line.contestant) for line in table.lines),
        groups=tuple(_groups(table)),
        items=items[:most],
        hidden=max(0, len(items) - most),
        shown=tuple(_shown(findings, table)),
    )


def score_columns(table: Table, brief: bool = False) -> list[list[Column]]:
    """The columns of a table of scores, in as many tables as they need, the main one first.

    A metric and what is made of it stand together. A brief table has the first ones alone.
    """
    main = main_column(table)
    kept = [column for column in table.columns if not (brief and column.common)]
    by_metric: dict[str, list[Column]] = {}
    for column in sorted(kept, key=lambda column: column is not main):
        by_metric.setdefault(column.metric.name, []).append(column)
    own = list(by_metric.values())
    if len(own) <= MOST_COLUMNS:
        return [kept]
    width = MOST_COLUMNS - 1  # the first table has a line beside its numbers
    starts = [0, *range(width, len(own), MOST_COLUMNS)]
    chunks = [own[a:b] for a, b in zip(starts, [*starts[1:], len(own)], strict=True)]
    return [[column for each in chunk for column in each] for chunk in chunks][
        : 1 if brief else None
    ]


def item_columns(table: Table) -> list[Column]:
    """The columns that are told example by example: the main one alone where they are many."""
    own = [column for column in table.columns if not column.common]
    main = main_column(table)
    if main is not None and len(own) * len(table.lines) > MOST_BESIDE:
        return [main]
    return own


# ------------------------------------------------------------------ replies, items and groups


def _replies(contestant: Contestant) -> Replies:
    rows = contestant.rows
    reasons = Counter(row.missing for row in rows if row.missing is not None)
    return Replies(
        name=contestant.name,
        floor=contestant.floor,
        rows=len(rows),
        repaired=sum(row.repaired_by is not None for row in rows),
        unreadable=sum(row.problem is not None for row in rows),
        cut=sum(row.finish == "length" for row in rows),
        refused=sum(row.finish == "refused" for row in rows),
        missing=reasons.total(),
        reasons=tuple(reasons.most_common(3)),
    )


def _items(table: Table) -> Iterator[Item]:
    columns = item_columns(table)
    for example, group in table.groups.items():
        yield Item(
            name=example,
            group=group,
            size=1,
            side=_side(table, example),
            values=tuple(
                table.values.get((line.contestant.name, column.name), {}).get(example)
                for column in columns
                for line in table.lines
            ),
        )


def _groups(table: Table) -> Iterator[Item]:
    column = main_column(table)
    if column is None:
        return
    members: dict[str, list[str]] = {}
    for example, group in table.groups.items():
        members.setdefault(group, []).append(example)
    for group, examples in members.items():
        yield Item(
            name=group,
            group=group,
            size=len(examples),
            side=None,
            values=tuple(
                _mean(table.values.get((line.contestant.name, column.name), {}), examples)
                for line in table.lines
            ),
        )


def _mean(values: Mapping[str, float | None], examples: Sequence[str]) -> float | None:
    told = [value for name in examples if (value := values.get(name)) is not None]
    return sum(told) / len(told) if told else None


def _side(table: Table, example: str) -> Side | None:
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


# ------------------------------------------------------------------ examples won and lost


def _shown(findings: Findings, table: Table) -> Iterator[Shown]:
    """Examples won and lost, from as many groups as there are, in the examples' order."""
    if not table.compared:
        return
    rows = {
        line.contestant.name: _first_rows(line.contestant)
        for line in table.lines
        if line.contestant.name in (table.compared[0].a, table.compared[0].b)
    }
    limits: dict[Side, int] = {"won": MOST_SHOWN, "lost": MOST_SHOWN, "neither": MOST_SHOWN // 2}
    for side, most in limits.items():
        names = [name for name in table.groups if _side(table, name) == side]
        for name in _spread(names, table.groups)[:most]:
            yield _one_shown(findings.examples[name], side, table.compared[0], rows)


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
    example: Example, side: Side, compared: Compared, rows: Mapping[str, Mapping[str, Row]]
) -> Shown:
    program = _text(example.given.get("program"))
    return Shown(
        name=example.id,
        group=example.group,
        side=side,
        statement=_cut(_text(example.given.get("statement"))),
        given=tuple(_texts(example.given)),
        replies=tuple(
            _reply(name, rows[name][example.id], program, compared.column)
            for name in (compared.a, compared.b)
        ),
    )


def _reply(name: str, row: Row, program: str, column: Column) -> Reply:
    score = next((s for s in row.scores if s.metric == column.metric.name), None)
    readable = isinstance(row.value, str) and bool(program)
    return Reply(
        name=name,
        value=score.value if score else None,
        changed=changes(program, str(row.value)) if readable else (),
        text="" if readable else _cut(row.reply),
        because=row.missing or row.problem or (score.because if score else ""),
    )


def _texts(given: Mapping[str, Json]) -> Iterator[tuple[str, str]]:
    """The texts of an example but for what is told elsewhere: its statement and its program."""
    for name, value in given.items():
        if isinstance(value, str) and value and name not in TOLD:
            yield name, _cut(value)


def _text(value: Json) -> str:
    return value if isinstance(value, str) else ""


def _cut(text: str) -> str:
    if len(text) <= MOST_TEXT:
        return text
    return f"{text[:MOST_TEXT]}\n… {len(text) - MOST_TEXT:,} more characters"


def as_text(value: Json) -> str:
    """A setting as it would stand in a study file."""
    if isinstance(value, str):
        return value
    return (
        yaml.safe_dump(value, default_flow_style=True, width=10**6).removesuffix("\n...\n").strip()
    )
