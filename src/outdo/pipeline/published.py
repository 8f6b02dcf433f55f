"""Published rates with the intervals that they had not, and which of them can't be told apart.

Which items a contestant won isn't published, so that rows are compared as if each had items of its
own: where they share their items and agree more often than by chance, the truth is a little surer.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

from outdo.records import Measure
from outdo.report import Published
from outdo.stats.many import holm
from outdo.stats.rates import quantile, wilson
from outdo.study import PublishedTable

LEVEL, POWER = 0.95, 0.80
MANY = 6
"""Pairs beyond which each has no sentence of its own; the table has all of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """So many of `n` items; a published rate may stand for no whole number of them."""

    name: str
    successes: float
    n: int
    is_whole: bool = False

    @property
    def value(self) -> float:
        return self.successes / self.n


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """The difference of two rows, and the items it needs.

    `alone` is its p-value by itself, `p` the one corrected for all pairs.
    """

    a: Share
    b: Share
    low: float
    high: float
    alone: float
    p: float
    needed: int | None

    @property
    def name(self) -> str:
        return f"{self.a.name} - {self.b.name}"


def published_of(title: str, table: PublishedTable) -> Published:
    """A published table with its intervals: Wilson's for rows, Newcombe's for pairs.

    Intervals of pairs hold together at 95% (Bonferroni); whether two rows differ is told by
    Fisher's exact test, or where a rate is of no whole count by the pooled score test, corrected
    by Holm.
    """
    rows = []
    for name in table.rows:
        successes, n = table.counts(name)
        is_whole = table.is_whole(name)
        rows.append(Share(name=name, successes=successes, n=n, is_whole=is_whole))
    gaps = gaps_of(rows)
    return Published(
        title=title,
        rows=tuple(_row(row) for row in rows),
        pairs=tuple(_pair(gap) for gap in gaps),
        sentences=tuple(_sentences(gaps, rows, table)),
    )


def gaps_of(rows: Sequence[Share]) -> list[Gap]:
    """The difference of every two rows, the larger rate first."""
    pairs = [sorted(pair, key=lambda row: -row.value) for pair in combinations(rows, 2)]
    level = 1 - (1 - LEVEL) / max(1, len(pairs))
    alone = [p_value(a, b) for a, b in pairs]
    return [
        Gap(a=a, b=b, low=low, high=high, alone=one, p=1.0 if p is None else p, needed=needed(a, b))
        for (a, b), one, p in zip(pairs, alone, holm(alone), strict=True)
        for low, high in [newcombe_apart(a, b, level=level)]
    ]


def newcombe_apart(a: Share, b: Share, *, level: float) -> tuple[float, float]:
    """Newcombe's interval of a difference of two shares, each of items of its own.

    Source: Newcombe 1998, Statistics in Medicine 17, 873, method 10.
    """
    low_a, high_a = wilson(successes=a.successes, n=a.n, level=level)
    low_b, high_b = wilson(successes=b.successes, n=b.n, level=level)
    gap = a.value - b.value
    return (
        gap - math.hypot(a.value - low_a, high_b - b.value),
        gap + math.hypot(high_a - a.value, b.value - low_b),
    )


def p_value(a: Share, b: Share) -> float:
    """The two-sided p-value of «both shares are the same», exact where both are whole counts."""
    return fisher(a, b) if a.is_whole and b.is_whole else score_test(a, b)


def fisher(a: Share, b: Share) -> float:
    """Fisher's exact p-value, two-sided: all tables that are no likelier than this one."""
    from scipy.stats import fisher_exact

    table = [[round(one.successes), one.n - round(one.successes)] for one in (a, b)]
    return float(fisher_exact(table).pvalue)


def score_test(a: Share, b: Share) -> float:
    """The two-sided p-value of «both shares are the same», by the pooled score test."""
    pooled = (a.successes + b.successes) / (a.n + b.n)
    variance = pooled * (1 - pooled) * (1 / a.n + 1 / b.n)
    if variance == 0:
        return 1.0
    return math.erfc(abs(a.value - b.value) / math.sqrt(2 * variance))


