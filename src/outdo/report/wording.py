"""Numbers and verdicts as a reader sees them.

Shares have two decimals and differ by points; other values keep three significant digits and
their unit. Every form of the report words them here, so that no two forms disagree.
"""

from __future__ import annotations

import math

from outdo.report.findings import Findings
from outdo.report.results import Column, Compared, Table
from outdo.stats import Difference, Interval, Verdict
from outdo.stats.verdict import plural

NONE = "–"
PHRASES = {
    "better": "is better than",
    "worse": "is worse than",
    "equivalent": "is equivalent to",
    "inconclusive": "can’t be told from",
}
SIGNS = {"better": "▲", "worse": "▼", "equivalent": "≈", "inconclusive": "?"}


def value(number: float | None, column: Column) -> str:
    """The number under a column, without its unit."""
    if number is None:
        return NONE
    return f"{number:.2f}" if column.share else plain(number)


def plain(number: float) -> str:
    """Three significant digits, no exponent, thousands set apart, a true minus."""
    return _rounded(number, number) if number else "0"


def _rounded(number: float, largest: float) -> str:
    """The number with as many decimals as give the largest of its row three digits."""
    size = math.floor(math.log10(abs(largest))) if largest else 0
    text = f"{number:,.{min(4, max(0, 2 - size))}f}"
    return text.replace("-", "" if float(text.replace(",", "")) == 0 else "−")


def limits(cell: Interval, column: Column) -> str:
    """The interval of a mean in brackets; nothing where there is none."""
    if cell.low is None or cell.high is None or cell.value is None:
        return ""
    if column.share:
        return f"[{cell.low:.2f}, {cell.high:.2f}]"
    return f"[{_rounded(cell.low, cell.value)}, {_rounded(cell.high, cell.value)}]"


def gap(found: Difference, column: Column) -> str:
    """The difference with its sign: points for a share, else the column's unit."""
    if found.difference is None:
        return NONE
    text = _gap_number(found.difference, found.difference, column)
    sign = "+" if text.strip("0.") and not text.startswith("−") else ""
    return f"{sign}{text} {gap_unit(column)}".rstrip()


def gap_unit(column: Column) -> str:
    """What a difference under a column is counted in."""
    return "points" if column.share else column.metric.unit


def gap_limits(found: Difference, column: Column, *, within: bool = False) -> str:
    """The 95% interval of a difference in brackets, or the 90% one that margins are held to."""
    low, high = (found.low_within, found.high_within) if within else (found.low, found.high)
    if low is None or high is None or found.difference is None:
        return ""
    ends = [_gap_number(end, found.difference, column) for end in (low, high)]
    return f"[{ends[0]}, {ends[1]}]"


def _gap_number(number: float, largest: float, column: Column) -> str:
    if not column.share:
        return _rounded(number, largest)
    points = 100 * number
    text = f"{points:.0f}" if abs(points) >= 9.95 else f"{points:.1f}".removesuffix(".0")
    return text.replace("-", "" if float(text) == 0 else "−")


def sentence(table: Table, compared: Compared, findings: Findings) -> str:
    """The verdict in one sentence, with all that it rests on."""
    found, column = compared.verdict.found, compared.column
    head = f"{compared.a} {PHRASES[compared.verdict.word]} {compared.b}"
    if found.difference is None:
        return f"{head}: no {findings.item} was scored for both."
    evidence = (
        f"{column.heading} {value(found.mean_a, column)} against {value(found.mean_b, column)}, "
        f"difference {gap(found, column)} {gap_limits(found, column)}".rstrip()
    )
    runs = training_runs(table, compared)
    return f"{head}: {evidence} on {sample(table, found, findings)}{runs}."


def sample(table: Table, found: Difference, findings: Findings) -> str:
    """What the difference was measured on: «160 held-out programs of 60 problems»."""
    splits = {findings.examples[name].split for name in table.groups}
    held = "held-out " if splits == {"test"} else ""
    items = f"{found.n:,} {held}{plural(findings.item, found.n)}"
    return f"{items} of {found.groups:,} {plural(findings.group, found.groups)}"


def training_runs(table: Table, compared: Compared) -> str:
    """How many training runs stand behind a comparison: their luck isn't in the interval."""
    runs = {
        name
        for line in table.lines
        if line.contestant.name in (compared.a, compared.b)
        for name in line.contestant.trainings
    }
    if not runs:
        return ""
    return "; one training run" if len(runs) == 1 else f"; {len(runs)} training runs, one each"


def caveats(compared: Compared, findings: Findings) -> list[str]:
    """What a reader must know beside the verdict: what is missing, and what would settle it."""
    told, found, column = compared.verdict, compared.verdict.found, compared.column
    said = []
    if found.low is None:
        said.append(f"There is no interval: {found.by}.")
    if told.word == "equivalent" and (margin := compared.margin):
        said.append(
            f"Equivalent: the 90% interval {gap_limits(found, column, within=True)} lies within "
            f"±{_gap_number(margin, margin, column)} {gap_unit(column)}".rstrip()
            + "."
        )
    if told.needed is not None:
        said.append(
            f"About {told.needed:,} {plural(findings.item, told.needed)} would settle it with 80% "
            "power, were the difference what it seems to be."
        )
    if found.missing:
        said.append(_missing(told, findings))
    return said


def _missing(told: Verdict, findings: Findings) -> str:
    count = told.found.missing
    text = f"{count:,} {plural(findings.item, count)} could not be told and {_are(count)} left out"
    if told.worst is None:
        return f"{text}."
    if told.worst == told.word:
        return f"{text}; the verdict stands if all of them speak against it."
    return f"{text}; if all of them spoke against it, the verdict would be {told.worst}."


def _are(count: int) -> str:
    return "is" if count == 1 else "are"


def p_value(number: float | None) -> str:
    """A p-value to two significant digits, never as 0."""
    if number is None:
        return NONE
    if number < 0.0001:
        return "<0.0001"
    return f"{number:.2g}" if number < 0.995 else "1"


def duration(seconds: float | None) -> str:
    """Seconds in words: 61.5 s, 12 min 5 s, 3 h 20 min."""
    if seconds is None:
        return NONE
    if seconds < 100:
        return f"{plain(seconds)} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"


def size(count: float | None) -> str:
    """Bytes with a binary prefix."""
    if count is None:
        return NONE
    amount, unit = float(count), "B"
    for unit in ("B", "KiB", "MiB", "GiB", "TiB"):
        if abs(amount) < 1024 or unit == "TiB":
            break
        amount /= 1024
    return f"{plain(amount)} {unit}"


def whole(count: float | None) -> str:
    """A count with its thousands set apart."""
    return NONE if count is None else f"{count:,.0f}"
