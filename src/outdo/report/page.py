"""The page: one file that opens from a disk, with the verdict first.

What stands on it is chosen here, as values; how it looks is the template's. Everything that came
out of a model is escaped by the template, and the policy in the page's head lets no script run
but its own.
"""

from __future__ import annotations

import base64
import hashlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib import resources

import jinja2
import yaml
from markupsafe import Markup

from outdo.records import Json
from outdo.report import charts, jury, plots, replicated, sizes, wording
from outdo.report.against import Against
from outdo.report.board import WAYS, counted, rate, ties
from outdo.report.columns import Column
from outdo.report.findings import Contestant, Findings
from outdo.report.relations import Relation
from outdo.report.results import Results
from outdo.report.scored import Table, main_column
from outdo.report.shown import MOST_SHOWN, Shown, Side, every, shown, side_of
from outdo.report.spreads import Spread
from outdo.report.tracks import change_track, gap_track, measure_track, rate_track, track
from outdo.report.training import BRIEF, Entry, Measure, entries, measures, swept

MOST_ROWS = 5_000
MOST_AGAINST = 6
"""Metrics whose changes against the first row have a figure; all of them stand in a table."""
MOST_SPREAD = 2
"""Metrics whose spread is shown at once; that of each further one can be opened."""
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
    """One example, or one group of them, with each contestant's value under each column.

    Of a group, `told` says how many examples stand behind each value.
    """

    name: str
    group: str
    size: int
    side: Side | None
    values: tuple[float | None, ...]
    told: tuple[str, ...] = ()


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
    spreads: tuple[Spread, ...]
    relations: tuple[Relation, ...]
    against: tuple[Against, ...]

    @property
    def efforts(self) -> bool:
        """Whether any of its metrics tells the effort of editing."""
        return any(column.effort for column in self.table.columns)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trained:
    """All that the page tells of training: the entries side by side, and their plots."""

    entries: tuple[Entry, ...]
    measures: tuple[Measure, ...]
    several: bool
    losses: tuple[tuple[plots.Over, Markup], ...]
    apart: bool
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


def render_items(findings: Findings, found: Results) -> str:
    """The page of every example: what was given, and what each model made of it."""
    told = [(table, tuple(every(findings, table))) for table in _whole(findings, found)]
    return framed("items.html.jinja", findings=findings, told=told)


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
        losses=tuple(
            (over, drawn) for over in plots.overs(shown) if (drawn := plots.losses(shown, over))
        ),
        apart=any(plots.far_apart(plots.traced(shown, over), over) for over in plots.overs(shown)),
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
        "charts": charts,
        "most_shown": MOST_SHOWN,
        "most_spread": MOST_SPREAD,
        "most_against": MOST_AGAINST,
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
        shown=tuple(shown(findings, table)),
        spreads=found.spreads.get(table.title, ()),
        relations=found.relations.get(table.title, ()),
        against=found.against.get(table.title, ()),
    )


def score_columns(
    table: Table, brief: bool = False, effort: bool | None = None
) -> list[list[Column]]:
    """The columns of a table of scores, in as many tables as they need, the main one first.

    A metric and what is made of it stand together. A brief table has the first ones alone.
    `effort` says whether those that tell the effort of editing are meant, or the others, or all.
    """
    main = main_column(table)
    kept = [
        column
        for column in table.columns
        if not (brief and column.common) and effort in (None, column.effort)
    ]
    by_metric: dict[str, list[Column]] = {}
    for column in sorted(kept, key=lambda column: column is not main):
        by_metric.setdefault(column.metric.name, []).append(column)
    own = list(by_metric.values())
    if len(own) <= MOST_COLUMNS:
        return [kept] if kept else []
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
            side=side_of(table, example),
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
    values = [table.values.get((line.contestant.name, column.name), {}) for line in table.lines]
    rates = [column.share and all(x in (0, 1, None) for x in own.values()) for own in values]
    for group, examples in members.items():
        told = [[x for name in examples if (x := own.get(name)) is not None] for own in values]
        yield Item(
            name=group,
            group=group,
            size=len(examples),
            side=None,
            values=tuple(sum(own) / len(own) if own else None for own in told),
            told=tuple(
                wording.part_of(own, rate=is_rate) if own else ""
                for own, is_rate in zip(told, rates, strict=True)
            ),
        )


def as_text(value: Json) -> str:
    """A setting as it would stand in a study file."""
    if isinstance(value, str):
        return value
    return (
        yaml.safe_dump(value, default_flow_style=True, width=10**6).removesuffix("\n...\n").strip()
    )
