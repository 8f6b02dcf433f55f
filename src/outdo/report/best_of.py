"""What a model is worth that picks among another's answers: a curve, a table, a page."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from outdo.errors import StoreError
from outdo.records import Json, to_json
from outdo.report import preference_plots
from outdo.report.files import encoded, put
from outdo.report.findings import Cost, Environment
from outdo.report.page import framed
from outdo.report.preference import share
from outdo.report.tables import as_csv, slug
from outdo.stats.best_of import Curve

SAMPLE, ORACLE, READABLE = "one sample", "oracle", "random readable"
BOUNDS = (SAMPLE, ORACLE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Picked:
    """How one judge picks among a model's answers to `examples` examples in `groups` groups.

    The first of `curves` is the judge's; the oracle's and that of one sample stand last. `notes`
    tell what was left out.
    """

    name: str
    judge: str
    model: str
    samples: int
    examples: int
    groups: int
    curves: tuple[Curve, ...]
    cost: Cost = field(default_factory=Cost)
    notes: tuple[str, ...] = ()

    def curve(self, name: str) -> Curve:
        """The curve of a name."""
        return next(one for one in self.curves if one.name == name)

    @property
    def sentence(self) -> str:
        """What the last point of the judge's curve says."""
        last = self.curves[0].points[-1]
        best, one = (self.curve(name).points[-1].rate for name in (ORACLE, SAMPLE))
        known = last.closed is not None and last.closed.value is not None
        closed = f"; it closes {share(last.closed)}% of that gap" if known else ""
        return (
            f"{self.name}: of {last.n} answers {self.judge} picks one that passes in "
            f"{share(last.rate)}% of {self.examples:,} examples, where one sample passes in "
            f"{share(one)}% and any of them in {share(best)}%{closed}"
        )


def grid(one: Picked) -> tuple[list[str], list[list[str]]]:
    """The rates in words: a row a picker, a column a number of answers."""
    counts = [point.n for point in one.curves[0].points]
    heads = ["picker", *(f"of {n}" for n in counts), "gap closed"]
    rows = [
        [curve.name, *(share(point.rate) for point in curve.points), share(curve.points[-1].closed)]
        for curve in one.curves
    ]
    return heads, rows


class Framed(Protocol):
    """What the frame of a page tells of a study."""

    @property
    def study(self) -> str: ...

    @property
    def about(self) -> str: ...

    @property
    def environment(self) -> Environment: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Title:
    """The frame of a page that stands alone."""

    study: str
    environment: Environment
    about: str = ""


def write(told: Sequence[Picked], folder: Path, *, findings: Framed) -> None:
    """Put best_of.html, best_of.json, a table and a figure for each into `folder`.

    Raises StoreError where nothing can be written.
    """
    try:
        for name, content in _contents(told, findings):
            put(folder / name, content)
    except OSError as error:
        raise StoreError(
            f"the report can't be written: {error.strerror or error}",
            "free space or choose another folder, then run the command again",
            where=str(folder),
        ) from error


def _contents(told: Sequence[Picked], findings: Framed) -> Iterator[tuple[str, bytes]]:
    shown = []
    for one in told:
        plot = preference_plots.best_of(f"{one.name}: pass rate", one.curves, bounds=BOUNDS)
        heads, rows = grid(one)
        shown.append((one, heads, rows, preference_plots.drawn(plot)))
        yield f"tables/best-of-{slug(one.name)}.csv", encoded(as_csv(_cells(one)))
        for name, content in preference_plots.files([plot]):
            yield f"figures/best-of-{slug(one.name)}.{name.rpartition('.')[2]}", content
    yield "best_of.html", encoded(framed("best_of.html.jinja", told=shown, findings=findings))
    data = json.dumps([as_json(one) for one in told], indent=1, allow_nan=False)
    yield "best_of.json", encoded(f"{data}\n")


def _cells(one: Picked) -> Iterator[Sequence[object]]:
    yield "picker", "n", "rate", "low", "high", "examples", "closed", "closed low", "closed high"
    for curve in one.curves:
        for point in curve.points:
            gap = point.closed
            ends = (gap.value, gap.low, gap.high) if gap else (None, None, None)
            rate = point.rate
            yield curve.name, point.n, rate.value, rate.low, rate.high, rate.n, *ends


def as_json(one: Picked) -> Json:
    """All of it, for programs."""
    return to_json(one)
