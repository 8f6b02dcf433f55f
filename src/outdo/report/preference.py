"""What a benchmark of preferences found: judges and floors side by side, in words and tables.

`PreferenceFindings` is all that its report knows. How a page of it looks is the template's.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from outdo.records import Json, Measure, to_json
from outdo.report import wording
from outdo.report.findings import Cost, Environment
from outdo.stats import Difference, Verdict
from outdo.stats.calibration import Calibration
from outdo.stats.length import LengthControlled
from outdo.stats.preference import CONSISTENT, FIRST, RATES, SCORES, STRICT, Scorecard

Cells = Sequence[object]
Side = Literal["won", "lost", "neither"]

HEADINGS = (*SCORES, CONSISTENT, FIRST)
"""The columns of the first table."""
NONE = wording.NONE


@dataclass(frozen=True, slots=True, kw_only=True)
class Examined:
    """One judge, or one floor, and all that is told of it.

    `macro` has scores averaged over criteria. `seconds` are quantiles of one call's time, by name,
    `calls` how many there were. `calibration` is None of a floor, which has no probabilities.
    """

    name: str
    model: str
    way: str
    floor: bool
    overall: Scorecard
    macro: Mapping[str, Measure]
    criteria: tuple[Scorecard, ...]
    lengths: tuple[Scorecard, ...]
    difficulties: tuple[Scorecard, ...]
    at_equal_length: LengthControlled
    calibration: Calibration | None = None
    forecast_by: str = ""
    calls: int = 0
    cost: Cost = field(default_factory=Cost)
    seconds: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """Two who were examined, held against each other over all pairs, or over those of a criterion.

    `a` is a judge; `score` says what of both is compared.
    """

    a: str
    b: str
    score: str
    verdict: Verdict
    criterion: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What a judge said to one showing of a pair: its verdict, and its words."""

    better_first: bool
    said: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One pair to be read: who had it right, and what the judge said in each order."""

    item: str
    criterion: str
    side: Side
    judge: str
    rival: str
    statement: str
    better: str
    worse: str
    replies: tuple[Reply, ...]
    evidence: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PreferenceFindings:
    """All that the report of a benchmark of preferences knows; floors stand behind the judges.

    `sources` counts the pairs by where they came from and what counts. `claim` says what the
    intervals are about, `floors` which of them measure how hard a pair is.
    """

    study: str
    about: str
    command: str
    claim: str
    sources: Mapping[tuple[str, str], int]
    groups: int
    examined: tuple[Examined, ...]
    beside: tuple[Beside, ...]
    cases: tuple[Case, ...]
    floors: tuple[str, ...]
    environment: Environment
    notes: tuple[str, ...] = ()

    @property
    def judges(self) -> list[Examined]:
        return [one for one in self.examined if not one.floor]

    @property
    def criteria(self) -> list[str]:
        return sorted({criterion for _, criterion in self.sources})

    @property
    def n(self) -> int:
        return sum(self.sources.values())


# ------------------------------------------------------------------ in words


def headline(findings: PreferenceFindings) -> Beside:
    """The first judge against whom it is held first: another judge, or else the best floor."""
    return findings.beside[0]


def sentence(one: Beside) -> str:
    """The verdict of a comparison, and what it stands on."""
    words = {
        "better": f"{one.a} is better than {one.b}",
        "worse": f"{one.a} is worse than {one.b}",
        "equivalent": f"{one.a} and {one.b} are equivalent",
        "inconclusive": f"{one.a} against {one.b}: inconclusive",
    }
    found = one.verdict.found
    where = f" on {one.criterion}" if one.criterion else ""
    of = f"{found.n:,} pairs of {found.groups:,} groups"
    return f"{words[one.verdict.word]}{where}: {one.score} {gap(found)} of {of}"


def gap(found: Difference) -> str:
    """A difference of shares in points, with its interval."""
    if found.difference is None:
        return NONE
    limits = "" if found.low is None else f" [{100 * found.low:+.1f}, {100 * found.high:+.1f}]"  # type: ignore[operator]
    return f"{100 * found.difference:+.1f} points{limits}"


def share(one: Measure | None) -> str:
    """A share in percent, with its interval."""
    if one is None or one.value is None:
        return NONE
    limits = "" if one.low is None else f" [{100 * one.low:.1f}, {100 * one.high:.1f}]"  # type: ignore[operator]
    return f"{100 * one.value:.1f}{limits}"


def number(one: Measure | None) -> str:
    """A small number with its interval."""
    if one is None or one.value is None:
        return NONE
    limits = "" if one.low is None else f" [{one.low:.3f}, {one.high:.3f}]"
    return f"{one.value:.3f}{limits}"


# ------------------------------------------------------------------ tables


def grids(findings: PreferenceFindings) -> Iterator[tuple[str, Sequence[str], list[list[str]]]]:
    """(title, headings, rows) of every table, all cells in words."""
    every = findings.examined
    yield (
        "scores",
        ["judge", "pairs", *HEADINGS],
        [
            [_name(one), f"{one.overall.n:,}", *(share(one.overall.measures[h]) for h in HEADINGS)]
            for one in every
        ],
    )
    asked = [one for one in every if one.way != "rule"]
    yield (
        "calls without a verdict",
        ["judge", "calls", *RATES],
        [[_name(one), f"{one.calls:,}", *map(share, _rates(one))] for one in asked],
    )
    kinds = (*SCORES, CONSISTENT)
    yield (
        "mean over criteria",
        ["judge", *kinds],
        [[_name(one), *(share(one.macro.get(kind)) for kind in kinds)] for one in every],
    )
    yield from _by_part(findings)
    rows = [_calibrated(one) for one in findings.judges if one.calibration]
    headings = ("pairs", "Brier score", "calibration error", "by chance", "overconfidence", "from")
    yield "calibration", ["judge", *headings], rows
    yield "accuracy by coverage", *_coverage(findings)
    yield (
        "comparisons",
        ["comparison", "on", "score", "difference", "won, lost", "verdict"],
        [
            [
                f"{one.a} – {one.b}",
                one.criterion or "all",
                one.score,
                gap(one.verdict.found),
                f"{one.verdict.found.wins}, {one.verdict.found.losses}",
                one.verdict.word,
            ]
            for one in findings.beside
        ],
    )
    costs = ("calls", "median seconds", "95% within", "tokens a pair", "dollars a pair", "dollars")
    yield "cost", ["judge", *costs], [_cost(one) for one in findings.judges]


def _rates(one: Examined) -> list[Measure]:
    """What became of the calls that gave no verdict for either side."""
    return [one.overall.measures[name] for name in RATES]


def _by_part(
    findings: PreferenceFindings,
) -> Iterator[tuple[str, Sequence[str], list[list[str]]]]:
    """Right in both orders, by criterion, by length and by difficulty."""
    every = findings.examined
    for title, cards in (
        ("by criterion", {one.name: one.criteria for one in every}),
        ("by length", {one.name: one.lengths for one in every}),
        ("by floors that are right", {one.name: one.difficulties for one in every}),
    ):
        names = dict.fromkeys(card.name for own in cards.values() for card in own)
        sizes = {card.name: card.n for own in cards.values() for card in own}
        heads = ["judge", *(f"{name} ({sizes[name]:,})" for name in names)]
        rows = []
        for one in every:
            own = {card.name: card.measures[STRICT] for card in cards[one.name]}
            rows.append([_name(one), *(share(own.get(name)) for name in names)])
        if title == "by length":
            heads = [*heads, "at equal length", "slope"]
            for one, row in zip(every, rows, strict=True):
                row += _controlled(one.at_equal_length)
        yield title, heads, rows


def _controlled(one: LengthControlled) -> list[str]:
    rate = Measure(name="", value=one.value, low=one.low, high=one.high)
    slope = Measure(name="", value=one.slope, low=one.slope_low, high=one.slope_high)
    return [share(rate), number(slope)]


def _calibrated(one: Examined) -> list[str]:
    found = one.calibration
    assert found is not None
    chance = NONE if found.chance is None else f"{found.chance:.3f}"
    return [
        one.name,
        f"{found.n:,}",
        number(found.brier),
        number(found.error),
        chance,
        number(found.over),
        one.forecast_by,
    ]


def _coverage(findings: PreferenceFindings) -> tuple[list[str], list[list[str]]]:
    """A row for each judge and coverage: the share right of what it is surest of."""
    rows = [
        [one.name, f"{100 * point.coverage:.0f}%", f"{point.threshold:.3f}", share(point.right)]
        for one in findings.judges
        if one.calibration
        for point in one.calibration.coverage
    ]
    return ["judge", "pairs answered", "least sure", "right"], rows


def _cost(one: Examined) -> list[str]:
    pairs = max(1, one.overall.n)
    tokens = (one.cost.tokens_in + one.cost.tokens_out) / pairs
    seconds = [f"{one.seconds[q]:.2f}" if q in one.seconds else NONE for q in ("median", "95%")]
    return [
        one.name,
        f"{one.calls:,}",
        *seconds,
        f"{tokens:,.0f}",
        f"{one.cost.money / pairs:.5f}",
        f"{one.cost.money:,.2f}",
    ]


def _name(one: Examined) -> str:
    return f"{one.name} (floor)" if one.floor else one.name


def shown(findings: PreferenceFindings) -> Iterator[tuple[str, Sequence[str], list[list[str]]]]:
    """The tables that hold something."""
    return ((title, heads, rows) for title, heads, rows in grids(findings) if rows)


# ------------------------------------------------------------------ for programs


def as_json(findings: PreferenceFindings) -> Json:
    """All of it but the cases' texts, as JSON."""
    return {
        "study": findings.study,
        "command": findings.command,
        "claim": findings.claim,
        "pairs": findings.n,
        "groups": findings.groups,
        "sources": [
            {"source": source, "criterion": criterion, "pairs": count}
            for (source, criterion), count in findings.sources.items()
        ],
        "judges": {one.name: to_json(one) for one in findings.examined},
        "comparisons": [to_json(one) for one in findings.beside],
        "cases": [
            {"item": one.item, "criterion": one.criterion, "side": one.side, "judge": one.judge}
            for one in findings.cases
        ],
        "difficulty by": list(findings.floors),
        "environment": to_json(findings.environment),
        "notes": list(findings.notes),
    }
