"""Published cells beside the same ones scored anew: which agree, and which were made otherwise.

A cell agrees if it is equal as rounded, is near if it is no farther off than was allowed, and is
swapped if it is what comes of candidates and references in each other's place.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

Word = Literal["agrees", "near", "swapped", "differs", "untold"]

MARKS: dict[Word, str] = {
    "agrees": "=",
    "near": "≈",
    "swapped": "⇄",
    "differs": "≠",
    "untold": "?",
}
MEANINGS: dict[Word, str] = {
    "agrees": "equal, as rounded",
    "near": "no farther off than is allowed",
    "swapped": "what comes of candidates and references in each other's place",
    "differs": "another number",
    "untold": "not computed here",
}

SPOKEN = {
    "sd": "st. dev.",
    "ngrams": "n-grams",
    "weighted_ngrams": "weighted",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One statistic of one contestant; `swapped` is the same with both sides exchanged.

    `ours` is None where it could not be computed, `word` where nothing was published.
    """

    contestant: str
    statistic: str
    ours: float | None
    swapped: float | None = None
    published: float | None = None
    word: Word | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Replicated:
    """The cells of one metric, `digits` of which are told, by the signature `by`."""

    title: str
    by: str
    about: str
    digits: int
    cells: tuple[Cell, ...]
    sentences: tuple[str, ...]

    @property
    def contestants(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(cell.contestant for cell in self.cells))

    @property
    def statistics(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(cell.statistic for cell in self.cells))

    @property
    def words(self) -> tuple[Word, ...]:
        """The words that some cell has, in the order in which they are explained."""
        there = {cell.word for cell in self.cells}
        return tuple(word for word in MARKS if word in there)

    def cell(self, contestant: str, statistic: str) -> Cell | None:
        found = (c for c in self.cells if (c.contestant, c.statistic) == (contestant, statistic))
        return next(found, None)

    def number(self, value: float | None) -> str:
        return "–" if value is None else f"{value:.{self.digits}f}"


def worded(word: Word | None) -> str:
    """The mark of a word, with the word where it needs one."""
    if word is None:
        return ""
    return MARKS[word] if word in ("agrees", "near") else f"{MARKS[word]} {word}"


def legend(table: Replicated) -> str:
    """What the marks of a table mean; empty where nothing was published."""
    if not table.words:
        return ""
    told = "; ".join(f"{MARKS[word]} {MEANINGS[word]}" for word in table.words)
    return f"Ours, then the published cell: {told}."


def spoken(statistic: str) -> str:
    """A statistic's name as people say it."""
    return SPOKEN.get(statistic, statistic)


def grid(table: Replicated) -> tuple[list[str], list[list[str]]]:
    """Contestants by statistics: our number, and the published one with its mark."""
    head = [table.title, *map(spoken, table.statistics)]
    rows = [
        [name, *(_both(table, table.cell(name, statistic)) for statistic in table.statistics)]
        for name in table.contestants
    ]
    return head, rows


def _both(table: Replicated, cell: Cell | None) -> str:
    if cell is None:
        return "–"
    ours = table.number(cell.ours)
    if cell.published is None:
        return ours
    return f"{ours} ({table.number(cell.published)} {worded(cell.word)})"


def rows(tables: Iterable[Replicated]) -> Iterator[Sequence[object]]:
    """Every cell, unrounded, for programs that read them."""
    yield "metric", "contestant", "statistic", "ours", "published", "swapped", "word", "by"
    for table in tables:
        for one in table.cells:
            yield (
                *(table.title, one.contestant, one.statistic, one.ours, one.published),
                *(one.swapped, one.word, table.by),
            )
