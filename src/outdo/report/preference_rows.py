"""Rows for tables of a benchmark of preferences that a program reads: every digit, no words.

The tables of the page are worded for people; these hold one number a cell, empty where there is
none.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from outdo.records import Measure
from outdo.report.preference import Examined, PreferenceFindings

Cells = Sequence[object]


def tables(findings: PreferenceFindings) -> Iterator[tuple[str, list[Cells]]]:
    """(name, rows with headings) of every table that holds something."""
    for name, rows in (
        ("scores", _scores(findings.examined)),
        ("equal-length", _lengths(findings.examined)),
        ("comparisons", _comparisons(findings)),
        ("calibration", _calibrations(findings.judges)),
        ("bins", _bins(findings.judges)),
        ("coverage", _coverage(findings.judges)),
        ("cost", _costs(findings.judges)),
    ):
        found = list(rows)
        if len(found) > 1:
            yield name, found


def _ends(one: Measure | None) -> tuple[float | None, float | None, float | None]:
    return (None, None, None) if one is None else (one.value, one.low, one.high)


def _scores(examined: Iterable[Examined]) -> Iterator[Cells]:
    """Shares from 0 to 1; `part` says by what the pairs are parted, `of` which part it is."""
    yield (
        *("judge", "model", "way", "floor", "part", "of", "pairs", "groups"),
        *("measure", "value", "low", "high", "n"),
    )
    for one in examined:
        who = (one.name, one.model, one.way, int(one.floor))
        cards = [("all", "", one.overall)]
        cards += [("criterion", card.name, card) for card in one.criteria]
        cards += [("length", card.name, card) for card in one.lengths]
        cards += [("floors right", card.name, card) for card in one.difficulties]
        for part, of, card in cards:
            yield from (
                (*who, part, of, card.n, card.groups, *row) for row in _measures(card.measures)
            )
        overall = one.overall
        yield from (
            (*who, "mean over criteria", "", overall.n, overall.groups, *row)
            for row in _measures(one.macro)
        )


def _measures(measures: Mapping[str, Measure]) -> Iterator[Cells]:
    for name, one in measures.items():
        yield name, *_ends(one), one.n


def _lengths(examined: Iterable[Examined]) -> Iterator[Cells]:
    yield (
        *("judge", "floor", "rate", "low", "high", "slope", "slope_low", "slope_high"),
        *("n", "groups", "missing", "by"),
    )
    for one in examined:
        own = one.at_equal_length
        yield (
            *(one.name, int(one.floor), own.value, own.low, own.high),
            *(own.slope, own.slope_low, own.slope_high, own.n, own.groups, own.missing, own.by),
        )


def _comparisons(findings: PreferenceFindings) -> Iterator[Cells]:
    """Differences of shares, first less second; `on` is empty where all pairs are meant."""
    yield (
        *("a", "b", "on", "score", "difference", "low", "high", "p", "n", "groups", "missing"),
        *("wins", "losses", "verdict", "interval"),
    )
    for one in findings.beside:
        gap = one.verdict.found
        yield (
            *(one.a, one.b, one.criterion, one.score, gap.difference, gap.low, gap.high, gap.p),
            *(gap.n, gap.groups, gap.missing, gap.wins, gap.losses, one.verdict.word, gap.by),
        )


def _calibrations(judges: Iterable[Examined]) -> Iterator[Cells]:
    yield "judge", "measure", "value", "low", "high", "n", "missing", "by chance", "from"
    for one in judges:
        if (found := one.calibration) is not None:
            for measure, chance in (
                *((found.brier, None), (found.error, found.chance), (found.over, None)),
            ):
                yield (
                    *(one.name, measure.name, *_ends(measure), found.n, found.missing),
                    *(chance, one.forecast_by),
                )


def _bins(judges: Iterable[Examined]) -> Iterator[Cells]:
    yield "judge", "from", "to", "n", "confidence", "right", "low", "high"
    for one in judges:
        for each in one.calibration.bins if one.calibration else ():
            yield one.name, each.low, each.high, each.n, each.confidence, *_ends(each.right)


def _coverage(judges: Iterable[Examined]) -> Iterator[Cells]:
    yield "judge", "coverage", "threshold", "right", "low", "high", "n"
    for one in judges:
        for each in one.calibration.coverage if one.calibration else ():
            yield one.name, each.coverage, each.threshold, *_ends(each.right), each.right.n


def _costs(judges: Iterable[Examined]) -> Iterator[Cells]:
    """Seconds are quantiles of one call's time; all else is summed over calls."""
    yield "judge", "pairs", "calls", "median", "95%", "tokens_in", "tokens_out", "dollars"
    for one in judges:
        seconds = (one.seconds.get("median"), one.seconds.get("95%"))
        own = one.cost
        yield (
            *(one.name, one.overall.n, one.calls, *seconds),
            *(own.tokens_in, own.tokens_out, own.money),
        )
