"""Published cells beside our own, as a terminal shows them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from rich.console import Console
from rich.table import Table
from rich.text import Text

from outdo.report import Cell, Replicated
from outdo.report.replicated import legend, spoken, worded

ABREAST = 5
"""Statistics that stand beside each other in a terminal; of more, there are further tables."""


def show_replicated(one: Replicated, console: Console) -> None:
    """Print a metric's table: our number of each cell and below it the published one, marked."""
    for number, statistics in enumerate(parts(one.statistics)):
        table = Table(title="" if number else one.title, title_justify="left")
        table.show_lines = bool(one.words)
        table.add_column("contestant")
        for name in statistics:
            table.add_column(Text(spoken(name)), justify="right", no_wrap=True)
        for who in one.contestants:
            cells = [one.cell(who, name) for name in statistics]
            table.add_row(Text(who), *(Text(_lines(one, cell)) for cell in cells))
        console.print(table)
    for sentence in (legend(one), *one.sentences, f"{one.about}."):
        if sentence:
            console.print(f"  {sentence}", markup=False, highlight=False, soft_wrap=True)
    console.print()


def parts(names: Sequence[str]) -> list[Sequence[str]]:
    """The names in as few parts as there must be, none much shorter than another."""
    count = max(1, -(-len(names) // ABREAST))
    ends = [len(names) * number // count for number in range(count + 1)]
    return [names[first:last] for first, last in pairwise(ends)]


def _lines(one: Replicated, cell: Cell | None) -> str:
    if cell is None:
        return "–"
    lines = [one.number(cell.ours)]
    if cell.published is not None:
        lines.append(f"{one.number(cell.published)} {worded(cell.word)}")
    return "\n".join(lines)