def needed(a: Share, b: Share) -> int | None:
    """Items of each row that tell the two apart with 80% power, were the rates what they seem.

    None where they are the same. Source: Fleiss, Levin and Paik 2003, equation 4.14 without
    continuity correction.
    """
    gap = abs(a.value - b.value)
    if gap == 0:
        return None
    middle = (a.value + b.value) / 2
    apart = a.value * (1 - a.value) + b.value * (1 - b.value)
    reach = quantile(0.5 + LEVEL / 2) * math.sqrt(2 * middle * (1 - middle))
    return math.ceil(((reach + quantile(POWER) * math.sqrt(apart)) / gap) ** 2)


def _row(row: Share) -> Measure:
    low, high = wilson(successes=row.successes, n=row.n)
    about = f"Wilson, of {row.n:,}"
    if not row.is_whole:
        about += f"; no whole number of {row.n:,} gives this rate"
    return Measure(
        name=row.name, value=row.value, low=low, high=high, n=row.n, unit="share", about=about
    )


def _pair(gap: Gap) -> Measure:
    items = "" if gap.needed is None else f"; {gap.needed:,} items of each would tell"
    return Measure(
        name=gap.name,
        value=gap.a.value - gap.b.value,
        low=gap.low,
        high=gap.high,
        n=min(gap.a.n, gap.b.n),
        unit="share",
        about=f"p {_told(gap.alone)}, of all pairs {_told(gap.p)}"
        f"{'' if gap.p < 1 - LEVEL else items}",
    )


def _told(p: float) -> str:
    return "< 0.001" if p < 0.001 else f"= {p:.2g}"


def _sentences(gaps: Sequence[Gap], rows: Sequence[Share], table: PublishedTable) -> list[str]:
    """What may be said of the table, in words."""
    said = [table.source] if table.source else []
    apart = [gap for gap in gaps if gap.p < 1 - LEVEL]
    alike = [gap for gap in gaps if gap.p >= 1 - LEVEL]
    if len(gaps) > MANY:
        said.append(f"Of {len(gaps)} pairs {len(apart)} can be told apart, all taken together.")
        said += [f"{_and(better)} above {_and(worse)}." for better, worse in _grouped(apart)]
        if alike:
            said.append("All other pairs can't be told apart; the table says what each would need.")
    else:
        if apart:
            names = "; ".join(f"{gap.a.name} above {gap.b.name}" for gap in apart)
            said.append(f"Told apart, all pairs taken together: {names}.")
        said += [_alike(gap) for gap in alike]
    if odd := [row for row in rows if not row.is_whole]:
        names = ", ".join(f"{row.name} ({row.value:.1%} of {row.n:,})" for row in odd)
        said.append(
            f"No whole number of items gives the rate of {names}: it may be a mean over judges, or "
            "items were left out. The interval takes the rate as it stands."
        )
    if len(rows) > 1:
        said.append(
            "Which items each row won was not published, so rows count as if they had items of "
            "their own; nothing here allows for items that belong together, or for a judge's error."
        )
    return said


def _alike(gap: Gap) -> str:
    more = (
        "their rates are the same"
        if gap.needed is None
        else f"were the rates what they seem, {gap.needed:,} items of each would tell them"
    )
    return f"{gap.a.name} and {gap.b.name} can't be told apart (p {_told(gap.alone)}): {more}."


def _grouped(gaps: Sequence[Gap]) -> list[tuple[list[str], tuple[str, ...]]]:
    """Higher rows with the lower ones of their pairs, those of the same lower ones together."""
    below: dict[str, tuple[str, ...]] = {}
    for gap in gaps:
        below[gap.a.name] = (*below.get(gap.a.name, ()), gap.b.name)
    found: dict[tuple[str, ...], list[str]] = {}
    for name, lower in below.items():
        found.setdefault(lower, []).append(name)
    return [(names, lower) for lower, names in found.items()]


def _and(names: Sequence[str]) -> str:
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))
